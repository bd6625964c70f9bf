//! PostgreSQL: the tables by `COPY`, in its text format, which every version reads.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, bail};
use base::{Clock as _, time::SystemClock};
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, postgres::PgConnectOptions};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt, BufWriter},
};

use super::{CONTENTS, Contents, Progress, Table};
use crate::{Config, Migrations, Store};

/// Bytes of a table that are sent at once.
const PIECE: usize = 1 << 20;

/// All tables, each with its columns in their order.
const TABLES: &str = "SELECT t.table_name::text AS name, array_agg(c.column_name::text ORDER BY c.ordinal_position) AS columns, \
     pg_table_size(format('%I.%I', t.table_schema, t.table_name)::regclass) AS bytes \
     FROM information_schema.tables t JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name \
     WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE' \
     GROUP BY t.table_schema, t.table_name ORDER BY t.table_name";

/// Which table refers to which.
const REFERENCES: &str = "SELECT a.relname::text AS child, b.relname::text AS parent FROM pg_constraint k \
     JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid JOIN pg_namespace n ON n.oid = a.relnamespace \
     WHERE k.contype = 'f' AND n.nspname = current_schema() AND a.oid <> b.oid";

async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let options = PgConnectOptions::from_str(url).context("the address of the PostgreSQL database")?;
    let options = options.application_name("motcua backup").statement_cache_capacity(0);
    options.connect().await.context("connecting to PostgreSQL")
}

pub async fn is_empty(url: &str) -> anyhow::Result<bool> {
    let mut connection = connect(url).await?;
    let found = sqlx::query(TABLES).fetch_optional(&mut connection).await?;
    connection.close().await?;
    Ok(found.is_none())
}

pub async fn dump(url: &str, to: &Path, progress: &mut (dyn FnMut(Progress) + Send)) -> anyhow::Result<()> {
    let mut connection = connect(url).await?;
    // Everything below reads the one moment of the first query in it.
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut connection)
        .await?;
    let steps = sqlx::query("SELECT owner || '/' || name AS step FROM migration")
        .fetch_all(&mut connection)
        .await
        .context("reading which migrations have run")?;
    let mut contents = Contents {
        steps: steps.iter().map(|row| row.try_get("step")).collect::<Result<_, _>>()?,
        tables: Vec::new(),
    };
    let mut of = 0;
    for row in sqlx::query(TABLES).fetch_all(&mut connection).await? {
        of += row.try_get::<i64, _>("bytes")?.unsigned_abs();
        contents.tables.push(Table {
            name: row.try_get("name")?,
            columns: row.try_get("columns")?,
            rows: 0,
        });
    }
    let mut references = BTreeSet::new();
    for row in sqlx::query(REFERENCES).fetch_all(&mut connection).await? {
        references.insert((row.try_get("child")?, row.try_get("parent")?));
    }
    contents.tables = parents_first(contents.tables, &references)?;
    let mut done = 0;
    for table in &mut contents.tables {
        let path = file_of(to, &table.name);
        let mut file = BufWriter::new(
            File::create(&path)
                .await
                .with_context(|| format!("writing {}", path.display()))?,
        );
        let mut pieces = connection
            .copy_out_raw(&format!("COPY {} TO STDOUT", into(table)))
            .await?;
        while let Some(piece) = pieces.try_next().await? {
            // In this format a row is a line: a line feed within a value is written as \n.
            table.rows += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
            done += piece.len() as u64;
            file.write_all(&piece)
                .await
                .with_context(|| format!("writing {}", path.display()))?;
            progress(Progress { done, of: of.max(done) });
        }
        drop(pieces);
        file.flush().await?;
        file.get_ref().sync_all().await?;
    }
    sqlx::query("COMMIT").execute(&mut connection).await?;
    connection.close().await?;
    let path = to.join(CONTENTS);
    std::fs::write(&path, serde_json::to_vec_pretty(&contents)?).with_context(|| format!("writing {}", path.display()))
}

pub async fn load(
    config: &Config,
    from: &Path,
    sets: &[Migrations],
    progress: &mut (dyn FnMut(Progress) + Send),
) -> anyhow::Result<()> {
    let path = from.join(CONTENTS);
    let contents = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let contents: Contents = serde_json::from_slice(&contents).with_context(|| format!("in {}", path.display()))?;
    make_tables(config, &contents.steps, sets).await?;
    let mut connection = connect(&config.url).await?;
    let mut transaction = connection.begin().await?;
    let names: Vec<String> = contents.tables.iter().map(|table| quoted(&table.name)).collect();
    // Some migrations fill tables; what they wrote is in the copy, too.
    let emptied = format!("TRUNCATE {}", names.join(", "));
    sqlx::query(AssertSqlSafe(emptied)).execute(&mut *transaction).await?;
    let of = contents
        .tables
        .iter()
        .map(|table| std::fs::metadata(file_of(from, &table.name)).map_or(0, |m| m.len()))
        .sum();
    let mut done = 0;
    for table in &contents.tables {
        let path = file_of(from, &table.name);
        let mut file = File::open(&path)
            .await
            .with_context(|| format!("reading {}", path.display()))?;
        let mut sink = transaction
            .copy_in_raw(&format!("COPY {} FROM STDIN", into(table)))
            .await
            .with_context(|| format!("the table {}", table.name))?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = file
                .read(&mut piece)
                .await
                .with_context(|| format!("reading {}", path.display()))?;
            if read == 0 {
                break;
            }
            sink.send(&piece[..read]).await?;
            done += read as u64;
            progress(Progress { done, of });
        }
        let rows = sink
            .finish()
            .await
            .with_context(|| format!("the table {}", table.name))?;
        if rows != table.rows {
            bail!("the table {} has {rows} rows, the copy had {}", table.name, table.rows);
        }
    }
    transaction.commit().await?;
    sqlx::query("ANALYZE").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Makes the tables as they were: by the steps that had run, and no later ones.
async fn make_tables(config: &Config, steps: &BTreeSet<String>, sets: &[Migrations]) -> anyhow::Result<()> {
    let known = |step: &String| {
        let (owner, name) = step.split_once('/').unwrap_or_default();
        sets.iter()
            .any(|set| set.owner == owner && set.steps.iter().any(|s| s.name == name))
    };
    if let Some(unknown) = steps.iter().find(|step| !known(step)) {
        bail!("the backup was made by a newer program: this one does not know the migration {unknown}");
    }
    let store = Store::open(config).await?;
    let ran_there = |owner: &str, name: &str| steps.contains(&format!("{owner}/{name}"));
    store.migrate_some(sets, SystemClock.now(), ran_there).await?;
    store.close().await;
    Ok(())
}

/// Parents before children, so that no row refers to one that is not there yet.
fn parents_first(mut tables: Vec<Table>, references: &BTreeSet<(String, String)>) -> anyhow::Result<Vec<Table>> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |table: &Table| {
            let is_ready = |parent: &String| ordered.iter().any(|done| done.name == *parent);
            references
                .iter()
                .any(|(child, parent)| *child == table.name && !is_ready(parent))
        };
        let (waiting, ready): (Vec<_>, Vec<_>) = tables.into_iter().partition(waits);
        if ready.is_empty() {
            bail!("tables refer to each other in a circle: {}", waiting[0].name);
        }
        ordered.extend(ready);
        tables = waiting;
    }
    Ok(ordered)
}

fn file_of(folder: &Path, table: &str) -> PathBuf {
    folder.join(format!("{table}.copy"))
}

fn into(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(column)).collect();
    format!("{} ({})", quoted(&table.name), columns.join(", "))
}

/// An identifier in SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        Table {
            name: name.to_owned(),
            columns: vec!["id".to_owned()],
            rows: 0,
        }
    }

    #[test]
    fn parents_come_first_and_circles_are_refused() {
        let refers = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let tables = || vec![table("a"), table("b"), table("c")];
        let chain = BTreeSet::from([refers("a", "b"), refers("b", "c")]);
        let ordered = parents_first(tables(), &chain).expect("an order");
        let names: Vec<_> = ordered.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["c", "b", "a"]);
        let circle = BTreeSet::from([refers("a", "b"), refers("b", "a")]);
        assert!(parents_first(tables(), &circle).is_err());
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted(r#"a"b"#), r#""a""b""#);
    }
}
