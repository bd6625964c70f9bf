//! Logs of this node that have ended: their key is lost, or others know more of them than the newest backup has. Such a log is never
//! continued. It is put aside, whole and with the keys that verify it, and the node begins another under a new name; what the former
//! one has stays readable and provable.
//!
//! ```text
//! ledgers-ended/1/   the former folder `ledger`, with `keys`, and what signed it: `ledger.key` or `exchange`
//! ledgers-ended/2/   …
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::ledger::{Ledger, Log, VerifierKey};
use anyhow::{Context as _, bail};

use crate::{config::Config, exchange::commands};

/// Where they are in the data folder.
pub const FOLDER: &str = "ledgers-ended";
/// In the folder of a log: it has ended, and these are its keys, one a line.
const KEYS: &str = "keys";
/// What signed a log, beside it in the data folder.
const SIGNED_BY: [&str; 2] = ["ledger.key", commands::FOLDER];

/// Opens the logs that ended, the oldest first.
///
/// # Errors
/// One cannot be read, or is not what was written.
pub fn open(data: &Path) -> anyhow::Result<Vec<Ledger>> {
    let open = |(_, folder): (u32, PathBuf)| {
        let log = Log::open_ended(&folder).with_context(|| format!("opening the log in {}", folder.display()))?;
        Ok(Ledger {
            log: Arc::new(log),
            keys: keys(&folder)?,
        })
    };
    folders(data)?.into_iter().map(open).collect()
}

/// The folder of one, by its number.
pub fn folder(data: &Path, number: u32) -> PathBuf {
    data.join(FOLDER).join(number.to_string())
}

/// Their folders, by number.
fn folders(data: &Path) -> anyhow::Result<Vec<(u32, PathBuf)>> {
    let parent = data.join(FOLDER);
    let entries = match fs::read_dir(&parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("listing {}", parent.display())),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("listing {}", parent.display()))?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        folders.extend(number.map(|number| (number, path)));
    }
    folders.sort();
    Ok(folders)
}

fn keys(folder: &Path) -> anyhow::Result<Vec<VerifierKey>> {
    let path = folder.join(KEYS);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let keys = text.lines().map(str::parse).collect::<Result<_, _>>();
    keys.with_context(|| format!("in {}", path.display()))
}

/// Whether a log may be opened to be continued.
///
/// # Errors
/// It was being ended when that was interrupted.
pub fn check(dir: &Path) -> anyhow::Result<()> {
    if dir.join(KEYS).exists() {
        bail!(
            "Việc kết thúc sổ cái chưa xong. Chạy lại `motcua ledger end`. / ending the log was interrupted: run `motcua ledger end` \
             again [ledger-ending]"
        );
    }
    Ok(())
}

/// Whether a new log may have this name.
///
/// # Errors
/// A former one had it: two logs of one name would be a fork.
pub fn check_name(data: &Path, name: &str) -> anyhow::Result<()> {
    for (_, folder) in folders(data)? {
        if keys(&folder)?.iter().any(|key| key.name() == name) {
            bail!(
                "Tên {name} là của một sổ cái đã kết thúc; hai sổ cái cùng tên sẽ bị coi là gian lận. Đặt tên mới trong ledger.origin, hoặc \
                 mã cổng mới bằng `motcua node init --gateway`. / {name} is the name of a log that ended, and two of one name would be a \
                 fork: give another in ledger.origin, or another gateway to `motcua node init --gateway` [ledger-name-used]"
            );
        }
    }
    Ok(())
}

/// What was ended.
#[derive(Debug)]
pub struct Ended {
    /// The name of the log.
    pub origin: String,
    /// Its entries.
    pub size: u64,
    /// Where it is now.
    pub folder: PathBuf,
    /// The node took part in the exchange.
    pub was_member: bool,
}

/// Ends the log of a node that is stopped. Without keys those of the node are taken; where they are lost, those that were published
/// must be given. What is interrupted goes on when it is called again.
///
/// # Errors
/// The node is running, has no log, or its last checkpoint is not signed by these keys.
pub fn end(config: &Config, given: Vec<VerifierKey>) -> anyhow::Result<Ended> {
    let dir = config.data.join("ledger");
    if !dir.join("segments").is_dir() {
        bail!("{} has no log [ledger-none]", config.data.display());
    }
    let keys = match () {
        () if !given.is_empty() => given,
        () if dir.join(KEYS).exists() => self::keys(&dir)?,
        () if !SIGNED_BY.iter().any(|name| config.data.join(name).exists()) => bail!(
            "Nút không còn khóa của sổ cái. Đưa khóa đã công bố bằng --key. / the node has no key of the log any more: give the published \
             one with --key [ledger-key-lost]"
        ),
        () => vec![super::signer(config)?.verifier()],
    };
    let log = Log::open_ended(&dir).with_context(|| format!("opening the log in {}", dir.display()))?;
    let checkpoint = log.checkpoint();
    if !keys
        .iter()
        .any(|key| key.name() == log.origin() && checkpoint.verify(key).is_ok())
    {
        bail!(
            "Điểm kiểm cuối của sổ cái {} không do các khóa này ký. Đưa khóa đã công bố bằng --key. / the last checkpoint of {} is not \
             signed by these keys: give the published one with --key [ledger-other-key]",
            log.origin(),
            log.origin()
        );
    }
    let (origin, size) = (log.origin().to_owned(), log.size());
    drop(log);
    // From here on nobody continues it, whatever happens in between.
    let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
    write_durably(&dir.join(KEYS), &lines)?;
    let was_member = config.data.join(commands::FOLDER).exists() || dir.join(commands::FOLDER).exists();
    for name in SIGNED_BY {
        let from = config.data.join(name);
        if from.exists() {
            rename(&from, &dir.join(name))?;
        }
    }
    let number = folders(&config.data)?.last().map_or(1, |(last, _)| last + 1);
    let parent = config.data.join(FOLDER);
    fs::create_dir_all(&parent).with_context(|| format!("making {}", parent.display()))?;
    let folder = folder(&config.data, number);
    rename(&dir, &folder)?;
    // A mark of a restore says nothing any more.
    let _ = fs::remove_file(folder.join(super::restored::MARK));
    Ok(Ended {
        origin,
        size,
        folder,
        was_member,
    })
}

fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::rename(from, to).with_context(|| format!("moving {} to {}", from.display(), to.display()))
}

fn write_durably(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let half = path.with_extension("new");
    let write = || {
        let mut file = fs::File::create(&half)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&half, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use ::ledger::{Kind, Policy, verify};

    use super::*;

    fn config(data: &Path, origin: &str) -> Config {
        let text = format!(
            "data = {data:?}\n[identity]\npublic_url = \"https://h42.example\"\n[dossiers]\nagencies = {{ commune = \"H42.28\", \
             province = \"H42.28\", ministry = \"H42.28\", agency = \"H42.28\" }}\n[ledger]\norigin = \"{origin}\"\n"
        );
        toml::from_str(&text).expect("a configuration")
    }

    /// A log of three entries; gives its key.
    async fn begun(config: &Config) -> VerifierKey {
        let opened = super::super::open(config).expect("it opens");
        for n in 0..3 {
            let record = format!("việc {n}").into_bytes();
            opened.log.append(Kind::ACTION, record).await.expect("stored");
        }
        opened.keys[0].clone()
    }

    fn code(error: &anyhow::Error) -> String {
        let text = format!("{error:#}");
        text[text.rfind('[').expect("a code")..].to_owned()
    }

    #[tokio::test]
    async fn a_node_ends_its_log_and_begins_another_and_the_former_stays_provable() {
        let data = tempfile::tempdir().expect("a folder");
        let old = config(data.path(), "h42.example/ledger");
        let key = begun(&old).await;
        let done = end(&old, Vec::new()).expect("ended");
        assert_eq!(
            (done.origin.as_str(), done.size, done.was_member),
            ("h42.example/ledger", 3, false)
        );
        assert_eq!(done.folder, folder(data.path(), 1));
        // Not under the same name: that would be a fork.
        assert_eq!(
            code(&super::super::open(&old).expect_err("the same name")),
            "[ledger-name-used]"
        );
        assert!(
            !data.path().join("ledger.key").exists(),
            "no key was made for a log that may not be"
        );
        let new = config(data.path(), "h42.example/ledger-2");
        let second = begun(&new).await;
        assert_ne!(second, key);
        let former = open(data.path()).expect("they open");
        assert_eq!((former.len(), &former[0].keys), (1, &vec![key.clone()]));
        let proof = former[0].log.disclose(1).expect("a proof").to_string();
        let policy = Policy::new(vec![key], Vec::new(), 0).expect("a policy");
        let verdict = verify(proof.as_bytes(), &policy, None).expect("it verifies");
        assert_eq!(verdict.record(), Some("việc 1".as_bytes()));
        drop(former);
        // And the second one can end, too.
        assert_eq!(end(&new, Vec::new()).expect("ended").folder, folder(data.path(), 2));
        assert_eq!(open(data.path()).expect("they open").len(), 2);
        assert_eq!(code(&end(&new, Vec::new()).expect_err("none")), "[ledger-none]");
    }

    #[tokio::test]
    async fn without_its_key_a_log_ends_by_the_one_that_was_published() {
        let data = tempfile::tempdir().expect("a folder");
        let config = config(data.path(), "h42.example/ledger");
        let key = begun(&config).await;
        fs::remove_file(data.path().join("ledger.key")).expect("lost");
        assert_eq!(
            code(&end(&config, Vec::new()).expect_err("no key")),
            "[ledger-key-lost]"
        );
        let elsewhere = tempfile::tempdir().expect("a folder");
        let other = begun(&self::config(elsewhere.path(), "h42.example/ledger")).await;
        assert_eq!(
            code(&end(&config, vec![other]).expect_err("another key")),
            "[ledger-other-key]"
        );
        assert!(data.path().join("ledger/segments").is_dir(), "nothing was moved");
        assert_eq!(end(&config, vec![key]).expect("ended").size, 3);
    }

    #[tokio::test]
    async fn what_was_interrupted_goes_on_and_nothing_is_continued_meanwhile() {
        let data = tempfile::tempdir().expect("a folder");
        let config = config(data.path(), "h42.example/ledger");
        let key = begun(&config).await;
        // As far as a crash after the first step leaves it.
        fs::write(data.path().join("ledger").join(KEYS), format!("{key}\n")).expect("written");
        fs::rename(data.path().join("ledger.key"), data.path().join("ledger/ledger.key")).expect("moved");
        assert_eq!(
            code(&super::super::open(&config).expect_err("half ended")),
            "[ledger-ending]"
        );
        assert_eq!(end(&config, Vec::new()).expect("ended").size, 3);
        assert!(folder(data.path(), 1).join("ledger.key").exists());
    }

    #[tokio::test]
    async fn a_log_that_is_open_is_not_ended() {
        let data = tempfile::tempdir().expect("a folder");
        let config = config(data.path(), "h42.example/ledger");
        let opened = super::super::open(&config).expect("it opens");
        assert!(end(&config, Vec::new()).is_err());
        drop(opened);
        assert!(end(&config, Vec::new()).is_ok());
    }
}
