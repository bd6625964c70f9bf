//! Reading UTF-16 as a stream of UTF-8.

use std::io::{self, BufRead, Read, Write as _};

/// Gives the text of a UTF-16 stream as UTF-8. A unit without a partner becomes U+FFFD. Holds a few kilobytes.
#[derive(Debug)]
pub struct Utf16ToUtf8<R> {
    inner: R,
    big: bool,
    /// A byte whose partner has not come, or the first half of a pair.
    left: Vec<u8>,
    out: Vec<u8>,
    at: usize,
}

impl<R: Read> Utf16ToUtf8<R> {
    /// A reader over `inner`; `big` says that the high byte comes first.
    pub const fn new(inner: R, big: bool) -> Self {
        Self {
            inner,
            big,
            left: Vec::new(),
            out: Vec::new(),
            at: 0,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.at = 0;
        let mut chunk = [0_u8; 8192];
        while self.out.is_empty() {
            let n = self.inner.read(&mut chunk)?;
            let fresh = chunk.get(..n).unwrap_or_default();
            self.left.extend_from_slice(fresh);
            let ends = n == 0;
            if ends && self.left.is_empty() {
                return Ok(());
            }
            let (pairs, odd) = self.left.as_chunks::<2>();
            let units = pairs.iter().map(|p| {
                if self.big {
                    u16::from_be_bytes(*p)
                } else {
                    u16::from_le_bytes(*p)
                }
            });
            let mut units: Vec<u16> = units.collect();
            let mut keep = odd.to_vec();
            if !ends && units.last().is_some_and(|u| (0xd800..0xdc00).contains(u)) {
                units.pop();
                keep = self.left.get(units.len() * 2..).unwrap_or_default().to_vec();
            }
            if ends {
                keep.clear();
            }
            for c in char::decode_utf16(units) {
                write!(self.out, "{}", c.unwrap_or(char::REPLACEMENT_CHARACTER))?;
            }
            self.left = keep;
            if ends {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16ToUtf8<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let n = ready.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Utf16ToUtf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.out.len() {
            self.fill()?;
        }
        Ok(self.out.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.out.len());
    }
}

/// Takes the byte order mark of UTF-8 off the beginning of a stream; says how many bytes that was.
///
/// # Errors
/// What reading gives.
pub fn skip_bom(stream: &mut impl BufRead) -> io::Result<u64> {
    if stream.fill_buf()?.starts_with(&[0xef, 0xbb, 0xbf]) {
        stream.consume(3);
        return Ok(3);
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::Encoding;

    /// Hands out three bytes at a time, so that pairs and units are cut.
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(3).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn pairs_that_are_cut_come_together() {
        let text = "Nguyễn 😀 Đào, 😀😀\n";
        for (encoding, big) in [(Encoding::Utf16Le, false), (Encoding::Utf16Be, true)] {
            let bytes = encoding.encode(text).expect("coded");
            let mut out = String::new();
            Utf16ToUtf8::new(Drip(&bytes), big)
                .read_to_string(&mut out)
                .expect("text");
            assert_eq!(out, text);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_text(bytes in proptest::collection::vec(any::<u8>(), 0..60), big: bool) {
            let mut out = String::new();
            prop_assert!(Utf16ToUtf8::new(Drip(&bytes), big).read_to_string(&mut out).is_ok());
        }
    }
}
