//! The consumer's side: what its stewards want goes into an outbox, and the log is copied from the provider's node.

use ::store::{Job, Tx, transact};
use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Ctx, Permission, Scope};
use uuid::Uuid;

use super::{Access, grants::no_grant, moved_on, reach, systems::invalid, visible, who};
use crate::{
    access::{
        jobs::{FOLLOW, SEND},
        model::{Command, Entry, File, Order, Phase, Request, Side, Standing, decide},
        store::{self as tables, OrderState},
    },
    model::{
        identifier::{ServiceId, SubsystemId},
        rights::GrantId,
    },
};

impl Access {
    /// Files a request under an id that the form brought, so that sending it twice files it once.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageExchange`] for the consumer's agency; `Invalid` with everything that is wrong.
    pub async fn request(
        &self,
        ctx: &Ctx,
        id: GrantId,
        consumer: &SubsystemId,
        service: &ServiceId,
        request: &Request,
    ) -> Result<()> {
        reach(ctx, Permission::ManageExchange)?;
        let mut problems = request.problems(ctx.now);
        let system = tables::system_named(&self.store().read(), consumer).await?;
        let system = system.filter(|row| visible(ctx, &row.agency, no_grant).is_ok());
        if system.is_none() {
            problems.add(
                "unknown-system",
                "consumer",
                "Chọn một hệ thống đã đăng ký của cơ quan.",
                "Choose one of your agency's registered systems.",
            );
        }
        if self.offer(service).await?.is_none() {
            problems.add(
                "unknown-service",
                "service",
                format!("Danh bạ không có dịch vụ {service}."),
                format!("The directory has no service {service}."),
            );
        }
        problems.into_result()?;
        let system = system.ok_or_else(no_grant)?;
        ctx.require(Permission::ManageExchange, &Scope::Agency(system.agency.clone()))?;
        let order = Order {
            id: id.uuid(),
            grant: id,
            consumer: consumer.clone(),
            service: service.clone(),
            at: ctx.now,
            who: who(ctx),
            request: Some(request.clone()),
            command: None,
        };
        let file = File::filed(
            id,
            consumer.clone(),
            service.clone(),
            request.terms.clone(),
            request.reason.trim().to_owned(),
            request.renews,
            ctx.now,
        );
        transact!(self.store(), |tx| {
            if tables::lock(&tx, id, Side::Outgoing).await? {
                let row = tables::grant(&tx, id, Side::Outgoing).await?.ok_or_else(no_grant)?;
                let known = row.file()?;
                return if known.consumer == *consumer && known.service == *service {
                    Ok(())
                } else {
                    Err(moved_on())
                };
            }
            tables::put_grant(&tx, Side::Outgoing, &system.agency, &file, None, ctx.now).await?;
            tables::add_order(&tx, &order).await?;
            send_soon(&tx, id, ctx.now, ctx.now).await
        })
    }

    /// A command of the consumer's steward: judged by the copy of the log, then sent.
    pub(super) async fn order(&self, ctx: &Ctx, id: GrantId, command: &Command, seen: i64, order: Uuid) -> Result<()> {
        transact!(self.store(), |tx| {
            if !tables::lock(&tx, id, Side::Outgoing).await? {
                return Err(no_grant());
            }
            let row = tables::grant(&tx, id, Side::Outgoing).await?.ok_or_else(no_grant)?;
            let orders = tables::orders(&tx, id).await?;
            if orders.iter().any(|known| known.id == order) {
                return Ok(());
            }
            let mut file = row.file()?;
            if file.seq != seen {
                return Err(moved_on());
            }
            let mut waiting = false;
            for known in &orders {
                waiting |= known.state()? == OrderState::Waiting;
            }
            let early = file.phase == Phase::Filed && matches!(command, Command::Withdraw { .. });
            if waiting && !early {
                return Err(Error::refused(
                    Kind::Conflict,
                    "order-waiting",
                    "Thao tác trước đang được gửi tới nút của bên cung cấp; đợi kết quả rồi thực hiện tiếp.",
                    "What was done before is still on its way to the provider's node; wait for its answer.",
                ));
            }
            if early {
                // The request goes first: when this arrives, the provider has it.
                file.phase = Phase::Requested;
            }
            decide(&file, command, Side::Outgoing, &who(ctx), ctx.now, self.law())?;
            let order = Order {
                id: order,
                grant: id,
                consumer: file.consumer.clone(),
                service: file.service.clone(),
                at: ctx.now,
                who: who(ctx),
                request: None,
                command: Some(command.clone()),
            };
            tables::add_order(&tx, &order).await?;
            send_soon(&tx, id, ctx.now, ctx.now).await
        })
    }

    /// Asks the provider's node now, not when it is time.
    ///
    /// # Errors
    /// `Forbidden` or `NotFound` without the right.
    pub async fn look_now(&self, ctx: &Ctx, id: GrantId) -> Result<()> {
        reach(ctx, Permission::ManageExchange)?;
        let row = tables::grant(&self.store().read(), id, Side::Outgoing)
            .await?
            .ok_or_else(no_grant)?;
        visible(ctx, &row.agency, no_grant)?;
        ctx.require(Permission::ManageExchange, &Scope::Agency(row.agency.clone()))?;
        transact!(self.store(), |tx| {
            let waiting = tables::waiting_orders(&tx, id).await?;
            if waiting.is_empty() {
                follow_at(&tx, id, ctx.now, ctx.now).await
            } else {
                send_soon(&tx, id, ctx.now, ctx.now).await
            }
        })
    }

    /// The copy of a grant on this side.
    pub(in crate::access) async fn copy(&self, id: GrantId) -> Result<Option<File>> {
        let row = tables::grant(&self.store().read(), id, Side::Outgoing).await?;
        row.map(|row| row.file()).transpose()
    }

    /// The oldest order that still has to be sent, with how often it was.
    pub(in crate::access) async fn next_order(&self, id: GrantId) -> Result<Option<(Order, i64)>> {
        let waiting = tables::waiting_orders(&self.store().read(), id).await?;
        waiting.first().map(|row| Ok((row.order()?, row.tries))).transpose()
    }

    /// Notes what became of an order. A request that the provider's node does not take has come to its end.
    pub(in crate::access) async fn sent(
        &self,
        id: GrantId,
        order: Uuid,
        state: OrderState,
        problems: &Problems,
    ) -> Result<()> {
        let now = self.now();
        transact!(self.store(), |tx| {
            tables::lock(&tx, id, Side::Outgoing).await?;
            tables::put_order(&tx, id, order, state, problems, now).await?;
            // The order that files a request has the id of its grant.
            let row = tables::grant(&tx, id, Side::Outgoing).await?;
            let row = row.filter(|_| state == OrderState::Refused && order == id.uuid());
            let Some(row) = row else { return Ok(()) };
            let mut file = row.file()?;
            if file.phase == Phase::Filed {
                file.phase = Phase::NotTaken;
                tables::put_grant(&tx, Side::Outgoing, &row.agency, &file, None, now).await?;
            }
            Ok(())
        })
    }

    /// Adds to the copy what the provider's node said. What is known already is left out; what cannot follow is refused whole.
    ///
    /// # Errors
    /// `Invalid` when the entries are no continuation of the log.
    pub(in crate::access) async fn mirror(&self, id: GrantId, entries: &[Entry]) -> Result<()> {
        let now = self.now();
        transact!(self.store(), |tx| {
            if !tables::lock(&tx, id, Side::Outgoing).await? {
                return Err(no_grant());
            }
            let row = tables::grant(&tx, id, Side::Outgoing).await?.ok_or_else(no_grant)?;
            let mut file = row.file()?;
            let known = file.seq;
            let new: Vec<Entry> = entries.iter().filter(|entry| entry.seq > known).cloned().collect();
            for entry in &new {
                file.apply(entry).map_err(|flaw| {
                    invalid(
                        "log-flaw",
                        "",
                        format!("Nhật ký do nút của bên cung cấp gửi không hợp lệ tại mục {}.", flaw.seq),
                        format!("The log that the provider's node sent is no log at entry {}.", flaw.seq),
                    )
                })?;
            }
            if new.is_empty() {
                return Ok(());
            }
            tables::add_entries(&tx, id, Side::Outgoing, &new).await?;
            let mut log = tables::log(&tx, id, Side::Outgoing, 0).await?;
            log.sort_by_key(|entry| entry.seq);
            let due = self.law().answer_due(&log)?;
            tables::put_grant(&tx, Side::Outgoing, &row.agency, &file, due, now).await
        })
    }

    /// The provider of a grant says that something happened to it: its node is asked now.
    ///
    /// # Errors
    /// `NotFound` for a grant that this node does not have from that provider.
    pub(in crate::access) async fn nudged(&self, client: &SubsystemId, id: GrantId) -> Result<()> {
        let file = self.copy(id).await?.filter(|file| file.service.provider == *client);
        file.ok_or_else(no_grant)?;
        let now = self.now();
        transact!(self.store(), |tx| { follow_at(&tx, id, now, now).await })
    }

    /// When the provider's node is asked again; none when nothing can happen any more.
    pub(in crate::access) fn follows_at(&self, file: &File, now: Timestamp) -> Option<Timestamp> {
        let config = self.config();
        let seconds = match file.standing(now) {
            Standing::NotTaken | Standing::Refused | Standing::Withdrawn | Standing::Over => return None,
            Standing::Filed | Standing::Requested | Standing::MoreAsked => config.follow_open_seconds,
            Standing::NotYet | Standing::Active | Standing::Suspended => config.follow_agreed_seconds,
        };
        Some(now.plus_seconds(i64::from(seconds.max(1))))
    }
}

/// Has the orders of a grant sent.
pub(in crate::access) async fn send_soon(tx: &Tx, id: GrantId, at: Timestamp, now: Timestamp) -> Result<()> {
    tx.enqueue(Job::new(SEND, &id)?.key(format!("{SEND}:{id}")).at(at), now)
        .await
}

/// Has the provider's node asked at an instant.
pub(in crate::access) async fn follow_at(tx: &Tx, id: GrantId, at: Timestamp, now: Timestamp) -> Result<()> {
    tx.enqueue(Job::new(FOLLOW, &id)?.key(format!("{FOLLOW}:{id}")).at(at), now)
        .await
}
