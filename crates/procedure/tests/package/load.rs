//! A good package: it loads, and fees, time limits, eligibility and process follow the answers.

use std::path::Path;

use base::{Lang, Text, deadline::Unit};
use procedure::{
    check,
    form::Answers,
    form::Applicant,
    package::{CheckOptions, Files, Package},
};
use serde_json::json;

use super::{World, good_dir, good_files};

#[test]
fn the_good_package_loads_and_has_nothing_to_complain_about() {
    let report = check::check(&good_dir(), &CheckOptions::default());
    assert!(
        report
            .findings
            .iter()
            .all(|f| f.code == "no-diagram" || f.severity == check::Severity::Warning),
        "{}",
        report.human(Lang::En)
    );
    let package = Package::load_dir(&good_dir()).expect("loads");
    assert_eq!(package.id.to_string(), "2.000635@2026-07-01");
    assert_eq!(package.id.hash.len(), 64);
    let mut files = good_files();
    let same = Files::from_map(
        files
            .clone()
            .into_iter()
            .map(|(n, t)| (n, t.replace('\n', "\r\n").into_bytes())),
    )
    .expect("files");
    assert_eq!(same.hash(), package.id.hash, "line ends do not change a package");
    files.insert("note.txt".into(), "x".into());
    let other = Files::from_map(files.into_iter().map(|(n, t)| (n, t.into_bytes()))).expect("files");
    assert_ne!(other.hash(), package.id.hash);
    assert!(package.result_template().is_some_and(|t| t.contains("data.json")));
}

#[test]
fn a_template_is_judged_by_the_caller() {
    let refuse = |name: &str, _: &str| -> Result<(), String> { Err(format!("{name}: no")) };
    let options = CheckOptions {
        template: Some(&refuse),
        ..CheckOptions::default()
    };
    assert!(check::check(&good_dir(), &options).has("bad-template"));
}

#[test]
fn fees_deadlines_and_eligibility_follow_the_answers_and_say_why() {
    let (mut world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let answers = |world: &World, draft: &Answers| package.form.journey(draft, &world.ctx()).answers;
    let draft = world.full();
    let fees = package.fees(&answers(&world, &draft), &world.ctx()).expect("fees");
    assert_eq!(fees.iter().map(|f| f.amount.amount()).collect::<Vec<_>>(), [24_000]);
    let why = package.why_fees(&answers(&world, &draft), &world.ctx());
    let steps: Vec<&str> = why.steps.iter().map(|s| s.decision.as_str()).collect();
    assert_eq!(steps, ["exempt", "fee"]);
    assert_eq!(why.steps[0].value, json!(false));
    assert_eq!(why.steps[1].rules[0].note, "8.000 đồng mỗi bản sao");

    let mut poor = draft.clone();
    poor.set("request.exempt", json!(["poor"]));
    let none = package.fees(&answers(&world, &poor), &world.ctx()).expect("fees");
    assert!(none.is_empty());
    let why = package.why_fees(&answers(&world, &poor), &world.ctx());
    assert!(why.steps[1].rules.is_empty());

    let (case, budget) = package.deadline_for(&answers(&world, &draft), &world.ctx());
    assert_eq!(
        (case.case.as_str(), budget.qty, budget.unit),
        ("2.000635.02", 3, Unit::WorkingDay)
    );
    let mut recent = draft.clone();
    recent.set("event.date", json!("2020-01-01"));
    let (case, budget) = package.deadline_for(&answers(&world, &recent), &world.ctx());
    assert_eq!((case.case.as_str(), budget.qty), ("2.000635.01", 0));
    assert!(package.deadline_rules().cutoff.is_some());

    assert!(
        package
            .eligibility(&answers(&world, &draft), &world.ctx())
            .expect("eligible")
            .is_empty()
    );
    let mut future = draft;
    future.set("event.date", json!("2030-01-01"));
    let bars = package
        .eligibility(&answers(&world, &future), &world.ctx())
        .expect("a remark");
    assert_eq!(bars.len(), 1);
    world.applicant = Applicant::default();
    let variables = package.process_variables(&answers(&world, &recent), &world.ctx());
    assert_eq!(variables["deadline_case"], json!("2.000635.01"));
    assert_eq!(variables["submitted_on"], json!("2026-11-21"));
}

#[test]
fn the_process_runs_with_the_expressions_of_the_package() {
    use procedure::process::Feel as _;
    let (world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let answers = package.form.journey(&world.full(), &world.ctx()).answers;
    let mut variables = package.process_variables(&answers, &world.ctx());
    variables.insert("intake".into(), json!({"outcome": "accept"}));
    let condition = "intake.outcome = \"accept\" and request.copies > 0";
    assert_eq!(package.feel().condition(condition, &variables), Ok(true));
    variables.insert("intake".into(), json!({"outcome": "refuse"}));
    assert_eq!(package.feel().condition(condition, &variables), Ok(false));
}

#[test]
fn what_the_check_prints_is_for_people_and_programs() {
    let (text, ok) = check::check_dir(&good_dir(), Lang::Vi);
    assert!(ok, "{text}");
    assert!(text.contains("0 lỗi"));
    let error = Package::from_files(&Files::default(), &CheckOptions::default()).expect_err("no files");
    assert!(
        error
            .problems()
            .is_some_and(|p| p.iter().any(|p| p.code == "missing-file" && p.text != Text::default()))
    );
}

#[test]
fn every_package_of_the_catalogue_can_be_loaded() {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let folders = std::fs::read_dir(&catalogue)
        .expect("the catalogue")
        .flatten()
        .filter(|e| e.path().join("procedure.toml").is_file());
    let mut said = String::new();
    for folder in folders {
        let report = check::check(&folder.path(), &CheckOptions::default());
        if !report.ok() {
            said.push_str(&format!("{}\n{}", folder.path().display(), report.human(Lang::En)));
        }
    }
    assert!(said.is_empty(), "{said}");
}

#[test]
fn a_package_says_how_sure_the_e_id_must_be() {
    use identity::Assurance;
    let level = |line: &str| {
        let mut files = good_files();
        let text = files.get_mut("procedure.toml").expect("the file");
        *text = text.replacen("level = \"full\"", &format!("level = \"full\"\n{line}"), 1);
        let files = Files::from_map(files.into_iter().map(|(n, t)| (n, t.into_bytes()))).expect("files");
        let package = Package::from_files(&files, &CheckOptions::default()).expect("loads");
        (package.meta.assurance, package.meta.account().en)
    };
    let (silent, either) = level("");
    assert_eq!(
        (silent, level("assurance = 1").0),
        (Assurance::Level1, Assurance::Level1)
    );
    let (asked, second) = level("assurance = 2");
    assert_eq!(asked, Assurance::Level2);
    assert!(
        either.contains("level 1 or level 2") && !second.contains("level 1"),
        "{either} / {second}"
    );
}
