//! `motcua country`: an invented country as files, for tests, training and measurements.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use base::Lang;
use clap::Args;
use country::{
    Country, Options, UnitSources, Units,
    mess::Profile,
    write::{Sheets, write},
};
use procedure::reference::Source;

use crate::{
    bar::cores,
    cli::{say, tell},
};

/// Which country, and where to.
#[derive(Debug, Args)]
pub struct Invent {
    /// Persons who live on the last day, about: 100 to 10000000.
    #[arg(long)]
    persons: u32,
    /// The country is the same for the same seed.
    #[arg(long)]
    seed: u64,
    /// The folder, which is made; files of the same names are overwritten.
    #[arg(long)]
    out: PathBuf,
    /// Also write what two agencies keep of it, with their mistakes: easy, usual or bad.
    #[arg(long, value_name = "easy|usual|bad")]
    mess: Option<Profile>,
    /// Codes of the provinces before the merger that people come from, with commas: 35,36,37. All without it.
    #[arg(long, value_delimiter = ',')]
    provinces: Vec<u8>,
    /// Threads; all cores without it.
    #[arg(long)]
    threads: Option<usize>,
    /// In English.
    #[arg(long)]
    en: bool,
}

impl Invent {
    /// Writes the country, and prints the files with their rows, or every problem.
    ///
    /// # Errors
    /// A failure of ours, or a folder that cannot be written to.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let lang = if self.en { Lang::En } else { Lang::Vi };
        self.write().or_else(|error| tell(error, lang))
    }

    fn write(self) -> anyhow::Result<ExitCode> {
        let source = Source::embedded();
        let table = |name: &str| source.text(&format!("units/{name}.csv"));
        let units = Units::read(UnitSources {
            provinces: &table("provinces")?,
            districts: &table("districts-2024")?,
            communes: &table("communes")?,
            changes: &table("changes-2025")?,
        })?;
        let options = Options {
            seed: self.seed,
            persons: self.persons,
            provinces: self.provinces,
            ..Options::default()
        };
        let country = Country::new(options, units)?;
        let threads = self.threads.unwrap_or_else(cores);
        let written = write(&country, &self.out, &Sheets::all(self.mess), threads)
            .with_context(|| format!("writing to {}", self.out.display()))?;
        for (file, rows) in written {
            say(&format!("{file}: {rows}\n"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
