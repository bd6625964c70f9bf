//! Acting on what one saw, while others and the platform act too.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base::{Error, Kind};
use identity::Role;
use serde_json::{Value, json};

use super::{
    following::{completion, filed, token},
    town::{AGENCY, Answer, Town, an, colleague, nobody, officer, officer_of, start, towns},
};
use crate::model::{
    action::Detail,
    command::{Command, Completion},
    state::Answer as Answered,
};

fn remark(text: &str) -> Command {
    Command::Note { text: text.to_owned() }
}

fn review(token: u32) -> Command {
    Command::Complete(completion(token, "ok", Detail::None))
}

#[tokio::test]
async fn a_document_that_was_made_meanwhile_spoils_nobodys_form() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let id = town.seen(&path).await.id;
        let first = token(&town, &path).await;
        town.step(id, completion(first, "accept", Detail::None)).await;
        let seen = town.seen(&path).await.state.version;
        town.work().await;
        let view = town.seen(&path).await;
        assert_eq!(view.state.documents.len(), 1, "the receipt was made");
        assert!(view.state.version > seen);

        let clerk = officer(&[Role::Specialist]);
        let step = view.state.tasks[0].token;
        let done = town.dossiers.command(&clerk, id, &review(step), Some(seen)).await;
        assert!(done.is_ok(), "{done:?}");
        // The same click again comes too late for good: the step is done.
        let twice = town.dossiers.command(&clerk, id, &review(step), Some(seen)).await;
        let twice = twice.expect_err("the step is done");
        assert_eq!(twice.kind(), Some(Kind::Stale));
        let told = format!("{:?}", twice.problems());
        assert!(told.contains("Hoàn thành một bước xử lý"), "{told}");
    }
}

#[tokio::test]
async fn a_remark_stops_other_officers_and_nobody_else() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let id = town.seen(&path).await.id;
        let (clerk, other) = (officer(&[Role::Receptionist]), colleague(&[Role::Receptionist]));
        let seen = town.seen(&path).await.state.version;
        town.dossiers
            .command(&clerk, id, &remark("Đã gọi điện cho người nộp."), None)
            .await
            .expect("noted");
        let step = token(&town, &path).await;
        let accept = Command::Complete(completion(step, "accept", Detail::None));
        let late = town.dossiers.command(&other, id, &accept, Some(seen)).await;
        assert_eq!(late.expect_err("a remark to read").kind(), Some(Kind::Stale));

        // The applicant sees no remarks: theirs is no reason to send them back.
        let withdraw = town.page(&an(), &format!("{path}/withdraw")).await.hidden("version");
        town.dossiers
            .command(&clerk, id, &remark("Chờ người nộp."), None)
            .await
            .expect("noted");
        let fields = [("version".to_owned(), withdraw), ("reason".to_owned(), String::new())];
        let done = town.post(&an(), &format!("{path}/withdraw"), &fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);

        let path = filed(&town, "2.000635").await;
        let id = town.seen(&path).await.id;
        let seen = town.seen(&path).await.state.version;
        town.dossiers
            .command(&clerk, id, &remark("Của tôi."), None)
            .await
            .expect("noted");
        let step = token(&town, &path).await;
        let accept = Command::Complete(completion(step, "accept", Detail::None));
        let own = town.dossiers.command(&clerk, id, &accept, Some(seen)).await;
        assert!(own.is_ok(), "their own remark is no news to them: {own:?}");
    }
}

#[tokio::test]
async fn the_applicant_is_not_told_what_officers_write_among_themselves() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let id = town.seen(&path).await.id;
        let seen = town.seen(&path).await.state.version;
        let clerk = officer(&[Role::Receptionist]);
        town.dossiers
            .command(&clerk, id, &remark("Nghi vấn."), None)
            .await
            .expect("noted");
        let first = token(&town, &path).await;
        town.step(id, completion(first, "accept", Detail::None)).await;
        let withdraw = Command::Withdraw { reason: String::new() };
        let late = town.dossiers.command(&an(), id, &withdraw, Some(seen)).await;
        let Err(Error::Refused(Kind::Stale, problems)) = late else {
            panic!("it was received meanwhile: {late:?}");
        };
        let told = format!("{problems:?}");
        assert!(
            told.contains("Hoàn thành một bước") && !told.contains("Ghi chú nội bộ"),
            "{told}"
        );
    }
}

/// A request of a program.
pub async fn call(town: &Town, ctx: &identity::Ctx, path: &str, seen: Option<i64>, body: &Value) -> Answer {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(seen) = seen {
        request = request.header(header::IF_MATCH, format!("\"{seen}\""));
    }
    let request = request.body(Body::from(body.to_string())).expect("a request");
    town.send(ctx, request).await
}

#[tokio::test]
async fn if_match_means_what_the_caller_judged() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let id = town.seen(&path).await.id;
        let first = token(&town, &path).await;
        town.step(id, completion(first, "accept", Detail::None)).await;
        let seen = town.seen(&path).await.state.version;
        town.work().await;
        let step = token(&town, &path).await;
        let clerk = officer(&[Role::Specialist]);
        let address = format!("/api/v1/dossiers/{id}/tasks/{step}");
        let early = call(&town, &clerk, &address, Some(seen - 1), &json!({ "outcome": "ok" })).await;
        assert_eq!(early.status, StatusCode::PRECONDITION_FAILED, "{}", early.body);
        let done = call(&town, &clerk, &address, Some(seen), &json!({ "outcome": "ok" })).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    }
}

/// An answer to a step with officer's fields.
pub fn with_fields(token: u32, outcome: &str, fields: Value) -> Completion {
    Completion {
        fields: fields.as_object().cloned().unwrap_or_default(),
        ..completion(token, outcome, Detail::None)
    }
}

/// Where the law says that silence is agreement the history says so; elsewhere silence is no answer.
#[tokio::test]
async fn silence_means_what_the_law_of_the_procedure_says() {
    for town in towns().await {
        for (code, outcome, fields, sent_by, agrees) in [
            ("1.013225", "ok", json!({ "ask_fire": true }), "ask_fire", true),
            ("1.001193", "verify", json!({}), "ask", false),
        ] {
            let path = filed(&town, code).await;
            let dossier = path.trim_start_matches("/dossiers/").to_owned();
            let id = town.seen(&path).await.id;
            let first = token(&town, &path).await;
            town.step(id, completion(first, "accept", Detail::None)).await;
            let review = token(&town, &path).await;
            town.step(id, with_fields(review, outcome, fields)).await;
            let asked = town.seen(&path).await.state.consultations[0].clone();
            assert_eq!(asked.sent_by, sent_by, "{code}");
            let consulted = officer_of(&asked.agency, 90, "Lê Văn Hùng", &[Role::Consulted]);
            let opinion = town
                .page(&consulted, &format!("/desk/dossiers/{dossier}/consultations/{sent_by}"))
                .await;
            assert_eq!(opinion.body.contains("được coi là đã đồng ý"), agrees, "{code}");
            assert_eq!(opinion.body.contains("không được coi là đồng ý"), !agrees, "{code}");

            town.work_until(start().plus_seconds(30 * 86_400)).await;
            let view = town.seen(&path).await;
            match &view.state.consultations[0].answer {
                Some(Answered::Deemed { .. }) => assert!(agrees, "{code}"),
                Some(Answered::Unanswered { .. }) => assert!(!agrees, "{code}"),
                other => panic!("{code}: {other:?}"),
            }
            let history = if agrees {
                "Cơ quan phối hợp không trả lời trong thời hạn: được coi là đã đồng ý"
            } else {
                "Hết thời hạn, cơ quan phối hợp chưa trả lời"
            };
            let secret = town.dossiers.tracking_secret(id);
            for (ctx, address) in [
                (an(), path.clone()),
                (nobody(), format!("/track/{dossier}?k={secret}")),
                (officer(&[Role::Specialist]), format!("/desk/dossiers/{dossier}")),
            ] {
                let page = town.page(&ctx, &address).await;
                assert!(page.body.contains(history), "{address}");
            }
        }
    }
}

#[tokio::test]
async fn a_download_is_recorded_once() {
    for town in towns().await {
        let path = filed(&town, "1.013225").await;
        let view = town.seen(&path).await;
        let code = view.state.code.clone();
        let file = view.state.papers.iter().flat_map(|p| &p.files).next().expect("a file");
        let (auditor, clerk) = (officer(&[Role::Auditor]), officer(&[Role::Receptionist]));
        let reads = async || {
            let reads = town.identity.agency_reads(&auditor, AGENCY, Some(&code), None).await;
            reads.expect("the log of reads").0.len()
        };
        let before = reads().await;
        let got = town
            .get(&clerk, &format!("/desk/dossiers/{code}/files/{}", file.sha256))
            .await;
        assert_eq!(got.status, StatusCode::OK);
        assert_eq!(reads().await, before + 1);
        let none = town.get(&clerk, &format!("/desk/dossiers/{code}/files/0000")).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
        assert_eq!(reads().await, before + 1, "what is not shown was not read");
    }
}

#[tokio::test]
async fn what_waits_for_a_person_is_found_however_old_it_is() {
    for town in towns().await {
        let old = filed(&town, "1.001193").await;
        let id = town.seen(&old).await.id;
        let detail = Detail::Supplement {
            items: vec![super::following::item("child.name")],
            second_ground: String::new(),
        };
        let first = token(&town, &old).await;
        town.step(id, completion(first, "supplement", detail)).await;
        let new = filed(&town, "2.000635").await;
        let codes = async |ctx: &identity::Ctx, query: &str| -> Vec<String> {
            let listed = town.get(ctx, &format!("/api/v1/dossiers?{query}")).await;
            assert_eq!(listed.status, StatusCode::OK, "{}", listed.body);
            let listed: Value = serde_json::from_str(&listed.body).expect("JSON");
            let items = listed["items"].as_array().cloned().unwrap_or_default();
            items
                .iter()
                .map(|i| format!("/dossiers/{}", i["code"].as_str().unwrap_or_default()))
                .collect()
        };
        let clerk = officer(&[Role::Receptionist]);
        for ctx in [an(), clerk] {
            // Both are of the same instant; which of them is the newer is chance.
            let mut all = codes(&ctx, "").await;
            all.sort();
            assert_eq!(all, [old.clone(), new.clone()]);
            assert_eq!(codes(&ctx, "limit=1").await.len(), 1);
            assert_eq!(codes(&ctx, "limit=1&waiting=true").await, std::slice::from_ref(&old));
        }
        assert!(
            codes(&super::town::person("Lê Văn Khác", base::Lang::Vi), "")
                .await
                .is_empty()
        );
        let bad = town.get(&an(), "/api/v1/dossiers?waiting=perhaps").await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        let mine = town.page(&an(), "/my").await.body;
        let (waiting, all) = (mine.find("Việc đang chờ quý vị"), mine.find("Hồ sơ đã nộp"));
        assert!(waiting.is_some() && waiting < all);
    }
}
