//! Spans as OTLP has them, in JSON (opentelemetry-proto 1.x, `ExportTraceServiceRequest`; the JSON mapping of OTLP 1.x: ids
//! in hexadecimal, whole numbers of 64 bits as text).

use ::traces::{Finished, Kind, Value as Said};
use serde_json::{Value, json};

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// A request for a batch. `name` is the node.
pub fn request(name: &str, spans: &[Finished]) -> Value {
    let resource = [
        attribute("service.name", json!({ "stringValue": "motcua" })),
        attribute("service.version", json!({ "stringValue": env!("CARGO_PKG_VERSION") })),
        attribute("service.instance.id", json!({ "stringValue": name })),
    ];
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{
            "scope": { "name": "motcua", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }]})
}

fn span(span: &Finished) -> Value {
    let mut written = json!({
        "traceId": span.context.trace_id(),
        "spanId": span.context.span_id(),
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": span.began.to_string(),
        "endTimeUnixNano": span.ended.to_string(),
        "attributes": span.attributes.iter().map(|(key, value)| attribute(key.as_str(), any(value))).collect::<Vec<_>>(),
    });
    if let Some(parent) = span.parent {
        written["parentSpanId"] = hex::encode(parent).into();
    }
    if span.failed {
        written["status"] = json!({ "code": ERROR });
    }
    written
}

/// `SpanKind`.
const fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
        Kind::Consumer => 5,
    }
}

fn attribute(key: &str, value: Value) -> Value {
    json!({ "key": key, "value": value })
}

fn any(value: &Said) -> Value {
    match value {
        Said::Text(text) => json!({ "stringValue": text }),
        Said::Number(number) => json!({ "intValue": number.to_string() }),
    }
}

/// How many spans of a batch the collector says that it did not take; what it says otherwise is no matter.
pub fn rejected(answer: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let rejected = &answer["partialSuccess"]["rejectedSpans"];
    rejected
        .as_u64()
        .or_else(|| rejected.as_str()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_may_reject_some() {
        for (answer, many) in [
            (&b"{}"[..], 0),
            (b"", 0),
            (b"<html>", 0),
            (br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#, 3),
            (br#"{"partialSuccess":{"rejectedSpans":4}}"#, 4),
            (br#"{"partialSuccess":{"rejectedSpans":-4}}"#, 0),
            (br#"{"partialSuccess":[7]}"#, 0),
        ] {
            assert_eq!(rejected(answer), many, "{answer:?}");
        }
    }
}
