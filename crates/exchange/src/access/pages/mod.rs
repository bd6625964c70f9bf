//! Pages for the stewards of both sides: `/exchange/access`, `/exchange/services`, `/exchange/systems`.

mod ask;
mod checked;
mod command;
mod explain;
mod grant;
mod grants;
mod lists;
mod services;
mod systems;
mod words;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use base::{Error, Kind, Result};
use identity::Web;
use serde::de::DeserializeOwned;
use view::{NavItem, Notice, Page, ui::Tone};

use super::{Access, model::TermsDraft};

/// Lines on one page of a list.
const PAGE: u32 = 50;

/// All pages of access.
pub fn router(access: Access) -> Router {
    // A document in a form is a little larger than the document.
    let upload = access.config().largest_document.saturating_add(64 * 1024);
    Router::new()
        .route("/exchange/access", get(grants::list))
        .route("/exchange/access/new", get(ask::form).post(ask::submit))
        .route("/exchange/access/explain", get(explain::page))
        .route("/exchange/access/{side}/{id}", get(grant::page))
        .route("/exchange/access/{side}/{id}/print", get(grant::print))
        .route("/exchange/access/{side}/{id}/look", post(grant::look))
        .route(
            "/exchange/access/{side}/{id}/{command}",
            get(command::form).post(command::submit),
        )
        .route("/exchange/systems", get(lists::systems))
        .route("/exchange/systems/new", get(systems::new).post(systems::add))
        .route("/exchange/systems/{id}", get(systems::one).post(systems::change))
        .route("/exchange/systems/{id}/token", post(systems::token))
        .route("/exchange/services", get(lists::services))
        .route("/exchange/services/catalogue", get(services::catalogue))
        .route("/exchange/services/new", get(services::new).post(services::add))
        .route("/exchange/services/{id}", get(services::one).post(services::change))
        .route("/exchange/services/{id}/preview", post(services::preview))
        .route("/exchange/services/{id}/check", post(services::check))
        .route(
            "/exchange/services/{id}/openapi",
            get(services::document)
                .post(services::describe)
                .layer(DefaultBodyLimit::max(upload)),
        )
        .with_state(access)
}

fn answer<T: askama::Template>(web: &Web, made: Result<T>) -> Response {
    match made {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

/// The page on which a form is shown again with what is wrong in it, for a refusal that lies at its fields.
///
/// # Errors
/// Every other error, which answers for itself.
fn again(web: &Web, error: Error) -> Result<(StatusCode, Page)> {
    match error {
        Error::Refused(kind @ (Kind::Invalid | Kind::Conflict | Kind::TooLarge), problems) => {
            let mut page = web.page.clone();
            page.problems = problems;
            Ok((
                StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
                page,
            ))
        }
        error => Err(error),
    }
}

/// A page of access with the way back to one of its lists.
fn titled(mut page: Page, vi: &str, en: &str, back: Option<Tab>) -> Page {
    page.title = page.t(vi, en).to_owned();
    page.breadcrumbs = back
        .map(|tab| view::Link {
            href: tab.href().to_owned(),
            label: tab.label(),
        })
        .into_iter()
        .collect();
    page
}

/// A page after something was done.
fn done(mut page: Page, said: Option<(&str, &str)>) -> Page {
    page.notice = said.map(|(vi, en)| Notice {
        tone: Tone::Good,
        text: base::Text::new(vi, en),
    });
    page
}

/// The lists of access.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Grants,
    Catalogue,
    Services,
    Systems,
    Explain,
}

impl Tab {
    const ALL: [Self; 5] = [
        Self::Grants,
        Self::Catalogue,
        Self::Services,
        Self::Systems,
        Self::Explain,
    ];

    const fn href(self) -> &'static str {
        match self {
            Self::Grants => "/exchange/access",
            Self::Catalogue => "/exchange/services/catalogue",
            Self::Services => "/exchange/services",
            Self::Systems => "/exchange/systems",
            Self::Explain => "/exchange/access/explain",
        }
    }

    fn label(self) -> base::Text {
        match self {
            Self::Grants => base::Text::new("Quyền truy cập", "Grants"),
            Self::Catalogue => base::Text::new("Danh mục dịch vụ", "Catalogue"),
            Self::Services => base::Text::new("Dịch vụ của nút", "Own services"),
            Self::Systems => base::Text::new("Hệ thống thông tin", "Systems"),
            Self::Explain => base::Text::new("Giải thích lời gọi", "Explain a call"),
        }
    }

    fn row(current: Self) -> Vec<NavItem> {
        let item = |tab: Self| NavItem {
            href: tab.href().to_owned(),
            label: tab.label(),
            current: tab == current,
        };
        Self::ALL.into_iter().map(item).collect()
    }
}

/// The fields of a form as they came.
struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first value of a field; a field that did not come is empty.
    fn one(&self, name: &str) -> String {
        let value = self.0.iter().find(|(field, _)| field == name);
        value.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn all(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(field, _)| field == name);
        values.map(|(_, value)| value.clone()).collect()
    }

    fn ticked(&self, name: &str) -> bool {
        self.one(name) == "true"
    }

    /// The three parts of a date as they were typed: `1/12/2026`; empty when all are.
    fn date(&self, name: &str) -> String {
        let parts = ["day", "month", "year"].map(|part| self.one(&format!("{name}.{part}")));
        if parts.iter().all(|part| part.trim().is_empty()) {
            String::new()
        } else {
            parts.join("/")
        }
    }

    /// A value of a closed list; what is none of it is the first of all.
    fn choice<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        serde_json::from_value(serde_json::Value::String(self.one(name))).unwrap_or_default()
    }

    fn terms(&self) -> TermsDraft {
        TermsDraft {
            methods: self.all("methods"),
            path: self.one("path"),
            purposes: self.one("purposes"),
            legal_basis: self.one("legal_basis"),
            from: self.date("from"),
            to: self.date("to"),
            rate_calls: self.one("rate_calls"),
            rate_seconds: self.one("rate_seconds"),
            rate_burst: self.one("rate_burst"),
            fields: self.one("fields"),
        }
    }
}

/// A value within the query of an address.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// An id in an address; one that is bent is a thing that is not there.
fn read_id(text: &str) -> Result<uuid::Uuid> {
    text.parse().map_err(|_| Error::not_found("mục này", "thing"))
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct DoneQuery {
    done: Option<String>,
}
