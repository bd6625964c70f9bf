//! What is wrong with a registry's folder, where, and what to do: the findings of `motcua registry check FOLDER`.

use std::fmt::Write as _;

use base::{Lang, Problems, Text, codes::CodeError};
use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The registry cannot be published.
    Error,
    /// It can; somebody should look.
    Warning,
}

/// One thing that is wrong, at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Error or warning.
    pub severity: Severity,
    /// A stable name for programs: `field-without-term`, `unknown-list`.
    pub code: String,
    /// The file within the folder; empty for the whole.
    pub file: String,
    /// Where in it: a JSON pointer in `schema.json`, the way of keys in a TOML file (`service[1].fields`); empty for the whole.
    pub path: String,
    /// What is wrong and what to do.
    #[serde(flatten)]
    pub text: Text,
}

/// All findings of one folder, errors first, then by place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether the registry can be published.
    pub fn ok(&self) -> bool {
        self.findings.iter().all(|f| f.severity != Severity::Error)
    }

    /// Whether a finding has this code.
    pub fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|f| f.code == code)
    }

    /// One line per finding, `file:path: error: text [code]`, and a closing line with the counts.
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
            let _ = writeln!(out, "{}: {word}: {} [{}]", f.place(), f.text.get(lang), f.code);
        }
        let _ = match lang {
            Lang::Vi => writeln!(out, "{errors} lỗi, {warnings} cảnh báo"),
            Lang::En => writeln!(out, "{errors} errors, {warnings} warnings"),
        };
        out
    }

    /// The errors as problems of a refusal, each at its place.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::new();
        for f in self.findings.iter().filter(|f| f.severity == Severity::Error) {
            problems.add(&f.code, f.place(), f.text.vi.clone(), f.text.en.clone());
        }
        problems
    }
}

impl Finding {
    fn place(&self) -> String {
        match (self.file.as_str(), self.path.as_str()) {
            ("", _) => ".".to_owned(),
            (file, "") => file.to_owned(),
            (file, path) => format!("{file}:{path}"),
        }
    }
}

/// Gathers findings, for whoever judges a folder.
#[derive(Debug, Default)]
pub struct Sink {
    findings: Vec<Finding>,
}

impl Sink {
    /// More than this many tell nobody anything.
    const MOST: usize = 500;

    /// What keeps the folder from being used.
    pub fn error(
        &mut self,
        file: &str,
        path: impl Into<String>,
        code: &str,
        vi: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.add(Severity::Error, file, path.into(), code, Text::new(vi, en));
    }

    /// What somebody should look at.
    pub fn warning(
        &mut self,
        file: &str,
        path: impl Into<String>,
        code: &str,
        vi: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.add(Severity::Warning, file, path.into(), code, Text::new(vi, en));
    }

    /// A name or code that is none.
    pub fn code(&mut self, file: &str, path: impl Into<String>, error: CodeError) {
        let text = error.text().clone();
        self.add(Severity::Error, file, path.into(), error.code(), text);
    }

    /// A FEEL expression's flaws.
    pub fn flaws(&mut self, file: &str, path: &str, flaws: Vec<procedure::feel::Flaw>) {
        for flaw in flaws {
            self.add(Severity::Error, file, path.to_owned(), flaw.code, flaw.text);
        }
    }

    fn add(&mut self, severity: Severity, file: &str, path: String, code: &str, text: Text) {
        if self.findings.len() < Self::MOST {
            self.findings.push(Finding {
                severity,
                code: code.to_owned(),
                file: file.to_owned(),
                path,
                text,
            });
        }
    }

    /// Both languages of a text must be there.
    pub fn translated(&mut self, file: &str, path: impl Into<String>, text: &Text) {
        if text.vi.trim().is_empty() || text.en.trim().is_empty() {
            self.error(
                file,
                path,
                "missing-translation",
                "Mục này phải có cả tiếng Việt và tiếng Anh.",
                "This must be given in Vietnamese and in English.",
            );
        }
    }

    /// Reads TOML; the first thing that does not fit is told with its line.
    pub fn toml<T: serde::de::DeserializeOwned>(&mut self, file: &str, text: &str) -> Option<T> {
        match toml::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let line = error
                    .span()
                    .and_then(|span| text.get(..span.start))
                    .map_or(1, |before| before.matches('\n').count() + 1);
                let message = error.message().replace('\n', " ");
                let code = if message.starts_with("unknown field") {
                    "unknown-key"
                } else if message.starts_with("missing field") {
                    "missing-key"
                } else {
                    "bad-toml"
                };
                self.error(
                    file,
                    line.to_string(),
                    code,
                    format!("Tệp không đúng quy cách: {message}."),
                    format!("The file does not fit the format: {message}."),
                );
                None
            }
        }
    }

    /// Whether there is an error.
    pub fn any_error(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Error)
    }

    /// The findings, errors first.
    pub fn report(mut self) -> Report {
        self.findings
            .sort_by(|a, b| (a.severity, &a.file, &a.path).cmp(&(b.severity, &b.file, &b.path)));
        Report {
            findings: self.findings,
        }
    }
}
