//! The conformance of the services behind this node: checked when a service or its description changes, every night, and when
//! its steward asks; what was found is the badge in the directory. See `docs/service-rules.md`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ::store::{Job, Tx, jobs::Run, transact};
use base::{Clock, Error, Result, Timestamp};
use identity::{Ctx, Permission};
use jiff::civil::Time;
use serde_json::Value;
use uuid::Uuid;

use super::{Access, reach, services::no_service, visible};
use crate::{
    access::store::{self as tables, ServiceRow},
    conformance::{Options, check},
    model::{federation::Badge, identifier::ServiceId},
};

/// A service is to be checked.
pub(in crate::access) const CHECK: &str = "exchange.access.check";

/// Longest check; shorter than a job may be held.
const LONGEST: Duration = Duration::from_secs(90);
/// Most requests of one check: the service has its work to do.
const MOST_REQUESTS: u32 = 250;
/// Longest time for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// When the nightly checks begin, in legal time; each service has a minute of its own in the three hours from then.
const NIGHT: Time = Time::constant(1, 30, 0, 0);
const NIGHT_MINUTES: u128 = 180;

impl Access {
    /// The badges of this node's services: what the last check of each found, as long as its description is the one that was
    /// checked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn badges(&self) -> Result<BTreeMap<ServiceId, Badge>> {
        let rows = tables::checks(&self.store().read()).await?;
        rows.iter().map(|row| Ok((row.service()?, row.badge()?))).collect()
    }

    /// The report of the last check of a service, as `motcua service check --json` gives it.
    ///
    /// # Errors
    /// `NotFound` where it was not checked yet, or it is another agency's.
    pub async fn check_report(&self, ctx: &Ctx, id: Uuid) -> Result<Value> {
        reach(ctx, Permission::ReadExchange)?;
        let row = tables::service(&self.store().read(), id)
            .await?
            .ok_or_else(no_service)?;
        visible(ctx, &row.agency, no_service)?;
        let report = tables::report(&self.store().read(), id).await?;
        let report = report.ok_or_else(|| Error::not_found("kết quả kiểm thử", "result of a check"))?;
        Ok(serde_json::from_str(&report)?)
    }

    /// Has a service checked now.
    ///
    /// # Errors
    /// `Forbidden` or `NotFound` without the right; `Conflict` when it has no description to be checked against.
    pub async fn ask_for_check(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let row = self.managed_service(ctx, id).await?;
        if row.openapi_sha256.is_none() {
            return Err(Error::refused(
                base::Kind::Conflict,
                "no-description",
                "Dịch vụ chưa có mô tả OpenAPI nên chưa kiểm thử được; tải mô tả lên trước.",
                "The service has no OpenAPI description to be checked against; upload one first.",
            ));
        }
        transact!(self.store(), |tx| { check_at(&tx, id, ctx.now, ctx.now).await })
    }

    /// Checks a service and keeps what was found. Only methods that change nothing are called.
    pub(in crate::access) async fn carry_out_check(&self, run: &Run) -> Result<()> {
        let id: Uuid = run.payload()?;
        let db = self.store().read();
        let row = tables::service(&db, id).await?;
        let found = match (row, tables::document(&db, id).await?) {
            // What is switched off is not asked; its badge stays as it is.
            (Some(row), Some(document)) if row.disabled.is_none() => Some(self.checked(&row, document).await?),
            (Some(_), Some(_)) => None,
            // Gone, or without a description: there is nothing to come back for.
            _ => return transact!(self.store(), |tx| { run.done(&tx).await }),
        };
        let now = self.now();
        transact!(self.store(), |tx| {
            run.done(&tx).await?;
            if let Some((badge, report)) = &found {
                let kept = tables::service(&tx, id).await?.and_then(|row| row.openapi_sha256);
                // Another description came while this one was checked: its own check follows.
                if kept.as_deref() == Some(&badge.sha256) {
                    tables::put_check(&tx, id, badge, report).await?;
                }
            }
            check_at(&tx, id, tonight(id, now), now).await
        })
    }

    async fn checked(&self, row: &ServiceRow, document: Vec<u8>) -> Result<(Badge, String)> {
        // As the gateway calls it.
        let mut headers = vec![("X-Road-Client".to_owned(), row.service()?.provider.to_string())];
        if let Some(credential) = row.credential(&self.0.sealer)? {
            let key = credential.value.to_str().map_err(Error::internal)?;
            headers.push((credential.header.to_string(), key.to_owned()));
        }
        let options = Options {
            base: Some(row.url.clone()),
            headers,
            document: Some(document),
            verify_certificate: row.verify_certificate,
            services_only: true,
            max_requests: MOST_REQUESTS,
            timeout: PATIENCE,
            longest: LONGEST,
            ..Options::new(&row.url, Arc::clone(&self.0.clock) as Arc<dyn Clock>)
        };
        let report = check(&options, &mut |_| {}).await?;
        Ok((report.badge(), report.to_json()?.to_string()))
    }
}

/// Has a service checked at an instant.
pub(super) async fn check_at(tx: &Tx, id: Uuid, at: Timestamp, now: Timestamp) -> Result<()> {
    tx.enqueue(Job::new(CHECK, &id)?.key(format!("{CHECK}:{id}")).at(at), now)
        .await
}

/// The service's own minute of the next night, so that not all are checked at once.
fn tonight(id: Uuid, now: Timestamp) -> Timestamp {
    let minutes = i64::try_from(id.as_u128() % NIGHT_MINUTES).unwrap_or(0);
    let today = now.legal_date();
    let night = |date: jiff::civil::Date| Timestamp::from_legal(date.to_datetime(NIGHT)).plus_seconds(minutes * 60);
    match night(today) {
        at if at > now => at,
        _ => night(today.tomorrow().unwrap_or(today)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_its_minute_of_the_night() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).expect("an instant");
        let id = Uuid::from_u128(59);
        assert_eq!(
            tonight(id, at("2026-11-25T10:00:00+07:00")),
            at("2026-11-26T02:29:00+07:00")
        );
        assert_eq!(
            tonight(id, at("2026-11-26T02:28:59+07:00")),
            at("2026-11-26T02:29:00+07:00")
        );
        assert_eq!(
            tonight(id, at("2026-11-26T02:29:00+07:00")),
            at("2026-11-27T02:29:00+07:00")
        );
    }
}
