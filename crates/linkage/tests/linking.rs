//! The engine as a whole: pairs against the naive ones, weights by hand, the same for every number of threads, and data that
//! mean no good.

use linkage::explain::{Agreement, Explainer};
use linkage::train::{Prior, Training};
use linkage::{Condition, Effort, Frequencies, LinkType, Linker, Model, Records, Scored};
use proptest::prelude::*;

type Row = [Option<&'static str>; 3];

fn records(sources: &[Vec<Row>]) -> Records {
    let mut records = Records::new();
    for (n, rows) in sources.iter().enumerate() {
        records
            .begin_source(&format!("file{n}"), &["id", "a", "b", "c"], "id")
            .expect("a header");
        for (number, row) in rows.iter().enumerate() {
            let id = number.to_string();
            let cells = [Some(id.as_str()), row[0], row[1], row[2]];
            records.push(cells.into_iter()).expect("a record");
        }
    }
    records
}

/// A model that compares a, b and c for equality.
fn model(link_type: &str, rules: &[&str]) -> Model {
    let comparison = |c: &str| {
        format!(
            r#"{{"output_column_name": "{c}", "comparison_levels": [
                {{"sql_condition": "\"{c}_l\" IS NULL OR \"{c}_r\" IS NULL", "is_null_level": true}},
                {{"sql_condition": "\"{c}_l\" = \"{c}_r\"", "label_for_charts": "equal", "m_probability": 0.8,
                  "u_probability": 0.1, "tf_adjustment_column": "{c}"}},
                {{"sql_condition": "jaro_winkler_similarity(\"{c}_l\", \"{c}_r\") >= 0.8", "label_for_charts": "alike",
                  "m_probability": 0.15, "u_probability": 0.05}},
                {{"sql_condition": "ELSE", "label_for_charts": "other", "m_probability": 0.05, "u_probability": 0.85}}]}}"#
        )
    };
    let rules: Vec<String> = rules.iter().map(|r| format!("{r:?}")).collect();
    Model::from_json(&format!(
        r#"{{"link_type": "{link_type}", "probability_two_random_records_match": 0.1, "unique_id_column_name": "id",
            "blocking_rules_to_generate_predictions": [{}], "comparisons": [{}, {}, {}]}}"#,
        rules.join(","),
        comparison("a"),
        comparison("b"),
        comparison("c"),
    ))
    .expect("a model")
}

fn predict(linker: &Linker, effort: Effort) -> (Vec<Scored>, linkage::Looked) {
    let mut all = Vec::new();
    let looked = linker
        .predict(effort, f64::NEG_INFINITY, |pairs, _| {
            all.extend_from_slice(pairs);
            Ok(())
        })
        .expect("scored");
    (all, looked)
}

const RULES: [&str; 4] = [
    "l.a = r.a",
    "l.b = r.b AND l.c = r.c",
    "l.a = r.b",
    "substr(l.c, 1, 1) = substr(r.c, 1, 1) AND l.a <> r.a",
];

/// Whether a rule holds, worked out without the engine.
fn holds(rule: usize, l: &Row, r: &Row) -> bool {
    let equal = |x: Option<&str>, y: Option<&str>| x.is_some() && x == y;
    match rule {
        0 => equal(l[0], r[0]),
        1 => equal(l[1], r[1]) && equal(l[2], r[2]),
        2 => equal(l[0], r[1]),
        _ => {
            let first = |v: Option<&str>| v.map(|t| t[..1].to_owned());
            let differ = l[0].is_some() && r[0].is_some() && l[0] != r[0];
            first(l[2]).is_some() && first(l[2]) == first(r[2]) && differ
        }
    }
}

fn naive(link_type: LinkType, sources: &[Vec<Row>]) -> Vec<(u32, u32, u16)> {
    let rows: Vec<(usize, &Row)> = sources
        .iter()
        .enumerate()
        .flat_map(|(s, rows)| rows.iter().map(move |r| (s, r)))
        .collect();
    let mut pairs = Vec::new();
    for (i, (source_l, l)) in rows.iter().enumerate() {
        for (j, (source_r, r)) in rows.iter().enumerate().skip(i + 1) {
            if link_type == LinkType::LinkOnly && source_l == source_r {
                continue;
            }
            if let Some(rule) = (0..RULES.len()).find(|rule| holds(*rule, l, r)) {
                pairs.push((i as u32, j as u32, rule as u16));
            }
        }
    }
    pairs
}

fn value() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some("anna"),
        Some("anne"),
        Some("bob"),
        Some("bo"),
        Some("carol"),
    ])
}

fn table() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec([value(), value(), value()], 0..25)
}

proptest! {
    #[test]
    fn blocking_finds_exactly_the_naive_pairs(left in table(), right in table(), kind in 0usize..3) {
        let (name, link_type) = [
            ("dedupe_only", LinkType::DedupeOnly),
            ("link_only", LinkType::LinkOnly),
            ("link_and_dedupe", LinkType::LinkAndDedupe),
        ][kind];
        let sources = [left, right];
        let linker = Linker::new(model(name, &RULES), records(&sources)).expect("a linker");
        let (pairs, looked) = predict(&linker, Effort { threads: 2, ..Effort::default() });
        let mut found: Vec<(u32, u32, u16)> = pairs.iter().map(|p| (p.left, p.right, p.rule)).collect();
        found.sort_unstable();
        prop_assert_eq!(looked.pairs as usize, found.len());
        prop_assert_eq!(found, naive(link_type, &sources));
    }

    #[test]
    fn groups_too_large_are_divided_reported_and_never_compared_twice(rows in table(), limit in 0u64..20) {
        let sources = [rows];
        let linker = Linker::new(model("dedupe_only", &RULES), records(&sources)).expect("a linker");
        let (pairs, looked) = predict(&linker, Effort { threads: 2, group_limit: limit });
        let mut found: Vec<(u32, u32)> = pairs.iter().map(|p| (p.left, p.right)).collect();
        found.sort_unstable();
        let all: Vec<(u32, u32)> = naive(LinkType::DedupeOnly, &sources).iter().map(|(l, r, _)| (*l, *r)).collect();
        prop_assert!(found.windows(2).all(|w| w[0] != w[1]));
        prop_assert!(found.iter().all(|pair| all.contains(pair)));
        if looked.oversized.is_empty() {
            prop_assert_eq!(found, all);
        } else {
            let left_out: u64 = looked.oversized.iter().map(|o| o.pairs - o.kept).sum();
            prop_assert!(found.len() as u64 + left_out >= all.len() as u64);
        }
    }

    #[test]
    fn training_and_scoring_are_the_same_for_every_number_of_threads(rows in prop::collection::vec([value(), value(), value()], 2..25)) {
        let outcome = |threads: usize| {
            let effort = Effort { threads, ..Effort::default() };
            let mut linker = Linker::new(model("dedupe_only", &RULES[..2]), records(std::slice::from_ref(&rows))).expect("a linker");
            let training = Training { effort, random_pairs: 50, ..Training::default() };
            linker.train(&training, |_| {}).expect("trained");
            (linker.model().to_json(), predict(&linker, effort).0)
        };
        let one = outcome(1);
        prop_assert_eq!(&one, &outcome(2));
        prop_assert_eq!(&one, &outcome(5));
    }
}

#[test]
fn a_weight_is_what_a_hand_computes() {
    // "anna" twice of four in a; b alike; c missing.
    let rows = vec![
        [Some("anna"), Some("martha"), None],
        [Some("anna"), Some("marhta"), Some("x")],
        [Some("bob"), Some("x"), Some("x")],
        [Some("bo"), None, Some("x")],
    ];
    let linker = Linker::new(model("dedupe_only", &["l.a = r.a"]), records(&[rows])).expect("a linker");
    let (pairs, looked) = predict(&linker, Effort::default());
    assert_eq!((pairs.len(), looked.pairs, looked.kept), (1, 1, 1));
    let prior = (0.1f64 / 0.9).log2();
    let equal = 8f64.log2() + (0.1f64.log2() - 0.5f64.log2());
    let expected = prior + equal + 3f64.log2();
    assert!((pairs[0].weight - expected).abs() < 1e-12);

    let why = Explainer::new(&linker).explain(&pairs[0], |_| None);
    assert!((why.weight - expected).abs() < 1e-12);
    assert_eq!(
        why.steps.iter().map(|s| s.agreement).collect::<Vec<_>>(),
        [Agreement::Equal, Agreement::Alike, Agreement::Missing]
    );
    assert!((why.steps[0].adjustment - (0.2f64).log2()).abs() < 1e-12);
    assert_eq!(
        why.steps[0].values,
        [("a".to_owned(), Some("anna".to_owned()), Some("anna".to_owned()))]
    );
    assert_eq!(
        why.sentence.en,
        "Not clear whether it is the same person (probability 34.8 %): b alike (+1.6); a equal, a common value (+0.7); missing: c."
    );
    assert_eq!(
        why.sentence.vi,
        "Chưa rõ có phải cùng một người (xác suất 34,8 %): b gần giống (+1,6); a trùng khớp, giá trị phổ biến (+0,7); không có c."
    );
}

#[test]
fn a_prior_from_certain_rules() {
    let rows = vec![
        [Some("x"), None, None],
        [Some("x"), None, None],
        [Some("y"), None, None],
        [Some("z"), None, None],
    ];
    let mut linker = Linker::new(model("dedupe_only", &["l.a = r.a"]), records(&[rows])).expect("a linker");
    let rules = |recall: f64| Training {
        prior: Prior::Rules(vec![Condition::parse("l.a = r.a").expect("a rule")], recall),
        ..Training::default()
    };
    let trained = linker.train(&rules(0.5), |_| {}).expect("trained");
    // One pair found of the half of all: two in six.
    assert!((trained.prior - 2.0 / 6.0).abs() < 1e-12);
    assert!(linker.train(&rules(0.1), |_| {}).is_err(), "more matches than pairs");
}

#[test]
fn empty_files_single_rows_and_empty_columns() {
    for rows in [vec![], vec![[Some("a"), None, None]]] {
        let mut linker = Linker::new(model("dedupe_only", &RULES), records(&[rows])).expect("a linker");
        assert_eq!(predict(&linker, Effort::default()).0, []);
        assert!(
            linker.train(&Training::default(), |_| {}).is_err(),
            "nothing to train on"
        );
    }
    let empty = vec![[Some("a"), None, None]; 10];
    let mut linker = Linker::new(model("dedupe_only", &RULES), records(&[empty])).expect("a linker");
    let trained = linker.train(&Training::default(), |_| {}).expect("trained");
    assert!(
        trained.untrained.iter().any(|(comparison, _)| comparison == "b"),
        "nothing was learned of an empty column"
    );
    let (pairs, _) = predict(&linker, Effort::default());
    assert_eq!(pairs.len(), 45);
    assert!(pairs.iter().all(|p| p.weight.is_finite()));
}

#[test]
fn a_column_that_no_file_has_is_named() {
    let model = Model::from_json(
        &model("dedupe_only", &["l.zip = r.zip"])
            .to_json()
            .replace("\\\"c_l\\\" IS NULL", "\\\"street_l\\\" IS NULL"),
    )
    .expect("a model");
    let error = Linker::new(model, records(&[vec![]])).expect_err("two columns are not there");
    let problems: Vec<(&str, &str)> = error
        .problems()
        .into_iter()
        .flatten()
        .map(|p| (p.code.as_str(), p.at.as_str()))
        .collect();
    assert!(
        problems.contains(&("unknown-column", "/blocking_rules_to_generate_predictions/0")),
        "{problems:?}"
    );
    assert!(
        problems.contains(&("unknown-column", "/comparisons/2/comparison_levels/0/sql_condition")),
        "{problems:?}"
    );
    let error = Linker::new(model_without_equality(), records(&[vec![]])).expect_err("no equality");
    assert_eq!(
        error.problems().and_then(|p| p.iter().next()).map(|p| p.code.as_str()),
        Some("blocking-without-equality")
    );
}

fn model_without_equality() -> Model {
    model("dedupe_only", &["levenshtein(l.a, r.a) < 2"])
}

#[test]
fn a_million_equal_values_are_left_out_and_said_so() {
    let rows = vec![[Some("x"), None, None]; 1_000_000];
    let linker = Linker::new(model("dedupe_only", &["l.a = r.a", "l.b = r.b"]), records(&[rows])).expect("a linker");
    let (pairs, looked) = predict(&linker, Effort::default());
    assert_eq!(pairs.len(), 0);
    assert_eq!(looked.oversized.len(), 1);
    let group = &looked.oversized[0];
    assert_eq!(
        (group.records, group.pairs, group.kept),
        (1_000_000, 499_999_500_000, 0)
    );
    assert_eq!((group.rule.as_str(), group.value.as_str()), ("l.a = r.a", "x"));
}

#[test]
fn the_conditions_that_splink_writes_are_understood() {
    let text = include_str!("standard.json");
    let model = Model::from_json(text).expect("the standard comparisons");
    let mut records = Records::new();
    let columns = [
        "unique_id",
        "a",
        "dob",
        "arr",
        "email",
        "pc",
        "n",
        "f",
        "s",
        "fs",
        "lat",
        "long",
        "z",
        "y",
        "num",
    ];
    records.begin_source("x", &columns, "unique_id").expect("a header");
    let rows = [
        [
            "1",
            "martha",
            "1990-02-03",
            "[a, b]",
            "an@x.vn",
            "SW1A 1AA",
            "an",
            "van",
            "an",
            "van an",
            "10.76",
            "106.66",
            "p",
            "q",
            "100",
        ],
        [
            "2",
            "marhta",
            "1990-02-28",
            "[b, c]",
            "an@y.vn",
            "SW1A 2BB",
            "an",
            "an",
            "van",
            "an van",
            "10.77",
            "106.66",
            "q",
            "p",
            "95",
        ],
    ];
    for row in rows {
        records.push(row.into_iter().map(Some)).expect("a record");
    }
    let linker = Linker::new(model, records).expect("all compiled");
    let (pairs, _) = predict(&linker, Effort::default());
    let levels = linker.levels(&pairs[0]);
    let told: Vec<(&str, &str)> = linker
        .model()
        .comparisons
        .iter()
        .zip(levels)
        .map(|(c, level)| (c.name.as_str(), c.levels[level].label.as_str()))
        .collect();
    says_what_a_hand_finds(&told);
}

/// What each standard comparison says of the two records above, worked out by hand.
fn says_what_a_hand_finds(told: &[(&str, &str)]) {
    let expected = [
        ("a_levenshtein", "Levenshtein distance of a <= 2"),
        ("a_damerau", "Damerau-Levenshtein distance of a <= 1"),
        ("a_jaccard", "Jaccard similarity of a >= 0.9"),
        ("a_jaro", "Jaro similarity of a >= 0.9"),
        ("a_jaro_winkler", "Jaro-Winkler distance of a >= 0.9"),
        ("dob", "Abs date difference <= 1 month"),
        ("dob_spark", "Abs date difference <= 1 month"),
        ("dob_plain", "Abs date difference <= 1 month"),
        ("arr", "Array intersection size >= 1"),
        ("email", "Exact match on username"),
        ("pc", "Exact match on district"),
        ("f_s", "Match on reversed cols: f and s"),
        ("lat_long", "Distance <= 5km"),
        ("z_y", "reversed or near"),
        ("num", "within 6 per cent"),
        ("subset", "not a subset"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn how_often_values_are_met_in_a_whole_can_be_given() {
    let rows = || vec![[Some("anna"), None, None], [Some("anna"), None, None]];
    let weight = |assumed: u32, times: u64| {
        let mut frequencies = Frequencies::new(assumed);
        frequencies.add("a", 1_000_000, [("anna".to_owned(), times)]);
        let model = model("dedupe_only", &["l.a = r.a"]);
        let linker = Linker::with_frequencies(model, records(&[rows()]), &frequencies).expect("a linker");
        let (pairs, _) = predict(&linker, Effort::default());
        let told = Explainer::new(&linker).explain(&pairs[0], |_| None);
        assert_eq!(told.weight.to_bits(), pairs[0].weight.to_bits());
        (told.steps[0].adjustment, told.sentence.vi)
    };
    // u is 0.1: ten in a million are 10,000 times rarer, half a million five times as common.
    let (rare, told) = weight(0, 10);
    assert!(
        (rare - 10_000_f64.log2()).abs() < 1e-9 && told.contains("giá trị hiếm gặp"),
        "{rare}, {told}"
    );
    let (common, told) = weight(0, 500_000);
    assert!(
        (common - 0.2_f64.log2()).abs() < 1e-9 && told.contains("giá trị phổ biến"),
        "{common}, {told}"
    );
    // A value of which nothing is known weighs as it is, and where the whole is small beside what is assumed, all do nearly.
    assert_eq!(weight(0, 0).0, 0.0);
    assert!(weight(1_000_000_000, 10).0.abs() < 0.01);
    // Without them, the values of these records are counted: both have it.
    let linker = Linker::new(model("dedupe_only", &["l.a = r.a"]), records(&[rows()])).expect("a linker");
    let (pairs, _) = predict(&linker, Effort::default());
    let told = Explainer::new(&linker).explain(&pairs[0], |_| None);
    assert!((told.steps[0].adjustment - 0.1_f64.log2()).abs() < 1e-9);
}
