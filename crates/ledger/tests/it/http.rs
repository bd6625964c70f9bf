//! The pages of a log and of a witness.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use base::time::FixedClock;
use bytes::Bytes;
use http_body_util::BodyExt;
use ledger::{
    Algorithm, Hash, Signer, http,
    tree::{verify_consistency, verify_inclusion},
    verify,
    witness::{AddCheckpoint, Witness},
};
use tower::ServiceExt;

use crate::support::{NOW, block_on, fill, key, key_named, open, policy};

fn ask(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, Bytes) {
    block_on(async {
        let response = router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (parts.status, parts.headers, body)
    })
}

fn get(router: &Router, path: &str) -> (StatusCode, HeaderMap, Bytes) {
    ask(router, Request::get(path).body(Body::empty()).expect("a request"))
}

fn hashes(body: &[u8]) -> Vec<Hash> {
    let text = std::str::from_utf8(body).expect("text");
    text.lines().map(|l| Hash::parse(l).expect("a hash")).collect()
}

#[test]
fn a_log_is_served() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = Arc::new(open(dir.path(), &key));
    fill(&log, 0..600, 100);
    let router = http::log(Arc::clone(&log));
    let (status, headers, body) = get(&router, "/checkpoint");
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(headers["cache-control"], "public, max-age=1");
    assert_eq!(body, log.checkpoint().to_string());

    for (path, length) in [
        ("/tile/0/000", 8_192),
        ("/tile/0/001", 8_192),
        ("/tile/0/000.p/5", 160),
        ("/tile/0/002.p/88", 88 * 32),
        ("/tile/0/002.p/87", 87 * 32),
        ("/tile/1/000.p/2", 64),
        ("/tile/entries/000", 256 * 36),
        ("/tile/entries/002.p/88", 88 * 36),
    ] {
        let (status, headers, body) = get(&router, path);
        assert_eq!((status, body.len()), (StatusCode::OK, length), "{path}");
        assert!(headers["cache-control"].to_str().expect("text").contains("immutable"));
        assert_eq!(headers["content-type"], "application/octet-stream");
    }
    for path in [
        "/tile/0/002",
        "/tile/0/002.p/89",
        "/tile/0/003",
        "/tile/1/000",
        "/tile/2/000.p/1",
        "/tile/0/000.p/256",
        "/tile/0/../../segments/00000000000000000000.seg",
        "/tile/0/%2e%2e/%2e%2e/lock",
        "/tile/entries/999",
        "/tile/x/000",
    ] {
        assert_eq!(get(&router, path).0, StatusCode::NOT_FOUND, "{path}");
    }

    let (status, _, body) = get(&router, "/proof?index=577");
    assert_eq!(status, StatusCode::OK);
    let verdict = verify(&body, &policy(&key), None).expect("it verifies");
    assert_eq!((verdict.index, verdict.size, verdict.record()), (577, 600, None));
    let (_, _, body) = get(&router, "/proof?index=99&size=100");
    let leaf = log.entry(99).expect("it is there").commitment.leaf();
    let root = log.root(100).expect("a root");
    assert!(verify_inclusion(&leaf, 99, 100, &root, &hashes(&body)));
    let (_, _, body) = get(&router, "/consistency?from=100&to=600");
    assert!(verify_consistency(
        100,
        600,
        &root,
        &log.checkpoint().checkpoint().root,
        &hashes(&body)
    ));
    for (path, status) in [
        ("/proof?index=600", StatusCode::NOT_FOUND),
        ("/proof?index=5&size=5", StatusCode::NOT_FOUND),
        ("/proof?index=5&size=601", StatusCode::NOT_FOUND),
        ("/proof?index=-1", StatusCode::BAD_REQUEST),
        ("/proof", StatusCode::BAD_REQUEST),
        ("/consistency?from=7&to=6", StatusCode::NOT_FOUND),
        ("/consistency?from=7&to=601", StatusCode::NOT_FOUND),
        ("/consistency?from=7", StatusCode::BAD_REQUEST),
        ("/consistency?from=0&to=18446744073709551616", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(get(&router, path).0, status, "{path}");
    }
}

#[test]
fn a_witness_is_served() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let own = key_named("nhan-chung.example/mot", Algorithm::CosignatureV1);
    let log = open(&dir.path().join("log"), &key);
    fill(&log, 0..5, 5);
    let signers: Vec<Arc<dyn Signer>> = vec![own.clone()];
    let clock = Arc::new(FixedClock::at(NOW));
    let witness = Witness::open(&dir.path().join("witness"), signers, vec![key.verifier()], clock).expect("it opens");
    let router = http::witness(Arc::new(witness));
    let post = |body: Vec<u8>| {
        ask(
            &router,
            Request::post("/add-checkpoint")
                .body(Body::from(body))
                .expect("a request"),
        )
    };
    let request = |old| {
        let checkpoint = (*log.checkpoint()).clone();
        let proof = log.consistency(old, checkpoint.checkpoint().size).expect("a proof");
        AddCheckpoint { old, proof, checkpoint }.to_string().into_bytes()
    };
    let hash = "4a0a1f6e3bd3c2a45c7a9aadb4f0d2b1c5e57a3f9c0bd4d6d0c1f0f6b2a1e9d8";
    assert_eq!(get(&router, &format!("/{hash}/checkpoint")).0, StatusCode::NOT_FOUND);
    let (status, _, body) = post(request(0));
    assert_eq!(status, StatusCode::OK);
    let mut cosigned = (*log.checkpoint()).clone();
    let lines = ledger::parse_signatures(std::str::from_utf8(&body).expect("text")).expect("lines");
    lines.into_iter().for_each(|line| cosigned.add(line));
    assert!(cosigned.verify(&own.verifier()).is_ok());
    fill(&log, 5..9, 4);
    let (status, headers, body) = post(request(0));
    assert_eq!((status, &body[..]), (StatusCode::CONFLICT, &b"5\n"[..]));
    assert_eq!(headers["content-type"], "text/x.tlog.size");
    assert_eq!(post(request(5)).0, StatusCode::OK);
    assert_eq!(post(b"nonsense".to_vec()).0, StatusCode::BAD_REQUEST);
    assert_eq!(post(vec![b'a'; 1 << 20]).0, StatusCode::PAYLOAD_TOO_LARGE);
    let name = std::fs::read_dir(dir.path().join("witness"))
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().into_string().expect("a name"))
        .find(|n| n.len() == 64)
        .expect("a state");
    let (status, _, body) = get(&router, &format!("/{name}/checkpoint"));
    assert_eq!(status, StatusCode::OK);
    assert!(body.starts_with(format!("{}\n9\n", log.origin()).as_bytes()));
}
