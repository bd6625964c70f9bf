//! Connections to the gateways of others: HTTP/2 over mutual TLS, kept and shared.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http::{
    Request, Response, Uri,
    uri::{Authority, Scheme},
};
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trust::Purpose;

use super::{
    super::{
        Inner,
        body::Payload,
        figures::count,
        flaw::{GatewayFlaw, Leg, explained, refusal},
        peer::Peer,
        serve::{CONNECTION_WINDOW, FRAME, HEAD, PING, PONG, STREAM_WINDOW},
    },
    Prepared,
    exchange::Sending,
};
use crate::model::{
    error::{ErrorCode, Refusal},
    federation::{Gateway, View},
    identifier::{MemberId, ServerId},
};

/// Messages on a connection before another one is opened beside it.
const CROWDED: usize = 16;

/// For how long a gateway that could not be reached is tried last.
const AVOIDED: Duration = Duration::from_secs(10);

/// All connections, by gateway.
#[derive(Default)]
pub(in super::super) struct Links(Mutex<HashMap<ServerId, Arc<Route>>>);

/// The way to one gateway.
struct Route {
    address: String,
    member: MemberId,
    authority: Authority,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    open: Mutex<Vec<Arc<Link>>>,
    /// Held while a connection is opened: who finds none waits for it.
    opening: tokio::sync::Mutex<()>,
    /// When it could not be reached.
    failed: Mutex<Option<Instant>>,
}

/// One connection.
struct Link {
    sender: SendRequest<Payload>,
    peer: Peer,
    busy: AtomicUsize,
    /// Which of its certificates this node showed ([`trust::Tls::shown`]).
    shown: u64,
}

/// A connection in use.
struct Using(Arc<Link>);

impl Using {
    fn of(link: &Arc<Link>) -> Self {
        link.busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(link))
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    /// Sends a request to the first of the gateways that can be reached. Once it may have been sent it is not sent again
    /// (`docs/protocol.md`, 8).
    pub(super) async fn carry(
        self: &Arc<Self>,
        prepared: &Prepared,
        mut request: Request<Payload>,
        sending: &mut Sending,
    ) -> Result<Response<Incoming>, Refusal> {
        let mut unreachable = refusal(ErrorCode::UnknownMember, "path", GatewayFlaw::NoGateway);
        let mut gateways = prepared.gateways()?;
        gateways.sort_by_cached_key(|gateway| self.is_avoided(prepared, gateway));
        for gateway in gateways {
            // A second time when a connection turns out to be closed before anything was sent on it.
            for _ in 0..2 {
                let (route, link) = match self.link(prepared, gateway).await {
                    Ok(found) => found,
                    Err(refusal) => {
                        tracing::warn!(gateway = %gateway.address, %refusal, "a gateway cannot be reached");
                        unreachable = refusal;
                        break;
                    }
                };
                *request.uri_mut() = at(&route.authority, request.uri());
                let answer = link.0.sender.clone().try_send_request(request);
                // However long the request takes, its answer has the same time, and that for passing the body on.
                let late = async {
                    sending.done().await;
                    tokio::time::sleep(self.limits.patience(self.limits.answer, sending.length())).await;
                };
                let mut error = tokio::select! {
                    biased;
                    answer = answer => match answer {
                        Ok(answer) => return Ok(answer),
                        Err(error) => error,
                    },
                    () = late => return Err(lost(GatewayFlaw::AnswerLate)),
                };
                // A body that does not come breaks the stream off; the fault is not the other node's.
                if let Some(flaw) = sending.flaw() {
                    return Err(flaw.on(Leg::Consumer));
                }
                let Some(unsent) = error.take_message() else {
                    tracing::warn!(gateway = %gateway.address, error = %error.error(), "a gateway broke off");
                    return Err(lost(GatewayFlaw::BrokeOff));
                };
                request = unsent;
                route.close(&link.0);
                unreachable = refusal(ErrorCode::ClientNetworkError, "gateway", GatewayFlaw::Unreachable);
            }
        }
        Err(unreachable)
    }

    /// Whether a gateway could not be reached lately: it is tried last, so that not every request waits for it.
    fn is_avoided(&self, prepared: &Prepared, gateway: &Gateway) -> bool {
        let route = self.route(prepared, gateway);
        route.is_ok_and(|route| route.failed().is_some_and(|at| at.elapsed() < AVOIDED))
    }

    /// A connection to a gateway whose certificate is believed now.
    async fn link(self: &Arc<Self>, prepared: &Prepared, gateway: &Gateway) -> Result<(Arc<Route>, Using), Refusal> {
        let route = self.route(prepared, gateway)?;
        loop {
            if let Some(link) = route.least_busy() {
                match self.member(&link.0.peer, prepared) {
                    Ok(member) if *member == route.member && link.0.shown == self.tls.shown() => {
                        self.relieve(&route, &link, prepared);
                        return Ok((route, link));
                    }
                    _ => route.close(&link.0),
                }
                continue;
            }
            let opening = route.opening.lock().await;
            if route.least_busy().is_some() {
                continue;
            }
            let connected = self.connect(&route, &prepared.view).await;
            *route.failed() = connected.is_err().then(Instant::now);
            let link = connected?;
            drop(opening);
            let link = Using::of(&link);
            return Ok((route, link));
        }
    }

    fn member(&self, peer: &Peer, prepared: &Prepared) -> Result<Arc<MemberId>, Refusal> {
        peer.member(&self.tls, &prepared.view, self.clock.now())
    }

    fn route(&self, prepared: &Prepared, gateway: &Gateway) -> Result<Arc<Route>, Refusal> {
        let server = ServerId {
            owner: prepared.target.service().provider.member.clone(),
            code: gateway.code.clone(),
        };
        let mut routes = self.links.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(&server)
            && route.address == gateway.address
        {
            return Ok(Arc::clone(route));
        }
        let route = Arc::new(self.new_route(&server, gateway)?);
        routes.insert(server, Arc::clone(&route));
        Ok(route)
    }

    fn new_route(&self, server: &ServerId, gateway: &Gateway) -> Result<Route, Refusal> {
        let unreachable = || refusal(ErrorCode::ClientNetworkError, "gateway", GatewayFlaw::Unreachable);
        let authority: Authority = gateway.address.parse().map_err(|_| unreachable())?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let member: trust::MemberId = server
            .owner
            .to_string()
            .parse()
            .map_err(|reason: trust::Refusal| explained(ErrorCode::ClientNetworkError, "gateway", &reason))?;
        Ok(Route {
            address: gateway.address.clone(),
            member: server.owner.clone(),
            authority,
            name: ServerName::try_from(host).map_err(|_| unreachable())?,
            tls: Arc::new(self.tls.client(&member, &[b"h2"]).map_err(|_| unreachable())?),
            open: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
        })
    }

    /// Opens another connection aside when the least busy one is crowded.
    fn relieve(self: &Arc<Self>, route: &Arc<Route>, link: &Using, prepared: &Prepared) {
        let crowded = link.0.busy.load(Ordering::Relaxed) > CROWDED;
        if !crowded || route.count() >= self.limits.links {
            return;
        }
        let (inner, route, view) = (Arc::clone(self), Arc::clone(route), Arc::clone(&prepared.view));
        tokio::spawn(async move {
            if let Ok(_opening) = route.opening.try_lock()
                && route.count() < inner.limits.links
                && let Err(refusal) = inner.connect(&route, &view).await
            {
                tracing::info!(%refusal, "a further connection could not be opened");
            }
        });
    }

    async fn connect(&self, route: &Route, view: &Arc<View>) -> Result<Arc<Link>, Refusal> {
        let unreachable = |flaw| refusal(ErrorCode::ClientNetworkError, "gateway", flaw);
        let shown = self.tls.shown();
        let connected = async {
            let tcp = TcpStream::connect(&route.address).await?;
            tcp.set_nodelay(true)?;
            TlsConnector::from(Arc::clone(&route.tls))
                .connect(route.name.clone(), tcp)
                .await
        };
        let connected = tokio::time::timeout(self.limits.connect, connected).await;
        let tls = connected
            .map_err(|_| unreachable(GatewayFlaw::Unreachable))?
            .map_err(|error| not_connected(&error))?;
        let (_, session) = tls.get_ref();
        if session.alpn_protocol() != Some(b"h2") {
            return Err(unreachable(GatewayFlaw::NoHttp2));
        }
        let peer = Peer::new(session.peer_certificates(), Purpose::Server);
        if *peer.member(&self.tls, view, self.clock.now())? != route.member {
            return Err(unreachable(GatewayFlaw::NotListed));
        }
        let shaken = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            // Until the other node says how many it takes.
            .initial_max_send_streams(1)
            .max_frame_size(FRAME)
            .max_header_list_size(HEAD)
            .max_send_buf_size(STREAM_WINDOW as usize)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(tls))
            .await;
        let (sender, connection) = shaken.map_err(|_| unreachable(GatewayFlaw::NoHttp2))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::info!(%error, "a connection to another node ended");
            }
        });
        count(&self.meter.links_opened);
        let link = Arc::new(Link {
            sender,
            peer,
            busy: AtomicUsize::new(0),
            shown,
        });
        route.locked().push(Arc::clone(&link));
        Ok(link)
    }
}

impl Route {
    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Link>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> usize {
        self.locked().len()
    }

    fn least_busy(&self) -> Option<Using> {
        let mut open = self.locked();
        open.retain(|link| !link.sender.is_closed());
        let link = open.iter().min_by_key(|link| link.busy.load(Ordering::Relaxed))?;
        Some(Using::of(link))
    }

    /// Takes a connection out of use; what is on it goes on to its end.
    fn close(&self, link: &Arc<Link>) {
        self.locked().retain(|other| !Arc::ptr_eq(other, link));
    }
}

/// The request target at a gateway. The path stays byte for byte.
fn at(authority: &Authority, uri: &Uri) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority.clone());
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_default()
}

fn lost(flaw: GatewayFlaw) -> Refusal {
    refusal(ErrorCode::ClientIoError, "gateway", flaw)
}

/// Why there is no connection: what is wrong with the other node's certificate, or that it cannot be reached.
fn not_connected(error: &io::Error) -> Refusal {
    let code = ErrorCode::ClientNetworkError;
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(refusals) = tls.and_then(trust::tls::refusals) {
        return explained(code, "certificate", refusals);
    }
    tracing::info!(%error, "a gateway cannot be reached");
    refusal(code, "gateway", GatewayFlaw::Unreachable)
}
