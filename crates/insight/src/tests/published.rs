//! Pages and API over a few facts.

use std::path::Path;

use ::store::transact;
use axum::http::StatusCode;

use super::{Step, fact, put, site::sites};
use crate::store as tables;

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_published_and_their_absence_is_said() {
    for site in sites(&["catalogue/1.001193"]).await {
        assert!(site.insight.headlines(site.now).await.expect("headlines").is_empty());
        let (status, body) = site.get("/publication").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("Không có hồ sơ trong kỳ này"));

        // Two online of one account, decided early and late; one at the counter, open and overdue, that was paused from
        // 22 February to 4 March.
        let step = |dossier, channel, account, status, hours, outcome| Step {
            dossier,
            channel,
            account,
            status,
            hours,
            outcome,
            pause: if dossier == 4 { [24 * 20, 24 * 10] } else { [0, 0] },
        };
        let mut facts = [
            fact(&step(0, 0, Some(1), 10, [24, 24 * 20, 24 * 5], 0), 1),
            fact(&step(2, 0, Some(1), 9, [24, 24 * 20, 24 * 70], 2), 1),
            fact(&step(4, 1, None, 4, [24 * 32, 24 * 40, 0], 0), 1),
        ];
        for fact in &mut facts {
            "1.001193".clone_into(&mut fact.procedure_code);
        }
        put(&site.store, &facts, 1).await;

        let (status, json) = site
            .get("/api/v1/publication?from=2026-01&to=2026-04&by=procedure")
            .await;
        assert_eq!(status, StatusCode::OK, "{json}");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let total = &json["total"];
        for (name, value) in [
            ("received", 3),
            ("received_online", 2),
            ("received_counter", 1),
            ("solved_early", 1),
            ("solved_on_time", 0),
            ("solved_late", 1),
            ("unfinished_late", 1),
        ] {
            assert_eq!(total[name], value, "{name}");
        }
        assert_eq!(total["on_time_percent"], 33.33);
        assert_eq!(total["online_percent"], 66.67);
        assert_eq!(total["now"]["overdue"], 1);
        assert_eq!(json["lines"][0]["key"], "1.001193");

        // January alone: the late one was not decided yet, but overdue when the month ended.
        let (_, json) = site.get("/api/v1/publication?from=2026-01&to=2026-01").await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["total"]["unfinished_late"], 1);
        assert_eq!(json["lines"][0]["on_time_percent"], 50.0);
        let (_, json) = site.get("/api/v1/publication?from=2025-01&to=2025-02").await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert!(json["total"]["on_time_percent"].is_null());

        // The one decided late was received in January and decided in March; the one at the counter was received in February.
        // Months to come have no end yet.
        let (_, json) = site.get("/api/v1/publication?from=2026-01&to=2026-06").await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let lines = json["lines"].as_array().expect("lines");
        let ends: Vec<_> = lines
            .iter()
            .map(|line| ["in_progress_at_end", "unfinished_late", "paused_at_end"].map(|name| line[name].as_i64()))
            .collect();
        assert_eq!(ends[0], [Some(1), Some(1), Some(0)]);
        assert_eq!(ends[1], [Some(1), Some(1), Some(1)]);
        assert_eq!(ends[2], [Some(1), Some(1), Some(0)]);
        assert_eq!(ends[3], [Some(1), Some(1), Some(0)]);
        assert_eq!(ends[4..], [[None, Some(0), None]; 2]);
        assert_eq!(json["total"]["in_progress_at_end"], 1);
        let (_, json) = site
            .get("/api/v1/publication?from=2026-02&to=2026-02&by=agency&agency=H57.0")
            .await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["lines"][0]["in_progress_at_end"], 1);
        assert_eq!(json["lines"][0]["paused_at_end"], 1);
        assert_eq!(json["total"]["paused_at_end"], 1);

        let (_, json) = site.get("/api/v1/publication/services?year=2026").await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let service = &json["services"][0];
        assert_eq!(service["online_people"], 1);
        assert_eq!(service["offline_people"], 1);
        assert_eq!(service["people_ratio"], 1.0);

        let (_, csv) = site.get("/api/v1/publication.csv?by=field").await;
        assert!(csv.starts_with("\u{feff}Mã,Tên,Tiếp nhận"), "{csv}");
        // More rows than one chunk holds; the present month alone says how things stand.
        let (_, csv) = site.get("/api/v1/publication.csv?from=2018-01&to=2026-05").await;
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        assert_eq!(rows.len(), 101);
        assert!(
            rows[0].starts_with("2018-01,") && rows[100].starts_with("2026-05,"),
            "{csv}"
        );
        let april = rows.iter().find(|row| row.starts_with("2026-04,")).expect("a row");
        assert!(april.ends_with(",0,1,1,0"), "{april}");
        let february: Vec<&str> = rows[97].split(',').collect();
        assert_eq!(february[11..13], ["1", "1"], "{february:?}");
        assert!(
            rows[98].starts_with("2026-03,") && rows[98].ends_with(",,,,"),
            "{}",
            rows[98]
        );

        // By agency, and of one field.
        let (_, json) = site
            .get("/api/v1/publication?from=2026-01&to=2026-04&by=agency&field=G15-TP07")
            .await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["field"], "G15-TP07");
        assert_eq!(json["lines"][0]["key"], "H57.0");
        assert_eq!(json["lines"][0]["received"], 3);
        assert_eq!(json["lines"][0]["now"]["in_progress"], 1);
        let (status, _) = site.get("/api/v1/publication?field=G01").await;
        assert_eq!(status, StatusCode::NOT_FOUND);

        let (status, problems) = site.get("/api/v1/publication?from=nay&to=2026-13&by=week").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let problems: serde_json::Value = serde_json::from_str(&problems).expect("JSON");
        assert_eq!(problems["problems"].as_array().map(Vec::len), Some(3));
        assert_eq!(
            site.get("/api/v1/publication?agency=%00").await.0,
            StatusCode::NOT_FOUND
        );
        assert_eq!(site.get("/publication/nowhere").await.0, StatusCode::NOT_FOUND);

        let shots = std::env::var_os("INSIGHT_PAGES");
        for (name, path) in [
            ("all", "/publication?period=2026"),
            ("agency", "/publication/H57.0?period=2026-Q1"),
            ("field", "/publication/fields/G15-TP07?period=2026"),
            (
                "field-of-agency",
                "/publication/fields/G15-TP07?agency=H57.0&period=2026-Q1",
            ),
            ("month", "/publication?period=2026-01"),
            ("services", "/publication/services"),
            ("method", "/publication/method"),
        ] {
            let (status, body) = site.get(path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            if let Some(dir) = &shots {
                std::fs::write(Path::new(dir).join(format!("{name}.html")), body).expect("written");
            }
        }
        let (_, whole) = site.get("/publication?period=2026").await;
        assert!(whole.contains("33,33 %"));
        assert!(whole.contains("data-label=\"Tạm dừng cuối kỳ\">1</td>"), "{whole}");
        assert!(
            whole.contains("href=\"/publication/fields/G15-TP07?period=2026\""),
            "a field leads to its page"
        );
        let (_, of_field) = site.get("/publication/fields/G15-TP07?period=2026").await;
        assert!(
            of_field.contains("by=month&#38;field=G15-TP07") && !of_field.contains("id=\"by-field\""),
            "{of_field}"
        );
        assert_eq!(site.get("/publication/fields/nowhere").await.0, StatusCode::NOT_FOUND);
        let headlines = site.insight.headlines(site.now).await.expect("headlines");
        assert_eq!(headlines.first().map(|h| h.value.as_str()), Some("3"));
        // While figures are being made anew nobody is told what stood at the end of a month.
        transact!(site.store, |tx| { tables::clear(&tx).await }).expect("cleared");
        put(&site.store, &facts, facts.len()).await;
        let (_, json) = site.get("/api/v1/publication?from=2026-02&to=2026-02").await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["total"]["received"], 1);
        assert!(json["total"]["paused_at_end"].is_null(), "{json}");
        // Nothing of this came from dossiers, so nothing is left when all is made anew.
        site.insight.rebuild(&mut |_| ()).await.expect("rebuilt");
        assert!(site.insight.agencies().await.expect("agencies").is_empty());
    }
}
