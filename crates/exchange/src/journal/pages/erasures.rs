//! What was erased, for auditors and administrators; and the form of a lawful demand.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Problems, Result, Text};
use identity::{Cursor, Web};
use serde::Deserialize;
use view::{
    Notice, Page,
    ui::{self, Tone},
};

use super::again;
use crate::journal::{
    Demand, Journal,
    api::{read, uuid},
    erasure::Erasure,
};

#[derive(Template)]
#[template(path = "exchange/journal/erasures.html")]
struct Erasures {
    page: Page,
    rows: Vec<Erasure>,
    may_erase: bool,
    form: EraseForm,
    older: Option<String>,
    newer: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    cursor: Cursor,
    done: Option<u32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct EraseForm {
    request_id: String,
    ground: String,
    read_too: Option<String>,
}

pub(super) async fn list(State(journal): State<Journal>, web: Web, Query(query): Query<ListQuery>) -> Response {
    match erasures_page(&journal, &web, &query, EraseForm::default()).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn erasures_page(journal: &Journal, web: &Web, query: &ListQuery, form: EraseForm) -> Result<Erasures> {
    let before = query.cursor.place(|leaf| leaf.parse().ok())?;
    let (rows, next) = journal.erasures(&web.ctx, before).await?;
    let mut page = web.titled("Bản ghi đã xóa", "Erased records");
    page.notice = query.done.map(|n| Notice {
        tone: Tone::Good,
        text: Text::new(format!("Đã xóa {n} bản ghi."), format!("{n} records were erased.")),
    });
    Ok(Erasures {
        rows,
        may_erase: journal.require_eraser(&web.ctx).is_ok(),
        form,
        older: next.map(|leaf| format!("/exchange/erasures?cursor={leaf}")),
        newer: before.map(|_| "/exchange/erasures".to_owned()),
        page,
    })
}

pub(super) async fn erase(State(journal): State<Journal>, web: Web, Form(form): Form<EraseForm>) -> Response {
    let error = match erase_request(&journal, &web, &form).await {
        Ok(n) => return Redirect::to(&format!("/exchange/erasures?done={n}")).into_response(),
        Err(error) => error,
    };
    match erasures_page(&journal, &web, &ListQuery::default(), form).await {
        Ok(mut shown) => again(&web, error, |problems| {
            shown.page.problems = problems;
            shown
        }),
        Err(refused) => web.refuse(&refused),
    }
}

async fn erase_request(journal: &Journal, web: &Web, form: &EraseForm) -> Result<usize> {
    journal.require_eraser(&web.ctx)?;
    let mut problems = Problems::new();
    let request = read(&form.request_id, "request_id", uuid, &mut problems);
    if form.request_id.trim().is_empty() {
        problems.add(
            "required",
            "request_id",
            "Nhập X-Road-Request-Id của thông điệp cần xóa.",
            "Enter the X-Road-Request-Id of the message to be erased.",
        );
    }
    problems.into_result()?;
    let demand = Demand {
        request: request.unwrap_or_default(),
        ground: form.ground.clone(),
        read_too: form.read_too.is_some(),
    };
    journal.erase(&web.ctx, &demand).await
}
