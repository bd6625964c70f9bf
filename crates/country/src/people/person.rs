//! A person and what happened to them.

use base::codes::{OldIdCard, PersonNumber, Sex};

use super::{Ethnicity, Name};
use crate::{day::Day, places::Address};

/// A person of the country: community × 4,096 + their place in it. The truth that copies of a record are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u32);

impl PersonId {
    /// How many places a community has.
    pub const ROOM: u32 = 4_096;

    /// The place in the community's list of persons.
    pub const fn at(self) -> usize {
        (self.0 % Self::ROOM) as usize
    }
}

impl std::fmt::Display for PersonId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The first of the numbers for births registered abroad.
const ABROAD: u16 = 100;

/// A person. Everything is as it truly was; what agencies know is in [`crate::history`] and [`crate::mess`].
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// Sex.
    pub sex: Sex,
    /// Ethnic group.
    pub ethnicity: Ethnicity,
    /// Nationality, ISO 3166-1: `VN` for all but those who came by marriage.
    pub nationality: &'static str,
    /// Name.
    pub name: Name,
    /// Day of birth as the papers have it; 1 January for many of the old, whose day nobody wrote down.
    pub birth: Day,
    /// For a foreigner: the first day in the country.
    pub arrived: Option<Day>,
    /// Day of death.
    pub death: Option<Day>,
    /// Mother, where she is of the country's memory.
    pub mother: Option<PersonId>,
    /// Father, likewise; also missing where nobody acknowledged the child.
    pub father: Option<PersonId>,
    /// The three digits of the place of birth registration: a province of the old list.
    pub birthplace: u16,
    /// Personal number of a citizen and the day it was given: at birth since 2016, else when the data of the living were gathered.
    pub number: Option<(u64, Day)>,
    /// The former card.
    pub old_card: Option<(u32, Day)>,
    /// Days on which cards with the personal number were issued.
    pub cards: Vec<Day>,
    /// Mobile number, digits after the 0.
    pub phone: Option<u32>,
    /// Where they lived, from the first day on; each lasts until the next or until death.
    pub residences: Vec<Residence>,
    /// Places of their marriages in the community's list, in order.
    pub marriages: Vec<usize>,
    /// Children, in order of birth.
    pub children: Vec<PersonId>,
}

/// A stay at one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Residence {
    /// First day.
    pub from: Day,
    /// The house.
    pub address: Address,
    /// The household, by its place in the community's count.
    pub household: u32,
}

/// A marriage of two persons of one community.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marriage {
    /// The man.
    pub husband: PersonId,
    /// The woman.
    pub wife: PersonId,
    /// Day of registration.
    pub from: Day,
    /// Day of divorce.
    pub divorced: Option<Day>,
}

impl Person {
    /// A citizen with nothing but a name.
    pub(crate) const fn new(sex: Sex, name: Name, birth: Day) -> Self {
        Self {
            id: PersonId(0),
            sex,
            ethnicity: Ethnicity::Foreign,
            nationality: "VN",
            name,
            birth,
            arrived: None,
            death: None,
            mother: None,
            father: None,
            birthplace: ABROAD,
            number: None,
            old_card: None,
            cards: Vec::new(),
            phone: None,
            residences: Vec::new(),
            marriages: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The first day in the country: the birth, or the arrival of a foreigner.
    pub fn since(&self) -> Day {
        self.arrived.unwrap_or(self.birth)
    }

    /// Whether they live in the country on a day, the first and the last included.
    pub fn lives_on(&self, day: Day) -> bool {
        self.since() <= day && self.death.is_none_or(|death| day <= death)
    }

    /// Full years of age on a day.
    pub const fn age_on(&self, day: Day) -> i32 {
        day.age_since(self.birth)
    }

    /// Where they live on a day: the last stay that had begun, or the first.
    pub fn residence_on(&self, day: Day) -> Option<&Residence> {
        self.residences
            .iter()
            .rev()
            .find(|r| r.from <= day)
            .or(self.residences.first())
    }

    /// The personal number.
    pub fn person_number(&self) -> Option<PersonNumber> {
        self.number.and_then(|(number, _)| format!("{number:012}").parse().ok())
    }

    /// The number of the former card.
    pub fn old_card_number(&self) -> Option<OldIdCard> {
        self.old_card
            .and_then(|(number, _)| format!("{number:09}").parse().ok())
    }
}
