//! Everything at once, in lines of JSON: out of a registry, and into it.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use base::{Error, Problems, Result};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use identity::{ApiError, ApiPath, Ctx, IdempotencyKey};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::{LineBody, RecordBody, provenance},
    params::{self, Asking, ReadParams, Stated},
};
use crate::{
    model::{Registry, RegistryCode},
    service::{Fresh, Provenance, Query, Registries},
};

/// The media type of lines of JSON.
const LINES: &str = "application/x-ndjson";
/// Records that are read at once.
const READ: u32 = 200;
/// Lines that are taken in at once.
const TAKEN: usize = 500;
/// The longest line, in bytes.
const LONGEST: usize = 256 * 1024;
/// More lines than these that are wrong are counted, not told.
const TOLD: usize = 10_000;

pub fn router() -> OpenApiRouter<Registries> {
    OpenApiRouter::new().routes(routes!(out, take))
}

/// Read all records that meet the filters, in lines of JSON.
#[utoipa::path(get, path = "/api/v1/registries/{code}/bulk", operation_id = "export_records", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ReadParams, Stated), responses(
    (status = 200, description = "A record a line, as in a list", body = String, content_type = "application/x-ndjson"),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not permitted"),
    (status = 404, description = "No such registry"),
    (status = 422, description = "No purpose, or what is wrong with which parameter"),
))]
async fn out(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath(code): ApiPath<RegistryCode>,
    asking: Asking,
    stated: Stated,
) -> Result<Response, ApiError> {
    ctx.signed_in()?;
    let purpose = stated.purpose()?;
    let registry = params::registry(&registries, &code)?.current();
    let mut query = asking.filters(&registry, &["fields", "as_of", "known_at", "sort"])?;
    query.limit = READ;
    // What is wrong with the question is told before the first line.
    let first = registries.list(&ctx, &purpose, &code, &query).await?;
    let lines = stream::try_unfold(Some(first), move |page| {
        let (registries, ctx, purpose, code) = (registries.clone(), ctx.clone(), purpose.clone(), code.clone());
        let (registry, query) = (registry.clone(), query.clone());
        async move {
            let Some(page) = page else { return Ok::<_, Error>(None) };
            let mut text = String::new();
            for view in page.items {
                text.push_str(&serde_json::to_string(&RecordBody::of(view, &registry))?);
                text.push('\n');
            }
            let next = match page.next {
                Some(after) => {
                    let query = Query {
                        after: Some(after),
                        ..query
                    };
                    Some(registries.list(&ctx, &purpose, &code, &query).await?)
                }
                None => None,
            };
            Ok(Some((Bytes::from(text), next)))
        }
    });
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(lines)).into_response())
}

/// Take in new records, in lines of JSON: `{"valid_from": …, "valid_to": …, "body": {…}}`. Good lines are taken in, five hundred at a
/// time; each that is not is answered with its number and everything that is wrong with it. The same key with the same lines goes on
/// where it broke off.
#[utoipa::path(post, path = "/api/v1/registries/{code}/bulk", operation_id = "import_records", tag = "registries",
    request_body(content = String, content_type = "application/x-ndjson"),
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"),
        ("source" = String, Query, description = "The paper, decision or system that says so"), ("basis" = Option<String>, Query, description = "The law; the registry's own where it is left out"), ("dossier" = Option<String>, Query, description = "Code of the dossier that caused it"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 190, description = "The same key with the same lines happens once")), responses(
    (status = 200, description = "A line for each that was not taken in, `{\"line\", \"problems\"}`; the last one says how many, `{\"taken\", \"refused\"}`", body = String, content_type = "application/x-ndjson"),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not a steward of its agency"),
    (status = 404, description = "No such registry"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn take(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath(code): ApiPath<RegistryCode>,
    asking: Asking,
    key: IdempotencyKey,
    body: Body,
) -> Result<Response, ApiError> {
    ctx.signed_in()?;
    let registry = params::registry(&registries, &code)?.current();
    let text = |name: &str| asking.get(name).map(str::to_owned);
    let provenance = provenance(text("source").unwrap_or_default(), text("basis"), text("dossier"));
    // Who may not is told before the first line, and so is what is wrong with the rest of the request.
    registries
        .add_many(&ctx, &code, &[], &provenance, &format!("{}/begin", key.as_str()), false)
        .await?;
    let mut intake = Intake {
        registries,
        ctx,
        registry,
        provenance,
        key: key.as_str().to_owned(),
        batch: Vec::new(),
        batches: 0,
        told: Vec::new(),
        taken: 0,
        refused: 0,
    };
    // The answer begins when all is read: a caller that reads only after it has written must not be waited for.
    let answer = stream::once(async move {
        let input = body.into_data_stream().map_err(Error::internal);
        let mut lines = std::pin::pin!(lines(input));
        let mut number = 0;
        while let Some(line) = lines.next().await {
            number += 1;
            intake.line(number, line?).await?;
        }
        intake.flush().await?;
        Ok::<_, Error>(Bytes::from(intake.answer()?))
    });
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(answer)).into_response())
}

struct Intake {
    registries: Registries,
    ctx: Ctx,
    registry: std::sync::Arc<Registry>,
    provenance: Provenance,
    key: String,
    batch: Vec<(u64, Fresh)>,
    batches: u64,
    told: Vec<Value>,
    taken: u64,
    refused: u64,
}

impl Intake {
    async fn line(&mut self, number: u64, line: Line) -> Result<()> {
        match self.read(line) {
            Ok(None) => {}
            Ok(Some(fresh)) => self.batch.push((number, fresh)),
            Err(problems) => self.tell(number, &problems),
        }
        if self.batch.len() >= TAKEN {
            self.flush().await?;
        }
        Ok(())
    }

    fn read(&self, line: Line) -> Result<Option<Fresh>, Problems> {
        let mut problems = Problems::new();
        match line {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => return Ok(None),
            Line::Whole(bytes) => match serde_json::from_slice::<LineBody>(&bytes) {
                Ok(body) => return body.read(&self.registry).map(Some),
                // Its own words would repeat what the line says.
                Err(error) => problems.add(
                    "bad-line",
                    format!("column {}", error.column()),
                    "Dòng phải là JSON có valid_from, body và có thể có valid_to.",
                    "A line is JSON with valid_from, body and perhaps valid_to.",
                ),
            },
            Line::TooLong => problems.add(
                "line-too-long",
                "",
                "Dòng dài hơn 256 KB.",
                "The line is longer than 256 KB.",
            ),
        }
        Err(problems)
    }

    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        self.batches += 1;
        let key = format!("{}/{}", self.key, self.batches);
        let (numbers, fresh): (Vec<u64>, Vec<Fresh>) = batch.into_iter().unzip();
        let code = &self.registry.code;
        let results = self
            .registries
            .add_many(&self.ctx, code, &fresh, &self.provenance, &key, false)
            .await?;
        for (number, result) in numbers.into_iter().zip(results) {
            match result {
                Ok(_) => self.taken += 1,
                Err(problems) => self.tell(number, &problems),
            }
        }
        Ok(())
    }

    fn tell(&mut self, number: u64, problems: &Problems) {
        self.refused += 1;
        if self.told.len() < TOLD {
            self.told.push(json!({ "line": number, "problems": problems }));
        }
    }

    fn answer(self) -> Result<String> {
        let mut told = self.told;
        told.push(json!({ "taken": self.taken, "refused": self.refused }));
        let mut text = String::new();
        for line in told {
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
        }
        Ok(text)
    }
}

/// A line of the input, without its end.
enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// Splits at line ends; of a line that is too long nothing is kept.
fn lines(input: impl Stream<Item = Result<Bytes>>) -> impl Stream<Item = Result<Line>> {
    struct Reading<S> {
        input: std::pin::Pin<Box<S>>,
        rest: Bytes,
        line: Vec<u8>,
        too_long: bool,
        ended: bool,
    }
    let start = Reading {
        input: Box::pin(input),
        rest: Bytes::new(),
        line: Vec::new(),
        too_long: false,
        ended: false,
    };
    stream::try_unfold(start, |mut reading| async move {
        loop {
            let end = reading.rest.iter().position(|byte| *byte == b'\n');
            let piece = reading.rest.split_to(end.unwrap_or(reading.rest.len()));
            if reading.line.len() + piece.len() > LONGEST {
                reading.too_long = true;
                reading.line.clear();
            } else if !reading.too_long {
                reading.line.extend_from_slice(&piece);
            }
            let whole = match end {
                Some(_) => {
                    let _ = reading.rest.split_to(1);
                    true
                }
                None if reading.ended => return Ok(None),
                None => match reading.input.next().await {
                    Some(bytes) => {
                        reading.rest = bytes?;
                        false
                    }
                    None => {
                        reading.ended = true;
                        true
                    }
                },
            };
            if whole {
                let line = std::mem::take(&mut reading.line);
                let line = if std::mem::take(&mut reading.too_long) {
                    Line::TooLong
                } else {
                    Line::Whole(line)
                };
                return Ok(Some((line, reading)));
            }
        }
    })
}
