//! Telling a registry that a person contests what it said for their dossier, at this node or by the exchange. Who files does not know which.

use std::fmt;

use base::{Problems, Result, Text, Timestamp};
use futures::future::BoxFuture;
use identity::Ctx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    model::{Name, RegistryCode},
    quality::doubts::DoubtState,
};

/// The purpose under which procedures tell registries of other nodes, as grants name it.
pub const PURPOSE: &str = "procedure.contest";

/// The job that a person has news of what they contest: its payload is [`News`]. Whoever tells people does it.
pub const NEWS: &str = "registry.doubt-news";

/// An attribute that a person contests in a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contested {
    /// The same again has the same id, and one effect.
    pub id: String,
    /// The entry that the registry named: `population/001190000017#3`.
    pub entry: String,
    /// The attribute of the registry.
    pub attribute: Name,
    /// What the form calls it.
    pub label: Text,
    /// Why it is wrong, in the person's words; may be empty.
    pub reason: String,
    /// What the person has filed in its place, for people; may be empty.
    pub filed: String,
    /// National code of the procedure.
    pub procedure: String,
    /// Who contests it: a name, and their account where they have one.
    pub by: (String, Option<Uuid>),
    /// Code of the dossier.
    pub dossier: String,
}

impl Contested {
    /// The registry that named the entry.
    pub fn registry(&self) -> &str {
        self.entry.split_once('/').map_or("", |(registry, _)| registry)
    }
}

/// What came of telling it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It is a doubt now, and its clocks run.
    Taken,
    /// It is none, and why.
    Refused(Problems),
    /// The registry is not reached by this way.
    NotHere,
    /// No answer; to be told again.
    Silent,
}

/// How something stands that is contested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The registry.
    pub registry: RegistryCode,
    /// What is contested, for people.
    pub label: Text,
    /// Code of the dossier that it came up in; none where the person looked at what is held about them.
    pub dossier: Option<String>,
    /// Why, in the person's words.
    pub reason: String,
    /// How it stands.
    pub state: DoubtState,
    /// When the registry was told.
    pub told_at: Timestamp,
    /// The clock that runs.
    pub due_at: Timestamp,
    /// What the steward asks; empty where nothing is asked.
    pub question: String,
    /// The answer: when, by whom, in which words.
    pub answer: Option<(Timestamp, String, String)>,
}

/// What a person is to be told of something that they contest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// The doubt.
    pub doubt: Uuid,
    /// Whose.
    pub account: Uuid,
    /// Code of the dossier that it came up in.
    pub dossier: Option<String>,
    /// How it stands now.
    pub state: DoubtState,
    /// Since when.
    pub at: Timestamp,
}

/// Somebody who tells registries what is contested.
pub trait Contest: fmt::Debug + Send + Sync {
    /// Tells it.
    fn contest<'a>(&'a self, ctx: &'a Ctx, contested: &'a Contested) -> BoxFuture<'a, Told>;

    /// How everything stands that was contested in a dossier: as registries say now, or as was last known where one is silent for as long as a
    /// reader waits. Who may see the dossier has been judged.
    ///
    /// # Errors
    /// The database failed.
    fn standing<'a>(&'a self, ctx: &'a Ctx, dossier: &'a str) -> BoxFuture<'a, Result<Vec<Standing>>>;
}
