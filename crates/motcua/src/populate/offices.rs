//! What offices hold of persons and enterprises on the country's last day: taxes, insurance, customs.

use std::collections::BTreeMap;

use base::Dong;
use country::{
    Community, Day,
    trade::{Direction, Return, Taxpayer},
    work::{CardKind, Contribution, Employer, Insurance, Status},
};
use serde_json::{Value, json};

use super::{Land, TAKEN_OVER, chronicle::Chronicle};

/// Taxpayers who have filed a return, each once: who has a household business and wages is one.
pub fn tax(land: &Land) -> Vec<Chronicle> {
    let mut taxpayers: BTreeMap<String, (&Community, Taxpayer, Vec<&Return>)> = BTreeMap::new();
    for community in &land.communities {
        for filed in &community.returns {
            let Some(number) = community.tax_code_of(filed.taxpayer) else {
                continue;
            };
            let known = taxpayers
                .entry(number)
                .or_insert((community, filed.taxpayer, Vec::new()));
            if matches!(filed.taxpayer, Taxpayer::Shop(_)) {
                known.1 = filed.taxpayer;
            }
            known.2.push(filed);
        }
    }
    let records = taxpayers
        .into_iter()
        .filter_map(|(number, (community, taxpayer, returns))| {
            let from = returns.iter().map(|filed| filed.filed).max()?;
            let body = taxpayer_body(&number, community, taxpayer, &returns);
            Some(Chronicle::once(land.until, TAKEN_OVER, from, body))
        });
    records.collect()
}

fn taxpayer_body(number: &str, community: &Community, taxpayer: Taxpayer, returns: &[&Return]) -> Value {
    let owed = returns.iter().filter(|filed| filed.debt() > Dong::ZERO);
    let debts: Vec<Value> = owed
        .clone()
        .map(|filed| {
            let tax = match filed.taxpayer {
                Taxpayer::Company(_) => "corporate-income",
                Taxpayer::Shop(_) | Taxpayer::Person(_) => "personal-income",
            };
            json!({
                "tax": tax, "period": filed.year.to_string(), "amount": filed.debt().amount(),
                "due_on": filed.due.to_string(),
            })
        })
        .collect();
    let total: i64 = owed.map(|filed| filed.debt().amount()).sum();
    let (kind, name, status, of) = match taxpayer {
        Taxpayer::Company(at) => {
            let company = &community.companies[at];
            let status = match company.status {
                Status::Active => "active",
                Status::Suspended(_) => "suspended",
                Status::Closed(_) => "closed",
            };
            ("organisation", company.name.clone(), status, "tax_code")
        }
        Taxpayer::Shop(at) => {
            let shop = &community.shops[at];
            let status = if shop.to.is_some() { "closed" } else { "active" };
            ("household-business", shop.name.clone(), status, "person_number")
        }
        Taxpayer::Person(id) => {
            let person = community.person(id);
            let status = if person.death.is_some() { "closed" } else { "active" };
            ("person", person.name.to_string(), status, "person_number")
        }
    };
    let mut body = json!({
        "taxpayer_number": number, "kind": kind, "name": name, "status": status, "debts": debts, "debt_total": total,
    });
    body[of] = number.into();
    body
}

/// Everybody alive with a social insurance number and a personal number.
pub fn insurance(land: &Land) -> Vec<Chronicle> {
    let of_community = |community| {
        let insured = move |insurance: &Insurance| insured(land, community, insurance);
        community.insurance.iter().filter_map(insured).collect::<Vec<_>>()
    };
    land.communities.iter().flat_map(of_community).collect()
}

fn insured(land: &Land, community: &Community, insurance: &Insurance) -> Option<Chronicle> {
    let person = community.person(insurance.person);
    let number = person.person_number().filter(|_| person.death.is_none())?;
    let open = insurance.contributions.iter().find(|spell| spell.to.is_none());
    let last = insurance.contributions.last();
    let group = match (insurance.card, last) {
        (Some(card), _) => card.kind.letters().get(..2).unwrap_or_default(),
        (None, Some(_)) => "DN",
        (None, None) => "GD",
    };
    let status = match (insurance.pension, open, last) {
        (Some(_), ..) => "receiving",
        (None, Some(_), _) => "contributing",
        (None, None, Some(_)) => "paused",
        (None, None, None) => "card-only",
    };
    let mut body = json!({
        "person_number": number.as_str(),
        "insurance_number": format!("{:010}", insurance.number),
        "name": person.name.to_string(),
        "birth_date": person.birth.to_string(),
        "group": group,
        "status": status,
    });
    if let Some(code) = open.and_then(|spell| employer(community, spell)) {
        body["employer_tax_code"] = code.into();
    }
    if let Some(spell) = last {
        let (year, month, _) = spell.to.unwrap_or(land.until).parts();
        body["paid_until"] = format!("{year:04}-{month:02}").into();
        body["months"] = insurance
            .contributions
            .iter()
            .map(|spell| months(spell, land.until))
            .sum::<i32>()
            .into();
    }
    let ended = insurance
        .contributions
        .iter()
        .flat_map(|spell| [Some(spell.from), spell.to])
        .flatten();
    let since = ended
        .chain([insurance.given])
        .chain(insurance.pension)
        .chain(insurance.card.map(|card| card.from));
    if let Some(card) = insurance.card {
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
    let from = since.filter(|day| *day <= land.until).max()?;
    Some(Chronicle::once(land.until, TAKEN_OVER, from, body))
}

fn employer(community: &Community, spell: &Contribution) -> Option<String> {
    match community.jobs.get(spell.job)?.employer {
        Employer::Company { company, .. } => community.companies.get(company)?.code(None).map(String::from),
        Employer::Shop(_) => None,
    }
}

fn months(spell: &Contribution, until: Day) -> i32 {
    let ((from, first, _), (to, last, _)) = (spell.from.parts(), spell.to.unwrap_or(until).parts());
    (to - from) * 12 + last - first + 1
}

/// The declarations.
pub fn customs(land: &Land) -> Vec<Chronicle> {
    let mut records = Vec::new();
    for community in &land.communities {
        for declared in &community.declarations {
            let Some(code) = community
                .companies
                .get(declared.company)
                .and_then(|company| company.code(None))
            else {
                continue;
            };
            let import = declared.direction == Direction::Import;
            let (value, duty) = (declared.value.amount(), declared.duty.amount());
            // One in ten is looked at, one in thirty is opened.
            let channel = match declared.number / 10 % 30 {
                0 => "red",
                1..4 => "yellow",
                _ => "green",
            };
            let body = json!({
                "number": format!("{:012}", declared.number),
                "flow": if import { "import" } else { "export" },
                "registered_on": declared.on.to_string(),
                "tax_code": code.as_str(),
                "office": "37NB",
                "channel": channel,
                "status": "cleared",
                "lines": [{
                    "hs_code": declared.goods.code, "goods": declared.goods.name,
                    "origin": if import { declared.partner } else { "VN" }, "value": value, "duty": duty,
                }],
                "value": value,
                "duty": duty,
            });
            records.push(Chronicle::once(land.until, TAKEN_OVER, declared.on, body));
        }
    }
    records
}
