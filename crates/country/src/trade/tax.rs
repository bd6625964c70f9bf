//! Yearly tax returns and what was not paid.

use base::Dong;

use crate::{
    day::Day,
    dice::Dice,
    people::{Person, PersonId},
    plan::Plot,
    work::{Company, Form, Job, Shop},
};

/// Who pays a tax. Companies have tax codes; persons and household businesses are known by the personal number since 1 July 2025
/// (Circular 86/2024/TT-BTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taxpayer {
    /// A company by its place in the community's list.
    Company(usize),
    /// The owner of a household business, by its place in the community's list.
    Shop(usize),
    /// Somebody with wages.
    Person(PersonId),
}

/// Whether what a return says was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// All of it, on this day.
    Paid(Day),
    /// This much is owed since the day it was due.
    Owed(Dong),
}

/// The tax return of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// Whose.
    pub taxpayer: Taxpayer,
    /// For which year.
    pub year: i32,
    /// Turnover, or wages of the year.
    pub revenue: Dong,
    /// The tax on it.
    pub tax: Dong,
    /// The last day to file and pay: 31 March, for persons who settle themselves 30 April (Law on Tax Administration art. 44).
    pub due: Day,
    /// The day it was filed.
    pub filed: Day,
    /// Whether it was paid.
    pub payment: Payment,
}

impl Return {
    /// What is still owed.
    pub const fn debt(&self) -> Dong {
        match self.payment {
            Payment::Paid(_) => Dong::ZERO,
            Payment::Owed(amount) => amount,
        }
    }
}

/// The first year whose returns are told.
const FIRST_YEAR: i32 = 2021;
/// Twelve times the allowance of a taxpayer, in dong: 11 million a month (Resolution 954/2020/UBTVQH14).
const ALLOWANCE: i64 = 132_000_000;

/// The returns of a community's companies, household businesses and workers.
pub fn assess(
    plot: &Plot,
    seed: u64,
    until: Day,
    persons: &[Person],
    companies: &[Company],
    shops: &[Shop],
    jobs: &[Job],
) -> Vec<Return> {
    let mut office = Office {
        dice: Dice::of(&[seed, 5, plot.index.into()]),
        until,
        returns: Vec::new(),
    };
    for (at, company) in companies.iter().enumerate().filter(|(_, c)| c.form != Form::Public) {
        let size = (company.capital.amount() as f64 * (0.3 + 2.0 * office.dice.share())) as i64;
        let pays_badly = office.dice.chance(0.18);
        for year in office.years(company.founded, company.stopped()) {
            let revenue = (size as f64 * (0.6 + 0.8 * office.dice.share())) as i64;
            // Corporate income tax of 20 % on a profit of a tenth, in good years.
            let tax = if office.dice.chance(0.75) { revenue / 50 } else { 0 };
            office.file(Taxpayer::Company(at), year, revenue, tax, pays_badly);
        }
    }
    for (at, shop) in shops.iter().enumerate() {
        let owner = &persons[shop.owner.at()];
        let pays_badly = office.dice.chance(0.05);
        for year in office.years(shop.from, shop.to).filter(|year| has_number(owner, *year)) {
            let revenue = 60_000_000 + office.dice.below(900_000_000) as i64;
            // 1.5 % together, from a turnover of 100 million (Circular 40/2021/TT-BTC).
            let tax = if revenue > 100_000_000 { revenue * 15 / 1_000 } else { 0 };
            office.file(Taxpayer::Shop(at), year, revenue, tax, pays_badly);
        }
    }
    for job in jobs.iter().filter(|job| job.insured) {
        let person = &persons[job.person.at()];
        // One job a year settles it: the one held on 1 July.
        let held = |year: i32| {
            let middle = Day::of(year, 7, 1);
            job.from <= middle && job.to.is_none_or(|to| to >= middle)
        };
        for year in office
            .years(job.from, job.to)
            .filter(|year| held(*year) && has_number(person, *year))
        {
            let wages = job.wage.amount() * 12;
            let tax = (wages - ALLOWANCE).max(0) / 20;
            office.file(Taxpayer::Person(person.id), year, wages, tax, false);
        }
    }
    office.returns
}

/// Whether somebody could file for a year: alive, and with a personal number.
fn has_number(person: &Person, year: i32) -> bool {
    let day = Day::of(year + 1, 1, 1);
    person.number.is_some_and(|(_, given)| given <= day)
        && person.death.is_none_or(|death| death > Day::of(year + 1, 12, 31))
}

struct Office {
    dice: Dice,
    until: Day,
    returns: Vec<Return>,
}

impl Office {
    /// The years that began and ended while something was there, and whose return is due by now.
    fn years(&self, from: Day, to: Option<Day>) -> std::ops::Range<i32> {
        let last = to.map_or(self.until.year(), |to| to.year().min(self.until.year()));
        let settled = if self.until >= Day::of(self.until.year(), 7, 1) {
            last
        } else {
            last - 1
        };
        (from.year() + 1).max(FIRST_YEAR)..settled
    }

    fn file(&mut self, taxpayer: Taxpayer, year: i32, revenue: i64, tax: i64, pays_badly: bool) {
        let due = match taxpayer {
            Taxpayer::Person(_) => Day::of(year + 1, 4, 30),
            Taxpayer::Company(_) | Taxpayer::Shop(_) => Day::of(year + 1, 3, 31),
        };
        let late = if self.dice.chance(0.07) {
            self.dice.between(1, 60)
        } else {
            -self.dice.between(0, 70)
        };
        let filed = due.plus(late);
        let owes = tax > 0 && self.dice.chance(if pays_badly { 0.6 } else { 0.01 });
        let payment = if owes {
            Payment::Owed(Dong::new((tax as f64 * (0.3 + 0.7 * self.dice.share())) as i64))
        } else {
            Payment::Paid(filed.max(due.plus(-self.dice.between(0, 20))))
        };
        let (revenue, tax) = (Dong::new(revenue), Dong::new(tax));
        self.returns.push(Return {
            taxpayer,
            year,
            revenue,
            tax,
            due,
            filed,
            payment,
        });
    }
}
