//! procedure.toml: what the procedure is, by which law, in how much time.

mod load;
mod raw;
mod time;

use base::{
    Text,
    deadline::{Budget, Rules},
};
use identity::Assurance;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{feel::Expr, form::Channel};

/// What procedure.toml says, judged.
#[derive(Debug)]
pub struct Meta {
    /// Code of the national catalogue.
    pub code: String,
    /// Version, a date.
    pub version: String,
    /// First day on which dossiers are received.
    pub valid_from: Date,
    /// Last day, when known.
    pub valid_to: Option<Date>,
    /// Code of the procedure that this one replaced.
    pub predecessor: Option<String>,
    /// Code of the procedure that replaces this one.
    pub successor: Option<String>,
    /// Name.
    pub name: Text,
    /// Code of the field (lĩnh vực); empty where the national list leaves it blank.
    pub field: String,
    /// Name of the field.
    pub field_name: Option<Text>,
    /// Code of the agency that issued the procedure (cơ quan ban hành).
    pub authority: String,
    /// At which level it is carried out.
    pub executing_level: ExecutingLevel,
    /// For whom.
    pub audiences: Vec<Audience>,
    /// Wholly or partly online.
    pub level: Level,
    /// Why only partly.
    pub level_reason: Option<Text>,
    /// Ids of life events.
    pub life_events: Vec<String>,
    /// Words that people search by.
    pub keywords: Vec<String>,
    /// In two or three sentences.
    pub summary: Text,
    /// What the applicant lives through, in order.
    pub steps: Vec<Text>,
    /// The law.
    pub legal_basis: Vec<LegalBasis>,
    /// How a dossier may come in.
    pub channels: Vec<Channel>,
    /// How sure the e-ID must be of whoever files online.
    pub assurance: Assurance,
    /// Time limits, in the order in which they are tried; the last has no condition.
    pub deadlines: Vec<DeadlineCase>,
    /// How periods are counted.
    pub deadline_rules: Rules,
    /// Whether completed papers start the period anew (else it goes on with what was left).
    pub supplement_restarts: bool,
    /// Agencies that the process names.
    pub agencies: Vec<AgencyRef>,
    /// Grounds for saying no.
    pub refusal_reasons: Vec<Reason>,
    /// Grounds for asking for more.
    pub supplement_reasons: Vec<Reason>,
    /// The result.
    pub result: Option<ResultSpec>,
    /// When fees are paid; `None` when nothing ever is.
    pub payment: Option<PaymentTime>,
    /// Where the facts come from.
    pub source: Option<SourceNote>,
}

impl Meta {
    /// The account that filing online needs.
    pub fn account(&self) -> Text {
        match self.assurance {
            Assurance::Level1 => Text::new(
                "Định danh điện tử (VNeID), mức độ 1 hoặc mức độ 2",
                "The national e-ID (VNeID), level 1 or level 2",
            ),
            Assurance::Level2 => Text::new(
                "Định danh điện tử (VNeID) mức độ 2",
                "The national e-ID (VNeID) at level 2",
            ),
        }
    }
}

/// At which level a procedure is carried out (cấp thực hiện).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutingLevel {
    /// Cấp xã.
    Commune,
    /// Cấp tỉnh.
    Province,
    /// Cấp bộ.
    Ministry,
    /// Another agency.
    Agency,
}

/// For whom a procedure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Công dân Việt Nam.
    Citizen,
    /// Doanh nghiệp.
    Business,
    /// Tổ chức.
    Organisation,
    /// Người nước ngoài.
    Foreigner,
}

/// How much of it is online (NĐ 42/2022, kept by its successor).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Toàn trình.
    Full,
    /// Một phần.
    Partial,
}

/// A legal document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegalBasis {
    /// Its number: `123/2015/NĐ-CP`.
    pub number: String,
    /// Its title.
    pub title: Text,
    /// Which articles.
    pub articles: Option<String>,
}

/// A time limit with the case in which it holds.
#[derive(Debug, Clone)]
pub struct DeadlineCase {
    /// Code of the case: `1.001193.01`.
    pub case: String,
    /// Name of the case.
    pub name: Text,
    /// When it holds; the last case has no condition.
    pub when: Option<Expr>,
    /// The budget with its legal basis.
    pub budget: Budget,
}

impl DeadlineCase {
    /// The length in words; nothing at all is "within the working day".
    pub fn time(&self) -> Text {
        if self.budget.qty == 0 {
            Text::new("Trong ngày làm việc", "On the same working day")
        } else {
            self.budget.text()
        }
    }
}

/// A symbolic agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgencyRef {
    /// As the process names it.
    pub id: String,
    /// Its name.
    pub name: Text,
    /// How a node finds the real one.
    pub resolver: String,
}

/// A legal ground for a refusal or for asking for more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable id.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub text: Text,
    /// Decree and article.
    pub basis: String,
    /// The field or paper that it is about.
    pub about: Option<String>,
}

/// The result of the procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultSpec {
    /// Its name.
    pub name: Text,
    /// File name of its Typst template.
    pub template: String,
    /// Its code.
    pub code: Option<String>,
}

/// When fees are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentTime {
    /// Before the agency begins.
    BeforeProcessing,
    /// When the result is handed over.
    AtReturn,
}

/// Where the facts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceNote {
    /// In words.
    pub text: String,
    /// When they were taken.
    pub retrieved: Date,
}
