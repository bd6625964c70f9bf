//! Vectors, and what is no record.

use sha2::{Digest, Sha256};

use super::{answer::REQUEST_LEAF, *};
use crate::model::{
    address::Target,
    headers::{CLIENT, PURPOSE},
    method::Method,
    request_hash::{RequestHasher, canonical_request},
};

fn fields(raw: &[(&str, &str)]) -> Vec<Field> {
    raw.iter()
        .map(|(name, value)| Field::new(name.as_bytes(), value.as_bytes()).expect("a field"))
        .collect()
}

/// The request of `docs/protocol.md`, section 9.
fn request() -> RequestRecord {
    RequestRecord::new(
        Method::Post,
        Target::parse(b"/r1/VN/GOV/000.00.00.G22/dvcqg/hoso/v1/items?x=1").expect("a target"),
        ContentDigest::of(b"{\"value\":42}"),
        fields(&[
            ("X-Road-Client", "VN/GOV/000.00.00.H26/motcua"),
            ("Content-Type", "application/json"),
            ("X-Road-Issue", "hồ sơ 7"),
            ("Accept-Language", "vi"),
            ("accept-language", "en;q=0.5"),
            ("X-Empty", ""),
            ("Host", "node.example"),
            ("x-road-request-id", "11111111-1111-4111-8111-111111111111"),
            ("x-road-id", "VN-22222222-2222-4222-8222-222222222222"),
            ("X-Motcua-Purpose", "dossier.verify"),
        ]),
        1_795_000_000,
        LogName::new("h26.gov.vn/exchange").expect("a name"),
    )
    .expect("a record")
}

// Made by a program in another language, from `docs/protocol.md`.
const REQUEST: &str = include_str!("../../../../tests/vectors/request.txt");
const ANSWER: &str = include_str!("../../../../tests/vectors/answer.txt");

/// The commitment of the ledger with the salt 00 01 … 1f, and its leaf (`docs/protocol.md`, section 4).
fn leaf(record: &[u8]) -> (String, RequestLeaf) {
    use hmac::{Hmac, Mac};
    let salt: Vec<u8> = (0..32).collect();
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&salt).expect("any length");
    mac.update(record);
    let commitment = [&[1, 1][..], &mac.finalize().into_bytes()].concat();
    let hash = Sha256::new().chain_update([0]).chain_update(&commitment).finalize();
    (hex::encode(&commitment), RequestLeaf(hash.into()))
}

fn answer() -> AnswerRecord {
    AnswerRecord::new(
        200,
        ContentDigest::of(b"{\"ok\":true}"),
        leaf(REQUEST.as_bytes()).1,
        fields(&[
            ("Content-Type", "application/json"),
            ("x-road-id", "VN-22222222-2222-4222-8222-222222222222"),
            ("x-road-client", "VN/GOV/000.00.00.H26/motcua"),
            ("x-road-service", "VN/GOV/000.00.00.G22/dvcqg/hoso"),
            ("x-road-request-id", "11111111-1111-4111-8111-111111111111"),
            ("x-road-request-hash", &request_hash()),
        ]),
        1_795_000_001,
        LogName::new("g22.gov.vn/exchange").expect("a name"),
    )
    .expect("a record")
}

/// Over the fields of the record, in its order.
fn request_hash() -> String {
    let request = request();
    let canonical = canonical_request(request.method(), request.target(), request.fields());
    let mut hasher = RequestHasher::new(&canonical);
    hasher.update(b"{\"value\":42}");
    hasher.finish()
}

#[test]
fn the_vectors_of_the_protocol_hold() {
    assert_eq!(String::from_utf8(request().to_bytes()).expect("ASCII"), REQUEST);
    assert_eq!(RequestRecord::parse(REQUEST.as_bytes()), Ok(request()));
    assert_eq!(
        leaf(REQUEST.as_bytes()).0,
        "0101688aeb6f12b50c0705e0759d60fa46ff8ef0423b7e8a0645d811e28aefe4b5ef"
    );
    assert_eq!(String::from_utf8(answer().to_bytes()).expect("ASCII"), ANSWER);
    assert_eq!(AnswerRecord::parse(ANSWER.as_bytes()), Ok(answer()));
    assert_eq!(
        hex::encode(leaf(ANSWER.as_bytes()).1.0),
        "a2c0d88042da61567663d4ed8e9c0c6817ddaca8d1ce03e67a9309ca8e165554"
    );
    assert_eq!(answer().request(), leaf(REQUEST.as_bytes()).1);
}

#[test]
fn what_is_sent_is_what_is_received() {
    let (request, answer) = (request(), answer());
    let received = RequestRecord::received(
        "POST",
        request.target().to_string().as_bytes(),
        request.clone().into_fields(),
    );
    assert_eq!(received, Ok(request));
    assert_eq!(AnswerRecord::received(200, answer.clone().into_fields()), Ok(answer));
}

#[test]
fn the_order_of_the_wire_does_not_matter_and_its_own_fields_do_not_count() {
    let request = request();
    let mut fields = request.clone().into_fields();
    fields.reverse();
    fields.swap(0, 3);
    fields.extend(self::fields(&[
        ("connection", "close"),
        ("motcua-proof", "x"),
        ("user-agent", "y"),
    ]));
    let received = RequestRecord::received("POST", request.target().to_string().as_bytes(), fields);
    let received = received.expect("the same but for two fields of one name, which changed places");
    assert_ne!(received, request);
    assert_eq!(received.fields().len(), request.fields().len());
}

#[test]
fn a_message_that_was_touched_gives_no_record() {
    let request = request();
    let target = request.target().to_string();
    let touched = |change: &dyn Fn(&mut Vec<Field>)| {
        let mut fields = request.clone().into_fields();
        change(&mut fields);
        RequestRecord::received("POST", target.as_bytes(), fields)
    };
    let add = |name: &'static str, value: &'static str| move |f: &mut Vec<Field>| f.extend(fields(&[(name, value)]));
    let drop = |name: &'static str| move |f: &mut Vec<Field>| f.retain(|field| !field.is(name));
    assert_eq!(touched(&add("x-more", "1")), Err(RecordFlaw::Input));
    assert_eq!(touched(&drop("content-type")), Err(RecordFlaw::Input));
    assert_eq!(touched(&drop(PURPOSE)), Err(RecordFlaw::Missing));
    assert_eq!(touched(&add(CLIENT, "VN/GOV/A/b")), Err(RecordFlaw::Missing));
    assert_eq!(touched(&drop(CONTENT_DIGEST)), Err(RecordFlaw::Digest));
    assert_eq!(
        touched(&add(
            CONTENT_DIGEST,
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
        )),
        Err(RecordFlaw::Digest)
    );
    assert_eq!(touched(&drop(INPUT)), Err(RecordFlaw::Input));
    assert_eq!(
        RequestRecord::received("post", target.as_bytes(), request.clone().into_fields()),
        Err(RecordFlaw::Method)
    );
    assert_eq!(
        RequestRecord::received("POST", b"/r1/VN/GOV/A/b/c/..", request.clone().into_fields()),
        Err(RecordFlaw::Target)
    );

    let answer = answer();
    assert_eq!(
        AnswerRecord::received(100, answer.clone().into_fields()),
        Err(RecordFlaw::Status)
    );
    let fields: Vec<Field> = answer
        .clone()
        .into_fields()
        .into_iter()
        .filter(|f| !f.is(REQUEST_LEAF))
        .collect();
    assert_eq!(AnswerRecord::received(200, fields), Err(RecordFlaw::Leaf));
    let changed = AnswerRecord::received(201, answer.clone().into_fields()).expect("a record of another answer");
    assert_ne!(changed.to_bytes(), answer.to_bytes(), "the leaf is another");
}

#[test]
fn bytes_in_another_form_are_no_record() {
    for (change, into, flaw) in [
        ("\"@method\": POST", "\"@method\": post", RecordFlaw::Method),
        ("\"@method\": POST", "\"@method\":  POST", RecordFlaw::Method),
        ("\"@method\": POST\n", "", RecordFlaw::Malformed),
        ("hoso/v1", "hoso/../v1", RecordFlaw::Target),
        ("sha-256", "sha-512", RecordFlaw::Digest),
        ("\"x-empty\": \n", "\"x-empty\":\n", RecordFlaw::Malformed),
        ("\"x-empty\": \n", "\"x-empty\";bs: ::\n", RecordFlaw::NotCanonical),
        ("\"x-empty\": \n", "\"X-Empty\": \n", RecordFlaw::NotCanonical),
        ("\"x-empty\": \n", "\"host\": a\n", RecordFlaw::NotCanonical),
        ("\"x-empty\": \n", "\n", RecordFlaw::Malformed),
        (":dmk=:, :ZW", ":dmk=:,  :ZW", RecordFlaw::Malformed),
        (":dmk=:", ":dmk:", RecordFlaw::Malformed),
        ("json\n", "json \n", RecordFlaw::NotCanonical),
        ("json\n", "json\r\n", RecordFlaw::NotCanonical),
        ("created=1795", "created=01795", RecordFlaw::Malformed),
        ("created=1795", "created=+1795", RecordFlaw::Malformed),
        ("h26.gov.vn", "h26 gov vn", RecordFlaw::Sender),
        ("request/1\"", "request/2\"", RecordFlaw::NotCanonical),
        ("request/1\"", "request/1\";alg=\"x\"", RecordFlaw::NotCanonical),
        ("request/1\"", "request/1\"\n", RecordFlaw::Malformed),
        ("(\"@method\" ", "(", RecordFlaw::NotCanonical),
    ] {
        let changed = REQUEST.replacen(change, into, 1);
        assert_ne!(changed, REQUEST, "{change}");
        assert_eq!(RequestRecord::parse(changed.as_bytes()), Err(flaw), "{into}");
    }
    assert_eq!(RequestRecord::parse(ANSWER.as_bytes()), Err(RecordFlaw::Malformed));
    assert_eq!(RequestRecord::parse(&vec![b'a'; 140_000]), Err(RecordFlaw::TooLarge));
    assert_eq!(RequestRecord::parse(b"\xff"), Err(RecordFlaw::Malformed));
    assert_eq!(RequestRecord::parse(b""), Err(RecordFlaw::Malformed));
}

#[test]
fn a_record_is_bounded_and_the_largest_can_be_read() {
    let record = |extra: Vec<Field>| {
        let record = request();
        let fields = record.fields().iter().cloned().chain(extra);
        let (target, sender) = (record.target().clone(), record.sender().clone());
        RequestRecord::new(record.method(), target, record.digest(), fields, 0, sender)
    };
    let field = |n: usize, value: &[u8]| Field::new(format!("x-{n}").as_bytes(), value).expect("a field");
    let large = record((0..4).map(|n| field(n, &[0xff; 8_000])).collect()).expect("bounded");
    assert_eq!(RequestRecord::parse(&large.to_bytes()), Ok(large));
    assert_eq!(
        record((0..5).map(|n| field(n, &[b'a'; 8_192])).collect()),
        Err(RecordFlaw::Fields)
    );
    assert_eq!(
        record((0..110).map(|n| field(n, b"")).collect()),
        Err(RecordFlaw::Fields)
    );
    let long_name = |n: usize| Field::new(format!("x-{n}-{}", "a".repeat(2_000)).as_bytes(), b"").expect("a field");
    assert_eq!(
        record((0..5).map(long_name).collect()),
        Err(RecordFlaw::Fields),
        "Motcua-Input is a header too"
    );
}

#[test]
fn a_message_is_fresh_for_five_minutes_either_way() {
    assert!(is_fresh(1_000, 1_300) && is_fresh(1_300, 1_000));
    assert!(!is_fresh(1_000, 1_301) && !is_fresh(1_301, 1_000));
    assert!(!is_fresh(u64::MAX, 0));
}
