//! Values bound to `$1`, `$2`, …

use base::{Id, Timestamp};
use sea_orm::Value;
use uuid::Uuid;

/// What can be bound to a placeholder. See [`params!`](crate::params).
pub trait Param {
    /// The value as the driver takes it.
    fn value(&self) -> Value;
}

/// Binds values in order: `params![id, now, "text", Some(3_i64)]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::Param::value(&$value)),*]
    };
}

/// `placeholders(3, 2)` is `$3, $4`: the inside of an `IN (…)` of a few values that starts at parameter 3.
pub fn placeholders(start: usize, count: usize) -> String {
    let mut out = String::with_capacity(count * 5);
    for n in start..start + count {
        if n > start {
            out.push_str(", ");
        }
        out.push('$');
        out.push_str(&n.to_string());
    }
    out
}

/// The most rows or values that one statement takes in a list: below the limits of both engines with room for other values.
pub const MOST_VALUES: usize = 256;

/// Splits into pieces whose lengths are powers of two, largest first, of at most `most`. For statements of many rows, which
/// are prepared and kept by their text: so they come in few shapes.
pub fn powers<T>(items: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let length = 1_usize.checked_shl(rest.len().min(most).checked_ilog2()?)?;
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(piece)
    })
}

/// Lists of at most `most` (a power of two) whose lengths are powers of two: the last value is repeated to fill up. For
/// [`among`], where a value may stand twice.
pub fn padded<T: Clone>(items: &[T], most: usize) -> impl Iterator<Item = Vec<T>> {
    items.chunks(most).map(|chunk| {
        let mut list = chunk.to_vec();
        list.resize(chunk.len().next_power_of_two(), chunk[chunk.len() - 1].clone());
        list
    })
}

/// `among(3, 2)` is `VALUES ($3), ($4)`: the inside of an `IN (…)` of many values that starts at parameter 3. PostgreSQL
/// compares each row with each value of a plain list; of rows of values it makes a hash table.
pub fn among(start: usize, count: usize) -> String {
    let mut out = String::from("VALUES ");
    for n in start..start + count {
        if n > start {
            out.push_str(", ");
        }
        out.push_str(&format!("(${n})"));
    }
    out
}

macro_rules! copies {
    ($($t:ty),*) => {$(
        impl Param for $t {
            fn value(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}
copies!(i64, i32, i16, u32, bool, f64, Uuid);

impl<T: Param + ?Sized> Param for &T {
    fn value(&self) -> Value {
        (**self).value()
    }
}

impl<K> Param for Id<K> {
    fn value(&self) -> Value {
        Value::from(self.uuid())
    }
}

impl Param for Timestamp {
    fn value(&self) -> Value {
        Value::from(self.micros())
    }
}

impl Param for str {
    fn value(&self) -> Value {
        Value::from(self)
    }
}

impl Param for String {
    fn value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Param for [u8] {
    fn value(&self) -> Value {
        Value::from(self.to_vec())
    }
}

impl Param for Vec<u8> {
    fn value(&self) -> Value {
        Value::from(self.clone())
    }
}

impl Param for serde_json::Value {
    fn value(&self) -> Value {
        Value::from(self.clone())
    }
}

/// A type whose absence has a typed NULL; PostgreSQL wants to know the type even of nothing.
pub trait Nullable: Param {
    /// NULL of this type.
    fn null() -> Value;
}

macro_rules! nulls {
    ($($t:ty => $null:expr),* $(,)?) => {$(
        impl Nullable for $t {
            fn null() -> Value {
                $null
            }
        }
    )*};
}
nulls! {
    i64 => Value::BigInt(None),
    i32 => Value::Int(None),
    i16 => Value::SmallInt(None),
    bool => Value::Bool(None),
    f64 => Value::Double(None),
    Uuid => Value::Uuid(None),
    String => Value::String(None),
    &str => Value::String(None),
    Vec<u8> => Value::Bytes(None),
    serde_json::Value => Value::Json(None),
    Timestamp => Value::BigInt(None),
    &String => Value::String(None),
}

impl<K> Nullable for Id<K> {
    fn null() -> Value {
        Value::Uuid(None)
    }
}

impl<T: Nullable> Param for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or_else(T::null, Param::value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_in_few_shapes_and_lose_nothing() {
        for length in 0..600 {
            let items: Vec<usize> = (0..length).collect();
            let pieces: Vec<&[usize]> = powers(&items, 256).collect();
            assert!(pieces.iter().all(|p| p.len().is_power_of_two() && p.len() <= 256));
            assert_eq!(pieces.concat(), items);
            let mut lists: Vec<usize> = padded(&items, 256).flatten().collect();
            assert!(padded(&items, 256).all(|l| l.len().is_power_of_two() && l.len() <= 256));
            lists.dedup();
            assert_eq!(lists, items);
        }
    }
}
