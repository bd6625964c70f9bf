//! Signed notes: a text with signature lines (C2SP signed-note).

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    checkpoint::Checkpoint,
    hash::Hash,
    key::{Algorithm, SignError, Signer, VerifierKey, is_key_name},
};

/// The largest note that is read, in bytes: room for dozens of post-quantum signatures.
pub const LARGEST_NOTE: usize = 256 * 1024;

/// Most signature lines that are read. C2SP asks for at least 16.
pub const MOST_SIGNATURES: usize = 64;

/// A text that is no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signed note: {0}")]
pub struct MalformedNote(pub &'static str);

/// Why a key does not vouch for a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// No line is by this key.
    Absent,
    /// A line says that it is by this key, and is not: the whole note is to be refused.
    Bad,
}

/// A line `— name base64(id ‖ signature)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub id: u32,
    /// What the key made; timestamped algorithms have the time (8 bytes) in front.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// Whether the line says that it is by `key`.
    pub fn claims(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&self.id.to_be_bytes()[..], &self.bytes].concat();
        writeln!(f, "— {} {}", self.name, BASE64_STANDARD.encode(material))
    }
}

/// A text and who signed it. What it says means nothing before a trusted key has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A note without signatures yet. `text` ends with a newline.
    pub(crate) const fn unsigned(text: String) -> Self {
        Self {
            text,
            signatures: Vec::new(),
        }
    }

    /// Reads a note with at least one signature line.
    ///
    /// # Errors
    /// [`MalformedNote`] for anything that C2SP signed-note does not allow.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedNote> {
        if bytes.len() > LARGEST_NOTE {
            return Err(MalformedNote("it is too large"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| MalformedNote("it is not UTF-8"))?;
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(MalformedNote("it has control characters"));
        }
        let blank = note.rfind("\n\n").ok_or(MalformedNote("it has no blank line"))?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        let signatures = parse_signatures(lines)?;
        if signatures.is_empty() {
            return Err(MalformedNote("nobody signed it"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The signed text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Has `signer` sign at `time` (seconds since 1970; only timestamped algorithms say it).
    ///
    /// # Errors
    /// [`SignError`] when the signer fails, or cannot sign such a text.
    pub fn sign(&mut self, signer: &dyn Signer, time: u64) -> Result<&Signature, SignError> {
        let key = signer.verifier();
        let message = message(&key, &self.text, time).ok_or_else(|| SignError {
            key: key.name().to_owned(),
            reason: "such a key signs checkpoints only".to_owned(),
        })?;
        let mut bytes = signer.sign(&message)?;
        if key.algorithm().timestamped() {
            bytes.splice(..0, time.to_be_bytes());
        }
        self.signatures.retain(|s| !s.claims(&key));
        self.signatures.push(Signature {
            name: key.name().to_owned(),
            id: key.id(),
            bytes,
        });
        Ok(&self.signatures[self.signatures.len() - 1])
    }

    /// Puts a signature beside the others, in the place of an older one by the same key.
    pub(crate) fn add(&mut self, signature: Signature) {
        self.signatures
            .retain(|s| s.id != signature.id || s.name != signature.name);
        self.signatures.push(signature);
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Signature) -> bool) {
        self.signatures.retain(keep);
    }

    /// The time that `key` signed at, in seconds since 1970, if its algorithm says one.
    ///
    /// # Errors
    /// [`Unverified`] when no line is by this key, or one falsely says so.
    pub fn verify(&self, key: &VerifierKey) -> Result<Option<u64>, Unverified> {
        let mut found = Err(Unverified::Absent);
        for signature in self.signatures.iter().filter(|s| s.claims(key)) {
            found = Ok(self.check(key, &signature.bytes).ok_or(Unverified::Bad)?);
        }
        found
    }

    fn check(&self, key: &VerifierKey, bytes: &[u8]) -> Option<Option<u64>> {
        let (time, signature) = if key.algorithm().timestamped() {
            let (time, rest) = bytes.split_first_chunk()?;
            (Some(u64::from_be_bytes(*time)), rest)
        } else {
            (None, bytes)
        };
        // C2SP tlog-cosignature: a time fits 63 bits.
        if time.is_some_and(|t| i64::try_from(t).is_err()) {
            return None;
        }
        let message = message(key, &self.text, time.unwrap_or_default())?;
        key.verifies(&message, signature).then_some(time)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|s| s.fmt(f))
    }
}

/// Reads signature lines, as they stand in a note and in the answer of a witness.
///
/// # Errors
/// [`MalformedNote`] when a line is not one.
pub fn parse_signatures(lines: &str) -> Result<Vec<Signature>, MalformedNote> {
    let mut signatures = Vec::new();
    let mut rest = lines;
    while !rest.is_empty() {
        let (line, after) = rest
            .split_once('\n')
            .ok_or(MalformedNote("the last line does not end"))?;
        if signatures.len() == MOST_SIGNATURES {
            return Err(MalformedNote("it has too many signatures"));
        }
        signatures.push(parse_signature(line).ok_or(MalformedNote("a line is no signature"))?);
        rest = after;
    }
    Ok(signatures)
}

fn parse_signature(line: &str) -> Option<Signature> {
    let (name, material) = line.strip_prefix("— ")?.split_once(' ')?;
    let material = BASE64_STANDARD.decode(material).ok()?;
    let (id, bytes) = material.split_first_chunk()?;
    (is_key_name(name) && !bytes.is_empty()).then(|| Signature {
        name: name.to_owned(),
        id: u32::from_be_bytes(*id),
        bytes: bytes.to_vec(),
    })
}

/// The bytes that a key of each algorithm signs (C2SP signed-note and tlog-cosignature).
fn message(key: &VerifierKey, text: &str, time: u64) -> Option<Vec<u8>> {
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::EcdsaP256 => Some(text.as_bytes().to_vec()),
        Algorithm::CosignatureV1 => Some(format!("cosignature/v1\ntime {time}\n{text}").into_bytes()),
        Algorithm::MlDsa44 => {
            let checkpoint = Checkpoint::parse(text).ok()?;
            subtree_message(
                key.name(),
                time,
                &checkpoint.origin,
                0..checkpoint.size,
                &checkpoint.root,
            )
        }
    }
}

/// `cosigned_message` of C2SP tlog-cosignature; names have at most 255 bytes.
fn subtree_message(name: &str, time: u64, origin: &str, leaves: std::ops::Range<u64>, root: &Hash) -> Option<Vec<u8>> {
    let mut message = b"subtree/v1\n\0".to_vec();
    message.push(u8::try_from(name.len()).ok()?);
    message.extend_from_slice(name.as_bytes());
    message.extend_from_slice(&time.to_be_bytes());
    message.push(u8::try_from(origin.len()).ok()?);
    message.extend_from_slice(origin.as_bytes());
    message.extend_from_slice(&leaves.start.to_be_bytes());
    message.extend_from_slice(&leaves.end.to_be_bytes());
    message.extend_from_slice(&root.0);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ml_dsa_44_is_as_torchwood_signs_it() {
        // A cosignature of the subtree [8, 13), from the tests of transparency-dev/formats.
        let vector = include_str!("../tests/vectors/ml-dsa-44.txt");
        let (key, line) = vector.split_once('\n').expect("two lines");
        let key: VerifierKey = key.parse().expect("a key");
        let signature = parse_signatures(line).expect("a line").remove(0);
        assert!(signature.claims(&key));
        let root = Hash::parse("E7ERCtFloiK1fdb+B6/dLG0pM1nmIR0ETKBSauCjtVw=").expect("a hash");
        let message = subtree_message(key.name(), 0, "example.com/log", 8..13, &root).expect("short names");
        assert!(key.verifies(&message, &signature.bytes[8..]));
        assert!(!key.verifies(&message, &signature.bytes[9..]));
    }
}
