//! Values as the JSON API writes them.

use base::Text;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Schema,
        schema::{SchemaFormat, Type},
    },
};

/// A text in both languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Both {
    /// Vietnamese.
    vi: String,
    /// English; where there is none, the Vietnamese.
    en: String,
}

impl Both {
    /// Writes a text of a type that has it as a [`Text`].
    ///
    /// # Errors
    /// The serializer's.
    pub fn write<S: serde::Serializer>(text: &Text, serializer: S) -> Result<S::Ok, S::Error> {
        Self::from(text).serialize(serializer)
    }
}

impl From<&Text> for Both {
    fn from(text: &Text) -> Self {
        Self {
            vi: text.vi.clone(),
            en: text.get(base::Lang::En).to_owned(),
        }
    }
}

impl From<Text> for Both {
    fn from(text: Text) -> Self {
        (&text).into()
    }
}

/// An instant (RFC 3339, with its offset): `2026-11-21T15:04:05+07:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(base::Timestamp);

impl Instant {
    /// Writes an instant of a type that has it as a [`base::Timestamp`].
    pub(crate) fn write<S: serde::Serializer>(at: &base::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }
}

impl From<base::Timestamp> for Instant {
    fn from(at: base::Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("An instant (RFC 3339), with its offset."))
            .into()
    }
}

impl ToSchema for Instant {}
