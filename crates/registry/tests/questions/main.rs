//! Approved questions: what is answered over several registries, what is never guessed, and that each answer can be accounted for.

mod pages;
mod pension;
mod times;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use base::{Clock, Error, Kind, Timestamp, time::FixedClock};
use futures::future::BoxFuture;
use identity::{
    AccountId, Actor, Assurance, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, PersonActor, Role, Roles, Shell,
};
use ledger::{Algorithm, FileKey, Ledger, Log, Options};
use procedure::{
    form::{Attribute, Said},
    reference::Reference,
};
use registry::{
    folder,
    here::Here,
    history::Moment,
    lookup::{Lookup, Question as Asked},
    model::ValidTime,
    question::{
        self, runs,
        service::{Answered, Asker, Outcome, Questions},
    },
    service::{Change, Provenance, Registries, Seen, Target, Times},
    shelf::Shelf,
};
use serde_json::{Map, Value, json};
use store::{Store, jobs::Runner};
use uuid::Uuid;

static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

const FIRM: &str = "0100109106";
const CHILD: &str = "001326000014";
const DOSSIER: &str = "H42.28-260821-0001";
const CLIENT: &str = "VN/GOV/000.00.00.G12/haiquan";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn clock() -> FixedClock {
    FixedClock::at(Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant"))
}

fn system() -> Ctx {
    Ctx::system("test", clock().now())
}

struct Node {
    store: Store,
    registries: Registries,
    questions: Questions,
    identity: IdentityState,
    log: Arc<Log>,
    _folder: tempfile::TempDir,
}

async fn nodes() -> Vec<Node> {
    let mut nodes = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        for code in ["population", "enterprises", "tax", "social-insurance", "customs"] {
            let files = folder::read(&root().join("registries").join(code)).expect("files");
            shelf.publish(&files, "test", clock().now()).await.expect("published");
        }
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(clock()),
            Entropy::system(),
            Shell::default(),
        )
        .expect("good settings");
        let registries = Registries::new(store.clone(), shelf, identity.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let signer = FileKey::generate("g12.gov.vn/ledger", Algorithm::Ed25519).expect("a key");
        let log = Log::open(folder.path(), Options::new("g12.gov.vn/ledger", Arc::new(signer))).expect("a log");
        let log = Arc::new(log);
        let kept = Ledger {
            log: Arc::clone(&log),
            keys: Vec::new(),
        };
        registries.keep_in(kept, clock().now()).await.expect("kept");
        let questions = Questions::new(registries.clone(), Arc::new(Here::new(registries.clone())), all());
        nodes.push(Node {
            store,
            registries,
            questions,
            identity,
            log,
            _folder: folder,
        });
    }
    nodes
}

fn all() -> Vec<question::Question> {
    let folders = std::fs::read_dir(root().join("questions"))
        .expect("the folder")
        .flatten();
    let good = |folder: PathBuf| {
        let (question, report) = question::check(&folder);
        question.unwrap_or_else(|| panic!("{}", report.human(base::Lang::En)))
    };
    folders.map(|entry| good(entry.path())).collect()
}

impl Node {
    async fn add(&self, registry: &str, body: Value) {
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2026-01-01", ValidTime::Day).expect("a day"),
            to: None,
            body,
        };
        let provenance = Provenance {
            source: "Tờ khai".to_owned(),
            ..Provenance::default()
        };
        let code = registry.parse().expect("a code");
        let key = Uuid::new_v4().to_string();
        let written = self.registries.write(&system(), &code, change, &provenance, &key).await;
        written.expect("written");
    }

    async fn ask(&self, question: &str, inputs: Value, purpose: &str) -> Result<Answered, Error> {
        ask(&self.questions, question, inputs, purpose).await
    }

    async fn answer(&self, question: &str, inputs: Value, purpose: &str) -> Outcome {
        self.ask(question, inputs, purpose).await.expect("asked").outcome
    }
}

async fn ask(questions: &Questions, question: &str, inputs: Value, purpose: &str) -> Result<Answered, Error> {
    let inputs: Map<String, Value> = inputs.as_object().cloned().expect("an object");
    let asker = Asker {
        client: CLIENT.to_owned(),
        purpose: purpose.to_owned(),
        dossier: Some(DOSSIER.to_owned()),
    };
    questions
        .ask(&system(), question, &inputs, Times::default(), &asker)
        .await
}

fn taxpayer(debt: i64) -> Value {
    json!({
        "taxpayer_number": FIRM, "kind": "organisation", "tax_code": FIRM, "name": "Công ty Bí Mật", "status": "active",
        "debts": [{ "tax": "import", "amount": debt, "due_on": "2026-03-31" }], "debt_total": debt,
    })
}

fn declaration() -> Value {
    json!({
        "number": "107741007741", "flow": "import", "registered_on": "2026-02-03", "tax_code": FIRM, "office": "01B1",
        "channel": "green", "status": "cleared", "value": 1000, "duty": 100,
        "lines": [{ "hs_code": "84713020", "goods": "Máy tính", "origin": "JP", "value": 1000, "duty": 100 }],
    })
}

fn citizen(number: &str, birth: &str) -> Value {
    json!({ "person_number": number, "name": "Nguyễn Bé Bí Mật", "birth_date": birth, "sex": "female", "nationality": "VN", "status": "alive" })
}

#[tokio::test]
async fn an_importer_owes_tax_or_not_and_what_is_not_known_is_not_guessed() {
    for node in nodes().await {
        let asked = async || {
            node.answer("importer-owes-tax", json!({ "tax_code": FIRM }), "customs.compliance")
                .await
        };
        assert_eq!(
            asked().await,
            Outcome::Answered(json!(false)),
            "who imports nothing is no importer"
        );
        node.add("customs", declaration()).await;
        assert_eq!(asked().await, Outcome::Undecided, "nobody knows whether it owes");
        node.add("tax", taxpayer(5_000_000)).await;
        assert_eq!(asked().await, Outcome::Answered(json!(true)));
    }
}

#[tokio::test]
async fn a_child_without_a_card_is_found_and_the_family_sees_who_asked() {
    for node in nodes().await {
        let inputs = json!({ "person_number": CHILD });
        let asked = async || {
            node.answer("entitled-not-asked", inputs.clone(), "proactive.remind")
                .await
        };
        assert_eq!(
            asked().await,
            Outcome::Undecided,
            "of whom nobody has heard nothing is said"
        );
        node.add("population", citizen(CHILD, "2026-01-05")).await;
        assert_eq!(asked().await, Outcome::Answered(json!(true)));
        let insured = json!({
            "person_number": CHILD, "insurance_number": "0123456789", "name": "Nguyễn Bé Bí Mật", "birth_date": "2026-01-05", "group": "TE",
            "status": "card-only", "card": { "number": "TE1010123456789", "valid_from": "2026-01-05" },
        });
        node.add("social-insurance", insured).await;
        assert_eq!(asked().await, Outcome::Answered(json!(false)));
        node.add("population", citizen("001190000017", "1990-05-17")).await;
        let grown = node
            .answer(
                "entitled-not-asked",
                json!({ "person_number": "001190000017" }),
                "proactive.remind",
            )
            .await;
        assert_eq!(grown, Outcome::Answered(json!(false)));

        let me = Ctx {
            actor: Actor::Person(PersonActor {
                account: AccountId::from_uuid(Uuid::from_u128(1)),
                name: "Nguyễn Bé".to_owned(),
                person_number: Some(CHILD.to_owned()),
                birth_date: None,
                sex: None,
                phone: None,
                email: None,
                assurance: Assurance::Level2,
                organisation: None,
            }),
            ..system()
        };
        let reads = node.identity.reads_of_me(&me, None, 50).await.expect("reads").0;
        let told = reads.iter().filter(|read| {
            read.what.contains(CLIENT)
                && read.what.contains("chưa có thẻ bảo hiểm y tế")
                && read.what.contains("Chủ động nhắc người dân về quyền lợi chưa đề nghị")
        });
        assert!(told.count() >= 3, "{reads:?}");
        assert!(reads.iter().all(|read| read.actor == "Câu hỏi liên ngành"), "{reads:?}");
    }
}

#[tokio::test]
async fn an_employer_insures_its_workers_only_if_it_pays_for_each_of_them() {
    for node in nodes().await {
        let firm = json!({
            "tax_code": FIRM, "name": "Công ty Bí Mật", "legal_form": "joint-stock", "status": "active", "founded_on": "2010-01-04",
            "address": { "province": "01", "commune": "00004", "detail": "1 Hàng Bài" },
            "representatives": [{ "person_number": "001190000017", "name": "Nguyễn Văn Bí Mật", "title": "Giám đốc" }],
        });
        node.add("enterprises", firm).await;
        let asked = async || {
            let inputs = json!({ "tax_code": FIRM });
            node.answer("employer-insures-workers", inputs, "labour.inspection")
                .await
        };
        assert_eq!(asked().await, Outcome::Answered(json!(false)), "nobody is insured");
        // More than are looked at together; the oldest record is of somebody who left.
        node.add("social-insurance", worker(0, "paused", "2019-03")).await;
        for n in 1..=503 {
            node.add("social-insurance", worker(n, "contributing", "2026-10")).await;
        }
        assert_eq!(asked().await, Outcome::Answered(json!(true)));
        node.add("social-insurance", worker(504, "contributing", "2026-02"))
            .await;
        node.add("social-insurance", worker(505, "contributing", "2026-10"))
            .await;
        assert_eq!(asked().await, Outcome::Answered(json!(false)), "one of 505 is not");
    }
}

fn worker(n: u32, status: &str, paid_until: &str) -> Value {
    json!({
        "person_number": format!("00119{n:07}"), "insurance_number": format!("{:010}", 100_000_000 + n), "name": "Nguyễn Thị Bí Mật",
        "birth_date": "1990-05-17", "group": "DN", "status": status, "employer_tax_code": FIRM, "paid_until": paid_until, "months": 12,
    })
}

#[tokio::test]
async fn an_answer_rests_on_versions_and_can_be_accounted_for_until_they_are_erased() {
    for node in nodes().await {
        node.add("customs", declaration()).await;
        node.add("tax", taxpayer(5_000_000)).await;
        let inputs = json!({ "tax_code": FIRM });
        let answered = node
            .ask("importer-owes-tax", inputs, "customs.compliance")
            .await
            .expect("asked");
        let officer = |agency: &str, role| Ctx {
            actor: Actor::Officer(OfficerActor {
                officer: OfficerId::from_uuid(Uuid::from_u128(7)),
                name: "Trần Thị Bình".to_owned(),
                title: String::new(),
                agency: agency.to_owned(),
                roles: Roles::of(&[role]),
            }),
            ..system()
        };
        for (agency, role) in [("G12", Role::Reader), ("G12", Role::Steward), ("G15", Role::Auditor)] {
            let refused = node
                .questions
                .evidence(&officer(agency, role), answered.id)
                .await
                .expect_err("closed");
            assert_eq!(refused.kind(), Some(Kind::Forbidden), "{agency} {role:?}");
        }
        let auditor = officer("G12", Role::Auditor);
        let evidence = node.questions.evidence(&auditor, answered.id).await.expect("evidence");
        assert_eq!(
            evidence.rests_on,
            ["customs/107741007741#1".to_owned(), format!("tax/{FIRM}#1")]
        );
        assert_eq!(
            (evidence.answer, evidence.asked_by.as_str()),
            (Some(json!(true)), CLIENT)
        );

        // The leaf has the same hash and none of what it stands for.
        let (_, at) = evidence.leaf.expect("a leaf");
        let entry = node.log.entry(at.unsigned_abs()).expect("an entry");
        let leaf = String::from_utf8(entry.opening.expect("not erased").record).expect("text");
        assert!(
            leaf.contains(&evidence.sha256.expect("a hash")) && leaf.contains("importer-owes-tax"),
            "{leaf}"
        );
        assert!(!leaf.contains(FIRM) && !leaf.contains("107741007741"), "{leaf}");

        let tax = "tax".parse().expect("a code");
        let (record, seq) = node.registries.newest(&system(), &tax, FIRM).await.expect("the record");
        let provenance = Provenance {
            source: "Quyết định".to_owned(),
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15".to_owned(),
            dossier: None,
        };
        let erased = node
            .registries
            .erase(&system(), &tax, Seen { record, seq }, &provenance)
            .await;
        erased.expect("erased");
        let evidence = node.questions.evidence(&auditor, answered.id).await.expect("evidence");
        assert_eq!((evidence.answer, evidence.sha256), (None, None));
        assert_eq!(evidence.rests_on, ["customs/107741007741#1".to_owned()]);
        assert_eq!(evidence.outcome, "answered", "that it was asked and answered stays");
    }
}

/// Somebody who asks registries of which one is down.
#[derive(Debug)]
struct Down {
    rest: Here,
    registry: &'static str,
}

impl Lookup for Down {
    fn ask<'a>(
        &'a self,
        ctx: &'a Ctx,
        question: &'a Asked,
    ) -> BoxFuture<'a, std::collections::BTreeMap<Attribute, Said>> {
        Box::pin(async move {
            let mut said = self.rest.ask(ctx, question).await;
            said.retain(|attribute, _| attribute.registry != self.registry);
            said
        })
    }
}

#[tokio::test]
async fn where_a_registry_is_silent_there_is_no_answer() {
    for node in nodes().await {
        node.add("customs", declaration()).await;
        let down = Down {
            rest: Here::new(node.registries.clone()),
            registry: "tax",
        };
        let questions = Questions::new(node.registries.clone(), Arc::new(down), all());
        let answered = ask(
            &questions,
            "importer-owes-tax",
            json!({ "tax_code": FIRM }),
            "customs.compliance",
        )
        .await;
        assert_eq!(
            answered.expect("asked").outcome,
            Outcome::Silent(["tax".to_owned()].into())
        );
        // Not even of whom what is known would decide: they import nothing.
        let other = ask(
            &questions,
            "importer-owes-tax",
            json!({ "tax_code": "0312345673" }),
            "customs.compliance",
        )
        .await;
        assert_eq!(
            other.expect("asked").outcome,
            Outcome::Silent(["tax".to_owned()].into())
        );
    }
}

#[tokio::test]
async fn many_are_asked_line_by_line_and_only_who_asked_sees_what_came_of_it() {
    for node in nodes().await {
        node.add("customs", declaration()).await;
        node.add("tax", taxpayer(5_000_000)).await;
        let asker = |client: &str| Asker {
            client: client.to_owned(),
            purpose: "customs.compliance".to_owned(),
            dossier: Some(DOSSIER.to_owned()),
        };
        let line = |code: &str| json!({ "tax_code": code }).as_object().cloned().expect("an object");
        let (ours, question) = (asker(CLIENT), "importer-owes-tax");
        let wrong = [line(FIRM), line("0100109107"), Map::new()];
        let wrong = node
            .questions
            .ask_many(&system(), question, &wrong, Times::default(), &ours)
            .await
            .expect_err("refused");
        let problems = wrong.problems().cloned().unwrap_or_default();
        let at: Vec<String> = problems.iter().map(|problem| problem.at.clone()).collect();
        assert_eq!(at, ["2/tax_code", "3/tax_code"]);
        assert!(
            node.questions
                .ask_many(&system(), question, &[], Times::default(), &ours)
                .await
                .is_err()
        );

        // More than one job asks.
        let mut lines = vec![line("0312345673"); 25];
        lines.push(line(FIRM));
        let run = node
            .questions
            .ask_many(&system(), question, &lines, Times::default(), &ours)
            .await
            .expect("taken in");
        let early = node.questions.result(question, run, &ours).await.expect_err("not yet");
        assert_eq!(early.kind(), Some(Kind::Conflict));
        let time = clock();
        let runner = || runs::handlers(Runner::new(node.store.clone(), Arc::new(time.clone())), &node.questions);
        runner().run_due().await.expect("done");
        let half = node.questions.progress(question, run, &ours).await.expect("progress");
        assert!(half.done >= 20 && half.total == 26, "{half:?}");
        while runner().run_due().await.expect("done") > 0 {}
        let result = node.questions.result(question, run, &ours).await.expect("a result");
        assert_eq!(result.len(), 26);
        assert!(result[..25].iter().all(|line| line.answer == Some(json!(false))));
        assert_eq!((result[25].line, &result[25].answer), (26, &Some(json!(true))));
        let auditor = Ctx {
            actor: Actor::Officer(OfficerActor {
                officer: OfficerId::from_uuid(Uuid::from_u128(7)),
                name: "Trần Thị Bình".to_owned(),
                title: String::new(),
                agency: "G12".to_owned(),
                roles: Roles::of(&[Role::Auditor]),
            }),
            ..system()
        };
        let id = result[25].id.expect("an id");
        let evidence = node.questions.evidence(&auditor, id).await.expect("evidence");
        assert_eq!(evidence.rests_on.len(), 2, "each line can be accounted for");

        for (other, code) in [
            (asker("VN/GOV/000.00.00.H26/motcua"), question),
            (ours.clone(), "entitled-not-asked"),
        ] {
            let refused = node.questions.result(code, run, &other).await.expect_err("closed");
            assert_eq!(refused.kind(), Some(Kind::NotFound));
        }
        time.set(clock().now().plus_seconds(8 * 86_400));
        while runner().run_due().await.expect("done") > 0 {}
        let gone = node
            .questions
            .progress(question, run, &ours)
            .await
            .expect_err("forgotten");
        assert_eq!(gone.kind(), Some(Kind::NotFound));
    }
}

#[tokio::test]
async fn what_is_not_approved_is_refused_with_every_reason() {
    for node in nodes().await {
        let codes = |error: Error| -> Vec<String> {
            let problems = error.problems().cloned().unwrap_or_default();
            problems
                .iter()
                .map(|problem| format!("{} {}", problem.at, problem.code))
                .collect()
        };
        let other = node
            .ask("importer-owes-tax", json!({ "tax_code": FIRM }), "dossier.verify")
            .await;
        assert_eq!(codes(other.expect_err("refused")), [" other-purpose"]);
        let no_cause = Asker {
            client: CLIENT.to_owned(),
            purpose: "customs.compliance".to_owned(),
            dossier: None,
        };
        let inputs = json!({ "tax_code": FIRM }).as_object().cloned().expect("an object");
        let asked = node
            .questions
            .ask(&system(), "importer-owes-tax", &inputs, Times::default(), &no_cause)
            .await;
        assert_eq!(codes(asked.expect_err("refused")), [" dossier-missing"]);
        let bad = node
            .ask(
                "importer-owes-tax",
                json!({ "tax_code": "0100109107", "name": "Bí Mật" }),
                "customs.compliance",
            )
            .await;
        let bad = bad.expect_err("refused");
        assert!(!format!("{bad:?}").contains("0100109107") && !format!("{bad:?}").contains("Bí Mật"));
        let bad = codes(bad);
        assert!(
            bad.iter().any(|code| code.starts_with("tax_code ")) && bad.contains(&" unknown-input".to_owned()),
            "{bad:?}"
        );
        let none = node.ask("importer-owes-tax", json!({}), "customs.compliance").await;
        assert_eq!(codes(none.expect_err("refused")), ["tax_code required"]);
        let nothing = node
            .ask("who-is-rich", json!({}), "customs.compliance")
            .await
            .expect_err("refused");
        assert_eq!(nothing.kind(), Some(Kind::NotFound));
    }
}

#[test]
fn everything_that_is_wrong_with_a_question_is_told_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("importer-owes-tax");
    std::fs::create_dir(&folder).expect("a folder");
    let good = std::fs::read_to_string(root().join("questions/importer-owes-tax/question.toml")).expect("a file");
    let bad = good
        .replace("version = 1", "version = 0")
        .replace("identifier = \"tax-code\"", "identifier = \"phone\"")
        .replace(
            "ask = \"tax.owes\"\nof = \"tax_code\"",
            "ask = \"tax.owes\"\nof = \"nobody\"",
        )
        .replace("then false else owes", "then false else debts")
        .replace("code = \"importer-owes-tax\"", "code = \"importer\"");
    std::fs::write(folder.join("question.toml"), bad).expect("written");
    let (question, report) = question::check(&folder);
    assert!(question.is_none());
    for code in ["version-zero", "input-of-nobody", "fact-of-nobody", "unknown-name"] {
        assert!(report.has(code), "{code}: {}", report.human(base::Lang::En));
    }
    std::fs::write(
        folder.join("question.toml"),
        good.replace("then false else owes", "then false else true"),
    )
    .expect("written");
    assert!(
        question::check(&folder).1.has("fact-unused"),
        "what is not needed is not asked"
    );
    std::fs::write(
        folder.join("question.toml"),
        good.replace("code = \"importer-owes-tax\"", "code = \"importer\""),
    )
    .expect("written");
    assert!(question::check(&folder).1.has("folder-name-differs"));
}
