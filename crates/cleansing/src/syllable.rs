//! Whether a word is a Vietnamese syllable: the evidence by which encodings are told apart.

use unicode_normalization::UnicodeNormalization;

const ONSETS: [&str; 28] = [
    "ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g", "h", "k", "l", "m",
    "n", "p", "r", "s", "t", "v", "x", "",
];

/// What may follow the onset, without tone. Those with a `y` that looks alone stand after `qu`.
const RHYMES: &str = " a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây \
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu \
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot \
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt \
    u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ up ut uy uya uych uyên uyêt uynh uyt uyu uôc uôi uôm uôn uông uôp uôt \
    ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu \
    y ych yên yêt yêm yêng yêu ynh yt ";

const fn is_tone(mark: char) -> bool {
    matches!(mark, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}')
}

/// Whether `word` could be written in Vietnamese as it stands, marks included. Case does not matter.
pub(crate) fn is_syllable(word: &str) -> bool {
    let mut tone = None;
    let mut bare = String::with_capacity(word.len());
    for c in word.nfd() {
        if is_tone(c) {
            if tone.replace(c).is_some() {
                return false;
            }
        } else {
            bare.extend(c.to_lowercase());
        }
    }
    let bare: String = bare.nfc().collect();
    ONSETS.iter().any(|onset| {
        bare.strip_prefix(onset).is_some_and(|rhyme| {
            !rhyme.is_empty()
                && !rhyme.contains(' ')
                && RHYMES.contains(&format!(" {rhyme} "))
                // A closed syllable has only these two tones.
                && (!rhyme.ends_with(['c', 'p', 't']) && !rhyme.ends_with("ch")
                    || matches!(tone, Some('\u{301}' | '\u{323}')))
        })
    })
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
    use super::*;

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
