//! `motcua registry import`: a legacy file into a registry, with a bar for each stage.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use base::Lang;
use clap::Args;
use registry::{
    import::{self, Progress, Stage, Summary},
    model::RegistryCode,
};

use crate::{
    bar::{Bar, cores},
    cli::{open_node, say, tell},
    node::Node,
};

/// How a mapping says lists of groups in a table.
const LISTS: &str = r#"Lists of groups in a table (CSV, XLSX, fixed width), in the mapping:
  numbered columns, one row a record:
      [[column]]
      names = ["representative_1_name"]
      field = "representatives[1].name"
  a row for each item, rows of one key one behind the other:
      rows = "lines"
      [[column]]
      names = ["HS code"]
      field = "lines.hs_code"
docs/data-steward.md describes both."#;

/// What to take in, and how.
#[derive(Debug, Args)]
#[command(after_help = LISTS)]
pub struct Import {
    /// The registry.
    code: RegistryCode,
    /// The file: CSV, XLSX, fixed width, or a record a line in JSON (.ndjson).
    file: PathBuf,
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
    /// Which column is which field (TOML); docs/import.md describes it.
    #[arg(long, required_unless_present = "suggest")]
    mapping: Option<PathBuf>,
    /// Only write a draft of the mapping to this file, told from headings and values.
    #[arg(long, conflicts_with_all = ["mapping", "dry_run", "keep_good", "resume"])]
    suggest: Option<PathBuf>,
    /// Where the report goes; FILE.report.csv without it.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Keep good rows where others are bad; without it one bad row keeps everything out.
    #[arg(long)]
    keep_good: bool,
    /// Only judge the file.
    #[arg(long)]
    dry_run: bool,
    /// Go on where a run was broken off.
    #[arg(long)]
    resume: bool,
    /// Records of one transaction.
    #[arg(long, default_value_t = import::BATCH, value_parser = rows)]
    batch: usize,
    /// Threads that judge; all cores without it.
    #[arg(long)]
    threads: Option<usize>,
    /// In English.
    #[arg(long)]
    en: bool,
}

fn rows(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "1 to 1000000".to_owned())
}

impl Import {
    /// Takes the file in, and prints what was done, or every problem.
    ///
    /// # Errors
    /// A failure of ours.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let lang = if self.en { Lang::En } else { Lang::Vi };
        let node = open_node(&self.config).await?;
        let done = match &self.suggest {
            Some(draft) => self.draft(&node, draft),
            None => self.take(&node, lang).await,
        };
        node.store.close().await;
        done.or_else(|error| tell(error, lang))
    }

    fn draft(&self, node: &Node, draft: &Path) -> anyhow::Result<ExitCode> {
        let editions = node.registries.shelf().get(&self.code);
        let editions = editions.ok_or_else(|| base::Error::not_found("cơ sở dữ liệu", "registry"))?;
        let text = import::suggest(&self.file, &editions.current())?;
        // What a person has written is not overwritten.
        let mut file = File::create_new(draft).with_context(|| format!("writing {}", draft.display()))?;
        file.write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn take(&self, node: &Node, lang: Lang) -> anyhow::Result<ExitCode> {
        let mapping = self.mapping.as_deref().unwrap_or_else(|| Path::new(""));
        let options = import::Options {
            file: self.file.clone(),
            mapping: fs::read_to_string(mapping).with_context(|| format!("reading {}", mapping.display()))?,
            report: self.report.clone().unwrap_or_else(|| beside(&self.file)),
            keep_good: self.keep_good,
            dry_run: self.dry_run,
            resume: self.resume,
            batch: self.batch,
            threads: self.threads.unwrap_or_else(cores),
        };
        let ctx = identity::Ctx::system("motcua registry import", node.clock.now());
        let mut bar = Bar::new()?;
        let mut progress = |now: Progress| bar.set(stage(now.stage, lang), now.bytes, now.of, now.rows);
        let done = import::import(
            &node.registries,
            &ctx,
            &*node.clock,
            &self.code,
            &options,
            &mut progress,
        )
        .await;
        bar.end();
        let summary = done?;
        say(&told(&summary, &options, lang))?;
        let well = summary.refused == 0 || summary.kept;
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// `list.xlsx.report.csv`.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".report.csv");
    name.into()
}

const fn stage(stage: Stage, lang: Lang) -> &'static str {
    match stage {
        Stage::Reading => lang.t("Đọc tệp", "Reading"),
        Stage::Judging => lang.t("Kiểm tra", "Judging"),
        Stage::Taking => lang.t("Nhập", "Taking in"),
    }
}

fn told(summary: &Summary, options: &import::Options, lang: Lang) -> String {
    let Summary {
        rows,
        records,
        taken,
        doubtful,
        refused,
        ..
    } = summary;
    let report = options.report.display();
    // Where several rows are a record, records are counted and the rows named.
    let several = rows != records;
    let what = if several { "bản ghi" } else { "dòng" };
    let all = match (lang, several) {
        (Lang::Vi, false) => format!("{rows} dòng"),
        (Lang::Vi, true) => format!("{records} bản ghi ({rows} dòng)"),
        (Lang::En, false) => format!("{rows} rows"),
        (Lang::En, true) => format!("{records} records ({rows} rows)"),
    };
    let mut out = match (lang, summary.kept) {
        (Lang::Vi, true) => {
            format!("Đã nhập {taken} trong {all}; {refused} {what} bị từ chối, {doubtful} {what} cần xem lại.\n")
        }
        (Lang::En, true) => {
            format!("Took in {taken} of {all}; {refused} were refused, {doubtful} should be looked at.\n")
        }
        (Lang::Vi, false) => format!(
            "Không nhập gì. {all}: {taken} {what} đạt, {refused} {what} không đạt, {doubtful} {what} cần xem lại.\n"
        ),
        (Lang::En, false) => format!(
            "Nothing was taken in. {all}: {taken} are good, {refused} are not, {doubtful} should be looked at.\n"
        ),
    };
    for (code, count) in &summary.findings {
        out += &format!("  {code}: {count}\n");
    }
    out += &match lang {
        Lang::Vi => format!("Báo cáo từng dòng: {report}\n"),
        Lang::En => format!("Report by line: {report}\n"),
    };
    out
}
