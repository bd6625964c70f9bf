//! A real timestamping authority: `openssl ts` behind a small HTTP server.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Bytes, http::header, routing::post};
use tempfile::TempDir;
use tokio::net::TcpListener;

const CONFIGURATION: &str = "
[tsa]
default_tsa = here
[here]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ordering = yes
ess_cert_id_alg = sha256
[good]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
";

pub struct Tsa {
    folder: Arc<TempDir>,
    pub url: String,
}

impl Tsa {
    pub async fn start() -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let dir = folder.path();
        std::fs::write(dir.join("ts.cnf"), CONFIGURATION).expect("written");
        std::fs::write(dir.join("serial"), "01\n").expect("written");
        let new = "req -new -nodes -newkey rsa:2048";
        openssl(
            dir,
            &format!("{new} -x509 -keyout ca.key -out ca.pem -days 9 -subj /CN=TSA-root"),
        );
        openssl(dir, &format!("{new} -keyout tsa.key -out tsa.csr -subj /CN=TSA"));
        openssl(
            dir,
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -extfile ts.cnf -extensions good -out tsa.pem",
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/tsa", listener.local_addr().expect("an address"));
        let here = Arc::clone(&folder);
        let answer = move |query: Bytes| {
            let folder = Arc::clone(&here);
            async move {
                let answer = tokio::task::spawn_blocking(move || answer(folder.path(), &query)).await;
                (
                    [(header::CONTENT_TYPE, "application/timestamp-reply")],
                    answer.expect("an answer"),
                )
            }
        };
        let app = Router::new().route("/tsa", post(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { folder, url }
    }

    /// The certificate of its CA.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

fn answer(dir: &Path, query: &[u8]) -> Vec<u8> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("query-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    std::fs::write(dir.join(&name), query).expect("written");
    openssl(
        dir,
        &format!("ts -reply -config ts.cnf -queryfile {name} -section here"),
    )
}

pub fn openssl(dir: &Path, arguments: &str) -> Vec<u8> {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(dir)
        .output()
        .expect("openssl");
    assert!(
        done.status.success(),
        "{arguments}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    done.stdout
}
