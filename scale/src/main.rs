//! `motcua-scale`: records into buckets, pairs out of buckets, clusters out of pairs; and the processes of a cluster.

use std::{io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode};

use base::{Lang, Result};
use clap::{Parser, Subcommand};
use linkage::{Model, files, plan::Plan, weight_of};
use motcua_scale::{
    Engine, Executor, Place,
    buckets::{self, Sizes},
    link::{self, Job},
    run_executor, run_scheduler, write_clusters,
};

#[derive(Parser)]
#[command(about = "Linkage of more records than one machine links")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Speak English.
    #[arg(long, global = true)]
    en: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Divides the records of files into buckets.
    Bucket(BucketOptions),
    /// Finds and weighs the pairs.
    Link(LinkOptions),
    /// Prints the statement of each rule, for an engine that reads the buckets by itself.
    Sql {
        /// The model.
        #[arg(long)]
        model: PathBuf,
        /// The least probability of a pair.
        #[arg(long, default_value_t = 0.95)]
        threshold: f64,
    },
    /// Makes persons of pairs.
    Clusters {
        /// The folder of the buckets.
        #[arg(long)]
        records: PathBuf,
        /// The folder of the pairs.
        #[arg(long)]
        pairs: PathBuf,
        /// The least probability of a pair that is followed.
        #[arg(long, default_value_t = 0.95)]
        from: f64,
        /// Where the clusters go, as CSV.
        #[arg(long)]
        out: PathBuf,
    },
    /// Serves as the scheduler of a cluster.
    Scheduler {
        /// Its address. Whoever reaches it reads the records: a network of its own.
        #[arg(long, default_value = "127.0.0.1:50050")]
        listen: SocketAddr,
    },
    /// Works for a scheduler.
    Executor(ExecutorOptions),
}

#[derive(clap::Args)]
struct BucketOptions {
    /// The files, CSV with a header; each is a source with the file's name.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The model, trained or not: its columns and blocking rules are what counts.
    #[arg(long)]
    model: PathBuf,
    /// A new folder.
    #[arg(long)]
    out: PathBuf,
    /// Files for each rule: about one for each 200 thousand records.
    #[arg(long, default_value_t = Sizes::default().buckets, value_parser = clap::value_parser!(u16).range(1..=512))]
    buckets: u16,
    /// A key that makes more pairs than this is divided by further keys.
    #[arg(long, default_value_t = Sizes::default().group_limit)]
    group_limit: u64,
    /// Megabytes of memory for the files being written.
    #[arg(long, default_value_t = Sizes::default().memory)]
    memory: usize,
}

#[derive(clap::Args)]
struct LinkOptions {
    /// The folder of the buckets, which every machine reads under this name.
    #[arg(long)]
    records: PathBuf,
    /// A trained model: `motcua link --train --save-model`.
    #[arg(long)]
    model: PathBuf,
    /// The least probability of a pair that is kept.
    #[arg(long, default_value_t = 0.95)]
    threshold: f64,
    /// A folder for the pairs; what is there already is not done again.
    #[arg(long)]
    out: PathBuf,
    /// The scheduler of a cluster, `host:port`; without it, this machine does it all.
    #[arg(long, conflicts_with = "standalone")]
    scheduler: Option<String>,
    /// A scheduler and an executor of Ballista in this process.
    #[arg(long)]
    standalone: bool,
    /// Buckets at the same time; for a cluster, as many as its executors have cores.
    #[arg(long, default_value_t = cores())]
    at_once: usize,
    /// How often a bucket is tried.
    #[arg(long, default_value_t = 3)]
    tries: usize,
}

#[derive(clap::Args)]
struct ExecutorOptions {
    /// Its address; it listens one port above too.
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// The scheduler's.
    #[arg(long, default_value = "127.0.0.1:50050")]
    scheduler: SocketAddr,
    /// A folder for what does not fit into memory.
    #[arg(long)]
    work: PathBuf,
    /// Buckets at the same time.
    #[arg(long, default_value_t = cores())]
    cores: usize,
    /// Megabytes of memory for all of them.
    #[arg(long, default_value_t = 4096)]
    memory: u64,
}

fn cores() -> usize {
    linkage::threads_here()
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let lang = if cli.en { Lang::En } else { Lang::Vi };
    match run(cli.command, lang).await {
        Ok(line) => match writeln!(std::io::stdout(), "{line}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            for problem in error.problems().into_iter().flatten() {
                eprintln!("{} {}: {}", problem.code, problem.at, problem.text.get(lang));
            }
            if error.problems().is_none() {
                eprintln!("{error}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Does it and says what was done.
async fn run(command: Command, lang: Lang) -> Result<String> {
    match command {
        Command::Bucket(options) => bucket(&options, lang),
        Command::Link(options) => link(options, lang).await,
        Command::Sql { model, threshold } => {
            let model = Model::from_json(&files::text_of(&model)?)?;
            let plan = Plan::new(&model)?;
            let statements = plan.rules().enumerate().map(|(n, rule)| {
                let statement = plan.statement(n, &format!("rule_{}", n + 1), weight_of(threshold));
                format!("-- rule={}: {rule}\n{statement};", n + 1)
            });
            Ok(statements.collect::<Vec<_>>().join("\n\n"))
        }
        Command::Clusters {
            records,
            pairs,
            from,
            out,
        } => {
            let clusters = write_clusters(&records, &pairs, weight_of(from), &out)?;
            Ok(format!(
                "{}: {clusters}",
                lang.t("Nhóm nhiều bản ghi", "Clusters of several records")
            ))
        }
        Command::Scheduler { listen } => run_scheduler(listen).await.map(|()| String::new()),
        Command::Executor(options) => {
            let executor = Executor {
                listen: options.listen,
                scheduler: options.scheduler,
                work: options.work,
                cores: options.cores,
                memory: options.memory << 20,
            };
            run_executor(executor).await.map(|()| String::new())
        }
    }
}

fn bucket(options: &BucketOptions, lang: Lang) -> Result<String> {
    let model = files::text_of(&options.model)?;
    let sizes = Sizes {
        buckets: options.buckets,
        group_limit: options.group_limit,
        memory: options.memory,
    };
    let written = buckets::write(&options.files, &model, &options.out, sizes, |pass| {
        eprintln!("{} {}/{}", lang.t("Lượt đọc", "Reading"), pass.number, pass.of);
    })?;
    let mut lines = vec![format!("{}: {}", lang.t("Bản ghi", "Records"), written.records)];
    for rule in &written.rules {
        let (records, largest, pairs, sql) = (rule.records, rule.largest, rule.pairs, &rule.rule);
        lines.push(match lang {
            Lang::Vi => format!("{records} bản ghi có cặp, nhiều nhất {largest} trong một ngăn, {pairs} cặp: {sql}"),
            Lang::En => {
                format!("{records} records with a partner, at most {largest} in a bucket, {pairs} pairs: {sql}")
            }
        });
        for key in &rule.oversized {
            let (value, records, pairs) = (&key.value, key.records, key.pairs);
            let left_out = key.pairs - key.kept.min(key.pairs);
            lines.push(match lang {
                Lang::Vi => format!("  QUÁ LỚN: {records} bản ghi cùng “{value}”; {left_out} trong {pairs} cặp KHÔNG được so"),
                Lang::En => {
                    format!("  TOO LARGE: {records} records share “{value}”; {left_out} of their {pairs} pairs are NOT compared")
                }
            });
        }
    }
    Ok(lines.join("\n"))
}

async fn link(options: LinkOptions, lang: Lang) -> Result<String> {
    let place = match options.scheduler {
        Some(address) => Place::Cluster(address),
        None if options.standalone => Place::Standalone,
        None => Place::Here,
    };
    let job = Job {
        records: options.records,
        model: Model::from_json(&files::text_of(&options.model)?)?,
        threshold: options.threshold,
        out: options.out,
        at_once: options.at_once,
        tries: options.tries,
    };
    let engine = Engine::start(&place).await?;
    let linked = link::link(
        &engine,
        &job,
        |now| {
            let (done, of, pairs) = (now.done, now.of, now.pairs);
            eprintln!(
                "{done}/{of} {}, {pairs} {}",
                lang.t("ngăn", "buckets"),
                lang.t("cặp", "pairs")
            );
        },
        |bucket, error| {
            let name = buckets::Bucket::name(bucket.rule, bucket.number);
            eprintln!("{name}: {}: {error}", lang.t("thử lại", "tried again"));
        },
    )
    .await?;
    let (buckets, before, pairs) = (linked.buckets, linked.done_before, linked.pairs);
    Ok(match lang {
        Lang::Vi => format!("{buckets} ngăn, {before} đã làm từ trước; {pairs} cặp tìm thấy trong lần này"),
        Lang::En => format!("{buckets} buckets, {before} of them done before; {pairs} pairs found in this run"),
    })
}
