//! Filing: from answers and papers to a dossier, once.

use std::collections::BTreeSet;

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Actor, Ctx, Permission, Scope};
use jiff::civil::Date;
use procedure::{
    decision::Bar,
    form::{Answers, Attribute, Facts, PaperNeed, Said},
    package::Package,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Claim, Gather, Job, Once, Store, sea_orm::Value, transact};

use super::{Dossiers, contesting::contest_later, once::Filled};
use crate::{
    model::{
        action::{
            Action, ActorRef, Applicant, Channel, DossierId, Entry, Paper, ProcedureRef, Submission, UploadId,
            new_dossier_id,
        },
        state::State,
    },
    proposal,
    store::{self as tables, Listed, NewRows, drafts::DraftId},
};

/// What is filed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filing {
    /// National code of the procedure.
    pub procedure: String,
    /// Answers, nested by field id.
    pub answers: Answers,
    /// Papers with the uploads that hold their files.
    #[serde(default)]
    pub papers: Vec<FilingPaper>,
    /// For whom, when an officer files what came to the counter; a person files for themselves.
    #[serde(default)]
    pub applicant: Option<procedure::form::Applicant>,
    /// How it came; a person's is always online.
    #[serde(default)]
    pub channel: Option<Channel>,
}

/// A paper with its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilingPaper {
    /// Id in the package.
    pub paper: String,
    /// Finished uploads.
    pub uploads: Vec<UploadId>,
}

/// A dossier that was filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// Its id.
    pub id: DossierId,
    /// Its code.
    pub code: String,
    /// The secret for following it.
    pub secret: String,
}

impl Dossiers {
    /// Files a dossier. `key` is the caller's idempotency key: the same request again gives the same dossier.
    ///
    /// # Errors
    /// Every problem of the answers and papers, each at its place; nothing is stored then.
    pub async fn file(&self, ctx: &Ctx, filing: &Filing, key: &str) -> Result<Filed> {
        self.file_draft(ctx, filing, key, None).await
    }

    pub(super) async fn file_draft(
        &self,
        ctx: &Ctx,
        filing: &Filing,
        key: &str,
        draft: Option<(DraftId, Facts)>,
    ) -> Result<Filed> {
        if key.trim().is_empty() || key.len() > 200 {
            return Err(Error::refused(
                Kind::Invalid,
                "idempotency-key",
                "Yêu cầu nộp hồ sơ phải có mã chống gửi trùng (Idempotency-Key), tối đa 200 ký tự.",
                "Filing needs an Idempotency-Key of at most 200 characters.",
            ));
        }
        let today = ctx.now.legal_date();
        let package = self.package_on(&filing.procedure, today)?;
        let (applicant, channel, owner) = self.applicant(ctx, filing, &package)?;
        let calendar = self.calendar();
        let rules = self.rules(&package, &calendar);
        let form = Filled {
            package: &package,
            rules,
            applicant: &applicant,
            channel,
            answers: &filing.answers,
            dossier: None,
        };
        let (draft, mut facts) = match draft {
            Some((id, facts)) => (Some(id), facts),
            None => (None, self.inform_filing(ctx, form).await),
        };
        let journey = form.journey(ctx.now, &facts);
        let asked: BTreeSet<&Attribute> = package.form.registry_fields(&journey).map(|(_, a)| a).collect();
        facts.said.retain(|attribute, _| asked.contains(attribute));
        facts.doubts.retain(|attribute, _| asked.contains(attribute));
        // Whom nobody could ask about has not been told of either.
        for attribute in asked {
            facts
                .said
                .entry(attribute.clone())
                .or_insert(Said::Silent { at: ctx.now });
        }
        let context = rules.context(&applicant, channel, today);
        let mut problems = package.form.unknown(&filing.answers);
        problems.extend(journey.problems.clone());
        let papers = self
            .papers(&owner, filing, &package, &journey.papers, &mut problems)
            .await?;
        problems.into_result()?;
        for remark in package.eligibility(&journey.answers, &context)? {
            if remark.severity == Bar::Stop {
                let mut stops = Problems::new();
                stops.add("not-eligible", "", remark.text.vi, remark.text.en);
                return Err(Error::Refused(Kind::Invalid, stops));
            }
        }
        let fees = package.fees(&journey.answers, &context)?;

        let agency = self.deciding_agency(&package)?;
        let fingerprint = hex::encode(Sha256::digest(serde_json::to_vec(filing)?));
        let pattern = &self.config().code_pattern;
        let number = self.store().next_number(&pattern.sequence_key(&agency, today)).await?;
        let code = pattern
            .render(&agency, today, number.unsigned_abs())
            .map_err(|e| Error::internal(e.to_string()))?;

        let id = new_dossier_id(ctx.now);
        let filed = Filed {
            id,
            code: code.to_string(),
            secret: self.tracking_secret(id),
        };
        let entry = Entry {
            seq: 1,
            at: ctx.now,
            actor: ActorRef::from(ctx),
            request_id: ctx.request_id,
            action: Action::Submitted(Box::new(Submission {
                code: code.to_string(),
                agency: agency.to_string(),
                procedure: ProcedureRef {
                    code: package.id.code.clone(),
                    version: package.id.version.clone(),
                    package: package.id.hash.clone(),
                    name: package.meta.name.clone(),
                },
                applicant,
                channel,
                answers: journey.answers.clone(),
                facts,
                papers,
                fees,
            })),
        };
        let (state, after) = State::open(&entry, rules)?;
        let listed = Listed {
            id,
            state: &state,
            field: &package.meta.field,
            due_at: None,
            finish: &[],
        };
        let prepared = Prepared {
            claim: Claim {
                scope: owner,
                key: key.to_owned(),
                fingerprint,
                answer: serde_json::to_string(&filed)?,
            },
            draft,
            rows: NewRows::of(&listed, &[entry], |task| self.task_agency(&state, task))?,
            consultations: tables::consultations_sent(&listed, &after, |a| self.consulted_agency(a)),
            jobs: {
                let mut jobs = self.jobs_after(id, &state, &after, 1)?;
                jobs.extend(contest_later(id, &state)?);
                jobs
            },
            filed,
            actor: ActorRef::from(ctx),
            now: ctx.now,
        };
        let store = self.store().clone();
        self.0
            .filings
            .ask(prepared, move |group| file_group(store.clone(), group))
            .await
    }

    /// The package in force, or the refusal that says how the procedure is filed today.
    pub(super) fn package_on(&self, code: &str, date: Date) -> Result<std::sync::Arc<Package>> {
        self.shelf().on(code, date).ok_or_else(|| {
            Error::refused(
                Kind::NotFound,
                "not-online",
                "Thủ tục này chưa nộp trực tuyến được tại đây. Xem trang thủ tục để biết nơi nộp.",
                "This procedure cannot be filed online here yet. Its page says where to file it.",
            )
        })
    }

    /// For whom, how, and whose uploads and idempotency keys count.
    fn applicant(&self, ctx: &Ctx, filing: &Filing, package: &Package) -> Result<(Applicant, Channel, String)> {
        match &ctx.actor {
            Actor::Officer(officer) => {
                let agency = self.deciding_agency(package)?.to_string();
                ctx.require(Permission::FileDossier, &Scope::Agency(agency))?;
                let claims = filing.applicant.clone().unwrap_or_default();
                let name = claims
                    .organisation
                    .clone()
                    .or_else(|| claims.name.clone())
                    .unwrap_or_default();
                if !base::text::is_person_name(&name) && claims.organisation.is_none() {
                    let mut problems = Problems::new();
                    problems.add(
                        "required",
                        "applicant.name",
                        "Nhập họ tên người nộp hồ sơ.",
                        "Enter the applicant's name.",
                    );
                    return Err(Error::Refused(Kind::Invalid, problems));
                }
                let channel = filing
                    .channel
                    .filter(|c| *c != Channel::Online)
                    .unwrap_or(Channel::Counter);
                Ok((
                    Applicant {
                        account: None,
                        name,
                        claims,
                    },
                    channel,
                    format!("officer/{}", officer.officer),
                ))
            }
            _ => {
                let person = ctx.person()?;
                ctx.require(Permission::FileDossier, &Scope::Account(person.account))?;
                Self::require_assurance(person, package)?;
                let claims = procedure::form::Applicant::from(person);
                let name = claims.organisation.clone().unwrap_or_else(|| person.name.clone());
                let applicant = Applicant {
                    account: Some(person.account.uuid()),
                    name,
                    claims,
                };
                Ok((applicant, Channel::Online, owner_of(person.account)))
            }
        }
    }

    /// The papers with their files, judged against what is asked for.
    async fn papers(
        &self,
        owner: &str,
        filing: &Filing,
        package: &Package,
        needs: &[PaperNeed],
        problems: &mut Problems,
    ) -> Result<Vec<Paper>> {
        let papers = self.handed_in(owner, &filing.papers, package, problems).await?;
        for need in needs.iter().filter(|n| n.required) {
            let Some(paper) = package.form.papers.get(need.paper) else {
                continue;
            };
            if !papers.iter().any(|p| p.paper == paper.id && !p.files.is_empty()) {
                problems.add(
                    "required",
                    &paper.id,
                    format!("Thiếu: {}.", paper.name.vi),
                    format!("Missing: {}.", paper.name.en),
                );
            }
        }
        Ok(papers)
    }
}

/// Those who file now.
pub(super) type Filings = Gather<Prepared, Filed>;

/// Two groups at a time: one is judged by the database while the other goes to the disk.
pub(super) fn filings() -> Filings {
    Gather::new(2, 16)
}

/// A filing that was judged and has only to be written.
#[derive(Debug)]
pub(super) struct Prepared {
    claim: Claim,
    draft: Option<DraftId>,
    rows: NewRows,
    consultations: Vec<Vec<Value>>,
    jobs: Vec<Job>,
    filed: Filed,
    actor: ActorRef,
    now: Timestamp,
}

/// Writes the filings of several callers in one transaction. When that fails, each is tried alone, so that one bad filing holds
/// up no other.
async fn file_group(store: Store, group: Vec<Prepared>) -> Vec<Result<Filed>> {
    if group.len() > 1 {
        match write(&store, &group).await {
            Ok(results) => return results,
            Err(error) => {
                tracing::debug!(filings = group.len(), %error, "filings failed together; each is tried alone")
            }
        }
    }
    let mut results = Vec::with_capacity(group.len());
    for prepared in &group {
        match write(&store, std::slice::from_ref(prepared)).await {
            Ok(alone) => results.extend(alone),
            Err(error) => results.push(Err(error)),
        }
    }
    results
}

/// Writes filings, all or none; of a request that came before, the answer that it had.
async fn write(store: &Store, group: &[Prepared]) -> Result<Vec<Result<Filed>>> {
    let claims: Vec<Claim> = group.iter().map(|p| p.claim.clone()).collect();
    let Some(now) = group.iter().map(|p| p.now).max() else {
        return Ok(Vec::new());
    };
    transact!(store, |tx| {
        let (mut results, mut new) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
        for (once, prepared) in tx.claim(&claims, now).await?.into_iter().zip(group) {
            results.push(match once {
                Ok(Once::Again(before)) => serde_json::from_str(&before).map_err(Error::from),
                Ok(Once::First) => {
                    if let Some(draft) = prepared.draft
                        && !tables::drafts::file(&tx, draft, prepared.filed.id.uuid()).await?
                    {
                        return Err(already_filed());
                    }
                    if let Some(draft) = prepared.draft {
                        let filed = (draft.uuid(), prepared.filed.code.as_str());
                        proposal::taken_up(&tx, filed, &prepared.actor, prepared.now).await?;
                    }
                    new.push(prepared);
                    Ok(prepared.filed.clone())
                }
                Err(refusal) => Err(refusal),
            });
        }
        tables::insert(&tx, &new.iter().map(|p| &p.rows).collect::<Vec<_>>()).await?;
        let consultations: Vec<_> = new.iter().flat_map(|p| p.consultations.clone()).collect();
        tables::send_consultations(&tx, &consultations).await?;
        let jobs: Vec<Job> = new.iter().flat_map(|p| p.jobs.clone()).collect();
        tx.enqueue_all(&jobs, now).await?;
        Ok(results)
    })
}

/// Whose a person's uploads and idempotency keys are.
pub(super) fn owner_of(account: identity::AccountId) -> String {
    format!("account/{account}")
}

fn already_filed() -> Error {
    Error::refused(
        Kind::Conflict,
        "already-filed",
        "Hồ sơ này đã được nộp. Xem trong mục “Hồ sơ của tôi”.",
        "This dossier was filed already. See “My dossiers”.",
    )
}
