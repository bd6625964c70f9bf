//! An operator with its keys, and mirrors that serve its folder, honestly or not.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use base::{Clock, Problems, Text, Timestamp, time::FixedClock};
use exchange::{
    directory::{Digest, File, Follower, Following, NamedSigner, Publisher, Quorum, Quorums, Signers, Validity, files},
    model::{
        federation::{AnchorEntry, Description, Directory, Gateway, Member, Service, Subsystem},
        identifier::{MemberId, Part},
        message::LogName,
        meta::ServiceKind,
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use trust::{Algorithm, Authority, Explained, Signer, key::SigningKey};

pub const HOUR: i64 = 3_600;
pub const GRACE: i64 = 72 * HOUR;

pub fn start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-25T08:00:00+07:00").unwrap()
}

pub fn key() -> Arc<dyn Signer> {
    Arc::new(SigningKey::generate(Algorithm::Ed25519).unwrap())
}

pub fn part(text: &str) -> Part {
    Part::new(text).unwrap()
}

pub fn validity() -> Validity {
    Validity {
        root: 1_000 * 86_400,
        edition: 30 * 86_400,
        timestamp: HOUR,
    }
}

/// All keys of a root.
#[derive(Clone)]
pub struct Keys {
    pub root: Vec<Arc<dyn Signer>>,
    pub running: Signers,
}

impl Keys {
    /// Three keys of the root, of which two must sign; two of the edition, which both must; one of the timestamp.
    pub fn new() -> Self {
        Self {
            root: (0..3).map(|_| key()).collect(),
            running: Signers {
                edition: vec![key(), Arc::new(SigningKey::generate(Algorithm::EcdsaP256).unwrap())],
                timestamp: vec![key()],
            },
        }
    }

    pub fn quorums(&self) -> Quorums {
        let quorum = |threshold, keys: &[Arc<dyn Signer>]| Quorum {
            threshold,
            keys: keys.iter().map(|key| key.public_key().clone()).collect(),
        };
        Quorums {
            root: quorum(2, &self.root),
            edition: quorum(2, &self.running.edition),
            timestamp: quorum(1, &self.running.timestamp),
        }
    }
}

pub struct Operator {
    pub folder: TempDir,
    pub keys: Keys,
    pub publisher: Publisher,
    pub fingerprint: Digest,
    pub clock: FixedClock,
    pub authority: Authority,
}

impl Operator {
    pub fn new(instance: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let keys = Keys::new();
        let clock = FixedClock::at(start());
        let (instance, two) = (part(instance), &keys.root[..2]);
        let fingerprint =
            Publisher::found(folder.path(), &instance, &keys.quorums(), two, validity(), start()).unwrap();
        let publisher = Publisher::open(folder.path(), &keys.running, validity(), Arc::new(clock.clone())).unwrap();
        Self {
            authority: Authority::create("CA", key(), start(), 3_650).unwrap(),
            folder,
            keys,
            publisher,
            fingerprint,
            clock,
        }
    }

    pub fn forward(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    /// A directory with as many members.
    pub fn directory(&self, members: usize) -> Directory {
        let instance = self.publisher.instance();
        Directory {
            name: Text::new("Liên thông thử", "Test federation"),
            version: 0,
            issued: Timestamp::default(),
            anchors: vec![AnchorEntry {
                certificate: self.authority.certificate().to_pem(),
                members: vec![],
            }],
            revocations: vec![],
            members: (0..members).map(|n| member(&instance, &format!("H{n:02}"))).collect(),
            witnesses: vec![],
            quorum: 0,
            instance,
        }
    }

    pub fn publish(&self, members: usize) -> u64 {
        self.publisher.publish(self.directory(members)).unwrap()
    }

    /// Publishes a directory whose first member has a service with an OpenAPI document.
    pub fn publish_with_document(&self) -> Description {
        let document = br#"{"openapi":"3.1.0","info":{"title":"Tra","version":"1"}}"#.to_vec();
        let description = Description {
            title: "Tra".into(),
            version: "1".into(),
            sha256: Digest::of(&document).to_string(),
            bytes: document.len() as u64,
        };
        let mut directory = self.directory(2);
        directory.members[0].subsystems.push(Subsystem {
            code: part("dvc"),
            name: Text::new("Dịch vụ công", "Services"),
            services: vec![Service {
                code: part("tra"),
                name: Text::new("Tra cứu", "Look up"),
                kind: ServiceKind::OpenApi,
                description: Some(description.clone()),
                badge: None,
                gateways: vec![],
            }],
        });
        let unknown = self.publisher.publish(directory.clone()).unwrap_err();
        assert_eq!(unknown.code(), "directory-no-document");
        self.publisher.hand_in(&document).unwrap();
        self.publisher.publish(directory).unwrap();
        description
    }

    pub fn rotate(&mut self, keys: Keys, signers: &[Arc<dyn Signer>]) {
        self.publisher.rotate(&keys.quorums(), signers, &keys.running).unwrap();
        self.keys = keys;
    }

    /// The folder as it is now, for a mirror that stays behind.
    pub fn copy(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        copy_folder(self.folder.path(), copy.path());
        copy
    }

    /// A node that has pinned root number 1.
    pub fn node(&self) -> Node {
        let folder = TempDir::new().unwrap();
        let root = fs::read(self.folder.path().join(File::Root(1).path())).unwrap();
        Follower::pin(folder.path(), &root, self.fingerprint).unwrap();
        Node {
            folder,
            clock: self.clock.clone(),
        }
    }
}

pub fn member(instance: &Part, code: &str) -> Member {
    let tls = key();
    let log = format!("{instance}/GOV/{code}/g1");
    let log_key = NamedSigner::new(&log, key()).unwrap();
    Member {
        id: MemberId {
            instance: instance.clone(),
            class: part("GOV"),
            code: part(code),
        },
        name: Text::new(format!("Cơ quan {code}"), format!("Agency {code}")),
        since: start(),
        suspended: None,
        gateways: vec![Gateway {
            code: part("g1"),
            address: "127.0.0.1:5500".into(),
            keys: vec![tls.public_key().id()],
            log: LogName::new(&log).unwrap(),
            log_keys: vec![log_key.key().verifier().to_string()],
            log_url: None,
        }],
        subsystems: vec![],
    }
}

pub fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The folder of a node, and its clock.
pub struct Node {
    pub folder: TempDir,
    pub clock: FixedClock,
}

impl Node {
    pub fn following(&self, mirrors: &[&str]) -> Following {
        Following {
            mirrors: mirrors.iter().map(|&mirror| mirror.to_owned()).collect(),
            folder: self.folder.path().to_owned(),
            every: Duration::from_millis(50),
            patience: Duration::from_millis(400),
            grace: GRACE,
            clock: Arc::new(self.clock.clone()),
        }
    }

    pub async fn open(&self, mirrors: &[&str]) -> base::Result<Follower> {
        Follower::open(self.following(mirrors)).await
    }
}

/// The codes of all that was wrong.
pub fn codes(problems: &Problems) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

pub fn codes_of(error: &base::Error) -> Vec<&str> {
    error.problems().map(codes).unwrap_or_default()
}

/// The router of the crate on a socket.
pub struct Honest {
    pub url: String,
    task: AbortHandle,
}

impl Honest {
    pub async fn serve(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = files(folder.to_owned());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            task: task.abort_handle(),
        }
    }
}

impl Drop for Honest {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a mirror does when it is asked for a file.
#[derive(Clone)]
pub enum Trick {
    /// Sends these bytes.
    Bytes(Vec<u8>),
    /// Sends these bytes, announcing so many.
    Announces(u64, Vec<u8>),
    /// Takes the request and says nothing.
    Hangs,
    /// Sends a byte now and then.
    Drips,
    /// Sends without end, in chunks.
    Endless,
    /// Says that there is no such file.
    Absent,
    /// Answers with another status.
    Status(u16),
}

/// A mirror on a bare socket: serves a folder, but for the files that it plays tricks with.
pub struct Mirror {
    pub url: String,
    tricks: Arc<Mutex<HashMap<String, Trick>>>,
    task: AbortHandle,
    _folder: Option<TempDir>,
}

impl Mirror {
    pub async fn of(folder: &Path) -> Self {
        Self::serve(folder.to_owned(), None).await
    }

    pub async fn own(folder: TempDir) -> Self {
        Self::serve(folder.path().to_owned(), Some(folder)).await
    }

    async fn serve(path: PathBuf, folder: Option<TempDir>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tricks: Arc<Mutex<HashMap<String, Trick>>> = Arc::default();
        let shared = Arc::clone(&tricks);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, path.clone(), Arc::clone(&shared)));
            }
        });
        Self {
            url,
            tricks,
            task: task.abort_handle(),
            _folder: folder,
        }
    }

    pub fn plays(&self, file: File, trick: Trick) {
        self.tricks.lock().unwrap().insert(file.path(), trick);
    }

    pub fn is_honest_again(&self) {
        self.tricks.lock().unwrap().clear();
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, folder: PathBuf, tricks: Arc<Mutex<HashMap<String, Trick>>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    let trick = tricks.lock().unwrap().get(&path).cloned();
    let trick = trick.unwrap_or_else(|| match fs::read(folder.join(&path)) {
        Ok(bytes) => Trick::Bytes(bytes),
        Err(_) => Trick::Absent,
    });
    // The reader breaks off when it has had enough.
    let _ = play(&mut stream, trick).await;
}

async fn play(stream: &mut TcpStream, trick: Trick) -> std::io::Result<()> {
    let head = |status: u16, length: u64| {
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    match trick {
        Trick::Bytes(bytes) => {
            stream.write_all(head(200, bytes.len() as u64).as_bytes()).await?;
            stream.write_all(&bytes).await
        }
        Trick::Announces(length, bytes) => {
            stream.write_all(head(200, length).as_bytes()).await?;
            stream.write_all(&bytes).await
        }
        Trick::Hangs => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
        Trick::Drips => {
            stream.write_all(head(200, 1_000).as_bytes()).await?;
            loop {
                stream.write_all(b"x").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Trick::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
                .await?;
            let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x1_0000], b"\r\n".to_vec()].concat();
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Trick::Absent => stream.write_all(head(404, 0).as_bytes()).await,
        Trick::Status(status) => stream.write_all(head(status, 0).as_bytes()).await,
    }
}
