//! The part `[ledger]` of the configuration.

use ::ledger::VerifierKey;
use serde::{Deserialize, Deserializer, de::Error as _};

/// The transparency log, and what stands around it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// Its name for ever: where it is published, without scheme (`h37.gov.vn/ledger`). Read once, when the log begins. Default:
    /// the public address of the node with `/ledger`.
    pub origin: String,
    /// Who cosigns it; with none, those that the directory names.
    pub witnesses: Vec<Witness>,
    /// How many of [`Self::witnesses`] a checkpoint must have to count as cosigned; default: more than half.
    pub quorum: Option<usize>,
    /// This node cosigns the logs of others.
    pub witness: Option<Witnessing>,
}

/// A witness as a log knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its address: `…/add-checkpoint` lies below (C2SP tlog-witness).
    pub url: String,
    /// Its key (C2SP verifier key).
    #[serde(deserialize_with = "key")]
    pub key: VerifierKey,
}

/// This node as a witness.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Witnessing {
    /// The name of its key for ever. Read once, when the key is made. Default: the public address of the node with `/witness`.
    pub name: String,
    /// The logs that it follows, by their keys.
    #[serde(deserialize_with = "keys")]
    pub logs: Vec<VerifierKey>,
    /// It also follows the log of every member of the directory but its own.
    pub directory: bool,
}

fn key<'de, D: Deserializer<'de>>(from: D) -> Result<VerifierKey, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

fn keys<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<VerifierKey>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let keys = texts.iter().map(|text| text.parse().map_err(D::Error::custom));
    keys.collect()
}
