//! The registries of one node, asked and told by the procedures of another.

use std::collections::BTreeMap;

use ::dossier::model::notice::NoticeKind;
use ::exchange::{
    events::{State, Step},
    journal::ReadFilter,
};
use ::registry::{
    contest::{Contest as _, Contested, Told as Contest},
    history::Moment,
    keeper::{Keeper as _, Order, Said, TakeBack},
    lookup::{About, Lookup as _, Question},
    model::ValidTime,
    quality::Whose,
    service::{Change, Mask, Provenance, Purpose, Target, When},
};
use procedure::{
    form::{Attribute, Said as Told},
    writes::{Act, Plan},
};
use serde_json::{Value, json};
use store::{Read as _, params};

use super::{own::seen_and_contested_by_its_person, tracking::person, *};
use crate::{following, registrar::Registrar};

pub(super) const KEEPS: &str = "VN/GOV/000.00.00.G01/motcua";
pub(super) const NUMBER: &str = "037190001234";
const MOTHER: &str = "037195000077";
const DOSSIER: &str = "H42.28-261111-0001";

fn attributes(names: &[&str]) -> Vec<Attribute> {
    names.iter().map(|name| name.parse().expect("an attribute")).collect()
}

pub(super) fn clerk() -> Ctx {
    Ctx::system("Thủ tục hành chính", SystemClock.now())
}

fn order(id: &str, name: &str) -> Order {
    Order {
        id: format!("{DOSSIER}/3/{id}"),
        plan: Plan {
            registry: "population".to_owned(),
            act: Act::Assert,
            key: None,
            valid_from: SystemClock.now().legal_date(),
            concerns: vec![MOTHER.to_owned()],
            body: json!({
                "name": name, "birth_date": "2026-11-20", "sex": "female", "nationality": "VN", "status": "alive",
                "residence": {"province": "01", "commune": "00004"},
            }),
        },
        procedure: "3.000722".to_owned(),
        basis: "Luật Căn cước 2023, Điều 12".to_owned(),
        dossier: DOSSIER.to_owned(),
        source: "Cấp số định danh".to_owned(),
    }
}

/// Asked for by the province, granted by who keeps the registry.
pub(super) async fn let_in(
    asks: &Town,
    keeps: &Town,
    path: &str,
    method: &str,
    purpose: &str,
    fields: &str,
) -> GrantId {
    let request = terms_by(method, path, purpose, fields);
    grant_by(asks, keeps, &format!("{KEEPS}/registries"), request).await
}

impl Town {
    /// What holds under a number at the node that keeps the registry.
    async fn holds(&self, number: &str) -> Option<Value> {
        let purpose = Purpose::read("registry.steward", "", "").expect("a purpose");
        let code = "population".parse().expect("a code");
        let read = self
            .whole
            .registries
            .read(&clerk(), &purpose, &code, number, When::default(), &Mask::ALL)
            .await;
        read.ok().map(|view| view.body)
    }

    /// The registrar of its procedures.
    pub(super) fn registrar(&self) -> &Registrar {
        self.whole.registrar()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_province_asks_and_tells_the_registry_of_a_ministry() {
    let dirs = tempfile::tempdir().expect("a folder");
    let operator = founded(dirs.path()).await;
    let (text, url) = config_text(&dirs.path().join("a"), "");
    let text = format!("{text}[exchange.registries]\npopulation = \"{KEEPS}\"\ntax = \"{KEEPS}\"\n");
    let mut settings: Config = toml::from_str(&text).expect("a configuration");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    settings.questions = vec![root.join("questions/birth-not-registered")];
    settings.proposals = vec![root.join("proposals/birth-registration")];
    let asks = member(&operator, (settings, url), "VN/GOV/000.00.00.H42", "Tỉnh Ninh Bình").await;
    let (mut settings, url) = config(&dirs.path().join("b"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries/population");
    settings.registries = vec![folder];
    settings.exchange.as_mut().expect("an exchange").agency = "G01".to_owned();
    let keeps = member(&operator, (settings, url), "VN/GOV/000.00.00.G01", "Bộ Công an").await;
    asks.system(ASKS).await;
    keeps.system(KEEPS).await;
    asks.learn().await;
    keeps.learn().await;
    let provenance = Provenance {
        source: "Tờ khai CT01".to_owned(),
        ..Provenance::default()
    };
    let known = Change::Assert {
        target: Target::New,
        from: Moment::parse("2025-07-01", ValidTime::Day).expect("a day"),
        to: None,
        body: json!({
            "person_number": NUMBER, "name": "Nguyễn Văn An", "birth_date": "1990-05-02", "sex": "female", "nationality": "VN",
            "status": "alive", "residence": {"province": "01", "commune": "00004"},
        }),
    };
    let code = "population".parse().expect("a code");
    keeps
        .whole
        .registries
        .write(&clerk(), &code, known, &provenance, "1")
        .await
        .expect("taken in");

    let question = Question {
        about: About::Person(NUMBER.to_owned()),
        attributes: attributes(&[
            "population.full-name",
            "population.residence",
            "population.ethnicity",
            "population.asked-by-a-later-version",
            "tax.owes",
        ]),
        procedure: "3.000722".to_owned(),
        basis: "Luật Cư trú 2020".to_owned(),
        dossier: Some(DOSSIER.to_owned()),
        times: registry::service::Times::default(),
    };
    let ask = async || asks.registrar().ask(&clerk(), &question).await;

    // Deny by default: what is asked is silent, what is told is refused for good.
    assert_eq!(ask().await, BTreeMap::new());
    let Said::Barred(problems) = asks.registrar().tell(&clerk(), &order("person", "Bé Một")).await else {
        panic!("there is no grant");
    };
    assert_eq!(
        problems.iter().next().map(|p| p.code.as_str()),
        Some("exchange-refused")
    );

    // A grant of two attributes: of the third nothing is said, and the person sees who asked.
    let fields = "/facts/full-name\n/facts/ethnicity";
    let_in(
        &asks,
        &keeps,
        "/population/prefill/**",
        "GET",
        "procedure.prefill",
        fields,
    )
    .await;
    let said = ask().await;
    let of = |name: &str| said.get(&name.parse().expect("an attribute"));
    let Some(Told::Known { value, entry, .. }) = of("population.full-name") else {
        panic!("{said:?}");
    };
    assert_eq!(
        (value, entry),
        (&json!("Nguyễn Văn An"), &format!("population/{NUMBER}#1"))
    );
    assert!(
        matches!(of("population.ethnicity"), Some(Told::Nothing { .. })),
        "{said:?}"
    );
    assert_eq!(said.len(), 2, "masked out, or not kept there, is not said: {said:?}");
    let there = person(&keeps, NUMBER).await;
    keeps.joined().gateway.settled().await;
    // The registry's own log of reads may be folded before that of the exchange.
    let by_system = |read: &exchange::journal::ReadAbout| read.system.as_deref() == Some("motcua");
    let mine = until("the read is in the log", async || {
        let mine = keeps
            .joined()
            .journal
            .my_reads(&there, &ReadFilter::default())
            .await
            .expect("reads");
        Some(mine.reads).filter(|reads| reads.iter().any(by_system))
    })
    .await;
    let by_province: Vec<_> = mine.iter().filter(|read| by_system(read)).collect();
    let [read] = by_province.as_slice() else {
        panic!("{mine:?}")
    };
    assert_eq!(
        (read.agency.as_str(), read.dossier.as_deref()),
        ("000.00.00.H42", Some(DOSSIER))
    );

    // Without a purpose, or for another, nothing is told.
    let target = format!("/r1/{KEEPS}/registries/population/prefill/facts/{NUMBER}?attributes=full-name");
    for (purpose, error) in [
        (None, "Client.PurposeMissing"),
        (Some("dossier.verify"), "Server.ServerProxy.AccessDenied"),
    ] {
        let mut request = reqwest::Client::new()
            .get(format!("http://{}{target}", asks.edge()))
            .header("X-Road-Client", ASKS);
        if let Some(purpose) = purpose {
            request = request.header("X-Motcua-Purpose", purpose);
        }
        let answer = request.send().await.expect("an answer");
        let said: Value = answer.json().await.expect("JSON");
        assert_eq!(said["type"], error, "{said}");
    }

    // An order is carried out once, however often it is sent, and taken back.
    let_in(&asks, &keeps, "/population/keep/**", "POST", "procedure.write", "").await;
    let told = asks.registrar().tell(&clerk(), &order("person", "Bé Một")).await;
    let Said::Done { entry, record } = &told else {
        panic!("{told:?}")
    };
    let number = record["person_number"].as_str().expect("given").to_owned();
    assert_eq!(keeps.holds(&number).await.expect("held")["name"], "Bé Một");
    assert_eq!(asks.registrar().tell(&clerk(), &order("person", "Bé Một")).await, told);
    let other = asks.registrar().tell(&clerk(), &order("person", "Bé Hai")).await;
    let Said::Refused(problems) = other else {
        panic!("{other:?}")
    };
    assert_eq!(problems.iter().next().map(|p| p.code.as_str()), Some("order-differs"));
    let mut bad = order("bad", "Bé Ba");
    bad.plan.body["status"] = "unborn".into();
    let refused = asks.registrar().tell(&clerk(), &bad).await;
    assert!(
        matches!(&refused, Said::Refused(problems) if !problems.is_empty()),
        "{refused:?}"
    );
    let back = TakeBack {
        order: order("person", "").id,
        registry: "population".to_owned(),
        entry: entry.clone(),
        procedure: "3.000722".to_owned(),
        dossier: DOSSIER.to_owned(),
    };
    for _ in 0..2 {
        let taken = asks.registrar().take_back(&clerk(), &back).await;
        assert!(matches!(taken, Said::Done { .. }), "{taken:?}");
        assert_eq!(keeps.holds(&number).await, None);
    }
    // Her number is told of in the log of whoever keeps it: the entry was shown to the province.
    keeps.joined().gateway.settled().await;
    let child = person(&keeps, &number).await;
    until("the child's own log has it", async || {
        let mine = keeps
            .joined()
            .journal
            .my_reads(&child, &ReadFilter::default())
            .await
            .expect("reads");
        mine.reads
            .into_iter()
            .find(|read| read.system.as_deref() == Some("motcua"))
    })
    .await;

    // Her mother, whom the order concerns, sees it too, though the record does not name her.
    let mother = person(&keeps, MOTHER).await;
    let seen = keeps.joined().journal.my_reads(&mother, &ReadFilter::default()).await;
    let seen = seen.expect("reads").reads;
    assert!(
        seen.iter().any(|read| read.dossier.as_deref() == Some(DOSSIER)),
        "{seen:?}"
    );

    told_as_events(&asks, &keeps).await;
    contested_and_answered(&asks, &keeps).await;
    seen_and_contested_by_its_person(&asks, &keeps).await;

    // What is kept nowhere is refused; a node that is down is silent, and is told later.
    let mut nowhere = order("x", "");
    nowhere.plan.registry = "enterprises".to_owned();
    let refused = asks.registrar().tell(&clerk(), &nowhere).await;
    let Said::Refused(problems) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        problems.iter().next().map(|p| p.code.as_str()),
        Some("registry-nowhere")
    );
    keeps.stop().await;
    assert_eq!(
        asks.registrar().tell(&clerk(), &order("later", "Bé Bốn")).await,
        Said::Silent
    );
    assert_eq!(ask().await, BTreeMap::new());
}

/// An order becomes an event that a system of the other node reads, from the beginning and then as it comes.
async fn told_as_events(asks: &Town, keeps: &Town) {
    let room = format!("/r1/{KEEPS}");
    let call = async |method: reqwest::Method, path: &str, body: Value| {
        let request = reqwest::Client::new()
            .request(method, format!("http://{}{room}/{path}", asks.edge()))
            .header("X-Road-Client", ASKS)
            .header("X-Motcua-Purpose", "dossier.verify");
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    let (status, of) = call(
        reqwest::Method::GET,
        "api/v1/eventType/population.registered",
        Value::Null,
    )
    .await;
    assert_eq!(status, 200, "{of}");
    let fields = &of["schema"]["properties"]["fields"]["properties"];
    let fields: Vec<&String> = fields.as_object().expect("fields").keys().collect();
    assert_eq!(fields, ["person_number"], "as the registry declares it");
    assert_eq!(of["sensitivity"], "personal");

    // Nobody reads without a subscription that the steward has approved.
    let pull = "pull/v1/population.registered?limit=100&wait=20";
    assert_eq!(call(reqwest::Method::GET, pull, Value::Null).await.0, 403);
    // A rule of the province waits for children who are given a number: its node asks for one by itself.
    let [follower] = &following::subscribers(&asks.whole)[..] else {
        panic!("one rule, one event")
    };
    let followed = follower.step(SystemClock.now()).await;
    assert_eq!(followed.expect("asked for"), Step::Unapproved);
    let events = keeps.joined().events.clone();
    let asked = events
        .subscriptions(&keeps.steward(), Some(State::Requested), None, 10)
        .await;
    let asked = asked.expect("a list").rows;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].purpose, "proactive.await");
    assert!(asked[0].legal_basis.contains("Luật Hộ tịch"), "{asked:?}");
    events
        .decide(&keeps.steward(), asked[0].id, State::Approved, "")
        .await
        .expect("approved");
    // Who was registered before, in as many pages as the node makes of them: events come out after what they tell of.
    let (mut told, mut cursor) = (Vec::new(), String::new());
    while told.len() < 2 {
        let (status, page) = call(reqwest::Method::GET, &format!("{pull}{cursor}"), Value::Null).await;
        assert_eq!(status, 200, "{page}");
        let events = page["events"].as_array().expect("events");
        assert!(!events.is_empty(), "waited in vain after {told:?}");
        told.extend(events.clone());
        cursor = format!("&cursor={}", page["cursor"].as_str().expect("a cursor"));
    }
    assert!(
        told.len() == 2 && told.iter().all(|one| one["event"]["change"] == "assert"),
        "{told:?}"
    );

    // Whoever waits is told as soon as it is written.
    let waits = format!("{pull}{cursor}");
    let (next, written) = tokio::join!(call(reqwest::Method::GET, &waits, Value::Null), async {
        asks.registrar().tell(&clerk(), &order("another", "Bé Năm")).await
    });
    let Said::Done { record, .. } = written else {
        panic!("{written:?}")
    };
    let events = next.1["events"].as_array();
    let Some([event]) = events.map(Vec::as_slice) else {
        panic!("{next:?}")
    };
    assert_eq!(
        event["event"]["fields"],
        json!({ "person_number": record["person_number"] }),
        "and nothing else of it"
    );
    follower.step(SystemClock.now()).await.expect("handed over");
    let awaited = "SELECT COUNT(*) FROM proposal_awaited WHERE rule = 'birth-registration'";
    let awaited: Option<i64> = asks.whole.store.read().scalar(awaited, params![]).await.expect("read");
    assert!(awaited >= Some(1), "{awaited:?}");
}

/// An officer who answers doubts where the registry is kept.
pub(super) fn keeper() -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(9)),
            name: "Trần Thị Bình".to_owned(),
            title: "Chuyên viên".to_owned(),
            agency: "G01".to_owned(),
            roles: Roles::NONE.with(Role::Steward),
        }),
        ..steward()
    }
}

/// What a person contests in the province becomes a doubt at the ministry, and its answer comes back with a notice.
async fn contested_and_answered(asks: &Town, keeps: &Town) {
    let at_home = person(asks, MOTHER).await;
    let me = at_home.person().expect("a person").clone();
    let contested = Contested {
        id: format!("{DOSSIER}/population.full-name"),
        entry: format!("population/{NUMBER}#1"),
        attribute: "full-name".parse().expect("a name"),
        label: Text::new("Họ và tên", "Full name"),
        reason: "Tên tôi là Ánh".to_owned(),
        filed: "Nguyễn Văn Ánh".to_owned(),
        procedure: "3.000722".to_owned(),
        by: (me.name.clone(), Some(me.account.uuid())),
        dossier: DOSSIER.to_owned(),
    };
    let contest = async || asks.registrar().contest(&clerk(), &contested).await;
    assert!(matches!(contest().await, Contest::Refused(_)), "there is no grant");
    for method in ["POST", "GET"] {
        let_in(
            asks,
            keeps,
            "/population/prefill/contests**",
            method,
            "procedure.contest",
            "",
        )
        .await;
    }
    for _ in 0..2 {
        assert_eq!(contest().await, Contest::Taken);
    }
    let steward = keeper();
    let code = "population".parse().expect("a code");
    let quality = &keeps.whole.quality;
    let doubts = quality.doubts(&steward, &code, true, Whose::All, None, 10).await;
    let [doubt] = doubts.expect("a list").items.try_into().expect("one");
    assert_eq!(doubt.reporter.1, ASKS);
    quality
        .refuse_doubt(&steward, &code, doubt.id, "Giấy khai sinh ghi là An")
        .await
        .expect("answered");
    let mine = asks.whole.quality.doubts_elsewhere(&at_home).await.expect("a list");
    assert!(mine.iter().all(|(_, of)| of.answer.is_none()), "not known here yet");
    // Whoever opens the dossier sees it at once.
    let standing = asks.registrar().standing(&at_home, DOSSIER).await.expect("a list");
    let mine = asks.whole.quality.doubts_elsewhere(&at_home).await.expect("a list");
    let mine: Vec<_> = mine.into_iter().map(|(_, of)| of).collect();
    assert_eq!(standing, mine);
    let answer = mine.into_iter().find_map(|of| of.answer).expect("answered");
    assert_eq!(answer.2, "Giấy khai sinh ghi là An");
    until("the person is told", async || {
        let notices = asks.whole.dossiers.notices(&at_home, None).await.expect("notices");
        notices.into_iter().find(|one| one.kind == NoticeKind::DoubtAnswered)
    })
    .await;
}
