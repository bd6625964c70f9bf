//! Sending requests to a service that may be hostile: bounded bytes, bounded time, no redirects, no proxy.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use base::Problems;
use reqwest::{
    Certificate, Method, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

use crate::{access::is_forbidden_address, conformance::Options};

/// Longest answer, in bytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// An address that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::conformance) struct Address(Url);

impl Address {
    /// Reads an http or https address without user information.
    pub fn parse(text: &str) -> Option<Self> {
        let mut url = Url::parse(text).ok()?;
        let good = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none();
        url.set_fragment(None);
        good.then_some(Self(url))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// An address relative to this one.
    pub fn join(&self, reference: &str) -> Option<Self> {
        self.0.join(reference).ok().and_then(|url| Self::parse(url.as_str()))
    }

    /// Whether both are of one scheme, host and port.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// The path without a slash at its end.
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// This origin with another path and query.
    pub fn with_target(&self, target: &str) -> Option<Self> {
        let origin = self.0.origin().ascii_serialization();
        Self::parse(&format!("{origin}{target}"))
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Request {
    pub method: String,
    /// Path and query.
    pub address: Address,
    /// Without those of the caller.
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// Whether the caller's headers go with it.
    pub credentials: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Until the last byte.
    pub took: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::conformance) enum Silence {
    /// Nobody listens, or TLS fails.
    Unreachable,
    /// Not within the time.
    Late,
    /// More than may be.
    Endless,
    /// Broken off, or no HTTP.
    Broken,
}

/// Names of services, which never lead to addresses that no service may have.
struct Services;

impl Resolve for Services {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| !is_forbidden_address(found.ip())).collect();
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Sends requests.
pub(in crate::conformance) struct Client {
    http: reqwest::Client,
    headers: HeaderMap,
}

impl Client {
    /// A client with the caller's headers; what is wrong with them is added to the problems.
    pub fn new(options: &Options, problems: &mut Problems) -> Option<Self> {
        let mut headers = HeaderMap::new();
        for (n, (name, value)) in options.headers.iter().enumerate() {
            let (name, value) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value.as_str()),
            );
            let (Ok(name), Ok(value)) = (name, value) else {
                problems.add(
                    "not-a-header",
                    format!("headers.{n}"),
                    "Tiêu đề không hợp lệ; viết dạng Tên: giá trị.",
                    "This is no header; write Name: value.",
                );
                continue;
            };
            headers.append(name, value);
        }
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(options.timeout)
            .connect_timeout(options.timeout)
            .user_agent(concat!("motcua-service-check/", env!("CARGO_PKG_VERSION")));
        if !options.verify_certificate {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if options.services_only {
            builder = builder.dns_resolver(Arc::new(Services));
        }
        if let Some(pem) = &options.roots {
            match Certificate::from_pem_bundle(pem.as_bytes()) {
                Ok(roots) if !roots.is_empty() => {
                    builder = roots
                        .into_iter()
                        .fold(builder, reqwest::ClientBuilder::add_root_certificate);
                }
                _ => problems.add(
                    "not-a-certificate",
                    "roots",
                    "Tệp không chứa chứng thư dạng PEM.",
                    "The file has no certificate in PEM.",
                ),
            }
        }
        let Ok(http) = builder.build() else {
            problems.add(
                "no-client",
                "roots",
                "Không dùng được các chứng thư này cho kết nối TLS.",
                "These certificates cannot be used for TLS.",
            );
            return None;
        };
        Some(Self { http, headers })
    }

    /// Whether the caller gave headers.
    pub fn has_credentials(&self) -> bool {
        !self.headers.is_empty()
    }

    /// Sends one request and reads the whole answer, at most 8 MiB.
    pub async fn send(&self, request: &Request) -> Result<Answer, Silence> {
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| Silence::Broken)?;
        let mut builder = self.http.request(method, request.address.0.clone());
        if request.credentials {
            builder = builder.headers(self.headers.clone());
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let begun = Instant::now();
        let mut response = builder.send().await.map_err(|error| silence(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| silence(&error))? {
            if body.len() + chunk.len() > LONGEST {
                return Err(Silence::Endless);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body,
            took: begun.elapsed(),
        })
    }
}

fn silence(error: &reqwest::Error) -> Silence {
    if error.is_timeout() {
        Silence::Late
    } else if error.is_connect() {
        Silence::Unreachable
    } else {
        Silence::Broken
    }
}

impl Request {
    /// A GET with the caller's headers.
    pub fn get(address: Address) -> Self {
        Self {
            method: "GET".to_owned(),
            address,
            headers: Vec::new(),
            body: None,
            credentials: true,
        }
    }

    /// As a report shows it.
    pub fn excerpt(&self) -> String {
        let mut out = format!("{} {}", self.method, clip(self.address.as_str(), 600));
        for (name, value) in &self.headers {
            out.push_str(&format!("\n{name}: {}", clip(value, 200)));
        }
        if let Some(body) = &self.body {
            out.push_str(&format!("\n\n{}", clip(&String::from_utf8_lossy(body), 400)));
        }
        out
    }
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type in lower case, without parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// As a report shows it.
    pub fn excerpt(&self) -> String {
        let kind = self.header("content-type").unwrap_or("-");
        let mut out = format!("{} {}", self.status, clip(kind, 100));
        if !self.body.is_empty() {
            out.push_str(&format!("\n{}", clip(&String::from_utf8_lossy(&self.body), 400)));
        }
        out
    }
}

fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
