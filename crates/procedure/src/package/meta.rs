//! procedure.toml: what the procedure is, by which law, in how much time.

use std::collections::BTreeSet;

use base::{
    Text,
    codes::{FieldCode, ProcedureCode},
    deadline::{Budget, Cutoff, Rules, Unit},
};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::Files;
use crate::{
    check::{Sink, Source},
    feel::Expr,
    form::{
        Channel, Form,
        load::{Both, condition, is_slug},
    },
};

/// What procedure.toml says, judged.
#[derive(Debug)]
pub struct Meta {
    /// Code of the national catalogue.
    pub code: String,
    /// Version, a date.
    pub version: String,
    /// First day on which dossiers are received.
    pub valid_from: Date,
    /// Last day, when known.
    pub valid_to: Option<Date>,
    /// Code of the procedure that this one replaced.
    pub predecessor: Option<String>,
    /// Code of the procedure that replaces this one.
    pub successor: Option<String>,
    /// Name.
    pub name: Text,
    /// Code of the field (lĩnh vực).
    pub field: String,
    /// Name of the field.
    pub field_name: Option<Text>,
    /// Code of the agency that issued the procedure (cơ quan ban hành).
    pub authority: String,
    /// At which level it is carried out.
    pub executing_level: ExecutingLevel,
    /// For whom.
    pub audiences: Vec<Audience>,
    /// Wholly or partly online.
    pub level: Level,
    /// Why only partly.
    pub level_reason: Option<Text>,
    /// Ids of life events.
    pub life_events: Vec<String>,
    /// Words that people search by.
    pub keywords: Vec<String>,
    /// In two or three sentences.
    pub summary: Text,
    /// What the applicant lives through, in order.
    pub steps: Vec<Text>,
    /// The law.
    pub legal_basis: Vec<LegalBasis>,
    /// How a dossier may come in.
    pub channels: Vec<Channel>,
    /// Time limits, in the order in which they are tried; the last has no condition.
    pub deadlines: Vec<DeadlineCase>,
    /// How periods are counted.
    pub deadline_rules: Rules,
    /// Whether completed papers start the period anew (else it goes on with what was left).
    pub supplement_restarts: bool,
    /// Agencies that the process names.
    pub agencies: Vec<AgencyRef>,
    /// Grounds for saying no.
    pub refusal_reasons: Vec<Reason>,
    /// Grounds for asking for more.
    pub supplement_reasons: Vec<Reason>,
    /// The result.
    pub result: Option<ResultSpec>,
    /// When fees are paid; `None` when nothing ever is.
    pub payment: Option<PaymentTime>,
    /// Where the facts come from.
    pub source: Option<SourceNote>,
}

/// At which level a procedure is carried out (cấp thực hiện).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutingLevel {
    /// Cấp xã.
    Commune,
    /// Cấp tỉnh.
    Province,
    /// Cấp bộ.
    Ministry,
    /// Another agency.
    Agency,
}

/// For whom a procedure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Công dân Việt Nam.
    Citizen,
    /// Doanh nghiệp.
    Business,
    /// Tổ chức.
    Organisation,
    /// Người nước ngoài.
    Foreigner,
}

/// How much of it is online (NĐ 42/2022, kept by its successor).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Toàn trình.
    Full,
    /// Một phần.
    Partial,
}

/// A legal document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegalBasis {
    /// Its number: `123/2015/NĐ-CP`.
    pub number: String,
    /// Its title.
    pub title: Text,
    /// Which articles.
    pub articles: Option<String>,
}

/// A time limit with the case in which it holds.
#[derive(Debug, Clone)]
pub struct DeadlineCase {
    /// Code of the case: `1.001193.01`.
    pub case: String,
    /// Name of the case.
    pub name: Text,
    /// When it holds; the last case has no condition.
    pub when: Option<Expr>,
    /// The budget with its legal basis.
    pub budget: Budget,
}

impl DeadlineCase {
    /// The length in words; nothing at all is "within the working day".
    pub fn time(&self) -> Text {
        if self.budget.qty == 0 {
            Text::new("Trong ngày làm việc", "On the same working day")
        } else {
            self.budget.text()
        }
    }
}

/// A symbolic agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgencyRef {
    /// As the process names it.
    pub id: String,
    /// Its name.
    pub name: Text,
    /// How a node finds the real one.
    pub resolver: String,
}

/// A legal ground for a refusal or for asking for more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable id.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub text: Text,
    /// Decree and article.
    pub basis: String,
    /// The field or paper that it is about.
    pub about: Option<String>,
}

/// The result of the procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultSpec {
    /// Its name.
    pub name: Text,
    /// File name of its Typst template.
    pub template: String,
    /// Its code.
    pub code: Option<String>,
}

/// When fees are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentTime {
    /// Before the agency begins.
    BeforeProcessing,
    /// When the result is handed over.
    AtReturn,
}

/// Where the facts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceNote {
    /// In words.
    pub text: String,
    /// When they were taken.
    pub retrieved: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    code: Spanned<String>,
    version: Spanned<String>,
    valid_from: Spanned<toml::value::Datetime>,
    valid_to: Option<Spanned<toml::value::Datetime>>,
    predecessor: Option<Spanned<String>>,
    successor: Option<Spanned<String>>,
    name: Spanned<Both>,
    field: Spanned<String>,
    field_name: Option<Spanned<Both>>,
    authority: String,
    executing_level: ExecutingLevel,
    audiences: Spanned<Vec<Audience>>,
    level: Spanned<Level>,
    level_reason: Option<Spanned<Both>>,
    #[serde(default)]
    life_events: Vec<String>,
    #[serde(default)]
    keywords: Vec<String>,
    summary: Spanned<Both>,
    channels: Spanned<Vec<Channel>>,
    #[serde(default)]
    step: Vec<Spanned<Both>>,
    #[serde(default)]
    legal_basis: Vec<RawLaw>,
    #[serde(default)]
    deadline: Vec<RawDeadline>,
    #[serde(default)]
    deadline_rules: RawRules,
    #[serde(default)]
    agency: Vec<RawAgency>,
    #[serde(default)]
    refusal_reason: Vec<RawReason>,
    #[serde(default)]
    supplement_reason: Vec<RawReason>,
    result: Option<RawResult>,
    payment: Option<RawPayment>,
    source: Option<RawSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLaw {
    number: Spanned<String>,
    title: Spanned<Both>,
    articles: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeadline {
    case: Spanned<String>,
    name: Spanned<Both>,
    when: Option<Spanned<String>>,
    budget: Spanned<String>,
    basis: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRules {
    same_day_cutoff: Option<Spanned<String>>,
    supplement_restarts: bool,
    max_reappointments: u32,
}

impl Default for RawRules {
    fn default() -> Self {
        Self {
            same_day_cutoff: None,
            supplement_restarts: true,
            max_reappointments: 1,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAgency {
    id: Spanned<String>,
    name: Spanned<Both>,
    resolver: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReason {
    id: Spanned<String>,
    vi: String,
    #[serde(default)]
    en: String,
    #[serde(default)]
    basis: String,
    about: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResult {
    name: Spanned<Both>,
    template: Spanned<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPayment {
    when: PaymentTime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    text: String,
    retrieved: Spanned<toml::value::Datetime>,
}

struct Loader<'a, 'b> {
    sink: &'a mut Sink,
    source: &'a Source<'b>,
}

impl Meta {
    pub(super) fn load(sink: &mut Sink, source: &Source<'_>, form: Option<&Form>, files: &Files) -> Option<Self> {
        let raw: Raw = sink.toml(source)?;
        let mut l = Loader { sink, source };
        l.code::<ProcedureCode>(&raw.code);
        l.code::<FieldCode>(&raw.field);
        for code in [&raw.predecessor, &raw.successor].into_iter().flatten() {
            l.code::<ProcedureCode>(code);
        }
        if raw.version.get_ref().parse::<Date>().is_err() || raw.version.get_ref().len() != 10 {
            l.error(
                raw.version.span().start,
                "bad-version",
                "version là một ngày, ví dụ \"2026-07-01\".",
                "version is a date such as \"2026-07-01\".",
            );
        }
        let valid_from = l.date(&raw.valid_from)?;
        let valid_to = raw.valid_to.as_ref().and_then(|date| l.date(date));
        if valid_to.is_some_and(|last| last < valid_from) {
            l.error(
                raw.valid_from.span().start,
                "bad-value",
                "valid_to đứng trước valid_from.",
                "valid_to is before valid_from.",
            );
        }
        if raw.level.get_ref() == &Level::Partial && raw.level_reason.is_none() {
            l.error(
                raw.level.span().start,
                "missing-key",
                "Mức một phần phải nêu lý do (level_reason).",
                "A partial level needs its reason (level_reason).",
            );
        }
        for (empty, at, key) in [
            (
                raw.audiences.get_ref().is_empty(),
                raw.audiences.span().start,
                "audiences",
            ),
            (raw.channels.get_ref().is_empty(), raw.channels.span().start, "channels"),
        ] {
            if empty {
                l.error(
                    at,
                    "missing-key",
                    &format!("{key} không được để trống."),
                    &format!("{key} must not be empty."),
                );
            }
        }
        if raw.legal_basis.is_empty() {
            l.sink.whole(
                source.name,
                "missing-basis",
                "Thủ tục phải có ít nhất một căn cứ pháp lý ([[legal_basis]]).",
                "A procedure needs at least one legal basis ([[legal_basis]]).",
            );
        }
        let deadlines = l.deadlines(raw.deadline, raw.code.get_ref(), form);
        let rules = raw.deadline_rules;
        let deadline_rules = l.rules(&rules);
        let mut ids = BTreeSet::new();
        let agencies = raw
            .agency
            .into_iter()
            .map(|agency| {
                l.slug(&agency.id, &mut ids);
                AgencyRef {
                    name: l.both("agency.name", agency.name),
                    id: agency.id.into_inner(),
                    resolver: agency.resolver,
                }
            })
            .collect();
        let refusal_reasons = l.reasons(raw.refusal_reason, form);
        let supplement_reasons = l.reasons(raw.supplement_reason, form);
        let result = raw.result.map(|result| {
            let file = result.template.get_ref();
            if files.get(file).is_none() || !file.ends_with(".typ") {
                l.error(
                    result.template.span().start,
                    "missing-file",
                    &format!("Gói không có tệp mẫu “{file}” (chỉ ghi tên tệp .typ trong gói, không ghi đường dẫn)."),
                    &format!("The package has no template “{file}” (the name of a .typ file of the folder, no path)."),
                );
            }
            ResultSpec {
                name: l.both("result.name", result.name),
                template: result.template.into_inner(),
                code: result.code,
            }
        });
        let source_note = raw.source.and_then(|note| {
            let retrieved = l.date(&note.retrieved)?;
            Some(SourceNote {
                text: note.text,
                retrieved,
            })
        });
        Some(Self {
            name: l.both("name", raw.name),
            field_name: raw.field_name.map(|name| l.both("field_name", name)),
            level_reason: raw.level_reason.map(|reason| l.both("level_reason", reason)),
            summary: l.both("summary", raw.summary),
            steps: raw.step.into_iter().map(|step| l.both("step", step)).collect(),
            legal_basis: raw
                .legal_basis
                .into_iter()
                .map(|law| LegalBasis {
                    title: l.both("legal_basis.title", law.title),
                    number: law.number.into_inner(),
                    articles: law.articles,
                })
                .collect(),
            code: raw.code.into_inner(),
            version: raw.version.into_inner(),
            valid_from,
            valid_to,
            predecessor: raw.predecessor.map(Spanned::into_inner),
            successor: raw.successor.map(Spanned::into_inner),
            field: raw.field.into_inner(),
            authority: raw.authority,
            executing_level: raw.executing_level,
            audiences: raw.audiences.into_inner(),
            level: raw.level.into_inner(),
            life_events: raw.life_events,
            keywords: raw.keywords,
            channels: raw.channels.into_inner(),
            deadlines: deadlines?,
            deadline_rules,
            supplement_restarts: rules.supplement_restarts,
            agencies,
            refusal_reasons,
            supplement_reasons,
            result,
            payment: raw.payment.map(|payment| payment.when),
            source: source_note,
        })
    }
}

impl Loader<'_, '_> {
    fn error(&mut self, at: usize, code: &str, vi: &str, en: &str) {
        self.sink.error(self.source, at, code, vi, en);
    }

    fn both(&mut self, what: &str, text: Spanned<Both>) -> Text {
        let at = text.span().start;
        let text = text.into_inner().text();
        self.sink.translated(self.source, at, what, &text);
        text
    }

    fn code<T: std::str::FromStr<Err = base::codes::CodeError>>(&mut self, code: &Spanned<String>) {
        if let Err(error) = code.get_ref().parse::<T>() {
            let text = error.text().clone();
            self.error(code.span().start, "bad-code", &text.vi, &text.en);
        }
    }

    fn date(&mut self, date: &Spanned<toml::value::Datetime>) -> Option<Date> {
        let parsed = date
            .get_ref()
            .to_string()
            .parse()
            .ok()
            .filter(|_| date.get_ref().time.is_none());
        if parsed.is_none() {
            self.error(
                date.span().start,
                "bad-value",
                "Ở đây cần một ngày, ví dụ 2026-07-01.",
                "A date is needed here, such as 2026-07-01.",
            );
        }
        parsed
    }

    fn slug(&mut self, id: &Spanned<String>, seen: &mut BTreeSet<String>) {
        let (at, id) = (id.span().start, id.get_ref());
        if !is_slug(id) {
            self.error(
                at,
                "bad-id",
                &format!("Mã “{id}” chỉ được gồm a-z, 0-9 và dấu gạch nối."),
                &format!("The id “{id}” may only hold a-z, 0-9 and hyphens."),
            );
        }
        if !seen.insert(id.clone()) {
            self.error(
                at,
                "duplicate-id",
                &format!("Mã “{id}” đã dùng ở trên."),
                &format!("The id “{id}” is already used above."),
            );
        }
    }

    fn reasons(&mut self, raw: Vec<RawReason>, form: Option<&Form>) -> Vec<Reason> {
        let mut ids = BTreeSet::new();
        raw.into_iter()
            .map(|reason| {
                self.slug(&reason.id, &mut ids);
                let at = reason.id.span().start;
                let text = Text::new(reason.vi, reason.en);
                self.sink.translated(self.source, at, "reason", &text);
                if reason.basis.trim().is_empty() {
                    self.error(
                        at,
                        "missing-basis",
                        "Lý do phải có căn cứ pháp lý (basis).",
                        "A reason needs its legal basis (basis).",
                    );
                }
                if let (Some(about), Some(form)) = (&reason.about, form)
                    && form.field(about.get_ref()).is_none()
                    && form.paper(about.get_ref()).is_none()
                {
                    self.error(
                        about.span().start,
                        "unknown-name",
                        &format!("Không có câu hỏi hay giấy tờ “{}”.", about.get_ref()),
                        &format!("There is no field or paper “{}”.", about.get_ref()),
                    );
                }
                Reason {
                    id: reason.id.into_inner(),
                    text,
                    basis: reason.basis,
                    about: reason.about.map(Spanned::into_inner),
                }
            })
            .collect()
    }

    fn rules(&mut self, raw: &RawRules) -> Rules {
        let mut rules = Rules {
            max_reappointments: raw.max_reappointments,
            ..Rules::default()
        };
        if let Some(cutoff) = &raw.same_day_cutoff {
            let text = cutoff.get_ref().as_str();
            if text == "none" {
                rules.cutoff = None;
            } else if let (Ok(after), 5) = (text.parse::<Time>(), text.len()) {
                rules.cutoff = Some(Cutoff {
                    after,
                    ..rules.cutoff.unwrap_or_default()
                });
            } else {
                self.error(
                    cutoff.span().start,
                    "bad-value",
                    "same_day_cutoff là giờ, ví dụ \"15:00\", hoặc \"none\".",
                    "same_day_cutoff is a time such as \"15:00\", or \"none\".",
                );
            }
        }
        rules
    }

    fn deadlines(&mut self, raw: Vec<RawDeadline>, code: &str, form: Option<&Form>) -> Option<Vec<DeadlineCase>> {
        if raw.is_empty() {
            self.sink.whole(
                self.source.name,
                "missing-deadline",
                "Thủ tục phải có ít nhất một thời hạn ([[deadline]]).",
                "A procedure needs at least one time limit ([[deadline]]).",
            );
            return None;
        }
        let last = raw.len() - 1;
        let mut seen = BTreeSet::new();
        let mut cases = Vec::new();
        for (n, raw) in raw.into_iter().enumerate() {
            let at = raw.case.span().start;
            if (n == last) != raw.when.is_none() {
                self.error(
                    at,
                    "bad-deadline",
                    "Chỉ thời hạn cuối cùng không có điều kiện (when), và phải không có.",
                    "The last time limit, and only it, has no condition (when).",
                );
            }
            let case = raw.case.get_ref();
            let good = case.parse::<ProcedureCode>().is_ok()
                && case
                    .strip_prefix(code)
                    .is_some_and(|r| r.starts_with('.') || r.is_empty());
            if !good {
                self.error(
                    at,
                    "bad-code",
                    &format!("Mã trường hợp “{case}” phải có dạng {code}.01."),
                    &format!("The case code “{case}” must look like {code}.01."),
                );
            }
            if !seen.insert(case.clone()) {
                self.error(
                    at,
                    "duplicate-id",
                    &format!("Mã “{case}” đã dùng ở trên."),
                    &format!("The code “{case}” is already used above."),
                );
            }
            if raw.basis.trim().is_empty() {
                self.error(
                    at,
                    "missing-basis",
                    "Thời hạn phải có căn cứ pháp lý (basis).",
                    "A time limit needs its legal basis (basis).",
                );
            }
            let basis = Text::new(raw.basis.clone(), raw.basis);
            let budget = match budget(raw.budget.get_ref(), basis) {
                Some(budget) => budget,
                None => {
                    self.error(
                        raw.budget.span().start,
                        "bad-budget",
                        &format!(
                            "“{}” không phải thời hạn; ví dụ 1wd, 4wh, 12d, 8h, 2w, 1mo.",
                            raw.budget.get_ref()
                        ),
                        &format!(
                            "“{}” is no time limit; write 1wd, 4wh, 12d, 8h, 2w or 1mo.",
                            raw.budget.get_ref()
                        ),
                    );
                    continue;
                }
            };
            let when = match (&raw.when, form) {
                (Some(when), Some(form)) => condition(self.sink, self.source, when, form.types()),
                _ => None,
            };
            cases.push(DeadlineCase {
                name: self.both("deadline.name", raw.name),
                case: raw.case.into_inner(),
                when,
                budget,
            });
        }
        (!cases.is_empty()).then_some(cases)
    }
}

/// Reads `1wd`, `4wh`, `12d`, `8h`, `2w`, `1mo`, `1y`.
fn budget(text: &str, basis: Text) -> Option<Budget> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(split);
    let qty: u32 = digits.parse().ok()?;
    let (unit, most) = match unit {
        "wd" => (Unit::WorkingDay, 25_000),
        "wh" => (Unit::WorkingHour, 200_000),
        "d" => (Unit::Day, 36_500),
        "h" => (Unit::Hour, 876_000),
        "w" => (Unit::Week, 5_200),
        "mo" => (Unit::Month, 1_200),
        "y" => (Unit::Year, 100),
        _ => return None,
    };
    (qty <= most).then(|| Budget::new(qty, unit, basis))
}
