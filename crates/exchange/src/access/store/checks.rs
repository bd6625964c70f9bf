//! What conformance checks of services found.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Error, Result, Timestamp};
use uuid::Uuid;

use crate::model::{federation::Badge, identifier::ServiceId};

/// The last check of a service, without its report.
#[derive(Debug, Clone, Row)]
pub struct CheckRow {
    service: String,
    checked_at: i64,
    rules: String,
    sha256: String,
    must_kept: i64,
    must_broken: i64,
    should_broken: i64,
}

impl CheckRow {
    pub fn service(&self) -> Result<ServiceId> {
        self.service.parse().map_err(Error::internal)
    }

    pub fn badge(&self) -> Result<Badge> {
        let count = |n: i64| u32::try_from(n).map_err(Error::internal);
        Ok(Badge {
            checked: Timestamp::from_micros(self.checked_at),
            rules: self.rules.clone(),
            sha256: self.sha256.clone(),
            passed: count(self.must_kept)?,
            failed: count(self.must_broken)?,
            advice: count(self.should_broken)?,
        })
    }
}

/// The last checks of all services whose description is still the one that was checked.
pub async fn checks(db: &impl Read) -> Result<Vec<CheckRow>> {
    let sql = "SELECT s.service, c.checked_at, c.rules, c.sha256, c.must_kept, c.must_broken, c.should_broken \
               FROM exchange_check c JOIN exchange_service s ON s.id = c.service AND s.openapi_sha256 = c.sha256 \
               ORDER BY s.service";
    db.all(sql, params![]).await
}

/// The report of the last check of a service (JSON).
pub async fn report(db: &impl Read, service: Uuid) -> Result<Option<String>> {
    db.scalar("SELECT report FROM exchange_check WHERE service = $1", params![service])
        .await
}

/// Keeps what a check found in place of what the one before did.
pub async fn put_check(tx: &Tx, service: Uuid, badge: &Badge, report: &str) -> Result<()> {
    let sql = "INSERT INTO exchange_check (service, checked_at, rules, sha256, must_kept, must_broken, should_broken, report) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (service) DO UPDATE SET \
               checked_at = excluded.checked_at, rules = excluded.rules, sha256 = excluded.sha256, \
               must_kept = excluded.must_kept, must_broken = excluded.must_broken, \
               should_broken = excluded.should_broken, report = excluded.report";
    let values = params![
        service,
        badge.checked,
        badge.rules,
        badge.sha256,
        i64::from(badge.passed),
        i64::from(badge.failed),
        i64::from(badge.advice),
        report
    ];
    tx.exec(sql, values).await.map(drop)
}

/// Forgets what was found: the service is another now.
pub async fn drop_check(tx: &Tx, service: Uuid) -> Result<()> {
    tx.exec("DELETE FROM exchange_check WHERE service = $1", params![service])
        .await
        .map(drop)
}
