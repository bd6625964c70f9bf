//! Taxpayers: registered, in debt, suspended, closed. Companies by their code since the registry began; persons and household businesses by
//! the personal number, which took the place of their tax codes on 1 July 2025.

use std::collections::BTreeMap;

use base::Dong;
use country::{
    Community, Day, MERGER,
    history::What,
    people::PersonId,
    trade::{Return, Taxpayer},
    work::Form,
};
use serde_json::{Value, json};

use super::{
    BEGUN, TAKEN_OVER,
    chronicle::{Chronicle, Fact, Ground},
};

const REGISTERED: Ground = Ground {
    source: "Đăng ký doanh nghiệp",
    basis: "Luật Quản lý thuế số 38/2019/QH14, Điều 30",
};
const OPENED: Ground = Ground {
    source: "Đăng ký thuế của hộ kinh doanh",
    basis: "Luật Quản lý thuế số 38/2019/QH14, Điều 30",
};
const EMPLOYED: Ground = Ground {
    source: "Đăng ký thuế qua cơ quan chi trả thu nhập",
    basis: "Luật Quản lý thuế số 38/2019/QH14, Điều 30",
};
const SUSPENDED: Ground = Ground {
    source: "Thông báo tạm ngừng kinh doanh",
    basis: "Luật Quản lý thuế số 38/2019/QH14, Điều 37",
};
const CLOSED: Ground = Ground {
    source: "Chấm dứt hiệu lực mã số thuế",
    basis: "Luật Quản lý thuế số 38/2019/QH14, Điều 39",
};
const OWED: Ground = Ground {
    source: "Thông báo tiền thuế nợ",
    basis: "Luật Quản lý thuế số 38/2019/QH14",
};
/// Tax codes of persons became their personal numbers.
const NUMBERED: Ground = Ground {
    source: "Chuyển mã số thuế cá nhân sang số định danh cá nhân",
    basis: "Thông tư 86/2024/TT-BTC",
};
/// On that day: the same as that of the new units.
const NUMBERS: Day = MERGER;

/// What changes the record of a taxpayer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Happened {
    Registered,
    Employed,
    ShopOpened(usize),
    ShopClosed(usize),
    Suspended,
    Closed,
    /// The tax of a return was due and not paid, by its place in the community's list.
    Owed(usize),
}

/// Whose record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Company(usize),
    Person(PersonId),
}

pub fn records(community: &Community) -> Vec<Chronicle> {
    let mut facts: BTreeMap<Who, Vec<Fact<Happened>>> = BTreeMap::new();
    for report in community.reports() {
        let owner = |shop: usize| community.shops.get(shop).map(|shop| Who::Person(shop.owner));
        let (who, what, ground) = match report.what {
            What::CompanyFounded(at) => (Some(Who::Company(at)), Happened::Registered, REGISTERED),
            What::CompanySuspended(at) => (Some(Who::Company(at)), Happened::Suspended, SUSPENDED),
            What::CompanyClosed(at) => (Some(Who::Company(at)), Happened::Closed, CLOSED),
            What::ShopOpened(at) => (owner(at), Happened::ShopOpened(at), OPENED),
            What::ShopClosed(at) => (owner(at), Happened::ShopClosed(at), CLOSED),
            What::JobBegun(at) => (first_job(community, at), Happened::Employed, EMPLOYED),
            What::Died(id) => (Some(Who::Person(id)), Happened::Closed, CLOSED),
            _ => continue,
        };
        let Some(who) = who else { continue };
        let fact = Fact {
            what,
            on: report.on,
            recorded: report.recorded,
            ground,
        };
        facts.entry(who).or_default().push(fact);
    }
    for (at, filed) in community.returns.iter().enumerate() {
        // It is a debt on the day after the last to pay, known when the return says how much it is.
        let on = filed.due.plus(1).max(filed.filed);
        let who = who(community, filed).filter(|_| filed.debt() > Dong::ZERO && on <= community.until);
        if let Some(who) = who {
            let fact = Fact {
                what: Happened::Owed(at),
                on,
                recorded: on,
                ground: OWED,
            };
            facts.entry(who).or_default().push(fact);
        }
    }
    let record = |(who, facts)| record(community, who, facts);
    facts.into_iter().filter_map(record).collect()
}

/// Whose return it is: who has a household business and wages is one taxpayer.
fn who(community: &Community, filed: &Return) -> Option<Who> {
    match filed.taxpayer {
        Taxpayer::Company(at) => Some(Who::Company(at)),
        Taxpayer::Shop(at) => community.shops.get(at).map(|shop| Who::Person(shop.owner)),
        Taxpayer::Person(id) => Some(Who::Person(id)),
    }
}

/// Whoever begins to work for wages with this job.
fn first_job(community: &Community, at: usize) -> Option<Who> {
    let job = community.jobs.get(at)?;
    let earlier = community.jobs.get(..at)?.iter().rev();
    // Jobs of one person follow each other.
    let is_first = earlier
        .take_while(|other| other.person == job.person)
        .all(|other| !other.insured);
    is_first.then_some(Who::Person(job.person))
}

fn record(community: &Community, who: Who, mut facts: Vec<Fact<Happened>>) -> Option<Chronicle> {
    let registers = |fact: &Fact<Happened>| {
        matches!(
            fact.what,
            Happened::Registered | Happened::Employed | Happened::ShopOpened(_)
        )
    };
    if !facts.iter().any(registers) {
        return None;
    }
    match who {
        Who::Company(at) => {
            let company = community.companies.get(at)?;
            let number = company.code(None).filter(|_| company.form != Form::Public)?;
            let body = |happened: &[(Happened, Day)], _: Day| {
                let mut body = taxpayer(community, number.as_str(), happened);
                body["kind"] = "organisation".into();
                body["name"] = company.name.clone().into();
                body["tax_code"] = number.as_str().into();
                Some(body)
            };
            Chronicle::of(facts, BEGUN, TAKEN_OVER, body)
        }
        Who::Person(id) => {
            let person = community.person(id);
            let number = person.person_number()?;
            let (_, given) = person.number?;
            // Codes that ended before were not made into personal numbers.
            let gone = |fact: &Fact<Happened>| fact.what == Happened::Closed && fact.recorded <= NUMBERS;
            if facts.iter().any(gone) {
                return None;
            }
            for fact in &mut facts {
                fact.recorded = fact.recorded.max(given);
            }
            let body = |happened: &[(Happened, Day)], _: Day| {
                let mut body = taxpayer(community, number.as_str(), happened);
                let shop = open_shop(happened).and_then(|shop| community.shops.get(shop));
                body["kind"] = if shop.is_some() { "household-business" } else { "person" }.into();
                body["name"] = shop
                    .map_or_else(|| person.name.to_string(), |shop| shop.name.clone())
                    .into();
                body["person_number"] = number.as_str().into();
                Some(body)
            };
            Chronicle::of(facts, NUMBERS, NUMBERED, body)
        }
    }
}

/// The newest household business that has opened and not closed.
fn open_shop(happened: &[(Happened, Day)]) -> Option<usize> {
    let closed = |shop: usize| happened.iter().any(|(what, _)| *what == Happened::ShopClosed(shop));
    happened.iter().rev().find_map(|(what, _)| match what {
        Happened::ShopOpened(shop) if !closed(*shop) => Some(*shop),
        _ => None,
    })
}

/// What is said of every taxpayer: the number, the status and the debts.
fn taxpayer(community: &Community, number: &str, happened: &[(Happened, Day)]) -> Value {
    let has = |wanted| happened.iter().any(|(what, _)| *what == wanted);
    let status = if has(Happened::Closed) {
        "closed"
    } else if has(Happened::Suspended) {
        "suspended"
    } else {
        "active"
    };
    let owed: Vec<&Return> = happened
        .iter()
        .filter_map(|(what, _)| match what {
            Happened::Owed(at) => community.returns.get(*at),
            _ => None,
        })
        .collect();
    let debt = |filed: &&Return| {
        let tax = match filed.taxpayer {
            Taxpayer::Company(_) => "corporate-income",
            Taxpayer::Shop(_) | Taxpayer::Person(_) => "personal-income",
        };
        json!({
            "tax": tax, "period": filed.year.to_string(), "amount": filed.debt().amount(),
            "due_on": filed.due.to_string(),
        })
    };
    json!({
        "taxpayer_number": number,
        "status": status,
        "debts": owed.iter().map(debt).collect::<Vec<_>>(),
        "debt_total": owed.iter().map(|filed| filed.debt().amount()).sum::<i64>(),
    })
}
