//! The ZIP archive around a workbook (APPNOTE 6.3.10), read with distrust: sizes that lie, bombs and ciphers are refused.

use std::{
    cell::Cell,
    error::Error as StdError,
    fmt,
    io::{self, Read, Seek, SeekFrom},
    rc::Rc,
};

use base::{Error, Result, refusal::Kind};
use flate2::{Crc, read::DeflateDecoder};

/// What a workbook may ask of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files in the archive.
    pub entries: usize,
    /// Bytes of one file of it, unpacked.
    pub entry_bytes: u64,
    /// Bytes unpacked for one byte packed, beyond the first megabyte. Sheets come to 10 or 20, rarely to 100.
    pub ratio: u64,
    /// Bytes of the texts that cells share, which are kept in memory.
    pub shared_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 4096,
            entry_bytes: 8 << 30,
            ratio: 200,
            shared_bytes: 256 << 20,
        }
    }
}

/// Bytes that may be unpacked for one piece of markup.
const PIECE: usize = 4 << 20;

/// Why an archive is not read further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadZip {
    NotAWorkbook,
    OldExcel,
    Encrypted,
    Damaged,
    TooManyEntries,
    TooLarge,
    Bomb,
    Lies,
}

impl BadZip {
    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NotAWorkbook => (
                "not-a-workbook",
                "Tệp không phải bảng tính .xlsx.",
                "The file is no .xlsx workbook.",
            ),
            Self::OldExcel => (
                "old-excel",
                "Tệp là bảng tính .xls cũ hoặc có mật khẩu. Mở bằng Excel hoặc LibreOffice và lưu lại dạng .xlsx hoặc .csv, không đặt mật khẩu.",
                "The file is an old .xls workbook, or has a password. Open it in Excel or LibreOffice and save it as .xlsx or .csv without one.",
            ),
            Self::Encrypted => (
                "encrypted",
                "Tệp nén có mật khẩu. Bỏ mật khẩu rồi gửi lại.",
                "The archive has a password. Remove it.",
            ),
            Self::Damaged => (
                "damaged-workbook",
                "Bảng tính bị hỏng. Mở và lưu lại, hoặc lấy lại từ nguồn.",
                "The workbook is damaged. Open it and save it again, or fetch it from the source.",
            ),
            Self::TooManyEntries => (
                "too-many-entries",
                "Bảng tính chứa quá nhiều tệp con.",
                "The workbook holds too many files.",
            ),
            Self::TooLarge => (
                "workbook-too-large",
                "Bảng tính quá lớn. Xuất ra CSV rồi nhập lại.",
                "The workbook is too large. Export it as CSV.",
            ),
            Self::Bomb => (
                "zip-bomb",
                "Bảng tính nén bất thường (bom nén), không được mở.",
                "The workbook is compressed beyond reason (a zip bomb) and is not opened.",
            ),
            Self::Lies => (
                "zip-size-differs",
                "Kích thước khai báo trong bảng tính khác kích thước thật, không được mở.",
                "The workbook declares other sizes than it has, and is not opened.",
            ),
        }
    }

    pub fn refuse(self) -> Error {
        let (code, vi, en) = self.parts();
        let kind = match self {
            Self::TooLarge | Self::TooManyEntries | Self::Bomb => Kind::TooLarge,
            _ => Kind::Invalid,
        };
        Error::refused(kind, code, vi, en)
    }

    pub fn io(self) -> io::Error {
        io::Error::other(self)
    }
}

impl fmt::Display for BadZip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parts().2)
    }
}

impl StdError for BadZip {}

/// A failure of reading, told apart from a refusal.
pub(super) fn refused(source: io::Error) -> Error {
    let bad = source.get_ref().and_then(|e| e.downcast_ref::<BadZip>()).copied();
    match (bad, source.kind()) {
        (Some(bad), _) => bad.refuse(),
        (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            BadZip::Damaged.refuse()
        }
        (None, _) => Error::internal(source),
    }
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    method: u16,
    packed: u64,
    size: u64,
    crc: u32,
    offset: u64,
}

/// An archive whose directory was read.
pub(super) struct Archive<R> {
    source: R,
    entries: Vec<Entry>,
    limits: Limits,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

const LONGEST_END: u64 = 22 + 65_535;
const LARGEST_DIRECTORY: u64 = 16 << 20;

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory of an archive.
    pub fn open(mut source: R, limits: Limits) -> Result<Self> {
        let mut magic = [0; 4];
        let start = source.read_exact(&mut magic);
        match (start, magic) {
            (Ok(()), [b'P', b'K', 3, 4]) => {}
            (Ok(()), [0xd0, 0xcf, 0x11, 0xe0]) => return Err(BadZip::OldExcel.refuse()),
            _ => return Err(BadZip::NotAWorkbook.refuse()),
        }
        let entries = directory(&mut source, limits).map_err(refused)?;
        Ok(Self {
            source,
            entries,
            limits,
        })
    }

    /// The file of that name, without regard to case, as Windows finds it.
    pub fn find(&self, name: &str) -> Option<Entry> {
        self.entries.iter().find(|e| e.name.eq_ignore_ascii_case(name)).cloned()
    }

    /// Reads one file of the archive.
    pub fn read(&mut self, entry: &Entry) -> Result<EntryReader<&mut R>> {
        EntryReader::open(&mut self.source, entry, self.limits).map_err(refused)
    }

    /// Reads one file, and nothing after it.
    pub fn into_read(self, entry: &Entry) -> Result<EntryReader<R>> {
        EntryReader::open(self.source, entry, self.limits).map_err(refused)
    }
}

fn directory(source: &mut (impl Read + Seek), limits: Limits) -> io::Result<Vec<Entry>> {
    let damaged = || BadZip::Damaged.io();
    let length = source.seek(SeekFrom::End(0))?;
    let tail_from = length.saturating_sub(LONGEST_END + 20);
    source.seek(SeekFrom::Start(tail_from))?;
    let mut tail = Vec::new();
    source.by_ref().take(LONGEST_END + 20).read_to_end(&mut tail)?;
    let end = tail
        .windows(4)
        .rposition(|w| w == [b'P', b'K', 5, 6])
        .ok_or_else(damaged)?;
    let field16 = |at| u16_at(&tail, end + at).map(u64::from);
    let field32 = |at| u32_at(&tail, end + at).map(u64::from);
    let mut count = field16(10).ok_or_else(damaged)?;
    let mut size = field32(12).ok_or_else(damaged)?;
    let mut from = field32(16).ok_or_else(damaged)?;
    let locator = end
        .checked_sub(20)
        .filter(|at| tail.get(*at..at + 4) == Some(&[b'P', b'K', 6, 7]));
    if let Some(at) = locator {
        let large = u64_at(&tail, at + 8).ok_or_else(damaged)?;
        source.seek(SeekFrom::Start(large))?;
        let mut record = [0; 56];
        source.read_exact(&mut record)?;
        if record.get(..4) != Some(&[b'P', b'K', 6, 6]) {
            return Err(damaged());
        }
        (count, size, from) = match (u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48)) {
            (Some(count), Some(size), Some(from)) => (count, size, from),
            _ => return Err(damaged()),
        };
    }
    if count > limits.entries as u64 {
        return Err(BadZip::TooManyEntries.io());
    }
    if size > LARGEST_DIRECTORY {
        return Err(BadZip::TooLarge.io());
    }
    source.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    source.by_ref().take(size).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut entries = Vec::new();
    for _ in 0..count {
        let (entry, length) = entry(rest).ok_or_else(damaged)?;
        rest = rest.get(length..).unwrap_or_default();
        entries.push(entry?);
    }
    Ok(entries)
}

/// One record of the directory, and how long it is.
fn entry(record: &[u8]) -> Option<(io::Result<Entry>, usize)> {
    if record.get(..4)? != [b'P', b'K', 1, 2] {
        return None;
    }
    let flags = u16_at(record, 8)?;
    let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(record, at).map(usize::from));
    let (name, extra, comment) = (name?, extra?, comment?);
    let mut packed = u64::from(u32_at(record, 20)?);
    let mut size = u64::from(u32_at(record, 24)?);
    let mut offset = u64::from(u32_at(record, 42)?);
    let mut fields = record.get(46 + name..46 + name + extra)?;
    while let (Some(id), Some(length)) = (u16_at(fields, 0), u16_at(fields, 2)) {
        let field = fields.get(4..4 + usize::from(length))?;
        if id == 1 {
            let mut at = 0;
            for value in [&mut size, &mut packed, &mut offset] {
                if *value == u64::from(u32::MAX) {
                    *value = u64_at(field, at)?;
                    at += 8;
                }
            }
        }
        fields = fields.get(4 + usize::from(length)..)?;
    }
    let entry = Entry {
        name: String::from_utf8_lossy(record.get(46..46 + name)?).replace('\\', "/"),
        method: u16_at(record, 10)?,
        packed,
        size,
        crc: u32_at(record, 16)?,
        offset,
    };
    let length = 46 + name + extra + comment;
    let entry = if flags & 1 == 1 {
        Err(BadZip::Encrypted.io())
    } else {
        Ok(entry)
    };
    Some((entry, length))
}

enum Body<R> {
    Stored(io::Take<R>),
    Deflated(DeflateDecoder<io::Take<R>>),
}

/// The content of one file, held to what the archive says of it.
pub(super) struct EntryReader<R> {
    body: Body<R>,
    declared: u64,
    most: u64,
    crc: u32,
    seen: Crc,
    total: u64,
    /// Bytes since the consumer last showed that it keeps none of them.
    pub kept: Rc<Cell<usize>>,
}

impl<R: Read + Seek> EntryReader<R> {
    fn open(mut source: R, entry: &Entry, limits: Limits) -> io::Result<Self> {
        if entry.size > limits.entry_bytes {
            return Err(BadZip::TooLarge.io());
        }
        let most = (1 << 20) + entry.packed.saturating_mul(limits.ratio);
        if entry.size > most {
            return Err(BadZip::Bomb.io());
        }
        source.seek(SeekFrom::Start(entry.offset))?;
        let mut header = [0; 30];
        source.read_exact(&mut header)?;
        let lengths = u16_at(&header, 26).zip(u16_at(&header, 28));
        let (true, Some((name, extra))) = (header.starts_with(&[b'P', b'K', 3, 4]), lengths) else {
            return Err(BadZip::Damaged.io());
        };
        source.seek(SeekFrom::Current(i64::from(name) + i64::from(extra)))?;
        let packed = source.take(entry.packed);
        Ok(Self {
            body: match entry.method {
                0 => Body::Stored(packed),
                8 => Body::Deflated(DeflateDecoder::new(packed)),
                _ => return Err(BadZip::Damaged.io()),
            },
            declared: entry.size,
            most,
            crc: entry.crc,
            seen: Crc::new(),
            total: 0,
            kept: Rc::default(),
        })
    }
}

impl<R: Read> Read for EntryReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.body {
            Body::Stored(body) => body.read(buf)?,
            Body::Deflated(body) => body.read(buf)?,
        };
        self.total += n as u64;
        self.seen.update(buf.get(..n).unwrap_or_default());
        self.kept.set(self.kept.get() + n);
        if self.total > self.declared {
            return Err(BadZip::Lies.io());
        }
        if self.total > self.most || self.kept.get() > PIECE {
            return Err(BadZip::Bomb.io());
        }
        if n == 0 && !buf.is_empty() {
            if self.total < self.declared {
                return Err(BadZip::Lies.io());
            }
            if self.seen.sum() != self.crc {
                return Err(BadZip::Damaged.io());
            }
        }
        Ok(n)
    }
}
