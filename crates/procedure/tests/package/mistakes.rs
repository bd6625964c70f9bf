//! Mistakes of authors: each class is found, at its place.

use base::Lang;
use procedure::check::{Finding, Report};
use serde_json::json;

use super::{broken, good_files, report_of};

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
            "level = \"full\"",
            "level = \"full\"\nassurance = 3",
            "bad-value",
        ),
        (
            "procedure.toml",
            "level = \"full\"",
            "level = \"full\"\nassurance = 0",
            "bad-value",
        ),
        (
            "procedure.toml",
            "level = \"full\"",
            "level = \"full\"\nassurance = \"2\"",
            "bad-toml",
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
        assert!(!report.ok(), "{file}: {to:?}");
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

/// A question: its id, its type, where the answer comes from, and further keys.
fn question(id: &str, r#type: &str, source: &str, more: &str) -> String {
    format!(
        "[[page.field]]\nid = \"{id}\"\ntype = \"{type}\"\nlabel = {{ vi = \"Câu hỏi\", en = \"Question\" }}\nsource = \"{source}\"\n\
         basis = \"Luật Hộ tịch 2014, Điều 63\"\nsensitivity = \"personal\"\nretention = \"5y\"\n{more}\n"
    )
}

/// The good package with one more page of these questions.
fn with_questions(keys: &str, questions: &[String]) -> Report {
    let mut files = good_files();
    let form = files.get_mut("form.toml").expect("the form");
    let page = format!(
        "[[page]]\nid = \"more\"\ntitle = {{ vi = \"Thêm\", en = \"More\" }}\n{keys}\n\n{}\n[[page]]\nid = \"copies\"",
        questions.concat()
    );
    let wider = form.replacen("[[page]]\nid = \"copies\"", &page, 1);
    assert_ne!(*form, wider, "the page before which it stands");
    *form = wider;
    report_of(files)
}

fn asked_again(report: &Report) -> Vec<&Finding> {
    report
        .findings
        .iter()
        .filter(|finding| finding.code == "asked-again")
        .collect()
}

const CHOICE: &str = "options = [{ value = \"single\", vi = \"Chưa\", en = \"No\" }, { value = \"married\", vi = \"Có\", en = \"Yes\" }]";

#[test]
fn asking_for_what_a_registry_holds_fails_and_names_registry_and_attribute() {
    let told = || {
        question(
            "mother.person_number",
            "person-number",
            "registry:population.mother-number",
            "",
        )
    };
    let code = || question("organisation.tax_code", "tax-code", "asked", "");
    let asked = |id: &str, r#type: &str, more: &str| question(id, r#type, "asked", more);
    let requester = "subject = \"requester\"";
    let cases: [(&str, Vec<String>, &str, &str, &str); 11] = [
        (
            requester,
            vec![asked("requester.full", "person-name", "")],
            "population",
            "full-name",
            "eid:name",
        ),
        (
            requester,
            vec![asked("requester.home.residence", "address", "")],
            "population",
            "residence",
            "registry:population.residence",
        ),
        (
            requester,
            vec![asked("card.insurance_number", "text", "")],
            "social-insurance",
            "insurance-number",
            "registry:social-insurance.insurance-number",
        ),
        (
            requester,
            vec![asked("card.place_of_care", "text", "")],
            "social-insurance",
            "place-of-care",
            "registry:social-insurance.place-of-care",
        ),
        (
            requester,
            vec![asked("marital.status", "choice", CHOICE)],
            "population",
            "marital-status",
            "registry:population.marital-status",
        ),
        (
            "",
            vec![asked("requester.spouse_number", "person-number", "")],
            "civil-status",
            "spouse-number",
            "registry:civil-status.spouse-number",
        ),
        (
            "",
            vec![asked("spouse.name", "person-name", "")],
            "population",
            "full-name",
            "registry:population.full-name of spouse.person_number",
        ),
        (
            "",
            vec![asked("spouse.person_number", "person-number", "")],
            "civil-status",
            "spouse-number",
            "registry:civil-status.spouse-number",
        ),
        (
            "",
            vec![told(), asked("mother.birth", "partial-date", "")],
            "population",
            "birth-date",
            "registry:population.birth-date of mother.person_number",
        ),
        (
            "",
            vec![code(), asked("organisation.address", "address", "")],
            "enterprises",
            "seat",
            "registry:enterprises.seat of organisation.tax_code",
        ),
        // The code stands behind what is asked: the form has its fields in the wrong order.
        (
            "",
            vec![asked("organisation.name", "agency", ""), code()],
            "enterprises",
            "name",
            "registry:enterprises.name of organisation.tax_code",
        ),
    ];
    for (keys, questions, registry, attribute, source) in cases {
        let report = with_questions(keys, &questions);
        let found = asked_again(&report);
        assert_eq!(found.len(), 1, "{questions:?}:\n{}", report.human(Lang::En));
        assert!(!report.ok(), "it is an error");
        let text = &found[0].text;
        for part in [
            format!("“{registry}”"),
            format!("“{attribute}”"),
            format!("source = \"{source}\""),
        ] {
            assert!(
                text.vi.contains(&part) && text.en.contains(&part),
                "{part}: {}",
                text.en
            );
        }
        assert!(found[0].line > 0, "at its place");

        // With a reason it may be asked.
        let last = questions
            .iter()
            .position(|q| q.contains("\"asked\"") && !q.contains("tax-code"))
            .expect("asked");
        let mut excused = questions.clone();
        excused[last].push_str("exception_basis = \"Luật Hộ tịch 2014, Điều 63: người khai phải tự khai\"\n");
        let report = with_questions(keys, &excused);
        assert!(asked_again(&report).is_empty(), "{}", report.human(Lang::En));
    }
}

#[test]
fn what_no_registry_can_tell_may_be_asked() {
    let typed = question("friend.person_number", "person-number", "asked", "");
    let fine = [
        typed.clone(),
        question("friend.name", "person-name", "asked", ""),
        question("friend.residence", "address", "asked", ""),
        question("house.address", "address", "asked", ""),
        question("organisation.tax_code", "tax-code", "asked", ""),
        question(
            "organisation.seat",
            "address",
            "registry:enterprises.seat of organisation.tax_code",
            "",
        ),
        question("organisation.employees", "integer", "asked", ""),
    ];
    let report = with_questions("", &fine);
    assert!(report.ok(), "{}", report.human(Lang::En));
    // By a number that is only typed nobody is looked up, and of an enterprise only what is public.
    for (source, of) in [
        ("registry:population.full-name of friend.person_number", typed),
        (
            "registry:tax.debt-total of firm.tax_code",
            question("firm.tax_code", "tax-code", "asked", ""),
        ),
    ] {
        let r#type = if source.contains("tax.") {
            "money"
        } else {
            "person-name"
        };
        let report = with_questions("", &[of, question("looked.up", r#type, source, "")]);
        assert!(
            report.has("looks-up-anybody") && !report.ok(),
            "{source}:\n{}",
            report.human(Lang::En)
        );
    }
}
