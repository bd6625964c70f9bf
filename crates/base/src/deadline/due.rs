//! The fold over the ledger: the due date, and how a dossier stands against it.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Budget, Event, Ledger, Rules,
    explain::{Line, Teller},
    period::{Laid, Left, lay},
};
use crate::{calendar::Calendar, time::Timestamp};

/// The due date as derived from a ledger with a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The due instant at reception, had nothing happened since.
    pub original: Timestamp,
    /// The due instant now; none while the clock is stopped.
    pub current: Option<Timestamp>,
    /// Whether the clock runs, is stopped, or has ended.
    pub state: State,
    /// Whether a decision on holidays that is still to come may move the date.
    pub uncertain: bool,
    #[serde(skip)]
    due_soon_minutes: u32,
}

/// Whether the clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It runs.
    Running,
    /// It is stopped.
    Suspended {
        /// Since when.
        since: Timestamp,
        /// The period had already ended when the clock was stopped.
        overdue: bool,
    },
    /// The dossier has ended.
    Closed {
        /// When.
        at: Timestamp,
        /// In time or not.
        outcome: Outcome,
    },
}

/// How a dossier ended against its due date (trước hạn, đúng hạn, quá hạn).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// On a date before the date it was due.
    Early {
        /// By this much working time.
        working_minutes: i64,
    },
    /// On the date it was due, in time.
    OnTime,
    /// After the due instant.
    Late {
        /// By this much working time, which is 0 where no work was done in between.
        working_minutes: i64,
    },
}

/// How a dossier stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Status {
    /// There is time.
    OnTime {
        /// Working time left.
        working_minutes: i64,
    },
    /// There is little time: no more than [`Rules::due_soon_minutes`].
    DueSoon {
        /// Working time left.
        working_minutes: i64,
    },
    /// The due instant has passed.
    Overdue {
        /// Working time since.
        working_minutes: i64,
    },
    /// The clock is stopped.
    Suspended,
    /// The dossier has ended.
    Closed(Outcome),
}

impl Due {
    /// How the dossier stands at `now`.
    pub fn status_at(&self, now: Timestamp, calendar: &Calendar) -> Status {
        match (self.state, self.current) {
            (State::Closed { outcome, .. }, _) => Status::Closed(outcome),
            (State::Suspended { .. }, _) | (State::Running, None) => Status::Suspended,
            (State::Running, Some(due)) if now > due => Status::Overdue {
                working_minutes: calendar.working_minutes_between(due, now),
            },
            (State::Running, Some(due)) => {
                let working_minutes = calendar.working_minutes_between(now, due);
                if working_minutes <= i64::from(self.due_soon_minutes) {
                    Status::DueSoon { working_minutes }
                } else {
                    Status::OnTime { working_minutes }
                }
            }
        }
    }

    /// How the dossier ended; none while it is open.
    pub const fn outcome(&self) -> Option<Outcome> {
        match self.state {
            State::Closed { outcome, .. } => Some(outcome),
            State::Running | State::Suspended { .. } => None,
        }
    }
}

impl Ledger {
    /// Derives the due date.
    pub fn due(&self, calendar: &Calendar) -> Due {
        Fold::over(self, calendar, &mut None)
    }

    /// Says why the due date is what it is, line by line, in the order of time.
    pub fn explain(&self, calendar: &Calendar) -> Vec<Line> {
        let mut teller = Some(Teller::new(self, calendar));
        Fold::over(self, calendar, &mut teller);
        teller.map(Teller::lines).unwrap_or_default()
    }
}

/// One stretch in which the clock ran.
#[derive(Clone, Copy)]
struct Run {
    from: Timestamp,
    to: Option<Timestamp>,
}

struct Fold<'a> {
    rules: &'a Rules,
    calendar: &'a Calendar,
    /// The stretches of the present period.
    runs: Vec<Run>,
    /// What is left, and the stretch that runs, if one does.
    left: Left,
    laid: Option<Laid>,
}

impl<'a> Fold<'a> {
    fn over(ledger: &'a Ledger, calendar: &'a Calendar, teller: &mut Option<Teller<'a>>) -> Due {
        let rules = ledger.rules();
        let received = ledger.received_at();
        let mut fold = Self {
            rules,
            calendar,
            runs: Vec::new(),
            left: Left::of(ledger.budget()),
            laid: None,
        };
        fold.restart(ledger.budget(), received);
        let original = fold.laid.map_or(received, |laid| laid.due);
        let mut budget = ledger.budget();
        let mut since = received;
        let mut closed = None;
        for entry in ledger.entries() {
            // What was counted until now is told before what ended it.
            match &entry.event {
                Event::Received => {}
                Event::Suspended { .. } => {
                    fold.tell_run(teller, Some(entry.at));
                    fold.stop(entry.at);
                    since = entry.at;
                }
                Event::Resumed { restart: true } => fold.restart(budget, entry.at),
                Event::Resumed { restart: false } => fold.start(entry.at),
                Event::ReappointedTo { due } => {
                    fold.tell_run(teller, None);
                    fold.begin(Left::Until(*due), entry.at);
                }
                Event::BudgetChanged { budget: changed } => {
                    budget = changed;
                    fold.recount(changed);
                }
                Event::Closed => closed = Some(entry.at),
            }
            if entry.event == Event::Closed {
                fold.tell_run(teller, None);
            }
            if let Some(teller) = teller {
                teller.entry(entry, fold.laid.as_ref(), fold.left, budget);
            }
        }
        let state = match (closed, fold.laid) {
            (Some(at), laid) => {
                // A dossier that ends while its clock is stopped is judged as if the clock had been started at that instant.
                let due = laid
                    .unwrap_or_else(|| lay(fold.left, at, Some(since.legal_date()), rules, calendar))
                    .due;
                State::Closed {
                    at,
                    outcome: outcome(at, due, calendar),
                }
            }
            (None, Some(_)) => State::Running,
            (None, None) => State::Suspended {
                since,
                overdue: matches!(fold.left, Left::Passed(_)),
            },
        };
        if closed.is_none() {
            fold.tell_run(teller, None);
        }
        let current = fold.laid.map(|laid| laid.due);
        let last: Date = current.unwrap_or(since).legal_date();
        let uncertain = calendar.is_uncertain(received.legal_date(), last.max(original.legal_date()));
        if let Some(teller) = teller {
            teller.finish(state, uncertain);
        }
        Due {
            original,
            current,
            state,
            uncertain,
            due_soon_minutes: rules.due_soon_minutes,
        }
    }

    /// A period from zero.
    fn restart(&mut self, budget: &Budget, at: Timestamp) {
        self.begin(Left::of(budget), at);
    }

    fn begin(&mut self, whole: Left, at: Timestamp) {
        self.runs.clear();
        self.left = whole;
        self.start(at);
    }

    fn start(&mut self, at: Timestamp) {
        let stopped = self.runs.last().and_then(|run| run.to).map(Timestamp::legal_date);
        self.laid = Some(lay(self.left, at, stopped, self.rules, self.calendar));
        self.runs.push(Run { from: at, to: None });
    }

    fn stop(&mut self, at: Timestamp) {
        if let Some(laid) = self.laid.take() {
            self.left = laid.stop(at, self.rules, self.calendar);
        }
        if let Some(run) = self.runs.last_mut() {
            run.to = Some(at);
        }
    }

    /// The same stretches with another budget.
    fn recount(&mut self, budget: &Budget) {
        let runs = std::mem::take(&mut self.runs);
        self.left = Left::of(budget);
        for run in runs {
            self.start(run.from);
            if let Some(to) = run.to {
                self.stop(to);
            }
        }
    }

    fn tell_run(&self, teller: &mut Option<Teller<'a>>, until: Option<Timestamp>) {
        if let (Some(teller), Some(laid)) = (teller, &self.laid) {
            teller.run(laid, until);
        }
    }
}

fn outcome(at: Timestamp, due: Timestamp, calendar: &Calendar) -> Outcome {
    if at > due {
        Outcome::Late {
            working_minutes: calendar.working_minutes_between(due, at),
        }
    } else if at.legal_date() < due.legal_date() {
        Outcome::Early {
            working_minutes: calendar.working_minutes_between(at, due),
        }
    } else {
        Outcome::OnTime
    }
}
