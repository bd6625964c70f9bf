//! Services that mean harm, or are broken beyond HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use exchange::conformance::{Options, Report};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{broken, check, options, service};

/// What is written for a request whose first line is given.
type Script = fn(&str) -> Reply;

enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, then more and more of the others, as fast as they are taken.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, one each 50 ms.
    Drip(Vec<u8>),
    /// Nothing; the connection stays open.
    Silence,
}

/// Starts a server of scripted bytes; counts connections.
async fn server(script: Script) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, script));
        }
    });
    (format!("http://{address}/openapi.json"), count)
}

async fn serve(mut stream: TcpStream, script: Script) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => head.extend_from_slice(&buffer[..n]),
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    // The other side goes away when it has had enough: that is no failure here.
    let _ = match script(text.lines().next().unwrap_or_default()) {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await,
        Reply::Endless(first, more) => {
            let mut result = stream.write_all(&first).await;
            while result.is_ok() {
                result = stream.write_all(&more).await;
            }
            result
        }
        Reply::Drip(bytes) => {
            for byte in bytes {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(())
        }
        Reply::Silence => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
    };
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn description() -> Vec<u8> {
    answer(
        "200 OK",
        "content-type: application/json\r\n",
        &service::description().to_string(),
    )
}

async fn quickly(script: Script) -> (Report, usize) {
    let (url, count) = server(script).await;
    let begun = Instant::now();
    let quick = Options {
        timeout: Duration::from_millis(500),
        longest: Duration::from_secs(5),
        write: true,
        ..options(&url)
    };
    let report = check(quick).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(!report.conforms);
    (report, count.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_service_that_answers_nothing_fails() {
    let nobody = check(options("http://127.0.0.1:9/openapi.json")).await;
    assert!(!nobody.conforms);
    assert_eq!(
        broken(&nobody),
        ["description-read", "service-answers", "valid-accepted"]
    );

    let (silent, _) = quickly(|_| Reply::Silence).await;
    assert_eq!(
        broken(&silent),
        ["description-read", "service-answers", "valid-accepted"]
    );

    let (closed, _) = quickly(|_| Reply::Bytes(Vec::new())).await;
    assert_eq!(
        broken(&closed),
        ["description-read", "service-answers", "valid-accepted"]
    );
}

#[tokio::test]
async fn a_service_that_falls_silent_after_its_description_fails_and_is_left_alone() {
    let (report, connections) = quickly(|line| {
        if line.contains("/openapi.json") {
            Reply::Bytes(description())
        } else {
            Reply::Silence
        }
    })
    .await;
    assert!(
        broken(&report).contains(&"service-answers") && broken(&report).contains(&"valid-accepted"),
        "{:?}",
        broken(&report)
    );
    assert!(connections <= 6, "{connections} connections");
}

#[tokio::test]
async fn what_is_no_http_fails() {
    let (report, _) = quickly(|line| {
        if line.contains("/openapi.json") {
            Reply::Bytes(description())
        } else {
            Reply::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())
        }
    })
    .await;
    assert!(broken(&report).contains(&"service-answers"));
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let (report, _) = quickly(|_| {
        Reply::Endless(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{".to_vec(),
            vec![b' '; 65_536],
        )
    })
    .await;
    assert!(broken(&report).contains(&"description-read"));

    let (report, _) = quickly(|line| {
        if line.contains("/openapi.json") {
            Reply::Bytes(description())
        } else {
            // It says that ten thousand million bytes follow.
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10000000000\r\n\r\n{\"a\":\"";
            Reply::Endless(head.as_bytes().to_vec(), vec![b'a'; 65_536])
        }
    })
    .await;
    let result = report
        .results
        .iter()
        .find(|result| result.rule.code() == "service-answers")
        .expect("a result");
    assert!(
        result.findings.iter().any(|finding| finding.text.en.contains("8 MiB")),
        "{result:?}"
    );
}

#[tokio::test]
async fn endless_headers_and_a_slow_answer_are_cut_off() {
    let (report, _) = quickly(|_| {
        Reply::Endless(
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            b"x-a: bbbbbbbbbbbbbbbbbbbbbbbbbb\r\n".repeat(1000),
        )
    })
    .await;
    assert!(broken(&report).contains(&"description-read"));
    let (report, _) = quickly(|_| Reply::Drip(description())).await;
    assert!(broken(&report).contains(&"service-answers"));
}

#[tokio::test]
async fn no_redirect_to_another_host_is_followed() {
    // The victim's port is in the script by a static, because a script is a plain function.
    static VICTIM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let (victim, visits) = server(|_| Reply::Bytes(description())).await;
    VICTIM.set(victim).expect("set once");
    let to_victim = |_: &str| {
        let location = format!("location: {}\r\n", VICTIM.get().expect("a victim"));
        Reply::Bytes(answer("302 Found", &location, ""))
    };
    let (report, _) = quickly(to_victim).await;
    let read = &report.results[0];
    assert!(
        read.findings
            .iter()
            .any(|finding| finding.text.en.contains("another host")),
        "{read:?}"
    );

    // And the same once the description has been had.
    let (report, _) = quickly(|line| {
        if line.contains("/openapi.json") {
            return Reply::Bytes(description());
        }
        let location = format!("location: {}\r\n", VICTIM.get().expect("a victim"));
        Reply::Bytes(answer("302 Found", &location, ""))
    })
    .await;
    assert!(broken(&report).contains(&"answer-described"));
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_elsewhere_in_the_description_is_not_called() {
    static VICTIM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let (victim, visits) = server(|_| Reply::Bytes(answer("200 OK", "", ""))).await;
    VICTIM.set(victim.replace("/openapi.json", "/v9")).expect("set once");
    let (report, own) = quickly(|line| {
        if line.contains("/openapi.json") {
            let mut description = service::description();
            description["servers"][0]["url"] = VICTIM.get().expect("a victim").as_str().into();
            return Reply::Bytes(answer(
                "200 OK",
                "content-type: application/json\r\n",
                &description.to_string(),
            ));
        }
        assert!(line.contains(" /v9/"), "the path of the server is used: {line}");
        Reply::Bytes(answer("404 Not Found", "", ""))
    })
    .await;
    assert!(own > 3 && !report.conforms);
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn deep_json_is_refused() {
    let (report, _) = quickly(|_| {
        Reply::Bytes(answer(
            "200 OK",
            "content-type: application/json\r\n",
            &format!("{{\"openapi\":{}", "[".repeat(1_000_000)),
        ))
    })
    .await;
    assert!(broken(&report).contains(&"description-read"));

    let (report, _) = quickly(|line| {
        if line.contains("/openapi.json") {
            return Reply::Bytes(description());
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        Reply::Bytes(answer("200 OK", "content-type: application/json\r\n", &deep))
    })
    .await;
    assert!(
        broken(&report).contains(&"answer-valid") && broken(&report).contains(&"date-header"),
        "{:?}",
        broken(&report)
    );
}
#[tokio::test]
async fn what_a_service_says_cannot_steer_a_terminal() {
    let (report, _) = quickly(|line| {
        if line.contains("/openapi.json") {
            let mut description = service::description();
            description["info"]["title"] = "\u{1b}[2Jtitle\u{202e}".into();
            return Reply::Bytes(answer(
                "200 OK",
                "content-type: application/json\r\n",
                &description.to_string(),
            ));
        }
        Reply::Bytes(answer(
            "500 Oops",
            "content-type: text/plain\r\n",
            "\u{1b}]0;owned\u{7}",
        ))
    })
    .await;
    let text = report.to_text(base::Lang::En);
    assert!(text.contains("title") && text.contains("owned"));
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{7}') && !text.contains('\u{202e}'),
        "{text:?}"
    );
}
