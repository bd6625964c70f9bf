//! Enterprises and their branches.

use std::collections::HashMap;

use country::{
    Community, Day, MERGER,
    history::What,
    work::{Company, Form},
};
use serde_json::{Value, json};

use super::{
    BEGUN, MERGED, Scribe, TAKEN_OVER,
    chronicle::{Chronicle, Fact, Ground},
};

/// The law by which enterprises are registered.
const LAW: &str = "Luật Doanh nghiệp số 59/2020/QH14";

/// What changes the record of an enterprise or branch.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Happened {
    Registered,
    Director(usize),
    Suspended,
    Closed,
    /// The units of its seat are others since then.
    Merged,
}

/// A company by its place in the community's list, or one of its branches.
type Unit = (usize, Option<usize>);

pub fn records(scribe: &Scribe<'_>, community: &Community) -> Vec<Chronicle> {
    let mut facts: HashMap<Unit, Vec<Fact<Happened>>> = HashMap::new();
    for report in community.reports() {
        let (company, branch, what, source) = match report.what {
            What::CompanyFounded(at) => (at, None, Happened::Registered, "Đăng ký doanh nghiệp"),
            What::BranchOpened(at, nth) => (at, Some(nth), Happened::Registered, "Đăng ký hoạt động chi nhánh"),
            What::DirectorChanged(at, nth) => (at, None, Happened::Director(nth), "Đăng ký thay đổi"),
            What::CompanySuspended(at) => (at, None, Happened::Suspended, "Thông báo tạm ngừng kinh doanh"),
            What::CompanyClosed(at) => (at, None, Happened::Closed, "Đăng ký giải thể"),
            _ => continue,
        };
        let fact = |what| Fact {
            what,
            on: report.on,
            recorded: report.recorded,
            ground: Ground { source, basis: LAW },
        };
        facts.entry((company, branch)).or_default().push(fact(what));
        // With the enterprise its branches end.
        if what == Happened::Closed {
            for ((of, branch), facts) in &mut facts {
                if *of == company && branch.is_some() {
                    facts.push(fact(what));
                }
            }
        }
    }
    let mut units: Vec<(Unit, Vec<Fact<Happened>>)> = facts.into_iter().collect();
    units.sort_by_key(|(unit, _)| *unit);
    units
        .into_iter()
        .filter_map(|((company, branch), mut facts)| {
            let company = community
                .companies
                .get(company)
                .filter(|company| company.form != Form::Public)?;
            let closed = facts
                .iter()
                .any(|fact| fact.what == Happened::Closed && fact.recorded <= MERGER);
            if facts.iter().any(|fact| fact.recorded < MERGER) && !closed {
                facts.push(Fact {
                    what: Happened::Merged,
                    on: MERGER,
                    recorded: MERGER,
                    ground: MERGED,
                });
            }
            let body =
                |happened: &[(Happened, Day)], on: Day| Some(body(scribe, community, (company, branch), happened, on));
            Chronicle::of(facts, BEGUN, TAKEN_OVER, body)
        })
        .collect()
}

fn body(
    scribe: &Scribe<'_>,
    community: &Community,
    (company, branch): (&Company, Option<usize>),
    happened: &[(Happened, Day)],
    on: Day,
) -> Value {
    let (mut founded, mut status, mut director) = (company.founded, "active", 0);
    for (what, day) in happened {
        match what {
            Happened::Registered => founded = *day,
            Happened::Director(nth) => director = *nth,
            Happened::Suspended => status = "suspended",
            Happened::Closed => status = "ended",
            Happened::Merged => {}
        }
    }
    let seat = branch
        .and_then(|nth| company.branches.get(nth))
        .map_or(company.address, |branch| branch.address);
    let director = company.directors.get(director).map(|(_, id)| community.person(*id));
    let representative = director.and_then(|person| {
        let number = person.person_number()?;
        let title = if branch.is_some() {
            "Người đứng đầu chi nhánh"
        } else {
            "Giám đốc"
        };
        Some(json!({ "person_number": number.as_str(), "name": person.name.to_string(), "title": title }))
    });
    let mut body = json!({
        "tax_code": company.code(branch).map(String::from),
        "name": match branch {
            None => company.name.clone(),
            Some(nth) => format!("Chi nhánh {} {}", nth + 1, company.name),
        },
        "legal_form": match (branch, company.form) {
            (Some(_), _) => "branch",
            (None, Form::OneMember) => "single-member-llc",
            (None, Form::Limited) => "llc",
            (None, Form::JointStock) => "joint-stock",
            (None, Form::Private | Form::Public) => "private",
        },
        "status": status,
        "founded_on": founded.to_string(),
        "address": scribe.address(&seat, on),
        "representatives": representative.into_iter().collect::<Vec<_>>(),
        "activities": [company.industry.division],
    });
    if branch.is_none() {
        body["charter_capital"] = company.capital.amount().into();
    }
    body
}
