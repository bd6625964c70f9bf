//! People who are known beforehand and are to live in the country: each takes the place of somebody of a community, with that
//! person's family, work and history, so that everything about them holds together as it does for everybody else.

use base::{
    Dong,
    codes::{PersonNumber, Sex},
};

use crate::{
    community::Community,
    day::Day,
    people::{Name, Order, Person, PersonId},
    places::{Address, Units},
    trade::Taxpayer,
    work::{Form, Status},
};

/// Somebody known beforehand.
#[derive(Debug, Clone)]
pub struct Part {
    /// Surname, middle and given name: `Nguyễn Thị Hương`.
    pub name: &'static str,
    /// Personal number.
    pub number: PersonNumber,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth: Day,
    /// Code of the commune, of the list from 1 July 2025, where they live.
    pub commune: &'static str,
    /// Tax code and name of the company that they represent.
    pub company: Option<(u64, &'static str)>,
}

/// Years by which somebody's birth may differ from the part's, so that school, work and children still fit.
const APART: i32 = 9;

impl Community {
    /// Gives a part to whoever fits it best: a married citizen of that sex and about that age. One with a company comes to
    /// represent an active one that owes no tax. Nobody where nobody fits, or where there is no such commune or company.
    pub fn cast(&mut self, units: &Units, part: &Part) -> Option<PersonId> {
        let commune = commune(units, part.commune)?;
        let fitting = self.living().filter(|person| self.fits(person, part));
        let id = fitting
            .min_by_key(|person| (person.birth.since(part.birth).abs(), person.id))?
            .id;
        if let Some((code, name)) = part.company {
            let sound = |at: &usize| {
                let company = &self.companies[*at];
                company.form != Form::Public
                    && company.status == Status::Active
                    && self.debt_of(Taxpayer::Company(*at)) == Dong::ZERO
            };
            let at = (0..self.companies.len()).find(sound)?;
            let company = self.companies.get_mut(at)?;
            company.tax_code = code;
            name.clone_into(&mut company.name);
            company.directors.last_mut()?.1 = id;
        }
        self.settle(id, commune);
        let person = self.persons.get_mut(id.at())?;
        for stay in person.residences.iter_mut().filter(|stay| stay.from == person.birth) {
            stay.from = part.birth;
        }
        person.name = name(part.name);
        person.birth = part.birth;
        person.birthplace = part.number.as_str().get(..3)?.parse().ok()?;
        let (_, given) = person.number?;
        person.number = Some((part.number.as_str().parse().ok()?, given));
        Some(id)
    }

    fn fits(&self, person: &Person, part: &Part) -> bool {
        let spouse = self.spouse_on(person, self.until);
        let born = |id: PersonId| self.person(id).birth;
        let parents = [person.mother, person.father].into_iter().flatten();
        let children = &person.children;
        person.sex == part.sex
            && person.number.is_some()
            && person.birth.since(part.birth).abs() < APART * 366
            && spouse.is_some_and(|spouse| spouse.number.is_some())
            && parents.map(born).all(|parent| part.birth.age_since(parent) >= 16)
            && children.iter().map(|id| born(*id)).all(|child| child.age_since(part.birth) >= 18)
            && person
                .marriages
                .iter()
                .all(|at| self.marriages[*at].from.age_since(part.birth) >= 20)
            // A number that was given with the birth would have to move with it.
            && person.number.is_some_and(|(_, given)| given.age_since(part.birth) >= 14)
    }

    /// Moves the house of somebody's household to a commune, with all who live there or ever did.
    fn settle(&mut self, id: PersonId, (before, after): (u16, u16)) {
        let Some(home) = self.person(id).residences.last().copied() else {
            return;
        };
        let stays = self.persons.iter_mut().flat_map(|person| &mut person.residences);
        for stay in stays.filter(|stay| stay.household == home.household && stay.address == home.address) {
            stay.address = Address {
                before,
                after,
                ..home.address
            };
        }
    }
}

/// An old commune that became the one of this code, and that one, by their places in their lists.
fn commune(units: &Units, code: &str) -> Option<(u16, u16)> {
    units.communes_before().find_map(|before| {
        let after = *units.successors(before).first()?;
        (units.after(after).code == code).then_some((before, after))
    })
}

fn name(text: &'static str) -> Name {
    let mut words = text.split(' ');
    let surname = words.next().unwrap_or_default();
    let given = words.next_back().unwrap_or_default();
    Name {
        order: Order::SurnameFirst,
        surname,
        middle: [words.next().unwrap_or_default(), words.next().unwrap_or_default()],
        given,
    }
}
