//! Certificates from files that change, and by ACME from Pebble, the test server of Let's Encrypt, which calls back.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Instant,
};

use ::trust::{
    Algorithm, Authority, CertificateRequest, MemberId, Signer,
    ca::{Approval, Profile},
    key::SigningKey,
};
use base::time::{FixedClock, SystemClock};
use http::StatusCode;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinHandle,
};

use super::{acme::Pace, *};
use crate::{
    exchange::tests::{config_text, until},
    node::{MIGRATIONS, Node, open_store},
    ports,
};

const DAY: i64 = 86_400;

fn installed() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A CA with what it issues: chain and key of `localhost` in PEM.
struct Mint(Authority);

impl Mint {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::EcdsaP256).expect("a key");
        Self(Authority::create("Thử", Arc::new(key), SystemClock.now(), 30).expect("a root"))
    }

    fn issue(&self, days: u16) -> (String, String) {
        let signer = SigningKey::generate(Algorithm::EcdsaP256).expect("a key");
        let who = MemberId::new("VN", "GOV", "PAGES").expect("a member");
        let hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let request = CertificateRequest::create(&signer as &dyn Signer, &who, &hosts).expect("a request");
        let approval = Approval {
            request: request.fingerprint(),
            member: who,
            organization: "Thử".to_owned(),
            hosts,
            profile: Profile::Node,
            days,
        };
        let certificate = self
            .0
            .issue(&request, &approval, SystemClock.now())
            .expect("a certificate");
        (certificate.to_pem(), signer.to_pem().expect("PEM").to_string())
    }

    fn client(&self) -> reqwest::Client {
        client(reqwest::Certificate::from_der(self.0.certificate().der()).expect("a certificate"))
    }
}

fn client(root: reqwest::Certificate) -> reqwest::Client {
    let builder = reqwest::Client::builder().tls_certs_only([root]);
    builder
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client")
}

/// The serial number, as far as it tells two certificates apart.
fn shown(page: &PageCertificate) -> Option<Vec<u8>> {
    let shown = page.shown()?;
    Some(shown.key.cert[0].to_vec())
}

#[tokio::test]
async fn files_that_change_are_shown_and_files_that_do_not_fit_are_not() {
    installed();
    let (folder, mint) = (tempfile::tempdir().expect("a folder"), Mint::new());
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let put = |(chain_pem, key_pem): (&str, &str)| {
        std::fs::write(&chain, chain_pem).expect("mine");
        std::fs::write(&key, key_pem).expect("mine");
    };
    let (first, second) = (mint.issue(20), mint.issue(10));
    let page = Arc::<PageCertificate>::default();
    assert!(Files::open(&chain, &key, Arc::clone(&page)).is_err(), "there are none");
    put((&first.0, &second.1));
    let error = Files::open(&chain, &key, Arc::clone(&page))
        .err()
        .expect("of two pairs");
    assert!(format!("{error:#}").contains("do not belong together"), "{error:#}");
    put((&first.0, &first.1));
    let mut files = Files::open(&chain, &key, Arc::clone(&page)).expect("good");
    files.look = Duration::from_millis(20);
    let before = shown(&page);
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(files.keep(stopping));

    // Half of a new pair, or nonsense, leaves what is shown.
    for bad in [(second.0.as_str(), first.1.as_str()), ("nonsense", first.1.as_str())] {
        put(bad);
        until("it is told", async || {
            page.trouble().filter(|t| t.code == "page-certificate-unusable")
        })
        .await;
        assert_eq!(shown(&page), before);
    }
    put((&second.0, &second.1));
    until("the new one", async || {
        (shown(&page) != before && page.trouble().is_none()).then_some(())
    })
    .await;
    assert!(!page.ends_soon(SystemClock.now()));
    assert!(
        page.ends_soon(SystemClock.now().plus_seconds(9 * DAY)),
        "a sixth of ten days"
    );
    stop.send_replace(true);
    task.await.expect("no panic");
}

/// A node with these further lines in `[http]` and a port for its figures.
async fn node(folder: &Path, http: &str) -> (Node, SocketAddr, watch::Sender<bool>, JoinHandle<anyhow::Result<()>>) {
    let (text, url) = config_text(folder, "");
    let secure = url.replace("http://127.0.0.1", "https://localhost");
    let text = text.replace(
        &format!("public_url = \"{url}\""),
        &format!("public_url = \"{secure}\""),
    );
    let metrics = ports::one();
    let text = text.replace("[http]\n", &format!("[http]\nmetrics = \"{metrics}\"\n"));
    let text = text.replace("[identity]", &format!("{http}\n[identity]"));
    let path = folder.join("motcua.toml");
    std::fs::write(&path, text).expect("mine");
    let config = Config::read(&path).expect("a configuration");
    let (node, stop, task) = serve(config).await;
    (node, metrics, stop, task)
}

async fn serve(config: Config) -> (Node, watch::Sender<bool>, JoinHandle<anyhow::Result<()>>) {
    installed();
    let store = open_store(&config).await.expect("a database");
    store.migrate(MIGRATIONS, SystemClock.now()).await.expect("migrated");
    let node = Node::open(config, store).await.expect("a node");
    let (stop, mut stopping) = watch::channel(false);
    let (ready, started) = tokio::sync::oneshot::channel();
    let asked = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let serving = crate::serve::serve_until(asked, node.clone(), move |_| {
        let _ = ready.send(());
    });
    let task = tokio::spawn(serving);
    let started = started.await;
    assert!(started.is_ok(), "{:?}", task.await);
    (node, stop, task)
}

/// The same node, started again.
async fn again(folder: &Path) -> (Node, SocketAddr, watch::Sender<bool>, JoinHandle<anyhow::Result<()>>) {
    let config = Config::read(&folder.join("motcua.toml")).expect("a configuration");
    let metrics = config.http.metrics.expect("an address");
    let (node, stop, task) = serve(config).await;
    (node, metrics, stop, task)
}

/// What `/readyz` remarks, one line each. How full the disk under these tests is does not belong to them.
async fn remarks(metrics: SocketAddr) -> String {
    let (status, said) = until("the figures are served", async || {
        let answer = reqwest::get(format!("http://{metrics}/readyz")).await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    })
    .await;
    let fails = said.lines().any(|line| line.starts_with("fails "));
    assert_eq!(status, if fails { 503 } else { 200 }, "{said}");
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some(if fails { "not ready" } else { "ready" }));
    lines
        .filter(|line| !line.contains(" disk-nearly-full: "))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Pebble, which issues for days and calls a port of this machine.
struct Pebble {
    process: Child,
    folder: TempDir,
    own: Mint,
    port: u16,
    management: u16,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Pebble {
    /// `challenges` is the port at which it looks for answers; what it issues is valid for so many seconds.
    async fn start(challenges: u16, seconds: i64) -> Self {
        installed();
        let (folder, own) = (tempfile::tempdir().expect("a folder"), Mint::new());
        let (chain, key) = own.issue(7);
        std::fs::write(folder.path().join("cert.pem"), chain).expect("mine");
        std::fs::write(folder.path().join("key.pem"), key).expect("mine");
        std::fs::write(folder.path().join("ca.pem"), own.0.certificate().to_pem()).expect("mine");
        let (port, management) = (ports::one().port(), ports::one().port());
        let configuration = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": "cert.pem",
            "privateKey": "key.pem",
            "httpPort": challenges,
            "tlsPort": 1,
            "externalAccountBindingRequired": true,
            "externalAccountMACKeys": { "kid-1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" },
            "certificateValidityPeriod": seconds,
        }});
        std::fs::write(folder.path().join("pebble.json"), configuration.to_string()).expect("mine");
        std::fs::write(
            folder.path().join("binding"),
            "kid-1\nMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\n",
        )
        .expect("mine");
        let process = Command::new("pebble")
            .args(["-config", "pebble.json"])
            .current_dir(folder.path())
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need pebble: apt-get install pebble");
        let pebble = Self {
            process,
            folder,
            own,
            port,
            management,
        };
        let http = pebble.own.client();
        until("pebble starts", async || http.get(pebble.directory()).send().await.ok()).await;
        pebble
    }

    /// It is away; its files stay.
    fn stop(&mut self) {
        self.process.kill().expect("it ran");
        self.process.wait().expect("it ended");
    }

    fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.port)
    }

    /// A client that believes what it issues.
    async fn client(&self) -> reqwest::Client {
        let root = self
            .own
            .client()
            .get(format!("https://127.0.0.1:{}/roots/0", self.management));
        let pem = root.send().await.expect("a root").bytes().await.expect("PEM");
        client(reqwest::Certificate::from_pem(&pem).expect("a certificate"))
    }

    /// The settings of a node that orders here.
    fn settings(&self, challenges: u16) -> String {
        format!(
            "[http.acme]\ndirectory = {:?}\nterms_agreed = true\ncontact = [\"mailto:quantri@example.vn\"]\nchallenges = \"127.0.0.1:{challenges}\"\n\
             ca = {:?}\nbinding = {:?}\n",
            self.directory(),
            self.folder.path().join("ca.pem"),
            self.folder.path().join("binding"),
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_gets_the_certificate_of_its_pages_by_acme_and_keeps_it() {
    let challenges = ports::one().port();
    let mut pebble = Pebble::start(challenges, 30 * DAY).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (node, metrics, stop, task) = node(folder.path(), &pebble.settings(challenges)).await;
    let browser = pebble.client().await;
    let url = node.config().identity.public_url.clone();
    let page = until("the certificate", async || {
        browser.get(format!("{url}/healthz")).send().await.ok()
    })
    .await;
    assert_eq!((page.status(), page.version()), (StatusCode::OK, http::Version::HTTP_2));
    assert!(page.headers().contains_key("strict-transport-security"));
    assert_eq!(remarks(metrics).await, "");
    let figures = crate::watch::strict::read(&crate::watch::figures(&node).await.expect("figures"));
    assert!(
        figures.contains_key("motcua_page_certificate_expiry_timestamp_seconds"),
        "{figures:?}"
    );

    // People who come without TLS are sent to it; a form is not.
    let door = format!("http://127.0.0.1:{challenges}/services?q=x");
    let sent = browser.get(&door).send().await.expect("an answer");
    assert_eq!(
        (
            sent.status().as_u16(),
            sent.headers()["location"].to_str().expect("ASCII")
        ),
        (308, format!("{url}/services?q=x").as_str())
    );
    assert_eq!(
        browser.post(&door).send().await.expect("an answer").status(),
        StatusCode::FORBIDDEN
    );
    let token = format!("http://127.0.0.1:{challenges}/.well-known/acme-challenge/none");
    assert_eq!(
        browser.get(token).send().await.expect("an answer").status(),
        StatusCode::NOT_FOUND
    );

    // The next start shows it at once, though the server of ACME is away.
    let first = shown(node.page_certificate().expect("TLS"));
    stop.send_replace(true);
    task.await.expect("no panic").expect("served");
    // It has the log open.
    drop(node);
    let kept = std::fs::metadata(folder.path().join("acme/pages.pem")).expect("kept");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&kept.permissions()) & 0o777,
        0o600
    );
    pebble.stop();
    let (node, metrics, _stop, task) = again(folder.path()).await;
    assert_eq!(shown(node.page_certificate().expect("TLS")), first);
    assert_eq!(remarks(metrics).await, "");
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_server_and_certificate_a_node_serves_no_page_and_says_why() {
    let (folder, ca) = (tempfile::tempdir().expect("a folder"), Mint::new());
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, ca.0.certificate().to_pem()).expect("mine");
    let settings = format!(
        "[http.acme]\ndirectory = \"https://127.0.0.1:1/dir\"\nterms_agreed = true\nchallenges = \"{}\"\nca = {path:?}\n",
        ports::one()
    );
    let (node, metrics, _stop, task) = node(folder.path(), &settings).await;
    let page = node.page_certificate().expect("TLS");
    until("the trouble", async || page.trouble()).await;
    let said = remarks(metrics).await;
    assert!(
        said.contains("fails page-certificate-missing: ") && said.contains("warns acme-server: "),
        "{said}"
    );
    let url = node.config().identity.public_url.clone();
    assert!(ca.client().get(url).send().await.is_err(), "no handshake");
    task.abort();
}

const QUICK: Pace = Pace {
    look: Duration::from_millis(50),
    again: Duration::from_millis(100),
    longest: Duration::from_secs(60),
};

/// ACME alone, by a clock of its own.
struct Keeping {
    page: Arc<PageCertificate>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Keeping {
    async fn start(folder: &Path, settings: &str, clock: Arc<dyn Clock>) -> Self {
        Self::traced(folder, settings, clock, Tracer::default()).await
    }

    async fn traced(folder: &Path, settings: &str, clock: Arc<dyn Clock>, tracer: Tracer) -> Self {
        let text = format!("data = {folder:?}\n[identity]\npublic_url = \"https://localhost\"\n{settings}");
        let config: Config = toml::from_str(&text).expect("a configuration");
        let acme = config.http.acme.clone().expect("ACME");
        let page = Arc::<PageCertificate>::default();
        let opened = Acme::open(&config, &acme, clock, Arc::clone(&page), tracer).await;
        let mut opened = opened.expect("opened");
        opened.orders.pace = QUICK;
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(opened.keep(stopping));
        Self { page, stop, task }
    }

    async fn shows_other_than(&self, before: &Option<Vec<u8>>) -> Option<Vec<u8>> {
        until("another certificate", async || {
            Some(shown(&self.page)).filter(|now| now.is_some() && now != before)
        })
        .await
    }

    async fn trouble(&self) -> Trouble {
        until("trouble", async || self.page.trouble()).await
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_in_time_and_the_old_one_goes_on_while_it_cannot_be() {
    let challenges = ports::one().port();
    let mut pebble = Pebble::start(challenges, 9).await;
    let (folder, settings) = (tempfile::tempdir().expect("a folder"), pebble.settings(challenges));
    let clock = || Arc::new(SystemClock);
    let keeping = Keeping::start(folder.path(), &settings, clock()).await;
    let first = keeping.shows_other_than(&None).await;
    let begun = Instant::now();
    keeping.shows_other_than(&first).await;
    let renewed = begun.elapsed();
    assert!((4..9).contains(&renewed.as_secs()), "when a third is left: {renewed:?}");
    assert_eq!(keeping.page.trouble(), None);
    let page = Arc::clone(&keeping.page);
    keeping.end().await;
    let kept = shown(&page);

    // Other hosts: another is ordered; that the challenge fails is told, and the old one goes on.
    let other = settings.replace("terms_agreed", "hosts = [\"khong-co.invalid\"]\nterms_agreed");
    let keeping = Keeping::start(folder.path(), &other, clock()).await;
    let trouble = keeping.trouble().await;
    assert!(
        ["acme-not-reached", "acme-refused"].contains(&trouble.code),
        "{trouble:?}"
    );
    assert_eq!(shown(&keeping.page), kept);
    keeping.end().await;

    // The server is away when the certificate has ended: it is still what is shown.
    pebble.stop();
    let ended = async || page.until().filter(|until| *until <= SystemClock.now());
    until("it has ended", ended).await;
    let keeping = Keeping::start(folder.path(), &settings, clock()).await;
    assert_eq!(keeping.trouble().await.code, "acme-server");
    assert_eq!(shown(&keeping.page), kept);
    keeping.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_wrong_is_told_and_nothing_is_ordered_again_and_again() {
    let challenges = ports::one().port();
    let pebble = Pebble::start(challenges, 30 * DAY).await;
    for days in [-2, 25, 40] {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = FixedClock::at(SystemClock.now().plus_seconds(days * DAY));
        let keeping = Keeping::start(folder.path(), &pebble.settings(challenges), Arc::new(clock)).await;
        assert_eq!(keeping.trouble().await.code, "acme-clock", "{days}");
        assert_eq!(shown(&keeping.page), None);
        keeping.end().await;
    }
}

#[tokio::test]
async fn a_folder_that_is_damaged_is_as_good_as_none() {
    installed();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("acme")).expect("mine");
    std::fs::write(folder.path().join("acme/pages.pem"), "nonsense").expect("mine");
    let settings = format!(
        "[http.acme]\ndirectory = \"https://127.0.0.1:1/dir\"\nterms_agreed = true\nchallenges = \"{}\"\n",
        ports::one()
    );
    let keeping = Keeping::start(folder.path(), &settings, Arc::new(SystemClock)).await;
    assert_eq!(shown(&keeping.page), None);
    assert_eq!(keeping.trouble().await.code, "acme-server");
    keeping.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_a_span_and_its_calls_bear_its_place() {
    installed();
    let (folder, mint) = (tempfile::tempdir().expect("a folder"), Mint::new());
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("mine");
        path
    };
    let (chain, key) = mint.issue(20);
    let (chain, key) = (put("chain.pem", &chain), put("key.pem", &key));
    let ca = put("ca.pem", &mint.0.certificate().to_pem());

    // A server that is out of order, and keeps what it was asked.
    let page = Arc::<PageCertificate>::default();
    let keeper = Keeper::Files(Files::open(&chain, &key, Arc::clone(&page)).expect("good"));
    let tls = PageTls {
        certificate: page,
        keeper,
    }
    .server()
    .expect("good");
    let mut tls = tls.as_ref().clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.expect("somebody");
        let mut stream = acceptor.accept(tcp).await.expect("TLS");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a byte"));
        }
        let answer = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.expect("written");
        let _ = stream.shutdown().await;
        String::from_utf8(head).expect("text")
    });
    let settings = format!(
        "[http.acme]\ndirectory = \"https://localhost:{port}/dir\"\nterms_agreed = true\nchallenges = \"{}\"\nca = {ca:?}\n",
        ports::one()
    );
    let sampling = ::traces::Sampling {
        share: 1.0,
        follow: true,
    };
    let (tracer, mut ended) = Tracer::new(sampling, 8);
    let keeping = Keeping::traced(folder.path(), &settings, Arc::new(SystemClock), tracer).await;
    let trouble = keeping.trouble().await;
    let span = ended.recv().await.expect("the order");
    assert_eq!(
        (span.name.as_ref(), span.kind, span.failed),
        ("acme order", ::traces::Kind::Client, true)
    );
    assert_eq!(span.attributes, [(::traces::Key::Error, trouble.code.into())]);
    let head = heard.await.expect("no panic");
    let place = format!("traceparent: {}\r\n", span.context.traceparent());
    assert!(head.starts_with("GET /dir ") && head.contains(&place), "{head}");
    keeping.end().await;
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let good = "directory = \"https://acme.example/dir\"\nterms_agreed = true\n";
    let check = |text: &str, url: &str| {
        let settings: acme::Settings = toml::from_str(text).expect("settings");
        settings.check(url).err().map(|error| error.to_string())
    };
    assert_eq!(check(good, "https://h42.gov.vn"), None);
    for (text, url, says) in [
        (good.replace("https", "http"), "https://h42.gov.vn", "directory"),
        (good.replace("true", "false"), "https://h42.gov.vn", "terms_agreed"),
        (good.to_owned(), "http://h42.gov.vn", "public_url"),
        (
            format!("{good}contact = [\"quantri@h42.gov.vn\"]"),
            "https://h42.gov.vn",
            "mailto:",
        ),
    ] {
        let said = check(&text, url).expect("refused");
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn a_door_without_tls_leads_nowhere_else() {
    // The address to go to is the configured one, whatever the caller says.
    let folder = tempfile::tempdir().expect("a folder");
    installed();
    let challenges = ports::one();
    let settings = format!(
        "[http.acme]\ndirectory = \"https://127.0.0.1:1/dir\"\nterms_agreed = true\nchallenges = \"{challenges}\"\n"
    );
    let keeping = Keeping::start(folder.path(), &settings, Arc::new(SystemClock)).await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let asked = client
        .get(format!("http://{challenges}//evil.example/x"))
        .header("host", "evil.example");
    let answer = asked.send().await.expect("an answer");
    assert_eq!(answer.headers()["location"], "https://localhost//evil.example/x");
    keeping.end().await;
}
