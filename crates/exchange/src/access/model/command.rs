//! What may be added to the log, by whom, and when. A decision gives one event or every reason against it.

use base::{Error, Kind, Problems, Result, Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    CommandKind, Entry, Event, File, Law, Side, Terms, Who,
    text::{LONG, SHORT, words},
};
use crate::model::{
    identifier::{ServiceId, SubsystemId},
    rights::GrantId,
};

/// What one of the two wants to do with a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// The consumer answers a question.
    Supplement {
        /// The answer.
        answer: String,
        /// What it asks for now, if that is something else.
        terms: Option<Terms>,
    },
    /// The consumer takes its request back.
    Withdraw {
        /// Why.
        reason: String,
    },
    /// The provider wants to know more.
    AskMore {
        /// What.
        question: String,
    },
    /// The provider agrees, to what was asked or to less.
    Approve {
        /// To what.
        terms: Terms,
        /// What the consumer should know.
        note: String,
    },
    /// The provider refuses.
    Refuse {
        /// The provision of law.
        ground: String,
        /// Why.
        reason: String,
    },
    /// The provider suspends.
    Suspend {
        /// From this day on; none: at once.
        from: Option<Date>,
        /// Why.
        reason: String,
        /// The ground for doing so without notice: a security incident.
        incident: Option<String>,
    },
    /// The provider takes a suspension back.
    Resume {
        /// Why.
        reason: String,
    },
    /// One of the two ends the grant.
    End {
        /// From this day on; none: at once.
        from: Option<Date>,
        /// Why.
        reason: String,
    },
}

/// A new request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What is asked for.
    pub terms: Terms,
    /// Why.
    pub reason: String,
    /// The grant that it goes on from.
    pub renews: Option<GrantId>,
}

/// What the consumer's node tells the provider's: once, under its id, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Which order.
    pub id: Uuid,
    /// About which grant; the consumer's node gives a new one its id.
    pub grant: GrantId,
    /// Who asks.
    pub consumer: SubsystemId,
    /// For what.
    pub service: ServiceId,
    /// When the steward gave it.
    pub at: Timestamp,
    /// Who.
    pub who: Who,
    /// A new request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// Something to do with one that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
}

impl Request {
    /// Everything that is wrong with it, whatever has happened before.
    pub fn problems(&self, now: Timestamp) -> Problems {
        let mut problems = self.terms.problems();
        if self.terms.to <= now {
            problems.add(
                "already-over",
                "to",
                "Ngày kết thúc đã qua.",
                "The last day is over already.",
            );
        }
        check_reason(&self.reason, &mut problems);
        problems
    }
}

/// What is wrong with the reason of a request.
pub fn check_reason(reason: &str, problems: &mut Problems) {
    let required = Some((
        "Nói rõ vì sao cần dữ liệu này và dùng vào việc gì.",
        "Say why the data is needed and what for.",
    ));
    words(reason, LONG, required, "reason", problems);
}

impl Who {
    /// What is wrong with it, when it comes from another node.
    fn check(&self, problems: &mut Problems) {
        let required = Some(("Thiếu tên người thực hiện.", "The name of who acts is missing."));
        words(&self.name, SHORT, required, "who.name", problems);
        words(&self.title, SHORT, None, "who.title", problems);
        words(&self.agency, SHORT, None, "who.agency", problems);
    }
}

/// The first entry of a log: a request that reached the provider's node.
///
/// # Errors
/// Everything that is wrong with it.
pub fn open(order: &Order, request: &Request, now: Timestamp) -> Result<(File, Entry)> {
    let mut problems = request.problems(now);
    order.who.check(&mut problems);
    problems.into_result()?;
    let entry = Entry {
        seq: 1,
        at: now,
        side: Some(Side::Outgoing),
        who: order.who.clone(),
        order: Some(order.id),
        event: Event::Requested {
            terms: request.terms.clone(),
            reason: request.reason.trim().to_owned(),
            renews: request.renews,
            filed: order.at,
        },
    };
    let mut file = File::filed(
        order.grant,
        order.consumer.clone(),
        order.service.clone(),
        request.terms.clone(),
        request.reason.clone(),
        request.renews,
        now,
    );
    file.apply(&entry).map_err(Error::internal)?;
    Ok((file, entry))
}

/// What a command comes to, as things stand.
///
/// # Errors
/// `Forbidden` for the other side's commands, `Conflict` when it no longer can be, `Invalid` with everything that is wrong.
pub fn decide(file: &File, command: &Command, side: Side, who: &Who, now: Timestamp, law: &Law) -> Result<Event> {
    let (kind, standing) = (command.kind(), file.standing(now));
    if !kind.is_of(side) {
        return Err(Error::forbidden());
    }
    if !kind.fits(file, standing) {
        let label = standing.label();
        return Err(Error::refused(
            Kind::Conflict,
            "not-now",
            format!("Không thực hiện được khi quyền truy cập ở tình trạng “{}”.", label.vi),
            format!("This cannot be done while the grant stands at “{}”.", label.en),
        ));
    }
    let mut problems = Problems::new();
    who.check(&mut problems);
    let event = command.event(file, side, now, law, &mut problems)?;
    problems.into_result().map(|()| event)
}

impl Command {
    /// What sort it is.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Supplement { .. } => CommandKind::Supplement,
            Self::Withdraw { .. } => CommandKind::Withdraw,
            Self::AskMore { .. } => CommandKind::AskMore,
            Self::Approve { .. } => CommandKind::Approve,
            Self::Refuse { .. } => CommandKind::Refuse,
            Self::Suspend { .. } => CommandKind::Suspend,
            Self::Resume { .. } => CommandKind::Resume,
            Self::End { .. } => CommandKind::End,
        }
    }

    fn event(&self, file: &File, side: Side, now: Timestamp, law: &Law, problems: &mut Problems) -> Result<Event> {
        let why = Some(("Ghi lý do.", "Give the reason."));
        Ok(match self {
            Self::Supplement { answer, terms } => {
                if let Some(terms) = terms {
                    problems.extend(terms.problems());
                }
                let required = Some(("Viết câu trả lời.", "Write the answer."));
                Event::Supplemented {
                    answer: words(answer, LONG, required, "answer", problems),
                    terms: terms.clone(),
                }
            }
            Self::Withdraw { reason } => Event::Withdrawn {
                reason: words(reason, LONG, why, "reason", problems),
            },
            Self::AskMore { question } => {
                let required = Some(("Nêu rõ cần bổ sung điều gì.", "Say what is missing."));
                Event::MoreAsked {
                    question: words(question, LONG, required, "question", problems),
                }
            }
            Self::Approve { terms, note } => {
                problems.extend(terms.problems());
                problems.extend(terms.beyond(&file.asked));
                if terms.to <= now {
                    problems.add(
                        "already-over",
                        "to",
                        "Ngày kết thúc đã qua.",
                        "The last day is over already.",
                    );
                }
                Event::Approved {
                    terms: terms.clone(),
                    note: words(note, LONG, None, "note", problems),
                }
            }
            Self::Refuse { ground, reason } => {
                let required = Some((
                    "Ghi căn cứ pháp lý của việc từ chối (Nghị định 194/2025/NĐ-CP).",
                    "Give the legal ground of the refusal (Decree 194/2025/NĐ-CP).",
                ));
                Event::Refused {
                    ground: words(ground, LONG, required, "ground", problems),
                    reason: words(reason, LONG, why, "reason", problems),
                }
            }
            Self::Suspend { from, reason, incident } => {
                let required = Some((
                    "Ghi căn cứ của việc tạm ngừng ngay: sự cố an toàn thông tin nào, theo quy định nào.",
                    "Give the ground for doing so at once: which security incident, by which provision.",
                ));
                let incident = incident
                    .as_ref()
                    .map(|ground| words(ground, LONG, required, "incident", problems));
                let from = match incident {
                    Some(_) => now,
                    None => after_notice(*from, now, law, problems)?,
                };
                Event::SuspensionSet {
                    from,
                    reason: words(reason, LONG, why, "reason", problems),
                    incident,
                }
            }
            Self::Resume { reason } => Event::Resumed {
                reason: words(reason, LONG, why, "reason", problems),
            },
            Self::End { from, reason } => {
                let notice = side == Side::Incoming && law.clocks().end_needs_notice;
                let from = match from {
                    _ if notice => after_notice(*from, now, law, problems)?,
                    Some(day) => Timestamp::from_legal(day.at(0, 0, 0, 0)).max(now),
                    None => now,
                };
                Event::EndSet {
                    from,
                    reason: words(reason, LONG, why, "reason", problems),
                }
            }
        })
    }
}

/// The beginning of the day that was chosen; noted when it is sooner than the notice allows.
fn after_notice(from: Option<Date>, now: Timestamp, law: &Law, problems: &mut Problems) -> Result<Timestamp> {
    let earliest = law.earliest_after_notice(now)?;
    let day = from.unwrap_or(earliest);
    if from.is_none() || day < earliest {
        let (period, basis) = (law.clocks().notice.text(), &law.clocks().notice.basis);
        let shown = earliest.strftime("%d/%m/%Y");
        problems.add(
            "notice-too-short",
            "from",
            format!(
                "Phải báo trước ít nhất {} ({}); sớm nhất là ngày {shown}.",
                period.vi, basis.vi
            ),
            format!(
                "At least {} of notice are due ({}); the earliest day is {shown}.",
                period.en,
                basis.get(base::Lang::En)
            ),
        );
    }
    Ok(Timestamp::from_legal(day.at(0, 0, 0, 0)))
}
