//! Who worked where, from when to when.

use base::{Dong, codes::Sex};

use super::{Branch, Company, Form, Insuring, Shop};
use crate::{
    day::Day,
    dice::Dice,
    people::{Person, PersonId},
    places::{Address, Units},
    plan::Plot,
};

/// Where somebody works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Employer {
    /// A company by its place in the community's list, at the head office or a branch by its place in the company's.
    Company {
        /// Which.
        company: usize,
        /// Where, if not at the head office.
        branch: Option<usize>,
    },
    /// A household business by its place in the community's list.
    Shop(usize),
}

/// A spell of work for one employer. Work for oneself or without contract is not written down anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Who works.
    pub person: PersonId,
    /// For whom.
    pub employer: Employer,
    /// First day.
    pub from: Day,
    /// Last day; none while it goes on.
    pub to: Option<Day>,
    /// Monthly wage.
    pub wage: Dong,
    /// Whether the employer registered it with social insurance.
    pub insured: bool,
}

/// Nobody's work before this day is told: social insurance of today began on it (Decree 12/CP of 1995).
const FIRST_DAY: Day = Day::of(1995, 1, 1);

/// The day on which somebody reaches the age of retirement: 60 and 55 until 2020, then three or four months later each year up to
/// 62 and 60 (Labour Code 45/2019/QH14 art. 169).
pub fn retirement(person: &Person) -> Day {
    let (base, step, most) = if person.sex == Sex::Male {
        (60, 3, 24)
    } else {
        (55, 4, 60)
    };
    let reached = person.birth.plus_years(base);
    let months = ((reached.year() - 2020).max(0) * step).min(most);
    reached.plus(months * 365 / 12)
}

struct Hiring<'a> {
    units: &'a Units,
    until: Day,
    home: usize,
    companies: &'a mut Vec<Company>,
    shops: &'a [Shop],
    dice: Dice,
    jobs: Vec<Job>,
}

/// Employs the people of a community; opens branches where they moved to. Jobs of one person follow each other.
pub fn employ(
    units: &Units,
    plot: &Plot,
    seed: u64,
    until: Day,
    persons: &[Person],
    companies: &mut Vec<Company>,
    shops: &[Shop],
) -> Vec<Job> {
    let dice = Dice::of(&[seed, 3, plot.index.into()]);
    let mut hiring = Hiring {
        units,
        until,
        home: plot.province,
        companies,
        shops,
        dice,
        jobs: Vec::new(),
    };
    for person in persons.iter().filter(|p| p.birth >= Day::of(1935, 1, 1)) {
        hiring.career(person);
    }
    hiring.jobs
}

impl Hiring<'_> {
    fn career(&mut self, person: &Person) {
        let first = self.dice.normal(20.0, 2.2).max(15.1);
        let studied = self.dice.chance(0.3);
        let mut now = person
            .birth
            .plus(((first + if studied { 2.5 } else { 0.0 }) * 365.25) as i32)
            .max(FIRST_DAY)
            .max(person.since().plus(60));
        let end = person.death.unwrap_or(self.until.plus(1)).min(retirement(person));
        while now < end.min(self.until) {
            let years = 0.5 + 9.0 * self.dice.share() * self.dice.share();
            let mut to = now.plus((years * 365.25) as i32).min(end);
            let kind = self.dice.share();
            let formal = if studied { 0.75 } else { 0.36 };
            let employer = if kind < formal {
                self.company(person, now)
            } else if kind < formal + 0.1 {
                self.shop(person, now)
            } else {
                None
            };
            if let Some(employer) = employer {
                to = to.min(self.last_day(person, employer, now)).max(now.plus(1));
                self.job(person, employer, now, to, end);
            }
            now = to.plus(1 + self.dice.below(240) as i32);
        }
    }

    fn job(&mut self, person: &Person, employer: Employer, from: Day, to: Day, end: Day) {
        if to > end {
            return;
        }
        let insured = match employer {
            Employer::Company { company, .. } => {
                self.companies[company].insuring != Insuring::Never && self.dice.chance(0.97)
            }
            Employer::Shop(_) => self.dice.chance(0.05),
        };
        let skill = 0.7 + 0.9 * self.dice.share() * self.dice.share();
        let millions = 2.0 + 7.0 * f64::from((from.year() - 1995).max(0)) / 30.0;
        let wage = Dong::new((millions * skill * 20.0).round() as i64 * 50_000);
        let to = (to <= self.until).then_some(to);
        self.jobs.push(Job {
            person: person.id,
            employer,
            from,
            to,
            wage,
            insured,
        });
    }

    /// The last day of a job if nobody ends it sooner: the employer ends, or the person moves to another province.
    fn last_day(&self, person: &Person, employer: Employer, from: Day) -> Day {
        let ends = match employer {
            Employer::Company { company, .. } => self.companies[company].stopped(),
            Employer::Shop(shop) => self.shops[shop].to,
        };
        let province = |address: &Address| self.units.province_at(address.before);
        let here = person.residence_on(from).map(|r| province(&r.address));
        let moves = person
            .residences
            .iter()
            .find(|r| r.from > from && Some(province(&r.address)) != here)
            .map(|r| r.from);
        [ends, moves].into_iter().flatten().min().unwrap_or(self.until.plus(1))
    }

    /// An open company with a place of work in the province where somebody lives.
    fn company(&mut self, person: &Person, day: Day) -> Option<Employer> {
        let address = person.residence_on(day)?.address;
        let province = self.units.province_at(address.before);
        let here = |address: &Address| self.units.province_at(address.before) == province;
        let mut found = Vec::new();
        for (at, company) in self.companies.iter().enumerate().filter(|(_, c)| c.is_open(day)) {
            if here(&company.address) {
                found.push(Employer::Company {
                    company: at,
                    branch: None,
                });
            } else if let Some(branch) = company.branches.iter().position(|b| b.from <= day && here(&b.address)) {
                found.push(Employer::Company {
                    company: at,
                    branch: Some(branch),
                });
            }
        }
        if !found.is_empty() {
            return Some(self.dice.pick(&found));
        }
        if province == self.home || !self.dice.chance(0.12) {
            return None;
        }
        self.branch(address.before, day)
    }

    /// Opens a branch of some company in an old commune.
    fn branch(&mut self, commune: u16, day: Day) -> Option<Employer> {
        let at = self.dice.place(self.companies.len());
        let company = self.companies.get_mut(at)?;
        if !company.is_open(day) || company.form == Form::Public || company.branches.len() >= 3 {
            return None;
        }
        let address = Address::in_commune(self.units, commune, &mut self.dice);
        company.branches.push(Branch { address, from: day });
        Some(Employer::Company {
            company: at,
            branch: Some(company.branches.len() - 1),
        })
    }

    fn shop(&mut self, person: &Person, day: Day) -> Option<Employer> {
        let province = self.units.province_at(person.residence_on(day)?.address.before);
        let open = |shop: &Shop| {
            shop.owner != person.id
                && shop.from <= day
                && shop.to.is_none_or(|to| day < to)
                && self.units.province_at(shop.address.before) == province
        };
        let found: Vec<usize> = self
            .shops
            .iter()
            .enumerate()
            .filter(|(_, s)| open(s))
            .map(|(at, _)| at)
            .collect();
        (!found.is_empty()).then(|| Employer::Shop(self.dice.pick(&found)))
    }
}
