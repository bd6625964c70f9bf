//! Mirrors that lie, hang and never end.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use base::Clock;
use exchange::directory::{BlobRef, Digest, Edition, EditionRef, File, NamedSigner, Refreshed, Sealed, Stamp, seal};
use trust::Signer;

use crate::support::{Mirror, Operator, Trick, codes, codes_of, key};

fn stamp(operator: &Operator) -> Stamp {
    let bytes = fs::read(operator.folder.path().join(File::Timestamp.path())).unwrap();
    Sealed::<Stamp>::read(&bytes).unwrap().body().clone()
}

fn named(operator: &Operator, role: &str, signers: &[Arc<dyn Signer>]) -> Vec<NamedSigner> {
    let name = format!("{}/directory/{role}", operator.publisher.instance());
    signers
        .iter()
        .map(|signer| NamedSigner::new(&name, Arc::clone(signer)).unwrap())
        .collect()
}

/// The present timestamp with a change, signed by a key.
pub fn stamp_like(operator: &Operator, signer: &Arc<dyn Signer>, change: impl FnOnce(&mut Stamp)) -> Vec<u8> {
    let mut stamp = stamp(operator);
    change(&mut stamp);
    let signers = named(operator, "timestamp", std::slice::from_ref(signer));
    seal(&stamp, &signers.iter().collect::<Vec<_>>()).unwrap().into_bytes()
}

/// An edition of another directory, signed by these keys, and the timestamp that names it.
fn edition_by(operator: &Operator, mirror: &Mirror, signers: &[Arc<dyn Signer>]) {
    let mut directory = operator.directory(9);
    let held = stamp(operator).edition;
    directory.version = held.version + 1;
    let directory = serde_json::to_vec(&directory).unwrap();
    let edition = Edition {
        instance: operator.publisher.instance(),
        version: held.version + 1,
        expires: operator.clock.now().plus_seconds(1_000),
        directory: BlobRef::of(&directory),
    };
    let signers = named(operator, "edition", signers);
    let sealed = seal(&edition, &signers.iter().collect::<Vec<_>>())
        .unwrap()
        .into_bytes();
    let edition = EditionRef {
        version: held.version + 1,
        sha256: Digest::of(&sealed),
        bytes: sealed.len() as u64,
    };
    let timestamp = stamp_like(operator, &operator.keys.running.timestamp[0], |stamp| {
        stamp.version += 1;
        stamp.edition = edition;
    });
    mirror.plays(File::Blob(Digest::of(&directory)), Trick::Bytes(directory));
    mirror.plays(File::Edition(edition), Trick::Bytes(sealed));
    mirror.plays(File::Timestamp, Trick::Bytes(timestamp));
}

#[tokio::test]
async fn too_few_keys_sign_nothing() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    let follower = operator.node().open(&[&mirror.url]).await.unwrap();
    let keys = &operator.keys.running.edition;

    edition_by(&operator, &mirror, &keys[..1]);
    assert_eq!(
        codes(&follower.refresh().await.unwrap_err()),
        ["directory-too-few-keys"]
    );
    edition_by(&operator, &mirror, &[keys[0].clone(), key()]);
    assert_eq!(
        codes(&follower.refresh().await.unwrap_err()),
        ["directory-wrong-signature"]
    );
    assert_eq!(follower.standing().load().view.directory().version, 1);
    // So it is not the trick itself that was refused.
    edition_by(&operator, &mirror, keys);
    assert_eq!(follower.refresh().await, Ok(Refreshed::Newer(2)));
    assert_eq!(follower.standing().load().view.directory().members.len(), 9);
}

#[tokio::test]
async fn files_of_two_editions_are_not_mixed() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    let follower = operator.node().open(&[&mirror.url]).await.unwrap();
    let first = stamp(&operator).edition;
    let old_edition = fs::read(operator.folder.path().join(File::Edition(first).path())).unwrap();
    let old_blob = Sealed::<Edition>::read(&old_edition).unwrap().body().directory.sha256;
    let old_directory = fs::read(operator.folder.path().join(File::Blob(old_blob).path())).unwrap();
    operator.publish(2);
    let second = stamp(&operator).edition;
    let edition = fs::read(operator.folder.path().join(File::Edition(second).path())).unwrap();
    let blob = Sealed::<Edition>::read(&edition).unwrap().body().directory.sha256;

    for (file, old) in [(File::Edition(second), old_edition), (File::Blob(blob), old_directory)] {
        mirror.plays(file, Trick::Bytes(old));
        let refused = follower.refresh().await.unwrap_err();
        let code = codes(&refused)[0].to_owned();
        // The old one may be the longer one, by the digits of an instant.
        assert!(["directory-mixed", "directory-too-large"].contains(&&*code), "{code}");
        assert_eq!(follower.standing().load().view.directory().version, 1);
        mirror.is_honest_again();
    }
    mirror.plays(File::Edition(second), Trick::Absent);
    assert_eq!(codes(&follower.refresh().await.unwrap_err()), ["directory-absent"]);
    mirror.is_honest_again();
    assert_eq!(follower.refresh().await, Ok(Refreshed::Newer(2)));
}

#[tokio::test]
async fn one_number_means_one_edition() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    let follower = operator.node().open(&[&mirror.url]).await.unwrap();
    let signer = &operator.keys.running.timestamp[0];
    let other = stamp_like(&operator, signer, |stamp| stamp.expires = stamp.expires.plus_seconds(1));
    mirror.plays(File::Timestamp, Trick::Bytes(other));
    assert_eq!(codes(&follower.refresh().await.unwrap_err()), ["directory-forked"]);
    let other = stamp_like(&operator, signer, |stamp| {
        stamp.version += 1;
        stamp.edition.sha256 = Digest::of(b"another");
    });
    mirror.plays(File::Timestamp, Trick::Bytes(other));
    assert_eq!(codes(&follower.refresh().await.unwrap_err()), ["directory-forked"]);
    let early = stamp_like(&operator, signer, |stamp| {
        stamp.version += 1;
        stamp.issued = stamp.issued.plus_seconds(3_000);
    });
    mirror.plays(File::Timestamp, Trick::Bytes(early));
    assert_eq!(codes(&follower.refresh().await.unwrap_err()), ["directory-clock"]);
}

#[tokio::test]
async fn another_federation_is_refused() {
    let (operator, other) = (Operator::new("VN"), Operator::new("LA"));
    operator.publish(1);
    other.publish(1);
    let mirror = Mirror::of(other.folder.path()).await;
    let error = operator.node().open(&[&mirror.url]).await.unwrap_err();
    assert_eq!(codes_of(&error), ["directory-other-instance"]);
    let root = fs::read(other.folder.path().join(File::Root(1).path())).unwrap();
    let pinned = exchange::directory::Follower::pin(other.folder.path(), &root, operator.fingerprint);
    assert_eq!(codes(&pinned.unwrap_err().problems()), ["directory-other-root"]);
}

#[tokio::test]
async fn a_mirror_that_lies_or_hangs_costs_little_and_changes_nothing() {
    let operator = Operator::new("VN");
    let description = operator.publish_with_document();
    let mirror = Mirror::of(operator.folder.path()).await;
    let good = Mirror::of(operator.folder.path()).await;
    let timestamp = fs::read(operator.folder.path().join("timestamp")).unwrap();
    let edition = stamp(&operator).edition;
    let sealed = fs::read(operator.folder.path().join(File::Edition(edition).path())).unwrap();
    let blob = Sealed::<Edition>::read(&sealed).unwrap().body().directory.sha256;
    const TEN_GB: u64 = 10_000_000_000;
    let half = timestamp[..timestamp.len() / 2].to_vec();
    for (file, trick, code) in [
        (File::Timestamp, Trick::Hangs, "directory-too-slow"),
        (File::Timestamp, Trick::Drips, "directory-too-slow"),
        (
            File::Timestamp,
            Trick::Announces(timestamp.len() as u64, half.clone()),
            "directory-cut-short",
        ),
        (File::Timestamp, Trick::Bytes(half), "directory-malformed"),
        (
            File::Timestamp,
            Trick::Announces(TEN_GB, timestamp.clone()),
            "directory-too-large",
        ),
        (File::Timestamp, Trick::Endless, "directory-too-large"),
        (File::Timestamp, Trick::Status(500), "directory-unreachable"),
        (File::Timestamp, Trick::Status(302), "directory-unreachable"),
        (File::Root(2), Trick::Endless, "directory-too-large"),
        (File::Root(2), Trick::Bytes(b"x".to_vec()), "directory-malformed"),
        (File::Root(2), Trick::Bytes(timestamp.clone()), "directory-malformed"),
        (File::Edition(edition), Trick::Endless, "directory-too-large"),
        (File::Edition(edition), Trick::Hangs, "directory-too-slow"),
        (File::Blob(blob), Trick::Endless, "directory-too-large"),
        (
            File::Blob(blob),
            Trick::Announces(TEN_GB, vec![]),
            "directory-too-large",
        ),
        (File::Blob(blob), Trick::Bytes(b"{}".to_vec()), "directory-mixed"),
    ] {
        mirror.plays(file, trick);
        let begun = Instant::now();
        let error = operator.node().open(&[&mirror.url]).await.unwrap_err();
        assert_eq!(codes_of(&error), [code], "{}", file.path());
        assert!(begun.elapsed() < Duration::from_secs(3), "{}: {code}", file.path());
        let follower = operator.node().open(&[&mirror.url, &good.url]).await;
        assert!(follower.is_ok(), "the next mirror serves it");
        mirror.is_honest_again();
    }
    let follower = operator.node().open(&[&mirror.url]).await.unwrap();
    let document = File::Blob(description.sha256.parse().unwrap());
    for (trick, code) in [
        (Trick::Endless, "directory-too-large"),
        (Trick::Bytes(b"{}".to_vec()), "directory-mixed"),
    ] {
        mirror.plays(document, trick);
        assert_eq!(codes(&follower.document(&description).await.unwrap_err()), [code]);
    }
    mirror.is_honest_again();
    let found = follower.document(&description).await.unwrap();
    assert_eq!(Digest::of(&found).to_string(), description.sha256);
    drop(mirror);
    assert_eq!(follower.document(&description).await, Ok(found), "it was kept");
}
