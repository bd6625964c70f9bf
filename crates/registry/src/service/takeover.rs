//! Taking over records with their whole histories from where they were kept until now: each version with the instant at which it was
//! recorded there, many in one transaction. To whoever reads, the registry knew each thing when the other knew it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Ctx, Permission};
use serde_json::Value;
use store::{Tx, transact};
use uuid::Uuid;

use super::{
    Provenance, RecordId, Registries, With, many,
    read::body_of,
    write::{changed, complete, entries, erased, key_taken, version},
};
use crate::{
    history::{Effect, Entry, Timeline, kind_of},
    model::{ChangeKind, Registry, RegistryCode},
    shelf::Editions,
    store::{
        Part, STILL_KNOWN, VersionRow, effect_columns,
        index::{Slots, Values},
        known::{self, SegmentKey},
        write::{self as tables, Folded, Found},
    },
};

/// A version as it was recorded where its record was kept until now.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The key of its record, the parts joined by `~`.
    pub key: String,
    /// Its number within the record, from 1.
    pub seq: i64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The number of the version that it corrects.
    pub corrects: Option<i64>,
    /// What it says.
    pub says: With,
    /// Who or what said so.
    pub source: String,
    /// The law; the registry's own where it is empty.
    pub basis: String,
}

impl Registries {
    /// Takes over versions in the order in which they were recorded; gives how many were written. One that is there already, the same, is
    /// passed over, so what broke off may be taken over again. All of them are taken over, or none.
    ///
    /// # Errors
    /// `Invalid` with every problem, each at its place in the list (`versions[3].birth_date`); `Conflict` for a version that is there and
    /// says something else (`version-differs`), that lacks the one before it (`version-missing`), or was recorded on a day before the
    /// newest version here (`recorded-before`), and for a key that another record has; `Forbidden` for who is no steward of the
    /// registry's agency.
    pub async fn take_over(&self, ctx: &Ctx, code: &RegistryCode, versions: &[Recorded]) -> Result<usize> {
        let (editions, registry) = self.open(ctx, code, Permission::KeepRegistry)?;
        let slots = Slots::of(&registry);
        let ready = judge_all(ctx, &registry, &slots, versions)?;
        let keys: BTreeSet<&str> = versions.iter().map(|version| version.key.as_str()).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        transact!(bulk self.store(), |tx| {
            let last = tables::hold(&tx, code).await?;
            let mut taking = Taking {
                ctx,
                editions: &editions,
                registry: &registry,
                slots: &slots,
                last,
                histories: histories(&tx, &registry, &slots, &keys).await?,
                fresh: many::ids(keys.len(), ctx.now).into_iter(),
                versions: Vec::new(),
                parts: known::Parts::new(),
                index: known::Index::new(),
                forgotten: Vec::new(),
                claims: Vec::new(),
            };
            for one in &ready {
                taking.take(one)?;
            }
            taking.write(&tx).await
        })
    }
}

/// A version that was judged.
struct Ready<'a> {
    said: &'a Recorded,
    effect: Effect,
    /// What it is found by.
    values: Values,
    body: Option<String>,
    provenance: Provenance,
}

fn judge_all<'a>(ctx: &Ctx, registry: &Registry, slots: &Slots, versions: &'a [Recorded]) -> Result<Vec<Ready<'a>>> {
    let mut problems = Problems::new();
    let mut ready = Vec::with_capacity(versions.len());
    for (n, said) in versions.iter().enumerate() {
        match judge(ctx, registry, slots, said) {
            Ok(one) => ready.push(one),
            Err(Error::Refused(_, found)) => {
                for problem in &found {
                    let at = match problem.at.as_str() {
                        "" => format!("versions[{n}]"),
                        at => format!("versions[{n}].{at}"),
                    };
                    problems.add(&problem.code, at, problem.text.vi.clone(), problem.text.en.clone());
                }
            }
            Err(error) => return Err(error),
        }
    }
    problems.into_result()?;
    Ok(ready)
}

fn judge<'a>(ctx: &Ctx, registry: &Registry, slots: &Slots, said: &'a Recorded) -> Result<Ready<'a>> {
    let provenance = Provenance {
        source: said.source.clone(),
        basis: said.basis.clone(),
        dossier: None,
    };
    let provenance = complete(&provenance, registry)?;
    let mut problems = Problems::new();
    if said.recorded_at > ctx.now {
        problems.add(
            "recorded-ahead",
            "recorded_at",
            "Thời điểm ghi nhận không được sau bây giờ.",
            "What was recorded was not recorded in the future.",
        );
    }
    let invalid = |problems| Error::Refused(Kind::Invalid, problems);
    let (effect, body) = match &said.says {
        With::Holds { from, to, body } => (Effect::holds(*from, *to).map_err(invalid)?, Some(body)),
        With::Ends { at } => (Effect::Ends { at: *at }, None),
        With::Void => (Effect::Void, None),
    };
    if effect == Effect::Void && said.corrects.is_none() {
        problems.add(
            "nothing-said",
            "corrects",
            "Phiên bản bãi bỏ phải nêu phiên bản mà nó đính chính.",
            "A version that takes another away names which.",
        );
    }
    let mut values = Values::default();
    if let (Some(body), Effect::Holds { from, .. }) = (body, effect) {
        let judgement = registry.judge(body, from.day(registry.valid_time), said.recorded_at);
        problems.extend(judgement.problems);
        match registry.key_of(body) {
            Ok(key) if key == said.key => values = slots.entries(registry, &key, body),
            Ok(_) => problems.add(
                "other-key",
                "key",
                "Nội dung mang khóa khác với khóa của bản ghi.",
                "The body has another key than the record.",
            ),
            Err(found) => problems.extend(found),
        }
    }
    problems.into_result()?;
    Ok(Ready {
        said,
        effect,
        values,
        body: body.map(Value::to_string),
        provenance,
    })
}

/// All that is there of a record.
struct History {
    record: Uuid,
    /// Whether it was there before.
    is_old: bool,
    versions: Vec<VersionRow>,
    timeline: Timeline,
    /// By the number of the version whose body it is.
    values: BTreeMap<i64, Values>,
    parts: Vec<(SegmentKey, Part)>,
    /// By what it is found, with since when that is known where these versions say so first.
    found: BTreeMap<Found, Option<i64>>,
}

/// The histories of the records that have these keys.
async fn histories<'a>(
    tx: &Tx,
    registry: &Registry,
    slots: &Slots,
    keys: &[&'a str],
) -> Result<HashMap<&'a str, History>> {
    let by_key = known::by_keys(tx, slots.key(), keys).await?;
    let records: Vec<Uuid> = by_key.values().copied().collect();
    let mut all: HashMap<Uuid, History> = records
        .iter()
        .map(|record| (*record, History::new(*record, true)))
        .collect();
    for row in known::versions(tx, &records).await? {
        if let Some(history) = all.get_mut(&row.record_id) {
            history.versions.push(row);
        }
    }
    for (key, part) in known::parts(tx, &registry.code, &records).await? {
        if let Some(history) = all.get_mut(&key.0) {
            history.parts.push((key, part));
        }
    }
    for history in all.values_mut() {
        history.parts.sort_unstable_by_key(|(key, _)| key.1);
        let folded = Folded(history.parts.iter().map(|(_, part)| part.clone()).collect());
        history.timeline = folded.timeline();
        history.found = folded.found().into_iter().map(|found| (found, None)).collect();
    }
    let found = keys.iter().filter_map(|key| {
        let record = by_key.get(key.as_bytes())?;
        Some((*key, all.remove(record)?))
    });
    Ok(found.collect())
}

impl History {
    const fn new(record: Uuid, is_old: bool) -> Self {
        Self {
            record,
            is_old,
            versions: Vec::new(),
            timeline: Timeline::from_segments(Vec::new()),
            values: BTreeMap::new(),
            parts: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    /// The timeline with one version more.
    fn with(&self, seq: i64, effect: Effect, corrects: Option<i64>) -> Result<Timeline> {
        let Some(corrects) = corrects else {
            let mut timeline = self.timeline.clone();
            timeline.apply(seq, effect);
            return Ok(timeline);
        };
        let mut entries = entries(&self.versions)?;
        if !entries.iter().any(|entry| entry.seq == corrects) {
            return Err(missing());
        }
        entries.push(Entry {
            seq,
            effect,
            corrects: Some(corrects),
        });
        Ok(Timeline::fold(&entries))
    }

    /// Makes sure that what the bodies of a timeline are found by is at hand.
    fn prepare(&mut self, timeline: &Timeline, editions: &Editions, slots: &Slots, now: Timestamp) -> Result<()> {
        let registry = editions.current();
        for segment in timeline.segments().iter().filter(|segment| !segment.ended) {
            if self.values.contains_key(&segment.seq) {
                continue;
            }
            let version = self.versions.iter().find(|version| version.seq == segment.seq);
            let body = version.map(|version| body_of(editions, version, now)).transpose()?;
            // A body that a new version of the folder has left without a key is found by nothing until somebody corrects it.
            let values = body.flatten().and_then(|body| {
                let key = registry.key_of(&body).ok()?;
                Some(slots.entries(&registry, &key, &body))
            });
            self.values.insert(segment.seq, values.unwrap_or_default());
        }
        Ok(())
    }
}

/// The rows that the versions become.
struct Taking<'a> {
    ctx: &'a Ctx,
    editions: &'a Editions,
    registry: &'a Registry,
    slots: &'a Slots,
    /// The instant of the newest version.
    last: i64,
    histories: HashMap<&'a str, History>,
    fresh: std::vec::IntoIter<RecordId>,
    versions: Vec<VersionRow>,
    parts: known::Parts,
    index: known::Index,
    /// By what records are no longer found, of what was known before these versions, and since when.
    forgotten: Vec<(Uuid, Found, i64)>,
    /// Keys that records have during a span in which they had none before.
    claims: Vec<(String, (i64, i64), Uuid)>,
}

impl<'a> Taking<'a> {
    fn take(&mut self, one: &Ready<'a>) -> Result<()> {
        let said = one.said;
        let mut history = match self.histories.remove(said.key.as_str()) {
            Some(history) => history,
            None => {
                let id = self.fresh.next().ok_or_else(|| Error::internal("no id is left"))?;
                History::new(id.uuid(), false)
            }
        };
        self.add(one, &mut history)?;
        self.histories.insert(said.key.as_str(), history);
        Ok(())
    }

    fn add(&mut self, one: &Ready<'_>, history: &mut History) -> Result<()> {
        let said = one.said;
        let newest = history.versions.last();
        if newest.is_some_and(|newest| newest.kind == ChangeKind::Erase.code()) {
            return Err(erased());
        }
        let newest = newest.map_or(0, |newest| newest.seq);
        if said.seq <= newest {
            return is_there(one, &history.versions);
        }
        if said.seq != newest + 1 {
            return Err(missing());
        }
        if said.recorded_at.legal_date() < Timestamp::from_micros(self.last).legal_date() {
            return Err(recorded_before(self.last));
        }
        let at = said.recorded_at.micros().max(self.last + 1);
        self.last = at;
        let kind = kind_of(one.effect, said.corrects);
        let row = version(
            self.ctx,
            self.registry,
            history.record,
            said.seq,
            at,
            (kind, Some(one.effect), said.corrects),
            one.body.clone(),
            &one.provenance,
        );
        let timeline = history.with(said.seq, one.effect, said.corrects)?;
        history.versions.push(row.clone());
        self.versions.push(row);
        history.values.insert(said.seq, one.values.clone());
        history.prepare(&timeline, self.editions, self.slots, self.ctx.now)?;
        self.fold(history, &timeline, at);
        history.timeline = timeline;
        Ok(())
    }

    /// What was known of a record ends at an instant, where it is otherwise now, and what is known instead begins.
    fn fold(&mut self, history: &mut History, timeline: &Timeline, at: i64) {
        let record = history.record;
        let parts = timeline.segments().iter().map(|segment| {
            let values = history.values.get(&segment.seq).filter(|_| !segment.ended);
            Part {
                segment: *segment,
                values: values.cloned().unwrap_or_default(),
            }
        });
        let now = Folded(parts.collect());
        history.parts.retain(|(key, part)| {
            let stays = now.0.contains(part);
            if !stays {
                self.parts.insert(*key, (part.clone(), at));
            }
            stays
        });
        for part in &now.0 {
            if history.parts.iter().all(|(_, known)| known != part) {
                let key = (record, part.segment.span.from().stored(), at);
                self.parts.insert(key, (part.clone(), STILL_KNOWN));
                history.parts.push((key, part.clone()));
            }
        }
        let now = now.found();
        history.found.retain(|found, since| {
            let stays = now.contains(found);
            match since {
                _ if stays => {}
                Some(since) => {
                    let key = (record, found.0, found.1.clone(), found.2, *since);
                    self.index.insert(key, (found.3, at));
                }
                None => self.forgotten.push((record, found.clone(), at)),
            }
            stays
        });
        for found in now {
            if history.found.contains_key(&found) {
                continue;
            }
            let (slot, value, from, to) = &found;
            if history.is_old && *slot == self.slots.key() {
                let key = String::from_utf8_lossy(value).into_owned();
                self.claims.push((key, (*from, *to), record));
            }
            let key = (record, *slot, value.clone(), *from, at);
            self.index.insert(key, (*to, STILL_KNOWN));
            history.found.insert(found, Some(at));
        }
    }

    async fn write(self, tx: &Tx) -> Result<usize> {
        let count = self.versions.len();
        if count == 0 {
            return Ok(0);
        }
        for (key, span, record) in &self.claims {
            let other = tables::same_key(tx, self.slots.key(), key, *span, *record).await?;
            if other.is_some() {
                return Err(Error::Refused(Kind::Conflict, key_taken(self.registry)));
            }
        }
        let code = &self.registry.code;
        tables::add(tx, code, self.versions).await?;
        known::put_parts(tx, code, &self.parts).await?;
        for (record, found, at) in &self.forgotten {
            tables::forget(tx, *record, found, *at).await?;
        }
        known::put_index(tx, &self.index).await?;
        tables::reach(tx, code, self.last).await?;
        tx.enqueue_all(&changed(code)?, self.ctx.now).await?;
        Ok(count)
    }
}

/// That the version of this number says the same.
fn is_there(one: &Ready<'_>, versions: &[VersionRow]) -> Result<()> {
    let said = one.said;
    let (effect, from, to) = effect_columns(Some(one.effect));
    let same = |row: &&VersionRow| {
        (row.effect.as_str(), row.valid_from, row.valid_to) == (effect, from, to)
            && row.corrects == said.corrects
            && row.body == one.body
            && Timestamp::from_micros(row.recorded_at).legal_date() == said.recorded_at.legal_date()
    };
    let there = versions.iter().find(|row| row.seq == said.seq);
    there.filter(same).map(drop).ok_or_else(|| {
        Error::refused(
            Kind::Conflict,
            "version-differs",
            format!("Phiên bản {} của một bản ghi đã có và ghi khác.", said.seq),
            format!("Version {} of a record is there and says something else.", said.seq),
        )
    })
}

fn missing() -> Error {
    Error::refused(
        Kind::Conflict,
        "version-missing",
        "Thiếu phiên bản trước đó của bản ghi. Tiếp nhận lần lượt theo thứ tự ghi nhận.",
        "A version before it is missing. Take them over in the order in which they were recorded.",
    )
}

fn recorded_before(last: i64) -> Error {
    let day = Timestamp::from_micros(last).display_date();
    Error::refused(
        Kind::Conflict,
        "recorded-before",
        format!("Cơ sở dữ liệu đã có mục ghi ngày {day}; không tiếp nhận mục ghi trước ngày đó."),
        format!("The registry has entries of {day}; none that were recorded before that day are taken over."),
    )
}
