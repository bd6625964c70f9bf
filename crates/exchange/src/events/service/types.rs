//! Event types: what a subsystem says that it will publish.

use std::sync::{Arc, PoisonError};

use ::store::{Read, transact};
use base::{Error, Kind, Problems, Result, Text, Timestamp};
use identity::{Ctx, Permission};
use serde_json::Value;

use super::{Asker, Events, PAGE, Page, require_same};
use crate::{
    access::reach,
    events::{
        model::{
            Cursor, Event, EventId, EventName, EventTypeId, Position, Schema, Sensitivity, TypeId, breaks, sample,
        },
        store::{
            log::{self, EventRow},
            subscriptions,
            types::{self, TypeRow},
        },
    },
    model::identifier::SubsystemId,
};

/// Days that events may be kept.
const RETENTION_DAYS: std::ops::RangeInclusive<i64> = 1..=3650;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// Types of one provider that are listed.
const MOST_TYPES: i64 = 1000;
/// Subscriptions whose progress is shown with an event.
const MOST_READERS: i64 = 200;

/// A type to be made, or its next version.
#[derive(Debug, Clone)]
pub struct NewType {
    /// Who will publish, and under which name.
    pub id: EventTypeId,
    /// What it is called.
    pub title: Text,
    /// JSON Schema 2020-12 of the data.
    pub schema: Value,
    /// How carefully its data are handled. A version cannot change it.
    pub sensitivity: Sensitivity,
    /// The field of the data by which events keep their order: one that the schema requires, a text or a whole number. None: the
    /// publisher gives the key of each event, or, in a version, what the type has. A version cannot change it.
    pub key_field: Option<String>,
    /// How many days events are kept.
    pub retention_days: i64,
}

impl NewType {
    fn check(&self) -> Result<Schema> {
        let mut problems = Problems::new();
        Self::check_terms(&self.title, self.retention_days, &mut problems);
        self.check_key(&mut problems);
        match Schema::read(self.schema.clone()) {
            Ok(schema) => problems.into_result().map(|()| schema),
            Err(Error::Refused(_, more)) => {
                problems.extend(more);
                Err(Error::Refused(Kind::Invalid, problems))
            }
            Err(error) => Err(error),
        }
    }

    /// What is wrong with a title and with how long events are kept.
    pub fn check_terms(title: &Text, retention_days: i64, problems: &mut Problems) {
        for (at, text) in [("title.vi", &title.vi), ("title.en", &title.en)] {
            if text.trim().is_empty() || text.chars().count() > LONGEST_TITLE {
                problems.add(
                    "event-title",
                    at,
                    "Nhập tên loại sự kiện bằng cả hai ngôn ngữ, mỗi tên tối đa 200 ký tự.",
                    "Give the title in both languages, at most 200 characters each.",
                );
            }
        }
        if !RETENTION_DAYS.contains(&retention_days) {
            problems.add(
                "event-retention",
                "retentionDays",
                "Thời gian lưu sự kiện từ 1 đến 3650 ngày.",
                "Events are kept for 1 to 3650 days.",
            );
        }
    }

    fn check_key(&self, problems: &mut Problems) {
        let Some(field) = &self.key_field else { return };
        let property = self.schema.get("properties").and_then(|fields| fields.get(field));
        let kind = property
            .and_then(|property| property.get("type"))
            .and_then(Value::as_str);
        let required = self.schema.get("required").and_then(Value::as_array);
        let required = required.is_some_and(|names| names.iter().any(|name| name == field));
        if !required || !matches!(kind, Some("string" | "integer")) {
            problems.add(
                "event-key-field",
                "keyField",
                "Trường khóa phải là một trường bắt buộc ở cấp đầu của lược đồ, kiểu string hoặc integer.",
                "The key field has to be a field at the top of the schema that is required, of the type string or integer.",
            );
        }
    }
}

/// An event type as it is.
#[derive(Debug, Clone)]
pub struct EventType {
    /// Which.
    pub type_id: TypeId,
    /// Who publishes, and under which name.
    pub id: EventTypeId,
    /// What it is called.
    pub title: Text,
    /// How carefully its data are handled.
    pub sensitivity: Sensitivity,
    /// The field of the data by which events keep their order; none where the publisher gives the key.
    pub key_field: Option<String>,
    /// How many days events are kept.
    pub retention_days: i64,
    /// The newest version of its schema.
    pub version: i64,
    /// Since when.
    pub created: Timestamp,
    /// Since when nothing more is published.
    pub closed: Option<Timestamp>,
    /// The oldest position that is kept; one beyond the last when there is none.
    pub first: Position,
    /// The newest position; 0 when nothing was published yet.
    pub last: Position,
    /// When something was published last, or the type was made.
    pub last_at: Timestamp,
}

impl TryFrom<TypeRow> for EventType {
    type Error = Error;

    fn try_from(row: TypeRow) -> Result<Self> {
        Ok(Self {
            type_id: TypeId::from_uuid(row.id),
            id: EventTypeId {
                provider: row.provider.parse().map_err(Error::internal)?,
                name: row.name.parse().map_err(Error::internal)?,
            },
            title: Text::new(row.title_vi, row.title_en),
            sensitivity: Sensitivity::from_code(&row.sensitivity)
                .ok_or_else(|| Error::internal("an unknown sensitivity in the database"))?,
            key_field: row.key_field,
            retention_days: row.retention_days,
            version: row.version,
            created: Timestamp::from_micros(row.created_at),
            closed: row.closed_at.map(Timestamp::from_micros),
            first: row.first_position,
            last: row.last_position,
            last_at: Timestamp::from_micros(row.last_at),
        })
    }
}

/// An event type as an officer looks at it.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The type.
    pub of: EventType,
    /// Its newest schema.
    pub schema: Value,
    /// An example of its data.
    pub sample: Value,
    /// Its newest events, without their data.
    pub recent: Vec<Event>,
    /// Whether the officer may change it.
    pub may_change: bool,
}

/// How far an event has come, without its data.
#[derive(Debug, Clone)]
pub struct Status {
    /// The event; its data are left out.
    pub event: Event,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Who may read it, and whether they have acknowledged it.
    pub readers: Vec<(SubsystemId, bool)>,
}

pub(super) fn no_type() -> Error {
    Error::not_found("loại sự kiện này", "event type")
}

pub(super) fn read_event(row: EventRow) -> Result<Event> {
    Ok(Event {
        id: EventId::from_uuid(row.id),
        position: row.position,
        producer_id: row.producer_id,
        key: row.order_key,
        version: row.version,
        at: Timestamp::from_micros(row.published_at),
        data: row.data.map(serde_json::value::RawValue::from_string).transpose()?,
    })
}

impl Events {
    /// Makes an event type.
    ///
    /// # Errors
    /// Everything that is wrong with it; `event-type-exists`, also when one of that name was closed; not the asker's subsystem.
    pub async fn define(&self, asker: Asker<'_>, new: &NewType) -> Result<TypeId> {
        self.require_owner(asker, &new.id.provider).await?;
        let schema = new.check()?;
        let now = self.now();
        let id = TypeId::new(now);
        let row = TypeRow {
            id: id.uuid(),
            provider: new.id.provider.to_string(),
            name: new.id.name.to_string(),
            title_vi: new.title.vi.trim().to_owned(),
            title_en: new.title.en.trim().to_owned(),
            sensitivity: new.sensitivity.code().to_owned(),
            key_field: new.key_field.clone(),
            retention_days: new.retention_days,
            version: 1,
            created_at: now.micros(),
            closed_at: None,
            first_position: 1,
            last_position: 0,
            last_at: now.micros(),
        };
        let document = schema.document().to_string();
        let by = asker.name();
        transact!(self.store(), |tx| {
            if !types::insert(&tx, &row).await? {
                return Err(Error::refused(
                    Kind::Conflict,
                    "event-type-exists",
                    format!("{} đã có. Muốn đổi lược đồ, gửi phiên bản mới.", new.id),
                    format!("{} exists. To change its schema, send a new version.", new.id),
                ));
            }
            types::insert_schema(&tx, id, 1, &document, &by, now).await?;
            Ok(id)
        })
    }

    /// Gives a type its next version; the number of it. The same schema again is no new version.
    ///
    /// # Errors
    /// Everything that is wrong with it; `schema-…` for each thing that would break readers of the version before, who would
    /// need another event type; another sensitivity.
    pub async fn revise(&self, asker: Asker<'_>, new: &NewType) -> Result<i64> {
        self.require_owner(asker, &new.id.provider).await?;
        let schema = new.check()?;
        let row = self.open_row(&new.id).await?;
        let id = TypeId::from_uuid(row.id);
        let old = self.schema(id, row.version).await?;
        let mut problems = breaks(old.document(), schema.document());
        if row.sensitivity != new.sensitivity.code() {
            problems.add(
                "event-sensitivity",
                "sensitivity",
                "Không đổi được mức độ nhạy cảm của loại sự kiện đã có; hãy tạo loại khác.",
                "The sensitivity of a type cannot change; make another type.",
            );
        }
        if new.key_field.is_some() && row.key_field != new.key_field {
            problems.add(
                "event-key-field-fixed",
                "keyField",
                "Không đổi được trường khóa của loại sự kiện đã có; hãy tạo loại khác.",
                "The key field of a type cannot change; make another type.",
            );
        }
        if new.key_field.is_none() {
            NewType {
                key_field: row.key_field.clone(),
                ..new.clone()
            }
            .check_key(&mut problems);
        }
        problems.into_result()?;
        let now = self.now();
        let by = asker.name();
        let document = schema.document().to_string();
        let title = (new.title.vi.trim(), new.title.en.trim());
        let same = old.document() == schema.document();
        if same && (row.title_vi.as_str(), row.title_en.as_str()) == title && row.retention_days == new.retention_days {
            return Ok(row.version);
        }
        transact!(self.store(), |tx| {
            if !types::next_version(&tx, &row, title, new.retention_days).await? {
                return Err(Error::refused(
                    Kind::Conflict,
                    "event-type-changed",
                    "Loại sự kiện vừa được thay đổi. Tải lại rồi thực hiện lại.",
                    "The event type has just been changed. Load it again and try once more.",
                ));
            }
            types::insert_schema(&tx, id, row.version + 1, &document, &by, now).await?;
            Ok(row.version + 1)
        })
    }

    /// Ends a type: nothing more is published under it. What was, its subscribers may read until it is removed by its age.
    ///
    /// # Errors
    /// No such type; not the asker's subsystem.
    pub async fn close(&self, asker: Asker<'_>, id: &EventTypeId) -> Result<()> {
        self.require_owner(asker, &id.provider).await?;
        let row = self.open_row(id).await?;
        let now = self.now();
        transact!(self.store(), |tx| {
            if types::close(&tx, TypeId::from_uuid(row.id), now).await? {
                Ok(())
            } else {
                Err(no_type())
            }
        })
    }

    /// The names of the open types of a provider. Who publishes what is no secret.
    ///
    /// # Errors
    /// The database failed.
    pub async fn names(&self, provider: &SubsystemId) -> Result<Vec<EventName>> {
        let rows = types::of_provider(&self.store().read(), &provider.to_string(), MOST_TYPES).await?;
        rows.into_iter()
            .map(|row| row.name.parse().map_err(Error::internal))
            .collect()
    }

    /// An open type with its newest schema.
    ///
    /// # Errors
    /// No such type.
    pub async fn describe(&self, id: &EventTypeId) -> Result<(EventType, Value)> {
        let row = self.open_row(id).await?;
        let schema = self.schema(TypeId::from_uuid(row.id), row.version).await?;
        Ok((row.try_into()?, schema.document().clone()))
    }

    /// A page of the types of one's agency and those below it, closed ones too, by provider and name.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub async fn types(&self, ctx: &Ctx, after: Option<&str>, most: u32) -> Result<Page<EventType>> {
        let agency = reach(ctx, Permission::ReadExchange)?;
        let after = after.and_then(|place| place.rsplit_once('/')).unwrap_or_default();
        let rows = types::page(&self.store().read(), agency.as_deref(), after, i64::from(most) + 1).await?;
        Page::of(
            rows,
            most,
            |row| format!("{}/{}", row.provider, row.name),
            EventType::try_from,
        )
    }

    /// A type, for the officers of its agency.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`]; `NotFound` also where it is another agency's.
    pub async fn inspect(&self, ctx: &Ctx, id: TypeId) -> Result<Inspected> {
        reach(ctx, Permission::ReadExchange)?;
        let row = types::by_id(&self.store().read(), id).await?.ok_or_else(no_type)?;
        let schema = self.schema(id, row.version).await?;
        let of: EventType = row.try_into()?;
        self.require_seen(ctx, &of.id.provider, no_type).await?;
        let recent = log::before(&self.store().read(), id, Position::MAX, i64::from(PAGE)).await?;
        let recent = recent.into_iter().map(|row| read_event(row).map(without_data));
        Ok(Inspected {
            recent: recent.collect::<Result<_>>()?,
            sample: sample(schema.document()),
            schema: schema.document().clone(),
            may_change: self.may_steward(ctx, &of.id.provider).await?,
            of,
        })
    }

    /// How far an event has come. Its data are not told: who published them has them.
    ///
    /// # Errors
    /// Not the asker's subsystem; no such event.
    pub async fn status(&self, asker: Asker<'_>, of: &EventTypeId, id: EventId) -> Result<Status> {
        self.require_owner(asker, &of.provider).await?;
        let row = self.row(of).await?;
        let type_id = TypeId::from_uuid(row.id);
        let event = log::by_id(&self.store().read(), type_id, id)
            .await?
            .ok_or_else(no_event)?;
        let withdrawn = event.data.is_none();
        let readers = subscriptions::to(&self.store().read(), type_id, "", MOST_READERS).await?;
        let readers = readers.into_iter().filter(|s| s.state == "approved").map(|s| {
            let subscriber = s.subscriber.parse().map_err(Error::internal)?;
            Ok((subscriber, s.acknowledged >= event.position))
        });
        Ok(Status {
            readers: readers.collect::<Result<_>>()?,
            event: without_data(read_event(event)?),
            withdrawn,
        })
    }

    /// Takes the data out of an event. Its place stays, so that nobody misses a position; who has read it, has read it.
    ///
    /// # Errors
    /// Not the asker's subsystem; no such event.
    pub async fn withdraw(&self, asker: Asker<'_>, of: &EventTypeId, id: EventId) -> Result<()> {
        self.require_owner(asker, &of.provider).await?;
        let row = self.row(of).await?;
        transact!(self.store(), |tx| {
            if log::withdraw(&tx, TypeId::from_uuid(row.id), id).await? {
                Ok(())
            } else {
                Err(no_event())
            }
        })
    }

    /// Takes the data out of all events that have one of these producer's ids.
    ///
    /// # Errors
    /// Not the asker's subsystem; no such type.
    pub async fn withdraw_all(&self, client: &SubsystemId, of: &EventTypeId, producer_ids: &[String]) -> Result<()> {
        require_same(client, &of.provider)?;
        let row = self.row(of).await?;
        transact!(self.store(), |tx| {
            log::withdraw_all(&tx, TypeId::from_uuid(row.id), producer_ids).await
        })
    }

    /// The cursor of the newest event of a type.
    pub(in crate::events) fn newest(of: &EventType) -> Cursor {
        Cursor::new(of.type_id, of.last)
    }

    pub(super) async fn row(&self, id: &EventTypeId) -> Result<TypeRow> {
        self.row_in(&self.store().read(), id).await
    }

    pub(super) async fn row_in(&self, db: &impl Read, id: &EventTypeId) -> Result<TypeRow> {
        let found = types::find(db, &id.provider.to_string(), id.name.as_str()).await?;
        found.ok_or_else(no_type)
    }

    pub(super) async fn open_row(&self, id: &EventTypeId) -> Result<TypeRow> {
        self.row(id).await.and_then(open)
    }

    /// A schema, made ready once in this process.
    pub(super) async fn schema(&self, of: TypeId, version: i64) -> Result<Arc<Schema>> {
        if let Some(schema) = self.known_schema(of, version) {
            return Ok(schema);
        }
        let document = types::schema(&self.store().read(), of, version).await?;
        let document = document.ok_or_else(|| Error::internal("an event type without its schema"))?;
        let schema = Arc::new(Schema::read(serde_json::from_str(&document)?).map_err(Error::internal)?);
        let mut known = self.0.schemas.write().unwrap_or_else(PoisonError::into_inner);
        // Only the newest version of a type is asked for.
        known.retain(|(id, known), _| *id != of || *known > version);
        known.insert((of, version), Arc::clone(&schema));
        Ok(schema)
    }

    fn known_schema(&self, of: TypeId, version: i64) -> Option<Arc<Schema>> {
        let known = self.0.schemas.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&(of, version)).cloned()
    }
}

/// A closed type is gone for whoever would publish or subscribe.
pub(super) fn open(row: TypeRow) -> Result<TypeRow> {
    if row.closed_at.is_none() {
        return Ok(row);
    }
    Err(Error::refused(
        Kind::NotFound,
        "event-type-closed",
        "Loại sự kiện này đã đóng: không công bố hay đăng ký thêm được nữa.",
        "This event type is closed: nothing more is published under it, and nobody can subscribe.",
    ))
}

fn no_event() -> Error {
    Error::not_found("sự kiện này", "event")
}

fn without_data(event: Event) -> Event {
    Event { data: None, ..event }
}

pub(super) async fn by_id(events: &Events, of: TypeId) -> Result<TypeRow> {
    types::by_id(&events.store().read(), of).await?.ok_or_else(no_type)
}
