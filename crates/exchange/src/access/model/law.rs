//! The clocks of the law, by the working-day calendar.
//!
//! What is certain: Decree 47/2020/NĐ-CP let a provider answer a request or make the account within 5 working days, and asked
//! for notice of at least 7 working days before it suspends; Decree 194/2025/NĐ-CP wants a refusal in writing with its legal
//! ground, and the account within 2 working days of the agreement. What is not: whether the periods of Decree 47/2020 live on
//! in what replaced it (Decrees 194/2025 and 278/2025 name no other that we found), whether a question to the consumer starts
//! the period anew, and whether a provider that ends a grant owes the same notice as one that suspends it. So each is a
//! setting with its source, and the defaults take the reading that protects whoever relies on the data.
//!
//! The connection itself needs no clock: the node opens the grant in the very transaction that approves it.

use std::sync::Arc;

use base::{
    Calendar, Result, Text, Timestamp,
    deadline::{self, Budget, DayEnd, Ledger, Line, Rules, Unit},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Entry, Event, File};

/// The periods. Each has its source beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clocks {
    /// Within how long a provider answers a request.
    pub answer: Budget,
    /// Whether that period begins anew when the consumer has answered a question; else it goes on.
    pub restart_after_supplement: bool,
    /// How long before a suspension notice is given.
    pub notice: Budget,
    /// Whether a provider that ends a grant gives the same notice.
    pub end_needs_notice: bool,
    /// How many working days before its end a grant is pointed out. Our own choice: time for a new request and its answer.
    pub warning_days: u32,
}

impl Default for Clocks {
    fn default() -> Self {
        let decree = || Text::new("Nghị định 47/2020/NĐ-CP", "Decree 47/2020/NĐ-CP");
        Self {
            answer: Budget::new(5, Unit::WorkingDay, decree()),
            restart_after_supplement: true,
            notice: Budget::new(7, Unit::WorkingDay, decree()),
            end_needs_notice: true,
            warning_days: 15,
        }
    }
}

/// The periods with the calendar that they are counted by.
#[derive(Debug, Clone)]
pub struct Law {
    clocks: Arc<Clocks>,
    calendar: Arc<Calendar>,
    rules: Rules,
}

impl Law {
    /// Periods over a calendar. No hour of the day makes a request late: that rule is for dossiers of people.
    pub fn new(clocks: Clocks, calendar: Calendar) -> Self {
        Self {
            clocks: Arc::new(clocks),
            calendar: Arc::new(calendar),
            rules: Rules {
                cutoff: None,
                working_day_end: DayEnd::WorkingHours,
                ..Rules::default()
            },
        }
    }

    /// The periods.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// By when the provider answers; none while the consumer has to, and when it has been answered.
    ///
    /// # Errors
    /// A period in the configuration that no ledger takes, or a log that is none.
    pub fn answer_due(&self, log: &[Entry]) -> Result<Option<Timestamp>> {
        let Some(ledger) = self.answer(log)? else {
            return Ok(None);
        };
        let due = ledger.due(&self.calendar);
        Ok(due.current.filter(|_| matches!(due.state, deadline::State::Running)))
    }

    /// Why this date, line by line.
    ///
    /// # Errors
    /// As [`Law::answer_due`].
    pub fn why(&self, log: &[Entry]) -> Result<Vec<Line>> {
        let ledger = self.answer(log)?;
        Ok(ledger.map(|ledger| ledger.explain(&self.calendar)).unwrap_or_default())
    }

    /// The first day from which a provider may suspend a grant, or end it, when it gives notice now: the day after the last
    /// of the notice.
    ///
    /// # Errors
    /// As [`Law::answer_due`].
    pub fn earliest_after_notice(&self, now: Timestamp) -> Result<Date> {
        let ledger = Ledger::received(
            now,
            self.clocks.notice.clone(),
            self.rules.clone(),
            self.calendar.version(),
        )?;
        let last = ledger.due(&self.calendar).original.legal_date();
        Ok(last.tomorrow().unwrap_or(last))
    }

    /// What ends before this is soon over.
    pub fn soon(&self, now: Timestamp) -> Timestamp {
        let last = self
            .calendar
            .add_working_days(now.legal_date(), self.clocks.warning_days);
        Timestamp::from_legal(last.at(23, 59, 59, 999_999_000))
    }

    /// When the end of a grant is pointed out; none where nothing was agreed.
    pub fn warns_at(&self, file: &File) -> Option<Timestamp> {
        let ends_at = file.ends_at()?;
        Some(self.calendar.sub_working_days(ends_at, self.clocks.warning_days))
    }

    /// The next instant at which the clock has something to write into the log.
    pub fn ticks_at(&self, file: &File) -> Option<Timestamp> {
        if file.over {
            return None;
        }
        let warning = self.warns_at(file).filter(|_| !file.warned);
        warning.into_iter().chain(file.ends_at()).min()
    }

    /// The period of the answer as the log has moved it.
    fn answer(&self, log: &[Entry]) -> Result<Option<Ledger>> {
        let Some((first, rest)) = log.split_first() else {
            return Ok(None);
        };
        let mut ledger = Ledger::received(
            first.at,
            self.clocks.answer.clone(),
            self.rules.clone(),
            self.calendar.version(),
        )?;
        for entry in rest {
            let event = match &entry.event {
                Event::MoreAsked { question } => deadline::Event::Suspended {
                    reason: Text::new(question, question),
                },
                Event::Supplemented { .. } => deadline::Event::Resumed {
                    restart: self.clocks.restart_after_supplement,
                },
                Event::Approved { .. } | Event::Refused { .. } | Event::Withdrawn { .. } => deadline::Event::Closed,
                _ => continue,
            };
            ledger.append(deadline::Entry::new(entry.at, event).document(format!("#{}", entry.seq)))?;
        }
        Ok(Some(ledger))
    }
}
