//! The units of the reference data, ready for finding addresses.

use base::{Lang, Result};
use cleansing::address::{ChangeRow, Choice, Gazetteer, Unit, UnitRow};
use procedure::reference::Units;

/// The gazetteer of the reference data.
///
/// # Errors
/// The data contradict themselves.
pub fn gazetteer(units: &Units) -> Result<Gazetteer> {
    let mut all: Vec<_> = units
        .iter()
        .map(|unit| {
            let codes = [Some(unit.code), unit.province, unit.district];
            (codes.map(|code| code.map(|code| code.to_string())), unit)
        })
        .collect();
    // Longer codes lie in shorter ones, and what lies in a unit comes after it.
    all.sort_by_key(|([code, ..], _)| code.as_ref().map_or(0, String::len));
    let rows = all.iter().map(|([code, province, district], unit)| UnitRow {
        code: code.as_deref().unwrap_or_default(),
        valid_from: unit.valid_from,
        valid_to: unit.valid_to,
        kind: unit.kind.label(Lang::Vi),
        name: &unit.name,
        province: province.as_deref(),
        district: district.as_deref(),
    });
    let changes: Vec<_> = units
        .changes()
        .map(|(old, part)| (old.to_string(), part.unit.code.to_string(), part))
        .collect();
    let changes = changes.iter().map(|(old, new, part)| ChangeRow {
        old,
        new,
        is_default: part.is_default,
        doubtful: part.doubtful,
    });
    Gazetteer::new(rows, changes)
}

/// A commune that an address may lie in, for people.
pub(super) fn named(gazetteer: &Gazetteer, choice: &Choice<'_>) -> String {
    let province = gazetteer.province_of(choice.unit).map(Unit::title).unwrap_or_default();
    format!("{} ({}), {province}", choice.unit.title(), choice.unit.code)
}
