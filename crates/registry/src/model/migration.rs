//! How bodies of one version become bodies of the next (`migration.toml`). What is stored stays as it was written; it is brought
//! forward when it is read.

use std::collections::BTreeMap;

use base::{Result, Text, Timestamp};
use jiff::civil::Date;
use procedure::feel::Expr;
use serde_json::{Map, Value};

use super::{Field, FieldPath, Registry, judge::Ambient, raw::RawMigration, rule::known, schema::types};
use crate::check::{Report, Sink};

pub(super) const FILE: &str = "migration.toml";

/// The migration from the version before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The version that it begins at.
    pub from: u32,
    /// The key is another one.
    pub rekeys: bool,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// One step. Expressions are over the body as it was before all steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A field bears another name.
    Rename {
        /// The old one.
        from: FieldPath,
        /// The new one.
        to: FieldPath,
    },
    /// A field is divided.
    Split {
        /// The old one.
        from: FieldPath,
        /// The new ones, each with its value as FEEL.
        into: BTreeMap<FieldPath, String>,
    },
    /// A field gets a value, FEEL.
    Set {
        /// The field.
        field: FieldPath,
        /// The value.
        value: String,
        /// Only where it has none.
        if_absent: bool,
    },
    /// A field is given up.
    Drop {
        /// The field.
        field: FieldPath,
        /// Why.
        reason: Text,
    },
}

impl Migration {
    /// Whether it says what becomes of a field of the version before.
    pub(super) fn leaves(&self, old: &FieldPath) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Rename { from, .. } | Step::Split { from, .. } => from.covers(old),
            Step::Drop { field, .. } => field.covers(old),
            Step::Set { .. } => false,
        })
    }

    /// Whether it gives a field of the new version a value.
    pub(super) fn fills(&self, new: &FieldPath) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Rename { to, .. } => to.covers(new),
            Step::Split { into, .. } => into.keys().any(|field| field.covers(new)),
            Step::Set { field, .. } => field.covers(new),
            Step::Drop { .. } => false,
        })
    }

    /// Whether it gives a field that was there a value of its new type.
    pub(super) fn sets(&self, field: &FieldPath) -> bool {
        let sets = |step: &Step| matches!(step, Step::Set { field: set, if_absent: false, .. } if set == field);
        self.steps.iter().any(sets)
    }
}

/// A migration that is ready to run over bodies of the version before.
#[derive(Debug)]
pub struct Ready(Vec<ReadyStep>);

#[derive(Debug)]
enum ReadyStep {
    Rename(FieldPath, FieldPath),
    Take(FieldPath),
    Set {
        field: FieldPath,
        value: Expr,
        if_absent: bool,
    },
}

impl Ready {
    /// Makes the migration of `new` ready for bodies of `old`; without one, bodies stay as they are.
    ///
    /// # Errors
    /// Everything that is wrong with its expressions and the fields that it names.
    pub fn new(old: &Registry, new: &Registry) -> Result<Self, Report> {
        let mut sink = Sink::default();
        let mut ready = Vec::new();
        let steps = new.migration.as_ref().map(|migration| migration.steps.as_slice());
        for (n, step) in steps.unwrap_or_default().iter().enumerate() {
            let at = format!("step[{n}]");
            let expr = |text: &str, sink: &mut Sink| match Expr::parse(text, &types(&old.fields)) {
                Ok(expr) => Some(expr),
                Err(flaws) => {
                    sink.flaws(FILE, &at, flaws);
                    None
                }
            };
            match step {
                Step::Rename { from, to } => {
                    known(from, &old.fields, FILE, at.clone(), &mut sink);
                    ready.push(ReadyStep::Rename(from.clone(), to.clone()));
                }
                Step::Split { from, into } => {
                    known(from, &old.fields, FILE, at.clone(), &mut sink);
                    ready.push(ReadyStep::Take(from.clone()));
                    for (field, text) in into {
                        ready.extend(expr(text, &mut sink).map(|value| ReadyStep::Set {
                            field: field.clone(),
                            value,
                            if_absent: false,
                        }));
                    }
                }
                Step::Set {
                    field,
                    value,
                    if_absent,
                } => ready.extend(expr(value, &mut sink).map(|value| ReadyStep::Set {
                    field: field.clone(),
                    value,
                    if_absent: *if_absent,
                })),
                Step::Drop { field, .. } => {
                    known(field, &old.fields, FILE, at.clone(), &mut sink);
                    ready.push(ReadyStep::Take(field.clone()));
                }
            }
        }
        if sink.any_error() {
            Err(sink.report())
        } else {
            Ok(Self(ready))
        }
    }

    /// Brings a body forward.
    pub fn run(&self, body: &Value, valid_from: Date, now: Timestamp) -> Value {
        let before = Ambient::new(body, valid_from, now);
        let mut after = body.clone();
        for step in &self.0 {
            match step {
                ReadyStep::Rename(from, to) => {
                    if let Some(value) = take(&mut after, from) {
                        put(&mut after, to, value);
                    }
                }
                ReadyStep::Take(field) => {
                    take(&mut after, field);
                }
                ReadyStep::Set {
                    field,
                    value,
                    if_absent,
                } => {
                    if !(*if_absent && get(&after, field).is_some()) {
                        let value = value.eval_over(&before);
                        if !value.is_null() {
                            put(&mut after, field, value);
                        }
                    }
                }
            }
        }
        after
    }
}

/// Reads the migration; its expressions are judged against the version before, when that is known.
pub(super) fn read(raw: RawMigration, fields: &[Field], sink: &mut Sink) -> Migration {
    let mut steps = Vec::new();
    for (n, rename) in raw.rename.into_iter().enumerate() {
        known(&rename.to, fields, FILE, format!("rename[{n}].to"), sink);
        steps.push(Step::Rename {
            from: rename.from,
            to: rename.to,
        });
    }
    for (n, split) in raw.split.into_iter().enumerate() {
        for field in split.into.keys() {
            known(field, fields, FILE, format!("split[{n}].into"), sink);
        }
        steps.push(Step::Split {
            from: split.from,
            into: split.into,
        });
    }
    for (key, values, if_absent) in [("set", raw.set, false), ("default", raw.default, true)] {
        for (n, value) in values.into_iter().enumerate() {
            known(&value.field, fields, FILE, format!("{key}[{n}].field"), sink);
            steps.push(Step::Set {
                field: value.field,
                value: value.value,
                if_absent,
            });
        }
    }
    for (n, drop) in raw.drop.into_iter().enumerate() {
        sink.translated(FILE, format!("drop[{n}].reason"), &drop.reason);
        steps.push(Step::Drop {
            field: drop.field,
            reason: drop.reason,
        });
    }
    Migration {
        from: raw.from,
        rekeys: raw.rekeys,
        steps,
    }
}

fn get<'a>(body: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.parts().try_fold(body, |value, part| value.get(part))
}

fn take(body: &mut Value, path: &FieldPath) -> Option<Value> {
    let (group, name) = match path.as_str().rsplit_once('.') {
        Some((group, name)) => (
            group.split('.').try_fold(body, |value, part| value.get_mut(part))?,
            name,
        ),
        None => (body, path.as_str()),
    };
    group.as_object_mut()?.shift_remove(name)
}

fn put(body: &mut Value, path: &FieldPath, value: Value) {
    let mut at = body;
    for part in path.parts() {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(members) = at else { return };
        at = members.entry(part).or_insert(Value::Null);
    }
    *at = value;
}
