//! Whether companies, jobs, insurance, taxes and customs hold together.

mod common;

use std::collections::{HashMap, HashSet};

use base::{Dong, codes::TaxCode};
use common::told;
use country::{
    people::PersonId,
    trade::{Direction, Payment, Taxpayer},
    work::{Benefit, Employer, Form, Insuring, Status},
};

const SEEDS: [u64; 3] = [1, 2, 77];

#[test]
fn companies_have_valid_codes_and_living_adults_at_their_head() {
    for seed in SEEDS {
        let (_, communities) = told(seed, 6_000);
        let mut codes: HashSet<TaxCode> = HashSet::new();
        let mut branches = 0;
        for community in &communities {
            for company in &community.companies {
                let code = company.code(None).expect("a right check digit");
                assert!(codes.insert(code.clone()), "{code} twice");
                for (nth, branch) in company.branches.iter().enumerate() {
                    let unit = company.code(Some(nth)).expect("thirteen digits");
                    assert_eq!(unit.main(), code.main());
                    assert!(codes.insert(unit) && company.is_open(branch.from));
                    branches += 1;
                }
                assert!(company.founded <= community.until);
                if let Some(stopped) = company.stopped() {
                    assert!(stopped > company.founded && stopped <= community.until);
                }
                if company.form == Form::Public {
                    assert!(company.directors.is_empty() && company.founders.is_empty());
                    continue;
                }
                for founder in company.founders.iter().map(|id| community.person(*id)) {
                    assert!(founder.lives_on(company.founded) && founder.age_on(company.founded) >= 18);
                }
                let least = match company.form {
                    Form::JointStock => 3,
                    Form::Limited => 2,
                    Form::OneMember | Form::Private | Form::Public => 1,
                };
                assert!(company.founders.len() >= least, "{:?}", company.form);
                assert_eq!(company.directors[0], (company.founded, company.founders[0]));
                let ends = company.stopped().unwrap_or(community.until);
                for (nth, (from, director)) in company.directors.iter().enumerate() {
                    let until = company.directors.get(nth + 1).map_or(ends, |(next, _)| *next);
                    let director = community.person(*director);
                    assert!(*from < until || nth == 0);
                    assert!(director.lives_on(*from) && director.age_on(*from) >= 18);
                    assert!(director.death.is_none_or(|death| death >= until), "led by the dead");
                }
            }
            for shop in &community.shops {
                let owner = community.person(shop.owner);
                let ends = shop.to.unwrap_or(community.until);
                assert!(owner.lives_on(shop.from) && owner.lives_on(ends) && owner.age_on(shop.from) >= 18);
                assert!(shop.from <= ends);
            }
        }
        assert!(
            codes.len() > 100 && branches > 20,
            "{} codes, {branches} branches",
            codes.len()
        );
    }
}

#[test]
fn nobody_works_too_young_or_twice_or_after_death_or_for_nobody() {
    for seed in SEEDS {
        let (_, communities) = told(seed, 4_000);
        let (mut now, mut insured) = (0, 0);
        for community in &communities {
            let mut last = HashMap::new();
            for job in &community.jobs {
                let person = community.person(job.person);
                let ends = job.to.unwrap_or(community.until);
                assert!(person.age_on(job.from) >= 15, "{job:?}");
                assert!(job.from < ends.plus(1) && person.lives_on(job.from) && person.lives_on(ends));
                assert!(
                    last.insert(job.person, ends).is_none_or(|before| before < job.from),
                    "one job at a time"
                );
                match job.employer {
                    Employer::Company { company, branch } => {
                        let company = &community.companies[company];
                        assert!(company.is_open(job.from) && company.stopped().is_none_or(|stopped| ends <= stopped));
                        assert!(branch.is_none_or(|branch| company.branches[branch].from <= job.from));
                        assert!(!job.insured || company.insuring != Insuring::Never);
                    }
                    Employer::Shop(shop) => {
                        let shop = &community.shops[shop];
                        assert!(
                            shop.from <= job.from && shop.to.is_none_or(|to| ends <= to) && shop.owner != job.person
                        );
                    }
                }
                now += usize::from(job.to.is_none());
                insured += usize::from(job.to.is_none() && job.insured);
            }
        }
        assert!(insured > 300 && now > insured, "{now} work, {insured} insured");
    }
}

#[test]
fn contributions_lie_within_their_job_and_stop_where_the_employer_does() {
    for seed in SEEDS {
        let (_, communities) = told(seed, 4_000);
        let (mut behind, mut pensions) = (0, 0);
        for community in &communities {
            for record in &community.insurance {
                let person = community.person(record.person);
                for paid in &record.contributions {
                    let job = &community.jobs[paid.job];
                    assert!(job.insured && job.person == record.person);
                    assert_eq!(paid.from, job.from.month());
                    assert!(paid.to.is_none_or(|to| to >= paid.from && to == to.month()));
                    assert!(job.to.is_none_or(|ended| paid.to.is_some_and(|to| to <= ended)));
                    if let Employer::Company { company, .. } = job.employer
                        && let Insuring::Behind(since) = community.companies[company].insuring
                    {
                        assert!(
                            paid.to.is_some_and(|to| to < since),
                            "paid up to when the employer stopped"
                        );
                        behind += 1;
                    }
                }
                if let Some(pension) = record.pension {
                    assert!(person.lives_on(pension) && person.age_on(pension) >= 55);
                    pensions += 1;
                }
            }
        }
        assert!(behind > 0 && pensions > 50, "{behind} behind, {pensions} pensions");
    }
}

#[test]
fn some_are_entitled_and_did_not_ask() {
    let (_, communities) = told(3, 10_000);
    let mut counts: HashMap<Benefit, (u32, u32)> = HashMap::new();
    for community in &communities {
        let insured: HashMap<PersonId, _> = community.insurance.iter().map(|i| (i.person, i)).collect();
        for claim in &community.claims {
            let person = community.person(claim.person);
            assert!(person.death.is_none() && claim.since <= community.until);
            assert!(
                claim
                    .asked
                    .is_none_or(|asked| asked >= claim.since && asked <= community.until)
            );
            let record = insured.get(&claim.person);
            match claim.benefit {
                Benefit::ChildHealthCard => {
                    assert!(person.age_on(community.until) < 6);
                    assert_eq!(claim.asked.is_some(), record.is_some_and(|r| r.card.is_some()));
                }
                Benefit::SocialRetirement => {
                    assert!(person.age_on(claim.since) >= 75 && record.is_none_or(|r| r.pension.is_none()));
                }
                Benefit::Unemployment => assert!(record.is_some_and(|r| !r.contributions.is_empty())),
            }
            let count = counts.entry(claim.benefit).or_default();
            count.0 += 1;
            count.1 += u32::from(claim.asked.is_none());
        }
    }
    assert_eq!(counts.len(), 3, "{counts:?}");
    for (benefit, (all, silent)) in counts {
        assert!(silent > 0 && silent < all, "{benefit:?}: {silent} of {all}");
    }
}

#[test]
fn debts_are_of_taxpayers_who_are_there_and_some_importers_have_them() {
    let mut of_debtors = 0;
    for seed in SEEDS {
        let (_, communities) = told(seed, 10_000);
        let mut declared = HashSet::new();
        for community in &communities {
            let mut filed = HashSet::new();
            for tax in &community.returns {
                assert!(filed.insert((tax.taxpayer, tax.year)), "one return a year: {tax:?}");
                let code = community
                    .tax_code_of(tax.taxpayer)
                    .expect("a taxpayer is known by a code");
                match tax.taxpayer {
                    Taxpayer::Company(_) => assert!(code.parse::<TaxCode>().is_ok()),
                    Taxpayer::Shop(_) | Taxpayer::Person(_) => assert_eq!(code.len(), 12),
                }
                assert!(tax.filed.year() == tax.year + 1 && tax.filed <= community.until);
                assert!(tax.debt() >= Dong::ZERO && tax.debt() <= tax.tax);
                assert_eq!(tax.debt() > Dong::ZERO, matches!(tax.payment, Payment::Owed(_)));
            }
            for declaration in &community.declarations {
                let company = &community.companies[declaration.company];
                assert!(company.is_open(declaration.on) && declaration.on <= community.until);
                assert!(!matches!(company.status, Status::Closed(day) if day <= declaration.on));
                let number = declaration.number.to_string();
                let first = if declaration.direction == Direction::Import {
                    "10"
                } else {
                    "30"
                };
                assert!(number.len() == 12 && number.starts_with(first), "{number}");
                assert!(declared.insert(declaration.number), "{number} twice");
                assert_eq!(declaration.goods.code.len(), 8);
                assert!(declaration.value > Dong::ZERO);
                let owes = community.debt_of(Taxpayer::Company(declaration.company)) > Dong::ZERO;
                of_debtors += u32::from(owes && declaration.direction == Direction::Import);
            }
        }
        assert!(declared.len() > 50, "{} declared", declared.len());
    }
    assert!(of_debtors > 0, "importers who owe tax are there to be found");
}
