//! The proof of a read at another node: whom it is given to, and what a person is shown of one that does not hold.

use std::sync::Mutex;

use http::StatusCode;

use super::*;
use crate::{
    journal::{Journal, Parts, ReadElsewhere, evidence::Role as Leaf, tests as harness},
    model::tracker::SubjectKey,
};

const PROVIDER: &str = "VN/GOV/000.00.00.G01/dancu";

/// What a node answers to whoever asks it for the proof of a read: status, and the body as text or as a container.
async fn asked(node: &Node, provider: &str, read: &str, about: &str) -> (StatusCode, Vec<u8>) {
    let app = usage_router(node.journal.clone(), &subsystem(provider));
    let request = http::Request::get(format!("/v1/proofs/{read}?userCode=VN{about}"))
        .header("x-road-userid", format!("VN{about}"))
        .header("x-motcua-purpose", "tracker.own-view")
        .body(Body::empty())
        .expect("a request");
    let (head, body) = app.oneshot(request).await.expect("infallible").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (head.status, body.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_given_about_the_person_that_is_asked_for_and_nobody_else() {
    let hidden = |config: &mut crate::journal::Config| {
        config.hidden = vec![HiddenReads {
            member: id("VN/GOV/000.00.00.H26"),
            purposes: vec![id("crime.investigate")],
            reason: Text::new("Bộ luật Tố tụng hình sự", "Code of Criminal Procedure"),
            from: date(2026, 11, 1),
            until: date(2026, 12, 31),
        }];
    };
    for node in nodes(hidden).await {
        log_read(&node, 1, PERSON, 0).await;
        log_read(&node, 2, ELSE, 0).await;
        let secret = call(3);
        let mut investigated = read_of(&secret, PERSON, node.now());
        investigated.purpose = id("crime.investigate");
        node.log_call(&secret, Some(&investigated)).await;
        let of = |n: u128| call(n).request_id.to_string();

        let (status, container) = asked(&node, PROVIDER, &of(1), PERSON).await;
        assert_eq!(status, 200);
        let report = verify_container(&container, &node.policy(), None);
        assert!(report.is_whole(), "{report:?}");
        let [leaf] = report.leaves.as_slice() else {
            panic!("{report:?}")
        };
        assert_eq!(leaf.role, Leaf::Read);
        assert!(
            !String::from_utf8_lossy(&leaf.record).contains(PERSON),
            "the number is not in it"
        );

        // One answer to everything else: nobody learns whether there is such a read.
        let none = asked(&node, PROVIDER, &of(9), PERSON).await;
        assert_eq!(none.0, 404);
        for (what, provider, read, about) in [
            ("another person's", PROVIDER, of(2), PERSON),
            ("mine, for somebody else", PROVIDER, of(1), ELSE),
            ("a hidden one", PROVIDER, of(3), PERSON),
            (
                "from another system of the node",
                "VN/GOV/000.00.00.G01/hotich",
                of(1),
                PERSON,
            ),
            ("a leaf in the place of the request", PROVIDER, "2".to_owned(), PERSON),
        ] {
            assert_eq!(asked(&node, provider, &read, about).await, none, "{what}");
        }
        // Not without saying why, and about whom.
        let app = usage_router(node.journal.clone(), &subsystem(PROVIDER));
        for headers in [
            &[("x-road-userid", "VN037190001234")][..],
            &[("x-motcua-purpose", "tracker.own-view")],
        ] {
            let (status, ..) = send(&app, &format!("/v1/proofs/{}", of(1)), headers).await;
            assert_eq!(status, 400);
        }
    }
}

/// What a node on the way, or the other node itself, does with an answer.
type Change = Box<dyn Fn(u16, Vec<u8>) -> Option<(u16, Vec<u8>)> + Send + Sync>;

/// The way to the node that has the reads.
struct Way {
    there: Router,
    change: Mutex<Change>,
    /// The read that is asked for in the place of the one that was meant.
    swapped: Mutex<Option<String>>,
}

impl Caller for Way {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        async move {
            assert_eq!(client.to_string(), "VN/GOV/000.00.00.H26/motcua");
            let (mut head, body) = request.into_parts();
            let target = head.uri.to_string();
            let path = target.strip_prefix(&format!("/r1/{PROVIDER}/{PROVIDER_SERVICE}"));
            // Nobody else answers.
            let mut path = path.ok_or(Refusal::new(ErrorCode::ClientNetworkError))?.to_owned();
            let swapped = self.swapped.lock().expect("a lock").clone();
            if let Some(other) = swapped {
                let (_, query) = path.split_once('?').expect("a query");
                path = format!("/v1/proofs/{other}?{query}");
            }
            head.uri = path.parse().expect("a path");
            let answer = self
                .there
                .clone()
                .oneshot(http::Request::from_parts(head, Body::from(body)))
                .await;
            let (mut head, body) = answer.expect("infallible").into_parts();
            let body = body.collect().await.expect("a body").to_bytes().to_vec();
            let changed = (self.change.lock().expect("a lock"))(head.status.as_u16(), body);
            let (status, body) = changed.ok_or(Refusal::new(ErrorCode::ClientNetworkError))?;
            head.status = StatusCode::from_u16(status).expect("a status");
            Ok(http::Response::from_parts(head, body.into()))
        }
        .boxed()
    }
}

/// The portal of the province: a journal whose directory knows the key of the node that has the reads.
fn portal(node: &Node, way: Arc<Way>) -> Journal {
    let mut config = crate::journal::Config::new("H26", id("VN/GOV/000.00.00.H26/motcua"), SubjectKey::new([6; 32]));
    config.meanings = harness::config().meanings;
    Journal::new(Parts {
        store: node.store.clone(),
        log: Arc::clone(&node.log),
        former: Vec::new(),
        identity: node.identity.clone(),
        directory: harness::directory(&node.key),
        calendar: harness::calendar(),
        clock: Arc::new(node.clock.clone()),
        caller: Some(way),
        config,
    })
    .expect("good settings")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_says_verified_of_what_it_has_verified_and_of_nothing_else() {
    for mut node in nodes(|_| {}).await {
        for (n, person) in [(1, PERSON), (2, ELSE), (3, PERSON)] {
            log_read(&node, n, person, 0).await;
        }
        let way = Arc::new(Way {
            there: usage_router(node.journal.clone(), &subsystem(PROVIDER)),
            change: Mutex::new(Box::new(|status, body| Some((status, body)))),
            swapped: Mutex::default(),
        });
        let journal = portal(&node, Arc::clone(&way));
        node.serve(&journal);
        let me = node.person(Some(PERSON)).await;
        let of = |n: u128| ReadElsewhere {
            provider: subsystem(PROVIDER),
            read: call(n).request_id,
        };
        let change = |change: Change| *way.change.lock().expect("a lock") = change;

        // It is in the list with the way to its proof; the page says what was proved, and the file is the proof.
        let list = node.get(&me, "/my/reads").await;
        assert!(list.body.contains(&of(1).page().replace('&', "&#38;")), "{}", list.body);
        let page = node.get(&me, &of(1).page()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for part in ["Đã kiểm chứng", "Tỉnh Thử Nghiệm", "H26-261125-0001", "Bộ Công an"] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        let file = node.get(&me, &of(1).download()).await;
        assert!(verify_container(&file.bytes, &node.policy(), None).is_whole());

        // Somebody else's read, and a provider that is none, are not there.
        assert_eq!(node.get(&me, &of(2).page()).await.status, 404);
        let nowhere = ReadElsewhere {
            provider: subsystem("VN/GOV/000.00.00.G01/motcua"),
            ..of(1)
        };
        assert_eq!(node.get(&me, &nowhere.page()).await.status, 404);
        assert_eq!(node.get(&me, "/my/reads/elsewhere?from=x&read=y").await.status, 404);

        // Another read of mine in its place.
        *way.swapped.lock().expect("a lock") = Some(call(3).request_id.to_string());
        let error = journal.proof_elsewhere(&me, &of(1)).await.expect_err("swapped");
        assert_eq!(code(&error), "proof-of-other-read");
        *way.swapped.lock().expect("a lock") = None;

        // A byte of what was said changed on the way.
        change(Box::new(|status, mut body| {
            let at = body
                .windows(8)
                .position(|part| part == b"\"action\"")
                .expect("the record");
            body[at + 12] ^= 1;
            Some((status, body))
        }));
        let page = node.get(&me, &of(1).page()).await;
        assert_eq!(page.status, 409);
        assert!(page.body.contains("Không kiểm chứng được") && !page.body.contains("Đã kiểm chứng"));
        assert_eq!(
            node.get(&me, &of(1).download()).await.status,
            409,
            "it is not handed on"
        );

        // The node is down, slow to start, or talks nonsense: the page says so and offers it again.
        let broken: [Change; 3] = [
            Box::new(|_, _| None),
            Box::new(|_, _| Some((503, b"{}".to_vec()))),
            Box::new(|status, _| Some((status, vec![0; 2 << 20]))),
        ];
        for way in broken {
            change(way);
            let page = node.get(&me, &of(1).page()).await;
            assert_eq!(page.status, 503);
            for part in ["Chưa lấy được bằng chứng", "Thử lại"] {
                assert!(page.body.contains(part), "{}", page.body);
            }
        }
        change(Box::new(|status, body| Some((status, body))));
        assert_eq!(node.get(&me, &of(1).page()).await.status, 200);

        // A key that the directory does not give for the member vouches for nothing.
        let stranger = Arc::new(ledger::FileKey::generate(harness::ORIGIN, ledger::Algorithm::Ed25519).expect("a key"));
        node.key = stranger;
        let journal = portal(&node, way);
        let error = journal.proof_elsewhere(&me, &of(1)).await.expect_err("another key");
        assert_eq!(code(&error), "unknown-log");
    }
}
