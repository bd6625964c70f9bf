//! The officer's fields, checked before anything moves.

use base::{Problems, Timestamp};
use serde_json::{Map, Value};

use super::super::model::{FieldKind, UserTask};

const MOST_TEXT: usize = 500;
const MOST_LONG_TEXT: usize = 10_000;

/// The fields of a task as they will be stored: known, of their type, the required ones filled.
pub(super) fn accept(
    task: &UserTask,
    outcome: &str,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Problems> {
    let mut problems = Problems::new();
    let mut kept = Map::new();
    for name in given.keys() {
        if !task.fields.iter().any(|f| f.id == *name) {
            problems.add(
                "unknown-field",
                name.as_str(),
                "Bước này không có trường thông tin này.",
                "This step has no such field.",
            );
        }
    }
    for field in &task.fields {
        let value = given
            .get(&field.id)
            .filter(|v| !v.is_null() && v.as_str().is_none_or(|s| !s.trim().is_empty()));
        let (vi, en) = (&field.label.vi, field.label.get(base::Lang::En));
        match value {
            // A value for another outcome was typed before the mind was changed: it is dropped.
            Some(_) | None if !field.belongs_to(outcome) => {}
            None if field.required => {
                problems.add(
                    "required",
                    field.id.as_str(),
                    format!("Vui lòng nhập “{vi}”."),
                    format!("Enter “{en}”."),
                );
            }
            None => {}
            Some(value) => match wrong(&field.kind, value) {
                None => {
                    kept.insert(field.id.clone(), value.clone());
                }
                Some((code, why_vi, why_en)) => {
                    problems.add(
                        code,
                        field.id.as_str(),
                        format!("“{vi}” {why_vi}."),
                        format!("“{en}” {why_en}."),
                    );
                }
            },
        }
    }
    if problems.is_empty() { Ok(kept) } else { Err(problems) }
}

fn wrong(kind: &FieldKind, value: &Value) -> Option<(&'static str, &'static str, &'static str)> {
    let text = |most: usize| match value.as_str() {
        None => Some(("not-a-text", "phải là văn bản", "must be text")),
        Some(s) if s.chars().count() > most => Some(("too-long", "dài quá mức cho phép", "is too long")),
        Some(_) => None,
    };
    match kind {
        FieldKind::Text | FieldKind::File => text(MOST_TEXT),
        FieldKind::LongText => text(MOST_LONG_TEXT),
        FieldKind::Date => {
            let date = |s: &str| {
                s.len() == 10 && s.is_ascii() && Timestamp::parse_rfc3339(&format!("{s}T00:00:00+07:00")).is_some()
            };
            (!value.as_str().is_some_and(date)).then_some((
                "not-a-date",
                "phải là một ngày có thật, dạng năm-tháng-ngày",
                "must be a real date, as year-month-day",
            ))
        }
        FieldKind::Number => (!value.is_number()).then_some(("not-a-number", "phải là số", "must be a number")),
        FieldKind::YesNo => {
            (!value.is_boolean()).then_some(("not-yes-no", "phải là có hoặc không", "must be yes or no"))
        }
        FieldKind::Choice(options) => (!value.as_str().is_some_and(|s| options.iter().any(|o| o.value == s)))
            .then_some((
                "not-an-option",
                "phải là một trong các lựa chọn",
                "must be one of the options",
            )),
    }
}
