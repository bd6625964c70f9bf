//! Telling the registries what was decided, one after the other, for as long as it takes.

use std::sync::Arc;

use base::{Problems, Result, Text, Timestamp};
use identity::Ctx;
use jiff::civil::Date;
use procedure::{
    package::Package,
    process::NodeKind,
    writes::{SERVICE, write_of},
};
use registry::keeper::{Keeper, Order, Said, TakeBack};
use serde_json::json;
use store::{Job, jobs::Run, transact};

use super::{Dossiers, jobs::ServiceJob};
use crate::{
    model::{
        command::Command,
        state::State,
        writes::{Next, Wrote},
    },
    store as tables,
};

/// Seconds until a registry that was silent is told again, at first and at most.
const PAUSES: (i64, i64) = (30, 3600);
/// No more steps at one go than there can be writes and takings back: for a household several for each of its members.
const STEPS: usize = 400;

impl Dossiers {
    /// From now on registries are told by this.
    pub fn tell_registries_by(&self, keeper: Arc<dyn Keeper>) {
        // Said once, by whoever serves.
        let _ = self.0.keeper.set(keeper);
    }

    /// Goes on with the writes of a dossier. What was done is in the log before the next begins; a crash in between does it
    /// again under the same id.
    pub(super) async fn write_registries(&self, run: &Run, job: &ServiceJob) -> Result<()> {
        let ctx = Ctx::system("Cập nhật cơ sở dữ liệu", run.now);
        for _ in 0..STEPS {
            let Some(kept) = tables::by_id(&self.store().read(), job.dossier).await? else {
                return Ok(());
            };
            let waits = kept.state.process.tokens.iter().any(|token| token.id == job.token);
            if !waits {
                return Ok(());
            }
            let package = self.shelf().by_hash(&kept.package).await?;
            let next = kept.state.next_write(job.token, &package, run.now.legal_date());
            let (keeper, finished) = match (self.0.keeper.get(), &next) {
                (_, Next::Finished { done }) => (None, Some(*done)),
                // Where no registry can be told, an officer goes on by hand.
                (None, _) => (None, Some(false)),
                (Some(keeper), _) => (Some(keeper), None),
            };
            let Some(keeper) = keeper else {
                let told = kept.state.told(run.now.legal_date()).remove("told").unwrap_or_default();
                let command = Command::FinishService {
                    token: job.token,
                    result: json!({ "done": finished.unwrap_or(false), "told": told }),
                };
                return self.by_platform(run, job.dossier, &command).await;
            };
            let telling = match &next {
                Next::Tell { write, .. } => Some(write.clone()),
                _ => None,
            };
            let may_have_it = telling.is_some() && telling == job.unheard;
            let Some((write, wrote)) = self
                .carry_out(
                    &ctx,
                    keeper.as_ref(),
                    (&kept.state, job.token, may_have_it),
                    &package,
                    next,
                )
                .await
            else {
                let next = again_later(job, telling, run.now)?;
                return transact!(self.store(), |tx| {
                    tx.enqueue_all(std::slice::from_ref(&next), run.now).await
                });
            };
            let command = Command::TakeWrote {
                token: job.token,
                write,
                wrote,
            };
            self.by_platform(run, job.dossier, &command).await?;
        }
        Ok(())
    }

    /// Does the next thing; none when the registry is silent. Where it may have the order already, that the exchange bars the way (a grant
    /// was withdrawn) says nothing of it: taking back the others would leave it alone there, so it is told again until somebody answers.
    async fn carry_out(
        &self,
        ctx: &Ctx,
        keeper: &dyn Keeper,
        (state, token, may_have_it): (&State, u32, bool),
        package: &Package,
        next: Next,
    ) -> Option<(String, Wrote)> {
        let procedure = package.id.code.clone();
        let dossier = state.code.clone();
        match next {
            Next::Tell { write, plan } => {
                let said = write_of(&package.writes, &write).map(|(said, _)| said);
                let order = Order {
                    id: order_id(&dossier, token, &write),
                    plan,
                    procedure,
                    basis: said.map(|w| w.basis.clone()).unwrap_or_default(),
                    dossier,
                    source: said.map(|w| w.name.vi.clone()).unwrap_or_default(),
                };
                let wrote = match keeper.tell(ctx, &order).await {
                    Said::Done { entry, record } => Wrote::Done { entry, record },
                    Said::Barred(_) if may_have_it => return None,
                    Said::Refused(problems) | Said::Barred(problems) => Wrote::Refused { problems },
                    Said::Silent => return None,
                };
                Some((write, wrote))
            }
            Next::Impossible { write, lacks } => Some((
                write,
                Wrote::Refused {
                    problems: lacking(lacks),
                },
            )),
            Next::TakeBack { write, registry, entry } => {
                let order = TakeBack {
                    order: order_id(&dossier, token, &write),
                    registry,
                    entry: entry.clone(),
                    procedure,
                    dossier,
                };
                let wrote = match keeper.take_back(ctx, &order).await {
                    Said::Done { entry, .. } => Wrote::TakenBack { entry },
                    Said::Refused(problems) | Said::Barred(problems) => Wrote::Left { entry, problems },
                    Said::Silent => return None,
                };
                Some((write, wrote))
            }
            Next::Leave { write, entry } => Some((
                write,
                Wrote::Left {
                    entry,
                    problems: Problems::new(),
                },
            )),
            Next::Finished { .. } => None,
        }
    }
}

/// The same write of the same attempt has the same id, however often it is told.
pub(super) fn order_id(dossier: &str, token: u32, write: &str) -> String {
    format!("{dossier}/{token}/{write}")
}

fn lacking(what: &'static str) -> Problems {
    let mut problems = Problems::new();
    problems.add(
        "no-value",
        what,
        "Tờ khai không cho biết bản ghi hoặc ngày cần cập nhật; cần cán bộ xử lý.",
        "The form does not tell which record or from which day: an officer must go on.",
    );
    problems
}

fn again_later(job: &ServiceJob, unheard: Option<String>, now: Timestamp) -> Result<Job> {
    let (first, most) = PAUSES;
    let pause = (first << job.tries.min(16)).min(most);
    let next = ServiceJob {
        tries: job.tries.saturating_add(1),
        unheard,
        ..job.clone()
    };
    Ok(Job::new(super::jobs::SERVICE, &next)?.at(now.plus_seconds(pause)))
}

/// Whether a service of a process is the one that tells registries.
pub(super) fn is_writing(service: &str) -> bool {
    service == SERVICE
}

/// A write as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteView {
    /// Its name.
    pub name: Text,
    /// The registry.
    pub registry: String,
    /// What came of it; none while it waits.
    pub wrote: Option<Wrote>,
}

/// The task in which a registry is being told now, so that an officer may end the waiting for it.
pub(super) fn waiting(package: &Package, state: &State, today: Date) -> Option<u32> {
    let token = under_way(package, state)?;
    state.told_now(token, package, today).map(|_| token)
}

/// The writes of a dossier that has come so far, in order; those that its answers do not call for are left out.
pub(super) fn writes(package: &Package, state: &State, today: Date) -> Vec<WriteView> {
    let Some(token) = attempt(package, state) else {
        return Vec::new();
    };
    let values = state.told(state.ended_at.map_or(today, Timestamp::legal_date));
    let mut views = Vec::new();
    for write in &package.writes {
        let due = write.due(&values);
        views.extend(due.iter().map(|due| WriteView {
            name: due.name.clone(),
            registry: write.registry.clone(),
            wrote: state.wrote(token, &due.id).cloned(),
        }));
        // What was told and would not be any more, because of what came after it, is seen all the same.
        let told = state.writes.iter().filter(|told| {
            due.iter().all(|due| due.id != told.write)
                && write_of(&package.writes, &told.write).is_some_and(|(of, _)| of.id == write.id)
        });
        views.extend(told.filter_map(|told| {
            Some(WriteView {
                name: write.name.clone(),
                registry: write.registry.clone(),
                wrote: Some(state.wrote(token, &told.write)?.clone()),
            })
        }));
    }
    views
}

/// The attempt at writing that is under way, else the last one.
fn attempt(package: &Package, state: &State) -> Option<u32> {
    under_way(package, state).or_else(|| state.writes.last().map(|written| written.token))
}

/// The token of the service task that tells registries now. What is made of the decision waits for it: it may tell numbers.
pub(super) fn under_way(package: &Package, state: &State) -> Option<u32> {
    let writing = |node: &str| {
        let node = package.process.node(node);
        node.is_some_and(|node| matches!(&node.kind, NodeKind::Service { service } if is_writing(service)))
    };
    state
        .process
        .tokens
        .iter()
        .find(|token| writing(&token.node))
        .map(|token| token.id)
}
