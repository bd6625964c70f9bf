//! The queue of a steward, and one finding beside its record.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State as Extracted},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Problem, Problems, Result};
use identity::Web;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use view::{
    Notice, Page,
    ui::{self, Choice, Tone},
};

use super::{Said, below, posted, problems_of, registry, rows, shown, tabs, within_a_list};
use crate::{
    model::{DataType, Dimension, Field, FieldPath, Registry, values_at},
    pages::{short, values_of},
    quality::{Edit, Finding, FindingId, FindingView, Place, Progress, Quality, State, Wanted, Whose, no_finding},
};

/// Findings of one page.
const PAGE: u32 = 25;
/// A longer list is filtered while somebody types.
const SEEN_AT_ONCE: usize = 15;

/// What the address asks; a value that means nothing is left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    whose: String,
    state: String,
    rule: String,
    dimension: String,
    cursor: String,
    /// What was just done.
    done: String,
}

#[derive(Template)]
#[template(path = "registry/queue.html")]
struct QueuePage {
    page: Page,
    registry: Arc<Registry>,
    tabs: Vec<view::NavItem>,
    asked: Asked,
    progress: Option<String>,
    open: i64,
    rules: Vec<Choice>,
    dimensions: Vec<Choice>,
    states: Vec<Choice>,
    items: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

struct Row {
    href: String,
    /// The end of the id of the record.
    record: String,
    wrong: String,
    rule: String,
    dimension: String,
    state: &'static str,
    tone: Tone,
    since: base::Timestamp,
    due: base::Timestamp,
    owner: String,
}

pub(super) async fn show(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    match queue(&quality, &web, &code, asked).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn queue(quality: &Quality, web: &Web, code: &str, asked: Asked) -> Result<QueuePage> {
    let registry = registry(quality.registries(), code)?;
    let wanted = Wanted {
        whose: match asked.whose.as_str() {
            "mine" => Whose::Mine,
            "overdue" => Whose::Overdue,
            _ => Whose::All,
        },
        state: State::from_code(&asked.state),
        rule: asked.rule.parse().ok(),
        dimension: Dimension::from_code(&asked.dimension),
        after: Place::read(&asked.cursor),
        limit: PAGE,
    };
    let found = quality.queue(&web.ctx, &registry.code, &wanted).await?;
    let mut page = below(web, &registry, "Việc cần rà soát", "Work to do");
    page.notice = said(&asked.done);
    let query = |cursor: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("whose", asked.whose.as_str()),
            ("state", &asked.state),
            ("rule", &asked.rule),
            ("dimension", &asked.dimension),
            ("cursor", cursor),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    };
    let progress = quality.progress(&registry.code, web.ctx.now).await?;
    let label = |text: &base::Text| page.text(text).to_owned();
    Ok(QueuePage {
        tabs: tabs(&registry, "queue"),
        progress: progress.map(|Progress { judged, of }| format!("{} / {}", page.number(judged), page.number(of))),
        open: quality.open_findings(&registry.code, web.ctx.now).await?,
        rules: registry
            .rules
            .iter()
            .map(|rule| Choice::new(&rule.id, label(&rule.message)))
            .collect(),
        dimensions: Dimension::ALL
            .iter()
            .map(|d| Choice::new(d.code(), label(&d.label())))
            .collect(),
        states: State::ALL
            .iter()
            .map(|state| Choice::new(state.code(), words(&page, *state)))
            .collect(),
        items: found
            .items
            .iter()
            .map(|finding| row(&page, &registry, finding, web.ctx.now))
            .collect(),
        first: wanted
            .after
            .map(|_| format!("/registries/{}/queue?{}", registry.code, query(""))),
        next: found
            .next
            .map(|next| format!("/registries/{}/queue?{}", registry.code, query(&next))),
        asked,
        registry,
        page,
    })
}

/// What was just done.
fn said(done: &str) -> Option<Notice> {
    let (vi, en) = match done {
        "written" => (
            "Đã ghi đính chính. Bản ghi được kiểm tra lại trong chốc lát; nếu đã đúng thì việc rời danh sách.",
            "The correction is written. The record is judged again in a moment; if it is right, it leaves the list.",
        ),
        "excused" => (
            "Đã chấp nhận bản ghi kèm lý do.",
            "The record is excused, with its reason.",
        ),
        _ => return None,
    };
    Some(Notice {
        tone: Tone::Good,
        text: base::Text::new(vi, en),
    })
}

fn words(page: &Page, state: State) -> &'static str {
    match (state, page.lang) {
        (State::Open, base::Lang::Vi) => "Chờ xử lý",
        (State::Open, base::Lang::En) => "Open",
        (State::Mended, base::Lang::Vi) => "Đã khắc phục",
        (State::Mended, base::Lang::En) => "Mended",
        (State::Excused, base::Lang::Vi) => "Được chấp nhận",
        (State::Excused, base::Lang::En) => "Excused",
    }
}

fn row(page: &Page, registry: &Registry, finding: &Finding, now: base::Timestamp) -> Row {
    let rule = registry.rule(&finding.rule);
    Row {
        href: format!("/registries/{}/findings/{}", registry.code, finding.id),
        record: short(finding.record),
        wrong: rule.map_or_else(|| finding.rule.to_string(), |rule| page.text(&rule.message).to_owned()),
        rule: finding.rule.to_string(),
        dimension: page.text(&finding.dimension.label()).to_owned(),
        state: if finding.is_overdue(now) {
            page.lang.t("Quá hạn", "Overdue")
        } else {
            words(page, finding.state)
        },
        tone: match finding.state {
            State::Open if finding.is_overdue(now) => Tone::Late,
            State::Open => Tone::Warn,
            State::Excused => Tone::Info,
            State::Mended => Tone::Good,
        },
        since: finding.first_seen,
        due: finding.due_at,
        owner: finding.owner.as_ref().map(|(_, name)| name.clone()).unwrap_or_default(),
    }
}

/// All records are judged anew.
pub(super) async fn judge_all(Extracted(quality): Extracted<Quality>, web: Web, Path(code): Path<String>) -> Response {
    let judged = async {
        let registry = registry(quality.registries(), &code)?;
        quality.judge_all(&web.ctx, &registry.code).await
    };
    match judged.await {
        Ok(()) => Redirect::to(&format!("/registries/{code}/queue")).into_response(),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "registry/finding.html")]
struct FindingPage {
    page: Page,
    row: Row,
    finding: Finding,
    mine: bool,
    /// What was sent and what was typed, after a refusal.
    sent: String,
    reason: String,
    /// The record, as far as something holds of it.
    record: Option<Shown>,
}

struct Shown {
    /// Where it is looked up, and by what.
    look: String,
    id: String,
    newest: i64,
    /// What the fields in question say.
    now: Vec<(String, ui::Values)>,
    rows: Vec<Said>,
    inputs: Vec<Input>,
    /// What is proposed: one value with its reason, or several to choose from.
    only: Option<(String, String)>,
    choices: Vec<Choice>,
}

pub(super) struct Input {
    pub name: String,
    pub label: String,
    pub value: String,
    pub hint: String,
    /// What it is chosen from; typed where there is nothing.
    pub choices: Vec<ui::Choice>,
}

impl Input {
    /// The control.
    pub fn shown(&self, page: &Page) -> ui::Field {
        let (name, label) = (&self.name, &self.label);
        let field = match self.choices.len() {
            0 => ui::input(page, name, label).hint(&self.hint),
            1..=SEEN_AT_ONCE => ui::select(page, name, label, &self.choices),
            _ => ui::autocomplete(page, name, label, &self.choices),
        };
        field.value(&self.value).required(false)
    }
}

pub(super) async fn one(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
) -> Response {
    match looked_up(&quality, &web, &code, &id).await {
        Ok((registry, view)) => {
            let template = finding_page(&web, registry, view);
            view::html(StatusCode::OK, &template)
        }
        Err(error) => web.refuse(&error),
    }
}

async fn looked_up(quality: &Quality, web: &Web, code: &str, id: &str) -> Result<(Arc<Registry>, FindingView)> {
    let registry = registry(quality.registries(), code)?;
    let id: FindingId = id.parse().map_err(|_| no_finding())?;
    let view = quality.finding(&web.ctx, &registry.code, id).await?;
    Ok((registry, view))
}

fn finding_page(web: &Web, registry: Arc<Registry>, view: FindingView) -> FindingPage {
    let mut page = below(web, &registry, "Vi phạm chất lượng", "A finding");
    page.breadcrumbs.push(view::Link::new(
        format!("/registries/{}/queue", registry.code),
        "Việc cần rà soát",
        "Work to do",
    ));
    let rule = registry.rule(&view.finding.rule);
    let record = view.record.as_ref().map(|record| {
        let fields = rule.map(|rule| registry.looks_at(rule)).unwrap_or_default();
        let only = match view.proposals.as_slice() {
            [one] => Some((one.shown.clone(), page.text(&one.why).to_owned())),
            _ => None,
        };
        let choices = view.proposals.iter().enumerate().filter(|_| only.is_none());
        Shown {
            look: format!("/registries/{}/record", registry.code),
            id: record.id.to_string(),
            newest: record.newest,
            now: wanted(&registry, &fields, &record.body)
                .map(|field| {
                    let name = page.text(&field.term.name).to_owned();
                    (name, values_of(&page, &registry, field, &record.body))
                })
                .collect(),
            rows: rows(&page, &registry, &record.body),
            inputs: inputs(&page, &registry, &fields, &record.body, web.ctx.now.legal_date()),
            choices: choices
                .map(|(n, proposal)| Choice::new(n, &proposal.shown).hint(page.text(&proposal.why)))
                .collect(),
            only,
        }
    });
    let officer = web.ctx.officer().ok().map(|officer| officer.officer);
    FindingPage {
        row: row(&page, &registry, &view.finding, web.ctx.now),
        mine: view.finding.owner.as_ref().map(|(id, _)| *id) == officer,
        finding: view.finding,
        sent: String::new(),
        reason: String::new(),
        record,
        page,
    }
}

/// The same problems, each at the input of its field where there is one.
pub(super) fn at_inputs(problems: &Problems, inputs: &[Input]) -> Problems {
    let mut there = Problems::new();
    for Problem { code, at, text } in problems {
        let name = format!("field.{at}");
        let is_input = inputs.iter().any(|input| input.name == name);
        let at = if is_input { name } else { at.clone() };
        there.add(code, at, text.vi.clone(), text.en.clone());
    }
    there
}

/// What was typed stands in the inputs again.
pub(super) fn retype(inputs: &mut [Input], form: &[(String, String)]) {
    for input in inputs {
        if let Some((_, typed)) = form.iter().find(|(name, _)| *name == input.name) {
            input.value.clone_from(typed);
        }
    }
}

/// The fields in or below these that are no list of groups; and of the groups around them what has to be there and is not.
fn wanted<'a>(registry: &'a Registry, fields: &'a [FieldPath], body: &'a Value) -> impl Iterator<Item = &'a Field> {
    let is_wanted = move |field: &&Field| {
        let beside = |wanted: &FieldPath| group(wanted).is_some() && group(wanted) == group(&field.path);
        let completes = || field.required && values_at(body, &field.path).is_empty() && fields.iter().any(beside);
        fields.iter().any(|wanted| wanted.covers(&field.path)) || completes()
    };
    registry
        .fields
        .iter()
        .filter(|field| field.term.ty != DataType::Group && !within_a_list(registry, &field.path))
        .filter(is_wanted)
}

/// The group in which a field stands.
fn group(path: &FieldPath) -> Option<&str> {
    path.as_str().rsplit_once('.').map(|(group, _)| group)
}

/// An input for each field in or below these that is no list of groups.
pub(super) fn inputs(page: &Page, registry: &Registry, fields: &[FieldPath], body: &Value, today: Date) -> Vec<Input> {
    wanted(registry, fields, body)
        .map(|field| {
            let now = shown(body, field);
            let hint = if registry.says_commune(field) {
                page.t(
                    "Tên hiện nay hoặc tên trước ngày 01/7/2025; cũng có thể nhập mã năm chữ số.",
                    "The name of today or the one before 1 July 2025, or the five digits of the code.",
                )
            } else {
                page.text(&field.term.technical)
            };
            Input {
                name: format!("field.{}", field.path),
                label: page.text(&field.term.name).to_owned(),
                hint: hint.to_owned(),
                choices: choices(page, registry, field, &now, today),
                value: match registry.says_commune(field) {
                    true => registry.commune_title(&now, today, page.lang).unwrap_or(now),
                    false => now,
                },
            }
        })
        .collect()
}

/// What a field chooses from, and what it says now where that is not among them: it stays unless somebody changes it.
fn choices(page: &Page, registry: &Registry, field: &Field, now: &str, today: Date) -> Vec<ui::Choice> {
    let mut known = registry.choices(field, today, page.lang);
    if !known.is_empty() && !now.is_empty() && known.iter().all(|(code, _)| *code != now) {
        known.insert(0, (now.to_owned(), now.to_owned()));
    }
    known
        .into_iter()
        .map(|(code, name)| ui::Choice::new(code, name))
        .collect()
}

/// What is done to a finding: `then` says what.
pub(super) async fn act(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    match acted(&quality, &web, &code, &id, &form).await {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(error) => again(&quality, &web, &code, &id, &form, error).await,
    }
}

/// The page again, with what is wrong and what was typed.
async fn again(
    quality: &Quality,
    web: &Web,
    code: &str,
    id: &str,
    form: &[(String, String)],
    error: Error,
) -> Response {
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    match looked_up(quality, web, code, id).await {
        Ok((registry, view)) => {
            let mut template = finding_page(web, registry, view);
            template.page.problems = problems;
            template.sent = posted(form, "then").to_owned();
            template.reason = posted(form, "reason").to_owned();
            if let Some(record) = &mut template.record {
                retype(&mut record.inputs, form);
                template.page.problems = at_inputs(&template.page.problems, &record.inputs);
            }
            view::html(status, &template)
        }
        Err(error) => web.refuse(&error),
    }
}

async fn acted(quality: &Quality, web: &Web, code: &str, id: &str, form: &[(String, String)]) -> Result<String> {
    let registry = registry(quality.registries(), code)?;
    let finding: FindingId = id.parse().map_err(|_| no_finding())?;
    let field = |name: &str| posted(form, name);
    let seen: i64 = field("seen").parse().unwrap_or(0);
    let here = format!("/registries/{}/findings/{finding}", registry.code);
    let queue = format!("/registries/{}/queue", registry.code);
    let (ctx, code) = (&web.ctx, &registry.code);
    match field("then") {
        "take" => quality.take(ctx, code, finding, true).await.map(|()| here),
        "put-back" => quality.take(ctx, code, finding, false).await.map(|()| here),
        "excuse" => quality
            .excuse(ctx, code, finding, field("reason"))
            .await
            .map(|()| format!("{queue}?done=excused")),
        "accept" => {
            let nth = field("proposal").parse().unwrap_or(usize::MAX);
            let accepted = quality.accept(ctx, code, finding, seen, nth).await;
            accepted.map(|_| format!("{queue}?done=written"))
        }
        _ => {
            let edits = edits(form);
            let mended = quality.mend(ctx, code, finding, seen, edits).await;
            mended.map(|_| format!("{queue}?done=written"))
        }
    }
}

/// The fields of a form of correction.
pub(super) fn edits(form: &[(String, String)]) -> Vec<Edit> {
    let fields = form.iter().filter_map(|(name, value)| {
        let field = name.strip_prefix("field.")?.parse().ok()?;
        let value = value.clone();
        Some(Edit {
            field,
            value,
            in_place_of: None,
        })
    });
    fields.collect()
}
