//! Records on real databases: the two times, two stewards, keys, erasure, purposes.

mod events;
mod fold;
mod migration;
mod offered;
mod orders;
mod takeover;
mod times;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use base::{Error, Kind, Timestamp, time::FixedClock};
use futures::future::join;
use identity::{Actor, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, Permission, Role, Roles, Shell};
use ledger::{Algorithm, FileKey, Ledger, Ledgers, Log, Options, Signer as _};
use procedure::reference::Reference;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use registry::{
    folder,
    history::{Effect, Entry, Moment},
    model::{RegistryCode, ValidTime},
    service::{
        self, Asked, Change, Feed, Fresh, Mask, Provenance, Purpose, Query, Registries, Seen, Sort, Target, Times,
        When, With, Written,
    },
    shelf::Shelf,
};
use serde_json::{Value, json};
use store::{Read as _, Store};
use uuid::Uuid;

static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant")
}

fn population() -> RegistryCode {
    "population".parse().expect("a code")
}

struct Office {
    registries: Registries,
    identity: IdentityState,
    store: Store,
}

async fn offices() -> Vec<Office> {
    let sets = [identity::MIGRATIONS, exchange::MIGRATIONS, registry::MIGRATIONS];
    let mut offices = Vec::new();
    for store in store::testkit::stores(&sets).await {
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        for code in ["population", "civil-status", "social-insurance", "enterprises"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../registries")
                .join(code);
            let files = folder::read(&folder).expect("files");
            shelf.publish(&files, "test", now()).await.expect("published");
        }
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(FixedClock::at(now())),
            Entropy::system(),
            Shell::default(),
        )
        .expect("good settings");
        offices.push(Office {
            registries: Registries::new(store.clone(), shelf, identity.clone()),
            identity,
            store,
        });
    }
    offices
}

fn officer(name: &str, agency: &str, role: Role) -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(name.len() as u128)),
            name: name.to_owned(),
            title: String::new(),
            agency: agency.to_owned(),
            roles: Roles::of(&[role]),
        }),
        now: now(),
        request_id: Uuid::nil(),
        lang: base::Lang::Vi,
    }
}

fn steward() -> Ctx {
    officer("Trần Thị Bình", "G01", Role::Steward)
}

fn purpose() -> Purpose {
    Purpose::read("dossier.verify", "", "H42.28-260821-0001").expect("a purpose")
}

fn provenance() -> Provenance {
    Provenance {
        source: "Tờ khai CT01".to_owned(),
        ..Provenance::default()
    }
}

/// The log of a node, as it is given to the registries.
fn kept(log: &Arc<Log>) -> Ledger {
    Ledger {
        log: Arc::clone(log),
        keys: Vec::new(),
    }
}

fn day(text: &str) -> Moment {
    Moment::parse(text, ValidTime::Day).expect("a day")
}

fn person(number: &str, name: &str, commune: &str) -> Value {
    json!({
        "person_number": number, "name": name, "birth_date": "1990-05-17", "sex": "female", "nationality": "VN", "status": "alive",
        "residence": {"province": "01", "commune": commune},
    })
}

fn assert_new(body: Value, from: &str) -> Change {
    Change::Assert {
        target: Target::New,
        from: day(from),
        to: None,
        body,
    }
}

fn known(seen: &Written) -> Seen {
    Seen {
        record: seen.record,
        seq: seen.seq,
    }
}

/// A new key of a request.
fn key() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

impl Office {
    async fn write(&self, change: Change) -> Written {
        let written = self
            .registries
            .write(&steward(), &population(), change, &provenance(), &key())
            .await;
        written.expect("taken in")
    }

    async fn refused(&self, ctx: &Ctx, change: Change) -> (Kind, Vec<String>) {
        let written = self
            .registries
            .write(ctx, &population(), change, &provenance(), &key())
            .await;
        codes(&written.expect_err("refused"))
    }
}

fn codes(error: &Error) -> (Kind, Vec<String>) {
    let problems = error.problems().expect("a refusal");
    for problem in problems {
        assert!(!problem.text.vi.is_empty() && !problem.text.en.is_empty());
    }
    let codes = problems.iter().map(|p| p.code.clone()).collect();
    (error.kind().expect("a refusal"), codes)
}

#[tokio::test]
async fn a_move_a_correction_and_a_late_report() {
    for office in offices().await {
        let number = "001190000017";
        let first = office
            .write(assert_new(person(number, "Nguyễn Thị An", "00004"), "2025-07-01"))
            .await;
        let move_to = |seen: &Written, commune: &str, from: &str| Change::Assert {
            target: Target::Known(known(seen)),
            from: day(from),
            to: None,
            body: person(number, "Nguyễn Thị An", commune),
        };
        let second = office.write(move_to(&first, "00008", "2026-06-01")).await;
        let third = office.write(move_to(&second, "00025", "2026-01-15")).await;
        let read = |as_of: &'static str, known_at: Option<Timestamp>| {
            let (registries, when) = (
                office.registries.clone(),
                When {
                    as_of: Some(day(as_of)),
                    known_at,
                },
            );
            async move {
                let view = registries
                    .read(&steward(), &purpose(), &population(), number, when, &Mask::ALL)
                    .await;
                view.map(|view| {
                    view.body["residence"]["commune"]
                        .as_str()
                        .expect("a commune")
                        .to_owned()
                })
            }
        };
        let commune = async |as_of, known_at| read(as_of, known_at).await.expect("held");
        assert_eq!(commune("2025-12-01", None).await, "00004");
        assert_eq!(commune("2026-02-01", None).await, "00025");
        assert_eq!(commune("2026-06-01", None).await, "00008");
        // Before the late report came, nobody knew better.
        assert_eq!(commune("2026-02-01", Some(second.recorded_at)).await, "00004");
        assert_eq!(commune("2026-06-01", Some(first.recorded_at)).await, "00004");
        let before = read("2025-06-01", None).await.expect_err("nothing held");
        assert_eq!(before.kind(), Some(Kind::NotFound));

        // The move of June was to another place, and a month earlier.
        let fourth = office
            .write(Change::Correct {
                record: known(&third),
                corrects: second.seq,
                with: With::Holds {
                    from: day("2026-05-01"),
                    to: None,
                    body: person(number, "Nguyễn Thị An", "00070"),
                },
            })
            .await;
        assert_eq!(commune("2026-05-15", None).await, "00070");
        assert_eq!(commune("2026-05-15", Some(third.recorded_at)).await, "00025");
        assert_eq!(commune("2026-06-15", Some(third.recorded_at)).await, "00008");

        let (_, history) = office
            .registries
            .history(
                &steward(),
                &purpose(),
                &population(),
                number,
                When::default(),
                &Mask::ALL,
            )
            .await
            .expect("a history");
        assert_eq!(history.iter().map(|v| v.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(history[3].corrects, Some(2));
        assert_eq!(history[1].body.as_ref().expect("kept")["residence"]["commune"], "00008");
        assert_eq!(history[0].source.as_deref(), Some("Tờ khai CT01"));
        assert!(history[0].basis.contains("26/2023/QH15"));

        // She is found where she lives, then and now.
        let residents = async |commune: &str, when: When| {
            let query = Query {
                asked: vec![asked("residence.commune", commune)],
                when,
                limit: 10,
                ..Query::default()
            };
            let listed = office
                .registries
                .list(&steward(), &purpose(), &population(), &query)
                .await;
            listed.expect("a list").items.len()
        };
        let then = When {
            as_of: Some(day("2026-06-15")),
            known_at: Some(third.recorded_at),
        };
        assert_eq!(
            (
                residents("00070", When::default()).await,
                residents("00008", When::default()).await
            ),
            (1, 0)
        );
        assert_eq!((residents("00070", then).await, residents("00008", then).await), (0, 1));

        // The same person twice is refused; two stewards at once, and one of them is told of the other.
        let twice = assert_new(person(number, "Nguyễn Thị An", "00004"), "2026-11-01");
        assert_eq!(
            office.refused(&steward(), twice).await,
            (Kind::Conflict, vec!["key-taken".to_owned()])
        );
        let (a, b) = (officer("Lê Văn Cường", "G01", Role::Steward), steward());
        let end = |at| Change::End {
            record: known(&fourth),
            at: day(at),
        };
        let code = population();
        let source = provenance();
        let (one, other) = join(
            office.registries.write(&a, &code, end("2026-11-01"), &source, "a"),
            office.registries.write(&b, &code, end("2026-11-02"), &source, "b"),
        )
        .await;
        let (winner, loser) = if one.is_ok() {
            ("Lê Văn Cường", other)
        } else {
            ("Trần Thị Bình", one)
        };
        let error = loser.expect_err("one of them was faster");
        assert_eq!(codes(&error), (Kind::Conflict, vec!["record-changed".to_owned()]));
        assert!(error.to_string().starts_with(winner), "{error}");
        // Now the key is free again.
        office
            .write(assert_new(person(number, "Nguyễn Thị An", "00004"), "2026-11-03"))
            .await;
    }
}

fn asked(field: &str, value: &str) -> Asked {
    Asked {
        field: field.parse().expect("a field"),
        operator: registry::model::Operator::Eq,
        value: Some(value.to_owned()),
        upto: None,
    }
}

#[tokio::test]
async fn what_is_stored_is_the_fold_for_all_moments_and_all_knowledge() {
    for office in offices().await {
        let mut runner = TestRunner::deterministic();
        let strategy = proptest::collection::vec(fold::report(), 1..9);
        for n in 0..16 {
            let reports = strategy.new_tree(&mut runner).expect("a history").current();
            let number = format!("00119{n:07}");
            let first = fold::Report::Assert {
                from: 0,
                length: Some(1),
            };
            let reports: Vec<_> = std::iter::once(first).chain(reports).collect();
            compare(&office, &number, &fold::entries(&reports)).await;
        }
    }
}

/// Days of the tests: since 2026-01-01.
fn shifted(moment: Moment) -> Moment {
    Moment::from_stored(moment.stored() + day("2026-01-01").stored())
}

async fn compare(office: &Office, number: &str, entries: &[Entry]) {
    let name = |seq: i64| {
        format!(
            "Nguyễn Thị An {}",
            ["Không", "Một", "Hai", "Ba", "Bốn", "Năm", "Sáu", "Bảy", "Tám", "Chín"][seq as usize]
        )
    };
    let mut seen: Option<Written> = None;
    // The versions that were taken in, with when, and their numbers here for the numbers there.
    let mut taken: Vec<(Entry, Timestamp)> = Vec::new();
    let mut numbers = std::collections::HashMap::new();
    for entry in entries {
        let seq = taken.len() as i64 + 1;
        let body = person(number, &name(seq), "00004");
        let effect = match entry.effect {
            Effect::Holds { from, to } => Effect::Holds {
                from: shifted(from),
                to: to.map(shifted),
            },
            Effect::Ends { at } => Effect::Ends { at: shifted(at) },
            Effect::Void => Effect::Void,
        };
        let corrects = match entry.corrects.map(|corrects| numbers.get(&corrects).copied()) {
            Some(None) => continue,
            Some(Some(corrects)) => Some(corrects),
            None => None,
        };
        let change = match (corrects, effect, &seen) {
            (None, Effect::Holds { from, to }, seen) => Change::Assert {
                target: seen.as_ref().map_or(Target::New, |seen| Target::Known(known(seen))),
                from,
                to,
                body,
            },
            (None, Effect::Ends { at }, Some(seen)) => Change::End {
                record: known(seen),
                at,
            },
            (Some(corrects), effect, Some(seen)) => Change::Correct {
                record: known(seen),
                corrects,
                with: match effect {
                    Effect::Holds { from, to } => With::Holds { from, to, body },
                    Effect::Ends { at } => With::Ends { at },
                    Effect::Void => With::Void,
                },
            },
            _ => continue,
        };
        let ctx = steward();
        match office
            .registries
            .write(&ctx, &population(), change, &provenance(), &key())
            .await
        {
            Ok(written) => {
                numbers.insert(entry.seq, seq);
                let effect = match entry.effect {
                    Effect::Ends { .. } if entry.corrects.is_none() => entry.effect,
                    other => other,
                };
                taken.push((Entry { seq, effect, corrects }, written.recorded_at));
                seen = Some(written);
            }
            // There was nothing to end.
            Err(error) => assert_eq!(codes(&error).1, ["nothing-holds"]),
        }
    }
    let record = seen.expect("the first is taken").record.to_string();
    for upto in 1..=taken.len() {
        let entries: Vec<Entry> = taken[..upto].iter().map(|(entry, _)| *entry).collect();
        let known_at = (upto < taken.len()).then(|| taken[upto - 1].1);
        for (at, expected) in fold::moment_by_moment(&entries).into_iter().enumerate() {
            let when = When {
                as_of: Some(shifted(Moment::from_stored(at as i64))),
                known_at,
            };
            let view = office
                .registries
                .read(&steward(), &purpose(), &population(), &record, when, &Mask::ALL)
                .await;
            let speaks = expected.filter(|(_, ended)| !ended).map(|(seq, _)| seq);
            assert_eq!(
                view.as_ref().ok().map(|view| view.seq),
                speaks,
                "{at} known {known_at:?} of {taken:?}"
            );
            if let (Some(seq), Ok(view)) = (speaks, &view) {
                assert_eq!(view.body["name"], name(seq));
                let query = Query {
                    asked: vec![asked("name", &name(seq)), asked("person_number", number)],
                    when,
                    limit: 2,
                    ..Query::default()
                };
                let listed = office
                    .registries
                    .list(&steward(), &purpose(), &population(), &query)
                    .await
                    .expect("a list");
                assert_eq!(listed.items.iter().map(|view| view.seq).collect::<Vec<_>>(), [seq]);
            }
        }
    }
}

#[tokio::test]
async fn many_at_once_are_listed_filtered_sorted_and_paged() {
    for office in offices().await {
        let code = population();
        let names = [
            "Đặng Văn Đô",
            "Bùi Thị Lan",
            "Đặng Thị Ánh",
            "An Bình",
            "Đàm Vĩnh",
            "Trần Đăng",
        ];
        let mut fresh: Vec<Fresh> = (0..60)
            .map(|n| Fresh {
                from: day("2026-01-01"),
                to: None,
                body: person(&format!("00119000{n:04}"), names[n % names.len()], "00004"),
            })
            .collect();
        for n in (0..60).step_by(4) {
            fresh[n].body["birth_date"] = json!("1990-01-15");
        }
        fresh[7].body["birth_date"] = json!("1990-02-30");
        fresh[9].body = fresh[8].body.clone();
        let add = async |key: &str, whole| {
            let added = office
                .registries
                .add_many(&steward(), &code, &fresh, &provenance(), key, whole)
                .await;
            added.expect("judged")
        };
        let whole = add("whole", true).await;
        assert_eq!(
            whole.iter().filter(|one| one.is_err()).count(),
            60,
            "nothing is taken in"
        );
        let added = add("good", false).await;
        let wrong: Vec<usize> = added
            .iter()
            .enumerate()
            .filter(|(_, one)| one.is_err())
            .map(|(n, _)| n)
            .collect();
        assert_eq!(wrong, [7, 9]);
        assert_eq!(add("good", false).await, added, "the same key gives the same answer");
        assert!(
            add("again", false).await.iter().all(Result::is_err),
            "all keys are taken"
        );

        let walk = async |asked: Vec<Asked>, sort: Option<Sort>| {
            let mut query = Query {
                asked,
                sort,
                limit: 7,
                ..Query::default()
            };
            let mut found = Vec::new();
            loop {
                let page = office
                    .registries
                    .list(&steward(), &purpose(), &code, &query)
                    .await
                    .expect("a page");
                assert!(page.items.len() <= 7);
                found.extend(page.items);
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => return found,
                }
            }
        };
        let all = walk(Vec::new(), None).await;
        assert_eq!(all.len(), 58);
        assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
        let prefix = |text: &str| Asked {
            operator: registry::model::Operator::Prefix,
            ..asked("name", text)
        };
        let dang = walk(vec![prefix("dang")], None).await;
        assert_eq!(dang.len(), 20);
        let folded: Vec<String> = dang
            .iter()
            .map(|v| base::text::fold(v.body["name"].as_str().expect("a name")))
            .collect();
        assert!(folded.is_sorted() && folded.iter().all(|name| name.starts_with("dang")));
        let both = walk(vec![prefix("đặng"), asked("residence.commune", "00004")], None).await;
        assert_eq!(both.len(), 20);
        assert!(
            walk(vec![prefix("đặng"), asked("residence.commune", "00008")], None)
                .await
                .is_empty()
        );
        let sort = Sort {
            field: "name".parse().expect("a field"),
            descending: true,
        };
        let sorted = walk(Vec::new(), Some(sort)).await;
        let folded: Vec<String> = sorted
            .iter()
            .map(|v| base::text::fold(v.body["name"].as_str().expect("a name")))
            .collect();
        assert_eq!(folded.len(), 58);
        assert!(folded.iter().rev().is_sorted());
        let born = Asked {
            operator: registry::model::Operator::Range,
            value: Some("1990".into()),
            upto: Some("1990-05".into()),
            ..asked("birth_date", "")
        };
        assert_eq!(walk(vec![born], None).await.len(), 58);
        // Two ranges at once, few of many: whichever leads, pages are whole and nothing is passed over.
        let in_january = Asked {
            operator: registry::model::Operator::Range,
            value: Some("1990-01".into()),
            upto: Some("1990-01".into()),
            ..asked("birth_date", "")
        };
        let text = |body: &Value, field: &str| body[field].as_str().expect("a text").to_owned();
        let both = all.iter().filter(|v| {
            base::text::fold(&text(&v.body, "name")).starts_with("dang")
                && text(&v.body, "birth_date").starts_with("1990-01")
        });
        let expected: BTreeSet<_> = both.map(|v| v.id).collect();
        assert!((3..20).contains(&expected.len()), "{}", expected.len());
        let sorts = ["name", "birth_date"].map(|field| Sort {
            field: field.parse().expect("a field"),
            descending: true,
        });
        for sort in sorts.into_iter().map(Some).chain([None]) {
            let both = walk(vec![prefix("đặng"), in_january.clone()], sort).await;
            assert_eq!(both.len(), expected.len());
            assert_eq!(both.iter().map(|v| v.id).collect::<BTreeSet<_>>(), expected);
        }

        let bad = Query {
            asked: vec![asked("sex", "female")],
            limit: 7,
            ..Query::default()
        };
        let error = office
            .registries
            .list(&steward(), &purpose(), &code, &bad)
            .await
            .expect_err("no filter");
        assert_eq!(codes(&error).1, ["cannot-filter"]);
        let bad = Query {
            after: Some("nowhere".into()),
            limit: 7,
            ..Query::default()
        };
        assert!(
            office
                .registries
                .list(&steward(), &purpose(), &code, &bad)
                .await
                .is_err()
        );

        // The feed tells each once, in order; without a purpose not what it says.
        let mut after = None;
        let mut told = Vec::new();
        loop {
            let page = office
                .registries
                .changes(
                    &steward(),
                    None,
                    &code,
                    Feed {
                        after,
                        limit: 25,
                        ..Feed::default()
                    },
                    &Mask::ALL,
                )
                .await
                .expect("changes");
            assert!(page.items.iter().all(|change| change.version.body.is_none()));
            told.extend(page.items.iter().map(|change| change.version.recorded_at));
            match page.next {
                Some(next) => after = next.parse().ok(),
                None => break,
            }
        }
        assert_eq!(told.len(), 58);
        assert!(told.windows(2).all(|pair| pair[0] < pair[1]));
        let page = office
            .registries
            .changes(
                &steward(),
                Some(&purpose()),
                &code,
                Feed {
                    limit: 1,
                    ..Feed::default()
                },
                &Mask::of(vec!["name".parse().expect("a field")]),
            )
            .await;
        let change = page.expect("changes").items.remove(0);
        assert_eq!(change.version.body, Some(json!({"name": names[0]})));
    }
}

#[tokio::test]
async fn nobody_reads_or_writes_without_right_and_purpose_and_each_read_is_told() {
    for office in offices().await {
        let code = population();
        let change = || assert_new(person("001190000017", "Nguyễn Thị An", "00004"), "2025-07-01");
        for ctx in [
            officer("Ai Đó", "G01", Role::Specialist),
            officer("Ai Đó", "G01", Role::Reader),
            officer("Ai Đó", "G15", Role::Steward),
        ] {
            assert_eq!(office.refused(&ctx, change()).await.0, Kind::Forbidden);
        }
        let anonymous = Ctx {
            actor: Actor::Anonymous,
            ..steward()
        };
        assert_eq!(office.refused(&anonymous, change()).await.0, Kind::Unauthenticated);
        let first = office.write(change()).await;
        assert!(!first.noted.iter().any(|rule| rule.as_str() == "has-residence"));
        // A body that is wrong is refused whole, at its fields.
        let mut wrong = person("001190000017", "", "99999");
        wrong["shoe_size"] = json!(38);
        let (kind, found) = office.refused(&steward(), assert_new(wrong, "2025-07-01")).await;
        assert_eq!(kind, Kind::Invalid);
        for code in ["out-of-bounds", "unknown-field", "not-in-list"] {
            assert!(found.iter().any(|found| found == code), "{found:?}");
        }
        // The same request twice happens once; another under its key is refused.
        let source = provenance();
        let end = || Change::End {
            record: known(&first),
            at: day("2026-01-01"),
        };
        let written = office
            .registries
            .write(&steward(), &code, end(), &source, "k")
            .await
            .expect("ended");
        assert_eq!(
            office
                .registries
                .write(&steward(), &code, end(), &source, "k")
                .await
                .expect("again"),
            written
        );
        let error = office
            .registries
            .write(&steward(), &code, change(), &source, "k")
            .await
            .expect_err("another");
        assert_eq!(codes(&error).1, ["idempotency-key-reused"]);

        for (purpose, basis, dossier, code) in [
            ("", "", "", "purpose-missing"),
            ("Vì Tôi Muốn", "", "", "purpose-malformed"),
            ("audit", "a\nb", "", "basis-malformed"),
        ] {
            let error = Purpose::read(purpose, basis, dossier).expect_err("no purpose");
            assert_eq!(codes(&error).1, [code]);
        }
        let reader = officer("Lê Thị Đọc", "G01", Role::Reader);
        let when = When {
            as_of: Some(day("2025-08-01")),
            known_at: None,
        };
        let mask = Mask::of(vec!["name".parse().expect("a field")]);
        // Nothing is read without its cause, and nobody is told of what was not shown.
        let no_cause = Purpose::read("dossier.verify", "", "").expect("a purpose");
        let one = office
            .registries
            .read(&reader, &no_cause, &code, "001190000017", when, &mask)
            .await;
        let past = office
            .registries
            .history(&reader, &no_cause, &code, "001190000017", when, &mask)
            .await;
        let feed = Feed {
            after: None,
            known_at: None,
            limit: 10,
        };
        let feed = office
            .registries
            .changes(&reader, Some(&no_cause), &code, feed, &mask)
            .await;
        for error in [one.map(drop), past.map(drop), feed.map(drop)] {
            assert_eq!(codes(&error.expect_err("refused")).1, ["dossier-missing"]);
        }
        let view = office
            .registries
            .read(&reader, &purpose(), &code, "001190000017", when, &mask)
            .await
            .expect("read");
        assert_eq!(view.body, json!({"name": "Nguyễn Thị An"}));
        assert_eq!((view.seq, view.newest), (1, 2));
        let stranger = officer("Ai Đó", "G15", Role::Reader);
        let error = office
            .registries
            .read(&stranger, &purpose(), &code, "001190000017", when, &mask)
            .await
            .expect_err("not theirs");
        assert_eq!(error.kind(), Some(Kind::Forbidden));
        assert!(reader.may(Permission::ReadRegistry, &identity::Scope::Agency("G01".into())));

        let auditor = officer("Kiểm Tra", "G01", Role::Auditor);
        let (reads, _) = office
            .identity
            .agency_reads(&auditor, "G01", None, None)
            .await
            .expect("reads");
        assert_eq!(reads.len(), 1);
        assert_eq!(
            (reads[0].actor.as_str(), reads[0].dossier.as_deref()),
            ("Lê Thị Đọc", Some("H42.28-260821-0001"))
        );
        assert!(
            reads[0].what.contains("Họ, chữ đệm và tên")
                && reads[0]
                    .what
                    .contains("mục đích: Xác minh thông tin khi giải quyết hồ sơ;"),
            "{}",
            reads[0].what
        );
    }
}

/// As after a large file was taken in while nobody served: the node starts at once, and leaves follow.
#[tokio::test]
async fn a_start_does_not_wait_for_the_leaves_of_what_came_before() {
    const MANY: u64 = 530;
    for office in offices().await {
        for n in 0..MANY {
            let person = person(&format!("001190{n:06}"), "Nguyễn Văn An", "00004");
            office.write(assert_new(person, "2025-07-01")).await;
        }
        store::transact!(office.store, |tx| { tx.exec("DELETE FROM job", vec![]).await }).expect("no order is left");
        let folder = tempfile::tempdir().expect("a folder");
        let signer = FileKey::generate("g01.gov.vn/ledger", Algorithm::Ed25519).expect("a key");
        let log = Log::open(folder.path(), Options::new("g01.gov.vn/ledger", Arc::new(signer))).expect("a log");
        let log = Arc::new(log);
        office.registries.keep_in(kept(&log), now()).await.expect("kept");
        assert!(log.size() < MANY, "{}", log.size());
        let orders = "SELECT COUNT(*) FROM job WHERE kind = 'registry.changed'";
        let orders: Option<i64> = office.store.read().scalar(orders, vec![]).await.expect("read");
        assert_eq!(orders, Some(1), "the rest is ordered");
        let rest = office.registries.keep_leaves(&population()).await.expect("leaves");
        assert_eq!((log.size(), rest > 0), (MANY, true));
    }
}

#[tokio::test]
async fn what_is_erased_is_gone_and_the_log_still_verifies() {
    for office in offices().await {
        let (code, folder) = (population(), tempfile::tempdir().expect("a folder"));
        let signer = FileKey::generate("g01.gov.vn/ledger", Algorithm::Ed25519).expect("a key");
        let policy = ledger::Policy::new(vec![signer.verifier()], Vec::new(), 0).expect("a policy");
        let log =
            Arc::new(Log::open(folder.path(), Options::new("g01.gov.vn/ledger", Arc::new(signer))).expect("a log"));
        office.registries.keep_in(kept(&log), now()).await.expect("kept");
        let first = office
            .write(assert_new(
                person("001190000017", "Nguyễn Bí Mật", "00004"),
                "2025-07-01",
            ))
            .await;
        let other = office
            .write(assert_new(
                person("001190000025", "Trần Công Khai", "00004"),
                "2025-07-01",
            ))
            .await;
        assert_eq!(office.registries.keep_leaves(&code).await.expect("leaves"), 2);
        let second = office
            .write(Change::Assert {
                target: Target::Known(known(&first)),
                from: day("2026-01-01"),
                to: None,
                body: person("001190000017", "Nguyễn Bí Mật", "00008"),
            })
            .await;
        let no_law = office
            .registries
            .erase(&steward(), &code, known(&second), &provenance())
            .await;
        assert_eq!(codes(&no_law.expect_err("no law")).1, ["required"]);
        let law = Provenance {
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 14".to_owned(),
            ..provenance()
        };
        let stale = office.registries.erase(&steward(), &code, known(&first), &law).await;
        assert_eq!(codes(&stale.expect_err("stale")).1, ["record-changed"]);
        let erased = office
            .registries
            .erase(&steward(), &code, known(&second), &law)
            .await
            .expect("erased");
        assert_eq!(office.registries.keep_leaves(&code).await.expect("leaves"), 2);

        let anything = When {
            as_of: Some(day("2026-02-01")),
            known_at: Some(second.recorded_at),
        };
        for when in [When::default(), anything] {
            for key in ["001190000017".to_owned(), first.record.to_string()] {
                let read = office
                    .registries
                    .read(&steward(), &purpose(), &code, &key, when, &Mask::ALL)
                    .await;
                assert_eq!(read.expect_err("gone").kind(), Some(Kind::NotFound));
            }
        }
        let (_, history) = office
            .registries
            .history(
                &steward(),
                &purpose(),
                &code,
                &first.record.to_string(),
                When::default(),
                &Mask::ALL,
            )
            .await
            .expect("a history");
        assert_eq!(history.len(), 3);
        assert!(history.iter().all(|version| version.body.is_none()));
        assert!(history[2].basis.contains("91/2025"));
        let sources: Vec<_> = history.iter().map(|version| version.source.as_deref()).collect();
        assert_eq!(
            sources,
            [Some(""), Some(""), Some(provenance().source.as_str())],
            "where it came from may name somebody"
        );
        let again = Change::End {
            record: known(&erased),
            at: day("2026-05-01"),
        };
        assert_eq!(office.refused(&steward(), again).await.1, ["record-erased"]);

        // In the log: two leaves are empty, all verify, and the disk has nothing of it.
        let open: Vec<bool> = (0..log.size())
            .map(|at| log.entry(at).expect("an entry").opening.is_some())
            .collect();
        assert_eq!(open, [false, true, false, true]);
        for at in 0..log.size() {
            let proof = log.prove(at).expect("a proof").to_string();
            ledger::verify(proof.as_bytes(), &policy, None).expect("it verifies");
        }
        let on_disk = |text: &str| contains(folder.path(), text.as_bytes());
        assert!(on_disk("Trần Công Khai") && !on_disk("Bí Mật"));
        let everywhere = office
            .registries
            .read(
                &steward(),
                &purpose(),
                &code,
                &other.record.to_string(),
                When::default(),
                &Mask::ALL,
            )
            .await;
        assert_eq!(everywhere.expect("the other is there").body["name"], "Trần Công Khai");

        // A crash between log and table: what the table lacks is read from the log, and nothing is written twice.
        store::transact!(office.store, |tx| {
            tx.exec("DELETE FROM registry_leaf WHERE leaf >= 1", vec![]).await
        })
        .expect("forgotten");
        let again = Registries::new(
            office.store.clone(),
            office.registries.shelf().clone(),
            office.identity.clone(),
        );
        again.keep_in(kept(&log), now()).await.expect("kept");
        assert!(log.size() <= 6, "{}", log.size());
        assert!((0..log.size()).all(|at| {
            !String::from_utf8_lossy(
                &log.entry(at)
                    .expect("an entry")
                    .opening
                    .map(|o| o.record)
                    .unwrap_or_default(),
            )
            .contains("Bí Mật")
        }));
    }
}

/// The law reaches what a node wrote before it changed its key.
#[tokio::test]
async fn what_is_erased_is_gone_from_the_logs_that_ended() {
    for office in offices().await {
        let folders = [
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        ];
        let open = |at: usize, origin: &str| {
            let signer = FileKey::generate(origin, Algorithm::Ed25519).expect("a key");
            Log::open(folders[at].path(), Options::new(origin, Arc::new(signer))).map(Arc::new)
        };
        let begun = || {
            Registries::new(
                office.store.clone(),
                office.registries.shelf().clone(),
                office.identity.clone(),
            )
        };
        let person = person("001190000017", "Nguyễn Bí Mật", "00004");
        let first = office.write(assert_new(person, "2025-07-01")).await;
        let before = begun();
        let log = open(0, "g01.gov.vn/ledger").expect("a log");
        before.keep_in(kept(&log), now()).await.expect("kept");
        drop((before, log));
        let ended = Arc::new(Log::open_ended(folders[0].path()).expect("it ended"));
        assert!(ended.entry(0).expect("an entry").opening.is_some());

        let after = begun();
        let present = open(1, "g01.gov.vn/ledger-2").expect("a log");
        let ledgers = Ledgers {
            present: kept(&present),
            former: vec![kept(&ended)],
        };
        after.keep_in(ledgers, now()).await.expect("kept");
        let law = Provenance {
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 14".to_owned(),
            ..provenance()
        };
        after
            .erase(&steward(), &population(), known(&first), &law)
            .await
            .expect("erased");
        after.keep_leaves(&population()).await.expect("leaves");
        assert!(ended.entry(0).expect("an entry").opening.is_none());
        assert!(!contains(folders[0].path(), "Bí Mật".as_bytes()));
    }
}

#[tokio::test]
async fn a_new_version_finds_old_records_by_what_it_says_now() {
    for office in offices().await {
        office
            .write(assert_new(
                person("001190000017", "Nguyễn Thị An", "00004"),
                "2025-07-01",
            ))
            .await;
        let mut added = Vec::new();
        for n in 0..450 {
            added.push(Fresh {
                from: day("2026-01-01"),
                to: None,
                body: person(&format!("00119001{n:04}"), "Lê Văn Bé", "00008"),
            });
        }
        let many = office
            .registries
            .add_many(&steward(), &population(), &added, &provenance(), "many", true)
            .await;
        assert!(many.expect("taken in").iter().all(Result::is_ok));

        // The name has another name, and one can ask by sex.
        let folder = tempfile::tempdir().expect("a folder");
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
        for (from, to) in [
            ("population", "population"),
            ("dictionary", "dictionary"),
            ("dictionary/lists", "dictionary/lists"),
        ] {
            fs::create_dir_all(folder.path().join(to)).expect("a folder");
            for entry in fs::read_dir(ours.join(from))
                .expect("a folder")
                .flatten()
                .filter(|entry| entry.path().is_file())
            {
                fs::copy(entry.path(), folder.path().join(to).join(entry.file_name())).expect("copied");
            }
        }
        let population_folder = folder.path().join("population");
        let edit = |name: &str, change: &dyn Fn(String) -> String| {
            let path = population_folder.join(name);
            let text = fs::read_to_string(&path).expect("a file");
            fs::write(path, change(text)).expect("written");
        };
        edit("attributes.toml", &|text| {
            text.replace("value = \"name\"", "value = \"full_name\"")
        });
        edit("schema.json", &|text| text.replace("\"name\"", "\"full_name\""));
        edit("rules.toml", &|text| {
            text.replace("field = \"name\"", "field = \"full_name\"")
        });
        edit("registry.toml", &|text| {
            text.replace("version = 1", "version = 2")
                .replace("\"name\"", "\"full_name\"")
                + "\n[[filter]]\nfield = \"sex\"\noperators = [\"eq\"]\n"
        });
        edit("linkage.toml", &|text| text.replace("\"name\"", "\"full_name\""));
        let migration = "from = 1\n[[rename]]\nfrom = \"name\"\nto = \"full_name\"\n";
        fs::write(population_folder.join("migration.toml"), migration).expect("written");
        let files = folder::read(&population_folder).expect("files");
        let shelf = office.registries.shelf();
        shelf.publish(&files, "test", now()).await.expect("published");

        let find = async |field: &str, value: &str, limit| {
            let query = Query {
                asked: vec![asked(field, value)],
                limit,
                ..Query::default()
            };
            let listed = office
                .registries
                .list(&steward(), &purpose(), &population(), &query)
                .await;
            listed.expect("a list").items
        };
        assert!(find("sex", "female", 500).await.is_empty(), "nobody has looked yet");
        let clock: Arc<dyn base::Clock> = Arc::new(FixedClock::at(now().plus_seconds(5)));
        let runner = || {
            service::handlers(
                store::jobs::Runner::new(office.store.clone(), Arc::clone(&clock)),
                &office.registries,
            )
        };
        while runner().run_due().await.expect("the jobs run") > 0 {}
        assert_eq!(find("sex", "female", 500).await.len(), 451);
        let an = find("full_name", "nguyen thi an", 2).await;
        assert_eq!(an.len(), 1);
        assert_eq!(an[0].body["full_name"], "Nguyễn Thị An");
        assert!(an[0].body.get("name").is_none(), "brought forward as it is read");
        let (_, history) = office
            .registries
            .history(
                &steward(),
                &purpose(),
                &population(),
                "001190000017",
                When::default(),
                &Mask::ALL,
            )
            .await
            .expect("a history");
        assert_eq!(history.len(), 1, "what is stored stays as it was");
        // It is changed under the new version.
        let mut moved = an[0].body.clone();
        moved["residence"]["commune"] = json!("00008");
        let seen = Seen {
            record: an[0].id,
            seq: an[0].newest,
        };
        office
            .write(Change::Assert {
                target: Target::Known(seen),
                from: day("2026-03-01"),
                to: None,
                body: moved,
            })
            .await;
        assert_eq!(
            find("person_number", "001190000017", 2).await[0].body["residence"]["commune"],
            "00008"
        );
    }
}

fn contains(folder: &Path, needle: &[u8]) -> bool {
    fs::read_dir(folder).expect("a folder").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return contains(&path, needle);
        }
        let bytes = fs::read(path).expect("a file");
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}
