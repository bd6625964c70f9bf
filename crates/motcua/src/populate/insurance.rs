//! Who is insured: the number, contributions begun and ended, the pension, the health card. A death ends the record; the end of an
//! enterprise ends what it pays.

use std::collections::HashMap;

use country::{
    Community, Day,
    history::{Report, What},
    people::{Person, PersonId},
    work::{CardKind, Contribution, Employer, Form, HealthCard, Insurance},
};
use serde_json::{Value, json};

use super::{
    BEGUN, Scribe, TAKEN_OVER,
    chronicle::{Chronicle, Fact, Ground},
};

/// The first day of the Law on Social Insurance 41/2024/QH15.
const NEW_LAW: Day = Day::of(2025, 7, 1);
const HEALTH: &str = "Luật Bảo hiểm y tế số 25/2008/QH12";

/// What changes the record of an insured person.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Happened {
    Numbered,
    /// Contributions of this spell, by its place in the person's list.
    Paying(usize),
    /// No contributions of it from that month on.
    Stopped(usize),
    /// What is paid was told to the insured.
    Told(Day),
    Retired,
    Carded,
    Died,
}

pub fn records(scribe: &Scribe<'_>, community: &Community) -> Vec<Chronicle> {
    let reports = Reports::of(community);
    let insured = community.insurance.iter();
    insured
        .filter_map(|insurance| record(scribe, community, &reports, insurance))
        .collect()
}

/// What was heard of jobs, employers and deaths.
struct Reports {
    jobs: HashMap<usize, Vec<Report>>,
    ended: HashMap<usize, Vec<Report>>,
    /// That a company stopped working, by its place in the list.
    stopped: HashMap<usize, Vec<Report>>,
    died: HashMap<PersonId, Vec<Report>>,
}

impl Reports {
    fn of(community: &Community) -> Self {
        let mut all = Self {
            jobs: HashMap::new(),
            ended: HashMap::new(),
            stopped: HashMap::new(),
            died: HashMap::new(),
        };
        for report in community.reports() {
            match report.what {
                What::JobBegun(at) => all.jobs.entry(at).or_default().push(report),
                What::JobEnded(at) => all.ended.entry(at).or_default().push(report),
                What::CompanyClosed(at) | What::CompanySuspended(at) => {
                    all.stopped.entry(at).or_default().push(report);
                }
                What::Died(id) => all.died.entry(id).or_default().push(report),
                _ => {}
            }
        }
        all
    }
}

fn record(scribe: &Scribe<'_>, community: &Community, reports: &Reports, insurance: &Insurance) -> Option<Chronicle> {
    let person = community.person(insurance.person);
    let (_, number_given) = person.number?;
    let begun = BEGUN.max(number_given);
    let mut facts = vec![fact(Happened::Numbered, insurance.given, insurance.given)];
    for (nth, spell) in insurance.contributions.iter().enumerate() {
        contributions(community, reports, (nth, spell), &mut facts);
    }
    facts.extend(insurance.pension.map(|day| fact(Happened::Retired, day, day)));
    facts.extend(insurance.card.map(|card| fact(Happened::Carded, card.from, card.from)));
    let died = reports.died.get(&person.id).map(Vec::as_slice).unwrap_or_default();
    if died.iter().any(|report| report.recorded <= begun) {
        return None;
    }
    facts.extend(
        died.iter()
            .map(|report| fact(Happened::Died, report.on, report.recorded)),
    );
    facts.retain(|fact| fact.recorded <= community.until);
    for fact in &mut facts {
        fact.recorded = fact.recorded.max(number_given);
    }
    // A child's record begins with its number.
    let begun = if number_given > BEGUN {
        Day::of(1900, 1, 1)
    } else {
        begun
    };
    let body = |happened: &[(Happened, Day)], on: Day| body(scribe, community, (insurance, person), happened, on);
    Chronicle::of(facts, begun, TAKEN_OVER, body)
}

fn fact(what: Happened, on: Day, recorded: Day) -> Fact<Happened> {
    let social = if recorded < NEW_LAW {
        "Luật Bảo hiểm xã hội số 58/2014/QH13"
    } else {
        "Luật Bảo hiểm xã hội số 41/2024/QH15"
    };
    let (source, basis) = match what {
        Happened::Numbered => ("Cấp mã số bảo hiểm xã hội", social),
        Happened::Paying(_) => ("Báo tăng lao động", social),
        Happened::Stopped(_) => ("Báo giảm lao động, xác định ngừng đóng", social),
        Happened::Told(_) => ("Thông báo kết quả đóng bảo hiểm", social),
        Happened::Retired => ("Quyết định hưởng chế độ hưu trí", social),
        Happened::Carded => ("Cấp thẻ bảo hiểm y tế", HEALTH),
        Happened::Died => ("Đăng ký khai tử", social),
    };
    Fact {
        what,
        on,
        recorded,
        ground: Ground { source, basis },
    }
}

/// What was heard of one spell of contributions.
fn contributions(
    community: &Community,
    reports: &Reports,
    (nth, spell): (usize, &Contribution),
    facts: &mut Vec<Fact<Happened>>,
) {
    let heard = |of: &HashMap<usize, Vec<Report>>, at| of.get(&at).cloned().unwrap_or_default();
    let Some(job) = community.jobs.get(spell.job) else {
        return;
    };
    let begun = heard(&reports.jobs, spell.job);
    let Some(known) = begun.first().map(|report| report.recorded) else {
        return;
    };
    let paying = begun
        .iter()
        .map(|report| fact(Happened::Paying(nth), report.on.month(), report.recorded));
    facts.extend(paying);
    let stopped = |after: Day, recorded: Day| fact(Happened::Stopped(nth), next_month(after), recorded.max(known));
    match spell.to {
        // The employer stopped paying while the job went on: found out a month later.
        Some(last) if job.to.is_none_or(|to| to.month() > last) => {
            facts.push(stopped(last, next_month(last).plus(30)));
        }
        _ => {
            let ended = heard(&reports.ended, spell.job);
            let of_employer = match job.employer {
                Employer::Company { company, .. } => heard(&reports.stopped, company),
                Employer::Shop(_) => Vec::new(),
            };
            // An enterprise that ends settles with the insurance first.
            let before = |report: &&Report| ended.first().is_none_or(|first| report.recorded < first.recorded);
            let of_employer = of_employer.iter().filter(before);
            let all = of_employer.chain(&ended);
            facts.extend(all.map(|report| stopped(report.on, report.recorded)));
        }
    }
    let until = spell.to.unwrap_or(community.until);
    let years = (BEGUN.year() + 1..=until.year()).map(|year| Day::of(year, 1, 1));
    let told = years.filter(|day| next_month(spell.from) <= *day && known < *day && *day <= until);
    facts.extend(told.map(|day| fact(Happened::Told(day), day, day)));
    if spell.to.is_none() && known < community.until {
        facts.push(fact(Happened::Told(community.until), community.until, community.until));
    }
}

fn next_month(day: Day) -> Day {
    day.month().plus(31).month()
}

fn month_before(day: Day) -> Day {
    day.month().plus(-1).month()
}

/// A spell of contributions as it is known.
struct Paid {
    spell: usize,
    from: Day,
    /// The last month.
    to: Option<Day>,
}

fn body(
    scribe: &Scribe<'_>,
    community: &Community,
    (insurance, person): (&Insurance, &Person),
    happened: &[(Happened, Day)],
    _: Day,
) -> Option<Value> {
    let (mut card, mut retired, mut told) = (None, false, None);
    let mut paid: Vec<Paid> = Vec::new();
    for (what, day) in happened {
        match what {
            Happened::Numbered => {}
            Happened::Paying(nth) => {
                card = workers_card(scribe, community, (insurance, person), *nth, *day);
                paid.push(Paid {
                    spell: *nth,
                    from: *day,
                    to: None,
                });
            }
            Happened::Stopped(nth) => {
                let spell = paid.iter_mut().find(|paid| paid.spell == *nth);
                if let Some(spell) = spell {
                    spell.to = Some(month_before(*day).max(spell.from));
                    card = card.filter(|card: &HealthCard| !is_workers(card.kind));
                }
            }
            Happened::Told(day) => told = Some(month_before(day.plus(1))),
            Happened::Retired => retired = true,
            Happened::Carded => card = insurance.card,
            Happened::Died => return None,
        }
    }
    let open = paid.iter().find(|paid| paid.to.is_none());
    let status = match (retired, open, paid.is_empty()) {
        (true, ..) => "receiving",
        (_, Some(_), _) => "contributing",
        (.., false) => "paused",
        (.., true) => "card-only",
    };
    let group = match card {
        Some(card) => card.kind.letters().get(..2).unwrap_or_default(),
        None if !paid.is_empty() => "DN",
        None => "GD",
    };
    let mut body = json!({
        "person_number": person.person_number()?.as_str(),
        "insurance_number": format!("{:010}", insurance.number),
        "name": person.name.to_string(),
        "birth_date": person.birth.to_string(),
        "group": group,
        "status": status,
    });
    if let Some(code) = open.and_then(|paid| employer(community, insurance.contributions.get(paid.spell)?)) {
        body["employer_tax_code"] = code.into();
    }
    let until = |paid: &Paid| paid.to.unwrap_or_else(|| told.unwrap_or(paid.from).max(paid.from));
    if let Some(last) = paid.iter().map(until).max() {
        let (year, month, _) = last.parts();
        body["paid_until"] = format!("{year:04}-{month:02}").into();
        body["months"] = paid
            .iter()
            .map(|paid| months(paid.from, until(paid)))
            .sum::<i32>()
            .into();
    }
    if let Some(card) = card {
        // One of the province's places of care, the same each time.
        let care = 1 + insurance.number % 12;
        body["card"] = json!({
            "number": card.code(), "valid_from": card.from.to_string(),
            "place_of_care": format!("{:02}{care:03}", card.province),
        });
        if card.kind == CardKind::Child {
            body["card"]["valid_to"] = person.birth.plus_years(6).to_string().into();
        }
    }
    Some(body)
}

/// The card of somebody who begins to work: it holds while contributions are paid.
fn workers_card(
    scribe: &Scribe<'_>,
    community: &Community,
    (insurance, person): (&Insurance, &Person),
    spell: usize,
    from: Day,
) -> Option<HealthCard> {
    let job = community.jobs.get(insurance.contributions.get(spell)?.job)?;
    let is_public = match job.employer {
        Employer::Company { company, .. } => community.companies.get(company)?.form == Form::Public,
        Employer::Shop(_) => false,
    };
    let address = person.residence_on(from)?.address;
    Some(HealthCard {
        kind: if is_public {
            CardKind::PublicWorker
        } else {
            CardKind::Worker
        },
        province: address.province_code(scribe.units, from).parse().ok()?,
        number: insurance.number,
        from,
    })
}

const fn is_workers(kind: CardKind) -> bool {
    matches!(kind, CardKind::Worker | CardKind::PublicWorker)
}

fn employer(community: &Community, spell: &Contribution) -> Option<String> {
    match community.jobs.get(spell.job)?.employer {
        Employer::Company { company, .. } => community.companies.get(company)?.code(None).map(String::from),
        Employer::Shop(_) => None,
    }
}

/// Months from one to another, both included.
fn months(from: Day, to: Day) -> i32 {
    let ((from, first, _), (to, last, _)) = (from.parts(), to.parts());
    (to - from) * 12 + last - first + 1
}
