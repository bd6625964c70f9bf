//! The agency's side: its rules with their figures and runs; and what everybody may know of them.

use std::collections::BTreeMap;

use base::{Error, Kind, Problems, Result, Text, Timestamp};
use exchange::events::Standing;
use identity::{Ctx, Permission, Scope};

use super::{
    On, Rule,
    model::{Proposal, ProposalId, RunId, Step},
    runs::left,
    store::{self as tables, CountRow, RunRow},
};
use crate::{model::writes::Wrote, service::Dossiers};

/// As many runs of a rule are shown.
const RUNS: u32 = 20;
/// As many proposals that an officer must look at are shown; the next come when these are settled.
const STUCK: u32 = 50;
/// The longest note of an officer, in characters.
const NOTE: usize = 500;
/// Fewer than this are not told to the public: somebody might be recognised.
const FEW: i64 = 5;

/// What is counted of proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Made.
    pub proposed: i64,
    /// Seen by their person.
    pub seen: i64,
    /// Became a dossier.
    pub taken_up: i64,
    /// Refused.
    pub declined: i64,
    /// Closed because the person wants none.
    pub not_wanted: i64,
    /// Expired.
    pub expired: i64,
    /// Were no longer so.
    pub overtaken: i64,
    /// The state has acted.
    pub acted: i64,
    /// It was undone.
    pub restored: i64,
    /// It could not act, or could not undo.
    pub failed: i64,
}

impl Figures {
    fn add(&mut self, what: &str, n: i64) {
        let counter = match what {
            "proposed" => &mut self.proposed,
            "seen" => &mut self.seen,
            "taken-up" => &mut self.taken_up,
            "declined" => &mut self.declined,
            "not-wanted" => &mut self.not_wanted,
            "expired" => &mut self.expired,
            "overtaken" => &mut self.overtaken,
            "acted" => &mut self.acted,
            "restored" => &mut self.restored,
            _ => &mut self.failed,
        };
        *counter += n;
    }
}

/// A number of persons as the public is told it: none where it is from 1 to 4.
pub fn told(n: i64) -> Option<i64> {
    (n == 0 || n >= FEW).then_some(n)
}

/// The figures of one procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcedureFigures {
    /// Its national code.
    pub procedure: String,
    /// The figures.
    pub figures: Figures,
}

/// A rule as its office sees it.
#[derive(Debug)]
pub struct RuleView<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The figures of all time.
    pub figures: Figures,
    /// Its newest runs.
    pub runs: Vec<RunView>,
    /// The events that it waits for, and how each is followed; nothing of one that was never asked for yet.
    pub events: Vec<(&'a On, Option<Standing>)>,
    /// Persons whom events named and who are not due yet; one more than [`super::MOST_TOLD`] stands for more.
    pub awaited: i64,
    /// When the first of them is.
    pub next_due: Option<Timestamp>,
    /// What an officer must look at, oldest first; nothing for who may not settle it.
    pub stuck: Vec<Stuck>,
    /// Whether the reader may start a run, and settle what is stuck.
    pub may_start: bool,
}

/// An act of which something stands that ought not to. Who it is about is not told: the registry's steward sees that in its own entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The proposal.
    pub id: ProposalId,
    /// The code under which registries were told.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
    /// What stands.
    pub left: Vec<Left>,
}

/// A write that could not be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its name; its id once the rule is gone.
    pub name: Text,
    /// The registry.
    pub registry: String,
    /// The entry that stands there.
    pub entry: String,
    /// Why it could not be taken back.
    pub problems: Problems,
}

/// A run, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// Who started it.
    pub by: String,
    /// Whether it looks at whom events named, and not at a list.
    pub by_events: bool,
    /// When.
    pub at: Timestamp,
    /// Persons in all.
    pub total: i64,
    /// To whom it was proposed.
    pub proposed: i64,
    /// To whom it had been proposed before.
    pub known: i64,
    /// Of whom nothing can be said yet, or could be until the end.
    pub left: i64,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl RunView {
    /// Persons of whom something is known.
    pub const fn done(&self) -> i64 {
        self.total - self.left
    }
}

impl Dossiers {
    /// The rules of the node with their figures and newest runs; of the agencies whose figures the reader may see.
    ///
    /// # Errors
    /// `Forbidden` for who may see no figures at all.
    pub async fn proposal_rules(&self, ctx: &Ctx) -> Result<Vec<RuleView<'_>>> {
        ctx.officer()?;
        if !ctx.holds(Permission::ReadStatistics) {
            return Err(base::Error::forbidden());
        }
        let counts = tables::counts(&self.store().read(), i64::MIN, i64::MAX).await?;
        let mut views = Vec::new();
        let rules = self
            .proposing()
            .map(|proposing| proposing.rules.as_slice())
            .unwrap_or_default();
        for rule in rules {
            if self.may_see_rule(ctx, rule)? {
                views.push(self.rule_view(ctx, rule, &counts, 1).await?);
            }
        }
        Ok(views)
    }

    /// One rule with its figures and runs.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for who may not see the figures of the agency that proposes.
    pub async fn proposal_rule(&self, ctx: &Ctx, code: &str) -> Result<RuleView<'_>> {
        ctx.officer()?;
        let rule = self.rule(code)?;
        if !self.may_see_rule(ctx, rule)? {
            return Err(base::Error::forbidden());
        }
        let counts = tables::counts(&self.store().read(), i64::MIN, i64::MAX).await?;
        self.rule_view(ctx, rule, &counts, RUNS).await
    }

    fn may_see_rule(&self, ctx: &Ctx, rule: &Rule) -> Result<bool> {
        let agency = Scope::Agency(self.proposing_agency(&rule.procedure)?.to_string());
        Ok(ctx.may(Permission::ReadStatistics, &agency))
    }

    async fn rule_view<'a>(&self, ctx: &Ctx, rule: &'a Rule, counts: &[CountRow], runs: u32) -> Result<RuleView<'a>> {
        let mut figures = Figures::default();
        for row in counts.iter().filter(|row| row.rule == rule.code.as_str()) {
            figures.add(&row.what, row.n);
        }
        let mut views = Vec::new();
        for run in tables::runs(&self.store().read(), rule.code.as_str(), runs).await? {
            views.push(self.run_view(&run).await?);
        }
        let (awaited, next_due) = self.awaited(rule).await?;
        let follows = |on: &On| self.proposing()?.follows(&on.event);
        let may_start = self.require_decider(ctx, &rule.procedure).is_ok();
        Ok(RuleView {
            rule,
            figures,
            runs: views,
            events: rule.on.iter().map(|on| (on, follows(on))).collect(),
            awaited,
            next_due,
            stuck: if may_start { self.stuck(rule).await? } else { Vec::new() },
            may_start,
        })
    }

    async fn stuck(&self, rule: &Rule) -> Result<Vec<Stuck>> {
        let mut all = Vec::new();
        for row in tables::stuck(&self.store().read(), rule.code.as_str(), STUCK).await? {
            let id = ProposalId::from_uuid(row.id);
            let log = tables::log(&self.store().read(), id).await?;
            let since = log.last().map(|entry| entry.at).unwrap_or_default();
            let Proposal { act, wrote, .. } = super::fold(&row, &log)?;
            let Some((code, writes)) = act else { continue };
            let left = wrote.into_iter().filter_map(|(write, wrote)| {
                let Wrote::Left { entry, problems } = wrote else {
                    return None;
                };
                let declared = rule
                    .act()
                    .and_then(|act| procedure::writes::write_of(&act.writes, &write));
                Some(Left {
                    name: declared.map_or_else(|| Text::new(&*write, &*write), |(write, _)| write.name.clone()),
                    registry: writes
                        .iter()
                        .find(|(known, _)| *known == write)
                        .map(|(_, registry)| registry.clone())
                        .unwrap_or_default(),
                    entry,
                    problems,
                })
            });
            all.push(Stuck {
                id,
                code,
                since,
                left: left.collect(),
            });
        }
        Ok(all)
    }

    fn require_decider(&self, ctx: &Ctx, procedure: &str) -> Result<()> {
        let agency = self.proposing_agency(procedure)?.to_string();
        ctx.require(Permission::DecideDossier, &Scope::Agency(agency))
    }

    /// Has what stands of an act taken back once more, now that the reason is gone.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for who does not decide dossiers at the agency that proposes; `Conflict` where nothing is stuck.
    pub async fn take_back_again(&self, ctx: &Ctx, id: ProposalId) -> Result<()> {
        let (row, _) = self.proposal(id).await?;
        self.require_decider(ctx, &row.procedure_code)?;
        self.step(ctx, id, &Step::TakeBackAgain).await.map(drop)
    }

    /// Notes how what stood of an act was put right by other means. The person reads it.
    ///
    /// # Errors
    /// As [`Dossiers::take_back_again`]; `Invalid` for a note that is empty, too long, or has a personal number in it.
    pub async fn settle_proposal(&self, ctx: &Ctx, id: ProposalId, note: &str) -> Result<()> {
        let (row, _) = self.proposal(id).await?;
        self.require_decider(ctx, &row.procedure_code)?;
        let note = noted(note)?;
        self.step(ctx, id, &Step::Settled { note }).await.map(drop)
    }

    async fn run_view(&self, run: &RunRow) -> Result<RunView> {
        let id = RunId::from_uuid(run.id);
        let outcomes = tables::outcomes(&self.store().read(), id).await?;
        let of = |what: &str| outcomes.iter().find(|(known, _)| known == what).map_or(0, |(_, n)| *n);
        Ok(RunView {
            id,
            by: run.started_by.clone(),
            by_events: run.by_events,
            at: Timestamp::from_micros(run.started_at),
            total: run.total,
            proposed: of("proposed"),
            known: of("known"),
            left: left(run, &outcomes),
            ended_at: run.ended_at.map(Timestamp::from_micros),
        })
    }

    /// What everybody may know: per procedure, of one year, small numbers left out. No personal data.
    ///
    /// # Errors
    /// The database failed.
    pub async fn public_proposals(&self, year: i16) -> Result<Vec<ProcedureFigures>> {
        let january = i64::from(year) * 12;
        let mut all: BTreeMap<String, Figures> = BTreeMap::new();
        for row in tables::counts(&self.store().read(), january, january + 11).await? {
            all.entry(row.procedure_code).or_default().add(&row.what, row.n);
        }
        let figures = all
            .into_iter()
            .map(|(procedure, figures)| ProcedureFigures { procedure, figures });
        Ok(figures.collect())
    }
}

/// A note of an officer: one line, without the number of a person, for it becomes a leaf of the log.
fn noted(text: &str) -> Result<String> {
    let note = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut problems = Problems::new();
    if note.is_empty() {
        problems.add(
            "required",
            "note",
            "Nêu ngắn gọn đã xử lý như thế nào.",
            "Say shortly how it was put right.",
        );
    } else if note.chars().count() > NOTE {
        problems.add(
            "too-long",
            "note",
            format!("Ghi tối đa {NOTE} ký tự."),
            format!("At most {NOTE} characters."),
        );
    } else if digits_in_a_row(&note) >= 9 {
        problems.add(
            "personal-number",
            "note",
            "Không ghi số định danh hoặc số giấy tờ của cá nhân vào đây.",
            "Do not write the number of a person or of their papers here.",
        );
    }
    problems
        .is_empty()
        .then_some(note)
        .ok_or(Error::Refused(Kind::Invalid, problems))
}

/// The longest number in a text; points and spaces within it do not end it.
fn digits_in_a_row(text: &str) -> usize {
    let (mut longest, mut now) = (0, 0);
    for c in text.chars() {
        match c {
            '0'..='9' => now += 1,
            ' ' | '.' => {}
            _ => now = 0,
        }
        longest = longest.max(now);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_how_and_not_who() {
        assert_eq!(noted("  Đã sửa\n trực tiếp ").expect("fine"), "Đã sửa trực tiếp");
        for bad in [
            "",
            " \n",
            &"a".repeat(NOTE + 1),
            "đã sửa 034 187 001 234",
            "034.187.001.234",
        ] {
            assert!(noted(bad).is_err(), "{bad}");
        }
        assert!(noted("Công văn số 123/UBND ngày 20/11/2026").is_ok());
    }

    #[test]
    fn small_numbers_are_not_told() {
        assert_eq!([0, 1, 4, 5, 900].map(told), [Some(0), None, None, Some(5), Some(900)]);
    }
}
