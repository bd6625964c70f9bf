//! The list of GovStack's Data API: pages by their numbers, an order, and how many records match.

use axum::Json;
use base::{Problems, Result};
use identity::ApiError;
use serde_json::{Value, json};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{super::params::Asking, Call, MOST, shown};
use crate::{
    model::{FieldPath, Filter, Operator, Registry},
    service::{Asked, Query, Sort, Times},
};

/// Records of a page where the caller does not say.
const USUAL: u32 = 10;
/// Its parameters, in both spellings, beside the fields that it is asked by.
const NAMES: [&str; 8] = [
    "search",
    "filter",
    "ordering",
    "page",
    "page_size",
    "pageSize",
    "as_of",
    "known_at",
];
/// What begins the name of a field that it is asked by.
const FIELD: &str = "query.";

/// What is asked: of which records, in which order, and which page.
struct Listing {
    query: Query,
    page: u32,
}

pub(super) async fn list(call: Call, asking: Asking) -> Result<Json<Value>, ApiError> {
    let Listing { query, page } = read(&asking, &call.registry)?;
    let found = call
        .registries
        .numbered(&call.ctx, &call.purpose, &call.registry.code, &query, page)
        .await?;
    let base = format!(
        "{}/govstack/data/{}/{}",
        call.registries.public_url(),
        call.registry.code,
        encoded(&call.version)
    );
    let last = found.count.div_ceil(query.limit).max(1);
    let address = |page: u32| address(&base, &asking, page);
    let mut answer = json!({
        "count": found.count,
        "next": (page < last).then(|| address(page + 1)),
        "previous": (page > 1).then(|| address(last.min(page - 1))),
        "results": found.items.into_iter().map(shown).collect::<Vec<_>>(),
    });
    if found.is_cut {
        answer["count_is_lower_bound"] = Value::from(true);
    }
    Ok(Json(answer))
}

/// Reads the parameters; every problem at once.
fn read(asking: &Asking, registry: &Registry) -> Result<Listing> {
    let fields = asking
        .pairs()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(FIELD));
    asking.only(&NAMES.into_iter().chain(fields).collect::<Vec<_>>())?;
    let mut problems = Problems::new();
    let text = |name| asking.get(name).unwrap_or_default();
    let times = Times::read(text("as_of"), text("known_at"), &mut problems);
    let page = number(asking, "page", 1, u32::MAX, &mut problems);
    let size = match asking.get("pageSize") {
        Some(_) => "pageSize",
        None => "page_size",
    };
    let limit = number(asking, size, USUAL, MOST, &mut problems);
    if asking.get("pageSize").and(asking.get("page_size")).is_some() {
        problems.add(
            "parameter-twice",
            "pageSize",
            "pageSize và page_size là một; chỉ ghi một lần.",
            "pageSize and page_size are one; it stands once.",
        );
    }
    let sort = asking
        .get("ordering")
        .and_then(|text| ordering(text, asking.get("filter"), registry, &mut problems));
    let asked = conditions(asking, &mut problems);
    problems.into_result()?;
    let query = Query {
        asked,
        sort,
        when: times.when(registry.valid_time),
        limit,
        ..Query::default()
    };
    Ok(Listing { query, page })
}

/// A whole number from 1 to the greatest.
fn number(asking: &Asking, name: &str, usual: u32, greatest: u32, problems: &mut Problems) -> u32 {
    let Some(text) = asking.get(name) else { return usual };
    let number = text.parse().ok().filter(|number| (1..=greatest).contains(number));
    number.unwrap_or_else(|| {
        let (vi, en) = match greatest {
            u32::MAX => (
                format!("{name} là số nguyên từ 1."),
                format!("{name} is a whole number from 1 on."),
            ),
            greatest => (
                format!("{name} là số nguyên từ 1 đến {greatest}."),
                format!("{name} is a whole number from 1 to {greatest}."),
            ),
        };
        problems.add("not-a-number", name, vi, en);
        usual
    })
}

/// `name`, or `-name` from the greatest. The example in the text of the API is the word `descending` alone: then it is the field that
/// `filter` names.
fn ordering(text: &str, filter: Option<&str>, registry: &Registry, problems: &mut Problems) -> Option<Sort> {
    let (name, descending) = match (text, filter) {
        ("ascending", Some(filter)) => (filter, false),
        ("descending", Some(filter)) => (filter, true),
        _ => (text.strip_prefix('-').unwrap_or(text), text.starts_with('-')),
    };
    let offered: Vec<&FieldPath> = registry
        .filters
        .iter()
        .filter(|filter| sorts(registry, filter))
        .map(|filter| &filter.field)
        .collect();
    let field = offered.iter().find(|field| field.as_str() == name);
    if field.is_none() {
        let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
        let names = offered
            .iter()
            .map(|field| field.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        problems.add(
            "cannot-sort",
            "ordering",
            format!("Không sắp xếp được theo “{name}”. Các trường sắp xếp được: {names}."),
            format!("“{name}” cannot be sorted by. These can: {names}."),
        );
    }
    field.map(|field| Sort {
        field: (*field).clone(),
        descending,
    })
}

/// Whether records have one place each in the order of a field.
fn sorts(registry: &Registry, filter: &Filter) -> bool {
    filter.sorts() && registry.field(&filter.field).is_some_and(|field| !field.many)
}

/// The values that are asked for: of `query.<field>`, and `search` of the field that `filter` names.
fn conditions(asking: &Asking, problems: &mut Problems) -> Vec<Asked> {
    let fields = asking
        .pairs()
        .filter_map(|(name, value)| Some((name.strip_prefix(FIELD)?, value)));
    let mut wanted: Vec<(&str, &str)> = fields.collect();
    let names_order = matches!(asking.get("ordering"), Some("ascending" | "descending"));
    match (asking.get("filter"), asking.get("search")) {
        (Some(field), Some(value)) => wanted.push((field, value)),
        (None, Some(_)) => problems.add(
            "required",
            "filter",
            "search cần filter: tên trường được tìm.",
            "search needs filter: the name of the field that is searched.",
        ),
        (Some(_), None) if !names_order => problems.add(
            "required",
            "search",
            "filter cần search: giá trị cần tìm.",
            "filter needs search: the value that is looked for.",
        ),
        _ => {}
    }
    let mut asked = Vec::with_capacity(wanted.len());
    for (name, value) in wanted {
        match name.parse() {
            Ok(field) => asked.push(Asked {
                field,
                operator: Operator::Eq,
                value: Some(value.to_owned()),
                upto: None,
            }),
            Err(error) => base::codes::CodeError::add_to(error, problems, "query"),
        }
    }
    asked
}

/// Another page of the same question.
fn address(base: &str, asking: &Asking, page: u32) -> String {
    let mut parameters = Serializer::new(String::new());
    parameters.extend_pairs(asking.pairs().filter(|(name, _)| *name != "page"));
    parameters.append_pair("page", &page.to_string());
    format!("{base}?{}", parameters.finish())
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
