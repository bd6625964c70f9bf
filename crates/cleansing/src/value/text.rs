//! Text of any sort: composed, without stray characters, its tone marks in one place.

use base::{
    codes::CodeError,
    text::{is_letter, is_nfc},
};

use super::{Outcome, Standard, Step, is_invisible};
use crate::syllable::is_tone_settled;

/// Where the tone mark of an open `oa`, `oe`, `uy` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TonePlace {
    /// On the first vowel: `hòa`, `thúy`. What the reference data of the platform have.
    #[default]
    First,
    /// On the second: `hoà`, `thuý`.
    Second,
}

/// [`text_with`] the tone on the first vowel.
pub fn text(raw: &str) -> Outcome<String> {
    text_with(raw, TonePlace::First)
}

/// Any text.
///
/// # Errors
/// `required` for nothing but white space; `control-character` for NUL and the like, which no text has.
pub fn text_with(raw: &str, tone: TonePlace) -> Outcome<String> {
    if tone == TonePlace::First && is_standard(raw) {
        return Ok(Standard::new(raw.to_owned()));
    }
    let bad = |c: char| c.is_control() && !c.is_whitespace() || c == char::REPLACEMENT_CHARACTER;
    if raw.chars().any(bad) {
        return Err(CodeError::new(
            "control-character",
            "Giá trị có ký tự điều khiển hoặc ký tự không đọc được. Lấy lại từ nguồn gốc hoặc khai báo đúng bảng mã.",
            "The value has control or unreadable characters. Fetch it from the source again, or declare the right encoding.",
        )
        .into());
    }
    let composed = if is_nfc(raw) {
        raw.to_owned()
    } else {
        base::text::nfc(raw)
    };
    let spaced = spaces(&composed);
    if spaced.is_empty() {
        return Err(CodeError::new("required", "Giá trị này để trống.", "This value is empty.").into());
    }
    let looked = look_alikes(&spaced);
    let toned = place_tones(&looked, tone);
    Ok(Standard::new(String::new())
        .step(Step::Composed, !is_nfc(raw))
        .step(Step::Spaces, spaced != composed)
        .step(Step::LookAlikes, looked != spaced)
        .step(Step::Tone, toned != looked)
        .map(|_| toned.clone()))
}

/// Whether a text certainly is its own standard form, with the tone on the first vowel. Most are, and asking is much cheaper than
/// writing them anew.
fn is_standard(text: &str) -> bool {
    let mut before = ' ';
    for c in text.chars() {
        let is_stray = match c {
            ' ' => before == ' ',
            c if c.is_ascii() => c.is_control() || may_look(c),
            c => {
                c.is_control()
                    || c.is_whitespace()
                    || c == char::REPLACEMENT_CHARACTER
                    || is_invisible(c)
                    || may_look(c)
            }
        };
        if is_stray {
            return false;
        }
        before = c;
    }
    before != ' ' && are_tones_settled(text)
}

/// Whether a letter or sign may only look like another.
const fn may_look(c: char) -> bool {
    is_foreign(c)
        || matches!(
            c,
            'Ð' | 'Ɖ' | 'ð' | 'ɖ' | '\u{ff01}'..='\u{ff5e}' | '’' | '‘' | 'ʼ' | '`' | '´' | 'ʹ' | '′'
        )
}

/// Single spaces, nothing invisible.
pub(super) fn spaces(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut out = String::with_capacity(visible.len());
    for word in visible.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Letters that only look Vietnamese: the Icelandic and African Đ, full-width forms everywhere; Cyrillic and Greek within
/// words that are Latin for the rest.
pub(super) fn look_alikes(text: &str) -> String {
    if !text.contains(may_look) {
        return text.to_owned();
    }
    let narrow: String = text
        .chars()
        .map(|c| match c {
            'Ð' | 'Ɖ' => 'Đ',
            'ð' | 'ɖ' => 'đ',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '’' | '‘' | 'ʼ' | '`' | '´' | 'ʹ' | '′' => '\'',
            c => c,
        })
        .collect();
    let narrow = base::text::nfc(&narrow);
    let mut out = String::with_capacity(narrow.len());
    for (n, word) in narrow.split(' ').enumerate() {
        if n > 0 {
            out.push(' ');
        }
        let mixed = word
            .chars()
            .any(|c| matches!(c, 'A'..='Z' | 'a'..='z' | 'À'..='ỹ') && !is_foreign(c));
        out.extend(word.chars().map(|c| if mixed { latin(c) } else { c }));
    }
    base::text::nfc(&out)
}

const fn is_foreign(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{52f}')
}

const fn latin(c: char) -> char {
    match c {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'У' | 'Υ' => 'Y',
        'І' | 'Ι' => 'I',
        'Ν' => 'N',
        'а' => 'a',
        'е' => 'e',
        'о' | 'ο' => 'o',
        'р' => 'p',
        'с' => 'c',
        'х' => 'x',
        'у' => 'y',
        'і' => 'i',
        'ѕ' => 's',
        'ν' => 'v',
        c => c,
    }
}

/// Every tone mark in the place that `tone` says.
pub(super) fn place_tones(text: &str, tone: TonePlace) -> String {
    let first = if are_tones_settled(text) {
        text.to_owned()
    } else {
        base::text::normalise_tone(text)
    };
    if tone == TonePlace::First {
        return first;
    }
    let mut chars: Vec<char> = first.chars().collect();
    for n in 1..chars.len() {
        let ends = chars.get(n + 1).is_none_or(|c| !c.is_alphabetic());
        if let (true, Some(a), Some(b)) = (ends, chars.get(n - 1).copied(), chars.get(n).copied())
            && let Some((a, b)) = moved(a, b)
            && let Some(pair) = chars.get_mut(n - 1..=n)
        {
            pair.copy_from_slice(&[a, b]);
        }
    }
    chars.into_iter().collect()
}

/// Whether every tone mark certainly stands on the first vowel, and the text is composed.
fn are_tones_settled(text: &str) -> bool {
    text.is_ascii() || text.split(|c: char| !is_letter(c)).all(is_tone_settled) && is_nfc(text)
}

/// `òa` as `oà`, in either case.
fn moved(first: char, second: char) -> Option<(char, char)> {
    const TONED: [(&str, char, &str); 3] = [
        ("òóỏõọ", 'a', "àáảãạ"),
        ("òóỏõọ", 'e', "èéẻẽẹ"),
        ("ùúủũụ", 'y', "ỳýỷỹỵ"),
    ];
    let small = |c: char| c.to_lowercase().next().unwrap_or(c);
    let as_written = |like: char, c: char| {
        if like.is_uppercase() {
            c.to_uppercase().next().unwrap_or(c)
        } else {
            c
        }
    };
    let (toned, onto) = TONED
        .iter()
        .find(|(toned, open, _)| toned.contains(small(first)) && *open == small(second))
        .map(|(toned, _, onto)| (toned, onto))?;
    let at = toned.chars().position(|c| c == small(first))?;
    let bare = if toned.starts_with('ò') { 'o' } else { 'u' };
    Some((as_written(first, bare), as_written(second, onto.chars().nth(at)?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dirty_text_is_written_one_way() {
        for (raw, value, steps) in [
            ("hoà bình", "hòa bình", vec![Step::Tone]),
            (
                "  Ða\u{300}  Nẵng\u{200b} ",
                "Đà Nẵng",
                vec![Step::Composed, Step::Spaces, Step::LookAlikes],
            ),
            ("Нà Nội", "Hà Nội", vec![Step::LookAlikes]),
            ("ＴＰ\u{a0}Huế", "TP Huế", vec![Step::Spaces, Step::LookAlikes]),
            ("Москва", "Москва", vec![]),
            ("đường 3/2", "đường 3/2", vec![]),
        ] {
            let standard = text(raw).expect(raw);
            assert_eq!((standard.value.as_str(), standard.steps), (value, steps), "{raw}");
        }
        assert_eq!(text(" \u{feff}").map_err(|r| r.reason.code()), Err("required"));
        assert_eq!(text("a\u{0}b").map_err(|r| r.reason.code()), Err("control-character"));
    }

    #[test]
    fn the_other_tone_place_is_a_choice() {
        for (first, second) in [
            ("hòa", "hoà"),
            ("THÚY", "THUÝ"),
            ("Khỏe mạnh", "Khoẻ mạnh"),
            ("quý", "quý"),
            ("hoàng", "hoàng"),
            ("của", "của"),
        ] {
            assert_eq!(place_tones(first, TonePlace::Second), second);
            assert_eq!(place_tones(second, TonePlace::First), first);
        }
    }

    proptest! {
        #[test]
        fn twice_is_once(raw in "[a-zà-ỹA-Zа-яΑ-Ω0-9 ’\u{200b}\u{ff21}\u{d0}]{0,30}", second: bool) {
            let tone = if second { TonePlace::Second } else { TonePlace::First };
            if let Ok(once) = text_with(&raw, tone) {
                let again = text_with(&once.value, tone).expect("a standard form");
                prop_assert_eq!(&again.value, &once.value);
                prop_assert!(again.steps.is_empty(), "{:?} {:?}", again.steps, raw);
            }
        }

        #[test]
        fn any_text_is_taken(raw in "\\PC{0,40}|.{0,20}") {
            let _ = text(&raw);
        }
    }
}
