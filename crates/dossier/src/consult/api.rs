//! The JSON API of officers, or their programs, who are asked by other agencies.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Problems};
use bytes::Bytes;
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Both, Ctx, Instant, Listing, Paging};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{AskedItem, AskedView, GivenOpinion, SentFile, Shown};
use crate::{
    model::action::{ConsultationId, DossierId, UploadId},
    service::Dossiers,
};

/// The routes, with their part of the OpenAPI file.
pub fn router() -> OpenApiRouter<Dossiers> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(answer))
        .routes(routes!(paper))
        .routes(routes!(file))
        .routes(routes!(again))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListParams {
    /// `open` (the default): what waits for an answer, the most urgent first; `past`: the rest, the newest first.
    #[param(value_type = Option<String>)]
    state: String,
}

/// A question of another agency.
#[derive(Debug, Serialize, ToSchema)]
struct QuestionBody {
    id: Uuid,
    /// The system of the exchange that asks.
    asker: String,
    /// Code of the dossier there.
    dossier: String,
    /// National code of its procedure.
    procedure: String,
    procedure_name: Both,
    /// The agency that decides the dossier.
    deciding: String,
    deciding_name: String,
    /// The agency that is asked.
    agency: String,
    question: Both,
    sent_at: Instant,
    received_at: Instant,
    due_at: Option<Instant>,
    /// Working minutes left to answer; negative when the time has passed.
    minutes_left: Option<i64>,
    /// `agrees`: silence counts as agreement; `unanswered`: it does not.
    #[schema(value_type = String)]
    silence: procedure::process::Silence,
    /// `open`, `sending`, `received`, `refused` or `ended`.
    state: &'static str,
}

impl From<AskedItem> for QuestionBody {
    fn from(item: AskedItem) -> Self {
        let question = item.question;
        Self {
            id: item.id.uuid(),
            asker: item.asker.to_string(),
            dossier: question.dossier,
            procedure: question.procedure.code,
            procedure_name: question.procedure.name.into(),
            deciding: question.deciding.code,
            deciding_name: question.deciding.name,
            agency: question.agency,
            question: question.question.into(),
            sent_at: question.sent.into(),
            received_at: item.received_at.into(),
            due_at: question.due.map(Instant::from),
            minutes_left: item.minutes_left,
            silence: question.silence,
            state: item.state.code(),
        }
    }
}

/// A question, whole.
#[derive(Debug, Serialize, ToSchema)]
struct WholeBody {
    #[serde(flatten)]
    question: QuestionBody,
    /// What of the application was sent along.
    facts: Vec<FactBody>,
    /// The papers that can be fetched while it is open.
    papers: Vec<PaperBody>,
    opinion: Option<OpinionShown>,
    /// How it ended at the asking node.
    ended: Option<EndedBody>,
    /// Why the opinion is not there yet, or was not taken: `[{code, at, text}]`.
    #[schema(value_type = Vec<Object>)]
    problems: Problems,
}

#[derive(Debug, Serialize, ToSchema)]
struct FactBody {
    label: Both,
    value: Both,
}

#[derive(Debug, Serialize, ToSchema)]
struct PaperBody {
    title: Both,
    name: String,
    media_type: String,
    size: u64,
    sha256: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct OpinionShown {
    agrees: bool,
    opinion: String,
    document: String,
    #[schema(value_type = Option<String>, format = Date)]
    dated: Option<Date>,
    officer: String,
    given_at: Option<Instant>,
    files: Vec<SentBody>,
}

/// A file that goes with an opinion.
#[derive(Debug, Serialize, ToSchema)]
struct SentBody {
    name: String,
    media_type: String,
    size: u64,
    sha256: String,
}

impl From<SentFile> for SentBody {
    fn from(file: SentFile) -> Self {
        Self {
            name: file.name,
            media_type: file.media_type,
            size: file.size,
            sha256: file.sha256,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct EndedBody {
    at: Instant,
    text: Both,
}

impl From<AskedView> for WholeBody {
    fn from(mut view: AskedView) -> Self {
        let facts = std::mem::take(&mut view.item.question.facts);
        let papers = std::mem::take(&mut view.item.question.papers);
        Self {
            facts: facts
                .into_iter()
                .map(|fact| FactBody {
                    label: fact.label.into(),
                    value: fact.value.into(),
                })
                .collect(),
            papers: papers
                .into_iter()
                .map(|paper| PaperBody {
                    title: paper.title.into(),
                    name: paper.name,
                    media_type: paper.media_type,
                    size: paper.size,
                    sha256: paper.sha256,
                })
                .collect(),
            opinion: view.opinion.map(|opinion| OpinionShown {
                agrees: opinion.agrees,
                opinion: opinion.opinion,
                document: opinion.document,
                dated: opinion.dated,
                officer: opinion.officer.name,
                given_at: view.answered_at.map(Instant::from),
                files: opinion.files.into_iter().map(SentBody::from).collect(),
            }),
            ended: view.ended.map(|ended| EndedBody {
                at: ended.at.into(),
                text: ended.how.text().into(),
            }),
            problems: view.problems,
            question: view.item.into(),
        }
    }
}

/// The opinion of an agency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpinionBody {
    /// Whether the agency agrees.
    agrees: bool,
    /// In words.
    opinion: String,
    /// Number of its document.
    #[serde(default)]
    document: String,
    /// Date of that document.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    dated: Option<Date>,
    /// Finished uploads for this question, at most 10.
    #[serde(default)]
    files: Vec<Uuid>,
}

/// List what other agencies have asked the officer's agency.
#[utoipa::path(get, path = "/api/v1/consultations", operation_id = "list_consultations", tag = "consultations", params(ListParams, Paging), responses(
    (status = 200, description = "A page", body = Listing<QuestionBody>),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an officer who answers consultations"),
    (status = 422, description = "Which parameter is wrong", content_type = "application/problem+json"),
))]
async fn list(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<ListParams>,
    paging: Paging,
) -> Result<Response, ApiError> {
    let shown = match params.state.as_str() {
        "" | "open" => Shown::Open,
        "past" => Shown::Past,
        _ => {
            let mut problems = Problems::new();
            problems.add("not-a-state", "state", "Nhập open hoặc past.", "Enter open or past.");
            return Err(Error::Refused(Kind::Invalid, problems).into());
        }
    };
    let slice = dossiers.asked(&ctx, shown, paging.after(), paging.limit()).await?;
    Ok(axum::Json(Listing::of(slice.items, slice.next, QuestionBody::from)).into_response())
}

/// Read a question of another agency.
#[utoipa::path(get, path = "/api/v1/consultations/{id}", operation_id = "read_consultation", tag = "consultations", params(("id" = Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The question", body = WholeBody),
    (status = 401, description = "Nobody is signed in"),
    (status = 404, description = "No such question for this caller"),
    (status = 422, description = "Not an id", content_type = "application/problem+json"),
))]
async fn one(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath(id): ApiPath<ConsultationId>,
) -> Result<Response, ApiError> {
    let view = dossiers.asked_one(&ctx, id).await?;
    Ok(axum::Json(WholeBody::from(view)).into_response())
}

/// Answer a question of another agency. The same answer again changes nothing.
#[utoipa::path(put, path = "/api/v1/consultations/{id}/opinion", operation_id = "give_opinion", tag = "consultations", request_body = OpinionBody,
    params(("id" = Uuid, Path, description = "The question")),
    responses((status = 202, description = "Kept; it is sent as soon as the asking node can be reached", body = WholeBody), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such question for this caller"), (status = 409, description = "It was answered otherwise, or has ended"),
        (status = 422, description = "Every problem at its place", content_type = "application/problem+json")))]
async fn answer(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath(id): ApiPath<ConsultationId>,
    ApiJson(body): ApiJson<OpinionBody>,
) -> Result<Response, ApiError> {
    let given = GivenOpinion {
        agrees: body.agrees,
        opinion: body.opinion,
        document: body.document,
        dated: body.dated,
        files: body.files.into_iter().map(UploadId::from_uuid).collect(),
    };
    dossiers.answer_question(&ctx, id, &given).await?;
    let view = dossiers.asked_one(&ctx, id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WholeBody::from(view))).into_response())
}

/// Fetch a paper of an open question from the asking node.
#[utoipa::path(get, path = "/api/v1/consultations/{id}/papers/{sha256}", operation_id = "fetch_consultation_paper", tag = "consultations",
    params(("id" = Uuid, Path, description = "The question"), ("sha256" = String, Path, description = "Digest of the paper")),
    responses((status = 200, description = "Its bytes, which have the digest", content_type = "application/octet-stream"), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such question or paper for this caller"), (status = 409, description = "The asking node does not give it any more"),
        (status = 422, description = "Not an id", content_type = "application/problem+json"), (status = 503, description = "The asking node cannot be reached")))]
async fn paper(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath((id, sha256)): ApiPath<(ConsultationId, String)>,
) -> Result<Response, ApiError> {
    let fetched = dossiers.asked_paper(&ctx, id, &sha256).await?;
    Ok(bytes(fetched.content))
}

fn bytes(content: Bytes) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    (headers, content).into_response()
}

/// Read a file that goes with the opinion on a question.
#[utoipa::path(get, path = "/api/v1/consultations/{id}/files/{sha256}", operation_id = "read_opinion_file", tag = "consultations",
    params(("id" = Uuid, Path, description = "The question"), ("sha256" = String, Path, description = "Digest of the file")),
    responses((status = 200, description = "Its bytes", content_type = "application/octet-stream"), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such question or file for this caller"), (status = 422, description = "Not an id", content_type = "application/problem+json")))]
async fn file(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath((id, sha256)): ApiPath<(ConsultationId, String)>,
) -> Result<Response, ApiError> {
    let (_, content) = dossiers.opinion_file(&ctx, id, &sha256).await?;
    Ok(bytes(content))
}

/// Send a question to another node again: one that was refused, or that waits for its next try.
#[utoipa::path(post, path = "/api/v1/dossiers/{id}/consultations/{sent_by}/again", operation_id = "send_consultation_again", tag = "dossiers",
    params(("id" = Uuid, Path, description = "The dossier"), ("sent_by" = String, Path, description = "The send task that asked")),
    responses((status = 202, description = "It will be sent"), (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not permitted"),
        (status = 404, description = "No such dossier or question"), (status = 409, description = "It is there already, or has ended"),
        (status = 422, description = "Not an id", content_type = "application/problem+json")))]
async fn again(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath((id, sent_by)): ApiPath<(DossierId, String)>,
) -> Result<Response, ApiError> {
    dossiers.ask_again(&ctx, id, &sent_by).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}
