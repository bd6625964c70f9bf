//! What the API takes: one shape for each command.

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::Ctx;
use procedure::form::Answers;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::PaperBody;
use crate::{
    model::{
        action::{Channel, Detail, Ground, MissingItem, OfficerRef, PaymentMethod},
        command::{Command, Completion, Opinion},
    },
    service::FilingPaper,
};

/// Doing a step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteBody {
    /// One of the step's outcomes.
    outcome: String,
    /// The officer's fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// A remark among officers.
    #[serde(default)]
    note: String,
    /// Grounds, for outcomes that refuse or reject.
    #[serde(default)]
    grounds: Option<Vec<GroundBody>>,
    /// The one complete list, for outcomes that ask for papers.
    #[serde(default)]
    items: Option<Vec<MissingBody>>,
    /// Why a second request for papers is lawful.
    #[serde(default)]
    second_ground: String,
    /// To whom the result was handed, for outcomes that deliver.
    #[serde(default)]
    recipient: Option<String>,
    /// How it was handed over.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    delivery: Option<Channel>,
    /// Why handling stops, for outcomes that stop.
    #[serde(default)]
    stop: Option<StopBody>,
}

/// A ground.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroundBody {
    /// Id of the package's reason.
    #[serde(default)]
    reason: String,
    /// In words.
    text: String,
    /// Legal ground.
    basis: String,
}

/// Something missing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MissingBody {
    /// Field or paper id.
    at: String,
    /// Id of the package's reason.
    reason: String,
    /// What to do.
    text: String,
    /// Legal ground.
    basis: String,
}

impl CompleteBody {
    /// The command, with what the outcome carries.
    pub fn completion(self, token: u32) -> Result<Completion> {
        let details = [
            self.grounds.is_some(),
            self.items.is_some(),
            self.recipient.is_some(),
            self.stop.is_some(),
        ];
        if details.iter().filter(|d| **d).count() > 1 {
            return Err(Error::refused(
                Kind::Invalid,
                "one-detail",
                "Chỉ gửi một trong các mục grounds, items, recipient, stop.",
                "Send only one of grounds, items, recipient, stop.",
            ));
        }
        let detail = if let Some(grounds) = self.grounds {
            Detail::Grounds {
                grounds: grounds
                    .into_iter()
                    .map(|g| Ground {
                        reason: g.reason,
                        text: g.text,
                        basis: g.basis,
                    })
                    .collect(),
            }
        } else if let Some(items) = self.items {
            Detail::Supplement {
                items: items
                    .into_iter()
                    .map(|i| MissingItem {
                        at: i.at,
                        reason: i.reason,
                        text: i.text,
                        basis: i.basis,
                    })
                    .collect(),
                second_ground: self.second_ground,
            }
        } else if let Some(recipient) = self.recipient {
            Detail::Delivery {
                channel: self.delivery.unwrap_or(Channel::Counter),
                recipient,
            }
        } else if let Some(stop) = self.stop {
            Detail::Stop {
                reason: stop.reason,
                basis: stop.basis,
            }
        } else {
            Detail::None
        };
        Ok(Completion {
            token,
            outcome: self.outcome,
            fields: self.fields,
            note: self.note,
            detail,
        })
    }
}

/// Who takes a step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    /// `true`: the caller takes it; `false`: it goes back to the common queue.
    take: bool,
}

impl AssignBody {
    /// The officer, if the step is taken.
    pub fn officer(&self, ctx: &Ctx) -> Result<Option<OfficerRef>> {
        let officer = ctx.officer()?;
        Ok(self.take.then(|| OfficerRef {
            id: officer.officer.uuid(),
            name: officer.name.clone(),
        }))
    }
}

/// What was asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplementBody {
    /// Answers that change, nested by field id.
    #[serde(default)]
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    /// Papers with finished uploads.
    #[serde(default)]
    papers: Vec<PaperBody>,
}

impl SupplementBody {
    /// Answers and papers as the service takes them.
    pub fn parts(self) -> (Answers, Vec<FilingPaper>) {
        let answers = Answers::from_value(Value::Object(self.answers)).unwrap_or_default();
        (answers, self.papers.into_iter().map(FilingPaper::from).collect())
    }
}

/// Money that came in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentBody {
    /// VND.
    amount: i64,
    /// `cash`, `card` or `transfer`.
    #[schema(value_type = String)]
    method: PaymentMethod,
    /// Number of the receipt or transaction.
    reference: String,
}

impl PaymentBody {
    /// The command.
    pub fn command(self) -> Command {
        Command::RecordPayment {
            amount: self.amount,
            method: self.method,
            reference: self.reference,
        }
    }
}

/// A waiver.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverBody {
    /// Legal ground.
    pub basis: String,
}

/// A remark.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    /// The remark.
    pub text: String,
}

/// The end of a waiting.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndWaitBody {
    /// Token of the task that waits, as the dossier lists it.
    pub token: u32,
    /// Why; the applicant sees it.
    pub reason: String,
}

/// A new date.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReappointBody {
    /// RFC 3339.
    #[schema(format = DateTime)]
    due: String,
    /// Why.
    reason: String,
}

impl ReappointBody {
    /// The command.
    pub fn command(self) -> Result<Command> {
        let due = Timestamp::parse_rfc3339(&self.due).ok_or_else(|| {
            let mut problems = Problems::new();
            problems.add(
                "not-an-instant",
                "due",
                "Nhập thời điểm theo RFC 3339.",
                "Enter an instant as in RFC 3339.",
            );
            Error::Refused(Kind::Invalid, problems)
        })?;
        Ok(Command::Reappoint {
            due,
            reason: self.reason,
        })
    }
}

/// A reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// Why, if said.
    #[serde(default)]
    pub reason: String,
}

/// Why handling stops.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopBody {
    /// Why.
    pub reason: String,
    /// Legal ground.
    pub basis: String,
}

/// An answer to a consultation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsultationBody {
    /// The send task that asked, as the dossier lists it.
    sent_by: String,
    /// Whether the agency agrees.
    agrees: bool,
    /// Its opinion.
    opinion: String,
    /// Number of its document.
    #[serde(default)]
    document: String,
    /// Date of its document.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    dated: Option<jiff::civil::Date>,
}

impl ConsultationBody {
    /// The command.
    pub fn command(self) -> Command {
        Command::AnswerConsultation(Opinion {
            sent_by: self.sent_by,
            agrees: self.agrees,
            opinion: self.opinion,
            document: self.document,
            dated: self.dated,
            ..Opinion::default()
        })
    }
}
