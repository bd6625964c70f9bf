//! One exchange: the request is logged, proved and sent, and its answer accepted.

use std::sync::Arc;

use base::Timestamp;
use http::{HeaderMap, Request, Response};
use ledger::Kind;
use tokio::sync::oneshot;

use super::{
    super::{
        Inner,
        body::{Flow, Held, Payload, Seal},
        evidence::{self, OwnLog, not_logged},
        flaw::BodyFlaw,
        seconds, trace, wire,
    },
    Prepared,
};
use crate::model::{
    error::{ErrorCode, Refusal},
    message::{ContentDigest, Digester, RecordFlaw, RequestLeaf, RequestRecord},
    request_hash::{RequestHasher, canonical_request},
};

/// What was sent, as far as an answer must fit it.
pub(super) struct Sent {
    pub leaf: RequestLeaf,
    pub request_hash: String,
    /// Bytes of its body.
    pub length: u64,
}

/// A request as it goes out.
struct Outgoing {
    request: Request<Payload>,
    sending: Sending,
}

/// What was sent is known when all of the body has been.
pub(super) enum Sending {
    Done(Sent),
    Going(oneshot::Receiver<Result<Sent, BodyFlaw>>),
    /// The body broke off; why, if it did so on its way to this node.
    Broken(Option<BodyFlaw>),
}

impl Sending {
    /// Waits for the end of the body.
    pub async fn done(&mut self) {
        if let Self::Going(sent) = self {
            *self = match sent.await {
                Ok(Ok(sent)) => Self::Done(sent),
                Ok(Err(flaw)) => Self::Broken(Some(flaw)),
                Err(_) => Self::Broken(None),
            };
        }
    }

    /// Bytes that were sent.
    pub const fn length(&self) -> u64 {
        match self {
            Self::Done(sent) => sent.length,
            Self::Going(_) | Self::Broken(_) => 0,
        }
    }

    /// Why the body did not come whole to this node, if it has ended so.
    pub fn flaw(&mut self) -> Option<BodyFlaw> {
        match self {
            Self::Going(sent) => sent.try_recv().ok()?.err(),
            Self::Broken(flaw) => *flaw,
            Self::Done(_) => None,
        }
    }
}

impl Inner {
    /// Gives the answer, and when it began to come.
    pub(super) async fn exchange(
        self: Arc<Self>,
        mut prepared: Prepared,
        body: Result<Held, Flow>,
    ) -> (Result<Response<Payload>, Refusal>, Option<Timestamp>) {
        let mut answered = None;
        let span = self
            .tracer
            .begin(traces::Kind::Client, trace::SEND, prepared.trace.as_ref());
        let answer = async {
            let mut fields = std::mem::take(&mut prepared.fields);
            if let Some(context) = span.context() {
                trace::put(context, &mut fields);
            }
            let created = seconds(self.clock.now());
            let (method, target) = (prepared.method, prepared.target.clone());
            let name = self.log.name().clone();
            let digest = match &body {
                Ok(held) => held.digest(),
                Err(_) => ContentDigest::of(b""),
            };
            let record = RequestRecord::new(method, target, digest, fields, created, name).map_err(no_record)?;
            let Outgoing { request, mut sending } = match body {
                Ok(held) => self.whole(record, held).await?,
                Err(flow) => self.flowing(record, flow),
            };
            let provider = prepared.target.service().provider.member.clone();
            let here = provider == self.server.owner
                && prepared
                    .gateways()?
                    .iter()
                    .any(|gateway| gateway.code == self.server.code);
            let answer = if here {
                let own = Ok(Arc::new(self.server.owner.clone()));
                // Apart: most exchanges go elsewhere, and need no room for it.
                let answer = Box::pin(self.receive(own, request)).await;
                answered = Some(self.clock.now());
                self.accept(&prepared, sending, answer).await?
            } else {
                let answer = self.carry(&prepared, request, &mut sending).await?;
                answered = Some(self.clock.now());
                self.accept(&prepared, sending, answer).await?
            };
            self.meet(&provider);
            Ok(answer)
        };
        let answer = answer.await;
        trace::ended(span, answer.as_ref().map(|answer| answer.status().as_u16()));
        (answer, answered)
    }

    /// The header form: what proves the body stands before it.
    async fn whole(&self, record: RequestRecord, held: Held) -> Result<Outgoing, Refusal> {
        let mut hasher = hasher(&record);
        held.pieces().iter().for_each(|piece| hasher.update(piece));
        let length = held.length();
        let receipt = self.log.enter(vec![(Kind::MESSAGE, record.to_bytes())], 0).await;
        let receipt = receipt.map_err(|error| not_logged(ErrorCode::ClientLoggingFailed, &error))?;
        let evidence = evidence::fields(&receipt, ErrorCode::ClientInternalError)?;
        let mut request = request(&record, held.into());
        *request.headers_mut() = wire::headers(record.into_fields().into_iter().chain(evidence));
        Ok(Outgoing {
            request,
            sending: Sending::Done(Sent {
                leaf: evidence::leaf(&receipt),
                request_hash: hasher.finish(),
                length,
            }),
        })
    }

    /// The trailer form: what proves the body follows it.
    fn flowing(&self, record: RequestRecord, flow: Flow) -> Outgoing {
        let (tell, sent) = oneshot::channel();
        let mut head = request(&record, Payload::empty());
        *head.headers_mut() = wire::headers(record.fields().iter().cloned());
        let seal = RequestSeal {
            log: Arc::clone(&self.log),
            clock: Arc::clone(&self.clock),
            digester: Digester::default(),
            hasher: hasher(&record),
            length: 0,
            record,
            tell,
        };
        Outgoing {
            request: head.map(|_| flow.sealed(seal)),
            sending: Sending::Going(sent),
        }
    }
}

fn hasher(record: &RequestRecord) -> RequestHasher {
    RequestHasher::new(&canonical_request(record.method(), record.target(), record.fields()))
}

fn no_record(flaw: RecordFlaw) -> Refusal {
    Refusal::at(ErrorCode::BadRequest, "record", flaw)
}

/// Without its headers.
fn request(record: &RequestRecord, body: Payload) -> Request<Payload> {
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::from_bytes(record.method().as_str().as_bytes()).unwrap_or_default();
    // What came in by way of HTTP can go out again.
    *request.uri_mut() = record.target().to_string().parse().unwrap_or_default();
    request
}

/// Logs and proves a request at the end of its body.
struct RequestSeal {
    log: Arc<OwnLog>,
    clock: Arc<dyn base::Clock>,
    digester: Digester,
    hasher: RequestHasher,
    length: u64,
    record: RequestRecord,
    tell: oneshot::Sender<Result<Sent, BodyFlaw>>,
}

impl Seal for RequestSeal {
    fn piece(&mut self, piece: &[u8]) {
        self.digester.update(piece);
        self.hasher.update(piece);
        self.length += piece.len() as u64;
    }

    async fn trailers(self) -> Result<HeaderMap, Refusal> {
        let created = seconds(self.clock.now());
        let record = self
            .record
            .completed(self.digester.finish(), created)
            .map_err(no_record)?;
        let receipt = self.log.enter(vec![(Kind::MESSAGE, record.to_bytes())], 0).await;
        let receipt = receipt.map_err(|error| not_logged(ErrorCode::ClientLoggingFailed, &error))?;
        let evidence = evidence::fields(&receipt, ErrorCode::ClientInternalError)?;
        // Nobody waits for an answer any more when this fails.
        let _ = self.tell.send(Ok(Sent {
            leaf: evidence::leaf(&receipt),
            request_hash: self.hasher.finish(),
            length: self.length,
        }));
        Ok(wire::headers(record.own_fields().into_iter().chain(evidence)))
    }

    fn broken(self, flaw: BodyFlaw) {
        let _ = self.tell.send(Err(flaw));
    }
}
