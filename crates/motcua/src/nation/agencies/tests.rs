use std::{net::Ipv4Addr, sync::Arc};

use axum::{Json, routing::get};
use base::{
    Lang,
    codes::{PersonNumber, TaxCode},
    time::SystemClock,
};
use exchange::conformance::{self, Options};

use super::*;

#[test]
fn the_same_seed_gives_the_same_country_and_it_is_coherent() {
    let country = Country::make(7);
    assert_eq!(country, Country::make(7));
    assert_ne!(country.persons, Country::make(8).persons);
    assert!(country.persons.len() > 3_000 && country.enterprises.len() >= 300);
    for person in country.persons.values() {
        let number: PersonNumber = person.number.parse().expect("a good number");
        let birth = Some(person.born);
        assert!(number.check_against(birth, None).is_empty(), "{person:?}");
        for relative in [&person.mother, &person.father, &person.spouse].into_iter().flatten() {
            assert!(country.persons.contains_key(relative), "{person:?}");
        }
        let mother = person.mother.as_ref().and_then(|mother| country.persons.get(mother));
        assert!(mother.is_none_or(|mother| mother.born.year() + 20 < person.born.year()));
        assert!(
            person
                .employer
                .as_ref()
                .is_none_or(|code| country.enterprises.contains_key(code))
        );
    }
    for enterprise in country.enterprises.values() {
        assert!(enterprise.code.parse::<TaxCode>().is_ok(), "{}", enterprise.code);
        assert!(country.persons.contains_key(&enterprise.representative));
    }
    let employed: usize = country.enterprises.values().map(|e| e.employees).sum();
    assert_eq!(
        employed,
        country.persons.values().filter(|p| p.employer.is_some()).count()
    );
    assert!(country.persons.contains_key("037190001234"), "the citizen of the town");
    assert_eq!(country.enterprises["0100112437"].name, "Công ty TNHH Xây dựng Tràng An");
}

/// Every service with its own description, judged as `motcua service check` does.
#[tokio::test(flavor = "multi_thread")]
async fn every_service_keeps_the_house_rules() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let country = country();
    for (system, service) in [
        ("dancu", "persons"),
        ("dkkd", "enterprises"),
        ("thue", "debts"),
        ("baohiem", "cards"),
        ("baohiem", "employers"),
        ("haiquan", "declarations"),
    ] {
        let described = document(&country, service).expect("a description");
        let router = router(&country, system)
            .expect("a system")
            .route("/openapi.json", get(async move || Json(described)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let options = Options {
            base: Some(format!("http://{address}")),
            ..Options::new(format!("http://{address}/openapi.json"), Arc::new(SystemClock))
        };
        let report = conformance::check(&options, &mut |_| {}).await.expect("a report");
        assert!(report.conforms, "{service}:\n{}", report.to_text(Lang::En));
        serving.abort();
    }
}
