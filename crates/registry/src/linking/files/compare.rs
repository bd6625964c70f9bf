//! Comparing the rows of a file, piece by piece, in the background.

use std::sync::Arc;

use base::{Result, Text, Timestamp, text::fold};
use cleansing::{layout::Sort, value};
use linkage::{Frequencies, policy::Policy};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Job, jobs::Run, transact};
use uuid::Uuid;

use super::{CLEAR, FileState, LEAST, LineState, MOST_CANDIDATES, columns, number};
use crate::{
    import::{Cells, Said, sort_of},
    linking::{
        propose::Known,
        score::{self, Found, Scoring},
    },
    model::{Duplicates, FieldPath, Registry, RegistryCode, text_of, values_at},
    service::Registries,
    shelf::Editions,
    store::files::{self as tables, CandidateRow, Compared, LineRow},
};

/// The next rows of a file are to be compared.
pub(crate) const FILE: &str = "registry.file";
/// The rows of a file are to be removed.
pub(crate) const FORGET_FILE: &str = "registry.file-forget";
/// Rows that one job compares.
const PIECE: i64 = 200;

/// Which file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The registry.
    pub registry: RegistryCode,
    /// The file.
    pub file: Uuid,
}

/// A record that a row may be.
struct Likely {
    row: CandidateRow,
    /// Whether it needs no closer look.
    clear: bool,
    /// Whether it has the number of the row.
    same_number: bool,
}

/// What is the same for all rows.
struct Comparing<'a> {
    editions: &'a Editions,
    registry: Arc<Registry>,
    duplicates: Duplicates,
    /// Where the personal number stands among what is compared.
    number: Option<usize>,
    policy: Option<Policy>,
    cells: Cells,
    headings: Vec<String>,
    now: Timestamp,
}

impl Registries {
    /// Compares the next rows of a file, and orders the rest. Where a job was broken off, or two of them meet, no row counts twice.
    pub(crate) async fn compare_file(&self, run: &Run, order: &Order) -> Result<()> {
        self.shelf().refresh().await?;
        let (code, id) = (&order.registry, order.file);
        let comparing = FileState::Comparing.code();
        let file = tables::get(&self.store().read(), code, id).await?;
        let Some(file) = file.filter(|file| file.state == comparing) else {
            return Ok(());
        };
        let editions = self.editions(code)?;
        let registry = editions.current();
        let Ok(duplicates) = columns::declared(&registry) else {
            // The registry has ceased to say how; whoever opens the file sees that it stands still.
            return transact!(self.store(), |tx| {
                tables::turn(&tx, id, comparing, FileState::Cancelled.code()).await?;
                run.done(&tx).await
            });
        };
        let fields: Vec<Option<FieldPath>> = serde_json::from_str(&file.fields)?;
        let fields: Vec<(usize, FieldPath)> = fields
            .into_iter()
            .enumerate()
            .filter_map(|(n, field)| Some((n, field?)))
            .collect();
        let by = Comparing {
            editions: &editions,
            registry: Arc::clone(&registry),
            number: number::column_of(&registry, &duplicates),
            policy: score::policy(&registry, &duplicates, CLEAR, LEAST),
            cells: Cells::of(&registry, &fields, run.now.legal_date())?,
            duplicates,
            headings: serde_json::from_str(&file.headings)?,
            now: run.now,
        };
        let lines = tables::lines(&self.store().read(), id, file.done, PIECE).await?;
        let mut compared = Vec::with_capacity(lines.len());
        for line in &lines {
            compared.push(self.compare_line(&by, line).await?);
        }
        let done = lines.last().map_or(file.total, |line| line.n);
        let state = if done < file.total {
            FileState::Comparing
        } else {
            FileState::Done
        };
        let next = next(order)?;
        transact!(self.store(), |tx| {
            let noted = tables::note(&tx, id, file.done, done, state.code(), &compared).await?;
            run.done(&tx).await?;
            if noted && state == FileState::Comparing {
                tx.enqueue(next.clone(), run.now).await?;
            }
            Ok(())
        })
    }

    async fn compare_line(&self, by: &Comparing<'_>, line: &LineRow) -> Result<Compared> {
        let read = Text::new(line.flaw_vi.clone(), line.flaw_en.clone());
        if !read.vi.is_empty() {
            return Ok(unread(line.n, read));
        }
        let row: Vec<String> = serde_json::from_str(&line.cells)?;
        let Said { body, flaws, notes } = by.cells.said(&row);
        let left_out = flaws.iter().map(|(n, why)| at_column(&by.headings, *n, why));
        let doubtful = notes.iter().map(|(n, why)| about_column(&by.headings, *n, why));
        let flaws: Vec<Text> = left_out.chain(doubtful).collect();
        let near = self.near(&by.registry, &by.duplicates, &body, by.now).await?;
        if !near.asked {
            let lists = |lang| columns::lists_of(&by.registry, &by.duplicates.blocking, lang);
            let lacking = Text::new(
                format!(
                    "Dòng không đủ giá trị để tìm bản ghi; cần đủ: {}.",
                    lists(base::Lang::Vi)
                ),
                format!(
                    "The row says too little to find a record; it takes {}.",
                    lists(base::Lang::En)
                ),
            );
            return Ok(unread(line.n, together([flaws, vec![lacking]].concat())));
        }
        let records: Vec<Uuid> = near.records.into_iter().collect();
        let others = self.known(by.editions, &records, by.now).await?;
        let row = Known { id: Uuid::nil(), body };
        let frequencies = self.frequencies(&by.registry, &by.duplicates, &row, &others).await?;
        let (first, told) = by.values(&row.body, others.iter().map(|other| &other.body));
        let found = by.found(&frequencies, &first, &told, &others)?;
        let known_by_number = found.first().is_some_and(|best| best.clear && best.same_number);
        let is_clear = known_by_number || matches!(found.as_slice(), [only] if only.clear) && !near.left_out;
        let state = match (found.is_empty(), near.left_out, is_clear) {
            (true, true, _) => LineState::Unread,
            (true, false, _) => LineState::Lone,
            (false, _, true) => LineState::Clear,
            (false, _, false) => LineState::Possible,
        };
        let many = (near.left_out && !known_by_number).then(|| {
            Text::new(
                "Quá nhiều bản ghi có cùng giá trị để tìm; chưa so sánh với các bản ghi đó.",
                "Too many records have the values that records are found by; they were not compared.",
            )
        });
        let candidates = found.into_iter().map(|likely| likely.row).collect();
        let flaw = together(flaws.into_iter().chain(many).collect());
        Ok(Compared {
            n: line.n,
            state: state.code(),
            candidates,
            flaw: (flaw.vi, flaw.en),
        })
    }

    /// Removes the rows of a file whose time is over.
    pub(crate) async fn forget_file(&self, run: &Run, order: &Order) -> Result<()> {
        transact!(self.store(), |tx| {
            tables::remove(&tx, order.file).await?;
            run.done(&tx).await
        })
    }
}

/// The order to compare the next rows of a file; one at a time.
pub(super) fn next(order: &Order) -> Result<Job> {
    Ok(Job::new(FILE, order)?.key(format!("{FILE}/{}", order.file)))
}

impl Comparing<'_> {
    /// The records that a row may be, the likeliest first; not more than are proposed. One that has the row's number is always among
    /// them, and comes first where name or birthday bears it out: the others are namesakes then, who have numbers of their own.
    fn found(
        &self,
        frequencies: &Frequencies,
        first: &[Option<String>],
        told: &[Vec<Option<String>>],
        others: &[Known],
    ) -> Result<Vec<Likely>> {
        let scoring = Scoring {
            registry: &self.registry,
            duplicates: &self.duplicates,
            frequencies,
            policy: self.policy.as_ref(),
        };
        let number = |values: &[Option<String>]| self.number.and_then(|at| values.get(at).cloned().flatten());
        let own = number(first);
        let same = |other: usize| own.is_some() && told.get(other).is_some_and(|values| number(values) == own);
        let found = score::compare_and(&scoring, first, told, LEAST, same)?;
        let likely = |found: Found| {
            let record_id = others.get(found.other)?.id;
            let foremost = number::told(&self.registry, &self.duplicates, self.policy.as_ref(), &found);
            let reason = together(foremost.into_iter().chain([found.reason.clone()]).collect());
            Some(Likely {
                row: CandidateRow {
                    record_id,
                    weight: (found.weight * 1000.0) as i64,
                    reason_vi: reason.vi,
                    reason_en: reason.en,
                },
                clear: found.clear,
                same_number: same(found.other),
            })
        };
        let mut found: Vec<Likely> = found.into_iter().filter_map(likely).collect();
        let rank = |one: &Likely| {
            let behind = !(one.clear && one.same_number);
            (behind, std::cmp::Reverse(one.row.weight), one.row.record_id)
        };
        found.sort_by_key(rank);
        if let Some(at) = found
            .iter()
            .position(|one| one.same_number)
            .filter(|at| *at >= MOST_CANDIDATES)
        {
            found.swap(at, MOST_CANDIDATES - 1);
        }
        found.truncate(MOST_CANDIDATES);
        Ok(found)
    }

    /// The values of the model's columns: of the row, and of each record. Of a field with several values a record shows the one that the
    /// row has, and a text that says the same is written as the row writes it. A record in one of several communes that an address may
    /// lie in shows none: it neither agrees nor differs.
    fn values<'v>(
        &self,
        row: &Value,
        others: impl Iterator<Item = &'v Value>,
    ) -> (Vec<Option<String>>, Vec<Vec<Option<String>>>) {
        let texts = |body: &Value, path: &FieldPath| -> Vec<String> {
            values_at(body, path).into_iter().filter_map(text_of).collect()
        };
        let columns = &self.duplicates.columns;
        let own: Vec<Vec<String>> = columns.iter().map(|(_, path)| texts(row, path)).collect();
        let told = others.map(|other| {
            let values = columns.iter().zip(&own).map(|((_, path), own)| {
                let said = texts(other, path);
                let shared = own
                    .iter()
                    .any(|own| said.iter().any(|said| says(&self.registry, path, own, said)));
                if shared && is_open(&self.registry, path, own.len()) {
                    return None;
                }
                own.first()
                    .filter(|_| shared)
                    .cloned()
                    .or_else(|| said.into_iter().next())
            });
            values.collect::<Vec<_>>()
        });
        let told = told.collect();
        (own.into_iter().map(|texts| texts.into_iter().next()).collect(), told)
    }
}

/// Whether a record says what a row says. Of names case does not count, and marks do not where the row has none at all: whoever wrote
/// it could not.
pub(super) fn says(registry: &Registry, path: &FieldPath, row: &str, record: &str) -> bool {
    let is_name = registry
        .field(path)
        .is_some_and(|field| sort_of(&field.term) == Sort::Name);
    if !is_name {
        return row == record;
    }
    let record = value::name(record).map_or_else(|_| record.to_owned(), |name| name.value.full);
    row.to_lowercase() == record.to_lowercase() || row.is_ascii() && fold(row) == fold(&record)
}

/// Whether a row leaves open which of several values of a field is meant.
pub(super) fn is_open(registry: &Registry, path: &FieldPath, values: usize) -> bool {
    values > 1 && registry.field(path).is_some_and(|field| !field.many)
}

fn about_column(headings: &[String], n: usize, why: &Text) -> Text {
    let heading = headings.get(n).map(String::as_str).unwrap_or_default();
    Text::new(
        format!("Cột “{heading}”: {}", why.vi),
        format!("The column “{heading}”: {}", why.en),
    )
}

fn at_column(headings: &[String], n: usize, why: &Text) -> Text {
    let heading = headings.get(n).map(String::as_str).unwrap_or_default();
    Text::new(
        format!("Cột “{heading}” không dùng được: {}", why.vi),
        format!("The column “{heading}” is left out: {}", why.en),
    )
}

fn together(texts: Vec<Text>) -> Text {
    let (vi, en): (Vec<String>, Vec<String>) = texts.into_iter().map(|text| (text.vi, text.en)).unzip();
    Text::new(vi.join(" "), en.join(" "))
}

fn unread(n: i64, flaw: Text) -> Compared {
    Compared {
        n,
        state: LineState::Unread.code(),
        flaw: (flaw.vi, flaw.en),
        candidates: Vec::new(),
    }
}
