//! The small page of an outcome that has something to say: fields, grounds, what is missing, to whom.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use base::{Problems, Result};
use identity::Web;
use procedure::process::{FieldKind, OutcomeEffect, TaskField};
use serde_json::{Map, Value};
use view::{Link, Page, ui};

use super::{
    super::dossier::{channel, load, no_step},
    Posted, expected, first, led_on, small_page,
};
use crate::{
    model::{
        action::{Channel, Detail, Ground, MissingItem, channel_label},
        command::{Command, Completion},
    },
    service::{DossierView, Dossiers, TaskView},
};

/// Rows of the list of what is missing; more are added by saving and coming back.
const ROWS: usize = 6;

#[derive(Template)]
#[template(path = "desk/outcome.html")]
struct OutcomePage {
    page: Page,
    action: String,
    back: String,
    version: i64,
    step: String,
    label: String,
    help: String,
    applicant: String,
    fields: Vec<TaskField>,
    kind: Asks,
    posted: Vec<(String, String)>,
    reasons: Vec<ui::Choice>,
    places: Vec<ui::Choice>,
    second: bool,
    channels: Vec<ui::Choice>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    Grounds,
    Items,
    Delivery,
    Stop,
}

impl OutcomePage {
    fn value(&self, name: &str) -> &str {
        first(&self.posted, name)
    }

    fn row(&self, name: &str, n: &usize) -> String {
        format!("{name}.{n}")
    }

    fn options(field: &TaskField, lang: &base::Lang) -> Vec<ui::Choice> {
        match &field.kind {
            FieldKind::Choice(options) => options
                .iter()
                .map(|o| ui::Choice::new(&o.value, o.label.get(*lang).to_owned()))
                .collect(),
            _ => Vec::new(),
        }
    }

    const fn rows() -> usize {
        ROWS
    }
}

const fn asks(effect: OutcomeEffect) -> Asks {
    match effect {
        OutcomeEffect::Refuse | OutcomeEffect::Reject => Asks::Grounds,
        OutcomeEffect::RequestSupplement => Asks::Items,
        OutcomeEffect::Deliver => Asks::Delivery,
        OutcomeEffect::Stop => Asks::Stop,
        OutcomeEffect::None | OutcomeEffect::Receive | OutcomeEffect::Approve | OutcomeEffect::Issue => Asks::Nothing,
    }
}

fn outcome_page(
    web: &Web,
    view: &DossierView,
    task: &TaskView,
    outcome: &str,
    posted: Vec<(String, String)>,
    problems: Problems,
) -> Result<OutcomePage> {
    let lang = web.page.lang;
    let found = task
        .task
        .outcomes
        .iter()
        .find(|o| o.id == outcome)
        .ok_or_else(no_step)?;
    let back = format!("/desk/dossiers/{}", view.state.code);
    let mut page = web.titled("", "");
    page.title = format!("{}: {}", found.label.get(lang), view.state.code);
    page.breadcrumbs = vec![
        Link::new("/desk", "Bàn làm việc", "Desk"),
        Link::new(&back, &view.state.code, &view.state.code),
    ];
    page.problems = problems;
    let kind = asks(found.effect);
    let reasons = match kind {
        Asks::Grounds => &view.package.meta.refusal_reasons,
        _ => &view.package.meta.supplement_reasons,
    };
    let form = &view.package.form;
    let papers = form
        .papers
        .iter()
        .map(|p| ui::Choice::new(&p.id, p.name.get(lang).to_owned()));
    // A question that the answers leave out cannot be corrected; the one that leaves it out can.
    let shown = |id: &str| view.answers.iter().flat_map(|s| &s.rows).any(|r| r.id == id);
    let fields = form
        .fields()
        .filter(|f| shown(&f.id))
        .map(|f| ui::Choice::new(&f.id, f.label.get(lang).to_owned()));
    Ok(OutcomePage {
        action: format!("{back}/tasks/{}/{outcome}", task.open.token),
        back,
        version: view.state.version,
        step: task.name.get(lang).to_owned(),
        label: found.label.get(lang).to_owned(),
        help: task.task.help.get(lang).to_owned(),
        applicant: view.state.applicant.name.clone(),
        fields: task
            .task
            .fields
            .iter()
            .filter(|f| f.belongs_to(outcome))
            .cloned()
            .collect(),
        kind,
        posted,
        reasons: reasons
            .iter()
            .map(|r| ui::Choice::new(&r.id, format!("{} ({})", r.text.get(lang), r.basis)))
            .collect(),
        places: papers.chain(fields).collect(),
        second: !view.state.supplements.is_empty(),
        channels: [Channel::Counter, Channel::Online, Channel::Post]
            .iter()
            .map(|c| ui::Choice::new(c.code(), channel_label(*c).get(lang).to_owned()))
            .collect(),
        page,
    })
}
pub(in crate::pages::desk) async fn ask(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, token, outcome)): Path<(String, u32, String)>,
) -> Response {
    let made = async {
        let view = load(&web, &dossiers, &code).await?;
        let task = view.tasks.iter().find(|t| t.open.token == token).ok_or_else(no_step)?;
        outcome_page(&web, &view, task, &outcome, Vec::new(), Problems::new())
    };
    small_page(&web, made.await)
}

pub(in crate::pages::desk) async fn complete(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, token, outcome)): Path<(String, u32, String)>,
    Form(posted): Posted,
) -> Response {
    let view = match load(&web, &dossiers, &code).await {
        Ok(view) => view,
        Err(error) => return web.refuse(&error),
    };
    let task = view.tasks.iter().find(|t| t.open.token == token);
    let completion = Completion {
        token,
        outcome: outcome.clone(),
        fields: task
            .map(|t| fields(&t.task.fields, &outcome, &posted))
            .unwrap_or_default(),
        note: first(&posted, "note").to_owned(),
        detail: task.map_or(Detail::None, |t| detail(&view, t, &outcome, &posted)),
    };
    let done = dossiers
        .command(&web.ctx, view.id, &Command::Complete(completion), expected(&posted))
        .await;
    let next = format!("/desk/dossiers/{code}");
    led_on(&web, &dossiers, &code, &next, done, |problems| {
        let task = task.ok_or_else(no_step)?;
        outcome_page(&web, &view, task, &outcome, posted, problems)
    })
    .await
}

/// The officer's fields as JSON, by their types.
fn fields(declared: &[TaskField], outcome: &str, posted: &[(String, String)]) -> Map<String, Value> {
    let mut out = Map::new();
    for field in declared.iter().filter(|f| f.belongs_to(outcome)) {
        let text = first(posted, &field.id);
        let value = match &field.kind {
            FieldKind::YesNo if text.is_empty() => continue,
            FieldKind::YesNo => Value::Bool(text == "yes"),
            FieldKind::Number if text.is_empty() => continue,
            FieldKind::Number => number(text),
            FieldKind::Date => {
                let part = |name: &str| first(posted, &format!("{}.{name}", field.id));
                let (day, month, year) = (part("day"), part("month"), part("year"));
                if day.is_empty() && month.is_empty() && year.is_empty() {
                    continue;
                }
                Value::from(format!("{year:0>4}-{month:0>2}-{day:0>2}"))
            }
            _ if text.is_empty() => continue,
            _ => Value::from(text),
        };
        out.insert(field.id.clone(), value);
    }
    out
}

/// A number as it was typed: whole ones stay whole, as registries and certificates write them. What is none is judged as text.
fn number(text: &str) -> Value {
    let decimal = || text.replace(',', ".").parse::<f64>().map(Value::from);
    let whole = text.parse::<i64>().map(Value::from);
    whole.or_else(|_| decimal()).unwrap_or_else(|_| Value::from(text))
}

fn detail(view: &DossierView, task: &TaskView, outcome: &str, posted: &[(String, String)]) -> Detail {
    let effect = task
        .task
        .outcomes
        .iter()
        .find(|o| o.id == outcome)
        .map_or(OutcomeEffect::None, |o| o.effect);
    let meta = &view.package.meta;
    match asks(effect) {
        Asks::Nothing => Detail::None,
        Asks::Grounds => {
            let reason = meta
                .refusal_reasons
                .iter()
                .find(|r| r.id == first(posted, "grounds.0.reason"));
            let text = first(posted, "grounds.0.text");
            let grounds = reason.map(|r| Ground {
                reason: r.id.clone(),
                text: if text.is_empty() {
                    r.text.vi.clone()
                } else {
                    text.to_owned()
                },
                basis: r.basis.clone(),
            });
            Detail::Grounds {
                grounds: grounds.into_iter().collect(),
            }
        }
        Asks::Items => {
            let items = (0..ROWS)
                .filter_map(|n| {
                    let at = first(posted, &format!("items.{n}.at"));
                    let chosen = first(posted, &format!("items.{n}.reason"));
                    let text = first(posted, &format!("items.{n}.text"));
                    if at.is_empty() && chosen.is_empty() && text.is_empty() {
                        return None;
                    }
                    let reason = meta.supplement_reasons.iter().find(|r| r.id == chosen);
                    Some(MissingItem {
                        at: at.to_owned(),
                        reason: chosen.to_owned(),
                        text: if text.is_empty() {
                            reason.map(|r| r.text.vi.clone()).unwrap_or_default()
                        } else {
                            text.to_owned()
                        },
                        basis: reason.map(|r| r.basis.clone()).unwrap_or_default(),
                    })
                })
                .collect();
            Detail::Supplement {
                items,
                second_ground: first(posted, "second_ground").to_owned(),
            }
        }
        Asks::Delivery => Detail::Delivery {
            channel: channel(first(posted, "delivery")),
            recipient: first(posted, "recipient").to_owned(),
        },
        Asks::Stop => Detail::Stop {
            reason: first(posted, "reason").to_owned(),
            basis: first(posted, "basis").to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::number;

    #[test]
    fn a_whole_number_stays_whole() {
        for (typed, value) in [("907", json!(907)), ("1,5", json!(1.5)), ("12a", json!("12a"))] {
            assert_eq!(number(typed).to_string(), value.to_string());
        }
    }
}
