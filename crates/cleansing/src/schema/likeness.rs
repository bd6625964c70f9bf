//! How much a column is like a term.

use super::{
    Column, LEAST, Proposal, Term, Why,
    words::{Vocabulary, cut, weight},
};
use crate::{
    layout::Sort,
    value::{self, DateOptions},
};

/// A dictionary, ready for comparing.
pub(super) struct Weigher<'a> {
    vocabulary: &'a Vocabulary,
    terms: Vec<Prepared<'a>>,
}

struct Prepared<'a> {
    term: &'a Term,
    /// What each name means, and its letters in a row.
    names: Vec<(Vec<String>, String)>,
}

/// Proposals for one column.
const MOST: usize = 3;

impl<'a> Weigher<'a> {
    pub fn new(vocabulary: &'a Vocabulary, dictionary: &'a [Term]) -> Self {
        let prepare = |term: &'a Term| Prepared {
            term,
            names: term
                .names
                .iter()
                .map(|n| (vocabulary.meaning(n), cut(n).concat()))
                .collect(),
        };
        Self {
            vocabulary,
            terms: dictionary.iter().map(prepare).collect(),
        }
    }

    /// The terms that a column may be, the likeliest first.
    pub fn proposals(&self, column: &Column) -> Vec<Proposal> {
        let name = (self.vocabulary.meaning(&column.name), cut(&column.name).concat());
        let comment = (self.vocabulary.meaning(&column.comment), String::new());
        let family = Family::of(&column.data_type);
        let mut found: Vec<Proposal> = self
            .terms
            .iter()
            .filter_map(|prepared| {
                let by_name = prepared.names.iter().map(|n| likeness(n, &name)).max().unwrap_or(0);
                let by_comment = prepared
                    .names
                    .iter()
                    .map(|n| likeness(n, &comment) * 95 / 100)
                    .max()
                    .unwrap_or(0);
                let mut score = by_name.max(by_comment);
                if score < 30 {
                    return None;
                }
                let mut why = vec![if by_name >= by_comment { Why::Name } else { Why::Comment }];
                if let Some(sort) = prepared.term.sort {
                    match family.fits(sort) {
                        Some(true) => {
                            score += 5;
                            why.push(Why::Type);
                        }
                        Some(false) => {
                            score = score.saturating_sub(25);
                            why.push(Why::OtherType);
                        }
                        None => {}
                    }
                    match share(sort, &column.samples) {
                        Some(60..) => {
                            score += 20;
                            why.push(Why::Samples);
                        }
                        Some(..20) => {
                            score = score.saturating_sub(30);
                            why.push(Why::OtherSamples);
                        }
                        _ => {}
                    }
                }
                Some(Proposal {
                    term: prepared.term.id.clone(),
                    score: u8::try_from(score.min(100)).unwrap_or(100),
                    why,
                })
            })
            .filter(|p| p.score >= LEAST)
            .collect();
        found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.term.cmp(&b.term)));
        found.truncate(MOST);
        found
    }
}

/// Words in common, weighed, or letters in common where the words are unknown; 0 to 100.
fn likeness(a: &(Vec<String>, String), b: &(Vec<String>, String)) -> usize {
    let total = |words: &[String]| words.iter().map(|w| weight(w)).sum::<usize>();
    let common: usize = a.0.iter().filter(|w| b.0.contains(w)).map(|w| weight(w)).sum();
    let words = (200 * common).checked_div(total(&a.0) + total(&b.0)).unwrap_or(0);
    words.max(letters(&a.1, &b.1) * 9 / 10)
}

/// Runs of three letters in common, of two texts in ASCII; 0 to 100.
fn letters(a: &str, b: &str) -> usize {
    let runs = |text: &str| -> Vec<[u8; 3]> {
        let mut all: Vec<[u8; 3]> = text.as_bytes().array_windows().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    // Names are short; what is not is not compared letter by letter.
    if a.len().max(b.len()) > 64 {
        return 0;
    }
    let (a, b) = (runs(a), runs(b));
    let common = a.iter().filter(|run| b.binary_search(run).is_ok()).count();
    (200 * common).checked_div(a.len() + b.len()).unwrap_or(0)
}

/// What a type of a database can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Date,
    Truth,
    Other,
}

impl Family {
    fn of(data_type: &str) -> Self {
        let lower = data_type.to_ascii_lowercase();
        let begins = |names: &[&str]| names.iter().any(|n| lower.starts_with(n));
        if begins(&[
            "char",
            "varchar",
            "nchar",
            "nvarchar",
            "character",
            "text",
            "ntext",
            "clob",
            "nclob",
            "longtext",
            "mediumtext",
            "tinytext",
            "string",
            "citext",
        ]) {
            Self::Text
        } else if begins(&["date", "timestamp", "smalldatetime", "time"]) {
            Self::Date
        } else if begins(&["bool", "bit"]) || lower.starts_with("tinyint(1)") {
            Self::Truth
        } else if begins(&[
            "int",
            "number",
            "numeric",
            "decimal",
            "bigint",
            "smallint",
            "tinyint",
            "mediumint",
            "float",
            "double",
            "real",
            "money",
            "serial",
            "bigserial",
        ]) {
            Self::Number
        } else {
            Self::Other
        }
    }

    /// Whether values of a sort go in; none where it says nothing.
    fn fits(self, sort: Sort) -> Option<bool> {
        match (self, sort) {
            (Self::Other, _) | (_, Sort::Text) => None,
            // Older systems keep dates as text and sex as a bit.
            (Self::Text, Sort::Date | Sort::Birthday | Sort::Money | Sort::Number) => None,
            (Self::Truth | Self::Number, Sort::Sex) => None,
            // Numbers of persons are kept as numbers by mistake.
            (Self::Number, Sort::IdNumber | Sort::TaxCode | Sort::Phone | Sort::Ethnicity | Sort::Nationality) => None,
            (Self::Date, Sort::Date | Sort::Birthday) | (Self::Number, Sort::Money | Sort::Number) => Some(true),
            (Self::Text, _) => Some(true),
            _ => Some(false),
        }
    }
}

/// How many samples in a hundred are values of a sort; none without samples, and for a sort that takes anything.
fn share(sort: Sort, samples: &[String]) -> Option<usize> {
    let good = |raw: &String| match sort {
        Sort::Text | Sort::Address => false,
        // A proposal is a value that a spreadsheet spoilt.
        Sort::Name => value::name(raw).is_ok(),
        Sort::Date | Sort::Birthday => value::date(raw, &DateOptions::PLAIN).is_ok(),
        Sort::IdNumber => value::id_number(raw).map_or_else(|r| !r.proposals.is_empty(), |_| true),
        Sort::TaxCode => value::tax_code(raw).map_or_else(|r| !r.proposals.is_empty(), |_| true),
        Sort::Phone => value::phone(raw).map_or_else(|r| !r.proposals.is_empty(), |_| true),
        Sort::Email => value::email(raw).is_ok(),
        Sort::Sex => value::sex(raw).is_ok(),
        Sort::Ethnicity => value::ethnicity(raw).is_ok(),
        Sort::Nationality => value::nationality(raw).is_ok(),
        Sort::Money => value::money(raw).is_ok(),
        Sort::Number => value::number(raw).is_ok(),
    };
    if matches!(sort, Sort::Text | Sort::Address) {
        return None;
    }
    (samples.iter().filter(|s| good(s)).count() * 100).checked_div(samples.len())
}
