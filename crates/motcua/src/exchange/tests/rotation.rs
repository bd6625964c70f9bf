//! Keys are replaced while messages go on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::time::FixedClock;

use super::{
    super::keys::{Keys, Retire, Rotate, retire_by_hand, rotate_by_hand},
    *,
};

const SOON: Duration = Duration::from_millis(400);

async fn everybody_learns(towns: [&Town; 2]) {
    for town in towns {
        town.learn().await;
    }
    // Whom to believe follows the edition by a moment.
    tokio::time::sleep(SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_on_over_rotation_renewal_and_retirement() {
    let dirs = tempfile::tempdir().expect("a folder");
    let dir = dirs.path();
    let operator = founded(dir).await;
    let mut towns = Vec::new();
    for (name, id, called) in [
        ("a", "VN/GOV/000.00.00.H42", "Tỉnh Ninh Bình"),
        ("b", "VN/GOV/000.00.00.G01", "Bộ Công an"),
    ] {
        let (text, url) = config_text(&dir.join(name), "");
        let path = dir.join(format!("{name}.toml"));
        std::fs::write(&path, text).expect("written");
        let config = Config::read(&path).expect("a configuration");
        towns.push((member(&operator, (config, url), id, called).await, path));
    }
    let [(asks, asks_path), (answers, answers_path)] = &towns[..] else {
        panic!("two")
    };
    granted(asks, answers).await;

    let (stop, many) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let traffic = {
        let (edge, stop, many) = (asks.edge(), Arc::clone(&stop), Arc::clone(&many));
        tokio::spawn(async move {
            let client = reqwest::Client::new();
            let url = format!("http://{edge}/r1/{ANSWERS}/persons/persons/037190001234");
            while !stop.load(Ordering::Relaxed) {
                let request = client.get(&url).header("X-Road-Client", ASKS);
                let answer = request
                    .header("X-Motcua-Purpose", "dossier.verify")
                    .send()
                    .await
                    .expect("an answer");
                let (status, body) = (answer.status(), answer.text().await.expect("a body"));
                assert_eq!(status, 200, "{body}");
                many.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let goes_on = async || {
        let before = many.load(Ordering::Relaxed);
        until("messages go on", async || {
            assert!(!traffic.is_finished(), "a message was refused");
            (many.load(Ordering::Relaxed) > before + 20).then_some(())
        })
        .await;
    };
    goes_on().await;

    // By hand, of both sides, beside the running nodes; one of them to the other algorithm.
    for (town, path, algorithm) in [
        (asks, asks_path, None),
        (answers, answers_path, Some("p256".to_owned())),
    ] {
        let joined = town.joined();
        let shown = joined.tls.shown();
        let until = joined.keys.until().await.expect("a certificate");
        rotate_by_hand(&Rotate::of(path, algorithm)).await.expect("rotated");
        everybody_learns([asks, answers]).await;
        joined.keys.look(&joined.follower, SOON).await.expect("taken up");
        assert_eq!(joined.tls.shown(), shown + 1, "the running node shows it");
        assert!(joined.keys.until().await.expect("a certificate") >= until);
        goes_on().await;
        let opened = asks.joined().gateway.figures().links_opened;
        retire_by_hand(&Retire::of(path)).await.expect("retired");
        everybody_learns([asks, answers]).await;
        goes_on().await;
        assert!(asks.joined().gateway.figures().links_opened >= opened);
    }

    // By itself, when the certificate nears its end; the key before it is retired a day later.
    let at = |town: &Town, days: i64| {
        let folder = town.config.data.join(commands::FOLDER);
        let at = SystemClock.now().plus_seconds(days * 86_400);
        let node = join::Node::open(&folder).expect("a node");
        Keys::new(&folder, node, town.joined().tls.clone(), Arc::new(FixedClock::at(at)))
    };
    let believed = |town: &Town| {
        let standing = asks.joined().follower.standing().load_full();
        let member = standing
            .view
            .member(&town.joined().server.owner)
            .expect("a member")
            .clone();
        member.gateways[0].keys.len()
    };
    let joined = answers.joined();
    let shown = joined.tls.shown();
    at(answers, 200).look(&joined.follower, SOON).await.expect("looked");
    assert_eq!(joined.tls.shown(), shown, "not yet");
    let renewing = at(answers, 300);
    let (renewed, ()) = tokio::join!(renewing.look(&joined.follower, 3 * SOON), async {
        tokio::time::sleep(SOON).await;
        everybody_learns([asks, answers]).await;
    });
    renewed.expect("renewed");
    assert_eq!((joined.tls.shown(), believed(answers)), (shown + 1, 2));
    goes_on().await;

    // A day later nobody believes the key before it any more.
    let joined = asks.joined();
    rotate_by_hand(&Rotate::of(asks_path, None)).await.expect("rotated");
    everybody_learns([asks, answers]).await;
    joined.keys.look(&joined.follower, SOON).await.expect("taken up");
    assert_eq!(believed(asks), 2);
    at(asks, 2).look(&joined.follower, SOON).await.expect("retired");
    everybody_learns([asks, answers]).await;
    assert_eq!(believed(asks), 1);
    goes_on().await;
    stop.store(true, Ordering::Relaxed);
    traffic.await.expect("every message was answered");
}
