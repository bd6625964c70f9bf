//! One thing, read in several ways.

use base::Text;
use serde_json::{Map, Value};

use super::{
    Exchange, Runner,
    client::Request,
    generate::Taste,
    pool::{Thing, list_of},
};
use crate::conformance::{described::List, description::Operation, rules::Rule};

/// Most things of a list that are read alone.
const MOST: usize = 5;

impl Runner<'_> {
    /// HEAD (RFC 9110, 9.3.2) and OPTIONS (9.3.7) where GET succeeded.
    pub(super) async fn head_and_options(&mut self, operation: &Operation, get: &Exchange) {
        let at = operation.pointer.as_str();
        let with = |method: &str| Request {
            method: method.to_owned(),
            ..get.request.clone()
        };
        if let Some(head) = self.send(Some(operation), with("HEAD")).await {
            let kept = head.answer.status == get.answer.status
                && head.answer.body.is_empty()
                && head.answer.media_type() == get.answer.media_type();
            self.note(Rule::HeadAsGet, kept, at, &head, || {
                Text::new(
                    format!(
                        "HEAD nhận mã {}, GET nhận {}; hai câu trả lời phải như nhau.",
                        head.answer.status, get.answer.status
                    ),
                    format!(
                        "HEAD got {}, GET {}; both have to answer alike.",
                        head.answer.status, get.answer.status
                    ),
                )
            });
        }
        if let Some(options) = self.send(Some(operation), with("OPTIONS")).await {
            let allow = options.answer.header("allow").unwrap_or_default().to_ascii_uppercase();
            let kept = match options.answer.status {
                200..=299 => allow.split(',').any(|method| method.trim() == operation.method),
                status => (400..500).contains(&status),
            };
            self.note(Rule::OptionsSane, kept, at, &options, || {
                Text::new(
                    "OPTIONS thành công phải có tiêu đề Allow.",
                    "OPTIONS that succeeds needs the header Allow.",
                )
            });
        }
    }

    /// `If-None-Match` (RFC 9110, 13.1.2) where an ETag was given.
    pub(super) async fn conditional(&mut self, operation: &Operation, get: &Exchange) {
        let at = operation.pointer.as_str();
        let declared = operation.successes().any(|response| response.headers.contains("etag"));
        let Some(etag) = get.answer.header("etag") else {
            if declared {
                self.note(Rule::EtagWorks, false, at, get, || {
                    Text::new(
                        "Bản mô tả có ETag nhưng câu trả lời không có.",
                        "The description has an ETag, the answer has none.",
                    )
                });
            }
            return;
        };
        let mut request = get.request.clone();
        request.headers.push(("If-None-Match".into(), etag.to_owned()));
        let Some(again) = self.send(Some(operation), request).await else {
            return;
        };
        // The thing may have changed since: then the ETag is another.
        let changed = again.answer.status == 200 && again.answer.header("etag") != Some(etag);
        let kept = (again.answer.status == 304 && again.answer.body.is_empty()) || changed;
        self.note(Rule::EtagWorks, kept, at, &again, || {
            Text::new(
                format!(
                    "If-None-Match với ETag vừa nhận được trả mã {}, không phải 304.",
                    again.answer.status
                ),
                format!(
                    "If-None-Match with the ETag just received got {}, not 304.",
                    again.answer.status
                ),
            )
        });
    }

    /// Reads the things of a list alone: each is the one that was asked for, and as the list has it.
    pub(super) async fn things(&mut self, operation: &Operation) {
        let Some((list, template)) = list_of(&operation.path).filter(|_| operation.path.ends_with('}')) else {
            return;
        };
        let things: Vec<Thing> = self.pool.things(list).iter().take(MOST).cloned().collect();
        for thing in things {
            let Some((field, key)) = thing.key(template).map(|(field, key)| (field.to_owned(), key)) else {
                continue;
            };
            let Some((exchange, one)) = self.read_one(operation, &thing, template, &key).await else {
                continue;
            };
            let named = one.get(&field).or_else(|| one.get(template));
            if let Some(named) = named {
                let named = super::compose::text_of(named);
                self.note(
                    Rule::AnswerOfThatThing,
                    named == key,
                    &operation.pointer,
                    &exchange,
                    || {
                        Text::new(
                            format!("Hỏi “{key}” nhưng nhận “{named}”."),
                            format!("Asked for “{key}”, got “{named}”."),
                        )
                    },
                );
                if named != key {
                    continue;
                }
            }
            let Some((differs, in_list, alone)) = difference(&thing.fields, &one) else {
                self.sheet.kept(Rule::ListAgrees);
                continue;
            };
            // It may have changed in between: both are read once more.
            let second = self.read_again(operation, &thing, template, &key).await;
            let kept = second.is_some_and(|(list, one)| difference(&list, &one).is_none());
            self.note(Rule::ListAgrees, kept, &operation.pointer, &exchange, || {
                Text::new(
                    format!("“{differs}” của “{key}” trong danh sách là {in_list}, khi đọc riêng là {alone}."),
                    format!("“{differs}” of “{key}” is {in_list} in the list and {alone} when it is read alone."),
                )
            });
        }
    }

    async fn read_one(
        &mut self,
        operation: &Operation,
        thing: &Thing,
        template: &str,
        key: &str,
    ) -> Option<(Exchange, Map<String, Value>)> {
        let (mut parts, _) = self.parts(operation, Taste::Least).await?;
        parts.path.extend(thing.bound.clone());
        parts.path.insert(template.to_owned(), key.to_owned());
        let request = self.assemble(operation, parts)?;
        let exchange = self.send(Some(operation), request).await.filter(Exchange::succeeded)?;
        match serde_json::from_slice(&exchange.answer.body) {
            Ok(Value::Object(one)) => Some((exchange, one)),
            _ => None,
        }
    }

    async fn read_again(
        &mut self,
        operation: &Operation,
        thing: &Thing,
        template: &str,
        key: &str,
    ) -> Option<(Map<String, Value>, Map<String, Value>)> {
        let address = thing.list.clone()?;
        let (path, _) = list_of(&operation.path)?;
        let lists = self
            .description
            .operations
            .iter()
            .find(|other| other.path == path && other.method == "GET")?;
        let field = List::of(self.description, lists)?.field;
        let list = self
            .send(Some(lists), Request::get(address))
            .await
            .filter(Exchange::succeeded)?;
        let answer: Value = serde_json::from_slice(&list.answer.body).ok()?;
        let items = field.map_or(Some(&answer), |field| answer.get(&field))?.as_array()?;
        let fields = items.iter().filter_map(Value::as_object).find(|fields| {
            let other = Thing {
                fields: (*fields).clone(),
                ..thing.clone()
            };
            other.key(template).is_some_and(|(_, other)| other == key)
        })?;
        let (_, one) = self.read_one(operation, thing, template, key).await?;
        Some((fields.clone(), one))
    }
}

/// A scalar field that both have with different values, and these.
fn difference<'a>(
    list: &'a Map<String, Value>,
    one: &'a Map<String, Value>,
) -> Option<(&'a str, &'a Value, &'a Value)> {
    let scalar = |value: &Value| !value.is_object() && !value.is_array();
    let both = list
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value, one.get(name)?)));
    both.into_iter().find(|(_, a, b)| scalar(a) && scalar(b) && a != b)
}
