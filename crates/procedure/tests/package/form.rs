//! The form of a good package: its journey, what is posted to it, what it shows.

use base::Lang;
use procedure::{
    form::{Answers, Form, Journey, Origin, Status},
    package::Package,
};
use serde_json::{Value, json};

use super::{World, codes, good_dir};

fn status_of(form: &Form, journey: &Journey, page: &str) -> Option<Status> {
    journey.page(form.page(page)?.0).map(|state| state.status)
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
        for field in procedure::form::render::page(&page, form, state, &draft, None, &ctx, None) {
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
