//! Safe proposals for many records at once: a preview with all of them, and the batches that can be taken back.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State as Extracted},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Result};
use identity::Web;
use serde::Deserialize;
use view::{
    Notice, Page,
    ui::{self, Choice, Tone},
};

use super::{below, name_of, posted, problems_of, registry, tabs};
use crate::{
    model::{Name, Registry, Test},
    pages::values_of,
    quality::{Batch, BatchId, FindingId, Outcome, Quality, SafeFix},
};

/// What the address asks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    rule: String,
    done: Option<usize>,
    left: Option<usize>,
}

#[derive(Template)]
#[template(path = "registry/batches.html")]
struct BatchesPage {
    page: Page,
    registry: Arc<Registry>,
    tabs: Vec<view::NavItem>,
    rules: Vec<Choice>,
    rule: String,
    fixes: Vec<Fix>,
    batches: Vec<Batch>,
}

struct Fix {
    value: String,
    key: String,
    field: String,
    was: String,
    becomes: String,
    why: String,
}

pub(super) async fn show(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    match made(&quality, &web, &code, &asked).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn made(quality: &Quality, web: &Web, code: &str, asked: &Asked) -> Result<BatchesPage> {
    let registry = registry(quality.registries(), code)?;
    let mut page = below(web, &registry, "Chuẩn hóa theo lô", "Standard forms, many at once");
    let batches = quality.batches(&web.ctx, &registry.code).await?;
    let standard = registry
        .rules
        .iter()
        .filter(|rule| matches!(rule.test, Test::Standard { .. }));
    let rules: Vec<Choice> = standard
        .map(|rule| Choice::new(&rule.id, page.text(&rule.message)))
        .collect();
    let fixes = match asked.rule.parse::<Name>() {
        Ok(rule) => quality.safe_fixes(&web.ctx, &registry.code, &rule).await?,
        Err(_) => Vec::new(),
    };
    if let Some(done) = asked.done {
        let left = asked.left.unwrap_or(0);
        page.notice = Some(Notice {
            tone: if left == 0 { Tone::Good } else { Tone::Warn },
            text: base::Text::new(
                format!("Đã ghi {done} bản ghi; {left} bản ghi để lại vì đã có người thay đổi."),
                format!("{done} records were written; {left} were left, because somebody has changed them."),
            ),
        });
    }
    Ok(BatchesPage {
        tabs: tabs(&registry, "batches"),
        rules,
        rule: asked.rule.clone(),
        fixes: fixes.iter().map(|fix| fix_of(&page, &registry, fix)).collect(),
        batches,
        registry,
        page,
    })
}

fn fix_of(page: &Page, registry: &Registry, fix: &SafeFix) -> Fix {
    let at = fix.proposal.values.first().map(|(field, _)| field);
    let field = at.and_then(|at| registry.field(at));
    Fix {
        value: format!("{}.{}", fix.finding, fix.record.newest),
        key: fix.record.key.clone(),
        field: at.map(|at| name_of(page, registry, at)).unwrap_or_default(),
        was: field
            .map(|field| values_of(page, registry, field, &fix.record.body).text())
            .unwrap_or_default(),
        becomes: fix.proposal.shown.clone(),
        why: page.text(&fix.proposal.why).to_owned(),
    }
}

/// Writes what was chosen, or takes a batch back.
pub(super) async fn act(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(code): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let rule = posted(&form, "rule").to_owned();
    let error = match acted(&quality, &web, &code, &rule, &form).await {
        Ok(outcome) => {
            let rule = url::form_urlencoded::byte_serialize(rule.as_bytes()).collect::<String>();
            let (done, left) = (outcome.done, outcome.left.len());
            let to = format!("/registries/{code}/batches?rule={rule}&done={done}&left={left}");
            return Redirect::to(&to).into_response();
        }
        Err(error) => error,
    };
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    let asked = Asked {
        rule,
        ..Asked::default()
    };
    match made(&quality, &web, &code, &asked).await {
        Ok(mut template) => {
            template.page.problems = problems;
            view::html(status, &template)
        }
        Err(error) => web.refuse(&error),
    }
}

async fn acted(quality: &Quality, web: &Web, code: &str, rule: &str, form: &[(String, String)]) -> Result<Outcome> {
    let registry = registry(quality.registries(), code)?;
    if posted(form, "then") == "undo" {
        let none = || Error::not_found("lô này", "batch");
        let batch: BatchId = posted(form, "batch").parse().map_err(|_| none())?;
        return quality.undo(&web.ctx, &registry.code, batch).await;
    }
    let rule: Name = rule.parse().map_err(|_| Error::not_found("quy tắc", "rule"))?;
    let chosen = form.iter().filter(|(name, _)| name == "take").filter_map(|(_, value)| {
        let (finding, seen) = value.split_once('.')?;
        Some((finding.parse::<FindingId>().ok()?, seen.parse().ok()?))
    });
    let chosen: Vec<(FindingId, i64)> = chosen.collect();
    let (_, outcome) = quality.apply(&web.ctx, &registry.code, &rule, &chosen).await?;
    Ok(outcome)
}
