//! Merges in registries that other nodes keep. Whoever keeps one tells of its merges as events ([`crate::announce`]); this node follows
//! those of the registries whose keys rules of its own registries name, and takes down which key stands in the place of which. From then
//! on a record that names the key of one that went has a finding, as if the merge were of this node; when the merge is taken back, it
//! closes. So it does when the keeper erases one of the two records: then no key of theirs is left here either.
//!
//! Only the keeper is heard: what a system told that keeps the registry no more is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Result, Timestamp};
use exchange::{
    events::{Cursor, Event, EventName, Handler},
    model::identifier::SubsystemId,
};
use serde::Deserialize;
use store::{Read, Tx, transact};
use uuid::Uuid;

use super::moved::MOST_STEPS;
use crate::{
    model::{MERGED, Registry, RegistryCode, Test, Upon},
    quality::Naming,
    service::Registries,
    store::merges::{self as tables, ElsewhereRow},
};

/// A registry of another node whose keys are named here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referenced {
    /// Which.
    pub registry: RegistryCode,
    /// The event by which its keeper tells of merges.
    pub event: EventName,
    /// The laws of the registries that name its keys.
    pub laws: String,
}

/// Takes down the merges of one registry, as its keeper tells of them.
#[derive(Debug, Clone)]
pub struct HeardMerges {
    registries: Registries,
    registry: RegistryCode,
    keeper: SubsystemId,
}

impl Registries {
    /// The registries whose keys rules of this node's registries name and that this node does not keep, each once.
    ///
    /// # Errors
    /// None of those that are published: their codes are names of events.
    pub fn referenced_elsewhere(&self) -> Result<Vec<Referenced>> {
        let mut laws: BTreeMap<RegistryCode, BTreeSet<String>> = BTreeMap::new();
        for editions in self.shelf().all() {
            let naming = editions.current();
            for target in names(&naming).filter(|target| self.shelf().get(target).is_none()) {
                let basis = naming.basis.first();
                let law = basis.map(|basis| format!("{}, {}", basis.text, basis.article));
                laws.entry(target.clone()).or_default().extend(law);
            }
        }
        let referenced = laws.into_iter().map(|(registry, laws)| {
            Ok(Referenced {
                event: format!("{registry}.{MERGED}").parse().map_err(Error::internal)?,
                registry,
                laws: laws.into_iter().collect::<Vec<_>>().join("; "),
            })
        });
        referenced.collect()
    }

    /// What takes down the merges of a registry that this system keeps.
    pub fn heard_merges(&self, registry: RegistryCode, keeper: SubsystemId) -> HeardMerges {
        HeardMerges {
            registries: self.clone(),
            registry,
            keeper,
        }
    }

    /// Of these keys of a registry of another node those whose record has gone, each with the key in its place.
    pub(crate) async fn moved_elsewhere(
        &self,
        db: &impl Read,
        code: &RegistryCode,
        keys: &[&str],
    ) -> Result<BTreeMap<String, String>> {
        let mut moved = BTreeMap::new();
        for went in tables::of_keys(db, code, keys).await? {
            let (mut at, mut key) = (went.stayed_id, went.stayed_key);
            for _ in 0..MOST_STEPS {
                match tables::of_record(db, code, at).await? {
                    Some(next) => (at, key) = (next.stayed_id, next.stayed_key),
                    None => break,
                }
            }
            if key != went.merged_key {
                moved.insert(went.merged_key, key);
            }
        }
        Ok(moved)
    }
}

/// The registries whose keys rules of a registry name.
fn names(registry: &Registry) -> impl Iterator<Item = &RegistryCode> {
    registry.rules.iter().filter_map(|rule| match &rule.test {
        Test::Reference { registry, .. } => Some(registry),
        _ => None,
    })
}

/// What an event says, as far as it is needed here.
#[derive(Debug, Deserialize)]
struct Told {
    change: Upon,
    record: Uuid,
    key: String,
    stayed: Option<Stayed>,
}

#[derive(Debug, Deserialize)]
struct Stayed {
    record: Uuid,
    key: String,
}

impl HeardMerges {
    /// What was heard of the registry from a system that does not keep it is forgotten, and whoever was judged by it is judged again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_others(&self, now: Timestamp) -> Result<()> {
        let keeper = self.keeper.to_string();
        transact!(self.registries.store(), |tx| {
            let rows = tables::of_others(&tx, &self.registry, &keeper).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let others: BTreeSet<&str> = rows.iter().map(|row| row.keeper.as_str()).collect();
            tracing::warn!(registry = %self.registry, %keeper, ?others, "what others told of merges of a registry is forgotten");
            let keys = rows.iter().map(|row| row.merged_key.as_str());
            let naming = Naming::of_keys(&tx, &self.registries, &self.registry, keys).await?;
            for row in &rows {
                tables::forget(&tx, &self.registry, row.record_id).await?;
            }
            naming.judge_again(&tx, now).await
        })
    }

    /// What an event says; nothing where it was withdrawn, or says what nobody can read: the keeper is named, and the others are heard.
    fn read(&self, event: &Event) -> Option<Told> {
        match event.data::<Told>() {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%error, registry = %self.registry, keeper = %self.keeper, event = %event.id, "what is told of a merge cannot be read");
                None
            }
        }
    }

    async fn take_down(&self, tx: &Tx, told: Told) -> Result<()> {
        match (told.change, told.stayed) {
            (Upon::Merged, Some(stayed)) => {
                let row = ElsewhereRow {
                    record_id: told.record,
                    merged_key: told.key,
                    stayed_id: stayed.record,
                    stayed_key: stayed.key,
                    keeper: self.keeper.to_string(),
                };
                tables::hear(tx, &self.registry, &row).await
            }
            (Upon::Parted, _) => tables::forget(tx, &self.registry, told.record).await,
            _ => Ok(()),
        }
    }
}

impl Handler for HeardMerges {
    async fn handle(&self, tx: &Tx, events: &[Event]) -> Result<()> {
        // A registry that has come to this node speaks for itself.
        if self.registries.shelf().get(&self.registry).is_some() {
            return Ok(());
        }
        let Some(newest) = events.last() else { return Ok(()) };
        let told: Vec<Told> = events.iter().filter_map(|event| self.read(event)).collect();
        let mut keys: BTreeSet<String> = told.iter().map(|told| told.key.clone()).collect();
        // Of a merge whose record was erased the key is told no more: it is the one that was told before.
        for told in told.iter().filter(|told| told.key.is_empty()) {
            let before = tables::of_record(tx, &self.registry, told.record).await?;
            keys.extend(before.map(|before| before.merged_key));
        }
        keys.remove("");
        let keys = keys.iter().map(String::as_str);
        let naming = Naming::of_keys(tx, &self.registries, &self.registry, keys).await?;
        for told in told {
            self.take_down(tx, told).await?;
        }
        naming.judge_again(tx, newest.at).await
    }

    /// What is heard from here on counts all the same; stewards judge each proposal.
    async fn missed(&self, _: &Tx, _: Option<Cursor>, _: Cursor) -> Result<()> {
        tracing::warn!(registry = %self.registry, keeper = %self.keeper, "merges were missed: records that name those keys have no finding");
        Ok(())
    }
}
