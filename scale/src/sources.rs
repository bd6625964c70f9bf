//! The files of records, read row by row: nothing is kept.

use std::path::{Path, PathBuf};

use base::{Error, Problems, Result};
use linkage::{files, plan::Plan};

/// Files whose headers were looked at, each a source with the file's name.
pub struct Sources {
    columns: Vec<String>,
    files: Vec<Source>,
}

struct Source {
    path: PathBuf,
    name: String,
    /// Where the file has each column; `None` where it lacks it.
    places: Vec<Option<usize>>,
    id: usize,
    width: usize,
}

/// A record as it stands in its file.
pub struct Record<'a> {
    columns: &'a [String],
    /// The record's own number, sources one after the other.
    pub row: u64,
    /// The number of its source.
    pub source: u16,
    /// The name of its source.
    pub source_name: &'a str,
    /// Its id within the source.
    pub id: &'a str,
    values: Vec<Option<&'a str>>,
}

impl<'a> Record<'a> {
    /// Its value in a column of the plan.
    pub fn value(&self, column: &str) -> Option<&'a str> {
        let place = self.columns.iter().position(|known| known == column)?;
        self.values.get(place).copied().flatten()
    }
}

impl Sources {
    /// Looks at the headers.
    ///
    /// # Errors
    /// `source-twice`, `too-many-sources`, `no-columns`, `column-twice`, `no-id-column`, `unknown-column` (in no file), `cannot-read`, each at
    /// its file or column.
    pub fn open(files: &[PathBuf], plan: &Plan) -> Result<Self> {
        let mut problems = Problems::new();
        let mut sources: Vec<Source> = Vec::new();
        for path in files {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if sources.iter().any(|source| source.name == name) {
                problems.add(
                    "source-twice",
                    path.display().to_string(),
                    format!("Hai tệp cùng tên “{name}”: mỗi tệp là một nguồn và cần tên riêng."),
                    format!("Two files are called “{name}”: each is a source and needs a name of its own."),
                );
            }
            let header = header(path, &name)?;
            let at = |column: &str| {
                let exactly = header.iter().position(|known| known == column);
                exactly.or_else(|| header.iter().position(|known| known.eq_ignore_ascii_case(column)))
            };
            if header.is_empty() {
                problems.add(
                    "no-columns",
                    &name,
                    "Tệp không có dòng tiêu đề.",
                    "The file has no header.",
                );
                continue;
            }
            for (n, column) in header.iter().enumerate() {
                if header.iter().take(n).any(|before| before.eq_ignore_ascii_case(column)) {
                    problems.add(
                        "column-twice",
                        &name,
                        format!("Cột “{column}” có hai lần trong dòng tiêu đề."),
                        format!("The column “{column}” stands twice in the header."),
                    );
                }
            }
            let id = plan.id_column();
            let Some(id_at) = at(id) else {
                problems.add(
                    "no-id-column",
                    &name,
                    format!("Không có cột mã bản ghi “{id}”."),
                    format!("There is no column “{id}”, which names each record."),
                );
                continue;
            };
            sources.push(Source {
                path: path.clone(),
                name,
                places: plan.columns().iter().map(|column| at(column)).collect(),
                id: id_at,
                width: header.len(),
            });
        }
        if u16::try_from(sources.len()).is_err() {
            problems.add("too-many-sources", "", "Quá nhiều tệp.", "Too many files.");
        }
        for (n, column) in plan.columns().iter().enumerate() {
            if !sources
                .iter()
                .any(|source| source.places.get(n).copied().flatten().is_some())
            {
                problems.add(
                    "unknown-column",
                    column,
                    format!("Không tệp nào có cột “{column}” mà mô hình cần."),
                    format!("No file has the column “{column}” that the model needs."),
                );
            }
        }
        problems.into_result()?;
        Ok(Self {
            columns: plan.columns().to_vec(),
            files: sources,
        })
    }

    /// The names of the sources.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|source| source.name.as_str())
    }

    /// Visits each record.
    ///
    /// # Errors
    /// `row-length`, `no-id`, `not-utf8` at their lines; `cannot-read`; what `visit` returns.
    pub fn each(&self, mut visit: impl FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
        let mut row = 0;
        for (number, source) in (0u16..).zip(&self.files) {
            let mut header = true;
            files::rows(&source.path, &source.name, |line, cells| {
                if std::mem::take(&mut header) {
                    return Ok(());
                }
                let at = || format!("{}:{line}", source.name);
                if cells.len() != source.width {
                    return Err(row_length(at(), cells.len(), source.width));
                }
                let cell = |place: usize| cells.get(place).copied().filter(|cell| !cell.is_empty());
                let Some(id) = cell(source.id) else {
                    let mut problems = Problems::new();
                    problems.add("no-id", at(), "Bản ghi không có mã.", "The record has no id.");
                    return Err(Error::Refused(base::Kind::Invalid, problems));
                };
                visit(&Record {
                    columns: &self.columns,
                    row,
                    source: number,
                    source_name: &source.name,
                    id,
                    values: source.places.iter().map(|place| cell((*place)?)).collect(),
                })?;
                row += 1;
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The header of a file; what comes after it is not read.
fn header(path: &Path, name: &str) -> Result<Vec<String>> {
    let mut header = None;
    let read = files::rows(path, name, |_, cells| {
        header = Some(cells.iter().map(|cell| (*cell).to_owned()).collect());
        // Enough is seen.
        Err(Error::refused(base::Kind::Invalid, "seen", "", ""))
    });
    match (header, read) {
        (Some(header), _) => Ok(header),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Ok(Vec::new()),
    }
}

fn row_length(at: String, cells: usize, columns: usize) -> Error {
    let mut problems = Problems::new();
    problems.add(
        "row-length",
        at,
        format!("Bản ghi có {cells} giá trị, tiêu đề có {columns} cột."),
        format!("The record has {cells} values, the header {columns} columns."),
    );
    Error::Refused(base::Kind::Invalid, problems)
}
