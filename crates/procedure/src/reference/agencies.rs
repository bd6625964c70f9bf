//! Agencies (cơ quan) and their codes in both notations that circulate: QĐ 20/2020/QĐ-TTg (`H29.1.2`) and
//! QCVN 102:2016/BTTTT (`000.01.02.H29`). One is never computed from the other: both stand in the table.

use std::collections::HashMap;

use base::{Problems, Result, Text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    files::{Memo, Source, table},
    units::{UnitCode, Units},
};

/// What an agency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgencyKind {
    /// A group of the code list (A to K), not an agency itself.
    Group,
    /// A ministry (bộ).
    Ministry,
    /// A ministry-level body (cơ quan ngang bộ).
    MinistryLevel,
    /// An agency under the Government (cơ quan thuộc Chính phủ).
    GovernmentAgency,
    /// A socio-political organisation (tổ chức chính trị - xã hội).
    SocioPolitical,
    /// A provincial People's Committee (UBND cấp tỉnh).
    Province,
    /// A provincial department (sở).
    Department,
    /// A division of a department or of a provincial agency (phòng).
    Division,
    /// A public administration service centre or one-stop section (trung tâm phục vụ hành chính công, bộ phận một cửa).
    OneStop,
    /// A commune People's Committee (UBND cấp xã).
    Commune,
    /// A division or the office of a commune (phòng, văn phòng của cấp xã).
    CommuneDivision,
    /// The police of a province (công an cấp tỉnh).
    ProvincePolice,
    /// The police of a commune (công an cấp xã).
    CommunePolice,
}

/// How far a row of the code list may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgencyStatus {
    /// In force.
    InForce,
    /// Merged into the successor.
    Merged,
    /// Renamed; the code goes on under the successor's row.
    Renamed,
    /// A code of the 63-province list: it circulates, but which code a merged province keeps is not verified.
    Legacy,
    /// The code is known, the name is not.
    Unverified,
    /// Made for the demonstration; not a code that any agency holds.
    Illustrative,
}

/// One row of the code list. A code may have several rows, one for each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agency {
    /// The code by QĐ 20/2020/QĐ-TTg: `H42.28`.
    pub code: Box<str>,
    /// The code by QCVN 102:2016/BTTTT: `000.00.28.H42`. Groups have none.
    pub code102: Option<Box<str>>,
    /// First day.
    pub valid_from: Date,
    /// Last day; none while in force.
    pub valid_to: Option<Date>,
    /// What it is.
    pub kind: AgencyKind,
    /// Its name.
    pub name: Text,
    /// The code of the agency above.
    pub parent: Option<Box<str>>,
    /// The province or commune that it serves.
    pub unit: Option<UnitCode>,
    /// The code of the agency that took over.
    pub successor: Option<Box<str>>,
    /// How far the row may be relied on.
    pub status: AgencyStatus,
    /// A remark, in English.
    pub note: Box<str>,
}

impl Agency {
    /// Whether the row holds on `date`.
    pub fn holds_on(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|last| date <= last)
    }
}

/// A list of agencies, sorted by code and first day.
#[derive(Debug, Default)]
pub struct Agencies {
    rows: Vec<Agency>,
    by_code102: HashMap<Box<str>, Box<str>>,
}

impl Agencies {
    /// The agency with `code`, in either notation, on `date`.
    pub fn get(&self, code: &str, date: Date) -> Option<&Agency> {
        let code = self.by_code102.get(code).map_or(code, |own| own);
        let start = self.rows.partition_point(|a| *a.code < *code);
        self.rows[start..]
            .iter()
            .take_while(|a| *a.code == *code)
            .find(|a| a.holds_on(date))
    }

    /// The agencies directly below `code` on `date`, by code.
    pub fn children<'a>(&'a self, code: &'a str, date: Date) -> impl Iterator<Item = &'a Agency> {
        self.rows
            .iter()
            .filter(move |a| a.parent.as_deref() == Some(code) && a.holds_on(date))
    }

    /// All rows, past ones included, by code and first day.
    pub fn iter(&self) -> std::slice::Iter<'_, Agency> {
        self.rows.iter()
    }

    fn knows(&self, code: &str) -> bool {
        self.rows.binary_search_by(|a| (*a.code).cmp(code)).is_ok()
    }
}

impl<'a> IntoIterator for &'a Agencies {
    type Item = &'a Agency;
    type IntoIter = std::slice::Iter<'a, Agency>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

const COLUMNS: &[&str] = &[
    "code",
    "code102",
    "valid_from",
    "valid_to",
    "kind",
    "name",
    "name_en",
    "parent",
    "unit_code",
    "successor",
    "status",
    "note",
];

/// Reads one list; parents and successors may also stand in `above`.
pub(super) fn read(
    source: &Source,
    path: &str,
    above: &Agencies,
    units: &Units,
    problems: &mut Problems,
) -> Result<Agencies> {
    let text = source.text(path)?;
    let mut dates = Memo::<Date>::default();
    let mut rows: Vec<Agency> = Vec::new();
    table(path, &text, COLUMNS, problems, |place, row, problems| {
        let filled = |n: usize| Some(&row[n]).filter(|v| !v.is_empty()).map(Box::<str>::from);
        let valid_from = dates.date(place, COLUMNS[2], &row[2], problems);
        let valid_to = dates.optional_date(place, COLUMNS[3], &row[3], problems);
        let kind: Option<AgencyKind> = word(&row[4]);
        if kind.is_none() {
            place.bad_value(problems, COLUMNS[4], &row[4]);
        }
        let status: Option<AgencyStatus> = word(&row[10]);
        if status.is_none() {
            place.bad_value(problems, COLUMNS[10], &row[10]);
        }
        let unit = row[8].parse::<UnitCode>().ok().filter(|code| units.knows(*code));
        if unit.is_none() && !row[8].is_empty() {
            place.bad_value(problems, COLUMNS[8], &row[8]);
        }
        for n in [0, 5] {
            if row[n].is_empty() {
                place.bad_value(problems, COLUMNS[n], "");
            }
        }
        if let (Some(valid_from), Some(kind), Some(status)) = (valid_from, kind, status) {
            rows.push(Agency {
                code: row[0].into(),
                code102: filled(1),
                valid_from,
                valid_to,
                kind,
                name: Text::new(&row[5], &row[6]),
                parent: filled(7),
                unit,
                successor: filled(9),
                status,
                note: row[11].into(),
            });
        }
    });
    rows.sort_by(|a, b| (&a.code, a.valid_from).cmp(&(&b.code, b.valid_from)));
    let by_code102 = rows
        .iter()
        .filter_map(|a| Some((a.code102.clone()?, a.code.clone())))
        .collect();
    let agencies = Agencies { rows, by_code102 };
    for pair in agencies.rows.windows(2) {
        let overlap = pair[0].code == pair[1].code && pair[0].valid_to.is_none_or(|last| last >= pair[1].valid_from);
        if overlap {
            let code = &pair[1].code;
            problems.add(
                "overlap",
                format!("{path}:{code}"),
                format!("Mã {code} có hai dòng cùng hiệu lực."),
                format!("Code {code} has two rows in force at once."),
            );
        }
    }
    for agency in &agencies {
        for other in [&agency.parent, &agency.successor].into_iter().flatten() {
            if !agencies.knows(other) && !above.knows(other) {
                problems.add(
                    "unknown-agency",
                    format!("{path}:{}", agency.code),
                    format!("Mã {other} không có trong danh sách cơ quan."),
                    format!("Code {other} is not in the list of agencies."),
                );
            }
        }
    }
    Ok(agencies)
}

/// Reads a kebab-case word as one of an enum's variants.
pub(super) fn word<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    let from: serde::de::value::BorrowedStrDeserializer<'de, serde::de::value::Error> =
        serde::de::value::BorrowedStrDeserializer::new(text);
    T::deserialize(from).ok()
}
