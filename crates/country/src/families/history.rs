//! The run of days. Everything that will happen stands in one agenda and is taken from it in the order of days, so whoever
//! marries, moves or gives birth is alive and where they are said to be.

use std::{cmp::Reverse, collections::BinaryHeap};

use base::codes::Sex;

use super::homes::Household;
use crate::{
    day::Day,
    dice::Dice,
    people::{
        Ethnicity, Marriage, Name, Person, PersonId, Region, Residence, births_in, death_after, expected_living,
        foreigner, name_of,
    },
    places::{Address, PROVINCES, Units},
    plan::Plot,
};

/// Nobody's birth before this year is told; the first generations have no parents here.
const FIRST_YEAR: i32 = 1915;
/// The share of births that are twins.
const TWINS: f64 = 0.011;

/// The people of one community and how they are bound to each other.
pub struct Lives {
    pub persons: Vec<Person>,
    pub marriages: Vec<Marriage>,
    pub households: Vec<Household>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    Birth,
    Death(usize),
    /// Looks for a spouse.
    Court(usize),
    /// Ends a marriage, if it still stands.
    Divorce(usize),
    /// Moves away, with spouse and children.
    Leave(usize),
}

/// A community as it lives.
pub struct Living<'a> {
    pub units: &'a Units,
    pub plot: &'a Plot,
    pub dice: Dice,
    pub today: Day,
    pub until: Day,
    pub persons: Vec<Person>,
    pub marriages: Vec<Marriage>,
    pub households: Vec<Household>,
    /// The day each person will die, and the marriage each is in.
    pub death: Vec<Day>,
    pub married: Vec<Option<usize>>,
    /// Marriages that may have children, and men and women who look for a spouse.
    pub fertile: Vec<usize>,
    pub courting: [Vec<usize>; 2],
    /// The ethnic group that most of a home commune belong to.
    peoples: Vec<Ethnicity>,
    agenda: BinaryHeap<Reverse<(Day, u32, Task)>>,
    tasks: u32,
}

/// Lives the history of a community up to and including `until`.
pub fn live(units: &Units, plot: &Plot, seed: u64, until: Day) -> Lives {
    let mut dice = Dice::of(&[seed, 1, plot.index.into()]);
    let minorities = PROVINCES[plot.province].minorities;
    let peoples = plot
        .homes
        .iter()
        .map(|_| people_of_commune(minorities, &mut dice))
        .collect();
    let mut living = Living {
        units,
        plot,
        dice,
        today: Day::of(FIRST_YEAR, 1, 1),
        until,
        persons: Vec::with_capacity(plot.size * 2),
        marriages: Vec::new(),
        households: Vec::new(),
        death: Vec::new(),
        married: Vec::new(),
        fertile: Vec::new(),
        courting: [Vec::new(), Vec::new()],
        peoples,
        agenda: BinaryHeap::new(),
        tasks: 0,
    };
    living.plan_births();
    while let Some(Reverse((day, _, task))) = living.agenda.pop() {
        living.today = day;
        match task {
            Task::Birth => living.birth(),
            Task::Death(person) => living.die(person),
            Task::Court(person) => living.court(person),
            Task::Divorce(marriage) => living.divorce(marriage),
            Task::Leave(person) => living.leave(person),
        }
    }
    living.give_papers(seed);
    let Living {
        persons,
        marriages,
        households,
        ..
    } = living;
    Lives {
        persons,
        marriages,
        households,
    }
}

fn people_of_commune(minorities: &[(Ethnicity, u8)], dice: &mut Dice) -> Ethnicity {
    let mut left = dice.below(100) as u8;
    for (ethnicity, share) in minorities {
        if left < *share {
            return *ethnicity;
        }
        left -= share;
    }
    Ethnicity::Kinh
}

impl Living<'_> {
    /// Puts a task on a day that is not past the end.
    pub fn later(&mut self, day: Day, task: Task) {
        if day <= self.until && day >= self.today {
            self.tasks += 1;
            self.agenda.push(Reverse((day, self.tasks, task)));
        }
    }

    /// As many births a year as leave the wanted number alive today.
    fn plan_births(&mut self) {
        let scale = self.plot.size as f64 / expected_living(FIRST_YEAR, self.until) / (1.0 + TWINS);
        for year in FIRST_YEAR..=self.until.year() {
            let first = Day::of(year, 1, 1);
            let days = Day::of(year + 1, 1, 1).min(self.until.plus(1)).since(first);
            let births = self.dice.rounded(births_in(year) * scale * f64::from(days) / 365.25);
            for _ in 0..births {
                let day = first.plus(self.dice.below(days as u64) as i32);
                self.later(day, Task::Birth);
            }
        }
    }

    fn birth(&mut self) {
        if self.persons.len() + 2 > PersonId::ROOM as usize {
            return;
        }
        match self.mother() {
            Some((mother, father)) => {
                self.child_of(mother, father);
                if self.dice.chance(TWINS) {
                    self.child_of(mother, father);
                }
            }
            None => self.newcomer(),
        }
    }

    /// A mother and the child's father. None where no woman of the community can have a child now.
    fn mother(&mut self) -> Option<(usize, Option<usize>)> {
        if self.today.year() >= 1980 && self.dice.chance(0.015) {
            let single = &self.courting[1];
            if !single.is_empty() {
                let woman = self.dice.pick(single);
                if self.married[woman].is_none() && self.can_bear(woman) {
                    return Some((woman, None));
                }
            }
        }
        for _ in 0..24 {
            if self.fertile.is_empty() {
                return None;
            }
            let at = self.dice.place(self.fertile.len());
            let Marriage {
                husband, wife, from, ..
            } = self.marriages[self.fertile[at]];
            let (husband, wife) = (husband.at(), wife.at());
            let over = self.persons[wife].age_on(self.today) > 42 || self.persons[husband].age_on(self.today) >= 45;
            if over || self.married[wife] != Some(self.fertile[at]) {
                self.fertile.swap_remove(at);
            } else if self.today.since(from) > 200 && self.can_bear(wife) && self.wants_another(wife) {
                return Some((wife, Some(husband)));
            }
        }
        None
    }

    fn can_bear(&self, woman: usize) -> bool {
        let person = &self.persons[woman];
        let rested = person
            .children
            .last()
            .is_none_or(|child| self.today.since(self.persons[child.at()].birth) > 540);
        rested && (18..=42).contains(&person.age_on(self.today)) && self.death[woman] > self.today
    }

    fn wants_another(&mut self, woman: usize) -> bool {
        let children = self.persons[woman].children.len();
        let most = match self.today.year() {
            ..1965 => 8,
            1965..1985 => 6,
            1985..1995 => 4,
            1995.. => 2,
        };
        children < most || (children == most && self.dice.chance(0.25))
    }

    fn child_of(&mut self, mother: usize, father: Option<usize>) {
        let (hers, his) = (&self.persons[mother], father.map(|father| &self.persons[father]));
        // Children of a foreign father are registered as their mother's.
        let his = his.filter(|his| his.ethnicity != Ethnicity::Foreign);
        let ethnicity = his.map_or(hers.ethnicity, |his| his.ethnicity);
        let by_mother = ethnicity.is_matrilineal() && hers.ethnicity == ethnicity;
        let surname = his
            .filter(|_| !by_mother)
            .map_or(hers.name.surname, |his| his.name.surname);
        let parents = (Some(hers.id), father.map(|father| self.persons[father].id));
        let (household, commune) = self.home_of(mother);
        let birth = self.today;
        let child = self.add(birth, ethnicity, Some(surname), commune, parents);
        let id = self.persons[child].id;
        for parent in [Some(mother), father].into_iter().flatten() {
            self.persons[parent].children.push(id);
        }
        self.settle(child, household);
    }

    /// Somebody whose parents the country does not remember.
    fn newcomer(&mut self) {
        let home = self.dice.place(self.plot.homes.len());
        let commune = self.plot.homes[home];
        let ethnicity = if self.dice.chance(0.88) {
            self.peoples[home]
        } else {
            people_of_commune(PROVINCES[self.plot.province].minorities, &mut self.dice)
        };
        // Nobody wrote down the day of many of the old; papers say 1 January.
        let (year, ..) = self.today.parts();
        let birth = if self.dice.chance(default_birthdays(year)) {
            Day::of(year, 1, 1)
        } else {
            self.today
        };
        let child = self.add(birth, ethnicity, None, commune, (None, None));
        let household = match self.households.last() {
            Some(last) if last.members.len() < 4 && self.dice.chance(0.6) && last.address.before == commune => {
                self.households.len() - 1
            }
            _ => self.new_household(commune),
        };
        self.settle(child, household);
    }

    fn add(
        &mut self,
        birth: Day,
        ethnicity: Ethnicity,
        surname: Option<&'static str>,
        commune: u16,
        (mother, father): (Option<PersonId>, Option<PersonId>),
    ) -> usize {
        let sex = if self.dice.chance(0.515) {
            Sex::Male
        } else {
            Sex::Female
        };
        let province = PROVINCES[self.units.province_at(commune)];
        let region = if province.is_southern() {
            Region::South
        } else {
            Region::North
        };
        let name = self.child_name(ethnicity, region, sex, birth, surname, mother);
        let abroad = birth.year() >= 1980 && self.dice.chance(0.0015);
        let birthplace = if abroad {
            100 + self.dice.below(130) as u16
        } else {
            province.code.into()
        };
        let mut person = Person::new(sex, name, birth);
        (person.mother, person.father) = (mother, father);
        (person.ethnicity, person.birthplace) = (ethnicity, birthplace);
        let at = self.push(person);
        self.plan_youth(at);
        at
    }

    /// Somebody grown who arrives today.
    pub fn arrive(&mut self, birth: Day, sex: Sex) -> usize {
        let (nationality, name) = foreigner(sex, &mut self.dice);
        let mut person = Person::new(sex, name, birth);
        (person.nationality, person.arrived) = (nationality, Some(self.today));
        self.push(person)
    }

    /// Takes somebody in and lays down the day of their death.
    fn push(&mut self, mut person: Person) -> usize {
        let at = self.persons.len();
        person.id = PersonId(self.plot.index * PersonId::ROOM + at as u32);
        let mut death = death_after(person.birth, person.sex, &mut self.dice);
        while death < self.today {
            death = death_after(person.birth, person.sex, &mut self.dice);
        }
        self.death.push(death);
        self.married.push(None);
        self.later(death, Task::Death(at));
        self.persons.push(person);
        at
    }

    /// A name that no brother or sister has.
    fn child_name(
        &mut self,
        ethnicity: Ethnicity,
        region: Region,
        sex: Sex,
        birth: Day,
        surname: Option<&'static str>,
        mother: Option<PersonId>,
    ) -> Name {
        let mut name = name_of(ethnicity, region, sex, birth.year(), surname, &mut self.dice);
        for _ in 0..4 {
            let mut siblings = mother.iter().flat_map(|mother| &self.persons[mother.at()].children);
            if !siblings.any(|sibling| self.persons[sibling.at()].name == name) {
                break;
            }
            name = name_of(ethnicity, region, sex, birth.year(), surname, &mut self.dice);
        }
        name
    }

    /// When somebody will look for a spouse and when leave home, if ever.
    fn plan_youth(&mut self, person: usize) {
        let (birth, sex) = (self.persons[person].birth, self.persons[person].sex);
        let later_now = f64::from((birth.year() - 1950).clamp(0, 50)) / 50.0;
        if self.dice.chance(0.94) {
            let (mean, least) = if sex == Sex::Male { (23.5, 20.05) } else { (20.5, 18.05) };
            let age = self.dice.normal(mean + 3.5 * later_now, 3.0).max(least);
            self.later(birth.plus((age * 365.25) as i32), Task::Court(person));
        }
        let leaves = if birth.year() < 1950 { 0.15 } else { 0.4 };
        if self.dice.chance(leaves) {
            let age = 18.0 + 17.0 * self.dice.share() * self.dice.share();
            self.later(birth.plus((age * 365.25) as i32), Task::Leave(person));
        }
    }

    fn die(&mut self, person: usize) {
        self.persons[person].death = Some(self.today);
        if let Some(marriage) = self.married[person].take() {
            let Marriage { husband, wife, .. } = self.marriages[marriage];
            let left = if husband.at() == person {
                wife.at()
            } else {
                husband.at()
            };
            self.married[left] = None;
            if self.persons[left].age_on(self.today) < 50 && self.dice.chance(0.3) {
                let mourning = self.dice.between(400, 1_800);
                self.later(self.today.plus(mourning), Task::Court(left));
            }
        }
        self.leave_household(person);
    }

    /// First stay of somebody who was just born or has just arrived.
    pub fn settle(&mut self, person: usize, household: usize) {
        let address: Address = self.households[household].address;
        self.households[household].members.push(person);
        let from = self.persons[person].since();
        self.persons[person].residences.push(Residence {
            from,
            address,
            household: household as u32,
        });
    }
}

/// The share of births in a year whose papers say 1 January because nobody knew the day.
fn default_birthdays(year: i32) -> f64 {
    match year {
        ..1945 => 0.3,
        1945..1960 => 0.2,
        1960..1975 => 0.06,
        1975.. => 0.0,
    }
}
