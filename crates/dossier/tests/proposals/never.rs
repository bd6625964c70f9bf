//! What must never happen: acting against a no, on what is no longer so, twice, or for who wants none; and being lost.

use super::*;

#[tokio::test]
async fn nobody_is_acted_upon_who_said_no_or_of_whom_it_is_no_longer_so() {
    for commune in communes().await {
        commune.moved().await;
        commune.run("residence-behind", MOTHER).await;
        let (id, _) = commune.only(&person(MOTHER, after(60))).await;
        let due = commune.until(MOTHER).await;
        let (status, ..) = commune
            .post(
                &person(MOTHER, due.plus_seconds(-1)),
                &format!("/my/proposals/{id}/decline"),
                "",
            )
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER, "a second before is in time");
        commune.work(due.plus_seconds(DAY)).await;
        assert_eq!(commune.state(MOTHER, due.plus_seconds(DAY)).await, State::Declined);
        assert_eq!(commune.commune_of(MOTHER, due.plus_seconds(DAY)).await, "19774");
        // Never again for the same reason.
        commune.run("residence-behind", MOTHER).await;
        assert_eq!(commune.state(MOTHER, due.plus_seconds(DAY)).await, State::Declined);

        // The other one has it mended in the meantime.
        let mut father = citizen(FATHER, "1988-02-03");
        father["residence"] = json!({ "province": "46", "commune": "19774" });
        commune.add("population", father).await;
        commune.add("residence", residence(FATHER, "19777")).await;
        commune.run("residence-behind", FATHER).await;
        let population = "population".parse().expect("a code");
        let (record, seq) = commune
            .registries
            .newest(&Ctx::system("test", start()), &population, FATHER)
            .await
            .expect("the record");
        let mut mended = citizen(FATHER, "1988-02-03");
        mended["residence"] = json!({ "province": "46", "commune": "19777" });
        let change = Change::Assert {
            target: Target::Known(registry::service::Seen { record, seq }),
            from: Moment::parse("2026-11-21", ValidTime::Day).expect("a day"),
            to: None,
            body: mended,
        };
        let provenance = Provenance {
            source: "Tờ khai".to_owned(),
            ..Provenance::default()
        };
        let written = commune
            .registries
            .write(
                &Ctx::system("test", after(DAY)),
                &population,
                change,
                &provenance,
                "mended",
            )
            .await;
        written.expect("written");
        commune.work(due.plus_seconds(DAY)).await;
        assert_eq!(commune.state(FATHER, due.plus_seconds(DAY)).await, State::Overtaken);
        assert_eq!(commune.figures("residence-behind").await.acted, 0);
    }
}

#[tokio::test]
async fn who_wants_none_gets_none_even_at_the_same_moment() {
    for commune in communes().await {
        commune.moved().await;
        let ctx = person(MOTHER, after(60));
        let wish = Wish::Procedure("1.010039".to_owned());
        commune
            .dossiers
            .start_run(&leader(), "residence-behind", MOTHER)
            .await
            .expect("started");
        let (said, ()) = tokio::join!(
            commune.dossiers.want_proposals(&ctx, &wish, false),
            commune.work(start())
        );
        said.expect("noted");
        let (views, _) = commune.dossiers.own_proposals(&ctx, None).await.expect("a list");
        assert!(
            views.iter().all(|view| view.proposal.state == State::NotWanted),
            "{views:?}"
        );
        commune.work(after(40 * DAY)).await;
        assert_eq!(commune.commune_of(MOTHER, after(41 * DAY)).await, "19774");
        let refused = commune
            .dossiers
            .want_proposals(&ctx, &Wish::Procedure("9.999999".to_owned()), false)
            .await
            .expect_err("nothing of the kind");
        assert_eq!(code(&refused), "not-found");

        // One parent wants nothing at all: the other is still told.
        commune.add("population", child()).await;
        commune.run("birth-registration", CHILD).await;
        let (status, ..) = commune.post(&ctx, "/my/proposals/wishes", "procedure=&wanted=no").await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (views, _) = commune.dossiers.own_proposals(&ctx, None).await.expect("a list");
        assert!(views.iter().all(|view| view.proposal.made.procedure != "1.001193"));
        assert_eq!(commune.state(FATHER, after(60)).await, State::Open);
        let page = commune.page(&ctx, "/my/proposals").await;
        assert!(page.contains("Quý vị đang không nhận bất kỳ đề xuất nào") && page.contains("1.010039"));
        commune.run("child-health-card", CHILD).await;
        let (views, _) = commune.dossiers.own_proposals(&ctx, None).await.expect("a list");
        assert!(views.iter().all(|view| view.proposal.made.procedure != "3.000722"));
        // And wants it again.
        commune
            .dossiers
            .want_proposals(&ctx, &Wish::Everything, true)
            .await
            .expect("noted");
        assert_eq!(commune.dossiers.unwanted_proposals(&ctx).await.expect("wishes"), [wish]);
    }
}

#[tokio::test]
async fn a_run_that_was_killed_goes_on_and_waits_for_a_registry_that_is_down() {
    for commune in communes().await {
        let mut numbers = Vec::new();
        for n in 0..25 {
            let number = format!("0463260001{n:02}");
            let mut one = child();
            one["person_number"] = number.clone().into();
            commune.add("population", one).await;
            numbers.push(number);
        }
        let people = numbers.join("\n");
        commune.down("civil-status", true);
        commune
            .dossiers
            .start_run(&leader(), "birth-registration", &people)
            .await
            .expect("started");
        let again = commune
            .dossiers
            .start_run(&leader(), "birth-registration", &people)
            .await
            .expect_err("one at a time");
        assert_eq!(code(&again), "run-under-way");
        commune.work(start()).await;
        let run = async || {
            commune
                .dossiers
                .proposal_rule(&leader(), "birth-registration")
                .await
                .expect("it")
                .runs[0]
                .clone()
        };
        let waiting = run().await;
        assert_eq!(
            (waiting.left, waiting.ended_at, waiting.proposed),
            (25, None, 0),
            "retried, not skipped"
        );
        commune.down("civil-status", false);
        // Each of these processes is killed after one look at the jobs; the next goes on.
        for n in 0..60 {
            let seconds = 100 + 40 * n;
            commune
                .runner(after(seconds))
                .run_due()
                .await
                .expect("the table of jobs");
        }
        commune.work(after(3600)).await;
        let ended = run().await;
        assert_eq!((ended.left, ended.proposed, ended.ended_at.is_some()), (0, 25, true));
        let (first, next) = commune
            .dossiers
            .own_proposals(&person(MOTHER, after(3600)), None)
            .await
            .expect("a list");
        assert_eq!((first.len(), next), (25, None));
        // In a month they are looked at again by themselves, and nothing is proposed twice.
        commune.work(after(31 * DAY)).await;
        let runs = commune
            .dossiers
            .proposal_rule(&leader(), "birth-registration")
            .await
            .expect("it")
            .runs;
        assert_eq!(runs.len(), 2);
        assert_eq!((runs[0].known, runs[0].proposed), (25, 0));
    }
}

#[tokio::test]
async fn a_refused_write_leaves_nothing_behind() {
    for commune in communes().await {
        commune.moved().await;
        commune.run("residence-behind", MOTHER).await;
        let (id, _) = commune.only(&person(MOTHER, after(60))).await;
        let due = commune.until(MOTHER).await;
        commune.moody.refuses.store(true, Ordering::Relaxed);
        commune.work(due).await;
        assert_eq!(commune.state(MOTHER, due).await, State::Failed);
        assert_eq!(commune.commune_of(MOTHER, due.plus_seconds(DAY)).await, "19774");
        let page = commune.page(&person(MOTHER, due), &format!("/my/proposals/{id}")).await;
        assert!(page.contains("không có gì thay đổi"), "{page}");
        assert_eq!(commune.figures("residence-behind").await.failed, 1);
    }
}

#[tokio::test]
async fn a_grant_withdrawn_after_a_write_that_nobody_heard_of_is_no_refusal() {
    for commune in communes().await {
        commune.moved().await;
        commune.run("residence-behind", MOTHER).await;
        let due = commune.until(MOTHER).await;
        commune.moody.unheard.store(1, Ordering::Relaxed);
        commune.work(due).await;
        assert_eq!(commune.state(MOTHER, due).await, State::Acting);
        commune.moody.barred.store(2, Ordering::Relaxed);
        commune.work(due.plus_seconds(3600)).await;
        commune.work(due.plus_seconds(DAY)).await;
        assert_eq!(commune.moody.barred.load(Ordering::Relaxed), 0, "it was told again");
        assert_eq!(commune.state(MOTHER, due.plus_seconds(DAY)).await, State::Acting);
        commune.work(due.plus_seconds(2 * DAY)).await;
        assert_eq!(commune.state(MOTHER, due.plus_seconds(2 * DAY)).await, State::Acted);
        assert_eq!(commune.figures("residence-behind").await.failed, 0);
    }
}

#[tokio::test]
async fn a_grant_withdrawn_before_anything_was_told_is_a_refusal() {
    for commune in communes().await {
        commune.moved().await;
        commune.run("residence-behind", MOTHER).await;
        let due = commune.until(MOTHER).await;
        commune.moody.barred.store(100, Ordering::Relaxed);
        commune.work(due).await;
        assert_eq!(commune.state(MOTHER, due).await, State::Failed);
        assert_eq!(commune.commune_of(MOTHER, due.plus_seconds(DAY)).await, "19774");
    }
}

/// An act that its person wants undone, of which the registry keeps what it was told; and since when it is stuck.
async fn stuck(commune: &Commune) -> (ProposalId, Timestamp) {
    commune.moved().await;
    commune.run("residence-behind", MOTHER).await;
    let (id, _) = commune.only(&person(MOTHER, after(60))).await;
    let due = commune.until(MOTHER).await;
    commune.work(due).await;
    commune
        .dossiers
        .restore_proposal(&person(MOTHER, due), id)
        .await
        .expect("it can be had back");
    commune.moody.keeps.store(true, Ordering::Relaxed);
    let stuck = due.plus_seconds(DAY);
    commune.work(stuck).await;
    assert_eq!(commune.state(MOTHER, stuck).await, State::Stuck);
    (id, stuck)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_taken_back_is_settled_by_an_officer() {
    for commune in communes().await {
        let (id, stuck) = stuck(&commune).await;

        // A leader sees what stands and why, not about whom; a clerk and another agency see none of it and may do nothing.
        let page = commune.page(&leader(), "/desk/proposals/residence-behind").await;
        assert!(
            page.contains("Bản ghi đã có nội dung mới hơn.") && page.contains("population") && !page.contains(MOTHER)
        );
        let path = format!("/desk/proposals/residence-behind/stuck/{id}");
        for other in [
            officer(AGENCY, Role::Specialist),
            officer("H01", Role::Leader),
            person(MOTHER, stuck),
        ] {
            for (what, body) in [("again", ""), ("settle", "note-x=y")] {
                let (status, _, said) = commune.post(&other, &format!("{path}/{what}"), body).await;
                assert!(matches!(status.as_u16(), 303 | 401 | 403), "{status} {said}");
            }
        }
        assert_eq!(commune.state(MOTHER, stuck).await, State::Stuck);

        // Tried again too early it is stuck again, and the page says so once more.
        let (status, to, _) = commune.post(&leader(), &format!("{path}/again"), "").await;
        assert_eq!(
            (status, to.as_str()),
            (StatusCode::SEE_OTHER, "/desk/proposals/residence-behind")
        );
        assert_eq!(commune.state(MOTHER, stuck).await, State::Restoring);
        commune.work(stuck.plus_seconds(60)).await;
        assert_eq!(commune.state(MOTHER, stuck).await, State::Stuck);

        // A note with a number is refused and kept in its field; a good one settles, once.
        let field = format!("note-{id}=");
        let (status, _, page) = commune
            .post(&leader(), &format!("{path}/settle"), &format!("{field}Sửa+số+{MOTHER}"))
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("Không ghi số định danh") && page.contains(&format!("Sửa số {MOTHER}")));
        let note = format!("{field}Cơ+quan+quản+lý+dữ+liệu+đã+đính+chính");
        let (status, _, said) = commune.post(&leader(), &format!("{path}/settle"), &note).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{said}");
        let (status, ..) = commune.post(&leader(), &format!("{path}/settle"), &note).await;
        assert_eq!(status, StatusCode::CONFLICT, "it is settled");
        assert_eq!(commune.state(MOTHER, stuck).await, State::Settled);
        let page = commune
            .page(&person(MOTHER, stuck), &format!("/my/proposals/{id}"))
            .await;
        assert!(
            page.contains("<strong>Cơ quan quản lý dữ liệu đã đính chính</strong>")
                && page.contains("Cán bộ đã xử lý xong")
        );
        assert!(
            !commune
                .page(&leader(), "/desk/proposals/residence-behind")
                .await
                .contains("Cần xử lý")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stood_is_taken_back_once_the_reason_is_gone() {
    for commune in communes().await {
        let (id, stuck) = stuck(&commune).await;
        commune.moody.keeps.store(false, Ordering::Relaxed);
        commune
            .dossiers
            .take_back_again(&leader(), id)
            .await
            .expect("once more");
        let late = stuck.plus_seconds(DAY);
        commune.work(late).await;
        assert_eq!(commune.state(MOTHER, late).await, State::Restored);
        assert_eq!(commune.commune_of(MOTHER, late).await, "19774", "as before");
    }
}
