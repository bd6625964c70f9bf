use jiff::civil::{date, datetime};

use super::*;

fn viet_nam() -> Calendar {
    let data = toml::from_str(include_str!("../../../../data/calendar/viet-nam.toml"))
        .expect("the calendar of Viet Nam is TOML");
    Calendar::new(data).expect("the calendar of Viet Nam is sound")
}

fn legal(y: i16, mo: i8, d: i8, h: i8, mi: i8) -> Timestamp {
    Timestamp::from_legal(datetime(y, mo, d, h, mi, 0, 0))
}

#[test]
fn the_calendar_of_viet_nam_knows_its_days() {
    let calendar = viet_nam();
    // (first day off, last day off, the working day after)
    for (first, last, next) in [
        (date(2024, 2, 8), date(2024, 2, 14), date(2024, 2, 15)),
        (date(2025, 1, 25), date(2025, 2, 2), date(2025, 2, 3)),
        (date(2026, 1, 1), date(2026, 1, 4), date(2026, 1, 5)),
        (date(2026, 2, 14), date(2026, 2, 22), date(2026, 2, 23)),
        (date(2026, 4, 25), date(2026, 4, 27), date(2026, 4, 28)),
        (date(2026, 8, 29), date(2026, 9, 2), date(2026, 9, 3)),
        (date(2026, 11, 24), date(2026, 11, 24), date(2026, 11, 25)),
        (date(2027, 2, 4), date(2027, 2, 10), date(2027, 2, 11)),
        (date(2027, 4, 30), date(2027, 5, 3), date(2027, 5, 4)),
    ] {
        assert!(
            calendar.is_working_day(first.yesterday().expect("a day")),
            "before {first}"
        );
        assert_eq!(
            calendar.next_working_day(first.yesterday().expect("a day")),
            next,
            "after {first}"
        );
        assert_eq!(calendar.next_working_day(last), next);
        assert_eq!(
            calendar.working_days_between(first.yesterday().expect("a day"), last),
            0
        );
    }
    for made_up in [
        date(2024, 5, 4),
        date(2025, 4, 26),
        date(2026, 1, 10),
        date(2026, 8, 22),
    ] {
        assert!(
            matches!(calendar.explain_day(made_up).kind, DayKind::MakeUpWorking(_)),
            "{made_up}"
        );
        assert!(calendar.is_working_day(made_up));
    }
    let swap = calendar.explain_day(date(2026, 8, 31));
    assert!(matches!(swap.kind, DayKind::Holiday(off) if off.reason == OffReason::Swap) && !swap.uncertain);
    assert!(calendar.explain_day(date(2027, 2, 8)).uncertain, "awaits its decision");
    assert_eq!(calendar.explain_day(date(2026, 8, 23)).kind, DayKind::WeeklyRest);
    assert_eq!(calendar.explain_day(date(2026, 8, 24)).kind, DayKind::Working);
}

#[test]
fn every_make_up_day_stands_for_a_swapped_day_and_every_row_has_a_source() {
    let calendar = viet_nam();
    let data = calendar.data();
    for row in &data.make_up {
        let swapped = data
            .off
            .iter()
            .find(|off| off.date == row.in_place_of)
            .expect("the swapped day is off");
        assert_eq!(swapped.day.reason, OffReason::Swap);
        assert!(row.source.len() > 10);
    }
    assert_eq!(
        data.make_up.len(),
        data.off.iter().filter(|off| off.day.reason == OffReason::Swap).count()
    );
    assert!(
        data.off
            .iter()
            .all(|off| off.day.source.len() > 10 && !off.day.name.en.is_empty())
    );
    // Labour Code art. 112: eleven days in 2024 and 2025; with Culture Day twelve from 2026. Tết 2024 and 2027 spans a weekend.
    for (year, holidays) in [(2024, 13), (2025, 11), (2026, 12), (2027, 14)] {
        let count = data
            .off
            .iter()
            .filter(|o| o.date.year() == year && o.day.reason == OffReason::Holiday)
            .count();
        assert_eq!(count, holidays, "{year}");
    }
}

#[test]
fn years_that_are_not_loaded_are_answered_and_marked() {
    let calendar = viet_nam();
    for (day, working) in [
        (date(2030, 9, 2), false),
        (date(2030, 11, 24), false),
        (date(2023, 11, 24), true),
        (date(2010, 4, 30), false),
        (date(2030, 9, 3), true),
        (date(1650, 1, 1), false),
        (date(9000, 5, 1), false),
    ] {
        let found = calendar.explain_day(day);
        assert_eq!(found.is_working(), working, "{day}");
        assert!(found.uncertain, "{day}");
    }
    assert!(calendar.is_uncertain(date(2026, 12, 1), date(2028, 1, 5)));
    assert!(calendar.is_uncertain(date(2026, 12, 1), date(2027, 3, 1)));
    assert!(!calendar.is_uncertain(date(2026, 1, 1), date(2026, 12, 31)));
}

#[test]
fn nothing_panics_at_the_ends_of_time() {
    let calendar = viet_nam();
    assert_eq!(calendar.add_working_days(Date::MAX, u32::MAX), Date::MAX);
    assert_eq!(calendar.add_working_days(date(2026, 1, 5), u32::MAX).year(), 2599);
    assert!(calendar.add_working_days(Date::MIN, 10) >= Date::MIN);
    assert!(calendar.working_days_between(Date::MIN, date(1990, 1, 1)) > 0);
    for micros in [i64::MIN, i64::MAX, 0] {
        assert!(calendar.add_working_time(Timestamp::from_micros(micros), 60) >= Timestamp::from_micros(micros));
        calendar.working_minutes_between(Timestamp::from_micros(micros), legal(2026, 1, 5, 8, 0));
    }
}

#[test]
fn working_time_is_counted_within_hours() {
    let calendar = viet_nam();
    // Friday 14:00 with four hours: three until 17:00, one on the next working day, a made-up Saturday.
    assert_eq!(
        calendar.add_working_time(legal(2026, 8, 21, 14, 0), 240),
        legal(2026, 8, 22, 8, 30)
    );
    assert_eq!(
        calendar.add_working_time(legal(2026, 8, 21, 14, 0), 180),
        legal(2026, 8, 21, 17, 0),
        "at the end of the day"
    );
    assert_eq!(
        calendar.add_working_time(legal(2026, 8, 21, 11, 0), 60),
        legal(2026, 8, 21, 14, 0),
        "over noon"
    );
    assert_eq!(
        calendar.add_working_time(legal(2026, 8, 23, 3, 0), 1),
        legal(2026, 8, 24, 7, 31),
        "from a Sunday"
    );
    assert_eq!(
        calendar.add_working_time(legal(2026, 8, 23, 3, 0), 0),
        legal(2026, 8, 23, 3, 0)
    );
    assert_eq!(
        calendar.working_minutes_between(legal(2026, 8, 21, 14, 0), legal(2026, 8, 22, 8, 30)),
        240
    );
    assert_eq!(
        calendar.working_minutes_between(legal(2026, 8, 22, 8, 30), legal(2026, 8, 21, 14, 0)),
        -240
    );
    assert_eq!(calendar.end_of_work(date(2026, 8, 21)), Some(legal(2026, 8, 21, 17, 0)));
    assert_eq!(calendar.end_of_work(date(2026, 8, 23)), None);
}

#[test]
fn a_half_day_has_its_own_hours() {
    let mut data = viet_nam().data().clone();
    data.half_days.push(HalfDay {
        date: date(2026, 8, 29),
        intervals: vec![Interval {
            from: jiff::civil::time(8, 0, 0, 0),
            to: jiff::civil::time(11, 0, 0, 0),
        }],
        name: crate::Text::new("Trực buổi sáng", "Morning duty"),
        source: "Quyết định của cơ quan".to_owned(),
    });
    let calendar = Calendar::new(data).expect("sound");
    assert_eq!(
        calendar.add_working_time(legal(2026, 8, 28, 16, 0), 60 + 180),
        legal(2026, 8, 29, 11, 0)
    );
    assert_eq!(
        calendar.add_working_time(legal(2026, 8, 28, 16, 0), 60 + 181),
        legal(2026, 9, 3, 7, 31)
    );
    assert_eq!(calendar.next_working_day(date(2026, 8, 28)), date(2026, 8, 29));
}

#[test]
fn bad_calendars_are_refused_with_every_problem() {
    let mut data = viet_nam().data().clone();
    data.version.clear();
    data.rest_days = WEEK.to_vec();
    data.hours.intervals.reverse();
    data.off.push(data.off.first().expect("a row").clone());
    data.make_up.push(MakeUpDay {
        date: date(2031, 1, 1),
        in_place_of: date(2026, 1, 2),
        source: String::new(),
    });
    data.fixed.push(FixedDay {
        month: 2,
        day: 30,
        from_year: None,
        off: data.off.first().expect("a row").day.clone(),
    });
    let problems = Calendar::new(data).expect_err("many problems");
    let codes: Vec<&str> = problems.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "required",
            "no-working-day",
            "bad-hours",
            "not-a-date",
            "duplicate",
            "out-of-range"
        ]
    );
    let mut data = viet_nam().data().clone();
    data.make_up.push(MakeUpDay {
        date: date(2026, 3, 4),
        in_place_of: date(2026, 1, 2),
        source: String::new(),
    });
    let problems = Calendar::new(data).expect_err("a Wednesday");
    assert_eq!(
        problems.iter().map(|p| p.at.as_str()).collect::<Vec<_>>(),
        ["make_up/4"]
    );
}

const WEEK: [jiff::civil::Weekday; 7] = {
    use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]
};

#[test]
fn a_calendar_survives_its_file() {
    let data = viet_nam().data().clone();
    let text = toml::to_string(&data).expect("TOML");
    assert_eq!(toml::from_str::<CalendarData>(&text).expect("the same"), data);
    let wrong = text.replace("\"saturday\"", "\"caturday\"");
    assert!(toml::from_str::<CalendarData>(&wrong).is_err());
}

#[test]
fn working_time_is_taken_off_backwards() {
    let calendar = viet_nam();
    let hour = 3_600_000_000;
    // Friday 20 November 2026; Monday 23 is worked, Tuesday 24 is a holiday.
    let monday = legal(2026, 11, 23, 9, 0);
    assert_eq!(
        calendar.working_minutes_between(calendar.sub_working_micros(monday, 4 * hour), monday),
        240
    );
    assert_eq!(
        calendar.sub_working_micros(legal(2026, 11, 22, 12, 0), 0).legal_date(),
        date(2026, 11, 20)
    );
    assert_eq!(
        calendar.sub_working_days(legal(2026, 11, 25, 10, 0), 1),
        legal(2026, 11, 23, 10, 0)
    );
    assert_eq!(
        calendar.sub_working_days(legal(2026, 11, 25, 10, 0), 2),
        legal(2026, 11, 20, 10, 0)
    );
    assert_eq!(
        calendar.sub_working_days(legal(2026, 11, 25, 10, 0), 0),
        legal(2026, 11, 25, 10, 0)
    );
    // From a day off the first day back is the last one worked.
    assert_eq!(
        calendar.sub_working_days(legal(2026, 11, 24, 10, 0), 1),
        legal(2026, 11, 23, 10, 0)
    );
    // Midnight is no time of work.
    let end = calendar.end_of_work(date(2026, 11, 20)).expect("worked");
    assert_eq!(calendar.sub_working_micros(legal(2026, 11, 20, 23, 59), 0), end);
}

proptest::proptest! {
    #[test]
    fn what_is_taken_off_is_what_is_left(minutes in 0_i64..2_000_000, off in 0_i64..20_000, days in 0_u32..300) {
        let calendar = viet_nam();
        let until = legal(2025, 1, 2, 0, 0).plus_seconds(minutes * 60);
        let earlier = calendar.sub_working_micros(until, off * MINUTE);
        proptest::prop_assert!(earlier <= until);
        proptest::prop_assert_eq!(calendar.working_minutes_between(earlier, until), off);
        let back = calendar.sub_working_days(until, days);
        proptest::prop_assert!(back <= until);
        // Before the day's work begins the last work was done the working day before; from a day off one day back is the last
        // one worked.
        let counted = calendar.working_days_between(back.legal_date(), until.legal_date());
        proptest::prop_assert!((i64::from(days) - counted).abs() <= 1, "{} days, {} counted", days, counted);
    }
}
