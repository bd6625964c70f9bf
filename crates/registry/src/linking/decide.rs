//! What a steward decides about a pair.

use base::{Error, Kind, Problems, Result, Text, Timestamp};
use identity::{Ctx, Permission};
use store::transact;
use uuid::Uuid;

use super::groups;
use crate::{
    history::Moment,
    model::RegistryCode,
    quality::Naming,
    service::{Change, Provenance, RecordId, Registries, Seen, Slice, With, write},
    store::{
        merges::{self, MergeRow},
        pairs::{self as tables, PairRow},
        write::newest,
    },
};

base::typed_id!(
    /// Two records of a registry that may speak of the same.
    PairMark as PairId
);

/// The longest reason, in characters.
const LONGEST: usize = 200;

/// How a pair stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody should look at it.
    Open,
    /// Somebody has, and could not say.
    Later,
    /// They speak of different persons or things.
    Different,
    /// The one record was ended in favour of the other.
    Merged,
}

/// A pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Which.
    pub id: PairId,
    /// The records, the older first.
    pub records: [RecordId; 2],
    /// How much speaks for it, in bits.
    pub weight: f64,
    /// Why, in words that say nothing of the values.
    pub reason: Text,
    /// How it stands.
    pub state: State,
    /// The record that the merge has ended.
    pub ended: Option<RecordId>,
    /// Its version, which a decision names as seen.
    pub version: i64,
}

/// One decision that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What: `same`, `different`, `later`, `undo`.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Which of the two records stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The older.
    First,
    /// The newer.
    Second,
}

/// What a steward found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same: the other record ends.
    Same(Keep),
    /// Different persons or things.
    Different,
    /// It cannot be said yet.
    Later,
    /// The decision before was wrong.
    Undo,
}

impl State {
    /// As stored, and in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Later => "later",
            Self::Different => "different",
            Self::Merged => "merged",
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Open, Self::Later, Self::Different, Self::Merged];
        all.into_iter().find(|state| state.code() == code)
    }

    /// The word for it.
    pub fn label(self) -> Text {
        match self {
            Self::Open => Text::new("Chờ xem xét", "To be looked at"),
            Self::Later => Text::new("Để lại sau", "Left for later"),
            Self::Different => Text::new("Khác nhau", "Different"),
            Self::Merged => Text::new("Đã hợp nhất", "Merged"),
        }
    }
}

impl Verdict {
    /// As stored.
    const fn code(self) -> &'static str {
        match self {
            Self::Same(_) => "same",
            Self::Different => "different",
            Self::Later => "later",
            Self::Undo => "undo",
        }
    }

    /// Whether it can be said of a pair that stands so.
    const fn fits(self, state: State) -> bool {
        match self {
            Self::Same(_) | Self::Different | Self::Later => matches!(state, State::Open | State::Later),
            Self::Undo => matches!(state, State::Different | State::Merged),
        }
    }
}

impl Registries {
    /// The pairs of a state, the likeliest first. They say nothing of what the records say.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `Invalid` for a place that was never given.
    pub async fn pairs(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        state: State,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Slice<Pair>> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let after = after.map(place).transpose()?;
        let limit = limit as usize;
        let mut rows = tables::list(&self.store().read(), code, state.code(), after, limit as i64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| format!("{}_{}", row.weight, row.id));
        Ok(Slice {
            items: rows.into_iter().map(pair).collect::<Result<_>>()?,
            next,
        })
    }

    /// A pair, and what was decided about it.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn pair(&self, ctx: &Ctx, code: &RegistryCode, id: PairId) -> Result<(Pair, Vec<Act>)> {
        self.open(ctx, code, Permission::KeepRegistry)?;
        let read = self.store().read();
        let row = tables::get(&read, code, id.uuid()).await?.ok_or_else(no_pair)?;
        let acts = tables::acts(&read, id.uuid()).await?;
        let act = |act: tables::ActRow| Act {
            at: Timestamp::from_micros(act.at),
            actor: act.actor,
            what: act.what,
            why: act.why,
        };
        Ok((pair(row)?, acts.into_iter().map(act).collect()))
    }

    /// Decides about a pair that was seen in a version. A merge ends the record that does not stay, from today on; its undoing takes
    /// that end away. Whoever names the record by a key is judged again: its steward finds that another stands in its place, or does no
    /// more.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `Invalid` without a reason; `Conflict` when somebody else was faster
    /// (it says who, and when), when the pair does not stand so, when it contradicts what was decided about other pairs of the group,
    /// or when the record cannot be ended or come back; `NotFound`.
    pub async fn decide(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: PairId,
        seen: i64,
        verdict: Verdict,
        why: &str,
    ) -> Result<()> {
        let (editions, registry) = self.open(ctx, code, Permission::KeepRegistry)?;
        let why = reason(why)?;
        transact!(self.store(), |tx| {
            tables::turn(&tx, code).await?;
            let mut row = tables::get(&tx, code, id.uuid()).await?.ok_or_else(no_pair)?;
            if row.version != seen {
                return Err(decided(tables::acts(&tx, id.uuid()).await?.last()));
            }
            if !verdict.fits(state(&row)?) {
                return Err(not_so());
            }
            groups::agrees(&tx, &row, verdict).await?;
            let naming = Naming::held(&tx, self, code, &[row.one_id, row.other_id]).await?;
            let from = |what: String| Provenance {
                source: what,
                ..Provenance::default()
            };
            let state = match verdict {
                Verdict::Different => State::Different,
                Verdict::Later => State::Later,
                Verdict::Same(keep) => {
                    let (gone, kept) = match keep {
                        Keep::First => (row.other_id, row.one_id),
                        Keep::Second => (row.one_id, row.other_id),
                    };
                    let change = Change::End {
                        record: self.seen(&tx, code, gone).await?,
                        at: Moment::of(ctx.now, registry.valid_time),
                    };
                    let source = write::complete(&from(format!("Hợp nhất vào bản ghi {kept}: {why}")), &registry)?;
                    let written = write::within(&tx, ctx, &editions, change, &source).await?;
                    (row.ended_id, row.ended_seq) = (Some(gone), Some(written.seq));
                    merges::note(&tx, &MergeRow::new(gone, written.seq, kept)).await?;
                    State::Merged
                }
                Verdict::Undo => {
                    if let (Some(record), Some(corrects)) = (row.ended_id.take(), row.ended_seq.take()) {
                        let kept = if record == row.one_id { row.other_id } else { row.one_id };
                        let change = Change::Correct {
                            record: self.seen(&tx, code, record).await?,
                            corrects,
                            with: With::Void,
                        };
                        let source = write::complete(&from(format!("Hoàn tác hợp nhất: {why}")), &registry)?;
                        let written = write::within(&tx, ctx, &editions, change, &source).await?;
                        merges::note(&tx, &MergeRow::new(record, written.seq, kept)).await?;
                    }
                    State::Open
                }
            };
            state.code().clone_into(&mut row.state);
            if !tables::decide(&tx, &row, ctx.now, ctx.actor_name(), verdict.code(), &why).await? {
                return Err(decided(tables::acts(&tx, id.uuid()).await?.last()));
            }
            match verdict {
                Verdict::Same(_) | Verdict::Undo => naming.judge_again(&tx, ctx.now).await,
                Verdict::Different | Verdict::Later => Ok(()),
            }
        })
    }

    async fn seen(&self, tx: &store::Tx, code: &RegistryCode, record: Uuid) -> Result<Seen> {
        let newest = newest(tx, code, record).await?.ok_or_else(no_pair)?;
        Ok(Seen {
            record: RecordId::from_uuid(record),
            seq: newest.seq,
        })
    }
}

fn state(row: &PairRow) -> Result<State> {
    State::from_code(&row.state).ok_or_else(|| Error::internal("a pair stands as nobody knows"))
}

pub(super) fn pair(row: PairRow) -> Result<Pair> {
    Ok(Pair {
        state: state(&row)?,
        id: PairId::from_uuid(row.id),
        records: [row.one_id, row.other_id].map(RecordId::from_uuid),
        weight: row.weight as f64 / 1000.0,
        reason: Text::new(row.reason_vi, row.reason_en),
        ended: row.ended_id.map(RecordId::from_uuid),
        version: row.version,
    })
}

/// Reads the place after which a page begins.
pub(super) fn place(text: &str) -> Result<(i64, Uuid)> {
    let parts = text.split_once('_');
    let place = parts.and_then(|(weight, id)| Some((weight.parse().ok()?, id.parse().ok()?)));
    place.ok_or_else(|| {
        let mut problems = Problems::new();
        problems.add(
            "bad-cursor",
            "cursor",
            "Vị trí trang không đúng; mở lại từ đầu.",
            "There is no such place; begin again.",
        );
        Error::Refused(Kind::Invalid, problems)
    })
}

fn reason(why: &str) -> Result<String> {
    let why = why.trim();
    if !why.is_empty() && why.chars().count() <= LONGEST && !why.chars().any(char::is_control) {
        return Ok(why.to_owned());
    }
    let mut problems = Problems::new();
    problems.add(
        "reason-wanted",
        "why",
        format!("Nêu lý do để người khác xem lại được: một dòng, tối đa {LONGEST} ký tự."),
        format!("Say why, so that others can judge it: one line of at most {LONGEST} characters."),
    );
    Err(Error::Refused(Kind::Invalid, problems))
}

pub(super) fn no_pair() -> Error {
    Error::not_found("cặp bản ghi", "pair of records")
}

fn decided(last: Option<&tables::ActRow>) -> Error {
    let who = last.map(|act| (act.actor.clone(), Timestamp::from_micros(act.at).display()));
    let (vi, en) = match who {
        Some((who, at)) => (
            format!(
                "{who} đã quyết định về cặp này lúc {at}, sau khi quý vị xem. Xem lại rồi quyết định tiếp nếu còn cần."
            ),
            format!("{who} decided about this pair at {at}, after you had looked. Look again, and decide if need be."),
        ),
        None => (
            "Người khác vừa quyết định về cặp này. Xem lại rồi quyết định tiếp nếu còn cần.".to_owned(),
            "Somebody else has just decided about this pair. Look again, and decide if need be.".to_owned(),
        ),
    };
    Error::refused(Kind::Conflict, "pair-decided", vi, en)
}

fn not_so() -> Error {
    Error::refused(
        Kind::Conflict,
        "pair-stands-otherwise",
        "Cặp này không ở trạng thái cho phép quyết định như vậy; xem lại cặp.",
        "As the pair stands, this cannot be decided; look at it again.",
    )
}
