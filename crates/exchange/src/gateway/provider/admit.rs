//! Checks 1 to 8: whose message it is, and that it is what was logged.

use std::sync::Arc;

use base::codes::CodeError;
use http::{HeaderMap, request::Parts};

use super::{
    super::{
        Inner,
        body::{Held, Reader, Source},
        flaw::{GatewayFlaw, Leg, refusal},
        wire,
    },
    asked::Asked,
};
use crate::model::{
    Field,
    address::Target,
    error::{ErrorCode, Refusal},
    federation::View,
    identifier::MemberId,
    message::{Digester, Evidence, EvidenceFlaw, RecordFlaw, RequestLeaf, RequestRecord, is_fresh},
    request_hash::{RequestHasher, canonical_request},
};

/// A request that its sender cannot deny.
pub(super) struct Admitted {
    pub record: RequestRecord,
    /// The record as both logs have it, until this node's log has it.
    pub unlogged: Option<Vec<u8>>,
    /// Its leaf in the sender's log.
    pub leaf: RequestLeaf,
    pub asked: Arc<Asked>,
    pub request_hash: String,
    pub body: Held,
}

/// What is proved before the body is.
struct Claim {
    record: RequestRecord,
    bytes: Vec<u8>,
    leaf: RequestLeaf,
    asked: Asked,
}

impl Inner {
    pub(super) async fn admit<B: Source>(
        &self,
        peer: Result<Arc<MemberId>, Refusal>,
        head: Parts,
        body: B,
    ) -> Result<Admitted, Refusal> {
        let member = peer?;
        let view = Arc::clone(&self.directory.load().view);
        let target = head.uri.path_and_query().map_or("", |target| target.as_str());
        let reader = Reader::new(body, &self.limits).map_err(|flaw| flaw.on(Leg::Request))?;
        let claim = |fields: Result<Vec<Field>, (String, CodeError)>| {
            let bad = |(at, flaw): (String, CodeError)| Refusal::at(ErrorCode::InvalidMessage, &at, flaw);
            self.claim(&view, &member, head.method.as_str(), target, fields.map_err(bad)?)
        };
        let early = if head.headers.keys().any(wire::is_of_nodes) {
            Ok(claim(wire::fields([head.headers]))?)
        } else {
            // What can be judged before a large body is.
            Target::parse(target.as_bytes()).map_err(|refusal| refusal.of(ErrorCode::InvalidMessage))?;
            Err(head.headers)
        };

        let (mut digester, mut hasher) = (Digester::default(), RequestHasher::new(&[]));
        let watch = |piece: &[u8]| {
            digester.update(piece);
            hasher.update(piece);
        };
        let held = reader.hold(&self.room, self.limits.verified_in_memory, watch).await;
        let (body, trailers) = held.map_err(|flaw| flaw.on(Leg::Request))?;
        let claim = match (early, trailers) {
            (Ok(claim), None) => claim,
            (Err(head), trailers) if trailers.iter().flat_map(HeaderMap::keys).all(wire::is_of_nodes) => {
                claim(wire::fields([head].into_iter().chain(trailers)))?
            }
            _ => return Err(refusal(ErrorCode::InvalidMessage, "trailers", GatewayFlaw::Parts)),
        };
        let Claim {
            record,
            bytes,
            leaf,
            asked,
        } = claim;
        if digester.finish() != record.digest() {
            return Err(refusal(
                ErrorCode::InvalidBody,
                "content-digest",
                GatewayFlaw::OtherDigest,
            ));
        }
        let canonical = canonical_request(record.method(), record.target(), record.fields());
        Ok(Admitted {
            request_hash: hasher.under(&canonical).finish(),
            record,
            unlogged: Some(bytes),
            leaf,
            asked: Arc::new(asked),
            body,
        })
    }

    /// Checks 2 to 7.
    fn claim(
        &self,
        view: &Arc<View>,
        member: &MemberId,
        method: &str,
        target: &str,
        fields: Vec<Field>,
    ) -> Result<Claim, Refusal> {
        let evidence = Evidence::from_fields(&fields);
        let record = RequestRecord::received(method, target.as_bytes(), fields).map_err(|flaw| {
            let target = Target::parse(target.as_bytes())
                .err()
                .filter(|_| flaw == RecordFlaw::Target);
            target.map_or_else(
                || Refusal::at(ErrorCode::InvalidMessage, "record", flaw),
                |refusal| refusal.of(ErrorCode::InvalidMessage),
            )
        })?;
        let asked = Asked::read(&record)?;
        let evidence = evidence.map_err(|flaw| {
            let code = match flaw {
                EvidenceFlaw::Missing => ErrorCode::MissingSignature,
                EvidenceFlaw::Malformed | EvidenceFlaw::TooLarge => ErrorCode::InvalidMessage,
            };
            Refusal::at(code, "motcua-proof", flaw)
        })?;
        if asked.client.member != *member {
            return Err(refusal(
                ErrorCode::SignatureVerification,
                "x-road-client",
                GatewayFlaw::OtherLog,
            ));
        }
        let bytes = record.to_bytes();
        let leaf = self
            .checkpoints
            .verify(view, member, record.sender(), &evidence, &bytes)?;
        let now = self.clock.now();
        if !is_fresh(record.created(), super::super::seconds(now)) {
            return Err(refusal(ErrorCode::MessageExpired, "created", GatewayFlaw::NotFresh));
        }
        self.replays.note(record.sender(), asked.request_id, now)?;
        Ok(Claim {
            record,
            bytes,
            leaf,
            asked,
        })
    }
}
