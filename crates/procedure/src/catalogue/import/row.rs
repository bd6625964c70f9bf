//! One row read from a file, before it meets the database.

use jiff::civil::Date;

use super::super::{
    model::{Code, Layer, Said},
    oddity::{Kind, Oddity},
};

/// A procedure as one row of one file has it.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its code.
    pub code: Code,
    /// Whether the code stood there without stray spaces; of two rows with one code the tidy one is kept.
    pub tidy: bool,
    /// What kind of source it is.
    pub layer: Layer,
    /// What it says.
    pub said: Said,
    /// The day on which it was fetched, where the row itself says so.
    pub retrieved: Option<Date>,
    /// Where it stands.
    pub line: u64,
}

/// A row that was not taken, or a part of a file.
#[derive(Debug, Clone)]
pub struct Bad {
    /// Why.
    pub oddity: Oddity,
    /// Its code, where it could be read.
    pub code: String,
}

impl Bad {
    /// Not taken because of `value` at `at`.
    pub fn new(kind: Kind, at: &str, value: &str) -> Self {
        Self {
            oddity: Oddity::new(kind, at, value),
            code: String::new(),
        }
    }
}

/// Reads the code of a row; the flag tells whether it stood there tidily.
pub fn code(raw: &str, oddities: &mut Vec<Oddity>) -> Result<(Code, bool), Bad> {
    let trimmed = base::text::nfc(raw);
    let trimmed = trimmed.trim();
    if trimmed.is_empty() {
        return Err(Bad::new(Kind::CodeBlank, "code", raw));
    }
    let tidy = trimmed == raw;
    if !tidy {
        oddities.push(Oddity::new(Kind::CodeSpaces, "code", raw));
    }
    trimmed
        .parse()
        .map(|code| (code, tidy))
        .map_err(|_| Bad::new(Kind::CodeUnusable, "code", raw))
}

/// Tidies the items of a list: blank and repeated ones go, and are noted.
pub fn list<'a>(items: impl Iterator<Item = &'a str>, at: &str, oddities: &mut Vec<Oddity>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let (mut blank, mut repeated) = (false, None);
    for (n, item) in items.enumerate() {
        let item = super::super::judge::tidy(item, &format!("{at}[{n}]"), true, oddities);
        if item.is_empty() {
            blank = true;
        } else if out.contains(&item) {
            repeated = Some(item);
        } else {
            out.push(item);
        }
    }
    if blank {
        oddities.push(Oddity::new(Kind::ListBlankItem, at, ""));
    }
    if let Some(item) = repeated {
        oddities.push(Oddity::new(Kind::ListRepeatedItem, at, &item));
    }
    out
}
