//! Putting records into the registries of a node: taken over with their histories, each version as if it had been written here on its day.

use std::sync::Arc;

use anyhow::Context as _;
use base::{Clock as _, Timestamp, time::SystemClock};
use country::Day;
use identity::Ctx;
use registry::{
    history::Moment,
    model::{Registry, RegistryCode},
    service::{Recorded, Registries, With},
};

use super::{Chronicle, Told};

/// Versions that are taken over at once.
pub const AT_ONCE: usize = 2_000;
/// In whose name records are written.
const LOADER: &str = "Nạp dữ liệu ban đầu";

/// Loads records into a registry; how many versions that made. A load that broke off goes on where it ended.
///
/// # Errors
/// There is no such registry, a record does not pass its rules, or the database failed.
pub async fn load(registries: &Registries, code: &RegistryCode, records: &[Chronicle]) -> anyhow::Result<usize> {
    let registry = registry(registries, code)?;
    let keys: Vec<String> = records
        .iter()
        .map(|record| key(&registry, record))
        .collect::<anyhow::Result<_>>()?;
    let mut order: Vec<(Day, usize, usize)> = records
        .iter()
        .enumerate()
        .flat_map(|(record, chronicle)| {
            let told = chronicle.told.iter().enumerate();
            told.map(move |(nth, told)| (told.recorded, record, nth))
        })
        .collect();
    order.sort_unstable();
    let version = |(_, record, nth): &(Day, usize, usize)| {
        let told = records.get(*record)?.told.get(*nth)?;
        Some(recorded(&registry, keys.get(*record)?, *nth, told))
    };
    let mut versions = 0;
    for some in order.chunks(AT_ONCE) {
        let some: Vec<Recorded> = some.iter().filter_map(version).collect();
        versions += take_over(registries, code, &some).await?;
    }
    Ok(versions)
}

/// The registry as it is in force.
pub(super) fn registry(registries: &Registries, code: &RegistryCode) -> anyhow::Result<Arc<Registry>> {
    let editions = registries.shelf().get(code);
    Ok(editions.with_context(|| format!("no registry {code}"))?.current())
}

/// The key of a record.
pub(super) fn key(registry: &Registry, record: &Chronicle) -> anyhow::Result<String> {
    let body = record.told.iter().find_map(|told| told.body.as_ref());
    let key = registry.key_of(body.context("a record that says nothing")?);
    Ok(key.map_err(|problems| base::Error::Refused(base::Kind::Invalid, problems))?)
}

/// The `nth` version of a record, from 0, as its registry takes it over.
fn recorded(registry: &Registry, key: &str, nth: usize, told: &Told) -> Recorded {
    let from = moment(registry, told.from);
    Recorded {
        key: key.to_owned(),
        seq: nth as i64 + 1,
        recorded_at: morning(told.recorded),
        corrects: told.corrects,
        says: match &told.body {
            Some(body) => With::Holds {
                from,
                to: None,
                body: body.clone(),
            },
            None => With::Ends { at: from },
        },
        source: told.ground.source.to_owned(),
        basis: told.ground.basis.to_owned(),
    }
}

/// Takes versions over; how many were not there before.
pub(super) async fn take_over(
    registries: &Registries,
    code: &RegistryCode,
    versions: &[Recorded],
) -> anyhow::Result<usize> {
    // The country may be told beyond today.
    let last = versions
        .last()
        .map_or(Timestamp::from_micros(0), |last| last.recorded_at);
    let ctx = Ctx::system(LOADER, SystemClock.now().max(last));
    let taken = registries.take_over(&ctx, code, versions).await;
    taken.with_context(|| format!("loading {code}"))
}

/// A day as a registry counts.
pub(super) fn moment(registry: &Registry, day: Day) -> Moment {
    Moment::of(morning(day), registry.valid_time)
}

/// When offices open.
pub(super) fn morning(day: Day) -> Timestamp {
    Timestamp::from_legal(day.date().at(8, 0, 0, 0))
}
