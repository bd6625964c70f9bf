//! Each page in both languages, for each who may see it and nobody else; what forms do; and the API.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use base::Lang;
use bytes::Bytes;
use exchange::gateway::Caller;
use http_body_util::BodyExt as _;
use identity::{Actor, Ctx, Role};
use registry::quality::{self, Wanted};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::town::{AN, BINH, Town, code, member, towns};

pub struct Answer {
    pub status: StatusCode,
    pub location: String,
    pub headers: HeaderMap,
    pub text: String,
    pub bytes: Bytes,
}

impl Town {
    fn router(&self) -> Router {
        let (api, _) = quality::api::router(self.quality.clone()).split_for_parts();
        let (records, _) = registry::api::router(self.registries.clone()).split_for_parts();
        quality::pages::router(self.quality.clone())
            .merge(registry::pages::router(self.registries.clone()))
            .merge(api)
            .merge(records)
    }

    pub async fn call(&self, ctx: &Ctx, method: Method, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let app = self
            .router()
            .layer(Extension(ctx.clone()))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, kind)
            .header("idempotency-key", "k")
            .body(body.into())
            .expect("a request");
        let answer = app.oneshot(request).await.expect("an answer");
        let status = answer.status();
        let location = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|to| to.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let headers = answer.headers().clone();
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        Answer {
            status,
            location,
            headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }

    pub async fn get(&self, ctx: &Ctx, path: &str) -> Answer {
        self.call(ctx, Method::GET, path, "text/plain", String::new()).await
    }

    pub async fn post(&self, ctx: &Ctx, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.call(ctx, Method::POST, path, "application/x-www-form-urlencoded", body)
            .await
    }

    fn anonymous(&self) -> Ctx {
        self.ctx(Actor::Anonymous)
    }
}

#[tokio::test]
async fn each_page_is_for_those_who_may_see_it_in_both_languages() {
    for town in towns().await {
        town.add(member(AN, "NGUYỄN THỊ AN")).await;
        town.add(member(BINH, "Trần Văn Bình")).await;
        town.settle().await;
        let (steward, an, binh) = (
            town.steward(),
            town.person(AN, "Nguyễn Thị An"),
            town.person(BINH, "Trần Văn Bình"),
        );
        let [finding] = town.queue(&Wanted::default()).await.try_into().expect("one finding");
        let record = finding.record;
        let contest = format!("/my/records/members/{record}/name");
        let said = [
            ("form", "f1"),
            ("wrong", "Viết hoa hết"),
            ("right", "Nguyễn Thị An"),
            ("evidence", ""),
        ];
        let empty = town.post(&an, &contest, &[("form", "f0"), ("wrong", " ")]).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        let sent = town.post(&an, &contest, &said).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let doubt = sent.location.rsplit('/').next().expect("an id").to_owned();
        assert_eq!(town.post(&an, &contest, &said).await.location, sent.location);
        let sample = town.quality.draw(&steward, &code(), 2, Some(1)).await.expect("ordered");
        town.settle().await;

        let at = |rest: &str| format!("/registries/members/{rest}");
        let stewards = [
            at("queue"),
            at("queue?whose=overdue&state=excused&rule=has-commune&dimension=valid"),
            at(&format!("findings/{}", finding.id)),
            at("doubts"),
            at("doubts?show=overdue"),
            at(&format!("doubts/{doubt}")),
            at("samples"),
            at(&format!("samples/{sample}")),
            at("batches"),
            at("batches?rule=name-written&done=1&left=1"),
        ];
        let own = ["/my/records".to_owned(), contest.clone(), format!("/my/doubts/{doubt}")];
        let public = ["/publication/registries", "/registries/members", "/registries"].map(str::to_owned);
        let english = |ctx: &Ctx| Ctx {
            lang: Lang::En,
            ..ctx.clone()
        };
        for (paths, ctx) in [(&stewards[..], &steward), (&own[..], &an), (&public[..], &an)] {
            for path in paths {
                for ctx in [ctx.clone(), english(ctx)] {
                    let page = town.get(&ctx, path).await;
                    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
                    assert_eq!(page.text.matches("<h1").count(), 1, "{path}");
                    assert!(!page.text.contains(" style="), "{path}");
                }
            }
        }
        for ctx in [town.anonymous(), english(&town.anonymous())] {
            let page = town.get(&ctx, &public[0]).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(!page.text.contains(AN) && !page.text.contains("NGUYỄN"));
        }
        // Nobody else.
        let others = [
            town.officer("Khác", "G02", Role::Steward),
            town.officer("Đọc", "G01", Role::Reader),
            binh.clone(),
            town.anonymous(),
        ];
        for ctx in &others {
            for path in stewards.iter().chain(&own[1..]) {
                let page = town.get(ctx, path).await;
                assert_ne!(page.status, StatusCode::OK, "{path} for {:?}", ctx.actor);
                assert!(
                    !page.text.contains("NGUYỄN THỊ AN") && !page.text.contains(AN),
                    "{path}"
                );
            }
        }
        let mine = town.get(&binh, "/my/records").await;
        assert!(mine.text.contains(BINH) && !mine.text.contains(AN));

        // A steward acts by forms.
        let finding_path = at(&format!("findings/{}", finding.id));
        let wrong = town
            .post(&steward, &finding_path, &[("then", "excuse"), ("reason", "")])
            .await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let path = at(&format!("doubts/{doubt}"));
        let correct = [
            ("then", "correct"),
            ("seen", "1"),
            ("field.name", "Nguyễn Thị An"),
            ("answer", "Đã sửa"),
        ];
        assert_eq!(town.post(&binh, &path, &correct).await.status, StatusCode::FORBIDDEN);
        assert_eq!(town.post(&steward, &path, &correct).await.status, StatusCode::SEE_OTHER);
        town.settle().await;
        assert!(town.broken().await.is_empty());
        let told = town.get(&an, "/my/records").await;
        assert!(told.text.contains("Phản ánh có tin mới") && told.text.contains("Đã đính chính"));
        assert_eq!(
            town.post(&an, "/my/records/seen", &[]).await.status,
            StatusCode::SEE_OTHER
        );
        assert!(!town.get(&an, "/my/records").await.text.contains("Phản ánh có tin mới"));
    }
}

#[tokio::test]
async fn programs_report_doubts_and_read_figures() {
    for town in towns().await {
        town.add(member(AN, "Nguyễn Thị An")).await;
        town.settle().await;
        let path = format!("/api/v1/registries/members/records/{AN}/doubts");
        let body = json!({ "field": "name", "wrong": "Sai tên đệm" }).to_string();
        let report = async |ctx: &Ctx, body: &str| {
            town.call(ctx, Method::POST, &path, "application/json", body.to_owned())
                .await
        };
        assert_eq!(report(&town.anonymous(), &body).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            report(&town.person(BINH, "Trần Văn Bình"), &body).await.status,
            StatusCode::NOT_FOUND
        );
        let reader = town.officer("Đọc", "G01", Role::Reader);
        let bad = report(&reader, r#"{ "field": "nowhere", "wrong": "" }"#).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            bad.text.contains("unknown-field") && bad.text.contains("required"),
            "{}",
            bad.text
        );
        let taken = report(&reader, &body).await;
        assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.text);
        assert!(!taken.text.contains("Nguyễn"));
        let state = town.get(&reader, &taken.location).await;
        let state: Value = serde_json::from_str(&state.text).expect("JSON");
        assert_eq!(state["state"], "received");
        assert_eq!(
            town.get(&town.steward(), &taken.location).await.status,
            StatusCode::NOT_FOUND
        );
        let figures = town.get(&town.anonymous(), "/api/v1/publication/registries").await;
        let figures: Value = serde_json::from_str(&figures.text).expect("JSON");
        assert_eq!(figures["registries"][0]["doubts"]["received"], 1);
        let sheet = town.get(&town.anonymous(), "/api/v1/publication/registries.csv").await;
        assert!(
            sheet.text.starts_with('\u{feff}')
                && sheet.text.contains("members,Sổ hội viên,2026-11,Đầy đủ,1,0,1.000000"),
            "{}",
            sheet.text
        );
        for end in ["jsonld", "ttl"] {
            let told = town
                .get(&town.anonymous(), &format!("/api/v1/registries/members/quality.{end}"))
                .await;
            assert!(told.status == StatusCode::OK && told.text.contains("QualityMeasurement"));
        }
    }
}

#[tokio::test]
async fn a_consumer_on_the_exchange_doubts_what_its_service_shows_where_the_service_offers_it() {
    for town in towns().await {
        town.add(member(AN, "Nguyễn Thị An")).await;
        let app = |caller: bool| {
            let router = quality::offered::router(town.quality.clone(), town.clock.clone(), "G01");
            let caller = caller.then(|| Caller {
                client: "VN/GOV/000.00.00.H42/motcua".parse().expect("a system"),
                service: "VN/GOV/000.00.00.G01/dancu/registries".parse().expect("a service"),
                purpose: "dossier.verify".parse().expect("a purpose"),
                request_id: Uuid::nil(),
            });
            match caller {
                Some(caller) => router.layer(Extension(caller)),
                None => router,
            }
        };
        let send = async |app: Router, service: &str, field: &str, key: &str| {
            let body = json!({ "field": field, "wrong": "Sai" }).to_string();
            let request = Request::builder()
                .method(Method::POST)
                .uri(format!("/members/{service}/records/{AN}/doubts"))
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", key)
                .body(Body::from(body))
                .expect("a request");
            app.oneshot(request).await.expect("an answer").status()
        };
        assert_eq!(send(app(false), "doubting", "name", "a").await, StatusCode::NOT_FOUND);
        assert_eq!(
            send(app(true), "verify", "name", "a").await,
            StatusCode::METHOD_NOT_ALLOWED
        );
        assert_eq!(
            send(app(true), "doubting", "commune", "a").await,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(send(app(true), "doubting", "name", "a").await, StatusCode::CREATED);
    }
}
