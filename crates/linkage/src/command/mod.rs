//! `motcua link`: from files to pairs and clusters.

mod report;
mod write;

use base::{Error, Kind, Lang, Result};
use clap::Args;
use std::path::{Path, PathBuf};

use crate::cluster::{Clusters, Edge, cluster};
use crate::explain::Explainer;
use crate::files;
use crate::linker::{Effort, Linker, Scored};
use crate::model::{Condition, Model, weight_of};
use crate::parallel::threads_here;
use crate::policy::{self, Decision, Policy};
use crate::table::Records;
use crate::train::{Prior, Training};
use crate::truth::{Accuracy, Truth};

pub use report::Report;
use write::Lines;

/// Finds which records of one or two files speak of the same person.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A file of records, CSV (or Parquet where built with it).
    #[arg(long)]
    pub left: PathBuf,
    /// Another, to be linked with the first.
    #[arg(long)]
    pub right: Option<PathBuf>,
    /// The model, as JSON of Splink 4 or 5.
    #[arg(long)]
    pub model: PathBuf,
    /// The column that names a record, if the model says otherwise.
    #[arg(long)]
    pub id: Option<String>,
    /// Train the model on these records first, without labels.
    #[arg(long)]
    pub train: bool,
    /// Learn from the pairs of this rule (several times; else from the blocking rules): l.surname = r.surname
    #[arg(long = "train-rule", requires = "train")]
    pub train_rules: Vec<String>,
    /// A rule whose pairs are hardly ever wrong, to learn how many pairs match (several times).
    #[arg(long = "certain-rule", requires = "train", requires = "recall")]
    pub certain_rules: Vec<String>,
    /// The share of all true pairs that the certain rules find.
    #[arg(long)]
    pub recall: Option<f64>,
    /// Random pairs at most to learn chance agreement from.
    #[arg(long, default_value_t = 1_000_000)]
    pub random_pairs: u64,
    /// What random pairs depend on.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the trained model goes.
    #[arg(long)]
    pub save_model: Option<PathBuf>,
    /// The least probability of a pair that is written.
    #[arg(long, default_value_t = 0.95)]
    pub threshold: f64,
    /// What an automatic match needs, as JSON; without one, nothing is decided automatically.
    #[arg(long)]
    pub policy: Option<PathBuf>,
    /// Where the pairs go, as CSV.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where the clusters go, as CSV.
    #[arg(long)]
    pub clusters: Option<PathBuf>,
    /// The least probability of a pair that clusters are made of where there is no policy; the threshold if not given.
    #[arg(long)]
    pub cluster_from: Option<f64>,
    /// No record is linked with two of the other file.
    #[arg(long)]
    pub one_to_one: bool,
    /// With each pair why, in words.
    #[arg(long)]
    pub explain: bool,
    /// The column that holds the truth, for judging the result; it is never compared.
    #[arg(long)]
    pub truth: Option<String>,
    /// Threads; as many as the machine has if 0.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// A key that makes more pairs than this is divided by further keys.
    #[arg(long, default_value_t = 50_000_000)]
    pub group_limit: u64,
    /// Speak English.
    #[arg(long)]
    pub en: bool,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Files are read.
    Read,
    /// The model is trained.
    Train,
    /// Pairs are scored.
    Score,
    /// Clusters are made.
    Cluster,
}

impl Stage {
    /// Its name.
    pub const fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Read => lang.t("Đọc tệp", "Reading"),
            Self::Train => lang.t("Huấn luyện", "Training"),
            Self::Score => lang.t("So từng cặp", "Scoring"),
            Self::Cluster => lang.t("Gộp nhóm", "Clustering"),
        }
    }
}

/// Does it all. `progress` hears the stage and how much of it is done, 0 to 1; in reading, nothing but that it goes on.
///
/// # Errors
/// Everything that is wrong with the files, the model, the rules and the policy; `threshold`; `cannot-write`.
pub fn run(options: &Options, mut progress: impl FnMut(Stage, f64)) -> Result<Report> {
    let thresholds = [Some(options.threshold), options.cluster_from];
    if thresholds.into_iter().flatten().any(|p| !(p > 0.0 && p < 1.0)) {
        return Err(Error::refused(
            Kind::Invalid,
            "threshold",
            "Ngưỡng phải lớn hơn 0 và nhỏ hơn 1.",
            "The threshold must be above 0 and below 1.",
        ));
    }
    let model = Model::from_json(&files::text_of(&options.model)?)?;
    let policy = options
        .policy
        .as_ref()
        .map(|path| Policy::from_json(&files::text_of(path)?))
        .transpose()?;
    let effort = Effort {
        threads: match options.threads {
            0 => threads_here(),
            threads => threads,
        },
        group_limit: options.group_limit,
    };
    let training = options.train.then(|| training(options, effort)).transpose()?;
    let id = options.id.clone().unwrap_or_else(|| model.id_column.clone());
    let columns = model
        .columns()
        .chain(training.iter().flat_map(Training::columns))
        .chain(policy.iter().flat_map(Policy::columns))
        .chain(options.truth.as_deref());
    let mut records = Records::of_columns(columns);
    for path in std::iter::once(&options.left).chain(&options.right) {
        files::read(path, &name_of(path), &id, &mut records, &mut |_| {
            progress(Stage::Read, 0.0)
        })?;
    }
    let mut report = Report {
        records: records.len() as u64,
        ..Report::default()
    };
    let mut linker = Linker::new(model, records)?;
    if let Some(training) = &training {
        report.trained = Some(linker.train(training, |share| progress(Stage::Train, share))?);
    }
    if let Some(path) = &options.save_model {
        let text = linker.model().to_json();
        std::fs::write(path, text).map_err(|error| cannot_write(path, &error))?;
    }
    let truth = options.truth.as_ref().map(|column| Truth::new(&linker, column));
    let judged = Judged {
        options,
        linker: &linker,
        policy: policy.as_ref(),
        truth: truth.as_ref(),
    };
    let found = judged.score(effort, &mut report, &mut progress)?;
    if judged.clustered() {
        progress(Stage::Cluster, 0.0);
        judged.cluster(found, &mut report)?;
    }
    Ok(report)
}

fn name_of(path: &Path) -> String {
    path.file_stem()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

fn training(options: &Options, effort: Effort) -> Result<Training> {
    let read = |rules: &[String], at: &str| -> Result<Vec<Condition>> {
        let mut problems = base::Problems::new();
        let mut conditions = Vec::new();
        for (n, rule) in rules.iter().enumerate() {
            match Condition::parse(rule) {
                Ok(condition) => conditions.push(condition),
                Err(reason) => reason.add_to(&mut problems, format!("{at}/{n}")),
            }
        }
        problems.into_result()?;
        Ok(conditions)
    };
    let certain = read(&options.certain_rules, "/certain-rule")?;
    Ok(Training {
        effort,
        seed: options.seed,
        random_pairs: options.random_pairs,
        rules: read(&options.train_rules, "/train-rule")?,
        prior: match options.recall {
            Some(recall) if !certain.is_empty() => Prior::Rules(certain, recall),
            _ => Prior::Candidates,
        },
        ..Training::default()
    })
}

/// What is decided of pairs, for all of them and for those that a thread scored together.
#[derive(Default)]
struct Found {
    lines: Lines,
    /// Those that clusters are made of.
    edges: Vec<Edge>,
    decided: [u64; 3],
    /// Right and wrong pairs from p 0.5, from 0.95, and from the threshold.
    accuracy: [Accuracy; 3],
}

impl Found {
    fn take(&mut self, mut more: Self) {
        self.edges.append(&mut more.edges);
        for (sum, n) in self.decided.iter_mut().zip(more.decided) {
            *sum += n;
        }
        for (sum, n) in self.accuracy.iter_mut().zip(more.accuracy) {
            sum.join(n);
        }
    }
}

/// Records with a model, and what becomes of their pairs.
struct Judged<'a> {
    options: &'a Options,
    linker: &'a Linker,
    policy: Option<&'a Policy>,
    truth: Option<&'a Truth>,
}

impl Judged<'_> {
    fn clustered(&self) -> bool {
        self.options.clusters.is_some() || self.truth.is_some()
    }

    /// Scores, writes the pairs, and keeps what clusters and figures need of them.
    fn score(&self, effort: Effort, report: &mut Report, progress: &mut impl FnMut(Stage, f64)) -> Result<Found> {
        let (options, linker) = (self.options, self.linker);
        let policed = self.policy.map(|p| p.over(linker)).transpose()?;
        let written_from = self
            .policy
            .map_or_else(|| weight_of(options.threshold), Policy::review_from);
        // Without a policy, clusters are proposals made of all pairs from the threshold on.
        let cluster_from = weight_of(options.cluster_from.unwrap_or(options.threshold));
        let judged_from = [0.5, 0.95, options.threshold].map(weight_of);
        // For figures at p 0.5, pairs below the threshold are needed too.
        let least = self.truth.map_or(written_from, |_| written_from.min(0.0));
        let explainer = options.explain.then(|| Explainer::new(linker));
        let out = options.out.as_ref();
        let mut out = out.map(|path| write::pairs(path, explainer.is_some())).transpose()?;
        let written = out.is_some();
        let decide = |scored: Vec<Scored>| -> Result<Found> {
            let mut found = Found::default();
            for pair in &scored {
                let decision = match &policed {
                    Some(policed) => policed.decide(linker, pair),
                    None if pair.weight >= written_from => Decision::Review,
                    None => Decision::None,
                };
                match decision {
                    Decision::Automatic => found.decided[0] += 1,
                    Decision::Review => found.decided[1] += 1,
                    Decision::Conflict => found.decided[2] += 1,
                    Decision::None => {}
                }
                if written && decision != Decision::None {
                    found.lines.pair(linker, pair, decision, explainer.as_ref())?;
                }
                let follows = match policed {
                    Some(_) => matches!(decision, Decision::Automatic | Decision::Conflict),
                    None => pair.weight >= cluster_from,
                };
                if follows && self.clustered() {
                    found.edges.push(Edge {
                        left: pair.left,
                        right: pair.right,
                        weight: pair.weight,
                    });
                }
                if let Some(truth) = self.truth {
                    let same = truth.same(pair.left, pair.right);
                    let from = found.accuracy.iter_mut().zip(judged_from);
                    from.filter(|(_, from)| pair.weight >= *from)
                        .for_each(|(accuracy, _)| accuracy.count(same));
                }
            }
            Ok(found)
        };
        let mut all = Found::default();
        report.looked = linker.predict_and(effort, least, decide, |found, share| {
            progress(Stage::Score, share);
            let found = found?;
            if let Some(out) = &mut out {
                out.write(&found.lines)?;
            }
            all.take(found);
            Ok(())
        })?;
        report.decided = all.decided;
        Ok(all)
    }

    /// Makes clusters, writes them, and judges them where the truth is known.
    fn cluster(&self, scored: Found, report: &mut Report) -> Result<()> {
        let (options, linker) = (self.options, self.linker);
        let constraints = match self.policy {
            Some(policy) => policy.over(linker)?.constraints(linker, options.one_to_one),
            None => policy::constraints(linker, options.one_to_one),
        };
        let found = cluster(linker.len(), scored.edges, &constraints);
        let mut members = vec![0u32; linker.len()];
        for first in &found.first {
            if let Some(n) = members.get_mut(*first as usize) {
                *n += 1;
            }
        }
        report.clusters = members.iter().filter(|n| **n > 1).count() as u64;
        report.refused = found.refused.len() as u64;
        if let Some(path) = &options.clusters {
            write::clusters(path, linker, &found)?;
        }
        if let Some(truth) = self.truth {
            let mut within = Accuracy::default();
            for (left, right) in pairs_within(linker, &found) {
                within.count(truth.same(left, right));
            }
            let [half, most, threshold] = scored.accuracy;
            report.accuracy = Some([half, most, threshold, within].map(|accuracy| truth.whole(accuracy)));
        }
        Ok(())
    }
}

/// The pairs that clusters make, of records that may be paired.
fn pairs_within<'a>(linker: &'a Linker, found: &Clusters) -> impl Iterator<Item = (u32, u32)> + 'a {
    let mut rows: Vec<(u32, u32)> = found
        .first
        .iter()
        .enumerate()
        .map(|(row, first)| (*first, row as u32))
        .collect();
    rows.sort_unstable();
    let clusters: Vec<Vec<u32>> = rows
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|c| c.len() > 1)
        .map(|c| c.iter().map(|(_, row)| *row).collect())
        .collect();
    let link_only = linker.model().link_type == crate::model::LinkType::LinkOnly;
    clusters.into_iter().flat_map(move |rows| {
        let mut pairs = Vec::new();
        for (n, a) in rows.iter().enumerate() {
            for b in rows.iter().skip(n + 1) {
                if !(link_only && linker.source_number(*a) == linker.source_number(*b)) {
                    pairs.push((*a, *b));
                }
            }
        }
        pairs
    })
}

fn cannot_write(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::refused(
        Kind::Invalid,
        "cannot-write",
        format!("Không ghi được tệp {}: {error}.", path.display()),
        format!("The file {} cannot be written: {error}.", path.display()),
    )
}
