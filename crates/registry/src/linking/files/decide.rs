//! What a steward says about rows, and about a file as a whole.

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Ctx, Permission};
use store::{Tx, transact};

use super::{FileActId, FileId, FileState, LineState, Order, compare, no_file, no_line, note};
use crate::{
    model::RegistryCode,
    service::{RecordId, Registries},
    store::files::{self as tables, FileRow, LineRow, NewAct, Shift},
};

/// What a steward found about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineVerdict {
    /// It is this record, one of those that were proposed.
    Same(RecordId),
    /// It is none of them.
    Nobody,
    /// What was said before was wrong.
    Undo,
}

impl LineVerdict {
    /// As stored.
    const fn code(self) -> &'static str {
        match self {
            Self::Same(_) => "same",
            Self::Nobody => "nobody",
            Self::Undo => "undo",
        }
    }
}

impl Registries {
    /// Decides about a row that was seen in a version. Gives the next row that waits for a decision. Nothing of the registry changes.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `Invalid` for a record that was not proposed; `Conflict` when somebody
    /// else was faster (it says who, and when) or the row does not stand so; `NotFound`.
    pub async fn decide_line(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FileId,
        n: i64,
        seen: i64,
        verdict: LineVerdict,
    ) -> Result<Option<i64>> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        transact!(self.store(), |tx| {
            tables::get(&tx, code, id.uuid()).await?.ok_or_else(no_file)?;
            let mut row = tables::line(&tx, id.uuid(), n).await?.ok_or_else(no_line)?;
            if row.version != seen {
                return Err(self.decided(&tx, id, n).await?);
            }
            let candidates = tables::candidates(&tx, id.uuid(), n).await?;
            let is_open = row.verdict.is_empty() && !candidates.is_empty();
            let mut shift = left(&row, verdict);
            match verdict {
                LineVerdict::Same(record) if is_open => {
                    if !candidates.iter().any(|candidate| candidate.record_id == record.uuid()) {
                        return Err(not_proposed());
                    }
                    (row.record_id, shift.same) = (Some(record.uuid()), 1);
                }
                LineVerdict::Nobody if is_open => shift.nobody = 1,
                LineVerdict::Undo if !row.verdict.is_empty() => {
                    row.record_id = None;
                    match row.verdict.as_str() {
                        "nobody" => shift.nobody = -1,
                        "together" => (shift.same, shift.together) = (-1, -1),
                        _ => shift.same = -1,
                    }
                }
                _ => return Err(not_so()),
            }
            let undone = verdict == LineVerdict::Undo;
            row.verdict = if undone {
                String::new()
            } else {
                verdict.code().to_owned()
            };
            row.decided_by = (!undone).then(|| ctx.actor_name().to_owned());
            row.decided_at = (!undone).then(|| ctx.now.micros());
            if !tables::decide(&tx, id.uuid(), &row).await? {
                return Err(self.decided(&tx, id, n).await?);
            }
            if !tables::shift(&tx, id.uuid(), shift).await? {
                return Err(no_file());
            }
            let act = NewAct {
                id: FileActId::new(ctx.now).uuid(),
                file: id.uuid(),
                n: Some(n),
                at: ctx.now,
                actor: ctx.actor_name(),
                what: verdict.code(),
                rows: 1,
            };
            tables::act(&tx, act).await
        })?;
        self.next_line(ctx, code, id, n).await
    }

    /// Takes all clear rows about which nobody has decided to be the record that was proposed; `said` is how many that was said to be.
    ///
    /// # Errors
    /// `Forbidden`; `Conflict` where it would be another number of rows, or none; `NotFound`.
    pub async fn take_clear(&self, ctx: &Ctx, code: &RegistryCode, id: FileId, said: i64) -> Result<()> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        transact!(self.store(), |tx| {
            tables::get(&tx, code, id.uuid()).await?.ok_or_else(no_file)?;
            let count = tables::take_clear(&tx, id.uuid(), ctx.actor_name(), ctx.now).await?;
            if count == 0 || count != said {
                return Err(other_number(count));
            }
            let shift = Shift {
                clear_left: -count,
                same: count,
                together: count,
                nobody: 0,
            };
            tables::shift(&tx, id.uuid(), shift).await?;
            note(&tx, ctx, id.uuid(), "together", count).await
        })
    }

    /// Takes back whatever was taken together and still stands, whoever did it.
    ///
    /// # Errors
    /// `Forbidden`; `Conflict` where there is nothing; `NotFound`.
    pub async fn untake_clear(&self, ctx: &Ctx, code: &RegistryCode, id: FileId) -> Result<()> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        transact!(self.store(), |tx| {
            tables::get(&tx, code, id.uuid()).await?.ok_or_else(no_file)?;
            let count = tables::take_back(&tx, id.uuid()).await?;
            if count == 0 {
                return Err(other_number(count));
            }
            let shift = Shift {
                clear_left: count,
                same: -count,
                together: -count,
                nobody: 0,
            };
            tables::shift(&tx, id.uuid(), shift).await?;
            note(&tx, ctx, id.uuid(), "apart", count).await
        })
    }

    /// Stops comparing; what was compared stays.
    ///
    /// # Errors
    /// `Forbidden`; `Conflict` where nothing is being compared; `NotFound`.
    pub async fn stop_file(&self, ctx: &Ctx, code: &RegistryCode, id: FileId) -> Result<()> {
        self.turn_file(ctx, code, id, FileState::Comparing, FileState::Cancelled, "cancel")
            .await
    }

    /// Goes on comparing where it was stopped.
    ///
    /// # Errors
    /// `Forbidden`; `Conflict` where it was not stopped; `NotFound`.
    pub async fn resume_file(&self, ctx: &Ctx, code: &RegistryCode, id: FileId) -> Result<()> {
        self.turn_file(ctx, code, id, FileState::Cancelled, FileState::Comparing, "resume")
            .await
    }

    async fn turn_file(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FileId,
        from: FileState,
        to: FileState,
        what: &str,
    ) -> Result<()> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let next = compare::next(&Order {
            registry: code.clone(),
            file: id.uuid(),
        })?;
        transact!(self.store(), |tx| {
            let file: FileRow = tables::get(&tx, code, id.uuid()).await?.ok_or_else(no_file)?;
            if !tables::turn(&tx, id.uuid(), from.code(), to.code()).await? {
                return Err(stands_otherwise());
            }
            note(&tx, ctx, id.uuid(), what, file.done).await?;
            if to == FileState::Comparing {
                tx.enqueue(next.clone(), ctx.now).await?;
            }
            Ok(())
        })
    }

    /// Removes the rows of a file and what was found about them; its figures stay.
    ///
    /// # Errors
    /// `Forbidden`; `Conflict` where that was done before; `NotFound`.
    pub async fn remove_file(&self, ctx: &Ctx, code: &RegistryCode, id: FileId) -> Result<()> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        transact!(self.store(), |tx| {
            let file = tables::get(&tx, code, id.uuid()).await?.ok_or_else(no_file)?;
            if !tables::remove(&tx, id.uuid()).await? {
                return Err(stands_otherwise());
            }
            note(&tx, ctx, id.uuid(), "remove", file.total).await
        })
    }

    /// Who was faster.
    async fn decided(&self, tx: &Tx, id: FileId, n: i64) -> Result<Error> {
        let row = tables::line(tx, id.uuid(), n).await?;
        let acts = tables::acts_of(tx, id.uuid(), n).await?;
        let by_row = row.and_then(|row| row.decided_by.zip(row.decided_at));
        let who = by_row.or_else(|| acts.last().map(|act| (act.actor.clone(), act.at)));
        let (vi, en) = match who {
            Some((who, at)) => {
                let at = Timestamp::from_micros(at).display();
                (
                    format!(
                        "{who} đã quyết định về dòng này lúc {at}, sau khi quý vị xem. Xem lại rồi quyết định tiếp nếu còn cần."
                    ),
                    format!(
                        "{who} decided about this row at {at}, after you had looked. Look again, and decide if need be."
                    ),
                )
            }
            None => (
                "Người khác vừa quyết định về dòng này. Xem lại rồi quyết định tiếp nếu còn cần.".to_owned(),
                "Somebody else has just decided about this row. Look again, and decide if need be.".to_owned(),
            ),
        };
        Ok(Error::refused(Kind::Conflict, "row-decided", vi, en))
    }
}

/// How many clear rows fewer, or more, wait for a decision after one about a row.
fn left(row: &LineRow, verdict: LineVerdict) -> Shift {
    let step = if verdict == LineVerdict::Undo { 1 } else { -1 };
    let is_clear = row.state == LineState::Clear.code();
    Shift {
        clear_left: if is_clear { step } else { 0 },
        ..Shift::default()
    }
}

fn not_proposed() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "not-proposed",
        "verdict",
        "Bản ghi này không có trong các ứng viên của dòng.",
        "This record is not among those proposed for the row.",
    );
    Error::Refused(Kind::Invalid, problems)
}

fn not_so() -> Error {
    Error::refused(
        Kind::Conflict,
        "row-stands-otherwise",
        "Dòng này không ở trạng thái cho phép quyết định như vậy; xem lại dòng.",
        "As the row stands, this cannot be decided; look at it again.",
    )
}

fn other_number(count: i64) -> Error {
    Error::refused(
        Kind::Conflict,
        "other-number",
        format!("Số dòng đã thay đổi, hiện là {count}; xem lại rồi thực hiện lại. Chưa có dòng nào được ghi."),
        format!("The number of rows has changed and is {count} now; look again. Nothing was recorded."),
    )
}

fn stands_otherwise() -> Error {
    Error::refused(
        Kind::Conflict,
        "file-stands-otherwise",
        "Tệp không còn ở trạng thái cho phép việc này; mở lại tệp để xem.",
        "As the file stands now, this cannot be done; open it again.",
    )
}
