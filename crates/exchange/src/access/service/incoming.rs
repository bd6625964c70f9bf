//! The provider's side: the log is written here, under one lock for each grant.

use ::store::{Job, Once, Read, Tx, transact};
use base::{Error, Kind, Result, Timestamp};
use identity::Ctx;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Access, grants::no_grant, moved_on, systems::invalid, who};
use crate::{
    access::{
        jobs::TICK,
        model::{Command, Entry, Event, File, Order, Side, Who, decide, open},
        store as tables,
    },
    builtin::BuiltIn,
    model::{
        identifier::{ServiceId, SubsystemId},
        rights::GrantId,
    },
};

/// The log of a grant, from its first entry.
pub(super) async fn read_log(db: &impl Read, id: GrantId, side: Side) -> Result<Vec<Entry>> {
    tables::log(db, id, side, 0).await
}

/// A grant under its lock.
struct Locked {
    agency: String,
    file: File,
    log: Vec<Entry>,
}

impl Locked {
    async fn read(tx: &Tx, id: GrantId) -> Result<Option<Self>> {
        if !tables::lock(tx, id, Side::Incoming).await? {
            return Ok(None);
        }
        let Some(row) = tables::grant(tx, id, Side::Incoming).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            file: row.file()?,
            log: read_log(tx, id, Side::Incoming).await?,
            agency: row.agency,
        }))
    }

    /// Adds an event to the log. The clock of the machine may go back; the log does not.
    fn add(&mut self, side: Option<Side>, who: Who, order: Option<Uuid>, event: Event, now: Timestamp) -> Result<()> {
        let entry = Entry {
            seq: self.file.seq + 1,
            at: now.max(self.file.last),
            side,
            who,
            order,
            event,
        };
        self.file.apply(&entry).map_err(Error::internal)?;
        self.log.push(entry);
        Ok(())
    }
}

impl Access {
    /// A command of the provider's steward.
    pub(super) async fn decide_here(
        &self,
        ctx: &Ctx,
        id: GrantId,
        command: &Command,
        seen: i64,
        order: Uuid,
    ) -> Result<()> {
        let scope = format!("exchange.access.incoming:{id}");
        let fingerprint = fingerprint(command)?;
        transact!(self.store(), |tx| {
            let mut grant = Locked::read(&tx, id).await?.ok_or_else(no_grant)?;
            if tx.once(&scope, &order.to_string(), &fingerprint, "", ctx.now).await? != Once::First {
                return Ok(());
            }
            if grant.file.seq != seen {
                return Err(moved_on());
            }
            let by = who(ctx);
            let event = decide(&grant.file, command, Side::Incoming, &by, ctx.now, self.law())?;
            let before = grant.log.len();
            grant.add(Some(Side::Incoming), by, None, event, ctx.now)?;
            self.write(&tx, &grant, before, ctx.now).await
        })?;
        self.changed().await;
        Ok(())
    }

    /// An order of another node, in the name of a system that the exchange has verified. It is carried out once; the same
    /// order again finds it carried out.
    ///
    /// # Errors
    /// `Forbidden` when it speaks for another system, `NotFound` for a grant that is not the system's, `Conflict` when it no
    /// longer can be, `Invalid` with everything that is wrong.
    pub(in crate::access) async fn take(&self, client: &SubsystemId, order: &Order) -> Result<()> {
        if order.consumer != *client {
            return Err(Error::refused(
                Kind::Forbidden,
                "not-your-name",
                format!("Yêu cầu được gửi bởi {client} nhưng nhân danh {}.", order.consumer),
                format!("The request comes from {client} but speaks for {}.", order.consumer),
            ));
        }
        let scope = format!("exchange.access:{client}");
        let (fingerprint, now) = (fingerprint(order)?, self.now());
        transact!(self.store(), |tx| {
            if tx.once(&scope, &order.id.to_string(), &fingerprint, "", now).await? != Once::First {
                return Ok(());
            }
            let (grant, before) = match (&order.request, &order.command) {
                (Some(request), None) => {
                    let agency = agency_of(&tx, &order.service).await?.ok_or_else(|| {
                        invalid(
                            "unknown-service",
                            "service",
                            format!("Nút này không có dịch vụ {}.", order.service),
                            format!("This node has no service {}.", order.service),
                        )
                    })?;
                    if tables::lock(&tx, order.grant, Side::Incoming).await? {
                        return Err(Error::refused(
                            Kind::Conflict,
                            "grant-id-taken",
                            "Mã đề nghị này đã được dùng; gửi lại dưới mã khác.",
                            "The id of this request is taken; send it under another.",
                        ));
                    }
                    let most = self.config().most_open_requests;
                    if tables::has_open(&tx, client, most).await? {
                        return Err(Error::refused(
                            Kind::TooMany,
                            "too-many-requests",
                            format!("{client} đã có {most} đề nghị chờ trả lời tại nút này; gửi lại sau."),
                            format!("{client} has {most} requests waiting at this node; send it again later."),
                        ));
                    }
                    let (file, entry) = open(order, request, now)?;
                    let grant = Locked {
                        agency,
                        file,
                        log: vec![entry],
                    };
                    (grant, 0)
                }
                (None, Some(command)) => {
                    let grant = Locked::read(&tx, order.grant).await?;
                    let own = |grant: &Locked| grant.file.consumer == *client && grant.file.service == order.service;
                    let mut grant = grant.filter(own).ok_or_else(no_grant)?;
                    let event = decide(&grant.file, command, Side::Outgoing, &order.who, now, self.law())?;
                    let before = grant.log.len();
                    grant.add(Some(Side::Outgoing), order.who.clone(), Some(order.id), event, now)?;
                    (grant, before)
                }
                (Some(_), Some(_)) | (None, None) => {
                    return Err(invalid(
                        "order-form",
                        "",
                        "Mỗi yêu cầu gồm đúng một trong hai phần: request hoặc command.",
                        "An order has exactly one of request and command.",
                    ));
                }
            };
            self.write(&tx, &grant, before, now).await
        })?;
        self.changed().await;
        Ok(())
    }

    /// What the log of a grant of this system has behind an entry.
    ///
    /// # Errors
    /// `NotFound` for a grant that is not the system's.
    pub(in crate::access) async fn log_for(&self, client: &SubsystemId, id: GrantId, after: i64) -> Result<Vec<Entry>> {
        let db = self.store().read();
        let row = tables::grant(&db, id, Side::Incoming).await?.ok_or_else(no_grant)?;
        if row.file()?.consumer != *client {
            return Err(no_grant());
        }
        tables::log(&db, id, Side::Incoming, after).await
    }

    /// The clock has come to where it writes into the log: the end is near, or it is there.
    pub(in crate::access) async fn tick(&self, tx: &Tx, id: GrantId, now: Timestamp) -> Result<()> {
        let Some(mut grant) = Locked::read(tx, id).await? else {
            return Ok(());
        };
        let before = grant.log.len();
        while let Some(at) = self.law().ticks_at(&grant.file).filter(|at| *at <= now) {
            let over = grant.file.ends_at().is_some_and(|ends_at| ends_at <= at.max(now));
            let event = if over { Event::Over } else { Event::ExpiryNear };
            grant.add(None, Who::default(), None, event, now)?;
        }
        self.write(tx, &grant, before, now).await
    }

    /// Writes what was added: the entries, the row, when the clock comes next, and that the gateway has to look.
    async fn write(&self, tx: &Tx, grant: &Locked, before: usize, now: Timestamp) -> Result<()> {
        let Locked { agency, file, log } = grant;
        let added = log.get(before..).unwrap_or_default();
        tables::add_entries(tx, file.id, Side::Incoming, added).await?;
        if !added.is_empty() {
            let due = self.law().answer_due(log)?;
            tables::put_grant(tx, Side::Incoming, agency, file, due, now).await?;
            tables::next_turn(tx).await?;
        }
        if let Some(at) = self.law().ticks_at(file) {
            let job = Job::new(TICK, &file.id)?.key(format!("{TICK}:{}", file.id)).at(at);
            tx.enqueue(job, now).await?;
        }
        Ok(())
    }
}

/// Who decides about a service: the agency that registered it, or, of one that the node itself answers, that of the system.
async fn agency_of(tx: &Tx, service: &ServiceId) -> Result<Option<String>> {
    if let Some(row) = tables::service_named(tx, service).await? {
        return Ok(Some(row.agency));
    }
    if BuiltIn::of(&service.code).is_none_or(|built_in| built_in.open) {
        return Ok(None);
    }
    let system = tables::system_named(tx, &service.provider).await?;
    Ok(system.map(|system| system.agency))
}

fn fingerprint(of: &impl serde::Serialize) -> Result<String> {
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(of)?)))
}
