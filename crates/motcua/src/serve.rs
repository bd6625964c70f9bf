//! Listening, with or without TLS, until asked to stop.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use axum::{Router, extract::State, response::IntoResponse, routing::get};
use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use http::{StatusCode, header};
use tokio::sync::watch;

use crate::{following, node::Node, tls::PageTls};

/// Serves until the process is asked to stop; then requests and jobs in hand are finished.
///
/// # Errors
/// The address is taken, or the certificate cannot be read.
pub async fn serve(node: Node, ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    serve_until(asked_to_stop(), node, ready).await
}

/// Serves until `asked` is done; then requests and jobs in hand are finished.
///
/// # Errors
/// As [`serve`].
pub async fn serve_until(
    asked: impl Future<Output = ()> + Send + 'static,
    node: Node,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let http = node.config().http.clone();
    node.open_ledger().await?;
    node.open_exchange().await?;
    identity::schedule(&node.store, node.clock.now()).await?;
    node.dossiers.schedule(node.clock.now()).await?;
    let (stop, stopping) = watch::channel(false);
    let jobs = tokio::spawn(node.runner().run(stopping.clone()));
    let messages = tokio::spawn(node.messenger().run(stopping.clone()));
    let exchange = node.exchange().cloned().map(|exchange| {
        let (store, stopping) = (node.store.clone(), stopping.clone());
        tokio::spawn(async move { exchange.run(&store, stopping).await })
    });
    let following = tokio::spawn(following::run(node.clone(), stopping.clone()));
    let guarded = node
        .guarded()
        .cloned()
        .map(|guarded| tokio::spawn(guarded.run(stopping.clone())));
    let watcher = tokio::spawn(watch_catalogue(node.clone(), stopping.clone()));
    let pages_stopping = stopping.clone();
    let figures = http
        .metrics
        .map(|address| tokio::spawn(serve_metrics(address, node.clone(), stopping)));

    let page = PageTls::open(node.config(), &node.clock, node.tracer()).await?;
    let tls = page.as_ref().map(PageTls::server).transpose()?;
    let page = page.map(|page| {
        node.watch_page_certificate(&page.certificate);
        tokio::spawn(page.keep(pages_stopping))
    });
    let (export_rest, last) = watch::channel(false);
    let traces = node.traces().cloned();
    let traces = traces.map(|traces| tokio::spawn(async move { traces.run(last).await }));

    let handle = Handle::new();
    let drain = Duration::from_secs(http.drain_seconds);
    let (ending, end) = (handle.clone(), stop.clone());
    tokio::spawn(async move {
        asked.await;
        tracing::info!("stopping: requests and jobs in hand are finished");
        let _ = end.send(true);
        ending.graceful_shutdown(Some(drain));
    });

    let app = node.router().into_make_service_with_connect_info::<SocketAddr>();
    let listener = std::net::TcpListener::bind(http.listen).with_context(|| format!("listening on {}", http.listen))?;
    listener.set_nonblocking(true)?;
    ready(listener.local_addr()?);
    let served = match tls {
        Some(tls) => {
            axum_server::from_tcp(listener)?
                .acceptor(RustlsAcceptor::new(RustlsConfig::from_config(tls)).acceptor(NoDelayAcceptor::new()))
                .handle(handle)
                .serve(app)
                .await
        }
        None => {
            axum_server::from_tcp(listener)?
                .acceptor(NoDelayAcceptor::new())
                .handle(handle)
                .serve(app)
                .await
        }
    };
    let _ = stop.send(true);
    let _ = jobs.await;
    let _ = messages.await;
    let _ = watcher.await;
    let _ = following.await;
    if let Some(guarded) = guarded {
        let _ = guarded.await;
    }
    if let Some(exchange) = exchange {
        exchange.await??;
    }
    if let Some(figures) = figures {
        let _ = figures.await;
    }
    if let Some(page) = page {
        let _ = page.await;
    }
    // Last, because all of the above has spans.
    if let Some(traces) = traces {
        let _ = export_rest.send(true);
        let _ = traces.await;
    }
    node.store.close().await;
    served.context("serving")
}

/// Waits until standard input ends. It is read in a thread of its own that nobody waits for.
pub async fn input_ended() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    // A thread that is gone has ended it, too.
    let _ = end.await;
}

/// Waits until the process is asked to stop: Ctrl+C, SIGTERM.
pub async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => {
                let _ = interrupt.await;
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupt.await;
    }
}

/// Procedures imported and registries published by another process or node appear here within a minute; and so does a new day's law.
async fn watch_catalogue(node: Node, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(Duration::from_secs(60)) => {
                if let Err(error) = node.catalogue.refresh(node.clock.now().legal_date()).await {
                    tracing::warn!(%error, "the catalogue could not be read again");
                }
                if let Err(error) = node.registries.shelf().refresh().await {
                    tracing::warn!(%error, "the registries could not be read again");
                }
            }
        }
    }
}

async fn serve_metrics(address: SocketAddr, node: Node, mut stop: watch::Receiver<bool>) {
    let app = Router::new()
        .route("/metrics", get(figures))
        .route("/readyz", get(ready))
        .with_state(node);
    match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => {
            let until = async move {
                let _ = stop.changed().await;
            };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
                tracing::error!(%error, "the figures are no longer served");
            }
        }
        Err(error) => tracing::error!(%address, %error, "the figures cannot be served"),
    }
}

async fn ready(State(node): State<Node>) -> impl IntoResponse {
    crate::watch::ready(&node).await
}

async fn figures(State(node): State<Node>) -> impl IntoResponse {
    match crate::watch::figures(&node).await {
        Ok(text) => (
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
