//! Registries of this repository, kept over a database of a test.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use base::{Timestamp, time::FixedClock};
use identity::{Entropy, IdentityState, Shell};
use procedure::reference::Reference;
use registry::{folder, model::RegistryCode, service::Registries, shelf::Shelf};
use store::Store;

pub static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

pub fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant")
}

pub fn population() -> RegistryCode {
    "population".parse().expect("a code")
}

pub fn folders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries")
}

/// These registries, published, with who signs in there.
pub async fn kept(store: &Store, codes: &[&str]) -> (Registries, IdentityState) {
    let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
        .await
        .expect("a shelf");
    for code in codes {
        let files = folder::read(&folders().join(code)).expect("files");
        shelf.publish(&files, "test", now()).await.expect("published");
    }
    let identity = IdentityState::new(
        store.clone(),
        identity::Config::default(),
        &[9; 32],
        Arc::new(FixedClock::at(now())),
        Entropy::system(),
        Shell::default(),
    );
    let identity = identity.expect("good settings");
    (Registries::new(store.clone(), shelf, identity.clone()), identity)
}
