//! The record of an answer.

use super::{INPUT, Input, LogName, RequestLeaf, fits_a_header, must_have, only, said_digest, same};
use crate::model::{
    field::Field,
    headers::{CLIENT, CONTENT_DIGEST, ID, REQUEST_HASH, REQUEST_ID, SERVICE},
    message::{
        digest::ContentDigest,
        lines::{self, RecordFlaw, Written, in_order},
    },
};

/// The tag of version 1 of an answer, and with it all its rules.
const TAG: &str = "motcua-answer/1";

/// The header of an answer with the leaf of its request.
pub(super) const REQUEST_LEAF: &str = "motcua-request";

const MUST_HAVE: [&str; 5] = [CLIENT, SERVICE, ID, REQUEST_ID, REQUEST_HASH];

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
        must_have(&fields, &MUST_HAVE)?;
        let derived = [
            ("@status", status.to_string()),
            (CONTENT_DIGEST, digest.to_string()),
            (REQUEST_LEAF, request.to_string()),
        ];
        let derived = derived.each_ref().map(|(name, value)| (*name, value.as_str()));
        let written = Written::new(&derived, &fields, created, sender.as_str(), TAG);
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
