//! Figures kept by differences equal figures made anew, on every engine; and they are published.

mod counting;
mod filed;
mod published;
mod site;
mod together;

use std::collections::BTreeMap;

use ::store::{Store, transact};
use base::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    model::{By, Counts, Fact, Month, Pauses, Question},
    store as tables,
};

const HOUR: i64 = 3_600_000_000;

fn start() -> i64 {
    Month::new(2026, 1).map_or(0, |m| m.start().micros())
}

/// One version of a dossier: which, and how it stands.
#[derive(Debug, Clone)]
struct Step {
    dossier: u8,
    channel: usize,
    account: Option<u8>,
    status: i64,
    hours: [i64; 3],
    outcome: usize,
    /// When something is awaited, hours after reception, and how long.
    pause: [i64; 2],
}

fn step() -> impl Strategy<Value = Step> {
    let hours = prop::array::uniform3(0_i64..4000);
    (
        0_u8..5,
        0_usize..3,
        prop::option::of(0_u8..3),
        1_i64..=10,
        hours,
        0_usize..3,
        prop::array::uniform2(0_i64..1500),
    )
        .prop_map(|(dossier, channel, account, status, hours, outcome, pause)| Step {
            dossier,
            channel,
            account,
            status,
            hours,
            outcome,
            pause,
        })
}

fn fact(step: &Step, seq: i64) -> Fact {
    let at = |h: i64| start() + h * HOUR;
    let ended = matches!(step.status, 3 | 7..=10);
    let received = step.status != 1;
    let end = if ended { step.hours[0] + step.hours[2] } else { i64::MAX };
    let from = (step.hours[0] + step.pause[0]).min(end);
    let until = (!matches!(step.status, 5 | 6)).then(|| (from + step.pause[1]).min(end));
    let instant = |h: i64| Timestamp::from_micros(at(h));
    let pause = received.then(|| (instant(from), until.map(instant)));
    Fact {
        dossier_id: Uuid::from_u128(u128::from(step.dossier) + 1),
        seq,
        agency: format!("H57.{}", step.dossier % 2),
        field: "G15-TP07".to_owned(),
        procedure_code: format!("1.00{}", step.dossier % 3),
        channel: ["online", "counter", "post"][step.channel].to_owned(),
        account: step.account.map(|n| Uuid::from_u128(u128::from(n) + 100)),
        status: step.status,
        running: matches!(step.status, 2 | 4),
        submitted_at: start(),
        received_at: received.then(|| at(step.hours[0])),
        original_due_at: received.then(|| at(step.hours[1])),
        due_at: received.then(|| at(step.hours[1])),
        ended_at: ended.then(|| at(step.hours[0] + step.hours[2])),
        delivered_at: None,
        outcome: ended.then(|| ["early", "on_time", "late"][step.outcome].to_owned()),
        working_minutes: ended.then_some(step.hours[2] * 20),
        supplements: 0,
        held: i64::from(step.dossier % 3),
        asked_again: i64::from(step.dossier % 3 / 2),
        pauses: Pauses::of(pause.as_slice()),
    }
}

#[derive(Debug, PartialEq)]
struct Everything {
    counts: Vec<(String, Counts, i64)>,
    durations: Vec<(String, i64, i64)>,
    standing: Vec<(String, String, i64, i64, i64)>,
    people: Vec<(String, bool, i64)>,
}

async fn everything(store: &Store) -> Everything {
    let db = store.read();
    let from = Month::from_index(2026 * 12);
    let question = |by| Question {
        agency: None,
        field: None,
        from,
        to: from.plus(48),
        by,
    };
    let (mut all, mut classes) = (Vec::new(), Vec::new());
    for by in [By::Month, By::Agency, By::Field, By::Procedure] {
        for row in tables::counts(&db, &question(by)).await.expect("counters") {
            if !row.counts.is_zero() {
                all.push((row.line, row.counts, row.carried));
            }
        }
        for row in tables::durations(&db, &question(by)).await.expect("durations") {
            if row.n != 0 {
                classes.push((row.line, row.bucket, row.n));
            }
        }
    }
    let mut standing: Vec<_> = tables::standing(&db, None)
        .await
        .expect("standing")
        .into_iter()
        .map(|r| (r.agency, r.procedure_code, r.waiting, r.in_progress, r.paused))
        .collect();
    standing.sort();
    let mut people: Vec<_> = tables::people(&db, None, 2026)
        .await
        .expect("people")
        .into_iter()
        .filter(|r| r.people != 0)
        .map(|r| (r.procedure_code, r.online, r.people))
        .collect();
    people.sort();
    Everything {
        counts: all,
        durations: classes,
        standing,
        people,
    }
}

/// Applies facts, so many at a time; of one dossier the newest among them, as jobs do.
async fn put(store: &Store, facts: &[Fact], at_a_time: usize) {
    for facts in facts.chunks(at_a_time) {
        let mut newest: BTreeMap<Uuid, Fact> = BTreeMap::new();
        for fact in facts {
            let kept = newest.entry(fact.dossier_id).or_insert_with(|| fact.clone());
            if kept.seq < fact.seq {
                *kept = fact.clone();
            }
        }
        let facts: Vec<Fact> = newest.into_values().collect();
        transact!(store, |tx| {
            tables::apply(&tx, &facts, |_| Timestamp::from_micros(start())).await
        })
        .expect("applied");
    }
}
