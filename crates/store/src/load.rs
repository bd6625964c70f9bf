//! Rows by the thousand, column by column.

use base::Result;
use sea_orm::Value;
use uuid::Uuid;

use crate::{Engine, MOST_VALUES, Tx};

/// Rows that stand in memory column by column, and those of one statement on PostgreSQL, which takes a column as one value.
const MOST_ROWS: usize = 8_192;

/// Statements of one call on SQLite.
const AT_ONCE: usize = 8;

/// A column of rows that are loaded together. All columns are of one length, and one at least is not the same in every row.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// The same in every row.
    Same(Value),
    /// BIGINT
    Numbers(Vec<i64>),
    /// BIGINT or NULL
    Nullable(Vec<Option<i64>>),
    /// UUID
    Ids(Vec<Uuid>),
    /// TEXT
    Texts(Vec<String>),
    /// Bytes
    Bytes(Vec<Vec<u8>>),
    /// BOOLEAN
    Flags(Vec<bool>),
}

type Values = Box<dyn Iterator<Item = Value> + Send>;

impl Column {
    fn values(self) -> Values {
        match self {
            Self::Same(value) => Box::new(std::iter::repeat(value)),
            Self::Numbers(all) => Box::new(all.into_iter().map(Value::from)),
            Self::Nullable(all) => Box::new(all.into_iter().map(Value::from)),
            Self::Ids(all) => Box::new(all.into_iter().map(Value::from)),
            Self::Texts(all) => Box::new(all.into_iter().map(Value::from)),
            Self::Bytes(all) => Box::new(all.into_iter().map(Value::from)),
            Self::Flags(all) => Box::new(all.into_iter().map(Value::from)),
        }
    }
}

impl Tx {
    /// Inserts rows: `into` is `table (columns)`, and `columns` gives those of some rows in its order. While the database takes some
    /// in, the next are made ready.
    ///
    /// # Errors
    /// As [`Tx::exec`]. Some of the rows may be written then: the block has to give the error back, so that all are undone.
    pub async fn load<R: Send>(
        &self,
        into: &str,
        rows: impl Iterator<Item = R> + Send,
        columns: impl Fn(&[R]) -> Vec<Column> + Send,
    ) -> Result<()> {
        let mut rows = rows;
        let pieces = std::iter::from_fn(|| {
            let piece: Vec<R> = rows.by_ref().take(MOST_ROWS).collect();
            (!piece.is_empty()).then(|| (piece.len(), columns(&piece)))
        });
        let engine = self.engine();
        let mut statements = pieces.flat_map(|(rows, columns)| match engine {
            Engine::Sqlite => by_rows(into, rows, columns),
            Engine::Postgres => by_columns(into, columns),
        });
        let mut next = statements.next();
        while let Some((sql, values)) = next {
            let (done, after) = tokio::join!(self.exec(&sql, values), async { statements.next() });
            done?;
            next = after;
        }
        Ok(())
    }
}

type Statements<'a> = Box<dyn Iterator<Item = (String, Vec<Value>)> + Send + 'a>;

/// Statements of several rows each, and several of them at once, for the database idles between one call and the next. One that fails
/// undoes nothing, for its transaction ends with it: so no page is kept as it was.
fn by_rows(into: &str, rows: usize, columns: Vec<Column>) -> Statements<'_> {
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let mut columns: Vec<Values> = columns.into_iter().map(Column::values).collect();
    let mut rest = rows;
    Box::new(std::iter::from_fn(move || {
        // A power of two: statements are kept by their text.
        let count = 1_usize << rest.min(MOST_VALUES * AT_ONCE).checked_ilog2()?;
        rest -= count;
        let mut values = Vec::with_capacity(count * columns.len());
        for _ in 0..count {
            values.extend(columns.iter_mut().filter_map(Iterator::next));
        }
        let of_each = count.min(MOST_VALUES);
        let one = format!(
            "INSERT OR FAIL INTO {into} VALUES {}",
            vec![row.as_str(); of_each].join(", ")
        );
        Some((vec![one; count / of_each].join("; "), values))
    }))
}

/// A statement of all rows, with a value for each column.
fn by_columns(into: &str, columns: Vec<Column>) -> Statements<'_> {
    let mut unnested = Unnested::default();
    for column in columns {
        unnested.add(column);
    }
    let Unnested {
        values,
        select,
        arrays,
        names,
    } = unnested;
    let [select, arrays, names] = [select, arrays, names].map(|parts| parts.join(", "));
    let sql = format!("INSERT INTO {into} SELECT {select} FROM UNNEST({arrays}) AS loaded ({names})");
    Box::new(std::iter::once((sql, values)))
}

#[derive(Default)]
struct Unnested {
    values: Vec<Value>,
    select: Vec<String>,
    arrays: Vec<String>,
    names: Vec<String>,
}

impl Unnested {
    fn add(&mut self, column: Column) {
        let selected = match column {
            Column::Same(value) => self.bind(value),
            Column::Numbers(all) => self.array(all, "bigint"),
            // The driver takes no NULL in an array.
            Column::Nullable(all) => {
                let there = self.array(all.iter().map(Option::is_some).collect::<Vec<_>>(), "boolean");
                let number = self.array(
                    all.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>(),
                    "bigint",
                );
                format!("CASE WHEN {there} THEN {number} END")
            }
            Column::Ids(all) => self.array(all, "uuid"),
            Column::Texts(all) => self.array(all, "text"),
            Column::Bytes(all) => self.array(all, "bytea"),
            Column::Flags(all) => self.array(all, "boolean"),
        };
        self.select.push(selected);
    }

    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn array(&mut self, all: impl Into<Value>, ty: &str) -> String {
        let bound = self.bind(all.into());
        let name = format!("c{}", self.values.len());
        self.arrays.push(format!("{bound}::{ty}[]"));
        self.names.push(name.clone());
        name
    }
}
