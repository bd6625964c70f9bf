//! A small service that keeps every house rule, and can be told to break one.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, Response, StatusCode, header},
};
use serde_json::{Value, json};

/// What the service does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Reading P-0001 gives P-0002 and the other way round.
    SwapsTwoIds,
    /// The same, but each says it is the one that was asked for.
    SwapsTwoContents,
    /// What is read says the status is `lost`, which the schema does not know.
    WrongShape,
    /// A field that has to be there is missing.
    MissingField,
    /// Malformed JSON gives a 500.
    ServerError,
    /// Errors are plain text.
    PlainErrors,
    /// The status in the body is another than that of the answer.
    LyingProblem,
    /// What is wrong is taken.
    TakesAnything,
    /// Unknown things get a 410, which is not described.
    UndescribedStatus,
    /// Every page begins one item too early.
    PagesRepeat,
    /// Every page begins one item too late.
    PagesMiss,
    /// One item more than `limit`.
    PagesTooLong,
    /// `If-None-Match` is ignored.
    NoNotModified,
    /// A key is forgotten at once.
    ForgetsKeys,
    /// The caller may be anybody.
    NoAuth,
    /// An unknown path gives the start page.
    PathsAllFound,
    /// A wrong method gives a page.
    MethodsAllFound,
    /// An error shows where in the source it came from.
    Leaks,
    /// The server says what it is.
    Boasts,
    /// JSON is said to be Latin-1.
    Latin1,
    /// A date and time have no offset.
    NoOffset,
}

/// A running service.
pub struct Service {
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    pub fn url(&self) -> String {
        format!("http://{}/openapi.json", self.address)
    }

    pub async fn with_fault(fault: Fault) -> Self {
        Self::start(fault, description()).await
    }

    pub async fn start(fault: Fault, description: Value) -> Self {
        let validator = {
            let mut root = description.clone();
            root["$ref"] = json!("#/components/schemas/NewPermit");
            jsonschema::validator_for(&root).ok()
        };
        let state = Arc::new(Shop {
            fault,
            description,
            validator,
            permits: Mutex::new((1..=7).map(permit).collect()),
            keys: Mutex::default(),
        });
        let app = axum::Router::new().fallback(handle).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move { axum::serve(listener, app).await.expect("serving") });
        Self { address, task }
    }
}

pub fn description() -> Value {
    serde_json::from_str(include_str!("sample.json")).expect("the description is JSON")
}

struct Shop {
    fault: Fault,
    description: Value,
    validator: Option<jsonschema::Validator>,
    permits: Mutex<Vec<Value>>,
    keys: Mutex<HashMap<String, (Vec<u8>, Value)>>,
}

fn permit(n: usize) -> Value {
    json!({
        "id": format!("P-{n:04}"), "agency_code": "000.00.12.H41", "dossier_code": format!("H29-261121-{n:04}"),
        "status": if n.is_multiple_of(2) { "draft" } else { "issued" }, "fee": 100_000 + n,
        "issued_at": "2026-11-21T10:00:00+07:00", "language": "vi",
    })
}

type Answer = Response<Body>;

async fn handle(State(shop): State<Arc<Shop>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default().to_vec();
    let mut answer = match path.as_str() {
        "/openapi.json" => json_answer(StatusCode::OK, "application/json", &shop.description),
        "/api/v1/permits" => match parts.method {
            Method::GET | Method::HEAD => shop.list(&query),
            Method::POST => shop.make(&parts.headers, &body),
            Method::OPTIONS => allow(StatusCode::NO_CONTENT, "GET, HEAD, POST, OPTIONS"),
            _ => shop.not_allowed("GET, HEAD, POST, OPTIONS"),
        },
        "/api/v1/me" => match parts.method {
            Method::GET | Method::HEAD => shop.me(&parts.headers),
            Method::OPTIONS => allow(StatusCode::NO_CONTENT, "GET, HEAD, OPTIONS"),
            _ => shop.not_allowed("GET, HEAD, OPTIONS"),
        },
        path => match (path.strip_prefix("/api/v1/permits/"), parts.method) {
            (Some(id), Method::GET | Method::HEAD) => shop.read(id, &parts.headers),
            (Some(_), Method::OPTIONS) => allow(StatusCode::NO_CONTENT, "GET, HEAD, OPTIONS"),
            (Some(_), _) => shop.not_allowed("GET, HEAD, OPTIONS"),
            (None, _) if shop.fault == Fault::PathsAllFound => {
                json_answer(StatusCode::OK, "application/json", &json!({}))
            }
            (None, _) => shop.refuse(StatusCode::NOT_FOUND, "not-found"),
        },
    };
    if shop.fault == Fault::Boasts {
        answer
            .headers_mut()
            .insert(header::SERVER, "Apache/2.4.1".parse().expect("a header"));
    }
    answer
}

impl Shop {
    fn refuse(&self, status: StatusCode, code: &str) -> Answer {
        if self.fault == Fault::PlainErrors {
            return answer(status, "text/plain", "no".into());
        }
        if self.fault == Fault::ServerError && code == "not-json" {
            return self.refuse(StatusCode::INTERNAL_SERVER_ERROR, "oops");
        }
        let said = if self.fault == Fault::LyingProblem {
            200
        } else {
            status.as_u16()
        };
        let trace = if self.fault == Fault::Leaks {
            "thread 'main' panicked at src/main.rs:7"
        } else {
            ""
        };
        let body = json!({
            "type": "about:blank", "title": "Refused", "status": said,
            "problems": [{ "code": code, "at": "", "vi": "Yêu cầu không hợp lệ.", "en": format!("The request is wrong. {trace}") }],
        });
        json_answer(status, "application/problem+json", &body)
    }

    fn not_allowed(&self, methods: &str) -> Answer {
        if self.fault == Fault::MethodsAllFound {
            return json_answer(StatusCode::OK, "application/json", &json!({}));
        }
        let mut answer = self.refuse(StatusCode::METHOD_NOT_ALLOWED, "method");
        answer
            .headers_mut()
            .insert(header::ALLOW, methods.parse().expect("a header"));
        answer
    }

    fn list(&self, query: &str) -> Answer {
        let (mut limit, mut from, mut status) = (20, 0, None);
        let permits = self.permits.lock().expect("permits").clone();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let bad = self.fault != Fault::TakesAnything;
            match name {
                "limit" => match value.parse() {
                    Ok(n @ 1..=100) => limit = n,
                    _ if bad => return self.refuse(StatusCode::UNPROCESSABLE_ENTITY, "limit"),
                    _ => {}
                },
                "cursor" => match permits.iter().position(|permit| permit["id"] == *value) {
                    Some(place) => from = place + 1,
                    None if bad => return self.refuse(StatusCode::UNPROCESSABLE_ENTITY, "cursor"),
                    None => {}
                },
                "status" if ["draft", "issued", "revoked"].contains(&value) => status = Some(value.to_owned()),
                "status" if bad => return self.refuse(StatusCode::UNPROCESSABLE_ENTITY, "status"),
                _ => {}
            }
        }
        match self.fault {
            Fault::PagesRepeat if from > 0 => from -= 1,
            Fault::PagesMiss if from > 0 => from += 1,
            Fault::PagesTooLong => limit += 1,
            _ => {}
        }
        let wanted = |permit: &&Value| status.as_ref().is_none_or(|status| permit["status"] == **status);
        let rest: Vec<Value> = permits.iter().skip(from).filter(wanted).cloned().collect();
        let items: Vec<Value> = rest.iter().take(limit).map(|permit| self.shown(permit)).collect();
        let mut page = json!({ "items": items });
        if rest.len() > limit {
            page["next"] = rest[limit - 1]["id"].clone();
        }
        json_answer(StatusCode::OK, self.json(), &page)
    }

    fn json(&self) -> &'static str {
        if self.fault == Fault::Latin1 {
            "application/json; charset=iso-8859-1"
        } else {
            "application/json"
        }
    }

    fn shown(&self, permit: &Value) -> Value {
        let mut permit = permit.clone();
        match self.fault {
            Fault::WrongShape => permit["status"] = json!("lost"),
            Fault::MissingField => drop(permit.as_object_mut().and_then(|fields| fields.remove("fee"))),
            Fault::NoOffset => permit["issued_at"] = json!("2026-11-21T10:00:00"),
            _ => {}
        }
        permit
    }

    fn read(&self, id: &str, headers: &HeaderMap) -> Answer {
        let shaped = id.len() == 6 && id.starts_with("P-") && id[2..].bytes().all(|c| c.is_ascii_digit());
        if !shaped {
            return self.refuse(StatusCode::UNPROCESSABLE_ENTITY, "id");
        }
        let wanted = match (self.fault, id) {
            (Fault::SwapsTwoIds | Fault::SwapsTwoContents, "P-0001") => "P-0002",
            (Fault::SwapsTwoIds | Fault::SwapsTwoContents, "P-0002") => "P-0001",
            _ => id,
        };
        let permits = self.permits.lock().expect("permits");
        let Some(permit) = permits.iter().find(|permit| permit["id"] == *wanted) else {
            let status = if self.fault == Fault::UndescribedStatus {
                StatusCode::GONE
            } else {
                StatusCode::NOT_FOUND
            };
            return self.refuse(status, "not-found");
        };
        let mut permit = self.shown(permit);
        if self.fault == Fault::SwapsTwoContents {
            permit["id"] = json!(id);
        }
        let etag = format!("\"{id}-1\"");
        let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| *tag == *etag);
        if known && self.fault != Fault::NoNotModified {
            return answer(StatusCode::NOT_MODIFIED, "", String::new());
        }
        let mut answer = json_answer(StatusCode::OK, self.json(), &permit);
        answer
            .headers_mut()
            .insert(header::ETAG, etag.parse().expect("a header"));
        answer
    }

    fn me(&self, headers: &HeaderMap) -> Answer {
        let known = headers
            .get(header::AUTHORIZATION)
            .is_some_and(|value| value == "Bearer thu-nghiem");
        if !known && self.fault != Fault::NoAuth {
            return self.refuse(StatusCode::UNAUTHORIZED, "unauthenticated");
        }
        json_answer(
            StatusCode::OK,
            self.json(),
            &json!({ "subsystem": "VN/GOV/000.00.00.H26/motcua" }),
        )
    }

    fn make(&self, headers: &HeaderMap, body: &[u8]) -> Answer {
        let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
            return self.refuse(StatusCode::BAD_REQUEST, "key-missing");
        };
        if headers
            .get(header::CONTENT_TYPE)
            .is_none_or(|kind| kind != "application/json")
        {
            return self.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type");
        }
        let Ok(new) = serde_json::from_slice::<Value>(body) else {
            return self.refuse(StatusCode::BAD_REQUEST, "not-json");
        };
        let good = self
            .validator
            .as_ref()
            .is_some_and(|validator| validator.is_valid(&new));
        if !good && self.fault != Fault::TakesAnything {
            return self.refuse(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        }
        let mut keys = self.keys.lock().expect("keys");
        if let Some((former, made)) = keys.get(key).filter(|_| self.fault != Fault::ForgetsKeys) {
            if former.as_slice() != body {
                return self.refuse(StatusCode::CONFLICT, "key-used");
            }
            return json_answer(StatusCode::CREATED, self.json(), made);
        }
        let mut permits = self.permits.lock().expect("permits");
        let made = json!({
            "id": format!("P-{:04}", permits.len() + 1), "agency_code": "H29.1.2", "status": "draft",
            "fee": 150_000, "issued_at": null,
        });
        permits.push(made.clone());
        keys.insert(key.to_owned(), (body.to_vec(), made.clone()));
        json_answer(StatusCode::CREATED, self.json(), &made)
    }
}

fn allow(status: StatusCode, methods: &str) -> Answer {
    let mut answer = answer(status, "", String::new());
    answer
        .headers_mut()
        .insert(header::ALLOW, methods.parse().expect("a header"));
    answer
}

fn json_answer(status: StatusCode, kind: &str, value: &Value) -> Answer {
    answer(status, kind, value.to_string())
}

fn answer(status: StatusCode, kind: &str, body: String) -> Answer {
    let mut answer = Response::builder().status(status);
    if !kind.is_empty() {
        answer = answer.header(header::CONTENT_TYPE, kind);
    }
    answer.body(Body::from(body)).expect("an answer")
}
