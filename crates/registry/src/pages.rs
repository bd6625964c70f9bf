//! Pages: the registries of this node and what each is, for everybody; a record through its two times, for those who may read it.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use base::{Error, Problems, Result, Timestamp};
use exchange::model::Purpose as Code;
use identity::{Ctx, Permission, Scope, Web};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use view::{
    Link, Page,
    ui::{self, Tone},
};

use crate::{
    history::{Effect, Moment},
    linking,
    model::{ChangeKind, DataType, Field, Registry, RegistryCode, Sensitivity, ValidTime, values_at},
    quality::{self, doubts::Report},
    service::{Mask, Purpose, RecordView, Registries, Times, VersionView, When},
};

/// The purposes of the program for which officers look records up.
const LOOKED_FOR: [&str; 3] = ["dossier.verify", quality::PURPOSE, "registry.steward"];

/// The routes.
pub fn router(registries: Registries) -> Router {
    Router::new()
        .route("/registries", get(all))
        .route("/registries/{code}", get(one))
        // Keys and purposes stand in the body of a form, not in addresses that are kept in histories and logs.
        .route("/registries/{code}/record", get(ask).post(look))
        .with_state(registries.clone())
        .merge(linking::pages::router(registries))
}

#[derive(Template)]
#[template(path = "registry/registries.html")]
struct All {
    page: Page,
    /// What is said where there are none.
    empty: &'static str,
    registries: Vec<Arc<Registry>>,
}

async fn all(State(registries): State<Registries>, web: Web) -> Response {
    let page = web.titled("Cơ sở dữ liệu", "Registries");
    let registries = registries
        .shelf()
        .all()
        .iter()
        .map(|editions| editions.current())
        .collect();
    // How to publish one is for whoever can.
    let empty = if web.ctx.holds(Permission::ManageCatalogue) {
        page.t(
            "Công bố cơ sở dữ liệu bằng lệnh motcua registry publish.",
            "Publish one with motcua registry publish.",
        )
    } else {
        page.t(
            "Thông tin mà thủ tục hành chính ở đây cần được khai thác từ cơ sở dữ liệu của các cơ quan khác.",
            "What procedures here need to know is asked of the registries of other agencies.",
        )
    };
    view::html(
        StatusCode::OK,
        &All {
            page,
            empty,
            registries,
        },
    )
}

#[derive(Template)]
#[template(path = "registry/registry.html")]
struct One {
    page: Page,
    registry: Arc<Registry>,
    /// Where records are looked up, for who may.
    look: Option<String>,
    /// The queue of pairs that may be the same, for its stewards.
    pairs: Option<String>,
    /// Where files are compared with it, for its stewards.
    files: Option<String>,
    /// What is to be done, for stewards.
    queue: Option<String>,
    steward: ui::Values,
    basis: String,
    key: String,
    doubts: String,
    fields: Vec<FieldRow>,
    services: Vec<(String, String)>,
    versions: Vec<(u32, Timestamp, String)>,
}

struct FieldRow {
    name: String,
    path: String,
    required: bool,
    definition: String,
    technical: String,
    sensitivity: String,
    tone: Tone,
    basis: String,
}

async fn one(State(registries): State<Registries>, web: Web, Path(code): Path<String>) -> Response {
    let Some(editions) = code
        .parse::<RegistryCode>()
        .ok()
        .and_then(|code| registries.shelf().get(&code))
    else {
        return web.refuse(&none());
    };
    let registry = editions.current();
    let page = titled(&web, &registry);
    let tone = |sensitivity| match sensitivity {
        Sensitivity::Public => Tone::Good,
        Sensitivity::Internal => Tone::Info,
        Sensitivity::Personal => Tone::Warn,
        Sensitivity::Sensitive => Tone::Late,
    };
    let field = |field: &crate::model::Field| FieldRow {
        name: page.text(&field.term.name).to_owned(),
        path: field.path.to_string(),
        required: field.required,
        definition: page.text(&field.term.definition).to_owned(),
        technical: page.text(&field.term.technical).to_owned(),
        sensitivity: page.text(&registry.sensitivity_of(field).label()).to_owned(),
        tone: tone(registry.sensitivity_of(field)),
        basis: field.term.basis.clone(),
    };
    let names = |paths: &[crate::model::FieldPath]| {
        let names = paths.iter().filter_map(|path| registry.field(path));
        let names: Vec<&str> = names.map(|field| page.text(&field.term.name)).collect();
        names.join(", ")
    };
    let days = registry.doubts.answer_days;
    let may_look = web
        .ctx
        .may(Permission::ReadRegistry, &Scope::Agency(registry.steward.to_string()));
    let keeps = web
        .ctx
        .may(Permission::KeepRegistry, &Scope::Agency(registry.steward.to_string()));
    let made = One {
        pairs: keeps.then(|| format!("/registries/{}/pairs", registry.code)),
        files: (keeps && registry.duplicates.is_some()).then(|| format!("/registries/{}/files", registry.code)),
        queue: keeps.then(|| format!("/registries/{}/queue", registry.code)),
        steward: keeper(&registries, &registry, &web),
        look: may_look.then(|| format!("/registries/{}/record", registry.code)),
        basis: registry
            .basis
            .iter()
            .map(|b| format!("{}, {}", b.text, b.article))
            .collect::<Vec<_>>()
            .join("; "),
        key: names(&registry.key),
        doubts: match page.lang {
            base::Lang::Vi => format!("{days} ngày làm việc"),
            base::Lang::En => format!("{days} working days"),
        },
        fields: registry.fields.iter().map(field).collect(),
        services: registry
            .services
            .iter()
            .map(|service| {
                let attributes = service.attributes.iter().map(ToString::to_string);
                let shown: Vec<String> = std::iter::once(names(&service.fields)).chain(attributes).collect();
                let shown: Vec<&str> = shown
                    .iter()
                    .map(String::as_str)
                    .filter(|name| !name.is_empty())
                    .collect();
                (page.text(&service.name).to_owned(), shown.join(", "))
            })
            .collect(),
        versions: editions
            .published()
            .map(|published| {
                (
                    published.registry.version,
                    published.at,
                    published.registry.hash[..16].to_owned(),
                )
            })
            .collect(),
        registry: Arc::clone(&registry),
        page,
    };
    view::html(StatusCode::OK, &made)
}

/// Which record, of when, and why.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub key: String,
    pub purpose: String,
    pub dossier: String,
    pub as_of: String,
    pub known_at: String,
}

/// A doubt about a record that was not taken: what was typed, and what is wrong with it.
pub(crate) struct Refused {
    pub report: Report,
    /// The key under which it is reported once.
    pub form: String,
    pub status: StatusCode,
    pub problems: Problems,
}

#[derive(Template)]
#[template(path = "registry/record.html")]
struct RecordPage {
    page: Page,
    registry: Arc<Registry>,
    asked: Asked,
    purposes: Vec<ui::Choice>,
    /// Whether another time than now is asked for.
    other_time: bool,
    record: Option<Shown>,
}

struct Shown {
    id: String,
    /// One form, one doubt, however often it is sent.
    form: String,
    /// What was typed, after a refusal.
    doubt: Report,
    fields: Vec<ui::Choice>,
    held: String,
    recorded: String,
    source: String,
    rows: Vec<(String, ui::Values)>,
    lines: Vec<Line>,
}

struct Line {
    seq: i64,
    what: &'static str,
    held: String,
    recorded: String,
    from: String,
}

async fn ask(State(registries): State<Registries>, web: Web, Path(code): Path<String>) -> Response {
    match open(&registries, &web.ctx, &code) {
        Ok(registry) => answer(&registries, &web, registry, Asked::default(), Ok(None)),
        Err(error) => web.refuse(&error),
    }
}

async fn look(
    State(registries): State<Registries>,
    web: Web,
    Path(code): Path<String>,
    Form(asked): Form<Asked>,
) -> Response {
    match open(&registries, &web.ctx, &code) {
        Ok(registry) => {
            let found = find(&registries, &web, &registry, &asked).await;
            answer(&registries, &web, registry, asked, found.map(Some))
        }
        Err(error) => web.refuse(&error),
    }
}

/// The record again, for the purpose for which it was looked up, with a doubt about it that was refused.
pub(crate) async fn again(registries: &Registries, web: &Web, code: &str, asked: Asked, refused: Refused) -> Response {
    let registry = match open(registries, &web.ctx, code) {
        Ok(registry) => registry,
        Err(error) => return web.refuse(&error),
    };
    match find(registries, web, &registry, &asked).await {
        Ok(found) => {
            let record = Shown {
                form: refused.form,
                doubt: refused.report,
                ..found
            };
            let mut template = record_page(registries, web, registry, asked, Some(record));
            template.page.problems = refused.problems;
            view::html(refused.status, &template)
        }
        found => answer(registries, web, registry, asked, found.map(Some)),
    }
}

/// The registry, for who may read its records.
fn open(registries: &Registries, ctx: &Ctx, code: &str) -> Result<Arc<Registry>> {
    let editions = code
        .parse::<RegistryCode>()
        .ok()
        .and_then(|code| registries.shelf().get(&code));
    let registry = editions.ok_or_else(none)?.current();
    ctx.require(Permission::ReadRegistry, &Scope::Agency(registry.steward.to_string()))?;
    Ok(registry)
}

fn answer(
    registries: &Registries,
    web: &Web,
    registry: Arc<Registry>,
    asked: Asked,
    found: Result<Option<Shown>>,
) -> Response {
    let (status, record, problems) = match found {
        Ok(record) => (StatusCode::OK, record, Problems::new()),
        Err(Error::Refused(kind, problems)) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            (status, None, problems)
        }
        Err(error) => return web.refuse(&error),
    };
    let mut template = record_page(registries, web, registry, asked, record);
    template.page.problems = problems;
    view::html(status, &template)
}

fn record_page(
    registries: &Registries,
    web: &Web,
    registry: Arc<Registry>,
    asked: Asked,
    record: Option<Shown>,
) -> RecordPage {
    let mut page = titled(web, &registry);
    page.breadcrumbs.push(Link {
        href: format!("/registries/{}", registry.code),
        label: registry.name.clone(),
    });
    page.title = page.t("Tra cứu bản ghi", "Look up a record").to_owned();
    RecordPage {
        purposes: purposes(&page, registries, &registry),
        page,
        registry,
        other_time: !asked.as_of.is_empty() || !asked.known_at.is_empty(),
        asked,
        record,
    }
}

/// What an officer can look for: what the program knows, what the node's configuration adds, and what the registry says has no dossier.
fn purposes(page: &Page, registries: &Registries, registry: &Registry) -> Vec<ui::Choice> {
    let meanings = registries.meanings();
    let others: BTreeSet<&str> = meanings
        .of_node()
        .chain(&registry.without_dossier)
        .map(Code::as_str)
        .collect();
    let all = LOOKED_FOR.into_iter().chain(others);
    all.map(|code| ui::Choice::new(code, page.text(&meanings.of(code))))
        .collect()
}

async fn find(registries: &Registries, web: &Web, registry: &Registry, asked: &Asked) -> Result<Shown> {
    let mut problems = Problems::new();
    let when = Times::typed(&asked.as_of, &asked.known_at, &mut problems).when(registry.valid_time);
    if asked.key.trim().is_empty() {
        problems.add(
            "required",
            "key",
            "Nhập khóa hoặc mã bản ghi.",
            "Enter the key or id of a record.",
        );
    }
    let purpose = match Purpose::read(asked.purpose.trim(), "", asked.dossier.trim()) {
        Ok(purpose) if purpose.suits(registry).is_err() => {
            problems.add(
                "dossier-missing",
                "dossier",
                "Với mục đích này, nhập mã hồ sơ là lý do xem dữ liệu.",
                "For this purpose, enter the code of the dossier for which you look.",
            );
            None
        }
        Ok(purpose) => Some(purpose),
        Err(error) => {
            for problem in error.problems().into_iter().flatten() {
                match (problem.code.as_str(), problem.at.as_str()) {
                    // The words of the API name its headers.
                    ("purpose-missing", _) => problems.add(
                        "purpose-missing",
                        "purpose",
                        "Chọn mục đích xem dữ liệu.",
                        "Choose the purpose for which you look.",
                    ),
                    (code, "X-Road-Issue") => {
                        problems.add(code, "dossier", problem.text.vi.clone(), problem.text.en.clone());
                    }
                    (code, _) => problems.add(code, "purpose", problem.text.vi.clone(), problem.text.en.clone()),
                }
            }
            None
        }
    };
    problems.into_result()?;
    let purpose = purpose.ok_or_else(none)?;
    let key = asked.key.trim();
    let view = registries
        .read(&web.ctx, &purpose, &registry.code, key, when, &Mask::ALL)
        .await?;
    let id = view.id.to_string();
    // All that was known then, of whichever moment.
    let then = When { as_of: None, ..when };
    let (_, versions) = registries
        .history(&web.ctx, &purpose, &registry.code, &id, then, &Mask::ALL)
        .await?;
    let form = crate::quality::doubts::DoubtId::new(web.ctx.now).to_string();
    Ok(shown(&web.page, registry, view, versions, form))
}

/// From when to when something holds, in words.
pub(crate) fn span(page: &Page, counted: ValidTime, from: Moment, to: Option<Moment>) -> String {
    let from = from.display(counted);
    match to {
        Some(to) => {
            let to = to.display(counted);
            format!("{from} – {} {to}", page.t("trước", "before"))
        }
        None => format!("{} {from}", page.t("từ", "since")),
    }
}

/// The name of the agency that keeps a registry, and its code.
pub(crate) fn keeper(registries: &Registries, registry: &Registry, web: &Web) -> ui::Values {
    let today = web.ctx.now.legal_date();
    ui::values([registries.shelf().agency(&registry.steward, today, web.page.lang)])
}

/// The end of a record's id, by which people tell two apart.
pub(crate) fn short(record: Uuid) -> String {
    let id = record.to_string();
    id.rsplit('-').next().unwrap_or_default().to_owned()
}

/// What a body says of a field, for people.
pub(crate) fn values_of(page: &Page, registry: &Registry, field: &Field, body: &Value) -> ui::Values {
    let said = values_at(body, &field.path).into_iter();
    ui::values(said.filter_map(|value| registry.say(field, value, page.lang)))
}

/// `form` is the key under which a doubt is reported once.
fn shown(page: &Page, registry: &Registry, view: RecordView, versions: Vec<VersionView>, form: String) -> Shown {
    let held = |from, to| span(page, registry.valid_time, from, to);
    let fields = registry.fields.iter().filter(|field| field.term.ty != DataType::Group);
    let rows = fields.filter_map(|field| {
        let values = values_of(page, registry, field, &view.body);
        (!values.is_empty()).then(|| (page.text(&field.term.name).to_owned(), values))
    });
    let line = |version: VersionView| Line {
        seq: version.seq,
        what: match version.kind {
            ChangeKind::Assert => page.t("Ghi nhận", "Reported"),
            ChangeKind::Correct => page.t("Đính chính", "Corrected"),
            ChangeKind::End => page.t("Chấm dứt", "Ended"),
            ChangeKind::Erase => page.t("Xóa theo luật", "Erased"),
        },
        held: match version.effect {
            Some(Effect::Holds { from, to }) => held(from, to),
            Some(Effect::Ends { at }) => held(at, None),
            Some(Effect::Void) => page.t("chưa từng có", "was never so").to_owned(),
            None => "–".to_owned(),
        },
        recorded: version.recorded_at.display(),
        from: format!("{}, {}", version.actor, version.source.unwrap_or_default()),
    };
    let choices = registry.fields.iter().filter(|field| field.term.ty != DataType::Group);
    Shown {
        id: view.id.to_string(),
        form,
        doubt: Report::default(),
        fields: choices
            .map(|field| ui::Choice::new(&field.path, page.text(&field.term.name)))
            .collect(),
        held: held(view.valid_from, view.valid_to),
        recorded: view.recorded_at.display(),
        source: format!("{}; {}", view.source, view.basis),
        rows: rows.collect(),
        lines: versions.into_iter().map(line).collect(),
    }
}

fn titled(web: &Web, registry: &Registry) -> Page {
    let mut page = web.titled(&registry.name.vi, &registry.name.en);
    page.breadcrumbs = vec![Link::new("/registries", "Cơ sở dữ liệu", "Registries")];
    page
}

fn none() -> Error {
    Error::not_found("cơ sở dữ liệu", "registry")
}
