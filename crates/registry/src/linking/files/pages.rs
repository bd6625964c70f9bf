//! The steward's pages of files: those that were brought, one of them, one of its rows beside a record.

mod line;
mod one;

use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, Path, Query as Asked, State as Extract, multipart::MultipartRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base::{Error, Kind, Problems, Result};
use identity::Web;
use serde::Deserialize;
use view::{
    Link, Page,
    ui::{self, Tone},
};

use super::{File, FileId, FileState, KEPT_DAYS, LARGEST, MOST_ROWS, Upload, no_file, put};
use crate::{
    linking::pages::{find, titled},
    model::Registry,
    service::Registries,
};

/// Files, or rows, of a page.
const PAGE: u32 = 25;
/// Bytes of a form beside its file.
const SLACK: usize = 64 * 1024;

/// The routes.
pub fn router(registries: Registries) -> Router {
    let upload = get(list).post(upload).layer(DefaultBodyLimit::max(LARGEST + SLACK));
    Router::new()
        .route("/registries/{code}/files", upload)
        .route("/registries/{code}/files/{id}", get(one::look).post(one::act))
        .route("/registries/{code}/files/{id}/result.csv", get(one::result))
        .route(
            "/registries/{code}/files/{id}/rows/{n}",
            get(line::look).post(line::decide),
        )
        .with_state(registries)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    cursor: String,
}

#[derive(Template)]
#[template(path = "registry/files.html")]
struct Files {
    page: Page,
    action: String,
    pairs: String,
    files: Vec<Item>,
    first: Option<String>,
    next: Option<String>,
    declared: bool,
    limits: String,
    days: i64,
    /// What was typed, after a refusal.
    basis: String,
    note: String,
}

struct Item {
    href: String,
    name: String,
    state: String,
    tone: Tone,
    put: String,
    figures: String,
}

async fn list(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path(code): Path<String>,
    Asked(place): Asked<Place>,
) -> Response {
    match all(&registries, &web, &code, &place, Upload::default(), Problems::new()).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn upload(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path(code): Path<String>,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let mut said = Upload::default();
    let done = async {
        let registry = find(&registries, &code)?;
        // Nobody sends fifty megabytes to hear then that they may not.
        registries.files(&web.ctx, &registry.code, None, 1).await?;
        fill(&mut said, body).await?;
        registries.put_file(&web.ctx, &registry.code, said.clone()).await
    };
    match done.await {
        Ok(id) => Redirect::to(&format!("/registries/{code}/files/{id}")).into_response(),
        Err(Error::Refused(kind, problems)) if matches!(kind.status(), 409 | 413 | 422) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            match all(&registries, &web, &code, &Place::default(), said, problems).await {
                Ok(page) => view::html(status, &page),
                Err(error) => web.refuse(&error),
            }
        }
        Err(error) => web.refuse(&error),
    }
}

/// Reads the form.
async fn fill(said: &mut Upload, body: std::result::Result<Multipart, MultipartRejection>) -> Result<()> {
    let mut body = body.map_err(|_| unreadable())?;
    let refused = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => put::too_large(),
        _ => unreadable(),
    };
    while let Some(part) = body.next_field().await.map_err(refused)? {
        match part.name().unwrap_or_default() {
            "basis" => said.basis = part.text().await.map_err(refused)?,
            "note" => said.note = part.text().await.map_err(refused)?,
            "file" => {
                part.file_name().unwrap_or_default().clone_into(&mut said.name);
                said.content = part.bytes().await.map_err(refused)?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn all(
    registries: &Registries,
    web: &Web,
    code: &str,
    place: &Place,
    said: Upload,
    problems: Problems,
) -> Result<Files> {
    let registry = find(registries, code)?;
    let after = Some(place.cursor.as_str()).filter(|cursor| !cursor.is_empty());
    let listed = registries.files(&web.ctx, &registry.code, after, PAGE).await?;
    let mut page = titled(web, &registry);
    page.title = page
        .t("So sánh tệp với cơ sở dữ liệu", "Compare a file with the registry")
        .to_owned();
    page.problems = problems;
    let address = format!("/registries/{code}/files");
    let (most, rows) = (LARGEST / 1024 / 1024, page.number(MOST_ROWS));
    let (vi, en) = (
        format!(
            "CSV (UTF-8, TCVN3, VNI), XLSX hoặc Parquet; tối đa {most} MB và {rows} dòng; dòng đầu là tiêu đề cột."
        ),
        format!("CSV (UTF-8, TCVN3, VNI), XLSX or Parquet; at most {most} MB and {rows} rows; headings first."),
    );
    Ok(Files {
        pairs: format!("/registries/{code}/pairs"),
        files: listed.items.into_iter().map(|file| item(&page, code, file)).collect(),
        first: after.map(|_| address.clone()),
        next: listed.next.map(|next| format!("{address}?cursor={next}")),
        declared: registry.duplicates.is_some(),
        limits: page.t(&vi, &en).to_owned(),
        days: KEPT_DAYS,
        basis: said.basis,
        note: said.note,
        action: address,
        page,
    })
}

fn item(page: &Page, code: &str, file: File) -> Item {
    let name = named(page, &file);
    let figures = &file.figures;
    let (vi, en) = (
        format!(
            "{}/{} dòng đã so sánh; {} rõ ràng, {} cần xem xét, {} không có ứng viên, {} không so sánh được; đã nhận {}",
            file.done, file.total, figures.clear, figures.possible, figures.lone, figures.unread, figures.same
        ),
        format!(
            "{}/{} rows compared; {} clear, {} to be judged, {} without candidate, {} not comparable; {} taken",
            file.done, file.total, figures.clear, figures.possible, figures.lone, figures.unread, figures.same
        ),
    );
    Item {
        href: format!("/registries/{code}/files/{}", file.id),
        name,
        state: page.text(&file.state.label()).to_owned(),
        tone: tone(file.state),
        put: format!("{}, {}", file.put.0.display(), file.put.1),
        figures: page.t(&vi, &en).to_owned(),
    }
}

/// What a file is called on pages.
fn named(page: &Page, file: &File) -> String {
    match file.state {
        FileState::Removed => page
            .t("Tệp đã xóa các dòng", "A file whose rows are removed")
            .to_owned(),
        _ => file.name.clone(),
    }
}

const fn tone(state: FileState) -> Tone {
    match state {
        FileState::Columns | FileState::Cancelled => Tone::Warn,
        FileState::Comparing => Tone::Info,
        FileState::Done => Tone::Good,
        FileState::Removed => Tone::Neutral,
    }
}

/// A page of one file.
fn below(web: &Web, registry: &Registry) -> Page {
    let mut page = titled(web, registry);
    page.breadcrumbs.push(Link::new(
        format!("/registries/{}/files", registry.code),
        "So sánh tệp",
        "Files",
    ));
    page
}

fn file_id(text: &str) -> Result<FileId> {
    text.parse().map_err(|_| no_file())
}

fn unreadable() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "upload",
        "file",
        "Không đọc được tệp gửi lên; chọn lại tệp rồi gửi lại.",
        "The upload cannot be read; choose the file again and send it.",
    );
    Error::Refused(Kind::Invalid, problems)
}
