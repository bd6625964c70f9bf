//! Answers: of services, of metaservices, and refusals, each signed by way of the log.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use ledger::Kind;

use super::{
    super::{
        Inner,
        body::{Flow, Held, Payload, Seal},
        evidence::{self, OwnLog, not_logged},
        flaw::{BodyFlaw, retry_after},
        seconds, wire,
    },
    admit::Admitted,
};
use crate::model::{
    Field,
    error::{ErrorCode, Format, Refusal},
    headers::{ERROR, answer_fields},
    message::{AnswerRecord, ContentDigest, Digester, RecordFlaw},
};

/// What a service said.
pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: ReplyBody,
}

/// As far as it has come.
pub(super) enum ReplyBody {
    Whole(Held),
    More(Flow),
}

impl ReplyBody {
    pub const fn held(&self) -> Option<&Held> {
        match self {
            Self::Whole(held) => Some(held),
            Self::More(_) => None,
        }
    }

    pub const fn length(&self) -> Option<u64> {
        match self {
            Self::Whole(held) => Some(held.length()),
            Self::More(_) => None,
        }
    }
}

/// A refusal after check 8.
pub(super) struct Denied {
    pub refusal: Refusal,
    /// Microseconds until another call would be allowed.
    pub wait: Option<u64>,
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, wait: None }
    }
}

impl Inner {
    /// Logs a request before anything is done about it.
    pub(super) async fn log_request(&self, admitted: &mut Admitted) -> Result<(), Refusal> {
        let Some(bytes) = admitted.unlogged.take() else {
            return Ok(());
        };
        let receipt = self.log.enter(vec![(Kind::MESSAGE, bytes)], 0).await;
        receipt
            .map(drop)
            .map_err(|error| not_logged(ErrorCode::ServerLoggingFailed, &error))
    }

    /// Logs an answer, and with it what was read about whom; then it can be sent.
    pub(super) async fn sign(
        &self,
        admitted: &mut Admitted,
        reply: Reply,
        read: Option<Vec<u8>>,
    ) -> Result<Response<Payload>, Refusal> {
        let context = admitted.asked.context(&admitted.request_hash);
        let fields = answer_fields(wire::raw(reply.headers), &context)?;
        let read = read.map(|read| (Kind::READ, read));
        match reply.body {
            ReplyBody::Whole(held) => {
                let record = self.record(admitted, reply.status, held.digest(), fields)?;
                self.send(admitted, record, read, held.into()).await
            }
            ReplyBody::More(flow) => {
                // It begins to be sent before its own record is known.
                self.log_request(admitted).await?;
                let record = self.record(admitted, reply.status, ContentDigest::of(b""), fields)?;
                let headers = wire::headers(record.fields().iter().cloned());
                let seal = AnswerSeal {
                    log: Arc::clone(&self.log),
                    clock: Arc::clone(&self.clock),
                    digester: Digester::default(),
                    record,
                    read,
                };
                Ok(response(reply.status, headers, flow.sealed(seal)))
            }
        }
    }

    /// Signs a refusal.
    pub(super) async fn deny(
        &self,
        admitted: &mut Admitted,
        denied: &Denied,
        format: Format,
    ) -> Result<Response<Payload>, Refusal> {
        let answer = self.say(&denied.refusal, format);
        let context = admitted.asked.context(&admitted.request_hash);
        let mut fields = answer_fields([(&b"content-type"[..], answer.content_type.as_bytes())], &context)?;
        fields.push(Field::ours(ERROR, answer.error));
        if let Some(wait) = denied.wait {
            fields.push(Field::ours("retry-after", retry_after(wait).to_string()));
        }
        let held = Held::of(answer.body);
        let record = self.record(admitted, answer.status, held.digest(), fields)?;
        self.send(admitted, record, None, held.into()).await
    }

    fn record(
        &self,
        admitted: &Admitted,
        status: u16,
        digest: ContentDigest,
        fields: Vec<Field>,
    ) -> Result<AnswerRecord, Refusal> {
        let created = seconds(self.clock.now());
        AnswerRecord::new(status, digest, admitted.leaf, fields, created, self.log.name().clone()).map_err(no_record)
    }

    /// Logs an answer with what belongs to it, its request too if nothing else has, and lets it go.
    async fn send(
        &self,
        admitted: &mut Admitted,
        record: AnswerRecord,
        read: Option<(Kind, Vec<u8>)>,
        body: Payload,
    ) -> Result<Response<Payload>, Refusal> {
        let request = admitted.unlogged.take().map(|bytes| (Kind::MESSAGE, bytes));
        let place = usize::from(request.is_some());
        let answer = (Kind::MESSAGE, record.to_bytes());
        let entries = request.into_iter().chain([answer]).chain(read).collect();
        let receipt = self.log.enter(entries, place).await;
        let receipt = receipt.map_err(|error| not_logged(ErrorCode::ServerLoggingFailed, &error))?;
        let evidence = evidence::fields(&receipt, ErrorCode::ServerInternalError)?;
        let status = record.status();
        let headers = wire::headers(record.into_fields().into_iter().chain(evidence));
        Ok(response(status, headers, body))
    }

    /// A refusal that no record covers.
    pub(in super::super) fn unsigned(&self, refusal: &Refusal, format: Format) -> Response<Payload> {
        let answer = self.say(refusal, format);
        let fields = [
            Field::ours("content-type", answer.content_type),
            Field::ours(ERROR, answer.error),
        ];
        response(answer.status, wire::headers(fields), Held::of(answer.body).into())
    }
}

fn no_record(flaw: RecordFlaw) -> Refusal {
    Refusal::at(ErrorCode::ServiceHttpError, "record", flaw)
}

fn response(status: u16, headers: HeaderMap, body: Payload) -> Response<Payload> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}

/// Proves an answer at its end.
struct AnswerSeal {
    log: Arc<OwnLog>,
    clock: Arc<dyn base::Clock>,
    digester: Digester,
    record: AnswerRecord,
    read: Option<(Kind, Vec<u8>)>,
}

impl Seal for AnswerSeal {
    fn piece(&mut self, piece: &[u8]) {
        self.digester.update(piece);
    }

    async fn trailers(self) -> Result<HeaderMap, Refusal> {
        let created = seconds(self.clock.now());
        let record = self
            .record
            .completed(self.digester.finish(), created)
            .map_err(no_record)?;
        let entries = [(Kind::MESSAGE, record.to_bytes())]
            .into_iter()
            .chain(self.read)
            .collect();
        let receipt = self.log.enter(entries, 0).await;
        let receipt = receipt.map_err(|error| not_logged(ErrorCode::ServerLoggingFailed, &error))?;
        let evidence = evidence::fields(&receipt, ErrorCode::ServerInternalError)?;
        Ok(wire::headers(record.own_fields().into_iter().chain(evidence)))
    }

    /// Whoever asked sees the answer break off, and nothing of it is logged.
    fn broken(self, flaw: BodyFlaw) {
        tracing::warn!(?flaw, "the answer of a service broke off");
    }
}
