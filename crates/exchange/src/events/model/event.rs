//! An event before and after it is published.

use base::{Error, Problems, Result, Timestamp};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::{EventId, Position, Schema};

/// The most that the data of one event may be, in bytes of JSON.
pub const LARGEST_DATA: usize = 64 * 1024;
/// The longest key and the longest producer's id, in bytes.
pub const LONGEST_KEY: usize = 200;

/// What a producer gives.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The producer's own id of it: publishing again under the same id publishes nothing. Without one, each try is another event.
    pub producer_id: Option<String>,
    /// What it is about, such as a dossier or a person: events of one key are in the order in which they happened to it.
    /// A subscription may ask for some keys only.
    pub key: Option<String>,
    /// What happened, as the schema of the type has it.
    pub data: Value,
}

/// An event that was checked: what will be kept of it.
#[derive(Debug, Clone)]
pub(in crate::events) struct Ready {
    pub id: EventId,
    pub producer_id: String,
    pub key: Option<String>,
    pub version: i64,
    pub data: String,
    pub now: Timestamp,
}

impl NewEvent {
    /// Makes it ready to be kept: what was judged by the schema is what readers get, byte for byte.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    /// The event under the key that stands in a field of its data. What the data lack the schema says.
    pub(in crate::events) fn keyed_by(self, field: &str) -> Result<Self> {
        let key = match self.data.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Ok(self),
        };
        if self.key.as_ref().is_some_and(|said| *said != key) {
            let mut problems = Problems::new();
            problems.add(
                "event-key-differs",
                "key",
                format!("Khóa của loại sự kiện này là trường {field} của dữ liệu; bỏ key hoặc ghi đúng giá trị đó."),
                format!(
                    "The key of this event type is the field {field} of its data; leave key out, or give that value."
                ),
            );
            return Err(Error::Refused(base::Kind::Invalid, problems));
        }
        Ok(Self { key: Some(key), ..self })
    }

    pub(in crate::events) fn ready(self, schema: &Schema, version: i64, now: Timestamp) -> Result<Ready> {
        let mut problems = Problems::new();
        for (at, text) in [("producerId", &self.producer_id), ("key", &self.key)] {
            let Some(text) = text else { continue };
            if text.is_empty() || text.len() > LONGEST_KEY || text.chars().any(char::is_control) {
                problems.add(
                    "event-key",
                    at,
                    format!("{at} có từ 1 đến {LONGEST_KEY} byte và không có ký tự điều khiển."),
                    format!("{at} has 1 to {LONGEST_KEY} bytes and no control characters."),
                );
            }
        }
        let data = self.data.to_string();
        if data.len() > LARGEST_DATA {
            problems.add(
                "event-too-large",
                "event",
                "Dữ liệu của một sự kiện tối đa 64 KiB. Chỉ nêu mã định danh; bên nhận lấy phần còn lại bằng dịch vụ.",
                "The data of one event are at most 64 KiB. Name ids only; readers fetch the rest by a service.",
            );
        } else {
            problems.extend(schema.check(&self.data));
        }
        problems.into_result()?;
        let id = EventId::new(now);
        Ok(Ready {
            id,
            producer_id: self.producer_id.unwrap_or_else(|| id.to_string()),
            key: self.key,
            version,
            data,
            now,
        })
    }
}

impl Ready {
    /// Tells whether a second event under the same producer's id is the same one.
    pub fn fingerprint(&self) -> Vec<u8> {
        let key = self.key.as_deref().unwrap_or_default();
        let hash = Sha256::new().chain_update(key.len().to_be_bytes());
        hash.chain_update(key).chain_update(&self.data).finalize().to_vec()
    }
}

/// The answer to publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The event.
    pub id: EventId,
    /// Its place.
    pub position: Position,
    /// Whether it had been published before, under the same producer's id.
    pub again: bool,
}

/// An event as it is kept.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which.
    pub id: EventId,
    /// Its place.
    pub position: Position,
    /// The producer's own id of it; the event's id where the producer gave none.
    pub producer_id: String,
    /// What it is about.
    pub key: Option<String>,
    /// The version of the schema that its data have.
    pub version: i64,
    /// When it was published. Never decreases from one position to the next.
    pub at: Timestamp,
    /// What happened; none once it was withdrawn.
    pub data: Option<Box<RawValue>>,
}

impl Event {
    /// Reads the data.
    ///
    /// # Errors
    /// They have another shape.
    pub fn data<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>> {
        self.data
            .as_ref()
            .map(|data| serde_json::from_str(data.get()).map_err(base::Error::from))
            .transpose()
    }
}
