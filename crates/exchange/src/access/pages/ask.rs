//! Asking for access to a service.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{Form, Query};
use base::{Error, Kind, Problems, Result};
use identity::Web;
use serde::Deserialize;
use view::{
    Page,
    ui::{self, Choice},
};

use super::{Fields, Tab, again, encoded, grant, titled, words};
use crate::{
    access::{
        Access, Offer, Side,
        model::{Request, TermsDraft, check_reason},
    },
    model::{
        identifier::{ServiceId, SubsystemId},
        rights::GrantId,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    service: String,
    renews: String,
}

#[derive(Template)]
#[template(path = "access/ask.html")]
struct AskPage {
    page: Page,
    id: String,
    offer: Offer,
    systems: Vec<Choice>,
    methods: Vec<Choice>,
    consumer: String,
    renews: String,
    reason: String,
    terms: TermsDraft,
}

/// What the form holds.
struct Draft {
    id: String,
    consumer: String,
    renews: String,
    reason: String,
    terms: TermsDraft,
}

async fn show(access: &Access, web: &Web, status: StatusCode, page: Page, service: &str, draft: Draft) -> Response {
    let made = async {
        let systems = access.own_systems(&web.ctx).await?;
        let missing = || Error::not_found("dịch vụ", "service");
        let service: ServiceId = service.trim().parse().map_err(|_| missing())?;
        let offer = access.offer(&service).await?.ok_or_else(missing)?;
        let choice = |system: &crate::access::SystemView| {
            let name = system.name.get(web.ctx.lang);
            Choice::new(&system.subsystem, format!("{name} ({})", system.subsystem))
        };
        Ok::<_, Error>(AskPage {
            page: titled(
                page,
                "Đề nghị quyền truy cập dữ liệu",
                "Ask for access to data",
                Some(Tab::Catalogue),
            ),
            id: draft.id,
            systems: systems.iter().map(choice).collect(),
            methods: words::methods(web.ctx.lang),
            offer,
            consumer: draft.consumer,
            renews: draft.renews,
            reason: draft.reason,
            terms: draft.terms,
        })
    };
    match made.await {
        Ok(template) => view::html(status, &template),
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn form(State(access): State<Access>, web: Web, Query(wanted): Query<Wanted>) -> Response {
    let started = async {
        web.ctx.officer()?;
        let mut draft = Draft {
            id: GrantId::new(web.ctx.now).to_string(),
            consumer: String::new(),
            renews: String::new(),
            reason: String::new(),
            terms: TermsDraft {
                methods: vec!["GET".to_owned()],
                path: "/**".to_owned(),
                from: web.ctx.now.legal_date().to_string(),
                ..TermsDraft::default()
            },
        };
        let mut service = wanted.service.clone();
        if let Ok(id) = wanted.renews.parse::<GrantId>() {
            let before = access.grant(&web.ctx, Side::Outgoing, id).await?;
            let terms = before.file.agreed.as_ref().unwrap_or(&before.file.asked);
            service = before.file.service.to_string();
            draft.consumer = before.file.consumer.to_string();
            draft.renews = id.to_string();
            draft.reason = before.file.reason.clone();
            draft.terms = TermsDraft::of(terms);
            // It goes on where the one before ends.
            draft.terms.from = before
                .file
                .ends_at()
                .unwrap_or(terms.to)
                .max(web.ctx.now)
                .legal_date()
                .to_string();
            draft.terms.to = String::new();
        }
        Ok::<_, Error>((service, draft))
    };
    match started.await {
        Ok((service, draft)) => show(&access, &web, StatusCode::OK, web.page.clone(), &service, draft).await,
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn submit(
    State(access): State<Access>,
    web: Web,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let service = fields.one("service");
    let draft = Draft {
        id: fields.one("id"),
        consumer: fields.one("consumer"),
        renews: fields.one("renews"),
        reason: fields.one("reason"),
        terms: fields.terms(),
    };
    let filed = async {
        web.ctx.officer()?;
        let (id, consumer, service, request) = read(&draft, &service)?;
        access
            .request(&web.ctx, id, &consumer, &service, &request)
            .await
            .map(|()| id)
    };
    match filed.await {
        Ok(id) => Redirect::to(&format!("{}?done=1", grant::address(Side::Outgoing, id))).into_response(),
        Err(error) => match again(&web, error) {
            Ok((status, page)) => show(&access, &web, status, page, &service, draft).await,
            Err(error) => web.refuse(&error),
        },
    }
}

fn read(draft: &Draft, service: &str) -> Result<(GrantId, SubsystemId, ServiceId, Request)> {
    let mut problems = Problems::new();
    let id = draft
        .id
        .parse::<GrantId>()
        .map_err(|_| Error::not_found("mẫu đơn", "form"))?;
    let service = service
        .trim()
        .parse::<ServiceId>()
        .map_err(|_| Error::not_found("dịch vụ", "service"))?;
    let consumer = draft.consumer.trim().parse::<SubsystemId>();
    if consumer.is_err() {
        problems.add(
            "required",
            "consumer",
            "Chọn hệ thống sẽ gọi.",
            "Choose the system that will call.",
        );
    }
    let terms = draft.terms.read().map_err(|found| problems.extend(found));
    let request = terms.map(|terms| Request {
        terms,
        reason: draft.reason.clone(),
        renews: draft.renews.parse().ok(),
    });
    match (consumer, request) {
        (Ok(consumer), Ok(request)) => Ok((id, consumer, service, request)),
        _ => {
            check_reason(&draft.reason, &mut problems);
            Err(Error::Refused(Kind::Invalid, problems))
        }
    }
}

/// Where a service is asked for.
pub(super) fn href(service: &ServiceId) -> String {
    format!("/exchange/access/new?service={}", encoded(&service.to_string()))
}
