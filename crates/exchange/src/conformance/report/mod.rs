//! What a check found.

mod human;

use base::{Text, Timestamp};
use serde::Serialize;

use super::rules::{Rule, Severity, VERSION};
use crate::model::federation::Badge;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Where the description was had from.
    pub description: String,
    /// The address under which the operations were called.
    pub base: String,
    /// `info.title` of the description.
    pub title: String,
    /// `info.version` of the description.
    pub version: String,
    /// SHA-256 of the description's bytes, in hex; empty when there was none.
    pub sha256: String,
    /// The version of the house rules.
    pub rules: &'static str,
    /// When the check began.
    pub checked: Timestamp,
    /// The seed that gives the same requests again.
    pub seed: u64,
    /// Whether methods that change something were called.
    pub wrote: bool,
    /// Whether every `must` rule that could be looked at was kept.
    pub conforms: bool,
    /// Every rule, in their order.
    pub results: Vec<RuleResult>,
    /// How far the check went.
    pub coverage: Coverage,
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was looked at and kept.
    Kept,
    /// It was broken at least once.
    Broken,
    /// There was nothing to look at.
    NotApplicable,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleResult {
    /// Which.
    #[serde(rename = "code")]
    pub rule: Rule,
    /// How much it weighs.
    pub severity: Severity,
    /// What became of it.
    pub outcome: Outcome,
    /// What it asks.
    pub text: Text,
    /// How often it was looked at.
    pub checked: u32,
    /// How often it was broken.
    pub broken: u32,
    /// The first places where it was broken.
    pub findings: Vec<Finding>,
}

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A JSON pointer into the description (RFC 6901); empty for the whole.
    pub at: String,
    /// What is wrong and what to do.
    #[serde(flatten)]
    pub text: Text,
    /// The request that was sent: method, address, headers of ours, beginning of the body. Values of headers that the caller
    /// gave are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The beginning of what was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// How far a check went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Operations in the description.
    pub operations: u32,
    /// Operations that were called.
    pub called: u32,
    /// Operations that succeeded at least once.
    pub succeeded: u32,
    /// Requests that were sent.
    pub requests: u32,
    /// The median time to a whole answer, in milliseconds.
    pub median_millis: u64,
    /// The longest, in milliseconds.
    pub slowest_millis: u64,
    /// What took longest.
    pub slowest: String,
    /// Operations that were not called, and why.
    pub skipped: Vec<Skipped>,
}

/// An operation that was not called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// `POST /v1/things`.
    pub operation: String,
    /// Why.
    #[serde(flatten)]
    pub why: Text,
}

impl Finding {
    /// A finding in the description.
    pub(super) fn at(at: impl Into<String>, text: Text) -> Self {
        Self {
            at: at.into(),
            text,
            request: None,
            answer: None,
        }
    }
}

impl RuleResult {
    pub(super) fn new(rule: Rule, checked: u32, broken: u32, findings: Vec<Finding>) -> Self {
        let outcome = match (checked, broken) {
            (0, _) => Outcome::NotApplicable,
            (_, 0) => Outcome::Kept,
            _ => Outcome::Broken,
        };
        Self {
            rule,
            severity: rule.severity(),
            outcome,
            text: rule.text(),
            checked,
            broken,
            findings,
        }
    }

    /// Whether the service does not conform because of it.
    pub fn fails(&self) -> bool {
        self.outcome == Outcome::Broken && self.severity == Severity::Must
    }
}

impl Report {
    /// The result of one rule.
    pub fn result(&self, rule: Rule) -> Option<&RuleResult> {
        self.results.iter().find(|result| result.rule == rule)
    }

    /// How many rules of a severity came to an outcome.
    pub fn count(&self, severity: Severity, outcome: Outcome) -> u32 {
        let of_it = |result: &&RuleResult| result.severity == severity && result.outcome == outcome;
        u32::try_from(self.results.iter().filter(of_it).count()).unwrap_or(u32::MAX)
    }

    /// The badge for the directory.
    pub fn badge(&self) -> Badge {
        Badge {
            checked: self.checked,
            rules: VERSION.to_owned(),
            sha256: self.sha256.clone(),
            passed: self.count(Severity::Must, Outcome::Kept),
            failed: self.count(Severity::Must, Outcome::Broken),
            advice: self.count(Severity::Should, Outcome::Broken),
        }
    }

    /// The report as JSON, the badge in it as `badge`.
    ///
    /// # Errors
    /// None that a report can cause.
    pub fn to_json(&self) -> base::Result<serde_json::Value> {
        let mut json = serde_json::to_value(self)?;
        json["badge"] = serde_json::to_value(self.badge())?;
        Ok(json)
    }
}
