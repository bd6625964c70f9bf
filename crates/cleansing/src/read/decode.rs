//! Cells from bytes, each in the encoding that it really is in.

use base::{
    codes::CodeError,
    text::{is_nfc, nfc},
};

use crate::{
    Finding, Severity,
    encoding::{Encoding, detect, mojibake},
};

/// Decodes the cells of one file. A file has an encoding; a column may have another that a person declared; and single cells
/// are found to be in another, which is reported where it happens.
#[derive(Debug, Clone)]
pub struct Decoder {
    file: Encoding,
    /// Whether a person said so. Then no cell is second-guessed, except that bytes without a meaning are reported.
    declared: bool,
    columns: Vec<Option<Encoding>>,
    /// The legacy encoding that the last foreign cell was in: short cells alone do not always tell.
    last_foreign: Option<Encoding>,
}

impl Decoder {
    /// For a file in `file`; `declared` says that a person chose it.
    pub const fn new(file: Encoding, declared: bool) -> Self {
        Self {
            // What comes from UTF-16 has become UTF-8 on the way.
            file: if file.is_ascii_based() { file } else { Encoding::Utf8 },
            declared,
            columns: Vec::new(),
            last_foreign: None,
        }
    }

    /// Gives a column, from 0, an encoding of its own.
    pub fn set_column(&mut self, column: usize, encoding: Encoding) {
        if self.columns.len() <= column {
            self.columns.resize(column + 1, None);
        }
        if let Some(own) = self.columns.get_mut(column) {
            *own = Some(encoding);
        }
    }

    /// The encoding of the file.
    pub const fn encoding(&self) -> Encoding {
        self.file
    }

    /// The text of a cell of bytes, on `line`, in `column` from 0.
    pub fn bytes(&mut self, bytes: &[u8], line: u64, column: usize, findings: &mut Vec<Finding>) -> String {
        if bytes.contains(&0) {
            findings.push(Finding::cell(
                line,
                column + 1,
                Severity::Bad,
                nul(),
                &String::from_utf8_lossy(bytes),
            ));
        }
        if bytes.is_ascii() {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        let own = self.columns.get(column).copied().flatten();
        let (encoding, foreign) = match own {
            Some(encoding) => (encoding, false),
            None => self.encoding_of(bytes),
        };
        let decoded = encoding.decode(bytes);
        let place = |severity, reason| Finding::cell(line, column + 1, severity, reason, &decoded.text);
        if decoded.unknown > 0 {
            findings.push(place(Severity::Bad, undecodable(encoding)));
        } else if foreign {
            self.last_foreign = Some(encoding);
            findings.push(place(Severity::Doubt, differs(encoding)));
        }
        if own.is_none() && encoding == Encoding::Utf8 && !self.declared {
            return self.seen_as_western(decoded.text, line, column, findings);
        }
        capitals(encoding, decoded.text)
    }

    /// The text of a cell that the file already has in Unicode.
    pub fn unicode(&mut self, text: String, line: u64, column: usize, findings: &mut Vec<Finding>) -> String {
        if text.is_ascii() {
            return text;
        }
        let text = if is_nfc(&text) { text } else { nfc(&text) };
        match self.columns.get(column).copied().flatten() {
            // Declared: the characters are the bytes of that encoding, as a Western program shows them.
            Some(encoding) if encoding.is_ascii_based() && encoding != Encoding::Utf8 => {
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
                match bytes {
                    Some(bytes) => capitals(encoding, encoding.decode(&bytes).text),
                    None => text,
                }
            }
            Some(_) => text,
            None if self.declared => text,
            None => self.seen_as_western(text, line, column, findings),
        }
    }

    /// The encoding of one cell, and whether it is another than that of the file.
    fn encoding_of(&self, bytes: &[u8]) -> (Encoding, bool) {
        if self.declared {
            return (self.file, false);
        }
        let valid = std::str::from_utf8(bytes).is_ok();
        if self.file == Encoding::Utf8 {
            if valid {
                return (Encoding::Utf8, false);
            }
            let guess = detect(bytes);
            let encoding = match self.last_foreign {
                Some(last) if !guess.sure => last,
                _ => guess.encoding,
            };
            return (encoding, encoding != Encoding::Utf8);
        }
        // Legacy bytes are hardly ever valid UTF-8 by chance, and then spell nothing.
        if valid && crate::syllable::marked_words(&Encoding::Utf8.decode(bytes).text).1 > 0 {
            return (Encoding::Utf8, true);
        }
        (self.file, false)
    }

    fn seen_as_western(&mut self, text: String, line: u64, column: usize, findings: &mut Vec<Finding>) -> String {
        let Some((encoding, mended)) = mojibake(&text) else {
            return text;
        };
        self.last_foreign = Some(encoding);
        findings.push(Finding::cell(
            line,
            column + 1,
            Severity::Doubt,
            differs(encoding),
            &text,
        ));
        capitals(encoding, mended)
    }
}

/// TCVN3 has no capitals with a tone; names in capitals were typed with the small codes in a font of capitals: `NGUYễN`.
fn capitals(encoding: Encoding, text: String) -> String {
    if encoding != Encoding::Tcvn3 {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphabetic()) {
        // The letters that TCVN3 has in both cases.
        let own_case = || {
            word.chars()
                .filter(|c| c.is_ascii_alphabetic() || "ăâđêôơưĂÂĐÊÔƠƯ".contains(*c))
        };
        if own_case().count() >= 2 && own_case().all(char::is_uppercase) {
            out.extend(word.chars().flat_map(char::to_uppercase));
        } else {
            out.push_str(word);
        }
    }
    out
}

fn nul() -> CodeError {
    CodeError::new(
        "nul-byte",
        "Ô có ký tự NUL. Kiểm tra chương trình đã xuất tệp.",
        "The cell has a NUL character. Check the program that wrote the file.",
    )
}

fn undecodable(encoding: Encoding) -> CodeError {
    let name = encoding.name();
    CodeError::new(
        "undecodable",
        format!("Ô có ký tự không đọc được theo bảng mã {name}. Khai báo đúng bảng mã của tệp hoặc của cột."),
        format!(
            "The cell has bytes without a meaning in {name}. Declare the right encoding of the file or the column."
        ),
    )
}

fn differs(encoding: Encoding) -> CodeError {
    let name = encoding.name();
    CodeError::new(
        "encoding-differs",
        format!("Ô này dùng bảng mã {name}, khác bảng mã của tệp; đã chuyển sang Unicode."),
        format!("This cell is in {name}, unlike the file; it was turned into Unicode."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(decoder: &mut Decoder, bytes: &[u8]) -> (String, Vec<&'static str>) {
        let mut findings = Vec::new();
        let text = decoder.bytes(bytes, 7, 2, &mut findings);
        assert!(findings.iter().all(|f| (f.line, f.column) == (7, 3)));
        (text, findings.iter().map(|f| f.code).collect())
    }

    #[test]
    fn each_cell_is_read_in_its_own_encoding() {
        let mut decoder = Decoder::new(Encoding::Utf8, false);
        let tcvn3 = Encoding::Tcvn3.encode("nguyễn thị bưởi").expect("coded");
        let vni = Encoding::Vni.encode("Nguyễn Thị Bưởi").expect("coded");
        assert_eq!(decode(&mut decoder, "Nguyễn".as_bytes()), ("Nguyễn".to_owned(), vec![]));
        assert_eq!(
            decode(&mut decoder, &tcvn3),
            ("nguyễn thị bưởi".to_owned(), vec!["encoding-differs"])
        );
        assert_eq!(
            decode(&mut decoder, &vni),
            ("Nguyễn Thị Bưởi".to_owned(), vec!["encoding-differs"])
        );
        assert_eq!(
            decode(&mut decoder, "NguyÔn V¨n An".as_bytes()),
            ("Nguyễn Văn An".to_owned(), vec!["encoding-differs"])
        );
        assert_eq!(
            decode(&mut decoder, b"NGUY\xd4N V\xa1N \xa7\xb5O").0,
            "NGUYỄN VĂN ĐÀO",
            "the font of capitals"
        );
        assert_eq!(decode(&mut decoder, b"a\0b").1, ["nul-byte"]);
        let mut legacy = Decoder::new(Encoding::Tcvn3, false);
        assert_eq!(decode(&mut legacy, &tcvn3), ("nguyễn thị bưởi".to_owned(), vec![]));
        assert_eq!(
            decode(&mut legacy, "Nguyễn".as_bytes()),
            ("Nguyễn".to_owned(), vec!["encoding-differs"])
        );
        assert_eq!(decode(&mut legacy, b"\x80").1, ["undecodable"]);
    }

    #[test]
    fn what_a_person_declares_is_believed() {
        let mut decoder = Decoder::new(Encoding::Windows1258, true);
        decoder.set_column(2, Encoding::Tcvn3Capitals);
        assert_eq!(decode(&mut decoder, b"Nguy\xd4n"), ("NGUYỄN".to_owned(), vec![]));
        let mut findings = Vec::new();
        assert_eq!(decoder.unicode("NguyÔn".to_owned(), 1, 2, &mut findings), "NGUYỄN");
        assert_eq!(decoder.unicode("NguyÔn".to_owned(), 1, 0, &mut findings), "NguyÔn");
    }
}
