//! A proof that a leaf is in a log, as a text that needs nothing else: C2SP tlog-proof. In its `extra` line stands the
//! leaf entry and, if it is to be shown, the opening: `base64(commitment(34) [‖ salt(32) ‖ record])`.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    checkpoint::SignedCheckpoint,
    commitment::{COMMITMENT_BYTES, Commitment, Opening},
    decimal,
    hash::Hash,
    note::LARGEST_NOTE,
    tree::LONGEST_PATH,
};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The largest proof that is read, in bytes: a record of 4 MiB in base64, the path and the checkpoint.
pub const LARGEST_PROOF: usize = 6 * 1024 * 1024 + LARGEST_NOTE;

/// A text that is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a proof in the form of C2SP tlog-proof: {0}")]
pub struct MalformedProof(pub &'static str);

/// A self-contained proof. Displays as its text; nothing in it is verified before [`crate::verify()`] has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The place of the leaf in the log, from 0.
    pub index: u64,
    /// The leaf entry.
    pub commitment: Commitment,
    /// What the leaf says, if it is to be shown.
    pub opening: Option<Opening>,
    /// The inclusion proof, from the leaf's sibling up (RFC 6962 2.1.1).
    pub path: Vec<Hash>,
    /// The checkpoint of a tree that has the leaf.
    pub checkpoint: SignedCheckpoint,
}

impl Proof {
    /// Reads the text of a proof.
    ///
    /// # Errors
    /// [`MalformedProof`] when it is not one, or is not one of ours.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedProof> {
        if bytes.len() > LARGEST_PROOF {
            return Err(MalformedProof("it is too large"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| MalformedProof("it is not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(MalformedProof("it has no blank line"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(MalformedProof("the first line is another"));
        }
        let extra = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .and_then(|text| BASE64_STANDARD.decode(text).ok())
            .ok_or(MalformedProof("the second line has no leaf entry"))?;
        let (commitment, opening) =
            parse_extra(&extra).ok_or(MalformedProof("the second line is no leaf entry of ours"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(MalformedProof("the third line has no index"))?;
        let path = lines
            .take(LONGEST_PATH + 1)
            .map(Hash::parse)
            .collect::<Option<Vec<_>>>()
            .ok_or(MalformedProof("a line of the path is no hash"))?;
        if path.len() > LONGEST_PATH {
            return Err(MalformedProof("the path is too long"));
        }
        let checkpoint = SignedCheckpoint::parse(note.as_bytes()).map_err(|e| MalformedProof(e.0))?;
        Ok(Self {
            index,
            commitment,
            opening,
            path,
            checkpoint,
        })
    }

    /// The same proof without what the leaf says.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.opening = None;
        self
    }
}

fn parse_extra(extra: &[u8]) -> Option<(Commitment, Option<Opening>)> {
    let (commitment, rest) = extra.split_at_checked(COMMITMENT_BYTES)?;
    let opening = if rest.is_empty() {
        None
    } else {
        Some(Opening::from_bytes(rest)?)
    };
    Some((Commitment::from_bytes(commitment)?, opening))
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut extra = self.commitment.as_bytes().to_vec();
        if let Some(opening) = &self.opening {
            extra.extend_from_slice(&opening.to_bytes());
        }
        let extra = BASE64_STANDARD.encode(extra);
        writeln!(f, "{HEADER}\nextra {extra}\nindex {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
