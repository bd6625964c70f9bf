//! What happened, in the order in which the state heard of it.

mod desk;

use desk::{Delay, Desk, NOTHING};

use crate::{community::Community, day::Day, dice::Dice, people::PersonId, work::Status};

/// Something that happened. Whatever is not a person is named by its place in the community's list of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// A birth; the household that the child joins is its first residence.
    Birth(PersonId),
    /// Somebody came from abroad to stay.
    Arrived(PersonId),
    /// A personal number was given.
    NumberGiven(PersonId),
    /// The former card was issued.
    OldCardIssued(PersonId),
    /// A card with the personal number was issued.
    CardIssued(PersonId),
    /// Somebody moved: the place of the new stay in their residences.
    Moved(PersonId, usize),
    /// A marriage was registered.
    Married(usize),
    /// It was ended by a court.
    Divorced(usize),
    /// A death.
    Died(PersonId),
    /// A company was registered.
    CompanyFounded(usize),
    /// One of its branches was, by its place in the company's list.
    BranchOpened(usize, usize),
    /// It has another legal representative, by their place in the company's list.
    DirectorChanged(usize, usize),
    /// It paused.
    CompanySuspended(usize),
    /// It was dissolved.
    CompanyClosed(usize),
    /// A household business began.
    ShopOpened(usize),
    /// It ended.
    ShopClosed(usize),
    /// A job began.
    JobBegun(usize),
    /// It ended.
    JobEnded(usize),
    /// A yearly tax return came in.
    TaxReturned(usize),
    /// Goods were declared to customs.
    GoodsDeclared(usize),
}

impl What {
    /// A stable name for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Birth(_) => "birth",
            Self::Arrived(_) => "arrived",
            Self::NumberGiven(_) => "number-given",
            Self::OldCardIssued(_) => "old-card-issued",
            Self::CardIssued(_) => "card-issued",
            Self::Moved(..) => "moved",
            Self::Married(_) => "married",
            Self::Divorced(_) => "divorced",
            Self::Died(_) => "died",
            Self::CompanyFounded(_) => "company-founded",
            Self::BranchOpened(..) => "branch-opened",
            Self::DirectorChanged(..) => "director-changed",
            Self::CompanySuspended(_) => "company-suspended",
            Self::CompanyClosed(_) => "company-closed",
            Self::ShopOpened(_) => "shop-opened",
            Self::ShopClosed(_) => "shop-closed",
            Self::JobBegun(_) => "job-begun",
            Self::JobEnded(_) => "job-ended",
            Self::TaxReturned(_) => "tax-returned",
            Self::GoodsDeclared(_) => "goods-declared",
        }
    }
}

/// What the state wrote down on one day about something that happened on another: valid time and recorded time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// What.
    pub what: What,
    /// When it happened, as this report has it. A first report may be wrong; the truth is with the person or thing itself.
    pub on: Day,
    /// When it was written down; never before `on`.
    pub recorded: Day,
    /// For a correction: the day that an earlier report of the same had.
    pub corrects: Option<Day>,
    /// For births, marriages and deaths: where it stands in the books of civil status. A correction is written beside its entry.
    pub entry: Option<Entry>,
}

/// An entry in a book of civil status: `12/2019` of book 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The book, of which each community has its own.
    pub book: u32,
    /// The year of recording.
    pub year: i32,
    /// From 1 in each year, for births, marriages and deaths apart.
    pub number: u32,
}

/// `12/2019`.
impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.year)
    }
}

/// All that was reported of a community up to its last day, in the order of recording.
pub(crate) fn reports(community: &Community) -> Vec<Report> {
    let dice = Dice::of(&[community.seed(), 7, community.index.into()]);
    let mut desk = Desk::new(dice, community.until);
    people(community, &mut desk);
    for (at, marriage) in community.marriages.iter().enumerate() {
        let known = desk.report(What::Married(at), marriage.from, Delay::SameDay, NOTHING);
        if let Some(divorced) = marriage.divorced {
            desk.report(What::Divorced(at), divorced, Delay::Weeks, known);
        }
    }
    companies(community, &mut desk);
    for (at, shop) in community.shops.iter().enumerate() {
        let known = desk.report(What::ShopOpened(at), shop.from, Delay::Weeks, NOTHING);
        if let Some(to) = shop.to {
            desk.report(What::ShopClosed(at), to, Delay::Months, known);
        }
    }
    for (at, job) in community.jobs.iter().enumerate().filter(|(_, job)| job.insured) {
        let known = desk.report(What::JobBegun(at), job.from, Delay::Weeks, NOTHING);
        if let Some(to) = job.to {
            desk.report(What::JobEnded(at), to, Delay::Months, known);
        }
    }
    for (at, tax) in community.returns.iter().enumerate() {
        desk.report(What::TaxReturned(at), tax.filed, Delay::SameDay, NOTHING);
    }
    for (at, declaration) in community.declarations.iter().enumerate() {
        desk.report(What::GoodsDeclared(at), declaration.on, Delay::SameDay, NOTHING);
    }
    desk.in_order(community.index + 1)
}

fn people(community: &Community, desk: &mut Desk) {
    for person in &community.persons {
        let id = person.id;
        // A number that is given at birth registration is given on the day of that registration.
        let known = match (person.number, person.arrived) {
            (_, Some(arrived)) => desk.report(What::Arrived(id), arrived, Delay::Weeks, NOTHING),
            (Some((_, given)), None) if given.since(person.birth) < 400 => {
                desk.report_on(What::Birth(id), person.birth, given)
            }
            _ => desk.report(What::Birth(id), person.birth, Delay::Months, NOTHING),
        };
        if let Some((_, given)) = person.number {
            desk.report(What::NumberGiven(id), given, Delay::SameDay, known);
        }
        if let Some((_, issued)) = person.old_card {
            desk.report(What::OldCardIssued(id), issued, Delay::SameDay, known);
        }
        for issued in &person.cards {
            desk.report(What::CardIssued(id), *issued, Delay::SameDay, known);
        }
        let mut last = known;
        for (at, stay) in person.residences.iter().enumerate().skip(1) {
            last = desk.report(What::Moved(id, at), stay.from, Delay::Long, last);
        }
        if let Some(death) = person.death {
            desk.report(What::Died(id), death, Delay::Months, last);
        }
    }
}

fn companies(community: &Community, desk: &mut Desk) {
    for (at, company) in community.companies.iter().enumerate() {
        let known = desk.report(What::CompanyFounded(at), company.founded, Delay::SameDay, NOTHING);
        for (branch, opened) in company.branches.iter().enumerate() {
            desk.report(What::BranchOpened(at, branch), opened.from, Delay::Weeks, known);
        }
        for (director, (from, _)) in company.directors.iter().enumerate().skip(1) {
            desk.report(What::DirectorChanged(at, director), *from, Delay::Months, known);
        }
        match company.status {
            Status::Active => {}
            Status::Suspended(day) => {
                desk.report(What::CompanySuspended(at), day, Delay::Weeks, known);
            }
            Status::Closed(day) => {
                desk.report(What::CompanyClosed(at), day, Delay::Months, known);
            }
        }
    }
}
