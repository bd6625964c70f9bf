//! Putting records into the registries of a node: taken over with their histories, each version as if it had been written here on its day.

use std::sync::Arc;

use anyhow::Context as _;
use base::{Clock as _, Timestamp, time::SystemClock};
use country::Day;
use identity::Ctx;
use registry::{
    history::Moment,
    model::{Registry, RegistryCode},
    service::{Recorded, Registries},
};

use super::Chronicle;

/// Versions that are taken over at once.
pub const AT_ONCE: usize = 4_000;
/// In whose name records are written.
const LOADER: &str = "Nạp dữ liệu ban đầu";

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
