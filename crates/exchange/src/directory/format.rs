//! The documents of the directory, and the files they stand in.
//!
//! ```text
//! root/N            who may sign what; N+1 is signed by the keys of N and of itself
//! timestamp         which edition is the newest: signed anew all the time, and valid briefly
//! edition/N.HASH    which directory that is, by hash and length
//! blob/HASH         the directory in JSON, and the OpenAPI documents that it names
//! ```
//!
//! The rules are those of TUF (specification 1.0.33, section 5); `edition` is its targets and snapshot in one, for there
//! is one target. All but `timestamp` never change.

use std::{collections::BTreeSet, fmt, str::FromStr};

use base::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;
use trust::KeyId;

use super::{
    refusal::Refusal,
    seal::{Document, Key, Sealed},
};
use crate::model::identifier::Part;

/// Longest sealed file, in bytes.
pub const LONGEST_SEALED: u64 = 64 * 1024;
/// Longest directory, in bytes: room for some hundred thousand services.
pub const LONGEST_DIRECTORY: u64 = 64 * 1024 * 1024;
/// Longest OpenAPI document, in bytes.
pub const LONGEST_DOCUMENT: u64 = 4 * 1024 * 1024;

/// SHA-256 of a file. Text and JSON: lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = Refusal;

    /// Reads the hex, with or without the spaces between groups that people read out.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let hex: String = text.split_ascii_whitespace().collect::<String>().to_ascii_lowercase();
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).map_err(|_| Refusal::Malformed("SHA-256"))?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleName {
    /// Roots.
    Root,
    /// Editions.
    Edition,
    /// Timestamps.
    Timestamp,
}

impl RoleName {
    /// The word for it, in names of keys too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Edition => "edition",
            Self::Timestamp => "timestamp",
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The keys of a role, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// How many.
    pub threshold: usize,
    /// The keys.
    pub keys: Vec<Key>,
}

impl Role {
    fn ids(&self) -> BTreeSet<KeyId> {
        self.keys.iter().map(Key::id).collect()
    }

    /// Whether enough of the signers are keys of this role.
    fn check(&self, name: RoleName, signers: &BTreeSet<KeyId>) -> Result<(), Refusal> {
        let found = self.ids().intersection(signers).count();
        if found >= self.threshold {
            return Ok(());
        }
        Err(Refusal::TooFewKeys {
            role: name,
            needed: self.threshold,
            found,
        })
    }

    pub(super) fn check_itself(&self, name: RoleName) -> Result<(), Refusal> {
        if self.threshold == 0 || self.ids().len() < self.threshold || self.ids().len() != self.keys.len() {
            return Err(Refusal::Role(name));
        }
        Ok(())
    }
}

/// Who may sign what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Of which federation.
    pub instance: Part,
    /// One more than that of the root before.
    pub version: u64,
    /// Until when a next one must be there.
    pub expires: Timestamp,
    /// Signs the next root.
    pub root: Role,
    /// Signs editions.
    pub edition: Role,
    /// Signs timestamps.
    pub timestamp: Role,
}

impl Document for Root {
    const KIND: &'static str = "directory-root";
}

impl Root {
    /// Whether every role can be fulfilled.
    pub(super) fn check_itself(&self) -> Result<(), Refusal> {
        self.root.check_itself(RoleName::Root)?;
        self.edition.check_itself(RoleName::Edition)?;
        self.timestamp.check_itself(RoleName::Timestamp)
    }

    fn check_instance(&self, found: &Part) -> Result<(), Refusal> {
        if *found == self.instance {
            return Ok(());
        }
        Err(Refusal::OtherInstance {
            expected: self.instance.clone(),
            found: found.clone(),
        })
    }

    /// Verifies a root by its own keys, as the first one is.
    pub(super) fn verify_first(sealed: &Sealed<Self>) -> Result<(), Refusal> {
        let root = sealed.body();
        root.check_itself()?;
        root.root.check(RoleName::Root, &sealed.signers(&root.root.keys)?)
    }

    /// Verifies the root that follows this one: by the keys of both.
    pub(super) fn verify_next(&self, sealed: &Sealed<Self>) -> Result<(), Refusal> {
        let next = sealed.body();
        self.check_instance(&next.instance)?;
        if next.version != self.version + 1 {
            return Err(Refusal::RootChain {
                expected: self.version + 1,
                found: next.version,
            });
        }
        next.check_itself()?;
        let known = self.root.keys.iter().chain(&next.root.keys);
        let signers = sealed.signers(unique(known))?;
        self.root.check(RoleName::Root, &signers)?;
        next.root.check(RoleName::Root, &signers)
    }

    pub(super) fn verify_stamp(&self, sealed: &Sealed<Stamp>) -> Result<(), Refusal> {
        self.check_instance(&sealed.body().instance)?;
        let signers = sealed.signers(&self.timestamp.keys)?;
        self.timestamp.check(RoleName::Timestamp, &signers)
    }

    pub(super) fn verify_edition(&self, sealed: &Sealed<Edition>) -> Result<(), Refusal> {
        self.check_instance(&sealed.body().instance)?;
        let signers = sealed.signers(&self.edition.keys)?;
        self.edition.check(RoleName::Edition, &signers)
    }
}

/// A key that is in both roots stands once.
fn unique<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<&'a Key> {
    let mut found: Vec<&Key> = Vec::new();
    for key in keys {
        if !found.contains(&key) {
            found.push(key);
        }
    }
    found
}

/// Which edition is the newest, at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Of which federation.
    pub instance: Part,
    /// Grows with each stamp.
    pub version: u64,
    /// When it was signed.
    pub issued: Timestamp,
    /// Until when it holds.
    pub expires: Timestamp,
    /// The number of the root in force.
    pub root: u64,
    /// The edition.
    pub edition: EditionRef,
}

impl Document for Stamp {
    const KIND: &'static str = "directory-timestamp";
}

/// An edition by its number and its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditionRef {
    /// Its number.
    pub version: u64,
    /// SHA-256 of its file.
    pub sha256: Digest,
    /// Length of its file in bytes.
    pub bytes: u64,
}

/// One edition: the directory as it stood when it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Of which federation.
    pub instance: Part,
    /// Grows with each edition; the directory has it too.
    pub version: u64,
    /// Until when it holds without a newer one.
    pub expires: Timestamp,
    /// The directory.
    pub directory: BlobRef,
}

impl Document for Edition {
    const KIND: &'static str = "directory-edition";
}

/// A file by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    /// SHA-256 of it.
    pub sha256: Digest,
    /// Its length in bytes.
    pub bytes: u64,
}

impl BlobRef {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Digest::of(bytes),
            bytes: bytes.len() as u64,
        }
    }
}

/// Where a document stands: below the folder of the publisher, and below the address of every mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// A root.
    Root(u64),
    /// The timestamp.
    Timestamp,
    /// An edition.
    Edition(EditionRef),
    /// A directory or an OpenAPI document.
    Blob(Digest),
}

impl File {
    /// The path, with `/`.
    pub fn path(&self) -> String {
        match self {
            Self::Root(version) => format!("root/{version}"),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Edition(edition) => format!("edition/{}.{}", edition.version, edition.sha256),
            Self::Blob(sha256) => format!("blob/{sha256}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_people_say_it() {
        let digest = Digest::of(b"root");
        let spoken = super::super::refusal::grouped(&digest.to_string()).to_uppercase();
        assert_eq!(spoken.parse(), Ok(digest));
        for wrong in ["", "12", &digest.to_string()[1..], &format!("{digest}00")] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
