//! Telling applicants, in the site: as a subscriber of entries, and once a day of what is late. Another way of telling
//! (a message to a telephone, mail) would be a further job beside [`NOTICE`]; it needs no change here.

use base::{Error, Result, Text, Timestamp};
use identity::{Ctx, Permission, Scope};
use store::{Job, jobs::Run, transact};
use uuid::Uuid;

use super::{Dossiers, jobs::Changed};
use crate::{
    model::{
        notice::{self, NoticeKind},
        state::State,
    },
    store::{self as tables, notices},
};

/// An entry that may give the applicant something to know.
pub const NOTICE: &str = "dossier.notice";
/// The daily look at what is late.
pub const DAILY: &str = "dossier.daily";
/// Rows of one step of the daily look.
const STEP: u32 = 200;
/// As many notices are shown.
pub const NOTICES: u32 = 20;

/// A notice as its person sees it.
#[derive(Debug, Clone)]
pub struct NoticeItem {
    /// Code of the dossier; empty where it is about a proposal or a record.
    pub code: String,
    /// Where it is to be seen.
    pub href: String,
    /// What.
    pub kind: NoticeKind,
    /// In words.
    pub text: Text,
    /// When it happened.
    pub at: Timestamp,
    /// Whether it was not read before.
    pub unread: bool,
}

impl Dossiers {
    /// The newest notices of the signed-in person; of one dossier only if asked.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn notices(&self, ctx: &Ctx, code: Option<&str>) -> Result<Vec<NoticeItem>> {
        let account = ctx.person()?.account;
        ctx.require(Permission::ReadOwnDossier, &Scope::Account(account))?;
        let rows = notices::newest(&self.store().read(), account.uuid(), code, NOTICES).await?;
        let item = |row: notices::NoticeRow| -> Result<NoticeItem> {
            let kind = NoticeKind::parse(&row.kind).ok_or_else(|| Error::internal("not a kind of notice"))?;
            let href = if kind.is_of_proposal() {
                format!("/my/proposals/{}", row.dossier_id)
            } else if row.code.is_empty() {
                "/my/records".to_owned()
            } else {
                format!("/dossiers/{}", row.code)
            };
            Ok(NoticeItem {
                href,
                code: row.code,
                kind,
                text: kind.text(row.named_at.map(Timestamp::from_micros)),
                at: Timestamp::from_micros(row.at),
                unread: row.read_at.is_none(),
            })
        };
        rows.into_iter().map(item).collect()
    }

    /// Notes that the signed-in person has read their notices; of one dossier only if asked.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn notices_read(&self, ctx: &Ctx, code: Option<&str>) -> Result<()> {
        let account = ctx.person()?.account;
        ctx.require(Permission::ReadOwnDossier, &Scope::Account(account))?;
        transact!(self.store(), |tx| {
            notices::read(&tx, account.uuid(), code, ctx.now).await
        })
    }

    /// Tells the applicant what an entry gives them to know. Done twice, they are told once.
    pub(super) async fn tell(&self, run: &Run, changed: &Changed) -> Result<()> {
        let log = tables::log(&self.store().read(), changed.dossier).await?;
        let upto = usize::try_from(changed.seq).map_or(log.len(), |n| n.min(log.len()));
        let told = match (
            tables::by_id(&self.store().read(), changed.dossier).await?,
            log[..upto].split_last(),
        ) {
            (Some(kept), Some((entry, before))) if !before.is_empty() => {
                let package = self.shelf().by_hash(&kept.package).await?;
                let calendar = self.calendar();
                let rules = self.rules(&package, &calendar);
                let before = State::fold(before, rules)?;
                let mut after = before.clone();
                after.apply(entry, rules)?;
                let told = notice::of(entry, &before, &after, &calendar);
                let account = after.applicant.account;
                account.map(|account| (account, after.code, entry.at, told))
            }
            _ => None,
        };
        transact!(run.store, |tx| {
            if let Some((account, code, at, told)) = &told {
                for (kind, named_at) in told {
                    let new = notices::New {
                        dossier: changed.dossier,
                        code,
                        account: *account,
                        kind: *kind,
                        cause: changed.seq,
                        at: *at,
                        named_at: *named_at,
                    };
                    notices::tell(&tx, new).await?;
                }
            }
            run.done(&tx).await
        })
    }

    /// Apologises for every dossier whose date has passed, once for each date, and sees to it that tomorrow is looked again.
    pub(super) async fn look_daily(&self, run: &Run) -> Result<()> {
        let mut after = (i64::MIN, Uuid::nil());
        loop {
            let rows = notices::late(&self.store().read(), run.now, after, STEP).await?;
            let Some(last) = rows.last().map(|r| (r.due_at, r.id)) else {
                break;
            };
            transact!(self.store(), |tx| {
                for row in &rows {
                    let Some(account) = row.account else { continue };
                    let due = Timestamp::from_micros(row.due_at);
                    let new = notices::New {
                        dossier: crate::model::action::DossierId::from_uuid(row.id),
                        code: &row.code,
                        account,
                        kind: NoticeKind::Overdue,
                        cause: row.due_at,
                        at: run.now,
                        named_at: Some(due),
                    };
                    notices::tell(&tx, new).await?;
                }
                Ok(())
            })?;
            after = last;
        }
        let next = self.next_look(run.now)?;
        transact!(self.store(), |tx| {
            run.done(&tx).await?;
            tx.enqueue(next.clone(), run.now).await
        })
    }

    /// Sees to it that lateness is looked at once now and then every working morning. Called at every start; there is never
    /// more than one look waiting, and what was told is not told again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn schedule(&self, now: Timestamp) -> Result<()> {
        let job = Job::new(DAILY, &())?.key(DAILY);
        transact!(self.store(), |tx| { tx.enqueue(job.clone(), now).await })
    }

    /// The look of the next working morning.
    fn next_look(&self, now: Timestamp) -> Result<Job> {
        let calendar = self.calendar();
        let tomorrow = calendar.next_working_day(now.legal_date());
        let at = calendar
            .start_of_work(tomorrow)
            .unwrap_or_else(|| now.plus_seconds(86_400));
        Ok(Job::new(DAILY, &())?.at(at).key(DAILY))
    }
}
