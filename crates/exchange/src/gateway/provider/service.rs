//! The services behind this node: at a URL, over HTTP/1.1 with connections that are kept, or in this process.

use std::{error::Error, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, Request, Response, Uri, header};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tower::ServiceExt;
use traces::Context;

use super::{
    super::{
        Caller, Inner,
        body::{Begun, Flow, Held, Payload, Reader, Source},
        flaw::{GatewayFlaw, Leg, refusal},
        wire,
    },
    admit::Admitted,
    answer::{Reply, ReplyBody},
    reads::looks_into_answers,
    resolve::Resolver,
};
use crate::model::{
    Field,
    error::{ErrorCode, Refusal},
    hosting::{LocalService, ServiceTarget},
};

/// Idle connections that are kept to one service.
const IDLE: usize = 256;

/// Clients of HTTP for services at URLs.
pub(in super::super) struct Services {
    verifying: Client<HttpsConnector<HttpConnector<Resolver>>, Payload>,
    trusting: Client<HttpsConnector<HttpConnector<Resolver>>, Payload>,
}

impl Services {
    /// Certificates are verified as the system does, or not at all.
    pub fn new(connect: Duration) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            || ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let verifying = builder()?.with_platform_verifier()?.with_no_client_auth();
        let trusting = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(Arc::clone(&provider))))
            .with_no_client_auth();
        Ok(Self {
            verifying: client(verifying, connect),
            trusting: client(trusting, connect),
        })
    }
}

fn client(tls: ClientConfig, connect: Duration) -> Client<HttpsConnector<HttpConnector<Resolver>>, Payload> {
    let mut http = HttpConnector::new_with_resolver(Resolver::new());
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect));
    let https = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(IDLE)
        .build(https)
}

impl Inner {
    /// Passes a request on. What is masked afterwards must come whole and as it is.
    pub(super) async fn forward(
        &self,
        service: &LocalService,
        admitted: &mut Admitted,
        masked: bool,
        trace: Option<&Context>,
    ) -> Result<Reply, Refusal> {
        let body = std::mem::replace(&mut admitted.body, Held::of(Vec::new()));
        let patience = self.limits.patience(service.timeout, body.length());
        let mut request = Request::new(Payload::from(body));
        *request.method_mut() = method(admitted);
        *request.headers_mut() = head(admitted, masked);
        if let Some(trace) = trace {
            trace.write(request.headers_mut());
        }
        let whole = if masked || looks_into_answers(service) {
            usize::try_from(self.limits.inspected).unwrap_or(usize::MAX)
        } else {
            self.limits.body_in_memory
        };
        let late = |_| refusal(ErrorCode::ServiceIoError, "service", GatewayFlaw::ServiceLate);
        match &service.target {
            ServiceTarget::Url(base) => {
                *request.uri_mut() = url(base, admitted)?;
                if let Some(credential) = &service.credential {
                    // In the place of what the consumer may have sent under that name.
                    let (header, value) = (credential.header.clone(), credential.value.clone());
                    request.headers_mut().insert(header, value);
                }
                let client = if service.verify_certificate {
                    &self.services.verifying
                } else {
                    &self.services.trusting
                };
                let answer = tokio::time::timeout(patience, client.request(request)).await;
                let answer = answer.map_err(late)?.map_err(|error| not_answered(&error))?;
                self.reply(answer, whole).await
            }
            ServiceTarget::Internal(name) => {
                let router = self.internal.get(name).cloned();
                let router =
                    router.ok_or_else(|| refusal(ErrorCode::ServiceMissingUrl, "service", GatewayFlaw::NoRouter))?;
                let path = admitted.record.target().at_provider("/");
                *request.uri_mut() = path.parse().map_err(|_| bad_url())?;
                request.extensions_mut().insert(Caller {
                    client: admitted.asked.client.clone(),
                    service: admitted.asked.service.clone(),
                    purpose: admitted.asked.purpose.clone(),
                    request_id: admitted.asked.request_id,
                });
                let answer = router.oneshot(request.map(axum::body::Body::new));
                let Ok(answer) = tokio::time::timeout(patience, answer).await.map_err(late)?;
                self.reply(answer, whole).await
            }
        }
    }

    async fn reply<B: Source>(&self, answer: Response<B>, memory: usize) -> Result<Reply, Refusal> {
        let (head, body) = answer.into_parts();
        let begun = async { Reader::new(body, &self.limits)?.begin(&self.room, memory).await };
        let body = match begun.await.map_err(|flaw| flaw.on(Leg::Service))? {
            Begun::Whole(held, _) => ReplyBody::Whole(held),
            Begun::More(pieces, reserved, reader) => ReplyBody::More(Flow::new(pieces, reserved, reader)),
        };
        Ok(Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

fn method(admitted: &Admitted) -> http::Method {
    http::Method::from_bytes(admitted.record.method().as_str().as_bytes()).unwrap_or_default()
}

/// All fields that the consumer's record covers. Where it accepts anything, it is taken to want JSON (PR-REST 4.3).
fn head(admitted: &Admitted, masked: bool) -> HeaderMap {
    const NOT_IN_PARTS: [HeaderName; 3] = [header::ACCEPT_ENCODING, header::RANGE, header::IF_RANGE];
    let fields = admitted.record.fields();
    let accept = !fields.iter().any(|field| field.is("accept"));
    let accept = accept.then(|| Field::ours("accept", "application/json"));
    let mut headers = wire::headers(fields.iter().cloned().chain(accept));
    if masked {
        NOT_IN_PARTS.iter().for_each(|name| drop(headers.remove(name)));
    }
    headers
}

fn url(base: &str, admitted: &Admitted) -> Result<Uri, Refusal> {
    let url: Uri = admitted
        .record
        .target()
        .at_provider(base)
        .parse()
        .map_err(|_| bad_url())?;
    match url.scheme_str() {
        Some("http" | "https") => Ok(url),
        _ => Err(bad_url()),
    }
}

fn bad_url() -> Refusal {
    refusal(ErrorCode::ServiceMissingUrl, "service", GatewayFlaw::BadUrl)
}

/// Why a service gave no answer.
fn not_answered(error: &legacy::Error) -> Refusal {
    use GatewayFlaw as F;
    tracing::info!(%error, cause = error.source().map(tracing::field::display), "a service did not answer");
    let causes = || std::iter::successors(error.source(), |cause| (*cause).source());
    let (code, flaw) = if error.is_connect() && causes().any(|cause| cause.to_string() == "dns error") {
        (ErrorCode::UnknownHost, F::ServiceUnknownHost)
    } else if error.is_connect() {
        (ErrorCode::ServerNetworkError, F::ServiceUnreachable)
    } else if causes()
        .filter_map(|cause| cause.downcast_ref())
        .any(hyper::Error::is_parse)
    {
        (ErrorCode::ServiceHttpError, F::ServiceNoHttp)
    } else {
        (ErrorCode::ServiceIoError, F::ServiceBroken)
    };
    refusal(code, "service", flaw)
}

/// Believes any certificate, for services on a network that their agency trusts; signatures must hold all the same.
#[derive(Debug)]
struct AnyServer(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &rustls::pki_types::CertificateDer<'_>,
        _intermediates: &[rustls::pki_types::CertificateDer<'_>],
        _server_name: &rustls::pki_types::ServerName<'_>,
        _ocsp_response: &[u8],
        _now: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &rustls::pki_types::CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &rustls::pki_types::CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
