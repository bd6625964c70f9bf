//! What registries of other nodes hold about people, seen and contested at the portal where they sign in.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, StatusCode},
};
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
    quality::{
        self, OWN_VIEW, Whose,
        doubts::{DoubtId, DoubtState},
    },
    service::{Change, Provenance, Target},
};
use serde_json::{Value, json};
use store::testkit;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::{
    contested::{contested, news, states},
    roads::{behind, called, purpose_of},
    town::{AN, BINH, REGISTRY, RULES, Town, code, day, files_of, key, member, seen},
};

const ASKS: &str = "VN/GOV/000.00.00.H42/motcua";
const KEEPS: &str = "VN/GOV/000.00.00.G01/dancu";
const SILENT: &str = "VN/GOV/000.00.00.G15/hotich";
const OTHER: &str = "VN/GOV/000.00.00.H01/motcua";

/// The way between two gateways, with a note of each call that it lets through. One that is cut comes back.
pub struct Road {
    there: Router,
    cut: AtomicBool,
    /// Calls until it is cut; none where it stays.
    left: Mutex<Option<usize>>,
    calls: Mutex<Vec<String>>,
}

impl Gateway for Road {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Response<Bytes>, Refusal>> {
        Box::pin(async move {
            self.count();
            let target = request.uri().to_string();
            let path = target
                .strip_prefix(&format!("/r1/{KEEPS}/registries"))
                .map(str::to_owned);
            let Some(path) = path.filter(|_| !self.cut.load(Ordering::SeqCst)) else {
                return Err(Refusal::new(ErrorCode::ClientNetworkError));
            };
            let call = format!("{} {path} {}", request.method(), purpose_of(&request));
            self.calls.lock().expect("one at a time").push(call);
            Ok(called(&self.there, KEEPS, &client.to_string(), &path, request).await)
        })
    }
}

impl Road {
    pub fn is_cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }

    /// So many calls come through, and then none.
    pub fn cut_after(&self, calls: usize) {
        *self.left.lock().expect("one at a time") = Some(calls);
    }

    fn count(&self) {
        let mut left = self.left.lock().expect("one at a time");
        match *left {
            Some(0) => {
                *left = None;
                self.is_cut(true);
            }
            Some(calls) => *left = Some(calls - 1),
            None => {}
        }
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().expect("one at a time").drain(..).collect()
    }
}

/// Bytes sent to a service of the keeper, for a person of the portal.
pub async fn offered_call(keeper: &Town, path: &str, content: Vec<u8>) -> (StatusCode, String) {
    let request = Request::post(path).header("content-type", "application/octet-stream");
    let request = request.body(Body::from(content)).expect("a request");
    let answer = behind(&offered(keeper), KEEPS, ASKS, OWN_VIEW).oneshot(request).await;
    let (head, body) = answer.expect("infallible").into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (head.status, String::from_utf8_lossy(&bytes).into_owned())
}

fn offered(town: &Town) -> Router {
    quality::offered::router(town.quality.clone(), town.clock.clone(), "G01")
}

/// A portal that keeps a registry of its own, a node that keeps another, and the road between them; on every database.
pub async fn portals() -> Vec<(Town, Town, Arc<Road>)> {
    let own = REGISTRY
        .replace("\"members\"", "\"guild\"")
        .replace("Sổ hội viên", "Sổ phường hội");
    let tables = [identity::MIGRATIONS, registry::MIGRATIONS];
    let stores = testkit::stores(&tables).await.into_iter();
    let mut all = Vec::new();
    for (ours, theirs) in stores.zip(testkit::stores(&tables).await) {
        let portal = Town::with(ours, &files_of("guild", &own, RULES)).await;
        let keeper = Town::over(theirs).await;
        let road = Arc::new(Road {
            there: offered(&keeper),
            cut: AtomicBool::new(false),
            left: Mutex::default(),
            calls: Mutex::default(),
        });
        let keepers = [("members", KEEPS), ("civil-status", SILENT), ("guild", KEEPS)];
        let keepers: BTreeMap<_, SubsystemId> = keepers
            .map(|(code, keeper)| (code.parse().expect("a code"), keeper.parse().expect("a system")))
            .into();
        let elsewhere = Elsewhere::new(Arc::<Road>::clone(&road), ASKS.parse().expect("a system"), keepers);
        portal.quality.join(Arc::new(elsewhere));
        all.push((portal, keeper, road));
    }
    all
}

impl Town {
    /// A record of the portal's own registry.
    async fn joins_the_guild(&self, number: &str, name: &str) {
        let change = Change::Assert {
            target: Target::New,
            from: day("2026-01-01"),
            to: None,
            body: member(number, name),
        };
        let (guild, steward) = ("guild".parse().expect("a code"), self.steward());
        let provenance = Provenance {
            source: "Đơn".to_owned(),
            ..Provenance::default()
        };
        let key = key();
        let written = self.registries.write(&steward, &guild, change, &provenance, &key);
        written.await.expect("taken in");
        self.settle().await;
    }
}

/// A form with these texts, under an id.
fn form<'a>(id: &'a str, wrong: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("form", id),
        ("wrong", wrong),
        ("right", "Nguyễn Thị Ánh"),
        ("evidence", "Giấy khai sinh số 7"),
    ]
}

#[tokio::test]
async fn a_person_sees_at_one_portal_what_all_hold_and_a_silent_node_hides_nothing() {
    for (portal, keeper, road) in portals().await {
        let far = keeper.add(member(AN, "Nguyễn Thị An Nhiên")).await;
        keeper.add(member(BINH, "Trần Văn Bình")).await;
        keeper.settle().await;
        portal.joins_the_guild(AN, "Nguyễn Thị An Thảo").await;
        let (an, binh) = (portal.person(AN, "Nguyễn Thị An"), portal.person(BINH, "Trần Văn Bình"));

        let page = portal.get(&an, "/my/records").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let at = |part: &str| page.text.find(part).unwrap_or_else(|| panic!("{part}: {}", page.text));
        assert!(at("Sổ phường hội") < at("Sổ hội viên"), "the portal's own come first");
        assert!(at("Sổ hội viên") < at("civil-status: chưa trả lời, xin thử lại sau."));
        for part in [
            "Nguyễn Thị An Thảo".to_owned(),
            "Nguyễn Thị An Nhiên".to_owned(),
            format!("/my/records/elsewhere/members/{}/name", far.record),
            "từ 01/01/2026".to_owned(),
            "Tờ khai".to_owned(),
        ] {
            at(&part);
        }
        // What the service does not show is not there, nor is anybody else.
        for part in [
            &format!("elsewhere/members/{}/status", far.record),
            "Trần Văn Bình",
            BINH,
        ] {
            assert!(!page.text.contains(part), "{part}: {}", page.text);
        }
        // Asked once, for the signed-in person; nothing of what this node keeps itself is asked elsewhere.
        assert_eq!(road.calls(), [format!("GET /members/portal/own/{AN} {OWN_VIEW}")]);
        let english = Ctx {
            lang: base::Lang::En,
            ..an.clone()
        };
        let page = portal.get(&english, "/my/records").await;
        assert!(
            page.text.contains("has not answered; please try again later."),
            "{}",
            page.text
        );

        // Nothing in an address or a form makes it somebody else's.
        road.calls();
        let page = portal.get(&binh, &format!("/my/records?number={AN}")).await;
        assert!(
            page.text.contains("Trần Văn Bình") && !page.text.contains("Nguyễn Thị An"),
            "{}",
            page.text
        );
        let contest = format!("/my/records/elsewhere/members/{}/name", far.record);
        assert_eq!(portal.get(&binh, &contest).await.status, StatusCode::NOT_FOUND);
        let id = DoubtId::new(portal.now()).to_string();
        let mut sent = form(&id, "Không phải tôi").to_vec();
        sent.push(("number", AN));
        assert_eq!(portal.post(&binh, &contest, &sent).await.status, StatusCode::NOT_FOUND);
        assert!(keeper.doubts(true, Whose::All).await.is_empty());
        let calls = road.calls();
        assert!(
            !calls.is_empty() && calls.iter().all(|call| call.contains(BINH)),
            "{calls:?}"
        );

        // Only people at level 2, as for what is kept here.
        let mut low = an.clone();
        if let Actor::Person(person) = &mut low.actor {
            person.assurance = Assurance::Level1;
        }
        let officer = portal.officer("Lê Thị Xem", "G01", Role::Steward);
        for (who, path) in [
            (&low, "/my/records"),
            (&officer, "/my/records"),
            (&low, &*contest),
            (&officer, &*contest),
        ] {
            let page = portal.get(who, path).await;
            assert_ne!(page.status, StatusCode::OK, "{path}");
            assert!(!page.text.contains("An Nhiên"), "{path}");
        }
        let sent = portal.post(&low, &contest, &sent).await;
        assert!(sent.location.starts_with("/sign-in"), "{}", sent.location);
        assert!(road.calls().is_empty(), "nobody is asked for them");

        // All others silent: what is kept here is there all the same.
        road.is_cut(true);
        let page = portal.get(&an, "/my/records").await;
        for part in [
            "Nguyễn Thị An Thảo",
            "members: chưa trả lời",
            "civil-status: chưa trả lời",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn what_is_contested_at_the_portal_is_a_doubt_at_its_keeper_and_the_answer_comes_back() {
    for (portal, keeper, road) in portals().await {
        let far = keeper.add(member(AN, "Nguyễn Thị An Nhiên")).await;
        keeper.settle().await;
        let an = portal.person(AN, "Nguyễn Thị An");
        let contest = format!("/my/records/elsewhere/members/{}/name", far.record);
        let asked = portal.get(&an, &contest).await;
        for part in [
            "Nguyễn Thị An Nhiên",
            "5 ngày làm việc",
            &format!("action=\"{contest}\""),
        ] {
            assert!(asked.text.contains(part), "{part}: {}", asked.text);
        }
        // A field that the service does not show cannot be contested by it.
        let hidden = contest.replace("/name", "/status");
        let id = DoubtId::new(portal.now()).to_string();
        assert_eq!(portal.get(&an, &hidden).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            portal.post(&an, &hidden, &form(&id, "Sai")).await.status,
            StatusCode::NOT_FOUND
        );

        // Refused, or with nobody there: what was typed is kept.
        let empty = portal.post(&an, &contest, &form(&id, " ")).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            empty.text.contains("Nêu điều chưa đúng") && empty.text.contains("Nguyễn Thị Ánh"),
            "{}",
            empty.text
        );
        let spoilt = portal.post(&an, &contest, &form("mã-lạ", "Sai họ")).await;
        assert_eq!(spoilt.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            spoilt.text.contains("Sai họ") && !spoilt.text.contains("mã-lạ"),
            "{}",
            spoilt.text
        );
        road.is_cut(true);
        assert_eq!(portal.get(&an, &contest).await.status, StatusCode::SERVICE_UNAVAILABLE);
        let silent = portal.post(&an, &contest, &form(&id, "Sai họ")).await;
        assert_eq!(silent.status, StatusCode::SERVICE_UNAVAILABLE);
        for part in [
            "chưa trả lời, xin thử lại sau",
            "Sai họ",
            "Nguyễn Thị Ánh",
            "Giấy khai sinh số 7",
            &id,
        ] {
            assert!(silent.text.contains(part), "{part}: {}", silent.text);
        }
        road.is_cut(false);
        assert!(keeper.doubts(true, Whose::All).await.is_empty());

        // Sent twice, it is one doubt, of a person who has no account there, with the clocks of the registry.
        for _ in 0..2 {
            let sent = portal.post(&an, &contest, &form(&id, "Sai họ")).await;
            assert_eq!(
                (sent.status, &*sent.location),
                (StatusCode::SEE_OTHER, "/my/records"),
                "{}",
                sent.text
            );
        }
        let [doubt] = keeper.doubts(true, Whose::All).await.try_into().expect("one");
        assert_eq!(
            (doubt.field.as_str(), &*doubt.wrong, &*doubt.right),
            ("name", "Sai họ", "Nguyễn Thị Ánh")
        );
        assert_eq!(doubt.evidence, "Giấy khai sinh số 7");
        assert_eq!(doubt.reporter, (format!("Người có số định danh {AN}"), ASKS.to_owned()));
        assert!(doubt.by_person && doubt.dossier.is_none() && doubt.due_at > keeper.now());
        let again = DoubtId::new(portal.now()).to_string();
        let twice = portal.post(&an, &contest, &form(&again, "Vẫn sai")).await;
        assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            twice.text.contains("đang chờ trả lời") && twice.text.contains("Vẫn sai"),
            "{}",
            twice.text
        );
        let page = portal.get(&an, "/my/records").await;
        for part in ["Sổ hội viên: Họ", "Chờ tiếp nhận", "hạn trả lời"] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(
            !page.text.contains("/dossiers/"),
            "it came up in no dossier: {}",
            page.text
        );
        assert_eq!(page.text.matches("Chờ tiếp nhận").count(), 1, "one, though sent twice");

        // The answer stands at the portal as soon as somebody looks, with news once.
        keeper
            .quality
            .refuse_doubt(&keeper.steward(), &code(), doubt.id, "Giấy khai sinh ghi là An")
            .await
            .expect("answered");
        for _ in 0..2 {
            let page = portal.get(&an, "/my/records").await;
            for part in ["Giấy khai sinh ghi là An", "Giữ nguyên"] {
                assert!(page.text.contains(part), "{part}: {}", page.text);
            }
        }
        let heard = news(&portal).await;
        assert_eq!(states(&heard), [DoubtState::Refused]);
        assert_eq!(
            Some(heard[0].account),
            an.person().ok().map(|person| person.account.uuid())
        );
        assert_eq!(heard[0].dossier, None);
        let other = portal.person(BINH, "Trần Văn Bình");
        assert!(
            portal
                .quality
                .doubts_elsewhere(&other)
                .await
                .expect("a list")
                .is_empty()
        );

        // An erasure takes the number along.
        let provenance = Provenance {
            source: "Quyết định".to_owned(),
            basis: "Luật số 91/2025/QH15".to_owned(),
            dossier: None,
        };
        let (steward, code) = (keeper.steward(), code());
        let erased = keeper.registries.erase(&steward, &code, seen(&far), &provenance);
        erased.await.expect("erased");
        let [doubt] = keeper.doubts(false, Whose::All).await.try_into().expect("one");
        assert_eq!((&*doubt.reporter.0, &*doubt.wrong), ("", ""));
    }
}

#[tokio::test]
async fn evidence_that_is_asked_for_comes_from_the_portal_once_and_from_nobody_else() {
    for (portal, keeper, road) in portals().await {
        let far = keeper.add(member(AN, "Nguyễn Thị An Nhiên")).await;
        keeper.settle().await;
        let (an, binh) = (portal.person(AN, "Nguyễn Thị An"), portal.person(BINH, "Trần Văn Bình"));
        let contest = format!("/my/records/elsewhere/members/{}/name", far.record);
        let id = DoubtId::new(portal.now()).to_string();
        let sent = portal.post(&an, &contest, &form(&id, "Sai họ")).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let [doubt] = keeper.doubts(true, Whose::All).await.try_into().expect("one");
        let reply = format!("/my/doubts/elsewhere/members/{}", doubt.id);
        let give = async |who: &Ctx, text: &str| portal.post(who, &reply, &[("evidence", text)]).await;

        // Nobody has asked.
        let early = give(&an, "Giấy khai sinh số 8").await;
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            early.text.contains("không chờ bổ sung") && early.text.contains("Giấy khai sinh số 8"),
            "{}",
            early.text
        );
        let page = portal.get(&an, "/my/records").await;
        assert!(
            page.text.contains(&reply) && !page.text.contains("Bổ sung bằng chứng"),
            "{}",
            page.text
        );
        let steward = keeper.steward();
        let asks = async |question: &str| {
            keeper
                .quality
                .ask(&steward, &code(), doubt.id, question)
                .await
                .expect("asked")
        };
        asks("Giấy tờ nào?").await;
        let page = portal.get(&an, "/my/records").await;
        assert!(
            page.text.contains(&reply) && page.text.contains("Giấy tờ nào?"),
            "{}",
            page.text
        );
        let page = portal.get(&an, &reply).await;
        for part in [
            "Giấy tờ nào?",
            "Sai họ",
            "Chờ bổ sung bằng chứng",
            &format!("action=\"{reply}\""),
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }

        // Nothing, too much, or with nobody there: it is refused, and what was typed is kept.
        let long = "x".repeat(1_001);
        for (text, says) in [(" ", "Nhập nội dung này"), (&*long, "Tối đa 1000 ký tự")] {
            let refused = give(&an, text).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(
                refused.text.contains(says) && refused.text.contains(text),
                "{}",
                refused.text
            );
        }
        road.is_cut(true);
        let silent = give(&an, "Giấy khai sinh số 8").await;
        assert_eq!(silent.status, StatusCode::SERVICE_UNAVAILABLE);
        for part in ["chưa trả lời, xin thử lại sau", "Giấy khai sinh số 8"] {
            assert!(silent.text.contains(part), "{part}: {}", silent.text);
        }
        road.is_cut(false);

        // Of somebody else it is nobody's doubt, at the portal and at the keeper.
        let mut low = an.clone();
        if let Actor::Person(person) = &mut low.actor {
            person.assurance = Assurance::Level1;
        }
        road.calls();
        assert_eq!(portal.get(&binh, &reply).await.status, StatusCode::NOT_FOUND);
        assert_eq!(give(&binh, "Của tôi").await.status, StatusCode::NOT_FOUND);
        for who in [&low, &portal.officer("Lê Thị Xem", "G01", Role::Steward)] {
            let refused = give(who, "Của tôi").await;
            assert!(
                refused.location.is_empty() || refused.location.starts_with("/sign-in"),
                "{}",
                refused.location
            );
        }
        assert!(road.calls().is_empty(), "nobody is told");
        let router = offered(&keeper);
        let call = async |client: &str, path: String| {
            let request = Request::post(path).header("content-type", "application/json");
            let body = json!({ "evidence": "Của tôi" }).to_string();
            let request = request.body(Body::from(body)).expect("a request");
            let answer = behind(&router, KEEPS, client, OWN_VIEW).oneshot(request).await;
            answer.expect("infallible").status()
        };
        let evidence = |number: &str| format!("/members/portal/own/{number}/doubts/{}/evidence", doubt.id);
        assert_eq!(call(ASKS, evidence(BINH)).await, StatusCode::NOT_FOUND);
        assert_eq!(call(OTHER, evidence(AN)).await, StatusCode::NOT_FOUND);
        // A doubt of a person is not one of a dossier.
        let of_dossier = format!("/members/prefill/contests/{}/evidence", doubt.id);
        assert_eq!(call(ASKS, of_dossier).await, StatusCode::NOT_FOUND);

        // It is taken once, by the clock of the keeper, which stood meanwhile; the steward sees it.
        keeper.pass(5);
        let given = give(&an, "Giấy khai sinh số 8").await;
        assert_eq!(
            (given.status, &*given.location),
            (StatusCode::SEE_OTHER, &*reply),
            "{}",
            given.text
        );
        let view = keeper.quality.doubt_view(&keeper.steward(), &code(), doubt.id).await;
        let seen = view.expect("a doubt").doubt;
        assert_eq!(seen.state, DoubtState::Acknowledged);
        assert_eq!(seen.evidence, "Giấy khai sinh số 7\nGiấy khai sinh số 8");
        assert!(seen.due_at > keeper.now() && seen.due_at > doubt.due_at);
        let steward_sees = keeper
            .get(&keeper.steward(), &format!("/registries/members/doubts/{}", doubt.id))
            .await;
        assert!(
            steward_sees.text.contains("Giấy khai sinh số 8"),
            "{}",
            steward_sees.text
        );
        let page = portal.get(&an, "/my/records").await;
        assert!(
            page.text.contains("Đang xem xét") && !page.text.contains("Bổ sung bằng chứng"),
            "{}",
            page.text
        );
        let twice = give(&an, "Giấy khai sinh số 8").await;
        assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(twice.text.contains("không chờ bổ sung"), "{}", twice.text);

        // Asked again, it is given again; after the answer it is too late.
        let asks = keeper
            .quality
            .ask(&keeper.steward(), &code(), doubt.id, "Bản sao nào?")
            .await;
        asks.expect("asked");
        assert_eq!(give(&an, "Bản sao số 9").await.status, StatusCode::SEE_OTHER);
        let refused = keeper
            .quality
            .refuse_doubt(&keeper.steward(), &code(), doubt.id, "Sổ gốc ghi vậy")
            .await;
        refused.expect("answered");
        let late = give(&an, "Thêm nữa").await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.text.contains("Sổ gốc ghi vậy"), "{}", late.text);
    }
}

#[tokio::test]
async fn evidence_of_what_came_up_in_a_dossier_comes_by_its_person_too() {
    for (portal, keeper, road) in portals().await {
        keeper.add(member(AN, "Nguyễn Thị An Nhiên")).await;
        keeper.settle().await;
        let an = portal.person(AN, "Nguyễn Thị An");
        let account = an.person().ok().map(|person| person.account.uuid());
        let keepers = BTreeMap::from([(code(), KEEPS.parse().expect("a system"))]);
        let elsewhere = Elsewhere::new(Arc::<Road>::clone(&road), ASKS.parse().expect("a system"), keepers);
        let told = portal
            .quality
            .contest_elsewhere(&an, &elsewhere, &contested(account))
            .await;
        assert_eq!(told, registry::contest::Told::Taken);
        let [doubt] = keeper.doubts(true, Whose::All).await.try_into().expect("one");
        let asked = keeper
            .quality
            .ask(&keeper.steward(), &code(), doubt.id, "Giấy tờ nào?")
            .await;
        asked.expect("asked");
        let reply = format!("/my/doubts/elsewhere/members/{}", doubt.id);
        let page = portal.get(&an, "/my/records").await;
        assert!(
            page.text.contains(&reply) && page.text.contains("/dossiers/"),
            "{}",
            page.text
        );
        let binh = portal.person(BINH, "Trần Văn Bình");
        let text = [("evidence", "Giấy khai sinh số 8")];
        assert_eq!(portal.post(&binh, &reply, &text).await.status, StatusCode::NOT_FOUND);
        let given = portal.post(&an, &reply, &text).await;
        assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text);
        let view = keeper.quality.doubt_view(&keeper.steward(), &code(), doubt.id).await;
        let seen = view.expect("a doubt").doubt;
        assert_eq!(seen.state, DoubtState::Acknowledged);
        assert!(seen.evidence.ends_with("Giấy khai sinh số 8"), "{}", seen.evidence);
        // Neither another dossier nor another system speaks of it.
        let call = async |client: &str, dossier: &str| {
            let path = format!("/members/prefill/contests/{}/evidence", doubt.id);
            let request = Request::post(path).header("content-type", "application/json");
            let request = request.header("x-road-issue", dossier);
            let request = request.body(Body::from(json!({ "evidence": "Nữa" }).to_string()));
            let router = behind(&offered(&keeper), KEEPS, client, "procedure.contest");
            let answer = router.oneshot(request.expect("a request")).await;
            answer.expect("infallible").status()
        };
        assert_eq!(call(ASKS, "H42.28-260821-0002").await, StatusCode::NOT_FOUND);
        assert_eq!(call(OTHER, "H42.28-260821-0001").await, StatusCode::NOT_FOUND);
        assert_eq!(call(ASKS, "H42.28-260821-0001").await, StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn the_keeper_answers_by_a_service_for_it_about_a_person_and_takes_doubts_of_theirs_alone() {
    for (_, keeper, _) in portals().await {
        let an = keeper.add(member(AN, "Nguyễn Thị An")).await;
        let binh = keeper.add(member(BINH, "Trần Văn Bình")).await;
        keeper.settle().await;
        let router = offered(&keeper);
        let call = async |client: &str, method: Method, path: &str, body: &Value| {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("content-type", "application/json")
                .body(Body::from(body.to_string()))
                .expect("a request");
            let answer = behind(&router, KEEPS, client, OWN_VIEW).oneshot(request).await;
            let answer = answer.expect("infallible");
            let status = answer.status();
            let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
            (status, serde_json::from_slice::<Value>(&bytes).unwrap_or_default())
        };
        let get = async |path: &str| call(ASKS, Method::GET, path, &Value::Null).await;
        let (status, said) = get(&format!("/members/portal/own/{AN}")).await;
        assert_eq!(status, StatusCode::OK, "{said}");
        assert_eq!(
            (&said["registry"]["en"], &said["answer_days"]),
            (&json!("Members"), &json!(5))
        );
        assert_eq!(said["steward"]["vi"], "Bộ Công an");
        let [record] = said["records"].as_array().expect("records").as_slice() else {
            panic!("{said}");
        };
        assert_eq!(record["id"], an.record.to_string());
        assert_eq!(
            (&record["key"], &record["entry"]),
            (&json!(AN), &json!(format!("members/{AN}#1")))
        );
        assert_eq!(
            (&record["from"], &record["holds"]),
            (&json!("2026-01-01"), &json!(true))
        );
        assert_eq!(record["says"]["name"][0]["vi"], "Nguyễn Thị An");
        let fields: Vec<&Value> = said["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .map(|of| &of["field"])
            .collect();
        assert_eq!(
            fields,
            ["number", "name", "commune"],
            "and not the status, which it does not show"
        );
        let commune = &record["says"]["commune"][0]["vi"];
        assert_ne!(commune, "00004", "in words");

        // Nobody known is an empty list; what is no number is refused; so is a service without the operation.
        let (status, none) = get("/members/portal/own/001190009999").await;
        assert_eq!((status, &none["records"]), (StatusCode::OK, &json!([])), "{none}");
        for (path, status, code) in [
            (
                "/members/portal/own/1",
                StatusCode::UNPROCESSABLE_ENTITY,
                "not-a-person-number",
            ),
            (
                &*format!("/members/portal/own/{}", an.record),
                StatusCode::UNPROCESSABLE_ENTITY,
                "not-a-person-number",
            ),
            (
                &*format!("/members/prefill/own/{AN}"),
                StatusCode::METHOD_NOT_ALLOWED,
                "not-offered",
            ),
            (
                &*format!("/members/nowhere/own/{AN}"),
                StatusCode::NOT_FOUND,
                "not-found",
            ),
        ] {
            let (found, said) = get(path).await;
            assert_eq!(
                (found, &said["problems"][0]["code"]),
                (status, &json!(code)),
                "{path}: {said}"
            );
        }

        let doubts = format!("/members/portal/own/{AN}/doubts");
        let good = json!({ "id": "1", "record": an.record.to_string(), "field": "name", "wrong": "Sai họ" });
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body
        };
        for (body, status, code) in [
            (
                with("record", json!(binh.record.to_string())),
                StatusCode::NOT_FOUND,
                "not-found",
            ),
            (
                with("record", json!(Uuid::from_u128(7).to_string())),
                StatusCode::NOT_FOUND,
                "not-found",
            ),
            (
                with("field", json!("status")),
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown-field",
            ),
            (
                with("field", json!("../x")),
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown-field",
            ),
            (with("wrong", json!("")), StatusCode::UNPROCESSABLE_ENTITY, "required"),
            (
                with("wrong", json!("x".repeat(1_001))),
                StatusCode::UNPROCESSABLE_ENTITY,
                "too-long",
            ),
            (with("id", json!("")), StatusCode::UNPROCESSABLE_ENTITY, "contest-id"),
            (
                with("id", json!("x".repeat(201))),
                StatusCode::UNPROCESSABLE_ENTITY,
                "contest-id",
            ),
        ] {
            let (found, said) = call(ASKS, Method::POST, &doubts, &body).await;
            assert_eq!(
                (found, &said["problems"][0]["code"]),
                (status, &json!(code)),
                "{body}: {said}"
            );
        }
        let (status, said) = call(ASKS, Method::POST, &doubts, &with("number", json!(BINH))).await;
        assert!(status.is_client_error(), "{said}");
        assert!(keeper.doubts(true, Whose::All).await.is_empty());
        let (status, taken) = call(ASKS, Method::POST, &doubts, &good).await;
        assert_eq!(status, StatusCode::CREATED, "{taken}");
        assert_eq!(call(ASKS, Method::POST, &doubts, &good).await.1, taken, "told again");
        // The same id of another person is another doubt; what the person contests already they do not contest again by another node.
        let theirs = format!("/members/portal/own/{BINH}/doubts");
        let other = with("record", json!(binh.record.to_string()));
        let (status, of_binh) = call(ASKS, Method::POST, &theirs, &other).await;
        assert_eq!(status, StatusCode::CREATED, "{of_binh}");
        let (status, of_another) = call(OTHER, Method::POST, &doubts, &good).await;
        assert_eq!(status, StatusCode::CONFLICT, "{of_another}");
        assert_eq!(keeper.doubts(true, Whose::All).await.len(), 2);
        let standing = format!("/members/portal/contests/{}", taken["id"].as_str().expect("an id"));
        assert_eq!(call(ASKS, Method::GET, &standing, &Value::Null).await.0, StatusCode::OK);
        assert_eq!(
            call(OTHER, Method::GET, &standing, &Value::Null).await.0,
            StatusCode::NOT_FOUND
        );

        // Without the gateway nobody gets there.
        for (method, path) in [
            (Method::GET, format!("/members/portal/own/{AN}")),
            (Method::POST, doubts),
        ] {
            let request = Request::builder().method(method).uri(path);
            let request = request.header("content-type", "application/json");
            let request = request.body(Body::from(good.to_string())).expect("a request");
            let answer = router.clone().oneshot(request).await.expect("infallible");
            assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        }
    }
}
