//! Records of messages between nodes, and the fields that bring their evidence.
#![no_main]

use exchange::model::{
    Field,
    message::{AnswerRecord, ContentDigest, Evidence, RequestRecord},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // A record has one form (docs/protocol.md, 4).
    if let Ok(record) = RequestRecord::parse(input) {
        assert_eq!(record.to_bytes(), input);
    }
    if let Ok(record) = AnswerRecord::parse(input) {
        assert_eq!(record.to_bytes(), input);
    }
    let _ = ContentDigest::parse(input);
    let fields: Vec<Field> = input
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Field::new(&line[..colon], line[colon + 1..].trim_ascii()).ok()
        })
        .collect();
    let _ = Evidence::from_fields(&fields);
    let _ = RequestRecord::received("POST", b"/r1/VN/GOV/a/b/c/x?y=1", fields.clone());
    let _ = AnswerRecord::received(200, fields);
});
