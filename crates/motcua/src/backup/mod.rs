//! `motcua backup` and `motcua restore`: a node whole, taken while it runs.
//!
//! The order makes the copy whole:
//! 1. **The database**, as it was at one moment.
//! 2. Keys, `exchange`, `federation`: whatever the database speaks of is there by then.
//! 3. **Files**: they are written before the database speaks of them and never change, so all that the copy names are there; but
//!    for what is removed with its row meanwhile, of which the copy of the database has the row alone.
//! 4. **The transparency log**, last. Each leaf is on disk before the database notes its place or the journal passes it, so
//!    the copy of the log has every leaf that the copy of the database knows, and some more. These the restored node reads at
//!    its start: the journal folds on from its cursor, and leaves of entries that the copy of the database has are noted. Leaves
//!    of entries that came later stay facts of the log alone (`Dossiers::keep_in`). So nothing is lost that the database has,
//!    and nothing is folded twice, because the cursor and what it folded are of one moment.
//!
//! The other way round the database would speak of leaves that the log lacks, and nothing could mend that.

mod copy;
mod manifest;
mod restore;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use base::{Clock as _, time::SystemClock};
use indicatif::{ProgressBar, ProgressStyle};
use store::backup::Progress;

pub use self::restore::{Restore, check_whole, restore};
use self::{
    copy::Copier,
    manifest::{FORMAT, LogEnd, Manifest, Sums},
};
use crate::{cli::say, config::Config, exchange, ledger::ended};

/// The copy of the database.
const DATABASE: &str = "database";
/// The configuration.
const CONFIG: &str = "motcua.toml";
/// In a backup that is not finished.
const UNFINISHED: &str = "unfinished";
/// Folders of the data that are copied whole.
const FOLDERS: [&str; 3] = [exchange::commands::FOLDER, "federation", ended::FOLDER];
/// Keys in the data.
const KEYS: [&str; 2] = ["secret.key", "ledger.key"];
const BLOBS: &str = "blobs";
const LEDGER: &str = "ledger";

/// `motcua backup`.
#[derive(Debug, Clone, clap::Args)]
pub struct Backup {
    /// The configuration of the node, which may be running.
    #[arg(long)]
    pub config: PathBuf,
    /// A new folder for the backup; of an interrupted one, to go on.
    #[arg(long)]
    pub to: PathBuf,
    /// An earlier backup of this node: what has not changed is linked from it, not copied.
    #[arg(long)]
    pub since: Option<PathBuf>,
}

/// Makes a backup.
///
/// # Errors
/// The node or the folder cannot be read or written; the folder holds something else.
pub async fn backup(args: &Backup) -> anyhow::Result<()> {
    let config = Config::read(&args.config)?;
    begin(&args.to)?;
    let earlier = match &args.since {
        Some(folder) => Some((folder.clone(), Manifest::read(folder)?.1)),
        None => None,
    };

    let database = args.to.join(DATABASE);
    if database.exists() {
        fs::remove_dir_all(&database).with_context(|| format!("removing {}", database.display()))?;
    }
    let url = config.database_url();
    let bar = bytes_bar("Cơ sở dữ liệu / database")?;
    store::backup::dump(&url, &database, &mut |progress| show(&bar, progress)).await?;
    bar.finish_and_clear();

    let (data, to, file) = (config.data.clone(), args.to.clone(), args.config.clone());
    let files = move || copy_files(&data, &to, &file, earlier);
    let (sums, log) = tokio::task::spawn_blocking(files).await??;
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made: SystemClock.now().rfc3339(),
        engine: manifest::engine_name(store::backup::engine(&url)?).to_owned(),
        log,
        outside: outside(&config),
        files: sums.len() as u64,
        sums: String::new(),
    };
    let manifest = manifest.write(&args.to, &sums)?;
    fs::remove_file(args.to.join(UNFINISHED)).context("finishing the backup")?;
    say(&format!(
        "Đã sao lưu {} tệp vào {} / {0} files backed up\n",
        manifest.files,
        args.to.display()
    ))?;
    for path in &manifest.outside {
        say(&format!(
            "Không nằm trong bản sao lưu / not in the backup: {}\n",
            path.display()
        ))?;
    }
    Ok(())
}

/// Makes the folder, or takes up what an interrupted backup left.
fn begin(to: &Path) -> anyhow::Result<()> {
    let mark = to.join(UNFINISHED);
    let is_empty = !to.exists() || fs::read_dir(to)?.next().is_none();
    if !is_empty && !mark.exists() {
        return Err(refusal(
            "backup-folder-in-use",
            &format!(
                "Thư mục {} đã có dữ liệu. Hãy chọn thư mục mới; bản sao lưu trước đưa vào bằng --since.",
                to.display()
            ),
            "the folder is not empty: choose a new one, and give the earlier backup with --since",
        ));
    }
    copy::private_folder(to)?;
    fs::write(&mark, "").with_context(|| format!("writing {}", mark.display()))
}

/// Everything but the database.
fn copy_files(
    data: &Path,
    to: &Path,
    config: &Path,
    earlier: Option<(PathBuf, Sums)>,
) -> anyhow::Result<(Sums, Option<LogEnd>)> {
    let bar = bytes_bar("Tệp / files")?;
    let ledger_before = earlier.as_ref().map(|(folder, _)| folder.join(LEDGER));
    let mut copier = Copier::new(data, to, earlier, &bar);
    copier.note_folder(DATABASE)?;
    copier.file(config, CONFIG)?;
    for key in KEYS {
        if data.join(key).exists() {
            copier.file(&data.join(key), key)?;
        }
    }
    for folder in FOLDERS {
        copier.folder(folder)?;
    }
    copier.blobs(BLOBS)?;
    bar.finish_and_clear();

    let bar = bytes_bar("Sổ cái / transparency log")?;
    let ledger_to = to.join(LEDGER);
    let copied = ledger::copy(
        &data.join(LEDGER),
        &ledger_to,
        ledger_before.as_deref(),
        &mut |done, of| {
            show(&bar, Progress { done, of });
        },
    )?;
    bar.finish_and_clear();
    let mut log = None;
    if let Some(copied) = copied {
        for name in &copied.files {
            copier.note(&Path::new(LEDGER).join(name))?;
        }
        log = Some(LogEnd::of(copied.checkpoint.checkpoint()));
    }
    Ok((copier.finish()?, log))
}

/// What the configuration names beside the data folder: it is not in the backup.
fn outside(config: &Config) -> Vec<PathBuf> {
    let single = [
        &config.http.certificate,
        &config.http.key,
        &config.reference,
        &config.calendar,
    ];
    let mut outside: Vec<PathBuf> = single
        .into_iter()
        .flatten()
        .chain(&config.packages)
        .chain(&config.registries)
        .cloned()
        .collect();
    if config
        .exchange
        .as_ref()
        .is_some_and(|exchange| !exchange.shared.is_empty())
    {
        // By its key: the address may have a password in it.
        outside.push("exchange.shared".into());
    }
    outside
}

/// A refusal with its code, in both languages.
fn refusal(code: &str, vi: &str, en: &str) -> anyhow::Error {
    anyhow::anyhow!("{vi} / {en} [{code}]")
}

fn bytes_bar(what: &'static str) -> anyhow::Result<Arc<ProgressBar>> {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")?;
    Ok(Arc::new(ProgressBar::new(0).with_style(style).with_message(what)))
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.of);
    bar.set_position(progress.done);
}

#[cfg(test)]
mod tests;
