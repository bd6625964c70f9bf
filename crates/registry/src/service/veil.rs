//! What a client of the exchange sees and says where a service gives pseudonyms in the place of numbers: in bodies, keys, ids, and
//! places of lists. What would tell the same record to two clients that compare is left out: the paper and the dossier behind it, and
//! the instant of its recording but for the day.

use std::collections::{BTreeSet, HashMap};

use base::{Error, Kind, Result, Timestamp};
use exchange::model::identifier::ClientId;
use identity::{Ctx, DataRead, Purpose as Why};
use jiff::civil::Time;
use serde_json::Value;
use store::transact;
use uuid::Uuid;

use super::{ChangeView, Listed, Purpose, Query, RecordId, RecordView, Registries, Slice, VersionView, no_record};
use crate::{
    model::{
        Behind, FieldPath, Identifier, KEY_SEPARATOR, Link, Operator, PseudonymKey, Registry, Service, is_pseudonym,
        text_of, values_at,
    },
    store::pseudonyms as tables,
};

/// Between a client and the numbers of a registry.
#[derive(Debug)]
pub struct Veil<'a> {
    registries: &'a Registries,
    key: &'a PseudonymKey,
    registry: &'a Registry,
    client: &'a ClientId,
    service: &'a Service,
    now: Timestamp,
}

/// The pseudonyms of what an answer says.
type Given = HashMap<Behind, String>;

impl Registries {
    /// From now on pseudonyms are made with this key; only the first counts.
    pub fn give_pseudonyms_by(&self, key: PseudonymKey) {
        let _ = self.0.pseudonyms.set(key);
    }

    /// What stands between a client and the numbers of a registry; none where the service shows them.
    ///
    /// # Errors
    /// `Unavailable` where the service gives pseudonyms and the node has no key for them.
    pub fn veil<'a>(
        &'a self,
        ctx: &Ctx,
        registry: &'a Registry,
        service: &'a Service,
        client: &'a ClientId,
    ) -> Result<Option<Veil<'a>>> {
        if service.pseudonyms.is_empty() {
            return Ok(None);
        }
        let key = self.0.pseudonyms.get().ok_or_else(|| {
            Error::refused(
                Kind::Unavailable,
                "no-pseudonyms",
                "Hệ thống này chưa cấp được mã thay thế; hãy báo cho cơ quan quản lý cơ sở dữ liệu.",
                "This node cannot give pseudonyms yet; tell the agency that keeps the registry.",
            )
        })?;
        Ok(Some(Veil {
            registries: self,
            key,
            registry,
            client,
            service,
            now: ctx.now,
        }))
    }
}

impl Veil<'_> {
    /// Records as the client sees them. A list comes in an order that says nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn listed(&self, listed: Listed) -> Result<Listed> {
        let mut behind: BTreeSet<Behind> = listed.items.iter().flat_map(|view| self.of_record(view)).collect();
        let next = listed.next.map(|next| place(&next));
        behind.extend(next.clone());
        let given = self.give(&behind).await?;
        let mut items: Vec<RecordView> = listed
            .items
            .into_iter()
            .map(|view| self.hide_record(view, &given))
            .collect();
        items.sort_unstable_by_key(|view| view.id.uuid());
        Ok(Slice {
            items,
            next: next.and_then(|next| given.get(&next).cloned()),
        })
    }

    /// A record as the client sees it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn record(&self, view: RecordView) -> Result<RecordView> {
        let given = self.give(&self.of_record(&view).collect()).await?;
        Ok(self.hide_record(view, &given))
    }

    /// Versions of a record as the client sees them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn versions(&self, versions: Vec<VersionView>) -> Result<Vec<VersionView>> {
        let bodies = versions.iter().filter_map(|version| version.body.as_ref());
        let given = self.give(&bodies.flat_map(|body| self.of_body(body)).collect()).await?;
        Ok(versions
            .into_iter()
            .map(|version| self.hide_version(version, &given))
            .collect())
    }

    /// The feed of changes as the client sees it, each with its place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn changes(&self, changes: Slice<ChangeView>) -> Result<Slice<(ChangeView, String)>> {
        let at = |change: &ChangeView| {
            Behind::Place(change.version.recorded_at.micros().to_string(), Some(change.id.uuid()))
        };
        let mut behind = BTreeSet::new();
        for change in &changes.items {
            behind.extend([at(change), Behind::Record(change.id.uuid())]);
            behind.extend(change.version.body.iter().flat_map(|body| self.of_body(body)));
        }
        let given = self.give(&behind).await?;
        let hide = |change: ChangeView| {
            let cursor = given.get(&at(&change)).cloned().unwrap_or_default();
            let hidden = ChangeView {
                id: hide_id(change.id, &given),
                version: self.hide_version(change.version, &given),
            };
            (hidden, cursor)
        };
        let items: Vec<_> = changes.items.into_iter().map(hide).collect();
        let next = changes
            .next
            .and_then(|_| items.last().map(|(_, cursor)| cursor.clone()));
        Ok(Slice { items, next })
    }

    /// The key of a record, from what the client says.
    ///
    /// # Errors
    /// `Invalid` for a number in the place of a pseudonym; `NotFound` for a pseudonym that was not given to this client.
    pub async fn key(&self, key: &str) -> Result<String> {
        if key.parse::<Uuid>().is_ok() {
            return self.take(key, &["#record"]).await;
        }
        let mut parts = Vec::new();
        for (part, path) in key.split(KEY_SEPARATOR).zip(&self.registry.key) {
            parts.push(if self.hides(path) {
                self.take(part, &[&self.term(path)]).await?
            } else {
                part.to_owned()
            });
        }
        Ok(parts.join(&KEY_SEPARATOR.to_string()))
    }

    /// A question, from what the client asks.
    ///
    /// # Errors
    /// As [`Self::key`]; `Invalid` for an order or a range that would tell the numbers.
    pub async fn question(&self, mut query: Query) -> Result<Query> {
        if query.sort.as_ref().is_some_and(|sort| self.hides(&sort.field)) {
            return Err(needed("sort"));
        }
        for asked in query.asked.iter_mut().filter(|asked| self.hides(&asked.field)) {
            match (&asked.value, asked.operator) {
                (Some(value), Operator::Eq) => asked.value = Some(self.take(value, &[&self.term(&asked.field)]).await?),
                _ => return Err(needed(asked.field.as_str())),
            }
        }
        self.known_by_days(query.when.known_at)?;
        query.after = self.place(query.after.as_deref()).await?;
        Ok(query)
    }

    /// That it is asked by the knowledge of whole days: by trying instants the client would find that of the recording.
    ///
    /// # Errors
    /// `Invalid` for an instant that begins no day of legal time.
    pub fn known_by_days(&self, known_at: Option<Timestamp>) -> Result<()> {
        if known_at.is_none_or(|at| at == day_of(at)) {
            return Ok(());
        }
        let mut problems = base::Problems::new();
        problems.add(
            "not-a-day",
            "known_at",
            "Dịch vụ này dùng mã thay thế: known_at là thời điểm bắt đầu một ngày, ví dụ 2026-01-01T00:00:00+07:00.",
            "This service uses pseudonyms: known_at is the beginning of a day, such as 2026-01-01T00:00:00+07:00.",
        );
        Err(Error::Refused(Kind::Invalid, problems))
    }

    /// A place in a list, from what the client gives back.
    ///
    /// # Errors
    /// As [`Self::key`].
    pub async fn place(&self, cursor: Option<&str>) -> Result<Option<String>> {
        match cursor {
            Some(cursor) => self.take(cursor, &["#place"]).await.map(Some),
            None => Ok(None),
        }
    }

    /// The client's own pseudonym of somebody of whom another client has one; both have to be named by the service. The person sees it.
    ///
    /// # Errors
    /// `Forbidden` for a client that the service does not name; `NotFound` where the pseudonym was given to none of them; `Unavailable`
    /// when it could not be logged.
    pub async fn translate(&self, ctx: &Ctx, purpose: &Purpose, link: &Link, pseudonym: &str) -> Result<String> {
        if !link.between.contains(self.client) {
            return Err(Error::forbidden());
        }
        let row = tables::find(&self.registries.store().read(), &self.registry.code, pseudonym).await?;
        let row = row.filter(|row| self.counts(row.edition)).ok_or_else(no_record)?;
        let of = link.between.iter().find(|client| client.to_string() == row.consumer);
        let field = self.service.pseudonyms.iter().find(|path| self.term(path) == row.kind);
        let (Some(of), Some(field)) = (of, field) else {
            return Err(no_record());
        };
        let is_person =
            self.registry.field(field).and_then(|field| field.term.identifier) == Some(Identifier::PersonNumber);
        if is_person {
            let what = format!(
                "{}: nối mã thay thế của {of} với mã của {} (mục đích: {}; căn cứ: {}, {})",
                self.registry.name.vi,
                self.client,
                self.registries.meanings().of(purpose.code().as_str()).vi,
                link.basis.text,
                link.basis.article
            );
            let read = DataRead {
                subject: &row.value,
                dossier: purpose.dossier(),
                purpose: Why::Registry,
                what: &what,
            };
            self.registries.0.identity.access_log().record(ctx, read).await?;
        }
        let behind = Behind::Value(row.kind, row.value);
        let given = self.give(&[behind.clone()].into()).await?;
        given.get(&behind).cloned().ok_or_else(no_record)
    }

    fn hides(&self, path: &FieldPath) -> bool {
        self.service.pseudonyms.contains(path)
    }

    fn term(&self, path: &FieldPath) -> String {
        self.registry
            .field(path)
            .map(|field| field.term.id.to_string())
            .unwrap_or_default()
    }

    fn counts(&self, edition: i64) -> bool {
        (i64::from(self.key.oldest())..=i64::from(self.key.edition())).contains(&edition)
    }

    fn of_body<'b>(&'b self, body: &'b Value) -> impl Iterator<Item = Behind> + 'b {
        self.service.pseudonyms.iter().flat_map(move |path| {
            let values = values_at(body, path).into_iter().filter_map(text_of);
            values.map(|value| Behind::Value(self.term(path), value))
        })
    }

    fn of_record<'b>(&'b self, view: &'b RecordView) -> impl Iterator<Item = Behind> + 'b {
        let parts = self.registry.key.iter().zip(view.key.split(KEY_SEPARATOR));
        let of_key = parts
            .filter(|(path, _)| self.hides(path))
            .map(|(path, part)| Behind::Value(self.term(path), part.to_owned()));
        let of_id = std::iter::once(Behind::Record(view.id.uuid()));
        self.of_body(&view.body).chain(of_key).chain(of_id)
    }

    /// Makes the pseudonyms, and remembers those that are new.
    async fn give(&self, behind: &BTreeSet<Behind>) -> Result<Given> {
        let (client, registry) = (self.client.to_string(), &self.registry.code);
        let given: Given = behind
            .iter()
            .map(|behind| (behind.clone(), self.key.of(&client, registry.as_str(), behind)))
            .collect();
        let all: Vec<&str> = given.values().map(String::as_str).collect();
        let known = tables::known(&self.registries.store().read(), &all).await?;
        let new = given.iter().filter(|(_, pseudonym)| !known.contains(*pseudonym));
        let new: Vec<(&str, &Behind)> = new.map(|(behind, pseudonym)| (pseudonym.as_str(), behind)).collect();
        if !new.is_empty() {
            transact!(self.registries.store(), |tx| {
                tables::put(&tx, &client, registry, self.key.edition(), &new, self.now).await
            })?;
        }
        Ok(given)
    }

    /// What stands behind a pseudonym of one of these kinds that was given to this client.
    async fn take(&self, pseudonym: &str, kinds: &[&str]) -> Result<String> {
        if !is_pseudonym(pseudonym) {
            return Err(needed(""));
        }
        let row = tables::find(&self.registries.store().read(), &self.registry.code, pseudonym).await?;
        let client = self.client.to_string();
        let ours = |row: &tables::GivenRow| {
            row.consumer == client && kinds.contains(&row.kind.as_str()) && self.counts(row.edition)
        };
        row.filter(ours).map(|row| row.value).ok_or_else(no_record)
    }

    fn hide_record(&self, view: RecordView, given: &Given) -> RecordView {
        let parts = self.registry.key.iter().zip(view.key.split(KEY_SEPARATOR));
        let parts: Vec<String> = parts
            .map(|(path, part)| match self.hides(path) {
                true => given
                    .get(&Behind::Value(self.term(path), part.to_owned()))
                    .cloned()
                    .unwrap_or_default(),
                false => part.to_owned(),
            })
            .collect();
        RecordView {
            id: hide_id(view.id, given),
            key: parts.join(&KEY_SEPARATOR.to_string()),
            body: self.hide_body(view.body, given),
            recorded_at: day_of(view.recorded_at),
            source: String::new(),
            dossier: None,
            ..view
        }
    }

    fn hide_version(&self, version: VersionView, given: &Given) -> VersionView {
        VersionView {
            body: version.body.map(|body| self.hide_body(body, given)),
            recorded_at: day_of(version.recorded_at),
            source: None,
            dossier: None,
            ..version
        }
    }

    fn hide_body(&self, mut body: Value, given: &Given) -> Value {
        for path in &self.service.pseudonyms {
            let term = self.term(path);
            let parts: Vec<&str> = path.parts().collect();
            // What has no pseudonym is not shown at all.
            let hide = |value: &mut Value| {
                let behind = text_of(value).map(|text| Behind::Value(term.clone(), text));
                let pseudonym = behind.and_then(|behind| given.get(&behind));
                *value = pseudonym.map_or(Value::Null, |pseudonym| Value::from(pseudonym.as_str()));
            };
            each(&mut body, &parts, &hide);
        }
        body
    }
}

/// Does something to each value at a way in a body.
fn each(value: &mut Value, way: &[&str], what: &impl Fn(&mut Value)) {
    match (value, way) {
        (Value::Array(items), _) => items.iter_mut().for_each(|item| each(item, way, what)),
        (value, []) => what(value),
        (value, [first, rest @ ..]) => {
            if let Some(member) = value.get_mut(*first) {
                each(member, rest, what);
            }
        }
    }
}

fn hide_id(id: RecordId, given: &Given) -> RecordId {
    let pseudonym = given.get(&Behind::Record(id.uuid()));
    RecordId::from_uuid(pseudonym.and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// A place in a list, as lists give it: the id of a record, or a value and the id.
fn place(cursor: &str) -> Behind {
    let record = cursor.rsplit('.').next().and_then(|text| text.parse().ok());
    Behind::Place(cursor.to_owned(), record)
}

/// The day of an instant, of legal time.
fn day_of(at: Timestamp) -> Timestamp {
    Timestamp::from_legal(at.legal_date().to_datetime(Time::midnight()))
}

fn needed(at: &str) -> Error {
    let mut problems = base::Problems::new();
    problems.add(
        "pseudonym-needed",
        at,
        "Dịch vụ này dùng mã thay thế: hãy dùng đúng mã mà dịch vụ đã cấp cho hệ thống của bạn, không dùng số thật, khoảng giá trị hoặc sắp xếp theo trường này.",
        "This service uses pseudonyms: give one that it gave to your system, not the number itself, nor a range or an order of this field.",
    );
    Error::Refused(Kind::Invalid, problems)
}
