//! Writes an invented country, or measures how fast one is told:
//! `cargo run -p country --release --example country -- --persons 10000 --seed 1 --out DIR --mess usual`.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Parser;
use country::{
    Country, Options, UnitSources, Units,
    mess::Profile,
    write::{Sheets, write},
};

#[derive(Parser)]
struct Args {
    /// Persons who live on the last day, about: 100 to 10000000.
    #[arg(long, default_value_t = 10_000)]
    persons: u32,
    /// The country is the same for the same seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder to write to; without it the country is told and thrown away, which is what the speed is measured by.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Also write what two agencies keep: easy, usual or bad.
    #[arg(long)]
    mess: Option<String>,
    /// Write people.csv and the agencies' files alone.
    #[arg(long, requires = "mess")]
    agencies_only: bool,
    /// Threads; all cores without it.
    #[arg(long)]
    threads: Option<usize>,
    /// Codes of the provinces before the merger that people come from, with commas: 35,36,37.
    #[arg(long, value_delimiter = ',')]
    provinces: Vec<u8>,
    /// Folder of the tables of administrative units.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/units"))]
    units: PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mess = args.mess.as_deref().map(str::parse::<Profile>).transpose()?;
    let threads = args
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let options = Options {
        seed: args.seed,
        persons: args.persons,
        provinces: args.provinces,
        ..Options::default()
    };
    let country = Country::new(options, units(&args.units)?)?;
    let mut out = io::stdout().lock();
    let start = Instant::now();
    if let Some(folder) = &args.out {
        let sheets = match mess {
            Some(profile) if args.agencies_only => Sheets::for_linkage(profile),
            _ => Sheets::all(mess),
        };
        for (file, rows) in write(&country, folder, &sheets, threads)? {
            writeln!(out, "{file}: {rows}")?;
        }
        writeln!(out, "{:.2} s", start.elapsed().as_secs_f64())?;
        return Ok(());
    }
    let (mut persons, mut living) = (0, 0);
    country.walk(
        threads,
        |community| (community.persons.len(), community.living().count()),
        |(told, alive)| {
            persons += told;
            living += alive;
            io::Result::Ok(())
        },
    )?;
    let seconds = start.elapsed().as_secs_f64();
    let rate = persons as f64 / seconds / threads as f64;
    writeln!(
        out,
        "{persons} persons, {living} living, {seconds:.2} s, {rate:.0} persons/s a thread"
    )?;
    Ok(())
}

fn units(folder: &Path) -> Result<Units, Box<dyn std::error::Error>> {
    let read = |file: &str| fs::read_to_string(folder.join(file));
    Ok(Units::read(UnitSources {
        provinces: &read("provinces.csv")?,
        districts: &read("districts-2024.csv")?,
        communes: &read("communes.csv")?,
        changes: &read("changes-2025.csv")?,
    })?)
}
