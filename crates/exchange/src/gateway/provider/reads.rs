//! The data tracker: whose data a message was about.

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};

use super::{
    super::{Inner, body::Held, figures::count},
    admit::Admitted,
};
use crate::model::{
    Field,
    hosting::{LocalService, ServiceTarget},
    tracker::{Place, ReadRecord, Seen, Subjects},
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
        if is_flawed(service, &found) {
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

/// Whether the rule of a service is to be looked at by its owner. Under the paths of a service of this very program there are
/// records of other things too, such as an enterprise under its code.
fn is_flawed(service: &LocalService, found: &Subjects) -> bool {
    let is_declared = !matches!(service.target, ServiceTarget::Internal(_));
    is_declared && found.persons.is_empty() && found.unreadable > 0
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        builtin::BuiltIn,
        model::{address::ServicePath, identifier::Part},
    };

    #[test]
    fn an_enterprise_in_a_registry_is_no_flaw_of_a_rule_and_a_person_is_found() {
        let code = Part::new(crate::builtin::REGISTRIES).expect("a code");
        let registries = BuiltIn::of(&code).expect("built in").service();
        let declared = LocalService {
            target: ServiceTarget::Url("http://127.0.0.1:9".to_owned()),
            ..registries.clone()
        };
        let find = |key: &str| {
            let path = format!("/enterprises/verify/records/{key}");
            let path = ServicePath::parse(path.as_bytes()).expect("a path");
            registries.subjects.find(&Seen {
                path: &path,
                query: None,
                request: None,
                answer: None,
            })
        };
        let (enterprise, person) = (find("0100109106"), find("037190001234"));
        assert_eq!((enterprise.persons.len(), enterprise.unreadable), (0, 1));
        assert_eq!(person.persons.len(), 1);
        let flawed = |found| (is_flawed(&registries, found), is_flawed(&declared, found));
        assert_eq!(flawed(&enterprise), (false, true));
        assert_eq!(flawed(&person), (false, false));
    }
}
