//! What registries are told when a dossier is decided: a saga whose state is the dossier's own log. Each write is done at another agency,
//! so each may be refused there, or go unanswered for hours; what was done is in the log before the next begins, and a later refusal
//! takes back what came before it, last first. Whatever happens in between, the same log gives the same next thing to do.

use base::{Problems, Timestamp};
use jiff::civil::Date;
use procedure::{
    package::Package,
    process::NodeKind,
    writes::{Due, NoValue, Plan, SERVICE, Undo, Write, write_of},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::state::State;

/// What came of one write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wrote", rename_all = "kebab-case")]
pub enum Wrote {
    /// The registry has it.
    Done {
        /// The entry, as the registry names it.
        entry: String,
        /// The record as the registry holds it now: with the number that it was given.
        record: Value,
    },
    /// The agency that owns the registry says no.
    Refused {
        /// Why.
        problems: Problems,
    },
    /// The registry was told and has not answered, and an officer has ended the waiting: whether it has it is not known yet.
    Unknown {
        /// Why the waiting was ended.
        reason: String,
    },
    /// It was done and taken back.
    TakenBack {
        /// The entry that takes it back.
        entry: String,
    },
    /// It was done, ought to have been taken back, and could not be: somebody must look.
    Left {
        /// The entry that stands.
        entry: String,
        /// Why it could not be taken back; empty where the package says that it stays.
        problems: Problems,
    },
}

impl Wrote {
    /// Whether the registry holds it, or may.
    pub const fn stands(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Left { .. } | Self::Unknown { .. })
    }
}

/// A write of a dossier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// The write's id in the package.
    pub write: String,
    /// The token of the service task: another one is another attempt.
    pub token: u32,
    /// When this came of it.
    pub at: Timestamp,
    /// What came of it.
    #[serde(flatten)]
    pub wrote: Wrote,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Tell a registry.
    Tell {
        /// The write.
        write: String,
        /// With its values.
        plan: Plan,
    },
    /// A write cannot even be put: the package gives it no key or day for these answers.
    Impossible {
        /// The write.
        write: String,
        /// What it lacks.
        lacks: &'static str,
    },
    /// Take a write back that was done.
    TakeBack {
        /// The write.
        write: String,
        /// The registry.
        registry: String,
        /// The entry.
        entry: String,
    },
    /// A write stays, as the package says.
    Leave {
        /// The write.
        write: String,
        /// The entry.
        entry: String,
    },
    /// Nothing.
    Finished {
        /// Whether all was done.
        done: bool,
    },
}

impl State {
    /// What came of a write in the attempt of this token. What stands from an earlier one stands.
    pub fn wrote(&self, token: u32, write: &str) -> Option<&Wrote> {
        self.attempt(token).find(|w| w.write == write).map(|w| &w.wrote)
    }

    fn attempt(&self, token: u32) -> impl Iterator<Item = &Written> {
        self.writes.iter().filter(move |w| w.token == token || w.wrote.stands())
    }

    pub(super) fn take_wrote(&mut self, token: u32, write: &str, wrote: &Wrote, at: Timestamp) {
        self.writes
            .retain(|w| w.write != write && (w.token == token || w.wrote.stands()));
        self.writes.push(Written {
            write: write.to_owned(),
            token,
            at,
            wrote: wrote.clone(),
        });
    }

    /// What the expressions of writes see.
    pub fn told(&self, decided_on: Date) -> Map<String, Value> {
        let mut values = self.process.variables.clone();
        values.insert("code".to_owned(), self.code.clone().into());
        values.insert("agency".to_owned(), self.agency.clone().into());
        values.insert("decided_on".to_owned(), decided_on.to_string().into());
        let records = self.writes.iter().filter_map(|w| match &w.wrote {
            Wrote::Done { record, .. } => Some((w.write.clone(), record.clone())),
            _ => None,
        });
        values.insert("told".to_owned(), Value::Object(records.collect()));
        values
    }

    /// What is to be done next for the writes of the package.
    pub fn next_write(&self, token: u32, package: &Package, today: Date) -> Next {
        // What is not known is no reason to go on: the others are taken back, and another attempt waits until it is known.
        let failed = |wrote: &Wrote| matches!(wrote, Wrote::Refused { .. } | Wrote::Unknown { .. });
        if self.attempt(token).any(|w| failed(&w.wrote)) {
            return self.next_back(token, &package.writes);
        }
        let decided_on = self.ended_at.map_or(today, Timestamp::legal_date);
        let values = self.told(decided_on);
        let mut due = package.writes.iter().flat_map(|write| write.due(&values));
        let Some(due) = due.find(|due: &Due<'_>| self.wrote(token, &due.id).is_none()) else {
            return Next::Finished { done: true };
        };
        match due.plan(decided_on) {
            Ok(plan) => Next::Tell { write: due.id, plan },
            Err(NoValue { of }) => Next::Impossible {
                write: due.id,
                lacks: of,
            },
        }
    }

    /// The write whose registry is being told now, in the task with this token.
    pub fn told_now(&self, token: u32, package: &Package, today: Date) -> Option<String> {
        let open = self.process.tokens.iter().find(|open| open.id == token)?;
        let node = package.process.node(&open.node)?;
        if !matches!(&node.kind, NodeKind::Service { service } if service == SERVICE) {
            return None;
        }
        match self.next_write(token, package, today) {
            Next::Tell { write, .. } => Some(write),
            _ => None,
        }
    }

    /// The last write that stands and ought not to.
    fn next_back(&self, token: u32, writes: &[Write]) -> Next {
        let place = |write: &Write| writes.iter().position(|other| other.id == write.id);
        let standing = self.attempt(token).filter_map(|written| match &written.wrote {
            Wrote::Done { entry, .. } => {
                let (write, nth) = write_of(writes, &written.write)?;
                Some(((place(write), nth), write, &written.write, entry))
            }
            _ => None,
        });
        match standing.max_by_key(|(place, ..)| *place) {
            None => Next::Finished { done: false },
            Some((_, write, id, entry)) => match write.undo {
                Undo::TakeBack => Next::TakeBack {
                    write: id.clone(),
                    registry: write.registry.clone(),
                    entry: entry.clone(),
                },
                Undo::Keep => Next::Leave {
                    write: id.clone(),
                    entry: entry.clone(),
                },
            },
        }
    }
}
