//! What the API answers.

use base::{Lang, Text, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::params::reads_place;
use crate::{
    journal::{
        evidence::{Fault, LeafReport},
        messages::{Exchange, LogRow, MessageKind, Place},
        operations::Operations,
        tracker::{HiddenMonth, MyReads, ReadAbout, Source},
    },
    model::monitor::{OpRecord, Side},
};

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageBody {
    /// Its place in the log, from 0.
    leaf: u64,
    /// When it was logged (RFC 3339).
    logged: String,
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
    at: Option<String>,
    /// The code of the purpose.
    purpose: Option<String>,
    /// `X-Road-Issue`.
    issue: Option<String>,
    /// The leaf of the erasure that took it.
    erasure: Option<u64>,
}

impl From<LogRow> for MessageBody {
    fn from(row: LogRow) -> Self {
        Self {
            leaf: row.leaf,
            logged: row.logged.rfc3339(),
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
            at: row.at.map(Timestamp::rfc3339),
            purpose: row.purpose,
            issue: row.issue,
            erasure: row.erasure,
        }
    }
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessagesBody {
    /// Newest first.
    items: Vec<MessageBody>,
    /// Where the next page starts; absent on the last.
    next: Option<String>,
}

impl MessagesBody {
    pub(super) fn of(rows: Vec<LogRow>, next: Option<Place>) -> Self {
        Self {
            items: rows.into_iter().map(MessageBody::from).collect(),
            next: next.map(|place| place.to_string()),
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
    /// When (RFC 3339).
    at: String,
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
            pair: found.pair.into_iter().map(MessageBody::from).collect(),
            proved: report.leaves.into_iter().map(ProvedBody::from).collect(),
            faults: report.faults.into_iter().map(FaultBody::from).collect(),
            erased: found.erased.map(|(at, by, ground)| ErasedBody {
                at: at.rfc3339(),
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
    /// When (RFC 3339).
    at: String,
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
    /// Why, in Vietnamese; blank where another node told of it, which says it in `what`.
    why_vi: String,
    /// Why, in English.
    why_en: String,
    /// The dossier.
    dossier: Option<String>,
    /// `here`, `exchange` or `elsewhere`.
    source: &'static str,
    /// Its place in the log of this node, where there is a proof of it.
    leaf: Option<u64>,
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
        let (source, leaf) = match read.source {
            Source::Here => ("here", None),
            Source::Exchange { leaf } => ("exchange", Some(leaf)),
            Source::Elsewhere => ("elsewhere", None),
        };
        let (why_vi, why_en) = both(&read.why);
        Self {
            at: read.at.rfc3339(),
            who: read.who.vi,
            agency: read.agency,
            system: read.system,
            what: read.what,
            through: read.through.map(|through| through.vi),
            why_vi,
            why_en,
            dossier: read.dossier,
            source,
            leaf,
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

fn both(text: &Text) -> (String, String) {
    (text.vi.clone(), text.get(Lang::En).to_owned())
}

/// Reads that were hidden in a month.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HiddenBody {
    /// `2026-11`.
    month: String,
    /// The code of the agency.
    agency: String,
    /// Its name in Vietnamese.
    name_vi: String,
    /// Its name in English.
    name_en: String,
    /// On which ground, in Vietnamese.
    reason_vi: String,
    /// On which ground, in English.
    reason_en: String,
    /// The date on which the persons see them.
    until: String,
    /// How many.
    reads: i64,
}

impl From<HiddenMonth> for HiddenBody {
    fn from(month: HiddenMonth) -> Self {
        let ((name_vi, name_en), (reason_vi, reason_en)) = (both(&month.name), both(&month.reason));
        Self {
            month: month.month.strftime("%Y-%m").to_string(),
            agency: month.member,
            name_vi,
            name_en,
            reason_vi,
            reason_en,
            until: month.until.to_string(),
            reads: month.n,
        }
    }
}

/// Records with the names of X-Road.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationsBody {
    /// How many are here.
    records_count: usize,
    /// The records (PR-OPMON, Annex B), oldest first.
    #[schema(value_type = Vec<Object>)]
    records: Vec<OpRecord>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_records: Option<String>,
}

impl From<Operations> for OperationsBody {
    fn from(found: Operations) -> Self {
        Self {
            records_count: found.records.len(),
            records: found.records,
            next_records: found.next.map(|(at, id)| format!("{at}.{id}")),
        }
    }
}
