//! Comparing the rows of a file, piece by piece, in the background.

use std::sync::Arc;

use base::{Result, Text, Timestamp, text::fold};
use cleansing::{layout::Sort, value};
use linkage::policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Job, jobs::Run, transact};
use uuid::Uuid;

use super::{CLEAR, FileState, LEAST, LineState, MOST_CANDIDATES, columns};
use crate::{
    import::{Cells, sort_of},
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

/// What is the same for all rows.
struct Comparing<'a> {
    editions: &'a Editions,
    registry: Arc<Registry>,
    duplicates: &'a Duplicates,
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
        let Some(duplicates) = &registry.duplicates else {
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
            duplicates,
            policy: score::policy(&registry, duplicates, CLEAR, LEAST),
            cells: Cells::of(&registry, &fields, run.now.legal_date()),
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
        let (body, flaws) = by.cells.body(&row);
        let flaws: Vec<Text> = flaws
            .into_iter()
            .map(|(n, why)| at_column(&by.headings, n, &why))
            .collect();
        let near = self.near(&by.registry, by.duplicates, &body, by.now).await?;
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
        let frequencies = self.frequencies(&by.registry, by.duplicates, &row, &others).await?;
        let (first, told) = by.values(&row.body, others.iter().map(|other| &other.body));
        let scoring = Scoring {
            registry: &by.registry,
            duplicates: by.duplicates,
            frequencies: &frequencies,
            policy: by.policy.as_ref(),
        };
        let mut found = score::compare(&scoring, &first, &told, LEAST)?;
        let record = |found: &Found| others.get(found.other).map(|other| other.id);
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| record(a).cmp(&record(b))));
        let is_clear = matches!(found.as_slice(), [only] if only.clear) && !near.left_out;
        let state = match (found.is_empty(), near.left_out, is_clear) {
            (true, true, _) => LineState::Unread,
            (true, false, _) => LineState::Lone,
            (false, _, true) => LineState::Clear,
            (false, _, false) => LineState::Possible,
        };
        let many = near.left_out.then(|| {
            Text::new(
                "Quá nhiều bản ghi có cùng giá trị để tìm; chưa so sánh với các bản ghi đó.",
                "Too many records have the values that records are found by; they were not compared.",
            )
        });
        let candidates = found.into_iter().take(MOST_CANDIDATES).filter_map(|found| {
            Some(CandidateRow {
                record_id: record(&found)?,
                weight: (found.weight * 1000.0) as i64,
                reason_vi: found.reason.vi,
                reason_en: found.reason.en,
            })
        });
        let flaw = together(flaws.into_iter().chain(many).collect());
        Ok(Compared {
            n: line.n,
            state: state.code(),
            candidates: candidates.collect(),
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
    /// The values of the model's columns: of the row, and of each record. Of a field with several values a record shows the one that the
    /// row has, and a text that says the same is written as the row writes it.
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
