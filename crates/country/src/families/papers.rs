//! What the state gives each person: a number, cards; and the telephone they tell it.

use super::history::Living;
use crate::{day::Day, people::Numbers, places::PROVINCES};

/// Personal numbers are given at birth registration from this day (Law on Civil Status 60/2014/QH13 art. 14); who was born before
/// got theirs when the data of the population were gathered.
const NUMBERS_BEGIN: Day = Day::of(2016, 1, 1);
const GATHERING_DAYS: u64 = 1_900;
/// Former cards are told from when there was one country to give them.
const OLD_CARDS_BEGIN: Day = Day::of(1976, 7, 1);
const OLD_CARDS_END: Day = Day::of(2016, 1, 1);
/// Cards are renewed at these ages: Law on Identity 26/2023/QH15 art. 21.
const RENEWED_AT: [i32; 3] = [25, 40, 60];

impl Living<'_> {
    pub fn give_papers(&mut self, seed: u64) {
        let mut numbers = Numbers::new(seed, self.plot.index, self.plot.cards);
        for at in 0..self.persons.len() {
            let last = self.persons[at].death.unwrap_or(self.until).min(self.until);
            if self.persons[at].arrived.is_none() {
                self.number(at, last, &mut numbers);
                self.old_card(at, last, &mut numbers);
                self.cards(at, last);
            }
            let person = &mut self.persons[at];
            if person.death.is_none() && person.age_on(self.until) >= 12 && self.dice.chance(0.93) {
                let prefix = self.dice.pick(&[3, 5, 7, 8, 9, 9]);
                person.phone = Some(prefix * 100_000_000 + self.dice.below(100_000_000) as u32);
            }
        }
    }

    fn number(&mut self, at: usize, last: Day, numbers: &mut Numbers) {
        let birth = self.persons[at].birth;
        let given = if birth >= NUMBERS_BEGIN {
            let share = self.dice.share();
            birth.plus(2 + (share * share * share * 150.0) as i32)
        } else {
            NUMBERS_BEGIN.plus(self.dice.below(GATHERING_DAYS) as i32)
        };
        let person = &mut self.persons[at];
        if given <= last {
            person.number = numbers
                .personal(person.birthplace, birth.year(), person.sex)
                .map(|number| (number, given));
        }
    }

    fn old_card(&mut self, at: usize, last: Day, numbers: &mut Numbers) {
        let wait = self.dice.below(1_200) as i32;
        let of_age = self.persons[at].birth.plus_years(14);
        let issued = of_age.max(OLD_CARDS_BEGIN).plus(wait);
        if issued > last || issued >= OLD_CARDS_END || !self.dice.chance(0.97) {
            return;
        }
        let commune = self.persons[at]
            .residence_on(issued)
            .map_or(self.plot.homes[0], |r| r.address.before);
        let digits = PROVINCES[self.units.province_at(commune)].card;
        self.persons[at].old_card = numbers.old_card(digits).map(|card| (card, issued));
    }

    fn cards(&mut self, at: usize, last: Day) {
        let person = &mut self.persons[at];
        let Some((_, given)) = person.number else { return };
        let wait = self.dice.below(400) as i32;
        let first = person.birth.plus_years(14).plus(wait).max(given.plus(wait));
        if first > last || self.dice.chance(0.03) {
            return;
        }
        person.cards.push(first);
        for age in RENEWED_AT {
            let renewed = person.birth.plus_years(age).plus(wait / 4);
            if renewed > first && renewed <= last {
                person.cards.push(renewed);
            }
        }
    }
}
