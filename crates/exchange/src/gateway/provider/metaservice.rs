//! `listMethods`, `allowedMethods` and `getOpenAPI` of this node's services (PR-MREST).

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

use super::{
    super::{
        Inner,
        body::Held,
        flaw::{GatewayFlaw, refusal},
    },
    admit::Admitted,
    answer::{Reply, ReplyBody},
};
use crate::model::{
    Field, Method,
    error::{ErrorCode, Refusal},
    headers::DIALECT,
    hosting::{Hosting, LocalService},
    identifier::ServiceId,
    meta::{
        Endpoint, JSON_TYPE, Metaservice, MethodsShape, ServiceEntry, ServiceKind, anonymise, methods_json,
        not_openapi, requested_service, unreadable,
    },
    rights::{Grant, GrantState},
};

impl Inner {
    pub(super) fn metaservice(
        &self,
        hosting: &Hosting,
        metaservice: Metaservice,
        admitted: &Admitted,
    ) -> Result<Reply, Refusal> {
        let record = &admitted.record;
        if !matches!(record.method(), Method::Get | Method::Head) {
            return Err(refusal(ErrorCode::InvalidRequest, "method", GatewayFlaw::ReadOnly));
        }
        let provider = &admitted.asked.service.provider;
        let here = hosting.services.iter().filter(|(id, _)| id.provider == *provider);
        let (content_type, body) = match metaservice {
            Metaservice::ListMethods => {
                let entries: Vec<_> = here
                    .map(|(id, service)| entry(id, service, service.endpoints.clone()))
                    .collect();
                (JSON_TYPE, methods_json(&entries, shape(record.fields())))
            }
            Metaservice::AllowedMethods => {
                let entries: Vec<_> = here
                    .filter_map(|(id, service)| self.allowed(hosting, id, service, admitted))
                    .collect();
                (JSON_TYPE, methods_json(&entries, shape(record.fields())))
            }
            Metaservice::GetOpenApi => {
                let code = requested_service(record.target().query())?;
                let id = ServiceId {
                    provider: provider.clone(),
                    code,
                };
                let service = hosting
                    .services
                    .get(&id)
                    .ok_or_else(|| Refusal::new(ErrorCode::UnknownService))?;
                ("application/json", description(&id, service)?)
            }
        };
        let body = if record.method() == Method::Head {
            String::new()
        } else {
            body
        };
        Ok(Reply {
            status: 200,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]),
            body: ReplyBody::Whole(Held::of(body)),
        })
    }

    /// What the caller may call of a service now: the endpoints that a grant of its own reaches.
    fn allowed(
        &self,
        hosting: &Hosting,
        id: &ServiceId,
        service: &LocalService,
        admitted: &Admitted,
    ) -> Option<ServiceEntry> {
        if service.open {
            return Some(entry(id, service, service.endpoints.clone()));
        }
        let now = self.clock.now();
        let holds = |grant: &&Grant| {
            admitted.asked.client.is(&grant.consumer)
                && grant.state == GrantState::Active
                && grant.from <= now
                && now < grant.to
        };
        let grants: Vec<&Grant> = hosting.grants.get(id)?.iter().filter(holds).collect();
        if grants.is_empty() {
            return None;
        }
        let granted = grants.iter().map(|grant| Endpoint {
            methods: grant.methods.clone(),
            path: grant.path.clone(),
        });
        Some(entry(id, service, granted.collect()))
    }
}

fn entry(id: &ServiceId, service: &LocalService, endpoints: Vec<Endpoint>) -> ServiceEntry {
    ServiceEntry {
        id: id.clone(),
        kind: service.kind,
        endpoints,
    }
}

fn description(id: &ServiceId, service: &LocalService) -> Result<String, Refusal> {
    if service.kind == ServiceKind::Rest {
        return Err(not_openapi());
    }
    let text = service
        .openapi
        .as_deref()
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| unreadable(id))?;
    anonymise(text).map_err(|_| unreadable(id))
}

/// The consumer's node says how its client speaks.
fn shape(fields: &[Field]) -> MethodsShape {
    let govstack = fields
        .iter()
        .any(|field| field.is(DIALECT) && field.value() == b"govstack");
    if govstack {
        MethodsShape::GovStack
    } else {
        MethodsShape::Service
    }
}
