//! One step: the marking is taken out of the instance, the game is played until all rests, and only then is the
//! instance replaced.

use serde_json::{Map, Value, json};

use super::{
    super::{
        feel::Feel,
        game::{Armed, Closed, Happened, Marking, Over, Table, Token, Waiting, catcher},
        model::{EndKind, FlowIx, NodeIx, NodeKind, Process, TimerRule, Trigger},
    },
    CloseReason, Effect, EndReason, EngineError, Input, Instance, JoinToken, MessageTo, OpenEvent, RestToken, fields,
};

/// The most moves of one step.
const MOST_MOVES: u32 = 10_000;

impl Process {
    /// Moves an instance on by one input, until every token rests again.
    ///
    /// The first input is [`Input::Start`]. Conditions are evaluated in the order of the file. A default flow is taken
    /// only when no condition holds; a flow of an inclusive split without a condition is always taken.
    ///
    /// # Errors
    /// Why the input is refused; the instance is then unchanged.
    pub fn step(&self, instance: &mut Instance, input: &Input, feel: &dyn Feel) -> Result<Vec<Effect>, EngineError> {
        let mut game = Game {
            process: self,
            feel,
            effects: Vec::new(),
            next: instance.clone(),
            outcome: None,
            failed: None,
        };
        let marking = game.play(input)?;
        if let Some(error) = game.failed.take() {
            return Err(error);
        }
        let Game { effects, mut next, .. } = game;
        self.put(&mut next, &marking);
        *instance = next;
        Ok(effects)
    }

    fn known(&self, id: &str) -> Result<NodeIx, EngineError> {
        self.by_id
            .get(id)
            .copied()
            .ok_or_else(|| EngineError::Foreign { id: id.to_owned() })
    }

    fn marking(&self, instance: &Instance) -> Result<Marking, EngineError> {
        let mut marking = Marking {
            next: instance.next_token,
            ..Marking::default()
        };
        for token in &instance.tokens {
            marking.resting.push(Token {
                id: token.id,
                node: self.known(&token.node)?,
                scope: token.scope,
            });
        }
        for join in &instance.joining {
            let flow = self.flow_by_id.get(&join.flow).copied();
            let flow = flow.ok_or_else(|| EngineError::Foreign { id: join.flow.clone() })?;
            marking.joining.push(Waiting {
                flow,
                scope: join.scope,
            });
        }
        for event in &instance.events {
            marking.armed.push(Armed {
                id: event.id,
                node: self.known(&event.node)?,
                host: event.host,
            });
        }
        Ok(marking)
    }

    fn put(&self, instance: &mut Instance, marking: &Marking) {
        let id = |node: NodeIx| self.at(node).id.clone();
        let rest = |t: &Token| RestToken {
            id: t.id,
            node: id(t.node),
            scope: t.scope,
        };
        instance.tokens = marking.resting.iter().map(rest).collect();
        let join = |w: &Waiting| JoinToken {
            flow: self.flow(w.flow).id.clone(),
            scope: w.scope,
        };
        instance.joining = marking.joining.iter().map(join).collect();
        let event = |a: &Armed| OpenEvent {
            id: a.id,
            node: id(a.node),
            host: a.host,
        };
        instance.events = marking.armed.iter().map(event).collect();
        instance.next_token = marking.next;
    }
}

struct Game<'p> {
    process: &'p Process,
    feel: &'p dyn Feel,
    effects: Vec<Effect>,
    next: Instance,
    /// The outcome of the task that is being completed.
    outcome: Option<CloseReason>,
    /// A failure where the game cannot be told of one.
    failed: Option<EngineError>,
}

impl Table for Game<'_> {
    type Error = EngineError;

    fn choose(&mut self, node: NodeIx) -> Result<Vec<FlowIx>, EngineError> {
        let gateway = self.process.at(node);
        let (default, one) = match gateway.kind {
            NodeKind::Exclusive { default } => (default, true),
            NodeKind::Inclusive { default } => (default, false),
            _ => (None, false),
        };
        let variables = self.process.visible(&self.next.variables);
        let mut ways = Vec::new();
        for ix in gateway.outgoing.iter().filter(|f| Some(**f) != default) {
            let flow = self.process.flow(*ix);
            let holds = match &flow.condition {
                None => true,
                Some(text) => self
                    .feel
                    .condition(text, &variables)
                    .map_err(|message| EngineError::Condition {
                        flow: flow.id.clone(),
                        message,
                    })?,
            };
            if holds {
                ways.push(*ix);
                if one {
                    break;
                }
            }
        }
        if ways.is_empty() {
            ways.extend(default);
        }
        if ways.is_empty() {
            Err(EngineError::NoBranch { node: shown(gateway) })
        } else {
            Ok(ways)
        }
    }

    fn happened(&mut self, what: Happened) {
        match what {
            Happened::Opened { id, node } => self.opened(id, node),
            Happened::Closed { id, node, why } => self.closed(id, node, why),
            Happened::Armed { id, node } => self.armed(id, node),
            Happened::Disarmed { id, node, fired } => self.disarmed(id, node, fired),
            Happened::Sent { node } => self.sent(node),
            Happened::Passed { node } => {
                let id = &self.process.at(node).id;
                if !self.next.done.contains(id) {
                    self.next.done.push(id.clone());
                }
            }
            Happened::Over(over) => {
                let id = |node: NodeIx| self.process.at(node).id.clone();
                let reason = match over {
                    Over::Completed(node) => EndReason::Completed { node: id(node) },
                    Over::Terminated(node) => EndReason::Terminated { node: id(node) },
                    Over::Failed(node) => EndReason::Failed { node: id(node) },
                };
                self.ended(reason);
            }
        }
    }
}

fn shown(node: &super::super::model::Node) -> base::Text {
    base::Text::new(node.label(base::Lang::Vi), node.label(base::Lang::En))
}

impl<'p> Game<'p> {
    fn play(&mut self, input: &Input) -> Result<Marking, EngineError> {
        let process = self.process;
        if let Input::Start { variables } = input {
            if self.next != Instance::default() {
                return Err(EngineError::AlreadyStarted);
            }
            self.next.process = process.id.clone();
            self.next.variables = variables.clone();
            let mut marking = Marking::default();
            marking.start(process, self);
            self.settle(&mut marking)?;
            return Ok(marking);
        }
        if self.next.next_token == 0 {
            return Err(EngineError::NotStarted);
        }
        if self.next.process != process.id {
            return Err(EngineError::Foreign {
                id: self.next.process.clone(),
            });
        }
        if self.next.ended.is_some() {
            return Err(EngineError::Ended);
        }
        let mut marking = process.marking(&self.next)?;
        match input {
            Input::Start { .. } => {}
            Input::CompleteTask { token, outcome, fields } => {
                let (node, kind) = self.resting(&marking, *token)?;
                let NodeKind::User(task) = kind else {
                    return Err(EngineError::NotThis { node: shown(node) });
                };
                let Some(chosen) = task.outcomes.iter().find(|o| o.id == *outcome) else {
                    return Err(EngineError::NoSuchOutcome {
                        node: shown(node),
                        outcome: outcome.clone(),
                    });
                };
                let mut value = Map::from_iter([("outcome".to_owned(), Value::from(outcome.as_str()))]);
                value.extend(fields::accept(task, outcome, fields).map_err(EngineError::Fields)?);
                self.outcome = Some(CloseReason::Completed {
                    outcome: outcome.clone(),
                    does: chosen.effect,
                });
                self.set(&node.id, value.into());
                marking.complete(process, *token, self);
            }
            Input::TimerFired { token } => {
                let (node, resting) = self.waiting(&marking, *token)?;
                if !matches!(
                    node.kind,
                    NodeKind::Catch(Trigger::Timer(_))
                        | NodeKind::Boundary {
                            trigger: Trigger::Timer(_),
                            ..
                        }
                ) {
                    return Err(EngineError::NotThis { node: shown(node) });
                }
                self.set(&node.id, json!({ "fired": true }));
                if resting {
                    self.effects.push(Effect::TimerCleared {
                        token: *token,
                        node: node.id.clone(),
                    });
                    marking.complete(process, *token, self);
                } else {
                    marking.happen(process, *token, self);
                }
            }
            Input::MessageArrived { to, payload } => {
                let token = self.addressee(&marking, to)?;
                let (node, resting) = self.waiting(&marking, token)?;
                if awaited(&node.kind).is_none() {
                    return Err(EngineError::NotThis { node: shown(node) });
                }
                self.set(&node.id, payload.clone());
                if resting {
                    marking.complete(process, token, self);
                } else {
                    marking.happen(process, token, self);
                }
            }
            Input::ServiceDone { token, result } => {
                let (node, kind) = self.resting(&marking, *token)?;
                if !matches!(kind, NodeKind::Service { .. }) {
                    return Err(EngineError::NotThis { node: shown(node) });
                }
                self.set(&node.id, result.clone());
                marking.complete(process, *token, self);
            }
            Input::ServiceFailed { token, code, message } => {
                let (node, kind) = self.resting(&marking, *token)?;
                if !matches!(kind, NodeKind::Service { .. }) {
                    return Err(EngineError::NotThis { node: shown(node) });
                }
                let at = process.known(&node.id)?;
                if let Some(catcher) = catcher(process, at, code.as_deref()) {
                    self.set(&process.at(catcher).id, json!({ "code": code, "message": message }));
                    marking.fail(process, *token, code.as_deref(), self);
                } else {
                    self.effects.push(Effect::Stuck {
                        token: *token,
                        node: node.id.clone(),
                        message: message.clone(),
                    });
                }
            }
            Input::Cancel { reason } => {
                marking.clear(0, Closed::Withdrawn, self);
                self.ended(EndReason::Cancelled { reason: reason.clone() });
                return Ok(marking);
            }
        }
        self.settle(&mut marking)?;
        Ok(marking)
    }

    fn settle(&mut self, marking: &mut Marking) -> Result<(), EngineError> {
        for _ in 0..MOST_MOVES {
            if !marking.advance(self.process, self)? {
                return Ok(());
            }
        }
        Err(EngineError::Endless)
    }

    fn set(&mut self, name: &str, value: Value) {
        self.next.variables.insert(name.to_owned(), value.clone());
        self.effects.push(Effect::VariableSet {
            name: name.to_owned(),
            value,
        });
    }

    fn ended(&mut self, reason: EndReason) {
        self.next.ended = Some(reason.clone());
        self.effects.push(Effect::Ended { reason });
    }

    fn resting(
        &self,
        marking: &Marking,
        id: u32,
    ) -> Result<(&'p super::super::model::Node, &'p NodeKind), EngineError> {
        let token = marking
            .resting
            .iter()
            .find(|t| t.id == id)
            .ok_or(EngineError::Closed { token: id })?;
        let node = self.process.at(token.node);
        Ok((node, &node.kind))
    }

    /// The node that a number waits at, and whether it is a token at rest rather than an armed event.
    fn waiting(&self, marking: &Marking, id: u32) -> Result<(&'p super::super::model::Node, bool), EngineError> {
        match marking.armed.iter().find(|a| a.id == id) {
            Some(armed) => Ok((self.process.at(armed.node), false)),
            None => self.resting(marking, id).map(|(node, _)| (node, true)),
        }
    }

    fn addressee(&self, marking: &Marking, to: &MessageTo) -> Result<u32, EngineError> {
        let (name, from) = match to {
            MessageTo::Token(token) => return Ok(*token),
            MessageTo::Name { name, from } => (name, from),
        };
        let resting = marking.resting.iter().map(|t| (t.id, t.node));
        let armed = marking.armed.iter().map(|a| (a.id, a.node));
        let mut all = resting.chain(armed).filter(|(_, node)| {
            awaited(&self.process.at(*node).kind)
                .is_some_and(|a| a.message == *name && (from.is_none() || a.from == *from))
        });
        match (all.next(), all.next()) {
            (Some((id, _)), None) => Ok(id),
            (None, _) => Err(EngineError::NotAwaited { name: name.clone() }),
            (Some(_), Some(_)) => Err(EngineError::Ambiguous { name: name.clone() }),
        }
    }

    fn opened(&mut self, token: u32, ix: NodeIx) {
        let node = self.process.at(ix);
        let effect = match &node.kind {
            NodeKind::User(task) => Effect::TaskOpened {
                token,
                node: node.id.clone(),
                role: task.role.clone(),
                unit: task.unit.clone(),
                budget: task.budget,
                kind: task.kind,
            },
            NodeKind::Service { service } => Effect::ServiceCalled {
                token,
                node: node.id.clone(),
                service: service.clone(),
            },
            NodeKind::Receive(_) | NodeKind::Catch(_) => return self.armed(token, ix),
            _ => return,
        };
        self.effects.push(effect);
    }

    fn closed(&mut self, token: u32, ix: NodeIx, why: Closed) {
        let node = self.process.at(ix);
        let effect = match &node.kind {
            NodeKind::User(_) => {
                let reason = match why {
                    Closed::Done => self.outcome.take().unwrap_or(CloseReason::Withdrawn),
                    Closed::Interrupted => CloseReason::Interrupted,
                    Closed::Withdrawn => CloseReason::Withdrawn,
                };
                Effect::TaskClosed {
                    token,
                    node: node.id.clone(),
                    reason,
                }
            }
            NodeKind::Service { .. } if why != Closed::Done => Effect::ServiceDropped {
                token,
                node: node.id.clone(),
            },
            NodeKind::Catch(Trigger::Timer(_)) if why == Closed::Done => return,
            NodeKind::Receive(_) | NodeKind::Catch(_) => return self.disarmed(token, ix, why == Closed::Done),
            _ => return,
        };
        self.effects.push(effect);
    }

    fn armed(&mut self, token: u32, ix: NodeIx) {
        let node = self.process.at(ix);
        if let Some(awaited) = awaited(&node.kind) {
            let (name, from) = (awaited.message.clone(), awaited.from.clone());
            self.effects.push(Effect::MessageAwaited {
                token,
                node: node.id.clone(),
                name,
                from,
            });
            return;
        }
        let Some(rule) = timer(&node.kind) else { return };
        let due = match rule {
            TimerRule::After(budget) => TimerRule::After(*budget),
            TimerRule::At(expression) => {
                match self.feel.date(expression, &self.process.visible(&self.next.variables)) {
                    Ok(date) => TimerRule::At(date),
                    Err(message) => {
                        self.failed.get_or_insert(EngineError::TimerDate {
                            node: node.id.clone(),
                            message,
                        });
                        return;
                    }
                }
            }
        };
        self.effects.push(Effect::TimerSet {
            token,
            node: node.id.clone(),
            due,
        });
    }

    fn disarmed(&mut self, token: u32, ix: NodeIx, fired: bool) {
        let node = self.process.at(ix);
        let id = node.id.clone();
        if awaited(&node.kind).is_some() {
            self.effects.push(Effect::MessageClosed {
                token,
                node: id,
                arrived: fired,
            });
        } else if timer(&node.kind).is_some() {
            self.effects.push(Effect::TimerCleared { token, node: id });
        }
    }

    fn sent(&mut self, ix: NodeIx) {
        let node = self.process.at(ix);
        let (consult, message) = match &node.kind {
            NodeKind::Send(send) => (Some(send.consult.clone()), send.message.clone()),
            NodeKind::Throw { message: Some(message) } | NodeKind::End(EndKind::Message { message }) => {
                (None, message.clone())
            }
            _ => return,
        };
        self.effects.push(Effect::MessageSent {
            node: node.id.clone(),
            consult,
            message,
        });
    }
}

fn awaited(kind: &NodeKind) -> Option<&super::super::model::Awaited> {
    match kind {
        NodeKind::Receive(awaited)
        | NodeKind::Catch(Trigger::Message(awaited))
        | NodeKind::Boundary {
            trigger: Trigger::Message(awaited),
            ..
        } => Some(awaited),
        _ => None,
    }
}

fn timer(kind: &NodeKind) -> Option<&TimerRule> {
    match kind {
        NodeKind::Catch(Trigger::Timer(rule))
        | NodeKind::Boundary {
            trigger: Trigger::Timer(rule),
            ..
        } => Some(rule),
        _ => None,
    }
}
