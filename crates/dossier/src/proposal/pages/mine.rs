//! What is proposed to a person: the list, one proposal with its reasons, and every answer to it.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Query;
use base::{Error, Kind, Lang, Problems, Result, Text, Timestamp};
use identity::Web;
use serde::Deserialize;
use uuid::Uuid;
use view::{Link, Notice, Page, files::encoded, ui, ui::Tone};

use super::super::{
    Ladder, Level, ProposalView, Wish,
    model::{Entry, ProposalId, State as Standing, Step},
    own::{can_decline, can_open, can_restore},
};
use crate::service::Dossiers;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    before: Option<Uuid>,
    done: String,
}

#[derive(Template)]
#[template(path = "proposal/list.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    older: Option<String>,
    /// What is not wanted, with its name.
    unwanted: Vec<(String, String)>,
    everything: bool,
}

struct Row {
    href: String,
    name: String,
    summary: String,
    status: String,
    tone: Tone,
    made: Timestamp,
    /// When the state acts.
    acts: Option<Timestamp>,
}

const fn tone(state: Standing) -> Tone {
    match state {
        Standing::Open | Standing::Acting | Standing::Restoring => Tone::Info,
        Standing::Announced => Tone::Warn,
        Standing::Acted | Standing::TakenUp | Standing::Restored | Standing::Settled => Tone::Good,
        Standing::Failed | Standing::Stuck => Tone::Late,
        Standing::Declined | Standing::NotWanted | Standing::Expired | Standing::Overtaken => Tone::Neutral,
    }
}

fn name(view: &ProposalView<'_>, lang: Lang) -> String {
    view.rule.map_or_else(
        || view.proposal.made.procedure.clone(),
        |rule| rule.name.get(lang).to_owned(),
    )
}

fn row(view: &ProposalView<'_>, lang: Lang) -> Row {
    let proposal = &view.proposal;
    Row {
        href: format!("/my/proposals/{}", proposal.id),
        name: name(view, lang),
        summary: view
            .child
            .as_ref()
            .map_or_else(String::new, |digits| child(digits, lang)),
        status: proposal.state.label().get(lang).to_owned(),
        tone: tone(proposal.state),
        made: proposal.made_at,
        acts: (proposal.state == Standing::Announced).then_some(proposal.made.until),
    }
}

/// Which child: never the whole number.
fn child(digits: &str, lang: Lang) -> String {
    format!(
        "{} …{digits}",
        lang.t(
            "Trẻ có số định danh kết thúc bằng",
            "The child whose personal number ends in"
        )
    )
}

pub(super) async fn list(web: Web, State(dossiers): State<Dossiers>, Query(asked): Query<Asked>) -> Response {
    match listed(&web, &dossiers, &asked).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn listed(web: &Web, dossiers: &Dossiers, asked: &Asked) -> Result<ListPage> {
    let lang = web.ctx.lang;
    let (views, next) = dossiers.own_proposals(&web.ctx, asked.before).await?;
    let wishes = dossiers.unwanted_proposals(&web.ctx).await?;
    let mut page = web.titled("Đề xuất cho quý vị", "Proposed to you");
    page.breadcrumbs = vec![Link::new("/my", "Hồ sơ của tôi", "My dossiers")];
    page.notice = said(&asked.done);
    let unwanted = wishes.iter().filter_map(|wish| match wish {
        Wish::Procedure(code) => Some((code.clone(), procedure(dossiers, code, web.ctx.now, lang))),
        Wish::Everything => None,
    });
    Ok(ListPage {
        page,
        rows: views.iter().map(|view| row(view, lang)).collect(),
        older: next.map(|before| format!("/my/proposals?before={before}")),
        unwanted: unwanted.collect(),
        everything: wishes.contains(&Wish::Everything),
    })
}

/// The name of a procedure; where it has no package, what is proposed of it.
pub(super) fn procedure(dossiers: &Dossiers, code: &str, now: Timestamp, lang: Lang) -> String {
    let package = dossiers.shelf().on(code, now.legal_date());
    let proposed = || {
        let rules = dossiers.proposing().map(|proposing| proposing.rules.iter());
        let rule = rules.into_iter().flatten().find(|rule| rule.procedure == code);
        rule.map_or_else(|| code.to_owned(), |rule| rule.name.get(lang).to_owned())
    };
    package.map_or_else(proposed, |package| package.meta.name.get(lang).to_owned())
}

/// Name and code of a procedure.
fn procedure_line(dossiers: &Dossiers, code: &str, now: Timestamp, lang: Lang) -> String {
    let name = procedure(dossiers, code, now, lang);
    if name == code { name } else { format!("{name} ({code})") }
}

/// What was just done.
fn said(done: &str) -> Option<Notice> {
    let (vi, en) = match done {
        "declined" => ("Đã ghi nhận: quý vị không đồng ý.", "Noted: you said no."),
        "restoring" => (
            "Đã ghi nhận yêu cầu khôi phục như trước.",
            "Noted: the former state is being restored.",
        ),
        "unwanted" => (
            "Đã ghi nhận. Từ bây giờ quý vị không nhận đề xuất này nữa.",
            "Noted. From now on this is not proposed to you.",
        ),
        "wanted" => (
            "Đã ghi nhận. Quý vị nhận lại đề xuất.",
            "Noted. You get proposals again.",
        ),
        _ => return None,
    };
    Some(Notice {
        tone: Tone::Good,
        text: Text::new(vi, en),
    })
}

#[derive(Template)]
#[template(path = "proposal/one.html")]
struct OnePage {
    page: Page,
    path: String,
    summary: String,
    /// Whether what the summary says is still to come.
    stands: bool,
    child: Option<String>,
    status: String,
    tone: Tone,
    /// Name and registry of each fact.
    because: Vec<(String, String)>,
    read_at: Timestamp,
    laws: Vec<String>,
    answer: String,
    procedure: String,
    /// Its name and code.
    procedure_name: String,
    /// Its page.
    service: String,
    reminds: bool,
    ways: Vec<WayRow>,
    opens: bool,
    declines: bool,
    /// When the state acts.
    acts: Option<Timestamp>,
    /// Until when it stands.
    until: Option<Timestamp>,
    /// Since when it is done, and until when it can be undone.
    acted: Option<(Timestamp, Timestamp)>,
    restores: bool,
    code: Option<String>,
    dossier: Option<String>,
    history: Vec<Line>,
    /// How an officer put right what could not be undone.
    settled: Option<String>,
    unwanted: bool,
}

struct WayRow {
    id: String,
    name: String,
    because: String,
    best: bool,
    fits: bool,
}

struct Line {
    title: String,
    who: String,
    at: String,
}

pub(super) async fn show(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let made = async { one(&web, &dossiers, proposal_id(&id)?, Problems::new(), said(&asked.done)).await };
    match made.await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn one(
    web: &Web,
    dossiers: &Dossiers,
    id: ProposalId,
    problems: Problems,
    notice: Option<Notice>,
) -> Result<OnePage> {
    let lang = web.ctx.lang;
    let view = dossiers.own_proposal(&web.ctx, id).await?;
    let history = dossiers.proposal_history(&web.ctx, id).await?;
    let (proposal, rule) = (&view.proposal, view.rule);
    let mut page = web.page.clone();
    page.title = name(&view, lang);
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link::new("/my/proposals", "Đề xuất cho quý vị", "Proposed to you"),
    ];
    page.problems = problems;
    page.notice = notice;
    let now = web.ctx.now;
    let level = rule.map(|rule| rule.level());
    Ok(OnePage {
        path: format!("/my/proposals/{id}"),
        summary: rule.map_or_else(String::new, |rule| rule.summary.get(lang).to_owned()),
        stands: matches!(proposal.state, Standing::Open | Standing::Announced | Standing::Acting),
        child: view.child.as_deref().map(|digits| child(digits, lang)),
        status: proposal.state.label().get(lang).to_owned(),
        tone: tone(proposal.state),
        because: rule
            .map(|rule| rule.because.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|because| (because.name.get(lang).to_owned(), because.source.get(lang).to_owned()))
            .collect(),
        read_at: proposal.made.read_at,
        laws: rule
            .map(|rule| rule.basis.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|basis| format!("{}, {}", basis.text, basis.article))
            .collect(),
        answer: proposal.made.answer.to_string(),
        procedure: proposal.made.procedure.clone(),
        procedure_name: procedure_line(dossiers, &proposal.made.procedure, now, lang),
        service: format!("/services/{}", proposal.made.procedure),
        reminds: level == Some(Level::Remind) && proposal.state == Standing::Open,
        ways: view
            .ways
            .iter()
            .map(|way| WayRow {
                id: way.way.id.clone(),
                name: way.way.name.get(lang).to_owned(),
                because: way.way.because.get(lang).to_owned(),
                best: way.best,
                fits: way.fits,
            })
            .collect(),
        opens: rule.is_some_and(|rule| matches!(rule.step, Ladder::Prefill(_) | Ladder::Recommend(..)))
            && can_open(proposal, now),
        declines: can_decline(proposal, now),
        acts: (proposal.state == Standing::Announced).then_some(proposal.made.until),
        until: (proposal.state == Standing::Open).then_some(proposal.made.until),
        acted: proposal.acted.filter(|_| proposal.state == Standing::Acted),
        restores: can_restore(proposal, now),
        code: proposal.act.as_ref().map(|(code, _)| code.clone()),
        dossier: proposal
            .dossier
            .as_ref()
            .map(|code| format!("/dossiers/{}", encoded(code))),
        settled: history.iter().find_map(|entry| match &entry.step {
            Step::Settled { note } => Some(note.clone()),
            _ => None,
        }),
        history: history.iter().map(|entry| line(entry, lang)).collect(),
        unwanted: view.unwanted,
        page,
    })
}

fn line(entry: &Entry, lang: Lang) -> Line {
    Line {
        title: entry.step.label().get(lang).to_owned(),
        who: entry.actor.name.clone(),
        at: entry.at.display(),
    }
}

pub(super) fn proposal_id(id: &str) -> Result<ProposalId> {
    id.parse().map_err(|_| super::super::no_proposal())
}

pub(super) type Posted = Form<Vec<(String, String)>>;

pub(super) fn first<'a>(posted: &'a [(String, String)], name: &str) -> &'a str {
    posted
        .iter()
        .find(|(n, _)| n == name)
        .map_or("", |(_, value)| value.trim())
}

pub(super) async fn open(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(id): Path<String>,
    Form(posted): Posted,
) -> Response {
    let way = Some(first(&posted, "way")).filter(|way| !way.is_empty());
    let opened = async { dossiers.open_proposal(&web.ctx, proposal_id(&id)?, way).await };
    match opened.await {
        Ok(draft) => to(&format!("/drafts/{draft}")),
        Err(error) => again(&web, &dossiers, &id, error).await,
    }
}

pub(super) async fn decline(web: Web, State(dossiers): State<Dossiers>, Path(id): Path<String>) -> Response {
    let declined = async { dossiers.decline_proposal(&web.ctx, proposal_id(&id)?).await };
    match declined.await {
        Ok(()) => to(&format!("/my/proposals/{id}?done=declined")),
        Err(error) => again(&web, &dossiers, &id, error).await,
    }
}

pub(super) async fn restore(web: Web, State(dossiers): State<Dossiers>, Path(id): Path<String>) -> Response {
    let restored = async { dossiers.restore_proposal(&web.ctx, proposal_id(&id)?).await };
    match restored.await {
        Ok(()) => to(&format!("/my/proposals/{id}?done=restoring")),
        Err(error) => again(&web, &dossiers, &id, error).await,
    }
}

/// The page again with the reason.
async fn again(web: &Web, dossiers: &Dossiers, id: &str, error: Error) -> Response {
    let Error::Refused(kind @ (Kind::Invalid | Kind::Conflict | Kind::Unavailable), problems) = error else {
        return web.refuse(&error);
    };
    let made = async { one(web, dossiers, proposal_id(id)?, problems, None).await };
    match made.await {
        Ok(page) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            view::html(status, &page)
        }
        Err(error) => web.refuse(&error),
    }
}

/// The person wants none of a kind, or wants them again.
pub(super) async fn wish(web: Web, State(dossiers): State<Dossiers>, Form(posted): Posted) -> Response {
    let wish = match first(&posted, "procedure") {
        "" => Wish::Everything,
        code => Wish::Procedure(code.to_owned()),
    };
    let wanted = first(&posted, "wanted") == "yes";
    match dossiers.want_proposals(&web.ctx, &wish, wanted).await {
        Ok(()) if wanted => to("/my/proposals?done=wanted"),
        Ok(()) => to("/my/proposals?done=unwanted"),
        Err(error) => web.refuse(&error),
    }
}

fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
