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
    town::{Answer, Town, an, colleague, officer, towns},
};
use crate::model::{action::Detail, command::Command};

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
