//! What the process does to the dossier when an entry moves it on: steps, timers, consultations, services.

use base::{
    Error, Result, Text, Timestamp,
    calendar::Calendar,
    deadline::{self, Budget, Ledger, Unit},
};
use jiff::civil::Date;
use procedure::process::{BudgetUnit, Effect, Input, NodeKind, Silence, TimeBudget, TimerRule};

use super::{super::action::Entry, Answer, Consequences, Consulted, OpenTask, Rules, State, Timer};

impl State {
    pub(super) fn advance(
        &mut self,
        input: &Input,
        entry: &Entry,
        rules: Rules<'_>,
        after: &mut Consequences,
    ) -> Result<()> {
        let effects = rules
            .package
            .process
            .step(&mut self.process, input, rules.package.feel())?;
        // The timer on a waiting answer ends the waiting.
        let by_timer = matches!(input, Input::TimerFired { .. });
        for effect in effects {
            self.follow(effect, by_timer, entry, rules, after)?;
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
                        let seq = entry.seq;
                        asked.answer = Some(match (by_timer, silence(rules, &asked.sent_by)) {
                            (true, Silence::Agrees) => Answer::Deemed { at, seq },
                            (true, Silence::Unanswered) => Answer::Unanswered { at, seq },
                            (false, _) => Answer::Dropped,
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

/// What the silence of the agency that a send task asked means.
fn silence(rules: Rules<'_>, sent_by: &str) -> Silence {
    match rules.package.process.node(sent_by).map(|n| &n.kind) {
        Some(NodeKind::Send(send)) => send.silence,
        _ => Silence::default(),
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

fn instant(text: &str) -> Result<Timestamp> {
    Timestamp::parse_rfc3339(text)
        .or_else(|| {
            text.parse::<Date>()
                .ok()
                .map(|d| Timestamp::from_legal(d.at(0, 0, 0, 0)))
        })
        .ok_or_else(|| Error::internal(format!("a timer's date is not a date: {text}")))
}
