//! The information system behind the provider's node: it answers, and writes down every request that it was asked.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    chance::Chance,
    pour,
    wire::{self, Message, Side},
};

/// What it was asked.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `X-Road-Request-Id`.
    pub request: String,
    /// `X-Road-Id`.
    pub message: String,
    /// Whether something was to be changed.
    pub changes: bool,
}

/// The system. Clones are the same one.
#[derive(Debug, Clone)]
pub struct System {
    /// Where it listens, on every address of the machine.
    pub port: u16,
    asked: Arc<Mutex<Vec<Delivery>>>,
}

impl System {
    /// Begins to answer.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("0.0.0.0:0")?;
        let system = Self {
            port: listener.local_addr()?.port(),
            asked: Arc::default(),
        };
        let answering = system.clone();
        std::thread::spawn(move || {
            for (n, stream) in (0..).zip(listener.incoming().flatten()) {
                let system = answering.clone();
                std::thread::spawn(move || system.serve(stream, n));
            }
        });
        Ok(system)
    }

    /// Everything that it was asked so far.
    pub fn asked(&self) -> Vec<Delivery> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn serve(&self, mut stream: TcpStream, n: u64) {
        let mut chance = Chance::new(n);
        let mut buffer = Vec::new();
        // A request that breaks off was not asked: its sender is gone.
        loop {
            match pour::serve(&mut stream, &mut buffer) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(_) => return,
            }
            let Ok(Some(request)) = wire::read(&mut stream, &mut buffer, Side::Server) else {
                return;
            };
            let text = |name: &str| request.header(name).unwrap_or_default().to_owned();
            let delivery = Delivery {
                request: text("x-road-request-id"),
                message: text("x-road-id"),
                changes: !request.start.starts_with("GET "),
            };
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
            // Some take a while, so that trouble finds them half-way.
            if chance.below(4) == 0 {
                std::thread::sleep(Duration::from_millis(chance.below(60)));
            }
            let (media, body) = answer(&request);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
                return;
            }
        }
    }
}

/// A `POST` is echoed; a `GET` is answered with as much about the person as `size` says.
fn answer(request: &Message) -> (&'static str, Vec<u8>) {
    match request.start.split_once(' ') {
        Some(("GET", path)) => ("application/json", person(path)),
        _ => ("application/octet-stream", request.body.clone()),
    }
}

/// What the system says of the person in a path: `…/persons/{number}?size={bytes}`.
pub fn person(path: &str) -> Vec<u8> {
    let number = path.rsplit('/').next().unwrap_or_default();
    let (number, size) = number.split_once("?size=").unwrap_or((number, "0"));
    let filling = "á".repeat(size.parse::<usize>().unwrap_or(0) / 2);
    serde_json::json!({"number": number, "name": "Nguyễn Văn An", "notes": filling})
        .to_string()
        .into_bytes()
}

/// Where an address of the machine is with the port of the system.
pub fn at(host: std::net::IpAddr, system: &System) -> SocketAddr {
    SocketAddr::new(host, system.port)
}
