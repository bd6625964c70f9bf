//! The queue of a steward: what breaks which rule, who sees to it, until when; and what is excused.

use base::{Error, Kind, Result, Timestamp};
use identity::{Ctx, OfficerId, Permission};
use store::{Read, transact};
use uuid::Uuid;

use super::{
    PURPOSE, Quality,
    correcting::{Correction, Edit},
    judging::Counts,
    month_of, no_finding,
    tables::{self, Filter, FindingRow},
};
use crate::{
    model::{Dimension, Name, Proposal, Registry, RegistryCode, Rule},
    service::{Mask, Purpose, RecordView, Slice, When, Written},
};

/// As stored.
pub(super) const OPEN: &str = "open";
pub(super) const MENDED: &str = "mended";
pub(super) const EXCUSED: &str = "excused";
/// The longest excuse, in characters.
const LONGEST: usize = 1_000;

base::typed_id!(
    /// One rule that one record breaks.
    FindingKey as FindingId
);

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The record breaks the rule.
    Open,
    /// It does not any more.
    Mended,
    /// A steward has said why it is right all the same.
    Excused,
}

/// A rule that a record breaks (vi phạm chất lượng).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// The record.
    pub record: Uuid,
    /// The rule.
    pub rule: Name,
    /// The side of quality.
    pub dimension: Dimension,
    /// How it stands.
    pub state: State,
    /// The version that broke the rule first.
    pub seq: i64,
    /// Since when it is known.
    pub first_seen: Timestamp,
    /// Until when it is to be mended or excused.
    pub due_at: Timestamp,
    /// The officer who sees to it; the agency where there is none.
    pub owner: Option<(OfficerId, String)>,
    /// When it was mended or excused.
    pub closed_at: Option<Timestamp>,
    /// The version that mended it.
    pub mended_by: Option<i64>,
    /// Why it is right all the same, and who said so.
    pub excuse: Option<(String, String)>,
}

/// A finding with its record as it is now.
#[derive(Debug, Clone)]
pub struct FindingView {
    /// The finding.
    pub finding: Finding,
    /// What holds of the record; none where nothing does any more.
    pub record: Option<RecordView>,
    /// What the machine proposes, to be chosen from.
    pub proposals: Vec<Proposal>,
}

/// Whose findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whose {
    /// Everybody's.
    #[default]
    All,
    /// Those that the asking officer sees to.
    Mine,
    /// Those that are overdue.
    Overdue,
}

/// What of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Whose.
    pub whose: Whose,
    /// How they stand; open ones where it is not said.
    pub state: Option<State>,
    /// Of this rule.
    pub rule: Option<Name>,
    /// Of this side of quality.
    pub dimension: Option<Dimension>,
    /// The place after which the page begins.
    pub after: Option<Place>,
    /// The most findings of a page.
    pub limit: u32,
}

/// A place in the queue: the due instant and the id of the last that was shown, as in addresses: `1764032400000000.0194…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(i64, Uuid);

impl Place {
    pub(super) const fn parts(self) -> (i64, Uuid) {
        (self.0, self.1)
    }

    /// Reads a place.
    pub fn read(text: &str) -> Option<Self> {
        let (due, id) = text.split_once('.')?;
        Some(Self(due.parse().ok()?, id.parse().ok()?))
    }
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Excused, Self::Mended];

    /// As stored and in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => OPEN,
            Self::Mended => MENDED,
            Self::Excused => EXCUSED,
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl Finding {
    fn of(row: FindingRow) -> Result<Self> {
        let unknown = || Error::internal("a finding says what nobody knows");
        Ok(Self {
            id: FindingId::from_uuid(row.id),
            record: row.record_id,
            rule: row.rule.parse().map_err(Error::internal)?,
            dimension: Dimension::from_code(&row.dimension).ok_or_else(unknown)?,
            state: State::from_code(&row.state).ok_or_else(unknown)?,
            seq: row.seq,
            first_seen: Timestamp::from_micros(row.first_seen),
            due_at: Timestamp::from_micros(row.due_at),
            owner: row.owner.map(OfficerId::from_uuid).zip(row.owner_name),
            closed_at: row.closed_at.map(Timestamp::from_micros),
            mended_by: row.closed_seq,
            excuse: row.excuse.zip(row.excused_by),
        })
    }

    /// Whether its clock has run out.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.state == State::Open && self.due_at < now
    }
}

impl Registry {
    /// A rule by its id.
    pub fn rule(&self, id: &Name) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == *id)
    }
}

impl Quality {
    /// The queue of a registry, what is due first coming first. Nothing in it says what records say.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn queue(&self, ctx: &Ctx, code: &RegistryCode, wanted: &Wanted) -> Result<Slice<Finding>> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let owner = match (wanted.whose, &ctx.actor) {
            (Whose::Mine, identity::Actor::Officer(officer)) => Some(officer.officer.uuid()),
            (Whose::Mine, _) => return Err(Error::forbidden()),
            _ => None,
        };
        let filter = Filter {
            state: wanted.state.unwrap_or(State::Open).code(),
            rule: wanted.rule.as_ref().map(Name::as_str),
            dimension: wanted.dimension.map(Dimension::code),
            owner,
            before: (wanted.whose == Whose::Overdue).then_some(ctx.now),
            after: wanted.after.map(Place::parts),
        };
        let db = self.registries().store().read();
        let mut rows = tables::list(&db, code, &filter, wanted.limit + 1).await?;
        let more = rows.len() > wanted.limit as usize;
        rows.truncate(wanted.limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| format!("{}.{}", row.due_at, row.id));
        let items = rows.into_iter().map(Finding::of).collect::<Result<_>>()?;
        Ok(Slice { items, next })
    }

    /// How many findings of a registry are open.
    ///
    /// # Errors
    /// The database failed.
    pub async fn open_findings(&self, code: &RegistryCode, now: Timestamp) -> Result<i64> {
        let stood = tables::stood(&self.registries().store().read(), code, month_of(now)).await?;
        let of_rules = stood.iter().filter(|(measure, _)| measure.starts_with("rule/"));
        Ok(of_rules.map(|(_, n)| n).sum())
    }

    /// A finding beside its record. The read is told to those whom the record is about.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`; `Unavailable` when the read could not be logged.
    pub async fn finding(&self, ctx: &Ctx, code: &RegistryCode, id: FindingId) -> Result<FindingView> {
        let (_, registry) = self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let row = self.row(&self.registries().store().read(), code, id).await?;
        let record = self.record(ctx, code, row.record_id).await?;
        let finding = Finding::of(row)?;
        let rule = registry.rule(&finding.rule);
        let mut proposals = Vec::new();
        if let (State::Open, Some(rule), Some(record)) = (finding.state, rule, &record) {
            proposals = self.proposals(ctx, &registry, rule, record).await?;
        }
        Ok(FindingView {
            proposals,
            finding,
            record,
        })
    }

    /// What holds of a record now, for a steward.
    pub(super) async fn record(&self, ctx: &Ctx, code: &RegistryCode, record: Uuid) -> Result<Option<RecordView>> {
        let purpose = Purpose::read(PURPOSE, "", "")?;
        let read = self
            .registries()
            .read(ctx, &purpose, code, &record.to_string(), When::default(), &Mask::ALL)
            .await;
        match read {
            Ok(view) => Ok(Some(view)),
            Err(Error::Refused(Kind::NotFound, _)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn row(&self, db: &impl Read, code: &RegistryCode, id: FindingId) -> Result<FindingRow> {
        let row = tables::finding(db, id.uuid()).await?;
        row.filter(|row| row.registry == code.as_str()).ok_or_else(no_finding)
    }

    /// Changes an open finding, and the counters with it. Nobody judges the registry meanwhile.
    async fn change(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FindingId,
        change: impl Fn(&mut FindingRow) -> Result<()>,
    ) -> Result<()> {
        transact!(self.registries().store(), |tx| {
            tables::turn(&tx, code).await?;
            let mut row = self.row(&tx, code, id).await?;
            if row.state != OPEN {
                return Err(closed());
            }
            let mut of_record = tables::standing_findings(&tx, &[row.record_id]).await?;
            let mut findings = of_record.remove(&row.record_id).unwrap_or_default();
            let mut counts = Counts::default();
            counts.record(false, &findings, -1);
            change(&mut row)?;
            tables::change(&tx, &row, OPEN).await?;
            if let Some(old) = findings.iter_mut().find(|finding| finding.id == row.id) {
                *old = row;
            }
            counts.record(false, &findings, 1);
            tables::count(&tx, code, month_of(ctx.now), &counts.0).await
        })
    }

    /// The officer sees to a finding from now on; or, with `false`, the agency does again.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`; `Conflict` when it is not open any more, or somebody
    /// else sees to it.
    pub async fn take(&self, ctx: &Ctx, code: &RegistryCode, id: FindingId, take: bool) -> Result<()> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let officer = ctx.officer()?;
        self.change(ctx, code, id, |row| {
            if row.owner.is_some_and(|owner| owner != officer.officer.uuid()) {
                let name = row.owner_name.clone().unwrap_or_default();
                return Err(Error::refused(
                    Kind::Conflict,
                    "taken",
                    format!("{name} đã nhận xử lý việc này."),
                    format!("{name} sees to this already."),
                ));
            }
            row.owner = take.then(|| officer.officer.uuid());
            row.owner_name = take.then(|| officer.name.clone());
            Ok(())
        })
        .await
    }

    /// Says why a record is right all the same. The excuse holds for the values that the rule looks at, and no others.
    ///
    /// # Errors
    /// `Invalid` without a reason; `Forbidden` for who is no steward of the registry's agency; `NotFound`; `Conflict` when it is not
    /// open any more.
    pub async fn excuse(&self, ctx: &Ctx, code: &RegistryCode, id: FindingId, reason: &str) -> Result<()> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let reason = super::correcting::said(reason, "reason", LONGEST)?;
        let officer = ctx.officer()?;
        self.change(ctx, code, id, |row| {
            EXCUSED.clone_into(&mut row.state);
            row.closed_at = Some(ctx.now.micros());
            row.excuse = Some(reason.clone());
            row.excused_by = Some(officer.name.clone());
            Ok(())
        })
        .await
    }

    /// Corrects the record of a finding. The finding closes when the record does not break the rule any more.
    ///
    /// # Errors
    /// Those of [`Self::correct`]; `NotFound`; `Conflict` when the finding is not open any more.
    pub async fn mend(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FindingId,
        seen: i64,
        edits: Vec<Edit>,
    ) -> Result<Written> {
        let row = self.row(&self.registries().store().read(), code, id).await?;
        if row.state != OPEN {
            return Err(closed());
        }
        let correction = Correction {
            record: row.record_id,
            seen,
            edits,
            source: format!("Rà soát chất lượng dữ liệu, quy tắc {}", row.rule),
            key: format!("finding/{id}/{seen}"),
        };
        self.correct(ctx, code, &correction).await
    }
}

pub(super) fn closed() -> Error {
    Error::refused(
        Kind::Conflict,
        "not-open",
        "Việc này đã được xử lý xong.",
        "This has been dealt with already.",
    )
}
