//! Orders of procedures: one effect each, numbers that are given once, and taking back.

use std::collections::BTreeSet;

use base::codes::{HealthCard, InsuranceNumber, PersonNumber, Sex, TaxCode};
use futures::future::join_all;
use procedure::writes::{Act, Plan};
use registry::{
    here::Here,
    keeper::{self, Asked, Keeper as _, Order, TakeBack},
    lookup::{About, Lookup as _, Question},
    service::{Carried, HERE},
};

use super::*;

const DOSSIER: &str = "H42.28-260821-0001";
const OTHER: &str = "VN/GOV/000.00.00.H01/motcua";

/// As those of an office, that draw the same numbers each time.
fn seeded(office: &Office) -> Registries {
    let identity = IdentityState::new(
        office.store.clone(),
        identity::Config::default(),
        &[9; 32],
        Arc::new(FixedClock::at(now())),
        Entropy::seeded(7),
        Shell::default(),
    );
    Registries::new(
        office.store.clone(),
        office.registries.shelf().clone(),
        identity.expect("good settings"),
    )
}

fn system() -> Ctx {
    Ctx {
        actor: Actor::System("Thủ tục hành chính"),
        ..steward()
    }
}

pub(super) fn order(id: &str, registry: &str, act: Act, key: Option<&str>, from: &str, body: Value) -> Order {
    Order {
        id: id.to_owned(),
        plan: Plan {
            registry: registry.to_owned(),
            act,
            key: key.map(str::to_owned),
            valid_from: from.parse().expect("a day"),
            concerns: Vec::new(),
            body,
        },
        procedure: "3.000722".to_owned(),
        basis: "Luật Căn cước 2023, Điều 12".to_owned(),
        dossier: DOSSIER.to_owned(),
        source: "Cấp số định danh".to_owned(),
    }
}

/// A birth that nobody has given a number.
pub(super) fn newborn(name: &str) -> Value {
    json!({
        "name": name, "birth_date": "2026-11-20", "sex": "female", "nationality": "VN", "status": "alive",
        "residence": {"province": "01", "commune": "00004", "detail": "Số 1"},
    })
}

fn birth_of(id: &str, name: &str) -> Order {
    order(id, "population", Act::Assert, None, "2026-11-20", newborn(name))
}

fn entry(commune: &str, number: Option<i64>) -> Value {
    let mut body = json!({
        "kind": "birth", "commune": commune, "year": 2026, "registered_on": "2026-11-24",
        "child": {"name": "Lê Bé", "birth_date": "2026-11-20", "sex": "female"},
    });
    if let Some(number) = number {
        body["number"] = number.into();
    }
    body
}

async fn ordered(registries: &Registries, client: &str, order: &Order) -> base::Result<Carried> {
    registries
        .carry_out(&system(), &purpose(), client, order, &Mask::ALL)
        .await
}

async fn done(registries: &Registries, order: &Order) -> Carried {
    ordered(registries, HERE, order).await.expect("carried out")
}

async fn refused(registries: &Registries, client: &str, order: &Order) -> (Kind, Vec<String>) {
    codes(&ordered(registries, client, order).await.expect_err("refused"))
}

fn back(order: &str, carried: &Carried) -> TakeBack {
    TakeBack {
        order: order.to_owned(),
        registry: carried.entry.split('/').next().expect("a registry").to_owned(),
        entry: carried.entry.clone(),
        procedure: "3.000722".to_owned(),
        dossier: DOSSIER.to_owned(),
    }
}

fn number(carried: &Carried) -> String {
    carried.record["person_number"].as_str().expect("a number").to_owned()
}

impl Office {
    async fn holds(&self, number: &str) -> Option<Value> {
        let read = self
            .registries
            .read(
                &steward(),
                &purpose(),
                &population(),
                number,
                When::default(),
                &Mask::ALL,
            )
            .await;
        read.ok().map(|view| view.body)
    }
}

#[tokio::test]
async fn of_many_orders_at_once_each_gets_a_number_of_its_own_and_only_once() {
    for office in offices().await {
        let orders: Vec<Order> = (0..20)
            .map(|n| birth_of(&format!("{DOSSIER}/{n}/person"), &format!("Bé {n}")))
            .collect();
        // Each of them twice.
        let told = orders
            .iter()
            .chain(&orders)
            .map(|order| done(&office.registries, order));
        let told = join_all(told).await;
        let (first, again) = told.split_at(orders.len());
        assert_eq!(first, again);
        let numbers: BTreeSet<PersonNumber> = first.iter().map(|one| number(one).parse().expect("a number")).collect();
        assert_eq!(numbers.len(), orders.len());
        for number in &numbers {
            assert_eq!((number.birth_year(), number.sex()), (2026, Sex::Female), "{number}");
            assert!(number.as_str().starts_with("001"), "{number}");
        }
        let free: Vec<u32> = numbers
            .iter()
            .map(|n| n.as_str()[6..].parse().expect("digits"))
            .collect();
        let spread = free.iter().max().expect("some") - free.iter().min().expect("some");
        assert!(spread > 1_000, "numbers one after the other can be guessed: {free:?}");

        // After a crash another process is asked the same again.
        let restarted = seeded(&office);
        for (order, before) in orders.iter().zip(first).take(3) {
            assert_eq!(done(&restarted, order).await, *before);
            assert_eq!(
                office.holds(&number(before)).await.expect("held")["name"],
                order.plan.body["name"]
            );
        }
        let another = Order {
            plan: birth_of("", "Người khác").plan,
            ..orders[0].clone()
        };
        assert_eq!(
            refused(&office.registries, HERE, &another).await,
            (Kind::Conflict, vec!["order-differs".to_owned()])
        );
    }
}

#[tokio::test]
async fn a_number_that_anybody_ever_had_is_given_to_nobody() {
    for office in offices().await {
        // Each of these draws the same numbers, from the first.
        let one = done(&seeded(&office), &birth_of("a", "Một")).await;
        office
            .registries
            .take_back(&system(), HERE, &back("a", &one))
            .await
            .expect("taken back");
        assert_eq!(office.holds(&number(&one)).await, None);
        let two = done(&seeded(&office), &birth_of("b", "Hai")).await;
        assert_ne!(number(&two), number(&one));

        let (record, seq) = office
            .registries
            .newest(&steward(), &population(), &number(&two))
            .await
            .expect("a record");
        let law = Provenance {
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15".to_owned(),
            ..provenance()
        };
        office
            .registries
            .erase(&steward(), &population(), Seen { record, seq }, &law)
            .await
            .expect("erased");
        let three = done(&seeded(&office), &birth_of("c", "Ba")).await;
        assert!(![number(&one), number(&two)].contains(&number(&three)), "{three:?}");
        // What an erased record was ordered with is forgotten, and the order has no second effect.
        let again = refused(&office.registries, HERE, &birth_of("b", "Hai")).await;
        assert_eq!(again, (Kind::Conflict, vec!["record-erased".to_owned()]));
    }
}

#[tokio::test]
async fn a_change_is_laid_over_what_holds_and_an_end_ends_it() {
    for office in offices().await {
        let born = done(&office.registries, &birth_of("1/person", "Nguyễn An")).await;
        let number = number(&born);
        let moved = json!({"residence": {"commune": "00008", "detail": null}});
        let change = order("2/move", "population", Act::Change, Some(&number), "2026-11-24", moved);
        let said = done(&office.registries, &change).await;
        let expected = json!({
            "person_number": number, "name": "Nguyễn An", "birth_date": "2026-11-20", "sex": "female", "nationality": "VN",
            "status": "alive", "residence": {"province": "01", "commune": "00008"},
        });
        assert_eq!(
            (said.record.clone(), office.holds(&number).await),
            (expected.clone(), Some(expected))
        );
        assert_eq!(done(&office.registries, &change).await, said);
        // Who was told nothing may ask what it became; nothing is written, and what is not theirs never came.
        let asked = |order: &str| Asked {
            order: back(order, &said).order,
            registry: "population".to_owned(),
            procedure: back(order, &said).procedure,
            dossier: back(order, &said).dossier,
        };
        let became = office.registries.became(&system(), HERE, &asked("2/move")).await;
        assert_eq!(became.expect("it came").entry, said.entry);
        for (client, order) in [(HERE, "2/never"), (OTHER, "2/move")] {
            let never = office.registries.became(&system(), client, &asked(order)).await;
            assert_eq!(codes(&never.expect_err("it never came")).1, ["order-unknown"]);
        }
        // What was said to have never come is not carried out when it comes late.
        let elsewhere = json!({"residence": {"commune": "00006", "detail": null}});
        let late = order(
            "2/never",
            "population",
            Act::Change,
            Some(&number),
            "2026-11-24",
            elsewhere,
        );
        for _ in 0..2 {
            let (kind, codes) = refused(&office.registries, HERE, &late).await;
            assert_eq!((kind, codes), (Kind::Conflict, vec!["order-void".to_owned()]));
        }
        assert_eq!(done(&office.registries, &change).await, said, "nothing has changed");
        // Taken back, the state before holds again.
        let taken = office
            .registries
            .take_back(&system(), HERE, &back("2/move", &said))
            .await
            .expect("taken back");
        assert_eq!(
            office.holds(&number).await.expect("held")["residence"]["commune"],
            "00004"
        );
        let twice = office
            .registries
            .take_back(&system(), HERE, &back("2/move", &said))
            .await;
        assert_eq!(twice.expect("the same"), taken);

        let end = order("3/end", "population", Act::End, Some(&number), "2026-11-25", json!({}));
        assert_eq!(done(&office.registries, &end).await.record, Value::Null);
        assert_eq!(office.holds(&number).await, None);
        let (_, history) = office
            .registries
            .history(
                &steward(),
                &purpose(),
                &population(),
                born.entry.split(['/', '#']).nth(1).expect("an id"),
                When::default(),
                &Mask::ALL,
            )
            .await
            .expect("a history");
        let kinds: Vec<&str> = history.iter().map(|version| version.kind.code()).collect();
        assert_eq!(kinds, ["assert", "assert", "correct", "end"]);
        assert_eq!(history[0].source.as_deref(), Some("thủ tục 3.000722: Cấp số định danh"));
        assert_eq!(
            (history[0].dossier.as_deref(), history[0].basis.as_str()),
            (Some(DOSSIER), "Luật Căn cước 2023, Điều 12")
        );

        // What cannot be done is said, and leaves nothing behind.
        let nothing = order(
            "4/x",
            "population",
            Act::Change,
            Some("001190000017"),
            "2026-11-25",
            json!({"name": "X"}),
        );
        assert_eq!(
            refused(&office.registries, HERE, &nothing).await,
            (Kind::NotFound, vec!["nothing-holds".to_owned()])
        );
        let mut no_place = birth_of("5/x", "Không nơi ở");
        no_place.plan.body.as_object_mut().expect("fields").remove("residence");
        no_place.plan.body["sex"] = Value::Null;
        assert_eq!(
            refused(&office.registries, HERE, &no_place).await,
            (Kind::Invalid, vec!["required".to_owned(), "required".to_owned()])
        );
        let mut bad = birth_of("6 x", "Sai");
        bad.plan.key = Some(number.clone());
        bad.plan.body = json!({});
        bad.procedure = "ba".to_owned();
        let (kind, mut found) = refused(&office.registries, HERE, &bad).await;
        found.sort_unstable();
        assert_eq!((kind, found.len()), (Kind::Invalid, 4), "{found:?}");
        assert!(
            found.ends_with(&["order-body", "order-id", "order-key"].map(str::to_owned)),
            "{found:?}"
        );
        let nowhere = order("7/x", "nothing", Act::End, Some("1"), "2026-11-25", Value::Null);
        assert_eq!(refused(&office.registries, HERE, &nowhere).await.0, Kind::NotFound);
    }
}

#[tokio::test]
async fn the_order_of_one_client_is_not_that_of_another() {
    for office in offices().await {
        let mine = ordered(&office.registries, HERE, &birth_of("1", "Của tôi"))
            .await
            .expect("carried out");
        // The same id is free for others, and tells them nothing.
        let theirs = ordered(&office.registries, OTHER, &birth_of("1", "Của họ"))
            .await
            .expect("carried out");
        assert_ne!(number(&mine), number(&theirs));
        for (order, entry) in [("1", &mine.entry), ("2", &mine.entry)] {
            let attack = TakeBack {
                entry: entry.clone(),
                ..back(order, &theirs)
            };
            let refused = office.registries.take_back(&system(), OTHER, &attack).await;
            assert_eq!(codes(&refused.expect_err("not theirs")).0, Kind::NotFound);
        }
        assert!(office.holds(&number(&mine)).await.is_some());
        let source = office
            .registries
            .read(
                &steward(),
                &purpose(),
                &population(),
                &number(&theirs),
                When::default(),
                &Mask::ALL,
            )
            .await
            .expect("held")
            .source;
        assert_eq!(source, format!("{OTHER}: thủ tục 3.000722: Cấp số định danh"));
    }
}

#[tokio::test]
async fn entries_of_a_book_are_numbered_one_after_the_other() {
    for office in offices().await {
        let registries = &office.registries;
        let said = async |id: &str, body: Value| {
            let carried = done(
                registries,
                &order(id, "civil-status", Act::Assert, None, "2026-11-24", body),
            )
            .await;
            (carried.record["number"].as_i64().expect("a number"), carried)
        };
        // Entered by the clerk, before any was given.
        assert_eq!(said("a", entry("00004", Some(41))).await.0, 41);
        let ids: Vec<String> = (0..6).map(|n| format!("n{n}")).collect();
        let given = join_all(ids.iter().map(|id| said(id, entry("00004", None)))).await;
        let mut numbers: Vec<i64> = given.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [42, 43, 44, 45, 46, 47]);
        // A number of an entry that never held is not given again, and a clerk may have gone ahead.
        let last = given.iter().position(|(number, _)| *number == 47).expect("the last");
        registries
            .take_back(&system(), HERE, &back(&ids[last], &given[last].1))
            .await
            .expect("taken back");
        assert_eq!(said("b", entry("00004", None)).await.0, 48);
        assert_eq!(said("c", entry("00004", Some(49))).await.0, 49);
        assert_eq!(said("d", entry("00004", Some(100))).await.0, 100);
        assert_eq!(said("e", entry("00004", None)).await.0, 101);
        assert_eq!(said("f", entry("00008", None)).await.0, 1);
        let taken = order(
            "g",
            "civil-status",
            Act::Assert,
            None,
            "2026-11-24",
            entry("00004", Some(41)),
        );
        assert_eq!(
            refused(registries, HERE, &taken).await,
            (Kind::Conflict, vec!["key-taken".to_owned()])
        );
    }
}

#[tokio::test]
async fn a_new_enterprise_has_a_code_that_nobody_else_has() {
    for office in offices().await {
        let body = |name: &str| {
            json!({
                "name": name, "legal_form": "private", "status": "active", "founded_on": "2026-11-24",
                "address": { "province": "37", "commune": "14329" }, "activities": ["4610"],
                "representatives": [{ "person_number": "001190000017", "name": "Nguyễn Thị Ngọc Ánh" }],
            })
        };
        let tell = async |id: &str, body: Value| {
            let told = order(id, "enterprises", Act::Assert, None, "2026-11-24", body);
            done(&office.registries, &told).await.record
        };
        let mut codes = BTreeSet::new();
        for n in 0..8 {
            let said = tell(&format!("new-{n}"), body("Doanh nghiệp tư nhân Ngọc Ánh")).await;
            let code: TaxCode = said["tax_code"].as_str().expect("given").parse().expect("a code");
            assert_eq!(code.unit(), None);
            assert!(codes.insert(code), "given twice");
        }
        // One that has a code keeps it.
        let mut known = body("Công ty Hải Minh");
        known["tax_code"] = "0100109106".into();
        assert_eq!(tell("known", known).await["tax_code"], "0100109106");
    }
}

#[tokio::test]
async fn a_card_follows_from_the_insurance_number_that_is_given_with_it() {
    for office in offices().await {
        let body = |person: &str| {
            json!({
                "person_number": person, "name": "Lê Bé", "birth_date": "2026-11-20", "group": "TE", "status": "card-only",
                "card": {"valid_from": "2026-11-20", "valid_to": "2032-11-20", "place_of_care": "46001"},
            })
        };
        let tell = async |id: &str, body: Value| {
            done(
                &office.registries,
                &order(id, "social-insurance", Act::Assert, None, "2026-11-24", body),
            )
            .await
        };
        let said = tell("a", body("001326000017")).await.record;
        let insured: InsuranceNumber = said["insurance_number"]
            .as_str()
            .expect("given")
            .parse()
            .expect("a number");
        let card: HealthCard = said["card"]["number"].as_str().expect("given").parse().expect("a card");
        assert_eq!(
            (card.group(), card.benefit(), card.insured()),
            (Some("TE"), Some(1), insured)
        );
        assert!(card.as_str().starts_with("TE146"), "{card}");
        // Where there is no card, none is numbered; a number that is known stays.
        let mut without = body("001326000025");
        without.as_object_mut().expect("fields").remove("card");
        without["insurance_number"] = "4601234567".into();
        let said = tell("b", without).await.record;
        assert_eq!(
            (said["insurance_number"].as_str(), said.get("card")),
            (Some("4601234567"), None)
        );
        let mut no_care = body("001326000033");
        no_care["card"].as_object_mut().expect("fields").remove("place_of_care");
        let order = order("c", "social-insurance", Act::Assert, None, "2026-11-24", no_care);
        assert_eq!(
            refused(&office.registries, HERE, &order).await,
            (Kind::Invalid, vec!["required".to_owned()])
        );
    }
}

#[tokio::test]
async fn the_procedures_of_the_node_ask_and_tell_its_own_registries() {
    for office in offices().await {
        let here = Here::new(office.registries.clone());
        let keeper::Said::Done { entry, record } = here.tell(&system(), &birth_of("1/person", "Nguyễn An")).await
        else {
            panic!("it is done");
        };
        let number = record["person_number"].as_str().expect("given").to_owned();
        let before = office.told_to(&number).await;
        let question = Question {
            about: About::Person(number.clone()),
            attributes: [
                "population.full-name",
                "population.ethnicity",
                "civil-status.birth-entry",
                "tax.owes",
            ]
            .map(|text| text.parse().expect("an attribute"))
            .to_vec(),
            procedure: "3.000722".to_owned(),
            basis: "Luật Cư trú 2020".to_owned(),
            dossier: Some(DOSSIER.to_owned()),
            times: Times::default(),
        };
        let said = here.ask(&system(), &question).await;
        let of = |text: &str| said.get(&text.parse().expect("an attribute"));
        let procedure::form::Said::Known { value, .. } = of("population.full-name").expect("said") else {
            panic!("{said:?}");
        };
        assert_eq!(value, "Nguyễn An");
        let nothing = procedure::form::Said::Nothing { at: now() };
        assert_eq!(of("population.ethnicity"), Some(&nothing));
        assert_eq!(of("civil-status.birth-entry"), Some(&nothing));
        assert_eq!(of("tax.owes"), None, "it is not here");
        assert_eq!(office.told_to(&number).await, before + 1);

        let keeper::Said::Refused(problems) = here.tell(&system(), &birth_of("1/person", "Khác")).await else {
            panic!("it was another order");
        };
        assert_eq!(problems.iter().next().map(|p| p.code.as_str()), Some("order-differs"));
        let carried = Carried { entry, record };
        let taken = here.take_back(&system(), &back("1/person", &carried)).await;
        assert!(matches!(taken, keeper::Said::Done { .. }), "{taken:?}");
        assert_eq!(office.holds(&number).await, None);
    }
}
