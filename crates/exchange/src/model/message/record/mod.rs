//! The records of a request and of its answer.

mod answer;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

pub use self::{answer::AnswerRecord, request::RequestRecord};
use super::{
    digest::ContentDigest,
    lines::{RecordFlaw, Written, created_and_sender},
};
use crate::model::{
    field::{Field, LONGEST_VALUE},
    headers::CONTENT_DIGEST,
};

/// The header with the last line of the record: which components it covers, when and by whom it was made.
const INPUT: &str = "motcua-input";

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
