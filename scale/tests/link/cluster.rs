//! The program itself, and a cluster of its processes, one of which is killed in the middle of the work.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use crate::ground::{GROUND, assert_same, in_memory, linker, written};
use linkage::Effort;
use motcua_scale::{Engine, Place, buckets::Sizes, link::link};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_motcua-scale"))
}

fn spoken(words: &[&str]) -> Output {
    program().args(words).output().expect("it runs")
}

/// A scheduler and two executors, each a process.
struct Cluster {
    address: String,
    scheduler: Child,
    executors: Vec<Child>,
}

impl Cluster {
    fn start(folder: &Path) -> Self {
        let address = format!("127.0.0.1:{}", two_free_ports());
        let start = |words: &[&str]| program().args(words).stdout(Stdio::null()).spawn().expect("started");
        let scheduler = start(&["scheduler", "--listen", &address]);
        let executors = ["work1", "work2"].map(|name| {
            let listen = format!("127.0.0.1:{}", two_free_ports());
            let work = folder.join(name);
            fs::create_dir_all(&work).expect("a folder");
            let work = work.to_str().expect("a name");
            start(&[
                "executor",
                "--listen",
                &listen,
                "--scheduler",
                &address,
                "--work",
                work,
                "--cores",
                "1",
                "--memory",
                "256",
            ])
        });
        Self {
            address,
            scheduler,
            executors: executors.into(),
        }
    }

    /// The engine, once the scheduler listens.
    async fn engine(&self) -> Engine {
        let begun = Instant::now();
        loop {
            match Engine::start(&Place::Cluster(self.address.clone())).await {
                Ok(engine) => return engine,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in self.executors.iter_mut().chain([&mut self.scheduler]) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The first of two neighbouring ports that are free.
fn two_free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = 20_000 + (std::process::id() % 5_000) as u16 * 2;
    loop {
        let port = begin + NEXT.fetch_add(2, Ordering::Relaxed);
        let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        if [port, port + 1].iter().all(free) {
            return port;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_loses_an_executor_finds_the_same() {
    let ground = &*GROUND;
    let sizes = Sizes {
        buckets: 4,
        ..Sizes::default()
    };
    let (records, _) = ground.divide(&ground.model, "cluster", sizes);
    let job = ground.job(&ground.model, &records, "cluster-pairs");
    let mut cluster = Cluster::start(&ground.path("work"));
    let engine = cluster.engine().await;
    let mut lost = cluster.executors.pop();
    let mut killed_at = None;
    let linked = link(
        &engine,
        &job,
        |now| {
            if now.done == now.of / 3
                && let Some(mut executor) = lost.take()
            {
                executor.kill().expect("killed");
                executor.wait().expect("gone");
                killed_at = Some(now.done);
            }
        },
        |bucket, error| eprintln!("{bucket:?}: {error}"),
    );
    let linked = linked.await.expect("linked");
    assert_eq!((linked.buckets, linked.done_before), (32, 0));
    assert_eq!(killed_at, Some(10), "in the middle");
    let (memory, _) = in_memory(&linker(&ground.files, ground.model.clone()), Effort::default());
    assert_same(&written(&job.out), &memory);
}

#[test]
fn the_program_does_it_all_and_says_so() {
    let ground = &*GROUND;
    let model = ground.path("trained.json");
    fs::write(&model, ground.model.to_json()).expect("written");
    let path = |name: &str| ground.path(name).to_str().expect("a name").to_owned();
    let (model, records, pairs, clusters) = (path("trained.json"), path("p-records"), path("p-pairs"), path("p.csv"));
    let files: Vec<&str> = ground.files.iter().map(|file| file.to_str().expect("a name")).collect();

    let divided = spoken(&[
        "bucket",
        files[0],
        files[1],
        "--model",
        &model,
        "--out",
        &records,
        "--buckets",
        "2",
        "--en",
    ]);
    let said = String::from_utf8_lossy(&divided.stdout);
    assert!(divided.status.success() && said.starts_with("Records: "), "{divided:?}");
    assert!(said.contains("records with a partner"), "{said}");
    let link = [
        "link",
        "--records",
        &records,
        "--model",
        &model,
        "--out",
        &pairs,
        "--threshold",
        "0.001",
    ];
    let linked = spoken(&link);
    let said = String::from_utf8_lossy(&linked.stdout);
    assert!(
        linked.status.success() && said.starts_with("16 ngăn, 0 đã làm từ trước"),
        "{linked:?}"
    );
    assert!(String::from_utf8_lossy(&linked.stderr).contains("16/16 ngăn"));
    let (memory, _) = in_memory(&linker(&ground.files, ground.model.clone()), Effort::default());
    assert_same(&written(&ground.path("p-pairs")), &memory);
    let again = spoken(&link);
    assert!(String::from_utf8_lossy(&again.stdout).starts_with("16 ngăn, 16 đã làm từ trước; 0 cặp"));
    let made = spoken(&[
        "clusters",
        "--records",
        &records,
        "--pairs",
        &pairs,
        "--out",
        &clusters,
        "--en",
    ]);
    assert!(
        made.status.success() && String::from_utf8_lossy(&made.stdout).starts_with("Clusters"),
        "{made:?}"
    );

    let refused = spoken(&[
        "link",
        "--records",
        &pairs,
        "--model",
        &model,
        "--out",
        &path("x"),
        "--en",
    ]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.starts_with("not-buckets : The folder"),
        "{refused:?}"
    );
}
