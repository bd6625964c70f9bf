//! A Parquet file that is written record by record, in row groups of bounded size.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use base::{Error, Result};
use datafusion::{
    arrow::{
        array::{ArrayRef, Float64Builder, Int64Builder, RecordBatch, StringBuilder},
        datatypes::{DataType, Field, Schema},
    },
    parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties},
};

/// Records that are gathered before they are encoded.
const BATCH: usize = 1024;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Whole numbers.
    Whole,
    /// Texts.
    Text,
    /// Numbers.
    Number,
}

/// A value for a column.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A whole number.
    Whole(Option<u64>),
    /// A text.
    Text(Option<&'a str>),
    /// A number.
    Number(Option<f64>),
}

enum Column {
    Whole(Int64Builder),
    Text(StringBuilder),
    Number(Float64Builder),
}

/// A table being written.
pub struct Table {
    path: PathBuf,
    schema: Arc<Schema>,
    writer: ArrowWriter<File>,
    columns: Vec<Column>,
    gathered: usize,
    /// The most bytes that a row group takes in memory.
    row_group: usize,
    records: u64,
}

impl Table {
    /// Begins a file; what is there is written over.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path, columns: &[(String, Holds)], row_group: usize) -> Result<Self> {
        let field = |(name, holds): &(String, Holds)| match holds {
            Holds::Whole => Field::new(name, DataType::Int64, true),
            Holds::Text => Field::new(name, DataType::Utf8, true),
            Holds::Number => Field::new(name, DataType::Float64, true),
        };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let builder = |(_, holds): &(String, Holds)| match holds {
            Holds::Whole => Column::Whole(Int64Builder::new()),
            Holds::Text => Column::Text(StringBuilder::new()),
            Holds::Number => Column::Number(Float64Builder::new()),
        };
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let file = File::create(path).map_err(|error| at(path, error))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
        Ok(Self {
            path: path.to_owned(),
            writer: writer.map_err(|error| at(path, error))?,
            columns: columns.iter().map(builder).collect(),
            schema,
            gathered: 0,
            row_group,
            records: 0,
        })
    }

    /// Adds a record: a value for each column, in their order.
    ///
    /// # Errors
    /// When it cannot be written, or the values are not those of the columns.
    pub fn push<'a>(&mut self, values: impl IntoIterator<Item = Value<'a>>) -> Result<()> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            match (column, value) {
                (Column::Whole(builder), Value::Whole(value)) => {
                    builder.append_option(value.and_then(|n| i64::try_from(n).ok()));
                }
                (Column::Text(builder), Value::Text(value)) => builder.append_option(value),
                (Column::Number(builder), Value::Number(value)) => builder.append_option(value),
                _ => return Err(Error::internal("a value of another kind than its column")),
            }
        }
        self.records += 1;
        self.gathered += 1;
        if self.gathered < BATCH {
            return Ok(());
        }
        self.encode()
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        self.encode()?;
        self.writer.close().map_err(|error| at(&self.path, error))?;
        Ok(())
    }

    fn encode(&mut self) -> Result<()> {
        self.gathered = 0;
        let array = |column: &mut Column| -> ArrayRef {
            match column {
                Column::Whole(builder) => Arc::new(builder.finish()),
                Column::Text(builder) => Arc::new(builder.finish()),
                Column::Number(builder) => Arc::new(builder.finish()),
            }
        };
        let arrays = self.columns.iter_mut().map(array).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|error| at(&self.path, error))?;
        self.writer.write(&batch).map_err(|error| at(&self.path, error))?;
        if self.writer.in_progress_size() >= self.row_group {
            self.writer.flush().map_err(|error| at(&self.path, error))?;
        }
        Ok(())
    }
}

fn at(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::internal(format!("{}: {error}", path.display()))
}
