//! The clocks of the law, against the calendar.

use base::deadline::Unit;

use super::*;
use crate::access::{
    GrantsQuery, Standing,
    model::{Clocks, Entry, Event, Law, Who},
};

fn law() -> Law {
    Law::new(Clocks::default(), calendar())
}

fn entry(seq: i64, when: &str, side: Side, event: Event) -> Entry {
    Entry {
        seq,
        at: at(when),
        side: Some(side),
        who: Who::default(),
        order: None,
        event,
    }
}

fn asked(when: &str) -> Entry {
    let event = Event::Requested {
        terms: terms(),
        reason: String::new(),
        renews: None,
        filed: at(when),
    };
    entry(1, when, Side::Outgoing, event)
}

fn due(log: &[Entry]) -> Option<String> {
    law().answer_due(log).expect("a ledger").map(|due| due.rfc3339())
}

#[test]
fn an_answer_is_due_in_five_working_days() {
    for (received, expected) in [
        ("2026-11-25T09:00:00+07:00", "2026-12-02T17:00:00+07:00"),
        // Over the holiday of 24 November.
        ("2026-11-20T16:59:00+07:00", "2026-11-30T17:00:00+07:00"),
        // On a day of rest: counted from the next working day.
        ("2026-11-28T10:00:00+07:00", "2026-12-07T17:00:00+07:00"),
    ] {
        assert_eq!(due(&[asked(received)]).as_deref(), Some(expected), "{received}");
    }
    let why = law().why(&[asked(START)]).expect("a ledger");
    assert!(
        why.iter()
            .any(|line| line.basis.as_ref().is_some_and(|basis| basis.vi.contains("47/2020"))),
        "{why:?}"
    );
}

#[test]
fn a_question_stops_the_clock_and_the_answer_starts_it_anew() {
    let mut log = vec![
        asked(START),
        entry(
            2,
            "2026-11-27T09:00:00+07:00",
            Side::Incoming,
            Event::MoreAsked { question: "?".into() },
        ),
    ];
    assert_eq!(due(&log), None, "it is the consumer's turn");
    let event = Event::Supplemented {
        answer: "!".into(),
        terms: None,
    };
    log.push(entry(3, "2026-12-10T09:00:00+07:00", Side::Outgoing, event));
    assert_eq!(due(&log).as_deref(), Some("2026-12-17T17:00:00+07:00"));
    let going_on = Law::new(
        Clocks {
            restart_after_supplement: false,
            ..Clocks::default()
        },
        calendar(),
    );
    let left = going_on.answer_due(&log).expect("a ledger").map(|due| due.rfc3339());
    assert_eq!(
        left.as_deref(),
        Some("2026-12-15T17:00:00+07:00"),
        "three of five days were left"
    );
    let event = Event::Refused {
        ground: "x".into(),
        reason: "x".into(),
    };
    log.push(entry(4, "2026-12-11T09:00:00+07:00", Side::Incoming, event));
    assert_eq!(due(&log), None, "answered");
}

#[test]
fn notice_is_seven_working_days_and_each_period_can_be_set() {
    let day = |law: &Law, now: &str| law.earliest_after_notice(at(now)).expect("a period").to_string();
    assert_eq!(day(&law(), START), "2026-12-05");
    assert_eq!(day(&law(), "2027-02-03T09:00:00+07:00"), "2027-02-20", "over Tết");
    let calendar_days = Clocks {
        notice: base::deadline::Budget::new(10, Unit::Day, base::Text::default()),
        ..Clocks::default()
    };
    assert_eq!(
        day(&Law::new(calendar_days, calendar()), START),
        "2026-12-08",
        "the tenth day is a Saturday: Monday"
    );
    let mad = Clocks {
        answer: base::deadline::Budget::new(u32::MAX, Unit::Year, base::Text::default()),
        ..Clocks::default()
    };
    assert!(
        Law::new(mad, calendar()).answer_due(&[asked(START)]).is_err(),
        "refused, not counted"
    );
    let read: Clocks =
        toml::from_str("warning_days = 3\n[answer]\nqty = 3\nunit = \"working-day\"").expect("a setting");
    assert_eq!((read.warning_days, read.answer.qty, read.notice.qty), (3, 3, 7));
}

#[tokio::test]
async fn what_is_overdue_and_what_ends_is_listed_and_the_clock_writes() {
    for (ours, theirs, wire) in pairs().await {
        let id = filed(&ours, &wire).await;
        let list = async |query: GrantsQuery| {
            theirs
                .access
                .grants(&theirs.steward(), &query, 50)
                .await
                .expect("a list")
                .0
                .len()
        };
        let overdue = || GrantsQuery {
            overdue: true,
            ..GrantsQuery::default()
        };
        let ending = || GrantsQuery {
            ending: true,
            ..GrantsQuery::default()
        };
        let standing = |standing| GrantsQuery {
            standing: Some(standing),
            ..GrantsQuery::default()
        };
        assert_eq!(list(overdue()).await, 0);
        theirs.clock.set(at("2026-12-02T17:00:01+07:00"));
        assert_eq!(list(overdue()).await, 1);
        let short = Terms {
            to: at("2027-01-16T00:00:00+07:00"),
            ..terms()
        };
        let approve = Command::Approve {
            terms: short,
            note: String::new(),
        };
        theirs
            .command(Side::Incoming, id, approve)
            .await
            .expect("late, but agreed");
        assert_eq!(
            (
                list(overdue()).await,
                list(ending()).await,
                list(standing(Standing::Active)).await
            ),
            (0, 0, 1)
        );

        // Fifteen working days before the end: 25 December to 15 January, without 1 January.
        theirs.clock.set(at("2026-12-25T17:30:00+07:00"));
        theirs.jobs(&wire).await;
        let shown = theirs
            .access
            .grant(&theirs.steward(), Side::Incoming, id)
            .await
            .expect("a grant");
        assert_eq!(shown.log.last().map(|entry| &entry.event), Some(&Event::ExpiryNear));
        assert_eq!(list(ending()).await, 1);
        theirs.jobs(&wire).await;
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 3, "it warns once");
        theirs.clock.set(at("2027-01-16T00:00:00+07:00"));
        assert_eq!(
            list(standing(Standing::Over)).await,
            1,
            "to the second, whatever jobs do"
        );
        theirs.jobs(&wire).await;
        let file = theirs.file(Side::Incoming, id).await;
        assert!(file.over && file.seq == 4);

        // Renewal goes on where it ended.
        ours.jobs(&wire).await;
        let renewal = Request {
            terms: Terms {
                from: at("2027-01-16T00:00:00+07:00"),
                to: at("2028-01-01T00:00:00+07:00"),
                ..terms()
            },
            renews: Some(id),
            ..request()
        };
        let next = GrantId::new(ours.clock.now());
        ours.access
            .request(&ours.steward(), next, &consumer(), &service(), &renewal)
            .await
            .expect("filed");
        ours.jobs(&wire).await;
        let shown = theirs
            .access
            .grant(&theirs.steward(), Side::Incoming, id)
            .await
            .expect("a grant");
        assert_eq!(shown.renewals, [next]);
    }
}

#[tokio::test]
async fn lists_go_on_where_they_stopped() {
    for (ours, _theirs, _wire) in pairs().await {
        let mut all = Vec::new();
        for n in 0..120_i64 {
            let id = GrantId::new(ours.clock.now());
            // Three at the same instant.
            ours.clock.set(at(START).plus_seconds(n / 3));
            ours.access
                .request(&ours.steward(), id, &consumer(), &service(), &request())
                .await
                .expect("filed");
            all.push(id);
        }
        let (mut found, mut query) = (
            Vec::new(),
            GrantsQuery {
                about: Some(SERVICE.into()),
                ..GrantsQuery::default()
            },
        );
        loop {
            let (page, next) = ours.access.grants(&ours.steward(), &query, 50).await.expect("a page");
            assert!(page.len() <= 50);
            found.extend(page.into_iter().map(|line| line.file.id));
            query.before = next;
            if query.before.is_none() {
                break;
            }
        }
        found.sort();
        all.sort();
        assert_eq!(found, all, "each once");
        query.about = Some("VN/GOV/H57/%".into());
        assert!(
            ours.access
                .grants(&ours.steward(), &query, 50)
                .await
                .expect("a page")
                .0
                .is_empty(),
            "no wildcards"
        );
    }
}
