//! What a person contests of a registry of another node: told there once, answered there, and news here.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Extension, Router,
    body::Body,
    http::{Request, Response, StatusCode},
};
use base::{Text, Timestamp};
use bytes::Bytes;
use exchange::{
    Caller as Gateway,
    gateway::Caller,
    model::{
        error::{ErrorCode, Refusal},
        identifier::SubsystemId,
    },
};
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use identity::Ctx;
use registry::{
    contest::{Contest as _, Contested, NEWS, News, Told},
    elsewhere::Elsewhere,
    quality::{
        self, Whose,
        doubts::{DoubtState, Report, Reporter},
    },
};
use serde_json::{Value, json};
use store::jobs::Runner;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::town::{AN, BINH, Town, code, key, towns};

const ASKS: &str = "VN/GOV/000.00.00.H42/motcua";
const KEEPS: &str = "VN/GOV/000.00.00.G01/dancu";
const DOSSIER: &str = "H42.28-260821-0001";

/// The way between two gateways: who calls is verified. One that is cut comes back.
struct Road {
    there: Router,
    cut: AtomicBool,
}

impl Gateway for Road {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Response<Bytes>, Refusal>> {
        Box::pin(async move {
            if self.cut.load(Ordering::SeqCst) {
                return Err(Refusal::new(ErrorCode::ClientNetworkError));
            }
            let (mut head, body) = request.into_parts();
            let target = head.uri.to_string();
            let path = target.strip_prefix(&format!("/r1/{KEEPS}/registries"));
            head.uri = path.expect("the registries of the keeper").parse().expect("a path");
            let answer = behind(&self.there, &client.to_string())
                .oneshot(Request::from_parts(head, Body::from(body)))
                .await;
            let (head, body) = answer.expect("infallible").into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            Ok(Response::from_parts(head, body))
        })
    }
}

fn behind(router: &Router, client: &str) -> Router {
    router.clone().layer(Extension(Caller {
        client: client.parse().expect("a system"),
        service: format!("{KEEPS}/registries").parse().expect("a service"),
        purpose: "procedure.contest".parse().expect("a purpose"),
        request_id: Uuid::nil(),
    }))
}

fn offered(town: &Town) -> Router {
    quality::offered::router(town.quality.clone(), town.clock.clone(), "G01")
}

fn elsewhere(road: Arc<Road>) -> Elsewhere {
    let keepers = BTreeMap::from([(code(), KEEPS.parse().expect("a system"))]);
    Elsewhere::new(road, ASKS.parse().expect("a system"), keepers)
}

pub fn contested(account: Option<Uuid>) -> Contested {
    Contested {
        id: format!("{DOSSIER}/members.full-name"),
        entry: format!("members/{AN}#1"),
        attribute: "full-name".parse().expect("a name"),
        label: Text::new("Họ, chữ đệm, tên", "Full name"),
        reason: "Tên tôi khác".to_owned(),
        filed: "Nguyễn Thị Ánh".to_owned(),
        procedure: "1.004227".to_owned(),
        by: ("Nguyễn Thị An".to_owned(), account),
        dossier: DOSSIER.to_owned(),
    }
}

/// Does the work that waits, and gives the news that people have by it.
pub async fn news(town: &Town) -> Vec<News> {
    let heard: Arc<Mutex<Vec<News>>> = Arc::default();
    let hears = Arc::clone(&heard);
    let runner = Runner::new(town.store.clone(), town.clock.clone()).on(NEWS, move |run| {
        let hears = Arc::clone(&hears);
        async move {
            hears.lock().expect("one at a time").push(run.payload()?);
            Ok(())
        }
    });
    while runner.run_due().await.expect("done") > 0 {}
    let heard = heard.lock().expect("one at a time");
    heard.clone()
}

pub fn states(news: &[News]) -> Vec<DoubtState> {
    news.iter().map(|one| one.state).collect()
}

fn system(now: Timestamp) -> Ctx {
    Ctx::system("test", now)
}

#[tokio::test]
async fn it_is_told_once_looked_after_and_its_answer_comes_back_with_news() {
    for town in towns().await {
        town.an().await;
        let an = town.person(AN, "Nguyễn Thị An");
        let account = an.person().expect("a person").account.uuid();
        let road = Arc::new(Road {
            there: offered(&town),
            cut: AtomicBool::new(true),
        });
        let far = elsewhere(Arc::clone(&road));
        let tell = async || {
            let ctx = system(town.now());
            town.quality
                .contest_elsewhere(&ctx, &far, &contested(Some(account)))
                .await
        };
        let look = async || town.quality.look_elsewhere(&far, town.now()).await.expect("looked");

        // The node is down: silent, to be told again. Told twice, it is one doubt, by the dossier and not by name.
        assert_eq!(tell().await, Told::Silent);
        road.cut.store(false, Ordering::SeqCst);
        for _ in 0..2 {
            assert_eq!(tell().await, Told::Taken);
        }
        let [doubt] = town.doubts(true, Whose::All).await.try_into().expect("one");
        assert_eq!((doubt.field.as_str(), doubt.wrong.as_str()), ("name", "Tên tôi khác"));
        assert_eq!(doubt.reporter, (format!("Người nộp hồ sơ {DOSSIER}"), ASKS.to_owned()));
        assert!(doubt.due_at > town.now(), "its clock runs");
        assert!(look().await, "it waits");
        assert!(news(&town).await.is_empty());

        // The steward asks, and answers. What a node that is down would say comes later.
        let steward = town.steward();
        town.quality
            .ask(&steward, &code(), doubt.id, "Giấy khai sinh số nào?")
            .await
            .expect("asked");
        look().await;
        assert_eq!(states(&news(&town).await), [DoubtState::Asked]);
        town.quality
            .refuse_doubt(&steward, &code(), doubt.id, "Giấy khai sinh ghi như vậy")
            .await
            .expect("answered");
        road.cut.store(true, Ordering::SeqCst);
        assert!(look().await, "nothing is known yet");
        let open = async || {
            let now = town.now();
            town.quality.look_for(&far, DOSSIER, now).await.expect("looked");
            town.quality
                .look_for(&far, "H42.28-261111-0009", now)
                .await
                .expect("looked");
        };
        open().await;
        assert!(news(&town).await.is_empty(), "nothing is known yet");
        road.cut.store(false, Ordering::SeqCst);
        // Whoever opens the dossier does not wait for the next look.
        open().await;
        assert!(!look().await, "nothing waits any more");
        assert!(!look().await);
        let heard = news(&town).await;
        assert_eq!(states(&heard), [DoubtState::Refused], "told once");
        assert_eq!(
            (heard[0].account, heard[0].dossier.as_deref()),
            (account, Some(DOSSIER))
        );

        // It stands at the dossier, and among what the person sees of themselves; nobody else sees it.
        let at_dossier = town.quality.standing(&an, DOSSIER).await.expect("a list");
        let mine = town.quality.doubts_elsewhere(&an).await.expect("a list");
        let mine: Vec<_> = mine.into_iter().map(|(_, standing)| standing).collect();
        assert_eq!(at_dossier, mine);
        let [one] = mine.as_slice() else { panic!("{mine:?}") };
        assert_eq!((one.state, one.label.en.as_str()), (DoubtState::Refused, "Full name"));
        let (_, by, words) = one.answer.clone().expect("answered");
        assert_eq!(words, "Giấy khai sinh ghi như vậy");
        assert!(!by.is_empty());
        let page = town.get(&an, "/my/records").await;
        for part in ["Giấy khai sinh ghi như vậy", "Họ, chữ đệm, tên", DOSSIER] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        let other = town.person(BINH, "Trần Văn Bình");
        assert!(town.quality.doubts_elsewhere(&other).await.expect("a list").is_empty());
    }
}

#[tokio::test]
async fn only_what_a_service_told_is_contested_by_it_and_only_its_sender_sees_how_it_stands() {
    for town in towns().await {
        town.an().await;
        let router = offered(&town);
        let send = async |client: &str, body: &Value| {
            let request = Request::post("/members/prefill/contests")
                .header("content-type", "application/json")
                .header("x-road-issue", DOSSIER)
                .body(Body::from(body.to_string()))
                .expect("a request");
            let answer = behind(&router, client).oneshot(request).await.expect("infallible");
            let status = answer.status();
            let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
            (status, serde_json::from_slice::<Value>(&bytes).unwrap_or_default())
        };
        let good = json!({
            "id": "1", "entry": format!("members/{AN}#1"), "attribute": "full-name", "reason": "Sai", "filed": "",
            "procedure": "1.004227", "dossier": DOSSIER,
        });
        let with = |name: &str, value: &str| {
            let mut body = good.clone();
            body[name] = value.into();
            body
        };
        for (body, code) in [
            (with("attribute", "residence"), "unknown-attribute"),
            (with("entry", "elsewhere/1#1"), "unknown-attribute"),
            (with("dossier", "H42.28-260821-0002"), "dossier-differs"),
            (with("id", ""), "contest-id"),
            (with("id", &"x".repeat(201)), "contest-id"),
        ] {
            let (status, said) = send(ASKS, &body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
            assert_eq!(said["problems"][0]["code"], code, "{said}");
        }
        let (status, none) = send(ASKS, &with("entry", "members/001190009999#1")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{none}");
        let (status, taken) = send(ASKS, &good).await;
        assert_eq!(status, StatusCode::CREATED, "{taken}");
        let id = taken["id"].as_str().expect("an id");
        for (client, status) in [
            (ASKS, StatusCode::OK),
            ("VN/GOV/000.00.00.H01/motcua", StatusCode::NOT_FOUND),
        ] {
            let request = Request::get(format!("/members/prefill/contests/{id}"))
                .body(Body::empty())
                .expect("a request");
            let answer = behind(&router, client).oneshot(request).await.expect("infallible");
            assert_eq!(answer.status(), status, "{client}");
        }
        // Without the gateway nobody gets there.
        let request = Request::get(format!("/members/prefill/contests/{id}"))
            .body(Body::empty())
            .expect("a request");
        let answer = router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn whoever_doubted_a_record_of_this_node_has_news_when_it_is_answered() {
    for town in towns().await {
        town.an().await;
        let an = town.person(AN, "Nguyễn Thị An");
        let report = Report {
            field: "name".to_owned(),
            wrong: "Sai họ".to_owned(),
            ..Report::default()
        };
        let taken = town
            .quality
            .doubt(&an, &Reporter::Caller, &code(), AN, &report, &key())
            .await
            .expect("taken in");
        town.quality
            .acknowledge(&town.steward(), &code(), taken.id)
            .await
            .expect("acknowledged");
        assert!(news(&town).await.is_empty(), "nothing that they wait for");
        town.quality
            .refuse_doubt(&town.steward(), &code(), taken.id, "Đúng như giấy khai sinh")
            .await
            .expect("answered");
        let heard = news(&town).await;
        assert_eq!(states(&heard), [DoubtState::Refused]);
        assert_eq!((heard[0].doubt, heard[0].dossier.as_deref()), (taken.id.uuid(), None));
    }
}
