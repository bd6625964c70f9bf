//! Asking and answering. Whoever asks learns the answer and nothing else; each person whose records it rests on sees in the log of reads
//! who asked what; and with each answer is kept which versions of which records it rests on, with a leaf in the transparency log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base::{Error, Kind, Problems, Result, Timestamp, codes::DossierCode};
use identity::{Ctx, Permission, Scope};
use jiff::ToSpan as _;
use ledger::Kind as LeafKind;
use procedure::form::Said;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::{Store, transact};
use uuid::Uuid;

use super::{
    NumberOf, Question,
    store::{self as tables, AnswerRow, SourceRow},
};
use crate::{
    lookup::{self, About, Lookup},
    model::Name,
    service::{Registries, Times, caused},
    shelf::Shelf,
};

base::typed_id!(
    /// One answer.
    AnswerMark as AnswerId
);

/// The longest basis that a registry takes, in characters.
const LONGEST_BASIS: usize = 300;

/// The approved questions of a node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Questions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registries: Registries,
    lookup: Arc<dyn Lookup>,
    all: BTreeMap<Name, Question>,
}

/// Who asks, and why, as the gateway has judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The client of the exchange.
    pub client: String,
    /// The code of the purpose.
    pub purpose: String,
    /// The dossier.
    pub dossier: Option<String>,
}

/// What somebody who asks by hand says beside the inputs, as they typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByHand<'a> {
    /// The code of the purpose.
    pub purpose: &'a str,
    /// The code of the dossier.
    pub dossier: &'a str,
    /// The moment of life; empty for now.
    pub as_of: &'a str,
    /// The instant whose knowledge counts; empty for now.
    pub known_at: &'a str,
}

/// How it went.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// This is the answer.
    Answered(Value),
    /// What the registries hold does not decide it.
    Undecided,
    /// These registries did not answer, so there is none now: never a guess.
    Silent(BTreeSet<String>),
}

/// An answer, with what it can be found again by.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Its id.
    pub id: Uuid,
    /// How it went.
    pub outcome: Outcome,
    /// When it was asked.
    pub at: Timestamp,
    /// Of when, and as known when.
    pub times: Times,
    /// The leaf in the node's log; none on a node without one.
    pub leaf: Option<u64>,
}

/// How often a question was asked in the last twelve months, and how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// It was answered.
    pub answered: i64,
    /// What the registries hold did not decide it.
    pub undecided: i64,
    /// A registry did not answer.
    pub silent: i64,
    /// It was asked for another purpose, or what was put in was none.
    pub refused: i64,
}

/// On what an answer rests.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Code and version of the question.
    pub question: (String, i64),
    /// Who asked.
    pub asked_by: String,
    /// For which dossier.
    pub dossier: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Of when, and as known when.
    pub times: Times,
    /// `answered`, `undecided`, `silent`.
    pub outcome: String,
    /// The answer; none where there was none, or a record beneath it was erased.
    pub answer: Option<Value>,
    /// `registry/key#version` of each record.
    pub rests_on: Vec<String>,
    /// The hash that the leaf has, made again from the above; none after an erasure.
    pub sha256: Option<String>,
    /// Name of the log and leaf.
    pub leaf: Option<(String, i64)>,
}

/// What a leaf says: whose question was asked by whom, and the hash of the rest.
#[derive(Debug, Serialize)]
struct Leaf<'a> {
    answer: Uuid,
    question: &'a str,
    version: u32,
    question_sha256: &'a str,
    asked_by: &'a str,
    purpose: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dossier: Option<&'a str>,
    asked_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_at: Option<i64>,
    outcome: &'a str,
    sha256: &'a str,
}

impl Questions {
    /// The questions of a node, asked of registries by `lookup`.
    pub fn new(registries: Registries, lookup: Arc<dyn Lookup>, questions: Vec<Question>) -> Self {
        let all = questions.into_iter().map(|question| (question.code.clone(), question));
        Self(Arc::new(Inner {
            registries,
            lookup,
            all: all.collect(),
        }))
    }

    /// All of them, by code: public.
    pub fn all(&self) -> impl Iterator<Item = &Question> {
        self.0.all.values()
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, code: &str) -> Result<&Question> {
        let code: Option<Name> = code.parse().ok();
        let found = code.and_then(|code| self.0.all.get(&code));
        found.ok_or_else(|| Error::not_found("câu hỏi", "question"))
    }

    /// A question, for its purpose, and the dossier that is the cause.
    pub(super) fn approved(&self, code: &str, asker: &Asker) -> Result<&Question> {
        let question = self.get(code)?;
        if asker.purpose == question.purpose.as_str() {
            caused(&question.purpose, asker.dossier.as_deref())?;
            return Ok(question);
        }
        Err(Error::refused(
            Kind::Forbidden,
            "other-purpose",
            format!("Câu hỏi này chỉ được trả lời cho mục đích {}.", question.purpose),
            format!("This question is answered for the purpose {} only.", question.purpose),
        ))
    }

    pub(super) fn store(&self) -> &Store {
        self.0.registries.store()
    }

    pub(super) fn shelf(&self) -> &Shelf {
        self.0.registries.shelf()
    }

    /// Asks a question, of now or of other times: every registry is asked of the same, and `today` in the answer is that day.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for another purpose than the question's; `Invalid` without the dossier that is the cause, or with every input that is missing or none;
    /// `Unavailable` when the answer could not be written down, and then it is not given.
    pub async fn ask(
        &self,
        ctx: &Ctx,
        code: &str,
        inputs: &Map<String, Value>,
        times: Times,
        asker: &Asker,
    ) -> Result<Answered> {
        let question = self.get(code)?;
        let judged = self
            .approved(code, asker)
            .and_then(|question| inputs_of(question, inputs));
        let values = match judged {
            Ok(values) => values,
            Err(refusal) => {
                let code = question.code.as_str();
                transact!(self.store(), |tx| {
                    tables::count(&tx, code, "refused", ctx.now).await
                })?;
                return Err(refusal);
            }
        };
        let (outcome, sources) = self.find(ctx, question, values, times, asker).await;
        self.keep(ctx, question, (asker, times), outcome, sources).await
    }

    /// Whether somebody may ask a question by hand: who reads registries for the agency that answers for it.
    pub fn may_ask(&self, ctx: &Ctx, question: &Question) -> bool {
        ctx.may(Permission::ReadRegistry, &Scope::Agency(question.owner.to_string()))
    }

    /// Asks a question by hand, for a dossier.
    ///
    /// # Errors
    /// As [`Self::ask`]; `Forbidden` for who does not read registries for the agency that answers for the question; `Invalid` without the
    /// code of a dossier, or with times that cannot be read.
    pub async fn ask_by_hand(
        &self,
        ctx: &Ctx,
        code: &str,
        inputs: &Map<String, Value>,
        said: ByHand<'_>,
    ) -> Result<Answered> {
        let question = self.get(code)?;
        ctx.require(Permission::ReadRegistry, &Scope::Agency(question.owner.to_string()))?;
        let ByHand { purpose, dossier, .. } = said;
        let mut problems = Problems::new();
        let times = Times::typed(said.as_of, said.known_at, &mut problems);
        if dossier.is_empty() {
            problems.add(
                "required",
                "dossier",
                "Nhập mã hồ sơ cần câu trả lời.",
                "Give the code of the dossier for which it is asked.",
            );
        } else if let Err(error) = dossier.parse::<DossierCode>() {
            error.add_to(&mut problems, "dossier");
        }
        if purpose.is_empty() {
            problems.add(
                "required",
                "purpose",
                "Đánh dấu mục đích của câu hỏi.",
                "Tick the purpose of the question.",
            );
        }
        problems.into_result()?;
        let asker = Asker {
            client: format!("{} ({})", ctx.actor_name(), question.owner),
            purpose: purpose.to_owned(),
            dossier: Some(dossier.to_owned()),
        };
        self.ask(ctx, code, inputs, times, &asker).await
    }

    /// How often each question was asked in the last twelve months: public.
    ///
    /// # Errors
    /// The database failed.
    pub async fn figures(&self, now: Timestamp) -> Result<BTreeMap<String, Figures>> {
        let today = now.legal_date();
        let since = today
            .checked_sub(12.months())
            .unwrap_or(today)
            .first_of_month()
            .to_string();
        let mut figures: BTreeMap<String, Figures> = BTreeMap::new();
        for (question, outcome, times) in tables::counted(&self.store().read(), &since).await? {
            let of = figures.entry(question).or_default();
            match outcome.as_str() {
                "answered" => of.answered = times,
                "undecided" => of.undecided = times,
                "silent" => of.silent = times,
                _ => of.refused = times,
            }
        }
        Ok(figures)
    }

    /// Asks the registries, facts about what is known first, until nothing is left to ask or somebody is silent.
    async fn find(
        &self,
        ctx: &Ctx,
        question: &Question,
        mut values: Map<String, Value>,
        times: Times,
        asker: &Asker,
    ) -> (Outcome, BTreeSet<SourceRow>) {
        let mut sources = BTreeSet::new();
        let mut silent = BTreeSet::new();
        let basis = basis(question, &asker.client);
        let mut open: Vec<_> = question.facts.iter().collect();
        while let Some(of) = open.first().map(|fact| (fact.of.clone(), fact.about)) {
            let (now, later): (Vec<_>, Vec<_>) = open
                .into_iter()
                .partition(|fact| (&fact.of, fact.about) == (&of.0, of.1));
            open = later;
            let number = values.get(of.0.as_str()).and_then(Value::as_str).map(str::to_owned);
            let about = number
                .zip(question.number_of(&of.0, of.1))
                .map(|(number, whose)| match whose {
                    NumberOf::Person => About::Person(number),
                    NumberOf::Organisation => About::Organisation(number),
                });
            // Of nobody nothing is known.
            let said = match about {
                None => BTreeMap::new(),
                Some(about) => {
                    let asked = lookup::Question {
                        about,
                        attributes: now.iter().map(|fact| fact.ask.clone()).collect(),
                        procedure: question.purpose.as_str().to_owned(),
                        basis: basis.clone(),
                        dossier: asker.dossier.clone(),
                        times,
                    };
                    let said = self.0.lookup.ask(ctx, &asked).await;
                    let heard = |fact: &&&super::Fact| said.get(&fact.ask).is_some_and(|said| !said.is_silent());
                    silent.extend(
                        now.iter()
                            .filter(|fact| !heard(fact))
                            .map(|fact| fact.ask.registry.clone()),
                    );
                    said
                }
            };
            for fact in now {
                let value = match said.get(&fact.ask) {
                    Some(Said::Known { value, entry, .. }) => {
                        sources.extend(source(entry));
                        value.clone()
                    }
                    _ => Value::Null,
                };
                values.insert(fact.id.to_string(), value);
            }
            if !silent.is_empty() {
                return (Outcome::Silent(silent), sources);
            }
        }
        let answer = question.conclude(values, times.day(ctx.now));
        (answer.map_or(Outcome::Undecided, Outcome::Answered), sources)
    }

    /// Writes the answer down before it is given: the leaf first.
    async fn keep(
        &self,
        ctx: &Ctx,
        question: &Question,
        (asker, times): (&Asker, Times),
        outcome: Outcome,
        sources: BTreeSet<SourceRow>,
    ) -> Result<Answered> {
        let (as_of, known_at) = times.stored();
        let sources: Vec<SourceRow> = sources.into_iter().collect();
        let id = AnswerId::new(ctx.now).uuid();
        let salt = hex::encode(Uuid::new_v4().as_bytes());
        let (word, answer) = match &outcome {
            Outcome::Answered(answer) => ("answered", Some(answer.to_string())),
            Outcome::Undecided => ("undecided", None),
            Outcome::Silent(_) => ("silent", None),
        };
        let sha256 = hash(&salt, answer.as_deref(), &sources);
        let leaf = Leaf {
            answer: id,
            question: question.code.as_str(),
            version: question.version,
            question_sha256: &question.hash,
            asked_by: &asker.client,
            purpose: &asker.purpose,
            dossier: asker.dossier.as_deref(),
            asked_at: ctx.now.micros(),
            as_of: as_of.as_deref(),
            known_at,
            outcome: word,
            sha256: &sha256,
        };
        let written = match self.0.registries.ledger() {
            Some(log) => {
                let receipt = log
                    .append(LeafKind::ANSWER, serde_json::to_vec(&leaf)?)
                    .await
                    .map_err(Error::internal)?;
                Some((log.origin().to_owned(), receipt.index))
            }
            None => None,
        };
        let row = AnswerRow {
            id,
            question: question.code.to_string(),
            version: i64::from(question.version),
            asked_by: asker.client.clone(),
            dossier: asker.dossier.clone(),
            asked_at: ctx.now.micros(),
            as_of,
            known_at,
            outcome: word.to_owned(),
            answer,
            salt: Some(salt),
            origin: written.as_ref().map(|(origin, _)| origin.clone()),
            leaf: written
                .as_ref()
                .map(|(_, leaf)| i64::try_from(*leaf).unwrap_or(i64::MAX)),
        };
        transact!(self.store(), |tx| {
            tables::count(&tx, &row.question, word, ctx.now).await?;
            tables::put(&tx, &row, &sources).await
        })?;
        Ok(Answered {
            id,
            outcome,
            at: ctx.now,
            times,
            leaf: written.map(|(_, leaf)| leaf),
        })
    }

    /// On what an answer rests.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for who does not audit the agency that answers for the question.
    pub async fn evidence(&self, ctx: &Ctx, id: Uuid) -> Result<Evidence> {
        let none = || Error::not_found("câu trả lời", "answer");
        let (row, sources) = tables::get(&self.store().read(), id).await?.ok_or_else(none)?;
        let question = self.get(&row.question)?;
        ctx.require(Permission::ReadAccessLog, &Scope::Agency(question.owner.to_string()))?;
        let answer = row.answer.as_deref().map(serde_json::from_str).transpose()?;
        Ok(Evidence {
            at: tables::at(&row),
            times: Times::from_stored(row.as_of.as_deref(), row.known_at),
            sha256: row
                .salt
                .as_deref()
                .map(|salt| hash(salt, row.answer.as_deref(), &sources)),
            rests_on: sources.iter().map(entry).collect(),
            question: (row.question, row.version),
            asked_by: row.asked_by,
            dossier: row.dossier,
            outcome: row.outcome,
            answer,
            leaf: row.origin.zip(row.leaf),
        })
    }
}

/// The inputs, each judged by its rule; the sentences never repeat them.
pub(super) fn inputs_of(question: &Question, given: &Map<String, Value>) -> Result<Map<String, Value>> {
    let mut problems = Problems::new();
    let mut values = Map::new();
    for input in &question.inputs {
        match given.get(input.id.as_str()).and_then(Value::as_str) {
            None => problems.add(
                "required",
                input.id.as_str(),
                format!("Nhập {}.", input.name.vi),
                format!("Give the {}.", input.name.en),
            ),
            Some(text) => match input.identifier.check(text) {
                Ok(()) => {
                    values.insert(input.id.to_string(), Value::from(text));
                }
                Err(flaw) => flaw.add_to(&mut problems, input.id.as_str()),
            },
        }
    }
    let is_input = |name: &String| question.inputs.iter().any(|input| input.id.as_str() == name);
    if !given.keys().all(is_input) {
        problems.add(
            "unknown-input",
            "",
            "Có đầu vào mà câu hỏi này không dùng.",
            "Something is put in that this question does not use.",
        );
    }
    problems.into_result()?;
    Ok(values)
}

/// The law, and for the person who reads it: what was asked, by whom.
fn basis(question: &Question, client: &str) -> String {
    let laws = question
        .basis
        .iter()
        .map(|basis| format!("{}, {}", basis.text, basis.article));
    let text = format!(
        "{}; câu hỏi “{}” của {client}",
        laws.collect::<Vec<_>>().join("; "),
        question.name.vi
    );
    text.chars().take(LONGEST_BASIS).collect()
}

/// `registry/key#version`.
fn source(entry: &str) -> Option<SourceRow> {
    let (registry, rest) = entry.split_once('/')?;
    let (key, seq) = rest.rsplit_once('#')?;
    Some(SourceRow {
        registry: registry.to_owned(),
        record_key: key.to_owned(),
        seq: seq.parse().ok()?,
    })
}

fn entry(source: &SourceRow) -> String {
    format!("{}/{}#{}", source.registry, source.record_key, source.seq)
}

/// SHA-256 in hex over salt, answer and sources. The salt goes with an erasure, so that nobody can try out what was erased.
fn hash(salt: &str, answer: Option<&str>, sources: &[SourceRow]) -> String {
    let said = json!({ "salt": salt, "answer": answer, "rests_on": sources.iter().map(entry).collect::<Vec<_>>() });
    hex::encode(Sha256::digest(said.to_string()))
}
