//! Executable processes: an executable profile of BPMN 2.0 with a reader, a checker that proves a process sound before
//! anyone relies on it, a durable token engine and a drawing.
//!
//! - [`Process::parse`] reads a file; [`examine`] reads and checks it and says everything that is wrong at once.
//! - [`Process::step`] moves an [`Instance`] on by one [`Input`] and says what follows as [`Effect`]s. It is pure: an
//!   instance is data, and the same inputs give the same instance for ever.
//! - [`draw`] makes an SVG from the file's own diagram, [`outline`] the same as a list.
//!
//! The expression language is passed in as [`Feel`]. Nothing here reads a file, a clock or a socket.

mod ahead;
mod budget;
mod check;
mod diagram;
mod draw;
mod engine;
mod feel;
mod finding;
mod foresee;
mod game;
mod model;
mod outline;
mod parse;

pub use ahead::Ahead;
pub use budget::{BudgetUnit, NotABudget, TimeBudget};
pub use check::{CheckContext, Examined, check, examine};
pub use diagram::{Bounds, Diagram, Edge, Shape, Shown};
pub use draw::{DrawOptions, draw};
pub use engine::{
    CloseReason, Effect, EndReason, EngineError, Input, Instance, JoinToken, MessageTo, OpenEvent, RestToken, WhereNow,
};
pub use feel::{Feel, VariableType, Variables};
pub use finding::{Finding, Position, Severity};
pub use model::{
    Artifact, ArtifactKind, Awaited, EndKind, FieldKind, FieldOption, Flow, FlowIx, Lane, MessageFlow, Node, NodeIx,
    NodeKind, Outcome, OutcomeEffect, Pool, Process, Scope, ScopeIx, SendTask, Silence, TaskField, TaskKind, TimerRule,
    Trigger, UserTask,
};
pub use outline::{OutlineStep, StepState, outline};
pub use parse::{BPMN, MC};
