//! One file: what its columns are, how far it is, what came of it, its rows.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    Form,
    body::Body,
    extract::{Path, Query as Asked, State as Extract},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Lang, Problems, Result};
use identity::Web;
use linkage::probability_of;
use serde::Deserialize;
use view::{
    NavItem, Page,
    ui::{self, Choice, Tone},
};

use super::{PAGE, below, file_id, named, tone};
use crate::{
    linking::{
        files::{File, FileAct, FileState, Line, LineState, columns},
        pages::find,
    },
    model::{DataType, Field, Registry},
    service::Registries,
};

/// Rows that show what a column holds.
const SAMPLES: u32 = 3;
/// The longest text of a cell in a list, in characters.
const SHORT: usize = 40;
/// Cells of a row in a list.
const CELLS: usize = 4;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    state: String,
    after: i64,
}

#[derive(Template)]
#[template(path = "registry/file.html")]
struct One {
    page: Page,
    action: String,
    back: String,
    state: String,
    tone: Tone,
    summary: Vec<(&'static str, String)>,
    /// What the columns are to be said in, while nobody has.
    columns: Vec<ui::Field>,
    needs: String,
    /// How far it is, while it is compared.
    progress: Option<String>,
    stopped: bool,
    stats: Vec<ui::Stat>,
    tabs: Vec<NavItem>,
    lines: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
    /// Clear rows that may be taken together, and what the button says; what that says which takes them back.
    clear: Option<(i64, String)>,
    together: Option<String>,
    start: Option<String>,
    result: Option<String>,
    removable: bool,
    acts: Vec<(String, String, String)>,
}

struct Row {
    href: String,
    line: i64,
    cells: String,
    told: String,
}

pub(super) async fn look(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
    Asked(place): Asked<Place>,
) -> Response {
    match show(
        &registries,
        &web,
        (code.as_str(), id.as_str()),
        &place,
        &BTreeMap::new(),
        Problems::new(),
    )
    .await
    {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

/// Does with a file what its button says.
pub(super) async fn act(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
    Form(said): Form<BTreeMap<String, String>>,
) -> Response {
    let done = async {
        let (code, id) = (find(&registries, &code)?.code.clone(), file_id(&id)?);
        let ctx = &web.ctx;
        match said.get("then").map(String::as_str).unwrap_or_default() {
            "begin" => {
                let (file, _) = registries.file(ctx, &code, id).await?;
                let field = |n: usize| {
                    let text = said.get(&format!("column{n}")).map(String::as_str).unwrap_or_default();
                    Some(text)
                        .filter(|text| !text.is_empty())
                        .map(|text| text.parse().map_err(|_| no_field(n)))
                };
                let fields = (0..file.columns.len()).map(|n| field(n).transpose());
                registries
                    .begin_file(ctx, &code, id, &fields.collect::<Result<Vec<_>>>()?)
                    .await
            }
            "stop" => registries.stop_file(ctx, &code, id).await,
            "resume" => registries.resume_file(ctx, &code, id).await,
            "together" => {
                let count = said.get("count").and_then(|count| count.parse().ok());
                registries.take_clear(ctx, &code, id, count.unwrap_or_default()).await
            }
            "apart" => registries.untake_clear(ctx, &code, id).await,
            "remove" if said.get("sure").is_none_or(String::is_empty) => Err(not_sure()),
            "remove" => registries.remove_file(ctx, &code, id).await,
            _ => Err(Error::not_found("việc với tệp", "thing to do with a file")),
        }
    };
    match done.await {
        Ok(()) => Redirect::to(&format!("/registries/{code}/files/{id}")).into_response(),
        Err(Error::Refused(kind, problems)) if matches!(kind.status(), 409 | 422) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            match show(
                &registries,
                &web,
                (code.as_str(), id.as_str()),
                &Place::default(),
                &said,
                problems,
            )
            .await
            {
                Ok(page) => view::html(status, &page),
                Err(error) => web.refuse(&error),
            }
        }
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn result(
    Extract(registries): Extract<Registries>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
) -> Response {
    let made = async {
        let registry = find(&registries, &code)?;
        registries.file_result(&web.ctx, &registry.code, file_id(&id)?).await
    };
    match made.await {
        Ok(pieces) => {
            let head = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"ket-qua-so-sanh.csv\"",
                ),
            ];
            (head, Body::from_stream(pieces)).into_response()
        }
        Err(error) => web.refuse(&error),
    }
}

async fn show(
    registries: &Registries,
    web: &Web,
    (code, id): (&str, &str),
    place: &Place,
    said: &BTreeMap<String, String>,
    problems: Problems,
) -> Result<One> {
    let (registry, id) = (find(registries, code)?, file_id(id)?);
    let (file, acts) = registries.file(&web.ctx, &registry.code, id).await?;
    let mut page = below(web, &registry);
    page.title = named(&page, &file);
    page.problems = problems;
    let action = format!("/registries/{code}/files/{id}");
    let chosen = chosen(place);
    let listed = registries
        .lines(&web.ctx, &registry.code, id, chosen, place.after, PAGE)
        .await?;
    let address = |state: Option<LineState>| format!("{action}?state={}", state.map_or("decided", LineState::code));
    let start = registries.next_line(&web.ctx, &registry.code, id, 0).await?;
    let asked = match file.state {
        FileState::Columns => {
            let rows = registries.first_lines(&web.ctx, &registry.code, id, SAMPLES).await?;
            asked(&page, &registry, &file, &rows, said)?
        }
        _ => Vec::new(),
    };
    let compared = file.state != FileState::Columns;
    let lists = columns::declared(&registry).map(|duplicates| duplicates.blocking);
    Ok(One {
        back: format!("/registries/{code}/files"),
        state: page.text(&file.state.label()).to_owned(),
        tone: tone(file.state),
        summary: summary(&page, &file),
        needs: lists.map_or_else(
            |_| String::new(),
            |lists| columns::lists_of(&registry, &lists, page.lang),
        ),
        columns: asked,
        progress: (file.state == FileState::Comparing).then(|| progress(&page, &file)),
        stopped: file.state == FileState::Cancelled,
        stats: if compared { stats(&page, &file) } else { Vec::new() },
        tabs: if compared && file.state != FileState::Removed {
            tabs(&address, chosen)
        } else {
            Vec::new()
        },
        lines: listed.items.iter().map(|line| row(&page, &action, line)).collect(),
        first: (place.after > 0).then(|| address(chosen)),
        next: listed.next.map(|next| format!("{}&after={next}", address(chosen))),
        clear: Some(file.figures.clear_left).filter(|left| *left > 0).map(|left| {
            let words = page.t("Nhận tất cả dòng rõ ràng", "Take all clear rows");
            (left, format!("{words}: {left}"))
        }),
        together: Some(file.figures.together).filter(|taken| *taken > 0).map(|taken| {
            let words = page.t(
                "Hoàn tác các dòng đã nhận cùng lúc",
                "Take back what was taken together",
            );
            format!("{words}: {taken}")
        }),
        start: start.map(|n| format!("{action}/rows/{n}")),
        result: (compared && file.state != FileState::Removed).then(|| format!("{action}/result.csv")),
        removable: file.state != FileState::Removed,
        acts: acts.into_iter().map(|act| told(&page, act)).collect(),
        action,
        page,
    })
}

/// Which rows are listed: those that wait for a person, where nobody says it.
fn chosen(place: &Place) -> Option<LineState> {
    let known = [LineState::Clear, LineState::Lone, LineState::Unread];
    match place.state.as_str() {
        "decided" => None,
        code => Some(
            known
                .into_iter()
                .find(|state| state.code() == code)
                .unwrap_or(LineState::Possible),
        ),
    }
}

fn tabs(address: &impl Fn(Option<LineState>) -> String, chosen: Option<LineState>) -> Vec<NavItem> {
    let open = [
        LineState::Possible,
        LineState::Clear,
        LineState::Lone,
        LineState::Unread,
    ];
    let tab = |state: Option<LineState>| NavItem {
        href: address(state),
        label: state.map_or_else(|| base::Text::new("Đã quyết định", "Decided"), LineState::label),
        current: state == chosen,
    };
    open.map(Some).into_iter().chain([None]).map(tab).collect()
}

/// A choice for each column, with what stands in its first rows.
fn asked(
    page: &Page,
    registry: &Registry,
    file: &File,
    rows: &[Line],
    said: &BTreeMap<String, String>,
) -> Result<Vec<ui::Field>> {
    let label = |field: &Field| {
        let label = registry.label(field);
        match field.term.ty {
            DataType::Group => format!(
                "{} ({})",
                page.text(&label),
                page.t("địa chỉ ghi bằng chữ", "an address in words")
            ),
            _ => page.text(&label).to_owned(),
        }
    };
    let fields = columns::wanted(registry)?;
    let choices: Vec<Choice> = fields
        .iter()
        .filter_map(|path| registry.field(path))
        .map(|field| Choice::new(&field.path, label(field)))
        .collect();
    let choice = |(n, (heading, field)): (usize, &(String, Option<crate::model::FieldPath>))| {
        let name = format!("column{n}");
        let value = match said.get("then") {
            Some(_) => said.get(&name).cloned(),
            None => field.as_ref().map(ToString::to_string),
        };
        let samples = rows
            .iter()
            .filter_map(|row| row.cells.get(n))
            .filter(|text| !text.is_empty());
        let samples = samples.map(|text| shortened(text)).collect::<Vec<_>>().join(" · ");
        let number = format!("{} {}", page.t("Cột", "Column"), n + 1);
        let label = if heading.is_empty() {
            number
        } else {
            format!("{number}: {heading}")
        };
        ui::select(page, &name, label, &choices)
            .value(value)
            .required(false)
            .any(page.t("Bỏ qua cột này", "Leave this column out"))
            .hint(Some(samples).filter(|samples| !samples.is_empty()))
    };
    Ok(file.columns.iter().enumerate().map(choice).collect())
}

fn summary(page: &Page, file: &File) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        (page.t("Nộp lúc", "Brought at"), file.put.0.display()),
        (page.t("Người nộp", "Brought by"), file.put.1.clone()),
        (page.t("Mục đích và căn cứ", "Purpose and ground"), file.basis.clone()),
        (page.t("Số dòng", "Rows"), file.total.to_string()),
    ];
    if !file.note.is_empty() {
        rows.push((page.t("Ghi chú", "Note"), file.note.clone()));
    }
    if file.state != FileState::Removed {
        rows.push((
            page.t("Các dòng tự xóa vào", "Rows are removed at"),
            file.removes_at.display(),
        ));
    }
    rows
}

fn progress(page: &Page, file: &File) -> String {
    let percent = file.done * 100 / file.total.max(1);
    match page.lang {
        Lang::Vi => format!("Đã so sánh {}/{} dòng ({percent} %).", file.done, file.total),
        Lang::En => format!("{} of {} rows are compared ({percent} %).", file.done, file.total),
    }
}

fn stats(page: &Page, file: &File) -> Vec<ui::Stat> {
    let figures = &file.figures;
    vec![
        ui::stat(page.t("Một ứng viên rõ ràng", "One clear candidate"), figures.clear).tone(Tone::Good),
        ui::stat(page.t("Cần người xem xét", "For a person to judge"), figures.possible).tone(Tone::Warn),
        ui::stat(page.t("Không có ứng viên", "No candidate"), figures.lone),
        ui::stat(page.t("Không so sánh được", "Not comparable"), figures.unread).tone(Tone::Late),
        ui::stat(
            page.t("Đã nhận là cùng một đối tượng", "Taken to be the record"),
            figures.same,
        )
        .tone(Tone::Info),
        ui::stat(page.t("Không phải bản ghi nào", "None of the records"), figures.nobody),
    ]
}

fn row(page: &Page, action: &str, line: &Line) -> Row {
    let cells = line.cells.iter().filter(|text| !text.is_empty()).take(CELLS);
    let told = match (&line.found, line.weight) {
        (Some(found), _) => page.text(&found.label()).to_owned(),
        (None, Some(weight)) => percent(page.lang, weight),
        (None, None) => page.text(&line.flaw).to_owned(),
    };
    Row {
        href: format!("{action}/rows/{}", line.n),
        line: line.line,
        cells: cells.map(|text| shortened(text)).collect::<Vec<_>>().join(" · "),
        told,
    }
}

/// A weight as a probability, which is never quite 100.
pub(super) fn percent(lang: Lang, weight: f64) -> String {
    let percent = (probability_of(weight) * 100.0).min(99.9);
    match lang {
        Lang::Vi => format!("{percent:.1} %").replace('.', ","),
        Lang::En => format!("{percent:.1} %"),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn told(page: &Page, act: FileAct) -> (String, String, String) {
    let what = match act.what.as_str() {
        "put" => page.t("Nộp tệp", "Brought the file"),
        "columns" => page.t(
            "Xác nhận cột, bắt đầu so sánh",
            "Confirmed the columns, began to compare",
        ),
        "cancel" => page.t("Dừng so sánh", "Stopped comparing"),
        "resume" => page.t("Tiếp tục so sánh", "Went on comparing"),
        "together" => page.t("Nhận cùng lúc các dòng rõ ràng", "Took the clear rows together"),
        "apart" => page.t("Hoàn tác việc nhận cùng lúc", "Took that back"),
        _ => page.t("Xóa các dòng", "Removed the rows"),
    };
    let what = match page.lang {
        Lang::Vi => format!("{what} ({} dòng)", act.rows),
        Lang::En => format!("{what} ({} rows)", act.rows),
    };
    (act.at.display(), act.actor, what)
}

fn no_field(n: usize) -> Error {
    let mut problems = Problems::new();
    problems.add(
        "unknown-field",
        format!("column{n}"),
        "Không có trường này; chọn lại.",
        "There is no such field; choose again.",
    );
    Error::Refused(Kind::Invalid, problems)
}

fn not_sure() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "required",
        "sure",
        "Đánh dấu để xác nhận: các dòng và quyết định đã xóa không lấy lại được.",
        "Tick to confirm: rows and decisions cannot be brought back.",
    );
    Error::Refused(Kind::Invalid, problems)
}
