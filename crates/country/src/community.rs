//! A community: some five hundred people who live, those before them, and all that is theirs.

use base::Dong;

use crate::{
    day::Day,
    families::{Lives, live},
    history::{Report, reports},
    people::{Marriage, Person, PersonId},
    places::Units,
    plan::Plot,
    trade::{Declaration, Return, Taxpayer, assess, declare},
    work::{Claim, Company, Founded, Insurance, Job, Shop, employ, found, insure},
};

/// A few neighbouring communes' families through a century, with their companies and jobs. They marry among themselves and may
/// live anywhere. A country is many communities that share nothing but the rules, so each can be told alone.
#[derive(Debug, Clone)]
pub struct Community {
    /// Its place in the country.
    pub index: u32,
    /// The last day that is told.
    pub until: Day,
    /// The old commune whose books of civil status are this community's, and the one that it became, by their places in their lists.
    pub registrar: (u16, u16),
    /// Its place among the communities whose books that commune keeps, and their count.
    pub books: (u32, u32),
    /// Everybody who ever lived there, in the order of birth.
    pub persons: Vec<Person>,
    /// Marriages, in order.
    pub marriages: Vec<Marriage>,
    /// Who lives together on the last day; empty households are left in.
    pub households: Vec<Vec<PersonId>>,
    /// Companies and public employers.
    pub companies: Vec<Company>,
    /// Household businesses.
    pub shops: Vec<Shop>,
    /// Jobs, each person's in order.
    pub jobs: Vec<Job>,
    /// Social insurance of those who have it, in the order of persons.
    pub insurance: Vec<Insurance>,
    /// Rights that people have on the last day.
    pub claims: Vec<Claim>,
    /// Tax returns.
    pub returns: Vec<Return>,
    /// Customs declarations.
    pub declarations: Vec<Declaration>,
    seed: u64,
}

impl Community {
    pub(crate) fn grow(units: &Units, plot: &Plot, seed: u64, until: Day) -> Self {
        let Lives {
            persons,
            marriages,
            households,
        } = live(units, plot, seed, until);
        let Founded { mut companies, shops } = found(units, plot, seed, until, &persons);
        let jobs = employ(units, plot, seed, until, &persons, &mut companies, &shops);
        let (insurance, claims) = insure(units, plot, seed, until, &persons, &companies, &jobs);
        let returns = assess(plot, seed, until, &persons, &companies, &shops, &jobs);
        let declarations = declare(plot, seed, until, &companies);
        let households = households
            .into_iter()
            .map(|household| household.members.into_iter().map(|at| persons[at].id).collect())
            .collect();
        Self {
            index: plot.index,
            until,
            registrar: plot.registrar,
            books: plot.books,
            persons,
            marriages,
            households,
            companies,
            shops,
            jobs,
            insurance,
            claims,
            returns,
            declarations,
            seed,
        }
    }

    /// Somebody of this community.
    pub fn person(&self, id: PersonId) -> &Person {
        &self.persons[id.at()]
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Those who live on the last day.
    pub fn living(&self) -> impl Iterator<Item = &Person> {
        self.persons.iter().filter(|person| person.death.is_none())
    }

    /// The spouse on a day.
    pub fn spouse_on(&self, person: &Person, day: Day) -> Option<&Person> {
        let marriage = person
            .marriages
            .iter()
            .map(|at| &self.marriages[*at])
            .rev()
            .find(|m| m.from <= day)?;
        let spouse = self.person(if marriage.husband == person.id {
            marriage.wife
        } else {
            marriage.husband
        });
        (marriage.divorced.is_none_or(|divorced| day < divorced) && spouse.lives_on(day)).then_some(spouse)
    }

    /// What a taxpayer owes of all years.
    pub fn debt_of(&self, taxpayer: Taxpayer) -> Dong {
        let owed = self.returns.iter().filter(|r| r.taxpayer == taxpayer).map(Return::debt);
        Dong::new(owed.map(Dong::amount).sum())
    }

    /// What the tax office knows a taxpayer by: a tax code, or a personal number where it is a person or a household business.
    pub fn tax_code_of(&self, taxpayer: Taxpayer) -> Option<String> {
        let number = |person: PersonId| self.person(person).person_number().map(String::from);
        match taxpayer {
            Taxpayer::Company(at) => self.companies[at].code(None).map(String::from),
            Taxpayer::Shop(at) => number(self.shops[at].owner),
            Taxpayer::Person(person) => number(person),
        }
    }

    /// What the state heard of all this, in the order in which it heard it.
    pub fn reports(&self) -> Vec<Report> {
        reports(self)
    }
}
