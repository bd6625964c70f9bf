//! Two gateways of one member behind one name: one of them is another process, and is killed.

use std::process::{Child, Command as Program, Stdio};

use store::testkit;

use super::*;

/// In the environment of the other process: the configuration by which it serves.
const SERVES: &str = "MOTCUA_TEST_SERVES";
const MEMBER: &str = "VN/GOV/000.00.00.G01";

/// A gateway of the member that shares what it hosts.
fn gateway(dir: &Path, code: &str, shared: &str) -> (std::path::PathBuf, Config, String, NewNode) {
    let (text, url) = config_text(&dir.join(code), "");
    let path = dir.join(format!("{code}.toml"));
    std::fs::write(&path, format!("{text}shared = {shared:?}\n")).expect("written");
    let config = Config::read(&path).expect("a configuration");
    let mut new = new_node(&config, &url, MEMBER, "Bộ Công an");
    new.gateway = Part::new(code).expect("a part");
    (path, config, url, new)
}

/// The other process, which is gone with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serving(config: &Path) -> Process {
    let this = std::env::current_exe().expect("this test");
    let name = "exchange::tests::gateways::one_gateway_is_killed_and_the_other_goes_on";
    let child = Program::new(this)
        .args(["--exact", name, "--nocapture"])
        .env(SERVES, config)
        .stdout(Stdio::null())
        .spawn();
    Process(child.expect("this test"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_gateway_is_killed_and_the_other_goes_on() {
    if let Some(config) = std::env::var_os(SERVES) {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = Config::read(Path::new(&config)).expect("a configuration");
        let store = open_store(&config).await.expect("a database");
        store.migrate(MIGRATIONS, SystemClock.now()).await.expect("migrated");
        let whole = Whole::open(config, store).await.expect("a node");
        crate::serve::serve(whole, |_| {}).await.expect("served");
        return;
    }
    for database in testkit::configs().await {
        let dirs = tempfile::tempdir().expect("a folder");
        let dir = dirs.path();
        let operator = founded(dir).await;
        let asks = member(
            &operator,
            config(&dir.join("a")),
            "VN/GOV/000.00.00.H42",
            "Tỉnh Ninh Bình",
        )
        .await;
        let (one_path, one_config, _, one_new) = gateway(dir, "ss1", &database.url);
        let (_, two_config, two_url, two_new) = gateway(dir, "ss2", &database.url);
        let store = shared::open(&two_config).await.expect("opened").expect("a database");
        store
            .migrate(shared::MIGRATIONS, SystemClock.now())
            .await
            .expect("migrated");
        store.close().await;
        join_only(&operator, &one_config, &one_new).await;
        let two = joining_as(&operator, two_config, two_url, &two_new).await;
        let mut one = serving(&one_path);
        let peers = one_config.exchange.as_ref().expect("an exchange").peers;
        until("the other process serves", async || {
            tokio::net::TcpStream::connect(peers).await.ok()
        })
        .await;

        // Given at one gateway, known at the other.
        granted(&asks, &two).await;
        let target = format!("/r1/{ANSWERS}/persons/persons/037190001234");
        let answered = || two.joined().gateway.figures().provider.answered;
        let figures = || asks.joined().gateway.figures().consumer.answered;
        until("the other process knows of the grant", async || {
            let (here, all) = (answered(), figures());
            for _ in 0..8 {
                asks.call(&target).await;
            }
            // Answered by one of them, and not all by the one that is here.
            (figures() == all + 8 && answered() < here + 8).then_some(())
        })
        .await;
        let before = answered();
        for _ in 0..40 {
            let (status, person) = asks.call(&target).await;
            assert_eq!((status, &person["name"]), (200, &"Nguyễn Văn An".into()), "{person}");
        }
        let here = answered() - before;
        assert!((4..=36).contains(&here), "{here} of 40 came here");

        // Killed in the middle of the traffic: at most what was under way says that it does not know.
        let mut lost = 0;
        for n in 0..200 {
            if n == 50 {
                one.0.kill().expect("killed");
                one.0.wait().expect("gone");
            }
            let (status, said) = asks.call(&target).await;
            if status != 200 {
                assert_eq!(said["type"].as_str(), Some("Server.ClientProxy.IOError"), "{said}");
                lost += 1;
            }
        }
        assert!(lost <= 1, "{lost} lost");

        // It comes back with its own log, and takes part again.
        let _one = serving(&one_path);
        until("it takes part again", async || {
            let (here, all) = (answered(), figures());
            for _ in 0..8 {
                asks.call(&target).await;
            }
            (figures() == all + 8 && answered() < here + 8).then_some(())
        })
        .await;
    }
}
