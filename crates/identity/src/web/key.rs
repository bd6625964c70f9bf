//! `Idempotency-Key`: the caller's own name of a request, under which it happens once however often it is sent.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use base::{Error, Kind};
use uuid::Uuid;

use super::ApiError;

/// The key of a request: 1 to 200 visible characters. A request without one is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of a request whose key becomes the id of what it makes.
    ///
    /// # Errors
    /// `Invalid` when it is no UUID.
    pub fn uuid(&self) -> base::Result<Uuid> {
        self.0.parse().map_err(|_| {
            Error::refused(
                Kind::Invalid,
                "idempotency-key",
                "Idempotency-Key của yêu cầu này phải là một UUID mới.",
                "The Idempotency-Key of this request has to be a new UUID.",
            )
        })
    }

    fn read(headers: &HeaderMap) -> base::Result<Self> {
        let key = headers
            .get("idempotency-key")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .trim();
        if key.is_empty() || key.len() > 200 {
            return Err(Error::refused(
                Kind::Invalid,
                "idempotency-key",
                "Yêu cầu phải có tiêu đề Idempotency-Key, tối đa 200 ký tự.",
                "The header Idempotency-Key is required, at most 200 characters.",
            ));
        }
        Ok(Self(key.to_owned()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::read(&parts.headers)?)
    }
}
