//! What the gateway takes, kept current.

use std::time::Duration;

use super::*;
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
