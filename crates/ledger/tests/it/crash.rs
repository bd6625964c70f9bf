//! Killed in the middle of appending.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use ledger::{Algorithm, FileKey, Kind, Log};

use crate::support::{ORIGIN, block_on, open, options, policy};

/// One key for parent and child.
pub fn key_in(dir: &Path) -> Arc<FileKey> {
    let path = dir.join("key");
    let key = if path.exists() {
        FileKey::load(&path)
    } else {
        FileKey::create(&path, ORIGIN, Algorithm::Ed25519)
    };
    Arc::new(key.expect("a key"))
}

/// Appends from eight tasks until it is killed; says each index once it is acknowledged.
#[test]
#[ignore = "a child of the test of the kill"]
fn child_appends() {
    let Some(dir) = std::env::var_os("LEDGER_CHILD") else {
        return;
    };
    let key = key_in(Path::new(&dir));
    let mut options = options(&key);
    options.segment_bytes = 64 << 10;
    let log = Arc::new(Log::open(&Path::new(&dir).join("log"), options).expect("it opens"));
    block_on(async {
        let tasks = (0..8).map(|task| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for n in 0.. {
                    let record = format!("{task}/{n}/{}", "x".repeat(n % 700));
                    let receipt = log
                        .append(Kind::ACTION, record.clone().into_bytes())
                        .await
                        .expect("it is stored");
                    let line = format!("stored {} {record}\n", receipt.index);
                    std::io::stdout()
                        .write_all(line.as_bytes())
                        .expect("the parent listens");
                }
            })
        });
        futures::future::join_all(tasks).await;
    });
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key_in(dir.path());
    let place = dir.path().join("log");
    let mut acknowledged: Vec<(u64, String)> = Vec::new();
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "crash::child_appends", "--ignored", "--nocapture"])
            .env("LEDGER_CHILD", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut heard = 0;
        while heard < 50 + round * 37 {
            let line = lines.next().expect("it appends").expect("a line");
            heard += usize::from(take(&line, &mut acknowledged));
        }
        child.kill().expect("SIGKILL");
        // What it still said counts; its last line may be half a one.
        for line in lines.map_while(Result::ok) {
            take(&line, &mut acknowledged);
        }
        child.wait().expect("it is dead");

        let log = open(&place, &key);
        for (index, record) in &acknowledged {
            let entry = log.entry(*index).expect("what was acknowledged is there");
            assert_eq!(entry.opening.expect("open").record, record.as_bytes());
        }
        assert!(log.size() >= acknowledged.len() as u64);
        policy(&key).judge(&log.checkpoint()).expect("it is signed");
    }
    let mut indexes: Vec<_> = acknowledged.iter().map(|(index, _)| *index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    assert_eq!(indexes.len(), acknowledged.len());
    let report = ledger::audit::directory(&place, &policy(&key), &[]).expect("it is read");
    assert!(report.is_clean(), "{:?}", report.findings);
    assert!(fs::read_dir(place.join("segments")).expect("a folder").count() > 2);
}

/// `stored <index> <record>`; a half line has a record that is too short.
fn take(line: &str, acknowledged: &mut Vec<(u64, String)>) -> bool {
    let whole = || {
        let (index, record) = line.split_once("stored ")?.1.split_once(' ')?;
        let filling = record.splitn(3, '/').collect::<Vec<_>>();
        let n: usize = filling.get(1)?.parse().ok()?;
        (filling.get(2)?.len() == n % 700).then_some((index.parse().ok()?, record.to_owned()))
    };
    whole().map(|found| acknowledged.push(found)).is_some()
}
