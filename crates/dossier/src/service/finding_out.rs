//! What became of a write whose registry was told and never answered, after an officer has ended the waiting: the keeper is asked until it
//! says, and what it has is taken back. Meanwhile the dossier names it as unknown.

use base::{Problems, Result};
use identity::Ctx;
use procedure::writes::{Undo, write_of};
use registry::keeper::{Asked, Keeper, Said, TakeBack, UNKNOWN};
use serde::{Deserialize, Serialize};
use store::{Job, jobs::Run, transact};

use super::{
    Dossiers,
    jobs::{SERVICE as SERVICES, ServiceJob},
    writing::order_id,
};
use crate::{
    model::{
        action::{Action, DossierId},
        command::Command,
        writes::Wrote,
    },
    store as tables,
};

/// What a write became is to be found out.
pub(super) const FIND_OUT: &str = "dossier.find-out";
/// Seconds until a keeper that does not say is asked again, at first and at most.
const PAUSES: (i64, i64) = (30, 3600);

/// Which write of which attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FindOut {
    dossier: DossierId,
    token: u32,
    write: String,
    /// Tries so far.
    tries: u32,
}

impl FindOut {
    fn job(&self, dossier: DossierId) -> Result<Job> {
        let job = Job::new(FIND_OUT, self)?;
        Ok(job.key(format!("find-out/{dossier}/{}/{}", self.token, self.write)))
    }
}

/// What an end of waiting calls for: the writes before it are taken back at once, and what became of it is found out.
pub(super) fn orders(dossier: DossierId, action: &Action) -> Result<Vec<Job>> {
    let Action::RegistryWrote {
        token,
        write,
        wrote: Wrote::Unknown { .. },
    } = action
    else {
        return Ok(Vec::new());
    };
    let going_on = ServiceJob {
        dossier,
        token: *token,
        service: procedure::writes::SERVICE.to_owned(),
        tries: 0,
        unheard: None,
    };
    let asking = FindOut {
        dossier,
        token: *token,
        write: write.clone(),
        tries: 0,
    };
    Ok(vec![Job::new(SERVICES, &going_on)?, asking.job(dossier)?])
}

impl Dossiers {
    /// Asks what a write became, and takes back what stands of it; asks again later where nobody says.
    pub(super) async fn find_out(&self, run: &Run, job: &FindOut) -> Result<()> {
        let Some(kept) = tables::by_id(&self.store().read(), job.dossier).await? else {
            return Ok(());
        };
        if !matches!(kept.state.wrote(job.token, &job.write), Some(Wrote::Unknown { .. })) {
            return Ok(());
        }
        let package = self.shelf().by_hash(&kept.package).await?;
        let Some((write, _)) = write_of(&package.writes, &job.write) else {
            return Ok(());
        };
        let asked = Asked {
            order: order_id(&kept.state.code, job.token, &job.write),
            registry: write.registry.clone(),
            procedure: package.id.code.clone(),
            dossier: kept.state.code.clone(),
        };
        let found = match self.keeper() {
            Some(keeper) => became(&Ctx::system(NAME, run.now), keeper.as_ref(), asked, write.undo).await,
            None => None,
        };
        let Some(wrote) = found else {
            let (first, most) = PAUSES;
            let next = FindOut {
                tries: job.tries.saturating_add(1),
                ..job.clone()
            };
            let pause = (first << job.tries.min(16)).min(most);
            let next = next.job(job.dossier)?.at(run.now.plus_seconds(pause));
            return transact!(self.store(), |tx| {
                run.done(&tx).await?;
                tx.enqueue(next.clone(), run.now).await
            });
        };
        let command = Command::TakeWrote {
            token: job.token,
            write: job.write.clone(),
            wrote,
        };
        self.by_platform(run, job.dossier, &command).await
    }
}

/// Who asks, in the registry's log.
const NAME: &str = "Cập nhật cơ sở dữ liệu";

/// What is known of a write now; none where nobody has said. What the exchange bars, or what a keeper refuses for any other reason than
/// that the order never came, says nothing of it.
async fn became(ctx: &Ctx, keeper: &dyn Keeper, asked: Asked, undo: Undo) -> Option<Wrote> {
    let entry = match keeper.became(ctx, &asked).await {
        Said::Done { entry, .. } => entry,
        Said::Refused(problems) if problems.iter().any(|problem| problem.code == UNKNOWN) => {
            return Some(Wrote::Refused { problems });
        }
        Said::Refused(_) | Said::Barred(_) | Said::Silent => return None,
    };
    if undo == Undo::Keep {
        return Some(Wrote::Left {
            entry,
            problems: Problems::new(),
        });
    }
    let back = TakeBack {
        order: asked.order,
        registry: asked.registry,
        entry: entry.clone(),
        procedure: asked.procedure,
        dossier: asked.dossier,
    };
    match keeper.take_back(ctx, &back).await {
        Said::Done { entry, .. } => Some(Wrote::TakenBack { entry }),
        Said::Refused(problems) => Some(Wrote::Left { entry, problems }),
        Said::Barred(_) | Said::Silent => None,
    }
}
