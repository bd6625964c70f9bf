//! Merges as events, and who follows them at another node: which key stands in the place of which, through rows of merges and back.

use std::collections::BTreeMap;

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
    let sets = [identity::MIGRATIONS, exchange::MIGRATIONS, registry::MIGRATIONS];
    let (here, there) = (store::testkit::stores(&sets).await, store::testkit::stores(&sets).await);
    for (here, there) in here.into_iter().zip(there) {
        let office = office_over(here, &["population"]).await;
        let names = office_over(there, &["enterprises"]).await;
        let config = events::Config {
            secret: [7; 32],
            webhooks: Webhooks::default(),
            tracer: Default::default(),
        };
        let events = Events::new(office.store.clone(), &config, Arc::new(FixedClock::at(now()))).expect("a room");
        let system: SubsystemId = KEEPS.parse().expect("a system");
        let announcer = Announcer::new(
            office.registries.clone(),
            events.clone(),
            system,
            BTreeMap::new(),
            "G01",
        );
        announcer.begin(now()).await.expect("begun");
        let keeper = Keeper {
            office,
            events,
            announcer,
        };
        nodes.push((keeper, names));
    }
    nodes
}

impl Keeper {
    async fn work(&self) {
        let runner = Runner::new(self.office.store.clone(), Arc::new(FixedClock::at(now())));
        let runner = quality::handlers(service::handlers(runner, &self.office.registries), &self.office.quality);
        let runner = announce::handlers(runner, &self.announcer);
        while runner.run_due().await.expect("jobs") > 0 {}
    }

    /// The pair of two numbers, the one of which goes; or comes back.
    async fn decide(&self, went: &str, stays: &str, merge: bool) {
        let stands = if merge { State::Open } else { State::Merged };
        let stays = self.office.seen(stays).await.record;
        let went = self.office.seen(went).await.record;
        let pairs = self.office.pairs(stands).await;
        let pair = pairs
            .iter()
            .find(|pair| pair.records.contains(&went) && pair.records.contains(&stays));
        let pair = pair.expect("a pair");
        let verdict = match (merge, pair.records[0] == stays) {
            (false, _) => Verdict::Undo,
            (true, true) => Verdict::Same(Keep::First),
            (true, false) => Verdict::Same(Keep::Second),
        };
        self.office
            .decide("Trần Thị Bình", pair, verdict)
            .await
            .expect("decided");
        self.work().await;
    }

    /// What follows its merges at the other node; approved.
    async fn follower(&self, names: &Office) -> Subscriber<HeardMerges> {
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
        let reader: SubsystemId = NAMES.parse().expect("a system");
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
            name: "merges".to_owned(),
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
        let firm = json!({
            "tax_code": FIRM, "name": "Công ty An Bình", "legal_form": "llc", "status": "active", "founded_on": "2020-01-02",
            "address": {"province": "01", "commune": "00004"},
            "representatives": [{"person_number": A, "name": "Nguyễn Thị Hường"}],
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
        let written = names.registries.write(&ctx, &code, change, &source, FIRM).await;
        written.expect("written");
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
        keeps.announcer.begin(now()).await.expect("begun");
        keeps.work().await;
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
    for (erased, kept) in [(A, B), (B, A)] {
        for (keeps, names) in nodes().await {
            for number in [A, B] {
                keeps.office.add(number, "Nguyễn Thị Hường", "00004").await;
            }
            keeps.work().await;
            keeps.decide(A, B, true).await;
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
            let follower = keeps.follower(&names).await;
            let told = govstack::router(keeps.events.clone());
            let request = Request::get(format!("/r1/{KEEPS}/pull/v1/population.merged?limit=9"))
                .header("x-road-client", NAMES)
                .header("x-motcua-purpose", "registry.references")
                .body(Body::empty())
                .expect("a request");
            let answer = told.oneshot(request).await.expect("an answer");
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            let body = String::from_utf8_lossy(&body);
            assert!(
                body.contains("\"withdrawn\":true") && !body.contains(A) && !body.contains(B),
                "{kept}: {body}"
            );
            assert_eq!(follower.step(now()).await.expect("followed"), Step::Done(1));
        }
    }
}
