//! The data tracker: whose data a message was about.

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};

use super::{
    super::{Inner, body::Held, figures::count},
    admit::Admitted,
};
use crate::model::{
    Field,
    hosting::LocalService,
    tracker::{Place, ReadRecord, Seen},
};

/// What is looked into of an answer.
pub(super) struct Answered<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    /// None of a body that is too large to be held.
    pub body: Option<&'a Held>,
}

impl Inner {
    /// The body of a request whose JSON may have numbers of persons. It has to be looked into before it is passed on.
    pub(super) async fn request_to_look_into(&self, service: &LocalService, admitted: &Admitted) -> Option<Bytes> {
        let places = &service.subjects.0;
        let content_type = admitted.record.fields().iter().find(|field| field.is("content-type"));
        if !places.iter().any(|place| matches!(place, Place::Request(_))) || !is_json(content_type.map(Field::value)) {
            return None;
        }
        admitted.body.whole(self.limits.inspected).await.ok().flatten()
    }

    /// Who read what about whom, for the log; nothing when nobody's data was read. An answer that is too large to look
    /// into is noted as being about more persons than are named.
    pub(super) async fn reads(
        &self,
        service: &LocalService,
        admitted: &Admitted,
        request: Option<&[u8]>,
        answer: Answered<'_>,
    ) -> Option<Vec<u8>> {
        if service.subjects.0.is_empty() || answer.status >= 400 {
            return None;
        }
        let looks = looks_into_answers(service);
        let whole = match answer.body {
            Some(held) if looks && is_json(content_type(answer.headers)) => {
                held.whole(self.limits.inspected).await.ok().flatten()
            }
            _ => None,
        };
        let target = admitted.record.target();
        let found = service.subjects.find(&Seen {
            path: target.path(),
            query: target.query(),
            request,
            answer: whole.as_deref(),
        });
        if found.persons.is_empty() && found.unreadable > 0 {
            count(&self.meter.subjects_unreadable);
            tracing::warn!(service = %admitted.asked.service, "the subject rule of a service finds no person");
        }
        let more = found.more || looks && answer.body.is_none();
        if found.persons.is_empty() && !more {
            return None;
        }
        let asked = &admitted.asked;
        let record = ReadRecord {
            request: asked.request_id,
            at: self.clock.now(),
            client: asked.client.clone(),
            service: asked.service.clone(),
            action: service.action.clone(),
            purpose: asked.purpose.clone(),
            user: asked.user.clone(),
            issue: asked.issue.clone(),
            subjects: found.persons.iter().map(|person| self.subjects.index(person)).collect(),
            more,
        };
        serde_json::to_vec(&record).ok()
    }
}

/// Whether answers of a service are looked into, so that they are read whole where they can be.
pub(super) fn looks_into_answers(service: &LocalService) -> bool {
    service.subjects.0.iter().any(|place| matches!(place, Place::Answer(_)))
}

fn content_type(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes)
}

fn is_json(content_type: Option<&[u8]>) -> bool {
    let media = content_type
        .unwrap_or_default()
        .split(|b| *b == b';')
        .next()
        .unwrap_or_default();
    let media = media.trim_ascii().to_ascii_lowercase();
    media == b"application/json" || media.ends_with(b"+json")
}
