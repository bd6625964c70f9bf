//! The rules of quality of a registry (`rules.toml`).

use base::Text;
use procedure::feel::Expr;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DataType, Field, FieldPath, Identifier, ListId, Name, RegistryCode, Vocabulary,
    raw::{RawRule, RawRules, RawTest},
    schema::types,
};
use crate::check::Sink;

const FILE: &str = "rules.toml";

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id within the registry.
    pub id: Name,
    /// Which side of quality it looks at.
    pub dimension: Dimension,
    /// What becomes of a record that breaks it.
    pub action: Action,
    /// What is wrong and what to do.
    pub message: Text,
    /// What it asks.
    pub test: Test,
}

/// The sides of data quality, as ISO 8000 and the W3C Data Quality Vocabulary divide them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Nothing is missing.
    Complete,
    /// Written as its rule says.
    Valid,
    /// The parts agree.
    Consistent,
    /// There once only.
    Unique,
    /// Not out of date.
    Timely,
    /// As in life; judged by samples.
    Accurate,
}

/// What becomes of a record that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is not taken in.
    Refuse,
    /// It is taken in and noted as failing.
    Note,
}

/// What a rule asks.
#[derive(Debug, Clone)]
pub enum Test {
    /// The field is there, where `when` holds.
    Required {
        /// The field.
        field: FieldPath,
        /// The condition.
        when: Option<Expr>,
    },
    /// The value is a well-formed identifier.
    Identifier {
        /// The field.
        field: FieldPath,
        /// Its rule.
        identifier: Identifier,
    },
    /// The value matches a pattern, whole.
    Pattern {
        /// The field.
        field: FieldPath,
        /// The pattern.
        pattern: regex::Regex,
    },
    /// The value is of a list.
    CodeList {
        /// The field.
        field: FieldPath,
        /// The list.
        list: ListId,
    },
    /// The value is within bounds, which are included: numbers, or dates as text.
    Range {
        /// The field.
        field: FieldPath,
        /// The least.
        min: Option<Value>,
        /// The greatest.
        max: Option<Value>,
    },
    /// No other record has these values at a time.
    Unique {
        /// The fields, together.
        fields: Vec<FieldPath>,
    },
    /// A condition over the fields holds. What cannot be decided for want of a value does not break it.
    CrossField {
        /// The condition.
        holds: Expr,
    },
    /// The value is the key of a record of another registry.
    Reference {
        /// The field.
        field: FieldPath,
        /// The other registry.
        registry: RegistryCode,
    },
    /// The value is written in its standard form: names, texts, telephone numbers; a commune is one of today.
    Standard {
        /// The field.
        field: FieldPath,
    },
    /// What is known was confirmed in the last days.
    Fresh {
        /// How many days.
        days: u32,
    },
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Complete,
        Self::Valid,
        Self::Consistent,
        Self::Unique,
        Self::Timely,
        Self::Accurate,
    ];

    /// As stored, in rules and in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Valid => "valid",
            Self::Consistent => "consistent",
            Self::Unique => "unique",
            Self::Timely => "timely",
            Self::Accurate => "accurate",
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.code() == code)
    }

    /// The word for it.
    pub fn label(self) -> Text {
        match self {
            Self::Complete => Text::new("Đầy đủ", "Complete"),
            Self::Valid => Text::new("Hợp lệ", "Valid"),
            Self::Consistent => Text::new("Nhất quán", "Consistent"),
            Self::Unique => Text::new("Duy nhất", "Unique"),
            Self::Timely => Text::new("Kịp thời", "Timely"),
            Self::Accurate => Text::new("Chính xác", "Accurate"),
        }
    }
}

impl Test {
    /// Whether it asks what day it is, so that its answer may change while nothing is written.
    pub fn asks_today(&self) -> bool {
        let asks = |expr: &Expr| expr.uses().iter().any(|name| name == "today");
        match self {
            Self::Required { when, .. } => when.as_ref().is_some_and(asks),
            Self::CrossField { holds } => asks(holds),
            _ => false,
        }
    }

    /// Whether it can be judged by one body alone.
    pub const fn is_local(&self) -> bool {
        !matches!(self, Self::Unique { .. } | Self::Reference { .. } | Self::Fresh { .. })
    }
}

/// Judges the rules of `rules.toml` against the fields.
pub(super) fn compile(raw: RawRules, fields: &[Field], vocabulary: &Vocabulary, sink: &mut Sink) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for (n, raw) in raw.rule.into_iter().enumerate() {
        let at = |key: &str| format!("rule[{n}].{key}");
        sink.translated(FILE, at("message"), &raw.message);
        if rules.iter().any(|rule| rule.id == raw.id) {
            sink.error(
                FILE,
                at("id"),
                "duplicate-id",
                format!("Quy tắc “{}” đã được khai báo.", raw.id),
                format!("The rule “{}” is declared already.", raw.id),
            );
        }
        let RawRule {
            id,
            dimension,
            action,
            message,
            test,
        } = raw;
        let Some(test) = compile_test(test, fields, vocabulary, &at, sink) else {
            continue;
        };
        let of_a_day = matches!(test, Test::Standard { .. });
        if action == Action::Refuse && (of_a_day || !test.is_local()) {
            sink.error(
                FILE,
                at("action"),
                "cannot-refuse",
                "Quy tắc này so với bản ghi khác hoặc với thời gian nên chỉ ghi nhận (note), không từ chối được.",
                "This rule looks at other records or at time, so it can only note, not refuse.",
            );
        }
        rules.push(Rule {
            id,
            dimension,
            action,
            message,
            test,
        });
    }
    rules
}

fn compile_test(
    raw: RawTest,
    fields: &[Field],
    vocabulary: &Vocabulary,
    at: &impl Fn(&str) -> String,
    sink: &mut Sink,
) -> Option<Test> {
    let condition = |text: &str, key: &str, sink: &mut Sink| match Expr::condition(text, &types(fields)) {
        Ok(expr) => Some(expr),
        Err(flaws) => {
            sink.flaws(FILE, &at(key), flaws);
            None
        }
    };
    Some(match raw {
        RawTest::Required { field, when } => {
            known(&field, fields, FILE, at("field"), sink)?;
            let when = match when {
                Some(text) => Some(condition(&text, "when", sink)?),
                None => None,
            };
            Test::Required { field, when }
        }
        RawTest::Format {
            field,
            identifier,
            pattern,
        } => {
            known(&field, fields, FILE, at("field"), sink)?;
            match (identifier, pattern) {
                (Some(identifier), None) => Test::Identifier { field, identifier },
                (None, Some(pattern)) => match regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
                    .size_limit(256 * 1024)
                    .build()
                {
                    Ok(pattern) => Test::Pattern { field, pattern },
                    Err(_) => {
                        sink.error(
                            FILE,
                            at("pattern"),
                            "bad-pattern",
                            "Biểu thức chính quy sai hoặc quá lớn.",
                            "The pattern is no regular expression, or too large.",
                        );
                        return None;
                    }
                },
                _ => {
                    sink.error(
                        FILE,
                        at("identifier"),
                        "format-unclear",
                        "Quy tắc định dạng nêu đúng một trong hai: identifier hoặc pattern.",
                        "A rule of format names either an identifier or a pattern.",
                    );
                    return None;
                }
            }
        }
        RawTest::CodeList { field, list } => {
            known(&field, fields, FILE, at("field"), sink)?;
            if !vocabulary.knows_list(&list) {
                sink.error(
                    FILE,
                    at("list"),
                    "unknown-list",
                    format!("Không có danh mục “{list}” trong từ điển."),
                    format!("The dictionary has no list “{list}”."),
                );
                return None;
            }
            Test::CodeList { field, list }
        }
        RawTest::Range { field, min, max } => {
            let ty = known(&field, fields, FILE, at("field"), sink)?.term.ty;
            let bound = |value: Option<toml::Value>| value.map(|value| bound(ty, &value)).transpose();
            match (bound(min), bound(max)) {
                (Ok(min), Ok(max)) if min.is_some() || max.is_some() => Test::Range { field, min, max },
                _ => {
                    sink.error(
                        FILE,
                        at("min"),
                        "bad-bounds",
                        "Khoảng giá trị nêu min, max hoặc cả hai, đúng kiểu của trường (số hoặc ngày).",
                        "A range names min, max or both, of the field's own type: numbers or dates.",
                    );
                    return None;
                }
            }
        }
        RawTest::Unique { fields: unique } => {
            for field in &unique {
                known(field, fields, FILE, at("fields"), sink)?;
            }
            Test::Unique { fields: unique }
        }
        RawTest::CrossField { holds } => Test::CrossField {
            holds: condition(&holds, "holds", sink)?,
        },
        RawTest::Reference { field, registry } => {
            known(&field, fields, FILE, at("field"), sink)?;
            Test::Reference { field, registry }
        }
        RawTest::Standard { field } => {
            known(&field, fields, FILE, at("field"), sink)?;
            Test::Standard { field }
        }
        RawTest::Fresh { days } => Test::Fresh { days },
    })
}

fn bound(ty: DataType, value: &toml::Value) -> Result<Value, ()> {
    match (ty, value) {
        (DataType::Integer | DataType::Money | DataType::Decimal, toml::Value::Integer(n)) => Ok(Value::from(*n)),
        (DataType::Decimal, toml::Value::Float(n)) => Ok(Value::from(*n)),
        (DataType::Date | DataType::PartialDate, toml::Value::Datetime(date)) if date.time.is_none() => {
            Ok(Value::from(date.to_string()))
        }
        _ => Err(()),
    }
}

/// The field of this way, or a finding.
pub(super) fn known<'a>(
    path: &FieldPath,
    fields: &'a [Field],
    file: &str,
    at: String,
    sink: &mut Sink,
) -> Option<&'a Field> {
    let found = fields.iter().find(|field| field.path == *path);
    if found.is_none() {
        sink.error(
            file,
            at,
            "unknown-field",
            format!("Lược đồ không có trường “{path}”."),
            format!("The schema has no field “{path}”."),
        );
    }
    found
}
