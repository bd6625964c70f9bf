use std::{net::Ipv4Addr, sync::Arc};

use axum::{Json, routing::get};
use base::{
    Lang,
    codes::{PersonNumber, TaxCode},
    time::SystemClock,
};
use exchange::conformance::{self, Options};

use super::*;
use crate::nation::populate::land;

fn country() -> Arc<Country> {
    Arc::new(Country::of(&land(1_000).expect("a country")))
}

#[test]
fn the_country_is_the_same_each_time_and_coherent() {
    let country = country();
    assert_eq!(country, self::country());
    assert!(country.persons.len() > 700 && country.enterprises.len() >= 10);
    for person in country.persons.values() {
        let number: PersonNumber = person.number.parse().expect("a good number");
        assert!(number.check_against(Some(person.born), None).is_empty(), "{person:?}");
        let mother = person.mother.as_ref().and_then(|mother| country.persons.get(mother));
        assert!(mother.is_none_or(|mother| mother.born.year() + 15 < person.born.year()));
        let spouse = person.spouse.as_ref().and_then(|spouse| country.persons.get(spouse));
        assert!(spouse.is_none_or(|spouse| spouse.spouse.as_ref() == Some(&person.number)));
    }
    for enterprise in country.enterprises.values() {
        assert!(enterprise.code.parse::<TaxCode>().is_ok(), "{}", enterprise.code);
        assert!(!enterprise.representative.is_empty());
    }
    for holder in country.cards.keys() {
        assert!(country.persons.contains_key(holder));
    }
    assert!(country.enterprises.values().any(|enterprise| enterprise.employees > 0));
    assert!(country.enterprises.values().any(|enterprise| enterprise.debt > 0));
    let citizen = country.persons.get("037190001234").expect("the citizen of the town");
    assert_eq!(
        (citizen.name.as_str(), citizen.units.1.as_str()),
        ("Nguyễn Thị Hương", "14329")
    );
    assert!(citizen.spouse.is_some() && country.cards.contains_key("037190001234"));
    let company = country.enterprises.get("0100112437").expect("the company of the town");
    assert_eq!(
        (company.name.as_str(), company.representative.as_str(), company.debt),
        ("Công ty TNHH Xây dựng Tràng An", "Đinh Văn Long", 0)
    );
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
