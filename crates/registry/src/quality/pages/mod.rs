//! The pages of quality: the queue of a steward, a finding beside its record.

mod queue;

use std::sync::Arc;

use axum::{Router, routing::get};
use base::{Error, Result};
use identity::Web;
use view::{Link, NavItem, Page};

use super::Quality;
use crate::{
    model::{DataType, Field, FieldPath, Registry, RegistryCode, text_of, values_at},
    service::Registries,
};

/// The routes.
pub fn router(quality: Quality) -> Router {
    Router::new()
        .route("/registries/{code}/queue", get(queue::show).post(queue::judge_all))
        .route("/registries/{code}/findings/{id}", get(queue::one).post(queue::act))
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

/// The fields of a record that say something, with their names.
fn rows(page: &Page, registry: &Registry, body: &serde_json::Value) -> Vec<(FieldPath, String, String)> {
    let fields = registry.fields.iter().filter(|field| field.term.ty != DataType::Group);
    fields
        .filter_map(|field| {
            let text = shown(body, field);
            (!text.is_empty()).then(|| (field.path.clone(), page.text(&field.term.name).to_owned(), text))
        })
        .collect()
}

/// What a body says of a field, for people and for the input of a form.
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
    vec![tab("queue", "Vi phạm quy tắc", "Findings")]
}
