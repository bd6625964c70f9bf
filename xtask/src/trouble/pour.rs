//! Bodies that are too large to hold: made, sent, read and compared as they pass. Whoever reads them knows whether all came, in
//! their order and unchanged.

use std::io::{Read, Write};

use anyhow::Context;

use super::wire;

/// Bytes that are made, sent or read at once at most.
const PIECE: usize = 256 << 10;

/// What is poured: one piece that looks like chance, over and over, each time with its number in its first eight bytes.
struct Pattern(Vec<u8>);

impl Pattern {
    fn new() -> Self {
        let words = (0..PIECE as u64 / 8).map(|n| n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        Self(words.flatten().collect())
    }

    /// The bytes from `at` to the end of their piece.
    fn from(&mut self, at: u64) -> &[u8] {
        let (number, within) = (at / PIECE as u64, at % PIECE as u64);
        for (to, from) in self.0.iter_mut().zip(number.to_be_bytes()) {
            *to = from;
        }
        self.0.get(usize::try_from(within).unwrap_or(0)..).unwrap_or_default()
    }
}

/// The first bytes, so many as fit into a length.
fn first(bytes: &[u8], length: u64) -> &[u8] {
    let many = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(..many).unwrap_or_default()
}

/// Writes so many bytes.
///
/// # Errors
/// When the other end takes no more.
pub fn out(stream: &mut impl Write, bytes: u64) -> std::io::Result<()> {
    let mut pattern = Pattern::new();
    let mut at = 0;
    while at < bytes {
        let piece = first(pattern.from(at), bytes - at);
        stream.write_all(piece)?;
        at += piece.len() as u64;
    }
    Ok(())
}

/// Reads so many bytes, the first of which are in `buffer` already, and compares each.
///
/// # Errors
/// When they break off, or one is another than was sent.
pub fn check(stream: &mut impl Read, buffer: &mut Vec<u8>, bytes: u64) -> anyhow::Result<()> {
    let (mut pattern, mut piece) = (Pattern::new(), vec![0; PIECE]);
    let mut at = 0;
    while at < bytes {
        let expected = first(pattern.from(at), bytes - at);
        let room = piece.get_mut(..expected.len()).unwrap_or_default();
        let mut ahead = &buffer[..];
        let now = if ahead.is_empty() {
            stream.read(room)?
        } else {
            ahead.read(room)?
        };
        anyhow::ensure!(now > 0, "broke off after {at} of {bytes} bytes");
        anyhow::ensure!(
            piece.get(..now) == expected.get(..now),
            "other bytes after {at} of {bytes}"
        );
        buffer.drain(..now.min(buffer.len()));
        at += now as u64;
    }
    Ok(())
}

/// How much a target asks to be poured: `…?pour=10000`.
pub fn asked(target: &str) -> Option<u64> {
    target.split_once("?pour=")?.1.parse().ok()
}

/// Serves a request whose head is in `buffer` if it is one to pour: a `POST` is read and compared, a `GET` is answered with as much.
/// False when it is none.
///
/// # Errors
/// When it breaks off or is not what was sent; then the connection is to be closed.
pub fn serve(stream: &mut (impl Read + Write), buffer: &mut Vec<u8>) -> anyhow::Result<bool> {
    let Some((head, length)) = wire::peek(stream, buffer)? else {
        return Ok(false);
    };
    let Some((method, bytes)) = head
        .start
        .split_once(' ')
        .and_then(|(m, target)| Some((m, asked(target)?)))
    else {
        return Ok(false);
    };
    wire::skip_head(buffer)?;
    if method == "GET" {
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {bytes}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        out(stream, bytes)?;
        return Ok(true);
    }
    anyhow::ensure!(length == Some(bytes), "{bytes} bytes were announced, {length:?} came");
    check(stream, buffer, bytes)?;
    let said = serde_json::json!({"bytes": bytes}).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        said.len()
    );
    stream
        .write_all(&[head.as_bytes(), said.as_bytes()].concat())
        .context("answering")?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_poured_is_recognised_and_nothing_else_is() -> anyhow::Result<()> {
        let bytes = 3 * PIECE as u64 + 5;
        let mut poured = Vec::new();
        out(&mut poured, bytes)?;
        assert_eq!(poured.len() as u64, bytes);
        let judge = |poured: &[u8], ahead: usize| {
            let (mut buffer, mut rest) = (poured[..ahead].to_vec(), &poured[ahead..]);
            check(&mut rest, &mut buffer, bytes)
        };
        for ahead in [0, 1, 9, PIECE + 3] {
            judge(&poured, ahead)?;
        }
        assert!(judge(&poured[..poured.len() - 1], 0).is_err(), "one is missing");
        let mut other = poured.clone();
        other[PIECE + 1] ^= 1;
        assert!(judge(&other, 0).is_err(), "one is another");
        let mut swapped = poured;
        swapped.swap(8, 16);
        assert!(judge(&swapped, 0).is_err(), "two change places");
        Ok(())
    }

    #[test]
    fn a_target_says_how_much() {
        assert_eq!(asked("/api/persons/037190001234?pour=7"), Some(7));
        assert_eq!(asked("/api/persons/037190001234?size=7"), None);
    }
}
