//! Administrative units (đơn vị hành chính) and the dated map between them.
//!
//! Until 30 June 2025: 63 provinces, 696 districts, 10,035 communes. From 1 July 2025: 34 provinces and 3,321 communes
//! (Resolution 202/2025/QH15; codes by QĐ 19/2025/QĐ-TTg), no districts. Seven province codes went over to another
//! name on that day, so a code means nothing without a date: the key is code and first day.

mod read;

pub(super) use read::read;

use std::{fmt, str::FromStr, sync::OnceLock};

use base::Lang;
use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

use super::search::Index;

/// The code of a unit: two digits for a province, three for a district, five for a commune.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// The number of digits times 100,000, plus the value: one word to compare, and codes sort by level first.
pub struct UnitCode(u32);

impl UnitCode {
    /// The level that the length of the code tells.
    pub const fn level(self) -> Level {
        match self.0 / 100_000 {
            2 => Level::Province,
            3 => Level::District,
            _ => Level::Commune,
        }
    }
}

/// A text that is not a unit's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a unit's code has two, three or five digits")]
pub struct NotAUnitCode;

impl FromStr for UnitCode {
    type Err = NotAUnitCode;
    fn from_str(text: &str) -> Result<Self, NotAUnitCode> {
        let digits = match text.len() {
            2 => 2,
            3 => 3,
            5 => 5,
            _ => return Err(NotAUnitCode),
        };
        let value = text.bytes().try_fold(0_u32, |sum, b| {
            if b.is_ascii_digit() {
                Ok(sum * 10 + u32::from(b - b'0'))
            } else {
                Err(NotAUnitCode)
            }
        })?;
        Ok(Self(digits * 100_000 + value))
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.0 % 100_000, width = (self.0 / 100_000) as usize)
    }
}

impl Serialize for UnitCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnitCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The level of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Province or centrally run city (cấp tỉnh).
    Province,
    /// District (cấp huyện), abolished on 1 July 2025.
    District,
    /// Commune, ward, special zone or township (cấp xã).
    Commune,
}

/// The kind of a unit, as its name begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UnitKind {
    /// Tỉnh.
    #[serde(rename = "tỉnh")]
    Province,
    /// Thành phố: a centrally run city, or a city within a province.
    #[serde(rename = "thành phố")]
    City,
    /// Quận.
    #[serde(rename = "quận")]
    UrbanDistrict,
    /// Huyện.
    #[serde(rename = "huyện")]
    RuralDistrict,
    /// Thị xã.
    #[serde(rename = "thị xã")]
    Town,
    /// Xã.
    #[serde(rename = "xã")]
    Commune,
    /// Phường.
    #[serde(rename = "phường")]
    Ward,
    /// Đặc khu.
    #[serde(rename = "đặc khu")]
    SpecialZone,
    /// Thị trấn, abolished on 1 July 2025.
    #[serde(rename = "thị trấn")]
    Township,
}

impl UnitKind {
    /// The word, in Vietnamese in lower case.
    pub const fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Province => lang.t("tỉnh", "Province"),
            Self::City => lang.t("thành phố", "City"),
            Self::UrbanDistrict => lang.t("quận", "Urban District"),
            Self::RuralDistrict => lang.t("huyện", "Rural District"),
            Self::Town => lang.t("thị xã", "Town"),
            Self::Commune => lang.t("xã", "Commune"),
            Self::Ward => lang.t("phường", "Ward"),
            Self::SpecialZone => lang.t("đặc khu", "Special Zone"),
            Self::Township => lang.t("thị trấn", "Township"),
        }
    }
}

/// One unit during one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// The code; with `valid_from` it is the key.
    pub code: UnitCode,
    /// First day. Units of the list before 1 July 2025 are dated from the state that the source holds, 1 January 2025.
    pub valid_from: Date,
    /// Last day; none while in force.
    pub valid_to: Option<Date>,
    /// Commune, ward, province and so on.
    pub kind: UnitKind,
    /// The name without the kind: `Hoa Lư`.
    pub name: Box<str>,
    /// The name that English texts use, for provinces.
    pub name_en: Option<Box<str>>,
    /// The province of a district or commune.
    pub province: Option<UnitCode>,
    /// The district of a commune before 1 July 2025.
    pub district: Option<UnitCode>,
}

impl Unit {
    /// Whether the unit is in force on `date`.
    pub fn holds_on(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|last| date <= last)
    }

    /// The full name: `phường Hoa Lư` (as it stands within a sentence), `Hoa Lư Ward`.
    pub fn title(&self, lang: Lang) -> String {
        let kind = self.kind.label(lang);
        match lang {
            Lang::Vi => format!("{kind} {}", self.name),
            Lang::En => {
                let name = self.name_en.as_deref().unwrap_or(&self.name);
                if name.ends_with(kind) {
                    name.to_owned()
                } else if name.bytes().all(|b| b.is_ascii_digit()) {
                    format!("{kind} {name}")
                } else {
                    format!("{name} {kind}")
                }
            }
        }
    }
}

/// How a unit went over into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Joined with others into the new unit.
    Merged,
    /// Alone in the new unit, under another name or kind.
    Renamed,
    /// The same unit, listed anew.
    Unchanged,
    /// Divided among several new units.
    Split,
}

/// What a unit has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Successors<'a> {
    /// One unit; the unit itself where it is still in force.
    One(&'a Unit),
    /// Several, of which each took a part: a person must choose. The first took the largest or central part.
    Split(Vec<Part<'a>>),
}

/// One of the units that a divided unit went over into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The unit.
    pub unit: &'a Unit,
    /// Whether the source names it as the one to propose.
    pub is_default: bool,
    /// Whether the source is doubtful here: the new unit lies more than 25 km away, which points to a confusion of names.
    pub doubtful: bool,
}

#[derive(Debug)]
struct Change {
    old: UnitCode,
    old_from: Date,
    new: UnitCode,
    new_from: Date,
    effective: Date,
    relation: Relation,
    is_default: bool,
    doubtful: bool,
}

/// All units and the map between them; empty by default.
#[derive(Debug, Default)]
pub struct Units {
    /// By code and first day.
    rows: Vec<Unit>,
    /// The first day of which the data speak.
    begins: Date,
    /// By old unit, the default successor first.
    changes: Vec<Change>,
    /// Positions in `changes`, by new unit; made when predecessors are first asked for.
    backward: OnceLock<Vec<u32>>,
    index: OnceLock<Index>,
}

impl Units {
    /// The unit that bears `code` on `date`. Nothing for a text that is no code, for an unknown code, and for a date
    /// before the data begin (see [`Units::resolve_nearest`]).
    pub fn resolve(&self, code: &str, date: Date) -> Option<&Unit> {
        self.versions(code.parse().ok()?).iter().find(|u| u.holds_on(date))
    }

    /// As [`Units::resolve`]; for a date before the data begin, the first unit that bore the code. Use it for old papers,
    /// where a name that is slightly out of its time serves better than none.
    pub fn resolve_nearest(&self, code: &str, date: Date) -> Option<&Unit> {
        let versions = self.versions(code.parse().ok()?);
        versions
            .iter()
            .find(|u| u.holds_on(date))
            .or_else(|| versions.first().filter(|u| date < u.valid_from))
    }

    /// As [`Units::resolve`]; a date before the data begin is taken as the first of which they speak. A code that was new later
    /// was of no unit then.
    pub fn resolve_from_beginning(&self, code: &str, date: Date) -> Option<&Unit> {
        self.resolve(code, date.max(self.begins))
    }

    /// All units that bore `code`, the oldest first.
    pub fn versions(&self, code: UnitCode) -> &[Unit] {
        let start = self.rows.partition_point(|u| u.code < code);
        let after = &self.rows[start..];
        let count = after.iter().position(|u| u.code != code).unwrap_or(after.len());
        &after[..count]
    }

    /// What `unit` has become by `date`. Nothing for a district that was abolished: its communes went over one by one.
    pub fn successors<'a>(&'a self, unit: &'a Unit, date: Date) -> Option<Successors<'a>> {
        let mut parts = Vec::new();
        self.follow(
            Part {
                unit,
                is_default: true,
                doubtful: false,
            },
            date,
            &mut parts,
        );
        // The chosen part of a chosen part stays the one to propose.
        parts.sort_by_key(|p| !p.is_default);
        match parts.as_slice() {
            [] => None,
            [only] => Some(Successors::One(only.unit)),
            _ => Some(Successors::Split(parts)),
        }
    }

    /// What the unit that bore `code` on the day `written` has become by `date`: reads an address on an old paper.
    pub fn convert(&self, code: &str, written: Date, date: Date) -> Option<Successors<'_>> {
        self.successors(self.resolve_nearest(code, written)?, date)
    }

    fn follow<'a>(&'a self, part: Part<'a>, date: Date, found: &mut Vec<Part<'a>>) {
        if part.unit.valid_to.is_none_or(|last| date <= last) {
            if !found.iter().any(|p| p.unit == part.unit) {
                found.push(part);
            }
            return;
        }
        let key = (part.unit.code, part.unit.valid_from);
        let start = self.changes.partition_point(|c| (c.old, c.old_from) < key);
        for change in self.changes[start..]
            .iter()
            .take_while(|c| (c.old, c.old_from) == key && c.effective <= date)
        {
            if let Some(unit) = self.row(change.new, change.new_from) {
                let is_default = part.is_default && change.is_default;
                self.follow(
                    Part {
                        unit,
                        is_default,
                        doubtful: part.doubtful || change.doubtful,
                    },
                    date,
                    found,
                );
            }
        }
    }

    /// The units that went over into `unit`, wholly or in part, with how they did.
    pub fn predecessors<'a>(&'a self, unit: &Unit) -> impl Iterator<Item = (&'a Unit, Relation)> {
        let key = (unit.code, unit.valid_from);
        let at = |n: u32| &self.changes[n as usize];
        let backward = self.backward.get_or_init(|| {
            let mut all: Vec<u32> = (0..).take(self.changes.len()).collect();
            all.sort_by_key(|n| (at(*n).new, at(*n).new_from, at(*n).old));
            all
        });
        let start = backward.partition_point(|n| (at(*n).new, at(*n).new_from) < key);
        backward[start..]
            .iter()
            .map(move |n| at(*n))
            .take_while(move |c| (c.new, c.new_from) == key)
            .filter_map(|c| Some((self.row(c.old, c.old_from)?, c.relation)))
    }

    /// Every step of the map: the code of a unit that went, and what it went over into.
    pub fn changes(&self) -> impl Iterator<Item = (UnitCode, Part<'_>)> {
        self.changes.iter().filter_map(|change| {
            let part = Part {
                unit: self.row(change.new, change.new_from)?,
                is_default: change.is_default,
                doubtful: change.doubtful,
            };
            Some((change.old, part))
        })
    }

    /// The provinces on `date`, in alphabetical order.
    pub fn provinces(&self, date: Date) -> Vec<&Unit> {
        self.list(|u| u.code.level() == Level::Province && u.holds_on(date))
    }

    /// The communes of a province on `date`, in alphabetical order.
    pub fn communes(&self, province: UnitCode, date: Date) -> Vec<&Unit> {
        self.list(|u| u.code.level() == Level::Commune && u.province == Some(province) && u.holds_on(date))
    }

    /// The districts of a province on `date`, in alphabetical order; none from 1 July 2025.
    pub fn districts(&self, province: UnitCode, date: Date) -> Vec<&Unit> {
        self.list(|u| u.code.level() == Level::District && u.province == Some(province) && u.holds_on(date))
    }

    /// The full address of a unit: `phường Hoa Lư, tỉnh Ninh Bình`; districts are named where there were any.
    pub fn address(&self, unit: &Unit, lang: Lang) -> String {
        let mut parts = vec![unit.title(lang)];
        for above in [unit.district, unit.province].into_iter().flatten() {
            if let Some(above) = self.versions(above).iter().find(|u| u.holds_on(unit.valid_from)) {
                parts.push(above.title(lang));
            }
        }
        parts.join(", ")
    }

    /// All units, past ones included, by code and first day.
    pub fn iter(&self) -> std::slice::Iter<'_, Unit> {
        self.rows.iter()
    }

    /// Whether any unit bears or bore `code`.
    pub fn knows(&self, code: UnitCode) -> bool {
        !self.versions(code).is_empty()
    }

    /// The search keys, made at the first search.
    pub(super) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&self.rows))
    }

    fn list(&self, wanted: impl Fn(&Unit) -> bool) -> Vec<&Unit> {
        let mut found: Vec<(usize, &Unit)> = self.rows.iter().enumerate().filter(|(_, u)| wanted(u)).collect();
        let index = self.index();
        found.sort_by(|a, b| (index.name(a.0), &a.1.name).cmp(&(index.name(b.0), &b.1.name)));
        found.into_iter().map(|(_, unit)| unit).collect()
    }

    fn row(&self, code: UnitCode, from: Date) -> Option<&Unit> {
        let n = self
            .rows
            .binary_search_by(|u| (u.code, u.valid_from).cmp(&(code, from)))
            .ok()?;
        self.rows.get(n)
    }
}

impl<'a> IntoIterator for &'a Units {
    type Item = &'a Unit;
    type IntoIter = std::slice::Iter<'a, Unit>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
