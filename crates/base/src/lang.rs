//! The two languages of every page, document and refusal. Both texts stand side by side in the code,
//! so a missing translation does not compile.

use serde::{Deserialize, Serialize};

/// The language that the reader chose. Vietnamese is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// Picks the text of this language: `lang.t("Nộp hồ sơ", "Apply")`.
    pub const fn t<'a>(self, vi: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Vi => vi,
            Self::En => en,
        }
    }

    /// The BCP 47 tag, for `<html lang>` and `Content-Language`.
    pub const fn tag(self) -> &'static str {
        self.t("vi", "en")
    }

    /// Reads a BCP 47 tag such as `en-GB`; anything that is not English is Vietnamese.
    pub fn from_tag(tag: &str) -> Self {
        if tag.get(..2).is_some_and(|t| t.eq_ignore_ascii_case("en")) {
            Self::En
        } else {
            Self::Vi
        }
    }
}

/// A text in both languages, as data files give it: `{ vi = "…", en = "…" }`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Text {
    /// Vietnamese.
    pub vi: String,
    /// English. Where a source has none, the Vietnamese text is shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub en: String,
}

impl Text {
    /// Both texts.
    pub fn new(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            vi: vi.into(),
            en: en.into(),
        }
    }

    /// The text in `lang`, or in Vietnamese where there is no other.
    pub fn get(&self, lang: Lang) -> &str {
        if lang == Lang::En && !self.en.is_empty() {
            &self.en
        } else {
            &self.vi
        }
    }
}
