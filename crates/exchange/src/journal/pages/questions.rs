//! Questions of people, for the officers who answer them.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Result, Text};
use identity::{Cursor, Web, place, read_place};
use serde::Deserialize;
use view::{
    NavItem, Notice, Page,
    ui::{self, Tone},
};

use super::again;
use crate::journal::{Journal, Question, QuestionState};

#[derive(Template)]
#[template(path = "exchange/journal/questions.html")]
struct Questions {
    page: Page,
    tabs: Vec<NavItem>,
    questions: Vec<Shown>,
    older: Option<String>,
    newer: Option<String>,
}

struct Shown {
    question: Question,
    late: bool,
    open: bool,
    /// What was typed, when it was refused.
    typed: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    state: Option<String>,
    cursor: Cursor,
    done: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnswerForm {
    text: String,
}

pub(super) async fn list(State(journal): State<Journal>, web: Web, Query(query): Query<ListQuery>) -> Response {
    match questions_page(&journal, &web, &query).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn questions_page(journal: &Journal, web: &Web, query: &ListQuery) -> Result<Questions> {
    let state = query
        .state
        .as_deref()
        .and_then(QuestionState::from_code)
        .unwrap_or(QuestionState::Asked);
    let after = query.cursor.place(read_place)?;
    let (questions, next) = journal.questions(&web.ctx, state, after).await?;
    let mut page = web.titled("Câu hỏi về việc xem dữ liệu", "Questions about reads of data");
    page.notice = query.done.as_ref().map(|_| Notice {
        tone: Tone::Good,
        text: Text::new("Đã gửi câu trả lời.", "The answer was sent."),
    });
    let here = format!("/desk/questions?state={}", state.code());
    let tab = |of: QuestionState, vi: &str, en: &str| {
        NavItem::new(format!("/desk/questions?state={}", of.code()), vi, en, of == state)
    };
    let shown = |question: Question| Shown {
        late: question.is_late(web.ctx.now),
        open: question.state == QuestionState::Asked,
        typed: String::new(),
        question,
    };
    Ok(Questions {
        tabs: vec![
            tab(QuestionState::Asked, "Chờ trả lời", "To be answered"),
            tab(QuestionState::Answered, "Đã trả lời", "Answered"),
            tab(QuestionState::Closed, "Đã khép lại", "Closed"),
        ],
        questions: questions.into_iter().map(shown).collect(),
        older: next.map(|at| format!("{here}&cursor={}", place(at))),
        newer: after.map(|_| here),
        page,
    })
}

pub(super) async fn answer(
    State(journal): State<Journal>,
    web: Web,
    Path(id): Path<String>,
    Form(form): Form<AnswerForm>,
) -> Response {
    let done: Result<()> = async {
        let id = id.parse().map_err(|_| Error::not_found("câu hỏi này", "question"))?;
        journal.answer_question(&web.ctx, id, &form.text).await
    }
    .await;
    let error = match done {
        Ok(()) => return Redirect::to("/desk/questions?done=1").into_response(),
        Err(error) => error,
    };
    match questions_page(&journal, &web, &ListQuery::default()).await {
        Ok(mut shown) => again(&web, error, |problems| {
            shown.page.problems = problems;
            for one in &mut shown.questions {
                if one.question.id.to_string() == id {
                    form.text.clone_into(&mut one.typed);
                }
            }
            shown
        }),
        Err(refused) => web.refuse(&refused),
    }
}
