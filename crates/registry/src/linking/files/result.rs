//! The result: the file again, with what was found about each row.

use std::collections::HashMap;

use base::{Error, Lang, Result, Text};
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

impl Registries {
    /// The rows of a file as CSV (UTF-8 with byte order mark): the cells as they came, how each row stands, and of those that somebody
    /// found to be a record its key. Each of these keys is a read of that record.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`, also once the rows are removed; `Unavailable` when the
    /// reads could not be logged.
    pub async fn file_result(&self, ctx: &Ctx, code: &RegistryCode, id: FileId) -> Result<Vec<u8>> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let row = tables::get(&self.store().read(), code, id.uuid())
            .await?
            .ok_or_else(no_file)?;
        let file = File::read(row)?;
        if file.state == FileState::Removed {
            return Err(no_file());
        }
        let purpose = Purpose::read(PURPOSE, &file.basis, "")?;
        let mut sheet = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        write(
            &mut sheet,
            file.columns.iter().map(|(heading, _)| heading.as_str()),
            &heads(ctx.lang),
        )?;
        let mut after = 0;
        loop {
            let lines = tables::lines(&self.store().read(), id.uuid(), after, ROWS).await?;
            let Some(last) = lines.last().map(|line| line.n) else {
                break;
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
                false => self.keys(ctx, &purpose, code, &records).await?,
            };
            for line in &lines {
                let cells = (0..file.columns.len()).map(|n| line.cells.get(n).map(String::as_str).unwrap_or_default());
                write(&mut sheet, cells, &told(line, &keys, ctx.lang))?;
            }
            after = last;
        }
        sheet.into_inner().map_err(|error| Error::internal(error.into_error()))
    }
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
