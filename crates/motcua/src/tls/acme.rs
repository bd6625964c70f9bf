//! The certificate of the pages by ACME (RFC 8555): ordered when there is none for these hosts or a third of its life is
//! left, with challenges over HTTP.
//!
//! Whatever fails, the node goes on with the certificate that it has, and says so in `/readyz` and in the log.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ::traces::{Kind, Tracer};
use anyhow::{Context as _, bail};
use axum::{
    Router,
    extract::{OriginalUri, Path as Segment, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Clock, Text, Timestamp};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, sync::watch};
use trust::{
    Algorithm, Certificate, CertificateRequest,
    acme::{Account, Binding, Challenges},
    key::SigningKey,
};

use super::{PageCertificate, Shown, Trouble};
use crate::config::Config;

/// Certificate and key together, so that a crash leaves a pair that belongs together.
const FILE: &str = "pages.pem";
/// For which hosts and by which server it was issued.
const FOR: &str = "pages.for";
/// The code of a certificate that is not valid by this clock.
const OFF_CLOCK: &str = "acme-clock";

/// From whom, for whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address of the server's directory, `https://…`.
    pub directory: String,
    /// Whether you agree to the terms of the server. Without it nothing is ordered.
    #[serde(default)]
    pub terms_agreed: bool,
    /// Whom the server may tell of trouble: `mailto:…`.
    #[serde(default)]
    pub contact: Vec<String>,
    /// The hosts in the certificate. Default: that in the public address.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Where challenges are answered. The server calls port 80 of each host, which must lead here.
    #[serde(default = "port_80")]
    pub challenges: SocketAddr,
    /// The folder of account and certificate. Default: `acme` in the data.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// The CA of the server itself, PEM, if it is not one that the system believes.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// A file with what the server gave you for your account: the id of a key on the first line, the key in base64url on the
    /// second.
    #[serde(default)]
    pub binding: Option<PathBuf>,
}

fn port_80() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 80))
}

impl Settings {
    /// What can be seen before anything is done.
    ///
    /// # Errors
    /// The setting, and what is wrong with it.
    pub fn check(&self, public_url: &str) -> anyhow::Result<()> {
        if !self.directory.starts_with("https://") {
            bail!("directory: an ACME server is called over https (RFC 8555, 6.1)");
        }
        if !self.terms_agreed {
            bail!("terms_agreed: read the terms of the server, and say true");
        }
        if !public_url.starts_with("https://") {
            bail!("identity.public_url is to begin with https://");
        }
        if let Some(contact) = self.contact.iter().find(|contact| !contact.starts_with("mailto:")) {
            bail!("contact: {contact} does not begin with mailto:");
        }
        Ok(())
    }
}

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between looks whether it is time.
    pub look: Duration,
    /// After a failure; twice as long after each further one.
    pub again: Duration,
    /// At most: servers count failures.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(3_600),
            again: Duration::from_secs(60),
            longest: Duration::from_secs(6 * 3_600),
        }
    }
}

/// What keeps the certificate: orders, and the door at which the server looks for answers to its challenges.
pub struct Acme {
    pub(super) orders: Orders,
    door: Door,
}

/// What is ordered, from whom, and where it is kept.
pub struct Orders {
    settings: Settings,
    hosts: Vec<String>,
    folder: PathBuf,
    http: reqwest::Client,
    /// The CAs by which the server is believed, if not those of the system.
    authorities: Option<Vec<reqwest::Certificate>>,
    tracer: Tracer,
    binding: Option<Binding>,
    clock: Arc<dyn Clock>,
    page: Arc<PageCertificate>,
    challenges: Challenges,
    pub(super) pace: Pace,
}

/// Answers challenges, and sends people who come without TLS to the pages.
struct Door {
    listener: TcpListener,
    challenges: Challenges,
    public_url: String,
}

impl Acme {
    /// Reads what is there and binds the door; nobody is asked yet.
    ///
    /// # Errors
    /// A setting that cannot be used, an address that is taken.
    pub async fn open(
        config: &Config,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        page: Arc<PageCertificate>,
        tracer: Tracer,
    ) -> anyhow::Result<Self> {
        let public_url = config.identity.public_url.trim_end_matches('/').to_owned();
        settings.check(&public_url)?;
        let authorities = settings.ca.as_deref().map(super::authorities).transpose()?;
        let listener = TcpListener::bind(settings.challenges).await;
        let listener = listener.with_context(|| format!("challenges: listening on {}", settings.challenges))?;
        let challenges = Challenges::default();
        let orders = Orders {
            hosts: hosts(settings, &public_url)?,
            folder: settings.folder.clone().unwrap_or_else(|| config.data.join("acme")),
            http: client(authorities.as_deref(), HeaderMap::new())?,
            authorities,
            tracer,
            binding: settings.binding.as_deref().map(read_binding).transpose()?,
            settings: settings.clone(),
            clock,
            page,
            challenges: challenges.clone(),
            pace: Pace::default(),
        };
        fs::create_dir_all(&orders.folder).with_context(|| format!("making {}", orders.folder.display()))?;
        orders.remember();
        let door = Door {
            listener,
            challenges,
            public_url,
        };
        Ok(Self { orders, door })
    }

    /// Keeps the certificate until `stop` becomes true.
    pub async fn keep(self, mut stop: watch::Receiver<bool>) {
        let Self { orders, door } = self;
        let mut closing = stop.clone();
        let closed = async move {
            let _ = closing.wait_for(|stop| *stop).await;
        };
        let keep = async {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => {}
                () = orders.run() => {}
            }
        };
        let (answered, ()) = tokio::join!(door.serve(closed), keep);
        if let Err(error) = answered {
            tracing::error!(%error, "challenges are no longer answered");
        }
    }
}

/// What calls the server, with these headers on every call.
fn client(authorities: Option<&[reqwest::Certificate]>, headers: HeaderMap) -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .default_headers(headers);
    match authorities {
        Some(authorities) => client.tls_certs_only(authorities.to_vec()).build(),
        None => client.build(),
    }
}

fn hosts(settings: &Settings, public_url: &str) -> anyhow::Result<Vec<String>> {
    if !settings.hosts.is_empty() {
        return Ok(settings.hosts.clone());
    }
    let url: reqwest::Url = public_url.parse().context("identity.public_url")?;
    let host = url.host_str().context("identity.public_url has no host")?;
    Ok(vec![host.to_owned()])
}

fn read_binding(path: &Path) -> anyhow::Result<Binding> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut binding = || {
        let (id, key) = (lines.next()?, lines.next()?);
        let key = URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).ok()?;
        Some(Binding { id: id.to_owned(), key })
    };
    binding().with_context(|| {
        format!(
            "{}: the id of a key on the first line, the key in base64url on the second",
            path.display()
        )
    })
}

impl Orders {
    /// Shows what was issued before. One that cannot be read is as good as none: another is ordered.
    fn remember(&self) {
        let path = self.folder.join(FILE);
        match fs::read(&path) {
            Ok(pem) => match Shown::read(&pem, &pem) {
                Ok(shown) => self.page.show(shown),
                Err(error) => tracing::warn!(path = %path.display(), "a certificate cannot be used: {error:#}"),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "a certificate cannot be read"),
        }
    }

    /// Orders whenever it is time; for ever.
    async fn run(&self) {
        let mut pause = self.pace.again;
        loop {
            if !self.is_due() {
                tokio::time::sleep(self.pace.look).await;
                continue;
            }
            match self.order().await {
                Ok(()) => {
                    tracing::info!(until = ?self.page.until(), "the certificate of the pages was issued");
                    self.page.tell(None);
                    pause = self.pace.again;
                }
                Err(trouble) => {
                    // No clock is set in a minute, and servers count what they issue.
                    if trouble.code == OFF_CLOCK {
                        pause = self.pace.longest;
                    }
                    self.page.tell(Some(trouble));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(self.pace.longest);
                }
            }
        }
    }

    /// Whether a certificate has to be ordered now.
    fn is_due(&self) -> bool {
        let now = self.clock.now();
        let Some(shown) = self.page.shown() else { return true };
        shown.left(now) < shown.life() / 3 || fs::read(self.folder.join(FOR)).ok() != Some(self.wanted())
    }

    /// Server and hosts, as they stand beside the certificate.
    fn wanted(&self) -> Vec<u8> {
        format!("{}\n{}\n", self.settings.directory, self.hosts.join("\n")).into_bytes()
    }

    /// Orders a certificate: one span, which all calls of the order bear.
    async fn order(&self) -> Result<(), Trouble> {
        let mut span = self.tracer.begin(Kind::Client, "acme order", None);
        let mut headers = HeaderMap::new();
        if let Some(context) = span.context() {
            context.write(&mut headers);
        }
        // An order matters more than its trace.
        let http = client(self.authorities.as_deref(), headers).unwrap_or_else(|_| self.http.clone());
        let done = self.issued(http).await;
        if let Err(trouble) = &done {
            span.fail(|| trouble.code);
        }
        done
    }

    /// Has a certificate issued for a new key, keeps both, and shows it.
    async fn issued(&self, http: reqwest::Client) -> Result<(), Trouble> {
        let signer = SigningKey::generate(Algorithm::EcdsaP256)?;
        let request = CertificateRequest::for_hosts(&signer, &self.hosts)?;
        let account = self.account(http).await?;
        let chain = account.issue(&request, &self.challenges).await?;
        let mut pem = signer.to_pem()?.to_string();
        pem.extend(chain.iter().map(Certificate::to_pem));
        let shown = Shown::read(pem.as_bytes(), pem.as_bytes()).map_err(|error| unusable(&error))?;
        let now = self.clock.now();
        if now < shown.begins || shown.left(now) < shown.life() / 3 {
            return Err(off_clock(&shown, now));
        }
        // What it is for comes last: without it another is ordered.
        write(&self.folder.join(FILE), pem.as_bytes())
            .and_then(|()| write(&self.folder.join(FOR), &self.wanted()))
            .map_err(|error| not_kept(&error))?;
        self.page.show(shown);
        Ok(())
    }

    /// The account at the server, made when there is none. Another server, another account.
    async fn account(&self, http: reqwest::Client) -> Result<Account, Trouble> {
        let server = hex::encode(&Sha256::digest(&self.settings.directory)[..8]);
        let file = self.folder.join(format!("account-{server}.json"));
        if file.exists() {
            return Ok(Account::open(http, &file).await?);
        }
        let contact: Vec<&str> = self.settings.contact.iter().map(String::as_str).collect();
        Ok(Account::create(&self.settings.directory, http, &contact, self.binding.as_ref(), &file).await?)
    }
}

/// Written beside, for its owner alone, and renamed: a crash or a full disk leaves the old file or the new one.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let half = path.with_extension("tmp");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half, path)
}

fn unusable(error: &anyhow::Error) -> Trouble {
    Trouble {
        code: "acme-certificate",
        text: Text::new(
            format!("Chứng thư mà máy chủ ACME cấp không dùng được ({error:#}). Hãy hỏi đơn vị cấp chứng thư."),
            format!("What the ACME server issued cannot be used ({error:#}). Ask its CA."),
        ),
    }
}

fn not_kept(error: &std::io::Error) -> Trouble {
    Trouble {
        code: "acme-not-kept",
        text: Text::new(
            format!("Không ghi được chứng thư mới vào thư mục của ACME ({error}). Hãy kiểm tra đĩa và quyền ghi."),
            format!(
                "The new certificate could not be written into the folder of ACME ({error}). Look at disk and permissions."
            ),
        ),
    }
}

/// A new certificate that is not valid yet, or whose life is largely over: this clock or the server's is wrong. Were it taken,
/// another would be ordered at once.
fn off_clock(shown: &Shown, now: Timestamp) -> Trouble {
    let (begins, until, now) = (shown.begins.rfc3339(), shown.until.rfc3339(), now.rfc3339());
    Trouble {
        code: OFF_CLOCK,
        text: Text::new(
            format!(
                "Chứng thư mới có hiệu lực từ {begins} đến {until}, còn đồng hồ máy này là {now}. Hãy chỉnh đồng hồ (NTP)."
            ),
            format!(
                "The new certificate is valid from {begins} to {until}, but by the clock of this machine it is {now}. Set the clock (NTP)."
            ),
        ),
    }
}

impl Door {
    async fn serve(self, closed: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let answer = async |State(challenges): State<Challenges>, Segment(token): Segment<String>| {
            let octets = [(header::CONTENT_TYPE, "application/octet-stream")];
            match challenges.answer(&token) {
                Some(answer) => (octets, answer).into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        };
        let public_url = self.public_url;
        let onward = move |method: Method, OriginalUri(uri): OriginalUri| {
            let place = uri.path_and_query().map_or("/", |place| place.as_str());
            std::future::ready(onward(&method, &format!("{public_url}{place}")))
        };
        let routes = Router::new()
            .route("/.well-known/acme-challenge/{token}", get(answer))
            .with_state(self.challenges)
            .fallback(onward);
        axum::serve(self.listener, routes).with_graceful_shutdown(closed).await
    }
}

/// To the same place over TLS. A form that came without TLS is not sent again.
fn onward(method: &Method, place: &str) -> Response {
    match HeaderValue::from_str(place) {
        Ok(place) if matches!(*method, Method::GET | Method::HEAD) => {
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, place)]).into_response()
        }
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}
