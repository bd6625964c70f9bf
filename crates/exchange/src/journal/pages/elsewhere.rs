//! The proof of a read at another node: fetched, judged, and only then said to be verified and given to keep.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use base::{Error, Kind, Problem, Result};
use identity::Web;
use serde::Deserialize;
use view::{Link, Page, ui};

use crate::journal::{Journal, ProvedRead, ReadElsewhere, api::download as file};

/// Which read, as it stands in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The system that was read from.
    from: String,
    /// The read.
    read: String,
}

impl Asked {
    /// An address that is bent names no read.
    fn read(&self) -> Result<ReadElsewhere> {
        let provider = self.from.parse().ok();
        let place = provider.zip(self.read.parse().ok());
        let (provider, read) = place.ok_or_else(|| Error::not_found("lượt xem này", "read"))?;
        Ok(ReadElsewhere { provider, read })
    }
}

#[derive(Template)]
#[template(path = "exchange/journal/elsewhere.html")]
struct Shown {
    page: Page,
    /// Of a proof that holds.
    proved: Option<ProvedRead>,
    /// What is wrong with one that does not, each at its file.
    faults: Vec<(String, String)>,
    /// Why there is none for now.
    not_now: Option<String>,
    /// The same page again.
    again: String,
    download: String,
}

pub(super) async fn page(State(journal): State<Journal>, web: Web, Query(asked): Query<Asked>) -> Response {
    let read = match read_of(&web, &asked) {
        Ok(read) => read,
        Err(error) => return web.refuse(&error),
    };
    let mut page = web.titled(
        "Bằng chứng của lượt xem tại cơ quan khác",
        "Proof of a read at another agency",
    );
    page.breadcrumbs = vec![Link::new(
        "/my/reads",
        "Ai đã xem dữ liệu của tôi",
        "Who has read my data",
    )];
    let mut shown = Shown {
        page,
        proved: None,
        faults: Vec::new(),
        not_now: None,
        again: read.page(),
        download: read.download(),
    };
    let status = match journal.proof_elsewhere(&web.ctx, &read).await {
        Ok(proved) => {
            shown.proved = Some(proved);
            StatusCode::OK
        }
        Err(Error::Refused(Kind::Conflict, problems)) => {
            let fault = |problem: &Problem| (problem.at.clone(), problem.text.get(web.ctx.lang).to_owned());
            shown.faults = problems.iter().map(fault).collect();
            StatusCode::CONFLICT
        }
        Err(Error::Refused(Kind::Unavailable, problems)) => {
            let said = problems.iter().next();
            shown.not_now = said.map(|problem| problem.text.get(web.ctx.lang).to_owned());
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(error) => return web.refuse(&error),
    };
    view::html(status, &shown)
}

pub(super) async fn download(State(journal): State<Journal>, web: Web, Query(asked): Query<Asked>) -> Response {
    let made = async {
        let read = read_of(&web, &asked)?;
        let proved = journal.proof_elsewhere(&web.ctx, &read).await?;
        Ok::<_, Error>((read, proved))
    };
    match made.await {
        Ok((read, proved)) => file(&format!("read-{}.asice", read.read), proved.container),
        Err(error) => web.refuse(&error),
    }
}

/// Who may not look is not told what is wrong with the address.
fn read_of(web: &Web, asked: &Asked) -> Result<ReadElsewhere> {
    web.ctx.person()?;
    asked.read()
}
