//! The part `[ledger]` of the configuration.

use std::path::PathBuf;

use ::ledger::VerifierKey;
use base::Timestamp;
use jiff::civil::Date;
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
    /// Who stamps its checkpoints with the time.
    pub timestamps: Option<Timestamps>,
    /// Where its copy for the world is kept.
    pub mirror: Option<Mirror>,
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

/// A place for the copy of the log: a folder or an S3 bucket.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mirror {
    /// A folder.
    pub folder: Option<PathBuf>,
    /// The name of a bucket.
    pub bucket: Option<String>,
    /// A file with the id of the access key on its first line and the secret on its second; without it they are in the
    /// environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).
    pub credentials: Option<PathBuf>,
    /// Where the bucket is, if not at Amazon: an http or https URL.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// What its names begin with.
    pub prefix: String,
}

/// A timestamping authority (RFC 3161).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timestamps {
    /// Its address.
    pub url: String,
    /// How often a checkpoint is stamped, if the log has grown.
    #[serde(default)]
    pub every: Every,
    /// The certificates of its CAs, PEM.
    pub roots: Vec<PathBuf>,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// In each hour.
    Hourly,
    /// On each day of the legal calendar.
    #[default]
    Daily,
}

impl Every {
    /// The hour or day that an instant is in, in legal time.
    pub fn of(self, at: Timestamp) -> (Date, i8) {
        let hour = match self {
            Self::Hourly => at.legal().hour(),
            Self::Daily => 0,
        };
        (at.legal_date(), hour)
    }
}

fn key<'de, D: Deserializer<'de>>(from: D) -> Result<VerifierKey, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

fn keys<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<VerifierKey>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let keys = texts.iter().map(|text| text.parse().map_err(D::Error::custom));
    keys.collect()
}
