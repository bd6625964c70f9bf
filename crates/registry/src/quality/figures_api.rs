//! The public figures for programs: JSON, CSV, and the Data Quality Vocabulary as JSON-LD and Turtle.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use base::{Error, Lang, Result};
use identity::{ApiError, ApiPath, Both, Ctx, Instant};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Quality, dqv,
    figures::{Figure, Figures, MonthFigures},
};
use crate::model::{Dimension, RegistryCode};

/// The routes, with their part of the OpenAPI file.
pub(super) fn router() -> OpenApiRouter<Quality> {
    OpenApiRouter::new()
        .routes(routes!(all))
        .routes(routes!(sheet))
        .routes(routes!(json_ld))
        .routes(routes!(turtle))
}

/// Records judged and failing.
#[derive(Debug, Serialize, ToSchema)]
struct QualityFigureBody {
    /// The side of quality, or the rule.
    of: String,
    /// Records that were judged.
    judged: i64,
    /// Records that fail.
    failing: i64,
    /// The share of records that pass, from 0 to 1.
    share: Option<f64>,
}

impl QualityFigureBody {
    fn of(name: &str, figure: Figure) -> Self {
        Self {
            of: name.to_owned(),
            judged: figure.judged,
            failing: figure.failing,
            share: figure.share(),
        }
    }

    fn dimensions(figures: &[(Dimension, Figure)]) -> Vec<Self> {
        figures
            .iter()
            .map(|(dimension, figure)| Self::of(dimension.code(), *figure))
            .collect()
    }
}

/// What stood at the end of a month.
#[derive(Debug, Serialize, ToSchema)]
struct QualityMonthBody {
    /// The month: `2026-11`.
    month: String,
    /// Records that counted.
    records: i64,
    /// By side of quality.
    dimensions: Vec<QualityFigureBody>,
}

impl From<&MonthFigures> for QualityMonthBody {
    fn from(month: &MonthFigures) -> Self {
        Self {
            month: month.month.clone(),
            records: month.records,
            dimensions: QualityFigureBody::dimensions(&month.dimensions),
        }
    }
}

/// How doubts are answered.
#[derive(Debug, Serialize, ToSchema)]
struct DoubtFiguresBody {
    /// All that came.
    received: i64,
    /// Those that wait.
    open: i64,
    /// Those whose clock has run out, counted up to 1000.
    overdue: i64,
    /// Those that were answered.
    answered: i64,
    /// Of these, in time.
    in_time: i64,
    /// Of these, the registry was wrong.
    upheld: i64,
}

/// What a random sample gave.
#[derive(Debug, Serialize, ToSchema)]
struct QualitySampleBody {
    /// When it was drawn.
    drawn_at: Instant,
    /// Records that were judged.
    judged: i64,
    /// Of these, right.
    right: i64,
    /// The share that is right, from 0 to 1.
    share: f64,
    /// Where the interval at 95 % (Wilson) begins.
    least: f64,
    /// Where it ends.
    greatest: f64,
}

/// The quality of one registry.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryQualityBody {
    /// Code of the registry.
    registry: String,
    /// Its name.
    name: Both,
    /// When the figures stood so.
    at: Instant,
    /// Records of which something holds.
    records: i64,
    /// By side of quality.
    dimensions: Vec<QualityFigureBody>,
    /// By rule; without those that cannot be judged here.
    rules: Vec<QualityFigureBody>,
    /// Doubts.
    doubts: DoubtFiguresBody,
    /// The newest sample of which anything is judged.
    sample: Option<QualitySampleBody>,
    /// At the end of past months, the oldest first, and now.
    months: Vec<QualityMonthBody>,
}

impl From<&Figures> for RegistryQualityBody {
    fn from(figures: &Figures) -> Self {
        let rules = figures.rules.iter();
        let sample = figures.sample.as_ref();
        Self {
            registry: figures.registry.code.to_string(),
            name: (&figures.registry.name).into(),
            at: figures.at.into(),
            records: figures.records,
            dimensions: QualityFigureBody::dimensions(&figures.dimensions),
            rules: rules
                .filter_map(|(rule, figure)| Some(QualityFigureBody::of(rule.as_str(), (*figure)?)))
                .collect(),
            doubts: DoubtFiguresBody {
                received: figures.doubts.received,
                open: figures.doubts.open,
                overdue: figures.doubts.overdue,
                answered: figures.doubts.answered,
                in_time: figures.doubts.in_time,
                upheld: figures.doubts.upheld,
            },
            sample: sample.and_then(|sample| {
                let (share, least, greatest) = sample.share()?;
                Some(QualitySampleBody {
                    drawn_at: sample.drawn_at.into(),
                    judged: sample.right + sample.wrong,
                    right: sample.right,
                    share,
                    least,
                    greatest,
                })
            }),
            months: figures.months.iter().map(QualityMonthBody::from).collect(),
        }
    }
}

/// The quality of every registry of this node.
#[derive(Debug, Serialize, ToSchema)]
struct RegistriesQualityBody {
    /// By code.
    registries: Vec<RegistryQualityBody>,
}

/// The quality of every registry of this node, and how doubts are answered.
#[utoipa::path(get, path = "/api/v1/publication/registries", operation_id = "read_registry_quality", tag = "publication",
    responses((status = 200, description = "The figures", body = RegistriesQualityBody)))]
async fn all(State(quality): State<Quality>, ctx: Ctx) -> Result<axum::Json<RegistriesQualityBody>, ApiError> {
    let figures = quality.all_figures(ctx.now).await?;
    let registries = figures.iter().map(RegistryQualityBody::from).collect();
    Ok(axum::Json(RegistriesQualityBody { registries }))
}

/// The same figures as CSV (UTF-8 with byte order mark, which spreadsheets need to read Vietnamese).
#[utoipa::path(get, path = "/api/v1/publication/registries.csv", operation_id = "read_registry_quality_csv", tag = "publication",
    responses((status = 200, description = "The figures", body = String, content_type = "text/csv")))]
async fn sheet(State(quality): State<Quality>, ctx: Ctx) -> Result<Response, ApiError> {
    let figures = quality.all_figures(ctx.now).await?;
    let text = csv_of(&figures, ctx.lang).map_err(Error::internal)?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response())
}

fn csv_of(figures: &[Figures], lang: Lang) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record([
        lang.t("Mã", "Code"),
        lang.t("Cơ sở dữ liệu", "Registry"),
        lang.t("Tháng", "Month"),
        lang.t("Tiêu chí", "Dimension"),
        lang.t("Bản ghi", "Records"),
        lang.t("Không đạt", "Failing"),
        lang.t("Tỷ lệ đạt", "Share that passes"),
    ])?;
    for of in figures {
        for month in &of.months {
            for (dimension, figure) in &month.dimensions {
                writer.write_record([
                    of.registry.code.as_str(),
                    of.registry.name.get(lang),
                    &month.month,
                    dimension.label().get(lang),
                    &figure.judged.to_string(),
                    &figure.failing.to_string(),
                    &figure.share().map(|share| format!("{share:.6}")).unwrap_or_default(),
                ])?;
            }
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The quality of one registry in the W3C Data Quality Vocabulary, as JSON-LD.
#[utoipa::path(get, path = "/api/v1/registries/{code}/quality.jsonld", operation_id = "read_quality_json_ld", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")), responses(
    (status = 200, description = "A dataset with its measurements", body = serde_json::Value, content_type = "application/ld+json"),
    (status = 404, description = "No such registry"), (status = 422, description = "Not a code")))]
async fn json_ld(
    State(quality): State<Quality>,
    ctx: Ctx,
    ApiPath(code): ApiPath<RegistryCode>,
) -> Result<Response, ApiError> {
    let figures = quality.figures(&code, ctx.now).await?;
    let text = dqv::json_ld(&figures, &quality.base()).to_string();
    Ok(([(header::CONTENT_TYPE, "application/ld+json")], text).into_response())
}

/// The quality of one registry in the W3C Data Quality Vocabulary, as Turtle.
#[utoipa::path(get, path = "/api/v1/registries/{code}/quality.ttl", operation_id = "read_quality_turtle", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")), responses(
    (status = 200, description = "A dataset with its measurements", body = String, content_type = "text/turtle"),
    (status = 404, description = "No such registry"), (status = 422, description = "Not a code")))]
async fn turtle(
    State(quality): State<Quality>,
    ctx: Ctx,
    ApiPath(code): ApiPath<RegistryCode>,
) -> Result<Response, ApiError> {
    let figures = quality.figures(&code, ctx.now).await?;
    let text = dqv::turtle(&figures, &quality.base());
    Ok(([(header::CONTENT_TYPE, "text/turtle; charset=utf-8")], text).into_response())
}
