//! What the reader and the checker have to say about a file, each at its element and place.

use base::Text;
use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The process may not run.
    Error,
    /// It may run, but look at this.
    Warning,
}

/// A place in the file, counted from one. `0:0` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// One thing that is wrong or doubtful in a process file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether it forbids running the process.
    pub severity: Severity,
    /// A stable name for programs: `no-default`, `deadlock`.
    pub code: String,
    /// The id of the element, empty for the whole file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub element_id: String,
    /// Where the element begins.
    #[serde(flatten)]
    pub at: Position,
    /// What is wrong and what to do, in both languages.
    pub text: Text,
}

impl Finding {
    /// Whether it forbids running the process.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Gathers findings, up to a bound so that a hostile file cannot fill the memory with complaints.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    const MOST: usize = 200;

    pub(super) fn error(&mut self, code: &str, id: &str, at: Position, vi: impl Into<String>, en: impl Into<String>) {
        self.push(Severity::Error, code, id, at, Text::new(vi, en));
    }

    pub(super) fn warn(&mut self, code: &str, id: &str, at: Position, vi: impl Into<String>, en: impl Into<String>) {
        self.push(Severity::Warning, code, id, at, Text::new(vi, en));
    }

    fn push(&mut self, severity: Severity, code: &str, id: &str, at: Position, text: Text) {
        if self.0.len() < Self::MOST {
            self.0.push(Finding {
                severity,
                code: code.to_owned(),
                element_id: id.to_owned(),
                at,
                text,
            });
        }
    }

    pub(super) fn any_error(&self) -> bool {
        self.0.iter().any(Finding::is_error)
    }
}
