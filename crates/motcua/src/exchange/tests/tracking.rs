//! The data tracker over two nodes.

use ::exchange::journal::{QuestionState, ReadFilter, Source, evidence::verify_container};
use base::{Error, Kind};
use identity::{Assurance, NewAccount, PersonActor};

use super::*;

/// A person who signed in with the e-ID at a node.
pub(super) async fn person(town: &Town, number: &str) -> Ctx {
    let mut new = NewAccount::named("e-id", number, "Nguyễn Văn An");
    new.person_number = Some(number.to_owned());
    let system = Ctx::system("test", SystemClock.now());
    let account = town
        .whole
        .identity
        .create_account(&system, &new)
        .await
        .expect("an account");
    Ctx {
        actor: Actor::Person(PersonActor {
            account,
            name: new.name,
            person_number: new.person_number,
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        }),
        now: SystemClock.now(),
        request_id: Uuid::new_v4(),
        lang: base::Lang::Vi,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sees_at_both_nodes_who_read_and_asks_the_reader() {
    const NUMBER: &str = "037190001234";
    let dirs = tempfile::tempdir().expect("a folder");
    let operator = founded(dirs.path()).await;
    let asks = &member(
        &operator,
        config(&dirs.path().join("a")),
        "VN/GOV/000.00.00.H42",
        "Tỉnh Ninh Bình",
    )
    .await;
    let register = member(
        &operator,
        config(&dirs.path().join("b")),
        "VN/GOV/000.00.00.G01",
        "Bộ Công an",
    )
    .await;
    let answers = &register;
    granted(asks, answers).await;
    // Of its own a node tells nobody; the portal of the province may ask for its people.
    grant_of(asks, answers, "findUsage", terms("**", "tracker.own-view", "")).await;
    let (status, _) = asks.call(&format!("/r1/{ANSWERS}/persons/persons/{NUMBER}")).await;
    assert_eq!(status, 200);

    // At the portal of the province that read: the register tells of it, with purpose and dossier.
    let at_home = person(asks, NUMBER).await;
    let mine = asks.joined().journal.my_reads(&at_home, &ReadFilter::default()).await;
    let mine = mine.expect("reads");
    assert!(mine.silent.is_empty(), "{:?}", mine.silent);
    let told: Vec<_> = mine
        .reads
        .iter()
        .filter(|read| matches!(read.source, Source::Elsewhere { .. }))
        .collect();
    let [told] = told.as_slice() else {
        panic!("{:?}", mine.reads)
    };
    assert!(
        told.what.contains("Tra cứu thông tin dân cư") && told.what.contains("H42.28-261111-0001"),
        "{told:?}"
    );
    assert_eq!(
        (told.agency.as_str(), told.system.as_deref()),
        ("000.00.00.H42", Some("motcua"))
    );
    let stranger = person(asks, "037190009999").await;
    let others = asks.joined().journal.my_reads(&stranger, &ReadFilter::default()).await;
    assert!(others.expect("reads").reads.is_empty(), "nobody else's");

    // With its proof, which comes through the exchange and is verified by the key of the directory; for this person alone.
    let Source::Elsewhere { proof: Some(far) } = &told.source else {
        panic!("{told:?}")
    };
    let far = far.clone();
    let home = asks.joined().journal.clone();
    let proved = home.proof_elsewhere(&at_home, &far).await.expect("a proof");
    assert_eq!(proved.record.client.to_string(), "VN/GOV/000.00.00.H42/motcua");
    assert_eq!(proved.record.issue.as_deref(), Some("H42.28-261111-0001"));
    let refused = home.proof_elsewhere(&stranger, &far).await.expect_err("not theirs");
    assert!(matches!(refused, Error::Refused(Kind::NotFound, _)), "{refused:?}");

    // At the portal of the register: the same read, with its proof.
    let there = person(answers, NUMBER).await;
    let journal = answers.joined().journal.clone();
    let mine = journal.my_reads(&there, &ReadFilter::default()).await.expect("reads");
    let [read] = mine.reads.as_slice() else {
        panic!("{:?}", mine.reads)
    };
    assert_eq!(read.dossier.as_deref(), Some("H42.28-261111-0001"));
    let Source::Exchange { leaf } = read.source else {
        panic!("{read:?}")
    };
    let proof = journal.my_read_evidence(&there, leaf).await.expect("evidence");
    let keys = answers.whole.dossiers.ledger().expect("a log").keys.clone();
    let policy = ledger::Policy::new(keys, Vec::new(), 0).expect("a policy");
    let report = verify_container(&proof, &policy, None);
    assert!(report.is_whole(), "{report:?}");

    // The person asks; the question travels to the agency that read, and its answer back.
    let question = journal
        .ask(&there, leaf, "Vì sao tra cứu thông tin của tôi?")
        .await
        .expect("asked");
    let officer = Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(8)),
            name: "Lê Thị Đáp".to_owned(),
            title: "Chuyên viên".to_owned(),
            agency: AGENCY.to_owned(),
            roles: Roles::NONE.with(Role::Specialist).with(Role::Consulted),
        }),
        ..steward()
    };
    let reader = asks.joined().journal.clone();
    let seen = until("the question comes to the agency that read", async || {
        let (questions, _) = reader
            .questions(&officer, QuestionState::Asked, None)
            .await
            .expect("a list");
        questions.into_iter().find(|asked| asked.id == question)
    })
    .await;
    assert_eq!(Some(seen.request), read.request);
    reader
        .answer_question(&officer, question, "Để giải quyết hồ sơ H42.28-261111-0001.")
        .await
        .expect("answered");
    let answer = until("the answer comes back", async || {
        let mine = journal.my_reads(&there, &ReadFilter::default()).await.expect("reads");
        mine.reads.into_iter().find_map(|read| read.question?.answer)
    })
    .await;
    assert!(format!("{answer:?}").contains("Để giải quyết hồ sơ"), "{answer:?}");

    // While the register is away its proofs are not to be had, and the portal says so.
    register.stop().await;
    let refused = home.proof_elsewhere(&at_home, &far).await.expect_err("it is away");
    assert!(matches!(refused, Error::Refused(Kind::Unavailable, _)), "{refused:?}");
}
