//! A witness sees to which trace its question belongs, and the collector has the span.

use std::sync::Mutex;

use axum::{extract::Request, http::HeaderMap, middleware, routing::post};
use serde_json::Value;

use super::*;
use crate::traces::{self, Traces};

/// Keeps what comes, and answers `{}`.
async fn collector() -> (String, Arc<Mutex<Vec<Value>>>) {
    let got = Arc::<Mutex<Vec<Value>>>::default();
    let into = Arc::clone(&got);
    let take = async move |body: String| {
        into.lock()
            .expect("whole")
            .push(serde_json::from_str(&body).expect("JSON"));
        "{}"
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (format!("http://{address}/v1/traces"), got)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_to_a_witness_is_a_span_and_bears_its_place() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (to, got) = collector().await;
    let config = traces::Config {
        collector: to,
        ..traces::Config::default()
    };
    let traces = Arc::new(
        Traces::open(&config, "https://h42.example/")
            .expect("good")
            .expect("on"),
    );
    let (end, ending) = watch::channel(false);
    let exporting = Arc::clone(&traces);
    let exported = tokio::spawn(async move { exporting.run(ending).await });

    let dir = tempfile::tempdir().expect("a folder");
    let ledger = log(dir.path(), "h42.example/ledger");
    fill(&ledger.log, "a", 3).await;
    let key = Arc::new(FileKey::generate("one.example", Algorithm::CosignatureV1).expect("a key"));
    let verifier = key.verifier();
    let clock = Arc::new(SystemClock);
    let witness = Witness::open(&dir.path().join("w"), vec![key], ledger.keys.clone(), clock).expect("a witness");
    let heard = Arc::<Mutex<Vec<HeaderMap>>>::default();
    let listening = Arc::clone(&heard);
    let app = Router::new()
        .nest("/w", ::ledger::http::witness(Arc::new(witness)))
        .layer(middleware::from_fn(move |request: Request, next: middleware::Next| {
            listening.lock().expect("whole").push(request.headers().clone());
            next.run(request)
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/w/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let config = config::Ledger {
        witnesses: vec![config::Witness { url, key: verifier }],
        quorum: Some(1),
        ..config::Ledger::default()
    };
    let cosigning = Cosigning::new(&config, ledger.clone(), None, QUICK, traces.tracer()).expect("witnesses");
    let (stop, stopping) = watch::channel(false);
    let asking = tokio::spawn(Arc::new(cosigning).run(stopping));
    until("it is cosigned", async || ledger.log.cosigned()).await;
    stop.send_replace(true);
    asking.await.expect("no panic");
    end.send_replace(true);
    exported.await.expect("no panic");

    let spans: Vec<Value> = got
        .lock()
        .expect("whole")
        .iter()
        .flat_map(|body| {
            body["resourceSpans"][0]["scopeSpans"][0]["spans"]
                .as_array()
                .expect("spans")
                .clone()
        })
        .filter(|span| span["name"] == "witness")
        .collect();
    let heard = heard.lock().expect("whole");
    assert!(
        !spans.is_empty() && spans.len() == heard.len(),
        "{} {}",
        spans.len(),
        heard.len()
    );
    for (span, headers) in spans.iter().zip(heard.iter()) {
        let text = |name: &str| span[name].as_str().expect("a text").to_owned();
        let place = format!("00-{}-{}-03", text("traceId"), text("spanId"));
        assert_eq!(headers["traceparent"], place.as_str());
        assert_eq!(span["kind"], 3, "a client's");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stamping_and_copying_are_spans_that_say_why_they_failed() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sampling = ::traces::Sampling {
        share: 1.0,
        follow: true,
    };
    let (tracer, mut ended) = Tracer::new(sampling, 64);
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = log(&dir.path().join("log"), "h42.example/ledger");
    fill(&ledger.log, "a", 3).await;
    let mut next = async || {
        let span = tokio::time::timeout(Duration::from_secs(20), ended.recv()).await;
        let span = span.expect("in time").expect("a span");
        let errors = span.attributes.iter().filter(|(key, _)| *key == ::traces::Key::Error);
        let error = errors.map(|(_, value)| value.clone()).next();
        assert_eq!((span.kind, span.failed), (::traces::Kind::Client, error.is_some()));
        (span.name.into_owned(), error)
    };

    let tsa = Tsa::start().await;
    let timestamps = |url: &str| config::Timestamps {
        url: url.to_owned(),
        every: config::Every::Hourly,
        roots: vec![tsa.root()],
    };
    for (url, error) in [
        (tsa.url.as_str(), None),
        ("http://127.0.0.1:9/", Some("timestamp-unreachable")),
    ] {
        let own = log(&dir.path().join(error.unwrap_or("stamped")), "h42.example/ledger");
        fill(&own.log, "a", 3).await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let stamping = Stamping::open(&timestamps(url), Arc::clone(&own.log), clock, tracer.clone()).expect("roots");
        let (_stop, stopping) = watch::channel(false);
        let task = tokio::spawn(Arc::new(stamping).run(stopping));
        assert_eq!(next().await, ("timestamp".to_owned(), error.map(Into::into)));
        task.abort();
    }

    let mirror = config::Mirror {
        folder: Some(dir.path().join("copy")),
        ..config::Mirror::default()
    };
    let stranger = log(&dir.path().join("other"), "h42.example/ledger");
    fill(&stranger.log, "o", 1).await;
    for (of, error) in [(&ledger, None), (&stranger, Some("ahead"))] {
        let copying = Copying::open(&mirror, Arc::clone(&of.log), tracer.clone()).expect("a place");
        let (_stop, stopping) = watch::channel(false);
        let task = tokio::spawn(Arc::new(copying).run(stopping));
        assert_eq!(next().await, ("mirror".to_owned(), error.map(Into::into)));
        task.abort();
    }
}
