//! The durable engine: an instance is data, a step is a pure function.

mod error;
mod fields;
mod step;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    budget::TimeBudget,
    model::{OutcomeEffect, Process, TaskKind, TimerRule},
};
pub use error::EngineError;

/// A running process: where its tokens are and what is known. Stored as JSON with the dossier; a replay of the same
/// inputs over the same file gives the same JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Instance {
    /// The id of the process.
    pub process: String,
    /// Tokens at open steps and awaited events, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<RestToken>,
    /// Tokens in front of joins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joining: Vec<JoinToken>,
    /// Events that may happen while a step is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<OpenEvent>,
    /// The number of the next token. Zero before the start.
    pub next_token: u32,
    /// What is known: the variables given at the start, and a context for each step that was done.
    pub variables: Map<String, Value>,
    /// Ids of nodes that were passed, in the order in which they first were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndReason>,
}

/// A token at rest: an open task, a running service, an awaited event, an open sub-process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestToken {
    /// Its number. A step that is opened again gets a new one, so an answer meant for the first is refused.
    pub id: u32,
    /// The id of the node.
    pub node: String,
    /// The number of the token of the sub-process around it; 0 in the main process.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scope: u32,
}

/// A token that waits in front of a join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// The id of the sequence flow.
    pub flow: String,
    /// The number of the token of the sub-process around it; 0 in the main process.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scope: u32,
}

/// An event that may happen while a step is open: a boundary event, or one of those after an event-based gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEvent {
    /// Its number, from the same count as tokens; a timer or message is addressed to it.
    pub id: u32,
    /// The id of the event.
    pub node: String,
    /// The token of the step.
    pub host: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// How an instance ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum EndReason {
    /// Every branch came to its end; this was the last end event.
    Completed {
        /// The id of the end event.
        node: String,
    },
    /// A terminate end event ended everything.
    Terminated {
        /// The id of the end event.
        node: String,
    },
    /// An error end event that nothing caught.
    Failed {
        /// The id of the end event.
        node: String,
    },
    /// Cancelled from outside (withdrawn, stopped).
    Cancelled {
        /// Why.
        reason: String,
    },
}

/// Something that happens to an instance. The list of all inputs is the whole history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "input")]
pub enum Input {
    /// The process starts.
    Start {
        /// What is known from the beginning, for instance the form.
        variables: Map<String, Value>,
    },
    /// Somebody did a step.
    CompleteTask {
        /// The token of the open task.
        token: u32,
        /// The id of the outcome chosen.
        outcome: String,
        /// The officer's fields.
        #[serde(default)]
        fields: Map<String, Value>,
    },
    /// The time of a timer has come.
    TimerFired {
        /// The number that [`Effect::TimerSet`] gave.
        token: u32,
    },
    /// A message came.
    MessageArrived {
        /// Whom it is for.
        to: MessageTo,
        /// What it says: becomes the variable named after the receiving node.
        #[serde(default)]
        payload: Value,
    },
    /// A service has done its work.
    ServiceDone {
        /// The token of the service task.
        token: u32,
        /// Its result: becomes the variable named after the task.
        #[serde(default)]
        result: Value,
    },
    /// A service has failed for good. Goes to the error boundary event of the task; without one the task stays open
    /// and may still be done later.
    ServiceFailed {
        /// The token of the service task.
        token: u32,
        /// The error code that boundary events may name.
        #[serde(default)]
        code: Option<String>,
        /// What happened, for people.
        message: String,
    },
    /// The whole instance is cancelled.
    Cancel {
        /// Why.
        reason: String,
    },
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageTo {
    /// The number that [`Effect::MessageAwaited`] gave.
    Token(u32),
    /// The only waiting receiver of that name.
    Name {
        /// The name of the message.
        name: String,
        /// The send task that it answers, where several wait for the same name.
        #[serde(default)]
        from: Option<String>,
    },
}

/// What follows from an input, in order. The caller carries it out in the same transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum Effect {
    /// A step for a person is open.
    TaskOpened {
        /// Its token.
        token: u32,
        /// The id of the task.
        node: String,
        /// Who does it.
        role: String,
        /// Which unit or agency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        /// How long it may take; always there in a checked process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<TimeBudget>,
        /// What sort of work.
        kind: TaskKind,
    },
    /// A step for a person is no longer open.
    TaskClosed {
        /// Its token.
        token: u32,
        /// The id of the task.
        node: String,
        /// Why.
        reason: CloseReason,
    },
    /// A timer is to be set.
    TimerSet {
        /// The number to fire it with.
        token: u32,
        /// The id of the event.
        node: String,
        /// When: a length of time from now, or a date in ISO 8601 (the expression has been evaluated).
        due: TimerRule,
    },
    /// A timer is no longer needed. Also said when it has just fired.
    TimerCleared {
        /// Its number.
        token: u32,
        /// The id of the event.
        node: String,
    },
    /// A message goes out.
    MessageSent {
        /// The id of the node that sends.
        node: String,
        /// The symbolic name of the agency asked; absent for a plain message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consult: Option<String>,
        /// The name of the message.
        message: String,
    },
    /// A message is waited for.
    MessageAwaited {
        /// The number to deliver it to.
        token: u32,
        /// The id of the node that waits.
        node: String,
        /// The name of the message.
        name: String,
        /// The send task that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// A message is no longer waited for: it came, or it is too late.
    MessageClosed {
        /// The number of the wait.
        token: u32,
        /// The id of the node that waited.
        node: String,
        /// Whether it came.
        arrived: bool,
    },
    /// A service is to do its work.
    ServiceCalled {
        /// The token to answer to.
        token: u32,
        /// The id of the service task.
        node: String,
        /// The name of the service.
        service: String,
    },
    /// A service is no longer waited for although it has not answered.
    ServiceDropped {
        /// The token.
        token: u32,
        /// The id of the service task.
        node: String,
    },
    /// A service failed and nothing in the process deals with that: somebody must look.
    Stuck {
        /// The token of the service task, still open.
        token: u32,
        /// The id of the service task.
        node: String,
        /// What happened.
        message: String,
    },
    /// A variable got a value.
    VariableSet {
        /// Its name: the id of the node.
        name: String,
        /// Its value.
        value: Value,
    },
    /// The instance has ended.
    Ended {
        /// How.
        reason: EndReason,
    },
}

/// Why a step for a person is no longer open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum CloseReason {
    /// It was done.
    Completed {
        /// The id of the outcome.
        outcome: String,
        /// What the outcome does to the dossier.
        does: OutcomeEffect,
    },
    /// An event on its border, or on the border of the sub-process around it, cancelled it.
    Interrupted,
    /// The scope around it ended, or the instance was cancelled.
    Withdrawn,
}

/// Where an instance stands, for the drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WhereNow {
    /// Ids of nodes where something is open now.
    pub active: Vec<String>,
    /// Ids of nodes that were passed, in the order in which they first were.
    pub done: Vec<String>,
}

impl Instance {
    /// Where it stands.
    pub fn where_now(&self) -> WhereNow {
        let mut active: Vec<String> = Vec::new();
        for token in &self.tokens {
            if !active.contains(&token.node) {
                active.push(token.node.clone());
            }
        }
        WhereNow {
            active,
            done: self.done.clone(),
        }
    }

    /// The open token with this number.
    pub fn token(&self, id: u32) -> Option<&RestToken> {
        self.tokens.iter().find(|t| t.id == id)
    }
}

impl Process {
    /// Runs a history from the beginning.
    ///
    /// # Errors
    /// The first input that is refused, by its place in the list, and why.
    pub fn replay(&self, inputs: &[Input], feel: &dyn super::Feel) -> Result<Instance, (usize, EngineError)> {
        let mut instance = Instance::default();
        for (ix, input) in inputs.iter().enumerate() {
            self.step(&mut instance, input, feel).map_err(|error| (ix, error))?;
        }
        Ok(instance)
    }

    /// The variables as conditions see them: the context of a step that was not done yet holds nulls instead of
    /// being unknown.
    pub(super) fn visible(&self, instance: &Map<String, Value>) -> Map<String, Value> {
        let mut all = Map::new();
        for (name, kind) in self.variables() {
            let value = match kind {
                super::VariableType::Context(parts) => parts
                    .into_keys()
                    .map(|part| (part, Value::Null))
                    .collect::<Map<_, _>>()
                    .into(),
                _ => Value::Null,
            };
            all.insert(name, value);
        }
        for (name, value) in instance {
            match (all.get_mut(name), value) {
                (Some(Value::Object(nulls)), Value::Object(parts)) => {
                    nulls.extend(parts.iter().map(|(k, v)| (k.clone(), v.clone())));
                }
                _ => {
                    all.insert(name.clone(), value.clone());
                }
            }
        }
        all
    }

    /// How often each service is used, for whoever must provide them.
    pub fn services(&self) -> BTreeMap<&str, usize> {
        let mut all = BTreeMap::new();
        for node in &self.nodes {
            if let super::NodeKind::Service { service } = &node.kind {
                *all.entry(service.as_str()).or_default() += 1;
            }
        }
        all
    }
}
