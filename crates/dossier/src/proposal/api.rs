//! The public figures of proposals as JSON. No personal data.

use axum::extract::State;
use identity::{ApiError, ApiQuery, Ctx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{ProcedureFigures, office::told};
use crate::service::Dossiers;

/// The routes, with their part of the OpenAPI file.
pub fn router() -> OpenApiRouter<Dossiers> {
    OpenApiRouter::new().routes(routes!(figures))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct FiguresParams {
    /// The year; this year by default.
    #[param(value_type = Option<i16>, minimum = 2020, maximum = 2100)]
    year: Option<i16>,
}

/// What was proposed to people before they asked, of one year.
#[derive(Debug, Serialize, ToSchema)]
struct ProposalFiguresBody {
    /// The year.
    year: i16,
    /// By procedure.
    procedures: Vec<ProcedureFiguresBody>,
}

/// The figures of one procedure. A number from 1 to 4 is absent, so that nobody is recognised.
#[derive(Debug, Serialize, ToSchema)]
struct ProcedureFiguresBody {
    /// National code of the procedure.
    procedure: String,
    /// Proposals that were made.
    proposed: Option<i64>,
    /// Seen by their person.
    seen: Option<i64>,
    /// Became a dossier.
    taken_up: Option<i64>,
    /// Refused by their person.
    declined: Option<i64>,
    /// Closed because their person wants none.
    not_wanted: Option<i64>,
    /// Expired.
    expired: Option<i64>,
    /// No longer so when looked at again.
    overtaken: Option<i64>,
    /// Done by the state itself.
    acted: Option<i64>,
    /// Undone at the wish of their person.
    restored: Option<i64>,
    /// Could not be done or undone.
    failed: Option<i64>,
}

impl From<ProcedureFigures> for ProcedureFiguresBody {
    fn from(ProcedureFigures { procedure, figures }: ProcedureFigures) -> Self {
        Self {
            procedure,
            proposed: told(figures.proposed),
            seen: told(figures.seen),
            taken_up: told(figures.taken_up),
            declined: told(figures.declined),
            not_wanted: told(figures.not_wanted),
            expired: told(figures.expired),
            overtaken: told(figures.overtaken),
            acted: told(figures.acted),
            restored: told(figures.restored),
            failed: told(figures.failed),
        }
    }
}

/// Figures of proactive services (Decree 224/2026/NĐ-CP, Article 16).
#[utoipa::path(get, path = "/api/v1/publication/proposals", operation_id = "read_proposal_figures", tag = "publication", params(FiguresParams), responses(
    (status = 200, description = "The figures", body = ProposalFiguresBody),
    (status = 422, description = "Not a year"),
))]
async fn figures(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<FiguresParams>,
) -> Result<axum::Json<ProposalFiguresBody>, ApiError> {
    let year = params.year.unwrap_or_else(|| ctx.now.legal_date().year());
    if !(2020..=2100).contains(&year) {
        return Err(ApiError(not_a_year()));
    }
    let procedures = dossiers.public_proposals(year).await?;
    Ok(axum::Json(ProposalFiguresBody {
        year,
        procedures: procedures.into_iter().map(Into::into).collect(),
    }))
}

fn not_a_year() -> base::Error {
    let mut problems = base::Problems::new();
    problems.add("year", "year", "Năm từ 2020 đến 2100.", "A year from 2020 to 2100.");
    base::Error::Refused(base::Kind::Invalid, problems)
}
