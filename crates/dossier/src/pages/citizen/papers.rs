//! One paper of a draft: what it is, and its files.

use askama::Template;
use axum::{
    extract::{Multipart, Path, State, multipart::MultipartRejection},
    http::StatusCode,
    response::Response,
};
use axum_extra::extract::Query;
use base::{Error, Lang, Problems, Result};
use identity::Web;
use papers::Format;
use procedure::form::{Paper, PaperKind};
use view::{
    Link, Page,
    files::{self, encoded},
    ui,
};

use super::{Portal, again, answer, answer_of_draft, draft_id, field, forms::From, to, upload_id};
use crate::{
    service::{DraftView, PaperView, Rule, UploadFor},
    store::uploads::Upload,
};

/// The name of the field that carries files.
const FILE: &str = "file";

#[derive(Template)]
#[template(path = "citizen/paper.html")]
struct PaperPage {
    page: Page,
    id: String,
    slug: String,
    from: String,
    back: String,
    name: String,
    hint: Option<String>,
    required: bool,
    facts: Vec<(String, String)>,
    show_only: bool,
    accept: String,
    limits: String,
    files: Vec<FileLine>,
}

/// A file as pages list it.
pub(crate) struct FileLine {
    pub id: String,
    pub name: String,
    pub about: String,
    pub sha256: Option<String>,
}

/// The page of a paper.
pub(super) async fn show(
    web: Web,
    State(portal): State<Portal>,
    Path((id, paper)): Path<(String, String)>,
    Query(from): Query<From>,
) -> Response {
    let made = shown(&web, &portal, &id, &paper, &from).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn shown(web: &Web, portal: &Portal, id: &str, paper: &str, from: &From) -> Result<Response> {
    let view = portal.dossiers.draft(&web.ctx, draft_id(id)?).await?;
    draw(web, portal, &view, paper, &from.from, Problems::new(), StatusCode::OK)
}

fn draw(
    web: &Web,
    portal: &Portal,
    view: &DraftView,
    slug: &str,
    from: &str,
    problems: Problems,
    status: StatusCode,
) -> Result<Response> {
    let id = view.draft.id;
    let paper = view.package.form.paper(slug).ok_or_else(no_paper)?;
    let Some(here) = view.papers.iter().find(|p| p.id == slug) else {
        return Ok(to(format!("/drafts/{id}")));
    };
    let lang = web.ctx.lang;
    let mut page = web.page.clone();
    page.title = paper.name.get(lang).to_owned();
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link {
            href: format!("/drafts/{id}"),
            label: view.package.meta.name.clone(),
        },
    ];
    page.problems = problems;
    let rule = Rule::of_paper(paper, portal.dossiers.config().largest_upload);
    let template = PaperPage {
        id: id.to_string(),
        slug: slug.to_owned(),
        from: from.to_owned(),
        back: if from == "check" {
            format!("/drafts/{id}/check")
        } else {
            format!("/drafts/{id}")
        },
        name: view.package.meta.name.get(lang).to_owned(),
        hint: paper.hint.as_ref().map(|h| h.get(lang).to_owned()),
        required: here.required,
        facts: facts(paper, lang),
        show_only: paper.kind == PaperKind::Show,
        accept: accept(&rule),
        limits: limits(&rule, lang),
        files: here.files.iter().map(|f| file_line(f, lang)).collect(),
        page,
    };
    Ok(view::html(status, &template))
}

/// What the file chooser offers.
pub(crate) fn accept(rule: &Rule) -> String {
    rule.accept.iter().map(|f| f.endings()).collect::<Vec<_>>().join(",")
}

/// Formats, size and pages in one sentence.
pub(crate) fn limits(rule: &Rule, lang: Lang) -> String {
    let names: Vec<&str> = rule.accept.iter().copied().map(Format::name).collect();
    let (names, size, pages) = (names.join(", "), files::size(lang, rule.largest), rule.most_pages);
    match lang {
        Lang::Vi => format!("Nhận tệp {names}; mỗi tệp không quá {size} và {pages} trang."),
        Lang::En => format!("{names}; at most {size} and {pages} pages a file."),
    }
}

fn facts(paper: &Paper, lang: Lang) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |vi: &str, en: &str, value: String| facts.push((lang.t(vi, en).to_owned(), value));
    if !paper.basis.is_empty() {
        add("Căn cứ", "Legal ground", paper.basis.clone());
    }
    if let Some(code) = &paper.code {
        add("Mã giấy tờ", "Code", code.clone());
    }
    facts
}

pub(crate) fn file_line(upload: &Upload, lang: Lang) -> FileLine {
    let about = match &upload.file {
        Some(file) => about(file.size, file.pages, lang),
        None => {
            let percent = upload.received.saturating_mul(100) / upload.declared_size.max(1);
            let text = lang.t("Tải lên chưa xong", "Not finished");
            format!(
                "{text} ({percent} %). {}",
                lang.t(
                    "Chọn lại đúng tệp này để tải tiếp, hoặc xóa.",
                    "Choose the same file again to continue, or remove it."
                )
            )
        }
    };
    FileLine {
        id: upload.id.to_string(),
        name: upload.name.clone(),
        about,
        sha256: upload.file.as_ref().map(|f| f.sha256.clone()),
    }
}

/// `1,2 MB · 3 trang`.
pub(crate) fn about(size: u64, pages: Option<u32>, lang: Lang) -> String {
    let size = files::size(lang, size);
    match pages {
        Some(1) => format!("{size} · {}", lang.t("1 trang", "1 page")),
        Some(n) => format!("{size} · {n} {}", lang.t("trang", "pages")),
        None => size,
    }
}

/// Takes files that came with the form, and goes on.
pub(super) async fn send(
    web: Web,
    State(portal): State<Portal>,
    Path((id, paper)): Path<(String, String)>,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let made = sent(&web, &portal, &id, &paper, body).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn sent(
    web: &Web,
    portal: &Portal,
    id: &str,
    slug: &str,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Result<Response> {
    let id = draft_id(id)?;
    let view = portal.dossiers.draft(&web.ctx, id).await?;
    let body = match files::parts(body).await {
        Ok(body) => body,
        Err(Error::Refused(kind, problems)) => {
            return draw(web, portal, &view, slug, "", at_file(&problems, None), again(kind));
        }
        Err(error) => return Err(error),
    };
    let from = field(&body.fields, "from").to_owned();
    let mut problems = Problems::new();
    let mut worst = None;
    for sent in &body.files {
        let stored = portal
            .dossiers
            .upload_whole(&web.ctx, UploadFor::Draft(id), slug, &sent.name, &sent.content)
            .await;
        match stored {
            Ok(_) => {}
            Err(Error::Refused(kind, why)) if files::is_of_file(kind) => {
                worst = Some(worst.map_or(kind, |_| base::Kind::Invalid));
                problems.extend(at_file(&why, Some(&sent.name)));
            }
            Err(error) => return Err(error),
        }
    }
    let view = portal.dossiers.draft(&web.ctx, id).await?;
    let adding = field(&body.fields, "then") == "add";
    let here = view.papers.iter().find(|p| p.id == slug);
    if problems.is_empty() && adding && body.files.is_empty() {
        problems.add("required", FILE, "Chọn tệp cần tải lên.", "Choose a file to upload.");
    } else if problems.is_empty() && !adding && here.is_some_and(|p| !p.is_done()) {
        problems.add(
            "required",
            FILE,
            "Giấy tờ này là bắt buộc. Tải lên ít nhất một tệp, hoặc quay lại danh sách để làm sau.",
            "This paper is required. Upload at least one file, or go back to the list and do it later.",
        );
    }
    if !problems.is_empty() {
        return draw(
            web,
            portal,
            &view,
            slug,
            &from,
            problems,
            again(worst.unwrap_or(base::Kind::Invalid)),
        );
    }
    if adding {
        let query = if from == "check" { "?from=check" } else { "" };
        return Ok(to(format!("/drafts/{id}/papers/{slug}{query}")));
    }
    Ok(to(after(&view, slug, from == "check")))
}

/// The next paper, then the check.
fn after(view: &DraftView, slug: &str, check: bool) -> String {
    let id = view.draft.id;
    let next = view.papers.iter().skip_while(|p| p.id != slug).nth(1);
    match next.filter(|_| !check) {
        Some(PaperView { id: next, .. }) => format!("/drafts/{id}/papers/{next}"),
        None if check || view.is_complete() => format!("/drafts/{id}/check"),
        None => format!("/drafts/{id}"),
    }
}

/// Takes a file out.
pub(super) async fn remove(
    web: Web,
    State(portal): State<Portal>,
    Path((id, paper, upload)): Path<(String, String, String)>,
) -> Response {
    let gone = match upload_id(&upload) {
        Ok(upload) => portal.dossiers.remove_upload(&web.ctx, upload).await,
        Err(error) => Err(error),
    };
    // Gone already is as good as gone.
    let gone = match gone {
        Err(error) if error.kind() == Some(base::Kind::NotFound) => Ok(()),
        other => other,
    };
    let back = draft_id(&id).map(|id| format!("/drafts/{id}/papers/"));
    answer(
        &web,
        gone.and(back).map(|back| to(format!("{back}{}", encoded(&paper)))),
    )
}

fn at_file(problems: &Problems, name: Option<&str>) -> Problems {
    files::at(FILE, problems, name)
}

fn no_paper() -> Error {
    Error::not_found("thành phần hồ sơ này", "paper")
}

impl PaperPage {
    fn uploads(&self) -> String {
        format!("/drafts/{}/papers/{}/uploads", self.id, self.slug)
    }
}

impl PaperPage {
    fn files_path(&self) -> String {
        format!("/drafts/{}/papers/{}/files", self.id, self.slug)
    }

    fn label(&self) -> &str {
        if self.files.is_empty() {
            self.page
                .t("Chọn tệp hoặc chụp ảnh", "Choose a file or take a photograph")
        } else {
            self.page.t("Thêm tệp", "Add a file")
        }
    }
}
