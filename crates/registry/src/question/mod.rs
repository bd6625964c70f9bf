//! Approved questions: what no agency can answer alone, asked of the registries of several, of which only the answer is told.
//!
//! A question is a folder with one file, `question.toml` (docs/questions.md): who answers for it, the only purpose for which it may be
//! asked and by which law, what is put in, which facts it asks of which registry, and the answer in FEEL over them. [`service`] asks and
//! answers, [`offered`] is the service behind the exchange.

pub mod api;
pub mod offered;
pub mod pages;
pub mod runs;
pub mod service;
pub(crate) mod store;

use std::path::Path;

use base::{Text, codes::AgencyCode};
use exchange::model::Purpose;
use procedure::{
    feel::{Expr, Type, Types},
    form::Attribute,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    check::{Report, Sink},
    folder,
    model::{Basis, FieldPath, Identifier, Name},
};

/// The only file of a folder.
pub const FILE: &str = "question.toml";
/// Names that nothing of a question may have: the two times stand beside what is put in.
const RESERVED: [&str; 3] = ["today", "as_of", "known_at"];
/// The most facts that one question asks.
const MOST_FACTS: usize = 20;

/// An approved question, judged.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its code, which is the name of its folder.
    pub code: Name,
    /// The version of the folder, from 1.
    pub version: u32,
    /// SHA-256 in hex of the file.
    pub hash: String,
    /// What is asked.
    pub name: Text,
    /// What is told, and what is not.
    pub summary: Text,
    /// The agency that answers for it, and whose auditors see on what an answer rests.
    pub owner: AgencyCode,
    /// The only purpose for which it is answered.
    pub purpose: Purpose,
    /// The laws; at least one.
    pub basis: Vec<Basis>,
    /// What is put in; at least one.
    pub inputs: Vec<Input>,
    /// What is asked of registries; at least one.
    pub facts: Vec<Fact>,
    answer: Answer,
}

/// What is put in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name under which facts and the answer know it.
    pub id: FieldPath,
    /// The rule by which it is judged: `person-number` or `tax-code`.
    pub identifier: Identifier,
    /// What to call it.
    pub name: Text,
}

/// What is asked of a registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The name under which later facts and the answer know it.
    pub id: FieldPath,
    /// `registry.attribute`, as the registry's `attributes.toml` has it.
    pub ask: Attribute,
    /// About whom: an input, or an earlier fact that is a number.
    pub of: FieldPath,
    /// What that fact's number is; an input says it itself.
    #[serde(default)]
    pub about: Option<NumberOf>,
}

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberOf {
    /// A personal number.
    Person,
    /// A tax code.
    Organisation,
}

/// What is told.
#[derive(Debug, Clone)]
struct Answer {
    kind: AnswerKind,
    value: Expr,
}

/// The sort of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// True or false.
    YesNo,
    /// A number.
    Number,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    code: Name,
    version: u32,
    name: Text,
    summary: Text,
    owner: AgencyCode,
    purpose: Purpose,
    basis: Vec<Basis>,
    input: Vec<Input>,
    fact: Vec<Fact>,
    answer: RawAnswer,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer {
    kind: AnswerKind,
    value: String,
}

/// Judges the question in a folder: every finding at once.
pub fn check(folder: &Path) -> (Option<Question>, Report) {
    let mut sink = Sink::default();
    let text = folder::text(&folder.join(FILE), FILE, &mut sink);
    let question = text.and_then(|text| compile(&text, &mut sink));
    let name = folder.canonicalize().ok();
    if let (Some(question), Some(name)) = (&question, name.as_deref().and_then(Path::file_name))
        && name.to_string_lossy() != question.code.as_str()
    {
        sink.error(
            FILE,
            "code",
            "folder-name-differs",
            format!("Thư mục phải mang tên của mã: “{}”.", question.code),
            format!("The folder has to bear the name of the code: “{}”.", question.code),
        );
    }
    let failed = sink.any_error();
    (question.filter(|_| !failed), sink.report())
}

fn compile(text: &str, sink: &mut Sink) -> Option<Question> {
    let raw: RawQuestion = sink.toml(FILE, text)?;
    if raw.version == 0 {
        sink.error(
            FILE,
            "version",
            "version-zero",
            "Phiên bản bắt đầu từ 1.",
            "Versions begin at 1.",
        );
    }
    for (at, text) in [("name", &raw.name), ("summary", &raw.summary)] {
        sink.translated(FILE, at, text);
    }
    for (at, is_empty) in [
        ("basis", raw.basis.is_empty()),
        ("input", raw.input.is_empty()),
        ("fact", raw.fact.is_empty()),
    ] {
        if is_empty {
            sink.error(
                FILE,
                at,
                "nothing-named",
                "Phải nêu ít nhất một mục.",
                "At least one has to be named.",
            );
        }
    }
    if raw.fact.len() > MOST_FACTS {
        sink.error(
            FILE,
            "fact",
            "too-many",
            format!("Một câu hỏi dùng tối đa {MOST_FACTS} dữ kiện."),
            format!("A question asks at most {MOST_FACTS} facts."),
        );
    }
    let types = judge_names(&raw, sink);
    let answer = match Expr::parse(&raw.answer.value, &types) {
        Ok(value) => Answer {
            kind: raw.answer.kind,
            value,
        },
        Err(flaws) => {
            sink.flaws(FILE, "answer.value", flaws);
            return None;
        }
    };
    for (n, fact) in raw.fact.iter().enumerate() {
        let feeds = raw.fact.iter().any(|later| later.of == fact.id);
        if !feeds && !answer.value.uses().iter().any(|name| name == fact.id.as_str()) {
            sink.error(
                FILE,
                format!("fact[{n}]"),
                "fact-unused",
                format!("“{}” không dùng đến; không được hỏi dữ liệu thừa.", fact.id),
                format!("“{}” is not used; nothing is asked that is not needed.", fact.id),
            );
        }
    }
    Some(Question {
        hash: hex::encode(Sha256::digest(text)),
        code: raw.code,
        version: raw.version,
        name: raw.name,
        summary: raw.summary,
        owner: raw.owner,
        purpose: raw.purpose,
        basis: raw.basis,
        inputs: raw.input,
        facts: raw.fact,
        answer,
    })
}

/// The names that the answer may use, each said once and before it is used.
fn judge_names(raw: &RawQuestion, sink: &mut Sink) -> Types {
    let mut types = Types::new().with("today", Type::Date);
    let mut names: Vec<&FieldPath> = Vec::new();
    let mut once = |id, at: String, sink: &mut Sink| {
        if names.contains(&id) || RESERVED.contains(&id.as_str()) || id.as_str().contains('.') {
            sink.error(
                FILE,
                at,
                "duplicate-id",
                format!("“{id}” đã được dùng, hoặc không phải là một tên đơn."),
                format!("“{id}” is used already, or is not one plain name."),
            );
        }
        names.push(id);
    };
    for (n, input) in raw.input.iter().enumerate() {
        once(&input.id, format!("input[{n}].id"), sink);
        sink.translated(FILE, format!("input[{n}].name"), &input.name);
        types.declare(input.id.as_str(), Type::String);
        if number_of(input.identifier).is_none() {
            sink.error(
                FILE,
                format!("input[{n}].identifier"),
                "input-of-nobody",
                "Đầu vào là person-number hoặc tax-code.",
                "What is put in is a person-number or a tax-code.",
            );
        }
    }
    for (n, fact) in raw.fact.iter().enumerate() {
        once(&fact.id, format!("fact[{n}].id"), sink);
        types.declare(fact.id.as_str(), Type::Any);
        let of_input = raw.input.iter().any(|input| input.id == fact.of);
        let of_fact = raw.fact[..n].iter().any(|earlier| earlier.id == fact.of);
        if (!of_input && !of_fact) || of_fact != fact.about.is_some() || fact.ask.of.is_some() {
            sink.error(
                FILE,
                format!("fact[{n}].of"),
                "fact-of-nobody",
                "“of” là một đầu vào, hoặc một dữ kiện nêu trước đó kèm about = \"person\" hoặc \"organisation\".",
                "“of” is an input, or an earlier fact together with about = \"person\" or \"organisation\".",
            );
        }
    }
    types
}

const fn number_of(identifier: Identifier) -> Option<NumberOf> {
    match identifier {
        Identifier::PersonNumber => Some(NumberOf::Person),
        Identifier::TaxCode => Some(NumberOf::Organisation),
        _ => None,
    }
}

impl Question {
    /// The answer over inputs and facts as of a day; none where they do not decide it.
    fn conclude(&self, mut values: Map<String, Value>, today: jiff::civil::Date) -> Option<Value> {
        values.insert("today".to_owned(), Value::from(today.to_string()));
        let value = self.answer.value.eval_over(&values);
        let fits = match self.answer.kind {
            AnswerKind::YesNo => value.is_boolean(),
            AnswerKind::Number => value.is_number(),
        };
        fits.then_some(value)
    }

    /// The sort of answer.
    pub const fn kind(&self) -> AnswerKind {
        self.answer.kind
    }

    /// Whose number an input or a fact is.
    fn number_of(&self, name: &FieldPath, about: Option<NumberOf>) -> Option<NumberOf> {
        let input = self.inputs.iter().find(|input| input.id == *name);
        input.map_or(about, |input| number_of(input.identifier))
    }
}
