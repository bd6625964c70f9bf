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

/// `placeholders(3, 2)` is `$3, $4`: the inside of an `IN (…)` list that starts at parameter 3.
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
