//! What a provider's node refuses of another node: every row of `docs/protocol.md`, section 6.

use std::{
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use exchange::model::{
    Field,
    federation::Freshness,
    hosting::Hosting,
    message::{AnswerRecord, LogName},
    rights::{GrantState, Rate},
};
use ledger::Kind;
use trust::{
    Anchor, Authority, Purpose, Revocations, Tls, TrustStore,
    ca::{Reason, Revocation},
    certificate::Scope,
    key::SigningKey,
};

use crate::{
    http::{Answer, get, post},
    peer::{self, Draft, Message, connect, message, seconds},
    services::counting,
    world::{DAY, Federation, Identity, Setup, World, at, entry, grant, now, service},
};

/// A and B, and a member C with a certificate and a log, without a node.
async fn world() -> (World, Identity, Arc<std::sync::atomic::AtomicUsize>) {
    let federation = Federation::new();
    let c = federation.identity("C", |_| {});
    let (url, calls) = counting().await;
    let others = vec![entry("C", vec![c.listed("127.0.0.1:1")], &[("app", &[])])];
    let world = World::in_federation(
        federation,
        Setup::consumer(),
        Setup::provider([("echo", at(&url))]),
        others,
    )
    .await;
    (world, c, calls)
}

async fn tried(world: &World, change: impl FnOnce(&mut Message)) -> Answer {
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    let mut message = message(&world.a.id, |_| {}).await;
    change(&mut message);
    message.send(&link).await
}

const FAILED: &str = "Server.ServerProxy.ServiceFailed";

fn is_unsigned(answer: &Answer) {
    assert!(
        answer.headers.keys().all(|name| !name.as_str().starts_with("motcua-")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_sound_message_is_answered_by_header_and_by_trailer() {
    let (world, _, calls) = world().await;
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    for trailers in [false, true] {
        let message = message(&world.a.id, |_| {}).await;
        let answer = match trailers {
            false => message.send(&link).await,
            true => message.send_with_trailers(&link).await,
        };
        assert_eq!((answer.status, &answer.body[..]), (200, &b"counted"[..]), "{answer:?}");
        assert!(world.b.id.records().contains(&message.record), "byte for byte");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    world.b.id.verify_offline();
}

#[tokio::test]
async fn row_1_certificates_that_are_not_of_the_directory() {
    let (world, c, calls) = world().await;
    let federation = &world.federation;
    // Not at all, by another CA, expired, revoked: TLS itself ends it.
    let rogue = Federation::new();
    let posing = |credential| Tls::new(credential, federation.store(), Arc::new(federation.clock.clone()));
    let foreign = posing(rogue.credential("A", 90).0);
    assert!(refused_by_tls(&foreign, &world).await, "by another CA");
    let short = posing(federation.credential("A", 1).0);
    federation.clock.set(now().plus_seconds(2 * DAY));
    assert!(refused_by_tls(&short, &world).await, "expired");
    federation.clock.set(now());

    // By the right CA, but a key that the directory does not list.
    let unlisted = posing(federation.credential("A", 90).0);
    let link = connect(&unlisted, "B", world.b.peers).await.expect("TLS holds");
    let sound = message(&world.a.id, |_| {}).await;
    let answer = sound.send(&link).await;
    assert_eq!(
        answer.refused(),
        "Server.ServerProxy.SslAuthenticationFailed certificate-not-listed"
    );
    is_unsigned(&answer);

    // Listed, then suspended, then listed again: on one open connection.
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    world.redirect(|directory| directory.members[0].suspended = Some(now()));
    let answer = sound.send(&link).await;
    assert_eq!(
        answer.refused(),
        "Server.ServerProxy.SslAuthenticationFailed member-suspended"
    );
    world.redirect(|directory| directory.members[0].suspended = None);
    assert_eq!(sound.send(&link).await.status, 200);

    // Revoked while the connection is open.
    let revoked = Revocation {
        serial: world.a.id.certificate.serial(),
        at: now(),
        invalid_since: None,
        reason: Reason::KeyCompromise,
    };
    let list = federation
        .root
        .revocation_list(&[revoked], 1, now(), DAY)
        .expect("a list");
    let mut revocations = Revocations::default();
    revocations
        .merge(list, [federation.root.certificate()], now())
        .expect("a list");
    let anchor = Anchor::new(federation.root.certificate().clone(), Scope::Everyone).expect("a CA");
    world.b.id.tls.swap_trust(TrustStore::new(vec![anchor], revocations));
    let answer = message(&world.a.id, |_| {}).await.send(&link).await;
    assert_eq!(
        answer.refused(),
        "Server.ServerProxy.SslAuthenticationFailed certificate-revoked"
    );
    assert!(refused_by_tls(&world.a.id.tls, &world).await, "nor a new one");
    assert!(connect(&c.tls, "B", world.b.peers).await.is_ok(), "others go on");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// TLS 1.3 tells a client by an alert after its handshake.
async fn refused_by_tls(tls: &Tls, world: &World) -> bool {
    let Ok(mut link) = connect(tls, "B", world.b.peers).await else {
        return true;
    };
    let message = message(&world.a.id, |_| {}).await;
    link.send_request(message.request(false)).await.is_err()
}

#[tokio::test]
async fn row_1_a_directory_that_has_run_out() {
    let (world, c, _) = world().await;
    let edge = world.a.edge;
    let path = "/r1/VN/GOV/B/reg/echo";
    assert_eq!(get(edge, path).await.status, 200, "A and B meet");
    let stale = Freshness::Stale {
        since: now(),
        until: now().plus_seconds(60),
    };
    world.age(stale);
    assert_eq!(get(edge, path).await.status, 200, "who has met goes on");
    let link = connect(&c.tls, "B", world.b.peers).await.expect("a connection");
    let answer = message(&c, |_| {}).await.send(&link).await;
    assert_eq!(
        answer.refused(),
        "Server.ServerProxy.SslAuthenticationFailed directory-stale"
    );
    assert_eq!(
        get(edge, "/r1/VN/GOV/C/app/x").await.refused(),
        "Server.ClientProxy.OutdatedGlobalConf directory-stale"
    );
    world.federation.clock.set(now().plus_seconds(61));
    assert_eq!(
        get(edge, path).await.refused(),
        "Server.ClientProxy.OutdatedGlobalConf directory-expired"
    );
    world.age(Freshness::Expired { since: now() });
    assert_eq!(
        get(edge, path).await.refused(),
        "Server.ClientProxy.OutdatedGlobalConf directory-expired"
    );
}

type Change = fn(&mut Message);
type Redraft = fn(&mut Draft);

#[tokio::test]
async fn row_2_messages_that_are_none() {
    let (world, _, calls) = world().await;
    let cases: Vec<(&str, Change)> = vec![
        ("path-dot-segment", |m| {
            m.target = "/r1/VN/GOV/B/reg/echo/a/%2e%2e/x".to_owned()
        }),
        ("path-encoded-slash", |m| {
            m.target = "/r1/VN/GOV/B/reg/echo/a%2Fx".to_owned()
        }),
        ("path-parameter", |m| m.target = "/r1/VN/GOV/B/reg/echo/x;y".to_owned()),
        ("path-empty-segment", |m| {
            m.target = "/r1/VN/GOV/B/reg/echo//x".to_owned()
        }),
        ("address-too-short", |m| m.target = "/r1/VN/GOV/B/reg".to_owned()),
        ("protocol-version-missing", |m| {
            m.target = "/govstack/r1/VN/GOV/B/reg/echo".to_owned()
        }),
        ("record-method", |m| m.method = "PURGE".to_owned()),
        ("record-input", |m| m.add("x-more", "1")),
        ("record-input", |m| m.drop("x-custom")),
        ("record-input", |m| m.set("motcua-input", "()")),
        ("record-input", |m| m.drop("motcua-input")),
        ("record-field-missing", |m| m.drop("x-motcua-purpose")),
        ("record-field-missing", |m| m.add("x-road-client", "VN/GOV/C/app")),
        ("record-digest", |m| m.drop("content-digest")),
        ("record-digest", |m| m.set("content-digest", "sha-512=:AA==:")),
        ("evidence-malformed", |m| m.set("motcua-salt", "AAAA")),
        ("evidence-malformed", |m| m.set("motcua-proof", "%")),
        ("evidence-malformed", |m| m.set("motcua-proof", "AAAAAAAAAAAAAA==")),
    ];
    for (code, change) in cases {
        let answer = tried(&world, change).await;
        assert_eq!(answer.refused(), format!("{FAILED}.InvalidMessage {code}"));
        is_unsigned(&answer);
    }
    // Values that HTTP lets pass and the model does not.
    let drafts: Vec<(&str, Redraft)> = vec![
        ("record-head", |d| d.client = "VN/GOV".to_owned()),
        ("record-head", |d| d.request_id = "1".to_owned()),
        ("record-head", |d| {
            d.request_id = d.request_id.to_uppercase().replace('-', "")
        }),
        ("record-head", |d| d.purpose = "UPPER".to_owned()),
    ];
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    for (code, change) in drafts {
        let answer = message(&world.a.id, change).await.send(&link).await;
        assert_eq!(answer.refused(), format!("{FAILED}.InvalidMessage {code}"));
    }
    // Some here and some there.
    let mut parted = message(&world.a.id, |_| {}).await;
    parted.fields.push(("x-trailing".to_owned(), b"1".to_vec()));
    let (head, body) = parted.request(true).into_parts();
    let mut head = head;
    head.headers.insert("motcua-salt", "AAAA".parse().expect("a value"));
    let answer = link
        .clone()
        .send_request(::http::Request::from_parts(head, body))
        .await
        .expect("an answer");
    let answer = crate::http::whole(answer).await;
    assert!(
        answer.refused().starts_with(&format!("{FAILED}.InvalidMessage")),
        "{answer:?}"
    );
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(world.b.id.log.size(), 0, "nothing of it is logged");
}

#[tokio::test]
async fn rows_3_to_5_proofs_that_are_missing_or_false() {
    let (world, c, calls) = world().await;
    for name in ["motcua-salt", "motcua-proof", "motcua-checkpoint"] {
        let answer = tried(&world, |m| m.drop(name)).await;
        assert_eq!(answer.refused(), format!("{FAILED}.MissingSignature evidence-missing"));
    }
    let other = message(&world.a.id, |d| d.body = "other").await;
    let of_c = message(&c, |_| {}).await;
    let false_signature = |m: &Message| {
        let note =
            String::from_utf8(BASE64_STANDARD.decode(m.get("motcua-checkpoint")).expect("base64")).expect("text");
        let (text, signature) = note.rsplit_once(' ').expect("a signature");
        let mut bytes = BASE64_STANDARD.decode(signature.trim_end()).expect("base64");
        *bytes.last_mut().expect("long enough") ^= 1;
        BASE64_STANDARD.encode(format!("{text} {}\n", BASE64_STANDARD.encode(bytes)))
    };
    let changed = |m: &Message, change: fn(&mut Vec<u8>)| {
        let mut proof = BASE64_STANDARD.decode(m.get("motcua-proof")).expect("base64");
        assert!(proof.len() >= 8 + 2 * 32, "a path of two at least");
        change(&mut proof);
        BASE64_STANDARD.encode(proof)
    };
    let reordered = |m: &Message| changed(m, |proof| proof[8..72].rotate_left(32));
    let truncated = |m: &Message| changed(m, |proof| proof.truncate(proof.len() - 32));
    let elsewhere = |m: &Message| changed(m, |proof| proof[7] ^= 1);
    type Boxed<'a> = Box<dyn Fn(&mut Message) + 'a>;
    let cases: Vec<(&str, Boxed<'_>)> = vec![
        (
            "not-included",
            Box::new(|m| m.set("motcua-salt", other.get("motcua-salt"))),
        ),
        (
            "not-included",
            Box::new(|m| {
                for name in ["motcua-salt", "motcua-proof", "motcua-checkpoint"] {
                    m.set(name, other.get(name));
                }
            }),
        ),
        ("not-included", Box::new(|m| m.set("x-custom", "2"))),
        (
            "not-included",
            Box::new(|m| m.target = "/r1/VN/GOV/B/reg/echo/y".to_owned()),
        ),
        ("not-included", Box::new(|m| m.method = "PUT".to_owned())),
        ("not-included", Box::new(|m| m.set("motcua-proof", reordered(m)))),
        ("not-included", Box::new(|m| m.set("motcua-proof", truncated(m)))),
        ("not-included", Box::new(|m| m.set("motcua-proof", elsewhere(m)))),
        (
            "bad-signature",
            Box::new(|m| m.set("motcua-checkpoint", false_signature(m))),
        ),
        (
            "log-other-origin",
            Box::new(|m| m.set("motcua-checkpoint", of_c.get("motcua-checkpoint"))),
        ),
    ];
    for (code, change) in cases {
        let answer = tried(&world, |m| change(m)).await;
        assert_eq!(answer.refused(), format!("{FAILED}.SignatureVerification {code}"));
        is_unsigned(&answer);
    }
    // C's certificate with A's message, and A's name under C's log.
    let link = connect(&c.tls, "B", world.b.peers).await.expect("a connection");
    let swapped = message(&world.a.id, |_| {}).await.send(&link).await;
    assert_eq!(
        swapped.refused(),
        format!("{FAILED}.SignatureVerification log-other-member")
    );
    let posing = message(&c, |d| d.client = "VN/GOV/A/app".to_owned()).await;
    assert_eq!(
        posing.send(&link).await.refused(),
        format!("{FAILED}.SignatureVerification log-other-member")
    );
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    assert_eq!(
        posing.send(&link).await.refused(),
        format!("{FAILED}.SignatureVerification log-other-member")
    );
    // A log that nobody knows.
    let unknown = message(&world.a.id, |d| d.log = LogName::new("nobody").expect("a name")).await;
    assert_eq!(
        unknown.send(&link).await.refused(),
        format!("{FAILED}.SignatureVerification log-other-member")
    );
    // A key that the directory no longer lists, though its checkpoint was believed a moment ago.
    let before = message(&world.a.id, |_| {}).await;
    assert_eq!(before.send(&link).await.status, 200);
    world.redirect(|directory| directory.members[0].gateways[0].log_keys.clear());
    assert_eq!(
        before.send(&link).await.refused(),
        format!("{FAILED}.SignatureVerification unknown-log")
    );
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_leaf_of_another_kind_is_no_message() {
    let (world, _, _) = world().await;
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    let mut message = message(&world.a.id, |_| {}).await;
    let receipt = world
        .a
        .id
        .log
        .append(Kind::ACTION, message.record.clone())
        .await
        .expect("logged");
    for field in peer::evidence(&receipt).to_fields().expect("small") {
        message.set(field.name(), field.value());
    }
    assert_eq!(
        message.send(&link).await.refused(),
        format!("{FAILED}.SignatureVerification not-included")
    );
}

#[tokio::test]
async fn rows_6_to_8_old_messages_replays_and_other_bodies() {
    let (mut world, _, calls) = world().await;
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    for (off, good) in [(-301, false), (301, false), (-300, true), (300, true)] {
        let message = message(&world.a.id, |d| {
            d.created = seconds().checked_add_signed(off).expect("a time")
        })
        .await;
        let answer = message.send(&link).await;
        match good {
            true => assert_eq!(answer.status, 200),
            false => assert_eq!(answer.refused(), format!("{FAILED}.MessageExpired message-not-fresh")),
        }
    }
    let sound = message(&world.a.id, |_| {}).await;
    assert_eq!(sound.send(&link).await.status, 200);
    let replayed = format!("{FAILED}.MessageReplayed message-replayed");
    assert_eq!(sound.send(&link).await.refused(), replayed);
    assert_eq!(
        sound.send_with_trailers(&link).await.refused(),
        replayed,
        "in the other form, too"
    );
    // Another message under the same id.
    let id = String::from_utf8(sound.get("x-road-request-id")).expect("text");
    let again = message(&world.a.id, |d| (d.request_id, d.body) = (id, "other")).await;
    assert_eq!(again.send(&link).await.refused(), replayed);

    for body in [&b"hell"[..], b"hello!", b"", b"jello"] {
        let mut message = message(&world.a.id, |_| {}).await;
        message.body = body.to_vec();
        assert_eq!(
            message.send(&link).await.refused(),
            format!("{FAILED}.InvalidBody body-other-digest")
        );
        let answer = message.send_with_trailers(&link).await;
        // By header the id was taken before the body came.
        assert_eq!(answer.refused(), replayed);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3);

    // A restart forgets nothing.
    world.b.stop().await;
    let World { federation, a, b } = world;
    let (standing, hosting) = (b.directory.load_full(), Hosting::clone(&b.hosting.load()));
    let id = b.id;
    drop(b.gateway);
    let listeners = (crate::world::listen().await.0, crate::world::listen().await.0);
    let setup = Setup {
        hosting,
        ..Setup::default()
    };
    let b = federation.start(id, setup, (*standing).clone(), listeners);
    let link = connect(&a.id.tls, "B", b.peers).await.expect("a connection");
    assert_eq!(sound.send(&link).await.refused(), replayed);
    assert_eq!(message(&a.id, |_| {}).await.send(&link).await.status, 200);
}

#[tokio::test]
async fn a_full_memory_of_requests_refuses_and_forgets_nothing_early() {
    let (url, _) = counting().await;
    let mut setup = Setup::provider([("echo", at(&url))]);
    setup.limits.remembered = 2;
    let world = World::new(Setup::consumer(), setup).await;
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    let first = message(&world.a.id, |_| {}).await;
    assert_eq!(first.send(&link).await.status, 200);
    assert_eq!(message(&world.a.id, |_| {}).await.send(&link).await.status, 200);
    let answer = message(&world.a.id, |_| {}).await.send(&link).await;
    assert_eq!(answer.refused(), "Server.ServerProxy.InternalError replay-memory-full");
    assert_eq!(
        first.send(&link).await.refused(),
        format!("{FAILED}.MessageReplayed message-replayed")
    );
    world.federation.clock.set(now().plus_seconds(601));
    let later = message(&world.a.id, |d| d.created = seconds() + 601).await;
    assert_eq!(later.send(&link).await.status, 200);
}

/// The record of a signed answer, which must be in B's log and cover the request.
fn signed(world: &World, answer: &Answer) -> AnswerRecord {
    let fields = answer
        .headers
        .iter()
        .map(|(n, v)| Field::new(n.as_str().as_bytes(), v.as_bytes()).expect("a field"));
    let fields: Vec<Field> = fields.collect();
    let record = AnswerRecord::received(answer.status, fields).expect("a record");
    assert!(world.b.id.records().contains(&record.to_bytes()));
    record
}

#[tokio::test]
async fn row_9_refusals_are_signed_answers() {
    let (world, _, calls) = world().await;
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    let mut n = 0;
    let mut tried = async |expected: &str, status: u16, change: fn(&mut Hosting), draft: fn(&mut Draft)| {
        world.b.rehost(|hosting| {
            hosting.grants.insert(service("echo"), vec![grant("echo")]);
            change(hosting);
        });
        let message = message(&world.a.id, draft).await;
        let answer = message.send(&link).await;
        assert_eq!((answer.status, answer.refused().as_str()), (status, expected));
        let record = signed(&world, &answer);
        let leaf = world
            .a
            .id
            .log
            .entry(world.a.id.log.size() - 1)
            .expect("an entry")
            .commitment
            .leaf();
        assert_eq!(record.request().0, leaf.0);
        assert!(
            world.b.id.records().contains(&message.record),
            "what was refused is logged, too"
        );
        n += 1;
    };
    let denied = "Server.ServerProxy.AccessDenied";
    tried(
        "Server.ServerProxy.UnknownService ",
        500,
        |_| {},
        |d| d.target = "/r1/VN/GOV/B/reg/none".to_owned(),
    )
    .await;
    tried(&format!("{denied} no-grant"), 500, |h| h.grants.clear(), |_| {}).await;
    tried(
        &format!("{denied} grant-expired"),
        500,
        |h| h.grants.get_mut(&service("echo")).expect("there")[0].to = now(),
        |_| {},
    )
    .await;
    tried(
        &format!("{denied} grant-suspended"),
        500,
        |h| h.grants.get_mut(&service("echo")).expect("there")[0].state = GrantState::Suspended,
        |_| {},
    )
    .await;
    tried(
        &format!("{denied} grant-other-purpose"),
        500,
        |_| {},
        |d| d.purpose = "statistics".to_owned(),
    )
    .await;
    tried(
        &format!("{denied} grant-other-path"),
        500,
        |h| h.grants.get_mut(&service("echo")).expect("there")[0].path = "/y/*".parse().expect("a pattern"),
        |_| {},
    )
    .await;
    tried(
        &format!("{denied} bare-member"),
        500,
        |_| {},
        |d| d.client = "VN/GOV/A".to_owned(),
    )
    .await;
    tried(
        "Server.ServerProxy.ServiceDisabled service-disabled",
        500,
        |h| h.services.get_mut(&service("echo")).expect("there").disabled = Some("Bảo trì".to_owned()),
        |_| {},
    )
    .await;
    assert_eq!((n, calls.load(Ordering::SeqCst)), (8, 0));
    world.b.id.verify_offline();
}

#[tokio::test]
async fn row_9_rates_say_when_to_come_again() {
    let (world, _, _) = world().await;
    let number = |n| NonZeroU32::new(n).expect("not zero");
    world.b.rehost(|hosting| {
        hosting.grants.get_mut(&service("echo")).expect("there")[0].rate = Some(Rate {
            calls: number(1),
            seconds: number(60),
            burst: number(2),
        });
    });
    let path = "/r1/VN/GOV/B/reg/echo";
    assert_eq!(get(world.a.edge, path).await.status, 200);
    assert_eq!(get(world.a.edge, path).await.status, 200);
    let answer = get(world.a.edge, path).await;
    assert_eq!(answer.refused(), "Server.ServerProxy.RateLimited grant-rate");
    assert_eq!(answer.header("retry-after"), "61");
    world.federation.clock.set(now().plus_seconds(60));
    assert_eq!(get(world.a.edge, path).await.status, 200);
    world.verify().await;
}

#[tokio::test]
async fn an_open_service_asks_for_no_grant() {
    let (world, c, _) = world().await;
    world.b.rehost(|hosting| {
        hosting.grants.clear();
        hosting.services.get_mut(&service("echo")).expect("there").open = true;
    });
    let link = connect(&c.tls, "B", world.b.peers).await.expect("a connection");
    assert_eq!(message(&c, |_| {}).await.send(&link).await.status, 200);
}

#[tokio::test]
async fn row_10_what_cannot_be_logged_is_not_passed_on() {
    let (url, calls) = counting().await;
    let mut setup = Setup::provider([("echo", at(&url))]);
    setup.log = |options| options.largest_record = 100;
    let world = World::new(Setup::consumer(), setup).await;
    let answer = post(world.a.edge, "/r1/VN/GOV/B/reg/echo", "{}").await;
    assert_eq!(answer.error(), "Server.ServerProxy.LoggingFailed");
    assert_eq!(calls.load(Ordering::SeqCst), 0, "nothing was changed");
    let answer = get(world.a.edge, "/r1/VN/GOV/B/reg/echo").await;
    assert_eq!(answer.error(), "Server.ServerProxy.LoggingFailed", "and nothing shown");
    calls.store(0, Ordering::SeqCst);

    let mut setup = Setup::consumer();
    setup.log = |options| options.largest_record = 100;
    let world = World::new(setup, Setup::provider([("echo", at(&url))])).await;
    let answer = get(world.a.edge, "/r1/VN/GOV/B/reg/echo").await;
    assert_eq!(answer.error(), "Server.ClientProxy.LoggingFailed");
    assert_eq!(calls.load(Ordering::SeqCst), 0, "nothing was sent");
}

#[tokio::test]
async fn a_node_of_another_federation_is_not_believed() {
    // The other way round: B's certificate is judged by A.
    let (world, _, _) = world().await;
    let signer = Arc::new(SigningKey::generate(trust::Algorithm::EcdsaP256).expect("a key"));
    let other = Authority::create("Khác", signer, now(), 365).expect("a root");
    let anchor = Anchor::new(other.certificate().clone(), Scope::Everyone).expect("a CA");
    world
        .a
        .id
        .tls
        .swap_trust(TrustStore::new(vec![anchor], Revocations::default()));
    let answer = get(world.a.edge, "/r1/VN/GOV/B/reg/echo").await;
    assert_eq!(
        answer.refused(),
        "Server.ClientProxy.NetworkError certificate-unknown-issuer"
    );
    assert!(world.a.id.tls.peer(None, Purpose::Server).is_err());
}
