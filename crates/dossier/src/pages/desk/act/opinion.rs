//! The opinion of a consulted agency.

use askama::Template;
use axum::{
    extract::{Multipart, Path, State, multipart::MultipartRejection},
    response::Response,
};
use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Permission, Scope, Web};
use procedure::process::Silence;
use view::{
    Link, Page,
    files::{self, Sent},
    ui,
};

use super::{
    super::dossier::{load, no_step, place},
    first, led_on, small_page,
};
use crate::{
    consult::MOST_FILES,
    model::{
        action::File,
        command::{Command, Opinion},
    },
    pages::citizen::papers,
    service::{DossierView, Dossiers, question, silence},
};

/// The name of the field that carries files.
const FILE: &str = "file";

#[derive(Template)]
#[template(path = "desk/opinion.html")]
struct OpinionPage {
    page: Page,
    action: String,
    back: String,
    version: i64,
    name: String,
    question: String,
    asking: String,
    due: Option<Timestamp>,
    /// What it means when the time has passed without an answer.
    silence: &'static str,
    sections: Vec<procedure::form::SummarySection>,
    papers: Vec<(String, String, String)>,
    accept: String,
    limits: String,
    posted: Vec<(String, String)>,
    open: bool,
    /// The reader is of the deciding agency and records what came by another way.
    by_hand: bool,
}

impl OpinionPage {
    fn value(&self, name: &str) -> &str {
        first(&self.posted, name)
    }
}

fn opinion_page(
    web: &Web,
    dossiers: &Dossiers,
    view: &DossierView,
    sent_by: &str,
    posted: Vec<(String, String)>,
    problems: Problems,
) -> Result<OpinionPage> {
    let lang = web.page.lang;
    let asked = view
        .state
        .consultations
        .iter()
        .rev()
        .find(|c| c.sent_by == sent_by)
        .ok_or_else(no_step)?;
    let base = format!("/desk/dossiers/{}", view.state.code);
    let asked_agency = Scope::Agency(dossiers.consulted_agency(&asked.agency));
    let by_hand = dossiers.is_elsewhere(&asked.agency) && !web.ctx.may(Permission::AnswerConsultation, &asked_agency);
    let mut page = match by_hand {
        true => web.titled(
            "Ghi nhận ý kiến nhận bằng văn bản",
            "Record an opinion that came in writing",
        ),
        false => web.titled("Trả lời ý kiến phối hợp", "Answer a consultation"),
    };
    page.breadcrumbs = vec![Link::new("/desk", "Bàn làm việc", "Desk")];
    page.problems = problems;
    Ok(OpinionPage {
        page,
        action: format!("{base}/consultations/{sent_by}"),
        back: match by_hand {
            true => base.clone(),
            false => "/desk".to_owned(),
        },
        by_hand,
        version: view.state.version,
        name: view.package.meta.name.get(lang).to_owned(),
        question: question(&view.package, sent_by).get(lang).to_owned(),
        asking: dossiers.agency_name(&view.state.agency).to_owned(),
        due: asked.due_at,
        silence: match silence(&view.package, sent_by) {
            Silence::Agrees => lang.t(
                "Quá thời hạn này mà không trả lời thì quý cơ quan được coi là đã đồng ý và chịu trách nhiệm về nội dung thuộc chức năng quản lý của mình.",
                "After that, your agency is deemed to agree and is answerable for what is in its competence.",
            ),
            Silence::Unanswered => lang.t(
                "Quá thời hạn này mà chưa có ý kiến, cơ quan giải quyết tiếp tục xử lý hồ sơ; việc không trả lời không được coi là đồng ý.",
                "After that, the deciding agency goes on without your opinion; silence does not count as agreement.",
            ),
        },
        open: asked.token.is_some(),
        sections: view.answers.clone(),
        papers: view
            .state
            .papers
            .iter()
            .flat_map(|p| {
                p.files.iter().map(|f| {
                    (
                        place(view, &p.paper, lang),
                        f.name.clone(),
                        format!("{base}/files/{}", f.sha256),
                    )
                })
            })
            .collect(),
        accept: papers::accept(&dossiers.opinion_rule()),
        limits: papers::limits(&dossiers.opinion_rule(), lang),
        posted,
    })
}

pub(in crate::pages::desk) async fn ask_opinion(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, sent_by)): Path<(String, String)>,
) -> Response {
    let made = async {
        let view = load(&web, &dossiers, &code).await?;
        opinion_page(&web, &dossiers, &view, &sent_by, Vec::new(), Problems::new())
    };
    small_page(&web, made.await)
}

pub(in crate::pages::desk) async fn answer(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, sent_by)): Path<(String, String)>,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let view = match load(&web, &dossiers, &code).await {
        Ok(view) => view,
        Err(error) => return web.refuse(&error),
    };
    let mut posted = Vec::new();
    let done = async {
        let body = files::parts(body).await?;
        posted = body.fields;
        let command = Command::AnswerConsultation(Opinion {
            sent_by: sent_by.clone(),
            agrees: agrees(&posted)?,
            opinion: first(&posted, "opinion").to_owned(),
            document: first(&posted, "document").to_owned(),
            files: judged(&dossiers, &body.files).await?,
            ..Opinion::default()
        });
        // An opinion holds whatever else has happened to the dossier meanwhile.
        dossiers.command(&web.ctx, view.id, &command, None).await
    };
    let done = done.await;
    let handles = web.ctx.may(
        Permission::ReadAgencyDossiers,
        &Scope::Agency(view.state.agency.clone()),
    );
    let next = match handles {
        true => format!("/desk/dossiers/{code}"),
        false => "/desk".to_owned(),
    };
    led_on(&web, &dossiers, &code, &next, done, |problems| {
        opinion_page(&web, &dossiers, &view, &sent_by, posted, problems)
    })
    .await
}

/// The files that came with the form, judged and stored.
async fn judged(dossiers: &Dossiers, sent: &[Sent]) -> Result<Vec<File>> {
    let (rule, mut files, mut problems) = (dossiers.opinion_rule(), Vec::<File>::new(), Problems::new());
    for one in sent {
        match dossiers.judge_and_keep(&one.name, one.content.to_vec(), &rule).await {
            Ok(file) if files.iter().any(|known| known.sha256 == file.sha256) => {}
            Ok(file) => files.push(file),
            Err(Error::Refused(kind, why)) if files::is_of_file(kind) => {
                problems.extend(files::at(FILE, &why, Some(&one.name)));
            }
            Err(error) => return Err(error),
        }
    }
    if files.len() > MOST_FILES {
        problems.add(
            "too-many-files",
            FILE,
            format!("Tối đa {MOST_FILES} tệp. Ghép các trang vào một tệp."),
            format!("At most {MOST_FILES} files. Put the pages into one file."),
        );
    }
    problems.into_result()?;
    Ok(files)
}

fn agrees(posted: &[(String, String)]) -> Result<bool> {
    match first(posted, "agrees") {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => {
            let mut problems = Problems::new();
            problems.add(
                "required",
                "agrees",
                "Chọn thống nhất hoặc không thống nhất.",
                "Choose whether you agree.",
            );
            Err(Error::Refused(Kind::Invalid, problems))
        }
    }
}
