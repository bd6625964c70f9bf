//! A question as the address of a page has it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::catalogue::{
    model::{Audience, Level},
    search::Query,
};

/// The question as the address has it. Values that mean nothing are left out, as a hand-written address deserves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Words.
    pub q: String,
    /// Audience.
    pub audience: String,
    /// Tier.
    pub level: String,
    /// Field.
    pub field: String,
    /// Agency.
    pub agency: String,
    /// `1`: only what can be filed here.
    pub online: String,
    /// Where the page begins: `next` of the page before.
    pub cursor: String,
    /// `1`: list everything.
    pub all: String,
}

impl Asked {
    /// Bad cursors are for the index to refuse.
    pub(super) fn query(&self, life_event: Option<&str>) -> Query {
        let some = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
        Query {
            text: self.q.clone(),
            life_event: life_event.map(str::to_owned),
            audience: Audience::from_id(&self.audience),
            field: some(&self.field),
            agency: some(&self.agency),
            level: Level::from_id(&self.level),
            online: self.online == "1",
            limit: 20,
            after: some(&self.cursor),
        }
    }

    /// Whether nothing at all was asked.
    pub(super) fn is_front(&self) -> bool {
        self.q.trim().is_empty() && !self.is_narrowed() && self.cursor.is_empty() && self.all != "1"
    }

    fn is_narrowed(&self) -> bool {
        [&self.audience, &self.level, &self.field, &self.agency, &self.online]
            .iter()
            .any(|v| !v.is_empty())
    }

    /// The address of this question with other values for some of its parts.
    pub(super) fn address(&self, path: &str, change: impl FnOnce(&mut Self)) -> String {
        let mut asked = self.clone();
        change(&mut asked);
        let mut out = path.to_owned();
        let mut mark = '?';
        for (name, value) in [
            ("q", &asked.q),
            ("audience", &asked.audience),
            ("level", &asked.level),
            ("field", &asked.field),
            ("agency", &asked.agency),
            ("online", &asked.online),
            ("all", &asked.all),
            ("cursor", &asked.cursor),
        ] {
            if !value.is_empty() {
                let _ = write!(out, "{mark}{name}={}", encoded(value));
                mark = '&';
            }
        }
        out
    }
}

/// Percent-encodes a value of an address.
pub(super) fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for b in value.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}
