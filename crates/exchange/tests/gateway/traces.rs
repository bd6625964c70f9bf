//! One call is one trace over both nodes, and says nothing of whom it is about.

use exchange::model::{meta::Endpoint, rights::Methods};
use tokio::sync::mpsc;
use traces::{Finished, Key, Sampling, Tracer, Value};

use crate::{
    http::{request, send},
    services::echo,
    world::{Setup, World, at},
};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NUMBER: &str = "037190001234";

fn traced(mut setup: Setup) -> (Setup, mpsc::Receiver<Finished>) {
    let (tracer, ended) = Tracer::new(
        Sampling {
            share: 1.0,
            follow: true,
        },
        100,
    );
    setup.tracer = tracer;
    (setup, ended)
}

async fn provider() -> Setup {
    let mut persons = at(&echo().await);
    persons.endpoints = vec![Endpoint {
        methods: Methods::Any,
        path: "/persons/*".parse().expect("a pattern"),
    }];
    Setup::provider([("persons", persons)])
}

fn all(ended: &mut mpsc::Receiver<Finished>) -> Vec<Finished> {
    std::iter::from_fn(|| ended.try_recv().ok()).collect()
}

fn says(span: &Finished) -> Vec<(&'static str, String)> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
    };
    let mut says: Vec<_> = span
        .attributes
        .iter()
        .filter(|(key, _)| *key != Key::RequestId)
        .map(|(key, value)| (key.as_str(), text(value)))
        .collect();
    says.sort();
    says
}

/// What the service behind the node was sent under a name.
fn sent(body: &serde_json::Value, name: &str) -> Vec<String> {
    let headers = body["headers"].as_array().expect("headers");
    let named = headers.iter().filter(|header| header[0] == name);
    named
        .map(|header| header[1].as_str().expect("text").to_owned())
        .collect()
}

fn ask(headers: &[(&str, &str)]) -> http::Request<&'static str> {
    let path = format!("/r1/VN/GOV/B/reg/persons/persons/{NUMBER}?name={NUMBER}");
    let add = |request: http::request::Builder, (name, value): &(&str, &str)| request.header(*name, *value);
    let request = headers.iter().fold(request("GET", &path), add);
    request.body("").expect("a request")
}

#[tokio::test]
async fn a_call_is_one_trace_over_both_nodes() {
    let ((a, mut at_a), (b, mut at_b)) = (traced(Setup::consumer()), traced(provider().await));
    let world = World::new(a, b).await;
    let answer = send(world.a.edge, ask(&[("traceparent", PARENT), ("tracestate", "tool=7")])).await;
    assert_eq!(answer.status, 200);
    world.verify().await;

    let (at_a, at_b) = (all(&mut at_a), all(&mut at_b));
    let names = |spans: &[Finished]| spans.iter().map(|span| span.name.to_string()).collect::<Vec<_>>();
    assert_eq!(
        names(&at_a),
        ["exchange send", "exchange consume"],
        "in the order in which they ended"
    );
    assert_eq!(names(&at_b), ["exchange service", "exchange provide"]);
    let chain = [&at_a[1], &at_a[0], &at_b[1], &at_b[0]];
    let mut parent = "b7ad6b7169203331".to_owned();
    for span in chain {
        assert_eq!(span.context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(span.parent.map(hex::encode), Some(parent), "{}", span.name);
        parent = span.context.span_id();
    }
    let body = answer.json();
    let handed_on = format!("00-0af7651916cd43dd8448eb211c80319c-{parent}-01");
    assert_eq!(sent(&body, "traceparent"), [handed_on], "the service goes on from here");
    assert_eq!(sent(&body, "tracestate"), ["tool=7"]);

    let text = |pairs: &[(&'static str, &str)]| pairs.iter().map(|(k, v)| (*k, (*v).to_owned())).collect::<Vec<_>>();
    let service = ("motcua.service", "VN/GOV/B/reg/persons");
    let (method, status) = (("http.request.method", "GET"), ("http.response.status_code", "200"));
    assert_eq!(
        says(chain[0]),
        text(&[method, status, ("motcua.client", "VN/GOV/A/app"), service])
    );
    assert_eq!(says(chain[1]), text(&[status]));
    assert_eq!(
        says(chain[2]),
        text(&[
            method,
            status,
            ("http.route", "/persons/*"),
            ("motcua.client", "VN/GOV/A"),
            service
        ])
    );
    assert_eq!(says(chain[3]), text(&[status]));
    let request_ids: Vec<_> = chain
        .iter()
        .filter_map(|s| s.attributes.iter().find(|(k, _)| *k == Key::RequestId))
        .collect();
    assert_eq!(
        (request_ids.len(), request_ids[0]),
        (2, request_ids[1]),
        "both sides name the message"
    );
    assert!(!format!("{at_a:?}{at_b:?}").contains(NUMBER), "nobody's number");
}

#[tokio::test]
async fn a_hostile_parent_begins_a_new_trace_and_goes_nowhere() {
    let ((a, mut at_a), b) = (traced(Setup::consumer()), provider().await);
    let world = World::new(a, b).await;
    for hostile in [
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "<script>alert(1)</script>",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    ] {
        let answer = send(world.a.edge, ask(&[("traceparent", hostile), ("tracestate", "a=1")])).await;
        assert_eq!(answer.status, 200);
        let spans = all(&mut at_a);
        let root = spans.iter().find(|span| span.parent.is_none()).expect("a beginning");
        let body = answer.json();
        // The provider's node does not trace, so its service sees what the consumer's node said.
        let parent = sent(&body, "traceparent");
        assert_eq!(parent, [spans[0].context.traceparent()]);
        assert_eq!(spans[0].context.trace_id(), root.context.trace_id());
        assert!(
            sent(&body, "tracestate").is_empty(),
            "it belongs to the parent that was no parent"
        );
    }
    let twice = send(world.a.edge, ask(&[("traceparent", PARENT), ("traceparent", PARENT)])).await;
    assert_eq!(sent(&twice.json(), "traceparent").len(), 1);
    world.verify().await;
}

#[tokio::test]
async fn a_message_with_all_the_headers_it_may_have_is_traced_too() {
    let ((a, mut at_a), (b, _at_b)) = (traced(Setup::consumer()), traced(provider().await));
    let world = World::new(a, b).await;
    let mut full = ask(&[]);
    while full.headers().len() < exchange::model::headers::MOST_FIELDS {
        let name = http::HeaderName::try_from(format!("x-{}", full.headers().len())).expect("a name");
        full.headers_mut().insert(name, http::HeaderValue::from_static("1"));
    }
    // The service takes fewer and says so itself: no node refused.
    let answer = send(world.a.edge, full).await;
    assert_eq!((answer.status, answer.headers.get("x-road-error")), (431, None));
    assert_eq!(all(&mut at_a).len(), 2);
    world.verify().await;
}

#[tokio::test]
async fn a_refusal_is_in_the_trace_with_its_code_alone() {
    let ((a, mut at_a), (b, mut at_b)) = (traced(Setup::consumer()), traced(provider().await));
    let world = World::new(a, b).await;
    world.b.rehost(|hosting| hosting.grants.clear());
    // A service that nobody lists is not named: the caller may have written anything there.
    let made_up = request("GET", &format!("/r1/VN/GOV/B/reg/{NUMBER}/x"));
    let made_up = made_up.body("").expect("a request");
    assert_eq!(
        send(world.a.edge, ask(&[])).await.error(),
        "Server.ServerProxy.AccessDenied"
    );
    assert_eq!(
        send(world.a.edge, made_up).await.error(),
        "Server.ServerProxy.UnknownService"
    );
    let (at_a, at_b) = (all(&mut at_a), all(&mut at_b));
    let failed = |spans: &[Finished], name: &str| -> Vec<String> {
        let of = spans.iter().filter(|span| span.name == name && span.failed);
        of.flat_map(says)
            .filter(|(key, _)| *key == "error.type")
            .map(|(_, code)| code)
            .collect()
    };
    let codes = ["Server.ServerProxy.AccessDenied", "Server.ServerProxy.UnknownService"];
    assert_eq!(failed(&at_b, "exchange provide"), codes);
    assert_eq!(failed(&at_a, "exchange consume"), codes);
    assert!(!format!("{at_a:?}{at_b:?}").contains(NUMBER), "nobody's number");
}

#[tokio::test]
async fn a_node_that_does_not_trace_passes_on_what_came() {
    let world = World::new(Setup::consumer(), provider().await).await;
    let answer = send(world.a.edge, ask(&[("traceparent", PARENT), ("tracestate", "tool=7")])).await;
    let body = answer.json();
    assert_eq!(
        (sent(&body, "traceparent"), sent(&body, "tracestate")),
        (vec![PARENT.to_owned()], vec!["tool=7".to_owned()])
    );
}
