//! Reference data (dữ liệu tham chiếu): administrative units, agencies, life events and the published procedures.
//!
//! The files of `data/` are compiled in, and an operator may lay newer ones over them: [`Source::folder`] takes each file
//! from a folder where it is there, and from the binary where it is not. So a reform of the map, a new agency or a new
//! fee needs no new build. Whatever is wrong in a file is reported at once, each problem at its file and line.

mod agencies;
mod files;
mod life_events;
mod published;
mod search;
mod units;

pub use agencies::{Agencies, Agency, AgencyKind, AgencyStatus};
pub use files::Source;
pub use life_events::LifeEvent;
pub use published::{
    Audience, Case, Channel, Executing, Fee, FeeKind, LegalText, Method, Oddity, Origin, Procedure, Promulgating,
    Published, Qualifier, Successor, TimeLimit, TimeUnit,
};
pub use search::{Hit, Scope};
pub use units::{Level, NotAUnitCode, Part, Relation, Successors, Unit, UnitCode, UnitKind, Units};

use std::path::Path;

use base::Result;

/// What is read when the system starts and kept: units, agencies and life events. The procedures are larger and are
/// read by [`Published`] when they are loaded into the catalogue.
#[derive(Debug)]
pub struct Reference {
    /// Provinces, districts and communes, before and after 1 July 2025.
    pub units: Units,
    /// Ministries, provinces and other agencies of the nation, by both notations of their codes.
    pub agencies: Agencies,
    /// The agencies of the demonstration, one province with three wards. Their codes are illustrative.
    pub demo_agencies: Agencies,
    /// Life events, in the order of the page that lists them.
    pub life_events: Vec<LifeEvent>,
}

impl Reference {
    /// The data of this build.
    ///
    /// # Errors
    /// A refusal if the files that were compiled in contradict each other; the tests of this crate exclude that.
    pub fn embedded() -> Result<Self> {
        Self::from_source(&Source::embedded())
    }

    /// The data of this build with the files found in `dir` laid over it (`dir/units/communes.csv` and so on).
    ///
    /// # Errors
    /// A refusal that lists every problem at its file and line; a failure of ours if a file cannot be read.
    pub fn load(dir: &Path) -> Result<Self> {
        Self::from_source(&Source::folder(dir)?)
    }

    /// The data of `source`.
    ///
    /// # Errors
    /// As [`Reference::load`].
    pub fn from_source(source: &Source) -> Result<Self> {
        let mut problems = base::Problems::new();
        let units = units::read(source, &mut problems)?;
        let agencies = agencies::read(
            source,
            "agencies/agencies.csv",
            &Agencies::default(),
            &units,
            &mut problems,
        )?;
        let demo_agencies = agencies::read(source, "agencies/demo.csv", &agencies, &units, &mut problems)?;
        let life_events = life_events::read(source, &mut problems)?;
        problems.into_result()?;
        Ok(Self {
            units,
            agencies,
            demo_agencies,
            life_events,
        })
    }
}

#[cfg(test)]
mod tests;
