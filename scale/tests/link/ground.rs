//! Two agencies of the invented country, what the linker makes of them in memory, and how pairs are compared.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use base::text::fold;
use country::{
    Country, Options, UnitSources, Units,
    mess::Profile,
    write::{Sheets, write},
};
use datafusion::{
    arrow::{
        array::AsArray,
        datatypes::{Float64Type, Int64Type},
    },
    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
};
use linkage::{Effort, LinkType, Linker, Looked, Model, Records, files, probability_of, train::Training, weight_of};
use motcua_scale::{
    Engine, Place,
    buckets::{self, Sizes, Written},
    link::{Job, Linked, link},
};

/// Pairs by source and id of both records: the rule, from 1, and the weight.
pub type Pairs = BTreeMap<[String; 4], (i64, f64)>;

/// The least probability that is kept: low, so that there is much to compare.
pub const THRESHOLD: f64 = 0.001;

/// Two files of some thousand records, and a model that was trained on them.
pub struct Ground {
    folder: tempfile::TempDir,
    pub files: Vec<PathBuf>,
    pub model: Model,
}

pub static GROUND: LazyLock<Ground> = LazyLock::new(Ground::new);

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = agencies(folder.path()).to_vec();
        let model = Model::from_json(include_str!("../../../bench/linkage/people.json")).expect("a model");
        let mut linker = linker(&files, model);
        linker.train(&Training::default(), |_| {}).expect("trained");
        let model = Model::from_json(&linker.model().to_json()).expect("the trained model");
        Self { folder, files, model }
    }

    /// The same model that also looks within a file.
    pub fn within_files(&self) -> Model {
        let mut model = self.model.clone();
        model.link_type = LinkType::LinkAndDedupe;
        model
    }

    /// Divides the records into a new folder.
    pub fn divide(&self, model: &Model, name: &str, sizes: Sizes) -> (PathBuf, Written) {
        let out = self.path(name);
        let written = buckets::write(&self.files, &model.to_json(), &out, sizes, |_| {}).expect("divided");
        (out, written)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn job(&self, model: &Model, records: &Path, out: &str) -> Job {
        Job {
            records: records.to_owned(),
            model: model.clone(),
            threshold: THRESHOLD,
            out: self.path(out),
            at_once: 3,
            tries: 3,
        }
    }
}

/// A linker over files, one after the other.
pub fn linker(files: &[PathBuf], model: Model) -> Linker {
    let mut records = Records::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy();
        files::read(file, &name, &model.id_column, &mut records, &mut |_| {}).expect("records");
    }
    Linker::new(model, records).expect("a linker")
}

/// What one machine finds.
pub fn in_memory(linker: &Linker, effort: Effort) -> (Pairs, Looked) {
    let mut pairs = Pairs::new();
    let looked = linker.predict(effort, weight_of(THRESHOLD), |scored, _| {
        for pair in scored {
            let name = |row: u32| [linker.source(row).to_owned(), linker.id(row).to_owned()];
            let ([a, b], [c, d]) = (name(pair.left), name(pair.right));
            pairs.insert([a, b, c, d], (i64::from(pair.rule) + 1, pair.weight));
        }
        Ok(())
    });
    (pairs, looked.expect("scored"))
}

/// Runs a job to its end.
pub async fn run(place: &Place, job: &Job) -> Linked {
    let engine = Engine::start(place).await.expect("an engine");
    let linked = link(&engine, job, |_| {}, |bucket, error| eprintln!("{bucket:?}: {error}"));
    linked.await.expect("linked")
}

/// What a job wrote.
pub fn written(out: &Path) -> Pairs {
    let mut pairs = Pairs::new();
    let rules = fs::read_dir(out)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    for rule in rules.filter(|path| path.is_dir()) {
        for file in fs::read_dir(rule).expect("a folder") {
            let path = file.expect("an entry").path();
            assert_eq!(
                path.extension().expect("an ending"),
                "parquet",
                "nothing half-done is left"
            );
            read(&path, &mut pairs);
        }
    }
    pairs
}

fn read(path: &Path, pairs: &mut Pairs) {
    let file = fs::File::open(path).expect("a file");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    for batch in builder.build().expect("Parquet") {
        let batch = batch.expect("records");
        let text = |name: &str, row| {
            let column = batch.column_by_name(name).expect(name);
            column.as_string::<i32>().value(row).to_owned()
        };
        let number = |name: &str, row| {
            let column = batch.column_by_name(name).expect(name);
            column.as_primitive::<Float64Type>().value(row)
        };
        let rules = batch.column_by_name("rule").expect("rule").as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let names = ["source_l", "id_l", "source_r", "id_r"].map(|name| text(name, row));
            let weight = number("weight", row);
            assert!((number("probability", row) - probability_of(weight)).abs() < 1e-12);
            let before = pairs.insert(names.clone(), (rules.value(row), weight));
            assert!(before.is_none(), "{names:?} was found twice");
        }
    }
}

/// The same pairs, each under the same rule and with the same weight.
pub fn assert_same(found: &Pairs, memory: &Pairs) {
    assert!(memory.len() > 500, "{} pairs are too few to tell", memory.len());
    for (pair, (rule, weight)) in memory {
        let (rule_there, weight_there) = found.get(pair).unwrap_or_else(|| panic!("{pair:?} is missing"));
        assert_eq!(rule_there, rule, "{pair:?}");
        assert!(
            (weight_there - weight).abs() < 1e-9,
            "{pair:?}: {weight_there}, not {weight}"
        );
    }
    assert_eq!(found.len(), memory.len(), "and no other");
}

const HEADER: [&str; 13] = [
    "rec_id",
    "full_name",
    "given",
    "birth_date",
    "birth_year",
    "sex",
    "number",
    "card",
    "phone",
    "address",
    "commune",
    "father_name",
    "mother_name",
];

/// Two agencies' records of invented people with their mistakes, in the columns that the model speaks of.
fn agencies(folder: &Path) -> [PathBuf; 2] {
    let read = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/units").join(file);
        fs::read_to_string(path).expect(file)
    };
    let units = Units::read(UnitSources {
        provinces: &read("provinces.csv"),
        districts: &read("districts-2024.csv"),
        communes: &read("communes.csv"),
        changes: &read("changes-2025.csv"),
    });
    let options = Options {
        seed: 7,
        persons: 2_500,
        ..Options::default()
    };
    let country = Country::new(options, units.expect("units")).expect("a country");
    let raw = folder.join("raw");
    write(&country, &raw, &Sheets::for_linkage(Profile::Usual), 2).expect("written");
    ["agency_a", "agency_b"].map(|agency| {
        let name = format!("{agency}.csv");
        let mut reader = csv::Reader::from_path(raw.join(&name)).expect("a file");
        let out = folder.join(name);
        let mut writer = csv::Writer::from_path(&out).expect("a file");
        writer.write_record(HEADER).expect("written");
        for row in reader.records() {
            let row = row.expect("a row");
            let cell = |n: usize| row.get(n).expect("a cell");
            let (name, born) = (fold(cell(1)), iso(cell(2)));
            let given = name.split(' ').next_back().unwrap_or_default().to_owned();
            let year = born.get(..4).unwrap_or_default().to_owned();
            let number = digits(cell(4));
            let of_length = |length| {
                if number.len() == length {
                    number.clone()
                } else {
                    String::new()
                }
            };
            let phone = digits(cell(5));
            let phone = phone
                .strip_prefix("84")
                .unwrap_or(&phone)
                .trim_start_matches('0')
                .to_owned();
            writer
                .write_record([
                    cell(0),
                    &name,
                    &given,
                    &born,
                    &year,
                    &fold(cell(3)),
                    &of_length(12),
                    &of_length(9),
                    &phone,
                    &fold(cell(6)),
                    cell(7),
                    &fold(cell(8)),
                    &fold(cell(9)),
                ])
                .expect("written");
        }
        writer.flush().expect("written");
        out
    })
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A day in the order of years, however the agency writes it; what is no day is nothing.
fn iso(text: &str) -> String {
    let parts: Vec<&str> = text.trim().split(['/', '.', '-']).collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        [day, month, year] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => String::new(),
    }
}
