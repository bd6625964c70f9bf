//! What a Parquet file asks of its reader, before anything of it is unpacked. Its reader believes what the file says of itself: a page
//! of twenty bytes may claim two gigabytes, a value of a dictionary may stand for every row, a group may lie in a group without end.

use std::io;

use base::{Error, Kind, Result};
use flate2::read::MultiGzDecoder;
use parquet::{basic::Compression, file::metadata::ParquetMetaData};

use super::thrift::{BINARY, I32, I64, LIST, STRUCT, Thrift};

/// What a file may ask of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
    /// Bytes of the pages that are in memory together.
    pub bytes: u64,
}

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED: &[u8] = b"PARE";
/// The length of what describes the file, and the last magic.
const TAIL: usize = 8;
/// What describes a file of some hundred columns takes some hundred kilobytes for a hundred row groups.
const LONGEST_FOOTER: usize = 8 << 20;
/// A column with several values in a row, by its number in the format.
const REPEATED: i64 = 2;
/// What a value of a dictionary takes beside its bytes.
const VALUE: u64 = 32;

/// How many times what may be in memory together a whole file may unpack to: what packs well is small and takes long.
const TURNS: u64 = 8;

/// Sorts of pages, and how values are written in them, by their numbers in the format.
const DATA: i64 = 0;
const DICTIONARY: i64 = 2;
const DATA_2: i64 = 3;
/// Plain, by a dictionary (both numbers of it), and runs. The others say how much they unpack to in places that only their reader sees.
const READ: [i64; 4] = [0, 2, 3, 8];

/// Judges the two ends of a file: it is whole, and each row has one value in each column.
pub(super) fn outline(content: &[u8], limits: Limits) -> Result<()> {
    let ends = content
        .len()
        .checked_sub(TAIL)
        .and_then(|at| content.split_at_checked(at));
    let Some((before, tail)) = ends.filter(|(before, _)| before.starts_with(MAGIC)) else {
        return Err(cut());
    };
    let (length, magic) = tail.split_at(4);
    if magic == ENCRYPTED {
        return Err(encrypted());
    }
    let length = length
        .try_into()
        .map_or(usize::MAX, |bytes| u32::from_le_bytes(bytes) as usize);
    let from = before.len().checked_sub(length).filter(|from| *from >= MAGIC.len());
    let Some((from, MAGIC)) = from.map(|from| (from, magic)) else {
        return Err(cut());
    };
    if length > LONGEST_FOOTER {
        return Err(bomb());
    }
    let (mut columns, mut rows) = (None, None);
    let footer = before.get(from..).unwrap_or_default();
    let mut nested = None;
    let read = Thrift::of(footer).fields(|thrift, id, sort| {
        match (id, sort) {
            (2, LIST) => {
                columns = flat(thrift, limits.columns, &mut nested);
                // What comes behind columns that are not taken need not be read.
                columns.filter(|columns| *columns <= limits.columns)?;
            }
            (3, I64) => rows = u64::try_from(thrift.int()?).ok(),
            _ => return Some(false),
        }
        Some(true)
    });
    match (nested, columns, rows, read) {
        (Some(column), ..) => Err(is_nested(&column)),
        (None, Some(columns), ..) if columns > limits.columns => Err(too_wide(columns, limits)),
        (None, Some(_), Some(rows), _) if rows > limits.rows => Err(too_long(limits)),
        (None, Some(_), Some(_), Some(())) => Ok(()),
        _ => Err(cut()),
    }
}

/// The number of columns of a schema; `nested` becomes the name of one that holds others, or several values. Of more than `most` the
/// first are looked at.
fn flat(thrift: &mut Thrift<'_>, most: usize, nested: &mut Option<String>) -> Option<usize> {
    let (count, STRUCT) = thrift.list()? else { return None };
    let columns = count.checked_sub(1)?;
    for n in 0..count.min(most.saturating_add(1)) {
        let (mut name, mut children, mut repeated) = (&[][..], 0, false);
        thrift.fields(|thrift, id, sort| {
            match (id, sort) {
                (3, I32) => repeated = thrift.int()? == REPEATED,
                (4, BINARY) => name = thrift.binary()?,
                (5, I32) => children = thrift.int()?,
                _ => return Some(false),
            }
            Some(true)
        })?;
        let is_column = n > 0;
        if is_column && (children != 0 || repeated) {
            *nested = Some(String::from_utf8_lossy(name).into_owned());
            return None;
        }
        // Its reader makes room for as many as the root says.
        if !is_column && usize::try_from(children).ok()? > columns {
            return None;
        }
    }
    Some(columns)
}

/// Judges every page by its header: what it claims, how it is packed, and that they hold as many values as there are rows.
pub(super) fn pages(content: &[u8], metadata: &ParquetMetaData, limits: Limits) -> Result<()> {
    let (mut rows, mut packed) = (0_u64, 0_u64);
    let mut left = limits.bytes.saturating_mul(TURNS);
    for group in metadata.row_groups() {
        let of_group = u64::try_from(group.num_rows()).map_err(|_| lies())?;
        rows = rows.saturating_add(of_group);
        let mut bytes = 0_u64;
        for column in group.columns() {
            let codec = column.compression();
            // The old LZ4 is three formats, one of which unpacks to the end whatever it claims.
            if matches!(codec, Compression::LZO | Compression::BROTLI(_) | Compression::LZ4) {
                let codec = codec.to_string();
                return Err(packing(codec.split('(').next().unwrap_or_default()));
            }
            let (from, length) = column.byte_range();
            packed = packed.saturating_add(length);
            // Nothing of a file is in two columns: else a small one is read for ever.
            let chunk = usize::try_from(from).ok().zip(usize::try_from(length).ok());
            let chunk = chunk.and_then(|(from, length)| content.get(from..from.checked_add(length)?));
            let chunk = chunk.filter(|_| packed <= content.len() as u64).ok_or_else(lies)?;
            let column = walk(chunk, matches!(codec, Compression::GZIP(_)), left)?;
            left -= column.unpacked;
            if column.values != of_group {
                return Err(lies());
            }
            bytes = bytes.saturating_add(column.bytes);
        }
        if bytes > limits.bytes {
            return Err(bomb());
        }
    }
    if rows > limits.rows {
        return Err(too_long(limits));
    }
    if u64::try_from(metadata.file_metadata().num_rows()) != Ok(rows) {
        return Err(lies());
    }
    Ok(())
}

/// What the pages of a column hold.
#[derive(Default)]
struct Column {
    values: u64,
    /// What they take in memory, a page and the dictionary at a time.
    bytes: u64,
    /// What they all unpack to, one after the other.
    unpacked: u64,
}

/// A page as its header has it.
#[derive(Default)]
struct Header {
    sort: i64,
    unpacked: i64,
    packed: i64,
    values: i64,
    encoding: i64,
    /// How many bytes before the values are never packed.
    levels: i64,
}

/// The pages of a column, which may unpack to `left` in all. What those that are packed with gzip claim is tried: its reader unpacks to
/// the end, whatever the header says.
fn walk(chunk: &[u8], gzip: bool, left: u64) -> Result<Column> {
    let (mut rest, mut column) = (chunk, Column::default());
    let (mut largest, mut dictionary) = (0, 0_u64);
    while !rest.is_empty() {
        let mut thrift = Thrift::of(rest);
        let header = header(&mut thrift).ok_or_else(lies)?;
        let (packed, unpacked, values) = (
            usize::try_from(header.packed).map_err(|_| lies())?,
            u64::try_from(header.unpacked).map_err(|_| lies())?,
            u64::try_from(header.values).map_err(|_| lies())?,
        );
        if !READ.contains(&header.encoding) {
            return Err(packing("DELTA"));
        }
        match header.sort {
            DICTIONARY => {
                dictionary = dictionary
                    .saturating_add(unpacked)
                    .saturating_add(values.saturating_mul(VALUE))
            }
            DATA | DATA_2 => {
                largest = largest.max(unpacked);
                column.values = column.values.saturating_add(values);
            }
            _ => return Err(lies()),
        }
        let behind = rest.len() - thrift.left();
        column.unpacked = column.unpacked.saturating_add(unpacked);
        if column.unpacked > left {
            return Err(bomb());
        }
        let (page, behind) = rest
            .get(behind..)
            .and_then(|from| from.split_at_checked(packed))
            .ok_or_else(lies)?;
        if gzip && !is_no_longer(page, &header) {
            return Err(lies());
        }
        rest = behind;
    }
    column.bytes = largest.saturating_add(dictionary);
    Ok(column)
}

/// Whether a page that is packed with gzip unpacks to no more than it claims. One that is broken unpacks to what comes before that.
fn is_no_longer(page: &[u8], header: &Header) -> bool {
    let levels = usize::try_from(header.levels).ok();
    let claimed = u64::try_from(header.unpacked.saturating_sub(header.levels)).ok();
    let Some((values, claimed)) = levels.and_then(|levels| page.get(levels..)).zip(claimed) else {
        return false;
    };
    let mut unpacked = Counted(0);
    let more = io::Read::take(MultiGzDecoder::new(values), claimed.saturating_add(1));
    let _ = io::copy(&mut { more }, &mut unpacked);
    unpacked.0 <= claimed
}

/// Counts what is written to it.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn header(thrift: &mut Thrift<'_>) -> Option<Header> {
    let mut header = Header {
        sort: -1,
        encoding: -1,
        ..Header::default()
    };
    thrift.fields(|thrift, id, sort| {
        match (id, sort) {
            (1, I32) => header.sort = thrift.int()?,
            (2, I32) => header.unpacked = thrift.int()?,
            (3, I32) => header.packed = thrift.int()?,
            // The encoding stands in the second place, in pages of the second version in the fourth.
            (5 | 7, STRUCT) => of_page(thrift, &mut header, 2, &[])?,
            (8, STRUCT) => of_page(thrift, &mut header, 4, &[5, 6])?,
            _ => return Some(false),
        }
        Some(true)
    })?;
    Some(header)
}

fn of_page(thrift: &mut Thrift<'_>, header: &mut Header, encoding: i16, levels: &[i16]) -> Option<()> {
    thrift.fields(|thrift, id, sort| {
        match (id, sort) {
            (1, I32) => header.values = thrift.int()?,
            (id, I32) if id == encoding => header.encoding = thrift.int()?,
            (id, I32) if levels.contains(&id) => header.levels = header.levels.checked_add(thrift.int()?)?,
            _ => return Some(false),
        }
        Some(true)
    })
}

fn cut() -> Error {
    Error::refused(
        Kind::Invalid,
        "parquet-cut",
        "Tệp Parquet bị cắt cụt hoặc bị hỏng: phần cuối tệp không đúng. Lấy lại tệp từ nguồn.",
        "The Parquet file is cut short or damaged: its end is not as it should be. Fetch it from its source again.",
    )
}

fn encrypted() -> Error {
    Error::refused(
        Kind::Invalid,
        "parquet-encrypted",
        "Tệp Parquet đã mã hóa. Lưu lại không mã hóa rồi nộp lại.",
        "The Parquet file is encrypted. Save it without.",
    )
}

fn is_nested(column: &str) -> Error {
    Error::refused(
        Kind::Invalid,
        "parquet-nested",
        format!("Cột “{column}” chứa danh sách hoặc nhóm cột. Mỗi cột chỉ được có một giá trị trên mỗi dòng."),
        format!("The column “{column}” holds a list or a group. A column may have one value in each row."),
    )
}

fn packing(how: &str) -> Error {
    Error::refused(
        Kind::Invalid,
        "parquet-packing",
        format!(
            "Không đọc được cách nén hoặc mã hóa dữ liệu {how} của tệp Parquet. Lưu lại với nén Snappy, Zstandard hoặc không nén."
        ),
        format!(
            "The Parquet file is packed in a way that is not read here ({how}). Save it with Snappy or Zstandard, or unpacked."
        ),
    )
}

fn lies() -> Error {
    Error::refused(
        Kind::Invalid,
        "parquet-lies",
        "Nội dung tệp Parquet không khớp với phần mô tả ở cuối tệp (số dòng, vị trí các cột); không đọc.",
        "What the Parquet file holds is not what its end says of it (rows, places of columns); it is not read.",
    )
}

fn bomb() -> Error {
    Error::refused(
        Kind::TooLarge,
        "parquet-bomb",
        "Tệp Parquet giải nén ra quá lớn so với bộ nhớ cho phép; chia thành nhiều tệp, hoặc ghi các nhóm dòng nhỏ hơn.",
        "The Parquet file unpacks to more memory than is given to it; divide it, or write smaller row groups.",
    )
}

fn too_long(limits: Limits) -> Error {
    let most = limits.rows;
    Error::refused(
        Kind::TooLarge,
        "too-many-rows",
        format!("Tệp Parquet có quá {most} dòng; chia thành nhiều tệp."),
        format!("The Parquet file has more than {most} rows; divide it."),
    )
}

fn too_wide(columns: usize, limits: Limits) -> Error {
    let most = limits.columns;
    Error::refused(
        Kind::Invalid,
        "too-many-columns",
        format!("Tệp Parquet có {columns} cột; tệp được có tối đa {most} cột."),
        format!("The Parquet file has {columns} columns; a file may have {most}."),
    )
}
