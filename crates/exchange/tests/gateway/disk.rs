//! Disks that are full: messages are refused, each under its own code, and when there is room again the nodes go on as they
//! are.
//!
//! A limit on the size of files stands for the full disk: a write beyond it fails like one on a full disk, and the limit
//! can be lifted while the process runs.

use std::process::{Command, Stdio};

use crate::{
    http::{get, post},
    services::echo,
    world::{Setup, World, at},
};

const ECHO: &str = "/r1/VN/GOV/B/reg/echo";

/// Sets the limit of this process, in bytes; none: no limit.
fn limit(bytes: Option<u64>) {
    let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let set = Command::new("prlimit")
        .args([
            "--pid",
            &std::process::id().to_string(),
            &format!("--fsize={soft}:unlimited"),
        ])
        .status()
        .expect("prlimit (util-linux)");
    assert!(set.success());
}

/// Where the frames end in the only segment of a node's log. Behind them is room: zeros.
fn segment(world: &World, code: &str) -> u64 {
    let path = world.federation.folder.path().join(code);
    let bytes = std::fs::read(path.join("segments/00000000000000000000.seg")).expect("a segment");
    let last = bytes.iter().rposition(|byte| *byte != 0).expect("frames");
    last as u64 + 1
}

/// Run by the test below, which ignores the signal that a process gets for such a write.
#[tokio::test]
#[ignore = "a child of the test of the full disk"]
async fn child_fills_the_disk() {
    if std::env::var_os("GATEWAY_CHILD").is_none() {
        return;
    }
    let mut provider = Setup::provider([("echo", at(&echo().await))]);
    provider.limits.verified_in_memory = 256 << 10;
    let world = World::new(Setup::consumer(), provider).await;
    // So that the log of one node is longer than that of the other: refused at the consumer, B has nothing of it.
    for _ in 0..20 {
        let answer = get(world.a.edge, "/r1/VN/GOV/B/reg/none").await;
        assert_eq!(answer.error(), "Server.ServerProxy.UnknownService");
    }
    assert_eq!(get(world.a.edge, ECHO).await.status, 200);
    let large = || vec![b'x'; 1 << 20];
    assert_eq!(post(world.a.edge, ECHO, large()).await.status, 200);

    // No room for a large body, where there is room for the records of small ones.
    limit(Some(900_000));
    let answer = post(world.a.edge, ECHO, large()).await;
    assert_eq!(answer.refused(), "Server.ServerProxy.InternalError body-not-kept");
    assert_eq!(post(world.a.edge, ECHO, "small").await.status, 200);

    // No room for a record.
    limit(Some(segment(&world, "A").min(segment(&world, "B")) + 100));
    for _ in 0..3 {
        let answer = post(world.a.edge, ECHO, "small").await;
        assert_eq!(answer.refused(), "Server.ClientProxy.LoggingFailed ledger-full");
        let problem = &answer.json()["problems"][0];
        assert!(
            problem["vi"]
                .as_str()
                .is_some_and(|text| text.contains("giải phóng dung lượng")),
            "{problem}"
        );
        assert!(
            problem["en"].as_str().is_some_and(|text| text.contains("make room")),
            "{problem}"
        );
    }

    // Room again: it goes on, nothing is half there, and both logs have the same.
    limit(None);
    for body in ["one", "two"] {
        assert_eq!(post(world.a.edge, ECHO, body).await.json()["body"], body);
    }
    assert_eq!(post(world.a.edge, ECHO, large()).await.status, 200);
    for node in [&world.a, &world.b] {
        node.gateway.settled().await;
        node.id.verify_offline();
    }
    // What was refused for want of room was logged where there was room for it, and nowhere else.
    let theirs = world.b.id.records();
    let ours = world.a.id.records();
    assert!(theirs.iter().all(|record| ours.contains(record)));
    assert_eq!(ours.len(), theirs.len() + 1, "the large request that B had no room for");
}

#[test]
fn a_full_disk_refuses_messages_and_room_lets_them_through_without_a_restart() {
    let child = Command::new("sh")
        .arg("-c")
        .arg("trap '' XFSZ; exec \"$0\" --exact disk::child_fills_the_disk --ignored --nocapture")
        .arg(std::env::current_exe().expect("this program"))
        .env("GATEWAY_CHILD", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}
