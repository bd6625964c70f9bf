//! A node with its routes, and browsers that remember cookies.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use ::store::{Store, testkit};
use axum::{
    Extension, Router,
    body::Body,
    extract::ConnectInfo,
    http::{Method, Request, StatusCode, header},
};
use base::{
    Timestamp,
    time::{Clock, FixedClock},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{
    Config, Ctx, Entropy, IdentityState, MIGRATIONS, NewOfficer, OfficerId, Role, Roles, Shell, layer,
    model::{matching_step, totp},
};

/// 21 November 2026, 09:00 in Viet Nam.
pub(super) const START: i64 = 1_795_226_400_000_000;
pub(super) const PASSWORD: &str = "mưa dầm thấm lâu";
pub(super) const NEW_PASSWORD: &str = "nước chảy đá mòn";

pub(super) struct Node {
    pub state: IdentityState,
    pub clock: FixedClock,
    app: Router,
}

/// A node on each engine.
pub(super) async fn nodes(config: &Config) -> Vec<Node> {
    let mut nodes = Vec::new();
    for store in testkit::stores(&[MIGRATIONS]).await {
        nodes.push(Node::on(store, config, FixedClock::at(Timestamp::from_micros(START))));
    }
    assert!(!nodes.is_empty());
    nodes
}

impl Node {
    fn on(store: Store, config: &Config, clock: FixedClock) -> Self {
        let state = IdentityState::new(
            store,
            config.clone(),
            &[9; 32],
            Arc::new(clock.clone()),
            Entropy::system(),
            Shell {
                officer_home: "/desk".into(),
                person_home: "/my".into(),
                ..Shell::default()
            },
        )
        .expect("the settings are good");
        let app = layer(crate::router(), state.clone()).layer(Extension(Arc::new(view::Site::default())));
        Self { state, clock, app }
    }

    /// The same node after it was stopped and started.
    pub fn restarted(self, config: &Config) -> Self {
        let (store, clock) = (self.state.store().clone(), self.clock.clone());
        drop(self);
        Self::on(store, config, clock)
    }

    pub fn system(&self) -> Ctx {
        Ctx::system("test", self.clock.now())
    }

    pub fn forward(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    pub async fn officer(&self, login: &str, agency: &str, roles: &[Role]) -> OfficerId {
        let new = NewOfficer {
            login: login.into(),
            name: format!("Cán bộ {login}"),
            title: "Chuyên viên".into(),
            agency: agency.into(),
            roles: Roles::of(roles),
            password: Some(PASSWORD.into()),
            demo: None,
        };
        self.state
            .create_officer(&self.system(), &new)
            .await
            .expect("a good officer")
    }

    pub fn browser(&self) -> Browser<'_> {
        self.browser_at("192.0.2.1")
    }

    pub fn browser_at(&self, address: &str) -> Browser<'_> {
        Browser {
            node: self,
            cookies: BTreeMap::new(),
            address: address.into(),
            headers: Vec::new(),
        }
    }

    /// A browser in which the officer has signed in for the first time; with the secret of the codes and the recovery codes.
    pub async fn enrolled(&self, login: &str) -> (Browser<'_>, Vec<u8>, Vec<String>) {
        let mut browser = self.browser();
        let answer = browser
            .post("/sign-in/officer", &[("login", login), ("password", PASSWORD)])
            .await;
        assert_eq!(answer.location(), "/sign-in/new-password", "{}", answer.body);
        let answer = browser
            .post(
                "/sign-in/new-password",
                &[("new", NEW_PASSWORD), ("again", NEW_PASSWORD)],
            )
            .await;
        assert_eq!(answer.location(), "/sign-in/enrol", "{}", answer.body);
        assert_eq!(browser.get("/sign-in/enrol").await.status, StatusCode::OK);
        let ctx = self.state.anonymous(uuid::Uuid::nil(), base::Lang::Vi);
        let shown = self
            .state
            .enrolment(&ctx, &browser.cookies["mc_step"])
            .await
            .expect("an enrolment");
        let secret = secret_of(&shown.secret);
        let answer = browser.post("/sign-in/enrol", &[("code", &self.code(&secret))]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let codes: Vec<String> = answer
            .body
            .split("<code>")
            .skip(1)
            .filter_map(|part| part.split("</code>").next())
            .map(str::to_owned)
            .collect();
        assert_eq!(codes.len(), 8, "{}", answer.body);
        (browser, secret, codes)
    }

    /// The code that the authenticator app shows now.
    pub fn code(&self, secret: &[u8]) -> String {
        let totp = totp(secret.to_vec(), "x", "y").expect("a good secret");
        let seconds = u64::try_from(self.clock.now().micros() / 1_000_000).expect("after 1970");
        let code = totp.generate(seconds).to_string();
        assert!(matching_step(&totp, &code, self.clock.now(), None).is_some());
        code
    }
}

fn secret_of(base32: &str) -> Vec<u8> {
    let text: String = base32.split_whitespace().collect();
    totp_rs::Secret::try_from_base32(&text)
        .expect("base 32")
        .as_bytes()
        .to_vec()
}

#[derive(Clone)]
pub(super) struct Browser<'a> {
    node: &'a Node,
    pub cookies: BTreeMap<String, String>,
    address: String,
    pub headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, "", String::new()).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields
            .iter()
            .map(|(n, v)| format!("{n}={}", encoded(v)))
            .collect::<Vec<_>>()
            .join("&");
        self.send(Method::POST, path, "application/x-www-form-urlencoded", body)
            .await
    }

    pub async fn post_json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        self.send(Method::POST, path, "application/json", body.to_string())
            .await
    }

    async fn send(&mut self, method: Method, path: &str, kind: &str, body: String) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::USER_AGENT, "test Firefox/1 Linux");
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::from(body)).expect("a request");
        let peer: SocketAddr = format!("{}:4000", self.address).parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.node.app.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("text");
            let (pair, rest) = text.split_once(';').expect("attributes");
            assert!(
                rest.contains("HttpOnly") && rest.contains("SameSite=Lax") && rest.contains("Path=/"),
                "{text}"
            );
            let (name, value) = pair.split_once('=').expect("a pair");
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
