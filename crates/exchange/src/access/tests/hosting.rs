//! What the gateway takes, kept current.

use std::time::Duration;

use ::store::{Read as _, params};
use identity::Sealer;

use super::*;
use crate::access::model::Typed;
use crate::model::{
    address::{ServiceRule, read},
    hosting::{ClientSignIn, ServiceTarget},
    meta::ServiceKind,
};

const OPENAPI: &[u8] =
    br#"{"openapi":"3.1.0","info":{"title":"Persons","version":"2.0"},"paths":{"/persons/{id}":{"get":{}}}}"#;

#[tokio::test]
async fn a_change_is_there_at_once_and_another_process_finds_it() {
    for (_ours, theirs, _wire) in pairs().await {
        let other = Node::open(theirs.store.clone(), theirs.clock.clone(), "VN/GOV/G01", "G01").await;
        let (here, there) = (theirs.access.hosted(), other.access.hosted());
        assert!(!there.refresh().await.expect("a look"), "nothing has changed");
        let steward = theirs.steward();
        let (services, _) = theirs.access.services(&steward, "", 50).await.expect("a list");
        let id = services[0].id;
        theirs
            .access
            .describe(&steward, id, Some(OPENAPI))
            .await
            .expect("a good document");
        let kind = |hosted: &crate::access::Hosted| hosted.now().services[&service()].kind;
        assert_eq!((kind(here), kind(there)), (ServiceKind::OpenApi, ServiceKind::Rest));
        assert!(there.refresh().await.expect("a look"));
        let hosted = &there.now().services[&service()];
        assert_eq!(hosted.openapi.as_deref(), Some(OPENAPI));
        assert_eq!(hosted.endpoints[0].path.as_str(), "/persons/*");
        assert!(!hosted.open);

        let mut draft = service_draft();
        (draft.disabled, draft.notice) = (true, "Bảo trì đến 8 giờ".into());
        let version = theirs.access.service(&steward, id).await.expect("a service").0.version;
        theirs
            .access
            .change_service(&steward, id, version, &draft)
            .await
            .expect("switched off");
        let stale = theirs
            .access
            .change_service(&steward, id, version, &draft)
            .await
            .expect_err("changed since");
        assert_eq!(stale.kind(), Some(base::Kind::Conflict));
        assert_eq!(
            here.now().services[&service()].disabled.as_deref(),
            Some("Bảo trì đến 8 giờ")
        );

        // The look by itself.
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(there.clone().run(stopped));
        for _ in 0..100 {
            if there.now().services[&service()].disabled.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(
            there.now().services[&service()].disabled.is_some(),
            "found by the periodic look"
        );
        stop.send(true).expect("it runs");
        task.await.expect("it ends");
    }
}

#[tokio::test]
async fn systems_sign_in_as_they_were_registered() {
    for (ours, _theirs, _wire) in pairs().await {
        let steward = ours.steward();
        let client = |ours: &Node| ours.access.hosted().now().clients[&consumer()].clone();
        assert_eq!(
            client(&ours).sign_in,
            ClientSignIn::Networks(vec!["10.1.2.0/24".into()])
        );
        let (systems, _) = ours.access.systems(&steward, "", 50).await.expect("a list");
        let mut draft = systems[0].draft();
        draft.sign_in = SignInDraft::Token;
        draft.purpose = "dossier.verify".into();
        draft.whole_service = "mapi".into();
        let saved = ours
            .access
            .change_system(&steward, systems[0].id, 1, &draft)
            .await
            .expect("changed");
        let token = saved.token.expect("a token, shown once");
        let hash = |token: &str| {
            use sha2::{Digest, Sha256};
            hex::encode(Sha256::digest(token.as_bytes()))
        };
        assert_eq!(client(&ours).sign_in, ClientSignIn::Token(hash(&token)));
        assert_eq!(
            client(&ours).purpose.map(|p| p.to_string()).as_deref(),
            Some("dossier.verify")
        );
        let saved = ours
            .access
            .change_system(&steward, systems[0].id, 2, &draft)
            .await
            .expect("changed");
        assert_eq!(saved.token, None, "the token stays");
        let second = ours.access.new_token(&steward, systems[0].id).await.expect("a token");
        assert!(second != token && second.len() >= 40);
        assert_eq!(client(&ours).sign_in, ClientSignIn::Token(hash(&second)));
        let hosting = ours.access.hosted().now();
        assert_eq!(
            hosting.forward.of[&consumer()],
            ServiceRule::Whole(crate::model::identifier::Part::new("mapi").expect("a part"))
        );
        let raw = b"/XrdAdapter/RestService/forward/a/b?dstcode=VN:GOV:H57:motcua";
        assert_eq!(
            read(raw, &hosting.forward).expect("read").1.service().code.as_str(),
            "mapi"
        );
        let asking: ServiceId = format!("{CONSUMER}/motcuaAccess").parse().expect("a service");
        let asking = &hosting.services[&asking];
        assert!(asking.open, "every system can be asked for grants");
        assert_eq!(asking.target, ServiceTarget::Internal("access".into()));
    }
}

#[tokio::test]
async fn the_key_of_a_service_is_kept_sealed_and_given_to_the_gateway_alone() {
    for (_ours, theirs, _wire) in pairs().await {
        let (access, steward) = (&theirs.access, theirs.steward());
        let (services, _) = access.services(&steward, "", 50).await.expect("a list");
        let id = services[0].id;
        let change = async |header: &str, key: &str| {
            let mut draft = service_draft();
            (draft.credential_header, draft.credential) = (header.into(), Typed(key.into()));
            let version = access.service(&steward, id).await.expect("a service").0.version;
            access.change_service(&steward, id, version, &draft).await
        };
        let hosted = || access.hosted().now().services[&service()].credential.clone();
        let problem = |error: base::Error| {
            let problems = error.problems().expect("problems").iter();
            problems.map(|problem| problem.at.clone()).collect::<Vec<_>>()
        };
        for (header, key, at) in [
            ("", "k", "credential_header"),
            ("Host", "k", "credential_header"),
            ("X-Road-Client", "k", "credential_header"),
            ("not a header", "k", "credential_header"),
            ("X-Api-Key", "", "credential"),
            ("X-Api-Key", "khóa", "credential"),
            ("X-Api-Key", "a\nb", "credential"),
        ] {
            assert_eq!(
                problem(change(header, key).await.expect_err(key)),
                [at],
                "{header} {key}"
            );
        }
        change("X-Api-Key", " top secret ").await.expect("a good key");
        let given = hosted().expect("a key");
        assert_eq!(
            (given.header.as_str(), given.value.as_bytes()),
            ("x-api-key", &b"top secret"[..])
        );
        assert!(given.value.is_sensitive());
        // Empty keeps it, also in another header; nobody reads it back.
        change("Authorization", "").await.expect("the same key");
        let given = hosted().expect("a key");
        assert_eq!(
            (given.header.as_str(), given.value.as_bytes()),
            ("authorization", &b"top secret"[..])
        );
        let (view, _) = access.service(&steward, id).await.expect("a service");
        assert_eq!(view.credential_header.as_deref(), Some("authorization"));
        assert_eq!(view.draft().credential, Typed::default());
        assert!(!format!("{view:?} {:?}", service_draft()).contains("top secret"));
        let sealed: Option<Vec<u8>> = theirs
            .store
            .read()
            .scalar(
                "SELECT credential FROM exchange_service WHERE credential IS NOT NULL",
                params![],
            )
            .await
            .expect("a row");
        assert!(!sealed.expect("kept").windows(3).any(|w| w == b"top"));

        // A node with another secret does not call without it: the service counts as switched off.
        let other = Node::with_sealer(theirs.store.clone(), theirs.clock.clone(), Sealer::new([8; 32])).await;
        let blind = other.access.hosted().now();
        let blind = &blind.services[&service()];
        assert!(blind.credential.is_none() && blind.disabled.is_some());

        change("", "").await.expect("no key");
        assert!(hosted().is_none());
    }
}

/// A service that says nothing without its key.
async fn keyed() -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let app = Router::new().fallback(move |headers: http::HeaderMap| {
        let right = headers.get("x-api-key").is_some_and(|key| key == "top secret");
        if right {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        async move {
            if right {
                http::StatusCode::OK
            } else {
                http::StatusCode::UNAUTHORIZED
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), calls)
}

#[tokio::test]
async fn the_check_of_a_service_knows_its_key_and_its_report_does_not_tell_it() {
    for (_ours, theirs, wire) in pairs().await {
        let (url, calls) = keyed().await;
        let (access, steward) = (&theirs.access, theirs.steward());
        let (services, _) = access.services(&steward, "", 50).await.expect("a list");
        let id = services[0].id;
        let mut draft = service_draft();
        draft.url = url;
        (draft.credential_header, draft.credential) = ("X-Api-Key".into(), Typed("top secret".into()));
        access
            .change_service(&steward, id, services[0].version, &draft)
            .await
            .expect("changed");
        access
            .describe(&steward, id, Some(OPENAPI))
            .await
            .expect("a good document");
        theirs.jobs(&wire).await;
        assert!(calls.load(std::sync::atomic::Ordering::SeqCst) > 0, "the check came in");
        let report = access.check_report(&steward, id).await.expect("a report").to_string();
        assert!(!report.contains("top secret"), "{report}");
    }
}
