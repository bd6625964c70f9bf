//! Administration: officers, the access log.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{Form, Query};
use base::Error;
use serde::Deserialize;
use view::{Link, Page, ui};

use super::{account::DoneQuery, ok, sign_in::no_store};
use crate::{
    NewOfficer, OfficerId, Permission, Role,
    model::parse_roles,
    service::{Officer, OfficerChange, ReadEntry, needed},
    web::{Asked, Cursor, officer_place, place, read_officer_place, read_place},
};

/// The agency of the officer who asks.
pub(super) fn own_agency(asked: &Asked, permission: Permission) -> Result<String, Error> {
    let agency = asked.ctx().officer()?.agency.clone();
    asked.ctx().require(permission, &crate::Scope::Agency(agency.clone()))?;
    Ok(agency)
}

fn officers_link() -> Link {
    Link::new("/admin/officers", "Quản lý cán bộ", "Officers")
}

pub(super) fn role_choices(lang: base::Lang) -> Vec<ui::Choice> {
    Role::ALL
        .into_iter()
        .map(|role| ui::Choice::from_text(role.code(), &role.label(), lang))
        .collect()
}

#[derive(Template)]
#[template(path = "identity/officers.html")]
struct OfficersPage {
    page: Page,
    officers: Vec<Officer>,
    first: Option<String>,
    next: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct OfficersQuery {
    #[serde(default)]
    cursor: Cursor,
}

/// Officers of one's agency and those below it.
pub(super) async fn officers(asked: Asked, Query(query): Query<OfficersQuery>) -> Response {
    let found = async {
        let agency = own_agency(&asked, Permission::ManageOfficers)?;
        let after = query.cursor.place(read_officer_place)?;
        asked
            .state
            .officers(asked.ctx(), &agency, after.as_ref(), super::PAGE)
            .await
    };
    match found.await {
        Ok((officers, next)) => ok(&OfficersPage {
            page: asked.page("Quản lý cán bộ", "Officers", None),
            officers,
            first: (!query.cursor.is_first()).then(|| "/admin/officers".to_owned()),
            // Codes and login names are letters, digits, dots, hyphens and underscores: nothing to encode.
            next: next.map(|next| format!("/admin/officers?cursor={}", officer_place(&next))),
        }),
        Err(error) => asked.web.refuse(&error),
    }
}

/// The fields of an officer as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OfficerForm {
    login: String,
    name: String,
    title: String,
    agency: String,
    roles: Vec<String>,
    active: bool,
    version: String,
}

impl OfficerForm {
    /// The value of a box that is ticked or not.
    fn ticked(&self, on: &bool) -> &'static str {
        if *on { "true" } else { "" }
    }
}

#[derive(Template)]
#[template(path = "identity/officer_new.html")]
struct NewOfficerPage {
    page: Page,
    form: OfficerForm,
    roles: Vec<ui::Choice>,
}

fn new_page(asked: &Asked, status: StatusCode, mut page: Page, form: OfficerForm) -> Response {
    page.title = asked.ctx().t("Thêm cán bộ", "Add an officer").to_owned();
    page.breadcrumbs = vec![officers_link()];
    view::html(
        status,
        &NewOfficerPage {
            page,
            form,
            roles: role_choices(asked.ctx().lang),
        },
    )
}

/// The form for a new officer.
pub(super) async fn officer_new(asked: Asked) -> Response {
    match own_agency(&asked, Permission::ManageOfficers) {
        Ok(agency) => {
            let form = OfficerForm {
                agency,
                ..OfficerForm::default()
            };
            new_page(&asked, StatusCode::OK, asked.web.page.clone(), form)
        }
        Err(error) => asked.web.refuse(&error),
    }
}

/// Shows a secret that is not shown again.
#[derive(Template)]
#[template(path = "identity/secret.html")]
pub(super) struct SecretPage {
    pub page: Page,
    pub label: String,
    pub secret: String,
    pub hint: String,
    pub back: Link,
}

pub(super) fn secret_page(template: &SecretPage) -> Response {
    let mut response = ok(template);
    no_store(&mut response);
    response
}

/// Adds an officer and shows the one-time password.
pub(super) async fn officer_create(asked: Asked, Form(form): Form<OfficerForm>) -> Response {
    let made = async {
        needed(asked.session.as_ref())?;
        let ctx = asked.ctx();
        ctx.officer()?;
        let new = NewOfficer {
            login: form.login.trim().to_owned(),
            name: form.name.clone(),
            title: form.title.clone(),
            agency: form.agency.trim().to_owned(),
            roles: known_roles(&form.roles)?,
            password: None,
            demo: None,
        };
        let id = asked.state.create_officer(ctx, &new).await?;
        asked.state.reset_officer(ctx, id).await
    };
    match made.await {
        Ok(password) => one_time_password(&asked, &form.login, password),
        Err(error) => asked
            .web
            .again(error, |status, page| new_page(&asked, status, page, form)),
    }
}

/// Unknown roles are a form that somebody bent; none at all is for the service to report with the other problems.
pub(super) fn known_roles(codes: &[String]) -> Result<crate::Roles, Error> {
    if codes.is_empty() {
        Ok(crate::Roles::NONE)
    } else {
        parse_roles(codes, "roles")
    }
}

fn one_time_password(asked: &Asked, login: &str, password: String) -> Response {
    let mut page = asked.page("Mật khẩu dùng một lần", "One-time password", None);
    page.breadcrumbs = vec![officers_link()];
    let ctx = asked.ctx();
    secret_page(&SecretPage {
        page,
        label: format!("{} {login}", ctx.t("Mật khẩu dùng một lần của", "One-time password of")),
        secret: password,
        hint: ctx
            .t(
                "Mật khẩu này chỉ hiển thị một lần. Trao trực tiếp cho cán bộ; khi đăng nhập lần đầu, cán bộ phải đặt mật khẩu mới và đăng ký ứng dụng xác thực.",
                "It is shown only now. Hand it over in person; at the first sign-in the officer chooses a new password and sets up an authenticator app.",
            )
            .to_owned(),
        back: officers_link(),
    })
}

#[derive(Template)]
#[template(path = "identity/officer_edit.html")]
struct OfficerPage {
    page: Page,
    id: OfficerId,
    login: String,
    authenticator: &'static str,
    form: OfficerForm,
    roles: Vec<ui::Choice>,
}

fn edit_page(asked: &Asked, status: StatusCode, mut page: Page, officer: &Officer, form: OfficerForm) -> Response {
    let lang = asked.ctx().lang;
    page.title = officer.name.clone();
    page.breadcrumbs = vec![officers_link()];
    let template = OfficerPage {
        page,
        id: officer.id,
        login: officer.login.clone(),
        authenticator: match officer.second_factor {
            true => lang.t("Đã đăng ký", "Set up"),
            false => lang.t("Chưa đăng ký", "Not set up"),
        },
        form,
        roles: role_choices(lang),
    };
    view::html(status, &template)
}

/// One officer.
pub(super) async fn officer(asked: Asked, Path(id): Path<String>, Query(query): Query<DoneQuery>) -> Response {
    match found(&asked, &id).await {
        Ok(officer) => {
            let notice = query.done.map(|_| ("Đã lưu thay đổi.", "Saved."));
            let page = asked.page("", "", notice);
            let form = OfficerForm {
                login: officer.login.clone(),
                name: officer.name.clone(),
                title: officer.title.clone(),
                agency: officer.agency.clone(),
                roles: officer.roles.iter().map(|role| role.code().to_owned()).collect(),
                active: officer.active,
                version: officer.version.to_string(),
            };
            edit_page(&asked, StatusCode::OK, page, &officer, form)
        }
        Err(error) => asked.web.refuse(&error),
    }
}

async fn found(asked: &Asked, id: &str) -> Result<Officer, Error> {
    asked.ctx().officer()?;
    let id = id
        .parse()
        .map_err(|_| Error::not_found("tài khoản cán bộ", "officer"))?;
    asked.state.officer(asked.ctx(), id).await
}

/// Changes an officer.
pub(super) async fn officer_change(asked: Asked, Path(id): Path<String>, Form(form): Form<OfficerForm>) -> Response {
    let officer = match needed(asked.session.as_ref()) {
        Ok(_) => found(&asked, &id).await,
        Err(error) => Err(error),
    };
    let officer = match officer {
        Ok(officer) => officer,
        Err(error) => return asked.web.refuse(&error),
    };
    let changed = async {
        let change = OfficerChange {
            // Bent or missing: no version is so, and the officer counts as changed.
            version: form.version.parse().unwrap_or(-1),
            name: form.name.clone(),
            title: form.title.clone(),
            agency: form.agency.trim().to_owned(),
            roles: known_roles(&form.roles)?,
            active: form.active,
        };
        asked.state.change_officer(asked.ctx(), officer.id, &change).await
    };
    match changed.await {
        Ok(()) => Redirect::to(&format!("/admin/officers/{}?done=1", officer.id)).into_response(),
        Err(error) => asked
            .web
            .again(error, |status, page| edit_page(&asked, status, page, &officer, form)),
    }
}

/// Gives a one-time password.
pub(super) async fn officer_reset(asked: Asked, Path(id): Path<String>) -> Response {
    let reset = async {
        needed(asked.session.as_ref())?;
        let officer = found(&asked, &id).await?;
        let password = asked.state.reset_officer(asked.ctx(), officer.id).await?;
        Ok::<_, Error>((officer.login, password))
    };
    match reset.await {
        Ok((login, password)) => one_time_password(&asked, &login, password),
        Err(error) => asked.web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "identity/access_log.html")]
struct AccessLogPage {
    page: Page,
    agency: String,
    dossier: String,
    entries: Vec<ReadEntry>,
    newer: Option<String>,
    older: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AccessQuery {
    agency: String,
    dossier: String,
    cursor: Cursor,
}

/// Who of an agency has read whose data.
pub(super) async fn access_log(asked: Asked, Query(query): Query<AccessQuery>) -> Response {
    let found = async {
        let before = query.cursor.place(read_place)?;
        let own = asked.ctx().officer()?.agency.clone();
        let agency = if query.agency.trim().is_empty() {
            own
        } else {
            query.agency.trim().to_owned()
        };
        let dossier = Some(query.dossier.trim()).filter(|code| !code.is_empty());
        let (entries, next) = asked.state.agency_reads(asked.ctx(), &agency, dossier, before).await?;
        Ok::<_, Error>((agency, entries, next))
    };
    match found.await {
        Ok((agency, entries, next)) => {
            let dossier = query.dossier.trim().to_owned();
            let plain: String = dossier
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
                .collect();
            let list = format!("/admin/access-log?agency={agency}&dossier={plain}");
            ok(&AccessLogPage {
                page: asked.page(
                    "Nhật ký truy cập dữ liệu cá nhân",
                    "Log of reads of personal data",
                    None,
                ),
                agency,
                dossier,
                entries,
                newer: (!query.cursor.is_first()).then(|| list.clone()),
                older: next.map(|at| format!("{list}&cursor={}", place(at))),
            })
        }
        Err(error) => asked.web.refuse(&error),
    }
}
