//! Judging an uploaded file by its content: what it is, whether it is whole, whether it does anything by itself.

use base::Problems;
use lopdf::{Dictionary, Document, Object};

use crate::Format;

/// Objects of a PDF that are looked at; a file with more is refused, not trusted.
const MOST_OBJECTS: usize = 200_000;
/// The longest file name kept, characters.
const LONGEST_NAME: usize = 120;
/// The widest or highest picture, pixels: larger ones are made to exhaust memory.
const LARGEST_SIDE: u32 = 30_000;

/// A file that may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What it is.
    pub format: Format,
    /// Pages, where the format has them.
    pub pages: Option<u32>,
}

/// The sender's name for a file without path, control characters and surprises.
pub fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = base::text::nfc(last)
        .chars()
        .filter(|c| {
            !c.is_control() && !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '"' | '<' | '>')
        })
        .take(LONGEST_NAME)
        .collect();
    let clean = clean.trim().trim_start_matches('.').to_owned();
    if clean.is_empty() { "tep".to_owned() } else { clean }
}

/// Judges a whole file.
///
/// # Errors
/// Every reason against it, in both languages.
pub fn inspect(content: &[u8], accept: &[Format], most_pages: u32) -> Result<Verdict, Problems> {
    let mut problems = Problems::new();
    let Some(format) = sniff(content) else {
        problems.add(
            "unknown-format",
            "",
            format!(
                "Không nhận ra định dạng tệp. Dùng một trong các định dạng: {}.",
                names(accept)
            ),
            format!("The format of the file is not known. Use one of: {}.", names(accept)),
        );
        return Err(problems);
    };
    if !accept.contains(&format) {
        problems.add(
            "format-not-accepted",
            "",
            format!("Tệp là {}; giấy tờ này nhận: {}.", format.name(), names(accept)),
            format!("The file is {}; this paper takes: {}.", format.name(), names(accept)),
        );
        return Err(problems);
    }
    let pages = match format {
        Format::Pdf => pdf(content, most_pages, &mut problems),
        Format::Jpeg | Format::Png | Format::Webp | Format::Heic => {
            picture(content, format, &mut problems);
            None
        }
    };
    if problems.is_empty() {
        Ok(Verdict { format, pages })
    } else {
        Err(problems)
    }
}

/// The format by the first bytes; the name and what the sender says do not count.
fn sniff(content: &[u8]) -> Option<Format> {
    let brand = content.get(4..12);
    let riff = content.get(8..12);
    if content.starts_with(b"%PDF-") {
        Some(Format::Pdf)
    } else if content.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Some(Format::Jpeg)
    } else if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if content.starts_with(b"RIFF") && riff == Some(b"WEBP") {
        Some(Format::Webp)
    } else if brand.is_some_and(|b| {
        b.starts_with(b"ftyp")
            && matches!(
                &b[4..],
                b"heic" | b"heix" | b"mif1" | b"msf1" | b"heim" | b"heis" | b"hevc"
            )
    }) {
        Some(Format::Heic)
    } else {
        None
    }
}

fn pdf(content: &[u8], most_pages: u32, problems: &mut Problems) -> Option<u32> {
    let broken = |problems: &mut Problems| {
        problems.add(
            "broken-pdf",
            "",
            "Tệp PDF bị hỏng hoặc chưa đầy đủ. Lưu lại tệp rồi tải lên lần nữa.",
            "The PDF is damaged or incomplete. Save it again and upload it once more.",
        );
    };
    // A PDF is hostile input: a parser's panic is a broken file.
    let parsed = std::panic::catch_unwind(|| Document::load_mem(content));
    let Ok(Ok(document)) = parsed else {
        broken(problems);
        return None;
    };
    if document.trailer.get(b"Encrypt").is_ok() {
        problems.add(
            "encrypted",
            "",
            "Tệp PDF có mật khẩu. Bỏ mật khẩu rồi tải lên lại.",
            "The PDF is protected by a password. Remove it and upload the file again.",
        );
        return None;
    }
    if document.objects.len() > MOST_OBJECTS {
        broken(problems);
        return None;
    }
    for what in document.objects.values().filter_map(active).take(3) {
        problems.add(
            "active-content",
            "",
            format!("Tệp PDF chứa nội dung tự chạy ({what}). In hoặc xuất lại thành PDF thường rồi tải lên."),
            format!("The PDF holds active content ({what}). Print or export it as a plain PDF and upload that."),
        );
    }
    let pages = u32::try_from(document.get_pages().len()).unwrap_or(u32::MAX);
    if pages == 0 {
        broken(problems);
    } else if pages > most_pages {
        problems.add(
            "too-many-pages",
            "",
            format!("Tệp có {pages} trang; tối đa {most_pages} trang."),
            format!("The file has {pages} pages; at most {most_pages} are taken."),
        );
    }
    Some(pages)
}

/// What in an object would do something by itself.
fn active(object: &Object) -> Option<&'static str> {
    match object {
        Object::Dictionary(dictionary) => active_dictionary(dictionary, 0),
        Object::Stream(stream) => active_dictionary(&stream.dict, 0),
        Object::Array(items) => items.iter().find_map(|o| nested(o, 0)),
        _ => None,
    }
}

fn nested(object: &Object, depth: usize) -> Option<&'static str> {
    if depth > 16 {
        return None;
    }
    match object {
        Object::Dictionary(dictionary) => active_dictionary(dictionary, depth + 1),
        Object::Array(items) => items.iter().find_map(|o| nested(o, depth + 1)),
        _ => None,
    }
}

fn active_dictionary(dictionary: &Dictionary, depth: usize) -> Option<&'static str> {
    for (key, value) in dictionary {
        let found = match key.as_slice() {
            b"JS" | b"JavaScript" => Some("JavaScript"),
            b"EmbeddedFiles" | b"EF" => Some("tệp đính kèm / attachment"),
            b"RichMedia" => Some("rich media"),
            b"XFA" => Some("XFA"),
            b"S" | b"Subtype" => match value.as_name() {
                Ok(b"JavaScript") => Some("JavaScript"),
                Ok(b"Launch") => Some("Launch"),
                Ok(b"ImportData") => Some("ImportData"),
                Ok(b"SubmitForm") => Some("SubmitForm"),
                Ok(b"RichMedia" | b"3D" | b"Movie" | b"Sound" | b"FileAttachment") => Some("media"),
                _ => None,
            },
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        if let Some(inner) = nested(value, depth) {
            return Some(inner);
        }
    }
    None
}

/// A picture must be whole and not huge; nothing is decoded.
fn picture(content: &[u8], format: Format, problems: &mut Problems) {
    let (size, whole) = match format {
        Format::Png => (
            png_size(content),
            content.windows(4).rev().take(64).any(|w| w == b"IEND"),
        ),
        Format::Jpeg => (
            jpeg_size(content),
            content.windows(2).rev().take(4096).any(|w| w == [0xFF, 0xD9]),
        ),
        Format::Webp => {
            let declared = content
                .get(4..8)
                .and_then(|b| b.try_into().ok())
                .map(u32::from_le_bytes);
            (
                Some((1, 1)),
                declared.is_some_and(|n| u64::from(n) + 8 <= content.len() as u64 + 1),
            )
        }
        Format::Heic | Format::Pdf => (Some((1, 1)), content.len() > 64),
    };
    match size {
        Some((w, h)) if w > 0 && h > 0 && whole => {
            if w > LARGEST_SIDE || h > LARGEST_SIDE {
                problems.add(
                    "picture-too-large",
                    "",
                    "Ảnh có kích thước quá lớn. Chụp lại với độ phân giải thấp hơn.",
                    "The picture is too large. Take it again at a lower resolution.",
                );
            }
        }
        _ => problems.add(
            "broken-picture",
            "",
            "Tệp ảnh bị hỏng hoặc chưa đầy đủ. Chụp lại rồi tải lên.",
            "The picture is damaged or incomplete. Take it again and upload it.",
        ),
    }
}

fn png_size(content: &[u8]) -> Option<(u32, u32)> {
    let read = |at: usize| {
        content
            .get(at..at + 4)
            .and_then(|b| b.try_into().ok())
            .map(u32::from_be_bytes)
    };
    Some((read(16)?, read(20)?))
}

/// Walks the segments of a JPEG to its frame header.
fn jpeg_size(content: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    while let Some([0xFF, marker]) = content.get(at..at + 2).and_then(|b| <[u8; 2]>::try_from(b).ok()) {
        let length = usize::from(u16::from_be_bytes(content.get(at + 2..at + 4)?.try_into().ok()?));
        let frame = matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
        if frame {
            let side = |at: usize| {
                content
                    .get(at..at + 2)
                    .and_then(|b| b.try_into().ok())
                    .map(u16::from_be_bytes)
            };
            return Some((u32::from(side(at + 7)?), u32::from(side(at + 5)?)));
        }
        at += 2 + length.max(2);
    }
    None
}

fn names(accept: &[Format]) -> String {
    accept.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use lopdf::{Document, Object, Stream, dictionary};

    use super::*;

    /// A small PDF of `pages` pages whose catalogue carries `extra`.
    fn pdf_with(pages: usize, extra: Option<(&str, Object)>) -> Vec<u8> {
        let mut document = Document::with_version("1.5");
        let tree = document.new_object_id();
        let kids: Vec<Object> = (0..pages)
            .map(|_| {
                let content = document.add_object(Stream::new(dictionary! {}, b"BT ET".to_vec()));
                document
                    .add_object(dictionary! { "Type" => "Page", "Parent" => tree, "Contents" => content })
                    .into()
            })
            .collect();
        let count = i64::try_from(pages).expect("few");
        document.objects.insert(
            tree,
            Object::Dictionary(dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }),
        );
        let mut catalogue = dictionary! { "Type" => "Catalog", "Pages" => tree };
        if let Some((key, value)) = extra {
            catalogue.set(key, value);
        }
        let catalogue = document.add_object(catalogue);
        document.trailer.set("Root", catalogue);
        let mut out = Vec::new();
        document.save_to(&mut out).expect("writes");
        out
    }

    fn codes(result: Result<Verdict, Problems>) -> Vec<String> {
        result.expect_err("refused").iter().map(|p| p.code.clone()).collect()
    }

    #[test]
    fn a_plain_pdf_stays_and_its_pages_are_counted() {
        let verdict = inspect(&pdf_with(3, None), &Format::ALL, 10).expect("plain");
        assert_eq!(
            verdict,
            Verdict {
                format: Format::Pdf,
                pages: Some(3)
            }
        );
        assert_eq!(codes(inspect(&pdf_with(3, None), &Format::ALL, 2)), ["too-many-pages"]);
        assert_eq!(
            codes(inspect(&pdf_with(1, None), &[Format::Jpeg], 2)),
            ["format-not-accepted"]
        );
    }

    #[test]
    fn what_runs_by_itself_is_refused() {
        let script =
            Object::Dictionary(dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("app.alert(1)") });
        assert_eq!(
            codes(inspect(&pdf_with(1, Some(("OpenAction", script))), &Format::ALL, 9)),
            ["active-content"]
        );
        let launch = Object::Dictionary(dictionary! { "S" => "Launch", "F" => Object::string_literal("cmd.exe") });
        assert_eq!(
            codes(inspect(&pdf_with(1, Some(("OpenAction", launch))), &Format::ALL, 9)),
            ["active-content"]
        );
        let names = Object::Dictionary(dictionary! { "EmbeddedFiles" => dictionary! {} });
        assert_eq!(
            codes(inspect(&pdf_with(1, Some(("Names", names))), &Format::ALL, 9)),
            ["active-content"]
        );
    }

    #[test]
    fn what_lies_about_itself_or_is_cut_is_refused() {
        for hostile in [
            &b"<svg onload=alert(1)>"[..],
            b"PK\x03\x04 a zip",
            b"MZ a program",
            b"",
            b"<html>",
        ] {
            assert_eq!(codes(inspect(hostile, &Format::ALL, 9)), ["unknown-format"]);
        }
        let whole = pdf_with(1, None);
        assert_eq!(codes(inspect(&whole[..40], &Format::ALL, 9)), ["broken-pdf"]);
        assert_eq!(codes(inspect(b"%PDF-1.7 and nothing", &Format::ALL, 9)), ["broken-pdf"]);
        assert_eq!(
            codes(inspect(b"\x89PNG\r\n\x1a\n and nothing", &Format::ALL, 9)),
            ["broken-picture"]
        );
        assert_eq!(
            codes(inspect(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 2], &Format::ALL, 9)),
            ["broken-picture"]
        );
    }

    #[test]
    fn a_png_bomb_is_refused_without_decoding_it() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend(100_000_u32.to_be_bytes());
        png.extend(100_000_u32.to_be_bytes());
        png.extend(b"....IEND....");
        assert_eq!(codes(inspect(&png, &Format::ALL, 9)), ["picture-too-large"]);
    }

    #[test]
    fn names_lose_paths_and_tricks() {
        assert_eq!(plain_name("../../etc/passwd"), "passwd");
        assert_eq!(plain_name("C:\\Users\\a\\giấy chứng sinh.pdf"), "giấy chứng sinh.pdf");
        assert_eq!(plain_name("ảnh\u{202E}fdp.exe"), "ảnhfdp.exe");
        assert_eq!(plain_name("..."), "tep");
    }
}
