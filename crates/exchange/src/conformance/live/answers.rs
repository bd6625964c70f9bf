//! What holds for every answer.

use std::time::Duration;

use base::Text;
use serde_json::{Value, json};

use super::{Exchange, Runner};
use crate::conformance::{
    description::{Operation, Response, Verdict},
    rules::Rule,
};

/// What no answer shows to the world: traces of common languages, of databases, of a server's disk.
const LEAKS: [&str; 18] = [
    "Traceback (most recent call last)",
    "panicked at",
    "\n\tat java.",
    "java.lang.",
    "org.springframework.",
    "System.NullReferenceException",
    "   at System.",
    "at Object.<anonymous>",
    "node_modules/",
    "PHP Fatal error",
    "PHP Warning",
    "goroutine 1 [",
    "SQLSTATE[",
    "ORA-0",
    "syntax error at or near",
    "SQLITE_ERROR",
    "/var/www/",
    "C:\\inetpub\\",
];

/// Headers that name the server's software.
const SOFTWARE: [&str; 4] = ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version"];

/// How long an answer may take.
const SLOW: Duration = Duration::from_secs(3);

impl Runner<'_> {
    /// Judges an answer by all rules that hold for every one; `operation` is none when nothing described was called.
    pub(super) async fn every_answer(&mut self, operation: Option<&Operation>, exchange: &Exchange) {
        let at = operation.map_or("", |operation| operation.pointer.as_str());
        self.on_the_wire(at, exchange);
        let status = exchange.answer.status;
        let text = || {
            Text::new(
                format!("Yêu cầu này gây ra lỗi {status}; yêu cầu sai phải bị từ chối bằng 4xx."),
                format!("This request caused a {status}; a wrong request is to be refused with a 4xx."),
            )
        };
        self.note(Rule::NoServerError, status < 500, at, exchange, text);
        if status >= 400 && exchange.request.method != "HEAD" {
            self.problem_details(at, exchange);
        }
        if let Some(operation) = operation {
            self.as_described(operation, exchange).await;
        }
    }

    /// Writes down that a rule was kept, or broken by an exchange.
    pub(super) fn note(&mut self, rule: Rule, kept: bool, at: &str, exchange: &Exchange, text: impl FnOnce() -> Text) {
        if kept {
            self.sheet.kept(rule);
        } else {
            self.sheet.broken(rule, exchange.finding(at, text()));
        }
    }

    fn on_the_wire(&mut self, at: &str, exchange: &Exchange) {
        let answer = &exchange.answer;
        self.note(
            Rule::DateHeader,
            answer.headers.contains_key("date"),
            at,
            exchange,
            || Text::new("Thêm tiêu đề Date.", "Add the header Date."),
        );
        self.note(Rule::AnswerTime, answer.took <= SLOW, at, exchange, || {
            let took = answer.took.as_millis();
            Text::new(
                format!("Câu trả lời mất {took} ms."),
                format!("The answer took {took} ms."),
            )
        });
        let named = SOFTWARE.iter().find_map(|name| {
            let value = answer
                .header(name)
                .filter(|value| value.bytes().any(|c| c.is_ascii_digit()))?;
            Some(format!("{name}: {value}"))
        });
        self.note(Rule::VersionHidden, named.is_none(), at, exchange, || {
            let named = named.unwrap_or_default();
            Text::new(
                format!("Bỏ phiên bản khỏi “{named}”."),
                format!("Take the version out of “{named}”."),
            )
        });
        let body = String::from_utf8_lossy(&answer.body);
        let leak = LEAKS.iter().find(|leak| answer.status >= 400 && body.contains(**leak));
        self.note(Rule::NothingLeaks, leak.is_none(), at, exchange, || {
            let leak = leak.copied().unwrap_or_default().trim();
            Text::new(
                format!("Câu trả lời để lộ “{leak}”; ghi vào nhật ký, không gửi ra ngoài."),
                format!("The answer leaks “{leak}”; write it to the log, do not send it."),
            )
        });
        if answer.media_type().is_some_and(|kind| is_json(&kind)) {
            let charset = answer.header("content-type").and_then(charset_of);
            let utf8 = charset
                .as_deref()
                .is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"));
            let kept = utf8 && std::str::from_utf8(&answer.body).is_ok() && !answer.body.starts_with(b"\xEF\xBB\xBF");
            self.note(Rule::Utf8, kept, at, exchange, || {
                Text::new(
                    "Gửi JSON bằng UTF-8, không BOM, không khai charset khác (RFC 8259, 8.1).",
                    "Send JSON in UTF-8, without a byte order mark and without another charset (RFC 8259, 8.1).",
                )
            });
        }
    }

    /// RFC 9457, section 3.
    fn problem_details(&mut self, at: &str, exchange: &Exchange) {
        let answer = &exchange.answer;
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let kept = answer.media_type().as_deref() == Some("application/problem+json")
            && body.is_some_and(|body| {
                let texts = ["type", "detail", "instance"];
                body.get("title").is_some_and(Value::is_string)
                    && body.get("status") == Some(&json!(answer.status))
                    && texts.iter().all(|name| body.get(*name).is_none_or(Value::is_string))
            });
        self.note(Rule::ErrorIsProblem, kept, at, exchange, || {
            Text::new(
                "Trả lỗi bằng application/problem+json: title là chuỗi, status bằng mã HTTP.",
                "Answer errors with application/problem+json: `title` a text, `status` that of the answer.",
            )
        });
    }

    async fn as_described(&mut self, operation: &Operation, exchange: &Exchange) {
        let at = operation.pointer.as_str();
        let status = exchange.answer.status;
        // A method that is not described (HEAD, OPTIONS) has rules of its own.
        if exchange.request.method != operation.method {
            return;
        }
        let Some(response) = operation.declares(status) else {
            self.note(Rule::AnswerDescribed, false, at, exchange, || {
                Text::new(
                    format!("Mã {status} không có trong bản mô tả của thao tác này."),
                    format!("Status {status} is not in the description of this operation."),
                )
            });
            return;
        };
        self.content(operation, response, exchange).await;
    }

    async fn content(&mut self, operation: &Operation, response: &Response, exchange: &Exchange) {
        let at = response.pointer.as_str();
        let answer = &exchange.answer;
        let is_bare = answer.body.is_empty()
            && (response.content.is_empty() || operation.method == "HEAD" || matches!(answer.status, 204 | 304));
        if is_bare {
            self.sheet.kept(Rule::AnswerDescribed);
            return;
        }
        let kind = answer.media_type().unwrap_or_default();
        let content = response.content.iter().find(|content| fits(&content.media_type, &kind));
        self.note(Rule::AnswerDescribed, content.is_some(), at, exchange, || {
            let status = answer.status;
            Text::new(
                format!("Kiểu nội dung “{kind}” của mã {status} không có trong bản mô tả."),
                format!("The content type “{kind}” of status {status} is not in the description."),
            )
        });
        let Some(content) = content.filter(|_| is_json(&kind)) else {
            return;
        };
        let value = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(value) => value,
            Err(error) => {
                self.note(Rule::AnswerValid, false, at, exchange, || {
                    Text::new(
                        format!("Nội dung không phải là JSON hợp lệ, hoặc lồng quá sâu: {error}."),
                        format!("The body is not valid JSON, or nested too deep: {error}."),
                    )
                });
                return;
            }
        };
        let Some(schema) = &content.schema else { return };
        match self.judge.judge(schema, &value).await {
            Verdict::Valid => self.sheet.kept(Rule::AnswerValid),
            Verdict::Invalid { at: place, why } => self.note(Rule::AnswerValid, false, schema, exchange, || {
                Text::new(
                    format!("Nội dung tại “{place}” không đúng lược đồ: {why}."),
                    format!("The body at “{place}” is not valid: {why}."),
                )
            }),
            Verdict::Unknown => {}
        }
    }
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind.ends_with("+json")
}

/// Whether a media type falls under one that may be a range: `image/*`.
fn fits(range: &str, kind: &str) -> bool {
    range == kind
        || range == "*/*"
        || range
            .strip_suffix('*')
            .is_some_and(|prefix| prefix.ends_with('/') && kind.starts_with(prefix))
}

fn charset_of(value: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}
