//! Erasure: what the law no longer lets be kept is taken out of the log, and the log says so itself.
//!
//! First comes a leaf that names what is erased, by whom and on which ground; then the fold erases it. So a crash in between
//! is mended, the tables can be made anew, and nobody can erase without a trace. The commitments stay: every proof verifies.

use std::collections::BTreeMap;

use base::{Error, Kind, Result, Timestamp};
use identity::{Ctx, Permission, Scope};
use ledger::Kind as Leaf;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Journal, LeafId, Retention, store as tables};

/// Leaves of one erasure at most.
const MOST_LEAVES: i64 = 500;
/// The longest ground, in characters.
const LONGEST_GROUND: usize = 500;
/// Erasures on one page.
pub(super) const PAGE: i64 = 50;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// What a leaf of the kind [`ledger::Kind::ERASURE`] says, as JSON. It must say nothing of persons: it is never erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureRecord {
    /// When.
    pub at: Timestamp,
    /// By whom: the office, or the rule.
    pub by: String,
    /// On which ground.
    pub ground: String,
    /// The log that has the leaves, if it is not the one that has this record: one that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The leaves.
    pub leaves: Vec<u64>,
}

/// An erasure that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Erasure {
    /// The leaf that says so.
    pub leaf: LeafId,
    /// When.
    pub at: Timestamp,
    /// By whom: the office, or the rule.
    pub by: String,
    /// On which ground.
    pub ground: String,
    /// How many leaves.
    pub leaves: i64,
}

/// A lawful demand to erase what the log has of one request.
#[derive(Debug, Clone)]
pub struct Demand {
    /// `X-Road-Request-Id`.
    pub request: Uuid,
    /// On which ground: article, decision, date.
    pub ground: String,
    /// The read in the data tracker too, and reads on this node by the same request. The person can no longer see them then.
    pub read_too: bool,
}

impl Journal {
    /// Erases what the log has of one request. How many leaves it was.
    ///
    /// # Errors
    /// `Forbidden` to all but administrators of the node; `Invalid` without a ground; `NotFound` when there is no such
    /// request, or it is erased.
    pub async fn erase(&self, ctx: &Ctx, demand: &Demand) -> Result<usize> {
        self.require_eraser(ctx)?;
        let ground = ground(&demand.ground)?;
        self.catch_up().await?;
        let db = self.0.store.read();
        let mut leaves: Vec<LeafId> = tables::of_request(&db, demand.request)
            .await?
            .iter()
            .map(|row| LeafId::of_key(row.leaf))
            .collect();
        if demand.read_too {
            let read = tables::read_of_request(&db, demand.request).await?;
            leaves.extend(read.map(LeafId::of_key));
            for log in self.at_hand() {
                let number = self.number(log).await?;
                let here = self.0.identity.read_leaves_of(log.origin(), demand.request).await?;
                leaves.extend(here.into_iter().map(|leaf| LeafId::new(number, leaf)));
            }
        }
        if leaves.is_empty() {
            return Err(Error::not_found(
                "thông điệp của yêu cầu này",
                "message of this request",
            ));
        }
        // The office, not the name: the record is for ever.
        let by = match &ctx.actor {
            identity::Actor::Officer(officer) => format!("{} ({})", officer.title, officer.agency),
            _ => self.0.config.agency.clone(),
        };
        self.append_erasures(&by, &ground, &leaves, ctx.now).await
    }

    /// Erases what has been kept for as long as the rules say; how many leaves. [`super::handlers`] calls it once an hour.
    ///
    /// # Errors
    /// The database or the log failed.
    pub async fn erase_due(&self, now: Timestamp) -> Result<usize> {
        self.catch_up().await?;
        let rules = &self.0.config.retention;
        let named: Vec<String> = rules
            .iter()
            .filter_map(|rule| rule.service.as_ref().map(ToString::to_string))
            .collect();
        let mut erased = 0;
        for (n, rule) in rules.iter().enumerate() {
            // Of two rules for the same service the first holds.
            if rules[..n].iter().any(|earlier| earlier.service == rule.service) {
                continue;
            }
            erased += self.erase_by(rule, &named, now).await?;
        }
        Ok(erased)
    }

    async fn erase_by(&self, rule: &Retention, named: &[String], now: Timestamp) -> Result<usize> {
        let before = now.plus_seconds(-DAY * i64::from(rule.days));
        let service = rule.service.as_ref().map(ToString::to_string);
        let mut erased = 0;
        loop {
            let db = self.0.store.read();
            let due = tables::due(&db, service.as_deref(), named, before, MOST_LEAVES).await?;
            if due.is_empty() {
                return Ok(erased);
            }
            let by = match &service {
                Some(service) => format!("retention {service} {} d", rule.days),
                None => format!("retention {} d", rule.days),
            };
            let leaves: Vec<_> = due.into_iter().map(LeafId::of_key).collect();
            erased += self.append_erasures(&by, &rule.ground, &leaves, now).await?;
        }
    }

    /// One record for each log that has some of the leaves. How many they are.
    async fn append_erasures(&self, by: &str, ground: &str, leaves: &[LeafId], at: Timestamp) -> Result<usize> {
        let present = self.number(&self.0.log).await?;
        let mut of_logs: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for leaf in leaves {
            of_logs.entry(leaf.log()).or_default().push(leaf.leaf());
        }
        for (number, leaves) in of_logs {
            let log = if number == present {
                None
            } else {
                self.logs().await?.get(&number).cloned()
            };
            let (by, ground) = (by.to_owned(), ground.to_owned());
            let record = serde_json::to_vec(&ErasureRecord {
                at,
                by,
                ground,
                log,
                leaves,
            })?;
            let appended = self.0.log.append(Leaf::ERASURE, record).await;
            appended.map_err(Error::internal)?;
        }
        self.catch_up().await?;
        Ok(leaves.len())
    }

    /// Erasures before a leaf, newest first, and where the next page starts.
    ///
    /// # Errors
    /// `Forbidden` to all but auditors of the agency and administrators of the node.
    pub(super) async fn erasures(&self, ctx: &Ctx, before: Option<LeafId>) -> Result<(Vec<Erasure>, Option<LeafId>)> {
        if self.require_auditor(ctx).is_err() {
            self.require_eraser(ctx)?;
        }
        let mut rows = tables::erasures(&self.0.store.read(), before.map_or(i64::MAX, LeafId::key), PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let erasures: Vec<Erasure> = rows
            .into_iter()
            .map(|row| Erasure {
                leaf: LeafId::of_key(row.leaf),
                at: Timestamp::from_micros(row.at),
                by: row.actor,
                ground: row.ground,
                leaves: row.leaves,
            })
            .collect();
        let next = more.then(|| erasures.last().map(|erasure| erasure.leaf)).flatten();
        Ok((erasures, next))
    }

    pub(super) fn require_eraser(&self, ctx: &Ctx) -> Result<()> {
        ctx.require(Permission::ManageReference, &Scope::Anywhere)
    }
}

fn ground(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_GROUND || text.chars().any(char::is_control) {
        let mut problems = base::Problems::new();
        problems.add(
            "erasure-ground",
            "ground",
            "Nêu căn cứ pháp lý của việc xóa trong một dòng, tối đa 500 ký tự: điều luật, số và ngày của quyết định.",
            "Give the legal ground in one line of 500 characters at most: the article, number and date of the decision.",
        );
        return Err(Error::Refused(Kind::Invalid, problems));
    }
    Ok(text.to_owned())
}
