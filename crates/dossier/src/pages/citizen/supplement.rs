//! Answering a request for papers: what was asked for is shown, and what the new answers bring up.

use askama::Template;
use axum::{
    extract::{Multipart, Path, State, multipart::MultipartRejection},
    http::StatusCode,
    response::Response,
};
use base::{Error, Kind, Lang, Problems, Result};
use identity::{Purpose, Web};
use procedure::form::{Answers, Context, FieldState, Origin, PageInput, PageState, SHOWN, Status, render};
use view::{
    Link, Page,
    files::{self, Filled, encoded},
    ui,
};

use super::{
    Portal, again, answer,
    dossier::place,
    papers::{self, FileLine},
    rules, settled, to, upload_id,
};
use crate::{
    model::{
        action::MissingItem,
        command::{BroughtUp, brought_up},
    },
    service::{DossierView, FilingPaper, Rule, UploadFor, UploadState},
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
    answers: Answers,
    /// What these answers bring up.
    brought: BroughtUp,
    inputs: Vec<(usize, PageInput)>,
    files: Vec<(String, UploadState)>,
    problems: Problems,
}

/// The law of the dossier, and whom it is about.
struct Law<'a> {
    view: &'a DossierView,
    context: Context<'a>,
}

impl<'a> Law<'a> {
    fn of(web: &Web, portal: &'a Portal, view: &'a DossierView, calendar: &'a base::Calendar) -> Self {
        let rules = rules(&portal.dossiers, &view.package, calendar);
        Self {
            view,
            context: rules.context(&view.state.applicant, view.state.channel, web.ctx.now.legal_date()),
        }
    }
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

/// The place of a field in the form.
fn place_of(view: &DossierView, id: &str) -> Option<(usize, usize)> {
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
    let calendar = portal.dossiers.calendar();
    let law = Law::of(web, portal, view, &calendar);
    let asked = view.state.open_supplement().map_or(&[][..], |s| &s.items);
    let brought = given.brought.fields.iter().chain(&given.brought.papers);
    let brought: Vec<&(String, bool)> = brought.filter(|(id, _)| asked.iter().all(|i| i.at != *id)).collect();
    let shown = |at: &str| {
        let within = |place: &str| at == place || at.starts_with(&format!("{place}."));
        asked.iter().any(|i| within(&i.at)) || brought.iter().any(|(id, _)| within(id))
    };
    page.problems = settled(&given.problems, shown);
    let items = asked.iter().map(|item| Item {
        title: place(view, &item.at, lang),
        text: item.text.clone(),
        basis: item.basis.clone(),
        // What an officer asks to be corrected must be answered, whatever the form says.
        control: control(&page, portal, &law, &item.at, true, given),
    });
    let because = page.t(
        "Nội dung này cần có do câu trả lời quý vị vừa sửa.",
        "This is needed because of the answer that you have just changed.",
    );
    let more = brought.iter().map(|(id, must)| Item {
        title: place(view, id, lang),
        text: because.to_owned(),
        basis: String::new(),
        control: control(&page, portal, &law, id, *must, given),
    });
    let template = Supplement {
        code: view.state.code.clone(),
        name: view.package.meta.name.get(lang).to_owned(),
        version: view.state.version,
        items: items.chain(more).collect(),
        path,
        page,
    };
    view::html(status, &template)
}

fn control(page: &Page, portal: &Portal, law: &Law<'_>, at: &str, required: bool, given: &Given) -> Control {
    let view = law.view;
    let form = &view.package.form;
    if let Some(paper) = form.paper(at) {
        let rule = Rule::of_paper(paper, portal.dossiers.config().largest_upload);
        let new = given.files.iter().filter(|(at, _)| *at == paper.id);
        let old = view.state.papers.iter().filter(|p| p.paper == paper.id);
        return Control::Paper(PaperControl {
            id: paper.id.clone(),
            accept: papers::accept(&rule),
            limits: papers::limits(&rule, page.lang),
            url: format!(
                "/dossiers/{}/supplement/{}/uploads",
                encoded(&view.state.code),
                encoded(&paper.id)
            ),
            new: new.filter_map(|(_, state)| file_line(state, page.lang)).collect(),
            old: old.flat_map(|p| &p.files).map(|f| f.name.clone()).collect(),
        });
    }
    let drawn = place_of(view, at).and_then(|(index, field)| {
        let state = PageState {
            page: index,
            status: Status::Incomplete,
            fields: vec![FieldState {
                field,
                required,
                origin: Origin::Asked,
            }],
        };
        let input = given
            .inputs
            .iter()
            .find(|(page, _)| *page == index)
            .map(|(_, input)| input);
        render::page(page, form, &state, &view.state.answers, input, &law.context, None).pop()
    });
    Control::Field(drawn.unwrap_or_else(|| render::FieldHtml {
        id: at.to_owned(),
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
    let body = match files::parts(body).await {
        Ok(body) => body,
        Err(Error::Refused(kind, problems)) => {
            given.problems = problems;
            return Ok(draw(web, portal, &view, &given, again(kind)));
        }
        Err(error) => return Err(error),
    };
    let calendar = portal.dossiers.calendar();
    let law = Law::of(web, portal, &view, &calendar);
    take_answers(web, &law, &open.items, &body, &mut given);
    let papers = view.package.form.papers.iter().map(|p| p.id.as_str());
    let wanted: Vec<&str> = papers
        .filter(|id| {
            open.items.iter().any(|i| i.at == *id) || given.brought.papers.iter().any(|(brought, _)| brought == id)
        })
        .collect();
    take_files(web, portal, &view, &wanted, &body, &mut given).await?;
    if super::field(&body.fields, "then") == "upload" || !given.problems.is_empty() {
        let status = if given.problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        return Ok(draw(web, portal, &view, &given, status));
    }
    let mut sent: Vec<FilingPaper> = Vec::new();
    for (at, state) in &given.files {
        match sent.iter_mut().find(|p| p.paper == *at) {
            Some(paper) => paper.uploads.push(state.id),
            None => sent.push(FilingPaper {
                paper: at.clone(),
                uploads: vec![state.id],
            }),
        }
    }
    let expected = super::field(&body.fields, "version").parse().ok();
    let answers = given.answers.clone();
    match portal
        .dossiers
        .supplement(&web.ctx, view.id, answers, &sent, expected)
        .await
    {
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

/// Reads the asked fields, page by page of the form, as if their page were shown with them alone; then what they bring up,
/// until nothing new comes up.
fn take_answers(web: &Web, law: &Law<'_>, items: &[MissingItem], body: &Filled, given: &mut Given) {
    let form = &law.view.package.form;
    let before = &law.view.state.answers;
    let seen = |id: &str| body.fields.iter().any(|(name, value)| name == SHOWN && value == id);
    let mut wanted: Vec<String> = items.iter().map(|i| i.at.clone()).collect();
    loop {
        let mut pages: Vec<usize> = wanted
            .iter()
            .filter_map(|at| place_of(law.view, at))
            .map(|(page, _)| page)
            .collect();
        pages.sort_unstable();
        pages.dedup();
        let mut draft = before.clone();
        given.answers = Answers::new();
        given.problems = Problems::new();
        given.inputs.clear();
        for index in pages {
            let input = form.parse_page(index, &body.fields, &draft, &law.context, web.ctx.lang);
            for (id, value) in input.changes.iter().filter(|(id, _)| wanted.contains(id)) {
                if let Some(value) = value {
                    draft.set(id, value.clone());
                    given.answers.set(id, value.clone());
                }
            }
            let at_wanted = |at: &str| wanted.iter().any(|w| at == w || at.starts_with(&format!("{w}.")));
            for problem in input.problems.iter().filter(|p| at_wanted(&p.at)) {
                given
                    .problems
                    .add(&problem.code, &problem.at, &problem.text.vi, &problem.text.en);
            }
            given.inputs.push((index, input));
        }
        given.brought = brought_up(form, before, &draft, &law.context);
        let new: Vec<String> = given
            .brought
            .fields
            .iter()
            .map(|(id, _)| id.clone())
            .filter(|id| !wanted.contains(id))
            .collect();
        if new.is_empty() {
            break;
        }
        wanted.extend(new);
    }
    // A question that nobody has seen yet is shown, not held against them.
    for (id, must) in &given.brought.fields {
        if *must && !seen(id) && given.answers.get(id).is_none() && before.get(id).is_none() {
            given.problems.add(
                "brought-up",
                id,
                "Câu trả lời mới dẫn đến câu hỏi này; vui lòng trả lời rồi gửi lại.",
                "Your new answer brings up this question; please answer it and send again.",
            );
        }
    }
    // What the e-ID or a formula gives cannot be typed: as it stands now it is the answer.
    for item in items {
        let known = law
            .view
            .answers
            .iter()
            .flat_map(|s| &s.rows)
            .any(|r| r.id == item.at && r.origin.fixed());
        if known && let Some(value) = before.get(&item.at) {
            given.answers.set(&item.at, value.clone());
        }
    }
}

/// Gathers files: uploaded before and named by the form, uploaded in pieces, or sent with the form.
async fn take_files(
    web: &Web,
    portal: &Portal,
    view: &DossierView,
    wanted: &[&str],
    body: &Filled,
    given: &mut Given,
) -> Result<()> {
    for paper in wanted {
        let named = format!("{paper}.upload");
        for (_, address) in body.fields.iter().filter(|(name, _)| *name == named) {
            let Ok(id) = upload_id(address.rsplit('/').next().unwrap_or_default()) else {
                continue;
            };
            match portal.dossiers.upload(&web.ctx, id).await {
                Ok(state) if state.paper != *paper => {}
                Ok(state) if state.file.is_some() => given.files.push(((*paper).to_owned(), state)),
                Ok(_) => given.problems.add(
                    "upload-unfinished",
                    *paper,
                    "Có tệp chưa tải lên xong. Chọn lại tệp đó để tải tiếp.",
                    "A file is not fully uploaded. Choose it again to continue.",
                ),
                // Taken out, not theirs or for another paper: as if it had not been named.
                Err(Error::Refused(Kind::NotFound, _)) => {}
                Err(error) => return Err(error),
            }
        }
        for file in body.files.iter().filter(|f| f.field == *paper) {
            match portal
                .dossiers
                .upload_whole(
                    &web.ctx,
                    UploadFor::Supplement(&view.state.code),
                    paper,
                    &file.name,
                    &file.content,
                )
                .await
            {
                Ok(state) => given.files.push(((*paper).to_owned(), state)),
                Err(Error::Refused(kind, why)) if files::is_of_file(kind) => {
                    given.problems.extend(files::at(paper, &why, Some(&file.name)));
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
