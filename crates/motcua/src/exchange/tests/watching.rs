//! What an operator's tools see of two nodes: one call is one trace over both, and the figures keep their form.

use std::sync::Mutex as Lock;

use axum::routing::post;
use serde_json::Value;

use super::*;

const NUMBER: &str = "037190001234";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A collector of traces: what came, as it was written, and the spans in it.
#[derive(Clone, Default)]
struct Collector(Arc<Lock<Vec<String>>>);

impl Collector {
    async fn serve(&self) -> String {
        let got = Arc::clone(&self.0);
        let take = async move |headers: HeaderMap, body: String| {
            assert_eq!(headers[http::header::CONTENT_TYPE], "application/json");
            got.lock().expect("whole").push(body);
            "{}"
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let routes = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}/v1/traces")
    }

    fn spans(&self) -> Vec<Seen> {
        let got = self.0.lock().expect("whole");
        let requests = got.iter().map(|body| serde_json::from_str(body).expect("JSON"));
        requests.flat_map(|request: Value| read(&request)).collect()
    }

    /// The span of this name in a trace, at a node.
    fn find(&self, trace: &str, node: &str, name: &str) -> Option<Seen> {
        let mut spans = self.spans().into_iter();
        spans.find(|span| span.trace == trace && span.node == node && span.name == name)
    }
}

/// A span as the collector has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    node: String,
    trace: String,
    id: String,
    parent: String,
    name: String,
    says: std::collections::BTreeMap<String, String>,
}

fn read(request: &Value) -> Vec<Seen> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = |attributes: &Value| -> std::collections::BTreeMap<String, String> {
        let attributes = attributes.as_array().expect("attributes");
        let one = |a: &Value| {
            let value = &a["value"];
            let value = value["stringValue"].as_str().or(value["intValue"].as_str());
            (text(&a["key"]), value.expect("a value").to_owned())
        };
        attributes.iter().map(one).collect()
    };
    let mut seen = Vec::new();
    for resource in request["resourceSpans"].as_array().expect("resources") {
        let node = said(&resource["resource"]["attributes"])["service.instance.id"].clone();
        for scope in resource["scopeSpans"].as_array().expect("scopes") {
            for span in scope["spans"].as_array().expect("spans") {
                let nanos = |name: &str| {
                    span[name]
                        .as_str()
                        .and_then(|n| n.parse::<u64>().ok())
                        .expect("nanoseconds")
                };
                assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"), "{span}");
                assert!((1..=5).contains(&span["kind"].as_u64().expect("a kind")), "{span}");
                seen.push(Seen {
                    node: node.clone(),
                    trace: text(&span["traceId"]),
                    id: text(&span["spanId"]),
                    parent: text(&span["parentSpanId"]),
                    name: text(&span["name"]),
                    says: said(&span["attributes"]),
                });
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_is_one_trace_over_both_nodes_and_the_figures_keep_their_form() {
    let dir = tempfile::tempdir().expect("a folder");
    let collector = Collector::default();
    let to = collector.serve().await;
    let operator = founded(dir.path()).await;
    let watched = |name: &str| {
        let (mut config, url) = config(&dir.path().join(name));
        config.http.metrics = Some(ports::one());
        config.traces.collector.clone_from(&to);
        config.traces.name = name.to_owned();
        (config, url)
    };
    let asks = member(&operator, watched("asks"), "VN/GOV/000.00.00.H42", "Tỉnh").await;
    let answers = member(&operator, watched("answers"), "VN/GOV/000.00.00.G01", "Bộ").await;
    granted(&asks, &answers).await;

    let client = reqwest::Client::new();
    let call = client
        .get(format!(
            "http://{}/r1/{ANSWERS}/persons/persons/{NUMBER}?name={NUMBER}",
            asks.edge()
        ))
        .header("X-Road-Client", ASKS)
        .header("X-Motcua-Purpose", "dossier.verify")
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
    assert_eq!(call.send().await.expect("an answer").status(), 200);
    let page = client.get(format!("{}/services/{NUMBER}", asks.url));
    let page = page.header("traceparent", format!("00-{TRACE}-00000000000000aa-01"));
    page.send().await.expect("an answer");

    // The chain of the call, from the information system to the service.
    let mut parent = "b7ad6b7169203331".to_owned();
    for (node, name) in [
        ("asks", "exchange consume"),
        ("asks", "exchange send"),
        ("answers", "exchange provide"),
        ("answers", "exchange service"),
    ] {
        let span = until(name, async || collector.find(TRACE, node, name)).await;
        assert_eq!(span.parent, parent, "{span:?}");
        assert_eq!(span.says["http.response.status_code"], "200", "{span:?}");
        parent = span.id;
    }
    let page = until("a page", async || {
        collector
            .spans()
            .into_iter()
            .find(|span| span.parent == "00000000000000aa")
    });
    let page = page.await;
    assert_eq!(
        (
            page.says["http.route"].as_str(),
            page.says["http.request.method"].as_str()
        ),
        (page.name.as_str(), "GET")
    );
    assert!(page.name.starts_with("/services/{"), "{page:?}");

    // The request for the grant went to the other node by a job: from there on one trace, down to a router in the other process.
    let names = [
        "exchange consume",
        "exchange send",
        "exchange provide",
        "exchange service",
    ];
    let inside = until("a job's call", async || {
        let spans = collector.spans();
        let under = |above: &Seen| {
            spans
                .iter()
                .filter(|span| span.parent == above.id && span.trace == above.trace)
                .collect()
        };
        let jobs = spans
            .iter()
            .filter(|span| span.node == "asks" && span.says.contains_key("motcua.job"));
        let mut level: Vec<&Seen> = jobs.collect();
        for name in names {
            level = level
                .into_iter()
                .flat_map(|above| -> Vec<&Seen> { under(above) })
                .filter(|span| span.name == name)
                .collect();
        }
        level
            .into_iter()
            .flat_map(|above| -> Vec<&Seen> { under(above) })
            .next()
            .cloned()
    });
    let inside = inside.await;
    assert_eq!(
        (inside.node.as_str(), inside.says["http.route"].as_str()),
        ("answers", inside.name.as_str())
    );

    for body in collector.0.lock().expect("whole").iter() {
        assert!(!body.contains(NUMBER), "nobody's number: {body}");
    }

    // Nobody asked the other node for a page.
    let page = Some("motcua_http_requests");
    for (town, page) in [(&asks, page), (&answers, None)] {
        let address = town.config.http.metrics.expect("an address");
        let answer = client
            .get(format!("http://{address}/metrics"))
            .send()
            .await
            .expect("an answer");
        let kind = answer.headers()[http::header::CONTENT_TYPE]
            .to_str()
            .expect("ASCII")
            .to_owned();
        assert!(
            kind.starts_with("application/openmetrics-text; version=1.0.0"),
            "{kind}"
        );
        let families = crate::watch::strict::read(&answer.text().await.expect("text"));
        let everywhere = [
            "motcua_ledger_entries",
            "motcua_exchange_messages",
            "motcua_exchange_message_seconds",
            "motcua_traces_spans",
            "motcua_certificate_expiry_timestamp_seconds",
        ];
        for name in everywhere.into_iter().chain(page) {
            assert!(families.contains_key(name), "{name}: {families:?}");
        }
        assert!(families["motcua_traces_spans"]["motcua_traces_spans_total{outcome=\"exported\"}"] > 0.0);
        assert_eq!(
            families["motcua_traces_spans"]["motcua_traces_spans_total{outcome=\"queue_full\"}"],
            0.0
        );
    }
}
