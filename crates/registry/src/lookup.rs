//! Asking a registry instead of the person: by whoever decides something, with purpose and legal basis, at this node or by the
//! exchange. The asker does not know which.

use std::{collections::BTreeMap, fmt};

use base::codes::ProcedureCode;
use futures::future::BoxFuture;
use identity::Ctx;
use procedure::form::{Attribute, Said};

use crate::service::Times;

/// The purpose under which procedures ask registries, as grants name it.
pub const PURPOSE: &str = "procedure.prefill";

/// What one procedure asks about one person or organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// About whom.
    pub about: About,
    /// What is asked.
    pub attributes: Vec<Attribute>,
    /// National code of the procedure that needs it, or the purpose of an approved question: the purpose of the read.
    pub procedure: String,
    /// Why the state may know it (decree and article), of the fields that need it.
    pub basis: String,
    /// Code of the dossier, once there is one.
    pub dossier: Option<String>,
    /// Of when, and as known when: every registry is asked the same. By default each answers of now.
    pub times: Times,
}

impl Question {
    /// Whether an approved question asks, and no procedure.
    pub fn is_approved(&self) -> bool {
        self.procedure.parse::<ProcedureCode>().is_err()
    }

    /// The purpose of the read, as grants and the log of reads name it.
    pub fn purpose(&self) -> &str {
        if self.is_approved() { &self.procedure } else { PURPOSE }
    }

    /// What each registry is asked for, by its code.
    pub fn by_registry(&self) -> BTreeMap<&str, Vec<&Attribute>> {
        let mut asked: BTreeMap<&str, Vec<&Attribute>> = BTreeMap::new();
        for attribute in &self.attributes {
            asked.entry(&attribute.registry).or_default().push(attribute);
        }
        asked
    }
}

/// About whom a registry is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A person, by personal number.
    Person(String),
    /// An organisation, by tax code.
    Organisation(String),
}

impl About {
    /// The number.
    pub fn number(&self) -> &str {
        match self {
            Self::Person(number) | Self::Organisation(number) => number,
        }
    }
}

/// Somebody who asks registries. Never fails: a registry that is down is [`Said::Silent`], so that it delays nobody.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// Asks, records the read for the person it is about, and tells what each attribute came to. An attribute that is left out of the
    /// answer counts as silent.
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Said>>;
}
