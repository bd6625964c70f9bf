//! Disks that fail: what is answered, and what is there afterwards.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Disk, Log, Options};
use crate::{
    commitment::Kind,
    error::Error,
    key::{Algorithm, FileKey, Signer},
    policy::Policy,
};

/// What the disk does next.
const WORK: u8 = 0;
/// Writes half and says that it is full.
const FILL: u8 = 1;
/// Takes everything and does not confirm it.
const FORGET: u8 = 2;
/// Does not confirm, and cannot be cut either.
const STUCK: u8 = 3;
/// Loses power in the middle: some sectors are on disk, in no order, and nothing more can be done.
const POWER: u8 = 4;
/// Has no place for room, only for what is written.
const TIGHT: u8 = 5;

struct Faulty {
    file: File,
    mood: Arc<AtomicU8>,
}

impl Disk for Faulty {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mood = self.mood.load(Ordering::SeqCst);
        if mood == FILL || mood == TIGHT && bytes.iter().all(|byte| *byte == 0) {
            FileExt::write_all_at(&self.file, &bytes[..bytes.len() / 2], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        if mood == POWER {
            let mut start = 0;
            while start < bytes.len() {
                let end = bytes.len().min(start + 512 - (offset as usize + start) % 512);
                if rand::random() {
                    FileExt::write_all_at(&self.file, &bytes[start..end], offset + start as u64)?;
                }
                start = end;
            }
            return Err(io::Error::other("the power is out"));
        }
        FileExt::write_all_at(&self.file, bytes, offset)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        match self.mood.load(Ordering::SeqCst) {
            FORGET | STUCK => Err(io::Error::other("the cable is out")),
            _ => self.file.sync_data(),
        }
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        if [STUCK, POWER].contains(&self.mood.load(Ordering::SeqCst)) {
            return Err(io::Error::other("the cable is out"));
        }
        self.file.set_len(length)
    }
}

fn open(dir: &Path, key: &Arc<FileKey>, mood: &Arc<AtomicU8>) -> Log {
    let mut options = Options::new("log.example", Arc::<FileKey>::clone(key));
    let mood = Arc::clone(mood);
    options.disk = Arc::new(move |file| {
        let mood = Arc::clone(&mood);
        Box::new(Faulty { file, mood })
    });
    Log::open(dir, options).expect("it opens")
}

fn append(log: &Log, records: &[&str]) -> crate::Result<u64> {
    let records = records.iter().map(|r| (Kind::ACTION, r.as_bytes().to_vec())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime
        .block_on(log.append_all(records))
        .map(|receipts| receipts[0].index)
}

#[test]
fn a_disk_that_fails_stops_the_log_and_when_it_works_again_the_log_goes_on_by_itself() {
    let key = Arc::new(FileKey::generate("log.example", Algorithm::Ed25519).expect("a key"));
    for mood_then in [FILL, FORGET, STUCK] {
        let dir = tempfile::tempdir().expect("a folder");
        let mood = Arc::new(AtomicU8::new(WORK));
        let log = open(dir.path(), &key, &mood);
        append(&log, &["one", "two"]).expect("it is stored");
        mood.store(mood_then, Ordering::SeqCst);
        let refused = append(&log, &["three", "four"]).expect_err("the disk fails");
        match mood_then {
            FILL => assert!(matches!(refused, Error::Full), "{refused}"),
            _ => assert!(matches!(refused, Error::Unconfirmed(_)), "{refused}"),
        }
        assert_eq!(log.size(), 2);
        log.disclose(1).expect("reading goes on");
        // While it fails the log opens itself again in vain.
        std::thread::sleep(Duration::from_millis(1_200));
        let refused = append(&log, &["five"]).expect_err("the disk fails");
        match mood_then {
            FILL => assert!(matches!(refused, Error::Full), "{refused}"),
            _ => assert!(matches!(refused, Error::ReadOnly | Error::Unconfirmed(_)), "{refused}"),
        }
        mood.store(WORK, Ordering::SeqCst);
        // After a full disk at once; after one that did not confirm when it is known what it has done meanwhile.
        let next = eventually(|| append(&log, &["six"]).ok());
        assert_eq!(next, log.size() - 1);
        assert_eq!(log.entry(1).expect("it is there").opening.expect("open").record, b"two");
        assert_eq!(
            log.entry(next).expect("it is there").opening.expect("open").record,
            b"six"
        );
        // What could not be cut and turns out to be whole stays; nobody was told that it is not there.
        assert!(if mood_then == FILL { next == 2 } else { next >= 2 }, "{next}");
        Policy::log(key.verifier())
            .judge(&log.checkpoint())
            .expect("it is signed");
        let size = log.size();
        drop(log);
        assert_eq!(open(dir.path(), &key, &mood).size(), size);
        let report = crate::audit::directory(dir.path(), &Policy::log(key.verifier()), &[]).expect("it is read");
        assert!(report.is_clean(), "{:?}", report.findings);
    }
}

#[test]
fn a_disk_without_place_for_room_takes_what_it_can() {
    let key = Arc::new(FileKey::generate("log.example", Algorithm::Ed25519).expect("a key"));
    let (dir, mood) = (tempfile::tempdir().expect("a folder"), Arc::new(AtomicU8::new(TIGHT)));
    let log = open(dir.path(), &key, &mood);
    for n in 0..5 {
        assert_eq!(append(&log, &["one"]).expect("it is stored"), n);
    }
    let segment = dir.path().join("segments/00000000000000000000.seg");
    let length = || std::fs::metadata(&segment).expect("a segment").len();
    let before = length();
    mood.store(WORK, Ordering::SeqCst);
    append(&log, &["two"]).expect("it is stored");
    assert!(length() > before + (32 << 10), "there is room again");
    drop(log);
    assert!(length() < before + 1_000);
    assert_eq!(open(dir.path(), &key, &mood).size(), 6);
}

/// Tiles and indexes that cannot be written break the log, too; it makes them again by itself.
#[test]
fn tiles_that_could_not_be_written_are_made_again_while_the_log_is_open() {
    let key = Arc::new(FileKey::generate("log.example", Algorithm::Ed25519).expect("a key"));
    let (dir, mood) = (tempfile::tempdir().expect("a folder"), Arc::new(AtomicU8::new(WORK)));
    let log = open(dir.path(), &key, &mood);
    append(&log, &["one"]).expect("it is stored");
    // Where the first full tile belongs, something is in the way.
    let place = dir.path().join("tile");
    std::fs::write(&place, b"in the way").expect("written");
    let many: Vec<_> = (0..300).map(|n| format!("record {n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    append(&log, &many).expect("the batch itself is durable");
    assert!(matches!(append(&log, &["refused"]), Err(Error::ReadOnly)));
    std::fs::remove_file(&place).expect("removed");
    let next = eventually(|| append(&log, &["two"]).ok());
    assert_eq!(next, 301);
    for index in [0, 255, 256, 300, 301] {
        log.disclose(index).expect("it is proved");
    }
    drop(log);
    let report = crate::audit::directory(dir.path(), &Policy::log(key.verifier()), &[]).expect("it is read");
    assert!(report.is_clean(), "{:?}", report.findings);
}

#[test]
fn a_log_that_broke_because_the_disk_is_full_says_so_to_all_who_come() {
    let because = |kind: io::ErrorKind| Error::Unconfirmed(Arc::new(kind.into())).meanwhile();
    assert!(matches!(because(io::ErrorKind::StorageFull), Error::Full));
    assert!(matches!(because(io::ErrorKind::Other), Error::ReadOnly));
    let tiles = |kind: io::ErrorKind| Error::io("writing tiles in", Path::new("log"))(kind.into()).meanwhile();
    assert!(matches!(tiles(io::ErrorKind::QuotaExceeded), Error::Full));
    assert!(matches!(tiles(io::ErrorKind::NotADirectory), Error::ReadOnly));
}

fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the log does not recover");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_batch_of_which_any_sectors_are_on_disk_is_cut_to_its_whole_beginning() {
    let key = Arc::new(FileKey::generate("log.example", Algorithm::Ed25519).expect("a key"));
    let long: Vec<_> = (0..5_usize).map(|n| n.to_string().repeat(300 * (n + 1))).collect();
    let long: Vec<_> = long.iter().map(String::as_str).collect();
    let mut sizes = std::collections::BTreeSet::new();
    for _ in 0..150 {
        let dir = tempfile::tempdir().expect("a folder");
        let mood = Arc::new(AtomicU8::new(WORK));
        let log = open(dir.path(), &key, &mood);
        append(&log, &["one", "two"]).expect("it is stored");
        mood.store(POWER, Ordering::SeqCst);
        let refused = append(&log, &long).expect_err("the power is out");
        assert!(matches!(refused, Error::Unconfirmed(_)), "{refused}");
        drop(log);
        mood.store(WORK, Ordering::SeqCst);
        let report = crate::audit::directory(dir.path(), &Policy::log(key.verifier()), &[]).expect("it is read");
        assert!(report.is_clean(), "{:?}", report.findings);
        let log = open(dir.path(), &key, &mood);
        sizes.insert(log.size());
        for (index, record) in ["one", "two"].iter().chain(&long).enumerate().take(log.size() as usize) {
            let entry = log.entry(index as u64).expect("it is there");
            assert_eq!(entry.opening.expect("open").record, record.as_bytes());
        }
        Policy::log(key.verifier())
            .judge(&log.checkpoint())
            .expect("it is signed");
        append(&log, &["six"]).expect("it is stored");
    }
    assert!(sizes.contains(&2) && sizes.len() > 1, "{sizes:?}");
}
