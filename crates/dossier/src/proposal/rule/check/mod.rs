//! `motcua proposal check`: every finding about a rule at once, each with a stable code.

mod act;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use base::{Text, codes::ProcedureCode};
use procedure::{
    feel::{Expr, Type, Types},
    form::{Attribute, FieldSource, Form, Kind},
    package::Package,
    reference::Procedure,
};
use registry::{
    check::{Report, Sink},
    folder,
    model::{Basis, FieldPath, Identifier, Name},
    question::{AnswerKind, Question},
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{About, Around, Because, FILE, Fact, Ladder, Level, On, Prefill, Rule, Source, WRITES, Way};

/// Purposes under which people may be looked for begin with this.
const PURPOSE: &str = "proactive.";
/// Days that a proposal stands, at least and at most.
const VALID: (u16, u16) = (7, 365);
/// Days until the people of a run are asked again.
const EVERY: (u16, u16) = (1, 365);
/// The most days after an event until whom it names is looked at.
const LONGEST_WAIT: u16 = 365;
/// Days in which an act may be refused: enough for a person who is away for a week.
const REFUSE: (u16, u16) = (10, 90);
/// Days in which the former state may be had back.
const RESTORE: (u16, u16) = (10, 365);
/// The most facts that a rule asks beside its question.
const MOST_FACTS: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    code: Name,
    version: u32,
    level: Level,
    name: Text,
    summary: Text,
    question: Name,
    about: About,
    procedure: String,
    valid_days: u16,
    #[serde(default)]
    every_days: Option<u16>,
    #[serde(default)]
    on: Vec<On>,
    #[serde(default)]
    basis: Vec<Basis>,
    #[serde(default)]
    because: Vec<Because>,
    #[serde(default)]
    fact: Vec<Fact>,
    #[serde(default)]
    prefill: Vec<RawPrefill>,
    #[serde(default)]
    way: Vec<RawWay>,
    #[serde(default)]
    act: Option<RawAct>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrefill {
    field: String,
    #[serde(default)]
    ask: Option<Attribute>,
    #[serde(default)]
    value: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWay {
    id: String,
    name: Text,
    because: Text,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAct {
    #[serde(default)]
    refuse_days: u16,
    #[serde(default)]
    restore_days: u16,
}

/// Judges the rule in a folder.
pub fn check(folder: &Path, around: &Around<'_>) -> (Option<Rule>, Report) {
    let mut judge = Judge {
        sink: Sink::default(),
        around,
    };
    let rule = judge.folder(folder);
    let failed = judge.sink.any_error();
    (rule.filter(|_| !failed), judge.sink.report())
}

struct Judge<'a> {
    sink: Sink,
    around: &'a Around<'a>,
}

impl Judge<'_> {
    fn folder(&mut self, folder: &Path) -> Option<Rule> {
        let text = folder::text(&folder.join(FILE), FILE, &mut self.sink)?;
        let raw: Raw = self.sink.toml(FILE, &text)?;
        let name = folder.canonicalize().ok();
        if name
            .as_deref()
            .and_then(Path::file_name)
            .is_some_and(|name| name.to_string_lossy() != raw.code.as_str())
        {
            self.error(
                "code",
                "folder-name-differs",
                format!("Thư mục phải mang tên của mã: “{}”.", raw.code),
                format!("The folder has to bear the name of the code: “{}”.", raw.code),
            );
        }
        let has_writes = folder.join(WRITES).exists();
        let told = match has_writes {
            true => folder::text(&folder.join(WRITES), WRITES, &mut self.sink),
            false => None,
        };
        self.common(&raw);
        self.events(&raw.on);
        let question = self.question(&raw);
        let package = self
            .around
            .packages
            .iter()
            .find(|package| package.id.code == raw.procedure);
        let published = self.around.published.iter().find(|known| known.code == raw.procedure);
        self.procedure(&raw, package, published);
        let types = self.facts(&raw.fact);
        let hash = hex::encode(
            Sha256::new()
                .chain_update(&text)
                .chain_update([0])
                .chain_update(told.as_deref().unwrap_or_default())
                .finalize(),
        );
        let step = match raw.level {
            Level::Remind => Some(Ladder::Remind),
            Level::Prefill => self
                .form(package)
                .map(|form| Ladder::Prefill(self.prefill(&raw.prefill, form, true))),
            Level::Recommend => self.form(package).map(|form| {
                let prefill = self.prefill(&raw.prefill, form, false);
                Ladder::Recommend(prefill, self.ways(&raw.way, form, &types))
            }),
            Level::Act => {
                self.may_act(package, published);
                Some(Ladder::Act(self.act(&raw, told.as_deref(), types)))
            }
        };
        self.fits_level(&raw, has_writes);
        Some(Rule {
            code: raw.code,
            version: raw.version,
            hash,
            name: raw.name,
            summary: raw.summary,
            question: question?,
            about: raw.about,
            procedure: raw.procedure,
            valid_days: raw.valid_days,
            every_days: raw.every_days,
            on: raw.on,
            basis: raw.basis,
            because: raw.because,
            facts: raw.fact,
            step: step?,
        })
    }

    fn common(&mut self, raw: &Raw) {
        if raw.version == 0 {
            self.error(
                "version",
                "version-zero",
                "Phiên bản bắt đầu từ 1.",
                "Versions begin at 1.",
            );
        }
        for (at, text) in [("name", &raw.name), ("summary", &raw.summary)] {
            self.sink.translated(FILE, at, text);
        }
        self.days("valid_days", raw.valid_days, VALID);
        if let Some(days) = raw.every_days {
            self.days("every_days", days, EVERY);
        }
        let empty = |basis: &Basis| basis.text.trim().is_empty() || basis.article.trim().is_empty();
        if raw.basis.is_empty() || raw.basis.iter().any(empty) {
            let code = match raw.level {
                Level::Act => "act-without-basis",
                _ => "missing-basis",
            };
            self.error(
                "basis",
                code,
                "Phải nêu ít nhất một căn cứ pháp lý, có văn bản và điều khoản.",
                "At least one law has to be named, with its article.",
            );
        }
    }

    fn events(&mut self, all: &[On]) {
        for (n, on) in all.iter().enumerate() {
            let at = format!("on[{n}]");
            self.sink.translated(FILE, format!("{at}.name"), &on.name);
            self.days(&format!("{at}.after_days"), on.after_days, (0, LONGEST_WAIT));
            if on.registry().is_none() {
                self.error(
                    format!("{at}.event"),
                    "event-without-registry",
                    "Tên sự kiện gồm mã cơ sở dữ liệu, dấu chấm và mã sự kiện: population.registered.",
                    "An event is named by its registry, a dot and its own id: population.registered.",
                );
            }
            if all[..n].iter().any(|other| other.event == on.event) {
                self.error(
                    format!("{at}.event"),
                    "event-twice",
                    format!("Sự kiện “{}” đã được khai ở trên.", on.event),
                    format!("The event “{}” stands above already.", on.event),
                );
            }
        }
    }

    /// The question finds one person at a time, by a yes or no, for a purpose of this kind; and every fact beneath it is told to the person.
    fn question(&mut self, raw: &Raw) -> Option<Question> {
        let found = self
            .around
            .questions
            .iter()
            .find(|question| question.code == raw.question);
        let Some(question) = found else {
            self.error(
                "question",
                "unknown-question",
                format!("Không có câu hỏi “{}” đã được duyệt.", raw.question),
                format!("There is no approved question “{}”.", raw.question),
            );
            return None;
        };
        let of_one_person =
            matches!(question.inputs.as_slice(), [input] if input.identifier == Identifier::PersonNumber);
        if !of_one_person || question.kind() != AnswerKind::YesNo {
            self.error(
                "question",
                "question-unfit",
                "Câu hỏi phải nhận đúng một số định danh cá nhân và trả lời có hoặc không.",
                "The question has to take one personal number and to answer yes or no.",
            );
        }
        if !question.purpose.as_str().starts_with(PURPOSE) {
            self.error(
                "question",
                "purpose-not-proactive",
                format!("Mục đích của câu hỏi phải bắt đầu bằng “{PURPOSE}”."),
                format!("The purpose of the question has to begin with “{PURPOSE}”."),
            );
        }
        for (n, because) in raw.because.iter().enumerate() {
            self.sink.translated(FILE, format!("because[{n}].name"), &because.name);
            self.sink
                .translated(FILE, format!("because[{n}].source"), &because.source);
            if !question.facts.iter().any(|fact| fact.id == because.fact) {
                self.error(
                    format!("because[{n}].fact"),
                    "unknown-fact",
                    format!("Câu hỏi không dùng dữ kiện “{}”.", because.fact),
                    format!("The question does not ask “{}”.", because.fact),
                );
            }
        }
        let explained = |id: &FieldPath| raw.because.iter().filter(|because| because.fact == *id).count() == 1;
        for fact in question.facts.iter().filter(|fact| !explained(&fact.id)) {
            self.error(
                "because",
                "fact-unexplained",
                format!("Phải giải thích cho người dân dữ kiện “{}”, một lần.", fact.id),
                format!("The fact “{}” has to be explained to the person, once.", fact.id),
            );
        }
        Some(question.clone())
    }

    fn procedure(&mut self, raw: &Raw, package: Option<&Arc<Package>>, published: Option<&Procedure>) {
        if let Err(error) = raw.procedure.parse::<ProcedureCode>() {
            self.sink.code(FILE, "procedure", error);
        } else if package.is_none() && published.is_none() {
            self.error(
                "procedure",
                "unknown-procedure",
                format!("Không có thủ tục “{}” trong danh mục công bố.", raw.procedure),
                format!("There is no procedure “{}” in the published catalogue.", raw.procedure),
            );
        }
    }

    /// The names that ways and writes may use.
    fn facts(&mut self, facts: &[Fact]) -> Types {
        let mut types = Types::new().with("subject", Type::String).with("today", Type::Date);
        if facts.len() > MOST_FACTS {
            self.error(
                "fact",
                "too-many",
                format!("Tối đa {MOST_FACTS} dữ kiện."),
                format!("At most {MOST_FACTS} facts."),
            );
        }
        for (n, fact) in facts.iter().enumerate() {
            let taken = ["subject", "today", "told"].contains(&fact.id.as_str())
                || facts[..n].iter().any(|other| other.id == fact.id);
            if taken || fact.id.as_str().contains('.') {
                self.error(
                    format!("fact[{n}].id"),
                    "duplicate-id",
                    format!("“{}” đã được dùng, hoặc không phải là một tên đơn.", fact.id),
                    format!("“{}” is used already, or is not one plain name.", fact.id),
                );
            }
            if fact.ask.of.is_some() {
                self.error(
                    format!("fact[{n}].ask"),
                    "fact-of-another",
                    "Chỉ được hỏi về chính người mà đề xuất nói tới.",
                    "Nobody is asked about but whom the proposal is about.",
                );
            }
            types.declare(fact.id.as_str(), Type::Any);
        }
        types
    }

    /// The form that is prepared: there has to be one.
    fn form<'b>(&mut self, package: Option<&'b Arc<Package>>) -> Option<&'b Form> {
        if package.is_none() {
            self.error(
                "procedure",
                "no-package",
                "Mức này điền sẵn hồ sơ nên thủ tục phải nộp trực tuyến được (có gói trong catalogue/).",
                "This level prepares the dossier, so the procedure has to have a package.",
            );
        }
        package.map(|package| &package.form)
    }

    fn prefill(&mut self, raw: &[RawPrefill], form: &Form, needed: bool) -> Vec<Prefill> {
        if raw.is_empty() && needed {
            self.error(
                "prefill",
                "nothing-prefilled",
                "Phải nêu ít nhất một mục được điền sẵn.",
                "At least one field has to be prefilled.",
            );
        }
        let mut prefill = Vec::new();
        for (n, entry) in raw.iter().enumerate() {
            let at = format!("prefill[{n}]");
            self.field(&at, &entry.field, form);
            match (&entry.ask, &entry.value) {
                (Some(ask), None) if ask.of.is_none() => prefill.push(Prefill {
                    field: entry.field.clone(),
                    from: Source::Registry(ask.clone()),
                }),
                (None, Some(value)) => prefill.push(Prefill {
                    field: entry.field.clone(),
                    from: Source::Value(value.clone()),
                }),
                _ => self.error(
                    at,
                    "prefill-source",
                    "Nêu hoặc ask = \"cơ-sở-dữ-liệu.thuộc-tính\" về chính người đó, hoặc value.",
                    "Give either ask = \"registry.attribute\" about the same person, or a value.",
                ),
            }
        }
        prefill
    }

    /// A field that is prefilled is one that the person may change, and no declaration: that is theirs to make.
    fn field(&mut self, at: &str, id: &str, form: &Form) {
        match form.field(id) {
            None => self.error(
                at,
                "unknown-field",
                format!("Tờ khai không có mục “{id}”."),
                format!("The form has no field “{id}”."),
            ),
            Some(field) if !matches!(field.source, FieldSource::Asked) || matches!(field.kind, Kind::Declaration) => {
                self.error(
                    at,
                    "field-not-to-fill",
                    format!("Mục “{id}” do cơ sở dữ liệu cung cấp hoặc là lời cam đoan; không được điền sẵn."),
                    format!("“{id}” comes from a registry, or is a declaration: it is not to be prefilled."),
                )
            }
            Some(_) => {}
        }
    }

    fn ways(&mut self, raw: &[RawWay], form: &Form, types: &Types) -> Vec<Way> {
        if raw.len() < 2 || raw.last().is_some_and(|last| last.when.is_some()) {
            self.error(
                "way",
                "no-way-left",
                "Phải có ít nhất hai phương án; phương án cuối không có điều kiện, để luôn có một gợi ý.",
                "There are at least two ways, and the last has no condition: one always fits.",
            );
        }
        let mut ways: Vec<Way> = Vec::new();
        for (n, entry) in raw.iter().enumerate() {
            let at = format!("way[{n}]");
            self.sink.translated(FILE, format!("{at}.name"), &entry.name);
            self.sink.translated(FILE, format!("{at}.because"), &entry.because);
            let good = !entry.id.is_empty() && entry.id.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
            if !good || ways.iter().any(|other| other.id == entry.id) {
                self.error(
                    format!("{at}.id"),
                    "duplicate-id",
                    format!(
                        "Mã “{}” phải gồm chữ thường, gạch nối và không trùng mã khác.",
                        entry.id
                    ),
                    format!("The id “{}” is of small letters and hyphens, and used once.", entry.id),
                );
            }
            if entry.when.is_none() && n + 1 < raw.len() {
                self.error(
                    format!("{at}.when"),
                    "way-hides-others",
                    "Chỉ phương án cuối được không có điều kiện; các phương án sau nó sẽ không bao giờ được gợi ý.",
                    "Only the last way may have no condition: those after it would never be recommended.",
                );
            }
            for field in entry.set.keys() {
                self.field(&format!("{at}.set"), field, form);
            }
            let when = entry.when.as_ref().and_then(|when| match Expr::condition(when, types) {
                Ok(when) => Some(when),
                Err(flaws) => {
                    self.sink.flaws(FILE, &format!("{at}.when"), flaws);
                    None
                }
            });
            ways.push(Way {
                id: entry.id.clone(),
                name: entry.name.clone(),
                because: entry.because.clone(),
                when,
                set: entry
                    .set
                    .iter()
                    .map(|(field, value)| Prefill {
                        field: field.clone(),
                        from: Source::Value(value.clone()),
                    })
                    .collect(),
            });
        }
        ways
    }

    /// Nothing is declared that its level does not do.
    fn fits_level(&mut self, raw: &Raw, has_writes: bool) {
        let level = raw.level;
        let prepares = matches!(level, Level::Prefill | Level::Recommend);
        for (at, is_there, fits) in [
            ("prefill", !raw.prefill.is_empty(), prepares),
            ("way", !raw.way.is_empty(), level == Level::Recommend),
            (
                "fact",
                !raw.fact.is_empty(),
                matches!(level, Level::Recommend | Level::Act),
            ),
            ("act", raw.act.is_some(), level == Level::Act),
            (WRITES, has_writes, level == Level::Act),
        ] {
            if is_there && !fits {
                self.error(
                    at,
                    "not-of-level",
                    format!("Mức “{}” không dùng đến mục này.", level.code()),
                    format!("The level “{}” does not use this.", level.code()),
                );
            }
        }
        if level == Level::Act && !has_writes {
            self.error(
                WRITES,
                "act-without-writes",
                "Thiếu tệp writes.toml nêu việc sẽ tự động thực hiện.",
                "The file writes.toml, which says what is done, is missing.",
            );
        }
    }

    fn days(&mut self, at: &str, days: u16, (least, most): (u16, u16)) {
        if !(least..=most).contains(&days) {
            self.error(
                at,
                "days",
                format!("Số ngày từ {least} đến {most}."),
                format!("From {least} to {most} days."),
            );
        }
    }

    fn error(&mut self, at: impl Into<String>, code: &str, vi: impl Into<String>, en: impl Into<String>) {
        self.sink.error(FILE, at, code, vi, en);
    }
}
