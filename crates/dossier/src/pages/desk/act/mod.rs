//! Doing something to a dossier: each wish is a small page or one click; what goes wrong is said on the dossier's page.

mod opinion;
mod outcome;
mod reappointment;

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, post},
};
use base::{Error, Kind, Problems, Result};
use identity::{Ctx, Web};

use super::dossier::{build, load};
use crate::{
    model::{
        action::{OfficerRef, PaymentMethod},
        command::Command,
    },
    service::{Done, Dossiers},
};

pub(super) use self::{
    opinion::{answer, ask_opinion},
    outcome::{ask, complete},
    reappointment::{ask_reappointment, reappoint},
};

type Fields = [(String, String)];
type Posted = Form<Vec<(String, String)>>;

fn first<'a>(posted: &'a Fields, name: &str) -> &'a str {
    posted.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
}

/// The version that the page showed.
fn expected(posted: &Fields) -> Option<i64> {
    first(posted, "version").parse().ok()
}

/// A small page, or the page that says no.
fn small_page(web: &Web, made: Result<impl Template>) -> Response {
    match made {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

/// Leads on after a wish. What is wrong at a field is shown on the small page that has the field; everything else belongs
/// on the page of the dossier: also for whoever came too late.
async fn led_on<P: Template>(
    web: &Web,
    dossiers: &Dossiers,
    code: &str,
    next: &str,
    done: Result<Done>,
    page: impl FnOnce(Problems) -> Result<P>,
) -> Response {
    match done {
        Ok(_) => Redirect::to(next).into_response(),
        Err(Error::Refused(Kind::Invalid, problems)) => match page(problems) {
            Ok(page) => view::html(StatusCode::UNPROCESSABLE_ENTITY, &page),
            Err(error) => web.refuse(&error),
        },
        Err(error) => again(web, dossiers, code, error).await,
    }
}

/// The dossier's page with what went wrong at its head.
async fn again(web: &Web, dossiers: &Dossiers, code: &str, error: Error) -> Response {
    let Error::Refused(kind, problems) = error else {
        return web.refuse(&error);
    };
    match load(web, dossiers, code).await {
        Ok(view) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            view::html(status, &build(web, dossiers, &view, problems))
        }
        Err(error) => web.refuse(&error),
    }
}

/// The command that a form on the dossier's own page means.
type Wish = fn(&Ctx, &Fields) -> Result<Command>;

/// Takes a form that stands on the dossier's own page.
pub(super) fn wish(wish: Wish) -> MethodRouter<Dossiers> {
    post(
        async move |web: Web, State(dossiers): State<Dossiers>, Path(code): Path<String>, Form(posted): Posted| {
            let done = async {
                let view = load(&web, &dossiers, &code).await?;
                let command = wish(&web.ctx, &posted)?;
                dossiers.command(&web.ctx, view.id, &command, expected(&posted)).await
            };
            match done.await {
                Ok(_) => Redirect::to(&format!("/desk/dossiers/{code}")).into_response(),
                Err(error) => again(&web, &dossiers, &code, error).await,
            }
        },
    )
}

/// Sends a question to another node again.
pub(super) async fn again_asked(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, sent_by)): Path<(String, String)>,
) -> Response {
    let done = async {
        let view = load(&web, &dossiers, &code).await?;
        dossiers.ask_again(&web.ctx, view.id, &sent_by).await
    };
    match done.await {
        Ok(()) => Redirect::to(&format!("/desk/dossiers/{code}#consultations")).into_response(),
        Err(error) => again(&web, &dossiers, &code, error).await,
    }
}

pub(super) fn assign(ctx: &Ctx, posted: &Fields) -> Result<Command> {
    let officer = ctx.officer()?;
    Ok(Command::Assign {
        token: first(posted, "token").parse().unwrap_or(0),
        officer: (first(posted, "take") == "yes").then(|| OfficerRef {
            id: officer.officer.uuid(),
            name: officer.name.clone(),
        }),
    })
}

pub(super) fn pay(_: &Ctx, posted: &Fields) -> Result<Command> {
    let method = match first(posted, "method") {
        "card" => PaymentMethod::Card,
        "transfer" => PaymentMethod::Transfer,
        _ => PaymentMethod::Cash,
    };
    let amount = first(posted, "amount").parse::<base::Dong>();
    Ok(Command::RecordPayment {
        amount: amount.map_or(0, base::Dong::amount),
        method,
        reference: first(posted, "reference").to_owned(),
    })
}

pub(super) fn waive(_: &Ctx, posted: &Fields) -> Result<Command> {
    Ok(Command::WaiveFee {
        basis: first(posted, "basis").to_owned(),
    })
}

pub(super) fn note(_: &Ctx, posted: &Fields) -> Result<Command> {
    Ok(Command::Note {
        text: first(posted, "note").to_owned(),
    })
}

pub(super) fn end_wait(_: &Ctx, posted: &Fields) -> Result<Command> {
    Ok(Command::EndWait {
        token: first(posted, "token").parse().unwrap_or(0),
        reason: first(posted, "reason").to_owned(),
    })
}
