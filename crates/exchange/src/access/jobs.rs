//! Deferred work: telling and asking other nodes, and what the clock writes into the log.

use std::sync::Arc;

use ::store::{
    jobs::{Run, Runner},
    transact,
};
use base::{Error, Kind, Problems, Result, Timestamp};

use super::{
    peer,
    service::{
        Access,
        checks::CHECK,
        outgoing::{follow_at, send_soon},
    },
    store::OrderState,
};
use crate::model::rights::GrantId;
use crate::{Caller, Said};

/// Sends the orders of a grant.
pub(super) const SEND: &str = "exchange.access.send";
/// Asks after a grant.
pub(super) const FOLLOW: &str = "exchange.access.follow";
/// The consumer's node is told that something happened to a grant.
pub(super) const NUDGE: &str = "exchange.access.nudge";
/// The clock comes to a grant.
pub(super) const TICK: &str = "exchange.access.tick";

/// The first pause after a try that failed, in seconds; it doubles with each.
const FIRST_PAUSE: i64 = 2;

/// Teaches a runner to tell and ask other nodes through the exchange, to keep the clocks of grants, and to check services.
pub fn handlers<C: Caller>(runner: Runner, access: &Access, caller: Arc<C>) -> Runner {
    let (sender, follower, clock, checker) = (access.clone(), access.clone(), access.clone(), access.clone());
    let (asker, nudger) = (Arc::clone(&caller), Arc::clone(&caller));
    let teller = access.clone();
    runner
        .on(SEND, move |run| {
            let (access, caller) = (sender.clone(), Arc::clone(&caller));
            async move { send(&access, caller.as_ref(), &run).await }
        })
        .on(FOLLOW, move |run| {
            let (access, caller) = (follower.clone(), Arc::clone(&asker));
            async move { follow(&access, caller.as_ref(), &run).await }
        })
        .on(NUDGE, move |run| {
            let (access, caller) = (teller.clone(), Arc::clone(&nudger));
            async move { nudge(&access, caller.as_ref(), &run).await }
        })
        .on(TICK, move |run| {
            let access = clock.clone();
            async move { tick(&access, &run).await }
        })
        .on(CHECK, move |run| {
            let access = checker.clone();
            async move { access.carry_out_check(&run).await }
        })
}

/// Sends the waiting orders of a grant, one after the other. A node that cannot be reached is tried again later: the job
/// never gives up, and an order is never dropped.
async fn send(access: &Access, caller: &impl Caller, run: &Run) -> Result<()> {
    let id: GrantId = run.payload()?;
    let mut again = None;
    while let Some((order, tries)) = access.next_order(id).await? {
        let Some(file) = access.copy(id).await? else { break };
        let said = match peer::order_request(&order, file.seq) {
            Ok(request) => peer::read(caller.call(&order.consumer, request).await),
            Err(error) => return Err(error),
        };
        match said {
            Said::Yes(entries) => match access.mirror(id, &entries).await {
                Ok(()) => access.sent(id, order.id, OrderState::Taken, &Problems::new()).await?,
                Err(Error::Refused(Kind::Invalid, problems)) => {
                    access.sent(id, order.id, OrderState::Waiting, &problems).await?;
                    again = Some(later(access, run.now, tries));
                    break;
                }
                Err(error) => return Err(error),
            },
            Said::No(_, problems) => access.sent(id, order.id, OrderState::Refused, &problems).await?,
            Said::Later(problems) => {
                access.sent(id, order.id, OrderState::Waiting, &problems).await?;
                again = Some(later(access, run.now, tries));
                break;
            }
        }
    }
    let next = next_look(access, id).await?;
    let now = access.now();
    transact!(run.store, |tx| {
        run.done(&tx).await?;
        // What was ordered while this ran would otherwise wait for nobody.
        let waiting = !super::store::waiting_orders(&tx, id).await?.is_empty();
        match again {
            Some(at) => send_soon(&tx, id, at, now).await?,
            None if waiting => send_soon(&tx, id, now, now).await?,
            None => {}
        }
        match next {
            Some(at) => follow_at(&tx, id, at, now).await,
            None => Ok(()),
        }
    })
}

/// Asks after a grant; its next time is a matter of how it stands.
async fn follow(access: &Access, caller: &impl Caller, run: &Run) -> Result<()> {
    let id: GrantId = run.payload()?;
    if let Some(file) = access.copy(id).await?.filter(|file| file.seq > 0) {
        let request = peer::log_request(&file)?;
        match peer::read(caller.call(&file.consumer, request).await) {
            Said::Yes(entries) => match access.mirror(id, &entries).await {
                Err(Error::Refused(_, problems)) => tracing::warn!(grant = %id, ?problems, "a log that is none"),
                other => other?,
            },
            Said::No(_, problems) | Said::Later(problems) => {
                tracing::info!(grant = %id, ?problems, "the provider's node did not say how it stands");
            }
        }
    }
    let next = next_look(access, id).await?;
    let now = access.now();
    transact!(run.store, |tx| {
        run.done(&tx).await?;
        match next {
            Some(at) => follow_at(&tx, id, at, now).await,
            None => Ok(()),
        }
    })
}

/// Tells the consumer's node once. One that does not hear it asks by itself later.
async fn nudge(access: &Access, caller: &impl Caller, run: &Run) -> Result<()> {
    let id: GrantId = run.payload()?;
    if let Some(file) = access.hosted_file(id).await? {
        let told = caller.call(&file.service.provider, peer::nudge_request(&file)?).await;
        if !told.is_ok_and(|answer| answer.status().is_success()) {
            tracing::info!(grant = %id, "the consumer's node was not told; it will ask by itself");
        }
    }
    transact!(run.store, |tx| { run.done(&tx).await })
}

async fn tick(access: &Access, run: &Run) -> Result<()> {
    let id: GrantId = run.payload()?;
    transact!(run.store, |tx| {
        run.done(&tx).await?;
        access.tick(&tx, id, run.now).await
    })
}

/// A request that was never taken is not asked after: the order itself is sent again.
async fn next_look(access: &Access, id: GrantId) -> Result<Option<Timestamp>> {
    let file = access.copy(id).await?.filter(|file| file.seq > 0);
    Ok(file.and_then(|file| access.follows_at(&file, access.now())))
}

fn later(access: &Access, now: Timestamp, tries: i64) -> Timestamp {
    let most = i64::from(access.config().longest_pause_seconds.max(1));
    let doubled = FIRST_PAUSE << tries.clamp(0, 16);
    now.plus_seconds(doubled.min(most))
}
