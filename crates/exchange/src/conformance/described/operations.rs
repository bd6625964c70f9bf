//! What each operation says about itself.

use std::collections::HashSet;

use base::Text;
use serde_json::Value;

use crate::conformance::{
    description::{Description, Operation, Place, Response, Statuses, is_type},
    rules::Rule,
    sheet::Sheet,
};

pub(super) fn check(description: &Description, sheet: &mut Sheet) {
    let mut ids = HashSet::new();
    for operation in &description.operations {
        id(operation, &mut ids, sheet);
        security(description, operation, sheet);
        version(description, operation, sheet);
        answers(operation, sheet);
        errors(description, operation, sheet);
        requests(operation, sheet);
        caching(description, operation, sheet);
    }
}

fn id<'a>(operation: &'a Operation, ids: &mut HashSet<&'a str>, sheet: &mut Sheet) {
    let id = operation.id.as_deref().unwrap_or_default();
    let kept = !id.is_empty() && ids.insert(id);
    sheet.judge(Rule::OperationId, kept, &operation.pointer, || {
        if id.is_empty() {
            Text::new("Thao tác thiếu operationId.", "The operation has no operationId.")
        } else {
            Text::new(
                format!("operationId “{id}” đã dùng cho thao tác khác."),
                format!("operationId “{id}” is another operation's."),
            )
        }
    });
}

fn security(description: &Description, operation: &Operation, sheet: &mut Sheet) {
    sheet.judge(
        Rule::SecurityDeclared,
        operation.secured.is_some(),
        &operation.pointer,
        || {
            Text::new(
                "Thêm security: cách chứng thực, hoặc [] nếu ai cũng được gọi.",
                "Add `security`: how callers authenticate, or [] when everybody may call.",
            )
        },
    );
    let own = description.root().pointer(&format!("{}/security", operation.pointer));
    let list = own
        .or_else(|| description.root().get("security"))
        .and_then(Value::as_array);
    for name in list
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|map| map.keys())
    {
        let schemes = description.root().pointer("/components/securitySchemes");
        let known = schemes.and_then(|schemes| schemes.get(name)).is_some();
        sheet.judge(Rule::SecurityDeclared, known, &operation.pointer, || {
            Text::new(
                format!("Không có “{name}” trong components.securitySchemes."),
                format!("There is no “{name}” in components.securitySchemes."),
            )
        });
    }
}

fn version(description: &Description, operation: &Operation, sheet: &mut Sheet) {
    let servers = description.root().get("servers").and_then(Value::as_array);
    let of_server = servers
        .and_then(|list| list.first())
        .and_then(|server| server.get("url"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_version = |segment: &str| {
        segment
            .strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()))
    };
    let kept = of_server.split('/').chain(operation.path.split('/')).any(is_version);
    sheet.judge(Rule::PathVersioned, kept, &operation.pointer, || {
        Text::new(
            format!(
                "Đường dẫn {} không có phiên bản, ví dụ /v1{}.",
                operation.path, operation.path
            ),
            format!(
                "The path {} has no version; like /v1{}.",
                operation.path, operation.path
            ),
        )
    });
}

fn answers(operation: &Operation, sheet: &mut Sheet) {
    for content in operation
        .successes()
        .flat_map(|response| &response.content)
        .filter(|content| content.is_json())
    {
        sheet.judge(
            Rule::AnswerHasSchema,
            content.schema.is_some(),
            &content.pointer,
            || Text::new("Thêm schema cho câu trả lời này.", "Add a schema for this answer."),
        );
    }
    let takes_something = !operation.body.is_empty() || operation.parameters.iter().any(|p| p.place != Place::Cookie);
    if takes_something {
        let refuses = |response: &Response| response.statuses.in_hundred(4) || response.statuses == Statuses::Default;
        sheet.judge(
            Rule::ErrorDescribed,
            operation.responses.iter().any(refuses),
            &operation.pointer,
            || {
                Text::new(
                    "Mô tả câu trả lời khi yêu cầu sai: 400 hoặc 422, 404 nếu có mã trong đường dẫn.",
                    "Describe what a wrong request is answered with: 400 or 422, and 404 where the path names a thing.",
                )
            },
        );
    }
}

fn errors(description: &Description, operation: &Operation, sheet: &mut Sheet) {
    let is_error = |response: &&Response| {
        response.statuses.in_hundred(4) || response.statuses.in_hundred(5) || response.statuses == Statuses::Default
    };
    for response in operation.responses.iter().filter(is_error) {
        let problem = response
            .content
            .iter()
            .find(|content| content.media_type == "application/problem+json");
        let schema = problem.and_then(|problem| problem.schema.as_deref());
        let described = schema.map(|schema| description.properties(schema)).unwrap_or_default();
        let has = |name: &str| described.iter().any(|(own, _)| own == name);
        let kept = schema.is_some() && has("title") && has("status");
        sheet.judge(Rule::ErrorProblemDetails, kept, &response.pointer, || {
            Text::new(
                "Thêm content application/problem+json với lược đồ có type, title, status.",
                "Add content application/problem+json with a schema of type, title and status.",
            )
        });
        if kept {
            sheet.judge(
                Rule::ErrorBilingual,
                has_problems(description, &described),
                &response.pointer,
                || {
                    Text::new(
                        "Thêm problems: danh sách đối tượng {code, at, vi, en}.",
                        "Add `problems`: a list of objects {code, at, vi, en}.",
                    )
                },
            );
        }
    }
}

fn has_problems(description: &Description, properties: &[(String, String)]) -> bool {
    let Some((_, pointer)) = properties.iter().find(|(name, _)| name == "problems") else {
        return false;
    };
    let Some((at, list)) = description.gist(pointer) else {
        return false;
    };
    let inner = description.properties(&format!("{at}/items"));
    is_type(list, "array")
        && ["code", "vi", "en"]
            .iter()
            .all(|wanted| inner.iter().any(|(name, _)| name == wanted))
}

fn requests(operation: &Operation, sheet: &mut Sheet) {
    if matches!(operation.method, "GET" | "HEAD" | "DELETE") {
        sheet.judge(
            Rule::ReadWithoutBody,
            operation.body.is_empty(),
            &operation.pointer,
            || {
                Text::new(
                    format!(
                        "{} không được có requestBody; dùng tham số hoặc POST.",
                        operation.method
                    ),
                    format!("{} may have no requestBody; use parameters or POST.", operation.method),
                )
            },
        );
    }
    if operation.method == "POST" {
        let key = operation.parameter(Place::Header, "Idempotency-Key");
        let kept = match key {
            Some(key) => key.required,
            None => operation.parameter(Place::Header, "If-Match").is_some() || operation.refuses_repetition(),
        };
        sheet.judge(Rule::IdempotencyKey, kept, &operation.pointer, || {
            Text::new(
                "Thêm tham số tiêu đề Idempotency-Key với required: true, để gửi lại không tạo hai lần; hoặc nhận If-Match, hoặc mô tả mã 409 khi việc đó đã có.",
                "Add the header parameter Idempotency-Key with required: true, so that a retry does nothing twice; or take If-Match, or describe the 409 for what is there already.",
            )
        });
    }
    for parameter in operation.parameters.iter().filter(|p| p.place == Place::Query) {
        let language = ["filter", "$filter", "where", "query", "sql", "expression"].contains(&parameter.name.as_str());
        sheet.judge(Rule::FilterPlain, !language, &parameter.pointer, || {
            Text::new(
                format!(
                    "Thay “{}” bằng từng tham số lọc riêng, mỗi tham số một kiểu.",
                    parameter.name
                ),
                format!("Replace “{}” by one typed parameter for each filter.", parameter.name),
            )
        });
    }
}

fn caching(description: &Description, operation: &Operation, sheet: &mut Sheet) {
    if !operation.path.ends_with('}') {
        return;
    }
    match operation.method {
        "GET" => {
            let object = operation.answer_schema().and_then(|schema| description.gist(schema));
            if object.is_some_and(|(_, schema)| is_type(schema, "object")) {
                let etag = operation.successes().any(|response| response.headers.contains("etag"));
                let kept = etag
                    && operation
                        .declares(304)
                        .is_some_and(|response| response.statuses == Statuses::One(304));
                sheet.judge(Rule::EtagDescribed, kept, &operation.pointer, || {
                    Text::new(
                        "Mô tả tiêu đề ETag của 200 và câu trả lời 304.",
                        "Describe the header ETag of the 200 and the answer 304.",
                    )
                });
            }
        }
        "PUT" | "PATCH" | "DELETE" => {
            let kept = operation.parameter(Place::Header, "If-Match").is_some();
            sheet.judge(Rule::EtagDescribed, kept, &operation.pointer, || {
                Text::new(
                    "Thêm tham số tiêu đề If-Match, để người sửa sau không ghi đè người sửa trước.",
                    "Add the header parameter If-Match, so that the later of two does not overwrite the earlier.",
                )
            });
        }
        _ => {}
    }
}
