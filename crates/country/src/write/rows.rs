//! Rows of a CSV file in memory.

use std::fmt::{Display, Write as _};

/// Rows without a header.
pub struct Rows {
    csv: csv::Writer<Vec<u8>>,
    field: String,
    count: u64,
}

impl Default for Rows {
    fn default() -> Self {
        let csv = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::with_capacity(1 << 16));
        Self {
            csv,
            field: String::new(),
            count: 0,
        }
    }
}

impl Rows {
    /// Adds a row.
    pub fn row(&mut self, fields: &[&dyn Display]) -> csv::Result<()> {
        for field in fields {
            self.field.clear();
            // Writing to a text cannot fail.
            let _ = write!(self.field, "{field}");
            self.csv.write_field(&self.field)?;
        }
        self.count += 1;
        self.csv.write_record(None::<&[u8]>)
    }

    /// The bytes and how many rows they are.
    pub fn finish(self) -> csv::Result<(Vec<u8>, u64)> {
        let count = self.count;
        let bytes = self.csv.into_inner().map_err(|error| error.into_error())?;
        Ok((bytes, count))
    }
}

/// A value that may be missing: empty then.
pub struct Maybe<T>(pub Option<T>);

impl<T: Display> Display for Maybe<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => Ok(()),
        }
    }
}

/// A number of so many digits, zeros in front.
pub struct Digits<const N: usize>(pub u64);

impl<const N: usize> Display for Digits<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:0N$}", self.0)
    }
}
