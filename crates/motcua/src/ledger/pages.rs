//! The page of the log: what it is, where it stands, and a place to verify a proof.

use ::ledger::{Hash, VerifierKey};
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    http::StatusCode,
    response::Response,
    routing::get,
};
use base::{Problems, Timestamp};
use dossier::service::Ledger;
use identity::Web;
use view::{Page, ui};

use super::check::{self, Checked, LARGEST_FILE};

/// `/ledger`, and beneath it what auditors' tools read (`ledger::http`).
pub fn router(ledger: &Ledger) -> Router {
    let page = Router::new()
        .route("/ledger", get(show).post(judge))
        .layer(DefaultBodyLimit::max(LARGEST_FILE + (1 << 16)))
        .with_state(ledger.clone());
    page.nest("/ledger", ::ledger::http::log(ledger.log.clone()))
}

#[derive(Template)]
#[template(path = "ledger.html")]
struct LedgerPage {
    page: Page,
    origin: String,
    size: u64,
    root: Hash,
    keys: Vec<String>,
    now: Timestamp,
    checked: Option<Checked>,
    /// The file speaks of this node's log.
    ours: bool,
}

impl LedgerPage {
    fn wrong(&self) -> bool {
        self.checked.as_ref().is_some_and(|checked| !checked.holds())
    }
}

async fn show(State(ledger): State<Ledger>, web: Web) -> Response {
    view::html(StatusCode::OK, &page(&ledger, &web, None))
}

fn page(ledger: &Ledger, web: &Web, checked: Option<Checked>) -> LedgerPage {
    let checkpoint = ledger.log.checkpoint();
    let checkpoint = checkpoint.checkpoint();
    LedgerPage {
        page: web.titled("Sổ cái minh bạch", "Transparency log"),
        origin: ledger.log.origin().to_owned(),
        size: checkpoint.size,
        root: checkpoint.root,
        keys: ledger.keys.iter().map(ToString::to_string).collect(),
        now: web.ctx.now,
        ours: checked.as_ref().is_some_and(|c| c.log == ledger.log.origin()),
        checked,
    }
}

/// Verifies a file with the keys of this node's log. The file is not kept.
async fn judge(State(ledger): State<Ledger>, web: Web, body: Result<Multipart, MultipartRejection>) -> Response {
    let file = match body {
        Ok(body) => file(body).await,
        Err(_) => None,
    };
    let Some(file) = file else {
        let mut page = page(&ledger, &web, None);
        let mut problems = Problems::new();
        problems.add(
            "required",
            "proof",
            "Chọn tệp bằng chứng để kiểm tra, tối đa 25 MB.",
            "Choose a file of proofs, at most 25 MB.",
        );
        page.page.problems = problems;
        return view::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let keys: Vec<VerifierKey> = ledger.keys.clone();
    match tokio::task::spawn_blocking(move || check::check(&file, &keys)).await {
        Ok(Ok(checked)) => view::html(StatusCode::OK, &page(&ledger, &web, Some(checked))),
        Ok(Err(text)) => {
            let mut page = page(&ledger, &web, None);
            let mut problems = Problems::new();
            problems.add("no-proof", "proof", text.vi, text.en);
            page.page.problems = problems;
            view::html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => web.refuse(&base::Error::internal(error)),
    }
}

async fn file(mut body: Multipart) -> Option<bytes::Bytes> {
    while let Ok(Some(field)) = body.next_field().await {
        if field.name() == Some("proof") {
            return field.bytes().await.ok().filter(|bytes| !bytes.is_empty());
        }
    }
    None
}
