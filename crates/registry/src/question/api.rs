//! The JSON API of approved questions: which there are, for everybody; on what an answer rests, for whoever audits.

use axum::extract::State;
use identity::{ApiError, ApiPath, Both, Ctx, Instant, Listing, Paging};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{AnswerKind, Question, service::Questions};
use crate::api::params::Asking;

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(questions: Questions) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(evidence))
        .with_state(questions)
}

/// An approved question.
#[derive(Debug, Serialize, ToSchema)]
struct QuestionItemBody {
    /// Its code.
    code: String,
    /// The version of its folder.
    version: u32,
    /// What is asked.
    name: Both,
    /// What is told, and what is not.
    summary: Both,
    /// The agency that answers for it.
    owner: String,
    /// The only purpose for which it is answered.
    purpose: String,
    /// The laws.
    basis: Vec<String>,
    /// What is put in.
    inputs: Vec<String>,
    /// What is asked of registries: `registry.attribute`.
    asks: Vec<String>,
    /// The sort of answer: `yes-no`, `number`.
    kind: AnswerKindBody,
}

/// The sort of answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum AnswerKindBody {
    YesNo,
    Number,
}

impl QuestionItemBody {
    fn of(question: &Question) -> Self {
        let law = |basis: &crate::model::Basis| format!("{}, {}", basis.text, basis.article);
        Self {
            code: question.code.to_string(),
            version: question.version,
            name: (&question.name).into(),
            summary: (&question.summary).into(),
            owner: question.owner.to_string(),
            purpose: question.purpose.as_str().to_owned(),
            basis: question.basis.iter().map(law).collect(),
            inputs: question.inputs.iter().map(|input| input.id.to_string()).collect(),
            asks: question.facts.iter().map(|fact| fact.ask.to_string()).collect(),
            kind: match question.kind() {
                AnswerKind::YesNo => AnswerKindBody::YesNo,
                AnswerKind::Number => AnswerKindBody::Number,
            },
        }
    }
}

/// List the approved questions that this node answers on the exchange.
#[utoipa::path(get, path = "/api/v1/questions", operation_id = "list_questions", tag = "registries", params(Paging), responses(
    (status = 200, description = "A page", body = Listing<QuestionItemBody>),
    (status = 422, description = "Which parameter is wrong"),
))]
async fn list(
    State(questions): State<Questions>,
    asking: Asking,
    paging: Paging,
) -> Result<axum::Json<Listing<QuestionItemBody>>, ApiError> {
    asking.only(&["cursor", "limit"])?;
    let after = paging.after().unwrap_or_default();
    let mut rest = questions
        .all()
        .filter(|question| question.code.as_str() > after)
        .peekable();
    let page: Vec<&Question> = rest.by_ref().take(paging.limit() as usize).collect();
    let next = page
        .last()
        .filter(|_| rest.peek().is_some())
        .map(|question| question.code.clone());
    Ok(axum::Json(Listing::of(page, next, QuestionItemBody::of)))
}

/// On what an answer rests.
#[derive(Debug, Serialize, ToSchema)]
struct AnswerEvidenceBody {
    /// Code of the question.
    question: String,
    /// The version of its folder.
    version: i64,
    /// The client of the exchange that asked.
    asked_by: String,
    /// For which dossier.
    #[serde(skip_serializing_if = "Option::is_none")]
    dossier: Option<String>,
    /// When.
    asked_at: Instant,
    /// Of which moment of life, a day or an instant; absent for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    /// As known when (RFC 3339, to the microsecond); absent for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Instant>)]
    known_at: Option<String>,
    /// How it went: `answered`, `undecided`, `silent`.
    outcome: String,
    /// The answer; absent where there was none, or a record beneath it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    /// `registry/key#version` of each record.
    rests_on: Vec<String>,
    /// The hash that the leaf has, made again; absent after an erasure.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// The log in which the leaf is.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// The leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf: Option<i64>,
}

/// Read on which versions of which records an answer rests. For auditors of the agency that answers for the question.
#[utoipa::path(get, path = "/api/v1/answers/{id}", operation_id = "read_answer_evidence", tag = "registries",
    params(("id" = Uuid, Path, description = "Id of the answer")), responses(
    (status = 200, description = "The evidence", body = AnswerEvidenceBody),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an auditor of its agency"),
    (status = 404, description = "No such answer"),
    (status = 422, description = "Not an id, or a parameter that there is not"),
))]
async fn evidence(
    State(questions): State<Questions>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
    asking: Asking,
) -> Result<axum::Json<AnswerEvidenceBody>, ApiError> {
    ctx.signed_in()?;
    asking.only(&[])?;
    let found = questions.evidence(&ctx, id).await?;
    let (question, version) = found.question;
    let (log, leaf) = found.leaf.unzip();
    Ok(axum::Json(AnswerEvidenceBody {
        question,
        version,
        asked_by: found.asked_by,
        dossier: found.dossier,
        asked_at: found.at.into(),
        as_of: found.times.as_of(),
        known_at: found.times.known_at(),
        outcome: found.outcome,
        answer: found.answer,
        rests_on: found.rests_on,
        sha256: found.sha256,
        log,
        leaf,
    }))
}
