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
        tracker::{Place, SubjectRule},
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

/// The services of the registries that a node keeps. Its router is not of this crate: who keeps registries gives it to the gateway
/// under this name. A grant says by its path which registry and which of its services: `/population/verify/**`.
pub const REGISTRIES: &str = "registries";

/// The service of approved questions that no agency answers alone. Its router is not of this crate. A grant says by its path which
/// question: `/importer-owes-tax`.
pub const QUESTIONS: &str = "questions";
/// The name of its router; another service has the plain one.
pub const QUESTIONS_ROUTER: &str = "approved-questions";

/// Where the messages of registries have the numbers of persons: the key or number in the path, and what the common dictionary calls
/// `person_number` in the bodies.
const OF_RECORDS: [&str; 6] = [
    "/record/person_number",
    "/record/*/person_number",
    "/body/person_number",
    "/body/*/person_number",
    "/items/*/body/person_number",
    "/items/*/body/*/person_number",
];

/// Whom an order of a procedure concerns beside those whom its record is about: the parents of a child.
const OF_ORDERS: &str = "/plan/concerns/*";

/// The service by which subscribers read events.
const PULL: &str = "pull";
/// Where the events of registries have the numbers of persons: of whom they tell, and in whose place a merge has put them.
const OF_EVENTS: [&str; 2] = [
    "/events/*/event/fields/person_number",
    "/events/*/event/stayed/fields/person_number",
];

/// All of them. The last three are GovStack's addresses of publishing and subscribing: who may do what there, the
/// subscription or the ownership of the type says.
pub const BUILT_IN: [BuiltIn; 10] = [
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
    BuiltIn::new(REGISTRIES, REGISTRIES, false, "Khai thác cơ sở dữ liệu", "Registries"),
    BuiltIn::new(
        QUESTIONS,
        QUESTIONS_ROUTER,
        false,
        "Trả lời câu hỏi liên ngành",
        "Approved questions",
    ),
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
    BuiltIn::new(PULL, "events", true, "Nhận sự kiện", "Pulling events"),
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

    fn subjects(&self) -> SubjectRule {
        if self.code == PULL {
            let places = OF_EVENTS.iter().filter_map(|text| text.parse().ok());
            return SubjectRule(places.map(Place::Answer).collect());
        }
        if self.code != REGISTRIES {
            return SubjectRule::default();
        }
        // `/{registry}/{service}/records/{key}`, `/{registry}/{service}/facts/{number}`
        let in_path = Place::PathSegment(4);
        let in_bodies = OF_RECORDS
            .iter()
            .filter_map(|text| text.parse().ok())
            .map(Place::Answer);
        let in_orders = OF_ORDERS.parse().ok().map(Place::Request);
        SubjectRule([in_path].into_iter().chain(in_orders).chain(in_bodies).collect())
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
            subjects: self.subjects(),
            action: self.vi.to_owned(),
            endpoints: Vec::new(),
            openapi: None,
        }
    }
}

/// What answers them, but for [`CONSULTATIONS`], [`REGISTRIES`] and [`QUESTIONS`], for the gateway.
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
