//! Networks and nodes that fail, agencies that do not take the question, time that passes.

use super::*;
use crate::{
    consult::{AskedState as Standing, Delivery, Ending},
    model::{
        command::{Command, Opinion},
        state::Answer,
    },
};

fn ends(answer: Option<&Answer>) -> Option<Ending> {
    answer.map(Ending::of)
}

#[tokio::test]
async fn what_gets_lost_or_comes_twice_changes_nothing() {
    for pair in pairs().await {
        for fault in ["requests", "answers", "twice", "held"] {
            let set = |n| match fault {
                "requests" => pair.wire.lose_requests.store(n, Ordering::SeqCst),
                "answers" => pair.wire.lose_answers.store(n, Ordering::SeqCst),
                "held" => pair.wire.hold.store(n, Ordering::SeqCst),
                _ => pair.wire.twice.store(n > 0, Ordering::SeqCst),
            };
            let path = pair.asked().await;
            let due = pair.consultation(&path).await.due_at;
            set(3);
            pair.hours(1).await;
            assert_eq!(way(&pair, &path).await.delivery, Delivery::Taken, "{fault}");
            let item = pair.waiting().await;
            set(3);
            pair.answer(&item).await;
            pair.hours(1).await;
            set(0);
            pair.wire.let_go().await;
            pair.run().await;
            let asked = pair.consultation(&path).await;
            assert_eq!(ends(asked.answer.as_ref()), Some(Ending::Answered), "{fault}");
            assert_eq!(asked.due_at, due, "{fault}: the clock is the process's own");
            assert!(pair.queue(Shown::Open).await.is_empty(), "{fault}");
            let given = pair.dossier(&path).await.history;
            let given = given
                .iter()
                .filter(|l| l.text.vi.starts_with("Cơ quan phối hợp trả lời"));
            assert_eq!(given.count(), 1, "{fault}: once in the log");
            let seen = pair
                .answers
                .dossiers
                .asked_one(&pair.hung(), item.id)
                .await
                .expect("it");
            assert_eq!(seen.item.state, Standing::Received, "{fault}");
        }
        assert_eq!(pair.queue(Shown::Past).await.len(), 4, "each question once");
    }
}

#[tokio::test]
async fn a_node_that_is_down_for_days_is_told_when_it_is_back() {
    for pair in pairs().await {
        pair.wire.cut.store(true, Ordering::SeqCst);
        let path = pair.asked().await;
        pair.hours(48).await;
        let stands = way(&pair, &path).await;
        assert_eq!(stands.delivery, Delivery::Waiting);
        assert!(stands.tries > 100 && stands.next_at.is_some(), "{stands:?}");
        assert_eq!(codes(&stands.problems), ["exchange"]);
        let clerk = pair.clerk(&[Role::Specialist]);
        let code = path.trim_start_matches("/dossiers/").to_owned();
        let page = pair.asks.page(&clerk, &format!("/desk/dossiers/{code}")).await.body;
        assert!(page.contains("Không kết nối được nút của bên cung cấp") && page.contains("Gửi lại ngay"));

        pair.wire.cut.store(false, Ordering::SeqCst);
        let again = format!("/desk/dossiers/{code}/consultations/ask_fire/again");
        let sent = pair.asks.post(&clerk, &again, &[]).await;
        assert!(
            sent.location().starts_with(&format!("/desk/dossiers/{code}")),
            "{}",
            sent.body
        );
        pair.run().await;
        assert_eq!(way(&pair, &path).await.delivery, Delivery::Taken, "at once");
        let twice = pair.asks.post(&clerk, &again, &[]).await;
        assert_eq!(twice.status.as_u16(), 409, "there is nothing to send any more");

        let item = pair.waiting().await;
        pair.wire.cut.store(true, Ordering::SeqCst);
        pair.answer(&item).await;
        pair.hours(24).await;
        let seen = pair
            .answers
            .dossiers
            .asked_one(&pair.hung(), item.id)
            .await
            .expect("it");
        assert_eq!(seen.item.state, Standing::Sending);
        let page = pair
            .answers
            .page(&pair.hung(), &format!("/desk/consultations/{}", item.id))
            .await;
        assert!(page.body.contains("Ý kiến chưa gửi được"));
        pair.wire.cut.store(false, Ordering::SeqCst);
        pair.hours(1).await;
        assert_eq!(
            ends(pair.consultation(&path).await.answer.as_ref()),
            Some(Ending::Answered)
        );
    }
}

#[tokio::test]
async fn a_job_that_dies_before_it_is_acknowledged_is_done_once() {
    for pair in pairs().await {
        let path = pair.asked().await;
        // The job has spoken, and its process dies before it notes so: the next start finds it as it was.
        pair.wire.lose_answers.store(1, Ordering::SeqCst);
        pair.run().await;
        let item = pair.waiting().await;
        assert_eq!(way(&pair, &path).await.delivery, Delivery::Waiting, "not noted");
        pair.hours(1).await;
        assert_eq!(way(&pair, &path).await.delivery, Delivery::Taken);
        pair.answer(&item).await;
        pair.wire.lose_answers.store(1, Ordering::SeqCst);
        pair.run().await;
        assert_eq!(
            ends(pair.consultation(&path).await.answer.as_ref()),
            Some(Ending::Answered)
        );
        pair.hours(1).await;

        // And jobs that are done a second time after all was noted.
        let before = pair.dossier(&path).await.state.version;
        let question = item.id;
        for (town, kind, id) in [
            (&pair.asks, super::super::asking::QUESTION, outgoing(&pair, &path).await),
            (&pair.answers, super::super::answering::OPINION, question),
        ] {
            transact!(town.store, |tx| {
                tx.enqueue(::store::Job::new(kind, &id)?, pair.clock.now()).await
            })
            .expect("a job");
        }
        pair.run().await;
        assert_eq!(pair.dossier(&path).await.state.version, before);
        assert_eq!(pair.queue(Shown::Past).await.len(), 1);
    }
}

async fn outgoing(pair: &Pair, path: &str) -> crate::model::action::ConsultationId {
    let dossier = pair.dossier(path).await.id;
    let rows = super::super::store::outgoing_of(&pair.asks.store.read(), dossier).await;
    rows.expect("rows")[0].id
}

#[tokio::test]
async fn an_end_that_overtakes_its_question_keeps_it_from_opening() {
    for pair in pairs().await {
        let path = pair.asked().await;
        let id = pair.dossier(&path).await.id;
        pair.wire.hold.store(1, Ordering::SeqCst);
        pair.run().await;
        let stop = Command::Stop {
            reason: "Chủ đầu tư không thực hiện nghĩa vụ".to_owned(),
            basis: "Nghị định 61/2018/NĐ-CP".to_owned(),
        };
        let leader = pair.clerk(&[Role::Leader]);
        pair.asks
            .dossiers
            .command(&leader, id, &stop, None)
            .await
            .expect("stopped");
        pair.run().await;
        pair.hours(1).await;
        assert_eq!(
            way(&pair, &path).await.delivery,
            Delivery::Closed,
            "the other node knows"
        );
        pair.wire.let_go().await;
        assert!(
            pair.queue(Shown::Open).await.is_empty(),
            "the late question does not open"
        );
        let past = pair.queue(Shown::Past).await;
        assert_eq!((past.len(), past[0].state), (1, Standing::Ended));
        let seen = pair
            .answers
            .dossiers
            .asked_one(&pair.hung(), past[0].id)
            .await
            .expect("it");
        assert_eq!(seen.ended.map(|ended| ended.how), Some(Ending::Dropped));
        let page = pair
            .answers
            .page(&pair.hung(), &format!("/desk/consultations/{}", past[0].id))
            .await;
        assert!(page.body.contains("Không cần lấy ý kiến nữa") && !page.body.contains("name=\"agrees\""));
        let given = super::super::GivenOpinion {
            agrees: true,
            opinion: "Muộn".to_owned(),
            ..super::super::GivenOpinion::default()
        };
        let late = pair
            .answers
            .dossiers
            .answer_question(&pair.hung(), past[0].id, &given)
            .await;
        let late = late.expect_err("it has ended");
        assert_eq!(codes(late.problems().expect("why")), ["consultation-ended"]);
    }
}

#[tokio::test]
async fn silence_ends_it_at_both_and_a_late_opinion_is_told_why() {
    for pair in pairs().await {
        let path = pair.asked().await;
        pair.run().await;
        let item = pair.waiting().await;
        pair.wire.cut.store(true, Ordering::SeqCst);
        pair.answer(&item).await;
        pair.run().await;
        pair.clock.set(day(13));
        pair.run().await;
        assert_eq!(
            ends(pair.consultation(&path).await.answer.as_ref()),
            Some(Ending::Deemed),
            "the law's clock did not wait"
        );
        pair.wire.cut.store(false, Ordering::SeqCst);
        pair.hours(1).await;
        let seen = pair
            .answers
            .dossiers
            .asked_one(&pair.hung(), item.id)
            .await
            .expect("it");
        assert_eq!(seen.item.state, Standing::Refused);
        assert_eq!(codes(&seen.problems), ["consultation-ended"]);
        assert_eq!(seen.ended.map(|ended| ended.how), Some(Ending::Deemed));
        let page = pair
            .answers
            .page(&pair.hung(), &format!("/desk/consultations/{}", item.id))
            .await;
        assert!(page.body.contains("Cơ quan hỏi không nhận ý kiến này") && page.body.contains("được coi là đã đồng ý"));
        assert_eq!(
            ends(pair.consultation(&path).await.answer.as_ref()),
            Some(Ending::Deemed)
        );
    }
}

#[tokio::test]
async fn a_refusal_is_shown_and_can_be_mended_or_got_round() {
    for pair in bare_pairs().await {
        let path = pair.asked().await;
        let code = path.trim_start_matches("/dossiers/").to_owned();
        pair.run().await;
        let stands = way(&pair, &path).await;
        assert_eq!(
            (stands.delivery, codes(&stands.problems)),
            (Delivery::Refused, vec!["unknown-agency"])
        );
        let calls = pair.wire.calls.load(Ordering::SeqCst);
        pair.hours(2).await;
        assert_eq!(
            pair.wire.calls.load(Ordering::SeqCst),
            calls,
            "a no for good is not asked again"
        );
        let clerk = pair.clerk(&[Role::Specialist]);
        let desk = format!("/desk/dossiers/{code}");
        let page = pair.asks.page(&clerk, &desk).await.body;
        assert!(page.contains("Nút này không có cơ quan G01.57.7") && page.contains("Không được tiếp nhận"));

        // An officer, but none who answers.
        pair.appoint(Role::Specialist).await;
        pair.asks
            .dossiers
            .ask_again(&clerk, pair.dossier(&path).await.id, "ask_fire")
            .await
            .expect("again");
        pair.run().await;
        assert_eq!(codes(&way(&pair, &path).await.problems), ["no-officer"]);
        pair.appoint(Role::Consulted).await;
        let receptionist = pair.clerk(&[Role::Receptionist]);
        let id = pair.dossier(&path).await.id;
        let refused = pair.asks.dossiers.ask_again(&receptionist, id, "ask_fire").await;
        assert_eq!(refused.expect_err("not their work").kind(), Some(base::Kind::Forbidden));
        pair.asks
            .dossiers
            .ask_again(&clerk, id, "ask_fire")
            .await
            .expect("again");
        pair.run().await;
        assert_eq!(way(&pair, &path).await.delivery, Delivery::Taken);

        // Meanwhile the opinion came on paper: it is recorded with its number, and the other node is told.
        let form = format!("{desk}/consultations/ask_fire");
        let page = pair.asks.page(&clerk, &form).await.body;
        assert!(page.contains("Ghi nhận ý kiến nhận bằng văn bản"));
        let opinion = |document: &str| {
            Command::AnswerConsultation(Opinion {
                sent_by: "ask_fire".to_owned(),
                agrees: true,
                opinion: "Thống nhất".to_owned(),
                document: document.to_owned(),
                ..Opinion::default()
            })
        };
        let bare = pair.asks.dossiers.command(&clerk, id, &opinion(" "), None).await;
        assert_eq!(
            codes(bare.expect_err("no number").problems().expect("why")),
            ["required"]
        );
        let theirs = pair
            .asks
            .dossiers
            .command(&receptionist, id, &opinion("9/CV"), None)
            .await;
        assert_eq!(theirs.expect_err("not their work").kind(), Some(base::Kind::Forbidden));
        pair.asks
            .dossiers
            .command(&clerk, id, &opinion("9/CV"), None)
            .await
            .expect("recorded");
        pair.run().await;
        let past = pair.queue(Shown::Past).await;
        assert_eq!((past.len(), past[0].state), (1, Standing::Ended));
        let seen = pair
            .answers
            .dossiers
            .asked_one(&pair.hung(), past[0].id)
            .await
            .expect("it");
        assert_eq!(seen.ended.map(|ended| ended.how), Some(Ending::Recorded));
    }
}

#[tokio::test]
async fn a_node_that_has_not_joined_keeps_the_question() {
    for town in towns_with(|config| {
        let remote = Remote {
            system: ANSWERS.parse().expect("a system"),
            agency: POLICE.to_owned(),
        };
        config
            .consulted
            .insert("fire-police".to_owned(), Consulted::Elsewhere(remote));
    })
    .await
    {
        let pair = Pair {
            answers: towns().await.remove(0),
            asks: town,
            wire: Arc::default(),
            clock: FixedClock::at(start().plus_seconds(3600)),
        };
        let path = pair.asked().await;
        pair.run().await;
        let stands = way(&pair, &path).await;
        assert_eq!(
            (stands.delivery, codes(&stands.problems)),
            (Delivery::Waiting, vec!["not-joined"])
        );
    }
}
