//! Which rows of a file that somebody brings are which records of a registry, where they share no key.
//!
//! A steward uploads a file ([`put`]), says by which fields its columns are compared ([`columns`]), and a job compares row after row with
//! the records that share some fields with it ([`compare`]), by the model with which the registry looks for pairs, and by the personal
//! number where both have it ([`number`]). **Nothing is decided by itself and nothing of a registry is changed**: a steward says of each
//! row which record it is, or that it is none, and may take back what was said ([`decide`]). The result is a file again ([`result`]).
//! Rows are personal data: they are removed by hand, or by themselves after [`KEPT_DAYS`]; the figures stay.

mod columns;
mod compare;
mod decide;
mod number;
pub mod pages;
mod put;
mod result;
mod source;

use base::{Error, Problems, Result, Text, Timestamp};
use identity::{Ctx, Permission};
use store::Tx;
use uuid::Uuid;

pub(crate) use compare::{FILE, FORGET_FILE, Order};
pub use decide::LineVerdict;
pub use put::Upload;

use crate::{
    model::{FieldPath, RegistryCode},
    service::{RecordId, Registries, Slice},
    store::files::{self as tables, CandidateRow, FileRow, LineRow, NewAct, Shown},
};

/// The most bytes of a file.
pub const LARGEST: usize = 50 * 1024 * 1024;
/// The most rows of a file.
pub const MOST_ROWS: usize = 200_000;
/// The most columns of a file.
pub const MOST_COLUMNS: usize = 300;
/// Days after which the rows of a file are removed by themselves.
pub const KEPT_DAYS: i64 = 30;
/// A row that is a record by less than this has to be looked at.
pub const CLEAR: f64 = 0.95;
/// Less probable records are not proposed. It is less than for pairs within a registry: a row of a file is likelier to have its record
/// here than a record to be there twice, so that name and birthday alone are worth a look.
const LEAST: f64 = 0.05;
/// Records that are proposed for a row.
const MOST_CANDIDATES: usize = 5;
/// Why a steward reads the records; on which ground they have said with the file.
const PURPOSE: &str = "registry.linkage";
/// What was done with a file is shown as far back as this.
const ACTS: i64 = 50;

base::typed_id!(
    /// A file that is compared with a registry.
    FileMark as FileId
);

base::typed_id!(
    /// Something that was done with a file.
    ActMark as FileActId
);

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// It has to be said what its columns are.
    Columns,
    /// Its rows are being compared.
    Comparing,
    /// They were.
    Done,
    /// A steward has stopped that.
    Cancelled,
    /// Its rows are removed; its figures are there.
    Removed,
}

/// What came of comparing a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    /// It was not compared yet.
    Waiting,
    /// One record is it by more than name and birthday.
    Clear,
    /// A person has to say which record it is, if any.
    Possible,
    /// No record resembles it.
    Lone,
    /// It could not be compared.
    Unread,
}

/// What was found about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is a record, as somebody found for this row.
    Same(RecordId),
    /// It is a record, as was taken together with other clear ones.
    Together(RecordId),
    /// It is none.
    Nobody,
}

/// A file, and what came of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Which.
    pub id: FileId,
    /// As its owner called it; empty once its rows are removed.
    pub name: String,
    /// Why it may be compared.
    pub basis: String,
    /// What else was said of it.
    pub note: String,
    /// When it came, and who brought it.
    pub put: (Timestamp, String),
    /// Its columns: the heading, and the field that it is compared by.
    pub columns: Vec<(String, Option<FieldPath>)>,
    /// How it stands.
    pub state: FileState,
    /// Its rows.
    pub total: i64,
    /// How many were compared.
    pub done: i64,
    /// What came of them.
    pub figures: Figures,
    /// When its rows are removed by themselves.
    pub removes_at: Timestamp,
}

/// Rows by what came of them, and by what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// [`LineState::Clear`].
    pub clear: i64,
    /// [`LineState::Possible`].
    pub possible: i64,
    /// [`LineState::Lone`].
    pub lone: i64,
    /// [`LineState::Unread`].
    pub unread: i64,
    /// Clear ones about which nobody has decided.
    pub clear_left: i64,
    /// Those that are a record, as was found.
    pub same: i64,
    /// Of these, those that were taken together.
    pub together: i64,
    /// Those that are none.
    pub nobody: i64,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number, from 1.
    pub n: i64,
    /// Where it stands in the file.
    pub line: i64,
    /// The texts of its cells.
    pub cells: Vec<String>,
    /// What came of comparing it.
    pub state: LineState,
    /// What could not be read or compared; empty where there is nothing.
    pub flaw: Text,
    /// How much speaks for the likeliest record, in bits.
    pub weight: Option<f64>,
    /// What was decided.
    pub found: Option<Found>,
    /// By whom and when.
    pub decided: Option<(String, Timestamp)>,
    /// Its version, which a decision names as seen.
    pub version: i64,
}

/// A record that a row may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Which.
    pub record: RecordId,
    /// How much speaks for it, in bits.
    pub weight: f64,
    /// Why, in words that say nothing of the values.
    pub reason: Text,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAct {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What: with a file `put`, `columns`, `cancel`, `resume`, `together`, `apart`, `remove`; with a row `same`, `nobody`, `undo`.
    pub what: String,
    /// With how many rows.
    pub rows: i64,
}

impl FileState {
    const ALL: [Self; 5] = [
        Self::Columns,
        Self::Comparing,
        Self::Done,
        Self::Cancelled,
        Self::Removed,
    ];

    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Columns => "columns",
            Self::Comparing => "comparing",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Removed => "removed",
        }
    }

    /// The words for it.
    pub fn label(self) -> Text {
        match self {
            Self::Columns => Text::new("Chờ xác nhận cột", "Columns to be confirmed"),
            Self::Comparing => Text::new("Đang so sánh", "Being compared"),
            Self::Done => Text::new("Đã so sánh xong", "Compared"),
            Self::Cancelled => Text::new("Đã dừng", "Stopped"),
            Self::Removed => Text::new("Đã xóa các dòng", "Rows removed"),
        }
    }
}

impl LineState {
    const ALL: [Self; 5] = [Self::Waiting, Self::Clear, Self::Possible, Self::Lone, Self::Unread];

    /// As stored, and in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Clear => "clear",
            Self::Possible => "possible",
            Self::Lone => "lone",
            Self::Unread => "unread",
        }
    }

    /// The words for it.
    pub fn label(self) -> Text {
        match self {
            Self::Waiting => Text::new("Chưa so sánh", "Not compared yet"),
            Self::Clear => Text::new("Một ứng viên rõ ràng", "One clear candidate"),
            Self::Possible => Text::new("Cần người xem xét", "For a person to judge"),
            Self::Lone => Text::new("Không có ứng viên", "No candidate"),
            Self::Unread => Text::new("Không so sánh được", "Not comparable"),
        }
    }
}

impl Found {
    /// The record that the row is.
    pub const fn record(self) -> Option<RecordId> {
        match self {
            Self::Same(record) | Self::Together(record) => Some(record),
            Self::Nobody => None,
        }
    }

    /// The words for it.
    pub fn label(self) -> Text {
        match self {
            Self::Same(_) => Text::new("Đúng là bản ghi này", "It is this record"),
            Self::Together(_) => Text::new(
                "Đúng là bản ghi này (nhận cùng lúc)",
                "It is this record (taken together)",
            ),
            Self::Nobody => Text::new("Không phải bản ghi nào", "It is none of them"),
        }
    }
}

impl Registries {
    /// The files of a registry, the newest first.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `Invalid` for a place that was never given.
    pub async fn files(&self, ctx: &Ctx, code: &RegistryCode, after: Option<&str>, limit: u32) -> Result<Slice<File>> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let after = after
            .map(|text| {
                text.split_once('_')
                    .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)))
                    .ok_or_else(no_place)
            })
            .transpose()?;
        let limit = limit as usize;
        let mut rows = tables::list(&self.store().read(), code, after, limit as i64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| format!("{}_{}", row.put_at, row.id));
        Ok(Slice {
            items: rows.into_iter().map(File::read).collect::<Result<_>>()?,
            next,
        })
    }

    /// A file, and what was done with it.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn file(&self, ctx: &Ctx, code: &RegistryCode, id: FileId) -> Result<(File, Vec<FileAct>)> {
        let row = self.file_row(ctx, code, id).await?;
        let acts = tables::acts(&self.store().read(), id.uuid(), ACTS).await?;
        Ok((File::read(row)?, acts.into_iter().map(FileAct::from).collect()))
    }

    /// The rows of a file of a state about which nobody has decided, or those about which somebody has, after a row.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub async fn lines(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FileId,
        state: Option<LineState>,
        after: i64,
        limit: u32,
    ) -> Result<Slice<Line>> {
        self.file_row(ctx, code, id).await?;
        let shown = state.map_or(Shown::Decided, |state| Shown::Open(state.code()));
        let limit = limit as usize;
        let mut rows = tables::shown(&self.store().read(), id.uuid(), shown, after, limit as i64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.n.to_string());
        Ok(Slice {
            items: rows.into_iter().map(Line::read).collect::<Result<_>>()?,
            next,
        })
    }

    /// A row, the records that it may be, and what was decided about it.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub async fn line(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FileId,
        n: i64,
    ) -> Result<(Line, Vec<Candidate>, Vec<FileAct>)> {
        self.file_row(ctx, code, id).await?;
        let read = self.store().read();
        let row = tables::line(&read, id.uuid(), n).await?.ok_or_else(no_line)?;
        let candidates = tables::candidates(&read, id.uuid(), n).await?;
        let acts = tables::acts_of(&read, id.uuid(), n).await?;
        let candidates = candidates.into_iter().map(Candidate::from).collect();
        Ok((
            Line::read(row)?,
            candidates,
            acts.into_iter().map(FileAct::from).collect(),
        ))
    }

    /// The first rows of a file, by which a person tells what its columns are.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub async fn first_lines(&self, ctx: &Ctx, code: &RegistryCode, id: FileId, limit: u32) -> Result<Vec<Line>> {
        self.file_row(ctx, code, id).await?;
        let rows = tables::lines(&self.store().read(), id.uuid(), 0, i64::from(limit)).await?;
        rows.into_iter().map(Line::read).collect()
    }

    /// The first row after one that has a candidate and waits for a decision; from the beginning again where there is none behind it.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub async fn next_line(&self, ctx: &Ctx, code: &RegistryCode, id: FileId, after: i64) -> Result<Option<i64>> {
        self.file_row(ctx, code, id).await?;
        let read = self.store().read();
        match tables::next_open(&read, id.uuid(), after).await? {
            Some(next) => Ok(Some(next)),
            None => tables::next_open(&read, id.uuid(), 0).await,
        }
    }

    async fn file_row(&self, ctx: &Ctx, code: &RegistryCode, id: FileId) -> Result<FileRow> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let row = tables::get(&self.store().read(), code, id.uuid()).await?;
        row.ok_or_else(no_file)
    }
}

impl File {
    fn read(row: FileRow) -> Result<Self> {
        let headings: Vec<String> = serde_json::from_str(&row.headings)?;
        let fields: Vec<Option<FieldPath>> = serde_json::from_str(&row.fields)?;
        let mut states = FileState::ALL.into_iter();
        let state = states.find(|state| state.code() == row.state).ok_or_else(unknown)?;
        Ok(Self {
            id: FileId::from_uuid(row.id),
            name: row.name,
            basis: row.basis,
            note: row.note,
            put: (Timestamp::from_micros(row.put_at), row.put_by),
            columns: headings.into_iter().zip(fields).collect(),
            state,
            total: row.total,
            done: row.done,
            figures: Figures {
                clear: row.clear_rows,
                possible: row.possible_rows,
                lone: row.lone_rows,
                unread: row.unread_rows,
                clear_left: row.clear_left,
                same: row.same_rows,
                together: row.together_rows,
                nobody: row.nobody_rows,
            },
            removes_at: Timestamp::from_micros(row.removes_at),
        })
    }
}

impl Line {
    fn read(row: LineRow) -> Result<Self> {
        let mut states = LineState::ALL.into_iter();
        let state = states.find(|state| state.code() == row.state).ok_or_else(unknown)?;
        let found = match (row.verdict.as_str(), row.record_id.map(RecordId::from_uuid)) {
            ("", None) => None,
            ("same", Some(record)) => Some(Found::Same(record)),
            ("together", Some(record)) => Some(Found::Together(record)),
            ("nobody", None) => Some(Found::Nobody),
            _ => return Err(unknown()),
        };
        Ok(Self {
            n: row.n,
            line: row.line,
            cells: serde_json::from_str(&row.cells)?,
            state,
            flaw: Text::new(row.flaw_vi, row.flaw_en),
            weight: row.weight.map(bits),
            found,
            decided: row.decided_by.zip(row.decided_at.map(Timestamp::from_micros)),
            version: row.version,
        })
    }
}

impl From<CandidateRow> for Candidate {
    fn from(row: CandidateRow) -> Self {
        Self {
            record: RecordId::from_uuid(row.record_id),
            weight: bits(row.weight),
            reason: Text::new(row.reason_vi, row.reason_en),
        }
    }
}

impl From<tables::FileActRow> for FileAct {
    fn from(row: tables::FileActRow) -> Self {
        Self {
            at: Timestamp::from_micros(row.at),
            actor: row.actor,
            what: row.what,
            rows: row.rows_of,
        }
    }
}

/// Notes what somebody does with a file.
async fn note(tx: &Tx, ctx: &Ctx, file: Uuid, what: &str, rows: i64) -> Result<()> {
    let act = NewAct {
        id: FileActId::new(ctx.now).uuid(),
        file,
        n: None,
        at: ctx.now,
        actor: ctx.actor_name(),
        what,
        rows,
    };
    tables::act(tx, act).await
}

/// Thousandths of a bit, as stored, in bits.
fn bits(weight: i64) -> f64 {
    weight as f64 / 1000.0
}

fn unknown() -> Error {
    Error::internal("a file or a row of it stands as nobody knows")
}

fn no_file() -> Error {
    Error::not_found("tệp so sánh", "compared file")
}

fn no_line() -> Error {
    Error::not_found("dòng của tệp", "row of the file")
}

fn no_place() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "bad-cursor",
        "cursor",
        "Vị trí trang không đúng; mở lại từ đầu.",
        "There is no such place; begin again.",
    );
    Error::Refused(base::Kind::Invalid, problems)
}
