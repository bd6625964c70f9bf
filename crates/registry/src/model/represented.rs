//! Of which enterprises records are, and who knows who represents them.

use serde::{Deserialize, Serialize};

use super::{Field, FieldPath, Identifier, Name, RegistryCode, folder::FILE, rule::known};
use crate::check::Sink;

/// Records are of enterprises; another registry knows who represents one (`[represented]`). What is named of that registry is not judged
/// here: it may be kept at another node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Represented {
    /// The field with the code of the enterprise.
    pub field: FieldPath,
    /// The registry of enterprises. Their codes are its keys.
    pub registry: RegistryCode,
    /// Its service that lists enterprises by who represents them.
    pub service: Name,
    /// Its filter: personal numbers of those who represent an enterprise.
    pub by: FieldPath,
    /// Its field with the name of an enterprise.
    pub named: FieldPath,
    /// Which enterprises exist. Of others nobody is a representative any more.
    pub exists: Existence,
}

/// What the registry of enterprises says of those that exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Existence {
    /// Its field.
    pub field: FieldPath,
    /// The values of those that exist; whatever else it says, the enterprise does not.
    pub values: Vec<String>,
}

impl Represented {
    /// Judges what it says of the fields of its own registry.
    pub(super) fn judge(&self, code: &RegistryCode, fields: &[Field], sink: &mut Sink) {
        let field = known(&self.field, fields, FILE, "represented.field".to_owned(), sink);
        if field.is_some_and(|field| field.term.identifier != Some(Identifier::TaxCode)) {
            sink.error(
                FILE,
                "represented.field",
                "represented-not-an-enterprise",
                format!("Trường “{}” phải là mã số doanh nghiệp.", self.field),
                format!("The field “{}” has to be the code of an enterprise.", self.field),
            );
        }
        if self.registry == *code {
            sink.error(
                FILE,
                "represented.registry",
                "represented-by-itself",
                "Người đại diện phải do một cơ sở dữ liệu khác ghi nhận; người mà bản ghi nêu tên thì khai ở subjects.",
                "Another registry has to know who represents an enterprise; those whom the record names stand in subjects.",
            );
        }
        if self.exists.values.is_empty() {
            super::folder::nothing(sink, "represented.exists.values".to_owned());
        }
    }
}
