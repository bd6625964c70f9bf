//! Grants as the stewards of either side see them.

use base::{Error, Result, Timestamp, deadline::Line};
use identity::{Ctx, Permission, Scope};
use uuid::Uuid;

use super::{Access, incoming::read_log, reach, visible};
use crate::{
    access::{
        model::{Command, CommandKind, Entry, File, Order, Side, Standing},
        store::{self as tables, GrantFilter, GrantRow, OrderState},
    },
    model::{
        identifier::{ServiceId, SubsystemId},
        rights::GrantId,
    },
};

/// Which grants a list shows.
#[derive(Debug, Clone, Default)]
pub struct GrantsQuery {
    /// Of which side; none: both.
    pub side: Option<Side>,
    /// Where they stand.
    pub standing: Option<Standing>,
    /// Exactly this consumer, provider or service.
    pub about: Option<String>,
    /// Only those whose answer is overdue.
    pub overdue: bool,
    /// Only those that will soon be over.
    pub ending: bool,
    /// Where the page starts: the last row of the page before.
    pub before: Option<(i64, Uuid)>,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantList {
    /// Of which side.
    pub side: Side,
    /// The grant.
    pub file: File,
    /// Where it stands.
    pub standing: Standing,
    /// By when the provider answers.
    pub answer_due: Option<Timestamp>,
    /// When something last happened.
    pub changed_at: Timestamp,
}

/// A grant with everything that happened to it.
#[derive(Debug, Clone)]
pub struct GrantView {
    /// Of which side.
    pub side: Side,
    /// The agency of this side.
    pub agency: String,
    /// The grant.
    pub file: File,
    /// Where it stands.
    pub standing: Standing,
    /// Its log, oldest first.
    pub log: Vec<Entry>,
    /// By when the provider answers, and why.
    pub answer_due: Option<Timestamp>,
    /// Why that date, line by line.
    pub why: Vec<Line>,
    /// When the end is pointed out.
    pub warns_at: Option<Timestamp>,
    /// Orders that the provider's node has not carried out, oldest first.
    pub orders: Vec<OrderView>,
    /// Requests that go on from this one, newest first.
    pub renewals: Vec<GrantId>,
    /// Whether the reader may act for this side.
    pub may_act: bool,
}

/// An order that is on its way, or was refused.
#[derive(Debug, Clone)]
pub struct OrderView {
    /// The order.
    pub order: Order,
    /// Whether the provider's node refused it; else it is still to be taken.
    pub refused: bool,
    /// How often it was sent.
    pub tries: i64,
    /// When last.
    pub tried_at: Option<Timestamp>,
    /// Why it was not taken.
    pub problems: base::Problems,
}

pub(super) fn no_grant() -> Error {
    Error::not_found("quyền truy cập", "grant")
}

/// A system or a service in the form in which tables have it.
fn identifier(text: &str) -> Option<String> {
    let system = text.parse::<SubsystemId>().map(|id| id.to_string());
    let service = text.parse::<ServiceId>().map(|id| id.to_string());
    system.or(service).ok()
}

impl GrantView {
    /// The commands that the reader can give now.
    pub fn commands(&self) -> impl Iterator<Item = CommandKind> {
        // Before the provider's node has it, a request can only be taken back.
        let filed = self.standing == Standing::Filed && self.orders.iter().any(|order| !order.refused);
        CommandKind::ALL.into_iter().filter(move |kind| {
            let early = filed && *kind == CommandKind::Withdraw;
            self.may_act && kind.is_of(self.side) && (early || kind.fits(&self.file, self.standing))
        })
    }
}

impl Access {
    /// Grants of one's agency and those below it, from the one that changed last, at most so many; where the next page starts.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub async fn grants(
        &self,
        ctx: &Ctx,
        query: &GrantsQuery,
        most: u32,
    ) -> Result<(Vec<GrantList>, Option<(i64, Uuid)>)> {
        let agency = reach(ctx, Permission::ReadExchange)?;
        let about = query.about.as_deref().map(identifier);
        if about == Some(None) {
            return Ok((Vec::new(), None));
        }
        let filter = GrantFilter {
            agency,
            side: query.side,
            standing: query.standing,
            about: about.flatten(),
            overdue: query.overdue,
            ends_before: query.ending.then(|| self.law().soon(ctx.now)),
            before: query.before,
        };
        let rows = tables::grants(&self.store().read(), &filter, most, ctx.now).await?;
        let line = |row: &GrantRow| {
            let file = row.file()?;
            Ok::<_, Error>(GrantList {
                side: row.side()?,
                standing: file.standing(ctx.now),
                file,
                answer_due: row.answer_due.map(Timestamp::from_micros),
                changed_at: row.changed_at(),
            })
        };
        let lines = rows.iter().take(most as usize).map(line).collect::<Result<Vec<_>>>()?;
        let last = rows
            .get(lines.len().saturating_sub(1))
            .filter(|_| rows.len() > lines.len());
        Ok((lines, last.map(|row| (row.changed_at().micros(), row.id))))
    }

    /// One grant with its log.
    ///
    /// # Errors
    /// `NotFound` where it is another agency's.
    pub async fn grant(&self, ctx: &Ctx, side: Side, id: GrantId) -> Result<GrantView> {
        reach(ctx, Permission::ReadExchange)?;
        let db = self.store().read();
        let row = tables::grant(&db, id, side).await?.ok_or_else(no_grant)?;
        visible(ctx, &row.agency, no_grant)?;
        let (file, log) = (row.file()?, read_log(&db, id, side).await?);
        let orders = match side {
            Side::Incoming => Vec::new(),
            Side::Outgoing => tables::orders(&db, id).await?,
        };
        let mut shown = Vec::new();
        for order in &orders {
            let state = order.state()?;
            if state != OrderState::Taken {
                shown.push(OrderView {
                    order: order.order()?,
                    refused: state == OrderState::Refused,
                    tries: order.tries,
                    tried_at: order.tried_at(),
                    problems: order.problems()?,
                });
            }
        }
        Ok(GrantView {
            side,
            standing: file.standing(ctx.now),
            answer_due: self.law().answer_due(&log)?,
            why: self.law().why(&log)?,
            warns_at: self.law().warns_at(&file),
            renewals: tables::renewals(&db, &file, side).await?,
            may_act: ctx.may(Permission::ManageExchange, &Scope::Agency(row.agency.clone())),
            agency: row.agency,
            orders: shown,
            file,
            log,
        })
    }

    /// Gives a command for one side, on what was seen: the number of the last entry that the steward had before them. The
    /// provider's takes effect at once, the consumer's when the provider's node has it. `id` makes it happen once.
    ///
    /// # Errors
    /// `Forbidden` or `NotFound` without the right; `Conflict` when things have moved on; `Invalid` with everything wrong.
    pub async fn command(
        &self,
        ctx: &Ctx,
        side: Side,
        id: GrantId,
        command: &Command,
        seen: i64,
        order: Uuid,
    ) -> Result<()> {
        reach(ctx, Permission::ManageExchange)?;
        let row = tables::grant(&self.store().read(), id, side)
            .await?
            .ok_or_else(no_grant)?;
        visible(ctx, &row.agency, no_grant)?;
        ctx.require(Permission::ManageExchange, &Scope::Agency(row.agency.clone()))?;
        match side {
            Side::Incoming => self.decide_here(ctx, id, command, seen, order).await,
            Side::Outgoing => self.order(ctx, id, command, seen, order).await,
        }
    }
}
