//! The pages and the addresses for programs, by HTTP.

use std::{sync::Arc, time::Duration};

use base::Text;
use exchange::{
    directory::{
        Follower, Following, api,
        join::{NewEntry, Progress, description_of},
        membership::ApplicationStanding,
        pages,
    },
    model::{
        federation::{Service, Subsystem},
        meta::ServiceKind,
    },
};
use serde_json::json;

use crate::{
    office::{Applicant, Office, serve},
    support::{GRACE, HOUR, part},
};

#[tokio::test]
async fn the_operator_decides_on_pages() {
    for office in Office::all().await {
        let admin = &office.administrator;
        let (status, page) = office.get("/exchange/applications", admin).await;
        assert_eq!(status, 200);
        assert!(page.contains("Không có đơn nào đang chờ"), "{page}");
        let mut applicant = Applicant::new("H26", "g1");
        applicant.apply(&office).await.unwrap();
        let (_, page) = office.get("/exchange/applications", admin).await;
        assert!(page.contains("Ủy ban nhân dân H26"));
        let id = office.applications(ApplicationStanding::Pending).await[0].id;
        let path = format!("/exchange/applications/{id}");
        let (status, page) = office.get(&path, admin).await;
        assert_eq!(status, 200);
        let fingerprint = exchange::directory::grouped(&applicant.node.fingerprints().request);
        assert!(page.contains(&fingerprint), "for the telephone");
        for (path, words) in [
            ("/exchange/applications", "Applications to join"),
            (&path, "Fingerprint of the certificate request"),
            ("/exchange/invitations", "No invitations yet"),
            ("/exchange/registry", "No members"),
        ] {
            let (status, page) = office.get_english(path, admin).await;
            assert!(
                status == 200 && page.contains(words) && page.contains("lang=\"en\""),
                "{path}: {page}"
            );
        }

        let (status, page) = office.post(&format!("{path}/approve"), admin, "").await;
        assert_eq!(status, 422);
        assert!(page.contains("đối chiếu vân tay"), "{page}");
        let (status, page) = office.post(&format!("{path}/refuse"), admin, "reason=").await;
        assert_eq!(status, 422);
        assert!(page.contains("Nhập lý do"));
        let (status, to) = office.post(&format!("{path}/approve"), admin, "compared=true").await;
        assert_eq!((status, to.as_str()), (303, "/exchange/applications?done=approved"));
        let (_, page) = office.get(&to, admin).await;
        assert!(page.contains("Đã chấp thuận"));
        let (status, page) = office.post(&format!("{path}/approve"), admin, "compared=true").await;
        assert_eq!(status, 409);
        assert!(page.contains("đã được giải quyết"));
        let (_, page) = office.get("/exchange/applications?standing=approved", admin).await;
        assert!(page.contains("Ủy ban nhân dân H26"));

        let (_, page) = office.get("/exchange/registry", admin).await;
        assert!(page.contains("/exchange/registry/VN/GOV/H26"));
        let path = "/exchange/registry/VN/GOV/H26";
        let (status, page) = office.get(path, admin).await;
        assert_eq!(status, 200);
        assert!(page.contains("Chấp thuận cổng"));
        assert!(office.get_english(path, admin).await.1.contains("Gateway approved"));
        let serial = page
            .split("<code>")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .to_owned();
        let (status, _) = office.post(&format!("{path}/suspend"), admin, "reason=").await;
        assert_eq!(status, 422);
        let (status, to) = office
            .post(&format!("{path}/suspend"), admin, "reason=S%E1%BB%B1+c%E1%BB%91")
            .await;
        assert_eq!((status, to), (303, format!("{path}?done=saved")));
        let (_, page) = office.get(path, admin).await;
        assert!(page.contains("Cho tham gia lại") && page.contains("Sự cố"));
        assert_eq!(office.post(&format!("{path}/resume"), admin, "reason=ok").await.0, 303);
        let revoke = format!("serial={serial}&revocation=");
        let (status, page) = office.post(&format!("{path}/revoke"), admin, &revoke).await;
        assert_eq!(status, 422);
        assert!(page.contains("Chọn lý do thu hồi"));
        let revoke = format!("serial={serial}&revocation=key-compromise");
        assert_eq!(office.post(&format!("{path}/revoke"), admin, &revoke).await.0, 303);
        let (_, page) = office.get(path, admin).await;
        assert!(page.contains("Khóa có thể đã lộ") && page.contains("Đã thu hồi"));
    }
}

#[tokio::test]
async fn an_invitation_is_shown_once() {
    for office in Office::all().await {
        let admin = &office.administrator;
        let path = "/exchange/invitations";
        let (_, page) = office.get(path, admin).await;
        assert!(page.contains("Chưa có mã mời nào"));
        let (status, page) = office.post(path, admin, "member=x&days=14").await;
        assert_eq!(status, 422);
        assert!(page.contains("INSTANCE/CLASS/MEMBER"), "{page}");
        let (status, page) = office.post(path, admin, "member=VN/GOV/H26&days=14").await;
        assert_eq!(status, 200);
        assert!(page.contains("chỉ hiển thị một lần"));
        let (_, page) = office.get(path, admin).await;
        assert!(page.contains("VN/GOV/H26") && !page.contains("chỉ hiển thị một lần"));
    }
}

#[tokio::test]
async fn only_who_runs_the_directory_may_see_and_decide() {
    for office in Office::all().await {
        let mut applicant = Applicant::new("H26", "g1");
        applicant.apply(&office).await.unwrap();
        let id = office.applications(ApplicationStanding::Pending).await[0].id;
        let clerk = &office.receptionist;
        for path in [
            "/exchange/applications".to_owned(),
            format!("/exchange/applications/{id}"),
            "/exchange/invitations".to_owned(),
            "/exchange/registry".to_owned(),
            "/exchange/registry/VN/GOV/H26".to_owned(),
            "/api/v1/exchange/applications".to_owned(),
            format!("/api/v1/exchange/applications/{id}"),
        ] {
            assert_eq!(office.get(&path, clerk).await.0, 403, "{path}");
        }
        for (path, form) in [
            (format!("/exchange/applications/{id}/approve"), "compared=true"),
            (format!("/exchange/applications/{id}/approve"), ""),
            (format!("/exchange/applications/{id}/refuse"), "reason=x"),
            ("/exchange/invitations".to_owned(), "member=VN/GOV/H26&days=1"),
            ("/exchange/registry/VN/GOV/H26/suspend".to_owned(), "reason=x"),
            ("/exchange/registry/VN/GOV/H26/resume".to_owned(), "reason=x"),
            (
                "/exchange/registry/VN/GOV/H26/revoke".to_owned(),
                "serial=00&revocation=superseded",
            ),
        ] {
            assert_eq!(office.post(&path, clerk, form).await.0, 403, "{path}");
        }
        for (path, body) in [
            (format!("applications/{id}/approve"), json!({})),
            (format!("applications/{id}/refuse"), json!({"reason": "x"})),
            ("invitations".to_owned(), json!({"member": "VN/GOV/H26", "days": 1})),
            ("members/VN/GOV/H26/suspend".to_owned(), json!({"reason": "x"})),
            ("members/VN/GOV/H26/resume".to_owned(), json!({"reason": "x"})),
            ("certificates/00/revoke".to_owned(), json!({"reason": "superseded"})),
        ] {
            let path = format!("/api/v1/exchange/{path}");
            assert_eq!(office.post_json(&path, clerk, &body).await.0, 403, "{path}");
        }
        assert_eq!(office.applications(ApplicationStanding::Pending).await.len(), 1);
    }
}

#[tokio::test]
async fn programs_of_the_operator_do_the_same() {
    for office in Office::all().await {
        let admin = &office.administrator;
        let mut applicant = Applicant::new("H26", "g1");
        applicant.apply(&office).await.unwrap();
        let (status, body) = office.get("/api/v1/exchange/applications", admin).await;
        assert_eq!(status, 200);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let id = body["items"][0]["id"].as_str().unwrap();
        assert_eq!(body["items"][0]["fingerprint"], applicant.node.fingerprints().request);
        assert_eq!(body["next"], json!(null));
        let path = format!("/api/v1/exchange/applications/{id}");
        assert_eq!(office.get(&path, admin).await.0, 200);
        assert_eq!(
            office
                .post_json(&format!("{path}/approve"), admin, &json!({"x": 1}))
                .await
                .0,
            422
        );
        assert_eq!(
            office.post_json(&format!("{path}/approve"), admin, &json!({})).await.0,
            204
        );
        let member = "/api/v1/exchange/members/VN/GOV/H26";
        assert_eq!(
            office
                .post_json(&format!("{member}/suspend"), admin, &json!({"reason": "x"}))
                .await
                .0,
            204
        );
        assert_eq!(
            office
                .post_json(&format!("{member}/suspend"), admin, &json!({"reason": "x"}))
                .await
                .0,
            409
        );
        assert_eq!(
            office
                .post_json(&format!("{member}/resume"), admin, &json!({"reason": "x"}))
                .await
                .0,
            204
        );
        let path = "/api/v1/exchange/certificates/00/revoke";
        let bent = json!({"reason": "x", "invalid_since": "yesterday"});
        let (status, body) = office.post_json(path, admin, &bent).await;
        assert!(
            status == 422 && body.contains("\"reason\"") && body.contains("invalid-since"),
            "{body}"
        );
        let good = json!({"reason": "superseded", "invalid_since": "2026-11-25T00:00:00Z"});
        assert_eq!(office.post_json(path, admin, &good).await.0, 404);
        let unknown = office
            .get(
                "/api/v1/exchange/applications/00000000-0000-7000-8000-000000000000",
                admin,
            )
            .await;
        assert_eq!(unknown.0, 404);
        // What is too long is not read.
        let long = reqwest::Client::new()
            .post(format!("{}/exchange/join", office.url))
            .body(vec![b'x'; 100_000]);
        assert_eq!(long.send().await.unwrap().status().as_u16(), 413);
    }
}

#[tokio::test]
async fn everybody_sees_the_directory_and_how_old_it_is() {
    for office in Office::all().await {
        let member = office.member("H26").await;
        let document = r#"{"openapi":"3.1.0","info":{"title":"Hộ tịch","version":"1"}}"#;
        let description = description_of(document).unwrap();
        let entry = NewEntry {
            subsystems: vec![Subsystem {
                code: part("hotich"),
                name: Text::new("Hộ tịch điện tử", ""),
                services: vec![Service {
                    code: part("khaisinh"),
                    name: Text::new("Tra cứu khai sinh", ""),
                    kind: ServiceKind::OpenApi,
                    description: Some(description.clone()),
                    badge: None,
                    gateways: vec![],
                }],
            }],
            documents: vec![document.to_owned()],
        };
        member.node.publish(&office.operator(), entry).await.unwrap();
        let Ok(Progress::Joined { .. }) = member.poll(&office).await else {
            panic!("a member");
        };
        let follower = Follower::open(Following {
            mirrors: vec![office.operator().mirror()],
            folder: member.node.directory_folder(),
            every: Duration::from_secs(60),
            patience: Duration::from_secs(5),
            grace: GRACE,
            clock: Arc::new(office.clock.clone()),
        })
        .await
        .unwrap();
        follower.refresh().await.unwrap();
        let (programs, _) = api::directory(follower.clone()).split_for_parts();
        let (url, task) = serve(pages::public(follower.clone()).merge(programs), &office.identity).await;
        let get = async |path: &str| {
            let answer = reqwest::get(format!("{url}{path}")).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (status, page) = get("/exchange").await;
        assert_eq!(status, 200);
        assert!(
            page.contains("Ủy ban nhân dân H26") && page.contains("Danh bạ đang cập nhật"),
            "{page}"
        );
        assert!(page.contains(&exchange::directory::grouped(&office.fingerprint.to_string())));
        assert!(
            get("/exchange?q=khai%20sinh").await.1.contains("Ủy ban nhân dân H26"),
            "found by a service"
        );
        assert!(get("/exchange?q=kh%C3%B4ng").await.1.contains("Không tìm thấy"));
        assert!(
            get("/exchange?cursor=VN/GOV/H26")
                .await
                .1
                .contains("Chưa có thành viên nào")
        );
        let (status, page) = get("/exchange/members/VN/GOV/H26").await;
        assert_eq!(status, 200);
        assert!(page.contains("Tra cứu khai sinh") && page.contains("Chưa kiểm thử"));
        let path = format!("/exchange/documents/{}", description.sha256);
        assert!(page.contains(&path));
        assert_eq!(get(&path).await, (200, document.to_owned()));
        assert_eq!(get("/exchange/documents/00").await.0, 404);
        assert_eq!(get("/exchange/members/VN/GOV/H99").await.0, 404);
        let english = reqwest::Client::new()
            .get(format!("{url}/exchange"))
            .header("accept-language", "en");
        assert!(
            english
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap()
                .contains("The directory is up to date")
        );

        office.clock.set(base::Clock::now(&office.clock).plus_seconds(2 * HOUR));
        follower.judge();
        assert!(get("/exchange").await.1.contains("Danh bạ đã cũ"));
        let (_, body) = get("/api/v1/exchange/directory").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["freshness"], "stale");
        assert_eq!(body["directory"]["members"][0]["id"], "VN/GOV/H26");
        office.clock.set(base::Clock::now(&office.clock).plus_seconds(GRACE));
        follower.judge();
        assert!(get("/exchange").await.1.contains("Danh bạ đã hết hạn"));
        task.abort();
    }
}
