//! Which terms of a dictionary the columns of a database are, and how far a dictionary covers it.
//!
//! ```
//! use cleansing::schema::{Term, columns_of_ddl, scan};
//!
//! let columns = columns_of_ddl("CREATE TABLE CONG_DAN (HO_TEN NVARCHAR2(100), NGAYSINH DATE, GHI_CHU CLOB);");
//! let dictionary = [
//!     Term::new("person.full-name", ["Họ, chữ đệm và tên", "Full name"]),
//!     Term::new("person.birth-date", ["Ngày, tháng, năm sinh", "Date of birth"]),
//! ];
//! let found = scan(&columns, &dictionary);
//! assert_eq!(found.coverage.proposed, 2);
//! assert_eq!(found.coverage.percent(), 66.7);
//! ```

mod ddl;
mod likeness;
mod words;

use base::{Error, Result, refusal::Kind};
use serde::Serialize;

pub use self::ddl::columns_of_ddl;
use self::{likeness::Weigher, words::Vocabulary};
use crate::layout::Sort;

/// A column of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// The table, with its schema where the source says it.
    pub table: String,
    /// The name.
    pub name: String,
    /// The type as the source has it: `NVARCHAR2(100)`.
    pub data_type: String,
    /// What its makers said of it.
    pub comment: String,
    /// Values that stand in it, where some are at hand. They are looked at and not kept.
    pub samples: Vec<String>,
}

/// An entry of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its id.
    pub id: String,
    /// Its names, in Vietnamese and English, and what else it is called.
    pub names: Vec<String>,
    /// The sort of its values, where samples and types should be held against it.
    pub sort: Option<Sort>,
}

impl Term {
    /// A term with names, of any sort of value.
    pub fn new<N: Into<String>>(id: impl Into<String>, names: impl IntoIterator<Item = N>) -> Self {
        Self {
            id: id.into(),
            names: names.into_iter().map(Into::into).collect(),
            sort: None,
        }
    }

    /// The same with a sort of values.
    #[must_use]
    pub const fn of(mut self, sort: Sort) -> Self {
        self.sort = Some(sort);
        self
    }
}

/// A term that a column may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The id of the term.
    pub term: String,
    /// How alike they are, 0 to 100.
    pub score: u8,
    /// What speaks for it and against it.
    pub why: Vec<Why>,
}

/// What speaks for a proposal or against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The words of the name.
    Name,
    /// The words of the comment.
    Comment,
    /// The type fits.
    Type,
    /// The type does not fit.
    OtherType,
    /// Most samples are values of that sort.
    Samples,
    /// Most samples are no values of that sort.
    OtherSamples,
}

/// A column with the terms that it may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The likeliest first, three at most; none where nothing comes near.
    pub proposals: Vec<Proposal>,
}

/// How far a dictionary covers a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Coverage {
    /// Columns.
    pub columns: usize,
    /// Columns with a proposal.
    pub proposed: usize,
    /// Columns with a proposal of at least [`SURE`], and nothing else near.
    pub sure: usize,
}

impl Coverage {
    /// Columns with a proposal, in per cent, to one decimal.
    pub fn percent(&self) -> f64 {
        per_cent(self.proposed, self.columns)
    }

    /// Columns with a sure proposal, in per cent, to one decimal.
    pub fn sure_percent(&self) -> f64 {
        per_cent(self.sure, self.columns)
    }
}

fn per_cent(part: usize, whole: usize) -> f64 {
    let thousandths = (part * 1000 + whole / 2).checked_div(whole).unwrap_or(0);
    thousandths as f64 / 10.0
}

/// A proposal of this score needs little checking.
pub const SURE: u8 = 80;
/// What scores less is no proposal.
pub const LEAST: u8 = 55;

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// The columns, in their order.
    pub matched: Vec<Matched>,
    /// All columns together.
    pub coverage: Coverage,
    /// By table, in the order in which the tables come.
    pub tables: Vec<(String, Coverage)>,
}

/// Proposes the terms of a dictionary for columns.
pub fn scan(columns: &[Column], dictionary: &[Term]) -> Scan {
    let vocabulary = Vocabulary::of(dictionary);
    let weigher = Weigher::new(&vocabulary, dictionary);
    let mut found = Scan {
        matched: Vec::with_capacity(columns.len()),
        coverage: Coverage::default(),
        tables: Vec::new(),
    };
    for column in columns {
        let proposals = weigher.proposals(column);
        let best = proposals.first().map_or(0, |p| p.score);
        let next = proposals.get(1).map_or(0, |p| p.score);
        let at = found
            .tables
            .iter()
            .position(|(t, _)| *t == column.table)
            .unwrap_or_else(|| {
                found.tables.push((column.table.clone(), Coverage::default()));
                found.tables.len() - 1
            });
        for coverage in [Some(&mut found.coverage), found.tables.get_mut(at).map(|(_, c)| c)]
            .into_iter()
            .flatten()
        {
            coverage.columns += 1;
            coverage.proposed += usize::from(best >= LEAST);
            coverage.sure += usize::from(best >= SURE && next + 5 <= best);
        }
        found.matched.push(Matched {
            table: column.table.clone(),
            column: column.name.clone(),
            proposals,
        });
    }
    found
}

/// Columns from a CSV export of `information_schema.columns`, or of a list with the same headings: `table_name`,
/// `column_name`, and where there are such `table_schema`, `data_type`, `column_comment` (or `comment`, `description`), `sample`.
///
/// # Errors
/// `bad-columns` where a heading is missing or a row cannot be read.
pub fn columns_of_csv(text: &str) -> Result<Vec<Column>> {
    let bad = |what: String| {
        Error::refused(
            Kind::Invalid,
            "bad-columns",
            format!("Danh sách cột không đọc được: {what}."),
            format!("The list of columns cannot be read: {what}."),
        )
    };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headings = reader.headers().map_err(|e| bad(e.to_string()))?.clone();
    let find = |names: &[&str]| {
        headings
            .iter()
            .position(|h| names.iter().any(|n| h.trim().eq_ignore_ascii_case(n)))
    };
    let need = |name: &str| find(&[name]).ok_or_else(|| bad(format!("{name}?")));
    let (table, name) = (need("table_name")?, need("column_name")?);
    let schema = find(&["table_schema", "owner"]);
    let data_type = find(&["data_type", "column_type", "udt_name"]);
    let comment = find(&["column_comment", "comment", "comments", "description"]);
    let sample = find(&["sample", "samples"]);
    let mut columns = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| bad(e.to_string()))?;
        let cell = |at: Option<usize>| at.and_then(|n| record.get(n)).unwrap_or_default().trim().to_owned();
        let schema = cell(schema);
        let dot = if schema.is_empty() { "" } else { "." };
        columns.push(Column {
            table: format!("{schema}{dot}{}", cell(Some(table))),
            name: cell(Some(name)),
            data_type: cell(data_type),
            comment: cell(comment),
            samples: Some(cell(sample)).filter(|s| !s.is_empty()).into_iter().collect(),
        });
    }
    Ok(columns)
}

#[cfg(test)]
mod tests;
