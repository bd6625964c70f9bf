//! Which pairs are looked at: records with equal keys, found by sorting numbers. A group that is too large is divided by a
//! further key or left out, and both are reported: nothing is quadratic in silence.

use hashbrown::HashMap;
use std::ops::Range;

use crate::compile::Rule;
use crate::model::LinkType;
use crate::program::{Column, Store};
use crate::table::{NULL, Records};

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

/// Records with one key: places in the sorted rows of either side.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) left: Range<usize>,
    pub(crate) right: Range<usize>,
}

/// All groups of one rule.
#[derive(Debug)]
pub(crate) struct Groups {
    left: Vec<u32>,
    /// `None` where both sides have the same keys.
    right: Option<Vec<u32>>,
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
        let mut joint = HashMap::new();
        let left_columns: Vec<usize> = rule.keys.iter().map(|(a, _)| *a).collect();
        let left = sorted_by_key(records.len(), store, &left_columns, &mut joint);
        let mut found = Self {
            left: Vec::new(),
            right: None,
            groups: Vec::new(),
            link_type,
            divided: HashMap::new(),
            parts: 0,
        };
        let mut runs = Vec::new();
        if symmetrical {
            for run in runs_of(&left) {
                runs.push(Group {
                    left: run.clone(),
                    right: run,
                });
            }
        } else {
            let right_columns: Vec<usize> = rule.keys.iter().map(|(_, b)| *b).collect();
            let right = sorted_by_key(records.len(), store, &right_columns, &mut joint);
            let right_runs: Vec<_> = runs_of(&right).collect();
            let mut right_runs = right_runs.into_iter().peekable();
            for run in runs_of(&left) {
                let key = left[run.start].0;
                while right_runs.next_if(|r| right[r.start].0 < key).is_some() {}
                if let Some(other) = right_runs.next_if(|r| right[r.start].0 == key) {
                    runs.push(Group {
                        left: run,
                        right: other,
                    });
                }
            }
            found.right = Some(right.into_iter().map(|(_, row)| row).collect());
        }
        found.left = left.into_iter().map(|(_, row)| row).collect();
        for run in runs {
            let pairs = found.at_most(&run, records);
            if pairs <= limit.pairs {
                if pairs > 0 {
                    found.groups.push(run);
                }
                continue;
            }
            let before = found.groups.len();
            let sample = found.left.get(run.left.start).copied().unwrap_or(0);
            let (records_in, value) = (run.left.len() as u64, describe(records, store, &left_columns, sample));
            for row in found.left.get(run.left.clone()).unwrap_or_default() {
                found.divided.insert(*row, 0);
            }
            if symmetrical {
                found.divide(run, records, store, limit, 0);
            }
            let kept = found.groups[before..].iter().map(|g| found.at_most(g, records)).sum();
            oversized.push(Oversized {
                rule: rule.sql.clone(),
                value,
                records: records_in,
                pairs,
                kept,
            });
        }
        found
    }

    /// Divides a group by the columns from the `n`-th on, until its parts are small enough; what has no value there, and
    /// what stays too large, is left out.
    fn divide(&mut self, group: Group, records: &Records, store: &Store, limit: Limit<'_>, n: usize) {
        let Some(column) = limit.divide_by.get(n) else { return };
        let Some(Column::Text(ids)) = store.columns.get(*column) else {
            return self.divide(group, records, store, limit, n + 1);
        };
        let value = |row: &u32| ids.get(*row as usize).copied().unwrap_or(NULL);
        let Some(rows) = self.left.get_mut(group.left.clone()) else {
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
                    for row in self.left.get(part.left.clone()).unwrap_or_default() {
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
        if self.right.is_some() {
            return left * right;
        }
        let all = left * left.saturating_sub(1) / 2;
        if self.link_type != LinkType::LinkOnly {
            return all;
        }
        // Rows are sorted, so those of one source stand together.
        let rows = self.left.get(group.left.clone()).unwrap_or_default();
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
            left: Vec::new(),
            right: None,
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
        let right_rows = self.right.as_ref().unwrap_or(&self.left);
        for place in group.left.clone() {
            let Some(&left) = self.left.get(place) else { continue };
            // With one key for both sides, what stands after it has not been its partner yet.
            let mut partners = group.right.clone();
            if self.right.is_none() {
                partners.start = partners.start.max(place + 1);
                if link_only {
                    let rest = self.left.get(partners.clone()).unwrap_or_default();
                    partners.start += rest.partition_point(|row| source(*row) == source(left));
                }
            }
            for &right in right_rows.get(partners).unwrap_or_default() {
                if left < right && !(link_only && source(left) == source(right)) {
                    visit(left, right);
                }
            }
        }
    }
}

/// The rows that have all keys, with one number for their keys together, sorted by it.
fn sorted_by_key(
    rows: usize,
    store: &Store,
    columns: &[usize],
    joint: &mut HashMap<(usize, u32, u32), u32>,
) -> Vec<(u32, u32)> {
    let mut keys: Vec<(u32, u32)> = Vec::with_capacity(rows);
    for (n, column) in columns.iter().enumerate() {
        let Some(Column::Text(ids)) = store.columns.get(*column) else {
            return Vec::new();
        };
        if n == 0 {
            keys.extend(
                ids.iter()
                    .enumerate()
                    .filter(|(_, id)| **id != NULL)
                    .map(|(row, id)| (*id, row as u32)),
            );
            continue;
        }
        keys.retain_mut(|(key, row)| {
            let id = ids.get(*row as usize).copied().unwrap_or(NULL);
            let next = joint.len() as u32;
            *key = *joint.entry((n, *key, id)).or_insert(next);
            id != NULL
        });
    }
    keys.sort_unstable();
    keys
}

fn runs_of(sorted: &[(u32, u32)]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    sorted.chunk_by(|a, b| a.0 == b.0).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}

fn describe(records: &Records, store: &Store, columns: &[usize], row: u32) -> String {
    let values = columns.iter().filter_map(|column| match store.columns.get(*column) {
        Some(Column::Text(ids)) => ids.get(row as usize).map(|id| records.dictionary.get(*id)),
        _ => None,
    });
    values.collect::<Vec<_>>().join(" · ")
}
