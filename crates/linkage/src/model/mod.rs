//! A linkage model: what is compared, how much each outcome speaks for or against, and which pairs are looked at.
//! The theory is that of Fellegi and Sunter (1969); the file format is the JSON of Splink 4 and 5.

mod json;

use base::codes::CodeError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sql::{self, Expr, Operator, Side};

/// What is linked with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkType {
    /// Records with others of all sources together.
    DedupeOnly,
    /// Only records of different sources.
    LinkOnly,
    /// Both.
    LinkAndDedupe,
}

/// A condition, as it was written and as it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    sql: String,
    pub(crate) expr: Expr,
}

impl Condition {
    /// Reads a condition over two records: `l.name = r.name`, `"name_l" = "name_r"`, `levenshtein(l.a, r.a) <= 1`.
    ///
    /// # Errors
    /// `sql-…`, with what was not understood.
    pub fn parse(sql: &str) -> Result<Self, CodeError> {
        Ok(Self {
            sql: sql.to_owned(),
            expr: sql::parse(sql)?,
        })
    }

    /// As it was written.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The columns that must be equal, if the condition is nothing but equalities of a column with itself.
    pub(crate) fn exact_columns(&self) -> Option<Vec<&str>> {
        self.expr.conjuncts().into_iter().map(exact_column).collect()
    }
}

/// The column of `l.a = r.a`.
fn exact_column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Binary(Operator::Eq, a, b) => match (&**a, &**b) {
            (Expr::Column(Side::Left, a), Expr::Column(Side::Right, b))
            | (Expr::Column(Side::Right, a), Expr::Column(Side::Left, b))
                if a == b =>
            {
                Some(a)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What a level stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// A value is missing: it says nothing.
    Missing(Condition),
    /// The condition holds, and that of no level before.
    Holds(Condition),
    /// No level before holds.
    Otherwise,
}

impl When {
    /// The condition, where there is one.
    pub fn condition(&self) -> Option<&Condition> {
        match self {
            Self::Missing(condition) | Self::Holds(condition) => Some(condition),
            Self::Otherwise => None,
        }
    }
}

/// A common value says less than a rare one: how much of that is counted.
#[derive(Debug, Clone, PartialEq)]
pub struct TermFrequency {
    /// The column whose values are counted.
    pub column: String,
    /// From 0, not at all, to 1.
    pub weight: f64,
    /// No value counts as rarer than this.
    pub minimum_u: f64,
    /// Take the u of this level as what is adjusted, and not that of the level of equal values.
    pub own_u: bool,
}

/// One outcome of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// When it is this one.
    pub when: When,
    /// Its name in charts.
    pub label: String,
    /// How often it is seen in pairs of the same person; `None` before training.
    pub m: Option<f64>,
    /// How often it is seen in pairs of different persons; `None` before training.
    pub u: Option<f64>,
    /// Training leaves m alone.
    pub fix_m: bool,
    /// Training leaves u alone.
    pub fix_u: bool,
    /// The adjustment for common and rare values.
    pub term_frequency: Option<TermFrequency>,
}

impl Level {
    /// Whether it says that a value is missing.
    pub fn is_missing(&self) -> bool {
        matches!(self.when, When::Missing(_))
    }
}

/// One thing that is compared, with its outcomes from the most to the least alike; the last is [`When::Otherwise`].
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Its name: `full_name`.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// The outcomes.
    pub levels: Vec<Level>,
}

impl Comparison {
    /// m and u of a level: trained, or the ones that training starts from.
    pub fn m_u(&self, level: usize) -> (f64, f64) {
        let (m, u) = self.default_m_u(level);
        self.levels
            .get(level)
            .map_or((m, u), |l| (l.m.unwrap_or(m), l.u.unwrap_or(u)))
    }

    /// Where training starts: 95 % of true pairs in the first level, and weights from -5 to 10.
    fn default_m_u(&self, level: usize) -> (f64, f64) {
        let speaking = self.levels.iter().filter(|l| !l.is_missing()).count();
        let (Some(value), true) = (self.value(level), speaking > 1) else {
            return (1.0, 1.0);
        };
        let top = speaking - 1;
        let m = if value == top { 0.95 } else { 0.05 / top as f64 };
        let weight = match (value, top) {
            (v, t) if v == t => 10.0,
            (_, 1) => -5.0,
            (v, t) => -5.0 + 8.0 * v as f64 / (t - 1) as f64,
        };
        (m, m / f64::exp2(weight))
    }

    /// The number that Splink gives a level: 0 for "otherwise", one more for each level above; none if a value is missing.
    pub fn value(&self, level: usize) -> Option<usize> {
        if self.levels.get(level).is_none_or(Level::is_missing) {
            return None;
        }
        Some(self.levels.iter().skip(level + 1).filter(|l| !l.is_missing()).count())
    }

    /// The weight of a level in bits: log2 of m over u; 0 if a value is missing.
    pub fn weight(&self, level: usize) -> f64 {
        if self.levels.get(level).is_none_or(Level::is_missing) {
            return 0.0;
        }
        const LEAST: f64 = 1e-300;
        let (m, u) = self.m_u(level);
        (m.max(LEAST) / u.max(LEAST)).log2()
    }

    /// The columns that its conditions speak of.
    pub fn columns(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for condition in self.levels.iter().filter_map(|l| l.when.condition()) {
            for column in condition.expr.columns() {
                if !names.contains(&column) {
                    names.push(column);
                }
            }
        }
        names
    }
}

/// A linkage model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What is linked with what.
    pub link_type: LinkType,
    /// How likely two records taken at random are of the same person.
    pub prior: f64,
    /// What is compared.
    pub comparisons: Vec<Comparison>,
    /// A pair is looked at if one of these holds.
    pub blocking: Vec<Condition>,
    /// Training ends when nothing changes by more than this.
    pub convergence: f64,
    /// Training ends after so many rounds at the latest.
    pub max_iterations: u32,
    /// The column that names a record within its source.
    pub id_column: String,
    /// What else the file says, kept for who reads it next.
    rest: Map<String, Value>,
}

impl Model {
    /// The columns that it speaks of, some more than once; not that of the ids.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let levels = self.comparisons.iter().flat_map(|c| &c.levels);
        let counted = levels.filter_map(|level| Some(level.term_frequency.as_ref()?.column.as_str()));
        let compared = self.comparisons.iter().flat_map(Comparison::columns);
        let blocked = self.blocking.iter().flat_map(|rule| rule.expr.columns());
        compared.chain(counted).chain(blocked)
    }
}

/// A probability as a weight in bits.
pub fn weight_of(probability: f64) -> f64 {
    (probability / (1.0 - probability)).log2()
}

/// A weight in bits as a probability.
pub fn probability_of(weight: f64) -> f64 {
    if weight >= 0.0 {
        1.0 / (1.0 + f64::exp2(-weight))
    } else {
        f64::exp2(weight) / (1.0 + f64::exp2(weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_probabilities_are_one_thing() {
        assert_eq!(weight_of(0.5), 0.0);
        assert!((probability_of(weight_of(0.2)) - 0.2).abs() < 1e-15);
        assert_eq!(probability_of(2000.0), 1.0);
        assert_eq!(probability_of(-2000.0), 0.0);
    }

    #[test]
    fn exact_columns_are_found_in_conjunctions_only() {
        let columns = |sql: &str| {
            let condition = Condition::parse(sql).expect(sql);
            condition.exact_columns().map(|c| c.join(","))
        };
        assert_eq!(columns("(l.a = r.a) AND r.\"b\" = l.\"b\"").as_deref(), Some("a,b"));
        assert_eq!(columns("l.a = r.b"), None);
        assert_eq!(columns("l.a = r.a OR l.b = r.b"), None);
    }
}
