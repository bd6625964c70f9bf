//! Putting records into the registries of a node, by the use cases of production: new ones many at a time, later versions one by one,
//! each at the instant at which it was written down.

use std::collections::BTreeMap;

use anyhow::Context as _;
use base::Timestamp;
use country::Day;
use identity::Ctx;
use registry::{
    history::Moment,
    model::{Registry, RegistryCode},
    service::{Change, Fresh, Provenance, RecordId, Registries, Seen, Target, With},
};

use super::{Chronicle, Told};

/// New records that are taken in at once.
const AT_ONCE: usize = 500;
/// In whose name records are written.
const LOADER: &str = "Nạp dữ liệu ban đầu";

/// Loads records into a registry; how many versions that made. A load that broke off goes on where it ended.
///
/// # Errors
/// There is no such registry, a record does not pass its rules, or the database failed.
pub async fn load(registries: &Registries, code: &RegistryCode, records: &[Chronicle]) -> anyhow::Result<usize> {
    let registry = registries
        .shelf()
        .get(code)
        .with_context(|| format!("no registry {code}"))?
        .current();
    let mut days: BTreeMap<Day, Vec<(usize, usize)>> = BTreeMap::new();
    for (record, chronicle) in records.iter().enumerate() {
        for (nth, told) in chronicle.told.iter().enumerate() {
            days.entry(told.recorded).or_default().push((record, nth));
        }
    }
    let mut loader = Loader {
        registries,
        registry: &registry,
        records,
        seen: vec![None; records.len()],
    };
    let mut versions = 0;
    for (day, told) in days {
        versions += told.len();
        let (new, later): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, nth)| *nth == 0);
        for some in new.chunks(AT_ONCE) {
            loader.add(day, some).await?;
        }
        for (record, nth) in later {
            loader.write(day, record, nth).await?;
        }
    }
    Ok(versions)
}

struct Loader<'a> {
    registries: &'a Registries,
    registry: &'a Registry,
    records: &'a [Chronicle],
    /// What was made of each record so far.
    seen: Vec<Option<Seen>>,
}

impl Loader<'_> {
    /// New records of one day.
    async fn add(&mut self, day: Day, some: &[(usize, usize)]) -> anyhow::Result<()> {
        let mut by_source: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (record, nth) in some {
            by_source
                .entry(self.told(*record, *nth)?.source)
                .or_default()
                .push(*record);
        }
        for (source, records) in by_source {
            let fresh: Vec<Fresh> = records
                .iter()
                .map(|record| {
                    let told = self.told(*record, 0)?;
                    Ok(Fresh {
                        from: self.moment(told.from),
                        to: None,
                        body: told.body.clone(),
                    })
                })
                .collect::<anyhow::Result<_>>()?;
            let key = format!("load/{day}/{source}/{}", records.first().copied().unwrap_or_default());
            let code = &self.registry.code;
            let added = self
                .registries
                .add_many(&ctx(day), code, &fresh, &provenance(source), &key, false)
                .await?;
            for (record, added) in records.into_iter().zip(added) {
                let id: RecordId =
                    added.map_err(|problems| anyhow::anyhow!("{code}: record {record} of the list: {problems:?}"))?;
                if let Some(seen) = self.seen.get_mut(record) {
                    *seen = Some(Seen { record: id, seq: 1 });
                }
            }
        }
        Ok(())
    }

    /// A later version of a record.
    async fn write(&mut self, day: Day, record: usize, nth: usize) -> anyhow::Result<()> {
        let told = self.told(record, nth)?.clone();
        let seen = self
            .seen
            .get(record)
            .copied()
            .flatten()
            .context("a version of a record that is not there")?;
        let (from, body) = (self.moment(told.from), told.body);
        let change = match told.corrects {
            Some(corrects) => Change::Correct {
                record: seen,
                corrects,
                with: With::Holds { from, to: None, body },
            },
            None => Change::Assert {
                target: Target::Known(seen),
                from,
                to: None,
                body,
            },
        };
        let key = format!("load/{record}/{nth}");
        let code = &self.registry.code;
        let written = self
            .registries
            .write(&ctx(day), code, change, &provenance(told.source), &key)
            .await;
        let written = written.with_context(|| format!("{code}: version {} of record {record} of the list", nth + 1))?;
        if let Some(seen) = self.seen.get_mut(record) {
            *seen = Some(Seen {
                record: written.record,
                seq: written.seq,
            });
        }
        Ok(())
    }

    fn told(&self, record: usize, nth: usize) -> anyhow::Result<&Told> {
        let chronicle = self.records.get(record).context("a record of the list")?;
        chronicle.told.get(nth).context("a version of the record")
    }

    fn moment(&self, day: Day) -> Moment {
        Moment::of(morning(day), self.registry.valid_time)
    }
}

/// When offices open.
fn morning(day: Day) -> Timestamp {
    Timestamp::from_legal(day.date().at(8, 0, 0, 0))
}

fn ctx(day: Day) -> Ctx {
    Ctx::system(LOADER, morning(day))
}

fn provenance(source: &str) -> Provenance {
    Provenance {
        source: source.to_owned(),
        ..Provenance::default()
    }
}
