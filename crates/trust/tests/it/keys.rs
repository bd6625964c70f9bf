use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use trust::{
    Algorithm, Explained, KeyError, Location, PublicKey, Signer,
    key::{self, SigningKey},
};

use crate::common::openssl;

const BOTH: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::EcdsaP256];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mine");
}

#[test]
fn a_key_is_made_once_kept_private_and_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    for algorithm in BOTH {
        let path = folder.path().join(algorithm.name());
        let made = SigningKey::create(&path, algorithm).expect("a key");
        assert_eq!(mode(&path), 0o600);
        let location: Location = path.to_str().expect("UTF-8").parse().expect("a path");
        let opened = key::open(&location).expect("the key");
        assert_eq!(opened.public_key(), made.public_key());
        let signature = opened.sign(b"checkpoint").expect("a signature");
        made.public_key().verify(b"checkpoint", &signature).expect("its own");
        assert_eq!(
            made.public_key().verify(b"checkpoinT", &signature),
            Err(KeyError::Signature)
        );
        assert_eq!(
            SigningKey::create(&path, algorithm).expect_err("taken"),
            KeyError::Exists(path.clone())
        );
        assert_eq!(
            SigningKey::load(&path).expect("untouched").public_key(),
            made.public_key()
        );
    }
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        2,
        "no drafts are left"
    );
}

#[test]
fn signatures_have_the_form_that_others_expect() {
    let ed25519 = SigningKey::generate(Algorithm::Ed25519).expect("a key");
    assert_eq!(ed25519.sign(b"x").expect("a signature").len(), 64);
    assert_eq!(ed25519.public_key().raw().len(), 32);
    let p256 = SigningKey::generate(Algorithm::EcdsaP256).expect("a key");
    assert_eq!(p256.sign(b"x").expect("a signature").first(), Some(&0x30));
    assert_eq!(p256.public_key().raw().len(), 65);
    for key in [ed25519, p256] {
        let public = key.public_key();
        assert_eq!(PublicKey::from_spki(public.spki()).as_ref(), Ok(public));
        assert_eq!(
            PublicKey::from_raw(public.algorithm(), public.raw()).as_ref(),
            Ok(public)
        );
        assert_eq!(public.id().to_string().parse(), Ok(public.id()));
    }
}

/// The test vectors of RFC 8032 section 7.1 (TEST 2), so that the bytes are those of the standard and not only our own.
#[test]
fn ed25519_signs_as_rfc_8032() {
    let seed = hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").expect("hex");
    let pkcs8 = [
        &hex::decode("302e020100300506032b657004220420").expect("hex")[..],
        &seed,
    ]
    .concat();
    let key = SigningKey::from_pkcs8(&pkcs8).expect("a key");
    assert_eq!(
        hex::encode(key.public_key().raw()),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    assert_eq!(
        hex::encode(key.sign(&[0x72]).expect("a signature")),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
}

#[test]
fn openssl_reads_our_keys_and_we_read_its() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |name: &str| folder.path().join(name);
    for (algorithm, name, options) in [
        (Algorithm::Ed25519, "ed25519", &["-algorithm", "ed25519"][..]),
        (
            Algorithm::EcdsaP256,
            "p256",
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"][..],
        ),
    ] {
        let ours = SigningKey::create(&of(&format!("{name}-ours")), algorithm).expect("a key");
        let public = openssl(
            folder.path(),
            &["pkey", "-in", &format!("{name}-ours"), "-pubout", "-outform", "DER"],
        );
        assert_eq!(public, ours.public_key().spki());

        let file = format!("{name}-theirs");
        openssl(folder.path(), &[&["genpkey", "-out", &file], options].concat());
        set_mode(&of(&file), 0o400);
        let theirs = SigningKey::load(&of(&file)).expect("a key");
        let signature = theirs.sign(b"hello").expect("a signature");
        fs::write(of("message"), b"hello").expect("mine");
        fs::write(of("signature"), signature).expect("mine");
        let verify = [
            "pkeyutl",
            "-verify",
            "-rawin",
            "-inkey",
            &file,
            "-in",
            "message",
            "-sigfile",
            "signature",
        ];
        let digest: &[&str] = if algorithm == Algorithm::EcdsaP256 {
            &["-digest", "sha256"]
        } else {
            &[]
        };
        openssl(folder.path(), &[&verify[..], digest].concat());
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    SigningKey::create(&path, Algorithm::Ed25519).expect("a key");
    for exposed in [0o644, 0o640, 0o604, 0o620, 0o601, 0o660] {
        set_mode(&path, exposed);
        let error = SigningKey::load(&path).expect_err("exposed");
        assert_eq!(error.code(), "key-exposed");
        assert!(error.to_string().contains(&format!("{exposed:04o}")), "{error}");
        let link = folder.path().join(format!("link-{exposed:o}"));
        symlink(&path, &link).expect("mine");
        assert_eq!(
            SigningKey::load(&link).expect_err("exposed").code(),
            "key-exposed",
            "through a link too"
        );
    }
    set_mode(&path, 0o400);
    SigningKey::load(&path).expect("private again");
}

#[test]
fn what_is_no_key_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let code_of = |content: &[u8]| {
        let path = folder.path().join("key");
        fs::write(&path, content).expect("mine");
        set_mode(&path, 0o600);
        SigningKey::load(&path).expect_err("no key").code()
    };
    let pem = SigningKey::generate(Algorithm::EcdsaP256)
        .expect("a key")
        .to_pem()
        .expect("PEM");
    for cut in 0..pem.len() - 1 {
        let code = code_of(&pem.as_bytes()[..cut]);
        assert!(
            matches!(code, "key-malformed" | "key-algorithm"),
            "cut at {cut}: {code}"
        );
    }
    assert_eq!(code_of(&[0xff; 100]), "key-malformed");
    assert_eq!(code_of(&vec![b'x'; 100_000]), "key-malformed");
    assert_eq!(code_of(pem.replace("PRIVATE", "PUBLIC").as_bytes()), "key-malformed");
    for (arguments, code) in [
        (
            &["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x"][..],
            "key-encrypted",
        ),
        (
            &["ecparam", "-name", "prime256v1", "-genkey", "-noout"][..],
            "key-malformed",
        ),
        (
            &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp384r1"][..],
            "key-algorithm",
        ),
        (
            &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..],
            "key-algorithm",
        ),
    ] {
        assert_eq!(code_of(&openssl(folder.path(), arguments)), code, "{arguments:?}");
    }
    assert_eq!(
        SigningKey::load(folder.path()).expect_err("a folder").code(),
        "key-malformed"
    );
    assert_eq!(
        SigningKey::load(&folder.path().join("none")).expect_err("none").code(),
        "key-missing"
    );
}

#[test]
fn a_key_is_never_shown() {
    let key = SigningKey::generate(Algorithm::Ed25519).expect("a key");
    let shown = format!("{key:?}");
    let pem = key.to_pem().expect("PEM");
    let secret = pem.lines().nth(1).expect("a line");
    assert!(
        !shown.contains(secret) && shown.contains(&key.public_key().id().to_string()),
        "{shown}"
    );
}

#[test]
fn a_public_key_that_is_no_point_is_refused() {
    assert!(PublicKey::from_raw(Algorithm::EcdsaP256, &[4; 65]).is_err());
    assert!(PublicKey::from_raw(Algorithm::EcdsaP256, &[]).is_err());
    assert!(PublicKey::from_raw(Algorithm::Ed25519, &[1; 31]).is_err());
    assert_eq!(PublicKey::from_spki(b"x").expect_err("no key").code(), "key-algorithm");
}
