//! What happens to a dossier. The log of these entries is the dossier; everything else is derived from it.

use std::collections::BTreeMap;

use base::{Id, Text, Timestamp};
use exchange::model::identifier::SubsystemId;
use identity::{Actor, Ctx};
use jiff::civil::Date;
use procedure::form::{Answers, Attribute, Facts, Said};
pub use procedure::{decision::Fee, form::Channel};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::writes::Wrote;

base::typed_id!(/// One dossier.
    Dossier as DossierId);
base::typed_id!(/// One uploaded file.
    Upload as UploadId);
base::typed_id!(/// One consultation of another agency.
    Consultation as ConsultationId);

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 … within the dossier; also the dossier's version after it.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: ActorRef,
    /// Under which request; the log on disk and the log of the server meet here.
    pub request_id: Uuid,
    /// What happened.
    pub action: Action,
}

/// Who did something, as they were called then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorRef {
    /// Officer, person or the platform itself.
    pub kind: ActorKind,
    /// Account or officer; none for the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Name of the person, or of the platform's part.
    pub name: String,
    /// Title of an officer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Agency of an officer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agency: String,
}

/// What sort of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person or business.
    Person,
    /// An officer.
    Officer,
    /// The platform: a timer, the loading of data.
    System,
}

impl From<&Ctx> for ActorRef {
    fn from(ctx: &Ctx) -> Self {
        let (kind, id, title, agency) = match &ctx.actor {
            Actor::Officer(o) => (
                ActorKind::Officer,
                Some(o.officer.uuid()),
                o.title.clone(),
                o.agency.clone(),
            ),
            Actor::Person(p) => (ActorKind::Person, Some(p.account.uuid()), String::new(), String::new()),
            Actor::Anonymous | Actor::System(_) => (ActorKind::System, None, String::new(), String::new()),
        };
        Self {
            kind,
            id,
            name: ctx.actor_name().to_owned(),
            title,
            agency,
        }
    }
}

/// The closed set of things that can happen. Facts only: nothing that can be computed from the facts before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// The dossier is filed. Always the first entry.
    Submitted(Box<Submission>),
    /// An officer did a step of the process; its outcome may receive, refuse, ask for papers, decide, issue, deliver.
    StepCompleted(Box<Step>),
    /// The applicant answered a request for papers.
    Supplemented {
        /// Answers that changed.
        answers: Answers,
        /// Papers that were added or replaced.
        papers: Vec<Paper>,
    },
    /// A consulted agency answered.
    ConsultationAnswered {
        /// Token of the process that waits.
        token: u32,
        /// Whether it agrees.
        agrees: bool,
        /// Its opinion.
        opinion: String,
        /// Number of its document, if any.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        document: String,
        /// Date of that document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Date>,
        /// Who gave it, where it came from the agency's own node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        respondent: Option<Respondent>,
        /// Files that came with it, judged like those of papers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<File>,
    },
    /// Registries that had been silent when the dossier was filed have answered.
    RegistriesAnswered {
        /// What each said.
        said: BTreeMap<Attribute, Said>,
    },
    /// A registry was told what was decided, or has refused it.
    RegistryWrote {
        /// Token of the process that waits.
        token: u32,
        /// The write's id in the package.
        write: String,
        /// What came of it.
        #[serde(flatten)]
        wrote: Wrote,
    },
    /// A timer of the process came due.
    TimerFired {
        /// Token of the process that waits.
        token: u32,
    },
    /// A service task of the process was done by the platform.
    ServiceDone {
        /// Token of the process that waits.
        token: u32,
        /// Its result.
        result: Value,
    },
    /// Money came in.
    PaymentRecorded {
        /// Amount, VND.
        amount: i64,
        /// How it was paid.
        method: PaymentMethod,
        /// Number of the receipt or of the transaction.
        reference: String,
    },
    /// Fees need not be paid.
    FeeWaived {
        /// Legal ground.
        basis: String,
    },
    /// An open step was given to an officer, or taken back.
    Assigned {
        /// Token of the step.
        token: u32,
        /// The officer; none puts it back in the common queue.
        officer: Option<OfficerRef>,
    },
    /// A remark among officers; the applicant does not see it.
    Noted {
        /// The remark.
        text: String,
    },
    /// The result will be late: a new date with an apology (form 04). Once.
    Reappointed {
        /// The new due instant.
        due: Timestamp,
        /// Why.
        reason: String,
        /// Number of the letter.
        document: String,
    },
    /// The applicant takes the dossier back.
    Withdrawn {
        /// Why, if said.
        reason: String,
    },
    /// Handling stops (form 05).
    Stopped {
        /// Why.
        reason: String,
        /// Legal ground.
        basis: String,
    },
    /// A document was made: a receipt, a request, the result.
    DocumentIssued(IssuedDocument),
}

/// Who gave an opinion at another node, as that node said and signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respondent {
    /// The system by which the answer came.
    pub system: SubsystemId,
    /// The agency that was asked.
    pub agency: String,
    /// The officer's name.
    pub name: String,
    /// The officer's title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}

impl Respondent {
    /// Name, title, agency and system, for people.
    pub fn signature(&self) -> String {
        let mut text = self.name.clone();
        if !self.title.is_empty() {
            text.push_str(", ");
            text.push_str(&self.title);
        }
        format!("{text} ({}, {})", self.agency, self.system)
    }
}

/// What was filed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The dossier's code.
    pub code: String,
    /// The agency that decides, QĐ 20/2020 code.
    pub agency: String,
    /// The procedure and its version, kept for ever.
    pub procedure: ProcedureRef,
    /// For whom.
    pub applicant: Applicant,
    /// By which way it came.
    pub channel: Channel,
    /// Answers as nested JSON by field id; only of fields that were shown.
    pub answers: Answers,
    /// What registries said of these fields, and what of it the person says is wrong.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
    /// Papers with their files.
    pub papers: Vec<Paper>,
    /// Fees as computed at filing.
    pub fees: Vec<Fee>,
}

/// The procedure version under which a dossier lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureRef {
    /// National code, `1.001193`.
    pub code: String,
    /// Version of the package.
    pub version: String,
    /// SHA-256 of the package's content.
    pub package: String,
    /// Name as published then.
    pub name: Text,
}

/// The person or organisation for whom the dossier is filed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Applicant {
    /// Account, when filed online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Uuid>,
    /// As the officers call them: the organisation, else the person.
    pub name: String,
    /// What is known of them, for conditions and documents.
    #[serde(default)]
    pub claims: procedure::form::Applicant,
}

/// The name of a channel for people.
pub fn channel_label(channel: Channel) -> Text {
    match channel {
        Channel::Counter => Text::new("Trực tiếp", "At the counter"),
        Channel::Online => Text::new("Trực tuyến", "Online"),
        Channel::Post => Text::new("Bưu chính", "By post"),
    }
}

/// A component of the dossier (thành phần hồ sơ) with its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// Id in the package.
    pub paper: String,
    /// Its files, in the order in which they were added.
    pub files: Vec<File>,
}

/// One stored file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The name that the applicant gave it, without any path.
    pub name: String,
    /// Media type by content.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Pages, where the format has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// SHA-256 of the content.
    pub sha256: String,
}

/// A step done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Token of the process.
    pub token: u32,
    /// Id of the user task.
    pub node: String,
    /// Chosen outcome.
    pub outcome: String,
    /// The officer's fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
    /// Remark among officers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What the outcome needs to say beyond itself.
    #[serde(default, skip_serializing_if = "Detail::is_none")]
    pub detail: Detail,
}

/// What an outcome carries.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// Grounds of a refusal to receive (form 03) or of a negative decision.
    Grounds {
        /// At least one.
        grounds: Vec<Ground>,
    },
    /// One complete list of what is missing (form 02).
    Supplement {
        /// At least one.
        items: Vec<MissingItem>,
        /// Why a second request is lawful, when it is one.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        second_ground: String,
    },
    /// How the result was handed over.
    Delivery {
        /// By which way.
        channel: Channel,
        /// To whom.
        recipient: String,
    },
    /// Why handling stops.
    Stop {
        /// Reason.
        reason: String,
        /// Legal ground.
        basis: String,
    },
}

impl Detail {
    /// Whether there is nothing to say.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// A reason with its legal ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Id of the package's reason.
    pub reason: String,
    /// The reason in words, with what is particular to this dossier.
    pub text: String,
    /// Legal ground.
    pub basis: String,
}

/// One thing that is missing or wrong, tied to where it is and to the law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingItem {
    /// A field id or a paper id of the package.
    pub at: String,
    /// Id of the package's reason.
    pub reason: String,
    /// What to do, in words.
    pub text: String,
    /// Legal ground.
    pub basis: String,
}

/// How money came in (HinhThucThu is a matter of the moment, this of the means).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentMethod {
    /// Cash at the counter.
    Cash,
    /// Card at the counter.
    Card,
    /// Bank transfer.
    Transfer,
}

impl PaymentMethod {
    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Cash => Text::new("Tiền mặt", "Cash"),
            Self::Card => Text::new("Thẻ ngân hàng", "Bank card"),
            Self::Transfer => Text::new("Chuyển khoản", "Bank transfer"),
        }
    }
}

/// An officer, as named in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerRef {
    /// The officer.
    pub id: Uuid,
    /// Name then.
    pub name: String,
}

/// A document of the dossier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedDocument {
    /// Which.
    pub kind: DocumentKind,
    /// Its number.
    pub number: String,
    /// The entry of the log that called for it.
    pub cause: i64,
    /// SHA-256 of the PDF.
    pub sha256: String,
}

/// Documents by the forms of TT 03/2025/TT-VPCP (numbers 01 to 05 are those of the Circular).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// 01 Giấy tiếp nhận hồ sơ và hẹn trả kết quả.
    Receipt,
    /// 02 Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ.
    SupplementRequest,
    /// 03 Phiếu từ chối tiếp nhận giải quyết hồ sơ.
    Refusal,
    /// 04 Văn bản xin lỗi và đề nghị gia hạn.
    Apology,
    /// 05 Thông báo dừng giải quyết hồ sơ.
    StopNotice,
    /// The result of the procedure.
    Result,
}

impl DocumentKind {
    /// The name for programs and file names.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::SupplementRequest => "supplement-request",
            Self::Refusal => "refusal",
            Self::Apology => "apology",
            Self::StopNotice => "stop-notice",
            Self::Result => "result",
        }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Receipt => Text::new("Giấy tiếp nhận hồ sơ và hẹn trả kết quả", "Receipt and appointment"),
            Self::SupplementRequest => Text::new("Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ", "Request for papers"),
            Self::Refusal => Text::new("Phiếu từ chối tiếp nhận giải quyết hồ sơ", "Refusal to receive"),
            Self::Apology => Text::new(
                "Phiếu xin lỗi và hẹn lại ngày trả kết quả",
                "Apology and new appointment",
            ),
            Self::StopNotice => Text::new("Thông báo dừng giải quyết hồ sơ", "Notice that handling stops"),
            Self::Result => Text::new("Kết quả giải quyết thủ tục hành chính", "Result"),
        }
    }
}

/// A new identifier for a dossier filed now.
pub fn new_dossier_id(now: Timestamp) -> DossierId {
    Id::new(now)
}

/// The number of the n-th request for papers of a dossier, from 1.
pub fn supplement_number(code: &str, n: usize) -> String {
    format!("{code}/YCBS-{n}")
}
