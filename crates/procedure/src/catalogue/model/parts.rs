//! The parts of a published procedure.

use base::Text;
use serde::{Deserialize, Serialize};

use super::{Bilingual, Fee, Method, TimeLimit, is_blank};

/// A field of administration (lĩnh vực): `G15-TP07` Hộ tịch. The national list gives names without codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Field {
    /// Code by TT 01/2018/TT-VPCP art. 20; empty when the source gives none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Name as published.
    #[schema(value_type = Bilingual)]
    pub name: Text,
}

/// One way to file, with its own time limits and fees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Channel {
    /// The way.
    pub method: Method,
    /// Its time limit.
    #[serde(default)]
    pub time: TimeLimit,
    /// Its fees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Fee>,
    /// A further remark.
    #[serde(default, skip_serializing_if = "is_blank")]
    #[schema(value_type = Bilingual)]
    pub note: Text,
}

/// One case of a procedure (trường hợp), with its own time limit: `1.001193.01`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Case {
    /// Code of the case.
    pub code: String,
    /// What distinguishes it, where the source says.
    #[serde(default, skip_serializing_if = "is_blank")]
    #[schema(value_type = Bilingual)]
    pub name: Text,
    /// Its time limit.
    #[serde(default)]
    pub time: TimeLimit,
}

/// One part of how it is done (trình tự thực hiện), as published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// Heading; often blank.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The text.
    pub text: String,
}

/// What is done with a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Handling {
    /// Handed in (phải nộp).
    Submit,
    /// Shown and given back (phải xuất trình).
    Show,
    /// Not a paper at all: the source put a remark into its list of papers (lưu ý).
    Remark,
    /// The source does not say.
    #[default]
    Unstated,
}

/// A component of the dossier (thành phần hồ sơ) as published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Paper {
    /// Name as published.
    pub name: String,
    /// Component code: `000.00.00.G15-KQ004389`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Originals asked for.
    #[serde(default)]
    pub originals: u32,
    /// Copies asked for.
    #[serde(default)]
    pub copies: u32,
    /// Handed in or shown.
    #[serde(default)]
    pub handling: Handling,
}

/// Papers that belong together: the papers of one case, or those to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PaperGroup {
    /// Heading; may be blank.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The papers.
    pub papers: Vec<Paper>,
}

/// A legal document that the procedure rests on (căn cứ pháp lý).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Legal {
    /// Number and notation: `123/2015/NĐ-CP`.
    pub number: String,
    /// Its title, where the source gives one.
    #[serde(default, skip_serializing_if = "is_blank")]
    #[schema(value_type = Bilingual)]
    pub title: Text,
}
