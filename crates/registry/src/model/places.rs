//! Provinces that people choose, and communes that they write by name.

use std::sync::Arc;

use base::{Lang, Problems, Result};
use cleansing::address::{ChangeRow, Gazetteer, UnitRow};
use jiff::civil::Date;
use procedure::reference::{Unit, UnitCode, Units};

use super::{Field, FieldPath, Registry, SharedList};

/// Names of communes that a refusal offers.
const MOST_NAMED: usize = 8;

impl Registry {
    /// Whether a field says a commune, which people write by its name.
    pub fn says_commune(&self, field: &Field) -> bool {
        list_of(field) == Some(SharedList::Communes)
    }

    /// The name of a commune that is in force on `today`, with its kind.
    pub fn commune_title(&self, code: &str, today: Date, lang: Lang) -> Option<String> {
        self.units().resolve(code, today).map(|unit| unit.title(lang))
    }

    /// The units of its reference data, for finding addresses that are written in words; made when it is first asked for, some 4 MB.
    ///
    /// # Errors
    /// The data contradict themselves.
    pub(crate) fn gazetteer(&self) -> Result<Arc<Gazetteer>> {
        if let Some(gazetteer) = self.gazetteer.get() {
            return Ok(Arc::clone(gazetteer));
        }
        let made = Arc::new(gazetteer(self.units())?);
        Ok(Arc::clone(self.gazetteer.get_or_init(|| made)))
    }

    /// The field that says in which province the unit of another lies: the one in the same group.
    pub(crate) fn province_beside(&self, at: &FieldPath) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| list_of(field) == Some(SharedList::Provinces) && group(&field.path) == group(at))
    }

    /// The code of the commune that somebody means who writes `typed`: a code, or a name of today or from before, in a province.
    /// Nothing where it means none, or several; `problems` says which.
    pub(crate) fn commune_meant(
        &self,
        at: &FieldPath,
        typed: &str,
        province: Option<&str>,
        today: Date,
        problems: &mut Problems,
    ) -> Option<String> {
        if typed.parse::<UnitCode>().is_ok() {
            return Some(typed.to_owned());
        }
        let Some(province) = province.and_then(|code| code.parse().ok()) else {
            problems.add(
                "province-first",
                at.as_str(),
                "Chọn tỉnh, thành phố trước, hoặc nhập mã năm chữ số của xã, phường, đặc khu.",
                "Choose the province first, or write the five digits of the commune's code.",
            );
            return None;
        };
        let meant = self.units().communes_named(typed, province, today);
        match meant.as_slice() {
            [unit] => return Some(unit.code.to_string()),
            [] => problems.add(
                "unknown-unit",
                at.as_str(),
                "Tỉnh, thành phố đã chọn không có xã, phường, đặc khu nào tên như vậy.",
                "The chosen province has no commune of that name.",
            ),
            several => problems.add(
                "ambiguous-unit",
                at.as_str(),
                format!(
                    "Có nhiều đơn vị phù hợp, nhập rõ một tên: {}.",
                    names(several, Lang::Vi)
                ),
                format!("Several units match; write one of: {}.", names(several, Lang::En)),
            ),
        }
        None
    }
}

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

fn names(units: &[&Unit], lang: Lang) -> String {
    let titles = units.iter().take(MOST_NAMED).map(|unit| unit.title(lang));
    titles.collect::<Vec<_>>().join("; ")
}

pub(super) fn list_of(field: &Field) -> Option<SharedList> {
    field.term.list.as_ref().and_then(SharedList::named)
}

/// The group that a field stands in.
fn group(path: &FieldPath) -> &str {
    path.as_str().rsplit_once('.').map_or("", |(group, _)| group)
}
