//! Answering a request for papers: only what was asked for is shown.

use askama::Template;
use axum::{
    extract::{Multipart, Path, State, multipart::MultipartRejection},
    http::StatusCode,
    response::Response,
};
use base::{Error, Kind, Lang, Problems, Result};
use identity::{Purpose, Web};
use procedure::form::{Answers, Context, FieldState, Origin, PageInput, PageState, Status, render};
use view::{Link, Page, ui};

use super::{
    Portal, again, answer,
    dossier::place,
    papers::{self, Body, FileLine, at, at_a_file, parts},
    rules, settled, to, upload_id,
};
use crate::{
    model::{
        action::{MissingItem, Paper},
        command::Command,
    },
    pages::text::encoded,
    service::{DossierView, UploadState},
};

#[derive(Template)]
#[template(path = "citizen/supplement.html")]
struct Supplement {
    page: Page,
    code: String,
    path: String,
    name: String,
    version: i64,
    items: Vec<Item>,
}

/// One thing that is asked for, with the control that takes it.
struct Item {
    title: String,
    text: String,
    basis: String,
    control: Control,
}

enum Control {
    Field(render::FieldHtml),
    Paper(PaperControl),
}

struct PaperControl {
    id: String,
    accept: String,
    limits: String,
    url: String,
    /// Files that came in this answer.
    new: Vec<FileLine>,
    /// Names of the files that they will replace.
    old: Vec<String>,
}

/// What a person has sent so far.
#[derive(Default)]
struct Given {
    answers: Vec<(String, Option<serde_json::Value>)>,
    inputs: Vec<(usize, PageInput)>,
    files: Vec<(String, UploadState)>,
    problems: Problems,
}

/// What is asked for.
pub(super) async fn show(web: Web, State(portal): State<Portal>, Path(code): Path<String>) -> Response {
    answer(&web, shown(&web, &portal, &code).await)
}

async fn shown(web: &Web, portal: &Portal, code: &str) -> Result<Response> {
    let view = portal.dossiers.get_by_code(&web.ctx, code, Purpose::OwnDossier).await?;
    if view.state.open_supplement().is_none() {
        return Ok(to(format!("/dossiers/{}", encoded(&view.state.code))));
    }
    Ok(draw(web, portal, &view, &Given::default(), StatusCode::OK))
}

/// The place of an asked field in the form, and how it is asked now: what an officer asks to be corrected is typed.
fn asked_field(view: &DossierView, id: &str) -> Option<(usize, usize)> {
    let page = view.package.form.page_of(id)?;
    let (index, _) = view.package.form.page(&page.id)?;
    Some((index, page.fields.iter().position(|f| f.id == id)?))
}

fn draw(web: &Web, portal: &Portal, view: &DossierView, given: &Given, status: StatusCode) -> Response {
    let lang = web.ctx.lang;
    let mut page = web.titled("Bổ sung hồ sơ", "Send what is asked for");
    let path = format!("/dossiers/{}", encoded(&view.state.code));
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link::new(path.clone(), view.state.code.clone(), view.state.code.clone()),
    ];
    let asked = view.state.open_supplement().map_or(&[][..], |s| &s.items);
    let shown = |at: &str| {
        asked
            .iter()
            .any(|i| at == i.at || at.starts_with(&format!("{}.", i.at)))
    };
    page.problems = settled(&given.problems, shown);
    let calendar = portal.dossiers.calendar();
    let rules = rules(&portal.dossiers, &view.package, &calendar);
    let context = rules.context(&view.state.applicant, view.state.channel, web.ctx.now.legal_date());
    let items = view.state.open_supplement().map_or(&[][..], |s| &s.items);
    let items = items.iter().map(|item| Item {
        title: place(view, &item.at, lang),
        text: item.text.clone(),
        basis: item.basis.clone(),
        control: control(&page, portal, view, item, given, &context),
    });
    let template = Supplement {
        code: view.state.code.clone(),
        name: view.package.meta.name.get(lang).to_owned(),
        version: view.state.version,
        items: items.collect(),
        path,
        page,
    };
    view::html(status, &template)
}

fn control(
    page: &Page,
    portal: &Portal,
    view: &DossierView,
    item: &MissingItem,
    given: &Given,
    context: &Context<'_>,
) -> Control {
    let form = &view.package.form;
    if let Some(paper) = form.paper(&item.at) {
        let most = portal
            .dossiers
            .config()
            .largest_upload
            .min(u64::from(paper.max_mb) << 20);
        let new = given.files.iter().filter(|(at, _)| *at == paper.id);
        let old = view.state.papers.iter().filter(|p| p.paper == paper.id);
        return Control::Paper(PaperControl {
            id: paper.id.clone(),
            accept: papers::accept(paper),
            limits: papers::limits(paper, most, page.lang),
            url: format!(
                "/dossiers/{}/supplement/{}/uploads",
                encoded(&view.state.code),
                encoded(&paper.id)
            ),
            new: new.filter_map(|(_, state)| file_line(state, page.lang)).collect(),
            old: old.flat_map(|p| &p.files).map(|f| f.name.clone()).collect(),
        });
    }
    let drawn = asked_field(view, &item.at).and_then(|(index, field)| {
        let state = PageState {
            page: index,
            status: Status::Incomplete,
            fields: vec![FieldState {
                field,
                required: true,
                origin: Origin::Asked,
            }],
        };
        let input = given
            .inputs
            .iter()
            .find(|(page, _)| *page == index)
            .map(|(_, input)| input);
        render::page(page, form, &state, &view.state.answers, input, context).pop()
    });
    Control::Field(drawn.unwrap_or_else(|| render::FieldHtml {
        id: item.at.clone(),
        html: String::new(),
    }))
}

fn file_line(state: &UploadState, lang: Lang) -> Option<FileLine> {
    let file = state.file.as_ref()?;
    Some(FileLine {
        id: state.id.to_string(),
        name: file.name.clone(),
        about: papers::about(file.size, file.pages, lang),
        sha256: Some(file.sha256.clone()),
    })
}

/// Takes the answer to a request. What was uploaded stays with the form when something else is missing.
pub(super) async fn send(
    web: Web,
    State(portal): State<Portal>,
    Path(code): Path<String>,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    answer(&web, sent(&web, &portal, &code, body).await)
}

async fn sent(
    web: &Web,
    portal: &Portal,
    code: &str,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Result<Response> {
    let view = portal.dossiers.get_by_code(&web.ctx, code, Purpose::OwnDossier).await?;
    let back = format!("/dossiers/{}", encoded(&view.state.code));
    let Some(open) = view.state.open_supplement() else {
        // Sent twice: the first one counts.
        return Ok(to(back));
    };
    let mut given = Given::default();
    let body = match parts(body).await {
        Ok(body) => body,
        Err(Error::Refused(kind, problems)) => {
            given.problems = problems;
            return Ok(draw(web, portal, &view, &given, again(kind)));
        }
        Err(error) => return Err(error),
    };
    take_answers(web, portal, &view, &open.items, &body, &mut given);
    take_files(web, portal, &view, &open.items, &body, &mut given).await?;
    if super::field(&body.fields, "then") == "upload" || !given.problems.is_empty() {
        let status = if given.problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        return Ok(draw(web, portal, &view, &given, status));
    }
    let mut answers = Answers::new();
    for (id, value) in &given.answers {
        if let Some(value) = value {
            answers.set(id, value.clone());
        }
    }
    let mut sent: Vec<Paper> = Vec::new();
    for (at, state) in &given.files {
        let Some(file) = state.file.clone() else { continue };
        match sent.iter_mut().find(|p| p.paper == *at) {
            Some(paper) => paper.files.push(file),
            None => sent.push(Paper {
                paper: at.clone(),
                files: vec![file],
            }),
        }
    }
    let expected = super::field(&body.fields, "version").parse().ok();
    let command = Command::Supplement { answers, papers: sent };
    match portal.dossiers.command(&web.ctx, view.id, &command, expected).await {
        Ok(_) => Ok(to(format!("{back}?done=supplemented"))),
        Err(Error::Refused(kind @ (Kind::Invalid | Kind::Stale | Kind::Conflict), problems)) => {
            let view = portal.dossiers.get_by_code(&web.ctx, code, Purpose::OwnDossier).await?;
            if view.state.open_supplement().is_none() {
                return Ok(to(back));
            }
            given.problems = problems;
            Ok(draw(web, portal, &view, &given, again(kind)))
        }
        Err(error) => Err(error),
    }
}

/// Reads the asked fields, page by page of the form, as if their page were shown with them alone.
fn take_answers(web: &Web, portal: &Portal, view: &DossierView, items: &[MissingItem], body: &Body, given: &mut Given) {
    let calendar = portal.dossiers.calendar();
    let rules = rules(&portal.dossiers, &view.package, &calendar);
    let context = rules.context(&view.state.applicant, view.state.channel, web.ctx.now.legal_date());
    let mut pages: Vec<usize> = items
        .iter()
        .filter_map(|i| asked_field(view, &i.at))
        .map(|(page, _)| page)
        .collect();
    pages.sort_unstable();
    pages.dedup();
    for index in pages {
        let input = view
            .package
            .form
            .parse_page(index, &body.fields, &view.state.answers, &context, web.ctx.lang);
        let asked = |id: &str| items.iter().any(|i| i.at == id);
        given
            .answers
            .extend(input.changes.iter().filter(|(id, _)| asked(id)).cloned());
        given.problems.extend(input.problems.clone());
        given.inputs.push((index, input));
    }
    // What the e-ID or a formula gives cannot be typed: as it stands now it is the answer.
    for item in items {
        let known = view
            .answers
            .iter()
            .flat_map(|s| &s.rows)
            .any(|r| r.id == item.at && r.origin.fixed());
        if known && let Some(value) = view.state.answers.get(&item.at) {
            given.answers.push((item.at.clone(), Some(value.clone())));
        }
    }
}

/// Gathers files: uploaded before and named by the form, uploaded in pieces, or sent with the form.
async fn take_files(
    web: &Web,
    portal: &Portal,
    view: &DossierView,
    items: &[MissingItem],
    body: &Body,
    given: &mut Given,
) -> Result<()> {
    let procedure = &view.state.procedure.code;
    for item in items.iter().filter(|i| view.package.form.paper(&i.at).is_some()) {
        let named = format!("{}.upload", item.at);
        for (_, address) in body.fields.iter().filter(|(name, _)| *name == named) {
            let Ok(id) = upload_id(address.rsplit('/').next().unwrap_or_default()) else {
                continue;
            };
            match portal.dossiers.upload(&web.ctx, id).await {
                Ok(state) if state.file.is_some() => given.files.push((item.at.clone(), state)),
                Ok(_) => given.problems.add(
                    "upload-unfinished",
                    &item.at,
                    "Có tệp chưa tải lên xong. Chọn lại tệp đó để tải tiếp.",
                    "A file is not fully uploaded. Choose it again to continue.",
                ),
                // Taken out or not theirs: as if it had not been named.
                Err(Error::Refused(Kind::NotFound, _)) => {}
                Err(error) => return Err(error),
            }
        }
        for file in body.files.iter().filter(|f| f.field == item.at) {
            match portal
                .dossiers
                .upload_whole(&web.ctx, None, procedure, &item.at, &file.name, &file.content)
                .await
            {
                Ok(state) => given.files.push((item.at.clone(), state)),
                Err(Error::Refused(kind, why)) if at_a_file(kind) => {
                    given.problems.extend(at(&item.at, why, Some(&file.name)));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

impl Supplement {
    fn upload_name(&self, paper: &PaperControl) -> String {
        format!("{}.upload", paper.id)
    }

    fn choose(&self, paper: &PaperControl) -> &str {
        if paper.new.is_empty() {
            self.page
                .t("Chọn tệp hoặc chụp ảnh", "Choose a file or take a photograph")
        } else {
            self.page.t("Thêm tệp", "Add a file")
        }
    }
}
