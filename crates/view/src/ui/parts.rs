//! Buttons, messages, meters, navigation and figures.

use std::{borrow::Borrow, fmt::Display};

use askama::Template;
use base::{Lang, Timestamp};

use super::{MaybeText, Tone, token};
use crate::page::{NavItem, Page};

super::html_safe!(
    Button,
    Tag,
    Values,
    NoticeBox,
    Panel,
    Deadline,
    Pager,
    Tabs,
    Search,
    Copy,
    QrFigure,
    PrintButton,
    ErrorSummary,
    Passkey,
    Time
);

/// A button, or a link that looks like one.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/button.html")]
pub struct Button {
    label: String,
    class: &'static str,
    href: Option<String>,
    icon: Option<String>,
    attrs: Vec<(String, String)>,
}

/// A button that submits its form; with [`Button::href`] a link.
pub fn button(label: impl Display) -> Button {
    Button {
        label: label.to_string(),
        class: "",
        href: None,
        icon: None,
        attrs: Vec::new(),
    }
}

impl Button {
    /// Not the main thing to do here.
    #[must_use]
    pub fn secondary(mut self) -> Self {
        self.class = " mc-button--secondary";
        self
    }

    /// Something that cannot be undone.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.class = " mc-button--warning";
        self
    }

    /// Looks like a link.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.class = " mc-button--plain";
        self
    }

    /// Makes it a link.
    #[must_use]
    pub fn href(mut self, href: impl Display) -> Self {
        self.href = Some(href.to_string());
        self
    }

    /// An icon before the label.
    #[must_use]
    pub fn icon(mut self, name: impl Display) -> Self {
        self.icon = Some(name.to_string());
        self
    }

    /// The name under which its value is sent.
    #[must_use]
    pub fn name(self, name: impl Display) -> Self {
        self.attr("name", name)
    }

    /// The value that is sent.
    #[must_use]
    pub fn value(self, value: impl Display) -> Self {
        self.attr("value", value)
    }

    /// Sends the form somewhere else.
    #[must_use]
    pub fn formaction(self, url: impl Display) -> Self {
        self.attr("formaction", url)
    }

    /// Its id.
    #[must_use]
    pub fn id(self, id: impl Display) -> Self {
        self.attr("id", id)
    }

    /// Any other attribute.
    #[must_use]
    pub fn attr(mut self, name: impl Display, value: impl Display) -> Self {
        self.attrs.push((token(&name.to_string()), value.to_string()));
        self
    }
}

/// A status in one or two words.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<strong class="mc-tag mc-tag--{{ tone.class() }}">{{ text }}</strong>"#,
    ext = "html"
)]
pub struct Tag {
    text: String,
    tone: Tone,
}

/// A status in one or two words.
pub fn tag(text: impl Display, tone: impl Borrow<Tone>) -> Tag {
    Tag {
        text: text.to_string(),
        tone: *tone.borrow(),
    }
}

/// Values for people, each with the code that stands for it small beside it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"{% for (value, code) in values %}{% if !loop.first %}, {% endif %}{{ value }}{% if let Some(code) = code %} <span class="mc-muted mc-small">{{ code }}</span>{% endif %}{% endfor %}"#,
    ext = "html"
)]
pub struct Values {
    values: Vec<(String, Option<String>)>,
}

/// Values for people, each with the code that stands for it, where there is one.
pub fn values(values: impl IntoIterator<Item = (String, Option<String>)>) -> Values {
    Values {
        values: values.into_iter().collect(),
    }
}

impl Values {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The same without codes: for people whom they tell nothing.
    #[must_use]
    pub fn words(mut self) -> Self {
        for (_, code) in &mut self.values {
            *code = None;
        }
        self
    }

    /// The same where no markup can stand: each code in brackets.
    pub fn text(&self) -> String {
        let text = |(value, code): &(String, Option<String>)| match code {
            Some(code) => format!("{value} ({code})"),
            None => value.clone(),
        };
        self.values.iter().map(text).collect::<Vec<_>>().join(", ")
    }
}

/// A message in a box.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/notice.html")]
pub struct NoticeBox {
    tone: Tone,
    text: String,
    title: Option<String>,
    link: Option<(String, String)>,
}

/// A message in a box. Late is announced at once to screen readers, the others politely.
pub fn notice(tone: impl Borrow<Tone>, text: impl Display) -> NoticeBox {
    NoticeBox {
        tone: *tone.borrow(),
        text: text.to_string(),
        title: None,
        link: None,
    }
}

impl NoticeBox {
    /// A first line in bold.
    #[must_use]
    pub fn title(mut self, title: impl MaybeText) -> Self {
        self.title = title.maybe();
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn link(mut self, label: impl Display, href: impl Display) -> Self {
        self.link = Some((label.to_string(), href.to_string()));
        self
    }
}

/// The confirmation that a thing is done.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/panel.html")]
pub struct Panel {
    title: String,
    text: String,
    code: Option<String>,
}

/// The confirmation that a thing is done; its title is the page's `<h1>`.
pub fn panel(title: impl Display, text: impl Display) -> Panel {
    Panel {
        title: title.to_string(),
        text: text.to_string(),
        code: None,
    }
}

impl Panel {
    /// The code to note down.
    #[must_use]
    pub fn code(mut self, code: impl MaybeText) -> Self {
        self.code = code.maybe();
        self
    }
}

/// How much of the time is used.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/deadline.html")]
pub struct Deadline {
    percent: u32,
    label: String,
    tone: Tone,
}

/// How much of the time is used, in percent of the whole (over 100 when late), with the words that say so.
pub fn deadline(percent: impl Borrow<u32>, label: impl Display, tone: impl Borrow<Tone>) -> Deadline {
    Deadline {
        percent: (*percent.borrow()).min(100),
        label: label.to_string(),
        tone: *tone.borrow(),
    }
}

/// Links to the newer and the older part of a list.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/pager.html")]
pub struct Pager {
    lang: Lang,
    newer: Option<String>,
    older: Option<String>,
    back: &'static str,
    on: &'static str,
    place: Option<String>,
}

impl Pager {
    /// The list is not by age: the links lead to the page before and the page after.
    pub fn pages(mut self) -> Self {
        self.back = self.lang.t("Trang trước", "Previous page");
        self.on = self.lang.t("Trang sau", "Next page");
        self
    }

    /// The list is not by age: the links lead to its beginning and to the page after.
    pub fn onward(mut self) -> Self {
        self.back = self.lang.t("Về đầu danh sách", "First page");
        self.on = self.lang.t("Trang sau", "Next page");
        self
    }

    /// Which part of the whole this page is, in words.
    pub fn place(mut self, words: impl MaybeText) -> Self {
        self.place = words.maybe();
        self
    }
}

/// Links to the newer and the older part of a list; nothing when there is neither.
pub fn pager(page: &Page, newer: impl MaybeText, older: impl MaybeText) -> Pager {
    Pager {
        lang: page.lang,
        newer: newer.maybe(),
        older: older.maybe(),
        back: page.lang.t("Mới hơn", "Newer"),
        on: page.lang.t("Cũ hơn", "Older"),
        place: None,
    }
}

/// A row of tabs that are links.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/tabs.html")]
pub struct Tabs {
    lang: Lang,
    links: Vec<NavItem>,
}

/// A row of tabs that are links, to sections of this page or to other pages.
pub fn tabs(page: &Page, links: impl AsRef<[NavItem]>) -> Tabs {
    Tabs {
        lang: page.lang,
        links: links.as_ref().to_vec(),
    }
}

/// A search box with its button.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/search.html")]
pub struct Search {
    lang: Lang,
    action: String,
    name: String,
    label: String,
    value: String,
    hint: Option<String>,
    large: bool,
}

/// A search box; its form is sent by GET to `action`.
pub fn search(page: &Page, action: impl Display, name: impl Display, label: impl Display) -> Search {
    Search {
        lang: page.lang,
        action: action.to_string(),
        name: name.to_string(),
        label: label.to_string(),
        value: String::new(),
        hint: None,
        large: false,
    }
}

impl Search {
    /// What was searched.
    #[must_use]
    pub fn value(mut self, value: impl MaybeText) -> Self {
        self.value = value.maybe().unwrap_or_default();
        self
    }

    /// Help under the label.
    #[must_use]
    pub fn hint(mut self, hint: impl MaybeText) -> Self {
        self.hint = hint.maybe();
        self
    }

    /// As large as a front page wants it.
    #[must_use]
    pub fn large(mut self) -> Self {
        self.large = true;
        self
    }
}

/// A code with a button that copies it.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/copy.html")]
pub struct Copy {
    lang: Lang,
    code: String,
}

/// A code with a button that copies it; without JavaScript the code alone.
pub fn copy(page: &Page, code: impl Display) -> Copy {
    Copy {
        lang: page.lang,
        code: code.to_string(),
    }
}

/// A QR code with its caption.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<figure class="mc-qr">{{ svg|safe }}<figcaption>{{ caption }}</figcaption></figure>"#,
    ext = "html"
)]
pub struct QrFigure {
    svg: String,
    caption: String,
}

/// A QR code of `text` with its caption; the caption must say what the code holds.
pub fn qr_figure(text: impl Display, caption: impl Display) -> QrFigure {
    QrFigure {
        svg: crate::qr(&text.to_string()),
        caption: caption.to_string(),
    }
}

/// A button that prints the page.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/print_button.html")]
pub struct PrintButton {
    lang: Lang,
}

/// A button that prints the page; not there without JavaScript.
pub fn print_button(page: &Page) -> PrintButton {
    PrintButton { lang: page.lang }
}

/// All problems of the page, each a link to its field.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/error_summary.html")]
pub struct ErrorSummary {
    lang: Lang,
    problems: Vec<(String, String)>,
}

/// All problems of the page, each a link to its field; nothing when there are none.
pub fn error_summary(page: &Page) -> ErrorSummary {
    let problems = page
        .problems
        .iter()
        .map(|p| (token(&p.at), p.text.get(page.lang).to_owned()))
        .collect();
    ErrorSummary {
        lang: page.lang,
        problems,
    }
}

/// A button that signs in with a passkey or registers one.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/passkey.html")]
pub struct Passkey {
    lang: Lang,
    mode: String,
    begin: String,
    finish: String,
    label: String,
}

/// A button that signs in with a passkey (`sign-in`) or registers one (`register`); not there without JavaScript.
pub fn passkey(
    page: &Page,
    mode: impl Display,
    begin: impl Display,
    finish: impl Display,
    label: impl Display,
) -> Passkey {
    Passkey {
        lang: page.lang,
        mode: mode.to_string(),
        begin: begin.to_string(),
        finish: finish.to_string(),
        label: label.to_string(),
    }
}

/// An instant or a date, readable by people and by programs.
#[derive(Debug, Clone, Template)]
#[template(source = r#"<time datetime="{{ datetime }}">{{ text }}</time>"#, ext = "html")]
pub struct Time {
    datetime: String,
    text: String,
}

/// An instant in legal time: `10:42 ngày 21/11/2026`, in English `21/11/2026 10:42`.
pub fn time(page: &Page, at: impl Borrow<Timestamp>) -> Time {
    let at = *at.borrow();
    let text = match page.lang {
        Lang::Vi => at.legal().strftime("%H:%M ngày %d/%m/%Y").to_string(),
        Lang::En => at.display(),
    };
    Time {
        datetime: at.rfc3339(),
        text,
    }
}

/// The legal date of an instant.
pub fn day(at: impl Borrow<Timestamp>) -> Time {
    let at = *at.borrow();
    Time {
        datetime: at.legal_date().to_string(),
        text: at.display_date(),
    }
}
