//! The logs of a node: the present one, and those that ended before it began (docs/operations.md, "A log that ended").

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use ::store::transact;
use base::{Error, Kind, Result};
use ledger::{Log, VerifierKey};

use super::{Journal, store as tables};

/// Bits of a key that are the leaf: a log of a thousand leaves a second fills them in 35 years.
const BITS: u32 = 40;

/// A leaf of one of the logs of a node. Displays as `17`, the leaf, in the first log of the node, and as `1-17` in the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LeafId {
    log: u32,
    leaf: u64,
}

impl LeafId {
    pub(super) const fn new(log: u32, leaf: u64) -> Self {
        Self { log, leaf }
    }

    /// The number of the log: 0 is the first of the node.
    pub const fn log(self) -> u32 {
        self.log
    }

    /// The leaf in its log, from 0.
    pub const fn leaf(self) -> u64 {
        self.leaf
    }

    /// As the tables have it: in the order of the logs, and in each in that of its leaves.
    pub(super) fn key(self) -> i64 {
        let leaf = self.leaf.min((1 << BITS) - 1);
        i64::try_from(u64::from(self.log) << BITS | leaf).unwrap_or(i64::MAX)
    }

    pub(super) const fn of_key(key: i64) -> Self {
        let key = key.unsigned_abs();
        Self {
            log: (key >> BITS) as u32,
            leaf: key & ((1 << BITS) - 1),
        }
    }

    /// The keys of all leaves of a log: from the first, up to before the second.
    pub(super) fn keys_of(log: u32) -> [i64; 2] {
        [log, log.saturating_add(1)].map(|log| Self::new(log, 0).key())
    }
}

/// A leaf of the first log.
impl From<u64> for LeafId {
    fn from(leaf: u64) -> Self {
        Self::new(0, leaf)
    }
}

impl fmt::Display for LeafId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.log {
            0 => write!(f, "{}", self.leaf),
            log => write!(f, "{log}-{}", self.leaf),
        }
    }
}

/// It is not written as a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoLeaf;

impl fmt::Display for NoLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a leaf is written as 17, or with the number of its log before it as 1-17")
    }
}

impl std::error::Error for NoLeaf {}

impl FromStr for LeafId {
    type Err = NoLeaf;

    fn from_str(text: &str) -> std::result::Result<Self, NoLeaf> {
        let (log, leaf) = text.split_once('-').unwrap_or(("0", text));
        let read = Self {
            log: log.parse().map_err(|_| NoLeaf)?,
            leaf: leaf.parse().map_err(|_| NoLeaf)?,
        };
        // One form for each.
        if read.to_string() == text {
            Ok(read)
        } else {
            Err(NoLeaf)
        }
    }
}

/// The names of all logs that the tables know, by their numbers.
pub(super) type Names = BTreeMap<u32, String>;

impl Journal {
    /// The logs that are at hand, the oldest first.
    pub(super) fn at_hand(&self) -> impl Iterator<Item = &Arc<Log>> {
        let former = self.0.former.iter().map(|former| &former.log);
        former.chain([&self.0.log])
    }

    /// All logs of the node. Those at hand are entered into the tables the first time.
    pub(super) async fn logs(&self) -> Result<&Names> {
        let enter = || async {
            let origins: Vec<&str> = self.at_hand().map(|log| log.origin()).collect();
            transact!(self.0.store, |tx| {
                for origin in &origins {
                    tables::enter_log(&tx, origin).await?;
                }
                tables::logs(&tx).await
            })
        };
        self.0.logs.get_or_try_init(enter).await
    }

    /// The number of a log that is at hand.
    pub(super) async fn number(&self, log: &Log) -> Result<u32> {
        let names = self.logs().await?;
        let found = names.iter().find(|(_, name)| *name == log.origin());
        found.map(|(number, _)| *number).ok_or_else(not_here)
    }

    /// The log of a leaf.
    ///
    /// # Errors
    /// `NotFound` with `log-not-here` when its folder is not at this node.
    pub(super) async fn log_of(&self, leaf: LeafId) -> Result<Arc<Log>> {
        let name = self.logs().await?.get(&leaf.log()).ok_or_else(not_here)?;
        let found = self.at_hand().find(|log| log.origin() == name);
        found.cloned().ok_or_else(not_here)
    }

    /// The keys of a log that ended; none of the present one, whose keys the directory has.
    pub(super) fn former_keys(&self, origin: &str) -> Option<&[VerifierKey]> {
        let former = self.0.former.iter().find(|former| former.log.origin() == origin);
        former.map(|former| former.keys.as_slice())
    }
}

fn not_here() -> Error {
    Error::refused(
        Kind::NotFound,
        "log-not-here",
        "Mục này thuộc một sổ cái đã kết thúc mà nút không còn giữ thư mục. Đặt lại thư mục đó vào ledgers-ended (docs/operations.md).",
        "This entry is of a log that ended and whose folder is not at this node. Put the folder back into ledgers-ended (docs/operations.md).",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_written_in_one_way_and_keys_keep_the_order() {
        for (text, log, leaf) in [
            ("0", 0, 0),
            ("17", 0, 17),
            ("1-17", 1, 17),
            ("12-1099511627775", 12, (1 << 40) - 1),
        ] {
            let read: LeafId = text.parse().expect(text);
            assert_eq!(
                (read.log(), read.leaf(), read.to_string()),
                (log, leaf, text.to_owned())
            );
            assert_eq!(LeafId::of_key(read.key()), read);
        }
        for wrong in [
            "",
            "-",
            "0-17",
            "017",
            "1-",
            "-1",
            "+1",
            "1-017",
            "1-2-3",
            "4294967296-1",
        ] {
            assert_eq!(wrong.parse::<LeafId>(), Err(NoLeaf), "{wrong}");
        }
        let inside = LeafId::new(3, 5).key();
        let [from, to] = LeafId::keys_of(3);
        assert!((from..to).contains(&inside) && !(from..to).contains(&LeafId::new(4, 0).key()));
        assert!(LeafId::new(2, 99).key() < LeafId::new(3, 0).key());
    }
}
