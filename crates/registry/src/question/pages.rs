//! Pages: the approved questions of this node, what each tells and on which ground, how often it was asked; and a question asked by hand,
//! for whoever reads registries for the agency that answers for it.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use base::{Error, Lang, Result};
use identity::Web;
use serde_json::{Map, Value};
use view::{
    Link, Page,
    ui::{self, Tone},
};

use super::{
    AnswerKind, Question,
    service::{Answered, ByHand, Figures, Outcome, Questions},
};

/// The routes.
pub fn router(questions: Questions) -> Router {
    Router::new()
        .route("/registries/questions", get(all))
        // Numbers of persons stand in the body of a form, not in addresses that are kept in histories and logs.
        .route("/registries/questions/{code}", get(one).post(ask))
        .with_state(questions)
}

#[derive(Template)]
#[template(path = "registry/questions.html")]
struct All {
    page: Page,
    questions: Vec<Item>,
}

struct Item {
    href: String,
    name: String,
    summary: String,
    owner: ui::Values,
    purpose: String,
    figures: String,
}

async fn all(State(questions): State<Questions>, web: Web) -> Response {
    let mut page = web.titled("Câu hỏi liên cơ quan", "Questions over several agencies");
    page.breadcrumbs = vec![Link::new("/registries", "Cơ sở dữ liệu", "Registries")];
    let figures = match questions.figures(web.ctx.now).await {
        Ok(figures) => figures,
        Err(error) => return web.refuse(&error),
    };
    let item = |question: &Question| Item {
        href: address(question),
        name: page.text(&question.name).to_owned(),
        summary: page.text(&question.summary).to_owned(),
        owner: owner(&questions, question, &web),
        purpose: question.purpose.to_string(),
        figures: told(
            figures.get(question.code.as_str()).copied().unwrap_or_default(),
            page.lang,
        ),
    };
    let questions = questions.all().map(item).collect();
    view::html(StatusCode::OK, &All { page, questions })
}

/// The name of the agency that answers for a question, and its code.
fn owner(questions: &Questions, question: &Question, web: &Web) -> ui::Values {
    let today = web.ctx.now.legal_date();
    ui::values([questions.shelf().agency(&question.owner, today, web.page.lang)])
}

/// How often it was asked, in a sentence.
fn told(figures: Figures, lang: Lang) -> String {
    let Figures {
        answered,
        undecided,
        silent,
        refused,
    } = figures;
    let asked = answered + undecided + silent + refused;
    match (asked, lang) {
        (0, Lang::Vi) => "chưa được hỏi lần nào".to_owned(),
        (0, Lang::En) => "not asked yet".to_owned(),
        (_, Lang::Vi) => format!(
            "{asked} lần hỏi: {answered} lần có câu trả lời, {undecided} lần dữ liệu chưa đủ để kết luận, {silent} lần thiếu dữ liệu của cơ quan khác, {refused} lần bị từ chối"
        ),
        (_, Lang::En) => format!(
            "asked {asked} times: answered {answered}, undecided {undecided}, a registry silent {silent}, refused {refused}"
        ),
    }
}

#[derive(Template)]
#[template(path = "registry/question.html")]
struct One {
    page: Page,
    summary: String,
    owner: ui::Values,
    purpose: String,
    basis: String,
    asks: Vec<String>,
    version: u32,
    figures: String,
    answer: Option<Shown>,
    /// What is to be said, for who may ask.
    form: Option<Vec<ui::Field>>,
    action: String,
}

/// An answer as it is shown.
struct Shown {
    tone: Tone,
    title: String,
    reason: String,
    rows: Vec<(&'static str, String)>,
    /// Where the versions stand on which it rests, for who audits.
    evidence: String,
}

async fn one(State(questions): State<Questions>, web: Web, Path(code): Path<String>) -> Response {
    match questions.get(&code) {
        Ok(question) => show(&questions, &web, question, &BTreeMap::new(), Ok(None)).await,
        Err(error) => web.refuse(&error),
    }
}

async fn ask(
    State(questions): State<Questions>,
    web: Web,
    Path(code): Path<String>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Response {
    let question = match questions.get(&code) {
        Ok(question) => question,
        Err(error) => return web.refuse(&error),
    };
    let text = |name: &str| typed.get(name).map(|text| text.trim()).unwrap_or_default();
    let given = question
        .inputs
        .iter()
        .map(|input| (input.id.to_string(), text(input.id.as_str())));
    let inputs: Map<String, Value> = given
        .filter(|(_, text)| !text.is_empty())
        .map(|(id, text)| (id, text.into()))
        .collect();
    let said = ByHand {
        purpose: text("purpose"),
        dossier: text("dossier"),
        as_of: text("as_of"),
        known_at: text("known_at"),
    };
    let answered = questions.ask_by_hand(&web.ctx, &code, &inputs, said).await;
    show(&questions, &web, question, &typed, answered.map(Some)).await
}

async fn show(
    questions: &Questions,
    web: &Web,
    question: &Question,
    typed: &BTreeMap<String, String>,
    answered: Result<Option<Answered>>,
) -> Response {
    let mut page = web.titled(&question.name.vi, &question.name.en);
    page.breadcrumbs = vec![
        Link::new("/registries", "Cơ sở dữ liệu", "Registries"),
        Link::new(
            "/registries/questions",
            "Câu hỏi liên cơ quan",
            "Questions over several agencies",
        ),
    ];
    let may_ask = questions.may_ask(&web.ctx, question);
    let (status, answered) = match answered {
        Ok(answered) => (StatusCode::OK, answered),
        Err(Error::Refused(kind, problems)) if may_ask => {
            page.problems = problems;
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            (status, None)
        }
        Err(error) => return web.refuse(&error),
    };
    let figures = match questions.figures(web.ctx.now).await {
        Ok(figures) => figures,
        Err(error) => return web.refuse(&error),
    };
    let law = |basis: &crate::model::Basis| format!("{}, {}", basis.text, basis.article);
    let made = One {
        summary: page.text(&question.summary).to_owned(),
        owner: owner(questions, question, web),
        purpose: question.purpose.to_string(),
        basis: question.basis.iter().map(law).collect::<Vec<_>>().join("; "),
        asks: question.facts.iter().map(|fact| fact.ask.to_string()).collect(),
        version: question.version,
        figures: told(
            figures.get(question.code.as_str()).copied().unwrap_or_default(),
            page.lang,
        ),
        answer: answered.map(|answered| shown(&page, question, answered)),
        form: may_ask.then(|| fields(&page, question, typed)),
        action: address(question),
        page,
    };
    view::html(status, &made)
}

/// What whoever asks has to say: the inputs, the dossier, and that it is for the purpose of the question; and of when, if not of now.
fn fields(page: &Page, question: &Question, typed: &BTreeMap<String, String>) -> Vec<ui::Field> {
    let value = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let input = |input: &super::Input| {
        let field = ui::input(page, &input.id, page.text(&input.name)).value(value(input.id.as_str()));
        field.required(true).width(20)
    };
    let (purpose, lang) = (&question.purpose, page.lang);
    let dossier = ui::input(page, "dossier", page.t("Mã hồ sơ", "Dossier"))
        .value(value("dossier"))
        .hint(page.t("Ví dụ H42.28-260821-0001", "For example H42.28-260821-0001"));
    let said = match lang {
        Lang::Vi => format!("Tôi hỏi cho mục đích {purpose} của hồ sơ này"),
        Lang::En => format!("I ask for the purpose {purpose} of this dossier"),
    };
    let purpose = ui::checkboxes(
        page,
        "purpose",
        page.t("Mục đích", "Purpose"),
        [ui::Choice::new(purpose, said)],
    );
    let as_of = ui::input(page, "as_of", page.t("Vào ngày", "As of"))
        .value(value("as_of"))
        .hint(page.t("31/12/2025; để trống là hôm nay", "31/12/2025; today if left empty"));
    let known_at = ui::input(page, "known_at", page.t("Theo hiểu biết tại thời điểm", "As known at"))
        .value(value("known_at"))
        .hint(page.t(
            "31/12/2025 08:30; để trống là hiện nay",
            "31/12/2025 08:30; now if left empty",
        ));
    let mut fields: Vec<ui::Field> = question.inputs.iter().map(input).collect();
    fields.extend([as_of, known_at].map(|field| field.required(false).width(20)));
    fields.push(dossier.required(true).width(20));
    fields.push(purpose.values([value("purpose")]).required(true));
    fields
}

/// An answer with its reason. Which of the facts decided it is not told: whoever audits sees on what it rests.
fn shown(page: &Page, question: &Question, answered: Answered) -> Shown {
    let (tone, title, reason) = match &answered.outcome {
        Outcome::Answered(value) => {
            let said = match (question.kind(), value.as_bool()) {
                (AnswerKind::YesNo, Some(true)) => page.t("Có", "Yes").to_owned(),
                (AnswerKind::YesNo, _) => page.t("Không", "No").to_owned(),
                (AnswerKind::Number, _) => value.to_string(),
            };
            let reason = page.t(
                "Kết luận theo dữ liệu mà các cơ sở dữ liệu cung cấp tại thời điểm hỏi.",
                "Concluded from what the registries said when it was asked.",
            );
            (Tone::Good, said, reason.to_owned())
        }
        Outcome::Undecided => (
            Tone::Warn,
            page.t("Chưa kết luận được", "Undecided").to_owned(),
            page.t(
                "Các cơ sở dữ liệu đã trả lời nhưng dữ liệu có được chưa đủ để kết luận có hay không. Không suy đoán.",
                "The registries answered, and what they hold does not decide it. Nothing is guessed.",
            )
            .to_owned(),
        ),
        Outcome::Silent(registries) => {
            let names = registries.iter().cloned().collect::<Vec<_>>().join(", ");
            let (vi, en) = (
                format!("Chưa nhận được dữ liệu từ: {names}. Hãy hỏi lại sau."),
                format!("These did not answer: {names}. Ask again later."),
            );
            let title = page.t("Chưa có câu trả lời", "No answer").to_owned();
            (Tone::Late, title, page.t(&vi, &en).to_owned())
        }
    };
    let leaf = answered.leaf.map(|leaf| {
        (
            page.t("Mục trong nhật ký minh bạch", "Leaf in the transparency log"),
            leaf.to_string(),
        )
    });
    let mut rows = vec![
        (page.t("Hỏi lúc", "Asked at"), answered.at.display()),
        (page.t("Mã câu trả lời", "Id of the answer"), answered.id.to_string()),
    ];
    let times = answered.times;
    rows.extend(times.as_of.map(|at| (page.t("Vào ngày", "As of"), at.display())));
    rows.extend(
        times
            .known_at
            .map(|at| (page.t("Theo hiểu biết tại thời điểm", "As known at"), at.display())),
    );
    rows.extend(leaf);
    Shown {
        tone,
        title,
        reason,
        rows,
        evidence: format!("/api/v1/answers/{}", answered.id),
    }
}

fn address(question: &Question) -> String {
    format!("/registries/questions/{}", question.code)
}
