//! What the token of a timestamping authority (RFC 3161) adds to a proof: since when at the latest the leaf is in the log.

use base::{Text, Timestamp};
use ledger::{Policy, Proof};
use sha2::{Digest, Sha256};
use trust::{Explained, TrustStore, timestamp::Token};

/// What a timestamp proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamped {
    /// An authority that is believed saw the log with the leaf in it.
    At {
        /// When.
        time: Timestamp,
        /// Who: the subject of the authority's certificate.
        authority: String,
    },
    /// There is a token, and nobody said whose tokens to believe.
    Unjudged,
}

/// Why a timestamp proves nothing of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampFlaw {
    /// A stable name: `timestamp-other-leaf`, or one of the log's or the authority's.
    pub code: &'static str,
    /// What it means.
    pub text: Text,
}

/// Judges a token: `stamped` proves the leaf of `proof` in the tree whose signed note the token is over. `stampers` pins the CAs
/// of timestamping authorities; without it the token itself is left unjudged.
///
/// # Errors
/// [`StampFlaw`].
pub fn judge_stamp(
    proof: &Proof,
    stamped: &Proof,
    token: &[u8],
    policy: &Policy,
    stampers: Option<&TrustStore>,
) -> Result<Stamped, StampFlaw> {
    if (stamped.index, stamped.commitment) != (proof.index, proof.commitment) {
        return Err(StampFlaw {
            code: "timestamp-other-leaf",
            text: Text::new(
                "Dấu thời gian đi kèm là của một mục khác trong sổ cái.",
                "The timestamp with it is of another entry of the log.",
            ),
        });
    }
    let refused = |refusal: ledger::Refusal| StampFlaw {
        code: refusal.code(),
        text: refusal.text(),
    };
    policy.signed_by_log(&stamped.checkpoint).map_err(refused)?;
    stamped.check(None).map_err(refused)?;
    let Some(stampers) = stampers else {
        return Ok(Stamped::Unjudged);
    };
    let digest = Sha256::digest(stamped.checkpoint.to_string()).into();
    let token = Token::verify(token, &digest, stampers).map_err(|error| StampFlaw {
        code: error.code(),
        text: error.text(),
    })?;
    Ok(Stamped::At {
        time: token.time,
        authority: token.authority,
    })
}
