//! What a consumer's node refuses of a provider's, and what it does when that one goes away.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use exchange::model::{
    Field,
    identifier::Part,
    message::{AnswerRecord, ContentDigest, Evidence, RequestLeaf, RequestRecord},
};
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ledger::{Commitment, Kind, Salt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    http::{get, post},
    peer,
    world::{Federation, Identity, Node, Setup, directory, entry, fresh, listen},
};

type Frames = StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>;

/// What the false provider does to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trick {
    Sound,
    SoundInTrailers,
    OtherLeaf,
    OtherId,
    SwappedIds,
    OtherService,
    OtherHash,
    OtherBody,
    Truncated,
    Unlogged,
    OtherMembersLog,
    BareAnswer,
    BareError,
    BareAccessDenied,
    Parts,
    HeaderAdded,
    StatusChanged,
    DiesInBody,
    DiesBefore,
    Hangs,
}

/// A node of B that speaks for itself.
struct FalseProvider {
    id: Arc<Identity>,
    other: Arc<Identity>,
    address: SocketAddr,
    trick: Arc<std::sync::Mutex<Trick>>,
}

impl FalseProvider {
    fn start(id: Identity, other: Identity, listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("bound");
        let (id, other, trick) = (
            Arc::new(id),
            Arc::new(other),
            Arc::new(std::sync::Mutex::new(Trick::Sound)),
        );
        let acceptor = TlsAcceptor::from(Arc::new(id.tls.server(&[b"h2"]).expect("a configuration")));
        let shared = (Arc::clone(&id), Arc::clone(&other), Arc::clone(&trick));
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.expect("a caller");
                let (acceptor, shared) = (acceptor.clone(), shared.clone());
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    let (kill, killed) = tokio::sync::watch::channel(false);
                    let kill = Arc::new(kill);
                    let service = service_fn(move |request| {
                        let ((id, other, trick), kill) = (shared.clone(), Arc::clone(&kill));
                        async move {
                            let trick = *trick.lock().expect("not poisoned");
                            answer(&id, &other, trick, request, &kill).await
                        }
                    });
                    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .max_header_list_size(128 << 10)
                        .auto_date_header(false)
                        .serve_connection(TokioIo::new(tls), service);
                    let mut killed = killed;
                    tokio::select! {
                        _ = connection => {}
                        _ = killed.wait_for(|killed| *killed) => {}
                    }
                });
            }
        });
        Self {
            id,
            other,
            address,
            trick,
        }
    }

    fn does(&self, trick: Trick) {
        *self.trick.lock().expect("not poisoned") = trick;
    }
}

const BODY: &[u8] = b"the whole answer";

async fn answer(
    id: &Identity,
    other: &Identity,
    trick: Trick,
    request: Request<Incoming>,
    kill: &tokio::sync::watch::Sender<bool>,
) -> Result<Response<Frames>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body");
    let trailers = body.trailers().cloned().unwrap_or_default();
    let body = body.to_bytes();
    let fields: Vec<Field> = head
        .headers
        .iter()
        .chain(&trailers)
        .map(|(n, v)| Field::new(n.as_str().as_bytes(), v.as_bytes()).expect("a field"))
        .collect();
    let target = head.uri.path_and_query().expect("a target").as_str();
    let evidence = Evidence::from_fields(&fields).expect("evidence");
    let asked = RequestRecord::received(head.method.as_str(), target.as_bytes(), fields).expect("a record");
    assert_eq!(ContentDigest::of(&body), asked.digest());
    let leaf = Commitment::new(Kind::MESSAGE, &Salt(evidence.salt), &asked.to_bytes()).leaf();
    let canonical = exchange::model::request_hash::canonical_request(asked.method(), asked.target(), asked.fields());
    let mut hasher = exchange::model::request_hash::RequestHasher::new(&canonical);
    hasher.update(&body);
    let said = |name: &str| {
        let field = asked.fields().iter().find(|f| f.is(name)).expect("there");
        field.text().expect("text").to_owned()
    };
    let (mut message_id, mut request_id) = (said("x-road-id"), said("x-road-request-id"));
    match trick {
        Trick::OtherId => message_id = "other".to_owned(),
        Trick::SwappedIds => std::mem::swap(&mut message_id, &mut request_id),
        _ => {}
    }
    let service = if trick == Trick::OtherService {
        "VN/GOV/B/reg/other"
    } else {
        "VN/GOV/B/reg/echo"
    };
    let hash = if trick == Trick::OtherHash {
        "AA==".to_owned()
    } else {
        hasher.finish()
    };
    let leaf = if trick == Trick::OtherLeaf { [9; 32] } else { leaf.0 };
    let field = |name: &str, value: &str| Field::new(name.as_bytes(), value.as_bytes()).expect("a field");
    let sender = if trick == Trick::OtherMembersLog { other } else { id };
    let record = AnswerRecord::new(
        200,
        ContentDigest::of(BODY),
        RequestLeaf(leaf),
        [
            field("content-type", "text/plain"),
            field("x-road-client", &said("x-road-client")),
            field("x-road-service", service),
            field("x-road-id", &message_id),
            field("x-road-request-id", &request_id),
            field("x-road-request-hash", &hash),
        ],
        asked.created(),
        sender.name(),
    )
    .expect("a record");
    let receipt = sender
        .log
        .append(Kind::MESSAGE, record.to_bytes())
        .await
        .expect("logged");
    let mut evidence = peer::evidence(&receipt);
    if trick == Trick::Unlogged {
        evidence.salt[0] ^= 1;
    }
    let evidence = evidence.to_fields().expect("evidence");
    let fields: Vec<Field> = record.into_fields().into_iter().chain(evidence).collect();
    let of_nodes = |f: &&Field| f.name().starts_with("motcua-") || f.is("content-digest");
    let map = |fields: Vec<&Field>| {
        let mut map = HeaderMap::new();
        for f in fields {
            map.append(
                HeaderName::from_bytes(f.name().as_bytes()).expect("a name"),
                HeaderValue::from_bytes(f.value()).expect("a value"),
            );
        }
        map
    };
    let ok = |bytes: &[u8]| Ok(Frame::data(Bytes::copy_from_slice(bytes)));
    let (mut headers, mut frames) = (map(fields.iter().collect()), vec![ok(BODY)]);
    let mut status = 200;
    match trick {
        Trick::SoundInTrailers => {
            headers = map(fields.iter().filter(|f| !of_nodes(f)).collect());
            frames.push(Ok(Frame::trailers(map(fields.iter().filter(of_nodes).collect()))));
        }
        Trick::Parts => {
            let salt = headers.remove("motcua-salt").expect("there");
            frames.push(Ok(Frame::trailers(HeaderMap::from_iter([(
                HeaderName::from_static("motcua-salt"),
                salt,
            )]))));
        }
        Trick::OtherBody => frames = vec![ok(b"the other answer")],
        Trick::Truncated => frames = vec![ok(&BODY[..4])],
        Trick::HeaderAdded => drop(headers.insert("x-more", HeaderValue::from_static("1"))),
        Trick::StatusChanged => status = 201,
        Trick::BareAnswer => headers = HeaderMap::new(),
        Trick::BareError | Trick::BareAccessDenied => {
            let code = if trick == Trick::BareError {
                "MessageReplayed"
            } else {
                "AccessDenied"
            };
            let origin = if trick == Trick::BareError {
                "Server.ServerProxy.ServiceFailed"
            } else {
                "Server.ServerProxy"
            };
            headers = HeaderMap::new();
            headers.insert("x-road-error", format!("{origin}.{code}").parse().expect("a value"));
            headers.insert("x-evil", HeaderValue::from_static("1"));
            headers.insert("content-type", HeaderValue::from_static("application/json"));
            status = 500;
            frames = vec![ok(format!("{{\"type\":\"{origin}.{code}\"}}").as_bytes())];
        }
        Trick::DiesBefore => {
            kill.send_replace(true);
            std::future::pending::<()>().await;
        }
        Trick::Hangs => std::future::pending::<()>().await,
        Trick::DiesInBody => {
            let kill = kill.clone();
            let dying = stream::once(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                kill.send_replace(true);
                std::future::pending().await
            });
            let begun = stream::iter([ok(&BODY[..4])]);
            let body: stream::BoxStream<'static, _> = Box::pin(futures::StreamExt::chain(begun, dying));
            let mut response = Response::new(StreamBody::new(body));
            *response.headers_mut() = headers;
            return Ok(response);
        }
        _ => {}
    }
    let body: stream::BoxStream<'static, _> = Box::pin(stream::iter(frames));
    let mut response = Response::new(StreamBody::new(body));
    *response.status_mut() = status.try_into().expect("a status");
    *response.headers_mut() = headers;
    Ok(response)
}

async fn world() -> (Federation, Node, FalseProvider) {
    waiting(Duration::from_millis(300)).await
}

/// The consumer's node waits so long for an answer.
async fn waiting(answer: Duration) -> (Federation, Node, FalseProvider) {
    let federation = Federation::new();
    let (id_a, id_b, id_c) = (
        federation.identity("A", |_| {}),
        federation.identity("B", |_| {}),
        federation.identity("C", |_| {}),
    );
    let [(edge, _), (peers, at_a), (listener, at_b)] = [listen().await, listen().await, listen().await];
    let members = vec![
        entry("A", vec![id_a.listed(&at_a.to_string())], &[("app", &[])]),
        entry("B", vec![id_b.listed(&at_b.to_string())], &[("reg", &["echo"])]),
        entry("C", vec![id_c.listed("127.0.0.1:1")], &[]),
    ];
    let mut setup = Setup::consumer();
    setup.limits.answer = answer;
    let node = federation.start(id_a, setup, fresh(directory(members)), (edge, peers));
    let provider = FalseProvider::start(id_b, id_c, listener);
    (federation, node, provider)
}

const ECHO: &str = "/r1/VN/GOV/B/reg/echo";

#[tokio::test]
async fn answers_that_do_not_fit_are_thrown_away() {
    let (_federation, a, b) = world().await;
    let inconsistent = |code: &str| format!("Server.ClientProxy.InconsistentResponse {code}");
    let lost = |code: &str| format!("Server.ClientProxy.IOError {code}");
    for (trick, refused) in [
        (Trick::OtherLeaf, inconsistent("answer-other-request")),
        (Trick::OtherId, inconsistent("answer-differs")),
        (Trick::SwappedIds, inconsistent("answer-differs answer-differs")),
        (Trick::OtherService, inconsistent("answer-differs")),
        (Trick::OtherHash, inconsistent("answer-differs")),
        (Trick::OtherBody, inconsistent("body-other-digest")),
        (Trick::Truncated, inconsistent("body-other-digest")),
        (Trick::Unlogged, inconsistent("not-included")),
        (Trick::OtherMembersLog, inconsistent("log-other-member")),
        (Trick::BareAnswer, inconsistent("answer-unproven")),
        (Trick::BareAccessDenied, inconsistent("answer-unproven")),
        (Trick::Parts, inconsistent("record-in-parts")),
        (Trick::HeaderAdded, inconsistent("record-input")),
        (Trick::StatusChanged, inconsistent("not-included")),
        (Trick::DiesInBody, lost("body-broken")),
        (Trick::DiesBefore, lost("node-broke-off")),
        (Trick::Hangs, lost("answer-late")),
    ] {
        b.does(trick);
        let before = (a.id.records().len(), b.id.log.size() + b.other.log.size());
        let answer = post(a.edge, ECHO, "x").await;
        assert_eq!((answer.status, answer.refused()), (500, refused), "{trick:?}");
        assert!(!answer.body.windows(9).any(|w| w == b"the whole"), "not a byte passes");
        a.gateway.settled().await;
        let after = (a.id.records().len(), b.id.log.size() + b.other.log.size());
        assert_eq!(
            after,
            (before.0 + 1, before.1 + 1),
            "{trick:?}: logged once, sent once, not logged as an answer"
        );
        b.does(Trick::Sound);
        assert_eq!(get(a.edge, ECHO).await.status, 200, "after {trick:?}");
        a.gateway.settled().await;
    }
    for trick in [Trick::Sound, Trick::SoundInTrailers] {
        b.does(trick);
        let answer = get(a.edge, ECHO).await;
        assert_eq!(
            (answer.status, &answer.body[..], answer.header("content-type")),
            (200, BODY, "text/plain")
        );
    }
    // What never was a request may be said without a proof, and nothing else.
    b.does(Trick::BareError);
    let answer = get(a.edge, ECHO).await;
    assert_eq!(
        (answer.status, answer.error()),
        (500, "Server.ServerProxy.ServiceFailed.MessageReplayed")
    );
    assert!(!answer.headers.contains_key("x-evil"));
}

#[tokio::test]
async fn gateways_are_tried_in_turn_until_one_can_be_reached_and_never_after_sending() {
    let (federation, a, b) = world().await;
    let (silent, dead) = listen().await;
    drop(silent);
    let mut standing = directory(a.directory.load().view.directory().members.clone());
    let mut first = federation.identity("Z", |_| {}).listed(&dead.to_string());
    first.code = Part::new("first").expect("a code");
    standing.members[1].gateways.insert(0, first);
    a.directory.store(Arc::new(fresh(standing.clone())));
    let before = b.id.log.size();
    assert_eq!(get(a.edge, ECHO).await.status, 200, "by the second");
    assert_eq!(b.id.log.size(), before + 1);
    let pinned = crate::http::request("GET", ECHO).header("X-Road-Security-Server", "VN/GOV/B/first");
    let answer = crate::http::send(a.edge, pinned.body("").expect("a request")).await;
    assert_eq!(
        answer.refused(),
        "Server.ClientProxy.NetworkError node-unreachable",
        "the one that is meant"
    );

    // Both ways lead to B: what was sent by the first is not sent by the second.
    standing.members[1].gateways[0].address = b.address.to_string();
    standing.members[1].gateways[0].keys = vec![b.id.key];
    a.directory.store(Arc::new(fresh(standing)));
    b.does(Trick::DiesBefore);
    let before = b.id.log.size();
    assert_eq!(
        get(a.edge, ECHO).await.refused(),
        "Server.ClientProxy.IOError node-broke-off"
    );
    assert_eq!(b.id.log.size(), before + 1);
}

#[tokio::test]
async fn a_node_that_is_another_than_the_directory_says_gets_nothing() {
    let (_federation, a, b) = world().await;
    let mut standing = directory(a.directory.load().view.directory().members.clone());
    // C is said to listen where B does.
    standing.members[2].gateways[0].address = b.address.to_string();
    standing.members[2].subsystems = standing.members[1].subsystems.clone();
    a.directory.store(Arc::new(fresh(standing.clone())));
    let answer = get(a.edge, "/r1/VN/GOV/C/reg/echo").await;
    assert_eq!(
        answer.refused(),
        "Server.ClientProxy.NetworkError certificate-wrong-member"
    );
    // B has another key than the directory lists, on a connection that is open already.
    assert_eq!(get(a.edge, ECHO).await.status, 200);
    standing.members[1].gateways[0].keys = vec![b.other.key];
    a.directory.store(Arc::new(fresh(standing)));
    let answer = get(a.edge, ECHO).await;
    assert_eq!(
        answer.refused(),
        "Server.ClientProxy.NetworkError certificate-not-listed"
    );
    assert_eq!(b.id.log.size(), 1);
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let (_federation, a, b) = waiting(Duration::from_secs(30)).await;
    for _ in 0..5 {
        assert_eq!(get(a.edge, ECHO).await.status, 200);
    }
    assert_eq!(a.gateway.figures().links_opened, 1);
    let many = futures::future::join_all((0..64).map(|_| get(a.edge, ECHO))).await;
    assert!(many.iter().all(|answer| answer.status == 200));
    assert!(a.gateway.figures().links_opened <= 4);
    assert_eq!(b.id.log.size(), 69);
}
