//! The folders of this repository pass; what is wrong in one is found, all of it at once.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use base::Timestamp;
use procedure::reference::Reference;
use registry::{
    check::Severity,
    folder,
    model::{Dimension, Registry},
    shelf::Shelf,
};
use serde_json::{Value, json};

static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant")
}

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries")
}

/// A copy of the registries in a folder of its own.
fn copy() -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder").flatten() {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).expect("copied");
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    copy(&ours(), folder.path());
    folder
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path).expect("a file");
    let changed = change(text.clone());
    assert_ne!(text, changed, "the test changes nothing in {}", path.display());
    fs::write(path, changed).expect("written");
}

fn good(folder: &Path) -> Registry {
    let (registry, report) = folder::check(folder, &REFERENCE);
    registry.unwrap_or_else(|| panic!("{}", report.human(base::Lang::En)))
}

/// The places and codes of what is wrong.
fn findings(folder: &Path) -> BTreeSet<(String, String)> {
    let (registry, report) = folder::check(folder, &REFERENCE);
    assert!(registry.is_none());
    for finding in &report.findings {
        assert!(!finding.text.vi.is_empty() && !finding.text.en.is_empty());
    }
    let errors = report.findings.into_iter().filter(|f| f.severity == Severity::Error);
    errors.map(|f| (format!("{}:{}", f.file, f.path), f.code)).collect()
}

#[test]
fn every_registry_of_this_repository_is_good() {
    let mut codes = Vec::new();
    for entry in fs::read_dir(ours()).expect("the folder").flatten() {
        if entry.file_name() != folder::DICTIONARY && entry.path().is_dir() {
            let (registry, report) = folder::check(&entry.path(), &REFERENCE);
            assert!(report.findings.is_empty(), "{}", report.human(base::Lang::En));
            codes.push(registry.expect("a registry").code.to_string());
        }
    }
    for code in [
        "population",
        "residence",
        "civil-status",
        "enterprises",
        "tax",
        "social-insurance",
        "customs",
    ] {
        assert!(codes.iter().any(|found| found == code), "{code}");
    }
}

#[test]
fn officers_choose_from_a_list_by_its_names_and_type_what_is_of_no_list_or_a_long_one() {
    let population = good(&ours().join("population"));
    let choices = |path: &str| {
        let field = population.field(&path.parse().expect("a path")).expect("a field");
        population.choices(field, jiff::civil::date(2026, 11, 25), base::Lang::Vi)
    };
    let offers = |path: &str, code: &str, name: &str| {
        let known = choices(path);
        let there = known.iter().any(|(c, n)| (c.as_str(), n.as_str()) == (code, name));
        assert!(there, "{path}: {known:?}");
    };
    offers("ethnicity", "01", "Kinh");
    offers("marital_status", "married", "Đang có vợ, có chồng");
    offers("residence.province", "37", "Ninh Bình");
    assert_eq!(choices("residence.province").len(), 34);
    for typed in ["name", "residence.commune", "former_id_cards"] {
        assert!(choices(typed).is_empty(), "{typed}");
    }
    let mut codes: Vec<String> = choices("status").into_iter().map(|(code, _)| code).collect();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all, "none twice");
}

#[test]
fn a_service_of_pseudonyms_is_one_throughout() {
    let folder = copy();
    let insurance = folder.path().join("social-insurance");
    edit(&insurance.join("registry.toml"), |text| {
        let services = r#"
[[service]]
id = "half"
name = { vi = "Nửa vời", en = "Half" }
operations = ["read", "write", "translate"]
fields = ["person_number", "status", "months"]
pseudonyms = ["months", "insurance_number", "shoe_size"]

[[service]]
id = "linked"
name = { vi = "Có nối mã", en = "Linked" }
operations = ["read"]
fields = ["status"]
between = ["VN/GOV/000.00.00.G09/thongke"]
"#;
        text + services
    });
    let found = findings(&insurance);
    let expected = [
        ("registry.toml:service[7].pseudonyms", "pseudonym-of-no-text"),
        ("registry.toml:service[7].pseudonyms", "pseudonym-not-shown"),
        ("registry.toml:service[7].pseudonyms", "unknown-field"),
        ("registry.toml:service[7].pseudonyms", "subject-in-the-clear"),
        ("registry.toml:service[7].operations", "write-by-pseudonym"),
        ("registry.toml:service[7].operations", "translate-between-whom"),
        ("registry.toml:service[8].between", "link-without-translate"),
    ];
    for (at, code) in expected {
        assert!(
            found.contains(&(at.to_owned(), code.to_owned())),
            "{at} {code} in {found:#?}"
        );
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_at_its_place() {
    let folder = copy();
    let population = folder.path().join("population");
    edit(&population.join("registry.toml"), |text| {
        text.replace("steward = \"G01\"", "steward = \"G01\"\n")
            .replace(
                "key = [\"person_number\"]",
                "key = [\"father_person_number\", \"shoe_size\"]",
            )
            .replace("subjects = [\"person_number\"]", "subjects = [\"name\"]")
            .replace("filters = [\"residence.commune\"]", "filters = [\"sex\"]")
            .replace("operators = [\"eq\", \"range\"]", "operators = []")
    });
    edit(&population.join("schema.json"), |text| {
        text.replace("\"x-term\": \"person.name\", ", "")
            .replace("\"x-term\": \"person.sex\"", "\"x-term\": \"person.gender\"")
            .replace("\"format\": \"date\"", "\"format\": \"date-time\"")
            .replace(
                "\"x-term\": \"place.province\", \"type\": \"string\"",
                "\"x-term\": \"place.province\", \"type\": \"integer\"",
            )
            .replacen("\"additionalProperties\": false,", "", 1)
    });
    edit(&folder.path().join("dictionary/person.toml"), |text| {
        text.replace("list = \"marital-status\"", "list = \"no-such-list\"")
    });
    let found = findings(&population);
    let expected = [
        ("dictionary:person.marital-status.list", "unknown-list"),
        ("registry.toml:filter[5].operators", "nothing-named"),
        ("registry.toml:key", "key-not-required"),
        ("registry.toml:key", "unknown-field"),
        ("registry.toml:service[3].filters", "unknown-filter"),
        ("registry.toml:subjects", "unknown-field"),
        ("schema.json:", "body-open"),
        ("schema.json:/properties/death_date", "term-type-differs"),
        ("schema.json:/properties/name", "field-without-term"),
        (
            "schema.json:/properties/residence/properties/province",
            "term-type-differs",
        ),
        ("schema.json:/properties/sex", "unknown-term"),
    ];
    for (at, code) in expected {
        assert!(
            found.contains(&(at.to_owned(), code.to_owned())),
            "{at} {code} in {found:#?}"
        );
    }
}

#[test]
fn rules_are_judged_against_the_fields() {
    let folder = copy();
    let population = folder.path().join("population");
    edit(&population.join("rules.toml"), |text| {
        text.replace("field = \"death_date\"\nwhen", "field = \"dead_date\"\nwhen")
            .replace("death_date <= today", "death_date <= tomorrow")
            .replace("pattern = '(19", "pattern = '((19")
            .replace("kind = \"unique\"", "kind = \"unique\"\nfieldz = []")
    });
    let found = findings(&population);
    assert!(found.iter().any(|(_, code)| code == "unknown-key"), "{found:?}");
    edit(&population.join("rules.toml"), |text| text.replace("\nfieldz = []", ""));
    let found: Vec<String> = findings(&population)
        .into_iter()
        .map(|(at, code)| format!("{at} {code}"))
        .collect();
    for expected in [
        "rules.toml:rule[0].field unknown-field",
        "rules.toml:rule[2].holds unknown-name",
        "rules.toml:rule[6].pattern bad-pattern",
    ] {
        assert!(found.iter().any(|f| f == expected), "{expected} in {found:#?}");
    }
}

/// People are told of themselves by their number: where records are about them, under their key, and never by pseudonyms.
#[test]
fn a_service_for_those_whom_records_are_about_has_their_numbers_and_keys() {
    let folder = copy();
    let of = |code: &str, replaced: &[(&str, &str)]| {
        let path = folder.path().join(code);
        edit(&path.join("registry.toml"), |text| {
            replaced
                .iter()
                .fold(text, |text, (from, to)| text.replacen(from, to, 1))
        });
        findings(&path).into_iter().map(|(_, code)| code).collect::<Vec<_>>()
    };
    let trade = ("[\"list\", \"bulk\", \"changes\", \"doubt\"]", "[\"list\", \"own\"]");
    // Its records name nobody: without those who represent the declarant there is nobody to be told.
    edit(&folder.path().join("customs/registry.toml"), |text| {
        let (before, table) = text.split_once("[represented]").expect("of enterprises");
        let (_, after) = table.split_once("\n\n").expect("what follows");
        format!("{before}{after}")
    });
    let customs = of("customs", &[trade]);
    assert!(customs.contains(&"own-without-subject".to_owned()), "{customs:?}");
    let insurance = of(
        "social-insurance",
        &[("[\"read\", \"history\", \"list\", \"changes\"]", "[\"list\", \"own\"]")],
    );
    assert!(insurance.contains(&"write-by-pseudonym".to_owned()), "{insurance:?}");
    let verify = ("operations = [\"read\", \"doubt\"]", "operations = [\"own\"]");
    let residence = of(
        "residence",
        &[
            verify,
            (
                "fields = [\"person_number\", \"kind\", \"address\", \"since\"]",
                "fields = [\"kind\"]",
            ),
        ],
    );
    assert!(residence.contains(&"write-without-key".to_owned()), "{residence:?}");
}

/// Who represents an enterprise, another registry knows, by the code that a record has.
#[test]
fn enterprises_are_named_by_their_codes_and_represented_by_what_another_registry_says() {
    let field = "field = \"tax_code\"\nregistry";
    for (from, to, expected) in [
        (
            field,
            "field = \"nowhere\"\nregistry",
            ("registry.toml:represented.field", "unknown-field"),
        ),
        (
            field,
            "field = \"office\"\nregistry",
            ("registry.toml:represented.field", "represented-not-an-enterprise"),
        ),
        (
            "registry = \"enterprises\"",
            "registry = \"customs\"",
            ("registry.toml:represented.registry", "represented-by-itself"),
        ),
        (
            "values = [\"active\", \"suspended\", \"dissolving\", \"bankruptcy\"]",
            "values = []",
            ("registry.toml:represented.exists.values", "nothing-named"),
        ),
        ("named = \"name\"\n", "", ("registry.toml:", "not-toml")),
    ] {
        let folder = copy();
        let customs = folder.path().join("customs");
        edit(&customs.join("registry.toml"), |text| text.replacen(from, to, 1));
        let found = findings(&customs);
        let (at, code) = expected;
        let is_it = |(place, found): &(String, String)| place.starts_with(at) && (found == code || code == "not-toml");
        assert!(found.iter().any(is_it), "{expected:?} in {found:?}");
    }
}

#[test]
fn what_services_tell_and_numbers_are_made_of_is_judged() {
    let folder = copy();
    let population = folder.path().join("population");
    edit(&population.join("registry.toml"), |text| {
        text.replace("\"marital-status\", \"status\"]", "\"shoe-size\"]")
            .replace(
                "operations = [\"read\", \"history\", \"write\", \"doubt\"]",
                "operations = [\"read\", \"history\", \"write\", \"facts\"]",
            )
            .replace("id = \"verify\"", "id = \"verify\"\nattributes = [\"sex\"]")
            .replace("sex = \"sex\"", "sex = \"gender\"")
            .replace("birth_date = \"birth_date\"", "birth_date = \"former_id_cards\"")
            .replace(
                "[[event]]\nid = \"changed\"",
                "[[allocate]]\nfield = \"person_number\"\nrule = \"insurance-number\"\n[[event]]\nid = \"changed\"",
            )
    });
    let insurance = folder.path().join("social-insurance");
    edit(&insurance.join("registry.toml"), |text| {
        text.replace("TE = 1", "TE = 6")
            .replace(
                "insurance_number = \"insurance_number\"",
                "insurance_number = \"card.number\"",
            )
            .replace("[[filter]]\nfield = \"insurance_number\"\noperators = [\"eq\"]\n", "")
    });
    let civil = folder.path().join("civil-status");
    edit(&civil.join("registry.toml"), |text| {
        text.replace("field = \"number\"\nrule", "field = \"year\"\nrule")
    });
    for (folder, expected) in [
        (
            population,
            vec![
                ("allocate[0].rule", "allocate-many"),
                ("allocate[0].rule", "unknown-field"),
                ("allocate[1].field", "duplicate-id"),
                ("allocate[1].rule", "allocate-kind"),
                ("service[0].attributes", "attributes-without-facts"),
                ("service[1].attributes", "unknown-attribute"),
                ("service[4].attributes", "nothing-named"),
            ],
        ),
        (
            insurance,
            vec![
                ("allocate[0].field", "no-filter"),
                ("allocate[1].benefit", "bad-benefit"),
                ("allocate[1].rule", "allocate-order"),
            ],
        ),
        (civil, vec![("allocate[0].field", "allocate-key")]),
    ] {
        let expected: BTreeSet<(String, String)> = expected
            .into_iter()
            .map(|(at, code)| (format!("registry.toml:{at}"), code.to_owned()))
            .collect();
        assert_eq!(findings(&folder), expected);
    }
}

#[test]
fn a_hostile_folder_is_refused() {
    let folder = copy();
    let population = folder.path().join("population");
    fs::write(population.join("run.sh"), "#!/bin/sh").expect("written");
    assert!(findings(&population).contains(&("run.sh:".into(), "bad-file".into())));
    fs::remove_file(population.join("run.sh")).expect("removed");
    edit(&population.join("schema.json"), |text| {
        text.replace(
            "\"description\": \"Sex\"",
            "\"allOf\": [{\"$ref\": \"https://example.com/x.json\"}]",
        )
    });
    let found = findings(&population);
    assert!(
        found.contains(&("schema.json:/properties/sex/allOf".into(), "schema-keyword".into())),
        "{found:?}"
    );
    fs::write(population.join("schema.json"), [0xff, 0xfe]).expect("written");
    assert!(findings(&population).contains(&("schema.json:".into(), "not-utf8".into())));
    fs::remove_file(population.join("schema.json")).expect("removed");
    assert!(findings(&population).contains(&("schema.json:".into(), "missing-file".into())));
    let moved = folder.path().join("people");
    fs::rename(folder.path().join("civil-status"), &moved).expect("renamed");
    assert!(findings(&moved).contains(&("registry.toml:code".into(), "folder-name-differs".into())));
}

fn person() -> Value {
    json!({
        "person_number": "001190000017", "former_id_cards": ["012345678"], "name": "Nguyễn Thị An", "birth_date": "1990-05-17",
        "sex": "female", "ethnicity": "01", "nationality": "VN", "status": "alive", "marital_status": "single",
        "residence": {"province": "01", "commune": "00004", "detail": "12 Hàng Than"},
    })
}

#[test]
fn a_body_is_judged_by_schema_identifiers_lists_and_rules() {
    let population = good(&ours().join("population"));
    let day = now().legal_date();
    let judge = |body: &Value| population.judge(body, day, now());
    let judged = judge(&person());
    assert!(judged.problems.is_empty() && judged.noted.is_empty(), "{judged:?}");

    let with = |path: &str, value: Value| {
        let mut body = person();
        body[path] = value;
        let judged = judge(&body);
        let codes: Vec<String> = judged.problems.iter().map(|p| format!("{} {}", p.at, p.code)).collect();
        (codes, judged.noted.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        with("person_number", json!("090190000017")).0,
        ["person_number unknown-birthplace"]
    );
    assert_eq!(with("birth_date", json!("1990-02-30")).0, ["birth_date not-a-date"]);
    assert_eq!(with("birth_date", json!("1890")).0, ["birth_date born-since-1900"]);
    assert_eq!(with("birth_date", json!("1990")).1, ["full-birth-date"]);
    assert_eq!(with("birth_date", json!("1991-05-17")).1, ["number-fits-birth"]);
    assert_eq!(with("sex", json!("male")).1, ["number-fits-sex"]);
    // A man who was born a century later.
    assert_eq!(
        with("person_number", json!("001290000017")).1,
        ["number-fits-birth", "number-fits-sex"]
    );
    assert_eq!(with("ethnicity", json!("77")).0, ["ethnicity not-in-list"]);
    assert_eq!(with("status", json!("dead")).0, ["death_date dead-has-day"]);
    assert_eq!(
        with("death_date", json!("2020-01-01")).0,
        ["death_date alive-has-no-day"]
    );
    assert_eq!(with("mother_person_number", json!("001190000017")).0.len(), 1);
    assert_eq!(with("residence", json!({"province": "01"})).0, ["residence required"]);
    // A commune of before the merger holds before it and not after.
    let old = json!({"province": "01", "commune": "00001"});
    assert_eq!(with("residence", old.clone()).0, ["residence.commune not-in-list"]);
    let mut before = person();
    before["residence"] = old;
    let may = "2025-05-01".parse().expect("a day");
    assert!(population.judge(&before, may, now()).problems.is_empty());
    // Nothing of what was said is repeated.
    let mut secret = person();
    secret["name"] = json!(["Nguyễn Thị Bí Mật"]);
    secret["phone"] = json!("0912345678");
    let told = format!("{:?}", judge(&secret).problems);
    assert!(!told.contains("Bí Mật") && !told.contains("0912345678"), "{told}");

    assert_eq!(population.key_of(&person()), Ok("001190000017".to_owned()));
    assert_eq!(population.subjects_of(&person()), ["001190000017"]);
    assert!(population.rules.iter().any(|rule| rule.dimension == Dimension::Unique));
}

#[test]
fn a_key_of_several_fields_is_one_text() {
    let civil = good(&ours().join("civil-status"));
    let body = json!({"kind": "birth", "commune": "00004", "year": 2026, "number": 12, "registered_on": "2026-03-02",
        "child": {"name": "Lê Văn Bé", "birth_date": "2026-02-20", "sex": "male"}, "mother": {"name": "Nguyễn Thị An", "person_number": "001190000017"}});
    let judged = civil.judge(&body, "2026-03-02".parse().expect("a day"), now());
    assert!(judged.problems.is_empty() && judged.noted.is_empty(), "{judged:?}");
    assert_eq!(civil.key_of(&body), Ok("birth~00004~2026~12".to_owned()));
    assert_eq!(civil.subjects_of(&body), ["001190000017"]);
    let death = json!({"kind": "death", "commune": "00004", "year": 2025, "number": 12, "registered_on": "2026-03-02", "death_date": "2026-03-03"});
    let judged = civil.judge(&death, "2026-03-02".parse().expect("a day"), now());
    let codes: Vec<&str> = judged.problems.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(
        codes,
        ["death-has-deceased", "registered-in-year", "died-before-registered"]
    );
}

#[tokio::test]
async fn a_new_version_says_what_it_breaks_and_migrates() {
    for store in store::testkit::stores(&[registry::MIGRATIONS]).await {
        let folder = copy();
        let population = folder.path().join("population");
        let read = || folder::read(&population).expect("files");
        edit(&population.join("registry.toml"), |text| {
            text.replace(
                "sensitivity = \"internal\"\n",
                "sensitivity = \"internal\"\nwithout_dossier = [\"statistics\"]\n",
            )
        });
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        let first = shelf.publish(&read(), "test", now()).await.expect("published");
        assert!(first.is_new && first.breaks.is_empty());
        assert!(!shelf.publish(&read(), "test", now()).await.expect("nothing new").is_new);

        // Another word in another's term is no new version.
        edit(&folder.path().join("dictionary/civil-status.toml"), |text| {
            text.replace("Năm mở sổ", "Năm lập sổ")
        });
        assert!(!shelf.publish(&read(), "test", now()).await.expect("nothing new").is_new);

        // What may be asked follows the fields.
        edit(&population.join("attributes.toml"), |text| {
            text.replace("value = \"marital_status\"", "value = \"civil_status\"")
        });
        edit(&population.join("schema.json"), |text| {
            text.replace("\"marital_status\": {", "\"civil_status\": {")
                .replace(
                    "\"maxLength\": 100, \"description\": \"Full name",
                    "\"maxLength\": 80, \"description\": \"Full name",
                )
                .replace(
                    "\"nationality\", \"status\"]",
                    "\"nationality\", \"status\", \"ethnicity\"]",
                )
        });
        edit(&population.join("registry.toml"), |text| {
            text.replace("\"marital_status\"", "\"civil_status\"").replace(
                "[[filter]]\nfield = \"father_person_number\"\noperators = [\"eq\"]\n",
                "",
            )
        });
        let error = shelf.publish(&read(), "test", now()).await.expect_err("it breaks");
        let problems = error.problems().expect("a refusal");
        let codes: Vec<String> = problems.iter().map(|p| format!("{} {}", p.at, p.code)).collect();
        assert_eq!(
            codes,
            [
                "registry.toml:version version-not-higher",
                "name type-narrowed",
                "marital_status field-removed",
                "ethnicity now-required"
            ]
        );

        edit(&population.join("registry.toml"), |text| {
            text.replace("version = 1", "version = 2")
                .replace("without_dossier = [\"statistics\"]\n", "")
        });
        fs::write(
            population.join("migration.toml"),
            "from = 1\n[[rename]]\nfrom = \"marital_status\"\nto = \"civil_status\"\n[[set]]\nfield = \"name\"\n\
             value = 'substring(name, 1, 80)'\n[[default]]\nfield = \"ethnicity\"\nvalue = '\"00\"'\n",
        )
        .expect("written");
        let second = shelf.publish(&read(), "test", now()).await.expect("published");
        let breaks: Vec<(&str, bool)> = second.breaks.iter().map(|b| (b.code, b.of_callers)).collect();
        let expected = [
            ("type-narrowed", false),
            ("field-removed", false),
            ("now-required", false),
            ("filter-removed", true),
            // The three that showed the field by its old name.
            ("service-removed", true),
            ("service-removed", true),
            ("service-removed", true),
            ("dossier-required", true),
        ];
        assert_eq!(breaks, expected);

        // What is stored is brought forward as it is read, from disk as well.
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        let editions = shelf.get(&second.registry.code).expect("there");
        assert_eq!(
            editions.published().map(|p| p.registry.version).collect::<Vec<_>>(),
            [1, 2]
        );
        let mut old = person();
        old["name"] = json!("A".repeat(95));
        old.as_object_mut().expect("a body").remove("ethnicity");
        let day = now().legal_date();
        let new = editions.forward(&old, 1, day, now()).into_owned();
        assert_eq!(new["civil_status"], "single");
        assert_eq!(new["name"].as_str().expect("a name").len(), 80);
        assert_eq!(new["ethnicity"], "00");
        assert!(new.get("marital_status").is_none());
        assert!(editions.current().judge(&new, day, now()).problems.is_empty());
        assert_eq!(editions.forward(&new, 2, day, now()).into_owned(), new);

        // A migration is judged against the version that it begins at.
        edit(&population.join("registry.toml"), |text| {
            text.replace("version = 2", "version = 3")
        });
        let error = shelf
            .publish(&read(), "test", now())
            .await
            .expect_err("from the wrong version");
        assert!(
            error
                .problems()
                .expect("a refusal")
                .iter()
                .any(|p| p.code == "migration-from")
        );
    }
}

#[tokio::test]
async fn an_event_that_its_readers_could_not_expect_gets_another_id() {
    for store in store::testkit::stores(&[registry::MIGRATIONS]).await {
        let folder = copy();
        let population = folder.path().join("population");
        let read = || folder::read(&population).expect("files");
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        shelf.publish(&read(), "test", now()).await.expect("published");
        // Another sort of change, and a field less; a field more breaks nobody.
        edit(&population.join("registry.toml"), |text| {
            text.replace("version = 1", "version = 2")
                .replace(
                    "on = [\"assert\"]\nfields = [\"person_number\"]",
                    "on = [\"assert\", \"correct\"]\nfields = [\"person_number\", \"name\"]",
                )
                .replace(
                    "fields = [\"person_number\", \"status\"]",
                    "fields = [\"person_number\"]",
                )
        });
        let error = shelf.publish(&read(), "test", now()).await.expect_err("it breaks");
        let problems = error.problems().expect("a refusal");
        let codes: Vec<String> = problems.iter().map(|p| format!("{} {}", p.at, p.code)).collect();
        assert_eq!(codes, ["registered event-changed", "changed event-changed"]);
        assert!(
            problems
                .iter()
                .all(|problem| problem.text.en.ends_with("Give the event another id."))
        );
        edit(&population.join("registry.toml"), |text| {
            text.replace("id = \"registered\"", "id = \"numbered\"")
                .replace("id = \"changed\"", "id = \"altered\"")
        });
        let second = shelf.publish(&read(), "test", now()).await.expect("published");
        let breaks: Vec<(&str, bool)> = second.breaks.iter().map(|b| (b.code, b.of_callers)).collect();
        assert_eq!(breaks, [("event-removed", true), ("event-removed", true)]);
    }
}

#[test]
fn an_age_is_told_by_the_calendar_and_found_by_a_filter() {
    let good = "reaches = { years = 75, since = \"birth_date\" }";
    for (bad, code) in [
        (format!("on = [\"assert\"]\n{good}"), "event-on-and-reaches"),
        (good.replace("75", "0"), "event-years"),
        (good.replace("75", "121"), "event-years"),
        (good.replace("birth_date", "death_date"), "event-since-no-filter"),
        // Found without its case and marks only.
        (good.replace("birth_date", "name"), "event-since-no-filter"),
        (String::new(), "nothing-named"),
    ] {
        let folder = copy();
        let population = folder.path().join("population");
        edit(&population.join("registry.toml"), |text| text.replace(good, &bad));
        let found = findings(&population);
        assert!(found.iter().any(|(_, found)| found == code), "{bad}: {found:?}");
    }
}

#[test]
fn merges_are_told_by_one_event_with_the_keys_and_nothing_else() {
    let good = "on = [\"merged\", \"parted\"]";
    let id = "id = \"merged\"";
    for (text, bad) in [
        (good, "on = [\"merged\"]"),
        (good, "on = [\"merged\", \"parted\", \"end\"]"),
        (good, "on = [\"assert\"]"),
        (good, "on = [\"merged\", \"parted\"]\nfields = [\"name\"]"),
        (id, "id = \"joined\""),
    ] {
        let folder = copy();
        let population = folder.path().join("population");
        edit(&population.join("registry.toml"), |registry| {
            registry.replace(text, bad)
        });
        let found = findings(&population);
        assert!(
            found.iter().any(|(_, found)| found == "event-merges"),
            "{bad}: {found:?}"
        );
    }
}
