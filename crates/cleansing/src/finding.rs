//! What a file has that it should not have, each with its place.

use std::fmt;

use base::{Text, codes::CodeError};
use serde::Serialize;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Note,
    /// The row is kept; a person should look at this value.
    Doubt,
    /// The row is not good.
    Bad,
}

impl Severity {
    /// The word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Doubt => "doubt",
            Self::Bad => "bad",
        }
    }
}

/// A value as it stands in the file. It may be personal data, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Raw(String);

impl Raw {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value: for the report that goes back to the owner of the file, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} characters)", self.0.chars().count())
    }
}

/// One thing found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line on which the row begins, from 1; in a spreadsheet the row.
    pub line: u64,
    /// The column, from 1; 0 for the whole row.
    pub column: usize,
    /// The field of the layout; empty where the finding is about no field.
    pub field: String,
    /// How grave it is.
    pub severity: Severity,
    /// A stable name for programs.
    pub code: &'static str,
    /// What it is and what to do.
    pub text: Text,
    /// The value as it stands in the file.
    pub raw: Raw,
}

impl Finding {
    /// A finding about a whole row.
    pub fn row(
        line: u64,
        severity: Severity,
        code: &'static str,
        vi: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            line,
            column: 0,
            field: String::new(),
            severity,
            code,
            text: Text::new(vi, en),
            raw: Raw::default(),
        }
    }

    /// A finding about one cell.
    pub fn cell(line: u64, column: usize, severity: Severity, reason: CodeError, raw: &str) -> Self {
        Self {
            line,
            column,
            field: String::new(),
            severity,
            code: reason.code(),
            text: reason.text().clone(),
            raw: Raw::new(raw),
        }
    }

    /// The same finding, at a field.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        field.clone_into(&mut self.field);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_does_not_show_the_value() {
        let finding = Finding::cell(
            3,
            1,
            Severity::Bad,
            CodeError::new("x", "Sai.", "Wrong."),
            "037190001234",
        );
        assert!(!format!("{finding:?}").contains("037190001234"));
        assert_eq!(finding.raw.expose(), "037190001234");
    }
}
