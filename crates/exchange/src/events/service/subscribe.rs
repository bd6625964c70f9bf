//! Subscriptions: asked for by a subsystem, decided by the steward of whose events they are.

use ::store::{Tx, transact};
use base::{Error, Kind, Problems, Result, Text, Timestamp};
use identity::{Ctx, Permission, place};
use uuid::Uuid;

use super::{Asker, Events, NEWEST, PAGE, Page, types::open};
use crate::{
    access::reach,
    events::{
        model::{
            Cursor, DeliveryId, EventTypeId, LONGEST_KEY, Position, Sensitivity, Start, State, SubscriptionId, TypeId,
        },
        store::{
            deliveries::{self, DeliveryRow},
            log,
            subscriptions::{self, Request, SubscriptionRow},
        },
        webhook::{Outcome, Secret, check_url, enqueue},
    },
    model::{Purpose, identifier::SubsystemId},
};

/// The longest legal basis and the longest reason, in characters.
const LONGEST_TEXT: usize = 500;
/// Subscriptions of one subsystem that are listed.
const MOST: i64 = 1000;

/// What a subsystem asks for.
#[derive(Debug, Clone)]
pub struct SubscribeRequest {
    /// Why.
    pub purpose: Purpose,
    /// On which legal basis; needed for personal data.
    pub legal_basis: String,
    /// Only events whose key begins so; empty: all.
    pub key_prefix: String,
    /// Where it begins.
    pub start: Start,
    /// Where to tell of news; none: the subscriber asks by itself.
    pub webhook: Option<String>,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Which.
    pub id: SubscriptionId,
    /// To what.
    pub of: EventTypeId,
    /// The type.
    pub type_id: TypeId,
    /// What the type is called.
    pub title: Text,
    /// How many days its events are kept.
    pub retention_days: i64,
    /// Whose.
    pub subscriber: SubsystemId,
    /// How it stands.
    pub state: State,
    /// Why.
    pub purpose: String,
    /// On which legal basis.
    pub legal_basis: String,
    /// Only events whose key begins so.
    pub key_prefix: String,
    /// Up to where its subscriber has acknowledged.
    pub acknowledged: Position,
    /// When that last moved.
    pub acknowledged_at: Option<Timestamp>,
    /// How many events of the type it has not acknowledged.
    pub lag: i64,
    /// Whether events that it has not acknowledged are no longer kept.
    pub has_missed: bool,
    /// Where it is told of news.
    pub webhook: Option<String>,
    /// Calls of the webhook that failed, one after another, until now.
    pub nudge_failures: i64,
    /// Why the webhook is called no more, by [`Outcome::code`]; none while it is.
    pub nudge_paused: Option<String>,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it was last decided about.
    pub decided: Option<Timestamp>,
    /// By whom.
    pub decided_by: String,
    /// The reason given.
    pub reason: String,
}

impl TryFrom<SubscriptionRow> for Subscription {
    type Error = Error;

    fn try_from(row: SubscriptionRow) -> Result<Self> {
        let state = State::from_code(&row.state);
        Ok(Self {
            id: SubscriptionId::from_uuid(row.id),
            of: EventTypeId {
                provider: row.provider.parse().map_err(Error::internal)?,
                name: row.name.parse().map_err(Error::internal)?,
            },
            type_id: TypeId::from_uuid(row.type_id),
            title: Text::new(row.title_vi, row.title_en),
            retention_days: row.retention_days,
            subscriber: row.subscriber.parse().map_err(Error::internal)?,
            state: state.ok_or_else(|| Error::internal("an unknown state of a subscription in the database"))?,
            purpose: row.purpose,
            legal_basis: row.legal_basis,
            key_prefix: row.key_prefix,
            acknowledged: row.acknowledged,
            acknowledged_at: row.acknowledged_at.map(Timestamp::from_micros),
            lag: if row.start_at_approval {
                0
            } else {
                (row.last_position - row.acknowledged).max(0)
            },
            has_missed: !row.start_at_approval && row.acknowledged + 1 < row.first_position,
            webhook: row.webhook,
            nudge_failures: row.nudge_failures,
            nudge_paused: row.nudge_paused,
            requested: Timestamp::from_micros(row.requested_at),
            decided: row.decided_at.map(Timestamp::from_micros),
            decided_by: row.decided_by,
            reason: row.reason,
        })
    }
}

impl Subscription {
    /// The cursor up to which it has acknowledged.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.type_id, self.acknowledged)
    }
}

/// A call of a webhook.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Which.
    pub id: DeliveryId,
    /// Of which subscription.
    pub subscription: SubscriptionId,
    /// Whose it is.
    pub subscriber: SubsystemId,
    /// To what it is.
    pub of: EventTypeId,
    /// When.
    pub at: Timestamp,
    /// The newest position that it told of.
    pub position: Position,
    /// The number of the try.
    pub attempt: i64,
    /// What became of it, by [`Outcome::code`].
    pub outcome: String,
    /// The status that was answered.
    pub status: Option<i64>,
    /// How long it took, in milliseconds.
    pub millis: i64,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Error;

    fn try_from(row: DeliveryRow) -> Result<Self> {
        Ok(Self {
            id: DeliveryId::from_uuid(row.id),
            subscription: SubscriptionId::from_uuid(row.subscription_id),
            subscriber: row.subscriber.parse().map_err(Error::internal)?,
            of: EventTypeId {
                provider: row.provider.parse().map_err(Error::internal)?,
                name: row.name.parse().map_err(Error::internal)?,
            },
            at: Timestamp::from_micros(row.at),
            position: row.position,
            attempt: row.attempt,
            outcome: row.outcome,
            status: row.status,
            millis: row.millis,
        })
    }
}

/// Which calls of webhooks are looked for.
#[derive(Debug, Clone, Default)]
pub struct Deliveries {
    /// Of this subscription only.
    pub of: Option<SubscriptionId>,
    /// With this outcome only, by [`Outcome::code`].
    pub outcome: Option<String>,
    /// After this place in the list.
    pub before: Option<(i64, Uuid)>,
    /// How many at most; a page of the site when not said.
    pub most: Option<u32>,
}

fn no_subscription() -> Error {
    Error::not_found("đăng ký này", "subscription")
}

impl Events {
    /// Asks for a subscription. With a webhook its secret is given too: this once.
    ///
    /// # Errors
    /// No such type, or a closed one; everything that is wrong with the request; `subscription-exists`.
    pub async fn subscribe(
        &self,
        client: &SubsystemId,
        id: &EventTypeId,
        request: &SubscribeRequest,
    ) -> Result<(Subscription, Option<Secret>)> {
        let row = self.row(id).await.and_then(open)?;
        let of = TypeId::from_uuid(row.id);
        let personal = row.sensitivity == Sensitivity::Personal.code();
        let after = self.check(request, of, row.last_position, personal)?;
        let (now, subscriber) = (self.now(), client.to_string());
        let new = Request {
            id: SubscriptionId::new(now),
            of,
            subscriber: &subscriber,
            purpose: request.purpose.as_str(),
            legal_basis: request.legal_basis.trim(),
            key_prefix: &request.key_prefix,
            acknowledged: after.unwrap_or(row.first_position - 1),
            start_at_approval: request.start == Start::Now,
            webhook: request.webhook.as_deref(),
        };
        let made = transact!(self.store(), |tx| {
            if !subscriptions::request(&tx, &new, now).await? {
                return Err(Error::refused(
                    Kind::Conflict,
                    "subscription-exists",
                    "Hệ thống này đã đăng ký loại sự kiện đó, hoặc đang chờ phê duyệt.",
                    "This subsystem has subscribed to that event type already, or waits for approval.",
                ));
            }
            subscriptions::of(&tx, of, &subscriber)
                .await?
                .ok_or_else(no_subscription)
        })?;
        let secret = self.secret_of(&made)?;
        Ok((made.try_into()?, secret))
    }

    /// Where it begins, if that is fixed already.
    fn check(
        &self,
        request: &SubscribeRequest,
        of: TypeId,
        last: Position,
        personal: bool,
    ) -> Result<Option<Position>> {
        let mut problems = Problems::new();
        let basis = request.legal_basis.trim();
        if (personal && basis.is_empty()) || basis.chars().count() > LONGEST_TEXT {
            problems.add(
                "legal-basis",
                "legalBasis",
                "Nêu căn cứ pháp lý, tối đa 500 ký tự; bắt buộc khi sự kiện có dữ liệu cá nhân.",
                "Name the legal basis in at most 500 characters; it is needed where events have personal data.",
            );
        }
        if request.key_prefix.len() > LONGEST_KEY || request.key_prefix.chars().any(char::is_control) {
            problems.add(
                "key-prefix",
                "keyPrefix",
                "Phần đầu của khóa tối đa 200 byte và không có ký tự điều khiển.",
                "The beginning of keys has at most 200 bytes and no control characters.",
            );
        }
        if let Some(Err(flaw)) = request
            .webhook
            .as_deref()
            .map(|url| check_url(url, self.webhooks().rules()))
        {
            flaw.add_to(&mut problems, "webhook");
        }
        let after = match request.start {
            Start::Now | Start::Beginning => None,
            Start::After(cursor) => match cursor.position_in(of) {
                Ok(position) => Some(position.min(last)),
                Err(flaw) => {
                    flaw.add_to(&mut problems, "start");
                    None
                }
            },
        };
        problems.into_result().map(|()| after)
    }

    fn secret_of(&self, row: &SubscriptionRow) -> Result<Option<Secret>> {
        let id = SubscriptionId::from_uuid(row.id);
        let derive = |_: &String| Secret::derive(self.secret(), id, row.secret_generation);
        row.webhook.as_ref().map(derive).transpose()
    }

    /// The subscription of a subsystem to a type.
    ///
    /// # Errors
    /// No such type; no subscription, or one that was cancelled.
    pub async fn subscription(&self, client: &SubsystemId, id: &EventTypeId) -> Result<Subscription> {
        self.own(client, id).await?.try_into()
    }

    async fn own(&self, client: &SubsystemId, id: &EventTypeId) -> Result<SubscriptionRow> {
        let of = TypeId::from_uuid(self.row(id).await?.id);
        let found = subscriptions::of(&self.store().read(), of, &client.to_string()).await?;
        found
            .filter(|row| row.state != State::Cancelled.code())
            .ok_or_else(no_subscription)
    }

    /// The subscriptions of a subsystem to the types of a provider.
    ///
    /// # Errors
    /// The database failed.
    pub async fn subscriptions_of(&self, client: &SubsystemId, provider: &SubsystemId) -> Result<Vec<Subscription>> {
        let (subscriber, provider) = (client.to_string(), provider.to_string());
        let rows = subscriptions::of_subscriber(&self.store().read(), &provider, &subscriber, MOST).await?;
        rows.into_iter().map(Subscription::try_from).collect()
    }

    /// Gives a subscription another webhook or none. A new secret is given when it gets its first webhook or `rotate` asks for
    /// one; the old one is worth nothing then.
    ///
    /// # Errors
    /// No subscription; an address that webhooks may not have.
    pub async fn change(
        &self,
        client: &SubsystemId,
        id: &EventTypeId,
        webhook: Option<&str>,
        rotate: bool,
    ) -> Result<(Subscription, Option<Secret>)> {
        if let Some(Err(flaw)) = webhook.map(|url| check_url(url, self.webhooks().rules())) {
            return flaw.refuse("webhook");
        }
        let row = self.own(client, id).await?;
        let (of, sub) = (TypeId::from_uuid(row.type_id), SubscriptionId::from_uuid(row.id));
        let anew = webhook.is_some() && (rotate || row.webhook.is_none());
        let now = self.now();
        let changed = transact!(self.store(), |tx| {
            let head = log::hold(&tx, of).await?;
            subscriptions::set_webhook(&tx, sub, webhook).await?;
            if anew {
                subscriptions::rotate_secret(&tx, sub).await?;
            }
            tell(&tx, of, head.last_position, now).await?;
            subscriptions::by_id(&tx, sub).await?.ok_or_else(no_subscription)
        })?;
        let secret = self.secret_of(&changed)?.filter(|_| anew);
        Ok((changed.try_into()?, secret))
    }

    /// Gives a subscription up.
    ///
    /// # Errors
    /// No subscription.
    pub async fn cancel(&self, client: &SubsystemId, id: &EventTypeId) -> Result<()> {
        let row = self.own(client, id).await?;
        let (sub, now) = (SubscriptionId::from_uuid(row.id), self.now());
        transact!(self.store(), |tx| { subscriptions::cancel(&tx, sub, now).await })
    }

    /// A page of the subscriptions to what the systems of one's agency and those below it publish, the newest request first.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub async fn subscriptions(
        &self,
        ctx: &Ctx,
        state: Option<State>,
        before: Option<(i64, Uuid)>,
        most: u32,
    ) -> Result<Page<Subscription>> {
        let agency = reach(ctx, Permission::ReadExchange)?;
        let (db, before) = (self.store().read(), before.unwrap_or(NEWEST));
        let rows = subscriptions::page(&db, agency.as_deref(), state, before, i64::from(most) + 1).await?;
        Page::of(
            rows,
            most,
            |row| place((row.requested_at, row.id)),
            Subscription::try_from,
        )
    }

    /// One subscription.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`]; `NotFound` also where it is to something of another agency.
    pub async fn subscription_by_id(&self, ctx: &Ctx, id: SubscriptionId) -> Result<Subscription> {
        self.seen_row(ctx, id).await?.try_into()
    }

    /// A subscription that an officer may see.
    async fn seen_row(&self, ctx: &Ctx, id: SubscriptionId) -> Result<SubscriptionRow> {
        reach(ctx, Permission::ReadExchange)?;
        let found = subscriptions::by_id(&self.store().read(), id).await?;
        let found = found.ok_or_else(no_subscription)?;
        let provider = found.provider.parse().map_err(Error::internal)?;
        self.require_seen(ctx, &provider, no_subscription).await?;
        Ok(found)
    }

    /// Approves, refuses, pauses or resumes a subscription. Refusing and pausing need a reason.
    ///
    /// # Errors
    /// Not a steward; no such subscription; `subscription-state` when it cannot go there from where it is; no reason.
    pub async fn decide(&self, ctx: &Ctx, id: SubscriptionId, next: State, reason: &str) -> Result<()> {
        let row = self.seen_row(ctx, id).await?;
        let provider = row.provider.parse().map_err(Error::internal)?;
        self.require_owner(Asker::Steward(ctx), &provider).await?;
        let reason = reason.trim();
        let needed = matches!(next, State::Refused | State::Paused);
        let mut problems = Problems::new();
        if (needed && reason.is_empty()) || reason.chars().count() > LONGEST_TEXT {
            problems.add(
                "required",
                "reason",
                "Nêu lý do, tối đa 500 ký tự; bên đăng ký sẽ thấy.",
                "Give a reason of at most 500 characters; the subscriber sees it.",
            );
        }
        problems.into_result()?;
        let moved = || {
            Error::refused(
                Kind::Conflict,
                "subscription-state",
                "Đăng ký không còn ở trạng thái cho phép việc này. Tải lại trang để xem trạng thái hiện tại.",
                "The subscription is no longer in a state that allows this. Load the page again to see how it stands.",
            )
        };
        let from = State::from_code(&row.state)
            .filter(|from| from.may_become(next))
            .ok_or_else(moved)?;
        let of = TypeId::from_uuid(row.type_id);
        let now = ctx.now;
        transact!(self.store(), |tx| {
            let head = log::hold(&tx, of).await?;
            if !subscriptions::decide(&tx, id, (from, next), (ctx.actor_name(), reason), now).await? {
                return Err(moved());
            }
            if next == State::Approved {
                if row.start_at_approval {
                    subscriptions::begin(&tx, id, head.last_position).await?;
                } else if from == State::Requested && row.acknowledged + 1 < head.first_position {
                    // What was removed between request and approval is not missed: nobody could have read it.
                    subscriptions::begin(&tx, id, head.first_position - 1).await?;
                }
                tell(&tx, of, head.last_position, now).await?;
            }
            Ok(())
        })
    }

    /// Lets a webhook that failed too often be called again.
    ///
    /// # Errors
    /// Neither a steward nor the subscriber; no such subscription.
    pub async fn resume_nudges(&self, asker: Asker<'_>, id: SubscriptionId) -> Result<()> {
        let (row, owner) = match asker {
            Asker::Subsystem(_) => {
                let row = subscriptions::by_id(&self.store().read(), id).await?;
                let row = row.ok_or_else(no_subscription)?;
                let subscriber = row.subscriber.parse();
                (row, subscriber)
            }
            Asker::Steward(ctx) => {
                let row = self.seen_row(ctx, id).await?;
                let provider = row.provider.parse();
                (row, provider)
            }
        };
        self.require_owner(asker, &owner.map_err(Error::internal)?).await?;
        if row.nudge_paused.is_none() {
            return Err(Error::refused(
                Kind::Conflict,
                "webhook-not-paused",
                "Webhook này vẫn đang được gọi, không cần mở lại.",
                "This webhook is called all the time; there is nothing to resume.",
            ));
        }
        let (of, now) = (TypeId::from_uuid(row.type_id), self.now());
        transact!(self.store(), |tx| {
            let head = log::hold(&tx, of).await?;
            subscriptions::resume_nudges(&tx, id).await?;
            tell(&tx, of, head.last_position, now).await
        })
    }

    /// A page of calls of webhooks for what one's agency and those below it publish, the newest first.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub async fn deliveries(&self, ctx: &Ctx, asked: &Deliveries) -> Result<Page<Delivery>> {
        let agency = reach(ctx, Permission::ReadExchange)?;
        let outcome = asked.outcome.as_deref().filter(|code| Outcome::CODES.contains(code));
        let before = asked.before.unwrap_or(NEWEST);
        let most = asked.most.unwrap_or(PAGE);
        let (db, agency) = (self.store().read(), agency.as_deref());
        let rows = deliveries::page(&db, agency, asked.of, outcome, before, i64::from(most) + 1).await?;
        Page::of(rows, most, |row| place((row.at, row.id)), Delivery::try_from)
    }
}

/// Lets a nudge follow for every subscription of the type that is to have one. The caller holds the log.
async fn tell(tx: &Tx, of: TypeId, last: Position, now: Timestamp) -> Result<()> {
    let due = subscriptions::become_due(tx, of, last).await?;
    enqueue(tx, &due, now, now).await
}
