//! What this node follows on the exchange: the events that its rules of proposals wait for, each type once for all rules; and the merges of
//! registries of other nodes whose keys its own registries name.

use std::{sync::Arc, time::Duration};

use ::exchange::{
    events::{EventTypeId, Subscriber},
    model::Purpose,
};
use base::Result;
use dossier::proposal::Heard;
use registry::linking::heard::HeardMerges;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use crate::{exchange::Exchange, node::Node};

/// The purpose of the subscriptions: to learn whom a rule may have to look at (Decree 224/2026/NĐ-CP, Article 17).
const PURPOSE: &str = "proactive.await";
/// The purpose of hearing of merges: the keys that records of this node name are to be right.
const OF_REFERENCES: &str = "registry.references";
/// How often it is asked for news. Rules wait for days, and each question is a message in two logs.
const EVERY: Duration = Duration::from_secs(600);

/// Who follows what, once the node has joined the exchange. A registry that nobody is known to keep is told of in the log.
pub fn subscribers(node: &Node) -> Vec<Subscriber<Heard>> {
    let Some((caller, system)) = node.exchange().and_then(Exchange::calling) else {
        return Vec::new();
    };
    let Ok(purpose) = PURPOSE.parse::<Purpose>() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for awaits in node.dossiers.awaited_events() {
        let Some(provider) = node.registrar().publisher(&awaits.registry, &system) else {
            tracing::warn!(event = %awaits.event, "a rule waits for events of a registry that is nowhere; see [exchange.registries]");
            continue;
        };
        all.push(Subscriber {
            store: node.store.clone(),
            caller: Arc::clone(&caller),
            handler: node.dossiers.heard(awaits.event.clone()),
            name: format!("proposals/{}", awaits.event),
            client: system.clone(),
            purpose: purpose.clone(),
            legal_basis: awaits.laws,
            of: EventTypeId {
                provider,
                name: awaits.event,
            },
            every: EVERY,
        });
    }
    all
}

/// Who follows the merges of which registry; each begins by forgetting what others told. A registry that nobody is known to keep has none.
///
/// # Errors
/// The database failed.
pub async fn merges(node: &Node) -> Result<Vec<Subscriber<HeardMerges>>> {
    let Some((caller, system)) = node.exchange().and_then(Exchange::calling) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for referenced in node.registries.referenced_elsewhere()? {
        let Some(provider) = node.registrar().publisher(&referenced.registry, &system) else {
            continue;
        };
        let handler = node.registries.heard_merges(referenced.registry, provider.clone());
        handler.forget_others(node.clock.now()).await?;
        all.push(Subscriber {
            store: node.store.clone(),
            caller: Arc::clone(&caller),
            handler,
            // Another keeper is heard from the beginning.
            name: format!("merges/{provider}/{}", referenced.event),
            client: system.clone(),
            purpose: OF_REFERENCES.parse().map_err(base::Error::internal)?,
            legal_basis: referenced.laws,
            of: EventTypeId {
                provider,
                name: referenced.event,
            },
            every: EVERY,
        });
    }
    Ok(all)
}

/// Follows until `stop` becomes true; then finishes what is in hand.
pub async fn run(node: Node, stop: watch::Receiver<bool>) {
    let mut following = JoinSet::new();
    for subscriber in subscribers(&node) {
        following.spawn(subscriber.run(Arc::new(Notify::new()), Arc::clone(&node.clock), stop.clone()));
    }
    match merges(&node).await {
        Ok(all) => {
            for subscriber in all {
                following.spawn(subscriber.run(Arc::new(Notify::new()), Arc::clone(&node.clock), stop.clone()));
            }
        }
        Err(error) => tracing::error!(%error, "merges of registries of other nodes are not followed"),
    }
    while following.join_next().await.is_some() {}
}
