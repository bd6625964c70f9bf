//! The form (tờ khai điện tử) of a procedure: pages of typed questions with stable ids, and the papers to hand in.
//!
//! A form is data, compiled once. What a person sees next is never stored: a [`Journey`] is recomputed from the
//! answers each time, so a draft, the API and the officer's view cannot disagree. Conditions only look back, at fields
//! that come before them, so one walk from the first page to the last decides everything.

mod answers;
mod context;
mod facts;
mod input;
mod journey;
mod judge;
mod kind;
mod lists;
pub(crate) mod load;
mod once;
pub mod render;
mod schema;
mod show;

use std::collections::{BTreeSet, HashMap};

use base::Text;
use papers::Format;
use serde::{Deserialize, Serialize};

pub use answers::Answers;
pub use context::{Applicant, ApplicantKind, Channel, Context};
pub use facts::{Attribute, Facts, NotAnAttribute, Said, Standing};
pub use input::{PageInput, SHOWN};
pub use journey::{FieldState, Journey, Origin, PageState, PaperNeed, Status};
pub use kind::{DateBound, Kind, Limits, Pattern};
pub use lists::{countries, ethnicities};
pub use once::{Held, Whose, held, is_public};
pub use show::{SummaryRow, SummarySection, display};

use crate::feel::{Expr, Type, Types};

/// A compiled form.
#[derive(Debug)]
pub struct Form {
    /// The pages in order.
    pub pages: Vec<Page>,
    /// The papers (thành phần hồ sơ) in order.
    pub papers: Vec<Paper>,
    types: Types,
    /// Of these names, those that an expression of the form reads.
    reads: Types,
    index: HashMap<String, (usize, usize)>,
    groups: BTreeSet<String>,
}

/// One screen of the form.
#[derive(Debug)]
pub struct Page {
    /// Its id, part of its address.
    pub id: String,
    /// Its heading.
    pub title: Text,
    /// A paragraph under the heading.
    pub help: Option<Text>,
    /// Shown only when this holds.
    pub when: Option<Expr>,
    /// The questions.
    pub fields: Vec<Field>,
}

/// One question.
#[derive(Debug)]
pub struct Field {
    /// The stable, dotted id: the key of the answer, of the problem and of the legal ground of a supplement request.
    pub id: String,
    /// What sort of answer.
    pub kind: Kind,
    /// The question.
    pub label: Text,
    /// Help under the question.
    pub hint: Option<Text>,
    /// Whether it must be answered.
    pub required: Rule,
    /// Asked only when this holds.
    pub when: Option<Expr>,
    /// Where the answer comes from.
    pub source: FieldSource,
    /// Why the state may ask (decree and article).
    pub basis: String,
    /// How carefully the answer is to be handled.
    pub sensitivity: Sensitivity,
    /// How long the answer is kept.
    pub retention: Retention,
    /// Why the person is asked all the same for what a registry holds (decree and article).
    pub exception_basis: Option<String>,
    /// The `autocomplete` token of HTML.
    pub autocomplete: Option<String>,
    /// The type of the answer in FEEL, of which some are long lists.
    pub(crate) feel: Type,
}

/// Yes, no, or by condition.
#[derive(Debug, Clone)]
pub enum Rule {
    /// Always.
    Always,
    /// Never.
    Never,
    /// When this holds.
    When(Expr),
}

/// Where an answer comes from.
#[derive(Debug, Clone)]
pub enum FieldSource {
    /// The person types it.
    Asked,
    /// A claim of the e-ID of the person who is signed in.
    Eid(Claim),
    /// A registry is asked for it.
    Registry(Attribute),
    /// Computed from fields before it.
    Derived(Expr),
}

/// What the e-ID tells about the person who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Full name.
    Name,
    /// Personal identification number (số định danh cá nhân).
    PersonNumber,
    /// Date of birth.
    BirthDate,
    /// Sex.
    Sex,
    /// Telephone.
    Phone,
    /// E-mail.
    Email,
}

/// How carefully an answer is to be handled (Law on Personal Data Protection 91/2025/QH15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// Anybody may know.
    Public,
    /// For the agencies.
    Internal,
    /// Personal data.
    Personal,
    /// Sensitive personal data.
    Sensitive,
}

/// How long an answer is kept after the dossier is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Retention {
    /// For ever.
    #[serde(rename = "permanent")]
    Permanent,
    /// 70 years.
    #[serde(rename = "70y")]
    Years70,
    /// 10 years.
    #[serde(rename = "10y")]
    Years10,
    /// 5 years.
    #[serde(rename = "5y")]
    Years5,
    /// 1 year.
    #[serde(rename = "1y")]
    Years1,
    /// Not kept.
    #[serde(rename = "none")]
    None,
}

/// A paper of the dossier (thành phần hồ sơ).
#[derive(Debug)]
pub struct Paper {
    /// Its id within the package.
    pub id: String,
    /// Its code in the national catalogue.
    pub code: Option<String>,
    /// Its name.
    pub name: Text,
    /// Help under the name.
    pub hint: Option<Text>,
    /// Handed in, or only shown.
    pub kind: PaperKind,
    /// Whether it must be there.
    pub required: Rule,
    /// Asked for only when this holds.
    pub when: Option<Expr>,
    /// Originals at the counter.
    pub originals: u8,
    /// Copies at the counter.
    pub copies: u8,
    /// Formats that may be uploaded.
    pub accept: Vec<Format>,
    /// The largest file, in megabytes.
    pub max_mb: u16,
    /// The most pages.
    pub max_pages: u16,
    /// Legal ground.
    pub basis: String,
}

/// Whether a paper stays with the agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaperKind {
    /// Handed in (nộp).
    Submit,
    /// Only shown (xuất trình).
    Show,
}

impl Form {
    /// The names and types that expressions over the whole form may use.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// The field of that id.
    pub fn field(&self, id: &str) -> Option<&Field> {
        let (page, field) = *self.index.get(id)?;
        self.pages.get(page)?.fields.get(field)
    }

    /// The page on which the field of that id stands.
    pub fn page_of(&self, id: &str) -> Option<&Page> {
        self.pages.get(self.index.get(id)?.0)
    }

    /// The page of that id, with its place.
    pub fn page(&self, id: &str) -> Option<(usize, &Page)> {
        self.pages.iter().enumerate().find(|(_, page)| page.id == id)
    }

    /// The paper of that id.
    pub fn paper(&self, id: &str) -> Option<&Paper> {
        self.papers.iter().find(|paper| paper.id == id)
    }

    /// Every field, in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.pages.iter().flat_map(|page| &page.fields)
    }
}
