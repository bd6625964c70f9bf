//! Memory does not grow with the file. Alone in its process, so that the process's own figure can be read.

use std::io::{BufReader, Read};

use cleansing::{
    encoding::Encoding,
    read::{CsvReader, Decoder, LONGEST_LINE},
};

/// A file that is never on disk: rows without end, some of them hostile, up to a size.
struct Endless {
    row: Vec<u8>,
    at: usize,
    left: usize,
    rows: u64,
}

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.row.len() {
            self.rows += 1;
            self.at = 0;
            self.row = match self.rows % 1000 {
                // A quote that never ends; a row of another encoding; bytes that are nothing; a long row.
                7 => b"\"open,1\n".to_vec(),
                77 => Encoding::Tcvn3.encode("nguyễn thị bưởi,1\n").unwrap_or_default(),
                177 => b"\0\xff\xfe,1\n".to_vec(),
                277 => [vec![b'x'; 60_000], b",1\n".to_vec()].concat(),
                _ => "Nguyễn Văn An,037080001234,\"Số 5, phố Huế\",05/03/1980\n".into(),
            };
        }
        let n = buf.len().min(self.row.len() - self.at).min(self.left);
        buf[..n].copy_from_slice(&self.row[self.at..self.at + n]);
        self.at += n;
        self.left -= n;
        Ok(n)
    }
}

/// The most memory that the process ever had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).expect("a figure");
    let kilobytes: usize = line
        .split_whitespace()
        .nth(1)
        .expect("a figure")
        .parse()
        .expect("a number");
    kilobytes * 1024
}

fn read(input: impl Read) -> (u64, u64) {
    let mut reader = CsvReader::new(BufReader::new(input), b',', Decoder::new(Encoding::Utf8, false));
    let (mut rows, mut findings) = (0, 0);
    while let Some(row) = reader.next_row().expect("memory") {
        rows += 1;
        findings += row.findings.len() as u64;
    }
    (rows, findings)
}

#[test]
fn a_file_of_any_size_is_read_in_a_few_megabytes() {
    let endless = |left| Endless {
        row: Vec::new(),
        at: 0,
        left,
        rows: 0,
    };
    read(endless(1 << 20));
    let before = peak();
    let (rows, findings) = read(endless(20 << 20));
    let grown = peak() - before;
    assert!(rows > 150_000 && findings > 400, "{rows} rows, {findings} findings");
    assert!(grown < 4 << 20, "grown by {grown} bytes");
    // A line without an end is cut, and not kept.
    let (rows, findings) = read(std::io::repeat(b'a').take(40 << 20));
    assert_eq!((rows, findings), (1, 1));
    let grown = peak() - before;
    assert!(grown < 7 * LONGEST_LINE, "grown by {grown} bytes");
}
