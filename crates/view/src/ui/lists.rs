//! What stands in a list: answers, tasks, steps, figures, cards; and the word for an empty list.

use std::{borrow::Borrow, fmt::Display};

use askama::Template;

use super::{MaybeText, Tag, Tone, tag};

super::html_safe!(SummaryRow, Task, Step, Stat, Card, Empty);

/// A question and its answer.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/summary_row.html")]
pub struct SummaryRow {
    label: String,
    value: String,
    html: Option<String>,
    change: Option<(String, String)>,
}

/// A question and its answer; stands in `<dl class="mc-summary">`.
pub fn summary_row(label: impl Display, value: impl Display) -> SummaryRow {
    SummaryRow {
        label: label.to_string(),
        value: value.to_string(),
        html: None,
        change: None,
    }
}

impl SummaryRow {
    /// Where it is changed, with the whole text of the link: "Sửa họ tên".
    #[must_use]
    pub fn change(mut self, href: impl MaybeText, text: impl Display) -> Self {
        self.change = href.maybe().map(|href| (href, text.to_string()));
        self
    }

    /// A component in place of the text: only what is safe by its type is taken.
    #[must_use]
    pub fn html(mut self, html: impl askama::filters::HtmlSafe) -> Self {
        self.html = Some(html.to_string());
        self
    }
}

/// One entry of a task list.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/task.html")]
pub struct Task {
    title: String,
    status: String,
    tone: Tone,
    href: Option<String>,
    hint: Option<String>,
}

/// One entry of a task list; stands in `<ul class="mc-tasks">`.
pub fn task(title: impl Display, status: impl Display, tone: impl Borrow<Tone>) -> Task {
    Task {
        title: title.to_string(),
        status: status.to_string(),
        tone: *tone.borrow(),
        href: None,
        hint: None,
    }
}

impl Task {
    /// Where the task is done.
    #[must_use]
    pub fn href(mut self, href: impl MaybeText) -> Self {
        self.href = href.maybe();
        self
    }

    /// A line of help.
    #[must_use]
    pub fn hint(mut self, hint: impl MaybeText) -> Self {
        self.hint = hint.maybe();
        self
    }
}

/// How far a step of a timeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepState {
    /// Behind us.
    Done,
    /// Where things stand.
    Current,
    /// Still to come.
    Todo,
    /// Where things stand, and too late.
    Late,
}

impl StepState {
    const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Todo => "todo",
            Self::Late => "late",
        }
    }
}

/// One step of a timeline.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/step.html")]
pub struct Step {
    title: String,
    state: StepState,
    time: Option<String>,
    text: Option<String>,
    who: Option<String>,
}

/// One step of a timeline; stands in `<ol class="mc-timeline">`.
pub fn step(title: impl Display, state: impl Borrow<StepState>) -> Step {
    Step {
        title: title.to_string(),
        state: *state.borrow(),
        time: None,
        text: None,
        who: None,
    }
}

impl Step {
    /// When.
    #[must_use]
    pub fn time(mut self, time: impl MaybeText) -> Self {
        self.time = time.maybe();
        self
    }

    /// What happened.
    #[must_use]
    pub fn text(mut self, text: impl MaybeText) -> Self {
        self.text = text.maybe();
        self
    }

    /// Who did it.
    #[must_use]
    pub fn who(mut self, who: impl MaybeText) -> Self {
        self.who = who.maybe();
        self
    }
}

/// One figure with its name.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/stat.html")]
pub struct Stat {
    label: String,
    value: String,
    note: Option<String>,
    tone: Tone,
    href: Option<String>,
    icon: Option<String>,
}

/// One figure with its name; stands in `<div class="mc-stats">`.
pub fn stat(label: impl Display, value: impl Display) -> Stat {
    Stat {
        label: label.to_string(),
        value: value.to_string(),
        note: None,
        tone: Tone::Neutral,
        href: None,
        icon: None,
    }
}

impl Stat {
    /// A line under the figure.
    #[must_use]
    pub fn note(mut self, note: impl MaybeText) -> Self {
        self.note = note.maybe();
        self
    }

    /// How the figure is meant.
    #[must_use]
    pub fn tone(mut self, tone: impl Borrow<Tone>) -> Self {
        self.tone = *tone.borrow();
        self
    }

    /// Where the figure is explained.
    #[must_use]
    pub fn href(mut self, href: impl MaybeText) -> Self {
        self.href = href.maybe();
        self
    }

    /// An icon beside the name.
    #[must_use]
    pub fn icon(mut self, name: impl MaybeText) -> Self {
        self.icon = name.maybe();
        self
    }
}

/// A way onward: a title that is a link, with a line of text.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/card.html")]
pub struct Card {
    title: String,
    href: String,
    text: Option<String>,
    icon: Option<String>,
    tag: Option<Tag>,
}

/// A way onward; stands in `<ul class="mc-cards">`.
pub fn card(title: impl Display, href: impl Display) -> Card {
    Card {
        title: title.to_string(),
        href: href.to_string(),
        text: None,
        icon: None,
        tag: None,
    }
}

impl Card {
    /// What is behind it.
    #[must_use]
    pub fn text(mut self, text: impl MaybeText) -> Self {
        self.text = text.maybe();
        self
    }

    /// An icon above the title.
    #[must_use]
    pub fn icon(mut self, name: impl MaybeText) -> Self {
        self.icon = name.maybe();
        self
    }

    /// A status.
    #[must_use]
    pub fn tag(mut self, text: impl Display, tone: impl Borrow<Tone>) -> Self {
        self.tag = Some(tag(text, tone));
        self
    }
}

/// What a list says when it is empty.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/empty.html")]
pub struct Empty {
    title: String,
    text: String,
    icon: String,
    action: Option<(String, String)>,
}

/// What a list says when it is empty, and what one can do then.
pub fn empty(title: impl Display, text: impl Display) -> Empty {
    Empty {
        title: title.to_string(),
        text: text.to_string(),
        icon: "inbox".to_owned(),
        action: None,
    }
}

impl Empty {
    /// What one can do.
    #[must_use]
    pub fn action(mut self, label: impl Display, href: impl Display) -> Self {
        self.action = Some((label.to_string(), href.to_string()));
        self
    }

    /// Another icon than the empty tray.
    #[must_use]
    pub fn icon(mut self, name: impl Display) -> Self {
        self.icon = name.to_string();
        self
    }
}
