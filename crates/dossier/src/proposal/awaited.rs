//! Whom events name: a child that is given a number, a residence that is registered. A registry tells of it on the exchange; the rule waits
//! as many days as it says and then looks at the person in a run of its own.

use std::collections::BTreeSet;

use ::store::{Tx, jobs::Run, transact};
use base::{Result, Timestamp, codes::PersonNumber};
use exchange::events::{Cursor, Event, EventName, Handler, Standing};
use identity::Ctx;
use registry::model::RegistryCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    NAME, Rule, job,
    rule::On,
    runs::{MOST_PEOPLE, Origin},
    store::{self as tables, AwaitedRow},
};
use crate::service::Dossiers;

/// Those who are due are to be looked at.
pub(super) const AWAITED: &str = "dossier.proposal-awaited";
/// More than this many are told as more.
pub const MOST_TOLD: i64 = 10_000;
/// Seconds until it is tried again while a run of this sort is under way.
const UNDER_WAY: i64 = 600;

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    rule: String,
}

/// Takes down whom the events of one type name, for each rule that waits for them.
#[derive(Debug, Clone)]
pub struct Heard {
    dossiers: Dossiers,
    event: EventName,
}

/// A type of event that rules wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaits {
    /// Its name.
    pub event: EventName,
    /// The registry that tells of it.
    pub registry: RegistryCode,
    /// The laws of those rules.
    pub laws: String,
}

impl Dossiers {
    /// The types of events that the node's rules wait for, each once.
    pub fn awaited_events(&self) -> Vec<Awaits> {
        let rules = self.proposing().map(|proposing| proposing.rules.as_slice());
        let mut found: Vec<Awaits> = Vec::new();
        for rule in rules.unwrap_or_default() {
            for on in &rule.on {
                match found.iter_mut().find(|known| known.event == on.event) {
                    Some(known) => known.laws = format!("{}; {}", known.laws, rule.laws()),
                    None => found.extend(on.registry().map(|registry| Awaits {
                        event: on.event.clone(),
                        registry,
                        laws: rule.laws(),
                    })),
                }
            }
        }
        for awaits in &mut found {
            let laws: BTreeSet<&str> = awaits.laws.split("; ").collect();
            awaits.laws = laws.into_iter().collect::<Vec<_>>().join("; ");
        }
        found
    }

    /// What takes down whom the events of a type name.
    pub fn heard(&self, event: EventName) -> Heard {
        Heard {
            dossiers: self.clone(),
            event,
        }
    }

    /// Looks at those of a rule who are due, or later while a run is under way; and orders when it does so next.
    pub(super) async fn look_at_awaited(&self, job: &Run) -> Result<()> {
        let Payload { rule: code } = job.payload()?;
        let Ok(rule) = self.rule(&code) else {
            // A rule that was taken away waits for nobody any more.
            return transact!(self.store(), |tx| {
                tables::forget_awaited(&tx, &code).await?;
                job.done(&tx).await
            });
        };
        let due = tables::due(&self.store().read(), &code, job.now, MOST_PEOPLE).await?;
        let under_way = tables::is_under_way(&self.store().read(), &code, Origin::Events).await?;
        let ctx = Ctx::system(NAME, job.now);
        transact!(self.store(), |tx| {
            // The order goes first: whoever is heard of from now on makes a new one.
            job.done(&tx).await?;
            if under_way {
                let again = job.now.plus_seconds(UNDER_WAY);
                return tx.enqueue(order(&code, again)?, job.now).await;
            }
            if !due.is_empty() {
                let people: Vec<Vec<u8>> = due.iter().map(|one| one.subject.clone()).collect();
                tables::take_awaited(&tx, &code, &due).await?;
                self.begin_run_in(&tx, &ctx, rule, &people, Origin::Events).await?;
            }
            order_next(&tx, &code, job.now).await
        })
    }

    /// For how many a rule waits, counted up to one more than [`MOST_TOLD`], and when the first is due.
    pub(super) async fn awaited(&self, rule: &Rule) -> Result<(i64, Option<Timestamp>)> {
        let (db, rule) = (self.store().read(), rule.code.as_str());
        let people = tables::awaited(&db, rule, MOST_TOLD + 1).await?;
        Ok((people, tables::first_due(&db, rule).await?))
    }
}

/// Orders that a rule looks at whom it waits for, once the first is due.
async fn order_next(tx: &Tx, rule: &str, now: Timestamp) -> Result<()> {
    match tables::first_due(tx, rule).await? {
        Some(first) => tx.enqueue(order(rule, first.max(now))?, now).await,
        None => Ok(()),
    }
}

/// One waits for each rule; the next moves it.
fn order(rule: &str, at: Timestamp) -> Result<::store::Job> {
    let payload = Payload { rule: rule.to_owned() };
    Ok(job(AWAITED, &payload, at)?.key(format!("{AWAITED}/{rule}")))
}

impl Heard {
    /// Whom an event names for a rule. What was withdrawn names nobody, nor does a record without a number.
    fn named(on: &On, event: &Event) -> Result<Option<String>> {
        let Some(data) = event.data::<Value>()? else {
            return Ok(None);
        };
        let named = on
            .person
            .parts()
            .try_fold(&data["fields"], |value, part| value.get(part));
        let number = named.and_then(Value::as_str);
        Ok(number
            .filter(|number| number.parse::<PersonNumber>().is_ok())
            .map(str::to_owned))
    }
}

impl Handler for Heard {
    async fn handle(&self, tx: &Tx, events: &[Event]) -> Result<()> {
        let Some(proposing) = self.dossiers.proposing() else {
            return Ok(());
        };
        for rule in &proposing.rules {
            let Some(on) = rule.on.iter().find(|on| on.event == self.event) else {
                continue;
            };
            let mut newest = None;
            for event in events {
                let Some(number) = Self::named(on, event)? else {
                    continue;
                };
                let row = AwaitedRow {
                    person_key: proposing.person(&number),
                    subject: self.dossiers.sealed(&number)?,
                    due_at: event.at.plus_seconds(i64::from(on.after_days) * 86_400).micros(),
                };
                tables::await_person(tx, rule.code.as_str(), &row).await?;
                newest = Some(event.at);
            }
            if let Some(newest) = newest {
                order_next(tx, rule.code.as_str(), newest).await?;
            }
        }
        Ok(())
    }

    /// Nobody is told late by that, for rules look at lists as well; so it goes on.
    async fn missed(&self, _: &Tx, _: Option<Cursor>, _: Cursor) -> Result<()> {
        tracing::warn!(event = %self.event, "events were missed; whom they named is proposed nothing unless an officer lists them");
        Ok(())
    }

    fn stands(&self, standing: Standing) {
        if let Some(proposing) = self.dossiers.proposing() {
            proposing.note(&self.event, standing);
        }
    }
}
