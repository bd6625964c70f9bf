//! Signed notes, checkpoints, what is asked of a witness, and verifier keys.
#![no_main]

use ledger::{Note, SignedCheckpoint, VerifierKey, parse_signatures, witness::AddCheckpoint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(note) = Note::parse(input) {
        assert_eq!(note.to_string().as_bytes(), input, "a note has one form");
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(input) {
        assert_eq!(checkpoint.to_string().as_bytes(), input, "a checkpoint has one form");
    }
    if let Ok(request) = AddCheckpoint::parse(input) {
        assert_eq!(request.to_string().as_bytes(), input, "a request has one form");
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    let _ = parse_signatures(text);
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string().parse::<VerifierKey>().ok(), Some(key));
    }
});
