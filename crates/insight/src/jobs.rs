//! Keeping the figures: one job for each entry of a dossier's log.

use ::store::{
    jobs::{Run, Runner},
    transact,
};
use base::{Error, Kind, Result};
use dossier::model::action::DossierId;
use serde::Deserialize;

use crate::{model::Fact, service::Insight, store as tables};

/// The kind of job by which dossiers tell of a new entry.
pub const CHANGED: &str = "insight.project";

#[derive(Debug, Deserialize)]
struct Changed {
    dossier: DossierId,
    seq: i64,
}

/// Teaches a runner to keep the figures.
pub fn handlers(runner: Runner, insight: &Insight) -> Runner {
    let insight = insight.clone();
    runner.on(CHANGED, move |run| {
        let insight = insight.clone();
        async move { insight.project(&run).await }
    })
}

impl Insight {
    /// Brings the fact of one dossier up to date. A job that was overtaken by a later entry only ends.
    async fn project(&self, run: &Run) -> Result<()> {
        let Changed { dossier, seq } = run.payload()?;
        let known = tables::seq(&self.store().read(), dossier).await?;
        let fact = if known.is_some_and(|known| known >= seq) {
            None
        } else {
            match self.dossiers().figures(dossier).await {
                Ok(figures) => Some(Fact::of(&figures)),
                Err(Error::Refused(Kind::NotFound, _)) => None,
                Err(error) => return Err(error),
            }
        };
        transact!(self.store(), |tx| {
            if let Some(fact) = &fact {
                tables::apply(&tx, fact, run.now).await?;
            }
            run.done(&tx).await
        })
    }
}
