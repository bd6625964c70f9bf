//! The JSON of Splink 4 and 5: a model that either writes is read by the other.

use base::{Error, Problems, Result, codes::CodeError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Comparison, Condition, Level, LinkType, Model, TermFrequency, When};

#[derive(Serialize, Deserialize)]
struct ModelFile {
    link_type: LinkType,
    #[serde(default = "default_prior")]
    probability_two_random_records_match: f64,
    #[serde(default = "default_convergence")]
    em_convergence: f64,
    #[serde(default = "default_iterations")]
    max_iterations: u32,
    #[serde(default = "default_id")]
    unique_id_column_name: String,
    blocking_rules_to_generate_predictions: Vec<RuleFile>,
    comparisons: Vec<ComparisonFile>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

fn default_prior() -> f64 {
    0.0001
}
fn default_convergence() -> f64 {
    0.0001
}
fn default_iterations() -> u32 {
    25
}
fn default_id() -> String {
    "unique_id".to_owned()
}
fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RuleFile {
    Bare(String),
    Full {
        blocking_rule: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sql_dialect: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arrays_to_explode: Option<Vec<String>>,
    },
}

#[derive(Serialize, Deserialize)]
struct ComparisonFile {
    #[serde(default)]
    output_column_name: String,
    comparison_levels: Vec<LevelFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comparison_description: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct LevelFile {
    sql_condition: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label_for_charts: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m_probability: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u_probability: Option<f64>,
    #[serde(default, skip_serializing_if = "is_false")]
    fix_m_probability: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    fix_u_probability: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tf_adjustment_column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tf_adjustment_weight: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tf_minimum_u_value: Option<f64>,
    #[serde(default, skip_serializing_if = "is_false")]
    is_null_level: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    disable_tf_exact_match_detection: bool,
}

impl Model {
    /// Reads the settings or the trained model that Splink 4 or 5 wrote, or a hand.
    ///
    /// # Errors
    /// `not-a-model` where it is no such JSON; else every problem at its JSON pointer: `sql-…`, `level-order`,
    /// `no-levels`, `probability`, `tf-without-exact-level`, `arrays-to-explode`, `no-comparisons`, `comparison-twice`.
    pub fn from_json(text: &str) -> Result<Self> {
        let file: ModelFile = serde_json::from_str(text).map_err(|error| {
            Error::refused(
                base::Kind::Invalid,
                "not-a-model",
                format!("Tệp không phải là mô hình liên kết (JSON của Splink 4 hoặc 5): {error}."),
                format!("The file is no linkage model (JSON of Splink 4 or 5): {error}."),
            )
        })?;
        let mut problems = Problems::new();
        if file.comparisons.is_empty() {
            problems.add(
                "no-comparisons",
                "/comparisons",
                "Mô hình không so sánh gì cả.",
                "The model compares nothing.",
            );
        }
        let prior = file.probability_two_random_records_match;
        if !(prior > 0.0 && prior < 1.0) {
            problem_probability(&mut problems, "/probability_two_random_records_match");
        }
        let mut comparisons: Vec<Comparison> = Vec::new();
        for (n, comparison) in file.comparisons.into_iter().enumerate() {
            let at = format!("/comparisons/{n}");
            let comparison = read_comparison(comparison, &at, &mut problems);
            if comparisons.iter().any(|c| c.name == comparison.name) {
                problems.add(
                    "comparison-twice",
                    &at,
                    format!("Có hai phép so sánh cùng tên “{}”.", comparison.name),
                    format!("Two comparisons have the name “{}”.", comparison.name),
                );
            }
            comparisons.push(comparison);
        }
        let mut blocking = Vec::new();
        for (n, rule) in file.blocking_rules_to_generate_predictions.into_iter().enumerate() {
            let at = format!("/blocking_rules_to_generate_predictions/{n}");
            let sql = match rule {
                RuleFile::Bare(sql) => sql,
                RuleFile::Full {
                    blocking_rule,
                    arrays_to_explode,
                    ..
                } => {
                    if arrays_to_explode.is_some_and(|a| !a.is_empty()) {
                        problems.add(
                            "arrays-to-explode",
                            &at,
                            "Chưa hỗ trợ tách danh sách khi ghép khối (arrays_to_explode).",
                            "Blocking on the members of lists (arrays_to_explode) is not supported.",
                        );
                    }
                    blocking_rule
                }
            };
            match Condition::parse(&sql) {
                Ok(condition) => blocking.push(condition),
                Err(reason) => reason.add_to(&mut problems, at),
            }
        }
        problems.into_result()?;
        Ok(Self {
            link_type: file.link_type,
            prior,
            comparisons,
            blocking,
            convergence: file.em_convergence,
            max_iterations: file.max_iterations,
            id_column: file.unique_id_column_name,
            rest: file.rest,
        })
    }

    /// The JSON that Splink 4 and 5 read.
    pub fn to_json(&self) -> String {
        let dialect = self.rest.get("sql_dialect").and_then(Value::as_str).map(str::to_owned);
        let file = ModelFile {
            link_type: self.link_type,
            probability_two_random_records_match: self.prior,
            em_convergence: self.convergence,
            max_iterations: self.max_iterations,
            unique_id_column_name: self.id_column.clone(),
            blocking_rules_to_generate_predictions: self
                .blocking
                .iter()
                .map(|rule| RuleFile::Full {
                    blocking_rule: rule.sql().to_owned(),
                    sql_dialect: Some(dialect.clone().unwrap_or_else(|| "duckdb".to_owned())),
                    arrays_to_explode: None,
                })
                .collect(),
            comparisons: self.comparisons.iter().map(write_comparison).collect(),
            rest: self.rest.clone(),
        };
        // Maps, texts and finite numbers always have a JSON.
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }
}

fn problem_probability(problems: &mut Problems, at: &str) {
    problems.add(
        "probability",
        at,
        "Xác suất phải lớn hơn 0 và nhỏ hơn 1.",
        "A probability here must be above 0 and below 1.",
    );
}

fn read_comparison(file: ComparisonFile, at: &str, problems: &mut Problems) -> Comparison {
    let mut levels = Vec::new();
    for (n, level) in file.comparison_levels.into_iter().enumerate() {
        let at = format!("{at}/comparison_levels/{n}");
        match read_level(level, &at, problems) {
            Ok(level) => levels.push(level),
            Err(reason) => reason.add_to(problems, format!("{at}/sql_condition")),
        }
    }
    let else_at = levels.iter().position(|l| l.when == When::Otherwise);
    if problems.is_empty() && (levels.len() < 2 || else_at != Some(levels.len() - 1)) {
        problems.add(
            "level-order",
            at,
            "Mỗi phép so sánh cần ít nhất hai mức, mức cuối cùng và chỉ mức đó là ELSE.",
            "A comparison needs two levels or more; the last of them, and no other, is ELSE.",
        );
    }
    let name = if file.output_column_name.is_empty() {
        let comparison = Comparison {
            name: String::new(),
            description: None,
            levels,
        };
        let name = comparison.columns().join("_");
        levels = comparison.levels;
        name
    } else {
        file.output_column_name
    };
    let comparison = Comparison {
        name,
        description: file.comparison_description,
        levels,
    };
    for (n, level) in comparison.levels.iter().enumerate() {
        if comparison.exact_level_for(n).is_none() && level.term_frequency.is_some() {
            problems.add(
                "tf-without-exact-level",
                format!("{at}/comparison_levels/{n}"),
                "Điều chỉnh theo tần suất cần một mức “bằng nhau” trên đúng cột đó.",
                "An adjustment for term frequency needs a level where that very column is equal.",
            );
        }
    }
    comparison
}

fn read_level(file: LevelFile, at: &str, problems: &mut Problems) -> std::result::Result<Level, CodeError> {
    for (probability, field) in [
        (file.m_probability, "m_probability"),
        (file.u_probability, "u_probability"),
    ] {
        if probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            problem_probability(problems, &format!("{at}/{field}"));
        }
    }
    let when = if file.sql_condition.trim().eq_ignore_ascii_case("else") {
        When::Otherwise
    } else if file.is_null_level {
        When::Missing(Condition::parse(&file.sql_condition)?)
    } else {
        When::Holds(Condition::parse(&file.sql_condition)?)
    };
    let term_frequency = file.tf_adjustment_column.map(|column| TermFrequency {
        column: column.trim_matches(['"', '`']).to_owned(),
        weight: file.tf_adjustment_weight.unwrap_or(1.0),
        minimum_u: file.tf_minimum_u_value.unwrap_or(0.0),
        own_u: file.disable_tf_exact_match_detection,
    });
    Ok(Level {
        when,
        label: file.label_for_charts.unwrap_or_else(|| file.sql_condition.clone()),
        m: file.m_probability,
        u: file.u_probability,
        fix_m: file.fix_m_probability,
        fix_u: file.fix_u_probability,
        term_frequency,
    })
}

fn write_comparison(comparison: &Comparison) -> ComparisonFile {
    let levels = comparison.levels.iter().map(|level| {
        let tf = level.term_frequency.as_ref();
        LevelFile {
            sql_condition: level.when.condition().map_or("ELSE", Condition::sql).to_owned(),
            label_for_charts: Some(level.label.clone()),
            m_probability: level.m,
            u_probability: level.u,
            fix_m_probability: level.fix_m,
            fix_u_probability: level.fix_u,
            tf_adjustment_column: tf.map(|t| t.column.clone()),
            tf_adjustment_weight: tf.map(|t| t.weight),
            tf_minimum_u_value: tf.map(|t| t.minimum_u).filter(|u| *u != 0.0),
            is_null_level: level.is_missing(),
            disable_tf_exact_match_detection: tf.is_some_and(|t| t.own_u),
        }
    });
    ComparisonFile {
        output_column_name: comparison.name.clone(),
        comparison_levels: levels.collect(),
        comparison_description: comparison.description.clone(),
    }
}

impl Comparison {
    /// The level whose u the frequency of a value stands in for: that of equal values of the column, or the level itself.
    pub(crate) fn exact_level_for(&self, level: usize) -> Option<usize> {
        let tf = self.levels.get(level)?.term_frequency.as_ref()?;
        if tf.own_u {
            return Some(level);
        }
        self.levels.iter().position(|l| match &l.when {
            When::Holds(condition) => condition
                .exact_columns()
                .is_some_and(|c| matches!(c.as_slice(), [only] if only.eq_ignore_ascii_case(&tf.column))),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"{
      "link_type": "link_only", "probability_two_random_records_match": 0.001, "sql_dialect": "duckdb",
      "retain_matching_columns": true, "unique_id_column_name": "rec_id",
      "blocking_rules_to_generate_predictions": [{"blocking_rule": "l.\"a\" = r.\"a\"", "sql_dialect": "duckdb"}],
      "comparisons": [{"output_column_name": "a", "comparison_description": "Exact", "comparison_levels": [
        {"sql_condition": "\"a_l\" IS NULL OR \"a_r\" IS NULL", "label_for_charts": "a is NULL", "is_null_level": true},
        {"sql_condition": "\"a_l\" = \"a_r\"", "label_for_charts": "Exact", "m_probability": 0.9, "u_probability": 0.01,
         "tf_adjustment_column": "a", "tf_adjustment_weight": 1.0},
        {"sql_condition": "ELSE", "label_for_charts": "Else", "m_probability": 0.1, "u_probability": 0.99}]}]}"#;

    #[test]
    fn a_model_survives_reading_and_writing() {
        let model = Model::from_json(MODEL).expect("a model");
        assert_eq!(model.comparisons[0].value(1), Some(1));
        assert_eq!(model.comparisons[0].value(0), None);
        assert_eq!(model.comparisons[0].weight(1), 90f64.log2());
        let again = Model::from_json(&model.to_json()).expect("its own JSON");
        assert_eq!(again, model);
        assert_eq!(again.rest.get("retain_matching_columns"), Some(&Value::Bool(true)));
    }

    #[test]
    fn untrained_levels_start_where_splink_starts() {
        let text = MODEL.replace(r#", "m_probability": 0.9, "u_probability": 0.01"#, "");
        let comparison = &Model::from_json(&text).expect("a model").comparisons[0];
        assert_eq!(comparison.m_u(1).0, 0.95);
        assert_eq!(comparison.weight(1), 10.0);
    }

    #[test]
    fn every_problem_is_told_at_its_place() {
        let text = MODEL
            .replace("\\\"a_l\\\" = \\\"a_r\\\"", "a_l LIKE a_r")
            .replace("0.001", "1.0")
            .replace("l.\\\"a\\\" = r.\\\"a\\\"", "l.a =");
        let error = Model::from_json(&text).expect_err("three problems");
        let at: Vec<&str> = error.problems().into_iter().flatten().map(|p| p.at.as_str()).collect();
        assert_eq!(
            at,
            [
                "/probability_two_random_records_match",
                "/comparisons/0/comparison_levels/1/sql_condition",
                "/blocking_rules_to_generate_predictions/0"
            ]
        );
        assert!(Model::from_json("{}").is_err() && Model::from_json("nonsense").is_err());
    }
}
