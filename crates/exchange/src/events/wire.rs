//! Events as JSON, the same for who gives them and who takes them: the members of GovStack's `EventItem`, and ours behind.

use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::model::{Cursor, Event, EventId, EventTypeId, Position};
use crate::model::identifier::{MemberId, Part, SubsystemId};

/// A subsystem as GovStack writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Application {
    pub instance_id: Part,
    pub member_class: Part,
    pub member_code: Part,
    pub application_code: Part,
}

impl From<&SubsystemId> for Application {
    fn from(id: &SubsystemId) -> Self {
        Self {
            instance_id: id.member.instance.clone(),
            member_class: id.member.class.clone(),
            member_code: id.member.code.clone(),
            application_code: id.code.clone(),
        }
    }
}

impl From<&Application> for SubsystemId {
    fn from(of: &Application) -> Self {
        Self {
            member: MemberId {
                instance: of.instance_id.clone(),
                class: of.member_class.clone(),
                code: of.member_code.clone(),
            },
            code: of.application_code.clone(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub id: EventId,
    pub sequence: Position,
    pub publisher_id: Application,
    pub event_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<RawValue>>,
    pub producer_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub schema_version: i64,
    pub time: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

impl Item {
    /// An event; one without data was withdrawn.
    pub fn of(event: Event, of: &EventTypeId) -> Self {
        Self {
            id: event.id,
            sequence: event.position,
            publisher_id: (&of.provider).into(),
            event_type: of.name.to_string(),
            withdrawn: event.data.is_none(),
            event: event.data,
            producer_id: event.producer_id,
            key: event.key,
            schema_version: event.version,
            time: event.at.rfc3339(),
        }
    }

    /// Whether it says of itself that it is of this type.
    pub fn is_of(&self, of: &EventTypeId) -> bool {
        SubsystemId::from(&self.publisher_id) == of.provider && self.event_type == of.name.to_string()
    }

    /// The event, if its time can be read.
    pub fn read(self) -> Option<Event> {
        Some(Event {
            at: Timestamp::parse_rfc3339(&self.time)?,
            id: self.id,
            position: self.sequence,
            producer_id: self.producer_id,
            key: self.key,
            version: self.schema_version,
            data: self.event,
        })
    }
}

/// The answer to a reader with a cursor.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Items {
    pub events: Vec<Item>,
    pub cursor: Cursor,
    pub more: bool,
}

/// The answer to a reader whose cursor is too old.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Gone {
    pub code: String,
    pub vi: String,
    pub en: String,
    pub oldest: Cursor,
}
