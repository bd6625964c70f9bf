//! Under what a person is found in the index.

use std::fmt;

use base::codes::PersonNumber;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The key of a node's index: 32 random bytes. Numbers of persons are few enough to be tried one by one, so a hash
/// without a key would hide nobody.
#[derive(Clone)]
pub struct SubjectKey([u8; 32]);

/// Under what a person is found: `HMAC-SHA-256(key, "motcua-subject/1" ‖ 0x00 ‖ twelve digits)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectIndex(pub [u8; 32]);

impl SubjectKey {
    /// Takes the key from where the node keeps its secrets.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The place of one person.
    pub fn index(&self, person: &PersonNumber) -> SubjectIndex {
        // A key shorter than a block of SHA-256 is filled up with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into());
        mac.update(b"motcua-subject/1\0");
        mac.update(person.as_str().as_bytes());
        SubjectIndex(mac.finalize().into_bytes().into())
    }
}

impl fmt::Display for SubjectIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<SubjectIndex> for String {
    fn from(index: SubjectIndex) -> Self {
        index.to_string()
    }
}

impl TryFrom<String> for SubjectIndex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(secret)")
    }
}

impl fmt::Debug for SubjectIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_depends_on_key_and_person() {
        let person: PersonNumber = "037190001234".parse().expect("a number");
        let other: PersonNumber = "037190001235".parse().expect("a number");
        let key = SubjectKey::new([7; 32]);
        // python3: hmac.new(bytes([7]*32), b"motcua-subject/1\x00" + b"037190001234", "sha256").hexdigest()
        assert_eq!(
            format!("{:?}", key.index(&person)),
            "7d73c2f4a630e97a52bb1db1de72893d6933750557452acaad2a7094a4d62192"
        );
        assert_ne!(key.index(&person), key.index(&other));
        assert_ne!(key.index(&person), SubjectKey::new([8; 32]).index(&person));
        assert_eq!(format!("{key:?}"), "SubjectKey(secret)");
    }
}
