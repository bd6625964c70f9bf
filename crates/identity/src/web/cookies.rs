//! Cookies, and where one may be led after signing in.

use axum::{http::HeaderMap, response::IntoResponse};
use axum_extra::extract::cookie::{Cookie, CookieJar};
use base::Lang;

use crate::config::Config;

/// The cookies of one request and answer. With TLS their names begin with `__Host-`, which binds them to this very host.
#[derive(Debug)]
pub(crate) struct Jar {
    jar: CookieJar,
    tls: bool,
}

/// Seconds in a year, the life of the choice of a language.
const YEAR: i64 = 365 * 86_400;

/// The session of whoever signed in.
const SESSION: &str = "mc_session";

/// What the cookie of a session is called on a node.
pub(super) fn session_cookie(config: &Config) -> String {
    full_name(SESSION, config.tls())
}

fn full_name(name: &str, tls: bool) -> String {
    if tls { format!("__Host-{name}") } else { name.to_owned() }
}

impl Jar {
    pub fn new(headers: &HeaderMap, config: &Config) -> Self {
        Self {
            jar: CookieJar::from_headers(headers),
            tls: config.tls(),
        }
    }

    fn name(&self, name: &str) -> String {
        full_name(name, self.tls)
    }

    fn get(&self, name: &str) -> Option<String> {
        self.jar
            .get(&self.name(name))
            .map(|cookie| cookie.value().to_owned())
            .filter(|value| !value.is_empty())
    }

    fn set(self, name: &str, value: &str, seconds: i64) -> Self {
        let secure = if self.tls { "; Secure" } else { "" };
        let name = self.name(name);
        // Values are base64url or a language tag: nothing that would need quoting.
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        match Cookie::parse(text) {
            Ok(cookie) => Self {
                jar: self.jar.add(cookie.into_owned()),
                tls: self.tls,
            },
            Err(error) => {
                tracing::error!(%error, "a cookie could not be written");
                self
            }
        }
    }

    fn clear(self, name: &str) -> Self {
        self.set(name, "", 0)
    }

    pub fn session(&self) -> Option<String> {
        self.get(SESSION)
    }
    pub fn with_session(self, opened: &crate::service::Opened) -> Self {
        self.clear("mc_step").set(SESSION, &opened.token, opened.seconds)
    }
    pub fn without_session(self) -> Self {
        self.clear(SESSION).clear("mc_step")
    }
    pub fn step(&self) -> Option<String> {
        self.get("mc_step")
    }
    pub fn with_step(self, token: &str) -> Self {
        self.set("mc_step", token, 900)
    }
    pub fn without_step(self) -> Self {
        self.clear("mc_step")
    }
    pub fn lang(&self) -> Option<Lang> {
        self.get("mc_lang").map(|tag| Lang::from_tag(&tag))
    }
    pub fn with_lang(self, lang: Lang) -> Self {
        self.set("mc_lang", lang.tag(), YEAR)
    }

    /// The answer with these cookies.
    pub fn on(self, response: impl IntoResponse) -> axum::response::Response {
        (self.jar, response).into_response()
    }
}

/// A path of this very site to go to after signing in; anything else becomes `None`.
/// `//host`, `/\host` and control characters are what browsers read as another site.
pub(crate) fn safe_next(next: &str) -> Option<&str> {
    let second = next.as_bytes().get(1);
    let good = next.starts_with('/')
        && !matches!(second, Some(b'/' | b'\\'))
        && next.len() <= 2000
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    // To be led back to signing in or out would go in circles.
    let path = next.split(['?', '#']).next().unwrap_or_default();
    (good && path != "/" && !path.starts_with("/sign-in") && !path.starts_with("/sign-out")).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
        for good in [
            "/desk",
            "/apply/1.001193?step=2",
            "/a//b",
            "/x#y",
            "/t/%2F%2Fevil.example",
        ] {
            assert_eq!(safe_next(good), Some(good));
        }
        for bad in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/ok\r\nSet-Cookie: x=1",
            "evil.example",
            "\\\\evil.example",
            "/a\\b",
            "/sign-in",
            "/sign-out?x",
            "/\u{2028}x",
        ] {
            assert_eq!(safe_next(bad), None, "{bad:?}");
        }
        assert_eq!(safe_next(&format!("/{}", "a".repeat(3000))), None);
    }
}
