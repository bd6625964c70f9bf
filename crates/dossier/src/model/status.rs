//! The four axes of a dossier, and the ten status codes of the national portal that they map to.

use base::Text;
use serde::{Deserialize, Serialize};

/// The professional axis: where the decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Filed, not yet looked at.
    Submitted,
    /// Papers are asked for before it could be received.
    SupplementBeforeReceipt,
    /// Received; nobody has begun.
    Received,
    /// In hand.
    Processing,
    /// Papers are asked for; the clock stands.
    AwaitingSupplement,
    /// Not received.
    Refused,
    /// Taken back by the applicant.
    Withdrawn,
    /// Handling stopped.
    Stopped,
    /// Decided in favour.
    Approved,
    /// Decided against, with grounds.
    Rejected,
}

/// The money axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Money {
    /// Nothing to pay.
    None,
    /// To be paid.
    Due,
    /// Paid in full.
    Paid,
    /// Waived with a legal ground.
    Waived,
}

/// The delivery axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// No result yet.
    None,
    /// The result can be fetched.
    Ready,
    /// Handed over.
    Delivered,
}

/// The synchronisation axis: whether the national portal knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sync {
    /// This node reports to no portal.
    NotNeeded,
    /// To be reported.
    Pending,
    /// The portal has confirmed.
    Done,
    /// The portal refused or does not answer.
    Failed,
}

/// The status codes of the national portal (TrangThaiHoSo).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum NationalStatus {
    /// 1.
    New = 1,
    /// 2.
    Received = 2,
    /// 3.
    NotReceived = 3,
    /// 4.
    Processing = 4,
    /// 5.
    SupplementRequested = 5,
    /// 6.
    PaymentRequested = 6,
    /// 7.
    Withdrawn = 7,
    /// 8.
    Stopped = 8,
    /// 9.
    Decided = 9,
    /// 10.
    Returned = 10,
}

/// How reports count a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bucket {
    /// Not counted yet.
    Waiting,
    /// Đang giải quyết.
    InProgress,
    /// Tạm dừng.
    Paused,
    /// Đã giải quyết.
    Done,
    /// Closed without handling.
    Closed,
}

impl NationalStatus {
    /// All ten, in order.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Received,
        Self::NotReceived,
        Self::Processing,
        Self::SupplementRequested,
        Self::PaymentRequested,
        Self::Withdrawn,
        Self::Stopped,
        Self::Decided,
        Self::Returned,
    ];

    /// The code, 1 to 10.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name on the portal.
    pub fn label(self) -> Text {
        match self {
            Self::New => Text::new("Mới đăng ký", "Filed"),
            Self::Received => Text::new("Được tiếp nhận", "Received"),
            Self::NotReceived => Text::new("Không được tiếp nhận", "Not received"),
            Self::Processing => Text::new("Đang xử lý", "In progress"),
            Self::SupplementRequested => Text::new("Yêu cầu bổ sung giấy tờ", "Papers requested"),
            Self::PaymentRequested => Text::new("Yêu cầu thực hiện nghĩa vụ tài chính", "Payment requested"),
            Self::Withdrawn => Text::new("Công dân yêu cầu rút hồ sơ", "Withdrawn by the applicant"),
            Self::Stopped => Text::new("Dừng xử lý", "Handling stopped"),
            Self::Decided => Text::new("Đã xử lý xong", "Decided"),
            Self::Returned => Text::new("Đã trả kết quả", "Result returned"),
        }
    }

    /// The bucket of the reports.
    pub const fn bucket(self) -> Bucket {
        match self {
            Self::New => Bucket::Waiting,
            Self::Received | Self::Processing => Bucket::InProgress,
            Self::SupplementRequested | Self::PaymentRequested | Self::Stopped => Bucket::Paused,
            Self::Withdrawn | Self::Decided | Self::Returned => Bucket::Done,
            Self::NotReceived => Bucket::Closed,
        }
    }

    /// Whether the applicant is to do something: send what is asked for, pay, fetch the result.
    pub const fn waits_for_applicant(self) -> bool {
        matches!(self, Self::SupplementRequested | Self::PaymentRequested | Self::Decided)
    }

    /// The status that the four axes amount to. Total: every combination has one.
    pub const fn of(decision: Decision, money: Money, delivery: Delivery, payment_gates: bool) -> Self {
        match decision {
            Decision::Submitted => Self::New,
            Decision::SupplementBeforeReceipt | Decision::AwaitingSupplement => Self::SupplementRequested,
            Decision::Refused => Self::NotReceived,
            Decision::Withdrawn => Self::Withdrawn,
            Decision::Stopped => Self::Stopped,
            Decision::Received | Decision::Processing if payment_gates && matches!(money, Money::Due) => {
                Self::PaymentRequested
            }
            Decision::Received => Self::Received,
            Decision::Processing => Self::Processing,
            Decision::Approved | Decision::Rejected => match delivery {
                Delivery::Delivered => Self::Returned,
                Delivery::None | Delivery::Ready => Self::Decided,
            },
        }
    }
}

impl From<NationalStatus> for u8 {
    fn from(status: NationalStatus) -> Self {
        status.code()
    }
}

impl TryFrom<u8> for NationalStatus {
    type Error = String;
    fn try_from(code: u8) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|s| s.code() == code)
            .ok_or_else(|| format!("no national status {code}"))
    }
}

impl Decision {
    /// Whether nothing more is to be decided.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Withdrawn | Self::Stopped | Self::Approved | Self::Rejected
        )
    }

    /// The name for programs, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::SupplementBeforeReceipt => "supplement-before-receipt",
            Self::Received => "received",
            Self::Processing => "processing",
            Self::AwaitingSupplement => "awaiting-supplement",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

impl Money {
    /// The name for programs, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Due => "due",
            Self::Paid => "paid",
            Self::Waived => "waived",
        }
    }
}

impl Delivery {
    /// The name for programs, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ready => "ready",
            Self::Delivered => "delivered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the national portal, written out once more.
    #[test]
    fn every_combination_has_the_status_of_the_table() {
        use Decision as D;
        let decisions = [
            (D::Submitted, 1),
            (D::SupplementBeforeReceipt, 5),
            (D::Received, 2),
            (D::Processing, 4),
            (D::AwaitingSupplement, 5),
            (D::Refused, 3),
            (D::Withdrawn, 7),
            (D::Stopped, 8),
            (D::Approved, 9),
            (D::Rejected, 9),
        ];
        for (decision, code) in decisions {
            for money in [Money::None, Money::Due, Money::Paid, Money::Waived] {
                for delivery in [Delivery::None, Delivery::Ready, Delivery::Delivered] {
                    for gates in [false, true] {
                        let waits = gates && money == Money::Due && matches!(decision, D::Received | D::Processing);
                        let returned = matches!(decision, D::Approved | D::Rejected) && delivery == Delivery::Delivered;
                        let expected = if waits {
                            6
                        } else if returned {
                            10
                        } else {
                            code
                        };
                        assert_eq!(NationalStatus::of(decision, money, delivery, gates).code(), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn codes_survive_json() {
        for status in NationalStatus::ALL {
            let json = serde_json::to_string(&status).expect("writes");
            assert_eq!(serde_json::from_str::<NationalStatus>(&json).expect("reads"), status);
        }
        assert!(serde_json::from_str::<NationalStatus>("11").is_err());
    }
}
