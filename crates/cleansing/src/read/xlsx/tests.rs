use std::io::{Cursor, Write as _};

use flate2::{Compression, Crc, write::DeflateEncoder};
use proptest::prelude::*;

use super::*;
use crate::value::Serial;

/// A file for an archive, and what the directory says of its size where that is a lie.
pub(crate) struct Part<'a>(pub &'a str, pub Vec<u8>, pub Option<u32>);

/// An archive as a spreadsheet program writes it.
pub(crate) fn zip(parts: &[Part<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for Part(name, content, lie) in parts {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        packed.write_all(content).expect("memory");
        let packed = packed.finish().expect("memory");
        let mut crc = Crc::new();
        crc.update(content);
        let offset = u32::try_from(out.len()).expect("small");
        let size = lie.unwrap_or(u32::try_from(content.len()).expect("small"));
        let mut common = Vec::new();
        common.extend(8_u16.to_le_bytes());
        common.extend([0; 4]);
        common.extend(crc.sum().to_le_bytes());
        common.extend(u32::try_from(packed.len()).expect("small").to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(u16::try_from(name.len()).expect("small").to_le_bytes());
        common.extend([0; 2]);
        out.extend(b"PK\x03\x04\x14\x00\x00\x00");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00\x14\x00\x00\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let from = u32::try_from(out.len()).expect("small");
    let count = u16::try_from(parts.len()).expect("small").to_le_bytes();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend(count);
    out.extend(count);
    out.extend(u32::try_from(directory.len()).expect("small").to_le_bytes());
    out.extend(from.to_le_bytes());
    out.extend([0; 2]);
    out
}

const WORKBOOK: &str = r#"<?xml version="1.0"?><workbook xmlns:r="r"><workbookPr date1904="DATE"/><sheets><sheet name="Dân cư" sheetId="1" r:id="rId1"/><sheet name="Khác" sheetId="2" r:id="rId2"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<Relationships><Relationship Id="rId1" Type="t/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="t/worksheet" Target="/xl/worksheets/sheet1.xml"/><Relationship Id="rId3" Type="t/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId4" Type="t/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd\/mm\/yyyy"/><numFmt numFmtId="165" formatCode="&quot;day&quot; 0"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"#;
const SHARED: &str = r#"<sst><si><t>Họ và tên</t></si><si><r><t>Nguyễn </t></r><r><t xml:space="preserve">&amp; An</t></r><rPh><t>no</t></rPh></si><si/><si><t>NguyÔn V¨n An</t></si></sst>"#;

pub(crate) fn workbook(sheet: &str) -> Vec<u8> {
    with_parts(sheet.into(), SHARED, "0", None)
}

fn with_parts(sheet: Vec<u8>, shared: &str, date1904: &str, lie: Option<u32>) -> Vec<u8> {
    zip(&[
        Part("xl/workbook.xml", WORKBOOK.replace("DATE", date1904).into(), None),
        Part("xl/_rels/workbook.xml.rels", RELATIONS.into(), None),
        Part("xl/styles.xml", STYLES.into(), None),
        Part("xl/sharedStrings.xml", shared.into(), None),
        Part("xl/worksheets/sheet1.xml", sheet, lie),
    ])
}

fn read(bytes: Vec<u8>, sheet: Option<&str>) -> Result<Vec<Row>> {
    let mut reader = XlsxReader::open(Cursor::new(bytes), sheet, Limits::default())?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

fn code(bytes: Vec<u8>) -> String {
    let refused = read(bytes, None).expect_err("refused");
    refused
        .problems()
        .and_then(|p| p.iter().next())
        .map_or_else(|| refused.to_string(), |p| p.code.clone())
}

const SHEET: &str = r#"<worksheet><sheetData>
    <row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>S&#7889;</t></is></c></row>
    <row r="2"/>
    <row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3" s="2"><v>29285</v></c><c r="C3"><v>3.7190001234E10</v></c><c r="D3" s="3"><v>5</v></c></row>
    <row><c t="s"><v>3</v></c><c t="b"><v>1</v></c><c t="e"><v>#REF!</v></c><c t="str"><f>1+1</f><v>hai</v></c><c t="s"><v>99</v></c></row>
    <row r="9"><c r="B9"/></row></sheetData></worksheet>"#;

#[test]
fn cells_of_every_sort_are_read() {
    let rows = read(workbook(SHEET), None).expect("a workbook");
    let texts: Vec<(u64, Vec<&str>)> = rows
        .iter()
        .map(|r| (r.line, r.cells.iter().map(|c| c.text.as_str()).collect()))
        .collect();
    assert_eq!(
        texts,
        [
            (1, vec!["Họ và tên", "", "Số"]),
            (3, vec!["Nguyễn & An", "29285", "37190001234", "5"]),
            (4, vec!["Nguyễn Văn An", "1", "#REF!", "hai", ""]),
        ]
    );
    let kinds: Vec<CellKind> = rows[1].cells.iter().map(|c| c.kind).collect();
    assert_eq!(
        kinds,
        [
            CellKind::Text,
            CellKind::Date(Serial::Since1900),
            CellKind::Number,
            CellKind::Number
        ]
    );
    let codes: Vec<&str> = rows[2].findings.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["encoding-differs", "formula-error"]);
    let later = with_parts(SHEET.into(), SHARED, "1", None);
    assert_eq!(
        read(later, Some("Khác")).expect("a workbook")[1].cells[1].kind,
        CellKind::Date(Serial::Since1904)
    );
}

#[test]
fn reading_goes_on_from_a_row() {
    let mut reader = XlsxReader::open(Cursor::new(workbook(SHEET)), None, Limits::default()).expect("a workbook");
    reader.skip_to(Position { offset: 0, line: 4 }).expect("rows");
    assert_eq!(reader.next_row().expect("a workbook").map(|r| r.line), Some(4));
}

#[test]
fn hostile_and_broken_workbooks_are_refused() {
    assert_eq!(code(b"PK".to_vec()), "not-a-workbook");
    assert_eq!(code(b"a,b\n".to_vec()), "not-a-workbook");
    assert_eq!(code(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec()), "old-excel");
    assert_eq!(code(b"PK\x03\x04 and no end".to_vec()), "damaged-workbook");
    assert_eq!(code(zip(&[Part("x.txt", vec![1], None)])), "not-a-workbook");
    // Spaces compress a thousand to one.
    let bomb = format!("<worksheet>{}<sheetData/></worksheet>", " ".repeat(8 << 20));
    assert_eq!(code(workbook(&bomb)), "zip-bomb");
    let small = with_parts(bomb.into(), SHARED, "0", Some(1000));
    assert_eq!(code(small), "zip-size-differs", "says that it is small");
    let large = with_parts(SHEET.into(), SHARED, "0", Some(1 << 19));
    assert_eq!(code(large), "zip-size-differs", "says that it is large");
    let mut encrypted = workbook(SHEET);
    let at = encrypted
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .expect("a directory");
    encrypted[at + 8] |= 1;
    assert_eq!(code(encrypted), "encrypted");
    let many: Vec<Part<'_>> = (0..4097).map(|_| Part("x", Vec::new(), None)).collect();
    assert_eq!(code(zip(&many)), "too-many-entries");
    let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData/></worksheet>"#;
    assert_eq!(code(workbook(entities)), "zip-bomb");
    assert_eq!(code(workbook("<worksheet><sheetData><row><c>")), "damaged-workbook");
    let mut damaged = workbook(SHEET);
    let at = damaged.windows(4).rposition(|w| w == b"PK\x03\x04").expect("a sheet") + 90;
    damaged[at] ^= 0xff;
    assert!(["damaged-workbook", "zip-size-differs", "zip-bomb"].contains(&code(damaged).as_str()));
    let wide = r#"<worksheet><sheetData><row><c r="ZZZZZZ1"><v>1</v></c></row></sheetData></worksheet>"#;
    assert_eq!(code(workbook(wide)), "damaged-workbook");
    let refused = read(workbook(SHEET), Some("Không có")).expect_err("no such sheet");
    assert!(refused.to_string().contains("Dân cư, Khác"));
}

#[test]
fn shared_texts_are_bounded() {
    let limits = Limits {
        shared_bytes: 40,
        ..Limits::default()
    };
    let refused = XlsxReader::open(Cursor::new(workbook(SHEET)), None, limits)
        .map(|_| ())
        .expect_err("too large");
    assert_eq!(refused.kind(), Some(base::refusal::Kind::TooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_damage_is_survived(at in 0_usize..4000, byte: u8, cut in 0_usize..4000) {
        let mut bytes = workbook(SHEET);
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % (length / 4));
        let _ = read(bytes, None);
    }

    #[test]
    fn any_sheet_is_survived(sheet in "(<row( r=\"[0-9]{1,9}\")?>|<c( r=\"[A-Z]{1,4}[0-9]\")?( t=\"[sbe]\")?>|<v>|[0-9a-z&;#]{0,5}|</v>|</c>|</row>){0,30}") {
        let _ = read(workbook(&format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>")), None);
    }
}
