//! What a person contested when they filed is told to the registries that said it.

use std::sync::Arc;

use base::{Error, Kind, Result, Text};
use identity::Ctx;
use procedure::form::{Attribute, Said};
use registry::{
    contest::{Contest, Contested, News, Standing, Told},
    quality::doubts::DoubtState,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Job, jobs::Run, transact};

use super::Dossiers;
use crate::{
    model::{action::DossierId, notice::NoticeKind, state::State},
    store::{self as tables, notices},
};

/// Registries are to be told what is contested.
pub const CONTEST: &str = "dossier.contest";

/// Payload of [`CONTEST`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContestJob {
    /// The dossier.
    pub dossier: DossierId,
}

/// The job of a dossier in which something is contested.
pub(super) fn contest_later(dossier: DossierId, state: &State) -> Result<Option<Job>> {
    if state.facts.doubts.is_empty() {
        return Ok(None);
    }
    Job::new(CONTEST, &ContestJob { dossier }).map(Some)
}

impl Dossiers {
    /// From now on registries are told what is contested by this.
    pub fn contest_by(&self, contest: Arc<dyn Contest>) {
        // Said once, by whoever serves.
        let _ = self.0.contest.set(contest);
    }

    /// How everything stands that was contested in a dossier that its reader may see.
    pub(super) async fn contested_in(&self, ctx: &Ctx, dossier: &str) -> Result<Vec<Standing>> {
        match self.0.contest.get() {
            Some(contest) => contest.standing(ctx, dossier).await,
            None => Ok(Vec::new()),
        }
    }

    /// Tells a person that a registry has answered what they contest, or asks. Done twice, they are told once.
    pub(super) async fn tell_of_doubt(&self, run: &Run, news: &News) -> Result<()> {
        let kind = match news.state {
            DoubtState::Asked => NoticeKind::DoubtAsked,
            _ => NoticeKind::DoubtAnswered,
        };
        let code = news.dossier.as_deref().unwrap_or_default();
        let kept = tables::by_code(&self.store().read(), code).await?;
        let new = notices::New {
            // A doubt that came up in no dossier stands for itself.
            dossier: kept.map_or_else(|| DossierId::from_uuid(news.doubt), |kept| kept.id),
            code,
            account: news.account,
            kind,
            cause: news.at.micros(),
            at: news.at,
            named_at: None,
        };
        transact!(run.store, |tx| {
            notices::tell(&tx, new).await?;
            run.done(&tx).await
        })
    }

    /// Tells each registry what is contested of what it said. Told twice, it counts once.
    pub(super) async fn contest(&self, run: &Run, job: &ContestJob) -> Result<()> {
        let kept = tables::by_id(&self.store().read(), job.dossier).await?;
        let (Some(contest), Some(kept)) = (self.0.contest.get(), kept) else {
            return Ok(());
        };
        let ctx = Ctx::system("Phản ánh sai lệch dữ liệu", run.now);
        let mut silent = false;
        for (attribute, reason) in &kept.state.facts.doubts {
            let Some(contested) = self.contested(&kept.state, &kept.package, attribute, reason).await? else {
                continue;
            };
            match contest.contest(&ctx, &contested).await {
                Told::Taken | Told::NotHere => {}
                Told::Silent => silent = true,
                Told::Refused(problems) => {
                    let codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
                    tracing::warn!(dossier = %contested.dossier, %attribute, ?codes, "a registry does not take a doubt");
                }
            }
        }
        if silent {
            // The job is done again later.
            return Err(Error::refused(
                Kind::Unavailable,
                "registry-silent",
                "Cơ sở dữ liệu chưa phản hồi.",
                "A registry has not answered yet.",
            ));
        }
        Ok(())
    }

    async fn contested(
        &self,
        state: &State,
        package: &str,
        attribute: &Attribute,
        reason: &str,
    ) -> Result<Option<Contested>> {
        let (Some(Said::Known { entry, .. }), Ok(name)) = (state.facts.said.get(attribute), attribute.name.parse())
        else {
            return Ok(None);
        };
        let package = self.shelf().by_hash(package).await?;
        let filed = package
            .form
            .asked_by(attribute)
            .find_map(|field| state.answers.get(&field.id));
        let asked = package.form.asked_by(attribute).next();
        let label = asked.map_or_else(|| Text::new(attribute.to_string(), ""), |field| field.label.clone());
        Ok(Some(Contested {
            id: format!("{}/{attribute}", state.code),
            entry: entry.clone(),
            attribute: name,
            label,
            reason: reason.to_owned(),
            filed: filed.map(text_of).unwrap_or_default(),
            procedure: package.id.code.clone(),
            by: (state.applicant.name.clone(), state.applicant.account),
            dossier: state.code.clone(),
        }))
    }
}

/// An answer for people: what it says, with commas between.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members.values().map(text_of).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
