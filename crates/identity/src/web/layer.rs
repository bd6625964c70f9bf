//! Recognises who makes a request and puts it into the request's extensions as [`Ctx`].

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Id, Kind, Lang};
use tower_http::request_id::RequestId;
use uuid::Uuid;

use super::{Jar, problem_response};
use crate::{
    Ctx,
    service::{IdentityState, Origin},
};

/// Wraps the routes of the whole node: every handler below finds a [`Ctx`], and pages a [`crate::Web`].
///
/// Order: `Extension(Arc<view::Site>)` and the request-id layer of tower-http go around this one.
pub fn layer(router: Router, state: IdentityState) -> Router {
    router.layer(from_fn_with_state(state, recognise))
}

async fn recognise(State(state): State<IdentityState>, mut request: Request, next: Next) -> Response {
    let jar = Jar::new(request.headers(), state.config());
    let request_id = request_id(&request, &state);
    let lang = jar.lang().unwrap_or_else(|| spoken(request.headers()));
    let api = request.uri().path().starts_with("/api/");
    if !api && let Some(response) = change_language(&request, &state) {
        return response;
    }
    let mut ctx = state.anonymous(request_id, lang);
    let mut forget = false;
    let path = request.uri().path();
    let plain = path.starts_with("/assets/") || path == "/healthz" || path == "/metrics";
    if plain {
        // Nothing here depends on who asks, so no read of the database either.
    } else if let Some(key) = bearer(request.headers()) {
        match key {
            Ok(key) => match state.resolve_token(key, ctx.now).await {
                Ok(Some((actor, read_only))) => {
                    if read_only && !request.method().is_safe() {
                        return problem_response(&Error::refused(
                            Kind::Forbidden,
                            "read-only",
                            "Mã truy cập này chỉ được phép đọc dữ liệu.",
                            "This token may only read.",
                        ));
                    }
                    ctx.actor = actor;
                }
                Ok(None) => return problem_response(&bad_token()),
                Err(error) => return problem_response(&error),
            },
            Err(error) => return problem_response(&error),
        }
    } else if let Some(token) = jar.session() {
        match state.resolve_session(&token, ctx.now).await {
            Ok(Some((actor, session))) => {
                ctx.actor = actor;
                request.extensions_mut().insert(session);
            }
            Ok(None) => forget = true,
            Err(error) if api => return problem_response(&error),
            Err(error) => {
                let site = request
                    .extensions()
                    .get::<Arc<view::Site>>()
                    .cloned()
                    .unwrap_or_default();
                let path = request
                    .uri()
                    .path_and_query()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let mut page = view::Page::new(lang, site, "", path);
                page.request_id = request_id.to_string();
                return view::error_response(&error, page);
            }
        }
    }
    let origin = origin(&request, &state, jar.session());
    let extensions = request.extensions_mut();
    extensions.insert(ctx);
    extensions.insert(state);
    extensions.insert(origin);
    let response = next.run(request).await;
    // A page that began a new session has set the cookie itself.
    if forget && !response.headers().contains_key(header::SET_COOKIE) {
        jar.without_session().on(response)
    } else {
        response
    }
}

fn bad_token() -> Error {
    Error::refused(
        Kind::Unauthenticated,
        "token",
        "Mã truy cập không hợp lệ, đã hết hạn hoặc đã bị thu hồi.",
        "The token is not valid, has expired or was revoked.",
    )
}

/// The key of a program, if the request has an `Authorization` header at all.
fn bearer(headers: &HeaderMap) -> Option<Result<&str, Error>> {
    let value = headers.get(header::AUTHORIZATION)?;
    let key = value.to_str().ok().and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    Some(key.filter(|key| !key.is_empty()).ok_or_else(bad_token))
}

fn request_id(request: &Request, state: &IdentityState) -> Uuid {
    let given = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok());
    given
        .and_then(|id| Uuid::parse_str(id).ok())
        .unwrap_or_else(|| Id::<Ctx>::new(state.now()).uuid())
}

fn origin(request: &Request, state: &IdentityState, previous: Option<String>) -> Origin {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip().to_string());
    let text = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    // The last entry is the one that our own proxy wrote; those before it are the client's to invent.
    let forwarded = text("x-forwarded-for")
        .and_then(|list| list.rsplit(',').next())
        .map(|ip| ip.trim().to_owned());
    let forwarded = forwarded.filter(|ip| state.config().trust_forwarded_for && ip.parse::<std::net::IpAddr>().is_ok());
    Origin {
        address: forwarded.or(peer).unwrap_or_default(),
        agent: text("user-agent").unwrap_or_default().to_owned(),
        previous,
    }
}

/// The first language of `Accept-Language` that we have; Vietnamese unless English comes before it.
fn spoken(headers: &HeaderMap) -> Lang {
    let list = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let mut best = (0.0_f32, Lang::Vi);
    for entry in list.split(',').take(20) {
        let mut parts = entry.split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let lang = match tag.get(..2) {
            Some("vi") => Lang::Vi,
            Some("en") => Lang::En,
            _ => continue,
        };
        let weight = parts
            .find_map(|p| p.trim().strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        if weight > best.0 {
            best = (weight, lang);
        }
    }
    best.1
}

/// `?lang=` sets the cookie and leads to the same page without it.
fn change_language(request: &Request, state: &IdentityState) -> Option<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let query = request.uri().query()?;
    let tag = query.split('&').find_map(|pair| pair.strip_prefix("lang="))?;
    let lang = match tag {
        "vi" => Lang::Vi,
        "en" => Lang::En,
        _ => return None,
    };
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("lang=") && !pair.is_empty())
        .collect();
    // A path that begins with two slashes would be read as another site.
    let path = format!("/{}", request.uri().path().trim_start_matches('/'));
    let target = if rest.is_empty() {
        path
    } else {
        format!("{path}?{}", rest.join("&"))
    };
    HeaderValue::from_str(&target).ok()?;
    let jar = Jar::new(request.headers(), state.config()).with_lang(lang);
    Some(jar.on(Redirect::to(&target).into_response()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(list: &str) -> Lang {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(list).expect("a header"));
        spoken(&headers)
    }

    #[test]
    fn vietnamese_unless_english_comes_first() {
        assert_eq!(spoken(&HeaderMap::new()), Lang::Vi);
        assert_eq!(lang("en-GB,en;q=0.9"), Lang::En);
        assert_eq!(lang("en;q=0.5, vi;q=0.9"), Lang::Vi);
        assert_eq!(lang("fr, en;q=0.5"), Lang::En);
        assert_eq!(lang("fr"), Lang::Vi);
        assert_eq!(lang(";;;q=x,,é".replace('é', "e").as_str()), Lang::Vi);
    }
}
