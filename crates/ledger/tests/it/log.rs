//! Appending, reopening, erasing.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ledger::{
    Algorithm, Error, FileKey, Kind, Log, Opening, SignError, Signer, VerifierKey,
    tree::{verify_consistency, verify_inclusion},
    verify,
};

use crate::support::{NOW, ORIGIN, block_on, fill, key, key_named, open, options, policy, record};

#[test]
fn many_append_at_once_and_each_gets_its_place_and_proof() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = Arc::new(open(dir.path(), &key));
    let receipts = block_on(async {
        let tasks: Vec<_> = (0..32)
            .map(|task| {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    let mut receipts = Vec::new();
                    for n in 0..40 {
                        let record = format!("{task}/{n}").into_bytes();
                        let receipt = log.append(Kind::MESSAGE, record.clone()).await.expect("it is stored");
                        receipts.push((receipt, record));
                    }
                    receipts
                })
            })
            .collect();
        let mut receipts = Vec::new();
        for task in tasks {
            receipts.extend(task.await.expect("no panic"));
        }
        receipts
    });
    let mut indexes: Vec<_> = receipts.iter().map(|(r, _)| r.index).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (0..1280).collect::<Vec<_>>());
    let work = log.work();
    assert_eq!(work.entries, 1280);
    assert!(work.batches <= 1280);
    for (receipt, record) in &receipts {
        let checkpoint = receipt.checkpoint.checkpoint();
        let (size, root) = (checkpoint.size, checkpoint.root);
        assert!(verify_inclusion(
            &receipt.commitment.leaf(),
            receipt.index,
            size,
            &root,
            &receipt.path
        ));
        let opening = Opening {
            salt: receipt.salt,
            record: record.clone(),
        };
        verify(receipt.proof().to_string().as_bytes(), &policy(&key), Some(&opening)).expect("it verifies");
        // The same proof comes from the tiles later, and the checkpoint is a beginning of the latest.
        assert_eq!(log.inclusion(receipt.index, size).expect("a proof"), receipt.path);
        let latest = log.checkpoint();
        let proof = log.consistency(size, 1280).expect("a proof");
        assert!(verify_consistency(size, 1280, &root, &latest.checkpoint().root, &proof));
    }
    // Each task's own records stand in the order in which it appended them.
    drop(log);
    let log = open(dir.path(), &key);
    for (receipt, record) in &receipts {
        let entry = log.entry(receipt.index).expect("it is there");
        assert_eq!(entry.opening.expect("it is open").record, *record);
        assert_eq!(entry.commitment, receipt.commitment);
        assert_eq!(entry.time, NOW);
    }
}

#[test]
fn batches_stand_together_and_reach_the_disk_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = open(dir.path(), &key());
    let records = (0..300).map(|n| (Kind::READ, record(n))).collect();
    let receipts = block_on(log.append_all(records)).expect("they are stored");
    assert_eq!(
        receipts.iter().map(|r| r.index).collect::<Vec<_>>(),
        (0..300).collect::<Vec<_>>()
    );
    assert!(receipts.iter().all(|r| r.checkpoint.checkpoint().size == 300));
    assert_eq!(log.work().batches, 1);
    assert!(log.work().hashes < 300 * 2 + 10);
    assert!(block_on(log.append_all(Vec::new())).expect("nothing to do").is_empty());
}

#[test]
fn a_new_log_has_a_checkpoint_of_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    assert_eq!(log.size(), 0);
    policy(&key).judge(&log.checkpoint()).expect("it is signed");
    assert!(matches!(log.entry(0), Err(Error::Beyond { asked: 0, size: 0 })));
    assert!(matches!(log.inclusion(0, 0), Err(Error::Beyond { .. })));
    assert!(matches!(log.inclusion(0, 1), Err(Error::Beyond { .. })));
    assert!(log.consistency(0, 0).expect("nothing to prove").is_empty());
}

#[test]
fn a_log_is_open_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    assert!(matches!(Log::open(dir.path(), options(&key)), Err(Error::Locked(_))));
    drop(log);
    open(dir.path(), &key);
}

#[test]
fn a_folder_holds_one_log() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(open(dir.path(), &key()));
    let other = key_named("so-cai.khac.example", Algorithm::Ed25519);
    assert!(matches!(
        Log::open(dir.path(), options(&other)),
        Err(Error::OtherLog { .. })
    ));
    for origin in ["", "a b", "a+b", "a\nb", &"a".repeat(256)] {
        let mut options = options(&key());
        origin.clone_into(&mut options.origin);
        assert!(
            matches!(Log::open(dir.path(), options), Err(Error::Misconfigured(_))),
            "{origin}"
        );
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let mut options = options(&key);
    options.largest_record = 1_000;
    options.waiting_bytes = 5_000;
    let log = Log::open(dir.path(), options).expect("it opens");
    block_on(async {
        log.append(Kind::ACTION, vec![7; 1_000]).await.expect("it is stored");
        let refused = log.append(Kind::ACTION, vec![7; 1_001]).await;
        assert!(matches!(
            refused,
            Err(Error::TooLarge {
                bytes: 1_001,
                limit: 1_000
            })
        ));
        let refused = log.append_all(vec![(Kind::ACTION, vec![7; 1_000]); 4]).await;
        assert!(matches!(refused, Err(Error::TooLarge { limit: 5_000, .. })));
        // More than has room waits, and is stored.
        let tasks = (0..100).map(|_| log.append(Kind::ACTION, vec![7; 900]));
        let stored = futures::future::join_all(tasks).await;
        assert!(stored.into_iter().all(|s| s.is_ok()));
    });
    assert_eq!(log.size(), 101);
}

#[test]
fn refusals_reach_the_caller_of_the_platform_as_what_they_are() {
    let kind = |error: Error| base::Error::from(error).kind();
    assert_eq!(kind(Error::Full), Some(base::Kind::Unavailable));
    assert_eq!(kind(Error::ReadOnly), Some(base::Kind::Unavailable));
    assert_eq!(kind(Error::TooLarge { bytes: 2, limit: 1 }), Some(base::Kind::TooLarge));
    assert_eq!(kind(Error::Beyond { asked: 2, size: 1 }), Some(base::Kind::NotFound));
    assert_eq!(
        kind(Error::Shortened { size: 1, known: 2 }),
        None,
        "that is ours to mend"
    );
    let text = Error::Full.text();
    assert_eq!(
        text.vi,
        "Đĩa đã đầy; chưa ghi gì vào sổ cái. Cần giải phóng dung lượng rồi thử lại."
    );
    assert_eq!(
        text.en,
        "The disk is full; nothing was stored; make room and try again."
    );
}

#[test]
fn segments_follow_each_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let small = || {
        let mut options = options(&key);
        options.segment_bytes = 64 << 10;
        options
    };
    let log = Log::open(dir.path(), small()).expect("it opens");
    fill(&log, 0..3_000, 50);
    let root = log.checkpoint().checkpoint().root;
    drop(log);
    let segments = fs::read_dir(dir.path().join("segments")).expect("a folder").count() / 2;
    assert!(segments > 4, "{segments}");
    let durable = fs::read_to_string(dir.path().join("durable")).expect("tiles were synced");

    let check = |log: &Log| {
        assert_eq!(log.checkpoint().checkpoint().root, root);
        for index in (0..3_000).step_by(13) {
            let entry = log.entry(index).expect("it is there");
            assert_eq!(entry.opening.expect("it is open").record, record(index));
            verify(
                log.disclose(index).expect("a proof").to_string().as_bytes(),
                &policy(&key),
                None,
            )
            .expect("it verifies");
        }
    };
    check(&Log::open(dir.path(), small()).expect("it opens"));

    // One index of a closed segment.
    let mut names: Vec<_> = fs::read_dir(dir.path().join("segments"))
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    names.sort();
    let [_, _, index, middle, ..] = &names[..] else {
        panic!("{names:?}")
    };
    fs::remove_file(index).expect("an index");
    check(&Log::open(dir.path(), small()).expect("it opens"));
    // Not a segment.
    let aside = dir.path().join("aside");
    fs::rename(middle, &aside).expect("a segment");
    let refused = Log::open(dir.path(), small()).expect_err("one is missing");
    assert!(matches!(refused, Error::Damaged(_)), "{refused}");
    fs::rename(&aside, middle).expect("a segment");
    let first = &names[1];
    fs::rename(first, &aside).expect("a segment");
    let refused = Log::open(dir.path(), small()).expect_err("one is missing");
    assert!(matches!(refused, Error::Damaged(_)), "{refused}");
    fs::rename(&aside, first).expect("a segment");

    // Everything but the segments can be lost.
    fs::remove_dir_all(dir.path().join("tile")).expect("tiles");
    for entry in fs::read_dir(dir.path().join("segments")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "idx") {
            fs::remove_file(path).expect("an index");
        }
    }
    fs::remove_file(dir.path().join("durable")).expect("the mark");
    let log = Log::open(dir.path(), small()).expect("it opens");
    check(&log);
    fill(&log, 3_000..3_100, 50);
    drop(log);

    // A lie about what is durable is found out by the root.
    fs::remove_dir_all(dir.path().join("tile")).expect("tiles");
    fs::write(dir.path().join("durable"), durable).expect("the mark");
    let log = Log::open(dir.path(), small()).expect("it opens");
    assert_eq!(log.size(), 3_100);
    log.disclose(0).expect("a proof");
}

#[test]
fn keys_change_and_the_log_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let (old, new) = (key(), key());
    let log = open(dir.path(), &old);
    fill(&log, 0..5, 5);
    let before = log.checkpoint();
    drop(log);
    let log = open(dir.path(), &new);
    let after = log.checkpoint();
    assert_eq!(before.checkpoint(), after.checkpoint());
    policy(&old).judge(&before).expect("the old key signed");
    policy(&new).judge(&after).expect("the new key signed");
    assert!(policy(&old).judge(&after).is_err());
    // Two keys at once, as when one is followed by another, or one is for the law.
    drop(log);
    let mut both = options(&old);
    let lawful = key_named(ORIGIN, Algorithm::EcdsaP256);
    both.signers.push(Arc::<FileKey>::clone(&lawful));
    let log = Log::open(dir.path(), both).expect("it opens");
    fill(&log, 5..6, 1);
    policy(&old).judge(&log.checkpoint()).expect("one key signed");
    policy(&lawful).judge(&log.checkpoint()).expect("the other signed");
}

/// A device that is away for a while.
struct Flaky {
    key: Arc<FileKey>,
    away: AtomicBool,
}

impl Signer for Flaky {
    fn name(&self) -> &str {
        self.key.name()
    }

    fn verifier(&self) -> VerifierKey {
        self.key.verifier()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(SignError {
                key: self.name().to_owned(),
                reason: "the device is away".to_owned(),
            });
        }
        self.key.sign(message)
    }
}

#[test]
fn without_a_signature_nothing_is_stored() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let device = Arc::new(Flaky {
        key: Arc::clone(&key),
        away: AtomicBool::new(false),
    });
    let mut options = options(&key);
    options.signers = vec![Arc::<Flaky>::clone(&device)];
    let log = Log::open(dir.path(), options).expect("it opens");
    fill(&log, 0..3, 1);
    device.away.store(true, Ordering::SeqCst);
    let refused = block_on(log.append(Kind::ACTION, record(3)));
    assert!(matches!(&refused, Err(Error::Sign(e)) if e.reason == "the device is away"));
    assert_eq!(log.size(), 3);
    device.away.store(false, Ordering::SeqCst);
    fill(&log, 3..6, 1);
    drop(log);
    let log = open(dir.path(), &key);
    assert_eq!(log.size(), 6);
    assert_eq!(
        log.entry(3).expect("it is there").opening.expect("open").record,
        record(3)
    );
}

#[test]
fn whoever_goes_away_does_not_stop_the_others() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = open(dir.path(), &key());
    block_on(async {
        for n in 0..50 {
            let _ =
                tokio::time::timeout(std::time::Duration::from_micros(n), log.append(Kind::ACTION, record(n))).await;
        }
        log.append(Kind::ACTION, record(50)).await.expect("it is stored");
    });
}

#[test]
fn an_erased_record_is_gone_and_the_log_verifies() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    let secret = "Nguyễn Thị Ngọc Ánh đã xem".as_bytes().to_vec();
    fill(&log, 0..100, 7);
    let receipt = block_on(log.append(Kind::READ, secret.clone())).expect("it is stored");
    fill(&log, 101..300, 7);
    let before = log.disclose(receipt.index).expect("a proof");
    assert!(folder_contains(dir.path(), &secret));
    assert!(folder_contains(dir.path(), &receipt.salt.0));

    log.erase(receipt.index).expect("it is erased");
    log.erase(receipt.index).expect("twice does no harm");
    assert!(matches!(log.erase(300), Err(Error::Beyond { .. })));
    let check = |log: &Log| {
        let entry = log.entry(receipt.index).expect("the entry stays");
        assert_eq!(entry.opening, None);
        assert_eq!(entry.commitment, receipt.commitment);
        let proof = log.disclose(receipt.index).expect("a proof");
        assert_eq!(proof.opening, None);
        assert_eq!(
            verify(proof.to_string().as_bytes(), &policy(&key), None)
                .expect("it verifies")
                .record(),
            None
        );
        // Who has the opening from before can still show what was logged.
        let verdict = verify(before.to_string().as_bytes(), &policy(&key), None).expect("it verifies");
        assert_eq!(verdict.record(), Some(&secret[..]));
        for index in [99, 101] {
            assert!(log.entry(index).expect("it is there").opening.is_some());
        }
    };
    check(&log);
    drop(log);
    assert!(!folder_contains(dir.path(), &secret));
    assert!(!folder_contains(dir.path(), &receipt.salt.0));
    let log = open(dir.path(), &key);
    check(&log);
    drop(log);
    let report = ledger::audit::directory(dir.path(), &policy(&key), &[]).expect("it is read");
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.size, report.erased), (300, 1));
}

#[test]
fn an_erasure_that_a_crash_interrupted_is_finished() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..20, 20);
    drop(log);
    // The intent was written, and half of the record overwritten.
    let path = dir.path().join("segments/00000000000000000000.seg");
    let mut bytes = fs::read(&path).expect("a segment");
    let secret = record(11);
    let at = find(&bytes, &secret).expect("the record");
    let offset = at - 32 - 64;
    bytes[at - 32..at].fill(0);
    fs::write(&path, &bytes).expect("half erased");
    fs::write(dir.path().join("erasing"), format!("0 {offset} 11\n")).expect("the intent");
    let log = open(dir.path(), &key);
    assert_eq!(log.size(), 20);
    assert_eq!(log.entry(11).expect("it is there").opening, None);
    assert!(!dir.path().join("erasing").exists());
    assert!(!folder_contains(dir.path(), &secret));
}

#[test]
fn a_cosigned_checkpoint_is_kept_and_never_goes_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    let empty = (*log.checkpoint()).clone();
    fill(&log, 0..5, 5);
    let five = (*log.checkpoint()).clone();
    fill(&log, 5..9, 4);
    let nine = (*log.checkpoint()).clone();
    log.set_cosigned(five.clone()).expect("it is ours");
    log.set_cosigned(nine.clone()).expect("it is newer");
    assert!(matches!(log.set_cosigned(five), Err(Error::ForeignCheckpoint)));
    assert!(matches!(log.set_cosigned(empty), Err(Error::ForeignCheckpoint)));
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = open(elsewhere.path(), &key);
    fill(&other, 100..120, 20);
    assert!(matches!(
        log.set_cosigned((*other.checkpoint()).clone()),
        Err(Error::ForeignCheckpoint)
    ));
    drop(log);
    let log = open(dir.path(), &key);
    assert_eq!(log.cosigned().as_deref(), Some(&nine));
    drop(log);

    // A log that lost entries that were published is not opened: it would fork.
    let path = dir.path().join("segments/00000000000000000000.seg");
    let bytes = fs::read(&path).expect("a segment");
    let at = find(&bytes, &record(7)).expect("the record");
    fs::write(&path, &bytes[..at]).expect("cut");
    fs::remove_file(path.with_extension("idx")).expect("an index");
    assert!(matches!(
        Log::open(dir.path(), options(&key)),
        Err(Error::Shortened { known: 9, .. })
    ));
}

pub fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|w| w == part)
}

fn folder_contains(dir: &std::path::Path, part: &[u8]) -> bool {
    fs::read_dir(dir).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            folder_contains(&path, part)
        } else {
            find(&fs::read(path).expect("a file"), part).is_some()
        }
    })
}

#[test]
fn entries_are_read_in_a_row_as_they_are_one_by_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let mut small = options(&key);
    small.segment_bytes = 40_000;
    let log = Log::open(dir.path(), small).expect("it opens");
    fill(&log, 0..700, 7);
    log.erase(13).expect("it is erased");
    assert!(
        fs::read_dir(dir.path().join("segments")).expect("a folder").count() > 4,
        "several segments"
    );
    for range in [0..700, 13..14, 200..650, 699..700, 5..5] {
        let mut found = Vec::new();
        log.read_each(range.clone(), |entry| found.push(entry))
            .expect("they are read");
        let expected: Vec<_> = range.map(|index| log.entry(index).expect("it is there")).collect();
        assert_eq!(found, expected);
    }
    let beyond = log.read_each(690..701, |_| {}).expect_err("there are 700");
    assert!(matches!(beyond, Error::Beyond { asked: 700, size: 700 }), "{beyond}");
}

#[test]
fn a_damaged_entry_is_named_when_entries_are_read_in_a_row() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..20, 20);
    let segment = fs::read_dir(dir.path().join("segments"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .expect("a segment");
    let mut bytes = fs::read(&segment).expect("it is read");
    let record = record(11);
    let at = bytes
        .windows(record.len())
        .position(|part| part == record)
        .expect("it is there");
    bytes[at] ^= 1;
    fs::write(&segment, bytes).expect("it is written");
    let mut seen = 0;
    let error = log.read_each(0..20, |_| seen += 1).expect_err("it is damaged");
    assert!(
        matches!(&error, Error::Damaged(damage) if damage.index == 11),
        "{error}"
    );
    assert_eq!(seen, 11);
}

/// The count does not depend on the machine. Here the tree has full tiles of two levels; higher ones are kept in memory.
#[test]
fn a_proof_reads_two_files_of_tiles() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..66_000, 6_000);
    let before = log.work().tiles_read;
    for index in (0..65_536).step_by(655) {
        log.inclusion(index, log.size()).expect("a proof");
    }
    assert_eq!(log.work().tiles_read - before, 2 * 101);
}

#[test]
fn a_log_that_ended_is_read_proved_and_erased_from_without_its_key_and_takes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..300, 7);
    let checkpoint = log.checkpoint();
    drop(log);
    let log = Log::open_ended(dir.path()).expect("it opens");
    assert_eq!((log.origin(), log.size()), (ORIGIN, 300));
    assert_eq!(log.checkpoint(), checkpoint);
    for index in [0, 255, 256, 299] {
        let proof = log.disclose(index).expect("a proof").to_string();
        let verdict = verify(proof.as_bytes(), &policy(&key), None).expect("it verifies");
        assert_eq!(verdict.record(), Some(&record(index)[..]));
    }
    let refused = block_on(log.append(Kind::ACTION, record(300))).expect_err("it has ended");
    assert_eq!(refused.code(), "ledger-ended");
    log.erase(5).expect("it is erased");
    assert_eq!(log.entry(5).expect("it is there").opening, None);
    drop(log);
    // Opened with its key again it is as it was.
    let log = open(dir.path(), &key);
    assert_eq!((log.size(), log.checkpoint()), (300, checkpoint));
    drop(log);
    let nothing = Log::open_ended(tempfile::tempdir().expect("a folder").path()).expect_err("there is none");
    assert!(matches!(nothing, Error::Misconfigured(_)), "{nothing}");
}

#[test]
fn what_was_never_signed_is_cut_from_a_log_that_ended() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..40, 10);
    drop(log);
    // A crash between the frames of the last batch and its checkpoint: the file ends within that.
    let segment = fs::read_dir(dir.path().join("segments"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .expect("a segment");
    let index = segment.with_extension("idx");
    let length = |path: &std::path::Path| fs::metadata(path).expect("a file").len();
    let cut = |path: &std::path::Path, to: u64| {
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.set_len(to).expect("it is cut");
    };
    cut(&segment, length(&segment) - 20);
    cut(&index, 30 * 4);
    let log = Log::open_ended(dir.path()).expect("it opens");
    assert_eq!(log.size(), 30);
    for index in 0..30 {
        let proof = log.prove(index).expect("a proof").to_string();
        verify(proof.as_bytes(), &policy(&key), None).expect("it verifies");
    }
}
