//! Check the answers, and file.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use base::{Dong, Error, Lang, Problems, Result, Text, Timestamp, deadline::Ledger};
use identity::Web;
use procedure::{
    decision::{Bar, Fee},
    form::{Origin, SummarySection},
};
use view::{Link, Page, files::encoded, ui};

use super::{
    Portal, Posted, again, answer_of_draft, barred, draft_id, drafts, field, fields, papers, rules, settled, to,
};
use crate::{model::action::Channel, service::DraftView};

#[derive(Template)]
#[template(path = "citizen/check.html")]
struct Check {
    page: Page,
    id: String,
    complete: bool,
    /// Conditions that are not met: it cannot be filed.
    stops: Vec<(String, String)>,
    warnings: Vec<(String, String)>,
    next: String,
    sections: Vec<SummarySection>,
    papers: Vec<PaperRow>,
    applicant: String,
    fees: Vec<Fee>,
    total: Dong,
    reasons: Vec<String>,
    free: bool,
    due: Option<Timestamp>,
    why: Vec<(Text, Option<Text>)>,
    key: String,
    declared: bool,
}

struct PaperRow {
    id: String,
    name: String,
    required: bool,
    files: Vec<papers::FileLine>,
}

/// The answers, once more.
pub(super) async fn show(web: Web, State(portal): State<Portal>, Path(id): Path<String>) -> Response {
    let made = shown(&web, &portal, &id).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn shown(web: &Web, portal: &Portal, id: &str) -> Result<Response> {
    let view = portal.dossiers.draft(&web.ctx, draft_id(id)?).await?;
    draw(web, portal, &view, Problems::new(), StatusCode::OK, None)
}

fn draw(
    web: &Web,
    portal: &Portal,
    view: &DraftView,
    problems: Problems,
    status: StatusCode,
    key: Option<&str>,
) -> Result<Response> {
    let lang = web.ctx.lang;
    let package = &view.package;
    let calendar = portal.dossiers.calendar();
    let rules = rules(&portal.dossiers, package, &calendar);
    let today = web.ctx.now.legal_date();
    let context = rules.informed(&view.applicant, Channel::Online, today, &view.draft.facts);
    let mut page = web.titled("Kiểm tra lại trước khi nộp", "Check before you file");
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link {
            href: format!("/drafts/{}", view.draft.id),
            label: package.meta.name.clone(),
        },
    ];
    let declared = !problems.is_empty() && problems.at("declaration", lang).is_none();
    let sections = package.form.summary(&view.journey, &context, lang);
    let complete = view.is_complete();
    // A draft may have been begun at a higher level of the e-ID than the person has today.
    let stops = barred(&web.ctx, package).map(|text| (text, String::new()));
    let mut template = Check {
        id: view.draft.id.to_string(),
        complete,
        stops: stops.into_iter().collect(),
        warnings: Vec::new(),
        next: drafts::next_open(view),
        sections,
        papers: paper_rows(view, lang),
        applicant: view.applicant.name.clone(),
        fees: Vec::new(),
        total: Dong::ZERO,
        reasons: Vec::new(),
        free: package.meta.payment.is_none(),
        due: None,
        why: Vec::new(),
        // Made here, so that a second click and a lost answer name the same wish.
        key: key.map_or_else(|| uuid::Uuid::from_u128(rand::random()).to_string(), str::to_owned),
        declared,
        page,
    };
    if complete {
        let answers = &view.journey.answers;
        let fees = package.fees(answers, &context)?;
        let rules = package
            .why_fees(answers, &context)
            .steps
            .into_iter()
            .flat_map(|s| s.rules);
        template.reasons = rules.map(|r| r.note).filter(|n| !n.is_empty()).collect();
        template.total = Dong::checked_sum(fees.iter().map(|f| f.amount)).unwrap_or(Dong::ZERO);
        template.free = template.total == Dong::ZERO;
        template.fees = fees;
        for remark in package.eligibility(answers, &context)? {
            let line = (remark.text.get(lang).to_owned(), remark.basis);
            match remark.severity {
                Bar::Stop => template.stops.push(line),
                Bar::Warn => template.warnings.push(line),
            }
        }
        let (_, budget) = package.deadline_for(answers, &context);
        let ledger = Ledger::received(
            web.ctx.now,
            budget,
            package.deadline_rules().clone(),
            calendar.version(),
        )?;
        template.due = ledger.due(&calendar).current;
        template.why = ledger
            .explain(&calendar)
            .into_iter()
            .map(|line| (line.text, line.basis))
            .collect();
    }
    // The declaration stands on the page only where the dossier can be filed.
    let fileable = complete && template.stops.is_empty();
    let shown = |at: &str| {
        (at == "declaration" && fileable)
            || template.papers.iter().any(|p| p.id == at)
            || template.sections.iter().flat_map(|s| &s.rows).any(|r| r.id == at)
    };
    template.page.problems = settled(&problems, shown);
    Ok(view::html(status, &template))
}

fn paper_rows(view: &DraftView, lang: Lang) -> Vec<PaperRow> {
    view.papers
        .iter()
        .filter_map(|p| {
            let files = p.files.iter().map(|f| papers::FileLine {
                id: f.id.to_string(),
                name: f.name.clone(),
                about: match &f.file {
                    Some(file) => papers::about(file.size, file.pages, lang),
                    None => lang.t("Tải lên chưa xong", "Not finished").to_owned(),
                },
                sha256: f.file.as_ref().map(|f| f.sha256.clone()),
            });
            Some(PaperRow {
                id: p.id.clone(),
                name: p.paper(&view.package)?.name.get(lang).to_owned(),
                required: p.required,
                files: files.collect(),
            })
        })
        .collect()
}

/// Files the draft. A second click leads to the same dossier.
pub(super) async fn submit(web: Web, State(portal): State<Portal>, Path(id): Path<String>, posted: Posted) -> Response {
    let made = submitted(&web, &portal, &id, posted).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn submitted(web: &Web, portal: &Portal, id: &str, posted: Posted) -> Result<Response> {
    let id = draft_id(id)?;
    let posted = fields(posted)?;
    let key = field(&posted, "idempotency_key");
    let filed = if field(&posted, "declaration") == "true" {
        portal.dossiers.submit(&web.ctx, id, key).await
    } else {
        // A draft that was filed meanwhile answers for itself when it is drawn.
        let mut problems = Problems::new();
        problems.add(
            "required",
            "declaration",
            "Đánh dấu vào ô cam đoan để nộp hồ sơ.",
            "Tick the declaration to file the dossier.",
        );
        Err(Error::Refused(base::Kind::Invalid, problems))
    };
    match filed {
        Ok(filed) => Ok(to(format!("/dossiers/{}?filed=1", encoded(&filed.code)))),
        Err(Error::Refused(kind @ base::Kind::Invalid, problems)) => {
            let view = portal.dossiers.draft(&web.ctx, id).await?;
            let key = Some(key).filter(|k| !k.is_empty() && k.len() <= 200);
            draw(web, portal, &view, problems, again(kind), key)
        }
        // The page says by itself what stands in the way.
        Err(Error::Refused(kind @ base::Kind::Forbidden, _)) => {
            let view = portal.dossiers.draft(&web.ctx, id).await?;
            draw(web, portal, &view, Problems::new(), again(kind), None)
        }
        Err(error) => Err(error),
    }
}

impl Check {
    fn change(&self, section: &SummarySection, row: &str) -> String {
        format!("/drafts/{}/pages/{}?from=check#{row}", self.id, section.page)
    }
}

impl Check {
    fn with_basis(&self, text: &str, basis: &str) -> String {
        if basis.is_empty() {
            text.to_owned()
        } else {
            format!("{text} ({basis})")
        }
    }

    fn ticked(&self) -> Vec<&'static str> {
        if self.declared { vec!["true"] } else { Vec::new() }
    }
}
