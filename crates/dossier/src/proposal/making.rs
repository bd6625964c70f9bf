//! One proposal: to whom, which way is best, and why there may be none.

use std::collections::{BTreeMap, BTreeSet};

use ::store::transact;
use base::Result;
use identity::Ctx;
use jiff::{ToSpan as _, civil::Date};
use procedure::form::{Attribute, Said};
use registry::{
    lookup::{About as Whom, Question},
    service::Times,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    About, Rule, acting,
    model::{Entry, Made, Proposal, ProposalId, Ranked, RunId, State, Step},
    store::{self as tables, CandidateRow, New},
};
use crate::{
    model::{action::ActorRef, notice::NoticeKind},
    service::Dossiers,
};

/// Where the parents of a person stand, and how old the person is.
const PARENTS: [&str; 2] = ["mother-number", "father-number"];
const BIRTH_DATE: &str = "birth-date";
const POPULATION: &str = "population";
/// Of whom parents decide (Civil Code 91/2015/QH13, Article 21).
const OF_AGE: i32 = 18;

/// What comes of somebody of whom the answer is yes.
enum Found {
    /// These people may be told.
    Readers(Vec<String>),
    /// Nobody may.
    Nobody,
    /// A registry was silent: to be asked again.
    Silent,
}

impl Dossiers {
    /// Proposes to those who may know of somebody of a run, and notes what came of it; nothing is noted while a registry is silent.
    pub(super) async fn propose(
        &self,
        ctx: &Ctx,
        rule: &Rule,
        (run, candidate): (RunId, &CandidateRow),
        answer: Uuid,
    ) -> Result<()> {
        let number = self.unsealed(&candidate.subject)?;
        let Some(proposing) = self.proposing() else {
            return Ok(());
        };
        let numbers = match self.readers(ctx, rule, &number).await? {
            Found::Silent => return Ok(()),
            Found::Nobody => Vec::new(),
            Found::Readers(numbers) => numbers,
        };
        let readers: Vec<String> = numbers.iter().map(|number| proposing.person(number)).collect();
        let mut accounts = Vec::new();
        for (number, reader) in numbers.iter().zip(&readers) {
            let of = self.identity().accounts_of(ctx, number).await?;
            accounts.extend(of.into_iter().map(|account| (reader, account)));
        }
        let Some(values) = self.facts_of(ctx, rule, &number).await? else {
            return Ok(());
        };
        let package = self.shelf().on(&rule.procedure, ctx.now.legal_date());
        let made = Made {
            rule: (rule.code.to_string(), rule.version, rule.hash.clone()),
            procedure: rule.procedure.clone(),
            package: package.map(|package| package.id.clone()),
            answer,
            read_at: ctx.now,
            run: run.uuid(),
            ways: ranked(rule, &values),
            until: ctx.now.plus_seconds(days(rule) * 86_400),
        };
        let first = Entry {
            seq: 1,
            at: ctx.now,
            actor: ActorRef::from(ctx),
            step: Step::Proposed(Box::new(made)),
        };
        let id = ProposalId::new(ctx.now);
        let proposal = Proposal::fold(id, rule.act().is_some(), std::slice::from_ref(&first))?;
        debug_assert!(matches!(proposal.state, State::Open | State::Announced));
        let subject = self.sealed(&number)?;
        let subject_key = proposing.person(&number);
        transact!(self.store(), |tx| {
            // Whoever says at this moment that they want none is waited for, or waits.
            tables::hold(&tx, &readers, ctx.now).await?;
            let mut willing = Vec::new();
            for reader in &readers {
                if !tables::unwanted(&tx, reader, &rule.procedure).await? {
                    willing.push(reader.clone());
                }
            }
            // The state does not act for a child against the wish of one of the parents.
            let against = rule.act().is_some() && willing.len() < readers.len();
            let outcome = if readers.is_empty() {
                "nobody"
            } else if willing.is_empty() || against {
                "not-wanted"
            } else {
                let new = New {
                    proposal: &proposal,
                    subject_key: &subject_key,
                    subject: &subject,
                    readers: &willing,
                    entry: &first,
                };
                if tables::insert(&tx, &new).await? {
                    tables::count(&tx, (rule.code.as_str(), &rule.procedure), ctx.now, "proposed").await?;
                    tx.enqueue(acting::due_job(id, proposal.made.until)?, ctx.now).await?;
                    tx.enqueue(acting::leaves_job()?, ctx.now).await?;
                    let told = accounts.iter().filter(|(reader, _)| willing.contains(reader));
                    let told: Vec<Uuid> = told.map(|(_, account)| account.uuid()).collect();
                    let kind = match rule.act() {
                        Some(_) => (NoticeKind::Announced, Some(proposal.made.until)),
                        None => (NoticeKind::Proposed, None),
                    };
                    super::tell(&tx, id, &told, kind, ctx.now).await?;
                    "proposed"
                } else {
                    "known"
                }
            };
            tables::came_of(&tx, run, candidate.n, outcome).await
        })
    }

    /// The personal numbers of those who may know.
    async fn readers(&self, ctx: &Ctx, rule: &Rule, number: &str) -> Result<Found> {
        if rule.about == About::Person {
            return Ok(Found::Readers(vec![number.to_owned()]));
        }
        let attributes = PARENTS.iter().chain([&BIRTH_DATE]).map(|name| Attribute {
            registry: POPULATION.to_owned(),
            name: (*name).to_owned(),
            of: None,
        });
        let said = self.ask_about(ctx, rule, number, attributes.collect()).await?;
        let Some(said) = said else {
            return Ok(Found::Silent);
        };
        let of = |name: &str| {
            let known = said.iter().find(|(attribute, _)| attribute.name == name);
            known.and_then(|(_, value)| value.as_str()).map(str::to_owned)
        };
        let is_child = of(BIRTH_DATE).is_some_and(|birth| is_child(&birth, ctx.now.legal_date()));
        let parents: BTreeSet<String> = PARENTS.iter().filter_map(|name| of(name)).collect();
        Ok(match is_child && !parents.is_empty() {
            true => Found::Readers(parents.into_iter().collect()),
            false => Found::Nobody,
        })
    }

    /// What ways and writes of a rule see of whom it is about; none while a registry is silent.
    pub(super) async fn facts_of(&self, ctx: &Ctx, rule: &Rule, number: &str) -> Result<Option<Map<String, Value>>> {
        let asked: Vec<Attribute> = rule.facts.iter().map(|fact| fact.ask.clone()).collect();
        let Some(mut said) = self.ask_about(ctx, rule, number, asked).await? else {
            return Ok(None);
        };
        let mut values = Map::new();
        values.insert("subject".to_owned(), Value::from(number));
        values.insert("today".to_owned(), Value::from(ctx.now.legal_date().to_string()));
        for fact in &rule.facts {
            values.insert(fact.id.to_string(), said.remove(&fact.ask).unwrap_or_default());
        }
        Ok(Some(values))
    }

    /// What registries say of somebody under the purpose of the rule, null where they hold nothing; none while one of them is silent.
    async fn ask_about(
        &self,
        ctx: &Ctx,
        rule: &Rule,
        number: &str,
        attributes: Vec<Attribute>,
    ) -> Result<Option<BTreeMap<Attribute, Value>>> {
        if attributes.is_empty() {
            return Ok(Some(BTreeMap::new()));
        }
        let Some(lookup) = self.lookup() else {
            return Ok(None);
        };
        let question = Question {
            about: Whom::Person(number.to_owned()),
            attributes,
            procedure: rule.question.purpose.as_str().to_owned(),
            basis: rule.laws(),
            dossier: None,
            times: Times::default(),
        };
        let mut said = lookup.ask(ctx, &question).await;
        let value = |attribute: &Attribute| match said.remove(attribute) {
            Some(Said::Known { value, .. }) => Some((attribute.clone(), value)),
            Some(Said::Nothing { .. }) => Some((attribute.clone(), Value::Null)),
            Some(Said::Silent { .. }) | None => None,
        };
        Ok(question.attributes.iter().map(value).collect())
    }
}

/// How long a proposal stands, in days; until an act, which may be refused as long.
fn days(rule: &Rule) -> i64 {
    i64::from(rule.act().map_or(rule.valid_days, |act| act.refuse_days))
}

/// The ways that fit first, each in the order of the rule: the first is recommended.
fn ranked(rule: &Rule, values: &Map<String, Value>) -> Vec<Ranked> {
    let fits = |when: &Option<procedure::feel::Expr>| when.as_ref().is_none_or(|when| when.holds_over(values));
    let mut ways: Vec<Ranked> = rule
        .ways()
        .iter()
        .map(|way| Ranked {
            way: way.id.clone(),
            fits: fits(&way.when),
        })
        .collect();
    ways.sort_by_key(|way| !way.fits);
    ways
}

/// Whether somebody who was born on this day, or in this month or year, is under 18 for certain.
fn is_child(birth: &str, today: Date) -> bool {
    // Of a day that is not known whole, the earliest that it can be.
    let whole = match birth.len() {
        4 => format!("{birth}-01-01"),
        7 => format!("{birth}-01"),
        _ => birth.to_owned(),
    };
    let birth: Option<Date> = whole.parse().ok();
    birth
        .and_then(|birth| birth.checked_add(OF_AGE.years()).ok())
        .is_some_and(|of_age| today < of_age)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_child_is_a_child_until_the_day_of_eighteen() {
        for (birth, today, child) in [
            ("2010-05-02", date(2028, 5, 1), true),
            ("2010-05-02", date(2028, 5, 2), false),
            ("2010-05", date(2028, 4, 30), true),
            ("2010-05", date(2028, 5, 1), false),
            ("2010", date(2027, 12, 31), true),
            ("2010", date(2028, 1, 1), false),
            ("", date(2020, 1, 1), false),
            ("không rõ", date(2020, 1, 1), false),
        ] {
            assert_eq!(is_child(birth, today), child, "{birth} {today}");
        }
    }
}
