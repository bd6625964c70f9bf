//! The sorts of commands, and a command as it is typed.

use base::{Problems, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Command, File, Phase, Side, Standing, TermsDraft, read_day, system::given};

/// What can be done with a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommandKind {
    /// The provider agrees.
    Approve,
    /// The provider wants to know more.
    AskMore,
    /// The provider refuses.
    Refuse,
    /// The provider takes a suspension back.
    Resume,
    /// The provider suspends.
    Suspend,
    /// The consumer answers a question.
    Supplement,
    /// The consumer takes its request back.
    Withdraw,
    /// One of the two ends the grant.
    End,
}

impl CommandKind {
    /// All of them, in the order of buttons.
    pub const ALL: [Self; 8] = [
        Self::Approve,
        Self::AskMore,
        Self::Refuse,
        Self::Resume,
        Self::Suspend,
        Self::Supplement,
        Self::Withdraw,
        Self::End,
    ];

    /// The name for programs, as in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::AskMore => "ask-more",
            Self::Refuse => "refuse",
            Self::Resume => "resume",
            Self::Suspend => "suspend",
            Self::Supplement => "supplement",
            Self::Withdraw => "withdraw",
            Self::End => "end",
        }
    }

    /// Reads [`CommandKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// What the button says.
    pub fn label(self) -> Text {
        match self {
            Self::Approve => Text::new("Chấp thuận", "Approve"),
            Self::AskMore => Text::new("Yêu cầu giải trình", "Ask for more"),
            Self::Refuse => Text::new("Từ chối", "Refuse"),
            Self::Resume => Text::new("Khôi phục", "Resume"),
            Self::Suspend => Text::new("Tạm ngừng", "Suspend"),
            Self::Supplement => Text::new("Trả lời giải trình", "Answer the question"),
            Self::Withdraw => Text::new("Rút đề nghị", "Withdraw the request"),
            Self::End => Text::new("Chấm dứt", "End"),
        }
    }

    /// Whether it is a thing for this side to do.
    pub const fn is_of(self, side: Side) -> bool {
        match self {
            Self::Supplement | Self::Withdraw => matches!(side, Side::Outgoing),
            Self::Approve | Self::AskMore | Self::Refuse | Self::Resume | Self::Suspend => {
                matches!(side, Side::Incoming)
            }
            Self::End => true,
        }
    }

    /// Whether it can be, as the grant stands.
    pub fn fits(self, file: &File, standing: Standing) -> bool {
        let agreed = matches!(standing, Standing::NotYet | Standing::Active | Standing::Suspended) && !file.over;
        match self {
            Self::Supplement => file.phase == Phase::MoreAsked,
            Self::AskMore | Self::Approve => file.phase == Phase::Requested,
            Self::Withdraw | Self::Refuse => matches!(file.phase, Phase::Requested | Phase::MoreAsked),
            Self::Suspend => agreed && file.suspension.is_none(),
            Self::Resume => agreed && file.suspension.is_some(),
            Self::End => agreed,
        }
    }
}

/// A command as it is typed; what its kind has no use for is left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandDraft {
    /// What is to be done.
    pub command: CommandKind,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// The legal ground of a refusal.
    #[serde(default)]
    pub ground: String,
    /// What the provider wants to know.
    #[serde(default)]
    pub question: String,
    /// What the consumer answers.
    #[serde(default)]
    pub answer: String,
    /// What the consumer should know of an approval.
    #[serde(default)]
    pub note: String,
    /// The first day of a suspension or after the end: `2026-12-01` or `01/12/2026`; empty: at once, where that may be.
    #[serde(default)]
    pub from: String,
    /// Suspend at once, for a security incident.
    #[serde(default)]
    pub at_once: bool,
    /// Its ground.
    #[serde(default)]
    pub incident: String,
    /// What is agreed to, or asked for now.
    #[serde(default)]
    pub terms: Option<TermsDraft>,
}

impl CommandDraft {
    /// An empty one.
    pub fn new(command: CommandKind) -> Self {
        Self {
            command,
            reason: String::new(),
            ground: String::new(),
            question: String::new(),
            answer: String::new(),
            note: String::new(),
            from: String::new(),
            at_once: false,
            incident: String::new(),
            terms: None,
        }
    }

    /// Reads what its kind needs. Texts are judged with the command, where they come from another node as well.
    ///
    /// # Errors
    /// Everything in dates and terms that is wrong, each at its field.
    pub fn read(&self) -> Result<Command, Problems> {
        let mut problems = Problems::new();
        let from = given(&self.from).and_then(|text| read_day(text, "from", &mut problems));
        let terms = match &self.terms {
            Some(draft) => draft.read().map_err(|found| problems.extend(found)).ok(),
            None if self.command == CommandKind::Approve => {
                problems.add(
                    "required",
                    "terms",
                    "Nêu nội dung được chấp thuận.",
                    "Say what is agreed to.",
                );
                None
            }
            None => None,
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let reason = self.reason.clone();
        Ok(match (self.command, terms) {
            (CommandKind::Approve, Some(terms)) => Command::Approve {
                terms,
                note: self.note.clone(),
            },
            // Was noted above.
            (CommandKind::Approve, None) => return Err(problems),
            (CommandKind::Supplement, terms) => Command::Supplement {
                answer: self.answer.clone(),
                terms,
            },
            (CommandKind::AskMore, _) => Command::AskMore {
                question: self.question.clone(),
            },
            (CommandKind::Refuse, _) => Command::Refuse {
                ground: self.ground.clone(),
                reason,
            },
            (CommandKind::Suspend, _) => Command::Suspend {
                from: from.filter(|_| !self.at_once),
                reason,
                incident: self.at_once.then(|| self.incident.clone()),
            },
            (CommandKind::Resume, _) => Command::Resume { reason },
            (CommandKind::Withdraw, _) => Command::Withdraw { reason },
            (CommandKind::End, _) => Command::End { from, reason },
        })
    }
}
