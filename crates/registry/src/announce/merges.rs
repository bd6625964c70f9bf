//! Merges: which record stands in the place of which, and that it does so no more. Whoever names a record by its key, at whichever node,
//! learns the key that stands in its place. Where one of the two is erased, those who were told of the merge are told that it holds no more,
//! without a key, and forget both.

use base::{Result, Timestamp};
use exchange::events::NewEvent;
use serde_json::{Value, json};
use store::transact;
use uuid::Uuid;

use super::{Announcer, PIECE, producer_id, types_of};
use crate::{
    model::{ChangeKind, Registry, Upon},
    service::{Mask, body_of},
    shelf::Editions,
    store::{
        VersionRow, announced as tables,
        merges::{self, MergeRow},
    },
};

/// Days that they are kept: as long as anybody may still name the key of a record that went, and for who joins later.
pub(super) const KEPT_DAYS: i64 = 3650;

impl Announcer {
    /// Tells the first merges that nobody was told of because they are from before the registry told of any; whether there were any. They
    /// come before everything that is still to be told, so that the undoing of one follows it.
    pub(super) async fn tell_earlier_merges(&self, editions: &Editions, now: Timestamp) -> Result<bool> {
        let registry = editions.current();
        let (code, store) = (&registry.code, self.0.registries.store());
        let Some(event) = registry.events.iter().find(|event| event.is_of_merges()) else {
            return Ok(false);
        };
        let place = tables::place(&store.read(), code).await?;
        let Some(place) = place.filter(|place| place.merges_upto < place.upto) else {
            return Ok(false);
        };
        let between = (place.merges_upto, place.upto);
        let versions = tables::of_merged(&store.read(), code, between, PIECE).await?;
        let news = self.merges(editions, &versions, now).await?;
        self.publish(&self.type_of(&registry, event)?, news).await?;
        let told = match versions.last() {
            Some(last) if versions.len() == PIECE as usize => last.recorded_at,
            _ => place.upto,
        };
        transact!(store, |tx| { tables::advance_merges(&tx, code, told).await })?;
        Ok(true)
    }

    /// What is told of versions that a merge made, or its undoing, or the erasure of a record that was part of one.
    pub(super) async fn merges(
        &self,
        editions: &Editions,
        versions: &[VersionRow],
        now: Timestamp,
    ) -> Result<Vec<NewEvent>> {
        let db = self.0.registries.store().read();
        let records: Vec<Uuid> = versions.iter().map(|version| version.record_id).collect();
        let merged = merges::of(&db, &records).await?;
        let mut news = Vec::new();
        for version in versions {
            if version.kind == ChangeKind::Erase.code() {
                let merges = merges::last_with(&db, version.record_id).await?;
                news.extend(merges.iter().map(|merge| without_keys(merge, version)));
            }
            let Some(stayed) = merged.get(&(version.record_id, version.seq)) else {
                continue;
            };
            let went = tables::said_before(&db, version.record_id, version.seq).await?;
            let stayed = tables::said_by(&db, *stayed, version.recorded_at).await?;
            news.extend(told(editions, version, went.as_ref(), stayed.as_ref(), now)?);
        }
        Ok(news)
    }

    /// The ids of what was told of merges into a record.
    pub(super) async fn ids_of_merges_into(&self, stayed: Uuid) -> Result<Vec<String>> {
        let rows = merges::into(&self.0.registries.store().read(), stayed).await?;
        Ok(rows.iter().map(|row| producer_id(row.record_id, row.seq)).collect())
    }
}

/// What is told of one version; nothing where a record was erased meanwhile, so that its key is not to be told.
fn told(
    editions: &Editions,
    version: &VersionRow,
    went: Option<&VersionRow>,
    stayed: Option<&VersionRow>,
    now: Timestamp,
) -> Result<Option<NewEvent>> {
    let registry = editions.current();
    let named = |said: Option<&VersionRow>| -> Result<Option<Value>> {
        let Some(said) = said else { return Ok(None) };
        let body = body_of(editions, said, now)?;
        let key = body.and_then(|body| Some((registry.key_of(&body).ok()?, body)));
        Ok(key.map(|(key, body)| {
            let fields = Mask::of(registry.key.clone()).apply(&body);
            json!({ "record": said.record_id, "key": key, "fields": fields })
        }))
    };
    let (Some(mut data), stayed) = (named(went)?, named(stayed)?) else {
        return Ok(None);
    };
    let upon = if version.kind == ChangeKind::End.code() {
        Upon::Merged
    } else {
        Upon::Parted
    };
    if stayed.is_none() && upon == Upon::Merged {
        return Ok(None);
    }
    data["version"] = version.seq.into();
    data["change"] = upon.code().into();
    data["recorded_at"] = Timestamp::from_micros(version.recorded_at).rfc3339().into();
    if let Some(stayed) = stayed {
        data["stayed"] = stayed;
    }
    Ok(Some(NewEvent {
        producer_id: Some(producer_id(version.record_id, version.seq)),
        key: None,
        data,
    }))
}

/// That a merge holds no more, since one of its records was erased.
fn without_keys(merge: &MergeRow, erasure: &VersionRow) -> NewEvent {
    NewEvent {
        producer_id: Some(format!("{}/erased", producer_id(merge.record_id, merge.seq))),
        key: None,
        data: json!({
            "record": merge.record_id,
            "version": merge.seq,
            "change": Upon::Parted.code(),
            "recorded_at": Timestamp::from_micros(erasure.recorded_at).rfc3339(),
            "key": "",
        }),
    }
}

/// The schema of the data of such an event.
pub(super) fn schema_of(registry: &Registry) -> Value {
    let fields = types_of(registry, &registry.key);
    json!({
        "type": "object",
        "properties": {
            "record": { "type": "string", "description": "Id of the record that went" },
            "version": { "type": "integer", "description": "Number of its version that says so, from 1" },
            "change": {
                "type": "string",
                "enum": [Upon::Merged.code(), Upon::Parted.code()],
                "description": "Whether it was merged into the other, or the merge holds no more: it was taken back, or one of them erased",
            },
            "recorded_at": { "type": "string", "format": "date-time", "description": "When it was recorded" },
            "key": { "type": "string", "description": "Key of the record that went; empty where one of them was erased" },
            "fields": fields,
            "stayed": {
                "type": "object",
                "description": "The record in whose favour it went",
                "properties": {
                    "record": { "type": "string", "description": "Id of the record" },
                    "key": { "type": "string", "description": "Its key" },
                    "fields": fields,
                },
                "required": ["record", "key"],
                "additionalProperties": false,
            },
        },
        "required": ["record", "version", "change", "recorded_at", "key"],
        "additionalProperties": false,
    })
}
