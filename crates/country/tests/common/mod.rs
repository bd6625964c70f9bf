//! Countries to look at.

use std::{fs, path::Path, sync::LazyLock};

use country::{Community, Country, Options, UnitSources, Units};

static UNITS: LazyLock<Units> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/units");
    let read = |file: &str| fs::read_to_string(folder.join(file)).expect("a table of units");
    Units::read(UnitSources {
        provinces: &read("provinces.csv"),
        districts: &read("districts-2024.csv"),
        communes: &read("communes.csv"),
        changes: &read("changes-2025.csv"),
    })
    .expect("sound tables")
});

/// A country of so many persons.
pub fn country(seed: u64, persons: u32) -> Country {
    Country::new(
        Options {
            seed,
            persons,
            ..Options::default()
        },
        UNITS.clone(),
    )
    .expect("a sound size")
}

/// All its communities.
pub fn told(seed: u64, persons: u32) -> (Country, Vec<Community>) {
    let country = country(seed, persons);
    let communities = country.communities().collect();
    (country, communities)
}
