//! `motcua link`: from files to pairs and clusters.

use base::{Error, Kind, Lang, Result};
use clap::Args;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cluster::{Clusters, Conflict, Edge, cluster};
use crate::explain::Explainer;
use crate::files;
use crate::linker::{Effort, Linker, Looked, Scored};
use crate::model::{Condition, Model, weight_of};
use crate::parallel::threads_here;
use crate::policy::{self, Decision, Policy};
use crate::table::Records;
use crate::train::{Prior, Trained, Training};
use crate::truth::{Accuracy, Truth};

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

/// What was done.
#[derive(Debug, Default)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// What training did.
    pub trained: Option<Trained>,
    /// What was looked at.
    pub looked: Looked,
    /// Pairs by what becomes of them: automatic, for review, in conflict. All are for review where there is no policy.
    pub decided: [u64; 3],
    /// Clusters of more than one record.
    pub clusters: u64,
    /// Pairs that a cluster could not take in.
    pub refused: u64,
    /// Where the truth is known: pairs from p 0.5, from 0.95, from the threshold, and those within clusters.
    pub accuracy: Option<[Accuracy; 4]>,
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
    let id = options.id.clone().unwrap_or_else(|| model.id_column.clone());
    let mut records = Records::new();
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
    let threads = if options.threads == 0 {
        threads_here()
    } else {
        options.threads
    };
    let effort = Effort {
        threads,
        group_limit: options.group_limit,
    };
    if options.train {
        let training = training(options, effort)?;
        report.trained = Some(linker.train(&training, |share| progress(Stage::Train, share))?);
    }
    if let Some(path) = &options.save_model {
        let text = linker.model().to_json();
        std::fs::write(path, text).map_err(|error| cannot_write(path, &error))?;
    }
    let policy = options
        .policy
        .as_ref()
        .map(|path| Policy::from_json(&files::text_of(path)?))
        .transpose()?;
    let scored = score(options, effort, &linker, policy.as_ref(), &mut report, &mut progress)?;
    if options.clusters.is_some() || options.truth.is_some() {
        progress(Stage::Cluster, 0.0);
        make_clusters(options, &linker, policy.as_ref(), &scored, &mut report)?;
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

/// Scores, writes the pairs, and keeps those that clusters and figures need.
fn score(
    options: &Options,
    effort: Effort,
    linker: &Linker,
    policy: Option<&Policy>,
    report: &mut Report,
    progress: &mut impl FnMut(Stage, f64),
) -> Result<Vec<(Scored, Decision)>> {
    let policed = policy.map(|p| p.over(linker)).transpose()?;
    let written_from = policy.map_or_else(|| weight_of(options.threshold), Policy::review_from);
    // For figures at p 0.5, pairs below the threshold are needed too.
    let least = if options.truth.is_some() {
        written_from.min(0.0)
    } else {
        written_from
    };
    let explainer = options.explain.then(|| Explainer::new(linker));
    let mut out = options
        .out
        .as_ref()
        .map(|path| PairWriter::new(path, explainer.is_some()))
        .transpose()?;
    let keep = options.clusters.is_some() || options.truth.is_some();
    let mut kept = Vec::new();
    let mut decided = [0; 3];
    report.looked = linker.predict(effort, least, |pairs, share| {
        progress(Stage::Score, share);
        for pair in pairs {
            let decision = match &policed {
                Some(policed) => policed.decide(linker, pair),
                None if pair.weight >= written_from => Decision::Review,
                None => Decision::None,
            };
            match decision {
                Decision::Automatic => decided[0] += 1,
                Decision::Review => decided[1] += 1,
                Decision::Conflict => decided[2] += 1,
                Decision::None => {}
            }
            if let Some(out) = out.as_mut().filter(|_| decision != Decision::None) {
                out.write(linker, explainer.as_ref(), pair, decision)?;
            }
            if keep {
                kept.push((*pair, decision));
            }
        }
        Ok(())
    })?;
    report.decided = decided;
    if let Some(out) = out {
        out.finish()?;
    }
    Ok(kept)
}

fn make_clusters(
    options: &Options,
    linker: &Linker,
    policy: Option<&Policy>,
    scored: &[(Scored, Decision)],
    report: &mut Report,
) -> Result<()> {
    // Without a policy, clusters are proposals made of all pairs from the threshold on.
    let cluster_from = weight_of(options.cluster_from.unwrap_or(options.threshold));
    let follows = |pair: &Scored, decision: Decision| match policy {
        Some(_) => matches!(decision, Decision::Automatic | Decision::Conflict),
        None => pair.weight >= cluster_from,
    };
    let edges: Vec<Edge> = scored
        .iter()
        .filter(|(pair, decision)| follows(pair, *decision))
        .map(|(p, _)| Edge {
            left: p.left,
            right: p.right,
            weight: p.weight,
        })
        .collect();
    let constraints = match policy {
        Some(policy) => policy.over(linker)?.constraints(linker, options.one_to_one),
        None => policy::constraints(linker, options.one_to_one),
    };
    let found = cluster(linker.len(), &edges, &constraints);
    let mut members = vec![0u64; linker.len()];
    for first in &found.first {
        if let Some(n) = members.get_mut(*first as usize) {
            *n += 1;
        }
    }
    report.clusters = members.iter().filter(|n| **n > 1).count() as u64;
    report.refused = found.refused.len() as u64;
    if let Some(path) = &options.clusters {
        write_clusters(path, linker, &found)?;
    }
    if let Some(column) = &options.truth {
        let truth = Truth::new(linker, column);
        let from = |weight: f64| {
            let pairs = scored.iter().filter(move |(p, _)| p.weight >= weight);
            truth.accuracy(pairs.map(|(p, _)| (p.left, p.right)))
        };
        let within = truth.accuracy(pairs_within(linker, &found));
        report.accuracy = Some([
            from(0.0),
            from(weight_of(0.95)),
            from(weight_of(options.threshold)),
            within,
        ]);
    }
    Ok(())
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

/// The name of a decision in a file.
fn name<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

struct PairWriter {
    path: PathBuf,
    csv: csv::Writer<BufWriter<File>>,
}

impl PairWriter {
    fn new(path: &Path, explain: bool) -> Result<Self> {
        let file = File::create(path).map_err(|error| cannot_write(path, &error))?;
        let mut writer = Self {
            path: path.to_owned(),
            csv: csv::Writer::from_writer(BufWriter::new(file)),
        };
        let mut header = vec![
            "source_l",
            "id_l",
            "source_r",
            "id_r",
            "weight",
            "probability",
            "rule",
            "decision",
        ];
        if explain {
            header.extend(["why_vi", "why_en", "steps"]);
        }
        writer.row(&header)?;
        Ok(writer)
    }

    fn row(&mut self, cells: &[impl AsRef<[u8]>]) -> Result<()> {
        self.csv
            .write_record(cells)
            .map_err(|error| cannot_write(&self.path, &error))
    }

    fn write(
        &mut self,
        linker: &Linker,
        explainer: Option<&Explainer<'_>>,
        pair: &Scored,
        decision: Decision,
    ) -> Result<()> {
        let mut cells = vec![
            linker.source(pair.left).to_owned(),
            linker.id(pair.left).to_owned(),
            linker.source(pair.right).to_owned(),
            linker.id(pair.right).to_owned(),
            format!("{:.9}", pair.weight),
            format!("{:.9}", pair.probability()),
            (pair.rule + 1).to_string(),
            name(&decision),
        ];
        if let Some(explainer) = explainer {
            let why = explainer.explain(pair, |_| None);
            cells.push(why.sentence.vi.clone());
            cells.push(why.sentence.en.clone());
            cells.push(serde_json::to_string(&why.steps)?);
        }
        self.row(&cells)
    }

    fn finish(self) -> Result<()> {
        let mut file = self
            .csv
            .into_inner()
            .map_err(|error| cannot_write(&self.path, &error))?;
        file.flush().map_err(|error| cannot_write(&self.path, &error))
    }
}

/// Each record with its cluster, which is named by its first record, and what the cluster could not take in.
fn write_clusters(path: &Path, linker: &Linker, found: &Clusters) -> Result<()> {
    let mut flags: hashbrown::HashMap<u32, &str> = hashbrown::HashMap::new();
    for (edge, conflict) in &found.refused {
        let flag = match conflict {
            Conflict::Fact(_) => "two-numbers",
            Conflict::SourceTwice => "source-twice",
            Conflict::Decided => "found-different",
        };
        for row in [edge.left, edge.right] {
            flags.entry(row).or_insert(flag);
        }
    }
    let write = || -> std::result::Result<(), csv::Error> {
        let mut csv = csv::Writer::from_path(path)?;
        csv.write_record(["cluster", "source", "id", "flag"])?;
        for (row, first) in found.first.iter().enumerate() {
            let row = row as u32;
            let cluster = format!("{}/{}", linker.source(*first), linker.id(*first));
            let flag = flags.get(&row).copied().unwrap_or_default();
            csv.write_record([cluster.as_str(), linker.source(row), linker.id(row), flag])?;
        }
        csv.flush()?;
        Ok(())
    };
    write().map_err(|error| cannot_write(path, &error))
}

impl Report {
    /// What was done, line by line.
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let en = lang == Lang::En;
        let mut lines = Vec::new();
        lines.push(match en {
            true => format!("Records: {}", self.records),
            false => format!("Bản ghi: {}", self.records),
        });
        if let Some(trained) = &self.trained {
            lines.extend(trained_lines(trained, en));
        }
        let looked = &self.looked;
        lines.push(match en {
            true => format!("Pairs compared: {}", looked.pairs),
            false => format!("Số cặp đã so: {}", looked.pairs),
        });
        for group in &looked.oversized {
            let left_out = group.pairs - group.kept.min(group.pairs);
            lines.push(match en {
                true => format!(
                    "TOO LARGE: {} records share “{}” ({}); {left_out} of their {} pairs were NOT compared",
                    group.records, group.value, group.rule, group.pairs
                ),
                false => format!(
                    "QUÁ LỚN: {} bản ghi cùng “{}” ({}); {left_out} trong {} cặp KHÔNG được so",
                    group.records, group.value, group.rule, group.pairs
                ),
            });
        }
        let [automatic, review, conflict] = self.decided;
        lines.push(match en {
            true => format!("Automatic: {automatic}; for review: {review}; in conflict: {conflict}"),
            false => format!("Tự động: {automatic}; cần xem xét: {review}; mâu thuẫn: {conflict}"),
        });
        if self.clusters > 0 || self.refused > 0 {
            lines.push(match en {
                true => format!(
                    "Clusters of several records: {}; pairs refused: {}",
                    self.clusters, self.refused
                ),
                false => format!(
                    "Nhóm nhiều bản ghi: {}; cặp bị từ chối gộp: {}",
                    self.clusters, self.refused
                ),
            });
        }
        for (accuracy, what) in self
            .accuracy
            .iter()
            .flatten()
            .zip(["p ≥ 0.5", "p ≥ 0.95", "threshold", "clusters"])
        {
            lines.push(format!(
                "{what}: F1 {:.5} (P {:.5}, R {:.5}; {} + {} / {})",
                accuracy.f1(),
                accuracy.precision(),
                accuracy.recall(),
                accuracy.found,
                accuracy.wrong,
                accuracy.true_pairs
            ));
        }
        lines
    }
}

fn trained_lines(trained: &Trained, en: bool) -> Vec<String> {
    let mut lines = vec![match en {
        true => format!("Chance agreement learned from {} random pairs", trained.random_pairs),
        false => format!(
            "Xác suất trùng ngẫu nhiên học từ {} cặp ngẫu nhiên",
            trained.random_pairs
        ),
    }];
    for session in &trained.sessions {
        let (rounds, learned) = (session.rounds.len(), session.learned.join(", "));
        let (pairs, rule) = (session.pairs, &session.rule);
        lines.push(match (en, session.converged) {
            (true, true) => format!("{rule}: {pairs} pairs, {rounds} rounds: {learned}"),
            (true, false) => format!("{rule}: {pairs} pairs, {rounds} rounds, NOT converged: {learned}"),
            (false, true) => format!("{rule}: {pairs} cặp, {rounds} vòng: {learned}"),
            (false, false) => format!("{rule}: {pairs} cặp, {rounds} vòng, CHƯA hội tụ: {learned}"),
        });
        for (n, round) in session.rounds.iter().enumerate() {
            lines.push(format!(
                "  {}: Δ {:.2e}, λ {:.6}, ln L {:.3}",
                n + 1,
                round.change,
                round.share,
                round.log_likelihood
            ));
        }
    }
    for (comparison, level) in &trained.untrained {
        lines.push(match en {
            true => format!("NOT trained: {comparison}, {level}"),
            false => format!("CHƯA huấn luyện được: {comparison}, {level}"),
        });
    }
    lines.push(match en {
        true => format!("Prior: {:.3e}", trained.prior),
        false => format!("Xác suất nền: {:.3e}", trained.prior),
    });
    lines
}
