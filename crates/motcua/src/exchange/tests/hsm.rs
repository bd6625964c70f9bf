//! A node whose keys never leave an HSM: SoftHSM2, which speaks PKCS#11 as hardware does.
//!
//! Where its tokens are, the module learns from the environment and once per process, so the test runs in a process of its own.

use std::{os::unix::fs::PermissionsExt as _, process::Command as Program};

use super::{
    super::{
        commands::Token,
        keys::{Rotate, rotate_by_hand},
    },
    *,
};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const FOLDER: &str = "MOTCUA_TEST_TOKENS";
const TOKEN: &str = "Một Cửa";

fn in_a_process_with_a_token() {
    assert!(
        Path::new(MODULE).exists(),
        "{MODULE} is missing: apt-get install softhsm2"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let (tokens, pin) = (folder.path().join("tokens"), folder.path().join("pin"));
    std::fs::create_dir(&tokens).expect("a folder");
    std::fs::write(&pin, "1234\n").expect("written");
    std::fs::set_permissions(&pin, std::fs::Permissions::from_mode(0o600)).expect("mine");
    let config = folder.path().join("softhsm2.conf");
    let settings = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    std::fs::write(&config, settings).expect("written");
    let run = |program: &mut Program| {
        let said = program
            .env("SOFTHSM2_CONF", &config)
            .env(FOLDER, folder.path())
            .output()
            .expect("it starts");
        let (out, errors) = (
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr),
        );
        let text = format!("{out}{errors}");
        assert!(said.status.success(), "{text}");
        text
    };
    let mut init = Program::new("softhsm2-util");
    run(init.args([
        "--init-token",
        "--free",
        "--label",
        TOKEN,
        "--pin",
        "1234",
        "--so-pin",
        "5678",
    ]));
    let mut this = Program::new(std::env::current_exe().expect("this test"));
    let name = "exchange::tests::hsm::keys_in_an_hsm_serve_and_rotate";
    assert!(run(this.args(["--exact", name, "--nocapture"])).contains("1 passed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_in_an_hsm_serve_and_rotate() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return in_a_process_with_a_token();
    };
    let dir = Path::new(&folder);
    let token = Token {
        pkcs11: Some(MODULE.into()),
        token: Some(TOKEN.to_owned()),
        pin_file: Some(dir.join("pin")),
    };
    let operator = founded(dir).await;
    let asks = member(
        &operator,
        config(&dir.join("a")),
        "VN/GOV/000.00.00.H42",
        "Tỉnh Ninh Bình",
    )
    .await;
    asks.system(ASKS).await;
    for (n, algorithm) in [trust::Algorithm::Ed25519, trust::Algorithm::EcdsaP256]
        .into_iter()
        .enumerate()
    {
        let name = format!("VN/GOV/000.00.00.G0{n}");
        let (text, url) = config_text(&dir.join(format!("hsm{n}")), "");
        let path = dir.join(format!("hsm{n}.toml"));
        std::fs::write(&path, text).expect("written");
        let config = Config::read(&path).expect("a configuration");
        let key = |what: &str| token.key(&format!("node{n}-{what}"), algorithm).expect("a key");
        let new = NewNode {
            algorithm,
            tls_key: key("tls"),
            log_key: key("log"),
            ..new_node(&config, &url, &name, &format!("Bộ có thiết bị bảo mật số {n}"))
        };
        assert_eq!(key("tls"), new.tls_key, "a key that is there is taken up");
        let answers = joining_as(&operator, config.clone(), url, &new).await;
        answers.system(&format!("{name}/dancu")).await;
        asks.learn().await;
        answers.learn().await;
        // A refusal is signed by the provider's log, and came over a connection that its key of TLS opened.
        let target = format!("/r1/{name}/dancu/persons/1");
        let called = async || asks.call(&target).await.1["type"].as_str().map(str::to_owned);
        let unknown = Some("Server.ServerProxy.UnknownService".to_owned());
        until("both believe each other", async || {
            (called().await == unknown).then_some(())
        })
        .await;
        let files: Vec<_> = std::fs::read_dir(config.data.join(commands::FOLDER))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        assert!(
            !files.iter().any(|name| name.ends_with(".key")),
            "no key on disk: {files:?}"
        );
        let ledger = answers.whole.dossiers.ledger().expect("a log");
        assert!(ledger.log.size() > 0);
        let checkpoint = ledger.log.checkpoint();
        assert!(ledger.keys.iter().any(|key| checkpoint.verify(key).is_ok()));

        // The next key is made in the HSM, too.
        rotate_by_hand(&Rotate::of(&path, None)).await.expect("rotated");
        asks.learn().await;
        let joined = answers.joined();
        joined
            .keys
            .look(&joined.follower, Duration::from_millis(400))
            .await
            .expect("taken up");
        assert_eq!(joined.tls.shown(), 1);
        assert_eq!(called().await, unknown);
        assert!(config.data.join(commands::FOLDER).join("former.json").exists());
    }
}
