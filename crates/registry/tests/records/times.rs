//! Of when and as known when, wherever records are read by others than lists: facts, histories, the feed; at the node and by the exchange.

use std::collections::BTreeMap;

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    http::{Method, Request, Response, StatusCode},
};
use exchange::{
    Caller,
    model::{error::Refusal, identifier::SubsystemId},
};
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use procedure::form::Said;
use registry::{
    elsewhere::Elsewhere,
    here::Here,
    history::{AsOf, exact},
    lookup::{About, Lookup, Question},
};
use tower::ServiceExt as _;

use super::{
    offered::{ASKS, call},
    *,
};

const NUMBER: &str = "001190000033";
const KEEPS: &str = "VN/GOV/000.00.00.G01/motcua";

impl Office {
    /// Somebody whose name was written wrong until it was corrected, and who moved in June.
    async fn known(&self) -> [Written; 3] {
        let first = self
            .write(assert_new(person(NUMBER, "Nguyễn Thị Anh", "00004"), "2025-07-01"))
            .await;
        let second = self
            .write(Change::Correct {
                record: super::known(&first),
                corrects: first.seq,
                with: With::Holds {
                    from: day("2025-07-01"),
                    to: None,
                    body: person(NUMBER, "Nguyễn Thị Ánh", "00004"),
                },
            })
            .await;
        let third = self
            .write(Change::Assert {
                target: Target::Known(super::known(&second)),
                from: day("2026-06-01"),
                to: None,
                body: person(NUMBER, "Nguyễn Thị Ánh", "00008"),
            })
            .await;
        [first, second, third]
    }
}

/// In the place of the exchange: what is called is brought before the service of the other node as its gateway does.
struct Line(Router);

impl Caller for Line {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<Response<Bytes>, Refusal>> {
        Box::pin(async move {
            let caller = exchange::gateway::Caller {
                client: client.to_string().parse().expect("a client"),
                service: format!("{KEEPS}/registries").parse().expect("a service"),
                purpose: "procedure.prefill".parse().expect("a purpose"),
                request_id: Uuid::nil(),
            };
            let target = request.uri().to_string();
            let path = target.split_once("/registries").expect("a service").1;
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let router = self.0.clone().layer(Extension(caller));
            let answer = router.oneshot(request).await.expect("an answer");
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.expect("a body").to_bytes();
            Ok(Response::from_parts(parts, bytes))
        })
    }
}

fn encoded(at: Timestamp) -> String {
    exact(at).replace('+', "%2B")
}

#[tokio::test]
async fn facts_are_told_of_a_day_and_as_they_were_known_at_the_node_and_elsewhere() {
    for office in offices().await {
        let [first, second, _] = office.known().await;
        let keepers = BTreeMap::from([(population(), KEEPS.parse().expect("a system"))]);
        let line = Arc::new(Line(office.offered("G01")));
        let here = Here::new(office.registries.clone());
        let elsewhere = Elsewhere::new(line, ASKS.parse().expect("a system"), keepers);
        let lookups: [&dyn Lookup; 2] = [&here, &elsewhere];
        for lookup in lookups {
            for (as_of, known_at, told) in [
                ("", None, Some(("Nguyễn Thị Ánh", "00008", 3))),
                ("2026-01-15", None, Some(("Nguyễn Thị Ánh", "00004", 2))),
                // An instant means its day where the registry counts days.
                ("2026-05-31T23:59:59+07:00", None, Some(("Nguyễn Thị Ánh", "00004", 2))),
                ("", Some(first.recorded_at), Some(("Nguyễn Thị Anh", "00004", 1))),
                ("", Some(second.recorded_at), Some(("Nguyễn Thị Ánh", "00004", 2))),
                ("2025-06-30", None, None),
                ("", Some(first.recorded_at.plus_micros(-1)), None),
            ] {
                let question = Question {
                    about: About::Person(NUMBER.to_owned()),
                    attributes: ["population.full-name", "population.residence"]
                        .map(|text| text.parse().expect("an attribute"))
                        .to_vec(),
                    procedure: "3.000722".to_owned(),
                    basis: "Luật Cư trú 2020".to_owned(),
                    dossier: None,
                    times: Times {
                        as_of: AsOf::parse(as_of),
                        known_at,
                    },
                };
                let said = lookup.ask(&steward(), &question).await;
                let found = said.get(&question.attributes[0]).zip(said.get(&question.attributes[1]));
                let (name, residence) = found.unwrap_or_else(|| panic!("{lookup:?} {as_of} {known_at:?}: {said:?}"));
                let expected = told
                    .map(|(name, commune, seq)| (json!(name), json!(commune), format!("population/{NUMBER}#{seq}")));
                let found = match (name, residence) {
                    (Said::Known { value: name, entry, .. }, Said::Known { value: residence, .. }) => {
                        Some((name.clone(), residence["commune"].clone(), entry.clone()))
                    }
                    (Said::Nothing { .. }, Said::Nothing { .. }) => None,
                    other => panic!("{other:?}"),
                };
                assert_eq!(found, expected, "{lookup:?} {as_of} {known_at:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_history_and_the_feed_are_as_they_were_then() {
    for office in offices().await {
        let [first, second, third] = office.known().await;
        let population = office.offered("G01");
        let get = async |path: String| {
            let (status, said) = call(&population, ASKS, Method::GET, &path, &Value::Null).await;
            assert_eq!(status, StatusCode::OK, "{path}: {said}");
            said["items"].as_array().cloned().unwrap_or_default()
        };
        let seqs = |items: Vec<Value>| -> Vec<i64> { items.iter().filter_map(|item| item["seq"].as_i64()).collect() };
        let history = format!("/population/keep/records/{NUMBER}/history");
        let known = |written: &Written| encoded(written.recorded_at);
        for (query, expected) in [
            (String::new(), vec![1, 2, 3]),
            (format!("known_at={}", known(&third)), vec![1, 2, 3]),
            (format!("known_at={}", known(&second)), vec![1, 2]),
            (format!("known_at={}", known(&first)), vec![1]),
            ("as_of=2026-01-15".to_owned(), vec![1, 2]),
            ("as_of=2026-06-01".to_owned(), vec![1, 2, 3]),
            ("as_of=2025-06-30".to_owned(), vec![]),
            (format!("as_of=2026-06-01&known_at={}", known(&first)), vec![1]),
        ] {
            assert_eq!(seqs(get(format!("{history}?{query}")).await), expected, "{query}");
        }
        let before = format!("{history}?known_at={}", encoded(first.recorded_at.plus_micros(-1)));
        let (status, _) = call(&population, ASKS, Method::GET, &before, &Value::Null).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "nobody knew of her");

        let code = super::population();
        let feed = async |known_at: Option<Timestamp>, after: Option<i64>| {
            let feed = Feed {
                after,
                known_at,
                limit: 1,
            };
            let page = office
                .registries
                .changes(&steward(), None, &code, feed, &Mask::ALL)
                .await;
            let page = page.expect("changes");
            let seqs: Vec<i64> = page.items.iter().map(|change| change.version.seq).collect();
            (seqs, page.next.and_then(|next| next.parse().ok()))
        };
        let (told, next) = feed(Some(second.recorded_at), None).await;
        assert_eq!(told, [1]);
        assert_eq!(
            feed(Some(second.recorded_at), next).await,
            (vec![2], None),
            "the feed ends where it ended then"
        );
        assert_eq!(feed(None, Some(second.recorded_at.micros())).await.0, [3]);
    }
}

#[tokio::test]
async fn a_moment_that_cannot_be_read_or_is_not_asked_for_is_refused_by_its_name() {
    for office in offices().await {
        office.known().await;
        let population = office.offered("G01");
        let mut feeds = 0;
        let registry = office
            .registries
            .shelf()
            .get(&super::population())
            .expect("it")
            .current();
        let of_feed = registry.services.iter().filter(|service| {
            service.operations.contains(&registry::model::Operation::Changes) && service.pseudonyms.is_empty()
        });
        for service in of_feed {
            feeds += 1;
            let path = format!("/population/{}/changes?as_of=2026-01-01", service.id);
            let (status, said) = call(&population, ASKS, Method::GET, &path, &Value::Null).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
            assert_eq!(
                (&said["problems"][0]["at"], &said["problems"][0]["code"]),
                (&json!("as_of"), &json!("feed-by-recording"))
            );
        }
        assert_eq!(feeds, 1);
        let bad = "as_of=2026-02-30&known_at=2026-01-01";
        for path in [
            format!("/population/prefill/facts/{NUMBER}?attributes=full-name&{bad}"),
            format!("/population/prefill/facts/{NUMBER}?attributes=no-such&{bad}"),
            format!("/population/keep/records/{NUMBER}?{bad}"),
            format!("/population/keep/records/{NUMBER}/history?{bad}"),
        ] {
            let (status, said) = call(&population, ASKS, Method::GET, &path, &Value::Null).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {said}");
            let problems = said["problems"].as_array().cloned().unwrap_or_default();
            let at: Vec<&str> = problems.iter().filter_map(|problem| problem["at"].as_str()).collect();
            assert!(at.starts_with(&["as_of", "known_at"]), "{path}: {at:?}");
        }
    }
}
