//! Citizens: everybody who has a personal number and was alive when the registry began, or was born since.

use std::collections::HashMap;

use country::{
    Community, Day, MERGER,
    history::{Report, What},
    people::{Person, PersonId},
};
use serde_json::{Value, json};

use super::{
    BEGUN, MERGED, Scribe, TAKEN_OVER,
    chronicle::{Chronicle, Fact, Ground},
    sex,
};

const BORN: Ground = Ground {
    source: "Đăng ký khai sinh",
    basis: "Luật Hộ tịch số 60/2014/QH13",
};
const FORMER_CARD: Ground = Ground {
    source: "Hồ sơ cấp chứng minh nhân dân",
    basis: "Luật Căn cước số 26/2023/QH15",
};
const MOVED: Ground = Ground {
    source: "Đăng ký thường trú",
    basis: "Luật Cư trú số 68/2020/QH14, Điều 22",
};
const MARRIED: Ground = Ground {
    source: "Đăng ký kết hôn",
    basis: "Luật Hộ tịch số 60/2014/QH13, Điều 18",
};
const DIVORCED: Ground = Ground {
    source: "Bản án, quyết định ly hôn của Tòa án",
    basis: "Luật Hôn nhân và gia đình số 52/2014/QH13, Điều 57",
};
const DIED: Ground = Ground {
    source: "Đăng ký khai tử",
    basis: "Luật Hộ tịch số 60/2014/QH13, Điều 34",
};

/// What changes a citizen's record.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Happened {
    Born,
    FormerCard,
    Moved(usize),
    Married(usize),
    Divorced(usize),
    Widowed(usize),
    Died,
    /// The units of their residence are others since then.
    Merged,
}

pub fn records(scribe: &Scribe<'_>, community: &Community) -> Vec<Chronicle> {
    let mut facts: HashMap<PersonId, Vec<Fact<Happened>>> = HashMap::new();
    for report in community.reports() {
        for (id, what, ground) in about(community, &report) {
            let fact = Fact {
                what,
                on: report.on,
                recorded: report.recorded,
                ground,
            };
            facts.entry(id).or_default().push(fact);
        }
    }
    let citizens = community.persons.iter().filter(|person| person.nationality == "VN");
    citizens
        .filter_map(|person| record(scribe, community, person, facts.remove(&person.id)?))
        .collect()
}

/// Whom a report is about, and what it means for them.
fn about(community: &Community, report: &Report) -> Vec<(PersonId, Happened, Ground)> {
    let of_both = |at: usize, happened: fn(usize) -> Happened, ground| {
        let marriage = &community.marriages[at];
        vec![
            (marriage.husband, happened(at), ground),
            (marriage.wife, happened(at), ground),
        ]
    };
    match report.what {
        What::Birth(id) => vec![(id, Happened::Born, BORN)],
        What::OldCardIssued(id) => vec![(id, Happened::FormerCard, FORMER_CARD)],
        What::Moved(id, nth) => vec![(id, Happened::Moved(nth), MOVED)],
        What::Married(at) => of_both(at, Happened::Married, MARRIED),
        What::Divorced(at) => of_both(at, Happened::Divorced, DIVORCED),
        What::Died(id) => {
            let mut about = vec![(id, Happened::Died, DIED)];
            for at in &community.person(id).marriages {
                let marriage = &community.marriages[*at];
                if marriage.divorced.is_none() {
                    let other = if marriage.husband == id {
                        marriage.wife
                    } else {
                        marriage.husband
                    };
                    about.push((other, Happened::Widowed(*at), DIED));
                }
            }
            about
        }
        _ => Vec::new(),
    }
}

fn record(
    scribe: &Scribe<'_>,
    community: &Community,
    person: &Person,
    mut facts: Vec<Fact<Happened>>,
) -> Option<Chronicle> {
    let (_, given) = person.number?;
    // Of whom nothing was known before the number was given, it is known since then.
    let begun = BEGUN.max(given);
    let died = facts
        .iter()
        .filter(|fact| fact.what == Happened::Died)
        .map(|fact| fact.recorded)
        .min();
    if died.is_some_and(|died| died <= begun) || !facts.iter().any(|fact| fact.what == Happened::Born) {
        return None;
    }
    // After the death of one spouse the other does not become widowed any more.
    facts.retain(|fact| !matches!(fact.what, Happened::Widowed(_)) || person.lives_on(fact.on));
    if person.birth < MERGER && died.is_none_or(|died| died > MERGER) {
        facts.push(Fact {
            what: Happened::Merged,
            on: MERGER,
            recorded: MERGER,
            ground: MERGED,
        });
    }
    let body = |happened: &[(Happened, Day)], on: Day| Some(body(scribe, community, person, happened, on));
    // A child's record begins with the registration of the birth, by which it has its number.
    let begun = if given > BEGUN { Day::of(1900, 1, 1) } else { begun };
    for fact in &mut facts {
        fact.recorded = fact.recorded.max(given);
    }
    Chronicle::of(facts, begun, TAKEN_OVER, body)
}

fn body(scribe: &Scribe<'_>, community: &Community, person: &Person, happened: &[(Happened, Day)], on: Day) -> Value {
    let number = |id: Option<PersonId>| id.and_then(|id| community.person(id).person_number()).map(String::from);
    let (mut born, mut died, mut has_card, mut stay, mut marital) = (person.birth, None, false, 0, "single");
    for (what, day) in happened {
        match what {
            Happened::Born => born = *day,
            Happened::FormerCard => has_card = true,
            Happened::Moved(nth) => stay = *nth,
            Happened::Married(_) => marital = "married",
            Happened::Divorced(_) => marital = "divorced",
            Happened::Widowed(_) => marital = "widowed",
            Happened::Died => died = Some(*day),
            Happened::Merged => {}
        }
    }
    let mut body = json!({
        "person_number": number(Some(person.id)),
        "name": person.name.to_string(),
        "birth_date": born.to_string(),
        "sex": sex(person.sex),
        "ethnicity": person.ethnicity.entry().0,
        "nationality": person.nationality,
        "marital_status": marital,
        "status": if died.is_some() { "dead" } else { "alive" },
    });
    let mut put = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[field] = value;
        }
    };
    put("father_person_number", number(person.father).map(Value::from));
    put("mother_person_number", number(person.mother).map(Value::from));
    let card = person.old_card_number().filter(|_| has_card);
    put("former_id_cards", card.map(|card| json!([card.as_str()])));
    let stay = person.residences.get(stay);
    put("residence", stay.map(|stay| scribe.address(&stay.address, on)));
    put("death_date", died.map(|day| day.to_string().into()));
    body
}
