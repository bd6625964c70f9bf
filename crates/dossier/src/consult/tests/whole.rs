//! The consultation of a building permit from filing to the next step.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use base::Lang;

use super::*;
use crate::{
    consult::Delivery,
    model::state::Answer,
    pages::citizen::tests::town::{AGENCY, PNG, an},
};

#[tokio::test]
async fn a_building_permit_is_asked_about_and_goes_on() {
    for pair in pairs().await {
        let path = pair.asked().await;
        let code = path.trim_start_matches("/dossiers/").to_owned();
        assert_eq!(way(&pair, &path).await.delivery, Delivery::Waiting);
        pair.run().await;
        assert_eq!(way(&pair, &path).await.delivery, Delivery::Taken);
        let asked = pair.consultation(&path).await;

        // It is on the desk of the fire police, with what the process foresees and nothing else.
        let hung = pair.hung();
        let item = pair.waiting().await;
        assert_eq!(
            (item.question.dossier.as_str(), item.asker.to_string()),
            (code.as_str(), ASKS.to_owned())
        );
        assert_eq!(
            item.question.due.map(Timestamp::rfc3339),
            asked.due_at.map(Timestamp::rfc3339)
        );
        let desk = pair.answers.page(&hung, "/desk").await;
        assert!(desk.body.contains("Lấy ý kiến từ cơ quan khác") && desk.body.contains(&code));
        let address = format!("/desk/consultations/{}", item.id);
        let listed = pair.answers.page(&hung, "/desk/consultations").await;
        assert!(listed.body.contains(&address) && listed.body.contains("phường Thuận Hóa"));
        let page = pair.answers.page(&hung, &address).await;
        for shown in [
            "thẩm duyệt về phòng cháy",
            "Bản vẽ thiết kế",
            "Địa điểm",
            "được coi là đã đồng ý",
        ] {
            assert!(page.body.contains(shown), "{shown}");
        }
        for hidden in [
            "046190001234",
            "0905",
            "Nguyễn Thị Ngọc Ánh",
            "Giấy chứng nhận quyền sử dụng đất",
        ] {
            assert!(!page.body.contains(hidden), "{hidden}");
        }
        let english = Ctx {
            lang: Lang::En,
            ..hung.clone()
        };
        let english = pair.answers.page(&english, &address).await;
        assert!(english.body.contains("Send the opinion") && english.body.contains("deemed to agree"));
        let api = pair.answers.get(&hung, "/api/v1/consultations").await;
        let api: Value = serde_json::from_str(&api.body).expect("JSON");
        assert_eq!(api["items"][0]["dossier"], code.as_str());
        assert_eq!(api["items"][0]["state"], "open");

        // A paper is fetched, and the person can see who read it.
        let paper = item.question.papers.first().expect("the drawings").clone();
        let got = pair
            .answers
            .get(&hung, &format!("{address}/papers/{}", paper.sha256))
            .await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.body);
        assert_eq!(got.body, String::from_utf8_lossy(PNG));
        let auditor = officer_of(POLICE, 96, "Kiểm tra", &[Role::Auditor]);
        let reads = pair
            .asks
            .identity
            .agency_reads(&auditor, POLICE, Some(&code), None)
            .await;
        let reads = reads.expect("the log of reads").0;
        assert_eq!(reads.len(), 1, "one read by the fire police");
        assert_eq!(
            (reads[0].actor.as_str(), reads[0].agency.as_str()),
            ("Lê Văn Hùng", POLICE)
        );
        assert_eq!(reads[0].purpose.vi, "Cho ý kiến phối hợp");

        // What is wrong with the form is said at its place, with what was typed.
        let wrong = [
            ("agrees", ""),
            ("opinion", "Chưa xong"),
            ("dated.day", "31"),
            ("dated.month", "2"),
            ("dated.year", "2026"),
        ];
        let refused = pair.answers.post_files(&hung, &address, &wrong, &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("Nhập ngày có thật") && refused.body.contains("Chưa xong"));

        let right = [
            ("agrees", "yes"),
            ("opinion", "Thống nhất, <b>đã</b> thẩm duyệt."),
            ("document", "123/PCCC-CV"),
            ("dated.day", "20"),
            ("dated.month", "11"),
            ("dated.year", "2026"),
        ];
        for _ in 0..2 {
            let sent = pair.answers.post_files(&hung, &address, &right, &[]).await;
            assert_eq!(sent.location(), address, "the same form twice is the same opinion");
        }
        let other = [("agrees", "no"), ("opinion", "Không")];
        let late = pair.answers.post_files(&hung, &address, &other, &[]).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        let tasks = pair.dossier(&path).await.state.tasks.len();
        pair.run().await;

        // It is in the dossier's log, and the process has gone on.
        let view = pair.dossier(&path).await;
        let answer = pair.consultation(&path).await.answer.expect("an answer");
        let Answer::Given {
            agrees,
            document,
            dated,
            respondent: Some(respondent),
            ..
        } = &answer
        else {
            panic!("{answer:?}");
        };
        assert!(*agrees && document == "123/PCCC-CV" && *dated == Some(jiff::civil::date(2026, 11, 20)));
        assert_eq!(
            respondent.signature(),
            "Lê Văn Hùng, Công chức (G01.57.7, VN/GOV/G01/motcua)"
        );
        assert!(view.state.tasks.len() >= tasks);
        assert!(
            !view.state.timers.iter().any(|t| t.node == "silent_fire"),
            "nothing waits for silence"
        );
        let clerk = pair.clerk(&[Role::Specialist]);
        let page = pair.asks.page(&clerk, &format!("/desk/dossiers/{code}")).await;
        for shown in ["Lê Văn Hùng, Công chức", "123/PCCC-CV ngày 20/11/2026", "thẩm duyệt."] {
            assert!(page.body.contains(shown), "{shown}");
        }
        let shown = pair.answers.page(&hung, &address).await;
        assert!(shown.body.contains("Cơ quan hỏi đã nhận ý kiến") && !shown.body.contains("<form class=\"mc-form\""));
        assert!(pair.queue(Shown::Open).await.is_empty());
        let past = pair.answers.page(&hung, "/desk/consultations?show=past").await;
        assert!(past.body.contains(&code));

        // The inspection beside it, then the decision: the permit goes its way to the next step.
        let step = view.state.tasks.iter().find(|t| t.node == "inspect");
        let inspected = step.expect("the inspection").token;
        let report = json!({ "date": "2026-11-20", "result": "conform" });
        let outcome = with_fields(inspected, "done", report);
        pair.asks.step(view.id, outcome).await;
        let next = pair.dossier(&path).await;
        assert!(
            next.state.tasks.iter().all(|t| t.token != inspected),
            "{:?}",
            next.state.tasks
        );
        assert!(!next.state.tasks.is_empty(), "the next step is open");
        let mine = pair.asks.page(&an(), &path).await;
        assert!(mine.body.contains("Cơ quan phối hợp trả lời: thống nhất"));
    }
}

#[tokio::test]
async fn only_officers_of_that_agency_who_answer_see_it() {
    for pair in pairs().await {
        pair.asked().await;
        pair.run().await;
        let item = pair.waiting().await;
        let sha256 = item.question.papers[0].sha256.clone();
        let strangers = [
            officer_of(
                POLICE,
                91,
                "Không phụ trách",
                &[Role::Specialist, Role::Leader, Role::Receptionist],
            ),
            officer_of(POLICE, 92, "Quản trị", &[Role::Administrator, Role::Auditor]),
            officer_of("G01.57", 93, "Cấp trên", &[Role::Consulted]),
            officer_of("G01.57.70", 94, "Cơ quan khác", &[Role::Consulted]),
            officer_of(AGENCY, 95, "Bên hỏi", &[Role::Consulted]),
            an(),
            crate::pages::citizen::tests::town::nobody(),
        ];
        for ctx in &strangers {
            let who = ctx.actor_name();
            for path in [
                format!("/desk/consultations/{}", item.id),
                format!("/desk/consultations/{}/papers/{sha256}", item.id),
                format!("/api/v1/consultations/{}", item.id),
            ] {
                let answer = pair.answers.get(ctx, &path).await;
                assert!(!answer.status.is_success(), "{who} {path}: {}", answer.status);
                assert!(!answer.body.contains(&item.question.dossier), "{who} {path}");
            }
            let body = json!({ "agrees": true, "opinion": "Có" }).to_string();
            let request = Request::put(format!("/api/v1/consultations/{}/opinion", item.id))
                .header("content-type", "application/json")
                .body(Body::from(body));
            let answer = pair.answers.send(ctx, request.expect("a request")).await;
            assert!(answer.status.is_client_error(), "{who}: {}", answer.status);
            if let Ok(list) = pair.answers.dossiers.asked(ctx, Shown::Open, None, 20).await {
                assert!(list.items.is_empty(), "{who}");
            }
        }
        assert_eq!(pair.waiting().await.id, item.id, "nothing was answered");

        // A program of the officer answers as the officer does.
        let body =
            json!({ "agrees": false, "opinion": "Thiếu lối thoát nạn", "document": "7/CV", "dated": "2026-11-20" });
        let request = Request::put(format!("/api/v1/consultations/{}/opinion", item.id))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        let answer = pair.answers.send(&pair.hung(), request.expect("a request")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        pair.run().await;
        let read = pair
            .answers
            .get(&pair.hung(), &format!("/api/v1/consultations/{}", item.id))
            .await;
        let read: Value = serde_json::from_str(&read.body).expect("JSON");
        assert_eq!(
            (read["state"].as_str(), read["opinion"]["agrees"].as_bool()),
            (Some("received"), Some(false))
        );
        for bad in [
            "/api/v1/consultations?state=x",
            "/api/v1/consultations?cursor=x",
            "/api/v1/consultations/x",
        ] {
            let answer = pair.answers.get(&pair.hung(), bad).await;
            assert!(answer.status.is_client_error(), "{bad}: {}", answer.status);
        }
    }
}
