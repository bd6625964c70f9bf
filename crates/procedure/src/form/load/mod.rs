//! form.toml to [`Form`]: every finding at its place.
//!
//! One walk from the first page to the last; [`Loader`] knows the names declared so far, so that a condition only looks back.

mod field;
mod kind;
mod paper;
mod raw;
mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::Text;
use toml::Spanned;

pub(crate) use self::raw::Both;
use self::raw::{Flag, RawForm, RawPage};
use super::{Context, Form, Page, Rule, Whose};
use crate::{
    check::{Sink, Source},
    feel::{Expr, MAX_FILE_WORK, Types},
};

const MAX_PAGES: usize = 60;
const MAX_FIELDS: usize = 500;

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
            tells_whom: BTreeSet::new(),
            enterprises: BTreeSet::new(),
            people: BTreeSet::new(),
            numbers: numbers(&raw),
            work: 0,
            uses: BTreeSet::new(),
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
        if loader.work > MAX_FILE_WORK {
            let work = loader.work;
            loader.sink.whole(
                source.name,
                "too-costly",
                format!("Các biểu thức của tờ khai cộng lại có thể phải tính quá nhiều (ước tính {work} bước; tối đa {MAX_FILE_WORK})."),
                format!("The expressions of the form may take too much work together (estimated {work} steps; at most {MAX_FILE_WORK})."),
            );
            return None;
        }
        let types = loader.types;
        let reads = types.only(&loader.uses);
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
            reads,
            index,
            groups,
        })
    }
}

/// By whose number registries can be asked: a person's that the e-ID or a registry tells, an enterprise's in any case. Wherever in the form it
/// stands: a form that asks for the rest first has its fields in the wrong order.
fn numbers(raw: &RawForm) -> BTreeMap<String, (String, Whose)> {
    let mut numbers = BTreeMap::new();
    for field in raw.page.iter().flat_map(|page| &page.field) {
        let source = field.source.as_ref().map_or("", |source| source.get_ref().trim());
        let whose = match field.r#type.get_ref().as_str() {
            "person-number" if source == "eid:person-number" || source.starts_with("registry:") => Whose::Person,
            "tax-code" => Whose::Organisation,
            _ => continue,
        };
        let id = field.id.get_ref();
        let group = id.rsplit_once('.').map_or("", |(group, _)| group);
        numbers.insert(group.to_owned(), (id.clone(), whose));
    }
    numbers
}

struct Loader<'a, 'b> {
    sink: &'a mut Sink,
    source: &'a Source<'b>,
    /// Names declared so far: conditions only look back.
    types: Types,
    /// Every field id, to tell "comes later" from "does not exist".
    all: BTreeSet<String>,
    seen: BTreeSet<String>,
    /// Fields with the number of a person that nobody typed: registries may be asked about them.
    tells_whom: BTreeSet<String>,
    /// Fields with the code of an enterprise.
    enterprises: BTreeSet<String>,
    /// Fields that hold people.
    people: BTreeSet<String>,
    /// By the beginning of their ids, the fields by whose number a registry can be asked about the others that begin so.
    numbers: BTreeMap<String, (String, Whose)>,
    /// What all expressions may cost together: a walk over the form evaluates each.
    work: u64,
    /// The names that expressions read.
    uses: BTreeSet<String>,
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
            Ok(expr) => {
                self.work = self.work.saturating_add(expr.work());
                self.uses.extend(expr.uses().iter().cloned());
                Some(expr)
            }
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
