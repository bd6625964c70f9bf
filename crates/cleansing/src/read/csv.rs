//! Text with a delimiter, as programs really write it.

use std::io::BufRead;

use base::{Error, Result};

use super::{
    Cell, Decoder, Position, Row, file_changed,
    lines::{Line, Lines},
};
use crate::{Finding, Severity, layout::MOST_COLUMNS};

/// A quoted cell that goes on for more lines has no end.
const MOST_QUOTED_LINES: usize = 200;

/// Reads rows of cells. Quotes are those of RFC 4180; a quote that never ends costs its own line only. Blank lines are passed
/// over.
#[derive(Debug)]
pub struct CsvReader<R> {
    lines: Lines<R>,
    delimiter: u8,
    decoder: Decoder,
}

impl<R: BufRead> CsvReader<R> {
    /// Over an input from which a byte order mark was taken.
    pub const fn new(input: R, delimiter: u8, decoder: Decoder) -> Self {
        Self {
            lines: Lines::new(input),
            delimiter,
            decoder,
        }
    }

    pub(super) const fn decoder(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    /// The next row that is not blank.
    ///
    /// # Errors
    /// An input that fails.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        while let Some(first) = self.lines.next_line().map_err(Error::internal)? {
            let (line, cut) = (first.at.line, first.cut);
            let mut findings = Vec::new();
            let split = self.split(first, &mut findings)?;
            if cut {
                findings.push(Finding::row(
                    line,
                    Severity::Bad,
                    "line-too-long",
                    "Dòng dài quá 4 MB; phần còn lại bị bỏ. Kiểm tra dấu xuống dòng của tệp.",
                    "The line is longer than 4 MB and was cut. Check the line ends of the file.",
                ));
            }
            if split.ends.len() > MOST_COLUMNS {
                findings.push(Finding::row(
                    line,
                    Severity::Bad,
                    "too-many-columns",
                    format!("Dòng có hơn {MOST_COLUMNS} cột."),
                    format!("The row has more than {MOST_COLUMNS} columns."),
                ));
            }
            let cells = split
                .cells()
                .take(MOST_COLUMNS)
                .enumerate()
                .map(|(column, bytes)| Cell::text(self.decoder.bytes(bytes, line, column, &mut findings)))
                .collect();
            let row = Row {
                line,
                cells,
                findings,
                next: self.lines.position(),
            };
            if row.cells.iter().any(|c| !c.text.trim().is_empty()) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    pub(super) fn skip_to(&mut self, position: Position) -> Result<()> {
        let there = self.lines.skip_to(position).map_err(Error::internal)?;
        if there { Ok(()) } else { Err(file_changed()) }
    }

    /// The cells of the row that `first` begins.
    fn split(&mut self, first: Line, findings: &mut Vec<Finding>) -> Result<Split> {
        let mut split = Split::default();
        if split.feed(&first.bytes, self.delimiter) {
            return Ok(split);
        }
        let mut more: Vec<Line> = Vec::new();
        let mut size = first.bytes.len();
        while more.len() < MOST_QUOTED_LINES && size < super::LONGEST_LINE {
            let Some(line) = self.lines.next_line().map_err(Error::internal)? else {
                break;
            };
            size += line.bytes.len();
            split.buffer.push(b'\n');
            let ended = split.feed(&line.bytes, self.delimiter);
            more.push(line);
            if split.stray {
                break;
            }
            if ended {
                return Ok(split);
            }
        }
        // It never ends, or "ends" where another cell begins: the line stands for itself, and those behind it are rows again.
        self.lines.give_back(more);
        findings.push(Finding::row(
            first.at.line,
            Severity::Bad,
            "unclosed-quote",
            "Dấu nháy kép mở ra mà không đóng lại.",
            "A double quote opens and never closes.",
        ));
        let mut literal = Split {
            literal: true,
            ..Split::default()
        };
        literal.feed(&first.bytes, self.delimiter);
        Ok(literal)
    }
}

/// A row being cut into cells.
#[derive(Default)]
struct Split {
    buffer: Vec<u8>,
    /// Where each cell ends in the buffer.
    ends: Vec<usize>,
    quoted: bool,
    /// Whether quotes mean nothing.
    literal: bool,
    /// Whether a closing quote was followed by more of the cell.
    stray: bool,
}

impl Split {
    /// Takes a line; true if the row ends with it.
    fn feed(&mut self, line: &[u8], delimiter: u8) -> bool {
        let mut rest = line;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if self.quoted {
                match (byte, after.first()) {
                    (b'"', Some(b'"')) => {
                        self.buffer.push(b'"');
                        rest = after.get(1..).unwrap_or_default();
                    }
                    (b'"', next) => {
                        self.quoted = false;
                        self.stray |= next.is_some_and(|b| *b != delimiter);
                    }
                    _ => self.buffer.push(*byte),
                }
            } else if *byte == delimiter {
                self.ends.push(self.buffer.len());
            } else if *byte == b'"' && !self.literal && self.buffer.len() == self.ends.last().copied().unwrap_or(0) {
                self.quoted = true;
            } else {
                self.buffer.push(*byte);
            }
        }
        if !self.quoted {
            self.ends.push(self.buffer.len());
        }
        !self.quoted
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let cell = self.buffer.get(start..*end).unwrap_or_default();
            start = *end;
            cell
        })
    }
}

/// The delimiter of a sample: the one of comma, semicolon, tab and bar that most lines have equally often.
pub fn guess_delimiter(sample: &[u8]) -> u8 {
    let lines = || {
        sample
            .split(|b| *b == b'\n')
            .filter(|l| !l.trim_ascii().is_empty())
            .take(50)
    };
    let count = |line: &[u8], delimiter: u8| {
        let mut split = Split::default();
        split.feed(line, delimiter);
        split.ends.len().saturating_sub(1)
    };
    let weight = |delimiter: u8| {
        let mut counts: Vec<usize> = lines().map(|l| count(l, delimiter)).filter(|n| *n > 0).collect();
        counts.sort_unstable();
        let most = counts
            .chunk_by(|a, b| a == b)
            .map(|c| (c.len(), c.first().copied().unwrap_or(0)))
            .max();
        most.unwrap_or((0, 0))
    };
    // The first of equals is the commonest in the files of agencies.
    [b'|', b'\t', b';', b',']
        .into_iter()
        .max_by_key(|d| weight(*d))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::Encoding;

    fn rows(bytes: &[u8], delimiter: u8) -> Vec<(u64, Vec<String>, Vec<&'static str>)> {
        let mut reader = CsvReader::new(bytes, delimiter, Decoder::new(Encoding::Utf8, false));
        let mut out = Vec::new();
        while let Some(row) = reader.next_row().expect("memory") {
            out.push((
                row.line,
                row.cells.into_iter().map(|c| c.text).collect(),
                row.findings.iter().map(|f| f.code).collect(),
            ));
        }
        out
    }

    fn cells(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|t| (*t).to_owned()).collect()
    }

    #[test]
    fn quotes_line_ends_and_blanks() {
        let text = b"a,b\r\n\r\n,,\n\"x,\"\"y\"\"\",\"two\nlines\"\nz, \"q\" \n5\" pipe,1\n";
        assert_eq!(
            rows(text, b','),
            [
                (1, cells(&["a", "b"]), vec![]),
                (4, cells(&["x,\"y\"", "two\nlines"]), vec![]),
                (6, cells(&["z", " \"q\" "]), vec![]),
                (7, cells(&["5\" pipe", "1"]), vec![]),
            ]
        );
    }

    #[test]
    fn a_quote_that_never_ends_costs_one_line() {
        let mut text = b"a,b\n\"open,1\n".to_vec();
        for n in 0..MOST_QUOTED_LINES + 10 {
            text.extend(format!("r{n},2\n").into_bytes());
        }
        let all = rows(&text, b',');
        assert_eq!(all.len(), MOST_QUOTED_LINES + 12);
        assert_eq!(all[1], (2, cells(&["\"open", "1"]), vec!["unclosed-quote"]));
        assert_eq!(all[2], (3, cells(&["r0", "2"]), vec![]));
        assert_eq!(rows(b"a\n\"b", b',')[1].2, ["unclosed-quote"], "at the end of the file");
        // The quote of another cell is not its end.
        let lines: Vec<(u64, usize)> = rows(b"\"open,1\nb,2\nc,\"x, y\"\nd,4\n", b',')
            .iter()
            .map(|r| (r.0, r.2.len()))
            .collect();
        assert_eq!(lines, [(1, 1), (2, 0), (3, 0), (4, 0)]);
    }

    #[test]
    fn reading_goes_on_from_any_row() {
        let text = "a;b\n\"1\n2\";x\nđ;y\n\nz;w\n".as_bytes();
        let mut reader = CsvReader::new(text, b';', Decoder::new(Encoding::Utf8, false));
        let mut places = vec![];
        let mut all = vec![];
        while let Some(row) = reader.next_row().expect("memory") {
            places.push(row.next);
            all.push(row);
        }
        for (n, place) in places.into_iter().enumerate() {
            let mut again = CsvReader::new(text, b';', Decoder::new(Encoding::Utf8, false));
            again.skip_to(place).expect("there");
            let next = again.next_row().expect("memory");
            assert_eq!(next.as_ref(), all.get(n + 1));
        }
        let mut short = CsvReader::new(text, b';', Decoder::new(Encoding::Utf8, false));
        assert!(short.skip_to(Position { offset: 999, line: 9 }).is_err());
    }

    #[test]
    fn delimiters_are_told() {
        for (text, delimiter) in [
            ("a,b,c\n1,2,3\n", b','),
            ("a;b;c\n1,5;2;3\n2,5;7;8\n", b';'),
            ("a\tb\n1,2\t3\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("\"x;y\",b\n\"1;2\",3\n", b','),
            ("alone\n", b','),
            ("", b','),
        ] {
            assert_eq!(guess_delimiter(text.as_bytes()), delimiter, "{text}");
        }
    }

    #[test]
    fn very_many_columns_are_cut() {
        let text = ",x".repeat(MOST_COLUMNS + 5);
        let all = rows(text.as_bytes(), b',');
        assert_eq!(
            (all[0].1.len(), all[0].2.clone()),
            (MOST_COLUMNS, vec!["too-many-columns"])
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..200)) {
            let _ = rows(&bytes, b',');
            guess_delimiter(&bytes);
        }

        #[test]
        fn what_is_written_is_read(table in proptest::collection::vec(proptest::collection::vec("[a-z,\"\n; ]{0,6}", 3), 1..8)) {
            let mut writer = ::csv::Writer::from_writer(Vec::new());
            let mut wanted = Vec::new();
            for row in &table {
                writer.write_record(row).expect("memory");
                if row.iter().any(|c| !c.trim().is_empty()) {
                    wanted.push(row.clone());
                }
            }
            let bytes = writer.into_inner().expect("memory");
            let read: Vec<Vec<String>> = rows(&bytes, b',').into_iter().map(|r| r.1).collect();
            prop_assert_eq!(read, wanted);
        }
    }
}
