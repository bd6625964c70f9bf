//! The answer to "why", from the sign-in to the near misses.

use super::*;
use crate::{
    access::{Asked, explain},
    model::Method,
};

async fn lines(node: &Node, change: impl FnOnce(&mut Asked)) -> Vec<String> {
    let mut asked = Asked {
        client: CONSUMER.parse().expect("a client"),
        from: None,
        token: None,
        method: Method::Get,
        target: format!("/r1/{SERVICE}/persons/1"),
        purpose: Some("dossier.verify".parse().expect("a purpose")),
    };
    change(&mut asked);
    let standing = directory();
    let lines = explain(
        &node.access.hosted().now(),
        Some(&standing.view),
        &asked,
        node.clock.now(),
    );
    assert!(lines.iter().all(|line| !line.vi.is_empty() && !line.en.is_empty()));
    lines.into_iter().map(|line| line.en).collect()
}

#[tokio::test]
async fn each_turn_of_the_way_is_told() {
    for (ours, theirs, wire) in pairs().await {
        let last = |lines: Vec<String>| lines.last().cloned().unwrap_or_default();
        assert!(last(lines(&theirs, |_| {}).await).contains("No grant of VN/GOV/H57/motcua"));
        let id = filed(&ours, &wire).await;
        assert!(last(lines(&theirs, |_| {}).await).contains("has not answered yet"));
        let approve = Command::Approve {
            terms: terms(),
            note: String::new(),
        };
        theirs.command(Side::Incoming, id, approve).await.expect("approved");
        let told = lines(&theirs, |_| {}).await;
        assert!(told[0].contains("through its own member's node"), "{told:?}");
        assert!(told.iter().any(|line| line.starts_with("Allowed:")), "{told:?}");
        assert!(last(told).contains(&id.to_string()));

        let told = lines(&theirs, |asked| {
            asked.method = Method::Delete;
            asked.target = format!("/r1/{SERVICE}/persons");
            asked.purpose = Some("statistics.other".parse().expect("a purpose"));
        });
        let told = last(told.await);
        for miss in ["methods GET, not DELETE", "not “/persons”", "not statistics.other"] {
            assert!(told.contains(miss), "{told}");
        }
        for (target, word) in [
            (format!("/r1/{SERVICE}/persons/%2F1"), "refused"),
            (format!("/r1/{SERVICE}/persons/../1"), "refused"),
            ("/nonsense".to_owned(), "refused"),
            (format!("/r1/{PROVIDER}/listMethods"), "Allowed"),
            (format!("/r1/{PROVIDER}/motcuaAccess/orders"), "open to every member"),
            (format!("/r1/{PROVIDER}/unheard"), "neither this node nor the directory"),
            ("/r1/VN/GOV/H99/x/y".to_owned(), "neither this node nor the directory"),
            (format!("/r1/{PROVIDER}/gone/x"), "10.9.0.1:5500"),
        ] {
            let told = last(lines(&theirs, |asked| asked.target.clone_from(&target)).await);
            assert!(told.contains(word), "{target}: {told}");
        }
        for (client, word) in [
            ("VN/GOV/H57", "names no subsystem"),
            ("VN/GOV/H99/x", "suspended in the directory"),
            ("VN/GOV/H57/khac", "no system"),
            ("VN/GOV/H12/x", "no member"),
        ] {
            let told = lines(&theirs, |asked| asked.client = client.parse().expect("a client")).await;
            assert!(told[0].contains(word), "{client}: {}", told[0]);
        }
        let at_home = |from: &str| {
            let from = from.parse().ok();
            lines(&ours, move |asked| asked.from = from)
        };
        assert!(at_home("10.1.2.9").await[0].contains("network of its own"));
        assert!(at_home("10.1.3.9").await[0].contains("refuses before"));
        assert!(last(lines(&theirs, |asked| asked.purpose = None).await).contains("no purpose is stated"));
    }
}
