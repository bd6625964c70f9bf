//! Following a dossier by its code and secret, without signing in and without personal data.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use axum_extra::extract::Query;
use base::{Error, Kind, Problems, Result, Text, Timestamp};
use identity::Web;
use serde::Deserialize;
use view::{Link, Page, files::encoded, ui, ui::Tone};

use super::{Portal, again, answer, throttle, to, words};
use crate::service::Tracking;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    code: String,
    k: String,
}

#[derive(Template)]
#[template(path = "citizen/track.html")]
struct FormPage {
    page: Page,
    code: String,
    secret: String,
}

#[derive(Template)]
#[template(path = "citizen/tracking.html")]
struct TrackingPage {
    page: Page,
    code: String,
    name: String,
    agency: String,
    status: String,
    tone: Tone,
    submitted: Timestamp,
    received: Option<Timestamp>,
    next: words::Next,
    asked: bool,
    meter: Option<words::Meter>,
    why: Vec<(Text, Option<Text>)>,
    events: Vec<words::Event>,
    way: words::Way,
}

/// The form; filled in, it leads to the page of the dossier.
pub(super) async fn form(web: Web, Query(asked): Query<Asked>) -> Response {
    let (code, secret) = (asked.code.trim(), asked.k.trim());
    if code.is_empty() && secret.is_empty() {
        return draw(&web, "", "", Problems::new(), StatusCode::OK);
    }
    let mut problems = Problems::new();
    if code.is_empty() {
        problems.add("required", "code", "Nhập mã hồ sơ.", "Enter the code of the dossier.");
    }
    if secret.is_empty() {
        problems.add("required", "k", "Nhập mã tra cứu.", "Enter the tracking secret.");
    }
    if !problems.is_empty() {
        return draw(&web, code, secret, problems, StatusCode::UNPROCESSABLE_ENTITY);
    }
    private(to(format!("/track/{}?k={}", encoded(code), encoded(secret))))
}

fn draw(web: &Web, code: &str, secret: &str, problems: Problems, status: StatusCode) -> Response {
    let mut page = web.titled("Tra cứu hồ sơ", "Follow a dossier");
    page.breadcrumbs = vec![Link::new("/", "Trang chủ", "Home")];
    page.problems = problems;
    private(view::html(
        status,
        &FormPage {
            page,
            code: code.to_owned(),
            secret: secret.to_owned(),
        },
    ))
}

/// The dossier, for whoever holds both codes.
pub(super) async fn show(
    web: Web,
    State(portal): State<Portal>,
    from: throttle::From,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let secret = asked.k.trim();
    if secret.is_empty() {
        let mut page = web.titled("Tra cứu hồ sơ", "Follow a dossier");
        page.breadcrumbs = vec![Link::new("/", "Trang chủ", "Home")];
        return private(view::html(
            StatusCode::OK,
            &FormPage {
                page,
                code,
                secret: String::new(),
            },
        ));
    }
    if let Err(error) = portal.tries.permit(from.0, web.ctx.now) {
        return private(web.refuse(&error));
    }
    match portal.dossiers.track(&web.ctx, &code, secret).await {
        Ok(tracking) => private(answer(&web, shown(&web, &portal, &tracking))),
        Err(Error::Refused(kind @ Kind::NotFound, problems)) => {
            portal.tries.wrong(from.0, web.ctx.now);
            draw(&web, &code, secret, problems, again(kind))
        }
        Err(error) => private(web.refuse(&error)),
    }
}

fn shown(web: &Web, portal: &Portal, tracking: &Tracking) -> Result<Response> {
    let lang = web.ctx.lang;
    let mut page = web.page.clone();
    page.title = format!("{} {}", page.t("Tình trạng hồ sơ", "Status of"), tracking.code);
    page.breadcrumbs = vec![
        Link::new("/", "Trang chủ", "Home"),
        Link::new("/track", "Tra cứu hồ sơ", "Follow a dossier"),
    ];
    let agency = portal.dossiers.agency_name(&tracking.agency).to_owned();
    let at = words::Standing {
        status: tracking.status,
        decision: None,
        delivery: None,
        agency: &agency,
    };
    let calendar = portal.dossiers.calendar();
    let template = TrackingPage {
        code: tracking.code.clone(),
        name: tracking.name.get(lang).to_owned(),
        status: tracking.status.label().get(lang).to_owned(),
        tone: words::tone(tracking.status),
        submitted: tracking.submitted_at,
        received: tracking.received_at,
        next: words::next(lang, at, &tracking.package, &tracking.here),
        asked: tracking.asked,
        meter: words::meter(
            lang,
            tracking.due,
            tracking.standing,
            tracking.received_at,
            web.ctx.now,
            &calendar,
        ),
        why: tracking.why.clone(),
        events: words::events(lang, &tracking.history, |code| match code {
            "" => String::new(),
            code => portal.dossiers.agency_name(code).to_owned(),
        }),
        way: words::way(lang, &tracking.package, &tracking.here),
        agency,
        page,
    };
    Ok(view::html(StatusCode::OK, &template))
}

/// Kept by nobody on the way, found by no search engine, and its address told to no other site.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
