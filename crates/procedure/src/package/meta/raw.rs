//! procedure.toml as it is written: its keys, before anything is judged.

use serde::Deserialize;
use toml::Spanned;

use super::{Audience, ExecutingLevel, Level, PaymentTime};
use crate::form::{Channel, load::Both};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) code: Spanned<String>,
    pub(super) version: Spanned<String>,
    pub(super) valid_from: Spanned<toml::value::Datetime>,
    pub(super) valid_to: Option<Spanned<toml::value::Datetime>>,
    pub(super) predecessor: Option<Spanned<String>>,
    pub(super) successor: Option<Spanned<String>>,
    pub(super) name: Spanned<Both>,
    pub(super) field: Spanned<String>,
    pub(super) field_name: Option<Spanned<Both>>,
    pub(super) authority: String,
    pub(super) executing_level: ExecutingLevel,
    pub(super) audiences: Spanned<Vec<Audience>>,
    pub(super) level: Spanned<Level>,
    pub(super) level_reason: Option<Spanned<Both>>,
    #[serde(default)]
    pub(super) life_events: Vec<String>,
    #[serde(default)]
    pub(super) keywords: Vec<String>,
    pub(super) summary: Spanned<Both>,
    pub(super) channels: Spanned<Vec<Channel>>,
    pub(super) assurance: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) step: Vec<Spanned<Both>>,
    #[serde(default)]
    pub(super) legal_basis: Vec<RawLaw>,
    #[serde(default)]
    pub(super) deadline: Vec<RawDeadline>,
    #[serde(default)]
    pub(super) deadline_rules: RawRules,
    #[serde(default)]
    pub(super) agency: Vec<RawAgency>,
    #[serde(default)]
    pub(super) refusal_reason: Vec<RawReason>,
    #[serde(default)]
    pub(super) supplement_reason: Vec<RawReason>,
    pub(super) result: Option<RawResult>,
    pub(super) payment: Option<RawPayment>,
    pub(super) source: Option<RawSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLaw {
    pub(super) number: Spanned<String>,
    pub(super) title: Spanned<Both>,
    pub(super) articles: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDeadline {
    pub(super) case: Spanned<String>,
    pub(super) name: Spanned<Both>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) budget: Spanned<String>,
    pub(super) basis: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRules {
    pub(super) same_day_cutoff: Option<Spanned<String>>,
    pub(super) supplement_restarts: bool,
    pub(super) max_reappointments: u32,
}

impl Default for RawRules {
    fn default() -> Self {
        Self {
            same_day_cutoff: None,
            supplement_restarts: true,
            max_reappointments: 1,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAgency {
    pub(super) id: Spanned<String>,
    pub(super) name: Spanned<Both>,
    pub(super) resolver: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReason {
    pub(super) id: Spanned<String>,
    pub(super) vi: String,
    #[serde(default)]
    pub(super) en: String,
    #[serde(default)]
    pub(super) basis: String,
    pub(super) about: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawResult {
    pub(super) name: Spanned<Both>,
    pub(super) template: Spanned<String>,
    pub(super) code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPayment {
    pub(super) when: PaymentTime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) text: String,
    pub(super) retrieved: Spanned<toml::value::Datetime>,
}
