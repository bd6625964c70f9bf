//! What is kept incrementally is what a judgement of everything would give, whatever was written in which order and whatever broke off.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base::Timestamp;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use registry::service::{Change, Fresh, Provenance, Target, With, Written};
use serde_json::{Value, json};
use store::{Read as _, Row, Store, params, sea_orm};
use uuid::Uuid;

use crate::town::{Town, code, day, key, member, seen, towns};

/// Everything that quality keeps of a registry.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    standing: BTreeMap<Uuid, (bool, Vec<u8>)>,
    ties: BTreeSet<(i64, Vec<u8>, Uuid)>,
    broken: BTreeSet<(Uuid, String, String)>,
    counts: BTreeMap<String, i64>,
}

impl Town {
    async fn kept(&self) -> Kept {
        #[derive(Row)]
        struct Standing {
            record_id: Uuid,
            counts: bool,
            keys: Vec<u8>,
        }
        #[derive(Row)]
        struct Tie {
            slot: i64,
            value: Vec<u8>,
            record_id: Uuid,
        }
        #[derive(Row)]
        struct Broken {
            record_id: Uuid,
            rule: String,
            dimension: String,
        }
        #[derive(Row)]
        struct Count {
            measure: String,
            n: i64,
        }
        let db = self.store.read();
        let standing: Vec<Standing> = db
            .all("SELECT record_id, counts, keys FROM registry_standing", params![])
            .await
            .expect("rows");
        let ties: Vec<Tie> = db
            .all("SELECT slot, value, record_id FROM registry_tie", params![])
            .await
            .expect("rows");
        let broken: Vec<Broken> = db
            .all(
                "SELECT record_id, rule, dimension FROM registry_finding WHERE state = 'open'",
                params![],
            )
            .await
            .expect("rows");
        let sql = "SELECT measure, CAST(SUM(n) AS BIGINT) AS n FROM registry_count GROUP BY measure";
        let counts: Vec<Count> = db.all(sql, params![]).await.expect("rows");
        Kept {
            standing: standing
                .into_iter()
                .map(|s| (s.record_id, (s.counts, s.keys)))
                .collect(),
            ties: ties.into_iter().map(|t| (t.slot, t.value, t.record_id)).collect(),
            broken: broken.into_iter().map(|b| (b.record_id, b.rule, b.dimension)).collect(),
            counts: counts
                .into_iter()
                .filter(|c| c.n != 0)
                .map(|c| (c.measure, c.n))
                .collect(),
        }
    }
}

/// The counters that these rows come to.
fn counted(kept: &Kept) -> BTreeMap<String, i64> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let mut dimensions = BTreeSet::new();
    for (record, rule, dimension) in &kept.broken {
        *counts.entry(format!("rule/{rule}")).or_default() += 1;
        if dimensions.insert((*record, dimension.clone())) {
            *counts.entry(format!("dimension/{dimension}")).or_default() += 1;
        }
    }
    let records = kept.standing.values().filter(|(counts, _)| *counts).count();
    if records > 0 {
        counts.insert("records".to_owned(), i64::try_from(records).expect("few"));
    }
    counts
}

/// What is written about one of a few records.
#[derive(Debug, Clone)]
enum Report {
    Assert {
        who: usize,
        month: u8,
        body: Value,
    },
    Correct {
        who: usize,
        nth: usize,
        month: u8,
        body: Value,
    },
    Void {
        who: usize,
        nth: usize,
    },
    End {
        who: usize,
        month: u8,
    },
    Erase {
        who: usize,
    },
    Wait {
        days: i64,
    },
}

const PEOPLE: usize = 6;

fn number(who: usize) -> String {
    format!("00119000{who:04}")
}

fn body(who: usize) -> impl Strategy<Value = Value> {
    let name = prop_oneof!["Nguyễn Thị An", "NGUYỄN THỊ AN"];
    let commune = proptest::option::of(prop_oneof!["00004", "00008"]);
    let cards = proptest::collection::vec(prop_oneof!["111111111", "222222222", "333333333"], 0..3);
    let sponsor = proptest::option::of(0..PEOPLE + 1);
    (name, commune, cards, sponsor).prop_map(move |(name, commune, mut cards, sponsor)| {
        cards.sort();
        cards.dedup();
        let mut body = json!({ "number": number(who), "name": name, "status": "alive", "cards": cards });
        if let Some(commune) = commune {
            body["commune"] = Value::from(commune);
        }
        if let Some(sponsor) = sponsor {
            body["sponsor"] = Value::from(number(sponsor));
        }
        body
    })
}

fn report() -> impl Strategy<Value = Report> {
    (0..PEOPLE).prop_flat_map(|who| {
        prop_oneof![
            6 => (1..13_u8, body(who)).prop_map(move |(month, body)| Report::Assert { who, month, body }),
            3 => (0..4_usize, 1..13_u8, body(who)).prop_map(move |(nth, month, body)| Report::Correct { who, nth, month, body }),
            1 => (0..4_usize).prop_map(move |nth| Report::Void { who, nth }),
            1 => (1..13_u8).prop_map(move |month| Report::End { who, month }),
            1 => Just(Report::Erase { who }),
            1 => (1..25_i64).prop_map(|days| Report::Wait { days }),
        ]
    })
}

impl Town {
    /// Writes what can be written; what the registry refuses (a key that is taken, nothing to end) is no matter here.
    async fn report(&self, known: &mut BTreeMap<usize, Written>, report: Report) {
        let from = |month: u8| day(&format!("2026-{month:02}-01"));
        let change = match report {
            Report::Wait { days } => return self.pass(days),
            Report::Erase { who } => {
                let Some(written) = known.remove(&who) else { return };
                let provenance = Provenance {
                    source: "Quyết định".to_owned(),
                    basis: "Luật số 91/2025/QH15".to_owned(),
                    dossier: None,
                };
                let erased = self
                    .registries
                    .erase(&self.steward(), &code(), seen(&written), &provenance)
                    .await;
                erased.expect("erased");
                return;
            }
            Report::Assert { who, month, body } => (
                who,
                Change::Assert {
                    target: known
                        .get(&who)
                        .map_or(Target::New, |written| Target::Known(seen(written))),
                    from: from(month),
                    to: None,
                    body,
                },
            ),
            Report::Correct { who, nth, month, body } => {
                let Some(written) = known.get(&who) else { return };
                let corrects = 1 + i64::try_from(nth).expect("small") % written.seq;
                let (record, from) = (seen(written), from(month));
                let with = With::Holds { from, to: None, body };
                (who, Change::Correct { record, corrects, with })
            }
            Report::Void { who, nth } => {
                let Some(written) = known.get(&who) else { return };
                let corrects = 1 + i64::try_from(nth).expect("small") % written.seq;
                let (record, with) = (seen(written), With::Void);
                (who, Change::Correct { record, corrects, with })
            }
            Report::End { who, month } => {
                let Some(written) = known.get(&who) else { return };
                let (record, at) = (seen(written), from(month));
                (who, Change::End { record, at })
            }
        };
        let provenance = Provenance {
            source: "Tờ khai".to_owned(),
            ..Provenance::default()
        };
        let (who, change) = change;
        let written = self
            .registries
            .write(&self.steward(), &code(), change, &provenance, &key())
            .await;
        match written {
            Ok(written) => drop(known.insert(who, written)),
            Err(error) => assert!(error.kind().is_some(), "{error}"),
        }
    }
}

#[tokio::test]
async fn what_is_kept_incrementally_is_what_judging_everything_gives() {
    let mut runner = TestRunner::deterministic();
    for town in towns().await {
        let mut known = BTreeMap::new();
        let mut ever = 0;
        for _ in 0..12 {
            let reports = proptest::collection::vec(report(), 1..12)
                .new_tree(&mut runner)
                .expect("reports");
            for report in reports.current() {
                town.report(&mut known, report).await;
            }
            town.settle().await;
            let kept = town.kept().await;
            assert_eq!(kept.counts, counted(&kept));
            ever += kept.broken.len();
            town.quality.judge_all(&town.steward(), &code()).await.expect("ordered");
            town.settle().await;
            assert_eq!(kept, town.kept().await);
        }
        assert!(ever > 20, "the reports break rules");
    }
}

impl Town {
    async fn found(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM registry_finding";
        let found: Option<i64> = self.store.read().scalar(sql, params![]).await.expect("a count");
        found.unwrap_or(0)
    }
}

/// Opens a town that judges, and ends it in the middle, as a crash does.
fn break_off(config: store::Config) -> i64 {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let found = runtime.block_on(async {
        let store = Store::open(&config).await.expect("the database opens");
        let sets = [store::MIGRATIONS, identity::MIGRATIONS, registry::MIGRATIONS];
        store
            .migrate(&sets, Timestamp::from_micros(1))
            .await
            .expect("the migrations run");
        let town = Town::over(store).await;
        let provenance = Provenance {
            source: "Nhập sổ".to_owned(),
            ..Provenance::default()
        };
        for piece in 0..2 {
            let fresh: Vec<Fresh> = (piece * 350..(piece + 1) * 350)
                .map(|n| Fresh {
                    from: day("2026-01-01"),
                    to: None,
                    body: member(&format!("00119000{n:04}"), "NGUYỄN THỊ AN"),
                })
                .collect();
            let (ctx, key) = (town.steward(), format!("k{piece}"));
            let added = town
                .registries
                .add_many(&ctx, &code(), &fresh, &provenance, &key, true)
                .await;
            assert!(added.expect("added").iter().all(Result::is_ok));
        }
        let (stop, stopped) = tokio::sync::watch::channel(false);
        tokio::spawn(town.runner().run(stopped));
        while town.found().await == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let found = town.found().await;
        drop(stop);
        found
    });
    runtime.shutdown_background();
    found
}

#[tokio::test]
async fn what_broke_off_half_way_is_gone_on_with_and_nothing_is_found_twice() {
    for config in store::testkit::configs().await {
        let broken_off = tokio::task::spawn_blocking({
            let config = config.clone();
            move || break_off(config)
        });
        let before = broken_off.await.expect("it broke off");
        let town = Town::over(Store::open(&config).await.expect("the database opens")).await;
        assert!(
            before < 700 && town.found().await < 700,
            "it broke off too late to show anything"
        );
        // The lease of what had begun runs out.
        town.clock.set(town.now().plus_seconds(600));
        town.settle().await;
        assert_eq!(town.found().await, 700);
        let kept = town.kept().await;
        assert_eq!(kept.counts, counted(&kept));
        assert_eq!(kept.counts["rule/name-written"], 700);
    }
}
