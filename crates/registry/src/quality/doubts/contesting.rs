//! What is contested in a dossier, of this node or another, becomes a doubt at the registry that is kept here.

use base::{Error, Kind, Result};
use futures::future::BoxFuture;
use identity::{Actor, Ctx};

use super::{Doubt, LONGEST, Receipt, Report, Reporter, tables};
use crate::{
    contest::{Contest, Contested, Standing, Told},
    model::RegistryCode,
    quality::Quality,
};

/// The name under which the node's own procedures report.
const PROCEDURES: &str = "Thủ tục hành chính";

impl Contest for Quality {
    fn contest<'a>(&'a self, ctx: &'a Ctx, contested: &'a Contested) -> BoxFuture<'a, Told> {
        Box::pin(self.take_contested(ctx, contested))
    }

    fn standing<'a>(&'a self, _ctx: &'a Ctx, dossier: &'a str) -> BoxFuture<'a, Result<Vec<Standing>>> {
        Box::pin(async move {
            let mut all = self.contested_here(dossier).await?;
            all.extend(self.contested_elsewhere(dossier).await?);
            Ok(all)
        })
    }
}

impl Quality {
    async fn take_contested(&self, ctx: &Ctx, contested: &Contested) -> Told {
        let asks = Ctx {
            actor: Actor::System(PROCEDURES),
            ..ctx.clone()
        };
        let by = Reporter::Procedure(contested.by.0.clone(), contested.by.1);
        match self.doubt_contested(&asks, &by, contested).await {
            None => Told::NotHere,
            Some(Ok(_)) => Told::Taken,
            // It waits for its answer already, from another dossier of the same person.
            Some(Err(Error::Refused(Kind::Conflict, _))) => Told::Taken,
            Some(Err(Error::Refused(Kind::Unavailable, _))) => Told::Silent,
            Some(Err(Error::Refused(_, problems))) => Told::Refused(problems),
            Some(Err(error)) => {
                tracing::warn!(%error, entry = contested.registry(), "a contested fact could not be reported");
                Told::Silent
            }
        }
    }

    /// Takes in as a doubt what is contested; nothing where the registry is not kept here.
    pub(in crate::quality) async fn doubt_contested(
        &self,
        ctx: &Ctx,
        by: &Reporter,
        contested: &Contested,
    ) -> Option<Result<Receipt>> {
        let (code, rest) = contested.entry.split_once('/')?;
        let (code, key) = (code.parse::<RegistryCode>().ok()?, rest.split('#').next()?);
        let registry = self.registries().shelf().get(&code)?.current();
        let attribute = registry.attributes.iter().find(|of| of.id == contested.attribute);
        let field = attribute.and_then(|attribute| attribute.field(&registry));
        let wrong = match contested.reason.trim() {
            "" => "Người nộp hồ sơ khai khác với nội dung này.",
            reason => reason,
        };
        let report = Report {
            field: field.map(|field| field.to_string()).unwrap_or_default(),
            wrong: wrong.chars().take(LONGEST).collect(),
            right: contested.filed.chars().take(LONGEST).collect(),
            evidence: format!("Thủ tục {}, hồ sơ {}", contested.procedure, contested.dossier),
            dossier: Some(contested.dossier.clone()),
        };
        Some(self.doubt(ctx, by, &code, key, &report, &contested.id).await)
    }

    /// What was contested in a dossier of registries of this node.
    async fn contested_here(&self, dossier: &str) -> Result<Vec<Standing>> {
        let rows = tables::of_dossier(&self.registries().store().read(), dossier).await?;
        let mut all = Vec::new();
        for row in rows {
            let doubt = Doubt::of(row)?;
            let registry = self.registries().editions(&doubt.registry)?.current();
            let Some(field) = registry.field(&doubt.field) else {
                continue;
            };
            all.push(Standing {
                label: registry.label(field),
                registry: doubt.registry,
                dossier: Some(dossier.to_owned()),
                reason: doubt.wrong,
                state: doubt.state,
                told_at: doubt.received_at,
                due_at: doubt.due_at,
                question: doubt.question,
                answer: doubt.answer,
            });
        }
        Ok(all)
    }
}
