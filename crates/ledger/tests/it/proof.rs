//! Proofs as texts: what they prove, and that nothing else passes.

use std::{fs, process::Command, sync::Arc};

use ledger::{
    Algorithm, FileKey, Kind, Log, Opening, Policy, PolicyError, Proof, Refusal, SignedCheckpoint, Signer,
    tiles::{TileId, TilePath},
    verify,
};

use crate::support::{NOW, fill, key, key_named, open, policy, record};

/// A log of seven entries with two witnesses.
struct World {
    _dir: tempfile::TempDir,
    key: Arc<FileKey>,
    witnesses: Vec<Arc<FileKey>>,
    log: Log,
}

fn world() -> World {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..7, 3);
    let witnesses = vec![
        key_named("nhan-chung.example/mot", Algorithm::CosignatureV1),
        key_named("nhan-chung.example/hai", Algorithm::CosignatureV1),
    ];
    let mut cosigned = (*log.checkpoint()).clone();
    for witness in &witnesses {
        cosigned.cosign(&**witness, 1_795_539_600).expect("it signs");
    }
    log.set_cosigned(cosigned).expect("it is ours");
    World {
        _dir: dir,
        key,
        witnesses,
        log,
    }
}

impl World {
    fn policy(&self, quorum: usize) -> Policy {
        let witnesses = self.witnesses.iter().map(|w| w.verifier()).collect();
        Policy::new(vec![self.key.verifier()], witnesses, quorum).expect("a policy")
    }
}

#[test]
fn a_proof_says_what_is_where() {
    let world = world();
    for index in 0..7 {
        let proof = world.log.disclose(index).expect("a proof");
        let text = proof.to_string();
        assert_eq!(Proof::parse(text.as_bytes()).expect("a proof"), proof);
        let verdict = verify(text.as_bytes(), &world.policy(2), None).expect("it verifies");
        assert_eq!((verdict.index, verdict.size), (index, 7));
        assert_eq!(verdict.kind(), Kind::ACTION);
        assert_eq!(verdict.record(), Some(&record(index)[..]));
        let names: Vec<_> = verdict.cosigners.iter().map(|c| (c.name.as_str(), c.time)).collect();
        let time = Some(NOW.micros().unsigned_abs() / 1_000_000);
        assert_eq!(
            names,
            [("nhan-chung.example/mot", time), ("nhan-chung.example/hai", time)]
        );

        // Without the opening it shows nothing, but what is claimed can be checked.
        let opening = proof.opening.clone().expect("it is open");
        let closed = proof.closed().to_string();
        assert!(!closed.contains(&hex::encode(opening.salt.0)));
        assert_eq!(
            verify(closed.as_bytes(), &world.policy(2), None)
                .expect("it verifies")
                .record(),
            None
        );
        let verdict = verify(closed.as_bytes(), &world.policy(2), Some(&opening)).expect("it verifies");
        assert_eq!(verdict.record(), Some(&record(index)[..]));
        let claimed = Opening {
            record: record(index + 1),
            ..opening
        };
        let refusal = verify(closed.as_bytes(), &world.policy(2), Some(&claimed));
        assert_eq!(refusal, Err(Refusal::OtherRecord { index }));
    }
}

#[test]
fn who_is_not_trusted_proves_nothing() {
    let world = world();
    let text = world.log.prove(3).expect("a proof").to_string();
    let stranger = key();
    let refusal = verify(text.as_bytes(), &policy(&stranger), None);
    assert!(matches!(refusal, Err(Refusal::UnknownLog { .. })));
    // The right key under another name is another log.
    let renamed = ledger::VerifierKey::new("so-cai.khac.example", Algorithm::Ed25519, world.key.verifier().public());
    let refusal = verify(text.as_bytes(), &Policy::log(renamed.expect("a key")), None);
    assert!(matches!(refusal, Err(Refusal::UnknownLog { .. })));
    let third = key_named("nhan-chung.example/ba", Algorithm::CosignatureV1).verifier();
    let mut witnesses: Vec<_> = world.witnesses.iter().map(|w| w.verifier()).collect();
    witnesses.push(third.clone());
    let three = Policy::new(vec![world.key.verifier()], witnesses, 3).expect("a policy");
    let refusal = verify(text.as_bytes(), &three, None);
    assert_eq!(refusal, Err(Refusal::TooFewWitnesses { have: 2, need: 3 }));
    for refusal in [
        refusal.expect_err("refused"),
        Refusal::NotIncluded { index: 1, size: 2 },
    ] {
        assert!(!refusal.code().is_empty());
        assert_ne!(refusal.text().vi, refusal.text().en);
    }
    let twice = Policy::new(Vec::new(), vec![third.clone(), third.clone()], 1);
    assert!(matches!(twice, Err(PolicyError::Twice(_))));
    assert!(matches!(
        Policy::new(Vec::new(), vec![third], 2),
        Err(PolicyError::Unreachable { .. })
    ));
}

#[test]
fn every_single_flipped_bit_is_refused() {
    let world = world();
    let policy = world.policy(2);
    let text = world.log.disclose(4).expect("a proof").to_string().into_bytes();
    verify(&text, &policy, None).expect("unflipped it verifies");
    for bit in 0..text.len() * 8 {
        let mut flipped = text.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(verdict) = verify(&flipped, &policy, None) {
            panic!("bit {bit}, {:?}: {verdict:?}", char::from(flipped[bit / 8]));
        }
    }
    // And of the note alone.
    let note = world.log.cosigned().expect("it is cosigned").to_string().into_bytes();
    for bit in 0..note.len() * 8 {
        let mut flipped = note.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let judged = SignedCheckpoint::parse(&flipped).ok().map(|c| policy.judge(&c));
        assert!(!matches!(judged, Some(Ok(_))), "bit {bit}");
    }
}

#[test]
fn a_false_signature_of_a_trusted_key_spoils_the_whole() {
    let world = world();
    let text = world.log.prove(4).expect("a proof").to_string();
    // The signature of the second witness in the name of the first.
    let checkpoint = world.log.cosigned().expect("it is cosigned");
    let lines: Vec<_> = checkpoint.note().signatures().iter().map(ToString::to_string).collect();
    let mut false_one = checkpoint.note().signatures()[2].clone();
    false_one.name = world.witnesses[0].name().to_owned();
    false_one.id = world.witnesses[0].verifier().id();
    let text = text.replace(&lines[1], &false_one.to_string());
    let refusal = verify(text.as_bytes(), &world.policy(1), None);
    assert!(matches!(refusal, Err(Refusal::BadSignature { .. })), "{refusal:?}");
}

/// `tlog_tiles` reads the tiles of a log, authenticates them against its checkpoint, and proves from them.
struct Theirs<'a>(&'a Log);

impl tlog_tiles::TileReader for Theirs<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &tlog_tiles::Tile| {
            let path = TilePath::Hashes(TileId {
                level: tile.level(),
                index: tile.level_index(),
                width: tile.width() as u16,
            });
            self.0.tile(path).expect("it is read").expect("it is there")
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn tlog_tiles_reads_our_tiles_and_checkpoint() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..70_000, 5_000);
    let signed = log.checkpoint();
    let theirs = tlog_tiles::Checkpoint::from_bytes(signed.note().text().as_bytes()).expect("a checkpoint");
    assert_eq!(theirs.size(), 70_000);
    let reader = Theirs(&log);
    let tree = tlog_tiles::TileHashReader::new(theirs.size(), *theirs.hash(), &reader);
    for index in [0, 255, 256, 1_000, 65_535, 65_536, 69_887, 69_888, 69_999] {
        let proof = tlog_tiles::prove_record(theirs.size(), index, &tree).expect("a proof");
        let ours: Vec<_> = log
            .inclusion(index, theirs.size())
            .expect("a proof")
            .iter()
            .map(|h| h.0)
            .collect();
        assert_eq!(proof.iter().map(|h| h.0).collect::<Vec<_>>(), ours);
        let leaf = tlog_tiles::record_hash(log.entry(index).expect("it is there").commitment.as_bytes());
        tlog_tiles::check_record(&proof, theirs.size(), *theirs.hash(), index, leaf).expect("it verifies");
    }
}

/// The script in the README, where Python and openssl are installed.
#[test]
fn the_readme_verifies_with_python_and_openssl() {
    let there = |program: &str, argument: &str| {
        Command::new(program)
            .arg(argument)
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !there("python3", "--version") || !there("openssl", "version") {
        return;
    }
    let readme = include_str!("../../README.md");
    let (_, script) = readme.split_once("```python\n").expect("a script");
    let (script, _) = script.split_once("```").expect("its end");
    let world = world();
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("proof");
    let run = |proof: &str| {
        fs::write(&path, proof).expect("written");
        let verifier = world.key.verifier().to_string();
        Command::new("python3")
            .args(["-c", script])
            .arg(&path)
            .arg(verifier)
            .output()
            .expect("it runs")
    };
    for index in 0..7 {
        let proof = world.log.disclose(index).expect("a proof");
        let output = run(&proof.to_string());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut false_one = proof;
        false_one.path[0].0[5] ^= 1;
        assert!(!run(&false_one.to_string()).status.success());
    }
}
