//! Filing, page by page.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use base::Lang;
use futures::future::join_all;
use procedure::form::Answers;

use super::town::{AGENCY, CODES, HOSTILE, PNG, an, errors, nobody, person, towns};
use crate::{
    model::action::Channel,
    service::{Filed, Filing, Filter, PAGE},
};

#[tokio::test]
async fn each_procedure_is_filed_without_javascript() {
    for town in towns().await {
        for code in CODES {
            let ctx = an();
            let begin = town.page(&nobody(), &format!("/apply/{code}/start")).await;
            assert!(begin.body.contains("Đăng nhập để nộp hồ sơ"));
            let path = town.fill(&ctx, code).await;
            town.page(&ctx, &path).await;
            town.hand_in(&ctx, &path).await;
            let english = person("Nguyễn Thị Ngọc Ánh", Lang::En);
            town.page(&english, &path).await;
            town.page(&english, &format!("{path}/check")).await;
            let dossier = town.file(&ctx, &path).await;
            let first = town.page(&ctx, &dossier).await;
            assert!(
                first.body.contains("Đã nộp hồ sơ") && first.body.contains("Mã tra cứu"),
                "{code}"
            );
            let english = town.page(&english, &dossier).await;
            assert!(english.body.contains("Your dossier is filed"), "{code}");
            let seen = town.seen(&dossier).await;
            assert_eq!(seen.state.agency, AGENCY);
            assert!(first.body.contains(&town.dossiers.tracking_secret(seen.id)), "{code}");
        }
        let mine = town.page(&an(), "/my").await;
        assert_eq!(mine.body.matches("Mới đăng ký").count(), CODES.len());
    }
}

#[tokio::test]
async fn a_second_click_leads_to_the_same_dossier() {
    for town in towns().await {
        let ctx = an();
        let path = town.fill(&ctx, "2.000635").await;
        town.hand_in(&ctx, &path).await;
        let check = town.page(&ctx, &format!("{path}/check")).await;
        let key = check.hidden("idempotency_key");
        assert_eq!(key.len(), 36);
        let fields = [
            ("idempotency_key".to_owned(), key),
            ("declaration".to_owned(), "true".to_owned()),
        ];
        let address = format!("{path}/check");
        let (first, second) = tokio::join!(town.post(&ctx, &address, &fields), town.post(&ctx, &address, &fields));
        let third = town.post(&ctx, &address, &fields).await;
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", errors(&first.body));
        assert_eq!(first.location(), second.location());
        assert_eq!(first.location(), third.location());
        let mine = town
            .dossiers
            .mine(&ctx, &Filter::default(), None, PAGE)
            .await
            .expect("a list");
        assert_eq!(mine.items.len(), 1);
    }
}

#[tokio::test]
async fn those_who_file_at_the_same_time_disturb_nobody() {
    for town in towns().await {
        let ctx = an();
        let path = town.fill(&ctx, "1.004873").await;
        let draft = town.draft(&ctx, &path).await;
        let good = Filing {
            procedure: "1.004873".to_owned(),
            answers: Answers::from_value(draft.draft.answers.into()).expect("answers"),
            papers: Vec::new(),
            applicant: None,
            channel: None,
        };
        let other = Filing {
            channel: Some(Channel::Online),
            ..good.clone()
        };
        town.dossiers.file(&ctx, &good, "request 12").await.expect("filed");
        // Twelve requests, each sent twice, and another that takes the key of the one before.
        let keys: Vec<String> = (0..24).map(|n| format!("request {}", n % 12)).collect();
        let all = join_all(keys.iter().map(|key| town.dossiers.file(&ctx, &good, key)));
        let (all, stranger) = tokio::join!(all, town.dossiers.file(&ctx, &other, "request 12"));
        let all: Vec<Filed> = all.into_iter().map(|filed| filed.expect("filed")).collect();
        assert_eq!(all[..12], all[12..]);
        let codes: BTreeSet<&str> = all.iter().map(|filed| filed.code.as_str()).collect();
        assert_eq!(codes.len(), 12);
        assert_eq!(
            stranger.expect_err("another request").kind(),
            Some(base::Kind::Conflict)
        );
        let mine = town.dossiers.mine(&ctx, &Filter::default(), None, PAGE).await;
        assert_eq!(mine.expect("a list").items.len(), 13);
    }
}

#[tokio::test]
async fn what_is_missing_is_said_at_its_place() {
    for town in towns().await {
        let ctx = an();
        let path = town.post(&ctx, "/apply/1.001193/start", &[]).await.location();
        let view = town.draft(&ctx, &path).await;
        let state = view.journey.pages.iter().find(|s| {
            let page = &view.package.form.pages[s.page];
            s.fields
                .iter()
                .any(|f| f.required && !f.origin.fixed() && page.fields[f.field].when.is_none())
        });
        let state = state.expect("something is asked");
        let form_page = &view.package.form.pages[state.page];
        let asked = state
            .fields
            .iter()
            .find(|f| f.required && !f.origin.fixed())
            .expect("a question");
        let field = &form_page.fields[asked.field];
        let address = format!("{path}/pages/{}", form_page.id);
        let fields = [
            ("_shown".to_owned(), field.id.clone()),
            (field.id.clone(), String::new()),
            ("then".to_owned(), "next".to_owned()),
        ];
        let refused = town.post(&ctx, &address, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.body.contains("mc-error-summary"),
            "the summary leads to the field"
        );
        super::town::keep(&ctx, "refused_questions", &refused.body);
        // The same in the background is no reason to refuse.
        let saved = town.post(&ctx, &format!("{address}/autosave"), &fields).await;
        assert_eq!(saved.status, StatusCode::NO_CONTENT);
        // Filing without the rest is refused with everything at its place, and without the declaration too.
        let check = format!("{path}/check");
        let early = town.page(&ctx, &check).await;
        assert!(early.body.contains("Hồ sơ chưa đủ để nộp") && !early.body.contains("idempotency_key"));
        let fields = [
            ("idempotency_key".to_owned(), "k".to_owned()),
            ("declaration".to_owned(), "true".to_owned()),
        ];
        let refused = town.post(&ctx, &check, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let undeclared = town.post(&ctx, &check, &fields[..1]).await;
        assert_eq!(undeclared.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            town.dossiers
                .mine(&ctx, &Filter::default(), None, PAGE)
                .await
                .expect("a list")
                .items
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_draft_is_its_owners_alone_and_can_be_thrown_away() {
    for town in towns().await {
        let (owner, other) = (an(), person("Lê Văn Khác", Lang::Vi));
        let path = town.post(&owner, "/apply/2.000635/start", &[]).await.location();
        assert_eq!(
            town.post(&owner, "/apply/2.000635/start", &[]).await.location(),
            path,
            "one draft per procedure"
        );
        let again = town.page(&owner, "/apply/2.000635/start").await;
        assert!(again.body.contains("Tiếp tục bản nháp"));
        for tail in ["", "/check", "/discard", "/pages/requester"] {
            assert_eq!(
                town.get(&other, &format!("{path}{tail}")).await.status,
                StatusCode::NOT_FOUND,
                "{tail}"
            );
            let outside = town.get(&nobody(), &format!("{path}{tail}")).await;
            assert_eq!(outside.status, StatusCode::SEE_OTHER);
            assert!(
                outside.location().starts_with("/sign-in?next=/drafts/"),
                "{}",
                outside.location()
            );
        }
        let begin = town.post(&nobody(), "/apply/2.000635/start", &[]).await;
        assert_eq!(begin.location(), "/sign-in?next=/apply/2.000635/start");
        assert_eq!(
            town.get(&owner, "/drafts/not-an-id").await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            town.get(&owner, "/apply/9.999999/start").await.status,
            StatusCode::NOT_FOUND
        );
        town.page(&owner, &format!("{path}/discard")).await;
        assert_eq!(
            town.post(&owner, &format!("{path}/discard"), &[]).await.location(),
            "/my?done=discarded"
        );
        assert_eq!(town.get(&owner, &path).await.status, StatusCode::NOT_FOUND);
        let empty = town.page(&owner, "/my?done=discarded").await;
        assert!(empty.body.contains("Quý vị chưa nộp hồ sơ nào") && empty.body.contains("Đã xóa bản nháp"));
    }
}

#[tokio::test]
async fn a_paper_takes_files_and_says_what_is_wrong_with_others() {
    for town in towns().await {
        let ctx = an();
        let path = town.fill(&ctx, "1.013225").await;
        let view = town.draft(&ctx, &path).await;
        let paper = view
            .papers
            .iter()
            .find(|p| p.required)
            .expect("a building permit needs papers")
            .id
            .clone();
        let address = format!("{path}/papers/{paper}");
        let nothing = town
            .post_files(&ctx, &address, &[("then", "next")], &[("file", "", b"")])
            .await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
        let wrong = town
            .post_files(
                &ctx,
                &address,
                &[("then", "add")],
                &[("file", "<script>alert(1)</script>.pdf", b"MZ is no paper")],
            )
            .await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("Không nhận ra định dạng tệp"));
        super::town::keep(&ctx, "refused_paper", &wrong.body);
        let large = vec![0_u8; 4 << 20];
        let refused = town
            .post_files(&ctx, &address, &[("then", "add")], &[("file", "to.pdf", &large)])
            .await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.body.contains("vượt quá dung lượng"));
        let added = town
            .post_files(&ctx, &address, &[("then", "add")], &[("file", "ảnh 1.png", PNG)])
            .await;
        assert_eq!(added.location(), address);
        let shown = town.page(&ctx, &address).await;
        assert!(shown.body.contains("ảnh 1.png") && shown.body.contains("SHA-256"));
        let action = shown
            .body
            .split("action=\"")
            .find(|s| s.contains("/remove\""))
            .expect("a way to remove it");
        let action = action.split('"').next().expect("an address");
        let other = person("Lê Văn Khác", Lang::Vi);
        town.post(&other, action, &[]).await;
        assert!(
            town.page(&ctx, &address).await.body.contains("ảnh 1.png"),
            "others cannot remove it"
        );
        assert_eq!(town.post(&ctx, action, &[]).await.location(), address);
        assert!(!town.page(&ctx, &address).await.body.contains("ảnh 1.png"));
        assert_eq!(
            town.post(&ctx, action, &[]).await.status,
            StatusCode::SEE_OTHER,
            "twice is once"
        );
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_it_stopped() {
    for town in towns().await {
        let ctx = an();
        let path = town.fill(&ctx, "1.013225").await;
        let view = town.draft(&ctx, &path).await;
        let paper = view.papers.iter().find(|p| p.required).expect("a paper").id.clone();
        let url = format!("{path}/papers/{paper}/uploads");
        let request = |method: Method, uri: &str, headers: &[(&str, String)], body: &[u8]| {
            let mut request = Request::builder().method(method).uri(uri);
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            request.body(Body::from(body.to_vec())).expect("a request")
        };
        let bad = town
            .send(&ctx, request(Method::POST, &url, &[("Upload-Length", "x".into())], b""))
            .await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(bad.body.contains("\"detail\"") && bad.body.contains("\"problems\""));
        let headers = [
            ("Upload-Length", PNG.len().to_string()),
            ("Upload-Name", "%E1%BA%A3nh.png".to_owned()),
        ];
        let begun = town.send(&ctx, request(Method::POST, &url, &headers, b"")).await;
        assert_eq!(begun.status, StatusCode::CREATED);
        assert_eq!(begun.headers["upload-offset"], "0");
        let location = begun.location();
        assert!(location.starts_with(&url), "{location}");
        let piece = |offset: usize, body: &[u8]| {
            request(Method::PATCH, &location, &[("Upload-Offset", offset.to_string())], body)
        };
        assert_eq!(
            town.send(&ctx, piece(0, &PNG[..10])).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(town.send(&ctx, piece(0, &PNG[..10])).await.status, StatusCode::CONFLICT);
        let asked = town.send(&ctx, request(Method::HEAD, &location, &[], b"")).await;
        assert_eq!(asked.headers["upload-offset"], "10");
        let half = town.page(&ctx, &format!("{path}/papers/{paper}")).await;
        assert!(half.body.contains("Tải lên chưa xong"));
        let other = person("Lê Văn Khác", Lang::Vi);
        assert_eq!(
            town.send(&other, piece(10, &PNG[10..])).await.status,
            StatusCode::NOT_FOUND
        );
        let whole = town.send(&ctx, piece(10, &PNG[10..])).await;
        assert_eq!(whole.status, StatusCode::NO_CONTENT);
        assert_eq!(whole.headers["upload-sha256"].len(), 64);
        let view = town.draft(&ctx, &path).await;
        let file = view
            .papers
            .iter()
            .find(|p| p.id == paper)
            .and_then(|p| p.files[0].file.clone())
            .expect("whole");
        assert_eq!(file.name, "ảnh.png");
    }
}

#[tokio::test]
async fn hostile_answers_are_text() {
    for town in towns().await {
        let ctx = person(HOSTILE, Lang::Vi);
        let path = town.post(&ctx, "/apply/1.001193/start", &[]).await.location();
        let view = town.draft(&ctx, &path).await;
        for state in &view.journey.pages {
            let form_page = &view.package.form.pages[state.page];
            let mut fields = vec![
                ("then".to_owned(), "next".to_owned()),
                ("from".to_owned(), HOSTILE.to_owned()),
            ];
            for field in &form_page.fields {
                fields.push(("_shown".to_owned(), field.id.clone()));
                fields.push((field.id.clone(), HOSTILE.to_owned()));
                fields.push((format!("{}.commune", field.id), HOSTILE.to_owned()));
                fields.push((format!("{}.day", field.id), HOSTILE.to_owned()));
            }
            let answer = town
                .post(&ctx, &format!("{path}/pages/{}", form_page.id), &fields)
                .await;
            assert!(answer.status.as_u16() < 500);
        }
        town.page(&ctx, &format!("{path}/check")).await;
        town.page(&ctx, &path).await;
    }
}

#[tokio::test]
async fn an_old_address_of_a_draft_leads_to_its_dossier() {
    for town in towns().await {
        let ctx = an();
        let path = town.fill(&ctx, "2.000635").await;
        town.hand_in(&ctx, &path).await;
        let page = town.draft(&ctx, &path).await.package.form.pages[0].id.clone();
        let dossier = town.file(&ctx, &path).await;
        let dossier = dossier.split('?').next().unwrap_or_default();
        for tail in [
            String::new(),
            "/check".into(),
            "/discard".into(),
            format!("/pages/{page}"),
            "/papers/x".into(),
        ] {
            let led = town.get(&ctx, &format!("{path}{tail}")).await;
            assert_eq!(
                (led.status, led.location().as_str()),
                (StatusCode::SEE_OTHER, dossier),
                "{tail}"
            );
        }
        let saved = town.post(&ctx, &format!("{path}/pages/{page}"), &[]).await;
        assert_eq!(saved.location(), dossier);
        let other = person("Lê Văn Khác", Lang::Vi);
        assert_eq!(town.get(&other, &path).await.status, StatusCode::NOT_FOUND);
    }
}
