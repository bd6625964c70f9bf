//! What a new version of a registry breaks against the one before: for the records that are there, and for those who ask.

use base::Text;
use serde::Serialize;
use serde_json::Value;

use super::{Field, FieldPath, Registry};

/// One thing that a new version breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Break {
    /// A stable name for programs: `field-removed`, `now-required`, `type-narrowed`, `key-changed`, `dossier-required`, `event-changed`.
    pub code: &'static str,
    /// The field, or the part of `registry.toml`.
    pub at: String,
    /// What it is, in both languages.
    #[serde(flatten)]
    pub text: Text,
    /// Whether the migration takes care of it. What breaks only callers ([`Break::of_callers`]) needs none.
    pub migrated: bool,
    /// It breaks those who ask, not the records.
    pub of_callers: bool,
}

/// Everything that `new` breaks against `old`, in the order of the fields.
pub fn between(old: &Registry, new: &Registry) -> Vec<Break> {
    let mut found = Vec::new();
    let migration = new.migration.as_ref().filter(|migration| migration.from == old.version);
    let mut add = |code: &'static str, at: &str, vi: &str, en: &str, migrated: bool, of_callers: bool| {
        found.push(Break {
            code,
            at: at.to_owned(),
            text: Text::new(vi, en),
            migrated,
            of_callers,
        });
    };
    for field in &old.fields {
        let path = &field.path;
        let Some(now) = new.field(path) else {
            // A group that is gone is told by its fields.
            if field.term.ty != super::DataType::Group {
                let migrated = migration.is_some_and(|m| m.leaves(path));
                let (vi, en) = ("Trường không còn nữa.", "The field is gone.");
                add("field-removed", path.as_str(), vi, en, migrated, false);
            }
            continue;
        };
        if narrows(field, now) {
            let migrated = migration.is_some_and(|m| m.sets(path));
            let (vi, en) = (
                "Trường nhận ít giá trị hơn trước: bản ghi cũ có thể không còn hợp lệ.",
                "The field takes fewer values than before: records that are there may not fit.",
            );
            add("type-narrowed", path.as_str(), vi, en, migrated, false);
        }
    }
    for field in new.fields.iter().filter(|field| field.required) {
        let before = old.field(&field.path);
        let in_new_group = || {
            let group = field.path.as_str().rsplit_once('.').map(|(group, _)| group);
            group.is_some_and(|group| old.fields.iter().all(|field| field.path.as_str() != group))
        };
        if before.is_none_or(|before| !before.required) && !in_new_group() {
            let migrated = migration.is_some_and(|m| m.fills(&field.path));
            let (vi, en) = (
                "Trường nay bắt buộc: bản ghi cũ không có.",
                "The field is required now: records that are there lack it.",
            );
            add("now-required", field.path.as_str(), vi, en, migrated, false);
        }
    }
    if old.key != new.key {
        let migrated = migration.is_some_and(|m| m.rekeys);
        let (vi, en) = ("Khóa của bản ghi thay đổi.", "The key of a record is another.");
        add("key-changed", "key", vi, en, migrated, false);
    }
    if old.valid_time != new.valid_time {
        let (vi, en) = (
            "Đơn vị của thời gian hiệu lực không được đổi: hãy lập cơ sở dữ liệu mới.",
            "What validity is counted in cannot change: make another registry.",
        );
        add("valid-time-changed", "valid_time", vi, en, false, false);
    }
    for filter in &old.filters {
        let now = new.filter(&filter.field);
        if now.is_none_or(|now| filter.operators.iter().any(|op| !now.operators.contains(op))) {
            let (vi, en) = ("Bộ lọc bị thu hẹp hoặc bỏ.", "A filter is narrower, or gone.");
            add("filter-removed", filter.field.as_str(), vi, en, false, true);
        }
    }
    for service in &old.services {
        let now = new.services.iter().find(|other| other.id == service.id);
        let shows = |now: &super::Service, path: &FieldPath| now.fields.iter().any(|shown| shown.covers(path));
        let narrower = now.is_none_or(|now| {
            service.fields.iter().any(|path| !shows(now, path))
                || service.operations.iter().any(|op| !now.operations.contains(op))
                || service.attributes.iter().any(|name| !now.attributes.contains(name))
        });
        if narrower {
            let (vi, en) = ("Dịch vụ bị thu hẹp hoặc bỏ.", "A service is narrower, or gone.");
            add("service-removed", service.id.as_str(), vi, en, false, true);
        }
    }
    for purpose in old.without_dossier.difference(&new.without_dossier) {
        let (vi, en) = (
            "Mục đích này nay phải nêu mã hồ sơ.",
            "For this purpose a dossier has to be named now.",
        );
        add("dossier-required", purpose.as_str(), vi, en, false, true);
    }
    found
}

/// Whether some value that `old` takes may be refused by `new`. Doubt counts as yes: a pattern is another pattern.
fn narrows(old: &Field, new: &Field) -> bool {
    let (a, b) = (&old.schema, &new.schema);
    old.many != new.many
        || old.term.ty != new.term.ty
        || old.term.identifier != new.term.identifier && new.term.identifier.is_some()
        || old.term.list != new.term.list && new.term.list.is_some()
        || schema_narrows(a, b)
        || matches!((a.get("items"), b.get("items")), (Some(a), Some(b)) if schema_narrows(a, b))
}

fn schema_narrows(a: &Value, b: &Value) -> bool {
    let number = |schema: &Value, key: &str| schema.get(key).and_then(Value::as_f64);
    let grew = |key: &str| number(b, key) > number(a, key);
    let shrank = |key: &str| match (number(a, key), number(b, key)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(a), Some(b)) => b < a,
    };
    let another = |key: &str| b.get(key).is_some() && a.get(key) != b.get(key);
    let lost_a_value = || {
        let values = |schema: &Value| schema.get("enum").and_then(Value::as_array).cloned();
        match (values(a), values(b)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(a), Some(b)) => a.iter().any(|value| !b.contains(value)),
        }
    };
    ["minLength", "minimum", "minItems", "exclusiveMinimum"]
        .into_iter()
        .any(grew)
        || ["maxLength", "maximum", "maxItems", "exclusiveMaximum"]
            .into_iter()
            .any(shrank)
        || ["pattern", "format", "const", "multipleOf", "uniqueItems"]
            .into_iter()
            .any(another)
        || a.get("type") != b.get("type")
        || lost_a_value()
}
