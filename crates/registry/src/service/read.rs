//! Reading: one record, lists, histories, changes. Each of them asks for a purpose wherever it gives bodies.

use std::collections::{BTreeSet, HashMap};

use base::{Error, Kind, Result, Timestamp};
use futures::future::try_join_all;
use identity::{Actor, Ctx, DataRead, Permission, Purpose as Why};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Mask, Purpose, Query, RecordId, Registries, When, no_record,
    query::{cursor, plan},
};
use crate::{
    history::{Effect, Entry, Moment},
    model::{ChangeKind, FieldPath, Registry, RegistryCode},
    shelf::Editions,
    store::{
        NOW, VersionRow, index,
        read::{self as tables, At, Place, Spoken},
        write,
    },
};

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next begins; none on the last.
    pub next: Option<String>,
}

/// What of the feed of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Feed {
    /// What was recorded after this instant, in microseconds; all of it by default.
    pub after: Option<i64>,
    /// What was recorded until this one.
    pub known_at: Option<Timestamp>,
    /// The most versions of a page.
    pub limit: u32,
}

/// A page of records.
pub type Listed = Slice<RecordView>;

/// What holds of a record at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordView {
    /// The record.
    pub id: RecordId,
    /// Its key then.
    pub key: String,
    /// The version that speaks.
    pub seq: i64,
    /// The newest version of the record, which a change names as seen.
    pub newest: i64,
    /// Since when it holds.
    pub valid_from: Moment,
    /// Until when; none without end.
    pub valid_to: Option<Moment>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What holds, as the version of the folder in force has it, masked.
    pub body: Value,
    /// Where it comes from.
    pub source: String,
    /// The law.
    pub basis: String,
    /// The dossier that caused it.
    pub dossier: Option<String>,
}

/// One version of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionView {
    /// Its number.
    pub seq: i64,
    /// What sort.
    pub kind: ChangeKind,
    /// What it says; none for an erasure.
    pub effect: Option<Effect>,
    /// Which version it corrects.
    pub corrects: Option<i64>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What holds by it, masked; none where it says nothing of the kind, or it was erased.
    pub body: Option<Value>,
    /// Who recorded it.
    pub actor: String,
    /// Their agency.
    pub agency: String,
    /// Where it comes from: free text, which may name people. None where no purpose was stated.
    pub source: Option<String>,
    /// The law.
    pub basis: String,
    /// The dossier that caused it; none where no purpose was stated.
    pub dossier: Option<String>,
}

/// One version of some record, in the feed of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeView {
    /// The record.
    pub id: RecordId,
    /// The version.
    pub version: VersionView,
}

impl Registries {
    /// What holds of the record with a key, or with an id.
    ///
    /// # Errors
    /// `NotFound` also where nothing holds of it then: of a record that was merged into another it names the key of that one
    /// (`record-merged`); `Forbidden`; `Unavailable` when the read could not be logged.
    pub async fn read(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        key: &str,
        when: When,
        mask: &Mask,
    ) -> Result<RecordView> {
        let (editions, registry) = self.open_to_read(ctx, purpose, code)?;
        let at = at(ctx, &registry, when);
        let record = match key.parse::<Uuid>() {
            Ok(id) => Some(id),
            Err(_) => tables::by_key(&self.store().read(), index::slot(code, None), key, at).await?,
        };
        let records: Vec<Uuid> = record.into_iter().collect();
        let mut views = self.views(ctx, purpose, &editions, &records, at, mask).await?;
        match views.pop() {
            Some(view) => Ok(view),
            None => Err(self.absent(ctx, purpose, &registry, key, when, mask).await?),
        }
    }

    /// What to say where nothing holds of a record. Where its place is now is told to who asks about now and may see the key: under a
    /// pseudonym or without the key's fields nobody learns it.
    async fn absent(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        registry: &Registry,
        key: &str,
        when: When,
        mask: &Mask,
    ) -> Result<Error> {
        let of_now = when.as_of.is_none() && when.known_at.is_none();
        let sees_key = purpose.veiled().is_none() && registry.key.iter().all(|field| mask.shows(field));
        if !of_now || !sees_key {
            return Ok(no_record());
        }
        let place = self.key_in_place(ctx, purpose, &registry.code, key).await?;
        Ok(place.map_or_else(no_record, |key| merged(&key)))
    }

    /// The keys that records have now; a record of which nothing holds has none. Each is a read, and told as one.
    ///
    /// # Errors
    /// `Forbidden`; `Unavailable` when the reads could not be logged.
    pub(crate) async fn keys(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        records: &[Uuid],
    ) -> Result<HashMap<Uuid, String>> {
        let (editions, registry) = self.open_to_read(ctx, purpose, code)?;
        let (at, mask) = (at(ctx, &registry, When::default()), Mask::of(registry.key.clone()));
        let views = self.views(ctx, purpose, &editions, records, at, &mask).await?;
        Ok(views.into_iter().map(|view| (view.id.uuid(), view.key)).collect())
    }

    /// The records that meet all conditions.
    ///
    /// # Errors
    /// `Invalid` for what cannot be asked; `Forbidden`; `Unavailable` when the reads could not be logged.
    pub async fn list(&self, ctx: &Ctx, purpose: &Purpose, code: &RegistryCode, query: &Query) -> Result<Listed> {
        let (editions, registry) = self.open_to_read(ctx, purpose, code)?;
        let at = at(ctx, &registry, query.when);
        let (conditions, order) = plan(&registry, query)?;
        let db = self.store().read();
        let mut places = tables::find(&db, code, &conditions, &order, at, query.limit + 1).await?;
        let more = places.len() > query.limit as usize;
        places.truncate(query.limit as usize);
        let items = self.in_order(ctx, purpose, &editions, &places, at, &query.mask).await?;
        let next = places.last().filter(|_| more).map(|place| cursor(place, &order));
        Ok(Slice { items, next })
    }

    /// What holds at these places of a list, in their order.
    pub(super) async fn in_order(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        editions: &Editions,
        places: &[Place],
        at: At,
        mask: &Mask,
    ) -> Result<Vec<RecordView>> {
        let records: Vec<Uuid> = places.iter().map(|place| place.record_id).collect();
        let mut views = self.views(ctx, purpose, editions, &records, at, mask).await?;
        let position = |view: &RecordView| records.iter().position(|id| *id == view.id.uuid());
        views.sort_by_key(position);
        Ok(views)
    }

    /// Every version of a record, oldest first: with `known_at` those that were recorded until then, of the record that had the key as
    /// was known then; with `as_of` those that say something of that moment ([`Entry::is_of`]).
    ///
    /// # Errors
    /// `NotFound`, also of a record of which nothing was recorded until then; `Forbidden`; `Unavailable` when the read could not be
    /// logged.
    pub async fn history(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        key: &str,
        when: When,
        mask: &Mask,
    ) -> Result<(RecordId, Vec<VersionView>)> {
        let (editions, registry) = self.open_to_read(ctx, purpose, code)?;
        let known = known(when.known_at);
        let record = self.find_known(code, key, known).await?;
        write::newest(&self.store().read(), code, record)
            .await?
            .ok_or_else(no_record)?;
        let mut versions = write::versions(&self.store().read(), record).await?;
        versions.retain(|version| version.recorded_at <= known);
        if versions.is_empty() {
            return Err(no_record());
        }
        if let Some(moment) = when.as_of {
            versions = of_moment(versions, moment)?;
        }
        let bodies = versions
            .iter()
            .map(|version| body_of(&editions, version, ctx.now))
            .collect::<Result<Vec<_>>>()?;
        let told = Told::by_gateway(ctx, &registry, mask);
        self.log(ctx, purpose, &registry, bodies.iter().flatten(), mask, told)
            .await?;
        let views = versions.into_iter().zip(bodies);
        let views = views.map(|(version, body)| version_view(version, body.as_ref(), mask));
        Ok((RecordId::from_uuid(record), views.collect::<Result<_>>()?))
    }

    /// What was recorded after an instant, in its order; with `known_at` the feed as it was then. Without a purpose nothing is told of what
    /// records say.
    ///
    /// # Errors
    /// `Forbidden`; `Unavailable` when the reads could not be logged.
    pub async fn changes(
        &self,
        ctx: &Ctx,
        purpose: Option<&Purpose>,
        code: &RegistryCode,
        feed: Feed,
        mask: &Mask,
    ) -> Result<Slice<ChangeView>> {
        let (editions, registry) = self.open(ctx, code, Permission::ReadRegistry)?;
        purpose.map_or(Ok(()), |purpose| purpose.suits(&registry))?;
        let Feed { after, known_at, limit } = feed;
        let upto = known(known_at);
        let mut versions =
            tables::changes_until(&self.store().read(), code, after.unwrap_or(0), upto, limit + 1).await?;
        let more = versions.len() > limit as usize;
        versions.truncate(limit as usize);
        // Whoever follows has a place even where nothing is new.
        let next = versions
            .last()
            .filter(|_| more)
            .map(|version| version.recorded_at.to_string());
        let mut bodies = vec![None; versions.len()];
        if let Some(purpose) = purpose {
            for (body, version) in bodies.iter_mut().zip(&versions) {
                *body = body_of(&editions, version, ctx.now)?;
            }
            let told = Told::by_gateway(ctx, &registry, mask);
            self.log(ctx, purpose, &registry, bodies.iter().flatten(), mask, told)
                .await?;
        }
        let items = versions.into_iter().zip(bodies).map(|(version, body)| {
            let id = RecordId::from_uuid(version.record_id);
            let mut version = version_view(version, body.as_ref(), mask)?;
            if purpose.is_none() {
                (version.source, version.dossier) = (None, None);
            }
            Ok(ChangeView { id, version })
        });
        Ok(Slice {
            items: items.collect::<Result<_>>()?,
            next,
        })
    }

    /// The record of a key, at whatever time, or of an id, and its newest version: for whoever is to change it.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for who is no steward of the registry's agency.
    pub async fn newest(&self, ctx: &Ctx, code: &RegistryCode, key: &str) -> Result<(RecordId, i64)> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let record = self.find(code, key).await?;
        let newest = write::newest(&self.store().read(), code, record).await?;
        let newest = newest.ok_or_else(no_record)?;
        Ok((RecordId::from_uuid(record), newest.seq))
    }

    pub(crate) async fn find(&self, code: &RegistryCode, key: &str) -> Result<Uuid> {
        self.find_known(code, key, NOW).await
    }

    async fn find_known(&self, code: &RegistryCode, key: &str, known: i64) -> Result<Uuid> {
        if let Ok(id) = key.parse() {
            return Ok(id);
        }
        let slot = index::slot(code, None);
        let found = tables::by_key_ever(&self.store().read(), slot, key, known).await?;
        found.ok_or_else(no_record)
    }

    async fn views(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        editions: &Editions,
        records: &[Uuid],
        at: At,
        mask: &Mask,
    ) -> Result<Vec<RecordView>> {
        let registry = editions.current();
        let mut views = self.speaking(ctx, editions, records, at).await?;
        let told = Told::by_gateway(ctx, &registry, mask);
        self.log(ctx, purpose, &registry, views.iter().map(|view| &view.body), mask, told)
            .await?;
        for view in &mut views {
            view.body = mask.apply(&view.body);
        }
        Ok(views)
    }

    /// What holds of these records, whole. Whoever shows any of it tells those whom it is about first.
    pub(crate) async fn speaking(
        &self,
        ctx: &Ctx,
        editions: &Editions,
        records: &[Uuid],
        at: At,
    ) -> Result<Vec<RecordView>> {
        let registry = editions.current();
        let db = self.store().read();
        let spoken = tables::spoken(&db, &registry.code, records, at).await?;
        let mut views = Vec::with_capacity(spoken.len());
        for Spoken { from, to, version } in spoken {
            let Some(body) = body_of(editions, &version, ctx.now)? else {
                continue;
            };
            let newest = write::newest(&db, &registry.code, version.record_id).await?;
            views.push(RecordView {
                id: RecordId::from_uuid(version.record_id),
                key: registry.key_of(&body).unwrap_or_default(),
                seq: version.seq,
                newest: newest.map_or(version.seq, |newest| newest.seq),
                valid_from: Moment::from_stored(from),
                valid_to: Some(Moment::from_stored(to)).filter(|to| *to < Moment::FOREVER),
                recorded_at: Timestamp::from_micros(version.recorded_at),
                body,
                source: version.source,
                basis: version.basis,
                dossier: version.dossier,
            });
        }
        Ok(views)
    }

    /// Writes into the log of reads that bodies are about to be shown, for each person whom they are about.
    pub(crate) async fn log<'a>(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        registry: &Registry,
        bodies: impl IntoIterator<Item = &'a Value>,
        mask: &Mask,
        told: Told<'_>,
    ) -> Result<()> {
        if !registry.is_personal() || (purpose.veiled().is_none() && told == Told::All) {
            return Ok(());
        }
        let mut subjects: Vec<String> = bodies.into_iter().flat_map(|body| registry.subjects_of(body)).collect();
        subjects.retain(|subject| told != Told::One(subject));
        self.tell(ctx, purpose, registry, &subjects, mask).await
    }

    /// Writes into the log of reads of these people that a record was shown.
    pub(super) async fn tell(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        registry: &Registry,
        people: &[String],
        mask: &Mask,
    ) -> Result<()> {
        let shown: Vec<&str> = registry
            .fields
            .iter()
            .filter(|field| mask.shows(&field.path))
            .filter(|field| !field.path.as_str().contains('.'))
            .map(|field| field.term.name.vi.as_str())
            .collect();
        self.tell_of(ctx, purpose, registry, people, &shown.join(", ")).await
    }

    /// The same of what belongs to a record and is no field of it.
    pub(crate) async fn tell_of(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        registry: &Registry,
        people: &[String],
        shown: &str,
    ) -> Result<()> {
        if !registry.is_personal() {
            return Ok(());
        }
        let people: BTreeSet<&String> = people.iter().collect();
        let own = registry.basis.first().map(|b| format!("{}, {}", b.text, b.article));
        let what = format!(
            "{}: {} (mục đích: {}; căn cứ: {})",
            registry.name.vi,
            shown,
            self.meanings().of(purpose.code().as_str()).vi,
            purpose.basis().map(str::to_owned).or(own).unwrap_or_default()
        );
        let what = match purpose.veiled() {
            Some(client) => format!("{what}; {client} nhận mã thay thế, không nhận số định danh"),
            None => what,
        };
        let record = |subject| {
            let read = DataRead {
                subject,
                dossier: purpose.dossier(),
                purpose: Why::Registry,
                what: &what,
            };
            self.0.identity.access_log().record(ctx, read)
        };
        try_join_all(people.into_iter().map(|subject| record(subject)))
            .await
            .map(drop)
    }
}

/// Who is told of a read by the gateway of the exchange, which looks for numbers where [`exchange::REGISTRIES`] has them. A read is told
/// once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<'a> {
    /// Nobody: it is no call of the exchange, or the answer does not show whom it is about.
    Nobody,
    /// Whoever was asked about.
    One(&'a str),
    /// All whom the answer is about.
    All,
}

impl Told<'_> {
    /// Of an answer with bodies.
    pub(super) fn by_gateway(ctx: &Ctx, registry: &Registry, mask: &Mask) -> Self {
        if is_seen_whole(ctx, registry, mask) {
            Self::All
        } else {
            Self::Nobody
        }
    }
}

/// Whether the gateway sees of itself all whom an answer is about.
fn is_seen_whole(ctx: &Ctx, registry: &Registry, mask: &Mask) -> bool {
    let where_it_looks = |path: &FieldPath| {
        let parts: Vec<&str> = path.parts().collect();
        let in_list = registry.field(path).is_none_or(|field| field.many);
        parts.len() <= 2 && parts.last() == Some(&"person_number") && !in_list
    };
    let is_seen = |path: &FieldPath| mask.shows(path) && where_it_looks(path);
    ctx.actor == Actor::System(super::EXCHANGE) && registry.subjects.iter().all(is_seen)
}

fn merged(key: &str) -> Error {
    Error::refused(
        Kind::NotFound,
        "record-merged",
        format!("Bản ghi này đã được hợp nhất vào bản ghi có khóa {key}."),
        format!("This record was merged into the record with the key {key}."),
    )
}

pub(super) fn at(ctx: &Ctx, registry: &Registry, when: When) -> At {
    At {
        valid: when.as_of.unwrap_or_else(|| Moment::of(ctx.now, registry.valid_time)),
        known: known(when.known_at),
    }
}

fn known(at: Option<Timestamp>) -> i64 {
    at.map_or(NOW, Timestamp::micros)
}

/// Those that say something of a moment. An erasure does of every moment.
fn of_moment(versions: Vec<VersionRow>, moment: Moment) -> Result<Vec<VersionRow>> {
    let said: Vec<Option<Entry>> = versions.iter().map(VersionRow::entry).collect::<Result<_>>()?;
    let entries: Vec<Entry> = said.iter().copied().flatten().collect();
    let versions = versions.into_iter().zip(said);
    let of = versions.filter(|(_, said)| said.is_none_or(|entry| entry.is_of(moment, &entries)));
    Ok(of.map(|(version, _)| version).collect())
}

/// The body of a version as the version of the folder in force has it.
pub(crate) fn body_of(editions: &Editions, version: &VersionRow, now: Timestamp) -> Result<Option<Value>> {
    let Some(text) = &version.body else { return Ok(None) };
    let body: Value = serde_json::from_str(text)?;
    let registry = editions.current();
    let from = version
        .valid_from
        .map_or(Moment::of(now, registry.valid_time), Moment::from_stored);
    let edition = u32::try_from(version.edition).map_err(Error::internal)?;
    let body = editions.forward(&body, edition, from.day(registry.valid_time), now);
    Ok(Some(body.into_owned()))
}

fn version_view(version: VersionRow, body: Option<&Value>, mask: &Mask) -> Result<VersionView> {
    let effect = version.entry()?.map(|entry| entry.effect);
    Ok(VersionView {
        seq: version.seq,
        kind: ChangeKind::from_code(&version.kind).ok_or_else(|| Error::internal("a change of no kind"))?,
        effect,
        corrects: version.corrects,
        recorded_at: Timestamp::from_micros(version.recorded_at),
        body: body.map(|body| mask.apply(body)),
        actor: version.actor_name,
        agency: version.agency,
        source: Some(version.source),
        basis: version.basis,
        dossier: version.dossier,
    })
}
