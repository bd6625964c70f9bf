//! What one record was told, from reports that come late, in any order, and now and then wrong at first.

use country::Day;
use serde_json::Value;

/// A record through both times.
#[derive(Debug, Clone, PartialEq)]
pub struct Chronicle {
    /// What was told of it, in the order of recording; the first makes the record.
    pub told: Vec<Told>,
}

/// Why something was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// Who or what said so.
    pub source: &'static str,
    /// The law; the registry's own where it is empty.
    pub basis: &'static str,
}

/// One version of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// When it was written down.
    pub recorded: Day,
    /// Why.
    pub ground: Ground,
    /// The version that it corrects, from 1.
    pub corrects: Option<i64>,
    /// The first day on which it holds.
    pub from: Day,
    /// What holds; none where the record ends.
    pub body: Option<Value>,
}

/// A report about one record. A later one of the same happening corrects it.
#[derive(Debug, Clone, Copy)]
pub struct Fact<W> {
    /// What happened.
    pub what: W,
    /// When.
    pub on: Day,
    /// When it was written down.
    pub recorded: Day,
    /// Why it was.
    pub ground: Ground,
}

impl Chronicle {
    /// The record that these reports make. Those up to `begun`, or the first ones where all are later, make it as one; each later one
    /// is a version, and corrects those before it that say something else than is known with it. `body` tells what holds on a day
    /// after what has happened until then, in its order: nothing where the record has ended. None where nothing ever held.
    pub fn of<W: Copy + PartialEq>(
        mut facts: Vec<Fact<W>>,
        begun: Day,
        taken_over: Ground,
        body: impl Fn(&[(W, Day)], Day) -> Option<Value>,
    ) -> Option<Self> {
        facts.sort_by_key(|fact| fact.recorded);
        let first = facts.first()?;
        let (since, ground) = if first.recorded <= begun {
            (begun, taken_over)
        } else {
            (first.recorded, first.ground)
        };
        let later = facts
            .iter()
            .position(|fact| fact.recorded > since)
            .unwrap_or(facts.len());
        let mut teller = Teller {
            known: Vec::new(),
            statements: Vec::new(),
            told: Vec::new(),
            body,
        };
        for fact in &facts[..later] {
            teller.learn(fact);
        }
        let all = teller.known.iter().map(|(what, _)| *what).collect();
        teller.state(all);
        teller.say(since, ground);
        for fact in &facts[later..] {
            if teller.learn(fact) {
                teller.state(vec![fact.what]);
            }
            teller.say(fact.recorded, fact.ground);
        }
        (!teller.told.is_empty()).then_some(Self { told: teller.told })
    }
}

struct Teller<W, B> {
    /// What is known, in the order in which it was first heard.
    known: Vec<(W, Day)>,
    statements: Vec<Statement<W>>,
    told: Vec<Told>,
    body: B,
}

/// What is said since the last of some happenings.
struct Statement<W> {
    about: Vec<W>,
    /// The version by which it was first said, and what it says now; none while it would say nothing new.
    said: Option<(i64, Day, Option<Value>)>,
}

impl<W: Copy + PartialEq, B: Fn(&[(W, Day)], Day) -> Option<Value>> Teller<W, B> {
    /// Takes a report; whether it is the first of its happening.
    fn learn(&mut self, fact: &Fact<W>) -> bool {
        match self.known.iter_mut().find(|(what, _)| *what == fact.what) {
            Some((_, on)) => {
                *on = fact.on;
                false
            }
            None => {
                self.known.push((fact.what, fact.on));
                true
            }
        }
    }

    fn state(&mut self, about: Vec<W>) {
        self.statements.push(Statement { about, said: None });
    }

    /// Says what differs from what was said so far.
    fn say(&mut self, recorded: Day, ground: Ground) {
        for n in 0..self.statements.len() {
            let from = self.since(n);
            let body = (self.body)(&self.until(from), from);
            let seq = self.told.len() as i64 + 1;
            let Some(statement) = self.statements.get(n) else {
                continue;
            };
            let corrects = match &statement.said {
                Some((_, since, said)) if *since == from && *said == body => continue,
                Some((first, ..)) => Some(*first),
                // The units' new codes and the like: what holds already is not said again.
                None if self.holds(from) == body.as_ref() => continue,
                None => None,
            };
            self.told.push(Told {
                recorded,
                ground,
                corrects,
                from,
                body: body.clone(),
            });
            if let Some(statement) = self.statements.get_mut(n) {
                statement.said = Some((corrects.unwrap_or(seq), from, body));
            }
        }
    }

    /// The day of the last happening that a statement is about.
    fn since(&self, statement: usize) -> Day {
        let about = self
            .statements
            .get(statement)
            .map_or(&[][..], |statement| &statement.about);
        let days = self
            .known
            .iter()
            .filter(|(what, _)| about.contains(what))
            .map(|(_, on)| *on);
        days.max().unwrap_or(Day::of(1900, 1, 1))
    }

    /// What has happened until a day, in its order.
    fn until(&self, day: Day) -> Vec<(W, Day)> {
        let mut happened: Vec<(W, Day)> = self.known.iter().copied().filter(|(_, on)| *on <= day).collect();
        happened.sort_by_key(|(_, on)| *on);
        happened
    }

    /// What was said to hold on a day, where anything was.
    fn holds(&self, on: Day) -> Option<&Value> {
        let said = self.statements.iter().filter_map(|statement| statement.said.as_ref());
        said.filter(|(_, from, _)| *from <= on)
            .max_by_key(|(seq, from, _)| (*from, *seq))
            .and_then(|(.., body)| body.as_ref())
    }
}
