//! `GET /asic`: the evidence of past messages for the information system that made them (reference 1.7).

use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};

use super::{
    super::{
        Inner,
        body::{Held, Payload},
    },
    Origin, sign_in,
};
use crate::{
    journal::NoAsic,
    model::{
        address::{Dialect, parameters},
        headers::CLIENT,
    },
};

pub(super) const PATH: &str = "/asic";

impl Inner {
    /// Answers as X-Road does: an archive of containers, or a status with a plain sentence.
    pub(super) async fn asic(&self, origin: Origin<'_>, head: Parts) -> Response<Payload> {
        match self.archive(origin, head).await {
            Ok((name, bytes)) => {
                let mut response = Response::new(Held::of(bytes).into());
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
                let file = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
                headers.extend(file.ok().map(|file| (header::CONTENT_DISPOSITION, file)));
                response
            }
            Err(NoAsic { status, text }) => {
                let mut response = Response::new(Held::of(format!("{text}\n").into_bytes()).into());
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                response
            }
        }
    }

    async fn archive(&self, origin: Origin<'_>, mut head: Parts) -> Result<(String, Vec<u8>), NoAsic> {
        let no = |status, text| NoAsic { status, text };
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(no(400, "Only GET and HEAD are allowed here."));
        }
        let query = head.uri.query().unwrap_or_default().to_owned();
        let caller = match origin {
            Origin::Process(client) => client.clone(),
            Origin::Network(from) => {
                // The query names the client, as X-Road has it; it signs in as for its messages.
                if let Some(named) = named(&query).filter(|_| !head.headers.contains_key(CLIENT)) {
                    head.headers.insert(CLIENT, named);
                }
                let hosting = self.hosting.load();
                let client = sign_in::client(&hosting, Dialect::XRoad, &mut head.headers, from);
                let client = client.map_err(|_| no(401, "The client is not registered here, or did not sign in."))?;
                let unnamed = || {
                    no(
                        400,
                        "xRoadInstance, memberClass, memberCode and subsystemCode name the client, each by its code.",
                    )
                };
                client.ok_or_else(unnamed)?.0.clone()
            }
        };
        let journal = self.journal.as_ref();
        let journal = journal.ok_or_else(|| no(404, "This node keeps no evidence of past messages."))?;
        let asic = journal.asic(&caller, Some(&query)).await?;
        Ok((asic.name, asic.bytes))
    }
}

/// `INSTANCE/CLASS/MEMBER/SUBSYSTEM` of the query.
fn named(query: &str) -> Option<HeaderValue> {
    let part = |name: &str| parameters(query).find(|p| p.name == name).map(|p| p.value);
    let parts = [
        part("xRoadInstance")?,
        part("memberClass")?,
        part("memberCode")?,
        part("subsystemCode")?,
    ];
    HeaderValue::from_str(&parts.join("/")).ok()
}
