//! The JSON API of dossiers. Errors are problem details that carry every problem at once.

mod body;
mod uploads;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::Result;
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Ctx, IdempotencyKey, Listing, Paging, Purpose, Tag};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    model::{action::DossierId, command::Command},
    service::{Done, Dossiers, Filing},
    store::lists::Filter,
};
use body::{
    AssignBody, CompleteBody, ConsultationBody, DossierBody, DossierItemBody, EndWaitBody, FiledBody, FilingBody,
    HistoryBody, NoteBody, OutcomeBody, PaymentBody, ReappointBody, ReasonBody, StopBody, SupplementBody, TrackingBody,
    WaiverBody,
};

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(dossiers: Dossiers) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(file, list))
        .routes(routes!(one))
        .routes(routes!(history))
        .routes(routes!(complete))
        .routes(routes!(assign))
        .routes(routes!(supplement))
        .routes(routes!(pay))
        .routes(routes!(waive))
        .routes(routes!(note))
        .routes(routes!(end_wait))
        .routes(routes!(reappoint))
        .routes(routes!(withdraw))
        .routes(routes!(stop))
        .routes(routes!(answer))
        .routes(routes!(track))
        .merge(uploads::router())
        .merge(crate::consult::api::router())
        .merge(crate::proposal::api::router())
        .with_state(dossiers)
}

fn done(done: &Done) -> Response {
    Tag::version(done.version).answer(&HeaderMap::new(), || axum::Json(OutcomeBody::from(done)))
}

/// Carries out a command on the version that the caller saw. `If-Match` is held against them only where what they judged has
/// changed since: a document that the platform made meanwhile gives the dossier a new ETag and spoils nobody's step.
async fn carry_out(
    dossiers: &Dossiers,
    ctx: &Ctx,
    headers: &HeaderMap,
    id: DossierId,
    command: Command,
) -> Result<Response, ApiError> {
    let result = dossiers.command(ctx, id, &command, Tag::seen(headers)?).await?;
    Ok(done(&result))
}

/// File a dossier.
#[utoipa::path(post, path = "/api/v1/dossiers", operation_id = "file_dossier", tag = "dossiers", request_body = FilingBody,
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 200, description = "The same key with the same body gives the same dossier")),
    responses(
        (status = 201, description = "Filed", body = FiledBody),
        (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Not permitted"),
        (status = 404, description = "The procedure cannot be filed here"),
        (status = 409, description = "The key was used for another request"),
        (status = 422, description = "Every problem at its field"),
    ))]
async fn file(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    key: IdempotencyKey,
    ApiJson(body): ApiJson<FilingBody>,
) -> Result<Response, ApiError> {
    let filing = Filing::try_from(body)?;
    let filed = dossiers.file(&ctx, &filing, key.as_str()).await?;
    let location = format!("/api/v1/dossiers/{}", filed.id);
    let url = dossiers.tracking_url(filed.id, &filed.code);
    let body = FiledBody {
        id: filed.id.uuid(),
        code: filed.code,
        secret: filed.secret,
        tracking_url: url,
    };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)).into_response())
}

/// What of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListParams {
    /// National status, 1 to 10.
    #[param(minimum = 1, maximum = 10, value_type = Option<u8>)]
    status: String,
    /// National code of the procedure.
    procedure: String,
    /// The beginning of the applicant's name, with or without diacritics.
    applicant: String,
    /// Due before this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    due_before: String,
    /// `true`: only what waits for its applicant: papers asked for, a fee to pay, a result to fetch.
    #[param(value_type = Option<bool>)]
    waiting: String,
}

impl ListParams {
    fn read(self) -> Result<Filter> {
        let mut problems = base::Problems::new();
        let text = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
        let status = text(&self.status).map(|v| v.parse::<u8>().ok().filter(|n| (1..=10).contains(n)));
        if status == Some(None) {
            problems.add(
                "not-a-number",
                "status",
                "Nhập số từ 1 đến 10.",
                "Enter a number from 1 to 10.",
            );
        }
        let due_before = text(&self.due_before).and_then(|t| {
            let at = base::Timestamp::parse_rfc3339(&t);
            if at.is_none() {
                problems.add(
                    "not-an-instant",
                    "due_before",
                    "Nhập thời điểm theo RFC 3339.",
                    "Enter an instant as in RFC 3339.",
                );
            }
            at
        });
        let waiting = match self.waiting.trim() {
            "true" => true,
            "" | "false" => false,
            _ => {
                problems.add(
                    "not-a-boolean",
                    "waiting",
                    "Nhập true hoặc false.",
                    "Enter true or false.",
                );
                false
            }
        };
        problems.into_result()?;
        let applicant = text(&self.applicant).map(|name| base::text::fold(&name));
        Ok(Filter {
            status: status.flatten(),
            due_before,
            procedure: text(&self.procedure),
            applicant,
            waiting,
        })
    }
}

/// List dossiers, newest first: an officer's those of the agency, a person's their own.
#[utoipa::path(get, path = "/api/v1/dossiers", operation_id = "list_dossiers", tag = "dossiers", params(ListParams, Paging), responses(
    (status = 200, description = "A page", body = Listing<DossierItemBody>),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not permitted"),
    (status = 422, description = "Which parameter is wrong"),
))]
async fn list(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<ListParams>,
    paging: Paging,
) -> Result<axum::Json<Listing<DossierItemBody>>, ApiError> {
    let (filter, after) = (params.read()?, paging.after());
    let slice = match ctx.actor {
        identity::Actor::Person(_) => dossiers.mine(&ctx, &filter, after, paging.limit()).await?,
        _ => dossiers.list(&ctx, &filter, after, paging.limit()).await?,
    };
    Ok(axum::Json(Listing::of(slice.items, slice.next, DossierItemBody::from)))
}

/// Read a dossier.
#[utoipa::path(get, path = "/api/v1/dossiers/{id}", operation_id = "read_dossier", tag = "dossiers", params(("id" = uuid::Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The dossier; its ETag is its version", body = DossierBody),
    (status = 304, description = "The caller has it already"),
    (status = 401, description = "Nobody is signed in"),
    (status = 404, description = "No such dossier for this caller"),
    (status = 422, description = "Not an id"),
))]
async fn one(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(id): ApiPath<DossierId>,
) -> Result<Response, ApiError> {
    ctx.signed_in()?;
    let view = dossiers.get(&ctx, id, purpose(&ctx)).await?;
    let tag = Tag::version(view.state.version);
    Ok(tag.answer(&headers, || axum::Json(DossierBody::of(&view))))
}

/// Read the history of a dossier, oldest first.
#[utoipa::path(get, path = "/api/v1/dossiers/{id}/history", operation_id = "list_dossier_history", tag = "dossiers",
    params(("id" = uuid::Uuid, Path, description = "Its id"), Paging), responses(
    (status = 200, description = "A page", body = Listing<HistoryBody>),
    (status = 401, description = "Nobody is signed in"),
    (status = 404, description = "No such dossier for this caller"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn history(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath(id): ApiPath<DossierId>,
    paging: Paging,
) -> Result<axum::Json<Listing<HistoryBody>>, ApiError> {
    let after: i64 = paging.place(|cursor| cursor.parse().ok())?.unwrap_or(0);
    ctx.signed_in()?;
    let view = dossiers.get(&ctx, id, purpose(&ctx)).await?;
    // The log was read whole to know who may see what of it.
    let mut rest = view.history.iter().filter(|line| line.seq > after).peekable();
    let lines: Vec<_> = rest.by_ref().take(paging.limit() as usize).collect();
    let next = lines.last().filter(|_| rest.peek().is_some()).map(|line| line.seq);
    Ok(axum::Json(Listing::of(lines, next, HistoryBody::from)))
}

/// Complete an open step. Its outcome may receive, refuse, ask for papers, decide or hand over.
#[utoipa::path(post, path = "/api/v1/dossiers/{id}/tasks/{token}", operation_id = "complete_step", tag = "dossiers", request_body = CompleteBody,
    params(("id" = uuid::Uuid, Path, description = "The dossier"), ("token" = u32, Path, description = "Token of the step"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the dossier as the caller saw it: what was done already is refused, not done twice")),
    responses((status = 200, description = "Done", body = OutcomeBody), (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not permitted"),
        (status = 404, description = "No such dossier"), (status = 409, description = "Somebody else was faster"), (status = 412, description = "What the caller judged has changed since the version of If-Match"),
        (status = 422, description = "Every problem at its place")))]
async fn complete(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath((id, token)): ApiPath<(DossierId, u32)>,
    ApiJson(body): ApiJson<CompleteBody>,
) -> Result<Response, ApiError> {
    let command = Command::Complete(body.completion(token)?);
    carry_out(&dossiers, &ctx, &headers, id, command).await
}

/// Take a step, or put it back.
#[utoipa::path(post, path = "/api/v1/dossiers/{id}/tasks/{token}/assignment", operation_id = "assign_step", tag = "dossiers", request_body = AssignBody,
    params(("id" = uuid::Uuid, Path, description = "The dossier"), ("token" = u32, Path, description = "Token of the step"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the dossier as the caller saw it: what was done already is refused, not done twice")),
    responses((status = 200, description = "Done", body = OutcomeBody), (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not permitted"),
        (status = 404, description = "No such dossier"), (status = 409, description = "Somebody else was faster"), (status = 412, description = "What the caller judged has changed since the version of If-Match"),
        (status = 422, description = "Every problem at its place")))]
async fn assign(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath((id, token)): ApiPath<(DossierId, u32)>,
    ApiJson(body): ApiJson<AssignBody>,
) -> Result<Response, ApiError> {
    let officer = body.officer(&ctx)?;
    carry_out(&dossiers, &ctx, &headers, id, Command::Assign { token, officer }).await
}

macro_rules! command_route {
    ($(#[$doc:meta])* $name:ident, $id:literal, $path:literal, $body:ty, |$value:ident| $command:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, operation_id = $id, tag = "dossiers", request_body = $body,
            params(("id" = uuid::Uuid, Path, description = "The dossier"), ("If-Match" = Option<String>, Header, description = "The ETag of the dossier as the caller saw it: what was done already is refused, not done twice")),
            responses((status = 200, description = "Done", body = OutcomeBody), (status = 401, description = "Nobody is signed in"),
                (status = 403, description = "Not permitted"), (status = 404, description = "No such dossier"),
                (status = 409, description = "The dossier does not allow it now"), (status = 412, description = "What the caller judged has changed since the version of If-Match"),
                (status = 422, description = "Every problem at its place")))]
        async fn $name(
            State(dossiers): State<Dossiers>,
            ctx: Ctx,
            headers: HeaderMap,
            ApiPath(id): ApiPath<DossierId>,
            ApiJson($value): ApiJson<$body>,
        ) -> Result<Response, ApiError> {
            let command: Result<Command> = $command;
            carry_out(&dossiers, &ctx, &headers, id, command?).await
        }
    };
}

/// Answer the open request for papers.
#[utoipa::path(post, path = "/api/v1/dossiers/{id}/supplements", operation_id = "supplement_dossier", tag = "dossiers", request_body = SupplementBody,
    params(("id" = uuid::Uuid, Path, description = "The dossier"), ("If-Match" = Option<String>, Header, description = "The ETag of the dossier as the caller saw it: what was done already is refused, not done twice")),
    responses((status = 200, description = "Done", body = OutcomeBody), (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not permitted"),
        (status = 404, description = "No such dossier"), (status = 409, description = "Nothing is asked for"), (status = 412, description = "What the caller judged has changed since the version of If-Match"),
        (status = 422, description = "Every problem at its place")))]
async fn supplement(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(id): ApiPath<DossierId>,
    ApiJson(body): ApiJson<SupplementBody>,
) -> Result<Response, ApiError> {
    let (answers, papers) = body.parts();
    let result = dossiers
        .supplement(&ctx, id, answers, &papers, Tag::seen(&headers)?)
        .await?;
    Ok(done(&result))
}

command_route!(/// Record that money came in.
    pay, "record_payment", "/api/v1/dossiers/{id}/payments", PaymentBody, |body| Ok(body.command()));
command_route!(/// Waive the fee, with its legal ground.
    waive, "waive_fee", "/api/v1/dossiers/{id}/waiver", WaiverBody, |body| Ok(Command::WaiveFee { basis: body.basis }));
command_route!(/// Leave a remark among officers.
    note, "leave_note", "/api/v1/dossiers/{id}/notes", NoteBody, |body| Ok(Command::Note { text: body.text }));
command_route!(/// Wait no longer for a registry that was told and does not answer: what was written before is taken back, and what is not known is asked for.
    end_wait, "end_wait", "/api/v1/dossiers/{id}/waiting", EndWaitBody, |body| Ok(Command::EndWait { token: body.token, reason: body.reason }));
command_route!(/// Apologise and appoint a new date. Once.
    reappoint, "reappoint_dossier", "/api/v1/dossiers/{id}/reappointment", ReappointBody, |body| body.command());
command_route!(/// Take the dossier back.
    withdraw, "withdraw_dossier", "/api/v1/dossiers/{id}/withdrawal", ReasonBody, |body| Ok(Command::Withdraw { reason: body.reason }));
command_route!(/// Stop handling.
    stop, "stop_dossier", "/api/v1/dossiers/{id}/stop", StopBody, |body| Ok(Command::Stop { reason: body.reason, basis: body.basis }));
command_route!(/// Answer a consultation.
    answer, "answer_consultation", "/api/v1/dossiers/{id}/consultations", ConsultationBody, |body| Ok(body.command()));

/// Who holds the secret.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct TrackParams {
    /// The secret on the receipt.
    k: String,
}

/// Follow a dossier with its code and secret.
#[utoipa::path(get, path = "/api/v1/track/{code}", operation_id = "track_dossier", tag = "dossiers", params(("code" = String, Path, description = "Code of the dossier", pattern = "^[0-9A-Z][0-9A-Z.-]{0,79}$"), TrackParams), responses(
    (status = 200, description = "Its progress, without personal data", body = TrackingBody),
    (status = 404, description = "No dossier has this code and secret"),
))]
async fn track(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath(code): ApiPath<String>,
    ApiQuery(params): ApiQuery<TrackParams>,
) -> Result<Response, ApiError> {
    let tracking = dossiers.track(&ctx, &code, &params.k).await?;
    Ok((
        [(header::CACHE_CONTROL, "no-store")],
        axum::Json(TrackingBody::of(&tracking)),
    )
        .into_response())
}

/// Why the caller reads: officers handle, people look at their own.
pub(crate) fn purpose(ctx: &Ctx) -> Purpose {
    match &ctx.actor {
        identity::Actor::Officer(officer) if officer.roles.has(identity::Role::Auditor) => Purpose::Audit,
        identity::Actor::Officer(officer) if officer.roles.has(identity::Role::Consulted) => Purpose::Consultation,
        identity::Actor::Officer(officer) if officer.roles.has(identity::Role::Receptionist) => Purpose::Reception,
        identity::Actor::Officer(_) => Purpose::CaseHandling,
        _ => Purpose::OwnDossier,
    }
}
