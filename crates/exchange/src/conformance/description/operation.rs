//! Operations: what can be called, with what, and what may come back.

use std::collections::BTreeSet;

use base::Text;
use serde_json::Value;

use super::document::{Document, step};
use crate::conformance::{rules::Rule, sheet::Sheet};

/// One method of one path.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Operation {
    /// Where it stands.
    pub pointer: String,
    /// The path with its templates: `/v1/things/{id}`.
    pub path: String,
    /// In capitals.
    pub method: &'static str,
    /// `operationId`.
    pub id: Option<String>,
    /// Its own and those of its path.
    pub parameters: Vec<Parameter>,
    /// What a request body may be.
    pub body: Vec<Content>,
    /// Whether there must be one.
    pub body_required: bool,
    /// What may come back.
    pub responses: Vec<Response>,
    /// Whether a caller has to show who they are; unknown when nothing is said.
    pub secured: Option<bool>,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::conformance) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

/// A parameter.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Parameter {
    pub pointer: String,
    pub name: String,
    pub place: Place,
    pub required: bool,
    /// Pointer to its schema.
    pub schema: Option<String>,
    pub examples: Vec<Value>,
    pub described: bool,
}

/// One media type of a body.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Content {
    pub pointer: String,
    /// In lower case, without parameters.
    pub media_type: String,
    /// Pointer to the schema.
    pub schema: Option<String>,
    pub examples: Vec<Value>,
}

impl Content {
    /// Whether it is JSON (RFC 6839, `+json`).
    pub fn is_json(&self) -> bool {
        is_json(&self.media_type)
    }
}

/// Whether a media type without parameters is JSON.
pub(in crate::conformance) fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

/// Which answers a response describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::conformance) enum Statuses {
    One(u16),
    /// `4XX`: 4.
    Hundred(u16),
    Default,
}

impl Statuses {
    fn parse(text: &str) -> Option<Self> {
        let hundred = text.strip_suffix("XX").and_then(|digit| digit.parse().ok());
        match (text, hundred) {
            ("default", _) => Some(Self::Default),
            (_, Some(hundred @ 1..=5)) => Some(Self::Hundred(hundred)),
            _ => text
                .parse()
                .ok()
                .filter(|code| (100..=599).contains(code))
                .map(Self::One),
        }
    }

    /// Whether it may be an answer of this hundred.
    pub const fn in_hundred(self, hundred: u16) -> bool {
        match self {
            Self::One(code) => code / 100 == hundred,
            Self::Hundred(own) => own == hundred,
            Self::Default => false,
        }
    }
}

/// A described answer.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Response {
    pub pointer: String,
    pub statuses: Statuses,
    /// Names of headers, in lower case.
    pub headers: BTreeSet<String>,
    pub content: Vec<Content>,
}

impl Operation {
    /// `GET /v1/things`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether it changes nothing (RFC 9110, 9.2.1).
    pub fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }

    /// The most particular description of a status.
    pub fn declares(&self, status: u16) -> Option<&Response> {
        let of = |wanted: Statuses| self.responses.iter().find(|r| r.statuses == wanted);
        of(Statuses::One(status))
            .or_else(|| of(Statuses::Hundred(status / 100)))
            .or_else(|| of(Statuses::Default))
    }

    /// Whether it says that what is there already is a conflict.
    pub fn refuses_repetition(&self) -> bool {
        self.responses
            .iter()
            .any(|response| response.statuses == Statuses::One(409))
    }

    /// The described successes.
    pub fn successes(&self) -> impl Iterator<Item = &Response> {
        self.responses.iter().filter(|response| response.statuses.in_hundred(2))
    }

    /// The pointer to the schema of a successful JSON answer.
    pub fn answer_schema(&self) -> Option<&str> {
        self.successes()
            .flat_map(|response| &response.content)
            .find(|content| content.is_json())
            .and_then(|content| content.schema.as_deref())
    }

    /// A parameter.
    pub fn parameter(&self, place: Place, name: &str) -> Option<&Parameter> {
        let same = |own: &str| match place {
            Place::Header => own.eq_ignore_ascii_case(name),
            _ => own == name,
        };
        self.parameters.iter().find(|p| p.place == place && same(&p.name))
    }

    /// The names in the path's templates.
    pub fn templates(&self) -> Vec<&str> {
        templates(&self.path)
    }
}

fn templates(path: &str) -> Vec<&str> {
    path.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}').map(|(name, _)| name))
        .collect()
}

const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("trace", "TRACE"),
];

/// Reads every operation and writes down what is wrong with them.
pub(super) fn read(document: &Document, sheet: &mut Sheet) -> Vec<Operation> {
    let mut operations = Vec::new();
    let paths = document.at("/paths").and_then(Value::as_object);
    for path in paths
        .into_iter()
        .flat_map(|paths| paths.keys())
        .filter(|path| !path.starts_with("x-"))
    {
        let given = format!("/paths/{}", step(path));
        let Some((pointer, item)) = document.follow(&given) else {
            continue;
        };
        sheet.judge(Rule::OpenApiStructure, path.starts_with('/'), &given, || {
            Text::new("Đường dẫn phải bắt đầu bằng “/”.", "A path begins with “/”.")
        });
        for (key, method) in METHODS {
            if item.get(key).is_some() {
                let mut reader = Reader { document, sheet };
                operations.push(reader.operation(&pointer, path, key, method));
            }
        }
    }
    sheet.judge(Rule::OpenApiStructure, !operations.is_empty(), "/paths", || {
        Text::new(
            "Bản mô tả không có thao tác nào.",
            "There is no operation in the description.",
        )
    });
    operations
}

struct Reader<'a> {
    document: &'a Document,
    sheet: &'a mut Sheet,
}

impl Reader<'_> {
    fn wrong(&mut self, good: bool, at: &str, vi: &str, en: &str) {
        self.sheet.judge(Rule::OpenApiStructure, good, at, || Text::new(vi, en));
    }

    fn operation(&mut self, item: &str, path: &str, key: &str, method: &'static str) -> Operation {
        let pointer = format!("{item}/{key}");
        let mut parameters = self.parameters(&format!("{pointer}/parameters"));
        for shared in self.parameters(&format!("{item}/parameters")) {
            if !parameters
                .iter()
                .any(|own| own.name == shared.name && own.place == shared.place)
            {
                parameters.push(shared);
            }
        }
        let templates = templates(path);
        for parameter in parameters.iter().filter(|p| p.place == Place::Path) {
            let there = templates.contains(&parameter.name.as_str());
            self.wrong(
                there && parameter.required,
                &parameter.pointer,
                "Tham số đường dẫn phải có trong đường dẫn và có required: true.",
                "A path parameter stands in the path and has required: true.",
            );
        }
        for name in &templates {
            let there = parameters.iter().any(|p| p.place == Place::Path && p.name == *name);
            self.wrong(
                there,
                &pointer,
                "Đường dẫn có tham số chưa được mô tả.",
                "The path has a parameter that is not described.",
            );
        }
        let body_at = format!("{pointer}/requestBody");
        let body = self.document.follow(&body_at);
        let body_required = body
            .as_ref()
            .is_some_and(|(_, body)| body.get("required") == Some(&Value::Bool(true)));
        let body = match body {
            Some((at, _)) => {
                let content = self.content(&at);
                self.wrong(
                    !content.is_empty(),
                    &at,
                    "requestBody thiếu content.",
                    "`requestBody` has no content.",
                );
                content
            }
            None => Vec::new(),
        };
        let responses = self.responses(&pointer);
        let id = self
            .document
            .at(&format!("{pointer}/operationId"))
            .and_then(Value::as_str);
        let security = self
            .document
            .at(&format!("{pointer}/security"))
            .or_else(|| self.document.at("/security"))
            .and_then(Value::as_array);
        Operation {
            path: path.to_owned(),
            method,
            id: id.map(str::to_owned),
            parameters,
            body,
            body_required,
            responses,
            secured: security
                .map(|list| !list.is_empty() && list.iter().all(|one| one.as_object().is_some_and(|o| !o.is_empty()))),
            pointer,
        }
    }

    fn parameters(&mut self, list: &str) -> Vec<Parameter> {
        let length = self.document.at(list).and_then(Value::as_array).map_or(0, Vec::len);
        let mut found: Vec<Parameter> = Vec::new();
        for n in 0..length {
            let given = format!("{list}/{n}");
            let Some((pointer, parameter)) = self.document.follow(&given) else {
                continue;
            };
            let place = match parameter.get("in").and_then(Value::as_str) {
                Some("path") => Some(Place::Path),
                Some("query") => Some(Place::Query),
                Some("header") => Some(Place::Header),
                Some("cookie") => Some(Place::Cookie),
                _ => None,
            };
            let name = parameter.get("name").and_then(Value::as_str);
            let (Some(place), Some(name)) = (place, name) else {
                self.wrong(
                    false,
                    &pointer,
                    "Tham số thiếu name hoặc in.",
                    "The parameter lacks `name` or `in`.",
                );
                continue;
            };
            let twice = found.iter().any(|other| other.place == place && other.name == name);
            self.wrong(
                !twice,
                &given,
                "Tham số được mô tả hai lần.",
                "The parameter is described twice.",
            );
            let content = self.content(&pointer);
            let schema = parameter.get("schema").map(|_| format!("{pointer}/schema"));
            let schema = schema.or_else(|| content.first().and_then(|content| content.schema.clone()));
            self.wrong(
                schema.is_some(),
                &pointer,
                "Tham số thiếu schema.",
                "The parameter has no schema.",
            );
            found.push(Parameter {
                examples: examples(self.document, &pointer),
                required: parameter.get("required") == Some(&Value::Bool(true)),
                described: is_described(parameter),
                name: name.to_owned(),
                place,
                schema,
                pointer,
            });
        }
        found
    }

    fn responses(&mut self, operation: &str) -> Vec<Response> {
        let list = format!("{operation}/responses");
        let map = self.document.at(&list).and_then(Value::as_object);
        let keys: Vec<String> = map.map(|map| map.keys().cloned().collect()).unwrap_or_default();
        self.wrong(
            !keys.is_empty(),
            operation,
            "Thao tác không mô tả câu trả lời nào.",
            "The operation describes no answer.",
        );
        let mut found = Vec::new();
        for key in keys.iter().filter(|key| !key.starts_with("x-")) {
            let Some((pointer, response)) = self.document.follow(&format!("{list}/{}", step(key))) else {
                continue;
            };
            self.wrong(
                is_described(response),
                &pointer,
                "Câu trả lời thiếu description.",
                "The answer has no description.",
            );
            let Some(statuses) = Statuses::parse(key) else {
                self.wrong(
                    false,
                    &pointer,
                    "Mã trạng thái không hợp lệ.",
                    "This is no status code.",
                );
                continue;
            };
            let headers = response.get("headers").and_then(Value::as_object);
            found.push(Response {
                statuses,
                headers: headers
                    .into_iter()
                    .flat_map(|map| map.keys())
                    .map(|name| name.to_ascii_lowercase())
                    .collect(),
                content: self.content(&pointer),
                pointer,
            });
        }
        found
    }

    fn content(&mut self, owner: &str) -> Vec<Content> {
        let at = format!("{owner}/content");
        let map = self.document.at(&at).and_then(Value::as_object);
        let keys = map.into_iter().flat_map(|map| map.keys());
        keys.map(|key| {
            let pointer = format!("{at}/{}", step(key));
            let schema = self
                .document
                .at(&format!("{pointer}/schema"))
                .map(|_| format!("{pointer}/schema"));
            Content {
                media_type: key.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
                examples: examples(self.document, &pointer),
                schema,
                pointer,
            }
        })
        .collect()
    }
}

pub(super) fn is_described(value: &Value) -> bool {
    ["description", "summary"].iter().any(|key| {
        value
            .get(*key)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.trim().is_empty())
    })
}

/// `example` and the values of `examples` of a parameter or media type.
fn examples(document: &Document, pointer: &str) -> Vec<Value> {
    let Some(owner) = document.at(pointer) else {
        return Vec::new();
    };
    let named = owner.get("examples").and_then(Value::as_object);
    let named = named.into_iter().flat_map(|map| map.keys()).filter_map(|name| {
        let (_, example) = document.follow(&format!("{pointer}/examples/{}", step(name)))?;
        example.get("value").cloned()
    });
    owner.get("example").cloned().into_iter().chain(named).collect()
}
