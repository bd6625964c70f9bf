//! The dated map of administrative units, read from the tables under `data/units`.

use std::{collections::HashMap, ops::Range};

use base::{Problems, Result};

use super::provinces::PROVINCES;

/// The four tables, as text. Their columns are described in `data/README.md`.
#[derive(Debug, Clone, Copy)]
pub struct UnitSources<'a> {
    /// `provinces.csv`
    pub provinces: &'a str,
    /// `districts-2024.csv`
    pub districts: &'a str,
    /// `communes.csv`
    pub communes: &'a str,
    /// `changes-2025.csv`
    pub changes: &'a str,
}

/// A province or district.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Two digits for a province, three for a district.
    pub code: String,
    /// `tỉnh`, `thành phố`, `quận`, `huyện`, `thị xã`.
    pub kind: String,
    /// The name alone.
    pub name: String,
}

/// A commune, ward, township or special zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commune {
    /// Five digits.
    pub code: String,
    /// `xã`, `phường`, `thị trấn`, `đặc khu`.
    pub kind: String,
    /// The name alone.
    pub name: String,
    /// Its province, in the list of its own time.
    province: u16,
    /// Its district; none from 1 July 2025.
    district: Option<u16>,
    /// For a commune before the merger: what it became, the likely one first.
    successors: Vec<u16>,
}

/// The units on both sides of 1 July 2025 and the map between them. Communes are known by their place in their own list.
#[derive(Debug, Clone)]
pub struct Units {
    provinces_before: Vec<Unit>,
    provinces_after: Vec<Unit>,
    districts: Vec<Unit>,
    before: Vec<Commune>,
    after: Vec<Commune>,
    /// Old communes by district, and where each district's part begins.
    by_district: Vec<Vec<u16>>,
    /// Districts that have communes, by the place of their province in [`PROVINCES`].
    by_province: Vec<Vec<u16>>,
}

impl Units {
    /// Reads the tables.
    ///
    /// # Errors
    /// Every line that is no row (`not-a-row`), names a unit that is not there (`unknown-unit`), or leaves an old commune without
    /// successor (`no-successor`) or a province of the list of 63 without communes (`no-communes`).
    pub fn read(sources: UnitSources<'_>) -> Result<Self> {
        let mut reader = Reader::default();
        let units = reader.read(sources);
        reader.problems.into_result().map(|()| units)
    }

    /// The commune until 30 June 2025 at this place of its list.
    pub fn before(&self, at: u16) -> &Commune {
        &self.before[usize::from(at)]
    }

    /// The commune from 1 July 2025 at this place of its list.
    pub fn after(&self, at: u16) -> &Commune {
        &self.after[usize::from(at)]
    }

    /// The places in the new list of what an old commune became, the likely one first. More than one means it was divided.
    pub fn successors(&self, before: u16) -> &[u16] {
        &self.before(before).successors
    }

    /// Province of an old commune.
    pub fn province_before(&self, commune: &Commune) -> &Unit {
        &self.provinces_before[usize::from(commune.province)]
    }

    /// Province of a new commune.
    pub fn province_after(&self, commune: &Commune) -> &Unit {
        &self.provinces_after[usize::from(commune.province)]
    }

    /// District of an old commune.
    pub fn district(&self, commune: &Commune) -> Option<&Unit> {
        commune.district.map(|at| &self.districts[usize::from(at)])
    }

    /// The place in [`PROVINCES`] of an old commune's province: both lists are in the order of codes.
    pub(crate) fn province_at(&self, before: u16) -> usize {
        usize::from(self.before(before).province)
    }

    /// How many communes there were.
    pub fn communes_before(&self) -> Range<u16> {
        0..self.before.len() as u16
    }

    /// The old communes of one district.
    pub(crate) fn communes_of(&self, district: u16) -> &[u16] {
        &self.by_district[usize::from(district)]
    }

    /// The districts of a province, by its place in [`PROVINCES`].
    pub(crate) fn districts_of(&self, province: usize) -> &[u16] {
        &self.by_province[province]
    }

    /// The district of an old commune, as a place for [`Self::communes_of`].
    pub(crate) fn district_of(&self, before: u16) -> u16 {
        self.before(before).district.unwrap_or(0)
    }
}

#[derive(Default)]
struct Reader {
    problems: Problems,
}

impl Reader {
    fn read(&mut self, sources: UnitSources<'_>) -> Units {
        let is_before = |row: &[&str]| !row[2].is_empty();
        let (mut provinces_before, mut provinces_after) = (Vec::new(), Vec::new());
        for (_, row) in self.rows("provinces.csv", sources.provinces, 8) {
            let list = if is_before(&row) {
                &mut provinces_before
            } else {
                &mut provinces_after
            };
            list.push(unit(&row));
        }
        if !provinces_before
            .iter()
            .map(|p: &Unit| p.code.parse().ok())
            .eq(PROVINCES.iter().map(|p| Some(p.code)))
        {
            self.problems.add(
                "unknown-unit",
                "provinces.csv",
                "Danh sách tỉnh trước ngày 01/7/2025 không phải là danh sách 63 tỉnh, thành phố theo thứ tự mã.",
                "The provinces before 1 July 2025 are not the 63 in the order of their codes.",
            );
        }
        let places = |list: &[Unit]| -> HashMap<String, u16> {
            list.iter().zip(0..).map(|(unit, at)| (unit.code.clone(), at)).collect()
        };
        let (in_before, in_after) = (places(&provinces_before), places(&provinces_after));
        let districts: Vec<Unit> = self
            .rows("districts-2024.csv", sources.districts, 6)
            .map(|(_, row)| unit(&row))
            .collect();
        let in_districts = places(&districts);

        let (mut before, mut after) = (Vec::new(), Vec::new());
        let (mut place_before, mut place_after) = (HashMap::new(), HashMap::new());
        for (line, row) in self.rows("communes.csv", sources.communes, 7) {
            let old = is_before(&row);
            let province = if old { &in_before } else { &in_after }.get(row[5]).copied();
            let district = in_districts.get(row[6]).copied();
            let Some(province) = province.filter(|_| district.is_some() == old) else {
                self.unknown("communes.csv", line);
                continue;
            };
            let (list, place) = if old {
                (&mut before, &mut place_before)
            } else {
                (&mut after, &mut place_after)
            };
            place.insert(row[0].to_owned(), list.len() as u16);
            list.push(Commune {
                code: row[0].to_owned(),
                kind: row[3].to_owned(),
                name: row[4].to_owned(),
                province,
                district,
                successors: Vec::new(),
            });
        }
        self.link(sources.changes, &mut before, &place_before, &place_after);

        let mut by_district = vec![Vec::new(); districts.len()];
        let mut by_province = vec![Vec::new(); PROVINCES.len().max(provinces_before.len())];
        for (commune, at) in before.iter().zip(0..) {
            let district = commune.district.unwrap_or(0);
            let of_province: &mut Vec<u16> = &mut by_province[usize::from(commune.province)];
            if !of_province.contains(&district) {
                of_province.push(district);
            }
            by_district[usize::from(district)].push(at);
        }
        for (province, _) in provinces_before.iter().zip(&by_province).filter(|(_, d)| d.is_empty()) {
            self.problems.add(
                "no-communes",
                format!("communes.csv:{}", province.code),
                format!(
                    "{} {} không có xã nào trước ngày 01/7/2025.",
                    province.kind, province.name
                ),
                format!("{} {} has no commune before 1 July 2025.", province.kind, province.name),
            );
        }
        Units {
            provinces_before,
            provinces_after,
            districts,
            before,
            after,
            by_district,
            by_province,
        }
    }

    /// Gives every old commune its successors, without those that the source marks as doubtful (`far`) where there are others.
    fn link(
        &mut self,
        changes: &str,
        before: &mut [Commune],
        place_before: &HashMap<String, u16>,
        place_after: &HashMap<String, u16>,
    ) {
        let mut doubtful = Vec::new();
        // Provinces are two digits; island districts (three) had no communes.
        for (line, row) in self
            .rows("changes-2025.csv", changes, 8)
            .filter(|(_, row)| row[0].len() == 5)
        {
            let (Some(old), Some(new)) = (place_before.get(row[0]), place_after.get(row[2])) else {
                self.unknown("changes-2025.csv", line);
                continue;
            };
            if row[7] == "far" {
                doubtful.push((usize::from(*old), *new));
                continue;
            }
            let successors = &mut before[usize::from(*old)].successors;
            let at = if row[6] == "1" { 0 } else { successors.len() };
            successors.insert(at, *new);
        }
        for (old, new) in doubtful {
            if before[old].successors.is_empty() {
                before[old].successors.push(new);
            }
        }
        for commune in before.iter().filter(|c| c.successors.is_empty()) {
            self.problems.add(
                "no-successor",
                format!("changes-2025.csv:{}", commune.code),
                format!(
                    "Không có đơn vị kế thừa cho {} {} ({}).",
                    commune.kind, commune.name, commune.code
                ),
                format!("{} {} ({}) has no successor.", commune.kind, commune.name, commune.code),
            );
        }
    }

    /// The rows of a table with their line numbers. The tables hold no quotes and no commas within a field.
    fn rows<'a>(&mut self, file: &str, text: &'a str, columns: usize) -> std::vec::IntoIter<(usize, Vec<&'a str>)> {
        let mut rows = Vec::new();
        for (line, text) in text.lines().enumerate().skip(1) {
            let row: Vec<&str> = text.split(',').collect();
            if row.len() == columns {
                rows.push((line + 1, row));
            } else {
                self.problems.add(
                    "not-a-row",
                    format!("{file}:{}", line + 1),
                    format!("Dòng phải có {columns} cột, không phải {}.", row.len()),
                    format!("The line must have {columns} columns, not {}.", row.len()),
                );
            }
        }
        rows.into_iter()
    }

    fn unknown(&mut self, file: &str, line: usize) {
        self.problems.add(
            "unknown-unit",
            format!("{file}:{line}"),
            "Dòng nhắc đến đơn vị hành chính không có trong các bảng khác.",
            "The line names an administrative unit that the other tables do not have.",
        );
    }
}

fn unit(row: &[&str]) -> Unit {
    Unit {
        code: row[0].to_owned(),
        kind: row[3].to_owned(),
        name: row[4].to_owned(),
    }
}
