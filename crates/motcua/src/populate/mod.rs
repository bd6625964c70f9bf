//! The invented country as base registries hold it: what each was told of whom, since when it is so and when it was written down, with
//! the first reports that were wrong and their corrections. Equal countries give equal records.
//!
//! A [`Scribe`] tells them, one community at a time; [`stream`](stream::stream) puts them into registries by the use cases of production, by way
//! of files, so that a country need not fit into memory.

mod chronicle;
mod civil_status;
mod command;
mod customs;
mod enterprises;
mod insurance;
mod population;
mod residence;
pub mod stream;
mod take;
mod tax;
#[cfg(test)]
mod tests;

use country::{Community, Country, Day, UnitSources, Units, places::Address};
use procedure::reference::Source;
use serde_json::{Value, json};

pub use chronicle::{Chronicle, Ground, Told};
pub use command::{Populate, shown};

/// The day on which the registries began: what was known then was taken over at once.
const BEGUN: Day = Day::of(2022, 7, 1);
/// What the records say of that.
const TAKEN_OVER: Ground = Ground {
    source: "Nạp lần đầu từ hồ sơ, sổ sách của cơ quan quản lý",
    basis: "",
};
/// Why codes of units are others since 1 July 2025.
const MERGED: Ground = Ground {
    source: "Sắp xếp đơn vị hành chính",
    basis: "Nghị quyết số 202/2025/QH15",
};

/// The registries that the country tells of, in an order in which each finds those it refers to.
pub const REGISTRIES: [&str; 7] = [
    "population",
    "residence",
    "civil-status",
    "enterprises",
    "tax",
    "social-insurance",
    "customs",
];

/// Who tells what registries hold of a country's communities.
#[derive(Debug, Clone, Copy)]
pub struct Scribe<'a> {
    /// The country's administrative units.
    pub units: &'a Units,
    /// How many communities it has.
    pub communities: u32,
}

impl<'a> Scribe<'a> {
    /// Who tells of a country.
    pub fn of(country: &'a Country) -> Self {
        Self {
            units: country.units(),
            communities: country.len(),
        }
    }

    /// The records of a registry of `registries/` that speak of a community, by the registry's code; none of one that the country does not
    /// tell of.
    pub fn records(&self, registry: &str, community: &Community) -> Vec<Chronicle> {
        match registry {
            "population" => population::records(self, community),
            "residence" => residence::records(self, community),
            "civil-status" => civil_status::records(self, community),
            "enterprises" => enterprises::records(self, community),
            "tax" => tax::records(community),
            "social-insurance" => insurance::records(self, community),
            "customs" => customs::records(community),
            _ => Vec::new(),
        }
    }

    /// An address as registries write it on a day.
    fn address(&self, address: &Address, on: Day) -> Value {
        json!({
            "province": address.province_code(self.units, on),
            "commune": address.commune_code(self.units, on),
            "detail": address.detail.to_string(),
        })
    }
}

/// The administrative units, before and after the merger.
///
/// # Errors
/// The files in this program cannot be read: ours to mend.
pub fn units() -> anyhow::Result<Units> {
    let source = Source::embedded();
    Ok(Units::read(UnitSources {
        provinces: &source.text("units/provinces.csv")?,
        districts: &source.text("units/districts-2024.csv")?,
        communes: &source.text("units/communes.csv")?,
        changes: &source.text("units/changes-2025.csv")?,
    })?)
}

/// Whether somebody is male, as code lists have it.
const fn sex(sex: base::codes::Sex) -> &'static str {
    match sex {
        base::codes::Sex::Male => "male",
        base::codes::Sex::Female => "female",
    }
}
