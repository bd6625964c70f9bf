//! The registries of this node, asked by its own procedures: the same question, the same record of the read as from elsewhere.

use std::collections::BTreeMap;

use base::{Lang, codes::ProcedureCode};
use futures::future::BoxFuture;
use identity::{Actor, Ctx};
use procedure::form::{Attribute, Said};

use crate::{
    lookup::{Lookup, Question},
    model::{Name, RegistryCode},
    service::{Fact, Purpose, Registries},
};

/// The purpose under which procedures ask, as grants name it.
pub const PURPOSE: &str = "procedure.prefill";
/// The name under which the node's own procedures read.
const PROCEDURES: &str = "Thủ tục hành chính";
/// The name under which approved questions read.
const QUESTIONS: &str = "Câu hỏi liên ngành";

/// Answers from the registries of this node; whatever is kept elsewhere is silent.
#[derive(Debug, Clone)]
pub struct Here(Registries);

impl Here {
    /// Asks these.
    pub const fn new(registries: Registries) -> Self {
        Self(registries)
    }

    async fn of(&self, ctx: &Ctx, question: &Question, code: &str, names: &[Name]) -> Option<BTreeMap<Name, Fact>> {
        let code: RegistryCode = code.parse().ok()?;
        self.0.shelf().get(&code)?;
        let basis: String = question.basis.chars().take(300).collect();
        let (reader, purpose) = match question.procedure.parse::<ProcedureCode>() {
            Ok(_) => (PROCEDURES, PURPOSE),
            Err(_) => (QUESTIONS, question.procedure.as_str()),
        };
        let purpose = Purpose::read(purpose, &basis, question.dossier.as_deref().unwrap_or_default()).ok()?;
        let asks = Ctx {
            actor: Actor::System(reader),
            now: ctx.now,
            request_id: ctx.request_id,
            lang: Lang::Vi,
        };
        match self
            .0
            .facts(&asks, &purpose, &code, question.about.number(), names)
            .await
        {
            Ok(facts) => Some(facts),
            Err(error) => {
                tracing::warn!(%error, registry = %code, procedure = %question.procedure, "a registry of this node did not answer");
                None
            }
        }
    }
}

impl Lookup for Here {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Said>> {
        Box::pin(async move {
            let mut by_registry: BTreeMap<&str, Vec<(&Attribute, Name)>> = BTreeMap::new();
            for attribute in &question.attributes {
                if let Ok(name) = attribute.name.parse() {
                    by_registry
                        .entry(&attribute.registry)
                        .or_default()
                        .push((attribute, name));
                }
            }
            let mut said = BTreeMap::new();
            for (code, asked) in by_registry {
                let names: Vec<Name> = asked.iter().map(|(_, name)| name.clone()).collect();
                let Some(mut facts) = self.of(ctx, question, code, &names).await else {
                    continue;
                };
                for (attribute, name) in asked {
                    let at = ctx.now;
                    let answer = match facts.remove(&name) {
                        Some(fact) => Said::Known {
                            value: fact.value,
                            entry: fact.entry,
                            recorded_at: fact.recorded_at,
                            at,
                        },
                        None => Said::Nothing { at },
                    };
                    said.insert(attribute.clone(), answer);
                }
            }
            said
        })
    }
}
