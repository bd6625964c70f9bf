//! The record of a request.

use super::{INPUT, Input, LogName, fits_a_header, must_have, said_digest, same};
use crate::model::{
    address::Target,
    field::Field,
    headers::{CLIENT, CONTENT_DIGEST, ID, PURPOSE, REQUEST_ID},
    message::{
        digest::ContentDigest,
        lines::{self, RecordFlaw, Written, in_order},
    },
    method::Method,
};

/// The tag of version 1 of a request, and with it all its rules.
const TAG: &str = "motcua-request/1";

const MUST_HAVE: [&str; 4] = [CLIENT, ID, REQUEST_ID, PURPOSE];

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
        must_have(&fields, &MUST_HAVE)?;
        let derived = [
            ("@method", method.as_str()),
            ("@request-target", &target.to_string()),
            (CONTENT_DIGEST, &digest.to_string()),
        ];
        let written = Written::new(&derived, &fields, created, sender.as_str(), TAG);
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
