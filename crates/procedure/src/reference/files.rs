//! Where the files come from, and how their rows are read.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use base::{Error, Kind, Problems, Result};
use csv::StringRecord;
use jiff::civil::Date;
use serde::de::DeserializeOwned;

macro_rules! embedded {
    ($($path:literal),+ $(,)?) => {
        /// Every file of `data/` that is compiled in, with its path below that folder.
        const EMBEDDED: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../../../data/", $path)))),+];
    };
}

embedded![
    "units/provinces.csv",
    "units/districts-2024.csv",
    "units/communes.csv",
    "units/changes-2025.csv",
    "agencies/agencies.csv",
    "agencies/demo.csv",
    "procedures/life-events.toml",
    "procedures/audiences.toml",
    "procedures/legal-texts.toml",
    "procedures/oddities.toml",
    "procedures/successors.toml",
    "procedures/appendix-a/cu-tru/procedures.toml",
    "procedures/appendix-a/doanh-nghiep/procedures.toml",
    "procedures/appendix-a/ho-tich/procedures.toml",
    "procedures/appendix-a/lao-dong/procedures.toml",
    "procedures/appendix-a/xay-dung/procedures.toml",
    "procedures/appendix-a/xuat-nhap-canh/procedures.toml",
];

const SECTORS: &str = "procedures/appendix-a";

/// Where reference data are read from.
#[derive(Debug, Clone)]
pub struct Source(Option<PathBuf>);

impl Source {
    /// The files of this build.
    pub const fn embedded() -> Self {
        Self(None)
    }

    /// The files of `dir` over those of this build.
    ///
    /// # Errors
    /// A refusal if there is no such folder, or if it holds none of the files, so that a slip of the pen in the
    /// configuration is not taken for an operator who has nothing newer.
    pub fn folder(dir: &Path) -> Result<Self> {
        let known = EMBEDDED.iter().any(|(path, _)| dir.join(path).is_file()) || dir.join(SECTORS).is_dir();
        if known {
            return Ok(Self(Some(dir.to_owned())));
        }
        let shown = dir.display();
        Err(Error::refused(
            Kind::Invalid,
            "no-reference-data",
            format!("Thư mục “{shown}” không có tệp dữ liệu tham chiếu nào. Kiểm tra lại đường dẫn trong cấu hình."),
            format!("The folder \"{shown}\" holds no reference data. Check the path in the configuration."),
        ))
    }

    /// The text of the file at `path` below the data folder: `units/communes.csv`.
    ///
    /// # Errors
    /// A failure of ours if there is no such file or it cannot be read.
    pub fn text(&self, path: &str) -> Result<Cow<'static, str>> {
        if let Some(dir) = &self.0 {
            let file = dir.join(path);
            if file.is_file() {
                return read(&file).map(Cow::Owned);
            }
        }
        EMBEDDED
            .iter()
            .find(|(known, _)| *known == path)
            .map(|(_, text)| Cow::Borrowed(*text))
            .ok_or_else(|| Error::internal(format!("no reference file {path}")))
    }

    /// The files of procedures, one in each folder of a field, by path. A folder of the operator replaces all of them.
    pub(super) fn sectors(&self) -> Result<Vec<(String, Cow<'static, str>)>> {
        let folder = self.0.as_ref().map(|dir| dir.join(SECTORS)).filter(|dir| dir.is_dir());
        let Some(folder) = folder else {
            let own = EMBEDDED.iter().filter(|(path, _)| path.starts_with(SECTORS));
            return Ok(own
                .map(|(path, text)| ((*path).to_owned(), Cow::Borrowed(*text)))
                .collect());
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(Error::internal)? {
            let entry = entry.map_err(Error::internal)?;
            let file = entry.path().join("procedures.toml");
            if file.is_file() {
                let name = entry.file_name();
                found.push((
                    format!("{SECTORS}/{}/procedures.toml", name.to_string_lossy()),
                    Cow::Owned(read(&file)?),
                ));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|e| Error::internal(format!("{}: {e}", file.display())))
}

/// Reads a table whose first line is exactly `columns`; hands each row with its place (`file:line`) to `row`.
pub(super) fn table(
    path: &str,
    text: &str,
    columns: &[&str],
    problems: &mut Problems,
    mut row: impl FnMut(&Place, &StringRecord, &mut Problems),
) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut place = Place { path, line: 1 };
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) if place.line == 1 && !record.iter().eq(columns.iter().copied()) => {
                let wanted = columns.join(",");
                place.problem(
                    problems,
                    "bad-header",
                    &format!("Dòng đầu phải là: {wanted}."),
                    &format!("The first line must be: {wanted}."),
                );
                return;
            }
            Ok(true) if place.line == 1 => {}
            Ok(true) => row(&place, &record, problems),
            Err(error) => place.problem(
                problems,
                "bad-row",
                "Dòng không đủ hoặc thừa cột, hoặc không đọc được.",
                &format!("The row has too few or too many columns, or cannot be read: {error}."),
            ),
        }
        // Where the next record starts: the files have one record per line.
        place.line = reader.position().line();
    }
}

/// A line of a file, for problems.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    path: &'a str,
    line: u64,
}

impl Place<'_> {
    /// Notes a problem at this line.
    pub(super) fn problem(&self, problems: &mut Problems, code: &str, vi: &str, en: &str) {
        problems.add(code, format!("{}:{}", self.path, self.line), vi, en);
    }

    /// Notes that `value` is not what the column takes.
    pub(super) fn bad_value(&self, problems: &mut Problems, column: &str, value: &str) {
        self.problem(
            problems,
            "bad-value",
            &format!("Cột {column}: giá trị “{value}” không hợp lệ."),
            &format!("Column {column}: \"{value}\" is not a valid value."),
        );
    }
}

/// Reads values of which a column holds few different ones: each is parsed once.
#[derive(Debug)]
pub(super) struct Memo<T>(Vec<(Box<str>, T)>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Memo<T> {
    /// The value that `parse` makes of `text`; a problem at `column` where it makes none.
    pub(super) fn read(
        &mut self,
        place: &Place,
        column: &str,
        text: &str,
        problems: &mut Problems,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if let Some((_, value)) = self.0.iter().find(|(known, _)| **known == *text) {
            return Some(*value);
        }
        let value = parse(text);
        match value {
            Some(value) if self.0.len() < 16 => self.0.push((text.into(), value)),
            Some(_) => {}
            None => place.bad_value(problems, column, text),
        }
        value
    }
}

impl Memo<Date> {
    /// The date written as `2025-07-01`.
    pub(super) fn date(&mut self, place: &Place, column: &str, text: &str, problems: &mut Problems) -> Option<Date> {
        self.read(place, column, text, problems, |text| text.parse().ok())
    }

    /// As [`Memo::date`], where an empty column means no date.
    pub(super) fn optional_date(
        &mut self,
        place: &Place,
        column: &str,
        text: &str,
        problems: &mut Problems,
    ) -> Option<Date> {
        if text.is_empty() {
            None
        } else {
            self.date(place, column, text, problems)
        }
    }
}

/// Reads a TOML file; a file that does not fit is one problem with its line.
pub(super) fn toml_file<T: DeserializeOwned>(path: &str, text: &str, problems: &mut Problems) -> Option<T> {
    match toml::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            problems.add(
                "bad-file",
                format!("{path}:{line}"),
                format!("Nội dung không đúng cấu trúc của tệp: {}.", error.message()),
                format!("The content does not fit the file's structure: {}.", error.message()),
            );
            None
        }
    }
}
