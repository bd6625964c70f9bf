//! Listeners: for information systems, and for other nodes.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use trust::Purpose;

use super::{Gateway, Inner, consumer::Origin, figures::count, flaw::refusal, peer::Peer, stall::Stall};
use crate::model::{
    error::{ErrorCode, Refusal},
    federation::View,
    headers::MOST_FIELDS,
    identifier::MemberId,
};

/// What may be on the way to one stream of HTTP/2, in bytes.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;
/// What may be on the way on one connection of HTTP/2, in bytes.
pub(super) const CONNECTION_WINDOW: u32 = 8 << 20;
/// The largest frame of HTTP/2, in bytes.
pub(super) const FRAME: u32 = 64 << 10;
/// The largest head between nodes as HTTP/2 counts it: 40 KiB of fields, three of the evidence of 8 KiB each, and 32 bytes
/// for each field.
pub(super) const HEAD: u32 = 96 << 10;
/// A silent connection of HTTP/2 is asked whether it is still there.
pub(super) const PING: Duration = Duration::from_secs(20);
/// It has this long to answer.
pub(super) const PONG: Duration = Duration::from_secs(10);

/// The largest head of an information system, in bytes: the model's 32 KiB, the longest request target, and what is of the
/// hop.
const EDGE_HEAD: usize = 64 << 10;

/// What a client of HTTP/2 says first, in bytes (RFC 9113, 3.4). No other limit holds before it.
const PREFACE: usize = 24;

/// After an error of `accept`, such as too many open files.
const BREATH: Duration = Duration::from_millis(50);

impl Gateway {
    /// Serves information systems over HTTP/1.1 and HTTP/2, with TLS if a configuration is given, until `shutdown`; then
    /// finishes what is in hand.
    ///
    /// # Errors
    /// None in practice: the listener is bound already.
    pub async fn serve_edge(
        &self,
        listener: TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let acceptor = tls.map(TlsAcceptor::from);
        let each = |accepted: Accepted| {
            let (inner, acceptor) = (Arc::clone(&self.inner), acceptor.clone());
            async move {
                let from = accepted.from;
                match acceptor {
                    None => inner.edge(accepted.tcp, from, accepted.watcher).await,
                    Some(acceptor) => match inner.in_time(acceptor.accept(accepted.tcp)).await {
                        Some(tls) => inner.edge(tls, from, accepted.watcher).await,
                        None => tracing::debug!(%from, "no handshake"),
                    },
                }
            }
        };
        self.listen(listener, shutdown, each).await;
        Ok(())
    }

    /// Serves other nodes, over HTTP/2 and mutual TLS 1.3, until `shutdown`; then finishes what is in hand.
    ///
    /// # Errors
    /// When the system has no randomness for the keys of TLS tickets.
    pub async fn serve_peers(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let config = self.inner.tls.server(&[b"h2"]).map_err(io::Error::other)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let each = |accepted: Accepted| {
            let (inner, acceptor) = (Arc::clone(&self.inner), acceptor.clone());
            async move {
                match inner.in_time(acceptor.accept(accepted.tcp)).await {
                    Some(tls) => {
                        let peer = Peer::new(tls.get_ref().1.peer_certificates(), Purpose::Client);
                        inner.node(tls, peer, accepted.watcher).await;
                    }
                    None => tracing::debug!(from = %accepted.from, "no handshake"),
                }
            }
        };
        self.listen(listener, shutdown, each).await;
        Ok(())
    }

    async fn listen<F>(&self, listener: TcpListener, shutdown: impl Future<Output = ()>, each: impl Fn(Accepted) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let room = Arc::new(Semaphore::new(self.inner.limits.connections));
        let graceful = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            // Whoever comes when all places are taken waits in the queue of the system.
            let accept = async {
                let place = Arc::clone(&room).acquire_owned().await.map_err(io::Error::other)?;
                let (tcp, from) = listener.accept().await?;
                Ok::<_, io::Error>((tcp, from, place))
            };
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept => accepted,
            };
            match accepted {
                Ok((tcp, from, place)) => {
                    // It is served as well without.
                    let _ = tcp.set_nodelay(true);
                    count(&self.inner.meter.connections);
                    let watcher = graceful.watcher();
                    let served = each(Accepted { tcp, from, watcher });
                    tokio::spawn(Self::hold(place, served));
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        drop(listener);
        let drained = async {
            graceful.shutdown().await;
            self.inner.hands.empty().await;
        };
        if tokio::time::timeout(self.inner.limits.drain, drained).await.is_err() {
            tracing::warn!("what was in hand did not end in time");
        }
    }

    async fn hold(place: OwnedSemaphorePermit, served: impl Future<Output = ()>) {
        served.await;
        drop(place);
    }
}

/// A connection that has come.
struct Accepted {
    tcp: TcpStream,
    from: SocketAddr,
    watcher: Watcher,
}

impl Inner {
    async fn in_time<T>(&self, handshake: impl Future<Output = io::Result<T>>) -> Option<T> {
        tokio::time::timeout(self.limits.connect, handshake).await.ok()?.ok()
    }

    /// One connection of information systems.
    async fn edge<I>(self: Arc<Self>, stream: I, from: SocketAddr, watcher: Watcher)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = Arc::new(AtomicBool::new(false));
        let service = {
            let (inner, begun) = (Arc::clone(&self), Arc::clone(&begun));
            service_fn(move |request: hyper::Request<Incoming>| {
                begun.store(true, Ordering::Relaxed);
                let inner = Arc::clone(&inner);
                // In a box, because a connection keeps room for it while it is idle.
                Box::pin(async move { Ok::<_, Infallible>(inner.consume(Origin::Network(from.ip()), request).await) })
            })
        };
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_headers(MOST_FIELDS + 20)
            .max_buf_size(EDGE_HEAD)
            .half_close(true);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(EDGE_HEAD as u32)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG);
        let connection = builder
            .serve_connection(TokioIo::new(Stall::new(stream, self.limits.idle)), service)
            .into_owned();
        let mut connection = pin!(watcher.watch(connection));
        // Before its first request a connection does not say which HTTP it speaks, and no other limit holds yet.
        let first = tokio::time::timeout(self.limits.head, &mut connection).await;
        if first.is_err() && begun.load(Ordering::Relaxed) {
            // Whatever ends it now is the caller's matter.
            let _ = connection.await;
        }
    }

    /// One connection of another node.
    async fn node<I>(self: Arc<Self>, stream: I, peer: Peer, watcher: Watcher)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (inner, peer) = (Arc::clone(&self), Arc::new(peer));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (inner, peer) = (Arc::clone(&inner), Arc::clone(&peer));
            async move {
                let member = inner.caller(&peer);
                Ok::<_, Infallible>(inner.receive(member, request).await)
            }
        });
        let stream = Stall::new(stream, self.limits.idle).greeted(PREFACE, self.limits.head);
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            .max_header_list_size(HEAD)
            .max_send_buf_size(STREAM_WINDOW as usize)
            .auto_date_header(false)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection of another node ended");
        }
    }

    /// Check 1: the member whose node calls, which this node talks to.
    fn caller(&self, peer: &Peer) -> Result<Arc<MemberId>, Refusal> {
        let view: Arc<View> = Arc::clone(&self.directory.load().view);
        let member = peer.member(&self.tls, &view, self.clock.now())?;
        let code = ErrorCode::ServerSslAuthenticationFailed;
        self.acquainted(&member)
            .map_err(|flaw| refusal(code, "directory", flaw))?;
        Ok(member)
    }
}
