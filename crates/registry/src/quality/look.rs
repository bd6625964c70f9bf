//! What one record says today, and which rules it breaks by itself. No I/O.

use std::collections::BTreeSet;

use base::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    history::{Moment, Span},
    model::{Action, Name, Registry, RegistryCode, Rule, Test, ValidTime, text_of, values_at},
    store::quality::Tie,
};

/// The most values by which one record is tied under one rule; what is beyond is not compared.
const MOST_TIES: usize = 64;

/// A part of a record's timeline, as it is known now.
#[derive(Debug, Clone)]
pub struct Part {
    /// When.
    pub span: Span,
    /// The version that speaks.
    pub seq: i64,
    /// When that was recorded.
    pub recorded_at: Timestamp,
    /// What holds, as the version of the folder in force has it; none where the record has ended.
    pub body: Option<Value>,
}

/// What is seen of one record by itself.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// What holds today; nothing where the record has ended or not begun.
    pub today: Option<Today>,
    /// The people whom it is or was about, and the enterprises that it is or was of.
    pub subjects: BTreeSet<Tie>,
    /// When it has to be looked at again without being written to.
    pub again_at: Option<Timestamp>,
}

/// What holds of a record today.
#[derive(Debug, Clone)]
pub struct Today {
    /// The version.
    pub seq: i64,
    /// What holds.
    pub body: Value,
    /// The rules that it breaks by itself.
    pub broken: BTreeSet<Name>,
    /// What nobody else may have, by rule.
    pub alone: Vec<(Name, Tie)>,
    /// The keys that it names, of other registries, by rule.
    pub names: Vec<(Name, RegistryCode, String)>,
}

impl Look {
    /// Looks at a record whose timeline has these parts, in their order.
    pub fn at(registry: &Registry, parts: &[Part], now: Timestamp) -> Self {
        let moment = Moment::of(now, registry.valid_time);
        let bodies = parts.iter().filter_map(|part| part.body.as_ref());
        let ties = |body| {
            let people = registry.subjects_of(body).into_iter();
            let people = people.map(|number| subject_tie(&registry.code, &number));
            let enterprises = registry.enterprises_of(body).into_iter();
            people.chain(enterprises.map(|code| enterprise_tie(&registry.code, &code)))
        };
        let subjects = bodies.flat_map(ties).collect();
        let speaks = parts.iter().find(|part| part.span.has(moment));
        let today = speaks.and_then(|part| Today::of(registry, part, now));
        let turns = parts.iter().flat_map(|part| [part.span.from(), part.span.to()]);
        let turn = turns
            .filter(|turn| *turn > moment && *turn < Moment::FOREVER)
            .min()
            .map(|turn| instant(turn, registry.valid_time));
        let confirmed = speaks.filter(|_| today.is_some()).map(|part| part.recorded_at);
        let old = confirmed.and_then(|at| grows_old(registry, at).filter(|old| *old > now).min());
        // What was not refused for its day when it was written only gets older.
        let mut notes = registry.rules.iter().filter(|rule| rule.action == Action::Note);
        let of_today = notes.any(|rule| rule.test.asks_today());
        let tomorrow = today.as_ref().filter(|_| of_today).map(|_| first_of_next_month(now));
        Self {
            today,
            subjects,
            again_at: [turn, old, tomorrow].into_iter().flatten().min(),
        }
    }
}

impl Today {
    fn of(registry: &Registry, part: &Part, now: Timestamp) -> Option<Self> {
        let body = part.body.clone()?;
        let day = part.span.from().day(registry.valid_time);
        let mut broken: BTreeSet<Name> = registry
            .broken(&body, day, now)
            .into_iter()
            .map(|rule| rule.id.clone())
            .collect();
        let (mut alone, mut names) = (Vec::new(), Vec::new());
        for rule in &registry.rules {
            match &rule.test {
                Test::Unique { fields } => {
                    let ties = together(&body, fields).into_iter();
                    alone.extend(ties.map(|text| (rule.id.clone(), unique_tie(&registry.code, rule, &text))));
                }
                Test::Reference { field, registry } => {
                    let keys = values_at(&body, field).into_iter().filter_map(text_of);
                    names.extend(keys.take(MOST_TIES).map(|key| (rule.id.clone(), registry.clone(), key)));
                }
                Test::Fresh { days } if part.recorded_at.plus_seconds(i64::from(*days) * DAY) <= now => {
                    broken.insert(rule.id.clone());
                }
                _ => {}
            }
        }
        Some(Self {
            seq: part.seq,
            body,
            broken,
            alone,
            names,
        })
    }

    /// A hash over the values that a rule looks at.
    pub fn mark(&self, registry: &Registry, rule: &Rule) -> Vec<u8> {
        let fields = registry.looks_at(rule);
        let values: Vec<Vec<&Value>> = fields.iter().map(|field| values_at(&self.body, field)).collect();
        // Nothing but JSON goes in, so JSON comes out.
        short_hash(&serde_json::to_string(&values).unwrap_or_default())
    }
}

const DAY: i64 = 86_400;

/// When a record that was confirmed at an instant grows too old, by each rule that says so.
fn grows_old(registry: &Registry, confirmed: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
    registry.rules.iter().filter_map(move |rule| match rule.test {
        Test::Fresh { days } => Some(confirmed.plus_seconds(i64::from(days) * DAY)),
        _ => None,
    })
}

fn instant(moment: Moment, rule: ValidTime) -> Timestamp {
    match rule {
        ValidTime::Day => Timestamp::from_legal(moment.day(rule).at(0, 0, 0, 0)),
        ValidTime::Instant => Timestamp::from_micros(moment.stored()),
    }
}

/// Rules that ask what day it is are asked again at the beginning of each month.
fn first_of_next_month(now: Timestamp) -> Timestamp {
    let next: Date = now
        .legal_date()
        .last_of_month()
        .saturating_add(jiff::Span::new().days(1));
    Timestamp::from_legal(next.at(0, 0, 0, 0))
}

/// The values of several fields together; of a field of several values each is one.
fn together(body: &Value, fields: &[crate::model::FieldPath]) -> Vec<String> {
    let mut all = vec![String::new()];
    for field in fields {
        let values: Vec<String> = values_at(body, field).into_iter().filter_map(text_of).collect();
        let with = |before: &String| -> Vec<String> {
            let folded = values.iter().map(|value| base::text::fold(value));
            folded.map(|value| format!("{before}\u{1f}{value}")).collect()
        };
        all = all.iter().flat_map(with).take(MOST_TIES).collect();
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn unique_tie(code: &RegistryCode, rule: &Rule, text: &str) -> Tie {
    Tie {
        slot: unique_slot(code, rule),
        value: short_hash(text),
    }
}

/// Under which ties of a rule of uniqueness are kept.
pub fn unique_slot(code: &RegistryCode, rule: &Rule) -> i64 {
    slot(&format!("unique/{code}/{}", rule.id))
}

/// What a record that names a key of a registry has in common with others that name it.
pub fn reference_tie(target: &RegistryCode, key: &str) -> Tie {
    Tie {
        slot: slot(&format!("reference/{target}")),
        value: short_hash(key),
    }
}

/// What records of a registry about one person have in common.
pub fn subject_tie(code: &RegistryCode, number: &str) -> Tie {
    Tie {
        slot: slot(&format!("subject/{code}")),
        value: short_hash(number),
    }
}

/// What records of a registry have in common that are of one enterprise.
pub fn enterprise_tie(code: &RegistryCode, enterprise: &str) -> Tie {
    Tie {
        slot: slot(&format!("enterprise/{code}")),
        value: short_hash(enterprise),
    }
}

fn slot(name: &str) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(name)[..8]);
    i64::from_be_bytes(first) & i64::MAX
}

/// The first 16 bytes of SHA-256.
pub fn short_hash(text: &str) -> Vec<u8> {
    Sha256::digest(text)[..16].to_vec()
}
