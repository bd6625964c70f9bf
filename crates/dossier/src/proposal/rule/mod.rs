//! What a node proposes, declared: a folder `proposals/<code>/` with `proposal.toml`, and `writes.toml` where the state acts by itself
//! (docs/proactive.md). A rule joins an approved question, which finds whom to propose to, with a procedure, which they may file.

mod check;

use std::sync::Arc;

use base::Text;
use exchange::events::EventName;
use procedure::{feel::Expr, form::Attribute, package::Package, reference::Procedure, writes::Write};
use registry::{
    model::{Basis, FieldPath, Name, RegistryCode},
    question::Question,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use check::check;

/// The file that declares a rule.
pub const FILE: &str = "proposal.toml";
/// What registries are told where the state acts, as in a procedure package.
pub const WRITES: &str = "writes.toml";

/// A rule, judged.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its code, which is the name of its folder.
    pub code: Name,
    /// The version of the folder, from 1.
    pub version: u32,
    /// SHA-256 in hex of the files.
    pub hash: String,
    /// What is proposed.
    pub name: Text,
    /// Why, and what to do, as the person reads it.
    pub summary: Text,
    /// The approved question whose answer “yes” makes the proposal.
    pub question: Question,
    /// Who sees it.
    pub about: About,
    /// National code of the procedure.
    pub procedure: String,
    /// For how many days it stands.
    pub valid_days: u16,
    /// After how many days the people of a run are asked again by itself.
    pub every_days: Option<u16>,
    /// Events that name whom it looks at.
    pub on: Vec<On>,
    /// The laws; at least one.
    pub basis: Vec<Basis>,
    /// In words, every fact on which it rests.
    pub because: Vec<Because>,
    /// What is asked of registries besides, of whom it is about.
    pub facts: Vec<Fact>,
    /// How far it goes.
    pub step: Ladder,
}

/// How far the state goes (Decree 224/2026/NĐ-CP, Article 16). A step that is higher does what the lower do.
#[derive(Debug, Clone)]
pub enum Ladder {
    /// P1: it reminds.
    Remind,
    /// P2: it prepares the dossier, too.
    Prefill(Vec<Prefill>),
    /// P3: it says which way is best, too. At least two, of which the last always fits.
    Recommend(Vec<Prefill>, Vec<Way>),
    /// P4: it acts by itself.
    Act(Act),
}

/// The name of a step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// P1.
    Remind,
    /// P2.
    Prefill,
    /// P3.
    Recommend,
    /// P4.
    Act,
}

/// Who sees a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Whom it is about.
    Person,
    /// The parents, as the population registry names them, of whom it is about: a child under 18.
    Child,
}

/// An event of a registry that names somebody whom a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct On {
    /// `registry.event`.
    pub event: EventName,
    /// What has happened then, as officers read it.
    pub name: Text,
    /// The field of the event that has the personal number.
    pub person: FieldPath,
    /// Days after it when they are looked at.
    #[serde(default)]
    pub after_days: u16,
}

/// A fact of the question, in words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Its id in the question.
    pub fact: FieldPath,
    /// What it is called.
    pub name: Text,
    /// The registry that holds it.
    pub source: Text,
}

/// What is asked of a registry about whom a proposal is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The name under which ways and writes know it.
    pub id: FieldPath,
    /// `registry.attribute`.
    pub ask: Attribute,
}

/// An answer that stands in the form already.
#[derive(Debug, Clone, PartialEq)]
pub struct Prefill {
    /// The field of the form; one that the person may change.
    pub field: String,
    /// Where the answer comes from.
    pub from: Source,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The same for everybody.
    Value(Value),
    /// A registry, about whom the proposal is about, asked when the person opens the dossier.
    Registry(Attribute),
}

/// A way to take a proposal up.
#[derive(Debug, Clone)]
pub struct Way {
    /// Its id in the rule.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// Why it is best where it fits.
    pub because: Text,
    /// When it fits; always without.
    pub when: Option<Expr>,
    /// Answers of the form that it means.
    pub set: Vec<Prefill>,
}

/// What the state does by itself, and how it is stopped and undone.
#[derive(Debug, Clone)]
pub struct Act {
    /// Days from the announcement in which the person may say no.
    pub refuse_days: u16,
    /// Days from the act in which the person may have the former state back.
    pub restore_days: u16,
    /// What registries are told, in this order. Each can be taken back.
    pub writes: Vec<Write>,
}

/// Against what a rule is judged.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The approved questions of the node.
    pub questions: &'a [Question],
    /// The packages in force.
    pub packages: &'a [Arc<Package>],
    /// The published catalogue.
    pub published: &'a [Procedure],
}

impl Level {
    /// All, from the lowest.
    pub const ALL: [Self; 4] = [Self::Remind, Self::Prefill, Self::Recommend, Self::Act];

    /// The name for programs, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Remind => "remind",
            Self::Prefill => "prefill",
            Self::Recommend => "recommend",
            Self::Act => "act",
        }
    }

    /// Reads [`Level::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Remind => Text::new("P1 – nhắc việc", "P1 – remind"),
            Self::Prefill => Text::new("P2 – nhắc và điền sẵn hồ sơ", "P2 – remind and prefill"),
            Self::Recommend => Text::new("P3 – điền sẵn và gợi ý phương án", "P3 – prefill and recommend"),
            Self::Act => Text::new("P4 – tự động thực hiện", "P4 – act"),
        }
    }
}

impl On {
    /// The registry that tells of it; none where the name of the event has none.
    pub fn registry(&self) -> Option<RegistryCode> {
        let (registry, _) = self.event.as_str().split_once('.')?;
        registry.parse().ok()
    }
}

impl Rule {
    /// How far it goes.
    pub const fn level(&self) -> Level {
        match self.step {
            Ladder::Remind => Level::Remind,
            Ladder::Prefill(_) => Level::Prefill,
            Ladder::Recommend(..) => Level::Recommend,
            Ladder::Act(_) => Level::Act,
        }
    }

    /// The act of a rule that acts.
    pub const fn act(&self) -> Option<&Act> {
        match &self.step {
            Ladder::Act(act) => Some(act),
            _ => None,
        }
    }

    /// What stands in the form already, whichever way is taken.
    pub fn prefill(&self) -> &[Prefill] {
        match &self.step {
            Ladder::Prefill(prefill) | Ladder::Recommend(prefill, _) => prefill,
            Ladder::Remind | Ladder::Act(_) => &[],
        }
    }

    /// The ways of a rule that recommends.
    pub fn ways(&self) -> &[Way] {
        match &self.step {
            Ladder::Recommend(_, ways) => ways,
            _ => &[],
        }
    }

    /// The laws, on one line.
    pub fn laws(&self) -> String {
        let laws = self
            .basis
            .iter()
            .map(|basis| format!("{}, {}", basis.text, basis.article));
        laws.collect::<Vec<_>>().join("; ")
    }
}
