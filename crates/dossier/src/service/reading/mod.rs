//! Reading: one dossier, lists, queues, and what the public may see. Every read of personal data names its purpose and
//! is recorded before the data are shown.

mod dossier;
mod history;
mod lists;
mod queue;
mod tracking;

use base::{Error, Kind, Result, Text};
use procedure::{
    package::Package,
    process::{NodeKind, Silence},
};

pub(super) use self::history::line_text;
pub(crate) use self::queue::minutes_left;
pub use self::{
    dossier::{DossierView, StoredFile, TaskView},
    history::HistoryLine,
    lists::{DossierItem, Slice},
    queue::{COUNTED, ConsultationItem, Holder, Queue, QueueItem, QueueQuery, WATCHED, Watch, WatchItem},
    tracking::Tracking,
};
use crate::model::{state::State, status::NationalStatus};

/// Rows of a page of a list.
pub const PAGE: u32 = 20;

/// Why this date, line by line, each with its legal ground.
fn why(state: &State, calendar: &base::Calendar) -> Vec<(Text, Option<Text>)> {
    let Some(ledger) = &state.ledger else { return Vec::new() };
    ledger
        .explain(calendar)
        .into_iter()
        .map(|line| (line.text, line.basis))
        .collect()
}

/// What a consulted agency's silence means in this package.
pub(crate) fn silence(package: &Package, sent_by: &str) -> Silence {
    match package.process.node(sent_by).map(|n| &n.kind) {
        Some(NodeKind::Send(send)) => send.silence,
        _ => Silence::default(),
    }
}

/// The question that a send task puts.
pub(crate) fn question(package: &Package, sent_by: &str) -> Text {
    match package.process.node(sent_by).map(|n| &n.kind) {
        Some(NodeKind::Send(send)) => send.question.clone(),
        _ => Text::default(),
    }
}

fn status(code: i64) -> Result<NationalStatus> {
    u8::try_from(code)
        .ok()
        .and_then(|c| NationalStatus::try_from(c).ok())
        .ok_or_else(|| Error::internal("not a status"))
}

pub(crate) fn bad_cursor() -> Error {
    Error::refused(
        Kind::Invalid,
        "bad-cursor",
        "Địa chỉ trang tiếp theo không hợp lệ. Mở lại danh sách từ đầu.",
        "The address of the next page is not valid. Open the list again.",
    )
}
