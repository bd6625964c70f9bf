//! What is asked, what is answered, what is left: recomputed from the answers, never stored.

use std::collections::BTreeMap;

use base::Problems;
use serde_json::{Map, Value};

use super::{Answers, Attribute, Context, Field, FieldSource, Form, Kind, Rule, Standing, judge};
use crate::feel::{Data, Types};

/// How far a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Every question that must be answered is, and well.
    Complete,
    /// Something is missing.
    Incomplete,
    /// An answer is wrong.
    Error,
}

/// Where the answer of a field comes from in this journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Typed by the person.
    Asked,
    /// The e-ID told; shown, not typed.
    Eid,
    /// A registry told; shown, not typed.
    Registry,
    /// A registry holds something else than the person says is right: typed, for an officer to judge.
    Doubted,
    /// Would come from a registry, which holds nothing: typed.
    NotHeld,
    /// Would come from a registry, which has not answered: typed, to be verified.
    ToVerify,
    /// Computed.
    Derived,
}

impl Origin {
    /// Whether the person cannot change the answer here.
    pub const fn fixed(self) -> bool {
        matches!(self, Self::Eid | Self::Registry | Self::Derived)
    }
}

/// A page that is shown.
#[derive(Debug, Clone)]
pub struct PageState {
    /// Its place in [`Form::pages`].
    pub page: usize,
    /// How far it is.
    pub status: Status,
    /// Its fields that are asked, in order.
    pub fields: Vec<FieldState>,
}

/// A field that is asked.
#[derive(Debug, Clone)]
pub struct FieldState {
    /// Its place in [`super::Page::fields`].
    pub field: usize,
    /// Whether it must be answered.
    pub required: bool,
    /// Where its answer comes from.
    pub origin: Origin,
}

/// A paper that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaperNeed {
    /// Its place in [`Form::papers`].
    pub paper: usize,
    /// Whether the dossier is incomplete without it.
    pub required: bool,
}

/// The way through a form with the answers of the moment.
#[derive(Debug, Clone)]
pub struct Journey {
    /// The pages that are shown, in order.
    pub pages: Vec<PageState>,
    /// The answers that count: those of fields that are shown, with what the e-ID, registries and formulas give.
    pub answers: Answers,
    /// The papers that are asked for.
    pub papers: Vec<PaperNeed>,
    /// Everything that keeps the form from being complete, each at its field id.
    pub problems: Problems,
}

impl Journey {
    /// The shown page of that place in the form.
    pub fn page(&self, page: usize) -> Option<&PageState> {
        self.pages.iter().find(|p| p.page == page)
    }

    /// The page after `page` (a place in the form); `None` after the last: time to check the answers.
    pub fn after(&self, page: usize) -> Option<usize> {
        self.pages.iter().map(|p| p.page).find(|p| *p > page)
    }

    /// The page before `page`.
    pub fn before(&self, page: usize) -> Option<usize> {
        self.pages.iter().rev().map(|p| p.page).find(|p| *p < page)
    }

    /// The first page that is not complete: where a person who comes back goes on.
    pub fn first_open(&self) -> Option<usize> {
        self.pages.iter().find(|p| p.status != Status::Complete).map(|p| p.page)
    }

    /// Whether every page is complete.
    pub fn is_complete(&self) -> bool {
        self.pages.iter().all(|p| p.status == Status::Complete)
    }
}

/// One walk over the form: conditions see what came before.
pub(super) struct Walk<'a> {
    pub ctx: &'a Context<'a>,
    pub data: Data,
    reads: &'a Types,
    /// The people whom registries told of, by field.
    people: BTreeMap<String, Value>,
}

impl<'a> Walk<'a> {
    pub fn new(form: &'a Form, ctx: &'a Context<'a>) -> Self {
        Self {
            ctx,
            data: Data::new(&form.reads, &ctx.ambient()),
            reads: &form.reads,
            people: BTreeMap::new(),
        }
    }

    pub fn shown(&self, when: Option<&crate::feel::Expr>) -> bool {
        when.is_none_or(|when| when.holds(&self.data))
    }

    pub fn required(&self, rule: &Rule) -> bool {
        match rule {
            Rule::Always => true,
            Rule::Never => false,
            Rule::When(when) => when.holds(&self.data),
        }
    }

    /// The answer that counts for a field, given what the draft holds.
    pub fn answer(&self, field: &Field, given: Option<&Value>) -> (Option<Value>, Origin) {
        match &field.source {
            FieldSource::Asked => (given.cloned(), Origin::Asked),
            FieldSource::Eid(claim) => match self.ctx.applicant.claim(*claim) {
                Some(value) => (Some(value), Origin::Eid),
                None => (given.cloned(), Origin::Asked),
            },
            FieldSource::Registry(attribute) => match self.ctx.facts.standing(attribute) {
                Standing::Known(value) => (Some(value.clone()), Origin::Registry),
                Standing::Doubted(_) => (given.cloned(), Origin::Doubted),
                Standing::Nothing => (given.cloned(), Origin::NotHeld),
                Standing::Silent => (given.cloned(), Origin::ToVerify),
            },
            FieldSource::Derived(expr) => (Some(expr.eval(&self.data)).filter(|v| !v.is_null()), Origin::Derived),
        }
    }

    /// The people whom a field told of.
    pub fn people(&self, field: &str) -> Option<&Value> {
        self.people.get(field)
    }

    /// What is wrong with an answer, beside those before it.
    pub fn judge(&self, field: &Field, value: &Value, problems: &mut Problems) {
        judge::value(&field.kind, value, &field.id, &field.label, self.ctx, problems);
        if let Kind::PeopleOf(of) = &field.kind
            && problems.is_empty()
        {
            judge::among(value, self.people(of), &field.id, problems);
        }
    }

    /// Lets what follows see an answer, where it looks at it.
    pub fn keep(&mut self, field: &Field, value: &Value) {
        if matches!(field.kind, Kind::People) {
            self.people.insert(field.id.clone(), value.clone());
        }
        if self.reads.get(&field.id).is_some() {
            self.data.set(&field.id, value, &field.feel);
        }
    }
}

impl Form {
    /// The way through the form with these answers.
    pub fn journey(&self, answers: &Answers, ctx: &Context<'_>) -> Journey {
        let mut walk = Walk::new(self, ctx);
        let mut journey = Journey {
            pages: Vec::new(),
            answers: Answers::new(),
            papers: Vec::new(),
            problems: Problems::new(),
        };
        for (p, page) in self.pages.iter().enumerate() {
            if !walk.shown(page.when.as_ref()) {
                continue;
            }
            let mut status = Status::Complete;
            let mut fields = Vec::new();
            for (f, field) in page.fields.iter().enumerate() {
                if !walk.shown(field.when.as_ref()) {
                    continue;
                }
                let required = walk.required(&field.required);
                let (value, origin) = walk.answer(field, answers.get(&field.id));
                match value {
                    Some(value) => {
                        let mut problems = Problems::new();
                        walk.judge(field, &value, &mut problems);
                        if !problems.is_empty() {
                            status = Status::Error;
                            journey.problems.extend(problems);
                        }
                        walk.keep(field, &value);
                        journey.answers.set(&field.id, value);
                    }
                    None if required && origin != Origin::Derived => {
                        if status == Status::Complete {
                            status = Status::Incomplete;
                        }
                        judge::missing(&field.kind, &field.id, &field.label, &mut journey.problems);
                    }
                    None => {}
                }
                fields.push(FieldState {
                    field: f,
                    required,
                    origin,
                });
            }
            if !fields.is_empty() {
                journey.pages.push(PageState {
                    page: p,
                    status,
                    fields,
                });
            }
        }
        for (paper, needed) in self.papers.iter().enumerate() {
            if walk.shown(needed.when.as_ref()) {
                journey.papers.push(PaperNeed {
                    paper,
                    required: walk.required(&needed.required),
                });
            }
        }
        journey
    }

    /// Judges answers that came through the API: everything that the pages would have refused, and keys that the form
    /// does not have. Each problem is at its field id. Answers of fields that are not shown are left aside.
    pub fn validate(&self, answers: &Answers, ctx: &Context<'_>) -> Problems {
        let mut problems = self.unknown(answers);
        problems.extend(self.journey(answers, ctx).problems);
        problems
    }

    /// Keys that are no field of this form.
    pub fn unknown(&self, answers: &Answers) -> Problems {
        fn walk(form: &Form, prefix: &str, map: &Map<String, Value>, found: &mut BTreeMap<String, bool>) {
            for (key, value) in map {
                if found.len() >= 100 {
                    return;
                }
                let id = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                if form.index.contains_key(&id) {
                    continue;
                }
                if !form.groups.contains(&id) {
                    found.insert(id, false);
                } else if let Value::Object(inner) = value {
                    walk(form, &id, inner, found);
                } else if !value.is_null() {
                    found.insert(id, true);
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self, "", answers.as_map(), &mut found);
        let mut problems = Problems::new();
        for (id, group) in found {
            let short: String = id.chars().take(120).collect();
            if group {
                problems.add(
                    "not-an-object",
                    short,
                    "Ở đây phải là một nhóm thông tin (đối tượng JSON).",
                    "This must be a group of answers (a JSON object).",
                );
            } else {
                problems.add(
                    "unknown-field",
                    short,
                    "Tờ khai không có thông tin này.",
                    "The form has no such field.",
                );
            }
        }
        problems
    }

    /// The answers that a new draft begins with: what the e-ID and registries already tell.
    pub fn prefill(&self, ctx: &Context<'_>) -> Answers {
        let mut answers = Answers::new();
        for field in self.fields() {
            let known = match &field.source {
                FieldSource::Eid(claim) => ctx.applicant.claim(*claim),
                FieldSource::Registry(attribute) => ctx.facts.known(attribute).cloned(),
                FieldSource::Asked | FieldSource::Derived(_) => None,
            };
            if let Some(value) = known {
                answers.set(&field.id, value);
            }
        }
        answers
    }

    /// The fields of a journey that registries are asked for: no others, so that nobody's data are read for a question that is
    /// not put.
    pub fn registry_fields<'a>(&'a self, journey: &'a Journey) -> impl Iterator<Item = (&'a Field, &'a Attribute)> {
        let shown = journey.pages.iter().flat_map(|state| {
            let page = self.pages.get(state.page);
            state.fields.iter().filter_map(move |f| page?.fields.get(f.field))
        });
        shown.filter_map(|field| match &field.source {
            FieldSource::Registry(attribute) => Some((field, attribute)),
            _ => None,
        })
    }

    /// The fields that an attribute answers, shown or not.
    pub fn asked_by<'a>(&'a self, attribute: &'a Attribute) -> impl Iterator<Item = &'a Field> {
        self.fields()
            .filter(move |field| matches!(&field.source, FieldSource::Registry(asked) if asked == attribute))
    }

    /// Whether what a registry says can be the answer of a field. What cannot is as good as no answer: the person could not mend it.
    pub fn takes(field: &Field, value: &Value, ctx: &Context<'_>) -> bool {
        let mut problems = Problems::new();
        judge::value(&field.kind, value, &field.id, &field.label, ctx, &mut problems);
        problems.is_empty()
    }

    /// The condition under which a field is shown, in words of the form: “Quan hệ: Cha hoặc mẹ”. `None` when it is always shown.
    pub fn why_shown(&self, id: &str, lang: base::Lang) -> Option<String> {
        let (page, field) = *self.index.get(id)?;
        let page = self.pages.get(page)?;
        let conditions = [page.when.as_ref(), page.fields.get(field)?.when.as_ref()];
        let mut labels: Vec<&str> = conditions
            .into_iter()
            .flatten()
            .flat_map(|expr| expr.uses())
            .filter_map(|name| self.field(name))
            .map(|field| field.label.get(lang))
            .collect();
        labels.dedup();
        if labels.is_empty() {
            return None;
        }
        let list = labels.iter().map(|l| format!("“{l}”")).collect::<Vec<_>>().join(", ");
        Some(match lang {
            base::Lang::Vi => format!("Câu hỏi này được đưa ra căn cứ vào câu trả lời cho {list}."),
            base::Lang::En => format!("This is asked because of the answer to {list}."),
        })
    }
}
