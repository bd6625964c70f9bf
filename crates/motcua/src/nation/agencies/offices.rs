//! What the offices know of persons and enterprises: taxes, insurance, customs.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use base::codes::{PersonNumber, TaxCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answer::{code, found, problem},
    country::{Country, Declaration},
    describe::{self, Description, count, day, dong, in_path, object, one_of, text},
    registers::tax_code_in_path,
};

/// Declarations on a page, and the most that may be asked for.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// Groups of the health-insured.
const GROUPS: [&str; 11] = ["BT", "CN", "DN", "DT", "GD", "HC", "HN", "HS", "HT", "SV", "TE"];

/// `GET /v1/debts/{tax_code}`.
pub fn tax() -> Router<Arc<Country>> {
    Router::new().route("/v1/debts/{code}", get(debt))
}

async fn debt(State(country): State<Arc<Country>>, path: Result<Path<String>, PathRejection>) -> Response {
    let wanted: TaxCode = match code(path, "tax_code") {
        Ok(code) => code,
        Err(no) => return *no,
    };
    found(country.enterprises.get(wanted.as_str()).map(|enterprise| {
        json!({
            "tax_code": enterprise.code,
            "tax_debt": enterprise.debt,
            "overdue_days": enterprise.overdue_days,
            "as_of_date": country.today.to_string(),
        })
    }))
}

/// The document of the tax debts.
pub fn debts_document(country: &Country) -> Value {
    let debt = object(
        "What an enterprise owes.",
        &[
            ("tax_code", describe::tax_code("Whose.")),
            ("tax_debt", dong("Taxes owed, in đồng.")),
            (
                "overdue_days",
                count("For how many days the oldest of them is overdue."),
            ),
            ("as_of_date", day("On which day this was so.")),
        ],
    );
    Description {
        title: "Tra cứu nợ thuế",
        about: "What one enterprise owes in taxes.",
        path: "/v1/debts/{tax_code}",
        operation: "read_debt",
        parameters: tax_code_in_path(country),
        answer: ("Debt", debt),
        schemas: Vec::new(),
    }
    .document()
}

/// `GET /v1/cards/{person_number}`, `GET /v1/employers/{tax_code}`.
pub fn insurance() -> Router<Arc<Country>> {
    Router::new()
        .route("/v1/cards/{number}", get(card))
        .route("/v1/employers/{code}", get(employer))
}

async fn card(State(country): State<Arc<Country>>, path: Result<Path<String>, PathRejection>) -> Response {
    let number: PersonNumber = match code(path, "person_number") {
        Ok(number) => number,
        Err(no) => return *no,
    };
    found(country.cards.get(number.as_str()).map(|card| {
        json!({
            "person_number": number.as_str(),
            "insurance_number": card.number,
            "kind": card.kind,
            "valid_from_date": card.from.to_string(),
        })
    }))
}

/// The document of the cards.
pub fn cards_document(country: &Country) -> Value {
    let card = object(
        "A health insurance card.",
        &[
            ("person_number", describe::person_number("Whose.")),
            (
                "insurance_number",
                json!({ "type": "string", "description": "Number of the insured.", "pattern": "^[0-9]{10}$" }),
            ),
            ("kind", one_of("Group of the insured.", &GROUPS)),
            ("valid_from_date", day("Its first day.")),
        ],
    );
    let example = country.cards.keys().next().map_or("", String::as_str);
    Description {
        title: "Tra cứu thẻ bảo hiểm y tế",
        about: "The health insurance card of one person.",
        path: "/v1/cards/{person_number}",
        operation: "read_card",
        parameters: in_path(
            "person_number",
            "Personal identification number.",
            describe::person_number("Personal identification number."),
            example,
        ),
        answer: ("Card", card),
        schemas: Vec::new(),
    }
    .document()
}

async fn employer(State(country): State<Arc<Country>>, path: Result<Path<String>, PathRejection>) -> Response {
    let wanted: TaxCode = match code(path, "tax_code") {
        Ok(code) => code,
        Err(no) => return *no,
    };
    found(country.enterprises.get(wanted.as_str()).map(|enterprise| {
        json!({
            "tax_code": enterprise.code,
            "employees": enterprise.employees,
            "as_of_date": country.today.to_string(),
        })
    }))
}

/// The document of the employers.
pub fn employers_document(country: &Country) -> Value {
    let employer = object(
        "An employer.",
        &[
            ("tax_code", describe::tax_code("Which.")),
            ("employees", count("For how many employees it pays insurance.")),
            ("as_of_date", day("On which day this was so.")),
        ],
    );
    Description {
        title: "Tra cứu đơn vị đóng bảo hiểm",
        about: "For how many employees one enterprise pays insurance.",
        path: "/v1/employers/{tax_code}",
        operation: "read_employer",
        parameters: tax_code_in_path(country),
        answer: ("Employer", employer),
        schemas: Vec::new(),
    }
    .document()
}

/// `GET /v1/declarations?importer_tax_code=…&cursor=…&limit=…`.
pub fn customs() -> Router<Arc<Country>> {
    Router::new().route("/v1/declarations", get(declarations))
}

#[derive(Debug, Deserialize)]
struct Asked {
    importer_tax_code: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

async fn declarations(State(country): State<Arc<Country>>, query: Result<Query<Asked>, QueryRejection>) -> Response {
    let wrong = |at: &str, vi: &str, en: &str| problem(StatusCode::UNPROCESSABLE_ENTITY, "wrong-value", at, vi, en);
    let Ok(Query(asked)) = query else {
        return wrong(
            "",
            "Mỗi tham số chỉ được nêu một lần.",
            "Each parameter may be given once.",
        );
    };
    let importer = asked
        .importer_tax_code
        .filter(|text| text.parse::<TaxCode>().is_ok_and(|code| code.as_str() == text));
    let Some(importer) = importer else {
        return wrong(
            "importer_tax_code",
            "Nêu mã số thuế của người nhập khẩu.",
            "Give the tax code of the importer.",
        );
    };
    let limit = asked.limit.map_or(Some(PAGE), |text| text.parse().ok());
    let Some(limit) = limit.filter(|limit| (1..=LARGEST_PAGE).contains(limit)) else {
        return wrong(
            "limit",
            "Giới hạn là số từ 1 đến 100.",
            "The limit is a number from 1 to 100.",
        );
    };
    let after = asked.cursor.unwrap_or_default();
    let is_number = after.len() == 12 && after.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number && !after.is_empty() {
        return wrong("cursor", "Con trỏ trang không đúng.", "The cursor is malformed.");
    }
    let all = country.declarations.get(&importer).map_or(&[][..], Vec::as_slice);
    let rest: Vec<&Declaration> = all.iter().filter(|declaration| declaration.number > after).collect();
    let items: Vec<Value> = rest
        .iter()
        .take(limit)
        .map(|declaration| shown(&importer, declaration))
        .collect();
    let mut page = json!({ "items": items });
    if let Some(last) = rest.get(limit - 1).filter(|_| rest.len() > limit) {
        page["next"] = json!(last.number);
    }
    Json(page).into_response()
}

fn shown(importer: &str, declaration: &Declaration) -> Value {
    json!({
        "id": declaration.number,
        "importer_tax_code": importer,
        "declared_date": declaration.declared.to_string(),
        "goods": declaration.goods,
        "customs_value": declaration.value,
        "duty": declaration.duty,
    })
}

/// The document of the declarations.
pub fn declarations_document(country: &Country) -> Value {
    let number = |what: &str| json!({ "type": "string", "description": what, "pattern": "^[0-9]{12}$" });
    let declaration = object(
        "A customs declaration.",
        &[
            ("id", number("Its number.")),
            ("importer_tax_code", describe::tax_code("Who imports.")),
            ("declared_date", day("When it was declared.")),
            ("goods", text("What.")),
            ("customs_value", dong("Customs value, in đồng.")),
            ("duty", dong("Import duty, in đồng.")),
        ],
    );
    let page = json!({
        "type": "object",
        "description": "A page.",
        "required": ["items"],
        "properties": {
            "items": {
                "type": "array", "description": "This page.", "maxItems": LARGEST_PAGE,
                "items": { "$ref": "#/components/schemas/Declaration" },
            },
            "next": number("`cursor` of the next page; absent on the last."),
        },
    });
    let busiest = country.declarations.iter().max_by_key(|(_, all)| all.len());
    let example = busiest.map_or("", |(importer, _)| importer.as_str());
    let parameters = json!([
        {
            "name": "importer_tax_code", "in": "query", "required": true, "description": "Who imports.",
            "schema": describe::tax_code("Who imports."), "example": example,
        },
        { "name": "cursor", "in": "query", "description": "`next` of the page before.", "schema": number("A number.") },
        {
            "name": "limit", "in": "query", "description": "How many.",
            "schema": { "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE },
        },
    ]);
    Description {
        title: "Tra cứu tờ khai hải quan",
        about: "The customs declarations of one importer, by number.",
        path: "/v1/declarations",
        operation: "list_declarations",
        parameters,
        answer: ("DeclarationPage", page),
        schemas: vec![("Declaration", declaration)],
    }
    .document()
}
