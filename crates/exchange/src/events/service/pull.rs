//! Reading: from a cursor, in order, without gaps, or not at all.

use std::time::Duration;

use ::store::transact;
use base::{Error, Kind, Result};
use tokio::time::Instant;

use super::{Events, types::read_event};
use crate::{
    events::{
        model::{Cursor, Event, EventId, EventTypeId, Position, State, SubscriptionId, TypeId},
        store::{
            log::{self, EventRow},
            subscriptions::{self, SubscriptionRow},
        },
    },
    model::identifier::SubsystemId,
};

/// Most events of one answer.
const MOST: usize = 500;
/// Bytes of data after which an answer ends early.
const ENOUGH: usize = 4 * 1024 * 1024;
/// The longest wait for news.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often a waiting reader looks for what another process published.
const LOOK: Duration = Duration::from_millis(500);
/// Pieces of a log that one read of a subscription to some keys looks through.
const LOOKS: usize = 8;

/// What a reader wants.
#[derive(Debug, Clone, Copy)]
pub struct Pull {
    /// After which events; none: after those that it has acknowledged. What a cursor stands for is thereby acknowledged.
    pub cursor: Option<Cursor>,
    /// How many events at most; held to 1 to 500.
    pub limit: usize,
    /// How long to wait while there is none; at most 30 seconds.
    pub wait: Duration,
}

impl Default for Pull {
    fn default() -> Self {
        Self {
            cursor: None,
            limit: 100,
            wait: Duration::ZERO,
        }
    }
}

/// Events, and where the reader stands after them.
#[derive(Debug, Clone)]
pub struct Batch {
    /// In their order, without gaps but for keys that the subscription leaves out.
    pub events: Vec<Event>,
    /// Everything that was looked at; ask with it next.
    pub cursor: Cursor,
    /// Whether there is more now.
    pub more: bool,
}

/// The answer to a reader.
#[derive(Debug, Clone)]
pub enum Pulled {
    /// What there is.
    Batch(Batch),
    /// What the cursor points to is no longer kept. The reader has missed events and has to say that it knows, by going on from
    /// the oldest that there are.
    Gone {
        /// Before the oldest event that is kept.
        oldest: Cursor,
    },
}

impl Events {
    /// Reads as a subscriber.
    ///
    /// # Errors
    /// No such type; no subscription in force (`subscription-…` says how it stands); a cursor of another type, or one that is
    /// ahead of the log.
    pub async fn pull(&self, client: &SubsystemId, id: &EventTypeId, pull: Pull) -> Result<Pulled> {
        let limit = pull.limit.clamp(1, MOST);
        let until = Instant::now() + pull.wait.min(LONGEST_WAIT);
        let of = TypeId::from_uuid(self.row(id).await?.id);
        let line = self.line(of);
        // Too many wait already: the others get their empty answer at once.
        let place = self.0.waiting.try_acquire().ok();
        loop {
            let mut news = std::pin::pin!(line.news.notified());
            news.as_mut().enable();
            let subscription = self.permitted(client, of).await?;
            let pulled = self.read(&subscription, pull.cursor, limit).await?;
            let empty = matches!(&pulled, Pulled::Batch(batch) if batch.events.is_empty() && !batch.more);
            if !empty || place.is_none() || Instant::now() >= until {
                return Ok(pulled);
            }
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep_until(until.min(Instant::now() + LOOK)) => {}
            }
        }
    }

    /// Acknowledges an event and all before it. Going back acknowledges nothing and is no error.
    ///
    /// # Errors
    /// No such type or event; no subscription in force.
    pub async fn acknowledge(&self, client: &SubsystemId, id: &EventTypeId, event: EventId) -> Result<()> {
        let of = TypeId::from_uuid(self.row(id).await?.id);
        let subscription = self.permitted(client, of).await?;
        let event = log::by_id(&self.store().read(), of, event).await?;
        let event = event.ok_or_else(|| Error::not_found("sự kiện này", "event"))?;
        self.take_to(&subscription, event.position).await
    }

    /// Deny by default: only a subscription in force lets anybody read.
    async fn permitted(&self, client: &SubsystemId, of: TypeId) -> Result<SubscriptionRow> {
        let found = subscriptions::of(&self.store().read(), of, &client.to_string()).await?;
        let (code, vi, en) = match found.as_ref().map(|row| State::from_code(&row.state)) {
            Some(Some(State::Approved)) => return found.ok_or_else(|| Error::internal("no subscription")),
            Some(Some(State::Requested)) => (
                "subscription-requested",
                "Đăng ký nhận sự kiện đang chờ cơ quan cung cấp phê duyệt.",
                "The subscription waits for the provider's approval.",
            ),
            Some(Some(State::Paused)) => (
                "subscription-paused",
                "Cơ quan cung cấp đang tạm dừng đăng ký này. Sự kiện vẫn được lưu; liên hệ cơ quan cung cấp.",
                "The provider has paused this subscription. Events are kept; talk to the provider.",
            ),
            Some(Some(State::Refused)) => (
                "subscription-refused",
                "Cơ quan cung cấp đã từ chối đăng ký này; xem lý do rồi gửi lại yêu cầu nếu cần.",
                "The provider has refused this subscription; see the reason, and ask again if need be.",
            ),
            Some(Some(State::Cancelled) | None) | None => (
                "subscription-missing",
                "Hệ thống này chưa đăng ký nhận loại sự kiện đó. Gửi yêu cầu đăng ký trước.",
                "This subsystem has not subscribed to that event type. Ask for a subscription first.",
            ),
        };
        Err(Error::refused(Kind::Forbidden, code, vi, en))
    }

    async fn read(&self, subscription: &SubscriptionRow, cursor: Option<Cursor>, limit: usize) -> Result<Pulled> {
        let of = TypeId::from_uuid(subscription.type_id);
        let from = match cursor {
            None => subscription.acknowledged,
            Some(cursor) => match cursor.position_in(of) {
                Ok(position) => position,
                Err(flaw) => return flaw.refuse("cursor"),
            },
        };
        if from > subscription.last_position {
            return Err(Error::refused(
                Kind::Conflict,
                "cursor-ahead",
                "Con trỏ đứng sau sự kiện mới nhất: dữ liệu bên cung cấp có thể đã được khôi phục từ bản cũ. Liên hệ bên cung cấp trước khi đọc tiếp.",
                "The cursor is beyond the newest event: the provider may have been restored from an older copy. Talk to the provider before reading on.",
            ));
        }
        if from + 1 < subscription.first_position {
            return Ok(gone(of, subscription.first_position));
        }
        self.take_to(subscription, from).await?;
        let (mut at, mut events, mut bytes) = (from, Vec::new(), 0);
        for _ in 0..LOOKS {
            let most = i64::try_from(limit).map_err(Error::internal)?;
            let rows = log::after(&self.store().read(), of, at, most).await?;
            let whole = rows.len() == limit;
            if !follow(at, &rows) {
                return self.broken(of, at).await;
            }
            for row in rows {
                at = row.position;
                bytes += row.data.as_ref().map_or(0, String::len);
                let key = row.order_key.as_deref().unwrap_or_default();
                if key.starts_with(&subscription.key_prefix) {
                    events.push(read_event(row)?);
                }
                if bytes >= ENOUGH {
                    break;
                }
            }
            if !events.is_empty() || !whole {
                break;
            }
        }
        Ok(Pulled::Batch(Batch {
            events,
            cursor: Cursor::new(of, at),
            more: at < subscription.last_position,
        }))
    }

    /// What follows a position does not: it was removed by its age while we read, or the log is damaged.
    async fn broken(&self, of: TypeId, at: Position) -> Result<Pulled> {
        let row = super::types::by_id(self, of).await?;
        if at + 1 < row.first_position {
            return Ok(gone(of, row.first_position));
        }
        Err(Error::internal(format!(
            "the log of event type {of} has a gap after {at}"
        )))
    }

    async fn take_to(&self, subscription: &SubscriptionRow, position: Position) -> Result<()> {
        if position <= subscription.acknowledged {
            return Ok(());
        }
        let (id, now) = (SubscriptionId::from_uuid(subscription.id), self.now());
        transact!(self.store(), |tx| {
            subscriptions::acknowledge(&tx, id, position, now).await
        })
    }
}

/// Whether the rows are the very ones after a position. Positions have no gaps, so anything else is noticed here.
fn follow(after: Position, rows: &[EventRow]) -> bool {
    (after + 1..).zip(rows).all(|(position, row)| row.position == position)
}

fn gone(of: TypeId, first: Position) -> Pulled {
    Pulled::Gone {
        oldest: Cursor::new(of, first - 1),
    }
}
