//! Resumable uploads, as the script of the `view` crate speaks them: POST begins, HEAD says how far, PATCH goes on.

use axum::{
    Json,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Result};
use bytes::Bytes;
use identity::{Ctx, Web};
use serde::Deserialize;
use serde_json::json;
use view::files::{encoded, too_large, unreadable};

use super::{Portal, draft_id, upload_id};
use crate::{
    consult,
    service::{Dossiers, UploadFor, UploadState},
};

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const NAME: HeaderName = HeaderName::from_static("upload-name");
const SHA256: HeaderName = HeaderName::from_static("upload-sha256");

/// The upload that an address speaks of, whatever else stands in it.
#[derive(Debug, Deserialize)]
pub(crate) struct At {
    upload: String,
}

/// Begins an upload for a paper of a draft.
pub(super) async fn begin(
    web: Web,
    State(portal): State<Portal>,
    Path((id, paper)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let begun = async {
        let id = draft_id(&id)?;
        let (name, length) = announced(&headers)?;
        let state = portal
            .dossiers
            .begin_upload(&web.ctx, UploadFor::Draft(id), &paper, &name, length)
            .await?;
        Ok((state, format!("/drafts/{id}/papers/{}/uploads", encoded(&paper))))
    };
    created(&web.ctx, begun.await)
}

/// How far an upload is.
pub(crate) async fn state(web: Web, State(dossiers): State<Dossiers>, Path(at): Path<At>) -> Response {
    told(&web.ctx, how_far(&web.ctx, &dossiers, &at.upload).await)
}

/// Takes the next piece of an upload.
pub(crate) async fn append(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(at): Path<At>,
    headers: HeaderMap,
    piece: std::result::Result<Bytes, BytesRejection>,
) -> Response {
    told(
        &web.ctx,
        appended(&web.ctx, &dossiers, &at.upload, &headers, piece).await,
    )
}

/// Begins an upload that goes with an opinion.
pub(crate) async fn begin_for_opinion(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let begun = async {
        let id = consult::pages::question_id(&id)?;
        let (name, length) = announced(&headers)?;
        let state = dossiers
            .begin_upload(&web.ctx, UploadFor::Opinion(id), "", &name, length)
            .await?;
        Ok((state, format!("/desk/consultations/{id}/uploads")))
    };
    created(&web.ctx, begun.await)
}

/// Begins an upload for a paper that was asked for.
pub(super) async fn begin_supplement(
    web: Web,
    State(portal): State<Portal>,
    Path((code, paper)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let begun = async {
        let (name, length) = announced(&headers)?;
        let state = portal
            .dossiers
            .begin_upload(&web.ctx, UploadFor::Supplement(&code), &paper, &name, length)
            .await?;
        Ok((
            state,
            format!("/dossiers/{}/supplement/{}/uploads", encoded(&code), encoded(&paper)),
        ))
    };
    created(&web.ctx, begun.await)
}

async fn how_far(ctx: &Ctx, dossiers: &Dossiers, upload: &str) -> Result<UploadState> {
    dossiers.upload(ctx, upload_id(upload)?).await
}

async fn appended(
    ctx: &Ctx,
    dossiers: &Dossiers,
    upload: &str,
    headers: &HeaderMap,
    piece: std::result::Result<Bytes, BytesRejection>,
) -> Result<UploadState> {
    let piece = piece.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => unreadable(),
    })?;
    let offset = number(headers, &OFFSET)?;
    dossiers.append_upload(ctx, upload_id(upload)?, offset, &piece).await
}

/// What the client announces: the name, percent-encoded, and the length.
fn announced(headers: &HeaderMap) -> Result<(String, i64)> {
    let name = headers.get(&NAME).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Ok((decoded(name), number(headers, &LENGTH)?))
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<i64> {
    let value = headers
        .get(name)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<i64>().ok());
    value.filter(|n| *n >= 0).ok_or_else(|| {
        Error::refused(
            Kind::Invalid,
            "upload-header",
            format!("Thiếu hoặc sai tiêu đề {name}: phải là số nguyên không âm."),
            format!("The header {name} is missing or is not a whole number."),
        )
    })
}

/// Takes percent-encoding off; what is not UTF-8 is shown with marks.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[i], hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                i += 3;
            }
            (byte, ..) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn created(ctx: &Ctx, begun: Result<(UploadState, String)>) -> Response {
    match begun {
        Ok((state, path)) => {
            let mut response = told(ctx, Ok(state.clone()));
            *response.status_mut() = StatusCode::CREATED;
            if let Ok(location) = HeaderValue::from_str(&format!("{path}/{}", state.id)) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Err(error) => refused(ctx, &error),
    }
}

fn told(ctx: &Ctx, state: Result<UploadState>) -> Response {
    match state {
        Ok(state) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let headers = response.headers_mut();
            headers.insert(OFFSET, state.offset.into());
            headers.insert(LENGTH, state.length.into());
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if let Some(hash) = state.file.and_then(|f| HeaderValue::from_str(&f.sha256).ok()) {
                headers.insert(SHA256, hash);
            }
            response
        }
        Err(error) => refused(ctx, &error),
    }
}

/// Problem details with the reasons also in one sentence of the reader's language, which the script shows.
fn refused(ctx: &Ctx, error: &Error) -> Response {
    let Some((kind, problems)) = error.kind().zip(error.problems()) else {
        return identity::problem_response(error);
    };
    let texts: Vec<&str> = problems.iter().map(|p| p.text.get(ctx.lang)).collect();
    let status = super::again(kind);
    let body = json!({
        "type": "about:blank",
        "title": ctx.t("Tệp không được nhận", "The file was not accepted"),
        "status": status.as_u16(),
        "detail": texts.join(" "),
        "problems": problems,
    });
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_script_writes_them() {
        assert_eq!(
            decoded("Gi%E1%BA%A5y%20ch%E1%BB%A9ng%20sinh.pdf"),
            "Giấy chứng sinh.pdf"
        );
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%ff%zz"), "\u{fffd}%zz");
    }
}
