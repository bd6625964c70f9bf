//! The pages of officers who are asked by other agencies: what waits, one question with its papers, the form for the opinion.

use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, Path, State, multipart::MultipartRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use axum_extra::extract::Query;
use base::{Error, Kind, Lang, Problems, Result, Timestamp};
use identity::Web;
use jiff::civil::Date;
use procedure::process::Silence;
use serde::Deserialize;
use view::{
    Link, Page,
    files::{self, Filled},
    ui,
    ui::Tone,
};

use super::{
    AskedItem, AskedState, AskedView, Fact, GivenOpinion, Shown,
    answering::{PAGE, sentences},
};
use crate::{
    model::action::{ConsultationId, UploadId},
    pages::{
        citizen::{
            PIECE, SLACK,
            papers::{self, FileLine, about, file_line},
            upload, upload_id,
        },
        desk::{inline, left},
    },
    service::{Dossiers, Rule, Upload, UploadFor},
};

/// The name of the field that carries files.
const FILE: &str = "file";

/// `/desk/consultations…`.
pub fn router(dossiers: Dossiers) -> Router {
    let largest = usize::try_from(dossiers.config().largest_upload).unwrap_or(usize::MAX);
    let uploads = Router::new()
        .route("/desk/consultations/{id}/uploads", post(upload::begin_for_opinion))
        .route(
            "/desk/consultations/{id}/uploads/{upload}",
            get(upload::state).patch(upload::append),
        )
        .layer(DefaultBodyLimit::max(PIECE + SLACK));
    Router::new()
        .route("/desk/consultations", get(list))
        .route("/desk/consultations/{id}", get(show).post(answer))
        .layer(DefaultBodyLimit::max(largest.saturating_add(SLACK)))
        .route("/desk/consultations/{id}/papers/{sha256}", get(paper))
        .route("/desk/consultations/{id}/files/{sha256}", get(file))
        .merge(uploads)
        .with_state(dossiers)
}

/// A question in a list.
pub(crate) struct Row {
    pub href: String,
    pub asking: String,
    pub code: String,
    pub name: String,
    pub question: String,
    pub left: String,
    pub tone: Tone,
    pub due: Option<Timestamp>,
}

/// A question as lists show it: by the time that is left, or by how it ended.
pub(crate) fn row(lang: Lang, item: &AskedItem) -> Row {
    let (left, tone) = match item.state {
        AskedState::Open if item.minutes_left.is_none() => {
            (lang.t("Không có thời hạn", "No time limit").to_owned(), Tone::Neutral)
        }
        AskedState::Open => left(lang, item.minutes_left),
        state => (state.label().get(lang).to_owned(), tone(state)),
    };
    let question = &item.question;
    Row {
        href: format!("/desk/consultations/{}", item.id),
        asking: question.deciding.name.clone(),
        code: question.dossier.clone(),
        name: question.procedure.name.get(lang).to_owned(),
        question: question.question.get(lang).to_owned(),
        left,
        tone,
        due: question.due,
    }
}

const fn tone(state: AskedState) -> Tone {
    match state {
        AskedState::Open | AskedState::Sending => Tone::Info,
        AskedState::Received => Tone::Good,
        AskedState::Refused => Tone::Late,
        AskedState::Ended => Tone::Neutral,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    show: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "consult/list.html")]
struct ListPage {
    page: Page,
    past: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

async fn list(web: Web, State(dossiers): State<Dossiers>, Query(asked): Query<Asked>) -> Response {
    let made = async {
        let past = asked.show == "past";
        let shown = if past { Shown::Past } else { Shown::Open };
        let after = Some(asked.cursor.as_str()).filter(|after| !after.is_empty());
        let slice = dossiers.asked(&web.ctx, shown, after, PAGE).await?;
        let mut page = web.titled("Lấy ý kiến từ cơ quan khác", "Asked by other agencies");
        page.breadcrumbs = vec![Link::new("/desk", "Bàn làm việc", "Desk")];
        Ok::<_, Error>(ListPage {
            rows: slice.items.iter().map(|item| row(web.page.lang, item)).collect(),
            next: slice
                .next
                .map(|cursor| format!("/desk/consultations?show={}&cursor={cursor}", asked.show)),
            past,
            page,
        })
    };
    match made.await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "consult/question.html")]
struct QuestionPage {
    page: Page,
    path: String,
    asking: String,
    asker: String,
    code: String,
    name: String,
    task: String,
    question: String,
    sent: Timestamp,
    due: Option<Timestamp>,
    left: String,
    tone: Tone,
    silence: &'static str,
    facts: Vec<Fact>,
    papers: Vec<Paper>,
    open: bool,
    given: Option<Given>,
    /// How it ended at the asking node.
    ended: Option<String>,
    /// Why the opinion is not there, or was not taken.
    trouble: String,
    /// When it is sent again.
    next_at: Option<Timestamp>,
    /// What will go with the opinion.
    files: Vec<FileLine>,
    accept: String,
    limits: String,
    posted: Vec<(String, String)>,
}

struct Paper {
    title: String,
    name: String,
    about: String,
    href: String,
}

struct Given {
    agrees: String,
    opinion: String,
    document: String,
    officer: String,
    at: Timestamp,
    files: Vec<Paper>,
}

impl QuestionPage {
    fn uploads(&self) -> String {
        format!("{}/uploads", self.path)
    }

    fn removable(&self) -> Vec<ui::Choice> {
        self.files
            .iter()
            .map(|file| ui::Choice::new(&file.id, &file.name))
            .collect()
    }

    fn value(&self, name: &str) -> &str {
        first(&self.posted, name)
    }

    fn date(&self) -> String {
        let part = |name: &str| self.value(&format!("dated.{name}")).to_owned();
        match (part("year"), part("month"), part("day")) {
            (year, month, day) if !year.is_empty() => format!("{year}-{month:0>2}-{day:0>2}"),
            _ => String::new(),
        }
    }
}

fn first<'a>(posted: &'a [(String, String)], name: &str) -> &'a str {
    posted
        .iter()
        .find(|(n, _)| n == name)
        .map_or("", |(_, value)| value.trim())
}

async fn show(web: Web, State(dossiers): State<Dossiers>, Path(id): Path<String>) -> Response {
    let made = async {
        let asked = Question::load(&web, &dossiers, question_id(&id)?).await?;
        let before = asked.view.opinion.as_ref().map(posted_before).unwrap_or_default();
        Ok::<_, Error>(asked.draw(&web, before, Problems::new(), StatusCode::OK))
    };
    made.await.unwrap_or_else(|error| web.refuse(&error))
}

/// The fields of an opinion that came back to be mended.
fn posted_before(opinion: &super::wire::Opinion) -> Vec<(String, String)> {
    let mut posted = vec![
        (
            "agrees".to_owned(),
            if opinion.agrees { "yes" } else { "no" }.to_owned(),
        ),
        ("opinion".to_owned(), opinion.opinion.clone()),
        ("document".to_owned(), opinion.document.clone()),
    ];
    if let Some(date) = opinion.dated {
        posted.push(("dated.day".to_owned(), date.day().to_string()));
        posted.push(("dated.month".to_owned(), date.month().to_string()));
        posted.push(("dated.year".to_owned(), date.year().to_string()));
    }
    posted
}

/// A question with the files that will go with its opinion.
struct Question {
    view: AskedView,
    files: Vec<Upload>,
    rule: Rule,
}

impl Question {
    async fn load(web: &Web, dossiers: &Dossiers, id: ConsultationId) -> Result<Self> {
        Ok(Self {
            view: dossiers.asked_one(&web.ctx, id).await?,
            files: dossiers.opinion_files(&web.ctx, id).await?,
            rule: dossiers.opinion_rule(),
        })
    }

    fn draw(self, web: &Web, posted: Vec<(String, String)>, problems: Problems, status: StatusCode) -> Response {
        view::html(status, &question_page(web, self, posted, problems))
    }
}

fn question_page(web: &Web, asked: Question, posted: Vec<(String, String)>, problems: Problems) -> QuestionPage {
    let lang = web.page.lang;
    let Question { view, files, rule } = asked;
    let mut page = web.titled("Ý kiến theo đề nghị của cơ quan khác", "A question of another agency");
    page.breadcrumbs = vec![
        Link::new("/desk", "Bàn làm việc", "Desk"),
        Link::new(
            "/desk/consultations",
            "Lấy ý kiến từ cơ quan khác",
            "Asked by other agencies",
        ),
    ];
    page.problems = problems;
    let shown = row(lang, &view.item);
    let AskedItem {
        asker, question, state, ..
    } = view.item;
    let given = view.opinion.filter(|_| state != AskedState::Open).zip(view.answered_at);
    QuestionPage {
        page,
        open: state == AskedState::Open,
        asking: shown.asking,
        asker: asker.to_string(),
        code: shown.code,
        name: shown.name,
        task: question.task.get(lang).to_owned(),
        question: shown.question,
        sent: question.sent,
        due: question.due,
        left: shown.left,
        tone: shown.tone,
        silence: match question.silence {
            Silence::Agrees => lang.t(
                "Quá thời hạn này mà không trả lời thì quý cơ quan được coi là đã đồng ý và chịu trách nhiệm về nội dung thuộc chức năng quản lý của mình.",
                "After that, your agency is deemed to agree and is answerable for what is in its competence.",
            ),
            Silence::Unanswered => lang.t(
                "Quá thời hạn này mà chưa có ý kiến, cơ quan giải quyết tiếp tục xử lý hồ sơ; việc không trả lời không được coi là đồng ý.",
                "After that, the deciding agency goes on without your opinion; silence does not count as agreement.",
            ),
        },
        papers: question
            .papers
            .iter()
            .map(|paper| Paper {
                title: paper.title.get(lang).to_owned(),
                name: paper.name.clone(),
                about: about(paper.size, None, lang),
                href: format!("{}/papers/{}", shown.href, paper.sha256),
            })
            .collect(),
        facts: question.facts,
        given: given.map(|(opinion, at)| Given {
            agrees: match opinion.agrees {
                true => lang.t("Thống nhất", "Agrees"),
                false => lang.t("Không thống nhất", "Does not agree"),
            }
            .to_owned(),
            opinion: opinion.opinion,
            document: document(lang, &opinion.document, opinion.dated),
            officer: match opinion.officer.title.is_empty() {
                true => opinion.officer.name,
                false => format!("{}, {}", opinion.officer.name, opinion.officer.title),
            },
            at,
            files: opinion
                .files
                .into_iter()
                .map(|file| Paper {
                    title: String::new(),
                    about: about(file.size, None, lang),
                    href: format!("{}/files/{}", shown.href, file.sha256),
                    name: file.name,
                })
                .collect(),
        }),
        files: files.iter().map(|upload| file_line(upload, lang)).collect(),
        accept: papers::accept(&rule),
        limits: papers::limits(&rule, lang),
        ended: view.ended.map(|ended| {
            let at = ended.at.display();
            format!("{} ({at})", ended.how.text().get(lang))
        }),
        trouble: sentences(&view.problems, lang),
        next_at: view.next_at,
        path: shown.href,
        posted,
    }
}

fn document(lang: Lang, number: &str, dated: Option<Date>) -> String {
    match dated {
        Some(date) => format!("{number} {} {}", lang.t("ngày", "of"), date.strftime("%d/%m/%Y")),
        None => number.to_owned(),
    }
}

pub(crate) fn question_id(id: &str) -> Result<ConsultationId> {
    id.parse()
        .map_err(|_| Error::not_found("yêu cầu lấy ý kiến này", "consultation"))
}

async fn answer(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(id): Path<String>,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let done = async { answered(&web, &dossiers, question_id(&id)?, body).await };
    done.await.unwrap_or_else(|error| web.refuse(&error))
}

/// Takes files out and in as the form wishes; then, unless that was all, gives the opinion. What was typed is shown again with
/// whatever is wrong.
async fn answered(
    web: &Web,
    dossiers: &Dossiers,
    id: ConsultationId,
    body: std::result::Result<Multipart, MultipartRejection>,
) -> Result<Response> {
    let again = |kind: Kind| StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let body = match files::parts(body).await {
        Ok(body) => body,
        Err(Error::Refused(kind, problems)) => {
            let asked = Question::load(web, dossiers, id).await?;
            return Ok(asked.draw(web, Vec::new(), files::at(FILE, &problems, None), again(kind)));
        }
        Err(error) => return Err(error),
    };
    let problems = change_files(web, dossiers, id, &body).await?;
    let only_files = first(&body.fields, "then") == "files";
    if only_files || !problems.is_empty() {
        let status = match problems.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let asked = Question::load(web, dossiers, id).await?;
        return Ok(asked.draw(web, body.fields, problems, status));
    }
    let given = async {
        let files = dossiers.opinion_files(&web.ctx, id).await?;
        let given = given(&body.fields, files.iter().map(|file| file.id).collect())?;
        dossiers.answer_question(&web.ctx, id, &given).await
    };
    match given.await {
        Ok(()) => Ok(Redirect::to(&format!("/desk/consultations/{id}")).into_response()),
        Err(Error::Refused(kind @ (Kind::Invalid | Kind::Conflict), problems)) => {
            let asked = Question::load(web, dossiers, id).await?;
            Ok(asked.draw(web, body.fields, at_fields(&problems), again(kind)))
        }
        Err(error) => Err(error),
    }
}

/// Takes out the files that the form names and takes in those that came with it: what is wrong with them.
async fn change_files(web: &Web, dossiers: &Dossiers, id: ConsultationId, body: &Filled) -> Result<Problems> {
    if dossiers.asked_one(&web.ctx, id).await?.item.state != AskedState::Open {
        // Sent twice: the files of the first time count.
        return Ok(Problems::new());
    }
    for (_, upload) in body.fields.iter().filter(|(name, _)| name == "remove") {
        match dossiers.remove_upload(&web.ctx, upload_id(upload)?).await {
            // Gone already is as good as gone.
            Err(error) if error.kind() == Some(Kind::NotFound) => {}
            gone => gone?,
        }
    }
    let mut problems = Problems::new();
    for sent in &body.files {
        let stored = dossiers
            .upload_whole(&web.ctx, UploadFor::Opinion(id), "", &sent.name, &sent.content)
            .await;
        match stored {
            Ok(_) => {}
            Err(Error::Refused(kind, why)) if files::is_of_file(kind) => {
                problems.extend(files::at(FILE, &why, Some(&sent.name)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(problems)
}

/// Problems of single files stand at the one control for files.
fn at_fields(problems: &Problems) -> Problems {
    let mut settled = Problems::new();
    for problem in problems {
        let place = match problem.at.starts_with("files") {
            true => FILE,
            false => &problem.at,
        };
        settled.add(&problem.code, place, &problem.text.vi, &problem.text.en);
    }
    settled
}

/// What the form says.
fn given(posted: &[(String, String)], files: Vec<UploadId>) -> Result<GivenOpinion> {
    let mut problems = Problems::new();
    let agrees = match first(posted, "agrees") {
        "yes" => true,
        "no" => false,
        _ => {
            problems.add(
                "required",
                "agrees",
                "Chọn thống nhất hoặc không thống nhất.",
                "Choose whether you agree.",
            );
            false
        }
    };
    let parts = ["year", "month", "day"].map(|part| first(posted, &format!("dated.{part}")));
    let dated = match parts {
        ["", "", ""] => None,
        [year, month, day] => {
            let date = (|| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok())();
            if date.is_none() {
                problems.add("not-a-date", "dated", "Nhập ngày có thật.", "Enter a real date.");
            }
            date
        }
    };
    problems.into_result()?;
    Ok(GivenOpinion {
        agrees,
        opinion: first(posted, "opinion").to_owned(),
        document: first(posted, "document").to_owned(),
        dated,
        files,
    })
}

async fn file(web: Web, State(dossiers): State<Dossiers>, Path((id, sha256)): Path<(String, String)>) -> Response {
    let found = async { dossiers.opinion_file(&web.ctx, question_id(&id)?, &sha256).await };
    match found.await {
        Ok((media_type, content)) => inline(&media_type, content),
        Err(error) => web.refuse(&error),
    }
}

async fn paper(web: Web, State(dossiers): State<Dossiers>, Path((id, sha256)): Path<(String, String)>) -> Response {
    let fetched = async { dossiers.asked_paper(&web.ctx, question_id(&id)?, &sha256).await };
    match fetched.await {
        Ok(fetched) => inline(&fetched.paper.media_type, fetched.content),
        Err(error) => web.refuse(&error),
    }
}
