//! Calls of this process through the exchange, for the rooms that talk with their like on other nodes.

use base::Problems;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::StatusCode;
use http_body_util::{BodyExt, Full, Limited};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    gateway::Gateway,
    model::{
        error::{ErrorCode, Refusal},
        headers::ERROR,
        identifier::SubsystemId,
    },
};

/// The largest answer that is taken into memory, in bytes.
const LARGEST: usize = 64 << 20;

/// Makes calls through the exchange in the name of a system of this node: the gateway does.
pub trait Caller: Send + Sync + 'static {
    /// Calls. The address of the request is a target of the edge (`/r1/…`); its headers have purpose and message id, and
    /// the gateway adds `X-Road-Client`. An answer of the provider is an answer, whatever its status.
    ///
    /// # Errors
    /// The exchange's own no: the message did not get there, or may not.
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>>;
}

impl Caller for Gateway {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        Box::pin(async move {
            let answer = Self::call(self, client, request.map(Full::new)).await;
            if let Some(error) = answer.headers().get(ERROR) {
                // One that is not known is a failure of the way.
                let code = error.to_str().ok().and_then(ErrorCode::named);
                return Err(Refusal::new(code.unwrap_or(ErrorCode::ClientIoError)));
            }
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST).collect().await;
            let body = body.map_err(|_| Refusal::new(ErrorCode::ClientIoError))?;
            Ok(http::Response::from_parts(head, body.to_bytes()))
        })
    }
}

/// What came of a call to the same room of another node, which answers with JSON of one shape or with problem details.
#[derive(Debug)]
pub enum Said<T> {
    /// What was asked for.
    Yes(T),
    /// No, for good, and with which status.
    No(StatusCode, Problems),
    /// Nothing that can be relied on; ask again.
    Later(Problems),
}

#[derive(Deserialize)]
struct Details {
    problems: Problems,
}

impl<T> Said<T> {
    /// Nothing yet, for one reason.
    pub fn later(code: &str, vi: impl Into<String>, en: impl Into<String>) -> Self {
        let mut problems = Problems::new();
        problems.add(code, "", vi, en);
        Self::Later(problems)
    }

    /// Reads what the exchange gave; `take` reads the body of a success, or says that it cannot be read. Only an answer of the
    /// other node itself, in its own form, is a no for good: whatever stands in between may err for a while.
    pub fn read(
        answer: Result<http::Response<Bytes>, Refusal>,
        take: impl FnOnce(http::Response<Bytes>) -> Option<T>,
    ) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(refusal) if refusal.problems().is_empty() => {
                let text = refusal.code().text();
                return Self::later("exchange", text.vi, text.en);
            }
            Err(refusal) => return Self::Later(refusal.problems().clone()),
        };
        let status = answer.status();
        if status.is_success() {
            return take(answer).map_or_else(
                || {
                    Self::later(
                        "answer-unreadable",
                        "Không đọc được câu trả lời của nút bên kia.",
                        "The answer of the other node cannot be read.",
                    )
                },
                Self::Yes,
            );
        }
        let passing = matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
        match serde_json::from_slice::<Details>(answer.body()) {
            Ok(details) if status.is_client_error() && !passing && !details.problems.is_empty() => {
                Self::No(status, details.problems)
            }
            _ => Self::later(
                "other-status",
                format!("Nút bên kia trả lời với mã trạng thái {}.", status.as_u16()),
                format!("The other node answered with status {}.", status.as_u16()),
            ),
        }
    }

    /// As [`Said::read`], of JSON of at most `largest` bytes.
    pub fn of_json(answer: Result<http::Response<Bytes>, Refusal>, largest: usize) -> Self
    where
        T: DeserializeOwned,
    {
        Self::read(answer, |answer| {
            let body = answer.into_body();
            (body.len() <= largest).then(|| serde_json::from_slice(&body).ok())?
        })
    }
}
