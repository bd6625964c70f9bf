//! What the agencies' own systems keep of the country: the same persons and enterprises as the registries of their nodes.

use std::{collections::BTreeMap, convert::Infallible};

use country::{
    Community, Country as Land,
    people::PersonId,
    trade::{Direction, Payment, Taxpayer},
    work::{Company, Employer, Form},
};
use identity::Sex;
use jiff::civil::Date;
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::{bar::cores, demo::people};

/// Calls about persons that are about the one whom the demonstration plays: one in so many.
const OFTEN: u32 = 12;

/// A person, as the population database has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub number: String,
    pub name: String,
    pub born: Date,
    pub sex: Sex,
    /// Codes of province and commune.
    pub units: (String, String),
    pub street: String,
    pub mother: Option<String>,
    pub father: Option<String>,
    pub spouse: Option<String>,
}

/// An enterprise, as the business register has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enterprise {
    pub code: String,
    pub name: String,
    pub street: String,
    /// Who represents it, by name.
    pub representative: String,
    pub founded: Date,
    pub closed: bool,
    /// In đồng.
    pub capital: i64,
    /// Taxes that it owes, in đồng, and how many days the oldest of them is overdue.
    pub debt: i64,
    pub overdue_days: i64,
    /// For how many employees it pays insurance.
    pub employees: usize,
}

/// A customs declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    pub number: String,
    pub declared: Date,
    pub goods: &'static str,
    /// In đồng.
    pub value: i64,
    pub duty: i64,
}

/// A health insurance card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Number of the insured.
    pub number: String,
    /// Group of the insured.
    pub kind: &'static str,
    pub from: Date,
}

/// Everything that the agencies' systems know.
#[derive(Debug, PartialEq, Eq)]
pub struct Country {
    /// The day on which everything here is so.
    pub today: Date,
    pub persons: BTreeMap<String, Person>,
    pub enterprises: BTreeMap<String, Enterprise>,
    pub cards: BTreeMap<String, Card>,
    /// By importer, each in the order of the numbers.
    pub declarations: BTreeMap<String, Vec<Declaration>>,
    numbers: Vec<String>,
    codes: Vec<String>,
    importers: Vec<String>,
}

impl Country {
    /// What they know of a land.
    pub fn of(land: &Land) -> Self {
        let mut country = Self {
            today: land.options().until.date(),
            persons: BTreeMap::new(),
            enterprises: BTreeMap::new(),
            cards: BTreeMap::new(),
            declarations: BTreeMap::new(),
            numbers: Vec::new(),
            codes: Vec::new(),
            importers: Vec::new(),
        };
        let Ok(()) = land.walk(
            cores(),
            |community| community,
            |community| {
                country.take_persons(land, &community);
                country.take_enterprises(land, &community);
                Ok::<_, Infallible>(())
            },
        );
        for declarations in country.declarations.values_mut() {
            declarations.sort_by(|a, b| a.number.cmp(&b.number));
        }
        country.numbers = country.persons.keys().cloned().collect();
        country.codes = country.enterprises.keys().cloned().collect();
        country.importers = country.declarations.keys().cloned().collect();
        country
    }

    /// The number of somebody; now and then of the citizen whom the demonstration plays.
    pub fn somebody(&self, rng: &mut StdRng) -> &str {
        if rng.random_ratio(1, OFTEN) {
            return Self::citizen();
        }
        self.numbers.choose(rng).map_or(Self::citizen(), String::as_str)
    }

    /// The code of some enterprise.
    pub fn some_enterprise(&self, rng: &mut StdRng) -> &str {
        self.codes.choose(rng).map_or(people::COMPANY.0, String::as_str)
    }

    /// The code of an enterprise that imports, if any does.
    pub fn some_importer(&self, rng: &mut StdRng) -> Option<&str> {
        self.importers.choose(rng).map(String::as_str)
    }

    /// The citizen whom the demonstration plays.
    pub const fn citizen() -> &'static str {
        people::CITIZEN.1
    }

    fn take_persons(&mut self, land: &Land, community: &Community) {
        let number = |id: Option<PersonId>| id.and_then(|id| community.person(id).person_number()).map(String::from);
        for person in community.living() {
            let (Some(own), Some(home)) = (number(Some(person.id)), person.residences.last()) else {
                continue;
            };
            let address = &home.address;
            let units = (
                address.province_code(land.units(), land.options().until).to_owned(),
                address.commune_code(land.units(), land.options().until).to_owned(),
            );
            let spouse = community
                .spouse_on(person, land.options().until)
                .map(|spouse| spouse.id);
            let known = Person {
                number: own.clone(),
                name: person.name.to_string(),
                born: person.birth.date(),
                sex: match person.sex {
                    base::codes::Sex::Female => Sex::Female,
                    base::codes::Sex::Male => Sex::Male,
                },
                units,
                street: address.detail.to_string(),
                mother: number(person.mother),
                father: number(person.father),
                spouse: number(spouse),
            };
            self.persons.insert(own, known);
        }
        for insurance in &community.insurance {
            let holder = number(Some(insurance.person)).filter(|number| self.persons.contains_key(number));
            if let (Some(holder), Some(card)) = (holder, insurance.card) {
                let card = Card {
                    number: format!("{:010}", insurance.number),
                    kind: card.kind.letters().get(..2).unwrap_or_default(),
                    from: card.from.date(),
                };
                self.cards.insert(holder, card);
            }
        }
    }

    fn take_enterprises(&mut self, land: &Land, community: &Community) {
        let enterprises = community.companies.iter().enumerate();
        for (at, company) in enterprises.filter(|(_, company)| company.form != Form::Public) {
            if let Some(enterprise) = enterprise(land, community, at, company) {
                self.enterprises.insert(enterprise.code.clone(), enterprise);
            }
        }
        for declared in community
            .declarations
            .iter()
            .filter(|one| one.direction == Direction::Import)
        {
            let company = community.companies.get(declared.company);
            let Some(code) = company.and_then(|company| company.code(None)) else {
                continue;
            };
            self.declarations
                .entry(code.to_string())
                .or_default()
                .push(Declaration {
                    number: format!("{:012}", declared.number),
                    declared: declared.on.date(),
                    goods: declared.goods.name,
                    value: declared.value.amount(),
                    duty: declared.duty.amount(),
                });
        }
    }
}

fn enterprise(land: &Land, community: &Community, at: usize, company: &Company) -> Option<Enterprise> {
    let director = company
        .directors
        .last()
        .map(|(_, id)| community.person(*id).name.to_string());
    let owed = community.returns.iter().filter(|filed| {
        filed.taxpayer == Taxpayer::Company(at) && matches!(filed.payment, Payment::Owed(amount) if amount.amount() > 0)
    });
    let insured = community
        .insurance
        .iter()
        .flat_map(|insurance| &insurance.contributions);
    let works_here = |job: usize| {
        let employer = community.jobs.get(job).map(|job| job.employer);
        matches!(employer, Some(Employer::Company { company, .. }) if company == at)
    };
    Some(Enterprise {
        code: company.code(None)?.to_string(),
        name: company.name.clone(),
        street: company.address.text(land.units(), land.options().until),
        representative: director.unwrap_or_default(),
        founded: company.founded.date(),
        closed: company.closed().is_some(),
        capital: company.capital.amount(),
        debt: community.debt_of(Taxpayer::Company(at)).amount(),
        overdue_days: owed
            .map(|filed| land.options().until.since(filed.due))
            .max()
            .unwrap_or(0)
            .into(),
        employees: insured
            .filter(|spell| spell.to.is_none() && works_here(spell.job))
            .count(),
    })
}
