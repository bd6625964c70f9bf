//! `motcua clean`: legacy files with their values written one way.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use base::{Clock as _, Lang, time::SystemClock};
use clap::Args;
use cleansing::{
    clean::{Options, Summary, clean},
    layout::Layout,
};
use jiff::civil::Date;
use procedure::reference::Reference;

use crate::{
    bar::Bar,
    cli::{say, tell},
};

/// Bytes of memory for finding double keys.
const KEY_MEMORY: usize = 64 * 1024 * 1024;
/// Rows between two notes of what was done.
const CHECKPOINT: u64 = 20_000;

/// What to clean, and how.
#[derive(Debug, Args)]
pub struct Clean {
    /// The files: CSV, XLSX or fixed width, in any encoding that agencies use.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What they are (TOML): fields, their headings, the sorts of their values; docs/import.md describes it.
    #[arg(long)]
    layout: PathBuf,
    /// The folder for NAME.clean.csv and NAME.report.csv of each file.
    #[arg(long)]
    out: PathBuf,
    /// One bad row, or two rows with one key, and a file has no clean one.
    #[arg(long)]
    strict: bool,
    /// Go on where a run was broken off.
    #[arg(long)]
    resume: bool,
    /// Show values and proposals in the reports, which may be personal data.
    #[arg(long)]
    show_values: bool,
    /// When the addresses were written, where that is known.
    #[arg(long)]
    written: Option<Date>,
    /// A folder laid over the reference data of this build.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// In English.
    #[arg(long)]
    en: bool,
}

impl Clean {
    /// Cleans one file after the other, and prints what was found, or every problem.
    ///
    /// # Errors
    /// A failure of ours.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let lang = if self.en { Lang::En } else { Lang::Vi };
        self.clean_all(lang).or_else(|error| tell(error, lang))
    }

    fn clean_all(&self, lang: Lang) -> anyhow::Result<ExitCode> {
        let text = fs::read_to_string(&self.layout).with_context(|| format!("reading {}", self.layout.display()))?;
        let layout = Layout::from_toml(&text)?;
        let reference = match &self.reference {
            Some(folder) => Reference::load(folder)?,
            None => Reference::embedded()?,
        };
        let gazetteer = registry::model::gazetteer(&reference.units)?;
        fs::create_dir_all(&self.out).with_context(|| format!("making {}", self.out.display()))?;
        let mut all_accepted = true;
        for file in &self.files {
            let beside = |ending: &str| {
                let mut name = file.file_name().unwrap_or_default().to_owned();
                name.push(ending);
                self.out.join(name)
            };
            let options = Options {
                input: file,
                layout: &layout,
                good: &beside(".clean.csv"),
                report: &beside(".report.csv"),
                strict: self.strict,
                resume: self.resume,
                show_values: self.show_values,
                today: SystemClock.now().legal_date(),
                written: self.written,
                gazetteer: Some(&gazetteer),
                checkpoint_rows: CHECKPOINT,
                key_memory: KEY_MEMORY,
            };
            let mut bar = Bar::new()?;
            let what = lang.t("Làm sạch", "Cleaning");
            let summary = clean(&options, &mut |now| bar.set(what, now.bytes, now.of, now.rows));
            bar.end();
            let summary = summary?;
            all_accepted &= summary.accepted;
            say(&told(file, &summary, lang))?;
        }
        Ok(if all_accepted {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn told(file: &Path, summary: &Summary, lang: Lang) -> String {
    let Summary {
        rows,
        good,
        doubtful,
        bad,
        duplicates,
        ..
    } = summary;
    let file = file.display();
    let mut out = match lang {
        Lang::Vi => format!(
            "{file}: {rows} dòng, {good} dòng đạt (trong đó {doubtful} dòng cần xem lại), {bad} dòng không đạt, {duplicates} dòng trùng khóa.\n"
        ),
        Lang::En => format!(
            "{file}: {rows} rows, {good} good (of these {doubtful} to be looked at), {bad} bad, {duplicates} with a key that another has.\n"
        ),
    };
    if !summary.encoding.is_empty() {
        let sure = match summary.encoding_sure {
            true => "",
            false => lang.t(" (chưa chắc chắn)", " (not sure)"),
        };
        out += &format!("  {}: {}{sure}\n", lang.t("bảng mã", "encoding"), summary.encoding);
    }
    for (code, count) in &summary.findings {
        out += &format!("  {code}: {count}\n");
    }
    if !summary.accepted {
        out += lang.t(
            "  Không có tệp sạch: chạy với --strict nên một dòng không đạt là từ chối cả tệp.\n",
            "  There is no clean file: with --strict one bad row refuses the whole.\n",
        );
    }
    out
}
