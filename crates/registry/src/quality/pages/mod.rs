//! The pages of quality: the queue of a steward, a finding beside its record.

mod attached;
mod batches;
mod doubts;
mod far;
mod figures;
mod mine;
mod queue;
mod samples;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    routing::{get, post},
};
use base::{Error, Kind, Problems, Result};
use identity::Web;
use view::{
    Link, NavItem, Page,
    ui::{Tone, Values},
};

use super::{
    Quality,
    doubts::{Doubt, DoubtState},
};
use crate::{
    model::{DataType, Field, FieldPath, Registry, RegistryCode, text_of, values_at},
    pages::values_of,
    service::Registries,
};

/// The routes.
pub fn router(quality: Quality) -> Router {
    let with_files = Router::new()
        .route("/registries/{code}/doubts/{id}", get(doubts::one).post(doubts::act))
        .route("/my/records/{code}/{record}/{field}", get(mine::ask).post(mine::say))
        .route(
            "/my/records/elsewhere/{code}/{record}/{field}",
            get(far::ask).post(far::say),
        )
        .route("/my/doubts/{id}", get(mine::doubt).post(mine::answer))
        .route("/my/doubts/elsewhere/{code}/{id}", get(far::doubt).post(far::answer))
        .layer(DefaultBodyLimit::max(attached::LARGEST_FORM));
    Router::new()
        .route("/registries/{code}/queue", get(queue::show).post(queue::judge_all))
        .route("/registries/{code}/findings/{id}", get(queue::one).post(queue::act))
        .route("/registries/{code}/doubts", get(doubts::list).post(doubts::report))
        .route("/registries/{code}/doubts/{id}/files/{file}", get(doubts::file))
        .route("/registries/{code}/batches", get(batches::show).post(batches::act))
        .route("/registries/{code}/samples", get(samples::list).post(samples::draw))
        .route(
            "/registries/{code}/samples/{id}",
            get(samples::one).post(samples::judge),
        )
        .route("/publication/registries", get(figures::show))
        .route("/my/records", get(mine::all))
        .route("/my/records/seen", post(mine::seen))
        .route("/my/doubts/{id}/files/{file}", get(mine::file))
        .merge(with_files)
        .with_state(quality)
}

fn registry(registries: &Registries, code: &str) -> Result<Arc<Registry>> {
    let code = code.parse::<RegistryCode>().ok();
    let editions = code.and_then(|code| registries.shelf().get(&code));
    let editions = editions.ok_or_else(|| Error::not_found("cơ sở dữ liệu", "registry"))?;
    Ok(editions.current())
}

/// A page below that of a registry.
fn below(web: &Web, registry: &Registry, vi: &str, en: &str) -> Page {
    let mut page = web.titled(vi, en);
    page.breadcrumbs = vec![
        Link::new("/registries", "Cơ sở dữ liệu", "Registries"),
        Link {
            href: format!("/registries/{}", registry.code),
            label: registry.name.clone(),
        },
    ];
    page
}

/// A field that says something, its name, and what it says.
type Said = (FieldPath, String, Values);

/// The fields of a record that say something.
fn rows(page: &Page, registry: &Registry, body: &serde_json::Value) -> Vec<Said> {
    let fields = registry.fields.iter().filter(|field| field.term.ty != DataType::Group);
    fields
        .filter_map(|field| {
            let values = values_of(page, registry, field, body);
            (!values.is_empty()).then(|| (field.path.clone(), page.text(&field.term.name).to_owned(), values))
        })
        .collect()
}

/// What a body says of a field, as it is kept: for the input of a form.
fn shown(body: &serde_json::Value, field: &Field) -> String {
    let values = values_at(body, &field.path).into_iter().filter_map(text_of);
    values.collect::<Vec<_>>().join(", ")
}

/// Whether a field stands in the items of a list.
fn within_a_list(registry: &Registry, path: &FieldPath) -> bool {
    let is_list = |field: &&Field| field.term.ty == DataType::Group && field.many;
    registry
        .fields
        .iter()
        .filter(is_list)
        .any(|list| list.path.covers(path))
}

/// What a steward has to do, and what came of it.
fn tabs(registry: &Registry, current: &str) -> Vec<NavItem> {
    let tab = |name: &str, vi: &str, en: &str| {
        NavItem::new(format!("/registries/{}/{name}", registry.code), vi, en, name == current)
    };
    vec![
        tab("queue", "Vi phạm quy tắc", "Findings"),
        tab("batches", "Chuẩn hóa theo lô", "Standard forms"),
        tab("doubts", "Phản ánh sai lệch", "Doubts"),
        tab("samples", "Kiểm tra mẫu", "Samples"),
    ]
}

/// How a doubt stands, in a word, and how grave that is.
fn standing(page: &Page, doubt: &Doubt, now: base::Timestamp) -> (String, Tone) {
    if doubt.is_overdue(now) {
        return (page.t("Quá hạn", "Overdue").to_owned(), Tone::Late);
    }
    (page.text(&doubt.state.label()).to_owned(), tone(doubt.state))
}

/// How grave it is that a doubt stands so.
const fn tone(state: DoubtState) -> Tone {
    match state {
        DoubtState::Received | DoubtState::Asked => Tone::Warn,
        DoubtState::Acknowledged => Tone::Info,
        DoubtState::Upheld => Tone::Good,
        DoubtState::Refused | DoubtState::Withdrawn => Tone::Neutral,
    }
}

/// The name of a field.
fn name_of(page: &Page, registry: &Registry, path: &FieldPath) -> String {
    let field = registry.field(path);
    field.map_or_else(|| path.to_string(), |field| page.text(&field.term.name).to_owned())
}

/// A value of a form.
fn posted<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    let found = form.iter().find(|(other, _)| other == name);
    found.map_or("", |(_, value)| value.as_str())
}

/// The status of the page that says what is wrong, and what that is; other errors answer for themselves.
fn problems_of(error: Error) -> Result<(StatusCode, Problems)> {
    match error {
        Error::Refused(kind @ (Kind::Invalid | Kind::Conflict | Kind::Unavailable | Kind::TooLarge), problems) => {
            Ok((status_of(kind), problems))
        }
        error => Err(error),
    }
}

fn status_of(kind: Kind) -> StatusCode {
    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
}
