//! The type of a question with the keys that only some types use.

use std::collections::BTreeSet;

use regex::RegexBuilder;
use toml::Spanned;

use super::{
    super::kind::{Choice, DateBound, Kind, Limits, Pattern},
    Loader, is_slug,
    raw::{Both, Bound, RawOption},
};
use crate::feel::distance;

const MAX_OPTIONS: usize = 300;

/// The keys that only some types use.
pub(super) struct Settings {
    pub(super) options: Option<Spanned<Vec<RawOption>>>,
    pub(super) min: Option<Spanned<Bound>>,
    pub(super) max: Option<Spanned<Bound>>,
    pub(super) decimals: Option<Spanned<u8>>,
    pub(super) max_length: Option<Spanned<usize>>,
    pub(super) pattern: Option<Spanned<String>>,
    pub(super) pattern_help: Option<Both>,
    pub(super) of: Option<Spanned<String>>,
}

impl Settings {
    /// What the type did not take.
    fn left(&self) -> Vec<(usize, &'static str)> {
        fn at<T>(value: &Option<Spanned<T>>, key: &'static str) -> Option<(usize, &'static str)> {
            value.as_ref().map(|v| (v.span().start, key))
        }
        [
            at(&self.options, "options"),
            at(&self.min, "min"),
            at(&self.max, "max"),
            at(&self.decimals, "decimals"),
            at(&self.max_length, "max_length"),
            at(&self.pattern, "pattern"),
            at(&self.of, "of"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Loader<'_, '_> {
    pub(super) fn kind(&mut self, name: &Spanned<String>, at: usize, mut s: Settings) -> Kind {
        let kind = match name.get_ref().as_str() {
            "text" => {
                let pattern = self.pattern(&mut s);
                Kind::Text {
                    max_length: self.length(&mut s, 200),
                    pattern,
                }
            }
            "long-text" => Kind::LongText {
                max_length: self.length(&mut s, 2_000),
            },
            "person-name" => Kind::PersonName,
            "person-number" => Kind::PersonNumber,
            "id-document" => Kind::IdDocument,
            "date" => Kind::Date {
                min: self.date(s.min.take()),
                max: self.date(s.max.take()),
            },
            "partial-date" => Kind::PartialDate,
            "sex" => Kind::Sex,
            "ethnicity" => Kind::Ethnicity,
            "nationality" => Kind::Nationality,
            "address" => Kind::Address,
            "commune" => Kind::Commune,
            "phone" => Kind::Phone,
            "email" => Kind::Email,
            "integer" => Kind::Integer(self.limits(&mut s, None)),
            "decimal" => Kind::Decimal(self.limits(&mut s, Some(2))),
            "money" => Kind::Money(self.limits(&mut s, None)),
            "area-m2" => Kind::Area(self.limits(&mut s, Some(2))),
            "yes-no" => Kind::YesNo,
            "choice" => Kind::Choice(self.options(&mut s, at)),
            "choices" => {
                let options = self.options(&mut s, at);
                let limits = self.limits(&mut s, None);
                let count = |n: Option<f64>| n.filter(|n| *n >= 0.0).map(|n| n as usize);
                Kind::Choices {
                    min: count(limits.min).unwrap_or(0),
                    max: count(limits.max).unwrap_or(options.len()),
                    options,
                }
            }
            "tax-code" => Kind::TaxCode,
            "procedure-result-ref" => Kind::ResultRef {
                max_length: self.length(&mut s, 100),
            },
            "land-parcel" => Kind::LandParcel,
            "agency" => Kind::Agency,
            "declaration" => Kind::Declaration,
            "people" => Kind::People,
            "people-of" => Kind::PeopleOf(self.people_of(&mut s, at)),
            other => {
                let near = Kind::NAMES
                    .iter()
                    .min_by_key(|n| distance(other, n))
                    .copied()
                    .unwrap_or("text");
                self.error(
                    name.span().start,
                    "bad-type",
                    format!("Không có kiểu “{other}”. Có phải ý là “{near}”?"),
                    format!("There is no type “{other}”. Did you mean “{near}”?"),
                );
                return Kind::Text {
                    max_length: 200,
                    pattern: None,
                };
            }
        };
        for (place, key) in s.left() {
            self.error(
                place,
                "unknown-key",
                format!("Kiểu {} không dùng khóa {key}.", kind.name()),
                format!("The type {} does not use the key {key}.", kind.name()),
            );
        }
        kind
    }

    /// The field of those who may be ticked, before this one.
    fn people_of(&mut self, s: &mut Settings, at: usize) -> String {
        let of = s.of.take();
        let place = of.as_ref().map_or(at, |of| of.span().start);
        let of = of.map(Spanned::into_inner).unwrap_or_default();
        if !self.people.contains(&of) {
            self.error(
                place,
                "bad-people",
                "Kiểu people-of phải nêu of: mã của một trường kiểu people đứng trước.".to_owned(),
                "The type people-of names in of a field of the type people before it.".to_owned(),
            );
        }
        of
    }

    fn length(&mut self, s: &mut Settings, default: usize) -> usize {
        let Some(length) = s.max_length.take() else {
            return default;
        };
        if !(1..=20_000).contains(length.get_ref()) {
            self.error(
                length.span().start,
                "bad-value",
                "max_length từ 1 đến 20000.".to_owned(),
                "max_length is 1 to 20000.".to_owned(),
            );
        }
        length.into_inner()
    }

    fn pattern(&mut self, s: &mut Settings) -> Option<Pattern> {
        let raw = s.pattern.take()?;
        let at = raw.span().start;
        let text = raw.into_inner();
        let help = s.pattern_help.take().map(Both::text).unwrap_or_default();
        self.sink.translated(self.source, at, "pattern_help", &help);
        let anchored = format!("^(?:{text})$");
        match RegexBuilder::new(&anchored)
            .size_limit(1 << 18)
            .dfa_size_limit(1 << 20)
            .nest_limit(20)
            .build()
        {
            Ok(regex) => Some(Pattern { regex, text, help }),
            Err(_) => {
                self.error(
                    at,
                    "bad-pattern",
                    "Mẫu (pattern) không đúng hoặc quá lớn.".to_owned(),
                    "The pattern is not a valid regular expression or is too large.".to_owned(),
                );
                None
            }
        }
    }

    fn date(&mut self, bound: Option<Spanned<Bound>>) -> Option<DateBound> {
        let bound = bound?;
        let at = bound.span().start;
        let text = match bound.into_inner() {
            Bound::Text(text) => text,
            Bound::Date(date) => date.to_string(),
            Bound::Whole(n) => n.to_string(),
            Bound::Decimal(n) => n.to_string(),
        };
        let parsed = DateBound::parse(&text);
        if parsed.is_none() {
            self.error(
                at,
                "bad-value",
                format!("“{text}” không phải là ngày; dùng 2026-11-21, today, today-18y, today+30d."),
                format!("“{text}” is no date; use 2026-11-21, today, today-18y, today+30d."),
            );
        }
        parsed
    }

    fn limits(&mut self, s: &mut Settings, decimals: Option<u8>) -> Limits {
        let mut limits = Limits {
            min: self.number(s.min.take()),
            max: self.number(s.max.take()),
            decimals: 0,
        };
        if let Some(default) = decimals {
            let given = s.decimals.take();
            if let Some(given) = &given
                && *given.get_ref() > 6
            {
                self.error(
                    given.span().start,
                    "bad-value",
                    "decimals từ 0 đến 6.".to_owned(),
                    "decimals is 0 to 6.".to_owned(),
                );
            }
            limits.decimals = given.map_or(default, Spanned::into_inner).min(6);
        }
        limits
    }

    fn number(&mut self, bound: Option<Spanned<Bound>>) -> Option<f64> {
        let bound = bound?;
        let at = bound.span().start;
        match bound.into_inner() {
            Bound::Whole(n) => Some(n as f64),
            Bound::Decimal(n) if n.is_finite() => Some(n),
            _ => {
                self.error(
                    at,
                    "bad-value",
                    "Ở đây cần một số.".to_owned(),
                    "A number is needed here.".to_owned(),
                );
                None
            }
        }
    }

    fn options(&mut self, s: &mut Settings, at: usize) -> Vec<Choice> {
        let raw = s.options.take();
        let count = raw.as_ref().map_or(0, |o| o.get_ref().len());
        if !(2..=MAX_OPTIONS).contains(&count) {
            self.error(
                at,
                "bad-options",
                format!("Cần từ 2 đến {MAX_OPTIONS} lựa chọn (options)."),
                format!("2 to {MAX_OPTIONS} options are needed."),
            );
        }
        let mut values = BTreeSet::new();
        let mut options = Vec::new();
        for raw in raw
            .map(Spanned::into_inner)
            .unwrap_or_default()
            .into_iter()
            .take(MAX_OPTIONS)
        {
            let at = raw.value.span().start;
            let value = raw.value.into_inner();
            if !is_slug(&value) {
                self.error(
                    at,
                    "bad-options",
                    format!("Giá trị “{value}” chỉ được gồm a-z, 0-9 và dấu gạch nối."),
                    format!("The value “{value}” may only hold a-z, 0-9 and hyphens."),
                );
            }
            if !values.insert(value.clone()) {
                self.error(
                    at,
                    "duplicate-id",
                    format!("Lựa chọn “{value}” có hai lần."),
                    format!("The option “{value}” is there twice."),
                );
            }
            let label = self.both(at, "options", Both { vi: raw.vi, en: raw.en });
            let hint = raw.hint.map(|hint| self.both(at, "hint", hint));
            options.push(Choice { value, label, hint });
        }
        options
    }
}
