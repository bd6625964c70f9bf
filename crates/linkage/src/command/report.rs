//! What was done, in numbers and in words.

use base::Lang;

use crate::linker::Looked;
use crate::train::Trained;
use crate::truth::Accuracy;

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
