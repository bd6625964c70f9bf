//! The lists of what an agency has on this node: its information systems and its services.

use askama::Template;
use axum::{extract::State, response::Response};
use axum_extra::extract::Query;
use identity::{Cursor, Permission, Web};
use serde::Deserialize;
use view::{
    NavItem, Page,
    ui::{self, Tone},
};

use super::{PAGE, Tab, answer, encoded, titled};
use crate::{
    access::{Access, ServiceView, SystemView, model::SignInDraft},
    model::{
        hosting::ClientSignIn,
        identifier::{ServiceId, SubsystemId},
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    cursor: Cursor,
}

#[derive(Template)]
#[template(path = "access/list.html")]
struct ListPage {
    page: Page,
    tabs: Vec<NavItem>,
    may_act: bool,
    /// What the button says that leads to [`Self::new`].
    add: &'static str,
    new: &'static str,
    /// What an empty list says.
    nothing: (&'static str, &'static str),
    columns: Vec<&'static str>,
    lines: Vec<Line>,
    newer: Option<String>,
    older: Option<String>,
}

struct Line {
    href: String,
    name: String,
    /// One for each column after the name.
    cells: Vec<Cell>,
}

struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    fn plain(text: impl ToString) -> Self {
        Self {
            text: text.to_string(),
            tone: None,
        }
    }

    fn tag(text: impl ToString, tone: Tone) -> Self {
        Self {
            text: text.to_string(),
            tone: Some(tone),
        }
    }
}

impl ListPage {
    /// The list of a tab, of `lines` and where the next page starts.
    fn turned(mut self, tab: Tab, wanted: &Wanted, next: Option<String>) -> Self {
        let list = tab.href();
        self.newer = (!wanted.cursor.is_first()).then(|| list.to_owned());
        self.older = next.map(|next| format!("{list}?cursor={}", encoded(&next)));
        self
    }
}

pub(super) async fn systems(State(access): State<Access>, web: Web, Query(wanted): Query<Wanted>) -> Response {
    let made = async {
        let after = wanted.cursor.place(|cursor| cursor.parse::<SubsystemId>().ok())?;
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let (systems, next) = access.systems(&web.ctx, &after, PAGE).await?;
        let page = ListPage {
            page: titled(web.page.clone(), "Hệ thống thông tin", "Information systems", None),
            tabs: Tab::row(Tab::Systems),
            may_act: web.ctx.holds(Permission::ManageExchange),
            add: web.ctx.t("Đăng ký hệ thống", "Register a system"),
            new: "/exchange/systems/new",
            nothing: (
                web.ctx.t("Chưa có hệ thống nào", "No systems"),
                web.ctx.t(
                    "Hệ thống thông tin của cơ quan gọi và cung cấp dịch vụ qua nút này sẽ hiện ở đây.",
                    "The agency's systems that call and provide through this node will stand here.",
                ),
            ),
            columns: vec![
                web.ctx.t("Tên", "Name"),
                web.ctx.t("Mã", "Identifier"),
                web.ctx.t("Cơ quan", "Agency"),
                web.ctx.t("Kiểm tra bên gọi", "Sign-in"),
            ],
            lines: systems.iter().map(|system| system_line(&web, system)).collect(),
            newer: None,
            older: None,
        };
        Ok(page.turned(Tab::Systems, &wanted, next))
    };
    answer(&web, made.await)
}

fn system_line(web: &Web, system: &SystemView) -> Line {
    let label = SignInDraft::of(&system.client.sign_in).label();
    let sign_in = label.get(web.ctx.lang);
    Line {
        href: format!("/exchange/systems/{}", system.id),
        name: system.name.get(web.ctx.lang).to_owned(),
        cells: vec![
            Cell::plain(&system.subsystem),
            Cell::plain(&system.agency),
            match system.client.sign_in {
                ClientSignIn::Open => Cell::tag(sign_in, Tone::Warn),
                ClientSignIn::Token(_) | ClientSignIn::Networks(_) => Cell::plain(sign_in),
            },
        ],
    }
}

pub(super) async fn services(State(access): State<Access>, web: Web, Query(wanted): Query<Wanted>) -> Response {
    let made = async {
        let after = wanted.cursor.place(|cursor| cursor.parse::<ServiceId>().ok())?;
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let (services, next) = access.services(&web.ctx, &after, PAGE).await?;
        let page = ListPage {
            page: titled(web.page.clone(), "Dịch vụ của nút này", "Services of this node", None),
            tabs: Tab::row(Tab::Services),
            may_act: web.ctx.holds(Permission::ManageExchange),
            add: web.ctx.t("Đăng ký dịch vụ", "Register a service"),
            new: "/exchange/services/new",
            nothing: (
                web.ctx.t("Chưa có dịch vụ nào", "No services"),
                web.ctx.t(
                    "Dịch vụ mà hệ thống của cơ quan cung cấp qua nút này sẽ hiện ở đây.",
                    "What the agency's systems provide through this node will stand here.",
                ),
            ),
            columns: vec![
                web.ctx.t("Tên", "Name"),
                web.ctx.t("Mã", "Identifier"),
                web.ctx.t("Địa chỉ", "Address"),
                web.ctx.t("Mô tả", "Description"),
                web.ctx.t("Tình trạng", "State"),
            ],
            lines: services.iter().map(|service| service_line(&web, service)).collect(),
            newer: None,
            older: None,
        };
        Ok(page.turned(Tab::Services, &wanted, next))
    };
    answer(&web, made.await)
}

fn service_line(web: &Web, service: &ServiceView) -> Line {
    Line {
        href: format!("/exchange/services/{}", service.id),
        name: service.name.get(web.ctx.lang).to_owned(),
        cells: vec![
            Cell::plain(&service.service),
            Cell::plain(&service.url),
            Cell::plain(match &service.document {
                Some((_, version, _)) => format!("OpenAPI {version}"),
                None => "–".to_owned(),
            }),
            match service.disabled {
                Some(_) => Cell::tag(web.ctx.t("Tạm ngừng", "Off"), Tone::Warn),
                None => Cell::tag(web.ctx.t("Hoạt động", "On"), Tone::Good),
            },
        ],
    }
}
