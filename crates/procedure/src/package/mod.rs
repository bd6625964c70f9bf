//! A procedure package: one folder, loaded, judged and compiled once, then shared.

mod files;
mod meta;

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use base::{
    Error, Result, Text,
    deadline::{Budget, Rules},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub use files::Files;
pub use meta::{
    AgencyRef, Audience, DeadlineCase, ExecutingLevel, LegalBasis, Level, Meta, PaymentTime, Reason, ResultSpec,
    SourceNote,
};

use crate::{
    check::{Report, Sink, Source},
    decision::{Decisions, Fee, Remark, Trace},
    feel::{self, ProcessFeel},
    form::{Answers, Context, Form},
    process::{self, CheckContext, NodeKind, Process, Variables},
    writes::{self, Write},
};

/// The roles that a step of a process may name.
pub const ROLES: [&str; 4] = ["receptionist", "specialist", "leader", "consulted"];
/// The services that a process may call.
pub const SERVICES: [&str; 6] = [
    "notify",
    "fee.compute",
    "payment.request",
    "result.render",
    "result.publish",
    writes::SERVICE,
];

/// Judges a Typst template: file name and source in, what is wrong out.
pub type TemplateCheck<'a> = &'a dyn Fn(&str, &str) -> Result<(), String>;

/// What a package is judged against, besides its own files.
#[derive(Clone, Copy)]
pub struct CheckOptions<'a> {
    /// Roles that steps may name.
    pub roles: &'a [&'a str],
    /// Services that the process may call.
    pub services: &'a [&'a str],
    /// Compiles Typst templates; without it they are only bounded.
    pub template: Option<TemplateCheck<'a>>,
}

impl Default for CheckOptions<'_> {
    fn default() -> Self {
        Self {
            roles: &ROLES,
            services: &SERVICES,
            template: None,
        }
    }
}

impl fmt::Debug for CheckOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckOptions")
            .field("roles", &self.roles)
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

/// Which package, exactly: a dossier keeps this for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PackageId {
    /// Code of the procedure.
    pub code: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the files, in hex: see [`Files::hash`].
    pub hash: String,
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.code, self.version)
    }
}

/// A compiled package. Immutable; share it as `Arc<Package>`.
#[derive(Debug)]
pub struct Package {
    /// Which it is.
    pub id: PackageId,
    /// What procedure.toml says.
    pub meta: Meta,
    /// The form and the papers.
    pub form: Form,
    /// The process.
    pub process: Process,
    /// Fees and eligibility, when the package has any.
    pub decisions: Option<Decisions>,
    /// What registries are told, in order.
    pub writes: Vec<Write>,
    /// Typst sources and texts by file name.
    pub templates: BTreeMap<String, String>,
    /// process.bpmn as written.
    pub bpmn: String,
    /// Warnings of the check.
    pub warnings: Report,
    feel: ProcessFeel,
}

impl Package {
    /// Loads and compiles the package in `dir`.
    ///
    /// # Errors
    /// A refusal with every error at `file:line:column`.
    pub fn load_dir(dir: &Path) -> Result<Arc<Self>> {
        Self::load_dir_with(dir, &CheckOptions::default())
    }

    /// As [`Package::load_dir`], judged against other options.
    ///
    /// # Errors
    /// A refusal with every error at `file:line:column`.
    pub fn load_dir_with(dir: &Path, options: &CheckOptions<'_>) -> Result<Arc<Self>> {
        match Files::read_dir(dir) {
            Ok(files) => Self::from_files(&files, options),
            Err(report) => Err(refused(&report)),
        }
    }

    /// Compiles a package that is in memory.
    ///
    /// # Errors
    /// A refusal with every error at `file:line:column`.
    pub fn from_files(files: &Files, options: &CheckOptions<'_>) -> Result<Arc<Self>> {
        match Self::compile(files, options) {
            (Some(package), _) => Ok(Arc::new(package)),
            (None, report) => Err(refused(&report)),
        }
    }

    /// Compiles and judges; the package is there when the report has no error.
    pub(crate) fn compile(files: &Files, options: &CheckOptions<'_>) -> (Option<Self>, Report) {
        let mut sink = Sink::default();
        let mut take = |name: &'static str, needed: bool| -> Option<Source<'_>> {
            match files.get(name) {
                Some(text) => Some(Source { name, text }),
                None => {
                    if needed {
                        sink.whole(
                            name,
                            "missing-file",
                            format!("Thiếu tệp {name}."),
                            format!("The file {name} is missing."),
                        );
                    }
                    None
                }
            }
        };
        let (procedure, form, bpmn, dmn, told) = (
            take("procedure.toml", true),
            take("form.toml", true),
            take("process.bpmn", true),
            take("decisions.dmn", false),
            take("writes.toml", false),
        );
        let form = form.and_then(|source| Form::load(&mut sink, &source));
        let meta = procedure.and_then(|source| Meta::load(&mut sink, &source, form.as_ref(), files));
        let decisions = match (&dmn, &form) {
            (Some(source), Some(form)) => Decisions::load(&mut sink, source, form),
            _ => None,
        };
        let feel = ProcessFeel::new();
        let process = match (&bpmn, &form) {
            (Some(source), Some(form)) => {
                let variables = variables(form);
                let context = CheckContext {
                    roles: options.roles,
                    services: options.services,
                    feel: &feel,
                    variables: &variables,
                };
                let examined = process::examine(source.text, &context);
                for finding in examined.findings {
                    sink.process(source.name, finding);
                }
                if let (Some(process), Some(meta)) = (&examined.process, &meta) {
                    agencies(&mut sink, process, meta);
                }
                if let Some(process) = &examined.process {
                    shown(&mut sink, process, form);
                }
                examined.process
            }
            _ => None,
        };
        let writes = match (&told, &form, &process) {
            (Some(source), Some(form), Some(process)) => writes::load(&mut sink, source, form, process),
            _ => Vec::new(),
        };
        if let Some(process) = &process {
            nothing_to_write(&mut sink, process, told.is_some());
        }
        let templates: BTreeMap<String, String> = files
            .iter()
            .filter(|(name, _)| name.ends_with(".typ") || name.ends_with(".txt"))
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        if let Some(check) = options.template {
            for (name, text) in templates.iter().filter(|(name, _)| name.ends_with(".typ")) {
                if let Err(reason) = check(name, text) {
                    sink.whole(
                        name,
                        "bad-template",
                        format!("Mẫu kết quả không biên dịch được: {reason}"),
                        format!("The template does not compile: {reason}"),
                    );
                }
            }
        }
        let failed = sink.any_error();
        let report = sink.report();
        match (meta, form, process, failed) {
            (Some(meta), Some(form), Some(process), false) => {
                let id = PackageId {
                    code: meta.code.clone(),
                    version: meta.version.clone(),
                    hash: files.hash(),
                };
                let bpmn = files.get("process.bpmn").unwrap_or_default().to_owned();
                let package = Self {
                    id,
                    meta,
                    form,
                    process,
                    decisions,
                    writes,
                    templates,
                    bpmn,
                    warnings: report.clone(),
                    feel,
                };
                (Some(package), report)
            }
            _ => (None, report),
        }
    }

    /// The expression language of this package's process: pass it to `process.step`.
    pub fn feel(&self) -> &ProcessFeel {
        &self.feel
    }

    /// Whether dossiers are received under this version on `date`.
    pub fn holds_on(&self, date: Date) -> bool {
        self.meta.valid_from <= date && self.meta.valid_to.is_none_or(|last| date <= last)
    }

    /// The case of the time limit that these answers fall under, with its budget. `answers` are those that count
    /// ([`crate::form::Journey::answers`]).
    pub fn deadline_for(&self, answers: &Answers, ctx: &Context<'_>) -> (&DeadlineCase, Budget) {
        let deadlines = &self.meta.deadlines;
        let values = std::cell::OnceCell::new();
        let holds = |when: &feel::Expr| when.holds_over(values.get_or_init(|| known(answers, ctx)));
        let case = deadlines.iter().find(|case| case.when.as_ref().is_none_or(holds));
        // The check has made sure that the last case has no condition.
        let case = case.unwrap_or(&deadlines[deadlines.len() - 1]);
        (case, case.budget.clone())
    }

    /// How periods are counted for this procedure.
    pub fn deadline_rules(&self) -> &Rules {
        &self.meta.deadline_rules
    }

    /// What to pay.
    ///
    /// # Errors
    /// A failure of ours when the package's decision gives no usable value for these answers.
    pub fn fees(&self, answers: &Answers, ctx: &Context<'_>) -> Result<Vec<Fee>> {
        match &self.decisions {
            Some(decisions) => decisions.fees(answers, ctx).map_err(Error::internal),
            None => Ok(Vec::new()),
        }
    }

    /// How [`Package::fees`] came about. Dearer than the fees themselves: every decision on the way is evaluated.
    pub fn why_fees(&self, answers: &Answers, ctx: &Context<'_>) -> Trace {
        let decisions = self.decisions.as_ref();
        decisions.map_or_else(Trace::default, |decisions| decisions.why_fees(answers, ctx))
    }

    /// Whether the dossier can be filed, and why not.
    ///
    /// # Errors
    /// A failure of ours when the package's decision gives no usable value for these answers.
    pub fn eligibility(&self, answers: &Answers, ctx: &Context<'_>) -> Result<Vec<Remark>> {
        match &self.decisions {
            Some(decisions) => decisions.eligibility(answers, ctx).map_err(Error::internal),
            None => Ok(Vec::new()),
        }
    }

    /// The variables with which the process starts: the answers by field, `applicant`, `channel`, `today`,
    /// `submitted_on` and `deadline_case`.
    pub fn process_variables(&self, answers: &Answers, ctx: &Context<'_>) -> Map<String, Value> {
        let mut variables = known(answers, ctx);
        variables.insert("submitted_on".to_owned(), json!(ctx.today.to_string()));
        variables.insert(
            "deadline_case".to_owned(),
            json!(self.deadline_for(answers, ctx).0.case),
        );
        variables
    }

    /// The source of the template of the result.
    pub fn result_template(&self) -> Option<&str> {
        self.templates
            .get(&self.meta.result.as_ref()?.template)
            .map(String::as_str)
    }
}

/// What is known of an application, by name: its answers and who, how and when.
fn known(answers: &Answers, ctx: &Context<'_>) -> Map<String, Value> {
    let mut values = answers.as_map().clone();
    values.extend(ctx.ambient());
    values
}

/// Types of the variables that a process starts with.
fn variables(form: &Form) -> Variables {
    let types = form
        .types()
        .clone()
        .with("submitted_on", feel::Type::Date)
        .with("deadline_case", feel::Type::String);
    let roots = types.roots().map(|(name, ty)| (name.clone(), feel::variable(ty)));
    roots.collect()
}

/// A process that writes to registries says what.
fn nothing_to_write(sink: &mut Sink, process: &Process, told: bool) {
    let writes =
        |node: &process::Node| matches!(&node.kind, NodeKind::Service { service } if service == writes::SERVICE);
    if !told && process.nodes().iter().any(writes) {
        sink.whole(
            "writes.toml",
            "missing-file",
            "Quy trình ghi vào cơ sở dữ liệu (registry.write) nhưng thiếu tệp writes.toml nêu nội dung ghi.",
            "The process writes to registries (registry.write), but there is no writes.toml that says what.",
        );
    }
}

/// Agencies that the process names must be declared.
fn agencies(sink: &mut Sink, process: &Process, meta: &Meta) {
    let known = |id: &str| meta.agencies.iter().any(|agency| agency.id == id);
    for node in process.nodes() {
        let agency = match &node.kind {
            NodeKind::User(task) => task.unit.as_deref(),
            NodeKind::Send(task) => Some(task.consult.as_str()),
            _ => None,
        };
        if let Some(agency) = agency.filter(|agency| !known(agency)) {
            at_node(
                sink,
                node,
                "unknown-agency",
                format!("Cơ quan “{agency}” chưa khai trong procedure.toml ([[agency]])."),
                format!("The agency “{agency}” is not declared in procedure.toml ([[agency]])."),
            );
        }
    }
}

/// What a consulted agency is shown must be in the form.
fn shown(sink: &mut Sink, process: &Process, form: &Form) {
    for node in process.nodes() {
        let NodeKind::Send(task) = &node.kind else { continue };
        let unknown = |id: &&String| form.field(id).is_none() && form.paper(id).is_none();
        for id in task.shows.iter().filter(unknown) {
            at_node(
                sink,
                node,
                "unknown-shown",
                format!("mc:shows nêu “{id}”, không phải mục nào hay giấy tờ nào của form.toml."),
                format!("mc:shows names “{id}”, which is neither a field nor a paper of form.toml."),
            );
        }
    }
}

fn at_node(sink: &mut Sink, node: &crate::process::Node, code: &str, vi: String, en: String) {
    sink.push(crate::check::Finding {
        severity: crate::check::Severity::Error,
        code: code.to_owned(),
        file: "process.bpmn".to_owned(),
        line: node.at.line,
        column: node.at.column,
        text: Text::new(format!("[{}] {vi}", node.id), format!("[{}] {en}", node.id)),
    });
}

fn refused(report: &Report) -> Error {
    Error::Refused(base::Kind::Invalid, report.problems())
}

/// The hash of named texts: each name and text with its length, in the order of the names.
pub(crate) fn hash<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hasher = Sha256::new();
    for (name, text) in files {
        for part in [name, text] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hex::encode(hasher.finalize())
}
