//! Torn ends, flipped bits and a full disk.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use ledger::{Damage, Error, Flaw, Kind, Log};
use proptest::prelude::*;

use crate::{
    log::find,
    support::{block_on, fill, key, open, options, policy, record},
};

fn segment(dir: &Path) -> std::path::PathBuf {
    dir.join("segments/00000000000000000000.seg")
}

fn index(dir: &Path) -> std::path::PathBuf {
    dir.join("segments/00000000000000000000.idx")
}

#[test]
fn a_torn_end_is_cut_at_every_byte_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..4, 4);
    drop(log);
    let acknowledged = fs::metadata(segment(dir.path())).expect("a segment").len() as usize;
    let confirmed = fs::read(index(dir.path())).expect("an index");
    // The last batch: two entries and their checkpoint.
    let log = open(dir.path(), &key);
    fill(&log, 4..6, 2);
    drop(log);
    let whole = fs::read(segment(dir.path())).expect("a segment");
    let first_end = find(&whole, &record(4)).expect("the record") + record(4).len();
    let second_end = find(&whole, &record(5)).expect("the record") + record(5).len();
    for end in acknowledged..whole.len() {
        let variants = if end % 7 == 0 { 3 } else { 1 };
        for behind in [&[][..], &[0; 300], &[0xa5; 300]].into_iter().take(variants) {
            let mut torn = [&whole[..end], behind].concat();
            // What stands behind the end is another byte than what stood there.
            if torn.len() > end && torn[end] == whole[end] {
                torn[end] ^= 0xff;
            }
            fs::write(segment(dir.path()), &torn).expect("torn");
            fs::write(index(dir.path()), &confirmed).expect("as before the batch");
            let log = open(dir.path(), &key);
            let expected = 4 + u64::from(end >= first_end) + u64::from(end >= second_end);
            assert_eq!(log.size(), expected, "cut at {end}");
            policy(&key).judge(&log.checkpoint()).expect("it is signed");
            for n in 0..expected {
                assert_eq!(
                    log.entry(n).expect("it is there").opening.expect("open").record,
                    record(n)
                );
            }
        }
    }
    // And it goes on from there.
    fs::write(segment(dir.path()), &whole[..second_end + 7]).expect("torn");
    fs::write(index(dir.path()), &confirmed).expect("as before the batch");
    let log = open(dir.path(), &key);
    fill(&log, 6..10, 2);
    drop(log);
    let log = open(dir.path(), &key);
    assert_eq!(log.size(), 10);
    drop(log);
    let report = ledger::audit::directory(dir.path(), &policy(&key), &[]).expect("it is read");
    assert!(report.is_clean() && report.unfinished == 0, "{report:?}");
}

/// What a crash leaves, and what whoever looks at a log at work sees: frames, and behind them room.
#[test]
fn room_behind_the_frames_is_no_damage_and_goes_when_the_log_is_closed() {
    let dir = tempfile::tempdir().expect("a folder");
    let (at_work, crashed, copied) = (
        dir.path().join("log"),
        dir.path().join("crashed"),
        dir.path().join("copy"),
    );
    let key = key();
    let log = open(&at_work, &key);
    fill(&log, 0..300, 7);
    let with_room = fs::read(segment(&at_work)).expect("a segment");
    fs::create_dir_all(crashed.join("segments")).expect("a folder");
    fs::write(segment(&crashed), &with_room).expect("written");
    fs::copy(index(&at_work), index(&crashed)).expect("copied");
    let size = |dir: &Path| {
        let report = ledger::audit::directory(dir, &policy(&key), &[]).expect("it is read");
        let known = |finding: &&ledger::audit::Finding| !matches!(finding, ledger::audit::Finding::Tile { .. });
        assert_eq!(report.findings.iter().find(known), None);
        (report.size, report.unfinished)
    };
    assert_eq!((size(&at_work), size(&crashed)), ((300, 0), (300, 0)));
    ledger::copy(&at_work, &copied, None, &mut |_, _| {})
        .expect("copied")
        .expect("a log");
    drop(log);
    let whole = fs::read(segment(&at_work)).expect("a segment");
    assert_eq!(fs::read(segment(&copied)).expect("a segment"), whole);
    let (frames, room) = with_room.split_at(whole.len());
    assert_eq!(frames, whole);
    assert!(room.len() > 1_000 && room.iter().all(|byte| *byte == 0));
    assert_eq!(open(&crashed, &key).size(), 300);
    // Zeros in the place of what was acknowledged are not taken for room: the index knows.
    let mut wiped = with_room.clone();
    let last = find(&whole, &record(299)).expect("the record");
    wiped[last - 200..].fill(0);
    fs::write(segment(&crashed), &wiped).expect("written");
    fs::copy(index(&at_work), index(&crashed)).expect("copied");
    let report = ledger::audit::directory(&crashed, &policy(&key), &[]).expect("it is read");
    assert!(!report.is_clean());
    let error = Log::open(&crashed, options(&key)).expect_err("it is damaged");
    assert!(
        matches!(error, Error::Shortened { known: 300, .. } | Error::Damaged(_)),
        "{error}"
    );
    // Nor, without an index, those in the middle: another batch follows.
    let mut wiped = with_room;
    let middle = find(&whole, &record(150)).expect("the record");
    wiped[middle - 2_000..middle].fill(0);
    fs::write(segment(&crashed), &wiped).expect("written");
    fs::remove_file(index(&crashed)).expect("an index");
    let report = ledger::audit::directory(&crashed, &policy(&key), &[]).expect("it is read");
    assert!(!report.is_clean());
    let error = Log::open(&crashed, options(&key)).expect_err("it is damaged");
    assert!(matches!(error, Error::Damaged(_)), "{error}");
}

#[test]
fn a_flipped_bit_in_what_was_acknowledged_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..12, 4);
    drop(log);
    let whole = fs::read(segment(dir.path())).expect("a segment");
    let record_at = find(&whole, &record(5)).expect("the record");
    let offset = record_at - 32 - 64;
    for byte in offset..record_at + record(5).len() {
        for bit in [0, 5] {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << bit;
            fs::write(segment(dir.path()), &flipped).expect("flipped");
            let error = Log::open(dir.path(), options(&key)).expect_err("it is damaged");
            let Error::Damaged(damage) = error else {
                panic!("{error}")
            };
            assert_eq!(
                (damage.segment, damage.offset, damage.index),
                (0, offset as u64, 5),
                "byte {byte}"
            );
            assert_eq!(Error::Damaged(damage).code(), "ledger-damaged");
        }
    }
    // In the last batch only the index knows that it was acknowledged; without it, it is taken for torn.
    let last = find(&whole, &record(9)).expect("the record");
    let mut flipped = whole.clone();
    flipped[last] ^= 1;
    fs::write(segment(dir.path()), &flipped).expect("flipped");
    let error = Log::open(dir.path(), options(&key)).expect_err("it is damaged");
    assert!(matches!(error, Error::Damaged(Damage { index: 9, .. })), "{error}");
    // And that the end was there once.
    fs::write(segment(dir.path()), &whole[..last - 32 - 64]).expect("shortened");
    let error = Log::open(dir.path(), options(&key)).expect_err("it is shortened");
    assert!(matches!(error, Error::Shortened { size: 9, known: 12 }), "{error}");
    fs::remove_file(index(dir.path())).expect("an index");
    assert_eq!(open(dir.path(), &key).size(), 9);
    // The header, too.
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    fs::write(segment(dir.path()), &flipped).expect("flipped");
    let error = Log::open(dir.path(), options(&key)).expect_err("it is damaged");
    assert!(matches!(error, Error::Damaged(Damage { flaw: Flaw::Header, .. })));
    fs::write(segment(dir.path()), &whole).expect("mended");

    // In an open log it is found when it is read.
    let log = open(dir.path(), &key);
    let mut flipped = whole;
    flipped[record_at] ^= 1;
    let file = fs::File::options()
        .write(true)
        .open(segment(dir.path()))
        .expect("a segment");
    std::os::unix::fs::FileExt::write_all_at(&file, &flipped[record_at..=record_at], record_at as u64)
        .expect("flipped");
    let error = log.entry(5).expect_err("it is damaged");
    assert!(
        matches!(
            error,
            Error::Damaged(Damage {
                index: 5,
                flaw: Flaw::Body,
                ..
            })
        ),
        "{error}"
    );
    assert!(log.disclose(4).is_ok());
}

#[test]
fn a_record_that_looks_like_a_checkpoint_frame_deceives_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..4, 4);
    drop(log);
    // Somebody logs the bytes of a whole segment, checkpoint frames and all, and the machine stops within that batch.
    let bytes = fs::read(segment(dir.path())).expect("a segment");
    let confirmed = fs::read(index(dir.path())).expect("an index");
    let log = open(dir.path(), &key);
    block_on(log.append(Kind::MESSAGE, bytes.clone())).expect("it is stored");
    drop(log);
    let whole = fs::read(segment(dir.path())).expect("a segment");
    let mut torn = whole[..bytes.len() * 2].to_vec();
    torn[bytes.len() + 70] ^= 1;
    fs::write(segment(dir.path()), torn).expect("torn");
    fs::write(index(dir.path()), confirmed).expect("as before the batch");
    assert_eq!(open(dir.path(), &key).size(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_segment_of_any_bytes_makes_nobody_panic(
        at in any::<proptest::sample::Index>(),
        length in 0_usize..40,
        with in proptest::collection::vec(any::<u8>(), 0..40),
        cut: bool,
    ) {
        let (dir, key) = (tempfile::tempdir().expect("a folder"), key());
        let log = open(dir.path(), &key);
        fill(&log, 0..6, 2);
        drop(log);
        let mut bytes = fs::read(segment(dir.path())).expect("a segment");
        let start = at.index(bytes.len());
        let end = if cut { bytes.len() } else { bytes.len().min(start + length) };
        bytes.splice(start..end, with);
        fs::write(segment(dir.path()), bytes).expect("changed");
        let _ = ledger::audit::directory(dir.path(), &policy(&key), &[]).expect("it is read");
        if let Ok(log) = Log::open(dir.path(), options(&key)) {
            for index in 0..log.size() {
                log.entry(index).expect("it is there");
            }
        }
    }
}

/// Run by the test below under a limit on the size of files.
#[test]
#[ignore = "a child of the test of the full disk"]
fn child_fills_the_disk() {
    let Some(dir) = std::env::var_os("LEDGER_CHILD") else {
        return;
    };
    let key = crate::crash::key_in(Path::new(&dir));
    let log = Log::open(&Path::new(&dir).join("log"), options(&key)).expect("it opens");
    let mut out = std::io::stdout();
    block_on(async {
        loop {
            match log.append(Kind::ACTION, vec![b'x'; 2_000]).await {
                Ok(receipt) => writeln!(out, "stored {}", receipt.index).expect("the parent listens"),
                Err(error) => {
                    assert!(matches!(error, Error::Full), "{error:?}");
                    break;
                }
            }
        }
        // Something small may still fit; the log goes on by itself.
        match log.append(Kind::ACTION, vec![b'x']).await {
            Ok(receipt) => writeln!(out, "stored {}", receipt.index).expect("the parent listens"),
            Err(error) => assert!(matches!(error, Error::Full | Error::ReadOnly), "{error:?}"),
        }
        assert!(log.entry(0).is_ok() && log.disclose(log.size() - 1).is_ok());
    });
    writeln!(out, "refused").expect("the parent listens");
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = crate::crash::key_in(dir.path());
    // The shell's children inherit that the signal is ignored, so that a write over the limit fails like a full disk.
    let mut child = Command::new("sh")
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 1000; exec \"$0\" --exact disk::child_fills_the_disk --ignored --nocapture")
        .arg(std::env::current_exe().expect("this program"))
        .env("LEDGER_CHILD", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let lines: Vec<_> = out.lines().map(|l| l.expect("a line")).collect();
    assert!(child.wait().expect("it ends").success(), "{lines:?}");
    let stored = lines.iter().filter(|l| l.contains("stored ")).count() as u64;
    assert!(stored > 100 && lines.iter().any(|l| l.contains("refused")), "{lines:?}");
    let log = open(&dir.path().join("log"), &key);
    assert_eq!(log.size(), stored);
    for n in 0..stored {
        assert!(log.entry(n).expect("it is there").opening.is_some());
    }
    fill(&log, 0..10, 10);
    assert_eq!(log.size(), stored + 10);
}
