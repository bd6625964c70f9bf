//! How many reads are hidden, for everybody.

use askama::Template;
use axum::{extract::State, response::Response};
use base::Result;
use identity::Web;
use view::{Page, ui};

use super::answer;
use crate::journal::Journal;

#[derive(Template)]
#[template(path = "exchange/journal/hidden.html")]
struct Hidden {
    page: Page,
    rows: Vec<Row>,
}

struct Row {
    month: String,
    agency: String,
    reason: String,
    until: String,
    n: String,
}

pub(super) async fn page(State(journal): State<Journal>, web: Web) -> Response {
    answer(&web, hidden_page(&journal, &web).await)
}

async fn hidden_page(journal: &Journal, web: &Web) -> Result<Hidden> {
    let page = web.titled("Lượt xem dữ liệu chưa công bố", "Reads that are not shown yet");
    let months = journal.hidden_reads(web.ctx.now).await?;
    let rows = months.iter().map(|month| Row {
        month: month.month.strftime("%m/%Y").to_string(),
        agency: page.text(&month.name).to_owned(),
        reason: page.text(&month.reason).to_owned(),
        until: month.until.strftime("%d/%m/%Y").to_string(),
        n: page.number(month.n),
    });
    Ok(Hidden {
        rows: rows.collect(),
        page,
    })
}
