//! The country as files: one CSV a table, UTF-8, a header, LF.

mod agencies;
mod rows;
mod tables;

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use rows::Rows;

use crate::{
    community::Community,
    country::Country,
    mess::{Agency, Profile},
    places::Units,
};

/// A file and how a community is written in it.
struct Table {
    file: &'static str,
    header: &'static [&'static str],
    fill: fn(&Community, &Units, &mut Rows) -> csv::Result<()>,
}

/// Which files are wanted.
pub struct Sheets(Vec<Sheet>);

#[derive(Clone, Copy)]
enum Sheet {
    Truth(&'static Table),
    Agency(Agency, Profile),
}

impl Sheets {
    /// Every table of the truth; with a profile also `agency_a.csv` and `agency_b.csv`.
    pub fn all(mess: Option<Profile>) -> Self {
        let agencies = mess.map(Self::of_agencies).unwrap_or_default();
        Self(tables::TABLES.iter().map(Sheet::Truth).chain(agencies).collect())
    }

    /// What linkage is measured with: `people.csv`, `agency_a.csv` and `agency_b.csv`.
    pub fn for_linkage(mess: Profile) -> Self {
        let people = [Sheet::Truth(&tables::TABLES[0])];
        Self(people.into_iter().chain(Self::of_agencies(mess)).collect())
    }

    fn of_agencies(mess: Profile) -> Vec<Sheet> {
        [Agency::A, Agency::B]
            .map(|agency| Sheet::Agency(agency, mess))
            .to_vec()
    }
}

impl Sheet {
    const fn file(self) -> &'static str {
        match self {
            Self::Truth(table) => table.file,
            Self::Agency(Agency::A, _) => "agency_a.csv",
            Self::Agency(Agency::B, _) => "agency_b.csv",
        }
    }

    const fn header(self) -> &'static [&'static str] {
        match self {
            Self::Truth(table) => table.header,
            Self::Agency(..) => &agencies::HEADER,
        }
    }

    /// The rows of a community and how many they are.
    fn rows(self, community: &Community, units: &Units) -> csv::Result<(Vec<u8>, u64)> {
        let mut rows = Rows::default();
        match self {
            Self::Truth(table) => (table.fill)(community, units, &mut rows)?,
            Self::Agency(agency, profile) => agencies::fill(community, units, agency, profile, &mut rows)?,
        }
        rows.finish()
    }
}

/// Writes files of the country into a folder, which is made; files of the same names are overwritten. The bytes do not depend
/// on the number of threads. Gives the names of the files and their rows without the header.
///
/// # Errors
/// A file cannot be written.
pub fn write(
    country: &Country,
    folder: &Path,
    sheets: &Sheets,
    threads: usize,
) -> io::Result<Vec<(&'static str, u64)>> {
    fs::create_dir_all(folder)?;
    let mut open = Vec::new();
    for sheet in &sheets.0 {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(folder.join(sheet.file()))?);
        writeln!(out, "{}", sheet.header().join(","))?;
        open.push((sheet.file(), out, 0));
    }
    let pages = |community: Community| -> csv::Result<Vec<(Vec<u8>, u64)>> {
        sheets
            .0
            .iter()
            .map(|sheet| sheet.rows(&community, country.units()))
            .collect()
    };
    country.walk(threads, pages, |pages| {
        for ((_, out, count), (bytes, rows)) in open.iter_mut().zip(pages.map_err(io::Error::other)?) {
            out.write_all(&bytes)?;
            *count += rows;
        }
        io::Result::Ok(())
    })?;
    let mut written = Vec::new();
    for (file, mut out, count) in open {
        out.flush()?;
        written.push((file, count));
    }
    Ok(written)
}
