//! What is contested in a dossier of this node becomes a doubt at the registry, where that is kept here.

use base::{Error, Kind};
use futures::future::BoxFuture;
use identity::{Actor, Ctx};

use super::{LONGEST, Report, Reporter};
use crate::{
    contest::{Contest, Contested, Told},
    model::RegistryCode,
    quality::Quality,
};

/// The name under which the node's own procedures report.
const PROCEDURES: &str = "Thủ tục hành chính";

impl Contest for Quality {
    fn contest<'a>(&'a self, ctx: &'a Ctx, contested: &'a Contested) -> BoxFuture<'a, Told> {
        Box::pin(self.take_contested(ctx, contested))
    }
}

impl Quality {
    async fn take_contested(&self, ctx: &Ctx, contested: &Contested) -> Told {
        let named = contested.entry.split_once('/');
        let named = named.and_then(|(code, rest)| Some((code.parse::<RegistryCode>().ok()?, rest.split('#').next()?)));
        let Some((code, key)) = named else {
            return Told::NotHere;
        };
        let Some(editions) = self.registries().shelf().get(&code) else {
            return Told::NotHere;
        };
        let registry = editions.current();
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
        let asks = Ctx {
            actor: Actor::System(PROCEDURES),
            ..ctx.clone()
        };
        let by = Reporter::Procedure(contested.by.0.clone(), contested.by.1);
        match self.doubt(&asks, &by, &code, key, &report, &contested.id).await {
            Ok(_) => Told::Taken,
            // It waits for its answer already, from another dossier of the same person.
            Err(Error::Refused(Kind::Conflict, _)) => Told::Taken,
            Err(Error::Refused(Kind::Unavailable, _)) => Told::Silent,
            Err(Error::Refused(_, problems)) => Told::Refused(problems),
            Err(error) => {
                tracing::warn!(%error, registry = %code, "a contested fact could not be reported");
                Told::Silent
            }
        }
    }
}
