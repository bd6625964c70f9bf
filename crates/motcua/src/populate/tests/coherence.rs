//! One country in seven registries: what one says, the others say, too.

use std::collections::{HashMap, HashSet};

use country::{
    Community, Country, Day, MERGER,
    history::{Report, What},
    people::PersonId,
    work::Status,
};
use serde_json::Value;

use super::{folded, records};
use crate::{
    nation::land,
    populate::{Chronicle, Scribe},
};

/// A registry, by key.
struct Book(HashMap<String, Chronicle>);

impl Book {
    fn of(land: &Country, registry: &str, key: &str) -> Self {
        let records = records(land, registry).into_iter();
        let keyed = records.map(|record| {
            let body = record.told.iter().find_map(|told| told.body.as_ref());
            let key = body.expect("a body")[key].as_str().expect("a key").to_owned();
            (key, record)
        });
        Self(keyed.collect())
    }

    /// What holds of a key on a day, as is known in the end.
    fn says(&self, land: &Country, key: &str, on: Day) -> Option<Value> {
        folded(self.0.get(key)?, on, land.options().until)
    }
}

/// First days of months since the registries began.
fn months(land: &Country) -> Vec<Day> {
    let mut day = Day::of(2022, 8, 1);
    let mut months = Vec::new();
    while day <= land.options().until {
        months.push(day);
        day = day.plus(31).month();
    }
    months
}

/// Whose happenings are not all known as they were in the end: heard of too late, or wrongly and not mended yet.
#[derive(Default)]
struct Mistaken {
    persons: HashSet<PersonId>,
    /// By tax code.
    companies: HashSet<String>,
}

impl Mistaken {
    fn of(land: &Country) -> Self {
        let mut all = Self::default();
        for community in land.communities() {
            let mut known: HashMap<What, Day> = HashMap::new();
            for Report { what, on, .. } in community.reports() {
                known.insert(what, on);
            }
            all.look(&community, &known);
        }
        all
    }

    fn look(&mut self, community: &Community, known: &HashMap<What, Day>) {
        for person in &community.persons {
            let moves = person.residences.iter().enumerate().skip(1);
            let mut happened: Vec<(What, Day)> = moves
                .map(|(nth, stay)| (What::Moved(person.id, nth), stay.from))
                .collect();
            happened.extend(person.death.map(|day| (What::Died(person.id), day)));
            if happened.iter().any(|(what, day)| known.get(what) != Some(day)) {
                self.persons.insert(person.id);
            }
        }
        for (at, job) in community.jobs.iter().enumerate().filter(|(_, job)| job.insured) {
            let end = job.to.map(|to| (What::JobEnded(at), to));
            let mut happened = [Some((What::JobBegun(at), job.from)), end].into_iter().flatten();
            if happened.any(|(what, day)| known.get(&what) != Some(&day)) {
                self.persons.insert(job.person);
            }
        }
        for (at, company) in community.companies.iter().enumerate() {
            let happened = match company.status {
                Status::Active => None,
                Status::Suspended(day) => Some((What::CompanySuspended(at), day)),
                Status::Closed(day) => Some((What::CompanyClosed(at), day)),
            };
            if happened.is_some_and(|(what, day)| known.get(&what) != Some(&day)) {
                self.companies.extend(company.code(None).map(String::from));
            }
        }
    }

    /// By personal number.
    fn numbers(&self, land: &Country) -> HashSet<String> {
        let persons = land.communities().flat_map(|community| community.persons);
        persons
            .filter(|person| self.persons.contains(&person.id))
            .filter_map(|person| person.person_number().map(String::from))
            .collect()
    }
}

fn two_thousand() -> Country {
    land(2_000).expect("a country")
}

#[test]
fn nobody_is_insured_or_resides_after_death_and_each_employer_is_there() {
    let land = two_thousand();
    let population = Book::of(&land, "population", "person_number");
    let residence = Book::of(&land, "residence", "person_number");
    let insurance = Book::of(&land, "social-insurance", "person_number");
    let enterprises = Book::of(&land, "enterprises", "tax_code");
    let tax = Book::of(&land, "tax", "taxpayer_number");
    let mistaken = Mistaken::of(&land);
    let numbers = mistaken.numbers(&land);
    let (mut dead, mut employed, mut unlike) = (0, 0, 0);
    for on in months(&land).into_iter().step_by(4) {
        for number in population.0.keys() {
            let Some(person) = population.says(&land, number, on) else {
                continue;
            };
            let home = residence.says(&land, number, on);
            if person["status"] == "dead" {
                dead += 1;
                assert_eq!(home, None, "{number} resides on {on}");
                assert_eq!(insurance.says(&land, number, on), None, "{number} is insured on {on}");
                if let Some(taxpayer) = tax.says(&land, number, on) {
                    assert_eq!(taxpayer["status"], "closed", "{number} on {on}");
                }
            } else if let Some(home) = home {
                unlike += usize::from(home["address"] != person["residence"]);
            }
        }
        for number in insurance.0.keys().filter(|number| !numbers.contains(*number)) {
            let Some(insured) = insurance
                .says(&land, number, on)
                .filter(|i| i["status"] == "contributing")
            else {
                continue;
            };
            assert!(population.0.contains_key(number), "{number} is insured and unknown");
            let employer = insured["employer_tax_code"].as_str().unwrap_or_default();
            if mistaken.companies.contains(employer) || !enterprises.0.contains_key(employer) {
                continue;
            }
            employed += 1;
            let enterprise = enterprises
                .says(&land, employer, on)
                .expect("the employer is registered");
            assert_eq!(enterprise["status"], "active", "{employer} pays for {number} on {on}");
            let taxpayer = tax.says(&land, employer, on).expect("the employer is a taxpayer");
            assert_eq!(taxpayer["status"], "active", "{employer} on {on}");
        }
    }
    assert!(dead > 100 && employed > 1_000, "{dead} {employed}");
    assert_eq!(unlike, 0, "population and residence have one address");
}

/// In each household on each day one head, who says so of themselves.
#[test]
fn members_of_a_household_have_one_head_who_is_its_head() {
    let land = two_thousand();
    let residence = Book::of(&land, "residence", "person_number");
    // Where somebody's move is not known yet, they are still with those whom they left.
    let mistaken = Mistaken::of(&land);
    let mut unsure = HashSet::new();
    for community in land.communities() {
        let persons = community.persons.iter();
        for person in persons.filter(|person| mistaken.persons.contains(&person.id)) {
            unsure.extend(person.residences.iter().map(|stay| (community.index, stay.household)));
        }
    }
    let mut numbers = HashSet::new();
    for community in land.communities() {
        for person in &community.persons {
            let sure = person
                .residences
                .iter()
                .all(|stay| !unsure.contains(&(community.index, stay.household)));
            numbers.extend(person.person_number().filter(|_| sure).map(String::from));
        }
    }
    let (mut seen, mut others) = (0, 0);
    for on in months(&land) {
        for number in &numbers {
            let Some(member) = residence.says(&land, number, on) else {
                continue;
            };
            let head = member["head_person_number"].as_str().expect("a head");
            let said = residence.says(&land, head, on).expect("the head resides");
            assert_eq!(said["relation_to_head"], "head", "{head} of {number} on {on}");
            assert_eq!(said["household"], member["household"], "{head} and {number} on {on}");
            assert_eq!(said["address"], member["address"], "{head} and {number} on {on}");
            seen += 1;
            others += usize::from(head != number);
        }
    }
    assert!(seen > 20_000 && others > seen / 3, "{others} of {seen}");
}

#[test]
fn households_of_two_communities_never_have_one_number() {
    let land = two_thousand();
    let mut of: HashMap<String, u32> = HashMap::new();
    let mut households = 0;
    // As many communities as there are in a country of a million.
    let scribe = Scribe {
        units: land.units(),
        communities: 2_000,
    };
    for community in land.communities() {
        for record in scribe.records("residence", &community) {
            for body in record.told.iter().filter_map(|told| told.body.as_ref()) {
                let number = body["household"].as_str().expect("a number").to_owned();
                assert_eq!(*of.entry(number).or_insert(community.index), community.index);
                households += 1;
            }
        }
    }
    assert!(households > 2_000, "{households}");
}

/// One person whose move is known late, through both times.
#[test]
fn a_move_that_is_reported_late_falls_into_its_place() {
    let land = two_thousand();
    let residence = Book::of(&land, "residence", "person_number");
    let (community, mover, report) = land
        .communities()
        .find_map(|community| {
            let late = community.reports().into_iter().find(|report| {
                let right = report.corrects.is_none() && report.on > BEGINS && report.recorded < MERGER.plus(-40);
                let What::Moved(id, nth) = report.what else {
                    return false;
                };
                let person = community.person(id);
                let far =
                    |a: usize, b: usize| person.residences[a].address.before != person.residences[b].address.before;
                right
                    && report.recorded.since(report.on) > 90
                    && nth + 1 == person.residences.len()
                    && far(nth - 1, nth)
                    && person.residences[nth].from == report.on
                    && person.death.is_none()
                    && person.number.is_some_and(|(_, given)| given < BEGINS)
            })?;
            let What::Moved(id, _) = late.what else { return None };
            Some((community, id, late))
        })
        .expect("somebody moved and said so late");
    let moved = community.person(mover);
    let number = moved.person_number().expect("a number");
    let record = &residence.0[number.as_str()];
    let commune = |on: Day, known: Day| {
        let body = folded(record, on, known).expect("they reside");
        body["address"]["commune"].as_str().expect("a commune").to_owned()
    };
    let [.., old, new] = moved.residences.as_slice() else {
        panic!("two stays")
    };
    let (on, told) = (report.on, report.recorded);
    let before = |stay: &country::people::Residence| land.units().before(stay.address.before).code.clone();
    assert_eq!(commune(on, told.plus(-1)), before(old), "the move is not known yet");
    assert_eq!(commune(told.plus(-1), told.plus(-1)), before(old));
    assert_eq!(commune(on.plus(-1), told), before(old), "until the move it was so");
    assert_eq!(commune(on, told), before(new), "since then, as is known now");
    assert_eq!(
        commune(MERGER.plus(-1), land.options().until),
        before(new),
        "the old unit before 1 July 2025"
    );
    let after = &land.units().after(new.address.after).code;
    assert_eq!(
        &commune(MERGER, land.options().until),
        after,
        "and what it became after"
    );
    let merged = record
        .told
        .iter()
        .find(|told| told.recorded == MERGER)
        .expect("a version");
    assert_eq!(merged.ground.basis, "Nghị quyết số 202/2025/QH15");
    assert!(community.persons.len() > 100);
}

/// After the registries began, with room for what was taken over.
const BEGINS: Day = Day::of(2022, 9, 1);

/// Somebody is hired, paid for, and leaves.
#[test]
fn contributions_begin_and_end_with_the_job() {
    let land = two_thousand();
    let insurance = Book::of(&land, "social-insurance", "person_number");
    let mistaken = Mistaken::of(&land);
    let mut followed = 0;
    for community in land.communities() {
        for insured in &community.insurance {
            let person = community.person(insured.person);
            if mistaken.persons.contains(&person.id) || person.death.is_some() || insured.pension.is_some() {
                continue;
            }
            let (Some(number), Some(spell)) = (person.person_number(), insured.contributions.last()) else {
                continue;
            };
            let job = &community.jobs[spell.job];
            let Some(last) = spell
                .to
                .filter(|_| spell.from > BEGINS && job.to.map(Day::month) == spell.to)
            else {
                continue;
            };
            let status = |on: Day| {
                insurance
                    .says(&land, number.as_str(), on)
                    .map(|body| body["status"].clone())
            };
            assert_eq!(status(spell.from).as_ref(), Some(&"contributing".into()), "{number}");
            assert_eq!(status(last).as_ref(), Some(&"contributing".into()), "{number}");
            let after = insurance.says(&land, number.as_str(), last.plus(31).month());
            let after = after.expect("a record");
            assert_eq!(after["status"], "paused", "{number}");
            assert_eq!(after["employer_tax_code"], Value::Null, "{number}");
            let (year, month, _) = last.parts();
            assert_eq!(after["paid_until"], format!("{year:04}-{month:02}"), "{number}");
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed}");
}
