//! The page of the log: what it is, where it stands, and a place to verify a proof.

use ::exchange::journal::evidence::Stamped;
use ::ledger::{
    Cosigner, Hash, Ledger,
    witness::{Followed, Miss},
};
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    http::StatusCode,
    response::Response,
    routing::get,
};
use base::{Problems, Timestamp};
use identity::Web;
use view::{Page, ui};

use super::{
    Guarded,
    check::{self, Checked, LARGEST_FILE, Trusted},
    copying,
    cosigning::{Cosigned, time_of},
    stamping,
};

/// `/ledger`, and beneath it what auditors' tools read (`ledger::http`); `/witness`, if this node is one.
pub fn router(guarded: &Guarded) -> Router {
    let page = Router::new()
        .route("/ledger", get(show).post(judge))
        .layer(DefaultBodyLimit::max(LARGEST_FILE + (1 << 16)))
        .with_state(guarded.clone());
    page.nest("/ledger", ::ledger::http::log(guarded.ledger.log.clone()))
        .merge(guarded.witness.as_ref().map_or_else(Router::new, |here| here.router()))
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
    cosigned: Cosigned,
    stamps: Option<stamping::State>,
    copy: Option<copying::State>,
    witness: Option<Here>,
    /// The file speaks of a log of this node.
    ours: bool,
    former: Vec<Ended>,
}

/// This node as a witness.
struct Here {
    key: String,
    address: String,
    followed: Vec<Followed>,
}

/// A log that ended.
struct Ended {
    origin: String,
    size: u64,
    keys: Vec<String>,
}

impl Ended {
    fn of(ledger: &Ledger) -> Self {
        Self {
            origin: ledger.log.origin().to_owned(),
            size: ledger.log.size(),
            keys: ledger.keys.iter().map(ToString::to_string).collect(),
        }
    }
}

impl LedgerPage {
    fn why(&self, miss: &Miss) -> String {
        self.page.text(&miss.text()).to_owned()
    }

    fn time_of(cosigner: &Cosigner) -> Option<Timestamp> {
        time_of(cosigner)
    }

    /// When and by whom an entry was stamped, if this node can judge that.
    fn stamp(stamped: &Stamped) -> Option<(Timestamp, &str)> {
        match stamped {
            Stamped::At { time, authority } => Some((*time, authority)),
            Stamped::Unjudged => None,
        }
    }

    fn entries_of(&self, log: &Ended) -> String {
        format!("{} {}", self.page.number(log.size), self.page.t("mục", "entries"))
    }

    fn wrong(&self) -> bool {
        self.checked.as_ref().is_some_and(|checked| !checked.holds())
    }
}

async fn show(State(guarded): State<Guarded>, web: Web) -> Response {
    view::html(StatusCode::OK, &page(&guarded, &web, None))
}

fn page(guarded: &Guarded, web: &Web, checked: Option<Checked>) -> LedgerPage {
    let ledger = &guarded.ledger;
    let checkpoint = ledger.log.checkpoint();
    let checkpoint = checkpoint.checkpoint();
    let here = guarded.witness.as_ref().map(|here| Here {
        key: here.key().to_string(),
        address: here.address().to_owned(),
        followed: here.followed(),
    });
    LedgerPage {
        page: web.titled("Sổ cái minh bạch", "Transparency log"),
        origin: ledger.log.origin().to_owned(),
        size: checkpoint.size,
        root: checkpoint.root,
        keys: ledger.keys.iter().map(ToString::to_string).collect(),
        now: web.ctx.now,
        cosigned: guarded.cosigning.standing(),
        copy: guarded.copying.as_ref().map(|copying| copying.state()),
        stamps: guarded.stamping.as_ref().map(|stamping| stamping.state()),
        witness: here,
        ours: checked
            .as_ref()
            .is_some_and(|c| c.log.is_empty() || guarded.ledgers().named(&c.log).is_some()),
        former: guarded.former.iter().map(Ended::of).collect(),
        checked,
    }
}

/// Verifies a file with the keys of this node's log, and those whom it believes. The file is not kept.
async fn judge(State(guarded): State<Guarded>, web: Web, body: Result<Multipart, MultipartRejection>) -> Response {
    let file = match body {
        Ok(body) => file(body).await,
        Err(_) => None,
    };
    let Some(file) = file else {
        let mut page = page(&guarded, &web, None);
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
    let trusted = Trusted {
        logs: guarded.ledgers().all().flat_map(|ledger| ledger.keys.clone()).collect(),
        witnesses: guarded.cosigning.policy().witnesses().to_vec(),
        // The page says who cosigned; how many must is for those to say who do not trust it.
        quorum: 0,
        stampers: guarded.stamping.as_ref().map(|stamping| stamping.stampers().clone()),
    };
    match tokio::task::spawn_blocking(move || check::check(&file, &trusted)).await {
        Ok(Ok(checked)) => view::html(StatusCode::OK, &page(&guarded, &web, Some(checked))),
        Ok(Err(text)) => {
            let mut page = page(&guarded, &web, None);
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
