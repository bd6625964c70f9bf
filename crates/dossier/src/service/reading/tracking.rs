//! What the public sees of a dossier with its code and secret.

use std::sync::Arc;

use base::{
    Error, Kind, Result, Text, Timestamp,
    deadline::{Due, Status},
};
use identity::Ctx;
use procedure::{package::Package, process::WhereNow};

use super::{super::Dossiers, HistoryLine, history::lines, why};
use crate::{
    model::status::{Decision, NationalStatus},
    store::{self as tables, Kept},
};

/// What the holder of code and secret sees: no personal data.
#[derive(Debug, Clone)]
pub struct Tracking {
    /// Code.
    pub code: String,
    /// Procedure.
    pub procedure: String,
    /// Its name.
    pub name: Text,
    /// Deciding agency.
    pub agency: String,
    /// Status.
    pub status: NationalStatus,
    /// When filed.
    pub submitted_at: Timestamp,
    /// When received.
    pub received_at: Option<Timestamp>,
    /// Its time limit.
    pub due: Option<Due>,
    /// How it stands.
    pub standing: Option<Status>,
    /// Why this date.
    pub why: Vec<(Text, Option<Text>)>,
    /// Its history, without names of the applicant and without what officers wrote among themselves.
    pub history: Vec<HistoryLine>,
    /// Whether something is asked of the applicant.
    pub asked: bool,
    /// Whether the result can be fetched.
    pub ready: bool,
    /// The procedure version, for the drawing.
    pub package: Arc<Package>,
    /// Where the process stands.
    pub here: WhereNow,
}

impl Dossiers {
    /// What the holder of code and secret sees. A wrong code and a wrong secret get the same answer.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn track(&self, ctx: &Ctx, code: &str, secret: &str) -> Result<Tracking> {
        let wrong = || {
            Error::refused(
                Kind::NotFound,
                "wrong-code-or-secret",
                "Không tìm thấy hồ sơ với mã hồ sơ và mã tra cứu này. Hai mã được ghi trên giấy tiếp nhận hồ sơ.",
                "No dossier has this code and secret. Both are printed on the receipt.",
            )
        };
        let kept = tables::by_code(&self.store().read(), code.trim()).await?;
        let Some(Kept { id, state, package }) = kept else {
            return Err(wrong());
        };
        if !self.secret_fits(id, secret) {
            return Err(wrong());
        }
        let package = self.shelf().by_hash(&package).await?;
        let calendar = self.calendar();
        let due = state.due(&calendar);
        let log = tables::log(&self.store().read(), id).await?;
        let history = lines(&log, &state, &package)
            .into_iter()
            .filter(|l| !l.internal)
            .map(|mut l| {
                l.detail.clear();
                if l.actor.agency.is_empty() {
                    l.actor.name.clear();
                }
                l
            })
            .collect();
        Ok(Tracking {
            code: state.code.clone(),
            procedure: state.procedure.code.clone(),
            name: package.meta.name.clone(),
            agency: state.agency.clone(),
            status: state.national(),
            submitted_at: state.submitted_at,
            received_at: state.received_at,
            standing: due.map(|d| d.status_at(ctx.now, &calendar)),
            due,
            why: why(&state, &calendar),
            history,
            asked: matches!(
                state.decision,
                Decision::AwaitingSupplement | Decision::SupplementBeforeReceipt
            ) || state.waits_for_payment(),
            ready: state.national() == NationalStatus::Decided,
            here: state.process.where_now(),
            package,
        })
    }
}
