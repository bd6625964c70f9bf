//! Notes and keys: the examples of the specifications, and keys of others.

use ledger::{Algorithm, FileKey, Hash, KeyError, Note, SignedCheckpoint, Signer, Unverified, VerifierKey};

use crate::support::{NOW, key_named};

fn vkey(text: &str) -> VerifierKey {
    text.parse().expect("a key")
}

/// C2SP signed-note, verifier keys, example.
#[test]
fn the_example_of_signed_note_verifies() {
    let key = vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let text = "This is an example message.\n\n\
                — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note = Note::parse(text.as_bytes()).expect("a note");
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.to_string(), text);
    assert_eq!(note.verify(&key), Ok(None));
    assert_eq!(
        key.to_string(),
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    );
    let other = vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    assert_eq!(note.verify(&other), Err(Unverified::Absent));
}

/// The logs of Sigstore and of Pixel, from the tests of transparency-dev/formats.
#[test]
fn ecdsa_checkpoints_of_others_verify() {
    let sigstore = vkey(
        "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc=",
    );
    let pixel = vkey(
        "pixel6_transparency_log+91c16e30+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABN+4x0Jk1yTwvLFI9A4NDdGZcX0aiWVdWM5XJVy0M4VWD3AvyW5Q6Hs9A0mcDkpUoYgn+KKPNzFC0H3nN3q6JQ8=",
    );
    let rekor = "Rekor\n798034\nf+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\n\n— rekor.sigstore.dev wNI9ajBEAiARInWIWyCdyG27CO6LPnPekyw20qO0YJfoaPaowGp/XgIgc+qEHS3+GKVClgqq20uDLet7MCoTURUCRdxwWBHHufk=\n";
    let checkpoint = SignedCheckpoint::parse(rekor.as_bytes()).expect("a checkpoint");
    assert_eq!(checkpoint.checkpoint().origin, "Rekor");
    assert_eq!(checkpoint.checkpoint().size, 798_034);
    assert_eq!(checkpoint.verify(&sigstore), Ok(None));
    assert_eq!(checkpoint.verify(&pixel), Err(Unverified::Absent));
    let default = "DEFAULT\n10\nbsWRucJU5xJPHb5eBdOm6+DM+VelCZBuvtI3sHERJ9Y=\n\n— pixel6_transparency_log kcFuMDBFAiEAhqMAP8P6qf6QxtUJhzMhbN+MbZ9dwfUHzGQJmffJHtoCIGD0cNe47dHWBoPwYdgBCepB06/+g5O1FmYjXl06owL4\n";
    let checkpoint = SignedCheckpoint::parse(default.as_bytes()).expect("a checkpoint");
    assert_eq!(checkpoint.verify(&pixel), Ok(None));
}

#[test]
fn keys_of_others_are_read_and_wrong_ones_named() {
    vkey("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2");
    let wrong = |text: &str| text.parse::<VerifierKey>().expect_err("not a key");
    assert!(matches!(wrong("a.example+12345678"), KeyError::Malformed(_)));
    assert!(matches!(
        wrong("a.example+00000000+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
        KeyError::Malformed(_)
    ));
    assert!(matches!(
        wrong("a.example+00000000+BekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
        KeyError::Unsupported(5)
    ));
    assert!(matches!(
        wrong("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
        KeyError::Malformed(_)
    ));
    assert!(matches!(wrong("a.example+00000000+AwEB"), KeyError::Unsupported(3)));
}

#[test]
fn every_algorithm_signs_and_verifies() {
    let root = Hash::leaf(b"root");
    for algorithm in [
        Algorithm::Ed25519,
        Algorithm::EcdsaP256,
        Algorithm::CosignatureV1,
        Algorithm::MlDsa44,
    ] {
        let key = key_named("nhan-chung.example/1", algorithm);
        let time = NOW.micros().unsigned_abs() / 1_000_000;
        let checkpoint = ledger::Checkpoint::new("so-cai.example", 7, root);
        let signers: [&dyn Signer; 1] = [&*key];
        let signed = SignedCheckpoint::sign(checkpoint, signers, time).expect("it signs");
        let read = SignedCheckpoint::parse(signed.to_string().as_bytes()).expect("a checkpoint");
        assert_eq!(read, signed);
        assert_eq!(
            read.verify(&key.verifier()),
            Ok(algorithm.timestamped().then_some(time))
        );
        let other = key_named("nhan-chung.example/1", algorithm);
        assert_eq!(read.verify(&other.verifier()), Err(Unverified::Absent));
    }
}

#[test]
fn keys_survive_their_files() {
    let dir = tempfile::tempdir().expect("a folder");
    for algorithm in [
        Algorithm::Ed25519,
        Algorithm::EcdsaP256,
        Algorithm::CosignatureV1,
        Algorithm::MlDsa44,
    ] {
        let path = dir.path().join(format!("{algorithm:?}"));
        let made = FileKey::create(&path, "log.example", algorithm).expect("it is written");
        let read = FileKey::load(&path).expect("it is read");
        assert_eq!(read.verifier(), made.verifier());
        assert_eq!(
            made.verifier().to_string().parse::<VerifierKey>().expect("a key"),
            made.verifier()
        );
        assert!(!format!("{made:?}").contains(&made.to_secret_text()[20..]));
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(
            FileKey::create(&path, "log.example", algorithm),
            Err(KeyError::File { .. })
        ));
    }
    // A key that Go's package golang.org/x/mod/sumdb/note made, from its documentation.
    let go = FileKey::parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
        .expect("a key");
    assert_eq!(
        go.verifier().to_string(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
}

#[test]
fn malformed_notes_are_refused() {
    for wrong in [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n\n— a\n",
        "text\n\n— a AAAA\n",
        "text\n\n— a AAAAAA==\n",
        "text\n\n— a AAAAAAE=",
        "text\n\n- a AAAAAAE=\n",
        "text\n\n— a+b AAAAAAE=\n",
        "text\n\n—  AAAAAAE=\n",
        "text\n\n— a AAAAAAF=\n",
        "te\txt\n\n— a AAAAAAE=\n",
        "text\r\n\n— a AAAAAAE=\n",
        "text\n\n— a AAAAAAE=\n\n",
    ] {
        assert!(Note::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
    }
    assert!(Note::parse(b"text\n\n\xe2\x80\x94 a AAAAAAE=\n").is_ok());
    assert!(Note::parse(b"te\xffxt\n\n\xe2\x80\x94 a AAAAAAE=\n").is_err());
    for wrong in [
        "a\n1\n",
        "a\n01\nA\n",
        "a\n-1\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ] {
        let note = format!("{wrong}\n— a AAAAAAE=\n");
        assert!(SignedCheckpoint::parse(note.as_bytes()).is_err(), "{wrong:?}");
    }
}
