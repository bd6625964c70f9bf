//! The structure of the document as a whole.

use base::Text;
use serde_json::Value;

use super::document::{Document, local, step};
use crate::conformance::{rules::Rule, sheet::Sheet};

/// `info`, `paths`, `servers`.
pub(super) fn check_head(document: &Document, sheet: &mut Sheet) {
    for pointer in ["/info/title", "/info/version"] {
        let there = document
            .at(pointer)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.trim().is_empty());
        sheet.judge(Rule::OpenApiStructure, there, pointer, || {
            Text::new(
                "Thiếu trường này (chuỗi không rỗng).",
                "This field is missing (a text that is not empty).",
            )
        });
    }
    let paths = document.at("/paths").is_some_and(Value::is_object);
    sheet.judge(Rule::OpenApiStructure, paths, "/paths", || {
        Text::new(
            "Thiếu paths hoặc paths không phải là đối tượng.",
            "`paths` is missing or no object.",
        )
    });
    check_servers(document, sheet);
}

fn check_servers(document: &Document, sheet: &mut Sheet) {
    let servers = document.at("/servers").and_then(Value::as_array);
    sheet.judge(
        Rule::ServerDeclared,
        servers.is_some_and(|list| !list.is_empty()),
        "/servers",
        || {
            Text::new(
                "Thêm servers với địa chỉ của dịch vụ.",
                "Add `servers` with the address of the service.",
            )
        },
    );
    for (n, server) in servers.into_iter().flatten().enumerate() {
        let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
        let authority = url
            .split_once("://")
            .map(|(_, rest)| rest.split('/').next().unwrap_or_default());
        let loopback = authority.is_some_and(|host| {
            ["127.0.0.1", "localhost", "[::1]"]
                .iter()
                .any(|own| host == *own || host.starts_with(&format!("{own}:")))
        });
        let good = match authority {
            None => url.starts_with('/'),
            Some(host) => (url.starts_with("https://") || loopback) && !host.contains('@'),
        };
        sheet.judge(Rule::ServerDeclared, good, &format!("/servers/{n}/url"), || {
            Text::new(
                format!("“{url}” không phải là địa chỉ https (hoặc đường dẫn bắt đầu bằng “/”)."),
                format!("“{url}” is no https address (or path that begins with “/”)."),
            )
        });
    }
}

/// Every `$ref` of the document.
pub(super) fn check_references(document: &Document, sheet: &mut Sheet) {
    visit(document, document.root(), &mut String::new(), sheet);
}

fn visit(document: &Document, value: &Value, at: &mut String, sheet: &mut Sheet) {
    let length = at.len();
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                at.push_str(&format!("/{n}"));
                visit(document, item, at, sheet);
                at.truncate(length);
            }
        }
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                check_reference(document, reference, at, sheet);
            }
            for (name, member) in members.iter().filter(|(name, _)| !is_data(name)) {
                at.push('/');
                at.push_str(&step(name));
                visit(document, member, at, sheet);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// Members that hold data and not description, so that a `$ref` in them means nothing.
fn is_data(name: &str) -> bool {
    matches!(name, "example" | "examples" | "default" | "enum" | "const" | "value")
}

fn check_reference(document: &Document, reference: &str, at: &str, sheet: &mut Sheet) {
    let Some(pointer) = local(reference) else {
        let text = Text::new(
            format!("$ref “{reference}” trỏ ra ngoài bản mô tả; chép lược đồ vào components."),
            format!("$ref “{reference}” points outside the description; copy the schema into `components`."),
        );
        sheet.judge(Rule::ReferenceLocal, false, at, || text);
        return;
    };
    sheet.kept(Rule::ReferenceLocal);
    sheet.judge(Rule::ReferenceResolves, document.follow(&pointer).is_some(), at, || {
        Text::new(
            format!("$ref “{reference}” không trỏ đến đâu, hoặc đi vòng."),
            format!("$ref “{reference}” points at nothing, or goes in a circle."),
        )
    });
}
