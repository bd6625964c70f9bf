//! Dates that people can check by hand, on the real calendar of Viet Nam.

use base::{
    Calendar, Kind, Text, Timestamp,
    deadline::{
        Appointment, Budget, Cutoff, DayEnd, Entry, Event, Ledger, LineKind, Outcome, Rules, State, Status,
        Unit::{self, Day, Hour, Month, Week, WorkingDay, WorkingHour, Year},
    },
};
use jiff::civil::{Date, date, datetime};

fn viet_nam() -> Calendar {
    let data = toml::from_str(include_str!("../../../../data/calendar/viet-nam.toml")).expect("TOML");
    Calendar::new(data).expect("a sound calendar")
}

/// `2026-08-21 15:20` in legal time.
fn at(text: &str) -> Timestamp {
    Timestamp::from_legal(text.replace(' ', "T").parse().expect(text))
}

fn ledger(received: &str, qty: u32, unit: Unit) -> Ledger {
    with_rules(received, qty, unit, Rules::default())
}

fn with_rules(received: &str, qty: u32, unit: Unit, rules: Rules) -> Ledger {
    let calendar = viet_nam();
    Ledger::received(
        at(received),
        Budget::new(qty, unit, Text::default()),
        rules,
        calendar.version(),
    )
    .expect("a ledger")
}

fn end_of(date: Date) -> Timestamp {
    Timestamp::from_legal(date.at(23, 59, 59, 999_999_000))
}

#[test]
fn due_instants_on_the_real_calendar() {
    let calendar = viet_nam();
    for (received, qty, unit, due) in [
        // Before and after 15:00 on Friday 21 August 2026; Saturday the 22nd is worked in place of Monday the 31st.
        ("2026-08-21 15:00", 1, WorkingDay, "2026-08-22 17:00"),
        ("2026-08-21 15:00:00.000001", 1, WorkingDay, "2026-08-24 17:00"),
        ("2026-08-21 15:20", 0, WorkingDay, "2026-08-22 17:00"),
        ("2026-08-21 14:59", 0, WorkingDay, "2026-08-21 17:00"),
        // Over National Day: the 29th to the 2nd are off.
        ("2026-08-28 09:00", 1, WorkingDay, "2026-09-03 17:00"),
        ("2026-08-28 16:00", 1, WorkingDay, "2026-09-04 17:00"),
        ("2026-08-21 09:00", 20, WorkingDay, "2026-09-22 17:00"),
        // Over Tết 2026 (14 to 22 February) and Tết 2027 (4 to 10 February, expected).
        ("2026-02-13 10:00", 3, WorkingDay, "2026-02-25 17:00"),
        ("2026-02-13 15:30", 0, WorkingDay, "2026-02-23 17:00"),
        ("2027-02-03 10:00", 5, WorkingDay, "2027-02-17 17:00"),
        // The swap at the New Year of 2026: Friday 2 January off, Saturday the 10th worked.
        ("2025-12-31 09:00", 5, WorkingDay, "2026-01-09 17:00"),
        ("2025-12-31 09:00", 6, WorkingDay, "2026-01-10 17:00"),
        // Received on a Sunday.
        ("2026-08-23 09:00", 2, WorkingDay, "2026-08-26 17:00"),
        // Working hours.
        ("2026-08-21 14:00", 4, WorkingHour, "2026-08-22 08:30"),
        ("2026-08-21 15:30", 4, WorkingHour, "2026-08-22 11:30"),
        ("2026-08-21 11:00", 1, WorkingHour, "2026-08-21 14:00"),
        ("2026-08-21 23:30", 1, Hour, "2026-08-22 00:30"),
    ] {
        let ledger = ledger(received, qty, unit);
        assert_eq!(
            ledger.due(&calendar).current,
            Some(at(due)),
            "{qty} {unit:?} from {received}"
        );
    }
}

#[test]
fn periods_of_the_civil_code() {
    let calendar = viet_nam();
    for (received, qty, unit, last) in [
        // The day of the event is not counted.
        ("2026-10-01 09:00", 30, Day, date(2026, 11, 2)), // 31 October is a Saturday
        ("2026-10-01 16:00", 14, Day, date(2026, 10, 15)),
        ("2026-10-01 09:00", 2, Week, date(2026, 10, 15)),
        // A month ends on the same day of the month, or on its last.
        ("2025-01-31 09:00", 1, Month, date(2025, 2, 28)),
        ("2024-01-31 09:00", 1, Month, date(2024, 2, 29)),
        ("2026-01-31 09:00", 1, Month, date(2026, 3, 2)), // 28 February is a Saturday
        ("2026-03-31 09:00", 1, Month, date(2026, 5, 4)), // 30 April and 1 May, then a weekend
        ("2026-07-15 09:00", 2, Month, date(2026, 9, 15)),
        ("2024-02-29 09:00", 1, Year, date(2025, 2, 28)),
        ("2025-11-24 09:00", 1, Year, date(2026, 11, 25)), // Culture Day
    ] {
        let ledger = ledger(received, qty, unit);
        assert_eq!(
            ledger.due(&calendar).current,
            Some(end_of(last)),
            "{qty} {unit:?} from {received}"
        );
    }
}

#[test]
fn the_rules_are_configurable() {
    let calendar = viet_nam();
    let due = |rules: Rules, received: &str, qty, unit| with_rules(received, qty, unit, rules).due(&calendar).current;
    let base = Rules::default;
    let counted_first = Rules {
        exclude_first_day: false,
        ..base()
    };
    assert_eq!(
        due(counted_first.clone(), "2026-08-24 09:00", 3, WorkingDay),
        Some(at("2026-08-26 17:00"))
    );
    assert_eq!(
        due(counted_first, "2026-03-01 09:00", 1, Month),
        Some(end_of(date(2026, 3, 31)))
    );
    let no_cutoff = Rules { cutoff: None, ..base() };
    assert_eq!(
        due(no_cutoff, "2026-08-24 16:00", 1, WorkingDay),
        Some(at("2026-08-25 17:00"))
    );
    let later = Rules {
        cutoff: Some(Cutoff {
            after: jiff::civil::time(16, 30, 0, 0),
            ..Cutoff::default()
        }),
        ..base()
    };
    assert_eq!(
        due(later, "2026-08-24 16:00", 1, WorkingDay),
        Some(at("2026-08-25 17:00"))
    );
    let no_roll = Rules {
        roll_to_working_day: false,
        ..base()
    };
    assert_eq!(
        due(no_roll, "2026-10-01 09:00", 30, Day),
        Some(end_of(date(2026, 10, 31)))
    );
    let hours = Rules {
        calendar_day_end: DayEnd::WorkingHours,
        ..base()
    };
    assert_eq!(due(hours, "2026-10-01 09:00", 14, Day), Some(at("2026-10-15 17:00")));
    let both = Rules {
        cutoff_for_calendar_periods: true,
        ..base()
    };
    assert_eq!(due(both, "2026-10-01 16:00", 14, Day), Some(end_of(date(2026, 10, 16))));
}

fn suspend(ledger: &mut Ledger, when: &str) {
    let reason = Text::new("Chờ bổ sung giấy tờ", "Papers are awaited");
    ledger
        .append(Entry::new(at(when), Event::Suspended { reason }).document("12/PYC"))
        .expect("stopped");
}

#[test]
fn a_pause_keeps_what_was_left_and_completion_starts_from_zero() {
    let calendar = viet_nam();
    let mut kept = ledger("2026-10-05 09:00", 5, WorkingDay); // Monday; due Monday the 12th
    suspend(&mut kept, "2026-10-07 10:00"); // two days spent
    let due = kept.due(&calendar);
    assert_eq!((due.current, due.original), (None, at("2026-10-12 17:00")));
    assert_eq!(due.status_at(at("2026-12-01 09:00"), &calendar), Status::Suspended);
    let mut anew = kept.clone();
    kept.append(Entry::new(at("2026-10-20 09:00"), Event::Resumed { restart: false }))
        .expect("started");
    assert_eq!(
        kept.due(&calendar).current,
        Some(at("2026-10-23 17:00")),
        "three days after the 20th"
    );
    anew.append(Entry::new(at("2026-10-20 15:30"), Event::Resumed { restart: true }))
        .expect("started");
    assert_eq!(
        anew.due(&calendar).current,
        Some(at("2026-10-28 17:00")),
        "five days after the 21st"
    );
}

#[test]
fn a_pause_after_the_due_instant_changes_nothing() {
    let calendar = viet_nam();
    let mut late = ledger("2026-10-05 09:00", 1, WorkingDay);
    suspend(&mut late, "2026-10-06 17:00:00.000001");
    assert!(matches!(
        late.due(&calendar).state,
        State::Suspended { overdue: true, .. }
    ));
    late.append(Entry::new(at("2026-10-20 09:00"), Event::Resumed { restart: false }))
        .expect("started");
    assert_eq!(late.due(&calendar).current, Some(at("2026-10-06 17:00")));
    let mut just = ledger("2026-10-05 09:00", 1, WorkingDay);
    suspend(&mut just, "2026-10-06 17:00");
    just.append(Entry::new(at("2026-10-20 09:00"), Event::Resumed { restart: false }))
        .expect("started");
    assert_eq!(just.due(&calendar).current, Some(at("2026-10-20 17:00")));
}

#[test]
fn a_broken_month_is_thirty_days() {
    let calendar = viet_nam();
    let mut ledger = ledger("2026-07-01 09:00", 1, Month); // to 1 August, a Saturday, so Monday the 3rd
    assert_eq!(ledger.due(&calendar).current, Some(end_of(date(2026, 8, 3))));
    suspend(&mut ledger, "2026-07-11 09:00"); // ten days spent
    ledger
        .append(Entry::new(at("2026-07-20 09:00"), Event::Resumed { restart: false }))
        .expect("started");
    assert_eq!(
        ledger.due(&calendar).current,
        Some(end_of(date(2026, 8, 10))),
        "twenty days after the 20th, a Sunday"
    );
}

#[test]
fn a_longer_period_counts_from_the_same_start() {
    let calendar = viet_nam();
    let mut ledger = ledger("2026-10-05 09:00", 5, WorkingDay);
    suspend(&mut ledger, "2026-10-07 10:00");
    ledger
        .append(Entry::new(at("2026-10-20 09:00"), Event::Resumed { restart: false }))
        .expect("started");
    let budget = Budget::new(8, WorkingDay, Text::new("Quyết định gia hạn", "Decision to extend"));
    ledger
        .append(Entry::new(at("2026-10-21 09:00"), Event::BudgetChanged { budget }))
        .expect("changed");
    let due = ledger.due(&calendar);
    assert_eq!(
        (due.current, due.original),
        (Some(at("2026-10-28 17:00")), at("2026-10-12 17:00"))
    );
}

#[test]
fn a_new_date_is_appointed_once() {
    let calendar = viet_nam();
    let mut ledger = ledger("2026-10-05 09:00", 5, WorkingDay);
    let appoint = |ledger: &mut Ledger, when: &str, due| {
        ledger.append(Entry::new(at(when), Event::ReappointedTo { due }).document("3/XL"))
    };
    appoint(&mut ledger, "2026-10-11 09:00", Appointment::Day(date(2026, 10, 17))).expect("once");
    let due = ledger.due(&calendar);
    assert_eq!(due.current, Some(at("2026-10-19 17:00")), "the 17th is a Saturday");
    assert_eq!(due.original, at("2026-10-12 17:00"));
    let refused = appoint(&mut ledger, "2026-10-12 09:00", Appointment::Day(date(2026, 10, 1)))
        .expect_err("twice, and backwards");
    let codes: Vec<&str> = refused
        .problems()
        .into_iter()
        .flatten()
        .map(|p| p.code.as_str())
        .collect();
    assert_eq!(
        (refused.kind(), codes),
        (Some(Kind::Conflict), vec!["too-many-reappointments", "not-later"])
    );
    assert_eq!(ledger.reappointments(), 1, "nothing was added");
}

#[test]
fn entries_that_make_no_sense_are_refused_with_every_reason() {
    let refused = |ledger: &mut Ledger, entry: Entry| {
        let before = ledger.clone();
        let error = ledger.append(entry).expect_err("refused");
        assert_eq!(*ledger, before);
        let problems = error.problems().expect("a refusal");
        assert!(problems.iter().all(|p| !p.text.vi.is_empty() && !p.text.en.is_empty()));
        (
            error.kind().expect("a refusal"),
            problems.iter().map(|p| p.code.clone()).collect::<Vec<_>>(),
        )
    };
    let reason = Text::new("Chờ", "Waiting");
    let mut ledger = ledger("2026-10-05 09:00", 5, WorkingDay);
    let early = Entry::new(at("2026-10-05 08:59"), Event::Suspended { reason: reason.clone() });
    assert_eq!(
        refused(&mut ledger, early),
        (
            Kind::Invalid,
            vec!["not-in-order".to_owned(), "document-required".to_owned()]
        )
    );
    let resumed = Entry::new(at("2026-10-06 09:00"), Event::Resumed { restart: true });
    assert_eq!(
        refused(&mut ledger, resumed),
        (Kind::Conflict, vec!["not-suspended".to_owned()])
    );
    let again = Entry::new(at("2026-10-06 09:00"), Event::Received);
    assert_eq!(
        refused(&mut ledger, again),
        (Kind::Conflict, vec!["already-received".to_owned()])
    );
    suspend(&mut ledger, "2026-10-06 09:00");
    let twice = Entry::new(at("2026-10-06 09:00"), Event::Suspended { reason }).document("1");
    assert_eq!(
        refused(&mut ledger, twice),
        (Kind::Conflict, vec!["already-suspended".to_owned()])
    );
    let due = Appointment::Instant(at("2026-11-01 09:00"));
    let stopped = Entry::new(at("2026-10-06 09:00"), Event::ReappointedTo { due });
    assert_eq!(
        refused(&mut ledger, stopped),
        (Kind::Conflict, vec!["suspended".to_owned()])
    );
    ledger
        .append(Entry::new(at("2026-10-06 09:00"), Event::Closed))
        .expect("ended");
    let after = Entry::new(Timestamp::from_micros(i64::MAX), Event::Closed);
    assert_eq!(
        refused(&mut ledger, after),
        (Kind::Conflict, vec!["out-of-range".to_owned(), "closed".to_owned()])
    );
    let endless = Budget::new(u32::MAX, Month, Text::default());
    assert!(Ledger::received(at("2026-10-05 09:00"), endless, Rules::default(), "1").is_err());
}

#[test]
fn stored_ledgers_are_checked() {
    let ledger = ledger("2026-10-05 09:00", 5, WorkingDay);
    let mut stored = serde_json::to_value(&ledger).expect("JSON");
    stored["entries"] = serde_json::json!([]);
    assert!(serde_json::from_value::<Ledger>(stored.clone()).is_err());
    stored["entries"] = serde_json::json!([{ "at": 0, "event": "received" }, { "at": -1, "event": "closed" }]);
    assert!(serde_json::from_value::<Ledger>(stored).is_err());
}

#[test]
fn a_closed_dossier_is_early_on_time_or_late() {
    let calendar = viet_nam();
    for (closed, outcome) in [
        (
            "2026-10-09 16:00",
            Outcome::Early {
                working_minutes: 60 + 450,
            },
        ),
        ("2026-10-12 07:00", Outcome::OnTime),
        ("2026-10-12 17:00", Outcome::OnTime),
        ("2026-10-12 17:00:00.000001", Outcome::Late { working_minutes: 0 }),
        ("2026-10-13 08:30", Outcome::Late { working_minutes: 60 }),
    ] {
        let mut ledger = ledger("2026-10-05 09:00", 5, WorkingDay);
        ledger.append(Entry::new(at(closed), Event::Closed)).expect("ended");
        let due = ledger.due(&calendar);
        assert_eq!(due.outcome(), Some(outcome), "{closed}");
        assert_eq!(
            due.status_at(at("2027-01-01 09:00"), &calendar),
            Status::Closed(outcome)
        );
    }
    // Ended while the clock was stopped: there was time left.
    let mut paused = ledger("2026-10-05 09:00", 5, WorkingDay);
    suspend(&mut paused, "2026-10-07 10:00");
    paused
        .append(Entry::new(at("2026-11-30 09:00"), Event::Closed))
        .expect("ended");
    assert!(matches!(paused.due(&calendar).outcome(), Some(Outcome::Early { .. })));
}

#[test]
fn the_status_warns_one_working_day_ahead() {
    let calendar = viet_nam();
    let due = ledger("2026-08-24 09:00", 5, WorkingDay).due(&calendar); // over National Day, to 3 September
    assert_eq!(due.current, Some(at("2026-09-03 17:00")));
    assert_eq!(
        due.status_at(at("2026-08-28 16:00"), &calendar),
        Status::OnTime { working_minutes: 510 }
    );
    assert_eq!(
        due.status_at(at("2026-08-30 12:00"), &calendar),
        Status::DueSoon { working_minutes: 450 }
    );
    assert_eq!(
        due.status_at(at("2026-09-04 08:00"), &calendar),
        Status::Overdue { working_minutes: 30 }
    );
}

#[test]
fn the_page_says_why_this_date() {
    let calendar = viet_nam();
    let basis = Text::new("Luật Xây dựng, Điều 103", "Construction Law, Article 103");
    let budget = Budget::new(10, WorkingDay, basis);
    let mut ledger =
        Ledger::received(at("2026-08-21 15:20"), budget, Rules::default(), "2026-01-01").expect("a ledger");
    let told = |ledger: &Ledger| {
        let lines = ledger.explain(&calendar).into_iter();
        lines
            .map(|l| l.text.vi + l.basis.map(|b| format!(" [{}]", b.vi)).as_deref().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(&ledger),
        [
            "Tiếp nhận lúc 15:20 ngày 21/08/2026, sau 15:00: tính từ ngày làm việc tiếp theo, 22/08/2026. [Nghị định 61/2018/NĐ-CP, Điều 18]",
            "Thời hạn giải quyết: 10 ngày làm việc. [Luật Xây dựng, Điều 103]",
            "Không tính ngày bắt đầu, 22/08/2026. [Bộ luật Dân sự 2015, Điều 147 khoản 2, 3]",
            "Có tính Thứ Bảy 22/08/2026: ngày làm bù cho ngày 31/08/2026. [Thông báo 9441/TB-BNV ngày 16/10/2025]",
            "Không tính ngày nghỉ hằng tuần: 23/08/2026, 05–06/09/2026.",
            "Không tính 29/08–02/09/2026: nghỉ hằng tuần (29–30/08/2026); nghỉ hoán đổi dịp Quốc khánh (31/08/2026); nghỉ Quốc khánh (01–02/09/2026). [Thông báo 9441/TB-BNV ngày 16/10/2025; Bộ luật Lao động 2019, Điều 112 khoản 1 điểm đ]",
            "Ngày làm việc thứ nhất là 24/08/2026, ngày làm việc thứ 10 là 09/09/2026.",
            "Hạn trả kết quả: 17:00 ngày 09/09/2026, hết giờ làm việc.",
            "Tính theo lịch làm việc phiên bản 2026-11-20; khi tiếp nhận là phiên bản 2026-01-01.",
        ]
    );
    suspend(&mut ledger, "2026-08-25 10:00");
    ledger
        .append(Entry::new(at("2026-09-08 09:00"), Event::Resumed { restart: false }))
        .expect("started");
    ledger
        .append(Entry::new(at("2026-09-17 09:00"), Event::Closed))
        .expect("ended");
    let lines = ledger.explain(&calendar);
    let english: Vec<&str> = lines.iter().map(|l| l.text.en.as_str()).collect();
    for line in [
        "The clock stops at 10:00 on 25/08/2026, by document no. 12/PYC. Reason: Papers are awaited. Left: 8 working days.",
        "The clock starts again at 09:00 on 08/09/2026. Left: 8 working days.",
        "Due at 17:00 on 18/09/2026, the end of working hours.",
        "Solved early, by 13 hours 30 minutes of working time.",
    ] {
        assert!(english.contains(&line), "{line} is not in {english:#?}");
    }
    assert_eq!(
        lines.iter().filter(|line| line.kind == LineKind::Due).count(),
        1,
        "a stopped stretch has no due date"
    );
}

#[test]
fn dates_that_await_a_decision_say_so() {
    let calendar = viet_nam();
    let tet = ledger("2027-01-25 09:00", 15, WorkingDay);
    assert!(tet.due(&calendar).uncertain);
    assert!(tet.explain(&calendar).iter().any(|line| line.kind == LineKind::Note));
    assert!(!ledger("2026-08-24 09:00", 15, WorkingDay).due(&calendar).uncertain);
    assert_eq!(datetime(2026, 8, 24, 9, 0, 0, 0), at("2026-08-24 09:00").legal());
}
