//! One row beside a record that it may be.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query as Asked, State as Extract},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Problems, Result};
use identity::Web;
use serde::Deserialize;
use serde_json::Value;
use view::{
    Link, NavItem, Page,
    ui::{self, Choice, Tone},
};

use super::{below, file_id, named, one::percent};
use crate::{
    import::Cells,
    linking::{
        files::{
            Candidate, File, FileAct, Found, Line, LineVerdict, PURPOSE, columns,
            compare::{is_open, says},
            no_line,
        },
        pages::{Compared, compared, find},
    },
    model::{FieldPath, Registry, text_of, values_at},
    pages::short,
    service::{Mask, Purpose, RecordId, Registries, When},
};

/// Which of the candidates is looked at, from 1; the likeliest by default.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    candidate: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    verdict: String,
    record: String,
    seen: i64,
}

#[derive(Template)]
#[template(path = "registry/file_row.html")]
struct LinePage {
    page: Page,
    action: String,
    back: String,
    state: String,
    tone: Tone,
    flaw: String,
    reason: String,
    version: i64,
    /// The cells as they came, each with its heading.
    cells: Vec<(String, String)>,
    candidates: Vec<NavItem>,
    /// The record that is looked at.
    record: Option<String>,
    held: String,
    rows: Vec<Compared>,
    verdicts: Vec<Choice>,
    decided: Option<String>,
    /// What was chosen, after a refusal.
    verdict: String,
    acts: Vec<(String, String, String)>,
}

pub(super) async fn look(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path((code, id, n)): Path<(String, String, i64)>,
    Asked(place): Asked<Place>,
) -> Response {
    let at = (code.as_str(), id.as_str(), n);
    match show(&registries, &web, at, &place, "", Problems::new()).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn decide(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path((code, id, n)): Path<(String, String, i64)>,
    Form(said): Form<Said>,
) -> Response {
    let done = async {
        let (code, id) = (find(&registries, &code)?.code.clone(), file_id(&id)?);
        let verdict = verdict(&said)?;
        registries.decide_line(&web.ctx, &code, id, n, said.seen, verdict).await
    };
    let file = format!("/registries/{code}/files/{id}");
    match done.await {
        // What was taken back is looked at again; else the next that waits.
        Ok(_) if said.verdict == "undo" => Redirect::to(&format!("{file}/rows/{n}")).into_response(),
        Ok(Some(next)) => Redirect::to(&format!("{file}/rows/{next}")).into_response(),
        Ok(None) => Redirect::to(&file).into_response(),
        Err(Error::Refused(kind, problems)) if matches!(kind.status(), 409 | 422) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            let at = (code.as_str(), id.as_str(), n);
            match show(&registries, &web, at, &Place::default(), &said.verdict, problems).await {
                Ok(page) => view::html(status, &page),
                Err(error) => web.refuse(&error),
            }
        }
        Err(error) => web.refuse(&error),
    }
}

fn verdict(said: &Said) -> Result<LineVerdict> {
    let record = || said.record.parse().map_err(|_| unsaid());
    match said.verdict.as_str() {
        "same" => record().map(LineVerdict::Same),
        "nobody" => Ok(LineVerdict::Nobody),
        "undo" => Ok(LineVerdict::Undo),
        _ => Err(unsaid()),
    }
}

async fn show(
    registries: &Registries,
    web: &Web,
    (code, id, n): (&str, &str, i64),
    place: &Place,
    verdict: &str,
    problems: Problems,
) -> Result<LinePage> {
    let (registry, id) = (find(registries, code)?, file_id(id)?);
    let (file, _) = registries.file(&web.ctx, &registry.code, id).await?;
    let (line, candidates, acts) = registries.line(&web.ctx, &registry.code, id, n).await?;
    if n < 1 {
        return Err(no_line());
    }
    let mut page = below(web, &registry);
    let back = format!("/registries/{code}/files/{id}");
    page.breadcrumbs
        .push(Link::new(&back, named(&page, &file), named(&page, &file)));
    let (vi, en) = (
        format!("Dòng {} của tệp", line.line),
        format!("Row {} of the file", line.line),
    );
    page.title = page.t(&vi, &en).to_owned();
    page.problems = problems;
    let shown = chosen(&line, &candidates, place);
    let looked = shown.and_then(|at| candidates.get(at));
    let body = match looked {
        Some(candidate) => body(registries, web, &registry, &file, candidate.record).await?,
        None => None,
    };
    let action = format!("{back}/rows/{n}");
    let tab = |(at, candidate): (usize, &Candidate)| NavItem {
        href: format!("{action}?candidate={}", at + 1),
        label: base::Text::new(
            format!("Ứng viên {} ({})", at + 1, percent(base::Lang::Vi, candidate.weight)),
            format!("Candidate {} ({})", at + 1, percent(base::Lang::En, candidate.weight)),
        ),
        current: shown == Some(at),
    };
    let rows = match looked {
        Some(_) => side_by_side(&page, &registry, &file, &line, body, web)?,
        None => Vec::new(),
    };
    let choices = [
        ("same", "Đúng, dòng này là bản ghi này", "Yes, this row is this record"),
        (
            "nobody",
            "Không phải bản ghi nào trong các ứng viên",
            "It is none of the candidates",
        ),
    ];
    let is_open = line.found.is_none() && looked.is_some();
    Ok(LinePage {
        state: page.text(&line.state.label()).to_owned(),
        tone: if line.found.is_some() { Tone::Good } else { Tone::Warn },
        flaw: page.text(&line.flaw).to_owned(),
        reason: looked
            .map(|candidate| page.text(&candidate.reason).to_owned())
            .unwrap_or_default(),
        version: line.version,
        cells: cells(&file, &line),
        candidates: candidates.iter().enumerate().map(tab).collect(),
        record: looked.map(|candidate| candidate.record.to_string()),
        held: looked
            .map(|candidate| short(candidate.record.uuid()))
            .unwrap_or_default(),
        rows,
        verdicts: choices
            .iter()
            .filter(|_| is_open)
            .map(|(value, vi, en)| Choice::new(value, page.t(vi, en)))
            .collect(),
        decided: line.found.map(|found| page.text(&found.label()).to_owned()),
        verdict: verdict.to_owned(),
        acts: acts.into_iter().map(|act| told(&page, act)).collect(),
        action,
        back,
        page,
    })
}

/// The candidate that is looked at: the one that was found, else the one that was asked for, else the likeliest.
fn chosen(line: &Line, candidates: &[Candidate], place: &Place) -> Option<usize> {
    let found = line.found.and_then(Found::record);
    let found = found.and_then(|record| candidates.iter().position(|candidate| candidate.record == record));
    let asked = place.candidate.checked_sub(1).filter(|at| *at < candidates.len());
    found
        .filter(|_| asked.is_none())
        .or(asked)
        .or((!candidates.is_empty()).then_some(0))
}

/// What a record says today of what rows are compared by, and its key; nothing where it says nothing any more. The read is in the log of
/// reads, with the ground that was given for the file.
async fn body(
    registries: &Registries,
    web: &Web,
    registry: &Registry,
    file: &File,
    record: RecordId,
) -> Result<Option<Value>> {
    let purpose = Purpose::read(PURPOSE, &file.basis, "")?;
    let mask = Mask::of([registry.key.clone(), columns::compared(registry)?].concat());
    let (id, when) = (record.to_string(), When::default());
    match registries
        .read(&web.ctx, &purpose, &registry.code, &id, when, &mask)
        .await
    {
        Ok(view) => Ok(Some(view.body)),
        Err(Error::Refused(Kind::NotFound, _)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the row says, in standard forms, beside the record. Where one of them says nothing there is nothing to compare.
fn side_by_side(
    page: &Page,
    registry: &std::sync::Arc<Registry>,
    file: &File,
    line: &Line,
    body: Option<Value>,
    web: &Web,
) -> Result<Vec<Compared>> {
    let fields = file.columns.iter().enumerate();
    let fields: Vec<(usize, FieldPath)> = fields.filter_map(|(n, (_, field))| Some((n, field.clone()?))).collect();
    let row = Cells::of(registry, &fields, web.ctx.now.legal_date())?
        .said(&line.cells)
        .body;
    // As they are compared: a name without marks says the same as one with them.
    let texts = |body: &Value, path: &FieldPath| -> Vec<String> {
        values_at(body, path).into_iter().filter_map(text_of).collect()
    };
    let agrees = |path: &FieldPath| {
        let (own, held) = (texts(&row, path), body.iter().flat_map(|body| texts(body, path)));
        held.into_iter()
            .any(|held| own.iter().any(|own| says(registry, path, own, &held)))
    };
    let labels = |wanted: &dyn Fn(&FieldPath) -> bool| -> BTreeSet<String> {
        let fields = registry.fields.iter().filter(|field| wanted(&field.path));
        fields
            .map(|field| page.text(&registry.label(field)).to_owned())
            .collect()
    };
    let agreeing = labels(&agrees);
    // One of several communes that an address may lie in neither agrees nor differs.
    let open = labels(&|path| agrees(path) && is_open(registry, path, values_at(&row, path).len()));
    let mut rows = compared(page, registry, &[Some(row.clone()), body.clone()]);
    for row in &mut rows {
        let silent = row.values.iter().any(ui::Values::is_empty);
        let open = silent || open.contains(&row.name);
        row.same = (!open).then(|| row.same == Some(true) || agreeing.contains(&row.name));
    }
    Ok(rows)
}

fn cells(file: &File, line: &Line) -> Vec<(String, String)> {
    let named = file.columns.iter().zip(&line.cells).enumerate();
    let named = named.filter(|(_, (_, text))| !text.is_empty());
    named
        .map(|(n, ((heading, _), text))| {
            let heading = if heading.is_empty() {
                format!("{}", n + 1)
            } else {
                heading.clone()
            };
            (heading, text.clone())
        })
        .collect()
}

fn told(page: &Page, act: FileAct) -> (String, String, String) {
    let what = match act.what.as_str() {
        "same" => page.t("Đúng là bản ghi", "It is the record"),
        "nobody" => page.t("Không phải bản ghi nào", "It is none of them"),
        _ => page.t("Hoàn tác", "Undone"),
    };
    (act.at.display(), act.actor, what.to_owned())
}

fn unsaid() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "required",
        "verdict",
        "Chọn một quyết định.",
        "Choose what you have found.",
    );
    Error::Refused(Kind::Invalid, problems)
}
