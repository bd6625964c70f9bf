//! The books of civil status: births, marriages and deaths, each community's in the book of one commune.

use std::collections::HashMap;

use country::{
    Community, Day, MERGER,
    history::{Entry, Report, What},
    people::{Person, PersonId},
};
use serde_json::{Value, json};

use super::{
    BEGUN, Scribe, TAKEN_OVER,
    chronicle::{Chronicle, Ground, Told},
    sex,
};

/// The first year whose books were read in.
const OLDEST: i32 = 1945;
const BOOK: Ground = Ground {
    source: "Sổ hộ tịch",
    basis: "Luật Hộ tịch số 60/2014/QH13",
};

pub fn records(scribe: &Scribe<'_>, community: &Community) -> Vec<Chronicle> {
    let (before, after) = community.registrar;
    let (before, after) = (&scribe.units.before(before).code, &scribe.units.after(after).code);
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
            ground: if report.recorded <= BEGUN { TAKEN_OVER } else { BOOK },
            corrects: None,
            from: registered,
            body: Some(body),
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
    // Communities whose books one commune keeps take turns with its numbers.
    let (nth, of) = community.books;
    let number = (entry.number - 1) * of + nth + 1;
    let mut body = json!({
        "kind": kind, "commune": commune, "year": entry.year, "number": number,
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
