//! The records of a request and of its answer.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    digest::ContentDigest,
    lines::{self, RecordFlaw, Written, created_and_sender, in_order},
};
use crate::model::{
    address::Target,
    field::{Field, LONGEST_VALUE},
    headers::{CLIENT, CONTENT_DIGEST, ID, PURPOSE, REQUEST_HASH, REQUEST_ID, SERVICE},
    method::Method,
};

/// The tag of version 1 of a request, and with it all its rules.
const REQUEST_TAG: &str = "motcua-request/1";
/// The same of an answer.
const ANSWER_TAG: &str = "motcua-answer/1";

/// The header with the last line of the record: which components it covers, when and by whom it was made.
const INPUT: &str = "motcua-input";
/// The header of an answer with the leaf of its request.
const REQUEST_LEAF: &str = "motcua-request";

const REQUEST_MUST_HAVE: [&str; 4] = [CLIENT, ID, REQUEST_ID, PURPOSE];
const ANSWER_MUST_HAVE: [&str; 5] = [CLIENT, SERVICE, ID, REQUEST_ID, REQUEST_HASH];

/// How far the time of a message may be from that of who receives it, in seconds. For twice as long a receiver
/// remembers the request ids of each sender.
pub const FRESH_SECONDS: u64 = 300;

/// Whether a message made at `created` may be received at `now`, both in seconds since 1970.
pub const fn is_fresh(created: u64, now: u64) -> bool {
    created.abs_diff(now) <= FRESH_SECONDS
}

/// The name of a member's log, which is that of its key: the origin of C2SP tlog-checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogName(String);

impl LogName {
    /// Takes a name of 1 to 255 of the characters `A-Z a-z 0-9 . _ / : -`.
    ///
    /// # Errors
    /// [`RecordFlaw::Sender`].
    pub fn new(name: &str) -> Result<Self, RecordFlaw> {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b':' | b'-');
        if (1..=255).contains(&name.len()) && name.bytes().all(known) {
            Ok(Self(name.to_owned()))
        } else {
            Err(RecordFlaw::Sender)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LogName {
    type Error = RecordFlaw;

    fn try_from(name: String) -> Result<Self, RecordFlaw> {
        Self::new(&name)
    }
}

impl From<LogName> for String {
    fn from(name: LogName) -> Self {
        name.0
    }
}

/// The hash of the leaf that commits to a request, as the sender's log has it (RFC 6962, 2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestLeaf(pub [u8; 32]);

impl RequestLeaf {
    /// Reads a byte sequence of RFC 9651: `:base64:`.
    fn parse(value: &[u8]) -> Option<Self> {
        let text = value.strip_prefix(b":")?.strip_suffix(b":")?;
        BASE64_STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for RequestLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{}:", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for RequestLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a consumer's node says in the name of its member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    method: Method,
    target: Target,
    digest: ContentDigest,
    fields: Vec<Field>,
    created: u64,
    sender: LogName,
    written: Written,
}

impl RequestRecord {
    /// The record of a request that is about to be sent, at `created` in seconds since 1970. Fields of the hop are left
    /// out.
    ///
    /// # Errors
    /// [`RecordFlaw::Missing`] without client, message id, request id or purpose; [`RecordFlaw::Fields`] when there are
    /// too many.
    pub fn new(
        method: Method,
        target: Target,
        digest: ContentDigest,
        fields: impl IntoIterator<Item = Field>,
        created: u64,
        sender: LogName,
    ) -> Result<Self, RecordFlaw> {
        let fields = in_order(fields)?;
        must_have(&fields, &REQUEST_MUST_HAVE)?;
        let derived = [
            ("@method", method.as_str()),
            ("@request-target", &target.to_string()),
            (CONTENT_DIGEST, &digest.to_string()),
        ];
        let written = Written::new(&derived, &fields, created, sender.as_str(), REQUEST_TAG);
        fits_a_header(written.input())?;
        Ok(Self {
            method,
            target,
            digest,
            fields,
            created,
            sender,
            written,
        })
    }

    /// The record of the same request made at another time, of a body that was not known before.
    ///
    /// # Errors
    /// [`RecordFlaw::Fields`] when it no longer fits a header.
    pub fn completed(self, digest: ContentDigest, created: u64) -> Result<Self, RecordFlaw> {
        Self::new(self.method, self.target, digest, self.fields, created, self.sender)
    }

    /// The record of a request that has come, from its method, request target and fields.
    ///
    /// # Errors
    /// [`RecordFlaw`] when it is none that [`RequestRecord::into_fields`] would send.
    pub fn received(method: &str, target: &[u8], fields: Vec<Field>) -> Result<Self, RecordFlaw> {
        let method = method.parse().map_err(|_| RecordFlaw::Method)?;
        let target = Target::parse(target).map_err(|_| RecordFlaw::Target)?;
        let input = Input::said(&fields)?;
        let (digest, created) = (said_digest(&fields)?, input.created);
        let record = Self::new(method, target, digest, fields, created, input.sender.clone())?;
        input.check(&record.written).map(|()| record)
    }

    /// Reads the bytes of a record, as a log or an auditor has them.
    ///
    /// # Errors
    /// [`RecordFlaw`] unless writing the record gives these very bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordFlaw> {
        let read = lines::read(bytes, &["@method", "@request-target", CONTENT_DIGEST])?;
        let [method, target, digest] = read.derived.as_slice() else {
            return Err(RecordFlaw::Malformed);
        };
        let record = Self::new(
            method.parse().map_err(|_| RecordFlaw::Method)?,
            Target::parse(target.as_bytes()).map_err(|_| RecordFlaw::Target)?,
            ContentDigest::parse(digest.as_bytes()).ok_or(RecordFlaw::Digest)?,
            read.fields,
            read.created,
            LogName::new(read.sender)?,
        )?;
        same(record.written.bytes(), bytes).map(|()| record)
    }

    /// The bytes that the leaf commits to.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.written.bytes().to_vec()
    }

    /// What goes beside the fields of the record: `Content-Digest` and `Motcua-Input`.
    pub fn own_fields(&self) -> [Field; 2] {
        [
            Field::ours(CONTENT_DIGEST, self.digest.to_string()),
            Field::ours(INPUT, self.written.input()),
        ]
    }

    /// The fields to send with the request: those of the record, and [`Self::own_fields`].
    pub fn into_fields(mut self) -> Vec<Field> {
        let own = self.own_fields();
        self.fields.extend(own);
        self.fields
    }

    /// The method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// What is asked, of which service.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// What the body must hash to.
    pub const fn digest(&self) -> ContentDigest {
        self.digest
    }

    /// The fields that go on: lower case, in the order of the record. The request hash is made over them.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// When it was made, in seconds since 1970.
    pub const fn created(&self) -> u64 {
        self.created
    }

    /// Whose log has it.
    pub const fn sender(&self) -> &LogName {
        &self.sender
    }
}

/// What a provider's node answers in the name of its member, and to which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRecord {
    status: u16,
    digest: ContentDigest,
    request: RequestLeaf,
    fields: Vec<Field>,
    created: u64,
    sender: LogName,
    written: Written,
}

impl AnswerRecord {
    /// The record of an answer that is about to be sent, at `created` in seconds since 1970. Fields of the hop are left
    /// out.
    ///
    /// # Errors
    /// [`RecordFlaw::Missing`] without the five fields of X-Road, [`RecordFlaw::Status`] when it is no final answer,
    /// [`RecordFlaw::Fields`] when there are too many fields.
    pub fn new(
        status: u16,
        digest: ContentDigest,
        request: RequestLeaf,
        fields: impl IntoIterator<Item = Field>,
        created: u64,
        sender: LogName,
    ) -> Result<Self, RecordFlaw> {
        if !(200..600).contains(&status) {
            return Err(RecordFlaw::Status);
        }
        let fields = in_order(fields)?;
        must_have(&fields, &ANSWER_MUST_HAVE)?;
        let derived = [
            ("@status", status.to_string()),
            (CONTENT_DIGEST, digest.to_string()),
            (REQUEST_LEAF, request.to_string()),
        ];
        let derived = derived.each_ref().map(|(name, value)| (*name, value.as_str()));
        let written = Written::new(&derived, &fields, created, sender.as_str(), ANSWER_TAG);
        fits_a_header(written.input())?;
        Ok(Self {
            status,
            digest,
            request,
            fields,
            created,
            sender,
            written,
        })
    }

    /// The record of the same answer made at another time, of a body that was not known before.
    ///
    /// # Errors
    /// [`RecordFlaw::Fields`] when it no longer fits a header.
    pub fn completed(self, digest: ContentDigest, created: u64) -> Result<Self, RecordFlaw> {
        Self::new(self.status, digest, self.request, self.fields, created, self.sender)
    }

    /// The record of an answer that has come, from its status and fields.
    ///
    /// # Errors
    /// [`RecordFlaw`] when it is none that [`AnswerRecord::into_fields`] would send.
    pub fn received(status: u16, fields: Vec<Field>) -> Result<Self, RecordFlaw> {
        let input = Input::said(&fields)?;
        let leaf = only(&fields, REQUEST_LEAF).and_then(|f| RequestLeaf::parse(f.value()));
        let (leaf, digest) = (leaf.ok_or(RecordFlaw::Leaf)?, said_digest(&fields)?);
        let record = Self::new(status, digest, leaf, fields, input.created, input.sender.clone())?;
        input.check(&record.written).map(|()| record)
    }

    /// Reads the bytes of a record, as a log or an auditor has them.
    ///
    /// # Errors
    /// [`RecordFlaw`] unless writing the record gives these very bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordFlaw> {
        let read = lines::read(bytes, &["@status", CONTENT_DIGEST, REQUEST_LEAF])?;
        let [status, digest, leaf] = read.derived.as_slice() else {
            return Err(RecordFlaw::Malformed);
        };
        let record = Self::new(
            status.parse().map_err(|_| RecordFlaw::Status)?,
            ContentDigest::parse(digest.as_bytes()).ok_or(RecordFlaw::Digest)?,
            RequestLeaf::parse(leaf.as_bytes()).ok_or(RecordFlaw::Leaf)?,
            read.fields,
            read.created,
            LogName::new(read.sender)?,
        )?;
        same(record.written.bytes(), bytes).map(|()| record)
    }

    /// The bytes that the leaf commits to.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.written.bytes().to_vec()
    }

    /// What goes beside the fields of the record: `Content-Digest`, `Motcua-Request` and `Motcua-Input`.
    pub fn own_fields(&self) -> [Field; 3] {
        [
            Field::ours(CONTENT_DIGEST, self.digest.to_string()),
            Field::ours(REQUEST_LEAF, self.request.to_string()),
            Field::ours(INPUT, self.written.input()),
        ]
    }

    /// The fields to send with the answer: those of the record, and [`Self::own_fields`].
    pub fn into_fields(mut self) -> Vec<Field> {
        let own = self.own_fields();
        self.fields.extend(own);
        self.fields
    }

    /// The fields that go on to the consumer, alone.
    pub fn into_forwarded(self) -> Vec<Field> {
        self.fields
    }

    /// The status code.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// What the body must hash to.
    pub const fn digest(&self) -> ContentDigest {
        self.digest
    }

    /// The request that is answered. The consumer's node compares it with the leaf of what it sent.
    pub const fn request(&self) -> RequestLeaf {
        self.request
    }

    /// The fields that go on to the consumer: lower case, in the order of the record.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// When it was made, in seconds since 1970.
    pub const fn created(&self) -> u64 {
        self.created
    }

    /// Whose log has it.
    pub const fn sender(&self) -> &LogName {
        &self.sender
    }
}

/// The field of this name, if there is one and no other.
fn only<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    let mut found = fields.iter().filter(|field| field.is(name));
    found.next().filter(|_| found.next().is_none())
}

fn must_have(fields: &[Field], names: &[&str]) -> Result<(), RecordFlaw> {
    if names.iter().all(|name| only(fields, name).is_some()) {
        Ok(())
    } else {
        Err(RecordFlaw::Missing)
    }
}

fn fits_a_header(input: &str) -> Result<(), RecordFlaw> {
    if input.len() > LONGEST_VALUE {
        return Err(RecordFlaw::Fields);
    }
    Ok(())
}

fn said_digest(fields: &[Field]) -> Result<ContentDigest, RecordFlaw> {
    only(fields, CONTENT_DIGEST)
        .and_then(|field| ContentDigest::parse(field.value()))
        .ok_or(RecordFlaw::Digest)
}

/// `Motcua-Input` as it came.
struct Input {
    field: Field,
    created: u64,
    sender: LogName,
}

impl Input {
    fn said(fields: &[Field]) -> Result<Self, RecordFlaw> {
        let field = only(fields, INPUT).ok_or(RecordFlaw::Input)?;
        let (created, sender) = field.text().and_then(created_and_sender).ok_or(RecordFlaw::Input)?;
        Ok(Self {
            created,
            sender: LogName::new(sender)?,
            field: field.clone(),
        })
    }

    /// Whether it is that of the record which its message gives.
    fn check(&self, written: &Written) -> Result<(), RecordFlaw> {
        if self.field.value() == written.input().as_bytes() {
            Ok(())
        } else {
            Err(RecordFlaw::Input)
        }
    }
}

fn same(written: &[u8], read: &[u8]) -> Result<(), RecordFlaw> {
    if written == read {
        Ok(())
    } else {
        Err(RecordFlaw::NotCanonical)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::model::request_hash::{RequestHasher, canonical_request};

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
    const REQUEST: &str = include_str!("../../../tests/vectors/request.txt");
    const ANSWER: &str = include_str!("../../../tests/vectors/answer.txt");

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
        let add =
            |name: &'static str, value: &'static str| move |f: &mut Vec<Field>| f.extend(fields(&[(name, value)]));
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
            let RequestRecord {
                method,
                target,
                digest,
                fields,
                sender,
                ..
            } = request();
            RequestRecord::new(method, target, digest, fields.into_iter().chain(extra), 0, sender)
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
}
