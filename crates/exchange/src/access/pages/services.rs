//! Services of this node, and the catalogue of what can be asked for.

use askama::Template;
use axum::{
    extract::{Multipart, Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{Form, Query};
use base::{Error, Kind, Problems, Result};
use identity::{Cursor, Permission, Scope, Web};
use serde::Deserialize;
use view::{
    NavItem, Page,
    ui::{self, Choice},
};

use super::{DoneQuery, Fields, PAGE, Tab, again, answer, ask, checked::Checked, done, encoded, read_id, titled};
use crate::{
    access::{
        Access, Offer, ServiceView,
        model::{ServiceDraft, Typed, read_subjects},
    },
    model::{
        address::ServicePath,
        identifier::ServiceId,
        meta::Endpoint,
        tracker::{Seen, Subjects},
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    q: String,
    cursor: Cursor,
}

#[derive(Template)]
#[template(path = "access/catalogue.html")]
struct CataloguePage {
    page: Page,
    tabs: Vec<NavItem>,
    q: String,
    offers: Vec<Offer>,
    may_ask: bool,
    newer: Option<String>,
    older: Option<String>,
}

impl CataloguePage {
    fn ask(&self, offer: &Offer) -> String {
        ask::href(&offer.id)
    }
}

pub(super) async fn catalogue(State(access): State<Access>, web: Web, Query(query): Query<Wanted>) -> Response {
    let made = async {
        let after = query.cursor.place(|cursor| cursor.parse::<ServiceId>().ok())?;
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        access.catalogue(&web.ctx, &query.q, &after, PAGE).await
    };
    let made = made.await.map(|(offers, next)| {
        let kept = format!("/exchange/services/catalogue?q={}", encoded(&query.q));
        CataloguePage {
            page: titled(
                web.page.clone(),
                "Danh mục dịch vụ dữ liệu",
                "Catalogue of data services",
                None,
            ),
            tabs: Tab::row(Tab::Catalogue),
            offers,
            may_ask: web.ctx.holds(Permission::ManageExchange),
            newer: (!query.cursor.is_first()).then(|| kept.clone()),
            older: next.map(|after| format!("{kept}&cursor={}", encoded(&after))),
            q: query.q.clone(),
        }
    });
    answer(&web, made)
}

/// A message to try a subject rule on, and what it found.
#[derive(Default)]
struct Sample {
    path: String,
    query: String,
    request: String,
    answer: String,
    found: Option<Subjects>,
}

impl Sample {
    fn persons(&self) -> Vec<String> {
        let found = self.found.iter().flat_map(|found| &found.persons);
        found.map(ToString::to_string).collect()
    }
}

#[derive(Template)]
#[template(path = "access/service.html")]
struct ServicePage {
    page: Page,
    service: Option<ServiceView>,
    endpoints: Vec<Endpoint>,
    systems: Vec<Choice>,
    draft: ServiceDraft,
    sample: Sample,
    version: i64,
    may_act: bool,
    checked: Option<Checked>,
}

impl ServicePage {
    /// A key is typed and never shown.
    fn key_hint(&self) -> &'static str {
        let kept = self
            .service
            .as_ref()
            .is_some_and(|service| service.credential_header.is_some());
        if kept {
            self.page.t(
                "Đã lưu khóa, được mã hóa và không hiển thị lại. Để trống để giữ nguyên.",
                "A key is kept, encrypted, and not shown again. Leave this empty to keep it.",
            )
        } else {
            self.page.t(
                "Khóa được mã hóa khi lưu và không hiển thị lại.",
                "The key is encrypted when it is kept, and not shown again.",
            )
        }
    }

    fn verify(&self) -> &'static str {
        if self.draft.verify_certificate { "true" } else { "" }
    }

    fn disabled(&self) -> &'static str {
        if self.draft.disabled { "true" } else { "" }
    }
}

/// What the page shows of a service that is there.
type Known = Option<(ServiceView, Vec<Endpoint>)>;

async fn show(
    access: &Access,
    web: &Web,
    (status, page): (StatusCode, Page),
    known: Known,
    (draft, version): (ServiceDraft, i64),
    sample: Sample,
) -> Response {
    let lang = web.ctx.lang;
    let mut page = titled(page, "Đăng ký dịch vụ", "Register a service", Some(Tab::Services));
    let (service, endpoints) = known.unzip();
    if let Some(service) = &service {
        page.title = service.name.get(lang).to_owned();
    }
    let may_act = match &service {
        Some(service) => web
            .ctx
            .may(Permission::ManageExchange, &Scope::Agency(service.agency.clone())),
        None => true,
    };
    let checked = match &service {
        Some(service) => access.check_report(&web.ctx, service.id).await,
        None => Err(Error::not_found("kết quả kiểm thử", "result of a check")),
    };
    let checked = match checked.and_then(Checked::read) {
        Ok(checked) => Some(checked),
        Err(Error::Refused(Kind::NotFound, _)) => None,
        Err(error) => return web.refuse(&error),
    };
    let systems = match (&service, may_act) {
        (None, true) => access.own_systems(&web.ctx).await,
        _ => Ok(Vec::new()),
    };
    let made = systems.map(|systems| ServicePage {
        page,
        service,
        endpoints: endpoints.unwrap_or_default(),
        systems: systems
            .iter()
            .map(|system| {
                Choice::new(
                    &system.subsystem,
                    format!("{} ({})", system.name.get(lang), system.subsystem),
                )
            })
            .collect(),
        draft,
        sample,
        version,
        may_act,
        checked,
    });
    match made {
        Ok(template) => view::html(status, &template),
        Err(error) => web.refuse(&error),
    }
}

fn draft(fields: &Fields) -> ServiceDraft {
    ServiceDraft {
        provider: fields.one("provider"),
        code: fields.one("code"),
        name_vi: fields.one("name_vi"),
        name_en: fields.one("name_en"),
        url: fields.one("url"),
        timeout_seconds: fields.one("timeout_seconds"),
        verify_certificate: fields.ticked("verify_certificate"),
        disabled: fields.ticked("disabled"),
        notice: fields.one("notice"),
        subjects: fields.one("subjects"),
        action: fields.one("action"),
        credential_header: fields.one("credential_header"),
        credential: Typed(fields.one("credential")),
    }
}

pub(super) async fn new(State(access): State<Access>, web: Web) -> Response {
    if let Err(error) = web.ctx.officer() {
        return web.refuse(&error);
    }
    let shown = (StatusCode::OK, web.page.clone());
    show(
        &access,
        &web,
        shown,
        None,
        (ServiceDraft::default(), 0),
        Sample::default(),
    )
    .await
}

pub(super) async fn add(State(access): State<Access>, web: Web, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let draft = draft(&Fields(fields));
    match access.add_service(&web.ctx, &draft).await {
        Ok(id) => Redirect::to(&format!("/exchange/services/{id}?done=1")).into_response(),
        Err(error) => match again(&web, error) {
            Ok(shown) => show(&access, &web, shown, None, (draft, 0), Sample::default()).await,
            Err(error) => web.refuse(&error),
        },
    }
}

async fn found(access: &Access, web: &Web, id: &str) -> Result<(ServiceView, Vec<Endpoint>)> {
    web.ctx.officer()?;
    access.service(&web.ctx, read_id(id)?).await
}

pub(super) async fn one(
    State(access): State<Access>,
    web: Web,
    Path(id): Path<String>,
    Query(query): Query<DoneQuery>,
) -> Response {
    match found(&access, &web, &id).await {
        Ok(known) => {
            let said = query.done.as_deref().map(|done| match done {
                "check" => (
                    "Đang kiểm thử; kết quả có trong vài phút. Tải lại trang để xem.",
                    "The check has begun; it takes a few minutes. Load the page again to see what it finds.",
                ),
                _ => ("Đã lưu.", "Saved."),
            });
            let page = done(web.page.clone(), said);
            let form = (known.0.draft(), known.0.version);
            show(
                &access,
                &web,
                (StatusCode::OK, page),
                Some(known),
                form,
                Sample::default(),
            )
            .await
        }
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn change(
    State(access): State<Access>,
    web: Web,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let known = match found(&access, &web, &id).await {
        Ok(known) => known,
        Err(error) => return web.refuse(&error),
    };
    let fields = Fields(fields);
    let draft = draft(&fields);
    // Bent or missing: no version is so, and the service counts as changed.
    let version = fields.one("version").parse().unwrap_or(-1);
    let id = known.0.id;
    match access.change_service(&web.ctx, id, version, &draft).await {
        Ok(()) => Redirect::to(&format!("/exchange/services/{id}?done=1")).into_response(),
        Err(error) => match again(&web, error) {
            Ok(shown) => show(&access, &web, shown, Some(known), (draft, version), Sample::default()).await,
            Err(error) => web.refuse(&error),
        },
    }
}

/// Has a service checked now.
pub(super) async fn check(State(access): State<Access>, web: Web, Path(id): Path<String>) -> Response {
    let asked = match read_id(&id) {
        Ok(id) => access.ask_for_check(&web.ctx, id).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(()) => Redirect::to(&format!("/exchange/services/{id}?done=check")).into_response(),
        Err(error) => web.refuse(&error),
    }
}

/// Tries a subject rule on a sample. Nothing is stored.
pub(super) async fn preview(
    State(access): State<Access>,
    web: Web,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let known = match found(&access, &web, &id).await {
        Ok(known) => known,
        Err(error) => return web.refuse(&error),
    };
    let fields = Fields(fields);
    let mut problems = Problems::new();
    let rule = read_subjects(&fields.one("subjects"), "subjects", &mut problems);
    let mut sample = Sample {
        path: fields.one("sample_path"),
        query: fields.one("sample_query"),
        request: fields.one("sample_request"),
        answer: fields.one("sample_answer"),
        found: None,
    };
    let path = ServicePath::parse(sample.path.trim().as_bytes());
    if let Err(flaw) = &path {
        base::codes::CodeError::from(*flaw).add_to(&mut problems, "sample_path");
    }
    let mut form = (known.0.draft(), known.0.version);
    form.0.subjects = fields.one("subjects");
    if let (Ok(path), true) = (&path, problems.is_empty()) {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (query, request, answer) = (given(&sample.query), given(&sample.request), given(&sample.answer));
        sample.found = Some(rule.find(&Seen {
            path,
            query: query.as_deref(),
            request: request.as_deref().map(str::as_bytes),
            answer: answer.as_deref().map(str::as_bytes),
        }));
    }
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut page = web.page.clone();
    page.problems = problems;
    show(&access, &web, (status, page), Some(known), form, sample).await
}

/// Takes an OpenAPI document.
pub(super) async fn describe(
    State(access): State<Access>,
    web: Web,
    Path(id): Path<String>,
    upload: Option<Multipart>,
) -> Response {
    let known = match found(&access, &web, &id).await {
        Ok(known) => known,
        Err(error) => return web.refuse(&error),
    };
    let id = known.0.id;
    let taken = async {
        let document = match upload {
            Some(upload) => document_of(upload).await?,
            None => Vec::new(),
        };
        if document.is_empty() {
            let mut problems = Problems::new();
            problems.add(
                "required",
                "openapi",
                "Chọn tệp mô tả OpenAPI (JSON).",
                "Choose the file of the OpenAPI description (JSON).",
            );
            return Err(Error::Refused(Kind::Invalid, problems));
        }
        access.describe(&web.ctx, id, Some(&document)).await
    };
    match taken.await {
        Ok(()) => Redirect::to(&format!("/exchange/services/{id}?done=1")).into_response(),
        Err(error) => match again(&web, error) {
            Ok(shown) => {
                let form = (known.0.draft(), known.0.version);
                show(&access, &web, shown, Some(known), form, Sample::default()).await
            }
            Err(error) => web.refuse(&error),
        },
    }
}

async fn document_of(mut upload: Multipart) -> Result<Vec<u8>> {
    let broken = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::refused(
            Kind::TooLarge,
            "too-large",
            "Tệp lớn hơn giới hạn.",
            "The file is larger than allowed.",
        ),
        _ => Error::refused(
            Kind::Invalid,
            "upload",
            "Không đọc được tệp gửi lên; gửi lại.",
            "The upload cannot be read; send it again.",
        ),
    };
    while let Some(field) = upload.next_field().await.map_err(broken)? {
        if field.name() == Some("openapi") {
            return Ok(field.bytes().await.map_err(broken)?.to_vec());
        }
    }
    Ok(Vec::new())
}

/// The document as it was registered, as a file: what is in it is not ours to show.
pub(super) async fn document(State(access): State<Access>, web: Web, Path(id): Path<String>) -> Response {
    let found = async {
        web.ctx.officer()?;
        access.document(&web.ctx, read_id(&id)?).await
    };
    match found.await {
        Ok(bytes) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (
                    header::CONTENT_DISPOSITION,
                    HeaderValue::from_static("attachment; filename=\"openapi.json\""),
                ),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ];
            (headers, bytes).into_response()
        }
        Err(error) => web.refuse(&error),
    }
}
