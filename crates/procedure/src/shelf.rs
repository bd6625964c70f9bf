//! Packages that dossiers live under. A package is kept in the database by its hash as soon as it is put into force, so
//! that a dossier finds its own version for ever, whatever becomes of the folder it came from.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use base::{Error, Result, Timestamp};
use jiff::civil::Date;
use store::{Read, Row, Store, params, sea_orm, transact};

use crate::package::{CheckOptions, Files, Package};

/// The tables of the shelf.
pub const MIGRATIONS: store::Migrations = store::migrations!("procedure-shelf", "0001_shelf");

/// All packages that this node knows, compiled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shelf(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_hash: HashMap<String, Arc<Package>>,
    /// Versions of each procedure, by their first day.
    by_code: BTreeMap<String, BTreeMap<Date, Arc<Package>>>,
}

#[derive(Debug, Row)]
struct PackageRow {
    files: String,
    in_force: bool,
}

impl Shelf {
    /// Opens the shelf with the packages that are in force.
    ///
    /// # Errors
    /// The database failed, or a kept package no longer compiles (it names the package).
    pub async fn open(store: Store) -> Result<Self> {
        let rows = store
            .read()
            .all::<PackageRow>(
                "SELECT files, in_force FROM package WHERE in_force ORDER BY code, valid_from",
                params![],
            )
            .await?;
        let shelf = Self(Arc::new(Inner {
            store,
            known: RwLock::default(),
        }));
        for row in rows {
            let package = compile(&row.files)?;
            shelf.remember(&package, row.in_force);
        }
        Ok(shelf)
    }

    /// Puts the package in `dir` into force; the same content twice changes nothing. Another content of the same code
    /// and first day takes the place of the one before for new dossiers.
    ///
    /// # Errors
    /// The report of the check, or the database failed.
    pub async fn put_dir(&self, dir: &Path, options: &CheckOptions<'_>, now: Timestamp) -> Result<Arc<Package>> {
        let files = Files::read_dir(dir).map_err(|report| refused(&report))?;
        self.put(&files, options, now).await
    }

    /// As [`Shelf::put_dir`], from memory.
    ///
    /// # Errors
    /// The report of the check, or the database failed.
    pub async fn put(&self, files: &Files, options: &CheckOptions<'_>, now: Timestamp) -> Result<Arc<Package>> {
        let package = Package::from_files(files, options)?;
        let text = serde_json::to_string(&files.iter().collect::<BTreeMap<_, _>>())?;
        let first = package.meta.valid_from.to_string();
        transact!(self.0.store, |tx| {
            let sql = "UPDATE package SET in_force = $4 WHERE code = $1 AND valid_from = $2 AND hash <> $3";
            tx.exec(sql, params![package.id.code, first, package.id.hash, false])
                .await?;
            let sql = "INSERT INTO package (hash, code, version, valid_from, files, in_force, at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO UPDATE SET in_force = excluded.in_force";
            let values = params![
                package.id.hash,
                package.id.code,
                package.id.version,
                first,
                text,
                true,
                now
            ];
            tx.exec(sql, values).await
        })?;
        self.remember(&package, true);
        Ok(package)
    }

    /// The package under which a dossier of `code` is filed on `date`.
    pub fn on(&self, code: &str, date: Date) -> Option<Arc<Package>> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .by_code
            .get(code)?
            .range(..=date)
            .next_back()
            .map(|(_, p)| p)
            .filter(|p| p.holds_on(date))
            .cloned()
    }

    /// All packages under which a dossier can be filed on `date`, by code.
    pub fn all_on(&self, date: Date) -> Vec<Arc<Package>> {
        let codes: Vec<String> = {
            let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
            known.by_code.keys().cloned().collect()
        };
        codes.iter().filter_map(|code| self.on(code, date)).collect()
    }

    /// The package that a dossier lives under, by its hash.
    ///
    /// # Errors
    /// There is no such package, or it no longer compiles: ours to mend.
    pub async fn by_hash(&self, hash: &str) -> Result<Arc<Package>> {
        if let Some(package) = self
            .0
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_hash
            .get(hash)
        {
            return Ok(Arc::clone(package));
        }
        let sql = "SELECT files, in_force FROM package WHERE hash = $1";
        let row = self.0.store.read().one::<PackageRow>(sql, params![hash]).await?;
        let row = row.ok_or_else(|| Error::internal(format!("no package {hash}")))?;
        let package = compile(&row.files)?;
        self.remember(&package, row.in_force);
        Ok(package)
    }

    fn remember(&self, package: &Arc<Package>, in_force: bool) {
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        known.by_hash.insert(package.id.hash.clone(), Arc::clone(package));
        if in_force {
            let versions = known.by_code.entry(package.id.code.clone()).or_default();
            versions.insert(package.meta.valid_from, Arc::clone(package));
        }
    }
}

/// The errors of a report as a refusal, each at its place.
fn refused(report: &crate::check::Report) -> Error {
    let mut problems = base::Problems::new();
    for finding in report
        .findings
        .iter()
        .filter(|f| f.severity == crate::check::Severity::Error)
    {
        let place = format!("{}:{}:{}", finding.file, finding.line, finding.column);
        problems.add(&finding.code, place, &finding.text.vi, &finding.text.en);
    }
    Error::Refused(base::Kind::Invalid, problems)
}

/// A kept package was judged when it was put here; its templates are not compiled again.
fn compile(files: &str) -> Result<Arc<Package>> {
    let files: BTreeMap<String, String> = serde_json::from_str(files)?;
    let files = Files::from_map(files.into_iter().map(|(name, text)| (name, text.into_bytes())))
        .map_err(|report| refused(&report))?;
    Package::from_files(&files, &CheckOptions::default())
}
