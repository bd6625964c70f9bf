//! A subscriber at another node: two databases, the exchange between them, and an effect that happens exactly once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ::store::{Read, Tx, jobs::Runner, params, transact};
use axum::{Router, body::Body};
use base::{Clock, Error, Kind, Result, time::SystemClock};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};
use tower::ServiceExt;

use super::site::*;
use crate::{
    Caller,
    events::{
        Cursor, Event, Events, Handler, Standing, State, Step, SubscribeRequest, Subscriber, Trouble, govstack,
        webhook::{self, Secret},
    },
    model::{
        error::{ErrorCode, Refusal},
        identifier::SubsystemId,
    },
};

/// The exchange to the provider's node; it can be cut, before the request or after the answer.
#[derive(Clone)]
struct Line {
    provider: Events,
    cut: Arc<AtomicBool>,
    lie: Arc<Mutex<Option<String>>>,
}

impl Caller for Line {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> futures::future::BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        Box::pin(async move {
            if self.cut.load(Ordering::SeqCst) {
                return Err(Refusal::new(ErrorCode::ClientNetworkError));
            }
            let (mut parts, body) = request.into_parts();
            assert_eq!(parts.headers["x-motcua-purpose"], "population.update");
            parts
                .headers
                .insert("x-road-client", client.to_string().parse().expect("a header"));
            let request = Request::from_parts(parts, Body::from(body));
            let answer = govstack::router(self.provider.clone())
                .oneshot(request)
                .await
                .expect("infallible");
            let (parts, body) = answer.into_parts();
            let mut body = body.collect().await.expect("a whole body").to_bytes();
            if let Some(lie) = self.lie.lock().expect("whole").clone() {
                body = lie.into();
            }
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// Writes each event down with a plain INSERT, so that a second time would be seen; fails when it is told to.
struct Book {
    fail: Arc<AtomicBool>,
    seen: Arc<AtomicUsize>,
    goes_on: bool,
    stood: Arc<Mutex<Vec<Standing>>>,
}

impl Handler for Book {
    async fn handle(&self, tx: &Tx, events: &[Event]) -> Result<()> {
        for event in events {
            let sql = "INSERT INTO counter (scope, value) VALUES ($1, $2)";
            tx.exec(sql, params![format!("seen {}", event.position), event.position])
                .await?;
        }
        if self.fail.load(Ordering::SeqCst) {
            return Err(Error::refused(
                Kind::Unavailable,
                "test",
                "Lỗi thử nghiệm.",
                "A failure of the test.",
            ));
        }
        self.seen.fetch_add(events.len(), Ordering::SeqCst);
        Ok(())
    }

    async fn missed(&self, _: &Tx, _: Option<Cursor>, _: Cursor) -> Result<()> {
        if self.goes_on { Ok(()) } else { Err(Error::forbidden()) }
    }

    fn stands(&self, standing: Standing) {
        self.stood.lock().expect("whole").push(standing);
    }
}

fn follower(line: &Line, site: &Site, book: Book) -> Subscriber<Book> {
    Subscriber {
        store: site.store.clone(),
        caller: Arc::new(line.clone()),
        handler: book,
        name: "population".to_owned(),
        client: subsystem(READER),
        purpose: "population.update".parse().expect("a purpose"),
        legal_basis: "Luật Căn cước 26/2023/QH15, Điều 11".to_owned(),
        of: births(),
        every: Duration::from_secs(3600),
    }
}

fn book() -> (Book, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (fail, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let book = Book {
        fail: Arc::clone(&fail),
        seen: Arc::clone(&seen),
        goes_on: false,
        stood: Arc::default(),
    };
    (book, fail, seen)
}

async fn written(site: &Site) -> Vec<i64> {
    #[derive(::store::Row)]
    struct Value {
        value: i64,
    }
    use ::store::sea_orm;
    let sql = "SELECT value FROM counter WHERE scope LIKE 'seen %' ORDER BY value";
    let rows = site.store.read().all::<Value>(sql, params![]).await.expect("reads");
    rows.into_iter().map(|row| row.value).collect()
}

fn line(provider: &Site) -> Line {
    Line {
        provider: provider.events.clone(),
        cut: Arc::default(),
        lie: Arc::default(),
    }
}

#[tokio::test]
async fn every_event_takes_effect_exactly_once_whatever_fails() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.subscribed(READER, &request()).await;
        for n in 0..450 {
            a.publish(event(n)).await;
        }
        let line = line(a);
        let (book, fail, _) = book();
        let follower = follower(&line, b, book);
        let now = b.clock.now();
        line.cut.store(true, Ordering::SeqCst);
        assert!(matches!(follower.step(now).await, Err(Trouble::Exchange(_))));
        line.cut.store(false, Ordering::SeqCst);
        fail.store(true, Ordering::SeqCst);
        assert!(matches!(follower.step(now).await, Err(Trouble::Here(_))));
        assert!(written(b).await.is_empty(), "rolled back, and the cursor with it");
        fail.store(false, Ordering::SeqCst);
        assert_eq!(follower.step(now).await.expect("handed over"), Step::More(200));
        fail.store(true, Ordering::SeqCst);
        follower.step(now).await.expect_err("fails again");
        fail.store(false, Ordering::SeqCst);
        assert_eq!(follower.step(now).await.expect("handed over"), Step::More(200));
        assert_eq!(follower.step(now).await.expect("handed over"), Step::Done(50));
        assert_eq!(follower.step(now).await.expect("nothing new"), Step::Done(0));
        assert!(written(b).await.into_iter().eq(1..=450));
        assert_eq!(a.subscription(READER).await.lag, 0, "the provider knows how far it is");
    }
}

#[tokio::test]
async fn a_subscription_is_asked_for_once_and_waited_for() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.publish(event(1)).await;
        let line = line(a);
        let follower = follower(&line, b, book().0);
        let now = b.clock.now();
        for _ in 0..3 {
            assert_eq!(follower.step(now).await.expect("no trouble"), Step::Unapproved);
        }
        let asked = a.subscription(READER).await;
        assert_eq!(asked.state, State::Requested);
        assert_eq!(asked.legal_basis, "Luật Căn cước 26/2023/QH15, Điều 11");
        assert_eq!(asked.purpose, "population.update");
        a.decide(READER, State::Refused).await;
        assert_eq!(follower.step(now).await.expect("no trouble"), Step::Unapproved);
        assert_eq!(
            a.subscription(READER).await.state,
            State::Refused,
            "a no is not asked away"
        );
        assert!(written(b).await.is_empty());
    }
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.publish(event(1)).await;
        let line = line(a);
        let follower = follower(&line, b, book().0);
        let now = b.clock.now();
        follower.step(now).await.expect("asked for");
        a.decide(READER, State::Approved).await;
        assert_eq!(
            follower.step(now).await.expect("handed over"),
            Step::Done(1),
            "what was before it, too"
        );
        a.decide(READER, State::Paused).await;
        a.publish(event(2)).await;
        assert_eq!(follower.step(now).await.expect("no trouble"), Step::Unapproved);
        a.decide(READER, State::Approved).await;
        assert_eq!(follower.step(now).await.expect("handed over"), Step::Done(1));
        assert_eq!(written(b).await, [1, 2]);
    }
}

#[tokio::test]
async fn who_follows_is_told_how_it_stands() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.publish(event(1)).await;
        let line = line(a);
        let (book, fail, _) = book();
        let stood = Arc::clone(&book.stood);
        let follower = Subscriber {
            every: Duration::from_millis(5),
            ..follower(&line, b, book)
        };
        let until = async |wanted| {
            let reached = async {
                while stood.lock().expect("whole").last() != Some(&wanted) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
            reached.unwrap_or_else(|_| panic!("{wanted:?}: {stood:?}"));
        };
        line.cut.store(true, Ordering::SeqCst);
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(follower.run(Arc::default(), Arc::new(SystemClock), stopped));
        until(Standing::Failing).await;
        line.cut.store(false, Ordering::SeqCst);
        until(Standing::Unapproved).await;
        fail.store(true, Ordering::SeqCst);
        a.decide(READER, State::Approved).await;
        until(Standing::Failing).await;
        fail.store(false, Ordering::SeqCst);
        until(Standing::Heard).await;
        assert_eq!(written(b).await, [1]);
        a.decide(READER, State::Paused).await;
        until(Standing::Unapproved).await;
        stop.send(true).expect("it listens");
        running.await.expect("no panic");
    }
}

#[tokio::test]
async fn two_processes_that_follow_the_same_do_not_do_it_twice() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.subscribed(READER, &request()).await;
        for n in 0..50 {
            a.publish(event(n)).await;
        }
        let line = line(a);
        let (one, other) = (follower(&line, b, book().0), follower(&line, b, book().0));
        let now = b.clock.now();
        let (first, second) = tokio::join!(one.step(now), other.step(now));
        assert!(first.is_ok() || second.is_ok());
        assert!(written(b).await.into_iter().eq(1..=50));
    }
}

#[tokio::test]
async fn what_somebody_else_or_another_type_tells_is_left_out() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.subscribed(READER, &request()).await;
        for n in 0..3 {
            a.publish(event(n)).await;
        }
        let line = line(a);
        let follower = follower(&line, b, book().0);
        let pull = "/r1/VN/GOV/000.00.00.H26/ho-tich/pull/v1/birth.registered?limit=9";
        let (_, mut list) = a.call(READER, http::Method::GET, pull, None).await;
        let kept = list["events"][1]["sequence"].as_i64().expect("a place");
        list["events"][0]["publisherId"]["memberCode"] = "000.00.00.G02".into();
        list["events"][2]["eventType"] = "death.registered".into();
        *line.lie.lock().expect("whole") = Some(list.to_string());
        assert_eq!(follower.step(b.clock.now()).await.expect("followed"), Step::Done(1));
        assert_eq!(written(b).await, [kept]);
    }
}

#[tokio::test]
async fn a_provider_that_lies_moves_nothing() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.subscribed(READER, &request()).await;
        for n in 0..3 {
            a.publish(event(n)).await;
        }
        let line = line(a);
        let follower = follower(&line, b, book().0);
        let now = b.clock.now();
        let (_, list) = a
            .call(
                READER,
                http::Method::GET,
                "/r1/VN/GOV/000.00.00.H26/ho-tich/pull/v1/birth.registered?limit=9",
                None,
            )
            .await;
        let mut swapped = list.clone();
        swapped["events"].as_array_mut().expect("a list").swap(0, 1);
        let mut doubled = list.clone();
        doubled["events"][1] = doubled["events"][0].clone();
        let mut timeless = list;
        timeless["events"][0]["time"] = serde_json::json!("yesterday");
        for lie in [
            swapped.to_string(),
            doubled.to_string(),
            timeless.to_string(),
            String::new(),
            "[]".to_owned(),
            "{".to_owned(),
        ] {
            *line.lie.lock().expect("whole") = Some(lie.clone());
            assert!(matches!(follower.step(now).await, Err(Trouble::Answer(_))), "{lie}");
        }
        *line.lie.lock().expect("whole") = None;
        assert!(written(b).await.is_empty());
        assert_eq!(follower.step(now).await.expect("the truth"), Step::Done(3));
    }
}

#[tokio::test]
async fn missed_events_stop_a_subscriber_unless_it_says_otherwise() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        a.subscribed(READER, &request()).await;
        let line = line(a);
        a.publish(event(1)).await;
        let now = b.clock.now();
        follower(&line, b, book().0).step(now).await.expect("handed over");
        a.publish(event(2)).await;
        a.forward(11 * 86_400);
        a.publish(event(3)).await;
        a.events.remove_old(a.clock.now()).await.expect("removed");
        assert!(matches!(
            follower(&line, b, book().0).step(now).await,
            Err(Trouble::Here(_))
        ));
        let mut calm = book().0;
        calm.goes_on = true;
        let calm = follower(&line, b, calm);
        assert_eq!(calm.step(now).await.expect("goes on"), Step::More(0));
        assert_eq!(calm.step(now).await.expect("handed over"), Step::Done(1));
        assert_eq!(written(b).await, [1, 3]);
    }
}

/// A listener for nudges, on a port of its own.
async fn listen(secret: Secret, clock: Arc<dyn Clock>, nudged: Arc<Notify>, listener: TcpListener) {
    let app = Router::new().nest("/nudges", webhook::receiver(secret, clock, nudged));
    axum::serve(listener, app).await.expect("it serves");
}

#[tokio::test]
async fn a_signed_nudge_wakes_it_and_another_does_not() {
    for (a, b) in sites().await.iter().zip(&sites().await) {
        a.define().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/nudges", listener.local_addr().expect("an address"));
        let ask = SubscribeRequest {
            webhook: Some(url.clone()),
            ..request()
        };
        let (_, secret) = a.subscribed(READER, &ask).await;
        let nudged = Arc::new(Notify::new());
        let clock = Arc::new(a.clock.clone());
        tokio::spawn(listen(
            secret.expect("shown once"),
            clock.clone(),
            Arc::clone(&nudged),
            listener,
        ));

        let (book, _, seen) = book();
        let (stop, stopped) = watch::channel(false);
        let run = follower(&line(a), b, book).run(nudged, Arc::new(SystemClock), stopped);
        let running = tokio::spawn(run);
        tokio::time::sleep(Duration::from_millis(100)).await;
        a.publish(event(1)).await;
        let forged = reqwest::Client::new()
            .post(&url)
            .body("{}")
            .send()
            .await
            .expect("an answer");
        assert_eq!(forged.status().as_u16(), 403);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(seen.load(Ordering::SeqCst), 0, "it sleeps for an hour");
        let nudger = webhook::nudges(Runner::new(a.store.clone(), clock), &a.events);
        assert_eq!(nudger.run_due().await.expect("runs"), 1);
        let arrived = async {
            while seen.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), arrived)
            .await
            .expect("it woke up");
        stop.send(true).expect("it listens");
        running.await.expect("no panic");
    }
}

#[tokio::test]
async fn a_handler_may_publish_in_turn() {
    // What a subsystem learns it may tell others, in the same transaction.
    for site in sites().await {
        site.define().await;
        let now = site.clock.now();
        let both: Result<()> = transact!(site.store, |tx| {
            site.events.publish_in(&tx, &births(), event(1), now).await?;
            site.events.publish_in(&tx, &births(), event(2), now).await.map(drop)
        });
        both.expect("published");
        assert_eq!(site.publish(event(3)).await.position, 3);
    }
}
