//! Typed identifiers: a UUIDv7 that knows what it identifies, so a person's id cannot be passed for a dossier's.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::time::Timestamp;

/// An identifier of one `K`. `K` is only a name; see [`crate::typed_id`].
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// A new identifier whose first 48 bits are `now` in milliseconds, so that ids sort by age.
    pub fn new(now: Timestamp) -> Self {
        let micros = now.micros().max(0).unsigned_abs();
        let at = uuid::Timestamp::from_unix(
            uuid::NoContext,
            micros / 1_000_000,
            u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000,
        );
        Self(Uuid::new_v7(at), PhantomData)
    }

    /// Takes an identifier read from storage or from a request.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare value, for storage.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> FromStr for Id<K> {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(s).map(Self::from_uuid)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Uuid::deserialize(d).map(Self::from_uuid)
    }
}

/// Declares a kind of thing and the alias of its identifier.
///
/// ```
/// base::typed_id!(/// One dossier.
///     Dossier as DossierId);
/// ```
#[macro_export]
macro_rules! typed_id {
    ($(#[$doc:meta])* $kind:ident as $alias:ident) => {
        #[doc = concat!("The kind that [`", stringify!($alias), "`] identifies; never a value.")]
        #[derive(Debug)]
        pub enum $kind {}
        $(#[$doc])*
        pub type $alias = $crate::Id<$kind>;
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    typed_id!(/// A test thing.
        Thing as ThingId);

    #[test]
    fn ids_sort_by_age_and_survive_text() {
        let older = ThingId::new(Timestamp::from_micros(1_000_000));
        let newer = ThingId::new(Timestamp::from_micros(2_000_000));
        assert!(older < newer);
        assert_eq!(newer.to_string().parse::<ThingId>(), Ok(newer));
    }
}
