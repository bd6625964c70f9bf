//! From nothing to a member, and every application that is refused.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use base::{Clock, Kind, Text};
use exchange::{
    directory::{
        Digest, NamedSigner,
        join::{Node, Progress},
        membership::{ApplicationId, ApplicationStanding, Approve, Invite, Revoke, documents::Application},
        seal, trust_store,
    },
    model::message::LogName,
};
use ledger::Signer as _;
use trust::{Algorithm, CertificateRequest, Explained, Purpose, Revocations, Signer, ca::Reason};

use crate::{
    office::{Applicant, Office, member_id, new_node},
    support::{codes_of, key, part},
};

#[tokio::test]
async fn from_nothing_to_the_first_edition() {
    for office in Office::all().await {
        let mut applicant = Applicant::new("H26", "g1");
        for file in ["tls.key", "log.key"] {
            let mode = fs::metadata(applicant.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        // Whoever answers is not believed before the fingerprint was compared.
        let meeting = office.operator().meet().await.unwrap();
        assert_eq!(meeting.instance(), &part("VN"));
        let refused = meeting.clone().confirm(Digest::of(b"another")).unwrap_err();
        assert_eq!(refused.code(), "directory-other-root");
        let known = meeting.confirm(office.fingerprint).unwrap();

        let answer = applicant
            .node
            .apply(&known, None, None, office.clock.now())
            .await
            .unwrap();
        assert_eq!(answer.standing, ApplicationStanding::Pending);
        assert!(matches!(applicant.poll(&office).await, Ok(Progress::Pending)));
        let waiting = office.applications(ApplicationStanding::Pending).await;
        assert_eq!(
            waiting[0].fingerprint,
            applicant.node.fingerprints().request,
            "what the telephone compares"
        );
        assert_eq!(waiting[0].log_key, applicant.node.fingerprints().log_key);
        office.approve().await;

        // The folder is opened anew, as after a restart.
        let node = Node::open(applicant.path()).unwrap();
        let joined = node
            .poll(&office.operator(), Arc::new(office.clock.clone()))
            .await
            .unwrap();
        let Progress::Joined { certificate, follower } = joined else {
            panic!("joined");
        };
        assert_eq!(certificate.member().unwrap().unwrap().to_string(), "VN/GOV/H26");
        let standing = follower.standing().load_full();
        let member = standing.view.member(&member_id("H26")).unwrap();
        assert_eq!(member.gateways[0].keys, [node.fingerprints().tls_key]);
        let log = standing.view.log(node.log_name()).unwrap();
        assert_eq!(
            log.keys,
            [node.log_signer().verifier()],
            "its checkpoints will be verified"
        );
        assert!(node.credential().is_ok());

        // Its application is of no use a second time.
        let again = applicant
            .node
            .apply(&known, None, None, office.clock.now())
            .await
            .unwrap();
        assert_eq!(again.standing, ApplicationStanding::Approved);
        assert_eq!(again.application, answer.application);
    }
}

#[tokio::test]
async fn nobody_but_the_applicant_learns_how_it_stands() {
    for office in Office::all().await {
        let (mut one, mut other) = (Applicant::new("H26", "g1"), Applicant::new("H27", "g1"));
        one.apply(&office).await.unwrap();
        other.apply(&office).await.unwrap();
        // The other asks for the application of the one.
        let about = fs::read_to_string(one.path().join("node.json")).unwrap();
        let about: serde_json::Value = serde_json::from_str(&about).unwrap();
        let path = other.path().join("node.json");
        let mut theirs: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        theirs["application"] = about["application"].clone();
        fs::write(&path, theirs.to_string()).unwrap();
        other.node = Node::open(other.path()).unwrap();
        let error = other.poll(&office).await.unwrap_err();
        assert_eq!(codes_of(&error), ["directory-wrong-signature"]);
        // An old question of the one is not answered again.
        office.clock.set(office.clock.now().plus_seconds(-3 * 86_400));
        let early = one.node.poll(&office.operator(), Arc::new(office.clock.clone())).await;
        assert!(early.is_ok(), "both clocks are early");
    }
}

#[tokio::test]
async fn applying_twice_is_once() {
    for office in Office::all().await {
        let mut applicant = Applicant::new("H26", "g1");
        applicant.apply(&office).await.unwrap();
        applicant.apply(&office).await.unwrap();
        assert_eq!(
            office.applications(ApplicationStanding::Pending).await.len(),
            1,
            "the same document"
        );
        fs::remove_file(applicant.path().join("application")).unwrap();
        office.clock.set(office.clock.now().plus_seconds(60));
        let error = applicant.apply(&office).await.unwrap_err();
        assert_eq!(
            codes_of(&error),
            ["already-applied"],
            "another document with the same key"
        );
        assert_eq!(error.kind(), Some(Kind::Conflict));
    }
}

#[tokio::test]
async fn a_refusal_is_read_with_its_reason_and_one_may_apply_again() {
    for office in Office::all().await {
        let mut applicant = Applicant::new("H26", "g1");
        applicant.apply(&office).await.unwrap();
        let id = ApplicationId::from_uuid(office.applications(ApplicationStanding::Pending).await[0].id);
        let ctx = office.system();
        let empty = office.membership.refuse(&ctx, id, "  ").await.unwrap_err();
        assert_eq!(codes_of(&empty), ["reason"]);
        office.membership.refuse(&ctx, id, "Vân tay không khớp").await.unwrap();
        let progress = applicant.poll(&office).await.unwrap();
        assert!(matches!(progress, Progress::Refused(reason) if reason == "Vân tay không khớp"));
        for error in [
            office.membership.refuse(&ctx, id, "x").await.unwrap_err(),
            office
                .membership
                .approve(&ctx, id, Approve::default())
                .await
                .unwrap_err(),
        ] {
            assert_eq!(codes_of(&error), ["application-decided"]);
        }
        office.clock.set(office.clock.now().plus_seconds(60));
        applicant.apply(&office).await.unwrap();
        office.approve().await;
        assert!(matches!(applicant.poll(&office).await, Ok(Progress::Joined { .. })));
    }
}

/// An application as its node would send it, with a change, sealed by these keys.
fn bent(
    office: &Office,
    tls: &Arc<dyn Signer>,
    log: &Arc<dyn Signer>,
    change: impl FnOnce(&mut Application),
) -> Vec<u8> {
    let member = trust::MemberId::new("VN", "GOV", "H50").unwrap();
    let request = CertificateRequest::create(tls.as_ref(), &member, &["a.example.vn".into()]).unwrap();
    let log_key = NamedSigner::new("VN/GOV/H50/g1", Arc::clone(log)).unwrap();
    let mut application = Application {
        instance: part("VN"),
        member: member_id("H50"),
        name: Text::new("Xã Ninh Phước", ""),
        gateway: part("g1"),
        address: "a.example.vn:5500".into(),
        request: request.to_pem(),
        log: LogName::new("VN/GOV/H50/g1").unwrap(),
        log_key: log_key.key().clone(),
        log_url: None,
        invitation: None,
        created: office.clock.now(),
    };
    change(&mut application);
    let tls = NamedSigner::of_node(Arc::clone(tls)).unwrap();
    seal(&application, &[&tls, &log_key]).unwrap().into_bytes()
}

#[tokio::test]
async fn what_is_wrong_with_an_application_is_said() {
    for office in Office::all().await {
        let (tls, log, ctx) = (key(), key(), office.system());
        let refused = async |document: Vec<u8>| {
            let error = office.membership.apply(&ctx, &document).await.unwrap_err();
            codes_of(&error).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        type Change = fn(&mut Application);
        let wrong: [(Change, &[&str]); 11] = [
            (|a| a.instance = part("LA"), &["application-other-instance"]),
            (|a| a.request = "x".into(), &["request-malformed"]),
            (
                |a| a.request = a.request.replace("\nMI", "\nMJ"),
                &["request-malformed"],
            ),
            (|a| a.member = member_id("H51"), &["request-other-member"]),
            (|a| a.name.vi.clear(), &["name"]),
            (|a| a.gateway = part("cổng 1"), &["code-characters"]),
            (
                |a| a.address = "a.example.vn".into(),
                &["address", "request-other-host"],
            ),
            (|a| a.address = "b.example.vn:1".into(), &["request-other-host"]),
            (|a| a.log = LogName::new("VN/GOV/H50/g2").unwrap(), &["log-key"]),
            (|a| a.log_url = Some("ftp://x".into()), &["url"]),
            (
                |a| a.created = a.created.plus_seconds(-3 * 86_400),
                &["application-time"],
            ),
        ];
        for (change, expected) in wrong {
            let found = refused(bent(&office, &tls, &log, change)).await;
            assert!(
                expected.iter().all(|code| found.iter().any(|found| found == code)),
                "{expected:?}: {found:?}"
            );
        }
        // The key of TLS did not sign; a stranger did; the log's key is missing.
        let other = NamedSigner::of_node(key()).unwrap();
        let document = bent(&office, &tls, &log, |_| {});
        let application = exchange::directory::Sealed::<Application>::read(&document).unwrap();
        let by = |signers: &[&NamedSigner]| seal(application.body(), signers).unwrap().into_bytes();
        assert_eq!(refused(by(&[&other])).await, ["directory-wrong-signature"]);
        let tls = NamedSigner::of_node(tls).unwrap();
        assert_eq!(refused(by(&[&tls])).await, ["signature-missing"]);
        let mut damaged = document.clone();
        damaged[60] ^= 1;
        assert!(!refused(damaged).await.is_empty());
        assert_eq!(refused(b"x".to_vec()).await, ["directory-malformed"]);
        assert!(
            office.membership.apply(&ctx, &document).await.is_ok(),
            "and it was good"
        );
    }
}

#[tokio::test]
async fn names_that_are_taken_are_refused() {
    for office in Office::all().await {
        let first = office.member("H26").await;
        let mut same_name = Applicant::named("H99", "g1", "ỦY BAN  nhân dân h26");
        let error = same_name.apply(&office).await.unwrap_err();
        assert_eq!(codes_of(&error), ["name-taken"]);
        let mut same_gateway = Applicant::new("H26", "g1");
        let error = same_gateway.apply(&office).await.unwrap_err();
        assert_eq!(codes_of(&error), ["log-taken", "gateway-taken"]);
        // The same key for another gateway.
        let again = tempfile::TempDir::new().unwrap();
        let mut new = new_node("H26", "g2", "Ủy ban nhân dân H26");
        new.tls_key = Some(first.path().join("tls.key").display().to_string());
        let mut node = Node::init(again.path(), &new).unwrap();
        let error = node
            .apply(&office.known().await, None, None, office.clock.now())
            .await
            .unwrap_err();
        assert_eq!(codes_of(&error), ["key-taken"]);
    }
}

#[tokio::test]
async fn two_wait_for_one_name_and_the_first_that_is_approved_has_it() {
    for office in Office::all().await {
        let (mut one, mut other) = (Applicant::new("H26", "g1"), Applicant::new("H26", "g1"));
        one.apply(&office).await.unwrap();
        office.clock.set(office.clock.now().plus_seconds(1));
        other.apply(&office).await.unwrap();
        let waiting = office.applications(ApplicationStanding::Pending).await;
        let ids = [0, 1].map(|n| ApplicationId::from_uuid(waiting[n].id));
        let ctx = office.system();
        office
            .membership
            .approve(&ctx, ids[0], Approve::default())
            .await
            .unwrap();
        let careful = office
            .membership
            .approve(&ctx, ids[1], Approve::default())
            .await
            .unwrap_err();
        assert_eq!(codes_of(&careful), ["approval-must-say-so"]);
        let approve = Approve { adds_to_member: true };
        let taken = office.membership.approve(&ctx, ids[1], approve).await.unwrap_err();
        assert_eq!(codes_of(&taken), ["log-taken"]);
        assert!(
            matches!(other.poll(&office).await, Ok(Progress::Pending)),
            "and nothing of it was stored"
        );
    }
}

#[tokio::test]
async fn nobody_takes_over_a_member() {
    for office in Office::all().await {
        let first = office.member("H26").await;
        let mut stranger = Applicant::new("H26", "g2");
        stranger.apply(&office).await.unwrap();
        let waiting = office.applications(ApplicationStanding::Pending).await;
        assert!(waiting[0].adds_to_member && !waiting[0].endorsed);
        let id = ApplicationId::from_uuid(waiting[0].id);
        let ctx = office.system();
        let error = office
            .membership
            .approve(&ctx, id, Approve::default())
            .await
            .unwrap_err();
        assert_eq!(codes_of(&error), ["approval-must-say-so"]);
        office.membership.refuse(&ctx, id, "Không xác minh được").await.unwrap();

        // With the signature of the member's present key; a signature of another member's key is none.
        let other = office.member("H27").await;
        let (mut second, known) = (Applicant::new("H26", "g2"), office.known().await);
        let wrong = second
            .node
            .apply(&known, None, Some(other.node.endorser()), office.clock.now())
            .await;
        assert_eq!(codes_of(&wrong.unwrap_err()), ["directory-wrong-signature"]);
        fs::remove_file(second.path().join("application")).unwrap();
        let endorser = Some(first.node.endorser());
        second
            .node
            .apply(&known, None, endorser, office.clock.now())
            .await
            .unwrap();
        assert!(office.applications(ApplicationStanding::Pending).await[0].endorsed);
        office.approve().await;
        let Progress::Joined { follower, .. } = second.poll(&office).await.unwrap() else {
            panic!("joined");
        };
        let standing = follower.standing().load_full();
        assert_eq!(standing.view.member(&member_id("H26")).unwrap().gateways.len(), 2);
    }
}

#[tokio::test]
async fn a_signature_of_a_key_that_was_revoked_meanwhile_counts_no_more() {
    for office in Office::all().await {
        let first = office.member("H26").await;
        let (mut second, known) = (Applicant::new("H26", "g2"), office.known().await);
        let endorser = Some(first.node.endorser());
        second
            .node
            .apply(&known, None, endorser, office.clock.now())
            .await
            .unwrap();
        let ctx = office.system();
        let (_, certificates, _) = office.membership.member(&ctx, &member_id("H26")).await.unwrap();
        let revoke = Revoke {
            reason: Reason::KeyCompromise,
            invalid_since: None,
        };
        office
            .membership
            .revoke(&ctx, &certificates[0].serial, revoke)
            .await
            .unwrap();
        let id = ApplicationId::from_uuid(office.applications(ApplicationStanding::Pending).await[0].id);
        let approve = Approve { adds_to_member: true };
        let error = office.membership.approve(&ctx, id, approve).await.unwrap_err();
        assert_eq!(codes_of(&error), ["application-no-longer-stands"]);
    }
}

#[tokio::test]
async fn invitations_are_for_one_member_once_and_for_a_time() {
    for office in Office::with(|settings| settings.invitation_only = true).await {
        let ctx = office.system();
        let invite = |code: &str, days| Invite {
            member: member_id(code),
            days,
            anew: false,
        };
        assert_eq!(
            codes_of(&office.membership.invite(&ctx, &invite("H26", 0)).await.unwrap_err()),
            ["days"]
        );
        let elsewhere = Invite {
            member: "LA/GOV/1".parse().unwrap(),
            days: 1,
            anew: false,
        };
        assert_eq!(
            codes_of(&office.membership.invite(&ctx, &elsewhere).await.unwrap_err()),
            ["member"]
        );
        let lost = office.membership.invite(&ctx, &invite("H26", 1)).await.unwrap();
        assert_eq!(
            codes_of(&office.membership.invite(&ctx, &invite("H26", 1)).await.unwrap_err()),
            ["invited"],
            "sent again by a program that lost the answer"
        );
        let anew = Invite {
            anew: true,
            ..invite("H26", 1)
        };
        let code = office.membership.invite(&ctx, &anew).await.unwrap();
        let known = office.known().await;
        let refused = async |code: Option<&str>, member: &str| {
            let mut applicant = Applicant::new(member, "g1");
            let applied = applicant.node.apply(&known, code, None, office.clock.now()).await;
            codes_of(&applied.unwrap_err()).join(" ")
        };
        assert_eq!(refused(None, "H26").await, "invitation-required");
        assert_eq!(refused(Some("x"), "H26").await, "invitation-unknown");
        assert_eq!(refused(Some(&lost), "H26").await, "invitation-unknown");
        assert_eq!(refused(Some(&code), "H27").await, "invitation-other-member");
        let mut applicant = Applicant::new("H26", "g1");
        applicant
            .node
            .apply(&known, Some(&code), None, office.clock.now())
            .await
            .unwrap();
        assert!(office.applications(ApplicationStanding::Pending).await[0].invited);
        assert_eq!(refused(Some(&code), "H26").await, "invitation-used");
        let late = office.membership.invite(&ctx, &invite("H26", 1)).await.unwrap();
        office.forward(86_400);
        assert_eq!(refused(Some(&late), "H26").await, "invitation-expired");
        assert_eq!(office.membership.invitations(&office.system()).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_node_of_another_federation_does_not_apply() {
    for office in Office::all().await {
        let folder = tempfile::TempDir::new().unwrap();
        let mut new = new_node("H26", "g1", "A");
        new.member = "LA/GOV/H26".parse().unwrap();
        let mut node = Node::init(folder.path(), &new).unwrap();
        let error = node
            .apply(&office.known().await, None, None, office.clock.now())
            .await
            .unwrap_err();
        assert_eq!(codes_of(&error), ["directory-other-instance"]);
    }
}

#[test]
fn a_folder_has_one_node_and_takes_up_what_a_crash_left() {
    let folder = tempfile::TempDir::new().unwrap();
    let new = new_node("H26", "g1", "A");
    let node = Node::init(folder.path(), &new).unwrap();
    assert_eq!(codes_of(&Node::init(folder.path(), &new).unwrap_err()), ["node-exists"]);
    fs::remove_file(folder.path().join("node.json")).unwrap();
    assert_eq!(codes_of(&Node::open(folder.path()).unwrap_err()), ["directory-absent"]);
    let again = Node::init(folder.path(), &new).unwrap();
    assert_eq!(
        node.fingerprints().tls_key,
        again.fingerprints().tls_key,
        "no second key"
    );
    for bent in [
        exchange::directory::join::NewNode {
            address: "no port".into(),
            ..new.clone()
        },
        exchange::directory::join::NewNode {
            gateway: part("cổng"),
            ..new.clone()
        },
        exchange::directory::join::NewNode {
            member: "VN/GOV/h%E1%BB%93".parse().unwrap(),
            ..new
        },
    ] {
        let folder = tempfile::TempDir::new().unwrap();
        assert!(Node::init(folder.path(), &bent).is_err());
    }
}

#[tokio::test]
async fn the_log_of_a_node_is_signed_by_its_key() {
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
        let folder = tempfile::TempDir::new().unwrap();
        let new = exchange::directory::join::NewNode {
            algorithm,
            ..new_node("H26", "g1", "A")
        };
        let node = Node::init(folder.path(), &new).unwrap();
        let signer = node.log_signer();
        let tree = ledger::Checkpoint::new(node.log_name().as_str(), 0, ledger::Hash([0; 32]));
        let signed = ledger::SignedCheckpoint::sign(tree, [signer as &dyn ledger::Signer], 0).unwrap();
        let note = ledger::Note::parse(signed.to_string().as_bytes()).unwrap();
        assert_eq!(note.verify(&signer.verifier()), Ok(None));
        let listed: ledger::VerifierKey = node.fingerprints().log_key.parse().unwrap();
        assert_eq!(listed, signer.verifier());
    }
}

#[tokio::test]
async fn a_member_that_is_in_is_believed_by_others() {
    for office in Office::all().await {
        let one = office.member("H26").await;
        let Progress::Joined { certificate, .. } = one.poll(&office).await.unwrap() else {
            panic!("joined");
        };
        let other = office.member("H27").await;
        let Progress::Joined { follower, .. } = other.poll(&office).await.unwrap() else {
            panic!("joined");
        };
        let standing = follower.standing().load_full();
        let store = trust_store(&standing.view, Revocations::default(), office.clock.now()).unwrap();
        let peer = store
            .judge(&[certificate.der().clone()], Purpose::Client, office.clock.now())
            .unwrap();
        assert_eq!(peer.member.to_string(), "VN/GOV/H26");
    }
}
