//! The country in real registries: every record passes the rules, and each is as it was known at any time.

use std::{path::Path, sync::Arc};

use base::{Timestamp, time::FixedClock};
use country::{Country, Day, MERGER};
use identity::{Ctx, Entropy, IdentityState, Shell};
use procedure::reference::Reference;
use registry::{
    folder,
    history::{Effect, Entry, Moment, Timeline},
    model::{RegistryCode, ValidTime},
    service::{Asked, Feed, Mask, Purpose, Query, Registries, When},
    shelf::Shelf,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    BEGUN, Chronicle, Ground, REGISTRIES, Scribe,
    chronicle::Fact,
    stream::{Keepers, stream},
};
use crate::nation::land;

mod coherence;
mod streaming;

/// The citizen of the demonstration.
const CITIZEN: &str = "037190001234";

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant")
}

async fn offices() -> Vec<Registries> {
    let reference = Arc::new(Reference::embedded().expect("the reference data"));
    let mut offices = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        let shelf = Shelf::open(store.clone(), Arc::clone(&reference))
            .await
            .expect("a shelf");
        for code in REGISTRIES {
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
        );
        offices.push(Registries::new(store, shelf, identity.expect("good settings")));
    }
    offices
}

fn small() -> Country {
    land(500).expect("a country")
}

/// The records of a registry of `registries/`, by its code.
fn records(country: &Country, registry: &str) -> Vec<Chronicle> {
    let scribe = Scribe::of(country);
    let told = country
        .communities()
        .flat_map(|community| scribe.records(registry, &community));
    told.collect()
}

/// Puts a country into the registries of one node, by way of a folder of its own; how many versions were written.
async fn fill(registries: &Registries, country: &Arc<Country>) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let keepers: Keepers = REGISTRIES.map(|code| (code, registries.clone())).into();
    let (told, _heard) = mpsc::unbounded_channel();
    stream(&keepers, country, folder.path(), 2, told).await.expect("filled")
}

fn code(text: &str) -> RegistryCode {
    text.parse().expect("a code")
}

/// What is so on a day, as the versions recorded until a day say.
fn folded(record: &Chronicle, on: Day, known: Day) -> Option<Value> {
    let told: Vec<_> = record.told.iter().filter(|told| told.recorded <= known).collect();
    let moment = |day: Day| Moment::parse(&day.to_string(), ValidTime::Day).expect("a day");
    let entries: Vec<Entry> = (1..)
        .zip(&told)
        .map(|(seq, told)| Entry {
            seq,
            corrects: told.corrects,
            effect: match told.body {
                Some(_) => Effect::Holds {
                    from: moment(told.from),
                    to: None,
                },
                None => Effect::Ends { at: moment(told.from) },
            },
        })
        .collect();
    let timeline = Timeline::fold(&entries);
    let segment = timeline.at(moment(on))?;
    told[segment.seq as usize - 1].body.clone()
}

#[test]
fn the_same_country_has_the_same_records() {
    let (one, other) = (small(), small());
    for registry in REGISTRIES {
        let told = records(&one, registry);
        assert!(!told.is_empty(), "{registry}");
        assert_eq!(told, records(&other, registry), "{registry}");
    }
    assert!(records(&one, "no-such").is_empty());
}

/// Reports in any order, late, wrong and mended: at each time the versions say what was known then.
#[test]
fn versions_say_at_each_time_what_was_known() {
    let day = |n: i32| BEGUN.plus(n);
    let ground = Ground {
        source: "test",
        basis: "",
    };
    let fact = |what: u8, on: i32, recorded: i32| Fact {
        what,
        on: day(on),
        recorded: day(recorded),
        ground,
    };
    // With 9 the record ends.
    let body = |happened: &[(u8, Day)], _: Day| {
        let said: Vec<_> = happened
            .iter()
            .map(|(what, on)| json!([what, on.to_string()]))
            .collect();
        happened.iter().all(|(what, _)| *what != 9).then(|| json!(said))
    };
    // 1 is known from the beginning and found wrong late; 3 is heard of before 2, which came first; 4 came before all of them. The end
    // is heard of before what came before it, and was earlier than it was said.
    let facts = vec![
        fact(1, -300, -200),
        fact(3, 90, 100),
        fact(9, 130, 132),
        fact(2, 50, 120),
        fact(3, 40, 140),
        fact(4, 10, 160),
        fact(9, 120, 170),
        fact(1, -250, 180),
    ];
    let record = Chronicle::of(facts.clone(), BEGUN, ground, body).expect("a record");
    assert_eq!(record.told[0].recorded, BEGUN);
    for known in 0..200 {
        for on in (-350..200).step_by(7) {
            let mut heard: Vec<(u8, Day)> = Vec::new();
            for fact in facts.iter().filter(|fact| fact.recorded <= day(known)) {
                heard.retain(|(what, _)| *what != fact.what);
                heard.push((fact.what, fact.on));
            }
            heard.retain(|(_, at)| *at <= day(on));
            heard.sort_by_key(|(_, at)| *at);
            let expected = (!heard.is_empty()).then(|| body(&heard, day(on))).flatten();
            assert_eq!(
                folded(&record, day(on), day(known)),
                expected,
                "on {on} as known on {known}"
            );
        }
    }
    assert!(Chronicle::of(Vec::new(), BEGUN, ground, body).is_none());
    let gone = vec![fact(9, -10, -5)];
    assert!(
        Chronicle::of(gone, BEGUN, ground, body).is_none(),
        "what ended before is not there"
    );
}

#[test]
fn citizens_move_through_the_merger_of_units_and_mistakes_are_mended() {
    let land = small();
    let population = records(&land, "population");
    let commune = |record: &Chronicle, on: Day| {
        let body = folded(record, on, land.options().until)?;
        Some(body["residence"]["commune"].as_str()?.to_owned())
    };
    let recoded = population.iter().filter(|record| {
        let (before, after) = (commune(record, MERGER.plus(-1)), commune(record, MERGER));
        before.is_some() && before != after
    });
    assert!(recoded.count() > population.len() / 4, "units have other codes");
    let corrected = population
        .iter()
        .flat_map(|record| &record.told)
        .filter(|told| told.corrects.is_some());
    assert!(corrected.count() > 0, "some first reports were wrong");
    let dead = population.iter().filter(|record| {
        folded(record, land.options().until, land.options().until).is_some_and(|body| body["status"] == "dead")
    });
    assert!(dead.count() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_passes_its_rules_and_is_found() {
    let land = Arc::new(small());
    for registries in offices().await {
        let versions =
            |registry: &str| -> usize { records(&land, registry).iter().map(|record| record.told.len()).sum() };
        let all: usize = REGISTRIES.iter().map(|registry| versions(registry)).sum();
        assert_eq!(fill(&registries, &land).await, all);
        assert_eq!(fill(&registries, &land).await, 0, "once more is once");
        for registry in REGISTRIES {
            let (versions, ctx) = (versions(registry), Ctx::system("test", now()));
            let feed = Feed {
                limit: 10_000,
                ..Feed::default()
            };
            let page = registries.changes(&ctx, None, &code(registry), feed, &Mask::ALL).await;
            assert!(page.expect("changes").items.len() >= versions.min(200), "{registry}");
        }
        let ctx = Ctx::system("test", now());
        let purpose = Purpose::read("registry.steward", "", "").expect("a purpose");
        let read = async |registry: &str, key: &str, when: When| {
            registries
                .read(&ctx, &purpose, &code(registry), key, when, &Mask::ALL)
                .await
                .expect("a record")
                .body
        };
        let citizen = read("population", CITIZEN, When::default()).await;
        assert_eq!(
            (&citizen["name"], &citizen["marital_status"]),
            (&json!("Nguyễn Thị Hương"), &json!("married"))
        );
        assert_eq!(citizen["residence"]["commune"], "14329");
        let home = read("residence", &format!("{CITIZEN}~permanent"), When::default()).await;
        assert_eq!(home["address"], citizen["residence"]);
        let card = read("social-insurance", CITIZEN, When::default()).await;
        assert_eq!(card["name"], citizen["name"]);
        let company = read("enterprises", "0100112437", When::default()).await;
        assert_eq!(company["representatives"][0]["name"], "Đinh Văn Long");

        // The marriage leads to the spouse.
        let wife = Asked {
            field: "wife.person_number".parse().expect("a field"),
            operator: registry::model::Operator::Eq,
            value: Some(CITIZEN.to_owned()),
            upto: None,
        };
        let query = Query {
            asked: vec![wife],
            limit: 10,
            ..Query::default()
        };
        let married = registries
            .list(&ctx, &purpose, &code("civil-status"), &query)
            .await
            .expect("a list");
        let husband = married.items.last().expect("a marriage").body["husband"]["person_number"].clone();
        let husband = read("population", husband.as_str().expect("a number"), When::default()).await;
        assert_eq!(husband["marital_status"], "married");

        // As it was known before a correction, and since.
        let population = records(&land, "population");
        let mended = population
            .iter()
            .find(|record| record.told.iter().any(|told| told.corrects.is_some()));
        let mended = mended.expect("a corrected record");
        let at = mended
            .told
            .iter()
            .find(|told| told.corrects.is_some())
            .expect("a correction")
            .recorded;
        let first = mended.told[0].body.as_ref().expect("a body");
        let key = first["person_number"].as_str().expect("a number");
        for known in [at.plus(-1), at, land.options().until] {
            let evening = Timestamp::from_legal(known.date().at(23, 0, 0, 0));
            for on in [at, land.options().until] {
                let when = When {
                    as_of: Moment::parse(&on.to_string(), ValidTime::Day),
                    known_at: Some(evening),
                };
                assert_eq!(
                    Some(read("population", key, when).await),
                    folded(mended, on, known),
                    "{on} as known {known}"
                );
            }
        }
    }
}
