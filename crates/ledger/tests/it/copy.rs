//! The copy for a backup, taken while others write and erase.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use ledger::{Copied, Error, FileKey, Kind, Log, audit, copy};

use crate::support::{block_on, fill, key, open, options, policy, record};

fn taken(from: &Path, to: &Path, earlier: Option<&Path>) -> Copied {
    copy(from, to, earlier, &mut |_, _| {}).expect("copied").expect("a log")
}

/// A log whose segments are small.
fn small(dir: &Path, key: &Arc<FileKey>) -> Log {
    let mut options = options(key);
    options.segment_bytes = 64 << 10;
    Log::open(dir, options).expect("the log opens")
}

#[test]
fn a_copy_of_a_log_at_work_is_whole_and_has_what_was_acknowledged_before() {
    let dir = tempfile::tempdir().expect("a folder");
    let (from, to) = (dir.path().join("log"), dir.path().join("copy"));
    let key = key();
    let log = Arc::new(small(&from, &key));
    fill(&log, 0..2_000, 50);
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (log, stop) = (Arc::clone(&log), Arc::clone(&stop));
        thread::spawn(move || {
            for n in 2_000.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                block_on(log.append(Kind::MESSAGE, record(n))).expect("stored");
                // Lately written and old records alike.
                log.erase(n).expect("erased");
                log.erase(n - 1_999).expect("erased");
            }
        })
    };
    let acknowledged = log.size();
    for n in 0..5 {
        let to = to.join(n.to_string());
        let copied = taken(&from, &to, None);
        let size = copied.checkpoint.checkpoint().size;
        assert!(size >= acknowledged);
        assert_eq!(copied.checkpoint.checkpoint().root, log.root(size).expect("a root"));
        let again = open(&to, &key);
        assert_eq!(again.size(), size);
        drop(again);
        let report = audit::directory(&to, &policy(&key), &[copied.checkpoint]).expect("audited");
        assert!(report.is_clean(), "{:?}", report.findings);
        assert!(report.erased > 0 || n == 0);
    }
    stop.store(true, Ordering::Relaxed);
    writing.join().expect("no panic");
}

#[test]
fn closed_segments_are_linked_from_an_earlier_copy_unless_something_was_erased_in_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let (from, first, second) = (dir.path().join("log"), dir.path().join("1"), dir.path().join("2"));
    let key = key();
    let log = small(&from, &key);
    fill(&log, 0..3_000, 100);
    let before = taken(&from, &first, None);
    let erased = 0;
    log.erase(erased).expect("erased");
    fill(&log, 3_000..3_200, 100);
    let after = taken(&from, &second, Some(&first));
    let node = |dir: &Path, name: &Path| fs::metadata(dir.join(name)).expect("a file").ino();
    let linked: Vec<bool> = before
        .files
        .iter()
        .map(|name| node(&first, name) == node(&second, name))
        .collect();
    assert!(linked.len() > 4, "{linked:?}");
    assert!(!linked[0], "a record was erased in it");
    assert!(linked[1..linked.len() - 1].iter().all(|linked| *linked), "{linked:?}");
    assert!(!linked[linked.len() - 1], "it was open");
    drop(log);
    assert_eq!(open(&second, &key).size(), after.checkpoint.checkpoint().size);
    assert_eq!(open(&second, &key).entry(erased).expect("an entry").opening, None);
    assert!(open(&first, &key).entry(erased).expect("an entry").opening.is_some());
}

#[test]
fn an_interrupted_copy_goes_on_and_damage_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let (from, to) = (dir.path().join("log"), dir.path().join("copy"));
    let key = key();
    assert_eq!(
        copy(&from, &to, None, &mut |_, _| {}).expect("copied"),
        None,
        "nothing has begun"
    );
    let log = small(&from, &key);
    fill(&log, 0..1_000, 100);
    let first = taken(&from, &to, None);
    let place = to.join(&first.files[0]);
    let node = fs::metadata(&place).expect("a file").ino();
    fs::remove_file(to.join(&first.files[1])).expect("removed");
    assert_eq!(taken(&from, &to, None), first);
    assert_eq!(fs::metadata(&place).expect("a file").ino(), node, "it was there");

    // A flipped bit in a closed segment of the log itself is no good for a copy.
    drop(log);
    let path = from.join(&first.files[0]);
    let mut bytes = fs::read(&path).expect("read");
    bytes[9_000] ^= 1;
    fs::write(&path, bytes).expect("written");
    let refused = copy(&from, &to, None, &mut |_, _| {});
    assert!(
        matches!(refused, Err(Error::Damaged(ref damage)) if damage.segment == 0),
        "{refused:?}"
    );
}
