//! Which encoding a text is in, and why.
//!
//! The evidence is spelling: of the words that have a letter beyond ASCII, how many are Vietnamese syllables when the bytes
//! are read in each encoding. A wrong encoding gives words that no spelling rule allows.

use super::Encoding;
use crate::syllable::marked_words;

/// What speaks for one encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The encoding that the text was read in.
    pub encoding: Encoding,
    /// Words with a letter beyond ASCII.
    pub words: usize,
    /// How many of them are Vietnamese syllables.
    pub syllables: usize,
    /// Bytes that have no meaning in the encoding.
    pub unknown: usize,
}

impl Evidence {
    fn of(encoding: Encoding, bytes: &[u8]) -> Self {
        let decoded = encoding.decode(bytes);
        let (words, syllables) = marked_words(&decoded.text);
        Self {
            encoding,
            words,
            syllables,
            unknown: decoded.unknown,
        }
    }

    /// Points in thousandths: the share of syllables, less what has no meaning.
    fn score(&self) -> usize {
        (self.syllables.saturating_sub(self.unknown) * 1000)
            .checked_div(self.words)
            .unwrap_or(0)
    }
}

/// Which encoding it is taken to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The encoding.
    pub encoding: Encoding,
    /// Whether nothing else is plausible: a byte order mark, ASCII alone, valid UTF-8, or one legacy encoding far ahead.
    pub sure: bool,
    /// What speaks for each legacy encoding; empty where the bytes themselves decide.
    pub evidence: Vec<Evidence>,
}

/// The legacy encodings that text is tried in.
const LEGACY: [Encoding; 3] = [Encoding::Tcvn3, Encoding::Vni, Encoding::Windows1258];

/// Takes the beginning of a file, or a cell, and says what it is in. A sample that was cut within a character of UTF-8 is
/// still UTF-8.
pub fn detect(sample: &[u8]) -> Guess {
    let decided = |encoding| Guess {
        encoding,
        sure: true,
        evidence: Vec::new(),
    };
    match sample {
        [0xef, 0xbb, 0xbf, ..] => return decided(Encoding::Utf8),
        [0xff, 0xfe, ..] => return decided(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => return decided(Encoding::Utf16Be),
        _ => {}
    }
    if let Some(encoding) = utf16_without_mark(sample) {
        return Guess {
            sure: false,
            ..decided(encoding)
        };
    }
    match std::str::from_utf8(sample) {
        Ok(_) => return decided(Encoding::Utf8),
        Err(e) if e.error_len().is_none() && sample.len() > 4 && e.valid_up_to() > 0 => {
            return decided(Encoding::Utf8);
        }
        Err(_) => {}
    }
    let mut evidence: Vec<Evidence> = LEGACY.iter().map(|e| Evidence::of(*e, sample)).collect();
    evidence.sort_by_key(|e| std::cmp::Reverse(e.score()));
    // A UTF-8 file in which single lines are something else is still a UTF-8 file.
    let utf8 = Evidence::of(Encoding::Utf8, sample);
    let best = match evidence.first() {
        Some(best) if best.score() > utf8.score() || best.score() > 500 => *best,
        _ => utf8,
    };
    let second = evidence.get(1).map_or(0, Evidence::score);
    let sure = best.encoding != Encoding::Utf8 && best.score() >= 600 && best.score() >= second + 200;
    evidence.push(utf8);
    Guess {
        encoding: best.encoding,
        sure,
        evidence,
    }
}

/// Text of the Latin script in UTF-16 has a zero in every other byte.
fn utf16_without_mark(sample: &[u8]) -> Option<Encoding> {
    let head = sample.get(..sample.len().min(4096))?;
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    if half < 4 {
        return None;
    }
    match (even * 10 / half, odd * 10 / half) {
        (0, 6..) => Some(Encoding::Utf16Le),
        (6.., 0) => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// Legacy text that some program took for Western European and stored as Unicode: `NguyÔn V¨n` for `Nguyễn Văn` in TCVN3,
/// `Nguyeãn Vaên` in VNI. This is how such text stands in every XLSX file. The text in Unicode and the encoding it was in,
/// where the spelling proves it; `None` for text that may well be what it seems.
pub fn mojibake(text: &str) -> Option<(Encoding, String)> {
    if text.is_ascii() {
        return None;
    }
    let (words, syllables) = marked_words(text);
    if words == syllables {
        return None;
    }
    let bytes: Vec<u8> = text.chars().map(western).collect::<Option<_>>()?;
    let best = [Encoding::Tcvn3, Encoding::Vni]
        .iter()
        .map(|e| Evidence::of(*e, &bytes))
        .max_by_key(Evidence::score)?;
    let proven = best.unknown == 0 && best.words > 0 && best.score() >= 800 && best.syllables > syllables;
    proven.then(|| (best.encoding, best.encoding.decode(&bytes).text))
}

/// The byte that a program reading windows-1252 made this character of. No letter of TCVN3 or VNI is in 0x80 to 0x9f, where
/// that code page differs from Latin-1.
fn western(c: char) -> Option<u8> {
    match u8::try_from(c) {
        Ok(byte) => Some(byte),
        Err(_) => match c {
            '‘' | '’' => Some(b'\''),
            '“' | '”' => Some(b'"'),
            '–' | '—' => Some(b'-'),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Họ và tên;Ngày sinh;Nơi ở\nNguyễn Văn Bình;01/02/1980;xã Yên Mỹ, huyện Thanh Trì\nLê thị hoà;;phường Đồng Tâm\n";

    #[test]
    fn each_encoding_is_recognised_by_its_spelling() {
        let lower = TEXT.to_lowercase();
        for encoding in Encoding::ALL {
            let text = if encoding == Encoding::Tcvn3Capitals {
                TEXT.to_uppercase()
            } else {
                lower.clone()
            };
            let guess = detect(&encoding.encode(&text).expect("coded"));
            // The font of capitals is the same bytes.
            let expected = if encoding == Encoding::Tcvn3Capitals {
                Encoding::Tcvn3
            } else {
                encoding
            };
            assert_eq!(guess.encoding, expected, "{guess:?}");
            assert!(guess.sure || !encoding.is_ascii_based(), "{guess:?}");
        }
        assert_eq!(detect(b"ten;ngay\n").encoding, Encoding::Utf8);
        assert_eq!(detect(b"\xef\xbb\xbfa").encoding, Encoding::Utf8);
        assert_eq!(detect(&TEXT.as_bytes()[..3]).encoding, Encoding::Utf8);
        assert!(!detect(b"\x80\x81\x82\xff").sure);
        assert_eq!(detect(b"").encoding, Encoding::Utf8);
    }

    #[test]
    fn a_utf8_file_with_one_foreign_line_is_a_utf8_file() {
        let mut bytes = TEXT.repeat(5).into_bytes();
        bytes.extend(Encoding::Tcvn3.encode("trần thị bưởi\n").expect("coded"));
        assert_eq!(detect(&bytes).encoding, Encoding::Utf8);
    }

    #[test]
    fn text_taken_for_western_is_mended_and_no_other() {
        for (seen, encoding, text) in [
            ("NguyÔn V¨n An", Encoding::Tcvn3, "Nguyễn Văn An"),
            ("TrÇn ThÞ B\u{ad}ëi", Encoding::Tcvn3, "Trần Thị Bưởi"),
            ("Nguyeãn Vaên An", Encoding::Vni, "Nguyễn Văn An"),
            ("Ñaëng Thò Höông", Encoding::Vni, "Đặng Thị Hương"),
        ] {
            assert_eq!(mojibake(seen), Some((encoding, text.to_owned())), "{seen}");
        }
        for fine in [
            "Nguyễn Văn An",
            "Hoàng Thị Quý",
            "Müller",
            "Đắk Lắk",
            "Krông Pắc",
            "H'Hen Niê",
            "café",
            "王",
            "Ê Đê",
        ] {
            assert_eq!(mojibake(fine), None, "{fine}");
        }
    }
}
