//! Requests that have to be refused, and what is not in the description at all.

use base::Text;
use serde_json::{Value, json};

use super::{
    Runner,
    client::Request,
    compose::Parts,
    generate::{Taste, wrong_values},
};
use crate::conformance::{
    description::{Operation, Place},
    rules::Rule,
};

/// Most wrong values of one parameter, and most wrong bodies of one sort.
const EACH: usize = 3;
/// How deep the body is nested that no parser should follow.
const DEEP: usize = 5_000;

/// Among how many operations one is sought that only reads.
const MOST: usize = 200;

/// A request that has to be refused.
struct Bad {
    parts: Parts,
    /// What is wrong with it.
    wrong: Text,
}

impl Runner<'_> {
    /// Sends requests that the description calls wrong.
    pub(super) async fn bad_requests(&mut self, operation: &Operation) {
        let Some((good, _)) = self.parts(operation, Taste::Example).await else {
            return;
        };
        let mut bad = self.bad_parameters(operation, &good).await;
        bad.extend(self.bad_bodies(operation, &good).await);
        for Bad { parts, wrong } in bad {
            let Some(request) = self.assemble(operation, parts) else {
                continue;
            };
            let Some(exchange) = self.send(Some(operation), request).await else {
                continue;
            };
            let status = exchange.answer.status;
            self.note(Rule::BadRefused, status >= 400, &operation.pointer, &exchange, || {
                Text::new(
                    format!("Yêu cầu sai ({}) không bị từ chối mà nhận mã {status}.", wrong.vi),
                    format!("A wrong request ({}) was not refused but got {status}.", wrong.en),
                )
            });
        }
    }

    async fn bad_parameters(&mut self, operation: &Operation, good: &Parts) -> Vec<Bad> {
        let mut bad = Vec::new();
        for parameter in operation
            .parameters
            .iter()
            .filter(|p| matches!(p.place, Place::Path | Place::Query))
        {
            let Some(schema) = &parameter.schema else { continue };
            let Some((_, gist)) = self.description.gist(schema) else {
                continue;
            };
            let mut kept = 0;
            for value in wrong_values(gist) {
                if kept == EACH || self.judge.takes(schema, &value).await {
                    continue;
                }
                kept += 1;
                let mut parts = good.clone();
                parts
                    .query
                    .retain(|(name, _)| parameter.place != Place::Query || *name != parameter.name);
                parts.put(parameter, &value);
                let name = &parameter.name;
                bad.push(Bad {
                    parts,
                    wrong: Text::new(
                        format!("“{name}” sai kiểu hoặc vượt giới hạn"),
                        format!("“{name}” of a wrong type or out of bounds"),
                    ),
                });
            }
            if parameter.required && parameter.place == Place::Query {
                let mut parts = good.clone();
                parts.query.retain(|(name, _)| *name != parameter.name);
                let name = &parameter.name;
                bad.push(Bad {
                    parts,
                    wrong: Text::new(
                        format!("thiếu “{name}” bắt buộc"),
                        format!("the mandatory “{name}” is missing"),
                    ),
                });
            }
        }
        bad
    }

    async fn bad_bodies(&mut self, operation: &Operation, good: &Parts) -> Vec<Bad> {
        let Some((kind, bytes)) = good.body.clone() else {
            return Vec::new();
        };
        let with = |kind: &str, bytes: Vec<u8>, vi: String, en: String| {
            let mut parts = with_new_key(good);
            parts.body = Some((kind.to_owned(), bytes));
            Bad {
                parts,
                wrong: Text::new(vi, en),
            }
        };
        let mut bad = Vec::new();
        if operation.body_required {
            let mut parts = with_new_key(good);
            parts.body = None;
            bad.push(Bad {
                parts,
                wrong: Text::new("thiếu nội dung bắt buộc", "the mandatory body is missing"),
            });
        }
        let content = operation
            .body
            .iter()
            .find(|content| content.is_json() && content.media_type == kind);
        let Some(schema) = content.and_then(|content| content.schema.clone()) else {
            return bad;
        };
        let text = bytes.clone();
        bad.push(with(
            "text/x-khong-ro",
            text,
            "kiểu nội dung lạ".into(),
            "an unknown content type".into(),
        ));
        bad.push(with(
            &kind,
            b"{\"a\":".to_vec(),
            "JSON bị cắt".into(),
            "JSON that breaks off".into(),
        ));
        bad.push(with(
            &kind,
            b"{\"a\":\"\xC3\"}".to_vec(),
            "JSON không phải UTF-8".into(),
            "JSON that is not UTF-8".into(),
        ));
        let deep = [b"[".repeat(DEEP), b"]".repeat(DEEP)].concat();
        bad.push(with(
            &kind,
            deep,
            format!("JSON lồng {DEEP} tầng"),
            format!("JSON nested {DEEP} deep"),
        ));
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            return bad;
        };
        for (wrong, vi, en) in self.mutations(&schema, &value) {
            if !self.judge.takes(&schema, &wrong).await {
                bad.push(with(&kind, wrong.to_string().into_bytes(), vi, en));
            }
        }
        bad
    }

    /// Values that are like a good one but for one thing.
    fn mutations(&self, schema: &str, good: &Value) -> Vec<(Value, String, String)> {
        let Some(object) = good.as_object() else {
            return vec![(
                json!({ "khong_phai": "kieu_nay" }),
                "sai kiểu".into(),
                "of a wrong type".into(),
            )];
        };
        let mut wrong = Vec::new();
        let mut change = |name: &str, value: Option<Value>, vi: String, en: String| {
            let mut other = object.clone();
            match value {
                Some(value) => other.insert(name.to_owned(), value),
                None => other.remove(name),
            };
            wrong.push((Value::Object(other), vi, en));
        };
        for (name, pointer) in self.description.properties(schema) {
            if object.contains_key(&name) {
                change(&name, None, format!("thiếu “{name}”"), format!("“{name}” is missing"));
                let other = if object.get(&name).is_some_and(Value::is_object) {
                    json!(7)
                } else {
                    json!({ "sai": true })
                };
                change(
                    &name,
                    Some(other),
                    format!("“{name}” sai kiểu"),
                    format!("“{name}” of a wrong type"),
                );
            }
            let gist = self.description.gist(&pointer).map(|(_, gist)| gist);
            for value in gist.map(wrong_values).unwrap_or_default().into_iter().take(EACH) {
                change(
                    &name,
                    Some(value),
                    format!("“{name}” vượt giới hạn hoặc sai dạng"),
                    format!("“{name}” out of bounds or malformed"),
                );
            }
        }
        change(
            "truong_la_khong_co",
            Some(json!(1)),
            "có trường lạ".into(),
            "an unknown field".into(),
        );
        wrong
    }

    /// Calls an operation without the caller's headers.
    pub(super) async fn without_credentials(&mut self, operation: &Operation) {
        let Some(composed) = self.compose(operation, Taste::Example).await else {
            return;
        };
        let request = Request {
            credentials: false,
            ..composed.request
        };
        let Some(exchange) = self.send(Some(operation), request).await else {
            return;
        };
        let status = exchange.answer.status;
        self.note(
            Rule::AuthRequired,
            matches!(status, 401 | 403),
            &operation.pointer,
            &exchange,
            || {
                Text::new(
                    format!("Bản mô tả yêu cầu chứng thực nhưng người gọi không có chứng thực nhận mã {status}."),
                    format!("The description asks for credentials, but a caller without them got {status}."),
                )
            },
        );
    }

    /// A path that is not there, and methods that are not.
    pub(super) async fn beyond_the_description(&mut self) {
        if let Some(address) = self.address("/khong-co-duong-dan-nay-7f3a")
            && let Some(exchange) = self.send(None, Request::get(address)).await
        {
            let status = exchange.answer.status;
            self.note(
                Rule::UnknownPath,
                matches!(status, 404 | 401 | 403),
                "",
                &exchange,
                || {
                    Text::new(
                        format!("Đường dẫn không có nhận mã {status}, không phải 404."),
                        format!("A path that is not there got {status}, not 404."),
                    )
                },
            );
        }
        // A method nobody has described can do no harm where only reading is: that one path gets it.
        let operations = &self.description.operations;
        let reading = operations.iter().take(MOST).find(|operation| {
            operation.method == "GET"
                && operation.templates().is_empty()
                && operations.iter().filter(|other| other.path == operation.path).count() == 1
        });
        let Some(operation) = reading else { return };
        let Some(address) = self.address(&operation.path) else {
            return;
        };
        let request = Request {
            method: "PATCH".to_owned(),
            ..Request::get(address)
        };
        let Some(exchange) = self.send(None, request).await else {
            return;
        };
        let status = exchange.answer.status;
        let kept = match status {
            405 => exchange.answer.headers.contains_key("allow"),
            _ => matches!(status, 401 | 403 | 404),
        };
        self.note(Rule::WrongMethod, kept, &operation.pointer, &exchange, || {
            Text::new(
                format!("Phương thức không có nhận mã {status}; cần 405 kèm Allow (RFC 9110, 15.5.6)."),
                format!("A method that is not there got {status}; 405 with Allow is due (RFC 9110, 15.5.6)."),
            )
        });
    }
}

/// The same without the key that would make the service answer as before.
fn with_new_key(good: &Parts) -> Parts {
    let mut parts = good.clone();
    for (name, value) in &mut parts.headers {
        if name.eq_ignore_ascii_case("Idempotency-Key") {
            *value = format!("{value}-x");
        }
    }
    parts
}
