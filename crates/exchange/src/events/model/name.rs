//! What a kind of event is called, and how carefully it is handled.

use std::{fmt, str::FromStr};

use base::{Text, codes::CodeError};
use serde::{Deserialize, Serialize};

use crate::model::identifier::SubsystemId;

const LONGEST: usize = 64;

/// The name of an event type within its subsystem: `birth.registered`, `newBirth`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventName(String);

impl EventName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventName {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if text.len() <= LONGEST
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && !text.ends_with('.')
            && text.bytes().all(known)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(CodeError::new(
            "event-name",
            "Tên loại sự kiện gồm tối đa 64 chữ cái không dấu, chữ số, “.”, “-” hoặc “_”, bắt đầu bằng chữ cái và không kết thúc bằng dấu chấm: birth.registered.",
            "The name of an event type has at most 64 plain letters, digits, “.”, “-” or “_”, begins with a letter and does not end in a dot: birth.registered.",
        ))
    }
}

impl TryFrom<String> for EventName {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> Self {
        name.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event type by its names: who publishes it, and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTypeId {
    /// The subsystem that publishes.
    pub provider: SubsystemId,
    /// The name within it.
    pub name: EventName,
}

impl fmt::Display for EventTypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.name)
    }
}

/// How carefully the data of an event type are handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// Anybody may know.
    Public,
    /// For agencies.
    Internal,
    /// Personal data (dữ liệu cá nhân, Law 91/2025/QH15): a subscription has to name its legal basis.
    Personal,
}

impl Sensitivity {
    /// All, the least careful first.
    pub const ALL: [Self; 3] = [Self::Public, Self::Internal, Self::Personal];

    /// The name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Personal => "personal",
        }
    }

    /// Reads [`Sensitivity::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Public => Text::new("Công khai", "Public"),
            Self::Internal => Text::new("Nội bộ cơ quan nhà nước", "Among agencies"),
            Self::Personal => Text::new("Dữ liệu cá nhân", "Personal data"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["birth.registered", "newBirth", "a", "x-1_y"] {
            assert!(good.parse::<EventName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "1a",
            ".a",
            "a.",
            "a/b",
            "a b",
            "khai-sinh-é",
            "a\n",
            &"a".repeat(65),
        ] {
            assert_eq!(bad.parse::<EventName>().expect_err(bad).code(), "event-name");
        }
    }
}
