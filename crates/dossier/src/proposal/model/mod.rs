//! A proposal (đề xuất) as what happened to it. Pure: the steps are the proposal, its state is a fold over them, and a step that does not
//! follow is refused with the reason (Decree 224/2026/NĐ-CP, Articles 16 and 17: notice, refusal, the former state back, traceability).

#[cfg(test)]
mod tests;

use base::{Error, Kind, Result, Text, Timestamp};
use procedure::package::PackageId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{action::ActorRef, writes::Wrote};

base::typed_id!(/// One proposal.
    ProposalMark as ProposalId);
base::typed_id!(/// One run of a rule over people.
    RunMark as RunId);

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was made; the person has not answered.
    Open,
    /// The state has said that it will act, and when.
    Announced,
    /// It acts: registries are being told.
    Acting,
    /// It has acted; the former state can be had back until a day.
    Acted,
    /// The person wants the former state back; registries are being told.
    Restoring,
    /// The former state holds again.
    Restored,
    /// A registry refused; nothing was done, or nothing stands of it.
    Failed,
    /// Something could not be taken back: an officer must look.
    Stuck,
    /// An officer has put it right by other means.
    Settled,
    /// A dossier was filed.
    TakenUp,
    /// The person said no.
    Declined,
    /// The person wants no proposals of this kind.
    NotWanted,
    /// Its time has passed.
    Expired,
    /// What led to it is no longer so.
    Overtaken,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Open,
        Self::Announced,
        Self::Acting,
        Self::Acted,
        Self::Restoring,
        Self::Restored,
        Self::Failed,
        Self::Stuck,
        Self::Settled,
        Self::TakenUp,
        Self::Declined,
        Self::NotWanted,
        Self::Expired,
        Self::Overtaken,
    ];

    /// The name for programs, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Announced => "announced",
            Self::Acting => "acting",
            Self::Acted => "acted",
            Self::Restoring => "restoring",
            Self::Restored => "restored",
            Self::Failed => "failed",
            Self::Stuck => "stuck",
            Self::Settled => "settled",
            Self::TakenUp => "taken-up",
            Self::Declined => "declined",
            Self::NotWanted => "not-wanted",
            Self::Expired => "expired",
            Self::Overtaken => "overtaken",
        }
    }

    /// Reads [`State::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Open => Text::new("Đang chờ quý vị", "Waiting for you"),
            Self::Announced => Text::new("Sẽ tự động thực hiện", "Will be done for you"),
            Self::Acting => Text::new("Đang thực hiện", "Being done"),
            Self::Acted => Text::new("Đã thực hiện", "Done"),
            Self::Restoring => Text::new("Đang khôi phục", "Being restored"),
            Self::Restored => Text::new("Đã khôi phục như trước", "Restored"),
            Self::Failed => Text::new("Không thực hiện được", "Could not be done"),
            Self::Stuck => Text::new("Cần cán bộ xử lý", "An officer must look"),
            Self::Settled => Text::new("Cán bộ đã xử lý xong", "Settled by an officer"),
            Self::TakenUp => Text::new("Đã nộp hồ sơ", "Dossier filed"),
            Self::Declined => Text::new("Quý vị không đồng ý", "You said no"),
            Self::NotWanted => Text::new("Quý vị không nhận đề xuất", "You want none"),
            Self::Expired => Text::new("Hết hạn", "Expired"),
            Self::Overtaken => Text::new("Không còn cần", "No longer needed"),
        }
    }
}

/// What happened. Facts only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Step {
    /// It was made. Always the first.
    Proposed(Box<Made>),
    /// A person who may see it has seen it. Noted once.
    Seen,
    /// A person opened the prepared dossier.
    Opened {
        /// The draft.
        draft: Uuid,
        /// The way that was chosen, of a rule that recommends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        way: Option<String>,
    },
    /// The draft became a dossier.
    TakenUp {
        /// Its code.
        dossier: String,
    },
    /// The person said no.
    Declined,
    /// The person wants no proposals of this kind.
    NotWanted,
    /// Its time has passed.
    Expired,
    /// The question was asked again, and its answer is no longer yes.
    Overtaken {
        /// The answer, to be accounted for.
        answer: Uuid,
    },
    /// The question was asked again, the answer is still yes, and the state begins to act.
    ActBegun {
        /// The answer, to be accounted for.
        answer: Uuid,
        /// The code under which registries are told, as if it were a dossier's.
        code: String,
        /// Which writes, in this order, each with its registry. Their values are kept beside the log, sealed.
        writes: Vec<(String, String)>,
    },
    /// Something came of telling a registry.
    Wrote {
        /// The write's id in the rule.
        write: String,
        /// What.
        #[serde(flatten)]
        wrote: Wrote,
    },
    /// Every write is done.
    Acted {
        /// Until when the former state can be had back.
        restore_until: Timestamp,
    },
    /// A registry refused; what was done before is taken back.
    Failed,
    /// The person wants the former state back.
    RestoreAsked,
    /// Every write is taken back.
    Restored,
    /// A write stands that ought not to.
    Stuck,
    /// An officer wants what stands to be taken back once more.
    TakeBackAgain,
    /// An officer has put right what stood, by other means.
    Settled {
        /// How, for the person to read.
        note: String,
    },
}

impl Step {
    /// What happened, for people.
    pub fn label(&self) -> Text {
        match self {
            Self::Proposed(_) => Text::new("Đề xuất được đưa ra", "Proposed"),
            Self::Seen => Text::new("Quý vị đã xem", "Seen"),
            Self::Opened { .. } => Text::new("Đã mở hồ sơ điền sẵn", "The prepared dossier was opened"),
            Self::TakenUp { .. } => Text::new("Đã nộp hồ sơ", "The dossier was filed"),
            Self::Declined => Text::new("Không đồng ý", "Refused"),
            Self::NotWanted => Text::new("Không muốn nhận đề xuất", "No proposals wanted"),
            Self::Expired => Text::new("Hết hạn", "Expired"),
            Self::Overtaken { .. } => Text::new(
                "Đã hỏi lại các cơ sở dữ liệu: không còn cần thực hiện",
                "The registries were asked again: it is no longer needed",
            ),
            Self::ActBegun { .. } => Text::new(
                "Đã hỏi lại các cơ sở dữ liệu và bắt đầu thực hiện",
                "The registries were asked again, and it was begun",
            ),
            Self::Wrote { wrote, .. } => match wrote {
                Wrote::Done { .. } => Text::new("Đã cập nhật cơ sở dữ liệu", "A registry was told"),
                Wrote::Refused { .. } => Text::new("Cơ sở dữ liệu từ chối cập nhật", "A registry refused"),
                Wrote::Unknown { .. } => Text::new("Chưa rõ kết quả cập nhật", "Whether it was told is not known"),
                Wrote::TakenBack { .. } => Text::new("Đã thu hồi nội dung cập nhật", "It was taken back"),
                Wrote::Left { .. } => Text::new("Không thu hồi được nội dung cập nhật", "It could not be taken back"),
            },
            Self::Acted { .. } => Text::new("Đã thực hiện xong", "Done"),
            Self::Failed => Text::new(
                "Không thực hiện được; không có gì thay đổi",
                "Could not be done; nothing has changed",
            ),
            Self::RestoreAsked => Text::new("Yêu cầu khôi phục như trước", "The former state was asked for"),
            Self::Restored => Text::new("Đã khôi phục như trước", "Restored"),
            Self::Stuck => Text::new("Chuyển cán bộ xử lý", "Given to an officer"),
            Self::TakeBackAgain => Text::new("Cán bộ yêu cầu thu hồi lại", "To be taken back once more"),
            Self::Settled { note } => Text::new(
                format!("Cán bộ đã xử lý xong: {note}"),
                format!("Settled by an officer: {note}"),
            ),
        }
    }
}

/// How a proposal was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The rule, its version and its hash.
    pub rule: (String, u32, String),
    /// National code of the procedure.
    pub procedure: String,
    /// The package in force, of a rule that prepares a dossier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageId>,
    /// The answer of the question, by which the records on which it rests can be accounted for.
    pub answer: Uuid,
    /// When they were read.
    pub read_at: Timestamp,
    /// The run that found whom to propose to.
    pub run: Uuid,
    /// The ways, the recommended one first, with those that fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Ranked>,
    /// Until when it stands; an act may be refused until then.
    pub until: Timestamp,
}

/// A way, as it stands for this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranked {
    /// Its id in the rule.
    pub way: String,
    /// Whether its condition holds.
    pub fits: bool,
}

/// One line of the log of a proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 …
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: ActorRef,
    /// What.
    pub step: Step,
}

/// A proposal: the fold over its log.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// How it was made.
    pub made: Made,
    /// When.
    pub made_at: Timestamp,
    /// Whether the state will act by itself.
    pub acts: bool,
    /// Where it stands.
    pub state: State,
    /// The last number of its log.
    pub version: i64,
    /// Whether it was seen.
    pub seen: bool,
    /// The draft that was opened last.
    pub draft: Option<Uuid>,
    /// The dossier that it became.
    pub dossier: Option<String>,
    /// The code under which registries are told, with the writes and their registries.
    pub act: Option<(String, Vec<(String, String)>)>,
    /// When the state had acted, and until when that can be undone.
    pub acted: Option<(Timestamp, Timestamp)>,
    /// What came of each write.
    pub wrote: Vec<(String, Wrote)>,
}

/// What a saga does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Tell a registry what this write says.
    Tell(String),
    /// Take back a write that became this entry of this registry.
    TakeBack {
        /// The write.
        write: String,
        /// The registry.
        registry: String,
        /// The entry.
        entry: String,
    },
    /// Note that it is over.
    Conclude(Step),
    /// Nothing.
    Nothing,
}

impl Proposal {
    /// The proposal after its log.
    ///
    /// # Errors
    /// The log is empty or contradicts itself.
    pub fn fold(id: ProposalId, acts: bool, log: &[Entry]) -> Result<Self> {
        let (first, rest) = log.split_first().ok_or_else(no_log)?;
        let Step::Proposed(made) = &first.step else {
            return Err(no_log());
        };
        let mut proposal = Self {
            id,
            made: made.as_ref().clone(),
            made_at: first.at,
            acts,
            state: if acts { State::Announced } else { State::Open },
            version: first.seq,
            seen: false,
            draft: None,
            dossier: None,
            act: None,
            acted: None,
            wrote: Vec::new(),
        };
        for entry in rest {
            proposal.apply(entry)?;
        }
        Ok(proposal)
    }

    /// Lets one more entry happen.
    ///
    /// # Errors
    /// `Conflict` with the reason where the step does not follow.
    pub fn apply(&mut self, entry: &Entry) -> Result<()> {
        self.judge(&entry.step, entry.at)?;
        self.version = entry.seq;
        match &entry.step {
            Step::Proposed(_) => {}
            Step::Seen => self.seen = true,
            Step::Opened { draft, .. } => self.draft = Some(*draft),
            Step::TakenUp { dossier } => {
                self.dossier = Some(dossier.clone());
                self.state = State::TakenUp;
            }
            Step::Declined => self.state = State::Declined,
            Step::NotWanted => self.state = State::NotWanted,
            Step::Expired => self.state = State::Expired,
            Step::Overtaken { .. } => self.state = State::Overtaken,
            Step::ActBegun { code, writes, .. } => {
                self.act = Some((code.clone(), writes.clone()));
                self.state = State::Acting;
            }
            Step::Wrote { write, wrote } => {
                self.wrote.retain(|(known, _)| known != write);
                self.wrote.push((write.clone(), wrote.clone()));
            }
            Step::Acted { restore_until } => {
                self.acted = Some((entry.at, *restore_until));
                self.state = State::Acted;
            }
            Step::Failed => self.state = State::Failed,
            Step::RestoreAsked => self.state = State::Restoring,
            Step::Restored => self.state = State::Restored,
            Step::Stuck => self.state = State::Stuck,
            Step::TakeBackAgain => {
                for (_, wrote) in &mut self.wrote {
                    if let Wrote::Left { entry, .. } = wrote {
                        *wrote = Wrote::Done {
                            entry: std::mem::take(entry),
                            record: serde_json::Value::Null,
                        };
                    }
                }
                self.state = State::Restoring;
            }
            Step::Settled { .. } => self.state = State::Settled,
        }
        Ok(())
    }

    /// Whether a step follows now.
    ///
    /// # Errors
    /// As [`Proposal::apply`].
    pub fn judge(&self, step: &Step, now: Timestamp) -> Result<()> {
        use State as S;
        let fits = match step {
            Step::Proposed(_) => false,
            Step::Seen => !self.seen,
            Step::Opened { .. } => self.state == S::Open && now < self.made.until,
            // A dossier that was filed from the draft is a fact, whatever the proposal was held to be meanwhile.
            Step::TakenUp { .. } => self.draft.is_some() && self.dossier.is_none(),
            Step::Declined => match self.state {
                S::Open => true,
                S::Announced if now < self.made.until => true,
                S::Announced | S::Acting | S::Acted => return Err(too_late_to_refuse()),
                _ => false,
            },
            Step::NotWanted => matches!(self.state, S::Open | S::Announced),
            Step::Expired => self.state == S::Open && now >= self.made.until,
            Step::Overtaken { .. } => matches!(self.state, S::Open | S::Announced),
            Step::ActBegun { .. } => self.state == S::Announced && now >= self.made.until,
            Step::Wrote { write, wrote } => self.may_write(write, wrote),
            Step::Acted { .. } => self.state == S::Acting,
            Step::Failed | Step::Stuck => matches!(self.state, S::Acting | S::Restoring),
            Step::RestoreAsked => match (self.state, self.acted) {
                (S::Acted, Some((_, until))) if now < until => true,
                (S::Acted, _) => return Err(too_late_to_restore()),
                (S::Restoring | S::Restored, _) => return Err(restored_before()),
                _ => false,
            },
            Step::Restored => self.state == S::Restoring,
            Step::TakeBackAgain | Step::Settled { .. } => self.state == S::Stuck,
        };
        if fits { Ok(()) } else { Err(moved_on(self.state)) }
    }

    fn may_write(&self, write: &str, wrote: &Wrote) -> bool {
        let before = self.wrote_of(write);
        match wrote {
            Wrote::Done { .. } | Wrote::Refused { .. } => self.state == State::Acting && before.is_none(),
            Wrote::Unknown { .. } => false,
            Wrote::TakenBack { .. } | Wrote::Left { .. } => {
                matches!(self.state, State::Acting | State::Restoring) && matches!(before, Some(Wrote::Done { .. }))
            }
        }
    }

    fn wrote_of(&self, write: &str) -> Option<&Wrote> {
        self.wrote
            .iter()
            .find(|(known, _)| known == write)
            .map(|(_, wrote)| wrote)
    }

    /// What is to be done next of an act, or of taking it back. The same log gives the same next thing, whatever broke in between.
    pub fn next(&self, now: Timestamp, restore_days: u16) -> Next {
        let Some((_, writes)) = &self.act else {
            return Next::Nothing;
        };
        let refused = self
            .wrote
            .iter()
            .any(|(_, wrote)| matches!(wrote, Wrote::Refused { .. }));
        let left = self.wrote.iter().any(|(_, wrote)| matches!(wrote, Wrote::Left { .. }));
        let back = || {
            writes
                .iter()
                .rev()
                .find_map(|(write, registry)| match self.wrote_of(write) {
                    Some(Wrote::Done { entry, .. }) => Some(Next::TakeBack {
                        write: write.clone(),
                        registry: registry.clone(),
                        entry: entry.clone(),
                    }),
                    _ => None,
                })
        };
        match self.state {
            State::Acting if refused => back().unwrap_or(Next::Conclude(if left { Step::Stuck } else { Step::Failed })),
            State::Acting => {
                let open = writes.iter().find(|(write, _)| self.wrote_of(write).is_none());
                match open {
                    Some((write, _)) => Next::Tell(write.clone()),
                    None => Next::Conclude(Step::Acted {
                        restore_until: now.plus_seconds(i64::from(restore_days) * 86_400),
                    }),
                }
            }
            State::Restoring => back().unwrap_or(Next::Conclude(if left { Step::Stuck } else { Step::Restored })),
            _ => Next::Nothing,
        }
    }
}

fn no_log() -> Error {
    Error::internal("a proposal whose log does not begin with how it was made")
}

fn too_late_to_refuse() -> Error {
    Error::refused(
        Kind::Conflict,
        "too-late",
        "Đã hết thời hạn từ chối; cơ quan đang hoặc đã thực hiện. Quý vị vẫn có thể yêu cầu khôi phục như trước.",
        "The time to say no has passed; it is being done, or is. You can still have the former state back.",
    )
}

fn too_late_to_restore() -> Error {
    Error::refused(
        Kind::Conflict,
        "too-late",
        "Đã hết thời hạn yêu cầu khôi phục. Nếu thông tin chưa đúng, quý vị phản ánh tại mục “Dữ liệu về tôi”.",
        "The time to have it back has passed. If something is wrong, say so under “Data about me”.",
    )
}

fn restored_before() -> Error {
    Error::refused(
        Kind::Conflict,
        "restored-before",
        "Quý vị đã yêu cầu khôi phục; cơ quan đang hoặc đã khôi phục như trước.",
        "You have asked for it before; it is being restored, or is.",
    )
}

fn moved_on(state: State) -> Error {
    let label = state.label();
    Error::refused(
        Kind::Conflict,
        "moved-on",
        format!("Đề xuất này đã thay đổi; tình trạng hiện nay: “{}”.", label.vi),
        format!("This proposal has changed; it now stands as “{}”.", label.en),
    )
}
