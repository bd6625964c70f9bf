//! Fresh databases for tests: SQLite, and PostgreSQL too when `MOTCUA_TEST_POSTGRES` has an administrator's address.
//! `MOTCUA_TEST_ENGINE` leaves one of them out (`sqlite`, `postgres`; anything else is both).

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use base::Timestamp;
use sea_orm::{ConnectionTrait, Database};

use crate::{Config, Faults, Migrations, Store};

/// One fresh, migrated store per engine present. `MOTCUA_TEST_FAULTS=n` makes every n-th commit a conflict.
///
/// # Panics
/// When a database cannot be made: the test cannot say anything then.
pub async fn stores(sets: &[Migrations]) -> Vec<Store> {
    let mut stores = Vec::new();
    for config in configs().await {
        let store = Store::open(&config).await.expect("the test database opens");
        let mut all = vec![crate::MIGRATIONS];
        all.extend(sets.iter().filter(|s| s.owner != "store"));
        store
            .migrate(&all, Timestamp::from_micros(1))
            .await
            .expect("the migrations run");
        stores.push(store);
    }
    stores
}

/// The addresses of fresh, empty databases, one per engine present; for tests that open and close stores themselves.
///
/// # Panics
/// When a database cannot be made.
pub async fn configs() -> Vec<Config> {
    static SEQUENCE: AtomicU32 = AtomicU32::new(0);
    let faults = Faults {
        every: std::env::var("MOTCUA_TEST_FAULTS")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0),
    };
    // Kept, not removed on drop: a failed test leaves its file to look at; the folder is the system's temporary one.
    let folder: PathBuf = tempfile::Builder::new()
        .prefix("motcua-test")
        .tempdir()
        .expect("a temporary folder")
        .keep();
    let config = |url: String| Config {
        url,
        connections: 8,
        blobs: folder.join("blobs"),
        blob_key: [7; 32],
        faults,
    };
    let mut configs = vec![config(format!("sqlite:{}", folder.join("test.db").display()))];
    let only = std::env::var("MOTCUA_TEST_ENGINE").unwrap_or_default();
    let admin = std::env::var("MOTCUA_TEST_POSTGRES").ok().filter(|_| only != "sqlite");
    if only == "postgres" && admin.is_some() {
        configs.clear();
    }
    if let Some(admin) = admin {
        let n = SEQUENCE.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}_{n}_{:x}", std::process::id(), rand::random::<u32>());
        let db = Database::connect(&admin).await.expect("the test cluster answers");
        db.execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a test database");
        let (server, _) = admin.rsplit_once('/').expect("an address ends in /database");
        configs.push(config(format!("{server}/{name}")));
    }
    configs
}
