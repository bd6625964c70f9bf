//! What is written down while a service is checked.

use std::collections::BTreeMap;

use base::Text;

use super::{
    report::{Finding, RuleResult},
    rules::Rule,
};

/// Most findings of one rule that are kept; the others, and those that say the same, are counted.
const KEPT: usize = 25;

/// The results so far.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: BTreeMap<Rule, Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    checked: u32,
    broken: u32,
    findings: Vec<Finding>,
}

impl Sheet {
    /// A rule was looked at and kept.
    pub fn kept(&mut self, rule: Rule) {
        self.rules.entry(rule).or_default().checked += 1;
    }

    /// A rule was looked at and broken.
    pub fn broken(&mut self, rule: Rule, finding: Finding) {
        let tally = self.rules.entry(rule).or_default();
        tally.checked += 1;
        tally.broken += 1;
        let known = tally
            .findings
            .iter()
            .any(|other| other.at == finding.at && other.text == finding.text);
        if tally.findings.len() < KEPT && !known {
            tally.findings.push(finding);
        }
    }

    /// A rule was looked at: kept, or broken at a place of the description.
    pub fn judge(&mut self, rule: Rule, kept: bool, at: &str, text: impl FnOnce() -> Text) {
        if kept {
            self.kept(rule);
        } else {
            self.broken(rule, Finding::at(at, text()));
        }
    }

    /// Whether a rule was broken.
    pub fn is_broken(&self, rule: Rule) -> bool {
        self.rules.get(&rule).is_some_and(|tally| tally.broken > 0)
    }

    /// Every rule with its result.
    pub fn into_results(mut self) -> Vec<RuleResult> {
        let result = |rule: &Rule| {
            let tally = self.rules.remove(rule).unwrap_or_default();
            RuleResult::new(*rule, tally.checked, tally.broken, tally.findings)
        };
        Rule::ALL.iter().map(result).collect()
    }
}
