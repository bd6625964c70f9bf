//! The national list as CSV: one row for each procedure, lists separated by `|`.

use super::{
    super::{
        judge,
        model::{Field, Layer, Said},
        oddity::{Kind, Oddity},
    },
    row::{self, Bad, Row},
};
use base::Text;

/// Which column holds what.
#[derive(Debug, Clone)]
pub struct Columns {
    count: usize,
    code: usize,
    name: usize,
    fields: Option<usize>,
    executing: Option<usize>,
    promulgating: Option<usize>,
    audiences: Option<usize>,
    sort: Option<usize>,
    state: Option<usize>,
}

impl Columns {
    /// Reads the header. Also returns the columns that mean nothing to us.
    ///
    /// # Errors
    /// Every required column that is missing.
    pub fn read(header: &[String]) -> Result<(Self, Vec<Oddity>), Vec<Bad>> {
        let find = |name: &str| header.iter().position(|h| h.trim().eq_ignore_ascii_case(name));
        let known = [
            "code",
            "name",
            "fields",
            "executing_agencies",
            "promulgating_agency",
            "audiences",
            "type",
            "state",
        ];
        let missing: Vec<Bad> = known[..2]
            .iter()
            .filter(|k| find(k).is_none())
            .map(|k| Bad::new(Kind::FileColumns, k, &header.join(",")))
            .collect();
        let (Some(code), Some(name)) = (find("code"), find("name")) else {
            return Err(missing);
        };
        let unknown = header
            .iter()
            .filter(|h| !known.iter().any(|k| h.trim().eq_ignore_ascii_case(k)))
            .map(|h| Oddity::new(Kind::ColumnUnknown, "", h))
            .collect();
        let columns = Self {
            count: header.len(),
            code,
            name,
            fields: find("fields"),
            executing: find("executing_agencies"),
            promulgating: find("promulgating_agency"),
            audiences: find("audiences"),
            sort: find("type"),
            state: find("state"),
        };
        Ok((columns, unknown))
    }

    /// Reads one row.
    ///
    /// # Errors
    /// Why the row cannot be taken.
    pub fn row(&self, cells: &[String], line: u64) -> Result<Row, Bad> {
        let cell = |n: usize| cells.get(n).map_or("", String::as_str);
        if cells.len() != self.count {
            let mut bad = Bad::new(Kind::RowColumns, "", &format!("{} / {}", cells.len(), self.count));
            bad.code = crate::catalogue::oddity::clip(cell(self.code).trim(), 40);
            return Err(bad);
        }
        let mut odd = Vec::new();
        let (code, tidy) = row::code(cell(self.code), &mut odd)?;
        let name = judge::tidy(cell(self.name), "name", true, &mut odd);
        if name.is_empty() {
            return Err(Bad {
                code: code.to_string(),
                ..Bad::new(Kind::NameBlank, "name", "")
            });
        }
        let mut items = |n: usize, at: &str| -> Vec<String> {
            let raw = cell(n);
            if raw.trim().is_empty() {
                Vec::new()
            } else {
                row::list(raw.split('|'), at, &mut odd)
            }
        };
        let vi = |s: String| Text::new(s, "");
        let fields = self.fields.map(|n| {
            items(n, "fields")
                .into_iter()
                .map(|f| Field {
                    code: String::new(),
                    name: vi(f),
                })
                .collect()
        });
        let executing = self
            .executing
            .map(|n| items(n, "executing").into_iter().map(vi).collect());
        let audiences = self.audiences.map(|n| items(n, "audiences"));
        let mut line_of = |n: usize, at: &str| judge::tidy(cell(n), at, true, &mut odd);
        let promulgating = self.promulgating.map(|n| vi(line_of(n, "promulgating")));
        let sort = self.sort.map(|n| line_of(n, "type"));
        let state = self.state.map(|n| line_of(n, "state"));
        let mut said = Said {
            name: Some(vi(name)),
            fields,
            executing,
            promulgating,
            audiences,
            sort,
            state,
            oddities: odd,
            ..Said::default()
        };
        judge::judge(&code, &mut said);
        Ok(Row {
            code,
            tidy,
            layer: Layer::List,
            said,
            retrieved: None,
            line,
        })
    }
}

/// The cells of one record.
///
/// # Errors
/// When it is not UTF-8, or not CSV.
pub fn cells(bytes: &[u8]) -> Result<Vec<String>, Bad> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        Bad::new(
            Kind::NotUtf8,
            &format!("byte {}", e.valid_up_to() + 1),
            &String::from_utf8_lossy(bytes),
        )
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(text.len().clamp(64, 1 << 16))
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Ok(record.iter().map(str::to_owned).collect()),
        Ok(false) => Ok(Vec::new()),
        Err(_) => Err(Bad::new(Kind::RowMalformed, "", text)),
    }
}
