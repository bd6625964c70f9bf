//! Witnesses: what they cosign, what not, and that they remember.

use std::{path::Path, sync::Arc, time::Duration};

use base::time::FixedClock;
use bytes::Bytes;
use futures::future::BoxFuture;
use ledger::{
    Algorithm, Error, FileKey, Log, Policy, SignedCheckpoint, Signer, VerifierKey, verify,
    witness::{AddCheckpoint, Answer, Channel, ChannelError, Miss, Pace, Peer, Refusal, Witness, Witnesses},
};

use crate::support::{NOW, ORIGIN, block_on, fill, key, key_named, open};

fn witness(dir: &Path, own: &Arc<FileKey>, log: &VerifierKey) -> Witness {
    let signers: Vec<Arc<dyn Signer>> = vec![Arc::<FileKey>::clone(own)];
    Witness::open(dir, signers, vec![log.clone()], Arc::new(FixedClock::at(NOW))).expect("it opens")
}

fn request(log: &Log, old: u64, checkpoint: &SignedCheckpoint) -> Vec<u8> {
    let request = AddCheckpoint {
        old,
        proof: log.consistency(old, checkpoint.checkpoint().size).expect("a proof"),
        checkpoint: checkpoint.clone(),
    };
    assert_eq!(
        AddCheckpoint::parse(request.to_string().as_bytes()).expect("a request"),
        request
    );
    request.to_string().into_bytes()
}

#[test]
fn a_witness_cosigns_what_continues_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let own = key_named("nhan-chung.example/mot", Algorithm::CosignatureV1);
    let state = dir.path().join("witness");
    let log = open(&dir.path().join("log"), &key);
    let empty = (*log.checkpoint()).clone();
    fill(&log, 0..10, 5);
    let ten = (*log.checkpoint()).clone();
    fill(&log, 10..25, 5);
    let late = (*log.checkpoint()).clone();
    let witness = witness(&state, &own, &key.verifier());
    let hash = "0f3a0b1dd1f4d5d0f0c2";
    assert!(witness.latest(hash).is_none());

    // An empty log, too, may be cosigned.
    witness
        .add_checkpoint(&request(&log, 0, &empty))
        .expect("it is cosigned");
    let lines = witness.add_checkpoint(&request(&log, 0, &ten)).expect("it is cosigned");
    let mut cosigned = ten.clone();
    for line in ledger::parse_signatures(&lines).expect("signature lines") {
        cosigned.add(line);
    }
    assert_eq!(
        cosigned.verify(&own.verifier()),
        Ok(Some(NOW.micros().unsigned_abs() / 1_000_000))
    );

    // The same again is cosigned again; an older one, or a proof from another size, is not.
    witness
        .add_checkpoint(&request(&log, 10, &ten))
        .expect("it is cosigned again");
    let conflict = |size| Err(Refusal::Conflict { size });
    assert_eq!(witness.add_checkpoint(&request(&log, 0, &ten)), conflict(10));
    assert_eq!(witness.add_checkpoint(&request(&log, 0, &empty)), conflict(10));
    assert_eq!(witness.add_checkpoint(&request(&log, 5, &late)), conflict(10));
    witness
        .add_checkpoint(&request(&log, 10, &late))
        .expect("it is cosigned");
    assert_eq!(witness.add_checkpoint(&request(&log, 10, &late)), conflict(25));

    // A proof that does not fit; an old size beyond the checkpoint; nonsense.
    let mut wrong = AddCheckpoint::parse(&request(&log, 10, &late)).expect("a request");
    wrong.old = 25;
    assert_eq!(
        witness.add_checkpoint(wrong.to_string().as_bytes()),
        Err(Refusal::Inconsistent)
    );
    wrong.old = 26;
    assert_eq!(
        witness.add_checkpoint(wrong.to_string().as_bytes()),
        Err(Refusal::Backwards { old: 26, size: 25 })
    );
    assert!(matches!(
        witness.add_checkpoint(b"old 1\n\nnonsense"),
        Err(Refusal::Malformed(_))
    ));
    let long = "old 1\n".to_owned() + &format!("{}\n", ledger::Hash::EMPTY).repeat(64) + "\n" + &late.to_string();
    assert!(matches!(
        witness.add_checkpoint(long.as_bytes()),
        Err(Refusal::Malformed(_))
    ));

    // A log that is not followed, one that did not sign, one whose signature is false.
    let other = key_named("so-cai.khac.example", Algorithm::Ed25519);
    let stranger = open(&dir.path().join("stranger"), &other);
    let refused = witness.add_checkpoint(&request(&stranger, 0, &stranger.checkpoint()));
    assert_eq!(refused, Err(Refusal::UnknownLog("so-cai.khac.example".to_owned())));
    let impostor = open(&dir.path().join("impostor"), &self::key());
    let refused = witness.add_checkpoint(&request(&impostor, 0, &impostor.checkpoint()));
    assert_eq!(refused, Err(Refusal::Unsigned(ORIGIN.to_owned())));
    let mut false_one = ten.note().signatures()[0].clone();
    false_one.bytes[0] ^= 1;
    let mut spoiled = late.clone();
    spoiled.add(false_one);
    let refused = witness.add_checkpoint(&request(&log, 25, &spoiled));
    assert_eq!(refused, Err(Refusal::Unsigned(ORIGIN.to_owned())));
    let refusals = [
        (Refusal::Inconsistent, 422),
        (Refusal::Conflict { size: 1 }, 409),
        (Refusal::Unsigned(String::new()), 403),
        (Refusal::UnknownLog(String::new()), 404),
        (Refusal::Backwards { old: 1, size: 0 }, 400),
        (Refusal::Unavailable(String::new()), 503),
    ];
    for (refusal, status) in refusals {
        assert_eq!(refusal.status(), status);
        assert!(refusal.code().starts_with("witness-"));
        assert_ne!(refusal.text().vi, refusal.text().en);
    }
}

#[test]
fn a_witness_refuses_a_fork_and_remembers_over_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let own = key_named("nhan-chung.example/mot", Algorithm::CosignatureV1);
    let state = dir.path().join("witness");
    let log = open(&dir.path().join("log"), &key);
    let fork = open(&dir.path().join("fork"), &key);
    fill(&log, 0..10, 5);
    fill(&fork, 100..110, 5);
    {
        let witness = witness(&state, &own, &key.verifier());
        witness
            .add_checkpoint(&request(&log, 0, &log.checkpoint()))
            .expect("it is cosigned");
        let twice = Witness::open(&state, Vec::new(), Vec::new(), Arc::new(FixedClock::at(NOW)));
        assert!(matches!(twice, Err(Error::Locked(_))));
    }
    let witness = witness(&state, &own, &key.verifier());
    assert_eq!(
        witness.add_checkpoint(&request(&fork, 0, &fork.checkpoint())),
        Err(Refusal::Conflict { size: 10 })
    );
    assert_eq!(
        witness.add_checkpoint(&request(&fork, 10, &fork.checkpoint())),
        Err(Refusal::Inconsistent)
    );
    fill(&fork, 110..130, 5);
    assert_eq!(
        witness.add_checkpoint(&request(&fork, 10, &fork.checkpoint())),
        Err(Refusal::Inconsistent)
    );
    fill(&log, 10..11, 1);
    witness
        .add_checkpoint(&request(&log, 10, &log.checkpoint()))
        .expect("it is cosigned");

    // What it remembers is a checkpoint that it signed, and monitors may have it.
    let name = std::fs::read_dir(&state)
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().into_string().expect("a name"))
        .find(|n| n.len() == 64)
        .expect("a state");
    let latest = witness.latest(&name).expect("it is known");
    assert_eq!(latest.checkpoint(), log.checkpoint().checkpoint());
    assert!(latest.verify(&own.verifier()).is_ok() && latest.verify(&key.verifier()).is_ok());
    drop(witness);
    // A memory that was tampered with is not believed: starting anew would cosign a fork.
    let path = state.join(name);
    let text = std::fs::read_to_string(&path)
        .expect("a state")
        .replacen("\n11\n", "\n10\n", 1);
    std::fs::write(&path, text).expect("tampered");
    let signers: Vec<Arc<dyn Signer>> = vec![own];
    let refused = Witness::open(&state, signers, vec![key.verifier()], Arc::new(FixedClock::at(NOW)));
    assert!(matches!(refused, Err(Error::WitnessState(_))));
    let plain: Vec<Arc<dyn Signer>> = vec![self::key()];
    let refused = Witness::open(&dir.path().join("w"), plain, Vec::new(), Arc::new(FixedClock::at(NOW)));
    assert!(
        matches!(refused, Err(Error::Misconfigured(_))),
        "a witness says when it signs"
    );
}

/// A witness in this process.
struct Near(Arc<Witness>);

impl Channel for Near {
    fn add_checkpoint(&self, body: String) -> BoxFuture<'_, Result<Answer, ChannelError>> {
        let (status, body) = match self.0.add_checkpoint(body.as_bytes()) {
            Ok(lines) => (200, lines),
            Err(Refusal::Conflict { size }) => (409, format!("{size}\n")),
            Err(refusal) => (refusal.status(), refusal.to_string()),
        };
        let body = Bytes::from(body);
        Box::pin(async move { Ok(Answer { status, body }) })
    }
}

/// One that does not answer, cannot be reached, or answers something else.
struct Odd(&'static str);

impl Channel for Odd {
    fn add_checkpoint(&self, _: String) -> BoxFuture<'_, Result<Answer, ChannelError>> {
        Box::pin(async move {
            match self.0 {
                "silent" => futures::future::pending().await,
                "away" => Err(ChannelError("connection refused".to_owned())),
                lines => Ok(Answer {
                    status: 200,
                    body: Bytes::from(lines),
                }),
            }
        })
    }
}

#[test]
fn a_log_gathers_cosignatures_of_k_of_n() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let log = open(&dir.path().join("log"), &key);
    fill(&log, 0..30, 7);
    let names = ["nhan-chung.example/1", "nhan-chung.example/2", "nhan-chung.example/3"];
    let algorithms = [Algorithm::CosignatureV1, Algorithm::CosignatureV1, Algorithm::MlDsa44];
    let keys: Vec<_> = names
        .iter()
        .zip(algorithms)
        .map(|(name, a)| key_named(name, a))
        .collect();
    let near: Vec<_> = keys
        .iter()
        .map(|own| Arc::new(witness(&dir.path().join(&own.name()[19..]), own, &key.verifier())))
        .collect();
    // The first witness has seen the log before, through another client.
    near[0]
        .add_checkpoint(&request(&log, 0, &log.checkpoint()))
        .expect("it is cosigned");
    fill(&log, 30..40, 7);
    let strange = key_named("nhan-chung.example/4", Algorithm::CosignatureV1).verifier();
    let mut peers: Vec<_> = keys
        .iter()
        .zip(&near)
        .map(|(own, near)| Peer::new(own.verifier(), Arc::new(Near(Arc::clone(near)))))
        .collect();
    for odd in ["silent", "away", "nonsense", "— nhan-chung.example/4 AAAAAAE=\n", ""] {
        peers.push(Peer::new(strange.clone(), Arc::new(Odd(odd))));
    }
    let pace = Pace {
        patience: Duration::from_millis(300),
        between: Duration::ZERO,
        longest: Duration::ZERO,
    };
    let witnesses = Witnesses::new(peers, pace);
    let policy = |quorum| {
        let verifiers = keys.iter().map(|k| k.verifier()).collect();
        Policy::new(vec![key.verifier()], verifiers, quorum).expect("a policy")
    };
    for more in [40..40, 40..55, 55..56] {
        fill(&log, more, 7);
        let gathered = block_on(witnesses.gather(&log, &log.checkpoint()));
        assert_eq!(gathered.cosigned, 3);
        assert!(matches!(
            gathered.missing.iter().map(|(_, m)| m).collect::<Vec<_>>()[..],
            [
                Miss::Late,
                Miss::Channel(_),
                Miss::NoCosignature,
                Miss::NoCosignature,
                Miss::NoCosignature
            ]
        ));
        assert_eq!(policy(3).judge(&gathered.checkpoint).expect("all cosigned").len(), 3);
        log.set_cosigned(gathered.checkpoint).expect("it is ours");
        let proof = log.prove(12).expect("a proof").to_string();
        verify(proof.as_bytes(), &policy(3), None).expect("it verifies");
    }
    assert!(
        policy(1).judge(&log.checkpoint()).is_err(),
        "the log alone is not enough"
    );

    // The log is put back to an older state: the witnesses say so.
    drop(log);
    let restored = open(&dir.path().join("restored"), &key);
    fill(&restored, 0..20, 7);
    let gathered = block_on(witnesses.gather(&restored, &restored.checkpoint()));
    assert_eq!(gathered.cosigned, 0);
    assert!(
        matches!(gathered.missing[0].1, Miss::Ahead { known: 56, size: 20 }),
        "{:?}",
        gathered.missing[0]
    );
}

#[test]
fn two_trees_of_one_size_are_kept_as_proof_and_what_is_followed_can_change() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let own = key_named("nhan-chung.example/mot", Algorithm::CosignatureV1);
    let log = open(&dir.path().join("log"), &key);
    let fork = open(&dir.path().join("fork"), &key);
    fill(&log, 0..10, 5);
    fill(&fork, 100..110, 5);
    let state = dir.path().join("witness");
    let witness = witness(&state, &own, &key.verifier());
    witness
        .add_checkpoint(&request(&log, 0, &log.checkpoint()))
        .expect("it is cosigned");
    // A bad proof between two sizes proves nothing of the log; two trees of one size do.
    fill(&fork, 110..112, 5);
    assert_eq!(
        witness.add_checkpoint(&request(&fork, 10, &fork.checkpoint())),
        Err(Refusal::Inconsistent)
    );
    assert!(witness.followed().iter().all(|log| !log.forked));
    fill(&log, 10..12, 5);
    witness
        .add_checkpoint(&request(&log, 10, &log.checkpoint()))
        .expect("it is cosigned");
    assert_eq!(
        witness.add_checkpoint(&request(&fork, 12, &fork.checkpoint())),
        Err(Refusal::Inconsistent)
    );
    assert!(witness.followed().iter().all(|log| log.forked));

    // Followed no more, it is unknown; followed again, it is remembered.
    witness.follow(Vec::new()).expect("nobody is followed");
    assert!(witness.followed().is_empty());
    assert!(matches!(
        witness.add_checkpoint(&request(&log, 12, &log.checkpoint())),
        Err(Refusal::UnknownLog(_))
    ));
    witness.follow(vec![key.verifier()]).expect("it is followed again");
    assert_eq!(
        witness.add_checkpoint(&request(&log, 0, &log.checkpoint())),
        Err(Refusal::Conflict { size: 12 })
    );
    drop(witness);
    let again = self::witness(&state, &own, &key.verifier());
    assert!(again.followed()[0].forked, "the proof is on disk");
}
