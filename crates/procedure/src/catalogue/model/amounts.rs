//! Time limits and fees.

use base::Text;
use serde::{Deserialize, Serialize};

use super::{Bilingual, is_blank};

/// The unit of a published time limit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Working days (ngày làm việc).
    WorkingDay,
    /// Working hours (giờ làm việc).
    WorkingHour,
    /// Days (ngày).
    Day,
    /// Hours (giờ).
    Hour,
    /// Weeks (tuần).
    Week,
    /// Months (tháng).
    Month,
    /// Years (năm).
    Year,
    /// The source says `OTHER`: only the text, if any, tells.
    Other,
    /// The source says nothing.
    #[default]
    Unknown,
}

impl Unit {
    /// Reads the published word, or the short form of our own data (`wd`).
    pub fn of(published: &str) -> Option<Self> {
        Some(match published.trim().to_ascii_lowercase().replace('_', "-").as_str() {
            "working-day" | "wd" => Self::WorkingDay,
            "working-hour" | "wh" => Self::WorkingHour,
            "day" | "d" => Self::Day,
            "hour" | "h" => Self::Hour,
            "week" | "w" => Self::Week,
            "month" | "mo" => Self::Month,
            "year" | "y" => Self::Year,
            "other" => Self::Other,
            "" | "unknown" => Self::Unknown,
            _ => return None,
        })
    }

    /// Whether a quantity of it means something.
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Other | Self::Unknown)
    }

    /// The word after the number.
    pub fn label(self, one: bool) -> Text {
        let (vi, single, plural) = match self {
            Self::WorkingDay => ("ngày làm việc", "working day", "working days"),
            Self::WorkingHour => ("giờ làm việc", "working hour", "working hours"),
            Self::Day => ("ngày", "day", "days"),
            Self::Hour => ("giờ", "hour", "hours"),
            Self::Week => ("tuần", "week", "weeks"),
            Self::Month => ("tháng", "month", "months"),
            Self::Year => ("năm", "year", "years"),
            Self::Other => ("(đơn vị khác)", "(another unit)", "(another unit)"),
            Self::Unknown => ("(chưa rõ đơn vị)", "(unit not stated)", "(unit not stated)"),
        };
        Text::new(vi, if one { single } else { plural })
    }
}

/// A time limit (thời hạn giải quyết) as published.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimeLimit {
    /// The number; halves and quarters of a working day occur.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<f64>,
    /// Its unit.
    #[serde(default)]
    pub unit: Unit,
    /// What the source wrote in words, where it wrote words.
    #[serde(default, skip_serializing_if = "is_blank")]
    #[schema(value_type = Bilingual)]
    pub text: Text,
}

impl TimeLimit {
    /// Number and unit, when they can be relied on: a positive number of a known unit.
    pub fn known(&self) -> Option<(f64, Unit)> {
        self.qty
            .filter(|q| *q > 0.0 && self.unit.is_known())
            .map(|q| (q, self.unit))
    }

    /// `20 ngày` / `20 days`; for a limit that the source leaves open, what it wrote.
    pub fn display(&self) -> Option<Text> {
        let (qty, unit) = self.known()?;
        let label = unit.label((qty - 1.0).abs() < f64::EPSILON);
        Some(Text::new(
            format!("{} {}", number(qty, ','), label.vi),
            format!("{} {}", number(qty, '.'), label.en),
        ))
    }
}

/// A number with the decimal mark of a language: `7,5`.
pub fn number(qty: f64, mark: char) -> String {
    let text = format!("{qty}");
    if mark == '.' { text } else { text.replace('.', ",") }
}

/// What sort of payment it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeeKind {
    /// Phí: pays for a service, Law on Fees and Charges 97/2015/QH13 art. 3.1.
    #[default]
    Fee,
    /// Lệ phí: a fixed charge for a state act, art. 3.2.
    Charge,
    /// Giá: a price.
    Price,
}

impl FeeKind {
    /// Reads the published word.
    pub fn of(published: &str) -> Option<Self> {
        match published.trim().to_ascii_uppercase().as_str() {
            "FEE" => Some(Self::Fee),
            "SERVICE_FEE" | "CHARGE" => Some(Self::Charge),
            "PRICE_LEVEL" | "PRICE" => Some(Self::Price),
            _ => None,
        }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Fee => Text::new("Phí", "Fee"),
            Self::Charge => Text::new("Lệ phí", "Charge"),
            Self::Price => Text::new("Giá dịch vụ", "Price"),
        }
    }
}

/// How far a published amount can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Qualifier {
    /// This amount.
    Fixed,
    /// Nothing is to be paid.
    Free,
    /// The People's Council or Committee of the province sets it.
    SetByProvince,
    /// The amount is most likely off by a factor of 1,000, or not in đồng.
    SuspiciousScale,
    /// The source does not tell, or contradicts itself: only its text can be shown.
    #[default]
    Unknown,
}

impl Qualifier {
    /// Reads the name used in data.
    pub fn of(text: &str) -> Option<Self> {
        Some(match text {
            "fixed" => Self::Fixed,
            "free" => Self::Free,
            "set-by-province" => Self::SetByProvince,
            "suspicious-scale" => Self::SuspiciousScale,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

/// A fee as published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fee {
    /// Fee, charge or price.
    #[serde(default)]
    pub kind: FeeKind,
    /// The number, in đồng, as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// The words beside it.
    #[serde(default, skip_serializing_if = "is_blank")]
    #[schema(value_type = Bilingual)]
    pub text: Text,
    /// How far the number can be relied on.
    #[serde(default)]
    pub qualifier: Qualifier,
}

/// An amount with its thousands grouped.
pub fn grouped(amount: i64, mark: char) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if amount < 0 {
        out.push('-');
    }
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(digit);
    }
    out
}
