//! The result: the file again, with what was found about each row. It is written while it is sent, some rows at a time.

use std::collections::HashMap;

use base::{Error, Lang, Result, Text};
use bytes::Bytes;
use futures::{Stream, stream};
use identity::{Ctx, Permission};
use linkage::probability_of;
use uuid::Uuid;

use super::{File, FileId, FileState, Line, PURPOSE, no_file};
use crate::{
    model::RegistryCode,
    service::{Purpose, Registries},
    store::files as tables,
};

/// Rows that are written at a time, and records whose keys are read at a time.
const ROWS: i64 = 500;

/// What is written of a file.
struct Writing {
    registries: Registries,
    ctx: Ctx,
    code: RegistryCode,
    file: File,
    purpose: Purpose,
    /// The row that was written last.
    after: i64,
}

impl Registries {
    /// The rows of a file as CSV (UTF-8 with byte order mark), in pieces: the cells as they came, how each row stands, and of those that
    /// somebody found to be a record its key. Each of these keys is a read of that record. A piece that fails ends it before its end: as
    /// `NotFound` where somebody has removed the rows meanwhile.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`, also once the rows are removed; `Unavailable` when the
    /// reads could not be logged.
    pub async fn file_result(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FileId,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let row = tables::get(&self.store().read(), code, id.uuid())
            .await?
            .ok_or_else(no_file)?;
        let file = File::read(row)?;
        if file.state == FileState::Removed {
            return Err(no_file());
        }
        let mut writing = Writing {
            registries: self.clone(),
            ctx: ctx.clone(),
            code: code.clone(),
            purpose: Purpose::read(PURPOSE, &file.basis, "")?,
            file,
            after: 0,
        };
        // What keeps everything from being told is told before the first row.
        let first = [writing.headings()?, writing.rows().await?.unwrap_or_default()].concat();
        Ok(stream::try_unfold(
            (Some(first), writing),
            |(first, mut writing)| async move {
                let piece = match first {
                    Some(first) => Some(first),
                    None => writing.rows().await?,
                };
                Ok(piece.map(|piece| (Bytes::from(piece), (None, writing))))
            },
        ))
    }
}

impl Writing {
    fn headings(&self) -> Result<Vec<u8>> {
        let mut sheet = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        let headings = self.file.columns.iter().map(|(heading, _)| heading.as_str());
        write(&mut sheet, headings, &heads(self.ctx.lang))?;
        written(sheet)
    }

    /// The next rows; nothing behind the last.
    async fn rows(&mut self) -> Result<Option<Vec<u8>>> {
        let db = self.registries.store().read();
        let lines = tables::lines(&db, self.file.id.uuid(), self.after, ROWS).await?;
        let Some(last) = lines.last().map(|line| line.n) else {
            return if self.after == self.file.total {
                Ok(None)
            } else {
                Err(no_file())
            };
        };
        let lines = lines.into_iter().map(Line::read).collect::<Result<Vec<_>>>()?;
        let mut records: Vec<Uuid> = lines
            .iter()
            .filter_map(|line| Some(line.found?.record()?.uuid()))
            .collect();
        records.sort_unstable();
        records.dedup();
        let keys = match records.is_empty() {
            true => HashMap::new(),
            false => {
                self.registries
                    .keys(&self.ctx, &self.purpose, &self.code, &records)
                    .await?
            }
        };
        let mut sheet = csv::Writer::from_writer(Vec::new());
        for line in &lines {
            let columns = 0..self.file.columns.len();
            let cells = columns.map(|n| line.cells.get(n).map(String::as_str).unwrap_or_default());
            write(&mut sheet, cells, &told(line, &keys, self.ctx.lang))?;
        }
        self.after = last;
        written(sheet).map(Some)
    }
}

fn written(sheet: csv::Writer<Vec<u8>>) -> Result<Vec<u8>> {
    sheet.into_inner().map_err(|error| Error::internal(error.into_error()))
}

fn heads(lang: Lang) -> [String; 6] {
    [
        lang.t("Tình trạng", "State"),
        lang.t("Xác suất", "Probability"),
        lang.t("Quyết định", "Decision"),
        lang.t("Khóa bản ghi", "Key of the record"),
        lang.t("Người quyết định", "Decided by"),
        lang.t("Quyết định lúc", "Decided at"),
    ]
    .map(str::to_owned)
}

fn told(line: &Line, keys: &HashMap<Uuid, String>, lang: Lang) -> [String; 6] {
    let text = |text: Text| text.get(lang).to_owned();
    let probability = line.weight.map(|weight| format!("{:.4}", probability_of(weight)));
    let key = line.found.and_then(|found| keys.get(&found.record()?.uuid()).cloned());
    let (who, at) = line.decided.clone().unzip();
    [
        text(line.state.label()),
        probability.unwrap_or_default(),
        line.found.map(|found| text(found.label())).unwrap_or_default(),
        key.unwrap_or_default(),
        who.unwrap_or_default(),
        at.map(|at| at.rfc3339()).unwrap_or_default(),
    ]
}

fn write<'a>(sheet: &mut csv::Writer<Vec<u8>>, cells: impl Iterator<Item = &'a str>, told: &'a [String]) -> Result<()> {
    let all = cells.chain(told.iter().map(String::as_str)).map(harmless);
    sheet.write_record(all).map_err(Error::internal)
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
