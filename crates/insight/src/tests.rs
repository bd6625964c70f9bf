//! Figures kept by differences equal figures made anew, on every engine.

use std::collections::BTreeMap;

use ::store::{Store, testkit, transact};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::{Month, median, percent};

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
    )
        .prop_map(|(dossier, channel, account, status, hours, outcome)| Step {
            dossier,
            channel,
            account,
            status,
            hours,
            outcome,
        })
}

fn fact(step: &Step, seq: i64) -> Fact {
    let at = |h: i64| start() + h * HOUR;
    let ended = matches!(step.status, 3 | 7..=10);
    let received = step.status != 1;
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
        from,
        to: from.plus(48),
        by,
    };
    let (mut all, mut classes) = (Vec::new(), Vec::new());
    for by in [By::Month, By::Field, By::Procedure] {
        for row in counts(&db, &question(by)).await.expect("counters") {
            if !row.counts.is_zero() {
                all.push((row.line, row.counts, row.carried));
            }
        }
        for row in durations(&db, &question(by)).await.expect("durations") {
            if row.n != 0 {
                classes.push((row.line, row.bucket, row.n));
            }
        }
    }
    let mut standing: Vec<_> = super::standing(&db, None)
        .await
        .expect("standing")
        .into_iter()
        .map(|r| (r.agency, r.procedure_code, r.waiting, r.in_progress, r.paused))
        .collect();
    standing.sort();
    let mut people: Vec<_> = super::people(&db, None, 2026)
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

async fn put(store: &Store, facts: &[Fact]) {
    for fact in facts {
        transact!(store, |tx| { apply(&tx, fact, Timestamp::from_micros(start())).await }).expect("applied");
    }
}

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
                transact!(store, |tx| { clear(&tx).await }).expect("cleared");
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

/// Pages and API over a few facts.
mod published {
    use std::{path::Path, sync::Arc};

    use axum::{
        Extension, Router,
        body::Body,
        http::{Request, StatusCode},
    };
    use base::{Calendar, Lang, time::FixedClock};
    use dossier::service::{Config, Dossiers};
    use http_body_util::BodyExt;
    use identity::{Actor, Ctx, Entropy, IdentityState, Shell};
    use procedure::{package::CheckOptions, reference::Reference, shelf::Shelf};
    use tower::ServiceExt;

    use super::*;
    use crate::Insight;

    struct Site {
        app: Router,
        identity: IdentityState,
        insight: Insight,
        store: Store,
        now: Timestamp,
    }

    async fn sites() -> Vec<Site> {
        let sets = [
            identity::MIGRATIONS,
            procedure::shelf::MIGRATIONS,
            dossier::MIGRATIONS,
            crate::MIGRATIONS,
        ];
        let now = Month::new(2026, 4).map_or(Timestamp::default(), |m| m.start().plus_seconds(86_400 * 9));
        let mut sites = Vec::new();
        for store in testkit::stores(&sets).await {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            let shelf = Shelf::open(store.clone()).await.expect("an empty shelf");
            let package = root.join("catalogue/1.001193");
            shelf
                .put_dir(&package, &CheckOptions::default(), now)
                .await
                .expect("a good package");
            let calendar = include_str!("../../../data/calendar/viet-nam.toml");
            let calendar = Calendar::new(toml::from_str(calendar).expect("TOML")).expect("sound");
            let clock = Arc::new(FixedClock::at(now));
            let settings = identity::Config::default();
            let identity = IdentityState::new(
                store.clone(),
                settings,
                &[9; 32],
                clock,
                Entropy::system(),
                Shell::default(),
            );
            let identity = identity.expect("good settings");
            let reference = Arc::new(Reference::embedded().expect("reference data"));
            let config = Config::default();
            let dossiers = Dossiers::new(store.clone(), shelf, reference, calendar, identity.clone(), config);
            let insight = Insight::new(store.clone(), dossiers);
            let (api, _) = crate::api::router(insight.clone()).split_for_parts();
            let app = crate::pages::router(insight.clone()).merge(api);
            sites.push(Site {
                app,
                identity,
                insight,
                store,
                now,
            });
        }
        sites
    }

    impl Site {
        async fn get(&self, path: &str) -> (StatusCode, String) {
            let ctx = Ctx {
                actor: Actor::Anonymous,
                now: self.now,
                request_id: Uuid::from_u128(1),
                lang: Lang::Vi,
            };
            let app = self
                .app
                .clone()
                .layer(Extension(ctx))
                .layer(Extension(self.identity.clone()));
            let app = app.layer(Extension(Arc::new(view::Site::default())));
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let response = app.oneshot(request).await.expect("infallible");
            let status = response.status();
            let body = response.into_body().collect().await.expect("a whole body").to_bytes();
            (status, String::from_utf8_lossy(&body).into_owned())
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn figures_are_published_and_their_absence_is_said() {
        for site in sites().await {
            assert!(site.insight.headlines(site.now).await.expect("headlines").is_empty());
            let (status, body) = site.get("/publication").await;
            assert_eq!(status, StatusCode::OK);
            assert!(body.contains("Không có hồ sơ trong kỳ này"));

            // Two online of one account, decided early and late; one at the counter, open and overdue.
            let step = |dossier, channel, account, status, hours, outcome| Step {
                dossier,
                channel,
                account,
                status,
                hours,
                outcome,
            };
            let mut facts = [
                fact(&step(0, 0, Some(1), 10, [24, 24 * 20, 24 * 5], 0), 1),
                fact(&step(2, 0, Some(1), 9, [24, 24 * 20, 24 * 70], 2), 1),
                fact(&step(4, 1, None, 4, [24 * 32, 24 * 40, 0], 0), 1),
            ];
            for fact in &mut facts {
                "1.001193".clone_into(&mut fact.procedure_code);
            }
            put(&site.store, &facts).await;

            let (status, json) = site
                .get("/api/v1/publication?from=2026-01&to=2026-04&by=procedure")
                .await;
            assert_eq!(status, StatusCode::OK, "{json}");
            let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            let total = &json["total"];
            for (name, value) in [
                ("received", 3),
                ("received_online", 2),
                ("received_counter", 1),
                ("solved_early", 1),
                ("solved_on_time", 0),
                ("solved_late", 1),
                ("unfinished_late", 1),
            ] {
                assert_eq!(total[name], value, "{name}");
            }
            assert_eq!(total["on_time_percent"], 33.33);
            assert_eq!(total["online_percent"], 66.67);
            assert_eq!(total["now"]["overdue"], 1);
            assert_eq!(json["lines"][0]["key"], "1.001193");

            // January alone: the late one was not decided yet, but overdue when the month ended.
            let (_, json) = site.get("/api/v1/publication?from=2026-01&to=2026-01").await;
            let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            assert_eq!(json["total"]["unfinished_late"], 1);
            assert_eq!(json["lines"][0]["on_time_percent"], 50.0);
            let (_, json) = site.get("/api/v1/publication?from=2025-01&to=2025-02").await;
            let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            assert!(json["total"]["on_time_percent"].is_null());

            let (_, json) = site.get("/api/v1/publication/services?year=2026").await;
            let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            let service = &json["services"][0];
            assert_eq!(service["online_people"], 1);
            assert_eq!(service["offline_people"], 1);
            assert_eq!(service["people_ratio"], 1.0);

            let (_, csv) = site.get("/api/v1/publication.csv?by=field").await;
            assert!(csv.starts_with("\u{feff}Mã,Tên,Tiếp nhận"), "{csv}");

            let (status, problems) = site.get("/api/v1/publication?from=nay&to=2026-13&by=week").await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            let problems: serde_json::Value = serde_json::from_str(&problems).expect("JSON");
            assert_eq!(problems["problems"].as_array().map(Vec::len), Some(3));
            assert_eq!(
                site.get("/api/v1/publication?agency=%00").await.0,
                StatusCode::NOT_FOUND
            );
            assert_eq!(site.get("/publication/nowhere").await.0, StatusCode::NOT_FOUND);

            let shots = std::env::var_os("INSIGHT_PAGES");
            for (name, path) in [
                ("all", "/publication?period=2026"),
                ("agency", "/publication/H57.0?period=2026-Q1"),
                ("month", "/publication?period=2026-01"),
                ("services", "/publication/services"),
                ("method", "/publication/method"),
            ] {
                let (status, body) = site.get(path).await;
                assert_eq!(status, StatusCode::OK, "{path}");
                if let Some(dir) = &shots {
                    std::fs::write(Path::new(dir).join(format!("{name}.html")), body).expect("written");
                }
            }
            assert!(site.get("/publication?period=2026").await.1.contains("33,33 %"));
            let headlines = site.insight.headlines(site.now).await.expect("headlines");
            assert_eq!(headlines.first().map(|h| h.value.as_str()), Some("3"));
            // Nothing of this came from dossiers, so nothing is left when all is made anew.
            site.insight.rebuild(&mut |_| ()).await.expect("rebuilt");
            assert!(site.insight.agencies().await.expect("agencies").is_empty());
        }
    }
}
