//! Doubts that come through the exchange. The gateway has judged who calls, by which grant and for which purpose.
//!
//! ```text
//! POST /{registry}/{service}/records/{key}/doubts   of a service with the operation `doubt`
//! POST /{registry}/{service}/contests               what a person contests of the attributes that a service with `facts` told
//! GET  /{registry}/{service}/contests/{id}          how the doubt stands that it became, or that of a person
//! GET  /{registry}/{service}/own/{number}           of a service with `own`: what is held about a person who is signed in there
//! POST /{registry}/{service}/own/{number}/doubts    what they contest of it
//!
//! POST …/contests/{id}/evidence          what shows it, if the steward asked; of a person, …/own/{number}/doubts/{id}/evidence
//! POST …/contests/{id}/evidence/files    a file that shows it, as the body, while it is open; likewise …/own/{number}/doubts/{id}/…
//! POST …/contests/{id}/withdraw          it is taken back; likewise …/own/{number}/doubts/{id}/…
//! ```

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRef, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{
    Clock, Error, Problems, Result,
    codes::{CodeError, PersonNumber},
};
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, IdempotencyKey};
use uuid::Uuid;

use super::{
    Quality,
    api::{DoubtBody, DoubtReceiptBody, FileNamed, whole_file},
    doubts::{Doubt, LARGEST_FILE, Reporter},
    own::label,
};
use crate::{
    model::{FieldPath, Operation},
    offered::{Called, Office},
    service::Mask,
    wire::{ContestBody, EvidenceBody, OwnBody, OwnDoubtBody, StandingBody, StandingFileBody, TakenBody},
};

/// The longest id of what is contested, in bytes.
const LONGEST_ID: usize = 200;

#[derive(Clone)]
struct Doubting {
    office: Office,
    quality: Quality,
}

impl FromRef<Doubting> for Office {
    fn from_ref(doubting: &Doubting) -> Self {
        doubting.office.clone()
    }
}

impl FromRef<Doubting> for Quality {
    fn from_ref(doubting: &Doubting) -> Self {
        doubting.quality.clone()
    }
}

/// What answers behind the gateway, beside [`crate::offered::router`].
pub fn router(quality: Quality, clock: Arc<dyn Clock>, agency: &str) -> Router {
    let office = Office::new(quality.registries().clone(), clock, agency);
    let files = Router::new()
        .route("/{registry}/{service}/contests/{id}/evidence/files", post(file))
        .route(
            "/{registry}/{service}/own/{number}/doubts/{id}/evidence/files",
            post(own_file),
        )
        .layer(DefaultBodyLimit::max(LARGEST_FILE + 1));
    Router::new()
        .route("/{registry}/{service}/records/{key}/doubts", post(doubt))
        .route("/{registry}/{service}/contests", post(contest))
        .route("/{registry}/{service}/contests/{id}", get(standing))
        .route("/{registry}/{service}/contests/{id}/evidence", post(evidence))
        .route("/{registry}/{service}/contests/{id}/withdraw", post(withdraw))
        .route("/{registry}/{service}/own/{number}", get(own))
        .route("/{registry}/{service}/own/{number}/doubts", post(contest_own))
        .route(
            "/{registry}/{service}/own/{number}/doubts/{id}/evidence",
            post(own_evidence),
        )
        .route(
            "/{registry}/{service}/own/{number}/doubts/{id}/withdraw",
            post(own_withdraw),
        )
        .merge(files)
        .with_state(Doubting { office, quality })
}

/// A registry, a service, and a doubt that came up in a dossier.
type InDossier = ApiPath<(String, String, Uuid)>;
/// A registry, a service, a person, and a doubt of theirs.
type OfPerson = ApiPath<(String, String, String, Uuid)>;

async fn doubt(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, key)): ApiPath<(String, String, String)>,
    idempotency: IdempotencyKey,
    ApiJson(body): ApiJson<DoubtBody>,
) -> Result<Response, ApiError> {
    called.needs(Operation::Doubt)?;
    let mut report = body.read();
    if report.dossier.is_none() {
        report.dossier = called.purpose.dossier().map(str::to_owned);
    }
    let key = called.key(key).await?;
    let by = Reporter::System(called.client.to_string(), called.shown(&Mask::ALL));
    let code = &called.registry.code;
    let receipt = quality
        .doubt(&called.ctx, &by, code, &key, &report, idempotency.as_str())
        .await?;
    Ok((StatusCode::CREATED, axum::Json(DoubtReceiptBody::from(receipt))).into_response())
}

async fn contest(
    State(quality): State<Quality>,
    called: Called,
    ApiJson(body): ApiJson<ContestBody>,
) -> Result<Response, ApiError> {
    called.needs(Operation::Facts)?;
    called.is_about(&body.dossier)?;
    let contested = body.contested();
    let mut problems = Problems::new();
    judge_id(&contested.id, &mut problems);
    // What was not told by this service nobody can contest by it.
    if !called.tells(&contested.attribute) || contested.registry() != called.registry.code.as_str() {
        problems.add(
            "unknown-attribute",
            "attribute",
            "Dịch vụ này không cung cấp thông tin đó.",
            "This service does not tell that.",
        );
    }
    problems.into_result()?;
    let taken = quality
        .doubt_contested(&called.ctx, &in_dossier(&called), &contested)
        .await;
    let receipt = taken.unwrap_or_else(|| Err(Error::not_found("bản ghi", "record")))?;
    Ok((StatusCode::CREATED, axum::Json(TakenBody::from(receipt))).into_response())
}

fn judge_id(id: &str, problems: &mut Problems) {
    if id.is_empty() || id.len() > LONGEST_ID {
        problems.add(
            "contest-id",
            "id",
            format!("Mã của phản ánh có từ 1 đến {LONGEST_ID} byte."),
            format!("The id of what is contested has 1 to {LONGEST_ID} bytes."),
        );
    }
}

async fn own(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, number)): ApiPath<(String, String, String)>,
) -> Result<axum::Json<OwnBody>, ApiError> {
    called.needs(Operation::Own)?;
    let (number, shown) = (person(&number)?, called.shown(&Mask::ALL));
    let told = quality
        .own(&called.ctx, &called.purpose, &called.registry, &number, &shown)
        .await?;
    Ok(axum::Json(told))
}

async fn contest_own(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, number)): ApiPath<(String, String, String)>,
    ApiJson(body): ApiJson<OwnDoubtBody>,
) -> Result<Response, ApiError> {
    called.needs(Operation::Own)?;
    let mut problems = Problems::new();
    judge_id(&body.id, &mut problems);
    problems.into_result()?;
    let by = of_person(&called, &number)?;
    let (registry, record) = (&called.registry, body.record.to_string());
    let receipt = quality
        .doubt(&called.ctx, &by, &registry.code, &record, &body.report(), &body.id)
        .await?;
    let field: Option<FieldPath> = body.field.parse().ok();
    let taken = TakenBody {
        label: field.and_then(|field| label(registry, &field)),
        ..TakenBody::from(receipt)
    };
    Ok((StatusCode::CREATED, axum::Json(taken)).into_response())
}

async fn own_evidence(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, number, id)): OfPerson,
    ApiJson(body): ApiJson<EvidenceBody>,
) -> Result<axum::Json<StandingBody>, ApiError> {
    called.needs(Operation::Own)?;
    let by = of_person(&called, &number)?;
    taken_evidence(&quality, &called, &by, id, &body).await
}

async fn evidence(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, id)): InDossier,
    ApiJson(body): ApiJson<EvidenceBody>,
) -> Result<axum::Json<StandingBody>, ApiError> {
    called.needs(Operation::Facts)?;
    taken_evidence(&quality, &called, &in_dossier(&called), id, &body).await
}

async fn taken_evidence(
    quality: &Quality,
    called: &Called,
    by: &Reporter,
    id: Uuid,
    EvidenceBody { evidence }: &EvidenceBody,
) -> Result<axum::Json<StandingBody>, ApiError> {
    let code = &called.registry.code;
    let doubt = quality
        .reply_from_elsewhere(&called.ctx, by, called.purpose.dossier(), code, id, evidence)
        .await?;
    stands(quality, doubt).await
}

async fn own_file(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, number, id)): OfPerson,
    ApiQuery(named): ApiQuery<FileNamed>,
    content: std::result::Result<Bytes, BytesRejection>,
) -> Result<axum::Json<StandingFileBody>, ApiError> {
    called.needs(Operation::Own)?;
    let by = of_person(&called, &number)?;
    taken_file(&quality, &called, &by, id, &named, whole_file(content)?).await
}

async fn file(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, id)): InDossier,
    ApiQuery(named): ApiQuery<FileNamed>,
    content: std::result::Result<Bytes, BytesRejection>,
) -> Result<axum::Json<StandingFileBody>, ApiError> {
    called.needs(Operation::Facts)?;
    let by = in_dossier(&called);
    taken_file(&quality, &called, &by, id, &named, whole_file(content)?).await
}

async fn taken_file(
    quality: &Quality,
    called: &Called,
    by: &Reporter,
    id: Uuid,
    named: &FileNamed,
    content: Bytes,
) -> Result<axum::Json<StandingFileBody>, ApiError> {
    let (of, sent) = ((&called.registry.code, id), (named.name(), content));
    let file = quality
        .file_from_elsewhere(&called.ctx, by, called.purpose.dossier(), of, sent)
        .await?;
    Ok(axum::Json(file.into()))
}

async fn own_withdraw(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, number, id)): OfPerson,
) -> Result<axum::Json<StandingBody>, ApiError> {
    called.needs(Operation::Own)?;
    let by = of_person(&called, &number)?;
    taken_back(&quality, &called, &by, id).await
}

async fn withdraw(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, id)): InDossier,
) -> Result<axum::Json<StandingBody>, ApiError> {
    called.needs(Operation::Facts)?;
    taken_back(&quality, &called, &in_dossier(&called), id).await
}

async fn taken_back(
    quality: &Quality,
    called: &Called,
    by: &Reporter,
    id: Uuid,
) -> Result<axum::Json<StandingBody>, ApiError> {
    let (code, dossier) = (&called.registry.code, called.purpose.dossier());
    let doubt = quality
        .withdraw_from_elsewhere(&called.ctx, by, dossier, code, id)
        .await?;
    stands(quality, doubt).await
}

async fn standing(
    State(quality): State<Quality>,
    called: Called,
    ApiPath((_, _, id)): InDossier,
) -> Result<axum::Json<StandingBody>, ApiError> {
    let client = called.client.to_string();
    let doubt = quality.doubt_of(&client, &called.registry.code, id).await?;
    stands(&quality, doubt).await
}

/// How a doubt stands, with what has come with it.
async fn stands(quality: &Quality, doubt: Doubt) -> Result<axum::Json<StandingBody>, ApiError> {
    let files = quality.files_of(doubt.id.uuid()).await?;
    Ok(axum::Json(StandingBody::of(doubt, files)))
}

/// The person whom the address names.
fn of_person(called: &Called, number: &str) -> Result<Reporter> {
    Ok(Reporter::PersonElsewhere {
        client: called.client.to_string(),
        number: person(number)?,
        shown: called.shown(&Mask::ALL),
    })
}

/// Whoever's dossier it is.
fn in_dossier(called: &Called) -> Reporter {
    Reporter::ProcedureElsewhere(called.client.to_string())
}

fn person(number: &str) -> Result<PersonNumber> {
    number.parse().or_else(|flaw: CodeError| flaw.refuse("number"))
}
