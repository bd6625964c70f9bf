//! The state of a dossier: a fold over its log, under the procedure version that it was received under.

use std::collections::BTreeMap;

use base::{
    Error, Result, Text, Timestamp,
    calendar::Calendar,
    deadline::{self, Appointment, Budget, Event, Ledger, Unit},
};
use jiff::civil::Date;
use procedure::{
    form::{Answers, Context},
    package::{Package, PaymentTime},
    process::{
        BudgetUnit, Effect, EngineError, Input, Instance, MessageTo, NodeKind, OutcomeEffect, TimeBudget, TimerRule,
    },
    reference::Units,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    action::{
        Action, Applicant, Channel, Detail, DocumentKind, Entry, Fee, IssuedDocument, MissingItem, OfficerRef, Paper,
        ProcedureRef, Step, Submission, supplement_number,
    },
    status::{Decision, Delivery, Money, NationalStatus, Sync},
};

/// The message that a process waits for after it asked for papers.
pub const SUPPLEMENT: &str = "supplement";

/// What the fold needs besides the log: the law as it was and the calendar as it is.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The package under which the dossier was filed.
    pub package: &'a Package,
    /// Working days.
    pub calendar: &'a Calendar,
    /// Provinces and communes.
    pub units: &'a Units,
}

/// Registries do not answer yet: every field that one could fill is typed and marked "to be verified".
static NO_REGISTRY: BTreeMap<String, Value> = BTreeMap::new();

impl<'a> Rules<'a> {
    /// What conditions, fees and time limits see besides the answers.
    pub fn context(&self, applicant: &'a Applicant, channel: Channel, today: Date) -> Context<'a> {
        Context {
            applicant: &applicant.claims,
            channel,
            today,
            registry: &NO_REGISTRY,
            units: self.units,
        }
    }

    /// Whether an unpaid fee holds up the handling.
    pub fn payment_gates(&self) -> bool {
        self.package.meta.payment == Some(PaymentTime::BeforeProcessing)
    }
}

/// Everything that is known about a dossier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// `seq` of the last entry.
    pub version: i64,
    /// The dossier's code.
    pub code: String,
    /// The agency that decides.
    pub agency: String,
    /// The procedure version.
    pub procedure: ProcedureRef,
    /// The case of the procedure (trường hợp) that fixed the time limit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    /// For whom.
    pub applicant: Applicant,
    /// How it came.
    pub channel: Channel,
    /// Answers, nested by field id.
    pub answers: Answers,
    /// Papers with their files.
    pub papers: Vec<Paper>,
    /// Fees as computed at filing.
    pub fees: Vec<Fee>,
    /// Paid so far, VND.
    pub paid: i64,
    /// The professional axis.
    pub decision: Decision,
    /// The money axis.
    pub money: Money,
    /// The delivery axis.
    pub delivery: Delivery,
    /// The synchronisation axis.
    pub sync: Sync,
    /// Whether an unpaid fee holds up the handling.
    pub payment_gates: bool,
    /// When it was filed.
    pub submitted_at: Timestamp,
    /// When it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// When it was decided, refused, withdrawn or stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When the result was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// The time limit; opened at reception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// Where the process stands.
    pub process: Instance,
    /// Open steps.
    pub tasks: Vec<OpenTask>,
    /// Running timers.
    pub timers: Vec<Timer>,
    /// Questions to other agencies, answered or not.
    pub consultations: Vec<Consulted>,
    /// Requests for papers; the last may be open.
    pub supplements: Vec<Supplement>,
    /// Why it was refused, rejected or stopped.
    #[serde(default, skip_serializing_if = "Detail::is_none")]
    pub grounds: Detail,
    /// Documents made.
    pub documents: Vec<IssuedDocument>,
}

/// A step that waits for an officer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTask {
    /// Its token.
    pub token: u32,
    /// The id of the user task.
    pub node: String,
    /// Symbolic role.
    pub role: String,
    /// Symbolic unit, if not the deciding agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Since when.
    pub opened_at: Timestamp,
    /// By when, from the step's own budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Who has taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<OfficerRef>,
}

/// A running timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Its token.
    pub token: u32,
    /// The id of the event.
    pub node: String,
    /// When it fires.
    pub due: Timestamp,
}

/// A question to another agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consulted {
    /// The id of the send task.
    pub sent_by: String,
    /// The token that waits for the answer; none before the process waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u32>,
    /// The symbolic agency of the package.
    pub agency: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// After when silence is agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What came of a consultation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Answer {
    /// The agency answered.
    Given {
        /// When.
        at: Timestamp,
        /// Whether it agrees.
        agrees: bool,
        /// Its opinion.
        opinion: String,
        /// Number of its document.
        document: String,
    },
    /// It was silent until the time was over and is deemed to agree.
    Deemed {
        /// When.
        at: Timestamp,
    },
    /// No longer needed.
    Dropped,
}

/// A request for papers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplement {
    /// The entry that asked.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The one complete list.
    pub items: Vec<MissingItem>,
    /// When the applicant answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
}

/// What an entry changed, for the tables, the queue and the jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consequences {
    /// Steps that opened.
    pub opened: Vec<u32>,
    /// Steps that closed.
    pub closed: Vec<u32>,
    /// Timers to set.
    pub timers_set: Vec<Timer>,
    /// Timers to clear.
    pub timers_cleared: Vec<u32>,
    /// Consultations sent, by the id of the send task.
    pub consultations_sent: Vec<String>,
    /// Consultations that ended, by the id of the send task.
    pub consultations_ended: Vec<String>,
    /// Services to run: token and name.
    pub services: Vec<(u32, String)>,
    /// Documents to make, with the entry that calls for them.
    pub documents: Vec<(DocumentKind, i64)>,
    /// A service failed and somebody must look.
    pub stuck: Vec<String>,
}

impl State {
    /// Folds a whole log.
    ///
    /// # Errors
    /// The log does not begin with a submission, or was not made by this package.
    pub fn fold(entries: &[Entry], rules: Rules<'_>) -> Result<Self> {
        let (first, rest) = entries
            .split_first()
            .ok_or_else(|| Error::internal("a dossier without a log"))?;
        let (mut state, _) = Self::open(first, rules)?;
        for entry in rest {
            state.apply(entry, rules)?;
        }
        Ok(state)
    }

    /// The state after the first entry.
    ///
    /// # Errors
    /// The entry is not a submission, or the process refuses to start.
    pub fn open(entry: &Entry, rules: Rules<'_>) -> Result<(Self, Consequences)> {
        let Action::Submitted(submission) = &entry.action else {
            return Err(Error::internal("a dossier begins with its submission"));
        };
        let Submission {
            code,
            agency,
            procedure,
            applicant,
            channel,
            answers,
            papers,
            fees,
        } = submission.as_ref();
        let due = total(fees);
        let mut state = Self {
            version: entry.seq,
            code: code.clone(),
            agency: agency.clone(),
            procedure: procedure.clone(),
            case: String::new(),
            applicant: applicant.clone(),
            channel: *channel,
            answers: answers.clone(),
            papers: papers.clone(),
            fees: fees.clone(),
            paid: 0,
            decision: Decision::Submitted,
            money: if due > 0 { Money::Due } else { Money::None },
            delivery: Delivery::None,
            sync: Sync::NotNeeded,
            payment_gates: rules.payment_gates(),
            submitted_at: entry.at,
            received_at: None,
            ended_at: None,
            delivered_at: None,
            ledger: None,
            process: Instance::default(),
            tasks: Vec::new(),
            timers: Vec::new(),
            consultations: Vec::new(),
            supplements: Vec::new(),
            grounds: Detail::None,
            documents: Vec::new(),
        };
        let mut after = Consequences::default();
        let ctx = rules.context(applicant, *channel, entry.at.legal_date());
        let variables = rules.package.process_variables(answers, &ctx);
        state.advance(&Input::Start { variables }, entry, rules, &mut after)?;
        Ok((state, after))
    }

    /// Applies the next entry.
    ///
    /// # Errors
    /// A refusal in both languages when the process or the time limit does not allow it now; the state is then not to
    /// be used further.
    pub fn apply(&mut self, entry: &Entry, rules: Rules<'_>) -> Result<Consequences> {
        if entry.seq != self.version + 1 {
            return Err(Error::internal(format!(
                "entry {} after version {}",
                entry.seq, self.version
            )));
        }
        let mut after = Consequences::default();
        let at = entry.at;
        match &entry.action {
            Action::Submitted(_) => return Err(Error::internal("a dossier is filed once")),
            Action::StepCompleted(step) => self.complete(step, entry, rules, &mut after)?,
            Action::Supplemented { answers, papers } => self.supplement(answers, papers, entry, rules, &mut after)?,
            Action::ConsultationAnswered {
                token,
                agrees,
                opinion,
                document,
            } => {
                let payload = serde_json::json!({ "agrees": agrees, "opinion": opinion, "deemed": false });
                let given = Answer::Given {
                    at,
                    agrees: *agrees,
                    opinion: opinion.clone(),
                    document: document.clone(),
                };
                if let Some(asked) = self.consultations.iter_mut().find(|c| c.token == Some(*token)) {
                    asked.answer = Some(given);
                }
                self.advance(
                    &Input::MessageArrived {
                        to: MessageTo::Token(*token),
                        payload,
                    },
                    entry,
                    rules,
                    &mut after,
                )?;
            }
            Action::TimerFired { token } => {
                self.advance(&Input::TimerFired { token: *token }, entry, rules, &mut after)?;
            }
            Action::ServiceDone { token, result } => {
                let input = Input::ServiceDone {
                    token: *token,
                    result: result.clone(),
                };
                self.advance(&input, entry, rules, &mut after)?;
            }
            Action::PaymentRecorded { amount, .. } => {
                self.paid += amount;
                if self.paid >= self.owed() {
                    self.settle(Money::Paid, entry)?;
                }
            }
            Action::FeeWaived { .. } => self.settle(Money::Waived, entry)?,
            Action::Assigned { token, officer } => {
                if let Some(task) = self.tasks.iter_mut().find(|t| t.token == *token) {
                    task.assignee = officer.clone();
                }
            }
            Action::Noted { .. } => {}
            Action::Reappointed { due, reason, document } => {
                let ledger = self
                    .ledger
                    .as_mut()
                    .ok_or_else(|| Error::internal("no time limit runs"))?;
                let event = Event::ReappointedTo {
                    due: Appointment::Instant(*due),
                };
                ledger.append(
                    deadline::Entry::new(at, event)
                        .document(document)
                        .basis(Text::new(reason, reason)),
                )?;
                after.documents.push((DocumentKind::Apology, entry.seq));
            }
            Action::Withdrawn { .. } => {
                self.end(Decision::Withdrawn, entry, rules, &mut after)?;
            }
            Action::Stopped { reason, basis } => {
                self.grounds = Detail::Stop {
                    reason: reason.clone(),
                    basis: basis.clone(),
                };
                self.end(Decision::Stopped, entry, rules, &mut after)?;
                after.documents.push((DocumentKind::StopNotice, entry.seq));
            }
            Action::DocumentIssued(document) => {
                self.documents.push(document.clone());
                if document.kind == DocumentKind::Result && self.delivery == Delivery::None {
                    self.delivery = Delivery::Ready;
                }
            }
        }
        self.version = entry.seq;
        Ok(after)
    }

    /// The status of the national portal.
    pub fn national(&self) -> NationalStatus {
        NationalStatus::of(self.decision, self.money, self.delivery, self.payment_gates)
    }

    /// All fees, VND.
    pub fn owed(&self) -> i64 {
        total(&self.fees)
    }

    /// Whether an unpaid fee holds up the handling now.
    pub fn waits_for_payment(&self) -> bool {
        self.national() == NationalStatus::PaymentRequested
    }

    /// The request for papers that is open.
    pub fn open_supplement(&self) -> Option<&Supplement> {
        self.supplements.last().filter(|s| s.answered_at.is_none())
    }

    /// The open step with this token.
    pub fn task(&self, token: u32) -> Option<&OpenTask> {
        self.tasks.iter().find(|t| t.token == token)
    }

    /// The due instant with its reasons; none before reception.
    pub fn due(&self, calendar: &Calendar) -> Option<deadline::Due> {
        self.ledger.as_ref().map(|l| l.due(calendar))
    }

    /// The present due instant; none before reception, while the clock stands and when a decision was made.
    pub fn due_at(&self, calendar: &Calendar) -> Option<Timestamp> {
        if self.decision.is_final() {
            None
        } else {
            self.due(calendar).and_then(|d| d.current)
        }
    }

    fn complete(&mut self, step: &Step, entry: &Entry, rules: Rules<'_>, after: &mut Consequences) -> Result<()> {
        let does = outcome_of(rules.package, step)?;
        let input = Input::CompleteTask {
            token: step.token,
            outcome: step.outcome.clone(),
            fields: step.fields.clone(),
        };
        let at = entry.at;
        // The effect comes first, so that what opens next already sees the time limit and the status.
        match does {
            OutcomeEffect::None => {
                if self.decision == Decision::Received {
                    self.decision = Decision::Processing;
                }
            }
            OutcomeEffect::Receive => self.receive(entry, rules, after)?,
            OutcomeEffect::Refuse => {
                self.decision = Decision::Refused;
                self.grounds = step.detail.clone();
                self.ended_at = Some(at);
                after.documents.push((DocumentKind::Refusal, entry.seq));
            }
            OutcomeEffect::RequestSupplement => {
                let Detail::Supplement { items, .. } = &step.detail else {
                    return Err(Error::internal("a request for papers without its list"));
                };
                self.supplements.push(Supplement {
                    seq: entry.seq,
                    at,
                    items: items.clone(),
                    answered_at: None,
                });
                self.decision = match self.received_at {
                    Some(_) => Decision::AwaitingSupplement,
                    None => Decision::SupplementBeforeReceipt,
                };
                if let Some(ledger) = &mut self.ledger {
                    let number = supplement_number(&self.code, self.supplements.len());
                    let reason = Text::new("Yêu cầu bổ sung, hoàn thiện hồ sơ", "Papers were asked for");
                    ledger.append(
                        deadline::Entry::new(at, Event::Suspended { reason })
                            .document(number)
                            .basis(supplement_basis()),
                    )?;
                }
                after.documents.push((DocumentKind::SupplementRequest, entry.seq));
            }
            OutcomeEffect::Approve | OutcomeEffect::Reject => {
                self.decision = if does == OutcomeEffect::Approve {
                    Decision::Approved
                } else {
                    Decision::Rejected
                };
                self.grounds = step.detail.clone();
                self.ended_at = Some(at);
                self.close_ledger(at)?;
                after.documents.push((DocumentKind::Result, entry.seq));
            }
            OutcomeEffect::Issue => {}
            OutcomeEffect::Deliver => {
                self.delivery = Delivery::Delivered;
                self.delivered_at = Some(at);
            }
            OutcomeEffect::Stop => {
                self.grounds = step.detail.clone();
                self.decision = Decision::Stopped;
                self.ended_at = Some(at);
                self.close_ledger(at)?;
                after.documents.push((DocumentKind::StopNotice, entry.seq));
            }
        }
        self.advance(&input, entry, rules, after)
    }

    fn receive(&mut self, entry: &Entry, rules: Rules<'_>, after: &mut Consequences) -> Result<()> {
        let ctx = rules.context(&self.applicant, self.channel, entry.at.legal_date());
        let (case, budget) = rules.package.deadline_for(&self.answers, &ctx);
        self.case = case.case.clone();
        let mut ledger = Ledger::received(
            entry.at,
            budget,
            rules.package.deadline_rules().clone(),
            rules.calendar.version(),
        )?;
        self.received_at = Some(entry.at);
        self.decision = Decision::Received;
        if self.waits_for_payment() {
            let reason = Text::new("Chờ nộp phí, lệ phí", "Waiting for the fee to be paid");
            let number = format!("{}/TBP", self.code);
            ledger.append(deadline::Entry::new(entry.at, Event::Suspended { reason }).document(number))?;
        }
        self.ledger = Some(ledger);
        after.documents.push((DocumentKind::Receipt, entry.seq));
        Ok(())
    }

    fn settle(&mut self, money: Money, entry: &Entry) -> Result<()> {
        let waited = self.waits_for_payment();
        self.money = money;
        if let (true, Some(ledger)) = (waited, self.ledger.as_mut()) {
            ledger.append(deadline::Entry::new(entry.at, Event::Resumed { restart: false }))?;
        }
        Ok(())
    }

    fn supplement(
        &mut self,
        answers: &Answers,
        papers: &[Paper],
        entry: &Entry,
        rules: Rules<'_>,
        after: &mut Consequences,
    ) -> Result<()> {
        self.answers = merged(&self.answers, answers);
        for paper in papers {
            match self.papers.iter_mut().find(|p| p.paper == paper.paper) {
                Some(old) => *old = paper.clone(),
                None => self.papers.push(paper.clone()),
            }
        }
        if let Some(open) = self.supplements.last_mut() {
            open.answered_at = Some(entry.at);
        }
        self.decision = match self.received_at {
            Some(_) => Decision::Processing,
            None => Decision::Submitted,
        };
        if let Some(ledger) = &mut self.ledger {
            let event = Event::Resumed {
                restart: rules.package.meta.supplement_restarts,
            };
            ledger.append(deadline::Entry::new(entry.at, event).basis(supplement_basis()))?;
        }
        let ctx = rules.context(&self.applicant, self.channel, entry.at.legal_date());
        let variables = rules.package.process_variables(&self.answers, &ctx);
        for (name, value) in variables {
            self.process.variables.insert(name, value);
        }
        let to = MessageTo::Name {
            name: SUPPLEMENT.to_owned(),
            from: None,
        };
        self.advance(
            &Input::MessageArrived {
                to,
                payload: Value::Null,
            },
            entry,
            rules,
            after,
        )
    }

    fn close_ledger(&mut self, at: Timestamp) -> Result<()> {
        match &mut self.ledger {
            Some(ledger) => ledger.append(deadline::Entry::new(at, Event::Closed)),
            None => Ok(()),
        }
    }

    /// Ends the process from outside.
    fn end(&mut self, how: Decision, entry: &Entry, rules: Rules<'_>, after: &mut Consequences) -> Result<()> {
        self.decision = how;
        self.ended_at = Some(entry.at);
        self.close_ledger(entry.at)?;
        self.advance(
            &Input::Cancel {
                reason: how.code().to_owned(),
            },
            entry,
            rules,
            after,
        )
    }

    fn advance(&mut self, input: &Input, entry: &Entry, rules: Rules<'_>, after: &mut Consequences) -> Result<()> {
        let effects = rules
            .package
            .process
            .step(&mut self.process, input, rules.package.feel())?;
        // The timer on a waiting answer is the time after which silence is agreement.
        let deemed = matches!(input, Input::TimerFired { .. });
        for effect in effects {
            self.follow(effect, deemed, entry, rules, after)?;
        }
        Ok(())
    }

    fn follow(
        &mut self,
        effect: Effect,
        by_timer: bool,
        entry: &Entry,
        rules: Rules<'_>,
        after: &mut Consequences,
    ) -> Result<()> {
        let at = entry.at;
        match effect {
            Effect::TaskOpened {
                token,
                node,
                role,
                unit,
                budget,
                ..
            } => {
                let due_at = budget.map(|b| add(rules.calendar, at, b)).transpose()?;
                self.tasks.push(OpenTask {
                    token,
                    node,
                    role,
                    unit,
                    opened_at: at,
                    due_at,
                    assignee: None,
                });
                after.opened.push(token);
            }
            Effect::TaskClosed { token, .. } => {
                self.tasks.retain(|t| t.token != token);
                after.closed.push(token);
            }
            Effect::TimerSet { token, node, due } => {
                let due = match due {
                    TimerRule::After(budget) => add(rules.calendar, at, budget)?,
                    TimerRule::At(date) => instant(&date)?,
                };
                let timer = Timer { token, node, due };
                if let Some(waiting) = self.waiting_for_timer(&timer, rules) {
                    waiting.due_at = Some(due);
                }
                self.timers.push(timer.clone());
                after.timers_set.push(timer);
            }
            Effect::TimerCleared { token, .. } => {
                self.timers.retain(|t| t.token != token);
                after.timers_cleared.push(token);
            }
            Effect::MessageSent {
                node,
                consult: Some(agency),
                ..
            } => {
                self.consultations.push(Consulted {
                    sent_by: node.clone(),
                    token: None,
                    agency,
                    sent_at: at,
                    due_at: None,
                    answer: None,
                });
                after.consultations_sent.push(node);
            }
            Effect::MessageAwaited {
                token,
                from: Some(from),
                ..
            } => {
                if let Some(asked) = self.consultations.iter_mut().rev().find(|c| c.sent_by == from) {
                    asked.token = Some(token);
                }
            }
            Effect::MessageClosed { token, arrived, .. } => {
                if let Some(asked) = self.consultations.iter_mut().find(|c| c.token == Some(token)) {
                    if !arrived {
                        asked.answer = Some(if by_timer {
                            Answer::Deemed { at }
                        } else {
                            Answer::Dropped
                        });
                    }
                    asked.token = None;
                    after.consultations_ended.push(asked.sent_by.clone());
                }
            }
            Effect::ServiceCalled { token, service, .. } => after.services.push((token, service)),
            Effect::Stuck { message, .. } => after.stuck.push(message),
            Effect::MessageSent { consult: None, .. }
            | Effect::MessageAwaited { from: None, .. }
            | Effect::ServiceDropped { .. }
            | Effect::VariableSet { .. }
            | Effect::Ended { .. } => {}
        }
        Ok(())
    }

    /// The consultation whose waiting this timer bounds: the timer stands on the border of the task that waits.
    fn waiting_for_timer(&mut self, timer: &Timer, rules: Rules<'_>) -> Option<&mut Consulted> {
        let process = &rules.package.process;
        let NodeKind::Boundary { host, .. } = &process.node(&timer.node)?.kind else {
            return None;
        };
        let host = &process.nodes().get(host.0 as usize)?.id;
        let token = self.process.tokens.iter().find(|t| t.node == *host).map(|t| t.id)?;
        self.consultations.iter_mut().find(|c| c.token == Some(token))
    }
}

/// The due instant of a step's own budget, by the calendar. The 15:00 rule is about reception, so it is not applied here.
fn add(calendar: &Calendar, from: Timestamp, budget: TimeBudget) -> Result<Timestamp> {
    let unit = match budget.unit {
        BudgetUnit::WorkingDays => Unit::WorkingDay,
        BudgetUnit::WorkingHours => Unit::WorkingHour,
        BudgetUnit::Days => Unit::Day,
        BudgetUnit::Hours => Unit::Hour,
    };
    let rules = deadline::Rules {
        cutoff: None,
        ..deadline::Rules::default()
    };
    let ledger = Ledger::received(
        from,
        Budget::new(budget.qty, unit, Text::default()),
        rules,
        calendar.version(),
    )?;
    Ok(ledger.due(calendar).original)
}

fn supplement_basis() -> Text {
    Text::new("Nghị định 61/2018/NĐ-CP, Điều 19", "Decree 61/2018/NĐ-CP, art. 19")
}

fn instant(text: &str) -> Result<Timestamp> {
    Timestamp::parse_rfc3339(text)
        .or_else(|| {
            text.parse::<Date>()
                .ok()
                .map(|d| Timestamp::from_legal(d.at(0, 0, 0, 0)))
        })
        .ok_or_else(|| Error::internal(format!("a timer's date is not a date: {text}")))
}

fn outcome_of(package: &Package, step: &Step) -> Result<OutcomeEffect> {
    let task = package.process.task(&step.node).map(|(_, task)| task);
    let found = task.and_then(|task| task.outcomes.iter().find(|o| o.id == step.outcome));
    found.map(|o| o.effect).ok_or_else(|| {
        EngineError::NoSuchOutcome {
            node: Text::new(&step.node, &step.node),
            outcome: step.outcome.clone(),
        }
        .into()
    })
}

fn total(fees: &[Fee]) -> i64 {
    fees.iter().map(|f| f.amount.amount()).sum()
}

/// `new` laid over `old`, leaf by leaf, so that an answer to one field leaves its neighbours alone.
pub(super) fn merged(old: &Answers, new: &Answers) -> Answers {
    let mut all = old.clone();
    for (id, value) in leaves(new) {
        all.set(&id, value);
    }
    all
}

/// The answers by dotted id.
pub(super) fn leaves(answers: &Answers) -> Vec<(String, Value)> {
    fn walk(prefix: &str, value: &Value, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(inner) => {
                for (key, value) in inner {
                    let at = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&at, value, out);
                }
            }
            other => out.push((prefix.to_owned(), other.clone())),
        }
    }
    let mut out = Vec::new();
    walk("", &answers.to_value(), &mut out);
    out
}
