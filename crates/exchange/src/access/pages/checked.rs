//! What a conformance check found, for the steward to read: what is broken, where, and what to do.

use base::{Text, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// A report, read back from how it is kept.
#[derive(Debug, Deserialize)]
pub(super) struct Checked {
    /// When.
    pub checked: Timestamp,
    /// The version of the house rules.
    pub rules: String,
    /// SHA-256 of the description.
    pub sha256: String,
    /// Whether the service conforms.
    pub conforms: bool,
    results: Vec<Checks>,
}

/// One rule.
#[derive(Debug, Deserialize)]
pub(super) struct Checks {
    pub code: String,
    severity: String,
    outcome: String,
    pub text: Text,
    pub findings: Vec<Place>,
}

/// One place where it is broken.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    /// A JSON pointer into the description.
    pub at: String,
    #[serde(flatten)]
    pub text: Text,
    pub request: Option<String>,
    pub answer: Option<String>,
}

impl Checked {
    /// Reads a report.
    pub fn read(report: Value) -> base::Result<Self> {
        Ok(serde_json::from_value(report)?)
    }

    /// How many rules were kept.
    pub fn kept(&self) -> usize {
        self.results.iter().filter(|rule| rule.outcome == "kept").count()
    }

    /// The broken rules: first those because of which the service does not conform.
    pub fn broken(&self) -> Vec<&Checks> {
        let mut broken: Vec<&Checks> = self.results.iter().filter(|rule| rule.outcome == "broken").collect();
        broken.sort_by_key(|rule| !rule.is_must());
        broken
    }
}

impl Checks {
    /// Whether a service that breaks it does not conform.
    pub fn is_must(&self) -> bool {
        self.severity == "must"
    }
}
