//! The joined filing for a child: one form, registries told one after the other, and every way in which one of them may fail.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use base::{Problems, Timestamp};
use futures::future::BoxFuture;
use identity::{Ctx, Role};
use procedure::form::{Attribute, Said as Told};
use registry::{
    keeper::{Asked, Keeper, Order, Said, TakeBack, UNKNOWN},
    lookup::{About, Lookup, Question},
};
use serde_json::{Value, json};

use super::town::{Town, an, officer, start, towns};
use crate::{
    model::{
        action::{DossierId, PaymentMethod},
        command::{Command, Completion},
        writes::Wrote,
    },
    service::DossierView,
};

const CODE: &str = "3.000722";
const MOTHER: &str = "046190001234";
const FATHER: &str = "046088004321";

/// Registries in memory: what they hold by entry, in what order they were told, and how each fails.
#[derive(Debug, Default)]
struct Registries {
    told: Mutex<Vec<String>>,
    standing: Mutex<BTreeMap<String, Value>>,
    answered: Mutex<BTreeMap<String, Said>>,
    /// By registry: how often it is silent before it answers, and whether it then refuses.
    silent: Mutex<BTreeMap<String, u32>>,
    /// By registry: how often it does as it is told and its answer is lost, and how often the exchange then bars the way.
    unheard: Mutex<BTreeMap<String, u32>>,
    barred: Mutex<BTreeMap<String, u32>>,
    refuses: Mutex<Vec<String>>,
    numbers: AtomicU32,
    home: Mutex<Value>,
}

impl Registries {
    fn is_silent(&self, registry: &str) -> bool {
        left(&self.silent, registry)
    }

    fn once(&self, id: &str, does: impl FnOnce() -> Said) -> Said {
        if let Some(before) = self.answered.lock().expect("one at a time").get(id) {
            return before.clone();
        }
        self.told.lock().expect("one at a time").push(id.to_owned());
        let said = does();
        self.answered
            .lock()
            .expect("one at a time")
            .insert(id.to_owned(), said.clone());
        said
    }

    fn records(&self) -> Vec<String> {
        self.standing.lock().expect("one at a time").keys().cloned().collect()
    }
}

/// Whether any of these are left for a registry; one less afterwards.
fn left(of: &Mutex<BTreeMap<String, u32>>, registry: &str) -> bool {
    let mut of = of.lock().expect("one at a time");
    match of.get_mut(registry) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

impl Keeper for Registries {
    fn tell<'a>(&'a self, _: &'a Ctx, order: &'a Order) -> BoxFuture<'a, Said> {
        Box::pin(async move {
            let registry = order.plan.registry.as_str();
            if self.is_silent(registry) {
                return Said::Silent;
            }
            let unheard = left(&self.unheard, registry);
            if !unheard && left(&self.barred, registry) {
                let mut problems = Problems::new();
                problems.add("exchange-refused", "", "Chưa được cấp quyền.", "No grant.");
                return Said::Barred(problems);
            }
            let said = self.once(&order.id, || {
                if self
                    .refuses
                    .lock()
                    .expect("one at a time")
                    .iter()
                    .any(|r| r == registry)
                {
                    let mut problems = Problems::new();
                    problems.add("no", registry, "Cơ quan từ chối.", "The agency refuses.");
                    return Said::Refused(problems);
                }
                let n = self.numbers.fetch_add(1, Ordering::Relaxed);
                let mut record = order.plan.body.clone();
                match registry {
                    // A record that is changed has its number.
                    _ if order.plan.key.is_some() => {}
                    "enterprises" => record["tax_code"] = "0100109106".into(),
                    "population" => record["person_number"] = format!("046226{n:06}").into(),
                    "social-insurance" => record["card"]["number"] = format!("TE146{n:010}").into(),
                    _ => {}
                }
                let entry = format!("{registry}#{n}");
                self.standing
                    .lock()
                    .expect("one at a time")
                    .insert(entry.clone(), record.clone());
                Said::Done { entry, record }
            });
            if unheard { Said::Silent } else { said }
        })
    }

    fn became<'a>(&'a self, _: &'a Ctx, asked: &'a Asked) -> BoxFuture<'a, Said> {
        Box::pin(async move {
            if self.is_silent(&asked.registry) {
                return Said::Silent;
            }
            let mut problems = Problems::new();
            if left(&self.barred, &asked.registry) {
                problems.add("exchange-refused", "", "Chưa được cấp quyền.", "No grant.");
                return Said::Barred(problems);
            }
            let answered = self.answered.lock().expect("one at a time");
            answered.get(&asked.order).cloned().unwrap_or_else(|| {
                problems.add(UNKNOWN, "", "Chưa nhận được.", "Never came.");
                Said::Refused(problems)
            })
        })
    }

    fn take_back<'a>(&'a self, _: &'a Ctx, order: &'a TakeBack) -> BoxFuture<'a, Said> {
        Box::pin(async move {
            if self.is_silent(&order.registry) {
                return Said::Silent;
            }
            self.once(&format!("{}/back", order.order), || {
                self.standing.lock().expect("one at a time").remove(&order.entry);
                Said::Done {
                    entry: format!("{}/back", order.entry),
                    record: Value::Null,
                }
            })
        })
    }
}

impl Lookup for Registries {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Told>> {
        Box::pin(async move {
            let father = question.about == About::Person(FATHER.to_owned());
            let told = |a: &Attribute| {
                let value = match (a.registry.as_str(), a.name.as_str()) {
                    (_, "residence") => self.home.lock().expect("one at a time").clone(),
                    (_, "ethnicity") => json!("01"),
                    (_, "nationality") => json!("VN"),
                    (_, "full-name") if father => json!("Trần Văn Nam"),
                    (_, "birth-date") if father => json!("1988-02-03"),
                    (_, "spouse-number") if !father => json!(FATHER),
                    (_, "members") => json!([
                        { "person_number": FATHER, "name": "Trần Văn Nam", "relation": "spouse" },
                        { "person_number": "046216004567", "name": "Trần Ngọc Mai", "relation": "child" },
                        { "person_number": "046162001111", "name": "Lê Thị Hoa", "relation": "parent" },
                    ]),
                    (_, "marriage-entry") => json!("KH 12/2015"),
                    (_, "place-of-care") => json!("46001"),
                    ("tax", "status") => json!("active"),
                    _ => return Told::Nothing { at: ctx.now },
                };
                Told::Known {
                    value,
                    entry: format!("{}/{}", a.registry, question.about.number()),
                    recorded_at: ctx.now,
                    at: ctx.now,
                }
            };
            question.attributes.iter().map(|a| (a.clone(), told(a))).collect()
        })
    }
}

/// From now on the town asks and tells these registries, which have everybody at home in a commune of today.
fn tell(town: &Town, registries: &Arc<Registries>) {
    let (units, today) = (&town.dossiers.reference().units, start().legal_date());
    let province = units.provinces(today)[0];
    let commune = units.communes(province.code, today)[0];
    *registries.home.lock().expect("one at a time") =
        json!({ "province": province.code.to_string(), "commune": commune.code.to_string(), "detail": "12 Lê Lợi" });
    town.dossiers.ask_registries_by(registries.clone());
    town.dossiers.tell_registries_by(registries.clone());
}

/// Accepts, reviews and signs a filed dossier, and takes the fee where there is one.
async fn sign(town: &Town, filed: &str, review: Value) {
    for (outcome, fields) in [("accept", json!({})), ("ok", review), ("approve", json!({}))] {
        let seen = town.seen(filed).await;
        if seen.state.waits_for_payment() {
            let pay = Command::RecordPayment {
                amount: seen.state.owed(),
                method: PaymentMethod::Cash,
                reference: "BL 0012".to_owned(),
            };
            let clerk = officer(&[Role::Receptionist]);
            town.dossiers.command(&clerk, seen.id, &pay, None).await.expect("paid");
        }
        let completion = Completion {
            token: town.seen(filed).await.tasks[0].open.token,
            outcome: outcome.to_owned(),
            fields: fields.as_object().cloned().unwrap_or_default(),
            ..Completion::default()
        };
        town.step(seen.id, completion).await;
    }
}

/// A child's dossier that was filed by the mother and signed by the leader.
async fn signed(town: &Town, registries: &Arc<Registries>) -> String {
    tell(town, registries);
    let path = town.post(&an(), &format!("/apply/{CODE}/start"), &[]).await.location();
    // Both parents, so that the other one is asked for as well.
    let both = [("_shown", "parents.both"), ("parents.both", "true"), ("then", "next")];
    let both: Vec<_> = both.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    town.post(&an(), &format!("{path}/pages/parents"), &both).await;
    let path = town.fill(&an(), CODE).await;
    town.hand_in(&an(), &path).await;
    let draft = town.draft(&an(), &path).await;
    assert_eq!(
        draft.journey.answers.text("other.person_number"),
        Some(FATHER),
        "by the marriage"
    );
    assert_eq!(
        draft.journey.answers.text("other.name"),
        Some("Trần Văn Nam"),
        "by that number"
    );
    let filed = town.file(&an(), &path).await;
    sign(town, &filed, json!({ "register_number": 15 })).await;
    filed
}

/// A dossier of this procedure that was filed, paid for and signed, in a town that tells these registries.
async fn signed_of(town: &Town, code: &str, registries: &Arc<Registries>) -> String {
    tell(town, registries);
    let path = town.fill(&an(), code).await;
    town.hand_in(&an(), &path).await;
    let filed = town.file(&an(), &path).await;
    let numbered = matches!(code, "1.000656" | "1.000894" | "1.001193");
    let review = match code {
        "1.014027" => json!({ "verified": "same", "other_benefits": "none", "monthly_amount": 500_000 }),
        _ if numbered => json!({ "register_number": 15 }),
        _ => json!({}),
    };
    sign(town, &filed, review).await;
    filed
}

fn statuses(seen: &DossierView) -> Vec<&'static str> {
    let status = |wrote: &Option<Wrote>| match wrote {
        None => "waits",
        Some(Wrote::Done { .. }) => "done",
        Some(Wrote::Refused { .. }) => "refused",
        Some(Wrote::Unknown { .. }) => "unknown",
        Some(Wrote::TakenBack { .. }) => "taken back",
        Some(Wrote::Left { .. }) => "left",
    };
    seen.writes.iter().map(|w| status(&w.wrote)).collect()
}

async fn mended(town: &Town, id: DossierId, token: u32, outcome: &str) {
    let ctx = officer(&[Role::Specialist]);
    let completion = Completion {
        token,
        outcome: outcome.to_owned(),
        ..Completion::default()
    };
    town.dossiers
        .command(&ctx, id, &Command::Complete(completion), None)
        .await
        .expect("the step is done");
}

/// Does what is due, hour by hour: who was silent is told again later.
async fn work_through(town: &Town, from: i64, to: i64) {
    for hour in from..=to {
        town.work_until(hours(hour)).await;
    }
}

fn hours(n: i64) -> Timestamp {
    start().plus_seconds(n * 3600)
}

#[tokio::test]
async fn one_filing_tells_five_registries_and_shows_what_they_gave() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        let filed = signed(&town, &registries).await;
        assert_eq!(statuses(&town.seen(&filed).await), ["waits"; 5]);
        // A result that is asked for while registries are being told is drawn later.
        work_through(&town, 6, 7).await;
        let seen = town.seen(&filed).await;
        assert_eq!(statuses(&seen), ["done"; 5]);
        let standing = registries.standing.lock().expect("one at a time").clone();
        let person = standing
            .values()
            .find(|r| r.get("mother_person_number").is_some())
            .expect("the child");
        assert_eq!(
            (&person["mother_person_number"], &person["father_person_number"]),
            (&json!(MOTHER), &json!(FATHER))
        );
        let number = person["person_number"].as_str().expect("a number");
        let entry = standing
            .values()
            .find(|r| r["kind"] == json!("birth"))
            .expect("the entry");
        assert_eq!(
            entry["child"]["person_number"],
            json!(number),
            "entered under the number that was given"
        );
        assert_eq!((&entry["number"], &entry["year"]), (&json!(15), &json!(2026)));
        let card = standing.values().find(|r| r["group"] == json!("TE")).expect("the card");
        assert_eq!(card["card"]["place_of_care"], json!("46001"));
        let decided_on = seen.state.ended_at.expect("it is decided").legal_date();
        let home = standing
            .values()
            .find(|r| r["kind"] == json!("permanent"))
            .expect("the residence");
        assert_eq!(
            (&home["person_number"], &home["since"]),
            (&json!(number), &json!(decided_on.to_string()))
        );
        let taxpayer = standing
            .values()
            .find(|r| r.get("taxpayer_number").is_some())
            .expect("the tax code");
        assert_eq!(
            (&taxpayer["taxpayer_number"], &taxpayer["debt_total"]),
            (&json!(number), &json!(0))
        );
        assert_eq!(seen.tasks[0].name.en, "Hand over the result");
        assert!(
            seen.state
                .documents
                .iter()
                .any(|d| d.kind == crate::model::action::DocumentKind::Result)
        );
        for (ctx, path) in [
            (an(), filed.clone()),
            (
                officer(&[Role::Specialist]),
                format!("/desk{}", filed.split('?').next().unwrap_or_default()),
            ),
        ] {
            let page = town.page(&ctx, &path).await;
            assert!(
                page.body.contains("Cấp thẻ bảo hiểm y tế") && page.body.contains("Đã cập nhật"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_registry_that_is_silent_is_told_again_and_nothing_twice() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        let silent = [
            ("population", 2),
            ("residence", 1),
            ("civil-status", 1),
            ("social-insurance", 3),
            ("tax", 1),
        ];
        *registries.silent.lock().expect("one at a time") = silent.map(|(r, n)| (r.to_owned(), n)).into();
        let filed = signed(&town, &registries).await;
        work_through(&town, 1, 24).await;
        assert_eq!(statuses(&town.seen(&filed).await), ["done"; 5]);
        assert_eq!(registries.told.lock().expect("one at a time").len(), 5);
        assert_eq!(registries.records().len(), 5);
    }
}

#[tokio::test]
async fn a_grant_withdrawn_after_a_write_that_nobody_heard_of_takes_nothing_back() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        let once = |n: u32| BTreeMap::from([("social-insurance".to_owned(), n)]);
        *registries.unheard.lock().expect("one at a time") = once(1);
        *registries.barred.lock().expect("one at a time") = once(3);
        let filed = signed(&town, &registries).await;
        work_through(&town, 1, 24).await;
        assert_eq!(statuses(&town.seen(&filed).await), ["done"; 5]);
        assert_eq!(registries.told.lock().expect("one at a time").len(), 5, "none twice");
        assert_eq!(registries.records().len(), 5);
    }
}

/// An officer waits no longer for the registry that does not answer.
async fn waiting_ended(town: &Town, role: Role, token: u32, reason: &str, id: DossierId) -> Result<(), Vec<String>> {
    let command = Command::EndWait {
        token,
        reason: reason.to_owned(),
    };
    let done = town.dossiers.command(&officer(&[role]), id, &command, None).await;
    let codes = |error: base::Error| error.problems().into_iter().flatten().map(|p| p.code.clone()).collect();
    done.map(drop).map_err(codes)
}

#[tokio::test]
async fn an_officer_ends_the_waiting_and_nothing_is_left_half_done() {
    // Whether the registry has the write or not: nobody knows it while the exchange bars the way.
    for has_it in [true, false] {
        for town in towns().await {
            let registries = Arc::new(Registries::default());
            let set = |of: &Mutex<BTreeMap<String, u32>>, n: u32| {
                of.lock()
                    .expect("one at a time")
                    .insert("social-insurance".to_owned(), n);
            };
            match has_it {
                true => set(&registries.unheard, 1),
                false => set(&registries.silent, 1),
            }
            set(&registries.barred, 1_000);
            let filed = signed(&town, &registries).await;
            work_through(&town, 1, 5).await;
            let seen = town.seen(&filed).await;
            assert_eq!(statuses(&seen), ["done", "done", "done", "waits", "waits"], "{has_it}");
            let token = seen.waiting.expect("it waits");
            let desk = format!("/desk/dossiers/{}", seen.state.code);
            let page = town.page(&officer(&[Role::Specialist]), &desk).await;
            assert!(page.body.contains("Thôi chờ cơ sở dữ liệu trả lời"), "{}", page.body);

            // Who handles it may, with a reason, and what waits; nobody else.
            let end = async |role, token, reason| waiting_ended(&town, role, token, reason, seen.id).await;
            assert_eq!(
                end(Role::Receptionist, token, "Hết quyền").await,
                Err(vec!["forbidden".to_owned()])
            );
            assert!(end(Role::Specialist, token, " ").await.is_err(), "without a reason");
            assert!(
                end(Role::Specialist, token + 1, "Hết quyền").await.is_err(),
                "nothing waits there"
            );
            assert_eq!(end(Role::Specialist, token, "Cơ quan đã thu hồi quyền").await, Ok(()));
            assert!(end(Role::Specialist, token, "Hết quyền").await.is_err(), "once");

            // What came before is taken back at once; the one is named as unknown, and why.
            work_through(&town, 6, 7).await;
            let seen = town.seen(&filed).await;
            assert_eq!(
                statuses(&seen),
                ["taken back", "taken back", "taken back", "unknown", "waits"]
            );
            assert_eq!(registries.records().len(), usize::from(has_it));
            assert_eq!(seen.tasks[0].open.node, "mend");
            for (ctx, path) in [(an(), &filed), (officer(&[Role::Specialist]), &desk)] {
                let page = town.page(&ctx, path).await;
                assert!(
                    page.body.contains("Chưa rõ kết quả") && page.body.contains("Cơ quan đã thu hồi quyền"),
                    "{}",
                    page.body
                );
            }
            // Told again before it is known, it comes back: nothing is written beside what may be there.
            mended(&town, seen.id, seen.tasks[0].open.token, "again").await;
            work_through(&town, 8, 9).await;
            let seen = town.seen(&filed).await;
            assert_eq!(seen.tasks[0].open.node, "mend");
            assert_eq!(registries.records().len(), usize::from(has_it));

            // The keeper is open again: what it has is taken back, what it has not is known as such.
            set(&registries.barred, 0);
            work_through(&town, 10, 12).await;
            let seen = town.seen(&filed).await;
            let known = if has_it { "taken back" } else { "refused" };
            assert_eq!(statuses(&seen)[3], known);
            assert_eq!(registries.records(), Vec::<String>::new(), "nothing stands");
            mended(&town, seen.id, seen.tasks[0].open.token, "again").await;
            work_through(&town, 13, 15).await;
            let seen = town.seen(&filed).await;
            assert_eq!(statuses(&seen), ["done"; 5]);
            assert_eq!(registries.records().len(), 5);
        }
    }
}

#[tokio::test]
async fn without_a_grant_what_came_before_is_taken_back() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        registries
            .barred
            .lock()
            .expect("one at a time")
            .insert("tax".to_owned(), 100);
        let filed = signed(&town, &registries).await;
        work_through(&town, 1, 24).await;
        assert_eq!(
            statuses(&town.seen(&filed).await),
            ["taken back", "taken back", "taken back", "taken back", "refused"]
        );
        assert_eq!(registries.records(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_refusal_at_any_step_takes_back_what_came_before() {
    for (nth, refusing) in ["population", "residence", "civil-status", "social-insurance", "tax"]
        .into_iter()
        .enumerate()
    {
        for town in towns().await {
            let registries = Arc::new(Registries::default());
            registries
                .refuses
                .lock()
                .expect("one at a time")
                .push(refusing.to_owned());
            // Taking back is tried again as well.
            registries
                .silent
                .lock()
                .expect("one at a time")
                .insert("population".to_owned(), 0);
            let filed = signed(&town, &registries).await;
            town.work_until(hours(24)).await;
            let seen = town.seen(&filed).await;
            assert_eq!(registries.records(), Vec::<String>::new(), "{refusing}: nothing stands");
            let mut expected = ["waits"; 5];
            expected[..nth].fill("taken back");
            expected[nth] = "refused";
            assert_eq!(statuses(&seen), expected, "{refusing}");
            assert_eq!(seen.tasks[0].open.node, "mend");
            let page = town.page(&an(), &filed).await;
            assert!(page.body.contains("Bị từ chối") && page.body.contains("Cơ quan từ chối."));

            // Mended at the agency, told again: another attempt, under other ids.
            registries.refuses.lock().expect("one at a time").clear();
            mended(&town, seen.id, seen.tasks[0].open.token, "again").await;
            town.work_until(hours(48)).await;
            let seen = town.seen(&filed).await;
            assert_eq!(statuses(&seen), ["done"; 5], "{refusing}");
            assert_eq!(registries.records().len(), 5);
            assert_eq!(seen.tasks[0].open.node, "deliver");
        }
    }
}

#[tokio::test]
async fn without_registries_an_officer_goes_on_by_hand() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        // Joined only to be asked.
        town.dossiers.ask_registries_by(registries.clone());
        for code in [CODE, "1.001193"] {
            let filed = signed_without_keeper(&town, code).await;
            town.work_until(hours(24)).await;
            let seen = town.seen(&filed).await;
            assert_eq!(seen.tasks[0].open.node, "mend", "{code}");
            mended(&town, seen.id, seen.tasks[0].open.token, "by-hand").await;
            assert_eq!(town.seen(&filed).await.tasks[0].open.node, "deliver", "{code}");
        }
        assert!(registries.told.lock().expect("one at a time").is_empty());
    }
}

/// As [`signed_of`], in a town that can tell nobody.
async fn signed_without_keeper(town: &Town, code: &str) -> String {
    let path = town.fill(&an(), code).await;
    town.hand_in(&an(), &path).await;
    let filed = town.file(&an(), &path).await;
    sign(town, &filed, json!({ "register_number": 15 })).await;
    filed
}

#[tokio::test]
async fn a_birth_a_death_a_marriage_a_move_a_pension_and_an_enterprise_tell_their_registries() {
    let cases: [(&str, &[&str]); 6] = [
        ("1.001193", &["population", "civil-status", "tax"]),
        // Nobody has found a health card, so none is ended.
        ("1.000656", &["civil-status", "population", "tax", "population"]),
        ("1.000894", &["civil-status", "population", "population"]),
        ("1.004222", &["residence", "population"]),
        // Social insurance knows nobody yet.
        ("1.014027", &["social-insurance"]),
        ("2.001610", &["enterprises", "tax"]),
    ];
    for (code, told) in cases {
        for town in towns().await {
            let registries = Arc::new(Registries::default());
            let filed = signed_of(&town, code, &registries).await;
            work_through(&town, 6, 7).await;
            let seen = town.seen(&filed).await;
            assert_eq!(
                seen.writes.iter().map(|w| w.registry.as_str()).collect::<Vec<_>>(),
                told,
                "{code}"
            );
            assert_eq!(statuses(&seen), vec!["done"; told.len()], "{code}");
            assert_eq!(seen.tasks[0].name.en, "Hand over the result", "{code}");
            assert!(
                seen.state
                    .documents
                    .iter()
                    .any(|d| d.kind == crate::model::action::DocumentKind::Result),
                "{code}"
            );
            let page = town.page(&an(), &filed).await;
            assert!(
                page.body.contains("Đã cập nhật") && !page.body.contains("Kết thúc thẻ"),
                "{code}"
            );
        }
    }
}

#[tokio::test]
async fn a_death_stays_registered_where_another_registry_refuses() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        registries
            .refuses
            .lock()
            .expect("one at a time")
            .push("population".to_owned());
        let filed = signed_of(&town, "1.000656", &registries).await;
        town.work_until(hours(24)).await;
        let seen = town.seen(&filed).await;
        assert_eq!(statuses(&seen), ["left", "refused", "waits", "waits"]);
        assert_eq!(registries.records(), ["civil-status#0"], "the entry stands");
        registries.refuses.lock().expect("one at a time").clear();
        mended(&town, seen.id, seen.tasks[0].open.token, "again").await;
        town.work_until(hours(48)).await;
        let seen = town.seen(&filed).await;
        assert_eq!(
            statuses(&seen),
            ["left", "done", "done", "done"],
            "what stands is not told again"
        );
        assert_eq!(seen.tasks[0].open.node, "deliver");
        assert_eq!(registries.records().len(), 4);
    }
}

/// A move of somebody who is the head of a household, with husband and child, signed by the leader. The mother stays.
async fn moved(town: &Town, registries: &Arc<Registries>) -> String {
    tell(town, registries);
    let path = town.fill(&an(), "1.004222").await;
    let page = town.page(&an(), &format!("{path}/pages/members")).await;
    for name in [
        "Trần Văn Nam (vợ hoặc chồng)",
        "Trần Ngọc Mai (con)",
        "Lê Thị Hoa (cha hoặc mẹ)",
    ] {
        assert!(page.body.contains(name), "{name}");
    }
    let ticked = [
        ("_shown", "move.members"),
        ("move.members", FATHER),
        ("move.members", "046216004567"),
        // Whoever is not on the list is not brought along.
        ("move.members", "001190000017"),
        ("then", "next"),
    ];
    let ticked: Vec<_> = ticked.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    town.post(&an(), &format!("{path}/pages/members"), &ticked).await;
    let draft = town.draft(&an(), &path).await;
    let members = draft
        .journey
        .answers
        .get("move.members")
        .and_then(Value::as_array)
        .expect("they are ticked");
    assert_eq!(members.len(), 2);
    town.hand_in(&an(), &path).await;
    let filed = town.file(&an(), &path).await;
    let review = json!({ "household_number": "00004-000123" });
    sign(town, &filed, review).await;
    filed
}

#[tokio::test]
async fn a_household_moves_whole() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        let filed = moved(&town, &registries).await;
        assert_eq!(statuses(&town.seen(&filed).await), ["waits"; 6]);
        town.work().await;
        let seen = town.seen(&filed).await;
        assert_eq!(statuses(&seen), ["done"; 6]);
        let told: Vec<_> = seen.writes.iter().map(|w| w.registry.as_str()).collect();
        assert_eq!(
            told,
            [
                "residence",
                "residence",
                "residence",
                "population",
                "population",
                "population"
            ]
        );
        let standing = registries.standing.lock().expect("one at a time").clone();
        let home = |number: &str| {
            let of = |record: &&Value| record["person_number"] == number && record["kind"] == "permanent";
            standing.values().find(of).expect("a residence").clone()
        };
        let (head, husband, child) = (home(MOTHER), home(FATHER), home("046216004567"));
        assert_eq!(head["relation_to_head"], "head");
        assert_eq!(
            (&husband["relation_to_head"], &child["relation_to_head"]),
            (&json!("spouse"), &json!("child"))
        );
        for member in [&husband, &child] {
            assert_eq!(
                (&member["household"], &member["address"]),
                (&json!("00004-000123"), &head["address"])
            );
            assert_eq!(member["head_person_number"], json!(MOTHER));
        }
        for (ctx, path) in [
            (an(), filed.clone()),
            (
                officer(&[Role::Specialist]),
                format!("/desk{}", filed.split('?').next().unwrap_or_default()),
            ),
        ] {
            let page = town.page(&ctx, &path).await;
            assert!(
                page.body
                    .contains("Đăng ký thường trú cho người cùng chuyển: Trần Ngọc Mai"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_move_leaves_everybody_where_they_were() {
    for town in towns().await {
        let registries = Arc::new(Registries::default());
        registries
            .refuses
            .lock()
            .expect("one at a time")
            .push("population".to_owned());
        // The residence registry is down for a while, both before it is told and before it takes back.
        registries
            .silent
            .lock()
            .expect("one at a time")
            .insert("residence".to_owned(), 2);
        let filed = moved(&town, &registries).await;
        town.work().await;
        assert_eq!(
            statuses(&town.seen(&filed).await),
            ["waits"; 6],
            "a node is down: nobody has moved"
        );
        work_through(&town, 7, 24).await;
        let seen = town.seen(&filed).await;
        assert_eq!(
            statuses(&seen),
            ["taken back", "taken back", "taken back", "refused", "waits", "waits"]
        );
        assert_eq!(registries.records(), Vec::<String>::new(), "nothing stands");
        let back: Vec<_> = registries
            .told
            .lock()
            .expect("one at a time")
            .iter()
            .filter(|id| id.ends_with("/back"))
            .cloned()
            .collect();
        let order: Vec<_> = back.iter().filter_map(|id| id.split('/').nth(2)).collect();
        assert_eq!(order, ["members-2", "members-1", "residence"], "the last first");
        assert_eq!(seen.tasks[0].open.node, "mend");

        registries.refuses.lock().expect("one at a time").clear();
        registries
            .silent
            .lock()
            .expect("one at a time")
            .insert("population".to_owned(), 3);
        mended(&town, seen.id, seen.tasks[0].open.token, "again").await;
        work_through(&town, 25, 48).await;
        let seen = town.seen(&filed).await;
        assert_eq!(statuses(&seen), ["done"; 6]);
        assert_eq!(registries.records().len(), 6, "nothing twice");
        assert_eq!(seen.tasks[0].open.node, "deliver");
    }
}
