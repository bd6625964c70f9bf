//! Which pseudonym stands for what, for whom.

use std::collections::HashSet;

use base::{Result, Timestamp};
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};

use crate::model::{Behind, RegistryCode};

/// What is kept of one that was given.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct GivenRow {
    pub pseudonym: String,
    pub consumer: String,
    pub kind: String,
    pub value: String,
    pub edition: i64,
}

/// Which of these are known.
pub async fn known(db: &impl Read, pseudonyms: &[&str]) -> Result<HashSet<String>> {
    #[derive(Row)]
    struct Known {
        pseudonym: String,
    }
    let mut known = HashSet::with_capacity(pseudonyms.len());
    for pseudonyms in padded(pseudonyms, MOST_VALUES) {
        let sql = format!(
            "SELECT pseudonym FROM registry_pseudonym WHERE pseudonym IN ({})",
            among(1, pseudonyms.len())
        );
        let values = pseudonyms.iter().map(Param::value).collect();
        let rows: Vec<Known> = db.all(&sql, values).await?;
        known.extend(rows.into_iter().map(|row| row.pseudonym));
    }
    Ok(known)
}

/// Remembers new ones; of two who give the same at once either may.
pub async fn put(
    tx: &Tx,
    consumer: &str,
    registry: &RegistryCode,
    edition: u32,
    given: &[(&str, &Behind)],
    now: Timestamp,
) -> Result<()> {
    let row = |(pseudonym, behind): &(&str, &Behind)| {
        params![
            *pseudonym,
            consumer,
            registry.as_str(),
            behind.kind(),
            behind.value(),
            behind.about(),
            i64::from(edition),
            now
        ]
    };
    let rows: Vec<_> = given.iter().map(row).collect();
    let into = "registry_pseudonym (pseudonym, consumer, registry, kind, value, about, edition, given_at)";
    tx.insert(into, &rows, " ON CONFLICT (pseudonym) DO NOTHING").await
}

/// What stands behind one, of a registry.
pub async fn find(db: &impl Read, registry: &RegistryCode, pseudonym: &str) -> Result<Option<GivenRow>> {
    let sql = "SELECT pseudonym, consumer, kind, value, edition FROM registry_pseudonym WHERE pseudonym = $1 AND registry = $2";
    db.one(sql, params![pseudonym, registry.as_str()]).await
}

/// Forgets what stands for any of these.
pub async fn forget(tx: &Tx, registry: &RegistryCode, about: &[String]) -> Result<()> {
    for about in padded(about, MOST_VALUES) {
        let sql = format!(
            "DELETE FROM registry_pseudonym WHERE registry = $1 AND about IN ({})",
            among(2, about.len())
        );
        let mut values = params![registry.as_str()];
        values.extend(about.iter().map(Param::value));
        tx.exec(&sql, values).await?;
    }
    Ok(())
}
