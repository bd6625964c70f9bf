//! Quality: rules that run, doubts that are answered, and figures of both.
//!
//! * Every record is judged by the rules of its registry soon after it is written, and all of them again when the rules change
//!   ([`judging`]). What is judged is what holds today as it is known now. A record that breaks a rule has a [`Finding`], with an owner
//!   and a clock in working days; the version that mends it closes it.
//! * Figures are counters that change in the transaction that changes what they count; nothing is counted when a page asks.

pub mod api;
mod batches;
mod correcting;
pub mod doubts;
pub mod dqv;
mod figures;
mod figures_api;
mod findings;
mod judging;
mod look;
mod mine;
mod naming;
pub mod offered;
mod own;
pub mod pages;
mod proposing;
mod representing;
mod sampling;

use std::sync::{Arc, OnceLock};

use base::{Calendar, Error, Result, Timestamp};
use store::jobs::{Job, Runner};

pub use batches::{Batch, BatchId, Outcome, SafeFix};
pub use correcting::{Correction, Edit};
pub use figures::{DoubtFigures, Figure, Figures, MonthFigures};
pub use findings::{Finding, FindingId, FindingView, Place, State, Wanted, Whose};
pub(crate) use judging::judge_anew;
pub use judging::{JUDGE, Progress, judge_order};
pub use mine::{Mine, MyRecord};
pub(crate) use naming::Naming;
pub(crate) use representing::LISTED;
pub use representing::{Enterprise, REPRESENTATION, Represents};
pub use sampling::{DRAW, Looked, Sample, SampleId, SampleItem, wilson};

use doubts::SWEEP;

use crate::{elsewhere::Elsewhere, model::RegistryCode, service::Registries, store::quality as tables};

/// The purpose under which stewards look at records that break rules or are doubted.
pub const PURPOSE: &str = "registry.quality";
/// The purpose under which people see at one node what registries of others hold about them, as grants name it.
pub const OWN_VIEW: &str = "registry.own-view";

/// The use cases of quality. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Quality(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registries: Registries,
    calendar: Calendar,
    /// By what registries of other nodes are reached, once the exchange is open.
    elsewhere: OnceLock<Arc<Elsewhere>>,
}

impl Quality {
    /// Looks after these registries by a working-day calendar.
    pub fn new(registries: Registries, calendar: Calendar) -> Self {
        Self(Arc::new(Inner {
            registries,
            calendar,
            elsewhere: OnceLock::new(),
        }))
    }

    /// From now on people see, and contest, what registries of other nodes hold about them.
    pub fn join(&self, elsewhere: Arc<Elsewhere>) {
        // Said once, by whoever serves.
        let _ = self.0.elsewhere.set(elsewhere);
    }

    fn elsewhere(&self) -> Option<&Elsewhere> {
        self.0.elsewhere.get().map(Arc::as_ref)
    }

    /// The registries.
    pub fn registries(&self) -> &Registries {
        &self.0.registries
    }

    /// Orders what a node that did not judge yet, or was broken off, has to do.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin(&self, now: Timestamp) -> Result<()> {
        let all = self.registries().shelf().all();
        let orders = all.iter().map(|editions| judge_order(&editions.current().code));
        let orders: Vec<Job> = orders.collect::<Result<_>>()?;
        store::transact!(self.registries().store(), |tx| { tx.enqueue_all(&orders, now).await })
    }

    fn calendar(&self) -> &Calendar {
        &self.0.calendar
    }

    /// The address of this node, with `/` at its end.
    fn base(&self) -> String {
        format!("{}/", self.registries().public_url())
    }

    /// The end of the `days`th working day after an instant.
    fn due(&self, from: Timestamp, days: u32) -> Timestamp {
        let day = self.0.calendar.add_working_days(from.legal_date(), days);
        let midnight = || Timestamp::from_legal(day.at(23, 59, 59, 0));
        self.0.calendar.end_of_work(day).unwrap_or_else(midnight)
    }
}

/// Teaches a runner the jobs of quality.
pub fn handlers(runner: Runner, quality: &Quality) -> Runner {
    let (judging, drawing, sweeping) = (quality.clone(), quality.clone(), quality.clone());
    runner
        .on(JUDGE, move |run| {
            let quality = judging.clone();
            async move {
                let judging::Order { registry } = run.payload()?;
                quality.follow(&run, &registry).await
            }
        })
        .on(DRAW, move |run| {
            let quality = drawing.clone();
            async move { quality.draw_now(&run, &run.payload()?).await }
        })
        .on(SWEEP, move |run| {
            let quality = sweeping.clone();
            async move { quality.sweep(&run).await }
        })
}

/// Takes away everything in which people may have written what an erased record said.
pub(crate) async fn forget(tx: &store::Tx, record: uuid::Uuid, now: Timestamp) -> Result<()> {
    tables::forget(tx, record).await?;
    doubts::forget_files(tx, record, now).await?;
    doubts::tables::forget(tx, record).await
}

/// The months since January of year 0 in which an instant falls.
fn month_of(at: Timestamp) -> i64 {
    let day = at.legal_date();
    i64::from(day.year()) * 12 + i64::from(day.month()) - 1
}

fn no_finding() -> Error {
    Error::not_found("vi phạm chất lượng này", "finding")
}

/// The code of a registry as it was stored.
fn stored_code(code: &str) -> Result<RegistryCode> {
    code.parse().map_err(Error::internal)
}
