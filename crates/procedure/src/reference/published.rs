//! The published procedures (thủ tục hành chính đã công bố) as the national portal gave them, errors included and named.

use std::collections::HashSet;

use base::{Problems, Result, Text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Source,
    files::toml_file,
    life_events::{self, LifeEvent},
};

/// How a dossier is filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// At the counter (trực tiếp).
    Direct,
    /// On the portal (trực tuyến).
    Online,
    /// By the public postal service (dịch vụ bưu chính công ích).
    Postal,
}

/// The unit of a published time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Hours.
    Hour,
    /// Calendar days.
    Day,
    /// Working days.
    WorkingDay,
    /// Months.
    Month,
    /// The portal's own "other" (khác): the number says nothing without its text.
    Other,
}

/// A published time limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    /// How many units; 0 as published, see the oddity `time-zero`.
    pub qty: u32,
    /// Which unit.
    pub unit: TimeUnit,
    /// What the portal says beside it.
    #[serde(default)]
    pub text: Option<Text>,
}

/// The two kinds of payment (Law on Fees and Charges 97/2015/QH13, Article 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeeKind {
    /// Phí: covers the cost of a service.
    Fee,
    /// Lệ phí: a fixed charge for state management.
    ServiceFee,
}

/// What a published amount is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Qualifier {
    /// The amount holds.
    Fixed,
    /// Nothing is paid, or nothing in the case that the text names.
    Free,
    /// The provincial People's Council sets it; the published 0 is no amount.
    SetByProvince,
    /// Published at an implausible scale (45 for 45,000): not to be charged as it stands.
    SuspiciousScale,
    /// Not published, or in another text only.
    Unknown,
}

/// A published fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// Fee or charge.
    pub kind: FeeKind,
    /// The amount in dong as published; meaningful only when `qualifier` is fixed.
    pub amount: u64,
    /// What the amount is worth.
    pub qualifier: Qualifier,
    /// What it is for, who is exempt, where it is set.
    #[serde(default)]
    pub text: Option<Text>,
}

/// Ways of filing that share a time limit and fees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The ways.
    pub methods: Vec<Method>,
    /// The time limit.
    pub time: TimeLimit,
    /// The fees; none where none is published.
    pub fees: Vec<Fee>,
}

/// A case of the procedure with its own time limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The code: `1.001193.01`. The portal repeats some.
    pub code: String,
    /// The time limit.
    pub time: TimeLimit,
}

/// The agency that promulgates the procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promulgating {
    /// Its code: `G15`.
    pub code: String,
    /// Its name.
    #[serde(flatten)]
    pub name: Text,
}

/// The sort of agency that carries the procedure out; blank where the portal leaves it blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executing {
    /// The kind, as [`super::AgencyKind`] writes it: `commune`, `department`; empty when blank.
    pub kind: String,
    /// The words of the portal.
    #[serde(flatten)]
    pub name: Text,
}

/// A procedure as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// The national code: `1.001193`.
    pub code: String,
    /// The full name.
    pub name: Text,
    /// The field's code, `G15-TP07`; empty where the portal leaves it blank.
    pub field: String,
    /// The field's name, from the national list.
    pub field_name: Text,
    /// Who promulgates it.
    pub promulgating: Promulgating,
    /// Who carries it out.
    pub executing: Executing,
    /// For whom: ids of [`Audience`].
    pub audiences: Vec<String>,
    /// What is handed over.
    pub results: Vec<Text>,
    /// Numbers of [`LegalText`].
    pub legal_basis: Vec<String>,
    /// Requirements and conditions; mostly none.
    #[serde(default)]
    pub requirements: Vec<Text>,
    /// Ids of [`LifeEvent`].
    pub life_events: Vec<String>,
    /// What people type when they look for it, in Vietnamese.
    pub keywords: Vec<String>,
    /// Codes of [`Oddity`].
    pub oddities: Vec<String>,
    /// First day; assumed, as the portal does not publish it.
    pub valid_from: Date,
    /// Last day; none while in force.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// The code of the procedure that replaces it.
    #[serde(default)]
    pub successor: Option<String>,
    /// Ways of filing.
    pub channel: Vec<Channel>,
    /// Cases.
    #[serde(default)]
    pub case: Vec<Case>,
    /// Where the facts come from: the `source` of the file.
    #[serde(skip)]
    pub origin: Origin,
}

/// Where facts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Origin {
    /// The publisher.
    #[serde(flatten)]
    pub name: Text,
    /// Its address.
    pub url: String,
    /// The day on which it was read.
    pub date: Date,
}

/// A group of people or bodies that a procedure is for (đối tượng thực hiện).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// `citizen`.
    pub id: String,
    /// The words of the national list.
    pub name: Text,
}

/// A legal text (văn bản quy phạm pháp luật) that procedures rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalText {
    /// `123/2015/NĐ-CP`.
    pub number: String,
    /// A short title, where one is certain.
    #[serde(default)]
    pub title: Option<Text>,
}

/// Something wrong, missing or contradictory in a published procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oddity {
    /// `fee-suspicious-scale`.
    pub code: String,
    /// What it means, for the page of the procedure.
    pub text: Text,
}

/// A procedure that is known only as what replaced others: it cannot be filed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Successor {
    /// Its code.
    pub code: String,
    /// What it joins; not the official name.
    pub title: Text,
    /// The codes that it replaces.
    pub replaces: Vec<String>,
}

/// The published procedures and what they refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The procedures, by code.
    pub procedures: Vec<Procedure>,
    /// Audiences.
    pub audiences: Vec<Audience>,
    /// Life events.
    pub life_events: Vec<LifeEvent>,
    /// Legal texts.
    pub legal_texts: Vec<LegalText>,
    /// Oddities.
    pub oddities: Vec<Oddity>,
    /// Successors without details.
    pub successors: Vec<Successor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sector {
    source: Origin,
    procedure: Vec<Procedure>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Lists {
    #[serde(default)]
    audience: Vec<Audience>,
    #[serde(default)]
    text: Vec<LegalText>,
    #[serde(default)]
    oddity: Vec<Oddity>,
    #[serde(default)]
    successor: Vec<Successor>,
}

impl Published {
    /// The procedures of `source`.
    ///
    /// # Errors
    /// A refusal that lists every problem at its file and line or procedure: a file that does not fit, a code that
    /// appears twice, a reference to an audience, life event, legal text, oddity or successor that does not exist.
    pub fn from_source(source: &Source) -> Result<Self> {
        let mut problems = Problems::new();
        let mut procedures: Vec<Procedure> = Vec::new();
        for (path, text) in source.sectors()? {
            if let Some(sector) = toml_file::<Sector>(&path, &text, &mut problems) {
                let origin = sector.source;
                procedures.extend(sector.procedure.into_iter().map(|p| Procedure {
                    origin: origin.clone(),
                    ..p
                }));
            }
        }
        procedures.sort_by(|a, b| (&a.code, a.valid_from).cmp(&(&b.code, b.valid_from)));
        let read = Self {
            procedures,
            audiences: list::<Lists>(source, "procedures/audiences.toml", &mut problems)?.audience,
            life_events: life_events::read(source, &mut problems)?,
            legal_texts: list::<Lists>(source, "procedures/legal-texts.toml", &mut problems)?.text,
            oddities: list::<Lists>(source, "procedures/oddities.toml", &mut problems)?.oddity,
            successors: list::<Lists>(source, "procedures/successors.toml", &mut problems)?.successor,
        };
        // A file that could not be read has already been reported; its empty list would only repeat that.
        if problems.is_empty() {
            read.check(&mut problems);
        }
        problems.into_result()?;
        Ok(read)
    }

    /// The version of the procedure with `code` that holds on `date`.
    pub fn get(&self, code: &str, date: Date) -> Option<&Procedure> {
        let holds = |p: &&Procedure| p.valid_from <= date && p.valid_to.is_none_or(|last| date <= last);
        self.procedures.iter().filter(|p| p.code == code).find(holds)
    }

    fn check(&self, problems: &mut Problems) {
        let audiences: HashSet<&str> = self.audiences.iter().map(|a| a.id.as_str()).collect();
        let events: HashSet<&str> = self.life_events.iter().map(|e| e.id.as_str()).collect();
        let texts: HashSet<&str> = self.legal_texts.iter().map(|t| t.number.as_str()).collect();
        let oddities: HashSet<&str> = self.oddities.iter().map(|o| o.code.as_str()).collect();
        let codes: HashSet<&str> = self.procedures.iter().map(|p| p.code.as_str()).collect();
        let successors: HashSet<&str> = self.successors.iter().map(|s| s.code.as_str()).collect();
        for procedure in &self.procedures {
            for (what, names, known) in [
                ("audiences", &procedure.audiences, &audiences),
                ("life_events", &procedure.life_events, &events),
                ("legal_basis", &procedure.legal_basis, &texts),
                ("oddities", &procedure.oddities, &oddities),
            ] {
                for name in names.iter().filter(|n| !known.contains(n.as_str())) {
                    unknown(problems, &procedure.code, what, name);
                }
            }
            if let Some(code) = &procedure.successor
                && !codes.contains(code.as_str())
                && !successors.contains(code.as_str())
            {
                unknown(problems, &procedure.code, "successor", code);
            }
        }
        for pair in self.procedures.windows(2) {
            if pair[0].code == pair[1].code && pair[0].valid_to.is_none_or(|last| last >= pair[1].valid_from) {
                problems.add(
                    "overlap",
                    pair[1].code.clone(),
                    format!("Thủ tục {} có hai phiên bản cùng hiệu lực.", pair[1].code),
                    format!("Procedure {} has two versions in force at once.", pair[1].code),
                );
            }
        }
    }
}

fn unknown(problems: &mut Problems, code: &str, what: &str, name: &str) {
    problems.add(
        "unknown-reference",
        format!("{code}/{what}"),
        format!("Giá trị “{name}” không có trong danh mục."),
        format!("\"{name}\" is not in its list."),
    );
}

fn list<T: DeserializeOwned + Default>(source: &Source, path: &str, problems: &mut Problems) -> Result<T> {
    let text = source.text(path)?;
    Ok(toml_file(path, &text, problems).unwrap_or_default())
}
