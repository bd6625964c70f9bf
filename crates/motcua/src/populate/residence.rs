//! Where people are registered: each with the household and how they are related to its head, through every move. The head is the oldest of
//! those who founded the household, until they leave or die; then the oldest of those who are left.

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
};

/// Numbers of households of one commune.
const NUMBERS: u32 = 1_000_000;

const BORN: Ground = Ground {
    source: "Đăng ký thường trú cho trẻ mới sinh",
    basis: "Luật Cư trú số 68/2020/QH14, Điều 20",
};
const MOVED: Ground = Ground {
    source: "Đăng ký thường trú",
    basis: "Luật Cư trú số 68/2020/QH14, Điều 22",
};
const ANOTHER_HEAD: Ground = Ground {
    source: "Thay đổi chủ hộ",
    basis: "Luật Cư trú số 68/2020/QH14, Điều 26",
};
const DIED: Ground = Ground {
    source: "Xóa đăng ký thường trú",
    basis: "Luật Cư trú số 68/2020/QH14, Điều 24",
};

/// What changes the record of somebody who resides.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Happened {
    /// By birth, or since the country knows of them.
    Came,
    /// To this one of their stays.
    Moved(usize),
    /// This household has this one of its heads.
    Head(u32, usize),
    /// The units are others since then.
    Merged,
    Died,
}

/// Somebody lives in a household, from one day until another.
#[derive(Debug, Clone, Copy)]
struct Spell {
    person: PersonId,
    from: Day,
    /// The first day on which they do not any more.
    to: Option<Day>,
}

/// Who lived in a household, and who was its head since when.
#[derive(Debug, Default)]
struct Household {
    spells: Vec<Spell>,
    heads: Vec<(Day, PersonId)>,
}

pub fn records(scribe: &Scribe<'_>, community: &Community) -> Vec<Chronicle> {
    let households = households(community);
    let mut facts: HashMap<PersonId, Vec<Fact<Happened>>> = HashMap::new();
    for report in community.reports() {
        for (id, what, ground) in about(community, &households, &report) {
            let fact = Fact {
                what,
                on: report.on,
                recorded: report.recorded,
                ground,
            };
            facts.entry(id).or_default().push(fact);
        }
    }
    let citizens = community.persons.iter().filter(|person| person.number.is_some());
    citizens
        .filter_map(|person| record(scribe, community, &households, person, facts.remove(&person.id)?))
        .collect()
}

/// The households through time. Heads are citizens: others have no personal number.
fn households(community: &Community) -> HashMap<u32, Household> {
    let mut households: HashMap<u32, Household> = HashMap::new();
    for person in community.persons.iter().filter(|person| person.number.is_some()) {
        for (nth, stay) in person.residences.iter().enumerate() {
            let spell = Spell {
                person: person.id,
                from: stay.from,
                to: person.residences.get(nth + 1).map(|next| next.from).or(person.death),
            };
            households.entry(stay.household).or_default().spells.push(spell);
        }
    }
    for household in households.values_mut() {
        household.spells.sort_by_key(|spell| (spell.from, spell.person));
        household.heads = heads(community, &household.spells);
    }
    households
}

fn heads(community: &Community, spells: &[Spell]) -> Vec<(Day, PersonId)> {
    let mut heads = Vec::new();
    let mut next = spells.first().map(|spell| spell.from);
    while let Some(day) = next {
        let here = spells.iter().filter(|spell| spell.has(day));
        let oldest = here.min_by_key(|spell| (community.person(spell.person).birth, spell.person));
        next = match oldest {
            Some(head) => {
                heads.push((day, head.person));
                head.to
            }
            // Nobody lives there until somebody comes.
            None => spells.iter().map(|spell| spell.from).find(|from| *from > day),
        };
    }
    heads
}

impl Spell {
    fn has(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

impl Household {
    /// The head on a day.
    fn head_on(&self, day: Day) -> Option<(Day, PersonId)> {
        self.heads.iter().rev().find(|(since, _)| *since <= day).copied()
    }
}

/// Whom a report is about, and what it means for them.
fn about(
    community: &Community,
    households: &HashMap<u32, Household>,
    report: &Report,
) -> Vec<(PersonId, Happened, Ground)> {
    let (id, happened, ground, left) = match report.what {
        What::Birth(id) | What::Arrived(id) => (id, Happened::Came, BORN, None),
        What::Moved(id, nth) => (id, Happened::Moved(nth), MOVED, nth.checked_sub(1)),
        What::Died(id) => {
            let last = community.person(id).residences.len().checked_sub(1);
            (id, Happened::Died, DIED, last)
        }
        _ => return Vec::new(),
    };
    let mut about = vec![(id, happened, ground)];
    let stays = &community.person(id).residences;
    let stay = left.and_then(|nth| stays.get(nth));
    if let Some((stay, household)) = stay.and_then(|stay| Some((stay, households.get(&stay.household)?))) {
        // Whoever stays behind has another head, if the head has left.
        let until = stays
            .iter()
            .map(|next| next.from)
            .find(|from| *from > stay.from)
            .or(community.person(id).death);
        let was_head = household
            .heads
            .iter()
            .position(|(since, head)| *head == id && *since >= stay.from && until.is_some_and(|until| *since < until));
        let next = was_head.and_then(|nth| Some((nth + 1, household.heads.get(nth + 1)?)));
        if let Some((nth, (day, _))) = next.filter(|(_, (day, _))| Some(*day) == until) {
            let left = household
                .spells
                .iter()
                .filter(|spell| spell.has(*day) && spell.from < *day);
            let head = Happened::Head(stay.household, nth);
            about.extend(left.map(|spell| (spell.person, head, ANOTHER_HEAD)));
        }
    }
    about
}

fn record(
    scribe: &Scribe<'_>,
    community: &Community,
    households: &HashMap<u32, Household>,
    person: &Person,
    mut facts: Vec<Fact<Happened>>,
) -> Option<Chronicle> {
    let (_, given) = person.number?;
    let begun = BEGUN.max(given);
    let died = facts
        .iter()
        .filter(|fact| fact.what == Happened::Died)
        .map(|fact| fact.recorded)
        .min();
    if died.is_some_and(|died| died <= begun) || !facts.iter().any(|fact| fact.what == Happened::Came) {
        return None;
    }
    if person.birth < MERGER && died.is_none_or(|died| died > MERGER) {
        facts.push(Fact {
            what: Happened::Merged,
            on: MERGER,
            recorded: MERGER,
            ground: MERGED,
        });
    }
    // A child is registered where its birth is, when it has its number.
    let begun = if given > BEGUN { Day::of(1900, 1, 1) } else { begun };
    for fact in &mut facts {
        fact.recorded = fact.recorded.max(given);
    }
    let body = |happened: &[(Happened, Day)], on: Day| body(scribe, community, households, person, happened, on);
    Chronicle::of(facts, begun, TAKEN_OVER, body)
}

fn body(
    scribe: &Scribe<'_>,
    community: &Community,
    households: &HashMap<u32, Household>,
    person: &Person,
    happened: &[(Happened, Day)],
    on: Day,
) -> Option<Value> {
    let (mut nth, mut since) = (0, person.birth);
    for (what, day) in happened {
        match what {
            Happened::Came => since = since.max(*day),
            Happened::Moved(stay) => (nth, since) = (*stay, *day),
            Happened::Died => return None,
            Happened::Head(..) | Happened::Merged => {}
        }
    }
    let stay = person.residences.get(nth)?;
    let household = households.get(&stay.household)?;
    let mut later = happened.iter().filter_map(|(what, _)| match what {
        Happened::Head(of, head) if *of == stay.household => household.heads.get(*head),
        _ => None,
    });
    let (head_since, head) = later.next_back().copied().or_else(|| household.head_on(stay.from))?;
    let head = community.person(head);
    Some(json!({
        "person_number": person.person_number()?.as_str(),
        "name": person.name.to_string(),
        "kind": "permanent",
        "household": number(scribe, community, stay.household, stay.address.commune_code(scribe.units, on)),
        "head_person_number": head.person_number()?.as_str(),
        "relation_to_head": relation(community, person, head, head_since.max(stay.from)),
        "address": scribe.address(&stay.address, on),
        "since": since.to_string(),
    }))
}

/// The number of a household: each community has its own part of every commune's, which is large enough in a country of up to two million.
fn number(scribe: &Scribe<'_>, community: &Community, household: u32, commune: &str) -> String {
    let room = NUMBERS / scribe.communities.max(1);
    let number = (u64::from(community.index) * u64::from(room) + u64::from(household)) % u64::from(NUMBERS);
    format!("{commune}-{number:06}")
}

/// How somebody is related to the head of their household on a day.
fn relation(community: &Community, person: &Person, head: &Person, on: Day) -> &'static str {
    let parents = |person: &Person| [person.mother, person.father];
    let is_child_of = |child: &Person, of: PersonId| parents(child).contains(&Some(of));
    let grandparents = parents(person).into_iter().flatten().map(|id| community.person(id));
    let share_parent = parents(person)
        .into_iter()
        .flatten()
        .any(|id| parents(head).contains(&Some(id)));
    let spouse = community.spouse_on(head, on).map(|spouse| spouse.id);
    if person.id == head.id {
        "head"
    } else if spouse == Some(person.id) {
        "spouse"
    } else if is_child_of(person, head.id) {
        "child"
    } else if grandparents.into_iter().any(|parent| is_child_of(parent, head.id)) {
        "grandchild"
    } else if is_child_of(head, person.id) {
        "parent"
    } else if share_parent {
        "sibling"
    } else {
        "other"
    }
}
