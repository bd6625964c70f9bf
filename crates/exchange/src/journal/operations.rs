//! Operational monitoring: how messages fared, with X-Road's names (PR-OPMON).

use std::collections::BTreeMap;

use ::store::transact;
use base::{Result, Timestamp};
use identity::{Ctx, Permission, Scope};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Journal,
    store::{self as tables, HourRow},
    traffic::{LONGEST_LOOK, is_of_map},
};
use crate::model::{
    identifier::{ClientId, ServiceId},
    monitor::OpRecord,
};

/// A good length for the channel of [`Journal::keep_operations`]: records that may wait for the database.
pub const QUEUE: usize = 8192;
/// Records written in one transaction.
const BATCH: usize = 256;
/// Records of one answer (PR-OPMON: 10,000; a page of ours is a tenth).
const PAGE: u32 = 1000;
/// Records taken away in one transaction.
const SWEPT: i64 = 5_000;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// What is asked of the records.
#[derive(Debug, Clone, Default)]
pub struct OpQuery {
    /// From this instant on; a day ago without it.
    pub from: Option<Timestamp>,
    /// Before this instant; now without it.
    pub to: Option<Timestamp>,
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only of this service.
    pub service: Option<ServiceId>,
    /// The last record of the page before.
    pub after: Option<(i64, Uuid)>,
    /// How many at most; [`PAGE`] when not said.
    pub most: Option<u32>,
}

/// Records, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Operations {
    /// The records.
    pub records: Vec<OpRecord>,
    /// Where the next page starts; absent on the last.
    pub next: Option<(i64, Uuid)>,
}

/// What passed in an hour, or through a service.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct HourLine {
    /// Messages.
    pub n: i64,
    /// Those that failed.
    pub failed: i64,
    /// Milliseconds of all.
    pub millis: i64,
    /// How many were of which class: up to 2^key milliseconds.
    classes: BTreeMap<i64, i64>,
}

impl HourLine {
    fn add(&mut self, row: &HourRow) {
        self.n += row.n;
        self.failed += row.failed;
        self.millis += row.millis;
        *self.classes.entry(row.bucket).or_default() += row.n;
    }

    /// Milliseconds within which this share of them (0 to 1) was done: the upper end of a class, each twice as wide as the one
    /// before. None when nothing passed.
    pub fn within(&self, share: f64) -> Option<i64> {
        let wanted = (self.n as f64 * share).ceil() as i64;
        let mut seen = 0;
        for (class, n) in &self.classes {
            seen += n;
            if *n > 0 && seen >= wanted {
                return Some(1 << (*class).clamp(0, 62));
            }
        }
        None
    }

    /// Milliseconds on average; none when nothing passed.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.millis as f64 / self.n as f64)
    }
}

/// By hour, and by service and side.
pub(super) type Report = (BTreeMap<i64, HourLine>, BTreeMap<(String, String), HourLine>);

impl Journal {
    /// Writes what comes through the channel, many records in one transaction, until its last sender is gone. Senders use
    /// `try_send`: a message never waits for its monitoring, and a record that finds the channel full is lost.
    pub async fn keep_operations(self, mut records: mpsc::Receiver<OpRecord>) {
        let mut batch = Vec::with_capacity(BATCH);
        while records.recv_many(&mut batch, BATCH).await > 0 {
            let now = self.0.clock.now();
            let kept = transact!(self.0.store, |tx| {
                tables::add_operations(&tx, &batch, is_of_map, now).await
            });
            if let Err(error) = kept {
                tracing::error!(%error, records = batch.len(), "operational monitoring could not be written");
            }
            batch.clear();
        }
    }

    /// Takes away what is older than the settings say.
    pub(super) async fn forget_operations(&self, now: Timestamp) -> Result<()> {
        let before = now.plus_seconds(-DAY * i64::from(self.0.config.operation_days));
        while transact!(self.0.store, |tx| {
            tables::delete_operations(&tx, before, SWEPT).await
        })? > 0
        {}
        let before = now.plus_seconds(-LONGEST_LOOK * 2);
        transact!(self.0.store, |tx| { tables::delete_traffic(&tx, before).await })?;
        Ok(())
    }

    /// Records, for those who watch the node.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ReadStatistics`] for the node's agency; the database failed.
    pub async fn operations(&self, ctx: &Ctx, asked: &OpQuery) -> Result<Operations> {
        self.require_watcher(ctx)?;
        let to = asked.to.unwrap_or(ctx.now);
        let from = asked.from.unwrap_or(to.plus_seconds(-DAY));
        let (client, service) = (
            asked.client.as_ref().map(ToString::to_string),
            asked.service.as_ref().map(ToString::to_string),
        );
        let only = (client.as_deref(), service.as_deref());
        let most = asked.most.unwrap_or(PAGE);
        let db = self.0.store.read();
        let mut rows = tables::operations(&db, (from, to), only, asked.after, i64::from(most) + 1).await?;
        let more = rows.len() > most as usize;
        rows.truncate(most as usize);
        let next = more.then(|| rows.last().map(|row| (row.at, row.id))).flatten();
        let records = rows.iter().map(|row| serde_json::from_str(&row.record));
        Ok(Operations {
            records: records.collect::<Result<_, _>>()?,
            next,
        })
    }

    /// What passed from one instant until another, in whole hours: by hour since 1970, and by service and side.
    ///
    /// # Errors
    /// As [`Self::operations`].
    pub(super) async fn operation_report(&self, ctx: &Ctx, from: Timestamp, to: Timestamp) -> Result<Report> {
        self.require_watcher(ctx)?;
        let (mut by_hour, mut by_service) = Report::default();
        for row in tables::hours(&self.0.store.read(), from, to).await? {
            by_hour.entry(row.hour).or_default().add(&row);
            let key = (row.service.clone(), row.side.clone());
            by_service.entry(key).or_default().add(&row);
        }
        Ok((by_hour, by_service))
    }

    fn require_watcher(&self, ctx: &Ctx) -> Result<()> {
        let agency = Scope::Agency(self.0.config.agency.clone());
        ctx.require(Permission::ReadStatistics, &agency)
    }
}
