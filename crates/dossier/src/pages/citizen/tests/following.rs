//! A dossier of one's own, answering a request, and following by code and secret.

use axum::http::{StatusCode, header};
use base::Lang;
use identity::Role;
use serde_json::Map;

use super::town::{PNG, Town, an, at, errors, nobody, officer, person, towns};
use crate::model::{
    action::{Detail, Ground, MissingItem, PaymentMethod},
    command::{Command, Completion},
    status::{Decision, NationalStatus},
};

/// A dossier at its first step: its address.
pub async fn filed(town: &Town, code: &str) -> String {
    let path = town.fill(&an(), code).await;
    town.hand_in(&an(), &path).await;
    let dossier = town.file(&an(), &path).await;
    dossier.split('?').next().unwrap_or_default().to_owned()
}

pub async fn token(town: &Town, path: &str) -> u32 {
    town.seen(path).await.state.tasks[0].token
}

pub fn completion(token: u32, outcome: &str, detail: Detail) -> Completion {
    Completion {
        token,
        outcome: outcome.to_owned(),
        fields: Map::new(),
        note: String::new(),
        detail,
    }
}

pub fn item(at: &str) -> MissingItem {
    MissingItem {
        at: at.to_owned(),
        reason: "birth-proof-missing".to_owned(),
        text: "Ghi lại cho đúng với Giấy chứng sinh.".to_owned(),
        basis: "Luật Hộ tịch 2014, Điều 16".to_owned(),
    }
}

#[tokio::test]
async fn a_request_is_answered_with_what_it_asks_and_nothing_else() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let view = town.seen(&path).await;
        let paper = "birth-notification".to_owned();
        let detail = Detail::Supplement {
            items: vec![item("child.name"), item(&paper)],
            second_ground: String::new(),
        };
        let token = token(&town, &path).await;
        town.step(view.id, completion(token, "supplement", detail)).await;

        let waiting = town.page(&an(), "/my").await;
        assert!(waiting.body.contains("Việc đang chờ quý vị"));
        let shown = town.page(&an(), &path).await;
        assert!(shown.body.contains("Nội dung cần bổ sung") && shown.body.contains("Luật Hộ tịch 2014"));
        let address = format!("{path}/supplement");
        let form = town.page(&an(), &address).await;
        let english = town.page(&person("Nguyễn Thị Ngọc Ánh", Lang::En), &address).await;
        assert!(english.body.contains("Send what is asked for"));
        assert!(
            form.body.contains("name=\"child.name\"") && !form.body.contains("name=\"child.sex\""),
            "only what is asked"
        );
        let version = form.hidden("version");

        // One of two is not enough; what was uploaded stays.
        let half = [
            ("version", version.as_str()),
            ("then", "send"),
            ("_shown", "child.name"),
            ("child.name", ""),
        ];
        let refused = town
            .post_files(&an(), &address, &half, &[(paper.as_str(), "giấy chứng sinh.png", PNG)])
            .await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            refused.location()
        );
        let upload = refused.hidden(&format!("{paper}.upload"));
        assert!(!upload.is_empty(), "the file is kept with the form");

        let other = person("Lê Văn Khác", Lang::Vi);
        assert_eq!(town.get(&other, &address).await.status, StatusCode::NOT_FOUND);
        let named = format!("{paper}.upload");
        let whole = [
            ("version", version.as_str()),
            ("then", "send"),
            ("_shown", "child.name"),
            ("child.name", "Trần Bảo An"),
            (named.as_str(), upload.as_str()),
        ];
        let sent = town.post_files(&an(), &address, &whole, &[]).await;
        assert_eq!(
            sent.location(),
            format!("{path}?done=supplemented"),
            "{}",
            errors(&sent.body)
        );
        let twice = town.post_files(&an(), &address, &whole, &[]).await;
        assert_eq!(twice.location(), path, "the first one counts");
        let view = town.seen(&path).await;
        assert_eq!(view.state.decision, Decision::Submitted);
        assert_eq!(at(&view.state.answers.to_value(), "child.name"), "Trần Bảo An");
        let files: Vec<_> = view
            .state
            .papers
            .iter()
            .filter(|p| p.paper == paper)
            .flat_map(|p| &p.files)
            .collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].name, "giấy chứng sinh.png");

        let download = town.get(&an(), &format!("{path}/files/{}", files[0].sha256)).await;
        assert_eq!(download.status, StatusCode::OK);
        assert!(
            download.headers[header::CONTENT_DISPOSITION]
                .to_str()
                .is_ok_and(|v| v.starts_with("attachment"))
        );
        assert_eq!(
            town.get(&other, &format!("{path}/files/{}", files[0].sha256))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            town.get(&an(), &format!("{path}/documents/{}", files[0].sha256))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn the_holder_of_both_codes_sees_no_personal_data() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let view = town.seen(&path).await;
        let secret = town.dossiers.tracking_secret(view.id);
        let code = view.state.code.clone();
        let to = town
            .get(&nobody(), &format!("/track?code=%20{code}&k={}", secret.to_lowercase()))
            .await;
        assert_eq!(to.status, StatusCode::SEE_OTHER);
        for lang in [Lang::Vi, Lang::En] {
            let reader = base_ctx(lang);
            let tracked = town.page(&reader, &to.location()).await;
            assert!(tracked.body.contains(&code) && tracked.body.contains("noindex"));
            assert_eq!(tracked.headers["x-robots-tag"], "noindex, nofollow");
            assert_eq!(tracked.headers[header::CACHE_CONTROL], "private, no-store");
            for personal in ["Ngọc Ánh", "046190001234", "0905123456", "an@example.vn", "Bình An"] {
                assert!(!tracked.body.contains(personal), "{personal} is shown");
            }
        }
        let token = token(&town, &path).await;
        town.step(view.id, completion(token, "accept", Detail::None)).await;
        let tracked = town.page(&nobody(), &to.location()).await;
        assert!(tracked.body.contains("Vì sao là ngày này") && tracked.body.contains("Hẹn trả kết quả"));

        let wrong = town
            .get(&nobody(), &format!("/track/{code}?k=0000-0000-0000-0000"))
            .await;
        let unknown = town
            .get(&nobody(), "/track/000.00.00.X00-000000-0000?k=0000-0000-0000-0000")
            .await;
        assert_eq!(
            (wrong.status, unknown.status),
            (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
        );
        assert_eq!(errors(&wrong.body), errors(&unknown.body), "the same answer to both");
        super::town::keep(&nobody(), "wrong_secret", &wrong.body);
        for _ in 0..30 {
            town.get(&nobody(), &format!("/track/{code}?k=0000-0000-0000-0001"))
                .await;
        }
        let stopped = town
            .get(&nobody(), &format!("/track/{code}?k=0000-0000-0000-0001"))
            .await;
        assert_eq!(stopped.status, StatusCode::TOO_MANY_REQUESTS);
        town.page(&nobody(), "/track").await;
        assert_eq!(
            town.get(&nobody(), "/track?code=x").await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }
}

fn base_ctx(lang: Lang) -> identity::Ctx {
    identity::Ctx { lang, ..nobody() }
}

#[tokio::test]
async fn a_fee_is_asked_for_and_its_reason_given() {
    for town in towns().await {
        let path = filed(&town, "2.000635").await;
        let view = town.seen(&path).await;
        assert!(view.state.owed() > 0, "a copy costs something");
        let shown = town.page(&an(), &path).await;
        assert!(shown.body.contains("Phí, lệ phí phải nộp"));
        let token = token(&town, &path).await;
        town.step(view.id, completion(token, "accept", Detail::None)).await;
        let clerk = officer(&[Role::Receptionist]);
        let pay = Command::RecordPayment {
            amount: view.state.owed(),
            method: PaymentMethod::Cash,
            reference: "BL 0012".to_owned(),
        };
        town.dossiers.command(&clerk, view.id, &pay, None).await.expect("paid");
        let shown = town.page(&an(), &path).await;
        assert!(!shown.body.contains("Phí, lệ phí phải nộp") && shown.body.contains("BL 0012"));
        assert!(shown.body.contains("Vì sao là ngày này"));
    }
}

#[tokio::test]
async fn a_dossier_is_withdrawn_once_and_a_refusal_gives_its_grounds() {
    for town in towns().await {
        let path = filed(&town, "1.004873").await;
        let ask = town.page(&an(), &format!("{path}/withdraw")).await;
        let fields = |version: String| {
            vec![
                ("version".to_owned(), version),
                ("reason".to_owned(), "Nộp nhầm thủ tục".to_owned()),
            ]
        };
        let stale = town
            .post(&an(), &format!("{path}/withdraw"), &fields("99".to_owned()))
            .await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        assert!(stale.body.contains("Nộp nhầm thủ tục"), "what was typed is kept");
        let other = person("Lê Văn Khác", Lang::Vi);
        let refused = town
            .post(&other, &format!("{path}/withdraw"), &fields(ask.hidden("version")))
            .await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        for _ in 0..2 {
            let done = town
                .post(&an(), &format!("{path}/withdraw"), &fields(ask.hidden("version")))
                .await;
            assert_eq!(done.location(), path);
        }
        let shown = town.page(&an(), &path).await;
        assert!(shown.body.contains("Quý vị đã rút hồ sơ này") && !shown.body.contains("/withdraw\""));

        let path = filed(&town, "1.001193").await;
        let view = town.seen(&path).await;
        let grounds = Detail::Grounds {
            grounds: vec![Ground {
                reason: "not-competent".to_owned(),
                text: "Không thuộc thẩm quyền của phường.".to_owned(),
                basis: "Luật Hộ tịch 2014, Điều 13".to_owned(),
            }],
        };
        let token = token(&town, &path).await;
        town.step(view.id, completion(token, "refuse", grounds)).await;
        let shown = town.page(&an(), &path).await;
        assert!(
            shown
                .body
                .contains("Không thuộc thẩm quyền của phường. (Luật Hộ tịch 2014, Điều 13)")
        );
        assert_eq!(town.seen(&path).await.state.national(), NationalStatus::NotReceived);
    }
}

#[tokio::test]
async fn officers_are_led_to_their_desk_and_strangers_to_the_door() {
    for town in towns().await {
        let path = filed(&town, "2.000635").await;
        let code = path.trim_start_matches("/dossiers/");
        let led = town.get(&officer(&[Role::Receptionist]), &path).await;
        assert_eq!(led.location(), format!("/desk/dossiers/{code}"));
        assert_eq!(
            town.get(&nobody(), &path).await.location(),
            format!("/sign-in?next=/dossiers/{code}")
        );
        assert_eq!(
            town.get(&person("Lê Văn Khác", Lang::Vi), &path).await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(town.get(&an(), "/dossiers/none").await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            town.get(&an(), "/my?cursor=nonsense").await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }
}
