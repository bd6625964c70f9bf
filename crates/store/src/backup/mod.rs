//! A copy of the database as it was at one moment, made while others write, and put back into an empty database.
//!
//! SQLite: `VACUUM INTO`, one file. PostgreSQL: each table by `COPY` in one transaction that sees one moment; the tables
//! themselves are made by our own migrations. So neither needs programs beside this one, nor a password on a command line,
//! and both work through PgBouncer. There are no sequences, triggers or large objects that such a copy would miss.

mod postgres;
mod sqlite;

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::{Config, Engine, Migrations};

/// The database copy on SQLite.
const SQLITE_FILE: &str = "motcua.db";
/// What the copy of a PostgreSQL database holds.
const CONTENTS: &str = "contents.json";

/// How far a copy is, in bytes. The end is an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Done.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// What a copy of a PostgreSQL database holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    /// The migrations that had run: `owner/name`.
    steps: BTreeSet<String>,
    /// The tables, each before those that refer to it.
    tables: Vec<Table>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    columns: Vec<String>,
    rows: u64,
}

/// Which engine an address is of.
///
/// # Errors
/// Neither.
pub fn engine(url: &str) -> anyhow::Result<Engine> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Engine::Sqlite),
        Some(("postgres" | "postgresql", _)) => Ok(Engine::Postgres),
        _ => bail!("a database address starts with sqlite: or postgres:"),
    }
}

/// Copies the database at `url` into the empty folder `to`. Whoever writes meanwhile is not held up.
///
/// # Errors
/// The database does not answer, or the folder cannot be written.
pub async fn dump(url: &str, to: &Path, progress: &mut (dyn FnMut(Progress) + Send)) -> anyhow::Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    match engine(url)? {
        Engine::Sqlite => sqlite::dump(url, &to.join(SQLITE_FILE), progress).await,
        Engine::Postgres => postgres::dump(url, to, progress).await,
    }
}

/// Whether nothing is in the database yet.
///
/// # Errors
/// The database does not answer.
pub async fn is_empty(url: &str) -> anyhow::Result<bool> {
    match engine(url)? {
        Engine::Sqlite => Ok(!sqlite::file(url)?.exists()),
        Engine::Postgres => postgres::is_empty(url).await,
    }
}

/// Puts a copy that [`dump`] made into the empty database of `config`. Tables are as they were then: the migrations that came
/// later are still to run.
///
/// # Errors
/// The database is not empty; the copy is of another engine, of a newer program, or damaged.
pub async fn load(
    config: &Config,
    from: &Path,
    sets: &[Migrations],
    progress: &mut (dyn FnMut(Progress) + Send),
) -> anyhow::Result<()> {
    if !is_empty(&config.url).await? {
        bail!("the database is not empty; nothing was written");
    }
    match engine(&config.url)? {
        Engine::Sqlite => sqlite::load(&config.url, &from.join(SQLITE_FILE)),
        Engine::Postgres => postgres::load(config, from, sets, progress).await,
    }
}
