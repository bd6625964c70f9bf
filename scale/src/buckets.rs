//! Records in buckets: for each blocking rule, the records that have a partner under it, those with one key in one file. Each file is
//! a piece of work of its own, which any machine can do without asking another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base::{Error, Kind, Result};
use linkage::{
    LinkType, Model, Oversized,
    plan::{Cell, Plan, Reader},
};
use serde::{Deserialize, Serialize};

use crate::{
    blocking::{Compared, Limit, groups, push, values},
    grouping::{Answers, Entry, Grouping, Reading},
    sources::{Record, Sources},
    table::{Holds, Table, Value},
};

/// How records are divided.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Files for each rule.
    pub buckets: u16,
    /// The most pairs that one key may make before it is divided by further columns.
    pub group_limit: u64,
    /// Megabytes that the files being written take in memory, all together.
    pub memory: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            buckets: 16,
            group_limit: 50_000_000,
            memory: 512,
        }
    }
}

/// What was written, kept beside it as `buckets.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Records read.
    pub records: u64,
    /// Files for each rule.
    pub buckets: u16,
    /// For each rule its records, in the order of the model.
    pub rules: Vec<WrittenRule>,
}

/// What was written for a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WrittenRule {
    /// The rule, as the model has it.
    pub rule: String,
    /// Records that have a partner under it.
    pub records: u64,
    /// Those of the largest bucket.
    pub largest: u64,
    /// Pairs with one key, which an earlier rule may find as well.
    pub pairs: u64,
    /// Keys that were too common.
    pub oversized: Vec<TooCommon>,
}

/// A key that was too common: [`Oversized`] to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooCommon {
    /// The key.
    pub value: String,
    /// The records that share it.
    pub records: u64,
    /// The pairs that they make.
    pub pairs: u64,
    /// The pairs that are looked at all the same.
    pub kept: u64,
}

impl From<Oversized> for TooCommon {
    fn from(group: Oversized) -> Self {
        Self {
            value: group.value,
            records: group.records,
            pairs: group.pairs,
            kept: group.kept,
        }
    }
}

/// What is being done: a pass over all records, counted from 1, of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Which.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

/// A folder of buckets that was written whole.
#[derive(Debug)]
pub struct Buckets {
    folder: PathBuf,
    /// What it holds.
    pub written: Written,
    /// The model that it was written for.
    pub model: Model,
}

/// One file of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The rule, from 0.
    pub rule: usize,
    /// The bucket, from 0.
    pub number: u16,
    /// The file.
    pub file: PathBuf,
}

impl Bucket {
    /// Its name below a folder: `rule=1/00000.parquet`, the rule as the linker numbers it, from 1.
    pub fn name(rule: usize, number: u16) -> String {
        format!("rule={}/{number:05}.parquet", rule + 1)
    }
}

/// Writes the records of CSV files into a new folder. Every record is read once, and once more for each rule; memory is that of the
/// largest part of a column, which more buckets make smaller.
///
/// # Errors
/// `not-a-model` and what [`Plan::new`] refuses; `folder-exists`; `source-twice`, `unknown-column`, `no-id-column`, `row-length`, `no-id`
/// and the like at the file, column or line; `id-twice`.
pub fn write(
    files: &[PathBuf],
    model: &str,
    folder: &Path,
    sizes: Sizes,
    mut progress: impl FnMut(Pass),
) -> Result<Written> {
    let model = Model::from_json(model)?;
    let plan = Plan::new(&model)?;
    let sources = Sources::open(files, &plan)?;
    fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::refused(
            Kind::Conflict,
            "folder-exists",
            format!("Thư mục {} đã có; mỗi lần chia cần một thư mục mới.", folder.display()),
            format!(
                "The folder {} is there already; records are divided into a new one.",
                folder.display()
            ),
        ),
        _ => at(folder, &error),
    })?;
    let passes = plan.rules().len() + 1;
    progress(Pass { number: 1, of: passes });
    let work = tempfile::tempdir_in(folder).map_err(|error| at(folder, &error))?;
    let (known, compared) = Known::gather(&sources, &plan, work.path(), sizes)?;
    write_names(&sources, folder, sizes)?;
    let mut rules = Vec::new();
    for (n, (rule, compared)) in plan.rules().zip(compared).enumerate() {
        progress(Pass {
            number: n + 2,
            of: passes,
        });
        let (records, largest) = known.write_rule(&sources, &plan, n, folder, sizes)?;
        rules.push(WrittenRule {
            rule: rule.to_owned(),
            records,
            largest,
            pairs: compared.pairs,
            oversized: compared.oversized.into_iter().map(TooCommon::from).collect(),
        });
    }
    let written = Written {
        records: known.records,
        buckets: sizes.buckets,
        rules,
    };
    let keep = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| at(&path, &error))
    };
    keep("model.json", model.to_json())?;
    // Last: without it the folder is not whole.
    keep("buckets.json", serde_json::to_string_pretty(&written)?)?;
    Ok(written)
}

impl Buckets {
    /// Opens what [`write`] wrote.
    ///
    /// # Errors
    /// `not-buckets` where the folder is not there or was not finished.
    pub fn open(folder: &Path) -> Result<Self> {
        let not_buckets = |why: &dyn std::fmt::Display| {
            Error::refused(
                Kind::Invalid,
                "not-buckets",
                format!(
                    "Thư mục {} không chứa bản ghi đã chia xong ({why}); hãy chạy `motcua-scale bucket` vào một thư mục mới.",
                    folder.display()
                ),
                format!(
                    "The folder {} holds no records that were divided to the end ({why}); run `motcua-scale bucket` into a new one.",
                    folder.display()
                ),
            )
        };
        let text = fs::read_to_string(folder.join("buckets.json")).map_err(|error| not_buckets(&error))?;
        let written = serde_json::from_str(&text).map_err(|error| not_buckets(&error))?;
        let model = fs::read_to_string(folder.join("model.json")).map_err(|error| not_buckets(&error))?;
        Ok(Self {
            folder: folder.to_owned(),
            written,
            model: Model::from_json(&model)?,
        })
    }

    /// All files, rule by rule.
    pub fn all(&self) -> Vec<Bucket> {
        let rules = 0..self.written.rules.len();
        let of_rule = |rule| {
            (0..self.written.buckets).map(move |number| Bucket {
                rule,
                number,
                file: self.folder.join(Bucket::name(rule, number)),
            })
        };
        rules.flat_map(of_rule).collect()
    }

    /// The file with source and id of each record, in the order of `_row`.
    pub fn names(&self) -> PathBuf {
        self.folder.join(NAMES)
    }
}

const NAMES: &str = "names.parquet";

/// What is known of all records before any is written into a bucket.
struct Known {
    records: u64,
    /// For each rule the group of each record.
    groups: Vec<Answers>,
    /// For each counted column how many records share the value of each, and how many have one.
    counts: Vec<(Answers, u64)>,
}

impl Known {
    /// Reads all records once and groups them on disk; gives what is compared under each rule as well.
    fn gather(sources: &Sources, plan: &Plan, work: &Path, sizes: Sizes) -> Result<(Self, Vec<Compared>)> {
        let begin = |name: String| Grouping::new(work.join(name), sizes.buckets);
        let mut ids = begin("ids".to_owned())?;
        let by_rule = (0..plan.rules().len()).map(|n| begin(format!("rule-{n}")));
        let mut by_rule = by_rule.collect::<Result<Vec<_>>>()?;
        let by_column = (0..plan.counted().len()).map(|n| begin(format!("column-{n}")));
        let mut by_column = by_column.collect::<Result<Vec<_>>>()?;
        let mut reader = plan.reader();
        let mut records = 0;
        sources.each(|record| {
            ids.push(Some(&plain(record.source, &[&record.source.to_string(), record.id])))?;
            for (n, grouping) in by_rule.iter_mut().enumerate() {
                grouping.push(entry(&mut reader, n, record).as_ref())?;
            }
            for (column, grouping) in plan.counted().iter().zip(&mut by_column) {
                let value = record.value(column).map(|value| plain(record.source, &[value]));
                grouping.push(value.as_ref())?;
            }
            records += 1;
            Ok(())
        })?;
        let names: Vec<&str> = sources.names().collect();
        ids.answer(|entries| once_each(entries, &names))?;
        let limit = Limit {
            pairs: sizes.group_limit,
            across_sources: plan.link_type() == LinkType::LinkOnly,
        };
        let (mut of_rules, mut compared) = (Vec::new(), Vec::new());
        for (rule, grouping) in plan.rules().zip(by_rule) {
            let mut of_rule = Compared::default();
            of_rules.push(grouping.answer(|entries| Ok(groups(entries, rule, limit, &mut of_rule)))?);
            compared.push(of_rule);
        }
        let mut counts = Vec::new();
        for grouping in by_column {
            let all = grouping.entries();
            counts.push((grouping.answer(|entries| Ok(how_many(entries)))?, all));
        }
        let known = Self {
            records,
            groups: of_rules,
            counts,
        };
        Ok((known, compared))
    }

    /// Writes the buckets of a rule; gives how many records they and the largest of them have.
    fn write_rule(
        &self,
        sources: &Sources,
        plan: &Plan,
        rule: usize,
        folder: &Path,
        sizes: Sizes,
    ) -> Result<(u64, u64)> {
        let columns = columns(plan, rule);
        let within = folder.join(format!("rule={}", rule + 1));
        fs::create_dir(&within).map_err(|error| at(&within, &error))?;
        let row_group = megabytes(sizes.memory) / usize::from(sizes.buckets.max(1));
        let table = |number| Table::create(&folder.join(Bucket::name(rule, number)), &columns, row_group);
        let mut tables = (0..sizes.buckets).map(table).collect::<Result<Vec<_>>>()?;
        let keys = self.groups.iter().take(rule + 1).map(Answers::read);
        let mut keys = keys.collect::<Result<Vec<Reading>>>()?;
        let counts = self.counts.iter().map(|(answers, all)| Ok((answers.read()?, *all)));
        let mut counts = counts.collect::<Result<Vec<_>>>()?;
        let mut reader = plan.reader();
        sources.each(|record| {
            let keys = keys.iter_mut().map(Reading::next_answer).collect::<Result<Vec<_>>>()?;
            let share =
                |(count, all): &mut (Reading, u64)| Ok(count.next_answer()?.map(|count| count as f64 / *all as f64));
            let shares = counts.iter_mut().map(share).collect::<Result<Vec<_>>>()?;
            let Some(Some(own)) = keys.last() else {
                return Ok(());
            };
            let bucket = own % tables.len() as u64;
            let Some(table) = tables.get_mut(bucket as usize) else {
                return Ok(());
            };
            let cells = reader.cells(&|column| record.value(column));
            let values = names_of(record)
                .into_iter()
                .chain(keys.iter().map(|key| Value::Whole(*key)))
                .chain(shares.iter().map(|share| Value::Number(*share)))
                .chain(cells.iter().map(|cell| match cell {
                    Cell::Text(text) => Value::Text(text.as_deref()),
                    Cell::Number(number) => Value::Number(*number),
                }));
            table.push(values)
        })?;
        let (mut records, mut largest) = (0, 0);
        for table in tables {
            records += table.records();
            largest = largest.max(table.records());
            table.finish()?;
        }
        Ok((records, largest))
    }
}

fn write_names(sources: &Sources, folder: &Path, sizes: Sizes) -> Result<()> {
    let mut table = Table::create(&folder.join(NAMES), &name_columns(), megabytes(sizes.memory))?;
    sources.each(|record| table.push(names_of(record)))?;
    table.finish()
}

fn name_columns() -> Vec<(String, Holds)> {
    let columns = [("_row", Holds::Whole), ("_source", Holds::Text), ("_id", Holds::Text)];
    columns.map(|(name, holds)| (name.to_owned(), holds)).to_vec()
}

/// The columns of a rule's tables, as [`Plan`] wants them.
fn columns(plan: &Plan, rule: usize) -> Vec<(String, Holds)> {
    let mut columns = name_columns();
    columns.extend((0..=rule).map(|n| (format!("_key_{n}"), Holds::Whole)));
    columns.extend((0..plan.counted().len()).map(|n| (format!("_share_{n}"), Holds::Number)));
    columns.extend(plan.fields().iter().map(|field| {
        let holds = if field.is_number() { Holds::Number } else { Holds::Text };
        (field.name().to_owned(), holds)
    }));
    columns
}

fn names_of<'a>(record: &Record<'a>) -> [Value<'a>; 3] {
    [
        Value::Whole(Some(record.row)),
        Value::Text(Some(record.source_name)),
        Value::Text(Some(record.id)),
    ]
}

/// What a rule wants to know of a record that has all its keys.
fn entry(reader: &mut Reader<'_>, rule: usize, record: &Record<'_>) -> Option<Entry> {
    let value = |column: &str| record.value(column);
    let mut key = Vec::new();
    for part in reader.keys(rule, &value)? {
        push(&mut key, &part);
    }
    let dividing = reader.dividing(rule, &value);
    Some(Entry {
        source: record.source,
        key,
        dividing: dividing.into_iter().map(|value| value.map(Into::into)).collect(),
    })
}

fn plain(source: u16, values: &[&str]) -> Entry {
    let mut key = Vec::new();
    for value in values {
        push(&mut key, value);
    }
    Entry {
        source,
        key,
        dividing: Vec::new(),
    }
}

/// How many entries have the value of each.
fn how_many(entries: &[Entry]) -> Vec<Option<u64>> {
    let mut counts = std::collections::HashMap::<&[u8], u64>::new();
    for entry in entries {
        *counts.entry(&entry.key).or_default() += 1;
    }
    entries
        .iter()
        .map(|entry| counts.get(entry.key.as_slice()).copied())
        .collect()
}

/// No id twice within a source.
fn once_each(entries: &[Entry], sources: &[&str]) -> Result<Vec<Option<u64>>> {
    let mut seen = std::collections::HashSet::new();
    for entry in entries {
        if !seen.insert(entry.key.as_slice()) {
            let source = sources.get(usize::from(entry.source)).copied().unwrap_or_default();
            let mut problems = base::Problems::new();
            let id = values(&entry.key).pop().unwrap_or_default();
            problems.add(
                "id-twice",
                source,
                format!("Mã “{id}” có ở hai bản ghi."),
                format!("The id “{id}” is that of two records."),
            );
            return Err(Error::Refused(Kind::Invalid, problems));
        }
    }
    Ok(vec![None; entries.len()])
}

const fn megabytes(n: usize) -> usize {
    n << 20
}

fn at(path: &Path, error: &std::io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display()))
}
