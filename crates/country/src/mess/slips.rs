//! The kinds of mistake.

use std::fmt;

/// One kind of mistake in a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Slip {
    /// The name as it was typed by Telex, with the method switched off: `Nguyeenx`.
    Telex,
    /// The same by VNI: `Nguye6n4`.
    Vni,
    /// The name without any mark.
    NoMarks,
    /// `đ` as `d`, other marks kept.
    PlainD,
    /// The tone on the other vowel: `Hoà`.
    TonePlace,
    /// Letters and marks apart (NFD).
    Decomposed,
    /// Given name first.
    Order,
    /// Middle name as a letter or left out.
    ShortMiddle,
    /// A letter missing, doubled, changed or two exchanged.
    Typo,
    /// Written as it sounds: hỏi for ngã, i for y, x for s, ch for tr.
    Sound,
    /// The name that people use instead of the one in the papers.
    OtherName,
    /// Day and month exchanged.
    DayMonth,
    /// 1 January of the right year.
    DefaultBirthday,
    /// One year off.
    YearOff,
    /// The other sex.
    Sex,
    /// One digit of the number wrong.
    Digit,
    /// Two neighbouring digits of the number exchanged.
    Transposed,
    /// Zeros at the beginning of the number lost.
    LeadingZero,
    /// The 9-digit card in place of the personal number.
    OldCard,
    /// No number.
    NoNumber,
    /// A former address.
    FormerAddress,
    /// The right house in the units before 1 July 2025.
    OldUnits,
    /// No address.
    NoAddress,
    /// The telephone of somebody else in the household.
    OthersPhone,
    /// No telephone though there is one.
    NoPhone,
    /// No names of the parents.
    NoParents,
    /// No day of birth, only the year.
    YearOnly,
    /// A second copy of the same person in the same agency.
    Duplicate,
}

impl Slip {
    /// All, in order.
    pub const ALL: [Self; 28] = [
        Self::Telex,
        Self::Vni,
        Self::NoMarks,
        Self::PlainD,
        Self::TonePlace,
        Self::Decomposed,
        Self::Order,
        Self::ShortMiddle,
        Self::Typo,
        Self::Sound,
        Self::OtherName,
        Self::DayMonth,
        Self::DefaultBirthday,
        Self::YearOff,
        Self::Sex,
        Self::Digit,
        Self::Transposed,
        Self::LeadingZero,
        Self::OldCard,
        Self::NoNumber,
        Self::FormerAddress,
        Self::OldUnits,
        Self::NoAddress,
        Self::OthersPhone,
        Self::NoPhone,
        Self::NoParents,
        Self::YearOnly,
        Self::Duplicate,
    ];

    /// A stable name for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Telex => "telex",
            Self::Vni => "vni",
            Self::NoMarks => "no-marks",
            Self::PlainD => "plain-d",
            Self::TonePlace => "tone-place",
            Self::Decomposed => "decomposed",
            Self::Order => "order",
            Self::ShortMiddle => "short-middle",
            Self::Typo => "typo",
            Self::Sound => "sound",
            Self::OtherName => "other-name",
            Self::DayMonth => "day-month",
            Self::DefaultBirthday => "default-birthday",
            Self::YearOff => "year-off",
            Self::Sex => "sex",
            Self::Digit => "digit",
            Self::Transposed => "transposed",
            Self::LeadingZero => "leading-zero",
            Self::OldCard => "old-card",
            Self::NoNumber => "no-number",
            Self::FormerAddress => "former-address",
            Self::OldUnits => "old-units",
            Self::NoAddress => "no-address",
            Self::OthersPhone => "others-phone",
            Self::NoPhone => "no-phone",
            Self::NoParents => "no-parents",
            Self::YearOnly => "year-only",
            Self::Duplicate => "duplicate",
        }
    }
}

/// The mistakes in one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slips(u32);

impl Slips {
    /// Notes one.
    pub const fn add(&mut self, slip: Slip) {
        self.0 |= 1 << slip as u8;
    }

    /// Whether it is there.
    pub const fn has(self, slip: Slip) -> bool {
        self.0 & 1 << slip as u8 != 0
    }
}

/// Their names with spaces between.
impl fmt::Display for Slips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, slip) in Slip::ALL.into_iter().filter(|slip| self.has(*slip)).enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(slip.code())?;
        }
        Ok(())
    }
}
