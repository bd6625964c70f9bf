//! Vietnamese text: search keys without marks, one canonical place for the tone mark, and the shape of names.
//!
//! Every function takes composed (NFC) or decomposed (NFD) text and gives NFC.

use std::borrow::Cow;

use unicode_normalization::{
    UnicodeNormalization,
    char::{decompose_canonical, is_combining_mark},
};

use crate::codes::CodeError;

/// The longest name of a person that is accepted, in characters after composition.
pub const MAX_NAME_CHARS: usize = 100;

/// The search key of a text: no marks, `đ` as `d`, lower case, runs of white space as one space, trimmed.
///
/// ```
/// assert_eq!(base::text::fold("  Đăng ký\tKHAI SINH "), "dang ky khai sinh");
/// ```
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    let mut push = |c: char| {
        if c.is_whitespace() {
            gap = !out.is_empty();
        } else if c.is_ascii() || !is_combining_mark(c) {
            if std::mem::take(&mut gap) {
                out.push(' ');
            }
            match c {
                'đ' | 'Đ' => out.push('d'),
                c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
                c => out.extend(c.to_lowercase()),
            }
        }
    };
    for c in text.chars() {
        if c.is_ascii() {
            push(c);
        } else {
            // The order of marks does not matter: they are left out.
            decompose_canonical(c, &mut push);
        }
    }
    out
}

/// Canonical composition, as everything is stored and compared.
pub fn nfc(text: &str) -> String {
    composed(text).into_owned()
}

/// Whether a text is composed (NFC) as it stands.
pub fn is_nfc(text: &str) -> bool {
    // In these blocks, where all letters of Vietnamese are, nothing composes with what stands before it.
    let is_whole = |c: char| matches!(c, '\0'..'\u{300}' | '\u{1e00}'..='\u{1eff}');
    text.chars().all(is_whole) || unicode_normalization::is_nfc(text)
}

/// A text as [`nfc`] gives it, copied only where it is not composed.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// Whether it is a letter of any script; those of Vietnamese are told at once.
pub fn is_letter(c: char) -> bool {
    match c {
        '×' | '÷' => false,
        'À'..='ɏ' | 'Ḁ'..='ỿ' => true,
        c => c.is_alphabetic(),
    }
}

/// Puts the tone mark of each Vietnamese syllable in one canonical place: on the first vowel of an open `oa`, `oe`, `uy`
/// (`hoà` becomes `hòa`, `thuý` becomes `thúy`), else where spelling rules leave no choice (`quý`, `hoàng`, `giữa`).
/// A word that is no Vietnamese syllable is left as it is.
pub fn normalise_tone(text: &str) -> String {
    let composed = nfc(text);
    let mut out = String::with_capacity(composed.len());
    let mut word = String::new();
    for c in composed.chars() {
        if c.is_alphabetic() || is_combining_mark(c) {
            word.push(c);
        } else {
            push_syllable(&mut out, &word);
            word.clear();
            out.push(c);
        }
    }
    push_syllable(&mut out, &word);
    out
}

fn push_syllable(out: &mut String, word: &str) {
    match retone(word) {
        Some(syllable) => out.push_str(&syllable),
        None => out.push_str(word),
    }
}

const fn is_tone(mark: char) -> bool {
    matches!(mark, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}')
}

const ONSETS: [&str; 28] = [
    "", "b", "c", "ch", "d", "đ", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p", "ph", "qu",
    "r", "s", "t", "th", "tr", "v", "x",
];
const CODAS: [&str; 9] = ["", "c", "ch", "m", "n", "ng", "nh", "p", "t"];

const fn is_vowel(lower: char) -> bool {
    matches!(
        lower,
        'a' | 'ă' | 'â' | 'e' | 'ê' | 'i' | 'o' | 'ô' | 'ơ' | 'u' | 'ư' | 'y'
    )
}

/// The syllable with its tone in the canonical place, or `None` where there is nothing to move.
fn retone(word: &str) -> Option<String> {
    let mut tone = None;
    let mut letters: Vec<char> = Vec::with_capacity(word.len());
    for c in word.chars() {
        let mut bare = String::new();
        for part in std::iter::once(c).nfd() {
            if is_tone(part) {
                if tone.replace(part).is_some() {
                    return None;
                }
            } else {
                bare.push(part);
            }
        }
        // A tone that composition left apart (on a consonant, say) has no letter of its own.
        letters.extend(bare.nfc());
    }
    let tone = tone?;
    let at = tone_place(&letters)?;
    let placed = letters
        .iter()
        .enumerate()
        .flat_map(|(n, c)| [Some(*c), (n == at).then_some(tone)])
        .flatten();
    Some(placed.nfc().collect())
}

fn tone_place(letters: &[char]) -> Option<usize> {
    let lower: Vec<char> = letters.iter().flat_map(|c| c.to_lowercase()).collect();
    if lower.len() != letters.len() {
        return None;
    }
    let first = lower.iter().position(|c| is_vowel(*c))?;
    let vowel_at = |n: usize| lower.get(n).copied().is_some_and(is_vowel);
    // In "qu" and in "gi" before a vowel, the u and the i belong to the consonant.
    let glide = match (first.checked_sub(1).and_then(|n| lower.get(n)), lower.get(first)) {
        (Some('q'), Some('u')) => true,
        (Some('g'), Some('i')) => first == 1 && vowel_at(first + 1),
        _ => false,
    };
    let start = first + usize::from(glide);
    let end = (start..lower.len()).find(|n| !vowel_at(*n)).unwrap_or(lower.len());
    let (onset, nucleus, coda) = (lower.get(..start)?, lower.get(start..end)?, lower.get(end..)?);
    let known = |part: &[char], list: &[&str]| list.iter().any(|s| s.chars().eq(part.iter().copied()));
    if nucleus.is_empty() || nucleus.len() > 3 || !known(onset, &ONSETS) || !known(coda, &CODAS) {
        return None;
    }
    let shaped = nucleus
        .iter()
        .rposition(|c| matches!(c, 'ă' | 'â' | 'ê' | 'ô' | 'ơ' | 'ư'));
    let within = match (shaped, coda.is_empty(), nucleus.len()) {
        // "ưu" and "ưa" carry it on the ư, "ươ" on the ơ, "uê" on the ê.
        (Some(n), ..) => n,
        (None, false, len) => len - 1,
        (None, true, 3) => 1,
        (None, true, _) => 0,
    };
    Some(start + within)
}

/// A name as it is written: each word with a capital, also after a hyphen or an apostrophe (`H'Hen Niê`), single spaces.
pub fn title_case_name(name: &str) -> String {
    let composed = nfc(name);
    let mut out = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let mut start = true;
        for c in word.chars() {
            if start {
                out.extend(c.to_uppercase());
            } else {
                out.extend(c.to_lowercase());
            }
            start = is_name_mark(c);
        }
    }
    out
}

const fn is_name_mark(c: char) -> bool {
    matches!(c, '-' | '\'' | '’')
}

/// Letters of the Latin script with or without marks, which includes all of Vietnamese.
fn is_name_letter(c: char) -> bool {
    is_letter(c) && matches!(c, 'A'..='Z' | 'a'..='z' | 'À'..='ɏ' | 'Ḁ'..='ỿ')
}

/// Checks the shape of a person's name: 1 to [`MAX_NAME_CHARS`] characters, Latin letters with any marks, spaces,
/// apostrophes and hyphens, at least one letter.
///
/// # Errors
/// `required`, `too-long`, or `not-a-name` with the first character that does not belong.
pub fn check_person_name(name: &str) -> Result<(), CodeError> {
    let composed = composed(name.trim());
    if composed.is_empty() {
        return Err(CodeError::new("required", "Nhập họ và tên.", "Enter the full name."));
    }
    if composed.chars().count() > MAX_NAME_CHARS {
        return Err(CodeError::new(
            "too-long",
            format!("Họ và tên không được dài quá {MAX_NAME_CHARS} ký tự."),
            format!("The full name must be {MAX_NAME_CHARS} characters or fewer."),
        ));
    }
    if let Some(c) = composed
        .chars()
        .find(|c| !is_name_letter(*c) && *c != ' ' && !is_name_mark(*c))
    {
        let shown: String = if c.is_control() {
            c.escape_default().collect()
        } else {
            c.to_string()
        };
        return Err(CodeError::new(
            "not-a-name",
            format!("Họ và tên chỉ gồm chữ cái, dấu cách, dấu gạch nối và dấu nháy đơn; bỏ ký tự “{shown}”."),
            format!("A full name has only letters, spaces, hyphens and apostrophes; remove “{shown}”."),
        ));
    }
    if !composed.chars().any(is_name_letter) {
        return Err(CodeError::new(
            "not-a-name",
            "Họ và tên phải có chữ cái.",
            "A full name must have letters.",
        ));
    }
    Ok(())
}

/// Whether [`check_person_name`] has nothing to say.
pub fn is_person_name(name: &str) -> bool {
    check_person_name(name).is_ok()
}

/// Whether every word of `query` is a word of the haystack, in any order, the last one as the beginning of a word (it may
/// still be being typed). `haystack` is the output of [`fold`]; `query` is what a person wrote. An empty query matches.
pub fn matches_words(haystack: &str, query: &str) -> bool {
    let query = fold(query);
    let mut wanted = words(&query).peekable();
    while let Some(word) = wanted.next() {
        let last = wanted.peek().is_none();
        if !words(haystack).any(|have| if last { have.starts_with(word) } else { have == word }) {
            return false;
        }
    }
    true
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nfd(text: &str) -> String {
        text.nfd().collect()
    }

    #[test]
    fn folding_strips_every_vietnamese_mark_in_both_normal_forms() {
        for (text, key) in [
            ("Đăng ký khai sinh", "dang ky khai sinh"),
            ("ĐƯỜNG  Trường\u{a0}Sơn", "duong truong son"),
            ("Ủy ban nhân dân phường Nguyễn Úy", "uy ban nhan dan phuong nguyen uy"),
            (
                "ằ ẳ ẵ ắ ặ ầ ẩ ẫ ấ ậ ề ể ễ ế ệ ồ ổ ỗ ố ộ ờ ở ỡ ớ ợ ừ ử ữ ứ ự",
                "a a a a a a a a a a e e e e e o o o o o o o o o o u u u u u",
            ),
            (" \n", ""),
        ] {
            assert_eq!(fold(text), key);
            assert_eq!(fold(&nfd(text)), key, "decomposed {text}");
        }
    }

    #[test]
    fn the_tone_has_one_place() {
        for (written, canonical) in [
            ("hoà bình", "hòa bình"),
            ("Khánh Hoà", "Khánh Hòa"),
            ("HOÀ", "HÒA"),
            ("thuý", "thúy"),
            ("Thuỷ", "Thủy"),
            ("khoẻ", "khỏe"),
            ("hoè", "hòe"),
            ("huỷ", "hủy"),
            ("uỷ ban", "ủy ban"),
            ("quý", "quý"),
            ("qúy", "quý"),
            ("quả", "quả"),
            ("hoàng", "hoàng"),
            ("hòang", "hoàng"),
            ("toán", "toán"),
            ("huýt", "huýt"),
            ("xoài", "xoài"),
            ("khuỷu", "khuỷu"),
            ("gì", "gì"),
            ("già", "già"),
            ("gìa", "già"),
            ("giữa", "giữa"),
            ("giếng", "giếng"),
            ("của", "của"),
            ("nghĩa", "nghĩa"),
            ("được", "được"),
            ("đựơc", "được"),
            ("thuở", "thuở"),
            ("nguyễn", "nguyễn"),
            ("khuya", "khuya"),
            ("café", "café"),
            ("Hoà, Thuý (Quý)", "Hòa, Thúy (Quý)"),
        ] {
            assert_eq!(normalise_tone(written), canonical);
            assert_eq!(normalise_tone(&nfd(written)), canonical, "decomposed {written}");
        }
    }

    #[test]
    fn names_are_written_with_capitals() {
        assert_eq!(title_case_name("  nguyễn   THỊ ánh "), "Nguyễn Thị Ánh");
        assert_eq!(title_case_name("đỗ đức"), "Đỗ Đức");
        assert_eq!(title_case_name("h'hen niê"), "H'Hen Niê");
        assert_eq!(title_case_name("JEAN-PIERRE o’neil"), "Jean-Pierre O’Neil");
        assert_eq!(title_case_name(&nfd("trần ước")), "Trần Ước");
    }

    #[test]
    fn names_are_letters() {
        for good in [
            "Nguyễn Thị Ánh",
            "H'Hen Niê",
            "Y",
            "Đỗ Ước",
            "Zoë Müller-Łukasz",
            &nfd("Trần Đức Ửng"),
        ] {
            assert_eq!(check_person_name(good), Ok(()), "{good}");
        }
        for (bad, code) in [
            ("", "required"),
            ("  ", "required"),
            ("Nguyễn Văn 2", "not-a-name"),
            ("a\u{0}b", "not-a-name"),
            ("<b>", "not-a-name"),
            ("---", "not-a-name"),
            ("王", "not-a-name"),
            (&"a".repeat(101), "too-long"),
        ] {
            assert_eq!(check_person_name(bad).map_err(|e| e.code()), Err(code), "{bad:?}");
        }
        assert!(is_person_name(&"ễ".repeat(100)));
    }

    #[test]
    fn words_match_in_any_order_and_the_last_as_a_prefix() {
        let hay = fold("Đăng ký khai sinh (1.001193)");
        for (query, found) in [
            ("khai sinh", true),
            ("Sinh Khai", true),
            ("dang ky kh", true),
            ("kha sinh", false),
            ("khai tử", false),
            ("1.001193", true),
            ("", true),
            ("  ", true),
            ("sinhh", false),
        ] {
            assert_eq!(matches_words(&hay, query), found, "{query}");
        }
    }

    #[test]
    fn what_is_told_at_once_is_as_unicode_says() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_letter(c), c.is_alphabetic(), "{c:?}");
            for text in [c.to_string(), format!("a{c}"), format!("ở{c}")] {
                assert_eq!(is_nfc(&text), unicode_normalization::is_nfc(&text), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn folding_takes_what_decomposition_leaves(text in "\\PC{0,30}|[à-ỹĐđ a-zA-Z\u{300}-\u{341}]{0,30}") {
            let bare: String = text.nfd().filter(|c| !is_combining_mark(*c)).collect();
            let lower: String = bare.chars().flat_map(char::to_lowercase).collect();
            let words: Vec<&str> = lower.split_whitespace().collect();
            prop_assert_eq!(fold(&text), words.join(" ").replace('đ', "d"));
        }

        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(&fold(&once), &once);
            prop_assert_eq!(fold(&nfd(&text)), once);
        }

        #[test]
        fn placing_tones_keeps_the_letters_and_settles(text in "[a-zàáảãạăâđêôơưềếộợựA-Z ]{0,30}") {
            let once = normalise_tone(&text);
            prop_assert_eq!(&normalise_tone(&once), &once);
            prop_assert_eq!(fold(&once), fold(&text));
        }
    }
}
