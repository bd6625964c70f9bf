//! The headers that every answer carries. The policy allows no inline script or style and no other host.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// What differs between installations.
#[derive(Debug, Clone, Default)]
pub struct SecurityHeaders {
    /// Origins besides our own to which a form may lead: the issuer of the national e-ID.
    pub form_action: Vec<String>,
    /// Whether the site is reached by TLS only; sends HSTS.
    pub tls: bool,
}

impl SecurityHeaders {
    /// The value of `Content-Security-Policy`. Only whole origins are taken from the configuration.
    pub fn policy(&self) -> String {
        let mut form = String::from("'self'");
        for origin in &self.form_action {
            let plain = origin
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-'));
            if plain && origin.contains("://") {
                form.push(' ');
                form.push_str(origin);
            }
        }
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
             frame-src 'self'; manifest-src 'self'; form-action {form}; frame-ancestors 'none'; base-uri 'none'"
        )
    }
}

/// Adds the headers; those that a handler has set itself are kept. For `axum::middleware::from_fn_with_state`.
pub async fn security_headers(State(settings): State<Arc<SecurityHeaders>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    if let Ok(policy) = HeaderValue::from_str(&settings.policy()) {
        set(header::CONTENT_SECURITY_POLICY, policy);
    }
    set(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
        ),
    );
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if settings.tls {
        set(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    response
}
