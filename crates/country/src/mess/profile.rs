//! How carefully an agency writes.

use std::str::FromStr;

use base::{Error, Kind};

use super::Slip;

/// How often each mistake is made where it can be. The rates are ours: no agency has published its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A young, well kept file.
    Easy,
    /// What a clerk expects.
    Usual,
    /// Many hands, many years.
    Bad,
}

impl Profile {
    /// The share of copies with this mistake among those that can have it (who has no former address cannot have it written down).
    pub const fn rate(self, slip: Slip) -> f64 {
        let usual = match slip {
            Slip::Telex => 0.006,
            Slip::Vni => 0.003,
            Slip::NoMarks => 0.05,
            Slip::PlainD => 0.02,
            Slip::TonePlace => 0.3,
            Slip::Decomposed => 0.03,
            Slip::Order => 0.006,
            Slip::ShortMiddle => 0.02,
            Slip::Typo => 0.02,
            Slip::Sound => 0.025,
            Slip::OtherName => 0.007,
            Slip::DayMonth => 0.015,
            Slip::DefaultBirthday => 0.015,
            Slip::YearOff => 0.006,
            Slip::Sex => 0.004,
            Slip::Digit => 0.01,
            Slip::Transposed => 0.006,
            Slip::LeadingZero => 0.05,
            Slip::OldCard => 0.1,
            Slip::NoNumber => 0.08,
            Slip::FormerAddress => 0.15,
            Slip::OldUnits => 0.4,
            Slip::NoAddress => 0.04,
            Slip::OthersPhone => 0.04,
            Slip::NoPhone => 0.25,
            Slip::NoParents => 0.3,
            Slip::YearOnly => 0.012,
            Slip::Duplicate => 0.02,
        };
        match self {
            Self::Easy => usual * 0.3,
            Self::Usual => usual,
            Self::Bad => usual * if usual > 0.2 { 1.8 } else { 2.5 },
        }
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "easy" => Ok(Self::Easy),
            "usual" => Ok(Self::Usual),
            "bad" => Ok(Self::Bad),
            _ => Err(Error::refused(
                Kind::Invalid,
                "unknown-profile",
                format!("Không có mức sai sót “{text}”; chọn easy, usual hoặc bad."),
                format!("There is no profile “{text}”; choose easy, usual or bad."),
            )),
        }
    }
}
