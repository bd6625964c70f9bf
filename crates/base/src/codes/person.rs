//! Numbers of persons: the 12-digit personal number in force, and the 9-digit identity card before it.

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{CodeError, digits_of, text_code};
use crate::{lang::Text, refusal::Problem};

/// Sex as civil status records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Nam.
    Male,
    /// Nữ.
    Female,
}

impl Sex {
    /// The word for it.
    pub fn text(self) -> Text {
        match self {
            Self::Male => Text::new("Nam", "Male"),
            Self::Female => Text::new("Nữ", "Female"),
        }
    }
}

/// Where a birth was registered, as the first three digits of a personal number say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Birthplace {
    /// A province of the list of 63 that held until 30 June 2025; numbers keep its code after the mergers.
    Province {
        /// The code without its leading zero: `1` to `96`.
        code: u8,
        /// The name then.
        name: &'static str,
    },
    /// A country, by the annex of the Ministry of Public Security: `100` and above.
    Abroad(u16),
}

/// The personal identification number (số định danh cá nhân), 12 digits for life: `PPP` province or country of the birth's
/// registration, `G` century and sex, `YY` year of birth, six random digits. It has no check digit. Decree 137/2015 art.
/// 13, Circular 59/2021/TT-BCA, Law on Identity 26/2023/QH15 art. 12.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonNumber(String);

text_code!(PersonNumber);

impl PersonNumber {
    fn number(&self, from: usize, to: usize) -> u16 {
        self.0.get(from..to).and_then(|d| d.parse().ok()).unwrap_or(0)
    }

    /// Where the birth was registered.
    pub fn birthplace(&self) -> Birthplace {
        let code = self.number(0, 3);
        province(code).unwrap_or(Birthplace::Abroad(code))
    }

    /// The sex in the number: even is male.
    pub fn sex(&self) -> Sex {
        if self.number(3, 4).is_multiple_of(2) {
            Sex::Male
        } else {
            Sex::Female
        }
    }

    /// The year of birth in the number: 0 and 1 are the 1900s, 2 and 3 the 2000s, to 8 and 9 the 2300s.
    pub fn birth_year(&self) -> i16 {
        let year = 1900 + self.number(3, 4) / 2 * 100 + self.number(4, 6);
        i16::try_from(year).unwrap_or(i16::MAX)
    }

    /// What does not agree with what the person declared. Warnings for an officer to look at, never a reason to refuse:
    /// numbers given with a wrong year or sex exist and stay valid for life. The problems have no place yet.
    pub fn check_against(&self, birth: Option<Date>, sex: Option<Sex>) -> Vec<Problem> {
        let mut found = Vec::new();
        if let Some(declared) = birth.map(Date::year).filter(|year| *year != self.birth_year()) {
            let said = self.birth_year();
            let reason = CodeError::new(
                "birth-year-differs",
                format!(
                    "Số định danh cá nhân cho thấy năm sinh {said}, khác năm sinh đã khai {declared}. Đề nghị kiểm tra lại."
                ),
                format!(
                    "The personal number says the year of birth is {said}, not {declared} as declared. Check both."
                ),
            );
            found.push(reason.at(""));
        }
        if let Some(declared) = sex.filter(|sex| *sex != self.sex()) {
            let (said, declared) = (self.sex().text(), declared.text());
            let reason = CodeError::new(
                "sex-differs",
                format!(
                    "Số định danh cá nhân cho thấy giới tính {}, khác giới tính đã khai {}. Đề nghị kiểm tra lại.",
                    said.vi, declared.vi
                ),
                format!(
                    "The personal number says {}, not {} as declared. Check both.",
                    said.en.to_lowercase(),
                    declared.en.to_lowercase()
                ),
            );
            found.push(reason.at(""));
        }
        found
    }
}

impl FromStr for PersonNumber {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let digits = digits_of(text);
        if digits.len() != 12 || !digits.bytes().all(|c| c.is_ascii_digit()) {
            return Err(CodeError::new(
                "not-a-person-number",
                "Số định danh cá nhân phải có đúng 12 chữ số.",
                "A personal number has exactly 12 digits.",
            ));
        }
        let number = Self(digits);
        let place = number.number(0, 3);
        if place < 100 && province(place).is_none() {
            return Err(CodeError::new(
                "unknown-birthplace",
                format!("Ba chữ số đầu {place:03} không phải mã tỉnh, thành phố hoặc quốc gia nơi đăng ký khai sinh."),
                format!(
                    "The first three digits, {place:03}, are no code of a province or country of birth registration."
                ),
            ));
        }
        Ok(number)
    }
}

/// The identity card number (số chứng minh nhân dân) of 9 digits. The cards are no longer valid; the number still stands in
/// older records and papers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OldIdCard(String);

text_code!(OldIdCard);

impl FromStr for OldIdCard {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let digits = digits_of(text);
        if digits.len() == 9 && digits.bytes().all(|c| c.is_ascii_digit()) {
            return Ok(Self(digits));
        }
        Err(CodeError::new(
            "not-an-old-id-card",
            "Số chứng minh nhân dân phải có đúng 9 chữ số.",
            "An old identity card number has exactly 9 digits.",
        ))
    }
}

impl fmt::Display for Birthplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Province { code, .. } => write!(f, "{code:03}"),
            Self::Abroad(code) => write!(f, "{code:03}"),
        }
    }
}

fn province(code: u16) -> Option<Birthplace> {
    let at = PROVINCES.binary_search_by_key(&code, |(c, _)| u16::from(*c)).ok()?;
    PROVINCES
        .get(at)
        .map(|(code, name)| Birthplace::Province { code: *code, name })
}

/// The 63 provinces and cities until 30 June 2025, by code (Decision 124/2004/QĐ-TTg as amended).
const PROVINCES: [(u8, &str); 63] = [
    (1, "Hà Nội"),
    (2, "Hà Giang"),
    (4, "Cao Bằng"),
    (6, "Bắc Kạn"),
    (8, "Tuyên Quang"),
    (10, "Lào Cai"),
    (11, "Điện Biên"),
    (12, "Lai Châu"),
    (14, "Sơn La"),
    (15, "Yên Bái"),
    (17, "Hòa Bình"),
    (19, "Thái Nguyên"),
    (20, "Lạng Sơn"),
    (22, "Quảng Ninh"),
    (24, "Bắc Giang"),
    (25, "Phú Thọ"),
    (26, "Vĩnh Phúc"),
    (27, "Bắc Ninh"),
    (30, "Hải Dương"),
    (31, "Hải Phòng"),
    (33, "Hưng Yên"),
    (34, "Thái Bình"),
    (35, "Hà Nam"),
    (36, "Nam Định"),
    (37, "Ninh Bình"),
    (38, "Thanh Hóa"),
    (40, "Nghệ An"),
    (42, "Hà Tĩnh"),
    (44, "Quảng Bình"),
    (45, "Quảng Trị"),
    (46, "Thừa Thiên Huế"),
    (48, "Đà Nẵng"),
    (49, "Quảng Nam"),
    (51, "Quảng Ngãi"),
    (52, "Bình Định"),
    (54, "Phú Yên"),
    (56, "Khánh Hòa"),
    (58, "Ninh Thuận"),
    (60, "Bình Thuận"),
    (62, "Kon Tum"),
    (64, "Gia Lai"),
    (66, "Đắk Lắk"),
    (67, "Đắk Nông"),
    (68, "Lâm Đồng"),
    (70, "Bình Phước"),
    (72, "Tây Ninh"),
    (74, "Bình Dương"),
    (75, "Đồng Nai"),
    (77, "Bà Rịa - Vũng Tàu"),
    (79, "Hồ Chí Minh"),
    (80, "Long An"),
    (82, "Tiền Giang"),
    (83, "Bến Tre"),
    (84, "Trà Vinh"),
    (86, "Vĩnh Long"),
    (87, "Đồng Tháp"),
    (89, "An Giang"),
    (91, "Kiên Giang"),
    (92, "Cần Thơ"),
    (93, "Hậu Giang"),
    (94, "Sóc Trăng"),
    (95, "Bạc Liêu"),
    (96, "Cà Mau"),
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_personal_number_says_where_when_and_sex() {
        let number: PersonNumber = "037 190 001234".parse().expect("well formed");
        assert_eq!(number.as_str(), "037190001234");
        assert_eq!(
            number.birthplace(),
            Birthplace::Province {
                code: 37,
                name: "Ninh Bình"
            }
        );
        assert_eq!((number.sex(), number.birth_year()), (Sex::Female, 1990));
        let later: PersonNumber = "001205000001".parse().expect("well formed");
        assert_eq!((later.sex(), later.birth_year()), (Sex::Male, 2005));
        let last: PersonNumber = "234999000001".parse().expect("well formed");
        assert_eq!(
            (last.birthplace(), last.sex(), last.birth_year()),
            (Birthplace::Abroad(234), Sex::Female, 2399)
        );
    }

    #[test]
    fn every_province_is_accepted_and_no_other_code_below_100() {
        let accepted = (0..100)
            .filter(|p| format!("{p:03}090000001").parse::<PersonNumber>().is_ok())
            .count();
        assert_eq!(accepted, 63);
        assert_eq!(
            "003090000001".parse::<PersonNumber>().map_err(|e| e.code()),
            Err("unknown-birthplace")
        );
        for bad in ["03719000123", "0371900012345", "03719000123a", "037-190-001234"] {
            assert_eq!(
                bad.parse::<PersonNumber>().map_err(|e| e.code()),
                Err("not-a-person-number"),
                "{bad}"
            );
        }
    }

    #[test]
    fn disagreement_is_a_warning_in_both_languages() {
        let number: PersonNumber = "037190001234".parse().expect("well formed");
        assert!(number.check_against(None, None).is_empty());
        assert!(
            number
                .check_against(Some(date(1990, 5, 1)), Some(Sex::Female))
                .is_empty()
        );
        let found = number.check_against(Some(date(1991, 5, 1)), Some(Sex::Male));
        let codes: Vec<&str> = found.iter().map(|p| p.code.as_str()).collect();
        assert_eq!(codes, ["birth-year-differs", "sex-differs"]);
        assert!(found.iter().all(|p| !p.text.vi.is_empty() && !p.text.en.is_empty()));
    }

    #[test]
    fn an_old_card_has_nine_digits() {
        assert_eq!(
            "012 345 678".parse::<OldIdCard>().map(|c| c.to_string()),
            Ok("012345678".to_owned())
        );
        assert!("12345678".parse::<OldIdCard>().is_err());
        assert!("A12345678".parse::<OldIdCard>().is_err());
    }
}
