//! The same model over the same records, on one machine and in buckets: the same pairs, rules, weights and clusters.

use std::{collections::BTreeMap, fs};

use crate::ground::{GROUND, assert_same, in_memory, linker, run, written};
use base::Error;
use linkage::{
    Effort, Model,
    cluster::{Constraints, Edge, cluster},
    weight_of,
};
use motcua_scale::{
    Engine, Place,
    buckets::{self, Sizes},
    link::link,
    write_clusters,
};

fn sizes(buckets: u16) -> Sizes {
    Sizes {
        buckets,
        ..Sizes::default()
    }
}

/// Code and place of each problem.
fn told(error: &Error) -> Vec<(String, String)> {
    let problems = error.problems().into_iter().flatten();
    problems.map(|p| (p.code.clone(), p.at.clone())).collect()
}

fn code(error: &Error) -> String {
    told(error).pop().map(|(code, _)| code).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_and_weights_are_those_of_one_machine() {
    let ground = &*GROUND;
    let linker = linker(&ground.files, ground.model.clone());
    let (memory, looked) = in_memory(&linker, Effort::default());
    assert!(looked.oversized.is_empty());
    let (records, divided) = ground.divide(&ground.model, "records", sizes(5));
    assert_eq!(divided.records, linker.len() as u64);
    assert!(
        divided
            .rules
            .iter()
            .all(|rule| rule.records < divided.records && rule.largest <= rule.records)
    );
    assert!(divided.rules.iter().any(|rule| rule.largest < rule.records / 2));
    let pairs: u64 = divided.rules.iter().map(|rule| rule.pairs).sum();
    assert!(
        pairs > looked.pairs && divided.rules[0].pairs < looked.pairs,
        "{pairs}, {looked:?}"
    );
    for (place, out) in [(Place::Here, "here"), (Place::Standalone, "standalone")] {
        let job = ground.job(&ground.model, &records, out);
        let linked = run(&place, &job).await;
        assert_eq!((linked.buckets, linked.done_before), (5 * divided.rules.len(), 0));
        let pairs = written(&job.out);
        assert_eq!(linked.pairs, pairs.len() as u64);
        assert_same(&pairs, &memory);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_too_common_are_divided_as_on_one_machine() {
    let ground = &*GROUND;
    let model = ground.within_files();
    let linker = linker(&ground.files, model.clone());
    let limit = 2;
    let effort = Effort {
        group_limit: limit,
        ..Effort::default()
    };
    let (memory, looked) = in_memory(&linker, effort);
    let sizes = Sizes {
        group_limit: limit,
        ..sizes(3)
    };
    let (records, divided) = ground.divide(&model, "divided", sizes);
    let mut there: Vec<_> = looked
        .oversized
        .into_iter()
        .map(|g| (g.rule, g.value, g.records, g.pairs, g.kept))
        .collect();
    let here = divided.rules.iter().flat_map(|rule| {
        let group = |g: &buckets::TooCommon| (rule.rule.clone(), g.value.clone(), g.records, g.pairs, g.kept);
        rule.oversized.iter().map(group)
    });
    let mut here: Vec<_> = here.collect();
    there.sort();
    here.sort();
    assert!(
        there.len() > 100 && there.iter().any(|g| g.4 > 0 && g.4 < g.3),
        "{there:?}"
    );
    assert_eq!(here, there);
    let job = ground.job(&model, &records, "divided-pairs");
    run(&Place::Here, &job).await;
    assert_same(&written(&job.out), &memory);
}

/// A model whose rules and levels take parts of texts, dates and numbers, cross columns and divide.
const PARTS: &str = r#"{"link_type": "dedupe_only", "probability_two_random_records_match": 0.001, "unique_id_column_name": "rec_id",
  "blocking_rules_to_generate_predictions": [
    "substr(l.full_name, 1, 6) = substr(r.full_name, 1, 6) AND year(l.birth_date) = year(r.birth_date) AND l.sex <> r.sex",
    "right(l.\"full_name\", 4) = right(r.\"full_name\", 4) AND abs(l.birth_year - r.birth_year) <= 3",
    "l.commune = r.commune AND l.father_name = r.full_name"],
  "comparisons": [
    {"output_column_name": "name", "comparison_levels": [
      {"sql_condition": "full_name_l IS NULL OR full_name_r IS NULL", "is_null_level": true},
      {"sql_condition": "full_name_l = full_name_r", "m_probability": 0.5, "u_probability": 0.001, "tf_adjustment_column": "full_name",
       "tf_minimum_u_value": 0.002, "tf_adjustment_weight": 0.5},
      {"sql_condition": "jaccard(full_name_l, full_name_r) > 0.8 AND NOT levenshtein(full_name_l, full_name_r) > 4", "m_probability": 0.2, "u_probability": 0.01,
       "tf_adjustment_column": "full_name"},
      {"sql_condition": "jaro_similarity(given_l, given_r) between 0.7 and 0.99 or given_l in ('anh', 'minh')", "m_probability": 0.2, "u_probability": 0.1},
      {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.889}]},
    {"output_column_name": "born", "comparison_levels": [
      {"sql_condition": "cast(birth_date_l as date) IS NULL OR try_strptime(birth_date_r, '%Y-%m-%d') IS NULL", "is_null_level": true},
      {"sql_condition": "abs(datediff('day', birth_date_l, birth_date_r)) <= 40", "m_probability": 0.8, "u_probability": 0.02},
      {"sql_condition": "sqrt(birth_year_l - birth_year_r) < 1.2 OR birth_year_l / (birth_year_r - birth_year_l) > 900", "m_probability": 0.1, "u_probability": 0.1},
      {"sql_condition": "case when birth_year_l > birth_year_r then birth_year_l - birth_year_r else 7 end >= 7", "m_probability": 0.05, "u_probability": 0.4},
      {"sql_condition": "ELSE", "m_probability": 0.05, "u_probability": 0.48}]},
    {"output_column_name": "parents", "comparison_levels": [
      {"sql_condition": "coalesce(father_name_l, mother_name_l) = coalesce(father_name_r, mother_name_r)", "m_probability": 0.7, "u_probability": 0.01},
      {"sql_condition": "father_name_l > mother_name_r AND greatest(length(father_name_l), length(mother_name_r)) > 12", "m_probability": 0.1, "u_probability": 0.3},
      {"sql_condition": "ELSE", "m_probability": 0.2, "u_probability": 0.69}]}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn conditions_mean_what_they_mean_on_one_machine() {
    let ground = &*GROUND;
    let model = Model::from_json(PARTS).expect("a model");
    let linker = linker(&ground.files, model.clone());
    let (memory, looked) = in_memory(&linker, Effort::default());
    let rules: std::collections::BTreeSet<i64> = memory.values().map(|(rule, _)| *rule).collect();
    assert!(
        rules.len() >= 2 && looked.pairs > 2 * memory.len() as u64,
        "{rules:?} {looked:?}"
    );
    let (records, _) = ground.divide(&model, "parts", sizes(4));
    let job = ground.job(&model, &records, "parts-pairs");
    run(&Place::Here, &job).await;
    assert_same(&written(&job.out), &memory);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_it_stopped() {
    let ground = &*GROUND;
    let (records, _) = ground.divide(&ground.model, "interrupted", sizes(4));
    let job = ground.job(&ground.model, &records, "interrupted-pairs");
    // One bucket cannot be read: all others are done, and it is named.
    let broken = records.join("rule=4/00002.parquet");
    let whole = fs::read(&broken).expect("a bucket");
    fs::write(&broken, &whole[..whole.len() / 2]).expect("cut");
    let engine = Engine::start(&Place::Here).await.expect("an engine");
    let tries = std::cell::Cell::new(0);
    let failed = link(&engine, &job, |_| {}, |_, _| tries.set(tries.get() + 1)).await;
    let error = failed.expect_err("a bucket failed");
    assert_eq!(
        told(&error),
        [("buckets-failed".to_owned(), "rule=4/00002.parquet".to_owned())]
    );
    assert_eq!(tries.get(), 2, "three tries");
    let clusters = ground.path("interrupted.csv");
    let early = write_clusters(&records, &job.out, 3.0, &clusters).expect_err("a bucket is missing");
    assert_eq!(code(&early), "pairs-not-whole");

    fs::write(&broken, whole).expect("mended");
    let linked = run(&Place::Here, &job).await;
    assert_eq!((linked.buckets, linked.done_before), (32, 31));
    let (memory, _) = in_memory(&linker(&ground.files, ground.model.clone()), Effort::default());
    assert_same(&written(&job.out), &memory);

    let mut other = job.clone();
    other.threshold = 0.5;
    let error = link(&engine, &other, |_| {}, |_, _| {})
        .await
        .expect_err("another threshold");
    assert_eq!(code(&error), "pairs-of-another-run");
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_those_of_one_machine() {
    let ground = &*GROUND;
    let linker = linker(&ground.files, ground.model.clone());
    let least = weight_of(0.95);
    let mut edges = Vec::new();
    let looked = linker.predict(Effort::default(), least, |pairs, _| {
        edges.extend(pairs.iter().map(|p| Edge {
            left: p.left,
            right: p.right,
            weight: p.weight,
        }));
        Ok(())
    });
    looked.expect("scored");
    let found = cluster(linker.len(), edges, &Constraints::default());
    let name = |row: u32| format!("{}/{}", linker.source(row), linker.id(row));
    let expected: BTreeMap<String, String> = (0u32..)
        .zip(&found.first)
        .map(|(row, first)| (name(row), name(*first)))
        .collect();

    let (records, _) = ground.divide(&ground.model, "for-clusters", sizes(3));
    let job = ground.job(&ground.model, &records, "for-clusters-pairs");
    run(&Place::Here, &job).await;
    let out = ground.path("clusters.csv");
    let several = write_clusters(&records, &job.out, least, &out).expect("clusters");
    assert!(several > 100);
    let mut reader = csv::Reader::from_path(out).expect("a file");
    let rows = reader.records().map(|row| row.expect("a row"));
    let written: BTreeMap<String, String> = rows
        .map(|row| (format!("{}/{}", &row[1], &row[2]), row[0].to_owned()))
        .collect();
    assert_eq!(written, expected);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_at_its_place() {
    let ground = &*GROUND;
    let bad = |name: &str, text: &str| {
        let path = ground.path(name);
        fs::write(&path, text).expect("written");
        path
    };
    let model = ground.model.to_json();
    let divide = |files: &[std::path::PathBuf], name: &str| {
        let out = ground.path(name);
        buckets::write(files, &model, &out, Sizes::default(), |_| {}).expect_err("refused")
    };
    let header = "rec_id,full_name,given,birth_date,birth_year,sex,number,card,phone,address,commune,father_name";
    let short = bad("short.csv", &format!("{header}\n"));
    assert_eq!(
        told(&divide(&[short], "r1")),
        [("unknown-column".to_owned(), "mother_name".to_owned())]
    );
    let other = bad("other.csv", "id,full_name\n1,an\n");
    let error = divide(&[ground.files[0].clone(), other], "r2");
    assert_eq!(told(&error), [("no-id-column".to_owned(), "other".to_owned())]);
    let header = format!("{header},mother_name");
    for (name, text, code, at) in [
        (
            "long",
            format!("{header}\n1{}\n", ",".repeat(13)),
            "row-length",
            "long:2",
        ),
        (
            "nameless",
            format!("{header}\n{}\n", ",".repeat(12)),
            "no-id",
            "nameless:2",
        ),
        (
            "twice",
            format!("{header}\n1{c}\n1{c}\n", c = ",".repeat(12)),
            "id-twice",
            "twice",
        ),
        ("again", format!("{header},SEX\n"), "column-twice", "again"),
        ("empty", String::new(), "no-columns", "empty"),
    ] {
        let file = bad(&format!("{name}.csv"), &text);
        let error = divide(&[file], &format!("r-{name}"));
        assert_eq!(told(&error).first(), Some(&(code.to_owned(), at.to_owned())));
    }
    let same = divide(&[ground.files[0].clone(), ground.files[0].clone()], "r3");
    assert_eq!(code(&same), "source-twice");

    let (records, _) = ground.divide(&ground.model, "refusals", sizes(1));
    assert_eq!(code(&divide(&ground.files, "refusals")), "folder-exists");
    let engine = Engine::start(&Place::Here).await.expect("an engine");
    let refused = async |job| code(&link(&engine, &job, |_| {}, |_, _| {}).await.expect_err("refused"));
    let job = ground.job(&ground.model, &records, "never");
    let mut wide = job.clone();
    wide.threshold = 1.0;
    assert_eq!(refused(wide).await, "threshold");
    let mut elsewhere = job.clone();
    elsewhere.records = ground.path("r3");
    assert_eq!(refused(elsewhere).await, "not-buckets");
    let mut stranger = job;
    stranger.model = Model::from_json(PARTS).expect("a model");
    assert_eq!(refused(stranger).await, "other-tables");
    assert!(!ground.path("never").exists(), "nothing was begun");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address").to_string();
    drop(nobody);
    let error = Engine::start(&Place::Cluster(address))
        .await
        .err()
        .expect("nobody answers");
    assert_eq!(code(&error), "scheduler-unreachable");
}
