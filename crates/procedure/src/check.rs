//! What is wrong with a package, where, and what to do: the findings of `motcua procedure check DIR`.

use std::{fmt::Write as _, path::Path};

use base::{Lang, Problems, Text};
use serde::Serialize;

use crate::{
    package::{CheckOptions, Files, Package},
    process,
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The package is not loaded.
    Error,
    /// The package is loaded; somebody should look.
    Warning,
}

/// One thing that is wrong, at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Error or warning.
    pub severity: Severity,
    /// A stable name for programs: `unknown-name`, `duplicate-id`, `missing-basis`.
    pub code: String,
    /// The file within the package; empty for the whole package.
    pub file: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: u32,
    /// The column in characters, from 1; 0 when it is about the whole file.
    pub column: u32,
    /// What is wrong and what to do.
    #[serde(flatten)]
    pub text: Text,
}

/// All findings of one package, errors first, then by place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether the package can be loaded.
    pub fn ok(&self) -> bool {
        self.findings.iter().all(|f| f.severity != Severity::Error)
    }

    /// Whether a finding has this code.
    pub fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|f| f.code == code)
    }

    /// One line per finding, `file:line:column: error: text [code]`, and a closing line with the counts.
    pub fn human(&self, lang: Lang) -> String {
        let mut out = String::new();
        let (mut errors, mut warnings) = (0_usize, 0_usize);
        for f in &self.findings {
            let word = match f.severity {
                Severity::Error => {
                    errors += 1;
                    lang.t("lỗi", "error")
                }
                Severity::Warning => {
                    warnings += 1;
                    lang.t("cảnh báo", "warning")
                }
            };
            let file = if f.file.is_empty() { "." } else { &f.file };
            let place = if f.line == 0 {
                file.to_owned()
            } else {
                format!("{file}:{}:{}", f.line, f.column)
            };
            let _ = writeln!(out, "{place}: {word}: {} [{}]", f.text.get(lang), f.code);
        }
        let _ = match lang {
            Lang::Vi => writeln!(out, "{errors} lỗi, {warnings} cảnh báo"),
            Lang::En => writeln!(out, "{errors} errors, {warnings} warnings"),
        };
        out
    }

    /// The findings as a JSON array.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The errors as problems of a refusal, each at `file:line:column`.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::new();
        for f in self.findings.iter().filter(|f| f.severity == Severity::Error) {
            let at = if f.line == 0 {
                f.file.clone()
            } else {
                format!("{}:{}:{}", f.file, f.line, f.column)
            };
            problems.add(&f.code, at, f.text.vi.clone(), f.text.en.clone());
        }
        problems
    }
}

/// Judges the package in `dir`. Reads nothing outside it.
pub fn check(dir: &Path, options: &CheckOptions<'_>) -> Report {
    match Files::read_dir(dir) {
        Ok(files) => check_files(&files, options),
        Err(report) => report,
    }
}

/// Judges a package that is already in memory.
pub fn check_files(files: &Files, options: &CheckOptions<'_>) -> Report {
    Package::compile(files, options).1
}

/// As [`check`], for the command line: the text to print, and whether the package can be loaded.
pub fn check_dir(dir: &Path, lang: Lang) -> (String, bool) {
    let report = check(dir, &CheckOptions::default());
    (report.human(lang), report.ok())
}

/// A file of the package with what is needed to say where.
pub(crate) struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    fn place(&self, offset: usize) -> (u32, u32) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}

/// Gathers findings.
#[derive(Default)]
pub(crate) struct Sink {
    findings: Vec<Finding>,
}

impl Sink {
    /// More than this many tell nobody anything.
    const MOST: usize = 500;

    pub fn error(
        &mut self,
        source: &Source<'_>,
        offset: usize,
        code: &str,
        vi: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.add(Severity::Error, source, offset, code, Text::new(vi, en));
    }

    pub fn warning(
        &mut self,
        source: &Source<'_>,
        offset: usize,
        code: &str,
        vi: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.add(Severity::Warning, source, offset, code, Text::new(vi, en));
    }

    /// An error about a file as a whole, or about the package when `file` is empty.
    pub fn whole(&mut self, file: &str, code: &str, vi: impl Into<String>, en: impl Into<String>) {
        self.push(Finding {
            severity: Severity::Error,
            code: code.to_owned(),
            file: file.to_owned(),
            line: 0,
            column: 0,
            text: Text::new(vi, en),
        });
    }

    pub fn add(&mut self, severity: Severity, source: &Source<'_>, offset: usize, code: &str, text: Text) {
        let (line, column) = source.place(offset);
        self.push(Finding {
            severity,
            code: code.to_owned(),
            file: source.name.to_owned(),
            line,
            column,
            text,
        });
    }

    pub fn push(&mut self, finding: Finding) {
        if self.findings.len() < Self::MOST {
            self.findings.push(finding);
        }
    }

    /// A FEEL expression's flaws; `offset` is where its text begins.
    pub fn flaws(&mut self, source: &Source<'_>, offset: usize, flaws: Vec<crate::feel::Flaw>) {
        for flaw in flaws {
            self.add(Severity::Error, source, offset + flaw.offset, flaw.code, flaw.text);
        }
    }

    pub fn process(&mut self, file: &str, finding: process::Finding) {
        let severity = if finding.is_error() {
            Severity::Error
        } else {
            Severity::Warning
        };
        let text = if finding.element_id.is_empty() {
            finding.text
        } else {
            Text::new(
                format!("[{}] {}", finding.element_id, finding.text.vi),
                format!("[{}] {}", finding.element_id, finding.text.en),
            )
        };
        self.push(Finding {
            severity,
            code: finding.code,
            file: file.to_owned(),
            line: finding.at.line,
            column: finding.at.column,
            text,
        });
    }

    pub fn any_error(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Error)
    }

    pub fn report(mut self) -> Report {
        self.findings
            .sort_by(|a, b| (a.severity, &a.file, a.line, a.column).cmp(&(b.severity, &b.file, b.line, b.column)));
        Report {
            findings: self.findings,
        }
    }

    /// Both languages of a text must be there.
    pub fn translated(&mut self, source: &Source<'_>, offset: usize, what: &str, text: &Text) {
        if text.vi.trim().is_empty() || text.en.trim().is_empty() {
            self.error(
                source,
                offset,
                "missing-translation",
                format!("“{what}” phải có cả tiếng Việt và tiếng Anh."),
                format!("“{what}” must be given in Vietnamese and in English."),
            );
        }
    }

    /// Reads TOML; the first thing that does not fit is told with its place.
    pub fn toml<T: serde::de::DeserializeOwned>(&mut self, source: &Source<'_>) -> Option<T> {
        match toml::from_str(source.text) {
            Ok(value) => Some(value),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let message = error.message().replace('\n', " ");
                let code = if message.starts_with("unknown field") {
                    "unknown-key"
                } else if message.starts_with("missing field") {
                    "missing-key"
                } else {
                    "bad-toml"
                };
                self.error(
                    source,
                    offset,
                    code,
                    format!("Tệp không đúng quy cách: {message}."),
                    format!("The file does not fit the format: {message}."),
                );
                None
            }
        }
    }
}
