//! Certificates by ACME, from Pebble, the test server of Let's Encrypt, which calls the node back over real HTTP.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base::{Clock, time::SystemClock};
use tempfile::TempDir;
use trust::{
    Algorithm, Anchor, Authority, Certificate, CertificateRequest, Explained, Purpose, Revocations, TrustStore,
    acme::{Account, Binding, Challenges},
    ca::Profile,
    certificate::Scope,
};

use crate::common::{approval, key, member};

/// The key of `kid-1` below.
const BINDING: &[u8] = b"0123456789abcdef0123456789abcdef";

struct Pebble {
    process: Child,
    folder: TempDir,
    port: u16,
    management: u16,
    http: reqwest::Client,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Pebble {
    /// `challenges` is the port at which the node answers.
    async fn start(challenges: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Pebble speaks HTTPS, with a certificate of a CA made for it.
        let now = SystemClock.now();
        let root = Authority::create("Pebble's own", key(Algorithm::EcdsaP256), now, 30).expect("a root");
        let signer = key(Algorithm::EcdsaP256);
        let request = CertificateRequest::create(signer.as_ref(), &member("PEBBLE"), &[]).expect("a request");
        let mut approved = approval(&request, &member("PEBBLE"), Profile::Node);
        approved.days = 7;
        let certificate = root.issue(&request, &approved, now).expect("a certificate");
        fs::write(folder.path().join("cert.pem"), certificate.to_pem()).expect("mine");
        fs::write(folder.path().join("key.pem"), signer.to_pem().expect("PEM").as_bytes()).expect("mine");
        let (port, management) = (free_port(), free_port());
        let configuration = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": "cert.pem",
            "privateKey": "key.pem",
            "httpPort": challenges,
            "tlsPort": 1,
            "externalAccountBindingRequired": true,
            "externalAccountMACKeys": { "kid-1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" },
        }});
        fs::write(folder.path().join("pebble.json"), configuration.to_string()).expect("mine");
        let process = Command::new("pebble")
            .args(["-config", "pebble.json"])
            .current_dir(folder.path())
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need pebble: apt-get install pebble");
        let root = reqwest::Certificate::from_der(root.certificate().der()).expect("a certificate");
        let http = reqwest::Client::builder()
            .tls_certs_only([root])
            .build()
            .expect("a client");
        let pebble = Self {
            process,
            folder,
            port,
            management,
            http,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = pebble.http.get(pebble.directory()).send().await {
            assert!(Instant::now() < deadline, "pebble does not start: {error:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        pebble
    }

    fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.port)
    }

    /// The CA that Pebble issues from.
    async fn root(&self) -> Certificate {
        let url = format!("https://127.0.0.1:{}/roots/0", self.management);
        let pem = self
            .http
            .get(url)
            .send()
            .await
            .expect("a root")
            .text()
            .await
            .expect("PEM");
        Certificate::chain_from_pem(&pem).expect("a certificate").remove(0)
    }

    async fn account(&self, file: &Path) -> Account {
        let binding = Binding {
            id: "kid-1".to_owned(),
            key: BINDING.to_vec(),
        };
        let account = Account::create(&self.directory(), self.http.clone(), &[], Some(&binding), file).await;
        account.unwrap_or_else(|error| panic!("{error}"))
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A node that answers challenges; gives its port.
fn serve(challenges: Challenges) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.expect("a caller");
            let mut lines = BufReader::new(socket.try_clone().expect("a socket")).lines();
            let first = lines.next().and_then(Result::ok).unwrap_or_default();
            let token = first
                .split(' ')
                .nth(1)
                .and_then(|path| path.strip_prefix("/.well-known/acme-challenge/"));
            let answer = token.and_then(|token| challenges.answer(token)).unwrap_or_default();
            let _ = write!(
                socket,
                "HTTP/1.0 200 OK\r\ncontent-length: {}\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    port
}

#[tokio::test]
async fn a_node_has_its_certificate_issued_and_is_known_by_its_registered_key() {
    let challenges = Challenges::default();
    let pebble = Pebble::start(serve(challenges.clone())).await;
    let file = pebble.folder.path().join("account.json");
    pebble.account(&file).await;
    let account = Account::open(pebble.http.clone(), &file)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let signer = key(Algorithm::EcdsaP256);
    let request = CertificateRequest::for_hosts(signer.as_ref(), &["localhost".to_owned()]).expect("a request");
    let chain = account
        .issue(&request, &challenges)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let anchor = Anchor::new(pebble.root().await, Scope::Everyone).expect("a CA");
    let store = TrustStore::new(vec![anchor], Revocations::default());
    let chain: Vec<_> = chain.iter().map(|certificate| certificate.der().clone()).collect();
    let now = SystemClock.now();
    let unknown = store.judge(&chain, Purpose::Server, now).expect_err("of nobody yet");
    assert_eq!(unknown.code(), "certificate-without-member");
    let store = store.with_keys(&member("A"), [request.key_id()]);
    assert_eq!(
        store.judge(&chain, Purpose::Server, now).expect("registered").member,
        member("A")
    );
}

#[tokio::test]
async fn a_host_that_does_not_answer_gets_nothing() {
    let pebble = Pebble::start(serve(Challenges::default())).await;
    let account = pebble.account(&pebble.folder.path().join("account.json")).await;
    let signer = key(Algorithm::EcdsaP256);
    let request = CertificateRequest::for_hosts(signer.as_ref(), &["localhost".to_owned()]).expect("a request");
    let challenges = Challenges::default();
    let error = account.issue(&request, &challenges).await.expect_err("not reached");
    assert!(matches!(error.code(), "acme-not-reached" | "acme-refused"), "{error}");
}

#[tokio::test]
async fn an_account_needs_what_the_ca_gave_the_member() {
    let pebble = Pebble::start(1).await;
    let file = pebble.folder.path().join("account.json");
    let create = async |binding: Option<&Binding>| {
        let account = Account::create(&pebble.directory(), pebble.http.clone(), &[], binding, &file).await;
        account.err().map(|error| error.code())
    };
    assert_eq!(create(None).await, Some("acme-refused"));
    let wrong = Binding {
        id: "kid-1".to_owned(),
        key: b"another key of another member 00".to_vec(),
    };
    assert_eq!(create(Some(&wrong)).await, Some("acme-refused"));
    assert!(!file.exists());
    let nobody = Account::create("http://127.0.0.1:1/dir", pebble.http.clone(), &[], None, &file).await;
    assert_eq!(nobody.err().map(|error| error.code()), Some("acme-server"));
    assert_eq!(
        Account::open(pebble.http.clone(), &file).await.err().map(|e| e.code()),
        Some("key-missing")
    );
}
