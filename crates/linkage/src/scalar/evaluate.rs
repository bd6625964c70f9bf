//! What an expression of one record comes to.

use hashbrown::HashMap;
use regex::Regex;

use super::{Function, Type, Value, cast_type, function};
use crate::dates;
use crate::sql::{Expr, Operator};

/// Evaluates one expression for record after record; regular expressions are made once.
#[derive(Default)]
pub(crate) struct Evaluator {
    patterns: HashMap<String, Regex>,
}

impl Evaluator {
    /// The value of an expression that [`super::type_of`] accepted; `column` gives the record's values.
    pub(crate) fn value(&mut self, expr: &Expr, column: &dyn Fn(&str) -> Value) -> Value {
        match expr {
            Expr::Null => Value::Null,
            Expr::Bool(b) => Value::Bool(*b),
            Expr::Number(n) => Value::Number(*n),
            Expr::Text(t) => Value::Text(t.clone()),
            Expr::Column(_, name) => column(name),
            Expr::IsNull(e) => Value::Bool(self.value(e, column) == Value::Null),
            Expr::Not(e) => match self.value(e, column) {
                Value::Bool(b) => Value::Bool(!b),
                _ => Value::Null,
            },
            Expr::Negative(e) => self
                .value(e, column)
                .number()
                .map_or(Value::Null, |n| Value::Number(-n)),
            Expr::Binary(operator, a, b) => {
                let (a, b) = (self.value(a, column), self.value(b, column));
                binary(*operator, &a, &b)
            }
            Expr::Cast(e, kind) => {
                let value = self.value(e, column);
                match cast_type(kind) {
                    Ok(Type::Text) => value.text().map_or(Value::Null, Value::Text),
                    Ok(Type::Number) => value.number().map_or(Value::Null, Value::Number),
                    Ok(Type::Instant) => value.instant().map_or(Value::Null, Value::Instant),
                    _ => Value::Null,
                }
            }
            Expr::Case(whens, otherwise) => {
                for (when, then) in whens {
                    if self.value(when, column) == Value::Bool(true) {
                        return self.value(then, column);
                    }
                }
                otherwise.as_ref().map_or(Value::Null, |e| self.value(e, column))
            }
            Expr::Call(name, arguments) => {
                let values: Vec<Value> = arguments.iter().map(|a| self.value(a, column)).collect();
                if name == "date" {
                    let day = values.first().and_then(Value::instant);
                    return day.map_or(Value::Null, |s| Value::Instant((s / 86_400.0).floor() * 86_400.0));
                }
                function(name)
                    .and_then(|f| self.call(f, &values))
                    .unwrap_or(Value::Null)
            }
        }
    }

    fn pattern(&mut self, pattern: &str) -> Option<&Regex> {
        if !self.patterns.contains_key(pattern) {
            self.patterns.insert(pattern.to_owned(), Regex::new(pattern).ok()?);
        }
        self.patterns.get(pattern)
    }

    fn call(&mut self, function: Function, values: &[Value]) -> Option<Value> {
        use Function::*;
        let first = values.first()?;
        let text = |n: usize| values.get(n).and_then(Value::text);
        let number = |n: usize| values.get(n).and_then(Value::number);
        Some(match function {
            Substr => Value::Text(substr(&text(0)?, number(1)?, values.get(2).map(Value::number))?),
            First => Value::Text(text(0)?.chars().take(number(1)?.max(0.0) as usize).collect()),
            Last => {
                let text = text(0)?;
                let skip = text.chars().count().saturating_sub(number(1)?.max(0.0) as usize);
                Value::Text(text.chars().skip(skip).collect())
            }
            Lower => Value::Text(text(0)?.to_lowercase()),
            Upper => Value::Text(text(0)?.to_uppercase()),
            Trim => Value::Text(text(0)?.trim().to_owned()),
            Length => match first {
                Value::List(list) => Value::Number(list.len() as f64),
                other => Value::Number(other.text()?.chars().count() as f64),
            },
            ListLength => Value::Number(first.list()?.len() as f64),
            // As in DuckDB, a missing part is left out; || is what makes the whole missing.
            Concat => Value::Text(values.iter().filter_map(Value::text).collect()),
            Replace => Value::Text(text(0)?.replace(&text(1)?, &text(2)?)),
            RegexpExtract => {
                let group = values.get(2).map_or(Some(0.0), Value::number)? as usize;
                let (subject, pattern) = (text(0)?, text(1)?);
                let found = self
                    .pattern(&pattern)?
                    .captures(&subject)
                    .and_then(|c| c.get(group).map(|m| m.as_str().to_owned()));
                Value::Text(found.unwrap_or_default())
            }
            RegexpReplace => {
                let (subject, pattern, with) = (text(0)?, text(1)?, text(2)?);
                Value::Text(self.pattern(&pattern)?.replace(&subject, with.as_str()).into_owned())
            }
            StartsWith => Value::Bool(text(0)?.starts_with(&text(1)?)),
            Contains => Value::Bool(text(0)?.contains(&text(1)?)),
            NullIf => {
                if values.get(1) == Some(first) {
                    return None;
                }
                first.clone()
            }
            Coalesce => values.iter().find(|v| **v != Value::Null)?.clone(),
            ParseTime => Value::Instant(dates::parse(&text(0)?, &text(1)?)?),
            Epoch => Value::Number(first.instant()?),
            Year => Value::Number(f64::from(dates::date_of(first.instant()?)?.year())),
            Month => Value::Number(f64::from(dates::date_of(first.instant()?)?.month())),
            Day => Value::Number(f64::from(dates::date_of(first.instant()?)?.day())),
            DatePart => {
                let date = dates::date_of(values.get(1)?.instant()?)?;
                match text(0)?.to_ascii_lowercase().as_str() {
                    "year" => Value::Number(f64::from(date.year())),
                    "month" => Value::Number(f64::from(date.month())),
                    "day" => Value::Number(f64::from(date.day())),
                    _ => return None,
                }
            }
            Split => {
                let (text, by) = (text(0)?, text(1)?);
                Value::List(text.split(&by).filter(|w| !w.is_empty()).map(str::to_owned).collect())
            }
            Soundex => Value::Text(soundex(&text(0)?)),
            Math(function) => self::number(function(number(0)?)),
            Least => extreme(values, f64::min)?,
            Greatest => extreme(values, f64::max)?,
        })
    }
}

fn extreme(values: &[Value], pick: fn(f64, f64) -> f64) -> Option<Value> {
    values.iter().filter_map(Value::number).reduce(pick).map(Value::Number)
}

fn binary(operator: Operator, a: &Value, b: &Value) -> Value {
    match operator {
        Operator::And | Operator::Or => {
            let decisive = Value::Bool(operator == Operator::Or);
            return if *a == decisive || *b == decisive {
                decisive
            } else if *a == Value::Null || *b == Value::Null {
                Value::Null
            } else {
                Value::Bool(operator == Operator::And)
            };
        }
        _ if *a == Value::Null || *b == Value::Null => return Value::Null,
        Operator::Concat => {
            return match (a.text(), b.text()) {
                (Some(a), Some(b)) => Value::Text(a + &b),
                _ => Value::Null,
            };
        }
        _ => {}
    }
    let order = match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => None,
        },
    };
    let Some(order) = order else { return Value::Null };
    let (x, y) = (a.number().unwrap_or(f64::NAN), b.number().unwrap_or(f64::NAN));
    match operator {
        Operator::Eq => Value::Bool(order.is_eq()),
        Operator::Ne => Value::Bool(order.is_ne()),
        Operator::Lt => Value::Bool(order.is_lt()),
        Operator::Le => Value::Bool(order.is_le()),
        Operator::Gt => Value::Bool(order.is_gt()),
        Operator::Ge => Value::Bool(order.is_ge()),
        Operator::Add => number(x + y),
        Operator::Sub => number(x - y),
        Operator::Mul => number(x * y),
        Operator::Div => number(x / y),
        Operator::And | Operator::Or | Operator::Concat => Value::Null,
    }
}

fn number(n: f64) -> Value {
    if n.is_finite() { Value::Number(n) } else { Value::Null }
}

/// A part of a text, counted in characters from 1, or from the end if negative.
fn substr(text: &str, start: f64, length: Option<Option<f64>>) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let count = chars.len() as f64;
    let from = if start < 0.0 {
        (count + start).max(0.0)
    } else {
        start - 1.0
    };
    let to = match length {
        None => count,
        Some(length) => from + length?,
    };
    let (from, to) = (from.clamp(0.0, count) as usize, to.clamp(0.0, count) as usize);
    Some(chars.get(from..to.max(from)).unwrap_or_default().iter().collect())
}

/// The key of Russell and Odell: the first letter and three digits for the consonants that follow. Marks are folded first,
/// so that it does something sensible with Vietnamese.
fn soundex(text: &str) -> String {
    let code = |c: char| match c {
        'b' | 'f' | 'p' | 'v' => '1',
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => '2',
        'd' | 't' => '3',
        'l' => '4',
        'm' | 'n' => '5',
        'r' => '6',
        'h' | 'w' => '-',
        _ => '0',
    };
    let folded = base::text::fold(text);
    let mut letters = folded.chars().filter(char::is_ascii_lowercase);
    let Some(first) = letters.next() else {
        return String::new();
    };
    let mut key = String::from(first.to_ascii_uppercase());
    let mut last = code(first);
    for digit in letters.map(code) {
        if digit == '-' {
            continue;
        }
        if digit != '0' && digit != last {
            key.push(digit);
        }
        last = digit;
        if key.len() == 4 {
            break;
        }
    }
    while key.len() < 4 {
        key.push('0');
    }
    key
}
