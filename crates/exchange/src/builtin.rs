//! The services that every system of a node has, answered by the node itself.

use std::{collections::BTreeMap, time::Duration};

use axum::{Router, extract::Request, response::IntoResponse};
use base::Text;
use tower::ServiceExt as _;

use crate::{
    access::{self, Access},
    events::{Events, govstack},
    gateway::Caller,
    journal::{self, Journal},
    model::{
        hosting::{LocalService, ServiceTarget},
        identifier::Part,
        meta::ServiceKind,
        tracker::SubjectRule,
    },
};

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its service code.
    pub code: &'static str,
    /// The router that answers, among the gateway's.
    router: &'static str,
    /// Whether every member may call it; else as any service, by a grant.
    pub open: bool,
    vi: &'static str,
    en: &'static str,
}

/// The service by which agencies ask each other for opinions. Its router is not of this crate: who serves dossiers gives it to
/// the gateway under this name.
pub const CONSULTATIONS: &str = "consultations";

/// All of them. The last three are GovStack's addresses of publishing and subscribing: who may do what there, the
/// subscription or the ownership of the type says.
pub const BUILT_IN: [BuiltIn; 8] = [
    BuiltIn::new(
        access::peer::SERVICE_CODE,
        access::peer::INTERNAL,
        true,
        "Đề nghị quyền truy cập",
        "Asking for access",
    ),
    BuiltIn::new(
        journal::PROVIDER_SERVICE,
        "usage",
        false,
        "Tra cứu lượt truy cập dữ liệu cá nhân",
        "Reads of personal data",
    ),
    BuiltIn::new(
        journal::ASK_SERVICE,
        "questions",
        true,
        "Hỏi về lượt truy cập dữ liệu",
        "Questions about reads",
    ),
    BuiltIn::new(CONSULTATIONS, CONSULTATIONS, true, "Lấy ý kiến", "Consultations"),
    BuiltIn::new(
        journal::TRAFFIC_SERVICE,
        "traffic",
        true,
        "Lưu lượng trao đổi gần đây",
        "Recent traffic",
    ),
    BuiltIn::new(
        "api",
        "events",
        true,
        "Loại sự kiện và đăng ký nhận",
        "Types of events and subscriptions",
    ),
    BuiltIn::new("pub", "events", true, "Phát sự kiện", "Publishing events"),
    BuiltIn::new("pull", "events", true, "Nhận sự kiện", "Pulling events"),
];

impl BuiltIn {
    const fn new(code: &'static str, router: &'static str, open: bool, vi: &'static str, en: &'static str) -> Self {
        Self {
            code,
            router,
            open,
            vi,
            en,
        }
    }

    /// The one of this code.
    pub fn of(code: &Part) -> Option<&'static Self> {
        BUILT_IN.iter().find(|built_in| built_in.code == code.as_str())
    }

    /// Its name.
    pub fn name(&self) -> Text {
        Text::new(self.vi, self.en)
    }

    /// As the gateway serves it. Longer than a long poll of events may take.
    pub(crate) fn service(&self) -> LocalService {
        LocalService {
            target: ServiceTarget::Internal(self.router.to_owned()),
            kind: ServiceKind::Rest,
            open: self.open,
            disabled: None,
            timeout: Duration::from_secs(60),
            verify_certificate: true,
            credential: None,
            subjects: SubjectRule::default(),
            action: self.vi.to_owned(),
            endpoints: Vec::new(),
            openapi: None,
        }
    }
}

/// What answers them, but for [`CONSULTATIONS`], for the gateway.
pub fn routers(access: &Access, journal: &Journal, events: &Events) -> BTreeMap<String, Router> {
    let usage = journal.clone();
    let usage = Router::new().fallback(async move |request: Request| {
        let Some(caller) = request.extensions().get::<Caller>().cloned() else {
            return http::StatusCode::NOT_FOUND.into_response();
        };
        let router = journal::usage_router(usage.clone(), &caller.service.provider);
        router.oneshot(request).await.into_response()
    });
    let called = |extensions: &http::Extensions| extensions.get::<Caller>().map(|caller| caller.service.clone());
    [
        (access::peer::INTERNAL, access::peer::router(access.clone())),
        ("usage", usage),
        ("questions", journal::question_router(journal.clone())),
        ("traffic", journal::traffic_router(journal.clone())),
        ("events", govstack::behind_gateway(events.clone(), called)),
    ]
    .map(|(name, router)| (name.to_owned(), router))
    .into()
}
