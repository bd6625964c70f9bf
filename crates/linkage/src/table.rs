//! Records as columns of interned values: each distinct text is kept once and named by a number.

use base::{Error, Kind, Problems, Result};

use crate::dictionary::{BATCH, Dictionary, NULL};

/// There are always fewer records than this.
pub(crate) const MOST_RECORDS: usize = 1 << 31;

/// The records to be linked, of one or several sources.
#[derive(Debug, Default)]
pub struct Records {
    pub(crate) dictionary: Dictionary,
    /// The only columns whose values are kept; all where there is none.
    wanted: Option<Vec<String>>,
    names: Vec<String>,
    pub(crate) columns: Vec<Vec<u32>>,
    /// The number of the source of each record.
    pub(crate) sources: Vec<u16>,
    all_sources: Vec<Source>,
    /// For each column of the source begun last, its number; `None` where nobody wants it.
    current: Vec<Option<usize>>,
    id_at: usize,
}

/// A file, or whatever else records come from.
#[derive(Debug)]
struct Source {
    name: String,
    /// Its first record.
    first: usize,
    /// The ids of its records: that of the first has the number 1, and so on, as none comes twice.
    ids: Dictionary,
}

impl Records {
    /// No records yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// No records yet, and only these columns of them; names are those of the files, in any case.
    pub fn of_columns<'a>(columns: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            wanted: Some(columns.into_iter().map(str::to_owned).collect()),
            ..Self::default()
        }
    }

    /// Begins a source (a file) with these columns; `id` is the one that names a record within it. Columns that other
    /// sources have and this one has not are empty.
    ///
    /// # Errors
    /// `no-columns`, `column-twice`, `no-id-column`, `too-many-sources`.
    pub fn begin_source(&mut self, name: &str, columns: &[impl AsRef<str>], id: &str) -> Result<()> {
        if columns.is_empty() {
            return Err(refuse(
                "no-columns",
                name,
                "Tệp không có dòng tiêu đề.",
                "The file has no header.",
            ));
        }
        let mut current = Vec::with_capacity(columns.len());
        for (n, column) in columns.iter().enumerate() {
            let column = column.as_ref();
            let same = |other: &&str| other.eq_ignore_ascii_case(column);
            if columns.iter().take(n).map(AsRef::as_ref).any(|other| same(&other)) {
                return Err(refuse(
                    "column-twice",
                    name,
                    format!("Cột “{column}” có hai lần trong dòng tiêu đề."),
                    format!("The column “{column}” stands twice in the header."),
                ));
            }
            let wanted = self.wanted.as_ref();
            let wanted = wanted.is_none_or(|wanted| wanted.iter().any(|w| same(&w.as_str())));
            current.push(wanted.then(|| self.column_or_new(column)));
        }
        let Some(id_at) = columns.iter().position(|c| c.as_ref() == id) else {
            return Err(refuse(
                "no-id-column",
                name,
                format!("Không có cột mã bản ghi “{id}”."),
                format!("There is no column “{id}”, which names each record."),
            ));
        };
        if self.all_sources.len() > usize::from(u16::MAX) {
            return Err(refuse("too-many-sources", name, "Quá nhiều tệp.", "Too many files."));
        }
        if let Some(before) = self.all_sources.last_mut() {
            before.ids.close();
        }
        self.all_sources.push(Source {
            name: name.to_owned(),
            first: self.len(),
            ids: Dictionary::default(),
        });
        self.current = current;
        self.id_at = id_at;
        Ok(())
    }

    fn column_or_new(&mut self, name: &str) -> usize {
        self.column(name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.columns.push(vec![NULL; self.len()]);
            self.names.len() - 1
        })
    }

    /// Adds a record to the source begun last; its values stand in the order of the columns. White space around a value
    /// is no part of it, and nothing but white space is no value. What is refused is not added.
    ///
    /// # Errors
    /// `row-length`, `no-id`, `id-twice`, `too-many-records`; each at the number of the record within its source, from 1.
    pub fn push<'a>(&mut self, values: impl ExactSizeIterator<Item = Option<&'a str>> + Clone) -> Result<()> {
        if values.len() != self.current.len() {
            let (has, expected) = (values.len(), self.current.len());
            return Err(self.refuse_next(
                "row-length",
                format!("Bản ghi có {has} giá trị, tiêu đề có {expected} cột."),
                format!("The record has {has} values, the header {expected} columns."),
            ));
        }
        let id = values.clone().nth(self.id_at).flatten().unwrap_or_default();
        self.add_id(id.trim())?;
        self.sources.push((self.all_sources.len() - 1) as u16);
        for column in &mut self.columns {
            column.push(NULL);
        }
        let (mut texts, mut columns, mut waiting) = ([""; BATCH], [0; BATCH], 0);
        for (value, column) in values.zip(&self.current) {
            if let (Some(value), Some(column)) = (value, *column)
                && let (Some(text), Some(at)) = (texts.get_mut(waiting), columns.get_mut(waiting))
            {
                (*text, *at) = (value.trim(), column);
                waiting += 1;
            }
            if waiting == BATCH {
                keep(&mut self.dictionary, &mut self.columns, &texts, &columns);
                waiting = 0;
            }
        }
        let texts = texts.get(..waiting).unwrap_or_default();
        keep(&mut self.dictionary, &mut self.columns, texts, &columns);
        Ok(())
    }

    fn add_id(&mut self, id: &str) -> Result<()> {
        if id.is_empty() {
            return Err(self.refuse_next("no-id", "Bản ghi không có mã.", "The record has no id."));
        }
        if self.len() + 1 >= MOST_RECORDS {
            return Err(self.refuse_next("too-many-records", "Quá nhiều bản ghi.", "Too many records."));
        }
        let Some(source) = self.all_sources.last_mut() else {
            return Err(self.refuse_next("no-columns", "Chưa có tệp nào.", "There is no file yet."));
        };
        let known = source.ids.len();
        let first = source.ids.intern(id) as usize;
        if first <= known {
            return Err(self.refuse_next(
                "id-twice",
                format!("Mã “{id}” đã có ở bản ghi {first}."),
                format!("The id “{id}” was already used by record {first}."),
            ));
        }
        Ok(())
    }

    /// Refuses the next record: at its source and its number within it.
    fn refuse_next(&self, code: &str, vi: impl Into<String>, en: impl Into<String>) -> Error {
        let (source, first) = self.all_sources.last().map_or(("", 0), |s| (&s.name, s.first));
        refuse(code, &format!("{source}:{}", self.len() - first + 1), vi, en)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The source of a record.
    pub fn source(&self, row: u32) -> &str {
        self.source_of(row).map_or("", |source| &source.name)
    }

    /// The id of a record within its source.
    pub fn id(&self, row: u32) -> &str {
        self.source_of(row).map_or("", |source| {
            let number = row as usize - source.first + 1;
            source.ids.get(number as u32)
        })
    }

    fn source_of(&self, row: u32) -> Option<&Source> {
        self.all_sources.get(usize::from(*self.sources.get(row as usize)?))
    }

    /// The value of a record in a column; `None` where it has none, or where there is no such column.
    pub fn value(&self, row: u32, column: &str) -> Option<&str> {
        let number = *self.columns.get(self.column(column)?)?.get(row as usize)?;
        (number != NULL).then(|| self.dictionary.get(number))
    }

    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .position(|n| n == name)
            .or_else(|| self.names.iter().position(|n| n.eq_ignore_ascii_case(name)))
    }

    /// How many records each source has, in the order of the sources.
    pub(crate) fn source_sizes(&self) -> Vec<u64> {
        let mut sizes = vec![0; self.all_sources.len()];
        for source in &self.sources {
            if let Some(size) = sizes.get_mut(usize::from(*source)) {
                *size += 1;
            }
        }
        sizes
    }
}

/// Puts texts into columns of the record added last.
fn keep(dictionary: &mut Dictionary, of_records: &mut [Vec<u32>], texts: &[&str], columns: &[usize]) {
    let mut numbers = [NULL; BATCH];
    dictionary.intern_all(texts, &mut numbers);
    for (number, column) in numbers.into_iter().zip(columns).take(texts.len()) {
        if let Some(cell) = of_records.get_mut(*column).and_then(|c| c.last_mut()) {
            *cell = number;
        }
    }
}

fn refuse(code: &str, at: &str, vi: impl Into<String>, en: impl Into<String>) -> Error {
    let mut problems = Problems::new();
    problems.add(code, at, vi, en);
    Error::Refused(Kind::Invalid, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(error: Error) -> String {
        error
            .problems()
            .and_then(|p| p.iter().next())
            .map(|p| p.code.clone())
            .unwrap_or_default()
    }

    #[test]
    fn sources_may_have_other_columns_in_another_order() {
        let mut records = Records::new();
        records.begin_source("a", &["id", "name"], "id").expect("a header");
        records.push([Some("1"), Some(" An ")].into_iter()).expect("a record");
        records.begin_source("b", &["born", "id"], "id").expect("a header");
        records
            .push([Some(" "), Some("1")].into_iter())
            .expect("the same id in another source");
        assert_eq!(records.value(0, "name"), Some("An"));
        assert_eq!((records.value(1, "name"), records.value(1, "born")), (None, None));
        assert_eq!((records.source(1), records.id(1)), ("b", "1"));
    }

    #[test]
    fn only_the_columns_that_are_wanted_are_kept() {
        let mut records = Records::of_columns(["NAME", "born"]);
        records
            .begin_source("a", &["id", "name", "place"], "id")
            .expect("a header");
        records
            .push([Some("1"), Some("An"), Some("Hội An")].into_iter())
            .expect("a record");
        assert_eq!((records.id(0), records.value(0, "name")), ("1", Some("An")));
        assert_eq!((records.value(0, "place"), records.value(0, "born")), (None, None));
        assert_eq!(records.dictionary.len(), 1);
        assert_eq!(
            code(
                records
                    .begin_source("b", &["id", "place", "Place"], "id")
                    .expect_err("twice")
            ),
            "column-twice"
        );
    }

    #[test]
    fn an_id_of_another_source_is_no_repetition() {
        let mut records = Records::new();
        for source in ["a", "b"] {
            records.begin_source(source, &["id"], "id").expect("a header");
            for n in 0..5_000 {
                records
                    .push([Some(n.to_string().as_str())].into_iter())
                    .expect("a record");
            }
        }
        assert_eq!(
            (records.len(), records.id(4_999), records.id(5_000)),
            (10_000, "4999", "0")
        );
        let error = records.push([Some("17")].into_iter()).expect_err("again");
        let problem = error.problems().and_then(|p| p.iter().next()).expect("a problem");
        assert_eq!(
            (problem.at.as_str(), problem.text.en.contains("record 18")),
            ("b:5001", true)
        );
    }

    #[test]
    fn bad_sources_are_refused_where_they_are_bad() {
        let mut records = Records::new();
        assert_eq!(
            code(records.begin_source("a", &[] as &[&str], "id").expect_err("no header")),
            "no-columns"
        );
        assert_eq!(
            code(records.begin_source("a", &["x", "x"], "x").expect_err("twice")),
            "column-twice"
        );
        assert_eq!(
            code(records.begin_source("a", &["x"], "id").expect_err("no id")),
            "no-id-column"
        );
        records.begin_source("a", &["id", "x"], "id").expect("a header");
        assert_eq!(
            code(records.push([Some("1")].into_iter()).expect_err("short")),
            "row-length"
        );
        records.push([Some("1"), None].into_iter()).expect("a record");
        assert_eq!(
            code(records.push([Some("1"), None].into_iter()).expect_err("again")),
            "id-twice"
        );
        assert_eq!(
            code(records.push([None, Some("1")].into_iter()).expect_err("none")),
            "no-id"
        );
    }
}
