//! Search over the catalogue: an immutable index in memory, rebuilt after an import. It answers by words with or
//! without diacritics, in any order, the last one perhaps unfinished; ranks what is active and national first; counts
//! facets; forgives a slip of the keyboard; and never leaves a reader with nothing.

mod filter;
mod index;
mod near;
mod words;

use base::Text;

use super::model::{Audience, Code, Level, Sort};

pub use index::Index;
pub use words::slug;

/// The most results of one page.
pub const MAX_PAGE: usize = 100;
/// The longest question that is read; what follows is left out.
pub const MAX_QUERY: usize = 200;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Words or a code; empty for everything.
    pub text: String,
    /// Only of this life event.
    pub life_event: Option<String>,
    /// Only for this audience.
    pub audience: Option<Audience>,
    /// Only of this field, by [`slug`] of its name or by its code.
    pub field: Option<String>,
    /// Only of this agency (promulgating or executing), by [`slug`] of its name.
    pub agency: Option<String>,
    /// Only executed at this tier.
    pub level: Option<Level>,
    /// Only what can be filed online here.
    pub online: bool,
    /// How many; at most [`MAX_PAGE`].
    pub limit: usize,
    /// Where to go on: [`Results::next`] of the page before.
    pub after: Option<String>,
}

/// One procedure in short, as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// First executing agency, or the promulgating one; blank when neither is published.
    pub agency: Text,
    /// First field.
    pub field: Text,
    /// Time limit that can be relied on.
    pub time: Option<Text>,
    /// What has to be paid, in short.
    pub fee: Option<Text>,
    /// National, of one province, or internal.
    pub sort: Sort,
    /// Whether it can be filed online here.
    pub online: bool,
    /// Whether it is in force today.
    pub in_force: bool,
    /// What replaces it.
    pub successors: Vec<Code>,
    /// Whether something in it is misleading, see [`super::oddity::Severity`].
    pub caution: bool,
}

/// A value to narrow a search by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// For the address.
    pub id: String,
    /// For people.
    pub label: Text,
    /// How many results it would leave.
    pub count: usize,
}

/// The facets of a search. The counts of each heed all the other filters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// Audiences.
    pub audiences: Vec<Facet>,
    /// Tiers.
    pub levels: Vec<Facet>,
    /// Fields, the most frequent first.
    pub fields: Vec<Facet>,
    /// Promulgating agencies, the most frequent first.
    pub agencies: Vec<Facet>,
    /// Life events.
    pub life_events: Vec<Facet>,
    /// How many can be filed online here.
    pub online: usize,
}

/// How the words were understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// As typed.
    #[default]
    Exact,
    /// Without filling words such as "làm", "xin", "thủ tục".
    Loosened,
    /// With a letter put right.
    Forgiven,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Results<'a> {
    /// How many in all.
    pub total: usize,
    /// This page of them.
    pub hits: Vec<&'a Summary>,
    /// Where this page starts, from 0.
    pub offset: usize,
    /// The next page.
    pub next: Option<String>,
    /// The page before.
    pub previous: Option<String>,
    /// Facets.
    pub facets: Facets,
    /// How the words were understood.
    pub reading: Reading,
    /// When nothing was found: words that would find something ("có phải quý vị tìm…").
    pub did_you_mean: Option<String>,
    /// When nothing was found: what comes nearest.
    pub nearest: Vec<&'a Summary>,
}
