//! Following the events of another node: ask for a subscription, pull, hand over in one transaction with the cursor, pull again.

use std::{sync::Arc, time::Duration};

use ::store::{Store, Tx, transact};
use base::{Clock, Error, Kind, Result, Timestamp};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde_json::json;
use tokio::sync::{Notify, watch};

use super::{
    model::{Cursor, Event, EventTypeId},
    store::follow,
    wire::{Gone, Item, Items},
};
use crate::{
    Caller, Said,
    model::{Purpose, error::Refusal, headers::PURPOSE, identifier::SubsystemId},
};

/// Events in one transaction at most.
const BATCH: usize = 200;
/// Pauses after failures: from this, doubled each time, up to that.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is done with events.
pub trait Handler: Send + Sync + 'static {
    /// Does it, within the transaction that also moves the cursor: either both happen or neither. May run again after a
    /// conflict, so it has no effect outside the database.
    fn handle(&self, tx: &Tx, events: &[Event]) -> impl Future<Output = Result<()>> + Send;

    /// Events were missed: what followed `after` is no longer kept, and `oldest` is before the oldest that is. Giving `Ok`
    /// goes on from there. Unless told otherwise the subscriber stops here, and says so.
    fn missed(&self, _tx: &Tx, _after: Option<Cursor>, _oldest: Cursor) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Err(Error::refused(
            Kind::Conflict,
            "events-missed",
            "Một số sự kiện không còn được lưu nên đã bị bỏ lỡ. Đồng bộ lại toàn bộ dữ liệu rồi mới theo dõi tiếp.",
            "Some events are no longer kept and were missed. Bring the data up to date as a whole, then follow on.",
        )))
    }

    /// How following stands after a step of [`Subscriber::run`], also when it stood so before.
    fn stands(&self, _standing: Standing) {}
}

/// How following stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// What there was has been heard.
    Heard,
    /// The provider's steward has not approved the subscription, or stopped it.
    Unapproved,
    /// The last step failed; it is tried again.
    Failing,
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many events were handed over, and there are more.
    More(usize),
    /// So many events were handed over, and that is all for now.
    Done(usize),
    /// The provider's steward has not approved the subscription, or stopped it. Where there was none, it is asked for now.
    Unapproved,
}

/// Why a step did not happen. The cursor has not moved.
#[derive(Debug)]
pub enum Trouble {
    /// The exchange did not carry the request.
    Exchange(Refusal),
    /// The provider answered with this status.
    Status(StatusCode),
    /// The provider's answer is not what the protocol says: its events do not follow each other, or cannot be read.
    Answer(&'static str),
    /// The handler or the database.
    Here(Error),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exchange(refusal) => refusal.fmt(f),
            Self::Status(status) => write!(f, "the provider answered {status}"),
            Self::Answer(what) => f.write_str(what),
            Self::Here(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

/// Follows one event type of another node, or of this one.
pub struct Subscriber<H> {
    /// This node's database.
    pub store: Store,
    /// The way to the provider.
    pub caller: Arc<dyn Caller>,
    /// What is done with events.
    pub handler: H,
    /// Under which name the cursor is kept; one for each use of the events.
    pub name: String,
    /// As which subsystem.
    pub client: SubsystemId,
    /// For which purpose.
    pub purpose: Purpose,
    /// By which law the subscription is asked for.
    pub legal_basis: String,
    /// What is followed.
    pub of: EventTypeId,
    /// How long to sleep when nobody nudges.
    pub every: Duration,
}

impl<H: Handler> Subscriber<H> {
    /// Pulls once and hands over what came.
    ///
    /// # Errors
    /// [`Trouble`]; nothing has happened then.
    pub async fn step(&self, now: Timestamp) -> Result<Step, Trouble> {
        let at = follow::cursor(&self.store.read(), &self.name).await?;
        let cursor = at
            .as_deref()
            .map(str::parse::<Cursor>)
            .transpose()
            .map_err(Error::internal)?;
        let answer = self.call(self.pull(cursor)?).await?;
        match answer.status() {
            StatusCode::OK => {
                let items: Items = serde_json::from_slice(answer.body())
                    .map_err(|_| Trouble::Answer("the answer is no list of events"))?;
                self.hand_over(at.as_deref(), items, now).await
            }
            StatusCode::GONE => {
                let gone: Gone = serde_json::from_slice(answer.body())
                    .map_err(|_| Trouble::Answer("410 without the oldest cursor"))?;
                let oldest = gone.oldest.to_string();
                transact!(self.store, |tx| {
                    self.handler.missed(&tx, cursor, gone.oldest).await?;
                    self.advance(&tx, at.as_deref(), &oldest, now).await
                })?;
                Ok(Step::More(0))
            }
            StatusCode::FORBIDDEN => match Said::<()>::read(Ok(answer), |_| None) {
                Said::No(_, problems) if problems.iter().any(|problem| problem.code == "subscription-missing") => {
                    let asked = self.call(self.subscribe()?).await?;
                    match asked.status() {
                        // Another process of this node has just asked.
                        StatusCode::OK | StatusCode::CONFLICT => Ok(Step::Unapproved),
                        status => Err(Trouble::Status(status)),
                    }
                }
                Said::No(_, problems) if problems.iter().any(|problem| problem.code.starts_with("subscription-")) => {
                    Ok(Step::Unapproved)
                }
                _ => Err(Trouble::Status(StatusCode::FORBIDDEN)),
            },
            status => Err(Trouble::Status(status)),
        }
    }

    async fn call(&self, request: Request<Bytes>) -> Result<http::Response<Bytes>, Trouble> {
        let answer = self.caller.call(&self.client, request).await;
        answer.map_err(Trouble::Exchange)
    }

    fn pull(&self, cursor: Option<Cursor>) -> Result<Request<Bytes>> {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let rest = format!("pull/v1/{}?limit={BATCH}{cursor}", self.of.name);
        self.request(Method::GET, &rest, Bytes::new())
    }

    /// From the oldest event that is kept: whoever has just come wants to know what led to now.
    fn subscribe(&self) -> Result<Request<Bytes>> {
        let body = json!({ "delivery": "PULL", "start": "beginning", "legalBasis": self.legal_basis });
        let rest = format!("api/v1/subs/{}", self.of.name);
        self.request(Method::POST, &rest, serde_json::to_vec(&body)?.into())
    }

    fn request(&self, method: Method, rest: &str, body: Bytes) -> Result<Request<Bytes>> {
        // Names are plain, and a cursor is base64url: nothing to encode. The identifier encodes itself.
        Request::builder()
            .method(method)
            .uri(format!("/r1/{}/{rest}", self.of.provider))
            .header(PURPOSE, self.purpose.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(Error::internal)
    }

    async fn hand_over(&self, at: Option<&str>, items: Items, now: Timestamp) -> Result<Step, Trouble> {
        let (next, more) = (items.cursor.to_string(), items.more);
        let (ours, others): (Vec<Item>, Vec<Item>) = items.events.into_iter().partition(|item| item.is_of(&self.of));
        for item in others {
            let (publisher, of) = (&item.publisher_id, &item.event_type);
            tracing::warn!(name = self.name, followed = %self.of, ?publisher, of, "an event of somebody else was given as one of the type; it is left out");
        }
        let events: Option<Vec<Event>> = ours.into_iter().map(Item::read).collect();
        let events = events.ok_or(Trouble::Answer("an event has no time"))?;
        if !events.is_sorted_by(|one, next| one.position < next.position) {
            return Err(Trouble::Answer("the events are not in their order"));
        }
        if at != Some(next.as_str()) {
            transact!(self.store, |tx| {
                if !events.is_empty() {
                    self.handler.handle(&tx, &events).await?;
                }
                self.advance(&tx, at, &next, now).await
            })?;
        } else if !events.is_empty() {
            return Err(Trouble::Answer("events came without a new cursor"));
        }
        Ok(if more {
            Step::More(events.len())
        } else {
            Step::Done(events.len())
        })
    }

    /// Moves the cursor, or undoes the transaction when another process was faster.
    async fn advance(&self, tx: &Tx, from: Option<&str>, to: &str, now: Timestamp) -> Result<()> {
        if follow::advance(tx, &self.name, from, to, now).await? {
            return Ok(());
        }
        Err(Error::refused(
            Kind::Conflict,
            "events-followed-twice",
            "Một tiến trình khác vừa xử lý các sự kiện này.",
            "Another process has just handled these events.",
        ))
    }

    /// Follows until `stop` becomes true: at once after a nudge, every so often without one, later and later after failures.
    pub async fn run(self, nudged: Arc<Notify>, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
        let (mut failures, mut stood) = (0_u32, None);
        while !*stop.borrow() {
            let (standing, pause) = match self.step(clock.now()).await {
                Ok(Step::More(_)) => (Standing::Heard, Duration::ZERO),
                Ok(Step::Done(_)) => (Standing::Heard, self.every),
                Ok(Step::Unapproved) => {
                    if stood != Some(Standing::Unapproved) {
                        tracing::info!(name = self.name, of = %self.of, "following waits for the provider's approval");
                    }
                    (Standing::Unapproved, self.every)
                }
                Err(trouble) => {
                    tracing::warn!(%trouble, name = self.name, of = %self.of, failures, "following events failed");
                    let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE);
                    (Standing::Failing, pause)
                }
            };
            failures = match standing {
                Standing::Failing => failures.saturating_add(1),
                Standing::Heard | Standing::Unapproved => 0,
            };
            stood = Some(standing);
            self.handler.stands(standing);
            if pause.is_zero() {
                continue;
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(pause) => {}
                // A nudge says that there is news, not that what failed works again.
                () = nudged.notified(), if failures == 0 => {}
            }
        }
    }
}
