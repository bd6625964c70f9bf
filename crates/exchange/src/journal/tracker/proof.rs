//! The proof of a read at another node, for the person whom it was about. The node that has the read gives it through the exchange,
//! and here it is judged by the keys that the directory gives for that member: what does not verify is not handed on.

use std::time::Duration;

use axum::http::header;
use base::{Error, Kind, Problems, Result, Text, codes::PersonNumber};
use bytes::Bytes;
use identity::Ctx;
use ledger::{Policy, VerifierKey};
use uuid::Uuid;

use super::{
    super::{
        Journal,
        api::encoded,
        evidence::{MEDIA_TYPE, Report, Role, verify_container},
    },
    protocol::OWN_VIEW,
};
use crate::{
    Said,
    model::{
        federation::{Member, View},
        headers::{PURPOSE, USER_ID},
        identifier::{ServiceId, SubsystemId},
        tracker::ReadRecord,
    },
};

/// How long the node that has the proof is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest proof that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// A read that another node tells of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadElsewhere {
    /// The system from which was read.
    pub provider: SubsystemId,
    /// By which that system knows the read: `X-Road-Request-Id`.
    pub read: Uuid,
}

impl ReadElsewhere {
    /// The page that fetches the proof, judges it and shows what it says.
    pub(in super::super) fn page(&self) -> String {
        self.below("/my/reads/elsewhere")
    }

    /// Where the proof is downloaded.
    pub(in super::super) fn download(&self) -> String {
        self.below("/my/reads/elsewhere/evidence")
    }

    fn below(&self, path: &str) -> String {
        format!("{path}?from={}&read={}", encoded(&self.provider.to_string()), self.read)
    }
}

/// A proof that was judged and holds.
#[derive(Debug, Clone)]
pub struct ProvedRead {
    /// The container, as the other node gave it.
    pub container: Vec<u8>,
    /// Who read what, when and why, as that node signed it.
    pub record: ReadRecord,
    /// The name of the member that signed.
    pub signed_by: Text,
    /// The name of the member that read.
    pub reader: Text,
    /// What the purpose means.
    pub why: Text,
    /// The log.
    pub origin: String,
    /// The place in it, from 0.
    pub index: u64,
    /// The witnesses that cosigned.
    pub witnesses: Vec<String>,
}

impl ProvedRead {
    /// `g01.gov.vn/exchange, 17`.
    pub(in super::super) fn entry(&self) -> String {
        format!("{}, {}", self.origin, self.index)
    }
}

impl Journal {
    /// The proof of a read of the signed-in person's data at another node. It is asked for each time, about this person and
    /// nobody else.
    ///
    /// # Errors
    /// `NotFound` where the directory knows no such provider elsewhere, or that one knows no such read about the person;
    /// `Unavailable` while it does not answer (`proof-not-now`, or what the exchange says); `Conflict` with everything that is
    /// wrong with a proof that does not hold (`proof-of-other-read`, or a code of [`verify_container`]).
    pub async fn proof_elsewhere(&self, ctx: &Ctx, read: &ReadElsewhere) -> Result<ProvedRead> {
        let none = || Error::not_found("lượt xem này", "read");
        let (_, number) = self.person(ctx)?;
        let number = number.ok_or_else(none)?;
        let view = (self.0.directory)();
        let others = self.others(&view);
        let service = others.into_iter().map(|(service, _)| service);
        let service = service.into_iter().find(|service| service.provider == read.provider);
        let service = service.ok_or_else(none)?;
        let container = self.fetch_proof(&service, read.read, &number).await?;
        let member = view.member(&read.provider.member).ok_or_else(none)?;
        let report = verify_container(&container, &policy(&view, member)?, None);
        let (record, origin, index, witnesses) = proved(report, read).map_err(|problems| {
            tracing::warn!(provider = %read.provider, "a node gave a proof that does not hold");
            Error::Refused(Kind::Conflict, problems)
        })?;
        let reader = view.member(&record.client.member).map(|reader| reader.name.clone());
        Ok(ProvedRead {
            container,
            signed_by: member.name.clone(),
            reader: reader.unwrap_or_else(|| Text::new(record.client.member.to_string(), "")),
            why: self.0.config.meanings.of(record.purpose.as_str()),
            record,
            origin,
            index,
            witnesses,
        })
    }

    async fn fetch_proof(&self, service: &ServiceId, read: Uuid, number: &PersonNumber) -> Result<Vec<u8>> {
        let later = || {
            Error::refused(
                Kind::Unavailable,
                "proof-not-now",
                "Cơ quan giữ lượt xem này chưa trả lời. Quý vị thử lại sau ít phút.",
                "The agency that has this read does not answer at the moment. Try again in a few minutes.",
            )
        };
        let caller = self.0.caller.as_ref().ok_or_else(later)?;
        let about = format!("VN{}", number.as_str());
        let request = http::Request::get(format!("/r1/{service}/v1/proofs/{read}?userCode={about}"))
            .header(USER_ID, &about)
            .header(PURPOSE, OWN_VIEW)
            .header(header::ACCEPT, MEDIA_TYPE)
            .body(Bytes::new())
            .map_err(Error::internal)?;
        let answer = tokio::time::timeout(PATIENCE, caller.call(&self.0.config.subsystem, request)).await;
        let answer = answer.map_err(|_| later())?;
        let take =
            |answer: http::Response<Bytes>| (answer.body().len() <= LARGEST).then(|| answer.into_body().to_vec());
        match Said::read(answer, take) {
            Said::Yes(container) => Ok(container),
            Said::No(..) => Err(Error::not_found("lượt xem này", "read")),
            Said::Later(problems) => {
                tracing::warn!(%service, ?problems, "a provider does not give a proof");
                Err(later())
            }
        }
    }
}

/// Whoever signs for a member is whom the directory says; its witnesses are named where they cosigned.
fn policy(view: &View, member: &Member) -> Result<Policy> {
    let keys = member.gateways.iter().filter_map(|gateway| view.log(&gateway.log));
    let keys = keys.flat_map(|log| log.keys.clone()).collect();
    let witnesses = view.directory().witnesses.iter();
    let witnesses: Vec<VerifierKey> = witnesses.filter_map(|witness| witness.key.parse().ok()).collect();
    // The read may be younger than the last checkpoint that a witness saw.
    Policy::new(keys, witnesses, 0).map_err(Error::internal)
}

type Proved = (ReadRecord, String, u64, Vec<String>);

/// What a whole container says, if it is one read, and this one.
fn proved(report: Report, read: &ReadElsewhere) -> std::result::Result<Proved, Problems> {
    let mut problems = Problems::new();
    for fault in &report.faults {
        problems.add(fault.code, &fault.at, &fault.text.vi, &fault.text.en);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut leaves = report.leaves.into_iter();
    if let (Some(leaf), None) = (leaves.next(), leaves.next())
        && leaf.role == Role::Read
        && let Ok(record) = serde_json::from_slice::<ReadRecord>(&leaf.record)
        && record.request == read.read
        && record.service.provider == read.provider
    {
        let witnesses = leaf.cosigners.into_iter().map(|cosigner| cosigner.name).collect();
        return Ok((record, leaf.origin, leaf.index, witnesses));
    }
    problems.add(
        "proof-of-other-read",
        "",
        "Bằng chứng nhận được là của một lượt xem khác.",
        "The proof that came is of another read.",
    );
    Err(problems)
}
