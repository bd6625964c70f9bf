//! The log of a grant, and the fold over it. What can be computed from earlier entries and the clock is in no entry.

use base::{Text, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Terms;
use crate::model::{
    identifier::{ServiceId, SubsystemId},
    rights::{FieldMask, Grant, GrantId, GrantState},
};

/// Whose node it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// At the provider: what others ask of us. Here is the log.
    Incoming,
    /// At the consumer: what we ask of others. Here is a copy of it.
    Outgoing,
}

impl Side {
    /// The name for programs, in addresses and tables.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }

    /// Reads [`Side::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Incoming, Self::Outgoing]
            .into_iter()
            .find(|side| side.code() == code)
    }

    /// Who acts from there, for people.
    pub fn party(self) -> Text {
        match self {
            Self::Incoming => Text::new("Bên cung cấp", "Provider"),
            Self::Outgoing => Text::new("Bên khai thác", "Consumer"),
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// Full name; of the node itself, empty.
    pub name: String,
    /// Title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Agency code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agency: String,
}

/// One entry. Its number, its time and its order are the provider's node's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: i64,
    /// When the provider's node wrote it.
    pub at: Timestamp,
    /// From which side it came; none: the clock.
    pub side: Option<Side>,
    /// Who did it.
    pub who: Who,
    /// The order of the consumer that it carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Uuid>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The consumer asked.
    Requested {
        /// For what.
        terms: Terms,
        /// Why.
        reason: String,
        /// The grant that it goes on from.
        renews: Option<GrantId>,
        /// When the consumer's steward filed it.
        filed: Timestamp,
    },
    /// The provider wants to know more; its clock stands still.
    MoreAsked {
        /// What.
        question: String,
    },
    /// The consumer answered that.
    Supplemented {
        /// The answer.
        answer: String,
        /// What it asks for now, if that is something else.
        terms: Option<Terms>,
    },
    /// The provider agreed.
    Approved {
        /// To this.
        terms: Terms,
        /// What the consumer should know.
        note: String,
    },
    /// The provider refused, in writing and on a legal ground (Decree 194/2025/NĐ-CP).
    Refused {
        /// The provision of law.
        ground: String,
        /// Why.
        reason: String,
    },
    /// The consumer took its request back.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// The provider gave notice that it will suspend the grant.
    SuspensionSet {
        /// From this instant on.
        from: Timestamp,
        /// Why.
        reason: String,
        /// The ground in law for doing so at once: a security incident.
        incident: Option<String>,
    },
    /// The provider took the suspension back or ended it.
    Resumed {
        /// Why.
        reason: String,
    },
    /// One of the two gave notice that it ends the grant.
    EndSet {
        /// From this instant on.
        from: Timestamp,
        /// Why.
        reason: String,
    },
    /// The clock: it will soon be over.
    ExpiryNear,
    /// The clock: it is over.
    Over,
}

/// How far it has come, whatever the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Filed at the consumer; the provider's node has not answered yet.
    Filed,
    /// The provider's node did not take it.
    NotTaken,
    /// The provider has it.
    Requested,
    /// The consumer has to answer a question.
    MoreAsked,
    /// The provider refused.
    Refused,
    /// The consumer took it back.
    Withdrawn,
    /// The provider agreed.
    Approved,
}

impl Phase {
    /// The name in tables.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::NotTaken => "not-taken",
            Self::Requested => "requested",
            Self::MoreAsked => "more-asked",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Approved => "approved",
        }
    }
}

/// Where a grant stands at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Filed; the provider's node has not answered yet.
    Filed,
    /// The provider's node did not take it: it has no such service, or the request is not in order.
    NotTaken,
    /// Before the provider.
    Requested,
    /// Before the consumer, with a question.
    MoreAsked,
    /// Refused.
    Refused,
    /// Taken back.
    Withdrawn,
    /// Agreed, and not begun.
    NotYet,
    /// In force.
    Active,
    /// Suspended.
    Suspended,
    /// Its time is over, or one of the two ended it.
    Over,
}

impl Standing {
    /// All of them, in the order of a grant's life.
    pub const ALL: [Self; 10] = [
        Self::Filed,
        Self::NotTaken,
        Self::Requested,
        Self::MoreAsked,
        Self::Refused,
        Self::Withdrawn,
        Self::NotYet,
        Self::Active,
        Self::Suspended,
        Self::Over,
    ];

    /// The name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotYet => "not-yet",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Over => "over",
            Self::Filed => Phase::Filed.code(),
            Self::NotTaken => Phase::NotTaken.code(),
            Self::Requested => Phase::Requested.code(),
            Self::MoreAsked => Phase::MoreAsked.code(),
            Self::Refused => Phase::Refused.code(),
            Self::Withdrawn => Phase::Withdrawn.code(),
        }
    }

    /// Reads [`Standing::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Filed => Text::new("Đang gửi", "Being sent"),
            Self::NotTaken => Text::new("Nút bên cung cấp không nhận", "Not taken by the provider's node"),
            Self::Requested => Text::new("Chờ bên cung cấp trả lời", "Awaiting the provider"),
            Self::MoreAsked => Text::new("Chờ bên khai thác giải trình", "Awaiting the consumer"),
            Self::Refused => Text::new("Bị từ chối", "Refused"),
            Self::Withdrawn => Text::new("Đã rút", "Withdrawn"),
            Self::NotYet => Text::new("Chưa đến ngày hiệu lực", "Not in force yet"),
            Self::Active => Text::new("Đang hiệu lực", "In force"),
            Self::Suspended => Text::new("Tạm ngừng", "Suspended"),
            Self::Over => Text::new("Đã kết thúc", "Over"),
        }
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::NotTaken | Self::Refused | Self::Withdrawn | Self::Over)
    }
}

/// A suspension that was given notice of, or that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// From this instant on.
    pub from: Timestamp,
    /// Why.
    pub reason: String,
}

/// A grant as its log tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Which.
    pub id: GrantId,
    /// Who asks.
    pub consumer: SubsystemId,
    /// For what.
    pub service: ServiceId,
    /// How many entries it is the fold of; 0: none yet.
    pub seq: i64,
    /// The time of the last of them.
    pub last: Timestamp,
    /// How far it has come.
    pub phase: Phase,
    /// What is asked for.
    pub asked: Terms,
    /// Why.
    pub reason: String,
    /// The grant that it goes on from.
    pub renews: Option<GrantId>,
    /// What was agreed.
    pub agreed: Option<Terms>,
    /// A suspension.
    pub suspension: Option<Suspension>,
    /// Since when it is ended, or from when it will be.
    pub end: Option<Timestamp>,
    /// The clock has warned of the end.
    pub warned: bool,
    /// The clock has noted the end.
    pub over: bool,
}

/// A log that cannot be: its entries do not follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFlaw {
    /// The entry that cannot stand where it stands.
    pub seq: i64,
}

impl std::fmt::Display for LogFlaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "entry {} cannot follow those before it", self.seq)
    }
}

impl std::error::Error for LogFlaw {}

impl File {
    /// A request that the provider's node has not taken yet.
    pub fn filed(
        id: GrantId,
        consumer: SubsystemId,
        service: ServiceId,
        asked: Terms,
        reason: String,
        renews: Option<GrantId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            consumer,
            service,
            seq: 0,
            last: now,
            phase: Phase::Filed,
            asked,
            reason,
            renews,
            agreed: None,
            suspension: None,
            end: None,
            warned: false,
            over: false,
        }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`LogFlaw`] when it cannot follow those before it. Nothing has changed then.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), LogFlaw> {
        let flaw = LogFlaw { seq: entry.seq };
        if entry.seq != self.seq + 1 || (self.seq > 0 && entry.at < self.last) {
            return Err(flaw);
        }
        let (phase, side) = (self.phase, entry.side);
        let (consumer, provider) = (side == Some(Side::Outgoing), side == Some(Side::Incoming));
        let approved = phase == Phase::Approved && !self.over;
        match &entry.event {
            Event::Requested {
                terms, reason, renews, ..
            } if consumer && phase == Phase::Filed => {
                self.asked = terms.clone();
                self.reason = reason.clone();
                self.renews = *renews;
                self.phase = Phase::Requested;
            }
            Event::MoreAsked { .. } if provider && phase == Phase::Requested => self.phase = Phase::MoreAsked,
            Event::Supplemented { terms, .. } if consumer && phase == Phase::MoreAsked => {
                self.asked = terms.clone().unwrap_or_else(|| self.asked.clone());
                self.phase = Phase::Requested;
            }
            Event::Approved { terms, .. } if provider && phase == Phase::Requested => {
                self.agreed = Some(terms.clone());
                self.phase = Phase::Approved;
            }
            Event::Refused { .. } if provider && matches!(phase, Phase::Requested | Phase::MoreAsked) => {
                self.phase = Phase::Refused;
            }
            Event::Withdrawn { .. } if consumer && matches!(phase, Phase::Requested | Phase::MoreAsked) => {
                self.phase = Phase::Withdrawn;
            }
            Event::SuspensionSet { from, reason, .. } if provider && approved && self.suspension.is_none() => {
                self.suspension = Some(Suspension {
                    from: *from,
                    reason: reason.clone(),
                });
            }
            Event::Resumed { .. } if provider && approved && self.suspension.is_some() => self.suspension = None,
            Event::EndSet { from, .. } if (provider || consumer) && approved => {
                let from = self.end.map_or(*from, |end| end.min(*from));
                self.end = Some(from);
            }
            Event::ExpiryNear if side.is_none() && approved && !self.warned => self.warned = true,
            Event::Over if side.is_none() && approved => self.over = true,
            _ => return Err(flaw),
        }
        (self.seq, self.last) = (entry.seq, entry.at);
        Ok(())
    }

    /// When it is over: its last day, or the day from which it is ended. None where nothing was agreed.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let to = self.agreed.as_ref()?.to;
        Some(self.end.map_or(to, |end| end.min(to)))
    }

    /// Where it stands at an instant.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let (from, ends_at) = match (self.phase, &self.agreed, self.ends_at()) {
            (Phase::Filed, ..) => return Standing::Filed,
            (Phase::NotTaken, ..) => return Standing::NotTaken,
            (Phase::Requested, ..) => return Standing::Requested,
            (Phase::MoreAsked, ..) => return Standing::MoreAsked,
            (Phase::Withdrawn, ..) => return Standing::Withdrawn,
            (Phase::Approved, Some(agreed), Some(ends_at)) => (agreed.from, ends_at),
            (Phase::Refused | Phase::Approved, ..) => return Standing::Refused,
        };
        if now >= ends_at {
            Standing::Over
        } else if self
            .suspension
            .as_ref()
            .is_some_and(|suspension| suspension.from <= now)
        {
            Standing::Suspended
        } else if now < from {
            Standing::NotYet
        } else {
            Standing::Active
        }
    }

    /// What the gateway judges calls by, until [`File::changes_at`]: a suspension to come and an end to come cut its time
    /// short, so that no call passes after it even when nobody looks again.
    pub fn grant(&self, now: Timestamp) -> Grant {
        let terms = self.agreed.as_ref().unwrap_or(&self.asked);
        let ends_at = self.ends_at().unwrap_or(terms.to);
        let ended = self.end.is_some_and(|end| end <= now && end < terms.to);
        let suspended_from = self.suspension.as_ref().map(|suspension| suspension.from);
        Grant {
            id: self.id,
            consumer: self.consumer.clone(),
            service: self.service.clone(),
            methods: terms.methods.clone(),
            path: terms.path.clone(),
            purposes: terms.purposes.clone(),
            legal_basis: terms.legal_basis.clone(),
            from: terms.from,
            to: suspended_from
                .filter(|from| *from > now)
                .map_or(ends_at, |from| from.min(ends_at)),
            rate: terms.rate,
            mask: terms.fields.clone().map(FieldMask::new),
            state: match self.standing(now) {
                Standing::Filed | Standing::Requested | Standing::MoreAsked => GrantState::Requested,
                Standing::NotTaken | Standing::Refused => GrantState::Refused,
                Standing::Withdrawn => GrantState::Ended,
                Standing::Suspended => GrantState::Suspended,
                Standing::Over if ended => GrantState::Ended,
                // The time judges these.
                Standing::Over | Standing::NotYet | Standing::Active => GrantState::Active,
            },
        }
    }

    /// The next instant at which [`File::grant`] is something else, by the clock alone.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let suspended_from = self.suspension.as_ref().map(|suspension| suspension.from);
        [suspended_from, self.end]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }
}
