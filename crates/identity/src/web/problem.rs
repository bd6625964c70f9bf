//! Refusals of the JSON API: problem details (RFC 9457) that carry every problem at once, in both languages; and extractors
//! that refuse malformed input the same way.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Request, rejection::JsonRejection},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use axum_extra::extract::Query;
use base::{Error, Kind};
use serde::{Serialize, de::DeserializeOwned};

/// An error as the JSON API answers it; `?` makes one of a [`base::Error`].
#[derive(Debug)]
pub struct ApiError(pub Error);

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem_response(&self.0)
    }
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(rename = "type")]
    type_: &'static str,
    title: &'static str,
    title_vi: &'static str,
    status: u16,
    kind: &'static str,
    problems: Option<&'a base::Problems>,
}

/// The answer of the JSON API to an error: `application/problem+json` with `problems: [{code, at, vi, en}]`.
/// A failure of ours is logged and told without its cause; the request id stands in the header `X-Request-Id`.
pub fn problem_response(error: &Error) -> Response {
    let (status, kind, title, title_vi) = match error.kind() {
        Some(kind) => {
            let (name, title, title_vi) = words(kind);
            (kind.status(), name, title, title_vi)
        }
        None => {
            tracing::error!(%error, "a request of the API failed");
            (
                500,
                "internal",
                "Something went wrong on our side",
                "Hệ thống gặp sự cố, vui lòng thử lại sau",
            )
        }
    };
    let details = Details {
        type_: "about:blank",
        title,
        title_vi,
        status,
        kind,
        problems: error.problems(),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(details)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(super::described::PROBLEM),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn words(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Invalid => ("invalid", "The request is not valid", "Yêu cầu không hợp lệ"),
        Kind::Unauthenticated => ("unauthenticated", "Please sign in", "Vui lòng đăng nhập"),
        Kind::Forbidden => ("forbidden", "You may not do this", "Không có quyền thực hiện"),
        Kind::NotFound => ("not-found", "Not found", "Không tìm thấy"),
        Kind::NotAllowed => (
            "not-allowed",
            "This cannot be done here",
            "Không thực hiện được tại đây",
        ),
        Kind::Conflict => ("conflict", "This has changed in the meantime", "Thông tin đã thay đổi"),
        Kind::Stale => ("stale", "Your copy is out of date", "Bản đang dùng đã cũ"),
        Kind::TooLarge => ("too-large", "Too large", "Dữ liệu quá lớn"),
        Kind::TooMany => ("too-many", "Too many requests", "Quá nhiều yêu cầu"),
        Kind::Unavailable => ("unavailable", "Briefly unavailable", "Dịch vụ tạm thời gián đoạn"),
    }
}

fn invalid(code: &str, at: &str, vi: String, en: String) -> ApiError {
    let mut problems = base::Problems::new();
    problems.add(code, at, vi, en);
    ApiError(Error::Refused(Kind::Invalid, problems))
}

/// A JSON body; what cannot be read is refused with problem details.
#[derive(Debug, Clone, Copy)]
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::JsonDataError(error)) => Err(invalid(
                "json-shape",
                "",
                format!("Nội dung JSON không đúng cấu trúc: {}", error.body_text()),
                format!("The JSON has another shape: {}", error.body_text()),
            )),
            Err(JsonRejection::BytesRejection(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError(Error::refused(
                    Kind::TooLarge,
                    "too-large",
                    "Nội dung gửi lên vượt quá giới hạn.",
                    "The body is larger than allowed.",
                )))
            }
            Err(error) => Err(invalid(
                "json",
                "",
                format!("Không đọc được nội dung JSON: {}", error.body_text()),
                format!("The JSON cannot be read: {}", error.body_text()),
            )),
        }
    }
}

/// Longest value of a parameter of the query, in characters.
pub(super) const LONGEST_PARAMETER: usize = 1_000;

/// Parameters of the query; what cannot be read, or is longer than a thousand characters, is refused with problem details.
#[derive(Debug, Clone, Copy)]
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await {
            let mut problems = base::Problems::new();
            for (name, _) in pairs
                .iter()
                .filter(|(_, value)| value.chars().count() > LONGEST_PARAMETER)
            {
                problems.add(
                    "too-long",
                    name,
                    format!("Tham số này dài quá {LONGEST_PARAMETER} ký tự."),
                    format!("This parameter is longer than {LONGEST_PARAMETER} characters."),
                );
            }
            problems.into_result()?;
        }
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => Err(invalid(
                "query",
                "",
                format!("Tham số truy vấn không hợp lệ: {}", error.body_text()),
                format!("A query parameter is not valid: {}", error.body_text()),
            )),
        }
    }
}

/// Parts of the path; what cannot be read is a thing that is not there.
#[derive(Debug, Clone, Copy)]
pub struct ApiPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ApiPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(_) => Err(ApiError(Error::not_found("tài nguyên", "resource"))),
        }
    }
}
