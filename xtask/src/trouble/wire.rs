//! As much of HTTP/1.1 as the trial needs: one call to a connection, and a server that reads requests.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::Context;

/// Longest message that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// A message as it came.
#[derive(Debug)]
pub struct Message {
    /// `GET /path` of a request, the status of an answer.
    pub start: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// All of its body.
    pub body: Vec<u8>,
}

impl Message {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The status of an answer.
    pub fn status(&self) -> u16 {
        self.start.parse().unwrap_or(0)
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The start of the body, to show to people.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }
}

/// Calls once. The error says how far it came.
///
/// # Errors
/// When the connection breaks, or the answer is late or not whole.
pub fn call(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    patience: Duration,
) -> anyhow::Result<Message> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(5)).context("connecting")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).context("sending")?;
    // A refusal may come before all of the body has gone: it is read all the same.
    let sent = stream.write_all(body);
    let mut buffer = Vec::new();
    match read(&mut stream, &mut buffer, Side::Client) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => anyhow::bail!("closed without an answer ({sent:?})"),
        Err(error) => Err(error.context(format!("reading the answer ({sent:?})"))),
    }
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// An answer.
    Client,
    /// A request.
    Server,
}

/// Reads one message; none when the other end has closed before its first byte. What came behind it stays in the buffer.
///
/// # Errors
/// When it is not whole, or no HTTP/1.1.
pub fn read(stream: &mut impl Read, buffer: &mut Vec<u8>, side: Side) -> anyhow::Result<Option<Message>> {
    let (start, mut message, length) = loop {
        if let Some(found) = head(buffer, side)? {
            break found;
        }
        if !more(stream, buffer)? {
            anyhow::ensure!(buffer.is_empty(), "broke off within the head");
            return Ok(None);
        }
    };
    let Length::Bytes(length) = length else {
        buffer.drain(..start);
        message.body = chunks(stream, buffer)?;
        return Ok(Some(message));
    };
    let end = start + length;
    anyhow::ensure!(end <= LONGEST, "a message of {end} bytes");
    while buffer.len() < end {
        anyhow::ensure!(more(stream, buffer)?, "broke off within the body");
    }
    let rest = buffer.split_off(end);
    message.body = buffer.split_off(start);
    *buffer = rest;
    Ok(Some(message))
}

/// The head of the next request, left in the buffer; and the length that it announces. None when the other end has closed.
///
/// # Errors
/// When it is not whole, or no HTTP/1.1.
pub fn peek(stream: &mut impl Read, buffer: &mut Vec<u8>) -> anyhow::Result<Option<(Message, Option<u64>)>> {
    loop {
        if let Some((_, message, length)) = head(buffer, Side::Server)? {
            let length = match length {
                Length::Bytes(bytes) => Some(bytes as u64),
                Length::Chunked => None,
            };
            return Ok(Some((message, length)));
        }
        if !more(stream, buffer)? {
            anyhow::ensure!(buffer.is_empty(), "broke off within the head");
            return Ok(None);
        }
    }
}

/// Takes the head of a request out of the buffer.
///
/// # Errors
/// When there is no whole one.
pub fn skip_head(buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    let (start, ..) = head(buffer, Side::Server)?.context("no head")?;
    buffer.drain(..start);
    Ok(())
}

/// Reads the head of an answer and takes it out of the buffer; gives its status and the length that it announces.
///
/// # Errors
/// When it is not whole, or no HTTP/1.1.
pub fn answer_head(stream: &mut impl Read, buffer: &mut Vec<u8>) -> anyhow::Result<(u16, Option<u64>)> {
    loop {
        if let Some((start, message, length)) = head(buffer, Side::Client)? {
            buffer.drain(..start);
            let length = match length {
                Length::Bytes(bytes) => Some(bytes as u64),
                Length::Chunked => None,
            };
            return Ok((message.status(), length));
        }
        anyhow::ensure!(more(stream, buffer)?, "broke off within the head of the answer");
    }
}

fn more(stream: &mut impl Read, buffer: &mut Vec<u8>) -> anyhow::Result<bool> {
    let mut piece = [0; 64 << 10];
    let n = stream.read(&mut piece)?;
    buffer.extend(piece.iter().take(n));
    Ok(n > 0)
}

/// Reads a chunked body; trailers are none that this program asks for.
fn chunks(stream: &mut impl Read, buffer: &mut Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(buffer) {
            Ok(httparse::Status::Complete((head, size))) => {
                let end = head + usize::try_from(size)? + 2;
                anyhow::ensure!(body.len() + end <= LONGEST, "a chunk of {size} bytes");
                while buffer.len() < end {
                    anyhow::ensure!(more(stream, buffer)?, "broke off within a chunk");
                }
                body.extend(buffer.drain(..end).skip(head));
                body.truncate(body.len() - 2);
                if size == 0 {
                    return Ok(body);
                }
            }
            Ok(httparse::Status::Partial) => anyhow::ensure!(more(stream, buffer)?, "broke off between chunks"),
            Err(_) => anyhow::bail!("a chunk has no size"),
        }
    }
}

/// How long a body is.
enum Length {
    Bytes(usize),
    Chunked,
}

/// The head, where its body begins and how long that is.
fn head(buffer: &[u8], side: Side) -> anyhow::Result<Option<(usize, Message, Length)>> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let (start, first, headers) = if side == Side::Client {
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(buffer)? {
            httparse::Status::Complete(at) => (at, response.code.unwrap_or(0).to_string(), response.headers),
            httparse::Status::Partial => return Ok(None),
        }
    } else {
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(buffer)? {
            httparse::Status::Complete(at) => {
                let line = format!(
                    "{} {}",
                    request.method.unwrap_or_default(),
                    request.path.unwrap_or_default()
                );
                (at, line, request.headers)
            }
            httparse::Status::Partial => return Ok(None),
        }
    };
    let headers: Vec<_> = headers
        .iter()
        .map(|h| {
            (
                h.name.to_ascii_lowercase(),
                String::from_utf8_lossy(h.value).into_owned(),
            )
        })
        .collect();
    let message = Message {
        start: first,
        headers,
        body: Vec::new(),
    };
    let length = match (message.header("content-length"), message.header("transfer-encoding")) {
        (Some(length), None) => Length::Bytes(length.trim().parse().context("content-length")?),
        (None, Some("chunked")) => Length::Chunked,
        (None, None) if side == Side::Server || message.start == "204" => Length::Bytes(0),
        _ => anyhow::bail!("a message without a length"),
    };
    Ok(Some((start, message, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_one_after_the_other_and_broken_ones_are_not() -> anyhow::Result<()> {
        let two = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\nX-Road-Id: 7\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n";
        let (mut stream, mut buffer) = (&two[..], Vec::new());
        let first = read(&mut stream, &mut buffer, Side::Server)?.context("one")?;
        assert_eq!(
            (first.start.as_str(), first.header("x-road-id"), &first.body[..]),
            ("POST /a", Some("7"), &b"abc"[..])
        );
        let second = read(&mut stream, &mut buffer, Side::Server)?.context("two")?;
        assert_eq!(second.start, "GET /b");
        assert!(read(&mut stream, &mut buffer, Side::Server)?.is_none());
        let mut torn = &b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"[..];
        assert!(
            read(&mut torn, &mut Vec::new(), Side::Client).is_err(),
            "a body that breaks off is no answer"
        );
        Ok(())
    }
}
