//! Whether a body may be taken in.

use base::{Problems, Timestamp};
use jiff::civil::Date;
use procedure::feel::Values;
use serde_json::Value;

use super::{DataType, Field, FieldPath, Name, Registry, Rule, Test, rule::Action, schema, values_at};

/// What came of judging a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// Why it is not taken in; nothing if it is.
    pub problems: Problems,
    /// The rules that it breaks and is taken in all the same.
    pub noted: Vec<Name>,
}

impl Registry {
    /// Judges a body that holds from a day on: schema, identifiers, code lists of that day, rules. Sentences say what is wanted
    /// and never repeat what the body says.
    pub fn judge(&self, body: &Value, valid_from: Date, now: Timestamp) -> Judgement {
        let mut judged = Judgement {
            problems: self.problems(body, valid_from),
            noted: Vec::new(),
        };
        // What is not of the right type is told already; rules over it would only repeat it.
        if judged.problems.is_empty() {
            for rule in self.broken(body, valid_from, now) {
                match rule.action {
                    Action::Note => judged.noted.push(rule.id.clone()),
                    Action::Refuse => rule.refuse(&mut judged.problems),
                }
            }
        }
        judged
    }

    /// Whether a body may be taken in, and nothing else: as [`Self::judge`], without the rules that only note.
    ///
    /// # Errors
    /// The problems of [`Judgement`].
    pub fn admit(&self, body: &Value, valid_from: Date, now: Timestamp) -> Result<(), Problems> {
        let mut problems = self.problems(body, valid_from);
        if problems.is_empty() {
            let refusing = |rule: &Rule| rule.action == Action::Refuse;
            for rule in self.broken_of(refusing, body, valid_from, now) {
                rule.refuse(&mut problems);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// What is wrong with a body whatever the rules say.
    fn problems(&self, body: &Value, valid_from: Date) -> Problems {
        let mut problems = Problems::new();
        schema::problems(&self.validator, body, &mut problems);
        for field in &self.fields {
            self.judge_values(field, body, valid_from, &mut problems);
        }
        problems
    }

    /// The rules that a body breaks by itself; those that look at other records or at time are not among them.
    pub fn broken(&self, body: &Value, valid_from: Date, now: Timestamp) -> Vec<&Rule> {
        self.broken_of(|_| true, body, valid_from, now)
    }

    fn broken_of(&self, of: fn(&Rule) -> bool, body: &Value, valid_from: Date, now: Timestamp) -> Vec<&Rule> {
        let values = Ambient::new(body, valid_from, now);
        let rules = self.rules.iter().filter(|rule| of(rule));
        rules
            .filter(|rule| !self.keeps(rule, body, &values, valid_from, now))
            .collect()
    }

    /// The fields that a rule looks at.
    pub fn looks_at(&self, rule: &Rule) -> Vec<FieldPath> {
        match &rule.test {
            Test::Required { field, .. }
            | Test::Identifier { field, .. }
            | Test::Pattern { field, .. }
            | Test::CodeList { field, .. }
            | Test::Range { field, .. }
            | Test::Standard { field }
            | Test::Reference { field, .. } => vec![field.clone()],
            Test::Unique { fields } => fields.clone(),
            Test::CrossField { holds } => {
                let paths = holds.uses().iter().filter_map(|name| name.parse().ok());
                paths.filter(|path| self.field(path).is_some()).collect()
            }
            Test::Fresh { .. } => Vec::new(),
        }
    }

    /// The key of a body: the values of its key fields.
    ///
    /// # Errors
    /// A problem at each key field that is missing or cannot stand in an address.
    pub fn key_of(&self, body: &Value) -> Result<String, Problems> {
        key_parts(body, &self.key).map(|parts| parts.join("~"))
    }

    /// All of the key of a body but its last part, up to and with the separator: which book a serial number is of.
    ///
    /// # Errors
    /// As [`Self::key_of`].
    pub(crate) fn book_of(&self, body: &Value) -> Result<String, Problems> {
        let before = self.key.split_last().map(|(_, before)| before).unwrap_or_default();
        let parts = key_parts(body, before)?;
        Ok(parts.iter().map(|part| format!("{part}{KEY_SEPARATOR}")).collect())
    }

    /// The personal numbers in a body of those whom it is about.
    pub fn subjects_of(&self, body: &Value) -> Vec<String> {
        let mut numbers: Vec<String> = self
            .subjects
            .iter()
            .flat_map(|path| values_at(body, path))
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The codes in a body of the enterprises that it is of.
    pub fn enterprises_of(&self, body: &Value) -> Vec<String> {
        let field = self.represented.iter().map(|represented| &represented.field);
        let codes = field.flat_map(|path| values_at(body, path));
        codes.filter_map(|code| code.as_str().map(str::to_owned)).collect()
    }

    fn judge_values(&self, field: &Field, body: &Value, on: Date, problems: &mut Problems) {
        let texts = || values_at(body, &field.path).into_iter().filter_map(Value::as_str);
        if let Some(identifier) = field.term.identifier {
            for error in texts().filter_map(|text| identifier.check(text).err()) {
                error.add_to(problems, field.path.as_str());
            }
        }
        if let Some(list) = &field.term.list
            && texts().any(|code| !self.vocabulary.lists_code(&self.reference.units, list, code, on))
        {
            let (name, day) = (self.vocabulary.list_name(list), on.strftime("%d/%m/%Y"));
            problems.add(
                "not-in-list",
                field.path.as_str(),
                format!("Ngày {day}, danh mục “{}” không có mã này.", name.vi),
                format!("The list “{}” has no such code on {day}.", name.en),
            );
        }
        if field.term.ty == DataType::PartialDate && texts().any(|text| !is_partial_date(text)) {
            problems.add(
                "not-a-date",
                field.path.as_str(),
                "Ngày không có trong lịch; ghi năm, năm-tháng hoặc năm-tháng-ngày.",
                "There is no such day; write a year, year-month or year-month-day.",
            );
        }
    }

    fn keeps(&self, rule: &Rule, body: &Value, values: &Ambient<'_>, on: Date, now: Timestamp) -> bool {
        match &rule.test {
            Test::Required { field, when } => {
                when.as_ref().is_some_and(|when| !when.holds_over(values)) || !values_at(body, field).is_empty()
            }
            Test::Identifier { field, identifier } => texts(body, field).all(|text| identifier.check(text).is_ok()),
            Test::Pattern { field, pattern } => texts(body, field).all(|text| pattern.is_match(text)),
            Test::CodeList { field, list } => {
                texts(body, field).all(|code| self.vocabulary.lists_code(&self.reference.units, list, code, on))
            }
            Test::Range { field, min, max } => values_at(body, field)
                .into_iter()
                .all(|value| is_within(value, min.as_ref(), max.as_ref())),
            Test::Standard { field } => self.propose(field, body, now.legal_date()).is_none(),
            // What cannot be decided for want of a value is no break.
            Test::CrossField { holds } => holds.eval_over(values) != Value::Bool(false),
            Test::Unique { .. } | Test::Reference { .. } | Test::Fresh { .. } => true,
        }
    }
}

/// The values of key fields, in their order.
fn key_parts(body: &Value, key: &[super::FieldPath]) -> Result<Vec<String>, Problems> {
    let mut problems = Problems::new();
    let mut parts = Vec::with_capacity(key.len());
    for path in key {
        let text = values_at(body, path).first().and_then(|value| text_of(value));
        match text.filter(|text| !text.is_empty() && text.len() <= 100 && !text.contains([KEY_SEPARATOR, '/'])) {
            Some(text) => parts.push(text),
            None => problems.add(
                "bad-key",
                path.as_str(),
                "Trường khóa phải có giá trị, tối đa 100 ký tự, không chứa “~” hoặc “/”.",
                "A key field has a value of at most 100 characters without “~” or “/”.",
            ),
        }
    }
    if problems.is_empty() { Ok(parts) } else { Err(problems) }
}

/// What stands between the parts of a key of several fields.
pub const KEY_SEPARATOR: char = '~';

fn texts<'a>(body: &'a Value, path: &super::FieldPath) -> impl Iterator<Item = &'a str> {
    values_at(body, path).into_iter().filter_map(Value::as_str)
}

/// A scalar as text.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// What rules read: the body's own fields, `today` and `valid_from`.
pub(super) struct Ambient<'a> {
    body: &'a Value,
    today: Value,
    valid_from: Value,
}

impl<'a> Ambient<'a> {
    pub fn new(body: &'a Value, valid_from: Date, now: Timestamp) -> Self {
        Self {
            body,
            today: Value::from(now.legal_date().to_string()),
            valid_from: Value::from(valid_from.to_string()),
        }
    }
}

impl Values for Ambient<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        match name {
            "today" => Some(&self.today),
            "valid_from" => Some(&self.valid_from),
            name => self.body.get(name),
        }
    }
}

impl Rule {
    /// Says that a body breaks it.
    fn refuse(&self, problems: &mut Problems) {
        let message = self.message.clone();
        problems.add(self.id.as_str(), place(&self.test), message.vi, message.en);
    }
}

fn place(test: &Test) -> String {
    match test {
        Test::Required { field, .. }
        | Test::Identifier { field, .. }
        | Test::Pattern { field, .. }
        | Test::CodeList { field, .. }
        | Test::Range { field, .. }
        | Test::Standard { field }
        | Test::Reference { field, .. } => field.to_string(),
        Test::CrossField { holds } => holds.uses().first().cloned().unwrap_or_default(),
        Test::Unique { fields } => fields.first().map(ToString::to_string).unwrap_or_default(),
        Test::Fresh { .. } => String::new(),
    }
}

fn is_within(value: &Value, min: Option<&Value>, max: Option<&Value>) -> bool {
    let holds = |bound: &Value, low: bool| {
        let order = match (value, bound) {
            // Đồng beyond 2^53 are exact only as whole numbers.
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => a.as_f64().partial_cmp(&b.as_f64()),
            },
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => None,
        };
        order.is_some_and(|order| if low { order.is_ge() } else { order.is_le() })
    };
    min.is_none_or(|min| holds(min, true)) && max.is_none_or(|max| holds(max, false))
}

fn is_partial_date(text: &str) -> bool {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    whole.len() == 10 && whole.parse::<Date>().is_ok()
}
