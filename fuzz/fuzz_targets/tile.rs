//! Paths and contents of tiles.
#![no_main]

use ledger::tiles::{TilePath, decode_entries, decode_hashes, encode_entries, encode_hashes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(path) = std::str::from_utf8(input).ok().and_then(TilePath::parse) {
        assert_eq!(path.to_string().as_bytes(), input, "a path has one form");
        assert_eq!(TilePath::parse(&path.full().to_string()), Some(path.full()));
    }
    let Some((width, content)) = input.split_first_chunk::<2>() else { return };
    let width = u16::from_be_bytes(*width);
    if let Some(hashes) = decode_hashes(content, width) {
        assert_eq!(encode_hashes(&hashes), content);
    }
    if let Some(entries) = decode_entries(content, width) {
        assert_eq!(encode_entries(&entries), content);
    }
});
