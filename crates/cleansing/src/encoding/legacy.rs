//! The tables of the single-byte encodings.

use unicode_normalization::UnicodeNormalization;

use super::{Decoded, NoCode};

/// Windows-1258 from 0x80; U+FFFD where the chart has nothing.
const WINDOWS_1258: [char; 128] = {
    const N: char = char::REPLACEMENT_CHARACTER;
    [
        '€', N, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', N, '‹', 'Œ', N, N, N, N, '‘', '’', '“', '”', '•', '–', '—',
        '˜', '™', N, '›', 'œ', N, N, 'Ÿ', '\u{a0}', '¡', '¢', '£', '¤', '¥', '¦', '§', '¨', '©', 'ª', '«', '¬',
        '\u{ad}', '®', '¯', '°', '±', '²', '³', '´', 'µ', '¶', '·', '¸', '¹', 'º', '»', '¼', '½', '¾', '¿', 'À', 'Á',
        'Â', 'Ă', 'Ä', 'Å', 'Æ', 'Ç', 'È', 'É', 'Ê', 'Ë', '\u{300}', 'Í', 'Î', 'Ï', 'Đ', 'Ñ', '\u{309}', 'Ó', 'Ô', 'Ơ',
        'Ö', '×', 'Ø', 'Ù', 'Ú', 'Û', 'Ü', 'Ư', '\u{303}', 'ß', 'à', 'á', 'â', 'ă', 'ä', 'å', 'æ', 'ç', 'è', 'é', 'ê',
        'ë', '\u{301}', 'í', 'î', 'ï', 'đ', 'ñ', '\u{323}', 'ó', 'ô', 'ơ', 'ö', '÷', 'ø', 'ù', 'ú', 'û', 'ü', 'ư', '₫',
        'ÿ',
    ]
};

/// The letters of TCVN3 with their codes; everything else in the upper half has no meaning there.
const TCVN3: [(u8, char); 74] = [
    (0xa1, 'Ă'),
    (0xa2, 'Â'),
    (0xa3, 'Ê'),
    (0xa4, 'Ô'),
    (0xa5, 'Ơ'),
    (0xa6, 'Ư'),
    (0xa7, 'Đ'),
    (0xa8, 'ă'),
    (0xa9, 'â'),
    (0xaa, 'ê'),
    (0xab, 'ô'),
    (0xac, 'ơ'),
    (0xad, 'ư'),
    (0xae, 'đ'),
    (0xb5, 'à'),
    (0xb6, 'ả'),
    (0xb7, 'ã'),
    (0xb8, 'á'),
    (0xb9, 'ạ'),
    (0xbb, 'ằ'),
    (0xbc, 'ẳ'),
    (0xbd, 'ẵ'),
    (0xbe, 'ắ'),
    (0xc6, 'ặ'),
    (0xc7, 'ầ'),
    (0xc8, 'ẩ'),
    (0xc9, 'ẫ'),
    (0xca, 'ấ'),
    (0xcb, 'ậ'),
    (0xcc, 'è'),
    (0xce, 'ẻ'),
    (0xcf, 'ẽ'),
    (0xd0, 'é'),
    (0xd1, 'ẹ'),
    (0xd2, 'ề'),
    (0xd3, 'ể'),
    (0xd4, 'ễ'),
    (0xd5, 'ế'),
    (0xd6, 'ệ'),
    (0xd7, 'ì'),
    (0xd8, 'ỉ'),
    (0xdc, 'ĩ'),
    (0xdd, 'í'),
    (0xde, 'ị'),
    (0xdf, 'ò'),
    (0xe1, 'ỏ'),
    (0xe2, 'õ'),
    (0xe3, 'ó'),
    (0xe4, 'ọ'),
    (0xe5, 'ồ'),
    (0xe6, 'ổ'),
    (0xe7, 'ỗ'),
    (0xe8, 'ố'),
    (0xe9, 'ộ'),
    (0xea, 'ờ'),
    (0xeb, 'ở'),
    (0xec, 'ỡ'),
    (0xed, 'ớ'),
    (0xee, 'ợ'),
    (0xef, 'ù'),
    (0xf1, 'ủ'),
    (0xf2, 'ũ'),
    (0xf3, 'ú'),
    (0xf4, 'ụ'),
    (0xf5, 'ừ'),
    (0xf6, 'ử'),
    (0xf7, 'ữ'),
    (0xf8, 'ứ'),
    (0xf9, 'ự'),
    (0xfa, 'ỳ'),
    (0xfb, 'ỷ'),
    (0xfc, 'ỹ'),
    (0xfd, 'ý'),
    (0xfe, 'ỵ'),
];

/// The small letters that are one byte in VNI; the capital has the code less 0x20.
const VNI_ALONE: [(u8, char); 8] = [
    (0xed, 'í'),
    (0xec, 'ì'),
    (0xe6, 'ỉ'),
    (0xf3, 'ĩ'),
    (0xf2, 'ị'),
    (0xee, 'ỵ'),
    (0xf1, 'đ'),
    (0xf6, 'ư'),
];

/// What a byte after a vowel adds to it in VNI; after a capital the code is less by 0x20.
const VNI_MARKS: [(u8, &str); 17] = [
    (0xf9, "\u{301}"),
    (0xf8, "\u{300}"),
    (0xfb, "\u{309}"),
    (0xf5, "\u{303}"),
    (0xef, "\u{323}"),
    (0xe2, "\u{302}"),
    (0xe1, "\u{302}\u{301}"),
    (0xe0, "\u{302}\u{300}"),
    (0xe5, "\u{302}\u{309}"),
    (0xe3, "\u{302}\u{303}"),
    (0xe4, "\u{302}\u{323}"),
    (0xea, "\u{306}"),
    (0xe9, "\u{306}\u{301}"),
    (0xe8, "\u{306}\u{300}"),
    (0xfa, "\u{306}\u{309}"),
    (0xfc, "\u{306}\u{303}"),
    (0xeb, "\u{306}\u{323}"),
];

fn collect(chars: impl Iterator<Item = char>) -> Decoded {
    let mut unknown = 0;
    let text = chars
        .inspect(|c| unknown += usize::from(*c == char::REPLACEMENT_CHARACTER))
        .nfc()
        .collect();
    Decoded { text, unknown }
}

pub(super) fn decode_windows1258(bytes: &[u8]) -> Decoded {
    let upper = |b: u8| WINDOWS_1258.get(usize::from(b) - 128).copied();
    collect(bytes.iter().map(|b| {
        if b.is_ascii() {
            char::from(*b)
        } else {
            upper(*b).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    }))
}

pub(super) fn encode_windows1258(mut out: Vec<u8>, c: char) -> Result<Vec<u8>, NoCode> {
    let code = |c: char| {
        if c.is_ascii() {
            return u8::try_from(c).ok();
        }
        let at = WINDOWS_1258
            .iter()
            .position(|w| *w == c && c != char::REPLACEMENT_CHARACTER)?;
        u8::try_from(at + 128).ok()
    };
    if let Some(byte) = code(c) {
        out.push(byte);
        return Ok(out);
    }
    // A vowel with its shape, then its tone, where the two make the letter again: one with two tones (Ṹ) has no code.
    let is_tone = |m: &char| matches!(m, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}');
    let shape = std::iter::once(c).nfd().filter(|m| !is_tone(m)).nfc().next();
    let tone = std::iter::once(c).nfd().find(is_tone);
    let pair = || {
        let (shape, tone) = (shape?, tone?);
        let again = [shape, tone].into_iter().nfc().eq([c]);
        again.then_some([code(shape)?, code(tone)?])
    };
    out.extend(pair().ok_or(NoCode(c))?);
    Ok(out)
}

pub(super) fn decode_tcvn3(bytes: &[u8]) -> Decoded {
    collect(bytes.iter().map(|b| {
        if b.is_ascii() {
            return char::from(*b);
        }
        TCVN3
            .binary_search_by_key(b, |(code, _)| *code)
            .ok()
            .and_then(|at| TCVN3.get(at))
            .map_or(char::REPLACEMENT_CHARACTER, |(_, c)| *c)
    }))
}

pub(super) fn encode_tcvn3(mut out: Vec<u8>, c: char) -> Result<Vec<u8>, NoCode> {
    let listed = || TCVN3.iter().find(|(_, letter)| *letter == c).map(|(code, _)| *code);
    let ascii = || u8::try_from(c).ok().filter(u8::is_ascii);
    out.push(ascii().or_else(listed).ok_or(NoCode(c))?);
    Ok(out)
}

fn upper(c: char) -> char {
    c.to_uppercase().next().unwrap_or(c)
}

/// The letter that one byte is in VNI.
fn vni_letter(byte: u8) -> char {
    let listed = |code: u8| VNI_ALONE.iter().find(|(b, _)| *b == code).map(|(_, c)| *c);
    match byte {
        0..=0x7f => char::from(byte),
        0xf4 => 'ơ',
        0xd4 => 'Ơ',
        _ => listed(byte)
            .or_else(|| listed(byte.saturating_add(0x20)).map(upper))
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

fn vni_mark(byte: u8) -> Option<&'static str> {
    let small = if (0xc0..0xe0).contains(&byte) {
        byte + 0x20
    } else {
        byte
    };
    VNI_MARKS
        .iter()
        .find(|(code, _)| *code == small)
        .map(|(_, marks)| *marks)
}

/// A vowel with marks, where they belong together.
fn vni_pair(vowel: char, marks: &str) -> Option<char> {
    if !matches!(
        vowel.to_ascii_lowercase(),
        'a' | 'e' | 'o' | 'u' | 'y' | 'ơ' | 'Ơ' | 'ư' | 'Ư'
    ) {
        return None;
    }
    let mut composed = std::iter::once(vowel).chain(marks.chars()).nfc();
    let letter = composed.next()?;
    composed.next().is_none().then_some(letter)
}

pub(super) fn decode_vni(bytes: &[u8]) -> Decoded {
    let mut rest = bytes;
    collect(std::iter::from_fn(|| {
        let (first, after) = rest.split_first()?;
        rest = after;
        let letter = vni_letter(*first);
        let pair = after
            .first()
            .and_then(|mark| vni_mark(*mark))
            .and_then(|marks| vni_pair(letter, marks));
        if pair.is_some() {
            rest = after.get(1..).unwrap_or_default();
        }
        Some(pair.unwrap_or(letter))
    }))
}

pub(super) fn encode_vni(mut out: Vec<u8>, c: char) -> Result<Vec<u8>, NoCode> {
    if c.is_ascii() {
        out.extend(u8::try_from(c));
        return Ok(out);
    }
    let capital = c.is_uppercase();
    let code = |small: u8| if capital { small - 0x20 } else { small };
    let small = c.to_lowercase().next().unwrap_or(c);
    if small == 'ơ' {
        out.push(code(0xf4));
        return Ok(out);
    }
    if let Some((byte, _)) = VNI_ALONE.iter().find(|(_, letter)| *letter == small) {
        out.push(code(*byte));
        return Ok(out);
    }
    for vowel in ['a', 'e', 'o', 'u', 'y', 'ơ', 'ư'] {
        let marks = VNI_MARKS
            .iter()
            .find(|(_, marks)| vni_pair(vowel, marks) == Some(small));
        if let Some((mark, _)) = marks {
            out.push(match vowel {
                'ơ' => code(0xf4),
                'ư' => code(0xf6),
                plain => {
                    let byte = u8::try_from(plain).map_err(|_| NoCode(c))?;
                    if capital { byte.to_ascii_uppercase() } else { byte }
                }
            });
            out.push(code(*mark));
            return Ok(out);
        }
    }
    Err(NoCode(c))
}
