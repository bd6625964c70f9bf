//! A trained model as one statement of SQL, for engines that spread work over many machines. What comes out is what
//! [`crate::Linker::predict`] gives.

use base::{Error, Kind, Result};

use crate::model::{Comparison, LinkType, Model};

impl Model {
    /// The pairs of a table `records`, with their weights in bits: `source_l, id_l, source_r, id_r, rule, weight`.
    ///
    /// The table has the columns of the files, all text, NULL where there is no value, and two more: `source`, text, and
    /// `row_number`, a whole number of its own for each record, sources one after the other. The functions that the conditions
    /// name have to be there ([`crate::Distance::functions`]). A name in a condition that is not in double quotes is one that
    /// the engine may fold to small letters.
    ///
    /// # Errors
    /// `no-blocking-rules`.
    pub fn to_sql(&self, least_weight: f64) -> Result<String> {
        if self.blocking.is_empty() {
            return Err(Error::refused(
                Kind::Invalid,
                "no-blocking-rules",
                "Mô hình không có quy tắc ghép khối nào nên không có cặp nào để so.",
                "The model has no blocking rules, so there are no pairs to compare.",
            ));
        }
        let mut columns: Vec<&str> = Vec::new();
        let named = self.comparisons.iter().flat_map(Comparison::columns);
        let counted: Vec<&str> = self.counted();
        for column in named.chain(counted.iter().copied()) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let mut parts: Vec<String> = counted
            .iter()
            .enumerate()
            .map(|(n, column)| frequencies(n, column))
            .collect();
        parts.push(self.counted_records(&counted));
        parts.push(format!("pairs AS (\n{}\n)", self.pairs(&columns, counted.len())));
        parts.push(format!("scored AS (\n{}\n)", self.scored(&counted)));
        Ok(format!(
            "WITH {}\nSELECT source_l, id_l, source_r, id_r, rule, weight FROM scored WHERE weight >= {least_weight:?}",
            parts.join(",\n")
        ))
    }

    /// The columns whose common values say less.
    fn counted(&self) -> Vec<&str> {
        let mut counted: Vec<&str> = Vec::new();
        let levels = self.comparisons.iter().flat_map(|c| &c.levels);
        for frequency in levels
            .filter_map(|l| l.term_frequency.as_ref())
            .filter(|tf| tf.weight != 0.0)
        {
            if !counted.contains(&frequency.column.as_str()) {
                counted.push(&frequency.column);
            }
        }
        counted
    }

    /// The records with the share of each counted value.
    fn counted_records(&self, counted: &[&str]) -> String {
        let shares: String = (0..counted.len()).map(|n| format!(", f{n}.share AS tf{n}")).collect();
        let joins: String = counted
            .iter()
            .enumerate()
            .map(|(n, column)| format!(" LEFT JOIN f{n} ON f{n}.value = t.{}", quoted(column)))
            .collect();
        format!("counted AS (SELECT t.*{shares} FROM records t{joins})")
    }

    fn pairs(&self, columns: &[&str], counted: usize) -> String {
        let mut fields = String::new();
        for (side, end) in [("l", "_l"), ("r", "_r")] {
            fields += &format!(
                ", {side}.\"source\" AS source{end}, {side}.{} AS id{end}",
                quoted(&self.id_column)
            );
            for column in columns {
                fields += &format!(", {side}.{} AS {}", quoted(column), quoted(&format!("{column}{end}")));
            }
            for n in 0..counted {
                fields += &format!(", {side}.tf{n} AS tf{n}{end}");
            }
        }
        let allowed = match self.link_type {
            LinkType::LinkOnly => "l.row_number < r.row_number AND l.\"source\" <> r.\"source\"",
            LinkType::DedupeOnly | LinkType::LinkAndDedupe => "l.row_number < r.row_number",
        };
        let rules: Vec<&str> = self.blocking.iter().map(|rule| rule.sql()).collect();
        let mut selects = Vec::new();
        for (n, rule) in rules.iter().enumerate() {
            // Each pair once, under the first rule that finds it.
            let before: String = rules
                .iter()
                .take(n)
                .map(|earlier| format!(" AND NOT coalesce(({earlier}), false)"))
                .collect();
            selects.push(format!(
                "SELECT {n} AS rule{fields} FROM counted l JOIN counted r ON ({rule}) AND {allowed}{before}"
            ));
        }
        selects.join("\nUNION ALL\n")
    }

    fn scored(&self, counted: &[&str]) -> String {
        let mut sum = format!("{:?}", crate::weight_of(self.prior));
        for comparison in &self.comparisons {
            sum += &format!("\n + {}", weight(comparison, counted));
        }
        format!("SELECT source_l, id_l, source_r, id_r, rule, {sum} AS weight FROM pairs")
    }
}

/// How large a share of all values each value of a column is.
fn frequencies(n: usize, column: &str) -> String {
    let column = quoted(column);
    format!(
        "f{n} AS (SELECT {column} AS value, cast(count(*) AS DOUBLE) / (SELECT count({column}) FROM records) AS share \
         FROM records WHERE {column} IS NOT NULL GROUP BY {column})"
    )
}

/// The weight of a comparison for a pair.
fn weight(comparison: &Comparison, counted: &[&str]) -> String {
    let mut whens = String::new();
    let mut otherwise = "0.0".to_owned();
    for (n, level) in comparison.levels.iter().enumerate() {
        let bits = level_weight(comparison, n, counted);
        match level.when.condition() {
            Some(condition) => whens += &format!(" WHEN {} THEN {bits}", condition.sql()),
            None => otherwise = bits,
        }
    }
    if whens.is_empty() {
        return otherwise;
    }
    format!("CASE{whens} ELSE {otherwise} END")
}

fn level_weight(comparison: &Comparison, level: usize, counted: &[&str]) -> String {
    let bits = format!("{:?}", comparison.weight(level));
    let frequency = comparison.levels.get(level).and_then(|l| l.term_frequency.as_ref());
    let adjusted = frequency.and_then(|frequency| {
        let n = counted.iter().position(|column| *column == frequency.column)?;
        let (_, u) = comparison.m_u(comparison.exact_level_for(level)?);
        let (of, least, by) = (u.log2(), frequency.minimum_u, frequency.weight);
        Some(format!(
            "(CASE WHEN tf{n}_l IS NULL AND tf{n}_r IS NULL THEN {bits} \
             ELSE {bits} + {by:?} * ({of:?} - log2(greatest(tf{n}_l, tf{n}_r, {least:?}))) END)"
        ))
    });
    adjusted.unwrap_or(bits)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_without_rules_has_no_pairs_and_says_so() {
        let mut model = Model::from_json(include_str!("../../../bench/linkage/febrl3.json")).expect("a model");
        assert!(model.to_sql(0.0).expect("a statement").contains("JOIN"));
        model.blocking.clear();
        assert!(model.to_sql(0.0).is_err());
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"; DROP"), "\"a\"\"; DROP\"");
    }
}
