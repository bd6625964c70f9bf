//! What the node says itself, without another node: `listClients` and `verificationconf` (PR-META; reference 1.7).

use http::{HeaderValue, Response, header, request::Parts};

use super::super::{
    Inner, archive,
    body::{Held, Payload},
    flaw::{GatewayFlaw, refusal},
};
use crate::model::{
    address::{GOVSTACK_PREFIX, parameters},
    error::{ErrorCode, Refusal},
    federation::View,
    identifier::ClientId,
    meta::{ClientEntry, JSON_TYPE, XML_TYPE, clients_govstack, clients_json, clients_xml},
};

impl Inner {
    /// The answer, if the request asks for one of these. No client has to be named.
    pub(super) fn local(&self, head: &Parts) -> Option<Result<Response<Payload>, Refusal>> {
        let (path, govstack) = match head.uri.path().strip_prefix(GOVSTACK_PREFIX) {
            Some(path) => (path, true),
            None => (head.uri.path(), false),
        };
        let answer = match path {
            "/listClients" => self.list_clients(head, govstack),
            "/verificationconf" => Ok((
                "application/zip",
                archive::verificationconf(&self.directory.load().view),
            )),
            _ => return None,
        };
        let readable = matches!(head.method, http::Method::GET | http::Method::HEAD);
        Some(if readable {
            answer.map(|(content_type, body)| respond(content_type, body))
        } else {
            Err(refusal(ErrorCode::BadRequest, "method", GatewayFlaw::ReadOnly))
        })
    }

    fn list_clients(&self, head: &Parts, govstack: bool) -> Result<(&'static str, Vec<u8>), Refusal> {
        let view = &self.directory.load().view;
        let asked = parameters(head.uri.query().unwrap_or_default()).find(|p| p.name == "xRoadInstance");
        if asked.is_some_and(|asked| asked.value != view.directory().instance.as_str()) {
            return Err(refusal(
                ErrorCode::BadRequest,
                "xRoadInstance",
                GatewayFlaw::OtherInstance,
            ));
        }
        let clients = clients(view);
        let json = head.headers.get_all(header::ACCEPT).iter().any(accepts_json);
        Ok(match (govstack, json) {
            (true, _) => (JSON_TYPE, clients_govstack(&clients).into_bytes()),
            (false, true) => (JSON_TYPE, clients_json(&clients).into_bytes()),
            (false, false) => (XML_TYPE, clients_xml(&clients).into_bytes()),
        })
    }
}

fn accepts_json(value: &HeaderValue) -> bool {
    value.as_bytes().split(|b| *b == b',').any(|range| {
        let media = range.split(|b| *b == b';').next().unwrap_or_default();
        media.trim_ascii().eq_ignore_ascii_case(b"application/json")
    })
}

/// Members, each followed by its subsystems.
fn clients(view: &View) -> Vec<ClientEntry> {
    let mut clients = Vec::new();
    for member in &view.directory().members {
        let entry = |subsystem, subsystem_name| ClientEntry {
            id: ClientId {
                member: member.id.clone(),
                subsystem,
            },
            name: member.name.vi.clone(),
            subsystem_name,
        };
        clients.push(entry(None, None));
        clients.extend(
            member
                .subsystems
                .iter()
                .map(|s| entry(Some(s.code.clone()), Some(s.name.vi.clone()))),
        );
    }
    clients
}

fn respond(content_type: &'static str, body: Vec<u8>) -> Response<Payload> {
    let mut response = Response::new(Held::of(body).into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
