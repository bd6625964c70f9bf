//! What whoever watches the node is told of its exchange.

use ::exchange::{gateway::Figures, model::federation::Freshness};
use base::Timestamp;

use super::Exchange;

/// The exchange as it stands.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What the gateway has done.
    pub gateway: Figures,
    /// How old the directory is.
    pub freshness: Freshness,
    /// Its edition.
    pub version: u64,
    /// When that was issued.
    pub issued: Timestamp,
    /// When the certificate ends; none when it cannot be read.
    pub certificate_until: Option<Timestamp>,
    /// Leaves that the journal has not folded; none when the database does not say.
    pub journal_lag: Option<u64>,
}

impl Exchange {
    /// How it stands; none before the node has joined.
    pub async fn watch(&self) -> Option<Watched> {
        let joined = self.member.as_ref()?;
        let standing = joined.follower.standing().load_full();
        let journal = joined.journal.progress().await.ok();
        Some(Watched {
            gateway: joined.gateway.figures(),
            freshness: standing.freshness,
            version: standing.view.directory().version,
            issued: standing.view.directory().issued,
            certificate_until: joined.keys.until().await,
            journal_lag: journal.map(|at| at.size.saturating_sub(at.done)),
        })
    }
}
