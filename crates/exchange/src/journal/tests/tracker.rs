//! What a person sees of who read their data; and what other nodes are told.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use base::{Text, Timestamp};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http_body_util::BodyExt;
use identity::{DataRead, Purpose, Role};
use jiff::civil::date;
use tower::ServiceExt;

use super::{AGENCY, CLIENT, Node, PERSON, call, call_of, code, id, nodes, nodes_with, officer, read_of, subsystem};
use crate::{
    Caller,
    journal::{
        ASK_SERVICE, HiddenReads, PROVIDER_SERVICE, QuestionState, ReadFilter, evidence::verify_container,
        question_router, tracker::Source, usage_router,
    },
    model::{
        error::{ErrorCode, Refusal},
        identifier::SubsystemId,
    },
};

const ELSE: &str = "037190001235";

async fn log_read(node: &Node, n: u128, person: &str, seconds: i64) -> u64 {
    let call = call(n);
    node.log_call(&call, Some(&read_of(&call, person, node.now().plus_seconds(seconds))))
        .await[2]
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_here_and_through_the_exchange_stand_in_one_list() {
    for node in nodes(|_| {}).await {
        let me = node.person(Some(PERSON)).await;
        log_read(&node, 1, PERSON, -100).await;
        log_read(&node, 2, ELSE, -90).await;
        let system = node.ctx(officer(AGENCY, Role::Specialist));
        let read = DataRead {
            subject: PERSON,
            dossier: Some("G01-261125-0009"),
            purpose: Purpose::CaseHandling,
            what: "Tờ khai",
        };
        node.identity
            .access_log()
            .record(&system, read)
            .await
            .expect("recorded");
        let mine = node.journal.my_reads(&me, &ReadFilter::default()).await.expect("reads");
        assert_eq!((mine.reads.len(), mine.next, mine.silent.len()), (2, None, 0));
        let [here, through] = &mine.reads[..] else {
            panic!("{mine:?}")
        };
        assert_eq!((here.source, here.who.vi.as_str()), (Source::Here, "Trần Thị Bình"));
        assert_eq!(through.source, Source::Exchange { leaf: 2.into() });
        assert_eq!(
            (through.who.vi.as_str(), through.agency.as_str()),
            ("Tỉnh Thử Nghiệm", "000.00.00.H26")
        );
        assert_eq!(through.system.as_deref(), Some("motcua"));
        assert_eq!(
            through.through.as_ref().map(|through| through.vi.as_str()),
            Some("Tra cứu thông tin nhân thân (Bộ Công an)")
        );
        assert_eq!(through.why.vi, "Xác minh thông tin trong hồ sơ");
        assert_eq!(through.dossier.as_deref(), Some("H26-261125-0001"));
        // By time.
        let from = Some(node.now().plus_seconds(-50));
        let some = node
            .journal
            .my_reads(
                &me,
                &ReadFilter {
                    from,
                    ..ReadFilter::default()
                },
            )
            .await
            .expect("reads");
        assert_eq!(some.reads.iter().map(|r| r.source).collect::<Vec<_>>(), [Source::Here]);
        let to = Some(node.now().plus_seconds(-50));
        let some = node
            .journal
            .my_reads(
                &me,
                &ReadFilter {
                    to,
                    ..ReadFilter::default()
                },
            )
            .await
            .expect("reads");
        assert_eq!(some.reads.len(), 1);
        // The proof, and nobody else's.
        let bytes = node.journal.my_read_evidence(&me, 2_u64).await.expect("evidence");
        let report = verify_container(&bytes, &node.policy(), None);
        assert!(
            report.is_whole() && report.leaves[0].role.code() == "read",
            "{report:?}"
        );
        let error = node
            .journal
            .my_read_evidence(&me, 5_u64)
            .await
            .expect_err("of somebody else");
        assert_eq!(code(&error), "not-found");
        assert!(
            node.journal.my_reads(&system, &ReadFilter::default()).await.is_err(),
            "an officer has no such list"
        );
        let nobody = node.person(None).await;
        assert!(
            node.journal
                .my_reads(&nobody, &ReadFilter::default())
                .await
                .expect("nothing")
                .nobody
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_many_sources_is_paged_without_loss() {
    for node in nodes(|_| {}).await {
        let me = node.person(Some(PERSON)).await;
        let system = node.ctx(officer(AGENCY, Role::Specialist));
        // Many of one instant, so that the place in the list has to count.
        for n in 0..60 {
            log_read(
                &node,
                n,
                PERSON,
                if n < 40 { 0 } else { i64::try_from(n).expect("small") },
            )
            .await;
        }
        for n in 0..60 {
            let what = format!("Tờ khai {n}");
            let read = DataRead {
                subject: PERSON,
                dossier: None,
                purpose: Purpose::CaseHandling,
                what: &what,
            };
            node.identity
                .access_log()
                .record(&system, read)
                .await
                .expect("recorded");
        }
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = node
                .journal
                .my_reads(
                    &me,
                    &ReadFilter {
                        before,
                        ..ReadFilter::default()
                    },
                )
                .await
                .expect("a page");
            assert!(page.reads.len() <= 50);
            seen.extend(
                page.reads
                    .iter()
                    .map(|read| (std::cmp::Reverse(read.at), read.source, read.what.clone())),
            );
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 120);
        assert!(seen.is_sorted());
        seen.dedup();
        assert_eq!(seen.len(), 120, "none twice");
    }
}

fn hide(config: &mut crate::journal::Config) {
    config.hidden = vec![HiddenReads {
        member: id("VN/GOV/000.00.00.H26"),
        purposes: vec![id("dossier.verify")],
        reason: Text::new("Điều tra theo Bộ luật Tố tụng hình sự", "Criminal investigation"),
        from: date(2026, 11, 20),
        until: date(2026, 12, 31),
    }];
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_reads_are_counted_and_shown_at_last() {
    for node in nodes(hide).await {
        let mut me = node.person(Some(PERSON)).await;
        let leaf = log_read(&node, 1, PERSON, 0).await;
        log_read(&node, 2, PERSON, -86_400 * 10).await;
        let mut other = read_of(&call(3), PERSON, node.now());
        other.purpose = id("statistics");
        node.log_call(&call(3), Some(&other)).await;
        let reads = async |me: &identity::Ctx| {
            node.journal
                .my_reads(me, &ReadFilter::default())
                .await
                .expect("reads")
                .reads
        };
        let purposes: Vec<_> = reads(&me).await.iter().map(|read| read.why.vi.clone()).collect();
        assert_eq!(
            purposes,
            ["statistics", "Xác minh thông tin trong hồ sơ"],
            "before the rule, and for another purpose"
        );
        assert!(node.journal.my_read_evidence(&me, leaf).await.is_err());
        assert!(node.journal.ask(&me, leaf, "Vì sao?").await.is_err());
        let page = find_usage(&node, &format!("userCode=VN{PERSON}")).await;
        assert_eq!(page["totalUsages"], 2);
        // Everybody sees how many.
        let months = node.journal.hidden_reads(node.now()).await.expect("figures");
        assert_eq!(months.len(), 1);
        assert_eq!(
            (months[0].month, months[0].n, months[0].until),
            (date(2026, 11, 1), 1, date(2026, 12, 31))
        );
        // The time is over.
        node.forward(86_400 * 40);
        me.now = node.now();
        assert_eq!(reads(&me).await.len(), 3);
        assert!(node.journal.my_read_evidence(&me, leaf).await.is_ok());
        assert_eq!(
            node.journal.hidden_reads(node.now()).await.expect("figures")[0].n,
            1,
            "it stays counted"
        );
    }
}

#[test]
fn a_rule_without_ground_purpose_or_end_is_refused() {
    let mut config = super::config();
    hide(&mut config);
    config.hidden[0].reason = Text::default();
    config.hidden[0].purposes.clear();
    config.hidden[0].until = date(2036, 1, 1);
    config.answer_days = 0;
    let problems = config.check().expect_err("refused");
    let codes: Vec<_> = problems.iter().map(|p| (p.code.as_str(), p.at.as_str())).collect();
    assert_eq!(
        codes,
        [
            ("hidden-everything", "hidden.0.purposes"),
            ("hidden-reason", "hidden.0.reason"),
            ("hidden-end", "hidden.0.until"),
            ("no-days", "answer_days"),
        ]
    );
}

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

async fn send(app: &Router, path: &str, headers: &[(&str, &str)]) -> (u16, http::HeaderMap, serde_json::Value) {
    let mut request = http::Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let (parts, body) = app.clone().oneshot(request).await.expect("infallible").into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (
        parts.status.as_u16(),
        parts.headers,
        serde_json::from_slice(&bytes).unwrap_or_default(),
    )
}

const HEADERS: [(&str, &str); 2] = [
    ("x-motcua-purpose", "tracker.own-view"),
    ("x-road-userid", "VN037190001234"),
];

async fn find_usage(node: &Node, query: &str) -> serde_json::Value {
    let app = usage_router(node.journal.clone(), &subsystem("VN/GOV/000.00.00.G01/dancu"));
    let (status, _, body) = send(&app, &format!("/v2/findUsage?{query}"), &HEADERS).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_answers_estonias_protocol() {
    for node in nodes(|_| {}).await {
        for n in 0..5 {
            log_read(&node, n, PERSON, i64::try_from(n).expect("small") * 60).await;
        }
        log_read(&node, 10, ELSE, 0).await;
        // Another provider of the same node.
        let other = call_of(
            11,
            "VN/GOV/000.00.00.G01/hotich/tracuu",
            "",
            super::OTHER,
            super::ORIGIN,
        );
        node.log_call(&other, Some(&read_of(&other, PERSON, node.now()))).await;
        let page = find_usage(&node, &format!("userCode=VN{PERSON}&offset=1&limit=2")).await;
        assert_eq!(page["totalUsages"], 5);
        assert_eq!(
            page["usages"],
            serde_json::json!([
                {"logtime": "2026-11-25T09:03:00+07:00", "action": "Tra cứu thông tin nhân thân – Xác minh thông tin trong hồ sơ (H26-261125-0001)",
                 "receiverCode": "000.00.00.H26", "receiverName": "Tỉnh Thử Nghiệm", "receiverSystem": "motcua"},
                {"logtime": "2026-11-25T09:02:00+07:00", "action": "Tra cứu thông tin nhân thân – Xác minh thông tin trong hồ sơ (H26-261125-0001)",
                 "receiverCode": "000.00.00.H26", "receiverName": "Tỉnh Thử Nghiệm", "receiverSystem": "motcua"},
            ])
        );
        let page = find_usage(
            &node,
            &format!("userCode={PERSON}&periodStart=2026-11-25T09:01:00%2B07:00&periodEnd=2026-11-25T09:03:00%2B07:00"),
        )
        .await;
        assert_eq!(page["totalUsages"], 3);
        let app = usage_router(node.journal.clone(), &subsystem("VN/GOV/000.00.00.G01/dancu"));
        let (status, _, body) = send(&app, "/v2/usagePeriod", &HEADERS).await;
        assert_eq!(
            (status, body),
            (200, serde_json::json!({"periodStart": "2026-11-25T09:00:00+07:00"}))
        );
        let (status, _, body) = send(&app, "/v2/heartbeat", &[]).await;
        assert_eq!((status, body), (200, serde_json::json!({"status": "OK"})));
        for headers in [
            &[("x-road-userid", "VN037190001234")][..],
            &[("x-motcua-purpose", "No!")],
        ] {
            for path in ["/v2/findUsage?userCode=VN037190001234", "/v2/usagePeriod"] {
                let (status, head, body) = send(&app, path, headers).await;
                assert_eq!(
                    (status, &head["x-road-error"]),
                    (400, &"Client.PurposeMissing".parse().expect("a value"))
                );
                assert!(
                    body["problems"][0]["code"]
                        .as_str()
                        .is_some_and(|code| code.starts_with("purpose-")),
                    "{body}"
                );
            }
        }
        let (status, head, body) = send(&app, "/v2/findUsage?limit=0", &HEADERS[..1]).await;
        assert_eq!(
            (status, &head["x-road-error"]),
            (400, &"Client.BadRequest".parse().expect("a value"))
        );
        assert_eq!(body["problems"].as_array().map(Vec::len), Some(3));
    }
}

/// Another node: it answers, refuses, talks nonsense, or is silent.
struct Elsewhere(Way);

type Way = fn() -> BoxFuture<'static, Result<http::Response<Bytes>, Refusal>>;

impl Caller for Elsewhere {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        assert_eq!(client.to_string(), "VN/GOV/000.00.00.G01/motcua");
        let target = request.uri().to_string();
        let service = format!("/r1/VN/GOV/000.00.00.G24/bhxh/{PROVIDER_SERVICE}/v2/findUsage?userCode=VN{PERSON}");
        assert!(target.starts_with(&service), "{target}");
        assert_eq!(request.headers()["x-road-userid"], format!("VN{PERSON}"));
        assert!(request.headers().contains_key("x-motcua-purpose"));
        (self.0)()
    }
}

fn answered(body: &'static str) -> BoxFuture<'static, Result<http::Response<Bytes>, Refusal>> {
    async move { Ok(http::Response::new(Bytes::from_static(body.as_bytes()))) }.boxed()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_nodes_are_asked_and_whoever_is_silent_is_named() {
    let told = || {
        answered(
            r#"{"totalUsages":1,"usages":[{"logtime":"2026-11-25T08:59:30+07:00","action":"Tra cứu quá trình đóng","receiverCode":"000.00.00.H26","receiverSystem":"motcua"}]}"#,
        )
    };
    let refused = || async { Err(Refusal::new(ErrorCode::AccessDenied)) }.boxed();
    let nonsense = || answered("<html>");
    let silent = || {
        async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Err(Refusal::new(ErrorCode::ClientIoError))
        }
        .boxed()
    };
    let ways: [(Way, usize); 4] = [(told, 1), (refused, 0), (nonsense, 0), (silent, 0)];
    for (way, expected) in ways {
        let caller: Arc<dyn Caller> = Arc::new(Elsewhere(way));
        let impatient = |config: &mut crate::journal::Config| config.patience = Duration::from_millis(200);
        for node in nodes_with(impatient, Some(Arc::clone(&caller))).await {
            let me = node.person(Some(PERSON)).await;
            log_read(&node, 1, PERSON, 0).await;
            log_read(&node, 2, PERSON, -60).await;
            let begun = std::time::Instant::now();
            let mine = node.journal.my_reads(&me, &ReadFilter::default()).await.expect("reads");
            assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits long");
            let sources: Vec<_> = mine.reads.iter().map(|read| read.source).collect();
            let (first, second) = (Source::Exchange { leaf: 2.into() }, Source::Exchange { leaf: 5.into() });
            if expected == 1 {
                assert_eq!(sources, [first, Source::Elsewhere, second]);
                assert_eq!(
                    mine.reads[1].through.as_ref().map(|through| through.vi.as_str()),
                    Some("Bảo hiểm Xã hội")
                );
                assert!(mine.silent.is_empty());
            } else {
                assert_eq!(sources, [first, second]);
                assert_eq!(mine.silent, ["Bảo hiểm Xã hội"]);
            }
            let to = Some(Timestamp::parse_rfc3339("2026-11-25T08:59:29+07:00").expect("a time"));
            let mine = node
                .journal
                .my_reads(
                    &me,
                    &ReadFilter {
                        to,
                        ..ReadFilter::default()
                    },
                )
                .await
                .expect("reads");
            assert_eq!(mine.reads.len(), 1, "what comes after the end is left out");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditors_look_is_a_read_that_the_person_sees() {
    for node in nodes(|_| {}).await {
        let me = node.person(Some(PERSON)).await;
        log_read(&node, 1, PERSON, -100).await;
        let found = node.journal.message(&node.auditor(), 0_u64).await.expect("a message");
        assert!(found.report.expect("judged").is_whole());
        assert_eq!(found.pair.len(), 2);
        let mine = node.journal.my_reads(&me, &ReadFilter::default()).await.expect("reads");
        assert_eq!(mine.reads.len(), 2);
        assert_eq!(mine.reads[0].what, "Kiểm tra nhật ký thông điệp có dữ liệu cá nhân");
        assert_eq!(
            (mine.reads[0].who.vi.as_str(), mine.reads[0].why.vi.as_str()),
            ("Bộ Công an", "audit")
        );
        let (log, _) = node
            .identity
            .agency_reads(&node.auditor(), AGENCY, None, None)
            .await
            .expect("the access log");
        assert_eq!(log.len(), 1, "and names the officer");
        assert_eq!(log[0].purpose, Purpose::Audit.label());
        // An officer who may not look leaves no trace, and sees nothing.
        assert!(node.journal.message(&node.administrator(), 0_u64).await.is_err());
        assert_eq!(node.log.size(), 4);
        assert_eq!(found.row.client.as_deref(), Some(CLIENT));
    }
}

/// The way from one node to another, as two gateways make it: the client in the name of whom is called is verified. A way that is
/// cut comes back.
#[derive(Default)]
struct Road {
    there: OnceLock<Router>,
    cut: AtomicBool,
}

impl Caller for Road {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        async move {
            let (mut head, body) = request.into_parts();
            let path = head.uri.path().split_once(ASK_SERVICE).map(|(_, path)| path.to_owned());
            let path = path.filter(|_| !self.cut.load(Ordering::SeqCst));
            let path = path.ok_or(Refusal::new(ErrorCode::ClientNetworkError))?;
            head.uri = path.parse().expect("a path");
            let client = client.to_string().parse().expect("a value");
            head.headers.insert("x-road-client", client);
            let there = self.there.get().expect("the other node").clone();
            let answer = there.oneshot(http::Request::from_parts(head, Body::from(body))).await;
            let (head, body) = answer.expect("infallible").into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            Ok(http::Response::from_parts(head, body))
        }
        .boxed()
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
        super::super::handlers(runner, &node.journal)
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
    assert_eq!(questions[0].service, super::SERVICE);
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
            serde_json::json!({"id": "01980000-0000-7000-8000-000000000001", "member": member, "service": super::SERVICE,
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
