//! Certificates of nodes by ACME (RFC 8555), with HTTP challenges, from a CA on the Internet or the member CA's own server.
//!
//! Such a certificate names hosts and no member: the directory registers its key for the member
//! ([`crate::TrustStore::with_keys`]). The protocol is `instant-acme`'s; HTTP is the caller's client.

use std::{
    collections::HashMap,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base::{Kind, Text};
use bytes::{Bytes, BytesMut};
use instant_acme::{
    AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, ExternalAccountKey, HttpClient,
    Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy,
};

use crate::{
    certificate::{Certificate, Refusal},
    explained::{Explained, refuses},
    key::{KeyError, read_private, write_private},
    request::CertificateRequest,
};

/// Longest answer of a server, in bytes: a certificate chain, a directory.
const LONGEST: usize = 256 * 1024;

/// The answers to open challenges. The node serves [`Self::answer`] at `/.well-known/acme-challenge/{token}` on port 80
/// (RFC 8555 section 8.3). Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Challenges(Arc<Mutex<HashMap<String, String>>>);

impl Challenges {
    /// The body for a token, as `application/octet-stream`; none when nobody asked for it.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.open().get(token).cloned()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes back the answers of one order, however it ends.
struct Posted<'a> {
    challenges: &'a Challenges,
    tokens: Vec<String>,
}

impl Drop for Posted<'_> {
    fn drop(&mut self) {
        let mut open = self.challenges.open();
        for token in &self.tokens {
            open.remove(token);
        }
    }
}

/// What a CA gives to a member out of band, so that its server knows whose account it is (RFC 8555 section 7.3.4).
pub struct Binding {
    /// The name of the key.
    pub id: String,
    /// The key, decoded.
    pub key: Vec<u8>,
}

/// An account at a server. Its key stands in a file under the rule of key files.
pub struct Account(instant_acme::Account);

impl Account {
    /// Makes an account, agreeing to the terms of the server, and keeps its key in a file that must not be there yet.
    /// `contact` holds URIs: `mailto:…`.
    ///
    /// # Errors
    /// [`AcmeError`].
    pub async fn create(
        directory: &str,
        http: reqwest::Client,
        contact: &[&str],
        binding: Option<&Binding>,
        file: &Path,
    ) -> Result<Self, AcmeError> {
        let new = NewAccount {
            contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let binding = binding.map(|binding| ExternalAccountKey::new(binding.id.clone(), &binding.key));
        let builder = instant_acme::Account::builder_with_http(Box::new(Http(http)));
        let (account, credentials) = builder.create(&new, directory.to_owned(), binding.as_ref()).await?;
        let text = zeroize::Zeroizing::new(serde_json::to_vec(&credentials).map_err(instant_acme::Error::from)?);
        write_private(file, &text)?;
        Ok(Self(account))
    }

    /// An account that was made before.
    ///
    /// # Errors
    /// [`AcmeError`].
    pub async fn open(http: reqwest::Client, file: &Path) -> Result<Self, AcmeError> {
        let text = read_private(file)?;
        let credentials: AccountCredentials = serde_json::from_str(&text).map_err(instant_acme::Error::from)?;
        let builder = instant_acme::Account::builder_with_http(Box::new(Http(http)));
        Ok(Self(builder.from_credentials(credentials).await?))
    }

    /// Has a certificate issued for the hosts of a request ([`CertificateRequest::for_hosts`]): the node's own first, then
    /// its issuers'. Takes some seconds, in which the server calls each host.
    ///
    /// # Errors
    /// [`AcmeError`]: the server refuses, offers no HTTP challenge, or cannot reach a host.
    pub async fn issue(
        &self,
        request: &CertificateRequest,
        challenges: &Challenges,
    ) -> Result<Vec<Certificate>, AcmeError> {
        let hosts: Vec<Identifier> = request.hosts().iter().map(|host| identifier(host)).collect();
        let mut order = self.0.new_order(&NewOrder::new(&hosts)).await?;
        let mut posted = Posted {
            challenges,
            tokens: Vec::new(),
        };
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge = authorization
                .challenge(ChallengeType::Http01)
                .ok_or(AcmeError::NoHttpChallenge)?;
            let answer = challenge.key_authorization().as_str().to_owned();
            posted.challenges.open().insert(challenge.token.clone(), answer);
            posted.tokens.push(challenge.token.clone());
            challenge.set_ready().await?;
        }
        let patience = RetryPolicy::default();
        if order.poll_ready(&patience).await? != OrderStatus::Ready {
            return Err(AcmeError::NotReached(request.hosts().join(", ")));
        }
        order.finalize_csr(request.der()).await?;
        let chain = Certificate::chain_from_pem(&order.poll_certificate(&patience).await?)?;
        if chain.first().is_some_and(|own| own.spki() == request.spki()) {
            Ok(chain)
        } else {
            Err(Refusal::WrongKey.into())
        }
    }
}

fn identifier(host: &str) -> Identifier {
    host.parse()
        .map_or_else(|_| Identifier::Dns(host.to_owned()), Identifier::Ip)
}

/// The caller's HTTP client as instant-acme wants it.
struct Http(reqwest::Client);

type Answer = Result<BytesResponse, instant_acme::Error>;

impl HttpClient for Http {
    fn request(&self, request: http::Request<BodyWrapper<Bytes>>) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let http = self.0.clone();
        Box::pin(async move { send(http, request).await.map_err(instant_acme::Error::Other) })
    }
}

async fn send(
    http: reqwest::Client,
    request: http::Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, Box<dyn std::error::Error + Send + Sync>> {
    let mut response = http.execute(request.map(reqwest::Body::wrap).try_into()?).await?;
    let mut answer = http::Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        *headers = response.headers().clone();
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST {
            return Err("an answer longer than any of ACME".into());
        }
        body.extend_from_slice(&chunk);
    }
    let (parts, body) = answer.body(body.freeze())?.into_parts();
    Ok(BytesResponse {
        parts,
        body: Box::new(body),
    })
}

/// Why there is no certificate.
#[derive(Debug)]
pub enum AcmeError {
    /// The server refused, in its own words (RFC 8555 section 6.7).
    Refused(String),
    /// The server does not answer, or not as ACME does.
    Server(String),
    /// The server offers no HTTP challenge for a host.
    NoHttpChallenge,
    /// The server did not find the answer to its challenge.
    NotReached(String),
    /// What was issued is no certificate, or of another key.
    Certificate(Refusal),
    /// The file of the account.
    Key(KeyError),
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        match error {
            instant_acme::Error::Api(problem) => Self::Refused(problem.to_string()),
            other => Self::Server(other.to_string()),
        }
    }
}

impl From<Refusal> for AcmeError {
    fn from(refusal: Refusal) -> Self {
        Self::Certificate(refusal)
    }
}

impl From<KeyError> for AcmeError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl Explained for AcmeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "acme-refused",
            Self::Server(_) => "acme-server",
            Self::NoHttpChallenge => "acme-no-http-challenge",
            Self::NotReached(_) => "acme-not-reached",
            Self::Certificate(refusal) => refusal.code(),
            Self::Key(error) => error.code(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Certificate(refusal) => refusal.kind(),
            Self::Key(error) => error.kind(),
            _ => Kind::Unavailable,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Refused(words) => Text::new(
                format!("Máy chủ ACME từ chối: {words}. Hãy sửa theo lời báo đó hoặc hỏi đơn vị cấp chứng thư."),
                format!("The ACME server refused: {words}. Mend what it names, or ask its CA."),
            ),
            Self::Server(reason) => Text::new(
                format!("Máy chủ ACME không trả lời đúng: {reason}. Hãy kiểm tra địa chỉ và mạng rồi thử lại."),
                format!(
                    "The ACME server does not answer as it should: {reason}. Look at address and network; try again."
                ),
            ),
            Self::NoHttpChallenge => Text::new(
                "Máy chủ ACME không cho xác nhận tên máy qua HTTP. Hãy chọn máy chủ khác hoặc xin cấp bằng CSR.",
                "The ACME server offers no HTTP challenge. Choose another, or have a certificate issued by a CSR.",
            ),
            Self::NotReached(hosts) => Text::new(
                format!("Máy chủ ACME không xác nhận được {hosts}. Cổng 80 của máy đó phải tới được từ bên ngoài."),
                format!(
                    "The ACME server could not confirm {hosts}. Port 80 of that host must be reachable from outside."
                ),
            ),
            Self::Certificate(refusal) => refusal.text(),
            Self::Key(error) => error.text(),
        }
    }
}

refuses!(AcmeError);
