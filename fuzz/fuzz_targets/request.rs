//! The request at the edge: the request target in every dialect, and the headers.
//!
//! The input is a request target, a line feed, then `name: value` lines.
#![no_main]

use exchange::model::{
    address::{self, Dialect, ForwardRules, Target},
    headers::{Edge, RequestHead},
    identifier::Part,
};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    if let Ok((_, read)) = address::read(target, &ForwardRules::default()) {
        // What was read is written in one way, and that way is read as the same.
        let written = read.to_string();
        assert_eq!(Target::parse(written.as_bytes()).ok().as_ref(), Some(&read), "{written}");
    }
    let fields: Vec<(&[u8], &[u8])> = lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
        .collect();
    let Ok(instance) = Part::new("VN") else { return };
    for dialect in [Dialect::XRoad, Dialect::GovStack] {
        let edge = Edge {
            dialect,
            instance: &instance,
            request_id: Uuid::nil(),
            message_id: Uuid::nil(),
            client: None,
            purpose: None,
        };
        if let Ok(head) = RequestHead::read(fields.iter().copied(), &edge) {
            // What goes on is read again as the same caller and the same purpose.
            let again = head.fields.iter().map(|field| (field.name().as_bytes(), field.value()));
            let again = RequestHead::read(again, &edge).expect("what goes on can be read");
            assert_eq!((again.client, again.purpose, again.id), (head.client, head.purpose, head.id));
        }
    }
});
