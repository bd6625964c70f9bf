//! A closed-loop load generator: so many connections, each sends its next request when it has read the last answer.
//! It speaks plain HTTP/1.1 with keep-alive to loopback and spends little of the two cores that it shares with the server.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use hdrhistogram::Histogram;

use super::workload::{Operation, Values, fill, pick};

/// Longest answer accepted; more is an error of the server.
const LONGEST_ANSWER: usize = 64 << 20;

/// One connection to the server.
#[derive(Debug)]
pub struct Connection {
    to: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The start of the body, to show to people.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }
}

impl Connection {
    /// A connection that is opened at its first request.
    pub const fn new(to: SocketAddr) -> Self {
        Self {
            to,
            stream: None,
            buffer: Vec::new(),
        }
    }

    /// Sends one request and reads the answer. After an error the next request opens a new connection.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not HTTP/1.1.
    pub fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect_timeout(&self.to, Duration::from_secs(5))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                stream
            }
        };
        stream.write_all(request)?;
        self.buffer.clear();
        let (answer, keep) = read_answer(&mut stream, &mut self.buffer)?;
        if keep {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

fn read_more(stream: &mut impl Read, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut piece = [0; 16 << 10];
    let n = stream.read(&mut piece)?;
    anyhow::ensure!(n > 0, "the server closed the connection");
    anyhow::ensure!(
        buffer.len() + n <= LONGEST_ANSWER,
        "the answer is longer than {LONGEST_ANSWER} bytes"
    );
    buffer.extend(piece.iter().take(n));
    Ok(())
}

/// The answer, and whether the connection may be used again.
fn read_answer(stream: &mut impl Read, buffer: &mut Vec<u8>) -> anyhow::Result<(Answer, bool)> {
    loop {
        read_more(stream, buffer)?;
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(start) = response.parse(buffer)? else {
            continue;
        };
        let status = response.code.unwrap_or(0);
        let header = |name: &str| {
            let found = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(str::to_ascii_lowercase)
        };
        let keep = header("connection").as_deref() != Some("close");
        let length = header("content-length")
            .map(|l| l.trim().parse::<usize>())
            .transpose()
            .context("content-length")?;
        let chunked = header("transfer-encoding").as_deref() == Some("chunked");
        let body = if chunked {
            read_chunks(stream, buffer, start)?
        } else {
            let end = start + length.unwrap_or(0);
            while buffer.len() < end {
                read_more(stream, buffer)?;
            }
            buffer.get(start..end).unwrap_or_default().to_vec()
        };
        return Ok((Answer { status, body }, keep));
    }
}

fn read_chunks(stream: &mut impl Read, buffer: &mut Vec<u8>, mut at: usize) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(buffer.get(at..).unwrap_or_default()) {
            Ok(httparse::Status::Complete((head, size))) => {
                let (start, size) = (at + head, usize::try_from(size)?);
                anyhow::ensure!(size <= LONGEST_ANSWER, "a chunk of {size} bytes");
                while buffer.len() < start + size + 2 {
                    read_more(stream, buffer)?;
                }
                if size == 0 {
                    return Ok(body);
                }
                body.extend_from_slice(buffer.get(start..start + size).unwrap_or_default());
                at = start + size + 2;
            }
            Ok(httparse::Status::Partial) => read_more(stream, buffer)?,
            Err(_) => anyhow::bail!("a chunk has no size"),
        }
    }
}

/// Values for requests, handed out in turn.
#[derive(Debug, Default)]
pub struct Pool {
    values: Mutex<Vec<Values>>,
    next: AtomicUsize,
}

impl Pool {
    /// Adds a set.
    pub fn put(&self, values: Values) {
        if let Ok(mut all) = self.values.lock() {
            all.push(values);
        }
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.values.lock().map_or(0, |all| all.len())
    }

    /// The next set: each once, or round and round.
    fn take(&self, once: bool) -> Option<Values> {
        let all = self.values.lock().ok()?;
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        if once {
            all.get(at).cloned()
        } else {
            all.get(at.checked_rem(all.len())?).cloned()
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Figures {
    /// Seconds measured.
    pub seconds: f64,
    /// Requests answered as expected.
    pub good: u64,
    /// Other answers and broken connections.
    pub errors: u64,
    /// What the first of them said.
    pub first_error: Option<String>,
    /// Times of good answers, in microseconds.
    pub times: Histogram<u64>,
    /// The values ran out before the time did.
    pub ran_out: bool,
}

/// A run to be made.
#[derive(Debug)]
pub struct Run<'a> {
    /// Where.
    pub to: SocketAddr,
    /// What.
    pub operation: &'a Operation,
    /// As whom: a bearer token.
    pub token: Option<&'a str>,
    /// Connections.
    pub concurrency: usize,
    /// How long.
    pub duration: Duration,
    /// Where values come from and go to.
    pub from: Option<Arc<Pool>>,
    /// As `from`.
    pub into: Option<Arc<Pool>>,
    /// Makes unique values differ between runs.
    pub salt: u64,
}

/// The bytes of a request.
pub fn request(operation: &Operation, token: Option<&str>, values: &Values) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n",
        operation.method,
        fill(&operation.path, values)
    );
    if let Some(token) = token {
        head.push_str(&format!("authorization: Bearer {token}\r\n"));
    }
    for line in &operation.headers {
        head.push_str(&fill(line, values));
        head.push_str("\r\n");
    }
    let body = operation.body.as_deref().map(|b| fill(b, values));
    if let Some(body) = &body {
        head.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        ));
    }
    head.push_str("\r\n");
    head.push_str(body.as_deref().unwrap_or_default());
    head.into_bytes()
}

/// A UUID in version 4's shape that no other request of this run has.
pub fn unique(salt: u64, count: u64) -> String {
    let a = mix(salt ^ count.rotate_left(32));
    let b = mix(a ^ count);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

/// The mixing step of SplitMix64.
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Runs it.
///
/// # Errors
/// When a thread cannot be joined.
pub fn run(run: &Run<'_>) -> anyhow::Result<Figures> {
    let count = AtomicU64::new(0);
    let start = Instant::now();
    let deadline = start + run.duration;
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..run.concurrency.max(1))
            .map(|_| scope.spawn(|| work(run, &count, deadline)))
            .collect();
        workers
            .into_iter()
            .map(|w| w.join().map_err(|_| anyhow::anyhow!("a worker panicked"))?)
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let mut parts = parts.into_iter();
    let mut sum = parts.next().context("no worker")?;
    for part in parts {
        sum.good += part.good;
        sum.errors += part.errors;
        sum.ran_out |= part.ran_out;
        sum.first_error = sum.first_error.or(part.first_error);
        sum.times.add(&part.times)?;
    }
    Ok(Figures { seconds, ..sum })
}

fn work(run: &Run<'_>, count: &AtomicU64, deadline: Instant) -> anyhow::Result<Figures> {
    let mut connection = Connection::new(run.to);
    let times = Histogram::new_with_bounds(1, 120_000_000, 3)?;
    let mut figures = Figures {
        seconds: 0.0,
        good: 0,
        errors: 0,
        first_error: None,
        times,
        ran_out: false,
    };
    while Instant::now() < deadline {
        let mut values = match &run.from {
            Some(pool) => match pool.take(run.operation.once) {
                Some(values) => values,
                None => {
                    figures.ran_out = true;
                    break;
                }
            },
            None => Values::new(),
        };
        let n = count.fetch_add(1, Ordering::Relaxed);
        values.insert("unique".to_owned(), unique(run.salt, n));
        values.insert("count".to_owned(), n.to_string());
        let bytes = request(run.operation, run.token, &values);
        let sent = Instant::now();
        match connection.ask(&bytes) {
            Ok(answer) if run.operation.expect.contains(&answer.status) => {
                let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
                figures.times.saturating_record(micros.max(1));
                figures.good += 1;
                if let Some(into) = &run.into
                    && let Some(mut kept) = pick(&answer.json(), &run.operation.keep)
                {
                    kept.extend(
                        run.operation
                            .carry
                            .iter()
                            .filter_map(|name| values.get_key_value(name))
                            .map(|(k, v)| (k.clone(), v.clone())),
                    );
                    into.put(kept);
                }
            }
            Ok(answer) => {
                figures.errors += 1;
                let said = answer.text();
                figures
                    .first_error
                    .get_or_insert_with(|| format!("{}: {said}", answer.status));
            }
            Err(error) => {
                figures.errors += 1;
                figures.first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes a few at a time, as a network may.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let n = self.0.len().min(3).min(buffer.len());
            let (now, later) = self.0.split_at(n);
            buffer.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            self.0 = later;
            Ok(n)
        }
    }

    #[test]
    fn answers_are_read_whole() -> anyhow::Result<()> {
        let plain = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhello";
        let (answer, keep) = read_answer(&mut Slow(plain), &mut Vec::new())?;
        assert_eq!(
            (answer.status, answer.body.as_slice(), keep),
            (201, b"hello".as_slice(), true)
        );
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let (answer, keep) = read_answer(&mut Slow(chunked), &mut Vec::new())?;
        assert_eq!((answer.body.as_slice(), keep), (b"abcde".as_slice(), false));
        assert!(
            read_answer(
                &mut Slow(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"),
                &mut Vec::new()
            )
            .is_err()
        );
        Ok(())
    }

    #[test]
    fn a_pool_hands_out_once_or_for_ever() {
        let pool = Pool::default();
        for n in 0..2 {
            pool.put(Values::from([("id".to_owned(), n.to_string())]));
        }
        assert!(pool.take(true).is_some() && pool.take(true).is_some() && pool.take(true).is_none());
        assert!(pool.take(false).is_some(), "round and round");
        assert_eq!(Pool::default().take(false), None);
    }

    #[test]
    fn unique_values_are_uuids_and_differ() {
        let all: std::collections::BTreeSet<_> = (0..10_000).map(|n| unique(7, n)).collect();
        assert_eq!(all.len(), 10_000);
        assert!(all.iter().all(|u| u.len() == 36 && u.as_bytes().get(14) == Some(&b'4')));
        assert_ne!(unique(7, 1), unique(8, 1));
    }

    #[test]
    fn a_run_counts_good_answers_and_errors() -> anyhow::Result<()> {
        let server = std::net::TcpListener::bind("127.0.0.1:0")?;
        let to = server.local_addr()?;
        std::thread::spawn(move || {
            for (n, stream) in server.incoming().flatten().enumerate() {
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let mut piece = [0; 4096];
                    while stream.read(&mut piece).is_ok_and(|n| n > 0) {
                        let answer: &[u8] = if n == 0 {
                            b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"id\":\"x1\"}"
                        } else {
                            b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy"
                        };
                        if stream.write_all(answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        let operation: Operation =
            toml::from_str("id='a'\nname='A'\nmethod='GET'\npath='/'\nexpect=[200]\ninto='p'\nkeep={id='/id'}")?;
        let pool = Arc::new(Pool::default());
        let figures = run(&Run {
            to,
            operation: &operation,
            token: None,
            concurrency: 2,
            duration: Duration::from_millis(200),
            from: None,
            into: Some(Arc::clone(&pool)),
            salt: 1,
        })?;
        assert!(figures.good > 0 && figures.errors > 0);
        assert_eq!(figures.first_error.as_deref(), Some("503: busy"));
        assert_eq!((figures.times.len(), pool.len() as u64), (figures.good, figures.good));
        Ok(())
    }
}
