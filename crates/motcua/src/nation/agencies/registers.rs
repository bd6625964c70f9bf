//! The two registers of the country: persons, at Public Security; enterprises, at Finance.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
    routing::get,
};
use base::codes::{PersonNumber, TaxCode};
use identity::Sex;
use serde_json::{Value, json};

use super::{
    answer::{code, found},
    country::Country,
    describe::{self, Description, day, dong, in_path, object, one_of, text},
};

/// `GET /v1/persons/{person_number}`.
pub fn population() -> Router<Arc<Country>> {
    Router::new().route("/v1/persons/{number}", get(person))
}

async fn person(State(country): State<Arc<Country>>, path: Result<Path<String>, PathRejection>) -> Response {
    let number: PersonNumber = match code(path, "person_number") {
        Ok(number) => number,
        Err(no) => return *no,
    };
    found(country.persons.get(number.as_str()).map(|person| {
        json!({
            "person_number": person.number,
            "name": person.name,
            "birth_date": person.born.to_string(),
            "sex": match person.sex { Sex::Female => "female", Sex::Male => "male" },
            "nationality": "VN",
            "residence": { "province": person.units.0, "commune": person.units.1, "detail": person.street },
            "mother_person_number": person.mother,
            "father_person_number": person.father,
            "spouse_person_number": person.spouse,
        })
    }))
}

/// The document of the persons.
pub fn persons_document() -> Value {
    let residence = object(
        "Where the person lives.",
        &[
            ("province", text("Code of the province.")),
            ("commune", text("Code of the commune.")),
            ("detail", text("House and street.")),
        ],
    );
    let person = object(
        "A person.",
        &[
            (
                "person_number",
                describe::person_number("Personal identification number."),
            ),
            ("name", text("Full name.")),
            ("birth_date", day("Day of birth.")),
            ("sex", one_of("Sex.", &["male", "female"])),
            (
                "nationality",
                json!({ "type": "string", "description": "Nationality (ISO 3166).", "pattern": "^[A-Z]{2}$" }),
            ),
            ("residence", json!({ "$ref": "#/components/schemas/Residence" })),
            ("mother_person_number", describe::person_number_or_none("The mother.")),
            ("father_person_number", describe::person_number_or_none("The father.")),
            ("spouse_person_number", describe::person_number_or_none("The spouse.")),
        ],
    );
    Description {
        title: "Tra cứu dân cư",
        about: "One person of the national population database.",
        path: "/v1/persons/{person_number}",
        operation: "read_person",
        parameters: in_path(
            "person_number",
            "Personal identification number.",
            describe::person_number("Personal identification number."),
            Country::citizen(),
        ),
        answer: ("Person", person),
        schemas: vec![("Residence", residence)],
    }
    .document()
}

/// `GET /v1/enterprises/{tax_code}`.
pub fn business() -> Router<Arc<Country>> {
    Router::new().route("/v1/enterprises/{code}", get(enterprise))
}

async fn enterprise(State(country): State<Arc<Country>>, path: Result<Path<String>, PathRejection>) -> Response {
    let wanted: TaxCode = match code(path, "tax_code") {
        Ok(code) => code,
        Err(no) => return *no,
    };
    found(country.enterprises.get(wanted.as_str()).map(|enterprise| {
        json!({
            "tax_code": enterprise.code,
            "enterprise_name": enterprise.name,
            "status": if enterprise.closed { "dissolved" } else { "active" },
            "founded_date": enterprise.founded.to_string(),
            "head_office": enterprise.street,
            "representative_name": enterprise.representative,
            "charter_capital": enterprise.capital,
        })
    }))
}

/// The document of the enterprises.
pub fn enterprises_document(country: &Country) -> Value {
    let enterprise = object(
        "An enterprise.",
        &[
            (
                "tax_code",
                describe::tax_code("Code of the enterprise, which is its tax code."),
            ),
            ("enterprise_name", text("Its name.")),
            ("status", one_of("Whether it exists.", &["active", "dissolved"])),
            ("founded_date", day("When it was registered.")),
            ("head_office", text("Its head office.")),
            ("representative_name", text("Who represents it by law.")),
            ("charter_capital", dong("Charter capital, in đồng.")),
        ],
    );
    Description {
        title: "Tra cứu doanh nghiệp",
        about: "One enterprise of the business register.",
        path: "/v1/enterprises/{tax_code}",
        operation: "read_enterprise",
        parameters: tax_code_in_path(country),
        answer: ("Enterprise", enterprise),
        schemas: Vec::new(),
    }
    .document()
}

/// The parameter that names an enterprise.
pub fn tax_code_in_path(country: &Country) -> Value {
    let example = country.enterprises.keys().next().map_or("", String::as_str);
    let what = "Code of the enterprise, which is its tax code.";
    in_path("tax_code", what, describe::tax_code(what), example)
}
