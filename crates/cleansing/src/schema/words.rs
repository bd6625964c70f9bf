//! The words of names, in two languages and in abbreviations, as one vocabulary.

use std::collections::HashSet;

use base::text::fold;

use super::Term;

/// What words and abbreviations of schemas mean, in plain Vietnamese without marks. Longer phrases first where one begins
/// another.
const MEANINGS: &[(&str, &str)] = &[
    ("date of birth", "ngay sinh"),
    ("birth date", "ngay sinh"),
    ("birthdate", "ngay sinh"),
    ("birthday", "ngay sinh"),
    ("ngay thang nam sinh", "ngay sinh"),
    ("ntns", "ngay sinh"),
    ("dob", "ngay sinh"),
    ("ngsinh", "ngay sinh"),
    ("place of birth", "noi sinh"),
    ("birthplace", "noi sinh"),
    ("ho chu dem va ten", "ho ten"),
    ("ho dem va ten", "ho ten"),
    ("ho va ten", "ho ten"),
    ("full name", "ho ten"),
    ("fullname", "ho ten"),
    ("hvt", "ho ten"),
    ("first name", "ten goi"),
    ("given name", "ten goi"),
    ("last name", "ho"),
    ("surname", "ho"),
    ("family name", "ho"),
    ("so dinh danh ca nhan", "dinh danh"),
    ("personal identification number", "dinh danh"),
    ("personal number", "dinh danh"),
    ("identity number", "dinh danh"),
    ("identity card", "dinh danh"),
    ("can cuoc cong dan", "dinh danh"),
    ("chung minh nhan dan", "chung minh"),
    ("so cccd", "dinh danh"),
    ("cccd", "dinh danh"),
    ("sddcn", "dinh danh"),
    ("ddcn", "dinh danh"),
    ("so cmnd", "chung minh"),
    ("cmnd", "chung minh"),
    ("cmtnd", "chung minh"),
    ("cmt", "chung minh"),
    ("tax code", "ma so thue"),
    ("taxcode", "ma so thue"),
    ("tax number", "ma so thue"),
    ("tin", "ma so thue"),
    ("mst", "ma so thue"),
    ("enterprise code", "ma doanh nghiep"),
    ("mdn", "ma doanh nghiep"),
    ("so dien thoai", "dien thoai"),
    ("telephone number", "dien thoai"),
    ("phone number", "dien thoai"),
    ("telephone", "dien thoai"),
    ("mobile", "dien thoai"),
    ("phone", "dien thoai"),
    ("sdt", "dien thoai"),
    ("dtdd", "dien thoai"),
    ("tel", "dien thoai"),
    ("thu dien tu", "email"),
    ("e mail", "email"),
    ("mail", "email"),
    ("gioi tinh", "gioi tinh"),
    ("gender", "gioi tinh"),
    ("sex", "gioi tinh"),
    ("phai", "gioi tinh"),
    ("ethnicity", "dan toc"),
    ("ethnic group", "dan toc"),
    ("nationality", "quoc tich"),
    ("religion", "ton giao"),
    ("marital status", "tinh trang hon nhan"),
    ("permanent address", "thuong tru dia chi"),
    ("ho khau thuong tru", "thuong tru dia chi"),
    ("hktt", "thuong tru dia chi"),
    ("temporary address", "tam tru dia chi"),
    ("address", "dia chi"),
    ("addr", "dia chi"),
    ("dchi", "dia chi"),
    ("dc", "dia chi"),
    ("province", "tinh"),
    ("district", "huyen"),
    ("commune", "xa"),
    ("ward", "xa"),
    ("phuong", "xa"),
    ("quan", "huyen"),
    ("social insurance", "bao hiem xa hoi"),
    ("bhxh", "bao hiem xa hoi"),
    ("health insurance", "bao hiem y te"),
    ("health card", "bao hiem y te the"),
    ("bhyt", "bao hiem y te"),
    ("passport", "ho chieu"),
    ("date of issue", "ngay cap"),
    ("issue date", "ngay cap"),
    ("issued date", "ngay cap"),
    ("place of issue", "noi cap"),
    ("date of death", "ngay chet"),
    ("ngay mat", "ngay chet"),
    ("father", "cha"),
    ("bo", "cha"),
    ("mother", "me"),
    ("spouse", "vo chong"),
    ("occupation", "nghe nghiep"),
    ("salary", "luong"),
    ("income", "thu nhap"),
    ("amount", "so tien"),
    ("date", "ngay"),
    ("ngay thang", "ngay"),
    ("year", "nam"),
    ("month", "thang"),
    ("birth", "sinh"),
    ("name", "ten"),
    ("number", "so"),
    ("num", "so"),
    ("no", "so"),
    ("code", "ma"),
    ("status", "trang thai"),
    ("note", "ghi chu"),
    ("remark", "ghi chu"),
    ("created at", "ngay tao"),
    ("created date", "ngay tao"),
    ("updated at", "ngay cap nhat"),
    ("dt", "dien thoai"),
    ("ns", "ngay sinh"),
];

/// Words that say little.
const LITTLE: &[&str] = &["so", "ma", "ten", "ngay", "id", "nam", "thang"];
/// Words that say nothing.
const NOTHING: &[&str] = &[
    "va", "cua", "cac", "the", "of", "a", "an", "col", "fld", "tbl", "str", "vc", "txt",
];

/// All words that a name may be made of.
#[derive(Debug)]
pub(super) struct Vocabulary {
    known: HashSet<String>,
    longest: usize,
}

impl Vocabulary {
    /// The words of a dictionary, and those that schemas use.
    pub fn of(dictionary: &[Term]) -> Self {
        let mut known: HashSet<String> = HashSet::new();
        for name in dictionary.iter().flat_map(|t| &t.names) {
            known.extend(cut(name));
        }
        for (from, to) in MEANINGS {
            known.extend(from.split(' ').chain(to.split(' ')).map(str::to_owned));
        }
        // Single letters would cut anything to pieces.
        known.retain(|w| w.len() > 1);
        let longest = known.iter().map(String::len).max().unwrap_or(0);
        Self { known, longest }
    }

    /// What a name means: its words in plain Vietnamese, each once.
    pub fn meaning(&self, name: &str) -> Vec<String> {
        let words: Vec<String> = cut(name).into_iter().flat_map(|w| self.pieces(w)).collect();
        let mut text = format!(" {} ", words.join(" "));
        for (from, to) in MEANINGS {
            let phrase = format!(" {from} ");
            if text.contains(&phrase) {
                text = text.replace(&phrase, &format!(" {to} "));
            }
        }
        let mut meaning = Vec::new();
        for word in text.split_whitespace().filter(|w| !NOTHING.contains(w)) {
            if !meaning.iter().any(|m| m == word) {
                meaning.push(word.to_owned());
            }
        }
        meaning
    }

    /// The known words that one word was run together from (`ngaysinh`), or the word.
    fn pieces(&self, word: String) -> Vec<String> {
        // Names are short; what is not is no name.
        if self.known.contains(&word) || word.len() > 64 || !word.is_ascii() {
            return vec![word];
        }
        // For each length: the number of pieces that the beginning can be cut into, and where the last one begins.
        let mut best: Vec<Option<(usize, usize)>> = vec![None; word.len() + 1];
        if let Some(start) = best.first_mut() {
            *start = Some((0, 0));
        }
        for end in 1..=word.len() {
            for start in end.saturating_sub(self.longest)..end {
                let piece = word.get(start..end).unwrap_or_default();
                if let Some((pieces, _)) = best.get(start).copied().flatten()
                    && self.known.contains(piece)
                    && let Some(place) = best.get_mut(end)
                    && place.is_none_or(|(fewest, _)| pieces + 1 < fewest)
                {
                    *place = Some((pieces + 1, start));
                }
            }
        }
        let mut pieces = Vec::new();
        let mut end = word.len();
        while let Some((1.., start)) = best.get(end).copied().flatten() {
            pieces.push(word.get(start..end).unwrap_or_default().to_owned());
            end = start;
        }
        pieces.reverse();
        if pieces.is_empty() { vec![word] } else { pieces }
    }
}

/// The weight of a word, in halves.
pub(super) fn weight(word: &str) -> usize {
    if LITTLE.contains(&word) || word.bytes().all(|b| b.is_ascii_digit()) {
        1
    } else {
        3
    }
}

/// The words of a name without marks and case: parted by signs, and where small letters meet capitals.
pub(super) fn cut(name: &str) -> Vec<String> {
    let mut parted = String::with_capacity(name.len() + 8);
    let mut last_small = false;
    for c in name.chars() {
        if c.is_uppercase() && last_small {
            parted.push(' ');
        }
        last_small = c.is_lowercase() || c.is_ascii_digit();
        parted.push(if c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c) {
            c
        } else {
            ' '
        });
    }
    fold(&parted)
        .split(' ')
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}
