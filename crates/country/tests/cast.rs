//! People who are known beforehand and live in the country like everybody else.

mod common;

use base::codes::Sex;
use common::told;
use country::{Day, Part, history::What};

fn part(name: &'static str, number: &str, sex: Sex, birth: Day) -> Part {
    Part {
        name,
        number: number.parse().expect("a number"),
        sex,
        birth,
        commune: "14329",
        company: None,
    }
}

#[test]
fn who_is_given_a_part_keeps_family_work_and_history() {
    for seed in [1, 2, 3] {
        let (country, mut communities) = told(seed, 1_000);
        let units = country.units();
        let community = &mut communities[0];
        let woman = part("Nguyễn Thị Hương", "037190001234", Sex::Female, Day::of(1990, 5, 12));
        let man = Part {
            company: Some((100_112_437, "Công ty TNHH Xây dựng Tràng An")),
            ..part("Đinh Văn Long", "037085005678", Sex::Male, Day::of(1985, 9, 30))
        };
        let reports = community.reports().len();
        let (her, him) = (community.cast(units, &woman), community.cast(units, &man));
        let (her, him) = (her.expect("a woman fits"), him.expect("a man fits"));
        assert_eq!(community.reports().len(), reports, "nothing else has happened");

        let person = community.person(her);
        assert_eq!(person.name.to_string(), "Nguyễn Thị Hương");
        assert_eq!(
            person.person_number().map(String::from).as_deref(),
            Some("037190001234")
        );
        let home = person.residences.last().expect("a home");
        assert_eq!(home.address.commune_code(units, community.until), "14329");
        let spouse = community.spouse_on(person, community.until).expect("a husband");
        assert!(spouse.sex == Sex::Male && spouse.number.is_some());
        let housemates = community.households[home.household as usize]
            .iter()
            .map(|id| community.person(*id));
        for other in housemates {
            let home = other.residences.last().expect("a home");
            assert_eq!(
                home.address.commune_code(units, community.until),
                "14329",
                "they live together"
            );
        }
        for child in &person.children {
            assert!(community.person(*child).birth.age_since(person.birth) >= 18);
        }
        let birth = community
            .reports()
            .into_iter()
            .find(|report| report.what == What::Birth(her));
        assert_eq!(birth.map(|report| report.on.year()), Some(1990));

        let company = community
            .companies
            .iter()
            .find(|company| company.tax_code == 100_112_437);
        let company = company.expect("the company");
        assert_eq!(company.code(None).map(String::from).as_deref(), Some("0100112437"));
        assert_eq!(company.directors.last().map(|(_, id)| *id), Some(him));
    }
}

#[test]
fn a_part_that_nobody_fits_is_given_to_nobody() {
    let (country, mut communities) = told(4, 500);
    let community = &mut communities[0];
    let unborn = part("Lê Thị An", "037331001234", Sex::Female, Day::of(2031, 1, 1));
    assert_eq!(community.cast(country.units(), &unborn), None);
    let nowhere = Part {
        commune: "99999",
        ..part("Lê Thị An", "037190001234", Sex::Female, Day::of(1990, 1, 1))
    };
    assert_eq!(community.cast(country.units(), &nowhere), None);
}
