//! What members change by themselves, and what the operator does about them.

use std::sync::Arc;

use base::{Clock, Kind, Text};
use exchange::{
    directory::{
        Follower, NamedSigner,
        join::{NewEntry, Progress, Rotation, description_of},
        membership::{
            EntryRequest, Revoke,
            documents::{EntryChange, GatewayChange},
        },
        seal, trust_store,
    },
    model::{
        federation::{Description, Service, Subsystem},
        meta::ServiceKind,
    },
};
use trust::{Algorithm, Certificate, Explained, Purpose, Revocations, ca::Reason};

use crate::{
    office::{Applicant, Office, member_id},
    support::{codes_of, key, part},
};

const DOCUMENT: &str = r#"{"openapi":"3.1.0","info":{"title":"Tra cứu dân cư","version":"2.0"},"paths":{}}"#;

fn subsystem(description: Option<Description>) -> Subsystem {
    Subsystem {
        code: part("dancu"),
        name: Text::new("Cơ sở dữ liệu dân cư", ""),
        services: vec![Service {
            code: part("tracuu"),
            name: Text::new("Tra cứu", ""),
            kind: if description.is_some() {
                ServiceKind::OpenApi
            } else {
                ServiceKind::Rest
            },
            description,
            badge: None,
            gateways: vec![],
        }],
    }
}

async fn follower(applicant: &Applicant, office: &Office) -> Follower {
    let Ok(Progress::Joined { follower, .. }) = applicant.poll(office).await else {
        panic!("a member");
    };
    follower
}

#[tokio::test]
async fn a_member_publishes_its_services_without_the_operator() {
    for office in Office::all().await {
        let member = office.member("H26").await;
        let follower = follower(&member, &office).await;
        let before = follower.standing().load().view.directory().version;
        let entry = NewEntry {
            subsystems: vec![subsystem(Some(description_of(DOCUMENT).unwrap()))],
            documents: vec![DOCUMENT.to_owned()],
        };
        let changed = member.node.publish(&office.operator(), entry.clone()).await.unwrap();
        assert_eq!(changed.version, 2);
        follower.refresh().await.unwrap();
        let standing = follower.standing().load_full();
        assert!(standing.view.directory().version > before);
        let id = "VN/GOV/H26/dancu/tracuu".parse().unwrap();
        let (_, service) = standing.view.service(&id).unwrap();
        let found = follower.document(service.description.as_ref().unwrap()).await.unwrap();
        assert_eq!(found, DOCUMENT.as_bytes());
        // The document is there by now.
        let again = NewEntry {
            documents: vec![],
            ..entry
        };
        assert_eq!(member.node.publish(&office.operator(), again).await.unwrap().version, 3);
    }
}

fn change(version: u64) -> EntryChange {
    EntryChange {
        instance: part("VN"),
        member: member_id("H26"),
        version,
        subsystems: vec![subsystem(None)],
        gateway: GatewayChange {
            code: part("g1"),
            address: "g1.h26.example.vn:5500".into(),
            log_url: None,
            request: None,
            retire: vec![],
            log_key: None,
        },
    }
}

#[tokio::test]
async fn a_change_that_is_not_the_members_next_is_refused() {
    for office in Office::all().await {
        let (member, other) = (office.member("H26").await, office.member("H27").await);
        let ctx = office.system();
        let send = async |change: &EntryChange, signer: &NamedSigner, documents: Vec<String>| {
            let request = EntryRequest {
                change: seal(change, &[signer]).unwrap(),
                documents,
            };
            office.membership.change_entry(&ctx, &request).await
        };
        let refused = async |change: &EntryChange, signer: &NamedSigner, documents: Vec<String>| {
            codes_of(&send(change, signer, documents).await.unwrap_err()).join(" ")
        };
        let own = member.node.endorser();
        assert_eq!(
            refused(&change(2), other.node.endorser(), vec![]).await,
            "directory-wrong-signature"
        );
        assert_eq!(refused(&change(1), own, vec![]).await, "entry-version");
        assert_eq!(refused(&change(3), own, vec![]).await, "entry-version");
        let mut foreign = change(2);
        foreign.instance = part("LA");
        assert_eq!(refused(&foreign, own, vec![]).await, "application-other-instance");
        let mut nobody = change(2);
        nobody.member = member_id("H99");
        assert_eq!(refused(&nobody, own, vec![]).await, "not-found");

        type Bend = fn(&mut EntryChange);
        let wrong: [(Bend, &str); 9] = [
            (|c| c.subsystems.push(subsystem(None)), "subsystem-twice"),
            (|c| c.subsystems[0].name.vi.clear(), "name"),
            (
                |c| c.subsystems[0].services[0].code = part("listMethods"),
                "service-reserved",
            ),
            (
                |c| c.subsystems[0].services[0].kind = ServiceKind::OpenApi,
                "service-description",
            ),
            (
                |c| c.subsystems[0].services[0].gateways = vec![part("g9")],
                "gateway-unknown",
            ),
            (|c| c.gateway.address = "x".into(), "address"),
            (
                |c| c.subsystems = vec![subsystem(Some(description_of(DOCUMENT).unwrap()))],
                "directory-no-document",
            ),
            (|c| c.gateway.request = Some("x".into()), "request-malformed"),
            (
                |c| {
                    let service = c.subsystems[0].services[0].clone();
                    c.subsystems[0].services.push(service);
                },
                "service-twice",
            ),
        ];
        for (bend, code) in wrong {
            let mut bent = change(2);
            bend(&mut bent);
            assert_eq!(refused(&bent, own, vec![]).await, code);
        }
        assert_eq!(
            refused(&change(2), own, vec![DOCUMENT.into()]).await,
            "document-unnamed"
        );
        let mut other_title = change(2);
        let mut description = description_of(DOCUMENT).unwrap();
        description.title = "Khác".into();
        other_title.subsystems = vec![subsystem(Some(description))];
        assert_eq!(refused(&other_title, own, vec![DOCUMENT.into()]).await, "openapi-other");
        let mut last_key = change(2);
        last_key.gateway.retire = vec![member.node.fingerprints().tls_key];
        assert_eq!(refused(&last_key, own, vec![]).await, "key-last");

        // The good one; then it comes again, and then another with its number.
        assert_eq!(send(&change(2), own, vec![]).await.unwrap().version, 2);
        assert_eq!(
            send(&change(2), own, vec![]).await.unwrap().version,
            2,
            "a repetition is answered"
        );
        let mut replay = change(2);
        replay.subsystems.clear();
        assert_eq!(refused(&replay, own, vec![]).await, "entry-version");
        assert_eq!(send(&change(3), own, vec![]).await.unwrap().version, 3);
        assert_eq!(
            refused(&change(2), own, vec![]).await,
            "entry-version",
            "an old one is a replay"
        );
    }
}

#[tokio::test]
async fn the_key_of_a_log_changes_and_the_former_one_stays() {
    for office in Office::all().await {
        let member = office.member("H26").await;
        let follower = follower(&member, &office).await;
        let (ctx, own) = (office.system(), member.node.endorser());
        let new = NamedSigner::new(member.node.log_name().as_str(), key()).unwrap();
        let send = async |log_key: &NamedSigner, signers: &[&NamedSigner]| {
            let mut change = change(2);
            change.gateway.log_key = Some(log_key.key().clone());
            let change = seal(&change, signers).unwrap();
            let request = EntryRequest {
                change,
                documents: vec![],
            };
            office.membership.change_entry(&ctx, &request).await
        };
        let alone = send(&new, &[own]).await.unwrap_err();
        assert_eq!(
            codes_of(&alone),
            ["signature-missing"],
            "who holds the new key is not shown"
        );
        let foreign = NamedSigner::new("VN/GOV/H27/g1", key()).unwrap();
        assert_eq!(
            codes_of(&send(&foreign, &[own, &foreign]).await.unwrap_err()),
            ["log-key"]
        );
        send(&new, &[own, &new]).await.unwrap();
        follower.refresh().await.unwrap();
        let standing = follower.standing().load_full();
        let log = standing.view.log(member.node.log_name()).unwrap();
        let both = [member.node.log_signer(), &new].map(|signer| signer.key().verifier().clone());
        assert_eq!(log.keys, both);
    }
}

#[tokio::test]
async fn keys_change_without_a_pause() {
    for office in Office::all().await {
        let mut member = office.member("H26").await;
        let follower = follower(&member, &office).await;
        let (operator, old) = (office.operator(), member.node.fingerprints().tls_key);
        let shown = |member: &Applicant| member.node.credential().is_ok();
        member
            .node
            .rotate(&operator, vec![], Rotation::Overlapping(Algorithm::EcdsaP256))
            .await
            .unwrap();
        let new = member.node.fingerprints().tls_key;
        assert_ne!(old, new);
        assert!(shown(&member), "the certificate of the new key is there");
        let keys = async || {
            follower.refresh().await.unwrap();
            let standing = follower.standing().load_full();
            standing.view.member(&member_id("H26")).unwrap().gateways[0]
                .keys
                .clone()
        };
        assert_eq!(keys().await, [old, new]);
        let error = member.node.retire(&operator, vec![], vec![new]).await.unwrap_err();
        assert_eq!(codes_of(&error), ["key-in-use"]);
        member.node.retire(&operator, vec![], vec![old]).await.unwrap();
        assert_eq!(keys().await, [new]);
        // After a restart the node has the new key.
        member.node = exchange::directory::join::Node::open(member.path()).unwrap();
        assert!(shown(&member));
        member
            .node
            .rotate(&operator, vec![], Rotation::AtOnce(Algorithm::Ed25519))
            .await
            .unwrap();
        assert_eq!(keys().await, [member.node.fingerprints().tls_key]);
    }
}

#[tokio::test]
async fn a_suspended_member_is_out_until_it_is_resumed() {
    for office in Office::all().await {
        let member = office.member("H26").await;
        let follower = follower(&member, &office).await;
        let id = member_id("H26");
        let later = || {
            office.clock.set(office.clock.now().plus_seconds(1));
            office.system()
        };
        let ctx = later();
        let chain = Certificate::load_chain(&member.path().join("tls.pem")).unwrap();
        let believed = async || {
            follower.refresh().await.unwrap();
            let standing = follower.standing().load_full();
            let store = trust_store(&standing.view, Revocations::default(), office.clock.now()).unwrap();
            store
                .judge(&[chain[0].der().clone()], Purpose::Client, office.clock.now())
                .is_ok()
        };
        assert!(believed().await);
        office.membership.suspend(&ctx, &id, "Sự cố an toàn").await.unwrap();
        assert!(!believed().await);
        assert!(
            follower.standing().load().view.member(&id).unwrap().suspended.is_some(),
            "it stays listed"
        );
        let again = office.membership.suspend(&ctx, &id, "Sự cố").await.unwrap_err();
        assert_eq!(codes_of(&again), ["member-suspended"]);
        let change = member
            .node
            .publish(&office.operator(), NewEntry::default())
            .await
            .unwrap_err();
        assert_eq!(
            (codes_of(&change), change.kind()),
            (vec!["member-suspended"], Some(Kind::Forbidden))
        );
        let mut second = Applicant::new("H26", "g2");
        assert_eq!(
            codes_of(&second.apply(&office).await.unwrap_err()),
            ["member-suspended"]
        );
        office.membership.resume(&later(), &id, "Đã khắc phục").await.unwrap();
        assert!(believed().await);
        let again = office.membership.resume(&ctx, &id, "Đã khắc phục").await.unwrap_err();
        assert_eq!(codes_of(&again), ["member-not-suspended"]);
        let (_, _, acts) = office.membership.member(&ctx, &id).await.unwrap();
        let acts: Vec<&str> = acts.iter().map(|act| act.act.as_str()).collect();
        assert_eq!(acts, ["resume", "suspend", "approve"]);
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_told_to_everybody() {
    for office in Office::all().await {
        let member = office.member("H26").await;
        let follower = follower(&member, &office).await;
        let (ctx, id) = (office.system(), member_id("H26"));
        let chain = Certificate::load_chain(&member.path().join("tls.pem")).unwrap();
        let revoke = Revoke {
            reason: Reason::KeyCompromise,
            invalid_since: Some(office.clock.now().plus_seconds(-60)),
        };
        office
            .membership
            .revoke(&ctx, &chain[0].serial(), revoke)
            .await
            .unwrap();
        follower.refresh().await.unwrap();
        let standing = follower.standing().load_full();
        let store = trust_store(&standing.view, Revocations::default(), office.clock.now()).unwrap();
        let refused = store
            .judge(&[chain[0].der().clone()], Purpose::Client, office.clock.now())
            .unwrap_err();
        let codes: Vec<_> = refused.iter().map(Explained::code).collect();
        assert_eq!(codes, ["certificate-revoked"]);
        let change = member
            .node
            .publish(&office.operator(), NewEntry::default())
            .await
            .unwrap_err();
        assert_eq!(
            codes_of(&change),
            ["directory-wrong-signature"],
            "its key is believed no more"
        );
        let again = office
            .membership
            .revoke(&ctx, &chain[0].serial(), revoke)
            .await
            .unwrap_err();
        assert_eq!(codes_of(&again), ["certificate-already-revoked"]);
        let unknown = office.membership.revoke(&ctx, "00", revoke).await.unwrap_err();
        assert_eq!(unknown.kind(), Some(Kind::NotFound));
        assert!(standing.view.member(&id).unwrap().gateways[0].keys.is_empty());
    }
}

#[tokio::test]
async fn the_directory_is_kept_fresh_and_what_failed_is_published_later() {
    for office in Office::all().await {
        let member = office.member("H26").await;
        let follower = follower(&member, &office).await;
        let version = office.publisher.next_version();
        office.clock.set(office.clock.now().plus_seconds(1_800));
        office.membership.tick().await.unwrap();
        assert_eq!(office.publisher.next_version(), version, "the timestamp alone");
        follower.refresh().await.unwrap();
        // Half of the edition's time is over: a new one with a new revocation list.
        office.clock.set(office.clock.now().plus_seconds(15 * 86_400));
        office.membership.tick().await.unwrap();
        assert_eq!(office.publisher.next_version(), version + 1);
        follower.refresh().await.unwrap();
        let standing = follower.standing().load_full();
        let store = trust_store(&standing.view, Revocations::default(), office.clock.now()).unwrap();
        let list = store.revocations().lists().next().unwrap();
        assert!(list.next_update() > office.clock.now());
        // A decision that was stored and not published, as after a crash.
        ::store::transact!(office.store, |tx| {
            tx.exec("UPDATE directory_state SET revision = revision + 1", vec![])
                .await
        })
        .unwrap();
        assert!(!office.membership.publication(&office.system()).await.unwrap().current);
        office.membership.tick().await.unwrap();
        assert!(office.membership.publication(&office.system()).await.unwrap().current);
        assert_eq!(office.publisher.next_version(), version + 2);
        let kept = tokio::spawn(office.membership.clone().keep());
        kept.abort();
    }
}

#[tokio::test]
async fn changes_side_by_side_do_not_overwrite_each_other() {
    for office in Office::all().await {
        let office = Arc::new(office);
        let member = office.member("H26").await;
        let own = member.node.endorser().clone();
        let mut tasks = Vec::new();
        for n in 0..6 {
            let (office, own) = (Arc::clone(&office), own.clone());
            tasks.push(tokio::spawn(async move {
                let mut change = change(2);
                change.subsystems[0].name = Text::new(format!("Hệ thống {n}"), "");
                let request = EntryRequest {
                    change: seal(&change, &[&own]).unwrap(),
                    documents: vec![],
                };
                office.membership.change_entry(&office.system(), &request).await.is_ok()
            }));
        }
        let mut taken = 0;
        for task in tasks {
            taken += usize::from(task.await.unwrap());
        }
        assert_eq!(taken, 1);
    }
}
