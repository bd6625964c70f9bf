//! What subscribers on the exchange are told: each version of a record becomes the events that its registry declares (`[[event]]` of
//! `registry.toml`), in the order in which versions were recorded.
//!
//! The feed of changes is the outbox. A job reads on from where it stopped, publishes, and then notes how far it came; broken off in
//! between it publishes again under the same ids, and nothing is there twice. What was recorded before the node first took part in
//! the exchange is told to nobody, except merges: whoever names a key has to know where it leads, however long ago it was merged.
//!
//! | | |
//! |---|---|
//! | type | `{registry}.{event}`, such as `population.registered`, of the system that keeps the registry |
//! | key | the id of the record: it stays when the key changes, and says nothing of anybody |
//! | data | `{record, version, change, valid_from?, recorded_at, fields}`; in `fields` what the event declares and nothing else |
//!
//! Of a merge it is told which record stands in the place of which ([`merges`]), beside the end of the one as any end is told.
//! An erased record is told of without fields, and what earlier events say of it is withdrawn. That somebody has reached an age no version
//! says: the calendar does ([`ages`]).

mod ages;
mod merges;

use std::{collections::BTreeMap, fmt, sync::Arc};

use base::{Error, Kind, Result, Text, Timestamp};
use exchange::{
    events::{self, Asker, EventTypeId, Events, NewEvent, NewType, Sensitivity as Care},
    model::identifier::SubsystemId,
};
use serde_json::{Map, Value, json};
use store::{
    jobs::{Job, Run, Runner},
    transact,
};
use uuid::Uuid;

use crate::{
    history::Moment,
    model::{About, ChangeKind, EventType, FieldPath, Registry, RegistryCode, Sensitivity, breaks::Break},
    service::{Mask, Registries, body_of, jobs::Changed, merge},
    shelf::Editions,
    store::{VersionRow, announced as tables, read},
};

/// Versions of a registry are to be told.
pub const ANNOUNCE: &str = "registry.announce";
/// Versions that are told at once.
const PIECE: u32 = 100;
/// Pieces of one job: it ends long before its lease does.
const PIECES: usize = 50;
/// Days that events are kept. A subscriber that was away for longer reads the feed of changes, or the records.
const RETENTION_DAYS: i64 = 30;

/// What a new version of a folder breaks for subscribers. An event whose data they could not have expected has to have another id.
pub(crate) fn breaks(old: &Registry, new: &Registry) -> Vec<Break> {
    let mut found = Vec::new();
    for event in &old.events {
        let at = event.id.as_str();
        match new.events.iter().find(|other| other.id == event.id) {
            Some(now) => {
                let problems = events::breaks(&schema_of(old, event), &schema_of(new, now));
                found.extend(problems.into_iter().map(|problem| Break {
                    code: "event-changed",
                    at: at.to_owned(),
                    text: problem.text.clone(),
                    migrated: false,
                    of_callers: false,
                }));
            }
            None => found.push(Break {
                code: "event-removed",
                at: at.to_owned(),
                text: Text::new("Sự kiện không còn được thông báo.", "The event is told no more."),
                migrated: false,
                of_callers: true,
            }),
        }
    }
    found
}

/// The order to tell what there is to tell of a registry; at most one waits for each.
///
/// # Errors
/// It cannot be written as JSON.
pub fn announce_order(code: &RegistryCode) -> Result<Job> {
    let job = Job::new(ANNOUNCE, &Changed { registry: code.clone() })?;
    Ok(job.key(format!("{ANNOUNCE}/{code}")))
}

/// Tells the room of events. Cheap to clone.
#[derive(Clone)]
pub struct Announcer(Arc<Inner>);

struct Inner {
    registries: Registries,
    events: Events,
    system: SubsystemId,
    named: BTreeMap<RegistryCode, SubsystemId>,
    agency: String,
}

impl fmt::Debug for Announcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcer")
            .field("system", &self.0.system)
            .finish_non_exhaustive()
    }
}

/// Teaches a runner the jobs.
pub fn handlers(runner: Runner, announcer: &Announcer) -> Runner {
    let (changes, calendar) = (announcer.clone(), announcer.clone());
    runner
        .on(ANNOUNCE, move |run| {
            let announcer = changes.clone();
            async move {
                let Changed { registry } = run.payload()?;
                announcer.follow(&run, &registry).await
            }
        })
        .on(ages::AGES, move |run| {
            let announcer = calendar.clone();
            async move { announcer.tell_ages(&run).await }
        })
}

impl Announcer {
    /// Publishes what the registries of this agency, and of those below it, declare: as the system of the member that is `named` for
    /// a registry, else as `system`.
    pub fn new(
        registries: Registries,
        events: Events,
        system: SubsystemId,
        named: BTreeMap<RegistryCode, SubsystemId>,
        agency: &str,
    ) -> Self {
        Self(Arc::new(Inner {
            registries,
            events,
            system,
            named,
            agency: agency.to_owned(),
        }))
    }

    /// Declares the events of all registries and orders what a process that was broken off did not tell. Of a registry that is new
    /// here, only what is recorded from now on is told.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin(&self, now: Timestamp) -> Result<()> {
        for editions in self.0.registries.shelf().all() {
            let registry = editions.current();
            if !self.tells(&registry) {
                continue;
            }
            let code = &registry.code;
            let newest = tables::newest(&self.0.registries.store().read(), code).await?;
            self.declare(&registry, newest.unwrap_or(0), now).await?;
            transact!(self.0.registries.store(), |tx| {
                tx.enqueue(announce_order(code)?, now).await
            })?;
        }
        Ok(())
    }

    fn tells(&self, registry: &Registry) -> bool {
        !registry.events.is_empty() && registry.is_of(&self.0.agency)
    }

    /// As which system a registry publishes.
    fn system(&self, code: &RegistryCode) -> &SubsystemId {
        let named = self.0.named.get(code);
        let own = named.filter(|named| named.member == self.0.system.member);
        own.unwrap_or(&self.0.system)
    }

    fn type_of(&self, registry: &Registry, event: &EventType) -> Result<EventTypeId> {
        let name = format!("{}.{}", registry.code, event.id);
        Ok(EventTypeId {
            provider: self.system(&registry.code).clone(),
            name: name.parse().map_err(Error::internal)?,
        })
    }

    /// Makes the types of a version of the folder, or their next versions. A schema that would break readers is not taken; a folder has
    /// none ([`breaks`]), but a steward may have changed the type.
    async fn declare(&self, registry: &Registry, upto: i64, now: Timestamp) -> Result<()> {
        let asker = Asker::Subsystem(self.system(&registry.code));
        for event in &registry.events {
            let new = NewType {
                id: self.type_of(registry, event)?,
                title: event.name.clone(),
                schema: schema_of(registry, event),
                sensitivity: care(registry, event),
                key_field: Some("record".to_owned()),
                retention_days: kept_days(event),
            };
            let made = match self.0.events.define(asker, &new).await {
                Err(Error::Refused(Kind::Conflict, _)) => self.0.events.revise(asker, &new).await.map(drop),
                made => made.map(drop),
            };
            match made {
                Ok(()) => {}
                // A steward has closed it.
                Err(Error::Refused(Kind::NotFound, _)) => tracing::info!(of = %new.id, "an event type is closed"),
                Err(Error::Refused(_, problems)) => {
                    tracing::error!(of = %new.id, ?problems, "an event type stays as it was");
                }
                Err(error) => return Err(error),
            }
        }
        let edition = i64::from(registry.version);
        transact!(self.0.registries.store(), |tx| {
            tables::declared(&tx, &registry.code, upto, edition).await?;
            ages::begin(&tx, registry, now).await
        })
    }

    /// Tells what there is to tell, as far as one job goes, and orders the rest.
    async fn follow(&self, run: &Run, code: &RegistryCode) -> Result<()> {
        let registries = &self.0.registries;
        // Another process may have published it.
        registries.shelf().refresh().await?;
        let editions = registries.editions(code)?;
        let registry = editions.current();
        if !self.tells(&registry) {
            return Ok(());
        }
        let place = tables::place(&registries.store().read(), code).await?;
        if place.is_none_or(|place| place.edition != i64::from(registry.version)) {
            // A registry that came while the node runs is told of from its beginning.
            self.declare(&registry, 0, run.now).await?;
        }
        let of_merges = registry.events.iter().any(EventType::is_of_merges);
        for _ in 0..PIECES {
            let earlier = self.tell_earlier_merges(&editions, run.now).await?;
            if !earlier && !self.tell_piece(&editions, run.now).await? {
                break;
            }
        }
        transact!(registries.store(), |tx| {
            // The order goes first: whoever writes from now on makes a new one, and what was written before is seen below.
            run.done(&tx).await?;
            let place = tables::place(&tx, code).await?;
            let upto = place.as_ref().map_or(0, |place| place.upto);
            let earlier = of_merges && place.is_some_and(|place| place.merges_upto < place.upto);
            if !earlier && read::changes(&tx, code, upto, 1).await?.is_empty() {
                return Ok(());
            }
            tx.enqueue(announce_order(code)?, run.now).await
        })
    }

    /// Tells the first versions that are not told; whether there were any.
    async fn tell_piece(&self, editions: &Editions, now: Timestamp) -> Result<bool> {
        let registry = editions.current();
        let (code, db) = (&registry.code, self.0.registries.store().read());
        let upto = tables::place(&db, code).await?.map_or(0, |place| place.upto);
        let versions = read::changes(&db, code, upto, PIECE).await?;
        let Some(last) = versions.last() else {
            return Ok(false);
        };
        for event in &registry.events {
            let mut news = Vec::new();
            if event.is_of_merges() {
                news = self.merges(editions, &versions, now).await?;
            }
            for version in &versions {
                let kind = ChangeKind::from_code(&version.kind);
                if let Some(kind) = kind.filter(|kind| event.is_upon(*kind)) {
                    news.push(self.news(editions, event, kind, version, now).await?);
                }
            }
            self.publish(&self.type_of(&registry, event)?, news).await?;
        }
        for version in &versions {
            if version.kind == ChangeKind::Erase.code() {
                self.withdraw(&registry, version).await?;
            }
        }
        let told = last.recorded_at;
        let of_merges = registry.events.iter().any(EventType::is_of_merges);
        transact!(self.0.registries.store(), |tx| {
            tables::advance(&tx, code, told).await?;
            if of_merges {
                tables::advance_merges(&tx, code, told).await?;
            }
            Ok(())
        })?;
        Ok(true)
    }

    /// Publishes in this order. What was published before a process was broken off is there, and stays as it was then.
    async fn publish(&self, id: &EventTypeId, news: Vec<NewEvent>) -> Result<()> {
        if news.is_empty() {
            return Ok(());
        }
        let published = match self.0.events.publish_all(&id.provider, id, news).await {
            // Nobody wants to know any more.
            Err(Error::Refused(Kind::NotFound, _)) => return Ok(()),
            published => published?,
        };
        for one in published {
            match one {
                Ok(_) | Err(Error::Refused(Kind::Conflict, _)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn news(
        &self,
        editions: &Editions,
        event: &EventType,
        kind: ChangeKind,
        version: &VersionRow,
        now: Timestamp,
    ) -> Result<NewEvent> {
        let db = self.0.registries.store().read();
        // What ends or never was is named by what was said of it before.
        let before = match (&version.body, kind) {
            (Some(_), _) | (None, ChangeKind::Erase) => None,
            (None, _) => tables::said_before(&db, version.record_id, version.seq).await?,
        };
        let body = body_of(editions, before.as_ref().unwrap_or(version), now)?;
        let rule = editions.current().valid_time;
        let valid_from = version.valid_from.map(|from| Moment::from_stored(from).show(rule));
        let mut data = json!({
            "record": version.record_id,
            "version": version.seq,
            "change": kind.code(),
            "recorded_at": Timestamp::from_micros(version.recorded_at).rfc3339(),
        });
        let fields = body.map(|body| Mask::of(event.fields.clone()).apply(&body));
        let more = [("valid_from", valid_from.map(Value::String)), ("fields", fields)];
        if let Value::Object(data) = &mut data {
            let more = more
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            data.extend(more);
        }
        Ok(NewEvent {
            producer_id: Some(producer_id(version.record_id, version.seq)),
            key: None,
            data,
        })
    }

    /// Takes what was told of an erased record out of its events.
    async fn withdraw(&self, registry: &Registry, erasure: &VersionRow) -> Result<()> {
        let erased_on = Timestamp::from_micros(erasure.recorded_at).legal_date();
        for event in &registry.events {
            let of = self.type_of(registry, event)?;
            let mut ids: Vec<String> = match event.reaches {
                Some(_) => ages::ids_until(erasure.record_id, erased_on),
                None => (1..erasure.seq)
                    .map(|seq| producer_id(erasure.record_id, seq))
                    .collect(),
            };
            if event.is_of_merges() {
                ids.extend(self.ids_of_merges_into(erasure.record_id).await?);
            }
            match self.0.events.withdraw_all(&of.provider, &of, &ids).await {
                Ok(()) | Err(Error::Refused(Kind::NotFound, _)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// One version is one event of a type, for ever.
fn producer_id(record: Uuid, seq: i64) -> String {
    format!("{record}#{seq}")
}

/// Days that events of a type are kept.
fn kept_days(event: &EventType) -> i64 {
    if event.is_of_merges() {
        merges::KEPT_DAYS
    } else {
        RETENTION_DAYS
    }
}

/// How carefully an event is handled: as its gravest field; whatever tells of a person's record is personal.
fn care(registry: &Registry, event: &EventType) -> Care {
    let fields = event.tells(registry).iter().filter_map(|path| registry.field(path));
    let gravest = fields.map(|field| registry.sensitivity_of(field)).max();
    match gravest.unwrap_or(registry.sensitivity) {
        _ if registry.about == About::Person => Care::Personal,
        Sensitivity::Public => Care::Public,
        Sensitivity::Internal => Care::Internal,
        Sensitivity::Personal | Sensitivity::Sensitive => Care::Personal,
    }
}

/// The schema of an event's data. Of the fields it says their types: how they are written the registry has judged, and bodies of older
/// versions of the folder have to fit as well.
fn schema_of(registry: &Registry, event: &EventType) -> Value {
    if event.reaches.is_some() {
        return ages::schema_of(registry, event);
    }
    if event.is_of_merges() {
        return merges::schema_of(registry);
    }
    let kinds: Vec<&str> = event.on.iter().map(|kind| kind.code()).collect();
    json!({
        "type": "object",
        "properties": {
            "record": { "type": "string", "description": "Id of the record in the registry" },
            "version": { "type": "integer", "description": "Number of the version that says so, from 1" },
            "change": { "type": "string", "enum": kinds, "description": "What sort of version it is" },
            "valid_from": { "type": "string", "description": "From when it is so" },
            "recorded_at": { "type": "string", "format": "date-time", "description": "When it was recorded" },
            "fields": types_of(registry, &event.fields),
        },
        "required": ["record", "version", "change", "recorded_at"],
        "additionalProperties": false,
    })
}

/// The types of fields that an event tells.
fn types_of(registry: &Registry, told: &[FieldPath]) -> Value {
    let mut fields = json!({ "type": "object", "properties": {} });
    for path in told {
        let parts: Vec<&str> = path.parts().collect();
        merge(&mut fields, &types_along(&registry.schema, &parts));
    }
    fields
}

/// The types along one way into a schema, and of all that lies below its end.
fn types_along(schema: &Value, parts: &[&str]) -> Value {
    let mut out = Map::new();
    for name in ["type", "description"] {
        if let Some(value) = schema.get(name) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(items) = schema.get("items") {
        out.insert("items".to_owned(), types_along(items, parts));
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let (first, rest) = parts
            .split_first()
            .map_or((None, parts), |(first, rest)| (Some(*first), rest));
        let along = properties
            .iter()
            .filter(|(name, _)| first.is_none_or(|first| first == *name));
        let along = along.map(|(name, schema)| (name.clone(), types_along(schema, rest)));
        out.insert("properties".to_owned(), Value::Object(along.collect()));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_an_event_has_the_ways_of_its_fields_and_no_others() {
        let schema = json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {
                "name": { "type": "string", "minLength": 1, "description": "Name" },
                "residence": { "type": "object", "required": ["commune"], "properties": {
                    "commune": { "type": "string", "pattern": "^[0-9]{5}$" }, "detail": { "type": "string" } } },
                "owners": { "type": "array", "maxItems": 9, "items": { "type": "object", "properties": {
                    "number": { "type": "string" }, "share": { "type": "integer" } } } },
            },
        });
        let mut along = types_along(&schema, &["residence", "commune"]);
        merge(&mut along, &types_along(&schema, &["owners", "number"]));
        assert_eq!(
            along,
            json!({ "type": "object", "properties": {
                "residence": { "type": "object", "properties": { "commune": { "type": "string" } } },
                "owners": { "type": "array", "items": { "type": "object", "properties": { "number": { "type": "string" } } } },
            } })
        );
        let whole = types_along(&schema, &["residence"]);
        assert_eq!(
            whole["properties"]["residence"]["properties"],
            json!({ "commune": { "type": "string" }, "detail": { "type": "string" } })
        );
    }
}
