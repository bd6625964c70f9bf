//! The semantic types of fields.

use base::Text;
use jiff::{ToSpan, civil::Date};
use regex::Regex;

use super::lists;
use crate::feel::{Type, Types};

/// The sort of answer of a field, with its own rules.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Kind {
    /// One line of text.
    Text {
        /// Characters at most.
        max_length: usize,
        /// What it must look like.
        pattern: Option<Pattern>,
    },
    /// Lines of text.
    LongText {
        /// Characters at most.
        max_length: usize,
    },
    /// A person's full name (họ, chữ đệm, tên).
    PersonName,
    /// A personal identification number (số định danh cá nhân), 12 digits.
    PersonNumber,
    /// An identity paper: kind, number, date and place of issue.
    IdDocument,
    /// A date.
    Date {
        /// Not before.
        min: Option<DateBound>,
        /// Not after.
        max: Option<DateBound>,
    },
    /// A date of which only the year, or year and month, may be known.
    PartialDate,
    /// Sex as civil status records it.
    Sex,
    /// Ethnicity (dân tộc), from the list of 54.
    Ethnicity,
    /// Nationality (quốc tịch), ISO 3166.
    Nationality,
    /// An address: province, commune, and the rest.
    Address,
    /// A commune with its province.
    Commune,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A whole number.
    Integer(Limits),
    /// A decimal number.
    Decimal(Limits),
    /// Whole đồng.
    Money(Limits),
    /// Square metres.
    Area(Limits),
    /// Yes or no.
    YesNo,
    /// One of a few.
    Choice(Vec<Choice>),
    /// Any of a few.
    Choices {
        /// What may be chosen.
        options: Vec<Choice>,
        /// At least so many.
        min: usize,
        /// At most so many.
        max: usize,
    },
    /// A tax code (mã số thuế).
    TaxCode,
    /// The number of an earlier result.
    ResultRef {
        /// Characters at most.
        max_length: usize,
    },
    /// A land parcel: map sheet (tờ bản đồ) and parcel number (thửa đất).
    LandParcel,
    /// An agency, by name or code.
    Agency,
    /// A statement that must be ticked.
    Declaration,
    /// People, as a registry tells of them: each with number, name and relation.
    People,
    /// Those of the people of another field who are ticked.
    PeopleOf(String),
}

/// Bounds of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// Not below.
    pub min: Option<f64>,
    /// Not above.
    pub max: Option<f64>,
    /// Digits after the decimal comma.
    pub decimals: u8,
}

/// A regular expression that a text must match as a whole, and how to say so.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The anchored expression.
    pub regex: Regex,
    /// The expression as written.
    pub text: String,
    /// What the text must look like, for people.
    pub help: Text,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The stable value.
    pub value: String,
    /// What people see.
    pub label: Text,
    /// Help under it.
    pub hint: Option<Text>,
}

/// A bound of a date: fixed, or counted from the day of filing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateBound {
    /// This date.
    Fixed(Date),
    /// Today moved by so many years, months and days.
    Today {
        /// Years.
        years: i32,
        /// Months.
        months: i32,
        /// Days.
        days: i32,
    },
}

impl DateBound {
    /// Reads `2026-11-21`, `today`, `today-18y`, `today+30d`, `today-6m`.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("today") else {
            return text.parse().ok().map(Self::Fixed);
        };
        if rest.is_empty() {
            return Some(Self::Today {
                years: 0,
                months: 0,
                days: 0,
            });
        }
        let sign = match rest.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let digits = rest.get(1..rest.len().checked_sub(1)?)?;
        let n: i32 = digits
            .parse()
            .ok()
            .filter(|n| (0..=100_000).contains(n) && !digits.starts_with(['+', '-']))?;
        let n = sign * n;
        match rest.as_bytes().last()? {
            b'y' if n.abs() <= 200 => Some(Self::Today {
                years: n,
                months: 0,
                days: 0,
            }),
            b'm' if n.abs() <= 2_400 => Some(Self::Today {
                years: 0,
                months: n,
                days: 0,
            }),
            b'd' => Some(Self::Today {
                years: 0,
                months: 0,
                days: n,
            }),
            _ => None,
        }
    }

    /// The date, when it is `today`.
    pub fn on(self, today: Date) -> Date {
        match self {
            Self::Fixed(date) => date,
            Self::Today { years, months, days } => today
                .checked_add(years.years().months(months).days(days))
                .unwrap_or(today),
        }
    }
}

/// Kinds of identity papers.
pub(super) const ID_KINDS: [(&str, &str, &str); 4] = [
    ("cccd", "Căn cước, căn cước công dân", "Citizen identity card"),
    (
        "cmnd",
        "Chứng minh nhân dân (đã cấp trước đây)",
        "People's identity card (older)",
    ),
    ("passport", "Hộ chiếu", "Passport"),
    ("other", "Giấy tờ khác có dán ảnh", "Another paper with a photograph"),
];

/// How people of a household are related to its head.
pub(super) const RELATIONS: [(&str, &str, &str); 7] = [
    ("head", "chủ hộ", "head of the household"),
    ("spouse", "vợ hoặc chồng", "wife or husband"),
    ("child", "con", "child"),
    ("grandchild", "cháu", "grandchild"),
    ("parent", "cha hoặc mẹ", "parent"),
    ("sibling", "anh, chị, em", "brother or sister"),
    ("other", "khác", "other"),
];

/// The most people in one answer.
pub(super) const MOST_PEOPLE: usize = 50;

/// The sexes that civil status records.
pub(super) const SEXES: [(&str, &str, &str); 2] = [("male", "Nam", "Male"), ("female", "Nữ", "Female")];

impl Kind {
    /// Every name of a type, as form.toml writes it.
    pub const NAMES: [&'static str; 28] = [
        "text",
        "long-text",
        "person-name",
        "person-number",
        "id-document",
        "date",
        "partial-date",
        "sex",
        "ethnicity",
        "nationality",
        "address",
        "commune",
        "phone",
        "email",
        "integer",
        "decimal",
        "money",
        "area-m2",
        "yes-no",
        "choice",
        "choices",
        "tax-code",
        "procedure-result-ref",
        "land-parcel",
        "agency",
        "declaration",
        "people",
        "people-of",
    ];

    /// The name of the type as form.toml writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::LongText { .. } => "long-text",
            Self::PersonName => "person-name",
            Self::PersonNumber => "person-number",
            Self::IdDocument => "id-document",
            Self::Date { .. } => "date",
            Self::PartialDate => "partial-date",
            Self::Sex => "sex",
            Self::Ethnicity => "ethnicity",
            Self::Nationality => "nationality",
            Self::Address => "address",
            Self::Commune => "commune",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Integer(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Money(_) => "money",
            Self::Area(_) => "area-m2",
            Self::YesNo => "yes-no",
            Self::Choice(_) => "choice",
            Self::Choices { .. } => "choices",
            Self::TaxCode => "tax-code",
            Self::ResultRef { .. } => "procedure-result-ref",
            Self::LandParcel => "land-parcel",
            Self::Agency => "agency",
            Self::Declaration => "declaration",
            Self::People => "people",
            Self::PeopleOf(_) => "people-of",
        }
    }

    /// The type of the answer in FEEL.
    pub fn feel(&self) -> Type {
        let parts = |names: &[(&str, Type)]| {
            let mut types = Types::new();
            for (name, ty) in names {
                types.declare(name, ty.clone());
            }
            types.into_context()
        };
        let codes = |list: &[(&str, &str, &str)]| Type::Enum(list.iter().map(|x| x.0.to_owned()).collect());
        match self {
            Self::Text { .. }
            | Self::LongText { .. }
            | Self::PersonName
            | Self::PersonNumber
            | Self::PartialDate
            | Self::Phone
            | Self::Email
            | Self::TaxCode
            | Self::ResultRef { .. }
            | Self::Agency => Type::String,
            Self::Sex => codes(&SEXES),
            Self::Ethnicity => Type::Enum(lists::ethnicities().iter().map(|x| x.code.clone()).collect()),
            Self::Nationality => Type::Enum(lists::countries().iter().map(|x| x.code.clone()).collect()),
            Self::Choice(options) => Type::Enum(options.iter().map(|o| o.value.clone()).collect()),
            Self::Choices { options, .. } => {
                Type::List(Box::new(Type::Enum(options.iter().map(|o| o.value.clone()).collect())))
            }
            Self::Date { .. } => Type::Date,
            Self::Integer(_) | Self::Decimal(_) | Self::Money(_) | Self::Area(_) => Type::Number,
            Self::YesNo | Self::Declaration => Type::Boolean,
            Self::IdDocument => parts(&[
                ("kind", codes(&ID_KINDS)),
                ("number", Type::String),
                ("date", Type::Date),
                ("place", Type::String),
            ]),
            Self::Address => parts(&[
                ("province", Type::String),
                ("commune", Type::String),
                ("detail", Type::String),
            ]),
            Self::Commune => parts(&[("province", Type::String), ("commune", Type::String)]),
            Self::LandParcel => parts(&[("sheet", Type::String), ("parcel", Type::String)]),
            Self::People | Self::PeopleOf(_) => Type::List(Box::new(parts(&[
                ("person_number", Type::String),
                ("name", Type::String),
                ("relation", Type::String),
            ]))),
        }
    }

    /// Whether the answer is a person's data by its nature.
    pub(super) const fn is_personal(&self) -> bool {
        matches!(
            self,
            Self::PersonName
                | Self::PersonNumber
                | Self::IdDocument
                | Self::Sex
                | Self::Ethnicity
                | Self::Phone
                | Self::Email
                | Self::People
                | Self::PeopleOf(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_bound_counts_from_today() {
        let today = jiff::civil::date(2026, 11, 21);
        let at = |text| DateBound::parse(text).expect("a bound").on(today);
        assert_eq!(at("today"), today);
        assert_eq!(at("today-18y"), jiff::civil::date(2008, 11, 21));
        assert_eq!(at("today+30d"), jiff::civil::date(2026, 12, 21));
        assert_eq!(at("1900-01-01"), jiff::civil::date(1900, 1, 1));
        for bad in [
            "",
            "today+",
            "today18y",
            "today-+1y",
            "today-1",
            "yesterday",
            "2026-13-01",
            "today-999999y",
        ] {
            assert_eq!(DateBound::parse(bad), None, "{bad}");
        }
    }
}
