//! Information systems.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{Form, Query};
use base::Error;
use identity::{Permission, Web};
use view::{
    Page,
    ui::{self, Choice},
};

use super::{DoneQuery, Fields, Tab, again, done, read_id, titled};
use crate::{
    access::{
        Access, SystemView,
        model::{SignInDraft, SystemDraft},
    },
    model::hosting::ClientSignIn,
};

#[derive(Template)]
#[template(path = "access/system.html")]
struct SystemPage {
    page: Page,
    system: Option<SystemView>,
    draft: SystemDraft,
    ways: Vec<Choice>,
    version: i64,
    may_act: bool,
}

impl SystemPage {
    fn way(&self) -> &'static str {
        self.draft.sign_in.code()
    }

    fn has_token(&self) -> bool {
        let system = self.system.as_ref();
        self.may_act && system.is_some_and(|system| matches!(system.client.sign_in, ClientSignIn::Token(_)))
    }
}

fn show(
    web: &Web,
    status: StatusCode,
    page: Page,
    system: Option<SystemView>,
    draft: SystemDraft,
    version: i64,
) -> Response {
    let lang = web.ctx.lang;
    let mut page = titled(
        page,
        "Đăng ký hệ thống thông tin",
        "Register an information system",
        Some(Tab::Systems),
    );
    if let Some(system) = &system {
        page.title = system.name.get(lang).to_owned();
    }
    let may_act = match &system {
        Some(system) => web.ctx.may(
            Permission::ManageExchange,
            &identity::Scope::Agency(system.agency.clone()),
        ),
        None => true,
    };
    let hints = [
        lang.t(
            "Nút nhận lời gọi chỉ từ các địa chỉ mạng này.",
            "The node takes calls from these networks alone.",
        ),
        lang.t(
            "Hệ thống gửi mã trong tiêu đề Authorization: Bearer. Mã chỉ hiển thị một lần.",
            "The system sends the token as Authorization: Bearer. It is shown once.",
        ),
        lang.t(
            "Ai kết nối được tới nút đều gọi được nhân danh hệ thống này. Chỉ dùng khi thử nghiệm.",
            "Whoever reaches the node can call in its name. For trials only.",
        ),
    ];
    let way = |(way, hint): (SignInDraft, &str)| Choice::from_text(way.code(), &way.label(), lang).hint(hint);
    view::html(
        status,
        &SystemPage {
            page,
            ways: SignInDraft::ALL.into_iter().zip(hints).map(way).collect(),
            system,
            draft,
            version,
            may_act,
        },
    )
}

fn draft(fields: &Fields) -> SystemDraft {
    SystemDraft {
        subsystem: fields.one("subsystem"),
        agency: fields.one("agency"),
        name_vi: fields.one("name_vi"),
        name_en: fields.one("name_en"),
        sign_in: fields.choice("sign_in"),
        networks: fields.one("networks"),
        purpose: fields.one("purpose"),
        whole_service: fields.one("whole_service"),
    }
}

pub(super) async fn new(State(access): State<Access>, web: Web) -> Response {
    // Whoever may list what is theirs to manage may add to it.
    match (access.own_systems(&web.ctx).await, web.ctx.officer()) {
        (Ok(_), Ok(officer)) => {
            let draft = SystemDraft {
                agency: officer.agency.clone(),
                ..SystemDraft::default()
            };
            show(&web, StatusCode::OK, web.page.clone(), None, draft, 0)
        }
        (Err(error), _) | (_, Err(error)) => web.refuse(&error),
    }
}

pub(super) async fn add(State(access): State<Access>, web: Web, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let draft = draft(&Fields(fields));
    match access.add_system(&web.ctx, &draft).await {
        Ok(saved) => after_saving(&web, saved.id, saved.token),
        Err(error) => match again(&web, error) {
            Ok((status, page)) => show(&web, status, page, None, draft, 0),
            Err(error) => web.refuse(&error),
        },
    }
}

pub(super) async fn one(
    State(access): State<Access>,
    web: Web,
    Path(id): Path<String>,
    Query(query): Query<DoneQuery>,
) -> Response {
    match found(&access, &web, &id).await {
        Ok(system) => {
            let page = done(web.page.clone(), query.done.map(|_| ("Đã lưu.", "Saved.")));
            let (draft, version) = (system.draft(), system.version);
            show(&web, StatusCode::OK, page, Some(system), draft, version)
        }
        Err(error) => web.refuse(&error),
    }
}

async fn found(access: &Access, web: &Web, id: &str) -> Result<SystemView, Error> {
    web.ctx.officer()?;
    access.system(&web.ctx, read_id(id)?).await
}

pub(super) async fn change(
    State(access): State<Access>,
    web: Web,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let system = match found(&access, &web, &id).await {
        Ok(system) => system,
        Err(error) => return web.refuse(&error),
    };
    let fields = Fields(fields);
    let draft = draft(&fields);
    // Bent or missing: no version is so, and the system counts as changed.
    let version = fields.one("version").parse().unwrap_or(-1);
    match access.change_system(&web.ctx, system.id, version, &draft).await {
        Ok(saved) => after_saving(&web, saved.id, saved.token),
        Err(error) => match again(&web, error) {
            Ok((status, page)) => show(&web, status, page, Some(system), draft, version),
            Err(error) => web.refuse(&error),
        },
    }
}

pub(super) async fn token(State(access): State<Access>, web: Web, Path(id): Path<String>) -> Response {
    let made = async {
        let system = found(&access, &web, &id).await?;
        let token = access.new_token(&web.ctx, system.id).await?;
        Ok::<_, Error>((system.id, token))
    };
    match made.await {
        Ok((id, token)) => after_saving(&web, id, Some(token)),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "access/token.html")]
struct TokenPage {
    page: Page,
    token: String,
    back: String,
}

/// A token is shown by the answer itself: no address leads to it again, and nobody keeps a copy.
fn after_saving(web: &Web, id: uuid::Uuid, token: Option<String>) -> Response {
    let Some(token) = token else {
        return Redirect::to(&format!("/exchange/systems/{id}?done=1")).into_response();
    };
    let template = TokenPage {
        page: titled(
            web.page.clone(),
            "Mã truy cập của hệ thống",
            "Access token of the system",
            Some(Tab::Systems),
        ),
        token,
        back: format!("/exchange/systems/{id}"),
    };
    let mut response = view::html(StatusCode::OK, &template);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
