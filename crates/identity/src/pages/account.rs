//! One's own account: profile, devices, and who has seen one's data.

use askama::Template;
use axum::{
    Form,
    extract::Path,
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Query;
use base::Error;
use serde::Deserialize;
use view::{NavItem, Page, ui};

use super::{ok, read_id};
use crate::{
    Actor, Ctx, Organisation, PersonActor,
    service::{ReadEntry, Session, event_label, needed},
    web::{Asked, Cursor, place, read_place},
};

/// The tabs of the account pages, as this actor has them.
pub(super) fn tabs(ctx: &Ctx, path: &str) -> Vec<NavItem> {
    let path = path.split('?').next().unwrap_or_default();
    let tab = |href: &str, vi: &str, en: &str| NavItem::new(href, vi, en, href == path);
    let mut tabs = vec![tab("/account", "Thông tin", "Profile")];
    match ctx.actor {
        Actor::Person(_) => tabs.push(tab("/my/reads", "Ai đã xem dữ liệu của tôi", "Who has seen my data")),
        _ => tabs.push(tab("/account/security", "Bảo mật đăng nhập", "Sign-in security")),
    }
    tabs.push(tab("/account/devices", "Thiết bị đang đăng nhập", "Devices"));
    tabs
}

#[derive(Template)]
#[template(path = "identity/profile.html")]
struct ProfilePage {
    page: Page,
    tabs: Vec<NavItem>,
    rows: Vec<(String, String)>,
    organisations: Vec<Organisation>,
    acting_for: Option<String>,
    is_person: bool,
    events: Vec<(base::Timestamp, String, String)>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct DoneQuery {
    #[serde(default)]
    pub done: Option<String>,
}

/// Who one is here.
pub(super) async fn profile(asked: Asked, Query(query): Query<DoneQuery>) -> Response {
    match profile_page(&asked, query.done.is_some()).await {
        Ok(page) => ok(&page),
        Err(error) => asked.web.refuse(&error),
    }
}

async fn profile_page(asked: &Asked, done: bool) -> Result<ProfilePage, Error> {
    let ctx = asked.ctx();
    let session = needed(asked.session.as_ref())?;
    let lang = ctx.lang;
    let row = |vi: &str, en: &str, value: &str| (ctx.t(vi, en).to_owned(), value.to_owned());
    let (rows, organisations, acting_for) = match &ctx.actor {
        Actor::Person(person) => {
            let organisations = asked.state.my_organisations(ctx).await?;
            (
                person_rows(ctx, person),
                organisations,
                person.organisation.as_ref().map(|o| o.tax_code.clone()),
            )
        }
        Actor::Officer(officer) => {
            let rows = vec![
                row("Họ và tên", "Name", &officer.name),
                row("Chức danh", "Title", &officer.title),
                row("Mã cơ quan", "Agency", &officer.agency),
                row("Vai trò", "Roles", officer.roles.label().get(lang)),
            ];
            (rows, Vec::new(), None)
        }
        Actor::Anonymous | Actor::System(_) => return Err(crate::ctx::unauthenticated()),
    };
    let events = asked.state.my_events(session.owner).await?;
    let event = |row: crate::store::EventRow| {
        (
            base::Timestamp::from_micros(row.at),
            event_label(&row.kind).get(lang).to_owned(),
            row.actor_name,
        )
    };
    let notice = done.then_some(("Đã lưu thay đổi.", "Saved."));
    let page = asked.page("Tài khoản của tôi", "My account", notice);
    Ok(ProfilePage {
        tabs: tabs(ctx, &page.path),
        page,
        rows,
        organisations,
        acting_for,
        is_person: matches!(ctx.actor, Actor::Person(_)),
        events: events.into_iter().map(event).collect(),
    })
}

fn person_rows(ctx: &Ctx, person: &PersonActor) -> Vec<(String, String)> {
    let unknown = ctx.t("Chưa có", "Not known");
    let row = |vi: &str, en: &str, value: Option<&str>| (ctx.t(vi, en).to_owned(), value.unwrap_or(unknown).to_owned());
    let birth_date = person.birth_date.map(|date| date.strftime("%d/%m/%Y").to_string());
    let sex = person.sex.map(|sex| sex.label());
    vec![
        row("Họ và tên", "Name", Some(&person.name)),
        row(
            "Số định danh cá nhân",
            "Personal identification number",
            person.person_number.as_deref(),
        ),
        row("Ngày sinh", "Date of birth", birth_date.as_deref()),
        row("Giới tính", "Sex", sex.as_ref().map(|sex| sex.get(ctx.lang))),
        row("Số điện thoại", "Telephone", person.phone.as_deref()),
        row("Thư điện tử", "E-mail", person.email.as_deref()),
        row(
            "Mức độ định danh",
            "Level of the e-ID",
            Some(person.assurance.label().get(ctx.lang)),
        ),
    ]
}

#[derive(Debug, Deserialize)]
pub(super) struct ActForm {
    #[serde(default)]
    tax_code: String,
}

/// Chooses for whom one acts.
pub(super) async fn act_for(asked: Asked, Form(form): Form<ActForm>) -> Response {
    let tax_code = Some(form.tax_code.as_str()).filter(|code| !code.is_empty());
    let done = match needed(asked.session.as_ref()) {
        Ok(session) => asked.state.act_for(asked.ctx(), session, tax_code).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Redirect::to("/account?done=1").into_response(),
        Err(error) => asked.web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "identity/devices.html")]
struct DevicesPage {
    page: Page,
    tabs: Vec<NavItem>,
    sessions: Vec<Device>,
}

struct Device {
    session: Session,
    device: String,
    method: String,
}

/// Where one is signed in.
pub(super) async fn devices(asked: Asked, Query(query): Query<DoneQuery>) -> Response {
    let found = match needed(asked.session.as_ref()) {
        Ok(session) => asked.state.my_sessions(asked.ctx(), session).await,
        Err(error) => Err(error),
    };
    let sessions = match found {
        Ok(sessions) => sessions,
        Err(error) => return asked.web.refuse(&error),
    };
    let ctx = asked.ctx();
    let device = |session: Session| Device {
        device: device_name(ctx, &session.agent),
        method: method_name(ctx, &session.method).to_owned(),
        session,
    };
    let notice = query
        .done
        .map(|_| ("Đã đăng xuất khỏi thiết bị.", "The device was signed out."));
    let page = asked.page("Thiết bị đang đăng nhập", "Devices", notice);
    ok(&DevicesPage {
        tabs: tabs(ctx, &page.path),
        page,
        sessions: sessions.into_iter().map(device).collect(),
    })
}

fn method_name<'a>(ctx: &Ctx, method: &'a str) -> &'a str {
    match method {
        "e-id" => ctx.t("Định danh điện tử", "National e-ID"),
        "passkey" => ctx.t("Khóa truy cập", "Passkey"),
        "password" => ctx.t("Mật khẩu và mã xác thực", "Password and code"),
        "demo" => ctx.t("Dùng thử", "Demonstration"),
        other => other,
    }
}

/// A browser and a system by the words that they put into their user-agent text.
fn device_name(ctx: &Ctx, agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("coc_coc", "Cốc Cốc"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => ctx.t("Thiết bị không rõ loại", "Unknown device").to_owned(),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct EndForm {
    #[serde(default)]
    id: String,
}

/// Signs out of one other device, or all others.
pub(super) async fn devices_end(asked: Asked, Form(form): Form<EndForm>) -> Response {
    let done = async {
        let session = needed(asked.session.as_ref())?;
        let one = match form.id.as_str() {
            "" => None,
            id => Some(read_id(id)?),
        };
        asked.state.end_sessions(asked.ctx(), session, one).await
    };
    match done.await {
        Ok(()) => Redirect::to("/account/devices?done=1").into_response(),
        Err(error) => asked.web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "identity/reads.html")]
struct ReadsPage {
    page: Page,
    tabs: Vec<NavItem>,
    entries: Vec<ReadEntry>,
    has_number: bool,
    newer: Option<String>,
    older: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ReadsQuery {
    #[serde(default)]
    cursor: Cursor,
}

/// Who has seen one's data.
pub(super) async fn reads(asked: Asked, Query(query): Query<ReadsQuery>) -> Response {
    let found = async {
        let before = query.cursor.place(read_place)?;
        asked.state.reads_of_me(asked.ctx(), before, super::PAGE).await
    };
    match found.await {
        Ok((entries, next)) => {
            let page = asked.page("Ai đã xem dữ liệu của tôi", "Who has seen my data", None);
            ok(&ReadsPage {
                tabs: tabs(asked.ctx(), &page.path),
                page,
                entries,
                has_number: asked.ctx().person().is_ok_and(|p| p.person_number.is_some()),
                newer: (!query.cursor.is_first()).then(|| "/my/reads".to_owned()),
                older: next.map(|at| format!("/my/reads?cursor={}", place(at))),
            })
        }
        Err(error) => asked.web.refuse(&error),
    }
}

/// The proof of one of those reads, to keep.
pub(super) async fn read_proof(asked: Asked, Path(id): Path<String>) -> Response {
    let proof = async {
        let id = read_id(&id)?;
        let proof = asked.state.read_proof(asked.ctx(), id).await?;
        Ok((
            format!("attachment; filename=\"read-{id}.json\""),
            serde_json::to_vec(&proof)?,
        ))
    };
    match proof.await {
        Ok((disposition, file)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json".to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            (headers, file).into_response()
        }
        Err::<_, Error>(error) => asked.web.refuse(&error),
    }
}
