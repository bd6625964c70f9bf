//! Putting a node back, elsewhere or after a loss: everything is verified before anything is written.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use store::Faults;

use super::{
    BLOBS, CONFIG, DATABASE, FOLDERS, KEYS, LEDGER, bytes_bar,
    copy::{copy_file, private_folder},
    manifest::{Manifest, Sums, engine_name},
    refusal, show,
};
use crate::{cli::say, config::Config, ledger::restored, node::MIGRATIONS};

/// In a data folder that is being filled from a backup.
const RESTORING: &str = "restoring";

/// `motcua restore`.
#[derive(Debug, Clone, clap::Args)]
pub struct Restore {
    /// The backup.
    #[arg(long)]
    pub from: PathBuf,
    /// The configuration of the node to be: its data folder and its database must be empty. The one of the old node is in the
    /// backup, `motcua.toml`.
    #[arg(long, required_unless_present = "verify")]
    pub config: Option<PathBuf>,
    /// Only read the backup whole and say whether it is undamaged.
    #[arg(long, conflicts_with = "config")]
    pub verify: bool,
}

/// Verifies a backup, and puts it back.
///
/// # Errors
/// The backup is damaged (the files are named), or of another engine; data folder or database are not empty.
pub async fn restore(args: &Restore) -> anyhow::Result<()> {
    let (manifest, sums) = Manifest::read(&args.from)?;
    let (from, all) = (args.from.clone(), sums.clone());
    tokio::task::spawn_blocking(move || verify(&from, &all)).await??;
    if let Some(log) = &manifest.log {
        say(&format!("Sổ cái / log: {}, {} mục / entries\n", log.origin, log.size))?;
    }
    say(&format!(
        "Bản sao lưu nguyên vẹn / the backup is undamaged: {}, {} tệp / files\n",
        manifest.made, manifest.files
    ))?;
    let Some(config) = &args.config else { return Ok(()) };
    let config =
        Config::read(config).context("the backup has the old configuration, motcua.toml: adapt a copy of it")?;
    check_target(&config, &manifest).await?;

    let mark = config.data.join(RESTORING);
    private_folder(&config.data)?;
    fs::write(&mark, "").with_context(|| format!("writing {}", mark.display()))?;
    let (from, data) = (args.from.clone(), config.data.clone());
    tokio::task::spawn_blocking(move || copy_files(&from, &data, &sums)).await??;
    if let Some(log) = &manifest.log {
        restored::mark(&config.data.join(LEDGER), log.size)?;
    }
    let database = store::Config {
        url: config.database_url(),
        connections: config.database.connections,
        blobs: config.data.join(BLOBS),
        blob_key: config.secret()?.key(BLOBS),
        faults: Faults::default(),
    };
    let bar = bytes_bar("Cơ sở dữ liệu / database")?;
    let folder = args.from.join(DATABASE);
    store::backup::load(&database, &folder, MIGRATIONS, &mut |progress| show(&bar, progress)).await?;
    bar.finish_and_clear();
    fs::remove_file(&mark).context("finishing")?;
    File::open(&config.data)?.sync_all()?;
    say("Đã khôi phục. Tiếp theo / restored; next: motcua migrate, motcua ledger resume (docs/operations.md)\n")
}

/// A node does not start on a data folder that was only half filled.
///
/// # Errors
/// A restore was interrupted in it.
pub fn check_whole(data: &Path) -> anyhow::Result<()> {
    if data.join(RESTORING).exists() {
        return Err(refusal(
            "restore-interrupted",
            &format!(
                "Việc khôi phục vào {} đã bị ngắt giữa chừng. Hãy xóa thư mục và cơ sở dữ liệu đó rồi khôi phục lại.",
                data.display()
            ),
            "a restore into this folder was interrupted: empty the folder and the database, and restore again",
        ));
    }
    Ok(())
}

fn verify(from: &Path, sums: &Sums) -> anyhow::Result<()> {
    let bar = bytes_bar("Kiểm tra / verifying")?;
    let length = |path: &str| fs::metadata(from.join(path)).map_or(0, |m| m.len());
    bar.set_length(sums.paths().map(length).sum());
    sums.verify(from, &mut |bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    Ok(())
}

/// Nothing is overwritten.
async fn check_target(config: &Config, manifest: &Manifest) -> anyhow::Result<()> {
    let url = config.database_url();
    let engine = engine_name(store::backup::engine(&url)?);
    if engine != manifest.engine {
        return Err(refusal(
            "restore-other-engine",
            &format!("Bản sao lưu là của {}, cấu hình lại dùng {engine}.", manifest.engine),
            "the backup is of another database engine than the configuration",
        ));
    }
    let ours = KEYS.iter().chain(&FOLDERS).chain(&[BLOBS, LEDGER]);
    let taken = ours.map(|name| config.data.join(name)).find(|path| path.exists());
    if let Some(taken) = taken {
        return Err(refusal(
            "restore-folder-in-use",
            &format!(
                "{} đã tồn tại. Chỉ khôi phục vào thư mục dữ liệu trống.",
                taken.display()
            ),
            "the data folder is in use; a backup is put into an empty one, and nothing was written",
        ));
    }
    check_whole(&config.data)?;
    if !store::backup::is_empty(&url).await? {
        return Err(refusal(
            "restore-database-in-use",
            "Cơ sở dữ liệu đã có dữ liệu. Chỉ khôi phục vào cơ sở dữ liệu trống.",
            "the database is not empty; nothing was written",
        ));
    }
    Ok(())
}

/// Everything but the database and the configuration, which is the new one.
fn copy_files(from: &Path, data: &Path, sums: &Sums) -> anyhow::Result<()> {
    let bar = bytes_bar("Tệp / files")?;
    let length = |path: &str| fs::metadata(from.join(path)).map_or(0, |m| m.len());
    let is_database = |path: &str| path.starts_with(DATABASE) && path[DATABASE.len()..].starts_with('/');
    let paths = || sums.paths().filter(|path| !is_database(path) && *path != CONFIG);
    bar.set_length(paths().map(length).sum());
    for path in paths() {
        let sum = copy_file(&from.join(path), &data.join(path), &mut |bytes| bar.inc(bytes))?;
        if sums.get(path) != Some(&sum) {
            anyhow::bail!("{path} changed while it was restored");
        }
    }
    bar.finish_and_clear();
    Ok(())
}
