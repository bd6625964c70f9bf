//! Workbooks as spreadsheet programs write them, and worse.

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

const WORKBOOK: &str = r#"<?xml version="1.0"?><workbook xmlns:r="r"><sheets><sheet name="Dân cư" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const RELATIONS: &str =
    r#"<Relationships><Relationship Id="rId1" Type="t/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// A file of an archive, packed.
pub struct Packed {
    pub bytes: Vec<u8>,
    /// What it says that it unpacks to.
    pub size: usize,
    pub crc: u32,
}

/// A workbook of one sheet.
pub fn workbook(sheet: &[u8]) -> Vec<u8> {
    workbook_of(pack(sheet))
}

/// A workbook of one sheet that is packed already.
pub fn workbook_of(sheet: Packed) -> Vec<u8> {
    zip(&[
        ("xl/workbook.xml", pack(WORKBOOK.as_bytes())),
        ("xl/_rels/workbook.xml.rels", pack(RELATIONS.as_bytes())),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

/// A sheet of cells of text; what begins with `#` is a number.
pub fn sheet(rows: &[&[&str]]) -> Vec<u8> {
    let mut out = String::from("<worksheet><sheetData>");
    for row in rows {
        out += "<row>";
        for cell in *row {
            out += &match cell.strip_prefix('#') {
                Some(number) => format!("<c><v>{number}</v></c>"),
                None => format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"),
            };
        }
        out += "</row>";
    }
    (out + "</sheetData></worksheet>").into_bytes()
}

fn pack(content: &[u8]) -> Packed {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(content).expect("memory");
    let mut crc = Crc::new();
    crc.update(content);
    Packed {
        bytes: packed.finish().expect("memory"),
        size: content.len(),
        crc: crc.sum(),
    }
}

fn zip(parts: &[(&str, Packed)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let short = |n: usize| u32::try_from(n).expect("small").to_le_bytes();
    for (name, packed) in parts {
        let offset = short(out.len());
        let mut common = vec![8, 0, 0, 0, 0, 0];
        common.extend(packed.crc.to_le_bytes());
        common.extend(short(packed.bytes.len()));
        common.extend(short(packed.size));
        common.extend(u16::try_from(name.len()).expect("small").to_le_bytes());
        common.extend([0; 2]);
        out.extend(b"PK\x03\x04\x14\x00\x00\x00");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(&packed.bytes);
        directory.extend(b"PK\x01\x02\x14\x00\x14\x00\x00\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset);
        directory.extend(name.as_bytes());
    }
    let from = short(out.len());
    let count = u16::try_from(parts.len()).expect("small").to_le_bytes();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend(count);
    out.extend(count);
    out.extend(short(directory.len()));
    out.extend(from);
    out.extend([0; 2]);
    out
}
