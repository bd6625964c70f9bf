//! What goes from the gateway of one node to another, in a test without sockets.

use axum::{Extension, Router, body::Body};
use bytes::Bytes;
use exchange::{gateway::Caller, model::headers::PURPOSE};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use uuid::Uuid;

/// For which purpose something is asked.
pub fn purpose_of(request: &Request<Bytes>) -> String {
    let purpose = request.headers()[PURPOSE].to_str();
    purpose.expect("a purpose").to_owned()
}

/// What a system answers at a path to what another asks.
pub async fn called(
    router: &Router,
    system: &str,
    client: &str,
    path: &str,
    request: Request<Bytes>,
) -> Response<Bytes> {
    let router = behind(router, system, client, &purpose_of(&request));
    let (mut head, body) = request.into_parts();
    head.uri = path.parse().expect("a path");
    let answer = router.oneshot(Request::from_parts(head, Body::from(body))).await;
    let (head, body) = answer.expect("infallible").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Response::from_parts(head, body)
}

/// The registries of a system behind its gateway, which has let this client through.
pub fn behind(router: &Router, system: &str, client: &str, purpose: &str) -> Router {
    router.clone().layer(Extension(Caller {
        client: client.parse().expect("a system"),
        service: format!("{system}/registries").parse().expect("a service"),
        purpose: purpose.parse().expect("a purpose"),
        request_id: Uuid::nil(),
    }))
}
