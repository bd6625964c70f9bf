//! A container that proves a message to whoever was not there: the records, what opens their leaves, and proofs that they
//! are in the log, in one file after the manner of ASiC-E (ETSI EN 319 162-1).
//!
//! ```text
//! mimetype                      first, and stored
//! README.txt                    how to verify
//! checkpoint                    the signed tree head that all proofs lead to (C2SP signed-note)
//! request/record.txt            what was said (docs/protocol.md, section 4); also answer/, and read.json in read/
//! request/salt.txt              the 32 bytes that key its commitment, base64
//! request/proof.txt             its proof, closed (C2SP tlog-proof)
//! request/stamped.txt           its proof under the checkpoint that was stamped; this and timestamp/ only where there is a stamp
//! timestamp/checkpoint          a signed tree head that a timestamping authority stamped
//! timestamp/token.tst           the token over its bytes (RFC 3161, DER)
//! keys.txt                      the verifier keys that the directory gives for the log, one a line
//! directory.json                what the directory says of the member
//! META-INF/ASiCManifest.xml     the digests of all these
//! ```
//! In place of a CAdES or XAdES signature stands the checkpoint: the signature of the log covers every leaf below it. So a
//! validator for ASiC-E reads the container, and [`verify_container`] judges it.

mod manifest;
mod stamp;
mod verify;

use base::Timestamp;
use base64::{Engine, prelude::BASE64_STANDARD};
use ledger::{Opening, Proof, SignedCheckpoint, Stamp, VerifierKey};
use serde::Serialize;

use self::manifest::manifest;
pub use self::{
    stamp::{StampFlaw, Stamped, judge_stamp},
    verify::{Fault, LeafReport, Report, verify_container},
};
use crate::{
    model::federation::{Member, View},
    zip::{self, Entry},
};

/// The media type.
pub const MEDIA_TYPE: &str = "application/vnd.etsi.asic-e+zip";

const MIMETYPE: &str = "mimetype";
const README: &str = "README.txt";
const CHECKPOINT: &str = "checkpoint";
const KEYS: &str = "keys.txt";
const DIRECTORY: &str = "directory.json";
const MANIFEST: &str = "META-INF/ASiCManifest.xml";
const SALT: &str = "salt.txt";
const PROOF: &str = "proof.txt";
const STAMPED: &str = "stamped.txt";
const STAMPED_CHECKPOINT: &str = "timestamp/checkpoint";
const TOKEN: &str = "timestamp/token.tst";

const HOW: &str = include_str!("README.txt");

/// What a leaf of a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// What was asked.
    Request,
    /// What was answered.
    Answer,
    /// That personal data were read.
    Read,
}

impl Role {
    const ALL: [Self; 3] = [Self::Request, Self::Answer, Self::Read];

    /// The name of its folder, and for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Read => "read",
        }
    }

    const fn record(self) -> &'static str {
        match self {
            Self::Request => "request/record.txt",
            Self::Answer => "answer/record.txt",
            Self::Read => "read/read.json",
        }
    }

    fn file(self, name: &str) -> String {
        format!("{}/{name}", self.code())
    }
}

/// Adds the manifest and closes the container.
pub(super) fn seal(mut files: Vec<Entry>) -> Vec<u8> {
    files.push((MANIFEST.to_owned(), manifest(&files).into_bytes()));
    zip::write(&files)
}

/// The files of a container or an archive, if it is one.
#[cfg(test)]
pub(super) fn open(bytes: &[u8]) -> Option<Vec<Entry>> {
    zip::read(bytes)
}

/// An archive of files in one, as `/asic` gives containers.
pub(super) fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    zip::write(files)
}

/// A leaf with what opens it.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub role: Role,
    pub opening: Opening,
    pub proof: Proof,
    /// The same in the tree that was stamped, if the container has a stamp.
    pub stamped: Option<Proof>,
}

/// The keys that a container says are those of its log, to be compared with those that one trusts; none if it is no
/// container.
pub fn claimed_keys(bytes: &[u8]) -> Option<Vec<VerifierKey>> {
    let files = zip::read(bytes)?;
    let (_, keys) = files.into_iter().find(|(name, _)| name == KEYS)?;
    let keys = String::from_utf8(keys).ok()?;
    Some(keys.lines().filter_map(|key| key.parse().ok()).collect())
}

/// The entry of a member in an edition of the directory.
#[derive(Serialize)]
struct Entered<'a> {
    instance: &'a str,
    version: u64,
    issued: Timestamp,
    member: &'a Member,
}

/// Makes a container of leaves that are all proved under `checkpoint`, and under that of the stamp, if there is one. `former` are the
/// keys of a log that ended and that the directory may not know any more.
pub(super) fn container(
    leaves: &[Opened],
    checkpoint: &SignedCheckpoint,
    stamp: Option<&Stamp>,
    directory: &View,
    former: &[VerifierKey],
) -> base::Result<Vec<u8>> {
    let origin = &checkpoint.checkpoint().origin;
    let known = crate::model::message::LogName::new(origin).ok();
    let known = known.and_then(|name| directory.log(&name));
    let mut files: Vec<Entry> = vec![
        (MIMETYPE.to_owned(), MEDIA_TYPE.as_bytes().to_vec()),
        (README.to_owned(), HOW.as_bytes().to_vec()),
        (CHECKPOINT.to_owned(), checkpoint.to_string().into_bytes()),
    ];
    for leaf in leaves {
        let salt = format!("{}\n", BASE64_STANDARD.encode(leaf.opening.salt.0));
        files.push((leaf.role.record().to_owned(), leaf.opening.record.clone()));
        files.push((leaf.role.file(SALT), salt.into_bytes()));
        files.push((leaf.role.file(PROOF), leaf.proof.to_string().into_bytes()));
        let stamped = leaf.stamped.iter();
        files.extend(stamped.map(|proof| (leaf.role.file(STAMPED), proof.to_string().into_bytes())));
    }
    if let Some(stamp) = stamp {
        files.push((STAMPED_CHECKPOINT.to_owned(), stamp.checkpoint.to_string().into_bytes()));
        files.push((TOKEN.to_owned(), stamp.token.clone()));
    }
    let keys = known.map_or(former, |log| &log.keys);
    let keys: String = keys.iter().map(|key| format!("{key}\n")).collect();
    files.push((KEYS.to_owned(), keys.into_bytes()));
    if let Some(member) = known.and_then(|log| directory.member(&log.server.owner)) {
        let edition = directory.directory();
        let entered = Entered {
            instance: edition.instance.as_str(),
            version: edition.version,
            issued: edition.issued,
            member,
        };
        files.push((DIRECTORY.to_owned(), serde_json::to_vec_pretty(&entered)?));
    }
    Ok(seal(files))
}
