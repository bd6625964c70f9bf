//! The embedded database: one file.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use anyhow::Context;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::Progress;

/// How often the growing copy is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The file of a database.
pub fn file(url: &str) -> anyhow::Result<PathBuf> {
    let options = SqliteConnectOptions::from_str(url).context("the address of the SQLite file")?;
    Ok(options.get_filename().to_owned())
}

pub async fn dump(url: &str, to: &Path, progress: &mut (dyn FnMut(Progress) + Send)) -> anyhow::Result<()> {
    let source = file(url)?;
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(60));
    let mut connection = options
        .connect()
        .await
        .with_context(|| format!("opening {}", source.display()))?;
    let draft = to.with_extension("draft");
    remove(&draft)?;
    let name = draft
        .to_str()
        .context("the folder of the backup has a name that is not UTF-8")?;
    // One statement reads one moment, and the log of writes goes on beside it.
    let of = length(&source);
    {
        let copy = sqlx::query("VACUUM INTO ?1").bind(name).execute(&mut connection);
        tokio::pin!(copy);
        let copied = loop {
            match tokio::time::timeout(LOOK, &mut copy).await {
                Ok(copied) => break copied,
                Err(_) => progress(Progress {
                    done: length(&draft),
                    of,
                }),
            }
        };
        copied.with_context(|| format!("copying {}", source.display()))?;
    }
    connection.close().await?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, to).with_context(|| format!("writing {}", to.display()))?;
    progress(Progress { done: of, of });
    Ok(())
}

pub fn load(url: &str, from: &Path) -> anyhow::Result<()> {
    let to = file(url)?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let draft = to.with_extension("draft");
    remove(&draft)?;
    fs::copy(from, &draft).with_context(|| format!("copying {} to {}", from.display(), draft.display()))?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, &to).with_context(|| format!("writing {}", to.display()))
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Removes what an interrupted copy left.
fn remove(draft: &Path) -> anyhow::Result<()> {
    if draft.exists() {
        fs::remove_file(draft).with_context(|| format!("removing {}", draft.display()))?;
    }
    Ok(())
}
