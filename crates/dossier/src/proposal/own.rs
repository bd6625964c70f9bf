//! The person's side: what is proposed to them and why, taking it up, saying no, having the former state back, and wanting none.

use std::collections::BTreeSet;

use ::store::transact;
use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Ctx, Permission, PersonActor, Scope};
use procedure::form::{Answers, Attribute, Form, Said};
use registry::{
    lookup::{About as Whom, Question},
    service::Times,
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Ladder, Proposing, Rule, Source, Way, entry, fold,
    model::{Entry, Proposal, ProposalId, State, Step},
    no_proposal,
    rule::{About, Prefill},
    store::{self as tables, ProposalRow},
    write,
};
use crate::{
    model::action::{ActorRef, Channel},
    service::{Dossiers, DraftId},
    store::drafts,
};

/// As many proposals are shown at once.
const PAGE: u32 = 30;
/// How often it is tried to close what somebody does not want while it moves.
const TRIES: usize = 8;

/// A proposal as its person sees it.
#[derive(Debug)]
pub struct ProposalView<'a> {
    /// The proposal.
    pub proposal: Proposal,
    /// Its rule; none once it was taken away.
    pub rule: Option<&'a Rule>,
    /// Of a child: the last four digits of the personal number.
    pub child: Option<String>,
    /// The ways, the recommended one first.
    pub ways: Vec<WayView<'a>>,
    /// Whether the person wants no proposals of this procedure.
    pub unwanted: bool,
}

/// A way, as it stands for this person.
#[derive(Debug, Clone, Copy)]
pub struct WayView<'a> {
    /// The way.
    pub way: &'a Way,
    /// Whether it is the recommended one.
    pub best: bool,
    /// Whether its condition holds.
    pub fits: bool,
}

/// What a person does not want to be proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// One procedure, by its national code.
    Procedure(String),
    /// Anything.
    Everything,
}

impl Wish {
    /// As stored.
    fn code(&self) -> &str {
        match self {
            Self::Procedure(code) => code,
            Self::Everything => "",
        }
    }

    fn from_code(code: String) -> Self {
        match code.is_empty() {
            true => Self::Everything,
            false => Self::Procedure(code),
        }
    }
}

impl Dossiers {
    /// By which key the signed-in person's proposals are found; none where the e-ID gave no personal number, or nothing is proposed here.
    fn own_key<'a>(&'a self, ctx: &'a Ctx) -> Result<Option<(&'a Proposing, &'a PersonActor, String)>> {
        let person = ctx.person()?;
        ctx.require(Permission::ReadOwnDossier, &Scope::Account(person.account))?;
        let found = self.proposing().zip(person.person_number.as_deref());
        Ok(found.map(|(proposing, number)| (proposing, person, proposing.person(number))))
    }

    /// What waits for the signed-in person: how many proposals, and whether the state is about to act by itself. For one line on their page.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn proposals_waiting(&self, ctx: &Ctx) -> Result<(usize, bool)> {
        let Some((_, _, key)) = self.own_key(ctx)? else {
            return Ok((0, false));
        };
        let open = tables::open_of(&self.store().read(), &key, "").await?;
        Ok((open.len(), open.iter().any(|row| row.acts)))
    }

    /// The newest proposals to the signed-in person, and where to go on; from now on they are seen.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn own_proposals(
        &self,
        ctx: &Ctx,
        before: Option<Uuid>,
    ) -> Result<(Vec<ProposalView<'_>>, Option<Uuid>)> {
        let Some((_, _, key)) = self.own_key(ctx)? else {
            return Ok((Vec::new(), None));
        };
        let rows = tables::of_person(&self.store().read(), &key, before, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        let mut views = Vec::new();
        for row in rows.iter().take(PAGE as usize) {
            views.push(self.view_of(ctx, &key, row).await?);
        }
        let next = views.last().filter(|_| more).map(|view| view.proposal.id.uuid());
        Ok((views, next))
    }

    /// One proposal to the signed-in person; from now on it is seen.
    ///
    /// # Errors
    /// `NotFound` where it is not theirs.
    pub async fn own_proposal(&self, ctx: &Ctx, id: ProposalId) -> Result<ProposalView<'_>> {
        let (key, row) = self.own_row(ctx, id).await?;
        self.view_of(ctx, &key, &row).await
    }

    /// What happened to a proposal, oldest first, for its person.
    ///
    /// # Errors
    /// `NotFound` where it is not theirs.
    pub async fn proposal_history(&self, ctx: &Ctx, id: ProposalId) -> Result<Vec<Entry>> {
        self.own_row(ctx, id).await?;
        tables::log(&self.store().read(), id).await
    }

    async fn own_row(&self, ctx: &Ctx, id: ProposalId) -> Result<(String, ProposalRow)> {
        let (_, _, key) = self.own_key(ctx)?.ok_or_else(no_proposal)?;
        let db = self.store().read();
        match (tables::may_see(&db, &key, id).await?, tables::by_id(&db, id).await?) {
            (true, Some(row)) => Ok((key, row)),
            _ => Err(no_proposal()),
        }
    }

    async fn view_of(&self, ctx: &Ctx, key: &str, row: &ProposalRow) -> Result<ProposalView<'_>> {
        let id = ProposalId::from_uuid(row.id);
        let mut proposal = fold(row, &tables::log(&self.store().read(), id).await?)?;
        if !proposal.seen {
            proposal = match self.step(ctx, id, &Step::Seen).await {
                Ok(proposal) => proposal,
                // Seen by the other parent at the same moment.
                Err(Error::Refused(Kind::Conflict, _)) => self.proposal(id).await?.1,
                Err(error) => return Err(error),
            };
        }
        let rule = self.proposing().and_then(|proposing| proposing.rule(&row.rule));
        let child = match rule.map(|rule| rule.about) {
            Some(About::Child) => {
                let number = self.unsealed(&row.subject)?;
                Some(number.chars().skip(number.len().saturating_sub(4)).collect())
            }
            _ => None,
        };
        let known = rule.map(Rule::ways).unwrap_or_default();
        let ways = proposal.made.ways.iter().enumerate().filter_map(|(n, ranked)| {
            let way = known.iter().find(|way| way.id == ranked.way)?;
            Some(WayView {
                way,
                best: n == 0,
                fits: ranked.fits,
            })
        });
        Ok(ProposalView {
            ways: ways.collect(),
            rule,
            child,
            unwanted: tables::unwanted(&self.store().read(), key, &row.procedure_code).await?,
            proposal,
        })
    }

    /// Prepares the dossier that is proposed: a draft with what registries say. Nothing is filed.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where the proposal stands open no more, or a draft of this procedure says something else already;
    /// `Invalid` for a way that there is not; as [`Dossiers::start_draft`]; `Unavailable` while a registry is silent.
    pub async fn open_proposal(&self, ctx: &Ctx, id: ProposalId, way: Option<&str>) -> Result<DraftId> {
        let (_, row) = self.own_row(ctx, id).await?;
        let (_, proposal) = self.proposal(id).await?;
        let rule = self.rule(&row.rule)?;
        let way = chosen(rule, way)?;
        let judged = Step::Opened {
            draft: Uuid::nil(),
            way: None,
        };
        proposal.judge(&judged, ctx.now)?;
        let draft = self.start_draft(ctx, &rule.procedure).await?;
        let prefill: Vec<&Prefill> = rule
            .prefill()
            .iter()
            .chain(way.map(|way| way.set.as_slice()).unwrap_or_default())
            .collect();
        self.fill_draft(ctx, draft, &row, &prefill).await?;
        let opened = Step::Opened {
            draft: draft.uuid(),
            way: way.map(|way| way.id.clone()),
        };
        self.step(ctx, id, &opened).await?;
        Ok(draft)
    }

    /// Puts what is known into a draft. What the person has answered is never overwritten; where it says something else, it is another
    /// matter, to be finished first.
    async fn fill_draft(&self, ctx: &Ctx, id: DraftId, row: &ProposalRow, prefill: &[&Prefill]) -> Result<()> {
        let view = self.draft(ctx, id).await?;
        let form = &view.package.form;
        let said = self.said_of(ctx, row, form, prefill).await?;
        let calendar = self.calendar();
        let context = self.rules(&view.package, &calendar).informed(
            &view.applicant,
            Channel::Online,
            ctx.now.legal_date(),
            &view.draft.facts,
        );
        let before = Answers::from_value(view.draft.answers.clone().into()).unwrap_or_default();
        let mut answers = before.clone();
        for (field, value) in said {
            let fits = form
                .field(&field)
                .is_some_and(|field| Form::takes(field, &value, &context));
            if !fits {
                tracing::warn!(
                    field,
                    procedure = row.procedure_code,
                    "what a registry says does not fit the form"
                );
                continue;
            }
            match before.get(&field) {
                Some(given) if *given != value => return Err(another_draft()),
                Some(_) => {}
                None => answers.set(&field, value),
            }
        }
        let mut draft = view.draft.clone();
        draft.answers = answers.as_map().clone();
        draft.updated_at = ctx.now;
        match transact!(self.store(), |tx| { drafts::save(&tx, &draft).await })? {
            true => Ok(()),
            false => Err(super::busy()),
        }
    }

    /// What stands in the form already, by field. Registries are asked as by the procedure itself.
    async fn said_of(
        &self,
        ctx: &Ctx,
        row: &ProposalRow,
        form: &Form,
        prefill: &[&Prefill],
    ) -> Result<Vec<(String, Value)>> {
        let asked: BTreeSet<&Attribute> = prefill
            .iter()
            .filter_map(|prefill| match &prefill.from {
                Source::Registry(attribute) => Some(attribute),
                Source::Value(_) => None,
            })
            .collect();
        let mut said = std::collections::BTreeMap::new();
        if let (Some(lookup), false) = (self.lookup(), asked.is_empty()) {
            let laws: BTreeSet<&str> = prefill
                .iter()
                .filter_map(|prefill| Some(form.field(&prefill.field)?.basis.as_str()))
                .collect();
            let question = Question {
                about: Whom::Person(self.unsealed(&row.subject)?),
                attributes: asked.into_iter().cloned().collect(),
                procedure: row.procedure_code.clone(),
                basis: laws.into_iter().collect::<Vec<_>>().join("; "),
                dossier: None,
                times: Times::default(),
            };
            said = lookup.ask(ctx, &question).await;
        }
        let mut values = Vec::new();
        for Prefill { field, from } in prefill {
            match from {
                Source::Value(value) => values.push((field.clone(), value.clone())),
                Source::Registry(attribute) => match said.get(attribute) {
                    Some(Said::Known { value, .. }) => values.push((field.clone(), value.clone())),
                    Some(Said::Nothing { .. }) => {}
                    Some(Said::Silent { .. }) | None => return Err(silent()),
                },
            }
        }
        Ok(values)
    }

    /// The signed-in person says no.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it is too late, or stands open no more.
    pub async fn decline_proposal(&self, ctx: &Ctx, id: ProposalId) -> Result<()> {
        self.own_row(ctx, id).await?;
        self.step(ctx, id, &Step::Declined).await.map(drop)
    }

    /// The signed-in person wants the former state back.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it is too late, was asked for before, or nothing was done.
    pub async fn restore_proposal(&self, ctx: &Ctx, id: ProposalId) -> Result<()> {
        self.own_row(ctx, id).await?;
        self.step(ctx, id, &Step::RestoreAsked).await.map(drop)
    }

    /// What the signed-in person does not want to be proposed.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn unwanted_proposals(&self, ctx: &Ctx) -> Result<Vec<Wish>> {
        let Some((_, _, key)) = self.own_key(ctx)? else {
            return Ok(Vec::new());
        };
        let wishes = tables::wishes(&self.store().read(), &key).await?;
        Ok(wishes.into_iter().map(Wish::from_code).collect())
    }

    /// The signed-in person wants no proposals of a kind, or wants them again. What stands open of that kind is closed in the same moment,
    /// and a run that would propose waits for it.
    ///
    /// # Errors
    /// Nobody is signed in; `NotFound` for a procedure that nothing proposes; `Forbidden` without a personal number.
    pub async fn want_proposals(&self, ctx: &Ctx, wish: &Wish, wanted: bool) -> Result<()> {
        let (proposing, _, key) = self.own_key(ctx)?.ok_or_else(no_proposal)?;
        let known = |code: &String| proposing.rules.iter().any(|rule| rule.procedure == *code);
        if matches!(wish, Wish::Procedure(code) if !known(code)) && !wanted {
            return Err(Error::not_found(
                "thủ tục này trong các đề xuất",
                "procedure among the proposals",
            ));
        }
        for _ in 0..TRIES {
            let closed = transact!(self.store(), |tx| {
                tables::hold(&tx, std::slice::from_ref(&key), ctx.now).await?;
                tables::wish(&tx, &key, wish.code(), wanted, ctx.now).await?;
                let mut all = true;
                if !wanted {
                    for row in tables::open_of(&tx, &key, wish.code()).await? {
                        // What only prepares something stays with the other parent.
                        if !row.acts && tables::leave(&tx, &key, ProposalId::from_uuid(row.id)).await? {
                            continue;
                        }
                        let mut proposal = fold(&row, &tables::log(&tx, ProposalId::from_uuid(row.id)).await?)?;
                        let entry = entry(&proposal, ActorRef::from(ctx), Step::NotWanted, ctx.now);
                        // What has begun meanwhile goes on; it can be undone.
                        if proposal.judge(&entry.step, ctx.now).is_ok() {
                            all &= write(&tx, &mut proposal, &entry).await?;
                        }
                    }
                }
                Ok(all)
            })?;
            if closed {
                return Ok(());
            }
        }
        Err(super::busy())
    }
}

/// The way that was chosen: one of the rule's, where it has any.
fn chosen<'a>(rule: &'a Rule, way: Option<&str>) -> Result<Option<&'a Way>> {
    match (&rule.step, way) {
        (Ladder::Recommend(_, ways), Some(id)) if ways.iter().any(|way| way.id == id) => {
            Ok(ways.iter().find(|way| way.id == id))
        }
        (Ladder::Recommend(..), _) => {
            let mut problems = Problems::new();
            problems.add("no-such-way", "way", "Chọn một phương án.", "Choose one of the ways.");
            Err(Error::Refused(Kind::Invalid, problems))
        }
        (Ladder::Prefill(_), _) => Ok(None),
        (Ladder::Remind | Ladder::Act(_), _) => Err(no_proposal()),
    }
}

fn another_draft() -> Error {
    Error::refused(
        Kind::Conflict,
        "another-draft",
        "Quý vị đang có một bản nháp khác của thủ tục này. Nộp hoặc xóa bản nháp đó trước, rồi mở lại đề xuất.",
        "You have another draft of this procedure. File it or delete it first, then open the proposal again.",
    )
}

fn silent() -> Error {
    Error::refused(
        Kind::Unavailable,
        "sources-silent",
        "Cơ sở dữ liệu chưa trả lời nên chưa điền sẵn được hồ sơ. Vui lòng thử lại sau ít phút.",
        "A registry does not answer, so the dossier cannot be prepared now. Please try again in some minutes.",
    )
}

/// Whether the state may still be stopped, for the page.
pub(super) fn can_decline(proposal: &Proposal, now: Timestamp) -> bool {
    matches!(proposal.state, State::Open | State::Announced) && proposal.judge(&Step::Declined, now).is_ok()
}

/// Whether the former state can be had back, for the page.
pub(super) fn can_restore(proposal: &Proposal, now: Timestamp) -> bool {
    proposal.judge(&Step::RestoreAsked, now).is_ok()
}

/// Whether the prepared dossier can be opened, for the page.
pub(super) fn can_open(proposal: &Proposal, now: Timestamp) -> bool {
    let opened = Step::Opened {
        draft: Uuid::nil(),
        way: None,
    };
    proposal.judge(&opened, now).is_ok()
}
