//! A crumb of FEEL, enough for the processes here: `true`, `a.b = "x"`, `a.b != "x"`, `a.b = true`, a name for a date.

use procedure::process::{Feel, VariableType, Variables};
use serde_json::{Map, Value};

pub(crate) struct MiniFeel;

fn parts(expression: &str) -> Result<(&str, bool, Value), String> {
    let (name, rest, equal) = match expression.split_once("!=") {
        Some((name, rest)) => (name, rest, false),
        None => {
            let (name, rest) = expression.split_once('=').ok_or("no comparison")?;
            (name, rest, true)
        }
    };
    let value = serde_json::from_str(rest.trim()).map_err(|e| format!("“{}” is no value: {e}", rest.trim()))?;
    Ok((name.trim(), equal, value))
}

impl Feel for MiniFeel {
    fn check_condition(&self, expression: &str, variables: &Variables) -> Result<(), String> {
        if expression == "true" {
            return Ok(());
        }
        let (name, _, _) = parts(expression)?;
        let (task, part) = name.split_once('.').ok_or("a name has two parts here")?;
        match variables.get(task) {
            Some(VariableType::Context(known)) if known.contains_key(part) => Ok(()),
            Some(VariableType::Any) => Ok(()),
            _ => Err(format!("“{name}” is unknown")),
        }
    }

    fn check_date(&self, expression: &str, variables: &Variables) -> Result<(), String> {
        match variables.get(expression) {
            Some(VariableType::Date) => Ok(()),
            _ => Err(format!("“{expression}” is no date")),
        }
    }

    fn condition(&self, expression: &str, variables: &Map<String, Value>) -> Result<bool, String> {
        if expression == "true" {
            return Ok(true);
        }
        let (name, equal, wanted) = parts(expression)?;
        let (task, part) = name.split_once('.').ok_or("a name has two parts here")?;
        let value = variables.get(task).ok_or_else(|| format!("“{task}” is unknown"))?;
        Ok((value.get(part).unwrap_or(&Value::Null) == &wanted) == equal)
    }

    fn date(&self, expression: &str, variables: &Map<String, Value>) -> Result<String, String> {
        let value = variables.get(expression).and_then(Value::as_str);
        value
            .map(str::to_owned)
            .ok_or_else(|| format!("“{expression}” has no value"))
    }
}
