//! How much, how long, how many: bodies that nobody holds, callers that dawdle, and the end.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use exchange::model::tracker::Place;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    http::{Answer, get, head, post, raw, request, stream},
    peer::{connect, message, shaken},
    services::{counting, echo, large, rude, serve},
    world::{Setup, World, at, service},
};

const REG: &str = "/r1/VN/GOV/B/reg";
const MB: u64 = 1 << 20;

/// A body of so many bytes, made while it is sent.
fn upload(bytes: u64) -> StreamBody<impl futures::Stream<Item = Result<Frame<Bytes>, io::Error>> + Send + 'static> {
    let block = Bytes::from(vec![b'u'; 64 << 10]);
    StreamBody::new(futures::stream::unfold(bytes, move |left| {
        let piece = block.slice(..usize::try_from(left.min(64 << 10)).expect("small"));
        async move { (left > 0).then(|| (Ok(Frame::data(piece.clone())), left - piece.len() as u64)) }
    }))
}

/// Takes a body and says its length.
async fn sink() -> String {
    let count = |request: axum::extract::Request| async move {
        let length = request
            .headers()
            .get("content-length")
            .map_or("none".to_owned(), |v| v.to_str().expect("ASCII").to_owned());
        let (mut body, mut bytes) = (request.into_body(), 0);
        while let Some(frame) = body.frame().await {
            bytes += frame.expect("a body").data_ref().map_or(0, Bytes::len);
        }
        format!("{bytes} {length}")
    };
    serve(axum::Router::new().fallback(axum::routing::any(count))).await
}

/// Resident memory now, and the most so far, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("there");
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number");
    kib * 1024
}

/// The highest that memory was while something ran, above what it was before.
async fn growth<T>(work: impl Future<Output = T>) -> (T, u64) {
    let before = resident();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let watching = std::thread::spawn(move || {
        let mut most = 0;
        while stopped
            .recv_timeout(Duration::from_millis(5))
            .is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            most = most.max(resident());
        }
        most
    });
    let done = work.await;
    drop(stop);
    (done, watching.join().expect("no panic").saturating_sub(before))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_megabytes_go_through_in_flat_memory() {
    let services = [("sink", at(&sink().await)), ("large", at(&large().await))];
    let world = World::new(Setup::consumer(), Setup::provider(services)).await;
    let (answer, up) = growth(stream(
        world.a.edge,
        request("PUT", &format!("{REG}/sink"))
            .body(upload(200 * MB))
            .expect("a request"),
    ))
    .await;
    assert_eq!(
        (answer.status, &answer.body[..]),
        (200, format!("{0} {0}", 200 * MB).as_bytes()),
        "with its length"
    );
    let (bytes, down) = growth(async {
        let call = request("GET", &format!("{REG}/large?{}", 200 * MB))
            .body(http_body_util::Empty::new())
            .expect("a request");
        let mut body = head(world.a.edge, call).await.into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame.expect("a body").data_ref().map_or(0, Bytes::len) as u64;
        }
        bytes
    })
    .await;
    assert_eq!(bytes, 200 * MB);
    for grown in [up, down] {
        assert!(grown < 100 * MB, "memory grew by {} MiB", grown / MB);
    }
    world.verify().await;
}

#[tokio::test]
async fn a_body_beyond_memory_is_the_same_on_the_other_side() {
    let mut setup = Setup::provider([("echo", at(&echo().await))]);
    setup.limits.body_in_memory = 10;
    setup.limits.verified_in_memory = 10;
    let mut consumer = Setup::consumer();
    consumer.limits.body_in_memory = 10;
    consumer.limits.verified_in_memory = 10;
    let world = World::new(consumer, setup).await;
    for length in [9, 10, 11, 100_000, 600_000] {
        let body = "ab".repeat(length / 2) + &"c".repeat(length % 2);
        let answer = post(world.a.edge, &format!("{REG}/echo"), body.clone()).await;
        assert_eq!(
            (answer.status, answer.json()["body"].as_str()),
            (200, Some(body.as_str())),
            "{length}"
        );
    }
    world.verify().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_early_and_late() {
    let (url, calls) = counting().await;
    let mut consumer = Setup::consumer();
    consumer.limits.body = MB;
    let world = World::new(consumer, Setup::provider([("count", at(&url))])).await;
    let said = format!(
        "POST {REG}/count HTTP/1.1\r\nHost: n\r\nConnection: close\r\nX-Road-Client: VN/GOV/A/app\r\nX-Motcua-Purpose: dossier.verify\r\nContent-Length: 10737418241\r\n\r\n"
    );
    let answer = raw(world.a.edge, said).await;
    assert!(
        answer.contains("Client.MessageTooLarge") && answer.contains("body-too-large"),
        "before a byte of it: {answer}"
    );
    let answer = stream(
        world.a.edge,
        request("POST", &format!("{REG}/count"))
            .body(upload(2 * MB))
            .expect("a request"),
    )
    .await;
    assert_eq!(answer.refused(), "Client.MessageTooLarge body-too-large");
    assert_eq!(calls.load(Ordering::SeqCst), 0);

    // The provider's limit is its own.
    let mut provider = Setup::provider([("count", at(&url))]);
    provider.limits.body = MB;
    let world = World::new(Setup::consumer(), provider).await;
    let answer = post(world.a.edge, &format!("{REG}/count"), vec![b'x'; 2 * MB as usize]).await;
    assert_eq!(answer.refused(), "Client.MessageTooLarge body-too-large");
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(world.b.id.log.size(), 0);
}

#[tokio::test]
async fn without_room_on_disk_large_messages_are_refused_and_small_ones_pass() {
    let mut provider = Setup::provider([("echo", at(&echo().await)), ("large", at(&large().await))]);
    provider.limits.disk = MB;
    provider.limits.verified_in_memory = MB as usize / 4;
    let world = World::new(Setup::consumer(), provider).await;
    let answer = post(world.a.edge, &format!("{REG}/echo"), vec![b'x'; 2 * MB as usize]).await;
    assert_eq!(answer.refused(), "Server.ServerProxy.InternalError body-not-kept");
    assert_eq!(
        post(world.a.edge, &format!("{REG}/echo"), vec![b'x'; MB as usize / 2])
            .await
            .status,
        200,
        "given back"
    );
    // Without memory for bodies even small ones go by disk.
    let mut consumer = Setup::consumer();
    consumer.limits.memory = 0;
    let world = World::new(consumer, Setup::provider([("echo", at(&echo().await))])).await;
    assert_eq!(
        post(world.a.edge, &format!("{REG}/echo"), "hi").await.json()["body"],
        "hi"
    );
    world.verify().await;
}

#[tokio::test]
async fn who_dawdles_is_given_up() {
    let mut setup = Setup::consumer();
    setup.limits.head = Duration::from_millis(300);
    setup.limits.idle = Duration::from_millis(300);
    setup.limits.slowest = 1_000_000;
    let mut provider = Setup::provider([("echo", at(&echo().await))]);
    provider.limits.idle = Duration::from_millis(300);
    provider.limits.head = Duration::from_millis(300);
    let world = World::new(setup, provider).await;
    let began = Instant::now();
    for begin in [
        "",
        "PRI",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTT",
        "GET / HTTP/1.1\r\nHost: n\r\nX: ",
    ] {
        let mut tcp = TcpStream::connect(world.a.edge).await.expect("a listener");
        tcp.write_all(begin.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), tcp.read_to_end(&mut answer))
            .await
            .expect("closed");
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{begin:?}");
    }
    let body = format!(
        "POST {REG}/echo HTTP/1.1\r\nHost: n\r\nConnection: close\r\nX-Road-Client: VN/GOV/A/app\r\nX-Motcua-Purpose: dossier.verify\r\nContent-Length: 100\r\n\r\n"
    );
    // Nothing more of the body.
    assert!(raw(world.a.edge, &body).await.contains("body-too-slow"));
    // Nor of one that is too large for memory and already on its way to the other node.
    let large = body.replace("Content-Length: 100\r\n", "Content-Length: 2000000\r\n") + &"x".repeat(1_000_000);
    assert!(raw(world.a.edge, &large).await.contains("body-too-slow"));
    // A byte now and then.
    let mut tcp = TcpStream::connect(world.a.edge).await.expect("a listener");
    tcp.write_all(body.as_bytes()).await.expect("written");
    let (mut read, mut write) = tcp.split();
    let drip = async {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let mut answer = String::new();
    tokio::select! {
        () = drip => {}
        _ = read.read_to_string(&mut answer) => {}
    }
    assert!(answer.contains("body-too-slow"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(get(world.a.edge, &format!("{REG}/echo")).await.status, 200);

    // A node that opens TCP and says nothing.
    let mut tcp = TcpStream::connect(world.b.peers).await.expect("a listener");
    let closed = tokio::time::timeout(Duration::from_secs(8), tcp.read(&mut [0]))
        .await
        .expect("closed");
    assert!(matches!(closed, Ok(0) | Err(_)));
    // One that is a node, and never says how it speaks.
    let mut mute = shaken(&world.a.id.tls, "B", world.b.peers).await.expect("a handshake");
    mute.write_all(b"PRI * HTTP").await.expect("written");
    // What the other end says of itself, and then nothing more.
    let mut said = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(8), mute.read_to_end(&mut said))
        .await
        .expect("closed");
    // A node that is one, and stops within a body. Others on the same connection go on.
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    let stalled = message(&world.a.id, |_| {}).await.stall(&link).await;
    assert_eq!(
        stalled.refused(),
        "Server.ServerProxy.ServiceFailed.InvalidBody body-too-slow"
    );
    assert_eq!(message(&world.a.id, |_| {}).await.send(&link).await.status, 200);
}

#[tokio::test]
async fn who_asks_and_does_not_read_is_closed() {
    let mut setup = Setup::consumer();
    setup.limits.idle = Duration::from_secs(1);
    let world = World::new(setup, Setup::provider([("large", at(&large().await))])).await;
    let mut tcp = TcpStream::connect(world.a.edge).await.expect("a listener");
    let ask = format!(
        "GET {REG}/large?40000000 HTTP/1.1\r\nHost: n\r\nX-Road-Client: VN/GOV/A/app\r\nX-Motcua-Purpose: dossier.verify\r\n\r\n"
    );
    tcp.write_all(ask.as_bytes()).await.expect("written");
    tcp.readable().await.expect("it begins");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut begun = Vec::new();
    let _ = tcp.read_to_end(&mut begun).await;
    let (length, head) = (begun.len(), String::from_utf8_lossy(&begun[..begun.len().min(1_000)]));
    assert!(
        head.starts_with("HTTP/1.1 200") && length < 40_000_000,
        "closed in the middle, not after {length}: {head}"
    );
}

#[tokio::test]
async fn no_more_connections_are_taken_than_there_are_places() {
    let mut setup = Setup::consumer();
    setup.limits.connections = 2;
    let world = World::new(setup, Setup::provider([("echo", at(&echo().await))])).await;
    let held = [
        TcpStream::connect(world.a.edge).await.expect("one"),
        TcpStream::connect(world.a.edge).await.expect("two"),
    ];
    let path = format!("{REG}/echo");
    let third = get(world.a.edge, &path);
    let mut third = std::pin::pin!(third);
    assert!(
        tokio::time::timeout(Duration::from_millis(200), &mut third)
            .await
            .is_err(),
        "it waits"
    );
    drop(held);
    assert_eq!(third.await.status, 200);
}

#[tokio::test]
async fn many_streams_at_once_wait_for_each_other() {
    let mut provider = Setup::provider([("echo", at(&echo().await))]);
    provider.limits.streams = 2;
    let mut consumer = Setup::consumer();
    consumer.limits.links = 1;
    let world = World::new(consumer, provider).await;
    let all = futures::future::join_all((0..40).map(|n| {
        let (edge, path) = (world.a.edge, format!("{REG}/echo/{n}"));
        async move { get(edge, &path).await }
    }))
    .await;
    for (n, answer) in all.iter().enumerate() {
        assert_eq!(
            (answer.status, answer.json()["target"].as_str()),
            (200, Some(format!("/{n}").as_str()))
        );
    }
    world.verify().await;
}

#[tokio::test]
async fn a_client_that_leaves_does_not_undo_what_was_sent() {
    let (url, calls) = {
        let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let slow = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "late"
            }
        };
        (
            serve(axum::Router::new().fallback(axum::routing::any(slow))).await,
            calls,
        )
    };
    let world = World::new(Setup::consumer(), Setup::provider([("slow", at(&url))])).await;
    let left = tokio::time::timeout(Duration::from_millis(150), get(world.a.edge, &format!("{REG}/slow"))).await;
    assert!(left.is_err(), "nobody listens any more");
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.verify().await;
    assert_eq!(
        (calls.load(Ordering::SeqCst), world.a.id.records().len()),
        (1, 2),
        "the answer is logged all the same"
    );

    // Over HTTP/2 a node is told: the stream is reset.
    let link = connect(&world.a.id.tls, "B", world.b.peers)
        .await
        .expect("a connection");
    let message = message(&world.a.id, |draft| draft.target = "/r1/VN/GOV/B/reg/slow".to_owned()).await;
    let left = tokio::time::timeout(Duration::from_millis(150), message.send(&link)).await;
    assert!(left.is_err(), "nobody listens any more");
    world.b.gateway.settled().await;
    assert_eq!((calls.load(Ordering::SeqCst), world.b.id.records().len()), (2, 4));
}

#[tokio::test]
async fn shutting_down_finishes_what_is_in_hand() {
    let url = rude(b"", Duration::from_millis(1)).await;
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        "done"
    };
    let slow = serve(axum::Router::new().fallback(axum::routing::any(slow))).await;
    let mut world = World::new(
        Setup::consumer(),
        Setup::provider([("slow", at(&slow)), ("rude", at(&url))]),
    )
    .await;
    let (edge, path) = (world.a.edge, format!("{REG}/slow"));
    let asked = tokio::spawn(async move { get(edge, &path).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    tokio::join!(world.a.stop(), world.b.stop());
    assert!(began.elapsed() < Duration::from_secs(10));
    let answer: Answer = asked.await.expect("no panic");
    assert_eq!((answer.status, &answer.body[..]), (200, &b"done"[..]));
    assert!(TcpStream::connect(edge).await.is_err(), "nobody new is taken");
    world.verify().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_after_it_began_reaches_nobody() {
    // Larger than memory, so that it is streamed between the nodes when it breaks off.
    let url = rude(&LONG, Duration::ZERO).await;
    let mut broken = at(&url);
    broken.subjects.0.push(Place::PathSegment(1));
    let mut provider = Setup::provider([("broken", broken)]);
    provider.limits.body_in_memory = 100;
    let world = World::new(Setup::consumer(), provider).await;
    let answer = get(world.a.edge, &format!("{REG}/broken/037190001234")).await;
    // Whether its head came before the end of the stream is chance.
    let refused = answer.refused();
    let broken = ["body-broken", "node-broke-off"].map(|code| format!("Server.ClientProxy.IOError {code}"));
    assert!(broken.contains(&refused), "{refused}");
    assert!(world.b.hosting.load().services.contains_key(&service("broken")));
    world.a.gateway.settled().await;
    assert_eq!(world.a.id.records().len(), 1, "the request alone");
}

static LONG: [u8; 1_065] = {
    let head = *b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9000\r\n";
    let mut bytes = [b'x'; 1_065];
    let mut n = 0;
    while n < head.len() {
        bytes[n] = head[n];
        n += 1;
    }
    bytes[n] = b'\r';
    bytes[n + 1] = b'\n';
    bytes
};
