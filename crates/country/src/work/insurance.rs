//! Social insurance and health cards.

use std::collections::HashMap;

use super::{Company, Employer, Form, Insuring, Job, jobs::retirement};
use crate::{
    day::{Day, MERGER},
    dice::Dice,
    people::{Numbers, Person, PersonId},
    places::{PROVINCES, Units},
    plan::Plot,
};

/// What social insurance holds of one person.
#[derive(Debug, Clone)]
pub struct Insurance {
    /// Who.
    pub person: PersonId,
    /// The social insurance number (mã số bảo hiểm xã hội), ten digits, for life (Decision 595/QĐ-BHXH of 2017).
    pub number: u64,
    /// The day it was given.
    pub given: Day,
    /// Periods in which contributions were paid, in order.
    pub contributions: Vec<Contribution>,
    /// First day of the pension.
    pub pension: Option<Day>,
    /// The health card that holds now.
    pub card: Option<HealthCard>,
}

/// Months for which contributions were paid without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contribution {
    /// The job, by its place in the community's list.
    pub job: usize,
    /// First day of the first month.
    pub from: Day,
    /// First day of the last month; none while it goes on.
    pub to: Option<Day>,
}

/// Why somebody has a health card: the letters in the card's code and their level of benefit (Decision 1351/QĐ-BHXH of 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardKind {
    /// TE1: children under six.
    Child,
    /// HS4: pupils.
    Pupil,
    /// SV4: students.
    Student,
    /// DN4: workers of enterprises.
    Worker,
    /// HC4: workers of the state.
    PublicWorker,
    /// HT3: pensioners.
    Pensioner,
    /// BT2: receivers of a social allowance.
    Allowance,
    /// HN2: poor households.
    Poor,
    /// CN3: near-poor households.
    NearPoor,
    /// DT2: ethnic minorities of hard areas.
    Minority,
    /// GD4: households that pay for themselves.
    Family,
}

impl CardKind {
    /// Two letters and the level of benefit.
    pub const fn letters(self) -> &'static str {
        match self {
            Self::Child => "TE1",
            Self::Pupil => "HS4",
            Self::Student => "SV4",
            Self::Worker => "DN4",
            Self::PublicWorker => "HC4",
            Self::Pensioner => "HT3",
            Self::Allowance => "BT2",
            Self::Poor => "HN2",
            Self::NearPoor => "CN3",
            Self::Minority => "DT2",
            Self::Family => "GD4",
        }
    }
}

/// A health insurance card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthCard {
    /// Why.
    pub kind: CardKind,
    /// Two digits of the province that issued it, in the list of that day.
    pub province: u8,
    /// The holder's social insurance number.
    pub number: u64,
    /// First day.
    pub from: Day,
}

impl HealthCard {
    /// The full code of 15 characters: two letters, level of benefit, province, insurance number (Decision 1351/QĐ-BHXH). Cards
    /// of the form of Decision 1666/QĐ-BHXH, since 1 April 2021, print the ten digits of the number alone.
    pub fn code(&self) -> String {
        format!("{}{:02}{:010}", self.kind.letters(), self.province, self.number)
    }
}

/// What somebody has a right to and may not know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Benefit {
    /// The health card of a child under six (Law on Health Insurance art. 12).
    ChildHealthCard,
    /// The social retirement allowance: 75 or older, no pension; since 1 July 2025 (Law on Social Insurance 41/2024/QH15 art. 21).
    SocialRetirement,
    /// Unemployment benefit: twelve months paid, asked for within three months of the end of the job (Law on Employment).
    Unemployment,
}

impl Benefit {
    /// A stable name for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ChildHealthCard => "child-health-card",
            Self::SocialRetirement => "social-retirement",
            Self::Unemployment => "unemployment",
        }
    }
}

/// A right that somebody has now, whether they asked or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub person: PersonId,
    /// To what.
    pub benefit: Benefit,
    /// Since when.
    pub since: Day,
    /// The day they asked; none for those whom somebody ought to remind.
    pub asked: Option<Day>,
}

/// Since this day everybody with a health card has a social insurance number.
const NUMBERS_FOR_ALL: Day = Day::of(2017, 8, 1);

struct Office<'a> {
    units: &'a Units,
    until: Day,
    companies: &'a [Company],
    jobs: &'a [Job],
    dice: Dice,
}

/// Insures the people of a community, and says what they are entitled to.
pub fn insure(
    units: &Units,
    plot: &Plot,
    seed: u64,
    until: Day,
    persons: &[Person],
    companies: &[Company],
    jobs: &[Job],
) -> (Vec<Insurance>, Vec<Claim>) {
    let dice = Dice::of(&[seed, 4, plot.index.into()]);
    let mut office = Office {
        units,
        until,
        companies,
        jobs,
        dice,
    };
    let mut numbers = Numbers::new(seed, plot.index, plot.cards);
    let mut of_person: HashMap<PersonId, Vec<usize>> = HashMap::new();
    for (at, job) in jobs.iter().enumerate() {
        of_person.entry(job.person).or_default().push(at);
    }
    let (mut insured, mut claims) = (Vec::new(), Vec::new());
    for person in persons {
        let jobs = of_person.get(&person.id).map(Vec::as_slice).unwrap_or_default();
        let record = office.person(person, jobs, &mut numbers);
        office.claims(person, jobs, record.as_ref(), &mut claims);
        insured.extend(record);
    }
    (insured, claims)
}

impl Office<'_> {
    fn person(&mut self, person: &Person, jobs: &[usize], numbers: &mut Numbers) -> Option<Insurance> {
        let contributions: Vec<Contribution> = jobs.iter().filter_map(|job| self.contribution(*job)).collect();
        let pension = self.pension(person, &contributions);
        let kind = if person.death.is_none() {
            self.card(person, jobs, pension)
        } else {
            None
        };
        let first = jobs
            .iter()
            .map(|job| &self.jobs[*job])
            .find(|job| job.insured)
            .map(|job| job.from);
        let by_card = kind.map(|_| {
            let wait = self.dice.below(60) as i32;
            person
                .since()
                .plus(5 + wait)
                .max(NUMBERS_FOR_ALL.plus(wait))
                .min(self.until)
        });
        let given = [first, by_card].into_iter().flatten().min()?;
        let on = |day: Day| person.residence_on(day).map(|r| r.address);
        let office = PROVINCES[self.units.province_at(on(given)?.before)].code;
        let number = numbers.insurance(office)?;
        let card = kind.and_then(|kind| {
            let from = self.card_from(person, jobs, kind, pension).max(given).min(self.until);
            let province = on(from)?.province_code(self.units, from).parse().ok()?;
            Some(HealthCard {
                kind,
                province,
                number,
                from,
            })
        });
        Some(Insurance {
            person: person.id,
            number,
            given,
            contributions,
            pension,
            card,
        })
    }

    /// Months paid for a job: whole months from the first, until the end or until the company stopped paying.
    fn contribution(&self, at: usize) -> Option<Contribution> {
        let job = &self.jobs[at];
        let from = job.from.month();
        let mut to = job.to.map(Day::month);
        if let Employer::Company { company, .. } = job.employer
            && let Insuring::Behind(since) = self.companies[company].insuring
        {
            let last = since.plus(-1).month();
            to = Some(to.map_or(last, |to| to.min(last)));
        }
        (job.insured && to.is_none_or(|to| to >= from)).then_some(Contribution { job: at, from, to })
    }

    /// A pension needs the age and 20 years of contributions, 15 since 1 July 2025 (Law on Social Insurance 2014 art. 54; 2024
    /// art. 64). Nobody's contributions before 1995 are told, so those who worked then are given them.
    fn pension(&mut self, person: &Person, contributions: &[Contribution]) -> Option<Day> {
        let from = retirement(person);
        let paid: i32 = contributions
            .iter()
            .map(|c| c.to.unwrap_or(self.until).since(c.from) + 30)
            .sum();
        let untold = (1995 - person.birth.year() - 20).clamp(0, 40) * 365;
        let earlier = if untold > 0 && self.dice.chance(0.25) {
            untold
        } else {
            0
        };
        let needed = if from >= MERGER { 15 } else { 20 } * 365;
        let alive = person.death.is_none_or(|death| from <= death);
        (alive && from <= self.until && paid + earlier >= needed).then_some(from)
    }

    fn current<'a>(&'a self, jobs: &'a [usize]) -> impl Iterator<Item = &'a Job> {
        jobs.iter().map(|job| &self.jobs[*job]).filter(|job| job.to.is_none())
    }

    fn card(&mut self, person: &Person, jobs: &[usize], pension: Option<Day>) -> Option<CardKind> {
        let age = person.age_on(self.until);
        let job = self.current(jobs).find(|job| job.insured).map(|job| job.employer);
        let chance = self.dice.share();
        match (age, job) {
            (..6, _) => (chance < 0.93).then_some(CardKind::Child),
            _ if pension.is_some() => Some(CardKind::Pensioner),
            (_, Some(Employer::Company { company, .. })) if self.companies[company].form == Form::Public => {
                Some(CardKind::PublicWorker)
            }
            (_, Some(_)) => Some(CardKind::Worker),
            (80.., _) => Some(CardKind::Allowance),
            _ if person.ethnicity.is_highland() && chance < 0.85 => Some(CardKind::Minority),
            _ if chance < 0.03 => Some(CardKind::Poor),
            _ if chance < 0.06 => Some(CardKind::NearPoor),
            (6..18, _) => (chance < 0.97).then_some(CardKind::Pupil),
            (18..23, _) if chance < 0.5 => Some(CardKind::Student),
            _ => (chance < 0.9).then_some(CardKind::Family),
        }
    }

    /// The day from which the present card holds: yearly ones from January.
    fn card_from(&self, person: &Person, jobs: &[usize], kind: CardKind, pension: Option<Day>) -> Day {
        let this_year = Day::of(self.until.year(), 1, 1);
        match kind {
            CardKind::Child => person.birth,
            CardKind::Pensioner => pension.unwrap_or(this_year),
            CardKind::Worker | CardKind::PublicWorker => self
                .current(jobs)
                .find(|job| job.insured)
                .map_or(this_year, |job| job.from.month()),
            CardKind::Allowance => person.birth.plus_years(80),
            CardKind::Pupil
            | CardKind::Student
            | CardKind::Poor
            | CardKind::NearPoor
            | CardKind::Minority
            | CardKind::Family => this_year,
        }
    }

    fn claims(&mut self, person: &Person, jobs: &[usize], record: Option<&Insurance>, claims: &mut Vec<Claim>) {
        if person.death.is_some() {
            return;
        }
        let mut claim = |benefit, since, asked| {
            claims.push(Claim {
                person: person.id,
                benefit,
                since,
                asked,
            })
        };
        if person.age_on(self.until) < 6 {
            claim(
                Benefit::ChildHealthCard,
                person.birth,
                record.and_then(|r| r.card).map(|card| card.from),
            );
        }
        let without_pension = record.is_none_or(|r| r.pension.is_none());
        let since = person.birth.plus_years(75).max(MERGER);
        let citizen = person.arrived.is_none();
        if since <= self.until && without_pension && citizen {
            let asked = since.plus(self.dice.below(200) as i32);
            let asks = self.dice.chance(0.82) && asked <= self.until;
            claim(Benefit::SocialRetirement, since, asks.then_some(asked));
        }
        let last = jobs.last().map(|job| &self.jobs[*job]);
        if let Some(ended) = last.and_then(|job| job.to)
            && (1..92).contains(&self.until.since(ended))
            && without_pension
            && record.is_some_and(|r| paid_lately(&r.contributions, ended) >= 12)
        {
            let asked = ended.plus(self.dice.between(3, 80));
            let asks = self.dice.chance(0.6) && asked <= self.until;
            claim(Benefit::Unemployment, ended.plus(1), asks.then_some(asked));
        }
    }
}

/// Months paid within the two years before a day.
fn paid_lately(contributions: &[Contribution], day: Day) -> i32 {
    let first = day.plus(-730);
    contributions
        .iter()
        .map(|c| (c.to.unwrap_or(day).min(day).since(c.from.max(first)) + 30) / 30)
        .filter(|months| *months > 0)
        .sum()
}
