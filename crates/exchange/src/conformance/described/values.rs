//! How values are written: codes, dates, money, languages, bounds.

use base::Text;
use serde_json::{Value, json};

use crate::conformance::{
    description::{Description, Field, Judge, Operation, Side, is_type, types},
    dictionary::{Known, Shape, look_up, parts_of},
    rules::Rule,
    sheet::Sheet,
};

pub(super) async fn check(description: &Description, judge: &mut Judge, sheet: &mut Sheet) {
    for field in &description.fields {
        let Some((at, gist)) = description.gist(&field.schema) else {
            continue;
        };
        let is_closed = gist.get("enum").is_some() || gist.get("const").is_some();
        if !is_closed {
            codes(field, gist, judge, sheet).await;
            date(field, gist, &at, sheet);
        }
        money(field, gist, sheet);
        language(field, gist, sheet);
    }
    bounds(description, sheet);
}

/// A code is judged by what its schema does, not by how its pattern is written.
async fn codes(field: &Field, gist: &Value, judge: &mut Judge, sheet: &mut Sheet) {
    let Some(Known::Common(word) | Known::Otherwise(word)) = look_up(&field.name) else {
        return;
    };
    let Some(shape) = word.shape.filter(|shape| *shape != Shape::Date) else {
        return;
    };
    // An object or list of that name is not the code itself.
    if ["object", "array", "boolean"].iter().any(|other| is_type(gist, other)) {
        return;
    }
    let mut wrong = None;
    for text in shape.good() {
        if !judge.takes(&field.schema, &json!(text)).await {
            wrong = Some(Text::new(
                format!("Lược đồ của “{}” từ chối mã đúng “{text}”.", field.name),
                format!("The schema of “{}” refuses the good code “{text}”.", field.name),
            ));
            break;
        }
    }
    for text in shape.bad() {
        if wrong.is_none() && judge.takes(&field.schema, &json!(text)).await {
            wrong = Some(Text::new(
                format!("Lược đồ của “{}” nhận mã sai “{text}”; thêm pattern.", field.name),
                format!(
                    "The schema of “{}” takes the malformed code “{text}”; add a pattern.",
                    field.name
                ),
            ));
        }
    }
    let kept = wrong.is_none();
    sheet.judge(Rule::IdentifierPattern, kept, &field.pointer, || {
        wrong.unwrap_or_default()
    });
}

/// What the name of a field says about time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Temporal {
    Date,
    Instant,
    Either,
}

fn temporal(name: &str) -> Option<Temporal> {
    let parts = parts_of(name);
    let last = parts.last()?.as_str();
    let first = parts.first()?.as_str();
    match (first, last) {
        (_, "date" | "ngay" | "birthday" | "dob") | ("ngay", _) => Some(Temporal::Date),
        (_, "at" | "timestamp" | "datetime") if parts.len() > 1 || last != "at" => Some(Temporal::Instant),
        (_, "since" | "until" | "before" | "after" | "expires" | "created" | "updated" | "modified" | "issued") => {
            Some(Temporal::Either)
        }
        _ => None,
    }
}

fn date(field: &Field, gist: &Value, at: &str, sheet: &mut Sheet) {
    let format = gist.get("format").and_then(Value::as_str);
    let by_name = temporal(&field.name).filter(|named| {
        // `after` is also what a page begins after, `issued` also a flag: only texts and numbers with a time's name count.
        let scalar = is_type(gist, "string") || is_type(gist, "integer") || is_type(gist, "number");
        scalar && (*named != Temporal::Either || format.is_some() || is_type(gist, "integer") && field.name != "after")
    });
    let wanted = match (by_name, format) {
        (None, Some("date" | "date-time")) => {
            sheet.kept(Rule::DateFormat);
            return;
        }
        (None, _) => return,
        (Some(named), _) => named,
    };
    let good = is_type(gist, "string")
        && match wanted {
            Temporal::Date => format == Some("date") || is_partial(gist),
            Temporal::Instant => format == Some("date-time"),
            Temporal::Either => matches!(format, Some("date" | "date-time")),
        };
    sheet.judge(Rule::DateFormat, good, &field.pointer, || {
        let (name, format) = (&field.name, if wanted == Temporal::Date { "date" } else { "date-time" });
        let said = format!(
            "{}{}",
            types(gist).join(", "),
            gist.get("format").map(|f| format!(", {f}")).unwrap_or_default()
        );
        Text::new(
            format!("“{name}” phải là chuỗi với format: {format}, không phải ({said}) như ở #{at}."),
            format!("“{name}” has to be a string with format: {format}, not ({said}) as at #{at}."),
        )
    });
}

/// A date of which only the year, or year and month, may be known, as the forms have it.
fn is_partial(gist: &Value) -> bool {
    let pattern = gist.get("pattern").and_then(Value::as_str);
    pattern.is_some_and(|pattern| pattern.contains("{4}") && pattern.contains("{2}"))
}

/// The last words of names that mean an amount of money.
const MONEY: [&str; 9] = [
    "amount", "fee", "fees", "price", "cost", "vnd", "dong", "salary", "fine",
];
const MONEY_VI: [[&str; 2]; 4] = [["so", "tien"], ["le", "phi"], ["thanh", "tien"], ["don", "gia"]];

fn money(field: &Field, gist: &Value, sheet: &mut Sheet) {
    let parts = parts_of(&field.name);
    let ends = |pair: &[&str; 2]| parts.ends_with(&[pair[0].to_owned(), pair[1].to_owned()]);
    let named = parts.last().is_some_and(|last| MONEY.contains(&last.as_str())) || MONEY_VI.iter().any(ends);
    let scalar = ["string", "number", "integer"]
        .iter()
        .any(|scalar| is_type(gist, scalar));
    if !named || !scalar || gist.get("enum").is_some() {
        return;
    }
    let good = is_type(gist, "integer") && !is_type(gist, "number") && gist.get("format") != Some(&json!("int32"));
    sheet.judge(Rule::MoneyWhole, good, &field.pointer, || {
        Text::new(
            format!(
                "“{}” là số tiền nên phải là type: integer, format: int64 (đồng).",
                field.name
            ),
            format!(
                "“{}” is money and has to be type: integer, format: int64 (đồng).",
                field.name
            ),
        )
    });
}

fn language(field: &Field, gist: &Value, sheet: &mut Sheet) {
    let parts = parts_of(&field.name);
    let named = matches!(parts.last().map(String::as_str), Some("language" | "lang" | "locale"));
    if !named || !is_type(gist, "string") {
        return;
    }
    let tags = gist.get("enum").and_then(Value::as_array);
    let good =
        tags.is_some_and(|tags| tags.iter().filter_map(Value::as_str).all(is_tag) && tags.contains(&json!("vi")));
    sheet.judge(Rule::LanguageTag, good, &field.pointer, || {
        Text::new(
            format!("“{}” nên có enum các thẻ BCP 47, trong đó có vi.", field.name),
            format!("“{}” should have an enum of BCP 47 tags, `vi` among them.", field.name),
        )
    });
}

fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|c| c.is_ascii_lowercase())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric()))
}

/// What a caller sends is bounded.
fn bounds(description: &Description, sheet: &mut Sheet) {
    let parameters = description
        .fields
        .iter()
        .filter(|field| matches!(field.side, Side::Parameter(_)));
    for field in parameters {
        bounded(description, &field.schema, &field.name, sheet);
    }
    for body in description.operations.iter().filter_map(json_body) {
        let Some((at, gist)) = description.gist(body) else {
            continue;
        };
        for (name, pointer) in description.properties(body) {
            bounded(description, &pointer, &name, sheet);
        }
        if is_type(gist, "object") || gist.get("properties").is_some() {
            let closed = ["additionalProperties", "unevaluatedProperties"]
                .iter()
                .any(|key| gist.get(*key) == Some(&Value::Bool(false)));
            sheet.judge(Rule::BodyClosed, closed, &at, || {
                Text::new(
                    "Thêm additionalProperties: false để trường viết sai tên không bị bỏ qua.",
                    "Add additionalProperties: false, so that a misspelt field is not lost.",
                )
            });
        }
    }
}

fn bounded(description: &Description, schema: &str, name: &str, sheet: &mut Sheet) {
    let Some((_, gist)) = description.gist(schema).filter(|(_, gist)| is_type(gist, "string")) else {
        return;
    };
    let good = ["maxLength", "enum", "const", "format", "pattern"]
        .iter()
        .any(|key| gist.get(*key).is_some());
    sheet.judge(Rule::TextBounded, good, schema, || {
        Text::new(
            format!("Chuỗi “{name}” dài bao nhiêu cũng được; thêm maxLength hoặc pattern."),
            format!("The text “{name}” may be of any length; add maxLength or a pattern."),
        )
    });
}

/// The schema of a JSON request body.
fn json_body(operation: &Operation) -> Option<&str> {
    let content = operation.body.iter().find(|content| content.is_json())?;
    content.schema.as_deref()
}
