//! Which pairs are looked at: records with equal keys, found by sorting numbers. A group that is too large is divided by a
//! further key or left out, and both are reported: nothing is quadratic in silence.

use hashbrown::HashMap;
use std::ops::Range;

use crate::compile::Rule;
use crate::dictionary::NULL;
use crate::model::LinkType;
use crate::program::{Column, Store};
use crate::table::{MOST_RECORDS, Records};

/// A group that held more pairs than the limit allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Oversized {
    /// The blocking rule, as written.
    pub rule: String,
    /// The value that so many records share.
    pub value: String,
    /// How many records share it.
    pub records: u64,
    /// The pairs that they make.
    pub pairs: u64,
    /// The pairs that are looked at all the same, after dividing by further columns.
    pub kept: u64,
}

/// Records with one key: places in the rows, the same ones where both sides have the same keys.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) left: Range<usize>,
    pub(crate) right: Range<usize>,
}

/// All groups of one rule.
#[derive(Debug)]
pub(crate) struct Groups {
    /// The records, group after group; in each sorted, those of the left side before those of the right where the sides have
    /// different keys.
    rows: Vec<u32>,
    symmetrical: bool,
    /// In the order of their first records.
    groups: Vec<Group>,
    link_type: LinkType,
    /// The rows of groups that were too large, each with the part that it came into; 0 if into none.
    divided: HashMap<u32, u32>,
    parts: u32,
}

/// The limit for one group, and the columns that divide a group beyond it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit<'a> {
    pub(crate) pairs: u64,
    pub(crate) divide_by: &'a [usize],
}

impl Groups {
    /// Groups the records by the keys of a rule.
    pub(crate) fn new(
        records: &Records,
        store: &Store,
        rule: &Rule,
        link_type: LinkType,
        limit: Limit<'_>,
        oversized: &mut Vec<Oversized>,
    ) -> Self {
        let symmetrical = rule.keys.iter().all(|(a, b)| a == b);
        let mut found = Self {
            rows: Vec::new(),
            symmetrical,
            groups: Vec::new(),
            link_type,
            divided: HashMap::new(),
            parts: 0,
        };
        for run in Runs::new(records.len(), store, rule, symmetrical).each() {
            let start = found.rows.len();
            found.rows.extend(run.iter().map(|entry| row_of(*entry)));
            let of_left = run.partition_point(|entry| !is_right(*entry));
            let (left, right) = (start..start + of_left, start + of_left..found.rows.len());
            let group = Group {
                right: if symmetrical { left.clone() } else { right },
                left,
            };
            match found.at_most(&group, records) {
                0 => found.rows.truncate(start),
                pairs if pairs <= limit.pairs => found.groups.push(group),
                pairs => {
                    let too_large = found.take_apart(group, pairs, rule, records, store, limit);
                    oversized.push(too_large);
                }
            }
        }
        found
    }

    /// Divides a group that is too large, and says what becomes of it.
    fn take_apart(
        &mut self,
        group: Group,
        pairs: u64,
        rule: &Rule,
        records: &Records,
        store: &Store,
        limit: Limit<'_>,
    ) -> Oversized {
        let before = self.groups.len();
        let rows = self.rows.get(group.left.clone()).unwrap_or_default();
        let columns = rule.keys.iter().map(|(left, _)| *left);
        let value = describe(records, store, columns, rows.first().copied().unwrap_or(0));
        let records_in = rows.len() as u64;
        self.divided.extend(rows.iter().map(|row| (*row, 0)));
        if self.symmetrical {
            self.divide(group, records, store, limit, 0);
        }
        let parts = self.groups.get(before..).unwrap_or_default();
        Oversized {
            rule: rule.sql.clone(),
            value,
            records: records_in,
            pairs,
            kept: parts.iter().map(|part| self.at_most(part, records)).sum(),
        }
    }

    /// Divides a group by the columns from the `n`-th on, until its parts are small enough; what has no value there, and
    /// what stays too large, is left out.
    fn divide(&mut self, group: Group, records: &Records, store: &Store, limit: Limit<'_>, n: usize) {
        let Some(column) = limit.divide_by.get(n) else { return };
        let Some(Column::Text(ids)) = store.columns.get(*column) else {
            return self.divide(group, records, store, limit, n + 1);
        };
        let value = |row: &u32| ids.get(*row as usize).copied().unwrap_or(NULL);
        let Some(rows) = self.rows.get_mut(group.left.clone()) else {
            return;
        };
        rows.sort_unstable_by_key(|row| (value(row), *row));
        let mut parts = Vec::new();
        let mut start = group.left.start;
        for part in rows.chunk_by(|a, b| value(a) == value(b)) {
            let range = start..start + part.len();
            start = range.end;
            if part.first().is_some_and(|row| value(row) != NULL) {
                parts.push(range);
            }
        }
        for range in parts {
            let part = Group {
                left: range.clone(),
                right: range,
            };
            match self.at_most(&part, records) {
                0 => {}
                pairs if pairs <= limit.pairs => {
                    self.parts += 1;
                    for row in self.rows.get(part.left.clone()).unwrap_or_default() {
                        self.divided.insert(*row, self.parts);
                    }
                    self.groups.push(part);
                }
                _ => self.divide(part, records, store, limit, n + 1),
            }
        }
    }

    /// The pairs of a group, or a few more: for two different keys, each pair is counted in both orders.
    fn at_most(&self, group: &Group, records: &Records) -> u64 {
        let (left, right) = (group.left.len() as u64, group.right.len() as u64);
        if !self.symmetrical {
            return left * right;
        }
        let all = left * left.saturating_sub(1) / 2;
        if self.link_type != LinkType::LinkOnly {
            return all;
        }
        // Rows are sorted, so those of one source stand together.
        let rows = self.rows.get(group.left.clone()).unwrap_or_default();
        let source = |row: &u32| records.sources.get(*row as usize);
        let within: u64 = rows
            .chunk_by(|a, b| source(a) == source(b))
            .map(|part| part.len() as u64 * (part.len() as u64 - 1) / 2)
            .sum();
        all - within
    }

    /// Whether a pair with equal keys is really among the pairs of these groups, and not left out with a group too large.
    #[inline]
    pub(crate) fn covers(&self, left: u32, right: u32) -> bool {
        if self.divided.is_empty() {
            return true;
        }
        match self.divided.get(&left) {
            None => true,
            Some(0) => false,
            Some(part) => self.divided.get(&right) == Some(part),
        }
    }

    /// Only what [`Groups::covers`] needs, without the rows.
    pub(crate) fn without_rows(self) -> Self {
        Self {
            rows: Vec::new(),
            groups: Vec::new(),
            ..self
        }
    }

    /// Pieces of work of about `pairs` pairs each.
    pub(crate) fn pieces(&self, pairs: u64) -> Vec<Vec<Group>> {
        let mut pieces = Vec::new();
        let (mut piece, mut weight) = (Vec::new(), 0);
        for group in &self.groups {
            let width = (group.right.len() as u64).max(1);
            let step = (pairs / width).max(1) as usize;
            let mut start = group.left.start;
            while start < group.left.end {
                let end = (start + step).min(group.left.end);
                weight += (end - start) as u64 * width;
                piece.push(Group {
                    left: start..end,
                    right: group.right.clone(),
                });
                start = end;
                if weight >= pairs {
                    pieces.push(std::mem::take(&mut piece));
                    weight = 0;
                }
            }
        }
        if !piece.is_empty() {
            pieces.push(piece);
        }
        pieces
    }

    /// Calls `visit` with each pair of a group, the earlier record first.
    #[inline]
    pub(crate) fn each(&self, group: &Group, records: &Records, mut visit: impl FnMut(u32, u32)) {
        let source = |row: u32| records.sources.get(row as usize);
        let link_only = self.link_type == LinkType::LinkOnly;
        for place in group.left.clone() {
            let Some(&left) = self.rows.get(place) else { continue };
            // With one key for both sides, what stands after it has not been its partner yet.
            let mut partners = group.right.clone();
            if self.symmetrical {
                partners.start = partners.start.max(place + 1);
                if link_only {
                    let rest = self.rows.get(partners.clone()).unwrap_or_default();
                    partners.start += rest.partition_point(|row| source(*row) == source(left));
                }
            }
            for &right in self.rows.get(partners).unwrap_or_default() {
                if left < right && !(link_only && source(left) == source(right)) {
                    visit(left, right);
                }
            }
        }
    }
}

/// A record with its key in one number: the numbers of up to three texts, whether it is the right record of a pair, and its
/// own number. Sorted, they stand by key, side and record.
type Entry = u128;

const BITS_OF_ROW: u32 = MOST_RECORDS.trailing_zeros();
const RIGHT: Entry = 1 << BITS_OF_ROW;
const BITS_BELOW_KEY: u32 = BITS_OF_ROW + 1;

const fn row_of(entry: Entry) -> u32 {
    (entry & (RIGHT - 1)) as u32
}

const fn is_right(entry: Entry) -> bool {
    entry & RIGHT != 0
}

const fn key_of(entry: Entry) -> u128 {
    entry >> BITS_BELOW_KEY
}

/// Records with equal keys, next to each other and sorted, for each key that several have.
struct Runs {
    entries: Vec<Entry>,
    /// The first record of each run, and where in the entries the run begins and ends.
    places: Vec<(u32, u32, u32)>,
}

impl Runs {
    /// The records that have all keys of a rule; where both sides have the same, those of the left alone.
    fn new(rows: usize, store: &Store, rule: &Rule, symmetrical: bool) -> Self {
        let rights = if symmetrical {
            0..0
        } else {
            RIGHT..RIGHT + rows as Entry
        };
        let mut entries: Vec<Entry> = (0..rows as Entry).chain(rights).collect();
        let mut keys = rule.keys.as_slice();
        let mut room = 3;
        loop {
            let (now, later) = keys.split_at(room.min(keys.len()));
            let columns: Vec<[&[u32]; 2]> = now.iter().map(|(a, b)| [*a, *b].map(|c| texts_of(store, c))).collect();
            entries.retain_mut(|entry| with_key(entry, &columns));
            let mut runs = Self::sorted(entries);
            if later.is_empty() {
                runs.places.sort_unstable();
                return runs;
            }
            // One number for what was compared so far makes room for two more.
            entries = runs.numbered();
            (keys, room) = (later, 2);
        }
    }

    fn sorted(entries: Vec<Entry>) -> Self {
        let entries = sorted_in_parts(entries);
        let mut places = Vec::new();
        let mut end = 0;
        for run in entries.chunk_by(|a, b| key_of(*a) == key_of(*b)) {
            let start = end;
            end += run.len() as u32;
            if let [first, _, ..] = run {
                places.push((row_of(*first), start, end));
            }
        }
        Self { entries, places }
    }

    /// The entries of all runs, with the number of the run as their key.
    fn numbered(&self) -> Vec<Entry> {
        let mut numbered = Vec::new();
        for (number, run) in (0..).zip(self.each()) {
            let below = (1 << BITS_BELOW_KEY) - 1;
            numbered.extend(run.iter().map(|entry| number << BITS_BELOW_KEY | entry & below));
        }
        numbered
    }

    fn each(&self) -> impl Iterator<Item = &[Entry]> {
        let run = |(_, start, end): &(u32, u32, u32)| self.entries.get(*start as usize..*end as usize);
        self.places.iter().filter_map(run)
    }
}

/// Puts more columns into the key of an entry; `false` where the record has no value in one of them.
fn with_key(entry: &mut Entry, columns: &[[&[u32]; 2]]) -> bool {
    let (row, below) = (row_of(*entry) as usize, *entry & ((1 << BITS_BELOW_KEY) - 1));
    let mut key = key_of(*entry);
    for [left, right] in columns {
        let column = if is_right(*entry) { right } else { left };
        let number = column.get(row).copied().unwrap_or(NULL);
        if number == NULL {
            return false;
        }
        key = key << 32 | u128::from(number);
    }
    *entry = key << BITS_BELOW_KEY | below;
    true
}

/// Entries that are sorted together: so many fit into the nearest caches.
const PART: usize = 1 << 10;
/// More parts than this are not dealt to at once: each has its own page of memory.
const MOST_PARTS: usize = 1 << 11;

/// Sorts entries with equal keys, which come to stand next to each other; the keys are in no order, but always the same one.
fn sorted_in_parts(mut entries: Vec<Entry>) -> Vec<Entry> {
    let bits = (entries.len() / PART).min(MOST_PARTS).checked_ilog2().unwrap_or(0);
    if bits == 0 {
        entries.sort_unstable();
        return entries;
    }
    let part_of = |entry: Entry| {
        let key = key_of(entry);
        let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(40);
        (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - bits)) as usize
    };
    let mut places = vec![0usize; 1 << bits];
    for entry in &entries {
        if let Some(count) = places.get_mut(part_of(*entry)) {
            *count += 1;
        }
    }
    let mut start = 0;
    for place in &mut places {
        start += std::mem::replace(place, start);
    }
    let mut dealt: Vec<Entry> = vec![0; entries.len()];
    for entry in entries {
        if let Some(place) = places.get_mut(part_of(entry)) {
            if let Some(slot) = dealt.get_mut(*place) {
                *slot = entry;
            }
            *place += 1;
        }
    }
    // Each place has moved on to the end of its part.
    let mut rest = dealt.as_mut_slice();
    let mut start = 0;
    for end in places {
        let (part, others) = rest.split_at_mut(end - start);
        part.sort_unstable();
        (rest, start) = (others, end);
    }
    dealt
}

fn texts_of(store: &Store, column: usize) -> &[u32] {
    match store.columns.get(column) {
        Some(Column::Text(numbers)) => numbers,
        _ => &[],
    }
}

fn describe(records: &Records, store: &Store, columns: impl Iterator<Item = usize>, row: u32) -> String {
    let number = |column| texts_of(store, column).get(row as usize).copied();
    let values = columns.filter_map(|column| Some(records.dictionary.get(number(column)?)));
    values.collect::<Vec<_>>().join(" · ")
}
