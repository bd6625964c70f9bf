//! What applicants are told.

use base::Lang;
use identity::{Ctx, Role};
use serde_json::json;

use super::{
    following::{completion, filed, item, token},
    handling::with_fields,
    town::{Town, an, officer, person, start, towns},
};
use crate::model::{action::Detail, command::Command, notice::NoticeKind};

async fn told(town: &Town, ctx: &Ctx) -> Vec<NoticeKind> {
    let notices = town.dossiers.notices(ctx, None).await.expect("a list");
    let mut kinds: Vec<NoticeKind> = notices.iter().map(|n| n.kind).collect();
    kinds.sort_by_key(|k| k.code());
    kinds
}

#[tokio::test]
async fn each_cause_is_told_once() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let id = town.seen(&path).await.id;
        let detail = Detail::Supplement {
            items: vec![item("child.name")],
            second_ground: String::new(),
        };
        let first = token(&town, &path).await;
        town.step(id, completion(first, "supplement", detail)).await;
        town.work().await;
        assert_eq!(told(&town, &an()).await, [NoticeKind::SupplementAsked]);
        let my = town.page(&an(), "/my").await.body;
        assert!(my.contains("Thông báo") && my.contains(">Mới<"), "it is new");

        // On the page of the dossier it is read.
        let page = town.page(&an(), &path).await.body;
        assert!(page.contains("Thời hạn giải quyết tạm dừng") && page.contains(">Mới<"));
        assert!(!town.page(&an(), &path).await.body.contains(">Mới<"));
        assert!(!town.page(&an(), "/my").await.body.contains("Đánh dấu đã đọc tất cả"));
        assert!(told(&town, &person("Lê Văn Khác", Lang::Vi)).await.is_empty());

        // Twice looked at is once told: at every start, and every morning.
        let other = filed(&town, "2.000635").await;
        let id = town.seen(&other).await.id;
        let step = token(&town, &other).await;
        town.step(id, completion(step, "accept", Detail::None)).await;
        let clerk = officer(&[Role::Receptionist]);
        let waive = Command::WaiveFee {
            basis: "Thông tư 281/2016/TT-BTC".to_owned(),
        };
        town.dossiers.command(&clerk, id, &waive, None).await.expect("waived");
        let later = start().plus_seconds(4 * 86_400);
        for _ in 0..2 {
            town.dossiers.schedule(later).await.expect("scheduled");
            town.work_until(later).await;
        }
        let kinds = told(&town, &an()).await;
        let count = |kind| kinds.iter().filter(|k| **k == kind).count();
        assert_eq!(count(NoticeKind::Received), 1, "{kinds:?}");
        assert_eq!(count(NoticeKind::FeeDue), 1, "{kinds:?}");
        assert_eq!(
            count(NoticeKind::Overdue),
            1,
            "the second is late, the first waits: {kinds:?}"
        );
        let read = town.post(&an(), "/my/notices/read", &[]).await;
        assert_eq!(read.location(), "/my");
        assert!(!town.page(&an(), "/my").await.body.contains(">Mới<"));
    }
}

#[tokio::test]
async fn the_end_of_a_dossier_is_told() {
    for town in towns().await {
        let path = filed(&town, "1.001193").await;
        let id = town.seen(&path).await.id;
        for (outcome, fields) in [("accept", json!({})), ("ok", json!({})), ("approve", json!({}))] {
            let step = token(&town, &path).await;
            town.step(id, with_fields(step, outcome, fields)).await;
        }
        town.work().await;
        // The result is drawn once it is over with the registries, of which this town has none.
        town.work_until(start().plus_seconds(7 * 3600)).await;
        assert_eq!(
            told(&town, &an()).await,
            [NoticeKind::Received, NoticeKind::ResultReady]
        );
        let english = person("Nguyễn Thị Ngọc Ánh", Lang::En);
        assert!(town.page(&english, "/my").await.body.contains("The result is ready."));
    }
}
