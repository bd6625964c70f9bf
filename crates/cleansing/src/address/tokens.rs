//! An address cut into words that can be compared with names.

use std::sync::LazyLock;

/// One word or number of an address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where its key stands in [`Tokens::keys`].
    key: (usize, usize),
    /// Between which separators it stands.
    pub segment: u16,
    /// Whether it has marks.
    pub marked: bool,
    /// Its spelling with marks.
    marks: u64,
}

/// The words of a text. A name is compared by its key: no marks, no case, no spaces, with the spellings that vary written one
/// way (`Mỹ` and `Mĩ`, `Đắk` and `Đắc`, `01` and `1`).
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub list: Vec<Token>,
    keys: String,
}

/// A word that is being read. A run of digits is a word of its own: `P12` is two.
struct Open {
    start: usize,
    key_from: usize,
    digit: bool,
    marks: u64,
    tone: u8,
    marked: bool,
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

const fn mix(hash: u64, byte: u64) -> u64 {
    (hash ^ byte).wrapping_mul(0x0000_0100_0000_01b3)
}

/// What one character is in a key.
#[derive(Clone, Copy)]
enum Class {
    /// A letter or digit: its key, and its marks (0 for none): the shape of the letter in the low bits, the tone above.
    Letter(u8, u8),
    /// A combining mark or an apostrophe: nothing.
    Nothing,
    /// A space.
    Space,
    /// What parts an address into segments.
    Separator,
}

/// The classes of the characters up to the last Vietnamese letter.
static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    (0..0x1f00)
        .map(|n| char::from_u32(n).map_or(Class::Separator, class))
        .collect()
});

fn class(c: char) -> Class {
    match c {
        '\'' | '’' | '`' | 'ʼ' | '\u{300}'..='\u{36f}' => return Class::Nothing,
        ' ' | '\u{a0}' | '\t' | '.' | '_' | ':' => return Class::Space,
        _ => {}
    }
    let folded = base::text::fold(c.encode_utf8(&mut [0; 4]));
    let mut folded = folded.bytes();
    match (folded.next(), folded.next()) {
        (Some(b), None) if b.is_ascii_alphanumeric() => {
            let parts: String = unicode_normalization::UnicodeNormalization::nfd(std::iter::once(c)).collect();
            let shape = match c {
                'đ' | 'Đ' => 1,
                _ if parts.contains('\u{302}') => 2,
                _ if parts.contains('\u{306}') => 3,
                _ if parts.contains('\u{31b}') => 4,
                _ => 0,
            };
            let tones = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];
            let tone = tones
                .iter()
                .zip(1..)
                .find(|(t, _)| parts.contains(**t))
                .map_or(0, |(_, n)| n);
            Class::Letter(b, shape | (tone << 4))
        }
        _ => Class::Separator,
    }
}

impl Tokens {
    /// Cuts a text that is in NFC.
    pub fn of(text: &str) -> Self {
        let mut tokens = Self {
            list: Vec::with_capacity(24),
            keys: String::with_capacity(text.len()),
        };
        let (mut segment, mut open) = (0_u16, None::<Open>);
        for (at, c) in text.char_indices() {
            let class = CLASSES.get(c as usize).copied().unwrap_or(Class::Separator);
            match class {
                Class::Letter(key, extra) => {
                    let digit = key.is_ascii_digit();
                    if open.as_ref().is_some_and(|o| o.digit != digit) {
                        tokens.close(open.take(), segment);
                    }
                    let key_from = tokens.keys.len();
                    let word = open.get_or_insert(Open {
                        start: at,
                        key_from,
                        digit,
                        marks: SEED,
                        tone: 0,
                        marked: false,
                    });
                    tokens.keys.push(char::from(key));
                    word.marks = mix(word.marks, u64::from(key) << 8 | u64::from(extra & 0xf));
                    word.tone = word.tone.max(extra >> 4);
                    word.marked |= extra != 0;
                }
                Class::Nothing => {}
                Class::Space | Class::Separator => {
                    tokens.close(open.take(), segment);
                    // A hyphen within a name (Bà Rịa - Vũng Tàu) parts nothing by itself.
                    if matches!(class, Class::Separator) && c != '-' && c != '–' {
                        segment = segment.saturating_add(1);
                    }
                }
            }
        }
        tokens.close(open, segment);
        tokens
    }

    fn close(&mut self, open: Option<Open>, segment: u16) {
        let Some(word) = open else {
            return;
        };
        self.settle(word.key_from);
        self.list.push(Token {
            start: word.start,
            key: (word.key_from, self.keys.len()),
            segment,
            marked: word.marked,
            marks: mix(word.marks, u64::from(word.tone)),
        });
    }

    /// Writes the key from `from` on in the one way.
    fn settle(&mut self, from: usize) {
        let word = self.keys.get(from..).unwrap_or_default();
        let settled = if word.starts_with('0') && word.len() > 1 {
            word.trim_start_matches('0').to_owned()
        } else if word.len() > 1 && word.ends_with('k') {
            format!("{}c", word.trim_end_matches('k'))
        } else if let Some(head) = word
            .strip_suffix('y')
            .filter(|h| !h.is_empty() && (*h == "qu" || h.bytes().all(|b| !b"aeiou".contains(&b))))
        {
            format!("{head}i")
        } else {
            return;
        };
        self.keys.truncate(from);
        self.keys.push_str(&settled);
    }

    /// The key of one token.
    pub fn key(&self, at: usize) -> &str {
        self.list
            .get(at)
            .and_then(|t| self.keys.get(t.key.0..t.key.1))
            .unwrap_or_default()
    }

    /// The keys of the tokens from `start` to before `end`, one after the other.
    pub fn run(&self, start: usize, end: usize) -> &str {
        let from = self.list.get(start).map(|t| t.key.0);
        let to = end.checked_sub(1).and_then(|last| self.list.get(last)).map(|t| t.key.1);
        from.zip(to)
            .and_then(|(from, to)| self.keys.get(from..to))
            .unwrap_or_default()
    }

    /// Whether a run of tokens has marks, and its spelling with them.
    pub fn marks(&self, start: usize, end: usize) -> (bool, u64) {
        let run = self.list.get(start..end).unwrap_or_default();
        (
            run.iter().any(|t| t.marked),
            run.iter().fold(SEED, |h, t| mix(h, t.marks)),
        )
    }
}

/// The hash of a key: of a run it can be made token by token.
pub(super) fn hash(from: u64, key: &str) -> u64 {
    key.bytes().fold(from, |h, b| mix(h, u64::from(b)))
}

/// Where hashing begins.
pub(super) const START: u64 = SEED;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for (a, b) in [
            ("Mỹ Đình", "MĨ ĐÌNH"),
            ("Đắk Lắk", "dac lac"),
            ("Ea H'leo", "Ea Hleo"),
            ("Plei Ku", "Pleiku"),
            ("01", "1"),
            ("Quy Nhơn", "Qui Nhon"),
            ("Hòa", "Hoà"),
        ] {
            let (x, y) = (Tokens::of(a), Tokens::of(b));
            assert_eq!(x.run(0, x.list.len()), y.run(0, y.list.len()), "{a}");
        }
        let (x, y) = (Tokens::of("Hòa Bình"), Tokens::of("HOÀ BÌNH"));
        assert_eq!(x.marks(0, 2), y.marks(0, 2), "the place of the tone does not matter");
        assert_ne!(x.marks(0, 2), Tokens::of("Hỏa Bình").marks(0, 2));
        let keys = |text: &str| {
            let t = Tokens::of(text);
            (0..t.list.len()).map(|n| t.key(n).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(keys("P12, Q.Bình Thạnh"), ["p", "12", "q", "binh", "thanh"]);
        assert!(Tokens::of("").list.is_empty());
    }
}
