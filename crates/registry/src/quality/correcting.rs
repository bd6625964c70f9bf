//! Correcting what a record says today, field by field.

use base::{Error, Kind, Lang, Problems, Result};
use identity::{Ctx, Permission};
use jiff::civil::Date;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Quality;
use crate::{
    history::Effect,
    model::{DataType, Field, FieldPath, Registry, RegistryCode, text_of, values_at},
    service::{Change, Provenance, RecordId, Seen, With, Written},
    store::write,
};

/// What a field is to say; an empty text takes its value away. Of a field of several values they stand with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The field.
    pub field: FieldPath,
    /// Its value, as it is written in a form.
    pub value: String,
    /// The value in whose place it is to stand, wherever the field says it, in lists too; without it the field is to say nothing else.
    pub in_place_of: Option<String>,
}

/// A correction of the version that speaks today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The record.
    pub record: Uuid,
    /// Its newest version, as it was seen.
    pub seen: i64,
    /// What is to be otherwise; at least one field.
    pub edits: Vec<Edit>,
    /// The paper or message that says so.
    pub source: String,
    /// The same correction again has the same key, and one effect.
    pub key: String,
}

impl Quality {
    /// Corrects what a record says today: the version that speaks was wrong in these fields and in no others.
    ///
    /// # Errors
    /// `Invalid` with every problem of the edits and of the body that comes of them; `Forbidden` for who is no steward of the registry's
    /// agency; `Conflict` when somebody else was faster (it says who); `NotFound` where nothing holds today.
    pub async fn correct(&self, ctx: &Ctx, code: &RegistryCode, correction: &Correction) -> Result<Written> {
        let (_, registry) = self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let record = self.record(ctx, code, correction.record).await?;
        let record = record.ok_or_else(|| Error::not_found("bản ghi đang có hiệu lực", "record that holds today"))?;
        let versions = write::versions(&self.registries().store().read(), correction.record).await?;
        let speaks = versions.iter().find(|version| version.seq == record.seq);
        let effect = speaks.and_then(|version| version.entry().transpose()).transpose()?;
        let Some(Effect::Holds { from, to }) = effect.map(|entry| entry.effect) else {
            return Err(Error::internal("a version speaks that holds nothing"));
        };
        let change = Change::Correct {
            record: Seen {
                record: RecordId::from_uuid(correction.record),
                seq: correction.seen,
            },
            corrects: record.seq,
            with: With::Holds {
                from,
                to,
                body: edited(&registry, record.body, &correction.edits, ctx.now.legal_date())?,
            },
        };
        let provenance = Provenance {
            source: correction.source.clone(),
            ..Provenance::default()
        };
        self.registries()
            .write(ctx, code, change, &provenance, &correction.key)
            .await
    }
}

/// A body in which some fields say something else. A commune may be written by its name of `today`, or from before.
pub(super) fn edited(registry: &Registry, mut body: Value, edits: &[Edit], today: Date) -> Result<Value> {
    let mut problems = Problems::new();
    let before = body.clone();
    for edit in edits {
        let at = edit.field.as_str();
        let Some(field) = registry
            .field(&edit.field)
            .filter(|field| field.term.ty != DataType::Group)
        else {
            problems.add(
                "unknown-field",
                at,
                "Cơ sở dữ liệu không có trường này.",
                "The registry has no such field.",
            );
            continue;
        };
        let typed = edit.value.trim();
        let typed = if registry.says_commune(field) && !typed.is_empty() {
            match coded(registry, &before, edits, edit, today, &mut problems) {
                Some(code) => code,
                None => continue,
            }
        } else {
            typed.to_owned()
        };
        let parts: Vec<&str> = edit.field.parts().collect();
        let put = |value: Option<Value>| match (&edit.in_place_of, value) {
            (Some(old), Some(value)) => {
                replace(&mut body, &parts, old, &value);
                true
            }
            (_, value) => put(&mut body, &parts, value),
        };
        let value = match edit.in_place_of {
            Some(_) => one(field, &typed).map(Some),
            None => read(field, &typed),
        };
        match value.map(put) {
            Some(true) => {}
            Some(false) => problems.add(
                "in-a-list",
                at,
                "Trường này nằm trong một danh sách; hãy đính chính cả bản ghi.",
                "This field stands within a list; correct the record as a whole.",
            ),
            None => problems.add(
                "not-a-value",
                at,
                "Giá trị không đúng kiểu của trường.",
                "The value is not of the field's type.",
            ),
        }
    }
    if problems.is_empty() && body == before {
        problems.add(
            "nothing-changed",
            "",
            "Chưa có gì thay đổi so với nội dung hiện tại.",
            "Nothing is different from what is there.",
        );
    }
    problems.into_result()?;
    Ok(body)
}

/// The code of the commune that an edit writes. In the province that stands beside it, edited or not, the title of the one that is there
/// already means that one.
fn coded(
    registry: &Registry,
    before: &Value,
    edits: &[Edit],
    edit: &Edit,
    today: Date,
    problems: &mut Problems,
) -> Option<String> {
    let typed = edit.value.trim();
    let there = |path: &FieldPath| values_at(before, path).first().copied().and_then(text_of);
    let beside = registry.province_beside(&edit.field).map(|field| &field.path);
    let stood = beside.and_then(there);
    let edited = beside.and_then(|path| edits.iter().find(|edit| edit.field == *path));
    let province = edited
        .map(|edit| edit.value.trim().to_owned())
        .or_else(|| stood.clone());
    let is_there = |code: &String| {
        let titled = |lang| {
            registry
                .commune_title(code, today, lang)
                .is_some_and(|title| title == typed)
        };
        province == stood && (titled(Lang::Vi) || titled(Lang::En))
    };
    if let Some(code) = there(&edit.field).filter(is_there) {
        return Some(code);
    }
    registry.commune_meant(&edit.field, typed, province.as_deref(), today, problems)
}

/// The value that a text stands for; `Some(None)` for an empty one.
fn read(field: &Field, text: &str) -> Option<Option<Value>> {
    if text.is_empty() {
        return Some(None);
    }
    let is_list = field.schema.get("type").and_then(Value::as_str) == Some("array");
    if !is_list {
        return one(field, text).map(Some);
    }
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| one(field, item))
        .collect::<Option<Vec<Value>>>()
        .map(|items| Some(Value::Array(items)))
}

/// One value of a field.
fn one(field: &Field, text: &str) -> Option<Value> {
    match field.term.ty.json() {
        "integer" => text.parse::<i64>().ok().map(Value::from),
        "number" => text.parse::<f64>().ok().map(Value::from),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        _ => Some(Value::from(text)),
    }
}

/// Puts a value in the place of another wherever it stands at the end of a way, in each item of a list; a list of values names it once.
fn replace(at: &mut Value, way: &[&str], old: &str, new: &Value) {
    match at {
        Value::Array(items) => {
            for item in items.iter_mut() {
                replace(item, way, old, new);
            }
            if way.is_empty() {
                let mut is_first = true;
                items.retain(|item| item != new || std::mem::take(&mut is_first));
            }
        }
        Value::Object(members) => {
            if let Some((head, rest)) = way.split_first()
                && let Some(below) = members.get_mut(*head)
            {
                replace(below, rest, old, new);
            }
        }
        value if way.is_empty() && text_of(value).as_deref() == Some(old) => new.clone_into(value),
        _ => {}
    }
}

/// Puts a value at a way, or takes it away; false where the way leads through a list.
fn put(body: &mut Value, way: &[&str], value: Option<Value>) -> bool {
    let (Value::Object(members), Some((head, rest))) = (body, way.split_first()) else {
        return false;
    };
    if !rest.is_empty() {
        if value.is_none() && !members.contains_key(*head) {
            return true;
        }
        let below = members
            .entry((*head).to_owned())
            .or_insert_with(|| Value::Object(Map::new()));
        return put(below, rest, value);
    }
    match value {
        Some(value) => members.insert((*head).to_owned(), value),
        None => members.shift_remove(*head),
    };
    true
}

/// A text that somebody has to say, without white space around it.
pub(super) fn said(text: &str, at: &str, longest: usize) -> Result<String> {
    let text = text.trim();
    let mut problems = Problems::new();
    if text.is_empty() {
        problems.add("required", at, "Nhập nội dung này.", "Enter this.");
    }
    check(text, at, longest, &mut problems);
    problems.into_result()?;
    Ok(text.to_owned())
}

/// That a text of people is not too long and has no characters that nobody can see.
pub(super) fn check(text: &str, at: &str, longest: usize, problems: &mut Problems) {
    let unseen = |c: char| c.is_control() && c != '\n' && c != '\r';
    if text.chars().count() > longest || text.chars().any(unseen) {
        problems.add(
            "too-long",
            at,
            format!("Tối đa {longest} ký tự, không có ký tự điều khiển."),
            format!("At most {longest} characters, without control characters."),
        );
    }
}

/// The refusal of one field.
pub(super) fn problem(kind: Kind, code: &str, at: &str, vi: &str, en: &str) -> Error {
    let mut problems = Problems::new();
    problems.add(code, at, vi, en);
    Error::Refused(kind, problems)
}
