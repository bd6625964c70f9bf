//! Signing in and out.

use askama::Template;
use axum::{
    Form,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Json, Redirect, Response},
};
use axum_extra::extract::Query;
use base::{Error, Kind};
use serde::Deserialize;
use view::{Page, ui};
use webauthn_rs::prelude::PublicKeyCredential;

use super::ok;
use crate::{
    Actor, DemoRole,
    service::{Entered, Opened, Stage},
    web::{Asked, problem_response, safe_next},
};

/// Where to go afterwards, as it stands in the address or a hidden field.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

impl Next {
    pub(super) fn safe(&self) -> &str {
        safe_next(&self.next).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "identity/sign_in.html")]
struct ChoosePage {
    page: Page,
    next: String,
    e_id: Option<String>,
    passkeys: bool,
    demo: Vec<(String, String)>,
}

/// The two ways in, and the roles of the demonstration.
pub(super) async fn choose(asked: Asked, Query(next): Query<Next>) -> Response {
    if asked.session.is_some() {
        return Redirect::to(where_to(&asked, &asked.ctx().actor, next.safe())).into_response();
    }
    let lang = asked.ctx().lang;
    let config = asked.state.config();
    let roles: &[DemoRole] = if config.demo { &DemoRole::ALL } else { &[] };
    ok(&ChoosePage {
        page: asked.page("Đăng nhập", "Sign in", None),
        next: next.safe().to_owned(),
        passkeys: asked.state.passkeys_work(),
        e_id: config
            .oidc
            .as_ref()
            .map(|oidc| format!("{} {}", lang.t("Đăng nhập bằng", "Sign in with"), oidc.name.get(lang))),
        demo: roles
            .iter()
            .map(|role| (role.code().to_owned(), role.label().get(lang).to_owned()))
            .collect(),
    })
}

fn where_to<'a>(asked: &'a Asked, actor: &Actor, next: &'a str) -> &'a str {
    if next.is_empty() { asked.state.home(actor) } else { next }
}

/// The session has begun: set the cookie and go on.
pub(super) async fn enter(asked: Asked, opened: &Opened, next: &str) -> Response {
    let actor = asked.state.resolve_session(&opened.token, asked.ctx().now).await;
    let target = match &actor {
        Ok(Some((actor, _))) => where_to(&asked, actor, next).to_owned(),
        _ => "/".to_owned(),
    };
    asked.jar.with_session(opened).on(Redirect::to(&target))
}

#[derive(Template)]
#[template(path = "identity/officer.html")]
struct OfficerPage {
    page: Page,
    next: String,
    login: String,
    passkeys: bool,
}

fn officer_page(asked: &Asked, status: StatusCode, mut page: Page, next: &str, login: &str) -> Response {
    page.title = asked
        .ctx()
        .t("Cán bộ, công chức đăng nhập", "Officer sign-in")
        .to_owned();
    page.breadcrumbs = vec![view::Link::new("/sign-in", "Đăng nhập", "Sign in")];
    let passkeys = asked.state.passkeys_work();
    view::html(
        status,
        &OfficerPage {
            page,
            next: next.to_owned(),
            login: login.to_owned(),
            passkeys,
        },
    )
}

/// Sign-in of officers.
pub(super) async fn officer(asked: Asked, Query(next): Query<Next>) -> Response {
    officer_page(&asked, StatusCode::OK, asked.web.page.clone(), next.safe(), "")
}

#[derive(Debug, Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// Login name and password.
pub(super) async fn officer_submit(asked: Asked, Form(form): Form<PasswordForm>) -> Response {
    let next = safe_next(&form.next).unwrap_or_default();
    let (ctx, origin) = (asked.ctx(), &asked.origin);
    match asked
        .state
        .sign_in_by_password(ctx, origin, &form.login, &form.password, next)
        .await
    {
        Ok((token, stage)) => asked.jar.with_step(&token).on(Redirect::to(stage_path(stage))),
        Err(error) => asked.web.again(error, |status, page| {
            officer_page(&asked, status, page, next, &form.login)
        }),
    }
}

const fn stage_path(stage: Stage) -> &'static str {
    match stage {
        Stage::Code => "/sign-in/code",
        Stage::NewPassword => "/sign-in/new-password",
        Stage::Enrol => "/sign-in/enrol",
    }
}

/// The token of the sign-in under way, when it stands at this stage; else the page at which it stands.
async fn at_stage(asked: &Asked, stage: Stage) -> Result<String, &'static str> {
    let token = asked.jar.step().unwrap_or_default();
    match asked.state.pending_stage(asked.ctx(), &token).await {
        Ok(there) if there == stage => Ok(token),
        Ok(there) => Err(stage_path(there)),
        Err(_) => Err("/sign-in/officer"),
    }
}

/// What follows a step that was accepted.
async fn go_on(asked: Asked, entered: Entered) -> Response {
    match entered {
        Entered::Step(token, stage) => asked.jar.with_step(&token).on(Redirect::to(stage_path(stage))),
        Entered::Session { opened, next, codes } if codes.is_empty() => enter(asked, &opened, &next).await,
        Entered::Session { opened, next, codes } => {
            let mut page = asked.page("Lưu mã dự phòng", "Keep your recovery codes", None);
            page.notice = Some(view::Notice {
                tone: ui::Tone::Good,
                text: base::Text::new(
                    "Đã đăng ký ứng dụng xác thực và đăng nhập.",
                    "The authenticator app is set up and you are signed in.",
                ),
            });
            let next = if next.is_empty() { "/account".to_owned() } else { next };
            asked.jar.with_session(&opened).on(ok(&CodesPage { page, codes, next }))
        }
    }
}

#[derive(Template)]
#[template(path = "identity/code.html")]
struct CodePage {
    page: Page,
}

fn code_page(asked: &Asked, status: StatusCode, mut page: Page) -> Response {
    page.title = asked.ctx().t("Nhập mã xác thực", "Enter the code").to_owned();
    page.breadcrumbs = vec![view::Link::new("/sign-in", "Đăng nhập", "Sign in")];
    view::html(status, &CodePage { page })
}

/// The second step.
pub(super) async fn code(asked: Asked) -> Response {
    match at_stage(&asked, Stage::Code).await {
        Ok(_) => code_page(&asked, StatusCode::OK, asked.web.page.clone()),
        Err(elsewhere) => Redirect::to(elsewhere).into_response(),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
}

/// A code of the authenticator app, or a recovery code.
pub(super) async fn code_submit(asked: Asked, Form(form): Form<CodeForm>) -> Response {
    let token = asked.jar.step().unwrap_or_default();
    match asked
        .state
        .enter_code(asked.ctx(), &asked.origin, &token, &form.code)
        .await
    {
        Ok(entered) => go_on(asked, entered).await,
        Err(error) => asked.web.again(error, |status, page| code_page(&asked, status, page)),
    }
}

#[derive(Template)]
#[template(path = "identity/new_password.html")]
struct NewPasswordPage {
    page: Page,
}

fn new_password_page(asked: &Asked, status: StatusCode, mut page: Page) -> Response {
    page.title = asked.ctx().t("Đặt mật khẩu mới", "Choose a new password").to_owned();
    view::html(status, &NewPasswordPage { page })
}

/// A password that somebody else chose must be replaced.
pub(super) async fn new_password(asked: Asked) -> Response {
    match at_stage(&asked, Stage::NewPassword).await {
        Ok(_) => new_password_page(&asked, StatusCode::OK, asked.web.page.clone()),
        Err(elsewhere) => Redirect::to(elsewhere).into_response(),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct NewPasswordForm {
    #[serde(default)]
    new: String,
    #[serde(default)]
    again: String,
}

/// The new password.
pub(super) async fn new_password_submit(asked: Asked, Form(form): Form<NewPasswordForm>) -> Response {
    let token = asked.jar.step().unwrap_or_default();
    match asked
        .state
        .replace_password(asked.ctx(), &asked.origin, &token, &form.new, &form.again)
        .await
    {
        Ok(entered) => go_on(asked, entered).await,
        Err(error) => asked
            .web
            .again(error, |status, page| new_password_page(&asked, status, page)),
    }
}

#[derive(Template)]
#[template(path = "identity/enrol.html")]
struct EnrolPage {
    page: Page,
    address: String,
    secret: String,
}

async fn enrol_page(asked: &Asked, status: StatusCode, mut page: Page, token: &str) -> Response {
    page.title = asked
        .ctx()
        .t("Đăng ký ứng dụng xác thực", "Set up an authenticator app")
        .to_owned();
    match asked.state.enrolment(asked.ctx(), token).await {
        Ok(enrolment) => {
            let template = EnrolPage {
                page,
                address: enrolment.address,
                secret: enrolment.secret,
            };
            // The page shows a secret.
            let mut response = view::html(status, &template);
            no_store(&mut response);
            response
        }
        Err(error) => asked.web.refuse(&error),
    }
}

pub(super) fn no_store(response: &mut Response) {
    response.headers_mut().insert(
        axum::http::header::CACHE_CONTROL,
        axum::http::HeaderValue::from_static("no-store"),
    );
}

/// Setting up the authenticator app.
pub(super) async fn enrol(asked: Asked) -> Response {
    match at_stage(&asked, Stage::Enrol).await {
        Ok(token) => enrol_page(&asked, StatusCode::OK, asked.web.page.clone(), &token).await,
        Err(elsewhere) => Redirect::to(elsewhere).into_response(),
    }
}

/// The first code of the authenticator app.
pub(super) async fn enrol_submit(asked: Asked, Form(form): Form<CodeForm>) -> Response {
    let token = asked.jar.step().unwrap_or_default();
    match asked
        .state
        .confirm_enrolment(asked.ctx(), &asked.origin, &token, &form.code)
        .await
    {
        Ok(entered) => go_on(asked, entered).await,
        Err(Error::Refused(kind @ (Kind::Invalid | Kind::TooMany), problems)) => {
            let mut page = asked.web.page.clone();
            page.problems = problems;
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            enrol_page(&asked, status, page, &token).await
        }
        Err(error) => asked.web.refuse(&error),
    }
}

/// Recovery codes, shown once.
#[derive(Template)]
#[template(path = "identity/codes.html")]
pub(super) struct CodesPage {
    pub page: Page,
    pub codes: Vec<String>,
    pub next: String,
}

/// Begins a sign-in by passkey: the options for the browser.
pub(super) async fn passkey_begin(asked: Asked, Query(next): Query<Next>) -> Response {
    match asked.state.begin_passkey_sign_in(asked.ctx(), next.safe()).await {
        Ok((options, token)) => asked.jar.with_step(&token).on(Json(options)),
        Err(error) => problem_response(&error),
    }
}

/// Ends a sign-in by passkey.
pub(super) async fn passkey_finish(
    asked: Asked,
    crate::web::ApiJson(answer): crate::web::ApiJson<PublicKeyCredential>,
) -> Response {
    let token = asked.jar.step();
    match asked
        .state
        .finish_passkey_sign_in(asked.ctx(), &asked.origin, token.as_deref(), &answer)
        .await
    {
        Ok((opened, next)) => {
            let actor = asked.state.resolve_session(&opened.token, asked.ctx().now).await;
            let target = match &actor {
                Ok(Some((actor, _))) => where_to(&asked, actor, &next).to_owned(),
                _ => "/".to_owned(),
            };
            asked
                .jar
                .with_session(&opened)
                .on(Json(serde_json::json!({ "location": target })))
        }
        Err(error) => problem_response(&error),
    }
}

#[derive(Template)]
#[template(path = "identity/demo.html")]
struct DemoPage {
    page: Page,
    role: String,
    label: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct DemoQuery {
    #[serde(default)]
    k: String,
}

/// The page behind a link that the command line printed: one button, because a link must not sign in by itself.
pub(super) async fn demo(asked: Asked, Path(role): Path<String>, Query(query): Query<DemoQuery>) -> Response {
    let role = DemoRole::from_code(&role).filter(|role| asked.state.demo_key_fits(*role, &query.k));
    let Some(role) = role.filter(|_| asked.state.config().demo) else {
        return asked.web.refuse(&Error::not_found("trang này", "page"));
    };
    ok(&DemoPage {
        page: asked.page("Đăng nhập dùng thử", "Demonstration sign-in", None),
        role: role.code().to_owned(),
        label: role.label().get(asked.ctx().lang).to_owned(),
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct DemoForm {
    #[serde(default)]
    role: String,
    #[serde(default)]
    next: String,
}

/// Signs in as a role of the demonstration.
pub(super) async fn demo_submit(asked: Asked, Form(form): Form<DemoForm>) -> Response {
    let Some(role) = DemoRole::from_code(&form.role) else {
        return asked.web.refuse(&Error::not_found("vai trò này", "role"));
    };
    match asked.state.demo_sign_in(asked.ctx(), &asked.origin, role).await {
        Ok(opened) => {
            let next = safe_next(&form.next).unwrap_or_default().to_owned();
            enter(asked, &opened, &next).await
        }
        Err(error) => asked.web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "identity/sign_out.html")]
struct SignOutPage {
    page: Page,
}

/// Asks before signing out, for whoever follows a link here.
pub(super) async fn sign_out_page(asked: Asked) -> Response {
    ok(&SignOutPage {
        page: asked.page("Đăng xuất", "Sign out", None),
    })
}

/// Ends the session.
pub(super) async fn sign_out(asked: Asked) -> Response {
    if let Some(token) = asked.jar.session()
        && let Err(error) = asked.state.sign_out(&token).await
    {
        return asked.web.refuse(&error);
    }
    if let Some(step) = asked.jar.step()
        && let Err(error) = asked.state.drop_pending(&step).await
    {
        return asked.web.refuse(&error);
    }
    asked.jar.without_session().on(Redirect::to("/"))
}
