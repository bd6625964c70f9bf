//! How often two different persons agree by chance: u, from random pairs.

use base::Result;

use crate::dictionary::NULL;
use crate::linker::Linker;
use crate::model::{Condition, LinkType};
use crate::parallel;
use crate::program::Column;

use super::Training;

pub(super) struct Random {
    pub(super) pairs: u64,
    pub(super) unseen: Vec<(String, String)>,
}

/// Random pairs are the pairs of a grid of random records, as many grids as it takes: records in the nearest cache are
/// compared several times as fast as ever new ones, and hardly less is learned.
const ROWS: u64 = 64;
const COLUMNS: u64 = 128;
/// Pairs in one piece of work.
const PIECE: u64 = ROWS * COLUMNS;
/// How often it is asked whether enough has been seen.
const TURNS: u64 = 50;

impl Linker {
    /// Learns u of every level that is not fixed.
    pub(super) fn learn_u(&mut self, training: &Training) -> Result<Random> {
        let all = self.all_pairs();
        let pairs = training.random_pairs.clamp(1, all);
        let every = pairs == all;
        let exact: Vec<Option<(usize, f64)>> = (0..self.model.comparisons.len()).map(|c| self.exact_u(c)).collect();
        let mut counts: Vec<Vec<u64>> = self.model.comparisons.iter().map(|c| vec![0; c.levels.len()]).collect();
        // Where only records of different sources are paired, a part of each grid is of no use.
        let rows = self.records.len() as f64;
        let useful = if every {
            1.0
        } else {
            all as f64 / (rows * (rows - 1.0) / 2.0)
        };
        let pieces: Vec<u64> = (0..(pairs as f64 / useful / PIECE as f64).ceil() as u64).collect();
        let turn = (pieces.len() as u64).div_ceil(TURNS).max(1) as usize;
        let mut looked = 0;
        for pieces in pieces.chunks(turn) {
            let open: Vec<usize> = (0..counts.len())
                .filter(|c| !self.has_enough(*c, &counts[*c], exact[*c], training.enough))
                .collect();
            if open.is_empty() {
                break;
            }
            let sizes: Vec<usize> = open.iter().map(|c| counts[*c].len()).collect();
            parallel::in_order(
                training.effort.threads,
                pieces,
                || self.judge(),
                |judge, piece| {
                    let mut counts: Vec<Vec<u64>> = sizes.iter().map(|n| vec![0; *n]).collect();
                    let pairs = if every {
                        self.all_of(*piece, pairs)
                    } else {
                        self.grid(training.seed, *piece)
                    };
                    for (left, right) in &pairs {
                        judge.look_at(*left, *right);
                        for (counts, c) in counts.iter_mut().zip(&open) {
                            if let Some(count) = counts.get_mut(self.level(judge, *c)) {
                                *count += 1;
                            }
                        }
                    }
                    (pairs.len() as u64, counts)
                },
                |(pairs, counted)| {
                    looked += pairs;
                    for (counted, c) in counted.into_iter().zip(&open) {
                        for (sum, n) in counts[*c].iter_mut().zip(counted) {
                            *sum += n;
                        }
                    }
                    Ok(())
                },
            )?;
        }
        let mut unseen = Vec::new();
        for (c, counts) in counts.iter().enumerate() {
            self.set_u(c, counts, exact[c], &mut unseen);
        }
        Ok(Random { pairs: looked, unseen })
    }

    /// The level of equal values, and its u from how often each value occurs: better than any sample, where nothing but a
    /// missing value comes before it.
    fn exact_u(&self, comparison: usize) -> Option<(usize, f64)> {
        let levels = &self.model.comparisons.get(comparison)?.levels;
        let at = levels.iter().position(|l| !l.is_missing())?;
        let columns = levels.get(at)?.when.condition().and_then(Condition::exact_columns)?;
        let [name] = columns.as_slice() else { return None };
        let plain = format!("{name}_l IS NULL OR {name}_r IS NULL").to_lowercase();
        let missing = levels.get(..at)?.iter().filter_map(|l| l.when.condition());
        for condition in missing {
            if condition.sql().replace(['"', '`'], "").to_lowercase() != plain {
                return None;
            }
        }
        let Column::Text(ids) = self.store.columns.get(self.records.column(name)?)? else {
            return None;
        };
        let u = self.chance_of_equal(ids);
        (u > 0.0).then_some((at, u))
    }

    /// How likely two values of records that may be paired are equal.
    fn chance_of_equal(&self, ids: &[u32]) -> f64 {
        // What was met before each part, within which nothing is paired: a source, or a single record.
        let mut times = vec![0u32; self.records.dictionary.len() + 1];
        let (mut met, mut equal, mut all) = (0u64, 0u64, 0u64);
        let linked = self.model.link_type == LinkType::LinkOnly;
        let mut rest = ids;
        for part in self.records.sources.chunk_by(|a, b| linked && a == b) {
            let (ids, later) = rest.split_at(part.len().min(rest.len()));
            rest = later;
            let there = || ids.iter().filter(|id| **id != NULL);
            for id in there() {
                equal += times.get(*id as usize).map_or(0, |n| u64::from(*n));
                all += met;
            }
            for id in there() {
                if let Some(n) = times.get_mut(*id as usize) {
                    *n += 1;
                }
                met += 1;
            }
        }
        if all > 0 { equal as f64 / all as f64 } else { 0.0 }
    }

    fn has_enough(&self, comparison: usize, counts: &[u64], exact: Option<(usize, f64)>, enough: u64) -> bool {
        let Some(comparison) = self.model.comparisons.get(comparison) else {
            return true;
        };
        comparison
            .levels
            .iter()
            .zip(counts)
            .enumerate()
            .all(|(n, (level, count))| {
                level.is_missing() || level.fix_u || exact.is_some_and(|(at, _)| at == n) || *count >= enough
            })
    }

    fn set_u(&mut self, c: usize, counts: &[u64], exact: Option<(usize, f64)>, unseen: &mut Vec<(String, String)>) {
        let Some(comparison) = self.model.comparisons.get_mut(c) else {
            return;
        };
        let sampled = |n: usize| exact.is_none_or(|(at, _)| at != n);
        let total: u64 = comparison
            .levels
            .iter()
            .zip(counts)
            .enumerate()
            .filter(|(n, (level, _))| !level.is_missing() && sampled(*n))
            .map(|(_, (_, count))| count)
            .sum();
        let rest = 1.0 - exact.map_or(0.0, |(_, u)| u);
        for (n, (level, count)) in comparison.levels.iter_mut().zip(counts).enumerate() {
            if level.is_missing() || level.fix_u {
                continue;
            }
            if let Some((_, u)) = exact.filter(|(at, _)| *at == n) {
                level.u = Some(u);
                continue;
            }
            if *count == 0 {
                unseen.push((comparison.name.clone(), level.label.clone()));
            }
            // What was never seen counts as half a pair: it is rare, not impossible.
            let seen = (*count as f64).max(0.5);
            level.u = Some((rest * seen / (total as f64).max(1.0)).min(1.0));
        }
    }

    /// The pair with a number, where all are taken in order.
    fn pair_number(&self, n: u64) -> Option<(u32, u32)> {
        if self.model.link_type == LinkType::LinkOnly {
            return self.linked_pair_number(n);
        }
        // The pair (i, j) with i < j has the number j(j-1)/2 + i.
        let mut j = ((1.0 + (1.0 + 8.0 * n as f64).sqrt()) / 2.0) as u64;
        while j * (j - 1) / 2 > n {
            j -= 1;
        }
        while j * (j + 1) / 2 <= n {
            j += 1;
        }
        Some(((n - j * (j - 1) / 2) as u32, j as u32))
    }

    /// The same where only records of different sources are paired: source after source, each record of it with all of
    /// the sources before.
    fn linked_pair_number(&self, mut n: u64) -> Option<(u32, u32)> {
        let mut before = 0;
        for size in self.records.source_sizes() {
            if before > 0 {
                if n < size * before {
                    return Some(((n % before) as u32, (before + n / before) as u32));
                }
                n -= size * before;
            }
            before += size;
        }
        None
    }

    /// The pairs of a piece, where all are taken in order.
    fn all_of(&self, piece: u64, pairs: u64) -> Vec<(u32, u32)> {
        (piece * PIECE..((piece + 1) * PIECE).min(pairs))
            .filter_map(|n| self.pair_number(n))
            .collect()
    }

    /// The pairs of random records that the link type allows; the same for the same seed and number.
    fn grid(&self, seed: u64, number: u64) -> Vec<(u32, u32)> {
        let records = self.records.len() as u64;
        let mut state = mixed(seed ^ mixed(number));
        let mut draw = |count: u64| -> Vec<u32> {
            let draw = |_| {
                state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                ((u128::from(mixed(state)) * u128::from(records)) >> 64) as u32
            };
            (0..count).map(draw).collect()
        };
        let (rows, columns) = (draw(ROWS), draw(COLUMNS));
        let link_only = self.model.link_type == LinkType::LinkOnly;
        let source = |row: u32| self.records.sources.get(row as usize);
        let mut pairs = Vec::with_capacity(PIECE as usize);
        for a in rows {
            for b in &columns {
                if a != *b && !(link_only && source(a) == source(*b)) {
                    pairs.push((a.min(*b), a.max(*b)));
                }
            }
        }
        pairs
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit of the outcome depends on every bit of the number.
const fn mixed(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}
