//! Logs that were altered, shortened and forked, and what the audit says.

use std::{collections::BTreeMap, fs, path::Path, sync::Mutex};

use bytes::Bytes;
use futures::future::BoxFuture;
use ledger::{
    COMMITMENT_BYTES, Commitment, Error, Hash, Kind, Log, Salt, SignedCheckpoint,
    audit::{self, Fetch, FetchError, Finding},
    tiles::{TileId, TilePath},
};

use crate::{
    log::find,
    support::{block_on, fill, key, open, options, policy, record},
};

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    for finding in findings {
        let text = finding.text();
        assert!(!text.vi.is_empty() && !text.en.is_empty() && text.vi != text.en);
    }
    findings.iter().map(Finding::code).collect()
}

/// Rewrites an entry as one would who knows the format: record, commitment and both checksums, by the README.
fn forge(segment: &Path, old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let mut bytes = fs::read(segment).expect("a segment");
    let nonce: [u8; 8] = bytes[16..24].try_into().expect("eight bytes");
    let record = find(&bytes, old).expect("the record");
    let head = record - 32 - 64;
    bytes[record..record + new.len()].copy_from_slice(new);
    let salt = Salt(bytes[record - 32..record].try_into().expect("a salt"));
    let commitment = Commitment::new(Kind::ACTION, &salt, new);
    bytes[head + 29..head + 29 + COMMITMENT_BYTES].copy_from_slice(commitment.as_bytes());
    let sum = |part: &[u8]| {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&nonce);
        crc.update(&(head as u64).to_be_bytes());
        crc.update(part);
        crc.finalize().to_be_bytes()
    };
    let body = sum(&bytes[head + 64..record + new.len()]);
    bytes[head + 8..head + 12].copy_from_slice(&body);
    let start = sum(&bytes[head + 4..head + 63]);
    bytes[head..head + 4].copy_from_slice(&start);
    fs::write(segment, bytes).expect("forged");
}

#[test]
fn a_sound_log_is_found_sound() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let mut small = options(&key);
    small.segment_bytes = 40 << 10;
    let log = Log::open(dir.path(), small).expect("it opens");
    let mut known = vec![(*log.checkpoint()).clone()];
    for n in 0..8 {
        fill(&log, n * 100..(n + 1) * 100, 9);
        known.push((*log.checkpoint()).clone());
    }
    log.erase(5).expect("erased");
    drop(log);
    let report = audit::directory(dir.path(), &policy(&key), &known).expect("it is read");
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.size, report.erased, report.unfinished), (800, 1, 0));
    let stranger = self::key();
    let report = audit::directory(dir.path(), &policy(&stranger), &[]).expect("it is read");
    assert!(report.findings.iter().all(|f| f.code() == "bad-signature") && !report.is_clean());
}

#[test]
fn an_altered_record_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 1_000..1_300, 10);
    drop(log);
    let segment = dir.path().join("segments/00000000000000000000.seg");
    let sound = fs::read(&segment).expect("a segment");
    let audit = || {
        audit::directory(dir.path(), &policy(&key), &[])
            .expect("it is read")
            .findings
    };

    // A clumsy hand: the record alone.
    let mut clumsy = sound.clone();
    let at = find(&clumsy, &record(1_123)).expect("the record");
    clumsy[at] ^= 1;
    fs::write(&segment, &clumsy).expect("altered");
    assert_eq!(audit(), [Finding::Altered { index: 123 }]);
    fs::write(&segment, &sound).expect("mended");
    assert!(audit().is_empty());

    // One who knows the format: the tiles still have the hash of what was signed.
    forge(&segment, &record(1_123), &record(9_123));
    let entries = Finding::Tile {
        path: "tile/entries/000".to_owned(),
    };
    assert_eq!(audit(), [Finding::Altered { index: 123 }, entries]);
    let refused = Log::open(dir.path(), options(&key)).expect_err("the root is another");
    assert!(matches!(refused, Error::Damaged(_)), "{refused}");
    // Where no tile is full yet, the batch is named.
    fs::write(&segment, &sound).expect("mended");
    forge(&segment, &record(1_285), &record(9_285));
    assert_eq!(audit(), [Finding::AlteredWithin { from: 280, to: 290 }]);

    // A lost tile.
    fs::write(&segment, &sound).expect("mended");
    fs::remove_file(dir.path().join("tile/0/000")).expect("a tile");
    assert_eq!(
        audit(),
        [Finding::Tile {
            path: "tile/0/000".to_owned()
        }]
    );

    // The end cut off: the index knows how far the log was.
    let at_1299 = find(&sound, &record(1_299)).expect("the record");
    fs::write(&segment, &sound[..at_1299]).expect("cut");
    let dropped = Finding::Dropped {
        known_size: 300,
        size: 290,
    };
    assert!(audit().contains(&dropped));

    // A damaged head: what follows in this segment cannot be read.
    let mut damaged = sound;
    damaged[at - 32 - 64 + 20] ^= 1;
    fs::write(&segment, &damaged).expect("altered");
    let findings = audit();
    assert!(
        matches!(&findings[..], [Finding::Damaged(d)] if d.index == 123),
        "{findings:?}"
    );
}

#[test]
fn dropped_entries_and_forks_are_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let place = |name: &str| dir.path().join(name);
    let log = open(&place("a"), &key);
    fill(&log, 0..40, 8);
    let forty = (*log.checkpoint()).clone();
    drop(log);
    copy(&place("a"), &place("b"));
    let log = open(&place("a"), &key);
    fill(&log, 40..60, 5);
    let sixty = (*log.checkpoint()).clone();
    let proof = log.consistency(40, 60).expect("a proof");
    assert_eq!(audit::compare(&forty, &sixty, &proof), None);
    assert_eq!(audit::compare(&sixty, &forty, &proof), None);
    drop(log);

    // The copy is what is left when the last twenty are dropped.
    let known = [sixty.clone(), forty.clone()];
    let report = audit::directory(&place("b"), &policy(&key), &known).expect("it is read");
    assert_eq!(
        report.findings,
        [Finding::Dropped {
            known_size: 60,
            size: 40
        }]
    );

    // And a fork when others take their place, under the same key.
    let log = open(&place("b"), &key);
    fill(&log, 140..160, 10);
    let other = (*log.checkpoint()).clone();
    fill(&log, 160..170, 10);
    let seventy = (*log.checkpoint()).clone();
    let proof = log.consistency(60, 70).expect("a proof");
    drop(log);
    let (root_a, root_b) = (sixty.checkpoint().root, other.checkpoint().root);
    let report = audit::directory(&place("b"), &policy(&key), &known).expect("it is read");
    assert_eq!(
        report.findings,
        [Finding::Forked {
            size: 60,
            root_a,
            root_b
        }]
    );
    assert_eq!(
        audit::compare(&sixty, &other, &[]),
        Some(Finding::Forked {
            size: 60,
            root_a,
            root_b
        })
    );
    assert_eq!(
        audit::compare(&sixty, &seventy, &proof),
        Some(Finding::Inconsistent { from: 60, to: 70 })
    );
    // What a stranger signed is no evidence against the log.
    let stranger = self::key();
    let forged = SignedCheckpoint::sign(sixty.checkpoint().clone(), [&*stranger as &dyn ledger::Signer], 0);
    let report = audit::directory(&place("b"), &policy(&key), &[forged.expect("signed")]).expect("it is read");
    assert_eq!(codes(&report.findings), ["bad-signature"]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// What a log publishes, in memory, to be tampered with.
struct Site(Mutex<BTreeMap<String, Bytes>>);

impl Site {
    fn of(log: &Log) -> Self {
        let size = log.size();
        let mut files = BTreeMap::from([("checkpoint".to_owned(), Bytes::from(log.checkpoint().to_string()))]);
        for level in 0..8 {
            for index in 0.. {
                let tile = TileId::at(level, index, size);
                if tile.width == 0 {
                    break;
                }
                let (index, width) = (tile.index, tile.width);
                let mut paths = vec![TilePath::Hashes(tile)];
                paths.extend((level == 0).then_some(TilePath::Entries { index, width }));
                for path in paths {
                    let content = log.tile(path).expect("it is read").expect("it is there");
                    files.insert(path.to_string(), content.into());
                }
            }
        }
        Self(Mutex::new(files))
    }

    fn with(self, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut files = self.0.lock().expect("no panic");
        let mut content = files.get(path).unwrap_or_else(|| panic!("no {path}")).to_vec();
        change(&mut content);
        files.insert(path.to_owned(), content.into());
        drop(files);
        self
    }

    fn without(self, path: &str) -> Self {
        self.0
            .lock()
            .expect("no panic")
            .remove(path)
            .unwrap_or_else(|| panic!("no {path}"));
        self
    }
}

impl Fetch for Site {
    fn fetch<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, FetchError>> {
        let found = self.0.lock().expect("no panic").get(path).cloned();
        Box::pin(async move { Ok(found) })
    }
}

#[test]
fn what_a_log_publishes_is_audited() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let policy = policy(&key);
    let log = open(dir.path(), &key);
    fill(&log, 0..100, 50);
    let early = (*log.checkpoint()).clone();
    fill(&log, 100..1_000, 100);
    let late = (*log.checkpoint()).clone();
    let known = [early.clone(), late.clone()];
    let audit = |site: &Site, known: &[SignedCheckpoint]| {
        block_on(audit::published(site, &policy, known)).expect("all is fetched")
    };
    let report = audit(&Site::of(&log), &known);
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.size, report.checkpoints), (1_000, 3));
    let consistent = |site: &Site| block_on(audit::consistent(site, &late, &early)).expect("all is fetched");
    assert_eq!(consistent(&Site::of(&log)), None);

    let findings = |site: Site| audit(&site, &known).findings;
    let tile = |path: &str| Finding::Tile { path: path.to_owned() };
    // An entry, its hash, an inner hash.
    let site = Site::of(&log).with("tile/entries/001", |b| b[36 * 7 + 20] ^= 1);
    assert_eq!(findings(site), [Finding::Altered { index: 263 }]);
    let site = Site::of(&log).with("tile/0/002", |b| b[0] ^= 1);
    assert!(matches!(consistent(&site), Some(Finding::Inconsistent { .. }) | None));
    assert_eq!(findings(site).pop(), Some(tile("tile/0/002")));
    let site = Site::of(&log).with("tile/1/000.p/3", |b| b[40] ^= 1);
    assert_eq!(findings(site), [tile("tile/1/000.p/3")]);
    // Missing files.
    assert_eq!(
        findings(Site::of(&log).without("tile/entries/003.p/232")).first(),
        Some(&tile("tile/entries/003.p/232"))
    );
    assert_eq!(
        findings(Site::of(&log).without("checkpoint")).first(),
        Some(&tile("checkpoint"))
    );
    assert_eq!(
        consistent(&Site::of(&log).without("tile/0/000")),
        Some(tile("tile/0/000"))
    );
    // An entry and its hash: the root is another.
    let site = Site::of(&log)
        .with("tile/entries/000", |b| b[36 * 9 + 10] ^= 1)
        .with("tile/0/000", |b| {
            let entries = log
                .tile(TilePath::Entries { index: 0, width: 256 })
                .expect("read")
                .expect("there");
            let mut entry = entries[36 * 9 + 2..36 * 10].to_vec();
            entry[8] ^= 1;
            b[32 * 9..32 * 10].copy_from_slice(&Hash::leaf(&entry).0);
        });
    assert!(codes(&findings(site)).contains(&"forked"));

    // Another log with the same key and fewer entries: a fork that is also shorter.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = open(elsewhere.path(), &key);
    fill(&other, 5_000..5_500, 50);
    let report = audit(&Site::of(&other), &known);
    assert_eq!(codes(&report.findings), ["forked", "dropped"]);
    assert!(matches!(
        report.findings[1],
        Finding::Dropped {
            known_size: 1_000,
            size: 500
        }
    ));
    let stranger = self::key();
    let report = block_on(audit::published(
        &Site::of(&log),
        &crate::support::policy(&stranger),
        &[],
    ))
    .expect("fetched");
    assert_eq!(codes(&report.findings), ["bad-signature"]);
}
