//! Who marries whom, and how marriages end.

use base::codes::Sex;

use super::history::{Living, Task};
use crate::{
    day::Day,
    people::{Marriage, PersonId},
};

/// Ages at which one may marry: Law on Marriage and Family 52/2014/QH13 art. 8. Kept for all times.
const HUSBAND: i32 = 20;
const WIFE: i32 = 18;
/// Of those who find nobody at once, so many marry somebody from abroad.
const FOREIGN: f64 = 0.012;

impl Living<'_> {
    /// Marries whoever waits and fits, or waits.
    pub fn court(&mut self, person: usize) {
        if self.persons[person].death.is_some() || self.married[person].is_some() {
            return;
        }
        let male = self.persons[person].sex == Sex::Male;
        let others = usize::from(male);
        let mut at = 0;
        while let Some(&other) = self.courting[others].get(at) {
            let gone = self.persons[other].death.is_some()
                || self.married[other].is_some()
                || self.persons[other].age_on(self.today) > 48;
            if gone {
                self.courting[others].swap_remove(at);
                continue;
            }
            let (husband, wife) = if male { (person, other) } else { (other, person) };
            if self.fit(husband, wife) {
                self.courting[others].swap_remove(at);
                return self.marry(husband, wife);
            }
            at += 1;
        }
        let grown = self.persons[person].age_on(self.today) >= HUSBAND && self.death[person] > self.today;
        if grown && self.today >= Day::of(1998, 1, 1) && self.dice.chance(FOREIGN) {
            return self.marry_foreigner(person);
        }
        let own = &mut self.courting[1 - others];
        if !own.contains(&person) {
            own.push(person);
        }
    }

    fn fit(&mut self, husband: usize, wife: usize) -> bool {
        let (his, hers) = (&self.persons[husband], &self.persons[wife]);
        let older = f64::from(hers.birth.since(his.birth)) / 365.25;
        (-3.0..=10.0).contains(&older)
            && his.age_on(self.today) >= HUSBAND
            && hers.age_on(self.today) >= WIFE
            // Whoever dies today has no wedding today.
            && self.death[husband] > self.today
            && self.death[wife] > self.today
            && !self.related(husband, wife)
            && (his.ethnicity == hers.ethnicity || self.dice.chance(0.15))
    }

    /// Whether two share a parent or a grandparent, or one is the other's: marriage is forbidden within three generations (art. 5).
    fn related(&self, one: usize, other: usize) -> bool {
        let above = |person: usize| {
            let parents = |id: PersonId| [self.persons[id.at()].mother, self.persons[id.at()].father];
            let id = self.persons[person].id;
            let [mother, father] = parents(id);
            let [a, b] = mother.map_or([None; 2], parents);
            let [c, d] = father.map_or([None; 2], parents);
            [Some(id), mother, father, a, b, c, d]
        };
        let others = above(other);
        above(one)
            .iter()
            .any(|ancestor| ancestor.is_some() && others.contains(ancestor))
    }

    fn marry(&mut self, husband: usize, wife: usize) {
        let marriage = self.marriages.len();
        self.marriages.push(Marriage {
            husband: self.persons[husband].id,
            wife: self.persons[wife].id,
            from: self.today,
            divorced: None,
        });
        for spouse in [husband, wife] {
            self.persons[spouse].marriages.push(marriage);
            self.married[spouse] = Some(marriage);
        }
        self.fertile.push(marriage);
        let wifes_house = self.persons[wife].ethnicity.is_matrilineal() || self.persons[husband].arrived.is_some();
        let (host, guest) = if wifes_house { (wife, husband) } else { (husband, wife) };
        let (household, commune) = self.home_of(host);
        if self.dice.chance(0.45) {
            self.move_to(guest, household);
        } else {
            let own = self.new_household(commune);
            self.move_to(host, own);
            self.move_to(guest, own);
        }
        if self.today >= Day::of(1985, 1, 1) && self.dice.chance(0.14) {
            let lasts = self.dice.between(700, 5_500);
            self.later(self.today.plus(lasts), Task::Divorce(marriage));
        }
    }

    /// Somebody from abroad comes for the marriage and stays.
    fn marry_foreigner(&mut self, person: usize) {
        let native = &self.persons[person];
        let (sex, older) = match native.sex {
            Sex::Male => (Sex::Female, self.dice.between(-3_000, 1_000)),
            Sex::Female => (Sex::Male, self.dice.between(300, 5_000)),
        };
        let birth = native.birth.plus(-older).min(self.today.plus_years(-HUSBAND).plus(-1));
        let guest = self.arrive(birth, sex);
        let (household, _) = self.home_of(person);
        self.settle(guest, household);
        let (husband, wife) = if sex == Sex::Male {
            (guest, person)
        } else {
            (person, guest)
        };
        self.marry(husband, wife);
    }

    /// One leaves the house; the children under 18 mostly stay with their mother.
    pub fn divorce(&mut self, marriage: usize) {
        let Marriage { husband, wife, .. } = self.marriages[marriage];
        let (husband, wife) = (husband.at(), wife.at());
        let ends_today = self.death[husband] == self.today || self.death[wife] == self.today;
        if self.married[husband] != Some(marriage) || self.married[wife] != Some(marriage) || ends_today {
            return;
        }
        self.marriages[marriage].divorced = Some(self.today);
        for spouse in [husband, wife] {
            self.married[spouse] = None;
            if self.dice.chance(0.5) {
                let waits = self.dice.between(500, 2_500);
                self.later(self.today.plus(waits), Task::Court(spouse));
            }
        }
        let (leaver, stays) = if self.dice.chance(0.55) {
            (wife, husband)
        } else {
            (husband, wife)
        };
        let keeps = if self.dice.chance(0.78) { wife } else { husband };
        let (old, commune) = self.home_of(leaver);
        let new = self
            .parents_home(leaver, old)
            .unwrap_or_else(|| self.new_household(commune));
        self.move_to(leaver, new);
        if keeps != stays {
            for child in self.minors_of(leaver, old) {
                self.move_to(child, new);
            }
        }
    }
}
