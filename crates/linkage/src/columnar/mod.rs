//! Rows of a Parquet file, one at a time: a file of whoever runs a command as it is, one that a stranger brings within [`Limits`].
//!
//! A row group is read column by column, a page of each at a time; what is in memory is those pages. They may be packed
//! with Snappy, Zstandard, gzip or LZ4 (raw), or not at all.

mod guard;
mod thrift;

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
};

use base::{Error, Kind, Problems, Result};
use bytes::Bytes;
use parquet::{
    basic::{LogicalType, TimeUnit},
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, reader::RowIter},
};

pub use guard::Limits;

/// Rows of a Parquet file.
pub struct Table {
    name: String,
    names: Vec<String>,
    /// Of each column whether it counts nanoseconds, which the reader takes for a plain number.
    nanos: Vec<bool>,
    rows: RowIter<'static>,
}

impl Table {
    /// Opens a file; `name` is what refusals call it.
    ///
    /// # Errors
    /// `not-parquet`.
    pub fn open(file: File, name: &str) -> Result<Self> {
        let reader = SerializedFileReader::new(file).map_err(|error| broken(name, &error))?;
        Ok(Self::of(Box::new(reader), name))
    }

    /// Opens what a stranger has brought. Before a page of it is unpacked it is known how many rows it has, that each has one value in
    /// each column, and what its pages take in memory.
    ///
    /// # Errors
    /// `parquet-cut`, `parquet-encrypted`, `parquet-nested`, `parquet-packing`, `parquet-lies`, `too-many-rows`, `too-many-columns`,
    /// `parquet-bomb`, `not-parquet`.
    pub fn of_stranger(content: Bytes, name: &str, limits: Limits) -> Result<Self> {
        guard::outline(&content, limits)?;
        let reader = caught(name, || {
            let reader = SerializedFileReader::new(content.clone()).map_err(|error| broken(name, &error))?;
            guard::pages(&content, reader.metadata(), limits)?;
            Ok(reader)
        })?;
        Ok(Self::of(Box::new(reader), name))
    }

    fn of(reader: Box<dyn FileReader>, name: &str) -> Self {
        let fields = reader.metadata().file_metadata().schema().get_fields();
        let is_nanos = |logical: Option<LogicalType>| match logical {
            Some(LogicalType::Timestamp(kind)) => kind.unit == TimeUnit::NANOS,
            _ => false,
        };
        Self {
            name: name.to_owned(),
            names: fields.iter().map(|field| field.name().trim().to_owned()).collect(),
            nanos: fields
                .iter()
                .map(|field| is_nanos(field.get_basic_info().logical_type_ref().cloned()))
                .collect(),
            rows: RowIter::from_file_into(reader),
        }
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The next row, its values as text; nothing at the end.
    ///
    /// # Errors
    /// `not-parquet` for what is broken; `parquet-type` for a value that has no text.
    pub fn next_row(&mut self) -> Result<Option<Vec<Option<String>>>> {
        let Self { name, nanos, rows, .. } = self;
        caught(name, || {
            let Some(row) = rows.next() else { return Ok(None) };
            let row = row.map_err(|error| broken(name, &error))?;
            let cells = row.get_column_iter().enumerate().map(|(n, (column, value))| {
                let nanos = nanos.get(n).copied().unwrap_or(false);
                cell(value, nanos).ok_or_else(|| untold(name, column))
            });
            cells.collect::<Result<_>>().map(Some)
        })
    }
}

/// A Parquet file is hostile input: a panic of its reader is a broken file.
fn caught<T>(name: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(broken(name, &"its parts contradict each other")))
}

fn broken(name: &str, error: &dyn std::fmt::Display) -> Error {
    Error::refused(
        Kind::Invalid,
        "not-parquet",
        format!("Tệp {name} không đọc được như Parquet: {error}."),
        format!("The file {name} cannot be read as Parquet: {error}."),
    )
}

fn untold(name: &str, column: &str) -> Error {
    let mut problems = Problems::new();
    problems.add(
        "parquet-type",
        name,
        format!("Kiểu dữ liệu của cột “{column}” không được hỗ trợ."),
        format!("The type of the column “{column}” is not supported."),
    );
    Error::Refused(Kind::Invalid, problems)
}

/// A value as text; a missing one is `Some(None)`, one of a type that has no text `None`.
fn cell(value: &Field, nanos: bool) -> Option<Option<String>> {
    Some(match value {
        Field::Null => None,
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => Some(std::str::from_utf8(bytes.data()).ok()?.to_owned()),
        Field::Bool(b) => Some(b.to_string()),
        Field::Byte(n) => Some(n.to_string()),
        Field::Short(n) => Some(n.to_string()),
        Field::Int(n) => Some(n.to_string()),
        Field::Long(n) if nanos => Some(moment(n.div_euclid(1000))),
        Field::Long(n) => Some(n.to_string()),
        Field::UByte(n) => Some(n.to_string()),
        Field::UShort(n) => Some(n.to_string()),
        Field::UInt(n) => Some(n.to_string()),
        Field::ULong(n) => Some(n.to_string()),
        Field::Float(n) => Some(n.to_string()),
        Field::Double(n) => Some(n.to_string()),
        Field::Date(days) => crate::dates::date_of(f64::from(*days) * 86_400.0).map(|d| d.to_string()),
        Field::TimestampMillis(n) => Some(moment(n.saturating_mul(1000))),
        Field::TimestampMicros(n) => Some(moment(*n)),
        Field::ListInternal(list) => {
            let members: Option<Vec<String>> = list
                .elements()
                .iter()
                .map(|m| cell(m, false).map(Option::unwrap_or_default))
                .collect();
            Some(format!("[{}]", members?.join(", ")))
        }
        _ => return None,
    })
}

/// Microseconds since 1970 as a day where they are one: programs for tables keep birthdays so.
fn moment(micros: i64) -> String {
    let Ok(instant) = jiff::Timestamp::from_microsecond(micros) else {
        return micros.to_string();
    };
    let at = jiff::tz::TimeZone::UTC.to_datetime(instant);
    if at.time() == jiff::civil::Time::midnight() {
        at.date().to_string()
    } else {
        at.to_string()
    }
}
