//! The figures that everybody sees, and their form for programs, read by a parser that is not ours.

use std::collections::BTreeSet;

use oxrdf::{NamedOrBlankNode, Term, Triple};
use registry::{model::Dimension, quality::dqv};
use serde_json::Value;

use crate::town::{AN, BINH, code, member, towns};

const BASE: &str = "https://dulieu.example.vn/";

fn turtle(text: &str) -> BTreeSet<String> {
    let triples = oxttl::TurtleParser::new().for_slice(text.as_bytes());
    triples.map(|triple| triple.expect("good Turtle").to_string()).collect()
}

fn json_ld(value: &Value) -> BTreeSet<String> {
    let text = value.to_string();
    let quads = oxjsonld::JsonLdParser::new().for_slice(text.as_bytes());
    let triple = |quad: oxrdf::Quad| Triple::new(quad.subject, quad.predicate, quad.object).to_string();
    quads.map(|quad| triple(quad.expect("good JSON-LD"))).collect()
}

#[tokio::test]
async fn figures_are_published_month_by_month_and_in_the_vocabulary_of_the_w3c() {
    for town in towns().await {
        town.add(member(AN, "Nguyễn Thị An")).await;
        let binh = town.add(member(BINH, "TRẦN VĂN BÌNH")).await;
        town.settle().await;
        town.pass(10);
        town.correct(&binh, 1, member(BINH, "Trần Văn Bình")).await;
        town.settle().await;
        let figures = town.quality.figures(&code(), town.now()).await.expect("figures");
        assert_eq!(figures.records, 2);
        let of = |month: &str| {
            let found = figures.months.iter().find(|of| of.month == month).expect("a month");
            let (_, valid) = found
                .dimensions
                .iter()
                .find(|(of, _)| *of == Dimension::Valid)
                .expect("a dimension");
            (valid.judged, valid.failing, valid.share())
        };
        assert_eq!(of("2026-11"), (2, 1, Some(0.5)));
        assert_eq!(of("2026-12"), (2, 0, Some(1.0)));
        // What cannot be judged here has no figure.
        let rule = |id: &str| {
            figures
                .rules
                .iter()
                .find(|(rule, _)| rule.as_str() == id)
                .expect("a rule")
                .1
        };
        assert!(rule("church-is-known").is_none() && rule("sponsor-is-known").is_some());

        let text = dqv::turtle(&figures, BASE);
        let triples = turtle(&text);
        assert_eq!(triples, json_ld(&dqv::json_ld(&figures, BASE)), "{text}");
        let measured = triples
            .iter()
            .filter(|triple| triple.contains("ns/dqv#QualityMeasurement>"));
        assert_eq!(measured.count(), figures.dimensions.len());
        for wanted in [
            "<https://dulieu.example.vn/registries/members> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset>",
            "<https://dulieu.example.vn/registries/members> <http://purl.org/dc/terms/title> \"Sổ hội viên\"@vi",
            "<https://dulieu.example.vn/registries/members/quality#valid-2026-12-05> <http://www.w3.org/ns/dqv#computedOn> <https://dulieu.example.vn/registries/members>",
            "<https://dulieu.example.vn/registries/members/quality#valid-2026-12-05> <http://www.w3.org/ns/dqv#isMeasurementOf> <https://dulieu.example.vn/registries/members/quality#valid>",
            "<https://dulieu.example.vn/registries/members/quality#valid> <http://www.w3.org/ns/dqv#inDimension> <https://dulieu.example.vn/registries/quality/dimensions#valid>",
            "<https://dulieu.example.vn/registries/members/quality#valid-2026-12-05> <http://www.w3.org/ns/dqv#value> \"1E0\"^^<http://www.w3.org/2001/XMLSchema#double>",
        ] {
            assert!(triples.contains(wanted), "{wanted} in {triples:#?}");
        }
        let an = |triple: &Triple| {
            matches!(
                (&triple.subject, &triple.object),
                (NamedOrBlankNode::NamedNode(_), Term::NamedNode(_) | Term::Literal(_))
            )
        };
        let parsed = oxttl::TurtleParser::new().for_slice(text.as_bytes());
        assert!(parsed.map(|triple| triple.expect("good")).all(|triple| an(&triple)));
        assert!(!text.contains(AN) && !text.contains("Nguyễn"), "nothing personal");
    }
}
