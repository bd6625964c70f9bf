//! Files as old programs write them, files that are meant to do harm, and Parquet.

use std::{io::Write as _, sync::Arc};

use base::Error;
use cleansing::encoding::Encoding;
use flate2::{Compression, write::DeflateEncoder};
use futures::TryStreamExt as _;
use parquet::{
    data_type::{ByteArray, ByteArrayType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use registry::linking::files::{FileId, LineState};

use super::{codes, now, offices, population, steward, words, workbook};

fn refused(result: Result<FileId, Error>) -> String {
    let error = result.expect_err("refused");
    format!("{} {}", codes(&error).join(" "), words(&error))
}

/// A file of columns of text.
fn table(columns: &[(&str, &[&str])]) -> Vec<u8> {
    let fields: String = columns
        .iter()
        .map(|(name, _)| format!("optional binary {name} (UTF8); "))
        .collect();
    let schema = parse_message_type(&format!("message m {{ {fields} }}")).expect("a schema");
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_dictionary_page_size_limit(8 << 20)
        .build();
    let writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties));
    let mut writer = writer.expect("a writer");
    let mut group = writer.next_row_group().expect("a group");
    for (_, cells) in columns {
        let mut column = group.next_column().expect("no error").expect("a column");
        let there: Vec<i16> = cells.iter().map(|cell| i16::from(!cell.is_empty())).collect();
        let given = cells.iter().filter(|cell| !cell.is_empty());
        let given: Vec<ByteArray> = given.map(|cell| ByteArray::from(*cell)).collect();
        column
            .typed::<ByteArrayType>()
            .write_batch(&given, Some(&there), None)
            .expect("written");
        column.close().expect("closed");
    }
    group.close().expect("closed");
    writer.into_inner().expect("written")
}

#[tokio::test]
async fn parquet_is_taken_as_the_same_rows_in_csv() {
    for office in offices().await {
        let names = ["Nguyễn Thị Hường", "", "Lê Văn Không"];
        let columns: [(&str, &[&str]); 3] = [
            ("ho_va_ten", &names),
            ("ngay_sinh", &["1980-03-05", "", "1970-02-01"]),
            ("ma_xa", &["00004", "", ""]),
        ];
        let content = table(&columns);
        // It is known by what it holds, and not by its name.
        let id = office.put("danh sách.csv", content.clone()).await.expect("taken in");
        let file = office.file(id).await;
        let told: Vec<_> = file
            .columns
            .iter()
            .map(|(_, field)| field.as_ref().map(ToString::to_string))
            .collect();
        assert_eq!(
            told[..2],
            [Some("name".to_owned()), Some("birth_date".to_owned())],
            "{told:?}"
        );
        assert_eq!(file.total, 2, "a blank row is none");
        office
            .begin(id, &["name", "birth_date", "residence.commune"])
            .await
            .expect("begun");
        office.work(now()).await;
        let (first, second) = (office.line(id, 1).await.0, office.line(id, 2).await.0);
        assert_eq!((first.state, first.line), (LineState::Clear, 1));
        assert_eq!((second.state, second.line), (LineState::Lone, 3));

        let cut = refused(office.put("a.parquet", content[..content.len() - 1].to_vec()).await);
        assert!(cut.starts_with("parquet-cut"), "{cut}");
        let long = "a".repeat(1 << 20);
        // A megabyte for each of two hundred rows, in a file of some fifty kilobytes.
        let bomb = table(&[("ho_va_ten", &[long.as_str(); 200])]);
        assert!(bomb.len() < 200_000, "{}", bomb.len());
        let bomb = refused(office.put("a.parquet", bomb).await);
        assert!(bomb.starts_with("too-large"), "{bomb}");
        let files = office.registries.files(&steward(), &population(), None, 9).await;
        assert_eq!(files.expect("a list").items.len(), 1);
    }
}

#[tokio::test]
async fn accents_come_right_from_old_fonts_and_from_utf_16() {
    let office = offices().await.remove(0);
    let mut text = "Họ và tên,Ngày sinh\r\nNguyễn Thị Hường,05/03/1980\r\n".to_owned();
    for n in 1..=28 {
        text += &format!("Lê Thị Phượng,{n:02}/04/1971\r\nĐặng Quốc Việt,{n:02}/05/1969\r\n");
    }
    for encoding in [
        Encoding::Vni,
        Encoding::Tcvn3,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Windows1258,
    ] {
        let mark: &[u8] = match encoding {
            Encoding::Utf16Le => &[0xff, 0xfe],
            Encoding::Utf16Be => &[0xfe, 0xff],
            _ => &[],
        };
        let content = [mark, &encoding.encode(&text).expect("it has these letters")].concat();
        let id = office.put("a.csv", content).await.expect("taken in");
        let file = office.file(id).await;
        let headings: Vec<&str> = file.columns.iter().map(|(heading, _)| heading.as_str()).collect();
        assert_eq!(
            (headings, file.total),
            (vec!["Họ và tên", "Ngày sinh"], 57),
            "{}",
            encoding.name()
        );
        for (n, name) in [(1, "Nguyễn Thị Hường"), (2, "Lê Thị Phượng"), (3, "Đặng Quốc Việt")] {
            assert_eq!(office.line(id, n).await.0.cells[0], name, "{}", encoding.name());
        }
    }
}

#[tokio::test]
async fn workbooks_that_swell_are_refused_and_a_million_blank_rows_are_none() {
    let office = offices().await.remove(0);
    // Megabytes of zeros, each packed by itself, one after the other: more than a gigabyte.
    let mut piece = DeflateEncoder::new(Vec::new(), Compression::best());
    piece.write_all(&[b' '; 1 << 20]).expect("memory");
    piece.flush().expect("memory");
    let piece = piece.get_ref().clone();
    for size in [1_100 << 20, 1 << 20] {
        let bytes = piece.repeat(1_100);
        let bomb = workbook::workbook_of(workbook::Packed { bytes, size, crc: 0 });
        assert!(bomb.len() < 4 << 20, "{}", bomb.len());
        let bomb = refused(office.put("a.xlsx", bomb).await);
        // It says what it unpacks to, or lies about it.
        let code = if size > 1 << 20 { "zip-bomb" } else { "zip-size-differs" };
        assert!(bomb.starts_with(code), "{bomb}");
    }
    let head = "<worksheet><sheetData><row r=\"1\"><c t=\"inlineStr\"><is><t>Họ và tên</t></is></c></row>";
    let blank: String = (2..=1_048_575).map(|n| format!("<row r=\"{n}\"/>")).collect();
    let last = "<row r=\"1048576\"><c t=\"inlineStr\"><is><t>Lê Văn Không</t></is></c></row></sheetData></worksheet>";
    let content = workbook::workbook(format!("{head}{blank}{last}").as_bytes());
    let id = office.put("a.xlsx", content).await.expect("taken in");
    let line = office.line(id, 1).await.0;
    assert_eq!(
        (office.file(id).await.total, line.line, line.cells[0].as_str()),
        (1, 1_048_576, "Lê Văn Không")
    );
}

#[tokio::test]
async fn what_too_many_records_share_is_said_and_a_number_finds_one_of_them() {
    for office in offices().await {
        for n in 100..151 {
            let number = format!("001090000{n}");
            office.add(&number, "Nguyễn Văn Hùng", "1990-01-01", "00004", &[]).await;
        }
        office.work(now()).await;
        // Two columns of one name: one of them is told, and the other is for a person.
        let content = "Số định danh,Họ và tên,Họ và tên,Ngày sinh\n,Nguyễn Văn Hùng,x,01/01/1990\n001090000120,Nguyễn Văn Hùng,x,01/01/1990\n";
        let id = office.put("a.csv", content).await.expect("taken in");
        let names = office.file(id).await.columns;
        let named = names
            .iter()
            .filter(|(_, field)| field.as_ref().is_some_and(|field| field.as_str() == "name"));
        assert_eq!((names.len(), named.count()), (4, 1));
        let twice = office.begin(id, &["person_number", "name", "name", "birth_date"]).await;
        assert_eq!(codes(&twice.expect_err("refused")), ["field-twice"]);
        office
            .begin(id, &["person_number", "name", "", "birth_date"])
            .await
            .expect("begun");
        office.work(now()).await;
        let (shared, candidates) = office.line(id, 1).await;
        assert_eq!((shared.state, candidates.len()), (LineState::Unread, 0));
        assert!(shared.flaw.vi.starts_with("Quá nhiều bản ghi"), "{:?}", shared.flaw);
        let (known, candidates) = office.line(id, 2).await;
        assert_eq!((known.state, candidates.len()), (LineState::Clear, 1));
        assert!(known.flaw.vi.is_empty(), "{:?}", known.flaw);
    }
}

#[tokio::test]
async fn a_result_comes_in_pieces_and_breaks_off_where_its_rows_are_removed() {
    for office in offices().await {
        let rows: String = (0..1_201).map(|n| format!("Lê Văn Không {n},01/02/1970\n")).collect();
        let id = office.put("a.csv", format!("Họ và tên,Ngày sinh\n{rows}")).await;
        let id = id.expect("taken in");
        assert_eq!(office.result(id).await.len(), 1_202);
        let (ctx, code) = (steward(), population());
        let result = office.registries.file_result(&ctx, &code, id).await.expect("a result");
        let mut result = std::pin::pin!(result);
        let first = result.try_next().await.expect("no error").expect("a piece");
        assert_eq!(first.iter().filter(|byte| **byte == b'\n').count(), 501);
        office.registries.remove_file(&ctx, &code, id).await.expect("removed");
        let broken = result.try_next().await.expect_err("it is not taken for the whole");
        assert_eq!(codes(&broken), ["not-found"]);
    }
}
