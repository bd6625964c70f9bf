//! Clients and services of HTTP.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().expect("ASCII"));
        assert!(values.next().is_none(), "{name} stands once");
        value
    }

    pub fn error(&self) -> &str {
        self.header("x-road-error")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The type of the refusal and the codes of its problems.
    pub fn refusal(&self) -> (String, Vec<String>) {
        let body = self.json();
        let problems = body["problems"].as_array().cloned().unwrap_or_default();
        let codes = problems.iter().map(|p| p["code"].as_str().expect("a code").to_owned());
        assert_eq!(body["type"], self.error());
        (self.error().to_owned(), codes.collect())
    }

    /// Both at once, for one problem.
    pub fn refused(&self) -> String {
        let (error, codes) = self.refusal();
        format!("{error} {}", codes.join(" "))
    }
}

pub async fn whole<B>(answer: Response<B>) -> Answer
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (head, body) = answer.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.collect().await.expect("a whole body").to_bytes(),
    }
}

/// A request with the headers that every call has.
pub fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("Host", "node")
        .header("X-Road-Client", "VN/GOV/A/app")
        .header("X-Motcua-Purpose", "dossier.verify")
}

pub async fn send(to: SocketAddr, request: Request<impl Into<Bytes>>) -> Answer {
    let request = request.map(|body| Full::new(body.into()));
    stream(to, request).await
}

pub async fn stream<B>(to: SocketAddr, request: Request<B>) -> Answer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    whole(head(to, request).await).await
}

pub async fn head<B>(to: SocketAddr, request: Request<B>) -> Response<hyper::body::Incoming>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let tcp = TcpStream::connect(to).await.expect("a listener");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp))
        .await
        .expect("HTTP");
    tokio::spawn(connection);
    let (head, body) = request.into_parts();
    // The body is boxed so that it may be of any kind.
    sender
        .send_request(Request::from_parts(head, Box::pin(body)))
        .await
        .expect("an answer")
}

pub async fn get(to: SocketAddr, path: &str) -> Answer {
    send(to, request("GET", path).body("").expect("a request")).await
}

pub async fn post(to: SocketAddr, path: &str, body: impl Into<Bytes>) -> Answer {
    let request = request("POST", path).header("Content-Type", "application/json");
    send(to, request.body(body.into()).expect("a request")).await
}

/// Bytes as they are, and everything that comes back until the end.
pub async fn raw(to: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut tcp = TcpStream::connect(to).await.expect("a listener");
    tcp.write_all(bytes.as_ref()).await.expect("written");
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = tcp.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request line with the headers of every call, the connection closed afterwards.
pub async fn raw_get(to: SocketAddr, target: &[u8]) -> String {
    let head = b" HTTP/1.1\r\nHost: node\r\nConnection: close\r\nX-Road-Client: VN/GOV/A/app\r\nX-Motcua-Purpose: dossier.verify\r\n\r\n";
    raw(to, [b"GET ", target, head].concat()).await
}
