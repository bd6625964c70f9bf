//! Parquet files of strangers: what they say is read, and what is cut, false or swollen is refused before it takes memory.

use std::sync::Arc;

use base::Error;
use bytes::Bytes;
use linkage::columnar::{Limits, Table};
use parquet::{
    basic::{Compression, Encoding, GzipLevel, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    file::{
        properties::{WriterProperties, WriterVersion},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::parser::parse_message_type,
};

const LIMITS: Limits = Limits {
    rows: 1_000,
    columns: 6,
    bytes: 1 << 20,
};

/// The values of a column; nothing where one is missing.
enum Values {
    Texts(Vec<Option<String>>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Doubles(Vec<f64>),
}

fn texts(values: &[&str]) -> Values {
    let value = |text: &&str| (!text.is_empty()).then(|| (*text).to_owned());
    Values::Texts(values.iter().map(value).collect())
}

/// A file of one row group.
fn file(schema: &str, properties: WriterProperties, columns: &[Values]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).expect("a writer");
    let mut group = writer.next_row_group().expect("a group");
    for values in columns {
        let mut column = group.next_column().expect("no error").expect("a column");
        match values {
            Values::Texts(texts) => {
                let there: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
                let given: Vec<ByteArray> = texts.iter().flatten().map(|text| text.as_str().into()).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&given, Some(&there), None)
                    .expect("written");
            }
            Values::Ints(given) => write::<Int32Type>(&mut column, given),
            Values::Longs(given) => write::<Int64Type>(&mut column, given),
            Values::Doubles(given) => write::<DoubleType>(&mut column, given),
        }
        column.close().expect("closed");
    }
    group.close().expect("closed");
    writer.into_inner().expect("written")
}

fn write<T: DataType>(column: &mut SerializedColumnWriter<'_>, given: &[T::T]) {
    column.typed::<T>().write_batch(given, None, None).expect("written");
}

fn plain() -> WriterProperties {
    WriterProperties::default()
}

fn people(properties: WriterProperties) -> Vec<u8> {
    let schema = "message people { optional binary name (UTF8); required int32 born (DATE); }";
    file(
        schema,
        properties,
        &[texts(&["Nguyễn Thị Hường", ""]), Values::Ints(vec![3716, -1])],
    )
}

fn rows(content: &[u8], limits: Limits) -> Result<Vec<Vec<Option<String>>>, Error> {
    let mut table = Table::of_stranger(Bytes::copy_from_slice(content), "danh sách.parquet", limits)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

fn refusal(content: &[u8], limits: Limits) -> String {
    let error = rows(content, limits).expect_err("refused");
    let problems = error.problems().expect("problems");
    problems.iter().map(|problem| problem.code.clone()).collect()
}

/// How pages are packed that are read, in both versions of their headers.
fn packings() -> impl Iterator<Item = (Compression, WriterVersion)> {
    let known = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
    ];
    known
        .into_iter()
        .flat_map(|packed| [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0].map(|version| (packed, version)))
}

fn packed(compression: Compression, version: WriterVersion) -> WriterProperties {
    WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        // What the second version would choose by itself is not taken.
        .set_encoding(Encoding::PLAIN)
        .set_dictionary_enabled(version == WriterVersion::PARQUET_1_0)
        .build()
}

#[test]
fn values_are_written_as_people_write_them() {
    let schema = "message people { optional binary name (UTF8); required int32 born (DATE); \
                  required int64 seen (TIMESTAMP(MILLIS,false)); required int64 known (TIMESTAMP(NANOS,false)); \
                  required double number; optional binary raw; }";
    let day = 3716_i64 * 86_400_000;
    let columns = [
        texts(&["Nguyễn Thị Hường", ""]),
        Values::Ints(vec![3716, -1]),
        Values::Longs(vec![day, day + 3_600_000]),
        Values::Longs(vec![day * 1_000_000, 0]),
        Values::Doubles(vec![12_345_678.0, 0.5]),
        texts(&["Hà Nội", ""]),
    ];
    for (compression, version) in packings() {
        let content = file(schema, packed(compression, version), &columns);
        let table = Table::of_stranger(Bytes::from(content.clone()), "", LIMITS).expect("a table");
        assert_eq!(table.names(), ["name", "born", "seen", "known", "number", "raw"]);
        let said = |texts: [&str; 6]| texts.map(|text| (!text.is_empty()).then(|| text.to_owned())).to_vec();
        assert_eq!(
            rows(&content, LIMITS).expect("rows"),
            [
                said([
                    "Nguyễn Thị Hường",
                    "1980-03-05",
                    "1980-03-05",
                    "1980-03-05",
                    "12345678",
                    "Hà Nội"
                ]),
                said(["", "1969-12-31", "1980-03-05T01:00:00", "1970-01-01", "0.5", ""]),
            ]
        );
    }
}

#[test]
fn what_is_cut_or_false_is_refused() {
    let whole = people(plain());
    assert_eq!(rows(&whole, LIMITS).expect("rows").len(), 2);
    let length = whole.len();
    for end in [4, 8, 11, length / 2, length - 1] {
        assert_eq!(refusal(&whole[..end], LIMITS), "parquet-cut", "{end} bytes");
    }
    let ending = |magic: &[u8]| [&whole[..length - 4], magic].concat();
    assert_eq!(refusal(&ending(b"RAP1"), LIMITS), "parquet-cut");
    assert_eq!(refusal(&ending(b"PARE"), LIMITS), "parquet-encrypted");
    // The end says more rows than the pages hold: the number stands behind the schema, in the third place.
    let rows_at = |content: &[u8]| content.windows(2).rposition(|at| at == [0x16, 4]).expect("two rows");
    let (mut last, mut more) = (whole.clone(), whole.clone());
    last[rows_at(&whole) + 1] = 6;
    assert_eq!(refusal(&last, LIMITS), "parquet-lies");
    for at in whole
        .windows(2)
        .enumerate()
        .filter(|(_, at)| *at == [0x16, 4])
        .map(|(n, _)| n)
    {
        more[at + 1] = 6;
    }
    assert_eq!(refusal(&more, LIMITS), "parquet-lies");
    let few = Limits { rows: 1, ..LIMITS };
    assert_eq!(refusal(&whole, few), "too-many-rows");
    assert_eq!(refusal(&whole, Limits { columns: 1, ..LIMITS }), "too-many-columns");
}

#[test]
fn columns_that_hold_more_than_a_value_are_refused() {
    let nested = "message m { optional group place { optional binary commune (UTF8); } }";
    let repeated = "message m { repeated binary cards (UTF8); }";
    for schema in [nested, repeated] {
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(plain())).expect("a writer");
        let content = writer.into_inner().expect("written");
        assert_eq!(refusal(&content, LIMITS), "parquet-nested");
    }
    // A root with thousands of millions of columns, of which none is there.
    let footer = [
        0x15, 2, 0x19, 0x1c, 0x48, 1, b'm', 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0x16, 0, 0x19, 0x0c, 0,
    ];
    let length = u32::try_from(footer.len()).expect("short").to_le_bytes();
    let content = [b"PAR1", &footer[..], &length[..], b"PAR1"].concat();
    assert_eq!(refusal(&content, LIMITS), "parquet-cut");
}

#[test]
fn what_unpacks_to_more_than_its_limit_is_refused_before_it_is_unpacked() {
    let schema = "message m { optional binary name (UTF8); }";
    let long = "a".repeat(2 << 20);
    let texts_of = |count: usize| [Values::Texts(vec![Some(long.clone()); count])];
    let snappy = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_page_size_limit(8 << 20)
        .build();
    // Two megabytes in a hundred kilobytes, for each of a hundred rows.
    let content = file(schema, snappy, &texts_of(100));
    assert!(content.len() < 300_000, "{}", content.len());
    assert_eq!(refusal(&content, LIMITS), "parquet-bomb");
    // Where each value is written by what it shares with the one before, nobody knows beforehand what it comes to.
    let delta = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BYTE_ARRAY)
        .build();
    assert_eq!(refusal(&file(schema, delta, &texts_of(3)), LIMITS), "parquet-packing");
    // A page that claims a hundred megabytes in its header, of which two are there.
    let plain = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .build();
    let mut content = file(schema, plain, &texts_of(1));
    assert_eq!(
        content[4..7],
        [0x15, 0, 0x15],
        "a page of data, and how large it is: {:?}",
        &content[..24]
    );
    content[7..10].copy_from_slice(&[0xfe, 0xff, 0xff]);
    content[10] = 0x7f;
    let enough = Limits {
        bytes: 16 << 20,
        ..LIMITS
    };
    assert_eq!(refusal(&content, enough), "parquet-bomb");
}

#[test]
fn what_packs_well_is_refused_by_what_it_unpacks_to_and_a_false_claim_is_found_out() {
    let schema = "message m { optional binary name (UTF8); }";
    let packed = |codec, values: &[Values]| {
        let one_page = WriterProperties::builder()
            .set_compression(codec)
            .set_dictionary_enabled(false)
            .set_data_page_size_limit(300_000)
            .set_write_batch_size(1)
            .build();
        file(schema, one_page, values)
    };
    let (gzip, zstd) = (
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    );
    let long = "a".repeat(400_000);
    for codec in [gzip, zstd, Compression::LZ4_RAW] {
        // Pages of less than half a megabyte, each within its limit, of which thirty are more than eight times that.
        let pages = packed(codec, &[Values::Texts(vec![Some(long.clone()); 30])]);
        assert!(pages.len() < 100_000, "{codec}: {}", pages.len());
        assert_eq!(refusal(&pages, LIMITS), "parquet-bomb", "{codec}");
        let few = packed(codec, &[Values::Texts(vec![Some(long.clone()); 5])]);
        assert_eq!(rows(&few, LIMITS).expect("rows").len(), 5, "{codec}");
    }
    // The header says ten bytes fewer, or a tenth: with gzip that is known before the reader unpacks it all, with others there.
    for (codec, code) in [
        (gzip, "parquet-lies"),
        (zstd, "not-parquet"),
        (Compression::LZ4_RAW, "not-parquet"),
    ] {
        let mut content = packed(codec, &[Values::Texts(vec![Some(long.clone())])]);
        let at = 6;
        assert_eq!(content[4..7], [0x15, 0, 0x15], "a page of data, and how large it is");
        content[at + 1] -= 20;
        assert_eq!(refusal(&content, LIMITS), code, "{codec}");
        content[at + 3] = 0x08;
        assert_eq!(refusal(&content, LIMITS), code, "{codec}");
    }
}

#[test]
fn no_byte_that_is_wrong_brings_the_reader_down() {
    for (compression, version) in packings() {
        let whole = people(packed(compression, version));
        assert_eq!(rows(&whole, LIMITS).expect("rows").len(), 2);
        for at in 0..whole.len() {
            for wrong in [0x00, 0x7f, 0x80, 0xff, whole[at] ^ 1] {
                let mut content = whole.clone();
                content[at] = wrong;
                // Refused, or read as something else; never more than it may have.
                if let Ok(rows) = rows(&content, LIMITS) {
                    assert!(rows.len() <= 1_000, "{compression}, byte {at}");
                }
            }
        }
    }
}
