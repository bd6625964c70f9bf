//! The pages: in both languages, for whom they are, and a question asked by hand.

use axum::{
    Extension,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base::Lang;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::{
    Actor, Arc, Clock as _, Ctx, DOSSIER, FIRM, Node, OfficerActor, OfficerId, Role, Roles, Uuid, clock, declaration,
    json, nodes, question, taxpayer,
};

const PAGE: &str = "/registries/questions/importer-owes-tax";

fn nobody(lang: Lang) -> Ctx {
    Ctx {
        actor: Actor::Anonymous,
        now: clock().now(),
        request_id: Uuid::nil(),
        lang,
    }
}

fn officer(agency: &str, role: Role, lang: Lang) -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(7)),
            name: "Lê Minh".to_owned(),
            title: String::new(),
            agency: agency.to_owned(),
            roles: Roles::of(&[role]),
        }),
        ..nobody(lang)
    }
}

impl Node {
    async fn page(&self, ctx: &Ctx, path: &str, form: Option<&[(&str, &str)]>) -> (StatusCode, String) {
        let app = question::pages::router(self.questions.clone())
            .layer(Extension(ctx.clone()))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let (method, body) = match form {
            None => (Method::GET, String::new()),
            Some(form) => {
                let typed = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(form)
                    .finish();
                (Method::POST, typed)
            }
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .expect("a request");
        let answer = app.oneshot(request).await.expect("an answer");
        let status = answer.status();
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }
}

#[tokio::test]
async fn questions_are_public_and_asked_by_those_who_may() {
    for node in nodes().await {
        node.add("customs", declaration()).await;
        node.add("tax", taxpayer(5_000_000)).await;
        for (lang, heading, never) in [
            (Lang::Vi, "Câu hỏi liên cơ quan", "chưa được hỏi lần nào"),
            (Lang::En, "Questions over several agencies", "not asked yet"),
        ] {
            let (status, page) = node.page(&nobody(lang), "/registries/questions", None).await;
            assert_eq!(status, StatusCode::OK);
            for text in [heading, never, PAGE, "customs.compliance"] {
                assert!(page.contains(text), "{text}");
            }
            let (status, page) = node.page(&nobody(lang), PAGE, None).await;
            assert_eq!(status, StatusCode::OK);
            assert!(
                page.contains("tax.owes") && !page.contains("<form class=\"mc-form\""),
                "nobody asks"
            );
        }
        let asked = [
            ("tax_code", FIRM),
            ("dossier", DOSSIER),
            ("purpose", "customs.compliance"),
        ];
        let reader = officer("G12", Role::Reader, Lang::Vi);
        let (status, page) = node.page(&reader, PAGE, Some(&asked)).await;
        assert_eq!(status, StatusCode::OK);
        for text in ["Có", "Mã câu trả lời", "/api/v1/answers/", "Kết luận theo dữ liệu"] {
            assert!(page.contains(text), "{text}");
        }
        assert!(
            !page.contains("5000000") && !page.contains("Bí Mật"),
            "the answer and nothing else"
        );
        let (_, page) = node
            .page(&officer("G12", Role::Steward, Lang::En), PAGE, Some(&asked))
            .await;
        assert!(page.contains("Concluded from what the registries said"));

        // Others do not ask, not even by the address of the form.
        for ctx in [
            nobody(Lang::Vi),
            officer("G01", Role::Reader, Lang::Vi),
            officer("G12", Role::Leader, Lang::Vi),
        ] {
            let (status, page) = node.page(&ctx, PAGE, Some(&asked)).await;
            assert!(
                // Who is not signed in is asked to.
                matches!(status, StatusCode::FORBIDDEN | StatusCode::SEE_OTHER),
                "{status}"
            );
            assert!(!page.contains("/api/v1/answers/"));
        }

        let (status, page) = node.page(&reader, PAGE, Some(&[("tax_code", "0100109107")])).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("Nhập mã hồ sơ") && page.contains("Đánh dấu mục đích"));
        let other = [asked[0], asked[1], ("purpose", "dossier.verify")];
        let (status, page) = node.page(&reader, PAGE, Some(&other)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(page.contains("chỉ được trả lời cho mục đích customs.compliance"));
        let wrong = [("tax_code", "0100109107"), asked[1], asked[2]];
        let (status, page) = node.page(&reader, PAGE, Some(&wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("id=\"tax_code-error\""), "beside its field");

        let when = [
            asked[0],
            asked[1],
            asked[2],
            ("as_of", "2025-12-31"),
            ("known_at", "2026-11-25"),
        ];
        let (status, page) = node.page(&reader, PAGE, Some(&when)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("id=\"known_at-error\"") && !page.contains("id=\"as_of-error\""));
        let when = [asked[0], asked[1], asked[2], ("as_of", "2025-12-31")];
        let (_, page) = node.page(&reader, PAGE, Some(&when)).await;
        let answers = page.matches("/api/v1/answers/").count();
        assert!(
            answers > 0 && page.contains("<dt>Vào ngày</dt>"),
            "of when the answer is"
        );

        let figures = node.questions.figures(clock().now()).await.expect("figures");
        let figures = figures["importer-owes-tax"];
        assert_eq!((figures.answered, figures.refused, figures.silent), (3, 2, 0));
        let (_, page) = node.page(&nobody(Lang::Vi), "/registries/questions", None).await;
        assert!(page.contains("5 lần hỏi: 3 lần có câu trả lời"));
        // A year later none of it is of the last twelve months.
        let later = node.questions.figures(clock().now().plus_seconds(400 * 86_400)).await;
        assert!(later.expect("figures").is_empty());
        let missing = node.page(&reader, "/registries/questions/who-is-rich", None).await;
        assert_eq!(missing.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn what_is_not_decided_is_said_to_be_so() {
    for node in nodes().await {
        node.add("customs", declaration()).await;
        let asked = [
            ("tax_code", FIRM),
            ("dossier", DOSSIER),
            ("purpose", "customs.compliance"),
        ];
        let (_, page) = node
            .page(&officer("G12", Role::Reader, Lang::Vi), PAGE, Some(&asked))
            .await;
        assert!(page.contains("Chưa kết luận được") && page.contains("Không suy đoán"));
        let answer = page
            .split("/api/v1/answers/")
            .nth(1)
            .and_then(|rest| rest.get(..36))
            .expect("an id");
        let auditor = officer("G12", Role::Auditor, Lang::Vi);
        let evidence = node
            .questions
            .evidence(&auditor, answer.parse().expect("an id"))
            .await
            .expect("evidence");
        assert_eq!(
            (evidence.asked_by.as_str(), evidence.dossier.as_deref()),
            ("Lê Minh (G12)", Some(DOSSIER))
        );
        assert_eq!(evidence.answer, None);
        assert!(
            evidence.rests_on.iter().any(|entry| entry.starts_with("customs/")),
            "{evidence:?}"
        );
        assert_eq!(json!(evidence.outcome), "undecided");
    }
}
