//! Functions of one record: what a condition takes out of a column before it compares. Computed once per distinct value,
//! not once per pair.

mod evaluate;

use base::codes::CodeError;
use regex::Regex;

use crate::dates;
use crate::sql::{Expr, Operator};

pub(crate) use evaluate::Evaluator;

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
