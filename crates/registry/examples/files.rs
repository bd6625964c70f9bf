//! How fast the rows of a file are compared with the records of a registry, in what memory, and how often rightly, on each engine present:
//! `cargo xtask with-postgres -- cargo run -p registry --release --example files -- 1000000 100000`, the records and the rows. The people
//! are invented; the rows are what another agency keeps of them, with its usual slips, and of some whom the registry does not have. They
//! have no personal numbers, but where `numbers` follows; with `addresses` their communes are told in words and not by code.
//!
//! Before that, what it costs to count how often values are met: the work behind the import of the records, once as the registry
//! declares it and once with a model that asks for no counts, in seconds of this process's processors (PostgreSQL has its own besides).

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
    sync::Arc,
    time::Instant,
};

use base::{Clock as _, Lang, codes::Sex, time::SystemClock};
use country::{
    Community, Country, UnitSources, Units,
    mess::{Agency, Profile, records},
    people::{Person, PersonId},
};
use identity::{Actor, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, Role, Roles, Shell};
use procedure::reference::{Reference, Source};
use registry::{
    folder,
    import::{self, Options},
    linking::files::{FileId, FileState, LineState, Upload},
    model::{FieldPath, RegistryCode},
    service::{self, Mask, Purpose, Registries, When},
    shelf::Shelf,
};
use serde_json::Value;
use store::{Store, jobs::Runner};
use uuid::Uuid;

const COLUMNS: [&str; 9] = [
    "person_number",
    "name",
    "birth_date",
    "sex",
    "mother_person_number",
    "father_person_number",
    "residence.province",
    "residence.commune",
    "former_id_cards",
];
/// Rows of a page that is looked at afterwards.
const PAGE: u32 = 1_000;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What was invented.
struct Invented {
    /// The file of the other agency.
    content: Vec<u8>,
    /// Of each of its rows whose it is; nothing for whom the registry does not have.
    truth: Vec<Option<String>>,
    rows: usize,
}

/// What the rows say besides name, birthday and sex.
#[derive(Clone, Copy)]
struct Said {
    numbers: bool,
    addresses: bool,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let records: usize = args.next().map_or(Ok(5_000), |n| n.parse())?;
    let rows: usize = args.next().map_or(Ok(1_000), |n| n.parse())?;
    let words: Vec<String> = args.collect();
    let said = |word: &str| words.iter().any(|said| said == word);
    let said = Said {
        numbers: said("numbers"),
        addresses: said("addresses"),
    };
    let folder = tempfile::tempdir()?;
    let people = folder.path().join("people.csv");
    let invented = invent(records, rows, said, &people)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&people, folder.path(), &invented, said))
}

/// Writes so many living citizens, and so many rows of what the other agency keeps of the whole country, which is a tenth larger.
fn invent(wanted: usize, rows: usize, said: Said, people: &Path) -> Result<Invented> {
    let source = Source::embedded();
    let table = |name: &str| source.text(&format!("units/{name}.csv"));
    let units = Units::read(UnitSources {
        provinces: &table("provinces")?,
        districts: &table("districts-2024")?,
        communes: &table("communes")?,
        changes: &table("changes-2025")?,
    })?;
    let persons = wanted + wanted / 10 + 1_000;
    let options = country::Options {
        persons: u32::try_from(persons)?,
        ..country::Options::default()
    };
    let country = Country::new(options, units)?;
    let mut out = csv::Writer::from_writer(BufWriter::with_capacity(1 << 20, File::create(people)?));
    out.write_record(COLUMNS)?;
    let (mut sheet, mut truth) = (csv::Writer::from_writer(Vec::new()), Vec::new());
    sheet.write_record(["Họ và tên", "Ngày sinh", "Giới tính", "Nơi thường trú", "Số định danh"])?;
    let (mut written, mut kept) = (0, 0);
    // The other agency knows nine of ten.
    let every = (persons * 9 / 10 / rows.max(1)).max(1);
    country.walk(
        std::thread::available_parallelism().map_or(1, usize::from),
        |community| told(&community, country.units(), said),
        |(citizens, copies)| {
            let mut held = BTreeSet::new();
            for citizen in citizens.into_iter().take(wanted - written) {
                out.write_record(&citizen)?;
                held.extend(citizen.first().cloned());
                written += 1;
            }
            for (row, number) in copies {
                kept += 1;
                if kept % every == 0 && truth.len() < rows {
                    sheet.write_record(row)?;
                    truth.push(number.filter(|number| held.contains(number)));
                }
            }
            csv::Result::Ok(())
        },
    )?;
    out.flush()?;
    Ok(Invented {
        content: sheet.into_inner()?,
        rows: truth.len(),
        truth,
    })
}

type Copies = Vec<([String; 5], Option<String>)>;

/// Citizens as the registry holds them, and rows of the other agency, each with the number of whose it is.
fn told(community: &Community, units: &Units, said: Said) -> (Vec<[String; 9]>, Copies) {
    let person = |id: PersonId| community.persons.get(id.at());
    let number = |person: &Person| person.number.map(|number| format!("{:012}", number.0));
    let of = |id: Option<PersonId>| id.and_then(person).and_then(number).unwrap_or_default();
    let citizens = community.living().filter(|person| person.nationality == "VN");
    let citizens = citizens.filter_map(|person| {
        let (address, day) = (&person.residences.last()?.address, community.until);
        Some([
            number(person)?,
            person.name.to_string(),
            person.birth.to_string(),
            if person.sex == Sex::Male { "male" } else { "female" }.to_owned(),
            of(person.mother),
            of(person.father),
            address.province_code(units, day).to_string(),
            address.commune_code(units, day).to_string(),
            person
                .old_card
                .map_or_else(String::new, |(card, _)| format!("{card:09}")),
        ])
    });
    let copies = records(community, units, Agency::B, Profile::Usual)
        .into_iter()
        .map(|copy| {
            let place = if said.addresses { copy.address } else { copy.commune };
            let sex = if copy.sex == "1" { "Nam" } else { "Nữ" };
            let shown = if said.numbers { copy.number } else { String::new() };
            let row = [copy.name, copy.birth, sex.to_owned(), place, shown];
            (row, person(copy.cluster).and_then(number))
        });
    (citizens.collect(), copies.collect())
}

async fn measure(people: &Path, folder: &Path, invented: &Invented, said: Said) -> Result<()> {
    let mut out = io::stdout();
    for counted in [false, true] {
        for config in store::testkit::configs().await {
            let engine = config.url.split(':').next().unwrap_or_default();
            let store = Store::open(&config).await?;
            let sets = [store::MIGRATIONS, identity::MIGRATIONS, registry::MIGRATIONS];
            store.migrate(&sets, SystemClock.now()).await?;
            let registries = office(&store, counted).await?;
            let (begun, before) = (Instant::now(), processor());
            let taken = take_in(&registries, people, folder).await?;
            let imported = (begun.elapsed().as_secs_f64(), processor() - before);
            let (begun, before) = (Instant::now(), processor());
            work(&store, &registries, || async { Ok(false) }).await?;
            let behind = (begun.elapsed().as_secs_f64(), processor() - before);
            writeln!(
                out,
                "{engine}, {}: {taken} records in {:.1} s ({:.1} s of processor), the work behind it in {:.1} s ({:.1} s)",
                if counted { "counted" } else { "not counted" },
                imported.0,
                imported.1,
                behind.0,
                behind.1
            )?;
            if counted {
                store.analyze().await?;
                writeln!(out, "{engine}: {}", compare(&store, &registries, invented, said).await?)?;
            }
            store.close().await;
        }
    }
    Ok(())
}

async fn take_in(registries: &Registries, people: &Path, folder: &Path) -> Result<u64> {
    let mut mapping = "source = \"An invented country\"\nvalid_from = \"2026-07-01\"\n".to_owned();
    for column in COLUMNS {
        mapping += &format!("[[column]]\nfield = \"{column}\"\nnames = [\"{column}\"]\n");
    }
    mapping += "[constants]\nnationality = \"VN\"\nstatus = \"alive\"\n";
    let options = Options {
        file: people.to_owned(),
        mapping,
        report: folder.join("report.csv"),
        keep_good: true,
        dry_run: false,
        resume: false,
        batch: import::BATCH,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let ctx = Ctx::system("measurement", SystemClock.now());
    let summary = import::import(registries, &ctx, &SystemClock, &population()?, &options, &mut |_| {}).await?;
    Ok(summary.taken)
}

/// Does what is due until nothing is, or `done` says so.
async fn work<F: Future<Output = Result<bool>>>(
    store: &Store,
    registries: &Registries,
    done: impl Fn() -> F,
) -> Result<()> {
    let runner = service::handlers(Runner::new(store.clone(), Arc::new(SystemClock)), registries);
    while runner.run_due().await? > 0 {
        if done().await? {
            break;
        }
    }
    Ok(())
}

/// Compares the file, and tells how fast and how well that was done.
async fn compare(store: &Store, registries: &Registries, invented: &Invented, said: Said) -> Result<String> {
    let (ctx, code) = (steward(), population()?);
    let upload = Upload {
        name: "agency_b.csv".to_owned(),
        content: invented.content.clone().into(),
        basis: "Measurement".to_owned(),
        note: String::new(),
    };
    let (begun, before) = (Instant::now(), processor());
    let id = registries.put_file(&ctx, &code, upload).await?;
    let field = |name: &str| name.parse::<FieldPath>().map(Some);
    let place = if said.addresses {
        "residence"
    } else {
        "residence.commune"
    };
    let number = if said.numbers { field("person_number")? } else { None };
    let fields = [
        field("name")?,
        field("birth_date")?,
        field("sex")?,
        field(place)?,
        number,
    ];
    registries.begin_file(&ctx, &code, id, &fields).await?;
    let is_done = || async { Ok(registries.file(&ctx, &code, id).await?.0.state == FileState::Done) };
    work(store, registries, is_done).await?;
    let (took, busy) = (begun.elapsed().as_secs_f64(), processor() - before);
    let told = judge(registries, &ctx, &code, id, invented).await?;
    let rows = invented.rows as f64;
    Ok(format!(
        "{rows} rows in {took:.1} s, {:.0} a second ({busy:.1} s of processor); {}\n{told}",
        rows / took,
        peak()
    ))
}

/// How often the proposals are right.
async fn judge(
    registries: &Registries,
    ctx: &Ctx,
    code: &RegistryCode,
    id: FileId,
    invented: &Invented,
) -> Result<String> {
    let purpose = Purpose::read("registry.linkage", "", "")?;
    let mask = Mask::of(vec!["person_number".parse()?]);
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for state in [
        LineState::Clear,
        LineState::Possible,
        LineState::Lone,
        LineState::Unread,
    ] {
        let mut after = 0;
        loop {
            let page = registries.lines(ctx, code, id, Some(state), after, PAGE).await?;
            for line in &page.items {
                let (_, candidates, _) = registries.line(ctx, code, id, line.n).await?;
                let mut keys = Vec::with_capacity(candidates.len());
                for candidate in &candidates {
                    let record = candidate.record.to_string();
                    keys.push(
                        registries
                            .read(ctx, &purpose, code, &record, When::default(), &mask)
                            .await?
                            .key,
                    );
                }
                let at = usize::try_from(line.n - 1)?;
                let truth = invented.truth.get(at).ok_or("a row that was not written")?;
                let mut count = |what| *counts.entry(what).or_default() += 1;
                count(state.code());
                if truth.is_some() {
                    count("there");
                }
                let place = truth
                    .as_ref()
                    .and_then(|truth| keys.iter().position(|key| key == truth));
                match (state, place) {
                    (LineState::Clear, Some(0)) => count("clear and right"),
                    (LineState::Clear, _) => count("clear and wrong"),
                    _ => {}
                }
                if place.is_some() {
                    count("among the proposed");
                }
                if !keys.is_empty() && truth.is_none() {
                    count("proposed, and not there");
                }
            }
            match page.next {
                Some(next) => after = next.parse()?,
                None => break,
            }
        }
    }
    let of = |what: &str| f64::from(counts.get(what).copied().unwrap_or(0));
    let share = |part: f64, whole: f64| 100.0 * part / whole.max(1.0);
    Ok(format!(
        "{counts:?}\nclear: precision {:.2} %, recall {:.1} %; proposed at all: recall {:.1} %",
        share(of("clear and right"), of("clear")),
        share(of("clear and right"), of("there")),
        share(of("among the proposed"), of("there"))
    ))
}

/// The registry as it is declared, or with a model that asks for no counts.
async fn office(store: &Store, counted: bool) -> Result<Registries> {
    let shelf = Shelf::open(store.clone(), Arc::new(Reference::embedded()?)).await?;
    let folder = tempfile::tempdir()?;
    let registries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
    for name in ["population", "dictionary"] {
        copy(&registries.join(name), &folder.path().join(name))?;
    }
    let population = folder.path().join("population");
    if !counted {
        let model = population.join("linkage.json");
        fs::write(&model, without_counts(&fs::read_to_string(&model)?)?)?;
    }
    let files = folder::read(&population).map_err(|report| report.human(Lang::En))?;
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

/// Copies a folder and what is in it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

/// A model as it is, but that no value counts more for being rare.
fn without_counts(model: &str) -> Result<String> {
    let mut json: Value = serde_json::from_str(model)?;
    let comparisons = json.get_mut("comparisons").and_then(Value::as_array_mut);
    for comparison in comparisons.into_iter().flatten() {
        let levels = comparison.get_mut("comparison_levels").and_then(Value::as_array_mut);
        for level in levels.into_iter().flatten().filter_map(Value::as_object_mut) {
            level.retain(|name, _| !name.starts_with("tf_"));
        }
    }
    Ok(json.to_string())
}

fn population() -> Result<RegistryCode> {
    Ok("population".parse()?)
}

fn steward() -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(1)),
            name: "Measurement".to_owned(),
            title: String::new(),
            agency: "G01".to_owned(),
            roles: Roles::of(&[Role::Steward]),
        }),
        now: SystemClock.now(),
        request_id: Uuid::nil(),
        lang: Lang::En,
    }
}

/// Seconds that the processors have worked for this process. The kernel counts hundredths.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// The most memory that this process has had.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    peak.unwrap_or("VmHWM: ?").replace('\t', " ")
}
