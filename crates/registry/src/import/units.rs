//! Units as an import names them.

use cleansing::address::{Choice, Gazetteer, Unit};

/// A commune that an address may lie in, for people.
pub(super) fn named(gazetteer: &Gazetteer, choice: &Choice<'_>) -> String {
    let province = gazetteer.province_of(choice.unit).map(Unit::title).unwrap_or_default();
    format!("{} ({}), {province}", choice.unit.title(), choice.unit.code)
}
