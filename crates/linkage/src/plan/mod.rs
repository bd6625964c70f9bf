//! A model as statements of SQL, for engines that spread work over many machines and know joins, but not this crate.
//!
//! Whatever depends on one record alone (keys, parts of a text, dates read from it) is worked out here when records are
//! written into tables; an engine is left with joining, comparing and adding up. What it finds is what
//! [`crate::Linker::predict`] finds.

mod statement;

use std::borrow::Cow;

use base::{Error, Kind, Problems, Result, codes::CodeError};

use crate::compile::without_equality;
use crate::model::{LinkType, Model, weight_of};
use crate::scalar::{self, Evaluator, Type, Value};
use crate::sql::{Expr, Operator, Side};
use statement::Writer;

/// What a model needs of an engine: the columns of its tables, and a statement for each blocking rule.
///
/// A table holds the records that have the keys of one rule, or a part of them in which equal keys are together. Its columns
/// are `_row` (whole number, the record's own, sources one after the other), `_source` and `_id` (text), `_key_0` to `_key_n`
/// of this rule and those before (whole number: equal where the keys are, NULL where one is missing), `_share_0`… (how large
/// a share of all values of [`Plan::counted`] the record's is, NULL where it has none), and [`Plan::fields`].
///
/// The engine needs the functions of [`crate::Distance::ALL`]; the rest is standard.
#[derive(Debug)]
pub struct Plan {
    link_type: LinkType,
    id_column: String,
    columns: Vec<String>,
    fields: Vec<Field>,
    counted: Vec<String>,
    rules: Vec<Rule>,
    /// The sum of all weights.
    weight: String,
}

/// A column that is written for each record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    name: String,
    expr: Expr,
    kind: Type,
}

impl Field {
    /// Its name in the table: that of the file, or one of its own where it is computed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds numbers, and not texts.
    pub fn is_number(&self) -> bool {
        self.kind != Type::Text
    }
}

/// The value of a field; `None` where the record has none.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'r> {
    /// A text.
    Text(Option<Cow<'r, str>>),
    /// A number.
    Number(Option<f64>),
}

#[derive(Debug)]
struct Rule {
    sql: String,
    keys: Vec<Expr>,
    /// What divides records with one key where they are too many.
    dividing: Vec<Expr>,
    /// What must hold beyond the keys.
    rest: Vec<String>,
}

impl Plan {
    /// Takes a model apart.
    ///
    /// # Errors
    /// At the JSON pointer of what asks for it: `no-blocking-rules`, `blocking-without-equality`, `blocking-crossed`, `sql-lists` (lists are not
    /// compared by these statements), `reserved-column` (a name that begins with `_`), and the `sql-…` of
    /// [`crate::Linker::new`].
    pub fn new(model: &Model) -> Result<Self> {
        let mut problems = Problems::new();
        if model.blocking.is_empty() {
            return Err(Error::refused(
                Kind::Invalid,
                "no-blocking-rules",
                "Mô hình không có quy tắc ghép khối nào nên không có cặp nào để so.",
                "The model has no blocking rules, so there are no pairs to compare.",
            ));
        }
        let mut fields = Vec::new();
        let mut writer = Writer { fields: &mut fields };
        let mut rules = Vec::new();
        for (n, condition) in model.blocking.iter().enumerate() {
            match rule(&mut writer, condition.sql(), &condition.expr) {
                Ok(rule) => rules.push(rule),
                Err(reason) => reason.add_to(&mut problems, format!("/blocking_rules_to_generate_predictions/{n}")),
            }
        }
        let counted = model.counted();
        let mut weight = statement::double(weight_of(model.prior));
        for (c, comparison) in model.comparisons.iter().enumerate() {
            match writer.weight(comparison, &counted) {
                Ok(sql) => weight += &format!("\n  + {sql}"),
                Err((level, reason)) => {
                    let at = format!("/comparisons/{c}/comparison_levels/{level}/sql_condition");
                    reason.add_to(&mut problems, at);
                }
            }
        }
        problems.into_result()?;
        divide(&mut rules);
        let exprs = fields.iter().map(|field| &field.expr);
        let exprs = exprs.chain(rules.iter().flat_map(|rule| &rule.keys));
        let mut columns: Vec<String> = Vec::new();
        for name in exprs.flat_map(Expr::columns).chain(counted.iter().map(String::as_str)) {
            if !columns.iter().any(|known| known == name) {
                columns.push(name.to_owned());
            }
        }
        Ok(Self {
            link_type: model.link_type,
            id_column: model.id_column.clone(),
            columns,
            fields,
            counted,
            rules,
            weight,
        })
    }

    /// The columns of the files that something is read from.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The column of the files that names a record within its source.
    pub fn id_column(&self) -> &str {
        &self.id_column
    }

    /// What is linked with what.
    pub fn link_type(&self) -> LinkType {
        self.link_type
    }

    /// The columns of the tables beyond the ones that every table has.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The columns whose common values say less, in the order of `_share_0`, `_share_1`…
    pub fn counted(&self) -> &[String] {
        &self.counted
    }

    /// The blocking rules as they were written.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rules.iter().map(|rule| rule.sql.as_str())
    }

    /// Whether tables that were written for this plan serve another as well: only weights and thresholds differ.
    pub fn same_tables(&self, other: &Plan) -> bool {
        let shape = |plan: &Plan| {
            (
                plan.link_type,
                plan.id_column.clone(),
                plan.counted.clone(),
                plan.fields.clone(),
            )
        };
        let keys = |plan: &Plan| plan.rules.iter().map(|rule| rule.keys.clone()).collect::<Vec<_>>();
        shape(self) == shape(other) && keys(self) == keys(other)
    }

    /// The pairs of a table of the rule with this number, from 0, that no rule before it has found: `row_l, source_l, id_l,
    /// row_r, source_r, id_r, weight`, the weight in bits and of at least `least_weight`.
    pub fn statement(&self, rule: usize, table: &str, least_weight: f64) -> String {
        let table = statement::quoted(table);
        let mut on = vec![
            format!("l.\"_key_{rule}\" = r.\"_key_{rule}\""),
            "l.\"_row\" < r.\"_row\"".to_owned(),
        ];
        if self.link_type == LinkType::LinkOnly {
            on.push("l.\"_source\" <> r.\"_source\"".to_owned());
        }
        on.extend(
            self.rules
                .get(rule)
                .into_iter()
                .flat_map(|rule| rule.rest.iter().cloned()),
        );
        for (n, earlier) in self.rules.iter().enumerate().take(rule) {
            let found: String = earlier.rest.iter().map(|test| format!(" AND {test}")).collect();
            on.push(format!("NOT coalesce(l.\"_key_{n}\" = r.\"_key_{n}\"{found}, FALSE)"));
        }
        let from = if least_weight.is_finite() {
            format!("\nWHERE weight >= {}", statement::double(least_weight))
        } else {
            String::new()
        };
        format!(
            "SELECT row_l, source_l, id_l, row_r, source_r, id_r, weight FROM (\n\
             SELECT l.\"_row\" AS row_l, l.\"_source\" AS source_l, l.\"_id\" AS id_l, \
             r.\"_row\" AS row_r, r.\"_source\" AS source_r, r.\"_id\" AS id_r,\n  {} AS weight\n\
             FROM {table} l JOIN {table} r ON {}) scored{from}",
            self.weight,
            on.join("\n  AND ")
        )
    }

    /// Works out what is written for a record.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            plan: self,
            evaluator: Evaluator::default(),
        }
    }
}

/// Works out what a plan wants to know of one record after the other. A record is given as a function from the name of a
/// column to its value, which is `None` where there is none.
pub struct Reader<'a> {
    plan: &'a Plan,
    evaluator: Evaluator,
}

impl Reader<'_> {
    /// The values of [`Plan::fields`].
    pub fn cells<'r>(&mut self, record: &dyn Fn(&str) -> Option<&'r str>) -> Vec<Cell<'r>> {
        let evaluator = &mut self.evaluator;
        let cell = |field: &Field| cell(evaluator, &field.expr, field.kind, record);
        self.plan.fields.iter().map(cell).collect()
    }

    /// The values that must be equal under a rule, if the record has all of them.
    pub fn keys<'r>(&mut self, rule: usize, record: &dyn Fn(&str) -> Option<&'r str>) -> Option<Vec<Cow<'r, str>>> {
        let evaluator = &mut self.evaluator;
        let keys = &self.plan.rules.get(rule)?.keys;
        keys.iter().map(|expr| text(evaluator, expr, record)).collect()
    }

    /// The values that divide the records with one key of a rule where these are too many: by the first, and what is still
    /// too large by the next.
    pub fn dividing<'r>(&mut self, rule: usize, record: &dyn Fn(&str) -> Option<&'r str>) -> Vec<Option<Cow<'r, str>>> {
        let evaluator = &mut self.evaluator;
        let dividing = self.plan.rules.get(rule).map_or(&[][..], |rule| &rule.dividing);
        dividing.iter().map(|expr| text(evaluator, expr, record)).collect()
    }
}

fn text<'r>(evaluator: &mut Evaluator, expr: &Expr, record: &dyn Fn(&str) -> Option<&'r str>) -> Option<Cow<'r, str>> {
    match cell(evaluator, expr, Type::Text, record) {
        Cell::Text(text) => text,
        Cell::Number(_) => None,
    }
}

fn cell<'r>(evaluator: &mut Evaluator, expr: &Expr, kind: Type, record: &dyn Fn(&str) -> Option<&'r str>) -> Cell<'r> {
    if let (Expr::Column(_, name), Type::Text) = (expr, kind) {
        return Cell::Text(record(name).map(Cow::Borrowed));
    }
    let value = evaluator.value(expr, &|name| {
        record(name).map_or(Value::Null, |text| Value::Text(text.to_owned()))
    });
    match kind {
        Type::Text => Cell::Text(value.text().map(Cow::Owned)),
        Type::Instant => Cell::Number(value.instant()),
        Type::Number | Type::Bool | Type::List => Cell::Number(value.number()),
    }
}

/// The equalities of something with itself are keys, the rest are conditions.
fn rule(writer: &mut Writer<'_>, sql: &str, expr: &Expr) -> Result<Rule, CodeError> {
    let mut rule = Rule {
        sql: sql.to_owned(),
        keys: Vec::new(),
        dividing: Vec::new(),
        rest: Vec::new(),
    };
    let mut crossed = false;
    for part in expr.conjuncts() {
        match equality(part) {
            Some((a, b)) if a == b => {
                scalar::type_of(&a)?;
                rule.keys.push(a);
            }
            other => {
                crossed |= other.is_some();
                rule.rest.push(writer.test(part)?);
            }
        }
    }
    match (rule.keys.is_empty(), crossed) {
        (false, _) => Ok(rule),
        (true, false) => Err(without_equality(sql)),
        (true, true) => Err(CodeError::new(
            "blocking-crossed",
            format!(
                "Quy tắc ghép khối “{sql}” chỉ so cột này với cột khác; hệ phân tán cần ít nhất một cột bằng chính cột đó ở bản ghi kia."
            ),
            format!(
                "The blocking rule “{sql}” only equates one column with another; a distributed engine needs one that equals itself in the other record."
            ),
        )),
    }
}

/// Both sides of an equality between the two records, each as it is taken from one.
fn equality(expr: &Expr) -> Option<(Expr, Expr)> {
    let Expr::Binary(Operator::Eq, a, b) = expr else {
        return None;
    };
    let sides = (a.side()?, b.side()?);
    matches!(sides, (Side::Left, Side::Right) | (Side::Right, Side::Left))
        .then(|| ((**a).clone().of_one_record(), (**b).clone().of_one_record()))
}

/// As in [`crate::Linker`]: what other rules compare divides a group that is too large.
fn divide(rules: &mut [Rule]) {
    let all: Vec<Expr> = rules.iter().flat_map(|rule| rule.keys.clone()).collect();
    for rule in rules {
        for key in &all {
            if !rule.keys.contains(key) && !rule.dividing.contains(key) {
                rule.dividing.push(key.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(rules: &[&str], condition: &str) -> Model {
        let rules: Vec<String> = rules.iter().map(|rule| format!("{rule:?}")).collect();
        Model::from_json(&format!(
            r#"{{"link_type": "link_only", "probability_two_random_records_match": 0.1, "unique_id_column_name": "id",
                "blocking_rules_to_generate_predictions": [{}], "comparisons": [{{"output_column_name": "a", "comparison_levels": [
                {{"sql_condition": {condition:?}, "m_probability": 0.8, "u_probability": 0.1}},
                {{"sql_condition": "a_l = a_r", "m_probability": 0.1, "u_probability": 0.1, "tf_adjustment_column": "a"}},
                {{"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.8}}]}}]}}"#,
            rules.join(",")
        ))
        .expect("a model")
    }

    fn codes(rules: &[&str], condition: &str) -> Vec<(String, String)> {
        let error = Plan::new(&model(rules, condition)).expect_err("refused");
        let problems = error.problems().into_iter().flatten();
        problems.map(|p| (p.code.clone(), p.at.clone())).collect()
    }

    #[test]
    fn what_depends_on_one_record_is_worked_out_beforehand() {
        let rules = ["substr(l.a, 1, 2) = substr(r.a, 1, 2) AND l.b <> r.b", "l.c = r.c"];
        let plan = Plan::new(&model(&rules, "year(a_l) - year(a_r) <= 1")).expect("a plan");
        assert_eq!(plan.columns(), ["b", "a", "c"]);
        let names: Vec<(&str, bool)> = plan.fields().iter().map(|f| (f.name(), f.is_number())).collect();
        assert_eq!(names, [("b", false), ("_f1", true), ("a", false)]);
        let record = |name: &str| {
            [("a", "1990-02-03"), ("c", "x")]
                .iter()
                .find(|c| c.0 == name)
                .map(|c| c.1)
        };
        let mut reader = plan.reader();
        let cells = reader.cells(&record);
        assert_eq!(
            cells,
            [
                Cell::Text(None),
                Cell::Number(Some(1990.0)),
                Cell::Text(Some("1990-02-03".into()))
            ]
        );
        assert_eq!(reader.keys(0, &record), Some(vec!["19".into()]));
        assert_eq!(reader.dividing(0, &record), [Some("x".into())]);
        assert_eq!(reader.keys(0, &|_| None), None);
    }

    #[test]
    fn each_pair_is_found_by_the_first_rule_alone() {
        let rules = ["l.a = r.a AND l.b <> r.b", "l.c = r.c"];
        let plan = Plan::new(&model(&rules, "a_l IS NULL")).expect("a plan");
        let sql = plan.statement(1, "t", 0.5);
        let found = "NOT coalesce(l.\"_key_0\" = r.\"_key_0\" AND (l.\"b\" <> r.\"b\"), FALSE)";
        assert!(
            sql.contains("l.\"_key_1\" = r.\"_key_1\"") && sql.contains(found),
            "{sql}"
        );
        assert!(
            sql.contains("l.\"_source\" <> r.\"_source\"") && sql.ends_with("weight >= CAST(0.5 AS DOUBLE)"),
            "{sql}"
        );
        assert!(!plan.statement(0, "t", f64::NEG_INFINITY).contains("WHERE"));
    }

    #[test]
    fn what_a_statement_cannot_say_is_refused_at_its_place() {
        let level = "/comparisons/0/comparison_levels/0/sql_condition";
        let rule = "/blocking_rules_to_generate_predictions/0";
        for (rules, condition, code, at) in [
            (["l.a = r.b"], "a_l IS NULL", "blocking-crossed", rule),
            (["l.a <> r.a"], "a_l IS NULL", "blocking-without-equality", rule),
            (["md5(l.a) = md5(r.a)"], "a_l IS NULL", "sql-function", rule),
            (
                ["l.a = r.a"],
                "array_length(list_intersect(a_l, a_r)) >= 2",
                "sql-lists",
                level,
            ),
            (["l.a = r.a"], "a_l || a_r = 'x'", "sql-mixed", level),
            (["l.a = r.a"], "_b_l = _b_r", "reserved-column", level),
        ] {
            assert_eq!(
                codes(&rules, condition),
                [(code.to_owned(), at.to_owned())],
                "{condition}"
            );
        }
        let mut none = model(&["l.a = r.a"], "a_l IS NULL");
        none.blocking.clear();
        assert!(Plan::new(&none).is_err());
    }

    #[test]
    fn tables_serve_as_long_as_what_is_read_is_the_same() {
        let plan = |rules: &[&str], condition: &str| Plan::new(&model(rules, condition)).expect("a plan");
        let one = plan(&["l.a = r.a"], "levenshtein(a_l, a_r) <= 1");
        assert!(one.same_tables(&plan(&["r.a = l.a"], "levenshtein(a_l, a_r) <= 2")));
        assert!(!one.same_tables(&plan(&["l.a = r.a AND l.b = r.b"], "levenshtein(a_l, a_r) <= 1")));
        assert!(!one.same_tables(&plan(&["l.a = r.a"], "levenshtein(b_l, b_r) <= 1")));
    }
}
