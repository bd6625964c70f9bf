//! Who represents an enterprise today sees and contests what registries hold of it, wherever these are and whoever knows who that is.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, StatusCode},
};
use base::Kind;
use bytes::Bytes;
use exchange::{
    Caller as Gateway,
    model::{
        error::{ErrorCode, Refusal},
        identifier::SubsystemId,
    },
};
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use identity::{Actor, Assurance, Ctx, Role};
use registry::{
    elsewhere::Elsewhere,
    folder,
    quality::{
        self, OWN_VIEW, REPRESENTATION, Represents, Whose,
        doubts::{Doubt, DoubtId, Report, Reporter},
    },
    service::{Change, Provenance, Target, With, Written},
};
use serde_json::{Value, json};
use store::testkit;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::roads::{behind, called, purpose_of};
use crate::town::{AN, BINH, RULES, Town, copy, day, files, key, seen};

const PORTAL: &str = "VN/GOV/000.00.00.H42/motcua";
const KEEPER: &str = "VN/GOV/000.00.18.G12/haiquan";
const BUSINESS: &str = "VN/GOV/000.00.00.G12/dkkd";
const FIRM: &str = "0100109106";
const OTHER_FIRM: &str = "0101248141";
const NUMBER: &str = "107741007741";

/// The ways between gateways, with a note of each call. One that is shut says why.
#[derive(Default)]
struct Roads {
    there: OnceLock<Vec<(&'static str, Router)>>,
    shut: Mutex<BTreeMap<&'static str, ErrorCode>>,
    calls: Mutex<Vec<String>>,
}

impl Gateway for Roads {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Response<Bytes>, Refusal>> {
        Box::pin(async move {
            let target = request.uri().to_string();
            let mut nodes = self.there.get().expect("laid").iter();
            let led = nodes.find_map(|(system, router)| {
                let path = target.strip_prefix(&format!("/r1/{system}/registries"))?;
                Some((*system, router, path.to_owned()))
            });
            let Some((system, router, path)) = led else {
                return Err(Refusal::new(ErrorCode::ClientNetworkError));
            };
            let shut = self.shut.lock().expect("one at a time").get(system).copied();
            if let Some(code) = shut {
                return Err(Refusal::new(code));
            }
            let call = format!("{client} {} {path} {}", request.method(), purpose_of(&request));
            self.calls.lock().expect("one at a time").push(call);
            Ok(called(router, system, &client.to_string(), &path, request).await)
        })
    }
}

impl Roads {
    fn shut(&self, system: &'static str, why: Option<ErrorCode>) {
        let mut shut = self.shut.lock().expect("one at a time");
        match why {
            Some(why) => shut.insert(system, why),
            None => shut.remove(system),
        };
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().expect("one at a time").drain(..).collect()
    }
}

fn offered(town: &Town) -> Router {
    let records = registry::offered::router(town.registries.clone(), town.clock.clone(), "G12");
    records.merge(quality::offered::router(
        town.quality.clone(),
        town.clock.clone(),
        "G12",
    ))
}

fn package(code: &str) -> registry::model::Files {
    let registries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
    folder::read(&registries.join(code)).expect("files")
}

/// As a folder was before it said of which enterprises its records are.
fn before_it_named_them(code: &str) -> registry::model::Files {
    let registries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&registries.join("dictionary"), &folder.path().join("dictionary"));
    copy(&registries.join(code), &folder.path().join(code));
    let path = folder.path().join(code).join("registry.toml");
    let text = fs::read_to_string(&path).expect("the file");
    let (before, table) = text.split_once("[represented]").expect("of enterprises");
    let (_, after) = table.split_once("\n\n").expect("what follows");
    let text = format!("{before}{after}").replace("version = 2", "version = 1");
    fs::write(&path, text.replace("[\"own\"]", "[\"read\"]")).expect("written");
    folder::read(&folder.path().join(code)).expect("files")
}

/// A portal, the node that keeps customs and tax, the node that keeps enterprises, and the roads between them.
struct Land {
    portal: Town,
    keeper: Town,
    business: Town,
    roads: Arc<Roads>,
}

/// On every database.
async fn lands() -> Vec<Land> {
    let tables = [identity::MIGRATIONS, registry::MIGRATIONS];
    let [first, second, third] = [
        testkit::stores(&tables).await,
        testkit::stores(&tables).await,
        testkit::stores(&tables).await,
    ];
    let mut all = Vec::new();
    for ((first, second), third) in first.into_iter().zip(second).zip(third) {
        let members = files(crate::town::REGISTRY, RULES);
        let portal = Town::with(first, &members).await;
        let keeper = Town::with(second, &package("customs")).await;
        let shelf = keeper.registries.shelf();
        shelf
            .publish(&package("tax"), "test", keeper.now())
            .await
            .expect("published");
        let business = Town::with(third, &package("enterprises")).await;
        let roads = Arc::new(Roads::default());
        let nodes = vec![(KEEPER, offered(&keeper)), (BUSINESS, offered(&business))];
        assert!(roads.there.set(nodes).is_ok());
        let known = |keepers: &[(&str, &str)]| -> BTreeMap<_, SubsystemId> {
            let known = keepers.iter().map(|(code, keeper)| {
                let (code, keeper) = (code.parse().expect("a code"), keeper.parse().expect("a system"));
                (code, keeper)
            });
            known.collect()
        };
        for (town, system, keepers) in [
            (&portal, PORTAL, known(&[("customs", KEEPER), ("tax", KEEPER)])),
            (&keeper, KEEPER, known(&[("enterprises", BUSINESS)])),
        ] {
            let elsewhere = Elsewhere::new(Arc::<Roads>::clone(&roads), system.parse().expect("a system"), keepers);
            town.quality.join(Arc::new(elsewhere));
        }
        all.push(Land {
            portal,
            keeper,
            business,
            roads,
        });
    }
    all
}

fn firm(code: &str, status: &str, representatives: &[&str]) -> Value {
    let of = |number: &&str| json!({ "person_number": number, "name": "Người Đại Diện" });
    json!({
        "tax_code": code, "name": format!("Công ty Hải Minh {code}"), "legal_form": "llc", "status": status, "founded_on": "2020-01-02",
        "charter_capital": 1_000_000, "address": { "province": "01", "commune": "00004" }, "activities": ["4610"],
        "representatives": representatives.iter().map(of).collect::<Vec<_>>(),
    })
}

fn declaration(number: &str, code: &str) -> Value {
    json!({
        "number": number, "flow": "import", "registered_on": "2026-02-03", "tax_code": code, "office": "01B1",
        "channel": "green", "status": "cleared", "value": 1000, "duty": 100,
        "lines": [{ "hs_code": "84713020", "goods": "Máy tính xách tay", "origin": "JP", "value": 1000, "duty": 100 }],
    })
}

impl Town {
    async fn put(&self, registry: &str, change: Change) -> Written {
        let provenance = Provenance {
            source: "Tờ khai".to_owned(),
            ..Provenance::default()
        };
        let (ctx, code, key) = (self.keeper_of_all(), registry.parse().expect("a code"), key());
        let written = self.registries.write(&ctx, &code, change, &provenance, &key).await;
        let written = written.expect("taken in");
        self.settle().await;
        written
    }

    async fn put_new(&self, registry: &str, body: Value) -> Written {
        let (target, from) = (Target::New, day("2026-01-01"));
        let change = Change::Assert {
            target,
            from,
            to: None,
            body,
        };
        self.put(registry, change).await
    }

    async fn put_later(&self, registry: &str, at: &Written, from: &str, body: Value) -> Written {
        let change = Change::Assert {
            target: Target::Known(seen(at)),
            from: day(from),
            to: None,
            body,
        };
        self.put(registry, change).await
    }

    /// A steward of every agency of the ministry.
    fn keeper_of_all(&self) -> Ctx {
        self.ctx(Actor::System("test"))
    }

    async fn doubts_of(&self, registry: &str) -> Vec<Doubt> {
        let (steward, code) = (
            self.officer("Lê Thị Quản", "G12.18", Role::Steward),
            registry.parse().expect("a code"),
        );
        let doubts = self.quality.doubts(&steward, &code, true, Whose::All, None, 10).await;
        doubts.expect("a list").items
    }
}

fn form<'a>(id: &'a str, wrong: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("form", id),
        ("wrong", wrong),
        ("right", "900"),
        ("evidence", "Hóa đơn số 7"),
    ]
}

#[tokio::test]
async fn who_represents_an_enterprise_today_sees_and_contests_its_declarations_and_nobody_else_does() {
    for Land {
        portal,
        keeper,
        business,
        roads,
    } in lands().await
    {
        let registered = business.put_new("enterprises", firm(FIRM, "active", &[AN])).await;
        business
            .put_new("enterprises", firm(OTHER_FIRM, "active", &[BINH]))
            .await;
        let declared = keeper.put_new("customs", declaration(NUMBER, FIRM)).await;
        let others = keeper.put_new("customs", declaration("107741007742", OTHER_FIRM)).await;
        let (an, binh) = (portal.person(AN, "Nguyễn Thị An"), portal.person(BINH, "Trần Văn Bình"));

        let page = portal.get(&an, "/my/records").await;
        let contest = format!("/my/records/elsewhere/customs/{}/value", declared.record);
        for part in [
            "Cơ sở dữ liệu tờ khai hải quan",
            NUMBER,
            "Máy tính xách tay",
            &format!("Doanh nghiệp do quý vị đại diện: Công ty Hải Minh {FIRM} (mã số {FIRM})"),
            &contest,
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(!page.text.contains(OTHER_FIRM), "{}", page.text);
        // Only her number goes from node to node; who represents whom is asked by who keeps the records.
        let mut calls = roads.calls();
        calls.sort();
        assert_eq!(calls.len(), 4, "{calls:?}");
        assert_eq!(calls[0], format!("{PORTAL} GET /customs/portal/own/{AN} {OWN_VIEW}"));
        let listed = format!("/enterprises/represented/records?representatives_person_number={AN}&limit=100");
        assert_eq!(calls[2], format!("{KEEPER} GET {listed} {REPRESENTATION}"));
        // She sees in the log of that node that it was asked.
        let there = business.person(AN, "Nguyễn Thị An");
        let (reads, _) = business.identity.reads_of_me(&there, None, 10).await.expect("reads");
        assert!(
            reads
                .iter()
                .any(|read| read.what.contains("Xác định doanh nghiệp do một người đại diện")),
            "{reads:?}"
        );

        let asked = portal.get(&an, &contest).await;
        assert!(asked.text.contains("5 ngày làm việc"), "{}", asked.text);
        let id = DoubtId::new(portal.now()).to_string();
        let sent = portal.post(&an, &contest, &form(&id, "Trị giá sai")).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let [doubt] = keeper.doubts_of("customs").await.try_into().expect("one");
        assert_eq!((doubt.field.as_str(), &*doubt.wrong), ("value", "Trị giá sai"));
        assert_eq!(doubt.reporter.0, format!("Người có số định danh {AN}"));
        // The steward sees for which enterprise she speaks, by the business register.
        let address = format!("/registries/customs/doubts/{}", doubt.id);
        let steward = keeper.officer("Lê Thị Quản", "G12.18", Role::Steward);
        let page = keeper.get(&steward, &address).await;
        let behalf = format!("{PORTAL}, thay mặt doanh nghiệp Công ty Hải Minh {FIRM}, mã số {FIRM}");
        assert!(page.text.contains(&behalf), "{}", page.text);

        // A stranger, by the page, by a guessed id, and by the service; the code of a firm said by a portal counts for nothing.
        let of_binh = portal.get(&binh, "/my/records").await;
        assert!(
            of_binh.text.contains(OTHER_FIRM) && !of_binh.text.contains(NUMBER),
            "{}",
            of_binh.text
        );
        assert_eq!(portal.get(&binh, &contest).await.status, StatusCode::NOT_FOUND);
        let mut forged = form(&id, "Của tôi").to_vec();
        forged.push(("tax_code", FIRM));
        assert_eq!(
            portal.post(&binh, &contest, &forged).await.status,
            StatusCode::NOT_FOUND
        );
        let body = json!({ "id": "1", "record": declared.record.to_string(), "field": "value", "wrong": "Sai" });
        let doubts = |number: &str| format!("/customs/portal/own/{number}/doubts");
        let (status, said) = call(&keeper, Method::POST, &doubts(BINH), &body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{said}");
        let theirs = json!({ "id": "2", "record": others.record.to_string(), "field": "value", "wrong": "Sai" });
        assert_eq!(
            call(&keeper, Method::POST, &doubts(AN), &theirs).await.0,
            StatusCode::NOT_FOUND
        );
        let own = format!("/customs/portal/own/{BINH}?tax_code={FIRM}");
        let (_, said) = call(&keeper, Method::GET, &own, &Value::Null).await;
        assert!(!said.to_string().contains(NUMBER), "{said}");

        // Only people, at level 2.
        let mut low = an.clone();
        if let Actor::Person(person) = &mut low.actor {
            person.assurance = Assurance::Level1;
        }
        let officer = portal.officer("Lê Thị Xem", "G12.18", Role::Steward);
        roads.calls();
        for who in [&low, &officer] {
            for path in ["/my/records", &*contest] {
                let page = portal.get(who, path).await;
                assert!(page.status != StatusCode::OK && !page.text.contains(NUMBER), "{path}");
            }
        }
        assert!(roads.calls().is_empty(), "nobody is asked for them");

        // It is represented by another: whoever did so before sees nothing of it, nor contests it; her doubt stays hers.
        let changed = firm(FIRM, "active", &[BINH]);
        let changed = business
            .put_later("enterprises", &registered, "2026-11-20", changed)
            .await;
        let page = portal.get(&an, "/my/records").await;
        assert!(
            !page.text.contains(NUMBER) && page.text.contains("Chờ tiếp nhận"),
            "{}",
            page.text
        );
        assert_eq!(portal.get(&an, &contest).await.status, StatusCode::NOT_FOUND);
        let again = DoubtId::new(portal.now()).to_string();
        let sent = portal.post(&an, &contest, &form(&again, "Vẫn sai")).await;
        assert_eq!(sent.status, StatusCode::NOT_FOUND);
        let page = portal.get(&binh, "/my/records").await;
        assert!(page.text.contains(NUMBER) && page.text.contains(FIRM), "{}", page.text);

        // An enterprise that is no more has no representatives.
        let ended = firm(FIRM, "ended", &[BINH]);
        business.put_later("enterprises", &changed, "2026-11-24", ended).await;
        let page = portal.get(&binh, "/my/records").await;
        assert!(
            !page.text.contains(NUMBER) && page.text.contains(OTHER_FIRM),
            "{}",
            page.text
        );
    }
}

/// A call of the portal to the services of a node.
async fn call(keeper: &Town, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let answer = behind(&offered(keeper), KEEPER, PORTAL, OWN_VIEW)
        .oneshot(request)
        .await;
    let answer = answer.expect("infallible");
    let status = answer.status();
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn where_nobody_can_say_who_represents_it_that_is_said_and_nothing_is_opened() {
    for Land {
        portal,
        keeper,
        business,
        roads,
    } in lands().await
    {
        business.put_new("enterprises", firm(FIRM, "active", &[AN])).await;
        let declared = keeper.put_new("customs", declaration(NUMBER, FIRM)).await;
        let own = json!({
            "taxpayer_number": AN, "kind": "person", "person_number": AN, "name": "Nguyễn Thị An Nhiên", "status": "active", "debt_total": 0,
        });
        keeper.put_new("tax", own).await;
        let of_firm = json!({
            "taxpayer_number": FIRM, "kind": "organisation", "tax_code": FIRM, "name": "Công ty Hải Minh", "status": "active",
            "debts": [{ "tax": "vat", "amount": 700, "due_on": "2026-03-31" }], "debt_total": 700,
        });
        keeper.put_new("tax", of_firm).await;
        let an = portal.person(AN, "Nguyễn Thị An");
        let page = portal.get(&an, "/my/records").await;
        let (_, tax) = page.text.split_once("id=\"tax\"").expect("a section of tax");
        let at = |part: &str| tax.find(part).unwrap_or_else(|| panic!("{part}: {}", page.text));
        assert!(
            at("An Nhiên") < at("Doanh nghiệp do quý vị đại diện"),
            "her own comes first"
        );
        assert!(page.text.contains("700") && page.text.contains(NUMBER), "{}", page.text);

        let contest = format!("/my/records/elsewhere/customs/{}/value", declared.record);
        let body = json!({ "id": "1", "record": declared.record.to_string(), "field": "value", "wrong": "Sai" });
        let nowhere = json!({ "id": "2", "record": Uuid::from_u128(7).to_string(), "field": "value", "wrong": "Sai" });
        let doubts = format!("/customs/portal/own/{AN}/doubts");
        for (why, says, status, code) in [
            (
                ErrorCode::ClientNetworkError,
                "Cơ sở dữ liệu tờ khai hải quan: chưa tra cứu được doanh nghiệp do quý vị đại diện",
                StatusCode::SERVICE_UNAVAILABLE,
                "enterprises-silent",
            ),
            (
                ErrorCode::AccessDenied,
                "Cơ sở dữ liệu tờ khai hải quan: bản ghi về doanh nghiệp do quý vị đại diện",
                StatusCode::FORBIDDEN,
                "enterprises-closed",
            ),
        ] {
            roads.shut(BUSINESS, Some(why));
            let page = portal.get(&an, "/my/records").await;
            assert!(page.text.contains(says), "{says}: {}", page.text);
            // What is her own is there; nothing of the firm, and nobody says that nothing is held.
            assert!(
                page.text.contains("dữ liệu người nộp thuế") && page.text.contains("An Nhiên"),
                "{}",
                page.text
            );
            for hidden in [NUMBER, "Công ty Hải Minh", "Không có bản ghi nào về quý vị"] {
                assert!(!page.text.contains(hidden), "{hidden}: {}", page.text);
            }
            let stranger = portal.get(&portal.person(BINH, "Trần Văn Bình"), "/my/records").await;
            assert!(
                !stranger.text.contains("Không có bản ghi nào về quý vị"),
                "{}",
                stranger.text
            );
            let id = DoubtId::new(portal.now()).to_string();
            let sent = portal.post(&an, &contest, &form(&id, "Trị giá sai")).await;
            assert_eq!(sent.status, status, "{}", sent.text);
            let may_come_again = status == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(sent.text.contains("Trị giá sai"), may_come_again, "{}", sent.text);
            // A record that is there and one that is not are answered alike.
            for body in [&body, &nowhere] {
                let (found, said) = call(&keeper, Method::POST, &doubts, body).await;
                assert_eq!((found, &said["problems"][0]["code"]), (status, &json!(code)), "{said}");
            }
            assert!(keeper.doubts_of("customs").await.is_empty());
        }
        roads.shut(BUSINESS, None);
        assert!(portal.get(&an, "/my/records").await.text.contains(NUMBER));
    }
}

#[tokio::test]
async fn at_the_keepers_own_portal_it_is_the_same_and_a_record_of_another_enterprise_is_no_longer_theirs() {
    for Land {
        keeper,
        business,
        roads,
        ..
    } in lands().await
    {
        let registered = business.put_new("enterprises", firm(FIRM, "active", &[AN])).await;
        let declared = keeper.put_new("customs", declaration(NUMBER, FIRM)).await;
        let an = keeper.person(AN, "Nguyễn Thị An");
        let mine = keeper.quality.mine(&an).await.expect("records");
        let [mine] = mine.as_slice() else { panic!("{mine:?}") };
        let firms: Vec<_> = mine
            .records
            .iter()
            .map(|of| of.enterprise.as_ref().map(|of| &*of.code))
            .collect();
        assert_eq!((firms, mine.represents), (vec![Some(FIRM)], Some(Represents::All)));
        let page = keeper.get(&an, "/my/records").await;
        let contest = format!("/my/records/customs/{}/value", declared.record);
        assert!(
            page.text.contains(&contest) && page.text.contains(NUMBER),
            "{}",
            page.text
        );
        let id = key();
        let sent = keeper.post(&an, &contest, &form(&id, "Trị giá sai")).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let [doubt] = keeper.doubts_of("customs").await.try_into().expect("one");
        let enterprise = doubt.enterprise.as_ref().map(|of| (&*of.code, &*of.name));
        assert_eq!(enterprise, Some((FIRM, &*format!("Công ty Hải Minh {FIRM}"))));
        let (customs, steward) = (
            "customs".parse().expect("a code"),
            keeper.officer("Lê Thị Quản", "G12.18", Role::Steward),
        );
        keeper
            .quality
            .ask(&steward, &customs, doubt.id, "Hóa đơn nào?")
            .await
            .expect("asked");

        // A stranger has no way in, whatever id they guess; without an answer of the other node nobody has.
        let binh = keeper.person(BINH, "Trần Văn Bình");
        let report = Report {
            field: "value".to_owned(),
            wrong: "Sai".to_owned(),
            ..Report::default()
        };
        let record = declared.record.to_string();
        let doubts = async |who: &Ctx| {
            let doubted = keeper
                .quality
                .doubt(who, &Reporter::Caller, &customs, &record, &report, &key())
                .await;
            doubted.expect_err("refused").kind()
        };
        assert_eq!(doubts(&binh).await, Some(Kind::NotFound));
        assert_eq!(keeper.get(&binh, &contest).await.status, StatusCode::NOT_FOUND);
        roads.shut(BUSINESS, Some(ErrorCode::ClientNetworkError));
        assert_eq!(keeper.get(&an, &contest).await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(doubts(&binh).await, Some(Kind::Unavailable));
        let id = key();
        let kept = keeper.post(&an, &contest, &form(&id, "Vẫn sai")).await;
        assert!(
            kept.text.contains("Vẫn sai") && kept.text.contains("xin thử lại sau"),
            "{}",
            kept.text
        );
        assert_eq!(kept.status, StatusCode::SERVICE_UNAVAILABLE);
        roads.shut(BUSINESS, None);

        // Whoever represents it no more gives no evidence in its name.
        let other = business
            .put_later("enterprises", &registered, "2026-11-20", firm(FIRM, "active", &[BINH]))
            .await;
        let refused = keeper
            .quality
            .reply(&an, doubt.id, "Hóa đơn số 7")
            .await
            .expect_err("not theirs");
        assert_eq!(refused.kind(), Some(Kind::NotFound));
        business
            .put_later("enterprises", &other, "2026-11-24", firm(FIRM, "active", &[AN]))
            .await;
        keeper
            .quality
            .reply(&an, doubt.id, "Hóa đơn số 7")
            .await
            .expect("given");

        // The declaration was another's all the time: it goes to them, and is found by the other code.
        business
            .put_new("enterprises", firm(OTHER_FIRM, "active", &[BINH]))
            .await;
        assert!(keeper.quality.mine(&binh).await.expect("records").is_empty());
        let corrected = Change::Correct {
            record: seen(&declared),
            corrects: declared.seq,
            with: With::Holds {
                from: day("2026-01-01"),
                to: None,
                body: declaration(NUMBER, OTHER_FIRM),
            },
        };
        keeper.put("customs", corrected).await;
        assert!(keeper.quality.mine(&an).await.expect("records").is_empty());
        assert_eq!(doubts(&an).await, Some(Kind::NotFound));
        let mine = keeper.quality.mine(&binh).await.expect("records");
        assert_eq!(
            mine[0].records[0].enterprise.as_ref().map(|of| &*of.code),
            Some(OTHER_FIRM)
        );
    }
}

#[tokio::test]
async fn an_answer_is_never_larger_than_a_node_reads() {
    for Land {
        portal,
        keeper,
        business,
        ..
    } in lands().await
    {
        business.put_new("enterprises", firm(FIRM, "active", &[AN])).await;
        let line = |n: usize| json!({ "hs_code": format!("8471{n:04}"), "goods": "Máy ".repeat(49), "origin": "JP", "value": 1, "duty": 0 });
        for n in 0..50 {
            let mut body = declaration(&format!("1077410200{n:02}"), FIRM);
            body["lines"] = (0..50).map(line).collect();
            (body["value"], body["duty"]) = (json!(50), json!(0));
            keeper.put_new("customs", body).await;
        }
        let page = portal.get(&portal.person(AN, "Nguyễn Thị An"), "/my/records").await;
        assert!(
            page.text.contains("chỉ hiển thị những bản ghi mới nhất"),
            "a silent keeper: {}",
            page.text.len()
        );
        assert!(page.text.contains("1077410200"));
    }
}

#[tokio::test]
async fn records_that_were_there_before_a_folder_named_their_enterprises_are_found_and_the_newest_first() {
    for Land { keeper, business, .. } in lands().await {
        // The same node may keep both: then it asks itself.
        let shelf = business.registries.shelf();
        let before = before_it_named_them("customs");
        shelf.publish(&before, "test", business.now()).await.expect("published");
        business.put_new("enterprises", firm(FIRM, "active", &[AN, BINH])).await;
        business.put_new("customs", declaration(NUMBER, FIRM)).await;
        let an = business.person(AN, "Nguyễn Thị An");
        let of_customs = async |ctx: &Ctx| {
            let mine = business.quality.mine(ctx).await.expect("records").into_iter();
            mine.into_iter().find(|mine| mine.registry.code.as_str() == "customs")
        };
        assert!(of_customs(&an).await.is_none());
        shelf
            .publish(&package("customs"), "test", business.now())
            .await
            .expect("published");
        business.quality.begin(business.now()).await.expect("ordered");
        business.settle().await;
        let mine = of_customs(&an).await.expect("hers");
        assert_eq!((mine.records.len(), mine.represents), (1, Some(Represents::All)));

        // Bounded, the newest first, and it is said that there are more.
        for n in 0..51 {
            business.clock.set(business.now().plus_seconds(60));
            business
                .put_new("customs", declaration(&format!("1077410100{n:02}"), FIRM))
                .await;
        }
        let an = business.person(AN, "Nguyễn Thị An");
        let mine = of_customs(&an).await.expect("hers");
        assert_eq!((mine.records.len(), mine.represents), (50, Some(Represents::Newest)));
        assert_eq!(mine.records[0].held.body["number"], "107741010050");
        let page = business.get(&an, "/my/records").await;
        assert!(
            page.text.contains("chỉ hiển thị những bản ghi mới nhất"),
            "{}",
            page.text
        );
        assert_eq!(
            page.text.matches("Doanh nghiệp do quý vị đại diện:").count(),
            1,
            "under one heading"
        );
        // Who represents it beside her sees that it was asked.
        let binh = business.person(BINH, "Trần Văn Bình");
        let (reads, _) = business.identity.reads_of_me(&binh, None, 50).await.expect("reads");
        assert!(
            reads
                .iter()
                .any(|read| read.what.contains("Xác định doanh nghiệp do một người đại diện")),
            "{reads:?}"
        );
        drop(keeper);
    }
}
