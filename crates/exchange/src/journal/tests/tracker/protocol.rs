//! What other nodes are told, in the protocol of Estonia and in our own.

use super::*;

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
            super::super::OTHER,
            super::super::ORIGIN,
        );
        node.log_call(&other, Some(&read_of(&other, PERSON, node.now()))).await;
        let page = find_usage(&node, &format!("userCode=VN{PERSON}&offset=1&limit=2")).await;
        assert_eq!(page["totalUsages"], 5);
        let id_of = |n: u128| super::call(n).request_id;
        assert_eq!(
            page["usages"],
            serde_json::json!([
                {"logtime": "2026-11-25T09:03:00+07:00", "action": "Tra cứu thông tin nhân thân – Xác minh thông tin trong hồ sơ (H26-261125-0001)",
                 "receiverCode": "000.00.00.H26", "receiverName": "Tỉnh Thử Nghiệm", "receiverSystem": "motcua", "readId": id_of(3)},
                {"logtime": "2026-11-25T09:02:00+07:00", "action": "Tra cứu thông tin nhân thân – Xác minh thông tin trong hồ sơ (H26-261125-0001)",
                 "receiverCode": "000.00.00.H26", "receiverName": "Tỉnh Thử Nghiệm", "receiverSystem": "motcua", "readId": id_of(2)},
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
            let sources: Vec<_> = mine.reads.iter().map(|read| read.source.clone()).collect();
            let (first, second) = (Source::Exchange { leaf: 2.into() }, Source::Exchange { leaf: 5.into() });
            if expected == 1 {
                assert_eq!(sources, [first, Source::Elsewhere { proof: None }, second]);
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
