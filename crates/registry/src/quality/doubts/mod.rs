//! Doubts (phản ánh sai lệch dữ liệu): whoever may read a record may say that it is wrong; the steward answers by the clocks of the
//! registry, and the reporter is told.
//!
//! ```text
//! received → acknowledged ⇄ asked → upheld | refused;  withdrawn by the reporter
//! ```
//!
//! While the reporter is asked for evidence the clock of the answer stands.

mod answering;
mod contesting;
mod elsewhere;
mod files;

use base::{Error, Kind, Problems, Result, Text, Timestamp, codes::PersonNumber};
use identity::{AccountId, Actor, Ctx, Permission, Scope};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Job, Once, transact};
use uuid::Uuid;

use super::{
    Enterprise, Quality, Represents,
    correcting::{check, problem},
    month_of,
    representing::{Right, Speaker},
    tables as findings,
};
pub(super) use crate::store::doubts as tables;
use crate::{
    contest::{self, News},
    model::{FieldPath, Registry, RegistryCode},
    service::{EXCHANGE, Mask, RecordId},
    store::write,
};
use tables::DoubtRow;

pub use answering::DoubtView;
pub(super) use elsewhere::silent;
pub use elsewhere::{FarDoubt, LOOK};
pub use files::{DoubtFile, DoubtFileId, Judged, LARGEST_FILE, MOST_FILES, MOST_PAGES, SWEEP, judge as judge_file};
pub(super) use files::{forget as forget_files, too_large as file_too_large};

/// The longest text of a doubt, in characters.
pub const LONGEST: usize = 1_000;
/// Doubts are counted as overdue up to this many.
pub const MOST_OVERDUE: i64 = 1_000;
/// Doubts of one person that are shown to them.
const MOST_OWN: i64 = 100;

base::typed_id!(
    /// One doubt.
    DoubtKey as DoubtId
);

/// How a doubt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubtState {
    /// Nobody has looked at it.
    Received,
    /// The steward has it.
    Acknowledged,
    /// The reporter is asked for evidence.
    Asked,
    /// It was right: the record is corrected, or was already.
    Upheld,
    /// The record is right.
    Refused,
    /// The reporter takes it back.
    Withdrawn,
}

impl DoubtState {
    const ALL: [Self; 6] = [
        Self::Received,
        Self::Acknowledged,
        Self::Asked,
        Self::Upheld,
        Self::Refused,
        Self::Withdrawn,
    ];

    /// As stored and shown to programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Acknowledged => "acknowledged",
            Self::Asked => "asked",
            Self::Upheld => "upheld",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// In a few words.
    pub fn label(self) -> Text {
        match self {
            Self::Received => Text::new("Chờ tiếp nhận", "Received"),
            Self::Acknowledged => Text::new("Đang xem xét", "Being looked at"),
            Self::Asked => Text::new("Chờ bổ sung bằng chứng", "Evidence is asked for"),
            Self::Upheld => Text::new("Đã đính chính", "Corrected"),
            Self::Refused => Text::new("Giữ nguyên", "Left as it is"),
            Self::Withdrawn => Text::new("Đã rút", "Withdrawn"),
        }
    }

    /// Whether it waits for somebody.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Received | Self::Acknowledged | Self::Asked)
    }
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The field; a group stands for all in it.
    pub field: String,
    /// What is held to be wrong.
    pub wrong: String,
    /// What would be right; may be empty.
    pub right: String,
    /// What shows it: the paper, its number and date; may be empty.
    pub evidence: String,
    /// Code of the dossier that it came up in.
    pub dossier: Option<String>,
}

/// By what a doubt is taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The doubt.
    pub id: DoubtId,
    /// Until when the steward says that they have it.
    pub acknowledge_by: Timestamp,
    /// Until when they answer.
    pub answer_by: Timestamp,
}

/// Who reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reporter {
    /// Somebody who is signed in: the person whom the record is about, or an officer who may read it.
    Caller,
    /// A system on the exchange, by its name; it may doubt what its service shows.
    System(String, Mask),
    /// A procedure, for the person whose dossier it is: their name, and their account where they have one.
    Procedure(String, Option<Uuid>),
    /// A procedure of another node, by the system that asks for it; the dossier stands for its person.
    ProcedureElsewhere(String),
    /// A person who is signed in at another node.
    PersonElsewhere {
        /// The system of that node.
        client: String,
        /// Their number; they have no account here.
        number: PersonNumber,
        /// What they may see.
        shown: Mask,
    },
}

/// A doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Its id.
    pub id: DoubtId,
    /// The registry.
    pub registry: RegistryCode,
    /// The record.
    pub record: RecordId,
    /// The field.
    pub field: FieldPath,
    /// The version that said it.
    pub seq: i64,
    /// What is held to be wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
    /// What shows it.
    pub evidence: String,
    /// Who says so: a name, and an agency where there is one.
    pub reporter: (String, String),
    /// Whether it is the person's own.
    pub by_person: bool,
    /// The enterprise for which they spoke as its representative, as it was called then.
    pub enterprise: Option<Enterprise>,
    /// The dossier.
    pub dossier: Option<String>,
    /// How it stands.
    pub state: DoubtState,
    /// When it came.
    pub received_at: Timestamp,
    /// The clock that runs.
    pub due_at: Timestamp,
    /// What the reporter is asked.
    pub question: String,
    /// The officer who sees to it.
    pub owner: Option<String>,
    /// The answer: when, by whom, in which words.
    pub answer: Option<(Timestamp, String, String)>,
    /// The version that corrected the record.
    pub corrected_by: Option<i64>,
    /// Whether the reporter has seen the newest of it.
    pub seen: bool,
}

impl Doubt {
    pub(super) fn of(row: DoubtRow) -> Result<Self> {
        let state = DoubtState::from_code(&row.state);
        Ok(Self {
            id: DoubtId::from_uuid(row.id),
            registry: row.registry.parse().map_err(Error::internal)?,
            record: RecordId::from_uuid(row.record_id),
            field: row.field.parse().map_err(Error::internal)?,
            seq: row.seq,
            wrong: row.wrong,
            right: row.proposed,
            evidence: row.evidence,
            reporter: (row.reporter, row.reporter_agency),
            by_person: row.reporter_kind == "person",
            enterprise: Some(row.enterprise_code)
                .filter(|code| !code.is_empty())
                .map(|code| Enterprise {
                    code,
                    name: row.enterprise_name,
                }),
            dossier: row.dossier,
            state: state.ok_or_else(|| Error::internal("a doubt stands as nobody knows"))?,
            received_at: Timestamp::from_micros(row.received_at),
            due_at: Timestamp::from_micros(row.next_due),
            question: row.question,
            owner: row.owner_name,
            answer: row
                .answered_at
                .map(Timestamp::from_micros)
                .map(|at| (at, row.answered_by.unwrap_or_default(), row.answer)),
            corrected_by: row.corrected_seq,
            seen: row.seen,
        })
    }

    /// Whether a clock has run out that somebody here should have kept.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        matches!(self.state, DoubtState::Received | DoubtState::Acknowledged) && self.due_at < now
    }
}

impl Quality {
    /// Takes in a doubt about the record with a key, or with an id. The same key with the same report gives the same receipt. Nothing is
    /// told of what the record says.
    ///
    /// # Errors
    /// `Invalid` with every problem, also for a field that the reporter may not see; `NotFound` where there is no such record, or none
    /// that the reporter may read; `Forbidden`; `Conflict` when the reporter has doubted this field already and is not answered yet.
    pub async fn doubt(
        &self,
        ctx: &Ctx,
        reporter: &Reporter,
        code: &RegistryCode,
        key: &str,
        report: &Report,
        idempotency: &str,
    ) -> Result<Receipt> {
        ctx.signed_in()?;
        let registry = self.registries().editions(code)?.current();
        self.may_doubt(ctx, reporter, &registry)?;
        let field = judge(&registry, reporter, report)?;
        let record = self.registries().find(code, key).await?;
        let enterprise = match (reporter, &ctx.actor) {
            (Reporter::Caller, Actor::Person(_)) => self.is_about(ctx, code, record).await?,
            (Reporter::PersonElsewhere { number, .. }, _) => {
                self.is_about_number(ctx, code, record, number.as_str()).await?
            }
            _ => None,
        };
        let db = self.registries().store().read();
        let newest = write::newest(&db, code, record).await?.ok_or_else(no_record)?;
        let speaks = self.registries().held(code, &[record], ctx.now).await?;
        let seq = speaks.first().map_or(newest.seq, |held| held.seq);
        let enterprise = enterprise.map(|of| (of.code, of.name)).unwrap_or_default();
        let row = DoubtRow {
            enterprise_code: enterprise.0,
            enterprise_name: enterprise.1,
            ..self.row_of(ctx, &registry, reporter, record, seq, &field, report)
        };
        let receipt = Receipt {
            id: DoubtId::from_uuid(row.id),
            acknowledge_by: Timestamp::from_micros(row.next_due),
            answer_by: Timestamp::from_micros(row.answer_due),
        };
        let answer = serde_json::to_string(&receipt)?;
        let fingerprint = hex::encode(Sha256::digest(serde_json::to_vec(&(key, report))?));
        let who = row.reporter_id.map_or_else(
            || format!("{}{}", row.reporter_agency, row.reporter),
            |id| id.to_string(),
        );
        let scope = format!("registry/{code}/doubts/{}/{who}", row.reporter_kind);
        transact!(self.registries().store(), |tx| {
            if let Once::Again(answer) = tx.once(&scope, idempotency, &fingerprint, &answer, ctx.now).await? {
                return Ok(serde_json::from_str(&answer)?);
            }
            findings::turn(&tx, code).await?;
            let reporter = (row.reporter_id, row.reporter.as_str());
            if tables::open_of(&tx, record, &row.field, &row.reporter_kind, reporter)
                .await?
                .is_some()
            {
                return Err(problem(
                    Kind::Conflict,
                    "doubted-already",
                    "field",
                    "Quý vị đã phản ánh trường này và đang chờ trả lời.",
                    "You have doubted this field already and wait for the answer.",
                ));
            }
            tables::add(&tx, &row).await?;
            let counts = [("doubts/received", 1), ("doubts/open", 1)];
            count(&tx, code, ctx.now, &counts).await?;
            Ok(receipt.clone())
        })
    }

    fn may_doubt(&self, ctx: &Ctx, reporter: &Reporter, registry: &Registry) -> Result<()> {
        match (reporter, &ctx.actor) {
            (Reporter::Caller, Actor::Person(_)) => ctx.person_level2().map(drop),
            (Reporter::Caller, _) => {
                ctx.require(Permission::ReadRegistry, &Scope::Agency(registry.steward.to_string()))
            }
            (
                Reporter::System(..) | Reporter::ProcedureElsewhere(_) | Reporter::PersonElsewhere { .. },
                Actor::System(name),
            ) if *name == EXCHANGE => Ok(()),
            (Reporter::Procedure(..), Actor::System(_)) => Ok(()),
            _ => Err(Error::forbidden()),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a doubt has that many parts")]
    fn row_of(
        &self,
        ctx: &Ctx,
        registry: &Registry,
        reporter: &Reporter,
        record: Uuid,
        seq: i64,
        field: &FieldPath,
        report: &Report,
    ) -> DoubtRow {
        let (kind, id, name, agency) = match (reporter, &ctx.actor) {
            (Reporter::System(name, _), _) => ("system", None, name.clone(), String::new()),
            (Reporter::Procedure(name, account), _) => ("procedure", *account, name.clone(), String::new()),
            (Reporter::ProcedureElsewhere(client), _) => (
                "procedure",
                None,
                format!("Người nộp hồ sơ {}", report.dossier.as_deref().unwrap_or_default()),
                client.clone(),
            ),
            (Reporter::PersonElsewhere { client, number, .. }, _) => {
                ("person", None, person_elsewhere(number), client.clone())
            }
            (Reporter::Caller, Actor::Person(person)) => (
                "person",
                Some(person.account.uuid()),
                person.name.clone(),
                String::new(),
            ),
            (Reporter::Caller, Actor::Officer(officer)) => (
                "officer",
                Some(officer.officer.uuid()),
                officer.name.clone(),
                officer.agency.clone(),
            ),
            (Reporter::Caller, _) => ("system", None, ctx.actor_name().to_owned(), String::new()),
        };
        let acknowledge_due = self.due(ctx.now, registry.doubts.acknowledge_days);
        DoubtRow {
            id: DoubtId::new(ctx.now).uuid(),
            registry: registry.code.to_string(),
            record_id: record,
            field: field.to_string(),
            seq,
            wrong: report.wrong.trim().to_owned(),
            proposed: report.right.trim().to_owned(),
            evidence: report.evidence.trim().to_owned(),
            reporter_kind: kind.to_owned(),
            reporter_id: id,
            reporter: name,
            reporter_agency: agency,
            dossier: report.dossier.clone(),
            state: DoubtState::Received.code().to_owned(),
            open: true,
            received_at: ctx.now.micros(),
            answer_due: self.due(ctx.now, registry.doubts.answer_days).micros(),
            next_due: acknowledge_due.micros(),
            acknowledged_at: None,
            asked_at: None,
            question: String::new(),
            owner: None,
            owner_name: None,
            answered_at: None,
            answered_by: None,
            answer: String::new(),
            corrected_seq: None,
            seen: true,
            enterprise_code: String::new(),
            enterprise_name: String::new(),
        }
    }

    /// That the signed-in person may speak of a record, and for which enterprise; to them there is no other.
    ///
    /// # Errors
    /// As [`Self::is_about_number`].
    async fn is_about(&self, ctx: &Ctx, code: &RegistryCode, record: Uuid) -> Result<Option<Enterprise>> {
        let number = ctx.person_level2()?.person_number.as_deref().ok_or_else(no_record)?;
        self.is_about_number(ctx, code, record, number).await
    }

    /// That a record is, or was, about the person with this number, or is of an enterprise that they represent today: of which one.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` or `Forbidden` where it may be of an enterprise and nobody can say who represents that.
    async fn is_about_number(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        record: Uuid,
        number: &str,
    ) -> Result<Option<Enterprise>> {
        let registry = self.registries().editions(code)?.current();
        let bodies = self.registries().bodies(code, record, ctx.now).await?;
        let alone = Speaker::alone(number);
        if bodies.iter().any(|body| alone.right(&registry, body).is_some()) {
            return Ok(None);
        }
        // Of which enterprise it was once, before it was another's, opens nothing.
        let speaker = self.speaker(ctx, &registry, number).await;
        let held = self.registries().held(code, &[record], ctx.now).await?;
        let right = held.iter().find_map(|held| speaker.right(&registry, &held.body));
        match right {
            Some(Right::Own) => Ok(None),
            Some(Right::Of(enterprise)) => Ok(Some(enterprise.clone())),
            None => Err(speaker.represents.map_or_else(no_record, Represents::refusal)),
        }
    }

    /// The doubts of the signed-in person, the newest first.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for an officer.
    pub async fn own_doubts(&self, ctx: &Ctx) -> Result<Vec<Doubt>> {
        let account = ctx.person()?.account;
        let rows = tables::of_reporter(&self.registries().store().read(), account.uuid(), MOST_OWN).await?;
        rows.into_iter().map(Doubt::of).collect()
    }

    /// One's own doubt: that of the signed-in person or officer.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts.
    pub async fn own_doubt(&self, ctx: &Ctx, id: DoubtId) -> Result<Doubt> {
        Doubt::of(self.own_row(ctx, id).await?)
    }

    async fn own_row(&self, ctx: &Ctx, id: DoubtId) -> Result<DoubtRow> {
        ctx.signed_in()?;
        let me = match &ctx.actor {
            Actor::Person(person) => Some(person.account.uuid()),
            Actor::Officer(officer) => Some(officer.officer.uuid()),
            Actor::System(_) | Actor::Anonymous => None,
        };
        let row = tables::by_id(&self.registries().store().read(), id.uuid()).await?;
        row.filter(|row| me.is_some() && row.reporter_id == me)
            .ok_or_else(no_doubt)
    }

    /// How a doubt stands that came from a system of the exchange, for that system.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts.
    pub(in crate::quality) async fn doubt_of(&self, client: &str, code: &RegistryCode, id: Uuid) -> Result<Doubt> {
        let row = tables::by_id(&self.registries().store().read(), id).await?;
        let from = |row: &DoubtRow| match row.reporter_kind.as_str() {
            "system" => row.reporter == client,
            "procedure" | "person" => row.reporter_agency == client,
            _ => false,
        };
        let row = row.filter(|row| row.registry == code.as_str() && from(row));
        row.map_or_else(|| Err(no_doubt()), Doubt::of)
    }

    /// The reporter has seen the newest of all that they doubted.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for an officer.
    pub async fn seen_doubts(&self, ctx: &Ctx) -> Result<()> {
        let account: AccountId = ctx.person()?.account;
        let store = self.registries().store();
        let unseen = tables::of_reporter(&store.read(), account.uuid(), MOST_OWN).await?;
        transact!(store, |tx| {
            for row in unseen.iter().filter(|row| !row.seen) {
                let seen = DoubtRow {
                    seen: true,
                    ..row.clone()
                };
                // What has moved on meanwhile is news again.
                tables::change(&tx, &seen, &row.state).await?;
            }
            Ok(())
        })
    }
}

/// The field that is doubted, if everything is right with the report.
fn judge(registry: &Registry, reporter: &Reporter, report: &Report) -> Result<FieldPath> {
    let mut problems = Problems::new();
    let field: Option<FieldPath> = report.field.parse().ok();
    let field = field.filter(|field| registry.field(field).is_some());
    let shown = |field: &FieldPath| match reporter {
        Reporter::System(_, shown) | Reporter::PersonElsewhere { shown, .. } => shown.shows(field),
        Reporter::Caller | Reporter::Procedure(..) | Reporter::ProcedureElsewhere(_) => true,
    };
    // A field that is not shown is as good as none: whether it is there, and what it says, is not told.
    let field = field.filter(shown);
    if field.is_none() {
        problems.add(
            "unknown-field",
            "field",
            "Không có trường này trong phần dữ liệu mà quý vị được xem.",
            "There is no such field in what you may see.",
        );
    }
    for (at, text, needed) in [
        ("wrong", &report.wrong, true),
        ("right", &report.right, false),
        ("evidence", &report.evidence, false),
    ] {
        if needed && text.trim().is_empty() {
            problems.add("required", at, "Nêu điều chưa đúng.", "Say what is wrong.");
        }
        check(text.trim(), at, LONGEST, &mut problems);
    }
    if let Some(dossier) = &report.dossier
        && let Err(error) = dossier.parse::<base::codes::DossierCode>()
    {
        error.add_to(&mut problems, "dossier");
    }
    problems.into_result()?;
    field.ok_or_else(no_record)
}

/// The order to tell somebody that what they contest has moved on; none where nobody has to know, or nothing that they wait for happened.
fn news(state: &str, doubt: Uuid, account: Option<Uuid>, dossier: Option<&str>, at: Timestamp) -> Result<Option<Job>> {
    let state = DoubtState::from_code(state);
    let state = state.filter(|state| matches!(state, DoubtState::Asked | DoubtState::Upheld | DoubtState::Refused));
    let (Some(state), Some(account)) = (state, account) else {
        return Ok(None);
    };
    let news = News {
        doubt,
        account,
        dossier: dossier.map(str::to_owned),
        state,
        at,
    };
    Job::new(contest::NEWS, &news).map(Some)
}

async fn count(tx: &store::Tx, code: &RegistryCode, now: Timestamp, changes: &[(&str, i64)]) -> Result<()> {
    let changes = changes.iter().map(|(measure, n)| ((*measure).to_owned(), *n)).collect();
    findings::count(tx, code, month_of(now), &changes).await
}

/// How a person is called who is signed in at another node.
fn person_elsewhere(number: &PersonNumber) -> String {
    format!("Người có số định danh {}", number.as_str())
}

fn no_doubt() -> Error {
    Error::not_found("phản ánh này", "doubt")
}

fn no_record() -> Error {
    Error::not_found("bản ghi", "record")
}
