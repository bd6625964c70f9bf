//! A person's own view: who has read my data, and questions about it.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Result, Text};
use identity::Web;
use serde::Deserialize;
use view::{
    Link, Notice, Page,
    ui::{self, Tone},
};

use super::{again, leaf};
use crate::journal::{
    Journal, LeafId, MyReads, Question, QuestionState, ReadAbout, ReadElsewhere,
    api::{ReadsAsked, download, encoded, reads_place},
    tracker::Source,
};

#[derive(Template)]
#[template(path = "exchange/journal/reads.html")]
struct Reads {
    page: Page,
    asked: ReadsAsked,
    reads: Vec<Shown>,
    silent: Option<String>,
    nobody: bool,
    newer: Option<String>,
    older: Option<String>,
}

struct Shown {
    read: ReadAbout,
    /// Where its proof is downloaded.
    proof: Option<String>,
    /// The page that fetches its proof from another node and judges it.
    fetched: Option<String>,
    /// Where one may ask about it.
    leaf: Option<LeafId>,
    question: Option<(Question, &'static str, Tone, bool)>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    done: Option<String>,
}

pub(super) async fn page(
    State(journal): State<Journal>,
    web: Web,
    Query(asked): Query<ReadsAsked>,
    Query(done): Query<Done>,
) -> Response {
    let mut page = web.titled("Ai đã xem dữ liệu của tôi", "Who has read my data");
    page.notice = done.done.map(|_| Notice {
        tone: Tone::Good,
        text: Text::new("Đã ghi nhận.", "Done."),
    });
    let mine = async {
        // Who may not look is not told what is wrong with the question.
        web.ctx.person()?;
        journal.my_reads(&web.ctx, &asked.filter()?).await
    };
    match mine.await {
        Ok(mine) => view::html(StatusCode::OK, &reads_page(&web, page, asked, mine)),
        Err(error) => again(&web, error, |problems| {
            page.problems = problems;
            reads_page(&web, page, asked, MyReads::default())
        }),
    }
}

fn reads_page(web: &Web, page: Page, asked: ReadsAsked, mine: MyReads) -> Reads {
    let filter: String = [("from", &asked.from), ("to", &asked.to)]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("&{name}={}", encoded(value)))
        .collect();
    let shown = |mut read: ReadAbout| {
        let (leaf, proof, fetched) = match &read.source {
            Source::Exchange { leaf } => (Some(*leaf), read.source.proof(), None),
            Source::Here { .. } => (None, read.source.proof(), None),
            Source::Elsewhere { proof } => (None, None, proof.as_ref().map(ReadElsewhere::page)),
        };
        let question = read.question.take().map(|question| {
            let late = question.is_late(web.ctx.now);
            let (label, tone) = match question.state {
                QuestionState::Asked if late => (web.ctx.t("Quá hạn trả lời", "Answer overdue"), Tone::Late),
                QuestionState::Asked => (web.ctx.t("Chờ trả lời", "Waiting for an answer"), Tone::Info),
                QuestionState::Answered => (web.ctx.t("Đã trả lời", "Answered"), Tone::Good),
                QuestionState::Closed => (web.ctx.t("Đã khép lại", "Closed"), Tone::Neutral),
            };
            let closable = question.state != QuestionState::Closed;
            (question, label, tone, closable)
        });
        Shown {
            proof,
            fetched,
            read,
            leaf,
            question,
        }
    };
    Reads {
        silent: (!mine.silent.is_empty()).then(|| mine.silent.join(", ")),
        nobody: mine.nobody,
        newer: (!asked.cursor.is_first()).then(|| format!("/my/reads?{}", filter.trim_start_matches('&'))),
        older: mine
            .next
            .map(|place| format!("/my/reads?cursor={}{filter}", reads_place(place))),
        reads: mine.reads.into_iter().map(shown).collect(),
        asked,
        page,
    }
}

pub(super) async fn evidence(State(journal): State<Journal>, web: Web, Path(place): Path<String>) -> Response {
    let made: Result<_> = async {
        let leaf = leaf(&place)?;
        Ok((leaf, journal.my_read_evidence(&web.ctx, leaf).await?))
    }
    .await;
    match made {
        Ok((leaf, bytes)) => download(&format!("read-{leaf}.asice"), bytes),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "exchange/journal/ask.html")]
struct Ask {
    page: Page,
    leaf: LeafId,
    read: ReadAbout,
    typed: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AskForm {
    text: String,
}

pub(super) async fn ask_page(State(journal): State<Journal>, web: Web, Path(place): Path<String>) -> Response {
    match form(&journal, &web, &place, String::new()).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn form(journal: &Journal, web: &Web, place: &str, typed: String) -> Result<Ask> {
    let leaf = leaf(place)?;
    let mut page = web.titled("Hỏi về lượt xem này", "Ask about this read");
    page.breadcrumbs = vec![Link::new(
        "/my/reads",
        "Ai đã xem dữ liệu của tôi",
        "Who has read my data",
    )];
    Ok(Ask {
        read: journal.read_about(&web.ctx, leaf).await?,
        page,
        leaf,
        typed,
    })
}

pub(super) async fn ask(
    State(journal): State<Journal>,
    web: Web,
    Path(place): Path<String>,
    Form(sent): Form<AskForm>,
) -> Response {
    let done: Result<()> = async { journal.ask(&web.ctx, leaf(&place)?, &sent.text).await.map(drop) }.await;
    let error = match done {
        Ok(()) => return Redirect::to("/my/reads?done=1").into_response(),
        Err(error) => error,
    };
    match form(&journal, &web, &place, sent.text).await {
        Ok(mut shown) => again(&web, error, |problems| {
            shown.page.problems = problems;
            shown
        }),
        Err(refused) => web.refuse(&refused),
    }
}

pub(super) async fn close(State(journal): State<Journal>, web: Web, Path(id): Path<String>) -> Response {
    let done: Result<()> = async {
        let id = id.parse().map_err(|_| Error::not_found("câu hỏi này", "question"))?;
        journal.close_question(&web.ctx, id).await
    }
    .await;
    match done {
        Ok(()) => Redirect::to("/my/reads?done=1").into_response(),
        Err(error) => web.refuse(&error),
    }
}
