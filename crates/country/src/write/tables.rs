//! The tables of the truth. Persons are named by `id`, whatever else by community and place: `12-3`.

use std::fmt::Display;

use base::codes::Sex;

use super::{
    Table,
    rows::{Digits, Maybe, Rows},
};
use crate::{
    community::Community,
    history::What,
    places::Units,
    trade::{Direction, Payment, Taxpayer},
    work::{Employer, Insuring, Status},
};

/// All, `people.csv` first.
pub const TABLES: [Table; 13] = [
    Table {
        file: "people.csv",
        header: &[
            "id",
            "full_name",
            "sex",
            "ethnicity",
            "nationality",
            "birth_date",
            "arrived",
            "death_date",
            "person_number",
            "number_given",
            "old_card",
            "old_card_issued",
            "phone",
            "mother",
            "father",
            "birthplace",
            "province",
            "commune",
            "address",
            "household",
        ],
        fill: people,
    },
    Table {
        file: "residences.csv",
        header: &[
            "person",
            "nth",
            "from",
            "to",
            "commune_before",
            "commune_after",
            "detail",
            "household",
        ],
        fill: residences,
    },
    Table {
        file: "cards.csv",
        header: &["person", "number", "issued"],
        fill: cards,
    },
    Table {
        file: "marriages.csv",
        header: &["marriage", "husband", "wife", "from", "divorced"],
        fill: marriages,
    },
    Table {
        file: "companies.csv",
        header: &[
            "company",
            "tax_code",
            "name",
            "form",
            "vsic_section",
            "vsic_division",
            "capital",
            "founded",
            "status",
            "status_since",
            "director",
            "founders",
            "province",
            "commune",
            "address",
            "insuring",
            "debt",
        ],
        fill: companies,
    },
    Table {
        file: "directors.csv",
        header: &["company", "nth", "director", "from"],
        fill: directors,
    },
    Table {
        file: "branches.csv",
        header: &["company", "tax_code", "from", "commune", "address"],
        fill: branches,
    },
    Table {
        file: "shops.csv",
        header: &[
            "shop",
            "owner",
            "name",
            "vsic_section",
            "vsic_division",
            "from",
            "to",
            "commune",
            "address",
        ],
        fill: shops,
    },
    Table {
        file: "jobs.csv",
        header: &[
            "job",
            "person",
            "employer",
            "branch",
            "from",
            "to",
            "wage",
            "insured",
            "paid_from",
            "paid_to",
        ],
        fill: jobs,
    },
    Table {
        file: "insurance.csv",
        header: &[
            "person",
            "number",
            "given",
            "pension",
            "card",
            "card_from",
            "benefit",
            "entitled_since",
            "asked",
        ],
        fill: insurance,
    },
    Table {
        file: "tax_returns.csv",
        header: &["taxpayer", "year", "revenue", "tax", "due", "filed", "paid", "debt"],
        fill: returns,
    },
    Table {
        file: "customs.csv",
        header: &[
            "declaration",
            "company",
            "tax_code",
            "direction",
            "hs_code",
            "goods",
            "partner",
            "value",
            "duty",
            "vat",
            "registered",
            "owes_tax",
        ],
        fill: customs,
    },
    Table {
        file: "reports.csv",
        header: &["what", "of", "nth", "on", "recorded", "corrects", "entry", "book"],
        fill: reports,
    },
];

/// A thing of a community: `12-3`.
struct Thing<'a>(&'a Community, usize);

impl Display for Thing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0.index, self.1)
    }
}

fn people(community: &Community, units: &Units, rows: &mut Rows) -> csv::Result<()> {
    for p in &community.persons {
        let last = p.death.unwrap_or(community.until);
        let home = p.residences.last();
        let sex = if p.sex == Sex::Male { "male" } else { "female" };
        rows.row(&[
            &p.id,
            &p.name,
            &sex,
            &p.ethnicity.entry().0,
            &p.nationality,
            &p.birth,
            &Maybe(p.arrived),
            &Maybe(p.death),
            &Maybe(p.number.map(|(number, _)| Digits::<12>(number))),
            &Maybe(p.number.map(|(_, given)| given)),
            &Maybe(p.old_card.map(|(card, _)| Digits::<9>(card.into()))),
            &Maybe(p.old_card.map(|(_, issued)| issued)),
            &Maybe(p.phone.map(|phone| Digits::<10>(phone.into()))),
            &Maybe(p.mother),
            &Maybe(p.father),
            &Digits::<3>(p.birthplace.into()),
            &Maybe(home.map(|home| home.address.province_code(units, last))),
            &Maybe(home.map(|home| home.address.commune_code(units, last))),
            &Maybe(home.map(|home| home.address.text(units, last))),
            &Maybe(home.map(|home| Thing(community, home.household as usize))),
        ])?;
    }
    Ok(())
}

fn residences(community: &Community, units: &Units, rows: &mut Rows) -> csv::Result<()> {
    for person in &community.persons {
        for (nth, stay) in person.residences.iter().enumerate() {
            let next = person.residences.get(nth + 1).map(|next| next.from.plus(-1));
            rows.row(&[
                &person.id,
                &nth,
                &stay.from,
                &Maybe(next.or(person.death)),
                &units.before(stay.address.before).code,
                &units.after(stay.address.after).code,
                &stay.address.detail,
                &Thing(community, stay.household as usize),
            ])?;
        }
    }
    Ok(())
}

fn cards(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    for person in &community.persons {
        if let Some((number, issued)) = person.old_card {
            rows.row(&[&person.id, &Digits::<9>(number.into()), &issued])?;
        }
        for issued in &person.cards {
            rows.row(&[
                &person.id,
                &Maybe(person.number.map(|(number, _)| Digits::<12>(number))),
                issued,
            ])?;
        }
    }
    Ok(())
}

fn marriages(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    for (at, m) in community.marriages.iter().enumerate() {
        rows.row(&[&Thing(community, at), &m.husband, &m.wife, &m.from, &Maybe(m.divorced)])?;
    }
    Ok(())
}

fn companies(community: &Community, units: &Units, rows: &mut Rows) -> csv::Result<()> {
    for (at, c) in community.companies.iter().enumerate() {
        let (status, since) = match c.status {
            Status::Active => ("active", None),
            Status::Suspended(day) => ("suspended", Some(day)),
            Status::Closed(day) => ("closed", Some(day)),
        };
        let insuring = match c.insuring {
            Insuring::All => "all",
            Insuring::Behind(_) => "behind",
            Insuring::Never => "never",
        };
        let founders: Vec<String> = c.founders.iter().map(ToString::to_string).collect();
        let last = c.closed().unwrap_or(community.until);
        rows.row(&[
            &Thing(community, at),
            &Digits::<10>(c.tax_code),
            &c.name,
            &c.form.code(),
            &c.industry.section,
            &c.industry.division,
            &c.capital.amount(),
            &c.founded,
            &status,
            &Maybe(since),
            &Maybe(c.directors.last().map(|(_, director)| director)),
            &founders.join(" "),
            &c.address.province_code(units, last),
            &c.address.commune_code(units, last),
            &c.address.text(units, last),
            &insuring,
            &community.debt_of(Taxpayer::Company(at)).amount(),
        ])?;
    }
    Ok(())
}

fn directors(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    for (at, company) in community.companies.iter().enumerate() {
        for (nth, (from, director)) in company.directors.iter().enumerate() {
            rows.row(&[&Thing(community, at), &nth, director, from])?;
        }
    }
    Ok(())
}

fn branches(community: &Community, units: &Units, rows: &mut Rows) -> csv::Result<()> {
    for (at, company) in community.companies.iter().enumerate() {
        let last = company.closed().unwrap_or(community.until);
        for (nth, branch) in company.branches.iter().enumerate() {
            rows.row(&[
                &Thing(community, at),
                &Maybe(company.code(Some(nth))),
                &branch.from,
                &branch.address.commune_code(units, last),
                &branch.address.text(units, last),
            ])?;
        }
    }
    Ok(())
}

fn shops(community: &Community, units: &Units, rows: &mut Rows) -> csv::Result<()> {
    for (at, s) in community.shops.iter().enumerate() {
        let last = s.to.unwrap_or(community.until);
        rows.row(&[
            &Thing(community, at),
            &s.owner,
            &s.name,
            &s.industry.section,
            &s.industry.division,
            &s.from,
            &Maybe(s.to),
            &s.address.commune_code(units, last),
            &s.address.text(units, last),
        ])?;
    }
    Ok(())
}

fn jobs(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    let paid: std::collections::HashMap<usize, _> = community
        .insurance
        .iter()
        .flat_map(|i| &i.contributions)
        .map(|c| (c.job, (c.from, c.to)))
        .collect();
    for (at, j) in community.jobs.iter().enumerate() {
        let (employer, branch) = match j.employer {
            Employer::Company { company, branch } => {
                let company = &community.companies[company];
                (
                    format!("{:010}", company.tax_code),
                    branch.and_then(|branch| company.code(Some(branch))),
                )
            }
            Employer::Shop(shop) => (format!("shop {}", Thing(community, shop)), None),
        };
        rows.row(&[
            &Thing(community, at),
            &j.person,
            &employer,
            &Maybe(branch),
            &j.from,
            &Maybe(j.to),
            &j.wage.amount(),
            &j.insured,
            &Maybe(paid.get(&at).map(|(from, _)| from)),
            &Maybe(paid.get(&at).and_then(|(_, to)| *to)),
        ])?;
    }
    Ok(())
}

/// One row a person who is insured or entitled, and one for each right where there are several.
fn insurance(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    let mut insured = community.insurance.iter().peekable();
    let mut claims = community.claims.iter().peekable();
    // Both are in the order of persons.
    for person in &community.persons {
        let record = insured.next_if(|record| record.person == person.id);
        let mut claim = claims.next_if(|claim| claim.person == person.id);
        if record.is_none() && claim.is_none() {
            continue;
        }
        loop {
            rows.row(&[
                &person.id,
                &Maybe(record.map(|r| Digits::<10>(r.number))),
                &Maybe(record.map(|r| r.given)),
                &Maybe(record.and_then(|r| r.pension)),
                &Maybe(record.and_then(|r| r.card).map(|card| card.code())),
                &Maybe(record.and_then(|r| r.card).map(|card| card.from)),
                &Maybe(claim.map(|claim| claim.benefit.code())),
                &Maybe(claim.map(|claim| claim.since)),
                &Maybe(claim.and_then(|claim| claim.asked)),
            ])?;
            claim = claims.next_if(|claim| claim.person == person.id);
            if claim.is_none() {
                break;
            }
        }
    }
    Ok(())
}

fn returns(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    for r in &community.returns {
        let paid = match r.payment {
            Payment::Paid(day) => Some(day),
            Payment::Owed(_) => None,
        };
        rows.row(&[
            &Maybe(community.tax_code_of(r.taxpayer)),
            &r.year,
            &r.revenue.amount(),
            &r.tax.amount(),
            &r.due,
            &r.filed,
            &Maybe(paid),
            &r.debt().amount(),
        ])?;
    }
    Ok(())
}

fn customs(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    for d in &community.declarations {
        let company = &community.companies[d.company];
        let owes = community.debt_of(Taxpayer::Company(d.company)).amount() > 0;
        rows.row(&[
            &d.number,
            &Thing(community, d.company),
            &Digits::<10>(company.tax_code),
            &if d.direction == Direction::Import {
                "import"
            } else {
                "export"
            },
            &d.goods.code,
            &d.goods.name,
            &d.partner,
            &d.value.amount(),
            &d.duty.amount(),
            &d.vat.amount(),
            &d.on,
            &owes,
        ])?;
    }
    Ok(())
}

fn reports(community: &Community, _: &Units, rows: &mut Rows) -> csv::Result<()> {
    for report in community.reports() {
        let (of, nth): (&dyn Display, Option<usize>) = match &report.what {
            What::Birth(p)
            | What::Arrived(p)
            | What::NumberGiven(p)
            | What::OldCardIssued(p)
            | What::CardIssued(p)
            | What::Died(p) => (p, None),
            What::Moved(p, nth) => (p, Some(*nth)),
            What::BranchOpened(at, nth) | What::DirectorChanged(at, nth) => (&Thing(community, *at), Some(*nth)),
            What::Married(at)
            | What::Divorced(at)
            | What::CompanyFounded(at)
            | What::CompanySuspended(at)
            | What::CompanyClosed(at)
            | What::ShopOpened(at)
            | What::ShopClosed(at)
            | What::JobBegun(at)
            | What::JobEnded(at)
            | What::TaxReturned(at)
            | What::GoodsDeclared(at) => (&Thing(community, *at), None),
        };
        rows.row(&[
            &report.what.code(),
            of,
            &Maybe(nth),
            &report.on,
            &report.recorded,
            &Maybe(report.corrects),
            &Maybe(report.entry),
            &Maybe(report.entry.map(|entry| entry.book)),
        ])?;
    }
    Ok(())
}
