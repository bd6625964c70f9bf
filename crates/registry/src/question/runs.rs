//! A question asked of many at once: a commune's children, an inspector's list of employers. A job asks line after line, each as if it
//! had been asked alone: judged, logged for its person, with an answer that can be accounted for. Only who asked sees how far it is and
//! what came of it, and after some days nobody: lines hold numbers of persons.

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::Ctx;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{
    Job,
    jobs::{Run, Runner},
    transact,
};
use uuid::Uuid;

use super::{
    service::{Asker, Outcome, Questions, inputs_of},
    store::{self as tables, DoneRow, RunRow},
};
use crate::service::Times;

base::typed_id!(
    /// One question asked of many.
    RunMark as RunId
);

/// The next lines of a run are to be asked, or a run is to be forgotten.
pub const RUN: &str = "registry.question-run";
/// The most lines of one run.
pub const MOST_LINES: usize = 10_000;
/// Lines that one job asks: few enough for its lease where registries are far.
const PIECE: i64 = 20;
/// As many lines are told to be wrong at once.
const MOST_WRONG: usize = 50;
/// Days for which results are kept.
const KEPT_DAYS: i64 = 7;

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    run: Uuid,
    /// Whether it is only to be forgotten.
    ends: bool,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Lines in all.
    pub total: i64,
    /// Lines that were asked.
    pub done: i64,
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its number, from 1, as it was put in.
    pub line: i64,
    /// `answered`, `undecided`, `silent`.
    pub outcome: String,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The id by which it can be accounted for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
}

/// Teaches a runner to ask.
pub fn handlers(runner: Runner, questions: &Questions) -> Runner {
    let questions = questions.clone();
    runner.on(RUN, move |run| {
        let questions = questions.clone();
        async move {
            let Payload { run: id, ends } = run.payload()?;
            if ends {
                questions.forget_run(&run, id).await
            } else {
                questions.go_on(&run, id).await
            }
        }
    })
}

impl Questions {
    /// Takes in a question about many, all of the same times; its id.
    ///
    /// # Errors
    /// As [`Questions::ask`], every line that is wrong by its number (as many as 50); `Invalid` for no line, or too many.
    pub async fn ask_many(
        &self,
        ctx: &Ctx,
        code: &str,
        lines: &[Map<String, Value>],
        times: Times,
        asker: &Asker,
    ) -> Result<Uuid> {
        let question = self.approved(code, asker)?;
        if lines.is_empty() || lines.len() > MOST_LINES {
            return Err(Error::refused(
                Kind::Invalid,
                "lines",
                format!("Mỗi lần hỏi từ 1 đến {MOST_LINES} dòng."),
                format!("From 1 to {MOST_LINES} lines are asked at once."),
            ));
        }
        let mut problems = Problems::new();
        let wrong = (1..)
            .zip(lines)
            .filter_map(|(n, line)| Some((n, inputs_of(question, line).err()?)));
        for (n, error) in wrong.take(MOST_WRONG) {
            for problem in error.problems().into_iter().flatten() {
                let at = format!("{n}/{}", problem.at);
                problems.add(&problem.code, at, problem.text.vi.clone(), problem.text.en.clone());
            }
        }
        problems.into_result()?;
        let id = RunId::new(ctx.now).uuid();
        let (as_of, known_at) = times.stored();
        let run = RunRow {
            question: question.code.to_string(),
            asked_by: asker.client.clone(),
            purpose: asker.purpose.clone(),
            dossier: asker.dossier.clone(),
            as_of,
            known_at,
            total: i64::try_from(lines.len()).map_err(Error::internal)?,
            done: 0,
        };
        let rows = lines.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let next = next(id, ctx.now, false)?;
        transact!(self.store(), |tx| {
            tables::put_run(&tx, id, &run, ctx.now, &rows).await?;
            tx.enqueue(next.clone(), ctx.now).await
        })?;
        Ok(id)
    }

    /// How far a run is.
    ///
    /// # Errors
    /// `NotFound`, also for everybody but who asked.
    pub async fn progress(&self, code: &str, id: Uuid, asker: &Asker) -> Result<Progress> {
        let run = tables::run(&self.store().read(), id).await?;
        let run =
            run.filter(|run| run.question == code && run.asked_by == asker.client && run.purpose == asker.purpose);
        let run = run.ok_or_else(no_run)?;
        Ok(Progress {
            total: run.total,
            done: run.done,
        })
    }

    /// What came of every line.
    ///
    /// # Errors
    /// As [`Self::progress`]; `Conflict` before the last line was asked.
    pub async fn result(&self, code: &str, id: Uuid, asker: &Asker) -> Result<Vec<Line>> {
        let progress = self.progress(code, id, asker).await?;
        if progress.done < progress.total {
            return Err(Error::refused(
                Kind::Conflict,
                "not-finished",
                "Chưa hỏi xong; hãy xem tiến độ và lấy kết quả sau.",
                "It is not finished; look at its progress and fetch the result later.",
            ));
        }
        let rows = tables::done_lines(&self.store().read(), id).await?;
        let line = |row: DoneRow| {
            Ok(Line {
                line: row.n,
                outcome: row.outcome,
                answer: row.answer.as_deref().map(serde_json::from_str).transpose()?,
                id: row.answer_id,
            })
        };
        rows.into_iter().map(line).collect()
    }

    /// Asks the next lines and orders the rest.
    async fn go_on(&self, job: &Run, id: Uuid) -> Result<()> {
        let Some(run) = tables::run(&self.store().read(), id).await? else {
            return Ok(());
        };
        let times = Times::from_stored(run.as_of.as_deref(), run.known_at);
        let asker = Asker {
            client: run.asked_by,
            purpose: run.purpose,
            dossier: run.dossier,
        };
        let ctx = Ctx::system(crate::service::EXCHANGE, job.now);
        let open = tables::open_lines(&self.store().read(), id, run.done, PIECE).await?;
        let mut asked = Vec::with_capacity(open.len());
        for line in &open {
            let inputs: Map<String, Value> = serde_json::from_str(&line.inputs)?;
            let answered = self.ask(&ctx, &run.question, &inputs, times, &asker).await?;
            let (outcome, answer) = match answered.outcome {
                Outcome::Answered(answer) => ("answered", Some(answer.to_string())),
                Outcome::Undecided => ("undecided", None),
                Outcome::Silent(_) => ("silent", None),
            };
            asked.push(DoneRow {
                n: line.n,
                outcome: outcome.to_owned(),
                answer,
                answer_id: Some(answered.id),
            });
        }
        let done = open.last().map_or(run.done, |line| line.n);
        let next = next(id, job.now, done == run.total)?;
        transact!(self.store(), |tx| {
            tables::keep_lines(&tx, id, &asked, done).await?;
            job.done(&tx).await?;
            tx.enqueue(next.clone(), job.now).await
        })
    }

    async fn forget_run(&self, job: &Run, id: Uuid) -> Result<()> {
        transact!(self.store(), |tx| {
            tables::forget_run(&tx, id).await?;
            job.done(&tx).await
        })
    }
}

/// The order to go on; to forget it in some days where all is asked.
fn next(run: Uuid, now: Timestamp, ends: bool) -> Result<Job> {
    let job = Job::new(RUN, &Payload { run, ends })?;
    Ok(match ends {
        true => job.at(now.plus_seconds(KEPT_DAYS * 86_400)),
        false => job,
    })
}

fn no_run() -> Error {
    Error::not_found("lượt hỏi", "run")
}
