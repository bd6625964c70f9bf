//! Ask once: what a registry holds is shown to confirm; what it does not tell in time is typed and verified later.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::http::StatusCode;
use base::Timestamp;
use futures::future::BoxFuture;
use identity::{Ctx, Role};
use procedure::form::{Answers, Attribute, Said};
use registry::{
    contest::{self, Contest, Contested},
    folder,
    here::Here,
    history::Moment,
    lookup::{About, Lookup, Question},
    model::ValidTime,
    quality::doubts::DoubtState,
    service::{Change, Provenance, Registries, Target},
    shelf::Shelf,
};
use serde_json::{Value, json};

use super::town::{Town, an, at, nobody, officer, person, start, towns};
use crate::{
    model::notice::NoticeKind,
    service::{Filing, Outcome},
};

const CODE: &str = "2.000635";
const FIELD: &str = "requester.residence";

/// A population registry that tells what a test has put into it.
#[derive(Debug, Default)]
struct Population {
    holds: Mutex<BTreeMap<String, Value>>,
    down: AtomicBool,
    asked: Mutex<Vec<Question>>,
}

impl Lookup for Population {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Said>> {
        Box::pin(async move {
            self.asked.lock().expect("one at a time").push(question.clone());
            if self.down.load(Ordering::Relaxed) {
                return BTreeMap::new();
            }
            let holds = self.holds.lock().expect("one at a time");
            let at = ctx.now;
            let told = |attribute: &Attribute| match holds.get(&attribute.name) {
                Some(value) => Said::Known {
                    value: value.clone(),
                    entry: "population/046190001234#3".to_owned(),
                    recorded_at: Timestamp::from_micros(1_700_000_000_000_000),
                    at,
                },
                None => Said::Nothing { at },
            };
            question.attributes.iter().map(|a| (a.clone(), told(a))).collect()
        })
    }
}

/// A registry that is told what is contested.
#[derive(Debug, Default)]
struct Told {
    silent: AtomicBool,
    contested: Mutex<Vec<Contested>>,
    standing: Mutex<Vec<contest::Standing>>,
}

impl Contest for Told {
    fn contest<'a>(&'a self, _: &'a Ctx, contested: &'a Contested) -> BoxFuture<'a, contest::Told> {
        Box::pin(async move {
            if self.silent.load(Ordering::Relaxed) {
                return contest::Told::Silent;
            }
            self.contested.lock().expect("one at a time").push(contested.clone());
            contest::Told::Taken
        })
    }

    fn standing<'a>(&'a self, _: &'a Ctx, _: &'a str) -> BoxFuture<'a, base::Result<Vec<contest::Standing>>> {
        Box::pin(async { Ok(self.standing.lock().expect("one at a time").clone()) })
    }
}

/// A town whose dossiers ask this registry, and a residence that it may hold.
fn joined(town: &Town) -> (Arc<Population>, Value) {
    let population = Arc::new(Population::default());
    town.dossiers.ask_registries_by(population.clone());
    (population, residence(town, "12 Lê Lợi"))
}

fn residence(town: &Town, detail: &str) -> Value {
    let (units, today) = (&town.dossiers.reference().units, start().legal_date());
    let province = units.provinces(today)[0];
    let commune = units.communes(province.code, today)[0];
    json!({ "province": province.code.to_string(), "commune": commune.code.to_string(), "detail": detail })
}

impl Population {
    fn holds(&self, name: &str, value: &Value) {
        self.holds
            .lock()
            .expect("one at a time")
            .insert(name.to_owned(), value.clone());
    }

    /// The questions with this attribute.
    fn asked_for(&self, name: &str) -> Vec<Question> {
        let asked = self.asked.lock().expect("one at a time");
        let of_it = asked
            .iter()
            .filter(|question| question.attributes.iter().any(|a| a.name == name));
        of_it.cloned().collect()
    }

    fn goes_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }
}

/// The page of a draft that asks for the residence.
async fn page_with_residence(town: &Town, ctx: &Ctx, draft: &str) -> String {
    let view = town.draft(ctx, draft).await;
    let page = view.package.form.page_of(FIELD).expect("it is asked").id.clone();
    format!("{draft}/pages/{page}")
}

#[tokio::test]
async fn what_a_registry_holds_is_shown_and_not_asked() {
    for town in towns().await {
        let (population, home) = joined(&town);
        population.holds("residence", &home);
        let path = town.fill(&an(), CODE).await;
        let page = town.page(&an(), &page_with_residence(&town, &an(), &path).await).await;
        assert!(page.body.contains("Lấy từ cơ sở dữ liệu của Nhà nước"), "{}", page.body);
        assert!(page.body.contains("12 Lê Lợi") && !page.body.contains("name=\"requester.residence.detail\""));
        assert!(page.body.contains(&format!("href=\"{path}/doubts/{FIELD}\"")));

        town.hand_in(&an(), &path).await;
        let dossier = town.seen(&town.file(&an(), &path).await).await;
        assert_eq!(at(&dossier.state.answers.to_value(), FIELD), home);
        assert!(
            dossier.checks.is_empty(),
            "nothing is left to verify: {:?}",
            dossier.checks
        );
        let said: Vec<_> = dossier.state.facts.said.keys().map(ToString::to_string).collect();
        assert_eq!(
            said,
            ["civil-status.birth-entry", "population.residence"],
            "and of the entry nothing is held"
        );

        let asked = population.asked_for("residence");
        assert_eq!(asked.len(), 1, "once, however many pages were opened: {asked:?}");
        assert_eq!(asked[0].about, About::Person("046190001234".to_owned()));
        assert_eq!(asked[0].procedure, CODE);
        assert!(asked[0].basis.contains("Điều"), "{}", asked[0].basis);
    }
}

#[tokio::test]
async fn a_person_may_say_that_a_registry_is_wrong_and_take_it_back() {
    for town in towns().await {
        let (population, home) = joined(&town);
        population.holds("residence", &home);
        let path = town.fill(&an(), CODE).await;
        let doubt = format!("{path}/doubts/{FIELD}");
        let shown = town.page(&an(), &doubt).await;
        assert!(shown.body.contains("12 Lê Lợi") && shown.body.contains("population/046190001234#3"));
        for (ctx, expected) in [(person("Lê Văn Khác", base::Lang::Vi), 404), (nobody(), 303)] {
            assert_eq!(town.get(&ctx, &doubt).await.status.as_u16(), expected);
            assert_eq!(town.post(&ctx, &doubt, &[]).await.status.as_u16(), expected);
        }
        let nowhere = town.post(&an(), &format!("{path}/doubts/requester.name"), &[]).await;
        assert_eq!(nowhere.status, StatusCode::NOT_FOUND, "no registry holds it");

        let say = |then: &str, reason: &str| {
            vec![
                ("then".to_owned(), then.to_owned()),
                ("reason".to_owned(), reason.to_owned()),
            ]
        };
        let long = town.post(&an(), &doubt, &say("doubt", &"x".repeat(1_001))).await;
        assert!(long.status.is_client_error() && town.draft(&an(), &path).await.draft.facts.doubts.is_empty());
        assert_eq!(
            town.post(&an(), &doubt, &say("doubt", "Tôi đã chuyển nhà"))
                .await
                .status,
            StatusCode::SEE_OTHER
        );
        let page = page_with_residence(&town, &an(), &path).await;
        let asked = town.page(&an(), &page).await;
        assert!(
            asked.body.contains("Cơ sở dữ liệu ghi:") && asked.body.contains("name=\"requester.residence.detail\"")
        );
        town.post(&an(), &doubt, &say("take-back", "")).await;
        assert!(
            !town
                .page(&an(), &page)
                .await
                .body
                .contains("name=\"requester.residence.detail\"")
        );

        town.post(&an(), &doubt, &say("doubt", "Tôi đã chuyển nhà")).await;
        let path = town.fill(&an(), CODE).await;
        town.hand_in(&an(), &path).await;
        assert!(
            town.page(&an(), &format!("{path}/check"))
                .await
                .body
                .contains("Cơ sở dữ liệu ghi:")
        );
        let filed = town.file(&an(), &path).await;
        let dossier = town.seen(&filed).await;
        assert_eq!(dossier.checks.len(), 1);
        assert_eq!(dossier.checks[0].outcome, Outcome::Doubted);
        assert_eq!(dossier.checks[0].reason, "Tôi đã chuyển nhà");
        for (ctx, path) in [
            (
                officer(&[Role::Receptionist]),
                format!("/desk{}", filed.split('?').next().unwrap_or_default()),
            ),
            (an(), filed.clone()),
        ] {
            let page = town.page(&ctx, &path).await;
            assert!(page.body.contains("Người nộp báo chưa đúng"), "{path}");
        }
        // The registry is told, once it answers.
        let told = Arc::new(Told::default());
        told.silent.store(true, Ordering::Relaxed);
        town.dossiers.contest_by(told.clone());
        town.work_until(start().plus_seconds(60)).await;
        told.silent.store(false, Ordering::Relaxed);
        town.work_until(start().plus_seconds(3_600)).await;
        town.work_until(start().plus_seconds(7_200)).await;
        let contested = told.contested.lock().expect("one at a time").clone();
        assert_eq!(contested.len(), 1, "{contested:?}");
        assert_eq!(contested[0].entry, "population/046190001234#3");
        assert_eq!(
            (contested[0].attribute.as_str(), contested[0].reason.as_str()),
            ("residence", "Tôi đã chuyển nhà")
        );
        assert!(!contested[0].filed.is_empty());

        // Its answer stands at the dossier, for the person and for the officer; the person has a notice, once.
        assert!(!contested[0].label.vi.is_empty());
        let account = an().person().expect("a person").account.uuid();
        *told.standing.lock().expect("one at a time") = vec![contest::Standing {
            registry: "population".parse().expect("a code"),
            label: contested[0].label.clone(),
            dossier: Some(contested[0].dossier.clone()),
            reason: contested[0].reason.clone(),
            state: DoubtState::Refused,
            told_at: start(),
            due_at: start(),
            question: String::new(),
            answer: Some((start(), "Trần Thị Bình".to_owned(), "Sổ gốc ghi như vậy".to_owned())),
        }];
        let desk = format!("/desk{}", filed.split('?').next().unwrap_or_default());
        for (ctx, path) in [(officer(&[Role::Receptionist]), desk), (an(), filed.clone())] {
            let page = town.page(&ctx, &path).await.body;
            for part in ["Phản ánh sai lệch dữ liệu", "Sổ gốc ghi như vậy", "Giữ nguyên"] {
                assert!(page.contains(part), "{part} at {path}");
            }
        }
        let about = |dossier: Option<String>| contest::News {
            doubt: uuid::Uuid::from_u128(7),
            account,
            dossier,
            state: DoubtState::Refused,
            at: start(),
        };
        for news in [
            about(Some(contested[0].dossier.clone())),
            about(Some(contested[0].dossier.clone())),
            about(None),
        ] {
            let job = store::Job::new(contest::NEWS, &news).expect("a job");
            store::transact!(town.store, |tx| { tx.enqueue(job.clone(), start()).await }).expect("enqueued");
            town.work_until(start().plus_seconds(7_200)).await;
        }
        let notices = town.dossiers.notices(&an(), None).await.expect("a list");
        let answered = notices.iter().filter(|one| one.kind == NoticeKind::DoubtAnswered);
        let codes: Vec<&str> = answered.map(|one| one.code.as_str()).collect();
        assert_eq!(codes.len(), 2, "{notices:?}");
        assert!(town.page(&an(), "/my").await.body.contains("href=\"/my/records\""));
    }
}

#[tokio::test]
async fn a_registry_that_is_down_delays_nobody_and_is_asked_until_it_answers() {
    for town in towns().await {
        let (population, home) = joined(&town);
        population.goes_down(true);
        let path = town.fill(&an(), CODE).await;
        let page = town.page(&an(), &page_with_residence(&town, &an(), &path).await).await;
        assert!(page.body.contains("Cơ sở dữ liệu chưa trả lời"));
        town.hand_in(&an(), &path).await;
        let filed = town.file(&an(), &path).await;
        let before = town.seen(&filed).await;
        assert_eq!(before.checks[0].outcome, Outcome::Open);
        let questions = population.asked_for("residence").len();
        assert_eq!(questions, 1, "not with each page: a minute is left to it");

        // Still down in the first hours: asked some times, further and further apart.
        town.work_until(start().plus_seconds(3 * 3600)).await;
        assert_eq!(town.seen(&filed).await.checks[0].outcome, Outcome::Open);
        let later = population.asked_for("residence").len();
        assert!((2..=20).contains(&later), "{later}");

        population.goes_down(false);
        population.holds("residence", &residence(&town, "Nhà khác"));
        town.work_until(start().plus_seconds(12 * 3600)).await;
        let after = town.seen(&filed).await;
        assert_eq!(after.checks[0].outcome, Outcome::Differs);
        assert!(
            after.checks[0]
                .held
                .as_deref()
                .is_some_and(|held| held.contains("Nhà khác"))
        );
        assert_eq!(at(&after.state.answers.to_value(), FIELD), home, "what was filed stays");
        assert_eq!(
            after.state.due_at(&town.dossiers.calendar()),
            before.state.due_at(&town.dossiers.calendar())
        );
        let page = town
            .page(
                &officer(&[Role::Receptionist]),
                &format!("/desk{}", filed.split('?').next().unwrap_or_default()),
            )
            .await;
        assert!(
            page.body.contains("Khác với cơ sở dữ liệu") && page.body.contains("Đối chiếu tờ khai với cơ sở dữ liệu")
        );
        // What was answered is not asked again.
        let asked = population.asked.lock().expect("one at a time").len();
        town.work_until(start().plus_seconds(48 * 3600)).await;
        assert_eq!(population.asked.lock().expect("one at a time").len(), asked);
    }
}

#[tokio::test]
async fn an_answer_that_the_form_cannot_take_is_as_good_as_none() {
    for town in towns().await {
        let (population, _) = joined(&town);
        for wrong in [
            json!("12 Lê Lợi"),
            json!({ "province": "99", "commune": "00000", "detail": "x" }),
            json!(null),
        ] {
            population.holds("residence", &wrong);
            let path = town.fill(&an(), CODE).await;
            let page = town.page(&an(), &page_with_residence(&town, &an(), &path).await).await;
            assert!(page.body.contains("Cơ sở dữ liệu chưa trả lời"), "{wrong}");
            town.post(&an(), &format!("{path}/discard"), &[]).await;
        }
    }
}

#[tokio::test]
async fn an_api_filing_that_says_otherwise_counts_as_a_doubt() {
    for town in towns().await {
        let (population, home) = joined(&town);
        let path = town.fill(&an(), CODE).await;
        let draft = town.draft(&an(), &path).await;
        assert!(matches!(
            draft.draft.facts.said.values().next(),
            Some(Said::Nothing { .. })
        ));
        let answers = Answers::from_value(draft.draft.answers.clone().into()).expect("an object");
        population.holds("residence", &residence(&town, "Nhà khác"));
        let filing = Filing {
            procedure: CODE.to_owned(),
            answers,
            papers: Vec::new(),
            applicant: None,
            channel: None,
        };
        let filed = town.dossiers.file(&an(), &filing, "key-1").await.expect("filed");
        let dossier = town.seen(&format!("/dossiers/{}", filed.code)).await;
        assert_eq!(at(&dossier.state.answers.to_value(), FIELD), home, "as the caller said");
        assert_eq!(dossier.checks[0].outcome, Outcome::Doubted);
    }
}

/// What a steward has told the population and civil-status registries of the same node.
async fn kept_here(town: &Town, home: &Value) -> Registries {
    let reference = Arc::new(procedure::reference::Reference::embedded().expect("reference data"));
    let shelf = Shelf::open(town.store.clone(), reference).await.expect("a shelf");
    for code in ["population", "civil-status"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../registries")
            .join(code);
        let files = folder::read(&path).expect("files");
        shelf.publish(&files, "test", start()).await.expect("published");
    }
    let registries = Registries::new(town.store.clone(), shelf, town.identity.clone());
    let steward = Ctx::system("steward", start());
    let born = |day: &str| Moment::parse(day, ValidTime::Day).expect("a day");
    let person = |number: &str, name: &str, sex: &str| {
        json!({ "person_number": number, "name": name, "birth_date": "1990-05-02", "sex": sex, "ethnicity": "01", "nationality": "VN",
                "residence": home, "status": "alive" })
    };
    let marriage = json!({ "kind": "marriage", "commune": home["commune"], "year": 2026, "number": 12, "registered_on": "2026-03-04",
        "husband": { "person_number": "046090004321", "name": "Trần Văn Nam", "birth_date": "1990-05-02" },
        "wife": { "person_number": "046190001234", "name": "Nguyễn Thị Ngọc Ánh", "birth_date": "1990-05-02" } });
    for (n, (code, from, body)) in [
        (
            "population",
            "2025-07-01",
            person("046190001234", "Nguyễn Thị Ngọc Ánh", "female"),
        ),
        (
            "population",
            "2025-07-01",
            person("046090004321", "Trần Văn Nam", "male"),
        ),
        ("civil-status", "2026-03-04", marriage),
    ]
    .into_iter()
    .enumerate()
    {
        let change = Change::Assert {
            target: Target::New,
            from: born(from),
            to: None,
            body,
        };
        let provenance = Provenance {
            source: "sổ giấy".to_owned(),
            ..Provenance::default()
        };
        let written = registries
            .write(
                &steward,
                &code.parse().expect("a code"),
                change,
                &provenance,
                &format!("key-{n}"),
            )
            .await;
        written.unwrap_or_else(|refused| panic!("{code}: {refused:?}"));
    }
    registries
}

#[tokio::test]
async fn registries_of_the_same_node_fill_a_form_and_the_person_sees_that_they_were_read() {
    for town in towns().await {
        let home = residence(&town, "12 Lê Lợi");
        let registries = kept_here(&town, &home).await;
        town.dossiers.ask_registries_by(Arc::new(Here::new(registries)));
        let path = town.post(&an(), "/apply/3.000722/start", &[]).await.location();
        let both = [("_shown", "parents.both"), ("parents.both", "true"), ("then", "next")];
        let both: Vec<_> = both.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        town.post(&an(), &format!("{path}/pages/parents"), &both).await;
        let answers = town.draft(&an(), &path).await.journey.answers.to_value();
        assert_eq!(at(&answers, "requester.residence"), home);
        assert_eq!(
            at(&answers, "other.person_number"),
            json!("046090004321"),
            "by the marriage, from civil status"
        );
        assert_eq!(
            at(&answers, "other.name"),
            json!("Trần Văn Nam"),
            "by that number, from population"
        );
        assert_eq!(at(&answers, "marriage.marriage_entry"), json!("12/2026"));
        let (reads, _) = town.identity.reads_of_me(&an(), None, 50).await.expect("reads");
        assert!(reads.iter().any(|read| read.actor == "Thủ tục hành chính"), "{reads:?}");
        // Whose number she only knows tells her nothing: nobody is asked about a number that was typed.
        let said = town.draft(&an(), &path).await.draft.facts.said;
        assert!(
            said.keys()
                .all(|a| a.of.as_deref().is_none_or(|of| of == "other.person_number"))
        );
    }
}

#[tokio::test]
async fn an_enterprise_is_looked_up_by_its_code_and_another_code_is_another_enterprise() {
    for town in towns().await {
        let (register, seat) = joined(&town);
        register.holds("seat", &seat);
        register.holds("name", &json!("Công ty TNHH Một Cửa"));
        let path = town.post(&an(), "/apply/1.013225/start", &[]).await.location();
        let post = async |page: &str, fields: &[(&str, &str)]| {
            let mut fields: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            fields.extend(fields.clone().into_iter().map(|(name, _)| ("_shown".to_owned(), name)));
            fields.push(("then".to_owned(), "next".to_owned()));
            town.post(&an(), &format!("{path}/pages/{page}"), &fields).await
        };
        let asked_about = || {
            let asked = register.asked.lock().expect("one at a time").clone();
            let codes = asked.into_iter().filter_map(|question| match question.about {
                About::Organisation(code) => Some(code),
                About::Person(_) => None,
            });
            codes.collect::<Vec<_>>()
        };
        post("owner", &[("owner.kind", "organisation")]).await;
        assert!(asked_about().is_empty(), "no code, no question");
        post("organisation-code", &[("organisation.tax_code", "0100109106")]).await;
        assert_eq!(asked_about(), ["0100109106"]);
        let page = town.page(&an(), &format!("{path}/pages/organisation")).await;
        assert!(page.body.contains("Công ty TNHH Một Cửa") && page.body.contains("12 Lê Lợi"));
        assert!(!page.body.contains("name=\"organisation.name\""), "it is not asked");

        // What was said of the first is not said of the second.
        register.holds("name", &json!("Công ty cổ phần Hai Cửa"));
        post("organisation-code", &[("organisation.tax_code", "0100112437")]).await;
        assert_eq!(asked_about(), ["0100109106", "0100112437"]);
        let page = town.page(&an(), &format!("{path}/pages/organisation")).await;
        assert!(page.body.contains("Công ty cổ phần Hai Cửa") && !page.body.contains("Công ty TNHH Một Cửa"));
        assert_eq!(asked_about().len(), 2, "once each");
    }
}
