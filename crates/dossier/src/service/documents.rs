//! Documents of a dossier: forms 01 to 05 of Circular 03/2025/TT-VPCP and the result, as PDF/A, from the log alone.

use std::sync::LazyLock;

use base::{Error, Result, Timestamp};
use identity::Ctx;
use procedure::package::Package;
use serde_json::{Value, json};
use store::{Job, jobs::Run, transact};
use view::pdf::{Job as PdfJob, Pdf};

use super::{
    Dossiers,
    jobs::{DOCUMENT, DocumentJob},
    writing,
};
use crate::{
    model::{
        action::{
            Action, ActorRef, Detail, DocumentKind, DossierId, Entry, IssuedDocument, channel_label, supplement_number,
        },
        state::State,
        status::Decision,
    },
    store::{self as tables, Listed},
};

/// Two at once: a document costs a processor for a moment.
static MAKER: LazyLock<Pdf> = LazyLock::new(|| Pdf::new(2));

/// Forms that no package brings.
const fn form(kind: DocumentKind) -> Option<&'static str> {
    match kind {
        DocumentKind::Receipt => Some(include_str!("../../typst/receipt.typ")),
        DocumentKind::SupplementRequest => Some(include_str!("../../typst/supplement-request.typ")),
        DocumentKind::Refusal => Some(include_str!("../../typst/refusal.typ")),
        DocumentKind::Apology => Some(include_str!("../../typst/apology.typ")),
        DocumentKind::StopNotice => Some(include_str!("../../typst/stop-notice.typ")),
        DocumentKind::Result => None,
    }
}

/// Seconds until a result that waits for registries is looked at again.
const WAIT: i64 = 30;

impl Dossiers {
    /// Makes a document that an entry of the log called for, and notes it in the log. Done twice, it is noted once.
    pub(super) async fn make_document(&self, run: &Run, id: DossierId, kind: DocumentKind, cause: i64) -> Result<()> {
        let log = tables::log(&self.store().read(), id).await?;
        let first = log.first().ok_or_else(|| Error::internal("a dossier without a log"))?;
        let Action::Submitted(filed) = &first.action else {
            return Err(Error::internal("a log without its beginning"));
        };
        let package = self.shelf().by_hash(&filed.procedure.package).await?;
        let calendar = self.calendar();
        let rules = self.rules(&package, &calendar);
        // The document says what was so when it was called for, whatever has happened since.
        let upto = usize::try_from(cause).map_or(log.len(), |n| n.min(log.len()));
        let then = State::fold(&log[..upto], rules)?;
        let entry = log.get(upto - 1).ok_or_else(|| Error::internal("no such entry"))?;
        let noted = |state: &State| state.documents.iter().any(|d| d.kind == kind && d.cause == cause);
        let now = State::fold(&log, rules)?;
        if noted(&now) {
            return transact!(run.store, |tx| { run.done(&tx).await });
        }
        // What registries are told now gives numbers that the result shows.
        if kind == DocumentKind::Result && writing::under_way(&package, &now).is_some() {
            let job = DocumentJob {
                dossier: id,
                kind,
                cause,
            };
            let later = Job::new(DOCUMENT, &job)?.at(run.now.plus_seconds(WAIT));
            return transact!(run.store, |tx| {
                tx.enqueue_all(std::slice::from_ref(&later), run.now).await?;
                run.done(&tx).await
            });
        }

        let Some(source) = form(kind).or_else(|| package.result_template()) else {
            return transact!(run.store, |tx| { run.done(&tx).await });
        };
        let number = number_of(kind, &then);
        let mut data = self.document_data(id, &package, &then, entry, kind, &number);
        data["told"] = now.told(entry.at.legal_date()).remove("told").unwrap_or_default();
        let mut job = PdfJob::new(source, data, entry.at)
            .qr(&self.tracking_url(id, &then.code))
            .ident(format!("{}/{}", then.code, kind.code()));
        for (name, text) in &package.templates {
            job = job.file(name.clone(), text.clone().into_bytes());
        }
        let pdf = MAKER
            .render(job)
            .await
            .map_err(|e| Error::internal(format!("{} {}: {e}", then.code, kind.code())))?;
        let blob = self.store().blobs().put(&pdf).await?;

        // Noted by the same rules as any command: at the version that the dossier has by then.
        loop {
            let Some(kept) = tables::by_id(&self.store().read(), id).await? else {
                return Ok(());
            };
            let mut state = kept.state;
            if noted(&state) {
                return transact!(run.store, |tx| { run.done(&tx).await });
            }
            let from = state.version;
            let document = IssuedDocument {
                kind,
                number: number.clone(),
                cause,
                sha256: blob.sha256.clone(),
            };
            let ctx = Ctx::system("Hệ thống", run.now);
            let entry = Entry {
                seq: from + 1,
                at: run.now,
                actor: ActorRef::from(&ctx),
                request_id: ctx.request_id,
                action: Action::DocumentIssued(document),
            };
            let after = state.apply(&entry, rules)?;
            let due_at = state.due_at(&calendar);
            let jobs = self.jobs_after(id, &state, &after, entry.seq)?;
            let listed = Listed {
                id,
                state: &state,
                field: &package.meta.field,
                due_at,
                // A document opens and moves nothing.
                finish: &[],
            };
            let entries = [entry];
            let written = transact!(self.store(), |tx| {
                if !tables::update(&tx, &listed, from).await? {
                    return Ok(false);
                }
                tables::append(&tx, id, &entries).await?;
                tx.enqueue_all(&jobs, run.now).await?;
                run.done(&tx).await?;
                Ok(true)
            })?;
            if written {
                return Ok(());
            }
        }
    }

    /// What templates read: see docs/procedure-package.md, section on results.
    fn document_data(
        &self,
        id: DossierId,
        package: &Package,
        state: &State,
        entry: &Entry,
        kind: DocumentKind,
        number: &str,
    ) -> Value {
        let calendar = self.calendar();
        let rules = self.rules(package, &calendar);
        let lang = base::Lang::Vi;
        let ctx = rules.context(&state.applicant, state.channel, state.submitted_at.legal_date());
        let answers = package.form.display(&state.answers, &ctx, lang);
        let due = state.due(&calendar);
        let papers: Vec<Value> = state
            .papers
            .iter()
            .map(|p| {
                let paper = package.form.paper(&p.paper);
                json!({
                    "name": paper.map_or(p.paper.as_str(), |x| x.name.vi.as_str()),
                    "files": p.files.iter().map(|f| json!({
                        "name": f.name, "size": f.size, "pages": f.pages, "sha256": f.sha256,
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        let fees: Vec<Value> = state
            .fees
            .iter()
            .map(|f| json!({ "name": f.name.vi, "amount": f.amount.to_string(), "basis": f.basis }))
            .collect();
        let why: Vec<String> = state
            .ledger
            .iter()
            .flat_map(|l| l.explain(&calendar))
            .map(|line| line.text.vi)
            .collect();
        let detail = match &entry.action {
            Action::StepCompleted(step) => step.detail.clone(),
            Action::Stopped { reason, basis } => Detail::Stop {
                reason: reason.clone(),
                basis: basis.clone(),
            },
            _ => state.grounds.clone(),
        };
        let reappointed = match &entry.action {
            Action::Reappointed { due, reason, .. } => json!({ "due": stamp(*due), "reason": reason }),
            _ => Value::Null,
        };
        let grounds = match &detail {
            Detail::Grounds { grounds } => json!(grounds),
            Detail::Stop { reason, basis } => json!([{ "text": reason, "basis": basis }]),
            _ => json!([]),
        };
        let items: Vec<Value> = match &detail {
            Detail::Supplement { items, .. } => items
                .iter()
                .map(|i| {
                    let place = package.form.paper(&i.at).map(|p| p.name.vi.clone());
                    let place = place.or_else(|| package.form.field(&i.at).map(|f| f.label.vi.clone()));
                    json!({ "at": place.unwrap_or_else(|| i.at.clone()), "text": i.text, "basis": i.basis })
                })
                .collect(),
            _ => Vec::new(),
        };
        json!({
            "kind": kind.code(),
            "number": number,
            "code": state.code,
            "secret": self.tracking_secret(id),
            "track_url": self.tracking_url(id, &state.code),
            "procedure": { "code": state.procedure.code, "name": state.procedure.name.vi, "version": state.procedure.version },
            "agency": { "code": state.agency, "name": self.agency_name(&state.agency) },
            "place": self.config().place,
            "applicant": {
                "name": state.applicant.name,
                "person_number": state.applicant.claims.person_number,
                "phone": state.applicant.claims.phone,
                "email": state.applicant.claims.email,
                "organisation": state.applicant.claims.organisation,
                "tax_code": state.applicant.claims.tax_code,
            },
            "channel": channel_label(state.channel).vi,
            "answers": state.answers.to_value(),
            "display": answers,
            "papers": papers,
            "fees": fees,
            "total": base::Dong::new(state.owed()).to_string(),
            "paid": state.paid,
            "submitted_at": stamp(state.submitted_at),
            "received_at": state.received_at.map(stamp),
            "due_at": due.and_then(|d| d.current.or(Some(d.original))).map(stamp),
            "original_due_at": due.map(|d| stamp(d.original)),
            "why": why,
            "decision": match state.decision {
                Decision::Approved => "approved",
                Decision::Rejected => "rejected",
                other => other.code(),
            },
            "decided_at": entry.at.legal_date().to_string(),
            "date": entry.at.legal_date().to_string(),
            "grounds": grounds,
            "items": items,
            "reappointed": reappointed,
            "steps": state.process.variables,
            "officer": { "name": entry.actor.name, "title": entry.actor.title },
            "signer": { "name": entry.actor.name, "title": entry.actor.title },
            "lang": "vi",
        })
    }
}

/// An instant for a template: date for `long-date`, and both as people read them.
fn stamp(at: Timestamp) -> Value {
    let legal = at.legal();
    json!({ "date": legal.date().to_string(), "time": legal.strftime("%H:%M").to_string(), "text": legal.strftime("%H giờ %M, ngày %d/%m/%Y").to_string() })
}

fn number_of(kind: DocumentKind, state: &State) -> String {
    match kind {
        DocumentKind::Receipt => format!("{}/TNHS", state.code),
        DocumentKind::SupplementRequest => supplement_number(&state.code, state.supplements.len()),
        DocumentKind::Refusal => format!("{}/TC", state.code),
        DocumentKind::Apology => format!("{}/XL", state.code),
        DocumentKind::StopNotice => format!("{}/DGQ", state.code),
        DocumentKind::Result => format!("{}/KQ", state.code),
    }
}
