//! Pairs out of buckets: each bucket is a piece of work whose result is one file. What is there already is not done again, so that a
//! run which was interrupted goes on where it stopped.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base::{Error, Kind, Problems, Result};
use datafusion::{
    arrow::{
        array::{AsArray as _, RecordBatch},
        datatypes::{Float64Type, Int64Type},
    },
    error::DataFusionError,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use linkage::{Model, plan::Plan, probability_of, weight_of};
use serde::{Deserialize, Serialize};

use crate::{
    buckets::{Bucket, Buckets},
    engine::Engine,
    table::{Holds, Table, Value},
};

/// What is linked, and how.
#[derive(Debug, Clone)]
pub struct Job {
    /// The folder that the records were divided into, where every machine reads it under the same name.
    pub records: PathBuf,
    /// A trained model that reads the same of a record as the one that the records were divided for.
    pub model: Model,
    /// The least probability of a pair that is kept.
    pub threshold: f64,
    /// The folder of the pairs, on this machine.
    pub out: PathBuf,
    /// Buckets that are worked on at the same time.
    pub at_once: usize,
    /// How often a bucket is tried before the run goes on without it.
    pub tries: usize,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Buckets done, those of an earlier run among them.
    pub done: usize,
    /// All buckets.
    pub of: usize,
    /// Pairs found in this run.
    pub pairs: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// All buckets.
    pub buckets: usize,
    /// Those that an earlier run had done.
    pub done_before: usize,
    /// Pairs found in this run.
    pub pairs: u64,
}

/// Of which run the pairs of a folder are.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    threshold: f64,
    model: serde_json::Value,
    records: PathBuf,
}

/// Finds and weighs the pairs. `progress` hears of each bucket, `retried` of each that failed and is tried again.
///
/// # Errors
/// `threshold`, `not-buckets`, `other-tables` (the model reads something else of a record), `pairs-of-another-run`; and when all other
/// buckets are done, `buckets-failed` with what the engine said of each: the same command goes on from there.
pub async fn link(
    engine: &Engine,
    job: &Job,
    mut progress: impl FnMut(Progress),
    retried: impl Fn(&Bucket, &DataFusionError),
) -> Result<Linked> {
    if !(job.threshold > 0.0 && job.threshold < 1.0) {
        return Err(Error::refused(
            Kind::Invalid,
            "threshold",
            "Ngưỡng phải lớn hơn 0 và nhỏ hơn 1.",
            "The threshold must be above 0 and below 1.",
        ));
    }
    let buckets = Buckets::open(&job.records)?;
    let plan = Plan::new(&job.model)?;
    if !plan.same_tables(&Plan::new(&buckets.model)?) {
        return Err(Error::refused(
            Kind::Conflict,
            "other-tables",
            "Mô hình này đọc các cột hoặc quy tắc ghép khối khác với mô hình đã dùng khi chia bản ghi; hãy chia lại bằng mô hình này.",
            "This model reads other columns or blocking rules than the one that the records were divided for; divide them again with it.",
        ));
    }
    keep_to_one_run(job)?;
    let all = buckets.all();
    let (done, open): (Vec<Bucket>, Vec<Bucket>) = all.into_iter().partition(|bucket| pairs_file(job, bucket).exists());
    let mut now = Progress {
        done: done.len(),
        of: done.len() + open.len(),
        pairs: 0,
    };
    progress(now);
    let least = weight_of(job.threshold);
    let work = open.into_iter().map(|bucket| {
        let (plan, retried) = (&plan, &retried);
        async move {
            let mut tried = 1;
            loop {
                match one(engine, job, plan, &bucket, least).await {
                    Err(Failed::Engine(error)) if tried < job.tries => retried(&bucket, &error),
                    other => return (bucket, other),
                }
                tried += 1;
            }
        }
    });
    let mut work = stream::iter(work).buffer_unordered(job.at_once.max(1));
    let mut problems = Problems::new();
    while let Some((bucket, result)) = work.next().await {
        match result {
            Ok(pairs) => {
                now.done += 1;
                now.pairs += pairs;
                progress(now);
            }
            Err(Failed::Here(error)) => return Err(error),
            Err(Failed::Engine(error)) => {
                let name = Bucket::name(bucket.rule, bucket.number);
                problems.add(
                    "buckets-failed",
                    &name,
                    format!(
                        "Ngăn này không làm được sau {} lần thử; chạy lại lệnh để làm tiếp: {error}",
                        job.tries
                    ),
                    format!(
                        "This bucket failed {} times; run the command again to go on: {error}",
                        job.tries
                    ),
                );
            }
        }
    }
    problems.into_result()?;
    Ok(Linked {
        buckets: now.of,
        done_before: done.len(),
        pairs: now.pairs,
    })
}

/// Who failed.
enum Failed {
    Engine(DataFusionError),
    Here(Error),
}

/// Links one bucket; its file is there once it is whole.
async fn one(engine: &Engine, job: &Job, plan: &Plan, bucket: &Bucket, least: f64) -> Result<u64, Failed> {
    let statement = |table: &str| plan.statement(bucket.rule, table, least);
    let mut batches = engine.run(&bucket.file, statement).await.map_err(Failed::Engine)?;
    let path = pairs_file(job, bucket);
    let partial = path.with_extension("partial");
    let mut table = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .map_err(|error| at(&path, &error))
        .and_then(|()| Table::create(&partial, &columns(), 64 << 20))
        .map_err(Failed::Here)?;
    while let Some(batch) = batches.try_next().await.map_err(Failed::Engine)? {
        write(&mut table, &batch, bucket.rule).map_err(Failed::Here)?;
    }
    let pairs = table.records();
    table.finish().map_err(Failed::Here)?;
    fs::rename(&partial, &path).map_err(|error| Failed::Here(at(&path, &error)))?;
    Ok(pairs)
}

fn columns() -> [(String, Holds); 9] {
    [
        ("row_l", Holds::Whole),
        ("source_l", Holds::Text),
        ("id_l", Holds::Text),
        ("row_r", Holds::Whole),
        ("source_r", Holds::Text),
        ("id_r", Holds::Text),
        ("weight", Holds::Number),
        ("probability", Holds::Number),
        ("rule", Holds::Whole),
    ]
    .map(|(name, holds)| (name.to_owned(), holds))
}

/// Adds what the statement found, with the probability and the rule as the linker numbers it.
fn write(table: &mut Table, batch: &RecordBatch, rule: usize) -> Result<()> {
    let another = || Error::internal("the engine answered with other columns than were asked for");
    let whole = |n: usize| batch.columns().get(n)?.as_primitive_opt::<Int64Type>();
    let text = |n: usize| batch.columns().get(n)?.as_string_opt::<i32>();
    let (row_l, row_r) = (whole(0).ok_or_else(another)?, whole(3).ok_or_else(another)?);
    let (source_l, id_l) = (text(1).ok_or_else(another)?, text(2).ok_or_else(another)?);
    let (source_r, id_r) = (text(4).ok_or_else(another)?, text(5).ok_or_else(another)?);
    let weight = batch
        .columns()
        .get(6)
        .and_then(|column| column.as_primitive_opt::<Float64Type>());
    let weight = weight.ok_or_else(another)?;
    for n in 0..batch.num_rows() {
        let number = |row: i64| Value::Whole(u64::try_from(row).ok());
        table.push([
            number(row_l.value(n)),
            Value::Text(Some(source_l.value(n))),
            Value::Text(Some(id_l.value(n))),
            number(row_r.value(n)),
            Value::Text(Some(source_r.value(n))),
            Value::Text(Some(id_r.value(n))),
            Value::Number(Some(weight.value(n))),
            Value::Number(Some(probability_of(weight.value(n)))),
            Value::Whole(Some(rule as u64 + 1)),
        ])?;
    }
    Ok(())
}

fn pairs_file(job: &Job, bucket: &Bucket) -> PathBuf {
    job.out.join(Bucket::name(bucket.rule, bucket.number))
}

/// A folder holds the pairs of one model over one set of records, from one threshold on.
fn keep_to_one_run(job: &Job) -> Result<()> {
    let run = Run {
        threshold: job.threshold,
        model: serde_json::from_str(&job.model.to_json())?,
        records: fs::canonicalize(&job.records).map_err(|error| at(&job.records, &error))?,
    };
    let path = job.out.join("run.json");
    if let Ok(text) = fs::read_to_string(&path) {
        if serde_json::from_str::<Run>(&text).is_ok_and(|known| known == run) {
            return Ok(());
        }
        return Err(Error::refused(
            Kind::Conflict,
            "pairs-of-another-run",
            format!(
                "Thư mục {} chứa các cặp của mô hình, ngưỡng hoặc bộ bản ghi khác.",
                job.out.display()
            ),
            format!(
                "The folder {} holds pairs of another model, threshold or set of records.",
                job.out.display()
            ),
        ));
    }
    fs::create_dir_all(&job.out).map_err(|error| at(&job.out, &error))?;
    fs::write(&path, serde_json::to_string_pretty(&run)?).map_err(|error| at(&path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display()))
}
