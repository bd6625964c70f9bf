//! A person's own dossier: where it stands and why, what is asked of them, its papers and documents.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use axum_extra::extract::Query;
use base::{Dong, Error, Kind, Lang, Problems, Result, Text, Timestamp};
use identity::{Actor, Purpose, Web};
use procedure::{decision::Fee, form::SummarySection, package::PaymentTime};
use serde::Deserialize;
use view::{
    Page,
    files::{attachment, encoded},
    ui,
    ui::Tone,
};

use super::{Portal, Posted, again, answer, field, fields, mine, papers, to, words};
use crate::{
    api::purpose,
    model::{
        action::{Detail, channel_label},
        command::Command,
        status::{Decision, Money, NationalStatus},
    },
    pages::text::{CheckLine, ContestLine, WriteLine, check_lines, contest_lines, write_lines},
    service::{DossierView, NoticeItem},
};

/// Where officers see a dossier.
const DESK: &str = "/desk/dossiers";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    filed: String,
    done: String,
}

#[derive(Template)]
#[template(path = "citizen/dossier.html")]
struct DossierPage {
    page: Page,
    code: String,
    path: String,
    /// Just filed: the confirmation comes first.
    filed: bool,
    secret: String,
    track_url: String,
    name: String,
    agency: String,
    applicant: String,
    channel: String,
    submitted: Timestamp,
    received: Option<Timestamp>,
    status: String,
    tone: Tone,
    next: words::Next,
    grounds: Vec<String>,
    meter: Option<words::Meter>,
    why: Vec<(Text, Option<Text>)>,
    asks: Vec<Ask>,
    asked_at: Option<Timestamp>,
    to_pay: Option<Payment>,
    documents: Vec<DocumentLine>,
    notices: Vec<NoticeItem>,
    events: Vec<words::Event>,
    way: words::Way,
    sections: Vec<SummarySection>,
    checks: Vec<CheckLine>,
    contested: Vec<ContestLine>,
    writes: Vec<WriteLine>,
    papers: Vec<PaperLine>,
    fees: Vec<Fee>,
    total: Dong,
    can_withdraw: bool,
    /// There is a transparency log that proves each step.
    provable: bool,
}

/// One thing that was asked for.
pub(super) struct Ask {
    pub place: String,
    pub text: String,
    pub basis: String,
}

struct Payment {
    amount: Dong,
    when: &'static str,
}

struct DocumentLine {
    title: String,
    number: String,
    href: String,
}

struct PaperLine {
    name: String,
    files: Vec<FileLine>,
}

struct FileLine {
    name: String,
    about: String,
    sha256: String,
    href: String,
}

/// The dossier. Officers are led to their desk, where the read has its own purpose.
pub(super) async fn show(
    web: Web,
    State(portal): State<Portal>,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    if matches!(web.ctx.actor, Actor::Officer(_)) {
        return to(format!("{DESK}/{}", encoded(&code)));
    }
    answer(&web, shown(&web, &portal, &code, &asked).await)
}

async fn shown(web: &Web, portal: &Portal, code: &str, asked: &Asked) -> Result<Response> {
    let view = portal.dossiers.get_by_code(&web.ctx, code, Purpose::OwnDossier).await?;
    let notices = portal.dossiers.notices(&web.ctx, Some(&view.state.code)).await?;
    // Shown here, they are read; this once they are still marked as new.
    if notices.iter().any(|n| n.unread) {
        portal.dossiers.notices_read(&web.ctx, Some(&view.state.code)).await?;
    }
    Ok(view::html(StatusCode::OK, &build(web, portal, &view, notices, asked)))
}

/// The name of a field or a paper of the form.
pub(super) fn place(view: &DossierView, at: &str, lang: Lang) -> String {
    let form = &view.package.form;
    let paper = form.paper(at).map(|p| p.name.get(lang));
    paper
        .or_else(|| form.field(at).map(|f| f.label.get(lang)))
        .unwrap_or(at)
        .to_owned()
}

/// What the open request asks for.
pub(super) fn asks(view: &DossierView, lang: Lang) -> Vec<Ask> {
    let items = view.state.open_supplement().into_iter().flat_map(|s| &s.items);
    items
        .map(|item| Ask {
            place: place(view, &item.at, lang),
            text: item.text.clone(),
            basis: item.basis.clone(),
        })
        .collect()
}

fn build(web: &Web, portal: &Portal, view: &DossierView, notices: Vec<NoticeItem>, asked: &Asked) -> DossierPage {
    let lang = web.ctx.lang;
    let state = &view.state;
    let mut page = web.page.clone();
    page.title = format!("{} {}", page.t("Hồ sơ", "Dossier"), state.code);
    mine(&mut page);
    if asked.done == "supplemented" {
        page.notice = Some(view::Notice {
            tone: Tone::Good,
            text: Text::new(
                "Đã gửi nội dung bổ sung. Cơ quan tiếp tục giải quyết hồ sơ.",
                "What was asked for has been sent. The agency goes on with the dossier.",
            ),
        });
    }
    let path = format!("/dossiers/{}", encoded(&state.code));
    let agency = portal.dossiers.agency_name(&state.agency).to_owned();
    let status = state.national();
    let at = words::Standing {
        status,
        decision: Some(state.decision),
        delivery: Some(state.delivery),
        agency: &agency,
    };
    let calendar = portal.dossiers.calendar();
    let open = state.owed() - state.paid;
    let to_pay = (state.money == Money::Due && open > 0 && !closed(status)).then(|| Payment {
        amount: Dong::new(open),
        when: match view.package.meta.payment {
            Some(PaymentTime::AtReturn) => lang.t("Nộp khi nhận kết quả.", "Paid when you collect the result."),
            _ => lang.t(
                "Nộp trước khi cơ quan giải quyết hồ sơ.",
                "Paid before the agency goes on.",
            ),
        },
    });
    DossierPage {
        filed: !asked.filed.is_empty(),
        secret: portal.dossiers.tracking_secret(view.id),
        track_url: portal.dossiers.tracking_url(view.id, &state.code),
        name: view.package.meta.name.get(lang).to_owned(),
        applicant: state.applicant.name.clone(),
        channel: channel_label(state.channel).get(lang).to_owned(),
        submitted: state.submitted_at,
        received: state.received_at,
        status: status.label().get(lang).to_owned(),
        tone: words::tone(status),
        next: words::next(lang, at, &view.package, &view.here),
        grounds: grounds(&state.grounds),
        meter: words::meter(lang, view.due, view.standing, state.received_at, web.ctx.now, &calendar),
        why: view.why.clone(),
        asks: asks(view, lang),
        asked_at: state.open_supplement().map(|s| s.at),
        to_pay,
        documents: documents(view, &path, lang),
        notices,
        events: words::events(lang, &view.history, |code| match code {
            "" => String::new(),
            code => portal.dossiers.agency_name(code).to_owned(),
        }),
        way: words::way(lang, &view.package, &view.here),
        sections: view.answers.clone(),
        checks: check_lines(&view.checks, lang),
        contested: contest_lines(&view.contested, lang),
        writes: write_lines(&view.writes, lang),
        papers: paper_lines(view, &path, lang),
        fees: state.fees.clone(),
        total: Dong::new(state.owed()),
        can_withdraw: !state.decision.is_final(),
        provable: portal.dossiers.ledger().is_some(),
        code: state.code.clone(),
        path,
        agency,
        page,
    }
}

const fn closed(status: NationalStatus) -> bool {
    matches!(
        status,
        NationalStatus::NotReceived | NationalStatus::Withdrawn | NationalStatus::Stopped | NationalStatus::Returned
    )
}

fn grounds(detail: &Detail) -> Vec<String> {
    let with = |text: &str, basis: &str| {
        if basis.is_empty() {
            text.to_owned()
        } else {
            format!("{text} ({basis})")
        }
    };
    match detail {
        Detail::Grounds { grounds } => grounds.iter().map(|g| with(&g.text, &g.basis)).collect(),
        Detail::Stop { reason, basis } => vec![with(reason, basis)],
        _ => Vec::new(),
    }
}

fn documents(view: &DossierView, path: &str, lang: Lang) -> Vec<DocumentLine> {
    view.state
        .documents
        .iter()
        .rev()
        .map(|d| DocumentLine {
            title: d.kind.label().get(lang).to_owned(),
            number: d.number.clone(),
            href: format!("{path}/documents/{}", d.sha256),
        })
        .collect()
}

fn paper_lines(view: &DossierView, path: &str, lang: Lang) -> Vec<PaperLine> {
    view.state
        .papers
        .iter()
        .map(|paper| PaperLine {
            name: place(view, &paper.paper, lang),
            files: paper
                .files
                .iter()
                .map(|f| FileLine {
                    name: f.name.clone(),
                    about: papers::about(f.size, f.pages, lang),
                    sha256: f.sha256.clone(),
                    href: format!("{path}/files/{}", f.sha256),
                })
                .collect(),
        })
        .collect()
}

/// A file that the applicant handed in.
pub(super) async fn file(
    web: Web,
    State(portal): State<Portal>,
    Path((code, sha256)): Path<(String, String)>,
) -> Response {
    answer(&web, content(&web, &portal, &code, &sha256, false).await)
}

/// A document of the dossier, as PDF.
pub(super) async fn document(
    web: Web,
    State(portal): State<Portal>,
    Path((code, sha256)): Path<(String, String)>,
) -> Response {
    answer(&web, content(&web, &portal, &code, &sha256, true).await)
}

/// The proofs of its log, as one file.
pub(super) async fn proofs(web: Web, State(portal): State<Portal>, Path(code): Path<String>) -> Response {
    answer(&web, proofs_file(&web, &portal, &code).await)
}

async fn proofs_file(web: &Web, portal: &Portal, code: &str) -> Result<Response> {
    let proofs = portal.dossiers.proofs(&web.ctx, code, purpose(&web.ctx)).await?;
    let name = format!("{}-proofs.json", proofs.dossier);
    let content = serde_json::to_vec_pretty(&proofs)?;
    Ok(attachment(&name, "application/json", content.into()))
}

async fn content(web: &Web, portal: &Portal, code: &str, sha256: &str, document: bool) -> Result<Response> {
    let file = portal
        .dossiers
        .file_content(&web.ctx, code, sha256, purpose(&web.ctx))
        .await?;
    match (document, file.document) {
        (true, Some(kind)) => Ok(attachment(
            &format!("{}-{}.pdf", file.dossier, kind.code()),
            &file.media_type,
            file.content,
        )),
        (false, None) => Ok(attachment(&file.name, &file.media_type, file.content)),
        // A document has its own address, and so has a file.
        _ => Err(Error::not_found("tệp", "file")),
    }
}

#[derive(Template)]
#[template(path = "citizen/withdraw.html")]
struct WithdrawPage {
    page: Page,
    path: String,
    name: String,
    version: i64,
    reason: String,
    possible: bool,
}

/// Asks once more before a dossier is withdrawn.
pub(super) async fn ask_withdraw(web: Web, State(portal): State<Portal>, Path(code): Path<String>) -> Response {
    answer(
        &web,
        withdraw_page(&web, &portal, &code, "", Problems::new(), StatusCode::OK).await,
    )
}

async fn withdraw_page(
    web: &Web,
    portal: &Portal,
    code: &str,
    reason: &str,
    problems: Problems,
    status: StatusCode,
) -> Result<Response> {
    let view = portal.dossiers.get_by_code(&web.ctx, code, Purpose::OwnDossier).await?;
    let mut page = web.titled("Rút hồ sơ này?", "Withdraw this dossier?");
    mine(&mut page);
    page.problems = problems;
    let template = WithdrawPage {
        page,
        path: format!("/dossiers/{}", encoded(&view.state.code)),
        name: format!("{} · {}", view.state.code, view.package.meta.name.get(web.ctx.lang)),
        version: view.state.version,
        reason: reason.to_owned(),
        possible: !view.state.decision.is_final(),
    };
    Ok(view::html(status, &template))
}

/// Withdraws the dossier.
pub(super) async fn withdraw(
    web: Web,
    State(portal): State<Portal>,
    Path(code): Path<String>,
    posted: Posted,
) -> Response {
    answer(&web, withdrawn(&web, &portal, &code, posted).await)
}

async fn withdrawn(web: &Web, portal: &Portal, code: &str, posted: Posted) -> Result<Response> {
    let posted = fields(posted)?;
    let reason = field(&posted, "reason").to_owned();
    let view = portal.dossiers.get_by_code(&web.ctx, code, Purpose::OwnDossier).await?;
    let back = format!("/dossiers/{}", encoded(&view.state.code));
    if view.state.decision == Decision::Withdrawn {
        return Ok(to(back));
    }
    let expected = field(&posted, "version").parse().ok();
    match portal
        .dossiers
        .command(
            &web.ctx,
            view.id,
            &Command::Withdraw { reason: reason.clone() },
            expected,
        )
        .await
    {
        Ok(_) => Ok(to(back)),
        Err(Error::Refused(kind @ (Kind::Invalid | Kind::Conflict | Kind::Stale), problems)) => {
            withdraw_page(web, portal, code, &reason, problems, again(kind)).await
        }
        Err(error) => Err(error),
    }
}

impl DossierPage {
    fn under(&self, what: &str) -> String {
        format!("{}/{what}", self.path)
    }
}
