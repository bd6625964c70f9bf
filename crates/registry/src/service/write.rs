//! Reporting, correcting, ending.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Actor, Ctx, Permission};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::{Once, Read, Tx, jobs::Job, transact};
use uuid::Uuid;

use super::{
    RecordId, Registries, jobs,
    many::{self, Fit, Sorted},
    no_record,
};
use crate::{
    history::{Effect, Entry, Moment, Segment, Timeline, kind_of},
    model::{ChangeKind, Name, Registry, RegistryCode},
    shelf::Editions,
    store::{
        Part, VersionRow, effect_columns,
        index::{self, Slots, Values},
        write::{self as tables, Folded},
    },
};

/// The longest source or basis, in characters.
const LONGEST: usize = 300;

/// The state of a record that somebody looked at: its number of versions says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The record.
    pub record: RecordId,
    /// Its newest version then.
    pub seq: i64,
}

/// Which record is reported about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One that is not there yet.
    New,
    /// This one.
    Known(Seen),
}

/// What is reported.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// What holds from a moment on, until another if one is given.
    Assert {
        /// The record.
        target: Target,
        /// The first moment.
        from: Moment,
        /// The first moment at which it does not hold any more.
        to: Option<Moment>,
        /// What holds.
        body: Value,
    },
    /// A version was wrong.
    Correct {
        /// The record.
        record: Seen,
        /// The version.
        corrects: i64,
        /// What is said in its place.
        with: With,
    },
    /// Nothing holds from a moment on.
    End {
        /// The record.
        record: Seen,
        /// The moment.
        at: Moment,
    },
}

/// What a correction says.
#[derive(Debug, Clone, PartialEq)]
pub enum With {
    /// That something held.
    Holds {
        /// The first moment.
        from: Moment,
        /// The first moment at which it did not any more.
        to: Option<Moment>,
        /// What held.
        body: Value,
    },
    /// That the record ended.
    Ends {
        /// The moment.
        at: Moment,
    },
    /// That it was never so.
    Void,
}

/// Where a change comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Provenance {
    /// The paper, system or decision that says so.
    pub source: String,
    /// The law; the registry's own where it is empty.
    pub basis: String,
    /// Code of the dossier that caused it.
    pub dossier: Option<String>,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The record.
    pub record: RecordId,
    /// Its newest version now.
    pub seq: i64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The rules that it breaks and was taken in all the same.
    pub noted: Vec<Name>,
}

/// A record that is new, one of many.
#[derive(Debug, Clone, PartialEq)]
pub struct Fresh {
    /// The first moment at which it holds.
    pub from: Moment,
    /// The first at which it does not any more.
    pub to: Option<Moment>,
    /// What holds.
    pub body: Value,
}

/// A change that was judged.
pub(super) struct Judged {
    record: RecordId,
    /// None for a new record.
    seen: Option<i64>,
    corrects: Option<i64>,
    effect: Effect,
    body: Option<Value>,
    noted: Vec<Name>,
}

impl Written {
    /// What will have come of a change that is recorded at an instant, in microseconds.
    pub(super) fn of(judged: &Judged, at: i64) -> Self {
        Self {
            record: judged.record,
            seq: judged.seen.unwrap_or(0) + 1,
            recorded_at: Timestamp::from_micros(at),
            noted: judged.noted.clone(),
        }
    }
}

impl Registries {
    /// Takes in a change of a record. The same key with the same change gives the same answer and happens once.
    ///
    /// # Errors
    /// `Invalid` with every problem of the body; `Forbidden` for who is no steward of the registry's agency; `Conflict` when
    /// somebody else was faster (it says who, and when), or when another record has the key at that time; `NotFound`.
    pub async fn write(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        change: Change,
        provenance: &Provenance,
        key: &str,
    ) -> Result<Written> {
        let (editions, registry) = self.open(ctx, code, Permission::KeepRegistry)?;
        let provenance = complete(provenance, &registry)?;
        let fingerprint = fingerprint(&change, &provenance)?;
        let judged = judge(ctx, &registry, change)?;
        transact!(self.store(), |tx| {
            let at = tables::turn(&tx, code, 1, ctx.now).await?;
            let written = Written::of(&judged, at);
            let scope = scope(ctx, code);
            let answer = serde_json::to_string(&written)?;
            if let Once::Again(answer) = tx.once(&scope, key, &fingerprint, &answer, ctx.now).await? {
                return Ok(serde_json::from_str(&answer)?);
            }
            add(&tx, ctx, &editions, &judged, &provenance, &written).await?;
            tx.enqueue_all(&changed(code)?, ctx.now).await?;
            Ok(written)
        })
    }

    /// Takes in many new records in one transaction; for each, in their order, the record or why it was not taken in. With `whole`
    /// nothing is taken in where anything is wrong. The same key with the same records gives the same answer and happens once.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; the database failed.
    pub async fn add_many(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        fresh: &[Fresh],
        provenance: &Provenance,
        key: &str,
        whole: bool,
    ) -> Result<Vec<Result<RecordId, Problems>>> {
        let (_, registry) = self.open(ctx, code, Permission::KeepRegistry)?;
        let provenance = complete(provenance, &registry)?;
        let slots = Slots::of(&registry);
        let mut judged: Vec<Result<Fit, Problems>> = fresh
            .iter()
            .map(|fresh| Fit::judge(&registry, &slots, fresh, ctx.now))
            .collect();
        let mut keys = BTreeSet::new();
        for one in &mut judged {
            if let Ok(fit) = one
                && !keys.insert(fit.key().to_owned())
            {
                *one = Err(key_taken(&registry));
            }
        }
        let mut hasher = Sha256::new();
        for fresh in fresh {
            hasher.update(serde_json::to_vec(&(
                fresh.from.stored(),
                fresh.to.map(Moment::stored),
                &fresh.body,
            ))?);
        }
        let fingerprint = hex::encode(hasher.finalize());
        let ids: Vec<RecordId> = many::ids(fresh.len(), ctx.now);
        transact!(self.store(), |tx| {
            let count = i64::try_from(fresh.len()).map_err(Error::internal)?;
            let first = tables::turn(&tx, code, count.max(1), ctx.now).await?;
            let known: Vec<&str> = keys.iter().map(String::as_str).collect();
            let taken = tables::taken(&tx, slots.key(), &known).await?;
            let one = |one: &Result<Fit, Problems>| match one {
                Ok(fit) if taken.contains(fit.key().as_bytes()) => Err(key_taken(&registry)),
                Ok(_) => Ok(()),
                Err(problems) => Err(problems.clone()),
            };
            let told: Vec<Result<(), Problems>> = judged.iter().map(one).collect();
            let refused = whole && told.iter().any(Result::is_err);
            let answer: Vec<Result<RecordId, Problems>> = told
                .into_iter()
                .zip(&ids)
                .map(|(one, id)| match one {
                    Err(problems) => Err(problems),
                    Ok(()) if refused => Err(Problems::new()),
                    Ok(()) => Ok(*id),
                })
                .collect();
            let scope = format!("{}/many", scope(ctx, code));
            let told = serde_json::to_string(&answer)?;
            if let Once::Again(answer) = tx.once(&scope, key, &fingerprint, &told, ctx.now).await? {
                return Ok(serde_json::from_str(&answer)?);
            }
            if refused {
                return Ok(answer);
            }
            let fits: Vec<(Option<RecordId>, &Fit)> = answer
                .iter()
                .zip(&judged)
                .filter_map(|(answer, one)| Some((answer.as_ref().ok().copied(), one.as_ref().ok()?)))
                .collect();
            let sorted = Sorted::of(fits.iter().map(|(_, fit)| *fit));
            many::put(&tx, ctx, &registry, &provenance, first, &fits, &sorted).await?;
            tx.enqueue_all(&changed(code)?, ctx.now).await?;
            Ok(answer)
        })
    }
}

/// Takes in a change within the caller's transaction, which has a single effect by other means.
pub(crate) async fn within(
    tx: &Tx,
    ctx: &Ctx,
    editions: &Editions,
    change: Change,
    provenance: &Provenance,
) -> Result<Written> {
    let registry = editions.current();
    let judged = judge(ctx, &registry, change)?;
    let at = tables::turn(tx, &registry.code, 1, ctx.now).await?;
    let written = Written {
        record: judged.record,
        seq: judged.seen.unwrap_or(0) + 1,
        recorded_at: Timestamp::from_micros(at),
        noted: judged.noted.clone(),
    };
    add(tx, ctx, editions, &judged, provenance, &written).await?;
    tx.enqueue_all(&changed(&registry.code)?, ctx.now).await?;
    Ok(written)
}

/// Who asks for what: keys of one caller are not another's.
fn scope(ctx: &Ctx, code: &RegistryCode) -> String {
    let actor = match &ctx.actor {
        Actor::Officer(officer) => officer.officer.to_string(),
        Actor::Person(person) => person.account.to_string(),
        Actor::System(name) => (*name).to_owned(),
        Actor::Anonymous => String::new(),
    };
    format!("registry/{code}/{actor}")
}

/// What follows from a new version: its leaf, and its quality.
pub(crate) fn changed(code: &RegistryCode) -> Result<[Job; 3]> {
    Ok([
        leaf_order(code)?,
        crate::quality::judge_order(code)?,
        crate::announce::announce_order(code)?,
    ])
}

/// New versions become leaves.
pub(super) fn leaf_order(code: &RegistryCode) -> Result<Job> {
    let job = Job::new(jobs::CHANGED, &jobs::Changed { registry: code.clone() })?;
    Ok(job.key(format!("{}/{code}", jobs::CHANGED)))
}

fn fingerprint(change: &Change, provenance: &Provenance) -> Result<String> {
    // Its Debug form names everything that it says, in one order.
    let text = format!("{change:?} {}", serde_json::to_string(provenance)?);
    Ok(hex::encode(Sha256::digest(text)))
}

/// Fills in what the registry says of itself.
pub(crate) fn complete(provenance: &Provenance, registry: &Registry) -> Result<Provenance> {
    let mut problems = Problems::new();
    let mut text = |text: &str, at: &str| {
        let text = text.trim().to_owned();
        if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
            problems.add(
                "too-long",
                at,
                format!("Ghi một dòng, tối đa {LONGEST} ký tự."),
                format!("One line of at most {LONGEST} characters."),
            );
        }
        text
    };
    let (source, basis) = (text(&provenance.source, "source"), text(&provenance.basis, "basis"));
    if source.is_empty() {
        problems.add(
            "required",
            "source",
            "Nêu nguồn: giấy tờ, quyết định hoặc hệ thống cung cấp thông tin.",
            "Name the source: the paper, decision or system that says so.",
        );
    }
    if let Some(dossier) = &provenance.dossier
        && let Err(error) = dossier.parse::<base::codes::DossierCode>()
    {
        error.add_to(&mut problems, "dossier");
    }
    problems.into_result()?;
    let own = || registry.basis.first().map(|b| format!("{}, {}", b.text, b.article));
    Ok(Provenance {
        source,
        basis: if basis.is_empty() {
            own().unwrap_or_default()
        } else {
            basis
        },
        dossier: provenance.dossier.clone(),
    })
}

pub(super) fn judge(ctx: &Ctx, registry: &Registry, change: Change) -> Result<Judged> {
    let invalid = |problems| Error::Refused(Kind::Invalid, problems);
    let (record, seen, corrects, effect, body) = match change {
        Change::Assert { target, from, to, body } => {
            let effect = Effect::holds(from, to).map_err(invalid)?;
            let (record, seen) = match target {
                Target::New => (RecordId::new(ctx.now), None),
                Target::Known(seen) => (seen.record, Some(seen.seq)),
            };
            (record, seen, None, effect, Some(body))
        }
        Change::End { record, at } => (record.record, Some(record.seq), None, Effect::Ends { at }, None),
        Change::Correct { record, corrects, with } => {
            let (effect, body) = match with {
                With::Holds { from, to, body } => (Effect::holds(from, to).map_err(invalid)?, Some(body)),
                With::Ends { at } => (Effect::Ends { at }, None),
                With::Void => (Effect::Void, None),
            };
            (record.record, Some(record.seq), Some(corrects), effect, body)
        }
    };
    let mut noted = Vec::new();
    if let (Some(body), Effect::Holds { from, .. }) = (&body, effect) {
        let judgement = registry.judge(body, from.day(registry.valid_time), ctx.now);
        judgement.problems.into_result()?;
        registry.key_of(body).map_err(invalid)?;
        noted = judgement.noted;
    }
    Ok(Judged {
        record,
        seen,
        corrects,
        effect,
        body,
        noted,
    })
}

/// Adds one version and folds it in.
pub(super) async fn add(
    tx: &Tx,
    ctx: &Ctx,
    editions: &Editions,
    judged: &Judged,
    provenance: &Provenance,
    written: &Written,
) -> Result<()> {
    let registry = editions.current();
    let (code, record, at) = (&registry.code, judged.record.uuid(), written.recorded_at.micros());
    let (mut versions, old) = match judged.seen {
        None => (Vec::new(), Folded::default()),
        Some(seen) => {
            unchanged(tx, code, record, seen).await?;
            (
                tables::versions(tx, record).await?,
                tables::folded(tx, code, record).await?,
            )
        }
    };
    let kind = kind_of(judged.effect, judged.corrects);
    let body = judged.body.as_ref().map(Value::to_string);
    let said = (kind, Some(judged.effect), judged.corrects);
    let new = version(ctx, &registry, record, written.seq, at, said, body, provenance);
    let timeline = match judged.corrects {
        None => {
            if let Effect::Ends { at } = judged.effect {
                holds_at(&old.timeline(), at)?;
            }
            let mut timeline = old.timeline();
            timeline.apply(written.seq, judged.effect);
            timeline
        }
        Some(corrects) => {
            let mut entries = entries(&versions)?;
            if !entries.iter().any(|entry| entry.seq == corrects) {
                return Err(no_version());
            }
            entries.push(Entry {
                seq: written.seq,
                effect: judged.effect,
                corrects: Some(corrects),
            });
            Timeline::fold(&entries)
        }
    };
    tables::add(tx, code, vec![new.clone()]).await?;
    versions.push(new);
    let folded = fold(editions, &timeline, &versions, ctx.now)?;
    let slot = index::slot(code, None);
    for (of, key, from, to) in folded.found().difference(&old.found()) {
        let key = || String::from_utf8_lossy(key);
        if *of == slot
            && tables::same_key(tx, slot, &key(), (*from, *to), record)
                .await?
                .is_some()
        {
            return Err(Error::Refused(Kind::Conflict, key_taken(&registry)));
        }
    }
    tables::change(tx, code, record, &old, &folded, at).await
}

/// What is known of a record, and by what it is found at each moment: the bodies that speak, as the version of the folder in force
/// has them.
pub(super) fn fold(
    editions: &Editions,
    timeline: &Timeline,
    versions: &[VersionRow],
    now: Timestamp,
) -> Result<Folded> {
    let registry = editions.current();
    let by_seq: BTreeMap<i64, &VersionRow> = versions.iter().map(|version| (version.seq, version)).collect();
    let values = |segment: &Segment| -> Result<Values> {
        let version = by_seq.get(&segment.seq).filter(|_| !segment.ended);
        let Some((edition, body)) = version.and_then(|v| Some((v.edition, v.body.as_ref()?))) else {
            return Ok(Values::default());
        };
        let body: Value = serde_json::from_str(body)?;
        let day = segment.span.from().day(registry.valid_time);
        let edition = u32::try_from(edition).map_err(Error::internal)?;
        let body = editions.forward(&body, edition, day, now);
        // A body that a new version has left without a key is found by nothing until somebody corrects it.
        let key = registry.key_of(&body).ok();
        Ok(key
            .map(|key| index::entries(&registry, &key, &body))
            .unwrap_or_default())
    };
    let parts = timeline.segments().iter().map(|segment| {
        Ok(Part {
            segment: *segment,
            values: values(segment)?,
        })
    });
    parts.collect::<Result<_>>().map(Folded)
}

pub(super) fn entries(versions: &[VersionRow]) -> Result<Vec<Entry>> {
    let entries = versions.iter().filter_map(|version| version.entry().transpose());
    entries.collect()
}

/// That nobody has changed a record since somebody looked at it.
pub(super) async fn unchanged(db: &impl Read, code: &RegistryCode, record: Uuid, seen: i64) -> Result<()> {
    let newest = tables::newest(db, code, record).await?.ok_or_else(no_record)?;
    if newest.kind == ChangeKind::Erase.code() {
        return Err(erased());
    }
    if newest.seq != seen {
        let at = Timestamp::from_micros(newest.recorded_at).display();
        let who = if newest.actor_name.is_empty() {
            &newest.agency
        } else {
            &newest.actor_name
        };
        return Err(Error::refused(
            Kind::Conflict,
            "record-changed",
            format!(
                "{who} đã thay đổi bản ghi này lúc {at}, sau khi quý vị xem. Xem lại bản mới rồi ghi tiếp nếu còn cần."
            ),
            format!(
                "{who} changed this record at {at}, after you had looked. Look at it as it is now, and report again if need be."
            ),
        ));
    }
    Ok(())
}

/// What a version says: its kind, its effect, and what it corrects.
pub(super) type Said = (ChangeKind, Option<Effect>, Option<i64>);

#[expect(clippy::too_many_arguments, reason = "a row has that many parts")]
pub(super) fn version(
    ctx: &Ctx,
    registry: &Registry,
    record_id: Uuid,
    seq: i64,
    recorded_at: i64,
    (kind, effect, corrects): Said,
    body: Option<String>,
    provenance: &Provenance,
) -> VersionRow {
    let (actor_kind, agency) = match &ctx.actor {
        Actor::Officer(officer) => ("officer", officer.agency.clone()),
        Actor::Person(_) => ("person", String::new()),
        Actor::System(_) => ("system", String::new()),
        Actor::Anonymous => ("anonymous", String::new()),
    };
    let (effect, valid_from, valid_to) = effect_columns(effect);
    VersionRow {
        record_id,
        seq,
        kind: kind.code().to_owned(),
        effect: effect.to_owned(),
        valid_from,
        valid_to,
        recorded_at,
        edition: i64::from(registry.version),
        body,
        corrects,
        actor_kind: actor_kind.to_owned(),
        actor_name: ctx.actor_name().to_owned(),
        agency,
        source: provenance.source.clone(),
        basis: provenance.basis.clone(),
        dossier: provenance.dossier.clone(),
    }
}

pub(super) fn erased() -> Error {
    Error::refused(
        Kind::Conflict,
        "record-erased",
        "Bản ghi đã bị xóa theo quy định; không ghi thêm được nữa.",
        "The record was erased as the law says; nothing can be added to it.",
    )
}

fn holds_at(timeline: &Timeline, at: Moment) -> Result<()> {
    if timeline.at(at).is_some_and(|segment| !segment.ended) {
        return Ok(());
    }
    Err(Error::refused(
        Kind::Conflict,
        "nothing-holds",
        "Vào thời điểm đó bản ghi không có hiệu lực nên không có gì để chấm dứt.",
        "Nothing holds at that moment, so there is nothing to end.",
    ))
}

fn no_version() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "no-such-version",
        "corrects",
        "Bản ghi không có phiên bản này.",
        "The record has no such version.",
    );
    Error::Refused(Kind::Invalid, problems)
}

pub(crate) fn key_taken(registry: &Registry) -> Problems {
    let mut problems = Problems::new();
    let at = registry.key.first().map(ToString::to_string).unwrap_or_default();
    problems.add(
        "key-taken",
        at,
        "Đã có bản ghi khác mang khóa này trong cùng thời gian.",
        "Another record has this key at the same time.",
    );
    problems
}
