//! Witnesses and timestamps of real nodes, over real sockets.

mod s3;
mod traced;
mod tsa;

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use ::exchange::journal::evidence::Stamped;
use ::ledger::{Kind, Ledger, Policy, SignedCheckpoint, Stamp, VerifierKey, witness::Witness};
use axum::Router;
use base::{Timestamp, time::SystemClock};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use dossier::service::{EntryProof, PROOFS_FORMAT, Proofs};
use tokio::net::TcpListener;

use self::{
    s3::Bucket,
    tsa::{Tsa, openssl},
};
use super::*;
use crate::{
    ledger::check::{Trusted, check},
    node::{MIGRATIONS, Node, open_store},
    ports,
};

fn configuration(data: &Path, ledger: &str) -> Config {
    let http = ports::one();
    let text = format!(
        "data = {data:?}\n[http]\nlisten = \"{http}\"\n[identity]\npublic_url = \"http://{http}\"\n[dossiers]\nagencies = {{ commune = \"H42.28\", \
         province = \"H42.28\", ministry = \"H42.28\", agency = \"H42.28\" }}\n{ledger}"
    );
    toml::from_str(&text).expect("a configuration")
}

async fn serve(config: Config) -> Node {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let store = open_store(&config).await.expect("a database");
    store.migrate(MIGRATIONS, SystemClock.now()).await.expect("migrated");
    let node = Node::open(config, store).await.expect("a node");
    let (ready, started) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(crate::serve::serve(node.clone(), move |_| {
        let _ = ready.send(());
    }));
    let started = started.await;
    assert!(started.is_ok(), "{:?}", task.await);
    node
}

async fn get(node: &Node, path: &str) -> String {
    let url = format!("{}{path}", node.config().identity.public_url);
    let answer = reqwest::Client::new()
        .get(url)
        .header("Accept-Language", "vi")
        .send()
        .await
        .expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.text().await.expect("a text")
}

async fn fill(log: &Log, what: &str, n: usize) {
    for i in 0..n {
        let record = format!("{what} {i}").into_bytes();
        log.append(Kind::MESSAGE, record).await.expect("appended");
    }
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A log in a folder, under the key `name`.
fn log(dir: &Path, name: &str) -> Ledger {
    std::fs::create_dir_all(dir).expect("a folder");
    let path = dir.join("key");
    let key = FileKey::load(&path).or_else(|_| FileKey::create(&path, name, Algorithm::Ed25519));
    let key = Arc::new(key.expect("a key"));
    let keys = vec![key.verifier()];
    let log = Log::open(&dir.join("log"), Options::new(name, key)).expect("a log");
    Ledger {
        log: Arc::new(log),
        keys,
    }
}

/// A witness at an address, which counts the requests that it gets.
struct Far {
    url: String,
    key: VerifierKey,
    asked: Arc<AtomicUsize>,
}

async fn witness(dir: &Path, name: &str, logs: &[VerifierKey]) -> Far {
    let key = Arc::new(FileKey::generate(name, Algorithm::CosignatureV1).expect("a key"));
    let verifier = key.verifier();
    let witness = Witness::open(&dir.join(name), vec![key], logs.to_vec(), Arc::new(SystemClock)).expect("a witness");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new()
        .nest("/w", ::ledger::http::witness(Arc::new(witness)))
        .layer(axum::middleware::from_fn(
            move |request, next: axum::middleware::Next| {
                count.fetch_add(1, Ordering::Relaxed);
                next.run(request)
            },
        ));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/w/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Far {
        url,
        key: verifier,
        asked,
    }
}

fn cosigning(ledger: &Ledger, witnesses: &[(&str, &VerifierKey)], quorum: usize, pace: Pace) -> Arc<Cosigning> {
    let witnesses = witnesses.iter().map(|(url, key)| config::Witness {
        url: (*url).to_owned(),
        key: (*key).clone(),
    });
    let config = config::Ledger {
        witnesses: witnesses.collect(),
        quorum: Some(quorum),
        ..config::Ledger::default()
    };
    Arc::new(Cosigning::new(&config, ledger.clone(), None, pace, Tracer::default()).expect("witnesses"))
}

const QUICK: Pace = Pace {
    patience: Duration::from_secs(2),
    between: Duration::from_millis(50),
    longest: Duration::from_millis(400),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_witness_is_down_one_lies_and_the_quorum_decides() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = log(dir.path(), "h42.example/ledger");
    fill(&ledger.log, "a", 3).await;
    let honest = witness(dir.path(), "one.example", &ledger.keys).await;
    let second = witness(dir.path(), "two.example", &ledger.keys).await;
    let liar = witness(dir.path(), "liar.example", &ledger.keys).await;
    let other = FileKey::generate("liar.example", Algorithm::CosignatureV1)
        .expect("a key")
        .verifier();
    let away = FileKey::generate("away.example", Algorithm::CosignatureV1)
        .expect("a key")
        .verifier();
    let down = format!("http://{}", ports::one());
    let (_stop, stopping) = watch::channel(false);

    // Two of three are asked for, and only one can be had: nothing is shown as cosigned.
    let three = [(&*honest.url, &honest.key), (&*down, &away), (&*liar.url, &other)];
    let cosigning_two = cosigning(&ledger, &three, 2, QUICK);
    let task = tokio::spawn(Arc::clone(&cosigning_two).run(stopping.clone()));
    let standing = until("all were asked", async || {
        let standing = cosigning_two.standing();
        let asked = |s: &::ledger::witness::Standing| s.cosigned.is_some() || s.miss.is_some();
        standing.witnesses.iter().all(asked).then_some(standing)
    })
    .await;
    let codes: Vec<_> = standing
        .witnesses
        .iter()
        .map(|w| w.miss.as_ref().map(|m| m.code()))
        .collect();
    assert_eq!(
        codes,
        [None, Some("witness-unreachable"), Some("witness-no-cosignature")]
    );
    assert!(standing.newest.is_none() && ledger.log.cosigned().is_none());
    assert_eq!(standing.accusers().count(), 0, "a liar and a silent one accuse nobody");
    task.abort();

    // A second honest one makes the quorum; the log goes on and is cosigned again.
    let four = [three[0], three[1], three[2], (&*second.url, &second.key)];
    let cosigning = cosigning(&ledger, &four, 2, QUICK);
    tokio::spawn(Arc::clone(&cosigning).run(stopping.clone()));
    for size in [3, 8] {
        fill(
            &ledger.log,
            "b",
            usize::try_from(size - ledger.log.size()).expect("small"),
        )
        .await;
        let (_, cosigners) = until("enough cosigned", async || {
            cosigning.standing().newest.filter(|(newest, _)| *newest == size)
        })
        .await;
        let names: Vec<_> = cosigners.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["one.example", "two.example"]);
    }
    let proof = ledger.log.prove(5).expect("a proof").to_string();
    let keys = vec![honest.key.clone(), second.key.clone()];
    let policy = Policy::new(ledger.keys.clone(), keys, 2).expect("a policy");
    ::ledger::verify(proof.as_bytes(), &policy, None).expect("it is cosigned by two");
    let age = SystemClock.now().micros() - cosigning.standing().at().map(Timestamp::micros).expect("a time");
    assert!((0..60_000_000).contains(&age));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_is_asked_once_in_a_while_however_fast_the_log_grows_and_after_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = log(dir.path(), "h43.example/ledger");
    let far = witness(dir.path(), "one.example", &ledger.keys).await;
    let pace = Pace {
        between: Duration::from_millis(400),
        ..QUICK
    };
    let begun = Instant::now();
    for _life in 0..3 {
        let (_stop, stopping) = watch::channel(false);
        let cosigning = cosigning(&ledger, &[(&far.url, &far.key)], 1, pace);
        let task = tokio::spawn(cosigning.run(stopping));
        for _ in 0..12 {
            fill(&ledger.log, "x", 1).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        task.abort();
    }
    let (asked, most) = (far.asked.load(Ordering::Relaxed), begun.elapsed().as_millis() / 400 + 1);
    assert!(
        (3..=usize::try_from(most).expect("small")).contains(&asked),
        "{asked} of {most}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_put_back_is_accused_on_its_page_and_in_its_figures() {
    let dir = tempfile::tempdir().expect("a folder");
    let (log_data, witness_data, restored) = (dir.path().join("n"), dir.path().join("w"), dir.path().join("restored"));
    // Each knows the other's key from its node at rest.
    let witness_config = configuration(&witness_data, "[ledger.witness]\nname = \"nhan-chung.example\"\n");
    let witness_key = {
        let witnessing = witness_config.ledger.witness.clone().expect("a witness");
        witness::key(&witness_config, &witnessing).expect("a key").verifier()
    };
    let log_key = open(&configuration(&log_data, "")).expect("a log").keys.remove(0);
    let mut witness_config = witness_config;
    if let Some(witnessing) = &mut witness_config.ledger.witness {
        witnessing.logs = vec![log_key.clone()];
    }
    let witness_url = format!("{}/witness", witness_config.identity.public_url);
    let witness_node = serve(witness_config).await;
    let cosigned_by = format!("[ledger]\nwitnesses = [{{ url = \"{witness_url}\", key = \"{witness_key}\" }}]\n");
    let node = serve(configuration(&log_data, &cosigned_by)).await;
    let shown = async |node: &Node, size: u64| {
        until("the world sees a cosigned checkpoint", async || {
            let note = get(node, "/ledger/checkpoint").await;
            let checkpoint = SignedCheckpoint::parse(note.as_bytes()).expect("a checkpoint");
            (checkpoint.checkpoint().size == size && checkpoint.verify(&witness_key).is_ok()).then_some(())
        })
        .await;
    };
    let first = Arc::clone(&node.dossiers.ledger().expect("a log").log);
    fill(&first, "a", 4).await;
    shown(&node, 4).await;
    assert!(get(&node, "/ledger").await.contains("nhan-chung.example"));
    assert!(
        get(&witness_node, "/ledger").await.contains(log_key.name()),
        "the witness says whom it follows"
    );

    // A backup of now, and life goes on.
    std::fs::create_dir_all(&restored).expect("a folder");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([log_data.join("ledger"), log_data.join("ledger.key")])
        .arg(&restored)
        .status()
        .expect("cp");
    assert!(copied.success());
    fill(&first, "b", 3).await;
    shown(&node, 7).await;

    // The backup is put in place of the log, and grows otherwise: first shorter than what was cosigned, then beyond it.
    let back = serve(configuration(&restored, &cosigned_by)).await;
    let other = Arc::clone(&back.dossiers.ledger().expect("a log").log);
    fill(&other, "c", 1).await;
    for (words, size) in [("đã bị đưa về trạng thái cũ", 5), ("lịch sử đã bị thay đổi", 9)] {
        fill(&other, "c", usize::try_from(size - other.size()).expect("small")).await;
        until("the page names it", async || {
            get(&back, "/ledger").await.contains(words).then_some(())
        })
        .await;
        let figures = crate::watch::figures(&back).await.expect("figures");
        let named = "motcua_ledger_witness_accuses{witness=\"nhan-chung.example\"} 1";
        assert!(figures.contains(named), "{figures}");
    }
    shown(&back, 4).await;
    assert!(
        !get(&node, "/ledger").await.contains("đã bị đưa về trạng thái cũ"),
        "the true log is not accused"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_stamped_and_the_stamp_is_in_proofs() {
    let dir = tempfile::tempdir().expect("a folder");
    let tsa = Tsa::start().await;
    let timestamps = format!(
        "[ledger.timestamps]\nurl = \"{}\"\nevery = \"hourly\"\nroots = [{:?}]\n",
        tsa.url,
        tsa.root()
    );
    let config = configuration(&dir.path().join("n"), &timestamps);
    {
        let log = open(&config).expect("a log").log;
        fill(&log, "a", 3).await;
    }
    let node = serve(config).await;
    let size = until("a stamp", async || {
        get(&node, "/ledger/timestamps").await.lines().next().map(str::to_owned)
    })
    .await;
    assert_eq!(size, "3");
    assert!(get(&node, "/ledger").await.contains("Dấu thời gian gần nhất"));

    // OpenSSL believes it, from what is served alone.
    let of = |what: &str| format!("{}/ledger/timestamps/3/{what}", node.config().identity.public_url);
    for what in ["checkpoint", "token"] {
        let bytes = reqwest::get(of(what))
            .await
            .expect("an answer")
            .bytes()
            .await
            .expect("bytes");
        std::fs::write(dir.path().join(what), bytes).expect("written");
    }
    let root = tsa.root();
    openssl(
        dir.path(),
        &format!(
            "ts -verify -data checkpoint -in token -token_in -CAfile {}",
            root.display()
        ),
    );

    // The proofs of a dossier carry it, and it is judged by given roots, without a node.
    let ledger = node.dossiers.ledger().expect("a log");
    let Stamp { checkpoint, token } = ledger.log.first_stamp_over(1).expect("read").expect("a stamp");
    let proofs = Proofs {
        format: PROOFS_FORMAT.to_owned(),
        dossier: "H42-1".to_owned(),
        log: ledger.log.origin().to_owned(),
        keys: ledger.keys.iter().map(ToString::to_string).collect(),
        entries: vec![EntryProof {
            seq: 1,
            log: None,
            leaf: 1,
            proof: ledger.log.disclose(1).expect("a proof").to_string(),
            stamped: Some(ledger.log.prove_under(1, &checkpoint).expect("a proof").to_string()),
        }],
        tokens: vec![BASE64_STANDARD.encode(&token)],
    };
    let judged = |proofs: &Proofs, roots: &[std::path::PathBuf]| {
        let trusted = Trusted {
            stampers: stampers(roots).expect("roots"),
            ..Trusted::default()
        };
        let file = serde_json::to_vec(proofs).expect("JSON");
        check(&file, &trusted).expect("proofs").entries.remove(0)
    };
    let good = judged(&proofs, std::slice::from_ref(&root));
    assert_eq!(good.refusal, None);
    let Some(Stamped::At { time, authority }) = good.stamped else {
        panic!("{:?}", good.stamped)
    };
    assert!((SystemClock.now().micros() - time.micros()).abs() < 120_000_000);
    assert!(authority.contains("TSA"), "{authority}");
    assert_eq!(judged(&proofs, &[]).stamped, Some(Stamped::Unjudged));
    // Another authority's root, the proof of another leaf, and no token.
    let stranger = Tsa::start().await;
    assert!(judged(&proofs, &[stranger.root()]).refusal.is_some());
    let mut swapped = proofs.clone();
    swapped.entries[0].stamped = Some(ledger.log.prove_under(2, &checkpoint).expect("a proof").to_string());
    assert!(judged(&swapped, std::slice::from_ref(&root)).refusal.is_some());
    let mut bare = proofs;
    bare.tokens.clear();
    assert!(judged(&bare, &[root]).refusal.is_some());
}

/// Mirrors a growing log, twice as after a restart, and audits the copy as a stranger would.
async fn mirrored(mirror: config::Mirror) -> Ledger {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = log(dir.path(), "h44.example/ledger");
    for size in [3, 300] {
        let more = usize::try_from(size - ledger.log.size()).expect("small");
        let records = (0..more).map(|i| (Kind::MESSAGE, format!("m {i}").into_bytes()));
        ledger.log.append_all(records.collect()).await.expect("appended");
        let copying = Arc::new(Copying::open(&mirror, Arc::clone(&ledger.log), Tracer::default()).expect("a place"));
        let (_stop, stopping) = watch::channel(false);
        let task = tokio::spawn(Arc::clone(&copying).run(stopping));
        until("the copy is up to date", async || {
            let state = copying.state();
            assert!(state.problem.is_none(), "{:?}", state.problem);
            (state.behind(size) == Some(0)).then_some(())
        })
        .await;
        task.abort();
    }
    ledger
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_copy_in_a_folder_is_whole_and_another_log_is_not_written_over_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let mirror = config::Mirror {
        folder: Some(dir.path().join("copy")),
        prefix: "so-cai".to_owned(),
        ..config::Mirror::default()
    };
    let ledger = mirrored(mirror.clone()).await;
    let store = object_store::local::LocalFileSystem::new_with_prefix(dir.path().join("copy")).expect("a folder");
    let place = ::ledger::Mirror::new(Arc::new(store), "so-cai");
    let policy = Policy::new(ledger.keys.clone(), Vec::new(), 0).expect("a policy");
    let report = ::ledger::audit::published(&place, &policy, &[])
        .await
        .expect("all is there");
    assert!(report.is_clean() && report.size == 300, "{report:?}");

    let stranger = log(&dir.path().join("other"), "h44.example/ledger");
    fill(&stranger.log, "o", 5).await;
    let copying = Arc::new(Copying::open(&mirror, Arc::clone(&stranger.log), Tracer::default()).expect("a place"));
    let (_stop, stopping) = watch::channel(false);
    tokio::spawn(Arc::clone(&copying).run(stopping));
    let problem = until("it is refused", async || copying.state().problem).await;
    assert!(problem.en.contains("The copy has 300 entries"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_copy_in_a_bucket_never_shows_a_checkpoint_without_its_tiles() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (bucket, endpoint) = Bucket::start().await;
    let dir = tempfile::tempdir().expect("a folder");
    let credentials = dir.path().join("s3.key");
    std::fs::write(
        &credentials,
        "test-key
test-secret
",
    )
    .expect("written");
    let ledger = mirrored(config::Mirror {
        bucket: Some(s3::NAME.to_owned()),
        endpoint: Some(endpoint),
        region: Some("vn".to_owned()),
        prefix: "so-cai".to_owned(),
        credentials: Some(credentials),
        ..config::Mirror::default()
    })
    .await;
    let written = bucket.written();
    let checkpoints: Vec<_> = written
        .iter()
        .enumerate()
        .filter(|(_, key)| *key == "so-cai/checkpoint")
        .map(|(n, _)| n)
        .collect();
    assert_eq!(checkpoints.len(), 2, "{written:?}");
    assert_eq!(checkpoints[1], written.len() - 1, "the checkpoint is last");
    let before = &written[checkpoints[0] + 1..checkpoints[1]];
    for tile in [
        "tile/0/000",
        "tile/entries/000",
        "tile/0/001.p/44",
        "tile/entries/001.p/44",
        "tile/1/000.p/1",
    ] {
        assert!(before.contains(&format!("so-cai/{tile}")), "{tile} in {before:?}");
    }
    assert!(
        bucket.object("so-cai/tile/0/000.p/3").is_none(),
        "an outgrown tile is removed"
    );
    let note = bucket.object("so-cai/checkpoint").expect("a checkpoint");
    assert_eq!(note, ledger.log.checkpoint().to_string().as_bytes());
}
