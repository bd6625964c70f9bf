//! Checkpoints: the size and root of a log at one moment, signed (C2SP tlog-checkpoint).

use std::fmt;

use crate::{
    decimal,
    hash::Hash,
    key::{Signer, VerifierKey},
    note::{MalformedNote, Note, Signature, Unverified},
};

/// The tree head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: a URL without scheme, by custom.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The Merkle tree hash of these leaves (RFC 6962 2.1).
    pub root: Hash,
    /// Further lines, which nobody can audit; ours has none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without further lines.
    pub fn new(origin: &str, size: u64, root: Hash) -> Self {
        Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions: Vec::new(),
        }
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`MalformedNote`] when it is not a checkpoint by C2SP tlog-checkpoint.
    pub fn parse(text: &str) -> Result<Self, MalformedNote> {
        let body = text
            .strip_suffix('\n')
            .ok_or(MalformedNote("the last line does not end"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(MalformedNote("a checkpoint has three lines"));
        };
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: decimal(size).ok_or(MalformedNote("the second line is no size"))?,
            root: Hash::parse(root).ok_or(MalformedNote("the third line is no hash"))?,
            extensions: lines.map(str::to_owned).collect(),
        };
        if origin.is_empty() || checkpoint.extensions.iter().any(String::is_empty) {
            return Err(MalformedNote("a checkpoint has no empty lines"));
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint with its signatures: by the log, and by witnesses (cosignatures). Displays as the note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Has every signer sign, at `time` in seconds since 1970.
    ///
    /// # Errors
    /// [`crate::SignError`] by the first signer that fails.
    pub fn sign<'a>(
        checkpoint: Checkpoint,
        signers: impl IntoIterator<Item = &'a dyn Signer>,
        time: u64,
    ) -> Result<Self, crate::SignError> {
        let mut note = Note::unsigned(checkpoint.to_string());
        for signer in signers {
            note.sign(signer, time)?;
        }
        Ok(Self { checkpoint, note })
    }

    /// Reads a note that is a checkpoint. Nothing is verified.
    ///
    /// # Errors
    /// [`MalformedNote`] when it is not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedNote> {
        let note = Note::parse(bytes)?;
        Ok(Self {
            checkpoint: Checkpoint::parse(note.text())?,
            note,
        })
    }

    /// What was signed.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note as it is on the wire.
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// See [`Note::verify`].
    ///
    /// # Errors
    /// [`Unverified`] when no line is by this key, or one falsely says so.
    pub fn verify(&self, key: &VerifierKey) -> Result<Option<u64>, Unverified> {
        self.note.verify(key)
    }

    /// Adds the signature of a witness at `time` in seconds since 1970.
    ///
    /// # Errors
    /// [`crate::SignError`] when the signer fails.
    pub fn cosign(&mut self, signer: &dyn Signer, time: u64) -> Result<&Signature, crate::SignError> {
        self.note.sign(signer, time)
    }

    /// Leaves out the signatures that do not claim to be by one of `keys`.
    pub(crate) fn retain(&mut self, keys: &[VerifierKey]) {
        self.note.retain(|s| keys.iter().any(|k| s.claims(k)));
    }

    /// Puts in a signature that came from a witness. Verify it afterwards, by a [`crate::Policy`].
    pub fn add(&mut self, signature: Signature) {
        self.note.add(signature);
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
