//! Samples: drawn by a steward, judged record by record against papers or the person.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, State as Extracted},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Result};
use identity::Web;
use view::{Page, decimal, ui};

use super::{Said, below, posted, problems_of, registry, rows, tabs};
use crate::{
    model::Registry,
    quality::{Looked, Quality, Sample, SampleId},
};

#[derive(Template)]
#[template(path = "registry/samples.html")]
struct SamplesPage {
    page: Page,
    registry: Arc<Registry>,
    tabs: Vec<view::NavItem>,
    samples: Vec<SampleRow>,
    size: String,
    seed: String,
}

struct SampleRow {
    href: String,
    at: base::Timestamp,
    by: String,
    seed: i64,
    size: String,
    judged: String,
    share: String,
}

impl SampleRow {
    fn of(page: &Page, registry: &Registry, sample: &Sample) -> Self {
        let percent = |share: f64| format!("{} %", decimal(page.lang, share * 100.0, 2));
        Self {
            href: format!("/registries/{}/samples/{}", registry.code, sample.id),
            at: sample.drawn_at,
            by: sample.drawn_by.clone(),
            seed: sample.seed,
            size: sample.drawn.map_or_else(
                || page.t("đang rút", "being drawn").to_owned(),
                |(drawn, of)| format!("{} / {}", page.number(drawn), page.number(of)),
            ),
            judged: page.number(sample.right + sample.wrong),
            share: sample.share().map_or_else(
                || "–".to_owned(),
                |(share, least, greatest)| format!("{} ({} – {})", percent(share), percent(least), percent(greatest)),
            ),
        }
    }
}

pub(super) async fn list(Extracted(quality): Extracted<Quality>, web: Web, Path(code): Path<String>) -> Response {
    match listed(&quality, &web, &code).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn listed(quality: &Quality, web: &Web, code: &str) -> Result<SamplesPage> {
    let registry = registry(quality.registries(), code)?;
    let samples = quality.samples(&web.ctx, &registry.code).await?;
    let page = below(web, &registry, "Kiểm tra mẫu", "Samples");
    Ok(SamplesPage {
        tabs: tabs(&registry, "samples"),
        samples: samples
            .iter()
            .map(|sample| SampleRow::of(&page, &registry, sample))
            .collect(),
        size: "100".to_owned(),
        seed: String::new(),
        registry,
        page,
    })
}

/// Draws a sample.
pub(super) async fn draw(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(code): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let drawn = async {
        let registry = registry(quality.registries(), &code)?;
        let size = posted(&form, "size").trim().parse().unwrap_or(0);
        let seed = match posted(&form, "seed").trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| not_a_seed())?),
        };
        quality.draw(&web.ctx, &registry.code, size, seed).await
    };
    let error = match drawn.await {
        Ok(_) => return Redirect::to(&format!("/registries/{code}/samples")).into_response(),
        Err(error) => error,
    };
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    match listed(&quality, &web, &code).await {
        Ok(mut template) => {
            template.page.problems = problems;
            (template.size, template.seed) = (posted(&form, "size").to_owned(), posted(&form, "seed").to_owned());
            view::html(status, &template)
        }
        Err(error) => web.refuse(&error),
    }
}

fn not_a_seed() -> Error {
    let mut problems = base::Problems::new();
    problems.add(
        "not-a-number",
        "seed",
        "Số khởi tạo ngẫu nhiên là một số nguyên.",
        "The seed is a whole number.",
    );
    Error::Refused(base::Kind::Invalid, problems)
}

#[derive(Template)]
#[template(path = "registry/sample.html")]
struct SamplePage {
    page: Page,
    row: SampleRow,
    /// The place of the record that comes next, with what it says.
    item: Option<(i64, Vec<Said>)>,
}

pub(super) async fn one(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
) -> Response {
    match looked_up(&quality, &web, &code, &id).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn looked_up(quality: &Quality, web: &Web, code: &str, id: &str) -> Result<SamplePage> {
    let registry = registry(quality.registries(), code)?;
    let (sample, item) = quality.next_of_sample(&web.ctx, &registry.code, read_id(id)?).await?;
    let mut page = below(web, &registry, "Mẫu kiểm tra", "A sample");
    let at = format!("/registries/{}/samples", registry.code);
    page.breadcrumbs.push(view::Link::new(at, "Kiểm tra mẫu", "Samples"));
    Ok(SamplePage {
        row: SampleRow::of(&page, &registry, &sample),
        item: item.map(|item| (item.n, rows(&page, &registry, &item.record.body))),
        page,
    })
}

fn read_id(id: &str) -> Result<SampleId> {
    id.parse().map_err(|_| Error::not_found("mẫu kiểm tra này", "sample"))
}

/// Judges the record that was shown.
pub(super) async fn judge(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let judged = async {
        let registry = registry(quality.registries(), &code)?;
        let looked = form.iter().filter_map(|(name, value)| {
            let field = name.strip_prefix("field.")?.parse().ok()?;
            let looked = match value.as_str() {
                "right" => Looked::Right,
                "wrong" => Looked::Wrong,
                _ => return None,
            };
            Some((field, looked))
        });
        let looked: Vec<_> = looked.collect();
        let n = posted(&form, "n").parse().unwrap_or(0);
        quality
            .judge_item(&web.ctx, &registry.code, read_id(&id)?, n, &looked)
            .await
    };
    let error = match judged.await {
        Ok(()) => return Redirect::to(&format!("/registries/{code}/samples/{id}")).into_response(),
        Err(error) => error,
    };
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    match looked_up(&quality, &web, &code, &id).await {
        Ok(mut template) => {
            template.page.problems = problems;
            view::html(status, &template)
        }
        Err(error) => web.refuse(&error),
    }
}
