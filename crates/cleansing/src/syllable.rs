//! Whether a word is a Vietnamese syllable: the evidence by which encodings are told apart.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const ONSETS: [&str; 28] = [
    "ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g", "h", "k", "l", "m",
    "n", "p", "r", "s", "t", "v", "x", "",
];

/// What may follow the onset, without tone. Those with a `y` that looks alone stand after `qu`.
const RHYMES: &str = "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây \
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu \
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot \
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt \
    u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ up ut uy uya uych uyên uyêt uynh uyt uyu uôc uôi uôm uôn uông uôp uôt \
    ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu \
    y ych yên yêt yêm yêng yêu ynh yt";

/// The longest syllable is `nghiêng`.
const LONGEST: usize = 7;

/// A letter without its tone, as one byte: a digit for the letters beyond ASCII. And whether it has a tone that a closed
/// syllable may have (2), another (1), or none (0).
#[derive(Clone, Copy)]
struct Letter {
    byte: u8,
    tone: u8,
}

static LETTERS: LazyLock<Vec<Option<Letter>>> =
    LazyLock::new(|| (0..0x1f00).map(|n| char::from_u32(n).and_then(letter)).collect());

fn letter(c: char) -> Option<Letter> {
    let mut tone = 0;
    let mut bare = String::new();
    for part in std::iter::once(c).nfd() {
        match part {
            '\u{301}' | '\u{323}' => tone = 2,
            '\u{300}' | '\u{303}' | '\u{309}' => tone = 1,
            part => bare.extend(part.to_lowercase()),
        }
    }
    let mut bare = bare.nfc();
    let byte = match (bare.next()?, bare.next()) {
        (c @ 'a'..='z', None) => u8::try_from(c).ok()?,
        (c, None) => u8::try_from("ăâêôơưđ".chars().position(|own| own == c)?).ok()? + b'0',
        _ => return None,
    };
    Some(Letter { byte, tone })
}

/// The letters of a word in one number, and its tone; none for what is no word of up to seven Vietnamese letters.
fn packed(word: &str) -> Option<(u64, u8)> {
    let (mut key, mut tone, mut length) = (0, 0, 0);
    for c in word.chars() {
        let letter = LETTERS.get(c as usize).copied().flatten()?;
        key = key << 8 | u64::from(letter.byte);
        length += 1;
        if length > LONGEST || letter.tone > 0 && tone > 0 {
            return None;
        }
        tone = tone.max(letter.tone);
    }
    Some((key, tone))
}

/// All syllables without tones.
static SYLLABLES: LazyLock<HashSet<u64>> = LazyLock::new(|| {
    let rhymes = || RHYMES.split_whitespace();
    ONSETS
        .iter()
        .flat_map(|onset| rhymes().filter_map(move |rhyme| packed(&format!("{onset}{rhyme}"))))
        .map(|(key, _)| key)
        .collect()
});

/// Whether `word` could be written in Vietnamese as it stands, marks included. Case does not matter.
pub(crate) fn is_syllable(word: &str) -> bool {
    if word.chars().any(is_combining_mark) {
        let composed: String = word.nfc().collect();
        return !composed.chars().any(is_combining_mark) && is_syllable(&composed);
    }
    let Some((key, tone)) = packed(word) else {
        return false;
    };
    let [.., before, last] = key.to_be_bytes();
    // A closed syllable has only two of the tones.
    let closed = matches!(last, b'c' | b'p' | b't') || (before, last) == (b'c', b'h');
    SYLLABLES.contains(&key) && (!closed || tone == 2)
}

/// Whether the tone of a word certainly stands where [`base::text::normalise_tone`] would put it. Most do, and asking is much
/// cheaper than placing.
pub(crate) fn is_tone_settled(word: &str) -> bool {
    let mut letters = [0_u8; LONGEST];
    let (mut length, mut tone_at) = (0, None);
    for c in word.chars() {
        let (Some(letter), Some(place)) = (LETTERS.get(c as usize).copied().flatten(), letters.get_mut(length)) else {
            // Without a mark beyond ASCII there is no tone.
            return word.is_ascii();
        };
        *place = letter.byte;
        if letter.tone > 0 && tone_at.replace(length).is_some() {
            return false;
        }
        length += 1;
    }
    let Some(tone_at) = tone_at else {
        return true;
    };
    let word = letters.get(..length).unwrap_or_default();
    let is_vowel = |b: &u8| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'0'..=b'5');
    let first = word.iter().position(is_vowel).unwrap_or(length);
    let after = word.get(first + 1).is_some_and(is_vowel);
    let glide = matches!(word.get(..=first), Some([.., b'q', b'u']))
        || after && matches!(word.get(..=first), Some([b'g', b'i']));
    let start = first + usize::from(glide);
    let nucleus = word.get(start..).unwrap_or_default();
    let nucleus = nucleus
        .get(..nucleus.iter().position(|b| !is_vowel(b)).unwrap_or(nucleus.len()))
        .unwrap_or_default();
    let closed = start + nucleus.len() < length;
    let within = match nucleus.iter().rposition(u8::is_ascii_digit) {
        Some(shaped) => shaped,
        None if closed => nucleus.len().saturating_sub(1),
        None => usize::from(nucleus.len() == 3),
    };
    tone_at == start + within
}

/// The words of a text that have a letter beyond ASCII, and how many of them are syllables.
pub(crate) fn marked_words(text: &str) -> (usize, usize) {
    let marked = |word: &&str| !word.is_ascii();
    let words = || {
        text.split(|c: char| c.is_ascii() && !c.is_ascii_alphabetic())
            .filter(marked)
    };
    (words().count(), words().filter(|w| is_syllable(w)).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_settled_tone_is_not_moved(word in "(ngh|qu|gi|h|kh|th|Đ|)[aàáảãạăằặâấeèẹêếiìíịoòóọôốơờuùúụưứyỳý]{1,3}(ng|nh|c|m|)|[a-zà-ỹ]{1,5}") {
            let word: String = word.nfc().collect();
            if is_tone_settled(&word) {
                prop_assert_eq!(base::text::normalise_tone(&word), word);
            }
        }
    }

    #[test]
    fn syllables_are_told_from_other_words() {
        for good in [
            "Nguyễn", "VĂN", "Huỳnh", "quý", "giữa", "gì", "nghiêng", "Đặng", "thuở", "khuỷu", "ngoằn", "quốc", "ương",
            "yến", "quyết",
        ] {
            assert!(is_syllable(good), "{good}");
        }
        for bad in ["NguyÔn", "V¨n", "Ñaëng", "café", "hoac", "xyz", "", "ñ", "quêc", "bị́"] {
            assert!(!is_syllable(bad), "{bad}");
        }
    }
}
