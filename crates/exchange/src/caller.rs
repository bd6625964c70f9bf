//! Calls of this process through the exchange, for the rooms that talk with their like on other nodes.

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};

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
