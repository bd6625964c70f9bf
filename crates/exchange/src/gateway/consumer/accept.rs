//! The answer of another node, which an information system sees only when all of it is verified.

use http::{HeaderMap, HeaderName, Response, StatusCode, header};
use ledger::Kind;

use super::{
    super::{
        Inner,
        body::{Held, Payload, Reader, Source},
        evidence::not_logged,
        figures::count,
        flaw::{GatewayFlaw, Leg, refusal},
        wire,
    },
    Prepared,
    exchange::Sending,
};
use crate::model::{
    error::{ErrorCode, Refusal},
    headers::{AnswerContext, ERROR, check_answer},
    message::{AnswerRecord, Digester, Evidence},
};

/// The largest refusal without a record that is passed on, in bytes.
const LARGEST_UNSIGNED: u64 = 64 * 1024;

/// What another node may say without a record: that it did not take the request.
const UNSIGNED: [ErrorCode; 11] = [
    ErrorCode::ServerSslAuthenticationFailed,
    ErrorCode::InvalidMessage,
    ErrorCode::MissingSignature,
    ErrorCode::SignatureVerification,
    ErrorCode::MessageExpired,
    ErrorCode::MessageReplayed,
    ErrorCode::InvalidBody,
    ErrorCode::MessageTooLarge,
    ErrorCode::ServerInternalError,
    ErrorCode::ServerLoggingFailed,
    ErrorCode::ClientProxyVersionNotSupported,
];

impl Inner {
    /// Verifies an answer (`docs/protocol.md`, 6, at the end), logs it and gives it to whoever asked. It is held back until the
    /// log has it: what an information system was told is in both logs, whatever happens next.
    pub(super) async fn accept<B: Source>(
        &self,
        prepared: &Prepared,
        mut sending: Sending,
        answer: Response<B>,
    ) -> Result<Response<Payload>, Refusal> {
        let (head, body) = answer.into_parts();
        let mut digester = Digester::default();
        let held = async {
            let reader = Reader::new(body, &self.limits)?;
            reader
                .hold(&self.room, self.limits.verified_in_memory, |piece| {
                    digester.update(piece)
                })
                .await
        };
        let (body, trailers) = held.await.map_err(|flaw| flaw.on(Leg::Answer))?;
        let early = head.headers.keys().any(wire::is_of_nodes);
        let fields = match (early, trailers) {
            (true, None) => wire::fields([head.headers]),
            (false, Some(trailers)) if trailers.keys().all(wire::is_of_nodes) => wire::fields([head.headers, trailers]),
            (false, None) => return unsigned(head.status, &head.headers, body),
            _ => return Err(bad(GatewayFlaw::Parts)),
        };
        let fields = fields.map_err(|(at, flaw)| Refusal::at(ErrorCode::InconsistentResponse, &at, flaw))?;
        let evidence = Evidence::from_fields(&fields);
        let record = AnswerRecord::received(head.status.as_u16(), fields)
            .map_err(|flaw| Refusal::at(ErrorCode::InconsistentResponse, "record", flaw))?;
        let evidence = evidence.map_err(|flaw| Refusal::at(ErrorCode::InconsistentResponse, "motcua-proof", flaw))?;
        sending.done().await;
        let Sending::Done(sent) = sending else {
            return Err(bad(GatewayFlaw::OtherRequest));
        };
        if record.request() != sent.leaf {
            return Err(bad(GatewayFlaw::OtherRequest));
        }
        let service = prepared.target.service();
        check_answer(
            record.fields(),
            &AnswerContext::of(&prepared.head, service, &sent.request_hash),
        )?;
        let member = &service.provider.member;
        let bytes = record.to_bytes();
        self.checkpoints
            .verify(&prepared.view, member, record.sender(), &evidence, &bytes)
            .map_err(|refusal| refusal.of(ErrorCode::InconsistentResponse))?;
        if digester.finish() != record.digest() {
            return Err(bad(GatewayFlaw::OtherDigest));
        }
        if let Err(error) = self.log.enter(vec![(Kind::MESSAGE, bytes)], 0).await {
            count(&self.meter.answers_not_logged);
            return Err(not_logged(ErrorCode::ClientLoggingFailed, &error));
        }
        Ok(response(head.status, wire::headers(record.into_forwarded()), body))
    }
}

fn bad(flaw: GatewayFlaw) -> Refusal {
    refusal(ErrorCode::InconsistentResponse, "answer", flaw)
}

fn response(status: StatusCode, headers: HeaderMap, body: Held) -> Response<Payload> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Passes a refusal on that came before there was anything to answer to. It proves nothing, so it may say nothing else.
fn unsigned(status: StatusCode, headers: &HeaderMap, body: Held) -> Result<Response<Payload>, Refusal> {
    let named = headers
        .get(ERROR)
        .and_then(|value| ErrorCode::named(value.to_str().ok()?));
    let known = named.is_some_and(|code| UNSIGNED.contains(&code)) && matches!(status.as_u16(), 400 | 500);
    if !known || body.length() > LARGEST_UNSIGNED {
        return Err(bad(GatewayFlaw::NoEvidence));
    }
    let kept = [header::CONTENT_TYPE, HeaderName::from_static(ERROR)];
    let kept = kept
        .into_iter()
        .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
    Ok(response(status, kept.collect(), body))
}
