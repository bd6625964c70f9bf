//! What the state heard, and that a country is the same each time it is told.

mod common;

use std::{collections::HashMap, fs};

use common::{country, told};
use country::{
    Day,
    history::{Report, What},
    mess::Profile,
    write::{Sheets, write},
};

#[test]
fn reports_come_in_order_and_never_before_the_event() {
    for seed in [1, 2, 77] {
        let (_, communities) = told(seed, 3_000);
        let (mut late, mut corrected, mut all) = (0, 0, 0);
        for community in &communities {
            let reports = community.reports();
            assert!(reports.windows(2).all(|w| w[0].recorded <= w[1].recorded));
            let mut first: HashMap<What, Vec<Report>> = HashMap::new();
            for report in reports {
                assert!(
                    report.on <= report.recorded && report.recorded <= community.until,
                    "{report:?}"
                );
                late += usize::from(report.recorded.since(report.on) > 180);
                all += 1;
                let said = first.entry(report.what).or_default();
                if let Some(before) = report.corrects {
                    assert_eq!(
                        said.last().map(|s| s.on),
                        Some(before),
                        "a correction has something to correct"
                    );
                    corrected += 1;
                }
                said.push(report);
            }
            let mut entries = std::collections::HashSet::new();
            for (what, said) in &first {
                let civil = matches!(what, What::Birth(_) | What::Married(_) | What::Died(_));
                assert!(
                    said.iter()
                        .all(|s| s.entry.is_some() == civil && s.entry == said[0].entry)
                );
                let kind = what.code();
                assert!(
                    said[0]
                        .entry
                        .is_none_or(|e| entries.insert((kind, e.book, e.year, e.number))),
                    "one entry each"
                );
            }
            let known = |what: What| first.get(&what).map(|said| said[0].recorded);
            for person in &community.persons {
                let first_of = if person.arrived.is_some() {
                    What::Arrived(person.id)
                } else {
                    What::Birth(person.id)
                };
                let birth = known(first_of);
                if let Some(died) = known(What::Died(person.id)) {
                    assert!(
                        birth.is_some_and(|birth| birth <= died),
                        "born in the books before dying in them"
                    );
                }
                for nth in 1..person.residences.len() {
                    let moved = known(What::Moved(person.id, nth));
                    assert!(moved.is_none() || (birth.is_some() && birth <= moved));
                }
                if let Some(said) = first.get(&What::Birth(person.id)).filter(|said| said.len() == 2) {
                    assert_eq!(said[1].on, person.birth, "a correction is right");
                    assert_ne!(said[0].on, person.birth);
                }
            }
            for (at, marriage) in community.marriages.iter().enumerate() {
                assert_eq!(known(What::Married(at)), Some(marriage.from));
                assert!(known(What::Divorced(at)).is_none_or(|day| day >= marriage.from));
            }
        }
        assert!(
            late * 200 > all && corrected * 500 > all,
            "{late} late and {corrected} corrected of {all}"
        );
    }
}

#[test]
fn a_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = |seed: u64, threads: usize, name: &str| {
        let to = folder.path().join(name);
        let written = write(&country(seed, 6_000), &to, &Sheets::all(Some(Profile::Usual)), threads).expect("written");
        assert_eq!(written.len(), 15);
        let read = |(file, rows): &(&'static str, u64)| {
            let text = fs::read_to_string(to.join(file)).expect("a file of UTF-8");
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let mut found = 0;
            for row in reader.records() {
                row.expect("a row of as many fields as the header");
                found += 1;
            }
            assert_eq!(found, *rows, "{file}");
            text
        };
        written.iter().map(read).collect::<Vec<String>>()
    };
    let one = bytes(1, 1, "one");
    assert!(one == bytes(1, 3, "three"), "the number of threads does not matter");
    assert!(one[0] != bytes(2, 1, "other")[0], "another seed is another country");
}

#[test]
fn a_region_and_an_earlier_day_can_be_asked_for() {
    use base::codes::Birthplace;
    let options = country::Options {
        seed: 9,
        persons: 2_000,
        until: Day::of(2024, 12, 31),
        provinces: vec![35, 36, 37],
    };
    let (full, _) = told(9, 500);
    let region = country::Country::new(options, full.units().clone()).expect("three provinces");
    let (mut home, mut all) = (0, 0);
    for community in region.communities() {
        for person in community.living() {
            assert!(person.birth <= Day::of(2024, 12, 31));
            let born = person.person_number().map(|number| number.birthplace());
            home += u32::from(matches!(born, Some(Birthplace::Province { code: 35..=37, .. })));
            all += 1;
        }
    }
    assert!(home * 10 > all * 7, "{home} of {all} were born there");
}

#[test]
fn wrong_options_are_refused() {
    let (full, _) = told(1, 500);
    let refused = |change: &dyn Fn(&mut country::Options)| {
        let mut options = country::Options::default();
        change(&mut options);
        let error = country::Country::new(options, full.units().clone()).expect_err("refused");
        error
            .problems()
            .and_then(|p| p.iter().next())
            .map(|p| p.code.clone())
            .expect("one problem")
    };
    assert_eq!(refused(&|o| o.persons = 99), "country-size");
    assert_eq!(refused(&|o| o.persons = 10_000_001), "country-size");
    assert_eq!(refused(&|o| o.until = Day::of(2019, 12, 31)), "country-day");
    assert_eq!(refused(&|o| o.provinces = vec![3]), "unknown-province");
}

#[test]
fn broken_tables_of_units_are_refused_line_by_line() {
    use country::{UnitSources, Units};
    let error = Units::read(UnitSources {
        provinces: "h\n01,2025-01-01,2025-06-30,thành phố,Hà Nội,Ha Noi,,",
        districts: "h\n001,2025-01-01,2025-06-30,quận,Ba Đình,01",
        communes: "h\n00001,2025-01-01,2025-06-30,phường,Phúc Xá,01,001\n00002,2025-01-01,2025-06-30,phường,X,99,001\nshort",
        changes: "h\n00001,2025-01-01,00097,2025-07-01,2025-07-01,merged,1,",
    })
    .expect_err("broken");
    let found: Vec<(&str, &str)> = error
        .problems()
        .into_iter()
        .flatten()
        .map(|p| (p.code.as_str(), p.at.as_str()))
        .collect();
    for expected in [
        ("unknown-unit", "provinces.csv"),
        ("unknown-unit", "communes.csv:3"),
        ("not-a-row", "communes.csv:4"),
        ("unknown-unit", "changes-2025.csv:2"),
        ("no-successor", "changes-2025.csv:00001"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
}
