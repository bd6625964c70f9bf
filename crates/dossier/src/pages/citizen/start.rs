//! Before filing: what one will need.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use base::{Error, Kind, Lang, Result, Text, Timestamp};
use identity::{Actor, Web};
use procedure::{
    form::{FieldSource, PaperKind, Rule},
    package::{Package, PaymentTime},
};
use view::{Link, Page, ui};

use super::{Portal, again, answer, barred, to};
use crate::service::Dossiers;

#[derive(Template)]
#[template(path = "citizen/start.html")]
struct Start {
    page: Page,
    code: String,
    summary: String,
    agency: String,
    times: Vec<(String, String)>,
    /// In short, and how and when.
    payment: (&'static str, &'static str),
    account: String,
    result: Option<String>,
    /// What the e-ID gives, so that nobody looks for it.
    known: Vec<String>,
    /// What is always asked: the titles of the form's pages.
    asked: Vec<String>,
    papers: Vec<PaperLine>,
    steps: Vec<String>,
    partial: Option<String>,
    /// Why this person cannot file it online, and what to do.
    barred: Option<String>,
    open: Option<(String, Timestamp)>,
    signed_in: bool,
}

struct PaperLine {
    name: String,
    hint: Option<String>,
    when: &'static str,
}

/// The short address leads to the page that says what is needed.
pub(super) async fn forward(Path(code): Path<String>) -> Response {
    let plain = code
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if plain {
        to(format!("/apply/{code}/start"))
    } else {
        to("/services")
    }
}

/// What one will need, and the draft that is open already.
pub(super) async fn show(web: Web, State(portal): State<Portal>, Path(code): Path<String>) -> Response {
    answer(&web, page(&web, &portal, &code, StatusCode::OK).await)
}

async fn page(web: &Web, portal: &Portal, code: &str, status: StatusCode) -> Result<Response> {
    let package = portal
        .dossiers
        .shelf()
        .on(code, web.ctx.now.legal_date())
        .ok_or_else(not_online)?;
    let lang = web.ctx.lang;
    let open = match &web.ctx.actor {
        Actor::Person(_) => {
            let drafts = portal.dossiers.drafts(&web.ctx).await?;
            drafts
                .into_iter()
                .find(|(d, _)| d.procedure == code)
                .map(|(d, _)| (format!("/drafts/{}", d.id), d.updated_at))
        }
        _ => None,
    };
    let mut page = web.page.clone();
    page.title = package.meta.name.get(lang).to_owned();
    page.breadcrumbs = vec![
        Link::new("/", "Trang chủ", "Home"),
        Link::new("/services", "Dịch vụ công", "Public services"),
        Link {
            href: format!("/services/{code}"),
            label: package.meta.name.clone(),
        },
    ];
    let template = Start {
        code: code.to_owned(),
        summary: package.meta.summary.get(lang).to_owned(),
        agency: portal.dossiers.receiving_agency(&package)?,
        times: times(&package, lang),
        payment: payment(&package, lang),
        account: package.meta.account().get(lang).to_owned(),
        result: package.meta.result.as_ref().map(|r| r.name.get(lang).to_owned()),
        known: known(&package, lang),
        asked: asked(&package, lang),
        papers: papers(&package, lang),
        steps: package.meta.steps.iter().map(|s| s.get(lang).to_owned()).collect(),
        partial: package
            .meta
            .level_reason
            .as_ref()
            .map(|t: &Text| t.get(lang).to_owned()),
        barred: barred(&web.ctx, &package),
        open,
        signed_in: matches!(web.ctx.actor, Actor::Person(_)),
        page,
    };
    Ok(view::html(status, &template))
}

/// Begins a draft, or goes on with the one that is open.
pub(super) async fn begin(web: Web, State(portal): State<Portal>, Path(code): Path<String>) -> Response {
    match portal.dossiers.start_draft(&web.ctx, &code).await {
        // The page itself says what to do, and where else to file.
        Err(Error::Refused(kind, problems)) if problems.iter().any(|p| p.code == Dossiers::ASSURANCE_TOO_LOW) => {
            answer(&web, page(&web, &portal, &code, again(kind)).await)
        }
        begun => answer(&web, begun.map(|id| to(format!("/drafts/{id}")))),
    }
}

fn not_online() -> Error {
    Error::refused(
        Kind::NotFound,
        "not-online",
        "Thủ tục này chưa nộp trực tuyến được tại đây. Xem trang thủ tục để biết nơi nộp.",
        "This procedure cannot be filed online here yet. Its page says where to file it.",
    )
}

/// The ordinary case, which has no condition and stands last in the package, comes first.
fn times(package: &Package, lang: Lang) -> Vec<(String, String)> {
    let cases = package.meta.deadlines.iter().rev();
    cases
        .map(|case| (case.name.get(lang).to_owned(), case.time().get(lang).to_owned()))
        .collect()
}

fn payment(package: &Package, lang: Lang) -> (&'static str, &'static str) {
    let worked_out = lang.t("Tính theo nội dung khai", "Worked out from your answers");
    match package.meta.payment {
        None => (lang.t("Không thu phí, lệ phí", "Nothing to pay"), ""),
        Some(PaymentTime::BeforeProcessing) => (
            worked_out,
            lang.t(
                "Số tiền và căn cứ được báo trước khi nộp hồ sơ. Nộp trước khi cơ quan giải quyết.",
                "You see the amount and why before you file. Paid before the agency begins.",
            ),
        ),
        Some(PaymentTime::AtReturn) => (
            worked_out,
            lang.t(
                "Số tiền và căn cứ được báo trước khi nộp hồ sơ. Nộp khi nhận kết quả.",
                "You see the amount and why before you file. Paid when you collect the result.",
            ),
        ),
    }
}

/// Pages that come in every case; what only some answers bring up is not announced.
fn asked(package: &Package, lang: Lang) -> Vec<String> {
    let always = package.form.pages.iter().filter(|p| p.when.is_none());
    always.map(|p| p.title.get(lang).to_owned()).collect()
}

fn known(package: &Package, lang: Lang) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in package
        .form
        .fields()
        .filter(|f| matches!(f.source, FieldSource::Eid(_)))
    {
        let name = field.label.get(lang).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn papers(package: &Package, lang: Lang) -> Vec<PaperLine> {
    let when = |paper: &procedure::form::Paper| match (&paper.kind, &paper.when, &paper.required) {
        (PaperKind::Show, ..) => lang.t("Xuất trình", "To be shown"),
        (_, None, Rule::Always) => lang.t("Bắt buộc", "Required"),
        (_, None, Rule::Never) => lang.t("Nếu có", "If you have it"),
        _ => lang.t("Tùy trường hợp", "Depends on your answers"),
    };
    let mut lines: Vec<PaperLine> = Vec::new();
    for paper in &package.form.papers {
        let name = paper.name.get(lang);
        // Several cases may ask for the same paper.
        if lines.iter().any(|line| line.name == name) {
            continue;
        }
        lines.push(PaperLine {
            name: name.to_owned(),
            hint: paper.hint.as_ref().map(|h| h.get(lang).to_owned()),
            when: when(paper),
        });
    }
    lines
}

impl Start {
    /// Signing in again, at the higher level, and back.
    fn level_2(&self) -> String {
        format!("/sign-in/level-2?next=/apply/{}/start", self.code)
    }

    /// What is known of the procedure, also of filing it at the counter.
    fn about(&self) -> String {
        format!("/services/{}", self.code)
    }

    fn long(&self) -> bool {
        self.page.title.chars().count() > 90
    }

    fn saved(&self, at: &Timestamp) -> String {
        let at = super::words::moment(self.page.lang, *at);
        format!(
            "{} {at}",
            self.page.t("Quý vị có bản nháp lưu lúc", "You have a draft saved on")
        )
    }
}
