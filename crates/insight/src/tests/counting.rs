//! Made-up facts: every order, every status, jobs that run twice.

use std::collections::BTreeMap;

use ::store::{testkit, transact};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Step, everything, fact, put, step};
use crate::{
    model::{Effect, Fact, Measure, Month, median, percent},
    store as tables,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn kept_by_differences_equals_made_anew(steps in prop::collection::vec(step(), 1..30), doubled in 0_usize..30) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut facts: Vec<Fact> = steps.iter().zip(1..).map(|(s, seq)| fact(s, seq)).collect();
            // A job that ran twice, and one that was overtaken.
            let again = facts[doubled % facts.len()].clone();
            facts.push(again);
            let mut last: BTreeMap<Uuid, Fact> = BTreeMap::new();
            for f in &facts {
                let kept = last.entry(f.dossier_id).or_insert_with(|| f.clone());
                if kept.seq < f.seq {
                    *kept = f.clone();
                }
            }
            for store in testkit::stores(&[crate::MIGRATIONS]).await {
                put(&store, &facts).await;
                let incremental = everything(&store).await;
                let sum: i64 = incremental.counts.iter().filter(|(line, ..)| line == "G15-TP07").map(|(_, c, _)| c.get(Measure::Received)).sum();
                let received = last.values().filter(|f| f.received_at.is_some()).count();
                assert_eq!(usize::try_from(sum).ok(), Some(received));
                transact!(store, |tx| { tables::clear(&tx).await }).expect("cleared");
                put(&store, &last.values().cloned().collect::<Vec<_>>()).await;
                let anew = everything(&store).await;
                assert_eq!(&incremental.counts, &anew.counts);
                assert_eq!(&incremental.durations, &anew.durations);
                assert_eq!(&incremental.people, &anew.people);
                assert_eq!(&incremental.standing, &anew.standing);
                store.close().await;
            }
        });
    }
}

#[test]
fn medians_lie_within_their_class() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[(0, 1)]), Some(30.0));
    assert_eq!(median(&[(1, 1), (8, 2), (40, 1)]), Some(8.5 * 60.0));
}

#[test]
fn nothing_of_nothing_is_no_percentage() {
    assert_eq!(percent(0, 0), None);
    assert_eq!(percent(2, 3), Some(66.67));
}

#[test]
fn late_across_months_is_carried_to_each() {
    let step = Step {
        dossier: 0,
        channel: 0,
        account: None,
        status: 9,
        hours: [24, 24 * 20, 24 * 70],
        outcome: 2,
    };
    let effect = Effect::change(None, &fact(&step, 1));
    let carried = |month| {
        let month = Month::new(2026, month).expect("a month");
        effect
            .figures
            .iter()
            .find(|((_, m), _)| *m == month)
            .map_or(0, |(_, c)| c.get(Measure::CarriedLate))
    };
    // Due on 21 January, ended on 13 March.
    assert_eq!((carried(1), carried(2), carried(3)), (1, 1, 0));
}
