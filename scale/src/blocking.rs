//! Which records are compared under a rule: those with one key, and where these are too many, those that agree in more.

use linkage::Oversized;

use crate::grouping::{Entry, number_of};

/// How large a group may be, and what pairs are.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The most pairs that one key may make.
    pub pairs: u64,
    /// Only records of different sources are paired.
    pub across_sources: bool,
}

/// What is compared under a rule.
#[derive(Debug, Default)]
pub struct Compared {
    /// Pairs with one key; some of them an earlier rule finds as well.
    pub pairs: u64,
    /// Keys that were too common.
    pub oversized: Vec<Oversized>,
}

/// The number of the group of each record: `None` where it has no partner, or where its group is too large and cannot be
/// divided. It is what [`linkage::Linker`] does within one machine; `compared` is added to.
pub fn groups(entries: &[Entry], rule: &str, limit: Limit, compared: &mut Compared) -> Vec<Option<u64>> {
    let mut numbers = vec![None; entries.len()];
    let mut rows: Vec<(&Entry, usize)> = entries.iter().zip(0..).collect();
    rows.sort_unstable_by(|(a, n), (b, m)| (&a.key, a.source, n).cmp(&(&b.key, b.source, m)));
    for group in rows.chunk_by_mut(|(a, _), (b, _)| a.key == b.key) {
        let (pairs, records) = (limit.pairs_of(group), group.len() as u64);
        let Some(key) = group.first().map(|(entry, _)| entry.key.clone()) else {
            continue;
        };
        if pairs <= limit.pairs {
            limit.name(group, &key, &mut numbers);
            compared.pairs += pairs;
            continue;
        }
        let kept = limit.divide(group, 0, &key, &mut numbers);
        compared.pairs += kept;
        compared.oversized.push(Oversized {
            rule: rule.to_owned(),
            value: values(&key).join(" · "),
            records,
            pairs,
            kept,
        });
    }
    numbers
}

impl Limit {
    /// Pairs of records that stand sorted by source.
    fn pairs_of(self, group: &[(&Entry, usize)]) -> u64 {
        let pairs = |n: usize| n as u64 * (n as u64).saturating_sub(1) / 2;
        let within = group.chunk_by(|(a, _), (b, _)| a.source == b.source);
        let within: u64 = within.map(|part| pairs(part.len())).sum();
        pairs(group.len()) - if self.across_sources { within } else { 0 }
    }

    /// Gives a group its number, if it makes pairs.
    fn name(self, group: &[(&Entry, usize)], of: &[u8], numbers: &mut [Option<u64>]) {
        if self.pairs_of(group) == 0 {
            return;
        }
        let number = number_of(of);
        for (_, row) in group {
            if let Some(slot) = numbers.get_mut(*row) {
                *slot = Some(number);
            }
        }
    }

    /// Divides a group by the values from the `n`-th on until its parts are small enough; gives how many pairs are left.
    /// What has no value there, and what stays too large, is left out.
    fn divide(self, group: &mut [(&Entry, usize)], n: usize, of: &[u8], numbers: &mut [Option<u64>]) -> u64 {
        fn value<'e>(entry: &'e Entry, n: usize) -> Option<&'e str> {
            entry.dividing.get(n)?.as_deref()
        }
        if group.first().is_none_or(|(entry, _)| n >= entry.dividing.len()) {
            return 0;
        }
        group.sort_unstable_by(|(a, x), (b, y)| (value(a, n), a.source, x).cmp(&(value(b, n), b.source, y)));
        let mut kept = 0;
        for part in group.chunk_by_mut(|(a, _), (b, _)| value(a, n) == value(b, n)) {
            let Some(divided_by) = part.first().and_then(|(entry, _)| value(entry, n)) else {
                continue;
            };
            let mut of = of.to_vec();
            push(&mut of, &format!("{n}"));
            push(&mut of, divided_by);
            let pairs = self.pairs_of(part);
            if pairs <= self.pairs {
                self.name(part, &of, numbers);
                kept += pairs;
            } else {
                kept += self.divide(part, n + 1, &of, numbers);
            }
        }
        kept
    }
}

/// Adds a value to a key; no two lists of values make one key.
pub fn push(key: &mut Vec<u8>, value: &str) {
    key.extend((value.len() as u32).to_le_bytes());
    key.extend(value.as_bytes());
}

/// The values of a key, as [`push`] added them.
pub fn values(mut key: &[u8]) -> Vec<String> {
    let mut values = Vec::new();
    while let Some((length, rest)) = key.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (value, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        values.push(String::from_utf8_lossy(value).into_owned());
        key = rest;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: u16, key: &str, dividing: &[Option<&str>]) -> Entry {
        let mut bytes = Vec::new();
        push(&mut bytes, key);
        Entry {
            source,
            key: bytes,
            dividing: dividing.iter().map(|value| value.map(str::to_owned)).collect(),
        }
    }

    fn of(entries: &[Entry], pairs: u64, across_sources: bool) -> (Vec<Option<u64>>, Vec<Oversized>) {
        let mut compared = Compared::default();
        let limit = Limit { pairs, across_sources };
        let groups = groups(entries, "rule", limit, &mut compared);
        (groups, compared.oversized)
    }

    #[test]
    fn who_has_no_partner_has_no_group() {
        let entries = [
            entry(0, "a", &[]),
            entry(1, "b", &[]),
            entry(0, "b", &[]),
            entry(0, "c", &[]),
            entry(0, "c", &[]),
        ];
        let (groups, oversized) = of(&entries, 10, true);
        assert!(oversized.is_empty());
        assert!(groups[1].is_some() && groups[1] == groups[2]);
        assert_eq!(
            (groups[0], groups[3], groups[4]),
            (None, None, None),
            "c is in one source alone"
        );
        let (groups, _) = of(&entries, 10, false);
        assert!(groups[3].is_some() && groups[3] == groups[4] && groups[3] != groups[1]);
    }

    #[test]
    fn a_group_too_large_is_divided_and_told() {
        let by = |a, b| [Some(a), b];
        let mut entries: Vec<Entry> = (0..10)
            .map(|n| entry(n % 2, "01/01", &by("hn", Some(["x", "y"][usize::from(n > 5)]))))
            .collect();
        entries.push(entry(0, "01/01", &[None, Some("x")]));
        entries.push(entry(1, "01/01", &by("hcm", None)));
        entries.push(entry(0, "01/01", &by("hcm", None)));
        // 25 pairs in Hanoi are too many, 9 and 4 of them are not.
        let (groups, oversized) = of(&entries, 9, true);
        assert_eq!(oversized.len(), 1);
        let told = &oversized[0];
        assert_eq!((told.value.as_str(), told.records, told.kept), ("01/01", 13, 9 + 4 + 1));
        assert!(groups[0] == groups[5] && groups[6] == groups[9] && groups[0] != groups[6]);
        assert!(groups[11] == groups[12] && groups[11].is_some() && groups[11] != groups[0]);
        assert_eq!(groups[10], None, "no value to divide by");
        let (groups, oversized) = of(&entries, 3, true);
        assert_eq!(oversized[0].kept, 1);
        assert_eq!(groups[0], None);
    }

    #[test]
    fn keys_of_several_values_are_not_mixed_up() {
        let key = |values: &[&str]| {
            let mut key = Vec::new();
            values.iter().for_each(|value| push(&mut key, value));
            key
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(values(&key(&["nguyễn", "01/01"])), ["nguyễn", "01/01"]);
    }
}
