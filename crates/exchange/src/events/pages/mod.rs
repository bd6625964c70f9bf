//! Pages of the steward, below `/exchange/events`.

mod types;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use axum_extra::extract::{Form, Query};
use base::{Error, Result, Text};
use identity::{Cursor, Web, read_place};
use serde::Deserialize;
use view::{Link, NavItem, Notice, Page, ui, ui::Tone};

use super::{
    api::standing,
    model::{Sensitivity, State as Standing, SubscriptionId},
    service::{Asker, Deliveries, Delivery, Events, PAGE, Subscription},
    webhook::Outcome,
};

/// The routes; to be merged at the root, within `identity::layer`.
pub fn router(events: Events) -> Router {
    Router::new()
        .route("/exchange/events", get(types::list))
        .route("/exchange/events/types/new", get(types::new).post(types::make))
        .route("/exchange/events/types/{id}", get(types::one))
        .route("/exchange/events/types/{id}/edit", get(types::edit).post(types::change))
        .route("/exchange/events/types/{id}/close", post(types::close))
        .route("/exchange/events/subscriptions", get(subscriptions))
        .route("/exchange/events/subscriptions/{id}", get(subscription))
        .route("/exchange/events/subscriptions/{id}/decision", post(decide))
        .route("/exchange/events/subscriptions/{id}/webhook", post(resume))
        .route("/exchange/events/deliveries", get(deliveries))
        .with_state(events)
}

/// What the address asks. A filter that means nothing is left out, as a hand-written address deserves.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: Cursor,
    state: String,
    outcome: String,
    subscription: String,
    done: Option<String>,
}

impl Asked {
    fn done(&self, page: &mut Page) {
        if self.done.is_some() {
            page.notice = Some(Notice {
                tone: Tone::Good,
                text: Text::new("Đã thực hiện.", "Done."),
            });
        }
    }
}

fn answer<T: Template>(web: &Web, made: Result<T>) -> Response {
    match made {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

fn tabs(current: &str) -> Vec<NavItem> {
    [
        ("/exchange/events", "Loại sự kiện", "Event types"),
        ("/exchange/events/subscriptions", "Đăng ký nhận", "Subscriptions"),
        ("/exchange/events/deliveries", "Lượt gọi webhook", "Webhook calls"),
    ]
    .map(|(href, vi, en)| NavItem::new(href, vi, en, href == current))
    .to_vec()
}

fn events_link() -> Link {
    Link::new("/exchange/events", "Sự kiện", "Events")
}

fn subscriptions_link() -> Link {
    Link::new(
        "/exchange/events/subscriptions",
        "Đăng ký nhận sự kiện",
        "Subscriptions",
    )
}

/// The first page of a list, for whoever is further down.
fn newest(asked: &Asked, list: &str) -> Option<String> {
    (!asked.cursor.is_first()).then(|| list.to_owned())
}

/// The address of the next page of a list.
fn next_page(list: &str, next: Option<String>) -> Option<String> {
    let joint = if list.contains('?') { '&' } else { '?' };
    next.map(|place| format!("{list}{joint}cursor={place}"))
}

/// A place that has names in it, as it stands in an address.
fn encoded(place: &str) -> String {
    let mut out = String::with_capacity(place.len());
    for byte in place.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[derive(Template)]
#[template(path = "events/subscriptions.html")]
struct Subscriptions {
    page: Page,
    tabs: Vec<NavItem>,
    states: Vec<ui::Choice>,
    state: String,
    subscriptions: Vec<Subscription>,
    newer: Option<String>,
    older: Option<String>,
}

async fn subscriptions(State(events): State<Events>, web: Web, Query(asked): Query<Asked>) -> Response {
    let made = async {
        let state = Standing::from_code(&asked.state);
        let before = asked.cursor.place(read_place)?;
        let found = events.subscriptions(&web.ctx, state, before, PAGE).await?;
        let all = "/exchange/events/subscriptions";
        let list = state.map_or_else(|| all.to_owned(), |state| format!("{all}?state={}", state.code()));
        let choice = |state: Standing| ui::Choice::from_text(state.code(), &state.label(), web.ctx.lang);
        Ok(Subscriptions {
            page: web.titled("Đăng ký nhận sự kiện", "Subscriptions to events"),
            tabs: tabs(all),
            states: Standing::ALL.map(choice).to_vec(),
            state: state.map(|state| state.code().to_owned()).unwrap_or_default(),
            subscriptions: found.rows,
            newer: newest(&asked, &list),
            older: next_page(&list, found.next),
        })
    };
    answer(&web, made.await)
}

#[derive(Template)]
#[template(path = "events/subscription.html")]
struct OneSubscription {
    page: Page,
    of: Subscription,
    may_decide: bool,
    reason: String,
    recent: Vec<Delivery>,
}

async fn subscription_page(
    events: &Events,
    web: &Web,
    mut page: Page,
    id: &str,
    reason: String,
) -> Result<OneSubscription> {
    let id = read_id(id)?;
    let of = events.subscription_by_id(&web.ctx, id).await?;
    let asked = Deliveries {
        of: Some(id),
        ..Deliveries::default()
    };
    let recent = events.deliveries(&web.ctx, &asked).await?.rows;
    page.title = web.ctx.t("Đăng ký nhận sự kiện", "Subscription").to_owned();
    page.breadcrumbs = vec![events_link(), subscriptions_link()];
    Ok(OneSubscription {
        page,
        may_decide: events.may_steward(&web.ctx, &of.of.provider).await?,
        of,
        reason,
        recent: recent.into_iter().take(10).collect(),
    })
}

fn read_id(text: &str) -> Result<SubscriptionId> {
    text.parse()
        .map_err(|_| Error::not_found("đăng ký này", "subscription"))
}

async fn subscription(
    State(events): State<Events>,
    web: Web,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let mut page = web.page.clone();
    asked.done(&mut page);
    answer(&web, subscription_page(&events, &web, page, &id, String::new()).await)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Decision {
    state: String,
    reason: String,
}

async fn decide(
    State(events): State<Events>,
    web: Web,
    Path(id): Path<String>,
    Form(form): Form<Decision>,
) -> Response {
    let decided = async {
        let next = standing(&form.state)?;
        events.decide(&web.ctx, read_id(&id)?, next, &form.reason).await
    };
    match decided.await {
        Ok(()) => Redirect::to(&format!("/exchange/events/subscriptions/{id}?done=1")).into_response(),
        Err(Error::Refused(kind @ (base::Kind::Invalid | base::Kind::Conflict), problems)) => {
            let mut page = web.page.clone();
            page.problems = problems;
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            match subscription_page(&events, &web, page, &id, form.reason).await {
                Ok(template) => view::html(status, &template),
                Err(error) => web.refuse(&error),
            }
        }
        Err(error) => web.refuse(&error),
    }
}

async fn resume(State(events): State<Events>, web: Web, Path(id): Path<String>) -> Response {
    let resumed = async { events.resume_nudges(Asker::Steward(&web.ctx), read_id(&id)?).await };
    match resumed.await {
        Ok(()) => Redirect::to(&format!("/exchange/events/subscriptions/{id}?done=1")).into_response(),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "events/deliveries.html")]
struct Calls {
    page: Page,
    tabs: Vec<NavItem>,
    outcomes: Vec<ui::Choice>,
    outcome: String,
    subscription: String,
    deliveries: Vec<Delivery>,
    newer: Option<String>,
    older: Option<String>,
}

async fn deliveries(State(events): State<Events>, web: Web, Query(asked): Query<Asked>) -> Response {
    let made = async {
        let of: Option<SubscriptionId> = asked.subscription.parse().ok();
        let outcome = Outcome::CODES.into_iter().find(|code| *code == asked.outcome);
        let search = Deliveries {
            of,
            outcome: outcome.map(str::to_owned),
            before: asked.cursor.place(read_place)?,
            most: None,
        };
        let found = events.deliveries(&web.ctx, &search).await?;
        let subscription = of.map(|id| id.to_string()).unwrap_or_default();
        let list = format!(
            "/exchange/events/deliveries?outcome={}&subscription={subscription}",
            outcome.unwrap_or_default()
        );
        let choice = |code: &str| ui::Choice::from_text(code, &Outcome::label(code), web.ctx.lang);
        Ok(Calls {
            page: web.titled("Lượt gọi webhook", "Webhook calls"),
            tabs: tabs("/exchange/events/deliveries"),
            outcomes: Outcome::CODES.map(choice).to_vec(),
            outcome: outcome.unwrap_or_default().to_owned(),
            subscription,
            deliveries: found.rows,
            newer: newest(&asked, &list),
            older: next_page(&list, found.next),
        })
    };
    answer(&web, made.await)
}

/// What stands in templates more than once.
mod words {
    use view::{Page, ui::Tone};

    use super::{Outcome, Sensitivity, Standing, Subscription};
    use crate::events::service::EventType;

    pub fn outcome(page: &Page, code: &str) -> String {
        page.text(&Outcome::label(code)).to_owned()
    }

    pub fn outcome_tone(code: &str) -> Tone {
        if code == "delivered" { Tone::Good } else { Tone::Late }
    }

    pub fn sensitivity(page: &Page, of: &Sensitivity) -> String {
        page.text(&of.label()).to_owned()
    }

    pub fn edit(of: &EventType) -> String {
        format!("/exchange/events/types/{}/edit", of.type_id)
    }

    pub fn key_field(page: &Page, of: &EventType) -> String {
        let by_publisher = page.t("Bên công bố tự nêu khóa", "The publisher gives the key");
        of.key_field.as_deref().unwrap_or(by_publisher).to_owned()
    }

    pub fn state_tone(state: &Standing) -> Tone {
        match state {
            Standing::Requested => Tone::Info,
            Standing::Approved => Tone::Good,
            Standing::Refused => Tone::Late,
            Standing::Paused => Tone::Warn,
            Standing::Cancelled => Tone::Neutral,
        }
    }

    /// Who decided last, and when.
    pub fn decision(of: &Subscription) -> Option<String> {
        of.decided.map(|at| format!("{} – {}", at.display(), of.decided_by))
    }

    pub fn type_page(of: &Subscription) -> String {
        format!("/exchange/events/types/{}", of.type_id)
    }

    /// How the webhook of a subscription does, and how that is meant.
    pub fn webhook(page: &Page, of: &Subscription) -> (String, Tone) {
        if of.webhook.is_none() {
            return (
                page.t("Tự đọc, không có webhook", "Asks by itself, no webhook")
                    .to_owned(),
                Tone::Neutral,
            );
        }
        if let Some(code) = &of.nudge_paused {
            let why = outcome(page, code);
            return (
                format!("{}: {why}", page.t("Đã ngừng gọi", "No longer called")),
                Tone::Late,
            );
        }
        if of.nudge_failures > 0 {
            let count = of.nudge_failures;
            return (
                format!("{} ({count})", page.t("Đang gọi lại sau lỗi", "Being tried again")),
                Tone::Warn,
            );
        }
        (page.t("Hoạt động", "Working").to_owned(), Tone::Good)
    }
}
