//! What is known about a file: its form, its fields, their sorts. Written by a steward as TOML.
//!
//! ```
//! let layout = cleansing::layout::Layout::from_toml(r#"
//!     keys = ["number"]
//!     [[field]]
//!     id = "name"
//!     names = ["Họ và tên", "HO TEN"]
//!     type = "name"
//!     required = true
//!     [[field]]
//!     id = "number"
//!     names = ["Số định danh", "CCCD"]
//!     type = "id-number"
//! "#)?;
//! assert_eq!(layout.fields.len(), 2);
//! # Ok::<(), base::Error>(())
//! ```

use std::collections::BTreeMap;

use base::{Error, Problems, Result, refusal::Kind};
use serde::Deserialize;

use crate::{encoding::Encoding, value::TonePlace};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Text with a delimiter.
    Csv,
    /// Text in columns of fixed width.
    Fixed,
    /// A workbook of Excel 2007 or later.
    Xlsx,
}

/// The sort of value in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Any text.
    Text,
    /// The name of a person.
    Name,
    /// A date.
    Date,
    /// A date of birth: not in the future, and suspect on 1 January.
    Birthday,
    /// A personal number or an old card number.
    IdNumber,
    /// A tax code.
    TaxCode,
    /// A telephone number.
    Phone,
    /// An address of e-mail.
    Email,
    /// Sex.
    Sex,
    /// One of the 54 peoples, by its code.
    Ethnicity,
    /// A nationality, by its code.
    Nationality,
    /// An amount in dong.
    Money,
    /// A number.
    Number,
    /// An address in free text; the good file gets a column `…_unit` with the code of the commune of today.
    Address,
}

impl Sort {
    /// The word for it in a layout.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Name => "name",
            Self::Date => "date",
            Self::Birthday => "birthday",
            Self::IdNumber => "id-number",
            Self::TaxCode => "tax-code",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Sex => "sex",
            Self::Ethnicity => "ethnicity",
            Self::Nationality => "nationality",
            Self::Money => "money",
            Self::Number => "number",
            Self::Address => "address",
        }
    }
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the good file.
    pub id: String,
    /// The headings by which it is known, compared without marks and case. The id is one of them.
    #[serde(default)]
    pub names: Vec<String>,
    /// The sort of value.
    #[serde(rename = "type")]
    pub sort: Sort,
    /// Whether a row without it is bad.
    #[serde(default)]
    pub required: bool,
    /// The encoding of this column, where it is another than that of the file.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// Reasons whose single proposal is taken, with a doubt in the report: `["lost-zero"]`. None by default.
    #[serde(default)]
    pub accept: Vec<String>,
    /// What codes of the file mean; looked up before anything else.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// In a file of fixed width: the first place, from 1. Characters in UTF-8 and UTF-16, bytes in other encodings.
    #[serde(default)]
    pub from: usize,
    /// In a file of fixed width: the number of places.
    #[serde(default)]
    pub width: usize,
}

/// The description of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The form; else it is told from the beginning of the file, and is never `fixed`.
    #[serde(default)]
    pub format: Option<Format>,
    /// The encoding; else it is told from the file.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// The delimiter; else it is told from the file.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// How many rows of headings there are; else they are looked for. With 0 the fields stand in the order of the layout.
    #[serde(default)]
    pub header_rows: Option<u8>,
    /// The sheet of a workbook; else the first.
    #[serde(default)]
    pub sheet: Option<String>,
    /// The fields that no two rows may have in common.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Where tone marks stand in the good file.
    #[serde(default)]
    pub tone: TonePlace,
    /// Whether dates have the month first.
    #[serde(default)]
    pub month_first: bool,
    /// The fields.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// A workbook has no more columns.
pub(crate) const MOST_COLUMNS: usize = 16_384;

impl Layout {
    /// Reads a layout.
    ///
    /// # Errors
    /// `bad-layout` with what the TOML lacks; else all contradictions at once: `duplicate`, `unknown-key`, `no-width`,
    /// `overlap`, `bad-delimiter`.
    pub fn from_toml(text: &str) -> Result<Self> {
        let layout: Self = toml::from_str(text).map_err(|e| {
            let what = e.message();
            Error::refused(
                Kind::Invalid,
                "bad-layout",
                format!("Bản mô tả tệp không đọc được: {what}."),
                format!("The layout cannot be read: {what}."),
            )
        })?;
        layout.checked()
    }

    /// The same, if it does not contradict itself.
    ///
    /// # Errors
    /// All contradictions at once, as in [`Self::from_toml`].
    pub fn checked(self) -> Result<Self> {
        let mut problems = Problems::new();
        self.check(&mut problems);
        problems.into_result().map(|()| self)
    }

    fn check(&self, problems: &mut Problems) {
        if self.fields.is_empty() || self.fields.len() > MOST_COLUMNS {
            problems.add(
                "bad-layout",
                "field",
                format!("Bản mô tả cần từ 1 đến {MOST_COLUMNS} trường."),
                format!("A layout has 1 to {MOST_COLUMNS} fields."),
            );
        }
        for (n, field) in self.fields.iter().enumerate() {
            if self.fields.iter().take(n).any(|f| f.id == field.id) {
                problems.add(
                    "duplicate",
                    &field.id,
                    format!("Trường “{}” khai báo hai lần.", field.id),
                    format!("The field “{}” is declared twice.", field.id),
                );
            }
            if self.format == Some(Format::Fixed) && (field.from == 0 || field.width == 0) {
                problems.add(
                    "no-width",
                    &field.id,
                    "Tệp độ rộng cố định cần from (từ 1) và width cho mỗi trường.",
                    "A file of fixed width needs from (from 1) and width for every field.",
                );
            }
        }
        if self.format == Some(Format::Fixed) {
            let mut places: Vec<&Field> = self.fields.iter().collect();
            places.sort_by_key(|f| f.from);
            for pair in places.windows(2) {
                if let [a, b] = pair
                    && a.from.saturating_add(a.width) > b.from
                {
                    problems.add(
                        "overlap",
                        &b.id,
                        format!("Trường “{}” chồng lên “{}”.", b.id, a.id),
                        format!("The field “{}” overlaps “{}”.", b.id, a.id),
                    );
                }
            }
        }
        for key in &self.keys {
            if !self.fields.iter().any(|f| f.id == *key) {
                problems.add(
                    "unknown-key",
                    key,
                    format!("Khóa “{key}” không phải là một trường."),
                    format!("The key “{key}” is no field."),
                );
            }
        }
        if self
            .delimiter
            .is_some_and(|d| !d.is_ascii() || d.is_ascii_alphanumeric() || matches!(d, '"' | '\n' | '\r' | '\0'))
        {
            problems.add(
                "bad-delimiter",
                "delimiter",
                "Dấu phân cách phải là một ký tự ASCII, không phải chữ, số hay dấu nháy kép.",
                "The delimiter is one ASCII character, no letter, digit or double quote.",
            );
        }
    }

    /// The encodings of the columns that have their own, by field.
    pub(crate) fn field_encodings(&self) -> impl Iterator<Item = (usize, Encoding)> {
        self.fields
            .iter()
            .enumerate()
            .filter_map(|(n, f)| f.encoding.map(|e| (n, e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        let refused = Layout::from_toml(text).expect_err("refused");
        refused
            .problems()
            .into_iter()
            .flatten()
            .map(|p| p.code.clone())
            .collect()
    }

    #[test]
    fn all_contradictions_are_named_at_once() {
        assert_eq!(codes("nonsense"), ["bad-layout"]);
        assert_eq!(codes("field = []"), ["bad-layout"]);
        assert_eq!(codes("[[field]]\nid = 'a'\ntype = 'shoe'"), ["bad-layout"]);
        let text = "
            format = 'fixed'
            delimiter = 'x'
            keys = ['b']
            [[field]]
            id = 'a'
            type = 'text'
            from = 1
            width = 5
            [[field]]
            id = 'a'
            type = 'text'
            from = 3
            width = 5
            [[field]]
            id = 'c'
            type = 'text'
        ";
        assert_eq!(
            codes(text),
            ["duplicate", "no-width", "overlap", "unknown-key", "bad-delimiter"]
        );
    }
}
