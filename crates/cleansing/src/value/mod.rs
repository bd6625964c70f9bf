//! Each sort of value, written one way.
//!
//! Every function takes what stands in the file and gives either the standard form with the steps that led to it and what is
//! doubtful about it, or a refusal with proposals. A proposal is for a person to accept: it is never taken by itself.
//! Standardising a standard form changes nothing.

mod contact;
mod date;
mod identity;
mod name;
mod number;
mod people;
mod text;

use base::{Text, codes::CodeError};

pub use contact::{email, phone};
pub use date::{DateOptions, PartialDate, Serial, date};
pub use identity::{IdNumber, id_number, tax_code};
pub use name::{Name, name, name_with};
pub use number::{Decimal, money, number, stored_money, stored_number};
pub use people::{Ethnicity, ethnicity, nationality, sex};
pub use text::{TonePlace, text, text_with};

/// What was done to a value on the way to its standard form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// White space, invisible characters and stray punctuation taken out.
    Spaces,
    /// Marks composed with their letters (NFC).
    Composed,
    /// Letters of other alphabets replaced by the ones they look like.
    LookAlikes,
    /// The tone mark moved to its one place.
    Tone,
    /// Capitals and small letters as they are written.
    Case,
    /// A form of address or a degree taken off a name.
    Title,
    /// A number written without its marks of thousands, in the notation with a point.
    Notation,
    /// The national prefix written as +84.
    CountryCode,
    /// A mobile prefix of 11-digit numbers replaced by its successor (Decision 798/QĐ-BTTTT of 2018).
    MobilePrefix,
    /// An area code replaced by its successor (Decision 2036/QĐ-BTTTT of 2016, in 2017).
    AreaCode,
    /// A name or spelling replaced by its code.
    Coded,
    /// A date written as year, month, day.
    DateForm,
    /// A serial number of a spreadsheet turned into a date.
    SerialDate,
}

impl Step {
    /// What was done, for the report.
    pub fn text(self) -> Text {
        match self {
            Self::Spaces => Text::new("bỏ khoảng trắng, ký tự thừa", "stray spaces and signs removed"),
            Self::Composed => Text::new("ghép dấu theo Unicode dựng sẵn", "marks composed"),
            Self::LookAlikes => Text::new("thay chữ cái ngoại lai trông giống", "look-alike letters replaced"),
            Self::Tone => Text::new("đặt lại vị trí dấu thanh", "tone mark moved"),
            Self::Case => Text::new("viết hoa đúng quy tắc", "capitals put right"),
            Self::Title => Text::new("bỏ từ xưng hô, học vị", "form of address removed"),
            Self::Notation => Text::new("viết lại số", "number rewritten"),
            Self::CountryCode => Text::new("thêm mã quốc gia +84", "written with +84"),
            Self::MobilePrefix => Text::new("đổi mã mạng 11 số thành 10 số", "11-digit mobile prefix replaced"),
            Self::AreaCode => Text::new("đổi mã vùng năm 2017", "area code of 2017"),
            Self::Coded => Text::new("thay bằng mã", "replaced by a code"),
            Self::DateForm => Text::new("viết lại ngày tháng", "date rewritten"),
            Self::SerialDate => Text::new(
                "đổi số thứ tự ngày của bảng tính",
                "spreadsheet serial turned into a date",
            ),
        }
    }
}

/// A value in its standard form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standard<T> {
    /// The standard form.
    pub value: T,
    /// What was changed, in this order; empty where the text already was the standard form.
    pub steps: Vec<Step>,
    /// What a person should look at. The value stands until then.
    pub doubts: Vec<CodeError>,
    /// What else the text may mean.
    pub alternatives: Vec<T>,
}

impl<T> Standard<T> {
    /// A value that needs no more said.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            steps: Vec::new(),
            doubts: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    /// How far it may be relied on.
    pub const fn certainty(&self) -> Certainty {
        match (self.doubts.is_empty(), self.alternatives.is_empty()) {
            (true, true) => Certainty::Certain,
            (true, false) => Certainty::Likely,
            (false, _) => Certainty::Doubtful,
        }
    }

    fn doubt(mut self, doubt: CodeError) -> Self {
        self.doubts.push(doubt);
        self
    }

    fn step(mut self, step: Step, changed: bool) -> Self {
        if changed && !self.steps.contains(&step) {
            self.steps.push(step);
        }
        self
    }

    /// The same with another value.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> Standard<U> {
        Standard {
            value: f(self.value),
            steps: self.steps,
            doubts: self.doubts,
            alternatives: self.alternatives.into_iter().map(f).collect(),
        }
    }
}

/// How far a standard form may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// It can mean nothing else.
    Certain,
    /// The usual meaning; there are alternatives.
    Likely,
    /// A person should look.
    Doubtful,
}

/// A value that has no standard form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused<T> {
    /// Why, and what to do.
    pub reason: CodeError,
    /// What it may have been. For a person to choose from, even if it is only one.
    pub proposals: Vec<T>,
}

impl<T> From<CodeError> for Refused<T> {
    fn from(reason: CodeError) -> Self {
        Self {
            reason,
            proposals: Vec::new(),
        }
    }
}

impl<T> Refused<T> {
    /// The same with other proposals.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> Refused<U> {
        Refused {
            reason: self.reason,
            proposals: self.proposals.into_iter().map(f).collect(),
        }
    }
}

/// What a standardising function gives.
pub type Outcome<T> = Result<Standard<T>, Refused<T>>;

fn lost_zero() -> CodeError {
    CodeError::new(
        "lost-zero",
        "Thiếu chữ số ở đầu, có thể bảng tính đã bỏ số 0. Đối chiếu với giấy tờ gốc trước khi nhận số đề nghị.",
        "Digits are missing at the front; a spreadsheet may have dropped zeros. Compare with the paper before accepting the proposal.",
    )
}

fn lost_digits() -> CodeError {
    CodeError::new(
        "lost-digits",
        "Số đã bị bảng tính chuyển sang dạng lũy thừa, các chữ số cuối không còn. Lấy lại từ nguồn gốc.",
        "A spreadsheet turned the number into powers of ten and its last digits are gone. Fetch it from the source again.",
    )
}

/// The digits of a number that people group with spaces, dots or hyphens, or that a spreadsheet wrote as `123.0`.
/// `None` where there is anything else, or nothing.
fn plain_digits(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('\'').trim();
    let whole = text
        .strip_suffix(".0")
        .filter(|head| head.len() >= 8 && head.bytes().all(|b| b.is_ascii_digit()))
        .unwrap_or(text);
    let mut digits = String::with_capacity(whole.len());
    for c in whole.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '０'..='９' => digits.extend(char::from_digit(u32::from(c) - u32::from('０'), 10)),
            '.' | '-' | '–' => {}
            c if c.is_whitespace() || is_invisible(c) => {}
            _ => return None,
        }
    }
    Some(digits).filter(|d| !d.is_empty())
}

/// `9.12346E+08`: what a spreadsheet shows of a long number.
fn is_powers_of_ten(text: &str) -> bool {
    let upper = text.trim().to_ascii_uppercase();
    upper.split_once("E+").is_some_and(|(head, tail)| {
        !head.is_empty()
            && head.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
            && !tail.is_empty()
            && tail.bytes().all(|b| b.is_ascii_digit())
    })
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{202a}'..='\u{202e}')
}
