//! What an import did and found, for people and for programs.

use std::{collections::BTreeMap, fmt::Write as _};

use base::Lang;
use serde::Serialize;

use super::super::oddity::{Kind, Oddity, Severity};

/// The most findings kept one by one; beyond, they are counted only.
const MAX_FINDINGS: usize = 100_000;

/// One oddity at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file's name.
    pub file: String,
    /// The line, from 1; 0 for the whole file.
    pub line: u64,
    /// The procedure, where its code could be read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What is odd.
    #[serde(flatten)]
    pub oddity: Oddity,
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Rows that were read and could be taken.
    pub read: u64,
    /// Procedures that were new.
    pub added: u64,
    /// Procedures that got a new version.
    pub changed: u64,
    /// Procedures that were known in just this content.
    pub unchanged: u64,
    /// Rows or files that were refused.
    pub refused: u64,
}

/// What an import did and found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The files.
    pub files: Vec<String>,
    /// How many.
    pub counts: Counts,
    /// How often each kind of oddity was found.
    pub by_kind: BTreeMap<String, u64>,
    /// All findings, in the order of the files, up to a bound.
    pub findings: Vec<Finding>,
    /// Findings beyond the bound.
    pub not_listed: u64,
}

impl Report {
    pub(super) fn find(&mut self, finding: Finding) {
        *self.by_kind.entry(finding.oddity.kind.id().to_owned()).or_default() += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.not_listed += 1;
        }
    }

    /// Whether nothing was refused.
    pub fn is_clean(&self) -> bool {
        self.counts.refused == 0
    }

    /// For a terminal: the counts, the kinds with their numbers, and each finding as `file:line: code: text`. Of one kind
    /// at most `per_kind` findings are listed; refused rows are listed always.
    pub fn text(&self, lang: Lang, per_kind: usize) -> String {
        let mut out = String::new();
        let c = self.counts;
        let _ = writeln!(
            out,
            "{}",
            match lang {
                Lang::Vi => format!(
                    "Đã đọc {} dòng: {} thủ tục mới, {} thay đổi, {} không đổi, {} bị từ chối.",
                    c.read, c.added, c.changed, c.unchanged, c.refused
                ),
                Lang::En => format!(
                    "Read {} rows: {} procedures new, {} changed, {} unchanged, {} refused.",
                    c.read, c.added, c.changed, c.unchanged, c.refused
                ),
            }
        );
        let mut kinds: Vec<(Kind, u64)> = Kind::ALL
            .iter()
            .filter_map(|k| self.by_kind.get(k.id()).map(|n| (*k, *n)))
            .collect();
        kinds.sort_by_key(|(k, n)| (k.severity(), std::cmp::Reverse(*n)));
        for (kind, n) in &kinds {
            let _ = writeln!(out, "{n:>7}  {:<32} {}", kind.id(), kind.text().get(lang));
        }
        for (kind, n) in kinds {
            let limit = if kind.severity() == Severity::Refused {
                usize::MAX
            } else {
                per_kind
            };
            if limit == 0 {
                continue;
            }
            let _ = writeln!(out, "\n{} ({n})", kind.text().get(lang));
            let mut listed = 0;
            for f in self.findings.iter().filter(|f| f.oddity.kind == kind).take(limit) {
                listed += 1;
                let _ = write!(out, "  {}:{}", f.file, f.line);
                for part in [&f.code, &f.oddity.at, &f.oddity.value] {
                    if !part.is_empty() {
                        let _ = write!(out, ": {part}");
                    }
                }
                out.push('\n');
            }
            // What is not listed here is said; the JSON report lists it, up to the bound on findings.
            if n > listed {
                let _ = match lang {
                    Lang::Vi => writeln!(out, "  … và {} chỗ khác", n - listed),
                    Lang::En => writeln!(out, "  … and {} more", n - listed),
                };
            }
        }
        out
    }

    /// For programs.
    ///
    /// # Errors
    /// Never in practice.
    pub fn json(&self) -> base::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}
