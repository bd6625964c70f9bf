//! From what a condition says to what is judged per pair. Everything that depends on one record alone becomes a column.

use base::codes::CodeError;
use hashbrown::HashMap;

use crate::dictionary::NULL;
use crate::distance::Distance;
use crate::program::{Column, Field, Measure, Measured, Number, Store, Test};
use crate::scalar::{self, Evaluator, Type, Value};
use crate::sql::{Expr, Operator, Side};
use crate::table::Records;

/// A blocking rule: pairs with equal keys for which the rest holds too.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) sql: String,
    /// Columns of the left and of the right record whose texts must be equal.
    pub(crate) keys: Vec<(usize, usize)>,
    pub(crate) rest: Vec<Test>,
}

/// Turns conditions into tests over the columns of some records; the columns it makes stay with the [`Store`].
pub(crate) struct Compiler<'a> {
    pub(crate) records: &'a mut Records,
    pub(crate) store: &'a mut Store,
    pub(crate) derived: &'a mut Derived,
}

/// Which columns were computed already, and from what.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    columns: Vec<(Expr, Type, usize)>,
    lists: HashMap<Box<[u32]>, u32>,
}

type Compiled<T> = Result<T, CodeError>;

impl Compiler<'_> {
    /// The number of a column of the files.
    ///
    /// # Errors
    /// `unknown-column`.
    pub(crate) fn base_column(&self, name: &str) -> Compiled<usize> {
        self.records.column(name).ok_or_else(|| {
            CodeError::new(
                "unknown-column",
                format!("Không tệp nào có cột “{name}”."),
                format!("No file has a column “{name}”."),
            )
        })
    }

    /// # Errors
    /// `blocking-without-equality` where the rule would compare everything with everything, `sql-…`, `unknown-column`.
    pub(crate) fn rule(&mut self, sql: &str, expr: &Expr) -> Compiled<Rule> {
        let mut rule = Rule {
            sql: sql.to_owned(),
            keys: Vec::new(),
            rest: Vec::new(),
        };
        for part in expr.conjuncts() {
            match part {
                Expr::Binary(Operator::Eq, a, b) => match (a.side(), b.side()) {
                    (Some(Side::Left), Some(Side::Right)) => {
                        let key = (self.column(a, Type::Text)?, self.column(b, Type::Text)?);
                        rule.keys.push(key);
                    }
                    (Some(Side::Right), Some(Side::Left)) => {
                        let key = (self.column(b, Type::Text)?, self.column(a, Type::Text)?);
                        rule.keys.push(key);
                    }
                    _ => rule.rest.push(self.test(part)?),
                },
                other => rule.rest.push(self.test(other)?),
            }
        }
        if rule.keys.is_empty() {
            return Err(without_equality(sql));
        }
        Ok(rule)
    }

    /// A condition as a test.
    pub(crate) fn test(&mut self, expr: &Expr) -> Compiled<Test> {
        match expr {
            Expr::Bool(b) => Ok(Test::Constant(Some(*b))),
            Expr::Null => Ok(Test::Constant(None)),
            Expr::Not(e) => Ok(Test::Not(Box::new(self.test(e)?))),
            Expr::Binary(Operator::And, a, b) => Ok(Test::All(vec![self.test(a)?, self.test(b)?])),
            Expr::Binary(Operator::Or, a, b) => Ok(match (self.test(a)?, self.test(b)?) {
                (Test::Missing(a), Test::Missing(b)) => Test::MissingEither(a, b),
                (a, b) => Test::Any(vec![a, b]),
            }),
            Expr::IsNull(e) => self.missing(e),
            Expr::Binary(
                operator @ (Operator::Eq | Operator::Ne | Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge),
                a,
                b,
            ) => self.comparison(*operator, a, b),
            Expr::Call(name, arguments)
                if matches!(name.as_str(), "list_has_any" | "array_has_any" | "arrays_overlap")
                    && expr.side().is_none() =>
            {
                let shared = self.overlap(name, arguments)?;
                Ok(Test::Compared(Operator::Ge, shared, Number::Constant(1.0)))
            }
            Expr::Call(..) | Expr::Cast(..) | Expr::Case(..) if expr.side().is_some() => match scalar::type_of(expr)? {
                Type::Bool => {
                    let (side, column) = self.one_sided(expr, Type::Number)?;
                    Ok(Test::Compared(
                        Operator::Eq,
                        Number::Field(side, column),
                        Number::Constant(1.0),
                    ))
                }
                _ => Err(not_a_condition()),
            },
            Expr::Call(name, _) => Err(scalar::unknown_function(name)),
            _ => Err(not_a_condition()),
        }
    }

    fn missing(&mut self, expr: &Expr) -> Compiled<Test> {
        if !has_columns(expr) {
            return Ok(Test::Constant(Some(constant(expr)? == Value::Null)));
        }
        if expr.side().is_none() {
            return Ok(Test::NotComputable(self.number(expr)?));
        }
        match scalar::type_of(expr)? {
            kind @ (Type::Text | Type::List) => Ok(Test::Missing(self.field(expr, kind)?)),
            kind => {
                let kind = if kind == Type::Bool { Type::Number } else { kind };
                let (side, column) = self.one_sided(expr, kind)?;
                Ok(Test::NotComputable(Number::Field(side, column)))
            }
        }
    }

    fn comparison(&mut self, operator: Operator, a: &Expr, b: &Expr) -> Compiled<Test> {
        if let Some(test) = self.bounded(operator, a, b)? {
            return Ok(test);
        }
        let (kind_a, kind_b) = (kind(a)?, kind(b)?);
        if kind_a == Type::Text && kind_b == Type::Text {
            let (a, b) = (self.field(a, Type::Text)?, self.field(b, Type::Text)?);
            return Ok(match operator {
                Operator::Eq => Test::Same(a, b),
                Operator::Ne => Test::Not(Box::new(Test::Same(a, b))),
                _ => Test::Ordered(operator, a, b),
            });
        }
        if kind_a == Type::List || kind_b == Type::List {
            let same = Test::Same(self.field(a, Type::List)?, self.field(b, Type::List)?);
            return match operator {
                Operator::Eq => Ok(same),
                Operator::Ne => Ok(Test::Not(Box::new(same))),
                _ => Err(not_a_condition()),
            };
        }
        let instants = kind_a == Type::Instant || kind_b == Type::Instant;
        let (a, b) = if instants {
            (self.instant(a)?, self.instant(b)?)
        } else {
            (self.number(a)?, self.number(b)?)
        };
        Ok(Test::Compared(operator, a, b))
    }

    fn instant(&mut self, expr: &Expr) -> Compiled<Number> {
        if !has_columns(expr) {
            return Ok(Number::Constant(constant(expr)?.instant().unwrap_or(f64::NAN)));
        }
        let (side, column) = self.one_sided(expr, Type::Instant)?;
        Ok(Number::Field(side, column))
    }

    /// A number computed from a pair.
    fn number(&mut self, expr: &Expr) -> Compiled<Number> {
        if !has_columns(expr) {
            return Ok(Number::Constant(constant(expr)?.number().unwrap_or(f64::NAN)));
        }
        if expr.side().is_some() {
            let kind = if scalar::type_of(expr)? == Type::Instant {
                Type::Instant
            } else {
                Type::Number
            };
            let (side, column) = self.one_sided(expr, kind)?;
            return Ok(Number::Field(side, column));
        }
        match expr {
            Expr::Negative(e) => Ok(Number::Unary(std::ops::Neg::neg, Box::new(self.number(e)?))),
            Expr::Binary(operator @ (Operator::Add | Operator::Sub | Operator::Mul | Operator::Div), a, b) => {
                let (a, b) = (Box::new(self.number(a)?), Box::new(self.number(b)?));
                Ok(Number::Binary(*operator, a, b))
            }
            Expr::Case(whens, otherwise) => {
                let mut compiled = Vec::new();
                for (when, then) in whens {
                    compiled.push((self.test(when)?, self.number(then)?));
                }
                let otherwise = otherwise.as_ref().map(|e| self.number(e)).transpose()?;
                Ok(Number::Case(compiled, otherwise.map(Box::new)))
            }
            Expr::Cast(e, kind) => {
                let inner = self.number(e)?;
                match (scalar::cast_type(kind)?, kind.as_str()) {
                    (Type::Number, "float" | "float4" | "float8" | "double" | "real" | "decimal" | "numeric") => {
                        Ok(inner)
                    }
                    (Type::Number, _) => Ok(Number::Unary(f64::round, Box::new(inner))),
                    _ => Err(mixed()),
                }
            }
            Expr::Call(name, arguments) => self.call(name, arguments),
            _ => Err(mixed()),
        }
    }

    /// A function of both records.
    fn call(&mut self, name: &str, arguments: &[Expr]) -> Compiled<Number> {
        if let Some(distance) = Distance::named(name) {
            let [a, b] = arguments else {
                return Err(scalar::wrong_arguments(name, arguments.len()));
            };
            let (a, b) = (self.field(a, Type::Text)?, self.field(b, Type::Text)?);
            return Ok(self.measure(Measured::Texts(distance), a, b, None));
        }
        if let Some(function) = scalar::math(name) {
            let [a] = arguments else {
                return Err(scalar::wrong_arguments(name, arguments.len()));
            };
            return Ok(Number::Unary(function, Box::new(self.number(a)?)));
        }
        match name {
            "least" | "greatest" => {
                let list = arguments.iter().map(|a| self.number(a)).collect::<Compiled<Vec<_>>>()?;
                Ok(if name == "least" {
                    Number::Least(list)
                } else {
                    Number::Greatest(list)
                })
            }
            "datediff" | "date_diff" => match arguments {
                // Spark: the first less the second.
                [end, start] => self.days_between(start, end),
                // DuckDB: from the second to the third.
                [Expr::Text(unit), start, end] if unit.eq_ignore_ascii_case("day") => self.days_between(start, end),
                _ => Err(scalar::wrong_arguments(name, arguments.len())),
            },
            "array_length" | "len" | "length" | "size" | "cardinality" => match arguments {
                [Expr::Call(inner, lists)] if matches!(inner.as_str(), "list_intersect" | "array_intersect") => {
                    self.overlap(inner, lists)
                }
                _ => Err(mixed()),
            },
            _ => Err(scalar::unknown_function(name)),
        }
    }

    fn days_between(&mut self, start: &Expr, end: &Expr) -> Compiled<Number> {
        let (start, end) = (self.number(&days_since(start))?, self.number(&days_since(end))?);
        Ok(Number::Binary(Operator::Sub, Box::new(end), Box::new(start)))
    }

    fn overlap(&mut self, name: &str, lists: &[Expr]) -> Compiled<Number> {
        let [a, b] = lists else {
            return Err(scalar::wrong_arguments(name, lists.len()));
        };
        let (a, b) = (self.field(a, Type::List)?, self.field(b, Type::List)?);
        Ok(self.measure(Measured::Overlap, a, b, None))
    }

    /// The number of a measure. One that is asked for with several bounds has the one that holds for all, and none if once
    /// without.
    fn measure(&mut self, of: Measured, a: Field, b: Field, bound: Option<f64>) -> Number {
        let known = self.store.measures.iter().position(|m| (m.of, m.a, m.b) == (of, a, b));
        if let Some(measure) = known.and_then(|n| self.store.measures.get_mut(n)) {
            measure.bound = measure.bound.zip(bound).map(|(x, y)| match of {
                Measured::Texts(distance) if !distance.is_distance() => x.min(y),
                _ => x.max(y),
            });
        }
        Number::Measure(known.unwrap_or_else(|| {
            self.store.measures.push(Measure { of, a, b, bound });
            self.store.measures.len() - 1
        }))
    }

    /// `levenshtein(…) <= 2`, `jaro_winkler(…) >= 0.9`: what is beyond the bound need not be known exactly.
    fn bounded(&mut self, operator: Operator, a: &Expr, b: &Expr) -> Compiled<Option<Test>> {
        let (Expr::Call(name, arguments), Expr::Number(bound)) = (a, b) else {
            return Ok(None);
        };
        let (Some(distance), [x, y], None) = (Distance::named(name), arguments.as_slice(), a.side()) else {
            return Ok(None);
        };
        let fits = match operator {
            Operator::Le | Operator::Lt => distance.is_distance(),
            Operator::Ge | Operator::Gt => !distance.is_distance(),
            _ => false,
        };
        if !fits || *bound < 0.0 || !has_columns(a) {
            return Ok(None);
        }
        let (x, y) = (self.field(x, Type::Text)?, self.field(y, Type::Text)?);
        let measure = self.measure(Measured::Texts(distance), x, y, Some(*bound));
        Ok(Some(Test::Compared(operator, measure, Number::Constant(*bound))))
    }

    /// A text or list of one record, or one that the condition itself contains.
    fn field(&mut self, expr: &Expr, kind: Type) -> Compiled<Field> {
        if has_columns(expr) {
            let (side, column) = self.one_sided(expr, kind)?;
            return Ok(Field::Of(side, column));
        }
        if kind != Type::Text {
            return Err(mixed());
        }
        let text = constant(expr)?.text();
        Ok(Field::Literal(
            text.map_or(NULL, |t| self.records.dictionary.intern(&t)),
        ))
    }

    fn one_sided(&mut self, expr: &Expr, kind: Type) -> Compiled<(Side, usize)> {
        let side = expr.side().ok_or_else(mixed)?;
        Ok((side, self.column(expr, kind)?))
    }

    /// The column with the values of a function of one record, computed if it is not there yet.
    fn column(&mut self, expr: &Expr, kind: Type) -> Compiled<usize> {
        scalar::type_of(expr)?;
        for name in expr.columns() {
            self.base_column(name)?;
        }
        if let (Expr::Column(_, name), Type::Text) = (expr, kind) {
            return self.base_column(name);
        }
        let expr = expr.clone().of_one_record();
        if let Some((.., number)) = self.derived.columns.iter().find(|(e, k, _)| *k == kind && *e == expr) {
            return Ok(*number);
        }
        let column = self.compute(&expr, kind);
        self.store.columns.push(column);
        let number = self.store.columns.len() - 1;
        self.derived.columns.push((expr, kind, number));
        Ok(number)
    }

    fn compute(&mut self, expr: &Expr, kind: Type) -> Column {
        let names = expr.columns();
        let sources: Vec<(String, usize)> = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.records.column(name)?)))
            .collect();
        let rows = self.records.len();
        let mut evaluator = Evaluator::default();
        // The values that an expression of few columns is computed from recur: each combination is computed once.
        let mut known: HashMap<Vec<u32>, (u32, f64)> = HashMap::new();
        let (mut ids, mut numbers) = (Vec::new(), Vec::new());
        let mut inputs = Vec::new();
        for row in 0..rows {
            inputs.clear();
            inputs.extend(sources.iter().map(|(_, column)| self.base_value(*column, row)));
            let (id, number) = match known.get(inputs.as_slice()) {
                Some(value) => *value,
                None => {
                    let value = evaluator.value(expr, &|name| {
                        let at = sources.iter().position(|(n, _)| n == name);
                        match at.and_then(|n| inputs.get(n)) {
                            Some(id) if *id != NULL => Value::Text(self.records.dictionary.get(*id).to_owned()),
                            _ => Value::Null,
                        }
                    });
                    let value = self.keep(&value, kind);
                    known.insert(inputs.clone(), value);
                    value
                }
            };
            match kind {
                Type::Text | Type::List => ids.push(id),
                Type::Number | Type::Instant | Type::Bool => numbers.push(number),
            }
        }
        match kind {
            Type::Text => Column::Text(ids),
            Type::List => Column::List(ids),
            Type::Number | Type::Instant | Type::Bool => Column::Number(numbers),
        }
    }

    fn base_value(&self, column: usize, row: usize) -> u32 {
        match self.store.columns.get(column) {
            Some(Column::Text(ids)) => ids.get(row).copied().unwrap_or(NULL),
            _ => NULL,
        }
    }

    /// A value as a number of the dictionary or of the lists, or as a number itself.
    fn keep(&mut self, value: &Value, kind: Type) -> (u32, f64) {
        match kind {
            Type::Text => (
                value.text().map_or(NULL, |t| self.records.dictionary.intern(&t)),
                f64::NAN,
            ),
            Type::Number | Type::Bool => (NULL, value.number().unwrap_or(f64::NAN)),
            Type::Instant => (NULL, value.instant().unwrap_or(f64::NAN)),
            Type::List => {
                let Some(list) = value.list() else {
                    return (NULL, f64::NAN);
                };
                let mut members: Vec<u32> = list.iter().map(|m| self.records.dictionary.intern(m)).collect();
                members.sort_unstable();
                members.dedup();
                let members = members.into_boxed_slice();
                if let Some(number) = self.derived.lists.get(&members) {
                    return (*number, f64::NAN);
                }
                if self.store.lists.is_empty() {
                    self.store.lists.push(Box::default());
                }
                let number = self.store.lists.len() as u32;
                self.store.lists.push(members.clone());
                self.derived.lists.insert(members, number);
                (number, f64::NAN)
            }
        }
    }
}

pub(crate) fn has_columns(expr: &Expr) -> bool {
    !expr.columns().is_empty()
}

/// The type of an operand; what is computed from both records can only be a number.
pub(crate) fn kind(expr: &Expr) -> Compiled<Type> {
    if has_columns(expr) && expr.side().is_none() {
        Ok(Type::Number)
    } else {
        scalar::type_of(expr)
    }
}

pub(crate) fn constant(expr: &Expr) -> Compiled<Value> {
    scalar::type_of(expr)?;
    Ok(Evaluator::default().value(expr, &|_| Value::Null))
}

/// The whole days from 1970 to an instant.
pub(crate) fn days_since(instant: &Expr) -> Expr {
    let seconds = Expr::Call("epoch".to_owned(), vec![instant.clone()]);
    let days = Expr::Binary(Operator::Div, Box::new(seconds), Box::new(Expr::Number(86_400.0)));
    Expr::Call("floor".to_owned(), vec![days])
}

pub(crate) fn without_equality(sql: &str) -> CodeError {
    CodeError::new(
        "blocking-without-equality",
        format!("Quy tắc ghép khối “{sql}” không có phép bằng nào giữa hai bản ghi: mọi bản ghi sẽ bị so với nhau."),
        format!(
            "The blocking rule “{sql}” has no equality between the two records: it would compare everything with everything."
        ),
    )
}

pub(crate) fn not_a_condition() -> CodeError {
    CodeError::new(
        "sql-not-a-condition",
        "Chỗ này cần một điều kiện đúng hoặc sai.",
        "A condition that is true or false is needed here.",
    )
}

pub(crate) fn mixed() -> CodeError {
    CodeError::new(
        "sql-mixed",
        "Không thể tính văn bản hay danh sách từ cả hai bản ghi; chỉ có thể so sánh hoặc đo độ giống nhau.",
        "A text or list cannot be computed from both records; they can only be compared or measured.",
    )
}
