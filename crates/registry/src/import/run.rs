//! One run.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use base::{Clock, Error, Kind, Result, Text, Timestamp};
use cleansing::{
    Severity,
    clean::{Keys, Table},
    read::{Position, Row},
};
use futures::{Stream, StreamExt as _, stream};
use identity::{Ctx, Permission};
use sha2::{Digest, Sha256};
use store::transact;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    Mapping, Options, Progress, Stage, Summary,
    judge::{Good, Judged, Plan},
    mapping::{Column, Target},
    read::{self, Fingerprint, Of},
    report::{Entry, Report, cannot_write},
};
use crate::{
    model::{Registry, RegistryCode},
    service::{
        Provenance, RecordId, Registries,
        many::{self, Sorted},
        write::{changed, complete, key_taken},
    },
    store::{
        import::{self as places, ImportRow},
        index::Slots,
        write as tables,
    },
};

/// Pieces of a file that are judged and wait to be written.
const WAITING: usize = 12;
/// Bytes of records in one transaction, about.
const BATCH_BYTES: usize = 96 * 1024 * 1024;
/// Bytes of memory for finding double keys.
const KEY_MEMORY: usize = 64 * 1024 * 1024;
/// Entries of the report that are written at once.
const ENTRIES: usize = 4_096;

/// Takes a file into a registry, or only judges it. What is wrong with rows is in the report and no error; without `keep_good` one
/// bad row keeps everything out. A row whose key somebody else takes while the run goes on is refused like any other.
///
/// # Errors
/// `Forbidden` for who is no steward of the registry's agency; what is wrong with the mapping; what makes the file unreadable;
/// `imported-already`, `import-broken-off`, `nothing-to-resume`, `settings-changed`, `import-running`; a report or database that
/// cannot be written (`cannot-write`, `storage-full`).
pub async fn import(
    registries: &Registries,
    ctx: &Ctx,
    clock: &dyn Clock,
    code: &RegistryCode,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary> {
    let (_, registry) = registries.open(ctx, code, Permission::KeepRegistry)?;
    let name = options.file.file_name().unwrap_or_default().to_string_lossy();
    let mapping = Mapping::from_toml(&options.mapping, &registry, &name, ctx.now.legal_date())?;
    let provenance = complete(&mapping.provenance, &registry)?;
    let (content, size) = fingerprint(&options.file, progress).await?;
    let (file, now) = (options.file.clone(), ctx.now);
    let settings = settings(&registry, options);
    let plan = blocking(move || plan(file, registry, mapping, now)).await?;
    let run = Run {
        registries,
        ctx,
        clock,
        code,
        options,
        provenance,
        content,
        size,
        plan: Arc::new(plan),
        summary: Summary::default(),
        progress,
    };
    run.all(settings, &name).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?
}

/// The SHA-256 of a file, by which it is known again, and its size.
async fn fingerprint(file: &Path, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(String, u64)> {
    let file = file.to_owned();
    let mut reading = blocking(move || Fingerprint::open(&file)).await?;
    loop {
        let hash;
        (reading, hash) = blocking(move || {
            let hash = reading.read_on()?;
            Ok((reading, hash))
        })
        .await?;
        progress(Progress {
            stage: Stage::Reading,
            rows: 0,
            refused: 0,
            bytes: reading.read,
            of: reading.size,
        });
        if let Some(hash) = hash {
            return Ok((hash, reading.read));
        }
    }
}

/// What decides, beside the file, what becomes of it.
fn settings(registry: &Registry, options: &Options) -> String {
    let said = format!("{} {}", registry.hash, options.mapping);
    hex::encode(Sha256::digest(said))
}

/// Looks at the beginning of the file.
fn plan(path: PathBuf, registry: Arc<Registry>, mapping: Mapping, now: Timestamp) -> Result<Plan> {
    let table = mapping
        .layout
        .as_ref()
        .map(|layout| Table::open(&path, layout))
        .transpose()?;
    let mut heads = Vec::new();
    if let Some(table) = &table {
        let found = table.opened.unsure();
        heads.extend(found.iter().chain(&table.columns.findings).map(Entry::from));
    }
    let has_address = |column: &Column| matches!(column.target, Target::Address { .. });
    let gazetteer = if mapping.columns.iter().any(has_address) {
        Some(registry.gazetteer()?)
    } else {
        None
    };
    Ok(Plan {
        path,
        slots: Slots::of(&registry),
        registry,
        mapping,
        columns: table.map(|table| (table.columns, table.opened.format)),
        heads,
        gazetteer,
        now,
    })
}

struct Run<'a> {
    registries: &'a Registries,
    ctx: &'a Ctx,
    clock: &'a dyn Clock,
    code: &'a RegistryCode,
    options: &'a Options,
    provenance: Provenance,
    /// SHA-256 of the file.
    content: String,
    size: u64,
    plan: Arc<Plan>,
    summary: Summary,
    progress: &'a mut (dyn FnMut(Progress) + Send),
}

impl Run<'_> {
    async fn all(mut self, settings: String, name: &str) -> Result<Summary> {
        let read = self.registries.store().read();
        let before = places::find(&read, self.code, &self.content, &settings).await?;
        if let Some(row) = self.may_begin(before, &settings)? {
            self.summary = serde_json::from_str(&row.summary)?;
            if self.plan.mapping.rows.is_none() {
                // A run of before records were counted did not note them.
                self.summary.records = self.summary.rows;
            }
            let report = Report::resume(&self.options.report, row.report_bytes.unsigned_abs())?;
            self.take(row, report).await?;
            return Ok(self.summary);
        }
        if self.options.dry_run || !self.options.keep_good {
            self.check().await?;
            if self.options.dry_run || self.summary.refused > 0 {
                return Ok(self.summary);
            }
            self.summary = Summary::default();
        }
        let report = self.begin_report()?;
        let row = self.begin(settings, name, &report).await?;
        self.take(row, report).await?;
        Ok(self.summary)
    }

    /// Whether the file may be begun, or gone on with; then where it stands.
    fn may_begin(&self, before: Option<ImportRow>, settings: &str) -> Result<Option<ImportRow>> {
        let no = |kind, code: &str, vi: String, en: String| Err(Error::refused(kind, code, vi, en));
        match before {
            // To judge a file changes nothing.
            _ if self.options.dry_run => Ok(None),
            None if self.options.resume => no(
                Kind::NotFound,
                "nothing-to-resume",
                "Không có lần nhập dở dang nào của tệp này để tiếp tục. Nhập lại từ đầu.".to_owned(),
                "There is no run of this file to go on with. Start from the beginning.".to_owned(),
            ),
            None => Ok(None),
            Some(row) if row.finished_at.is_some() => {
                let at = Timestamp::from_micros(row.finished_at.unwrap_or_default()).display();
                let who = row.started_by;
                no(
                    Kind::Conflict,
                    "imported-already",
                    format!("Tệp này đã được nhập xong lúc {at} ({who}); không có gì được nhập lần nữa."),
                    format!("The import of this file was finished at {at} ({who}); nothing was taken in again."),
                )
            }
            Some(row) if !self.options.resume => no(
                Kind::Conflict,
                "import-broken-off",
                format!("Lần nhập tệp này dừng giữa chừng ở dòng {}. Chạy tiếp với --resume.", row.place_line),
                format!("The import of this file was broken off at line {}. Go on with --resume.", row.place_line),
            ),
            Some(row) if row.settings != settings => no(
                Kind::Conflict,
                "settings-changed",
                "Bản ánh xạ hoặc phiên bản cơ sở dữ liệu khác với lần nhập dở dang. Dùng đúng như lần trước."
                    .to_owned(),
                "The mapping or the version of the registry differs from the run that was broken off. Use those of then."
                    .to_owned(),
            ),
            Some(row) => Ok(Some(row)),
        }
    }

    fn start(&self) -> Position {
        let data = self.plan.columns.as_ref().map(|(columns, _)| columns.data);
        data.unwrap_or(Position { offset: 0, line: 1 })
    }

    /// A report with what was found before the first row.
    fn begin_report(&mut self) -> Result<Report> {
        let mut report = Report::create(&self.options.report)?;
        self.summary.count(&self.plan.heads);
        let length = report.add(&self.plan.heads)?;
        report.keep(length);
        Ok(report)
    }

    async fn begin(&self, settings: String, name: &str, report: &Report) -> Result<ImportRow> {
        let start = self.start();
        let row = ImportRow {
            settings,
            file: name.to_owned(),
            started_at: self.ctx.now.micros(),
            started_by: self.ctx.actor_name().to_owned(),
            place_offset: signed(start.offset),
            place_line: signed(start.line),
            report_bytes: signed(report.length()),
            summary: serde_json::to_string(&self.summary)?,
            finished_at: None,
        };
        let (code, content) = (self.code, self.content.as_str());
        let begun = transact!(self.registries.store(), |tx| {
            places::begin(&tx, code, content, &row).await
        })?;
        if begun { Ok(row) } else { Err(running()) }
    }

    /// Judges the whole file, keys within it and against the registry, too.
    async fn check(&mut self) -> Result<()> {
        let mut report = self.begin_report()?;
        let mut keys = self.options.report.clone().into_os_string();
        keys.push(".keys");
        let mut keys = Keys::create(Path::new(&keys)).map_err(cannot_write)?;
        let mut pieces = std::pin::pin!(judged(&self.plan, self.start(), self.options.threads));
        while let Some(piece) = pieces.next().await {
            let mut piece = piece?;
            let known: Vec<&str> = piece.good.iter().map(|good| good.fit.key()).collect();
            let store = self.registries.store();
            let taken = tables::taken(&store.read(), self.plan.slots.key(), &known).await?;
            let is_free = |good: &&Good| !taken.contains(good.fit.key().as_bytes());
            let (good, refused): (Vec<&Good>, Vec<&Good>) = piece.good.iter().partition(is_free);
            for good in &good {
                keys.add(&[good.fit.key().to_owned()], good.line)
                    .map_err(cannot_write)?;
            }
            let refused = self.key_taken(&refused);
            self.summary.add(&piece, &good, &refused);
            piece.entries.extend(refused);
            self.summary.count(&piece.entries);
            let length = report.add(&piece.entries)?;
            report.keep(length);
            self.tell(Stage::Judging, piece.next);
        }
        let (plan, mut summary) = (Arc::clone(&self.plan), std::mem::take(&mut self.summary));
        self.summary = blocking(move || {
            doubles(keys, &plan, &mut report, &mut summary)?;
            report.finish()?;
            Ok(summary)
        })
        .await?;
        Ok(())
    }

    /// Takes the file in from a place on.
    async fn take(&mut self, mut row: ImportRow, mut report: Report) -> Result<()> {
        let from = Position {
            offset: row.place_offset.unsigned_abs(),
            line: row.place_line.unsigned_abs(),
        };
        let mut pieces = std::pin::pin!(judged(&self.plan, from, self.options.threads).fuse());
        let most = self.options.batch;
        let mut batch = together(&mut pieces, most).await?;
        while let Some(whole) = batch {
            let (written, next) = tokio::join!(self.write(whole, &mut row, &mut report), together(&mut pieces, most));
            written?;
            batch = next?;
        }
        let (code, content, now) = (self.code, self.content.as_str(), self.clock.now());
        let kept = self.summary.kept;
        transact!(self.registries.store(), |tx| {
            if kept {
                places::finish(&tx, code, content, &row.settings, now).await
            } else {
                places::forget(&tx, code, content, &row.settings).await
            }
        })?;
        blocking(move || report.finish()).await
    }

    /// Writes records and the place behind them in one transaction.
    async fn write(&mut self, batch: Batch, row: &mut ImportRow, report: &mut Report) -> Result<()> {
        let Batch { judged: batch, sorted } = batch;
        let ctx = Ctx {
            now: self.clock.now(),
            ..self.ctx.clone()
        };
        let registry = &self.plan.registry;
        let known: Vec<&str> = batch.good.iter().map(|good| good.fit.key()).collect();
        let ids: Vec<RecordId> = many::ids(batch.good.len(), ctx.now);
        let seen = row.place_line;
        let (summary, next) = transact!(bulk self.registries.store(), |tx| {
            let count = signed(batch.good.len() as u64).max(1);
            let first = tables::turn(&tx, self.code, count, ctx.now).await?;
            let taken = tables::taken(&tx, self.plan.slots.key(), &known).await?;
            // Of two with one key the first is taken.
            let mut keys = HashSet::with_capacity(known.len());
            let mut free = ids.iter().copied();
            let (mut good, mut refused, mut fits) = (Vec::with_capacity(known.len()), Vec::new(), Vec::with_capacity(known.len()));
            for one in &batch.good {
                let key = one.fit.key();
                let is_free = !taken.contains(key.as_bytes()) && keys.insert(key);
                if is_free { &mut good } else { &mut refused }.push(one);
                fits.push((free.next().filter(|_| is_free), &one.fit));
            }
            let refused = self.key_taken(&refused);
            let mut summary = self.summary.clone();
            summary.add(&batch, &good, &refused);
            summary.kept = summary.taken > 0;
            let mut entries: Vec<Entry> = batch.entries.iter().cloned().chain(refused).collect();
            entries.sort_by_key(|entry| entry.line);
            summary.count(&entries);
            let next = ImportRow {
                place_offset: signed(batch.next.offset),
                place_line: signed(batch.next.line),
                // Written before the place moves; what is written twice stands in the same place.
                report_bytes: signed(report.add(&entries)?),
                summary: serde_json::to_string(&summary)?,
                ..row.clone()
            };
            if !places::go_on(&tx, self.code, &self.content, seen, &next).await? {
                return Err(running());
            }
            if !good.is_empty() {
                many::put(&tx, &ctx, registry, &self.provenance, first, &fits, &sorted).await?;
                tx.enqueue_all(&changed(self.code)?, ctx.now).await?;
            }
            Ok((summary, next))
        })?;
        report.keep(next.report_bytes.unsigned_abs());
        self.summary = summary;
        *row = next;
        self.tell(Stage::Taking, batch.next);
        Ok(())
    }

    /// Why rows are refused whose key another record has.
    fn key_taken(&self, rows: &[&Good]) -> Vec<Entry> {
        let problems = key_taken(&self.plan.registry);
        let entries = rows.iter().flat_map(|good| self.plan.entries(good.line, &problems));
        entries.collect()
    }

    fn tell(&mut self, stage: Stage, place: Position) {
        (self.progress)(Progress {
            stage,
            rows: self.summary.rows,
            refused: self.summary.refused,
            bytes: place.offset,
            of: self.size,
        });
    }
}

/// The rows of a file from a place on, judged, in their order. Reading and judging go on while whoever listens does something else,
/// by as many pieces as may wait.
fn judged(plan: &Arc<Plan>, from: Position, threads: usize) -> impl Stream<Item = Result<Judged>> + use<> {
    let (send, chunks) = mpsc::channel(2);
    let (ready, judged) = mpsc::channel(WAITING);
    let (reads, plan) = (Arc::clone(plan), Arc::clone(plan));
    let reading = spawn_blocking(move || {
        let layout = reads.mapping.layout.as_ref();
        let of = |row: &Row| reads.of(row);
        let of: Option<&dyn Fn(&Row) -> Of> = reads.mapping.rows.as_ref().map(|_| &of as _);
        read::read(&reads.path, layout, of, from, &mut |chunk| {
            send.blocking_send(chunk).is_ok()
        })
    });
    tokio::spawn(async move {
        let judging = received(chunks).map(|chunk| {
            let plan = Arc::clone(&plan);
            spawn_blocking(move || plan.judge(chunk))
        });
        let mut judging = std::pin::pin!(judging.buffered(threads.max(1)));
        while let Some(judged) = judging.next().await {
            if ready.send(judged.map_err(Error::internal)).await.is_err() {
                return;
            }
        }
        // A file that could not be read to its end is not one that ended.
        if let Err(error) = reading.await.map_err(Error::internal).flatten() {
            let _ = ready.send(Err(error)).await;
        }
    });
    received(judged)
}

/// Rows that are written in one transaction.
struct Batch {
    judged: Judged,
    /// In which order they are found.
    sorted: Sorted,
}

/// The next rows that are written in one transaction.
async fn together(pieces: &mut (impl Stream<Item = Result<Judged>> + Unpin), most: usize) -> Result<Option<Batch>> {
    let mut whole: Option<Judged> = None;
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        bytes += piece.good.iter().map(|good| good.fit.size()).sum::<usize>();
        let whole = match &mut whole {
            Some(whole) => {
                whole.join(piece);
                whole
            }
            None => whole.insert(piece),
        };
        if whole.good.len() >= most || bytes >= BATCH_BYTES {
            break;
        }
    }
    let Some(judged) = whole else { return Ok(None) };
    let batch = blocking(move || {
        Ok(Batch {
            sorted: Sorted::of(judged.good.iter().map(|good| &good.fit)),
            judged,
        })
    });
    batch.await.map(Some)
}

fn received<T>(from: mpsc::Receiver<T>) -> impl Stream<Item = T> {
    stream::unfold(from, |mut from| async move { from.recv().await.map(|one| (one, from)) })
}

/// Refuses lines whose key an earlier line has.
fn doubles(keys: Keys, plan: &Plan, report: &mut Report, summary: &mut Summary) -> Result<()> {
    let field = plan.registry.key.first().map(ToString::to_string).unwrap_or_default();
    let mut entries = Vec::new();
    let mut write = |entries: &mut Vec<Entry>| {
        let count = entries.len() as u64;
        summary.count(entries);
        summary.refused += count;
        summary.taken -= count.min(summary.taken);
        let length = report.add(entries)?;
        report.keep(length);
        entries.clear();
        Ok(())
    };
    keys.duplicates(KEY_MEMORY, &mut |first, line| {
        entries.push(Entry {
            line,
            column: 0,
            field: field.clone(),
            severity: Severity::Bad,
            code: "duplicate-key".to_owned(),
            text: Text::new(
                format!("Trùng khóa với dòng {first} của tệp."),
                format!("The key is that of line {first} of the file."),
            ),
        });
        if entries.len() >= ENTRIES {
            return write(&mut entries);
        }
        Ok(())
    })?;
    write(&mut entries)
}

impl Summary {
    /// Counts records that were judged together.
    fn add(&mut self, judged: &Judged, good: &[&Good], taken: &[Entry]) {
        self.rows += judged.rows;
        self.records += judged.records;
        self.refused += judged.refused + taken.len() as u64;
        self.taken += good.len() as u64;
        self.doubtful += good.iter().filter(|good| good.doubtful).count() as u64;
    }

    fn count(&mut self, entries: &[Entry]) {
        for entry in entries {
            *self.findings.entry(entry.code.clone()).or_default() += 1;
        }
    }
}

/// As the database counts.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn running() -> Error {
    Error::refused(
        Kind::Conflict,
        "import-running",
        "Tệp này đang được nhập ở nơi khác; lần chạy này dừng lại.",
        "This file is being imported elsewhere; this run has stopped.",
    )
}
