//! The task list of a draft, and throwing it away.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use base::{Lang, Result, Timestamp};
use identity::Web;
use procedure::form::{Answers, PageState, Status};
use view::{Page, ui, ui::Tone};

use super::{Portal, answer_of_draft, draft_id, mine, to};
use crate::service::{DraftView, PaperView};

#[derive(Template)]
#[template(path = "citizen/draft.html")]
struct TaskList {
    page: Page,
    id: String,
    code: String,
    renewed: bool,
    saved: Timestamp,
    done: usize,
    all: usize,
    pages: Vec<Line>,
    papers: Vec<Line>,
    complete: bool,
    next: String,
}

/// One line of a task list.
pub(super) struct Line {
    pub title: String,
    pub href: String,
    pub status: String,
    pub tone: Tone,
    pub hint: Option<String>,
}

/// The task list.
pub(super) async fn show(web: Web, State(portal): State<Portal>, Path(id): Path<String>) -> Response {
    let made = list(&web, &portal, &id).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn list(web: &Web, portal: &Portal, id: &str) -> Result<Response> {
    let view = portal.dossiers.draft(&web.ctx, draft_id(id)?).await?;
    let lang = web.ctx.lang;
    let mut page = web.page.clone();
    page.title = view.package.meta.name.get(lang).to_owned();
    mine(&mut page);
    let (pages, papers) = (page_lines(&view, lang), paper_lines(&view, lang));
    let done = pages.iter().chain(&papers).filter(|l| l.tone == Tone::Good).count();
    let optional = view.papers.iter().filter(|p| !p.required && p.files.is_empty()).count();
    let template = TaskList {
        id: view.draft.id.to_string(),
        code: view.draft.procedure.clone(),
        renewed: view.renewed,
        saved: view.draft.updated_at,
        done,
        all: pages.len() + papers.len() - optional,
        complete: view.is_complete(),
        next: next_open(&view),
        pages,
        papers,
        page,
    };
    Ok(view::html(StatusCode::OK, &template))
}

/// Where somebody who comes back goes on.
pub(super) fn next_open(view: &DraftView) -> String {
    let id = view.draft.id;
    if let Some(page) = view.journey.first_open().and_then(|p| view.package.form.pages.get(p)) {
        return format!("/drafts/{id}/pages/{}", page.id);
    }
    match view.papers.iter().find(|p| !p.is_done()) {
        Some(paper) => format!("/drafts/{id}/papers/{}", paper.id),
        None => format!("/drafts/{id}/check"),
    }
}

pub(super) fn page_lines(view: &DraftView, lang: Lang) -> Vec<Line> {
    let answers = Answers::from_value(view.draft.answers.clone().into()).unwrap_or_default();
    let line = |state: &PageState| {
        let page = view.package.form.pages.get(state.page)?;
        let begun = page.fields.iter().any(|f| answers.get(&f.id).is_some());
        let (status, tone) = match state.status {
            Status::Complete => (lang.t("Đã xong", "Done"), Tone::Good),
            Status::Error => (lang.t("Cần sửa", "Needs a change"), Tone::Late),
            Status::Incomplete if begun => (lang.t("Đang khai", "Begun"), Tone::Info),
            Status::Incomplete => (lang.t("Chưa khai", "Not begun"), Tone::Neutral),
        };
        Some(Line {
            title: page.title.get(lang).to_owned(),
            href: format!("/drafts/{}/pages/{}", view.draft.id, page.id),
            status: status.to_owned(),
            tone,
            hint: None,
        })
    };
    view.journey.pages.iter().filter_map(line).collect()
}

pub(super) fn paper_lines(view: &DraftView, lang: Lang) -> Vec<Line> {
    let line = |paper: &PaperView| {
        let rule = paper.paper(&view.package)?;
        let (status, tone) = paper_status(paper, lang);
        Some(Line {
            title: rule.name.get(lang).to_owned(),
            href: format!("/drafts/{}/papers/{}", view.draft.id, paper.id),
            status,
            tone,
            hint: rule.hint.as_ref().map(|h| h.get(lang).to_owned()),
        })
    };
    view.papers.iter().filter_map(line).collect()
}

fn paper_status(paper: &PaperView, lang: Lang) -> (String, Tone) {
    let whole = paper.files.iter().filter(|f| f.file.is_some()).count();
    if whole < paper.files.len() {
        return (
            lang.t("Tải lên chưa xong", "Upload not finished").to_owned(),
            Tone::Warn,
        );
    }
    match (whole, paper.required) {
        (0, true) => (lang.t("Chưa có tệp", "No file yet").to_owned(), Tone::Neutral),
        (0, false) => (lang.t("Không bắt buộc", "Optional").to_owned(), Tone::Neutral),
        (1, _) => (lang.t("Đã có 1 tệp", "1 file").to_owned(), Tone::Good),
        (n, _) => (
            format!("{} {n} {}", lang.t("Đã có", ""), lang.t("tệp", "files"))
                .trim()
                .to_owned(),
            Tone::Good,
        ),
    }
}

#[derive(Template)]
#[template(path = "citizen/discard.html")]
struct Discard {
    page: Page,
    id: String,
    name: String,
    files: usize,
}

/// Asks once more before a draft is thrown away.
pub(super) async fn ask_discard(web: Web, State(portal): State<Portal>, Path(id): Path<String>) -> Response {
    let made = discard_page(&web, &portal, &id).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn discard_page(web: &Web, portal: &Portal, id: &str) -> Result<Response> {
    let view = portal.dossiers.draft(&web.ctx, draft_id(id)?).await?;
    let mut page = web.titled("Xóa bản nháp này?", "Delete this draft?");
    mine(&mut page);
    let template = Discard {
        page,
        id: view.draft.id.to_string(),
        name: view.package.meta.name.get(web.ctx.lang).to_owned(),
        files: view.papers.iter().map(|p| p.files.len()).sum(),
    };
    Ok(view::html(StatusCode::OK, &template))
}

/// Throws a draft away.
pub(super) async fn discard(web: Web, State(portal): State<Portal>, Path(id): Path<String>) -> Response {
    let gone = match draft_id(&id) {
        Ok(id) => portal.dossiers.discard_draft(&web.ctx, id).await,
        Err(error) => Err(error),
    };
    let gone = gone.map(|()| to("/my?done=discarded"));
    answer_of_draft(&web, &portal, &id, gone).await
}

impl TaskList {
    fn percent(&self) -> u32 {
        u32::try_from(self.done * 100 / self.all.max(1)).unwrap_or(100)
    }

    fn progress(&self) -> String {
        let (done, all) = (self.done, self.all);
        match self.page.lang {
            base::Lang::Vi => format!("Đã xong {done} trên {all} mục"),
            base::Lang::En => format!("{done} of {all} tasks done"),
        }
    }

    fn check(&self) -> String {
        format!("/drafts/{}/check", self.id)
    }
}
