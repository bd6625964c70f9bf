//! Questions of people about reads, here and at the agency that read.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_once_answered_in_time_and_closed() {
    for node in nodes(|config| {
        config.agencies.insert(id("VN/GOV/000.00.00.H26"), "H26".to_owned());
        config.answer_days = 3;
    })
    .await
    {
        let me = node.person(Some(PERSON)).await;
        let leaf = log_read(&node, 1, PERSON, 0).await;
        let others = log_read(&node, 2, ELSE, 0).await;
        assert_eq!(
            code(&node.journal.ask(&me, others, "Vì sao?").await.expect_err("not mine")),
            "not-found"
        );
        assert_eq!(
            code(&node.journal.ask(&me, leaf, " ").await.expect_err("blank")),
            "question-text"
        );
        let long = "a".repeat(2001);
        assert_eq!(
            code(&node.journal.ask(&me, leaf, &long).await.expect_err("long")),
            "question-text"
        );
        let id = node
            .journal
            .ask(&me, leaf, "Vì sao xem dữ liệu của tôi?")
            .await
            .expect("asked");
        assert_eq!(
            code(&node.journal.ask(&me, leaf, "Nữa?").await.expect_err("twice")),
            "asked-already"
        );
        // The agency that read has its officers here: it gets the question, and the one that runs the node does not.
        let here = node.ctx(officer(AGENCY, Role::Consulted));
        let (none, _) = node
            .journal
            .questions(&here, QuestionState::Asked, None)
            .await
            .expect("a list");
        assert!(none.is_empty());
        assert_eq!(
            code(
                &node
                    .journal
                    .answer_question(&here, id, "x")
                    .await
                    .expect_err("not theirs")
            ),
            "not-found"
        );
        let there = node.ctx(officer("H26", Role::Consulted));
        let (questions, next) = node
            .journal
            .questions(&there, QuestionState::Asked, None)
            .await
            .expect("a list");
        assert_eq!((questions.len(), next), (1, None));
        // Asked on a Wednesday: three working days end on Monday, when work ends.
        assert_eq!(questions[0].due.rfc3339(), "2026-11-30T17:00:00+07:00");
        assert!(!questions[0].is_late(node.now()) && questions[0].is_late(node.now().plus_seconds(86_400 * 6)));
        let specialist = node.ctx(officer("H26", Role::Specialist));
        assert!(
            node.journal
                .questions(&specialist, QuestionState::Asked, None)
                .await
                .is_err()
        );
        node.journal
            .answer_question(&there, id, "Để giải quyết hồ sơ của ông.")
            .await
            .expect("answered");
        let again = node
            .journal
            .answer_question(&there, id, "Khác.")
            .await
            .expect_err("once");
        assert_eq!(code(&again), "question-answered");
        let mine = node.journal.my_reads(&me, &ReadFilter::default()).await.expect("reads");
        let question = mine.reads[0].question.clone().expect("shown beside the read");
        assert_eq!(question.state, QuestionState::Answered);
        assert_eq!(question.answer.expect("an answer").0, "Để giải quyết hồ sơ của ông.");
        let stranger = node.person(Some(ELSE)).await;
        assert_eq!(
            code(
                &node
                    .journal
                    .close_question(&stranger, id)
                    .await
                    .expect_err("not theirs")
            ),
            "not-found"
        );
        node.journal.close_question(&me, id).await.expect("closed");
        assert_eq!(
            code(&node.journal.close_question(&me, id).await.expect_err("once")),
            "question-closed"
        );
        // Questions are no folds.
        node.journal.rebuild(|_| {}).await.expect("made anew");
        let mine = node.journal.my_reads(&me, &ReadFilter::default()).await.expect("reads");
        assert_eq!(
            mine.reads[0].question.as_ref().map(|q| q.state),
            Some(QuestionState::Closed)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_travels_to_the_agency_that_read_and_the_answer_back() {
    let (there, back) = (Arc::new(Road::default()), Arc::new(Road::default()));
    let province = |config: &mut crate::journal::Config| {
        config.agency = "H26".to_owned();
        config.subsystem = id(CLIENT);
        config.agencies = [(id("VN/GOV/000.00.00.H26"), "H26".to_owned())].into();
    };
    // One engine is enough: the tables are tested above.
    let here = nodes_with(|_| {}, Some(Arc::<Road>::clone(&there) as Arc<dyn Caller>))
        .await
        .remove(0);
    let away = nodes_with(province, Some(Arc::<Road>::clone(&back) as Arc<dyn Caller>))
        .await
        .remove(0);
    there.there.set(question_router(away.journal.clone())).expect("once");
    back.there.set(question_router(here.journal.clone())).expect("once");
    let runner = |node: &Node| {
        let runner = ::store::jobs::Runner::new(node.store.clone(), Arc::new(node.clock.clone()));
        super::super::super::handlers(runner, &node.journal)
    };
    let me = here.person(Some(PERSON)).await;
    let leaf = log_read(&here, 1, PERSON, 0).await;
    there.cut.store(true, Ordering::SeqCst);
    let id = here
        .journal
        .ask(&me, leaf, "Vì sao xem dữ liệu của tôi?")
        .await
        .expect("asked");
    runner(&here).run_due().await.expect("tried");
    let officer_there = away.ctx(officer("H26", Role::Consulted));
    let list = async || {
        away.journal
            .questions(&officer_there, QuestionState::Asked, None)
            .await
            .expect("a list")
            .0
    };
    assert!(list().await.is_empty());
    // The way is back; the job comes again.
    there.cut.store(false, Ordering::SeqCst);
    here.forward(60);
    runner(&here).run_due().await.expect("sent");
    let questions = list().await;
    assert_eq!(questions.len(), 1);
    assert_eq!((questions[0].id, questions[0].leaf), (id, None));
    assert_eq!(questions[0].asker, "Người dân, qua Bộ Công an", "not by name");
    assert_eq!(questions[0].request, call(1).request_id);
    assert_eq!(questions[0].service, super::super::SERVICE);
    away.journal
        .answer_question(&officer_there, id, "Để giải quyết hồ sơ.")
        .await
        .expect("answered");
    runner(&away).run_due().await.expect("sent");
    let mine = here.journal.my_reads(&me, &ReadFilter::default()).await.expect("reads");
    let question = mine.reads[0].question.clone().expect("a question");
    assert_eq!(question.state, QuestionState::Answered);
    assert_eq!(
        question.answer.map(|(text, _, by)| (text, by)),
        Some(("Để giải quyết hồ sơ.".to_owned(), "Chuyên viên".to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_are_bent_or_not_theirs_are_refused() {
    for node in nodes(|_| {}).await {
        let app = question_router(node.journal.clone());
        let post = async |path: &str, client: Option<&str>, purpose: bool, body: &str| {
            let mut request = http::Request::post(path);
            if let Some(client) = client {
                request = request.header("x-road-client", client);
            }
            if purpose {
                request = request.header("x-motcua-purpose", "tracker.question");
            }
            let request = request.body(Body::from(body.to_owned())).expect("a request");
            let answer = app.clone().oneshot(request).await.expect("infallible");
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            let json: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            json["problems"][0]["code"].as_str().unwrap_or_default().to_owned()
        };
        let asked = |member: &str, text: &str| {
            serde_json::json!({"id": "01980000-0000-7000-8000-000000000001", "member": member, "service": super::super::SERVICE,
                "request": "01980000-0000-7000-8000-000000000002", "text": text, "asked": 1, "due": 2})
            .to_string()
        };
        let (own, other) = ("VN/GOV/000.00.00.G01", "VN/GOV/000.00.00.H26");
        assert_eq!(
            post("/v1/questions", Some(CLIENT), false, "{}").await,
            "purpose-missing"
        );
        assert_eq!(
            post("/v1/questions", None, true, &asked(own, "Vì sao?")).await,
            "identifier-form"
        );
        assert_eq!(post("/v1/questions", Some(CLIENT), true, "{}").await, "question-form");
        assert_eq!(
            post("/v1/questions", Some(CLIENT), true, &asked(other, "Vì sao?")).await,
            "not-found"
        );
        assert_eq!(
            post("/v1/questions", Some(CLIENT), true, &asked(own, " ")).await,
            "question-text"
        );
        for _ in 0..2 {
            assert_eq!(
                post("/v1/questions", Some(CLIENT), true, &asked(own, "Vì sao?")).await,
                "",
                "twice is once"
            );
        }
        let consulted = node.ctx(officer(AGENCY, Role::Consulted));
        let (questions, _) = node
            .journal
            .questions(&consulted, QuestionState::Asked, None)
            .await
            .expect("a list");
        assert_eq!(questions.len(), 1);
        // An answer to a question that was asked of somebody else, or never.
        let answered =
            serde_json::json!({"id": "01980000-0000-7000-8000-000000000001", "text": "x", "by": "y"}).to_string();
        assert_eq!(post("/v1/answers", Some(CLIENT), true, &answered).await, "not-found");
    }
}
