//! form.toml to [`Form`]: every finding at its place.

use std::collections::{BTreeSet, HashMap};

use base::{Text, codes::PaperCode};
use regex::RegexBuilder;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Claim, Context, Field, FieldSource, Form, Format, Page, Paper, PaperKind, Retention, Rule, Sensitivity,
    kind::{Choice, DateBound, Kind, Limits, Pattern},
};
use crate::{
    check::{Sink, Source},
    feel::{Expr, Types, distance},
};

const MAX_PAGES: usize = 60;
const MAX_FIELDS: usize = 500;
const MAX_OPTIONS: usize = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForm {
    page: Vec<RawPage>,
    #[serde(default)]
    paper: Vec<RawPaper>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPage {
    id: Spanned<String>,
    title: Both,
    help: Option<Both>,
    when: Option<Spanned<String>>,
    subject: Option<Spanned<String>>,
    #[serde(default)]
    field: Vec<RawField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    id: Spanned<String>,
    r#type: Spanned<String>,
    label: Both,
    hint: Option<Both>,
    required: Option<Spanned<Flag>>,
    when: Option<Spanned<String>>,
    options: Option<Spanned<Vec<RawOption>>>,
    min: Option<Spanned<Bound>>,
    max: Option<Spanned<Bound>>,
    decimals: Option<Spanned<u8>>,
    max_length: Option<Spanned<usize>>,
    pattern: Option<Spanned<String>>,
    pattern_help: Option<Both>,
    source: Option<Spanned<String>>,
    basis: Option<String>,
    sensitivity: Option<Sensitivity>,
    retention: Option<Retention>,
    exception_basis: Option<String>,
    autocomplete: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOption {
    value: Spanned<String>,
    vi: String,
    en: String,
    hint: Option<Both>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPaper {
    id: Spanned<String>,
    code: Option<Spanned<String>>,
    name: Both,
    hint: Option<Both>,
    kind: PaperKind,
    required: Option<Spanned<Flag>>,
    when: Option<Spanned<String>>,
    #[serde(default)]
    originals: u8,
    #[serde(default)]
    copies: u8,
    accept: Option<Vec<Format>>,
    max_mb: Option<u16>,
    max_pages: Option<u16>,
    basis: Option<String>,
}

/// A text that must be given in both languages; a third key is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Both {
    vi: String,
    #[serde(default)]
    en: String,
}

impl Both {
    pub(crate) fn text(self) -> Text {
        Text::new(self.vi, self.en)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Is(bool),
    When(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bound {
    Whole(i64),
    Decimal(f64),
    Text(String),
    Date(toml::value::Datetime),
}

#[derive(Deserialize)]
struct OnceOnly {
    held: Vec<Held>,
}

#[derive(Deserialize)]
struct Held {
    r#type: String,
    last: Option<String>,
    source: String,
}

/// Where the text of a string value begins, given the span of the value with its quotes.
pub(crate) fn inside(source: &Source<'_>, at: usize) -> usize {
    let rest = source.text.get(at..).unwrap_or("");
    let quotes = if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
        3
    } else {
        1
    };
    at + quotes
}

/// Compiles a condition; its flaws go to the sink.
pub(crate) fn condition(sink: &mut Sink, source: &Source<'_>, text: &Spanned<String>, types: &Types) -> Option<Expr> {
    match Expr::condition(text.get_ref(), types) {
        Ok(expr) => Some(expr),
        Err(flaws) => {
            sink.flaws(source, inside(source, text.span().start), flaws);
            None
        }
    }
}

impl Form {
    /// Compiles form.toml. `None` when nothing usable came out; findings are in the sink either way.
    pub(crate) fn load(sink: &mut Sink, source: &Source<'_>) -> Option<Self> {
        let raw: RawForm = sink.toml(source)?;
        let once_only: Vec<Held> =
            toml::from_str::<OnceOnly>(include_str!("once-only.toml")).map_or_else(|_| Vec::new(), |o| o.held);
        let count: usize = raw.page.iter().map(|p| p.field.len()).sum();
        if raw.page.is_empty() || raw.page.len() > MAX_PAGES || count > MAX_FIELDS || raw.paper.len() > MAX_PAGES {
            sink.whole(
                source.name,
                "too-large",
                format!(
                    "Tờ khai phải có từ 1 đến {MAX_PAGES} trang, tối đa {MAX_FIELDS} câu hỏi và {MAX_PAGES} giấy tờ."
                ),
                format!("A form has 1 to {MAX_PAGES} pages, at most {MAX_FIELDS} fields and {MAX_PAGES} papers."),
            );
            return None;
        }
        let mut loader = Loader {
            sink,
            source,
            types: Types::new(),
            all: raw
                .page
                .iter()
                .flat_map(|p| &p.field)
                .map(|f| f.id.get_ref().clone())
                .collect(),
            seen: BTreeSet::new(),
            once_only,
        };
        Context::declare(&mut loader.types);
        let pages: Vec<Page> = raw.page.into_iter().map(|page| loader.page(page)).collect();
        loader.prefixes();
        let mut ids = BTreeSet::new();
        for page in &pages {
            if !ids.insert(page.id.clone()) {
                loader.sink.whole(
                    source.name,
                    "duplicate-id",
                    format!("Hai trang cùng có mã “{}”.", page.id),
                    format!("Two pages have the id “{}”.", page.id),
                );
            }
        }
        let mut paper_ids = BTreeSet::new();
        let papers = raw
            .paper
            .into_iter()
            .map(|paper| loader.paper(paper, &mut paper_ids))
            .collect();
        let types = loader.types;
        let mut index = HashMap::new();
        let mut groups = BTreeSet::new();
        for (p, page) in pages.iter().enumerate() {
            for (f, field) in page.fields.iter().enumerate() {
                index.insert(field.id.clone(), (p, f));
                for (at, _) in field.id.match_indices('.') {
                    groups.insert(field.id[..at].to_owned());
                }
            }
        }
        Some(Self {
            pages,
            papers,
            types,
            index,
            groups,
        })
    }
}

struct Loader<'a, 'b> {
    sink: &'a mut Sink,
    source: &'a Source<'b>,
    /// Names declared so far: conditions only look back.
    types: Types,
    /// Every field id, to tell "comes later" from "does not exist".
    all: BTreeSet<String>,
    seen: BTreeSet<String>,
    once_only: Vec<Held>,
}

impl Loader<'_, '_> {
    fn error(&mut self, at: usize, code: &str, vi: impl Into<String>, en: impl Into<String>) {
        self.sink.error(self.source, at, code, vi, en);
    }

    fn both(&mut self, at: usize, what: &str, text: Both) -> Text {
        let text = text.text();
        self.sink.translated(self.source, at, what, &text);
        text
    }

    /// As [`condition`], and tells when a name exists but comes later.
    fn condition(&mut self, text: &Spanned<String>) -> Option<Expr> {
        self.expression(text, true)
    }

    fn expression(&mut self, text: &Spanned<String>, condition: bool) -> Option<Expr> {
        let parsed = if condition {
            Expr::condition(text.get_ref(), &self.types)
        } else {
            Expr::parse(text.get_ref(), &self.types)
        };
        match parsed {
            Ok(expr) => Some(expr),
            Err(mut flaws) => {
                for flaw in flaws.iter_mut().filter(|f| f.code == "unknown-name") {
                    let rest = text.get_ref().get(flaw.offset..).unwrap_or("");
                    let name: String = rest
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
                        .collect();
                    let later = !self.seen.contains(&name)
                        && self
                            .all
                            .iter()
                            .any(|id| *id == name || id.starts_with(&format!("{name}.")));
                    if later {
                        flaw.code = "looks-forward";
                        flaw.text = Text::new(
                            format!(
                                "“{name}” đứng ở đây hoặc phía sau; điều kiện chỉ được dùng các câu hỏi đứng trước."
                            ),
                            format!(
                                "“{name}” is this field or comes later; a condition may only use fields before it."
                            ),
                        );
                    }
                }
                let at = inside(self.source, text.span().start);
                self.sink.flaws(self.source, at, flaws);
                None
            }
        }
    }

    fn rule(&mut self, flag: Option<Spanned<Flag>>) -> Rule {
        let Some(flag) = flag else { return Rule::Always };
        let span = flag.span();
        match flag.into_inner() {
            Flag::Is(true) => Rule::Always,
            Flag::Is(false) => Rule::Never,
            Flag::When(text) => self
                .condition(&Spanned::new(span, text))
                .map_or(Rule::Always, Rule::When),
        }
    }

    fn page(&mut self, raw: RawPage) -> Page {
        let at = raw.id.span().start;
        let id = raw.id.into_inner();
        if !is_slug(&id) {
            self.error(
                at,
                "bad-id",
                format!("Mã trang “{id}” chỉ được gồm a-z, 0-9 và dấu gạch nối."),
                format!("The page id “{id}” may only hold a-z, 0-9 and hyphens."),
            );
        }
        let title = self.both(at, "title", raw.title);
        let help = raw.help.map(|help| self.both(at, "help", help));
        let when = raw.when.as_ref().and_then(|when| self.condition(when));
        let mut requester = false;
        if let Some(subject) = &raw.subject {
            match subject.get_ref().as_str() {
                "requester" => requester = true,
                "other" => {}
                other => self.error(
                    subject.span().start,
                    "bad-value",
                    format!("subject không nhận “{other}”; dùng requester hoặc other."),
                    format!("subject cannot be “{other}”; use requester or other."),
                ),
            }
        }
        if raw.field.is_empty() {
            self.error(
                at,
                "empty-page",
                format!("Trang “{id}” không có câu hỏi nào."),
                format!("The page “{id}” has no field."),
            );
        }
        let fields = raw
            .field
            .into_iter()
            .map(|field| self.field(field, requester))
            .collect();
        Page {
            id,
            title,
            help,
            when,
            fields,
        }
    }

    fn field(&mut self, raw: RawField, requester: bool) -> Field {
        let at = raw.id.span().start;
        let id = raw.id.get_ref().clone();
        self.id(&id, at);
        let when = raw.when.as_ref().and_then(|when| self.condition(when));
        let required = self.rule(raw.required);
        let label = self.both(at, "label", raw.label);
        let hint = raw.hint.map(|hint| self.both(at, "hint", hint));
        let settings = Settings {
            options: raw.options,
            min: raw.min,
            max: raw.max,
            decimals: raw.decimals,
            max_length: raw.max_length,
            pattern: raw.pattern,
            pattern_help: raw.pattern_help,
        };
        let kind = self.kind(&raw.r#type, at, settings);
        let source = self.source(raw.source.as_ref(), &id, at, &kind);
        let basis = raw.basis.unwrap_or_default();
        if basis.trim().is_empty() {
            self.error(
                at,
                "missing-basis",
                format!("“{id}” chưa có căn cứ pháp lý (basis)."),
                format!("“{id}” has no legal basis (basis)."),
            );
        }
        let sensitivity = raw.sensitivity.unwrap_or_else(|| {
            self.error(
                at,
                "missing-sensitivity",
                format!("“{id}” chưa có mức độ bảo mật (sensitivity)."),
                format!("“{id}” has no sensitivity."),
            );
            Sensitivity::Personal
        });
        if sensitivity < Sensitivity::Personal && kind.is_personal() {
            self.sink.warning(
                self.source,
                at,
                "low-sensitivity",
                format!("“{id}” là dữ liệu cá nhân nhưng ghi mức thấp hơn personal."),
                format!("“{id}” is personal data but its sensitivity is below personal."),
            );
        }
        let retention = raw.retention.unwrap_or_else(|| {
            self.error(
                at,
                "missing-retention",
                format!("“{id}” chưa có thời hạn lưu giữ (retention)."),
                format!("“{id}” has no retention."),
            );
            Retention::Permanent
        });
        let exception_basis = raw.exception_basis.filter(|b| !b.trim().is_empty());
        let requester = requester || id.starts_with("requester.");
        if requester && matches!(source, FieldSource::Asked) && exception_basis.is_none() {
            self.once_only(&id, at, &kind);
        }
        let autocomplete = raw.autocomplete.or_else(|| {
            let token = match kind {
                Kind::PersonName => "name",
                Kind::Phone => "tel",
                Kind::Email => "email",
                Kind::Date { .. } if id.ends_with(".birth_date") => "bday",
                _ => return Some("off".to_owned()).filter(|_| kind.is_personal()),
            };
            Some(if requester { token } else { "off" }.to_owned())
        });
        let feel = kind.feel();
        self.types.declare(&id, feel.clone());
        self.seen.insert(id.clone());
        Field {
            id,
            kind,
            label,
            hint,
            required,
            when,
            source,
            basis,
            sensitivity,
            retention,
            exception_basis,
            autocomplete,
            feel,
        }
    }

    fn id(&mut self, id: &str, at: usize) {
        const RESERVED: [&str; 6] = [
            "applicant",
            "channel",
            "today",
            "answers",
            "submitted_on",
            "deadline_case",
        ];
        const WORDS: [&str; 24] = [
            "for",
            "if",
            "then",
            "else",
            "in",
            "and",
            "or",
            "not",
            "some",
            "every",
            "return",
            "between",
            "instance",
            "of",
            "function",
            "external",
            "true",
            "false",
            "null",
            "satisfies",
            "list",
            "context",
            "range",
            "item",
        ];
        /// These are words of FEEL only where a name begins.
        const FIRST: [&str; 4] = ["date", "time", "number", "string"];
        let good = id.len() <= 80
            && id.split('.').count() <= 4
            && id.split('.').all(|part| {
                part.starts_with(|c: char| c.is_ascii_lowercase())
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            });
        if !good {
            return self.error(
                at,
                "bad-id",
                format!("Mã “{id}” phải gồm 1 đến 4 đoạn a-z, 0-9, _ nối bằng dấu chấm, mỗi đoạn bắt đầu bằng chữ."),
                format!(
                    "The id “{id}” must be 1 to 4 segments of a-z, 0-9, _ joined by dots, each starting with a letter."
                ),
            );
        }
        let first = id.split('.').next().unwrap_or(id);
        if let Some(word) = id
            .split('.')
            .find(|part| WORDS.contains(part))
            .or(Some(first).filter(|f| FIRST.contains(f)))
        {
            self.error(
                at,
                "reserved-id",
                format!("“{word}” là từ khóa của FEEL, không dùng trong mã được."),
                format!("“{word}” is a word of FEEL and cannot be part of an id."),
            );
        }
        if RESERVED.contains(&first) {
            self.error(
                at,
                "reserved-id",
                format!("Mã không được bắt đầu bằng “{first}”: tên này đã dành cho hệ thống."),
                format!("An id cannot begin with “{first}”: the name is reserved."),
            );
        }
        if self.seen.contains(id) {
            self.error(
                at,
                "duplicate-id",
                format!("Mã “{id}” đã dùng ở trên."),
                format!("The id “{id}” is already used above."),
            );
        }
    }

    /// An id must not be the beginning of another: its answer cannot be both a value and a group.
    fn prefixes(&mut self) {
        let clashes: Vec<String> = self
            .seen
            .iter()
            .filter(|id| {
                self.seen
                    .range(format!("{id}.")..)
                    .next()
                    .is_some_and(|next| next.starts_with(&format!("{id}.")))
            })
            .cloned()
            .collect();
        for id in clashes {
            self.sink.whole(
                self.source.name,
                "bad-id",
                format!("“{id}” vừa là một câu hỏi vừa là phần đầu của mã khác."),
                format!("“{id}” is both a field and the beginning of another id."),
            );
        }
    }

    fn once_only(&mut self, id: &str, at: usize, kind: &Kind) {
        let last = id.rsplit('.').next().unwrap_or(id);
        let held = self
            .once_only
            .iter()
            .find(|h| h.r#type == kind.name() && h.last.as_deref().is_none_or(|wanted| wanted == last))
            .map(|h| h.source.clone());
        if let Some(held) = held {
            self.sink.warning(
                self.source,
                at,
                "asked-again",
                format!("“{id}”: Nhà nước đã có thông tin này; dùng source = \"{held}\" hoặc nêu exception_basis."),
                format!("“{id}”: the state already holds this; use source = \"{held}\" or give an exception_basis."),
            );
        }
    }

    fn source(&mut self, raw: Option<&Spanned<String>>, id: &str, at: usize, kind: &Kind) -> FieldSource {
        let Some(raw) = raw else {
            self.error(
                at,
                "missing-source",
                format!("“{id}” chưa ghi nguồn của câu trả lời (source)."),
                format!("“{id}” does not say where the answer comes from (source)."),
            );
            return FieldSource::Asked;
        };
        let (text, at) = (raw.get_ref().trim(), raw.span().start);
        if text == "asked" {
            return FieldSource::Asked;
        }
        if let Some(claim) = text.strip_prefix("eid:") {
            let (claim, fits) = match claim {
                "name" => (Claim::Name, matches!(kind, Kind::PersonName | Kind::Text { .. })),
                "person-number" => (Claim::PersonNumber, matches!(kind, Kind::PersonNumber)),
                "birth-date" => (Claim::BirthDate, matches!(kind, Kind::Date { .. } | Kind::PartialDate)),
                "sex" => (Claim::Sex, matches!(kind, Kind::Sex)),
                "phone" => (Claim::Phone, matches!(kind, Kind::Phone)),
                "email" => (Claim::Email, matches!(kind, Kind::Email)),
                other => {
                    self.error(
                        at,
                        "bad-source",
                        format!("Định danh điện tử không có thông tin “{other}”."),
                        format!("The e-ID has no claim “{other}”."),
                    );
                    return FieldSource::Asked;
                }
            };
            if !fits {
                self.error(
                    at,
                    "bad-source",
                    format!(
                        "Kiểu {} không nhận được thông tin này của định danh điện tử.",
                        kind.name()
                    ),
                    format!("The type {} cannot take this claim of the e-ID.", kind.name()),
                );
            }
            return FieldSource::Eid(claim);
        }
        if let Some(attribute) = text.strip_prefix("registry:") {
            let good = attribute.split_once('.').is_some_and(|(a, b)| is_slug(a) && is_slug(b));
            if !good {
                self.error(
                    at,
                    "bad-source",
                    "Nguồn từ cơ sở dữ liệu viết là registry:tên.thuộc-tính.".to_owned(),
                    "A registry source is written registry:name.attribute.".to_owned(),
                );
            }
            return FieldSource::Registry(attribute.to_owned());
        }
        if let Some(expression) = text.strip_prefix("derived:") {
            let text = Spanned::new(raw.span(), expression.trim().to_owned());
            if let Some(expr) = self.expression(&text, false) {
                if !expr.ty().fits(&kind.feel()) {
                    self.error(
                        at,
                        "type",
                        format!(
                            "Biểu thức cho {}, không hợp với kiểu {}.",
                            expr.ty().name(base::Lang::Vi),
                            kind.name()
                        ),
                        format!(
                            "The expression gives {}, which does not fit the type {}.",
                            expr.ty().name(base::Lang::En),
                            kind.name()
                        ),
                    );
                }
                return FieldSource::Derived(expr);
            }
            return FieldSource::Asked;
        }
        self.error(
            at,
            "bad-source",
            format!("Không hiểu nguồn “{text}”; dùng asked, eid:…, registry:… hoặc derived: …"),
            format!("Unknown source “{text}”; use asked, eid:…, registry:… or derived: …"),
        );
        FieldSource::Asked
    }

    fn paper(&mut self, raw: RawPaper, ids: &mut BTreeSet<String>) -> Paper {
        let at = raw.id.span().start;
        let id = raw.id.into_inner();
        if !is_slug(&id) {
            self.error(
                at,
                "bad-id",
                format!("Mã giấy tờ “{id}” chỉ được gồm a-z, 0-9 và dấu gạch nối."),
                format!("The paper id “{id}” may only hold a-z, 0-9 and hyphens."),
            );
        }
        if !ids.insert(id.clone()) {
            self.error(
                at,
                "duplicate-id",
                format!("Mã giấy tờ “{id}” đã dùng ở trên."),
                format!("The paper id “{id}” is already used above."),
            );
        }
        if let Some(code) = &raw.code
            && let Err(error) = code.get_ref().parse::<PaperCode>()
        {
            let text = error.text().clone();
            self.error(code.span().start, "bad-code", text.vi, text.en);
        }
        let basis = raw.basis.unwrap_or_default();
        if basis.trim().is_empty() {
            self.error(
                at,
                "missing-basis",
                format!("Giấy tờ “{id}” chưa có căn cứ pháp lý (basis)."),
                format!("The paper “{id}” has no legal basis (basis)."),
            );
        }
        let max_mb = raw.max_mb.unwrap_or(20);
        let max_pages = raw.max_pages.unwrap_or(50);
        if !(1..=100).contains(&max_mb) || !(1..=2_000).contains(&max_pages) {
            self.error(
                at,
                "bad-value",
                "max_mb từ 1 đến 100; max_pages từ 1 đến 2000.".to_owned(),
                "max_mb is 1 to 100; max_pages is 1 to 2000.".to_owned(),
            );
        }
        let name = self.both(at, "name", raw.name);
        let hint = raw.hint.map(|hint| self.both(at, "hint", hint));
        let when = raw.when.as_ref().and_then(|when| self.condition(when));
        Paper {
            code: raw.code.map(Spanned::into_inner),
            name,
            hint,
            kind: raw.kind,
            required: self.rule(raw.required),
            when,
            originals: raw.originals,
            copies: raw.copies,
            accept: raw
                .accept
                .filter(|a| !a.is_empty())
                .unwrap_or_else(|| Format::ALL.to_vec()),
            max_mb,
            max_pages,
            basis,
            id,
        }
    }

    fn kind(&mut self, name: &Spanned<String>, at: usize, mut s: Settings) -> Kind {
        let kind = match name.get_ref().as_str() {
            "text" => {
                let pattern = self.pattern(&mut s);
                Kind::Text {
                    max_length: self.length(&mut s, 200),
                    pattern,
                }
            }
            "long-text" => Kind::LongText {
                max_length: self.length(&mut s, 2_000),
            },
            "person-name" => Kind::PersonName,
            "person-number" => Kind::PersonNumber,
            "id-document" => Kind::IdDocument,
            "date" => Kind::Date {
                min: self.date(s.min.take()),
                max: self.date(s.max.take()),
            },
            "partial-date" => Kind::PartialDate,
            "sex" => Kind::Sex,
            "ethnicity" => Kind::Ethnicity,
            "nationality" => Kind::Nationality,
            "address" => Kind::Address,
            "commune" => Kind::Commune,
            "phone" => Kind::Phone,
            "email" => Kind::Email,
            "integer" => Kind::Integer(self.limits(&mut s, None)),
            "decimal" => Kind::Decimal(self.limits(&mut s, Some(2))),
            "money" => Kind::Money(self.limits(&mut s, None)),
            "area-m2" => Kind::Area(self.limits(&mut s, Some(2))),
            "yes-no" => Kind::YesNo,
            "choice" => Kind::Choice(self.options(&mut s, at)),
            "choices" => {
                let options = self.options(&mut s, at);
                let limits = self.limits(&mut s, None);
                let count = |n: Option<f64>| n.filter(|n| *n >= 0.0).map(|n| n as usize);
                Kind::Choices {
                    min: count(limits.min).unwrap_or(0),
                    max: count(limits.max).unwrap_or(options.len()),
                    options,
                }
            }
            "tax-code" => Kind::TaxCode,
            "procedure-result-ref" => Kind::ResultRef {
                max_length: self.length(&mut s, 100),
            },
            "land-parcel" => Kind::LandParcel,
            "agency" => Kind::Agency,
            "declaration" => Kind::Declaration,
            other => {
                let near = Kind::NAMES
                    .iter()
                    .min_by_key(|n| distance(other, n))
                    .copied()
                    .unwrap_or("text");
                self.error(
                    name.span().start,
                    "bad-type",
                    format!("Không có kiểu “{other}”. Có phải ý là “{near}”?"),
                    format!("There is no type “{other}”. Did you mean “{near}”?"),
                );
                return Kind::Text {
                    max_length: 200,
                    pattern: None,
                };
            }
        };
        for (place, key) in s.left() {
            self.error(
                place,
                "unknown-key",
                format!("Kiểu {} không dùng khóa {key}.", kind.name()),
                format!("The type {} does not use the key {key}.", kind.name()),
            );
        }
        kind
    }

    fn length(&mut self, s: &mut Settings, default: usize) -> usize {
        let Some(length) = s.max_length.take() else {
            return default;
        };
        if !(1..=20_000).contains(length.get_ref()) {
            self.error(
                length.span().start,
                "bad-value",
                "max_length từ 1 đến 20000.".to_owned(),
                "max_length is 1 to 20000.".to_owned(),
            );
        }
        length.into_inner()
    }

    fn pattern(&mut self, s: &mut Settings) -> Option<Pattern> {
        let raw = s.pattern.take()?;
        let at = raw.span().start;
        let text = raw.into_inner();
        let help = s.pattern_help.take().map(Both::text).unwrap_or_default();
        self.sink.translated(self.source, at, "pattern_help", &help);
        let anchored = format!("^(?:{text})$");
        match RegexBuilder::new(&anchored)
            .size_limit(1 << 18)
            .dfa_size_limit(1 << 20)
            .nest_limit(20)
            .build()
        {
            Ok(regex) => Some(Pattern { regex, text, help }),
            Err(_) => {
                self.error(
                    at,
                    "bad-pattern",
                    "Mẫu (pattern) không đúng hoặc quá lớn.".to_owned(),
                    "The pattern is not a valid regular expression or is too large.".to_owned(),
                );
                None
            }
        }
    }

    fn date(&mut self, bound: Option<Spanned<Bound>>) -> Option<DateBound> {
        let bound = bound?;
        let at = bound.span().start;
        let text = match bound.into_inner() {
            Bound::Text(text) => text,
            Bound::Date(date) => date.to_string(),
            Bound::Whole(n) => n.to_string(),
            Bound::Decimal(n) => n.to_string(),
        };
        let parsed = DateBound::parse(&text);
        if parsed.is_none() {
            self.error(
                at,
                "bad-value",
                format!("“{text}” không phải là ngày; dùng 2026-11-21, today, today-18y, today+30d."),
                format!("“{text}” is no date; use 2026-11-21, today, today-18y, today+30d."),
            );
        }
        parsed
    }

    fn limits(&mut self, s: &mut Settings, decimals: Option<u8>) -> Limits {
        let mut limits = Limits {
            min: self.number(s.min.take()),
            max: self.number(s.max.take()),
            decimals: 0,
        };
        if let Some(default) = decimals {
            let given = s.decimals.take();
            if let Some(given) = &given
                && *given.get_ref() > 6
            {
                self.error(
                    given.span().start,
                    "bad-value",
                    "decimals từ 0 đến 6.".to_owned(),
                    "decimals is 0 to 6.".to_owned(),
                );
            }
            limits.decimals = given.map_or(default, Spanned::into_inner).min(6);
        }
        limits
    }

    fn number(&mut self, bound: Option<Spanned<Bound>>) -> Option<f64> {
        let bound = bound?;
        let at = bound.span().start;
        match bound.into_inner() {
            Bound::Whole(n) => Some(n as f64),
            Bound::Decimal(n) if n.is_finite() => Some(n),
            _ => {
                self.error(
                    at,
                    "bad-value",
                    "Ở đây cần một số.".to_owned(),
                    "A number is needed here.".to_owned(),
                );
                None
            }
        }
    }

    fn options(&mut self, s: &mut Settings, at: usize) -> Vec<Choice> {
        let raw = s.options.take();
        let count = raw.as_ref().map_or(0, |o| o.get_ref().len());
        if !(2..=MAX_OPTIONS).contains(&count) {
            self.error(
                at,
                "bad-options",
                format!("Cần từ 2 đến {MAX_OPTIONS} lựa chọn (options)."),
                format!("2 to {MAX_OPTIONS} options are needed."),
            );
        }
        let mut values = BTreeSet::new();
        let mut options = Vec::new();
        for raw in raw
            .map(Spanned::into_inner)
            .unwrap_or_default()
            .into_iter()
            .take(MAX_OPTIONS)
        {
            let at = raw.value.span().start;
            let value = raw.value.into_inner();
            if !is_slug(&value) {
                self.error(
                    at,
                    "bad-options",
                    format!("Giá trị “{value}” chỉ được gồm a-z, 0-9 và dấu gạch nối."),
                    format!("The value “{value}” may only hold a-z, 0-9 and hyphens."),
                );
            }
            if !values.insert(value.clone()) {
                self.error(
                    at,
                    "duplicate-id",
                    format!("Lựa chọn “{value}” có hai lần."),
                    format!("The option “{value}” is there twice."),
                );
            }
            let label = self.both(at, "options", Both { vi: raw.vi, en: raw.en });
            let hint = raw.hint.map(|hint| self.both(at, "hint", hint));
            options.push(Choice { value, label, hint });
        }
        options
    }
}

/// The keys that only some types use.
struct Settings {
    options: Option<Spanned<Vec<RawOption>>>,
    min: Option<Spanned<Bound>>,
    max: Option<Spanned<Bound>>,
    decimals: Option<Spanned<u8>>,
    max_length: Option<Spanned<usize>>,
    pattern: Option<Spanned<String>>,
    pattern_help: Option<Both>,
}

impl Settings {
    /// What the type did not take.
    fn left(&self) -> Vec<(usize, &'static str)> {
        fn at<T>(value: &Option<Spanned<T>>, key: &'static str) -> Option<(usize, &'static str)> {
            value.as_ref().map(|v| (v.span().start, key))
        }
        [
            at(&self.options, "options"),
            at(&self.min, "min"),
            at(&self.max, "max"),
            at(&self.decimals, "decimals"),
            at(&self.max_length, "max_length"),
            at(&self.pattern, "pattern"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// `a-z`, `0-9` and inner hyphens.
pub(crate) fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 60
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}
