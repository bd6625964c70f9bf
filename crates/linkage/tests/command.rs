//! `motcua link` over files: pairs, decisions, clusters, explanations, figures, and refusals.

use linkage::command::{Options, run};
use std::path::{Path, PathBuf};

const MODEL: &str = r#"{"link_type": "dedupe_only", "probability_two_random_records_match": 0.01, "unique_id_column_name": "id",
  "blocking_rules_to_generate_predictions": ["l.name = r.name", "l.number = r.number"],
  "comparisons": [
    {"output_column_name": "full_name", "comparison_levels": [
      {"sql_condition": "name_l IS NULL OR name_r IS NULL", "is_null_level": true},
      {"sql_condition": "name_l = name_r", "m_probability": 0.9, "u_probability": 0.001},
      {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.999}]},
    {"output_column_name": "date_of_birth", "comparison_levels": [
      {"sql_condition": "born_l IS NULL OR born_r IS NULL", "is_null_level": true},
      {"sql_condition": "born_l = born_r", "m_probability": 0.9, "u_probability": 0.0001},
      {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.9999}]},
    {"output_column_name": "personal_number", "comparison_levels": [
      {"sql_condition": "number_l IS NULL OR number_r IS NULL", "is_null_level": true},
      {"sql_condition": "number_l = number_r", "m_probability": 0.95, "u_probability": 0.000001},
      {"sql_condition": "ELSE", "m_probability": 0.05, "u_probability": 0.999999}]},
    {"output_column_name": "address", "comparison_levels": [
      {"sql_condition": "place_l IS NULL OR place_r IS NULL", "is_null_level": true},
      {"sql_condition": "place_l = place_r", "m_probability": 0.8, "u_probability": 0.01},
      {"sql_condition": "ELSE", "m_probability": 0.2, "u_probability": 0.99}]}]}"#;

const POLICY: &str = r#"{"basic": ["full_name", "date_of_birth"],
  "evidence": {"number": ["personal_number"], "place": ["address"]}, "need": 2, "automatic": 0.99, "review": 0.5,
  "facts": [{"column": "number", "kind": "person-number"}]}"#;

// 1 and 2 agree in everything; 3 shares only name and birthday with them; 4 shares all but the number with 3 and 5, whose
// numbers are both valid and not the same.
const PEOPLE: &str = "id,name,born,number,place,truth\n\
  1,Nguyễn An,1990-02-03,001090000017,Ba Đình,a\n\
  2,Nguyễn An,1990-02-03,001090000017,Ba Đình,a\n\
  3,Nguyễn An,1990-02-03,001090000025,Hội An,b\n\
  4,Nguyễn An,1990-02-03,,Hội An,b\n\
  5,Nguyễn An,1990-02-03,001090000033,Hội An,c\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn options(&self, people: impl AsRef<[u8]>) -> Options {
        Options {
            left: self.file("people.csv", people),
            right: None,
            model: self.file("model.json", MODEL),
            id: None,
            train: false,
            train_rules: vec![],
            certain_rules: vec![],
            recall: None,
            random_pairs: 1000,
            seed: 1,
            save_model: None,
            threshold: 0.5,
            policy: None,
            out: Some(self.path("pairs.csv")),
            clusters: Some(self.path("clusters.csv")),
            cluster_from: None,
            one_to_one: false,
            explain: false,
            truth: None,
            threads: 2,
            group_limit: 1000,
            en: true,
        }
    }
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    reader
        .records()
        .map(|r| r.expect("a row").iter().map(str::to_owned).collect())
        .collect()
}

fn problem(options: &Options) -> (String, String) {
    let error = run(options, |_, _| {}).expect_err("refused");
    error
        .problems()
        .and_then(|p| p.iter().next())
        .map(|p| (p.code.clone(), p.at.clone()))
        .unwrap_or_default()
}

#[test]
fn name_and_birthday_alone_go_to_an_officer_and_two_numbers_never_meet() {
    let folder = Folder::new();
    let options = Options {
        policy: Some(folder.file("policy.json", POLICY)),
        explain: true,
        truth: Some("truth".to_owned()),
        ..folder.options(PEOPLE)
    };
    let report = run(&options, |_, _| {}).expect("linked");
    let decided: Vec<(String, String, String)> = rows(&folder.path("pairs.csv"))
        .into_iter()
        .map(|r| (r[1].clone(), r[3].clone(), r[7].clone()))
        .collect();
    let told = |a: &str, b: &str| {
        decided
            .iter()
            .find(|(x, y, _)| x == a && y == b)
            .map(|(.., decision)| decision.as_str())
    };
    assert_eq!(told("1", "2"), Some("automatic"));
    assert_eq!(
        told("3", "4"),
        Some("review"),
        "place is one kind of evidence, and two are needed"
    );
    assert_eq!(told("1", "4"), Some("review"), "nothing but name and birthday");
    assert_eq!(told("3", "5"), Some("conflict"));
    assert_eq!(report.decided[0], 1);
    let clusters = rows(&folder.path("clusters.csv"));
    let of = |id: &str| {
        clusters
            .iter()
            .find(|r| r[2] == id)
            .map(|r| (r[0].clone(), r[3].clone()))
            .expect("a record")
    };
    assert_eq!(of("1").0, of("2").0);
    assert_ne!(of("3").0, of("5").0);
    assert_eq!(of("3").1, "two-numbers");
    let accuracy = report.accuracy.expect("the truth is known")[3];
    assert_eq!((accuracy.found, accuracy.wrong, accuracy.true_pairs), (1, 0, 2));
    let lines = report.lines(base::Lang::Vi).join("\n");
    assert!(lines.contains("Tự động: 1"), "{lines}");
    let why = &rows(&folder.path("pairs.csv"))[0];
    assert!(
        why[8].starts_with("Rất có thể là cùng một người (xác suất > 99,9 %): số định danh cá nhân trùng khớp"),
        "{}",
        why[8]
    );
}

#[test]
fn without_a_policy_nothing_is_decided() {
    let folder = Folder::new();
    let report = run(&folder.options(PEOPLE), |_, _| {}).expect("linked");
    assert_eq!((report.decided[0], report.decided[2]), (0, 0));
    assert!(rows(&folder.path("pairs.csv")).iter().all(|r| r[7] == "review"));
}

#[test]
fn a_trained_model_is_saved_and_read_again() {
    let folder = Folder::new();
    let trained = folder.path("trained.json");
    let options = Options {
        train: true,
        certain_rules: vec!["l.number = r.number".to_owned()],
        recall: Some(0.5),
        save_model: Some(trained.clone()),
        ..folder.options(PEOPLE)
    };
    let report = run(&options, |_, _| {}).expect("trained");
    assert!(
        report
            .trained
            .is_some_and(|t| t.random_pairs == 10 && (t.prior - 0.2).abs() < 1e-12)
    );
    let model = linkage::Model::from_json(&std::fs::read_to_string(trained).expect("saved")).expect("our own model");
    assert!((model.prior - 0.2).abs() < 1e-12);
}

#[test]
fn what_is_wrong_is_refused_at_its_place() {
    let folder = Folder::new();
    assert_eq!(problem(&folder.options("")), ("no-columns".into(), "people".into()));
    assert_eq!(
        problem(&folder.options("id,name\n1,a\n1,b\n")),
        ("id-twice".into(), "people:3".into())
    );
    let (code, at) = problem(&folder.options("id,name,number,place\n1,a,2,x\n"));
    assert_eq!(
        (code.as_str(), at.as_str()),
        ("unknown-column", "/comparisons/1/comparison_levels/0/sql_condition")
    );
    let missing = Options {
        left: folder.path("no.csv"),
        ..folder.options(PEOPLE)
    };
    assert_eq!(problem(&missing).0, "cannot-read");
    let threshold = Options {
        threshold: 1.5,
        ..folder.options(PEOPLE)
    };
    assert_eq!(problem(&threshold).0, "threshold");
    let unwritable = Options {
        out: Some(folder.path("no/where.csv")),
        ..folder.options(PEOPLE)
    };
    assert_eq!(problem(&unwritable).0, "cannot-write");
    for (changed, to, code) in [
        (
            r#""number": ["personal_number"]"#,
            r#""number": ["full_name"]"#,
            "basic-is-no-evidence",
        ),
        (r#""need": 2"#, r#""need": 0"#, "need-out-of-reach"),
        (r#"["address"]"#, r#"["mother"]"#, "unknown-comparison"),
        (r#""automatic": 0.99"#, r#""automatic": 0.4"#, "thresholds"),
        (r#""column": "number""#, r#""column": "card""#, "unknown-column"),
        ("need", "needs", "not-a-policy"),
    ] {
        let policy = folder.file("policy.json", POLICY.replace(changed, to));
        let options = Options {
            policy: Some(policy),
            ..folder.options(PEOPLE)
        };
        assert_eq!(problem(&options).0, code);
    }
}

#[test]
fn two_files_are_linked_one_to_one() {
    let folder = Folder::new();
    let model = MODEL.replace("dedupe_only", "link_only");
    let options = Options {
        model: folder.file("link.json", model),
        left: folder.file(
            "a.csv",
            "id,name,born,number,place\n1,An,1990-01-01,001090000017,x\n2,An,1990-01-01,,y\n",
        ),
        right: Some(folder.file("b.csv", "id;born;name;number;place\n1;1990-01-01;An;001090000017;x\n")),
        one_to_one: true,
        ..folder.options(PEOPLE)
    };
    let report = run(&options, |_, _| {}).expect("linked");
    assert_eq!((report.clusters, report.refused), (1, 1));
    let clusters = rows(&folder.path("clusters.csv"));
    assert_eq!(clusters[0][0], clusters[2][0]);
    assert_eq!(clusters[1][3], "source-twice");
}

/// The rows of a CSV as Parquet, in row groups of two; the column `born` as a date where it is one.
fn parquet(people: &str) -> Vec<u8> {
    use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
    let rows: Vec<Vec<&str>> = people.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let schema = "message people { required binary id (UTF8); optional binary name (UTF8); optional int32 born (DATE); \
                  optional binary number (UTF8); optional binary place (UTF8); }";
    let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let writer = parquet::file::writer::SerializedFileWriter::new(Vec::new(), schema.into(), Default::default());
    let mut writer = writer.expect("a writer");
    for group in rows.chunks(2) {
        let mut columns = writer.next_row_group().expect("a group");
        for n in 0..5 {
            let mut column = columns.next_column().expect("no error").expect("a column");
            let cells: Vec<&str> = group.iter().map(|row| row[n]).collect();
            let there: Vec<i16> = cells.iter().map(|cell| i16::from(!cell.is_empty())).collect();
            let there = (n > 0).then_some(&there[..]);
            let given = cells.iter().filter(|cell| !cell.is_empty());
            if n == 2 {
                let epoch = jiff::civil::date(1970, 1, 1);
                let days = given.map(|cell| {
                    let date: jiff::civil::Date = cell.parse().expect("a date");
                    date.since(epoch).expect("a span").get_days()
                });
                let days: Vec<i32> = days.collect();
                column
                    .typed::<Int32Type>()
                    .write_batch(&days, there, None)
                    .expect("written");
            } else {
                let texts: Vec<ByteArray> = given.map(|cell| ByteArray::from(*cell)).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&texts, there, None)
                    .expect("written");
            }
            column.close().expect("closed");
        }
        columns.close().expect("closed");
    }
    writer.into_inner().expect("written")
}

#[test]
fn parquet_gives_what_the_same_rows_give_as_csv() {
    let folder = Folder::new();
    let of_csv = folder.options(PEOPLE);
    run(&of_csv, |_, _| {}).expect("linked");
    let expected = rows(&folder.path("pairs.csv"));
    assert!(!expected.is_empty());
    let of_parquet = Options {
        left: folder.file("people.parquet", parquet(PEOPLE)),
        truth: None,
        ..of_csv
    };
    run(&of_parquet, |_, _| {}).expect("linked");
    assert_eq!(rows(&folder.path("pairs.csv")), expected);
}

#[test]
fn what_is_no_parquet_is_refused() {
    let folder = Folder::new();
    let whole = parquet(PEOPLE);
    let cut = whole.get(..whole.len() / 2).expect("half").to_vec();
    for bytes in [b"PAR1".to_vec(), b"id,name\n1,An\n".to_vec(), cut] {
        let options = Options {
            left: folder.file("a.parquet", bytes),
            ..folder.options(PEOPLE)
        };
        assert_eq!(problem(&options).0, "not-parquet");
    }
}
