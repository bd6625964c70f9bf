//! Looking into a JSON body one level at a time, without changing a byte of what is kept: numbers stay as they were
//! written, and a deeply nested body costs no stack.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::reason::reasons;

reasons! {
    /// Why a body cannot be looked into.
    pub enum JsonFlaw {
        NotJson = "body-not-json",
            "Nội dung không phải là JSON hợp lệ.",
            "The body is not valid JSON.";
        DuplicateMember = "body-duplicate-member",
            "Nội dung JSON có một trường xuất hiện hai lần trong cùng một đối tượng, nên không rõ giá trị nào có hiệu lực.",
            "An object in the JSON body has the same member twice, so it is not clear which one counts.";
    }
}

/// A value with its parts unread.
pub(crate) enum Opened<'a> {
    Object(Vec<(String, &'a RawValue)>),
    Array(Vec<&'a RawValue>),
    Scalar,
}

/// Reads a body as one value.
pub(crate) fn read(body: &[u8]) -> Result<&RawValue, JsonFlaw> {
    serde_json::from_slice(body).map_err(|_| JsonFlaw::NotJson)
}

/// Opens one level.
pub(crate) fn open(raw: &RawValue) -> Result<Opened<'_>, JsonFlaw> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(text).map_err(|_| JsonFlaw::NotJson)?;
            let mut names: Vec<_> = members.iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(JsonFlaw::DuplicateMember);
            }
            Ok(Opened::Object(members))
        }
        Some(b'[') => serde_json::from_str(text)
            .map(Opened::Array)
            .map_err(|_| JsonFlaw::NotJson),
        _ => Ok(Opened::Scalar),
    }
}

/// The members of an object in their order, repeated ones too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
