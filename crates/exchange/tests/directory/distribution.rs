//! Editions reach every node, through rotations and outages, and never backwards.

use std::{sync::Arc, time::Duration};

use base::{Clock, time::SystemClock};
use exchange::{
    directory::{
        Due, File, Follower, Following, Publisher, Refreshed, Refusal, RoleName, Signers, Validity, trust_store,
    },
    model::federation::Freshness,
};
use trust::{Explained, Revocations};

use crate::support::{GRACE, HOUR, Honest, Keys, Mirror, Operator, Trick, codes, codes_of, validity};

#[tokio::test]
async fn a_node_has_the_edition_and_then_the_next() {
    let operator = Operator::new("VN");
    assert_eq!(operator.publish(2), 1);
    let mirror = Honest::serve(operator.folder.path()).await;
    let follower = operator.node().open(&[&mirror.url]).await.unwrap();
    let mut editions = follower.editions();
    let standing = follower.standing();
    assert_eq!(standing.load().view.directory().members.len(), 2);
    assert_eq!(standing.load().freshness, Freshness::Fresh);
    assert_eq!(follower.refresh().await, Ok(Refreshed::Same));

    assert_eq!(operator.publish(3), 2);
    assert_eq!(follower.refresh().await, Ok(Refreshed::Newer(2)));
    assert_eq!(standing.load().view.directory().members.len(), 3);
    assert_eq!(
        *editions.borrow_and_update(),
        2,
        "whoever waits for a new edition is told"
    );
    assert_eq!(follower.report().good, Some(operator.clock.now()));
}

#[tokio::test]
async fn files_are_cacheable_by_anybody() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Honest::serve(operator.folder.path()).await;
    for (path, cache) in [
        ("root/1", "public, max-age=31536000, immutable"),
        ("timestamp", "public, max-age=15"),
        ("root/2", "public, max-age=15"),
        ("root/01", "public, max-age=15"),
        ("blob/..%2Ftimestamp", "public, max-age=15"),
    ] {
        let answer = reqwest::get(format!("{}/{path}", mirror.url)).await.unwrap();
        assert_eq!(answer.headers()["cache-control"], cache, "{path}");
        let found = matches!(path, "root/1" | "timestamp");
        assert_eq!(answer.status().as_u16(), if found { 200 } else { 404 }, "{path}");
    }
}

#[tokio::test]
async fn an_older_edition_is_refused() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let old = Mirror::own(operator.copy()).await;
    operator.publish(2);
    let new = Mirror::of(operator.folder.path()).await;
    let node = operator.node();
    let follower = node.open(&[&new.url]).await.unwrap();
    drop(follower);
    // Another start, and only the old mirror: what the node has seen binds it.
    let follower = node.open(&[&old.url]).await.unwrap();
    let problems = follower.refresh().await.unwrap_err();
    assert_eq!(codes(&problems), ["directory-rolled-back"]);
    assert_eq!(problems.iter().next().unwrap().at, old.url);
    assert!(problems.iter().next().unwrap().text.vi.contains("bản danh bạ số 1"));
    assert_eq!(follower.standing().load().view.directory().version, 2);
    assert_eq!(codes(&follower.report().problems), ["directory-rolled-back"]);
}

#[tokio::test]
async fn the_next_mirror_is_asked_when_one_is_behind() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let old = Mirror::own(operator.copy()).await;
    operator.publish(2);
    let new = Mirror::of(operator.folder.path()).await;
    let node = operator.node();
    node.open(&[&new.url]).await.unwrap();
    operator.publish(3);
    let follower = node.open(&[&old.url, &new.url]).await.unwrap();
    assert_eq!(follower.refresh().await, Ok(Refreshed::Newer(3)));
    assert!(follower.report().problems.is_empty());
}

#[tokio::test]
async fn a_frozen_mirror_is_noticed_and_stale_is_soft() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    let node = operator.node();
    let follower = node.open(&[&mirror.url]).await.unwrap();
    let ran_out = operator.clock.now().plus_seconds(HOUR);

    operator.forward(HOUR);
    assert_eq!(codes(&follower.refresh().await.unwrap_err()), ["directory-frozen"]);
    let stale = Freshness::Stale {
        since: ran_out,
        until: ran_out.plus_seconds(GRACE),
    };
    assert_eq!(follower.standing().load().freshness, stale);
    assert_eq!(
        follower.standing().load().view.directory().version,
        1,
        "it still says who is who"
    );
    assert_eq!(
        codes_of(&operator.node().open(&[&mirror.url]).await.unwrap_err()),
        ["directory-frozen"],
        "a new node does not begin with it"
    );

    operator.forward(GRACE);
    follower.judge();
    assert_eq!(
        follower.standing().load().freshness,
        Freshness::Expired { since: ran_out }
    );

    assert_eq!(operator.publisher.renew(), Ok(Due::Timestamp));
    assert_eq!(follower.refresh().await, Ok(Refreshed::Same));
    assert_eq!(follower.standing().load().freshness, Freshness::Fresh);
}

#[tokio::test]
async fn a_node_starts_while_every_mirror_is_down() {
    let operator = Operator::new("VN");
    operator.publish(3);
    let mirror = Mirror::of(operator.folder.path()).await;
    let (node, url) = (operator.node(), mirror.url.clone());
    node.open(&[&url]).await.unwrap();
    drop(mirror);
    operator.forward(2 * HOUR);
    let follower = node.open(&[&url]).await.unwrap();
    assert_eq!(follower.standing().load().view.directory().members.len(), 3);
    assert!(matches!(follower.standing().load().freshness, Freshness::Stale { .. }));
    assert_eq!(codes(&follower.refresh().await.unwrap_err()), ["directory-unreachable"]);
    assert_eq!(
        codes_of(&operator.node().open(&[&url]).await.unwrap_err()),
        ["directory-unreachable"]
    );
}

#[tokio::test]
async fn a_background_task_keeps_the_standing_current() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    let follower = operator.node().open(&[&mirror.url]).await.unwrap();
    let (mut editions, standing) = (follower.editions(), follower.standing());
    let task = tokio::spawn(follower.run());
    mirror.plays(File::Timestamp, Trick::Status(503));
    tokio::time::sleep(Duration::from_millis(300)).await;
    operator.publish(2);
    mirror.is_honest_again();
    let changed = tokio::time::timeout(Duration::from_secs(10), editions.wait_for(|version| *version == 2));
    assert!(changed.await.is_ok(), "it went on after failures");
    assert_eq!(standing.load().view.directory().version, 2);
    task.abort();
}

#[tokio::test]
async fn a_mirror_that_hangs_delays_no_word_of_age() {
    let folder = tempfile::TempDir::new().unwrap();
    let (keys, clock) = (Keys::new(), Arc::new(SystemClock));
    let brief = Validity {
        timestamp: 2,
        ..validity()
    };
    let (instance, now) = (crate::support::part("VN"), clock.now());
    let fingerprint = Publisher::found(folder.path(), &instance, &keys.quorums(), &keys.root, brief, now).unwrap();
    let publisher = Publisher::open(folder.path(), &keys.running, brief, clock.clone()).unwrap();
    publisher.publish(Operator::new("VN").directory(1)).unwrap();
    let (mirror, own) = (Mirror::of(folder.path()).await, tempfile::TempDir::new().unwrap());
    let root = std::fs::read(folder.path().join(File::Root(1).path())).unwrap();
    Follower::pin(own.path(), &root, fingerprint).unwrap();
    let following = Following {
        patience: Duration::from_secs(60),
        grace: 1,
        ..Following::new(vec![mirror.url.clone()], own.path().to_owned(), clock)
    };
    let follower = Follower::open(following).await.unwrap();
    mirror.plays(File::Root(2), Trick::Hangs);
    let standing = follower.standing();
    assert_eq!(standing.load().freshness, Freshness::Fresh);
    let task = tokio::spawn(follower.run());
    let mut seen = Vec::new();
    for _ in 0..80 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let age = match standing.load().freshness {
            Freshness::Fresh => "fresh",
            Freshness::Stale { .. } => "stale",
            Freshness::Expired { .. } => "expired",
        };
        seen.push(age);
    }
    seen.dedup();
    assert_eq!(seen, ["fresh", "stale", "expired"]);
    task.abort();
}

#[test]
fn a_folder_has_one_federation() {
    let operator = Operator::new("VN");
    let keys = Keys::new();
    let instance = crate::support::part("VN");
    let again = Publisher::found(
        operator.folder.path(),
        &instance,
        &keys.quorums(),
        &keys.root,
        validity(),
        operator.clock.now(),
    );
    assert_eq!(again.unwrap_err().code(), "directory-founded");
    let empty = tempfile::TempDir::new().unwrap();
    let mut quorums = keys.quorums();
    quorums.edition.threshold = 3;
    let now = operator.clock.now();
    let wrong = Publisher::found(empty.path(), &instance, &quorums, &keys.root, validity(), now);
    assert_eq!(wrong, Err(Refusal::Role(RoleName::Edition)));
    let few = Publisher::found(
        empty.path(),
        &instance,
        &keys.quorums(),
        &keys.root[..1],
        validity(),
        now,
    );
    assert_eq!(few.unwrap_err().code(), "directory-too-few-keys");
    assert!(!empty.path().join("root").exists());
}

#[tokio::test]
async fn roots_change_and_nodes_go_along() {
    let mut operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    let node = operator.node();
    let follower = node.open(&[&mirror.url]).await.unwrap();

    // All keys at once; two old and two new keys of the root sign.
    let (old, new) = (operator.keys.clone(), Keys::new());
    let signers = [&old.root[..2], &new.root[1..]].concat();
    operator.rotate(new, &signers);
    let third = Keys::new();
    let signers = [&operator.keys.root[..2], &third.root[..2]].concat();
    operator.rotate(third, &signers);
    operator.publish(4);
    assert!(matches!(follower.refresh().await, Ok(Refreshed::Newer(_))));
    assert_eq!(follower.standing().load().view.directory().members.len(), 4);
    let newcomer = operator.node().open(&[&mirror.url]).await.unwrap();
    assert_eq!(newcomer.standing().load().view.directory().members.len(), 4);

    // A mirror that keeps the new root back is found out by the timestamp; whoever holds the old keys signs in vain.
    mirror.plays(File::Root(2), Trick::Absent);
    let error = operator.node().open(&[&mirror.url]).await.unwrap_err();
    assert_eq!(codes_of(&error), ["directory-wrong-signature"]);
    drop(follower);
    assert!(node.open(&[&mirror.url]).await.is_ok(), "the chain of roots was kept");
}

#[tokio::test]
async fn a_root_that_is_kept_back_is_missed() {
    let mut operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    // Only a key of the root changes: the old root would verify the new timestamp.
    let mut keys = operator.keys.clone();
    keys.root[2] = crate::support::key();
    let signers = keys.root[..2].to_vec();
    operator.rotate(keys, &signers);
    mirror.plays(File::Root(2), Trick::Absent);
    let error = operator.node().open(&[&mirror.url]).await.unwrap_err();
    assert_eq!(codes_of(&error), ["directory-root-hidden"]);
}

#[test]
fn a_root_needs_the_old_keys_and_the_new() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let new = Keys::new();
    let rotate = |signers: &[_]| operator.publisher.rotate(&new.quorums(), signers, &new.running);
    let too_few = |found| Refusal::TooFewKeys {
        role: RoleName::Root,
        needed: 2,
        found,
    };
    let only_new = new.root.clone();
    assert_eq!(rotate(&only_new), Err(too_few(0)));
    let one_old = [&operator.keys.root[..1], &new.root[..]].concat();
    assert_eq!(rotate(&one_old), Err(too_few(1)));
    let one_new = [&operator.keys.root[..2], &new.root[..1]].concat();
    assert_eq!(rotate(&one_new), Err(too_few(1)));
    let strangers = [&operator.keys.root[..2], &new.root[..2], &Keys::new().root[..1]].concat();
    assert_eq!(rotate(&strangers), Err(Refusal::WrongSignature));
    let repeated = [&operator.keys.root[..1], &operator.keys.root[..1], &new.root[..]].concat();
    assert_eq!(rotate(&repeated), Err(too_few(1)), "one key twice is one key");
    assert!(
        !operator.folder.path().join(File::Root(2).path()).exists(),
        "nothing was written"
    );
}

#[tokio::test]
async fn numbers_of_keys_that_were_struck_off_bind_no_more() {
    let mut operator = Operator::new("VN");
    operator.publish(1);
    let mirror = Mirror::of(operator.folder.path()).await;
    let follower = operator.node().open(&[&mirror.url]).await.unwrap();
    // A thief of the timestamp key signs the highest number.
    let thief = operator.keys.running.timestamp[0].clone();
    let stolen = crate::hostile::stamp_like(&operator, &thief, |stamp| stamp.version = u64::MAX);
    mirror.plays(File::Timestamp, Trick::Bytes(stolen));
    assert_eq!(follower.refresh().await, Ok(Refreshed::Same));
    mirror.is_honest_again();
    assert_eq!(codes(&follower.refresh().await.unwrap_err()), ["directory-rolled-back"]);
    let mut keys = operator.keys.clone();
    keys.running.timestamp = vec![crate::support::key()];
    let signers = keys.root[..2].to_vec();
    operator.rotate(keys, &signers);
    assert_eq!(follower.refresh().await, Ok(Refreshed::Newer(2)));
}

#[test]
fn a_publisher_that_stopped_half_way_goes_on() {
    let mut operator = Operator::new("VN");
    operator.publish(1);
    let before = std::fs::read(operator.folder.path().join("timestamp")).unwrap();
    let new = Keys::new();
    let signers = [&operator.keys.root[..2], &new.root[..2]].concat();
    operator.rotate(new, &signers);
    // As if the machine had stopped before the timestamp of the new root.
    std::fs::write(operator.folder.path().join("timestamp"), before).unwrap();
    let clock = Arc::new(operator.clock.clone());
    let old = Publisher::open(operator.folder.path(), &Signers::default(), validity(), clock.clone());
    assert_eq!(old.unwrap_err().code(), "directory-too-few-keys");
    let publisher = Publisher::open(operator.folder.path(), &operator.keys.running, validity(), clock).unwrap();
    assert_eq!(publisher.due(), Due::Nothing);
    assert_eq!(publisher.next_version(), 3, "the edition was signed anew");
}

#[test]
fn timestamps_and_editions_are_signed_anew_in_time() {
    let operator = Operator::new("VN");
    assert_eq!(
        operator.publisher.renew(),
        Ok(Due::Nothing),
        "nothing was published yet"
    );
    operator.publish(1);
    assert_eq!(operator.publisher.due(), Due::Nothing);
    operator.forward(HOUR / 2);
    assert_eq!(operator.publisher.renew(), Ok(Due::Timestamp));
    assert_eq!(operator.publisher.due(), Due::Nothing);
    operator.forward(validity().edition / 2);
    assert_eq!(operator.publisher.renew(), Ok(Due::Edition));
    assert_eq!(operator.publisher.next_version(), 3);
}

#[test]
fn what_contradicts_itself_is_not_published() {
    let operator = Operator::new("VN");
    operator.publish(1);
    let publish = |change: &dyn Fn(&mut exchange::model::federation::Directory)| {
        let mut directory = operator.directory(2);
        change(&mut directory);
        operator.publisher.publish(directory).unwrap_err().code()
    };
    assert_eq!(publish(&|d| d.members[1] = d.members[0].clone()), "directory-contents");
    assert_eq!(
        publish(&|d| d.anchors[0].certificate = "x".into()),
        "certificate-missing"
    );
    assert_eq!(publish(&|d| d.revocations.push("x".into())), "crl-malformed");
    assert_eq!(operator.publisher.next_version(), 2, "and no number is lost");
}

#[test]
fn a_suspended_member_and_a_stranger_are_not_believed() {
    let operator = Operator::new("VN");
    let signer = crate::support::key();
    let who = trust::MemberId::new("VN", "GOV", "H00").unwrap();
    let request = trust::CertificateRequest::create(signer.as_ref(), &who, &["h00.example.vn".into()]).unwrap();
    let approval = trust::ca::Approval {
        request: request.fingerprint(),
        member: who,
        organization: "H00".into(),
        hosts: vec!["h00.example.vn".into()],
        profile: trust::ca::Profile::Node,
        days: 30,
    };
    let now = operator.clock.now();
    let certificate = operator.authority.issue(&request, &approval, now).unwrap();
    let judged = |directory| {
        let view = exchange::model::federation::View::new(directory).unwrap();
        let store = trust_store(&view, Revocations::default(), now).unwrap();
        store
            .judge(&[certificate.der().clone()], trust::Purpose::Client, now)
            .map(|peer| peer.member.to_string())
            .map_err(|refusals| refusals.iter().map(Explained::code).collect::<Vec<_>>())
    };
    let mut directory = operator.directory(1);
    assert_eq!(
        judged(directory.clone()),
        Err(vec!["certificate-swapped"]),
        "a key that is not registered"
    );
    directory.members[0].gateways[0].keys = vec![signer.public_key().id()];
    assert_eq!(judged(directory.clone()), Ok("VN/GOV/H00".to_owned()));
    directory.members[0].suspended = Some(now);
    assert_eq!(judged(directory), Err(vec!["certificate-swapped"]));
}
