//! Addresses in free text to the units of today, across the merger of 1 July 2025.
//!
//! ```
//! # use cleansing::address::{Certainty, Gazetteer};
//! # let read = |f: &str| std::fs::read_to_string(format!("{}/../../data/units/{f}.csv", env!("CARGO_MANIFEST_DIR"))).unwrap();
//! let gazetteer = Gazetteer::from_csv(
//!     [&read("provinces"), &read("districts-2024"), &read("communes")],
//!     &read("changes-2025"),
//! )?;
//! let found = gazetteer.locate("Số 5, P. Trúc Bạch, Q. Ba Đình, TP Hà Nội", None);
//! assert_eq!(found.certainty, Certainty::Certain);
//! assert_eq!(found.choices[0].unit.title(), "phường Ba Đình");
//! assert_eq!(found.rest, "Số 5");
//! # Ok::<(), base::Error>(())
//! ```
//!
//! Units are looked up by names without marks, with or without the word for their kind, in both lists: three levels until 30
//! June 2025, two since. Every reading that fits is weighed; readings of nearly equal weight are all kept. A divided commune
//! gives all its successors: which part an address lies in is for a person to say.

mod gazetteer;
mod locate;
mod reading;
mod spelling;
#[cfg(test)]
mod tests;
mod tokens;

use base::Text;

pub use gazetteer::{ChangeRow, Gazetteer, Level, Unit, UnitRow};

/// What an address was found to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'g> {
    /// The communes of today that it may lie in, the likeliest first; one alone where there is no doubt. Empty where the text
    /// names no commune that is known.
    pub choices: Vec<Choice<'g>>,
    /// How far the first choice may be relied on.
    pub certainty: Certainty,
    /// Why it is not certain.
    pub reasons: Vec<Reason>,
    /// The smallest unit above the commune that was recognised, as it was written: a district of the old list, or a province.
    pub within: Option<&'g Unit>,
    /// What stands before the names of units: number, street, hamlet.
    pub rest: String,
}

/// One commune that an address may lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'g> {
    /// The commune of today.
    pub unit: &'g Unit,
    /// The unit as written, where it is one of the old list.
    pub written: Option<&'g Unit>,
    /// Whether the map of the merger names it as the one to propose.
    pub is_default: bool,
    /// Whether the map of the merger is doubtful here.
    pub doubtful: bool,
}

/// How far a located address may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// No commune was found.
    Unknown,
    /// Several communes are possible, or one that contradicts the rest of the address; a person chooses.
    Choose,
    /// One commune, but a level is missing or a name misspelt.
    Likely,
    /// One commune, named with all that is above it.
    Certain,
}

impl Certainty {
    /// The word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Choose => "choose",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// Why a located address is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The commune was divided on 1 July 2025.
    Split,
    /// Several communes bear the name, and what is above does not tell them apart.
    SameName,
    /// The name stands in the list before and in the one after 1 July 2025 for different communes, and nothing says which.
    OldOrNew,
    /// No province is named.
    NoProvince,
    /// No district is named for a commune of the old list.
    NoDistrict,
    /// No word says whether the name is that of a commune or of the district called the same.
    NoKind,
    /// A name was matched with a spelling mistake.
    Misspelt,
    /// A name differs in its marks from the one of the list.
    OtherMarks,
    /// A unit above is named that the commune does not lie in.
    Contradiction,
    /// The map of the merger is doubtful for this commune.
    DoubtfulMap,
    /// The text names no commune.
    NoCommune,
}

impl Reason {
    /// The stable name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Split => "commune-split",
            Self::SameName => "same-name",
            Self::OldOrNew => "old-or-new",
            Self::NoProvince => "no-province",
            Self::NoDistrict => "no-district",
            Self::NoKind => "no-kind",
            Self::Misspelt => "misspelt-unit",
            Self::OtherMarks => "other-marks",
            Self::Contradiction => "contradiction",
            Self::DoubtfulMap => "doubtful-map",
            Self::NoCommune => "no-commune",
        }
    }

    /// The sentence.
    pub fn text(self) -> Text {
        match self {
            Self::Split => Text::new(
                "Xã, phường này đã chia cho nhiều đơn vị mới từ 01/7/2025. Chọn đơn vị theo địa điểm cụ thể.",
                "This commune was divided among several on 1 July 2025. Choose by the exact place.",
            ),
            Self::SameName => Text::new(
                "Có nhiều xã, phường cùng tên. Bổ sung huyện hoặc tỉnh.",
                "Several communes bear this name. Add the district or the province.",
            ),
            Self::OldOrNew => Text::new(
                "Tên này có cả trong danh mục trước và sau 01/7/2025 cho các đơn vị khác nhau. Xác định thời điểm ghi địa chỉ.",
                "The name is in the lists before and after 1 July 2025 for different communes. Find out when the address was written.",
            ),
            Self::NoProvince => Text::new("Địa chỉ không ghi tỉnh, thành phố.", "The address names no province."),
            Self::NoDistrict => Text::new(
                "Địa chỉ ghi xã, phường trước 01/7/2025 nhưng không ghi huyện.",
                "The commune is one of before 1 July 2025, and no district is named.",
            ),
            Self::NoKind => Text::new(
                "Không ghi rõ là xã, phường hay huyện, quận cùng tên.",
                "It is not said whether this is the commune or the district of the same name.",
            ),
            Self::Misspelt => Text::new(
                "Tên đơn vị có vẻ viết sai chính tả.",
                "The name of a unit seems misspelt.",
            ),
            Self::OtherMarks => Text::new(
                "Tên đơn vị khác dấu so với danh mục.",
                "The name of a unit has other marks than in the list.",
            ),
            Self::Contradiction => Text::new(
                "Xã, phường không thuộc huyện hoặc tỉnh ghi trong địa chỉ.",
                "The commune does not lie in the district or province that is named.",
            ),
            Self::DoubtfulMap => Text::new(
                "Bảng chuyển đổi đơn vị chưa chắc chắn ở xã, phường này.",
                "The map between old and new units is doubtful here.",
            ),
            Self::NoCommune => Text::new(
                "Địa chỉ không ghi xã, phường nào có trong danh mục.",
                "The address names no commune of the lists.",
            ),
        }
    }
}
