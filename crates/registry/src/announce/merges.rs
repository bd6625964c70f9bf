//! Merges: which record stands in the place of which, and that it does so no more. Whoever names a record by its key, at whichever node,
//! learns the key that stands in its place.

use base::{Result, Timestamp};
use exchange::events::NewEvent;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Announcer, producer_id, types_of};
use crate::{
    model::{ChangeKind, Registry, Upon},
    service::{Mask, body_of},
    shelf::Editions,
    store::{VersionRow, announced as tables, merges},
};

/// Days that they are kept: as long as anybody may still name the key of a record that went, and for who joins later.
pub(super) const KEPT_DAYS: i64 = 3650;

impl Announcer {
    /// What is told of versions that a merge made, or its undoing.
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
                "description": "Whether it was merged into the other, or the merge was taken back",
            },
            "recorded_at": { "type": "string", "format": "date-time", "description": "When it was recorded" },
            "key": { "type": "string", "description": "Key of the record that went" },
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
