//! Event types: the list, one of them, and the form that makes one or changes it.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{Form, Query};
use base::{Error, Kind, Problems, Result, Text};
use identity::Web;
use serde::Deserialize;
use serde_json::Value;
use view::{
    NavItem, Page,
    ui::{self, Choice, Tone},
};

use super::{Asked, answer, encoded, events_link, newest, next_page, tabs, words};
use crate::{
    events::{
        model::{Event, EventTypeId, Sensitivity, TypeId},
        service::{Asker, EventType, Events, Inspected, NewType, PAGE},
    },
    model::identifier::SubsystemId,
};

#[derive(Template)]
#[template(path = "events/types.html")]
struct Types {
    page: Page,
    tabs: Vec<NavItem>,
    types: Vec<EventType>,
    may_make: bool,
    newer: Option<String>,
    older: Option<String>,
}

pub(super) async fn list(State(events): State<Events>, web: Web, Query(asked): Query<Asked>) -> Response {
    let made = async {
        let after = asked.cursor.place(|place| place.contains('/').then_some(place))?;
        let found = events.types(&web.ctx, after, PAGE).await?;
        let list = "/exchange/events";
        Ok(Types {
            page: web.titled("Sự kiện", "Events"),
            tabs: tabs(list),
            types: found.rows,
            may_make: web.ctx.holds(crate::events::STEWARD),
            newer: newest(&asked, list),
            older: next_page(list, found.next.as_deref().map(encoded)),
        })
    };
    answer(&web, made.await)
}

#[derive(Template)]
#[template(path = "events/type.html")]
struct OneType {
    page: Page,
    of: EventType,
    schema: String,
    sample: String,
    recent: Vec<Event>,
    may_change: bool,
}

pub(super) async fn one(
    State(events): State<Events>,
    web: Web,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let made = async {
        let found = events.inspect(&web.ctx, read_id(&id)?).await?;
        let mut page = web.titled(&found.of.title.vi, &found.of.title.en);
        page.breadcrumbs = vec![events_link()];
        asked.done(&mut page);
        Ok(OneType {
            page,
            schema: serde_json::to_string_pretty(&found.schema)?,
            sample: serde_json::to_string_pretty(&found.sample)?,
            recent: found.recent,
            may_change: found.may_change && found.of.closed.is_none(),
            of: found.of,
        })
    };
    answer(&web, made.await)
}

fn read_id(text: &str) -> Result<TypeId> {
    text.parse()
        .map_err(|_| Error::not_found("loại sự kiện này", "event type"))
}

/// What was typed. The names are the places at which [`NewType`] is refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    provider: String,
    event_type: String,
    #[serde(rename = "title.vi")]
    title_vi: String,
    #[serde(rename = "title.en")]
    title_en: String,
    sensitivity: String,
    #[serde(rename = "keyField")]
    key_field: String,
    #[serde(rename = "retentionDays")]
    retention_days: String,
    schema: String,
}

impl Draft {
    /// A form to begin with.
    fn new() -> Self {
        Self {
            sensitivity: Sensitivity::Internal.code().to_owned(),
            retention_days: "30".to_owned(),
            ..Self::default()
        }
    }

    fn of(of: &EventType, schema: &Value) -> Result<Self> {
        Ok(Self {
            provider: of.id.provider.to_string(),
            event_type: of.id.name.to_string(),
            title_vi: of.title.vi.clone(),
            title_en: of.title.en.clone(),
            sensitivity: of.sensitivity.code().to_owned(),
            key_field: of.key_field.clone().unwrap_or_default(),
            retention_days: of.retention_days.to_string(),
            schema: serde_json::to_string_pretty(schema)?,
        })
    }

    /// What stands in it, if all of it can be read; what it says is judged by [`Events::define`].
    fn read(&self) -> Result<NewType> {
        let title = Text::new(self.title_vi.clone(), self.title_en.clone());
        // No number is none of the numbers that are allowed.
        let retention_days = self.retention_days.trim().parse().unwrap_or_default();
        let schema = serde_json::from_str::<Value>(&self.schema);
        let sensitivity = Sensitivity::from_code(&self.sensitivity);
        let (provider, name) = (self.provider.trim().parse(), self.event_type.trim().parse());
        let mut problems = Problems::new();
        match (provider, name, sensitivity, schema) {
            (Ok(provider), Ok(name), Some(sensitivity), Ok(schema)) => {
                return Ok(NewType {
                    id: EventTypeId { provider, name },
                    title,
                    schema,
                    sensitivity,
                    key_field: Some(self.key_field.trim().to_owned()).filter(|field| !field.is_empty()),
                    retention_days,
                });
            }
            (provider, name, sensitivity, schema) => {
                if let Err(flaw) = provider {
                    flaw.add_to(&mut problems, "provider");
                }
                if let Err(flaw) = name {
                    flaw.add_to(&mut problems, "event_type");
                }
                NewType::check_terms(&title, retention_days, &mut problems);
                if sensitivity.is_none() {
                    problems.add(
                        "event-sensitivity-unknown",
                        "sensitivity",
                        "Chọn mức độ nhạy cảm của dữ liệu.",
                        "Choose how sensitive the data are.",
                    );
                }
                if let Err(error) = schema {
                    let (line, column) = (error.line(), error.column());
                    problems.add(
                        "schema-not-json",
                        "schema",
                        format!("Lược đồ không phải là JSON hợp lệ: xem dòng {line}, cột {column}."),
                        format!("The schema is no valid JSON: see line {line}, column {column}."),
                    );
                }
            }
        }
        Err(Error::Refused(Kind::Invalid, problems))
    }
}

/// What is wrong within the schema, at the field of the schema.
fn at_fields(problems: &Problems) -> Problems {
    let mut placed = Problems::new();
    for problem in problems {
        match problem.at.strip_prefix("schema/") {
            Some(inside) => placed.add(
                &problem.code,
                "schema",
                format!("/{inside}: {}", problem.text.vi),
                format!("/{inside}: {}", problem.text.en),
            ),
            None => placed.add(&problem.code, &problem.at, &problem.text.vi, &problem.text.en),
        }
    }
    placed
}

#[derive(Template)]
#[template(path = "events/type_form.html")]
struct TypeForm {
    page: Page,
    /// The type that is changed; none for a new one.
    of: Option<EventType>,
    draft: Draft,
    publishers: Vec<Choice>,
    sensitivities: Vec<Choice>,
}

fn form(web: &Web, of: Option<EventType>, publishers: &[(SubsystemId, Text)], draft: Draft) -> TypeForm {
    let lang = web.ctx.lang;
    let mut page = match &of {
        Some(_) => web.titled("Sửa loại sự kiện", "Change an event type"),
        None => web.titled("Tạo loại sự kiện", "Make an event type"),
    };
    page.breadcrumbs = vec![events_link()];
    let publisher = |(id, name): &(SubsystemId, Text)| Choice::new(id, format!("{} ({id})", name.get(lang)));
    let sensitivity = |of: Sensitivity| Choice::from_text(of.code(), &of.label(), lang);
    TypeForm {
        page,
        of,
        draft,
        publishers: publishers.iter().map(publisher).collect(),
        sensitivities: Sensitivity::ALL.map(sensitivity).to_vec(),
    }
}

/// The form again with what is wrong in it; or the refusal, if that does not lie at its fields.
fn again(web: &Web, error: Error, mut shown: TypeForm) -> Response {
    match error {
        Error::Refused(kind @ (Kind::Invalid | Kind::Conflict), problems) => {
            shown.page.problems = at_fields(&problems);
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            view::html(status, &shown)
        }
        error => web.refuse(&error),
    }
}

pub(super) async fn new(State(events): State<Events>, web: Web) -> Response {
    let made = events.publishers(&web.ctx).await;
    answer(&web, made.map(|publishers| form(&web, None, &publishers, Draft::new())))
}

pub(super) async fn make(State(events): State<Events>, web: Web, Form(draft): Form<Draft>) -> Response {
    let publishers = match events.publishers(&web.ctx).await {
        Ok(publishers) => publishers,
        Err(error) => return web.refuse(&error),
    };
    let made = async { events.define(Asker::Steward(&web.ctx), &draft.read()?).await };
    match made.await {
        Ok(id) => done(id),
        Err(error) => again(&web, error, form(&web, None, &publishers, draft)),
    }
}

fn done(id: TypeId) -> Response {
    Redirect::to(&format!("/exchange/events/types/{id}?done=1")).into_response()
}

/// A type that the actor may change.
async fn changeable(events: &Events, web: &Web, id: &str) -> Result<Inspected> {
    let found = events.inspect(&web.ctx, read_id(id)?).await?;
    if found.may_change {
        Ok(found)
    } else {
        Err(Error::forbidden())
    }
}

pub(super) async fn edit(State(events): State<Events>, web: Web, Path(id): Path<String>) -> Response {
    let made = async {
        let found = changeable(&events, &web, &id).await?;
        let draft = Draft::of(&found.of, &found.schema)?;
        Ok(form(&web, Some(found.of), &[], draft))
    };
    answer(&web, made.await)
}

pub(super) async fn change(
    State(events): State<Events>,
    web: Web,
    Path(id): Path<String>,
    Form(draft): Form<Draft>,
) -> Response {
    let found = match changeable(&events, &web, &id).await {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    // The identity of a type never changes, whatever was sent.
    let draft = Draft {
        provider: found.of.id.provider.to_string(),
        event_type: found.of.id.name.to_string(),
        ..draft
    };
    let changed = async { events.revise(Asker::Steward(&web.ctx), &draft.read()?).await };
    match changed.await {
        Ok(_) => done(found.of.type_id),
        Err(error) => again(&web, error, form(&web, Some(found.of), &[], draft)),
    }
}

pub(super) async fn close(State(events): State<Events>, web: Web, Path(id): Path<String>) -> Response {
    let closed = async {
        let found = changeable(&events, &web, &id).await?;
        events.close(Asker::Steward(&web.ctx), &found.of.id).await?;
        Ok(found.of.type_id)
    };
    match closed.await {
        Ok(id) => done(id),
        Err::<_, Error>(error) => web.refuse(&error),
    }
}
