//! Merges as events, and who follows them at another node: which key stands in the place of which, through rows of merges and back.

use std::collections::BTreeMap;

use ::store::{Migrations, Read as _, params, transact};
use bytes::Bytes;
use exchange::{
    Caller,
    events::{
        self, Events, NewEvent, Start, State as Standing, Step, SubscribeRequest, Subscriber, govstack,
        webhook::Webhooks,
    },
    model::{error::Refusal, identifier::SubsystemId},
};
use futures::future::BoxFuture;
use registry::{
    announce::{self, Announcer},
    linking::heard::HeardMerges,
    quality::{State as Found, Wanted},
};

use super::*;

const KEEPS: &str = "VN/GOV/000.00.00.G01/dancu";
const NAMES: &str = "VN/GOV/000.00.00.G12/motcua";
const LATE: &str = "VN/GOV/000.00.00.G13/motcua";
const A: &str = "001180000011";
const B: &str = "001180000012";
const C: &str = "001180000014";
const FIRM: &str = "0100233488";

/// The exchange to who keeps the registry.
struct Line(Events);

impl Caller for Line {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            parts
                .headers
                .insert("x-road-client", client.to_string().parse().expect("a header"));
            let request = Request::from_parts(parts, Body::from(body));
            let answer = govstack::router(self.0.clone())
                .oneshot(request)
                .await
                .expect("infallible");
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes();
            Ok(http::Response::from_parts(parts, body))
        })
    }
}

/// Who keeps the population, and tells of it.
struct Keeper {
    office: Office,
    events: Events,
    announcer: Announcer,
}

/// Both nodes, on each engine.
async fn nodes() -> Vec<(Keeper, Office)> {
    let mut nodes = Vec::new();
    for (here, there) in stores(registry::MIGRATIONS).await {
        let keeper = Keeper::of(office_over(here, &["population"]).await).await;
        nodes.push((keeper, office_over(there, &["enterprises"]).await));
    }
    nodes
}

/// A database for each of two nodes, on each engine; the one has these tables, the other all.
async fn stores(keeps: Migrations) -> Vec<(Store, Store)> {
    let sets = |registry| [identity::MIGRATIONS, exchange::MIGRATIONS, registry];
    let here = store::testkit::stores(&sets(keeps)).await;
    let there = store::testkit::stores(&sets(registry::MIGRATIONS)).await;
    here.into_iter().zip(there).collect()
}

impl Office {
    /// A firm with one representative.
    async fn add_firm(&self, representative: &str) {
        let firm = json!({
            "tax_code": FIRM, "name": "Công ty An Bình", "legal_form": "llc", "status": "active", "founded_on": "2020-01-02",
            "address": {"province": "01", "commune": "00004"},
            "representatives": [{"person_number": representative, "name": "Nguyễn Thị Hường"}],
        });
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2026-07-01", ValidTime::Day).expect("a day"),
            to: None,
            body: firm,
        };
        let source = Provenance {
            source: "Sổ".to_owned(),
            ..Provenance::default()
        };
        let (ctx, code) = (steward_of("G12"), code("enterprises"));
        let written = self.registries.write(&ctx, &code, change, &source, FIRM).await;
        written.expect("written");
    }

    /// The pair of two numbers, the one of which goes; or comes back.
    async fn merge(&self, went: &str, stays: &str, merge: bool) {
        let stands = if merge { State::Open } else { State::Merged };
        let stays = self.seen(stays).await.record;
        let went = self.seen(went).await.record;
        let pairs = self.pairs(stands).await;
        let pair = pairs
            .iter()
            .find(|pair| pair.records.contains(&went) && pair.records.contains(&stays));
        let pair = pair.expect("a pair");
        let verdict = match (merge, pair.records[0] == stays) {
            (false, _) => Verdict::Undo,
            (true, true) => Verdict::Same(Keep::First),
            (true, false) => Verdict::Same(Keep::Second),
        };
        self.decide("Trần Thị Bình", pair, verdict).await.expect("decided");
    }

    /// How many merges of other nodes it has taken down.
    async fn heard(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM registry_merge_elsewhere";
        let count: Option<i64> = self.store.read().scalar(sql, params![]).await.expect("a count");
        count.unwrap_or_default()
    }
}

impl Keeper {
    async fn of(office: Office) -> Self {
        let config = events::Config {
            secret: [7; 32],
            webhooks: Webhooks::default(),
            tracer: Default::default(),
        };
        let events = Events::new(office.store.clone(), &config, Arc::new(FixedClock::at(now()))).expect("a room");
        let system: SubsystemId = KEEPS.parse().expect("a system");
        let (registries, named) = (office.registries.clone(), BTreeMap::new());
        let announcer = Announcer::new(registries, events.clone(), system, named, "G01");
        announcer.begin(now()).await.expect("begun");
        Self {
            office,
            events,
            announcer,
        }
    }

    async fn work(&self) {
        let runner = Runner::new(self.office.store.clone(), Arc::new(FixedClock::at(now())));
        let runner = quality::handlers(service::handlers(runner, &self.office.registries), &self.office.quality);
        let runner = announce::handlers(runner, &self.announcer);
        while runner.run_due().await.expect("jobs") > 0 {}
    }

    async fn decide(&self, went: &str, stays: &str, merge: bool) {
        self.office.merge(went, stays, merge).await;
        self.work().await;
    }

    /// As a start of the node.
    async fn begin(&self) {
        self.announcer.begin(now()).await.expect("begun");
        self.work().await;
    }

    /// What follows its merges at the other node; approved.
    async fn follower(&self, names: &Office) -> Subscriber<HeardMerges> {
        self.follower_as(names, NAMES).await
    }

    /// The same of another system.
    async fn follower_as(&self, names: &Office, reader: &str) -> Subscriber<HeardMerges> {
        let [referenced] = &names.registries.referenced_elsewhere().expect("registries")[..] else {
            panic!("one registry of another node")
        };
        assert_eq!(referenced.event.to_string(), "population.merged");
        let keeper: SubsystemId = KEEPS.parse().expect("a system");
        let of = events::EventTypeId {
            provider: keeper.clone(),
            name: referenced.event.clone(),
        };
        let request = SubscribeRequest {
            purpose: "registry.references".parse().expect("a purpose"),
            legal_basis: referenced.laws.clone(),
            key_prefix: String::new(),
            start: Start::Beginning,
            webhook: None,
        };
        let reader: SubsystemId = reader.parse().expect("a system");
        let (made, _) = self.events.subscribe(&reader, &of, &request).await.expect("asked for");
        let ctx = Ctx::system("test", now());
        self.events
            .decide(&ctx, made.id, Standing::Approved, "")
            .await
            .expect("approved");
        Subscriber {
            store: names.store.clone(),
            caller: Arc::new(Line(self.events.clone())),
            handler: names.registries.heard_merges(referenced.registry.clone(), keeper),
            name: format!("merges/{reader}"),
            client: reader,
            purpose: request.purpose,
            legal_basis: request.legal_basis,
            of,
            every: std::time::Duration::from_secs(600),
        }
    }
}

/// What is offered for the firm's one representative; nothing where there is no finding.
async fn offered(names: &Office) -> Option<Vec<String>> {
    let wanted = Wanted {
        state: Some(Found::Open),
        rule: Some("representative-is-known".parse().expect("a rule")),
        limit: 10,
        ..Wanted::default()
    };
    let (ctx, code) = (steward_of("G12"), code("enterprises"));
    let finding = names
        .quality
        .queue(&ctx, &code, &wanted)
        .await
        .expect("a queue")
        .items
        .pop()?;
    let view = names.quality.finding(&ctx, &code, finding.id).await.expect("a finding");
    Some(view.proposals.into_iter().map(|one| one.shown).collect())
}

#[tokio::test]
async fn the_key_in_the_place_of_another_is_followed_through_rows_of_merges_and_back() {
    for (keeps, names) in nodes().await {
        for number in [A, B, C] {
            keeps.office.add(number, "Nguyễn Thị Hường", "00004").await;
        }
        names.add_firm(A).await;
        keeps.work().await;
        let follower = keeps.follower(&names).await;
        let heard = async || {
            let step = follower.step(now()).await.expect("followed");
            names.work().await;
            (step, offered(&names).await)
        };
        assert_eq!(heard().await, (Step::Done(0), None));

        // A went into B, and B into C: whoever names A is offered C.
        keeps.decide(A, B, true).await;
        assert_eq!(heard().await, (Step::Done(1), Some(vec![B.to_owned()])));
        keeps.decide(B, C, true).await;
        assert_eq!(heard().await, (Step::Done(1), Some(vec![C.to_owned()])));
        // The job that tells may run again; nothing is told twice.
        keeps.begin().await;
        assert_eq!(heard().await, (Step::Done(0), Some(vec![C.to_owned()])));
        // One merge is taken back, then the other.
        keeps.decide(B, C, false).await;
        assert_eq!(heard().await, (Step::Done(1), Some(vec![B.to_owned()])));
        keeps.decide(A, B, false).await;
        assert_eq!(heard().await, (Step::Done(1), None));

        // Both at once, before anybody listened: it is as it was in the end.
        keeps.decide(A, B, true).await;
        keeps.decide(A, B, false).await;
        assert_eq!(heard().await, (Step::Done(2), None));

        // What cannot be read is left out, and what comes after it is heard.
        let nonsense = json!({"record": "nobody", "version": 1, "change": "merged", "recorded_at": "2026-11-25T03:00:00Z", "key": A});
        let news = NewEvent {
            producer_id: Some("nonsense".to_owned()),
            key: None,
            data: nonsense,
        };
        let published = keeps
            .events
            .publish_all(&follower.of.provider, &follower.of, vec![news])
            .await;
        published.expect("published").remove(0).expect("published");
        keeps.decide(A, C, true).await;
        assert_eq!(heard().await, (Step::Done(2), Some(vec![C.to_owned()])));
    }
}

#[tokio::test]
async fn an_erasure_takes_along_what_was_told_of_merges_with_either_record() {
    for erased in [A, B] {
        for (keeps, names) in nodes().await {
            for number in [A, B] {
                keeps.office.add(number, "Nguyễn Thị Hường", "00004").await;
            }
            names.add_firm(A).await;
            keeps.work().await;
            let follower = keeps.follower(&names).await;
            keeps.decide(A, B, true).await;
            assert_eq!(follower.step(now()).await.expect("followed"), Step::Done(1));
            names.work().await;
            assert_eq!(
                (offered(&names).await, names.heard().await),
                (Some(vec![B.to_owned()]), 1)
            );

            let record = keeps.office.seen(erased).await;
            let law = Provenance {
                source: "Quyết định".to_owned(),
                basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 14".to_owned(),
                ..Provenance::default()
            };
            let ctx = officer("Trần Thị Bình", Role::Steward);
            keeps
                .office
                .registries
                .erase(&ctx, &population(), record, &law)
                .await
                .expect("erased");
            keeps.work().await;
            // Who had heard of it keeps neither key, and offers none.
            assert_eq!(follower.step(now()).await.expect("followed"), Step::Done(1));
            names.work().await;
            assert_eq!((offered(&names).await, names.heard().await), (None, 0));
            keeps.begin().await;
            assert_eq!(follower.step(now()).await.expect("followed"), Step::Done(0), "once");

            // Whoever comes later is told of none.
            let late = keeps.follower_as(&names, LATE).await;
            let told = govstack::router(keeps.events.clone());
            let request = Request::get(format!("/r1/{KEEPS}/pull/v1/population.merged?limit=9"))
                .header("x-road-client", LATE)
                .header("x-motcua-purpose", "registry.references")
                .body(Body::empty())
                .expect("a request");
            let answer = told.oneshot(request).await.expect("an answer");
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            let body = String::from_utf8_lossy(&body);
            assert!(
                body.contains("\"withdrawn\":true") && !body.contains(A) && !body.contains(B),
                "{erased}: {body}"
            );
            assert_eq!(late.step(now()).await.expect("followed"), Step::Done(2));
            assert_eq!(names.heard().await, 0);
        }
    }
}

#[tokio::test]
async fn merges_from_before_they_were_noted_are_told_and_once() {
    let steps = registry::MIGRATIONS.steps;
    let after = steps.iter().position(|step| step.name == "0022_earlier_merges");
    let before = Migrations {
        steps: &steps[..after.expect("a step")],
        ..registry::MIGRATIONS
    };
    for (here, there) in stores(before).await {
        let office = office_over(here, &["population"]).await;
        let names = office_over(there, &["enterprises"]).await;
        for number in [A, B, C] {
            office.add(number, "Nguyễn Thị Hường", "00004").await;
        }
        office.work().await;
        // One was taken back at once; the other holds. Of neither anything was noted.
        for (went, merge) in [(C, true), (C, false), (A, true)] {
            office.merge(went, B, merge).await;
        }
        let forgotten = transact!(office.store, |tx| {
            tx.exec("DELETE FROM registry_merge", params![]).await
        });
        assert_eq!(forgotten.expect("forgotten"), 3);
        let migrated = office
            .store
            .migrate(&[registry::MIGRATIONS], now())
            .await
            .expect("migrated");
        assert_eq!(
            migrated.first().map(String::as_str),
            Some("registry/0022_earlier_merges")
        );

        names.add_firm(A).await;
        let keeps = Keeper::of(office).await;
        keeps.work().await;
        let follower = keeps.follower(&names).await;
        let heard = async || {
            let step = follower.step(now()).await.expect("followed");
            names.work().await;
            (step, offered(&names).await)
        };
        assert_eq!(heard().await, (Step::Done(1), Some(vec![B.to_owned()])));
        keeps.begin().await;
        assert_eq!(heard().await.0, Step::Done(0));
        // What is decided from then on follows.
        keeps.decide(A, B, false).await;
        assert_eq!(heard().await, (Step::Done(1), None));
    }
}
