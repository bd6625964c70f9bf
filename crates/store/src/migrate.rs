//! Migrations: numbered SQL files of each crate, run once, forwards only.

use base::{Error, Result, Timestamp};

use crate::{Engine, Read, Store, params, transact};

/// The numbered steps of one crate. Made by [`migrations!`](crate::migrations).
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The crate.
    pub owner: &'static str,
    /// Its steps, oldest first.
    pub steps: &'static [Step],
}

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// File name without its ending: `0001_accounts`.
    pub name: &'static str,
    /// Statements, separated by `;` at the end of a line, with `{uuid}`, `{json}` and `{bytes}` for the types that differ,
    /// and `{ordered}` behind a table whose rows lie in the order of its primary key (SQLite; PostgreSQL has no such tables).
    /// A statement that begins with `{only sqlite}` or `{only postgres}` is for that engine.
    pub sql: &'static str,
}

/// `migrations!("identity", "0001_accounts", "0002_tokens")` takes the files from the crate's `migrations/` folder.
#[macro_export]
macro_rules! migrations {
    ($owner:literal $(, $name:literal)* $(,)?) => {
        $crate::Migrations {
            owner: $owner,
            steps: &[$($crate::Step {
                name: $name,
                sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
            }),*],
        }
    };
}

const JOURNAL: &str = "CREATE TABLE IF NOT EXISTS migration (owner TEXT NOT NULL, name TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (owner, name))";

impl Store {
    /// Runs what has not run yet, each step in a transaction of its own; the names of the steps that ran.
    ///
    /// Two nodes that start together are safe: a step notes itself in the same transaction, and the second finds the note.
    ///
    /// # Errors
    /// The step that failed; the ones before it stay.
    pub async fn migrate(&self, sets: &[Migrations], now: Timestamp) -> Result<Vec<String>> {
        self.migrate_some(sets, now, |_, _| true).await
    }

    /// As [`Self::migrate`], but of the steps only those that are `wanted` (by owner and name).
    pub(crate) async fn migrate_some(
        &self,
        sets: &[Migrations],
        now: Timestamp,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<String>> {
        transact!(self, |tx| { tx.run(JOURNAL).await })?;
        let mut ran = Vec::new();
        for set in sets {
            for step in set.steps {
                if wanted(set.owner, step.name) && self.run_step(set.owner, step, now).await? {
                    ran.push(format!("{}/{}", set.owner, step.name));
                }
            }
        }
        Ok(ran)
    }

    /// The steps that have not run.
    pub async fn pending(&self, sets: &[Migrations]) -> Result<Vec<String>> {
        let journal = match self.engine() {
            Engine::Sqlite => "SELECT name FROM sqlite_master WHERE name = 'migration'",
            Engine::Postgres => {
                "SELECT table_name::text FROM information_schema.tables WHERE table_name = 'migration' AND table_schema = current_schema()"
            }
        };
        let started = self.read().scalar::<String>(journal, params![]).await?.is_some();
        let mut pending = Vec::new();
        for set in sets {
            for step in set.steps {
                let sql = "SELECT at FROM migration WHERE owner = $1 AND name = $2";
                if !started
                    || self
                        .read()
                        .scalar::<i64>(sql, params![set.owner, step.name])
                        .await?
                        .is_none()
                {
                    pending.push(format!("{}/{}", set.owner, step.name));
                }
            }
        }
        Ok(pending)
    }

    async fn run_step(&self, owner: &str, step: &Step, now: Timestamp) -> Result<bool> {
        transact!(self, |tx| {
            let noted = tx
                .exec(
                    "INSERT INTO migration (owner, name, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    params![owner, step.name, now],
                )
                .await?;
            if noted == 0 {
                return Ok(false);
            }
            for sql in statements(tx.engine(), step.sql) {
                tx.run(&sql)
                    .await
                    .map_err(|e| Error::internal(format!("migration {owner}/{}: {e}", step.name)))?;
            }
            Ok(true)
        })
    }
}

fn statements(engine: Engine, text: &str) -> Vec<String> {
    let (uuid, json, bytes, ordered, ours, others) = match engine {
        Engine::Sqlite => (
            "BLOB",
            "TEXT",
            "BLOB",
            "WITHOUT ROWID",
            "{only sqlite}",
            "{only postgres}",
        ),
        Engine::Postgres => ("uuid", "jsonb", "bytea", "", "{only postgres}", "{only sqlite}"),
    };
    let text = text
        .replace("{uuid}", uuid)
        .replace("{json}", json)
        .replace("{bytes}", bytes)
        .replace("{ordered}", ordered);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim_start().starts_with("--")).collect();
    lines
        .join("\n")
        .split(";\n")
        .map(|s| s.trim().trim_end_matches(';'))
        .filter(|s| !s.is_empty() && !s.starts_with(others))
        .map(|s| s.strip_prefix(ours).unwrap_or(s).trim_start().to_owned())
        .collect()
}
