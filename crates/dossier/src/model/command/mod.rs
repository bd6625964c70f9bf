//! What somebody wants to do to a dossier, judged against its state. Pure: the same command on the same state gives the
//! same facts or the same refusal. The process and the time limit judge once more when the facts are applied.

mod supplement;

use std::collections::BTreeMap;

use base::{Error, Kind, Problems, Result, Timestamp};
use jiff::civil::Date;
use procedure::{
    form::{Answers, Attribute, Said},
    process::{OutcomeEffect, UserTask},
};
use serde_json::{Map, Value};

pub use self::supplement::{BroughtUp, brought_up};
use super::{
    action::{Action, Detail, File, Ground, OfficerRef, Paper, PaymentMethod, Respondent, Step},
    state::{Rules, State},
    status::{Decision, Delivery, Money},
    writes::Wrote,
};

/// The longest text that an officer may enter in one box, characters.
pub const LONGEST_TEXT: usize = 10_000;

/// A wish. Never read from outside as it stands: the files of a paper are those of uploads that were judged, so each way in
/// has a shape of its own and the service looks the files up.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Do an open step.
    Complete(Completion),
    /// Answer the open request for papers.
    Supplement {
        /// Answers that change.
        answers: Answers,
        /// Papers that are added or replaced.
        papers: Vec<Paper>,
    },
    /// Answer a consultation.
    AnswerConsultation(Opinion),
    /// Registries that were silent have answered.
    TakeFacts {
        /// What each said.
        said: BTreeMap<Attribute, Said>,
    },
    /// Something came of telling a registry.
    TakeWrote {
        /// Token of the service task that waits.
        token: u32,
        /// The write's id in the package.
        write: String,
        /// What came of it.
        wrote: Wrote,
    },
    /// An officer waits no longer for a registry that was told and does not answer.
    EndWait {
        /// Token of the service task that waits.
        token: u32,
        /// Why.
        reason: String,
    },
    /// A timer came due.
    FireTimer {
        /// Its token.
        token: u32,
    },
    /// A service is done.
    FinishService {
        /// Its token.
        token: u32,
        /// Its result.
        result: Value,
    },
    /// Money came in.
    RecordPayment {
        /// VND.
        amount: i64,
        /// Means.
        method: PaymentMethod,
        /// Number of the receipt or transaction.
        reference: String,
    },
    /// No fee is due from this applicant.
    WaiveFee {
        /// Legal ground.
        basis: String,
    },
    /// Take or give an open step.
    Assign {
        /// Its token.
        token: u32,
        /// To whom; none puts it back.
        officer: Option<OfficerRef>,
    },
    /// A remark among officers.
    Note {
        /// The remark.
        text: String,
    },
    /// A new date with an apology.
    Reappoint {
        /// The new due instant.
        due: Timestamp,
        /// Why.
        reason: String,
    },
    /// The applicant takes the dossier back.
    Withdraw {
        /// Why, if said.
        reason: String,
    },
    /// Handling stops.
    Stop {
        /// Why.
        reason: String,
        /// Legal ground.
        basis: String,
    },
}

/// The answer to a consultation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opinion {
    /// The id of the send task that asked.
    pub sent_by: String,
    /// Whether the agency agrees.
    pub agrees: bool,
    /// Its opinion.
    pub opinion: String,
    /// Number of its document.
    pub document: String,
    /// Date of that document.
    pub dated: Option<Date>,
    /// Files that were judged and are stored.
    pub files: Vec<File>,
    /// Where it comes from, if not from an officer of this node.
    pub from: Option<Elsewhere>,
}

/// The agency's own node gave the opinion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// When that was asked which it answers: the same step may have asked again since.
    pub sent_at: Timestamp,
    /// Who gave it.
    pub respondent: Respondent,
}

/// Doing a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Completion {
    /// Token of the step, as the officer's page had it.
    pub token: u32,
    /// Chosen outcome.
    pub outcome: String,
    /// The officer's fields.
    pub fields: Map<String, Value>,
    /// Remark among officers.
    pub note: String,
    /// Grounds, the list of what is missing, the way of delivery: as the outcome needs.
    pub detail: Detail,
}

/// Judges a command.
///
/// # Errors
/// A refusal with every problem at its place; [`Kind::Conflict`] where the dossier has moved on.
pub fn decide(state: &State, command: &Command, rules: Rules<'_>, now: Timestamp) -> Result<Action> {
    match command {
        Command::Complete(completion) => complete(state, completion, rules),
        Command::Supplement { answers, papers } => supplement::answer(state, answers, papers, rules, now),
        Command::AnswerConsultation(given) => answer_consultation(state, given),
        Command::FireTimer { token } => {
            let running = state.timers.iter().any(|t| t.token == *token);
            if running {
                Ok(Action::TimerFired { token: *token })
            } else {
                Err(moved_on(state))
            }
        }
        Command::TakeFacts { said } => {
            let mut said = said.clone();
            said.retain(|attribute, said| !said.is_silent() && state.unverified().any(|open| open == attribute));
            match said.is_empty() {
                true => Err(moved_on(state)),
                false => Ok(Action::RegistriesAnswered { said }),
            }
        }
        Command::TakeWrote { token, write, wrote } => {
            let waits = state.process.tokens.iter().any(|open| open.id == *token);
            // What is done is taken back or left; nothing else happens to a write twice. What was not known is learned whenever it is.
            let fits = match (state.wrote(*token, write), wrote) {
                (None, Wrote::Done { .. } | Wrote::Refused { .. })
                | (Some(Wrote::Done { .. }), Wrote::TakenBack { .. } | Wrote::Left { .. }) => waits,
                (Some(Wrote::Unknown { .. }), Wrote::Refused { .. } | Wrote::TakenBack { .. } | Wrote::Left { .. }) => {
                    true
                }
                _ => false,
            };
            if !fits {
                return Err(moved_on(state));
            }
            Ok(Action::RegistryWrote {
                token: *token,
                write: write.clone(),
                wrote: wrote.clone(),
            })
        }
        Command::EndWait { token, reason } => {
            let write = state
                .told_now(*token, rules.package, now.legal_date())
                .ok_or_else(|| moved_on(state))?;
            text("reason", reason, true)?;
            Ok(Action::RegistryWrote {
                token: *token,
                write,
                wrote: Wrote::Unknown {
                    reason: reason.trim().to_owned(),
                },
            })
        }
        Command::FinishService { token, result } => Ok(Action::ServiceDone {
            token: *token,
            result: result.clone(),
        }),
        Command::RecordPayment {
            amount,
            method,
            reference,
        } => pay(state, *amount, *method, reference),
        Command::WaiveFee { basis } => {
            require_open_fee(state)?;
            text("basis", basis, true)?;
            Ok(Action::FeeWaived { basis: basis.clone() })
        }
        Command::Assign { token, officer } => {
            state.task(*token).ok_or_else(|| moved_on(state))?;
            Ok(Action::Assigned {
                token: *token,
                officer: officer.clone(),
            })
        }
        Command::Note { text: note } => {
            text("note", note, true)?;
            Ok(Action::Noted {
                text: note.trim().to_owned(),
            })
        }
        Command::Reappoint { due, reason } => reappoint(state, *due, reason, rules, now),
        Command::Withdraw { reason } => {
            require_undecided(state)?;
            text("reason", reason, false)?;
            Ok(Action::Withdrawn {
                reason: reason.trim().to_owned(),
            })
        }
        Command::Stop { reason, basis } => {
            require_undecided(state)?;
            let mut problems = Problems::new();
            note_text(&mut problems, "reason", reason, true);
            note_text(&mut problems, "basis", basis, true);
            problems.into_result()?;
            Ok(Action::Stopped {
                reason: reason.trim().to_owned(),
                basis: basis.trim().to_owned(),
            })
        }
    }
}

fn complete(state: &State, completion: &Completion, rules: Rules<'_>) -> Result<Action> {
    let open = state.task(completion.token).ok_or_else(|| moved_on(state))?;
    let (_, task) = rules
        .package
        .process
        .task(&open.node)
        .ok_or_else(|| Error::internal("an open step that the process does not have"))?;
    let outcome = task
        .outcomes
        .iter()
        .find(|o| o.id == completion.outcome)
        .ok_or_else(|| no_such_outcome(task))?;
    let mut problems = Problems::new();
    note_text(&mut problems, "note", &completion.note, false);
    let detail = &completion.detail;
    match outcome.effect {
        OutcomeEffect::Refuse | OutcomeEffect::Reject => grounds(&mut problems, detail),
        OutcomeEffect::RequestSupplement => supplement::missing(&mut problems, state, detail, rules),
        OutcomeEffect::Deliver => delivery(&mut problems, state, detail),
        OutcomeEffect::Stop => {
            if let Detail::Stop { reason, basis } = detail {
                note_text(&mut problems, "reason", reason, true);
                note_text(&mut problems, "basis", basis, true);
            } else {
                required(&mut problems, "reason");
            }
        }
        OutcomeEffect::Receive if state.received_at.is_some() => {
            problems.add(
                "already-received",
                "outcome",
                "Hồ sơ đã được tiếp nhận.",
                "The dossier was received already.",
            );
        }
        OutcomeEffect::None | OutcomeEffect::Receive | OutcomeEffect::Approve | OutcomeEffect::Issue => {}
    }
    if state.waits_for_payment() && outcome.effect != OutcomeEffect::Stop {
        problems.add(
            "payment-due",
            "outcome",
            "Hồ sơ chưa nộp phí, lệ phí. Ghi nhận thanh toán hoặc miễn phí trước khi xử lý tiếp.",
            "The fee has not been paid. Record the payment or a waiver before going on.",
        );
    }
    problems.into_result()?;
    Ok(Action::StepCompleted(Box::new(Step {
        token: completion.token,
        node: open.node.clone(),
        outcome: completion.outcome.clone(),
        fields: completion.fields.clone(),
        note: completion.note.trim().to_owned(),
        detail: detail.clone(),
    })))
}

fn grounds(problems: &mut Problems, detail: &Detail) {
    let Detail::Grounds { grounds } = detail else {
        required(problems, "grounds");
        return;
    };
    if grounds.is_empty() {
        required(problems, "grounds");
    }
    for (n, Ground { text, basis, .. }) in grounds.iter().enumerate() {
        note_text(problems, &format!("grounds.{n}.text"), text, true);
        note_text(problems, &format!("grounds.{n}.basis"), basis, true);
    }
}

fn delivery(problems: &mut Problems, state: &State, detail: &Detail) {
    if let Detail::Delivery { recipient, .. } = detail {
        note_text(problems, "recipient", recipient, true);
    } else {
        required(problems, "recipient");
    }
    if state.delivery == Delivery::Delivered {
        problems.add(
            "already-delivered",
            "outcome",
            "Kết quả đã được trả.",
            "The result was handed over already.",
        );
    }
    if state.money == Money::Due {
        problems.add(
            "payment-due",
            "outcome",
            "Hồ sơ chưa nộp phí, lệ phí. Ghi nhận thanh toán hoặc miễn phí trước khi trả kết quả.",
            "The fee has not been paid. Record the payment or a waiver before handing over the result.",
        );
    }
}

fn answer_consultation(state: &State, given: &Opinion) -> Result<Action> {
    let asked = state.consultations.iter().rev().find(|c| c.sent_by == given.sent_by);
    let asked = asked.ok_or_else(|| Error::not_found("yêu cầu lấy ý kiến", "consultation"))?;
    let answers_another = given.from.as_ref().is_some_and(|from| from.sent_at != asked.sent_at);
    let Some(token) = asked.token.filter(|_| !answers_another) else {
        return Err(moved_on(state));
    };
    let mut problems = Problems::new();
    note_text(&mut problems, "opinion", &given.opinion, true);
    note_text(&mut problems, "document", &given.document, false);
    problems.into_result()?;
    Ok(Action::ConsultationAnswered {
        token,
        agrees: given.agrees,
        opinion: given.opinion.trim().to_owned(),
        document: given.document.trim().to_owned(),
        dated: given.dated,
        respondent: given.from.as_ref().map(|from| from.respondent.clone()),
        files: given.files.clone(),
    })
}

fn pay(state: &State, amount: i64, method: PaymentMethod, reference: &str) -> Result<Action> {
    require_open_fee(state)?;
    let mut problems = Problems::new();
    let open = state.owed() - state.paid;
    if amount <= 0 || amount > open {
        problems.add(
            "wrong-amount",
            "amount",
            format!("Số tiền phải từ 1 đến {open} đồng."),
            format!("The amount must be between 1 and {open} VND."),
        );
    }
    note_text(&mut problems, "reference", reference, true);
    problems.into_result()?;
    Ok(Action::PaymentRecorded {
        amount,
        method,
        reference: reference.trim().to_owned(),
    })
}

fn reappoint(state: &State, due: Timestamp, reason: &str, rules: Rules<'_>, now: Timestamp) -> Result<Action> {
    require_undecided(state)?;
    let mut problems = Problems::new();
    note_text(&mut problems, "reason", reason, true);
    match state.due_at(rules.calendar) {
        None => problems.add(
            "no-time-limit",
            "due",
            "Hồ sơ chưa có hoặc đang tạm dừng thời hạn giải quyết.",
            "No time limit runs at the moment.",
        ),
        Some(current) if due <= current || due <= now => problems.add(
            "not-later",
            "due",
            "Ngày hẹn mới phải sau ngày hẹn cũ và sau thời điểm hiện tại.",
            "The new date must be after the old one and after the present.",
        ),
        Some(_) => {}
    }
    problems.into_result()?;
    Ok(Action::Reappointed {
        due,
        reason: reason.trim().to_owned(),
        document: format!("{}/XL", state.code),
    })
}

fn require_open_fee(state: &State) -> Result<()> {
    if state.money == Money::Due {
        return Ok(());
    }
    Err(Error::refused(
        Kind::Conflict,
        "nothing-due",
        "Hồ sơ không còn khoản phí, lệ phí nào phải nộp.",
        "No fee is due on this dossier.",
    ))
}

fn require_undecided(state: &State) -> Result<()> {
    if state.decision.is_final() {
        Err(moved_on(state))
    } else {
        Ok(())
    }
}

/// The thing that the caller looked at is no longer there: done by somebody else, or overtaken.
fn moved_on(state: &State) -> Error {
    let status = state.national().label();
    let done = matches!(
        state.decision,
        Decision::Withdrawn | Decision::Stopped | Decision::Refused | Decision::Approved | Decision::Rejected
    );
    let (vi, en) = if done {
        (
            format!(
                "Hồ sơ đã kết thúc ở trạng thái “{}”; không thể thực hiện thao tác này nữa.",
                status.vi
            ),
            format!("The dossier has ended as “{}”; this can no longer be done.", status.en),
        )
    } else {
        (
            format!(
                "Bước này đã được người khác thực hiện hoặc không còn chờ. Trạng thái hiện nay: “{}”.",
                status.vi
            ),
            format!(
                "This step was done by somebody else or is no longer open. Present status: “{}”.",
                status.en
            ),
        )
    };
    Error::refused(Kind::Conflict, "moved-on", vi, en)
}

fn no_such_outcome(task: &UserTask) -> Error {
    let offered: Vec<&str> = task.outcomes.iter().map(|o| o.id.as_str()).collect();
    let mut problems = Problems::new();
    problems.add(
        "no-such-outcome",
        "outcome",
        format!("Chọn một trong các kết quả: {}.", offered.join(", ")),
        format!("Choose one of: {}.", offered.join(", ")),
    );
    Error::Refused(Kind::Invalid, problems)
}

fn text(at: &str, value: &str, needed: bool) -> Result<()> {
    let mut problems = Problems::new();
    note_text(&mut problems, at, value, needed);
    problems.into_result()
}

fn note_text(problems: &mut Problems, at: &str, value: &str, needed: bool) {
    if needed && value.trim().is_empty() {
        required(problems, at);
    }
    if value.chars().count() > LONGEST_TEXT {
        problems.add(
            "too-long",
            at,
            format!("Nội dung dài quá {LONGEST_TEXT} ký tự."),
            format!("This is longer than {LONGEST_TEXT} characters."),
        );
    }
}

fn required(problems: &mut Problems, at: &str) {
    problems.add("required", at, "Nội dung này là bắt buộc.", "This is required.");
}
