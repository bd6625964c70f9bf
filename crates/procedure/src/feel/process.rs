//! The expression language as the process engine asks for it.

use std::{collections::HashMap, sync::RwLock};

use serde_json::{Map, Value};

use super::{Expr, Flaw, MAX_FILE_WORK, Type, Types};
use crate::process::{Feel, VariableType, Variables};

/// FEEL for one process. Each expression is compiled once, when the process is checked, with the types that it was
/// checked against; then it is only evaluated.
#[derive(Debug, Default)]
pub struct ProcessFeel {
    compiled: RwLock<HashMap<String, Expr>>,
}

impl ProcessFeel {
    /// Nothing compiled yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn compile(&self, text: &str, variables: &Variables) -> Result<Expr, String> {
        let mut types = Types::new();
        for (name, ty) in variables {
            types.declare(name, typed(ty));
        }
        let expr = Expr::parse(text, &types).map_err(|flaws| said(&flaws))?;
        if let Ok(mut compiled) = self.compiled.write() {
            let others = compiled.iter().filter(|(known, _)| *known != text);
            let work = others.fold(expr.work(), |work, (_, expr)| work.saturating_add(expr.work()));
            if work > MAX_FILE_WORK {
                return Err(format!(
                    "the expressions of the process may take too much work together (estimated {work} steps; at most {MAX_FILE_WORK})"
                ));
            }
            compiled.insert(text.to_owned(), expr.clone());
        }
        Ok(expr)
    }

    fn value(&self, text: &str, variables: &Map<String, Value>) -> Result<Value, String> {
        if let Ok(compiled) = self.compiled.read()
            && let Some(expr) = compiled.get(text)
        {
            return Ok(expr.eval_over(variables));
        }
        // Not checked before: what is there tells the types.
        let guessed: Variables = variables.keys().map(|name| (name.clone(), VariableType::Any)).collect();
        Ok(self.compile(text, &guessed)?.eval_over(variables))
    }
}

impl Feel for ProcessFeel {
    fn check_condition(&self, expression: &str, variables: &Variables) -> Result<(), String> {
        let expr = self.compile(expression, variables)?;
        match expr.ty() {
            Type::Boolean | Type::Any => Ok(()),
            other => Err(format!(
                "a condition must be true or false; this gives {}",
                other.name(base::Lang::En)
            )),
        }
    }

    fn check_date(&self, expression: &str, variables: &Variables) -> Result<(), String> {
        let expr = self.compile(expression, variables)?;
        match expr.ty() {
            Type::Date | Type::DateTime | Type::Any => Ok(()),
            other => Err(format!("a date is needed; this gives {}", other.name(base::Lang::En))),
        }
    }

    fn condition(&self, expression: &str, variables: &Map<String, Value>) -> Result<bool, String> {
        match self.value(expression, variables)? {
            Value::Bool(value) => Ok(value),
            Value::Null => Ok(false),
            _ => Err("the condition is neither true nor false".to_owned()),
        }
    }

    fn date(&self, expression: &str, variables: &Map<String, Value>) -> Result<String, String> {
        match self.value(expression, variables)? {
            Value::String(text) => Ok(text),
            _ => Err("the expression gives no date".to_owned()),
        }
    }
}

fn said(flaws: &[Flaw]) -> String {
    flaws
        .iter()
        .map(|flaw| flaw.text.en.trim_end_matches('.'))
        .collect::<Vec<_>>()
        .join("; ")
}

fn typed(ty: &VariableType) -> Type {
    match ty {
        VariableType::Text => Type::String,
        VariableType::Choice(options) => Type::Enum(options.as_slice().into()),
        VariableType::Number => Type::Number,
        VariableType::Boolean => Type::Boolean,
        VariableType::Date => Type::Date,
        VariableType::List(item) => Type::List(Box::new(typed(item))),
        VariableType::Context(parts) => {
            Type::Context(parts.iter().map(|(name, ty)| (name.clone(), typed(ty))).collect())
        }
        VariableType::Any => Type::Any,
    }
}

/// The same type in the words of the process.
pub(crate) fn variable(ty: &Type) -> VariableType {
    match ty {
        Type::Boolean => VariableType::Boolean,
        Type::Number => VariableType::Number,
        Type::String => VariableType::Text,
        Type::Enum(options) => VariableType::Choice(options.to_vec()),
        Type::Date => VariableType::Date,
        Type::List(item) => VariableType::List(Box::new(variable(item))),
        Type::Context(parts) => {
            VariableType::Context(parts.iter().map(|(name, ty)| (name.clone(), variable(ty))).collect())
        }
        _ => VariableType::Any,
    }
}
