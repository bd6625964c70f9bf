//! What a steward does with a doubt, and what the reporter says to that.

use base::{Error, Kind, Result, Timestamp};
use identity::{Ctx, Permission};
use store::transact;
use uuid::Uuid;

use super::{
    Doubt, DoubtId, DoubtState, LONGEST, Reporter, count, news, no_doubt, person_elsewhere,
    tables::{self, DoubtRow, Filter},
};
use crate::{
    model::RegistryCode,
    quality::{
        Place, Quality, Whose,
        correcting::{Correction, Edit, said},
        stored_code,
    },
    service::{RecordView, Slice},
};

/// A doubt beside its record.
#[derive(Debug, Clone)]
pub struct DoubtView {
    /// The doubt.
    pub doubt: Doubt,
    /// What holds of the record now.
    pub record: Option<RecordView>,
}

impl Quality {
    /// The doubts of a registry that are open, or those that are answered; the clock that runs out first comes first.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn doubts(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        open: bool,
        whose: Whose,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Slice<Doubt>> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let owner = match whose {
            Whose::Mine => Some(ctx.officer()?.officer.uuid()),
            Whose::All | Whose::Overdue => None,
        };
        let filter = Filter {
            open,
            owner,
            before: (whose == Whose::Overdue).then_some(ctx.now),
            after: after.map(|place| place.parts()),
        };
        let mut rows = tables::list(&self.registries().store().read(), code, &filter, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| format!("{}.{}", row.next_due, row.id));
        let items = rows.into_iter().map(Doubt::of).collect::<Result<_>>()?;
        Ok(Slice { items, next })
    }

    /// How many open doubts of a registry have run out of time; counted up to [`super::MOST_OVERDUE`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn overdue_doubts(&self, code: &RegistryCode, now: Timestamp) -> Result<i64> {
        tables::overdue(&self.registries().store().read(), code, now, super::MOST_OVERDUE).await
    }

    /// A doubt beside its record. The read is told to those whom the record is about.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`; `Unavailable` when the read could not be logged.
    pub async fn doubt_view(&self, ctx: &Ctx, code: &RegistryCode, id: DoubtId) -> Result<DoubtView> {
        let row = self.kept(ctx, code, id).await?;
        let record = self.record(ctx, code, row.record_id).await?;
        Ok(DoubtView {
            doubt: Doubt::of(row)?,
            record,
        })
    }

    /// A doubt of a registry, as kept, for its steward.
    pub(super) async fn kept(&self, ctx: &Ctx, code: &RegistryCode, id: DoubtId) -> Result<DoubtRow> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let row = tables::by_id(&self.registries().store().read(), id.uuid()).await?;
        row.filter(|row| row.registry == code.as_str()).ok_or_else(no_doubt)
    }

    /// The steward has it and sees to it: from now on the clock of the answer runs.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `Conflict` when it is acknowledged already, or answered.
    pub async fn acknowledge(&self, ctx: &Ctx, code: &RegistryCode, id: DoubtId) -> Result<()> {
        let row = self.kept(ctx, code, id).await?;
        self.go_on(ctx, row, &[DoubtState::Received], |row| {
            row.state = DoubtState::Acknowledged.code().to_owned();
            Ok(())
        })
        .await
    }

    /// Asks the reporter for evidence; the clock of the answer stands until it comes.
    ///
    /// # Errors
    /// `Invalid` without a question; `Forbidden`; `NotFound`; `Conflict` when it is answered already.
    pub async fn ask(&self, ctx: &Ctx, code: &RegistryCode, id: DoubtId, question: &str) -> Result<()> {
        let row = self.kept(ctx, code, id).await?;
        let question = said(question, "question", LONGEST)?;
        self.go_on(ctx, row, &[DoubtState::Received, DoubtState::Acknowledged], |row| {
            row.state = DoubtState::Asked.code().to_owned();
            row.asked_at = Some(ctx.now.micros());
            row.question.clone_from(&question);
            Ok(())
        })
        .await
    }

    /// Says that the record is right, and why.
    ///
    /// # Errors
    /// `Invalid` without a reason; `Forbidden`; `NotFound`; `Conflict` when it is answered already.
    pub async fn refuse_doubt(&self, ctx: &Ctx, code: &RegistryCode, id: DoubtId, reason: &str) -> Result<()> {
        let row = self.kept(ctx, code, id).await?;
        let reason = said(reason, "reason", LONGEST)?;
        self.answer(ctx, row, DoubtState::Refused, reason, None).await
    }

    /// Says that the doubt was right: the record is corrected by these edits, with the doubt as their source. Without edits it was
    /// corrected otherwise before, and the answer says how.
    ///
    /// # Errors
    /// Those of [`Self::correct`]: of two stewards the second is told who was faster; `Invalid` without an answer;
    /// `Conflict` when it is answered already.
    pub async fn uphold(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: DoubtId,
        seen: i64,
        edits: Vec<Edit>,
        answer: &str,
    ) -> Result<()> {
        let row = self.kept(ctx, code, id).await?;
        if !row.open {
            return Err(answered(&row));
        }
        let answer = said(answer, "answer", LONGEST)?;
        let corrected = if edits.is_empty() {
            None
        } else {
            let correction = Correction {
                record: row.record_id,
                seen,
                edits,
                source: format!("Phản ánh {id} của {}", row.reporter),
                key: format!("doubt/{id}/{seen}"),
            };
            Some(self.correct(ctx, code, &correction).await?.seq)
        };
        self.answer(ctx, row, DoubtState::Upheld, answer, corrected).await
    }

    async fn answer(
        &self,
        ctx: &Ctx,
        row: DoubtRow,
        state: DoubtState,
        answer: String,
        corrected: Option<i64>,
    ) -> Result<()> {
        let open = [DoubtState::Received, DoubtState::Acknowledged, DoubtState::Asked];
        self.go_on(ctx, row, &open, |row| {
            row.state = state.code().to_owned();
            row.answered_at = Some(ctx.now.micros());
            row.answered_by = Some(ctx.actor_name().to_owned());
            row.answer.clone_from(&answer);
            row.corrected_seq = corrected;
            Ok(())
        })
        .await
    }

    /// What a steward does to a doubt in one of these states: whoever does it first has seen to it, and the reporter has news.
    async fn go_on(
        &self,
        ctx: &Ctx,
        old: DoubtRow,
        states: &[DoubtState],
        change: impl Fn(&mut DoubtRow) -> Result<()>,
    ) -> Result<()> {
        if !states.iter().any(|state| state.code() == old.state) {
            return Err(answered(&old));
        }
        let officer = ctx.officer()?;
        let mut new = old.clone();
        change(&mut new)?;
        new.acknowledged_at = old.acknowledged_at.or(Some(ctx.now.micros()));
        new.owner = old.owner.or(Some(officer.officer.uuid()));
        new.owner_name = old.owner_name.clone().or_else(|| Some(officer.name.clone()));
        new.seen = false;
        self.put(ctx.now, &old, new).await
    }

    /// Puts a changed doubt in the place of the old one, and counts.
    async fn put(&self, now: Timestamp, old: &DoubtRow, mut new: DoubtRow) -> Result<()> {
        let code = stored_code(&old.registry)?;
        let state = DoubtState::ALL.into_iter().find(|state| state.code() == new.state);
        new.open = state.is_some_and(DoubtState::is_open);
        new.next_due = new.answer_due;
        let mut counts = Vec::new();
        if old.open && !new.open {
            counts.push(("doubts/open", -1));
        }
        match state {
            Some(DoubtState::Upheld | DoubtState::Refused) => {
                counts.push(("doubts/answered", 1));
                if new.answered_at.is_some_and(|at| at <= new.answer_due) {
                    counts.push(("doubts/in-time", 1));
                }
                if state == Some(DoubtState::Upheld) {
                    counts.push(("doubts/upheld", 1));
                }
            }
            Some(DoubtState::Withdrawn) => counts.push(("doubts/withdrawn", 1)),
            _ => {}
        }
        // Officers see the news of what they reported on their desk.
        let person = new.reporter_id.filter(|_| new.reporter_kind != "officer");
        let moved = old.state != new.state;
        let news = news(
            &new.state,
            new.id,
            person.filter(|_| moved),
            new.dossier.as_deref(),
            now,
        )?;
        transact!(self.registries().store(), |tx| {
            if !tables::change(&tx, &new, &old.state).await? {
                return Err(answered(old));
            }
            tx.enqueue_all(news.as_slice(), now).await?;
            count(&tx, &code, now, &counts).await
        })
    }

    /// The reporter gives the evidence that was asked for: a text, or files that have come since ([`Self::add_files`]), or both. The answer
    /// is due as many working days later as it was when they were asked.
    ///
    /// # Errors
    /// `Invalid` without either; `NotFound`, also of others' doubts, and of who may not speak of the record any more; `Conflict` when
    /// nothing is asked.
    pub async fn reply(&self, ctx: &Ctx, id: DoubtId, text: &str) -> Result<()> {
        let old = self.speaking_row(ctx, id).await?;
        self.give(ctx, old, text).await
    }

    /// One's own doubt, if one may still speak of its record.
    pub(super) async fn speaking_row(&self, ctx: &Ctx, id: DoubtId) -> Result<DoubtRow> {
        let row = self.own_row(ctx, id).await?;
        if row.reporter_kind == "person" {
            self.is_about(ctx, &stored_code(&row.registry)?, row.record_id).await?;
        }
        Ok(row)
    }

    /// The same for who reported at another node; in a dossier where the doubt came up in one.
    ///
    /// # Errors
    /// As [`Self::reply`].
    pub(in crate::quality) async fn reply_from_elsewhere(
        &self,
        ctx: &Ctx,
        by: &Reporter,
        dossier: Option<&str>,
        code: &RegistryCode,
        id: Uuid,
        text: &str,
    ) -> Result<Doubt> {
        let old = self.speaking_elsewhere(ctx, by, dossier, code, id).await?;
        self.give(ctx, old, text).await?;
        self.standing_now(id).await
    }

    /// Who reported at another node takes a doubt back. One that is taken back already is as good as taken back.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts; `Conflict` when it is answered already.
    pub(in crate::quality) async fn withdraw_from_elsewhere(
        &self,
        ctx: &Ctx,
        by: &Reporter,
        dossier: Option<&str>,
        code: &RegistryCode,
        id: Uuid,
    ) -> Result<Doubt> {
        let old = self.row_from_elsewhere(by, dossier, code, id).await?;
        if old.state != DoubtState::Withdrawn.code() {
            self.withdraw(ctx, old).await?;
        }
        self.standing_now(id).await
    }

    async fn standing_now(&self, id: Uuid) -> Result<Doubt> {
        let row = tables::by_id(&self.registries().store().read(), id).await?;
        row.map_or_else(|| Err(no_doubt()), Doubt::of)
    }

    /// A doubt of who reported at another node, if they may still speak of its record.
    pub(super) async fn speaking_elsewhere(
        &self,
        ctx: &Ctx,
        by: &Reporter,
        dossier: Option<&str>,
        code: &RegistryCode,
        id: Uuid,
    ) -> Result<DoubtRow> {
        let row = self.row_from_elsewhere(by, dossier, code, id).await?;
        if let Reporter::PersonElsewhere { number, .. } = by {
            self.is_about_number(ctx, code, row.record_id, number.as_str()).await?;
        }
        Ok(row)
    }

    async fn row_from_elsewhere(
        &self,
        by: &Reporter,
        dossier: Option<&str>,
        code: &RegistryCode,
        id: Uuid,
    ) -> Result<DoubtRow> {
        let is_theirs = |row: &DoubtRow| match by {
            Reporter::PersonElsewhere { client, number, .. } => {
                row.reporter_kind == "person"
                    && row.reporter_agency == *client
                    && row.reporter == person_elsewhere(number)
            }
            Reporter::ProcedureElsewhere(client) => {
                row.reporter_kind == "procedure" && row.reporter_agency == *client && row.dossier.as_deref() == dossier
            }
            Reporter::Caller | Reporter::System(..) | Reporter::Procedure(..) => false,
        };
        let row = tables::by_id(&self.registries().store().read(), id).await?;
        let row = row.filter(|row| row.registry == code.as_str() && is_theirs(row));
        row.ok_or_else(no_doubt)
    }

    /// Evidence comes to a doubt, once for each time that it is asked for. It may be files alone.
    async fn give(&self, ctx: &Ctx, old: DoubtRow, text: &str) -> Result<()> {
        let (true, Some(asked)) = (old.state == DoubtState::Asked.code(), old.asked_at) else {
            return Err(nothing_asked());
        };
        let text = match text.trim() {
            "" if self.has_files_since(old.id, asked).await? => String::new(),
            text => said(text, "evidence", LONGEST)?,
        };
        let mut new = old.clone();
        new.state = DoubtState::Acknowledged.code().to_owned();
        new.evidence = format!("{}\n{text}", old.evidence).trim().to_owned();
        let (asked, due) = (Timestamp::from_micros(asked), Timestamp::from_micros(old.answer_due));
        let left = self
            .calendar()
            .working_days_between(asked.legal_date(), due.legal_date());
        new.answer_due = self.due(ctx.now, u32::try_from(left).unwrap_or(0)).micros();
        new.asked_at = None;
        self.put(ctx.now, &old, new).await
    }

    /// The reporter takes a doubt back.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts; `Conflict` when it is answered already.
    pub async fn withdraw_doubt(&self, ctx: &Ctx, id: DoubtId) -> Result<()> {
        let old = self.own_row(ctx, id).await?;
        self.withdraw(ctx, old).await
    }

    async fn withdraw(&self, ctx: &Ctx, old: DoubtRow) -> Result<()> {
        if !old.open {
            return Err(answered(&old));
        }
        let mut new = old.clone();
        new.state = DoubtState::Withdrawn.code().to_owned();
        self.put(ctx.now, &old, new).await
    }
}

/// The refusal of evidence that nobody waits for.
fn nothing_asked() -> Error {
    Error::refused(
        Kind::Conflict,
        "doubt-moved-on",
        "Phản ánh này không chờ bổ sung bằng chứng: đã bổ sung rồi, hoặc cơ quan đã trả lời. Xem lại trước khi làm tiếp.",
        "No evidence is asked for of this doubt: it was given already, or the agency has answered. Look at it again before you go on.",
    )
}

/// The refusal of who comes too late.
pub(super) fn answered(row: &DoubtRow) -> Error {
    let who = row
        .answered_by
        .clone()
        .or_else(|| row.owner_name.clone())
        .unwrap_or_default();
    if who.is_empty() {
        return Error::refused(
            Kind::Conflict,
            "doubt-moved-on",
            "Phản ánh đã chuyển sang trạng thái khác. Xem lại trước khi làm tiếp.",
            "The doubt has moved on. Look at it again before you go on.",
        );
    }
    Error::refused(
        Kind::Conflict,
        "doubt-moved-on",
        format!("{who} đã xử lý phản ánh này. Xem lại trước khi làm tiếp."),
        format!("{who} has dealt with this doubt. Look at it again before you go on."),
    )
}
