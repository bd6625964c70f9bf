//! An apology with a new date (form 04).

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use base::{Error, Kind, Problems, Result, Timestamp};
use identity::Web;
use view::{Link, Page, ui};

use super::{super::dossier::load, Posted, expected, first, led_on, small_page};
use crate::{
    model::command::Command,
    service::{DossierView, Dossiers},
};

#[derive(Template)]
#[template(path = "desk/reappointment.html")]
struct ReappointmentPage {
    page: Page,
    action: String,
    back: String,
    version: i64,
    due: Option<Timestamp>,
    posted: Vec<(String, String)>,
}

impl ReappointmentPage {
    fn value(&self, name: &str) -> &str {
        first(&self.posted, name)
    }

    /// The date as it was typed, day by month by year.
    fn date(&self) -> String {
        let part = |name: &str| self.value(&format!("due.{name}")).to_owned();
        [part("day"), part("month"), part("year")].join("/")
    }
}

fn reappointment_page(
    web: &Web,
    view: &DossierView,
    posted: Vec<(String, String)>,
    problems: Problems,
) -> ReappointmentPage {
    let back = format!("/desk/dossiers/{}", view.state.code);
    let mut page = web.titled(
        "Xin lỗi và hẹn lại ngày trả kết quả",
        "Apologise and appoint a new date",
    );
    page.breadcrumbs = vec![
        Link::new("/desk", "Bàn làm việc", "Desk"),
        Link::new(&back, &view.state.code, &view.state.code),
    ];
    page.problems = problems;
    let due = view.due.and_then(|d| d.current);
    ReappointmentPage {
        page,
        action: format!("{back}/reappointment"),
        back,
        version: view.state.version,
        due,
        posted,
    }
}
pub(in crate::pages::desk) async fn ask_reappointment(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
) -> Response {
    let view = load(&web, &dossiers, &code).await;
    small_page(
        &web,
        view.map(|view| reappointment_page(&web, &view, Vec::new(), Problems::new())),
    )
}

pub(in crate::pages::desk) async fn reappoint(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
    Form(posted): Posted,
) -> Response {
    let view = match load(&web, &dossiers, &code).await {
        Ok(view) => view,
        Err(error) => return web.refuse(&error),
    };
    let done = match new_date(&dossiers, &posted) {
        Ok(due) => {
            let command = Command::Reappoint {
                due,
                reason: first(&posted, "reason").to_owned(),
            };
            dossiers.command(&web.ctx, view.id, &command, expected(&posted)).await
        }
        Err(error) => Err(error),
    };
    let next = format!("/desk/dossiers/{code}");
    led_on(&web, &dossiers, &code, &next, done, |problems| {
        Ok(reappointment_page(&web, &view, posted, problems))
    })
    .await
}

/// The end of work on the date that was typed.
fn new_date(dossiers: &Dossiers, posted: &[(String, String)]) -> Result<Timestamp> {
    let part = |name: &str| first(posted, &format!("due.{name}")).parse::<i16>().ok();
    let date = part("year")
        .zip(part("month"))
        .zip(part("day"))
        .and_then(|((year, month), day)| {
            jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        });
    date.and_then(|d| dossiers.calendar().end_of_work(d)).ok_or_else(|| {
        let mut problems = Problems::new();
        problems.add(
            "not-a-working-day",
            "due",
            "Nhập một ngày làm việc.",
            "Enter a working day.",
        );
        Error::Refused(Kind::Invalid, problems)
    })
}
