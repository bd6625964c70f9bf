//! Packages as their authors write them, good and broken, and as nobody should.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base::{Lang, Text, deadline::Unit};
use procedure::{
    check,
    feel::{Data, Expr, Type, Types},
    form::{Answers, Applicant, Channel, Context, Form, Journey, Origin, Status},
    package::{CheckOptions, Files, Package},
    reference::Reference,
};
use serde_json::{Value, json};

fn good_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages/good")
}

fn good_files() -> BTreeMap<String, String> {
    let files = Files::read_dir(&good_dir()).expect("the good package is readable");
    files
        .iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

fn report_of(files: BTreeMap<String, String>) -> check::Report {
    match Files::from_map(files.into_iter().map(|(name, text)| (name, text.into_bytes()))) {
        Ok(files) => check::check_files(&files, &CheckOptions::default()),
        Err(report) => report,
    }
}

/// The good package with one replacement in one file.
fn broken(file: &str, from: &str, to: &str) -> check::Report {
    let mut files = good_files();
    let text = files.get_mut(file).expect("the file");
    assert!(text.contains(from), "{file} does not contain {from}");
    *text = text.replacen(from, to, 1);
    report_of(files)
}

struct World {
    reference: Reference,
    applicant: Applicant,
    registry: BTreeMap<String, Value>,
}

impl World {
    fn new() -> Self {
        Self {
            reference: Reference::embedded().expect("reference data"),
            applicant: Applicant {
                name: Some("Nguyễn Thị Hoa".into()),
                person_number: Some("037190001234".into()),
                phone: Some("0912345678".into()),
                assurance: 2,
                ..Applicant::default()
            },
            registry: BTreeMap::new(),
        }
    }

    fn ctx(&self) -> Context<'_> {
        Context {
            applicant: &self.applicant,
            channel: Channel::Online,
            today: jiff::civil::date(2026, 11, 21),
            registry: &self.registry,
            units: &self.reference.units,
        }
    }

    /// Codes of a province and of one of its communes.
    fn place(&self) -> (String, String, String) {
        let today = self.ctx().today;
        let province = self.reference.units.provinces(today)[0];
        let commune = self.reference.units.communes(province.code, today)[0];
        (
            province.code.to_string(),
            commune.code.to_string(),
            commune.title(Lang::Vi),
        )
    }

    fn full(&self) -> Answers {
        let (province, commune, _) = self.place();
        Answers::from_value(json!({
            "requester": {
                "residence": { "province": province, "commune": commune, "detail": "Số 5, đường Lê Lợi" },
                "relation": "parent"
            },
            "person": { "name": "Trần Văn An", "birth": "1962-05" },
            "event": { "kind": "birth", "date": "2012-03-04" },
            "request": { "copies": 3, "promise": true }
        }))
        .expect("an object")
    }
}

fn codes(problems: &base::Problems) -> Vec<(String, String)> {
    problems.iter().map(|p| (p.at.clone(), p.code.clone())).collect()
}

fn status_of(form: &Form, journey: &Journey, page: &str) -> Option<Status> {
    journey.page(form.page(page)?.0).map(|state| state.status)
}

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
fn the_journey_follows_the_answers() {
    let (world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let (form, ctx) = (&package.form, world.ctx());

    let empty = form.journey(&form.prefill(&ctx), &ctx);
    assert_eq!(status_of(form, &empty, "person"), None, "asked only for somebody else");
    assert_eq!(
        status_of(form, &empty, "requester"),
        Some(Status::Incomplete),
        "the residence is not known"
    );
    assert_eq!(empty.answers.text("requester.name"), Some("Nguyễn Thị Hoa"));

    let full = form.journey(&world.full(), &ctx);
    assert!(
        full.is_complete(),
        "{}",
        full.problems
            .iter()
            .map(|p| format!("{}: {}", p.at, p.text.en))
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert_eq!(
        full.answers.get("event.on_paper"),
        Some(&Value::Bool(true)),
        "derived from the date"
    );
    assert_eq!(full.papers.len(), 0);
    let origins: Vec<Origin> = full.pages[0].fields.iter().map(|f| f.origin).collect();
    assert_eq!(origins, [Origin::Eid, Origin::Eid, Origin::ToVerify, Origin::Eid]);

    // A changed mind hides the page; its answers stay in the draft and leave what counts.
    let mut draft = world.full();
    draft.set("requester.relation", json!("self"));
    let mine = form.journey(&draft, &ctx);
    assert_eq!(status_of(form, &mine, "person"), None);
    assert_eq!(mine.answers.get("person.name"), None);
    assert!(draft.get("person.name").is_some());
    let relation = form.page("relation").expect("page").0;
    let event = form.page("event").expect("page").0;
    assert_eq!(mine.after(relation), Some(event));
    assert_eq!(mine.before(event), Some(relation));

    draft.set("requester.relation", json!("other"));
    let other = form.journey(&draft, &ctx);
    assert_eq!(other.papers.len(), 1);
    assert!(other.papers[0].required);
    draft.set("request.exempt", json!(["poor"]));
    assert_eq!(form.journey(&draft, &ctx).papers.len(), 2);
    assert!(
        form.why_shown("person.name", Lang::Vi)
            .is_some_and(|why| why.contains("trích lục của ai"))
    );
    assert_eq!(form.why_shown("event.kind", Lang::Vi), None);
}

#[test]
fn a_claim_of_the_eid_cannot_be_overruled() {
    let (world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let mut answers = world.full();
    answers.set("requester.name", json!("Somebody Else"));
    assert_eq!(
        package
            .form
            .journey(&answers, &world.ctx())
            .answers
            .text("requester.name"),
        Some("Nguyễn Thị Hoa")
    );
}

#[test]
fn fees_deadlines_and_eligibility_follow_the_answers_and_say_why() {
    let (mut world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let answers = |world: &World, draft: &Answers| package.form.journey(draft, &world.ctx()).answers;
    let draft = world.full();
    let fees = package.fees(&answers(&world, &draft), &world.ctx()).expect("fees");
    assert_eq!(
        fees.value.iter().map(|f| f.amount.amount()).collect::<Vec<_>>(),
        [24_000]
    );
    let steps: Vec<&str> = fees.trace.steps.iter().map(|s| s.decision.as_str()).collect();
    assert_eq!(steps, ["exempt", "fee"]);
    assert_eq!(fees.trace.steps[0].value, json!(false));
    assert_eq!(fees.trace.steps[1].rules[0].note, "8.000 đồng mỗi bản sao");

    let mut poor = draft.clone();
    poor.set("request.exempt", json!(["poor"]));
    let none = package.fees(&answers(&world, &poor), &world.ctx()).expect("fees");
    assert!(none.value.is_empty());
    assert!(none.trace.steps[1].rules.is_empty());

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
            .value
            .is_empty()
    );
    let mut future = draft;
    future.set("event.date", json!("2030-01-01"));
    let bars = package
        .eligibility(&answers(&world, &future), &world.ctx())
        .expect("a remark")
        .value;
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
fn a_posted_page_is_read_normalised_and_judged() {
    let (world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let (form, ctx) = (&package.form, world.ctx());
    let post = |page: &str, fields: &[(&str, &str)], draft: &Answers| {
        let posted: Vec<(String, String)> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        form.parse_page(form.page(page).expect("page").0, &posted, draft, &ctx, Lang::Vi)
    };
    let mut draft = world.full();

    // NFD in, NFC out; white space collapsed.
    let input = post(
        "person",
        &[
            ("person.name", "  Tra\u{302}\u{300}n   Văn An "),
            ("person.birth.year", "1962"),
            ("person.birth.month", "5"),
        ],
        &draft,
    );
    assert!(input.is_done(), "{:?}", codes(&input.problems));
    draft.apply(&input.changes);
    assert_eq!(draft.text("person.name"), Some("Trần Văn An"));
    assert_eq!(draft.text("person.birth"), Some("1962-05"));

    // Three parts of a date; what does not exist is refused at its field, and what was typed is kept for the page.
    let input = post(
        "event",
        &[
            ("event.kind", "death"),
            ("event.date.day", "31"),
            ("event.date.month", "2"),
            ("event.date.year", "2012"),
        ],
        &draft,
    );
    assert_eq!(
        codes(&input.problems),
        [("event.date".to_owned(), "not-a-date".to_owned())]
    );
    assert_eq!(input.first("event.date.day"), Some("31"));
    let input = post(
        "event",
        &[
            ("event.kind", "death"),
            ("event.date.day", "4"),
            ("event.date.month", "3"),
            ("event.date.year", "2012"),
            ("event.book", "15/98"),
        ],
        &draft,
    );
    assert_eq!(
        codes(&input.problems),
        [("event.book".to_owned(), "pattern".to_owned())]
    );
    let input = post(
        "event",
        &[("event.kind", "murder"), ("event.date", "22/11/2026")],
        &draft,
    );
    assert_eq!(codes(&input.problems).len(), 2, "all problems at once");

    // A field that the new answers bring up is shown without reproach.
    let mut fresh = draft.clone();
    fresh.remove("event.date");
    let shown = [
        ("_shown", "event.kind"),
        ("_shown", "event.date"),
        ("event.kind", "birth"),
        ("event.date", "2012-03-04"),
    ];
    let input = post("event", &shown, &fresh);
    assert!(input.is_done(), "the book is optional");

    // A commune by its name; an address with nothing is one problem at each part.
    let (province, commune, title) = world.place();
    let name = title;
    let input = post(
        "requester",
        &[
            ("requester.residence.province", &province),
            ("requester.residence.commune", &name),
            ("requester.residence.detail", "Thôn 3"),
        ],
        &Answers::new(),
    );
    assert!(input.problems.is_empty(), "{:?}", codes(&input.problems));
    let changed = input
        .changes
        .iter()
        .find(|(id, _)| id == "requester.residence")
        .and_then(|(_, v)| v.clone())
        .expect("an address");
    assert_eq!(changed["commune"], json!(commune));
    let input = post(
        "requester",
        &[
            ("requester.residence.province", "99"),
            ("requester.residence.commune", "Không Đâu"),
        ],
        &Answers::new(),
    );
    assert!(input.problems.iter().count() >= 2, "{:?}", codes(&input.problems));

    // An emptied field leaves the draft; nothing typed where something must be is one problem.
    let input = post("copies", &[("request.copies", ""), ("request.promise", "true")], &draft);
    assert_eq!(
        codes(&input.problems),
        [("request.copies".to_owned(), "required".to_owned())]
    );
    assert!(input.changes.contains(&("request.copies".to_owned(), None)));
    let input = post(
        "copies",
        &[
            ("request.copies", "21"),
            ("request.exempt", "poor"),
            ("request.exempt", "rich"),
        ],
        &draft,
    );
    let found = codes(&input.problems);
    for wanted in ["request.copies", "request.exempt", "request.promise"] {
        assert!(found.iter().any(|(at, _)| at == wanted), "{wanted} in {found:?}");
    }
}

#[test]
fn the_api_is_told_every_problem_at_its_field() {
    let (world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let answers = Answers::from_value(json!({
        "requester": { "residence": { "province": "01", "commune": "x", "detail": "y", "extra": 1 }, "relation": 7 },
        "event": { "kind": ["birth"], "date": "2012-3-4", "colour": "red" },
        "request": { "copies": 1.5, "promise": false, "exempt": "poor" },
        "person": "nobody",
        "nonsense": { "a": {} }
    }))
    .expect("an object");
    let problems = package.form.validate(&answers, &world.ctx());
    let found = codes(&problems);
    for (at, code) in [
        ("nonsense", "unknown-field"),
        ("event.colour", "unknown-field"),
        ("person", "not-an-object"),
        ("requester.residence.extra", "unknown-field"),
        ("requester.residence.commune", "unknown-unit"),
        ("requester.relation", "not-an-option"),
        ("event.kind", "not-an-option"),
        ("event.date", "not-a-date"),
        ("request.copies", "too-precise"),
        ("request.promise", "required"),
        ("request.exempt", "wrong-type"),
    ] {
        assert!(
            found.contains(&(at.to_owned(), code.to_owned())),
            "{at} {code} in {found:?}"
        );
    }
    for p in problems.iter() {
        assert!(!p.text.vi.is_empty() && !p.text.en.is_empty());
    }
}

#[test]
fn the_summary_speaks_to_people() {
    let (world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let journey = package.form.journey(&world.full(), &world.ctx());
    let row = |id: &str, lang| {
        let sections = package.form.summary(&journey, &world.ctx(), lang);
        sections
            .into_iter()
            .flat_map(|s| s.rows)
            .find(|r| r.id == id)
            .expect("a row")
            .value
    };
    assert_eq!(row("event.date", Lang::Vi), "04/03/2012");
    assert_eq!(row("person.birth", Lang::Vi), "05/1962");
    assert_eq!(row("event.kind", Lang::Vi), "Khai sinh");
    assert_eq!(row("event.on_paper", Lang::En), "Yes");
    assert!(row("requester.residence", Lang::Vi).starts_with("Số 5, đường Lê Lợi, "));
    assert!(!row("requester.residence", Lang::Vi).contains("\""));
}

#[test]
fn the_schema_is_strict_and_nested_like_the_answers() {
    let package = Package::load_dir(&good_dir()).expect("loads");
    let schema = package.form.json_schema("urn:test", "t");
    assert_eq!(schema["$schema"], json!("https://json-schema.org/draft/2020-12/schema"));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(
        schema["properties"]["request"]["properties"]["copies"]["maximum"],
        json!(20)
    );
    assert!(
        schema["properties"]["request"]["required"]
            .as_array()
            .expect("a list")
            .contains(&json!("copies"))
    );
    assert!(
        schema["properties"]["event"]["properties"].get("on_paper").is_none(),
        "derived fields are not sent"
    );
    assert!(schema["required"].as_array().expect("a list").contains(&json!("event")));
    assert!(
        !schema["required"]
            .as_array()
            .expect("a list")
            .contains(&json!("person")),
        "asked only under a condition"
    );
}

#[test]
fn pages_render_escaped_with_errors_beside_fields() {
    let (world, package) = (World::new(), Package::load_dir(&good_dir()).expect("loads"));
    let (form, ctx) = (&package.form, world.ctx());
    let mut page = view::Page::new(Lang::Vi, std::sync::Arc::new(view::Site::default()), "t", "/t");
    let mut draft = world.full();
    draft.set("person.name", json!("<script>alert(1)</script>"));
    let journey = form.journey(&draft, &ctx);
    page.problems = journey.problems.clone();
    let mut all = String::new();
    for state in &journey.pages {
        for field in procedure::form::render::page(&page, form, state, &draft, None, &ctx) {
            all.push_str(&field.html);
        }
    }
    assert!(!all.contains("<script>"), "escaped");
    assert!(all.contains("mc-error"), "the name is refused beside its field");
    for wanted in [
        "name=\"event.date.day\"",
        "name=\"requester.residence.province\"",
        "type=\"radio\"",
        "type=\"checkbox\"",
        "_shown",
    ] {
        assert!(all.contains(wanted), "{wanted}");
    }
    assert!(
        !all.contains("name=\"requester.name\""),
        "what the e-ID holds is not typed"
    );
}

#[test]
fn every_class_of_mistake_is_found_at_its_place() {
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            "procedure.toml",
            "valid_from = 2026-07-01",
            "valid_from = 2026-07-01\ncolour = 1",
            "unknown-key",
        ),
        ("procedure.toml", "authority = \"G15\"\n", "", "missing-key"),
        ("procedure.toml", "code = \"2.000635\"", "code = \"2.0006\"", "bad-code"),
        (
            "procedure.toml",
            "level = \"full\"",
            "level = \"partial\"",
            "missing-key",
        ),
        (
            "procedure.toml",
            "en = \"Copy of a civil-status extract\"",
            "en = \"\"",
            "missing-translation",
        ),
        (
            "procedure.toml",
            "budget = \"3wd\"",
            "budget = \"3 days\"",
            "bad-budget",
        ),
        ("procedure.toml", "when = \"event.on_paper\"\n", "", "bad-deadline"),
        (
            "procedure.toml",
            "when = \"event.on_paper\"",
            "when = \"event.on_papr\"",
            "unknown-name",
        ),
        (
            "procedure.toml",
            "case = \"2.000635.02\"",
            "case = \"1.000001.02\"",
            "bad-code",
        ),
        (
            "procedure.toml",
            "template = \"result.typ\"",
            "template = \"../../../etc/passwd\"",
            "missing-file",
        ),
        (
            "procedure.toml",
            "about = \"authorisation\"",
            "about = \"authorization\"",
            "unknown-name",
        ),
        (
            "procedure.toml",
            "same_day_cutoff = \"15:00\"",
            "same_day_cutoff = \"3pm\"",
            "bad-value",
        ),
        (
            "form.toml",
            "type = \"person-name\"",
            "type = \"person-nam\"",
            "bad-type",
        ),
        ("form.toml", "id = \"event.kind\"", "id = \"event.Kind\"", "bad-id"),
        ("form.toml", "id = \"event.kind\"", "id = \"event\"", "bad-id"),
        (
            "form.toml",
            "id = \"event.kind\"",
            "id = \"applicant.kind\"",
            "reserved-id",
        ),
        ("form.toml", "id = \"event.kind\"", "id = \"event.for\"", "reserved-id"),
        (
            "form.toml",
            "id = \"event.date\"",
            "id = \"event.kind\"",
            "duplicate-id",
        ),
        (
            "form.toml",
            "basis = \"Luật Hộ tịch 2014, Điều 63\"\nsensitivity = \"personal\"",
            "sensitivity = \"personal\"",
            "missing-basis",
        ),
        ("form.toml", "sensitivity = \"sensitive\"\n", "", "missing-sensitivity"),
        (
            "form.toml",
            "sensitivity = \"sensitive\"\nretention = \"5y\"",
            "sensitivity = \"sensitive\"",
            "missing-retention",
        ),
        (
            "form.toml",
            "source = \"eid:person-number\"",
            "source = \"asked\"",
            "asked-again",
        ),
        (
            "form.toml",
            "source = \"eid:person-number\"",
            "source = \"eid:shoe-size\"",
            "bad-source",
        ),
        (
            "form.toml",
            "source = \"eid:person-number\"",
            "source = \"eid:name\"",
            "bad-source",
        ),
        (
            "form.toml",
            "when = \"event.on_paper\"",
            "when = \"request.copies > 1\"",
            "looks-forward",
        ),
        (
            "form.toml",
            "when = \"event.on_paper\"",
            "when = \"event.book = null\"",
            "looks-forward",
        ),
        (
            "form.toml",
            "when = \"event.on_paper\"",
            "when = \"event.kind\"",
            "type",
        ),
        (
            "form.toml",
            "when = \"event.on_paper\"",
            "when = \"event.kind = \\\"wedding\\\"\"",
            "unknown-option",
        ),
        (
            "form.toml",
            "when = \"event.on_paper\"",
            "when = \"event.date > 3\"",
            "type",
        ),
        (
            "form.toml",
            "when = \"event.on_paper\"",
            "when = \"event.on_paper and\"",
            "syntax",
        ),
        (
            "form.toml",
            "source = \"derived: event.date < date(\\\"2016-01-01\\\")\"",
            "source = \"derived: event.on_paper\"",
            "looks-forward",
        ),
        (
            "form.toml",
            "source = \"derived: event.date < date(\\\"2016-01-01\\\")\"",
            "source = \"derived: event.date\"",
            "type",
        ),
        (
            "form.toml",
            "pattern = \"[0-9]{1,5}(/[0-9]{4})?\"",
            "pattern = \"(((a{999}){999}){999}\"",
            "bad-pattern",
        ),
        (
            "form.toml",
            "code = \"000.00.00.G15-KQ004389\"",
            "code = \"KQ\"",
            "bad-code",
        ),
        ("form.toml", "max = \"today\"", "max = \"tomorrow\"", "bad-value"),
        (
            "form.toml",
            "type = \"person-number\"",
            "type = \"person-number\"\nmax_length = 3",
            "unknown-key",
        ),
        ("process.bpmn", "mc:role=\"specialist\"", "mc:role=\"wizard\"", "role"),
        (
            "process.bpmn",
            "mc:role=\"specialist\"",
            "mc:role=\"specialist\" mc:unit=\"moon\"",
            "unknown-agency",
        ),
        ("process.bpmn", "request.copies > 0", "request.copy > 0", "condition"),
        ("process.bpmn", "id=\"draft\"", "id=\"event\"", "name-taken"),
        (
            "decisions.dmn",
            "8000 * answers.request.copies",
            "8000 * answers.request.copys",
            "unknown-name",
        ),
        (
            "decisions.dmn",
            "8000 * answers.request.copies",
            "\\\"free\\\"",
            "syntax",
        ),
        (
            "decisions.dmn",
            "8000 * answers.request.copies",
            "\"free\"",
            "bad-shape",
        ),
        ("decisions.dmn", "\"before-processing\"", "\"whenever\"", "bad-shape"),
        (
            "decisions.dmn",
            "<requiredInput href=\"#i_today\"/>",
            "<requiredInput href=\"#i_tomorrow\"/>",
            "unknown-name",
        ),
        (
            "decisions.dmn",
            "name=\"channel\" id=\"i_channel\"",
            "name=\"weather\" id=\"i_channel\"",
            "unknown-input",
        ),
        (
            "decisions.dmn",
            "<requiredInput href=\"#i_answers\"/></informationRequirement>\n    <literalExpression id=\"l_exempt\">",
            "<requiredDecision href=\"#d_fee\"/></informationRequirement>\n    <literalExpression id=\"l_exempt\">",
            "cycle",
        ),
        ("decisions.dmn", "MODEL/\"", "MODEL/9\"", "bad-dmn"),
    ];
    for (file, from, to, wanted) in cases {
        let report = broken(file, from, to);
        let hit = report.findings.iter().find(|f| f.code.contains(wanted));
        let Some(hit) = hit else {
            panic!(
                "{file}: {from:?} to {to:?} should give {wanted}:\n{}",
                report.human(Lang::En)
            );
        };
        assert!(!hit.text.vi.is_empty() && !hit.text.en.is_empty());
        if *wanted != "asked-again" {
            assert!(!report.ok(), "{file}: {to:?}");
        }
    }
}

#[test]
fn a_finding_says_line_column_and_what_was_meant() {
    let report = broken(
        "form.toml",
        "when = \"event.on_paper\"",
        "when = \"not(event.on_papr)\"",
    );
    let finding = report
        .findings
        .iter()
        .find(|f| f.code == "unknown-name")
        .expect("the name");
    let text = good_files()["form.toml"].clone();
    let line = text
        .lines()
        .position(|l| l == "when = \"event.on_paper\"")
        .expect("the line")
        + 1;
    assert_eq!(
        (finding.file.as_str(), finding.line as usize, finding.column),
        ("form.toml", line, 13)
    );
    assert!(
        finding.text.en.contains("Did you mean “event.on_paper”"),
        "{}",
        finding.text.en
    );
    assert!(report.human(Lang::Vi).contains(&format!("form.toml:{line}:13: lỗi:")));
    assert_eq!(report.json()[0]["line"], json!(line));
}

#[test]
fn hostile_packages_are_refused_quickly() {
    let start = Instant::now();
    // Too large, by far.
    let mut files = good_files();
    files.insert("form.toml".into(), "# x\n".repeat(2_500_000));
    assert!(report_of(files).has("too-large"));
    // Deep nesting in TOML and XML.
    let mut files = good_files();
    files.insert(
        "procedure.toml".into(),
        format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
    );
    assert!(!report_of(files).ok());
    let mut files = good_files();
    files.insert(
        "decisions.dmn".into(),
        format!(
            "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\">{}",
            "<context>".repeat(10_000)
        ),
    );
    assert!(!report_of(files).ok());
    let deep = format!("{}{}", "<list>".repeat(200), "</list>".repeat(200));
    assert!(
        broken(
            "decisions.dmn",
            "<literalExpression id=\"l_exempt\">",
            &format!("{deep}<literalExpression id=\"l_exempt\">")
        )
        .has("too-deep")
    );
    // Entities.
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><definitions>&b;</definitions>";
    let mut files = good_files();
    files.insert("decisions.dmn".into(), bomb.into());
    assert!(report_of(files).has("bad-xml"));
    // Functions outside FEEL.
    let java = "{ f: function(x) external { java: { class: \"java.lang.Runtime\", method signature: \"exit(int)\" } }, r: f(1) }.r";
    assert!(!broken("decisions.dmn", "8000 * answers.request.copies", java).ok());
    let model = "<businessKnowledgeModel name=\"f\" id=\"f\"><variable name=\"f\"/><encapsulatedLogic kind=\"Java\"/></businessKnowledgeModel><decision name=\"exempt\"";
    assert!(broken("decisions.dmn", "<decision name=\"exempt\"", model).has("forbidden"));
    assert!(
        broken(
            "decisions.dmn",
            "8000 * answers.request.copies",
            "sum(for i in 1..1000000000 return i)"
        )
        .has("too-costly")
    );
    // Names that are paths.
    for name in [
        "../form.toml",
        "a/b.typ",
        "/etc/passwd",
        "CON.typ",
        "x.exe",
        ".hidden.typ",
        "a..typ",
    ] {
        let mut files = good_files();
        files.insert(name.into(), String::new());
        assert!(report_of(files).has("bad-file"), "{name}");
    }
    assert!(Files::from_map([("form.toml".to_owned(), vec![0xff, 0xfe])]).is_err_and(|r| r.has("not-utf8")));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[cfg(unix)]
#[test]
fn a_link_or_a_folder_is_no_file_of_a_package() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in good_files() {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    assert!(check::check(dir.path(), &CheckOptions::default()).ok());
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("more.typ")).expect("linked");
    assert!(check::check(dir.path(), &CheckOptions::default()).has("bad-file"));
    std::fs::remove_file(dir.path().join("more.typ")).expect("removed");
    std::fs::create_dir(dir.path().join("sub")).expect("made");
    assert!(check::check(dir.path(), &CheckOptions::default()).has("bad-file"));
    assert!(check::check(&dir.path().join("absent"), &CheckOptions::default()).has("missing-file"));
}

fn types() -> Types {
    Types::new()
        .with("child.name", Type::String)
        .with("child.age", Type::Number)
        .with("child.born", Type::Date)
        .with("child.abroad", Type::Boolean)
        .with(
            "child.kinds",
            Type::List(Box::new(Type::Enum(vec!["a".into(), "b".into()]))),
        )
        .with("today", Type::Date)
}

#[test]
fn expressions_are_typed_and_exact() {
    let data = Data::new(
        &types(),
        &json!({"child": {"name": "An", "age": 7.1, "born": "2020-02-29", "kinds": ["a"]}, "today": "2026-11-21"}),
    );
    let eval = |text: &str| {
        Expr::parse(text, &types())
            .map(|e| e.eval(&data))
            .map_err(|f| f[0].code)
    };
    assert_eq!(eval("child.age * 3"), Ok(json!(21.3)), "decimal, not binary");
    assert_eq!(eval("child.born + duration(\"P1Y\")"), Ok(json!("2021-02-28")));
    assert_eq!(eval("(today - child.born).days > 2000"), Ok(json!(true)));
    assert_eq!(eval("child.kinds[item = \"a\"][1]"), Ok(json!("a")));
    assert_eq!(eval("child.abroad"), Ok(Value::Null));
    assert_eq!(eval("if child.abroad then 1 else 2"), Ok(json!(2)));
    assert_eq!(eval("[{ a: 1, b: a + 1 }][1].b"), Ok(json!(2)));
    assert_eq!(eval("child.name in (\"An\", \"Bình\")"), Ok(json!(true)));
    assert_eq!(eval("child.age between 7 and 8"), Ok(json!(true)));
    assert_eq!(eval("some k in child.kinds satisfies k = \"b\""), Ok(json!(false)));
    assert!(
        !Expr::condition("child.abroad and child.age > 1", &types())
            .expect("good")
            .holds(&data),
        "unknown is not true"
    );
    for (text, code) in [
        ("child.nam = \"x\"", "unknown-name"),
        ("chid.name = \"x\"", "unknown-name"),
        ("child.age = \"x\"", "type"),
        ("child.name + 1", "type"),
        ("child.age and true", "type"),
        ("not(child.age)", "type"),
        ("child.abroad > true", "type"),
        ("some k in child.age satisfies k = 1", "type"),
        ("some k in child.kinds satisfies k = \"c\"", "unknown-option"),
        ("list contains(child.kinds, \"c\")", "unknown-option"),
        ("string length(child.age)", "type"),
        ("count(1, 2)", "type"),
        ("conut(child.kinds)", "unknown-name"),
        ("child.age +", "syntax"),
        ("", "syntax"),
        ("today() > child.born", "forbidden"),
        ("now() = null", "forbidden"),
        ("sort([3, 1], function(x, y) x < y)", "forbidden"),
        ("matches(child.name, child.name)", "forbidden"),
        ("matches(child.name, \"(a{1000}){1000}\")", "forbidden"),
    ] {
        assert_eq!(eval(text).expect_err(text), code, "{text}");
    }
    assert_eq!(
        Expr::condition("child.age", &types()).expect_err("a number")[0].code,
        "type"
    );
}

#[test]
fn hostile_expressions_are_refused_before_they_run() {
    let start = Instant::now();
    let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    let doubling = {
        let mut text = "{ x0: [1,2,3,4,5,6,7,8,9,10]".to_owned();
        for n in 1..40 {
            text.push_str(&format!(", x{n}: concatenate(x{p}, x{p})", p = n - 1));
        }
        text + " }"
    };
    for (text, code) in [
        ("for i in 1..1000000000 return i".to_owned(), "too-costly"),
        (
            "count(for i in 1..1000, j in 1..1000 return i * j)".to_owned(),
            "too-costly",
        ),
        (
            "for i in 1..100 return for j in 1..100 return for k in 1..100 return k".to_owned(),
            "too-costly",
        ),
        ("for i in child.age..9 return i".to_owned(), "too-costly"),
        ("for i in [1..1000000000] return i".to_owned(), "forbidden"),
        (
            "{ r: [1..1000000000], s: sum(for i in r return i) }.s".to_owned(),
            "forbidden",
        ),
        ("(function(f) f(f))(function(f) f(f))".to_owned(), "forbidden"),
        (doubling, "too-costly"),
        (nested(33), "too-deep"),
        (nested(100_000), "too-long"),
        (format!("1{}", "+1".repeat(1_900)), "too-deep"),
        (format!("1{}", " + 1".repeat(100)), "too-deep"),
        ("[1..".to_owned(), "syntax"),
        ("\"".to_owned(), "syntax"),
        ("\\u{110000}".to_owned(), "syntax"),
        ("if".to_owned(), "syntax"),
        ("/*".to_owned(), "syntax"),
    ] {
        let flaws = Expr::parse(&text, &types()).expect_err(&text[..text.len().min(60)]);
        let short = &text[..text.len().min(60)];
        assert!(
            flaws.iter().any(|f| f.code == code),
            "{short}: {:?}",
            flaws.iter().map(|f| (f.code, &f.text.en)).collect::<Vec<_>>()
        );
    }
    // Allowed, and it stays quick.
    let data = Data::new(&types(), &json!({"child": {"kinds": vec!["a"; 100_000], "age": 1e300}}));
    for text in [
        "for i in 1..1000 return i * i",
        "count(child.kinds) <= 100",
        "child.age ** 100000",
        "9999999999 ** 9999999999",
        "date(\"9999-12-31\") + duration(\"P999999999Y\") = null",
    ] {
        Expr::parse(text, &types())
            .unwrap_or_else(|f| panic!("{text}: {f:?}"))
            .eval(&data);
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

/// A form of ten fields a page, each page with a condition on an answer before it.
fn large_form(pages: usize) -> Files {
    let mut form = String::new();
    for page in 0..pages {
        form.push_str(&format!(
            "[[page]]\nid = \"p{page}\"\ntitle = {{ vi = \"Trang {page}\", en = \"Page {page}\" }}\n"
        ));
        if page > 0 {
            form.push_str(&format!("when = \"g{}.f9 = true\"\n", page - 1));
        }
        for field in 0..10 {
            let kind = match field {
                0..=4 => "text",
                5 => "date",
                6 => "integer",
                7 => "person-name",
                8 => "phone",
                _ => "yes-no",
            };
            form.push_str(&format!(
                "[[page.field]]\nid = \"g{page}.f{field}\"\ntype = \"{kind}\"\nlabel = {{ vi = \"Câu {field}\", en = \"Question {field}\" }}\nsource = \"asked\"\nbasis = \"x\"\nsensitivity = \"personal\"\nretention = \"1y\"\n"
            ));
            if field == 4 {
                form.push_str(&format!(
                    "when = \"g{page}.f0 != null and string length(g{page}.f0) > 1\"\n"
                ));
            }
        }
    }
    let mut files = good_files();
    files.insert("form.toml".into(), form);
    files.remove("decisions.dmn");
    let procedure = files.get_mut("procedure.toml").expect("there");
    *procedure = procedure
        .replace("when = \"event.on_paper\"", "when = \"g0.f9\"")
        .replace("about = \"authorisation\"\n", "");
    let process = files.get_mut("process.bpmn").expect("there");
    *process = process.replace(" and request.copies > 0", "");
    Files::from_map(files.into_iter().map(|(n, t)| (n, t.into_bytes()))).expect("files")
}

/// The least time of a walk with judgement over a fully answered form.
fn walk_time(pages: usize, world: &World) -> Duration {
    let start = Instant::now();
    let package = Package::from_files(&large_form(pages), &CheckOptions::default()).expect("loads");
    let loaded = start.elapsed();
    let mut answers = Answers::new();
    for page in 0..pages {
        for field in 0..10 {
            let value = match field {
                0..=4 => json!("một câu trả lời"),
                5 => json!("2020-01-01"),
                6 => json!(42),
                7 => json!("Nguyễn Văn An"),
                8 => json!("0912345678"),
                _ => json!(true),
            };
            answers.set(&format!("g{page}.f{field}"), value);
        }
    }
    let ctx = world.ctx();
    let problems = package.form.validate(&answers, &ctx);
    assert!(problems.is_empty(), "{:?}", codes(&problems));
    let mut least = Duration::MAX;
    for _ in 0..10 {
        let start = Instant::now();
        assert_eq!(package.form.journey(&answers, &ctx).pages.len(), pages);
        least = least.min(start.elapsed());
    }
    eprintln!(
        "{} fields: load {loaded:?}, journey with judgement {least:?}",
        pages * 10
    );
    least
}

#[test]
fn the_walk_over_a_form_does_not_grow_with_the_square() {
    let world = World::new();
    let (small, large) = (walk_time(10, &world), walk_time(40, &world));
    assert!(large < small * 10, "four times the fields: {small:?} to {large:?}");
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
