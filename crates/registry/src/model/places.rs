//! Provinces that people choose, and communes that they write by name.

use base::{Lang, Problems};
use jiff::civil::Date;
use procedure::reference::{Unit, UnitCode};

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
