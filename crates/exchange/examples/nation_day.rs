//! A day of a nation in the log of one busy node: what it costs to keep, to prove and to verify.
//!
//! ```text
//! cargo run --release -p exchange --example nation_day -- [--messages 1000000] [--concurrency 64] [--dir DIR] [--database URL]
//! ```
//! The node is that of the population register and other registers of one member: 63 provinces and some ministries ask it.
//! Each message is what the gateway writes of it: the request as it came, awaited; then the answer and, where a person's data
//! were read, the read, awaited. The hours of the day pass with the messages as on a working day. The journal follows meanwhile, in a
//! database of its own (SQLite in DIR without `--database`). Then any message is proved, and the whole day verified as an auditor
//! does: every record, signature, checkpoint and tile.
//!
//! Prints lines of JSON: one for each tenth of the day, one for the whole.

use std::{
    collections::HashMap,
    error::Error,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use base::{Calendar, Clock, Text, Timestamp, codes::PersonNumber, time::FixedClock};
use exchange::{
    journal::{Config, Filter, Journal, Parts},
    model::{
        Field, Method,
        address::Target,
        federation::{Directory, View},
        identifier::{Part, ServiceId},
        message::{AnswerRecord, ContentDigest, LogName, RequestLeaf, RequestRecord},
        tracker::{ReadRecord, SubjectKey},
    },
};
use identity::{Actor, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, Role, Roles, Shell};
use ledger::{Algorithm, FileKey, Kind, Log, Options, Policy, Signer, audit, verify};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use store::Store;
use tokio::task::JoinHandle;
use uuid::Uuid;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const ORIGIN: &str = "g01.gov.vn/exchange";
const MEMBER: &str = "VN/GOV/000.00.00.G01";
const AGENCY: &str = "G01";
/// 25 November 2026, 00:00 in Viet Nam: a Wednesday.
const MIDNIGHT: Timestamp = Timestamp::from_micros(1_795_539_600_000_000);

/// How much of a day comes in each of its hours.
const HOURS: [u64; 24] = [
    1, 1, 1, 1, 1, 2, 6, 30, 70, 90, 85, 50, 30, 60, 85, 85, 70, 40, 20, 12, 10, 8, 5, 2,
];

/// Codes with which the numbers of persons begin.
const PROVINCES: [&str; 6] = ["001", "031", "037", "048", "079", "092"];

/// A service: how many of a hundred messages are for it, and whose data it has.
struct Offered {
    share: u64,
    method: Method,
    path: &'static str,
    purpose: &'static str,
    persons: bool,
}

const fn offered(share: u64, method: Method, path: &'static str, purpose: &'static str, persons: bool) -> Offered {
    Offered {
        share,
        method,
        path,
        purpose,
        persons,
    }
}

const SERVICES: [Offered; 7] = [
    offered(46, Method::Get, "dancu/persons/persons/", "dossier.verify", true),
    offered(14, Method::Get, "dancu/households/households/", "dossier.verify", true),
    offered(
        12,
        Method::Get,
        "dkkd/enterprises/enterprises/",
        "licence.verify",
        false,
    ),
    offered(
        10,
        Method::Get,
        "bhxh/contributions/contributions/",
        "benefit.decide",
        true,
    ),
    offered(8, Method::Get, "thue/obligations/taxpayers/", "tax.collect", true),
    offered(5, Method::Post, "hotich/births/births/", "civil.register", true),
    offered(5, Method::Post, "hoso/dossiers/dossiers/", "dossier.report", false),
];

struct Settings {
    messages: u64,
    concurrency: u64,
    dir: PathBuf,
    database: Option<String>,
}

fn settings() -> Outcome<Settings> {
    let mut given = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        given.insert(name, arguments.next().ok_or("a value is missing")?);
    }
    let number = |name: &str, default: u64| given.get(name).map_or(Ok(default), |text| text.parse());
    let unnamed = std::env::temp_dir().join(format!("nation-day-{}", std::process::id()));
    Ok(Settings {
        messages: number("--messages", 1_000_000)?.max(10),
        concurrency: number("--concurrency", 64)?.max(1),
        dir: given.get("--dir").map_or(unnamed, PathBuf::from),
        database: given.get("--database").cloned(),
    })
}

fn say(line: &serde_json::Value) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn main() -> Outcome {
    let settings = settings()?;
    std::fs::create_dir(&settings.dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let key = Arc::new(FileKey::generate(ORIGIN, Algorithm::Ed25519)?);
    let mut report = runtime.block_on(day(&settings, &key))?;
    drop(runtime);

    let begun = Instant::now();
    let policy = Policy::new(vec![key.verifier()], Vec::new(), 0)?;
    let found = audit::directory(&settings.dir.join("ledger"), &policy, &[])?;
    report["verify_day_seconds"] = begun.elapsed().as_secs_f64().into();
    report["verified_entries"] = found.size.into();
    report["verified_checkpoints"] = found.checkpoints.into();
    report["findings"] = found.findings.len().into();
    report["peak_memory_bytes"] = memory("VmHWM:")?.into();
    say(&report)?;
    std::fs::remove_dir_all(&settings.dir)?;
    if found.is_clean() {
        Ok(())
    } else {
        Err("the log does not verify".into())
    }
}

/// Lets the day pass; gives its figures.
async fn day(settings: &Settings, key: &Arc<FileKey>) -> Outcome<serde_json::Value> {
    let clock = FixedClock::at(MIDNIGHT);
    let ledger = settings.dir.join("ledger");
    let mut options = Options::new(ORIGIN, Arc::<FileKey>::clone(key));
    options.clock = Arc::new(clock.clone());
    let log = Arc::new(Log::open(&ledger, options)?);
    let (journal, store) = journal(settings, &log, &clock).await?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let following = tokio::spawn(journal.clone().follow(stopped));

    let begun = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..settings.concurrency)
        .map(|seed| {
            let (log, clock, next, messages) = (Arc::clone(&log), clock.clone(), Arc::clone(&next), settings.messages);
            tokio::spawn(async move {
                let mut chance = SmallRng::seed_from_u64(seed);
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= messages {
                        return Outcome::Ok(());
                    }
                    if n.is_multiple_of(100) {
                        clock.set(at(n, messages));
                    }
                    message(&log, &clock, &mut chance).await?;
                }
            })
        })
        .collect();
    let mut memories = Vec::new();
    for tenth in 1..=10 {
        // A task that ends early has failed; it is asked below.
        while next.load(Ordering::Relaxed) < settings.messages * tenth / 10
            && !tasks.iter().any(JoinHandle::is_finished)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let resident = memory("VmRSS:")?;
        memories.push(resident);
        say(&serde_json::json!({
            "part": tenth * 10, "seconds": begun.elapsed().as_secs_f64(), "entries": log.size(),
            "resident_bytes": resident, "entries_not_folded": log.size() - folded(&journal).await?,
        }))?;
    }
    for task in tasks {
        task.await??;
    }
    let took = begun.elapsed();
    journal.catch_up().await?;
    let caught_up = begun.elapsed() - took;
    let (prove, check) = proofs(&log, key)?;
    let _ = stop.send(true);
    following.await?;
    let work = log.work();
    drop(journal);
    store.close().await;
    let per_message = |bytes: u64| bytes as f64 / settings.messages as f64;
    Ok(serde_json::json!({
        "messages": settings.messages, "entries": log.size(), "batches": work.batches,
        "seconds": took.as_secs_f64(), "messages_per_second": settings.messages as f64 / took.as_secs_f64(),
        "segment_bytes_per_message": per_message(size_of(&ledger.join("segments"))),
        "tile_bytes_per_message": per_message(size_of(&ledger.join("tile"))),
        "journal_bytes_per_message": settings.database.is_none().then(|| per_message(size_of(&settings.dir.join("database")))),
        "fold_seconds_after_the_day": caught_up.as_secs_f64(),
        "prove_p50_us": prove.0, "prove_p99_us": prove.1, "check_p50_us": check.0,
        "resident_first_tenth_bytes": memories.first(), "resident_last_tenth_bytes": memories.last(),
        "resident_most_bytes": memories.iter().max(),
    }))
}

/// When the `n`-th message of a day comes.
fn at(n: u64, messages: u64) -> Timestamp {
    let all: u64 = HOURS.iter().sum();
    let mut left = n as f64 / messages as f64 * all as f64;
    for (hour, weight) in (0_i64..).zip(HOURS) {
        if left < weight as f64 {
            return MIDNIGHT.plus_seconds(hour * 3_600 + (left / weight as f64 * 3_600.0) as i64);
        }
        left -= weight as f64;
    }
    MIDNIGHT.plus_seconds(86_399)
}

/// What the provider's gateway writes of one message.
async fn message(log: &Log, clock: &FixedClock, chance: &mut SmallRng) -> Outcome {
    let mut place = chance.random_range(0..100);
    let service = SERVICES.iter().find(|service| {
        let here = place < service.share;
        place = place.saturating_sub(service.share);
        here
    });
    let service = service.unwrap_or(&SERVICES[0]);
    let request = Uuid::from_u128(chance.random());
    let id = format!("VN-{}", Uuid::from_u128(chance.random()));
    let province = chance.random_range(1..64_u32);
    let client = format!("VN/GOV/000.00.00.H{province:02}/motcua");
    let born = PROVINCES[chance.random_range(0..PROVINCES.len())];
    let number = format!("{born}190{:06}", chance.random_range(0..1_000_000_u32));
    let issue = format!("H{province:02}.12-261125-{:04}", chance.random_range(0..10_000_u32));
    let target = Target::parse(format!("/r1/{MEMBER}/{}{number}", service.path).as_bytes())
        .map_err(|refusal| refusal.to_string())?;
    let provider = target.service().clone();
    let created = u64::try_from(clock.now().micros() / 1_000_000)?;
    let sender = LogName::new(&format!("h{province:02}.gov.vn/exchange"))?;
    let digest = |chance: &mut SmallRng| ContentDigest::of(&chance.random::<[u8; 16]>());
    let (request_id, user) = (
        request.to_string(),
        format!("CB{:05}", chance.random_range(0..100_000_u32)),
    );
    let common = [
        ("x-road-client", client.as_str()),
        ("x-road-id", &id),
        ("x-road-request-id", &request_id),
        ("content-type", "application/json"),
    ];
    let of_request = [
        ("x-motcua-purpose", service.purpose),
        ("x-road-issue", &issue),
        ("x-road-userid", &user),
        ("accept", "application/json"),
    ];
    let fields = self::fields(&[common, of_request].concat())?;
    let asked = RequestRecord::new(service.method, target, digest(chance), fields, created, sender)?;
    log.append(Kind::MESSAGE, asked.to_bytes()).await?;

    let provider_text = provider.to_string();
    let of_answer = [
        ("x-road-service", provider_text.as_str()),
        (
            "x-road-request-hash",
            "hePXCkDHEkphfgg0fAPPEgW09GoB/opdfQ2w9AQqRd7+3xvAM/fosCXvhtJG9nthkKkRLETX0BIMmyxR4xuazQ==",
        ),
    ];
    let fields = self::fields(&[&common[..], &of_answer].concat())?;
    let leaf = RequestLeaf(chance.random());
    let answer = AnswerRecord::new(200, digest(chance), leaf, fields, created, LogName::new(ORIGIN)?)?;
    let mut entries = vec![(Kind::MESSAGE, answer.to_bytes())];
    if service.persons {
        let read = read(request, clock.now(), &client, &provider, service, &number, issue)?;
        entries.push((Kind::READ, serde_json::to_vec(&read)?));
    }
    log.append_all(entries).await?;
    Ok(())
}

fn fields(of: &[(&str, &str)]) -> Outcome<Vec<Field>> {
    let field = |(name, value): &(&str, &str)| Field::new(name.as_bytes(), value.as_bytes());
    let fields: Result<Vec<_>, _> = of.iter().map(field).collect();
    Ok(fields.map_err(|flaw| format!("{flaw:?}"))?)
}

fn read(
    request: Uuid,
    at: Timestamp,
    client: &str,
    provider: &ServiceId,
    service: &Offered,
    number: &str,
    issue: String,
) -> Outcome<ReadRecord> {
    let person: PersonNumber = number.parse().map_err(|error| format!("{number}: {error:?}"))?;
    Ok(ReadRecord {
        request,
        at,
        client: client.parse()?,
        service: provider.clone(),
        action: "Tra cứu thông tin dân cư".to_owned(),
        purpose: service.purpose.parse()?,
        user: None,
        issue: Some(issue),
        subjects: vec![SubjectKey::new([7; 32]).index(&person)],
        more: false,
    })
}

async fn journal(settings: &Settings, log: &Arc<Log>, clock: &FixedClock) -> Outcome<(Journal, Store)> {
    let folder = settings.dir.join("database");
    std::fs::create_dir(&folder)?;
    let own = format!("sqlite:{}", folder.join("motcua.db").display());
    let store = Store::open(&store::Config {
        url: settings.database.clone().unwrap_or(own),
        connections: 4,
        blobs: settings.dir.join("blobs"),
        blob_key: [7; 32],
        faults: store::Faults::default(),
    })
    .await?;
    let migrations = [store::MIGRATIONS, identity::MIGRATIONS, exchange::MIGRATIONS];
    store.migrate(&migrations, MIDNIGHT).await?;
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let identity = IdentityState::new(
        store.clone(),
        identity::Config::default(),
        &[9; 32],
        Arc::clone(&clock),
        Entropy::system(),
        Shell::default(),
    )?;
    let directory = Directory {
        instance: Part::new("VN")?,
        name: Text::new("Đo", "Bench"),
        version: 1,
        issued: MIDNIGHT,
        anchors: Vec::new(),
        revocations: Vec::new(),
        members: Vec::new(),
        witnesses: Vec::new(),
        quorum: 0,
    };
    let view = Arc::new(View::new(directory).map_err(|problems| format!("{problems:?}"))?);
    let calendar = toml::from_str(include_str!("../../../data/calendar/viet-nam.toml"))?;
    let journal = Journal::new(Parts {
        store: store.clone(),
        log: Arc::clone(log),
        former: Vec::new(),
        identity,
        directory: Arc::new(move || Arc::clone(&view)),
        calendar: Calendar::new(calendar).map_err(|error| format!("{error:?}"))?,
        clock,
        caller: None,
        config: Config::new(AGENCY, format!("{MEMBER}/motcua").parse()?, SubjectKey::new([7; 32])),
    })?;
    Ok((journal, store))
}

/// How many entries the journal has folded: up to the newest message that it lists.
async fn folded(journal: &Journal) -> Outcome<u64> {
    let ctx = Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(7)),
            name: "Lê Thị Kiểm".to_owned(),
            title: "Kiểm toán".to_owned(),
            agency: AGENCY.to_owned(),
            roles: Roles::NONE.with(Role::Auditor),
        }),
        now: MIDNIGHT,
        request_id: Uuid::from_u128(1),
        lang: base::Lang::Vi,
    };
    let (rows, _) = journal.messages(&ctx, &Filter::default()).await?;
    Ok(rows.iter().map(|row| row.leaf.leaf() + 1).max().unwrap_or(0))
}

/// Median and 99th percentile of proving a leaf with what it says, and the median of verifying that; in microseconds.
fn proofs(log: &Log, key: &FileKey) -> Outcome<((u64, u64), (u64, u64))> {
    let policy = Policy::log(key.verifier());
    let mut chance = SmallRng::seed_from_u64(1);
    let (mut proved, mut checked) = (Vec::new(), Vec::new());
    for _ in 0..2_000 {
        let leaf = chance.random_range(0..log.size());
        let begun = Instant::now();
        let proof = log.disclose(leaf)?.to_string();
        proved.push(begun.elapsed());
        let begun = Instant::now();
        verify(proof.as_bytes(), &policy, None).map_err(|refusal| refusal.to_string())?;
        checked.push(begun.elapsed());
    }
    let figures = |mut times: Vec<Duration>| {
        times.sort_unstable();
        let micros = |place: usize| {
            times
                .get(place)
                .map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(0))
        };
        (micros(times.len() / 2), micros(times.len() * 99 / 100))
    };
    Ok((figures(proved), figures(checked)))
}

fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// A line of the status of this process, in bytes. Needs Linux.
fn memory(field: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .ok_or("no such line")?;
    let kib: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib * 1024)
}
