//! Sending twice: under one `Idempotency-Key`, or without one.

use base::Text;
use serde_json::Value;

use super::{Exchange, Runner, generate::Taste};
use crate::conformance::{
    description::{Operation, Place},
    rules::Rule,
};

impl Runner<'_> {
    /// The same request again gets the same answer; another one under its key is refused.
    pub(super) async fn twice(&mut self, operation: &Operation, first: &Exchange) {
        let at = operation.pointer.as_str();
        if operation.parameter(Place::Header, "Idempotency-Key").is_none() {
            let Some(again) = self.send(Some(operation), first.request.clone()).await else {
                return;
            };
            let kept = (400..500).contains(&again.answer.status);
            self.note(Rule::IdempotencyWorks, kept, at, &again, || {
                Text::new(
                    "Không có Idempotency-Key mà gửi lần thứ hai vẫn được thực hiện; cần 409 hoặc 412.",
                    "Without an Idempotency-Key, the second time was carried out again; 409 or 412 is due.",
                )
            });
            return;
        }
        let Some(again) = self.send(Some(operation), first.request.clone()).await else {
            return;
        };
        let same = again.succeeded() && json_of(&again) == json_of(first);
        self.note(Rule::IdempotencyWorks, same, at, &again, || {
            Text::new(
                "Gửi lại cùng khóa và nội dung không nhận được câu trả lời cũ.",
                "The same key and body did not get the same answer again.",
            )
        });
        let Some(mut other) = self.compose(operation, Taste::Full).await else {
            return;
        };
        if other.request.body == first.request.body || other.request.address != first.request.address {
            return;
        }
        other.request.headers.clone_from(&first.request.headers);
        let Some(refused) = self.send(Some(operation), other.request).await else {
            return;
        };
        let kept = (400..500).contains(&refused.answer.status);
        self.note(Rule::IdempotencyWorks, kept, at, &refused, || {
            Text::new(
                format!(
                    "Nội dung khác dưới cùng khóa nhận mã {}; cần 409 hoặc 422.",
                    refused.answer.status
                ),
                format!(
                    "Another body under the same key got {}; 409 or 422 is due.",
                    refused.answer.status
                ),
            )
        });
    }
}

fn json_of(exchange: &Exchange) -> Option<Value> {
    serde_json::from_slice(&exchange.answer.body).ok()
}
