//! What a person sees of who read their data; and what other nodes are told.

mod proofs;
mod protocol;
mod questions;

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
use ledger::Signer as _;
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
        assert_eq!(
            (here.source.clone(), here.who.vi.as_str()),
            (Source::Here { proved: None }, "Trần Thị Bình")
        );
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
        assert_eq!(
            some.reads.iter().map(|r| r.source.clone()).collect::<Vec<_>>(),
            [Source::Here { proved: None }]
        );
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
                    .map(|read| (std::cmp::Reverse(read.at), read.source.clone(), read.what.clone())),
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
            ["Thống kê", "Xác minh thông tin trong hồ sơ"],
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
async fn a_read_on_the_node_is_proved_beside_those_of_others_and_erased_with_its_request() {
    for node in nodes(|_| {}).await {
        let me = node.person(Some(PERSON)).await;
        log_read(&node, 1, PERSON, -100).await;
        let ledger = ledger::Ledger {
            log: std::sync::Arc::clone(&node.log),
            keys: vec![node.key.verifier()],
        };
        node.identity.keep_reads_in(ledger).await.expect("kept");
        let bình = node.ctx(officer(AGENCY, Role::Specialist));
        let read = DataRead {
            subject: PERSON,
            dossier: Some("G01-261125-0009"),
            purpose: Purpose::CaseHandling,
            what: "Tờ khai",
        };
        node.identity.access_log().record(&bình, read).await.expect("recorded");
        let all = async || {
            node.journal
                .my_reads(&me, &ReadFilter::default())
                .await
                .expect("reads")
                .reads
        };
        let mine = all().await;
        let Source::Here { proved: Some(id) } = mine[0].source else {
            panic!("{mine:?}")
        };
        let proof = node.identity.read_proof(&me, id).await.expect("a proof");
        let verdict = ledger::verify(proof.proof.as_bytes(), &node.policy(), None).expect("it holds");
        assert_eq!(verdict.kind(), ledger::Kind::ACCESS);
        let page = node.get(&me, "/my/reads").await.body;
        assert!(page.contains(&format!("/my/reads/proofs/{id}")), "{page}");

        let demand = crate::journal::Demand {
            request: bình.request_id,
            ground: "Quyết định 12/QĐ-TA ngày 20/11/2026".to_owned(),
            read_too: true,
        };
        assert_eq!(
            node.journal
                .erase(&node.administrator(), &demand)
                .await
                .expect("erased"),
            1
        );
        assert!(node.log.entry(proof.leaf).expect("an entry").opening.is_none());
        assert_eq!(
            all().await.into_iter().map(|read| read.source).collect::<Vec<_>>(),
            [Source::Exchange { leaf: 2.into() }]
        );
        assert!(node.identity.read_proof(&me, id).await.is_err());
    }
}
