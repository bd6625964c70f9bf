//! A commune that asks and the fire police that answer, each with a node of its own on each engine, and a wire between them that
//! does what networks do.

mod files;
mod hostile;
mod trouble;
mod whole;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use ::exchange::{
    CONSULTATIONS, Caller,
    gateway::Caller as Called,
    model::{
        error::{ErrorCode, Refusal},
        identifier::{Part, ServiceId, SubsystemId},
    },
};
use ::store::{jobs::Runner, transact};
use axum::{Router, body::Body};
use base::{Clock as _, Timestamp, time::FixedClock};
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use identity::{Ctx, NewOfficer, Role, Roles};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::{Consulted, Exchange, PURPOSE, Remote, Shown, handlers, router};
use crate::{
    model::{action::Detail, state::Consulted as AskedState},
    pages::citizen::tests::{
        following::{completion, filed, token},
        handling::with_fields,
        town::{Town, officer_of, start, towns, towns_with},
    },
    service::{CHANGED, Config, DossierView},
};

const ASKS: &str = "VN/GOV/H57/motcua";
const ANSWERS: &str = "VN/GOV/G01/motcua";
const STRANGER: &str = "VN/GOV/H99/motcua";
/// The largest file that both take.
const LARGEST: u64 = 20 << 20;
/// The fire police.
const POLICE: &str = "G01.57.7";

/// What stands for the exchange: it knows who calls, and brings the call to the node that serves the provider, or not.
#[derive(Default)]
struct Wire {
    homes: Mutex<BTreeMap<String, Router>>,
    /// Nothing gets there.
    cut: AtomicBool,
    /// So many requests get lost on the way there.
    lose_requests: AtomicU32,
    /// So many answers get lost on the way back.
    lose_answers: AtomicU32,
    /// Everything gets there twice.
    twice: AtomicBool,
    /// So many requests are held back; their sender hears nothing.
    hold: AtomicU32,
    held: Mutex<Vec<(SubsystemId, http::Request<Bytes>)>>,
    calls: AtomicU32,
}

fn one_of(counter: &AtomicU32) -> bool {
    counter
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
        .is_ok()
}

fn copy(request: &http::Request<Bytes>) -> http::Request<Bytes> {
    let mut copy = http::Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

impl Wire {
    /// Brings a request to its node, as the gateway there would hand it on.
    async fn deliver(&self, client: &SubsystemId, request: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let target = request.uri().to_string();
        let rest = target.strip_prefix("/r1/").expect("a target of the edge").to_owned();
        let (provider, path) = rest.split_once(&format!("/{CONSULTATIONS}")).expect("the service");
        let home = self.homes.lock().expect("homes").get(provider).cloned()?;
        let (mut parts, body) = request.into_parts();
        parts.uri = path.parse().expect("a path");
        let purpose = parts.headers["x-motcua-purpose"].to_str().expect("a purpose");
        parts.extensions.insert(Called {
            client: client.clone().into(),
            service: ServiceId {
                provider: provider.parse().expect("a system"),
                code: Part::new(CONSULTATIONS).expect("a part"),
            },
            purpose: purpose.parse().expect("a purpose"),
            request_id: Uuid::from_u128(5),
        });
        let answer = home.oneshot(http::Request::from_parts(parts, Body::from(body)));
        let (parts, body) = answer.await.expect("infallible").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Some(http::Response::from_parts(parts, body))
    }

    /// What was held back arrives at last.
    async fn let_go(&self) {
        let held: Vec<_> = self.held.lock().expect("held").drain(..).collect();
        for (client, request) in held {
            self.deliver(&client, request).await.expect("a node");
        }
    }

    /// A call that nobody's job makes: method, path within the service, body.
    async fn say(&self, client: &str, provider: &str, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        self.say_for(PURPOSE, client, provider, method, path, body).await
    }

    async fn say_for(
        &self,
        purpose: &str,
        client: &str,
        provider: &str,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/r1/{provider}/{CONSULTATIONS}{path}"))
            .header("x-motcua-purpose", purpose)
            .header("x-road-userid", format!("{} Lê Thị Lạ", Uuid::from_u128(4)).as_bytes())
            .body(Bytes::copy_from_slice(body))
            .expect("a request");
        let client = client.parse().expect("a system");
        let answer = self.deliver(&client, request).await.expect("a node");
        let said = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (answer.status().as_u16(), said)
    }
}

impl Caller for Wire {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if self.cut.load(Ordering::SeqCst) || one_of(&self.lose_requests) {
                return Err(Refusal::new(ErrorCode::ClientNetworkError));
            }
            if one_of(&self.hold) {
                self.held.lock().expect("held").push((client.clone(), request));
                return Err(Refusal::new(ErrorCode::ClientIoError));
            }
            if self.twice.load(Ordering::SeqCst) {
                self.deliver(client, copy(&request)).await;
            }
            let answer = self.deliver(client, request).await;
            let answer = answer.ok_or_else(|| Refusal::new(ErrorCode::UnknownMember))?;
            if one_of(&self.lose_answers) {
                return Err(Refusal::new(ErrorCode::ClientIoError));
            }
            Ok(answer)
        })
    }
}

/// Both nodes.
struct Pair {
    asks: Town,
    answers: Town,
    wire: Arc<Wire>,
    clock: FixedClock,
}

/// On each engine. The fire police have an officer who answers.
async fn pairs() -> Vec<Pair> {
    let pairs = bare_pairs().await;
    for pair in &pairs {
        pair.appoint(Role::Consulted).await;
    }
    pairs
}

/// As [`pairs`], but nobody works at the fire police yet.
async fn bare_pairs() -> Vec<Pair> {
    bare_pairs_with(|_| {}).await
}

/// As [`bare_pairs`]; `change` changes the configuration of the commune.
async fn bare_pairs_with(change: impl Fn(&mut Config)) -> Vec<Pair> {
    let remote = Remote {
        system: ANSWERS.parse().expect("a system"),
        agency: POLICE.to_owned(),
    };
    let asking = towns_with(|config| {
        let remote = Consulted::Elsewhere(remote.clone());
        config.consulted.insert("fire-police".to_owned(), remote);
        config.largest_upload = LARGEST;
        change(config);
    });
    let mut pairs = Vec::new();
    for (asks, answers) in asking
        .await
        .into_iter()
        .zip(towns_with(|config| config.largest_upload = LARGEST).await)
    {
        let (wire, clock) = (Arc::new(Wire::default()), FixedClock::at(start().plus_seconds(3600)));
        for (town, system) in [(&asks, ASKS), (&answers, ANSWERS)] {
            let served = router(town.dossiers.clone(), Arc::new(clock.clone()));
            wire.homes.lock().expect("homes").insert(system.to_owned(), served);
            town.dossiers.join(Exchange {
                caller: Arc::<Wire>::clone(&wire),
                system: system.parse().expect("a system"),
            });
        }
        pairs.push(Pair {
            asks,
            answers,
            wire,
            clock,
        });
    }
    assert!(!pairs.is_empty());
    pairs
}

impl Pair {
    async fn appoint(&self, role: Role) {
        let new = NewOfficer {
            login: format!("hung.{}", role.code()),
            name: "Lê Văn Hùng".to_owned(),
            title: "Thiếu tá".to_owned(),
            agency: POLICE.to_owned(),
            roles: Roles::of(&[role]),
            password: None,
            demo: None,
        };
        let ctx = Ctx::system("thử", self.clock.now());
        self.answers
            .identity
            .create_officer(&ctx, &new)
            .await
            .expect("an officer");
    }

    /// The officer of the fire police.
    fn hung(&self) -> Ctx {
        Ctx {
            now: self.clock.now(),
            ..officer_of(POLICE, 90, "Lê Văn Hùng", &[Role::Consulted])
        }
    }

    /// An officer of the commune.
    fn clerk(&self, roles: &[Role]) -> Ctx {
        Ctx {
            now: self.clock.now(),
            ..crate::pages::citizen::tests::town::officer(roles)
        }
    }

    /// Does what is due at both nodes until nothing is.
    async fn run(&self) {
        loop {
            let mut done = 0;
            for town in [&self.asks, &self.answers] {
                let runner = Runner::new(town.store.clone(), Arc::new(self.clock.clone()));
                let runner = handlers(crate::service::handlers(runner, &town.dossiers), &town.dossiers);
                let dossiers = town.dossiers.clone();
                let runner = runner.on_many(CHANGED, move |batch| {
                    let dossiers = dossiers.clone();
                    async move {
                        dossiers.follow_changes(&batch).await?;
                        transact!(batch.store, |tx| { batch.done(&tx).await })
                    }
                });
                done += runner.run_due().await.expect("the table of jobs");
            }
            if done == 0 {
                return;
            }
        }
    }

    fn later(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    /// Lets both work for some hours.
    async fn hours(&self, hours: i64) {
        for _ in 0..hours * 4 {
            self.later(900);
            self.run().await;
        }
    }

    /// A building permit whose reviewer asks the fire police: its address. Nothing is sent yet.
    async fn asked(&self) -> String {
        let path = filed(&self.asks, "1.013225").await;
        let id = self.asks.seen(&path).await.id;
        let first = token(&self.asks, &path).await;
        self.asks.step(id, completion(first, "accept", Detail::None)).await;
        let review = token(&self.asks, &path).await;
        let outcome = with_fields(review, "ok", json!({ "ask_fire": true }));
        self.asks.step(id, outcome).await;
        path
    }

    async fn dossier(&self, path: &str) -> DossierView {
        self.asks.seen(path).await
    }

    async fn consultation(&self, path: &str) -> AskedState {
        let view = self.dossier(path).await;
        let asked = view.state.consultations.iter().find(|c| c.sent_by == "ask_fire");
        asked.expect("the question").clone()
    }

    /// What waits at the fire police, and what does not any more.
    async fn queue(&self, shown: Shown) -> Vec<super::AskedItem> {
        let listed = self.answers.dossiers.asked(&self.hung(), shown, None, 20).await;
        listed.expect("a list").items
    }

    /// The one question that waits there.
    async fn waiting(&self) -> super::AskedItem {
        let mut items = self.queue(Shown::Open).await;
        assert_eq!(items.len(), 1, "one question waits");
        items.remove(0)
    }

    async fn answer(&self, item: &super::AskedItem) {
        let given = super::GivenOpinion {
            agrees: true,
            opinion: "Thống nhất với bản vẽ.".to_owned(),
            document: "123/PCCC-CV".to_owned(),
            dated: Some(jiff::civil::date(2026, 11, 20)),
            ..super::GivenOpinion::default()
        };
        let hung = self.hung();
        let done = self.answers.dossiers.answer_question(&hung, item.id, &given);
        done.await.expect("answered");
    }
}

/// The one way of the dossier's question, at the asking node.
async fn way(pair: &Pair, path: &str) -> super::QuestionView {
    let mut questions = pair.dossier(path).await.questions;
    assert_eq!(questions.len(), 1);
    questions.remove(0)
}

fn codes(problems: &base::Problems) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

fn day(days: i64) -> Timestamp {
    start().plus_seconds(days * 86_400)
}
