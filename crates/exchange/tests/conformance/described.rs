//! Descriptions with one thing wrong.

use exchange::conformance::Outcome;
use serde_json::{Value, json};

use super::{
    broken, check, options,
    service::{Fault, Service, description},
};

/// Sets what stands at a pointer; the parent is there.
fn set(root: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = root
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{pointer} has a parent"));
    parent[name.as_str()] = value;
}

fn remove(root: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = root
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{pointer} has a parent"));
    parent
        .as_object_mut()
        .and_then(|parent| parent.remove(name))
        .unwrap_or_else(|| panic!("{pointer} is there"));
}

/// What is done to a good description.
type Change = Box<dyn Fn(&mut Value)>;

const LIST: &str = "/paths/~1v1~1permits/get";
const MAKE: &str = "/paths/~1v1~1permits/post";
const READ: &str = "/paths/~1v1~1permits~1{id}/get";
const PERMIT: &str = "/components/schemas/Permit/properties";

#[tokio::test]
async fn each_flaw_of_a_description_is_found_by_its_rule() {
    let text = json!({ "type": "string", "description": "A field.", "maxLength": 9 });
    let cases: Vec<(&str, Change)> = vec![
        ("openapi-version", Box::new(|d| set(d, "/openapi", json!("2.0")))),
        ("openapi-structure", Box::new(|d| remove(d, "/info/title"))),
        (
            "openapi-structure",
            Box::new(|d| set(d, &format!("{READ}/parameters/0/required"), json!(false))),
        ),
        (
            "openapi-structure",
            Box::new(|d| set(d, &format!("{READ}/parameters"), json!([]))),
        ),
        (
            "openapi-structure",
            Box::new(|d| remove(d, &format!("{LIST}/responses/200/description"))),
        ),
        (
            "openapi-structure",
            Box::new(|d| set(d, &format!("{LIST}/responses/699"), json!({ "description": "x" }))),
        ),
        (
            "reference-local",
            Box::new(|d| {
                set(
                    d,
                    &format!("{PERMIT}/fee"),
                    json!({ "$ref": "https://example.vn/fee.json" }),
                )
            }),
        ),
        (
            "reference-resolves",
            Box::new(|d| {
                set(
                    d,
                    &format!("{PERMIT}/fee"),
                    json!({ "$ref": "#/components/schemas/Fee" }),
                )
            }),
        ),
        (
            "schema-valid",
            Box::new(|d| set(d, &format!("{PERMIT}/fee/type"), json!("money"))),
        ),
        (
            "schema-valid",
            Box::new(|d| set(d, &format!("{PERMIT}/id/pattern"), json!("^(P-[0-9]$"))),
        ),
        (
            "operation-id",
            Box::new(|d| set(d, &format!("{LIST}/operationId"), json!("read_permit"))),
        ),
        ("operation-id", Box::new(|d| remove(d, &format!("{LIST}/operationId")))),
        (
            "answer-has-schema",
            Box::new(|d| {
                remove(
                    d,
                    &format!("{LIST}/responses/200/content/application~1json/schema")
                        .replace("application~1json/schema", "application~1json/schema"),
                )
            }),
        ),
        (
            "error-described",
            Box::new(|d| remove(d, &format!("{LIST}/responses/422"))),
        ),
        (
            "error-problem-details",
            Box::new(|d| set(d, "/components/responses/Refused/content", json!({ "text/plain": {} }))),
        ),
        (
            "error-bilingual",
            Box::new(|d| remove(d, "/components/schemas/Problem/properties/problems")),
        ),
        ("security-declared", Box::new(|d| remove(d, "/security"))),
        (
            "security-declared",
            Box::new(|d| remove(d, "/components/securitySchemes")),
        ),
        (
            "server-declared",
            Box::new(|d| set(d, "/servers", json!([{ "url": "http://example.vn" }]))),
        ),
        (
            "path-versioned",
            Box::new(|d| {
                let item = d["paths"]["/v1/me"].clone();
                set(d, "/paths/~1me", item);
            }),
        ),
        (
            "name-style",
            Box::new(|d| {
                set(
                    d,
                    &format!("{PERMIT}/issuedBy"),
                    json!({ "type": "string", "description": "Who." }),
                )
            }),
        ),
        (
            "field-described",
            Box::new(|d| remove(d, &format!("{PERMIT}/id/description"))),
        ),
        (
            "identifier-name",
            Box::new(|d| {
                set(
                    d,
                    &format!("{PERMIT}/ma_ho_so"),
                    json!({ "type": "string", "description": "x", "pattern": "^[0-9A-Z][0-9A-Z.-]{0,79}$" }),
                )
            }),
        ),
        (
            "identifier-pattern",
            Box::new(|d| remove(d, &format!("{PERMIT}/dossier_code/pattern"))),
        ),
        (
            "identifier-pattern",
            Box::new(|d| set(d, &format!("{PERMIT}/owner_person_number/pattern"), json!("^[0-9]{9}$"))),
        ),
        (
            "once-only-name",
            Box::new({
                let text = text.clone();
                move |d: &mut Value| set(d, &format!("{PERMIT}/ngay_sinh"), text.clone())
            }),
        ),
        (
            "once-only-name",
            Box::new({
                let text = text.clone();
                move |d: &mut Value| set(d, &format!("{PERMIT}/ownerTaxCode"), text.clone())
            }),
        ),
        (
            "date-format",
            Box::new(|d| remove(d, &format!("{PERMIT}/valid_until_date/format"))),
        ),
        (
            "date-format",
            Box::new(|d| {
                set(
                    d,
                    &format!("{PERMIT}/revoked_at"),
                    json!({ "type": "integer", "description": "Seconds." }),
                )
            }),
        ),
        (
            "money-whole",
            Box::new(|d| set(d, &format!("{PERMIT}/fee/type"), json!("number"))),
        ),
        (
            "money-whole",
            Box::new(|d| set(d, &format!("{PERMIT}/fee/format"), json!("int32"))),
        ),
        (
            "language-tag",
            Box::new(|d| remove(d, &format!("{PERMIT}/language/enum"))),
        ),
        (
            "paging-keyset",
            Box::new(|d| set(d, &format!("{LIST}/parameters/1/name"), json!("after"))),
        ),
        (
            "paging-limit",
            Box::new(|d| remove(d, &format!("{LIST}/parameters/2/schema/maximum"))),
        ),
        (
            "paging-no-offset",
            Box::new(|d| set(d, &format!("{LIST}/parameters/0/name"), json!("page"))),
        ),
        (
            "paging-no-total",
            Box::new(|d| {
                set(
                    d,
                    "/components/schemas/PermitPage/properties/total",
                    json!({ "type": "integer", "description": "All." }),
                )
            }),
        ),
        (
            "filter-plain",
            Box::new(|d| set(d, &format!("{LIST}/parameters/0/name"), json!("filter"))),
        ),
        (
            "text-bounded",
            Box::new(|d| remove(d, &format!("{LIST}/parameters/1/schema/maxLength"))),
        ),
        (
            "body-closed",
            Box::new(|d| remove(d, "/components/schemas/NewPermit/additionalProperties")),
        ),
        (
            "read-without-body",
            Box::new(|d| {
                let body = d.pointer(&format!("{MAKE}/requestBody")).expect("a body").clone();
                set(d, &format!("{READ}/requestBody"), body);
            }),
        ),
        (
            "idempotency-key",
            Box::new(|d| set(d, &format!("{MAKE}/parameters/0/required"), json!(false))),
        ),
        (
            "idempotency-key",
            Box::new(|d| {
                set(d, &format!("{MAKE}/parameters"), json!([]));
                remove(d, &format!("{MAKE}/responses/409"));
            }),
        ),
        (
            "etag-described",
            Box::new(|d| remove(d, &format!("{READ}/responses/304"))),
        ),
    ];
    for (rule, change) in cases {
        let mut changed = description();
        change(&mut changed);
        let service = Service::start(Fault::None, changed).await;
        let report = check(options(&service.url())).await;
        let found = broken(&report);
        assert!(found.contains(&rule), "{rule}: {found:?}");
    }
}

#[tokio::test]
async fn what_is_no_description_is_refused() {
    for (document, said) in [
        (json!({ "swagger": "2.0", "x": "openapi" }), "openapi"),
        (json!({ "openapi": 3 }), "openapi"),
    ] {
        let service = Service::start(Fault::None, document).await;
        let report = check(options(&service.url())).await;
        assert!(!report.conforms);
        let read = report
            .results
            .iter()
            .find(|result| result.rule.code() == "description-read")
            .expect("a result");
        assert_eq!(read.outcome, Outcome::Broken);
        assert!(read.findings[0].text.en.contains(said), "{:?}", read.findings);
    }
}

#[tokio::test]
async fn schemas_that_explode_are_refused_and_not_followed() {
    let mut doubling = description();
    for n in 0..40 {
        let next = json!({ "$ref": format!("#/components/schemas/D{}", n + 1) });
        set(
            &mut doubling,
            &format!("/components/schemas/D{n}"),
            json!({ "anyOf": [next.clone(), next] }),
        );
    }
    set(&mut doubling, "/components/schemas/D40", json!({ "type": "string" }));
    let mut chain = description();
    for n in 0..2000 {
        set(
            &mut chain,
            &format!("/components/schemas/C{n}"),
            json!({ "$ref": format!("#/components/schemas/C{}", n + 1) }),
        );
    }
    set(&mut chain, "/components/schemas/C2000", json!({ "type": "string" }));
    for document in [doubling, chain] {
        let service = Service::start(Fault::None, document).await;
        let report = check(options(&service.url())).await;
        assert!(broken(&report).contains(&"schema-valid"), "{:?}", broken(&report));
    }
}

#[tokio::test]
async fn a_schema_that_is_wide_at_every_level_does_not_hold_the_check_up() {
    let mut wide = description();
    for n in 0..8 {
        let next = json!({ "$ref": format!("#/components/schemas/W{}", n + 1) });
        let properties: serde_json::Map<_, _> = (0..6).map(|k| (format!("p{k}"), next.clone())).collect();
        let names: Vec<_> = properties.keys().cloned().collect();
        let all = vec![next; 6];
        set(
            &mut wide,
            &format!("/components/schemas/W{n}"),
            json!({ "type": "object", "required": names, "properties": properties, "allOf": all }),
        );
    }
    set(&mut wide, "/components/schemas/W8", json!({ "type": "object" }));
    set(
        &mut wide,
        &format!("{MAKE}/requestBody/content/application~1json"),
        json!({ "schema": { "$ref": "#/components/schemas/W0" } }),
    );
    let service = Service::start(Fault::None, wide).await;
    let begun = std::time::Instant::now();
    let with_writing = exchange::conformance::Options {
        write: true,
        ..options(&service.url())
    };
    let report = check(with_writing).await;
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    assert!(broken(&report).contains(&"schema-valid"), "{:?}", broken(&report));
}

#[tokio::test]
async fn a_description_of_3_0_is_read_as_what_it_means() {
    let mut old = description();
    set(&mut old, "/openapi", json!("3.0.3"));
    set(
        &mut old,
        &format!("{PERMIT}/issued_at"),
        json!({ "type": "string", "format": "date-time", "nullable": true, "description": "When." }),
    );
    let service = Service::start(Fault::None, old).await;
    let report = check(options(&service.url())).await;
    assert_eq!(broken(&report), Vec::<&str>::new());
}
