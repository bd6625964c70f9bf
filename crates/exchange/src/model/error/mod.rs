//! How the exchange says no on the wire (X-Road PR-REST 4.6, reference 1.6).

mod answer;
mod code;

use std::fmt;

use base::{Problems, codes::CodeError};

pub use answer::{Answer, Format, Style, Wire};
pub use code::{ErrorCode, Origin, Spelling};

/// Why a call does not go on: the type that X-Road clients test, and every problem at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: ErrorCode,
    problems: Problems,
}

impl Refusal {
    /// A refusal whose code says it all.
    pub const fn new(code: ErrorCode) -> Self {
        Self {
            code,
            problems: Problems::new(),
        }
    }

    /// A refusal for one reason, at a header, a query parameter or `path`.
    pub fn at(code: ErrorCode, place: &str, reason: impl Into<CodeError>) -> Self {
        let mut refusal = Self::new(code);
        refusal.add(place, reason);
        refusal
    }

    pub(crate) const fn with(code: ErrorCode, problems: Problems) -> Self {
        Self { code, problems }
    }

    /// The same problems under another type.
    pub(crate) fn of(self, code: ErrorCode) -> Self {
        Self { code, ..self }
    }

    pub(crate) fn add(&mut self, place: &str, reason: impl Into<CodeError>) {
        reason.into().add_to(&mut self.problems, place);
    }

    /// The type of the error.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// What is wrong in particular, with our own stable codes; empty when the type says it all.
    pub const fn problems(&self) -> &Problems {
        &self.problems
    }

    /// The English sentence for `message`: the problems, or else what the type means.
    pub fn message(&self) -> String {
        if self.problems.is_empty() {
            return self.code.text().en;
        }
        let sentences: Vec<&str> = self.problems.iter().map(|p| p.text.en.as_str()).collect();
        sentences.join(" ")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(Spelling::Camel), self.message())
    }
}

impl std::error::Error for Refusal {}
