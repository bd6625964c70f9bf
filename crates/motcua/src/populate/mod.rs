//! The invented country as base registries hold it: what each was told of whom, since when it is so and when it was written down, with
//! the first reports that were wrong and their corrections. Equal countries give equal records.
//!
//! [`Land`] tells them, [`load`] puts them into the registries of a node by the use cases of production.

mod chronicle;
mod civil_status;
mod enterprises;
mod load;
mod offices;
mod population;
mod residence;
#[cfg(test)]
mod tests;

use country::{Community, Country, Day, Options, Part, UnitSources, Units};
use procedure::reference::Source;
use serde_json::{Value, json};

pub use chronicle::{Chronicle, Told};
pub use load::load;

/// The day on which the registries began: what was known then was taken over at once.
const BEGUN: Day = Day::of(2022, 7, 1);
/// What the records say of that.
const TAKEN_OVER: &str = "Nạp lần đầu từ hồ sơ, sổ sách của cơ quan quản lý";

/// A country whose records can be told.
#[derive(Debug)]
pub struct Land {
    /// Its administrative units.
    pub units: Units,
    /// Its communities.
    pub communities: Vec<Community>,
    /// The last day that is told.
    pub until: Day,
}

impl Land {
    /// Tells the country, in which each of the parts is somebody's.
    ///
    /// # Errors
    /// An option is out of its range; nobody fits a part.
    pub fn make(options: Options, parts: &[Part]) -> anyhow::Result<Self> {
        let source = Source::embedded();
        let units = Units::read(UnitSources {
            provinces: &source.text("units/provinces.csv")?,
            districts: &source.text("units/districts-2024.csv")?,
            communes: &source.text("units/communes.csv")?,
            changes: &source.text("units/changes-2025.csv")?,
        })?;
        let until = options.until;
        let country = Country::new(options, units)?;
        let mut communities: Vec<Community> = country.communities().collect();
        for part in parts {
            let given = communities
                .iter_mut()
                .find_map(|community| community.cast(country.units(), part));
            anyhow::ensure!(given.is_some(), "nobody in the country fits the part of {}", part.name);
        }
        Ok(Self {
            units: country.units().clone(),
            communities,
            until,
        })
    }

    /// The records of a registry of `registries/`, by its code; none of one that the country does not tell of.
    pub fn records(&self, registry: &str) -> Vec<Chronicle> {
        match registry {
            "population" => population::records(self),
            "residence" => residence::records(self),
            "civil-status" => civil_status::records(self),
            "enterprises" => enterprises::records(self),
            "tax" => offices::tax(self),
            "social-insurance" => offices::insurance(self),
            "customs" => offices::customs(self),
            _ => Vec::new(),
        }
    }

    /// An address as registries write it on a day.
    fn address(&self, address: &country::places::Address, on: Day) -> Value {
        json!({
            "province": address.province_code(&self.units, on),
            "commune": address.commune_code(&self.units, on),
            "detail": address.detail.to_string(),
        })
    }
}

/// Whether somebody is male, as code lists have it.
const fn sex(sex: base::codes::Sex) -> &'static str {
    match sex {
        base::codes::Sex::Male => "male",
        base::codes::Sex::Female => "female",
    }
}
