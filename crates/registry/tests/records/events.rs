//! What subscribers on the exchange are told of records: in their order, once, whatever ends the process in between.

use std::collections::BTreeMap;

use exchange::events::{Cursor, EventTypeId, Events, Pull, Pulled, Start, State, SubscribeRequest, webhook::Webhooks};
use registry::announce::{self, Announcer};
use store::{jobs::Runner, transact};

use super::*;

const SYSTEM: &str = "VN/GOV/000.00.00.G01/motcua";
const KEEPS: &str = "VN/GOV/000.00.00.G01/dancu";
const READER: &str = "VN/GOV/000.00.00.H42/motcua";

struct Room<'a> {
    office: &'a Office,
    events: Events,
    announcer: Announcer,
}

/// One subscriber's reading of one type.
struct Reading {
    of: EventTypeId,
    cursor: Option<Cursor>,
}

impl<'a> Room<'a> {
    async fn of(office: &'a Office) -> Self {
        let config = exchange::events::Config {
            secret: [7; 32],
            webhooks: Webhooks::default(),
            tracer: Default::default(),
        };
        let events = Events::new(office.store.clone(), &config, Arc::new(FixedClock::at(now()))).expect("a room");
        let named = BTreeMap::from([(population(), KEEPS.parse().expect("a system"))]);
        let system = SYSTEM.parse().expect("a system");
        let announcer = Announcer::new(office.registries.clone(), events.clone(), system, named, "G01");
        Self {
            office,
            events,
            announcer,
        }
    }

    /// As a start of the node.
    async fn begin(&self) {
        self.announcer.begin(now()).await.expect("begun");
    }

    /// Does the work that waits.
    async fn work(&self) {
        self.work_at(now()).await;
    }

    async fn work_at(&self, at: Timestamp) {
        let runner = Runner::new(self.office.store.clone(), Arc::new(FixedClock::at(at)));
        let runner = announce::handlers(runner, &self.announcer);
        while runner.run_due().await.expect("done") > 0 {}
    }

    async fn subscribed(&self, name: &str) -> Reading {
        let of = EventTypeId {
            provider: KEEPS.parse().expect("a system"),
            name: name.parse().expect("a name"),
        };
        let request = SubscribeRequest {
            purpose: "dossier.verify".parse().expect("a purpose"),
            legal_basis: "Luật Căn cước 26/2023/QH15, Điều 11".to_owned(),
            key_prefix: String::new(),
            start: Start::Beginning,
            webhook: None,
        };
        let reader = READER.parse().expect("a system");
        let (made, _) = self.events.subscribe(&reader, &of, &request).await.expect("asked for");
        self.events
            .decide(&Ctx::system("test", now()), made.id, State::Approved, "")
            .await
            .expect("approved");
        Reading { of, cursor: None }
    }

    /// What there is since the last look: change and fields, null where the data are withdrawn.
    async fn news(&self, reading: &mut Reading) -> Vec<Value> {
        let pull = Pull {
            cursor: reading.cursor,
            ..Pull::default()
        };
        let reader = READER.parse().expect("a system");
        let pulled = self.events.pull(&reader, &reading.of, pull).await.expect("read");
        let Pulled::Batch(batch) = pulled else {
            panic!("{pulled:?}")
        };
        reading.cursor = Some(batch.cursor);
        let event = |event: &exchange::events::Event| {
            let data: Option<Value> = event.data().expect("JSON");
            data.map_or(Value::Null, |data| {
                assert_eq!(event.key.as_deref(), data["record"].as_str(), "the record is the key");
                json!([data["change"], data["fields"]])
            })
        };
        batch.events.iter().map(event).collect()
    }
}

fn told(change: &str, number: &str) -> Value {
    json!([change, { "person_number": number }])
}

fn changed(change: &str, number: &str) -> Value {
    json!([change, { "person_number": number, "status": "alive" }])
}

#[tokio::test]
async fn versions_become_events_in_their_order_and_none_is_lost_or_told_twice() {
    const BEFORE: &str = "001190000017";
    const FIRST: &str = "001190000025";
    const SECOND: &str = "001190000033";
    for office in offices().await {
        office
            .write(assert_new(person(BEFORE, "Nguyễn Thị An", "00004"), "2025-07-01"))
            .await;
        let room = Room::of(&office).await;
        room.begin().await;
        let (mut registered, mut changes) = (
            room.subscribed("population.registered").await,
            room.subscribed("population.changed").await,
        );
        room.work().await;
        for reading in [&mut registered, &mut changes] {
            let news = room.news(reading).await;
            assert!(news.is_empty(), "what was there before is told to nobody: {news:?}");
        }
        let beginnings = (registered.cursor, changes.cursor);

        // Written, and the process ends before anything was told; the next one tells.
        let first = office
            .write(assert_new(person(FIRST, "Trần Văn Bình", "00004"), "2025-07-01"))
            .await;
        let next = Room::of(&office).await;
        next.begin().await;
        next.work().await;
        assert_eq!(next.news(&mut registered).await, [told("assert", FIRST)]);
        assert_eq!(next.news(&mut changes).await, [changed("assert", FIRST)]);

        // Told, and the process ends before it has noted that: it tells again, and nothing is there twice.
        let upto = first.recorded_at.micros() - 1;
        transact!(office.store, |tx| {
            tx.exec("UPDATE registry_announced SET upto = $1", store::params![upto])
                .await
        })
        .expect("set back");
        let second = office
            .write(assert_new(person(SECOND, "Lê Thị Cúc", "00008"), "2025-07-01"))
            .await;
        room.work().await;
        assert_eq!(room.news(&mut registered).await, [told("assert", SECOND)]);
        assert_eq!(room.news(&mut changes).await, [changed("assert", SECOND)]);

        // A correction and an end; of what ends it is told who it was, and of nothing more than the registry declares.
        let corrected = office
            .write(Change::Correct {
                record: known(&first),
                corrects: first.seq,
                with: With::Holds {
                    from: day("2025-07-01"),
                    to: None,
                    body: person(FIRST, "Trần Văn Bình", "00025"),
                },
            })
            .await;
        office
            .write(Change::End {
                record: known(&corrected),
                at: day("2026-01-01"),
            })
            .await;
        room.work().await;
        assert!(room.news(&mut registered).await.is_empty(), "it is told of what is new");
        assert_eq!(
            room.news(&mut changes).await,
            [changed("correct", FIRST), changed("end", FIRST)]
        );

        // An erasure takes along what was told of the record, and of no other.
        let law = Provenance {
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 14".to_owned(),
            ..provenance()
        };
        office
            .registries
            .erase(&steward(), &population(), known(&second), &law)
            .await
            .expect("erased");
        room.work().await;
        (registered.cursor, changes.cursor) = beginnings;
        assert_eq!(room.news(&mut registered).await, [told("assert", FIRST), Value::Null]);
        assert_eq!(
            room.news(&mut changes).await,
            [
                changed("assert", FIRST),
                Value::Null,
                changed("correct", FIRST),
                changed("end", FIRST)
            ]
        );
    }
}

/// Somebody born on a day.
fn born(number: &str, birth: &str) -> Value {
    let mut person = person(number, "Nguyễn Thị Cao", "00004");
    person["birth_date"] = birth.into();
    person
}

/// Today is 25 November 2026.
#[tokio::test]
async fn who_reaches_an_age_is_told_of_on_the_day_and_once() {
    const DAY: i64 = 86_400;
    let fields = |number: &str| json!([null, { "person_number": number }]);
    for office in offices().await {
        for (number, birth) in [
            // Longer ago than is gone through; within; tomorrow; the month alone; the year alone; far away.
            ("001151000011", "1951-11-10"),
            ("001151000012", "1951-11-12"),
            ("001151000013", "1951-11-26"),
            ("001151000014", "1951-11"),
            ("001151000015", "1951"),
            ("001190000016", "1990-11-25"),
        ] {
            office.write(assert_new(born(number, birth), "2025-07-01")).await;
        }
        let room = Room::of(&office).await;
        room.begin().await;
        let mut reading = room.subscribed("population.age-75").await;
        room.work().await;
        assert_eq!(room.news(&mut reading).await, [fields("001151000012")]);
        // A node that starts again tells nothing twice, and has the next day waiting as before.
        let next = Room::of(&office).await;
        next.begin().await;
        next.work().await;
        assert!(next.news(&mut reading).await.is_empty());
        next.work_at(now().plus_seconds(DAY)).await;
        assert_eq!(next.news(&mut reading).await, [fields("001151000013")]);
        // It stood still over the end of the month: late, and nobody is lost.
        next.work_at(now().plus_seconds(9 * DAY)).await;
        assert_eq!(next.news(&mut reading).await, [fields("001151000014")]);
        next.work_at(now().plus_seconds(36 * DAY)).await;
        assert_eq!(next.news(&mut reading).await, [fields("001151000015")]);
    }
}

#[tokio::test]
async fn an_erasure_takes_along_that_an_age_was_reached() {
    for office in offices().await {
        let written = office
            .write(assert_new(born("001151000011", "1951-11-24"), "2025-07-01"))
            .await;
        let room = Room::of(&office).await;
        room.begin().await;
        let mut reading = room.subscribed("population.age-75").await;
        room.work().await;
        assert_eq!(room.news(&mut reading).await.len(), 1);
        let law = Provenance {
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 14".to_owned(),
            ..provenance()
        };
        office
            .registries
            .erase(&steward(), &population(), known(&written), &law)
            .await
            .expect("erased");
        room.work().await;
        reading.cursor = None;
        assert_eq!(room.news(&mut reading).await, [Value::Null]);
    }
}
