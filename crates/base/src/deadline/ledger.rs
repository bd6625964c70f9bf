//! The ledger itself: what may be written to it, and when.

use serde::{Deserialize, Serialize};

use super::{Appointment, Budget, DayEnd, Entry, Event, Rules, refuse};
use crate::{
    refusal::{Problems, Result},
    time::Timestamp,
};

/// A budget and what happened to it. Entries are only ever added, and only such as make sense after those before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Ledger {
    budget: Budget,
    rules: Rules,
    calendar_version: String,
    entries: Vec<Entry>,
}

/// A ledger as stored, not yet checked.
#[derive(Deserialize)]
struct Stored {
    budget: Budget,
    rules: Rules,
    calendar_version: String,
    entries: Vec<Entry>,
}

impl TryFrom<Stored> for Ledger {
    type Error = crate::refusal::Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let mut entries = stored.entries.into_iter();
        let mut ledger = match entries.next() {
            Some(first) if first.event == Event::Received => {
                Self::open(stored.budget, stored.rules, stored.calendar_version, first)?
            }
            _ => {
                let mut found = Problems::new();
                found.add(
                    "not-received",
                    "entries/0",
                    "Sổ thời hạn phải bắt đầu bằng việc tiếp nhận hồ sơ.",
                    "A deadline ledger begins with the reception of the dossier.",
                );
                return Err(crate::refusal::Error::Refused(crate::refusal::Kind::Invalid, found));
            }
        };
        entries.try_for_each(|entry| ledger.append(entry)).map(|()| ledger)
    }
}

/// 1900-01-01 and 2300-01-01 in legal time, in microseconds: beyond them lie only mistakes.
const EARLIEST: i64 = -2_209_014_000_000_000;
const LATEST: i64 = 10_413_766_800_000_000;

impl Ledger {
    /// Opens the ledger of a dossier that was received at `at`.
    ///
    /// # Errors
    /// A budget of more than about a hundred years, or an instant outside 1900 to 2299.
    pub fn received(at: Timestamp, budget: Budget, rules: Rules, calendar_version: impl Into<String>) -> Result<Self> {
        Self::open(budget, rules, calendar_version.into(), Entry::new(at, Event::Received))
    }

    fn open(budget: Budget, rules: Rules, calendar_version: String, first: Entry) -> Result<Self> {
        let mut found = Problems::new();
        budget.check(&mut found);
        check_instant(first.at, "at", &mut found);
        refuse(found, false)?;
        Ok(Self {
            budget,
            rules,
            calendar_version,
            entries: vec![first],
        })
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// Everything that speaks against it: a conflict where the ledger has moved on, else invalid. Nothing is added then.
    pub fn append(&mut self, entry: Entry) -> Result<()> {
        let (mut found, mut conflict) = (Problems::new(), false);
        let mut against_state = |found: &mut Problems, code: &str, vi: &str, en: &str| {
            conflict = true;
            found.add(code, "event", vi, en);
        };
        check_instant(entry.at, "at", &mut found);
        let last = self.entries.last().map_or(entry.at, |last| last.at);
        if entry.at < last {
            found.add(
                "not-in-order",
                "at",
                format!(
                    "Thời điểm phải từ {} trở đi, là thời điểm của lần ghi trước.",
                    last.display()
                ),
                format!(
                    "The time must be {} or later, the time of the entry before.",
                    last.display()
                ),
            );
        }
        if self.closed().is_some() {
            against_state(
                &mut found,
                "closed",
                "Hồ sơ đã kết thúc; không thể ghi thêm vào thời hạn.",
                "The dossier has ended; nothing can be added to its deadline.",
            );
        }
        let suspended = self.is_suspended();
        match &entry.event {
            Event::Received => against_state(
                &mut found,
                "already-received",
                "Hồ sơ đã được tiếp nhận.",
                "The dossier was received already.",
            ),
            Event::Suspended { .. } => {
                if suspended {
                    against_state(
                        &mut found,
                        "already-suspended",
                        "Thời hạn đang tạm dừng.",
                        "The clock is stopped already.",
                    );
                }
                if entry.document.as_deref().is_none_or(|number| number.trim().is_empty()) {
                    found.add(
                        "document-required",
                        "document",
                        "Nhập số, ký hiệu văn bản cho phép tạm dừng thời hạn.",
                        "Give the number of the document that permits the clock to be stopped.",
                    );
                }
            }
            Event::Resumed { .. } if !suspended => against_state(
                &mut found,
                "not-suspended",
                "Thời hạn không tạm dừng nên không thể tính tiếp.",
                "The clock is not stopped, so it cannot be started again.",
            ),
            Event::ReappointedTo { due } => {
                if suspended {
                    against_state(
                        &mut found,
                        "suspended",
                        "Thời hạn đang tạm dừng; tính tiếp thời hạn trước khi hẹn lại ngày trả kết quả.",
                        "The clock is stopped; start it again before a new date is appointed.",
                    );
                }
                let most = self.rules.max_reappointments;
                if self.reappointments() >= usize::try_from(most).unwrap_or(usize::MAX) {
                    conflict = true;
                    found.add(
                        "too-many-reappointments",
                        "event",
                        format!("Chỉ được hẹn lại ngày trả kết quả {most} lần."),
                        format!("A new date may be appointed {most} time(s) only."),
                    );
                }
                check_appointment(*due, entry.at, &mut found);
            }
            Event::BudgetChanged { budget } => {
                budget.check(&mut found);
                if self.is_reappointed() {
                    against_state(
                        &mut found,
                        "reappointed",
                        "Đã hẹn lại ngày trả kết quả; thời hạn không thể thay đổi.",
                        "A new date was appointed; the period cannot be changed.",
                    );
                }
            }
            Event::Resumed { .. } | Event::Closed => {}
        }
        refuse(found, conflict)?;
        self.entries.push(entry);
        Ok(())
    }

    /// The budget at reception.
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The rules that the dossier was received under.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The version of the calendar at reception.
    pub fn calendar_version(&self) -> &str {
        &self.calendar_version
    }

    /// What happened, oldest first; never empty.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// When the dossier was received.
    pub fn received_at(&self) -> Timestamp {
        self.entries.first().map_or_else(Timestamp::default, |first| first.at)
    }

    /// When it ended.
    pub fn closed(&self) -> Option<Timestamp> {
        self.entries
            .last()
            .filter(|entry| entry.event == Event::Closed)
            .map(|entry| entry.at)
    }

    /// Whether the clock is stopped.
    pub fn is_suspended(&self) -> bool {
        let last = self
            .entries
            .iter()
            .rev()
            .find(|e| matches!(e.event, Event::Suspended { .. } | Event::Resumed { .. }));
        last.is_some_and(|entry| matches!(entry.event, Event::Suspended { .. }))
    }

    /// How often a new date was appointed.
    pub fn reappointments(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| matches!(entry.event, Event::ReappointedTo { .. }))
            .count()
    }

    /// Whether an appointed date holds, that is, no restart came after it.
    fn is_reappointed(&self) -> bool {
        let deciding = |e: &&Entry| matches!(e.event, Event::ReappointedTo { .. } | Event::Resumed { restart: true });
        self.entries
            .iter()
            .rev()
            .find(deciding)
            .is_some_and(|e| matches!(e.event, Event::ReappointedTo { .. }))
    }

    /// The rule for the last day of the present budget.
    pub(super) const fn day_end(rules: &Rules, working: bool) -> DayEnd {
        if working {
            rules.working_day_end
        } else {
            rules.calendar_day_end
        }
    }
}

fn check_instant(at: Timestamp, place: &str, found: &mut Problems) {
    if !(EARLIEST..LATEST).contains(&at.micros()) {
        found.add(
            "out-of-range",
            place,
            "Thời điểm phải từ năm 1900 đến năm 2299.",
            "The time must be from 1900 to 2299.",
        );
    }
}

fn check_appointment(due: Appointment, now: Timestamp, found: &mut Problems) {
    let (late_enough, sane) = match due {
        Appointment::Day(date) => (date >= now.legal_date(), (1900..2300).contains(&date.year())),
        Appointment::Instant(at) => (at > now, (EARLIEST..LATEST).contains(&at.micros())),
    };
    if !late_enough || !sane {
        found.add(
            "not-later",
            "due",
            "Ngày hẹn lại phải sau thời điểm hẹn và trước năm 2300.",
            "The new date must be after the time at which it is appointed, and before 2300.",
        );
    }
}
