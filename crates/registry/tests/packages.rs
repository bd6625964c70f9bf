//! What the packages of the catalogue tell registries is what these registries take in: for sample answers of each, every body passes the
//! registry's own schema, identifiers, code lists and rules, so that no saga is refused for a mistake in a package.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use base::Timestamp;
use jiff::civil::{Date, date};
use procedure::{
    decision::Bar,
    form::{
        Answers, Applicant, Attribute, Channel, Context, Facts, FieldSource, Journey, Said, held as known_to_forms,
    },
    package::Package,
    reference::Reference,
    writes::{Act, Plan},
};
use registry::{elsewhere::FACTS_SERVICE, folder, model::Registry};
use serde_json::{Map, Value, json};

static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

const TODAY: Date = date(2026, 11, 25);
const REQUESTER: &str = "001190000017";
const OTHER: &str = "001088000026";
const MOTHER: &str = "001162000035";

fn now() -> Timestamp {
    Timestamp::from_legal(TODAY.at(10, 0, 0, 0))
}

fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder)
}

fn package(code: &str) -> Arc<Package> {
    Package::load_dir(&root("catalogue").join(code)).expect("a good package")
}

fn registry(code: &str) -> Registry {
    let (registry, report) = folder::check(&root("registries").join(code), &REFERENCE);
    registry.unwrap_or_else(|| panic!("{}", report.human(base::Lang::En)))
}

fn place(detail: &str) -> Value {
    json!({ "province": "37", "commune": "14329", "detail": detail })
}

/// A woman with an e-ID of level 2.
fn applicant() -> Applicant {
    Applicant {
        name: Some("Nguyễn Thị Ngọc Ánh".to_owned()),
        person_number: Some(REQUESTER.to_owned()),
        birth_date: Some(date(1990, 5, 2)),
        sex: Some("female".to_owned()),
        phone: Some("0905123456".to_owned()),
        email: Some("an@example.vn".to_owned()),
        assurance: 2,
        ..Applicant::default()
    }
}

/// Somebody's filing: what registries said, what was typed, what officers entered in steps.
struct Filing {
    code: &'static str,
    said: Vec<(&'static str, Value)>,
    typed: Vec<(&'static str, Value)>,
    steps: Value,
}

impl Filing {
    fn facts(&self) -> Facts {
        let known = |(attribute, value): &(&str, Value)| {
            let said = Said::Known {
                value: value.clone(),
                entry: "sample#1".to_owned(),
                recorded_at: now(),
                at: now(),
            };
            (attribute.parse::<Attribute>().expect("an attribute"), said)
        };
        let residence = ("population.residence", place("12 Lê Lợi"));
        let nation = ("population.nationality", json!("VN"));
        let ethnicity = ("population.ethnicity", json!("01"));
        let always = [residence, nation, ethnicity];
        Facts {
            said: always.iter().chain(&self.said).map(known).collect(),
            ..Facts::default()
        }
    }

    fn answers(&self) -> Answers {
        let mut answers = Answers::new();
        for (id, value) in &self.typed {
            answers.set(id, value.clone());
        }
        answers.set("request.promise", json!(true));
        answers
    }

    /// Looks at the form as it is once everything is answered, with how it is seen.
    fn seen<T>(&self, look: impl FnOnce(&Package, &Journey, &Context<'_>) -> T) -> T {
        let (package, applicant, facts) = (package(self.code), applicant(), self.facts());
        let context = Context {
            applicant: &applicant,
            channel: Channel::Online,
            today: TODAY,
            facts: &facts,
            units: &REFERENCE.units,
        };
        let journey = package.form.journey(&self.answers(), &context);
        look(&package, &journey, &context)
    }

    /// The texts of what keeps it from being filed.
    fn stops(&self) -> Vec<String> {
        self.seen(|package, journey, context| {
            let remarks = package.eligibility(&journey.answers, context).expect("the decision");
            let stops = remarks.into_iter().filter(|remark| remark.severity == Bar::Stop);
            stops.map(|remark| remark.text.en).collect()
        })
    }

    /// Tells the registries one after the other as a saga does; gives the writes that were due, with what each registry then held.
    fn told(&self) -> Vec<(String, Value)> {
        let (package, mut values) = self.seen(|package, journey, context| {
            let problems: Vec<_> = journey
                .problems
                .iter()
                .map(|p| format!("{}: {}", p.at, p.text.en))
                .collect();
            assert!(journey.is_complete(), "{}: {problems:#?}", self.code);
            let values = package.process_variables(&journey.answers, context);
            (self.code, values)
        });
        assert_eq!(self.stops(), Vec::<String>::new(), "{}", self.code);
        let package = self::package(package);
        values.extend(self.steps.as_object().cloned().unwrap_or_default());
        values.insert("code".to_owned(), json!("H42.28-261125-0001"));
        values.insert("agency".to_owned(), json!("H42.28"));
        values.insert("decided_on".to_owned(), json!(TODAY.to_string()));
        let mut told = Map::new();
        let mut out = Vec::new();
        for write in &package.writes {
            values.insert("told".to_owned(), Value::Object(told.clone()));
            for due in write.due(&values) {
                let plan = due.plan(TODAY).expect("a key and a day");
                let record = kept(&plan, &due.id);
                told.insert(due.id.clone(), record.clone());
                out.push((due.id, record));
            }
        }
        out
    }
}

/// What the registry holds once it was told: it gives the numbers, puts changed fields in place of the record's, and judges the whole.
fn kept(plan: &Plan, write: &str) -> Value {
    let registry = registry(&plan.registry);
    let mut record = match plan.act {
        Act::Assert => given(&plan.registry, plan.body.clone()),
        Act::Put => {
            let key = registry.key_of(&plan.body).expect("a key");
            assert_eq!(plan.key.as_ref(), Some(&key), "{write} puts the record of its key");
            plan.body.clone()
        }
        Act::Change | Act::End => {
            let key = plan.key.as_deref().expect("a key");
            let mut record = held(&plan.registry, key);
            lay_over(&mut record, &plan.body);
            record
        }
    };
    if plan.act == Act::End {
        assert_eq!(plan.body, json!({}), "an end says nothing but its day");
    }
    let judgement = registry.judge(&record, plan.valid_from, now());
    let problems: Vec<_> = judgement
        .problems
        .iter()
        .map(|p| format!("{}: {}", p.at, p.text.en))
        .collect();
    assert!(
        problems.is_empty(),
        "{write} in {}: {problems:#?} of {record:#}",
        plan.registry
    );
    registry.key_of(&record).expect("a key");
    record["_from"] = json!(plan.valid_from.to_string());
    record
}

/// The next number of a book of civil status.
const NEXT: u32 = 901;

/// A new record with the numbers that the registry gives, where the package leaves them to it.
fn given(registry: &str, mut body: Value) -> Value {
    let kept = self::registry(registry);
    let give = |body: &mut Value, at: &str, number: &str| {
        let field = at.trim_start_matches('/').replace('/', ".");
        let given = kept.allocations.iter().any(|of| of.field.as_str() == field);
        assert!(given, "{registry} gives no {field}");
        assert!(body.pointer(at).is_none(), "{registry} gives {at} itself");
        let (group, field) = at.rsplit_once('/').expect("a pointer");
        let group = body.pointer_mut(group).and_then(Value::as_object_mut);
        group.expect("a group").insert(field.to_owned(), json!(number));
    };
    match registry {
        "population" => give(&mut body, "/person_number", "001226000041"),
        "enterprises" => give(&mut body, "/tax_code", "0100109106"),
        "social-insurance" => {
            give(&mut body, "/insurance_number", "0123456789");
            if body.get("card").is_some() {
                give(&mut body, "/card/number", "TE1370123456789");
            }
        }
        "civil-status" if body.get("number").is_none() => body["number"] = json!(NEXT),
        _ => {}
    }
    body
}

/// A record that is there already.
fn held(registry: &str, key: &str) -> Value {
    match registry {
        "population" => json!({
            "person_number": key, "name": "Trần Văn Nam", "birth_date": "1988-02-03", "sex": "male", "nationality": "VN",
            "residence": place("1 Trần Phú"), "marital_status": "single", "status": "alive",
        }),
        "social-insurance" => json!({
            "person_number": key, "insurance_number": "0123456789", "name": "Trần Văn Nam", "birth_date": "1988-02-03", "group": "GD",
            "status": "contributing", "card": { "number": "GD4370123456789", "valid_from": "2026-01-01", "valid_to": "2026-12-31" },
        }),
        "residence" => json!({
            "person_number": key.trim_end_matches("~permanent"), "kind": "permanent", "household": "14329-000077", "head_person_number": REQUESTER,
            "relation_to_head": "spouse", "address": place("12 Lê Lợi"), "since": "2020-05-01",
        }),
        "tax" => json!({
            "taxpayer_number": key, "kind": "person", "person_number": key, "name": "Trần Văn Nam", "status": "active",
            "debts": [{ "tax": "personal-income", "amount": 350_000, "due_on": "2026-03-31" }], "debt_total": 350_000,
        }),
        other => panic!("no package changes a record of {other}"),
    }
}

/// Each field of the body takes the place of the record's, a group as a whole.
fn lay_over(record: &mut Value, change: &Value) {
    for (field, value) in change.as_object().expect("a body") {
        record[field.as_str()] = value.clone();
    }
}

fn ids(told: &[(String, Value)]) -> Vec<&str> {
    told.iter().map(|(id, _)| id.as_str()).collect()
}

fn register_number() -> Value {
    json!({ "review": { "register_number": 15 } })
}

fn birth() -> Filing {
    Filing {
        code: "3.000722",
        said: vec![
            ("civil-status.spouse-number", json!(OTHER)),
            ("population.full-name of other.person_number", json!("Trần Văn Nam")),
            ("population.birth-date of other.person_number", json!("1988-02-03")),
            ("population.ethnicity of other.person_number", json!("01")),
            ("population.nationality of other.person_number", json!("VN")),
            ("population.residence of other.person_number", place("12 Lê Lợi")),
            ("social-insurance.place-of-care", json!("37001")),
            ("residence.household", json!("14329-000012")),
            ("residence.head-number", json!(REQUESTER)),
        ],
        typed: vec![
            ("requester.relation", json!("mother")),
            ("parents.both", json!(true)),
            ("child.name", json!("Trần Bình An")),
            ("child.birth_date", json!("2026-11-20")),
            ("child.sex", json!("male")),
            ("child.ethnicity", json!("01")),
            ("child.hometown", json!("Phường Hoa Lư, tỉnh Ninh Bình")),
            ("birth.commune", json!({ "province": "37", "commune": "14329" })),
            ("birth.proof", json!("electronic")),
            ("home.with", json!("me")),
            ("home.relation", json!("child")),
            ("card.other", json!(false)),
        ],
        steps: register_number(),
    }
}

/// A birth alone. Both parents are described as the person who files would type it; the form takes what it asks for.
fn birth_alone(relation: &'static str, known: &'static str, married: bool) -> Filing {
    let commune = json!({ "province": "37", "commune": "14329" });
    let parents = [
        ("mother.name", json!("Lê Thị Hoa")),
        ("mother.birth", json!("1992-08")),
        ("mother.person_number", json!(MOTHER)),
        ("mother.ethnicity", json!("01")),
        ("mother.nationality", json!("VN")),
        ("mother.residence", place("3 Tràng An")),
        ("father.name", json!("Phạm Văn Sơn")),
        ("father.birth", json!("1990")),
        ("father.ethnicity", json!("01")),
        ("father.nationality", json!("VN")),
        ("father.residence", place("5 Tràng An")),
    ];
    let child = [
        ("requester.relation", json!(relation)),
        ("child.situation", json!("ordinary")),
        ("child.name", json!("Trần Bình An")),
        ("child.birth_date", json!("2026-11-20")),
        ("child.sex", json!("male")),
        ("child.birth_at", json!("elsewhere")),
        ("child.birth_commune", commune.clone()),
        ("child.ethnicity", json!("01")),
        ("child.nationality", json!("VN")),
        ("child.hometown", commune),
        ("birth.proof", json!("electronic")),
        ("parents.known", json!(known)),
        ("parents.married", json!(married)),
        ("marriage.certificate", json!("unknown")),
        ("marriage.office", json!("Ủy ban nhân dân phường Hoa Lư")),
    ];
    Filing {
        code: "1.001193",
        said: vec![
            ("civil-status.marriage-entry", json!("12/2020")),
            ("civil-status.spouse-number", json!(OTHER)),
            ("population.full-name of spouse.person_number", json!("Trần Văn Nam")),
            ("population.birth-date of spouse.person_number", json!("1988-02-03")),
            ("population.ethnicity of spouse.person_number", json!("01")),
            ("population.nationality of spouse.person_number", json!("VN")),
            ("population.residence of spouse.person_number", place("12 Lê Lợi")),
        ],
        typed: child.into_iter().chain(parents).collect(),
        steps: register_number(),
    }
}

fn death(who: &str) -> Filing {
    let mut said = Vec::new();
    let mut typed = vec![
        ("deceased.who", json!(who)),
        ("death.death_date", json!("2026-11-21")),
        ("death.commune", json!({ "province": "37", "commune": "14329" })),
        ("death.place", json!("Bệnh viện đa khoa tỉnh Ninh Bình")),
        ("death.cause", json!("Bệnh")),
        ("death.proof", json!("electronic")),
    ];
    match who {
        "spouse" => said.extend([
            ("civil-status.spouse-number", json!(OTHER)),
            ("population.full-name of spouse.person_number", json!("Trần Văn Nam")),
            ("population.birth-date of spouse.person_number", json!("1988-02-03")),
            ("population.residence of spouse.person_number", place("12 Lê Lợi")),
            (
                "social-insurance.insurance-number of spouse.person_number",
                json!("0123456789"),
            ),
            ("residence.household of spouse.person_number", json!("14329-000077")),
            ("tax.status of spouse.person_number", json!("active")),
        ]),
        "father" => said.extend([
            ("tax.status of father.person_number", json!("closed")),
            ("population.father-number", json!(OTHER)),
            ("population.full-name of father.person_number", json!("Nguyễn Văn Nam")),
            ("population.birth-date of father.person_number", json!("1958")),
            ("population.residence of father.person_number", place("12 Lê Lợi")),
            ("population.marital-status of father.person_number", json!("married")),
            ("civil-status.spouse-number of father.person_number", json!(MOTHER)),
        ]),
        _ => typed.extend([
            ("person.person_number", json!(OTHER)),
            ("person.name", json!("Lê Văn Sơn")),
            ("person.birth_date", json!("1940-05")),
            ("person.residence", place("3 Tràng An")),
        ]),
    }
    Filing {
        code: "1.000656",
        said,
        typed,
        steps: register_number(),
    }
}

fn marriage() -> Filing {
    Filing {
        code: "1.000894",
        said: vec![("population.marital-status", json!("single"))],
        typed: vec![
            ("requester.marriages", json!(1)),
            ("partner.person_number", json!(OTHER)),
            ("partner.name", json!("Trần Văn Nam")),
            ("partner.birth_date", json!("1988-02-03")),
            ("partner.sex", json!("male")),
            ("partner.ethnicity", json!("01")),
            ("partner.nationality", json!("VN")),
            ("partner.residence", place("1 Trần Phú")),
            ("partner.marital_status", json!("divorced")),
            ("partner.marriages", json!(2)),
            ("marriage.kin", json!(false)),
            ("marriage.free_will", json!(true)),
        ],
        steps: register_number(),
    }
}

fn move_to(kind: &'static str) -> Filing {
    Filing {
        code: "1.004222",
        said: vec![
            ("civil-status.spouse-number", json!(OTHER)),
            ("population.full-name of spouse.person_number", json!("Trần Văn Nam")),
            ("population.residence of spouse.person_number", place("1 Trần Phú")),
            ("residence.household of spouse.person_number", json!("14329-000077")),
            ("residence.head-number of spouse.person_number", json!(OTHER)),
            ("residence.members", json!([spouse(), child()])),
        ],
        typed: vec![
            ("home.kind", json!(kind)),
            ("home.address", place("34 Đinh Tiên Hoàng")),
            ("home.agreed", json!(true)),
            ("fee.exemption", json!("none")),
        ],
        steps: json!({ "review": { "household_number": "14329-000123" } }),
    }
}

fn spouse() -> Value {
    json!({ "person_number": OTHER, "name": "Trần Văn Nam", "relation": "spouse" })
}

fn child() -> Value {
    json!({ "person_number": "001216000044", "name": "Trần Ngọc Mai", "relation": "child" })
}

fn enterprise() -> Filing {
    Filing {
        code: "2.001610",
        said: Vec::new(),
        typed: vec![
            ("business.name", json!("Doanh nghiệp tư nhân Ngọc Ánh")),
            ("business.address", place("34 Đinh Tiên Hoàng")),
            ("business.capital", json!(500_000_000)),
            ("business.main_activity", json!("4711")),
            ("business.activity_2", json!("5610")),
            ("business.activity_3", json!("4711")),
            ("owner.allowed", json!(true)),
        ],
        steps: json!({}),
    }
}

/// The social pension of somebody born on a day, of whom social insurance says this.
fn pension(birth: &str, insured: Option<&str>, typed: &[(&'static str, Value)]) -> Filing {
    let said = [
        ("population.birth-date", json!(birth)),
        ("population.sex", json!("female")),
        ("social-insurance.receives-pension", json!(insured == Some("HT"))),
        ("social-insurance.receives-allowance", json!(insured == Some("BT"))),
    ];
    let number = insured.map(|_| ("social-insurance.insurance-number", json!("0123456789")));
    let paid = [("payment.method", json!("home")), ("payment.receiver", json!("self"))];
    Filing {
        code: "1.014027",
        said: said.into_iter().chain(number).collect(),
        typed: paid.into_iter().chain(typed.iter().cloned()).collect(),
        steps: json!({ "review": { "monthly_amount": 500_000 } }),
    }
}

#[test]
fn every_package_that_writes_is_tried_here() {
    let tried = [
        "1.000656", "1.000894", "1.001193", "1.004222", "1.014027", "2.001610", "3.000722",
    ];
    let folders = std::fs::read_dir(root("catalogue")).expect("the catalogue");
    let writing = folders
        .flatten()
        .filter(|folder| folder.path().join("writes.toml").is_file());
    let mut codes: Vec<String> = writing
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect();
    codes.sort();
    assert_eq!(codes, tried);
}

#[test]
fn a_social_pension_is_told_to_social_insurance() {
    // Today is 25 November 2026: 75 on this day.
    let told = pension("1951-11-25", Some("GD"), &[]).told();
    assert_eq!(ids(&told), ["group"]);
    let (changed, from) = (&told[0].1, &told[0].1["_from"]);
    assert_eq!(
        (&changed["group"], &changed["status"]),
        (&json!("BT"), &json!("contributing"))
    );
    assert_eq!(from, "2026-11-25", "from the decision");
    assert_eq!(
        changed["card"]["number"], "GD4370123456789",
        "the card is exchanged by who issues it"
    );

    // Whom nobody insures gets a number and, from who issues cards, a card.
    let filing = pension("1951", None, &[]);
    let filing = Filing {
        typed: [filing.typed, vec![("household.kind", json!("poor"))]].concat(),
        ..filing
    };
    let told = filing.told();
    assert_eq!(ids(&told), ["insured"]);
    assert_eq!(
        (&told[0].1["group"], &told[0].1["status"], &told[0].1["birth_date"]),
        (&json!("BT"), &json!("card-only"), &json!("1951"))
    );

    // A small pension is made up; its receiver stays a pensioner.
    let small = [("benefit.monthly", json!(320_000))];
    assert_eq!(pension("1940-01-02", Some("HT"), &small).told(), []);
}

#[test]
fn a_social_pension_is_for_the_old_without_a_pension() {
    let none = [("household.kind", json!("none"))];
    let poor = [("household.kind", json!("near-poor"))];
    let large = [("benefit.monthly", json!(500_000))];
    for (birth, insured, typed, stop) in [
        ("1951-11-25", None, &[][..], None),
        ("1951-11-26", None, &none, Some("younger than 75")),
        ("1951-11-26", None, &poor, None),
        ("1957-01-01", None, &poor, Some("younger than 70")),
        ("1950-03-04", Some("HT"), &large, Some("not below")),
        ("1950-03-04", Some("BT"), &[], None),
    ] {
        let stops = pension(birth, insured, typed).stops();
        let found = stops.first().map(String::as_str);
        assert_eq!(found.is_some(), stop.is_some(), "{birth} {insured:?}: {stops:?}");
        assert!(stop.is_none_or(|stop| stops[0].contains(stop)), "{stops:?}");
    }
}

#[test]
fn a_birth_is_told_to_five_registries() {
    let told = birth().told();
    assert_eq!(ids(&told), ["person", "residence", "entry", "card", "tax"]);
    let [person, residence, entry, card, tax] = [0, 1, 2, 3, 4].map(|n| &told[n].1);
    assert_eq!(entry["child"]["person_number"], person["person_number"]);
    assert_eq!(residence["person_number"], person["person_number"]);
    assert_eq!(residence["household"], "14329-000012");
    assert_eq!(card["card"]["valid_to"], "2032-11-20");
    assert_eq!(tax["taxpayer_number"], person["person_number"]);
}

/// Who enters one parent alone is not asked about the other, nor with whom the child lives.
#[test]
fn the_child_of_one_parent_lives_with_that_parent() {
    let mut alone = birth();
    alone
        .typed
        .retain(|(id, _)| !["parents.both", "home.with"].contains(id));
    alone.typed.push(("parents.both", json!(false)));
    for answered in [None, Some("other")] {
        let typed = answered.map(|with| ("home.with", json!(with)));
        alone.typed.extend(typed);
        let told = alone.told();
        let [person, residence, entry] = [0, 1, 2].map(|n| &told[n].1);
        assert_eq!(
            (&person["mother_person_number"], &person["father_person_number"]),
            (&json!(REQUESTER), &Value::Null)
        );
        assert_eq!(person["residence"], place("12 Lê Lợi"), "{answered:?}");
        assert_eq!(
            (&residence["address"], &residence["household"]),
            (&place("12 Lê Lợi"), &json!("14329-000012"))
        );
        assert_eq!(
            (&entry["mother"]["person_number"], &entry["father"]),
            (&json!(REQUESTER), &Value::Null)
        );
    }
}

#[test]
fn a_birth_alone_is_told_to_population_civil_status_and_tax() {
    let told = birth_alone("mother", "both", true).told();
    assert_eq!(ids(&told), ["person", "entry", "tax"]);
    let [person, entry, tax] = [0, 1, 2].map(|n| &told[n].1);
    assert_eq!(
        (&person["mother_person_number"], &person["father_person_number"]),
        (&json!(REQUESTER), &json!(OTHER))
    );
    assert_eq!(
        (&person["residence"], &person["_from"]),
        (&place("12 Lê Lợi"), &json!("2026-11-20"))
    );
    assert_eq!(entry["child"]["person_number"], person["person_number"]);
    assert_eq!((&entry["commune"], &entry["number"]), (&json!("14329"), &json!(15)));
    assert_eq!(
        entry["mother"],
        json!({ "person_number": REQUESTER, "name": "Nguyễn Thị Ngọc Ánh", "birth_date": "1990-05-02" })
    );
    assert_eq!(
        entry["father"],
        json!({ "person_number": OTHER, "name": "Trần Văn Nam", "birth_date": "1988-02-03" }),
        "by the marriage"
    );
    assert_eq!(
        (&tax["taxpayer_number"], &tax["status"]),
        (&person["person_number"], &json!("active"))
    );
}

#[test]
fn a_number_that_a_book_refused_is_kept_another_or_the_next_once_it_is_mended() {
    for filing in [
        birth as fn() -> Filing,
        || birth_alone("mother", "both", true),
        || death("spouse"),
        marriage,
    ] {
        for (mend, number) in [
            (json!({}), 15),
            (json!({ "number_choice": "keep" }), 15),
            (json!({ "number_choice": "other", "register_number": 16 }), 16),
            (json!({ "number_choice": "next" }), NEXT),
            // Another that was not entered is the next as well: no number is made up.
            (json!({ "number_choice": "other" }), NEXT),
        ] {
            let mut filing = filing();
            filing.steps["mend"] = mend.clone();
            let told = filing.told();
            let entry = told
                .iter()
                .find(|(id, _)| id == "entry")
                .map(|(_, record)| &record["number"]);
            assert_eq!(entry, Some(&json!(number)), "{} {mend}", filing.code);
        }
    }
}

#[test]
fn a_birth_names_the_parents_who_are_known() {
    let requester = json!({ "person_number": REQUESTER, "name": "Nguyễn Thị Ngọc Ánh", "birth_date": "1990-05-02" });
    let mother = json!({ "person_number": MOTHER, "name": "Lê Thị Hoa", "birth_date": "1992-08" });
    // Nobody knows his number: the name stands in the book, and the population database has no father.
    let father = json!({ "name": "Phạm Văn Sơn", "birth_date": "1990" });
    let cases = [
        ("mother", "mother-only", &requester, &Value::Null, "12 Lê Lợi"),
        ("mother", "both", &requester, &father, "12 Lê Lợi"),
        ("father", "father-only", &Value::Null, &requester, "12 Lê Lợi"),
        ("father", "both", &mother, &requester, "12 Lê Lợi"),
        ("grandparent", "both", &mother, &father, "3 Tràng An"),
        ("grandparent", "father-only", &Value::Null, &father, "5 Tràng An"),
        // What the certificate does not name, the registries do not.
        ("mother", "father-only", &Value::Null, &Value::Null, "12 Lê Lợi"),
    ];
    for (relation, known, mother, father, home) in cases {
        let told = birth_alone(relation, known, false).told();
        assert_eq!(ids(&told), ["person", "entry", "tax"], "{relation} {known}");
        let (person, entry) = (&told[0].1, &told[1].1);
        assert_eq!(
            (&entry["mother"], &entry["father"]),
            (mother, father),
            "{relation} {known}"
        );
        for (field, parent) in [("mother_person_number", mother), ("father_person_number", father)] {
            assert_eq!(person[field], parent["person_number"], "{relation} {known}");
        }
        assert_eq!(person["residence"], place(home), "{relation} {known}");
    }

    // Of a child that was found nobody is known.
    let mut found = birth_alone("carer", "both", false);
    found.typed.extend([
        ("child.situation", json!("abandoned")),
        ("found.date", json!("2026-11-20")),
        ("found.place", json!({ "province": "37", "commune": "14329" })),
    ]);
    let told = found.told();
    let (person, entry) = (&told[0].1, &told[1].1);
    assert_eq!((&entry["mother"], &entry["father"]), (&Value::Null, &Value::Null));
    assert_eq!(person["residence"], place("12 Lê Lợi"), "the carer's");
}

#[test]
fn a_child_with_a_number_keeps_it_and_a_foreign_one_is_given_none() {
    let mut numbered = birth_alone("mother", "both", true);
    numbered.steps["review"]["person_number"] = "001226000099".into();
    let told = numbered.told();
    assert_eq!(ids(&told), ["entry"]);
    assert_eq!(told[0].1["child"]["person_number"], "001226000099");
    let mut foreign = birth_alone("mother", "both", true);
    foreign.typed.push(("child.nationality", json!("LA")));
    let told = foreign.told();
    assert_eq!(ids(&told), ["entry"]);
    assert_eq!(told[0].1["child"]["person_number"], Value::Null);
}

#[test]
fn a_death_ends_card_residence_and_tax_code_and_leaves_a_widow() {
    let told = death("spouse").told();
    assert_eq!(
        ids(&told),
        ["entry", "person", "insured", "residence", "tax", "widowed"]
    );
    let [entry, person, insured, residence, tax, widowed] = [0, 1, 2, 3, 4, 5].map(|n| &told[n].1);
    assert_eq!((&entry["kind"], &entry["number"]), (&json!("death"), &json!(15)));
    assert_eq!(entry["deceased"]["person_number"], OTHER);
    assert_eq!(
        (&person["status"], &person["_from"]),
        (&json!("dead"), &json!("2026-11-21"))
    );
    assert_eq!(insured["_from"], "2026-11-22", "the card holds on the last day");
    assert_eq!(residence["_from"], "2026-11-22");
    assert_eq!(
        (&tax["status"], &tax["debt_total"], &tax["_from"]),
        (&json!("closed"), &json!(350_000), &json!("2026-11-25")),
        "the debts stay"
    );
    assert_eq!(
        (&widowed["person_number"], &widowed["marital_status"]),
        (&json!(REQUESTER), &json!("widowed"))
    );

    // A father without a card and with a tax code that is closed, whose wife the civil status knows.
    let told = death("father").told();
    assert_eq!(ids(&told), ["entry", "person", "widowed"]);
    assert_eq!(told[2].1["person_number"], MOTHER);

    // Somebody else: nothing was looked up, nobody is widowed by it.
    assert_eq!(ids(&death("other").told()), ["entry", "person"]);
}

#[test]
fn a_marriage_is_an_entry_and_two_spouses() {
    let told = marriage().told();
    assert_eq!(ids(&told), ["entry", "husband", "wife"]);
    let entry = &told[0].1;
    assert_eq!(
        (&entry["husband"]["person_number"], &entry["wife"]["person_number"]),
        (&json!(OTHER), &json!(REQUESTER))
    );
    assert_eq!(entry["wife"]["birth_date"], "1990-05-02");
    assert!(
        told[1..]
            .iter()
            .all(|(_, person)| person["marital_status"] == "married")
    );
}

#[test]
fn who_is_married_or_too_young_does_not_marry() {
    let stopped = |change: &dyn Fn(&mut Filing)| {
        let mut filing = marriage();
        change(&mut filing);
        filing.stops().join(" ")
    };
    let type_in = |filing: &mut Filing, id: &'static str, value: Value| {
        filing.typed.retain(|(known, _)| *known != id);
        filing.typed.push((id, value));
    };
    assert_eq!(stopped(&|_| ()), "");
    let married = stopped(&|filing| filing.said = vec![("population.marital-status", json!("married"))]);
    assert!(
        married.contains("says that you are married"),
        "the registry knows it: {married}"
    );
    let cases: [(&'static str, Value, &str); 6] = [
        ("partner.marital_status", json!("married"), "other party is married"),
        ("partner.birth_date", json!("2006-11-26"), "a man must be 20"),
        ("partner.sex", json!("female"), "same sex"),
        ("marriage.kin", json!(true), "three generations"),
        ("partner.person_number", json!(REQUESTER), "your own"),
        ("partner.nationality", json!("LA"), "2.000806"),
    ];
    for (id, value, said) in cases {
        let stops = stopped(&|filing| type_in(filing, id, value.clone()));
        assert!(stops.contains(said), "{id}: {stops}");
    }
    let on_the_day = stopped(&|filing| type_in(filing, "partner.birth_date", json!("2006-11-25")));
    assert_eq!(on_the_day, "", "on the birthday he is 20");
}

#[test]
fn a_move_changes_the_residence_from_the_day_of_the_decision() {
    let told = move_to("own").told();
    assert_eq!(ids(&told), ["residence", "person"]);
    let [home, person] = [0, 1].map(|n| &told[n].1);
    assert_eq!(home["address"], place("34 Đinh Tiên Hoàng"));
    assert_eq!(
        (&home["household"], &home["relation_to_head"]),
        (&json!("14329-000123"), &json!("head"))
    );
    assert_eq!(person["residence"], home["address"]);
    assert!(told.iter().all(|(_, record)| record["_from"] == TODAY.to_string()));
    // Who joins the spouse types no address: the registry tells it, and whose household that is.
    let told = move_to("spouse").told();
    assert_eq!(told[1].1["residence"], place("1 Trần Phú"));
    assert_eq!(
        (&told[0].1["household"], &told[0].1["head_person_number"]),
        (&json!("14329-000077"), &json!(OTHER))
    );
    assert_eq!(told[0].1["relation_to_head"], "spouse");
    let mut nowhere = move_to("own");
    nowhere.typed.push(("home.address", place("12 Lê Lợi")));
    assert!(nowhere.stops().join(" ").contains("registered there already"));
}

#[test]
fn the_head_of_a_household_moves_with_those_who_are_ticked() {
    let mut moving = move_to("own");
    moving.typed.push(("move.members", json!([spouse(), child()])));
    let told = moving.told();
    assert_eq!(
        ids(&told),
        [
            "residence",
            "members-1",
            "members-2",
            "person",
            "persons-1",
            "persons-2"
        ]
    );
    for (record, relation) in [(1, "spouse"), (2, "child")] {
        let member = &told[record].1;
        assert_eq!(member["relation_to_head"], relation);
        assert_eq!(
            (&member["household"], &member["head_person_number"]),
            (&json!("14329-000123"), &json!(REQUESTER))
        );
        assert_eq!(member["address"], told[0].1["address"]);
    }
    assert!(
        told[3..]
            .iter()
            .all(|(_, person)| person["residence"] == place("34 Đinh Tiên Hoàng"))
    );

    let mut one = move_to("spouse");
    one.typed.push(("move.members", json!([child()])));
    let told = one.told();
    assert_eq!(ids(&told), ["residence", "members-1", "person", "persons-1"]);
    assert_eq!(
        told[1].1["relation_to_head"], "child",
        "of the spouse who is the head there"
    );

    // Somebody whom the registry did not tell of cannot be brought along.
    let mut stranger = move_to("own");
    let other = json!({ "person_number": MOTHER, "name": "Lê Thị Hoa", "relation": "parent" });
    stranger.typed.push(("move.members", json!([child(), other])));
    let problems = stranger.seen(|_, journey, _| journey.problems.clone());
    assert!(
        problems
            .at("move.members", base::Lang::En)
            .is_some_and(|text| text.contains("people of the list"))
    );
}

#[test]
fn an_enterprise_is_taxed_under_the_code_that_the_register_gives() {
    let told = enterprise().told();
    assert_eq!(ids(&told), ["enterprise", "taxpayer"]);
    assert_eq!(told[0].1["activities"], json!(["4711", "5610"]), "each once");
    assert_eq!(told[0].1["representatives"][0]["person_number"], REQUESTER);
    assert_eq!(told[1].1["taxpayer_number"], told[0].1["tax_code"]);
    let mut second = enterprise();
    second
        .said
        .push(("enterprises.private-enterprise", json!("Doanh nghiệp tư nhân Bình An")));
    assert!(second.stops().join(" ").contains("may own one only"));
}

/// The registries that answer procedures.
fn registries() -> impl Iterator<Item = Registry> {
    let folders = std::fs::read_dir(root("registries")).expect("the registries");
    let answering = folders
        .flatten()
        .filter(|folder| folder.path().join("attributes.toml").is_file());
    answering.map(|folder| registry(&folder.file_name().to_string_lossy()))
}

/// The check of packages knows by common names all that registries answer, and nothing that none does.
#[test]
fn every_attribute_has_its_common_names() {
    let answered: BTreeSet<String> = registries()
        .flat_map(|registry| {
            let names: Vec<_> = registry
                .attributes
                .iter()
                .map(|a| format!("{}.{}", registry.code, a.id))
                .collect();
            names
        })
        .collect();
    let known: BTreeSet<String> = known_to_forms()
        .iter()
        .filter_map(|held| held.attribute.as_ref())
        .map(ToString::to_string)
        .collect();
    assert_eq!(known, answered);
}

/// What a package, an approved question or a rule of proposals asks of a registry is told by the service that other nodes ask.
#[test]
fn what_is_asked_of_registries_is_told_to_other_nodes() {
    let known: BTreeSet<String> = registries()
        .flat_map(|registry| {
            let prefill = registry
                .services
                .iter()
                .find(|service| service.id.as_str() == FACTS_SERVICE);
            let told = &prefill.expect("a service that tells facts").attributes;
            told.iter()
                .map(|name| format!("{}.{name}", registry.code))
                .collect::<Vec<_>>()
        })
        .collect();
    let mut asking = 0;
    for (of, file) in [("questions", "question.toml"), ("proposals", "proposal.toml")] {
        for folder in std::fs::read_dir(root(of)).expect("a folder").flatten() {
            let text = std::fs::read_to_string(folder.path().join(file)).expect("a file");
            let asked = text
                .lines()
                .filter_map(|line| line.strip_prefix("ask = \"")?.strip_suffix('"'));
            for name in asked {
                assert!(known.contains(name), "{} asks for {name}", folder.path().display());
                asking += 1;
            }
        }
    }
    assert!(asking >= 24, "{asking}");
    for folder in std::fs::read_dir(root("catalogue")).expect("the catalogue").flatten() {
        let package = package(&folder.file_name().to_string_lossy());
        for field in package.form.fields() {
            if let FieldSource::Registry(attribute) = &field.source {
                let name = format!("{}.{}", attribute.registry, attribute.name);
                assert!(known.contains(&name), "{}: {} asks for {name}", package.id, field.id);
                asking += 1;
            }
        }
    }
    assert!(asking > 40, "{asking}");
}

#[test]
fn the_business_register_tells_its_attributes() {
    let register = registry("enterprises");
    let said = |body: &Value, id: &str, subject: &str| {
        let attribute = register
            .attributes
            .iter()
            .find(|a| a.id.as_str() == id)
            .expect("an attribute");
        attribute.of(body, subject)
    };
    let mut body = enterprise().told()[0].1.clone();
    assert_eq!(
        said(&body, "representative", "0100109106"),
        Some(json!("Nguyễn Thị Ngọc Ánh"))
    );
    assert_eq!(
        said(&body, "representative-title", "0100109106"),
        Some(json!("Chủ doanh nghiệp"))
    );
    assert_eq!(
        said(&body, "private-enterprise", REQUESTER),
        Some(json!("Doanh nghiệp tư nhân Ngọc Ánh"))
    );
    body["status"] = json!("ended");
    assert_eq!(
        said(&body, "private-enterprise", REQUESTER),
        None,
        "an ended one is owned by nobody"
    );
}
