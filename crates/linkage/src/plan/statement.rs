//! Conditions and weights in SQL over `l` and `r`, two records of a table. It says what [`crate::compile`] makes of the same
//! conditions, so that an engine sees what the linker sees.

use base::codes::CodeError;

use super::Field;
use crate::compile::{constant, days_since, has_columns, kind, mixed, not_a_condition};
use crate::distance::Distance;
use crate::model::{Comparison, Model};
use crate::scalar::{self, Type, Value};
use crate::sql::{Expr, Operator, Side};

type Written<T = String> = Result<T, CodeError>;

/// Writes conditions; what each takes out of one record becomes a field.
pub(super) struct Writer<'a> {
    pub(super) fields: &'a mut Vec<Field>,
}

impl Model {
    /// The columns whose common values say less.
    pub(super) fn counted(&self) -> Vec<String> {
        let mut counted: Vec<String> = Vec::new();
        let levels = self.comparisons.iter().flat_map(|comparison| &comparison.levels);
        let frequencies = levels.filter_map(|level| level.term_frequency.as_ref());
        for frequency in frequencies.filter(|frequency| frequency.weight != 0.0) {
            if !counted.contains(&frequency.column) {
                counted.push(frequency.column.clone());
            }
        }
        counted
    }
}

impl Writer<'_> {
    /// The weight of a comparison for a pair; an error comes with the level that it is in.
    pub(super) fn weight(&mut self, comparison: &Comparison, counted: &[String]) -> Result<String, (usize, CodeError)> {
        let mut whens = String::new();
        let mut otherwise = double(0.0);
        for (n, level) in comparison.levels.iter().enumerate() {
            let bits = level_weight(comparison, n, counted);
            match level.when.condition() {
                Some(condition) => {
                    let test = self.test(&condition.expr).map_err(|reason| (n, reason))?;
                    whens += &format!(" WHEN {test} THEN {bits}");
                }
                None => otherwise = bits,
            }
        }
        if whens.is_empty() {
            return Ok(otherwise);
        }
        Ok(format!("CASE{whens} ELSE {otherwise} END"))
    }

    /// What is true, false or NULL of a pair.
    pub(super) fn test(&mut self, expr: &Expr) -> Written {
        match expr {
            Expr::Bool(true) => Ok("TRUE".to_owned()),
            Expr::Bool(false) => Ok("FALSE".to_owned()),
            Expr::Null => Ok("CAST(NULL AS BOOLEAN)".to_owned()),
            Expr::Not(e) => Ok(format!("(NOT {})", self.test(e)?)),
            Expr::Binary(Operator::And, a, b) => Ok(format!("({} AND {})", self.test(a)?, self.test(b)?)),
            Expr::Binary(Operator::Or, a, b) => Ok(format!("({} OR {})", self.test(a)?, self.test(b)?)),
            Expr::IsNull(e) => Ok(format!("({} IS NULL)", self.any(e)?)),
            Expr::Binary(operator, a, b) if comparing(*operator).is_some() => self.comparison(*operator, a, b),
            Expr::Call(name, _) if overlaps(name) && expr.side().is_none() => Err(lists()),
            Expr::Call(..) | Expr::Cast(..) | Expr::Case(..) if expr.side().is_some() => match scalar::type_of(expr)? {
                Type::Bool => Ok(format!("({} = 1.0)", self.one_sided(expr, Type::Number)?)),
                _ => Err(not_a_condition()),
            },
            Expr::Call(name, _) => Err(scalar::unknown_function(name)),
            _ => Err(not_a_condition()),
        }
    }

    /// Anything that may be missing.
    fn any(&mut self, expr: &Expr) -> Written {
        if !has_columns(expr) {
            let missing = constant(expr)? == Value::Null;
            return Ok(if missing { "NULL".to_owned() } else { double(0.0) });
        }
        if expr.side().is_none() {
            return self.number(expr);
        }
        match scalar::type_of(expr)? {
            Type::Bool => self.one_sided(expr, Type::Number),
            other => self.one_sided(expr, other),
        }
    }

    fn comparison(&mut self, operator: Operator, a: &Expr, b: &Expr) -> Written {
        let sign = comparing(operator).ok_or_else(not_a_condition)?;
        let (kind_a, kind_b) = (kind(a)?, kind(b)?);
        let (a, b) = match (kind_a, kind_b) {
            (Type::Text, Type::Text) => (self.text(a)?, self.text(b)?),
            (Type::List, _) | (_, Type::List) => return Err(lists()),
            (Type::Instant, _) | (_, Type::Instant) => (self.instant(a)?, self.instant(b)?),
            _ => (self.number(a)?, self.number(b)?),
        };
        Ok(format!("({a} {sign} {b})"))
    }

    fn text(&mut self, expr: &Expr) -> Written {
        if has_columns(expr) {
            return self.one_sided(expr, Type::Text);
        }
        Ok(match constant(expr)?.text() {
            Some(text) => format!("'{}'", text.replace('\'', "''")),
            None => "CAST(NULL AS VARCHAR)".to_owned(),
        })
    }

    fn instant(&mut self, expr: &Expr) -> Written {
        if has_columns(expr) {
            return self.one_sided(expr, Type::Instant);
        }
        Ok(constant(expr)?.instant().map_or_else(missing_number, double))
    }

    fn number(&mut self, expr: &Expr) -> Written {
        if !has_columns(expr) {
            return Ok(constant(expr)?.number().map_or_else(missing_number, double));
        }
        if expr.side().is_some() {
            return match scalar::type_of(expr)? {
                Type::Instant => self.one_sided(expr, Type::Instant),
                _ => self.one_sided(expr, Type::Number),
            };
        }
        match expr {
            Expr::Negative(e) => Ok(format!("(- {})", self.number(e)?)),
            Expr::Binary(operator, a, b) => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                match operator {
                    Operator::Add => Ok(format!("({a} + {b})")),
                    Operator::Sub => Ok(format!("({a} - {b})")),
                    Operator::Mul => Ok(format!("({a} * {b})")),
                    // What cannot be divided by is missing; adding 0 makes one zero of the two that there are.
                    Operator::Div => Ok(format!("({a} / nullif({b} + 0.0, 0.0))")),
                    _ => Err(mixed()),
                }
            }
            Expr::Case(whens, otherwise) => {
                let mut sql = "CASE".to_owned();
                for (when, then) in whens {
                    sql += &format!(" WHEN {} THEN {}", self.test(when)?, self.number(then)?);
                }
                let otherwise = otherwise.as_ref().map(|e| self.number(e)).transpose()?;
                Ok(format!("({sql} ELSE {} END)", otherwise.unwrap_or_else(missing_number)))
            }
            Expr::Cast(e, to) => {
                let inner = self.number(e)?;
                match (scalar::cast_type(to)?, to.as_str()) {
                    (Type::Number, "float" | "float4" | "float8" | "double" | "real" | "decimal" | "numeric") => {
                        Ok(inner)
                    }
                    (Type::Number, _) => Ok(format!("round({inner})")),
                    _ => Err(mixed()),
                }
            }
            Expr::Call(name, arguments) => self.call(name, arguments),
            _ => Err(mixed()),
        }
    }

    /// A function of both records.
    fn call(&mut self, name: &str, arguments: &[Expr]) -> Written {
        if let Some(distance) = Distance::named(name) {
            let [a, b] = arguments else {
                return Err(scalar::wrong_arguments(name, arguments.len()));
            };
            return Ok(format!("{}({}, {})", distance.name(), self.text(a)?, self.text(b)?));
        }
        if scalar::math(name).is_some() {
            let [a] = arguments else {
                return Err(scalar::wrong_arguments(name, arguments.len()));
            };
            let a = self.number(a)?;
            // Where these have no value, engines fail or answer what is no number; here it is missing.
            return Ok(match name {
                "ceiling" => format!("ceil({a})"),
                "sqrt" => format!("(CASE WHEN {a} >= 0.0 THEN sqrt({a}) END)"),
                "acos" => format!("(CASE WHEN {a} BETWEEN -1.0 AND 1.0 THEN acos({a}) END)"),
                _ => format!("{name}({a})"),
            });
        }
        match (name, arguments) {
            ("least" | "greatest", _) => {
                let list = arguments.iter().map(|a| self.number(a)).collect::<Written<Vec<_>>>()?;
                Ok(format!("{name}({})", list.join(", ")))
            }
            // Spark: the first less the second.
            ("datediff" | "date_diff", [end, start]) => self.days_between(start, end),
            // DuckDB: from the second to the third.
            ("datediff" | "date_diff", [Expr::Text(unit), start, end]) if unit.eq_ignore_ascii_case("day") => {
                self.days_between(start, end)
            }
            ("datediff" | "date_diff", _) => Err(scalar::wrong_arguments(name, arguments.len())),
            ("array_length" | "len" | "length" | "size" | "cardinality", [Expr::Call(inner, _)]) if overlaps(inner) => {
                Err(lists())
            }
            ("array_length" | "len" | "length" | "size" | "cardinality", _) => Err(mixed()),
            _ => Err(scalar::unknown_function(name)),
        }
    }

    fn days_between(&mut self, start: &Expr, end: &Expr) -> Written {
        let (start, end) = (self.number(&days_since(start))?, self.number(&days_since(end))?);
        Ok(format!("({end} - {start})"))
    }

    /// The field of a record that an expression is.
    fn one_sided(&mut self, expr: &Expr, kind: Type) -> Written {
        let side = match expr.side().ok_or_else(mixed)? {
            Side::Left => "l",
            Side::Right => "r",
        };
        scalar::type_of(expr)?;
        if kind == Type::List {
            return Err(lists());
        }
        let expr = expr.clone().of_one_record();
        let known = self
            .fields
            .iter()
            .find(|field| field.kind == kind && field.expr == expr);
        let name = match (known, &expr) {
            (Some(field), _) => field.name.clone(),
            (None, Expr::Column(_, name)) if kind == Type::Text && name.starts_with('_') => return Err(reserved(name)),
            (None, Expr::Column(_, name)) if kind == Type::Text => name.clone(),
            (None, _) => format!("_f{}", self.fields.len()),
        };
        let written = format!("{side}.{}", quoted(&name));
        if known.is_none() {
            self.fields.push(Field { name, expr, kind });
        }
        Ok(written)
    }
}

fn level_weight(comparison: &Comparison, level: usize, counted: &[String]) -> String {
    let bits = double(comparison.weight(level));
    let frequency = comparison
        .levels
        .get(level)
        .and_then(|level| level.term_frequency.as_ref());
    let adjusted = frequency.and_then(|frequency| {
        let n = counted.iter().position(|column| *column == frequency.column)?;
        let (_, u) = comparison.m_u(comparison.exact_level_for(level)?);
        let (of, least, by) = (double(u.log2()), double(frequency.minimum_u), double(frequency.weight));
        let (l, r) = (format!("l.\"_share_{n}\""), format!("r.\"_share_{n}\""));
        Some(format!(
            "(CASE WHEN {l} IS NULL AND {r} IS NULL THEN {bits} \
             ELSE {bits} + {by} * ({of} - log2(greatest({l}, {r}, {least}))) END)"
        ))
    });
    adjusted.unwrap_or(bits)
}

const fn comparing(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Eq => "=",
        Operator::Ne => "<>",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Gt => ">",
        Operator::Ge => ">=",
        _ => return None,
    })
}

fn overlaps(name: &str) -> bool {
    const NAMES: [&str; 5] = [
        "list_has_any",
        "array_has_any",
        "arrays_overlap",
        "list_intersect",
        "array_intersect",
    ];
    NAMES.contains(&name)
}

fn missing_number() -> String {
    "CAST(NULL AS DOUBLE)".to_owned()
}

/// A number that is read back as the same one.
pub(super) fn double(number: f64) -> String {
    if number.is_finite() {
        format!("CAST({number:?} AS DOUBLE)")
    } else {
        format!("CAST('{number}' AS DOUBLE)")
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn lists() -> CodeError {
    CodeError::new(
        "sql-lists",
        "Câu lệnh SQL cho hệ phân tán không so sánh danh sách; hãy dùng `motcua link` trên một máy.",
        "The statements for a distributed engine do not compare lists; use `motcua link` on one machine.",
    )
}

fn reserved(name: &str) -> CodeError {
    CodeError::new(
        "reserved-column",
        format!("Tên cột “{name}” bắt đầu bằng dấu gạch dưới, dành cho các cột của bảng."),
        format!("The column “{name}” begins with an underscore, as only the tables' own columns do."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> String {
        let mut fields = Vec::new();
        let mut writer = Writer { fields: &mut fields };
        writer.test(&crate::sql::parse(sql).expect(sql)).expect(sql)
    }

    #[test]
    fn both_spellings_of_a_column_and_of_a_function_are_one() {
        assert_eq!(
            written("jaro_winkler(l.Name, \"Name_r\") >= 0.9"),
            "(jaro_winkler_similarity(l.\"Name\", r.\"Name\") >= CAST(0.9 AS DOUBLE))"
        );
    }

    #[test]
    fn names_and_texts_cannot_leave_their_quotes() {
        assert_eq!(written(r#"l."a"" OR 1" = 'it''s'"#), r#"(l."a"" OR 1" = 'it''s')"#);
    }

    #[test]
    fn numbers_are_taken_from_texts_beforehand() {
        assert_eq!(
            written("abs(n_l - n_r) / n_l < 0.1"),
            "((abs((l.\"_f0\" - r.\"_f0\")) / nullif(l.\"_f0\" + 0.0, 0.0)) < CAST(0.1 AS DOUBLE))"
        );
        assert_eq!(
            written("datediff('day', a_l, a_r) <= 31"),
            "((r.\"_f0\" - l.\"_f0\") <= CAST(31.0 AS DOUBLE))"
        );
    }
}
