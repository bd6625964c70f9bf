//! Messages, for the auditors of the node; and evidence of them.

use std::{collections::BTreeMap, fmt};

use base::{Error, Kind, Result, Timestamp, codes::PersonNumber};
use identity::{Ctx, DataRead, Purpose as LocalPurpose};
use ledger::{Kind as Leaf, Policy, VerifierKey};
use uuid::Uuid;

use super::{
    Journal, LeafId,
    evidence::{self, Opened, Report, Role, verify_container},
    store::{self as tables, FoundRow, Search},
    with_log,
};
use crate::model::{
    Purpose,
    address::parameters,
    identifier::{ClientId, Part, ServiceId, SubsystemId},
    message::LogName,
    monitor::Side,
    tracker::ReadRecord,
};

/// Messages of one page.
const PAGE: u32 = 50;
/// Requests that one `X-Road-Id` may have been used for, in one archive.
const MOST_PAIRS: i64 = 64;
/// The longest id that is looked for, in bytes (PR-REST gives 255).
const LONGEST_ID: usize = 255;
/// Bytes of a message id in the name of a file (reference 2.4).
const LONGEST_FILE_NAME: usize = 226;

/// A place in a list that goes from new to old. Displays as `micros.leaf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When it was logged.
    pub at: Timestamp,
    /// The leaf.
    pub leaf: LeafId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.micros(), self.leaf)
    }
}

impl Place {
    /// Reads what it displays as.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, leaf) = text.split_once('.')?;
        Some(Self {
            at: Timestamp::from_micros(at.parse().ok()?),
            leaf: leaf.parse().ok()?,
        })
    }
}

/// What is looked for; all that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Who asked.
    pub client: Option<ClientId>,
    /// What was asked.
    pub service: Option<ServiceId>,
    /// `X-Road-Id`.
    pub message_id: Option<String>,
    /// `X-Road-Request-Id`.
    pub request_id: Option<Uuid>,
    /// Logged from this instant on.
    pub from: Option<Timestamp>,
    /// Logged before this instant.
    pub to: Option<Timestamp>,
    /// Where the page before ended.
    pub before: Option<Place>,
    /// How many at most; a page of the site when not said.
    pub most: Option<u32>,
}

/// What a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A request.
    Request,
    /// An answer.
    Answer,
    /// It was erased.
    Erased,
    /// No record of a message: something wrote to the log that should not.
    Unreadable,
}

impl MessageKind {
    const fn has_record(self) -> bool {
        matches!(self, Self::Request | Self::Answer)
    }
}

/// A message as the tables have it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// Its place in the log.
    pub leaf: LeafId,
    /// When it was logged.
    pub logged: Timestamp,
    /// What it is.
    pub kind: MessageKind,
    /// On which side this node was, as the sender's log in the record tells.
    pub side: Option<Side>,
    /// `X-Road-Request-Id`.
    pub request_id: Option<Uuid>,
    /// `X-Road-Id`.
    pub message_id: Option<String>,
    /// Who asked.
    pub client: Option<String>,
    /// What was asked.
    pub service: Option<String>,
    /// The method of a request.
    pub method: Option<String>,
    /// The status of an answer.
    pub status: Option<i64>,
    /// When it was made, by its sender's clock.
    pub at: Option<Timestamp>,
    /// The code of the purpose of a request.
    pub purpose: Option<String>,
    /// `X-Road-Issue`.
    pub issue: Option<String>,
    /// `X-Road-UserId`.
    pub user: Option<String>,
    /// The leaf of the erasure that took it.
    pub erasure: Option<LeafId>,
}

impl From<FoundRow> for LogRow {
    fn from(row: FoundRow) -> Self {
        let kind = match row.kind.as_str() {
            "request" => MessageKind::Request,
            "answer" => MessageKind::Answer,
            "erased" => MessageKind::Erased,
            _ => MessageKind::Unreadable,
        };
        let side = match (kind, row.sent) {
            (MessageKind::Request, Some(true)) | (MessageKind::Answer, Some(false)) => Some(Side::Client),
            (MessageKind::Request, Some(false)) | (MessageKind::Answer, Some(true)) => Some(Side::Producer),
            _ => None,
        };
        Self {
            leaf: LeafId::of_key(row.leaf),
            logged: Timestamp::from_micros(row.logged_at),
            kind,
            side,
            request_id: row.request_id,
            message_id: row.message_id,
            client: row.client,
            service: row.service,
            method: row.method,
            status: row.status,
            at: row.at.map(Timestamp::from_micros),
            purpose: row.purpose,
            issue: row.issue,
            user: row.user_id,
            erasure: row.erasure.map(LeafId::of_key),
        }
    }
}

/// One message with what belongs to it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The message that was asked for.
    pub row: LogRow,
    /// The name of the log that has it.
    pub log: String,
    /// Request and answer of the same `X-Road-Request-Id`, in the order of the log; this one too.
    pub pair: Vec<LogRow>,
    /// What verifies and what does not. None once it is erased, and of what is no message.
    pub report: Option<Report>,
    /// When it was erased, by whom, on which ground.
    pub erased: Option<(Timestamp, String, String)>,
}

/// An archive of containers, as X-Road's `/asic` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asic {
    /// The name of the file.
    pub name: String,
    /// A ZIP of `.asice` files.
    pub bytes: Vec<u8>,
}

/// Why `/asic` gives none: status and plain text, as X-Road answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAsic {
    /// 400, 401, 404 or 500.
    pub status: u16,
    /// What is wrong.
    pub text: &'static str,
}

impl Journal {
    /// Messages, newest first, and where the next page starts. No personal data is in the list but ids and the codes of
    /// dossiers; whoever opens one is recorded ([`Self::message`]).
    ///
    /// # Errors
    /// `Forbidden` to all but auditors of the node's agency; `Invalid` for an id that none can be.
    pub async fn messages(&self, ctx: &Ctx, filter: &Filter) -> Result<(Vec<LogRow>, Option<Place>)> {
        self.require_auditor(ctx)?;
        let message_id = filter
            .message_id
            .as_deref()
            .map(|id| sound_id(id, "message_id"))
            .transpose()?;
        let search = Search {
            client: filter.client.as_ref().map(ToString::to_string),
            service: filter.service.as_ref().map(ToString::to_string),
            message_id: message_id.map(str::to_owned),
            request_id: filter.request_id,
            from: filter.from,
            to: filter.to,
            before: filter.before,
        };
        let most = filter.most.unwrap_or(PAGE);
        let rows = tables::search(&self.0.store.read(), &search, i64::from(most) + 1).await?;
        let mut rows: Vec<LogRow> = rows.into_iter().map(LogRow::from).collect();
        let more = rows.len() > most as usize;
        rows.truncate(most as usize);
        let next = more.then(|| {
            rows.last().map(|row| Place {
                at: row.logged,
                leaf: row.leaf,
            })
        });
        Ok((rows, next.flatten()))
    }

    /// One message with its pair, and whether they verify. That it was looked at is recorded first: in the access log of the
    /// node, and as a read of their data for the persons that it was about.
    ///
    /// # Errors
    /// `Forbidden` to all but auditors of the node's agency; `NotFound`; `Unavailable` when it could not be recorded.
    pub async fn message(&self, ctx: &Ctx, leaf: impl Into<LeafId>) -> Result<Exchange> {
        self.require_auditor(ctx)?;
        let (row, pair) = self.with_pair(leaf.into()).await?;
        let log = self.logs().await?.get(&row.leaf.log()).cloned().unwrap_or_default();
        if !row.kind.has_record() {
            return Ok(Exchange {
                erased: self.erasure_of(&row).await?,
                row,
                log,
                pair,
                report: None,
            });
        }
        self.record_look(ctx, &row).await?;
        let bytes = self.contain(self.roles_of(&pair).await?).await?;
        let report = verify_container(&bytes, &self.policy(&log)?, None);
        Ok(Exchange {
            row,
            log,
            pair,
            report: Some(report),
            erased: None,
        })
    }

    /// The evidence of a message and its pair. Recorded like [`Self::message`].
    ///
    /// # Errors
    /// As [`Self::message`]; `NotFound` with `message-erased` when nothing of it is left.
    pub async fn message_evidence(&self, ctx: &Ctx, leaf: impl Into<LeafId>) -> Result<Vec<u8>> {
        self.require_auditor(ctx)?;
        let (row, pair) = self.with_pair(leaf.into()).await?;
        if !row.kind.has_record() {
            return Err(nothing_left());
        }
        self.record_look(ctx, &row).await?;
        self.contain(self.roles_of(&pair).await?).await
    }

    /// X-Road's `/asic` for one of the information systems of this node, which the gateway has recognised: the evidence of
    /// its messages under the `queryId` of the query. `requestOnly`, `responseOnly` and `unique` (the latest pair only)
    /// are heeded; `force` changes nothing, because every message has its checkpoint before it is answered.
    ///
    /// # Errors
    /// [`NoAsic`]: 400 for a query that asks nothing, 401 for the messages of somebody else, 404 when there are none.
    pub async fn asic(&self, caller: &SubsystemId, query: Option<&str>) -> std::result::Result<Asic, NoAsic> {
        let no = |status, text| NoAsic { status, text };
        let asked: BTreeMap<String, String> = parameters(query.unwrap_or_default())
            .map(|parameter| (parameter.name, parameter.value))
            .collect();
        let value = |name: &str| asked.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let (only_request, only_answer) = (asked.contains_key("requestOnly"), asked.contains_key("responseOnly"));
        if only_request && only_answer {
            return Err(no(400, "requestOnly and responseOnly exclude each other."));
        }
        let id = value("queryId").ok_or_else(|| no(400, "The parameter queryId is missing."))?;
        let id = sound_id(id, "queryId").map_err(|_| no(400, "This queryId cannot be an X-Road-Id."))?;
        let part = |name: &str| value(name).and_then(|text| Part::new(text).ok());
        let client = (|| {
            Some(SubsystemId::of(
                [part("xRoadInstance")?, part("memberClass")?, part("memberCode")?],
                part("subsystemCode")?,
            ))
        })();
        let client = client.ok_or_else(|| {
            no(
                400,
                "xRoadInstance, memberClass, memberCode and subsystemCode name the client, each by its code.",
            )
        })?;
        if client != *caller {
            return Err(no(401, "These are not messages of the client that asks."));
        }
        let failed = |error: Error| {
            tracing::error!(%error, "an archive of evidence could not be made");
            no(500, "The evidence cannot be read at the moment.")
        };
        self.catch_up().await.map_err(failed)?;
        let db = self.0.store.read();
        let limit = if asked.contains_key("unique") { 2 } else { MOST_PAIRS };
        let rows = tables::of_message_id(&db, &client.to_string(), id, limit)
            .await
            .map_err(failed)?;
        let mut rows: Vec<LogRow> = rows.into_iter().map(LogRow::from).collect();
        if asked.contains_key("unique") {
            let latest = rows.first().and_then(|row| row.request_id);
            rows.retain(|row| row.request_id == latest);
        }
        let mut files = Vec::new();
        for row in rows {
            let (role, wanted) = match row.kind {
                MessageKind::Request => (Role::Request, !only_answer),
                MessageKind::Answer => (Role::Answer, !only_request),
                MessageKind::Erased | MessageKind::Unreadable => continue,
            };
            if wanted {
                let bytes = self.contain(vec![(role, row.leaf)]).await.map_err(failed)?;
                files.push((file_name(id, role, row.leaf), bytes));
            }
        }
        if files.is_empty() {
            return Err(no(404, "There is no such message in the log of this node."));
        }
        Ok(Asic {
            name: format!("{}.zip", safe_name(id)),
            bytes: evidence::archive(&files),
        })
    }

    /// Who vouches for a log of this node: the directory says it of the present one, the node remembers it of one that ended.
    pub(super) fn policy(&self, origin: &str) -> Result<Policy> {
        let view = (self.0.directory)();
        let keys = match self.former_keys(origin) {
            Some(keys) => keys.to_vec(),
            None => {
                let log = LogName::new(origin).ok().and_then(|log| view.log(&log));
                log.map(|log| log.keys.clone()).unwrap_or_default()
            }
        };
        let witnesses = view.directory().witnesses.iter();
        let witnesses: Vec<VerifierKey> = witnesses.filter_map(|witness| witness.key.parse().ok()).collect();
        // A node's own page shows who cosigned; how many must is for those to say who do not trust it.
        Policy::new(keys, witnesses, 0).map_err(Error::internal)
    }

    async fn with_pair(&self, leaf: LeafId) -> Result<(LogRow, Vec<LogRow>)> {
        self.catch_up().await?;
        let db = self.0.store.read();
        let row = tables::find(&db, leaf).await?;
        let row = LogRow::from(row.ok_or_else(|| Error::not_found("thông điệp này", "message"))?);
        let pair = match row.request_id {
            Some(request) => tables::of_request(&db, request)
                .await?
                .into_iter()
                .map(LogRow::from)
                .collect(),
            None => vec![row.clone()],
        };
        Ok((row, pair))
    }

    /// The leaves of a pair: one request, one answer, and the read that belongs to them.
    async fn roles_of(&self, pair: &[LogRow]) -> Result<Vec<(Role, LeafId)>> {
        let mut roles = Vec::new();
        for (kind, role) in [
            (MessageKind::Request, Role::Request),
            (MessageKind::Answer, Role::Answer),
        ] {
            let found = pair.iter().find(|row| row.kind == kind);
            roles.extend(found.map(|row| (role, row.leaf)));
        }
        if let Some(request) = pair.iter().find_map(|row| row.request_id) {
            let read = tables::read_of_request(&self.0.store.read(), request).await?;
            roles.extend(read.map(|leaf| (Role::Read, LeafId::of_key(leaf))));
        }
        // Where a log ended between a request and its answer, each is proved by itself.
        if let Some((_, first)) = roles.first().copied() {
            roles.retain(|(_, leaf)| leaf.log() == first.log());
        }
        Ok(roles)
    }

    /// A container of leaves, all proved under one checkpoint: the latest that witnesses cosigned if it has them all, else
    /// the latest. Where a timestamping authority stamped a checkpoint that has them all, the earliest such stamp is with it.
    pub(super) async fn contain(&self, roles: Vec<(Role, LeafId)>) -> Result<Vec<u8>> {
        let Some((_, last)) = roles.iter().max_by_key(|(_, leaf)| *leaf).copied() else {
            return Err(nothing_left());
        };
        let log = self.log_of(last).await?;
        let last = last.leaf();
        let proved = with_log(&log, move |log| {
            let cosigned = log.cosigned().filter(|checkpoint| last < checkpoint.checkpoint().size);
            let checkpoint = cosigned.unwrap_or_else(|| log.checkpoint());
            let stamp = log.first_stamp_over(last)?;
            let mut leaves = Vec::new();
            for (role, leaf) in roles {
                let entry = log.entry(leaf.leaf())?;
                let Some(opening) = entry.opening else { continue };
                let proof = log.prove_under(leaf.leaf(), &checkpoint)?;
                let stamped = stamp
                    .as_ref()
                    .map(|stamp| log.prove_under(leaf.leaf(), &stamp.checkpoint));
                leaves.push(Opened {
                    role,
                    opening,
                    proof,
                    stamped: stamped.transpose()?,
                });
            }
            Ok((leaves, checkpoint, stamp))
        });
        let (leaves, checkpoint, stamp) = proved.await?;
        if leaves.is_empty() {
            return Err(nothing_left());
        }
        let former = self.former_keys(log.origin()).unwrap_or_default();
        evidence::container(&leaves, &checkpoint, stamp.as_ref(), &(self.0.directory)(), former)
    }

    async fn erasure_of(&self, row: &LogRow) -> Result<Option<(Timestamp, String, String)>> {
        let Some(leaf) = row.erasure else { return Ok(None) };
        let found = tables::erasures(&self.0.store.read(), leaf.key().saturating_add(1), 1).await?;
        let found = found.into_iter().find(|erasure| erasure.leaf == leaf.key());
        Ok(found.map(|erasure| (Timestamp::from_micros(erasure.at), erasure.actor, erasure.ground)))
    }

    /// Records that an auditor opens a message. The access log names the officer; whom the message was about sees it among
    /// the reads of their data.
    async fn record_look(&self, ctx: &Ctx, row: &LogRow) -> Result<()> {
        let request = row.request_id.map(|id| id.to_string()).unwrap_or_default();
        let user = row.user.as_deref().map(|user| user.strip_prefix("VN").unwrap_or(user));
        let user = user.and_then(|number| number.parse::<PersonNumber>().ok());
        let read = DataRead {
            // Of a message without a person as its user, the request stands for the persons: theirs are only hashes here.
            subject: user.as_ref().map_or(request.as_str(), PersonNumber::as_str),
            dossier: row.issue.as_deref(),
            purpose: LocalPurpose::Audit,
            what: "Thông điệp trao đổi giữa các cơ quan",
        };
        self.0.identity.access_log().record(ctx, read).await?;
        let Some(request) = row.request_id else { return Ok(()) };
        let db = self.0.store.read();
        let Some(leaf) = tables::read_of_request(&db, request).await? else {
            return Ok(());
        };
        let subjects = tables::subjects_of(&db, LeafId::of_key(leaf)).await?;
        let service = row.service.as_deref().and_then(|service| service.parse().ok());
        let (Some(service), false) = (service, subjects.is_empty()) else {
            return Ok(());
        };
        let record = ReadRecord {
            request: ctx.request_id,
            at: ctx.now,
            client: self.0.config.subsystem.clone().into(),
            service,
            action: "Kiểm tra nhật ký thông điệp có dữ liệu cá nhân".to_owned(),
            purpose: audit_purpose()?,
            user: None,
            issue: row.issue.clone(),
            subjects,
            more: false,
        };
        let appended = self.0.log.append(Leaf::READ, serde_json::to_vec(&record)?).await;
        appended.map(drop).map_err(Error::internal)
    }
}

/// The purpose of an auditor's look, as the tracker names it.
fn audit_purpose() -> Result<Purpose> {
    "audit".parse().map_err(Error::internal)
}

fn nothing_left() -> Error {
    Error::refused(
        Kind::NotFound,
        "message-erased",
        "Không có bản ghi nào để tải: bản ghi đã bị xóa theo quy định, hoặc mục này không phải là thông điệp. Sổ cái chỉ có cam kết.",
        "There is no record to download: it was erased by law, or this entry is no message. The log has its commitment only.",
    )
}

/// An id as a header can have it.
fn sound_id<'a>(id: &'a str, at: &str) -> Result<&'a str> {
    if (1..=LONGEST_ID).contains(&id.len()) && !id.chars().any(char::is_control) {
        return Ok(id);
    }
    let mut problems = base::Problems::new();
    problems.add(
        "message-id",
        at,
        "Mã thông điệp có từ 1 đến 255 byte, không có ký tự điều khiển.",
        "The id of a message has 1 to 255 bytes, none of them a control character.",
    );
    Err(Error::Refused(Kind::Invalid, problems))
}

/// `{queryId}-{request|response}-{leaf}.asice` (reference 2.4).
fn file_name(id: &str, role: Role, leaf: LeafId) -> String {
    let kind = if role == Role::Request { "request" } else { "response" };
    format!("{}-{kind}-{leaf}.asice", safe_name(id))
}

/// An id as part of the name of a file.
fn safe_name(id: &str) -> String {
    id.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') {
                c
            } else {
                '_'
            }
        })
        .take(LONGEST_FILE_NAME)
        .collect()
}
