use std::collections::BTreeSet;

use base::{Lang, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, SubjectPublicKeyInfo, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use trust::{
    Anchor, Certificate, Explained, Purpose, Refusal, Revocations, TrustStore, ca::Profile, certificate::Scope,
};

use crate::common::{DAY, Federation, Mint, key, member, now, openssl, uri};

fn codes(store: &TrustStore, chain: &[&Certificate], purpose: Purpose, at: Timestamp) -> Vec<&'static str> {
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|c| c.der().clone()).collect();
    match store.judge(&chain, purpose, at) {
        Ok(_) => vec![],
        Err(refusals) => refusals.iter().map(Explained::code).collect(),
    }
}

/// What a server says to a leaf right under a root of this mint.
fn verdict(change: impl FnOnce(&mut CertificateParams)) -> Vec<&'static str> {
    let root = Mint::root("CA", |_| {});
    let leaf = root.leaf("A", change);
    codes(&root.store(), &[&leaf], Purpose::Client, now())
}

#[test]
fn a_good_certificate_is_believed() {
    assert_eq!(verdict(|_| {}), [] as [&str; 0]);
}

#[test]
fn each_fault_has_its_own_code() {
    let expired = verdict(|p| p.not_after = date_time_ymd(2026, 11, 20));
    assert_eq!(expired, ["certificate-expired"]);
    let early = verdict(|p| p.not_before = date_time_ymd(2026, 11, 22));
    assert_eq!(early, ["certificate-not-yet-valid"]);
    let server = verdict(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert_eq!(server, ["certificate-wrong-usage"]);
    let encipher = verdict(|p| p.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert_eq!(encipher, ["certificate-wrong-usage"]);
    let authority = verdict(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(authority, ["certificate-wrong-usage"]);
    let nameless = verdict(|p| p.subject_alt_names.clear());
    assert_eq!(nameless, ["certificate-without-member"]);
    let two = verdict(|p| p.subject_alt_names.push(uri("motcua://VN/GOV/B")));
    assert_eq!(two, ["certificate-two-members"]);
    let odd = verdict(|p| p.subject_alt_names = vec![uri("motcua://VN/GOV/../B")]);
    assert_eq!(odd, ["certificate-malformed"]);
    let other = verdict(|p| p.subject_alt_names.push(uri("https://example.vn/")));
    assert_eq!(other, [] as [&str; 0], "URIs of other schemes are not ours to judge");
    let critical = verdict(|p| {
        let mut unknown = rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        unknown.set_criticality(true);
        p.custom_extensions.push(unknown);
    });
    assert_eq!(critical, ["certificate-unsupported"]);
}

/// What cannot be read says nothing; it does not allow everything.
#[test]
fn a_certificate_whose_usages_are_damaged_is_refused() {
    let root = Mint::root("CA", |_| {});
    for oid in [[2, 5, 29, 15], [2, 5, 29, 37], [2, 5, 29, 19]] {
        let mut params = CertificateParams::default();
        params
            .custom_extensions
            .push(rcgen::CustomExtension::from_oid_content(&oid, vec![5, 0]));
        let signed = params
            .signed_by(&KeyPair::generate().expect("a key"), &root.issuer())
            .expect("a certificate");
        assert_eq!(
            Certificate::from_der(signed.der()).expect_err("damaged").code(),
            "certificate-malformed"
        );
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let both = verdict(|p| {
        p.not_after = date_time_ymd(2026, 11, 20);
        p.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    });
    assert_eq!(both, ["certificate-expired", "certificate-wrong-usage"]);
}

#[test]
fn an_unknown_issuer_is_refused_and_so_is_one_that_only_has_the_name() {
    let (root, other, namesake) = (
        Mint::root("CA", |_| {}),
        Mint::root("Other", |_| {}),
        Mint::root("CA", |_| {}),
    );
    let store = root.store();
    let judge = |leaf: &Certificate, more: &Certificate| codes(&store, &[leaf, more], Purpose::Client, now());
    assert_eq!(
        judge(&other.leaf("A", |_| {}), &other.certificate),
        ["certificate-unknown-issuer"]
    );
    assert_eq!(
        judge(&namesake.leaf("A", |_| {}), &namesake.certificate),
        ["certificate-wrong-signature"]
    );
    assert_eq!(
        codes(
            &TrustStore::default(),
            &[&root.leaf("A", |_| {})],
            Purpose::Client,
            now()
        ),
        ["certificate-unknown-issuer"]
    );
    assert_eq!(codes(&store, &[], Purpose::Client, now()), ["certificate-missing"]);
    assert_eq!(
        codes(&store, &[&root.certificate], Purpose::Client, now()),
        ["certificate-wrong-usage"]
    );
}

#[test]
fn a_certificate_of_a_node_issues_nothing() {
    let root = Mint::root("CA", |_| {});
    for change in [
        |p: &mut CertificateParams| p.is_ca = IsCa::ExplicitNoCa,
        |p: &mut CertificateParams| p.is_ca = IsCa::NoCa,
        // CA, but not for certificates: webpki does not look at this.
        |p: &mut CertificateParams| p.key_usages = vec![KeyUsagePurpose::DigitalSignature],
    ] {
        let node = root.below("Node", change);
        let forged = node.leaf("B", |_| {});
        let found = codes(&root.store(), &[&forged, &node.certificate], Purpose::Client, now());
        assert_eq!(found, ["certificate-issuer-no-ca"]);
        assert_eq!(
            Anchor::new(node.certificate, Scope::Everyone).expect_err("no CA"),
            Refusal::NotAnAuthority
        );
    }
}

#[test]
fn a_path_is_no_longer_than_its_ca_allows() {
    let root = Mint::root("CA", |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)));
    let one = root.below("One", |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let two = one.below("Two", |_| {});
    let short = one.leaf("A", |_| {});
    assert_eq!(
        codes(&root.store(), &[&short, &one.certificate], Purpose::Client, now()),
        [] as [&str; 0]
    );
    let long = two.leaf("A", |_| {});
    let chain = [&long, &two.certificate, &one.certificate];
    assert_eq!(
        codes(&root.store(), &chain, Purpose::Client, now()),
        ["certificate-path-too-long"]
    );
    // The limit of the pinned CA itself, which webpki does not look at.
    let strict = Mint::root("Strict", |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let below = strict.below("Below", |_| {});
    let leaf = below.leaf("A", |_| {});
    assert_eq!(
        codes(&strict.store(), &[&leaf, &below.certificate], Purpose::Client, now()),
        ["certificate-path-too-long"]
    );
    let many = vec![&leaf; 10];
    assert_eq!(
        codes(&strict.store(), &many, Purpose::Client, now()),
        ["certificate-path-too-long"]
    );
}

#[test]
fn name_constraints_hold() {
    let constrained = |permitted: &str| {
        Mint::root("CA", |p| {
            p.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![GeneralSubtree::DnsName(permitted.to_owned())],
                excluded_subtrees: vec![],
            });
        })
    };
    let (inside, outside) = (constrained("example.vn"), constrained("example.org"));
    let judge = |root: &Mint| codes(&root.store(), &[&root.leaf("A", |_| {})], Purpose::Client, now());
    assert_eq!(judge(&inside), [] as [&str; 0]);
    assert_eq!(judge(&outside), ["certificate-name-not-permitted"]);
}

#[test]
fn a_ca_that_is_over_vouches_for_nobody() {
    let root = Mint::root("CA", |p| p.not_after = date_time_ymd(2026, 11, 20));
    let leaf = root.leaf("A", |_| {});
    assert_eq!(
        codes(&root.store(), &[&leaf], Purpose::Client, now()),
        ["certificate-issuer-not-valid"]
    );
    let top = Mint::root("Top", |_| {});
    let between = top.below("Between", |p| p.not_after = date_time_ymd(2026, 11, 20));
    let leaf = between.leaf("A", |_| {});
    assert_eq!(
        codes(&top.store(), &[&leaf, &between.certificate], Purpose::Client, now()),
        ["certificate-issuer-not-valid"]
    );
}

#[test]
fn a_ca_vouches_only_for_the_members_that_the_directory_gives_it() {
    let root = Mint::root("CA", |_| {});
    let scope = Scope::Members(BTreeSet::from([member("A")]));
    let anchor = Anchor::new(root.certificate.clone(), scope).expect("a CA");
    let store = TrustStore::new(vec![anchor], Revocations::default());
    assert_eq!(
        codes(&store, &[&root.leaf("A", |_| {})], Purpose::Client, now()),
        [] as [&str; 0]
    );
    assert_eq!(
        codes(&store, &[&root.leaf("B", |_| {})], Purpose::Client, now()),
        ["certificate-not-of-issuer"]
    );
}

#[test]
fn a_real_certificate_that_was_not_registered_is_refused() {
    let root = Mint::root("CA", |_| {});
    let registered = root.leaf("A", |_| {});
    let swapped = root.leaf("A", |_| {});
    let store = root.store().with_keys(&member("A"), [registered.key_id()]);
    assert_eq!(codes(&store, &[&registered], Purpose::Client, now()), [] as [&str; 0]);
    assert_eq!(
        codes(&store, &[&swapped], Purpose::Client, now()),
        ["certificate-swapped"]
    );
    // The key of A under the name of B.
    let pair = KeyPair::generate().expect("a key");
    let (mine, posing) = (root.leaf_of(&pair, "A", |_| {}), root.leaf_of(&pair, "B", |_| {}));
    let store = root.store().with_keys(&member("A"), [mine.key_id()]);
    assert_eq!(
        codes(&store, &[&posing], Purpose::Client, now()),
        ["certificate-swapped"]
    );
    // Whoever registered no key, and then none at all.
    assert_eq!(
        codes(&store, &[&root.leaf("C", |_| {})], Purpose::Client, now()),
        [] as [&str; 0]
    );
    let store = root.store().with_keys(&member("A"), []);
    assert_eq!(codes(&store, &[&mine], Purpose::Client, now()), ["certificate-swapped"]);
}

#[test]
fn a_certificate_without_a_member_is_known_by_its_registered_key() {
    let root = Mint::root("Public CA", |_| {});
    let plain = root.leaf("A", |p| {
        p.subject_alt_names = vec![SanType::DnsName("node.example.vn".try_into().expect("a name"))]
    });
    let store = root.store().with_keys(&member("A"), [plain.key_id()]);
    let peer = store
        .judge(&[plain.der().clone()], Purpose::Server, now())
        .expect("registered");
    assert_eq!(peer.member, member("A"));
    assert_eq!(
        peer.must_be(&member("B")).expect_err("another").code(),
        "certificate-wrong-member"
    );
}

#[test]
fn weak_keys_and_weak_signatures_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    openssl(folder.path(), &["genrsa", "-out", "weak.pem", "1024"]);
    let weak = openssl(folder.path(), &["rsa", "-in", "weak.pem", "-pubout", "-outform", "DER"]);
    let weak = SubjectPublicKeyInfo::from_der(&weak).expect("a key");
    let root = Mint::root("CA", |_| {});
    let leaf = root.leaf_of(&weak, "A", |_| {});
    assert_eq!(
        codes(&root.store(), &[&leaf], Purpose::Client, now()),
        ["certificate-weak-key"]
    );

    let make = [
        "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", "ca.key", "-days", "9000", "-subj", "/CN=CA",
        "-out", "ca.pem",
    ];
    openssl(folder.path(), &make);
    let ca = Certificate::load_chain(&folder.path().join("ca.pem"))
        .expect("a certificate")
        .remove(0);
    assert_eq!(
        Anchor::new(ca, Scope::Everyone).expect_err("weak").code(),
        "certificate-weak-key"
    );

    let make = [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-days", "9000", "-subj", "/CN=CA",
        "-out", "ca.pem",
    ];
    openssl(folder.path(), &make);
    openssl(
        folder.path(),
        &[
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-subj", "/CN=node", "-out", "node.csr",
        ],
    );
    std::fs::write(folder.path().join("ext"), "subjectAltName=URI:motcua://VN/GOV/A\n").expect("mine");
    let sign = [
        "x509",
        "-req",
        "-in",
        "node.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "8000",
        "-extfile",
        "ext",
    ];
    let ca = Certificate::load_chain(&folder.path().join("ca.pem"))
        .expect("a certificate")
        .remove(0);
    let at = ca.not_before().plus_seconds(DAY);
    let store = TrustStore::new(
        vec![Anchor::new(ca, Scope::Everyone).expect("a CA")],
        Revocations::default(),
    );
    for (hash, expected) in [("-sha1", vec!["certificate-weak-signature"]), ("-sha256", vec![])] {
        let pem = openssl(folder.path(), &[&sign[..], &[hash]].concat());
        let leaf = Certificate::chain_from_pem(&String::from_utf8(pem).expect("PEM"))
            .expect("a certificate")
            .remove(0);
        assert_eq!(codes(&store, &[&leaf], Purpose::Client, at), expected, "{hash}");
    }
}

#[test]
fn one_changed_bit_anywhere_is_noticed() {
    let root = Mint::root("CA", |_| {});
    let leaf = root.leaf("A", |_| {});
    let store = root.store();
    for at in 0..leaf.der().len() {
        let mut changed = leaf.der().to_vec();
        changed[at] ^= 1;
        store
            .judge(&[CertificateDer::from(changed)], Purpose::Client, now())
            .expect_err("changed");
    }
}

#[test]
fn a_chain_file_holds_the_node_first_and_text_between() {
    let federation = Federation::new();
    let leaf = federation.issue(key(trust::Algorithm::Ed25519).as_ref(), &member("A"), Profile::Node);
    let pem = format!(
        "subject: A\n{}\nissuer:\n{}",
        leaf.to_pem(),
        federation.root.certificate().to_pem()
    );
    assert_eq!(
        Certificate::chain_from_pem(&pem).expect("a chain"),
        [leaf.clone(), federation.root.certificate().clone()]
    );
    assert_eq!(
        Certificate::chain_from_pem("").expect_err("empty").code(),
        "certificate-missing"
    );
    let cut = &leaf.to_pem()[..200];
    assert!(Certificate::chain_from_pem(cut).is_err(), "truncated");
}

/// Every refusal speaks both languages, and no two share a code.
#[test]
fn refusals_are_told_in_both_languages() {
    let all = [
        Refusal::Missing,
        Refusal::Malformed("x"),
        Refusal::File {
            path: "x".into(),
            reason: "y".to_owned(),
        },
        Refusal::Expired(now()),
        Refusal::NotYetValid(now()),
        Refusal::WithoutMember,
        Refusal::TwoMembers,
        Refusal::WrongMember {
            expected: member("A"),
            found: member("B"),
        },
        Refusal::NotOfIssuer(member("A")),
        Refusal::Swapped(member("A")),
        Refusal::WrongUsage(Purpose::Client),
        Refusal::UnknownIssuer("CN=CA".to_owned()),
        Refusal::IssuerNotValid("CN=CA".to_owned()),
        Refusal::NotAnAuthority,
        Refusal::PathTooLong,
        Refusal::NameNotPermitted,
        Refusal::Revoked {
            since: now(),
            reason: "keyCompromise",
        },
        Refusal::WeakKey("RSA 1024 bit".to_owned()),
        Refusal::WeakSignature,
        Refusal::WrongSignature,
        Refusal::Unsupported,
        Refusal::WrongKey,
    ];
    let distinct: BTreeSet<&str> = all.iter().map(Explained::code).collect();
    assert_eq!(distinct.len(), all.len());
    for refusal in all {
        let text = refusal.text();
        assert_ne!(text.get(Lang::Vi), text.get(Lang::En));
        let base: base::Error = refusal.clone().into();
        assert_eq!(
            base.problems().and_then(|p| p.iter().next()).map(|p| p.code.as_str()),
            Some(refusal.code())
        );
    }
}
