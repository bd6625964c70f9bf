//! Proofs of inclusion.
#![no_main]

use ledger::{Policy, Proof, VerifierKey, verify};
use libfuzzer_sys::fuzz_target;

/// A key whose private half nobody has kept: nothing can be verified by it.
const KEY: &str = "motcua.example/fuzz+3b0c99b5+AQhfYcMX5qzOMywxkriXTtSNdRyETB/6KEzX6WCQZavO";

fuzz_target!(|input: &[u8]| {
    if let Ok(proof) = Proof::parse(input) {
        let written = proof.to_string();
        assert_eq!(Proof::parse(written.as_bytes()).as_ref(), Ok(&proof), "{written}");
        assert_eq!(written.as_bytes(), input, "a proof has one form");
    }
    let key = KEY.parse::<VerifierKey>().expect("a key");
    assert!(verify(input, &Policy::log(key), None).is_err(), "nobody can have signed this");
});
