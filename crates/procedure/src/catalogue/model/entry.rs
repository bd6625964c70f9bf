//! A procedure as people read it.

use base::Text;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Audience, Bilingual, Case, Channel, Code, Fee, Field, Layer, Legal, PaperGroup, Qualifier, Sort, Source, Step,
    TimeLimit, grouped,
};
use crate::catalogue::oddity::{Kind, Oddity};

/// How a procedure stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// In force.
    InForce,
    /// Another procedure has taken its place.
    Replaced,
    /// Its validity has ended.
    Ended,
    /// Published under a code that is marked as deleted.
    MarkedDeleted,
    /// Known only as what replaced another; it cannot be filed here.
    NamedOnly,
}

/// A procedure as people read it, in the version of one day.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// Its code.
    pub code: Code,
    /// Its name; English where our reference data has one.
    #[schema(value_type = Bilingual)]
    pub name: Text,
    /// One sentence for the reader.
    #[schema(value_type = Option<Bilingual>)]
    pub summary: Option<Text>,
    /// Fields.
    pub fields: Vec<Field>,
    /// Agency that promulgated it; empty when left blank.
    #[schema(value_type = Bilingual)]
    pub promulgating: Text,
    /// Agencies that execute it; empty when left blank.
    #[schema(value_type = Vec<Bilingual>)]
    pub executing: Vec<Text>,
    /// Whom it serves, as published.
    pub published_audiences: Vec<String>,
    /// Whom it serves, grouped.
    pub audiences: Vec<Audience>,
    /// National, of one province, or internal.
    pub sort: Sort,
    /// The published word for its state.
    pub state: String,
    /// Ways to file.
    pub channels: Vec<Channel>,
    /// Cases.
    pub cases: Vec<Case>,
    /// What comes out.
    #[schema(value_type = Vec<Bilingual>)]
    pub results: Vec<Text>,
    /// Requirements and conditions.
    #[schema(value_type = Bilingual)]
    pub requirements: Text,
    /// How it is done.
    pub steps: Vec<Step>,
    /// Papers.
    pub papers: Vec<PaperGroup>,
    /// Legal basis.
    pub legal_basis: Vec<Legal>,
    /// Life events.
    pub life_events: Vec<String>,
    /// Words that people use for it.
    pub keywords: Vec<String>,
    /// First day of this version.
    #[schema(value_type = String, format = Date)]
    pub valid_from: Date,
    /// Last day of this version; `None` while it is in force.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<Date>,
    /// Procedures that it replaces.
    pub predecessors: Vec<Code>,
    /// Procedures that replace it.
    pub successors: Vec<Code>,
    /// Where what is said here came from.
    #[serde(serialize_with = "by_layer")]
    #[schema(value_type = Vec<Origin>)]
    pub sources: Vec<(Layer, Source)>,
    /// What is odd in what was published.
    pub oddities: Vec<Oddity>,
}

/// Where what is said came from, as the API gives it.
#[derive(Serialize, utoipa::ToSchema)]
struct Origin<'a> {
    /// What sort of source it is.
    layer: Layer,
    /// The source.
    #[serde(flatten)]
    source: &'a Source,
}

fn by_layer<S: serde::Serializer>(sources: &[(Layer, Source)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(sources.iter().map(|(layer, source)| Origin { layer: *layer, source }))
}

impl Entry {
    /// Whether it is in force on `on`.
    pub fn in_force(&self, on: Date) -> bool {
        self.standing(on) == State::InForce
    }

    /// How it stands on `on`.
    pub fn standing(&self, on: Date) -> State {
        if self.is_marked_deleted() {
            State::MarkedDeleted
        } else if !self.successors.is_empty() {
            State::Replaced
        } else if self.valid_to.is_some_and(|last| on > last) {
            State::Ended
        } else if self.is_named_only() {
            State::NamedOnly
        } else {
            State::InForce
        }
    }

    /// Whether no source tells more of it than that it replaces others.
    pub fn is_named_only(&self) -> bool {
        self.sources.len() == 1 && self.oddities.iter().any(|o| o.kind == Kind::NamedOnly)
    }

    /// Whether the published code carries the mark of deletion (`1.014955-Xoa`, xóa).
    pub fn is_marked_deleted(&self) -> bool {
        self.code.as_str().to_ascii_lowercase().ends_with("-xoa")
    }

    /// The time limits that can be relied on, without repeats: of the cases, or else of the channels.
    pub fn times(&self) -> Vec<&TimeLimit> {
        let cases = distinct(self.cases.iter().map(|c| &c.time));
        if cases.is_empty() {
            distinct(self.channels.iter().map(|c| &c.time))
        } else {
            cases
        }
    }

    /// `20 ngày`, `1 ngày làm việc / 3 ngày làm việc`; `None` when no number can be relied on.
    pub fn time_summary(&self) -> Option<Text> {
        let times: Vec<Text> = self
            .times()
            .into_iter()
            .take(3)
            .filter_map(TimeLimit::display)
            .collect();
        let join = |get: fn(&Text) -> &str| times.iter().map(get).collect::<Vec<_>>().join(" / ");
        (!times.is_empty()).then(|| Text::new(join(|t| &t.vi), join(|t| &t.en)))
    }

    /// All fees, without those that repeat across the channels.
    pub fn fees(&self) -> Vec<&Fee> {
        let mut seen: Vec<&Fee> = Vec::new();
        for fee in self.channels.iter().flat_map(|c| &c.fees) {
            if !seen.contains(&fee) {
                seen.push(fee);
            }
        }
        seen
    }

    /// One short line about what has to be paid; `None` when nothing was published about it.
    pub fn fee_summary(&self) -> Option<Text> {
        let fees = self.fees();
        if fees.is_empty() {
            return None;
        }
        let fixed: Vec<i64> = fees
            .iter()
            .filter(|f| f.qualifier == Qualifier::Fixed)
            .filter_map(|f| f.amount)
            .collect();
        let any = |q: Qualifier| fees.iter().any(|f| f.qualifier == q);
        Some(match (fixed.iter().min(), fixed.iter().max()) {
            (Some(low), Some(high)) if low == high => Text::new(
                format!("{} đồng", grouped(*low, '.')),
                format!("{} VND", grouped(*low, ',')),
            ),
            (Some(low), Some(high)) => Text::new(
                format!("{} đến {} đồng", grouped(*low, '.'), grouped(*high, '.')),
                format!("{} to {} VND", grouped(*low, ','), grouped(*high, ',')),
            ),
            _ if any(Qualifier::SetByProvince) => Text::new("Do địa phương quy định", "Set by the province"),
            _ if any(Qualifier::SuspiciousScale) => Text::new("Số liệu công bố chưa rõ", "Published amount is unclear"),
            _ if fees.iter().all(|f| f.qualifier == Qualifier::Free) => Text::new("Không thu", "Free"),
            _ => Text::new("Xem nội dung công bố", "See the published text"),
        })
    }
}

/// The limits that can be relied on, each once.
fn distinct<'a>(times: impl Iterator<Item = &'a TimeLimit>) -> Vec<&'a TimeLimit> {
    let mut seen: Vec<&TimeLimit> = Vec::new();
    for time in times {
        if time.known().is_some() && !seen.iter().any(|s| s.known() == time.known()) {
            seen.push(time);
        }
    }
    seen
}
