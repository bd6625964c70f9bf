//! A node that speaks the protocol itself, rightly or not.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use exchange::model::{
    Field, Method,
    address::Target,
    message::{ContentDigest, Evidence, LogName, RequestRecord},
};
use futures::{StreamExt, stream, stream::BoxStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ledger::{Kind, Receipt};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use trust::Tls;

use crate::{
    http::{Answer, whole},
    world::{Identity, now},
};

pub type Frames = StreamBody<BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>;

/// A connection to the listener for nodes on which nothing was said yet, with whatever certificate.
pub async fn shaken(tls: &Tls, code: &str, to: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let member = trust::MemberId::new("VN", "GOV", code).expect("a member");
    let config = tls.client(&member, &[b"h2"]).expect("a configuration");
    let tcp = TcpStream::connect(to).await?;
    let name = ServerName::try_from("127.0.0.1").expect("an address");
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

/// A connection to the listener for nodes, with whatever certificate.
pub async fn connect(tls: &Tls, code: &str, to: SocketAddr) -> std::io::Result<SendRequest<Frames>> {
    let stream = shaken(tls, code, to).await?;
    let shaken = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(128 << 10)
        .handshake(TokioIo::new(stream))
        .await;
    let (sender, connection) = shaken.map_err(std::io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// What is to be said.
pub struct Draft {
    pub method: Method,
    pub target: String,
    pub client: String,
    pub request_id: String,
    pub purpose: String,
    pub body: &'static str,
    pub created: u64,
    pub log: LogName,
}

/// A message that could be sent.
#[derive(Clone)]
pub struct Message {
    pub method: String,
    pub target: String,
    /// Those of the record, with `Content-Digest` and `Motcua-Input`, then the evidence.
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub record: Vec<u8>,
}

pub fn seconds() -> u64 {
    u64::try_from(now().micros() / 1_000_000).expect("after 1970")
}

/// A sound message of a node, logged and proved; `change` before it is logged.
pub async fn message(id: &Identity, change: impl FnOnce(&mut Draft)) -> Message {
    let mut draft = Draft {
        method: Method::Post,
        target: "/r1/VN/GOV/B/reg/echo/x".to_owned(),
        client: format!("VN/GOV/{}/app", id.code),
        request_id: uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string(),
        purpose: "dossier.verify".to_owned(),
        body: "hello",
        created: seconds(),
        log: id.name(),
    };
    change(&mut draft);
    let field = |name: &str, value: &str| Field::new(name.as_bytes(), value.as_bytes()).expect("a field");
    let record = RequestRecord::new(
        draft.method,
        Target::parse(draft.target.as_bytes()).expect("a target"),
        ContentDigest::of(draft.body.as_bytes()),
        [
            field("x-road-client", &draft.client),
            field("x-road-id", "an-id"),
            field("x-road-request-id", &draft.request_id),
            field("x-motcua-purpose", &draft.purpose),
            field("x-custom", "1"),
        ],
        draft.created,
        draft.log,
    )
    .expect("a record");
    let receipt = id.log.append(Kind::MESSAGE, record.to_bytes()).await.expect("logged");
    let evidence = evidence(&receipt).to_fields().expect("evidence");
    Message {
        method: record.method().as_str().to_owned(),
        target: draft.target,
        body: draft.body.as_bytes().to_vec(),
        record: record.to_bytes(),
        fields: record
            .into_fields()
            .iter()
            .chain(&evidence)
            .map(|f| (f.name().to_owned(), f.value().to_vec()))
            .collect(),
    }
}

/// What a node sends of a receipt.
pub fn evidence(receipt: &Receipt) -> Evidence {
    Evidence {
        salt: receipt.salt.0,
        index: receipt.index,
        path: receipt.path.clone(),
        checkpoint: receipt.checkpoint.to_string().into_bytes(),
    }
}

impl Message {
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let field = self.fields.iter_mut().find(|(n, _)| n == name).expect("there");
        field.1 = value.as_ref().to_vec();
    }

    pub fn get(&self, name: &str) -> Vec<u8> {
        self.fields.iter().find(|(n, _)| n == name).expect("there").1.clone()
    }

    pub fn drop(&mut self, name: &str) {
        self.fields.retain(|(n, _)| n != name);
    }

    pub fn add(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.as_bytes().to_vec()));
    }

    fn is_of_nodes(name: &str) -> bool {
        name == "content-digest" || name.starts_with("motcua-")
    }

    /// With what proves it at the head, or in the trailers.
    pub fn request(&self, trailers: bool) -> Request<Frames> {
        let (behind, before): (Vec<_>, Vec<_>) = self
            .fields
            .iter()
            .partition(|(name, _)| trailers && Self::is_of_nodes(name));
        let mut frames: Vec<_> = self
            .body
            .chunks(2)
            .map(|c| Ok(Frame::data(Bytes::copy_from_slice(c))))
            .collect();
        if trailers {
            frames.push(Ok(Frame::trailers(map(&behind))));
        }
        let mut request = Request::new(StreamBody::new(stream::iter(frames).boxed()));
        *request.method_mut() = self.method.parse().expect("a method");
        *request.uri_mut() = format!("https://node{}", self.target).parse().expect("a target");
        *request.headers_mut() = map(&before);
        request
    }

    /// Sends the head and half of the body, and then nothing more.
    pub async fn stall(&self, to: &SendRequest<Frames>) -> Answer {
        let half = Bytes::copy_from_slice(&self.body[..self.body.len() / 2]);
        let body = stream::iter([Ok(Frame::data(half))]).chain(stream::pending()).boxed();
        let request = self.request(false).map(|_| StreamBody::new(body));
        whole(to.clone().send_request(request).await.expect("an answer")).await
    }

    pub async fn send(&self, to: &SendRequest<Frames>) -> Answer {
        whole(self.head(to, false).await).await
    }

    pub async fn send_with_trailers(&self, to: &SendRequest<Frames>) -> Answer {
        whole(self.head(to, true).await).await
    }

    async fn head(&self, to: &SendRequest<Frames>, trailers: bool) -> Response<Incoming> {
        to.clone()
            .send_request(self.request(trailers))
            .await
            .expect("an answer")
    }
}

fn map(fields: &[&(String, Vec<u8>)]) -> HeaderMap {
    let fields = fields.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        (name, HeaderValue::from_bytes(value).expect("a value"))
    });
    fields.fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(name, value);
        map
    })
}
