//! Webhooks over real sockets: good, slow, dead, lying ones. None of them holds up a publisher.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use ::store::jobs::Runner;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
use base::Clock;
use tokio::net::TcpListener;
use traces::{Sampling, Tracer};

use super::site::*;
use crate::events::{
    Asker, Config, Deliveries, Events, SubscribeRequest,
    webhook::{NUDGE, Nudge, Secret, Webhooks, nudges},
};

/// A receiver that answers as it is told and keeps what it got.
#[derive(Clone)]
struct Receiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    status: Arc<AtomicU16>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let receiver = Self {
            address: listener.local_addr().expect("an address"),
            got: Arc::default(),
            status: Arc::new(AtomicU16::new(204)),
        };
        let app = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn count(&self) -> usize {
        self.got.lock().expect("whole").len()
    }

    fn last(&self, secret: &Secret, site: &Site) -> Nudge {
        let got = self.got.lock().expect("whole");
        let (headers, body) = got.last().expect("a nudge");
        secret.verify(headers, body, site.clock.now()).expect("signed")
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    receiver.got.lock().expect("whole").push((headers, body));
    let status = receiver.status.load(Ordering::SeqCst);
    if status == 1 {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    let code = axum::http::StatusCode::from_u16(status).unwrap_or(axum::http::StatusCode::OK);
    (code, [("location", "http://127.0.0.1:1/elsewhere")])
}

fn runner(site: &Site, events: &Events) -> Runner {
    nudges(Runner::new(site.store.clone(), Arc::new(site.clock.clone())), events)
}

fn pushed_to(url: String) -> SubscribeRequest {
    SubscribeRequest {
        webhook: Some(url),
        ..request()
    }
}

async fn outcomes(site: &Site) -> Vec<(String, Option<i64>, i64)> {
    let found = site
        .events
        .deliveries(&site.steward(), &Deliveries::default())
        .await
        .expect("a steward");
    found
        .rows
        .into_iter()
        .map(|d| (d.outcome, d.status, d.attempt))
        .collect()
}

#[tokio::test]
async fn a_call_is_a_part_of_its_job_and_bears_its_place_in_the_trace() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        site.subscribed(READER, &pushed_to(receiver.url())).await;
        let sampling = Sampling {
            share: 1.0,
            follow: true,
        };
        let (tracer, mut ended) = Tracer::new(sampling, 64);
        let traced = Config {
            tracer: tracer.clone(),
            ..config()
        };
        let events = Events::new(site.store.clone(), &traced, Arc::new(site.clock.clone())).expect("a client");
        let runner = runner(&site, &events).traced(tracer);
        for (n, status) in [(0, 204), (1, 503)] {
            receiver.answers(status);
            site.publish(event(n)).await;
            assert_eq!(runner.run_due().await.expect("runs"), 1);
            let mut spans: Vec<_> = std::iter::from_fn(|| ended.try_recv().ok()).collect();
            let at = spans.iter().position(|span| span.name == "webhook").expect("the call");
            let call = spans.remove(at);
            let parent = call.parent.map(hex::encode).expect("its job");
            let job = spans
                .iter()
                .find(|span| span.context.span_id() == parent)
                .expect("its job");
            assert_eq!(
                (job.context.trace_id(), job.kind),
                (call.context.trace_id(), traces::Kind::Consumer)
            );
            assert_eq!((call.kind, call.failed), (traces::Kind::Client, status == 503));
            let got = receiver.got.lock().expect("whole");
            let (headers, body) = got.last().expect("a nudge");
            assert_eq!(headers["traceparent"], call.context.traceparent().as_str());
            assert!(!body.is_empty());
        }
    }
}

#[tokio::test]
async fn a_subscriber_is_told_once_for_many_events_and_again_for_later_ones() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        let (subscription, secret) = site.subscribed(READER, &pushed_to(receiver.url())).await;
        let secret = secret.expect("shown once");
        let runner = runner(&site, &site.events);
        assert_eq!(runner.run_due().await.expect("runs"), 0, "nothing to tell yet");
        for n in 0..3 {
            site.publish(event(n)).await;
        }
        assert_eq!(runner.run_due().await.expect("runs"), 1);
        assert_eq!(receiver.count(), 1);
        let nudge = receiver.last(&secret, &site);
        assert_eq!((nudge.sequence, nudge.subscription), (3, subscription.id));
        assert_eq!(
            (nudge.provider.as_str(), nudge.event_type.as_str()),
            (PROVIDER, "birth.registered")
        );
        let body = String::from_utf8_lossy(&receiver.got.lock().expect("whole")[0].1).into_owned();
        assert!(
            !body.contains("\"n\"") && !body.contains("k0"),
            "nothing of an event: {body}"
        );
        assert_eq!(runner.run_due().await.expect("runs"), 0);
        site.publish(event(4)).await;
        runner.run_due().await.expect("runs");
        assert_eq!(receiver.last(&secret, &site).sequence, 4);
        assert_eq!(outcomes(&site).await, vec![("delivered".to_owned(), Some(204), 1); 2]);
    }
}

#[tokio::test]
async fn what_is_published_while_a_nudge_is_in_hand_is_told_too() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        let (_, secret) = site.subscribed(READER, &pushed_to(receiver.url())).await;
        let secret = secret.expect("shown once");
        site.publish(event(0)).await;
        receiver.answers(1);
        let runner = runner(&site, &site.events);
        let busy = tokio::spawn(async move {
            let tried = runner.run_due().await;
            (runner, tried)
        });
        while receiver.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let started = Instant::now();
        site.publish(event(1)).await;
        assert!(
            started.elapsed() < Duration::from_millis(250),
            "a slow webhook holds up no publisher"
        );
        let (runner, tried) = busy.await.expect("no panic");
        assert_eq!(tried.expect("runs"), 1);
        assert_eq!(outcomes(&site).await[0].0, "late");
        receiver.answers(200);
        site.forward(10);
        runner.run_due().await.expect("runs");
        assert_eq!(receiver.last(&secret, &site).sequence, 2);
        assert_eq!(site.subscription(READER).await.nudge_failures, 0);
    }
}

#[tokio::test]
async fn a_dead_webhook_is_tried_later_and_later_then_paused_and_can_be_resumed() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        site.subscribed(READER, &pushed_to(receiver.url())).await;
        receiver.answers(503);
        site.publish(event(0)).await;
        let runner = runner(&site, &site.events);
        for (waited, tried) in [(0, 1), (9, 0), (1, 1), (19, 0), (1, 1), (39, 0)] {
            site.forward(waited);
            // Publishing on does not make it come sooner.
            site.publish(event(100 + base::Clock::now(&site.clock).micros() % 1_000_000 + waited))
                .await;
            assert_eq!(runner.run_due().await.expect("runs"), tried, "after {waited} s more");
        }
        site.forward(1);
        assert_eq!(runner.run_due().await.expect("runs"), 1);
        let paused = site.subscription(READER).await;
        assert_eq!(
            (paused.nudge_paused.as_deref(), paused.nudge_failures),
            (Some("status"), 4)
        );
        site.forward(86_400);
        site.publish(event(7)).await;
        assert_eq!(runner.run_due().await.expect("runs"), 0, "no more calls");
        assert!(
            !site.pull(READER, Default::default()).await.events.is_empty(),
            "reading goes on"
        );
        receiver.answers(200);
        let reader = subsystem(READER);
        site.events
            .resume_nudges(Asker::Subsystem(&reader), paused.id)
            .await
            .expect("resumed");
        assert_eq!(
            runner.run_due().await.expect("runs"),
            1,
            "what it missed is told at once"
        );
        assert_eq!(site.subscription(READER).await.nudge_paused, None);
        let attempts: Vec<i64> = outcomes(&site)
            .await
            .into_iter()
            .map(|(.., attempt)| attempt)
            .rev()
            .collect();
        assert_eq!(attempts, [1, 2, 3, 4, 1]);
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_410_ends_it() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        site.subscribed(READER, &pushed_to(receiver.url())).await;
        let runner = runner(&site, &site.events);
        receiver.answers(307);
        site.publish(event(0)).await;
        runner.run_due().await.expect("runs");
        assert_eq!(outcomes(&site).await[0], ("status".to_owned(), Some(307), 1));
        receiver.answers(410);
        site.forward(10);
        runner.run_due().await.expect("runs");
        assert_eq!(
            site.subscription(READER).await.nudge_paused.as_deref(),
            Some("unwanted")
        );
        let unreachable = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", unreachable.local_addr().expect("an address"));
        drop(unreachable);
        site.forward(1);
        let reader = subsystem(READER);
        let (_, secret) = site
            .events
            .change(&reader, &births(), Some(&url), false)
            .await
            .expect("changed");
        assert!(secret.is_none(), "the secret stays");
        runner.run_due().await.expect("runs");
        assert_eq!(outcomes(&site).await[0], ("unreachable".to_owned(), None, 1));
    }
}

#[tokio::test]
async fn an_address_is_judged_again_at_each_call() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        let by_name = format!("http://localhost:{}/hook", receiver.address.port());
        site.subscribed(READER, &pushed_to(by_name.clone())).await;
        let literal = receiver.url();
        site.subscribed(OTHER, &pushed_to(literal)).await;
        site.publish(event(0)).await;
        // The node starts again with stricter rules.
        let strict = Config {
            webhooks: Webhooks {
                loopback: false,
                ..config().webhooks
            },
            ..config()
        };
        let strict = Events::new(site.store.clone(), &strict, Arc::new(site.clock.clone())).expect("a client");
        assert_eq!(runner(&site, &strict).run_due().await.expect("runs"), 2);
        assert_eq!(receiver.count(), 0);
        assert_eq!(outcomes(&site).await, vec![("address-refused".to_owned(), None, 1); 2]);
        // With the rules of the demonstration the name is resolved and called.
        site.forward(10);
        assert_eq!(runner(&site, &site.events).run_due().await.expect("runs"), 2);
        assert_eq!(receiver.count(), 2);
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_can_be_rotated() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        let (_, first) = site.subscribed(READER, &pushed_to(receiver.url())).await;
        let first = first.expect("shown once");
        let reader = subsystem(READER);
        let changed = site
            .events
            .change(&reader, &births(), Some(&receiver.url()), true)
            .await;
        let second = changed.expect("rotated").1.expect("shown once");
        assert_ne!(first.reveal(), second.reveal());
        site.publish(event(0)).await;
        runner(&site, &site.events).run_due().await.expect("runs");
        assert_eq!(receiver.last(&second, &site).sequence, 1);
        // Without a webhook nothing waits any more.
        site.events
            .change(&reader, &births(), None, false)
            .await
            .expect("changed");
        site.publish(event(1)).await;
        assert_eq!(runner(&site, &site.events).run_due().await.expect("runs"), 0);
    }
}

#[tokio::test]
async fn a_node_that_dies_while_calling_calls_again() {
    for site in sites().await {
        site.define().await;
        let receiver = Receiver::start().await;
        site.subscribed(READER, &pushed_to(receiver.url())).await;
        site.publish(event(0)).await;
        // Taken by a worker that never comes back.
        let dying = Runner::new(site.store.clone(), Arc::new(site.clock.clone()))
            .on_many(NUDGE, |_| async { std::future::pending().await });
        assert!(
            tokio::time::timeout(Duration::from_millis(100), dying.run_due())
                .await
                .is_err()
        );
        let runner = runner(&site, &site.events);
        assert_eq!(runner.run_due().await.expect("runs"), 0, "still leased");
        site.publish(event(1)).await;
        site.forward(121);
        assert_eq!(runner.run_due().await.expect("runs"), 1);
        assert_eq!(receiver.count(), 1);
    }
}
