//! Lines and CSV records of a file that may be hostile: a line of gigabytes, a quote that never closes, bytes that are
//! not text. Memory stays bounded; after bad input reading goes on with the next line.

use std::{
    collections::VecDeque,
    io::{BufRead, Result},
};

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It was longer than the limit; it was skipped.
    TooLong(u64),
}

/// Reads lines of at most `max` bytes.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    max: usize,
    number: u64,
    read: u64,
    back: VecDeque<(u64, Line)>,
}

impl<R: BufRead> Lines<R> {
    /// Lines of `input`.
    pub fn new(input: R, max: usize) -> Self {
        Self {
            input,
            max,
            number: 0,
            read: 0,
            back: VecDeque::new(),
        }
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The next line with its number, from 1.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_line(&mut self) -> Result<Option<(u64, Line)>> {
        if let Some(line) = self.back.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        let mut length: u64 = 0;
        let mut ended = false;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let newline = chunk.iter().position(|b| *b == b'\n');
            let take = newline.unwrap_or(chunk.len());
            length += take as u64;
            if length <= self.max as u64 {
                bytes.extend_from_slice(&chunk[..take]);
            } else {
                bytes = Vec::new();
            }
            let used = take + usize::from(newline.is_some());
            self.input.consume(used);
            self.read += used as u64;
            if newline.is_some() {
                ended = true;
                break;
            }
        }
        if length == 0 && !ended {
            return Ok(None);
        }
        self.number += 1;
        if length > self.max as u64 {
            return Ok(Some((self.number, Line::TooLong(length))));
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok(Some((self.number, Line::Bytes(bytes))))
    }

    /// The next CSV record: one line, or several where a quoted value spans lines.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_record(&mut self) -> Result<Option<(u64, Record)>> {
        const MOST_LINES: usize = 200;
        let Some((start, first)) = self.next_line()? else {
            return Ok(None);
        };
        let mut record = match first {
            Line::TooLong(length) => return Ok(Some((start, Record::TooLong(length)))),
            Line::Bytes(bytes) => bytes,
        };
        let mut more: VecDeque<(u64, Line)> = VecDeque::new();
        while record.iter().filter(|b| **b == b'"').count() % 2 == 1 {
            let next = if more.len() < MOST_LINES && record.len() < self.max {
                self.next_line()?
            } else {
                None
            };
            let Some((number, line)) = next else {
                // The quote never closes: only the line that opened it is lost.
                more.append(&mut self.back);
                self.back = more;
                return Ok(Some((start, Record::OpenQuote)));
            };
            if let Line::Bytes(bytes) = &line {
                record.push(b'\n');
                record.extend_from_slice(bytes);
            }
            let stop = matches!(line, Line::TooLong(_));
            more.push_back((number, line));
            if stop {
                more.append(&mut self.back);
                self.back = more;
                return Ok(Some((start, Record::OpenQuote)));
            }
        }
        Ok(Some((start, Record::Bytes(record))))
    }
}

/// One CSV record as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Whole.
    Bytes(Vec<u8>),
    /// A line was too long.
    TooLong(u64),
    /// A quote is opened and never closed.
    OpenQuote,
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    #[test]
    fn a_line_without_end_costs_no_memory_and_the_next_is_read() {
        let long = std::io::repeat(b'x').take(64 << 20).chain(&b"\nok\r\n\nlast"[..]);
        let mut lines = Lines::new(BufReader::new(long), 1000);
        assert_eq!(lines.next_line().expect("readable"), Some((1, Line::TooLong(64 << 20))));
        assert_eq!(
            lines.next_line().expect("readable"),
            Some((2, Line::Bytes(b"ok".to_vec())))
        );
        assert_eq!(lines.next_line().expect("readable"), Some((3, Line::Bytes(vec![]))));
        assert_eq!(
            lines.next_line().expect("readable"),
            Some((4, Line::Bytes(b"last".to_vec())))
        );
        assert_eq!(lines.next_line().expect("readable"), None);
    }

    #[test]
    fn an_open_quote_loses_its_own_line_only() {
        let mut lines = Lines::new(&b"a,\"two\nlines\",b\nc,\"open\nd,e\nf,g"[..], 1000);
        assert_eq!(
            lines.next_record().expect("readable"),
            Some((1, Record::Bytes(b"a,\"two\nlines\",b".to_vec())))
        );
        assert_eq!(lines.next_record().expect("readable"), Some((3, Record::OpenQuote)));
        assert_eq!(
            lines.next_record().expect("readable"),
            Some((4, Record::Bytes(b"d,e".to_vec())))
        );
        assert_eq!(
            lines.next_record().expect("readable"),
            Some((5, Record::Bytes(b"f,g".to_vec())))
        );
        assert_eq!(lines.next_record().expect("readable"), None);
    }
}
