//! Households and their moves.

use super::history::{Living, Task};
use crate::{
    people::Residence,
    places::{Address, PROVINCES},
};

/// People at one address.
#[derive(Debug, Clone)]
pub struct Household {
    /// The house.
    pub address: Address,
    /// Those who live there now, by their place in the community.
    pub members: Vec<usize>,
}

impl Living<'_> {
    pub fn new_household(&mut self, commune: u16) -> usize {
        let address = Address::in_commune(self.units, commune, &mut self.dice);
        self.households.push(Household {
            address,
            members: Vec::new(),
        });
        self.households.len() - 1
    }

    /// The household of somebody alive, and its old commune.
    pub fn home_of(&self, person: usize) -> (usize, u16) {
        self.persons[person]
            .residences
            .last()
            .map_or((0, self.plot.homes[0]), |r| (r.household as usize, r.address.before))
    }

    pub fn move_to(&mut self, person: usize, household: usize) {
        let (old, _) = self.home_of(person);
        if old == household {
            return;
        }
        self.households[old].members.retain(|member| *member != person);
        self.households[household].members.push(person);
        let stay = Residence {
            from: self.today,
            address: self.households[household].address,
            household: household as u32,
        };
        let stays = &mut self.persons[person].residences;
        match stays.last_mut() {
            // Two moves in one day are one.
            Some(last) if last.from >= self.today => {
                *last = Residence {
                    from: last.from,
                    ..stay
                }
            }
            _ => stays.push(stay),
        }
    }

    /// Takes the dead out. Children whom nobody grown is left to care for go to their next of kin.
    pub fn leave_household(&mut self, person: usize) {
        let (household, _) = self.home_of(person);
        let members = &mut self.households[household].members;
        members.retain(|member| *member != person);
        let grown = |member: &usize| self.persons[*member].age_on(self.today) >= 18;
        if self.households[household].members.iter().any(grown) {
            return;
        }
        for child in self.households[household].members.clone() {
            if let Some(kin) = self.next_of_kin(child) {
                let (home, _) = self.home_of(kin);
                self.move_to(child, home);
            }
        }
    }

    /// A grown relative who lives: a parent, a grandparent, a brother or sister, an aunt or uncle.
    fn next_of_kin(&self, child: usize) -> Option<usize> {
        let parents = |at: usize| {
            [self.persons[at].mother, self.persons[at].father]
                .into_iter()
                .flatten()
                .map(|id| id.at())
        };
        let children = |at: usize| self.persons[at].children.iter().map(|id| id.at());
        let grandparents = || parents(child).flat_map(parents);
        parents(child)
            .chain(grandparents())
            .chain(parents(child).flat_map(children))
            .chain(grandparents().flat_map(children))
            .find(|kin| {
                let kin = &self.persons[*kin];
                kin.death.is_none() && kin.age_on(self.today) >= 18
            })
    }

    /// The household of a parent who lives elsewhere.
    pub fn parents_home(&self, person: usize, not: usize) -> Option<usize> {
        [self.persons[person].mother, self.persons[person].father]
            .into_iter()
            .flatten()
            .filter(|parent| self.persons[parent.at()].death.is_none())
            .map(|parent| self.home_of(parent.at()).0)
            .find(|home| *home != not)
    }

    /// The children under 18 of somebody who live in a household.
    pub fn minors_of(&self, parent: usize, household: usize) -> Vec<usize> {
        self.persons[parent]
            .children
            .iter()
            .map(|child| child.at())
            .filter(|child| {
                let person = &self.persons[*child];
                person.death.is_none() && person.age_on(self.today) < 18 && self.home_of(*child).0 == household
            })
            .collect()
    }

    /// Moves away, with spouse and children where they live together.
    pub fn leave(&mut self, person: usize) {
        if self.persons[person].death.is_some() || self.death[person] == self.today {
            return;
        }
        let (old, commune) = self.home_of(person);
        let destination = self.destination(commune);
        let new = self.new_household(destination);
        let mut movers = vec![person];
        if let Some(marriage) = self.married[person] {
            let both = [
                self.marriages[marriage].husband.at(),
                self.marriages[marriage].wife.at(),
            ];
            movers.extend(
                both.into_iter()
                    .filter(|spouse| *spouse != person && self.home_of(*spouse).0 == old),
            );
        }
        for parent in movers.clone() {
            for child in self.minors_of(parent, old) {
                if !movers.contains(&child) {
                    movers.push(child);
                }
            }
        }
        for mover in movers {
            self.move_to(mover, new);
        }
        if self.dice.chance(0.2) {
            let stays = self.dice.between(500, 3_000);
            self.later(self.today.plus(stays), Task::Leave(person));
        }
    }

    /// The old commune where somebody goes: near, elsewhere in the province, or where there is work.
    fn destination(&mut self, from: u16) -> u16 {
        let how = self.dice.share();
        let district = if how < 0.3 {
            self.units.district_of(from)
        } else {
            let province = if how < 0.6 {
                self.units.province_at(from)
            } else {
                self.dice.weighted(&PROVINCES, |p| p.pull.into())
            };
            self.dice.pick(self.units.districts_of(province))
        };
        self.dice.pick(self.units.communes_of(district))
    }
}
