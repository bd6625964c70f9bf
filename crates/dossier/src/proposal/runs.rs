//! A rule over many people: a commune's children, say. The approved question is asked of all of them as a job of its own
//! (`registry::question::runs`); this one waits for it, proposes to those of whom the answer is yes, and asks again about those of whom a
//! registry could say nothing. It may be stopped at any instant: what was done is noted with its effect.

use std::collections::BTreeSet;

use ::store::{Tx, jobs::Run, transact};
use base::{Error, Kind, Problems, Result, codes::PersonNumber};
use identity::{Ctx, Permission, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    NAME, Rule, job,
    model::RunId,
    store::{self as tables, CandidateRow, RunRow},
};
use crate::service::Dossiers;

/// The next of a run.
pub(super) const RUN: &str = "dossier.proposal-run";
/// The people of a run are to be looked at again.
pub(super) const AGAIN: &str = "dossier.proposal-again";
/// The most people of one run, as of one question.
pub const MOST_PEOPLE: usize = registry::question::runs::MOST_LINES;
/// People that one job looks at: few enough for its lease where registries are far.
const PIECE: usize = 20;
/// As many numbers are told to be wrong at once.
const MOST_WRONG: usize = 50;
/// Seconds between looks at how far the question is.
const LOOK: i64 = 5;
/// Seconds until those are asked about again of whom a registry said nothing, at first and at most.
const PAUSES: (i64, i64) = (60, 6 * 3600);
/// So often they are asked about, which takes some two days; then the run ends and tells how many are left.
const ROUNDS: i64 = 16;

/// Where those come from whom a run looks at. One of each may be under way for a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An officer's list; `every_days` looks at them again.
    List,
    /// Events named them. What they led to is looked at once.
    Events,
}

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    run: RunId,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Then {
    /// Put the question.
    Ask,
    /// Look whether it is answered.
    Wait,
    /// Propose to those after this one.
    Make(i64),
}

#[derive(Debug, Serialize, Deserialize)]
struct AgainPayload {
    /// The run whose people they are.
    like: RunId,
}

impl Dossiers {
    /// Starts a run of a rule over people, by their numbers; they are looked at in the background.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for who does not decide dossiers at the agency that proposes; `Invalid` with every number that is none
    /// (as many as 50); `Conflict` while a run of the rule is under way.
    pub async fn start_run(&self, ctx: &Ctx, rule: &str, numbers: &str) -> Result<RunId> {
        let rule = self.rule(rule)?;
        let agency = self.proposing_agency(&rule.procedure)?.to_string();
        ctx.require(Permission::DecideDossier, &Scope::Agency(agency))?;
        let people = people(numbers)?;
        if tables::is_under_way(&self.store().read(), rule.code.as_str(), Origin::List).await? {
            return Err(Error::refused(
                Kind::Conflict,
                "run-under-way",
                "Một lượt rà soát của đề xuất này đang chạy. Chờ lượt đó kết thúc.",
                "A run of this rule is under way. Wait until it has ended.",
            ));
        }
        let sealed = people
            .iter()
            .map(|number| self.sealed(number))
            .collect::<Result<Vec<_>>>()?;
        transact!(self.store(), |tx| {
            self.begin_run_in(&tx, ctx, rule, &sealed, Origin::List).await
        })
    }

    pub(super) async fn begin_run_in(
        &self,
        tx: &Tx,
        ctx: &Ctx,
        rule: &Rule,
        people: &[Vec<u8>],
        origin: Origin,
    ) -> Result<RunId> {
        let id = RunId::new(ctx.now);
        let run = RunRow {
            id: id.uuid(),
            rule: rule.code.to_string(),
            started_by: ctx.actor_name().to_owned(),
            started_at: ctx.now.micros(),
            total: i64::try_from(people.len()).map_err(Error::internal)?,
            asked: None,
            round: 0,
            ended_at: None,
            by_events: origin == Origin::Events,
        };
        let next = job(
            RUN,
            &Payload {
                run: id,
                then: Then::Ask,
            },
            ctx.now,
        )?;
        if origin == Origin::List {
            tables::forget_former(tx, &run.rule).await?;
        }
        tables::insert_run(tx, &run, people).await?;
        tx.enqueue(next, ctx.now).await?;
        Ok(id)
    }

    pub(super) fn rule(&self, code: &str) -> Result<&Rule> {
        let found = self.proposing().and_then(|proposing| proposing.rule(code));
        found.ok_or_else(|| Error::not_found("quy tắc đề xuất này", "rule"))
    }

    pub(super) async fn go_on_with_run(&self, job: &Run) -> Result<()> {
        let Payload { run: id, then } = job.payload()?;
        let Some(run) = tables::run(&self.store().read(), id)
            .await?
            .filter(|run| run.ended_at.is_none())
        else {
            return Ok(());
        };
        // A rule that was taken away proposes nothing any more.
        let Ok(rule) = self.rule(&run.rule) else {
            return self.end_run(job, id, None).await;
        };
        match then {
            Then::Ask => self.ask_of_all(job, id, &run, rule).await,
            Then::Wait => self.wait_for_answers(job, id, &run, rule).await,
            Then::Make(after) => self.propose_to_some(job, id, &run, rule, after).await,
        }
    }

    /// Puts the question about everybody of whom nothing came yet.
    async fn ask_of_all(&self, job: &Run, id: RunId, run: &RunRow, rule: &Rule) -> Result<()> {
        let open = tables::open_candidates(&self.store().read(), id, 0, MOST_PEOPLE).await?;
        let (Some(proposing), Some(input)) = (self.proposing(), rule.question.inputs.first()) else {
            return self.end_run(job, id, None).await;
        };
        if open.is_empty() || run.round >= ROUNDS {
            return self.end_run(job, id, rule.every_days.filter(|_| !run.by_events)).await;
        }
        let line = |candidate: &CandidateRow| -> Result<Map<String, Value>> {
            let number = self.unsealed(&candidate.subject)?;
            Ok(Map::from_iter([(input.id.to_string(), Value::from(number))]))
        };
        let lines = open.iter().map(line).collect::<Result<Vec<_>>>()?;
        let ctx = Ctx::system(NAME, job.now);
        let question = rule.question.code.as_str();
        let asked = proposing
            .questions
            .ask_many(
                &ctx,
                question,
                &lines,
                registry::service::Times::default(),
                &self.asker(rule)?,
            )
            .await?;
        let next = next(id, Then::Wait, job.now.plus_seconds(LOOK))?;
        transact!(self.store(), |tx| {
            tables::asks(&tx, id, Some(asked), run.round).await?;
            for (line, candidate) in (1..).zip(&open) {
                tables::stands_on(&tx, id, candidate.n, line).await?;
            }
            job.done(&tx).await?;
            tx.enqueue(next.clone(), job.now).await
        })
    }

    /// Takes the answers in, once they are all there.
    async fn wait_for_answers(&self, job: &Run, id: RunId, run: &RunRow, rule: &Rule) -> Result<()> {
        let (Some(proposing), Some(asked)) = (self.proposing(), run.asked) else {
            return self.then(job, next(id, Then::Ask, job.now)?).await;
        };
        let (question, asker) = (rule.question.code.as_str(), self.asker(rule)?);
        let progress = match proposing.questions.progress(question, asked, &asker).await {
            Ok(progress) => progress,
            // The answers were forgotten while this node stood still.
            Err(Error::Refused(Kind::NotFound, _)) => return self.then(job, next(id, Then::Ask, job.now)?).await,
            Err(error) => return Err(error),
        };
        if progress.done < progress.total {
            return self.then(job, next(id, Then::Wait, job.now.plus_seconds(LOOK))?).await;
        }
        let lines = proposing.questions.result(question, asked, &asker).await?;
        let open = tables::open_candidates(&self.store().read(), id, 0, MOST_PEOPLE).await?;
        let next = next(id, Then::Make(0), job.now)?;
        transact!(self.store(), |tx| {
            for candidate in &open {
                let Some(line) = lines.iter().find(|line| Some(line.line) == candidate.line) else {
                    continue;
                };
                match (line.outcome.as_str(), &line.answer, line.id) {
                    ("answered", Some(Value::Bool(true)), Some(answer)) => {
                        tables::answered(&tx, id, candidate.n, answer).await?;
                    }
                    ("answered", ..) => tables::came_of(&tx, id, candidate.n, "no").await?,
                    ("undecided", ..) => tables::came_of(&tx, id, candidate.n, "undecided").await?,
                    // A registry was silent: asked again.
                    _ => {}
                }
            }
            tables::asks(&tx, id, None, run.round + 1).await?;
            job.done(&tx).await?;
            tx.enqueue(next.clone(), job.now).await
        })
    }

    /// Proposes to some of those of whom the answer is yes.
    async fn propose_to_some(&self, job: &Run, id: RunId, run: &RunRow, rule: &Rule, after: i64) -> Result<()> {
        let open = tables::open_candidates(&self.store().read(), id, after, PIECE).await?;
        let ctx = Ctx::system(NAME, job.now);
        for candidate in &open {
            if let Some(answer) = candidate.answer_id {
                self.propose(&ctx, rule, (id, candidate), answer).await?;
            }
        }
        let then = match open.last() {
            Some(last) => next(id, Then::Make(last.n), job.now)?,
            None => {
                let left = tables::open_candidates(&self.store().read(), id, 0, 1).await?;
                let (first, most) = PAUSES;
                let pause = (first << (run.round - 1).clamp(0, 16)).min(most);
                let pause = if left.is_empty() { 0 } else { pause };
                next(id, Then::Ask, job.now.plus_seconds(pause))?
            }
        };
        self.then(job, then).await
    }

    async fn then(&self, job: &Run, next: ::store::Job) -> Result<()> {
        transact!(self.store(), |tx| {
            job.done(&tx).await?;
            tx.enqueue(next.clone(), job.now).await
        })
    }

    /// Ends a run. Whom it looked at is kept only where they are looked at again.
    async fn end_run(&self, job: &Run, id: RunId, again: Option<u16>) -> Result<()> {
        let next = match again {
            Some(days) => {
                let run = tables::run(&self.store().read(), id).await?;
                let at = job.now.plus_seconds(i64::from(days) * 86_400);
                let again = super::job(AGAIN, &AgainPayload { like: id }, at)?;
                run.map(|run| again.key(format!("proposal-again/{}", run.rule)))
            }
            None => None,
        };
        transact!(self.store(), |tx| {
            tables::end_run(&tx, id, job.now).await?;
            match &next {
                Some(next) => tx.enqueue(next.clone(), job.now).await?,
                None => tables::forget_candidates(&tx, id).await?,
            }
            job.done(&tx).await
        })
    }

    /// Looks at the people of a run again, as its rule says.
    pub(super) async fn run_again(&self, job: &Run) -> Result<()> {
        let AgainPayload { like } = job.payload()?;
        let run = tables::run(&self.store().read(), like).await?;
        let rule = run.as_ref().and_then(|run| self.rule(&run.rule).ok());
        let people: Vec<Vec<u8>> = tables::candidates(&self.store().read(), like, MOST_PEOPLE)
            .await?
            .into_iter()
            .map(|candidate| candidate.subject)
            .collect();
        if let Some(rule) = rule.filter(|rule| rule.every_days.is_some() && !people.is_empty()) {
            let ctx = Ctx::system(NAME, job.now);
            transact!(self.store(), |tx| {
                self.begin_run_in(&tx, &ctx, rule, &people, Origin::List).await
            })?;
        }
        transact!(self.store(), |tx| {
            tables::forget_candidates(&tx, like).await?;
            job.done(&tx).await
        })
    }
}

fn next(run: RunId, then: Then, at: base::Timestamp) -> Result<::store::Job> {
    job(RUN, &Payload { run, then }, at)
}

/// The numbers in a text, one each line or with commas or blanks between them, each once.
fn people(text: &str) -> Result<BTreeSet<String>> {
    let mut problems = Problems::new();
    let mut people = BTreeSet::new();
    let words = text.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    for (n, word) in (1..).zip(words.filter(|word| !word.is_empty())) {
        match word.parse::<PersonNumber>() {
            Ok(_) => {
                people.insert(word.to_owned());
            }
            Err(_) if problems.iter().count() < MOST_WRONG => problems.add(
                "person-number",
                "people",
                format!("Số thứ {n} không phải là số định danh cá nhân gồm 12 chữ số."),
                format!("Number {n} is no personal number of 12 digits."),
            ),
            Err(_) => {}
        }
    }
    if problems.is_empty() && (people.is_empty() || people.len() > MOST_PEOPLE) {
        problems.add(
            "people",
            "people",
            format!("Nhập từ 1 đến {MOST_PEOPLE} số định danh cá nhân."),
            format!("Enter from 1 to {MOST_PEOPLE} personal numbers."),
        );
    }
    problems.into_result()?;
    Ok(people)
}

/// How far a run is: everybody, and those of whom something came.
pub(super) fn left(run: &RunRow, outcomes: &[(String, i64)]) -> i64 {
    run.total - outcomes.iter().map(|(_, n)| n).sum::<i64>()
}
