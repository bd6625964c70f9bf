//! Training without labels: u from random pairs, m by expectation maximisation over the pairs of one blocking rule after
//! another, the prior from rules that are right by themselves or from the candidates.

mod em;
mod random;

use base::{Error, Kind, Result};

use crate::linker::{Effort, Linker};
use crate::model::{Condition, Model};
use em::{Em, Fixed};

/// How a model is trained.
#[derive(Debug, Clone)]
pub struct Training {
    /// How the work is done.
    pub effort: Effort,
    /// What the random pairs depend on.
    pub seed: u64,
    /// Random pairs at most; where there are no more pairs than this, all are taken.
    pub random_pairs: u64,
    /// A comparison needs no further random pairs once each of its levels was seen so often.
    pub enough: u64,
    /// The rules whose pairs m is learned from, one after the other; without any, the blocking rules of the model. A
    /// comparison learns nothing from a rule that speaks of one of its columns.
    pub rules: Vec<Condition>,
    /// Where the prior comes from.
    pub prior: Prior,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            effort: Effort::default(),
            seed: 1,
            random_pairs: 1_000_000,
            enough: 100,
            rules: Vec::new(),
            prior: Prior::Candidates,
        }
    }
}

impl Training {
    /// The columns that its rules speak of, some more than once.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let certain = match &self.prior {
            Prior::Rules(conditions, _) => conditions.as_slice(),
            Prior::Kept | Prior::Candidates => &[],
        };
        self.rules.iter().chain(certain).flat_map(|rule| rule.expr.columns())
    }
}

/// Where the probability that two random records match comes from.
#[derive(Debug, Clone)]
pub enum Prior {
    /// It stays as the model has it.
    Kept,
    /// Pairs that rules find which are hardly ever wrong, over the share of all true pairs that they are thought to find.
    Rules(Vec<Condition>, f64),
    /// The matches that the trained model expects among the pairs of the blocking rules, over all pairs.
    Candidates,
}

/// What training did.
#[derive(Debug, Clone, Default)]
pub struct Trained {
    /// Random pairs that u was learned from.
    pub random_pairs: u64,
    /// Levels that no random pair showed, as (comparison, label): their u is that of half a pair.
    pub unseen_u: Vec<(String, String)>,
    /// One per rule.
    pub sessions: Vec<Session>,
    /// Levels that no session could learn m of, as (comparison, label).
    pub untrained: Vec<(String, String)>,
    /// The prior.
    pub prior: f64,
}

/// What was learned from the pairs of one rule.
#[derive(Debug, Clone)]
pub struct Session {
    /// The rule, as written.
    pub rule: String,
    /// Its pairs.
    pub pairs: u64,
    /// The comparisons that learned from it.
    pub learned: Vec<String>,
    /// Round after round.
    pub rounds: Vec<Round>,
    /// Whether it ended because nothing changed any more.
    pub converged: bool,
}

/// One round of expectation maximisation.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// The largest change of any parameter.
    pub change: f64,
    /// The share of matches among the pairs.
    pub share: f64,
    /// The logarithm of how likely the model makes what was seen, before the round; it never falls.
    pub log_likelihood: f64,
}

impl Linker {
    /// Trains the model; `progress` hears how much is done, 0 to 1.
    ///
    /// # Errors
    /// `nothing-to-train-on` where no two records may be paired; `sql-…`, `unknown-column` and `blocking-without-equality`
    /// for the rules; `recall` for one outside 0 to 1 or one that the rules contradict.
    pub fn train(&mut self, training: &Training, mut progress: impl FnMut(f64)) -> Result<Trained> {
        if self.all_pairs() == 0 {
            return Err(refuse(
                "nothing-to-train-on",
                "Không có hai bản ghi nào được phép ghép cặp nên không thể huấn luyện.",
                "No two records may be paired, so there is nothing to train on.",
            ));
        }
        let mut trained = Trained::default();
        let given = if training.rules.is_empty() {
            self.model.blocking.clone()
        } else {
            training.rules.clone()
        };
        let rules = self.rules_of(&given, "/rules")?;
        let random = self.learn_u(training)?;
        trained.random_pairs = random.pairs;
        trained.unseen_u = random.unseen;
        progress(0.5);

        let mut learned: Vec<Vec<Vec<f64>>> = self
            .model
            .comparisons
            .iter()
            .map(|c| vec![Vec::new(); c.levels.len()])
            .collect();
        for (n, (condition, rule)) in given.iter().zip(rules).enumerate() {
            let columns = condition.expr.columns();
            let active: Vec<usize> = (0..self.model.comparisons.len())
                .filter(|c| {
                    !self.model.comparisons[*c]
                        .columns()
                        .iter()
                        .any(|name| columns.contains(name))
                })
                .collect();
            let session = self.session(&active, condition, &[rule], training, &mut learned)?;
            trained.sessions.push(session);
            progress(0.5 + 0.4 * (n + 1) as f64 / given.len() as f64);
        }
        for (comparison, learned) in self.model.comparisons.iter().zip(&learned) {
            for (level, learned) in comparison.levels.iter().zip(learned) {
                if !level.is_missing() && !level.fix_m && learned.is_empty() {
                    trained.untrained.push((comparison.name.clone(), level.label.clone()));
                }
            }
        }
        self.learn_prior(training)?;
        trained.prior = self.model.prior;
        progress(1.0);
        Ok(trained)
    }

    /// Learns m from the pairs of one rule, and puts the median of all sessions so far into the model.
    fn session(
        &mut self,
        active: &[usize],
        condition: &Condition,
        rule: &[crate::compile::Rule],
        training: &Training,
        learned: &mut [Vec<Vec<f64>>],
    ) -> Result<Session> {
        let counts = if active.is_empty() {
            Vec::new()
        } else {
            self.count(rule, active, training.effort)?
        };
        let pairs = counts.iter().map(|(_, n)| n).sum();
        let mut session = Session {
            rule: condition.sql().to_owned(),
            pairs,
            learned: active
                .iter()
                .filter_map(|c| Some(self.model.comparisons.get(*c)?.name.clone()))
                .collect(),
            rounds: Vec::new(),
            converged: false,
        };
        if pairs == 0 {
            session.learned.clear();
            return Ok(session);
        }
        let patterns = counts
            .iter()
            .map(|(pattern, n)| (self.decode(*pattern, active), *n as f64))
            .collect();
        let mut em = Em::new(&self.model, active, patterns, prior_within(&self.model, condition));
        while session.rounds.len() < self.model.max_iterations as usize {
            let round = em.round(Fixed::default());
            session.rounds.push(round);
            if round.change < self.model.convergence {
                session.converged = true;
                break;
            }
        }
        for (c, levels) in active.iter().zip(em.seen_m()) {
            for (level, m) in levels.into_iter().enumerate() {
                let (Some(m), Some(all)) = (m, learned.get_mut(*c).and_then(|l| l.get_mut(level))) else {
                    continue;
                };
                all.push(m);
                if let Some(level) = self.model.comparisons.get_mut(*c).and_then(|c| c.levels.get_mut(level))
                    && !level.fix_m
                {
                    level.m = Some(median(all));
                }
            }
        }
        Ok(session)
    }

    fn learn_prior(&mut self, training: &Training) -> Result<()> {
        let all = self.all_pairs() as f64;
        match &training.prior {
            Prior::Kept => {}
            Prior::Rules(conditions, recall) => {
                let rules = self.rules_of(conditions, "/deterministic")?;
                let found: u64 = self.count(&rules, &[], training.effort)?.iter().map(|(_, n)| n).sum();
                let prior = found as f64 / recall / all;
                if !(*recall > 0.0 && *recall <= 1.0) || prior >= 1.0 {
                    return Err(refuse(
                        "recall",
                        format!("Tỷ lệ tìm thấy phải lớn hơn {:.3} và không quá 1.", found as f64 / all),
                        format!("The recall must be above {:.3} and not above 1.", found as f64 / all),
                    ));
                }
                self.model.prior = prior.max(0.5 / all);
            }
            Prior::Candidates => {
                let active: Vec<usize> = (0..self.model.comparisons.len()).collect();
                let counts = self.count(&self.rules, &active, training.effort)?;
                let patterns = counts
                    .iter()
                    .map(|(p, n)| (self.decode(*p, &active), *n as f64))
                    .collect();
                let mut em = Em::new(&self.model, &active, patterns, self.model.prior);
                em.among(all);
                for _ in 0..100 {
                    if em.round(Fixed { m: true }).change < 1e-4 * em.share() {
                        break;
                    }
                }
                self.model.prior = em.share().clamp(0.5 / all, 0.999);
            }
        }
        Ok(())
    }
}

/// The share of matches among the pairs of a rule: the prior, raised by what equal values of its columns say.
fn prior_within(model: &Model, rule: &Condition) -> f64 {
    let mut columns: Vec<String> = Vec::new();
    for part in rule.expr.conjuncts() {
        columns.extend(part.columns().iter().map(|c| c.to_lowercase()));
    }
    let mut exact: Vec<(Vec<String>, f64)> = Vec::new();
    for comparison in &model.comparisons {
        for (n, level) in comparison.levels.iter().enumerate() {
            if let Some(columns) = level
                .when
                .condition()
                .filter(|_| !level.is_missing())
                .and_then(Condition::exact_columns)
            {
                exact.push((columns.iter().map(|c| c.to_lowercase()).collect(), comparison.weight(n)));
            }
        }
    }
    // A level for several columns at once knows better how they go together.
    exact.sort_by_key(|(columns, _)| std::cmp::Reverse(columns.len()));
    let mut weight = crate::model::weight_of(model.prior);
    for (of, bits) in exact {
        if of.iter().all(|c| columns.contains(c)) {
            columns.retain(|c| !of.contains(c));
            weight += bits;
        }
    }
    crate::model::probability_of(weight).clamp(1e-9, 1.0 - 1e-9)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2) {
        (Some(upper), 0) => (sorted.get(middle.wrapping_sub(1)).unwrap_or(upper) + upper) / 2.0,
        (Some(middle), _) => *middle,
        (None, _) => f64::NAN,
    }
}

fn refuse(code: &str, vi: impl Into<String>, en: impl Into<String>) -> Error {
    Error::refused(Kind::Invalid, code, vi, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_few() {
        assert_eq!(median(&[3.0]), 3.0);
        assert_eq!(median(&[3.0, 1.0]), 2.0);
        assert_eq!(median(&[3.0, 9.0, 1.0]), 3.0);
    }
}
