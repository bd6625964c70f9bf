//! What the process asks of the expression language. The catalogue answers with FEEL; tests with something smaller.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The type of a variable, for checking conditions before anything runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VariableType {
    /// Text.
    Text,
    /// Text that is one of these.
    Choice(Vec<String>),
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A date, as `2026-11-21`.
    Date,
    /// A list of values of one type.
    List(Box<VariableType>),
    /// Named parts: `review.outcome`.
    Context(BTreeMap<String, VariableType>),
    /// Not known before it runs.
    Any,
}

/// The names that an expression may use, with their types.
pub type Variables = BTreeMap<String, VariableType>;

/// The expression language (FEEL). An implementation is pure: the same expression and variables give the same answer.
/// Errors are said in plain words; they are shown beside the element that holds the expression.
pub trait Feel {
    /// Whether `expression` can be read and gives yes or no over `variables`.
    ///
    /// # Errors
    /// Why not.
    fn check_condition(&self, expression: &str, variables: &Variables) -> Result<(), String>;

    /// Whether `expression` can be read and gives a date, or a date and time, over `variables`.
    ///
    /// # Errors
    /// Why not.
    fn check_date(&self, expression: &str, variables: &Variables) -> Result<(), String>;

    /// The value of a condition. A name that has no value yet is null; null is not true.
    ///
    /// # Errors
    /// Why it has no value, for instance because it is not a yes or no.
    fn condition(&self, expression: &str, variables: &Map<String, Value>) -> Result<bool, String>;

    /// The value of an expression that gives a date or a date and time, in ISO 8601.
    ///
    /// # Errors
    /// Why it has no value.
    fn date(&self, expression: &str, variables: &Map<String, Value>) -> Result<String, String>;
}
