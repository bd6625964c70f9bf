//! The state of a dossier: a fold over its log, under the procedure version that it was received under.

mod answers;
mod effects;
mod fold;

use std::collections::BTreeMap;

use base::{
    Timestamp,
    calendar::Calendar,
    deadline::{self, Ledger},
};
use jiff::civil::Date;
use procedure::{
    form::{Answers, Attribute, Context, Facts, Said},
    package::{Package, PaymentTime},
    process::Instance,
    reference::Units,
};
use serde::{Deserialize, Serialize};

pub(super) use self::answers::{leaves, merged};
use super::{
    action::{
        Applicant, Channel, Detail, DocumentKind, Fee, File, IssuedDocument, MissingItem, OfficerRef, Paper,
        ProcedureRef, Respondent,
    },
    status::{Decision, Delivery, Money, NationalStatus, Sync},
    writes::Written,
};

/// The message that a process waits for after it asked for papers.
pub const SUPPLEMENT: &str = "supplement";

/// What the fold needs besides the log: the law as it was and the calendar as it is.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The package under which the dossier was filed.
    pub package: &'a Package,
    /// Working days.
    pub calendar: &'a Calendar,
    /// Provinces and communes.
    pub units: &'a Units,
}

/// The answers of a filed dossier hold what registries said: nothing is looked up again when they are read.
static FILED: Facts = Facts {
    said: BTreeMap::new(),
    doubts: BTreeMap::new(),
    numbers: BTreeMap::new(),
};

impl<'a> Rules<'a> {
    /// What conditions, fees and time limits see besides the answers of a filed dossier.
    pub fn context(&self, applicant: &'a Applicant, channel: Channel, today: Date) -> Context<'a> {
        self.informed(applicant, channel, today, &FILED)
    }

    /// As [`Rules::context`], where registries have been asked for what is not answered yet.
    pub fn informed(&self, applicant: &'a Applicant, channel: Channel, today: Date, facts: &'a Facts) -> Context<'a> {
        Context {
            applicant: &applicant.claims,
            channel,
            today,
            facts,
            units: self.units,
        }
    }

    /// Whether an unpaid fee holds up the handling.
    pub fn payment_gates(&self) -> bool {
        self.package.meta.payment == Some(PaymentTime::BeforeProcessing)
    }
}

/// Everything that is known about a dossier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// `seq` of the last entry.
    pub version: i64,
    /// The dossier's code.
    pub code: String,
    /// The agency that decides.
    pub agency: String,
    /// The procedure version.
    pub procedure: ProcedureRef,
    /// The case of the procedure (trường hợp) that fixed the time limit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    /// For whom.
    pub applicant: Applicant,
    /// How it came.
    pub channel: Channel,
    /// Answers, nested by field id.
    pub answers: Answers,
    /// What registries said of the fields that were shown, and what of it the person says is wrong.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
    /// What registries said later, of which they had been silent at filing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verified: BTreeMap<Attribute, Said>,
    /// What registries were told, and what they said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Written>,
    /// Papers with their files.
    pub papers: Vec<Paper>,
    /// Fees as computed at filing.
    pub fees: Vec<Fee>,
    /// Paid so far, VND.
    pub paid: i64,
    /// The professional axis.
    pub decision: Decision,
    /// The money axis.
    pub money: Money,
    /// The delivery axis.
    pub delivery: Delivery,
    /// The synchronisation axis.
    pub sync: Sync,
    /// Whether an unpaid fee holds up the handling.
    pub payment_gates: bool,
    /// When it was filed.
    pub submitted_at: Timestamp,
    /// When it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// When it was decided, refused, withdrawn or stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When the result was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// The time limit; opened at reception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// Where the process stands.
    pub process: Instance,
    /// Open steps.
    pub tasks: Vec<OpenTask>,
    /// Running timers.
    pub timers: Vec<Timer>,
    /// Questions to other agencies, answered or not.
    pub consultations: Vec<Consulted>,
    /// Requests for papers; the last may be open.
    pub supplements: Vec<Supplement>,
    /// Why it was refused, rejected or stopped.
    #[serde(default, skip_serializing_if = "Detail::is_none")]
    pub grounds: Detail,
    /// Documents made.
    pub documents: Vec<IssuedDocument>,
}

/// A step that waits for an officer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTask {
    /// Its token.
    pub token: u32,
    /// The id of the user task.
    pub node: String,
    /// Symbolic role.
    pub role: String,
    /// Symbolic unit, if not the deciding agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Since when.
    pub opened_at: Timestamp,
    /// By when, from the step's own budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Who has taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<OfficerRef>,
}

/// A running timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Its token.
    pub token: u32,
    /// The id of the event.
    pub node: String,
    /// When it fires.
    pub due: Timestamp,
}

/// A question to another agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consulted {
    /// The id of the send task.
    pub sent_by: String,
    /// The token that waits for the answer; none before the process waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u32>,
    /// The symbolic agency of the package.
    pub agency: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Until when an answer is waited for; what silence means then is said by the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

impl Consulted {
    /// The files that came with the answer.
    pub fn files(&self) -> &[File] {
        match &self.answer {
            Some(Answer::Given { files, .. }) => files,
            _ => &[],
        }
    }
}

/// What came of a consultation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Answer {
    /// The agency answered.
    Given {
        /// When.
        at: Timestamp,
        /// Whether it agrees.
        agrees: bool,
        /// Its opinion.
        opinion: String,
        /// Number of its document.
        document: String,
        /// Date of that document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Date>,
        /// Who gave it at another node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        respondent: Option<Box<Respondent>>,
        /// Files that came with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<File>,
    },
    /// It was silent until the time was over and is, by the law of the procedure, deemed to agree.
    Deemed {
        /// When.
        at: Timestamp,
        /// The entry of the log that says so.
        #[serde(default)]
        seq: i64,
    },
    /// It was silent until the time was over; there is no answer.
    Unanswered {
        /// When.
        at: Timestamp,
        /// The entry of the log that says so.
        #[serde(default)]
        seq: i64,
    },
    /// No longer needed.
    Dropped,
}

/// A request for papers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplement {
    /// The entry that asked.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The one complete list.
    pub items: Vec<MissingItem>,
    /// When the applicant answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
}

/// What an entry changed, for the tables, the queue and the jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consequences {
    /// Steps that opened.
    pub opened: Vec<u32>,
    /// Steps that closed.
    pub closed: Vec<u32>,
    /// Timers to set.
    pub timers_set: Vec<Timer>,
    /// Timers to clear.
    pub timers_cleared: Vec<u32>,
    /// Consultations sent, by the id of the send task.
    pub consultations_sent: Vec<String>,
    /// Consultations that ended, by the id of the send task.
    pub consultations_ended: Vec<String>,
    /// Services to run: token and name.
    pub services: Vec<(u32, String)>,
    /// Documents to make, with the entry that calls for them.
    pub documents: Vec<(DocumentKind, i64)>,
    /// A service failed and somebody must look.
    pub stuck: Vec<String>,
}

impl State {
    /// The status of the national portal.
    pub fn national(&self) -> NationalStatus {
        NationalStatus::of(self.decision, self.money, self.delivery, self.payment_gates)
    }

    /// All fees, VND.
    pub fn owed(&self) -> i64 {
        total(&self.fees)
    }

    /// Whether an unpaid fee holds up the handling now.
    pub fn waits_for_payment(&self) -> bool {
        self.national() == NationalStatus::PaymentRequested
    }

    /// What is still to be verified: registries were silent when the dossier was filed and are since.
    pub fn unverified(&self) -> impl Iterator<Item = &Attribute> {
        self.facts
            .silent()
            .filter(|attribute| !self.verified.contains_key(attribute))
    }

    /// The request for papers that is open.
    pub fn open_supplement(&self) -> Option<&Supplement> {
        self.supplements.last().filter(|s| s.answered_at.is_none())
    }

    /// The open step with this token.
    pub fn task(&self, token: u32) -> Option<&OpenTask> {
        self.tasks.iter().find(|t| t.token == token)
    }

    /// The due instant with its reasons; none before reception.
    pub fn due(&self, calendar: &Calendar) -> Option<deadline::Due> {
        self.ledger.as_ref().map(|l| l.due(calendar))
    }

    /// The present due instant; none before reception, while the clock stands and when a decision was made.
    pub fn due_at(&self, calendar: &Calendar) -> Option<Timestamp> {
        if self.decision.is_final() {
            None
        } else {
            self.due(calendar).and_then(|d| d.current)
        }
    }
}

fn total(fees: &[Fee]) -> i64 {
    fees.iter().map(|f| f.amount.amount()).sum()
}
