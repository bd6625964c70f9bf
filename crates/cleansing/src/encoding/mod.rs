//! The encodings of Vietnamese text in files: which one it is, and to and from Unicode.
//!
//! Decoded text is always NFC. The tables are facts of the published charts: windows-1258 of Microsoft, TCVN 5712:1993 (the
//! third set, VN3, which the ABC fonts use), and the VNI character set for Windows of VNI Software.

mod detect;
mod legacy;
mod stream;

use base::text::{is_nfc, nfc};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

pub use detect::{Evidence, Guess, detect, mojibake};
pub use stream::{Utf16ToUtf8, skip_bom};

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, composed or decomposed.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, low byte first, as Excel's "Unicode text" is.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// The code page of Windows, with tones as characters after the vowel.
    #[serde(rename = "windows-1258")]
    Windows1258,
    /// TCVN3, also called ABC, shown with a font such as .VnTime. It has no capitals with a tone.
    Tcvn3,
    /// TCVN3 shown with a font of capitals (.VnTimeH): the codes are those of the small letters, the reader sees capitals.
    /// Nothing in the text tells it from [`Self::Tcvn3`], so it is chosen by a person, for a file or a column.
    Tcvn3Capitals,
    /// VNI for Windows: a letter, then a character for its marks.
    Vni,
}

/// Text that was decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// In NFC; what has no meaning in the encoding is U+FFFD.
    pub text: String,
    /// How many bytes or units had no meaning.
    pub unknown: usize,
}

/// The first character that an encoding has no code for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCode(pub char);

impl std::fmt::Display for NoCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no code for {:?}", self.0)
    }
}

impl std::error::Error for NoCode {}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 7] = [
        Self::Utf8,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Windows1258,
        Self::Tcvn3,
        Self::Tcvn3Capitals,
        Self::Vni,
    ];

    /// The name in layouts and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1258 => "windows-1258",
            Self::Tcvn3 => "tcvn3",
            Self::Tcvn3Capitals => "tcvn3-capitals",
            Self::Vni => "vni",
        }
    }

    /// Whether commas, quotes and line ends are single bytes of ASCII in it.
    pub const fn is_ascii_based(self) -> bool {
        !matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// Text from bytes, without a byte order mark being treated specially. Never fails: see [`Decoded::unknown`].
    pub fn decode(self, bytes: &[u8]) -> Decoded {
        match self {
            Self::Utf8 => {
                let text = String::from_utf8_lossy(bytes);
                let unknown = match &text {
                    std::borrow::Cow::Borrowed(_) => 0,
                    std::borrow::Cow::Owned(_) => bytes.utf8_chunks().map(|c| c.invalid().len()).sum(),
                };
                let text = if is_nfc(&text) { text.into_owned() } else { nfc(&text) };
                Decoded { text, unknown }
            }
            Self::Utf16Le | Self::Utf16Be => utf16(bytes, self == Self::Utf16Be),
            Self::Windows1258 => legacy::decode_windows1258(bytes),
            Self::Tcvn3 => legacy::decode_tcvn3(bytes),
            Self::Tcvn3Capitals => {
                let small = legacy::decode_tcvn3(bytes);
                Decoded {
                    text: small.text.to_uppercase(),
                    ..small
                }
            }
            Self::Vni => legacy::decode_vni(bytes),
        }
    }

    /// Bytes from text in any normal form.
    ///
    /// # Errors
    /// The first character that the encoding has no code for. TCVN3 has none for capitals with a tone, and
    /// [`Self::Tcvn3Capitals`] has none for small letters.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, NoCode> {
        match self {
            Self::Utf8 => Ok(text.nfc().collect::<String>().into_bytes()),
            Self::Utf16Le => Ok(text
                .nfc()
                .collect::<String>()
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect()),
            Self::Utf16Be => Ok(text
                .nfc()
                .collect::<String>()
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect()),
            Self::Windows1258 => text.nfc().try_fold(Vec::new(), legacy::encode_windows1258),
            Self::Tcvn3 => text.nfc().try_fold(Vec::new(), legacy::encode_tcvn3),
            Self::Tcvn3Capitals => text.nfc().try_fold(Vec::new(), |out, c| {
                if c.is_lowercase() {
                    return Err(NoCode(c));
                }
                c.to_lowercase().try_fold(out, legacy::encode_tcvn3)
            }),
            Self::Vni => text.nfc().try_fold(Vec::new(), legacy::encode_vni),
        }
    }
}

fn utf16(bytes: &[u8], big: bool) -> Decoded {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|p| {
        if big {
            u16::from_be_bytes(*p)
        } else {
            u16::from_le_bytes(*p)
        }
    });
    let mut unknown = rest.len();
    let text: String = char::decode_utf16(units)
        .map(|c| {
            c.unwrap_or_else(|_| {
                unknown += 1;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect();
    Decoded {
        text: text.nfc().collect(),
        unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All Vietnamese letters: 12 vowels with 6 tones, đ, and the consonants, small.
    fn small_letters() -> String {
        let tones = ["", "\u{300}", "\u{309}", "\u{303}", "\u{301}", "\u{323}"];
        let vowels = "aăâeêioôơuưy"
            .chars()
            .flat_map(|v| tones.map(|t| format!("{v}{t}").nfc().collect::<String>()));
        vowels
            .chain("bcdđghklmnpqrstvxfjwz".chars().map(String::from))
            .collect()
    }

    #[test]
    fn every_letter_goes_round_through_every_encoding() {
        let small = small_letters();
        assert_eq!(small.chars().count(), 72 + 21);
        let capital = small.to_uppercase();
        for encoding in Encoding::ALL {
            let cases: &[&str] = match encoding {
                Encoding::Tcvn3 => &[&small],
                Encoding::Tcvn3Capitals => &[&capital],
                _ => &[&small, &capital],
            };
            for text in cases {
                let bytes = encoding.encode(text).expect("coded");
                let back = encoding.decode(&bytes);
                assert_eq!((back.text.as_str(), back.unknown), (*text, 0), "{}", encoding.name());
                for c in text.chars() {
                    let one = c.to_string();
                    assert_eq!(encoding.decode(&encoding.encode(&one).expect("coded")).text, one);
                }
            }
        }
        assert_eq!(Encoding::Tcvn3.encode("Ễ"), Err(NoCode('Ễ')));
        assert_eq!(Encoding::Tcvn3.encode("ĂÂĐÊÔƠƯ").map(|b| b.len()), Ok(7));
        assert_eq!(Encoding::Tcvn3Capitals.encode("é"), Err(NoCode('é')));
        assert_eq!(Encoding::Vni.encode("ñ"), Err(NoCode('ñ')));
    }

    #[test]
    fn bytes_of_real_files_are_read() {
        // "Nguyễn Thị Ánh Đào" as each program wrote it.
        let tcvn3 = b"Nguy\xd4n Th\xde \xb8nh \xa7\xb5o";
        assert_eq!(Encoding::Tcvn3.decode(tcvn3).text, "Nguyễn Thị ánh Đào");
        assert_eq!(Encoding::Tcvn3Capitals.decode(tcvn3).text, "NGUYỄN THỊ ÁNH ĐÀO");
        let vni = b"Nguye\xe3n Th\xf2 A\xd9nh \xd1a\xf8o";
        assert_eq!(Encoding::Vni.decode(vni).text, "Nguyễn Thị Ánh Đào");
        let windows = b"Nguy\xea\xden Thi\xf2 \xc1nh \xd0\xe0o";
        assert_eq!(Encoding::Windows1258.decode(windows).text, "Nguyễn Thị Ánh Đào");
        let utf16 = Encoding::Utf16Le.encode("Đào").expect("coded");
        assert_eq!(utf16, [0x10, 0x01, 0xe0, 0x00, 0x6f, 0x00]);
        assert_eq!(Encoding::Utf8.decode("hoa\u{300}".as_bytes()).text, "hoà");
    }

    #[test]
    fn every_character_is_kept_or_refused() {
        // Beyond it nothing is in a table or made of what is.
        for c in '\0'..'\u{3000}' {
            let composed: String = std::iter::once(c).nfc().collect();
            for encoding in Encoding::ALL {
                if let Ok(bytes) = encoding.encode(&c.to_string()) {
                    let back = encoding.decode(&bytes).text;
                    assert_eq!(back, composed, "{} U+{:04X}", encoding.name(), u32::from(c));
                }
            }
        }
        assert_eq!(Encoding::Windows1258.encode("Ṹ"), Err(NoCode('Ṹ')));
    }

    #[test]
    fn what_has_no_meaning_is_counted() {
        assert_eq!(Encoding::Utf8.decode(b"a\xffb").unknown, 1);
        assert_eq!(Encoding::Tcvn3.decode(b"a\x80b").unknown, 1);
        assert_eq!(Encoding::Utf16Le.decode(&[0x00, 0xd8, 0x41]).unknown, 2);
    }

    proptest! {
        #[test]
        fn decoding_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            for encoding in Encoding::ALL {
                let text = encoding.decode(&bytes).text;
                let composed: String = text.nfc().collect();
                prop_assert_eq!(text, composed);
            }
        }

        #[test]
        fn what_is_encoded_is_decoded(text in "[a-zà-ỹA-ZĐđ0-9 ,.;'()-]{0,40}") {
            let text: String = text.nfc().collect();
            for encoding in Encoding::ALL {
                if let Ok(bytes) = encoding.encode(&text) {
                    prop_assert_eq!(encoding.decode(&bytes).text, text.clone());
                }
            }
        }
    }
}
