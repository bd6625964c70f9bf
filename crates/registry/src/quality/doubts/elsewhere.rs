//! What people of this node contest of registries of other nodes: told there once, and looked at until it is answered.

use base::{Error, Result, Text, Timestamp};
use futures::future::try_join_all;
use identity::Ctx;
use store::{Job, jobs::Run, transact};
use uuid::Uuid;

use super::{DoubtState, MOST_OWN, news};
use crate::{
    contest::{Contested, Standing, Told},
    elsewhere::{Elsewhere, Heard},
    model::RegistryCode,
    quality::Quality,
    store::contested::{self as tables, ContestedRow},
    wire::StandingBody,
};

/// Registries of other nodes are asked how doubts stand.
pub const LOOK: &str = "registry.contested";
/// Seconds between two looks. Clocks of doubts count working days, and whoever opens the dossier looks at once.
const PAUSE: i64 = 3_600;
/// Doubts of one piece.
const PIECE: i64 = 100;

impl Quality {
    /// Tells the registry of another node what is contested of it. Told twice, it is there once.
    pub async fn contest_elsewhere(&self, ctx: &Ctx, elsewhere: &Elsewhere, contested: &Contested) -> Told {
        let registry = contested.registry();
        let taken = match elsewhere.contest(registry, contested).await {
            None => return Told::NotHere,
            Some(Heard::Nothing) => return Told::Silent,
            Some(Heard::No(problems)) => return Told::Refused(problems),
            Some(Heard::Yes(taken)) => taken,
        };
        let due = Timestamp::parse_rfc3339(&taken.answer_by).unwrap_or(ctx.now);
        let row = ContestedRow {
            registry: registry.to_owned(),
            doubt: taken.id,
            told_as: contested.id.clone(),
            label_vi: contested.label.vi.clone(),
            label_en: contested.label.en.clone(),
            dossier: contested.dossier.clone(),
            account: contested.by.1,
            reason: contested.reason.clone(),
            filed: contested.filed.clone(),
            state: DoubtState::Received.code().to_owned(),
            open: true,
            question: String::new(),
            answer: String::new(),
            answered_by: String::new(),
            answered_at: None,
            told_at: ctx.now.micros(),
            due_at: due.micros(),
        };
        let kept = async {
            let look = look(ctx.now.plus_seconds(PAUSE))?;
            transact!(self.registries().store(), |tx| {
                tables::keep(&tx, &row).await?;
                tx.enqueue(look.clone(), ctx.now).await
            })
        };
        match kept.await {
            Ok(()) => Told::Taken,
            Err(error) => {
                tracing::warn!(%error, registry, "what was contested elsewhere could not be noted; it is told again");
                Told::Silent
            }
        }
    }

    /// The job: looks at everything that is open, and orders the next look while anything is.
    ///
    /// # Errors
    /// The database failed.
    pub async fn look_and_order(&self, run: &Run, elsewhere: &Elsewhere) -> Result<()> {
        let open = self.look_elsewhere(elsewhere, run.now).await?;
        transact!(self.registries().store(), |tx| {
            run.done(&tx).await?;
            if open {
                tx.enqueue(look(run.now.plus_seconds(PAUSE))?, run.now).await?;
            }
            Ok(())
        })
    }

    /// Asks the registries of other nodes how the doubts stand that are open; whether any still is. What was answered becomes news for
    /// its person.
    ///
    /// # Errors
    /// The database failed. A node that is silent is asked again next time.
    pub async fn look_elsewhere(&self, elsewhere: &Elsewhere, now: Timestamp) -> Result<bool> {
        let store = self.registries().store();
        let mut place = (String::new(), Uuid::nil());
        let mut open = false;
        loop {
            let rows = tables::open(&store.read(), (&place.0, place.1), PIECE).await?;
            let Some(last) = rows.last() else {
                return Ok(open);
            };
            place = (last.registry.clone(), last.doubt);
            for old in rows {
                open |= self.look_at(elsewhere, old, now).await?;
            }
        }
    }

    /// The same for what was contested in one dossier, while its reader waits.
    ///
    /// # Errors
    /// As [`Self::look_elsewhere`].
    pub async fn look_for(&self, elsewhere: &Elsewhere, dossier: &str, now: Timestamp) -> Result<()> {
        let rows = tables::of_dossier(&self.registries().store().read(), dossier).await?;
        let open = rows.into_iter().filter(|row| row.open);
        try_join_all(open.map(|row| self.look_at(elsewhere, row, now))).await?;
        Ok(())
    }

    /// Asks how one stands; whether it is still open.
    async fn look_at(&self, elsewhere: &Elsewhere, old: ContestedRow, now: Timestamp) -> Result<bool> {
        let new = match elsewhere.standing(&old.registry, &old.dossier, old.doubt).await {
            Some(Heard::Yes(said)) => with(&old, said)?,
            // Silent, or it has lost what we may see: the row stays as it was last seen.
            _ => return Ok(old.open),
        };
        if new != old {
            let news = news(&new.state, new.doubt, old.account, Some(&old.dossier), now)?;
            transact!(self.registries().store(), |tx| {
                if tables::change(&tx, &new, &old.state).await? && new.state != old.state {
                    tx.enqueue_all(news.as_slice(), now).await?;
                }
                Ok(())
            })?;
        }
        Ok(new.open)
    }

    /// What the signed-in person contests of registries of other nodes, the newest first.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for an officer.
    pub async fn doubts_elsewhere(&self, ctx: &Ctx) -> Result<Vec<Standing>> {
        let account = ctx.person()?.account;
        let rows = tables::of_account(&self.registries().store().read(), account.uuid(), MOST_OWN).await?;
        rows.into_iter().map(standing).collect()
    }

    /// What was contested of registries of other nodes in a dossier. Who may see the dossier has been judged.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn contested_elsewhere(&self, dossier: &str) -> Result<Vec<Standing>> {
        let rows = tables::of_dossier(&self.registries().store().read(), dossier).await?;
        rows.into_iter().map(standing).collect()
    }
}

fn look(at: Timestamp) -> Result<Job> {
    Ok(Job::new(LOOK, &())?.at(at).key(LOOK))
}

/// The row as the other node says that it stands.
fn with(old: &ContestedRow, said: StandingBody) -> Result<ContestedRow> {
    let state = DoubtState::from_code(&said.state).ok_or_else(|| Error::internal("a doubt stands as nobody knows"))?;
    let at = |text: &str| Timestamp::parse_rfc3339(text).map(Timestamp::micros);
    Ok(ContestedRow {
        state: state.code().to_owned(),
        open: state.is_open(),
        question: said.question.unwrap_or_default(),
        answer: said.answer.unwrap_or_default(),
        answered_by: said.answered_by.unwrap_or_default(),
        answered_at: said.answered_at.as_deref().and_then(at),
        due_at: at(&said.due_at).unwrap_or(old.due_at),
        ..old.clone()
    })
}

fn standing(row: ContestedRow) -> Result<Standing> {
    let registry: RegistryCode = row.registry.parse().map_err(Error::internal)?;
    let state = DoubtState::from_code(&row.state).ok_or_else(|| Error::internal("a doubt stands as nobody knows"))?;
    let answered = row.answered_at.map(Timestamp::from_micros);
    Ok(Standing {
        registry,
        label: Text::new(row.label_vi, row.label_en),
        dossier: row.dossier,
        reason: row.reason,
        state,
        told_at: Timestamp::from_micros(row.told_at),
        due_at: Timestamp::from_micros(row.due_at),
        question: row.question,
        answer: answered.map(|at| (at, row.answered_by, row.answer)),
    })
}
