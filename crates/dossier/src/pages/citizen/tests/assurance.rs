//! Two levels of the e-ID: a package may ask for the higher one of whoever files online.

use axum::http::StatusCode;
use base::Lang;
use identity::{Actor, Assurance, Ctx, Role};
use procedure::form::{Answers, Applicant};

use super::town::{an, errors, nobody, officer, person, towns};
use crate::service::{Dossiers, Filing, Filter, PAGE};

/// The same person, signed in at level 1.
fn at_level_1(mut ctx: Ctx) -> Ctx {
    if let Actor::Person(person) = &mut ctx.actor {
        person.assurance = Assurance::Level1;
    }
    ctx
}

const PERMIT: &str = "/apply/1.013225/start";

#[tokio::test]
async fn level_1_is_shown_the_way_to_level_2_or_the_counter() {
    for town in towns().await {
        let either = town.page(&nobody(), "/apply/2.000635/start").await;
        assert!(either.body.contains("mức độ 1 hoặc mức độ 2"));
        let second = town.page(&nobody(), PERMIT).await;
        assert!(second.body.contains("(VNeID) mức độ 2") && !second.body.contains("mức độ 1 hoặc"));

        let ctx = at_level_1(an());
        for (ctx, what) in [
            (ctx.clone(), "nộp hồ sơ trực tiếp tại bộ phận một cửa"),
            (
                at_level_1(person("Nguyễn Thị Ngọc Ánh", Lang::En)),
                "file at the counter of the one-stop shop",
            ),
        ] {
            let shown = town.page(&ctx, PERMIT).await;
            let refused = town.post(&ctx, PERMIT, &[]).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            for body in [shown.body, refused.body] {
                assert!(body.contains(what));
                assert!(body.contains("href=\"/sign-in/level-2?next=/apply/1.013225/start\""));
                assert!(body.contains("href=\"/services/1.013225\""));
                assert!(
                    !body.contains(&format!("action=\"{PERMIT}\"")),
                    "nothing to press in vain"
                );
            }
        }
        assert!(town.dossiers.drafts(&ctx).await.expect("a list").is_empty());
        let free = town.post(&ctx, "/apply/2.000635/start", &[]).await.location();
        assert!(free.starts_with("/drafts/"), "{free}");
        let raised = town.post(&an(), PERMIT, &[]).await.location();
        assert!(raised.starts_with("/drafts/"), "{raised}");
    }
}

#[tokio::test]
async fn a_draft_that_was_begun_at_level_2_is_filed_at_level_2() {
    for town in towns().await {
        let (raised, low) = (an(), at_level_1(an()));
        let path = town.fill(&raised, "1.013225").await;
        town.hand_in(&raised, &path).await;
        let key = town
            .page(&raised, &format!("{path}/check"))
            .await
            .hidden("idempotency_key");
        let check = town.page(&low, &format!("{path}/check")).await;
        assert!(check.body.contains("đăng nhập lại bằng mức độ 2") && !check.body.contains("idempotency_key"));
        let fields = [
            ("idempotency_key".to_owned(), key),
            ("declaration".to_owned(), "true".to_owned()),
        ];
        let refused = town.post(&low, &format!("{path}/check"), &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(
            refused.body.matches("đăng nhập lại bằng mức độ 2").count(),
            1,
            "said once"
        );
        let mine = town.dossiers.mine(&low, &Filter::default(), None, PAGE).await;
        assert!(mine.expect("a list").items.is_empty());
        let filed = town.post(&raised, &format!("{path}/check"), &fields).await;
        assert_eq!(filed.status, StatusCode::SEE_OTHER, "{}", errors(&filed.body));
    }
}

#[tokio::test]
async fn whoever_files_without_the_pages_is_asked_the_same_and_the_counter_is_not() {
    for town in towns().await {
        let filing = Filing {
            procedure: "1.013225".to_owned(),
            answers: Answers::new(),
            papers: Vec::new(),
            applicant: None,
            channel: None,
        };
        let counter = Filing {
            applicant: Some(Applicant {
                name: Some("Nguyễn Thị Ngọc Ánh".to_owned()),
                ..Applicant::default()
            }),
            ..filing.clone()
        };
        for (ctx, filing, low) in [
            (at_level_1(an()), &filing, true),
            (an(), &filing, false),
            (officer(&[Role::Receptionist]), &counter, false),
        ] {
            let refused = town.dossiers.file(&ctx, filing, "key").await.expect_err("no answers");
            let mut codes = refused.problems().into_iter().flatten().map(|p| p.code.as_str());
            assert_eq!(codes.any(|code| code == Dossiers::ASSURANCE_TOO_LOW), low, "{refused}");
        }
    }
}
