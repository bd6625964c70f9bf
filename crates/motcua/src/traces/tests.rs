//! The exporter against collectors that are good, slow, down and mad: nothing but spans is ever lost.

use std::{
    path::PathBuf,
    sync::{
        Mutex as Lock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ::traces::Kind;
use axum::{Router, http::HeaderMap, response::IntoResponse, routing::any};
use tokio::{io::AsyncWriteExt, net::TcpListener, task::JoinHandle};

use super::{export::Pace, *};

const QUICK: Pace = Pace {
    gather: Duration::from_millis(20),
    answer: Duration::from_secs(1),
    again: Duration::from_millis(20),
    tries: 3,
    last: Duration::from_secs(3),
};

struct Running {
    traces: Arc<Traces>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    fn to(collector: &str, change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut config = Config {
            collector: collector.to_owned(),
            ..Config::default()
        };
        change(&mut config);
        let traces = Traces::open(&config, "https://h42.gov.vn/").expect("good").expect("on");
        let traces = Arc::new(traces.with(QUICK));
        let (stop, stopping) = watch::channel(false);
        let running = Arc::clone(&traces);
        let task = tokio::spawn(async move { running.run(stopping).await });
        Self { traces, stop, task }
    }

    fn end(&self, many: usize) {
        let tracer = self.traces.tracer();
        (0..many).for_each(|_| drop(tracer.begin(Kind::Internal, "x", None)));
    }

    async fn settled(&self, spans: u64) -> Exported {
        let begun = Instant::now();
        loop {
            let done = self.traces.exported();
            if done.exported + done.queue_full + done.not_delivered + done.rejected == spans {
                return done;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{done:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Traces {
    fn with(mut self, pace: Pace) -> Self {
        self.exporter.pace = pace;
        self
    }
}

async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}/v1/traces")
}

#[tokio::test]
async fn a_collector_gets_batches_with_its_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("headers");
    std::fs::write(
        &file,
        "# for the collector\n\nAuthorization: Bearer abc:d\nX-Scope: h42\n",
    )
    .expect("mine");
    let (got, batches) = (Arc::<Lock<Vec<usize>>>::default(), Arc::<AtomicUsize>::default());
    let (into, count) = (Arc::clone(&got), Arc::clone(&batches));
    let take = async move |headers: HeaderMap, body: String| {
        assert_eq!(headers["authorization"], "Bearer abc:d");
        assert_eq!(headers["x-scope"], "h42");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
            .as_array()
            .expect("spans")
            .len();
        into.lock().expect("whole").push(spans);
        count.fetch_add(1, Ordering::Relaxed);
        r#"{"partialSuccess":{"rejectedSpans":"1"}}"#
    };
    let collector = serve(Router::new().fallback(any(take))).await;
    let running = Running::to(&collector, |config| config.headers = Some(file));
    running.end(1_000);
    let done = running.settled(1_000).await;
    let many = batches.load(Ordering::Relaxed) as u64;
    assert_eq!((done.exported, done.rejected), (1_000 - many, many));
    let got = got.lock().expect("whole");
    assert!(
        got.iter().sum::<usize>() == 1_000 && got.iter().all(|spans| *spans <= 512) && got.len() < 10,
        "{got:?}"
    );
}

#[tokio::test]
async fn a_collector_that_is_down_costs_spans_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let running = Running::to(&format!("http://{address}/v1/traces"), |_| {});
    let (begun, spans) = (Instant::now(), ROOM + 1_000);
    running.end(spans);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "nobody waits: {:?}",
        begun.elapsed()
    );
    let done = running.settled(spans as u64).await;
    assert!(
        done.exported == 0 && done.queue_full >= 1 && done.not_delivered <= ROOM as u64 + 512,
        "{done:?}"
    );

    // It is there again, and so are spans.
    let listener = TcpListener::bind(address).await.expect("the same port");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(async || "{}"))).await });
    running.end(3);
    assert_eq!(running.settled(spans as u64 + 3).await.exported, 3);
}

#[tokio::test]
async fn what_a_collector_cannot_take_now_comes_again() {
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    let take = async move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => (http::StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "").into_response(),
        1 => (http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "soon")], "").into_response(),
        _ => "{}".into_response(),
    };
    let running = Running::to(&serve(Router::new().fallback(any(take))).await, |_| {});
    running.end(5);
    assert_eq!(running.settled(5).await.exported, 5);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_collector_that_refuses_hangs_or_raves_is_survived() {
    let refuses = serve(Router::new().fallback(any(async || http::StatusCode::BAD_REQUEST))).await;
    let moved = serve(Router::new().fallback(any(async || {
        (
            http::StatusCode::TEMPORARY_REDIRECT,
            [("location", "http://127.0.0.1:1/")],
        )
    })))
    .await;
    let raves = serve(Router::new().fallback(any(async || "\u{0}<html>".repeat(1 << 20)))).await;
    let mute = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hangs = format!("http://{}/", mute.local_addr().expect("an address"));
    let garbage = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let babbles = format!("http://{}/", garbage.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = garbage.accept().await {
            let _ = tcp.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
        }
    });
    for (collector, exported, not_delivered) in [
        (refuses, 0, 4),
        (moved, 0, 4),
        (raves, 4, 0),
        (hangs, 0, 4),
        (babbles, 0, 4),
    ] {
        let running = Running::to(&collector, |_| {});
        running.end(4);
        let done = running.settled(4).await;
        assert_eq!(
            (done.exported, done.not_delivered),
            (exported, not_delivered),
            "{collector}"
        );
    }
}

#[tokio::test]
async fn what_is_left_goes_out_when_the_node_stops_and_nothing_holds_it_up() {
    let running = Running::to(&serve(Router::new().fallback(any(async || "{}"))).await, |_| {});
    running.end(1_500);
    running.stop.send_replace(true);
    running.task.await.expect("no panic");
    assert_eq!(running.traces.exported().exported, 1_500);

    let mute = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let running = Running::to(&format!("http://{}/", mute.local_addr().expect("an address")), |_| {});
    running.end(1_500);
    let begun = Instant::now();
    running.stop.send_replace(true);
    running.task.await.expect("no panic");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(running.traces.exported().not_delivered, 1_500);
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("headers");
    std::fs::write(&file, "Authorization Bearer\n").expect("mine");
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = Config {
            collector: "http://127.0.0.1:4318/v1/traces".to_owned(),
            ..Config::default()
        };
        change(&mut config);
        Traces::open(&config, "http://x")
            .err()
            .map(|error| format!("{error:#}"))
    };
    assert_eq!(with(&|_| {}), None);
    for (change, says) in [
        (
            &(|c: &mut Config| c.collector = "ftp://x".to_owned()) as &dyn Fn(&mut Config),
            "http or https",
        ),
        (&|c: &mut Config| c.collector = "collector".to_owned(), "collector"),
        (&|c: &mut Config| c.share = 1.5, "traces.share"),
        (&|c: &mut Config| c.share = f64::NAN, "traces.share"),
        (
            &|c: &mut Config| c.headers = Some("/no/such/file".into()),
            "/no/such/file",
        ),
        (&|c: &mut Config| c.headers = Some(file.clone()), "line 1"),
        (&|c: &mut Config| c.ca = Some(file.clone()), "has no certificate"),
    ] {
        let said = with(change).expect("refused");
        assert!(said.contains(says) && !said.contains("Bearer"), "{said}");
    }
    assert!(Traces::open(&Config::default(), "http://x").expect("good").is_none());
}
