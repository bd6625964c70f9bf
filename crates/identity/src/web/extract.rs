//! What handlers take: [`Ctx`] for the API, [`Web`] for pages.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Text};
use view::{Notice, Page, Site, ui::Tone};

use super::{ApiError, Jar, safe_next};
use crate::{
    Ctx, NEEDS_LEVEL_2,
    service::{CurrentSession, IdentityState, Origin},
};

fn outside() -> Error {
    Error::internal("a route stands outside identity::layer")
}

impl<S: Send + Sync> FromRequestParts<S> for Ctx {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| outside().into())
    }
}

/// What a page handler starts from: the context, and a page with language, user, navigation and site filled in.
#[derive(Debug, Clone)]
pub struct Web {
    /// Who asks.
    pub ctx: Ctx,
    /// The page to be filled; its title and breadcrumbs are the handler's to set.
    pub page: Page,
    get: bool,
}

impl Web {
    /// The page with a title.
    #[must_use]
    pub fn titled(&self, vi: &str, en: &str) -> Page {
        let mut page = self.page.clone();
        page.title = self.ctx.t(vi, en).to_owned();
        page
    }

    /// The answer to an error: sign-in for whoever is not signed in, the raising of the e-ID level where that would help,
    /// else the page that says no.
    pub fn refuse(&self, error: &Error) -> Response {
        // After a POST the form's own page is the place to come back to; it has the same path.
        let next = if self.get {
            self.page.path.as_str()
        } else {
            self.page.path.split('?').next().unwrap_or("/")
        };
        let next = safe_next(next).unwrap_or("/");
        let level = error
            .problems()
            .is_some_and(|p| p.iter().any(|p| p.code == NEEDS_LEVEL_2));
        match error.kind() {
            Some(Kind::Unauthenticated) => Redirect::to(&with_next("/sign-in", next)).into_response(),
            Some(Kind::Forbidden) if level => Redirect::to(&with_next("/sign-in/level-2", next)).into_response(),
            _ => view::error_response(error, self.page.clone()),
        }
    }

    /// The page again with what is wrong in it, for a refusal that lies at fields; other errors answer for themselves.
    pub(crate) fn again(&self, error: Error, form: impl FnOnce(StatusCode, Page) -> Response) -> Response {
        match error {
            Error::Refused(kind @ (Kind::Invalid | Kind::Conflict | Kind::TooMany), problems) => {
                let mut page = self.page.clone();
                page.problems = problems;
                form(
                    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
                    page,
                )
            }
            error => self.refuse(&error),
        }
    }
}

/// An address with where to go afterwards.
pub(crate) fn with_next(address: &str, next: &str) -> String {
    if next.is_empty() || next == "/" {
        return address.to_owned();
    }
    let mut encoded = String::with_capacity(next.len() + 16);
    for byte in next.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{address}?next={encoded}")
}

impl<S: Send + Sync> FromRequestParts<S> for Web {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let site = parts.extensions.get::<Arc<Site>>().cloned().unwrap_or_default();
        let path = parts
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_else(|| "/".to_owned());
        let found = parts
            .extensions
            .get::<Ctx>()
            .cloned()
            .zip(parts.extensions.get::<IdentityState>());
        let Some((ctx, state)) = found else {
            return Err(view::error_response(
                &outside(),
                Page::new(base::Lang::Vi, site, "", path),
            ));
        };
        let mut page = Page::new(ctx.lang, site, "", path);
        page.user = state.badge(&ctx);
        page.nav = state.nav(&ctx, &page.path);
        page.request_id = ctx.request_id.to_string();
        let get = matches!(parts.method, Method::GET | Method::HEAD);
        Ok(Self { ctx, page, get })
    }
}

/// What the pages of this crate need beside [`Web`].
#[derive(Debug)]
pub(crate) struct Asked {
    pub web: Web,
    pub state: IdentityState,
    pub session: Option<CurrentSession>,
    pub origin: Origin,
    pub jar: Jar,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let web = Web::from_request_parts(parts, state).await?;
        let Some(state) = parts.extensions.get::<IdentityState>().cloned() else {
            return Err(web.refuse(&outside()));
        };
        Ok(Self {
            web,
            session: parts.extensions.get::<CurrentSession>().cloned(),
            origin: parts.extensions.get::<Origin>().cloned().unwrap_or_default(),
            jar: Jar::new(&parts.headers, state.config()),
            state,
        })
    }
}

impl Asked {
    pub fn ctx(&self) -> &Ctx {
        &self.web.ctx
    }

    /// The page with a title and a message at the top, if there is one.
    pub fn page(&self, vi: &str, en: &str, done: Option<(&str, &str)>) -> Page {
        let mut page = self.web.titled(vi, en);
        page.notice = done.map(|(vi, en)| Notice {
            tone: Tone::Good,
            text: Text::new(vi, en),
        });
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_encoded_whole() {
        assert_eq!(with_next("/sign-in", "/"), "/sign-in");
        assert_eq!(
            with_next("/sign-in", "/a?b=c&d=é"),
            "/sign-in?next=/a%3Fb%3Dc%26d%3D%C3%A9"
        );
    }
}
