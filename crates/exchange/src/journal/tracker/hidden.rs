//! Reads that people do not see for now, and how many they are, for everybody to see.

use std::collections::BTreeMap;

use base::{Error, Result, Text, Timestamp};
use jiff::civil::{Date, Time};

use super::super::{
    HiddenReads, Journal,
    store::{self as tables, Hiding},
};

/// How many reads of an agency were hidden in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenMonth {
    /// Its first day.
    pub month: Date,
    /// The code of the agency.
    pub member: String,
    /// Its name.
    pub name: Text,
    /// On which ground.
    pub reason: Text,
    /// The date on which they are shown.
    pub until: Date,
    /// How many.
    pub n: i64,
}

impl Journal {
    /// The rules that hide at this instant.
    pub(super) fn hiding(&self, now: Timestamp) -> Vec<Hiding> {
        let today = now.legal_date();
        let rules = self.0.config.hidden.iter().filter(|rule| today < rule.until);
        rules.map(Hiding::from).collect()
    }

    /// What is hidden, by month, agency and rule, the newest month first. For everybody: no person can be told from it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hidden_reads(&self, now: Timestamp) -> Result<Vec<HiddenMonth>> {
        let view = (self.0.directory)();
        let mut months = Vec::new();
        for rule in &self.0.config.hidden {
            let purposes: Vec<String> = rule.purposes.iter().map(ToString::to_string).collect();
            let member = rule.member.to_string();
            let db = self.0.store.read();
            // What the rule hid stays counted when it has ended.
            let days = tables::days_of(&db, &member, &purposes, rule.from, rule.until).await?;
            let mut by_month: BTreeMap<Date, i64> = BTreeMap::new();
            for day in days {
                let date: Date = day.day.parse().map_err(Error::internal)?;
                *by_month.entry(date.first_of_month()).or_default() += day.n;
            }
            // A rule that has hidden nothing yet is told too.
            if by_month.is_empty() {
                by_month.insert(now.legal_date().first_of_month(), 0);
            }
            let name = view.member(&rule.member).map(|found| found.name.clone());
            months.extend(by_month.into_iter().map(|(month, n)| HiddenMonth {
                month,
                member: rule.member.code.as_str().to_owned(),
                name: name.clone().unwrap_or_else(|| Text::new(member.clone(), "")),
                reason: rule.reason.clone(),
                until: rule.until,
                n,
            }));
        }
        months.sort_by(|a, b| (&b.month, &a.member).cmp(&(&a.month, &b.member)));
        Ok(months)
    }
}

impl From<&HiddenReads> for Hiding {
    fn from(rule: &HiddenReads) -> Self {
        Self {
            member: rule.member.to_string(),
            purposes: rule.purposes.iter().map(ToString::to_string).collect(),
            from: Timestamp::from_legal(rule.from.to_datetime(Time::midnight())),
        }
    }
}
