//! form.toml as it is written: its keys, before anything is judged.

use base::Text;
use papers::Format;
use serde::Deserialize;
use toml::Spanned;

use super::super::{PaperKind, Retention, Sensitivity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForm {
    pub(super) page: Vec<RawPage>,
    #[serde(default)]
    pub(super) paper: Vec<RawPaper>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPage {
    pub(super) id: Spanned<String>,
    pub(super) title: Both,
    pub(super) help: Option<Both>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) subject: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) field: Vec<RawField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    pub(super) id: Spanned<String>,
    pub(super) r#type: Spanned<String>,
    pub(super) label: Both,
    pub(super) hint: Option<Both>,
    pub(super) required: Option<Spanned<Flag>>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) options: Option<Spanned<Vec<RawOption>>>,
    pub(super) min: Option<Spanned<Bound>>,
    pub(super) max: Option<Spanned<Bound>>,
    pub(super) decimals: Option<Spanned<u8>>,
    pub(super) max_length: Option<Spanned<usize>>,
    pub(super) pattern: Option<Spanned<String>>,
    pub(super) pattern_help: Option<Both>,
    pub(super) of: Option<Spanned<String>>,
    pub(super) source: Option<Spanned<String>>,
    pub(super) basis: Option<String>,
    pub(super) sensitivity: Option<Sensitivity>,
    pub(super) retention: Option<Retention>,
    pub(super) exception_basis: Option<String>,
    pub(super) autocomplete: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOption {
    pub(super) value: Spanned<String>,
    pub(super) vi: String,
    pub(super) en: String,
    pub(super) hint: Option<Both>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPaper {
    pub(super) id: Spanned<String>,
    pub(super) code: Option<Spanned<String>>,
    pub(super) name: Both,
    pub(super) hint: Option<Both>,
    pub(super) kind: PaperKind,
    pub(super) required: Option<Spanned<Flag>>,
    pub(super) when: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) originals: u8,
    #[serde(default)]
    pub(super) copies: u8,
    pub(super) accept: Option<Vec<Format>>,
    pub(super) max_mb: Option<u16>,
    pub(super) max_pages: Option<u16>,
    pub(super) basis: Option<String>,
}

/// A text that must be given in both languages; a third key is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Both {
    pub(super) vi: String,
    #[serde(default)]
    pub(super) en: String,
}

impl Both {
    pub(crate) fn text(self) -> Text {
        Text::new(self.vi, self.en)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Flag {
    Is(bool),
    When(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Bound {
    Whole(i64),
    Decimal(f64),
    Text(String),
    Date(toml::value::Datetime),
}
