//! Answers as people read them: check-your-answers, the officer's view, documents.

use std::collections::BTreeMap;

use base::{Lang, Text, codes::PhoneNumber};
use serde_json::Value;

use super::{
    Answers, Context, Field, FieldSource, Form, Journey, Origin, Standing, judge,
    kind::{ID_KINDS, Kind, RELATIONS, SEXES},
    lists,
};

/// One page of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummarySection {
    /// Id of the page: where the answers can be changed.
    pub page: String,
    /// Heading.
    pub title: String,
    /// Its answers.
    pub rows: Vec<SummaryRow>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// Field id.
    pub id: String,
    /// The question.
    pub label: String,
    /// The answer; empty when there is none.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What the registry holds, where the person says that it is wrong.
    pub held: Option<String>,
}

/// What a registry holds of a field, where the person says that it is wrong.
pub(super) fn held(field: &Field, ctx: &Context<'_>, lang: Lang) -> Option<String> {
    let FieldSource::Registry(attribute) = &field.source else {
        return None;
    };
    match ctx.facts.standing(attribute) {
        Standing::Doubted(value) => Some(display(&field.kind, value, ctx, lang)),
        _ => None,
    }
}

impl Form {
    /// The answers of a journey, page by page.
    pub fn summary(&self, journey: &Journey, ctx: &Context<'_>, lang: Lang) -> Vec<SummarySection> {
        journey
            .pages
            .iter()
            .filter_map(|state| {
                let page = self.pages.get(state.page)?;
                let rows = state
                    .fields
                    .iter()
                    .filter_map(|f| Some((page.fields.get(f.field)?, f.origin)))
                    .map(|(field, origin)| SummaryRow {
                        id: field.id.clone(),
                        label: field.label.get(lang).to_owned(),
                        value: journey
                            .answers
                            .get(&field.id)
                            .map_or_else(String::new, |v| display(&field.kind, v, ctx, lang)),
                        origin,
                        held: held(field, ctx, lang),
                    })
                    .collect();
                Some(SummarySection {
                    page: page.id.clone(),
                    title: page.title.get(lang).to_owned(),
                    rows,
                })
            })
            .collect()
    }

    /// Every answer as text by field id, for documents.
    pub fn display(&self, answers: &Answers, ctx: &Context<'_>, lang: Lang) -> BTreeMap<String, String> {
        self.fields()
            .filter_map(|field| {
                Some((
                    field.id.clone(),
                    display(&field.kind, answers.get(&field.id)?, ctx, lang),
                ))
            })
            .collect()
    }
}

/// One answer as text. What does not fit the type is shown as it is.
pub fn display(kind: &Kind, value: &Value, ctx: &Context<'_>, lang: Lang) -> String {
    let text = value.as_str();
    let part = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("");
    match kind {
        Kind::YesNo => lang
            .t(
                if value == &Value::Bool(true) { "Có" } else { "Không" },
                if value == &Value::Bool(true) { "Yes" } else { "No" },
            )
            .to_owned(),
        Kind::Declaration => lang.t("Đã xác nhận", "Confirmed").to_owned(),
        Kind::Date { .. } => text.map_or_else(String::new, day),
        Kind::PartialDate => text.map_or_else(String::new, |t| {
            let mut parts: Vec<&str> = t.split('-').collect();
            parts.reverse();
            parts.join("/")
        }),
        Kind::Sex => named(&SEXES, text, lang),
        Kind::Ethnicity => listed(lists::ethnicities(), text, lang),
        Kind::Nationality => listed(lists::countries(), text, lang),
        Kind::Choice(options) => options
            .iter()
            .find(|o| Some(o.value.as_str()) == text)
            .map_or_else(|| text.unwrap_or("").to_owned(), |o| o.label.get(lang).to_owned()),
        Kind::Choices { options, .. } => value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|v| options.iter().find(|o| o.value == v).map_or(v, |o| o.label.get(lang)))
            .collect::<Vec<_>>()
            .join("; "),
        Kind::Phone => text.map_or_else(String::new, |t| {
            t.parse::<PhoneNumber>().map_or_else(|_| t.to_owned(), |p| p.national())
        }),
        Kind::Integer(_) => number(value, lang),
        Kind::Decimal(_) => number(value, lang),
        Kind::Money(_) => format!("{} {}", number(value, lang), lang.t("đồng", "VND")),
        Kind::Area(_) => format!("{} m²", number(value, lang)),
        Kind::Address | Kind::Commune => {
            let unit = |code: &str| ctx.units.resolve_nearest(code, ctx.today);
            let mut parts = Vec::new();
            if matches!(kind, Kind::Address) && !part("detail").is_empty() {
                parts.push(part("detail").to_owned());
            }
            for key in ["commune", "province"] {
                match unit(part(key)) {
                    Some(unit) => parts.push(unit.title(lang)),
                    None if !part(key).is_empty() => parts.push(part(key).to_owned()),
                    None => {}
                }
            }
            parts.join(", ")
        }
        Kind::LandParcel => match lang {
            Lang::Vi => format!("Thửa đất số {}, tờ bản đồ số {}", part("parcel"), part("sheet")),
            Lang::En => format!("Parcel {}, map sheet {}", part("parcel"), part("sheet")),
        },
        Kind::IdDocument => {
            let kind = named(&ID_KINDS, value.get("kind").and_then(Value::as_str), lang);
            let (number, date, place) = (part("number"), day(part("date")), part("place"));
            match lang {
                Lang::Vi => format!("{kind} số {number}, cấp ngày {date}, nơi cấp: {place}"),
                Lang::En => format!("{kind} no. {number}, issued {date} by {place}"),
            }
        }
        Kind::People | Kind::PeopleOf(_) => {
            let people = value.as_array().into_iter().flatten();
            people.map(|one| person(one, lang)).collect::<Vec<_>>().join("; ")
        }
        _ => text.map_or_else(|| value.to_string(), str::to_owned),
    }
}

/// Somebody of a list of people: `Trần Văn Nam (con)`, by the number where the name is not known.
pub(super) fn person(one: &Value, lang: Lang) -> String {
    let part = |name: &str| one.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = part("name").or_else(|| part("person_number")).unwrap_or_default();
    format!("{name} ({})", named(&RELATIONS, part("relation"), lang))
}

fn named(list: &[(&str, &str, &str)], code: Option<&str>, lang: Lang) -> String {
    let code = code.unwrap_or("");
    list.iter()
        .find(|x| x.0 == code)
        .map_or_else(|| code.to_owned(), |x| Text::new(x.1, x.2).get(lang).to_owned())
}

fn listed(list: &[lists::Entry], code: Option<&str>, lang: Lang) -> String {
    let code = code.unwrap_or("");
    list.iter()
        .find(|e| e.code == code)
        .map_or_else(|| code.to_owned(), |e| e.name.get(lang).to_owned())
}

fn day(text: &str) -> String {
    judge::iso(text).map_or_else(|| text.to_owned(), |d| d.strftime("%d/%m/%Y").to_string())
}

/// `1.250,5` in Vietnamese, `1,250.5` in English.
pub(super) fn number(value: &Value, lang: Lang) -> String {
    let Some(n) = value.as_number() else {
        return value.to_string();
    };
    let text = n.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |w| ("-", w));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push_str(lang.t(".", ","));
        }
        grouped.push(c);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        format!("{sign}{grouped}")
    } else {
        format!("{sign}{grouped}{}{fraction}", lang.t(",", "."))
    }
}
