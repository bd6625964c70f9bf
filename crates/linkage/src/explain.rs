//! Why a pair was scored as it was: a waterfall of weights, and a sentence that an officer can read.

use base::{Text, text::fold};
use serde::Serialize;

use crate::linker::{Linker, Scored};
use crate::model::{Condition, When, probability_of};
use crate::weights::Weights;

/// How two values stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// A value is missing.
    Missing,
    /// The values are equal.
    Equal,
    /// They are alike, or one stands where the other should.
    Alike,
    /// They are neither equal nor alike.
    Different,
}

impl Agreement {
    fn text(self) -> Text {
        match self {
            Self::Missing => Text::new("thiếu dữ liệu", "missing"),
            Self::Equal => Text::new("trùng khớp", "equal"),
            Self::Alike => Text::new("gần giống", "alike"),
            Self::Different => Text::new("khác nhau", "different"),
        }
    }
}

/// What one comparison contributed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The comparison.
    pub comparison: String,
    /// Its level, as the model calls it.
    pub level: String,
    /// How the values stand to each other.
    pub agreement: Agreement,
    /// The values that were compared: column, left, right.
    pub values: Vec<(String, Option<String>, Option<String>)>,
    /// The weight of the level, in bits.
    pub weight: f64,
    /// What was added or taken off because the value is rare or common.
    pub adjustment: f64,
}

/// From the prior, step by step, to the weight of the pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What is assumed before anything is compared, in bits.
    pub prior: f64,
    /// In the order of the model.
    pub steps: Vec<Step>,
    /// The sum, in bits.
    pub weight: f64,
    /// The same as a probability.
    pub probability: f64,
    /// In words.
    pub sentence: Text,
}

/// Explains pairs of one linker; counts how frequent values are once, at the start.
pub struct Explainer<'a> {
    weights: Weights<'a>,
    of: Of,
}

/// What records speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Of {
    /// Persons.
    #[default]
    Persons,
    /// Anything else.
    Things,
}

impl Of {
    /// What two records speak of if they speak of the same, and if they do not.
    fn texts(self) -> (Text, Text) {
        match self {
            Self::Persons => (
                Text::new("cùng một người", "the same person"),
                Text::new("hai người khác nhau", "two different persons"),
            ),
            Self::Things => (
                Text::new("cùng một đối tượng", "the same"),
                Text::new("hai đối tượng khác nhau", "two different ones"),
            ),
        }
    }
}

impl<'a> Explainer<'a> {
    /// Gets ready to explain pairs of persons.
    pub fn new(linker: &'a Linker) -> Self {
        Self {
            weights: Weights::new(linker),
            of: Of::Persons,
        }
    }

    /// The same, of what records speak of here.
    #[must_use]
    pub fn of(self, of: Of) -> Self {
        Self { of, ..self }
    }

    /// Explains a pair; `title` names a comparison for people, where its own name will not do.
    pub fn explain(&self, pair: &Scored, title: impl Fn(&str) -> Option<Text>) -> Explanation {
        let linker = self.weights.linker();
        let levels = linker.levels(pair);
        let mut steps = Vec::new();
        let mut weight = self.weights.prior;
        for (c, (comparison, level)) in linker.model.comparisons.iter().zip(levels).enumerate() {
            let (base, adjustment) = self.weights.parts(c, level, pair.left, pair.right);
            weight += base + adjustment;
            let value = |row: u32, column: &str| linker.value(row, column).map(str::to_owned);
            let values = comparison
                .columns()
                .into_iter()
                .map(|column| (column.to_owned(), value(pair.left, column), value(pair.right, column)));
            steps.push(Step {
                comparison: comparison.name.clone(),
                level: comparison
                    .levels
                    .get(level)
                    .map_or_else(String::new, |l| l.label.clone()),
                agreement: linker.agreement(c, level),
                values: values.collect(),
                weight: base,
                adjustment,
            });
        }
        let probability = probability_of(weight);
        let sentence = sentence(self.of, &steps, probability, title);
        Explanation {
            prior: self.weights.prior,
            steps,
            weight,
            probability,
            sentence,
        }
    }
}

impl Linker {
    /// How the values of a comparison stand to each other at a level.
    pub(crate) fn agreement(&self, comparison: usize, level: usize) -> Agreement {
        let level = self.model.comparisons.get(comparison).and_then(|c| c.levels.get(level));
        match level.map(|l| &l.when) {
            None | Some(When::Missing(_)) => Agreement::Missing,
            Some(When::Otherwise) => Agreement::Different,
            Some(When::Holds(condition)) => match Condition::exact_columns(condition) {
                Some(_) => Agreement::Equal,
                None => Agreement::Alike,
            },
        }
    }
}

/// The strongest reasons first, those for before those against; what says next to nothing is left out.
fn sentence(of: Of, steps: &[Step], probability: f64, title: impl Fn(&str) -> Option<Text>) -> Text {
    let (same, different) = of.texts();
    let (vi, en, what) = match probability {
        p if p >= 0.99 => ("Rất có thể là", "Very probably", same),
        p if p >= 0.8 => ("Có thể là", "Probably", same),
        p if p >= 0.2 => ("Chưa rõ có phải", "Not clear whether it is", same),
        p if p >= 0.01 => ("Có thể là", "Probably", different),
        _ => ("Rất có thể là", "Very probably", different),
    };
    let opening = Text::new(format!("{vi} {}", what.vi), format!("{en} {}", what.en));
    let mut told: Vec<&Step> = steps
        .iter()
        .filter(|s| (s.weight + s.adjustment).abs() >= 0.5)
        .collect();
    told.sort_by(|a, b| (b.weight + b.adjustment).total_cmp(&(a.weight + a.adjustment)));
    let missing: Vec<&Step> = steps.iter().filter(|s| s.agreement == Agreement::Missing).collect();
    let name = |step: &Step| title(&step.comparison).unwrap_or_else(|| readable(&step.comparison));
    let reason = |step: &&Step, vi: bool| {
        let (name, how) = (name(step), step.agreement.text());
        let bits = step.weight + step.adjustment;
        let shade = match step.adjustment {
            a if a >= 1.0 => Text::new(", giá trị hiếm gặp", ", a rare value"),
            a if a <= -1.0 => Text::new(", giá trị phổ biến", ", a common value"),
            _ => Text::default(),
        };
        let sign = if bits < 0.0 { "−" } else { "+" };
        let number = format!("{sign}{:.1}", bits.abs());
        if vi {
            format!("{} {}{} ({})", name.vi, how.vi, shade.vi, number.replace('.', ","))
        } else {
            format!("{} {}{} ({number})", name.en, how.en, shade.en)
        }
    };
    let list = |vi: bool| {
        let mut parts: Vec<String> = told.iter().map(|s| reason(s, vi)).collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing
                .iter()
                .map(|s| if vi { name(s).vi } else { name(s).en })
                .collect();
            parts.push(format!(
                "{} {}",
                if vi { "không có" } else { "missing:" },
                names.join(", ")
            ));
        }
        parts.join("; ")
    };
    let percent = percent(probability);
    Text::new(
        format!(
            "{} (xác suất {}): {}.",
            opening.vi,
            percent.replace('.', ","),
            list(true)
        ),
        format!("{} (probability {percent}): {}.", opening.en, list(false)),
    )
}

/// Never 100 % or 0 %: a model is never sure.
fn percent(probability: f64) -> String {
    match probability * 100.0 {
        p if p > 99.9 => "> 99.9 %".to_owned(),
        p if p < 0.1 => "< 0.1 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}

/// A name of a column or two as words, and in Vietnamese where it is one that registers commonly have.
fn readable(name: &str) -> Text {
    const KNOWN: [(&str, &str, &str); 16] = [
        ("full_name", "họ và tên", "full name"),
        ("name", "họ và tên", "name"),
        ("given_name", "tên", "given name"),
        ("surname", "họ", "surname"),
        ("date_of_birth", "ngày sinh", "date of birth"),
        ("dob", "ngày sinh", "date of birth"),
        ("birth_date", "ngày sinh", "date of birth"),
        ("sex", "giới tính", "sex"),
        ("gender", "giới tính", "sex"),
        ("personal_number", "số định danh cá nhân", "personal number"),
        ("phone", "số điện thoại", "telephone"),
        ("address", "địa chỉ", "address"),
        ("mother_name", "họ tên mẹ", "mother's name"),
        ("father_name", "họ tên cha", "father's name"),
        ("mother_and_birth_date", "mẹ và ngày sinh", "mother and date of birth"),
        (
            "representative_and_seat",
            "người đại diện và trụ sở",
            "representative and seat",
        ),
    ];
    let folded = fold(name);
    match KNOWN.iter().find(|(known, ..)| *known == folded) {
        Some((_, vi, en)) => Text::new(*vi, *en),
        None => Text::new(name.replace('_', " "), name.replace('_', " ")),
    }
}
