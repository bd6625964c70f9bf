//! The fold itself: what each entry of the log makes of the state before it.

use std::collections::BTreeMap;

use base::{
    Error, Result, Text, Timestamp,
    deadline::{self, Appointment, Event, Ledger},
};
use procedure::{
    form::{Answers, FieldSource},
    package::Package,
    process::{EngineError, Input, Instance, MessageTo, OutcomeEffect},
};
use serde_json::Value;

use super::{
    super::{
        action::{Action, Detail, DocumentKind, Entry, Paper, Step, Submission, supplement_number},
        status::{Decision, Delivery, Money, Sync},
    },
    Answer, Consequences, Rules, SUPPLEMENT, State, Supplement, merged, total,
};

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
            facts,
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
            facts: facts.clone(),
            verified: BTreeMap::new(),
            writes: Vec::new(),
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
                dated,
                respondent,
                files,
            } => {
                let payload = serde_json::json!({ "agrees": agrees, "opinion": opinion, "deemed": false });
                let given = Answer::Given {
                    at,
                    agrees: *agrees,
                    opinion: opinion.clone(),
                    document: document.clone(),
                    dated: *dated,
                    respondent: respondent.clone().map(Box::new),
                    files: files.clone(),
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
            Action::RegistryWrote { token, write, wrote } => self.take_wrote(*token, write, wrote, at),
            Action::RegistriesAnswered { said } => self.verified.extend(said.clone()),
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
        // What was asked of the person anew is theirs, whatever a registry had said.
        let fields = rules
            .package
            .form
            .fields()
            .filter(|field| answers.get(&field.id).is_some());
        for field in fields {
            if let FieldSource::Registry(attribute) = &field.source {
                self.facts.said.remove(attribute);
                self.facts.doubts.remove(attribute);
            }
            // Another enterprise: what was said of the first one is not of it.
            if self.facts.numbers.contains_key(&field.id) {
                self.facts.ask_by(&field.id, self.answers.text(&field.id));
            }
        }
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
}

fn supplement_basis() -> Text {
    Text::new("Nghị định 61/2018/NĐ-CP, Điều 19", "Decree 61/2018/NĐ-CP, art. 19")
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
