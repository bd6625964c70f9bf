//! Lateness is seen before it happens.

use axum::http::StatusCode;
use base::Timestamp;
use identity::{Ctx, Role};
use serde_json::json;

use super::{
    following::{completion, filed, token},
    handling::with_fields,
    town::{Town, colleague, officer, towns},
};
use crate::model::{
    action::{Detail, DossierId, OfficerRef},
    command::Command,
    foresight::Outlook,
};

fn at(ctx: Ctx, now: Timestamp) -> Ctx {
    Ctx { now, ..ctx }
}

/// In which of the three lists of a page a dossier stands.
async fn listed(town: &Town, ctx: &Ctx, page: &str, code: &str) -> Vec<&'static str> {
    let mut lists = Vec::new();
    for list in ["soon", "risk", "overdue"] {
        let shown = town.page(ctx, &format!("{page}?show={list}")).await;
        // On a leader's desk the list to watch stands below the queue.
        let queue = shown.body.split("id=\"watch\"").next().unwrap_or_default();
        if queue.contains(&format!("/desk/dossiers/{code}\"")) {
            lists.push(list);
        }
    }
    lists
}

async fn received(town: &Town, code: &str) -> (String, DossierId) {
    let path = filed(town, code).await;
    let id = town.seen(&path).await.id;
    let first = token(town, &path).await;
    town.step(id, completion(first, "accept", Detail::None)).await;
    (path, id)
}

#[tokio::test]
async fn a_dossier_that_will_be_late_is_seen_before_it_is() {
    for town in towns().await {
        let (path, id) = received(&town, "1.001193").await;
        let view = town.seen(&path).await;
        let code = view.state.code.clone();
        let due = view.due.and_then(|d| d.current).expect("a time limit runs");
        let by = view.tasks[0].finish_by.expect("a time limit runs");
        // Signing and handing over take two working hours.
        assert_eq!(town.dossiers.calendar().working_minutes_between(by, due), 120);
        for (now, outlook, list) in [
            (by.plus_seconds(-60), Outlook::Soon, "soon"),
            (by.plus_seconds(60), Outlook::Risk, "risk"),
            (due.plus_seconds(60), Outlook::Overdue, "overdue"),
        ] {
            let clerk = at(officer(&[Role::Specialist]), now);
            assert_eq!(listed(&town, &clerk, "/desk", &code).await, [list]);
            let leader = at(colleague(&[Role::Leader]), now);
            assert_eq!(listed(&town, &leader, "/desk/watch", &code).await, [list]);
            let watch = town.dossiers.watch(&leader, None).await.expect("a list");
            assert_eq!(watch.items.len(), 1);
            assert_eq!(watch.items[0].outlook, outlook);
            assert_eq!(
                (watch.overdue, watch.risk, watch.soon),
                (
                    i64::from(list == "overdue"),
                    i64::from(list == "risk"),
                    i64::from(list == "soon")
                )
            );
            let desk = town.page(&leader, "/desk").await.body;
            assert!(desk.contains("Hồ sơ cần lưu ý về thời hạn") && desk.contains("Công chức chuyên môn"));
            assert_eq!(town.get(&clerk, "/desk/watch").await.status, StatusCode::FORBIDDEN);
            let one_stop = at(officer(&[Role::Receptionist]), now);
            assert_eq!(listed(&town, &one_stop, "/desk/watch", &code).await, [list]);
        }

        // Who holds it is told.
        let clerk = officer(&[Role::Specialist]);
        let step = token(&town, &path).await;
        let me = clerk.officer().expect("an officer");
        let take = Command::Assign {
            token: step,
            officer: Some(OfficerRef {
                id: me.officer.uuid(),
                name: me.name.clone(),
            }),
        };
        town.dossiers.command(&clerk, id, &take, None).await.expect("taken");
        let late = at(colleague(&[Role::Leader]), by.plus_seconds(60));
        let shown = town.page(&late, "/desk/watch").await.body;
        assert!(shown.contains("Trần Văn Bình") && shown.contains("Có nguy cơ trễ"));
        let page = town.page(&late, &format!("/desk/dossiers/{code}")).await.body;
        assert!(
            page.contains("Để kịp hẹn trả kết quả"),
            "the page of the dossier says so too"
        );

        // A new date gives new time, to every open step.
        let calendar = town.dossiers.calendar();
        let tomorrow = calendar.next_working_day(due.legal_date());
        let command = Command::Reappoint {
            due: calendar.end_of_work(tomorrow).expect("worked"),
            reason: "Mất điện toàn phường.".to_owned(),
        };
        town.dossiers
            .command(&late, id, &command, None)
            .await
            .expect("a new date");
        assert!(
            listed(&town, &late, "/desk/watch", &code)
                .await
                .iter()
                .all(|l| *l == "soon")
        );

        // While papers are waited for no time limit runs, and nothing is at risk.
        let detail = Detail::Supplement {
            items: vec![super::following::item("child.name")],
            second_ground: String::new(),
        };
        let clerk = at(clerk, late.now);
        let ask = Command::Complete(completion(step, "supplement", detail));
        town.dossiers.command(&clerk, id, &ask, None).await.expect("asked");
        let later = at(late, due.plus_seconds(30 * 86_400));
        assert!(
            town.dossiers
                .watch(&later, None)
                .await
                .expect("a list")
                .items
                .is_empty()
        );
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_watched_too() {
    for town in towns().await {
        let (path, id) = received(&town, "1.013225").await;
        let review = token(&town, &path).await;
        town.step(id, with_fields(review, "ok", json!({ "ask_fire": true })))
            .await;
        let inspect = token(&town, &path).await;
        let fields = json!({ "date": "2026-11-20", "result": "conform" });
        town.step(id, with_fields(inspect, "done", fields)).await;
        let view = town.seen(&path).await;
        assert!(view.tasks.is_empty(), "only the opinion is waited for");
        let due = view.due.and_then(|d| d.current).expect("a time limit runs");
        let leader = at(colleague(&[Role::Leader]), due.plus_seconds(-3600));
        let watch = town.dossiers.watch(&leader, Some(Outlook::Risk)).await.expect("a list");
        assert_eq!(watch.items.len(), 1, "drafting and signing do not fit into an hour");
        assert_eq!(watch.risk, 1);
        let shown = town.page(&leader, "/desk/watch?show=risk").await.body;
        assert!(shown.contains("Cảnh sát phòng cháy, chữa cháy"), "who is waited for");
        let early = at(colleague(&[Role::Leader]), view.state.submitted_at);
        assert!(
            town.dossiers
                .watch(&early, None)
                .await
                .expect("a list")
                .items
                .is_empty()
        );
    }
}
