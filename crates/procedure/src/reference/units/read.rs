//! Reads the tables of units and checks that they fit together.

use std::sync::OnceLock;

use base::{Problems, Result};
use jiff::civil::Date;

use super::{
    super::{
        agencies::word,
        files::{Memo, Source, table},
    },
    Change, Level, Relation, Unit, UnitCode, UnitKind, Units,
};

const PROVINCES: &[&str] = &[
    "code",
    "valid_from",
    "valid_to",
    "kind",
    "name",
    "name_en",
    "predecessors",
    "note",
];
const DISTRICTS: &[&str] = &["code", "valid_from", "valid_to", "kind", "name", "province_code"];
const COMMUNES: &[&str] = &[
    "code",
    "valid_from",
    "valid_to",
    "kind",
    "name",
    "province_code",
    "district_code",
];
const CHANGES: &[&str] = &[
    "old_code",
    "old_valid_from",
    "new_code",
    "new_valid_from",
    "effective",
    "relation",
    "is_default",
    "note",
];

/// Reads the four tables and checks that they fit together.
pub(in super::super) fn read(source: &Source, problems: &mut Problems) -> Result<Units> {
    let mut rows = Vec::with_capacity(15_000);
    let mut dates = Memo::<Date>::default();
    let mut kinds = Memo::<UnitKind>::default();
    let mut relations = Memo::<Relation>::default();
    for (path, columns, level) in [
        ("units/provinces.csv", PROVINCES, Level::Province),
        ("units/districts-2024.csv", DISTRICTS, Level::District),
        ("units/communes.csv", COMMUNES, Level::Commune),
    ] {
        let text = source.text(path)?;
        table(path, &text, columns, problems, |place, row, problems| {
            let code = row[0].parse::<UnitCode>().ok().filter(|c| c.level() == level);
            if code.is_none() {
                place.bad_value(problems, columns[0], &row[0]);
            }
            let valid_from = dates.date(place, columns[1], &row[1], problems);
            let valid_to = dates.optional_date(place, columns[2], &row[2], problems);
            let kind = kinds.read(place, columns[3], &row[3], problems, |text| word(text));
            if row[4].is_empty() {
                place.bad_value(problems, columns[4], "");
            }
            let above = |n: usize, problems: &mut Problems| {
                let code = row.get(n).filter(|v| !v.is_empty()).map(str::parse::<UnitCode>);
                if matches!(code, Some(Err(_))) {
                    place.bad_value(problems, columns[n], &row[n]);
                }
                code.and_then(Result::ok)
            };
            let is_province = level == Level::Province;
            let province = if is_province { None } else { above(5, problems) };
            let district = if level == Level::Commune {
                above(6, problems)
            } else {
                None
            };
            if let (Some(code), Some(valid_from), Some(kind)) = (code, valid_from, kind) {
                let name_en = Some(&row[5]).filter(|v| is_province && !v.is_empty()).map(Box::from);
                rows.push(Unit {
                    code,
                    valid_from,
                    valid_to,
                    kind,
                    name: row[4].into(),
                    name_en,
                    province,
                    district,
                });
            }
        });
    }
    // The files are kept sorted; an operator's need not be.
    if !rows.is_sorted_by_key(|u| (u.code, u.valid_from)) {
        rows.sort_by_key(|u| (u.code, u.valid_from));
    }

    let path = "units/changes-2025.csv";
    let text = source.text(path)?;
    let mut changes = Vec::with_capacity(11_000);
    table(path, &text, CHANGES, problems, |place, row, problems| {
        let mut code = |n: usize| {
            let code = row[n].parse::<UnitCode>();
            if code.is_err() {
                place.bad_value(problems, CHANGES[n], &row[n]);
            }
            code.ok()
        };
        let (old, new) = (code(0), code(2));
        let old_from = dates.date(place, CHANGES[1], &row[1], problems);
        let new_from = dates.date(place, CHANGES[3], &row[3], problems);
        let effective = dates.date(place, CHANGES[4], &row[4], problems);
        let relation = relations.read(place, CHANGES[5], &row[5], problems, |text| word(text));
        let is_default = match &row[6] {
            "1" => Some(true),
            "0" => Some(false),
            other => {
                place.bad_value(problems, CHANGES[6], other);
                None
            }
        };
        if let (
            Some(old),
            Some(old_from),
            Some(new),
            Some(new_from),
            Some(effective),
            Some(relation),
            Some(is_default),
        ) = (old, old_from, new, new_from, effective, relation, is_default)
        {
            let doubtful = &row[7] == "far";
            changes.push(Change {
                old,
                old_from,
                new,
                new_from,
                effective,
                relation,
                is_default,
                doubtful,
            });
        }
    });
    changes.sort_by_key(|c| (c.old, c.old_from, !c.is_default, c.new));
    let units = Units {
        begins: rows.iter().map(|unit| unit.valid_from).min().unwrap_or(Date::MIN),
        rows,
        changes,
        backward: OnceLock::new(),
        index: OnceLock::new(),
    };
    check(&units, problems);
    Ok(units)
}

/// Keys are unique, times of one code do not overlap, and every code that is named exists.
fn check(units: &Units, problems: &mut Problems) {
    for pair in units.rows.windows(2) {
        let overlap = pair[0].code == pair[1].code && pair[0].valid_to.is_none_or(|last| last >= pair[1].valid_from);
        if overlap {
            let code = pair[1].code;
            problems.add(
                "overlap",
                format!("units:{code}"),
                format!("Mã {code} có hai đơn vị cùng hiệu lực."),
                format!("Code {code} has two units in force at once."),
            );
        }
    }
    let mut unknown = |place: String, code: UnitCode, from: Date| {
        problems.add(
            "unknown-unit",
            place,
            format!("Không có đơn vị mang mã {code} vào ngày {from}."),
            format!("No unit bears code {code} on {from}."),
        );
    };
    // Neighbours share their province and district: each pair is looked up once in a row.
    let mut last = None;
    for unit in &units.rows {
        let key = (unit.province, unit.district, unit.valid_from);
        if last.replace(key) == Some(key) {
            continue;
        }
        for above in [unit.province, unit.district].into_iter().flatten() {
            if !units.versions(above).iter().any(|u| u.holds_on(unit.valid_from)) {
                unknown(format!("units:{}", unit.code), above, unit.valid_from);
            }
        }
    }
    for change in &units.changes {
        for (code, from) in [(change.old, change.old_from), (change.new, change.new_from)] {
            if units.row(code, from).is_none() {
                unknown(format!("units/changes-2025.csv:{}", change.old), code, from);
            }
        }
    }
}
