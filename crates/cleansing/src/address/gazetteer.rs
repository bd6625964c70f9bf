//! The units of both lists and the map between them, ready for looking up.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use base::{Error, Problems, Result};
use jiff::civil::Date;

use super::tokens::{START, Tokens, hash};

/// The level of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Province or city of that rank.
    Province,
    /// District, abolished on 1 July 2025.
    District,
    /// Commune, ward, township, special zone.
    Commune,
}

/// One unit during one time, as the reference data have it.
#[derive(Debug, Clone, Copy)]
pub struct UnitRow<'a> {
    /// Two digits for a province, three for a district, five for a commune.
    pub code: &'a str,
    /// The first day.
    pub valid_from: Date,
    /// The last day; none while in force.
    pub valid_to: Option<Date>,
    /// `xã`, `phường`, `quận` and so on.
    pub kind: &'a str,
    /// The name without the kind.
    pub name: &'a str,
    /// The province of a district or commune.
    pub province: Option<&'a str>,
    /// The district of a commune of the old list.
    pub district: Option<&'a str>,
}

/// What one unit has become.
#[derive(Debug, Clone, Copy)]
pub struct ChangeRow<'a> {
    /// The code of a unit that is no longer in force.
    pub old: &'a str,
    /// The code of a unit in force.
    pub new: &'a str,
    /// Whether it is the one to propose.
    pub is_default: bool,
    /// Whether the source is doubtful.
    pub doubtful: bool,
}

/// A unit that an address may lie in.
#[derive(Debug, PartialEq, Eq)]
pub struct Unit {
    /// The code; with `valid_from` it is the key.
    pub code: Box<str>,
    /// The first day.
    pub valid_from: Date,
    /// The last day; none while in force.
    pub valid_to: Option<Date>,
    /// `xã`, `phường`, `quận` and so on.
    pub kind: Box<str>,
    /// The name without the kind.
    pub name: Box<str>,
    /// The level.
    pub level: Level,
    pub(super) key: Box<str>,
    pub(super) marks: u64,
    /// Positions in the list of units.
    pub(super) province: Option<u32>,
    pub(super) district: Option<u32>,
}

impl Unit {
    /// Kind and name: `phường Hoa Lư`.
    pub fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Whether it is in force.
    pub const fn is_current(&self) -> bool {
        self.valid_to.is_none()
    }

    pub(super) fn holds_on(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|last| date <= last)
    }
}

/// A key is a hash already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |h, b| h.rotate_left(8) ^ u64::from(*b));
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type ByKey = HashMap<u64, (u32, u32), BuildHasherDefault<AsIs>>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Successor {
    pub unit: u32,
    pub is_default: bool,
    pub doubtful: bool,
}

/// The units of both lists, their names, and what each has become. Some 4 MB; made once.
pub struct Gazetteer {
    units: Vec<Unit>,
    /// The successors of the unit at the same place, the default first.
    successors: Vec<Vec<Successor>>,
    /// Units by the hash of their key: a range of `named`.
    names: ByKey,
    named: Vec<u32>,
    /// Units whose parent is the unit at the same place.
    children: Vec<Vec<u32>>,
    longest: usize,
}

impl std::fmt::Debug for Gazetteer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gazetteer({} units)", self.units.len())
    }
}

/// Other names of provinces: the name in the list, and what people write.
const ALSO_CALLED: [(&str, &[&str]); 6] = [
    ("Hà Nội", &["HN", "Hanoi", "TPHN"]),
    ("Hồ Chí Minh", &["HCM", "TPHCM", "Sài Gòn", "SG", "HCMC"]),
    ("Huế", &["Thừa Thiên Huế", "TT Huế", "Thừa Thiên - Huế", "TTH"]),
    ("Bà Rịa - Vũng Tàu", &["BRVT", "BR VT", "Bà Rịa", "Vũng Tàu"]),
    ("Đà Nẵng", &["ĐN", "Danang"]),
    ("Đắk Lắk", &["Daklak", "Darlac"]),
];

impl Gazetteer {
    /// From rows of units (provinces and districts before what lies in them) and of changes.
    ///
    /// # Errors
    /// All rows that name a unit that is not there (`unknown-unit`), by its code.
    pub fn new<'a>(
        units: impl IntoIterator<Item = UnitRow<'a>>,
        changes: impl IntoIterator<Item = ChangeRow<'a>>,
    ) -> Result<Self> {
        let mut problems = Problems::new();
        let mut unknown = |code: &str, at: &str| {
            problems.add(
                "unknown-unit",
                at,
                format!("Không có đơn vị mang mã {code}."),
                format!("No unit bears the code {code}."),
            );
        };
        let mut list: Vec<Unit> = Vec::with_capacity(15_000);
        let mut by_code: HashMap<Box<str>, Vec<u32>> = HashMap::with_capacity(15_000);
        for row in units {
            let find = |code: &str| {
                let all = by_code.get(code).map_or(&[][..], Vec::as_slice);
                let holds = |n: &&u32| list.get(**n as usize).is_some_and(|u| u.holds_on(row.valid_from));
                all.iter().find(holds).copied()
            };
            let mut above = |code: Option<&str>| {
                let found = code.and_then(find);
                if let (Some(code), None) = (code, found) {
                    unknown(code, row.code);
                }
                found
            };
            let tokens = Tokens::of(row.name);
            let whole = tokens.list.len();
            let unit = Unit {
                code: row.code.into(),
                valid_from: row.valid_from,
                valid_to: row.valid_to,
                kind: row.kind.into(),
                name: row.name.into(),
                level: match row.code.len() {
                    2 => Level::Province,
                    3 => Level::District,
                    _ => Level::Commune,
                },
                key: tokens.run(0, whole).into(),
                marks: tokens.marks(0, whole).1,
                province: above(row.province),
                district: above(row.district),
            };
            let at = u32::try_from(list.len()).unwrap_or(u32::MAX);
            by_code.entry(row.code.into()).or_default().push(at);
            list.push(unit);
        }
        let find = |code: &str, current: bool| {
            let all = by_code.get(code).map_or(&[][..], Vec::as_slice);
            let fits = |n: &&u32| list.get(**n as usize).is_some_and(|u| u.is_current() == current);
            all.iter().find(fits).copied()
        };
        let mut successors: Vec<Vec<Successor>> = Vec::new();
        successors.resize_with(list.len(), Vec::new);
        for change in changes {
            match (find(change.old, false), find(change.new, true)) {
                (Some(old), Some(new)) => {
                    if let Some(to) = successors.get_mut(old as usize) {
                        to.push(Successor {
                            unit: new,
                            is_default: change.is_default,
                            doubtful: change.doubtful,
                        });
                        to.sort_by_key(|s| !s.is_default);
                    }
                }
                (None, _) => unknown(change.old, change.old),
                (_, None) => unknown(change.new, change.old),
            }
        }
        problems.into_result()?;
        Ok(Self::index(list, successors))
    }

    fn index(units: Vec<Unit>, successors: Vec<Vec<Successor>>) -> Self {
        let mut children: Vec<Vec<u32>> = Vec::new();
        children.resize_with(units.len(), Vec::new);
        let mut keyed: Vec<(u64, u32)> = Vec::with_capacity(units.len() + 30);
        let mut longest = 0;
        for (n, unit) in (0_u32..).zip(&units) {
            for above in [unit.district, unit.province].into_iter().flatten() {
                if let Some(list) = children.get_mut(above as usize) {
                    list.push(n);
                }
            }
            keyed.push((hash(START, &unit.key), n));
            longest = longest.max(Tokens::of(&unit.name).list.len());
            if unit.level == Level::Province {
                let others = ALSO_CALLED
                    .iter()
                    .filter(|(name, _)| **name == *unit.name)
                    .flat_map(|(_, others)| *others);
                for other in others {
                    let tokens = Tokens::of(other);
                    keyed.push((hash(START, tokens.run(0, tokens.list.len())), n));
                }
            }
        }
        keyed.sort_unstable();
        keyed.dedup();
        let mut names = ByKey::default();
        for (at, (key, _)) in (0_u32..).zip(&keyed) {
            names.entry(*key).or_insert((at, at)).1 = at + 1;
        }
        Self {
            units,
            successors,
            names,
            named: keyed.into_iter().map(|(_, n)| n).collect(),
            children,
            longest: longest + 1,
        }
    }

    /// From the text of the tables in `data/units`: provinces, districts and communes; and the changes.
    ///
    /// # Errors
    /// As [`Gazetteer::new`]; `bad-table` for a row that cannot be read.
    pub fn from_csv(tables: [&str; 3], changes: &str) -> Result<Self> {
        let mut records = Vec::new();
        for table in tables {
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let header = reader.headers().map_err(bad_table)?.clone();
            for record in reader.records() {
                records.push((header.clone(), record.map_err(bad_table)?));
            }
        }
        fn cell<'r>(header: &csv::StringRecord, record: &'r csv::StringRecord, name: &str) -> Option<&'r str> {
            let at = header.iter().position(|h| h == name)?;
            record.get(at).filter(|v| !v.is_empty())
        }
        let units: Vec<UnitRow<'_>> = records
            .iter()
            .map(|(header, record)| {
                let get = |name: &str| cell(header, record, name);
                let need = |name: &'static str| get(name).ok_or_else(|| bad_table(name));
                Ok(UnitRow {
                    code: need("code")?,
                    valid_from: need("valid_from")?.parse().map_err(bad_table)?,
                    valid_to: get("valid_to").map(str::parse).transpose().map_err(bad_table)?,
                    kind: need("kind")?,
                    name: need("name")?,
                    province: get("province_code"),
                    district: get("district_code"),
                })
            })
            .collect::<Result<_>>()?;
        let mut reader = csv::Reader::from_reader(changes.as_bytes());
        let header = reader.headers().map_err(bad_table)?.clone();
        let records: Vec<csv::StringRecord> = reader
            .records()
            .collect::<std::result::Result<_, _>>()
            .map_err(bad_table)?;
        let changes: Vec<ChangeRow<'_>> = records
            .iter()
            .map(|record| {
                let get = |name: &str| cell(&header, record, name);
                Ok(ChangeRow {
                    old: get("old_code").ok_or_else(|| bad_table("old_code"))?,
                    new: get("new_code").ok_or_else(|| bad_table("new_code"))?,
                    is_default: get("is_default") == Some("1"),
                    doubtful: get("note") == Some("far"),
                })
            })
            .collect::<Result<_>>()?;
        Self::new(units, changes)
    }

    pub(super) fn unit(&self, at: u32) -> Option<&Unit> {
        self.units.get(at as usize)
    }

    /// The units that bear a name, by the hash of its key.
    pub(super) fn named(&self, key: u64) -> &[u32] {
        let range = self.names.get(&key);
        range
            .and_then(|(from, to)| self.named.get(*from as usize..*to as usize))
            .unwrap_or_default()
    }

    pub(super) fn children(&self, at: u32) -> &[u32] {
        self.children.get(at as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn successors(&self, at: u32) -> &[Successor] {
        self.successors.get(at as usize).map_or(&[], Vec::as_slice)
    }

    /// Positions of all units above the commune.
    pub(super) fn at_level(&self, level: Level) -> impl Iterator<Item = u32> {
        (0_u32..)
            .zip(&self.units)
            .filter(move |(_, u)| u.level == level)
            .map(|(n, _)| n)
    }

    /// The number of words in the longest name.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }

    /// All units, in the order in which they were given.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The district of a commune of the old list.
    pub fn district_of<'g>(&'g self, unit: &Unit) -> Option<&'g Unit> {
        unit.district.and_then(|n| self.unit(n))
    }

    /// The province of a unit; of a province, itself.
    pub fn province_of<'g>(&'g self, unit: &'g Unit) -> Option<&'g Unit> {
        match unit.level {
            Level::Province => Some(unit),
            _ => unit.province.and_then(|n| self.unit(n)),
        }
    }
}

fn bad_table(source: impl std::fmt::Display) -> Error {
    Error::refused(
        base::refusal::Kind::Invalid,
        "bad-table",
        format!("Bảng đơn vị hành chính không đọc được: {source}."),
        format!("A table of units cannot be read: {source}."),
    )
}
