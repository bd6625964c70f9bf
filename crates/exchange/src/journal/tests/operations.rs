//! Operational monitoring.

use identity::Role;
use tokio::sync::mpsc;

use super::{AGENCY, CLIENT, Node, SERVICE, id, nodes, officer};
use crate::{
    journal::{OpQuery, QUEUE},
    model::{
        Method,
        monitor::{OpRecord, Side},
    },
};

fn record(node: &Node, seconds: i64, millis: i64, succeeded: bool) -> OpRecord {
    let out = node.now().micros() / 1000 + seconds * 1000;
    let record = OpRecord::new(Side::Producer, out - millis, out, succeeded)
        .client(&id(CLIENT))
        .service(&id(SERVICE), Method::Get);
    if succeeded {
        record
    } else {
        record.fault("Server.ServerProxy.AccessDenied", "No.")
    }
}

/// Sends records through the channel, until all are written.
async fn keep(node: &Node, records: Vec<OpRecord>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let keeper = tokio::spawn(node.journal.clone().keep_operations(receiver));
    for record in records {
        sender.try_send(record).expect("there is room");
    }
    drop(sender);
    keeper.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_kept_and_given_page_by_page() {
    for node in nodes(|_| {}).await {
        let records: Vec<OpRecord> = (0..2_500).map(|n| record(&node, n - 3_000, 5, n % 10 != 0)).collect();
        keep(&node, records.clone()).await;
        let watcher = node.ctx(officer(AGENCY, Role::Leader));
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let asked = OpQuery {
                after,
                ..OpQuery::default()
            };
            let page = node.journal.operations(&watcher, &asked).await.expect("records");
            assert!(page.records.len() <= 1_000);
            seen.extend(page.records);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, records);
        let asked = OpQuery {
            from: Some(node.now().plus_seconds(-3_000)),
            to: Some(node.now().plus_seconds(-2_990)),
            client: Some(id(CLIENT)),
            service: Some(id(SERVICE)),
            after: None,
            most: None,
        };
        assert_eq!(
            node.journal
                .operations(&watcher, &asked)
                .await
                .expect("records")
                .records
                .len(),
            10
        );
        let other = OpQuery {
            service: Some(id("VN/GOV/000.00.00.G01/dancu/khac")),
            ..asked
        };
        assert!(
            node.journal
                .operations(&watcher, &other)
                .await
                .expect("records")
                .records
                .is_empty()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_the_records() {
    for node in nodes(|_| {}).await {
        // 100 ms nine times, 3 s once, in one hour; two failed.
        let mut records: Vec<OpRecord> = (0..9).map(|n| record(&node, 60 + n, 100, n > 1)).collect();
        records.push(record(&node, 90, 3_000, true));
        keep(&node, records).await;
        let watcher = node.ctx(officer(AGENCY, Role::Auditor));
        let hour = node.now().plus_seconds(3_600);
        let (by_hour, by_service) = node
            .journal
            .operation_report(&watcher, node.now(), hour)
            .await
            .expect("figures");
        assert_eq!((by_hour.len(), by_service.len()), (1, 1));
        let line = by_hour.values().next().expect("an hour");
        assert_eq!((line.n, line.failed, line.mean()), (10, 2, Some(390.0)));
        assert_eq!(
            (line.within(0.5), line.within(0.9), line.within(0.95)),
            (Some(128), Some(128), Some(4_096))
        );
        assert_eq!(
            by_service
                .keys()
                .next()
                .map(|(service, side)| (service.as_str(), side.as_str())),
            Some((SERVICE, "Producer"))
        );
        let page = node.get(&watcher, "/exchange/operations").await;
        assert!(
            page.body.contains("mc-chart") && page.body.contains("20 %") && page.body.contains(SERVICE),
            "{}",
            page.body
        );
        let csv = node.get(&watcher, "/exchange/operations.csv").await.body;
        assert!(
            csv.starts_with("\u{feff}Giờ,Dịch vụ,") && csv.contains(",10,2,390.0,4096"),
            "{csv}"
        );
        let json = node
            .get(
                &watcher,
                "/api/v1/exchange/operations?limit=100&to=2026-11-25T10:00:00%2B07:00",
            )
            .await
            .json();
        assert_eq!(
            (
                json["items"].as_array().map(Vec::len),
                json["items"][0]["serviceCode"].as_str()
            ),
            (Some(10), Some("nhanthan"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_told_what_passed_in_the_last_minutes_and_nothing_of_persons() {
    for node in nodes(|_| {}).await {
        let map = record(&node, 0, 1, true).service(&id("VN/GOV/000.00.00.G01/dancu/motcuaTraffic"), Method::Get);
        let failed = OpRecord {
            fault_code: Some("Server.ClientProxy.NetworkError".to_owned()),
            ..record(&node, 0, 100, false)
        };
        let records = vec![
            record(&node, -7_000, 9, true),
            record(&node, -200, 5, true),
            record(&node, -30, 6, true),
            record(&node, 0, 3, true),
            record(&node, 0, 1, false),
            failed,
            map,
        ];
        keep(&node, records).await;
        let told = node.journal.traffic(5, node.now()).await.expect("told");
        let [flow] = told.flows.as_slice() else {
            panic!("one flow, not {told:?}")
        };
        assert_eq!(
            (flow.messages, flow.refused, flow.failed, flow.half_within_ms),
            (5, 1, 1, 8)
        );
        assert_eq!(
            (flow.side, flow.service.to_string().as_str()),
            (Side::Producer, SERVICE)
        );
        let last = node.journal.traffic(1, node.now()).await.expect("told");
        assert_eq!(last.flows[0].messages, 3, "the minute that runs");
        for minutes in [0, 61] {
            assert!(node.journal.traffic(minutes, node.now()).await.is_err(), "{minutes}");
        }

        node.journal.forget_operations(node.now()).await.expect("swept");
        assert_eq!(node.journal.traffic(60, node.now()).await.expect("told"), {
            let mut hour = told.clone();
            hour.minutes = 60;
            hour
        });
        node.forward(3 * 3_600);
        node.journal.forget_operations(node.now()).await.expect("swept");
        node.forward(-3 * 3_600);
        assert!(
            node.journal
                .traffic(60, node.now())
                .await
                .expect("told")
                .flows
                .is_empty()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_kept_for_some_days() {
    for node in nodes(|config| config.operation_days = 2).await {
        keep(&node, vec![record(&node, 0, 5, true), record(&node, 86_400, 5, true)]).await;
        node.forward(86_400 * 2 + 3_600);
        node.journal.forget_operations(node.now()).await.expect("swept");
        let watcher = node.ctx(officer(AGENCY, Role::Leader));
        let asked = OpQuery {
            from: Some(node.now().plus_seconds(-86_400 * 9)),
            ..OpQuery::default()
        };
        assert_eq!(
            node.journal
                .operations(&watcher, &asked)
                .await
                .expect("records")
                .records
                .len(),
            1
        );
        let from = node.now().plus_seconds(-86_400 * 9);
        let (by_hour, _) = node
            .journal
            .operation_report(&watcher, from, node.now())
            .await
            .expect("figures");
        assert_eq!(by_hour.len(), 1);
    }
}
