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

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Names of the files and their rows without the header.
    pub files: Vec<(&'static str, u64)>,
}

/// What a thread hands over of one community: the bytes and the number of rows for each file.
type Pages = csv::Result<Vec<(Vec<u8>, u64)>>;

/// Writes the whole country into a folder, which is made; files of the same names are overwritten. `mess` adds `agency_a.csv`
/// and `agency_b.csv`. The bytes do not depend on the number of threads.
///
/// # Errors
/// A file cannot be written.
pub fn write(country: &Country, folder: &Path, mess: Option<Profile>, threads: usize) -> io::Result<Written> {
    let files: Vec<(&'static str, &[&str])> = tables::TABLES
        .iter()
        .map(|table| (table.file, table.header))
        .chain(
            mess.iter()
                .flat_map(|_| agencies::FILES.map(|(file, _)| (file, agencies::HEADER.as_slice()))),
        )
        .collect();
    let page = |community: Community| page(&community, country.units(), mess);
    write_pages(country, folder, &files, threads, page)
}

/// Writes only what linkage is measured with: `people.csv`, `agency_a.csv` and `agency_b.csv`.
///
/// # Errors
/// A file cannot be written.
pub fn write_agencies(country: &Country, folder: &Path, mess: Profile, threads: usize) -> io::Result<Written> {
    let people = &tables::TABLES[0];
    let mut files = vec![(people.file, people.header)];
    files.extend(agencies::FILES.map(|(file, _)| (file, agencies::HEADER.as_slice())));
    let page = |community: Community| {
        let mut pages = vec![filled(people, &community, country.units())?];
        agency_pages(&community, country.units(), mess, &mut pages)?;
        Ok(pages)
    };
    write_pages(country, folder, &files, threads, page)
}

fn page(community: &Community, units: &Units, mess: Option<Profile>) -> Pages {
    let mut pages = Vec::new();
    for table in &tables::TABLES {
        pages.push(filled(table, community, units)?);
    }
    if let Some(profile) = mess {
        agency_pages(community, units, profile, &mut pages)?;
    }
    Ok(pages)
}

fn filled(table: &Table, community: &Community, units: &Units) -> csv::Result<(Vec<u8>, u64)> {
    let mut rows = Rows::default();
    (table.fill)(community, units, &mut rows)?;
    rows.finish()
}

fn agency_pages(
    community: &Community,
    units: &Units,
    profile: Profile,
    pages: &mut Vec<(Vec<u8>, u64)>,
) -> csv::Result<()> {
    for (_, agency) in agencies::FILES {
        let mut rows = Rows::default();
        agencies::fill(community, units, agency, profile, &mut rows)?;
        pages.push(rows.finish()?);
    }
    Ok(())
}

fn write_pages(
    country: &Country,
    folder: &Path,
    files: &[(&'static str, &[&str])],
    threads: usize,
    page: impl Fn(Community) -> Pages + Sync,
) -> io::Result<Written> {
    fs::create_dir_all(folder)?;
    let mut open = Vec::new();
    for (file, header) in files {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(folder.join(file))?);
        writeln!(out, "{}", header.join(","))?;
        open.push((*file, out, 0));
    }
    country.walk(threads, page, |pages| {
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
    Ok(Written { files: written })
}

impl Agency {
    /// The file of its records.
    pub const fn file(self) -> &'static str {
        match self {
            Self::A => "agency_a.csv",
            Self::B => "agency_b.csv",
        }
    }
}
