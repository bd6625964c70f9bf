//! The books of civil status: births, marriages and deaths, each community's in the book of one commune.

use std::collections::{BTreeMap, HashMap, HashSet};

use country::{
    Community, Day, MERGER,
    history::{Entry, Report, What},
    people::{Person, PersonId},
};
use serde_json::{Value, json};

use super::{
    BEGUN, Land, TAKEN_OVER,
    chronicle::{Chronicle, Told},
    sex,
};

/// The first year whose books were read in.
const OLDEST: i32 = 1945;

pub fn records(land: &Land) -> Vec<Chronicle> {
    let mut taken = HashSet::new();
    land.communities
        .iter()
        .flat_map(|community| match book(land, community, &mut taken) {
            Some(book) => of_community(community, &book),
            None => Vec::new(),
        })
        .collect()
}

/// The old and the new commune that keep a community's book: where most of it live. No two communities have one book, or their
/// numbers would be the same.
fn book(land: &Land, community: &Community, taken: &mut HashSet<String>) -> Option<(String, String)> {
    let mut homes: BTreeMap<(u16, u16), usize> = BTreeMap::new();
    for person in community.living() {
        if let Some(home) = person.residences.last() {
            *homes.entry((home.address.before, home.address.after)).or_default() += 1;
        }
    }
    let mut homes: Vec<_> = homes.into_iter().collect();
    homes.sort_by_key(|(home, people)| (std::cmp::Reverse(*people), *home));
    let codes = |(before, after): (u16, u16)| {
        (
            land.units.before(before).code.clone(),
            land.units.after(after).code.clone(),
        )
    };
    let free = |(before, after): &(String, String)| !taken.contains(before) && !taken.contains(after);
    let (before, after) = homes.into_iter().map(|(home, _)| codes(home)).find(free)?;
    taken.extend([before.clone(), after.clone()]);
    Some((before, after))
}

fn of_community(community: &Community, (before, after): &(String, String)) -> Vec<Chronicle> {
    let mut entries: Vec<Chronicle> = Vec::new();
    let mut of: HashMap<What, (usize, Day)> = HashMap::new();
    for report in community.reports() {
        // Older books were never read in.
        let Some(entry) = report.entry.filter(|entry| entry.year >= OLDEST) else {
            continue;
        };
        let (at, registered) = *of.entry(report.what).or_insert((entries.len(), report.recorded));
        let commune = if registered < MERGER { before } else { after };
        let body = body(community, &report, entry, registered, commune);
        let told = Told {
            recorded: report.recorded.max(BEGUN),
            source: if report.recorded <= BEGUN {
                TAKEN_OVER
            } else {
                "Sổ hộ tịch"
            },
            corrects: None,
            from: registered,
            body,
        };
        match entries.get_mut(at) {
            None => entries.push(Chronicle { told: vec![told] }),
            // A mistake that was mended before the registry began was never in it.
            Some(entry) if told.recorded == BEGUN => entry.told = vec![told],
            Some(entry) => entry.told.push(Told {
                corrects: Some(1),
                ..told
            }),
        }
    }
    entries
}

/// What an entry says.
fn body(community: &Community, report: &Report, entry: Entry, registered: Day, commune: &str) -> Value {
    let (kind, parties) = match report.what {
        What::Birth(id) => {
            let child = community.person(id);
            let mut body = party(child);
            body["birth_date"] = report.on.to_string().into();
            body["sex"] = sex(child.sex).into();
            body["ethnicity"] = child.ethnicity.entry().0.into();
            body["nationality"] = child.nationality.into();
            let of = |id: Option<PersonId>| id.map(|id| party(community.person(id)));
            (
                "birth",
                vec![
                    ("child", Some(body)),
                    ("mother", of(child.mother)),
                    ("father", of(child.father)),
                ],
            )
        }
        What::Married(at) => {
            let marriage = &community.marriages[at];
            let of = |id| Some(party(community.person(id)));
            (
                "marriage",
                vec![("husband", of(marriage.husband)), ("wife", of(marriage.wife))],
            )
        }
        What::Died(id) => {
            let day = Some(report.on.to_string().into());
            (
                "death",
                vec![("deceased", Some(party(community.person(id)))), ("death_date", day)],
            )
        }
        // Of nothing else is there a book.
        _ => ("", Vec::new()),
    };
    let mut body = json!({
        "kind": kind, "commune": commune, "year": entry.year, "number": entry.number,
        "registered_on": registered.to_string(),
    });
    for (field, value) in parties {
        if let Some(value) = value {
            body[field] = value;
        }
    }
    body
}

/// Somebody as an entry names them: with their number, by which the books were matched when they were read in.
fn party(person: &Person) -> Value {
    let mut body = json!({ "name": person.name.to_string(), "birth_date": person.birth.to_string() });
    if let Some(number) = person.person_number() {
        body["person_number"] = number.as_str().into();
    }
    body
}
