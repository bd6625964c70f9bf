//! Whatever comes from outside: no parser panics, and what is read is written back the same.

use ledger::{
    Checkpoint, FileKey, Note, Opening, Proof, SignedCheckpoint, VerifierKey, parse_signatures,
    tiles::{TilePath, decode_entries, decode_hashes},
    witness::AddCheckpoint,
};
use proptest::prelude::*;

use crate::support::{fill, key, open};

/// Every entry point that takes bytes from strangers; each is a pure function and may be fuzzed.
fn all(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(bytes) {
        assert_eq!(checkpoint.to_string().as_bytes(), bytes);
    }
    if let Ok(proof) = Proof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
    let _ = Opening::from_bytes(bytes);
    let _ = decode_entries(bytes, 256);
    let _ = decode_hashes(bytes, 256);
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_string(), text);
        }
        let _ = text.parse::<VerifierKey>();
        let _ = FileKey::parse(text);
        let _ = parse_signatures(text);
        let _ = TilePath::parse(text);
    }
}

/// Texts that are nearly right.
fn samples() -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(dir.path(), &key);
    fill(&log, 0..9, 4);
    let checkpoint = (*log.checkpoint()).clone();
    let request = AddCheckpoint {
        old: 4,
        proof: log.consistency(4, 9).expect("a proof"),
        checkpoint: checkpoint.clone(),
    };
    vec![
        checkpoint.to_string().into_bytes(),
        log.disclose(5).expect("a proof").to_string().into_bytes(),
        request.to_string().into_bytes(),
        ledger::Signer::verifier(&*key).to_string().into_bytes(),
        key.to_secret_text().into_bytes(),
        b"tile/0/x001/x234/067.p/9".to_vec(),
    ]
}

#[test]
fn nearly_right_texts_do_no_harm() {
    let samples = samples();
    let mut runner = proptest::test_runner::TestRunner::default();
    let change = (
        proptest::sample::select(samples),
        any::<proptest::sample::Index>(),
        any::<proptest::sample::Index>(),
        proptest::collection::vec(any::<u8>(), 0..12),
    );
    runner
        .run(&change, |(mut text, start, length, with)| {
            let start = start.index(text.len());
            let end = start + length.index(12).min(text.len() - start);
            text.splice(start..end, with);
            all(&text);
            Ok(())
        })
        .expect("no panic");
}

proptest! {
    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        all(&bytes);
    }

    #[test]
    fn any_lines_do_no_harm(text in "(old [0-9]{1,22}\n|[A-Za-z0-9+/=]{0,48}\n|— [a-z.]{0,9} [A-Za-z0-9+/=]{0,90}\n|index [0-9]{1,3}\n|\n){0,12}") {
        all(text.as_bytes());
        all(format!("c2sp.org/tlog-proof@v1\nextra {text}").as_bytes());
    }
}
