//! Ways in which a Vietnamese text is spelt wrongly or otherwise.

use crate::dice::Dice;

/// Vowels by shape (rows) and tone (columns: none, huyền, hỏi, ngã, sắc, nặng).
const VOWELS: [[char; 6]; 12] = [
    ['a', 'à', 'ả', 'ã', 'á', 'ạ'],
    ['ă', 'ằ', 'ẳ', 'ẵ', 'ắ', 'ặ'],
    ['â', 'ầ', 'ẩ', 'ẫ', 'ấ', 'ậ'],
    ['e', 'è', 'ẻ', 'ẽ', 'é', 'ẹ'],
    ['ê', 'ề', 'ể', 'ễ', 'ế', 'ệ'],
    ['i', 'ì', 'ỉ', 'ĩ', 'í', 'ị'],
    ['o', 'ò', 'ỏ', 'õ', 'ó', 'ọ'],
    ['ô', 'ồ', 'ổ', 'ỗ', 'ố', 'ộ'],
    ['ơ', 'ờ', 'ở', 'ỡ', 'ớ', 'ợ'],
    ['u', 'ù', 'ủ', 'ũ', 'ú', 'ụ'],
    ['ư', 'ừ', 'ử', 'ữ', 'ứ', 'ự'],
    ['y', 'ỳ', 'ỷ', 'ỹ', 'ý', 'ỵ'],
];
const HOI: usize = 2;
const NGA: usize = 3;

/// Per shape: the letter below it, what Telex and VNI type for the shape, and its combining mark.
const SHAPES: [(char, &str, &str, &str); 12] = [
    ('a', "", "", ""),
    ('a', "w", "8", "\u{306}"),
    ('a', "a", "6", "\u{302}"),
    ('e', "", "", ""),
    ('e', "e", "6", "\u{302}"),
    ('i', "", "", ""),
    ('o', "", "", ""),
    ('o', "o", "6", "\u{302}"),
    ('o', "w", "7", "\u{31b}"),
    ('u', "", "", ""),
    ('u', "w", "7", "\u{31b}"),
    ('y', "", "", ""),
];
const TELEX_TONES: [&str; 6] = ["", "f", "r", "x", "s", "j"];
const VNI_TONES: [&str; 6] = ["", "2", "3", "4", "1", "5"];
const TONE_MARKS: [&str; 6] = ["", "\u{300}", "\u{309}", "\u{303}", "\u{301}", "\u{323}"];

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// `to` in the case of `like`.
fn cased(to: char, like: char) -> char {
    if like.is_uppercase() {
        to.to_uppercase().next().unwrap_or(to)
    } else {
        to
    }
}

/// Shape and tone of a vowel.
fn vowel(c: char) -> Option<(usize, usize)> {
    let c = lower(c);
    VOWELS
        .iter()
        .enumerate()
        .find_map(|(shape, tones)| tones.iter().position(|t| *t == c).map(|tone| (shape, tone)))
}

/// The text as its keys were struck while the typing method was off: marks of shape after their letter, tones after the word.
fn typed(text: &str, d: &str, shape_key: impl Fn(usize) -> &'static str, tone_keys: [&str; 6]) -> String {
    let word = |word: &str| {
        let (mut out, mut last) = (String::new(), "");
        for c in word.chars() {
            match (vowel(c), lower(c)) {
                (Some((shape, tone)), _) => {
                    out.push(cased(SHAPES[shape].0, c));
                    out.push_str(shape_key(shape));
                    last = if tone > 0 { tone_keys[tone] } else { last };
                }
                (None, 'đ') => {
                    out.push(cased('d', c));
                    out.push_str(d);
                }
                (None, _) => out.push(c),
            }
        }
        out + last
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// `Nguyễn Đức` becomes `Nguyeenx Dduwcs`.
pub fn telex(text: &str) -> String {
    typed(text, "d", |shape| SHAPES[shape].1, TELEX_TONES)
}

/// `Nguyễn Đức` becomes `Nguye6n4 D9u7c1`.
pub fn vni(text: &str) -> String {
    typed(text, "9", |shape| SHAPES[shape].2, VNI_TONES)
}

/// Without any mark, case kept.
pub fn without_marks(text: &str) -> String {
    let plain = |c: char| match (vowel(c), lower(c)) {
        (Some((shape, _)), _) => cased(SHAPES[shape].0, c),
        (None, 'đ') => cased('d', c),
        (None, _) => c,
    };
    text.chars().map(plain).collect()
}

/// `đ` as `d`.
pub fn plain_d(text: &str) -> String {
    text.replace('đ', "d").replace('Đ', "D")
}

/// Letters and marks apart, in the canonical order (NFD).
pub fn decomposed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        let Some((shape, tone)) = vowel(c) else {
            out.push(c);
            continue;
        };
        let (letter, .., mark) = SHAPES[shape];
        out.push(cased(letter, c));
        // The horn stands before every tone; the dot below before circumflex and breve.
        if TONE_MARKS[tone] == "\u{323}" && mark != "\u{31b}" {
            out.push_str(TONE_MARKS[tone]);
            out.push_str(mark);
        } else {
            out.push_str(mark);
            out.push_str(TONE_MARKS[tone]);
        }
    }
    out
}

/// The tone of open `oa`, `oe`, `uy` on the second vowel: `Hòa` becomes `Hoà`.
pub fn other_tone_place(text: &str) -> String {
    let word = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        let n = letters.len();
        if n >= 2
            && let (Some((first, tone)), Some((second, 0))) = (vowel(letters[n - 2]), vowel(letters[n - 1]))
            && tone > 0
            && matches!((VOWELS[first][0], VOWELS[second][0]), ('o', 'a' | 'e') | ('u', 'y'))
            && (n < 3 || lower(letters[n - 3]) != 'q')
        {
            letters[n - 2] = cased(VOWELS[first][0], letters[n - 2]);
            letters[n - 1] = cased(VOWELS[second][tone], letters[n - 1]);
        }
        letters.into_iter().collect::<String>()
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// As it sounds to many: hỏi for ngã and back, `i` for a final `y`, `x` for `s`, `ch` for `tr`. One of them, the first that
/// the text has from a random word on.
pub fn by_sound(text: &str, dice: &mut Dice) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let first = dice.place(words.len());
    for at in 0..words.len() {
        let word = (first + at) % words.len();
        if let Some(sounds) = sounds_like(&words[word]) {
            words[word] = sounds;
            break;
        }
    }
    words.join(" ")
}

fn sounds_like(word: &str) -> Option<String> {
    let tones = |c: char| match vowel(c) {
        Some((shape, HOI)) => cased(VOWELS[shape][NGA], c),
        Some((shape, NGA)) => cased(VOWELS[shape][HOI], c),
        _ => c,
    };
    let toned: String = word.chars().map(tones).collect();
    if toned != word {
        return Some(toned);
    }
    for (from, to) in [
        ("Tr", "Ch"),
        ("S", "X"),
        ("Gi", "D"),
        ("Lý", "Lí"),
        ("Mỹ", "Mĩ"),
        ("Vy", "Vi"),
    ] {
        if let Some(rest) = word.strip_prefix(from) {
            return Some(format!("{to}{rest}"));
        }
    }
    None
}

/// One slip of the finger: a letter left out, doubled, changed for its neighbour on the keys, or exchanged with the next.
pub fn typo(text: &str, dice: &mut Dice) -> String {
    const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let mut letters: Vec<char> = text.chars().collect();
    // Never the first letter of the text: people look at that.
    let inner: Vec<usize> = (1..letters.len()).filter(|at| letters[*at].is_alphabetic()).collect();
    if inner.is_empty() {
        return text.to_owned();
    }
    let at = dice.pick(&inner);
    match dice.below(4) {
        0 if letters.len() > 3 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        2 if letters
            .get(at + 1)
            .is_some_and(|next| next.is_alphabetic() && *next != letters[at]) =>
        {
            letters.swap(at, at + 1)
        }
        _ => {
            let beside = ROWS
                .iter()
                .find_map(|row| row.find(lower(letters[at])).map(|n| (row, n)));
            letters[at] = beside.map_or('n', |(row, n)| {
                let beside = if n > 0 { n - 1 } else { n + 1 };
                cased(char::from(row.as_bytes()[beside]), letters[at])
            });
        }
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use base::text;

    use super::*;

    #[test]
    fn keys_are_struck_as_people_strike_them() {
        assert_eq!(telex("Nguyễn Thị Đường"), "Nguyeenx Thij DDuwowngf".replace("DD", "Dd"));
        assert_eq!(vni("Nguyễn Đức"), "Nguye6n4 D9u7c1");
        assert_eq!(without_marks("ĐẶNG Thùy Ưng"), "DANG Thuy Ung");
    }

    #[test]
    fn marks_apart_compose_to_the_same_text() {
        for row in VOWELS {
            for c in row {
                for text in [c.to_string(), c.to_uppercase().to_string()] {
                    let apart = decomposed(&text);
                    assert_eq!(text::nfc(&apart), text);
                    assert_eq!(apart.chars().count() > 1, !text.is_ascii());
                    assert_eq!(text::fold(&apart), text::fold(&without_marks(&text)));
                }
            }
        }
        // Canonical order: composing and taking apart again changes nothing.
        assert_eq!(decomposed("ệ"), "e\u{323}\u{302}");
        assert_eq!(decomposed("ợ"), "o\u{31b}\u{323}");
        assert_eq!(decomposed("ấ"), "a\u{302}\u{301}");
    }

    #[test]
    fn the_other_tone_place_is_undone_by_normalising() {
        for (one, other) in [
            ("Hòa", "Hoà"),
            ("Thúy", "Thuý"),
            ("Quý", "Quý"),
            ("Hoàng", "Hoàng"),
            ("THỦY", "THUỶ"),
        ] {
            assert_eq!(other_tone_place(one), other);
            assert_eq!(text::normalise_tone(other), one);
        }
    }

    #[test]
    fn sounds_and_typos_change_one_thing() {
        let mut dice = Dice::of(&[1]);
        assert_eq!(by_sound("Nguyễn", &mut dice), "Nguyển");
        assert_eq!(by_sound("Trần", &mut dice), "Chần");
        assert_eq!(by_sound("Lê An", &mut dice), "Lê An");
        for _ in 0..200 {
            let wrong = typo("Trần Thị Hoa", &mut dice);
            let length = wrong.chars().count();
            assert!((11..=13).contains(&length) && wrong.starts_with('T'), "{wrong}");
        }
    }
}
