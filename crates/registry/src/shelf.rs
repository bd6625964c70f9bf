//! Every version of every registry that was published to this node, compiled; kept in the database, whatever becomes of the
//! folders.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use base::{Error, Kind, Lang, Problems, Result, Timestamp, codes::AgencyCode};
use jiff::civil::Date;
use procedure::reference::Reference;
use serde_json::Value;
use store::{Read, Row, Store, params, sea_orm, transact};

use crate::{
    announce,
    model::{
        Files, Ready, Registry, RegistryCode,
        breaks::{self, Break},
    },
    quality::judge_order,
    service::reindex_order,
};

/// The registries of this node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shelf(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    reference: Arc<Reference>,
    known: RwLock<BTreeMap<RegistryCode, Arc<Editions>>>,
}

/// A registry in all its versions.
#[derive(Debug)]
pub struct Editions {
    /// By version; the last is in force. Never empty.
    all: Vec<Edition>,
}

#[derive(Debug)]
struct Edition {
    registry: Arc<Registry>,
    /// From the version before to this one.
    step: Ready,
    published_at: Timestamp,
    published_by: String,
}

/// What was published, and when.
#[derive(Debug, Clone)]
pub struct Published {
    /// The registry in this version.
    pub registry: Arc<Registry>,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What came of publishing.
#[derive(Debug)]
pub struct Publication {
    /// The registry as it is in force.
    pub registry: Arc<Registry>,
    /// Whether it is new; the same content twice changes nothing.
    pub is_new: bool,
    /// What it breaks against the version before.
    pub breaks: Vec<Break>,
}

#[derive(Debug, Row)]
struct EditionRow {
    files: String,
    published_at: i64,
    published_by: String,
}

impl Shelf {
    /// Opens the shelf with all that was published.
    ///
    /// # Errors
    /// The database failed, or something kept no longer compiles (it says what).
    pub async fn open(store: Store, reference: Arc<Reference>) -> Result<Self> {
        let shelf = Self(Arc::new(Inner {
            store,
            reference,
            known: RwLock::default(),
        }));
        shelf.refresh().await?;
        Ok(shelf)
    }

    /// Reads what another process has published since.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn refresh(&self) -> Result<()> {
        #[derive(Debug, Row)]
        struct CodeRow {
            code: String,
            edition: i64,
        }
        let sql = "SELECT code, edition FROM registry ORDER BY code";
        for row in self.0.store.read().all::<CodeRow>(sql, params![]).await? {
            let code: RegistryCode = row.code.parse().map_err(Error::internal)?;
            let known = self.get(&code).map(|editions| i64::from(editions.current().version));
            if known != Some(row.edition) {
                let editions = self.read(&code).await?;
                self.remember(code, editions);
            }
        }
        Ok(())
    }

    /// The registries in force, by code.
    pub fn all(&self) -> Vec<Arc<Editions>> {
        self.known().values().cloned().collect()
    }

    /// A registry.
    pub fn get(&self, code: &RegistryCode) -> Option<Arc<Editions>> {
        self.known().get(code).cloned()
    }

    /// The name of an agency on a day, and its code beside it; the code alone where the list of agencies has none.
    pub fn agency(&self, code: &AgencyCode, on: Date, lang: Lang) -> (String, Option<String>) {
        let code = code.to_string();
        match self.0.reference.agencies.get(&code, on) {
            Some(agency) => (agency.name.get(lang).to_owned(), Some(code)),
            None => (code, None),
        }
    }

    /// Publishes the files of a registry as its newest version.
    ///
    /// # Errors
    /// A refusal with every finding of the check; with everything that the new version breaks and its migration leaves open; with
    /// a version that is not higher than the one in force. The database failed.
    pub async fn publish(&self, files: &Files, by: &str, now: Timestamp) -> Result<Publication> {
        let registry = Arc::new(Registry::from_files(files, &self.0.reference)?);
        let text = registry.files().to_json()?;
        let code = registry.code.clone();
        let current = self.get(&code).map(|editions| editions.current());
        if let Some(current) = current.as_ref().filter(|current| current.hash == registry.hash) {
            return Ok(Publication {
                registry: Arc::clone(current),
                is_new: false,
                breaks: Vec::new(),
            });
        }
        let breaks = match &current {
            Some(current) => judge(current, &registry)?,
            None => Vec::new(),
        };
        let found_otherwise = current.as_ref().is_some_and(|current| {
            current.filters != registry.filters || current.key != registry.key || registry.migration.is_some()
        });
        let before = current.as_ref().map_or(0, |current| i64::from(current.version));
        transact!(self.0.store, |tx| {
            let sql = "INSERT INTO registry (code, edition, last_recorded) VALUES ($1, $2, 0) \
                       ON CONFLICT (code) DO UPDATE SET edition = excluded.edition WHERE registry.edition = $3";
            let version = i64::from(registry.version);
            if tx.exec(sql, params![code.as_str(), version, before]).await? == 0 {
                return Err(Error::refused(
                    Kind::Conflict,
                    "published-meanwhile",
                    "Một phiên bản khác vừa được công bố; hãy kiểm tra lại rồi công bố tiếp.",
                    "Another version was published meanwhile; look at it, then publish again.",
                ));
            }
            let sql = "INSERT INTO registry_edition (registry, edition, hash, files, published_at, published_by) \
                       VALUES ($1, $2, $3, $4, $5, $6)";
            let values = params![code.as_str(), version, registry.hash, text, now, by];
            tx.exec(sql, values).await?;
            if found_otherwise {
                tx.enqueue(reindex_order(&code, None)?, now).await?;
            }
            tx.enqueue(judge_order(&code)?, now).await?;
            Ok(())
        })?;
        let editions = self.read(&code).await?;
        self.remember(code, editions);
        Ok(Publication {
            registry,
            is_new: true,
            breaks,
        })
    }

    async fn read(&self, code: &RegistryCode) -> Result<Editions> {
        let sql = "SELECT files, published_at, published_by FROM registry_edition WHERE registry = $1 ORDER BY edition";
        let rows = self
            .0
            .store
            .read()
            .all::<EditionRow>(sql, params![code.as_str()])
            .await?;
        let mut all: Vec<Edition> = Vec::with_capacity(rows.len());
        for row in rows {
            let registry = Registry::from_files(&Files::from_json(&row.files)?, &self.0.reference)?;
            let before = all.last().map_or(&registry, |edition| edition.registry.as_ref());
            let step = Ready::new(before, &registry).map_err(|report| refused(report.problems()))?;
            all.push(Edition {
                registry: Arc::new(registry),
                step,
                published_at: Timestamp::from_micros(row.published_at),
                published_by: row.published_by,
            });
        }
        if all.is_empty() {
            return Err(Error::internal(format!("the registry {code} has no version")));
        }
        Ok(Editions { all })
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<RegistryCode, Arc<Editions>>> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, code: RegistryCode, editions: Editions) {
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(code, Arc::new(editions));
    }
}

impl Editions {
    /// The version in force.
    pub fn current(&self) -> Arc<Registry> {
        Arc::clone(&self.all[self.all.len() - 1].registry)
    }

    /// All versions, oldest first.
    pub fn published(&self) -> impl Iterator<Item = Published> + '_ {
        self.all.iter().map(|edition| Published {
            registry: Arc::clone(&edition.registry),
            at: edition.published_at,
            by: edition.published_by.clone(),
        })
    }

    /// Brings a body that was written under a version forward to the one in force.
    pub fn forward<'a>(&self, body: &'a Value, version: u32, valid_from: Date, now: Timestamp) -> Cow<'a, Value> {
        let later = self.all.iter().filter(|edition| edition.registry.version > version);
        later.fold(Cow::Borrowed(body), |body, edition| {
            if edition.registry.migration.is_none() {
                return body;
            }
            Cow::Owned(edition.step.run(&body, valid_from, now))
        })
    }
}

/// What a new version breaks; refused where something is left open.
fn judge(current: &Registry, new: &Registry) -> Result<Vec<Break>> {
    let mut problems = Problems::new();
    if new.version <= current.version {
        problems.add(
            "version-not-higher",
            "registry.toml:version",
            format!(
                "Nội dung đã thay đổi nên phiên bản phải lớn hơn {}, phiên bản đang có hiệu lực.",
                current.version
            ),
            format!(
                "The content has changed, so its version has to be higher than {}, the one in force.",
                current.version
            ),
        );
    }
    if let Some(migration) = new
        .migration
        .as_ref()
        .filter(|migration| migration.from != current.version)
    {
        problems.add(
            "migration-from",
            "migration.toml:from",
            format!(
                "Chuyển đổi bắt đầu từ phiên bản {}, nhưng phiên bản đang có hiệu lực là {}.",
                migration.from, current.version
            ),
            format!(
                "The migration begins at version {}, but {} is in force.",
                migration.from, current.version
            ),
        );
    }
    if let Err(report) = Ready::new(current, new) {
        problems.extend(report.problems());
    }
    let mut breaks = breaks::between(current, new);
    breaks.extend(announce::breaks(current, new));
    for found in breaks.iter().filter(|found| !found.migrated && !found.of_callers) {
        let help = match found.code {
            "valid-time-changed" => ("", ""),
            "event-changed" => (" Hãy đặt mã khác cho sự kiện.", " Give the event another id."),
            _ => (
                " Hãy nêu cách chuyển đổi trong migration.toml.",
                " Say in migration.toml what becomes of it.",
            ),
        };
        problems.add(
            found.code,
            found.at.as_str(),
            format!("{}{}", found.text.vi, help.0),
            format!("{}{}", found.text.en, help.1),
        );
    }
    problems.into_result()?;
    Ok(breaks)
}

fn refused(problems: Problems) -> Error {
    Error::Refused(Kind::Invalid, problems)
}
