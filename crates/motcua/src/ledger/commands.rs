//! `motcua ledger …`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use ::exchange::journal::evidence::Stamped;
use ::ledger::{Kind, Log, Policy, Signer as _, Stored, VerifierKey, audit};
use anyhow::{Context as _, bail};
use base::Lang;
use clap::Subcommand;

use super::{
    check::{self, Checked, Entry, LARGEST_FILE, Trusted},
    cosigning::time_of,
    ended, restored,
};
use crate::{
    cli::{say, spinner},
    config::Config,
    node::{Node, open_store},
};

/// What can be asked of a transparency log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify proofs, without a node or a network: the file of a dossier, the evidence of a message (.asice), or a C2SP
    /// tlog-proof.
    Verify {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// A key of the log that you trust (C2SP verifier key). May be given several times.
        #[arg(long = "key")]
        keys: Vec<VerifierKey>,
        /// A key of a witness that you trust (C2SP verifier key). May be given several times.
        #[arg(long = "witness")]
        witnesses: Vec<VerifierKey>,
        /// How many of these witnesses must have cosigned.
        #[arg(long, default_value_t = 0)]
        quorum: usize,
        /// A certificate of a CA (PEM) whose timestamping authorities you trust. May be given several times.
        #[arg(long = "tsa-root")]
        tsa_roots: Vec<PathBuf>,
        /// In English.
        #[arg(long)]
        en: bool,
    },
    /// Print the proof of a leaf: of the log of a node that is stopped, or of one that is published.
    Prove {
        /// The leaf, from 0.
        #[arg(long)]
        leaf: u64,
        /// The configuration of a node that is stopped; its proof shows what the leaf says.
        #[arg(long, conflicts_with = "url", required_unless_present = "url")]
        config: Option<PathBuf>,
        /// Where a log is published: https://…/ledger.
        #[arg(long)]
        url: Option<String>,
        /// Of a log of the node that has ended: its number in the folder `ledgers-ended`.
        #[arg(long, requires = "config")]
        ended: Option<u32>,
    },
    /// Print the keys of this node's log, for others to verify with; and its key as a witness, if it is one.
    Keys {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Examine the folder of a log whole: every record, every signature, every tile. Of a node that is stopped, or a copy.
    Audit {
        /// The folder.
        dir: PathBuf,
        /// A key of the log. May be given several times.
        #[arg(long = "key", required = true)]
        keys: Vec<VerifierKey>,
        /// In English.
        #[arg(long)]
        en: bool,
    },
    /// After `motcua restore`: let the log go on, once it is known that nothing was written to it after the backup.
    Resume {
        /// The configuration of the restored node.
        #[arg(long)]
        config: PathBuf,
        /// The newest checkpoint that somebody else has of this log: a file, or an address (https://…/ledger/checkpoint of the
        /// old node or of a mirror, …/log/… of a witness). May be given several times.
        #[arg(long = "known")]
        known: Vec<String>,
        /// I know that nothing was written after the backup: the node was stopped before it was made.
        #[arg(long)]
        nothing_was_written_after: bool,
    },
    /// End the log of a node that is stopped, for ever: its key is lost, or others know more of it than the newest backup has. It is put
    /// aside, readable and provable as before, and the node begins another under a new name.
    End {
        /// The configuration of the node.
        #[arg(long)]
        config: PathBuf,
        /// The published key of the log (C2SP verifier key), where the node's own is lost. May be given several times.
        #[arg(long = "key")]
        keys: Vec<VerifierKey>,
    },
    /// Print every entry with what it says, a line of JSON each: of a node that is stopped. Personal data may be in it.
    Entries {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
        /// The first entry, from 0.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Make leaves of all entries of dossiers that have none: once, on a node that had dossiers before it had a log.
    Keep {
        /// The configuration of a node that is stopped.
        #[arg(long)]
        config: PathBuf,
    },
}

/// Carries out a command.
///
/// # Errors
/// What went wrong, for the operator.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Verify {
            files,
            keys,
            witnesses,
            quorum,
            tsa_roots,
            en,
        } => {
            let trusted = Trusted {
                logs: keys,
                witnesses,
                quorum,
                stampers: super::stampers(&tsa_roots)?,
            };
            verify(&files, &trusted, lang(en))
        }
        Command::Prove {
            leaf,
            config: Some(config),
            ended,
            ..
        } => {
            let config = Config::read(&config)?;
            let log = match ended {
                Some(number) => Arc::new(Log::open_ended(&ended::folder(&config.data, number))?),
                None => super::open(&config)?.log,
            };
            say(&log.disclose(leaf)?.to_string())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Prove { leaf, url, .. } => {
            let Some(url) = url else {
                bail!("either --config or --url")
            };
            let address = format!("{}/proof?index={leaf}", url.trim_end_matches('/'));
            let answer = reqwest::get(&address).await?.error_for_status()?;
            say(&answer.text().await?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Keys { config } => {
            let config = Config::read(&config)?;
            for key in super::open(&config)?.keys {
                say(&format!("{key}\n"))?;
            }
            if let Some(witnessing) = &config.ledger.witness {
                say(&format!("{}\n", super::witness::key(&config, witnessing)?.verifier()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Audit { dir, keys, en } => audit(&dir, keys, lang(en)),
        Command::Resume {
            config,
            known,
            nothing_was_written_after,
        } => {
            let config = Config::read(&config)?;
            let mut notes = Vec::new();
            for from in known {
                notes.push((from.clone(), fetch(&from).await?));
            }
            let resume = move || restored::resume(&config, &notes, nothing_was_written_after);
            let size = tokio::task::spawn_blocking(resume).await??;
            say(&format!("Sổ cái tiếp tục từ / the log goes on from: {size}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::End { config, keys } => {
            let config = Config::read(&config)?;
            let done = tokio::task::spawn_blocking(move || ended::end(&config, keys)).await??;
            say(&ended_how(&done))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Entries { config, from } => {
            let log = super::open(&Config::read(&config)?)?.log;
            for index in from..log.size() {
                say(&format!("{}\n", line(&log.entry(index)?)))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Keep { config } => {
            let config = Config::read(&config)?;
            let store = open_store(&config).await?;
            let node = Node::open(config, store).await?;
            node.open_ledger().await?;
            let bar = spinner("Dossiers");
            let made = node
                .dossiers
                .keep_all_leaves(&mut |looked| bar.set_position(looked))
                .await?;
            bar.finish_and_clear();
            say(&format!("{made}\n"))?;
            node.store.close().await;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What was ended, and how the node goes on.
fn ended_how(done: &ended::Ended) -> String {
    let next = if done.was_member {
        "Tiếp theo / next: motcua node init --gateway MÃ-MỚI …, motcua node join …; người vận hành bỏ cổng cũ / the operator removes the \
         old gateway."
    } else {
        "Tiếp theo / next: đặt / set ledger.origin = \"TÊN-MỚI\" (a new name), khởi động nút / start the node."
    };
    format!(
        "Sổ cái đã kết thúc / the log has ended: {}, {} mục / entries, {}\n{next}\nGiữ khóa cũ ở nơi đã công bố / keep the old key \
         published (docs/operations.md).\n",
        done.origin,
        done.size,
        done.folder.display()
    )
}

/// A checkpoint from a file or an address.
async fn fetch(from: &str) -> anyhow::Result<Vec<u8>> {
    if from.starts_with("https://") || from.starts_with("http://") {
        let answer = reqwest::get(from).await?.error_for_status()?;
        let bytes = answer.bytes().await.with_context(|| format!("fetching {from}"))?;
        return Ok(bytes.into());
    }
    std::fs::read(from).with_context(|| format!("reading {from}"))
}

/// An entry as JSON: `record` is a text, null once it is erased.
fn line(entry: &Stored) -> serde_json::Value {
    let kind = match entry.commitment.kind() {
        Kind::MESSAGE => "message",
        Kind::ACTION => "action",
        Kind::READ => "read",
        Kind::PUBLICATION => "publication",
        Kind::ERASURE => "erasure",
        Kind::ACCESS => "access",
        Kind::RECORD => "record",
        Kind::ANSWER => "answer",
        Kind::PROPOSAL => "proposal",
        _ => "other",
    };
    let record = entry
        .opening
        .as_ref()
        .map(|opening| String::from_utf8_lossy(&opening.record));
    serde_json::json!({"leaf": entry.index, "time": entry.time.rfc3339(), "kind": kind, "record": record})
}

const fn lang(en: bool) -> Lang {
    if en { Lang::En } else { Lang::Vi }
}

fn verify(files: &[PathBuf], trusted: &Trusted, lang: Lang) -> anyhow::Result<ExitCode> {
    let mut sound = true;
    for file in files {
        let size = std::fs::metadata(file)
            .with_context(|| format!("reading {}", file.display()))?
            .len();
        if size > LARGEST_FILE as u64 {
            bail!("{} is larger than {LARGEST_FILE} bytes", file.display());
        }
        let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        say(&format!("{}\n", file.display()))?;
        match check::check(&bytes, trusted) {
            Ok(checked) => {
                sound &= checked.holds();
                say(&report(&checked, lang))?;
            }
            Err(text) => {
                sound = false;
                say(&format!("  ✗ {}\n", text.get(lang)))?;
            }
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(checked: &Checked, lang: Lang) -> String {
    let mut out = format!("  {} {}\n", lang.t("Sổ cái:", "Log:"), checked.log);
    if let Some(dossier) = &checked.dossier {
        out.push_str(&format!("  {} {dossier}\n", lang.t("Hồ sơ:", "Dossier:")));
    }
    for key in &checked.keys {
        out.push_str(&format!("  {} {key}\n", lang.t("Khóa:", "Key:")));
    }
    if checked.keys_from_file {
        out.push_str(lang.t(
            "  Khóa lấy từ chính tệp này: hãy so với khóa mà cơ quan công bố, rồi chạy lại với --key.\n",
            "  The keys came with the file: compare them with those that the agency publishes, and give them with --key.\n",
        ));
    }
    for entry in &checked.entries {
        let what = match &entry.says {
            Some(says) => match says.step {
                Some(step) => format!("{} {}: {step}", says.at.display(), lang.t("bước", "step")),
                None => says.at.display(),
            },
            None => lang.t("nội dung không công khai", "not shown").to_owned(),
        };
        let text = entry.says.as_ref().map(|says| says.text.get(lang)).unwrap_or_default();
        match &entry.refusal {
            None => out.push_str(&format!("  ✓ {:>10}  {what} {text}\n", entry.leaf)),
            Some(why) => out.push_str(&format!("  ✗ {:>10}  {}\n", entry.leaf, why.get(lang))),
        }
        if let Some(log) = &entry.log {
            out.push_str(&format!(
                "  {:>12}  {} {log}\n",
                "",
                lang.t("Sổ cái trước đây:", "Former log:")
            ));
        }
        out.push_str(&vouched(entry, lang));
    }
    for (at, fault) in &checked.faults {
        out.push_str(&format!("  ✗ {at}: {}\n", fault.get(lang)));
    }
    if checked.entries.is_empty() && checked.faults.is_empty() {
        out.push_str(lang.t("  ✗ Tệp không có bằng chứng nào.\n", "  ✗ The file holds no proof.\n"));
    }
    out
}

/// Who else vouches for an entry: witnesses, and a timestamping authority.
fn vouched(entry: &Entry, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: String| out.push_str(&format!("  {:>12}  {text}\n", ""));
    for cosigner in &entry.cosigners {
        let at = time_of(cosigner).map(|at| at.display()).unwrap_or_default();
        line(format!(
            "{} {} {at}",
            lang.t("Nhân chứng đồng ký:", "Cosigned by"),
            cosigner.name
        ));
    }
    for name in &entry.strangers {
        line(format!(
            "{} {name} {}",
            lang.t("Có chữ ký mang tên", "A signature in the name of"),
            lang.t("(chưa kiểm tra: thêm --witness)", "(not verified: give --witness)")
        ));
    }
    match &entry.stamped {
        Some(Stamped::At { time, authority }) => line(format!(
            "{} {} ({authority})",
            lang.t("Dấu thời gian:", "Timestamp:"),
            time.display()
        )),
        Some(Stamped::Unjudged) => line(
            lang.t(
                "Có dấu thời gian (chưa kiểm tra: thêm --tsa-root)",
                "There is a timestamp (not verified: give --tsa-root)",
            )
            .to_owned(),
        ),
        None => {}
    }
    out
}

fn audit(dir: &Path, keys: Vec<VerifierKey>, lang: Lang) -> anyhow::Result<ExitCode> {
    if !dir.join("segments").is_dir() {
        bail!("{} is not the folder of a log", dir.display());
    }
    let report = audit::directory(dir, &Policy::new(keys, Vec::new(), 0)?, &[])?;
    say(&format!(
        "{} {}, {} {}, {} {}\n",
        report.size,
        lang.t("mục", "entries"),
        report.erased,
        lang.t("đã xóa nội dung", "erased"),
        report.checkpoints,
        lang.t("điểm kiểm tra", "checkpoints"),
    ))?;
    for finding in &report.findings {
        say(&format!("  ✗ {}\n", finding.text().get(lang)))?;
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
