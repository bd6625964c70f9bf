//! How the systems answer: JSON, and problem details with every problem in both languages (docs/service-rules.md).

use std::str::FromStr;

use axum::{
    Json, Router,
    extract::{Path, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::codes::CodeError;
use serde_json::{Value, json};

/// A no.
pub fn problem(status: StatusCode, code: &str, at: &str, vi: &str, en: &str) -> Response {
    let body = json!({
        "type": "about:blank", "title": status.canonical_reason().unwrap_or("Refused"), "status": status.as_u16(),
        "problems": [{ "code": code, "at": at, "vi": vi, "en": en }],
    });
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body.to_string(),
    )
        .into_response()
}

/// There is no such thing.
pub fn absent() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "not-found",
        "",
        "Không có dữ liệu này.",
        "There is no such record.",
    )
}

/// What was found, or that nothing was.
pub fn found(body: Option<Value>) -> Response {
    body.map_or_else(absent, |body| Json(body).into_response())
}

/// The code at the end of a path, written exactly as the rules want it.
///
/// # Errors
/// The answer that says what is wrong.
pub fn code<T>(path: Result<Path<String>, PathRejection>, at: &str) -> Result<T, Box<Response>>
where
    T: FromStr<Err = CodeError> + ToString,
{
    let malformed = || {
        let (vi, en) = ("Mã trong địa chỉ không đúng.", "The code in the address is malformed.");
        Box::new(problem(StatusCode::UNPROCESSABLE_ENTITY, "malformed", at, vi, en))
    };
    let Path(text) = path.map_err(|_| malformed())?;
    let code: T = text.parse().map_err(|reason: CodeError| {
        let text = reason.text();
        Box::new(problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            reason.code(),
            at,
            &text.vi,
            &text.en,
        ))
    })?;
    if code.to_string() == text {
        Ok(code)
    } else {
        Err(malformed())
    }
}

/// Routes with the answers to wrong addresses and methods.
pub fn guarded<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .fallback(async || {
            problem(
                StatusCode::NOT_FOUND,
                "no-address",
                "",
                "Không có địa chỉ này.",
                "There is no such address.",
            )
        })
        .method_not_allowed_fallback(async || {
            let mut answer = problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "",
                "Chỉ đọc: dùng GET.",
                "For reading only: use GET.",
            );
            answer
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            answer
        })
}
