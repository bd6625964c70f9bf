//! The values by which records are found, as they are kept: bytes whose order is that of the values.

use base::{Error, Result, text::fold};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::read::Bound;
use crate::model::{FieldPath, Filter, Registry, RegistryCode, values_at};

/// The longest value that is kept, in bytes; longer ones are found by their beginning.
const LONGEST: usize = 200;

/// The number under which the values of a field are kept; without a field, the keys.
pub fn slot(registry: &RegistryCode, field: Option<&FieldPath>) -> i64 {
    let field = field.map_or("", FieldPath::as_str);
    let hash = Sha256::digest(format!("{registry}/{field}"));
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first) & i64::MAX
}

/// The number under which the values of a filter are kept. Those of a text that alone is the key are the keys themselves, and are kept
/// once.
pub fn slot_of(registry: &Registry, filter: &Filter) -> i64 {
    let is_key = registry.key == std::slice::from_ref(&filter.field)
        && !filter.folded
        && registry
            .field(&filter.field)
            .is_some_and(|field| field.term.ty.json() == "string");
    slot(&registry.code, Some(&filter.field).filter(|_| !is_key))
}

/// A value as it is kept under a filter; none for what is no scalar.
pub fn bytes(filter: &Filter, value: &Value) -> Option<Vec<u8>> {
    let mut bytes = match value {
        Value::String(text) if filter.folded => fold(text).into_bytes(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Bool(value) => vec![u8::from(*value)],
        Value::Number(number) => number_bytes(number.as_f64()?).to_vec(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    bytes.truncate(LONGEST);
    Some(bytes)
}

/// Doubles in the order of their bytes: the sign turned round, of negative ones every bit.
fn number_bytes(number: f64) -> [u8; 8] {
    let bits = number.to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    ordered.to_be_bytes()
}

/// The first bytes after everything that begins with these; none where there is nothing after.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

/// By what a body is found: values with their slots, in order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(Vec<(i64, Vec<u8>)>);

impl Values {
    /// Each with its slot.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (i64, &[u8])> {
        self.0.iter().map(|(slot, value)| (*slot, value.as_slice()))
    }

    /// The one at a place.
    pub fn nth(&self, n: usize) -> Option<(i64, &[u8])> {
        self.0.get(n).map(|(slot, value)| (*slot, value.as_slice()))
    }

    /// Those of one slot.
    pub fn of(&self, slot: i64) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |(of, _)| *of == slot).map(|(_, value)| value)
    }

    /// Whether one of a slot is where it is asked for.
    pub fn meet(&self, slot: i64, bound: &Bound) -> bool {
        self.of(slot).any(|value| bound.has(value))
    }

    /// As they are kept beside a part of a timeline: of each the slot in eight bytes, the length in four, and the value.
    pub fn packed(&self) -> Vec<u8> {
        let length = self.iter().map(|(_, value)| 12 + value.len()).sum();
        let mut packed = Vec::with_capacity(length);
        for (slot, value) in self.iter() {
            packed.extend(slot.to_be_bytes());
            // A body of four gigabytes is nowhere accepted.
            packed.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            packed.extend(value);
        }
        packed
    }

    /// What [`Self::packed`] made.
    ///
    /// # Errors
    /// For what it did not make.
    pub fn unpack(packed: &[u8]) -> Result<Self> {
        let mut rest = packed;
        let mut values = Vec::new();
        while !rest.is_empty() {
            let one = rest.split_first_chunk().and_then(|(slot, rest)| {
                let (length, rest) = rest.split_first_chunk()?;
                let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
                Some((i64::from_be_bytes(*slot), rest.split_at_checked(length)?))
            });
            let (slot, (value, after)) = one.ok_or_else(|| Error::internal("what a record is found by is cut off"))?;
            values.push((slot, value.to_vec()));
            rest = after;
        }
        Ok(values.into_iter().collect())
    }
}

impl FromIterator<(i64, Vec<u8>)> for Values {
    fn from_iter<I: IntoIterator<Item = (i64, Vec<u8>)>>(values: I) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        Self(values)
    }
}

/// The slots of a registry: that of its keys, and those of its filters in their order.
#[derive(Debug, Clone)]
pub struct Slots {
    key: i64,
    filters: Vec<i64>,
}

impl Slots {
    /// Of a registry; for many records they are computed once.
    pub fn of(registry: &Registry) -> Self {
        let filters = registry.filters.iter();
        Self {
            key: slot(&registry.code, None),
            filters: filters.map(|filter| slot_of(registry, filter)).collect(),
        }
    }

    /// That of the keys.
    pub const fn key(&self) -> i64 {
        self.key
    }

    /// Everything by which a body of the registry is found: key and filters.
    pub fn entries(&self, registry: &Registry, key: &str, body: &Value) -> Values {
        let mut entries = vec![(self.key, key.as_bytes().to_vec())];
        let others = registry.filters.iter().zip(&self.filters);
        for (filter, slot) in others.filter(|(_, slot)| **slot != self.key) {
            let values = values_at(body, &filter.field).into_iter();
            entries.extend(values.filter_map(|value| Some((*slot, bytes(filter, value)?))));
        }
        entries.into_iter().collect()
    }
}

/// Everything by which a body is found: key and filters.
pub fn entries(registry: &Registry, key: &str, body: &Value) -> Values {
    Slots::of(registry).entries(registry, key, body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Operator;

    #[test]
    fn bytes_are_ordered_as_the_values_are() {
        let filter = Filter {
            field: "a".parse().expect("a field"),
            operators: vec![Operator::Range],
            folded: false,
        };
        let numbers = [-1e18, -2.5, -1.0, 0.0, 0.5, 1.0, 2.0, 1000.0, 9e15];
        let kept: Vec<_> = numbers
            .iter()
            .map(|n| bytes(&filter, &json!(n)).expect("kept"))
            .collect();
        assert!(kept.is_sorted());
        let folded = Filter { folded: true, ..filter };
        assert_eq!(
            bytes(&folded, &json!("Đặng  Văn ĐÔ")),
            bytes(&folded, &json!("dang van do"))
        );
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[b'a', 255]), Some(b"b".to_vec()));
        assert_eq!(after_prefix(&[255]), None);
    }

    #[test]
    fn what_a_record_is_found_by_is_kept_in_order_and_each_once() {
        let of = |values: &[(i64, &[u8])]| values.iter().map(|(slot, value)| (*slot, value.to_vec())).collect();
        let values: Values = of(&[(7, b"b"), (1, b""), (7, b"a"), (7, b"b"), (i64::MAX, &[0, 255])]);
        assert_eq!(values, of(&[(1, b""), (7, b"a"), (7, b"b"), (i64::MAX, &[0, 255])]));
        assert_eq!(values.of(7).collect::<Vec<_>>(), [b"a", b"b"]);

        let packed = values.packed();
        assert_eq!(packed.len(), 4 * 12 + 4);
        assert_eq!(Values::unpack(&packed).expect("whole"), values);
        assert!(Values::unpack(&packed[..packed.len() - 1]).is_err());
        assert!(Values::unpack(&packed[..5]).is_err());
        assert_eq!(
            Values::unpack(&Values::default().packed()).expect("none"),
            Values::default()
        );

        let between = |from: &[u8], before: &[u8]| Bound::Between {
            from: Some(from.to_vec()),
            before: Some(before.to_vec()),
        };
        assert!(values.meet(7, &between(b"b", b"c")));
        assert!(!values.meet(7, &between(b"c", b"d")));
        assert!(!values.meet(1, &between(b"a", b"c")));
        assert!(values.meet(7, &Bound::Is(b"a".to_vec())));
    }
}
