//! The registries of this node, asked and told by its own procedures: the same questions and orders, the same record of each read as
//! from elsewhere.

use std::collections::BTreeMap;

use base::{Error, Kind, Lang, Result};
use futures::future::{BoxFuture, join_all};
use identity::{Actor, Ctx};
use procedure::form::{Attribute, Said};

use crate::{
    keeper::{self, Asked, Keeper, Order, TakeBack},
    lookup::{Lookup, Question},
    model::{Name, RegistryCode},
    service::{Carried, HERE, Mask, Purpose, Registries},
};

/// The name under which the node's own procedures read and write.
const PROCEDURES: &str = "Thủ tục hành chính";
/// The longest legal basis that is told with a read, in characters.
const LONGEST_BASIS: usize = 300;
/// The name under which approved questions read.
const QUESTIONS: &str = "Câu hỏi liên ngành";

/// Answers from the registries of this node; whatever is kept elsewhere is silent.
#[derive(Debug, Clone)]
pub struct Here(Registries);

impl Here {
    /// Asks and tells these.
    pub const fn new(registries: Registries) -> Self {
        Self(registries)
    }

    /// Whether a registry is one of them.
    pub fn keeps(&self, registry: &str) -> bool {
        self.code(registry).is_some()
    }

    fn code(&self, registry: &str) -> Option<RegistryCode> {
        let code = registry.parse().ok()?;
        self.0.shelf().get(&code).map(|_| code)
    }

    /// What one registry says.
    async fn of(
        &self,
        ctx: &Ctx,
        question: &Question,
        code: &RegistryCode,
        attributes: &[&Attribute],
    ) -> Result<BTreeMap<Attribute, Said>> {
        let names: BTreeMap<&Attribute, Name> = attributes
            .iter()
            .filter_map(|attribute| Some((*attribute, attribute.name.parse().ok()?)))
            .collect();
        let basis: String = question.basis.chars().take(LONGEST_BASIS).collect();
        let reader = if question.is_approved() { QUESTIONS } else { PROCEDURES };
        let purpose = Purpose::read(
            question.purpose(),
            &basis,
            question.dossier.as_deref().unwrap_or_default(),
        )?;
        let asked: Vec<Name> = names.values().cloned().collect();
        let facts = self
            .0
            .facts(
                &in_the_name_of(reader, ctx),
                &purpose,
                code,
                question.about.number(),
                &asked,
                question.times,
            )
            .await?;
        let at = ctx.now;
        let said = names.into_iter().map(|(attribute, name)| {
            let said = match facts.get(&name).cloned() {
                Some(fact) => Said::Known {
                    value: fact.value,
                    entry: fact.entry,
                    recorded_at: fact.recorded_at,
                    at,
                },
                None => Said::Nothing { at },
            };
            (attribute.clone(), said)
        });
        Ok(said.collect())
    }

    async fn carry_out(&self, ctx: &Ctx, order: &Order) -> Result<Carried> {
        let purpose = Purpose::read(keeper::PURPOSE, "", &order.dossier)?;
        self.0
            .carry_out(&in_the_name_of(PROCEDURES, ctx), &purpose, HERE, order, &Mask::ALL)
            .await
    }
}

impl Lookup for Here {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Said>> {
        Box::pin(async move {
            let ours = |(code, attributes)| Some((self.code(code)?, attributes));
            let asked = question.by_registry().into_iter().filter_map(ours);
            let asked = asked.map(async |(code, attributes)| {
                let said = self.of(ctx, question, &code, &attributes).await;
                said.unwrap_or_else(|error| {
                    tracing::warn!(%error, registry = %code, procedure = %question.procedure, "a registry of this node did not answer");
                    BTreeMap::new()
                })
            });
            join_all(asked).await.into_iter().flatten().collect()
        })
    }
}

impl Keeper for Here {
    fn tell<'a>(&'a self, ctx: &'a Ctx, order: &'a Order) -> BoxFuture<'a, keeper::Said> {
        Box::pin(async move { said(self.carry_out(ctx, order).await) })
    }

    fn became<'a>(&'a self, ctx: &'a Ctx, asked: &'a Asked) -> BoxFuture<'a, keeper::Said> {
        Box::pin(async move { said(self.0.became(&in_the_name_of(PROCEDURES, ctx), HERE, asked).await) })
    }

    fn take_back<'a>(&'a self, ctx: &'a Ctx, back: &'a TakeBack) -> BoxFuture<'a, keeper::Said> {
        Box::pin(async move { said(self.0.take_back(&in_the_name_of(PROCEDURES, ctx), HERE, back).await) })
    }
}

fn in_the_name_of(system: &'static str, ctx: &Ctx) -> Ctx {
    Ctx {
        actor: Actor::System(system),
        now: ctx.now,
        request_id: ctx.request_id,
        lang: Lang::Vi,
    }
}

/// What cannot be done now is silence: it is told again.
fn said(carried: Result<Carried>) -> keeper::Said {
    match carried {
        Ok(Carried { entry, record }) => keeper::Said::Done { entry, record },
        Err(Error::Refused(kind, problems)) if !matches!(kind, Kind::Unavailable | Kind::TooMany) => {
            keeper::Said::Refused(problems)
        }
        Err(error) => {
            tracing::warn!(%error, "a registry of this node could not be told");
            keeper::Said::Silent
        }
    }
}
