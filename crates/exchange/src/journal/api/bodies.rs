//! What the API answers.

use identity::{Both, Instant};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::params::reads_place;
use crate::{
    journal::{
        evidence::{Fault, LeafReport},
        messages::{Exchange, LogRow, MessageKind},
        tracker::{HiddenMonth, MyReads, ReadAbout, Source},
    },
    model::monitor::{OpRecord, Side},
};

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageBody {
    /// By which it is asked for: its leaf in the node's first log, with the number of the log before it in a later one (`1-17`).
    id: String,
    /// Its place in its log, from 0.
    leaf: u64,
    /// When it was logged.
    logged_at: Instant,
    /// `request`, `answer`, `erased` or `unreadable`.
    kind: &'static str,
    /// On which side this node was: `Client` or `Producer`.
    side: Option<&'static str>,
    /// `X-Road-Request-Id`.
    request_id: Option<Uuid>,
    /// `X-Road-Id`.
    message_id: Option<String>,
    /// Who asked.
    client: Option<String>,
    /// What was asked.
    service: Option<String>,
    /// The method of a request.
    method: Option<String>,
    /// The status of an answer.
    status: Option<i64>,
    /// When it was made.
    at: Option<Instant>,
    /// The code of the purpose.
    purpose: Option<String>,
    /// `X-Road-Issue`.
    issue: Option<String>,
    /// The leaf of the erasure that took it, as in `id`.
    erasure: Option<String>,
}

impl From<LogRow> for MessageBody {
    fn from(row: LogRow) -> Self {
        Self {
            id: row.leaf.to_string(),
            leaf: row.leaf.leaf(),
            logged_at: row.logged.into(),
            kind: match row.kind {
                MessageKind::Request => "request",
                MessageKind::Answer => "answer",
                MessageKind::Erased => "erased",
                MessageKind::Unreadable => "unreadable",
            },
            side: row.side.map(Side::as_str),
            request_id: row.request_id,
            message_id: row.message_id,
            client: row.client,
            service: row.service,
            method: row.method,
            status: row.status,
            at: row.at.map(Instant::from),
            purpose: row.purpose,
            issue: row.issue,
            erasure: row.erasure.map(|leaf| leaf.to_string()),
        }
    }
}

/// Something that does not verify.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FaultBody {
    /// A stable name.
    code: &'static str,
    /// In which file of the evidence.
    at: String,
    /// In Vietnamese.
    vi: String,
    /// In English.
    en: String,
}

/// What verifies.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProvedBody {
    /// `request`, `answer` or `read`.
    role: &'static str,
    /// Its place in the log.
    leaf: u64,
    /// Leaves of the tree that it is proved in.
    size: u64,
    /// Witnesses that cosigned that tree.
    witnesses: Vec<String>,
    /// What it says, if it is text.
    record: String,
}

/// One message with its pair.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExchangeBody {
    /// The message.
    message: MessageBody,
    /// The name of the log that has it.
    log: String,
    /// Request and answer of the same request id.
    pair: Vec<MessageBody>,
    /// What is proved.
    proved: Vec<ProvedBody>,
    /// What is not.
    faults: Vec<FaultBody>,
    /// When it was erased, by whom, on which ground.
    erased: Option<ErasedBody>,
}

/// An erasure.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErasedBody {
    /// When.
    at: Instant,
    /// By whom.
    by: String,
    /// On which ground.
    ground: String,
}

impl From<Exchange> for ExchangeBody {
    fn from(found: Exchange) -> Self {
        let report = found.report.unwrap_or_default();
        Self {
            message: found.row.into(),
            log: found.log,
            pair: found.pair.into_iter().map(MessageBody::from).collect(),
            proved: report.leaves.into_iter().map(ProvedBody::from).collect(),
            faults: report.faults.into_iter().map(FaultBody::from).collect(),
            erased: found.erased.map(|(at, by, ground)| ErasedBody {
                at: at.into(),
                by,
                ground,
            }),
        }
    }
}

impl From<LeafReport> for ProvedBody {
    fn from(leaf: LeafReport) -> Self {
        Self {
            role: leaf.role.code(),
            leaf: leaf.index,
            size: leaf.size,
            witnesses: leaf.cosigners.into_iter().map(|cosigner| cosigner.name).collect(),
            record: String::from_utf8_lossy(&leaf.record).into_owned(),
        }
    }
}

impl From<Fault> for FaultBody {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code,
            at: fault.at,
            vi: fault.text.vi,
            en: fault.text.en,
        }
    }
}

/// A read of one's data.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrackedReadBody {
    /// When.
    at: Instant,
    /// Who.
    who: String,
    /// The code of the agency.
    agency: String,
    /// Its information system, if it read through the exchange.
    system: Option<String>,
    /// What.
    what: String,
    /// From which service.
    through: Option<String>,
    /// Why; blank where another node told of it, which says it in `what`.
    why: Both,
    /// The dossier.
    dossier: Option<String>,
    /// `here`, `exchange` or `elsewhere`.
    source: &'static str,
    /// By which its evidence is asked for, if it came through the exchange.
    leaf: Option<String>,
    /// Where its proof is downloaded, if there is one.
    proof: Option<String>,
    /// The request.
    request_id: Option<Uuid>,
}

/// A page of reads.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrackedReadsBody {
    /// Newest first.
    items: Vec<TrackedReadBody>,
    /// Where the next page starts; absent on the last.
    next: Option<String>,
    /// Providers that did not answer: reads of theirs may be missing.
    silent: Vec<String>,
}

impl From<ReadAbout> for TrackedReadBody {
    fn from(read: ReadAbout) -> Self {
        let proof = read.source.proof();
        let (source, leaf) = match &read.source {
            Source::Here { .. } => ("here", None),
            Source::Exchange { leaf } => ("exchange", Some(leaf.to_string())),
            Source::Elsewhere { .. } => ("elsewhere", None),
        };
        Self {
            at: read.at.into(),
            who: read.who.vi,
            agency: read.agency,
            system: read.system,
            what: read.what,
            through: read.through.map(|through| through.vi),
            why: read.why.into(),
            dossier: read.dossier,
            source,
            leaf,
            proof,
            request_id: read.request,
        }
    }
}

impl From<MyReads> for TrackedReadsBody {
    fn from(mine: MyReads) -> Self {
        Self {
            items: mine.reads.into_iter().map(TrackedReadBody::from).collect(),
            next: mine.next.map(reads_place),
            silent: mine.silent,
        }
    }
}

/// Reads that were hidden in a month.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HiddenBody {
    /// `2026-11`.
    month: String,
    /// The code of the agency.
    agency: String,
    /// Its name.
    name: Both,
    /// On which ground.
    reason: Both,
    /// The date on which the persons see them.
    #[schema(format = Date)]
    until: String,
    /// How many.
    reads: i64,
}

impl From<HiddenMonth> for HiddenBody {
    fn from(month: HiddenMonth) -> Self {
        Self {
            month: month.month.strftime("%Y-%m").to_string(),
            agency: month.member,
            name: month.name.into(),
            reason: month.reason.into(),
            until: month.until.to_string(),
            reads: month.n,
        }
    }
}

/// How much is hidden.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HiddenReadsBody {
    /// By month, agency and ground; the newest month first.
    months: Vec<HiddenBody>,
}

impl From<Vec<HiddenMonth>> for HiddenReadsBody {
    fn from(months: Vec<HiddenMonth>) -> Self {
        Self {
            months: months.into_iter().map(HiddenBody::from).collect(),
        }
    }
}

/// A record of operational monitoring, with the field names of X-Road (PR-OPMON, Annex B).
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub(super) struct OpRecordBody(pub OpRecord);
