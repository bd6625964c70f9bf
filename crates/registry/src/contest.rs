//! Telling a registry that a person contests what it said for their dossier, at this node or by the exchange. Who files does not know which.

use std::fmt;

use base::Problems;
use futures::future::BoxFuture;
use identity::Ctx;
use uuid::Uuid;

use crate::model::Name;

/// An attribute that a person contests in a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contested {
    /// The same again has the same id, and one effect.
    pub id: String,
    /// The entry that the registry named: `population/001190000017#3`.
    pub entry: String,
    /// The attribute of the registry.
    pub attribute: Name,
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

/// Somebody who tells registries what is contested.
pub trait Contest: fmt::Debug + Send + Sync {
    /// Tells it.
    fn contest<'a>(&'a self, ctx: &'a Ctx, contested: &'a Contested) -> BoxFuture<'a, Told>;
}
