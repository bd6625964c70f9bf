//! Sex, ethnicity and nationality.

use std::fmt;

use base::{
    codes::{CodeError, Sex},
    text::fold,
};

use super::{Outcome, Standard, Step};

/// Sex, in the many ways of writing it. A digit (1 male; 0 or 2 female) is the usual code, but a doubt: `coded-sex`.
///
/// # Errors
/// `not-a-sex`.
pub fn sex(raw: &str) -> Outcome<Sex> {
    let key = fold(raw);
    let word = key.trim_matches(|c: char| !c.is_alphanumeric());
    let (value, digit) = match word {
        "nam" | "m" | "male" | "trai" | "ong" | "con trai" | "nam gioi" => (Sex::Male, false),
        "nu" | "f" | "female" | "gai" | "ba" | "con gai" | "nu gioi" => (Sex::Female, false),
        "1" => (Sex::Male, true),
        "0" | "2" => (Sex::Female, true),
        _ => {
            return Err(CodeError::new(
                "not-a-sex",
                "Giới tính là Nam hoặc Nữ.",
                "Sex is Nam (male) or Nữ (female).",
            )
            .into());
        }
    };
    let standard = Standard::new(value).step(Step::Coded, raw != value.text().vi);
    Ok(if digit {
        standard.doubt(CodeError::new(
            "coded-sex",
            "Giới tính ghi bằng số. Đối chiếu với bảng mã của tệp nguồn.",
            "Sex is written as a digit. Compare with the code list of the file.",
        ))
    } else {
        standard
    })
}

/// An ethnicity (dân tộc) by its two-digit code in the list of Decision 121-TCTK/PPCĐ of 2 March 1979, as forms and registries have it; 00
/// is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ethnicity(usize);

/// In the order of the codes, from 01: names, the list's own first, and the code in the list of Decision 1019/QĐ-TCTK of 12 November 2008,
/// by which the statistics of the census are made. 37 of its codes stand for others.
const ETHNICITIES: [(&str, usize); 54] = [
    ("Kinh|Việt", 1),
    ("Tày|Thổ Tày|Ngạn", 2),
    ("Thái|Tày Thái", 3),
    ("Hoa|Hán|Tàu", 6),
    ("Khơ-me|Khmer|Khơ me|Miên", 5),
    ("Mường|Mol", 4),
    ("Nùng|Nùng An", 7),
    ("HMông|Mông|H'Mông|Mèo|Hmông", 8),
    ("Dao|Mán", 9),
    ("Gia-rai|Gia Rai|Jrai|J'rai|Gia lai", 10),
    ("Ngái", 43),
    ("Ê-đê|Ê Đê|Êđê|Rhadé", 11),
    ("Ba-na|Ba Na|Bana|Bahnar", 12),
    ("Xơ-đăng|Xơ Đăng|Sedang|Xê Đăng", 16),
    ("Sán Chay|Cao Lan|Sán Chỉ", 13),
    ("Cơ-ho|Cơ Ho|K'Ho|Kơho|Cờ Ho", 15),
    ("Chăm|Chàm", 14),
    ("Sán Dìu", 17),
    ("Hrê|H'rê|Hre", 18),
    ("Mnông|M'nông|M'Nông", 20),
    ("Ra-glai|Raglay|Ra Glai|Raglai", 19),
    ("Xtiêng|X'tiêng|Stiêng|S'tiêng", 22),
    ("Bru-Vân Kiều|Bru Vân Kiều|Bru - Vân Kiều|Vân Kiều|Pa Kô", 24),
    ("Thổ", 21),
    ("Giáy|Dáy", 26),
    ("Cơ-tu|Cơ Tu|Cơtu|Ka Tu", 25),
    ("Gié-Triêng|Giẻ Triêng|Gié Triêng|Giẻ-Triêng", 29),
    ("Mạ", 28),
    ("Khơ-mú|Khơ Mú|Khơmú", 23),
    ("Co|Cor", 30),
    ("Ta-ôi|Tà Ôi|Tà-ôi|Tà ôi|Pa Cô", 27),
    ("Chơ-ro|Chơ Ro|Chơro", 31),
    ("Kháng", 37),
    ("Xinh-mun|Xinh Mun", 32),
    ("Hà Nhì", 33),
    ("Chu-ru|Chu Ru|Churu", 34),
    ("Lào", 35),
    ("La Chí", 36),
    ("La Ha", 40),
    ("Phù Lá", 38),
    ("La Hủ", 39),
    ("Lự", 42),
    ("Lô Lô", 45),
    ("Chứt", 44),
    ("Mảng", 46),
    ("Pà Thẻn", 41),
    ("Cơ Lao|Cờ Lao", 47),
    ("Cống", 49),
    ("Bố Y", 48),
    ("Si La", 50),
    ("Pu Péo", 51),
    ("Brâu", 53),
    ("Ơ-đu|Ơ Đu", 54),
    ("Rơ-măm|Rơ Măm", 52),
];

/// Names of what is none of them.
const ANOTHER: [&str; 2] = ["khác", "người nước ngoài"];

impl Ethnicity {
    /// The code: `01`.
    pub fn code(self) -> String {
        format!("{:02}", self.0)
    }

    /// The name in the list.
    pub fn name(self) -> &'static str {
        let listed = self.0.checked_sub(1).and_then(|at| ETHNICITIES.get(at));
        listed.and_then(|(names, _)| names.split('|').next()).unwrap_or("Khác")
    }
}

impl fmt::Display for Ethnicity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

/// An ethnicity, from its name, another name of the same people, or the code.
///
/// Names that differ only in their marks (Thổ, Thô) are matched without marks where that leaves one people; the doubt
/// `marks-missing` says it. A code that means others in the list of 2008 has the doubt `coded-ethnicity`.
///
/// # Errors
/// `unknown-ethnicity`.
pub fn ethnicity(raw: &str) -> Outcome<Ethnicity> {
    let unknown = || {
        CodeError::new(
            "unknown-ethnicity",
            "Không có dân tộc này trong danh mục 54 dân tộc.",
            "No such people in the list of 54.",
        )
    };
    let text = base::text::normalise_tone(raw.trim()).to_lowercase();
    let plain = text.strip_prefix("dân tộc ").unwrap_or(&text).trim();
    if plain == "00" || ANOTHER.contains(&plain) {
        return Ok(Standard::new(Ethnicity(0)).step(Step::Coded, raw != "00"));
    }
    if let Ok(code) = plain.parse::<usize>()
        && plain.len() <= 2
        && let Some((_, since_2008)) = code.checked_sub(1).and_then(|at| ETHNICITIES.get(at))
    {
        let value = Ethnicity(code);
        let standard = Standard::new(value).step(Step::Coded, raw != value.code());
        return Ok(if *since_2008 == code {
            standard
        } else {
            standard.doubt(two_lists())
        });
    }
    let names = |names: &'static str| names.split('|').map(|n| base::text::normalise_tone(n).to_lowercase());
    let exact = ETHNICITIES.iter().position(|(list, _)| names(list).any(|n| n == plain));
    if let Some(at) = exact {
        return Ok(Standard::new(Ethnicity(at + 1)).step(Step::Coded, true));
    }
    let key = squeezed(plain.strip_prefix("dan toc ").unwrap_or(plain));
    let mut like = (0..ETHNICITIES.len()).filter(|at| {
        !key.is_empty()
            && ETHNICITIES
                .get(*at)
                .is_some_and(|(list, _)| names(list).any(|n| squeezed(&n) == key))
    });
    match (like.next(), like.next()) {
        (Some(at), None) => {
            let standard = Standard::new(Ethnicity(at + 1)).step(Step::Coded, true);
            Ok(standard.doubt(CodeError::new(
                "marks-missing",
                "Tên dân tộc viết thiếu hoặc khác dấu.",
                "The name of the people lacks marks or has others.",
            )))
        }
        _ => Err(unknown().into()),
    }
}

fn two_lists() -> CodeError {
    CodeError::new(
        "coded-ethnicity",
        "Mã dân tộc này chỉ hai dân tộc khác nhau trong danh mục năm 1979 (Quyết định 121-TCTK/PPCĐ) và danh mục năm 2008 (Quyết định \
         1019/QĐ-TCTK). Ở đây hiểu theo danh mục năm 1979; đối chiếu với bảng mã của tệp nguồn.",
        "This code stands for two peoples in the lists of 1979 (Decision 121-TCTK/PPCĐ) and of 2008 (Decision 1019/QĐ-TCTK). It is read by \
         the list of 1979 here; compare with the code list of the file.",
    )
}

fn squeezed(text: &str) -> String {
    fold(text).chars().filter(char::is_ascii_alphabetic).collect()
}

/// Nationalities by ISO 3166-1 alpha-2, as registries have them, with the names that files have, alpha-3 at the end. Viet Nam, its
/// neighbours, and where most foreigners in Viet Nam come from.
const NATIONS: [(&str, &str); 29] = [
    (
        "VN",
        "việt nam|vietnam|viet nam|việt|vietnamese|cộng hòa xã hội chủ nghĩa việt nam|chxhcn việt nam|vnm",
    ),
    ("CN", "trung quốc|china|tq|chinese|chn"),
    ("TW", "đài loan|đài loan (trung quốc)|taiwan|twn"),
    ("HK", "hồng kông|hong kong|hkg"),
    ("LA", "lào|laos|lao"),
    ("KH", "campuchia|cam-pu-chia|cambodia|khm"),
    ("TH", "thái lan|thailand|tha"),
    ("MY", "malaysia|ma-lai-xi-a|mys"),
    ("SG", "singapore|xin-ga-po|sgp"),
    ("ID", "indonesia|in-đô-nê-xi-a|idn"),
    ("PH", "philippines|phi-líp-pin|phl"),
    ("MM", "myanmar|mi-an-ma|mmr"),
    ("BN", "brunei|bru-nây|brn"),
    ("JP", "nhật bản|nhật|japan|jpn"),
    ("KR", "hàn quốc|đại hàn dân quốc|korea|south korea|kor"),
    ("KP", "triều tiên|north korea|prk"),
    ("IN", "ấn độ|india|ind"),
    ("US", "hoa kỳ|mỹ|united states|usa"),
    ("CA", "canada|ca-na-đa|can"),
    ("AU", "úc|australia|ô-xtrây-li-a|aus"),
    ("NZ", "new zealand|niu di-lân|nzl"),
    ("GB", "anh|vương quốc anh|united kingdom|uk|gbr"),
    ("FR", "pháp|france|fra"),
    ("DE", "đức|germany|deu"),
    ("NL", "hà lan|netherlands|nld"),
    ("RU", "nga|liên bang nga|russia|rus"),
    ("UA", "ukraina|ukraine|u-crai-na|ukr"),
    ("CZ", "séc|cộng hòa séc|czech republic|czechia|cze"),
    ("PL", "ba lan|poland|pol"),
];

/// A nationality as its code of two letters (ISO 3166-1).
///
/// # Errors
/// `unknown-nationality`.
pub fn nationality(raw: &str) -> Outcome<String> {
    let text = base::text::normalise_tone(raw.trim()).to_lowercase();
    let text = text.strip_prefix("nước ").unwrap_or(&text);
    let is_exact =
        |(code, names): &&(&str, &str)| code.eq_ignore_ascii_case(text) || names.split('|').any(|n| n == text);
    let key = fold(text);
    let is_like = |(_, names): &&(&str, &str)| names.split('|').any(|n| fold(n) == key);
    // With its marks first: Mỹ is not MY.
    match NATIONS.iter().find(is_exact).or_else(|| NATIONS.iter().find(is_like)) {
        Some((code, _)) => {
            let standard = Standard::new((*code).to_owned()).step(Step::Coded, raw != *code);
            Ok(if text == "my" {
                standard.doubt(without_marks())
            } else {
                standard
            })
        }
        None => Err(CodeError::new(
            "unknown-nationality",
            "Không nhận ra quốc tịch. Ghi mã hai chữ cái theo ISO 3166-1, ví dụ VN.",
            "The nationality is not recognised. Write the code of two letters of ISO 3166-1, such as VN.",
        )
        .into()),
    }
}

fn without_marks() -> CodeError {
    CodeError::new(
        "marks-missing",
        "MY là mã của Ma-lai-xi-a, nhưng cũng có thể là “Mỹ” viết không dấu. Đối chiếu với bảng mã của tệp nguồn.",
        "MY is the code of Malaysia, and may be “Mỹ” (the United States) without its marks. Compare with the code list of the file.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sex_in_many_spellings() {
        for (raw, value) in [
            ("Nam", Sex::Male),
            ("NAM", Sex::Male),
            ("nữ", Sex::Female),
            ("Nu", Sex::Female),
            ("F", Sex::Female),
            ("Gái", Sex::Female),
            ("(Nam)", Sex::Male),
            ("1", Sex::Male),
            ("0", Sex::Female),
        ] {
            let standard = sex(raw).expect(raw);
            assert_eq!(
                (standard.value, standard.doubts.len()),
                (value, usize::from(raw.len() == 1 && raw != "F")),
                "{raw}"
            );
        }
        assert!(sex("khác").is_err() && sex("").is_err());
    }

    #[test]
    fn peoples_by_name_and_code() {
        for (raw, code) in [
            ("Kinh", "01"),
            ("kinh", "01"),
            ("dân tộc Kinh", "01"),
            ("Tày", "02"),
            ("Thái", "03"),
            ("H'Mông", "08"),
            ("H’Mông", "08"),
            ("Ê-đê", "12"),
            ("Gia-rai", "10"),
            ("Thổ", "24"),
            ("Bru - Vân Kiều", "23"),
            ("Tà Ôi", "31"),
            ("Ơ Đu", "53"),
            ("8", "08"),
            ("08", "08"),
            ("E de", "12"),
            ("Mường", "06"),
            ("Hoa", "04"),
            ("Khác", "00"),
            ("00", "00"),
        ] {
            assert_eq!(ethnicity(raw).map(|s| s.value.code()), Ok(code.to_owned()), "{raw}");
        }
        for bad in ["", "55", "0", "001", "Klingon", "ma tuý"] {
            assert!(ethnicity(bad).is_err(), "{bad}");
        }
        assert_eq!(ethnicity("Muong").map(|s| s.doubts.len()), Ok(1));
        assert_eq!((Ethnicity(53).name(), Ethnicity(0).name()), ("Ơ-đu", "Khác"));
        // What another list has under the same code is told, where a file has codes alone.
        let doubts = |raw| ethnicity(raw).map(|s| s.doubts.iter().map(CodeError::code).collect::<Vec<_>>());
        assert_eq!(doubts("06"), Ok(vec!["coded-ethnicity"]));
        assert_eq!((doubts("01"), doubts("Mường")), (Ok(vec![]), Ok(vec![])));
        let mut since_2008: Vec<usize> = ETHNICITIES.iter().map(|(_, code)| *code).collect();
        let others = (1..).zip(&since_2008).filter(|(code, other)| code != *other).count();
        since_2008.sort_unstable();
        assert_eq!((others, since_2008), (37, (1..=54).collect()));
    }

    #[test]
    fn nationalities() {
        for (raw, code) in [
            ("Việt Nam", "VN"),
            ("VN", "VN"),
            ("Vietnam", "VN"),
            ("HÀN QUỐC", "KR"),
            ("Han Quoc", "KR"),
            ("vnm", "VN"),
            ("Đài Loan", "TW"),
            ("Mỹ", "US"),
            ("nước Mỹ", "US"),
            ("MY", "MY"),
            ("Lào", "LA"),
        ] {
            assert_eq!(nationality(raw).map(|s| s.value), Ok(code.to_owned()), "{raw}");
        }
        assert!(nationality("").is_err() && nationality("Sao Hỏa").is_err());
        assert_eq!(nationality("My").map(|s| s.doubts.len()), Ok(1));
        // No name is that of two, with its marks or without.
        for (at, (code, names)) in NATIONS.iter().enumerate() {
            for name in names.split('|') {
                let same = |(other, _): &(&str, &str)| other.eq_ignore_ascii_case(name);
                assert!(!NATIONS.iter().any(same), "{name}");
                let like = NATIONS
                    .iter()
                    .filter(|(_, names)| names.split('|').any(|n| fold(n) == fold(name)));
                assert_eq!(like.count(), 1, "{name}");
                assert_eq!(nationality(name).map(|s| s.value), Ok((*code).to_owned()), "{at}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_twice_is_once(raw in "\\PC{0,20}|.{0,20}|[0-9a-zê]{0,4}") {
            let _ = sex(&raw);
            if let Ok(once) = ethnicity(&raw) {
                prop_assert_eq!(ethnicity(&once.value.code()).map(|s| (s.value, s.steps)), Ok((once.value, vec![])));
            }
            if let Ok(once) = nationality(&raw) {
                prop_assert_eq!(nationality(&once.value).map(|s| (s.value.clone(), s.steps)), Ok((once.value, vec![])));
            }
        }
    }
}
