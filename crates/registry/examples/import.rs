//! How fast a file of population records is taken in with its rules checked, what it takes on disk and in memory, and how fast records
//! are read afterwards, on each engine present:
//! `cargo xtask with-postgres -- cargo run -p registry --release --example import -- 1000000`. The persons are invented. A second
//! number is how many records go into one transaction; `take` after it leaves out the run that only judges; `wide` gives each row 389
//! columns more that nobody asks for, some 5 KB of it, and has a day that is none in one of a thousand; `halves` breaks the run off in
//! the middle and goes on with it.

use std::{
    error::Error,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use base::{Clock as _, time::SystemClock};
use country::{Community, Country, UnitSources, Units, people::PersonId};
use identity::{Ctx, Entropy, IdentityState, Shell};
use procedure::reference::{Reference, Source};
use registry::{
    folder,
    import::{self, Options, Stage, Summary},
    model::{Operator, RegistryCode},
    service::{Asked, Mask, Purpose, Query, Registries, Sort, When},
    shelf::Shelf,
};
use store::Store;

const COLUMNS: [&str; 11] = [
    "person_number",
    "name",
    "birth_date",
    "sex",
    "ethnicity",
    "mother_person_number",
    "father_person_number",
    "residence.province",
    "residence.commune",
    "residence.detail",
    "former_id_cards",
];
/// Columns that a wide file has besides: 400 in all.
const MORE: u32 = 389;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Reads of each sort.
const READS: u32 = 2_000;
/// How often: in the first the disk still writes what was taken in.
const ROUNDS: u32 = 2;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Values that records really have, to ask by: number, name, day of birth, commune.
type Known = Vec<[String; 4]>;

/// What is asked for.
struct How {
    batch: usize,
    only_take: bool,
    halves: bool,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let rows: u32 = args.next().map_or(Ok(100_000), |n| n.parse())?;
    let batch = args.next().map_or(Ok(import::BATCH), |n| n.parse())?;
    let words: Vec<String> = args.collect();
    let said = |word: &str| words.iter().any(|said| said == word);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("people.csv");
    let known = invent(rows, &file, said("wide"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let how = How {
        batch,
        only_take: said("take"),
        halves: said("halves"),
    };
    runtime.block_on(measure(&file, folder.path(), &known, how))
}

/// Writes so many living citizens.
fn invent(rows: u32, file: &Path, wide: bool) -> Result<Known> {
    let source = Source::embedded();
    let table = |name: &str| source.text(&format!("units/{name}.csv"));
    let units = Units::read(UnitSources {
        provinces: &table("provinces")?,
        districts: &table("districts-2024")?,
        communes: &table("communes")?,
        changes: &table("changes-2025")?,
    })?;
    let options = country::Options {
        // Some who live there are foreigners.
        persons: rows + rows / 20 + 1_000,
        ..country::Options::default()
    };
    let country = Country::new(options, units)?;
    let mut out = csv::Writer::from_writer(BufWriter::with_capacity(1 << 20, File::create(file)?));
    let more = if wide { MORE } else { 0 };
    let headings = COLUMNS.map(str::to_owned).into_iter();
    out.write_record(headings.chain((0..more).map(|n| format!("legacy_{n}"))))?;
    let (mut known, mut written) = (Known::new(), 0);
    let every = (rows / READS).max(1);
    country.walk(
        threads(),
        |community| citizens(&community, country.units()),
        |citizens| {
            for mut citizen in citizens.into_iter().take((rows - written) as usize) {
                if wide && written % 1_000 == 999 {
                    citizen[2] = "30/02/1990".to_owned();
                }
                let legacy = (0..more).map(|n| format!("giá trị {:04}", (written + n) % 10_000));
                out.write_record(citizen.iter().cloned().chain(legacy))?;
                if written % every == 0 {
                    let [number, name, birth, .., commune, _, _] = citizen;
                    known.push([number, name, birth, commune]);
                }
                written += 1;
            }
            csv::Result::Ok(())
        },
    )?;
    out.flush()?;
    Ok(known)
}

fn citizens(community: &Community, units: &Units) -> Vec<[String; 11]> {
    let digits = |number: u64| format!("{number:012}");
    let number = |id: Option<PersonId>| {
        let person = id.and_then(|id| community.persons.get(id.at()));
        person
            .and_then(|person| person.number)
            .map_or_else(String::new, |number| digits(number.0))
    };
    let citizens = community.living().filter(|person| person.nationality == "VN");
    citizens
        .filter_map(|person| {
            let (address, day) = (&person.residences.last()?.address, community.until);
            Some([
                digits(person.number?.0),
                person.name.to_string(),
                person.birth.to_string(),
                if person.sex == base::codes::Sex::Male {
                    "male"
                } else {
                    "female"
                }
                .to_owned(),
                person.ethnicity.entry().0.to_string(),
                number(person.mother),
                number(person.father),
                address.province_code(units, day).to_string(),
                address.commune_code(units, day).to_string(),
                address.detail.to_string(),
                person
                    .old_card
                    .map_or_else(String::new, |(card, _)| format!("{card:09}")),
            ])
        })
        .collect()
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

async fn measure(file: &Path, folder: &Path, known: &Known, how: How) -> Result<()> {
    let mut mapping = "source = \"An invented country\"\nvalid_from = \"2026-07-01\"\n".to_owned();
    for column in COLUMNS {
        mapping += &format!("[[column]]\nfield = \"{column}\"\nnames = [\"{column}\"]\n");
    }
    mapping += "[constants]\nnationality = \"VN\"\nstatus = \"alive\"\n";
    let options = Options {
        file: file.to_owned(),
        mapping,
        report: folder.join("report.csv"),
        keep_good: true,
        dry_run: false,
        resume: false,
        batch: how.batch,
        threads: threads(),
    };
    let dry = Options {
        dry_run: true,
        ..options.clone()
    };
    let mut out = io::stdout();
    let code: RegistryCode = "population".parse()?;
    for config in store::testkit::configs().await {
        let engine = config.url.split(':').next().unwrap_or_default();
        let store = Store::open(&config).await?;
        let sets = [store::MIGRATIONS, identity::MIGRATIONS, registry::MIGRATIONS];
        store.migrate(&sets, SystemClock.now()).await?;
        let registries = office(&store).await?;
        let ctx = Ctx::system("measurement", SystemClock.now());
        for options in [&dry, &options].into_iter().skip(how.only_take.into()) {
            let begun = Instant::now();
            let summary = if how.halves && !options.dry_run {
                in_halves(&registries, &ctx, &code, options).await?
            } else {
                import::import(&registries, &ctx, &SystemClock, &code, options, &mut |_| {}).await?
            };
            let took = begun.elapsed().as_secs_f64();
            writeln!(
                out,
                "{engine}: {} {} of {} rows in {took:.1} s, {:.0} a second; {} refused, {} lines of report; {} MB on disk; {}",
                if options.dry_run { "judged" } else { "took in" },
                summary.taken,
                summary.rows,
                summary.rows as f64 / took,
                summary.refused,
                fs::read_to_string(&options.report)?.lines().count(),
                store.size().await? >> 20,
                peak()
            )?;
        }
        store.analyze().await?;
        for round in 1..=ROUNDS {
            for (what, times) in reads(&registries, &ctx, &code, known).await? {
                writeln!(out, "{engine}: round {round}, {what}: {}", percentiles(times))?;
            }
        }
        store.close().await;
    }
    Ok(())
}

/// A run that whoever asked for it leaves in the middle, and another that goes on.
async fn in_halves(
    registries: &Registries,
    ctx: &Ctx,
    code: &RegistryCode,
    options: &Options,
) -> base::Result<Summary> {
    let middle = tokio::sync::Notify::new();
    let mut told = |progress: import::Progress| {
        if progress.stage == Stage::Taking && progress.bytes * 2 >= progress.of {
            middle.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = middle.notified() => {}
        done = import::import(registries, ctx, &SystemClock, code, options, &mut told) => return done,
    }
    let rest = Options {
        resume: true,
        ..options.clone()
    };
    import::import(registries, ctx, &SystemClock, code, &rest, &mut |_| {}).await
}

async fn office(store: &Store) -> Result<Registries> {
    let shelf = Shelf::open(store.clone(), Arc::new(Reference::embedded()?)).await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries/population");
    let files = folder::read(&folder).map_err(|report| report.human(base::Lang::En))?;
    shelf.publish(&files, "measurement", SystemClock.now()).await?;
    let identity = IdentityState::new(
        store.clone(),
        identity::Config::default(),
        &[9; 32],
        Arc::new(SystemClock),
        Entropy::system(),
        Shell::default(),
    )?;
    Ok(Registries::new(store.clone(), shelf, identity))
}

/// How long reads take, each with its line in the log of reads.
async fn reads(
    registries: &Registries,
    ctx: &Ctx,
    code: &RegistryCode,
    known: &Known,
) -> Result<Vec<(&'static str, Vec<Duration>)>> {
    let purpose = Purpose::read("registry.linkage", "", "")?;
    let (mut by_key, mut by_name, mut by_birth, mut by_commune) = (vec![], vec![], vec![], vec![]);
    for [number, name, birth, commune] in known {
        let begun = Instant::now();
        let (when, mask) = (When::default(), &Mask::ALL);
        registries.read(ctx, &purpose, code, number, when, mask).await?;
        by_key.push(begun.elapsed());
        // Family name and some letters more.
        let beginning: String = name.chars().take(10).collect();
        for (field, operator, value, times) in [
            ("name", Operator::Prefix, &beginning, &mut by_name),
            ("birth_date", Operator::Range, birth, &mut by_birth),
            ("residence.commune", Operator::Eq, commune, &mut by_commune),
        ] {
            let query = Query {
                asked: vec![Asked {
                    field: field.parse()?,
                    operator,
                    value: Some(value.clone()),
                    upto: (operator == Operator::Range).then(|| value.clone()),
                }],
                sort: (operator != Operator::Eq)
                    .then(|| field.parse())
                    .transpose()?
                    .map(|field| Sort {
                        field,
                        descending: false,
                    }),
                limit: 20,
                ..Query::default()
            };
            let begun = Instant::now();
            registries.list(ctx, &purpose, code, &query).await?;
            times.push(begun.elapsed());
        }
    }
    Ok(vec![
        ("by key", by_key),
        ("20 by the beginning of a name", by_name),
        ("20 by day of birth", by_birth),
        ("20 by commune", by_commune),
    ])
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    format!("p50 {:?}, p99 {:?} of {}", at(50), at(99), times.len())
}

/// The most memory that this process has had.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    peak.unwrap_or("VmHWM: ?").replace('\t', " ")
}
