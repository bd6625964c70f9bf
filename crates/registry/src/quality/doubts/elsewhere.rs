//! What people of this node contest of registries of other nodes: told there once, and looked at until it is answered.

use base::{Error, Kind, Problems, Result, Text, Timestamp, codes::PersonNumber};
use futures::future::{join_all, try_join_all};
use identity::Ctx;
use store::{Job, jobs::Run, transact};
use uuid::Uuid;

use super::{DoubtId, DoubtState, Judged, LONGEST, MOST_OWN, Report, news, no_doubt};
use crate::{
    contest::{Contested, Standing, Told},
    elsewhere::{Elsewhere, Heard, Whose},
    model::RegistryCode,
    quality::{Quality, correcting::check, mine::own_number},
    store::contested::{self as tables, ContestedRow},
    wire::{OwnDoubtBody, StandingBody, StandingFileBody, TakenBody},
};

/// Registries of other nodes are asked how doubts stand.
pub const LOOK: &str = "registry.contested";
/// Seconds between two looks. Clocks of doubts count working days, and whoever opens the dossier looks at once.
const PAUSE: i64 = 3_600;
/// Doubts of one piece.
const PIECE: i64 = 100;
/// Doubts that are looked at at once while their person waits; the others wait for the next look.
const AT_ONCE: usize = 20;

/// What somebody contests of a registry of another node, with the files that have come there; none of them where it is silent, or answered.
#[derive(Debug)]
pub struct FarDoubt {
    /// How it stands.
    pub standing: Standing,
    /// Name and bytes of each file.
    pub files: Vec<(String, u64)>,
}

/// What a look at a doubt has shown.
struct Looked {
    open: bool,
    files: Vec<StandingFileBody>,
}

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
        let row = ContestedRow {
            told_as: contested.id.clone(),
            label_vi: contested.label.vi.clone(),
            label_en: contested.label.en.clone(),
            dossier: contested.dossier.clone(),
            account: contested.by.1,
            reason: contested.reason.clone(),
            filed: contested.filed.clone(),
            ..told(registry, &taken, ctx.now)
        };
        match self.note(&row, ctx.now).await {
            Ok(()) => Told::Taken,
            Err(error) => {
                tracing::warn!(%error, registry, "what was contested elsewhere could not be noted; it is told again");
                Told::Silent
            }
        }
    }

    /// Tells the registry of another node what the signed-in person contests of a record about them: the doubt that it became there. Told
    /// twice under one id, it is there once.
    ///
    /// # Errors
    /// `Invalid` with what the registry or the exchange has against it; `NotFound` where nobody is known to keep the registry;
    /// `Unavailable` where it is silent: to be told again; `Unauthenticated`; `Forbidden` for an officer, or an e-ID of level 1.
    pub(in crate::quality) async fn doubt_elsewhere(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        record: Uuid,
        report: &Report,
        id: DoubtId,
    ) -> Result<Uuid> {
        let none = || Error::not_found("cơ sở dữ liệu", "registry");
        let number = own_number(ctx)?.ok_or_else(none)?;
        let account = ctx.person()?.account.uuid();
        let body = OwnDoubtBody::of(id.to_string(), record, report);
        let elsewhere = self.elsewhere().ok_or_else(none)?;
        let taken = match elsewhere.contest_own(code, &number, &body).await.ok_or_else(none)? {
            Heard::Yes(taken) => taken,
            Heard::No(problems) => return Err(Error::Refused(Kind::Invalid, problems)),
            Heard::Nothing => return Err(silent()),
        };
        let label = taken.label.clone().unwrap_or_else(|| Text::new(&*report.field, ""));
        let row = ContestedRow {
            // An id is told as of one person, so that nobody takes another's.
            told_as: format!("own/{account}/{id}"),
            label_vi: label.vi,
            label_en: label.en,
            account: Some(account),
            reason: report.wrong.trim().to_owned(),
            filed: report.right.trim().to_owned(),
            ..told(code.as_str(), &taken, ctx.now)
        };
        self.note(&row, ctx.now).await?;
        Ok(taken.id)
    }

    /// Files of the signed-in person go to the registry of another node, one after the other, as they are; this node keeps none. Sent
    /// again, each is there once.
    ///
    /// # Errors
    /// `Invalid` with what the registry or the exchange has against one, by its name; those before it are there. Else as
    /// [`Self::reply_elsewhere`].
    pub(in crate::quality) async fn files_elsewhere(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        doubt: Uuid,
        files: &[Judged],
    ) -> Result<()> {
        let number = own_number(ctx)?.ok_or_else(no_doubt)?;
        let old = self.own_far(ctx, code, doubt).await?;
        let elsewhere = self.elsewhere().ok_or_else(no_doubt)?;
        for file in files {
            let heard = elsewhere.evidence_file(code.as_str(), whose(&old, &number), doubt, file);
            match heard.await.ok_or_else(no_doubt)? {
                Heard::Yes(_) => {}
                Heard::No(problems) => {
                    let problems = view::files::at("file", &problems, Some(&file.name));
                    return Err(Error::Refused(Kind::Invalid, problems));
                }
                Heard::Nothing => return Err(silent()),
            }
        }
        Ok(())
    }

    /// The signed-in person takes back what they contest of the registry of another node. Told twice, it is taken back once.
    ///
    /// # Errors
    /// As [`Self::reply_elsewhere`].
    pub(in crate::quality) async fn withdraw_elsewhere(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        doubt: Uuid,
    ) -> Result<()> {
        let number = own_number(ctx)?.ok_or_else(no_doubt)?;
        let old = self.own_far(ctx, code, doubt).await?;
        let elsewhere = self.elsewhere().ok_or_else(no_doubt)?;
        let heard = elsewhere.withdraw(code.as_str(), whose(&old, &number), doubt).await;
        self.heard(ctx, &old, heard).await
    }

    /// Notes what a registry of another node has said of a doubt.
    async fn heard(&self, ctx: &Ctx, old: &ContestedRow, heard: Option<Heard<StandingBody>>) -> Result<()> {
        match heard.ok_or_else(no_doubt)? {
            Heard::Yes(said) => self.stands(old, with(old, said)?, ctx.now).await,
            Heard::No(problems) => Err(Error::Refused(Kind::Invalid, problems)),
            Heard::Nothing => Err(silent()),
        }
    }

    /// The signed-in person gives the evidence that the registry of another node asks for. It is judged there, by its clock; the text may be
    /// empty where files went before it ([`Self::files_elsewhere`]).
    ///
    /// # Errors
    /// `Invalid` with what is wrong with it, or what the registry or the exchange has against it: nothing is asked for any more;
    /// `NotFound`, also of others' doubts; `Unavailable` where the registry is silent; `Unauthenticated`; `Forbidden` for an officer, or an
    /// e-ID of level 1.
    pub(in crate::quality) async fn reply_elsewhere(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        doubt: Uuid,
        text: &str,
    ) -> Result<()> {
        let number = own_number(ctx)?.ok_or_else(no_doubt)?;
        let old = self.own_far(ctx, code, doubt).await?;
        let mut problems = Problems::new();
        check(text.trim(), "evidence", LONGEST, &mut problems);
        problems.into_result()?;
        let elsewhere = self.elsewhere().ok_or_else(no_doubt)?;
        let heard = elsewhere.evidence(code.as_str(), whose(&old, &number), doubt, text.trim());
        self.heard(ctx, &old, heard.await).await
    }

    /// What the signed-in person contests of a registry of another node, as it says now that it stands, or was last known to.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts; `Unauthenticated`; `Forbidden` for an officer, or an e-ID of level 1.
    pub(in crate::quality) async fn doubt_far(&self, ctx: &Ctx, code: &RegistryCode, doubt: Uuid) -> Result<FarDoubt> {
        let row = self.own_far(ctx, code, doubt).await?;
        let mut files = Vec::new();
        if let (true, Some(elsewhere)) = (row.open, self.elsewhere()) {
            files = self.look_at(elsewhere, row, ctx.now).await?.files;
        }
        Ok(FarDoubt {
            standing: standing(self.own_far(ctx, code, doubt).await?)?,
            files: files.into_iter().map(|file| (file.name, file.size)).collect(),
        })
    }

    async fn own_far(&self, ctx: &Ctx, code: &RegistryCode, doubt: Uuid) -> Result<ContestedRow> {
        let account = ctx.person_level2()?.account.uuid();
        let row = tables::one(&self.registries().store().read(), code.as_str(), doubt).await?;
        row.filter(|row| row.account == Some(account)).ok_or_else(no_doubt)
    }

    /// Notes what another node has taken in, and orders the next look at it.
    async fn note(&self, row: &ContestedRow, now: Timestamp) -> Result<()> {
        let look = look(now.plus_seconds(PAUSE))?;
        transact!(self.registries().store(), |tx| {
            tables::keep(&tx, row).await?;
            tx.enqueue(look.clone(), now).await
        })
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
                open |= self.look_at(elsewhere, old, now).await?.open;
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

    /// The same for what the signed-in person contests, while they wait. What another node says amiss keeps nobody from the rest.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for an officer, or an e-ID of level 1; the database failed.
    pub(in crate::quality) async fn look_for_me(&self, ctx: &Ctx) -> Result<()> {
        let account = ctx.person_level2()?.account;
        let Some(elsewhere) = self.elsewhere() else {
            return Ok(());
        };
        let rows = tables::of_account(&self.registries().store().read(), account.uuid(), MOST_OWN).await?;
        let open = rows.into_iter().filter(|row| row.open).take(AT_ONCE);
        for looked in join_all(open.map(|row| self.look_at(elsewhere, row, ctx.now))).await {
            if let Err(error) = looked {
                tracing::warn!(%error, "how something stands that was contested could not be learned");
            }
        }
        Ok(())
    }

    /// Asks how one stands. Which files have come is not noted here.
    async fn look_at(&self, elsewhere: &Elsewhere, old: ContestedRow, now: Timestamp) -> Result<Looked> {
        let Some(Heard::Yes(mut said)) = elsewhere.standing(&old.registry, dossier(&old), old.doubt).await else {
            // Silent, or it has lost what we may see: the row stays as it was last seen.
            let (open, files) = (old.open, Vec::new());
            return Ok(Looked { open, files });
        };
        let files = std::mem::take(&mut said.files);
        let new = with(&old, said)?;
        let open = new.open;
        if new != old {
            self.stands(&old, new, now).await?;
        }
        Ok(Looked { open, files })
    }

    /// Notes how one stands now; what its person waits for becomes news.
    async fn stands(&self, old: &ContestedRow, new: ContestedRow, now: Timestamp) -> Result<()> {
        let news = news(&new.state, new.doubt, old.account, dossier(old), now)?;
        transact!(self.registries().store(), |tx| {
            if tables::change(&tx, &new, &old.state).await? && new.state != old.state {
                tx.enqueue_all(news.as_slice(), now).await?;
            }
            Ok(())
        })
    }

    /// What the signed-in person contests of registries of other nodes, the newest first, by the ids that these gave.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for an officer.
    pub async fn doubts_elsewhere(&self, ctx: &Ctx) -> Result<Vec<(Uuid, Standing)>> {
        let account = ctx.person()?.account;
        let rows = tables::of_account(&self.registries().store().read(), account.uuid(), MOST_OWN).await?;
        let all = rows.into_iter().map(|row| Ok((row.doubt, standing(row)?)));
        all.collect()
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

/// The row of what another node has taken in now; who contests what of it is filled in.
fn told(registry: &str, taken: &TakenBody, now: Timestamp) -> ContestedRow {
    let due = Timestamp::parse_rfc3339(&taken.answer_by).unwrap_or(now);
    ContestedRow {
        registry: registry.to_owned(),
        doubt: taken.id,
        told_as: String::new(),
        label_vi: String::new(),
        label_en: String::new(),
        dossier: String::new(),
        account: None,
        reason: String::new(),
        filed: String::new(),
        state: DoubtState::Received.code().to_owned(),
        open: true,
        question: String::new(),
        answer: String::new(),
        answered_by: String::new(),
        answered_at: None,
        told_at: now.micros(),
        due_at: due.micros(),
    }
}

/// The dossier in which something came up, if it came up in one.
fn dossier(row: &ContestedRow) -> Option<&str> {
    Some(row.dossier.as_str()).filter(|dossier| !dossier.is_empty())
}

/// Whose doubt it is, for who keeps the registry.
fn whose<'a>(row: &'a ContestedRow, number: &'a PersonNumber) -> Whose<'a> {
    dossier(row).map_or(Whose::Person(number), Whose::Dossier)
}

/// That a registry of another node says nothing at the moment.
pub(in crate::quality) fn silent() -> Error {
    Error::refused(
        Kind::Unavailable,
        "registry-silent",
        "Cơ sở dữ liệu chưa trả lời, xin thử lại sau.",
        "The registry has not answered; please try again later.",
    )
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
        dossier: Some(row.dossier).filter(|dossier| !dossier.is_empty()),
        reason: row.reason,
        state,
        told_at: Timestamp::from_micros(row.told_at),
        due_at: Timestamp::from_micros(row.due_at),
        question: row.question,
        answer: answered.map(|at| (at, row.answered_by, row.answer)),
    })
}
