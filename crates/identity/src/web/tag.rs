//! Entity tags (RFC 9110, 8.8.3): what a caller has already need not be sent again, and who changes something says which
//! version they saw.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Result};

/// The tag of a version, or of what was hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// The tag of a thing that counts its versions: `"3"`.
    pub fn version(version: i64) -> Self {
        Self(format!("\"{version}\""))
    }

    /// The tag of content with this hash.
    pub fn hash(hash: &[u8]) -> Self {
        let short = hash.get(..16).unwrap_or(hash);
        Self(format!("\"{}\"", hex::encode(short)))
    }

    /// Whether `If-None-Match` says that the caller has it (RFC 9110, 13.1.2; compared weakly).
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        sent.is_some_and(|sent| {
            sent.split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| tag == self.0 || tag == "*")
        })
    }

    /// The answer under this tag; 304 for a caller that has it, and then `body` is not made.
    pub fn answer<R: IntoResponse>(self, headers: &HeaderMap, body: impl FnOnce() -> R) -> Response {
        if self.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, self.0)]).into_response();
        }
        ([(header::ETAG, self.0)], body()).into_response()
    }

    /// The version that a caller saw, from `If-Match`; none for `*` or without the header.
    ///
    /// # Errors
    /// `Invalid` for what is no tag of a version.
    pub fn seen(headers: &HeaderMap) -> Result<Option<i64>> {
        let Some(value) = headers.get(header::IF_MATCH).filter(|value| *value != "*") else {
            return Ok(None);
        };
        let version = value
            .to_str()
            .ok()
            .and_then(|value| value.trim().trim_start_matches("W/").trim_matches('"').parse().ok());
        version.map(Some).ok_or_else(|| {
            Error::refused(
                Kind::Invalid,
                "if-match",
                "Tiêu đề If-Match phải là ETag đã nhận được, ví dụ \"3\".",
                "If-Match must be an ETag as it was received, such as \"3\".",
            )
        })
    }

    /// The version that a caller saw, of a change that may not be made unseen.
    ///
    /// # Errors
    /// As [`Tag::seen`], and `Invalid` without the header or with `*`.
    pub fn needed(headers: &HeaderMap) -> Result<i64> {
        Self::seen(headers)?.ok_or_else(|| {
            Error::refused(
                Kind::Invalid,
                "if-match-missing",
                "Yêu cầu phải có tiêu đề If-Match: ETag của bản đã đọc, để không ghi đè thay đổi của người khác.",
                "The header If-Match is required: the ETag of what was read, so that nobody's change is overwritten.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn what_the_caller_has_is_not_sent_again() {
        let tag = Tag::version(3);
        for sent in ["\"3\"", "W/\"3\"", "\"1\", \"3\"", "*"] {
            assert!(tag.is_known(&with(header::IF_NONE_MATCH, sent)), "{sent}");
        }
        for sent in ["\"33\"", "3", "\"1\""] {
            assert!(!tag.is_known(&with(header::IF_NONE_MATCH, sent)), "{sent}");
        }
        let answer = tag.answer(&with(header::IF_NONE_MATCH, "\"3\""), || "never made");
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn a_change_names_the_version_that_it_saw() {
        assert_eq!(Tag::needed(&with(header::IF_MATCH, "\"7\"")).expect("a version"), 7);
        assert_eq!(Tag::seen(&with(header::IF_MATCH, "*")).expect("any"), None);
        assert!(Tag::needed(&with(header::IF_MATCH, "*")).is_err());
        assert!(Tag::seen(&with(header::IF_MATCH, "\"x\"")).is_err());
    }
}
