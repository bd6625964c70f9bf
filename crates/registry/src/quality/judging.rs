//! The rules run in the background: over what the feed of changes tells, over what has grown old or begun to hold, and over all records
//! after a new version of the folder. Piece by piece; each piece is one transaction that also notes how far it came, so that nothing
//! is missed and nothing is judged twice whatever ends the process.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Id, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    Tx,
    jobs::{Job, Run},
    transact,
};
use uuid::Uuid;

use super::{
    Quality,
    findings::{MENDED, OPEN},
    look::{Look, Part, reference_tie, short_hash, unique_slot},
    month_of, stored_code,
    tables::{self, FindingRow, JudgedRow, StandingRow},
};
use crate::{
    history::{Moment, Span},
    model::{Name, Registry, RegistryCode, Test},
    shelf::Editions,
    store::{index, quality::Tie, read, write},
};

/// The records of a registry are to be judged.
pub const JUDGE: &str = "registry.judge";
/// Records of one transaction.
const PIECE: u32 = 100;
/// Pieces of one job: it ends long before its lease does.
const PIECES: usize = 50;

/// Which.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    /// The registry.
    pub registry: RegistryCode,
}

/// The order to judge what there is to judge in a registry; at most one waits for each.
///
/// # Errors
/// It cannot be written as JSON.
pub fn judge_order(code: &RegistryCode) -> Result<Job> {
    let job = Job::new(JUDGE, &Order { registry: code.clone() })?;
    Ok(job.key(format!("{JUDGE}/{code}")))
}

/// All records of a registry are to be judged anew.
pub(crate) async fn judge_anew(tx: &Tx, code: &RegistryCode, now: Timestamp) -> Result<()> {
    tables::anew(tx, code).await?;
    tx.enqueue(judge_order(code)?, now).await
}

/// How far the judging of all records by the newest rules has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records that were judged.
    pub judged: i64,
    /// Records that there are.
    pub of: i64,
}

/// Where the records of a piece come from.
enum Piece {
    /// The feed of changes, up to an instant.
    Written(Vec<Uuid>, i64),
    /// It is time to look at them again.
    Due(Vec<Uuid>),
    /// All are judged anew: these come next.
    Swept(Vec<Uuid>),
    /// All have been judged by the version in force.
    Finished,
}

impl Quality {
    /// Judges what there is to judge, as far as one job goes, and orders the rest.
    pub(super) async fn follow(&self, run: &Run, code: &RegistryCode) -> Result<()> {
        // Another process may have published it.
        self.registries().shelf().refresh().await?;
        let mut more = true;
        for _ in 0..PIECES {
            more = self.judge_piece(code, run.now).await?;
            if !more {
                break;
            }
        }
        transact!(self.registries().store(), |tx| {
            // The order goes first: whoever writes from now on makes a new one, and what was written before is seen below.
            run.done(&tx).await?;
            let place = tables::turn(&tx, code).await?;
            let written = !read::changes(&tx, code, place.upto, 1).await?.is_empty();
            let next = if more || written {
                Some(run.now)
            } else {
                tables::next_due(&tx, code).await?.map(Timestamp::from_micros)
            };
            match next {
                Some(at) => tx.enqueue(judge_order(code)?.at(at), run.now).await,
                None => Ok(()),
            }
        })
    }

    /// All records are to be judged again by the rules in force, whatever was found before.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn judge_all(&self, ctx: &identity::Ctx, code: &RegistryCode) -> Result<()> {
        self.registries().open(ctx, code, identity::Permission::KeepRegistry)?;
        transact!(self.registries().store(), |tx| { judge_anew(&tx, code, ctx.now).await })
    }

    /// How far it has come; none while nothing but the newest changes is judged.
    ///
    /// # Errors
    /// The database failed.
    pub async fn progress(&self, code: &RegistryCode, now: Timestamp) -> Result<Option<Progress>> {
        let db = self.registries().store().read();
        let place = tables::judged(&db, code).await?;
        let current = i64::from(self.registries().editions(code)?.current().version);
        match place {
            Some(place) if place.edition != current && place.swept.is_some() => Ok(Some(Progress {
                judged: place.swept_count,
                of: tables::stood(&db, code, month_of(now))
                    .await?
                    .get(RECORDS)
                    .copied()
                    .unwrap_or(0)
                    .max(place.swept_count),
            })),
            _ => Ok(None),
        }
    }

    /// Judges one piece; whether there was one.
    async fn judge_piece(&self, code: &RegistryCode, now: Timestamp) -> Result<bool> {
        let editions = self.registries().editions(code)?;
        let version = i64::from(editions.current().version);
        transact!(self.registries().store(), |tx| {
            let mut place = tables::turn(&tx, code).await?;
            let Some(piece) = next(&tx, code, &mut place, version, now).await? else {
                return Ok(false);
            };
            match piece {
                Piece::Written(records, upto) => {
                    self.judge(&tx, &editions, &records, now).await?;
                    place.upto = upto;
                }
                Piece::Due(records) => self.judge(&tx, &editions, &records, now).await?,
                Piece::Swept(records) => {
                    self.judge(&tx, &editions, &records, now).await?;
                    place.swept_count += i64::try_from(records.len()).unwrap_or(0);
                    place.swept = records.last().copied();
                }
                Piece::Finished => {
                    if place.edition == 0 {
                        self.recheck_those_who_name(&tx, code, now).await?;
                    }
                    (place.edition, place.swept, place.swept_count) = (version, None, 0);
                }
            }
            tables::leave(&tx, code, &place).await?;
            Ok(true)
        })
    }

    /// A registry that has come to this node can be asked: whoever names its keys is judged anew.
    async fn recheck_those_who_name(&self, tx: &Tx, code: &RegistryCode, now: Timestamp) -> Result<()> {
        for editions in self.registries().shelf().all() {
            let other = editions.current();
            let names = other
                .rules
                .iter()
                .any(|rule| matches!(&rule.test, Test::Reference { registry, .. } if registry == code));
            if names && other.code != *code {
                judge_anew(tx, &other.code, now).await?;
            }
        }
        Ok(())
    }

    /// Judges records: what holds of each today, against all rules in force.
    async fn judge(&self, tx: &Tx, editions: &Editions, records: &[Uuid], now: Timestamp) -> Result<()> {
        let registry = editions.current();
        let mut looks = looks(tx, editions, records, now).await?;
        let old_ties = tables::ties(tx, records).await?;
        let ties = self.retie(tx, &registry, &looks, &old_ties).await?;
        self.break_alone(tx, &mut looks, now, &ties).await?;
        self.break_references(tx, &registry, &mut looks, now).await?;
        let standings = self.stand(tx, &registry, &looks, now).await?;
        self.find(tx, &registry, &looks, &standings, now).await
    }

    /// Ties records to others as they are now. Gives the values that came or went and that nobody else may have: of those who share
    /// one of them, one other may have become alone with it, or be so no more.
    async fn retie(
        &self,
        tx: &Tx,
        registry: &Registry,
        looks: &BTreeMap<Uuid, Look>,
        old: &BTreeMap<Uuid, BTreeSet<Tie>>,
    ) -> Result<Vec<(Tie, Uuid)>> {
        let none = BTreeSet::new();
        let alone: BTreeSet<i64> = registry
            .rules
            .iter()
            .map(|rule| unique_slot(&registry.code, rule))
            .collect();
        let mut moved = Vec::new();
        for (record, look) in looks {
            let old = old.get(record).unwrap_or(&none);
            let mut new = look.subjects.clone();
            if let Some(today) = &look.today {
                new.extend(today.alone.iter().map(|(_, tie)| tie.clone()));
                new.extend(today.names.iter().map(|(_, target, key)| reference_tie(target, key)));
            }
            tables::retie(tx, &registry.code, *record, old, &new).await?;
            let changed = old.symmetric_difference(&new).filter(|tie| alone.contains(&tie.slot));
            moved.extend(changed.map(|tie| (tie.clone(), *record)));
        }
        Ok(moved)
    }

    /// What nobody else may have, somebody has.
    async fn break_alone(
        &self,
        tx: &Tx,
        looks: &mut BTreeMap<Uuid, Look>,
        now: Timestamp,
        moved: &[(Tie, Uuid)],
    ) -> Result<()> {
        let most = i64::from(PIECE) + 2;
        for (tie, record) in moved {
            let others = tables::tied(tx, tie, *record, most).await?;
            let mut outside = others.iter().filter(|other| !looks.contains_key(*other));
            // Of two others or more nobody was alone, and nobody is.
            if let (Some(other), None) = (outside.next(), outside.next()) {
                tables::again(tx, *other, now).await?;
            }
        }
        for (record, look) in looks {
            let Some(today) = &mut look.today else { continue };
            for (rule, tie) in &today.alone {
                if !tables::tied(tx, tie, *record, 1).await?.is_empty() {
                    today.broken.insert(rule.clone());
                }
            }
        }
        Ok(())
    }

    /// A key that is named is not there, or another record stands in its place since a merge. Of a registry that is kept elsewhere only
    /// the merges are known of which its keeper tells; nothing else is wrong.
    async fn break_references(
        &self,
        tx: &Tx,
        registry: &Registry,
        looks: &mut BTreeMap<Uuid, Look>,
        now: Timestamp,
    ) -> Result<()> {
        let targets: BTreeSet<RegistryCode> = registry
            .rules
            .iter()
            .filter_map(|rule| match &rule.test {
                Test::Reference { registry, .. } => Some(registry.clone()),
                _ => None,
            })
            .collect();
        for target in targets {
            let named = |look: &Look| -> Vec<String> {
                let names = look.today.iter().flat_map(|today| &today.names);
                names
                    .filter(|(_, of, _)| *of == target)
                    .map(|(_, _, key)| key.clone())
                    .collect()
            };
            let keys: BTreeSet<String> = looks.values().flat_map(named).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let wrong = self.wrong_keys(tx, &target, &keys, now).await?;
            for today in looks.values_mut().filter_map(|look| look.today.as_mut()) {
                let named = today.names.iter();
                let named = named.filter(|(_, of, key)| *of == target && wrong.contains(key));
                let rules: Vec<Name> = named.map(|(rule, ..)| rule.clone()).collect();
                today.broken.extend(rules);
            }
        }
        Ok(())
    }

    /// Which of these keys of a registry lead nowhere, or elsewhere.
    async fn wrong_keys(
        &self,
        tx: &Tx,
        target: &RegistryCode,
        keys: &[&str],
        now: Timestamp,
    ) -> Result<BTreeSet<String>> {
        let registries = self.registries();
        let Some(editions) = registries.shelf().get(target) else {
            let moved = registries.moved_elsewhere(tx, target, keys).await?;
            return Ok(moved.into_keys().collect());
        };
        let there = write::taken(tx, index::slot(target, None), keys).await?;
        let moved = registries.moved(tx, &editions.current(), keys, now).await?;
        let is_there = |key: &str| there.contains(key.as_bytes()) && !moved.contains_key(key);
        let wrong = keys.iter().filter(|key| !is_there(key));
        Ok(wrong.map(|key| (*key).to_owned()).collect())
    }

    /// Notes what is known of records now, and lets those who name a key that came or went be judged again. Gives what was known.
    async fn stand(
        &self,
        tx: &Tx,
        registry: &Registry,
        looks: &BTreeMap<Uuid, Look>,
        now: Timestamp,
    ) -> Result<BTreeMap<Uuid, bool>> {
        let records: Vec<Uuid> = looks.keys().copied().collect();
        let before = tables::standings(tx, &records).await?;
        let keys = tables::keys(tx, &registry.code, &records).await?;
        let mut rows = Vec::with_capacity(looks.len());
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (record, look) in looks {
            let of_one = keys.get(record).cloned().unwrap_or_default();
            let still: Vec<&str> = of_one
                .iter()
                .filter(|(_, still)| *still)
                .map(|(key, _)| key.as_str())
                .collect();
            let hash = short_hash(&still.join("\u{1f}"));
            let old = before.get(record);
            if old.map_or(!still.is_empty(), |old| old.keys != hash) {
                told.extend(of_one.iter().map(|(key, _)| key.clone()));
            }
            rows.push(StandingRow {
                record_id: *record,
                counts: look.today.is_some(),
                keys: hash,
                again_at: look.again_at.map(Timestamp::micros),
            });
        }
        tables::stand(tx, &registry.code, &rows).await?;
        judge_those_tied(tx, told.iter().map(|key| reference_tie(&registry.code, key)), now).await?;
        let counted = looks
            .keys()
            .map(|record| (*record, before.get(record).is_some_and(|old| old.counts)));
        Ok(counted.collect())
    }

    /// Opens and closes findings, and counts.
    async fn find(
        &self,
        tx: &Tx,
        registry: &Registry,
        looks: &BTreeMap<Uuid, Look>,
        counted: &BTreeMap<Uuid, bool>,
        now: Timestamp,
    ) -> Result<()> {
        let records: Vec<Uuid> = looks.keys().copied().collect();
        let mut standing = tables::standing_findings(tx, &records).await?;
        let mut counts = Counts::default();
        let mut new = Vec::new();
        for (record, look) in looks {
            let old = standing.remove(record).unwrap_or_default();
            let was = counted.get(record).copied().unwrap_or(false);
            counts.record(was, &old, -1);
            let mut now_standing = Vec::new();
            for finding in old {
                let seen = finding.state.clone();
                let changed = self.follow_finding(registry, look, finding.clone(), now);
                if changed != finding {
                    tables::change(tx, &changed, &seen).await?;
                }
                now_standing.push(changed);
            }
            let today = look.today.as_ref();
            for rule in &registry.rules {
                let breaks = today.is_some_and(|today| today.broken.contains(&rule.id));
                if !breaks || now_standing.iter().any(|finding| finding.rule == rule.id.as_str()) {
                    continue;
                }
                let finding = FindingRow {
                    id: Id::<FindingRow>::new(now).uuid(),
                    registry: registry.code.to_string(),
                    record_id: *record,
                    rule: rule.id.to_string(),
                    dimension: rule.dimension.code().to_owned(),
                    state: OPEN.to_owned(),
                    seq: today.map_or(0, |today| today.seq),
                    first_seen: now.micros(),
                    due_at: self.due(now, registry.mending.mend_days).micros(),
                    mark: today.map_or_else(Vec::new, |today| today.mark(registry, rule)),
                    owner: None,
                    owner_name: None,
                    closed_at: None,
                    closed_seq: None,
                    excuse: None,
                    excused_by: None,
                };
                now_standing.push(finding.clone());
                new.push(finding);
            }
            counts.record(today.is_some(), &now_standing, 1);
        }
        tables::add(tx, &new).await?;
        tables::count(tx, &registry.code, month_of(now), &counts.0).await
    }

    /// What becomes of a finding that was open or excused.
    fn follow_finding(&self, registry: &Registry, look: &Look, mut finding: FindingRow, now: Timestamp) -> FindingRow {
        let rule = registry.rules.iter().find(|rule| rule.id.as_str() == finding.rule);
        let today = look.today.as_ref();
        match (rule, today) {
            (Some(rule), Some(today)) if today.broken.contains(&rule.id) => {
                rule.dimension.code().clone_into(&mut finding.dimension);
                let mark = today.mark(registry, rule);
                if finding.state != OPEN && finding.mark != mark {
                    // The excuse was for other values.
                    OPEN.clone_into(&mut finding.state);
                    finding.due_at = self.due(now, registry.mending.mend_days).micros();
                    (finding.closed_at, finding.excuse, finding.excused_by) = (None, None, None);
                }
                finding.mark = mark;
            }
            _ => {
                MENDED.clone_into(&mut finding.state);
                finding.closed_at = Some(now.micros());
                finding.closed_seq = today.map(|today| today.seq);
            }
        }
        finding
    }
}

/// Records that are tied alike are judged again, and their registries with them.
pub(super) async fn judge_those_tied(tx: &Tx, ties: impl Iterator<Item = Tie>, now: Timestamp) -> Result<()> {
    for tie in ties {
        if tables::all_again(tx, &tie, now).await? > 0 {
            for other in tables::registries_tied(tx, &tie).await? {
                tx.enqueue(judge_order(&stored_code(&other)?)?, now).await?;
            }
        }
    }
    Ok(())
}

/// Every record that counts.
pub(super) const RECORDS: &str = "records";

/// The counter of records that break a rule of a dimension.
pub(super) fn of_dimension(dimension: &str) -> String {
    format!("dimension/{dimension}")
}

/// The counter of records that break a rule.
pub(super) fn of_rule(rule: &str) -> String {
    format!("rule/{rule}")
}

/// What is to be added to which counter.
#[derive(Debug, Default)]
pub(super) struct Counts(pub(super) BTreeMap<String, i64>);

impl Counts {
    /// Counts a record with its findings in (1) or out (-1). Only open ones count.
    pub(super) fn record(&mut self, counts: bool, findings: &[FindingRow], n: i64) {
        if counts {
            self.add(RECORDS.to_owned(), n);
        }
        let open = findings.iter().filter(|finding| finding.state == OPEN);
        let mut dimensions = BTreeSet::new();
        for finding in open {
            self.add(of_rule(&finding.rule), n);
            dimensions.insert(finding.dimension.as_str());
        }
        for dimension in dimensions {
            self.add(of_dimension(dimension), n);
        }
    }

    fn add(&mut self, measure: String, n: i64) {
        *self.0.entry(measure).or_default() += n;
    }
}

/// What there is to judge next.
async fn next(
    tx: &Tx,
    code: &RegistryCode,
    place: &mut JudgedRow,
    version: i64,
    now: Timestamp,
) -> Result<Option<Piece>> {
    let written = read::changes(tx, code, place.upto, PIECE).await?;
    if let Some(last) = written.last() {
        let records: BTreeSet<Uuid> = written.iter().map(|version| version.record_id).collect();
        return Ok(Some(Piece::Written(records.into_iter().collect(), last.recorded_at)));
    }
    let due = tables::due(tx, code, now, i64::from(PIECE)).await?;
    if !due.is_empty() {
        return Ok(Some(Piece::Due(due)));
    }
    if place.edition == version {
        return Ok(None);
    }
    if place.sweeping != version {
        (place.sweeping, place.swept, place.swept_count) = (version, None, 0);
    }
    let records = write::known_after(tx, code, place.swept.unwrap_or_default(), i64::from(PIECE)).await?;
    Ok(Some(if records.is_empty() {
        Piece::Finished
    } else {
        Piece::Swept(records)
    }))
}

/// Looks at each record by itself.
async fn looks(tx: &Tx, editions: &Editions, records: &[Uuid], now: Timestamp) -> Result<BTreeMap<Uuid, Look>> {
    let registry = editions.current();
    let mut parts = tables::parts(tx, &registry.code, records).await?;
    let mut looks = BTreeMap::new();
    for record in records {
        let rows = parts.remove(record).unwrap_or_default();
        let parts = rows.into_iter().map(|row| part(editions, row, now));
        let parts: Vec<Part> = parts.collect::<Result<_>>()?;
        looks.insert(*record, Look::at(&registry, &parts, now));
    }
    Ok(looks)
}

fn part(editions: &Editions, row: tables::PartRow, now: Timestamp) -> Result<Part> {
    let span = Span::new(Moment::from_stored(row.valid_from), Moment::from_stored(row.valid_to));
    let span = span.ok_or_else(|| Error::internal("an empty segment is stored"))?;
    let body = match row.body.filter(|_| !row.ended) {
        None => None,
        Some(text) => {
            let body: Value = serde_json::from_str(&text)?;
            let edition = u32::try_from(row.edition).map_err(Error::internal)?;
            let day = span.from().day(editions.current().valid_time);
            Some(editions.forward(&body, edition, day, now).into_owned())
        }
    };
    Ok(Part {
        span,
        seq: row.seq,
        recorded_at: Timestamp::from_micros(row.recorded_at),
        body,
    })
}
