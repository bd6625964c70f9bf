//! Decisions (DMN): what to pay, and whether the dossier can be filed. Judged and bounded by [`guard`], evaluated by `dsntk`.
//!
//! `dsntk` reads a name whose type it does not know together with the operators after it, so the file is given to it
//! with the types of the form written in; the author need not declare them.

mod guard;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use base::{Dong, Text};
use dsntk_feel::context::FeelContext;
use dsntk_model_evaluator::ModelEvaluator;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    check::{Sink, Source},
    feel::{Data, Expr, Types, to_json},
    form::{Answers, Channel, Context, Form},
};

/// When a fee is to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenDue {
    /// Before the agency begins.
    BeforeProcessing,
    /// When the result is handed over.
    AtReturn,
}

/// One thing to pay (phí, lệ phí).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// A stable name within the procedure.
    pub code: String,
    /// What it is for.
    pub name: Text,
    /// How much.
    pub amount: Dong,
    /// The legal ground.
    pub basis: String,
    /// When.
    pub when_due: WhenDue,
}

/// Whether a remark keeps the dossier from being filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// It cannot be filed.
    Stop,
    /// It can; the person should know.
    Warn,
}

/// A remark on eligibility.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// How grave.
    pub severity: Bar,
    /// What it says.
    #[serde(flatten)]
    pub text: Text,
    /// The legal ground.
    pub basis: String,
}

/// How a decision came about: "why this fee".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Trace {
    /// Each decision on the way, those it needs first.
    pub steps: Vec<TraceStep>,
}

/// One decision on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceStep {
    /// Its name in the DMN file.
    pub decision: String,
    /// What it gave.
    pub value: Value,
    /// The rules of its table that held, from 1, with their annotation or description.
    pub rules: Vec<TraceRule>,
}

/// A rule that held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceRule {
    /// Its place in the table, from 1.
    pub rule: usize,
    /// What the author wrote beside it.
    pub note: String,
}

/// Compiled decisions.
pub struct Decisions {
    evaluator: Arc<ModelEvaluator>,
    namespace: String,
    model: String,
    /// The inputs, as far as a decision reads them. A decision may not be among them: `dsntk` would take the given value for
    /// the decision's.
    inputs: Types,
    /// The inputs and the decisions, as far as a decision reads them, for the trace.
    types: Types,
    /// In the order in which they need each other.
    tables: Vec<Table>,
}

/// What the trace needs of one decision.
struct Table {
    name: String,
    needs: Vec<String>,
    rules: Vec<(Vec<Expr>, String)>,
}

impl std::fmt::Debug for Decisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.tables.iter().map(|t| &t.name)).finish()
    }
}

/// Why a decision has no usable value: the package's fault, found too late.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the decision {decision} of the package gave no usable value: {why}")]
pub struct DecisionError {
    /// Which.
    pub decision: &'static str,
    /// What was wrong with the value.
    pub why: String,
}

impl Decisions {
    /// Judges and compiles decisions.dmn over the fields of the form. `None` with findings in the sink when it cannot be used.
    pub(crate) fn load(sink: &mut Sink, source: &Source<'_>, form: &Form) -> Option<Self> {
        let guarded = guard::guard(sink, source, form)?;
        let compiled = catch_unwind(AssertUnwindSafe(|| {
            let definitions = dsntk_model::parse(&guarded.xml).map_err(|e| e.to_string())?;
            ModelEvaluator::new(&[definitions]).map_err(|e| e.to_string())
        }));
        let evaluator = match compiled {
            Ok(Ok(evaluator)) => evaluator,
            Ok(Err(reason)) => {
                sink.whole(
                    source.name,
                    "bad-dmn",
                    format!("Không biên dịch được tệp quyết định: {reason}"),
                    format!("The decisions do not compile: {reason}"),
                );
                return None;
            }
            Err(_) => {
                sink.whole(
                    source.name,
                    "bad-dmn",
                    "Không biên dịch được tệp quyết định.",
                    "The decisions do not compile.",
                );
                return None;
            }
        };
        let decisions = Self {
            evaluator,
            namespace: guarded.namespace,
            model: guarded.model,
            inputs: guarded.inputs,
            types: guarded.types,
            tables: guarded.tables,
        };
        decisions.sample(sink, source, form);
        Some(decisions)
    }

    /// Whether there is a decision of that name.
    pub fn has(&self, name: &str) -> bool {
        self.tables.iter().any(|t| t.name == name)
    }

    /// What to pay. Nothing when the package has no decision `fee`.
    ///
    /// # Errors
    /// [`DecisionError`] when the value has not the promised shape.
    pub fn fees(&self, answers: &Answers, ctx: &Context<'_>) -> Result<Vec<Fee>, DecisionError> {
        list(self.value("fee", &inputs(answers, ctx)))
            .iter()
            .map(|item| fee(item).map_err(|why| DecisionError { decision: "fee", why }))
            .collect()
    }

    /// How the fees came about.
    pub fn why_fees(&self, answers: &Answers, ctx: &Context<'_>) -> Trace {
        self.trace("fee", inputs(answers, ctx))
    }

    /// Whether it can be filed. No remark when the package has no decision `eligibility`.
    ///
    /// # Errors
    /// [`DecisionError`] when the value has not the promised shape.
    pub fn eligibility(&self, answers: &Answers, ctx: &Context<'_>) -> Result<Vec<Remark>, DecisionError> {
        let decision = "eligibility";
        list(self.value(decision, &inputs(answers, ctx)))
            .iter()
            .map(|item| remark(item).map_err(|why| DecisionError { decision, why }))
            .collect()
    }

    fn value(&self, name: &str, inputs: &Map<String, Value>) -> Value {
        if !self.has(name) {
            return Value::Null;
        }
        self.evaluate(name, &Data::new(&self.inputs, inputs).context())
    }

    fn evaluate(&self, name: &str, inputs: &FeelContext) -> Value {
        catch_unwind(AssertUnwindSafe(|| {
            to_json(
                &self
                    .evaluator
                    .evaluate_invocable(&self.namespace, &self.model, name, inputs),
            )
        }))
        .unwrap_or(Value::Null)
    }

    fn trace(&self, name: &str, inputs: Map<String, Value>) -> Trace {
        let mut wanted = vec![name.to_owned()];
        let mut at = 0;
        while let Some(name) = wanted.get(at).cloned() {
            for need in self.tables.iter().filter(|t| t.name == name).flat_map(|t| &t.needs) {
                if !wanted.contains(need) {
                    wanted.push(need.clone());
                }
            }
            at += 1;
        }
        let given = Data::new(&self.inputs, &inputs).context();
        let mut known = inputs;
        let mut trace = Trace::default();
        for table in self.tables.iter().filter(|t| wanted.contains(&t.name)) {
            let value = self.evaluate(&table.name, &given);
            let data = Data::new(&self.types, &known);
            let rules = table
                .rules
                .iter()
                .enumerate()
                .filter(|(_, (tests, _))| tests.iter().all(|test| test.holds(&data)))
                .map(|(n, (_, note))| TraceRule {
                    rule: n + 1,
                    note: note.clone(),
                })
                .collect();
            known.insert(table.name.clone(), value.clone());
            trace.steps.push(TraceStep {
                decision: table.name.clone(),
                value,
                rules,
            });
        }
        trace
    }

    /// Tries the decisions on made-up answers: the shape of what comes out must be right.
    fn sample(&self, sink: &mut Sink, source: &Source<'_>, form: &Form) {
        let units = crate::reference::Units::default();
        let facts = crate::form::Facts::default();
        let applicant = crate::form::Applicant {
            name: Some("Nguyễn Văn A".to_owned()),
            assurance: 2,
            ..crate::form::Applicant::default()
        };
        let today = jiff::civil::date(2026, 11, 21);
        let samples: Vec<Map<String, Value>> = guard::samples(form)
            .into_iter()
            .zip([Channel::Online, Channel::Counter, Channel::Post].into_iter().cycle())
            .map(|(answers, channel)| {
                let ctx = Context {
                    applicant: &applicant,
                    channel,
                    today,
                    facts: &facts,
                    units: &units,
                };
                inputs(&form.journey(&answers, &ctx).answers, &ctx)
            })
            .collect();
        for name in ["fee", "eligibility"] {
            let mut said = Vec::new();
            for sample in &samples {
                for item in list(self.value(name, sample)) {
                    let wrong = if name == "fee" {
                        fee(&item).err()
                    } else {
                        remark(&item).err()
                    };
                    if let Some(why) = wrong
                        && said.len() < 3
                        && !said.contains(&why)
                    {
                        sink.whole(
                            source.name,
                            "bad-shape",
                            format!("Quyết định “{name}” cho kết quả sai dạng: {why}"),
                            format!("The decision “{name}” gives a value of the wrong shape: {why}"),
                        );
                        said.push(why);
                    }
                }
            }
        }
    }
}

fn inputs(answers: &Answers, ctx: &Context<'_>) -> Map<String, Value> {
    let mut inputs = ctx.ambient();
    inputs.insert("answers".to_owned(), answers.to_value());
    inputs
}

/// A single value counts as a list of one, null as an empty list.
fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.into_iter().filter(|v| !v.is_null()).collect(),
        other => vec![other],
    }
}

fn text(item: &Value, key: &str) -> Result<String, String> {
    match item.get(key).and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(format!("“{key}” is not a text in {item}")),
    }
}

fn fee(item: &Value) -> Result<Fee, String> {
    const MOST: i64 = 100_000_000_000_000;
    let amount = item
        .get("amount")
        .and_then(Value::as_i64)
        .filter(|n| (0..=MOST).contains(n));
    let when_due = text(item, "when_due")?;
    Ok(Fee {
        code: text(item, "code")?,
        name: Text::new(text(item, "name_vi")?, text(item, "name_en")?),
        amount: Dong::new(amount.ok_or_else(|| format!("“amount” is not a whole number of đồng in {item}"))?),
        basis: text(item, "basis")?,
        when_due: serde_json::from_value(json!(when_due)).map_err(|_| format!("“when_due” is “{when_due}”"))?,
    })
}

fn remark(item: &Value) -> Result<Remark, String> {
    let severity = text(item, "severity")?;
    Ok(Remark {
        severity: serde_json::from_value(json!(severity)).map_err(|_| format!("“severity” is “{severity}”"))?,
        text: Text::new(text(item, "vi")?, text(item, "en")?),
        basis: text(item, "basis")?,
    })
}
