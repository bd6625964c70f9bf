//! The deadline ledger against a clock that ticks a day, or a minute, at a time.

use base::{
    Text, Timestamp,
    deadline::{BrokenMonth, Budget, Cutoff, DayEnd, Entry, Event, Ledger, LineKind, Rules, State, Status, Unit},
};
use jiff::{
    ToSpan as _,
    civil::{Date, time},
};
use proptest::prelude::*;

use crate::reference::{Slow, cases, minute, slow_calendar, split};

/// One stretch in which the clock runs, in minutes.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: i64,
    to: Option<i64>,
}

/// What the slow clock says.
#[derive(Debug, PartialEq, Eq)]
enum Slowly {
    Due(Timestamp),
    Stopped,
}

struct Ticker<'a> {
    slow: &'a Slow,
    rules: &'a Rules,
}

impl Ticker<'_> {
    fn next_work(&self, mut day: Date) -> Date {
        loop {
            day = day.tomorrow().expect("a day");
            if self.slow.works(day) {
                return day;
            }
        }
    }

    /// The day of the event after the rule of late reception, and whether it was moved.
    fn start(&self, from: i64, moves: bool) -> (Date, bool) {
        let (day, minute) = split(from);
        let late = self.rules.cutoff.is_some() && (minute > 15 * 60 || minute > self.slow.end_of_work(day));
        if moves && (!self.slow.works(day) || late) {
            (self.next_work(day), true)
        } else {
            (day, false)
        }
    }

    fn end(&self, mut day: Date, end: DayEnd) -> Timestamp {
        while self.rules.roll_to_working_day && !self.slow.works(day) {
            day = day.tomorrow().expect("a day");
        }
        let midnight = day.at(23, 59, 59, 999_999_000);
        match end {
            DayEnd::WorkingHours if self.slow.works(day) => {
                let minute = self.slow.end_of_work(day);
                Timestamp::from_legal(day.at(i8::try_from(minute / 60).expect("an hour"), 0, 0, 0))
            }
            _ => Timestamp::from_legal(midnight),
        }
    }

    /// Counts days: each tick is one day of the kind that counts. `spent` is the last day that has ticked already.
    fn days(&self, mut left: u32, working: bool, mut spent: Option<Date>, runs: &[Run]) -> Slowly {
        let moves = working || self.rules.cutoff_for_calendar_periods;
        let end = if working {
            self.rules.working_day_end
        } else {
            self.rules.calendar_day_end
        };
        for run in runs {
            let (start, _) = self.start(run.from, moves);
            let stop = run.to.map(|to| split(to).0);
            let mut day = start;
            loop {
                let in_run = stop.is_none_or(|stop| day <= stop) && spent.is_none_or(|spent| day > spent);
                let counts = if self.rules.exclude_first_day {
                    day > start
                } else {
                    true
                };
                if left > 0 && in_run && counts && (!working || self.slow.works(day)) {
                    left -= 1;
                }
                if left == 0 {
                    let mut due = self.end(day, end);
                    if due < minute(run.from) {
                        due = self.end(self.next_work(day), end);
                    }
                    if run.to.is_none_or(|to| minute(to) > due) {
                        return Slowly::Due(due);
                    }
                    break;
                }
                if stop.is_some_and(|stop| day >= stop) {
                    break;
                }
                day = day.tomorrow().expect("a day");
            }
            spent = stop;
        }
        Slowly::Stopped
    }

    fn months(&self, months: u32, whole_days: u32, runs: &[Run]) -> Slowly {
        let Some(first) = runs.first() else {
            return Slowly::Stopped;
        };
        let (start, _) = self.start(first.from, self.rules.cutoff_for_calendar_periods);
        let (mut year, mut month) = (start.year(), start.month());
        for _ in 0..months {
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        let length = Date::new(year, month, 1).expect("a date").days_in_month();
        let mut last = Date::new(year, month, start.day().min(length)).expect("a date");
        if !self.rules.exclude_first_day && start.day() <= length {
            last = last.yesterday().expect("a day");
        }
        let due = self.end(last, self.rules.calendar_day_end);
        let Some(to) = first.to.filter(|to| minute(*to) <= due) else {
            return Slowly::Due(due);
        };
        let stop = split(to).0;
        let (mut spent, mut ahead) = (0, 0);
        let mut day = start;
        if !self.rules.exclude_first_day && day <= stop {
            spent += 1;
        }
        while day < stop {
            day = day.tomorrow().expect("a day");
            spent += 1;
        }
        let mut day = stop.max(if self.rules.exclude_first_day {
            start
        } else {
            start.yesterday().expect("a day")
        });
        while day < last {
            day = day.tomorrow().expect("a day");
            ahead += 1;
        }
        let left = match self.rules.broken_month {
            BrokenMonth::ThirtyDays => whole_days.saturating_sub(spent),
            BrokenMonth::CalendarDays => ahead,
        };
        self.days(left, false, Some(stop), &runs[1..])
    }

    /// Counts minutes, of work or of the clock.
    fn minutes(&self, mut left: i64, working: bool, runs: &[Run]) -> Slowly {
        for run in runs {
            let mut at = run.from;
            if working {
                let (start, moved) = self.start(run.from, true);
                while moved && split(at).0 < start {
                    at += 1;
                }
                while moved && !self.slow.works_in_minute(at) {
                    at += 1;
                }
            }
            loop {
                if left == 0 {
                    if run.to.is_none_or(|to| to > at) {
                        return Slowly::Due(minute(at));
                    }
                    break;
                }
                if run.to.is_some_and(|to| at >= to) {
                    break;
                }
                left -= i64::from(!working || self.slow.works_in_minute(at));
                at += 1;
            }
        }
        Slowly::Stopped
    }

    fn due(&self, qty: u32, unit: Unit, runs: &[Run]) -> Slowly {
        let hours = i64::from(qty) * 60;
        match unit {
            _ if qty == 0 => self.days(0, true, None, runs),
            Unit::WorkingDay => self.days(qty, true, None, runs),
            Unit::WorkingHour => self.minutes(hours, true, runs),
            Unit::Day => self.days(qty, false, None, runs),
            Unit::Week => self.days(qty * 7, false, None, runs),
            Unit::Hour => self.minutes(hours, false, runs),
            Unit::Month => self.months(qty, qty * 30, runs),
            Unit::Year => self.months(qty * 12, qty * 365, runs),
        }
    }
}

fn budgets() -> impl Strategy<Value = (u32, Unit)> {
    prop_oneof![
        (0_u32..40).prop_map(|n| (n, Unit::WorkingDay)),
        (0_u32..60).prop_map(|n| (n, Unit::WorkingHour)),
        (0_u32..60).prop_map(|n| (n, Unit::Day)),
        (0_u32..200).prop_map(|n| (n, Unit::Hour)),
        (0_u32..8).prop_map(|n| (n, Unit::Week)),
        (0_u32..5).prop_map(|n| (n, Unit::Month)),
        (0_u32..2).prop_map(|n| (n, Unit::Year)),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (
        any::<[bool; 5]>(),
        prop::sample::select(vec![DayEnd::WorkingHours, DayEnd::Midnight]),
    )
        .prop_map(|([cutoff, calendar_too, exclude, roll, thirty], end)| Rules {
            cutoff: cutoff.then(|| Cutoff {
                after: time(15, 0, 0, 0),
                basis: Text::default(),
            }),
            cutoff_for_calendar_periods: calendar_too,
            exclude_first_day: exclude,
            roll_to_working_day: roll,
            working_day_end: DayEnd::WorkingHours,
            calendar_day_end: end,
            broken_month: if thirty {
                BrokenMonth::ThirtyDays
            } else {
                BrokenMonth::CalendarDays
            },
            ..Rules::default()
        })
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Toggle { restart: bool },
    Change(u32, Unit),
}

/// Steps with the minutes before each: some at once, some soon, some after days.
fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let gap = prop_oneof![Just(0_i64), 1_i64..600, 600_i64..20_000];
    let step = prop_oneof![
        5 => Just(Step::Toggle { restart: false }),
        1 => Just(Step::Toggle { restart: true }),
        1 => budgets().prop_map(|(n, unit)| Step::Change(n, unit)),
    ];
    prop::collection::vec((gap, step), 0..7)
}

/// Minutes that meet 07:30, 11:30, 15:00 and 17:00 often.
fn received() -> impl Strategy<Value = i64> {
    let edge = prop::sample::select(vec![0_i64, 449, 450, 690, 810, 899, 900, 901, 1_020, 1_021, 1_439]);
    (0_i64..450, prop_oneof![edge, 0_i64..1_440]).prop_map(|(day, minute)| day * 1_440 + minute)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn due_dates_agree(slow in slow_calendar(), rules in rules(), (qty, unit) in budgets(), received in received(), steps in steps()) {
        let calendar = slow.compiled();
        let budget = |qty, unit| Budget::new(qty, unit, Text::default());
        let mut ledger = Ledger::received(minute(received), budget(qty, unit), rules.clone(), "test").expect("a ledger");
        let (mut now, mut current) = (received, (qty, unit));
        let mut runs = vec![Run { from: received, to: None }];
        for (gap, step) in steps {
            now += gap;
            let running = runs.last().is_some_and(|run| run.to.is_none());
            let event = match step {
                Step::Toggle { .. } if running => {
                    if let Some(run) = runs.last_mut() {
                        run.to = Some(now);
                    }
                    Event::Suspended { reason: Text::new("thử", "test") }
                }
                Step::Toggle { restart } => {
                    if restart {
                        runs.clear();
                    }
                    runs.push(Run { from: now, to: None });
                    Event::Resumed { restart }
                }
                Step::Change(n, unit) => {
                    current = (n, unit);
                    Event::BudgetChanged { budget: budget(n, unit) }
                }
            };
            ledger.append(Entry::new(minute(now), event).document("12/VB")).expect("a sound entry");
        }
        let ticker = Ticker { slow: &slow, rules: &rules };
        let due = ledger.due(&calendar);
        let slowly = match runs.last() {
            Some(run) if run.to.is_none() => ticker.due(current.0, current.1, &runs),
            _ => Slowly::Stopped,
        };
        let fast = due.current.map_or(Slowly::Stopped, Slowly::Due);
        prop_assert_eq!(&fast, &slowly);
        prop_assert_eq!(Slowly::Due(due.original), ticker.due(qty, unit, &[Run { from: received, to: None }]));

        // The explanation ends at the very date, in both languages.
        let lines = ledger.explain(&calendar);
        prop_assert!(lines.iter().all(|line| !line.text.vi.is_empty() && !line.text.en.is_empty() && line.from <= line.to));
        let told = lines.iter().rev().find(|line| line.kind == LineKind::Due).map(|line| line.to);
        if let Some(at) = due.current {
            prop_assert_eq!(told, Some(at.legal_date()));
        }

        // One microsecond decides.
        match (due.state, due.current) {
            (State::Running, Some(at)) => {
                let on_time = matches!(due.status_at(at, &calendar), Status::OnTime { .. } | Status::DueSoon { .. });
                prop_assert!(on_time);
                let overdue = matches!(due.status_at(at.plus_micros(1), &calendar), Status::Overdue { .. });
                prop_assert!(overdue);
            }
            (state, current) => {
                let suspended = matches!(state, State::Suspended { .. });
                prop_assert!(suspended && current.is_none());
            }
        }

        // A ledger is what it is stored as.
        let text = serde_json::to_string(&ledger).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Ledger>(&text).expect("a ledger"), ledger);
    }

    /// Stopping the clock never brings a date forward, except where a broken month counts as thirty days.
    #[test]
    fn a_pause_never_costs_time(slow in slow_calendar(), (qty, unit) in budgets(), received in received(), stop in 0_i64..30_000, pause in 0_i64..30_000) {
        let calendar = slow.compiled();
        let rules = Rules { broken_month: BrokenMonth::CalendarDays, ..Rules::default() };
        let mut ledger = Ledger::received(minute(received), Budget::new(qty, unit, Text::default()), rules, "test").expect("a ledger");
        let before = ledger.due(&calendar).original;
        let reason = Text::new("thử", "test");
        ledger.append(Entry::new(minute(received + stop), Event::Suspended { reason }).document("1")).expect("stopped");
        ledger.append(Entry::new(minute(received + stop + pause), Event::Resumed { restart: false })).expect("started");
        prop_assert!(ledger.due(&calendar).current >= Some(before));
        prop_assert_eq!(ledger.due(&calendar).original, before);
    }
}

#[test]
fn days_are_added_as_the_reference_adds_them() {
    // The reference itself, on a week that anybody can count: Monday 2 June 2025 and three working days is Thursday.
    let slow = Slow::plain();
    let ticker = Ticker {
        slow: &slow,
        rules: &Rules::default(),
    };
    let monday = 1_440 + 9 * 60;
    let thursday = jiff::civil::date(2025, 6, 2).saturating_add(3.days());
    let due = ticker.due(3, Unit::WorkingDay, &[Run { from: monday, to: None }]);
    assert_eq!(due, Slowly::Due(Timestamp::from_legal(thursday.at(17, 0, 0, 0))));
}
