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

/// An ethnicity (dân tộc) by its two-digit code in the list of Decision 121-TCTK/PPCĐ of 2 March 1979.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ethnicity(usize);

/// In the order of the codes, from 01; other names after a bar.
const ETHNICITIES: [&str; 54] = [
    "Kinh|Việt",
    "Tày|Thổ Tày|Ngạn",
    "Thái|Tày Thái",
    "Mường|Mol",
    "Khmer|Khơ me|Khơ-me|Miên",
    "Hoa|Hán|Tàu",
    "Nùng|Nùng An",
    "Mông|H'Mông|HMông|Mèo|Hmông",
    "Dao|Mán",
    "Gia Rai|Gia-rai|Jrai|J'rai|Gia lai",
    "Ê Đê|Ê-đê|Êđê|Rhadé",
    "Ba Na|Ba-na|Bana|Bahnar",
    "Sán Chay|Cao Lan|Sán Chỉ",
    "Chăm|Chàm",
    "Cơ Ho|Cơ-ho|K'Ho|Kơho|Cờ Ho",
    "Xơ Đăng|Xơ-đăng|Sedang|Xê Đăng",
    "Sán Dìu",
    "Hrê|H'rê|Hre",
    "Raglay|Ra Glai|Ra-glai|Raglai",
    "Mnông|M'nông|M'Nông",
    "Thổ",
    "Xtiêng|X'tiêng|Stiêng|S'tiêng",
    "Khơ Mú|Khơ-mú|Khơmú",
    "Bru Vân Kiều|Bru - Vân Kiều|Bru-Vân Kiều|Vân Kiều|Pa Kô",
    "Cơ Tu|Cơ-tu|Cơtu|Ka Tu",
    "Giáy|Dáy",
    "Tà Ôi|Tà-ôi|Tà ôi|Pa Cô",
    "Mạ",
    "Giẻ Triêng|Gié-Triêng|Gié Triêng|Giẻ-Triêng",
    "Co|Cor",
    "Chơ Ro|Chơ-ro|Chơro",
    "Xinh Mun|Xinh-mun",
    "Hà Nhì",
    "Chu Ru|Chu-ru|Churu",
    "Lào",
    "La Chí",
    "Kháng",
    "Phù Lá",
    "La Hủ",
    "La Ha",
    "Pà Thẻn",
    "Lự",
    "Ngái",
    "Chứt",
    "Lô Lô",
    "Mảng",
    "Cơ Lao|Cờ Lao",
    "Bố Y",
    "Cống",
    "Si La",
    "Pu Péo",
    "Rơ Măm",
    "Brâu",
    "Ơ Đu",
];

impl Ethnicity {
    /// The code: `01`.
    pub fn code(self) -> String {
        format!("{:02}", self.0 + 1)
    }

    /// The name in the list.
    pub fn name(self) -> &'static str {
        ETHNICITIES
            .get(self.0)
            .and_then(|names| names.split('|').next())
            .unwrap_or_default()
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
/// `marks-missing` says it.
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
    if let Ok(code @ 1..=54) = plain.parse::<usize>()
        && plain.len() <= 2
    {
        let value = Ethnicity(code - 1);
        return Ok(Standard::new(value).step(Step::Coded, raw != value.code()));
    }
    let names = |names: &'static str| names.split('|').map(|n| base::text::normalise_tone(n).to_lowercase());
    let exact = ETHNICITIES.iter().position(|list| names(list).any(|n| n == plain));
    if let Some(at) = exact {
        return Ok(Standard::new(Ethnicity(at)).step(Step::Coded, true));
    }
    let key = squeezed(plain.strip_prefix("dan toc ").unwrap_or(plain));
    let mut like = (0..ETHNICITIES.len()).filter(|at| {
        !key.is_empty()
            && ETHNICITIES
                .get(*at)
                .is_some_and(|list| names(list).any(|n| squeezed(&n) == key))
    });
    match (like.next(), like.next()) {
        (Some(at), None) => {
            let standard = Standard::new(Ethnicity(at)).step(Step::Coded, true);
            Ok(standard.doubt(CodeError::new(
                "marks-missing",
                "Tên dân tộc viết thiếu hoặc khác dấu.",
                "The name of the people lacks marks or has others.",
            )))
        }
        _ => Err(unknown().into()),
    }
}

fn squeezed(text: &str) -> String {
    fold(text).chars().filter(char::is_ascii_alphabetic).collect()
}

/// Nationalities by ISO 3166-1 alpha-3, with the names that files have. Viet Nam, its neighbours, and where most foreigners
/// in Viet Nam come from; others are written as their code.
const NATIONS: [(&str, &str); 29] = [
    (
        "VNM",
        "việt nam|vietnam|viet nam|vn|việt|vietnamese|cộng hòa xã hội chủ nghĩa việt nam|chxhcn việt nam",
    ),
    ("CHN", "trung quốc|china|cn|tq|chinese"),
    ("TWN", "đài loan|đài loan (trung quốc)|taiwan|tw"),
    ("HKG", "hồng kông|hong kong|hk"),
    ("LAO", "lào|laos|la|lao"),
    ("KHM", "campuchia|cam-pu-chia|cambodia|kh"),
    ("THA", "thái lan|thailand|th"),
    ("MYS", "malaysia|ma-lai-xi-a|my"),
    ("SGP", "singapore|xin-ga-po|sg"),
    ("IDN", "indonesia|in-đô-nê-xi-a|id"),
    ("PHL", "philippines|phi-líp-pin|ph"),
    ("MMR", "myanmar|mi-an-ma|mm"),
    ("BRN", "brunei|bru-nây|bn"),
    ("JPN", "nhật bản|nhật|japan|jp"),
    ("KOR", "hàn quốc|đại hàn dân quốc|korea|south korea|kr"),
    ("PRK", "triều tiên|north korea|kp"),
    ("IND", "ấn độ|india|in"),
    ("USA", "hoa kỳ|mỹ|united states|usa|us"),
    ("CAN", "canada|ca-na-đa|ca"),
    ("AUS", "úc|australia|ô-xtrây-li-a|au"),
    ("NZL", "new zealand|niu di-lân|nz"),
    ("GBR", "anh|vương quốc anh|united kingdom|uk|gb"),
    ("FRA", "pháp|france|fr"),
    ("DEU", "đức|germany|de"),
    ("NLD", "hà lan|netherlands|nl"),
    ("RUS", "nga|liên bang nga|russia|ru"),
    ("UKR", "ukraina|ukraine|u-crai-na|ua"),
    ("CZE", "séc|cộng hòa séc|czech republic|czechia|cz"),
    ("POL", "ba lan|poland|pl"),
];

/// A nationality as its code of three letters (ISO 3166-1).
///
/// # Errors
/// `unknown-nationality`.
pub fn nationality(raw: &str) -> Outcome<String> {
    let text = base::text::normalise_tone(raw.trim()).to_lowercase();
    let key = fold(text.strip_prefix("nước ").unwrap_or(&text));
    let known = NATIONS
        .iter()
        .find(|(code, names)| fold(code) == key || names.split('|').any(|n| fold(n) == key));
    match known {
        Some((code, _)) => Ok(Standard::new((*code).to_owned()).step(Step::Coded, raw != *code)),
        None => Err(CodeError::new(
            "unknown-nationality",
            "Không nhận ra quốc tịch. Ghi mã ba chữ cái theo ISO 3166-1, ví dụ VNM.",
            "The nationality is not recognised. Write the code of three letters of ISO 3166-1, such as VNM.",
        )
        .into()),
    }
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
            ("Ê-đê", "11"),
            ("Gia-rai", "10"),
            ("Thổ", "21"),
            ("Bru - Vân Kiều", "24"),
            ("Tà Ôi", "27"),
            ("Ơ Đu", "54"),
            ("8", "08"),
            ("08", "08"),
            ("E de", "11"),
        ] {
            assert_eq!(ethnicity(raw).map(|s| s.value.code()), Ok(code.to_owned()), "{raw}");
        }
        for bad in ["", "55", "0", "001", "Klingon", "ma tuý"] {
            assert!(ethnicity(bad).is_err(), "{bad}");
        }
        assert_eq!(ethnicity("Muong").map(|s| s.doubts.len()), Ok(1));
        assert_eq!(Ethnicity(53).name(), "Ơ Đu");
    }

    #[test]
    fn nationalities() {
        for (raw, code) in [
            ("Việt Nam", "VNM"),
            ("VN", "VNM"),
            ("Vietnam", "VNM"),
            ("HÀN QUỐC", "KOR"),
            ("vnm", "VNM"),
            ("Đài Loan", "TWN"),
        ] {
            assert_eq!(nationality(raw).map(|s| s.value), Ok(code.to_owned()), "{raw}");
        }
        assert!(nationality("").is_err() && nationality("Sao Hỏa").is_err());
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
