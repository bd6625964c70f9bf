//! The quality of a registry in the W3C Data Quality Vocabulary (<https://www.w3.org/TR/vocab-dqv/>), as JSON-LD and as Turtle: the
//! registry is a `dcat:Dataset`, each side of quality a `dqv:Dimension`, each figure a `dqv:QualityMeasurement` of its `dqv:Metric`.

use std::fmt::Write as _;

use base::Text;
use serde_json::{Value, json};

use super::figures::Figures;
use crate::model::Dimension;

const DQV: &str = "http://www.w3.org/ns/dqv#";
const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";
const SKOS: &str = "http://www.w3.org/2004/02/skos/core#";
const PROV: &str = "http://www.w3.org/ns/prov#";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// One measurement: of what, by which metric, how much.
struct Measured {
    id: String,
    metric: String,
    dimension: Dimension,
    definition: Text,
    value: f64,
}

/// What is measured: for each side of quality the share of records that pass, and where a sample was judged the share that is right.
fn measured(figures: &Figures) -> Vec<Measured> {
    let registry = format!("registries/{}", figures.registry.code);
    let of = |dimension: Dimension, name: &str, definition: Text, value: f64| Measured {
        id: format!("{registry}/quality#{name}-{}", figures.at.legal_date()),
        metric: format!("{registry}/quality#{name}"),
        dimension,
        definition,
        value,
    };
    let passing = figures.dimensions.iter().filter_map(|(dimension, figure)| {
        let label = dimension.label();
        let definition = Text::new(
            format!("Tỷ lệ bản ghi không vi phạm quy tắc nào về tiêu chí “{}”", label.vi),
            format!(
                "The share of records that break no rule of the dimension “{}”",
                label.en
            ),
        );
        Some(of(*dimension, dimension.code(), definition, figure.share()?))
    });
    let sampled = figures.sample.as_ref().and_then(|sample| sample.share());
    let right = sampled.map(|(share, ..)| {
        let definition = Text::new(
            "Tỷ lệ bản ghi đúng với thực tế trong mẫu ngẫu nhiên",
            "The share of the records of a random sample that are as in life",
        );
        of(Dimension::Accurate, "accurate-by-sample", definition, share)
    });
    passing.chain(right).collect()
}

/// As JSON-LD; relative addresses are below `base`, which ends in `/`.
pub fn json_ld(figures: &Figures, base: &str) -> Value {
    let registry = &figures.registry;
    let both =
        |text: &Text| json!([{ "@value": text.vi, "@language": "vi" }, { "@value": text.en, "@language": "en" }]);
    let dataset = format!("registries/{}", registry.code);
    let all = measured(figures);
    let ids: Vec<Value> = all.iter().map(|measured| json!({ "@id": measured.id })).collect();
    let mut graph = vec![json!({
        "@id": dataset, "@type": "dcat:Dataset", "dct:title": both(&registry.name), "dct:description": both(&registry.summary),
        "dct:identifier": registry.code.as_str(), "dct:publisher": { "@id": format!("agencies/{}", registry.steward) },
        "dqv:hasQualityMeasurement": ids,
    })];
    for measured in &all {
        graph.push(json!({
            "@id": measured.id, "@type": "dqv:QualityMeasurement", "dqv:computedOn": { "@id": dataset },
            "dqv:isMeasurementOf": { "@id": measured.metric },
            "dqv:value": { "@value": double(measured.value), "@type": "xsd:double" },
            "prov:generatedAtTime": { "@value": figures.at.rfc3339(), "@type": "xsd:dateTime" },
        }));
        graph.push(json!({
            "@id": measured.metric, "@type": "dqv:Metric", "skos:definition": both(&measured.definition),
            "dqv:expectedDataType": { "@id": "xsd:double" }, "dqv:inDimension": { "@id": dimension(measured.dimension) },
        }));
    }
    let mut dimensions: Vec<Dimension> = all.iter().map(|measured| measured.dimension).collect();
    dimensions.sort_unstable();
    dimensions.dedup();
    graph.extend(
        dimensions
            .iter()
            .map(|of| json!({ "@id": dimension(*of), "@type": "dqv:Dimension", "skos:prefLabel": both(&of.label()) })),
    );
    json!({
        "@context": { "@base": base, "dqv": DQV, "dcat": DCAT, "dct": DCT, "skos": SKOS, "prov": PROV, "xsd": XSD },
        "@graph": graph,
    })
}

/// As Turtle; relative addresses are below `base`, which ends in `/`.
pub fn turtle(figures: &Figures, base: &str) -> String {
    let registry = &figures.registry;
    let dataset = format!("registries/{}", registry.code);
    let all = measured(figures);
    let mut out = format!("@base <{}> .\n", iri(base));
    for (prefix, of) in [
        ("dqv", DQV),
        ("dcat", DCAT),
        ("dct", DCT),
        ("skos", SKOS),
        ("prov", PROV),
        ("xsd", XSD),
    ] {
        let _ = writeln!(out, "@prefix {prefix}: <{of}> .");
    }
    let _ = write!(
        out,
        "\n<{dataset}> a dcat:Dataset ;\n  dct:title {} ;\n  dct:description {} ;\n  dct:identifier {} ;\n  dct:publisher <agencies/{}>",
        both(&registry.name),
        both(&registry.summary),
        literal(registry.code.as_str()),
        iri(&registry.steward.to_string()),
    );
    for measured in &all {
        let _ = write!(out, " ;\n  dqv:hasQualityMeasurement <{}>", measured.id);
    }
    out.push_str(" .\n");
    for measured in &all {
        let _ = write!(
            out,
            "\n<{}> a dqv:QualityMeasurement ;\n  dqv:computedOn <{dataset}> ;\n  dqv:isMeasurementOf <{}> ;\n  dqv:value \"{}\"^^xsd:double ;\n  \
             prov:generatedAtTime \"{}\"^^xsd:dateTime .\n",
            measured.id,
            measured.metric,
            double(measured.value),
            figures.at.rfc3339(),
        );
        let _ = write!(
            out,
            "\n<{}> a dqv:Metric ;\n  skos:definition {} ;\n  dqv:expectedDataType xsd:double ;\n  dqv:inDimension <{}> .\n",
            measured.metric,
            both(&measured.definition),
            dimension(measured.dimension),
        );
    }
    let mut dimensions: Vec<Dimension> = all.iter().map(|measured| measured.dimension).collect();
    dimensions.sort_unstable();
    dimensions.dedup();
    for of in dimensions {
        let label = both(&of.label());
        let _ = write!(
            out,
            "\n<{}> a dqv:Dimension ;\n  skos:prefLabel {label} .\n",
            dimension(of)
        );
    }
    out
}

fn dimension(of: Dimension) -> String {
    format!("registries/quality/dimensions#{}", of.code())
}

/// The lexical form of `xsd:double`.
fn double(value: f64) -> String {
    format!("{value:E}")
}

fn both(text: &Text) -> String {
    format!("{}@vi, {}@en", literal(&text.vi), literal(&text.en))
}

fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What may stand between the brackets of an address.
fn iri(text: &str) -> String {
    let stands = |c: &char| {
        !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`' | '\\')
    };
    text.chars().filter(stands).collect()
}
