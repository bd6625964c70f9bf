//! How a subscription stands and where it begins.

use base::Text;

use super::Cursor;

/// How a subscription stands. Only an approved one lets its subscriber read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(as = SubscriptionState, rename_all = "lowercase")]
pub enum State {
    /// Waiting for the owner's steward.
    Requested,
    /// In force.
    Approved,
    /// Refused, with a reason.
    Refused,
    /// Stopped for a time by the owner's steward.
    Paused,
    /// Given up by the subscriber.
    Cancelled,
}

impl State {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Approved,
        Self::Refused,
        Self::Paused,
        Self::Cancelled,
    ];

    /// The name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`State::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Requested => Text::new("Chờ phê duyệt", "Waiting for approval"),
            Self::Approved => Text::new("Đang hiệu lực", "In force"),
            Self::Refused => Text::new("Bị từ chối", "Refused"),
            Self::Paused => Text::new("Tạm dừng", "Paused"),
            Self::Cancelled => Text::new("Đã hủy", "Cancelled"),
        }
    }

    /// Whether a steward may move it there.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Requested, Self::Approved | Self::Refused)
                | (Self::Approved, Self::Paused)
                | (Self::Paused, Self::Approved)
        )
    }
}

/// Where a subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With what is published after the approval.
    Now,
    /// With the oldest event that is kept.
    Beginning,
    /// After this.
    After(Cursor),
}
