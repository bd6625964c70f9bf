//! Files that come with a form, and files that are given out. Neither needs JavaScript.

use axum::{
    Form,
    body::Bytes,
    extract::{
        FromRequest, Multipart, Request,
        multipart::{MultipartError, MultipartRejection},
    },
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Lang, Problems, Result};

use crate::format::{decimal, number};

/// What a form sent. A file field that was left empty is no file.
#[derive(Debug, Default)]
pub struct Filled {
    /// The names and values of its fields, in their order.
    pub fields: Vec<(String, String)>,
    /// The files.
    pub files: Vec<Sent>,
}

/// A file that came with a form.
#[derive(Debug)]
pub struct Sent {
    /// The field.
    pub field: String,
    /// The sender's name for it.
    pub name: String,
    /// Its bytes.
    pub content: Bytes,
}

/// A form with or without files, as far as it could be read, so that what was typed before a file that is too large is not lost.
#[derive(Debug)]
pub struct Posted {
    /// What could be read.
    pub form: Filled,
    /// Why the rest could not.
    pub flaw: Option<Error>,
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &S) -> std::result::Result<Self, Self::Rejection> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let has_files = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"));
        let mut form = Filled::default();
        let read = if has_files {
            let body = Multipart::from_request(request, state).await;
            read(body, &mut form).await
        } else {
            plain(request, state).await.map(|fields| form.fields = fields)
        };
        Ok(Self { form, flaw: read.err() })
    }
}

async fn plain<S: Send + Sync>(request: Request, state: &S) -> Result<Vec<(String, String)>> {
    match Form::from_request(request, state).await {
        Ok(Form(fields)) => Ok(fields),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Err(_) => Err(unreadable()),
    }
}

/// Reads a form with files.
///
/// # Errors
/// It is larger than the route takes, or no such form.
pub async fn parts(body: std::result::Result<Multipart, MultipartRejection>) -> Result<Filled> {
    let mut form = Filled::default();
    read(body, &mut form).await?;
    Ok(form)
}

async fn read(body: std::result::Result<Multipart, MultipartRejection>, into: &mut Filled) -> Result<()> {
    let mut body = body.map_err(|_| unreadable())?;
    let refused = |error: MultipartError| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            too_large()
        } else {
            unreadable()
        }
    };
    while let Some(part) = body.next_field().await.map_err(refused)? {
        let Some(field) = part.name().map(str::to_owned) else {
            continue;
        };
        match part.file_name().map(str::to_owned) {
            Some(name) => {
                let content = part.bytes().await.map_err(refused)?;
                if !(name.is_empty() && content.is_empty()) {
                    into.files.push(Sent { field, name, content });
                }
            }
            None => into.fields.push((field, part.text().await.map_err(refused)?)),
        }
    }
    Ok(())
}

/// The refusal of a form that is larger than its route takes.
pub fn too_large() -> Error {
    Error::refused(
        Kind::TooLarge,
        "too-large",
        "Dữ liệu gửi lên vượt quá dung lượng cho phép. Chụp hoặc quét lại với dung lượng nhỏ hơn, hoặc gửi từng tệp một.",
        "What was sent is larger than allowed. Take or scan it again, smaller, or send one file at a time.",
    )
}

/// The refusal of what is no form.
pub fn unreadable() -> Error {
    Error::refused(
        Kind::Invalid,
        "unreadable",
        "Không đọc được dữ liệu của biểu mẫu. Tải lại trang rồi gửi lại.",
        "The form could not be read. Reload the page and send it again.",
    )
}

/// The problems of a file at the control that sent it, each with the file's name.
pub fn at(control: &str, problems: &Problems, name: Option<&str>) -> Problems {
    let mut moved = Problems::new();
    for problem in problems {
        let (vi, en) = (problem.text.get(Lang::Vi), problem.text.get(Lang::En));
        match name {
            Some(name) => moved.add(
                &problem.code,
                control,
                format!("“{name}”: {vi}"),
                format!("“{name}”: {en}"),
            ),
            None => moved.add(&problem.code, control, vi, en),
        }
    }
    moved
}

/// Whether a refusal is about the file itself, and so stands beside it.
pub const fn is_of_file(kind: Kind) -> bool {
    matches!(kind, Kind::Invalid | Kind::TooLarge)
}

/// A number of bytes, for people: `1,2 MB`.
pub fn size(lang: Lang, bytes: u64) -> String {
    let mega = bytes as f64 / f64::from(1 << 20);
    if mega >= 0.95 {
        return format!("{} MB", decimal(lang, mega, 1));
    }
    format!(
        "{} KB",
        number(lang, i64::try_from(bytes.div_ceil(1024)).unwrap_or(i64::MAX))
    )
}

/// A file to be kept, never shown in this site: what people upload may be hostile.
pub fn attachment(name: &str, media: &str, content: Bytes) -> Response {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    // RFC 6266 with the name in the encoding of RFC 5987, and a plain one for old clients.
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", encoded(name));
    let value =
        |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, value(media));
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// A segment of a path or a value of a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_its_header() {
        let name = "Giấy \"chứng sinh\"\r\nSet-Cookie: x=1.pdf";
        let response = attachment(name, "application/pdf", Bytes::from_static(b"%PDF"));
        let value = response.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .expect("plain")
            .to_owned();
        assert!(
            value
                .starts_with("attachment; filename=\"Gi_y__ch_ng_sinh___Set-Cookie__x_1.pdf\"; filename*=UTF-8''Gi%E1"),
            "{value}"
        );
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(
            response.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .is_ok_and(|v| v.starts_with("sandbox"))
        );
    }

    #[test]
    fn sizes_read_as_people_say_them() {
        assert_eq!(size(Lang::Vi, 1), "1 KB");
        assert_eq!(size(Lang::Vi, 1_572_864), "1,5 MB");
        assert_eq!(size(Lang::En, 20 << 20), "20 MB");
    }

    async fn posted(kind: &str, body: &'static str) -> Posted {
        let request = Request::builder().method("POST").header(header::CONTENT_TYPE, kind);
        let request = request.body(axum::body::Body::from(body)).expect("a request");
        Posted::from_request(request, &()).await.expect("infallible")
    }

    #[tokio::test]
    async fn a_form_is_read_with_files_and_without() {
        let Posted { form, flaw } = posted("application/x-www-form-urlencoded", "then=add&t=%C3%81nh+1").await;
        assert!(flaw.is_none() && form.files.is_empty());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(form.fields, [pair("then", "add"), pair("t", "Ánh 1")]);

        let kind = "multipart/form-data; boundary=B";
        let empty = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n";
        let whole = format!(
            "--B\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nÁnh\r\n{empty}\
             --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF\r\n--B--\r\n"
        );
        let Posted { form, flaw } = posted(kind, whole.clone().leak()).await;
        assert!(flaw.is_none(), "{flaw:?}");
        assert_eq!(form.fields, [pair("t", "Ánh")]);
        let [file] = &form.files[..] else {
            panic!("{:?}", form.files)
        };
        assert_eq!((&*file.name, &file.content[..]), ("a.pdf", &b"%PDF"[..]));

        // What came before the flaw is there.
        let cut = whole.split("%PDF").next().expect("a part").to_owned();
        let Posted { form, flaw } = posted(kind, cut.leak()).await;
        assert!(flaw.is_some() && form.fields == [pair("t", "Ánh")], "{form:?}");
    }
}
