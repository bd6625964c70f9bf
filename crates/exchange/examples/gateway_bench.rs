//! Measures an exchange: load → gateway A → mutual TLS → gateway B → a service with answers of fixed size. Both gateways
//! sign, log and judge rights as always; both run in one process, the load in another.
//!
//! ```text
//! gateway_bench run [SECONDS]          1 KiB and the mix, concurrency 1 and 64; a line of JSON for each
//! gateway_bench nodes                  the gateways alone, until standard input ends; prints the URL to put a load on
//! gateway_bench load URL MIX CONCURRENCY SECONDS
//! gateway_bench idle CONNECTIONS       resident memory of the gateways with so many idle connections
//! ```
//! `load` asks for `URL/1k`, `/2k`, `/10k`, `/100k`, `/2m`, `/10m` over HTTP/1.1 with connections that are kept; MIX is `1k` or
//! `mix` (2 KiB 30 %, 10 KiB 60 %, 100 KiB 9 %, 2 MiB 0.9 %, 10 MiB 0.1 %, which is that of X-Road's own load tests). So it can be put
//! on any other chain that serves these names. Times are microseconds, to the end of the body.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use axum::{Router, extract::Path, routing::get};
use base::{Clock, Text, time::SystemClock};
use bytes::Bytes;
use exchange::{
    gateway::{Config, Gateway, Limits},
    model::{
        error::Wire,
        federation::{self, Directory, Freshness, Member, Standing, View},
        hosting::{ClientSignIn, Hosting, LocalClient, LocalService, ServiceTarget},
        identifier::{Part, ServerId, ServiceId},
        message::LogName,
        meta::ServiceKind,
        monitor::OpRecord,
        rights::{Grant, GrantId, GrantState, Methods},
        tracker::{SubjectKey, SubjectRule},
    },
};
use hdrhistogram::Histogram;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use ledger::{FileKey, Log, Options, Signer as _};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use trust::{
    Algorithm, Anchor, Authority, CertificateRequest, KeyId, Revocations, Tls, TrustStore,
    ca::{Approval, Profile},
    certificate::Scope,
    key::SigningKey,
    tls::Credential,
};

/// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Name, bytes, and how many of a thousand.
const SIZES: [(&str, usize, u32); 6] = [
    ("1k", 1 << 10, 0),
    ("2k", 2 << 10, 300),
    ("10k", 10 << 10, 600),
    ("100k", 100 << 10, 90),
    ("2m", 2 << 20, 9),
    ("10m", 10 << 20, 1),
];

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["nodes"] => nodes().await,
        ["load", url, mix, concurrency, seconds] => load(url, mix, concurrency.parse()?, seconds.parse()?).await,
        ["idle", connections] => idle(connections.parse()?).await,
        ["run"] => run(10),
        ["run", seconds] => run(seconds.parse()?),
        _ => Err("run [SECONDS] | nodes | load URL MIX CONCURRENCY SECONDS | idle CONNECTIONS".into()),
    }
}

/// The gateways in a process of their own.
struct Nodes(Child, String);

impl Nodes {
    fn start() -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("nodes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut url)?;
        Ok(Self(child, url.trim().to_owned()))
    }

    /// Resident memory in bytes.
    fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .ok_or("no VmRSS")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        // It ends in order, so that its logs are removed, and a profile of what it ran is written if it was built for one.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn run(seconds: u64) -> Outcome {
    let nodes = Nodes::start()?;
    for (mix, concurrency) in [("1k", 1), ("1k", 64), ("mix", 1), ("mix", 64)] {
        let arguments = ["load", &nodes.1, mix, &concurrency.to_string(), &seconds.to_string()];
        let status = Command::new(std::env::current_exe()?).args(arguments).status()?;
        if !status.success() {
            return Err("the load failed".into());
        }
    }
    let resident = nodes.resident()?;
    writeln!(
        std::io::stdout(),
        "{}",
        serde_json::json!({ "resident_after_bytes": resident })
    )?;
    Ok(())
}

async fn idle(connections: usize) -> Outcome {
    let nodes = Nodes::start()?;
    let (host, path) = host_and_path(&nodes.1)?;
    let mut first = connect(host).await?;
    ask(&mut first, &format!("{path}/1k")).await?;
    let before = nodes.resident()?;
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut sender = connect(host).await?;
        ask(&mut sender, &format!("{path}/1k")).await?;
        open.push(sender);
    }
    let after = nodes.resident()?;
    let report = serde_json::json!({
        "connections": open.len(),
        "resident_idle_bytes": before,
        "bytes_per_connection": after.saturating_sub(before) / connections.max(1) as u64,
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

fn host_and_path(url: &str) -> Outcome<(&str, &str)> {
    let rest = url.strip_prefix("http://").ok_or("not an http URL")?;
    Ok(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

async fn connect(host: &str) -> Outcome<SendRequest<Empty<Bytes>>> {
    let tcp = TcpStream::connect(host).await?;
    tcp.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn ask(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> Outcome<usize> {
    let request = Request::get(path)
        .header("Host", "bench")
        .header("X-Road-Client", "VN/GOV/A/app")
        .header("X-Motcua-Purpose", "dossier.verify")
        .body(Empty::new())?;
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let (mut body, mut bytes) = (answer.into_body(), 0);
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, Bytes::len);
    }
    if status.is_success() {
        Ok(bytes)
    } else {
        Err(format!("status {status}").into())
    }
}

async fn load(url: &str, mix: &str, concurrency: u64, seconds: u64) -> Outcome {
    let mut warm = Vec::new();
    let (begin, length) = (Instant::now(), Duration::from_secs(seconds));
    let warm_up = Duration::from_secs(1);
    for n in 0..concurrency {
        let (url, mix) = (url.to_owned(), mix.to_owned());
        warm.push(tokio::spawn(async move {
            let (host, path) = host_and_path(&url)?;
            let mut sender = connect(host).await?;
            let (mut times, mut bytes) = (Vec::new(), 0);
            // Each asks for the same sizes in the same order, beginning elsewhere in it.
            for k in (n * 37).. {
                let asked = Instant::now();
                if asked - begin > warm_up + length {
                    break;
                }
                let got = ask(&mut sender, &format!("{path}/{}", size(&mix, k))).await?;
                if asked - begin > warm_up {
                    times.push(u64::try_from(asked.elapsed().as_micros())?);
                    bytes += got;
                }
            }
            Outcome::Ok((times, bytes))
        }));
    }
    let (mut histogram, mut all) = (Histogram::<u64>::new(3)?, 0);
    for task in warm {
        let (times, bytes) = task.await??;
        all += bytes;
        times.into_iter().try_for_each(|time| histogram.record(time))?;
    }
    let report = serde_json::json!({
        "mix": mix,
        "concurrency": concurrency,
        "seconds": seconds,
        "requests_per_second": histogram.len() / seconds.max(1),
        "megabytes_per_second": all as u64 / 1_000_000 / seconds.max(1),
        "p50_us": histogram.value_at_quantile(0.5),
        "p99_us": histogram.value_at_quantile(0.99),
        "max_us": histogram.max(),
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

/// The k-th size of a mix: spread evenly, the same in every run.
fn size(mix: &str, k: u64) -> &'static str {
    if let Some((name, ..)) = SIZES.iter().find(|(name, ..)| *name == mix) {
        return name;
    }
    // 619 and 1000 have no common factor, so a thousand in a row are the mix exactly.
    let mut place = u32::try_from(k * 619 % 1_000).unwrap_or(0);
    for (name, _, share) in SIZES {
        if place < share {
            return name;
        }
        place -= share;
    }
    "10k"
}

/// What the directory says of a node, and what it is made of.
struct Identity {
    tls: Tls,
    key: KeyId,
    log: Arc<Log>,
    log_key: String,
    edge: TcpListener,
    peers: TcpListener,
}

async fn identity(code: &str, root: &Authority, folder: &std::path::Path) -> Outcome<Identity> {
    let clock = Arc::new(SystemClock);
    let signer = Arc::new(SigningKey::generate(Algorithm::EcdsaP256)?);
    let member = trust::MemberId::new("VN", "GOV", code)?;
    let hosts = vec!["127.0.0.1".to_owned()];
    let request = CertificateRequest::create(signer.as_ref(), &member, &hosts)?;
    let approval = Approval {
        request: request.fingerprint(),
        member,
        organization: code.to_owned(),
        hosts,
        profile: Profile::Node,
        days: 7,
    };
    let certificate = root.issue(&request, &approval, clock.now())?;
    let anchor = Anchor::new(root.certificate().clone(), Scope::Everyone)?;
    let store = TrustStore::new(vec![anchor], Revocations::default());
    let origin = format!("{}.example.vn/exchange", code.to_lowercase());
    let log_key = FileKey::generate(&origin, ledger::Algorithm::Ed25519)?;
    Ok(Identity {
        key: certificate.key_id(),
        tls: Tls::new(Credential::new(&[certificate], signer)?, store, clock),
        log_key: log_key.verifier().to_string(),
        log: Arc::new(Log::open(&folder.join(code), Options::new(&origin, Arc::new(log_key)))?),
        edge: TcpListener::bind("127.0.0.1:0").await?,
        peers: TcpListener::bind("127.0.0.1:0").await?,
    })
}

fn listed(code: &str, subsystem: &str, identity: &Identity) -> Outcome<Member> {
    let text = Text::new(code, code);
    let gateway = federation::Gateway {
        code: Part::new("gw")?,
        address: identity.peers.local_addr()?.to_string(),
        keys: vec![identity.key],
        log: LogName::new(identity.log.origin())?,
        log_keys: vec![identity.log_key.clone()],
        log_url: None,
    };
    Ok(Member {
        id: format!("VN/GOV/{code}").parse()?,
        name: text.clone(),
        since: SystemClock.now(),
        suspended: None,
        gateways: vec![gateway],
        subsystems: vec![federation::Subsystem {
            code: Part::new(subsystem)?,
            name: text,
            services: Vec::new(),
        }],
    })
}

fn gateway(
    code: &str,
    identity: &Identity,
    standing: &Standing,
    hosting: Hosting,
    folder: &std::path::Path,
) -> Outcome<Gateway> {
    Ok(Gateway::new(Config {
        server: ServerId {
            owner: format!("VN/GOV/{code}").parse()?,
            code: Part::new("gw")?,
        },
        tls: identity.tls.clone(),
        log: Arc::clone(&identity.log),
        directory: Arc::new(ArcSwap::from_pointee(standing.clone())),
        hosting: Arc::new(ArcSwap::from_pointee(hosting)),
        clock: Arc::new(SystemClock),
        wire: Wire::default(),
        limits: Limits::default(),
        internal: BTreeMap::new(),
        spill: folder.to_owned(),
        subjects: SubjectKey::new([7; 32]),
        met: BTreeSet::new(),
        journal: None,
        operations: Some(drained()),
        tracer: traces::Tracer::default(),
    })?)
}

/// Takes the records of operational monitoring, as a node's journal does.
fn drained() -> mpsc::Sender<OpRecord> {
    let (records, mut taken) = mpsc::channel(1_024);
    tokio::spawn(async move { while taken.recv().await.is_some() {} });
    records
}

/// A service that answers `/1k` and so on.
async fn backend() -> Outcome<String> {
    let bodies = SIZES.map(|(name, bytes, _)| (name, Bytes::from(vec![b'a'; bytes])));
    let answer = move |Path(name): Path<String>| {
        let body = bodies
            .iter()
            .find(|(size, _)| *size == name)
            .map(|(_, body)| body.clone());
        async move { ([("content-type", "application/json")], body.unwrap_or_default()) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/{name}", get(answer));
    tokio::spawn(async move {
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |tcp| {
                let _ = tcp.set_nodelay(true);
            }),
            router,
        )
        .await
    });
    Ok(url)
}

fn hosted(url: String) -> Outcome<Hosting> {
    let service: ServiceId = "VN/GOV/B/reg/size".parse()?;
    let now = SystemClock.now();
    let grant = Grant {
        id: GrantId::new(now),
        consumer: "VN/GOV/A/app".parse()?,
        service: service.clone(),
        methods: Methods::Any,
        path: "/*".parse()?,
        purposes: BTreeSet::from(["dossier.verify".parse()?]),
        legal_basis: "Điều 11 Luật Căn cước 26/2023/QH15".to_owned(),
        from: now,
        to: now.plus_seconds(86_400),
        rate: None,
        mask: None,
        state: GrantState::Active,
    };
    let local = LocalService {
        target: ServiceTarget::Url(url),
        kind: ServiceKind::Rest,
        open: false,
        disabled: None,
        timeout: Duration::from_secs(30),
        verify_certificate: true,
        credential: None,
        subjects: SubjectRule::default(),
        action: String::new(),
        endpoints: Vec::new(),
        openapi: None,
    };
    Ok(Hosting {
        services: [(service.clone(), local)].into(),
        grants: [(service, vec![grant])].into(),
        ..Hosting::default()
    })
}

async fn nodes() -> Outcome {
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let signer = Arc::new(SigningKey::generate(Algorithm::EcdsaP256)?);
    let root = Authority::create("Bench CA", signer, SystemClock.now(), 30)?;
    let (a, b) = (
        identity("A", &root, folder.path()).await?,
        identity("B", &root, folder.path()).await?,
    );
    let directory = Directory {
        instance: Part::new("VN")?,
        name: Text::new("Đo", "Bench"),
        version: 1,
        issued: SystemClock.now(),
        anchors: Vec::new(),
        revocations: Vec::new(),
        members: vec![listed("A", "app", &a)?, listed("B", "reg", &b)?],
        witnesses: Vec::new(),
        quorum: 0,
    };
    let standing = Standing {
        view: Arc::new(View::new(directory).map_err(|problems| format!("{problems:?}"))?),
        freshness: Freshness::Fresh,
    };
    let client = LocalClient {
        sign_in: ClientSignIn::Open,
        purpose: None,
    };
    let consumer = Hosting {
        clients: [("VN/GOV/A/app".parse()?, client)].into(),
        ..Hosting::default()
    };
    let first = gateway("A", &a, &standing, consumer, folder.path())?;
    let second = gateway("B", &b, &standing, hosted(backend().await?)?, folder.path())?;
    writeln!(
        std::io::stdout(),
        "http://{}/r1/VN/GOV/B/reg/size",
        a.edge.local_addr()?
    )?;
    let (end, ended) = watch::channel(());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(end);
    });
    let until = |mut ended: watch::Receiver<()>| async move {
        // Nothing is sent: it ends when the sender is gone.
        let _ = ended.changed().await;
    };
    tokio::try_join!(
        first.serve_edge(a.edge, None, until(ended.clone())),
        second.serve_peers(b.peers, until(ended))
    )?;
    Ok(())
}
