//! Records as columns of interned values: each distinct text is kept once and named by a number, so that equality is one
//! comparison of numbers and a similarity is computed once per pair of distinct values.

use base::{Error, Kind, Problems, Result};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use std::hash::BuildHasher;

/// The number of "no value".
pub(crate) const NULL: u32 = 0;

/// Every distinct text of all records, numbered from 1.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    text: String,
    ends: Vec<usize>,
    /// With its hash, so that a text is looked at once it is very likely the right one, and none is hashed again.
    numbers: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
}

impl Dictionary {
    fn place(ends: &[usize], number: u32) -> std::ops::Range<usize> {
        let at = number as usize;
        let end = |n: usize| n.checked_sub(1).and_then(|n| ends.get(n)).copied().unwrap_or(0);
        end(at.saturating_sub(1))..end(at)
    }

    /// The text of a number; of [`NULL`] the empty one.
    pub(crate) fn get(&self, number: u32) -> &str {
        self.text.get(Self::place(&self.ends, number)).unwrap_or_default()
    }

    /// The number of a text, which is new if nobody had it.
    pub(crate) fn intern(&mut self, value: &str) -> u32 {
        let hash = self.hasher.hash_one(value);
        let is_it = |(known, number): &(u64, u32)| {
            *known == hash && self.text.as_bytes().get(Self::place(&self.ends, *number)) == Some(value.as_bytes())
        };
        if let Some((_, number)) = self.numbers.find(hash, is_it) {
            return *number;
        }
        self.text.push_str(value);
        self.ends.push(self.text.len());
        let number = self.ends.len() as u32;
        self.numbers.insert_unique(hash, (hash, number), |(hash, _)| *hash);
        number
    }
}

/// The records to be linked, of one or several sources.
#[derive(Debug, Default)]
pub struct Records {
    pub(crate) dictionary: Dictionary,
    names: Vec<String>,
    pub(crate) columns: Vec<Vec<u32>>,
    ids: Vec<u32>,
    pub(crate) sources: Vec<u16>,
    source_names: Vec<String>,
    current: Vec<usize>,
    seen: HashMap<u32, usize>,
    id_at: usize,
}

impl Records {
    /// No records yet.
    pub fn new() -> Self {
        Self::default()
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
        for column in columns {
            let column = column.as_ref();
            let at = self.column(column).unwrap_or_else(|| {
                self.names.push(column.to_owned());
                self.columns.push(vec![NULL; self.ids.len()]);
                self.names.len() - 1
            });
            if current.contains(&at) {
                return Err(refuse(
                    "column-twice",
                    name,
                    format!("Cột “{column}” có hai lần trong dòng tiêu đề."),
                    format!("The column “{column}” stands twice in the header."),
                ));
            }
            current.push(at);
        }
        let Some(id_at) = columns.iter().position(|c| c.as_ref() == id) else {
            return Err(refuse(
                "no-id-column",
                name,
                format!("Không có cột mã bản ghi “{id}”."),
                format!("There is no column “{id}”, which names each record."),
            ));
        };
        let Ok(_) = u16::try_from(self.source_names.len()) else {
            return Err(refuse("too-many-sources", name, "Quá nhiều tệp.", "Too many files."));
        };
        self.source_names.push(name.to_owned());
        self.current = current;
        self.id_at = id_at;
        self.seen.clear();
        Ok(())
    }

    /// Adds a record to the source begun last; its values stand in the order of the columns. White space around a value
    /// is no part of it, and nothing but white space is no value.
    ///
    /// # Errors
    /// `row-length`, `no-id`, `id-twice`, `too-many-records`; each at the number of the record within its source, from 1.
    pub fn push<'a>(&mut self, values: impl ExactSizeIterator<Item = Option<&'a str>>) -> Result<()> {
        let source = self.source_names.len().saturating_sub(1);
        let number = self.seen.len() + 1;
        let at = || format!("{}:{number}", self.source_names.get(source).map_or("", String::as_str));
        if values.len() != self.current.len() {
            return Err(refuse(
                "row-length",
                &at(),
                format!(
                    "Bản ghi có {} giá trị, tiêu đề có {} cột.",
                    values.len(),
                    self.current.len()
                ),
                format!(
                    "The record has {} values, the header {} columns.",
                    values.len(),
                    self.current.len()
                ),
            ));
        }
        if self.ids.len() >= (u32::MAX - 1) as usize {
            return Err(refuse(
                "too-many-records",
                &at(),
                "Quá nhiều bản ghi.",
                "Too many records.",
            ));
        }
        for column in &mut self.columns {
            column.push(NULL);
        }
        let row = self.ids.len();
        let mut id = NULL;
        for (n, value) in values.enumerate() {
            let value = value.map(str::trim).filter(|v| !v.is_empty());
            let interned = value.map_or(NULL, |v| self.dictionary.intern(v));
            if n == self.id_at {
                id = interned;
            }
            if let Some(cell) = self
                .current
                .get(n)
                .and_then(|c| self.columns.get_mut(*c))
                .and_then(|c| c.get_mut(row))
            {
                *cell = interned;
            }
        }
        self.ids.push(id);
        self.sources.push(source as u16);
        let at = || format!("{}:{number}", self.source_names.get(source).map_or("", String::as_str));
        if id == NULL {
            return Err(refuse("no-id", &at(), "Bản ghi không có mã.", "The record has no id."));
        }
        if let Some(first) = self.seen.insert(id, number) {
            return Err(refuse(
                "id-twice",
                &at(),
                format!("Mã “{}” đã có ở bản ghi {first}.", self.dictionary.get(id)),
                format!(
                    "The id “{}” was already used by record {first}.",
                    self.dictionary.get(id)
                ),
            ));
        }
        Ok(())
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The names of the sources.
    pub fn source_names(&self) -> &[String] {
        &self.source_names
    }

    /// The source of a record.
    pub fn source(&self, row: u32) -> &str {
        let source = self.sources.get(row as usize).copied().unwrap_or(0);
        self.source_names.get(usize::from(source)).map_or("", String::as_str)
    }

    /// The id of a record within its source.
    pub fn id(&self, row: u32) -> &str {
        self.dictionary.get(self.ids.get(row as usize).copied().unwrap_or(NULL))
    }

    /// The value of a record in a column; `None` where it has none, or where there is no such column.
    pub fn value(&self, row: u32, column: &str) -> Option<&str> {
        let number = *self.columns.get(self.column(column)?)?.get(row as usize)?;
        (number != NULL).then(|| self.dictionary.get(number))
    }

    /// The names of all columns.
    pub fn column_names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .position(|n| n == name)
            .or_else(|| self.names.iter().position(|n| n.eq_ignore_ascii_case(name)))
    }

    /// How many records each source has, in the order of the sources.
    pub(crate) fn source_sizes(&self) -> Vec<u64> {
        let mut sizes = vec![0; self.source_names.len()];
        for source in &self.sources {
            if let Some(size) = sizes.get_mut(usize::from(*source)) {
                *size += 1;
            }
        }
        sizes
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
    fn a_text_is_kept_once() {
        let mut dictionary = Dictionary::default();
        let a = dictionary.intern("Nguyễn");
        let b = dictionary.intern("Trần");
        assert_eq!((a, b, dictionary.intern("Nguyễn")), (1, 2, 1));
        assert_eq!(
            (dictionary.get(a), dictionary.get(b), dictionary.get(NULL)),
            ("Nguyễn", "Trần", "")
        );
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
