//! A model over some records: which pairs there are and how much speaks for each.

use base::{Error, Problems, Result};

use crate::block::{Groups, Limit, Oversized};
use crate::compile::{Compiler, Derived, Rule};
use crate::dictionary::NULL;
use crate::frequencies::Frequencies;
use crate::model::{Condition, LinkType, Model, When, probability_of};
use crate::parallel;
use crate::program::{Column, Judge, Store, Test};
use crate::sql::Side;
use crate::table::Records;
use crate::weights::{Counted, Weights};

/// How the work is done; it does not change what comes out, but for `group_limit`.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Threads.
    pub threads: usize,
    /// A group of records with one key that makes more pairs than this is divided by further keys; what cannot be divided
    /// is left out and reported.
    pub group_limit: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            threads: parallel::threads_here(),
            group_limit: 50_000_000,
        }
    }
}

/// A pair of records and how much speaks for their being of the same person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The number of the earlier record.
    pub left: u32,
    /// The number of the later one.
    pub right: u32,
    /// The blocking rule that found the pair, counted from 0: the first that holds.
    pub rule: u16,
    /// The weight in bits: log2 of the odds.
    pub weight: f64,
    /// The level of each comparison; see [`Linker::levels`].
    pub(crate) pattern: u64,
}

impl Scored {
    /// The weight as a probability.
    pub fn probability(&self) -> f64 {
        probability_of(self.weight)
    }
}

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    /// Pairs compared.
    pub pairs: u64,
    /// Of these, pairs at or above the threshold.
    pub kept: u64,
    /// Groups that were too large.
    pub oversized: Vec<Oversized>,
}

/// The tests of a comparison, level by level; the last level has none.
#[derive(Debug)]
struct Ladder {
    tests: Vec<Test>,
}

/// A model over some records.
#[derive(Debug)]
pub struct Linker {
    pub(crate) model: Model,
    pub(crate) records: Records,
    pub(crate) store: Store,
    derived: Derived,
    ladders: Vec<Ladder>,
    pub(crate) rules: Vec<Rule>,
    /// For each level with an adjustment, how often the values are met that it depends on.
    pub(crate) counted: Vec<Vec<Option<Counted>>>,
}

/// Pairs in one piece of work.
const PIECE: u64 = 1 << 15;
/// Pairs whose records are brought near together.
const NEAR: usize = 16;

impl Linker {
    /// Puts a model over records.
    ///
    /// # Errors
    /// Every condition that asks for a column that no file has, or that cannot be computed, at its JSON pointer:
    /// `unknown-column`, `blocking-without-equality`, `sql-…`; `too-many-levels`.
    pub fn new(model: Model, records: Records) -> Result<Self> {
        Self::with_frequencies(model, records, &Frequencies::default())
    }

    /// Puts a model over a few records of a whole, in which values are met so often.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_frequencies(model: Model, mut records: Records, frequencies: &Frequencies) -> Result<Self> {
        let columns = std::mem::take(&mut records.columns);
        let mut store = Store::new(columns.into_iter().map(Column::Text).collect());
        let mut derived = Derived::default();
        let mut compiler = Compiler {
            records: &mut records,
            store: &mut store,
            derived: &mut derived,
        };
        let mut problems = Problems::new();
        let (mut ladders, mut adjusted) = (Vec::new(), Vec::new());
        for (c, comparison) in model.comparisons.iter().enumerate() {
            let (mut tests, mut columns) = (Vec::new(), Vec::new());
            for (n, level) in comparison.levels.iter().enumerate() {
                let at = format!("/comparisons/{c}/comparison_levels/{n}");
                if let When::Missing(condition) | When::Holds(condition) = &level.when {
                    match compiler.test(&condition.expr) {
                        Ok(test) => tests.push(test),
                        Err(reason) => reason.add_to(&mut problems, format!("{at}/sql_condition")),
                    }
                }
                let column = level.term_frequency.as_ref().map(|tf| compiler.base_column(&tf.column));
                columns.push(match column.transpose() {
                    Ok(column) => column,
                    Err(reason) => {
                        reason.add_to(&mut problems, format!("{at}/tf_adjustment_column"));
                        None
                    }
                });
            }
            ladders.push(Ladder { tests });
            adjusted.push(columns);
        }
        let mut rules = Vec::new();
        for (n, rule) in model.blocking.iter().enumerate() {
            match compiler.rule(rule.sql(), &rule.expr) {
                Ok(rule) => rules.push(rule),
                Err(reason) => reason.add_to(&mut problems, format!("/blocking_rules_to_generate_predictions/{n}")),
            }
        }
        let patterns = model
            .comparisons
            .iter()
            .try_fold(1u64, |all, c| all.checked_mul(c.levels.len() as u64));
        if patterns.is_none() {
            problems.add(
                "too-many-levels",
                "/comparisons",
                "Mô hình có quá nhiều phép so sánh và mức.",
                "The model has too many comparisons and levels.",
            );
        }
        problems.into_result()?;
        let mut counts = Vec::new();
        let mut count = |column: usize| {
            let given = frequencies.of(&records, column);
            Counted::new(&mut store, column, &records.dictionary, given, &mut counts)
        };
        let of_levels = |levels: Vec<Option<usize>>| levels.into_iter().map(|column| column.map(&mut count)).collect();
        let counted = adjusted.into_iter().map(of_levels).collect();
        store.arrange(&records.dictionary);
        Ok(Self {
            model,
            records,
            store,
            derived,
            ladders,
            rules,
            counted,
        })
    }

    /// The model, with what training made of it.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The source of a record, by number.
    pub fn source_number(&self, row: u32) -> u16 {
        self.records.sources.get(row as usize).copied().unwrap_or(0)
    }

    /// The name of the source of a record.
    pub fn source(&self, row: u32) -> &str {
        self.records.source(row)
    }

    /// The id of a record within its source.
    pub fn id(&self, row: u32) -> &str {
        self.records.id(row)
    }

    /// The value of a record in a column of its file; `None` where it has none, or where there is no such column.
    pub fn value(&self, row: u32, column: &str) -> Option<&str> {
        match self.store.columns.get(self.records.column(column)?)? {
            Column::Text(ids) => {
                let id = *ids.get(row as usize)?;
                (id != NULL).then(|| self.records.dictionary.get(id))
            }
            _ => None,
        }
    }

    /// All pairs that the link type allows.
    pub(crate) fn all_pairs(&self) -> u64 {
        let pairs = |n: u64| n * n.saturating_sub(1) / 2;
        let all = pairs(self.records.len() as u64);
        match self.model.link_type {
            LinkType::LinkOnly => all - self.records.source_sizes().into_iter().map(pairs).sum::<u64>(),
            LinkType::DedupeOnly | LinkType::LinkAndDedupe => all,
        }
    }

    /// The level of each comparison for a scored pair.
    pub fn levels(&self, pair: &Scored) -> Vec<usize> {
        let all: Vec<usize> = (0..self.model.comparisons.len()).collect();
        self.decode(pair.pattern, &all)
    }

    /// The levels of the comparisons `active` out of a pattern.
    pub(crate) fn decode(&self, mut pattern: u64, active: &[usize]) -> Vec<usize> {
        let mut levels = vec![0; active.len()];
        for (level, c) in levels.iter_mut().zip(active).rev() {
            let base = self
                .model
                .comparisons
                .get(*c)
                .map_or(1, |c| c.levels.len() as u64)
                .max(1);
            *level = (pattern % base) as usize;
            pattern /= base;
        }
        levels
    }

    /// The level of a comparison for the pair that the judge looks at.
    #[inline]
    pub(crate) fn level(&self, judge: &mut Judge<'_>, comparison: usize) -> usize {
        let Some(ladder) = self.ladders.get(comparison) else {
            return 0;
        };
        let holds = ladder.tests.iter().position(|test| judge.holds(test) == Some(true));
        holds.unwrap_or(ladder.tests.len())
    }

    /// The levels of several comparisons as one number.
    #[inline]
    pub(crate) fn pattern(&self, judge: &mut Judge<'_>, active: &[usize]) -> u64 {
        let mut pattern = 0;
        for c in active {
            let base = self.ladders.get(*c).map_or(1, |l| l.tests.len() as u64 + 1);
            pattern = pattern * base + self.level(judge, *c) as u64;
        }
        pattern
    }

    pub(crate) fn judge(&self) -> Judge<'_> {
        Judge::new(&self.store, &self.records.dictionary)
    }

    /// Makes rules out of conditions; the pointer `at` says where they come from.
    pub(crate) fn rules_of(&mut self, conditions: &[Condition], at: &str) -> Result<Vec<Rule>> {
        let mut compiler = Compiler {
            records: &mut self.records,
            store: &mut self.store,
            derived: &mut self.derived,
        };
        let mut problems = Problems::new();
        let mut rules = Vec::new();
        for (n, condition) in conditions.iter().enumerate() {
            match compiler.rule(condition.sql(), &condition.expr) {
                Ok(rule) => rules.push(rule),
                Err(reason) => reason.add_to(&mut problems, format!("{at}/{n}")),
            }
        }
        problems.into_result()?;
        self.store.arrange(&self.records.dictionary);
        Ok(rules)
    }

    /// Visits each pair that one of the rules finds, once, under the first that does. A piece of work has its own state,
    /// whose results `sink` sees in order.
    pub(crate) fn scan<S: Default, T: Send>(
        &self,
        rules: &[Rule],
        effort: Effort,
        visit: impl Fn(&mut S, &mut Judge<'_>, u16, u32, u32) + Sync,
        finish: impl Fn(S) -> T + Sync,
        mut sink: impl FnMut(T, f64) -> Result<()>,
    ) -> Result<Vec<Oversized>> {
        let mut oversized = Vec::new();
        let mut earlier: Vec<Groups> = Vec::new();
        for (n, rule) in rules.iter().enumerate() {
            let divide_by = dividing_columns(rules, rule);
            let limit = Limit {
                pairs: effort.group_limit,
                divide_by: &divide_by,
            };
            let groups = Groups::new(
                &self.records,
                &self.store,
                rule,
                self.model.link_type,
                limit,
                &mut oversized,
            );
            let pieces = groups.pieces(PIECE);
            let before = &rules[..n];
            let mut done = 0;
            parallel::in_order(
                effort.threads,
                &pieces,
                || (self.judge(), Vec::new()),
                |(judge, pairs), piece| {
                    let mut state = S::default();
                    pairs.clear();
                    for group in piece {
                        groups.each(group, &self.records, |left, right| pairs.push((left, right)));
                    }
                    for near in pairs.chunks(NEAR) {
                        self.store.bring(near);
                        for (left, right) in near.iter().copied() {
                            judge.look_at(left, right);
                            let seen = before
                                .iter()
                                .zip(&earlier)
                                .any(|(rule, groups)| found_by(judge, rule) && groups.covers(left, right));
                            if !seen && rest_holds(judge, rule) {
                                visit(&mut state, judge, n as u16, left, right);
                            }
                        }
                    }
                    finish(state)
                },
                |result| {
                    done += 1;
                    let share = (n as f64 + f64::from(done) / pieces.len() as f64) / rules.len() as f64;
                    sink(result, share)
                },
            )?;
            earlier.push(groups.without_rows());
        }
        Ok(oversized)
    }

    /// Scores every pair that the blocking rules find. `sink` gets the pairs of at least `least` bits in a fixed order, some
    /// thousands at a time, and how much of the work is done, 0 to 1.
    ///
    /// # Errors
    /// `no-blocking-rules`; what `sink` returns.
    pub fn predict(
        &self,
        effort: Effort,
        least: f64,
        mut sink: impl FnMut(&[Scored], f64) -> Result<()>,
    ) -> Result<Looked> {
        self.predict_and(effort, least, |scored| scored, |scored, share| sink(&scored, share))
    }

    /// The same, with something to be done with the pairs that need not be done one after the other: `turn` is called by
    /// all threads.
    ///
    /// # Errors
    /// As [`Linker::predict`].
    pub(crate) fn predict_and<T: Send>(
        &self,
        effort: Effort,
        least: f64,
        turn: impl Fn(Vec<Scored>) -> T + Sync,
        mut sink: impl FnMut(T, f64) -> Result<()>,
    ) -> Result<Looked> {
        if self.rules.is_empty() {
            return Err(Error::refused(
                base::Kind::Invalid,
                "no-blocking-rules",
                "Mô hình không có quy tắc ghép khối nào nên không có cặp nào để so.",
                "The model has no blocking rules, so there are no pairs to compare.",
            ));
        }
        let weights = Weights::new(self);
        let levels: Vec<u64> = self
            .ladders
            .iter()
            .map(|ladder| ladder.tests.len() as u64 + 1)
            .collect();
        let mut looked = Looked::default();
        looked.oversized = self.scan(
            &self.rules,
            effort,
            |state: &mut (u64, Vec<Scored>), judge, rule, left, right| {
                state.0 += 1;
                let (mut pattern, mut weight) = (0, weights.prior);
                for (c, levels) in levels.iter().enumerate() {
                    let level = self.level(judge, c);
                    pattern = pattern * levels + level as u64;
                    weight += weights.of(c, level, left, right);
                }
                if weight >= least {
                    state.1.push(Scored {
                        left,
                        right,
                        rule,
                        weight,
                        pattern,
                    });
                }
            },
            |(pairs, scored)| (pairs, scored.len() as u64, turn(scored)),
            |(pairs, kept, turned), share| {
                looked.pairs += pairs;
                looked.kept += kept;
                sink(turned, share)
            },
        )?;
        Ok(looked)
    }

    /// Counts the outcomes of the comparisons `active` over the pairs that rules find: `(pattern, pairs)`, by pattern.
    pub(crate) fn count(&self, rules: &[Rule], active: &[usize], effort: Effort) -> Result<Vec<(u64, u64)>> {
        let mut counts = hashbrown::HashMap::<u64, u64>::new();
        self.scan(
            rules,
            effort,
            |state: &mut hashbrown::HashMap<u64, u64>, judge, _, _, _| {
                *state.entry(self.pattern(judge, active)).or_default() += 1;
            },
            |state| state,
            |state, _| {
                for (pattern, n) in state {
                    *counts.entry(pattern).or_default() += n;
                }
                Ok(())
            },
        )?;
        let mut counts: Vec<(u64, u64)> = counts.into_iter().collect();
        counts.sort_unstable();
        Ok(counts)
    }
}

/// Whether a rule finds the pair that the judge looks at.
#[inline]
fn found_by(judge: &mut Judge<'_>, rule: &Rule) -> bool {
    let equal = |(left, right): &(usize, usize)| {
        let key = judge.number_of(Side::Left, *left);
        key != NULL && key == judge.number_of(Side::Right, *right)
    };
    rule.keys.iter().all(equal) && rest_holds(judge, rule)
}

#[inline]
fn rest_holds(judge: &mut Judge<'_>, rule: &Rule) -> bool {
    rule.rest.iter().all(|test| judge.holds(test) == Some(true))
}

/// Columns that other rules compare as they are: with them a group too large is divided.
fn dividing_columns(rules: &[Rule], rule: &Rule) -> Vec<usize> {
    let mut columns = Vec::new();
    for (a, b) in rules.iter().flat_map(|r| &r.keys) {
        if a == b && !columns.contains(a) && !rule.keys.iter().any(|(own, _)| own == a) {
            columns.push(*a);
        }
    }
    columns
}
