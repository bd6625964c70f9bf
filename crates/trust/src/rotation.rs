//! Rotation of keys without a pause: which key of a node signs at an instant, and which of its keys others believe.
//!
//! A new key is announced before it signs, so that the directory can carry it everywhere; the old one is believed for
//! a while after it stopped, so that what is on its way still arrives. Evidence is judged by when it was signed, as a
//! log or a timestamp proves, and stands for ever unless the key was compromised then.

use base::{Kind, Text, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    explained::{Explained, refuses},
    key::KeyId,
};

/// The life of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenure {
    /// Which key.
    pub key: KeyId,
    /// Since when others know it.
    pub announced: Timestamp,
    /// Since when it signs.
    pub from: Timestamp,
    /// When it stopped signing; none for the newest.
    pub until: Option<Timestamp>,
    /// Until when others accept it; none for the newest.
    pub accepted_until: Option<Timestamp>,
    /// Since when it may have been in other hands.
    pub compromised: Option<Timestamp>,
}

impl Tenure {
    fn signs(&self, at: Timestamp) -> bool {
        at >= self.from && self.until.is_none_or(|until| at < until) && !self.is_compromised(at)
    }

    fn is_accepted(&self, at: Timestamp) -> bool {
        at >= self.announced && self.accepted_until.is_none_or(|until| at < until) && !self.is_compromised(at)
    }

    fn is_compromised(&self, at: Timestamp) -> bool {
        self.compromised.is_some_and(|since| at >= since)
    }
}

/// Where a key stands, for pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Known, and not signing yet.
    Announced,
    /// Signing.
    Signing,
    /// No longer signing, still accepted.
    Retiring,
    /// Accepted no more; what it signed stands.
    Retired,
    /// In other hands.
    Compromised,
}

/// The keys of one node for one purpose, oldest first: their tenures as signers follow each other without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyring {
    tenures: Vec<Tenure>,
}

impl Keyring {
    /// A first key, which signs at once.
    pub fn new(key: KeyId, now: Timestamp) -> Self {
        Self {
            tenures: vec![Tenure {
                key,
                announced: now,
                from: now,
                until: None,
                accepted_until: None,
                compromised: None,
            }],
        }
    }

    /// Announces a new key. It signs from `now` and `lead` seconds on, which must be long enough for the directory to
    /// reach everybody; the old one is accepted for `overlap` seconds after that.
    ///
    /// # Errors
    /// [`RotationError`] when the key was used before, an earlier new key does not sign yet, or a duration is negative.
    pub fn rotate(&mut self, key: KeyId, now: Timestamp, lead: i64, overlap: i64) -> Result<(), RotationError> {
        if lead < 0 || overlap < 0 {
            return Err(RotationError::Negative);
        }
        if self.tenures.iter().any(|tenure| tenure.key == key) {
            return Err(RotationError::Reused(key));
        }
        let Some(newest) = self.tenures.last_mut() else {
            *self = Self::new(key, now);
            return Ok(());
        };
        if now < newest.from {
            return Err(RotationError::Pending(newest.from));
        }
        let from = now.plus_seconds(lead);
        newest.until = Some(from);
        newest.accepted_until = Some(from.plus_seconds(overlap));
        self.tenures.push(Tenure {
            key,
            announced: now,
            from,
            until: None,
            accepted_until: None,
            compromised: None,
        });
        Ok(())
    }

    /// Notes that a key may have been in other hands since an instant. A key that signs or waits to sign needs a
    /// successor first: a node without a key can do nothing.
    ///
    /// # Errors
    /// [`RotationError::Unknown`], or [`RotationError::NeedsSuccessor`] for the newest key.
    pub fn compromise(&mut self, key: KeyId, since: Timestamp) -> Result<(), RotationError> {
        if self.tenures.last().is_some_and(|newest| newest.key == key) {
            return Err(RotationError::NeedsSuccessor(key));
        }
        let tenure = self
            .tenures
            .iter_mut()
            .find(|tenure| tenure.key == key)
            .ok_or(RotationError::Unknown(key))?;
        tenure.compromised = Some(tenure.compromised.map_or(since, |earlier| earlier.min(since)));
        Ok(())
    }

    /// Replaces a key that may have been in other hands: the new one signs at once, the old one is accepted no more for
    /// anything that is signed from `since` on.
    ///
    /// # Errors
    /// As [`Self::rotate`].
    pub fn replace_compromised(&mut self, key: KeyId, now: Timestamp, since: Timestamp) -> Result<(), RotationError> {
        let old = self.tenures.last().map(|tenure| tenure.key);
        self.rotate(key, now, 0, 0)?;
        match old {
            Some(old) => self.compromise(old, since),
            None => Ok(()),
        }
    }

    /// The key that signs at this instant.
    pub fn signer(&self, at: Timestamp) -> Option<KeyId> {
        self.tenures
            .iter()
            .rev()
            .find(|tenure| tenure.signs(at))
            .map(|tenure| tenure.key)
    }

    /// The keys that others accept at this instant, for the directory: [`crate::TrustStore::with_keys`].
    pub fn accepted(&self, at: Timestamp) -> impl Iterator<Item = KeyId> {
        self.tenures
            .iter()
            .filter(move |tenure| tenure.is_accepted(at))
            .map(|tenure| tenure.key)
    }

    /// Whether a signature of this key, proven to be made at an instant, stands as evidence.
    ///
    /// # Errors
    /// [`RotationError::Unknown`], [`RotationError::NotThen`] when the key was not accepted then,
    /// [`RotationError::Compromised`] when it was in other hands.
    pub fn stood(&self, key: KeyId, signed_at: Timestamp) -> Result<(), RotationError> {
        let tenure = self
            .tenures
            .iter()
            .find(|tenure| tenure.key == key)
            .ok_or(RotationError::Unknown(key))?;
        match tenure.compromised {
            Some(since) if signed_at >= since => Err(RotationError::Compromised { key, since }),
            _ if tenure.is_accepted(signed_at) => Ok(()),
            _ => Err(RotationError::NotThen(key)),
        }
    }

    /// Where each key stands, oldest first.
    pub fn standings(&self, at: Timestamp) -> impl Iterator<Item = (&Tenure, Standing)> {
        self.tenures.iter().map(move |tenure| {
            let standing = if tenure.is_compromised(at) {
                Standing::Compromised
            } else if tenure.signs(at) {
                Standing::Signing
            } else if at < tenure.from {
                Standing::Announced
            } else if tenure.is_accepted(at) {
                Standing::Retiring
            } else {
                Standing::Retired
            };
            (tenure, standing)
        })
    }
}

/// Why a key cannot be rotated so, or does not stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationError {
    /// A duration is negative.
    Negative,
    /// The key was used before.
    Reused(KeyId),
    /// An earlier new key has not begun to sign.
    Pending(Timestamp),
    /// No such key.
    Unknown(KeyId),
    /// The key that signs needs a successor first.
    NeedsSuccessor(KeyId),
    /// The key was not accepted at that time.
    NotThen(KeyId),
    /// The key was in other hands at that time.
    Compromised {
        /// Which key.
        key: KeyId,
        /// Since when.
        since: Timestamp,
    },
}

impl Explained for RotationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Negative => "rotation-negative",
            Self::Reused(_) => "rotation-reused",
            Self::Pending(_) => "rotation-pending",
            Self::Unknown(_) => "key-unknown",
            Self::NeedsSuccessor(_) => "rotation-needs-successor",
            Self::NotThen(_) => "key-not-then",
            Self::Compromised { .. } => "key-compromised",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Negative | Self::Reused(_) => Kind::Invalid,
            Self::Pending(_) | Self::NeedsSuccessor(_) => Kind::Conflict,
            _ => Kind::Forbidden,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Negative => Text::new(
                "Thời gian báo trước và thời gian gối nhau không được âm.",
                "Lead and overlap must not be negative.",
            ),
            Self::Reused(key) => Text::new(
                format!("Khóa {key} đã từng được dùng. Hãy tạo khóa mới."),
                format!("The key {key} was used before. Make a new one."),
            ),
            Self::Pending(from) => Text::new(
                format!(
                    "Khóa thay thế trước đó chỉ bắt đầu ký từ {}. Hãy chờ đến lúc đó.",
                    from.display()
                ),
                format!("The last new key begins to sign at {from}. Wait until then."),
            ),
            Self::Unknown(key) => Text::new(
                format!("Không biết khóa {key}."),
                format!("The key {key} is not known."),
            ),
            Self::NeedsSuccessor(key) => Text::new(
                format!("Khóa {key} đang ký. Hãy thay bằng khóa mới trước."),
                format!("The key {key} is the one that signs. Put a new one in its place first."),
            ),
            Self::NotThen(key) => Text::new(
                format!("Khóa {key} không có hiệu lực vào lúc ký."),
                format!("The key {key} was not valid when this was signed."),
            ),
            Self::Compromised { key, since } => Text::new(
                format!(
                    "Khóa {key} có thể đã lộ từ {}; chữ ký sau lúc đó không có giá trị.",
                    since.display()
                ),
                format!(
                    "The key {key} may have been in other hands since {since}; what was signed after that does not \
                     stand."
                ),
            ),
        }
    }
}

refuses!(RotationError);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600;

    fn key(n: u8) -> KeyId {
        KeyId::of_spki(&[n])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::default().plus_seconds(seconds)
    }

    fn accepted(ring: &Keyring, seconds: i64) -> Vec<KeyId> {
        ring.accepted(at(seconds)).collect()
    }

    #[test]
    fn a_new_key_is_known_before_it_signs_and_the_old_one_is_believed_after() {
        let mut ring = Keyring::new(key(1), at(0));
        ring.rotate(key(2), at(10 * HOUR), HOUR, 2 * HOUR).expect("a new key");
        assert_eq!(ring.signer(at(11 * HOUR - 1)), Some(key(1)));
        assert_eq!(ring.signer(at(11 * HOUR)), Some(key(2)));
        assert_eq!(accepted(&ring, 10 * HOUR), [key(1), key(2)]);
        assert_eq!(accepted(&ring, 13 * HOUR - 1), [key(1), key(2)]);
        assert_eq!(accepted(&ring, 13 * HOUR), [key(2)]);
        let standings: Vec<_> = ring.standings(at(12 * HOUR)).map(|(_, standing)| standing).collect();
        assert_eq!(standings, [Standing::Retiring, Standing::Signing]);
    }

    #[test]
    fn what_a_retired_key_signed_stands() {
        let mut ring = Keyring::new(key(1), at(0));
        ring.rotate(key(2), at(HOUR), 0, 0).expect("a new key");
        assert_eq!(ring.stood(key(1), at(HOUR - 1)), Ok(()));
        assert_eq!(ring.stood(key(1), at(HOUR)), Err(RotationError::NotThen(key(1))));
        assert_eq!(ring.stood(key(2), at(HOUR - 1)), Err(RotationError::NotThen(key(2))));
        assert_eq!(ring.stood(key(3), at(0)), Err(RotationError::Unknown(key(3))));
    }

    #[test]
    fn a_stolen_key_is_replaced_at_once_and_only_its_late_signatures_fall() {
        let mut ring = Keyring::new(key(1), at(0));
        assert_eq!(
            ring.compromise(key(1), at(0)),
            Err(RotationError::NeedsSuccessor(key(1)))
        );
        ring.replace_compromised(key(2), at(5 * HOUR), at(3 * HOUR))
            .expect("a new key");
        assert_eq!(ring.signer(at(5 * HOUR)), Some(key(2)));
        assert_eq!(accepted(&ring, 5 * HOUR), [key(2)]);
        assert_eq!(ring.stood(key(1), at(3 * HOUR - 1)), Ok(()));
        assert!(matches!(
            ring.stood(key(1), at(3 * HOUR)),
            Err(RotationError::Compromised { .. })
        ));
    }

    #[test]
    fn keys_come_one_after_the_other_and_never_twice() {
        let mut ring = Keyring::new(key(1), at(0));
        ring.rotate(key(2), at(HOUR), HOUR, 0).expect("a new key");
        assert_eq!(
            ring.rotate(key(3), at(HOUR), 0, 0),
            Err(RotationError::Pending(at(2 * HOUR)))
        );
        assert_eq!(
            ring.rotate(key(1), at(3 * HOUR), 0, 0),
            Err(RotationError::Reused(key(1)))
        );
        assert_eq!(ring.rotate(key(3), at(3 * HOUR), -1, 0), Err(RotationError::Negative));
    }

    proptest! {
        /// However keys are rotated, at every instant exactly one signs, everybody accepts it, and what it signs is
        /// accepted for the whole overlap.
        #[test]
        fn there_is_never_a_pause(rotations in prop::collection::vec((1..100_i64, 0..50_i64, 0..50_i64), 0..8)) {
            let mut ring = Keyring::new(key(0), at(0));
            let mut now = 0;
            let mut overlaps = vec![];
            for (n, (wait, lead, overlap)) in rotations.into_iter().enumerate() {
                now += wait + 50;
                ring.rotate(key(u8::try_from(n).expect("few") + 1), at(now), lead, overlap).expect("a rotation");
                overlaps.push(overlap);
            }
            for second in 0..now + 200 {
                let signing: Vec<_> = ring.standings(at(second)).filter(|(_, s)| *s == Standing::Signing).collect();
                prop_assert_eq!(signing.len(), 1);
                let signer = signing[0].0.key;
                prop_assert_eq!(ring.signer(at(second)), Some(signer));
                prop_assert_eq!(ring.stood(signer, at(second)), Ok(()));
                let n = ring.standings(at(second)).position(|(t, _)| t.key == signer).expect("it is there");
                let overlap = overlaps.get(n).copied().unwrap_or(100);
                prop_assert!(accepted(&ring, second).contains(&signer));
                // Accepted through its overlap, unless a later rotation was so quick that it lies beyond.
                prop_assert!(overlap == 0 || accepted(&ring, second + overlap - 1).contains(&signer));
            }
        }
    }
}
