//! What happens behind the provider's node: services that behave and others, masks, the data tracker, metaservices.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, routing::any};
use exchange::{
    gateway::Caller,
    model::{
        Method,
        hosting::{Credential, Hosting, ServiceTarget},
        meta::{Endpoint, ServiceKind},
        rights::{FieldMask, Methods},
        tracker::{Place, ReadRecord, SubjectKey, SubjectRule},
    },
};
use ledger::Kind;

use crate::{
    http::{get, post, request, send},
    services::{echo, fixed, large, rude, serve},
    world::{Setup, World, at, grant, service},
};

const REG: &str = "/r1/VN/GOV/B/reg";

#[tokio::test]
async fn each_misbehaviour_of_a_service_has_its_code() {
    let (listener, closed) = crate::world::listen().await;
    drop(listener);
    let short = Duration::from_millis(300);
    let services = vec![
        ("closed", format!("http://{closed}"), "NetworkError service-unreachable"),
        (
            "nohost",
            "http://no.such.host.invalid".to_owned(),
            "NetworkError service-unknown-host",
        ),
        (
            "nourl",
            "gopher://10.0.0.1/".to_owned(),
            "ServiceMissingUrl service-url",
        ),
        (
            "hangs",
            rude(b"", Duration::from_secs(60)).await,
            "ServiceFailed.IOError service-late",
        ),
        (
            "leaves",
            rude(b"", Duration::ZERO).await,
            "ServiceFailed.IOError service-broke-off",
        ),
        (
            "short",
            rude(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Duration::ZERO).await,
            "ServiceFailed.IOError service-broke-off",
        ),
        (
            "stalls",
            rude(
                b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                Duration::from_secs(60),
            )
            .await,
            "ServiceFailed.IOError service-too-slow",
        ),
        (
            "chunk",
            rude(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
                Duration::ZERO,
            )
            .await,
            "ServiceFailed.IOError service-broke-off",
        ),
        (
            "garbage",
            rude(b"SSH-2.0-OpenSSH_9.9\r\n", Duration::ZERO).await,
            "ServiceFailed.HttpError service-no-http",
        ),
        (
            "huge",
            rude(
                b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nabc",
                Duration::ZERO,
            )
            .await,
            "ServiceFailed.HttpError answer-too-large",
        ),
        (
            "status",
            rude(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", Duration::ZERO).await,
            "ServiceFailed.HttpError record-status",
        ),
    ];
    let mut setup = Setup::provider(services.iter().map(|(code, url, _)| {
        let mut service = at(url);
        service.timeout = short;
        (*code, service)
    }));
    setup.limits.idle = short;
    let world = World::new(Setup::consumer(), setup).await;
    for (code, _, refused) in &services {
        let answer = post(world.a.edge, &format!("{REG}/{code}/x"), "hi").await;
        assert_eq!(answer.refused(), format!("Server.ServerProxy.{refused}"), "{code}");
        assert_eq!(
            answer.header("x-road-service"),
            format!("VN/GOV/B/reg/{code}"),
            "signed"
        );
    }
    world.verify().await;
    assert_eq!(
        world.b.gateway.figures().provider.refused.values().sum::<u64>(),
        services.len() as u64
    );
}

#[tokio::test]
async fn a_service_with_its_own_certificate_is_called_if_it_need_not_be_verified() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let pkcs8 = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], pkcs8)
        .expect("a configuration");
    let (listener, address) = crate::world::listen().await;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.expect("a caller");
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(tls) = acceptor.accept(tcp).await else { return };
                let service = hyper::service::service_fn(|_| async {
                    Ok::<_, std::convert::Infallible>(::http::Response::new(http_body_util::Full::new(
                        bytes::Bytes::from("secret"),
                    )))
                });
                let io = hyper_util::rt::TokioIo::new(tls);
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(io, service)
                    .await;
            });
        }
    });
    let url = format!("https://localhost:{}", address.port());
    let mut trusting = at(&url);
    trusting.verify_certificate = false;
    let world = World::new(
        Setup::consumer(),
        Setup::provider([("strict", at(&url)), ("trusting", trusting)]),
    )
    .await;
    let answer = get(world.a.edge, &format!("{REG}/trusting")).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"secret"[..]));
    let answer = get(world.a.edge, &format!("{REG}/strict")).await;
    assert_eq!(answer.refused(), "Server.ServerProxy.NetworkError service-unreachable");
}

#[tokio::test]
async fn an_internal_service_knows_its_caller() {
    let router = Router::new().route(
        "/who/{*rest}",
        any(|Extension(caller): Extension<Caller>| async move { format!("{} {}", caller.client, caller.purpose) }),
    );
    let mut inside = at("");
    inside.target = ServiceTarget::Internal("inside".to_owned());
    let mut nowhere = at("");
    nowhere.target = ServiceTarget::Internal("nowhere".to_owned());
    let mut setup = Setup::provider([("inside", inside), ("nowhere", nowhere)]);
    setup.internal.insert("inside".to_owned(), router);
    let world = World::new(Setup::consumer(), setup).await;
    let answer = get(world.a.edge, &format!("{REG}/inside/who/am/i?x=1")).await;
    assert_eq!(
        (answer.status, &answer.body[..]),
        (200, &b"VN/GOV/A/app dossier.verify"[..])
    );
    let answer = get(world.a.edge, &format!("{REG}/nowhere")).await;
    assert_eq!(
        answer.refused(),
        "Server.ServerProxy.ServiceMissingUrl service-not-here"
    );
    world.verify().await;
}

#[tokio::test]
async fn a_node_calls_its_own_services_in_the_same_way() {
    let mut setup = Setup::provider([("echo", at(&echo().await))]);
    setup.hosting.clients = Setup::consumer().hosting.clients;
    let own = "VN/GOV/B/desk".parse().expect("a subsystem");
    let open = setup.hosting.clients.values().next().expect("one").clone();
    setup.hosting.clients = [(own, open)].into();
    let mut grant = grant("echo");
    grant.consumer = "VN/GOV/B/desk".parse().expect("a subsystem");
    setup.hosting.grants.insert(service("echo"), vec![grant]);
    let world = World::new(Setup::consumer(), setup).await;
    let call = request("POST", &format!("{REG}/echo/x"));
    let mut call = call.body("hi").expect("a request");
    call.headers_mut()
        .insert("x-road-client", "VN/GOV/B/desk".parse().expect("a value"));
    let answer = send(world.b.edge, call).await;
    assert_eq!((answer.status, answer.json()["body"].as_str()), (200, Some("hi")));
    world.b.gateway.settled().await;
    assert_eq!(world.b.id.records().len(), 4, "as consumer and as provider, each twice");
    assert_eq!(world.b.gateway.figures().links_opened, 0);
    world.b.id.verify_offline();
}

fn mask(hosting: &mut Hosting, code: &str, places: &[&str]) {
    let places = places.iter().map(|place| place.parse().expect("a pointer")).collect();
    hosting.grants.get_mut(&service(code)).expect("there")[0].mask = Some(FieldMask::new(places));
}

#[tokio::test]
async fn a_masked_field_never_leaves_the_provider() {
    let person = r#"{"name":"An","born":"1990","secret":"s3cr3t"}"#;
    let services = [
        ("person", at(&fixed("application/json", person).await)),
        ("page", at(&fixed("text/html", "<p>s3cr3t</p>").await)),
        ("echo", at(&echo().await)),
        ("large", at(&large().await)),
        ("none", at(&fixed("application/json", "").await)),
    ];
    let mut setup = Setup::provider(services);
    setup.limits.inspected = 1_000_000;
    let world = World::new(Setup::consumer(), setup).await;
    world.b.rehost(|hosting| {
        for code in ["person", "page", "large", "none"] {
            mask(hosting, code, &["/name"]);
        }
        mask(hosting, "echo", &["/headers"]);
    });
    let answer = get(world.a.edge, &format!("{REG}/person")).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &br#"{"name":"An"}"#[..]));
    assert_eq!(get(world.a.edge, &format!("{REG}/none")).await.status, 200);
    for (code, refused) in [("page", "body-not-json"), ("large?1000001", "mask-too-large")] {
        let answer = get(world.a.edge, &format!("{REG}/{code}")).await;
        assert!(
            answer
                .refused()
                .starts_with(&format!("Server.ServerProxy.MaskFailed {refused}")),
            "{answer:?}"
        );
        assert!(!answer.body.windows(6).any(|w| w == b"s3cr3t"));
    }
    let zipped = request("GET", &format!("{REG}/echo"))
        .header("Accept-Encoding", "gzip")
        .header("Range", "bytes=1-");
    let answer = send(world.a.edge, zipped.body("").expect("a request")).await;
    let seen = String::from_utf8(answer.body.to_vec()).expect("text");
    assert!(
        !seen.contains("accept-encoding") && !seen.contains("range") && !seen.contains("\"method\""),
        "{seen}"
    );
    world.verify().await;
    let records = world.b.id.records().concat();
    assert!(!records.windows(6).any(|w| w == b"s3cr3t"));
}

#[tokio::test]
async fn who_read_what_about_whom_is_a_leaf_beside_the_message() {
    let people = r#"{"people":[{"number":"037190001234"},{"number":"001205000001"}]}"#;
    let mut by_path = at(&echo().await);
    by_path.subjects = SubjectRule(vec![
        Place::PathSegment(2),
        Place::Request("/person".parse().expect("a pointer")),
    ]);
    let mut by_answer = at(&fixed("application/json;charset=utf-8", people).await);
    by_answer.subjects = SubjectRule(vec![Place::Answer("/people/*/number".parse().expect("a pointer"))]);
    let mut missing = at(&serve(Router::new()).await);
    missing.subjects = SubjectRule(vec![Place::PathSegment(1)]);
    let mut bulk = at(&large().await);
    bulk.subjects = SubjectRule(vec![Place::Answer("/x".parse().expect("a pointer"))]);
    let mut setup = Setup::provider([
        ("path", by_path),
        ("answer", by_answer),
        ("missing", missing),
        ("bulk", bulk),
    ]);
    setup.limits.inspected = 100_000;
    let world = World::new(Setup::consumer(), setup).await;
    let with = request("POST", &format!("{REG}/path/persons/037190001234"))
        .header("Content-Type", "application/json")
        .header("X-Road-UserId", "VN001")
        .header("X-Road-Issue", "H26-7");
    let answer = send(
        world.a.edge,
        with.body(r#"{"person":"001205000001"}"#).expect("a request"),
    )
    .await;
    assert_eq!(answer.status, 200);
    let reads = || -> Vec<ReadRecord> {
        let leaves = world.b.id.leaves(Kind::READ);
        leaves
            .iter()
            .map(|leaf| serde_json::from_slice(leaf).expect("a record"))
            .collect()
    };
    let key = SubjectKey::new([7; 32]);
    let index = |number: &str| key.index(&number.parse().expect("a number"));
    let read = reads().pop().expect("one");
    assert_eq!(read.subjects, [index("001205000001"), index("037190001234")]);
    assert_eq!(read.request.to_string(), answer.header("x-road-request-id"));
    assert_eq!(
        (read.user.as_deref(), read.issue.as_deref(), read.more),
        (Some("VN001"), Some("H26-7"), false)
    );
    assert_eq!(
        (read.action.as_str(), read.client.to_string().as_str()),
        ("Tra cứu", "VN/GOV/A/app")
    );

    assert_eq!(get(world.a.edge, &format!("{REG}/answer")).await.status, 200);
    assert_eq!(reads()[1].subjects.len(), 2);
    assert_eq!(
        get(world.a.edge, &format!("{REG}/missing/037190001234")).await.status,
        404
    );
    assert_eq!(
        get(world.a.edge, &format!("{REG}/path/persons/no-number")).await.status,
        200
    );
    assert_eq!(reads().len(), 2, "nobody's data was read");
    assert_eq!(world.b.gateway.figures().subjects_unreadable, 1);
    assert_eq!(get(world.a.edge, &format!("{REG}/bulk?300000")).await.status, 200);
    let bulk = reads().pop().expect("one");
    assert!(bulk.more && bulk.subjects.is_empty(), "too large to look into");
    world.verify().await;
    assert!(
        !world
            .b
            .id
            .leaves(Kind::READ)
            .concat()
            .windows(12)
            .any(|w| w == b"037190001234")
    );
    assert!(world.a.id.leaves(Kind::READ).is_empty(), "it is the provider's duty");
}

#[tokio::test]
async fn metaservices_are_answered_like_any_message() {
    let url = echo().await;
    let mut described = at(&url);
    described.kind = ServiceKind::OpenApi;
    described.openapi = Some(Arc::from(
        &br#"{"openapi":"3.1.0","servers":[{"url":"http://10.0.0.1:80/base"}]}"#[..],
    ));
    described.endpoints = vec![Endpoint {
        methods: Methods::of([Method::Get]),
        path: "/pet/*".parse().expect("a pattern"),
    }];
    let world = World::new(
        Setup::consumer(),
        Setup::provider([("pets", described), ("plain", at(&url))]),
    )
    .await;
    world.b.rehost(|hosting| {
        hosting.grants.get_mut(&service("pets")).expect("there")[0].path = "/pet/1".parse().expect("a pattern");
        hosting.grants.remove(&service("plain"));
    });
    let answer = get(world.a.edge, &format!("{REG}/listMethods")).await;
    assert_eq!(answer.header("content-type"), "application/json;charset=utf-8");
    assert_eq!(answer.header("x-road-service"), "VN/GOV/B/reg/listMethods");
    assert_eq!(
        answer.json()["service"][0],
        serde_json::json!({"member_class": "GOV", "member_code": "B", "object_type": "SERVICE", "service_code": "pets", "service_type": "OPENAPI",
            "subsystem_code": "reg", "xroad_instance": "VN", "endpoint_list": [{"method": "GET", "path": "/pet/*"}]})
    );
    assert_eq!(answer.json()["service"].as_array().map(Vec::len), Some(2));
    let allowed = get(world.a.edge, &format!("{REG}/allowedMethods")).await.json();
    assert_eq!(allowed["service"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        allowed["service"][0]["endpoint_list"],
        serde_json::json!([{"method": "*", "path": "/pet/1"}])
    );
    let govstack = ::http::Request::get(format!("/govstack{REG}/listMethods"))
        .header("Host", "n")
        .header("X-GovStack-Client", "VN/GOV/A/app")
        .header("X-Motcua-Purpose", "dossier.verify");
    let govstack = send(world.a.edge, govstack.body("").expect("a request")).await.json();
    assert_eq!(govstack["member"][0]["applicationCode"], "reg");

    let answer = get(world.a.edge, &format!("{REG}/getOpenAPI?serviceCode=pets")).await;
    assert_eq!(answer.json()["servers"][0]["url"], "/base", "without the address");
    let answer = get(world.a.edge, &format!("{REG}/getOpenAPI?serviceCode=plain")).await;
    assert_eq!(answer.json()["message"], "Invalid service type: REST");
    for (rest, refused) in [
        ("getOpenAPI", "InvalidRequest service-code-missing"),
        ("getOpenAPI?serviceCode=none", "UnknownService "),
    ] {
        let answer = get(world.a.edge, &format!("{REG}/{rest}")).await;
        assert_eq!(answer.refused(), format!("Server.ServerProxy.{refused}"));
    }
    let answer = post(world.a.edge, &format!("{REG}/listMethods"), "{}").await;
    assert_eq!(answer.refused(), "Server.ServerProxy.InvalidRequest read-only");
    world.verify().await;
}

#[tokio::test]
async fn the_node_says_itself_who_there_is() {
    let world = World::new(Setup::consumer(), Setup::provider([])).await;
    let list = async |accept: &str, path: &str| {
        let call = ::http::Request::get(path).header("Host", "n").header("Accept", accept);
        send(world.a.edge, call.body("").expect("a request")).await
    };
    let json = list("text/html, application/json;q=0.9", "/listClients").await;
    assert_eq!(json.header("content-type"), "application/json;charset=utf-8");
    let ids: Vec<_> = json.json()["member"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| m["id"].clone())
        .collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(
        ids[1],
        serde_json::json!({"member_class": "GOV", "member_code": "A", "subsystem_code": "app", "object_type": "SUBSYSTEM", "xroad_instance": "VN"})
    );
    let xml = list("*/*", "/listClients?xRoadInstance=VN").await;
    assert_eq!(xml.header("content-type"), "text/xml;charset=utf-8");
    assert!(String::from_utf8_lossy(&xml.body).contains("objectType=\"SUBSYSTEM\"><ns1:xRoadInstance>VN"));
    assert_eq!(
        list("*/*", "/govstack/listClients").await.json()["member"][1]["id"]["applicationCode"],
        "app"
    );
    assert_eq!(
        list("*/*", "/listClients?xRoadInstance=EE").await.refused(),
        "Client.BadRequest instance-unknown"
    );
    assert_eq!(
        post(world.a.edge, "/listClients", "").await.refused(),
        "Client.BadRequest read-only"
    );

    let zip = list("*/*", "/verificationconf").await;
    assert_eq!(zip.header("content-type"), "application/zip");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.zip"), &zip.body).expect("written");
    let script = "import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.namelist(), z.read('verificationconf/instance-identifier')); \
                  import json, xml.dom.minidom as m; conf=m.parseString(z.read('verificationconf/VN/shared-params.xml')).documentElement; \
                  print(json.loads(z.read('verificationconf/VN/shared-params.xml.metadata'))); \
                  names=[c.tagName for c in conf.childNodes if c.nodeType == 1]; print(list(dict.fromkeys(names))); \
                  keys=conf.getElementsByTagName('m:logKey'); print(keys[0].getAttribute('server'), '+' in keys[0].firstChild.data)";
    let read = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(folder.path().join("a.zip"))
        .output()
        .expect("python3");
    assert_eq!(
        String::from_utf8_lossy(&read.stdout),
        // Names and order as X-Road's own verifier reads them (PR-GCONF, Annex B).
        "['verificationconf/instance-identifier', 'verificationconf/VN/shared-params.xml.metadata', 'verificationconf/VN/shared-params.xml'] \
         b'VN'\n{'configurationVersion': '3'}\n['instanceIdentifier', 'source', 'member', 'securityServer', 'globalSettings', \
         'm:logKey']\nVN/GOV/A/gw True\n",
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
}

#[tokio::test]
async fn operations_are_told_and_never_wait() {
    let world = World::new(Setup::consumer(), Setup::provider([("echo", at(&echo().await))])).await;
    let call = request("POST", &format!("{REG}/echo/a?b"))
        .header("X-Road-UserId", "VN1")
        .body("hello")
        .expect("a request");
    let answer = send(world.a.edge, call).await;
    get(world.a.edge, &format!("{REG}/none")).await;
    world.verify().await;
    for (node, kind) in [(&world.a, "Client"), (&world.b, "Producer")] {
        let mut taken = node.operations.lock().expect("not poisoned");
        let record = serde_json::to_value(taken.try_recv().expect("one")).expect("JSON");
        assert_eq!(record["securityServerType"], kind);
        assert_eq!(record["clientXRoadInstance"], "VN");
        assert_eq!(
            (
                record["clientMemberCode"].as_str(),
                record["clientSubsystemCode"].as_str()
            ),
            (Some("A"), Some("app"))
        );
        assert_eq!(
            (record["serviceMemberCode"].as_str(), record["serviceCode"].as_str()),
            (Some("B"), Some("echo"))
        );
        assert_eq!(
            (record["requestSize"].as_u64(), record["messageUserId"].as_str()),
            (Some(5), Some("VN1"))
        );
        assert_eq!(record["responseSize"].as_u64(), Some(answer.body.len() as u64));
        assert_eq!(
            (record["succeeded"].as_bool(), record["statusCode"].as_u64()),
            (Some(true), Some(200))
        );
        assert_eq!(record["xRequestId"], answer.header("x-road-request-id"));
        // Paths have numbers of persons in them.
        assert_eq!(record.get("restPath"), None);
        let record = serde_json::to_value(taken.try_recv().expect("two")).expect("JSON");
        assert_eq!(
            (record["succeeded"].as_bool(), record["faultCode"].as_str()),
            (Some(false), Some("Server.ServerProxy.UnknownService"))
        );
        assert!(taken.try_recv().is_err());
        taken.close();
    }
    assert_eq!(get(world.a.edge, &format!("{REG}/echo")).await.status, 200);
    assert_eq!(world.a.gateway.figures().operations_dropped, 1);
}

#[tokio::test]
async fn a_service_gets_its_own_key_in_the_place_of_what_the_consumer_sent() {
    let mut keyed = at(&echo().await);
    let mut key = http::HeaderValue::from_static("of the node");
    key.set_sensitive(true);
    keyed.credential = Some(Credential {
        header: http::HeaderName::from_static("x-api-key"),
        value: key,
    });
    assert!(!format!("{keyed:?}").contains("of the node"), "no log shows it");
    let setup = Setup::provider([("keyed", keyed), ("open", at(&echo().await))]);
    let world = World::new(Setup::consumer(), setup).await;
    for (code, expected) in [("keyed", "of the node"), ("open", "of the consumer")] {
        let with = request("GET", &format!("{REG}/{code}/persons")).header("X-Api-Key", "of the consumer");
        let answer = send(world.a.edge, with.body("").expect("a request")).await;
        assert_eq!(answer.status, 200);
        let said: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let headers = said["headers"].as_array().expect("headers");
        let keys: Vec<_> = headers.iter().filter(|header| header[0] == "x-api-key").collect();
        assert_eq!(keys.len(), 1, "{said}");
        assert_eq!(keys[0][1], expected);
    }
    world.verify().await;
    for kind in [Kind::MESSAGE, Kind::READ] {
        let leaves = world.b.id.leaves(kind).concat();
        assert!(!leaves.windows(11).any(|w| w == b"of the node"), "it is in no record");
    }
}
