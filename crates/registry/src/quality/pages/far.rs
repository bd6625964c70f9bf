//! What registries of other nodes hold about the signed-in person, and their way to contest it there.

use askama::Template;
use axum::{
    extract::{Path, State as Extracted},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Problems, Result, Text, Timestamp, codes::AgencyCode};
use identity::{Ctx, Web};
use uuid::Uuid;
use view::{
    Link, Page,
    files::{Filled, Posted, Sent},
    ui::{self, Values},
};

use super::{
    attached::{self, FileLine, judged, some_judged, whole},
    doubts::{Typed, report_of},
    mine::{At, ContestPage, Elsewhere, Section, Shown, contested, enterprise, under_headings},
    posted, status_of,
};
use crate::{
    history::Moment,
    model::{FieldPath, RegistryCode},
    pages::span,
    quality::{
        Quality, Represents,
        doubts::{DoubtId, DoubtState, FarDoubt, silent},
        mine::Far,
    },
    wire::{OwnBody, OwnRecordBody},
};

/// What a registry holds, as those of this node are shown; nothing where it holds nothing, or is silent.
pub(super) fn section(page: &Page, far: &Far) -> Option<Section> {
    let said = far.said.as_ref().ok().filter(|said| !said.records.is_empty())?;
    Some(Section {
        id: far.registry.to_string(),
        name: page.text(&said.registry).to_owned(),
        steward: ui::values([(page.text(steward(far, said)).to_owned(), None)]),
        records: under_headings(
            said.records
                .iter()
                .map(|record| shown(page, &far.registry, said, record)),
        ),
        cut: said.represents == Some(Represents::Newest),
    })
}

/// Who keeps it: as the exchange calls them where their own list of agencies has no more than the code.
fn steward<'a>(far: &'a Far, said: &'a OwnBody) -> &'a Text {
    let is_code = said.steward.vi.parse::<AgencyCode>().is_ok();
    let known = far.keeper.as_ref().filter(|_| is_code);
    known.map_or(&said.steward, |known| &known.member)
}

fn shown(page: &Page, registry: &RegistryCode, said: &OwnBody, record: &OwnRecordBody) -> Shown {
    let fields = said.fields.iter();
    let rows = fields.filter_map(|of| {
        let values = record.says.get(&of.field)?;
        let at = format!("/my/records/elsewhere/{registry}/{}/{}", record.id, of.field);
        Some((page.text(&of.name).to_owned(), words(page, values), at))
    });
    let recorded = Timestamp::parse_rfc3339(&record.recorded_at);
    Shown {
        enterprise: enterprise(page, record.enterprise.as_ref()),
        begins: false,
        held: held(page, said, record),
        holds: record.holds,
        source: record.source.clone(),
        recorded: recorded.map_or_else(|| record.recorded_at.clone(), Timestamp::display),
        rows: rows.collect(),
        // Those stand with all that was told to other nodes.
        doubts: Vec::new(),
    }
}

/// From when to when it holds; as the other node wrote it where that cannot be read.
fn held(page: &Page, said: &OwnBody, record: &OwnRecordBody) -> String {
    let moment = |text: &String| Moment::parse(text, said.valid_time);
    match moment(&record.from) {
        Some(from) => span(page, said.valid_time, from, record.to.as_ref().and_then(moment)),
        None => record.from.clone(),
    }
}

fn words(page: &Page, values: &[Text]) -> Values {
    ui::values(values.iter().map(|value| (page.text(value).to_owned(), None)))
}

/// How a registry is called that does not say so itself: by the system that keeps it.
pub(super) fn name(page: &Page, far: &Far) -> String {
    match &far.keeper {
        Some(keeper) => format!("{} ({})", page.text(&keeper.system), far.registry),
        None => far.registry.to_string(),
    }
}

pub(super) async fn ask(Extracted(quality): Extracted<Quality>, web: Web, Path(at): Path<At>) -> Response {
    let asked = async {
        let place = Place::of(&at)?;
        contest(&quality, &web, &place).await
    };
    match asked.await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

/// What is contested.
struct Place {
    registry: RegistryCode,
    record: Uuid,
    field: FieldPath,
}

impl Place {
    fn of((registry, record, field): &At) -> Result<Self> {
        let none = |_| no_field();
        Ok(Self {
            registry: registry.parse().map_err(none)?,
            record: record.parse().map_err(|_| no_field())?,
            field: field.parse().map_err(none)?,
        })
    }
}

async fn contest(quality: &Quality, web: &Web, place: &Place) -> Result<ContestPage> {
    let far = quality.my_far(&web.ctx, &place.registry).await?;
    let said = far.said.map_err(|_| silent())?;
    let record = said.records.iter().find(|record| record.id == place.record);
    let values = record.and_then(|record| record.says.get(&place.field));
    let of = said.fields.iter().find(|of| of.field == place.field);
    // It may be of an enterprise of theirs, and nobody can say so.
    let none = || match said.represents {
        Some(why @ (Represents::Silent | Represents::Closed)) => why.refusal(),
        Some(Represents::All | Represents::Newest) | None => no_field(),
    };
    let (of, values) = of.zip(values).ok_or_else(none)?;
    let asked = ContestPage::new(web);
    Ok(ContestPage {
        name: asked.page.text(&of.name).to_owned(),
        value: words(&asked.page, values),
        days: Some(said.answer_days),
        ..asked
    })
}

pub(super) async fn say(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(at): Path<At>,
    Posted { form, flaw }: Posted,
) -> Response {
    let Filled { mut fields, files } = form;
    fields.push(("field".to_owned(), at.2.clone()));
    let place = match Place::of(&at) {
        Ok(place) => place,
        Err(error) => return web.refuse(&error),
    };
    let told = async {
        whole(flaw)?;
        let id: DoubtId = posted(&fields, "form").parse().map_err(|_| no_form())?;
        let (report, files) = (report_of(&fields), judged(files).await?);
        let doubt = quality.doubt_elsewhere(&web.ctx, &place.registry, place.record, &report, id);
        Ok((doubt.await?, files))
    };
    match told.await {
        Ok((doubt, files)) => {
            let sent = quality.files_elsewhere(&web.ctx, &place.registry, doubt, &files);
            let done = sent.await.map(|()| "/my/records".to_owned());
            then_show(
                &quality,
                &web,
                &(place.registry.to_string(), doubt.to_string()),
                done,
                &fields,
            )
            .await
        }
        Err(Error::Refused(kind @ (Kind::Invalid | Kind::Unavailable | Kind::TooLarge), problems)) => {
            again(&quality, &web, &place, &fields, (kind, problems)).await
        }
        Err(error) => web.refuse(&error),
    }
}

/// The form again with what was typed: nothing of it is lost, though the registry may say nothing more at the moment.
async fn again(
    quality: &Quality,
    web: &Web,
    place: &Place,
    form: &[(String, String)],
    (kind, problems): (Kind, Problems),
) -> Response {
    let asked = match contest(quality, web, place).await {
        Err(Error::Refused(Kind::Unavailable, _)) => Ok(ContestPage::new(web)),
        asked => asked,
    };
    match asked {
        Ok(mut template) => {
            // It may have been taken in all the same: sent again, it is the same.
            if kind == Kind::Unavailable {
                template.form = posted(form, "form").to_owned();
            }
            view::html(status_of(kind), &template.refused(form, problems))
        }
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "registry/far_doubt.html")]
struct FarDoubtPage {
    page: Page,
    row: Elsewhere,
    reason: String,
    /// Whether evidence is asked for.
    asked: bool,
    /// Whether it is not answered.
    open: bool,
    /// What has come there, as far as it says so.
    files: Vec<FileLine>,
    typed: Typed,
}

/// A registry and a doubt of it, as the address has them.
type OfDoubt = (String, String);

pub(super) async fn doubt(Extracted(quality): Extracted<Quality>, web: Web, Path(at): Path<OfDoubt>) -> Response {
    match my_doubt(&quality, &web, &at).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn my_doubt(quality: &Quality, web: &Web, at: &OfDoubt) -> Result<FarDoubtPage> {
    let (code, id) = doubt_at(at)?;
    let FarDoubt { standing, files } = quality.doubt_far(&web.ctx, &code, id).await?;
    let mut page = web.titled("Phản ánh của tôi", "My doubt");
    page.path = address(at);
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link::new("/my/records", "Dữ liệu về tôi", "Data about me"),
    ];
    Ok(FarDoubtPage {
        asked: standing.state == DoubtState::Asked,
        open: standing.state.is_open(),
        files: files.iter().map(|file| FileLine::far(&page, file)).collect(),
        reason: standing.reason.clone(),
        row: contested(&page, id, standing),
        typed: Typed::default(),
        page,
    })
}

fn doubt_at((code, id): &OfDoubt) -> Result<(RegistryCode, Uuid)> {
    let none = || Error::not_found("phản ánh này", "doubt");
    Ok((code.parse().map_err(|_| none())?, id.parse().map_err(|_| none())?))
}

fn address((code, id): &OfDoubt) -> String {
    format!("/my/doubts/elsewhere/{code}/{id}")
}

/// The person gives the evidence that is asked for or a file, or takes the doubt back. What they typed is kept where it is refused, or
/// the registry is silent.
pub(super) async fn answer(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(at): Path<OfDoubt>,
    Posted { form, flaw }: Posted,
) -> Response {
    let Filled { fields, files } = form;
    let done = async {
        whole(flaw)?;
        acted(&quality, &web.ctx, &at, &fields, files).await?;
        Ok(address(&at))
    };
    let done = done.await;
    then_show(&quality, &web, &at, done, &fields).await
}

async fn acted(
    quality: &Quality,
    ctx: &Ctx,
    at: &OfDoubt,
    fields: &[(String, String)],
    files: Vec<Sent>,
) -> Result<()> {
    let (code, id) = doubt_at(at)?;
    match posted(fields, "then") {
        "withdraw" => quality.withdraw_elsewhere(ctx, &code, id).await,
        "add" => {
            let files = some_judged(files).await?;
            quality.files_elsewhere(ctx, &code, id, &files).await
        }
        _ => {
            let files = judged(files).await?;
            // Those that have arrived are there when all is sent again.
            quality.files_elsewhere(ctx, &code, id, &files).await?;
            quality
                .reply_elsewhere(ctx, &code, id, posted(fields, "evidence"))
                .await
        }
    }
}

/// The way on after something was done to a doubt, or the doubt with what is against that and with what was typed.
async fn then_show(
    quality: &Quality,
    web: &Web,
    at: &OfDoubt,
    done: Result<String>,
    fields: &[(String, String)],
) -> Response {
    let error = match done {
        Ok(to) => return Redirect::to(&to).into_response(),
        Err(error) => error,
    };
    let (kind, problems) = match error {
        Error::Refused(kind @ (Kind::Invalid | Kind::Unavailable | Kind::TooLarge), problems) => (kind, problems),
        error => return web.refuse(&error),
    };
    match my_doubt(quality, web, at).await {
        Ok(mut template) => {
            template.typed = Typed::of(fields);
            template.page.problems = problems;
            view::html(status_of(kind), &template)
        }
        Err(error) => web.refuse(&error),
    }
}

fn no_field() -> Error {
    Error::not_found("thông tin này", "field")
}

/// Whoever changes the id of a form gets another.
fn no_form() -> Error {
    Error::refused(
        Kind::Invalid,
        "bad-form",
        "Biểu mẫu không còn dùng được. Hãy kiểm tra nội dung và gửi lại.",
        "The form can no longer be used. Check what you wrote and send it again.",
    )
}
