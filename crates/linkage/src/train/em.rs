//! Expectation maximisation over counts of outcomes: a round costs as much as there are different outcomes, however many
//! pairs there are.

use crate::model::Model;

use super::Round;

/// What a round leaves alone; u it always does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fixed {
    pub(super) m: bool,
}

/// The state between rounds.
#[derive(Debug)]
pub(super) struct Em {
    /// The level of each comparison, and how many pairs show them.
    patterns: Vec<(Vec<usize>, f64)>,
    comparisons: Vec<Parameters>,
    share: f64,
    /// Pairs in all, those that no pattern stands for included.
    total: f64,
}

#[derive(Debug)]
struct Parameters {
    m: Vec<f64>,
    u: Vec<f64>,
    missing: Vec<bool>,
    fixed: Vec<bool>,
    seen: Vec<bool>,
}

/// No probability falls below this: an outcome never seen among matches is unlikely, not impossible.
const LEAST: f64 = 1e-9;

impl Em {
    /// Starts with what the model has, over outcomes of the comparisons `active`.
    pub(super) fn new(model: &Model, active: &[usize], patterns: Vec<(Vec<usize>, f64)>, share: f64) -> Self {
        let comparisons =
            active
                .iter()
                .filter_map(|c| model.comparisons.get(*c))
                .enumerate()
                .map(|(at, comparison)| {
                    let m_u: Vec<(f64, f64)> = (0..comparison.levels.len()).map(|n| comparison.m_u(n)).collect();
                    let mut seen = vec![false; m_u.len()];
                    for (levels, _) in &patterns {
                        if let Some(seen) = levels.get(at).and_then(|l| seen.get_mut(*l)) {
                            *seen = true;
                        }
                    }
                    Parameters {
                        m: m_u.iter().map(|(m, _)| m.max(LEAST)).collect(),
                        u: m_u.iter().map(|(_, u)| u.max(LEAST)).collect(),
                        missing: comparison.levels.iter().map(crate::model::Level::is_missing).collect(),
                        fixed: comparison.levels.iter().map(|l| l.fix_m).collect(),
                        seen,
                    }
                });
        let comparisons = comparisons.collect();
        let total = patterns.iter().map(|(_, n)| n).sum();
        Self {
            patterns,
            comparisons,
            share,
            total,
        }
    }

    /// The patterns stand for only a part of so many pairs; the others match with no probability worth counting.
    pub(super) fn among(&mut self, total: f64) {
        self.total = total;
    }

    /// The share of matches.
    pub(super) fn share(&self) -> f64 {
        self.share
    }

    /// For each comparison and level, m; `None` where nothing was learned of it.
    pub(super) fn seen_m(&self) -> Vec<Vec<Option<f64>>> {
        let of = |p: &Parameters| {
            let levels = p.m.iter().zip(&p.seen).zip(&p.missing);
            levels
                .map(|((m, seen), missing)| (*seen && !missing).then_some(*m))
                .collect()
        };
        self.comparisons.iter().map(of).collect()
    }

    /// One round: how likely each outcome is a match, and what follows from that.
    pub(super) fn round(&mut self, fixed: Fixed) -> Round {
        let mut matches = 0.0;
        let mut log_likelihood = 0.0;
        let mut counts: Vec<Vec<f64>> = self.comparisons.iter().map(|p| vec![0.0; p.m.len()]).collect();
        for (levels, n) in &self.patterns {
            let (mut of_match, mut of_other) = (self.share, 1.0 - self.share);
            for (parameters, level) in self.comparisons.iter().zip(levels) {
                if !parameters.missing.get(*level).copied().unwrap_or(true) {
                    of_match *= parameters.m.get(*level).copied().unwrap_or(1.0);
                    of_other *= parameters.u.get(*level).copied().unwrap_or(1.0);
                }
            }
            let either = (of_match + of_other).max(f64::MIN_POSITIVE);
            let expected = n * of_match / either;
            log_likelihood += n * either.ln();
            matches += expected;
            for (counts, level) in counts.iter_mut().zip(levels) {
                if let Some(count) = counts.get_mut(*level) {
                    *count += expected;
                }
            }
        }
        let share = (matches / self.total.max(1.0)).clamp(1e-12, 1.0 - 1e-12);
        let mut change = (share - self.share).abs();
        self.share = share;
        if !fixed.m {
            for (parameters, counts) in self.comparisons.iter_mut().zip(counts) {
                change = change.max(parameters.update(&counts));
            }
        }
        Round {
            change,
            share,
            log_likelihood,
        }
    }
}

impl Parameters {
    /// Takes m from expected counts; returns the largest change. Levels that are fixed keep theirs, and the others share
    /// the rest.
    fn update(&mut self, counts: &[f64]) -> f64 {
        let speaking = |n: &usize| !self.missing[*n];
        let fixed: f64 = (0..self.m.len())
            .filter(speaking)
            .filter(|n| self.fixed[*n])
            .map(|n| self.m[n])
            .sum();
        let free: Vec<usize> = (0..self.m.len()).filter(speaking).filter(|n| !self.fixed[*n]).collect();
        let total: f64 = free.iter().map(|n| counts[*n]).sum();
        if total <= 0.0 {
            return 0.0;
        }
        let mut change = 0.0f64;
        for n in free {
            let m = ((1.0 - fixed).max(0.0) * counts[n] / total).max(LEAST);
            change = change.max((m - self.m[n]).abs());
            self.m[n] = m;
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model() -> Model {
        let comparison = |name: &str| {
            format!(
                r#"{{"output_column_name": "{name}", "comparison_levels": [
                  {{"sql_condition": "{name}_l IS NULL OR {name}_r IS NULL", "is_null_level": true}},
                  {{"sql_condition": "{name}_l = {name}_r", "m_probability": 0.9, "u_probability": 0.1}},
                  {{"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.9}}]}}"#
            )
        };
        let comparisons = ["a", "b", "c"].map(comparison).join(",");
        Model::from_json(&format!(
            r#"{{"link_type": "dedupe_only", "probability_two_random_records_match": 0.2,
                "blocking_rules_to_generate_predictions": [], "comparisons": [{comparisons}]}}"#
        ))
        .expect("a model")
    }

    #[test]
    fn one_round_by_hand() {
        // Share 0.2: agreeing everywhere 0.2 x 0.729 against 0.8 x 0.001; disagreeing everywhere 0.2 x 0.001 against 0.8 x 0.729.
        let mut em = Em::new(
            &model(),
            &[0, 1, 2],
            vec![(vec![1, 1, 1], 10.0), (vec![2, 2, 2], 30.0)],
            0.2,
        );
        let round = em.round(Fixed::default());
        let (agreeing, other) = (0.1458 / (0.1458 + 0.0008), 0.0002 / (0.0002 + 0.5832));
        let matches = 10.0 * agreeing + 30.0 * other;
        assert!((round.share - matches / 40.0).abs() < 1e-12);
        let m = em.seen_m()[0][1].expect("seen");
        assert!((m - 10.0 * agreeing / matches).abs() < 1e-12);
        assert_eq!(em.seen_m()[0][0], None, "a missing value has no m");
        let likelihood = 10.0 * (0.1466f64).ln() + 30.0 * (0.5834f64).ln();
        assert!((round.log_likelihood - likelihood).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_likelihood_never_falls(
            counts in prop::collection::vec((prop::collection::vec(0usize..3, 3), 1u32..1000), 1..20),
            share in 0.001f64..0.999,
        ) {
            let patterns = counts.into_iter().map(|(levels, n)| (levels, f64::from(n))).collect();
            let mut em = Em::new(&model(), &[0, 1, 2], patterns, share);
            let mut last = f64::NEG_INFINITY;
            for _ in 0..50 {
                let round = em.round(Fixed::default());
                // What is lost is the rounding of sums of many terms, and the floor under probabilities.
                prop_assert!(round.log_likelihood >= last - 1e-6 * round.log_likelihood.abs().max(1.0));
                last = round.log_likelihood;
            }
        }
    }
}
