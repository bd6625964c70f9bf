//! Physical lines, none of which can fill the memory.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use base::Result;

use super::{Position, cannot_open};
use crate::encoding::skip_bom;

/// No line is longer, in bytes; the rest of one that is is left out.
pub const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// A line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins.
    pub at: Position,
    /// What stands in it.
    pub bytes: Vec<u8>,
    /// Whether something was left out.
    pub cut: bool,
}

/// Lines of an input, with their places. Lines can be given back.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    next: Position,
    given_back: VecDeque<Line>,
}

impl Lines<BufReader<File>> {
    /// The lines of a file of UTF-8 text, after a byte order mark.
    ///
    /// # Errors
    /// `cannot-open`.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| cannot_open(&e))?;
        let mut input = BufReader::with_capacity(256 * 1024, file);
        skip_bom(&mut input).map_err(|e| cannot_open(&e))?;
        Ok(Self::new(input))
    }
}

impl<R: BufRead> Lines<R> {
    /// Over an input from which a byte order mark was taken.
    pub const fn new(input: R) -> Self {
        Self {
            input,
            next: Position { offset: 0, line: 1 },
            given_back: VecDeque::new(),
        }
    }

    /// Where the next line begins.
    pub fn position(&self) -> Position {
        self.given_back.front().map_or(self.next, |line| line.at)
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// An input that fails.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.given_back.pop_front() {
            return Ok(Some(line));
        }
        let at = self.next;
        let mut bytes = Vec::new();
        let mut cut = false;
        let mut any = false;
        loop {
            let ready = match self.input.fill_buf() {
                Ok(ready) => ready,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if ready.is_empty() {
                break;
            }
            any = true;
            let end = ready.iter().position(|b| *b == b'\n');
            let part = ready.get(..end.unwrap_or(ready.len())).unwrap_or_default();
            let room = LONGEST_LINE.saturating_sub(bytes.len());
            cut |= part.len() > room;
            bytes.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            self.next.offset += used as u64;
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.next.line += 1;
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok(Some(Line { at, bytes, cut }))
    }

    /// Puts lines back, in their order, before all others.
    pub fn give_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.given_back.push_front(line);
        }
    }

    /// Reads forwards to a place. False if the input ends before.
    ///
    /// # Errors
    /// An input that fails.
    pub fn skip_to(&mut self, place: Position) -> io::Result<bool> {
        self.given_back.clear();
        while self.next.offset < place.offset {
            let ready = self.input.fill_buf()?.len();
            if ready == 0 {
                return Ok(false);
            }
            let left = usize::try_from(place.offset - self.next.offset).unwrap_or(usize::MAX);
            let used = ready.min(left);
            self.input.consume(used);
            self.next.offset += used as u64;
        }
        self.next.line = place.line;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_every_way_and_are_bounded() {
        let mut text = b"a\r\n\nb\n".to_vec();
        text.extend(vec![b'x'; LONGEST_LINE + 5]);
        text.extend(b"\nend");
        let mut lines = Lines::new(text.as_slice());
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().expect("memory") {
            seen.push((line.at.line, line.at.offset, line.bytes.len(), line.cut));
        }
        let long = LONGEST_LINE as u64;
        assert_eq!(
            seen,
            [
                (1, 0, 1, false),
                (2, 3, 0, false),
                (3, 4, 1, false),
                (4, 6, LONGEST_LINE, true),
                (5, long + 12, 3, false)
            ]
        );
    }
}
