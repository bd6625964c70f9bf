//! Functions of one record: what a condition takes out of a column before it compares. Computed once per distinct value,
//! not once per pair.

use base::codes::CodeError;
use hashbrown::HashMap;
use regex::Regex;

use crate::dates;
use crate::sql::{Expr, Operator};

/// The type of an expression, known before any record is read. A column of a file is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Number,
    /// Seconds since 1970.
    Instant,
    List,
    Bool,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    Number(f64),
    Instant(f64),
    List(Vec<String>),
    Bool(bool),
}

impl Value {
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            Self::Number(n) => Some(n.to_string()),
            Self::Instant(seconds) => Some(seconds.to_string()),
            Self::Bool(b) => Some(b.to_string()),
            Self::List(list) => Some(format!("[{}]", list.join(", "))),
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(n) | Self::Instant(n) => Some(*n),
            Self::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            Self::Null | Self::List(_) => None,
        }
    }

    pub(crate) fn instant(&self) -> Option<f64> {
        match self {
            Self::Instant(seconds) => Some(*seconds),
            Self::Text(text) => dates::parse_iso(text),
            _ => None,
        }
    }

    /// A list as it is, or as a file writes it: `[a, b]`.
    pub(crate) fn list(&self) -> Option<Vec<String>> {
        match self {
            Self::List(list) => Some(list.clone()),
            Self::Text(text) => {
                let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
                let members = inner.split(',').map(|m| m.trim().trim_matches(['\'', '"']).to_owned());
                Some(members.filter(|m| !m.is_empty()).collect())
            }
            _ => None,
        }
    }
}

/// The functions of one record, by all the names that they have in the two dialects.
#[derive(Debug, Clone, Copy)]
enum Function {
    Substr,
    First,
    Last,
    Lower,
    Upper,
    Trim,
    Length,
    ListLength,
    Concat,
    Replace,
    RegexpExtract,
    RegexpReplace,
    StartsWith,
    Contains,
    NullIf,
    Coalesce,
    ParseTime,
    Epoch,
    Year,
    Month,
    Day,
    DatePart,
    Split,
    Soundex,
    Math(fn(f64) -> f64),
    Least,
    Greatest,
}

fn function(name: &str) -> Option<Function> {
    use Function::*;
    Some(match name {
        "substr" | "substring" => Substr,
        "left" => First,
        "right" => Last,
        "lower" | "lcase" => Lower,
        "upper" | "ucase" => Upper,
        "trim" => Trim,
        "length" | "len" | "strlen" | "char_length" => Length,
        "array_length" | "size" | "cardinality" => ListLength,
        "concat" => Concat,
        "replace" => Replace,
        "regexp_extract" => RegexpExtract,
        "regexp_replace" => RegexpReplace,
        "starts_with" | "startswith" => StartsWith,
        "contains" => Contains,
        "nullif" => NullIf,
        "coalesce" | "ifnull" => Coalesce,
        "try_strptime" | "strptime" | "try_to_timestamp" | "to_timestamp" | "to_date" => ParseTime,
        "epoch" | "unix_timestamp" => Epoch,
        "year" => Year,
        "month" => Month,
        "day" | "dayofmonth" => Day,
        "date_part" => DatePart,
        "string_split" | "str_split" | "split" => Split,
        "soundex" => Soundex,
        "least" => Least,
        "greatest" => Greatest,
        _ => Math(math(name)?),
    })
}

/// Functions of one number.
pub(crate) fn math(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "floor" => f64::floor,
        "ceil" | "ceiling" => f64::ceil,
        "round" => f64::round,
        "sqrt" => f64::sqrt,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "acos" => f64::acos,
        "radians" => f64::to_radians,
        _ => return None,
    })
}

/// The type of a one-sided expression.
///
/// # Errors
/// `sql-function`, `sql-arguments`, `sql-type`, `sql-regular-expression`, with what is not known.
pub(crate) fn type_of(expr: &Expr) -> Result<Type, CodeError> {
    match expr {
        Expr::Null | Expr::Text(_) | Expr::Column(..) => Ok(Type::Text),
        Expr::Number(_) => Ok(Type::Number),
        Expr::Bool(_) => Ok(Type::Bool),
        Expr::IsNull(e) | Expr::Not(e) => type_of(e).map(|_| Type::Bool),
        Expr::Negative(e) => type_of(e).map(|_| Type::Number),
        Expr::Binary(operator, a, b) => {
            type_of(a)?;
            type_of(b)?;
            Ok(match operator {
                Operator::Concat => Type::Text,
                Operator::Add | Operator::Sub | Operator::Mul | Operator::Div => Type::Number,
                _ => Type::Bool,
            })
        }
        Expr::Cast(e, kind) => {
            type_of(e)?;
            cast_type(kind)
        }
        Expr::Case(whens, otherwise) => {
            let mut found = None;
            for then in whens.iter().map(|(_, then)| then).chain(otherwise.as_deref()) {
                if *then != Expr::Null {
                    found = found.or(Some(type_of(then)?));
                }
            }
            Ok(found.unwrap_or(Type::Text))
        }
        Expr::Call(name, arguments) => type_of_call(name, arguments),
    }
}

/// The type that a cast makes.
pub(crate) fn cast_type(kind: &str) -> Result<Type, CodeError> {
    Ok(match kind {
        "varchar" | "text" | "string" | "char" => Type::Text,
        "int" | "integer" | "bigint" | "smallint" | "tinyint" | "long" | "float" | "float4" | "float8" | "double"
        | "real" | "decimal" | "numeric" => Type::Number,
        "date" | "timestamp" | "datetime" => Type::Instant,
        _ => {
            return Err(CodeError::new(
                "sql-type",
                format!("Kiểu dữ liệu “{kind}” không được hỗ trợ."),
                format!("The type “{kind}” is not supported."),
            ));
        }
    })
}

fn type_of_call(name: &str, arguments: &[Expr]) -> Result<Type, CodeError> {
    use Function::*;
    // A date of a time is that time's day: Spark writes date(try_to_timestamp(…)).
    if name == "date" && arguments.len() == 1 {
        return type_of(&arguments[0]).map(|_| Type::Instant);
    }
    let Some(function) = function(name) else {
        return Err(unknown_function(name));
    };
    for argument in arguments {
        type_of(argument)?;
    }
    let (least, most) = match function {
        Lower | Upper | Trim | Length | ListLength | Epoch | Year | Month | Day | Soundex | Math(_) => (1, 1),
        First | Last | NullIf | ParseTime | DatePart | Split | StartsWith | Contains => (2, 2),
        Substr | RegexpExtract => (2, 3),
        Replace | RegexpReplace => (3, 3),
        Concat | Coalesce | Least | Greatest => (1, usize::MAX),
    };
    if !(least..=most).contains(&arguments.len()) {
        return Err(wrong_arguments(name, arguments.len()));
    }
    if matches!(function, RegexpExtract | RegexpReplace) {
        let Some(Expr::Text(pattern)) = arguments.get(1) else {
            return Err(wrong_arguments(name, arguments.len()));
        };
        Regex::new(pattern).map_err(|error| {
            CodeError::new(
                "sql-regular-expression",
                format!("Biểu thức chính quy “{pattern}” không đọc được: {error}."),
                format!("The regular expression “{pattern}” cannot be read: {error}."),
            )
        })?;
    }
    Ok(match function {
        Substr | First | Last | Lower | Upper | Trim | Concat | Replace | RegexpExtract | RegexpReplace | Soundex => {
            Type::Text
        }
        Length | ListLength | Epoch | Year | Month | Day | DatePart | Math(_) => Type::Number,
        ParseTime => Type::Instant,
        Split => Type::List,
        StartsWith | Contains => Type::Bool,
        NullIf | Coalesce | Least | Greatest => arguments.first().map_or(Ok(Type::Text), type_of)?,
    })
}

pub(crate) fn unknown_function(name: &str) -> CodeError {
    CodeError::new(
        "sql-function",
        format!("Hàm “{name}” không được hỗ trợ ở chỗ này."),
        format!("The function “{name}” is not supported here."),
    )
}

pub(crate) fn wrong_arguments(name: &str, count: usize) -> CodeError {
    CodeError::new(
        "sql-arguments",
        format!("Hàm “{name}” không nhận {count} tham số như thế."),
        format!("The function “{name}” does not take such {count} arguments."),
    )
}

/// Evaluates one expression for record after record; regular expressions are made once.
#[derive(Default)]
pub(crate) struct Evaluator {
    patterns: HashMap<String, Regex>,
}

impl Evaluator {
    /// The value of an expression that [`type_of`] accepted; `column` gives the record's values.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str, value: &str) -> Value {
        let expr = crate::sql::parse(sql).expect(sql);
        type_of(&expr).expect(sql);
        let cell = if value.is_empty() {
            Value::Null
        } else {
            Value::Text(value.into())
        };
        Evaluator::default().value(&expr, &|_| cell.clone())
    }

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    #[test]
    fn functions_do_what_duckdb_does() {
        assert_eq!(of("substr(a_l, 1, 2)", "đặng"), text("đặ"));
        assert_eq!(of("substring(a_l, 2)", "abc"), text("bc"));
        assert_eq!(of("substr(a_l, -3, 2)", "abcdef"), text("de"));
        assert_eq!(of("right(a_l, 2) || left(a_l, 1)", "đặng"), text("ngđ"));
        assert_eq!(of("nullif(regexp_extract(a_l, '^[^@]+', 0), '')", "ab@c"), text("ab"));
        assert_eq!(of("nullif(regexp_extract(a_l, '^[0-9]+', 0), '')", "ab@c"), Value::Null);
        assert_eq!(
            of("year(try_strptime(a_l, '%d/%m/%Y'))", "03/02/1990"),
            Value::Number(1990.0)
        );
        assert_eq!(
            of("extract(month from cast(a_l as date))", "1990-02-03"),
            Value::Number(2.0)
        );
        assert_eq!(
            of("date(try_to_timestamp(a_l, 'yyyy-MM-dd')) is null", "1990-02-30"),
            Value::Bool(true)
        );
        assert_eq!(of("len(string_split(a_l, ' '))", "nguyễn văn  an"), Value::Number(3.0));
        assert_eq!(of("size(a_l)", "['x', y]"), Value::Number(2.0));
        assert_eq!(of("lower(a_l) || 'x'", ""), Value::Null);
        assert_eq!(of("case when length(a_l) > 2 then upper(a_l) end", "abc"), text("ABC"));
        assert_eq!(of("coalesce(a_l, 'none')", ""), text("none"));
    }

    #[test]
    fn soundex_of_the_textbook() {
        for (name, key) in [
            ("Robert", "R163"),
            ("Rupert", "R163"),
            ("Ashcraft", "A261"),
            ("Tymczak", "T522"),
            ("Đặng", "D520"),
        ] {
            assert_eq!(of("soundex(a_l)", name), text(key));
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let code = |sql: &str| type_of(&crate::sql::parse(sql).expect(sql)).expect_err(sql).code();
        assert_eq!(code("md5(a_l)"), "sql-function");
        assert_eq!(code("lower(a_l, 2)"), "sql-arguments");
        assert_eq!(code("a_l::blob"), "sql-type");
        assert_eq!(code("regexp_extract(a_l, '(', 0)"), "sql-regular-expression");
    }
}
