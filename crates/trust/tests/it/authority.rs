use std::sync::Arc;

use trust::{
    Algorithm, Authority, Certificate, CertificateRequest, Explained, Freshness, Purpose, Revocations, TrustStore,
    ca::{Profile, Reason, Revocation},
    key::SigningKey,
};

use crate::common::{DAY, Federation, approval, key, member, now, openssl};

#[test]
fn a_node_asks_the_operator_approves_and_others_believe_it() {
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
        let federation = Federation::new();
        let who = member("000.00.00.G22");
        let certificate = federation.issue(key(algorithm).as_ref(), &who, Profile::Node);
        let chain = [certificate.der().clone()];
        for purpose in [Purpose::Server, Purpose::Client] {
            let peer = federation.store().judge(&chain, purpose, now()).expect("a member");
            assert_eq!(peer.member, who);
            assert_eq!(peer.key, certificate.key_id());
            assert_eq!(peer.revocation, Freshness::Unknown);
            assert_eq!(peer.not_after, now().plus_seconds(90 * DAY));
        }
        let wrong = federation
            .store()
            .judge(&chain, Purpose::Signature, now())
            .expect_err("for TLS alone");
        assert_eq!(wrong.code(), "certificate-wrong-usage");
        let signing = federation.issue(key(algorithm).as_ref(), &who, Profile::Signature);
        let chain = [signing.der().clone()];
        federation
            .store()
            .judge(&chain, Purpose::Signature, now())
            .expect("a signer");
        federation
            .store()
            .judge(&chain, Purpose::Client, now())
            .expect_err("not for TLS");
    }
}

#[test]
fn serial_numbers_are_random_and_128_bits_long() {
    let federation = Federation::new();
    let signer = key(Algorithm::Ed25519);
    let serials: std::collections::BTreeSet<String> = (0..64)
        .map(|_| federation.issue(signer.as_ref(), &member("A"), Profile::Node).serial())
        .collect();
    assert_eq!(serials.len(), 64);
    assert!(
        serials
            .iter()
            .filter(|serial| serial.trim_start_matches("00").len() >= 30)
            .count()
            > 60
    );
}

#[test]
fn what_the_certificate_says_is_what_was_approved() {
    let federation = Federation::new();
    let signer = key(Algorithm::EcdsaP256);
    let request = CertificateRequest::create(
        signer.as_ref(),
        &member("WISH"),
        &["wish.example.vn".to_owned(), "::1".to_owned()],
    );
    let request = request.expect("a request");
    assert_eq!(request.member(), Some(&member("WISH")));
    assert_eq!(request.hosts(), ["wish.example.vn", "::1"]);
    let approval = approval(&request, &member("PROVEN"), Profile::Node);
    let certificate = federation
        .root
        .issue(&request, &approval, now())
        .expect("a certificate");
    assert_eq!(certificate.member(), Ok(Some(member("PROVEN"))));
    assert!(certificate.subject().contains("Văn phòng Chính phủ") || !certificate.subject().is_empty());
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("node.pem"), certificate.to_pem()).expect("mine");
    std::fs::write(folder.path().join("ca.pem"), federation.root.certificate().to_pem()).expect("mine");
    let text =
        String::from_utf8(openssl(folder.path(), &["x509", "-in", "node.pem", "-noout", "-text"])).expect("text");
    for expected in [
        "URI:motcua://VN/GOV/PROVEN",
        "DNS:node.example.vn",
        "IP Address:127.0.0.1",
        "GO:VN-PROVEN",
        "TLS Web Client Authentication",
        "CA:FALSE",
        "Authority Key Identifier",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains("wish"), "{text}");
    let at = (now().micros() / 1_000_000).to_string();
    openssl(
        folder.path(),
        &[
            "verify",
            "-x509_strict",
            "-attime",
            &at,
            "-CAfile",
            "ca.pem",
            "node.pem",
        ],
    );
}

#[test]
fn an_approval_is_of_one_request_and_for_a_limited_time() {
    let federation = Federation::new();
    let signer = key(Algorithm::Ed25519);
    let request = CertificateRequest::create(signer.as_ref(), &member("A"), &[]).expect("a request");
    let other = CertificateRequest::create(key(Algorithm::Ed25519).as_ref(), &member("A"), &[]).expect("a request");
    let approved = approval(&other, &member("A"), Profile::Node);
    let code = |approval| {
        federation
            .root
            .issue(&request, &approval, now())
            .expect_err("not this one")
            .code()
    };
    assert_eq!(code(approved), "approval-other-request");
    for days in [0, 399, u16::MAX] {
        let mut approval = approval(&request, &member("A"), Profile::Node);
        approval.days = days;
        assert_eq!(code(approval), "validity-too-long");
    }
    let mut approval = approval(&request, &member("A"), Profile::Node);
    approval.hosts = vec!["Bộ Công an".to_owned()];
    assert_eq!(code(approval.clone()), "names-malformed");
    approval.hosts = vec![];
    let dying = Authority::create("CA", key(Algorithm::Ed25519), now(), 30).expect("a root");
    assert_eq!(
        dying.issue(&request, &approval, now()).expect_err("outlived").code(),
        "validity-outlives-ca"
    );
}

#[test]
fn whoever_does_not_hold_the_key_gets_no_certificate() {
    let request = CertificateRequest::create(key(Algorithm::Ed25519).as_ref(), &member("A"), &[]).expect("a request");
    assert_eq!(CertificateRequest::from_pem(&request.to_pem()), Ok(request.clone()));
    // Another key in the same request: the signature no longer fits.
    let other = key(Algorithm::Ed25519);
    let mut der = request.der().to_vec();
    let at = der
        .windows(request.spki().len())
        .position(|w| w == request.spki())
        .expect("the key");
    der[at..at + request.spki().len()].copy_from_slice(trust::Signer::public_key(other.as_ref()).spki());
    assert_eq!(
        CertificateRequest::from_der(&der).expect_err("stolen").code(),
        "request-no-possession"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let weak = [
        "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "key", "-subj", "/CN=weak", "-out", "weak.pem",
    ];
    openssl(folder.path(), &weak);
    let weak = std::fs::read_to_string(folder.path().join("weak.pem")).expect("a request");
    assert_eq!(
        CertificateRequest::from_pem(&weak).expect_err("weak").code(),
        "request-weak-key"
    );
    let foreign = [
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-subj", "/CN=rsa", "-out", "rsa.pem",
    ];
    openssl(folder.path(), &foreign);
    let foreign = std::fs::read_to_string(folder.path().join("rsa.pem")).expect("a request");
    let foreign = CertificateRequest::from_pem(&foreign).expect("a request of other software");
    assert_eq!(foreign.member(), None);
    let federation = Federation::new();
    let approval = approval(&foreign, &member("RSA"), Profile::Node);
    let certificate = federation
        .root
        .issue(&foreign, &approval, now())
        .expect("a certificate");
    federation
        .store()
        .judge(&[certificate.der().clone()], Purpose::Server, now())
        .expect("RSA 2048 is strong enough");
}

#[test]
fn what_is_revoked_is_listed_and_refused() {
    let federation = Federation::new();
    let (_, good) = federation.credential("A");
    let (_, bad) = federation.credential("B");
    let revocation = Revocation {
        serial: bad.serial(),
        at: now(),
        invalid_since: Some(now().plus_seconds(-DAY)),
        reason: Reason::KeyCompromise,
    };
    let list = federation
        .root
        .revocation_list(std::slice::from_ref(&revocation), 7, now(), DAY)
        .expect("a list");
    assert_eq!((list.len(), list.number().as_str()), (1, "07"));
    let mut revocations = Revocations::default();
    revocations
        .merge(list.clone(), [federation.root.certificate()], now())
        .expect("a list of ours");
    let store = TrustStore::new(vec![federation.anchor()], revocations);
    let judge = |certificate: &Certificate, at| store.judge(&[certificate.der().clone()], Purpose::Client, at);
    assert_eq!(judge(&good, now()).expect("good").revocation, Freshness::Fresh);
    let refused = judge(&bad, now()).expect_err("revoked");
    assert_eq!(refused.code(), "certificate-revoked");
    assert!(refused.to_string().contains("keyCompromise"), "{refused}");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("crl.der"), list.der()).expect("mine");
    std::fs::write(folder.path().join("ca.pem"), federation.root.certificate().to_pem()).expect("mine");
    openssl(
        folder.path(),
        &["crl", "-inform", "DER", "-in", "crl.der", "-CAfile", "ca.pem", "-noout"],
    );
    let wrong = Revocation {
        serial: "no hex".to_owned(),
        ..revocation
    };
    assert_eq!(
        federation
            .root
            .revocation_list(&[wrong], 8, now(), DAY)
            .expect_err("no hex")
            .code(),
        "serial-malformed"
    );
}

#[test]
fn a_ca_is_opened_with_its_own_key_only() {
    let signer: Arc<SigningKey> = key(Algorithm::Ed25519);
    let root = Authority::create("CA", Arc::<SigningKey>::clone(&signer), now(), 365).expect("a root");
    Authority::open(root.certificate().clone(), signer).expect("its key");
    let other = Authority::open(root.certificate().clone(), key(Algorithm::Ed25519));
    assert_eq!(other.expect_err("another key").code(), "certificate-wrong-key");
    let (_, node) = Federation::new().credential("A");
    let code = Authority::open(node, key(Algorithm::Ed25519))
        .expect_err("no CA")
        .code();
    assert_eq!(code, "certificate-issuer-no-ca");
}

/// A CA whose key identifier is not of our making: what it signs points at it all the same.
#[test]
fn a_ca_of_openssl_can_be_used() {
    let folder = tempfile::tempdir().expect("a folder");
    openssl(folder.path(), &["genpkey", "-algorithm", "ed25519", "-out", "ca.key"]);
    let make = [
        "req",
        "-x509",
        "-new",
        "-key",
        "ca.key",
        "-days",
        "1000",
        "-subj",
        "/C=VN/O=Cơ yếu/CN=CA",
        "-utf8",
        "-out",
        "ca.pem",
    ];
    let extensions = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    openssl(folder.path(), &[&make[..], &extensions].concat());
    let pem = std::fs::read_to_string(folder.path().join("ca.key")).expect("a key");
    let signer = Arc::new(SigningKey::from_pem(&pem).expect("a key"));
    let root = Certificate::load_chain(&folder.path().join("ca.pem"))
        .expect("a certificate")
        .remove(0);
    let start = root.not_before();
    let root = Authority::open(root, signer).expect("a CA");
    let request = CertificateRequest::create(key(Algorithm::EcdsaP256).as_ref(), &member("A"), &[]).expect("a request");
    let approval = approval(&request, &member("A"), Profile::Node);
    let at = start.plus_seconds(1_000);
    let certificate = root.issue(&request, &approval, at).expect("a certificate");
    let list = root.revocation_list(&[], 1, at, DAY).expect("a list");
    std::fs::write(folder.path().join("node.pem"), certificate.to_pem()).expect("mine");
    std::fs::write(folder.path().join("crl.der"), list.der()).expect("mine");
    openssl(
        folder.path(),
        &["crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem"],
    );
    let at = (at.micros() / 1_000_000).to_string();
    let verify = [
        "verify",
        "-x509_strict",
        "-crl_check",
        "-CRLfile",
        "crl.pem",
        "-attime",
        &at,
        "-CAfile",
        "ca.pem",
        "node.pem",
    ];
    openssl(folder.path(), &verify);
}
