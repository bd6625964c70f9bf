//! Consultations (lấy ý kiến) between nodes: an agency with a node of its own is asked through the exchange, an officer answers
//! there, and the answer comes back into the dossier (docs/integration.md has the messages).
//!
//! ```text
//! asking      the dossier's side: the question goes out, its standing is shown, the opinion is taken into the log
//! answering   the other side: what was asked of agencies of this node, and what their officers answer
//! files       what goes with an opinion, on both sides
//! peer        what the two say to each other, as a service of the exchange
//! wire        the shape of what crosses
//! ```
//! Each side tells the other by a job that is written in the transaction of what it tells, and tries until the other has said yes
//! or no. Every message says how things stand rather than what to do, so that it may come twice, late, or in another order.

mod agency;
mod answering;
pub mod api;
mod asking;
mod files;
pub mod pages;
mod peer;
mod store;
mod wire;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use ::exchange::{Caller, Said, model::identifier::SubsystemId};
use ::store::jobs::Runner;
use base::{Problems, Timestamp};
use serde::de::DeserializeOwned;

use crate::service::Dossiers;

pub use self::{
    agency::{Consulted, Remote},
    answering::{AskedItem, AskedState, AskedView, GivenOpinion, PaperContent, Shown},
    asking::{Delivery, QuestionView},
    peer::router,
    wire::{Ended, Ending, Fact, Named, Office, Officer, Opinion, Question, SentFile, SentPaper},
};
pub(crate) use self::{
    answering::sentences,
    asking::{ended, sent},
    files::MOST as MOST_FILES,
};

/// The purpose of every call between the two.
pub const PURPOSE: &str = "consultation";

/// The first pause after a try that failed, in seconds; it doubles with each.
const FIRST_PAUSE: i64 = 15;
/// The longest pause, in seconds: a consultation has days, and its clock does not wait for a node that is down.
const LONGEST_PAUSE: i64 = 900;

/// Teaches a runner to tell other nodes. It should be one of its own: a node that does not answer holds it up for a while, and the
/// timers of processes must not wait for that.
pub fn handlers(runner: Runner, dossiers: &Dossiers) -> Runner {
    answering::handlers(asking::handlers(runner, dossiers), dossiers)
}

/// By what this node speaks with others.
pub struct Exchange {
    /// Makes the calls.
    pub caller: Arc<dyn Caller>,
    /// In whose name this node asks.
    pub system: SubsystemId,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    async fn tell<T: DeserializeOwned>(&self, client: &SubsystemId, request: http::Request<bytes::Bytes>) -> Said<T> {
        Said::of_json(self.caller.call(client, request).await, peer::LARGEST)
    }
}

/// Why nothing can be sent yet on a node whose exchange is not open.
fn not_joined<T>() -> Said<T> {
    Said::later(
        "not-joined",
        "Nút này chưa tham gia mạng liên thông nên chưa gửi được.",
        "This node has not joined the exchange yet, so nothing can be sent.",
    )
}

fn next_try(now: Timestamp, tries: i64) -> Timestamp {
    let doubled = FIRST_PAUSE << tries.clamp(0, 16);
    now.plus_seconds(doubled.min(LONGEST_PAUSE))
}

/// Problems as they are kept beside what they are about.
fn kept(problems: &Problems) -> base::Result<String> {
    Ok(serde_json::to_string(problems)?)
}
