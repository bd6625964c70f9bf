//! Timestamps by a real authority: `openssl ts` behind a small HTTP server.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base::{Clock, Timestamp, time::SystemClock};
use tempfile::TempDir;
use trust::{
    Anchor, Certificate, Explained, Revocations, TrustStore,
    certificate::Scope,
    timestamp::{Client, Query, StampError, Token},
};

use crate::common::{DAY, openssl};

const CONFIGURATION: &str = "
[tsa]
default_tsa = here
[here]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = ESS
[good]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[soft]
keyUsage = critical,digitalSignature
extendedKeyUsage = timeStamping
";

/// An authority with its CA, in a folder.
struct Tsa {
    folder: TempDir,
    store: TrustStore,
}

impl Tsa {
    /// `kind` is what `openssl req -newkey` takes, `ess` the hash of the certificate in the token.
    fn new(kind: &[&str], ess: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("mine");
        write("ts.cnf", &CONFIGURATION.replace("= ESS", &format!("= {ess}")));
        write("serial", "01\n");
        let run = |arguments: &[&str]| openssl(folder.path(), arguments);
        let new = [&["req", "-new", "-nodes"][..], kind].concat();
        run(&[
            &new[..],
            &[
                "-x509",
                "-keyout",
                "ca.key",
                "-out",
                "ca.pem",
                "-days",
                "100",
                "-subj",
                "/CN=TSA root",
            ],
        ]
        .concat());
        run(&[&new[..], &["-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA"]].concat());
        let sign = [
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "50",
        ];
        run(&[
            &sign[..],
            &["-extfile", "ts.cnf", "-extensions", "good", "-out", "tsa.pem"],
        ]
        .concat());
        let store = store_of(&folder.path().join("ca.pem"));
        Self { folder, store }
    }

    fn rsa() -> Self {
        Self::new(&["-newkey", "rsa:2048"], "sha256")
    }

    /// Answers a question as the authority does.
    fn answer(&self, query: &[u8]) -> Vec<u8> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("query-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        fs::write(self.folder.path().join(&name), query).expect("mine");
        openssl(
            self.folder.path(),
            &[
                "ts",
                "-reply",
                "-config",
                "ts.cnf",
                "-queryfile",
                &name,
                "-section",
                "here",
            ],
        )
    }

    fn stamp(&self, digest: [u8; 32]) -> Result<Token, StampError> {
        let query = Query::new(digest).expect("a question");
        query.verify(&self.answer(query.der()), &self.store, now())
    }
}

fn store_of(ca: &Path) -> TrustStore {
    let ca = Certificate::load_chain(ca).expect("a certificate").remove(0);
    TrustStore::new(
        vec![Anchor::new(ca, Scope::Everyone).expect("a CA")],
        Revocations::default(),
    )
}

/// openssl tells the true time.
fn now() -> Timestamp {
    SystemClock.now()
}

/// Serves whatever `answer` makes of the body of a POST, until the test ends; gives the URL.
fn serve(answer: impl Fn(&[u8]) -> (&'static str, Vec<u8>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/tsa", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.expect("a caller");
            let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
            let (mut length, mut kind) = (0, String::new());
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a header");
                let line = line.trim().to_ascii_lowercase();
                match line.split_once(": ") {
                    Some(("content-length", value)) => length = value.parse().expect("a length"),
                    Some(("content-type", value)) => kind = value.to_owned(),
                    _ if line.is_empty() => break,
                    _ => {}
                }
            }
            assert_eq!(kind, "application/timestamp-query");
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let (status, body) = answer(&body);
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {}\r\nconnection: \
                 close\r\n\r\n",
                body.len()
            );
            // A client that has seen enough hangs up.
            let _ = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(&body));
        }
    });
    url
}

fn client(url: &str) -> Client {
    Client::new(url, reqwest::Client::new())
}

#[tokio::test]
async fn a_checkpoint_is_stamped_over_http_and_proves_itself_later() {
    let tsa = Arc::new(Tsa::rsa());
    let url = serve({
        let tsa = Arc::clone(&tsa);
        move |query| ("200 OK", tsa.answer(query))
    });
    let digest = [7; 32];
    let token = client(&url)
        .stamp(digest, &tsa.store, now())
        .await
        .expect("a timestamp");
    assert!((token.time.micros() - now().micros()).abs() < 60_000_000);
    assert_eq!(
        (token.policy.as_str(), token.authority.as_str()),
        ("1.2.3.4.1", "CN=TSA")
    );
    // Later, from the archive, by us and by openssl.
    assert_eq!(Token::verify(&token.der, &digest, &tsa.store).expect("the same"), token);
    assert_eq!(
        Token::verify(&token.der, &[8; 32], &tsa.store),
        Err(StampError::OtherDigest)
    );
    fs::write(tsa.folder.path().join("token"), &token.der).expect("mine");
    let verify = [
        "ts",
        "-verify",
        "-digest",
        &"07".repeat(32),
        "-in",
        "token",
        "-token_in",
        "-CAfile",
        "ca.pem",
    ];
    openssl(tsa.folder.path(), &verify);
}

#[test]
fn authorities_of_all_kinds_are_understood() {
    let p256 = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"][..];
    let p384 = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"][..];
    for (kind, ess) in [
        (&["-newkey", "rsa:3072"][..], "sha256"),
        (p256, "sha256"),
        (p384, "sha512"),
        // The older attribute, with SHA-1 (RFC 2634).
        (p256, "sha1"),
    ] {
        Tsa::new(kind, ess)
            .stamp([1; 32])
            .unwrap_or_else(|error| panic!("{kind:?} {ess}: {error}"));
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let tsa = Tsa::rsa();
    let (mine, other) = (
        Query::new([1; 32]).expect("a question"),
        Query::new([1; 32]).expect("a question"),
    );
    let replayed = tsa.answer(other.der());
    assert_eq!(
        mine.verify(&replayed, &tsa.store, now()),
        Err(StampError::OtherQuestion)
    );
    let another = Query::new([2; 32]).expect("a question");
    assert_eq!(
        mine.verify(&tsa.answer(another.der()), &tsa.store, now()),
        Err(StampError::OtherDigest)
    );
    let late = now().plus_seconds(DAY / 24);
    assert_eq!(
        mine.verify(&tsa.answer(mine.der()), &tsa.store, late)
            .expect_err("late")
            .code(),
        "timestamp-clock"
    );
}

#[test]
fn only_a_timestamping_authority_stamps() {
    let tsa = Tsa::rsa();
    let elsewhere = Tsa::rsa();
    let query = Query::new([1; 32]).expect("a question");
    let answer = tsa.answer(query.der());
    let code = |store: &TrustStore| query.verify(&answer, store, now()).expect_err("not believed").code();
    assert_eq!(code(&elsewhere.store), "certificate-wrong-signature");
    assert_eq!(code(&TrustStore::default()), "certificate-unknown-issuer");
    // timeStamping, but not critical: openssl itself will not use it, so it is put in place of the good one.
    let sign = [
        "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "50",
    ];
    let soft = openssl(
        tsa.folder.path(),
        &[&sign[..], &["-extfile", "ts.cnf", "-extensions", "soft"]].concat(),
    );
    let soft = Certificate::chain_from_pem(&String::from_utf8(soft).expect("PEM"))
        .expect("a certificate")
        .remove(0);
    let refused = tsa
        .store
        .judge(&[soft.der().clone()], trust::Purpose::Timestamp, now())
        .expect_err("not critical");
    assert_eq!(refused.code(), "certificate-wrong-usage");
}

#[test]
fn a_refusal_of_the_authority_is_told_in_its_words() {
    let tsa = Tsa::rsa();
    // It does not take SHA-1.
    let query = openssl(
        tsa.folder.path(),
        &["ts", "-query", "-digest", &"01".repeat(20), "-sha1"],
    );
    let answer = tsa.answer(&query);
    let error = Query::new([1; 32])
        .expect("a question")
        .verify(&answer, &tsa.store, now())
        .expect_err("refused");
    assert_eq!(error.code(), "timestamp-refused");
    assert!(error.to_string().contains("not supported"), "{error}");
}

#[test]
fn one_changed_bit_anywhere_in_a_token_is_noticed_or_meaningless() {
    let tsa = Tsa::new(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "sha256");
    let token = tsa.stamp([1; 32]).expect("a timestamp");
    for at in 0..token.der.len() {
        let mut changed = token.der.clone();
        changed[at] ^= 1;
        if let Ok(read) = Token::verify(&changed, &[1; 32], &tsa.store) {
            // Versions, and certificates nobody needs, are outside of what was signed.
            assert_eq!(
                (read.time, &read.serial, &read.policy),
                (token.time, &token.serial, &token.policy),
                "at {at}"
            );
        }
    }
    for cut in 0..token.der.len() {
        Token::verify(&token.der[..cut], &[1; 32], &tsa.store).expect_err("truncated");
    }
}

#[tokio::test]
async fn an_authority_that_is_down_lies_or_floods_is_told() {
    let store = TrustStore::default();
    let stamp = async |url: &str| {
        client(url)
            .stamp([1; 32], &store, now())
            .await
            .expect_err("no timestamp")
            .code()
    };
    assert_eq!(stamp("http://127.0.0.1:1/tsa").await, "timestamp-unreachable");
    let down = serve(|_| ("503 Service Unavailable", vec![]));
    assert_eq!(stamp(&down).await, "timestamp-unreachable");
    let lying = serve(|_| ("200 OK", b"<html>".to_vec()));
    assert_eq!(stamp(&lying).await, "timestamp-malformed");
    let flooding = serve(|_| ("200 OK", vec![0x30; 10_000_000]));
    assert_eq!(stamp(&flooding).await, "timestamp-malformed");
    let asked = Arc::new(Mutex::new(0));
    let counting = serve({
        let asked = Arc::clone(&asked);
        move |_| {
            *asked.lock().expect("no panic") += 1;
            ("200 OK", vec![])
        }
    });
    assert_eq!(stamp(&counting).await, "timestamp-malformed");
    assert_eq!(*asked.lock().expect("no panic"), 1, "asked once");
}
