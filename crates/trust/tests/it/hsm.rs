//! Keys in SoftHSM2, which is software but speaks PKCS#11 as hardware does.
//!
//! Where its tokens are, a PKCS#11 module learns from the environment and once per process, so each test runs in a
//! process of its own, on a folder of its own.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
};

use cryptoki::context::Pkcs11;
use trust::{
    Algorithm, Explained, KeyError, Location, Purpose, Signer,
    ca::Profile,
    key::{self, TokenKey, TokenUri},
    tls::Credential,
};

use crate::common::{Federation, member, now};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const FOLDER: &str = "TRUST_TEST_TOKENS";
const TOKEN: &str = "Một Cửa";

/// Runs `test` in a process with a fresh token; called again there, runs it.
fn with_token(name: &str, test: fn(&Path)) {
    if let Some(folder) = env::var_os(FOLDER) {
        return test(Path::new(&folder));
    }
    assert!(
        Path::new(MODULE).exists(),
        "{MODULE} is missing: these tests sign in SoftHSM2. Install it: apt-get install softhsm2"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).expect("mine");
    let config = folder.path().join("softhsm2.conf");
    fs::write(
        &config,
        format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()),
    )
    .expect("mine");
    set_pin(folder.path(), "1234");
    let initialized = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            TOKEN,
            "--pin",
            "1234",
            "--so-pin",
            "5678",
        ])
        .env("SOFTHSM2_CONF", &config)
        .output()
        .expect("softhsm2-util comes with softhsm2");
    assert!(
        initialized.status.success(),
        "{}",
        String::from_utf8_lossy(&initialized.stderr)
    );
    let output = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", &format!("hsm::{name}"), "--nocapture"])
        .env("SOFTHSM2_CONF", &config)
        .env(FOLDER, folder.path())
        .output()
        .expect("this test");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "no test hsm::{name}"
    );
}

fn set_pin(folder: &Path, pin: &str) {
    let path = folder.join("pin");
    fs::write(&path, format!("{pin}\n")).expect("mine");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mine");
}

fn uri(folder: &Path, object: &str) -> TokenUri {
    let text = format!(
        "pkcs11:token=M%E1%BB%99t%20C%E1%BB%ADa;object={object};id=%01?module-path={MODULE}&pin-source=file:{}",
        folder.join("pin").display()
    );
    match text.parse() {
        Ok(Location::Token(uri)) => uri,
        other => panic!("{other:?}"),
    }
}

/// Another user of the module in this process.
fn module() -> Pkcs11 {
    Pkcs11::new(MODULE).expect("SoftHSM2")
}

#[test]
fn a_key_is_made_in_the_token_and_signs_there() {
    with_token("a_key_is_made_in_the_token_and_signs_there", |folder| {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
            let uri = uri(folder, algorithm.name());
            let made = TokenKey::generate(&uri, algorithm).expect("a key");
            assert_eq!(made.algorithm(), algorithm);
            let again = key::open(&Location::Token(uri.clone())).expect("the key");
            assert_eq!(again.public_key(), made.public_key());
            for length in [0, 1, 32, 10_000] {
                let message = vec![7; length];
                let signature = again.sign(&message).expect("a signature");
                made.public_key().verify(&message, &signature).expect("its own");
            }
            assert_eq!(
                TokenKey::generate(&uri, algorithm).expect_err("taken").code(),
                "key-exists"
            );
        }
    });
}

#[test]
fn a_hundred_signatures_by_eight_threads_are_all_right() {
    with_token("a_hundred_signatures_by_eight_threads_are_all_right", |folder| {
        let key = TokenKey::generate(&uri(folder, "node"), Algorithm::EcdsaP256).expect("a key");
        thread::scope(|scope| {
            for thread in 0..8_u8 {
                let key = &key;
                scope.spawn(move || {
                    for n in 0..100_u8 {
                        let signature = key.sign(&[thread, n]).expect("a signature");
                        key.public_key().verify(&[thread, n], &signature).expect("its own");
                    }
                });
            }
        });
    });
}

#[test]
fn what_is_amiss_is_told() {
    with_token("what_is_amiss_is_told", |folder| {
        let good = uri(folder, "node");
        let code = |change: fn(&mut TokenUri)| {
            let mut uri = good.clone();
            change(&mut uri);
            TokenKey::open(&uri).expect_err("amiss").code()
        };
        assert_eq!(code(|uri| uri.module = PathBuf::from("/nowhere.so")), "hsm-module");
        assert_eq!(code(|uri| uri.token = "Another".to_owned()), "hsm-token-absent");
        assert_eq!(code(|uri| uri.serial = Some("0".to_owned())), "hsm-token-absent");
        assert_eq!(code(|_| {}), "hsm-key-absent");
        assert_eq!(
            code(|uri| uri.pin_file = Some(PathBuf::from("/nowhere"))),
            "key-missing"
        );
        set_pin(folder, "9999");
        assert_eq!(code(|_| {}), "hsm-pin");
        fs::set_permissions(folder.join("pin"), fs::Permissions::from_mode(0o644)).expect("mine");
        assert_eq!(code(|_| {}), "key-exposed");
    });
}

#[test]
fn the_key_signs_again_after_the_token_was_logged_out() {
    with_token("the_key_signs_again_after_the_token_was_logged_out", |folder| {
        let key = TokenKey::generate(&uri(folder, "node"), Algorithm::Ed25519).expect("a key");
        for _ in 0..3 {
            // Several sessions wait in the pool when the login is lost.
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| (0..20).for_each(|_| drop(key.sign(b"x").expect("a signature"))));
                }
            });
            let module = module();
            let slot = module.get_slots_with_initialized_token().expect("slots")[0];
            module
                .open_ro_session(slot)
                .expect("a session")
                .logout()
                .expect("logged in by the key");
            let signature = key.sign(b"x").expect("logged in again");
            key.public_key().verify(b"x", &signature).expect("its own");
        }
    });
}

#[test]
fn the_key_signs_again_after_the_token_was_away() {
    with_token("the_key_signs_again_after_the_token_was_away", |folder| {
        let key = TokenKey::generate(&uri(folder, "node"), Algorithm::EcdsaP256).expect("a key");
        let (tokens, away) = (folder.join("tokens"), folder.join("away"));
        // Unplugged: the module forgets all sessions and finds no token.
        fs::rename(&tokens, &away).expect("mine");
        fs::create_dir(&tokens).expect("mine");
        module().finalize().expect("initialised by the key");
        for _ in 0..2 {
            assert_eq!(key.sign(b"x").expect_err("away").code(), "hsm-token-absent");
        }
        // Plugged in again, perhaps in another slot.
        fs::remove_dir_all(&tokens).expect("mine");
        fs::rename(&away, &tokens).expect("mine");
        module().finalize().expect("initialised by the key");
        let signature = key.sign(b"x").expect("back");
        key.public_key().verify(b"x", &signature).expect("its own");
    });
}

#[test]
fn a_pin_that_was_refused_is_not_tried_again() {
    with_token("a_pin_that_was_refused_is_not_tried_again", |folder| {
        let key = TokenKey::generate(&uri(folder, "node"), Algorithm::Ed25519).expect("a key");
        set_pin(folder, "9999");
        module().finalize().expect("initialised by the key");
        assert_eq!(key.sign(b"x"), Err(KeyError::Pin(TOKEN.to_owned())));
        // The right one would do now, but the key asks the token no more.
        set_pin(folder, "1234");
        assert_eq!(key.sign(b"x"), Err(KeyError::Pin(TOKEN.to_owned())));
        TokenKey::open(&uri(folder, "node"))
            .expect("opened anew")
            .sign(b"x")
            .expect("a signature");
    });
}

#[test]
fn a_node_shakes_hands_with_a_key_in_the_token() {
    with_token("a_node_shakes_hands_with_a_key_in_the_token", |folder| {
        let federation = Federation::new();
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
            let signer: Arc<dyn Signer> =
                Arc::new(TokenKey::generate(&uri(folder, algorithm.name()), algorithm).expect("a key"));
            let certificate = federation.issue(signer.as_ref(), &member("HSM"), Profile::Node);
            let credential = Credential::new(std::slice::from_ref(&certificate), signer).expect("a pair");
            let node = trust::Tls::new(credential, federation.store(), Arc::new(federation.clock.clone()));
            let peer = crate::tls::shake_hands(&federation.node("B"), &node, "HSM");
            assert_eq!(peer.member, member("HSM"));
            federation
                .store()
                .judge(&[certificate.der().clone()], Purpose::Client, now())
                .expect("a member");
        }
    });
}
