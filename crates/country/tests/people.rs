//! Whether the people of several countries hold together.

mod common;

use std::collections::{HashMap, HashSet};

use base::codes::{Birthplace, PersonNumber, Sex};
use common::told;
use country::{Day, MERGER, people::PersonId};

const SEEDS: [u64; 3] = [1, 2, 77];

#[test]
fn parents_are_grown_and_alive_and_links_go_both_ways() {
    for seed in SEEDS {
        let (_, communities) = told(seed, 3_000);
        let mut twins = 0;
        for community in &communities {
            for child in &community.persons {
                for (parent, sex) in [(child.mother, Sex::Female), (child.father, Sex::Male)] {
                    let Some(parent) = parent.map(|id| community.person(id)) else {
                        continue;
                    };
                    assert_eq!(parent.sex, sex);
                    assert!(
                        (18..=45).contains(&parent.age_on(child.birth)),
                        "{child:?} of {parent:?}"
                    );
                    assert!(parent.lives_on(child.birth));
                    assert_eq!(parent.children.iter().filter(|id| **id == child.id).count(), 1);
                }
                for id in &child.children {
                    let own = community.person(*id);
                    assert!(own.mother == Some(child.id) || own.father == Some(child.id));
                }
                for pair in child.children.windows(2) {
                    let [elder, younger] = [pair[0], pair[1]].map(|id| community.person(id));
                    if child.sex == Sex::Female {
                        let apart = younger.birth.since(elder.birth);
                        assert!(apart == 0 || apart > 540, "{apart} days");
                        twins += u32::from(apart == 0);
                    }
                    assert_ne!(elder.name, younger.name, "brothers and sisters differ in name");
                }
            }
        }
        assert!((5..150).contains(&twins), "{twins} pairs of twins");
    }
}

#[test]
fn marriages_are_of_the_age_not_of_kin_and_one_at_a_time() {
    for seed in SEEDS {
        let (_, communities) = told(seed, 3_000);
        let mut divorces = 0;
        for community in &communities {
            for (at, marriage) in community.marriages.iter().enumerate() {
                let (husband, wife) = (community.person(marriage.husband), community.person(marriage.wife));
                assert_eq!((husband.sex, wife.sex), (Sex::Male, Sex::Female));
                assert!(husband.age_on(marriage.from) >= 20 && wife.age_on(marriage.from) >= 18);
                for (one, other) in [(husband, wife), (wife, husband)] {
                    assert!(one.lives_on(marriage.from) && one.marriages.contains(&at));
                    assert_ne!([one.mother, one.father], [Some(other.id); 2]);
                    assert!(
                        one.mother.is_none() || one.mother != other.mother,
                        "never brother and sister"
                    );
                    assert_eq!(community.spouse_on(one, marriage.from).map(|p| p.id), Some(other.id));
                }
                if let Some(divorced) = marriage.divorced {
                    assert!(divorced > marriage.from && husband.lives_on(divorced) && wife.lives_on(divorced));
                    divorces += 1;
                }
            }
            for person in &community.persons {
                let mut free = person.birth;
                for marriage in person.marriages.iter().map(|at| community.marriages[*at]) {
                    assert!(marriage.from >= free, "one at a time");
                    let spouse = if marriage.husband == person.id {
                        marriage.wife
                    } else {
                        marriage.husband
                    };
                    let ends = [marriage.divorced, community.person(spouse).death]
                        .into_iter()
                        .flatten()
                        .min();
                    free = ends.unwrap_or(Day::of(9999, 1, 1));
                }
            }
        }
        assert!(divorces > 20, "{divorces} divorces");
    }
}

#[test]
fn stays_cover_a_life_without_overlap_in_units_of_their_time() {
    for seed in SEEDS {
        let (country, communities) = told(seed, 3_000);
        let units = country.units();
        let codes_before: HashSet<&str> = units
            .communes_before()
            .map(|at| units.before(at).code.as_str())
            .collect();
        let (mut moves, mut across) = (0, 0);
        for community in &communities {
            let mut housed = HashMap::new();
            for (household, members) in community.households.iter().enumerate() {
                for member in members {
                    assert_eq!(housed.insert(*member, household), None, "in one household only");
                }
            }
            for person in &community.persons {
                let stays = &person.residences;
                assert_eq!(stays.first().map(|stay| stay.from), Some(person.since()));
                assert!(
                    stays
                        .windows(2)
                        .all(|w| w[0].from < w[1].from && w[0].household != w[1].household)
                );
                assert!(stays.iter().all(|stay| person.lives_on(stay.from)));
                let last = stays.last().expect("a home");
                let home = person.death.is_none().then_some(last.household as usize);
                assert_eq!(
                    housed.get(&person.id).copied(),
                    home,
                    "the living and no others are housed"
                );
                for stay in stays {
                    let address = stay.address;
                    assert!(
                        units.successors(address.before).contains(&address.after),
                        "the map knows the move"
                    );
                    let (eve, morning) = (MERGER.plus(-1), MERGER);
                    assert!(codes_before.contains(address.commune_code(units, eve)));
                    assert_eq!(address.commune_code(units, morning), units.after(address.after).code);
                    assert_eq!(
                        address.text(units, eve).matches(", ").count(),
                        3,
                        "commune, district, province"
                    );
                    assert_eq!(
                        address.text(units, morning).matches(", ").count(),
                        2,
                        "commune, province"
                    );
                }
                moves += stays.len() - 1;
                across += usize::from(last.from < MERGER && person.death.is_none());
            }
        }
        assert!(
            moves > 2_000 && across > 2_000,
            "{moves} moves, {across} homes older than the merger"
        );
    }
}

#[test]
fn numbers_are_unique_and_agree_with_their_owner() {
    for seed in SEEDS {
        let (_, communities) = told(seed, 6_000);
        let (mut numbers, mut cards, mut insurance) = (HashSet::new(), HashSet::new(), HashSet::new());
        let (mut without, mut living, mut foreign) = (0, 0, 0);
        for community in &communities {
            for person in &community.persons {
                if let Some((_, given)) = person.number {
                    let number: PersonNumber = person.person_number().expect("well formed");
                    assert_eq!(number.check_against(Some(person.birth.date()), Some(person.sex)), []);
                    match number.birthplace() {
                        Birthplace::Province { code, .. } => assert_eq!(u16::from(code), person.birthplace),
                        Birthplace::Abroad(code) => assert_eq!(code, person.birthplace),
                    }
                    assert!(person.lives_on(given) && given <= community.until);
                    assert!(numbers.insert(number));
                }
                if let Some((_, issued)) = person.old_card {
                    assert!(person.lives_on(issued) && person.age_on(issued) >= 14);
                    assert!(cards.insert(person.old_card_number().expect("nine digits")));
                }
                for issued in &person.cards {
                    let (_, given) = person.number.expect("a card has a number");
                    assert!(person.lives_on(*issued) && person.age_on(*issued) >= 14 && *issued >= given);
                }
                if person.arrived.is_some() {
                    assert!(person.nationality != "VN" && person.number.is_none() && person.old_card.is_none());
                    foreign += 1;
                } else if person.death.is_none() {
                    living += 1;
                    without += u32::from(person.number.is_none());
                }
            }
            for record in &community.insurance {
                assert!(record.number < 10_000_000_000 && insurance.insert(record.number));
                if let Some(card) = record.card {
                    let code = card.code();
                    assert_eq!(
                        (code.len(), &code[5..]),
                        (15, format!("{:010}", record.number).as_str())
                    );
                    assert!(card.from >= record.given && card.from <= community.until);
                }
            }
        }
        assert!(
            f64::from(without) < 0.01 * f64::from(living),
            "only the newly born have none yet"
        );
        assert!(
            cards.len() > 3_000 && (1..100).contains(&foreign),
            "{foreign} foreigners"
        );
    }
}

#[test]
fn the_country_looks_like_one() {
    let (country, communities) = told(5, 20_000);
    assert_eq!(country.len() as usize, communities.len());
    let living: Vec<_> = communities.iter().flat_map(|c| c.living()).collect();
    let share = |count: usize| count as f64 / living.len() as f64;
    let of = |test: &dyn Fn(&country::people::Person) -> bool| share(living.iter().filter(|p| test(p)).count());
    let near = |what: &str, found: f64, expected: f64, by: f64| {
        assert!((found - expected).abs() < by, "{what}: {found:.3} for {expected}");
    };
    near("size", living.len() as f64 / 20_000.0, 1.0, 0.03);
    near("Nguyễn", of(&|p| p.name.surname == "Nguyễn"), 0.34, 0.05);
    near("Trần", of(&|p| p.name.surname == "Trần"), 0.095, 0.03);
    near("Kinh", of(&|p| p.ethnicity.entry().0 == "01"), 0.86, 0.07);
    let until = country.options().until;
    near("under fifteen", of(&|p| p.age_on(until) < 15), 0.21, 0.03);
    near("over sixty-five", of(&|p| p.age_on(until) >= 65), 0.10, 0.04);
    near("women", of(&|p| p.sex == Sex::Female), 0.5, 0.02);
    let old = |p: &country::people::Person| p.birth < Day::of(1955, 1, 1);
    let default = |p: &country::people::Person| old(p) && p.birth.parts().1 == 1 && p.birth.parts().2 == 1;
    assert!(
        of(&default) > 0.01 * of(&old),
        "some of the old have a default birthday"
    );
    let homes = communities
        .iter()
        .flat_map(|c| &c.households)
        .filter(|h| !h.is_empty())
        .count();
    near("persons a household", living.len() as f64 / homes as f64, 3.0, 0.6);
    let orphaned = communities
        .iter()
        .flat_map(|c| c.households.iter().map(move |h| (c, h)))
        .filter(|(c, h)| !h.is_empty() && h.iter().all(|id: &PersonId| c.person(*id).age_on(until) < 15))
        .count();
    assert!(orphaned < homes / 200, "{orphaned} households of children alone");
}
