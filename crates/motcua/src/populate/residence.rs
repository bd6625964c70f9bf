//! Where people are registered: each with the household and how they are related to its head.

use country::{
    Community, MERGER,
    people::{Person, PersonId},
};
use serde_json::json;

use super::{Land, TAKEN_OVER, chronicle::Chronicle};

pub fn records(land: &Land) -> Vec<Chronicle> {
    let mut records = Vec::new();
    let mut households = 0;
    for community in &land.communities {
        for members in community.households.iter().filter(|members| !members.is_empty()) {
            households += 1;
            records.extend(household(land, community, members, households));
        }
    }
    records
}

fn household(land: &Land, community: &Community, members: &[PersonId], nth: usize) -> Vec<Chronicle> {
    let citizens = || {
        members
            .iter()
            .map(|id| community.person(*id))
            .filter(|person| person.number.is_some())
    };
    let Some(head) = citizens().min_by_key(|person| (person.birth, person.id)) else {
        return Vec::new();
    };
    let Some(commune) = head
        .residences
        .last()
        .map(|home| home.address.commune_code(&land.units, land.until))
    else {
        return Vec::new();
    };
    let record = |person: &Person| {
        let stay = person.residences.last()?;
        let body = json!({
            "person_number": person.person_number()?.as_str(),
            "kind": "permanent",
            "household": format!("{commune}-{nth:06}"),
            "head_person_number": head.person_number()?.as_str(),
            "relation_to_head": relation(community, person, head),
            "address": land.address(&stay.address, land.until),
            "since": stay.from.to_string(),
        });
        // The codes of the units are those since the merger.
        Some(Chronicle::once(land.until, TAKEN_OVER, stay.from.max(MERGER), body))
    };
    citizens().filter_map(record).collect()
}

fn relation(community: &Community, person: &Person, head: &Person) -> &'static str {
    let parents = |person: &Person| [person.mother, person.father];
    let is_child_of = |child: &Person, of: PersonId| parents(child).contains(&Some(of));
    let grandparents = parents(person).into_iter().flatten().map(|id| community.person(id));
    let share_parent = parents(person)
        .into_iter()
        .flatten()
        .any(|id| parents(head).contains(&Some(id)));
    let spouse = community.spouse_on(head, community.until).map(|spouse| spouse.id);
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
