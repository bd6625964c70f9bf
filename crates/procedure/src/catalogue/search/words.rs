//! Words: how names, questions and addresses are cut up.

use base::text::fold;

/// The folded words of a text: `Thủ tục "đăng ký" – khai sinh` gives `thu tuc dang ky khai sinh`.
pub(super) fn split(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The words as written, in lower case, in the same order as [`split`].
pub(super) fn spelled(text: &str) -> Vec<String> {
    base::text::nfc(text)
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A name as part of an address: `Hộ tịch` is `ho-tich`. Long names are cut at a word.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    for word in split(name) {
        if out.len() + word.len() > 80 {
            break;
        }
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(&word);
    }
    out
}

/// Words that people type around what they mean; dropped when all words together find nothing.
pub(super) fn is_filler(word: &str) -> bool {
    const FILLERS: &[&str] = &[
        "a", "ai", "ban", "bao", "bang", "cach", "can", "cho", "co", "con", "cua", "dau", "de", "den", "di", "duoc",
        "gi", "gia", "hoac", "hoi", "khi", "khong", "la", "lai", "lam", "luc", "ma", "minh", "muon", "nao", "nay",
        "nguoi", "nhu", "nhung", "o", "online", "phai", "qua", "sao", "tai", "the", "theo", "thi", "thu", "toi",
        "tren", "trong", "tuc", "tu", "ve", "voi", "va", "xin", "apply", "for", "how", "i", "my", "of", "the", "to",
    ];
    FILLERS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_folded_words() {
        assert_eq!(
            split("Thủ tục “đăng ký” – khai sinh (Cấp Xã)"),
            ["thu", "tuc", "dang", "ky", "khai", "sinh", "cap", "xa"]
        );
        assert_eq!(spelled("Đăng KÝ, Đa\u{323}i"), ["đăng", "ký", "đại"]);
        assert_eq!(slug("Hộ tịch"), "ho-tich");
    }
}
