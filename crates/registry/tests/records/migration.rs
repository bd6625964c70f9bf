//! Databases of earlier versions.

use base::Timestamp;
use store::{Read as _, Row, Store, params, sea_orm, transact};

use super::{offices, takeover};

#[derive(Debug, PartialEq, Row)]
struct FoundRow {
    valid_from: i64,
    known_from: i64,
    ended: bool,
    found: Vec<u8>,
}

async fn found(store: &Store) -> Vec<FoundRow> {
    let sql = "SELECT valid_from, known_from, ended, found FROM registry_segment ORDER BY known_from, valid_from";
    store.read().all(sql, params![]).await.expect("timelines")
}

async fn indexed(store: &Store) -> Option<i64> {
    let sql = "SELECT COUNT(*) FROM registry_index";
    store.read().scalar(sql, params![]).await.expect("the index")
}

#[tokio::test]
async fn older_timelines_are_told_by_what_is_found_in_them() {
    for seed in 10..13 {
        for office in offices().await {
            takeover::write_some(&office.registries, &mut takeover::Dice(seed)).await;
            let (written, index) = (found(&office.store).await, indexed(&office.store).await);
            assert!(written.iter().all(|row| row.found.is_empty() == row.ended));

            // As it was before the step.
            transact!(&office.store, |tx| {
                for sql in [
                    "ALTER TABLE registry_segment DROP COLUMN found",
                    "CREATE INDEX registry_index_record ON registry_index (record_id, slot)",
                    "DELETE FROM migration WHERE owner = 'registry' AND name = '0014_found'",
                ] {
                    tx.exec(sql, params![]).await?;
                }
                Ok(())
            })
            .expect("taken back");
            let ran = office
                .store
                .migrate(&[registry::MIGRATIONS], Timestamp::default())
                .await;
            assert_eq!(ran.expect("migrated"), ["registry/0014_found"]);
            assert_eq!(indexed(&office.store).await, index);
            assert!(found(&office.store).await == written, "seed {seed}");
        }
    }
}
