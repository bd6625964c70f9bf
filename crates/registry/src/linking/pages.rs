//! The steward's pages of pairs: the queue, and two records side by side.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query as Asked, State as Extract},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base::{Error, Problems, Result};
use identity::Web;
use serde::Deserialize;
use serde_json::Value;
use view::{
    Link, NavItem, Page,
    ui::{self, Choice, Tone, Values},
};

use super::{Act, Group, Keep, MOST_RECORDS, Pair, PairId, State, Verdict};
use crate::{
    model::{DataType, Registry, RegistryCode},
    pages::{short, values_of},
    service::{Mask, Purpose, RecordId, Registries, When},
};

/// Pairs of a page.
const PAGE: u32 = 25;
/// Pairs of one group that are shown together; what is decided makes room for others.
const SHOWN: usize = 20;
/// Why a steward reads the records of a pair.
const PURPOSE: &str = "registry.linkage";

/// The routes.
pub fn router(registries: Registries) -> Router {
    Router::new()
        .route("/registries/{code}/pairs", get(queue))
        .route("/registries/{code}/pairs/{id}", get(look).post(decide))
        .with_state(registries.clone())
        .merge(super::files::pages::router(registries))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    state: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "registry/pairs.html")]
struct Queue {
    page: Page,
    tabs: Vec<NavItem>,
    pairs: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
    declared: bool,
    /// Where files are compared with the registry.
    files: String,
}

struct Row {
    href: String,
    reason: String,
    records: String,
    /// Of the first pair of a group how large it is, of the others that they belong to it; empty of a pair that stands alone.
    group: String,
}

async fn queue(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path(code): Path<String>,
    Asked(place): Asked<Place>,
) -> Response {
    match list(&registries, &web, &code, &place).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn list(registries: &Registries, web: &Web, code: &str, place: &Place) -> Result<Queue> {
    let registry = find(registries, code)?;
    let state = State::from_code(&place.state).unwrap_or(State::Open);
    let after = Some(place.cursor.as_str()).filter(|cursor| !cursor.is_empty());
    let listed = registries.grouped(&web.ctx, &registry.code, state, after, PAGE).await?;
    let mut page = titled(web, &registry);
    page.title = page
        .t("Các cặp bản ghi nghi trùng", "Pairs of records that may be the same")
        .to_owned();
    let address = |state: State| format!("/registries/{code}/pairs?state={}", state.code());
    let tabs = [State::Open, State::Later, State::Different, State::Merged].map(|tab| NavItem {
        href: address(tab),
        label: tab.label(),
        current: tab == state,
    });
    Ok(Queue {
        tabs: tabs.into(),
        pairs: listed
            .items
            .iter()
            .flat_map(|group| rows(&page, code, group, state))
            .collect(),
        first: after.map(|_| address(state)),
        next: listed.next.map(|next| format!("{}&cursor={next}", address(state))),
        declared: registry.duplicates.is_some(),
        files: format!("/registries/{code}/files"),
        page,
    })
}

/// The pairs of a group that stand so, together; of many the likeliest.
fn rows(page: &Page, code: &str, group: &Group, state: State) -> Vec<Row> {
    let of_state = group.pairs.iter().filter(|pair| pair.state == state);
    let is_group = group.records > 2;
    let row = |(n, pair): (usize, &Pair)| Row {
        href: format!("/registries/{code}/pairs/{}", pair.id),
        reason: page.text(&pair.reason).to_owned(),
        records: pair.records.map(|record| short(record.uuid())).join(" – "),
        group: match n {
            _ if !is_group => String::new(),
            0 => size(page, group),
            _ => page.t("cùng nhóm", "same group").to_owned(),
        },
    };
    of_state.take(SHOWN).enumerate().map(row).collect()
}

/// How large a group is.
fn size(page: &Page, group: &Group) -> String {
    let records = page.number(group.records);
    match (group.whole, page.lang) {
        (true, base::Lang::Vi) => format!("nhóm {records} bản ghi"),
        (true, base::Lang::En) => format!("group of {records} records"),
        (false, base::Lang::Vi) => format!("nhóm trên {} bản ghi", page.number(MOST_RECORDS)),
        (false, base::Lang::En) => format!("group of more than {} records", page.number(MOST_RECORDS)),
    }
}

#[derive(Template)]
#[template(path = "registry/pair.html")]
struct PairPage {
    page: Page,
    action: String,
    back: String,
    reason: String,
    state: String,
    tone: Tone,
    /// How large the group is that it belongs to, and its other pairs, the likeliest first; of a pair that stands alone neither.
    group: Option<String>,
    beside: Vec<(Link, String)>,
    version: i64,
    rows: Vec<Compared>,
    held: [String; 2],
    /// What may be decided now.
    verdicts: Vec<Choice>,
    undo: bool,
    /// What was chosen and typed, after a refusal.
    said: Said,
    acts: Vec<(String, String, String, String)>,
}

/// A field of both records.
pub(super) struct Compared {
    pub name: String,
    pub values: [Values; 2],
    /// Whether they are equal; nothing where one of the records does not hold any more.
    pub same: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    verdict: String,
    why: String,
    seen: i64,
}

async fn look(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
) -> Response {
    match show(&registries, &web, &code, &id, Said::default(), Problems::new()).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn decide(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
    Form(said): Form<Said>,
) -> Response {
    let done = async {
        let registry = find(&registries, &code)?;
        let verdict = verdict(&said.verdict)?;
        registries
            .decide(&web.ctx, &registry.code, pair_id(&id)?, said.seen, verdict, &said.why)
            .await
    };
    match done.await {
        Ok(()) => Redirect::to(&format!("/registries/{code}/pairs/{id}")).into_response(),
        Err(Error::Refused(kind, problems)) if matches!(kind.status(), 409 | 422) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            match show(&registries, &web, &code, &id, said, problems).await {
                Ok(page) => view::html(status, &page),
                Err(error) => web.refuse(&error),
            }
        }
        Err(error) => web.refuse(&error),
    }
}

fn verdict(text: &str) -> Result<Verdict> {
    Ok(match text {
        "same-first" => Verdict::Same(Keep::First),
        "same-second" => Verdict::Same(Keep::Second),
        "different" => Verdict::Different,
        "later" => Verdict::Later,
        "undo" => Verdict::Undo,
        _ => {
            let mut problems = Problems::new();
            problems.add(
                "required",
                "verdict",
                "Chọn một quyết định.",
                "Choose what you have found.",
            );
            return Err(Error::Refused(base::Kind::Invalid, problems));
        }
    })
}

async fn show(
    registries: &Registries,
    web: &Web,
    code: &str,
    id: &str,
    said: Said,
    problems: Problems,
) -> Result<PairPage> {
    let registry = find(registries, code)?;
    let (pair, acts) = registries.pair(&web.ctx, &registry.code, pair_id(id)?).await?;
    let [first, second] = pair.records;
    let bodies = [
        body(registries, web, &registry, first).await?,
        body(registries, web, &registry, second).await?,
    ];
    let mut page = titled(web, &registry);
    page.breadcrumbs.push(Link::new(
        format!("/registries/{code}/pairs"),
        "Cặp nghi trùng",
        "Pairs",
    ));
    page.title = page.t("So sánh hai bản ghi", "Compare two records").to_owned();
    page.problems = problems;
    let held = [first, second].map(|record| {
        if pair.ended == Some(record) {
            page.t("Bản ghi đã chấm dứt vì hợp nhất", "Ended by the merge")
                .to_owned()
        } else {
            short(record.uuid())
        }
    });
    let open = matches!(pair.state, State::Open | State::Later);
    let group = registries.group(&web.ctx, &registry.code, pair.id).await?;
    let verdicts = [
        (
            "same-first",
            "Cùng một đối tượng, giữ bản ghi thứ nhất",
            "The same; keep the first record",
        ),
        (
            "same-second",
            "Cùng một đối tượng, giữ bản ghi thứ hai",
            "The same; keep the second record",
        ),
        ("different", "Khác nhau", "Different"),
        (
            "later",
            "Chưa kết luận được, để lại sau",
            "Cannot be said yet; leave it for later",
        ),
    ];
    Ok(PairPage {
        action: format!("/registries/{code}/pairs/{id}"),
        back: format!("/registries/{code}/pairs?state={}", pair.state.code()),
        reason: page.text(&pair.reason).to_owned(),
        state: page.text(&pair.state.label()).to_owned(),
        tone: if open { Tone::Warn } else { Tone::Good },
        group: (group.records > 2).then(|| size(&page, &group)),
        beside: beside(&page, code, &group, pair.id),
        version: pair.version,
        rows: compared(&page, &registry, &bodies),
        held,
        verdicts: verdicts
            .iter()
            .filter(|_| open)
            .map(|(value, vi, en)| Choice::new(value, page.t(vi, en)))
            .collect(),
        undo: !open,
        said,
        acts: acts.into_iter().map(|act| told(&page, act)).collect(),
        page,
    })
}

/// The other pairs of a group, each with how it stands.
fn beside(page: &Page, code: &str, group: &Group, but: PairId) -> Vec<(Link, String)> {
    let others = group.pairs.iter().filter(|pair| pair.id != but);
    let link = |pair: &Pair| {
        let records = pair.records.map(|record| short(record.uuid())).join(" – ");
        let href = format!("/registries/{code}/pairs/{}", pair.id);
        (
            Link::new(href, &records, &records),
            page.text(&pair.state.label()).to_owned(),
        )
    };
    others.take(SHOWN).map(link).collect()
}

/// What a record says today; nothing where it says nothing. The read is in the log of reads.
async fn body(registries: &Registries, web: &Web, registry: &Registry, record: RecordId) -> Result<Option<Value>> {
    let purpose = Purpose::read(PURPOSE, "", "")?;
    let (id, when) = (record.to_string(), When::default());
    match registries
        .read(&web.ctx, &purpose, &registry.code, &id, when, &Mask::ALL)
        .await
    {
        Ok(view) => Ok(Some(view.body)),
        Err(Error::Refused(base::Kind::NotFound, _)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn compared(page: &Page, registry: &Registry, bodies: &[Option<Value>; 2]) -> Vec<Compared> {
    let fields = registry.fields.iter().filter(|field| field.term.ty != DataType::Group);
    let rows = fields.map(|field| {
        let values = bodies.each_ref().map(|body| match body {
            Some(body) => values_of(page, registry, field, body),
            None => ui::values([]),
        });
        Compared {
            name: page.text(&registry.label(field)).to_owned(),
            same: bodies.iter().all(Option::is_some).then(|| values[0] == values[1]),
            values,
        }
    });
    rows.filter(|row| row.values.iter().any(|value| !value.is_empty()))
        .collect()
}

fn told(page: &Page, act: Act) -> (String, String, String, String) {
    let what = match act.what.as_str() {
        "same" => page.t("Cùng một đối tượng: hợp nhất", "The same: merged"),
        "different" => page.t("Khác nhau", "Different"),
        "later" => page.t("Để lại sau", "Left for later"),
        _ => page.t("Hoàn tác", "Undone"),
    };
    (act.at.display(), act.actor, what.to_owned(), act.why)
}

pub(super) fn find(registries: &Registries, code: &str) -> Result<Arc<Registry>> {
    let editions = code
        .parse::<RegistryCode>()
        .ok()
        .and_then(|code| registries.shelf().get(&code));
    let editions = editions.ok_or_else(|| Error::not_found("cơ sở dữ liệu", "registry"))?;
    Ok(editions.current())
}

fn pair_id(text: &str) -> Result<PairId> {
    text.parse()
        .map_err(|_| Error::not_found("cặp bản ghi", "pair of records"))
}

pub(super) fn titled(web: &Web, registry: &Registry) -> Page {
    let mut page = web.titled(&registry.name.vi, &registry.name.en);
    page.breadcrumbs = vec![
        Link::new("/registries", "Cơ sở dữ liệu", "Registries"),
        Link {
            href: format!("/registries/{}", registry.code),
            label: registry.name.clone(),
        },
    ];
    page
}
