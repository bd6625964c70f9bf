//! What two nodes say to each other about grants, through the exchange itself.
//!
//! Every system that provides has a service [`SERVICE_CODE`], open to every member. At the provider it is [`router`]:
//!
//! ```text
//! POST /orders?after=n            an order (JSON): a request for a grant, or a command about one; carried out once
//! GET  /grants/{id}?after=n       what the log has behind entry n
//! ```
//!
//! Both answer `{"entries": […]}`, the log behind entry n. At the consumer it is the same router, asked by the provider's node:
//!
//! ```text
//! POST /grants/{id}/look          something happened to this grant: 204, and the consumer's node asks soon
//! ```
//!
//! A nudge says nothing else, may come twice and may be lost: the consumer's node asks by itself from time to time. Who asks is
//! what the gateway has verified and says in `X-Road-Client`, nothing else; a consumer sees and moves its own grants only, and
//! only the provider of a grant nudges. Refusals are problem details (RFC 9457).

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Error, Kind, Result};
use bytes::Bytes;
use identity::{ApiQuery, problem_response};
use serde::{Deserialize, Serialize};

use super::{
    model::{Entry, File, Order},
    service::Access,
};
use crate::Said;
use crate::model::{
    error::Refusal,
    headers::{CLIENT, ID, PURPOSE},
    identifier::{ClientId, SubsystemId},
    rights::GrantId,
};

/// The code of the service by which every provider is asked for grants.
pub const SERVICE_CODE: &str = "motcuaAccess";
/// The name of [`router`] among the gateway's internal services (`ServiceTarget::Internal`).
pub const INTERNAL: &str = "access";
/// The purpose of these calls.
pub const CALL_PURPOSE: &str = "exchange.access";
/// The largest order, and the largest answer that is read, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: i64,
}

/// The routes that the gateway serves as the internal service [`INTERNAL`]. It must pass `X-Road-Client` only as it has
/// verified it.
pub fn router(access: Access) -> Router {
    Router::new()
        .route("/orders", post(take))
        .route("/grants/{id}", get(log))
        .route("/grants/{id}/look", post(look))
        .fallback(|| async { problem_response(&Error::not_found("địa chỉ này", "address")) })
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(access)
}

async fn take(
    State(access): State<Access>,
    headers: HeaderMap,
    ApiQuery(After { after }): ApiQuery<After>,
    request: Request<Body>,
) -> Response {
    let body = match axum::body::to_bytes(request.into_body(), LARGEST).await {
        Ok(body) => body,
        Err(_) => {
            return problem_response(&Error::refused(
                Kind::TooLarge,
                "too-large",
                "Yêu cầu lớn hơn 4 MiB hoặc bị đứt giữa chừng.",
                "The request is larger than 4 MiB or broke off.",
            ));
        }
    };
    let done = async {
        let client = client(&headers)?;
        let order: Order = serde_json::from_slice(&body).map_err(|flaw| {
            Error::refused(
                Kind::Invalid,
                "order-form",
                format!("Không đọc được nội dung yêu cầu: {flaw}."),
                format!("The order cannot be read: {flaw}."),
            )
        })?;
        access.take(&client, &order).await?;
        access.log_for(&client, order.grant, after).await
    };
    answer(done.await)
}

async fn log(
    State(access): State<Access>,
    headers: HeaderMap,
    Path(id): Path<String>,
    ApiQuery(After { after }): ApiQuery<After>,
) -> Response {
    let found = async {
        let client = client(&headers)?;
        let id: GrantId = id.parse().map_err(|_| Error::not_found("quyền truy cập", "grant"))?;
        access.log_for(&client, id, after).await
    };
    answer(found.await)
}

async fn look(State(access): State<Access>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let nudged = async {
        let client = client(&headers)?;
        let id: GrantId = id.parse().map_err(|_| Error::not_found("quyền truy cập", "grant"))?;
        access.nudged(&client, id).await
    };
    match nudged.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => problem_response(&error),
    }
}

fn answer(entries: Result<Vec<Entry>>) -> Response {
    match entries {
        Ok(entries) => (StatusCode::OK, Json(Log { entries })).into_response(),
        Err(error) => problem_response(&error),
    }
}

/// Who asks, as the gateway says. Two such headers are none: the gateway sets one.
fn client(headers: &HeaderMap) -> Result<SubsystemId> {
    let mut values = headers.get_all(CLIENT).iter();
    let client = match (values.next(), values.next()) {
        (Some(value), None) => ClientId::parse(value.as_bytes())
            .ok()
            .and_then(|client| client.as_subsystem()),
        _ => None,
    };
    client.ok_or_else(|| {
        Error::refused(
            Kind::Forbidden,
            "no-client",
            "Không rõ hệ thống nào gọi; quyền chỉ cấp cho hệ thống có đủ bốn phần trong X-Road-Client.",
            "It is not known which system calls; grants go to systems, with all four parts in X-Road-Client.",
        )
    })
}

/// The call that carries an order. Its message id is the order's: sent again, it is the same message.
pub(super) fn order_request(order: &Order, after: i64) -> Result<http::Request<Bytes>> {
    let target = format!("/r1/{}/{SERVICE_CODE}/orders?after={after}", order.service.provider);
    http::Request::post(target)
        .header(header::CONTENT_TYPE, "application/json")
        .header(PURPOSE, CALL_PURPOSE)
        .header(ID, order.id.to_string())
        .body(serde_json::to_vec(order)?.into())
        .map_err(Error::internal)
}

/// The call that asks after a grant.
pub(super) fn log_request(file: &File) -> Result<http::Request<Bytes>> {
    let target = format!(
        "/r1/{}/{SERVICE_CODE}/grants/{}?after={}",
        file.service.provider, file.id, file.seq
    );
    http::Request::get(target)
        .header(PURPOSE, CALL_PURPOSE)
        .body(Bytes::new())
        .map_err(Error::internal)
}

/// Reads what the exchange gave.
pub(super) fn read(answer: Result<http::Response<Bytes>, Refusal>) -> Said<Vec<Entry>> {
    Said::read(answer, |answer| {
        let body = answer.into_body();
        let log: Log = (body.len() <= LARGEST).then(|| serde_json::from_slice(&body).ok())??;
        Some(log.entries)
    })
}

/// The call that has the consumer's node look at a grant.
pub(super) fn nudge_request(file: &File) -> Result<http::Request<Bytes>> {
    let target = format!("/r1/{}/{SERVICE_CODE}/grants/{}/look", file.consumer, file.id);
    http::Request::post(target)
        .header(PURPOSE, CALL_PURPOSE)
        .body(Bytes::new())
        .map_err(Error::internal)
}
