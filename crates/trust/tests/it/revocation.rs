use rcgen::{
    CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, KeyUsagePurpose, RevokedCertParams, date_time_ymd,
};
use trust::{
    Certificate, Crl, Explained, Freshness, Purpose, Revocations, TrustStore,
    revocation::{CrlError, Merged},
};

use crate::common::{DAY, Mint, now};

fn revoked(certificate: &Certificate) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: hex::decode(certificate.serial()).expect("hex").into(),
        revocation_time: date_time_ymd(2026, 11, 19),
        reason_code: None,
        invalidity_date: None,
    }
}

fn merge(revocations: &mut Revocations, list: Crl, issuer: &Certificate) -> Result<Merged, CrlError> {
    revocations.merge(list, [issuer], now())
}

#[test]
fn a_newer_list_replaces_an_older_one_and_never_the_reverse() {
    let root = Mint::root("CA", |_| {});
    let leaf = root.leaf("A", |_| {});
    let old = root.list(|list| list.crl_number = 255.into());
    let new = root.list(|list| {
        list.crl_number = 256.into();
        list.revoked_certs = vec![revoked(&leaf)];
    });
    let mut revocations = Revocations::default();
    assert_eq!(
        merge(&mut revocations, old.clone(), &root.certificate),
        Ok(Merged::Newer)
    );
    assert_eq!(
        merge(&mut revocations, old.clone(), &root.certificate),
        Ok(Merged::Known)
    );
    assert_eq!(
        merge(&mut revocations, new.clone(), &root.certificate),
        Ok(Merged::Newer)
    );
    let back = merge(&mut revocations, old, &root.certificate).expect_err("older");
    assert_eq!(back.code(), "crl-rolled-back");
    // Another list under the same number: a CA, or somebody with its key, tells two stories.
    let fork = root.list(|list| list.crl_number = 256.into());
    assert_eq!(
        merge(&mut revocations, fork, &root.certificate)
            .expect_err("forked")
            .code(),
        "crl-rolled-back"
    );
    let store = TrustStore::new(vec![root.anchor()], revocations);
    let refused = store
        .judge(&[leaf.der().clone()], Purpose::Client, now())
        .expect_err("revoked");
    assert_eq!(refused.code(), "certificate-revoked");
}

#[test]
fn a_list_of_another_ca_is_refused() {
    let (root, other, namesake) = (
        Mint::root("CA", |_| {}),
        Mint::root("Other", |_| {}),
        Mint::root("CA", |_| {}),
    );
    let mut revocations = Revocations::default();
    let code = |list: Crl| {
        merge(&mut revocations.clone(), list, &root.certificate)
            .expect_err("not of this CA")
            .code()
    };
    assert_eq!(code(other.list(|_| {})), "crl-unknown-issuer");
    assert_eq!(code(namesake.list(|_| {})), "crl-wrong-signature");
    // With both CAs of one name pinned, each list goes to its own.
    let both = [&root.certificate, &namesake.certificate];
    revocations
        .merge(namesake.list(|_| {}), both, now())
        .expect("one of the two");
    assert!(revocations.of_issuer(namesake.certificate.key_id()).is_some());
    assert!(revocations.of_issuer(root.certificate.key_id()).is_none());
}

#[test]
fn who_may_not_sign_lists_signs_none() {
    let root = Mint::root("CA", |p| {
        p.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign]
    });
    let mut without = Mint::root("CA", |p| p.key_usages = vec![KeyUsagePurpose::KeyCertSign]);
    // rcgen would not sign for it either.
    without.params.key_usages = root.params.key_usages.clone();
    let list = without.list(|_| {});
    let refused = merge(&mut Revocations::default(), list, &without.certificate).expect_err("no cRLSign");
    assert_eq!(refused.code(), "crl-issuer-may-not");
}

#[test]
fn a_list_from_the_future_is_refused() {
    let root = Mint::root("CA", |_| {});
    let list = root.list(|list| {
        list.this_update = date_time_ymd(2026, 11, 22);
    });
    assert_eq!(
        merge(&mut Revocations::default(), list, &root.certificate)
            .expect_err("future")
            .code(),
        "crl-not-yet-valid"
    );
}

#[test]
fn a_stale_list_still_counts_and_is_told() {
    let root = Mint::root("CA", |_| {});
    let (good, bad) = (root.leaf("A", |_| {}), root.leaf("B", |_| {}));
    let list = root.list(|list| list.revoked_certs = vec![revoked(&bad)]);
    let due = list.next_update();
    let mut revocations = Revocations::default();
    merge(&mut revocations, list, &root.certificate).expect("a list");
    let store = TrustStore::new(vec![root.anchor()], revocations);
    let later = due.plus_seconds(DAY);
    let peer = store
        .judge(&[good.der().clone()], Purpose::Client, later)
        .expect("soft");
    assert_eq!(peer.revocation, Freshness::Stale { since: due });
    store
        .judge(&[bad.der().clone()], Purpose::Client, later)
        .expect_err("revoked is revoked");
    let report: Vec<_> = store.revocations().lists().map(|list| list.freshness(later)).collect();
    assert_eq!(report, [Freshness::Stale { since: due }]);
}

#[test]
fn a_revoked_issuer_takes_its_nodes_along() {
    let root = Mint::root("CA", |_| {});
    let between = root.below("Between", |_| {});
    let leaf = between.leaf("A", |_| {});
    let chain = [leaf.der().clone(), between.certificate.der().clone()];
    let mut revocations = Revocations::default();
    merge(&mut revocations, between.list(|_| {}), &between.certificate).expect("a list");
    let store = TrustStore::new(vec![root.anchor()], revocations.clone());
    let peer = store.judge(&chain, Purpose::Client, now()).expect("good");
    assert_eq!(peer.revocation, Freshness::Unknown, "the root has sent no list");
    let list = root.list(|list| list.revoked_certs = vec![revoked(&between.certificate)]);
    merge(&mut revocations, list, &root.certificate).expect("a list");
    let store = TrustStore::new(vec![root.anchor()], revocations);
    assert_eq!(
        store.judge(&chain, Purpose::Client, now()).expect_err("revoked").code(),
        "certificate-revoked"
    );
}

#[test]
fn what_was_signed_before_the_revocation_stands() {
    let root = Mint::root("CA", |_| {});
    let leaf = root.leaf("A", |_| {});
    let list = root.list(|list| list.revoked_certs = vec![revoked(&leaf)]);
    let mut revocations = Revocations::default();
    merge(&mut revocations, list, &root.certificate).expect("a list");
    let store = TrustStore::new(vec![root.anchor()], revocations);
    let at = |text: &str| base::Timestamp::parse_rfc3339(text).expect("an instant");
    let judge = |when| store.judge(&[leaf.der().clone()], Purpose::Client, when);
    judge(at("2026-11-18T23:59:59Z")).expect("before");
    judge(at("2026-11-19T00:00:00Z")).expect_err("since");
    judge(now()).expect_err("now");
}

#[test]
fn a_list_of_a_part_is_not_taken_for_the_whole() {
    let root = Mint::root("CA", |_| {});
    let list = rcgen::CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 11, 20),
        next_update: date_time_ymd(2026, 11, 27),
        crl_number: 1.into(),
        issuing_distribution_point: Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec!["http://crl.example.vn/1".to_owned()],
            },
            scope: Some(CrlScope::CaCertsOnly),
        }),
        revoked_certs: vec![],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&root.issuer()).expect("a list");
    assert_eq!(Crl::from_der(list.der()).expect_err("a part"), CrlError::Unsupported);
}

#[test]
fn one_changed_bit_anywhere_is_noticed() {
    let root = Mint::root("CA", |_| {});
    let leaf = root.leaf("A", |_| {});
    let list = root.list(|list| list.revoked_certs = vec![revoked(&leaf)]);
    for at in 0..list.der().len() {
        let mut changed = list.der().to_vec();
        changed[at] ^= 1;
        if let Ok(list) = Crl::from_der(&changed) {
            merge(&mut Revocations::default(), list, &root.certificate).expect_err("changed");
        }
    }
}
