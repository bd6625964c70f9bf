//! What one node sends another (`docs/protocol.md`).
//!
//! A message is an HTTP message and its record: the signature base of RFC 9421 over method, request target, digest of
//! the body (RFC 9530) and every field that is forwarded. The record is a leaf of the sender's log; what the member
//! signs is the log's checkpoint. So one signature covers a batch, and the record proves by itself what was said. The
//! answer's record has the leaf of the request in it.
//!
//! A record has one form: what is read is accepted only when writing it gives the same bytes.

mod digest;
mod evidence;
mod lines;
mod record;

pub use digest::{ContentDigest, Digester};
pub use evidence::{Evidence, EvidenceFlaw};
pub use lines::{LARGEST_RECORD, RecordFlaw};
pub use record::{AnswerRecord, FRESH_SECONDS, LogName, RequestLeaf, RequestRecord, is_fresh};
