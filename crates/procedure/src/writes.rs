//! writes.toml: what registries are told when a dossier is decided, one after the other. Each write belongs to the agency that owns the
//! registry, which may refuse it; what fails later takes back what came before it.

use std::{borrow::Cow, collections::BTreeSet};

use base::{Text, codes::PersonNumber};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;

use crate::{
    check::{Report, Sink, Source},
    feel::{Expr, Type, Types},
    form::{
        Answers, Form,
        load::{Both, inside, is_slug},
    },
    process::{NodeKind, Process},
};

/// The service of a process that carries the writes out.
pub const SERVICE: &str = "registry.write";
/// More registries than this have nothing to do with one dossier.
const MOST: usize = 16;
/// The name under which expressions see the one of several for whom a write is done.
const EACH: &str = "each";

/// What is done to a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Something new is so from a day on.
    Assert,
    /// What the registry holds of a record is otherwise from a day on: the fields of the body replace those of the record.
    Change,
    /// What a record says from a day on is this and nothing else, whether there is such a record yet or not.
    Put,
    /// A record ends on a day.
    End,
}

/// What becomes of a write that was done when a later one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// It is taken back.
    #[default]
    TakeBack,
    /// It stays: it is right whatever becomes of the rest.
    Keep,
}

/// One write.
#[derive(Debug, Clone)]
pub struct Write {
    /// Its id in the package; later ones see what came of it as `told.<id>`.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// The registry.
    pub registry: String,
    /// What is done.
    pub act: Act,
    /// What becomes of it when a later one is refused.
    pub undo: Undo,
    /// Why the registry may be told (decree and article).
    pub basis: String,
    /// Those for each of whom it is done; none where it is done once.
    each: Option<Expr>,
    when: Option<Expr>,
    key: Option<Expr>,
    valid_from: Option<Expr>,
    concerns: Vec<Expr>,
    body: Vec<(String, Expr)>,
}

/// A write with its values, for whoever carries it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The registry.
    pub registry: String,
    /// What is done.
    pub act: Act,
    /// The key of the record; none for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// From which day on.
    pub valid_from: Date,
    /// Personal numbers of those who are told of it in their data tracker beside those whom the record is about: the parents of a
    /// child.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<String>,
    /// The fields.
    pub body: Value,
}

/// A write that is due for a dossier: itself, or for one of those for each of whom it is done.
#[derive(Debug, Clone)]
pub struct Due<'a> {
    /// The write.
    pub write: &'a Write,
    /// The id under which it is done: that of the write, with the place of the one after it from 1: `members-2`.
    pub id: String,
    /// What it is called, with the name of the one.
    pub name: Text,
    values: Cow<'a, Map<String, Value>>,
}

/// An expression that gave nothing usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoValue {
    /// `key` or `valid_from`.
    pub of: &'static str,
}

/// The write of a package that is done under an id, with the place of the one for whom it is: 0 where it is done once.
pub fn write_of<'a>(writes: &'a [Write], id: &str) -> Option<(&'a Write, usize)> {
    let named = |id: &str| writes.iter().find(|write| write.id == id);
    if let Some(write) = named(id) {
        return Some((write, 0));
    }
    let (base, nth) = id.rsplit_once('-')?;
    Some((named(base)?, nth.parse().ok()?))
}

impl Write {
    /// What of it is due for a dossier with these values: nothing, itself, or one for each of those for whom it is done.
    pub fn due<'a>(&'a self, values: &'a Map<String, Value>) -> Vec<Due<'a>> {
        let Some(each) = &self.each else {
            let due = Due {
                write: self,
                id: self.id.clone(),
                name: self.name.clone(),
                values: Cow::Borrowed(values),
            };
            return if due.applies() { vec![due] } else { Vec::new() };
        };
        let Value::Array(ones) = each.eval_over(values) else {
            return Vec::new();
        };
        let due = ones.into_iter().enumerate().map(|(nth, one)| {
            let called = one.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let name = |text: &str| match called.as_str() {
                "" => format!("{text} ({})", nth + 1),
                called => format!("{text}: {called}"),
            };
            let mut values = values.clone();
            values.insert(EACH.to_owned(), one);
            Due {
                write: self,
                id: format!("{}-{}", self.id, nth + 1),
                name: Text::new(name(&self.name.vi), name(&self.name.en)),
                values: Cow::Owned(values),
            }
        });
        due.filter(Due::applies).collect()
    }
}

impl Due<'_> {
    fn applies(&self) -> bool {
        self.write
            .when
            .as_ref()
            .is_none_or(|when| when.holds_over(&*self.values))
    }

    /// The write with the values of the dossier; `today` where it does not say from when on.
    ///
    /// # Errors
    /// The key or the day is none for these values.
    pub fn plan(&self, today: Date) -> Result<Plan, NoValue> {
        let (write, values) = (self.write, self.values.as_ref());
        let key = match write.key.as_ref().map(|key| key.eval_over(values)) {
            None => None,
            Some(Value::String(key)) if !key.is_empty() => Some(key),
            Some(_) => return Err(NoValue { of: "key" }),
        };
        let valid_from = match write.valid_from.as_ref().map(|from| from.eval_over(values)) {
            None => today,
            Some(Value::String(day)) => day.parse().map_err(|_| NoValue { of: "valid_from" })?,
            Some(_) => return Err(NoValue { of: "valid_from" }),
        };
        let concerned = write.concerns.iter().filter_map(|who| {
            let who = who.eval_over(values);
            who.as_str()?.parse::<PersonNumber>().ok()
        });
        let concerns: BTreeSet<String> = concerned.map(|who| who.as_str().to_owned()).collect();
        let mut body = Answers::new();
        for (field, value) in &write.body {
            let value = value.eval_over(values);
            // What is not known is left out.
            if !value.is_null() {
                body.set(field, value);
            }
        }
        Ok(Plan {
            registry: write.registry.clone(),
            act: write.act,
            key,
            valid_from,
            concerns: concerns.into_iter().collect(),
            body: body.to_value(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    write: Vec<RawWrite>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWrite {
    id: Spanned<String>,
    name: Both,
    registry: Spanned<String>,
    act: Act,
    #[serde(default)]
    undo: Undo,
    basis: Spanned<String>,
    each: Option<Spanned<String>>,
    when: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
    valid_from: Option<Spanned<String>>,
    #[serde(default)]
    concerns: Vec<Spanned<String>>,
    #[serde(default)]
    body: toml::Table,
}

/// Compiles the text of a writes.toml that stands beside no form and no process; `types` are the names that it may use, and `told.<id>` of an
/// earlier write is one more.
pub fn compile(name: &str, text: &str, types: Types) -> (Vec<Write>, Report) {
    let source = Source { name, text };
    let mut sink = Sink::default();
    let writes = match sink.toml::<Raw>(&source) {
        Some(raw) => each(&mut sink, &source, raw, types),
        None => Vec::new(),
    };
    (writes, sink.report())
}

/// Compiles writes.toml.
pub(crate) fn load(sink: &mut Sink, source: &Source<'_>, form: &Form, process: &Process) -> Vec<Write> {
    let Some(raw) = sink.toml::<Raw>(source) else {
        return Vec::new();
    };
    let carried_out = process
        .nodes()
        .iter()
        .any(|node| matches!(&node.kind, NodeKind::Service { service } if service == SERVICE));
    if !carried_out {
        sink.whole(
            source.name,
            "never-written",
            format!("Quy trình không có bước mc:service=\"{SERVICE}\" để ghi vào cơ sở dữ liệu."),
            format!("No step of the process has mc:service=\"{SERVICE}\": nothing would be written."),
        );
    }
    each(sink, source, raw, types(form, process))
}

fn each(sink: &mut Sink, source: &Source<'_>, raw: Raw, types: Types) -> Vec<Write> {
    if raw.write.is_empty() || raw.write.len() > MOST {
        sink.whole(
            source.name,
            "too-large",
            format!("Phải có từ 1 đến {MOST} mục [[write]]."),
            format!("There are 1 to {MOST} writes."),
        );
        return Vec::new();
    }
    let mut loader = Loader {
        sink,
        source,
        types,
        told: BTreeSet::new(),
    };
    raw.write.into_iter().map(|write| loader.write(write)).collect()
}

/// What writes see: the answers, what officers entered in steps, and the dossier.
fn types(form: &Form, process: &Process) -> Types {
    let mut types = form.types().clone();
    for node in process
        .nodes()
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::User(_)))
    {
        types.declare(&node.id, Type::Any);
    }
    types
        .with("code", Type::String)
        .with("agency", Type::String)
        .with("decided_on", Type::Date)
}

struct Loader<'a, 'b> {
    sink: &'a mut Sink,
    source: &'a Source<'b>,
    types: Types,
    told: BTreeSet<String>,
}

impl Loader<'_, '_> {
    fn write(&mut self, raw: RawWrite) -> Write {
        let (id, at) = (raw.id.get_ref().clone(), raw.id.span().start);
        let good = id.bytes().all(|c| c.is_ascii_lowercase() || c == b'_') && !id.is_empty();
        if !good || !self.told.insert(id.clone()) {
            self.error(
                at,
                "bad-id",
                format!("Mã “{id}” phải gồm chữ thường, gạch dưới và không trùng mã khác."),
                format!("The id “{id}” is of small letters and underscores, and used once."),
            );
        }
        let name = raw.name.text();
        self.sink.translated(self.source, at, "name", &name);
        if !is_slug(raw.registry.get_ref()) {
            self.error(
                raw.registry.span().start,
                "bad-registry",
                "Tên cơ sở dữ liệu gồm chữ thường, chữ số và gạch nối.".to_owned(),
                "The name of a registry is of small letters, digits and hyphens.".to_owned(),
            );
        }
        if raw.basis.get_ref().trim().is_empty() {
            self.error(
                raw.basis.span().start,
                "missing-basis",
                "Thiếu căn cứ pháp lý (basis).".to_owned(),
                "The legal ground (basis) is missing.".to_owned(),
            );
        }
        let wants_key = raw.act != Act::Assert;
        if wants_key != raw.key.is_some() {
            self.error(
                at,
                "key",
                "act = \"change\", \"put\" và \"end\" phải có key; act = \"assert\" thì không.".to_owned(),
                "act = \"change\", \"put\" and \"end\" need a key; act = \"assert\" has none.".to_owned(),
            );
        }
        if raw.body.is_empty() != (raw.act == Act::End) {
            self.error(
                at,
                "body",
                "Mục này phải có [write.body], trừ khi act = \"end\".".to_owned(),
                "It needs [write.body], unless act = \"end\".".to_owned(),
            );
        }
        let each = raw.each.as_ref().and_then(|each| self.each(each));
        let outside = self.types.clone();
        if let Some((_, one)) = &each {
            self.types.declare(EACH, one.clone());
        }
        let when = raw.when.as_ref().and_then(|when| self.expression(when, true));
        let key = raw.key.as_ref().and_then(|key| self.expression(key, false));
        let valid_from = raw.valid_from.as_ref().and_then(|from| self.expression(from, false));
        let concerns = raw.concerns.iter();
        let concerns = concerns.filter_map(|who| self.expression(who, false)).collect();
        let body = self.body(&raw.body, at);
        self.types = outside;
        // From now on it can be spoken of; of several no one is the one.
        if each.is_none() {
            self.types.declare(&format!("told.{id}"), Type::Any);
        }
        Write {
            id,
            name,
            registry: raw.registry.into_inner(),
            act: raw.act,
            undo: raw.undo,
            basis: raw.basis.into_inner().trim().to_owned(),
            each: each.map(|(each, _)| each),
            when,
            key,
            valid_from,
            concerns,
            body,
        }
    }

    /// The fields by dotted id. A table within the body is a group of fields.
    fn body(&mut self, table: &toml::Table, at: usize) -> Vec<(String, Expr)> {
        fn leaves(prefix: &str, table: &toml::Table, out: &mut Vec<(String, toml::Value)>) {
            for (key, value) in table {
                let id = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                match value {
                    toml::Value::Table(inner) => leaves(&id, inner, out),
                    other => out.push((id, other.clone())),
                }
            }
        }
        let mut all = Vec::new();
        leaves("", table, &mut all);
        let mut body = Vec::new();
        for (field, value) in all {
            let Some(text) = value.as_str() else {
                self.error(
                    at,
                    "body",
                    format!("“{field}” phải là một biểu thức FEEL trong ngoặc kép."),
                    format!("“{field}” must be a FEEL expression in quotes."),
                );
                continue;
            };
            match Expr::parse(text, &self.types) {
                Ok(expr) => body.push((field, expr)),
                Err(flaws) => {
                    for flaw in flaws {
                        self.error(
                            at,
                            flaw.code,
                            format!("“{field}”: {}", flaw.text.vi),
                            format!("“{field}”: {}", flaw.text.en),
                        );
                    }
                }
            }
        }
        body
    }

    /// Those for each of whom a write is done, and what sort each is.
    fn each(&mut self, text: &Spanned<String>) -> Option<(Expr, Type)> {
        let expr = self.expression(text, false)?;
        let one = match expr.ty() {
            Type::List(one) => one.as_ref().clone(),
            Type::Any => Type::Any,
            other => {
                let (vi, en) = (other.name(base::Lang::Vi), other.name(base::Lang::En));
                self.error(
                    text.span().start,
                    "type",
                    format!("each phải là một danh sách; biểu thức này cho {vi}."),
                    format!("each is a list; this gives {en}."),
                );
                return None;
            }
        };
        Some((expr, one))
    }

    fn expression(&mut self, text: &Spanned<String>, condition: bool) -> Option<Expr> {
        let parsed = match condition {
            true => Expr::condition(text.get_ref(), &self.types),
            false => Expr::parse(text.get_ref(), &self.types),
        };
        match parsed {
            Ok(expr) => Some(expr),
            Err(flaws) => {
                self.sink
                    .flaws(self.source, inside(self.source, text.span().start), flaws);
                None
            }
        }
    }

    fn error(&mut self, at: usize, code: &str, vi: String, en: String) {
        self.sink.error(self.source, at, code, vi, en);
    }
}
