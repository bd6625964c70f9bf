//! What an information system sees (X-Road PR-REST; reference, section 1).

use std::sync::{Arc, atomic::Ordering};

use ::http::Request;
use exchange::model::{
    error::{Spelling, Style, Wire},
    hosting::{ClientSignIn, LocalClient},
};
use sha2::Digest;

use crate::{
    http::{get, post, raw, raw_get, request, send},
    services::{counting, echo},
    world::{Setup, World, at, client, purpose},
};

async fn world() -> World {
    World::new(Setup::consumer(), Setup::provider([("echo", at(&echo().await))])).await
}

const ECHO: &str = "/r1/VN/GOV/B/reg/echo";

#[tokio::test]
async fn a_call_goes_through_and_both_logs_have_it() {
    let world = world().await;
    let answer = post(world.a.edge, &format!("{ECHO}/v1/items?x=1&y=[2]"), r#"{"value":42}"#).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let said = answer.json();
    assert_eq!(said["method"], "POST");
    assert_eq!(said["target"], "/v1/items?x=1&y=[2]");
    assert_eq!(said["body"], r#"{"value":42}"#);
    world.verify().await;
    assert_eq!(world.a.id.records().len(), 2);
    let figures = (world.a.gateway.figures(), world.b.gateway.figures());
    assert_eq!((figures.0.consumer.answered, figures.1.provider.answered), (1, 1));
    assert_eq!(figures.0.consumer.duration.count(), 1);
}

/// Everything that a client of X-Road can see of an answer. A server that says nothing fails it, as one does that
/// swaps two ids.
#[tokio::test]
async fn an_answer_is_what_x_road_makes_it() {
    let world = world().await;
    let sent = request("GET", &format!("{ECHO}/a%20b/?q"))
        .header("X-Road-Id", "my-id")
        .header("X-Road-Request-Id", "00000000-0000-0000-0000-000000000000")
        .header("X-Road-Request-Hash", "forged")
        .header("X-Road-UserId", "VN037190001234")
        .header("X-Road-Issue", "hồ sơ 7")
        .header("X-Road-Represented-Party", "COM/0106001236")
        .header("User-Agent", "secret")
        .header("X-Custom", "1")
        .header("X-Custom", "2")
        .header("Motcua-Proof", "forged")
        .header("Content-Digest", "sha-256=:AA==:");
    let answer = send(world.a.edge, sent.body("").expect("a request")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("x-road-id"), "my-id");
    assert_eq!(answer.header("x-road-client"), "VN/GOV/A/app");
    assert_eq!(answer.header("x-road-service"), "VN/GOV/B/reg/echo");
    let request_id = answer.header("x-road-request-id").to_owned();
    assert_eq!(uuid::Uuid::parse_str(&request_id).expect("a UUID").get_version_num(), 4);
    assert_eq!(answer.header("x-road-request-hash").len(), 88);
    assert_eq!(answer.header("x-road-error"), "");
    assert!(!answer.header("date").is_empty());
    assert_eq!(answer.header("content-type"), "application/json");
    for name in [
        "motcua-proof",
        "motcua-checkpoint",
        "motcua-input",
        "content-digest",
        "server",
    ] {
        assert!(!answer.headers.contains_key(name), "{name} ends at the edge");
    }

    let said = answer.json();
    assert_eq!(said["target"], "/a%20b/?q");
    let seen = |name: &str| -> Vec<String> {
        let headers = said["headers"].as_array().expect("a list");
        let values = headers.iter().filter(|h| h[0] == name);
        values.map(|h| h[1].as_str().expect("a value").to_owned()).collect()
    };
    assert_eq!(seen("x-road-id"), ["my-id"]);
    assert_eq!(seen("x-road-client"), ["VN/GOV/A/app"]);
    assert_eq!(seen("x-road-request-id"), [request_id]);
    assert_eq!(seen("x-road-userid"), ["VN037190001234"]);
    assert_eq!(seen("x-road-issue"), ["hồ sơ 7"]);
    assert_eq!(seen("x-road-represented-party"), ["COM/0106001236"]);
    assert_eq!(seen("x-motcua-purpose"), ["dossier.verify"]);
    assert_eq!(seen("x-custom"), ["1", "2"]);
    assert_eq!(seen("accept"), ["application/json"], "the default of PR-REST 4.3");
    for name in ["x-road-request-hash", "user-agent", "motcua-proof", "content-digest"] {
        assert_eq!(seen(name), [""; 0], "{name}");
    }

    let other = get(world.a.edge, ECHO).await;
    assert!(other.header("x-road-id").starts_with("VN-"), "made by the node");
    assert_ne!(other.header("x-road-request-id"), answer.header("x-road-request-id"));
    assert_ne!(
        other.header("x-road-request-hash"),
        answer.header("x-road-request-hash")
    );
}

#[tokio::test]
async fn every_method_goes_with_its_body() {
    let world = world().await;
    for method in ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"] {
        for body in ["", "of any kind"] {
            let answer = send(world.a.edge, request(method, ECHO).body(body).expect("a request")).await;
            assert_eq!(answer.status, 200, "{method} {answer:?}");
            assert_eq!(
                (answer.json()["method"].as_str(), answer.json()["body"].as_str()),
                (Some(method), Some(body))
            );
        }
    }
    let answer = send(world.a.edge, request("HEAD", ECHO).body("").expect("a request")).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("x-road-service"), "VN/GOV/B/reg/echo");
    let answer = send(world.a.edge, request("PROPFIND", ECHO).body("").expect("a request")).await;
    assert_eq!(
        (answer.status, answer.refused().as_str()),
        (400, "Client.BadRequest method-unknown")
    );
    world.verify().await;
}

#[tokio::test]
async fn a_client_may_expect_100_continue() {
    let world = world().await;
    let head = format!(
        "POST {ECHO} HTTP/1.1\r\nHost: n\r\nConnection: close\r\nX-Road-Client: VN/GOV/A/app\r\nX-Motcua-Purpose: \
         dossier.verify\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"
    );
    let answer = raw(world.a.edge, head).await;
    assert!(
        answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains(r#""body":"hi""#) && !answer.contains("expect"),
        "{answer}"
    );
}

#[tokio::test]
async fn redirects_errors_and_empty_answers_pass_as_they_are() {
    let router = axum::Router::new()
        .route(
            "/moved",
            axum::routing::any(|| async { axum::response::Redirect::temporary("http://10.0.0.1/") }),
        )
        .route("/none", axum::routing::any(|| async { ::http::StatusCode::NO_CONTENT }))
        .route(
            "/own",
            axum::routing::any(|| async {
                let headers = [
                    ("x-road-error", "Server.ServerProxy.AccessDenied"),
                    ("x-road-id", "other"),
                    ("server", "x"),
                ];
                (::http::StatusCode::FORBIDDEN, headers, "mine")
            }),
        );
    let world = World::new(
        Setup::consumer(),
        Setup::provider([("echo", at(&crate::services::serve(router).await))]),
    )
    .await;
    let answer = get(world.a.edge, &format!("{ECHO}/moved")).await;
    assert_eq!((answer.status, answer.header("location")), (307, "http://10.0.0.1/"));
    assert_eq!(get(world.a.edge, &format!("{ECHO}/none")).await.status, 204);
    let answer = get(world.a.edge, &format!("{ECHO}/own")).await;
    assert_eq!((answer.status, &answer.body[..]), (403, &b"mine"[..]));
    assert_eq!(answer.header("x-road-error"), "", "no provider can say it");
    assert!(answer.header("x-road-id").starts_with("VN-"));
    assert_eq!(get(world.a.edge, &format!("{ECHO}/missing")).await.status, 404);
    world.verify().await;
}

#[tokio::test]
async fn bad_requests_are_refused_with_all_their_problems() {
    let world = world().await;
    let nobody = Request::get(ECHO)
        .header("Host", "n")
        .header("X-Road-UserId", "\u{1}")
        .body("");
    let nobody = nobody.unwrap_or_else(|_| Request::get(ECHO).header("Host", "n").body("").expect("a request"));
    let answer = send(world.a.edge, nobody).await;
    let (error, codes) = answer.refusal();
    assert_eq!(
        (answer.status, error.as_str()),
        (500, "Server.ClientProxy.InvalidClientIdentifier")
    );
    assert_eq!(codes, ["client-missing", "purpose-missing"]);
    let body = answer.json();
    assert!(
        body["detail"]
            .as_str()
            .is_some_and(|detail| uuid::Uuid::parse_str(detail).is_ok())
    );
    assert!(
        body["problems"][0]["vi"]
            .as_str()
            .is_some_and(|vi| vi.contains("Thiếu"))
    );

    let other = Request::get(ECHO)
        .header("Host", "n")
        .header("X-Road-Client", "VN/GOV/A/other");
    let answer = send(world.a.edge, other.body("").expect("a request")).await;
    assert_eq!(
        answer.refused(),
        "Server.ClientProxy.UnknownMember client-not-registered"
    );
    let answer = get(world.a.edge, "/r1/VN/GOV/X/y/z").await;
    assert_eq!(answer.refused(), "Server.ClientProxy.UnknownMember provider-unknown");
    let answer = get(world.a.edge, "/r1/VN/GOV/B/reg/none").await;
    assert_eq!(answer.error(), "Server.ServerProxy.UnknownService");
    let pinned = |server: &str| {
        request("GET", ECHO)
            .header("X-Road-Security-Server", server)
            .body("")
            .expect("a request")
    };
    assert_eq!(send(world.a.edge, pinned("VN/GOV/B/gw")).await.status, 200);
    for server in ["VN/GOV/B/other", "VN/GOV/A/gw"] {
        let answer = send(world.a.edge, pinned(server)).await;
        assert_eq!(
            answer.refused(),
            "Server.ClientProxy.InvalidSecurityServer security-server-unknown"
        );
    }
    let xml = request("GET", "/r1/VN/GOV/X/y/z")
        .header("Accept", "text/xml")
        .body("")
        .expect("a request");
    let answer = send(world.a.edge, xml).await;
    assert_eq!(answer.header("content-type"), "text/xml;charset=utf-8");
    assert!(answer.body.starts_with(b"<?xml") && answer.error() == "Server.ClientProxy.UnknownMember");
    let many = (0..101).fold(request("GET", ECHO), |r, n| r.header(format!("x-{n}"), "1"));
    let answer = send(world.a.edge, many.body("").expect("a request")).await;
    assert_eq!(
        (answer.status, answer.refused().as_str()),
        (400, "Client.BadRequest headers-too-many")
    );
    let large = (0..5).fold(request("GET", ECHO), |r, n| {
        r.header(format!("x-{n}"), "a".repeat(8_000))
    });
    let answer = send(world.a.edge, large.body("").expect("a request")).await;
    assert_eq!(answer.refused(), "Client.BadRequest headers-too-large");
}

#[tokio::test]
async fn x_road_7_style_is_500_in_the_newer_spelling() {
    let mut setup = Setup::consumer();
    setup.wire = Wire {
        spelling: Spelling::Snake,
        style: Style::XRoad7,
    };
    let world = World::new(setup, Setup::provider([])).await;
    let answer = get(world.a.edge, "/r1/VN/GOV/B").await;
    assert_eq!((answer.status, answer.error()), (500, "client.bad_request"));
    assert!(answer.json().get("problems").is_none());
    assert_eq!(
        get(world.a.edge, "/r1/VN/GOV/X/y/z").await.error(),
        "server.clientproxy.unknown_member"
    );
}

/// Each is refused by the consumer's node, and the service never sees it.
#[tokio::test]
async fn no_path_can_be_read_in_two_ways() {
    let (url, calls) = counting().await;
    let world = World::new(Setup::consumer(), Setup::provider([("echo", at(&url))])).await;
    for (path, code) in [
        (&b"/a/../b"[..], "path-dot-segment"),
        (b"/a/%2e%2e/b", "path-dot-segment"),
        (b"/a/.%2E/b", "path-dot-segment"),
        (b"/./a", "path-dot-segment"),
        (b"/a%2Fb", "path-encoded-slash"),
        (b"/a%2fb", "path-encoded-slash"),
        (b"/a%5Cb", "path-encoded-backslash"),
        (b"/a\\b", "path-backslash"),
        (b"/a;x=1/b", "path-parameter"),
        (b"/a%3Bx", "path-parameter"),
        (b"//a", "path-empty-segment"),
        (b"/a%252e%252e/b", "path-double-encoding"),
        (b"/a%00b", "path-control"),
        (b"/a%0d%0aX:%20y", "path-control"),
        (b"/a%zz", "path-bad-escape"),
        (b"/a%c3", "path-not-utf8"),
        (b"/%ff", "path-not-utf8"),
        // The reader of HTTP refuses these by itself, without a word.
        (b"/a\xc3\xa1b", "400 Bad Request"),
        (b"/a\x01b", "400 Bad Request"),
        (b"/a\x00b", "400 Bad Request"),
        (b"/a?x\"y", "400 Bad Request"),
    ] {
        let answer = raw_get(world.a.edge, &[ECHO.as_bytes(), path].concat()).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request"),
            "{} {answer}",
            path.escape_ascii()
        );
        assert!(answer.contains(code), "{} {answer}", path.escape_ascii());
    }
    for path in [
        "/r1/VN/GOV/B/reg%2Fecho/x",
        "/r1/VN/GOV/%2e%2e/reg/echo",
        "/R1/VN/GOV/B/reg/echo",
        "/r2/VN/GOV/B/reg/echo",
        "//r1/VN/GOV/B/reg/echo",
        "*",
    ] {
        let answer = raw_get(world.a.edge, path.as_bytes()).await;
        assert!(
            answer.contains("Client.BadRequest") || answer.starts_with("HTTP/1.1 400"),
            "{path} {answer}"
        );
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert!(raw_get(world.a.edge, ECHO.as_bytes()).await.ends_with("counted"));
}

#[tokio::test]
async fn two_requests_cannot_be_smuggled_into_one() {
    let (url, calls) = counting().await;
    let world = World::new(Setup::consumer(), Setup::provider([("echo", at(&url))])).await;
    let head = |more: &str| {
        format!(
            "POST {ECHO} HTTP/1.1\r\nHost: n\r\nX-Road-Client: VN/GOV/A/app\r\nX-Motcua-Purpose: dossier.verify\r\n{more}"
        )
    };
    for more in [
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Content-Length: +3\r\n\r\nabc",
        "X-A: b\rX-Road-Client: VN/GOV/C/x\r\n\r\n",
        "X-A : b\r\n\r\n",
        " X-A: folded\r\n\r\n",
    ] {
        let answer = raw(world.a.edge, head(more)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{more:?} {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{more:?} {answer}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_adapter_and_govstack_speak_to_the_same_services() {
    let world = world().await;
    for path in [
        "/XrdAdapter/RestService/forward/echo/v1/login?token=a&dstcode=VN:GOV:B:reg&providerurl=http://127.0.0.1:1/",
        "/VXPAdapter/RestService/forward/echo/v1/login?providerurl=http://10.0.0.1/&dstcode=VN%3AGOV%3AB%3Areg&token=a",
    ] {
        // No header of X-Road, and no purpose.
        let bare = || Request::get(path).header("Host", "n").body("").expect("a request");
        let answer = send(world.a.edge, bare()).await;
        assert_eq!(answer.refused(), "Client.PurposeMissing purpose-missing");
        world.a.rehost(|hosting| {
            hosting.clients.get_mut(&client()).expect("there").purpose = Some(purpose());
        });
        let answer = send(world.a.edge, bare()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.json()["target"],
            "/v1/login?token=a",
            "providerurl goes no further"
        );
        world.a.rehost(|hosting| {
            let second = hosting.clients[&client()].clone();
            hosting
                .clients
                .insert("VN/GOV/A/second".parse().expect("a subsystem"), second);
        });
        assert_eq!(
            send(world.a.edge, bare()).await.refused(),
            "Server.ClientProxy.InvalidClientIdentifier client-ambiguous"
        );
        world.a.rehost(|hosting| {
            hosting.clients.retain(|id, _| *id == client());
            hosting.clients.get_mut(&client()).expect("there").purpose = None;
        });
    }
    let govstack = Request::get(format!("/govstack{ECHO}/x"))
        .header("Host", "n")
        .header("X-GovStack-Client", "VN/GOV/A/app")
        .header("X-Motcua-Purpose", "dossier.verify");
    let answer = send(world.a.edge, govstack.body("").expect("a request")).await;
    assert_eq!((answer.status, answer.json()["target"].as_str()), (200, Some("/x")));
    world.verify().await;
}

#[tokio::test]
async fn clients_sign_in() {
    let world = world().await;
    let sign_in = |sign_in: ClientSignIn| {
        world.a.rehost(|hosting| {
            hosting.clients.insert(client(), LocalClient { sign_in, purpose: None });
        });
    };
    sign_in(ClientSignIn::Networks(vec!["10.0.0.0/8".to_owned()]));
    let refused = "Server.ClientProxy.SslAuthenticationFailed";
    assert_eq!(
        get(world.a.edge, ECHO).await.refused(),
        format!("{refused} sign-in-network")
    );
    sign_in(ClientSignIn::Networks(vec![
        "10.0.0.0/8".to_owned(),
        "127.0.0.0/8".to_owned(),
    ]));
    assert_eq!(get(world.a.edge, ECHO).await.status, 200);

    sign_in(ClientSignIn::Token(hex::encode(sha2::Sha256::digest("mật khẩu"))));
    let with = |value: &str| {
        request("GET", ECHO)
            .header("Authorization", value)
            .body("")
            .expect("a request")
    };
    for wrong in ["Bearer other", "Basic mật khẩu", "Bearer"] {
        assert_eq!(
            send(world.a.edge, with(wrong)).await.refused(),
            format!("{refused} sign-in-token")
        );
    }
    let answer = send(world.a.edge, with("Bearer mật khẩu")).await;
    assert_eq!(answer.status, 200);
    assert!(
        !answer.body.windows(13).any(|w| w == b"authorization"),
        "a token goes no further"
    );
    sign_in(ClientSignIn::Open);
    let answer = send(world.a.edge, with("Basic dGVzdA==")).await;
    assert!(
        answer.body.windows(13).any(|w| w == b"authorization"),
        "what is for the provider does"
    );
}

#[tokio::test]
async fn a_client_in_this_process_goes_the_same_way() {
    let world = world().await;
    let call = Request::post(format!("{ECHO}/x"))
        .header("X-Motcua-Purpose", "dossier.verify")
        .header("X-Road-Client", "VN/GOV/C/forged");
    let call = call.body(axum::body::Body::from("hi")).expect("a request");
    let answer = crate::http::whole(world.a.gateway.call(&client(), call).await).await;
    assert_eq!((answer.status, answer.json()["body"].as_str()), (200, Some("hi")));
    assert_eq!(answer.header("x-road-client"), "VN/GOV/A/app");
    let foreign = "VN/GOV/B/reg".parse().expect("a subsystem");
    let call = Request::get(ECHO)
        .header("X-Motcua-Purpose", "dossier.verify")
        .body(axum::body::Body::empty());
    let answer = crate::http::whole(world.a.gateway.call(&foreign, call.expect("a request")).await).await;
    assert_eq!(answer.refused(), "Server.ClientProxy.UnknownMember client-other-member");
    world.verify().await;
}

#[tokio::test]
async fn http_2_is_spoken_at_the_edge() {
    let world = world().await;
    let tcp = tokio::net::TcpStream::connect(world.a.edge).await.expect("a listener");
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, hyper_util::rt::TokioIo::new(tcp))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    let call = Request::get(format!("http://node{ECHO}/x"))
        .header("X-Road-Client", "VN/GOV/A/app")
        .header("X-Motcua-Purpose", "dossier.verify");
    let call = call
        .body(http_body_util::Full::new(bytes::Bytes::new()))
        .expect("a request");
    let answer = crate::http::whole(sender.send_request(call).await.expect("an answer")).await;
    assert_eq!((answer.status, answer.json()["target"].as_str()), (200, Some("/x")));
}

#[tokio::test]
async fn the_edge_may_have_tls() {
    let world = world().await;
    let made = rcgen::generate_simple_self_signed(vec!["node.example".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let (listener, address) = crate::world::listen().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gateway = world.a.gateway.clone();
    let serving = tokio::spawn(async move {
        let until = async { stopped.await.unwrap_or_default() };
        gateway.serve_edge(listener, Some(Arc::new(server)), until).await
    });
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = tokio::net::TcpStream::connect(address).await.expect("a listener");
    let name = "node.example".try_into().expect("a name");
    let tls = tokio_rustls::TlsConnector::from(Arc::new(client))
        .connect(name, tcp)
        .await
        .expect("a handshake");
    let io = hyper_util::rt::TokioIo::new(tls);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.expect("HTTP");
    tokio::spawn(connection);
    let body = http_body_util::Full::new(bytes::Bytes::from("hi"));
    let answer = sender
        .send_request(request("POST", ECHO).body(body).expect("a request"))
        .await
        .expect("an answer");
    assert_eq!(crate::http::whole(answer).await.json()["body"], "hi");
    // What is no TLS is not answered.
    assert!(!raw_get(address, ECHO.as_bytes()).await.contains("HTTP/1.1"));
    stop.send(()).expect("listening");
    serving.await.expect("no panic").expect("served");
}
