//! What a page posts, made into answers: normalised, typed, judged.

use std::collections::{BTreeMap, BTreeSet};

use base::{
    Lang, Problems,
    codes::{PersonNumber, PhoneNumber, TaxCode},
    text::nfc,
};
use serde_json::{Map, Number, Value};

use super::{Answers, Context, Form, Journey, journey::Walk, judge, kind::Kind};

/// The name of the hidden inputs that say which fields a page showed.
pub const SHOWN: &str = "_shown";

/// What came of one posted page.
#[derive(Debug, Clone, Default)]
pub struct PageInput {
    /// Answers to lay over the draft ([`Answers::apply`]); only good ones. `None` takes an answer away.
    pub changes: Vec<(String, Option<Value>)>,
    /// What is wrong, each at its field (or part of it).
    pub problems: Problems,
    /// Fields of this page that its new answers brought up and that the person has not seen: show the page again,
    /// without reproach.
    pub revealed: Vec<String>,
    /// What was typed, to show again.
    pub typed: BTreeMap<String, Vec<String>>,
}

impl PageInput {
    /// What was typed into a control, when the page was posted.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.typed.get(name).and_then(|v| v.first()).map(String::as_str)
    }

    /// Whether the next page may be shown.
    pub fn is_done(&self) -> bool {
        self.problems.is_empty() && self.revealed.is_empty()
    }
}

impl Form {
    /// Reads what the page at place `page` posted, over the answers of the draft. A field is read when it is shown
    /// given the answers before it, the just posted ones among them. Unknown names are ignored: they are buttons and
    /// tokens of the page around the form.
    pub fn parse_page(
        &self,
        page: usize,
        posted: &[(String, String)],
        draft: &Answers,
        ctx: &Context<'_>,
        lang: Lang,
    ) -> PageInput {
        let mut input = PageInput::default();
        for (name, value) in posted.iter().take(2_000) {
            input.typed.entry(name.clone()).or_default().push(value.clone());
        }
        let Some(current) = self.pages.get(page) else {
            return input;
        };
        let seen: BTreeSet<&str> = posted
            .iter()
            .filter(|(n, _)| n == SHOWN)
            .map(|(_, v)| v.as_str())
            .collect();
        let told = posted.iter().any(|(n, _)| n == SHOWN);

        // What earlier pages answered decides what this page asks.
        let before: Journey = self.journey(draft, ctx);
        let mut walk = Walk::new(self, ctx);
        for field in self.pages.iter().take(page).flat_map(|p| &p.fields) {
            if let Some(value) = before.answers.get(&field.id) {
                walk.keep(field, value);
            }
        }
        let mut changes = Vec::new();
        for field in &current.fields {
            if !walk.shown(field.when.as_ref()) {
                continue;
            }
            let (known, origin) = walk.answer(field, None);
            if origin.fixed() {
                if let Some(value) = known {
                    walk.keep(field, &value);
                }
                continue;
            }
            if told && !seen.contains(field.id.as_str()) {
                if draft.get(&field.id).is_none() && walk.required(&field.required) {
                    input.revealed.push(field.id.clone());
                } else if let Some(value) = draft.get(&field.id) {
                    walk.keep(field, value);
                }
                continue;
            }
            let mut problems = Problems::new();
            let reader = Reader {
                typed: &input.typed,
                people: match &field.kind {
                    Kind::PeopleOf(of) => walk.people(of).and_then(Value::as_array),
                    _ => None,
                },
                ctx,
                lang,
            };
            match reader.read(&field.kind, &field.id, &mut problems) {
                Some(value) if problems.is_empty() => {
                    walk.judge(field, &value, &mut problems);
                    if problems.is_empty() {
                        walk.keep(field, &value);
                        changes.push((field.id.clone(), Some(value)));
                    }
                }
                Some(_) => {}
                None => {
                    if walk.required(&field.required) && problems.is_empty() {
                        judge::missing(&field.kind, &field.id, &field.label, &mut problems);
                    }
                    if draft.get(&field.id).is_some() {
                        changes.push((field.id.clone(), None));
                    }
                }
            }
            input.problems.extend(problems);
        }
        input.changes = changes;
        input
    }
}

struct Reader<'a> {
    typed: &'a BTreeMap<String, Vec<String>>,
    /// Of whom some may be ticked.
    people: Option<&'a Vec<Value>>,
    ctx: &'a Context<'a>,
    lang: Lang,
}

impl Reader<'_> {
    /// One line: NFC, white space collapsed. `None` when empty.
    fn line(&self, name: &str) -> Option<String> {
        let text = self.typed.get(name)?.first()?;
        let text = nfc(text).split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    }

    fn part(&self, id: &str, part: &str) -> Option<String> {
        self.line(&format!("{id}.{part}"))
    }

    fn compact(&self, name: &str) -> Option<String> {
        self.line(name).map(|t| {
            t.chars()
                .filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-'))
                .collect()
        })
    }

    /// The posted answer as JSON; `None` when nothing was given. What cannot be read is a problem.
    fn read(&self, kind: &Kind, id: &str, problems: &mut Problems) -> Option<Value> {
        match kind {
            Kind::Text { .. }
            | Kind::PersonName
            | Kind::Email
            | Kind::ResultRef { .. }
            | Kind::Agency
            | Kind::Sex
            | Kind::Ethnicity
            | Kind::Nationality
            | Kind::Choice(_) => self.line(id).map(Value::String),
            Kind::LongText { .. } => {
                let text = nfc(&self.typed.get(id)?.first()?.replace("\r\n", "\n").replace('\r', "\n"));
                let text = text.trim();
                (!text.is_empty()).then(|| Value::from(text))
            }
            Kind::PersonNumber => self.compact(id).map(|t| canonical::<PersonNumber>(&t)),
            Kind::TaxCode => self.line(id).map(|t| canonical::<TaxCode>(&t.replace(' ', ""))),
            Kind::Phone => self.line(id).map(|t| canonical::<PhoneNumber>(&t)),
            Kind::Date { .. } => self.date(id),
            Kind::PartialDate => self.partial_date(id),
            Kind::Integer(_) | Kind::Money(_) | Kind::Decimal(_) | Kind::Area(_) => {
                let text = self.line(id)?;
                let number = decimal(&text);
                if number.is_none() {
                    problems.add(
                        "not-a-number",
                        id,
                        "Chỉ nhập chữ số, ví dụ 1.250 hoặc 72,5.",
                        "Enter digits only, for example 1250 or 72.5.",
                    );
                    return Some(Value::Null);
                }
                number.map(Value::Number)
            }
            Kind::YesNo => self.line(id).map(|t| match t.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(t),
            }),
            Kind::Declaration => self.line(id).filter(|t| t == "true").map(|_| Value::Bool(true)),
            Kind::Choices { .. } => {
                let mut items: Vec<Value> = Vec::new();
                for item in self.typed.get(id).into_iter().flatten().filter(|v| !v.is_empty()) {
                    let item = Value::from(item.as_str());
                    if !items.contains(&item) {
                        items.push(item);
                    }
                }
                (!items.is_empty()).then_some(Value::Array(items))
            }
            // The registry alone tells of people.
            Kind::People => None,
            Kind::PeopleOf(_) => {
                let ticked = self.typed.get(id)?;
                let is_ticked = |one: &&Value| {
                    let number = one.get("person_number").and_then(Value::as_str).unwrap_or_default();
                    ticked.iter().any(|typed| typed == number)
                };
                let people: Vec<Value> = self.people?.iter().filter(is_ticked).cloned().collect();
                (!people.is_empty()).then_some(Value::Array(people))
            }
            Kind::Address => self.place(id, true, problems),
            Kind::Commune => self.place(id, false, problems),
            Kind::LandParcel => self.object(id, &["sheet", "parcel"]),
            Kind::IdDocument => {
                let mut map = match self.object(id, &["kind", "number", "place"]) {
                    Some(Value::Object(map)) => map,
                    _ => Map::new(),
                };
                if let Some(number) = map.get_mut("number")
                    && let Some(text) = number.as_str()
                {
                    *number = Value::String(text.replace(' ', ""));
                }
                if let Some(date) = self.date(&format!("{id}.date")) {
                    map.insert("date".to_owned(), date);
                }
                (!map.is_empty()).then_some(Value::Object(map))
            }
        }
    }

    fn object(&self, id: &str, keys: &[&str]) -> Option<Value> {
        let map: Map<String, Value> = keys
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), Value::String(self.part(id, key)?))))
            .collect();
        (!map.is_empty()).then_some(Value::Object(map))
    }

    /// Three parts, or one text `21/11/2026` or `2026-11-21`. What is no date stays as typed, for the judge to refuse.
    fn date(&self, id: &str) -> Option<Value> {
        let parts = ["day", "month", "year"].map(|part| self.part(id, part));
        if parts.iter().all(Option::is_none) {
            let text = self.line(id)?;
            if judge::iso(&text).is_some() {
                return Some(Value::String(text));
            }
            let parts: Vec<&str> = text.split(['/', '-', '.']).map(str::trim).collect();
            return Some(Value::String(match parts.as_slice() {
                [day, month, year] => joined(day, month, year).unwrap_or(text),
                _ => text,
            }));
        }
        let [day, month, year] = parts.map(Option::unwrap_or_default);
        Some(Value::String(
            joined(&day, &month, &year).unwrap_or_else(|| format!("{day}/{month}/{year}")),
        ))
    }

    fn partial_date(&self, id: &str) -> Option<Value> {
        let [day, month, year] = ["day", "month", "year"].map(|part| self.part(id, part));
        let year = match (day.is_some() || month.is_some(), year) {
            (false, None) => return self.line(id).map(Value::String),
            (true, None) => return Some(Value::String("?".to_owned())),
            (_, Some(year)) => year,
        };
        let text = match (day, month) {
            (None, None) => year,
            (None, Some(month)) => format!("{year}-{month:0>2}"),
            (Some(day), Some(month)) => joined(&day, &month, &year).unwrap_or_else(|| "?".to_owned()),
            (Some(_), None) => "?".to_owned(),
        };
        Some(Value::String(text))
    }

    /// A place: the commune may be typed by its name of today or before the reform of 2025.
    fn place(&self, id: &str, detail: bool, problems: &mut Problems) -> Option<Value> {
        let keys: &[&str] = if detail {
            &["province", "commune", "detail"]
        } else {
            &["province", "commune"]
        };
        let mut place = self.object(id, keys)?;
        let province = place
            .get("province")
            .and_then(Value::as_str)
            .and_then(|code| code.parse().ok());
        let typed = place.get("commune").and_then(Value::as_str).map(str::to_owned);
        if let (Some(province), Some(typed)) = (province, typed)
            && self.ctx.units.resolve(&typed, self.ctx.today).is_none()
        {
            match self
                .ctx
                .units
                .communes_named(&typed, province, self.ctx.today)
                .as_slice()
            {
                [] => {}
                [one] => place["commune"] = Value::String(one.code.to_string()),
                several => {
                    let names = |lang| {
                        several
                            .iter()
                            .take(8)
                            .map(|u| u.title(lang))
                            .collect::<Vec<_>>()
                            .join("; ")
                    };
                    problems.add(
                        "ambiguous-unit",
                        format!("{id}.commune"),
                        format!("Có nhiều đơn vị phù hợp, nhập rõ một tên: {}.", names(Lang::Vi)),
                        format!("Several units match; enter one of: {}.", names(Lang::En)),
                    );
                }
            }
        }
        let _ = self.lang;
        Some(place)
    }
}

/// The canonical text of a code, or what was typed when it is none.
fn canonical<T: std::str::FromStr + std::fmt::Display>(text: &str) -> Value {
    Value::String(
        text.parse::<T>()
            .map_or_else(|_| text.to_owned(), |code| code.to_string()),
    )
}

fn joined(day: &str, month: &str, year: &str) -> Option<String> {
    let text = format!("{year}-{month:0>2}-{day:0>2}");
    judge::iso(&text).map(|_| text)
}

/// A number as people here write it: `1.250`, `1 250`, `72,5`, `1.250,75`; a point that cannot part thousands is a
/// decimal point.
fn decimal(text: &str) -> Option<Number> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    if digits.is_empty() || digits.len() > 30 || !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
    {
        return None;
    }
    let grouped = |t: &str, separator: char| {
        let mut groups = t.split(separator);
        groups.next().is_some_and(|g| (1..=3).contains(&g.len())) && groups.all(|g| g.len() == 3)
    };
    let plain = match (digits.matches(',').count(), digits.matches('.').count()) {
        (0, 0) => digits.to_owned(),
        (1, 0) => digits.replace(',', "."),
        (0, _) if grouped(digits, '.') => digits.replace('.', ""),
        (0, 1) => digits.to_owned(),
        (1, _) => {
            let (whole, fraction) = digits.split_once(',')?;
            if fraction.contains('.') || !grouped(whole, '.') {
                return None;
            }
            format!("{}.{fraction}", whole.replace('.', ""))
        }
        (_, 0) if grouped(digits, ',') => digits.replace(',', ""),
        _ => return None,
    };
    if plain.starts_with('.') || plain.ends_with('.') {
        return None;
    }
    let plain = format!("{sign}{plain}");
    match plain.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => plain.parse::<f64>().ok().and_then(Number::from_f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let read = |text| decimal(text).map(|n| n.to_string());
        for (text, wanted) in [
            ("1250", "1250"),
            ("1.250", "1250"),
            ("1.250.000", "1250000"),
            ("1 250", "1250"),
            ("72,5", "72.5"),
            ("72.5", "72.5"),
            ("1.250,75", "1250.75"),
            ("1,250,000", "1250000"),
            ("-3", "-3"),
        ] {
            assert_eq!(read(text).as_deref(), Some(wanted), "{text}");
        }
        for text in ["", "-", ".", "1.", "1,2,3", "1.2.3", "12a", "1e9", "１２", "1,250.75"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
