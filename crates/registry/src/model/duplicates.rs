//! How records are found that may speak of the same person or thing (`linkage.toml`, with the model in `linkage.json`).

use base::Problems;
use linkage::{LinkType, Linker, Model, Records};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Field, FieldPath, Files, Filter, Operator, rule::known};
use crate::check::Sink;

pub(super) const FILE: &str = "linkage.toml";
pub(super) const MODEL: &str = "linkage.json";
/// The column by whose equality the linker looks at a pair: which pairs these are the blocking fields have said.
pub(crate) const BLOCK: &str = "block";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    review: f64,
    blocking: Vec<Vec<FieldPath>>,
    columns: std::collections::BTreeMap<String, FieldPath>,
}

/// Which pairs of records a person looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicates {
    /// The model: what is compared, and what it says.
    pub model: Model,
    /// The columns of the model, each with its field.
    pub columns: Vec<(String, FieldPath)>,
    /// Those of them whose values are counted in the registry: a rare value that two records share says more than a common one.
    pub counted: Vec<(String, FieldPath)>,
    /// Fields, each found by a filter: records are compared where all of one list are equal.
    pub blocking: Vec<Vec<FieldPath>>,
    /// The least probability of a pair that a person looks at.
    pub review: f64,
    /// SHA-256 in hex of both files.
    pub hash: String,
}

/// Judges both files, where there are any.
pub(super) fn compile(files: &Files, fields: &[Field], filters: &[Filter], sink: &mut Sink) -> Option<Duplicates> {
    let (text, json) = match (files.get(FILE), files.get(MODEL)) {
        (None, None) => return None,
        (Some(text), Some(json)) => (text, json),
        (text, _) => {
            let missing = if text.is_none() { FILE } else { MODEL };
            sink.error(
                missing,
                "",
                "missing-file",
                format!("Tệp {FILE} và {MODEL} phải đi cùng nhau."),
                format!("{FILE} and {MODEL} go together."),
            );
            return None;
        }
    };
    let raw: Raw = sink.toml(FILE, text)?;
    if !(0.01..1.0).contains(&raw.review) {
        sink.error(
            FILE,
            "review",
            "bad-bounds",
            "Xác suất tối thiểu nằm từ 0,01 đến dưới 1.",
            "The least probability is from 0.01 to below 1.",
        );
    }
    for (n, column) in raw.columns.values().enumerate() {
        known(column, fields, FILE, format!("columns[{n}]"), sink);
    }
    if raw.blocking.is_empty() || raw.blocking.iter().any(Vec::is_empty) {
        sink.error(
            FILE,
            "blocking",
            "no-blocking",
            "Nêu ít nhất một nhóm trường mà hai bản ghi phải trùng thì mới so sánh.",
            "Name at least one list of fields that have to be equal for two records to be compared.",
        );
    }
    for field in raw.blocking.iter().flatten() {
        let is_filter = |filter: &&Filter| filter.field == *field && filter.operators.contains(&Operator::Eq);
        if filters.iter().find(is_filter).is_none() {
            sink.error(
                FILE,
                "blocking",
                "not-a-filter",
                format!("“{field}” phải có bộ lọc “eq” trong registry.toml."),
                format!("“{field}” needs a filter “eq” in registry.toml."),
            );
        }
    }
    let model = match model(json, raw.columns.keys()) {
        Ok(model) => model,
        Err(problems) => {
            for problem in &problems {
                sink.error(
                    MODEL,
                    problem.at.clone(),
                    &problem.code,
                    problem.text.vi.clone(),
                    problem.text.en.clone(),
                );
            }
            return None;
        }
    };
    let columns: Vec<(String, FieldPath)> = raw.columns.into_iter().collect();
    Some(Duplicates {
        counted: counted(&model, &columns),
        model,
        columns,
        blocking: raw.blocking,
        review: raw.review,
        hash: hex::encode(Sha256::digest(format!("{text} {json}"))),
    })
}

/// The model, as it is put over a few records at a time.
fn model<'a>(json: &str, columns: impl Iterator<Item = &'a String>) -> Result<Model, Problems> {
    let refused = |error: base::Error| error.problems().cloned().unwrap_or_default();
    let mut model = Model::from_json(json).map_err(refused)?;
    model.link_type = LinkType::DedupeOnly;
    let block = format!("l.{BLOCK} = r.{BLOCK}");
    model.blocking = linkage::Condition::parse(&block).into_iter().collect();
    let mut records = Records::new();
    let columns: Vec<String> = [model.id_column.clone(), BLOCK.to_owned()]
        .into_iter()
        .chain(columns.cloned())
        .collect();
    records
        .begin_source("registry", &columns, &model.id_column)
        .map_err(refused)?;
    Linker::new(model.clone(), records).map_err(refused)?;
    Ok(model)
}

/// The columns of which a level of the model asks how often their values are met.
fn counted(model: &Model, columns: &[(String, FieldPath)]) -> Vec<(String, FieldPath)> {
    let levels = model.comparisons.iter().flat_map(|comparison| &comparison.levels);
    let asked: Vec<&str> = levels
        .filter_map(|level| Some(level.term_frequency.as_ref()?.column.as_str()))
        .collect();
    let is_asked = |(column, _): &&(String, FieldPath)| asked.iter().any(|asked| asked.eq_ignore_ascii_case(column));
    columns.iter().filter(is_asked).cloned().collect()
}
