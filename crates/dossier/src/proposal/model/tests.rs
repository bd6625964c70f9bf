//! What follows what, to the second.

use base::Problems;
use serde_json::json;

use super::*;
use crate::model::action::ActorKind;

const DAY: i64 = 86_400;

fn entry(seq: i64, seconds: i64, step: Step) -> Entry {
    Entry {
        seq,
        at: Timestamp::from_micros(0).plus_seconds(seconds),
        actor: ActorRef {
            kind: ActorKind::System,
            id: None,
            name: "test".to_owned(),
            title: String::new(),
            agency: String::new(),
        },
        step,
    }
}

fn made() -> Step {
    Step::Proposed(Box::new(Made {
        rule: ("rule".to_owned(), 1, String::new()),
        procedure: "1.010039".to_owned(),
        package: None,
        answer: Uuid::nil(),
        read_at: Timestamp::from_micros(0),
        run: Uuid::nil(),
        ways: Vec::new(),
        until: Timestamp::from_micros(0).plus_seconds(10 * DAY),
    }))
}

fn begun() -> Step {
    Step::ActBegun {
        answer: Uuid::nil(),
        code: "H57.32.12-261120-0001".to_owned(),
        writes: [("one", "population"), ("two", "tax")]
            .map(|(write, registry)| (write.to_owned(), registry.to_owned()))
            .to_vec(),
    }
}

fn done(write: &str) -> Step {
    Step::Wrote {
        write: write.to_owned(),
        wrote: Wrote::Done {
            entry: format!("{write}#1"),
            record: json!(null),
        },
    }
}

fn back(write: &str) -> Step {
    Step::Wrote {
        write: write.to_owned(),
        wrote: Wrote::TakenBack {
            entry: format!("{write}#2"),
        },
    }
}

fn proposal(acts: bool, steps: Vec<(i64, Step)>) -> Result<Proposal> {
    let log: Vec<Entry> = (1..).zip(steps).map(|(seq, (at, step))| entry(seq, at, step)).collect();
    Proposal::fold(ProposalId::from_uuid(Uuid::nil()), acts, &log)
}

fn code(error: Error) -> String {
    let problems = error.problems().expect("a refusal");
    problems.iter().next().expect("one").code.clone()
}

#[test]
fn an_act_may_be_refused_until_its_last_second_and_not_after() {
    let refused = proposal(true, vec![(0, made()), (10 * DAY - 1, Step::Declined)]).expect("in time");
    assert_eq!(refused.state, State::Declined);
    let late = proposal(true, vec![(0, made()), (10 * DAY, Step::Declined)]).expect_err("late");
    assert_eq!(code(late), "too-late");
    assert!(
        proposal(true, vec![(0, made()), (10 * DAY - 1, begun())]).is_err(),
        "nobody acts before"
    );
    assert!(
        proposal(true, vec![(0, made()), (5, Step::Declined), (10 * DAY, begun())]).is_err(),
        "nobody acts against a no"
    );
}

#[test]
fn what_was_done_is_taken_back_last_first_once() {
    let until = Timestamp::from_micros(0).plus_seconds(40 * DAY);
    let mut steps = vec![(0, made()), (10 * DAY, begun())];
    let now = Timestamp::from_micros(0).plus_seconds(10 * DAY);
    let at = |steps: &Vec<(i64, Step)>| proposal(true, steps.clone()).expect("a log").next(now, 30);
    assert_eq!(at(&steps), Next::Tell("one".to_owned()));
    steps.push((10 * DAY, done("one")));
    assert_eq!(at(&steps), Next::Tell("two".to_owned()));
    steps.push((10 * DAY, done("two")));
    assert_eq!(at(&steps), Next::Conclude(Step::Acted { restore_until: until }));
    steps.push((10 * DAY, Step::Acted { restore_until: until }));
    assert_eq!(at(&steps), Next::Nothing);

    let mut late = steps.clone();
    late.push((40 * DAY, Step::RestoreAsked));
    assert_eq!(code(proposal(true, late).expect_err("late")), "too-late");

    steps.push((40 * DAY - 1, Step::RestoreAsked));
    assert!(matches!(at(&steps), Next::TakeBack { write, .. } if write == "two"));
    steps.push((40 * DAY, back("two")));
    assert!(matches!(at(&steps), Next::TakeBack { write, .. } if write == "one"));
    steps.push((40 * DAY, back("one")));
    assert_eq!(at(&steps), Next::Conclude(Step::Restored));
    steps.push((40 * DAY, Step::Restored));
    assert_eq!(at(&steps), Next::Nothing);
    steps.push((40 * DAY, Step::RestoreAsked));
    assert_eq!(code(proposal(true, steps).expect_err("twice")), "restored-before");
}

#[test]
fn a_refusal_undoes_what_came_before_it() {
    let now = Timestamp::from_micros(0).plus_seconds(10 * DAY);
    let refused = Step::Wrote {
        write: "two".to_owned(),
        wrote: Wrote::Refused {
            problems: Problems::new(),
        },
    };
    let mut steps = vec![
        (0, made()),
        (10 * DAY, begun()),
        (10 * DAY, done("one")),
        (10 * DAY, refused),
    ];
    let at = |steps: &Vec<(i64, Step)>| proposal(true, steps.clone()).expect("a log").next(now, 30);
    assert!(matches!(at(&steps), Next::TakeBack { write, .. } if write == "one"));
    let left = Step::Wrote {
        write: "one".to_owned(),
        wrote: Wrote::Left {
            entry: "one#1".to_owned(),
            problems: Problems::new(),
        },
    };
    let mut stuck = steps.clone();
    stuck.push((10 * DAY, left));
    assert_eq!(at(&stuck), Next::Conclude(Step::Stuck));
    stuck.push((10 * DAY, Step::Stuck));
    assert_eq!(at(&stuck), Next::Nothing);
    let mut settled = stuck.clone();
    settled.push((
        11 * DAY,
        Step::Settled {
            note: "by hand".to_owned(),
        },
    ));
    assert_eq!(proposal(true, settled.clone()).expect("a log").state, State::Settled);
    settled.push((11 * DAY, Step::TakeBackAgain));
    assert_eq!(code(proposal(true, settled).expect_err("settled")), "moved-on");
    stuck.push((11 * DAY, Step::TakeBackAgain));
    assert!(matches!(at(&stuck), Next::TakeBack { write, entry, .. } if write == "one" && entry == "one#1"));
    stuck.push((11 * DAY, back("one")));
    assert_eq!(at(&stuck), Next::Conclude(Step::Restored));
    let mut early = steps.clone();
    early.push((10 * DAY, Step::TakeBackAgain));
    assert_eq!(code(proposal(true, early).expect_err("nothing is stuck")), "moved-on");
    steps.push((10 * DAY, back("one")));
    assert_eq!(at(&steps), Next::Conclude(Step::Failed));
}

#[test]
fn an_open_one_expires_at_its_time_and_is_seen_once() {
    assert!(proposal(false, vec![(0, made()), (10 * DAY - 1, Step::Expired)]).is_err());
    let expired = proposal(false, vec![(0, made()), (1, Step::Seen), (10 * DAY, Step::Expired)]).expect("in order");
    assert_eq!((expired.state, expired.seen), (State::Expired, true));
    assert!(proposal(false, vec![(0, made()), (1, Step::Seen), (2, Step::Seen)]).is_err());
    assert!(
        proposal(false, vec![(0, made()), (10 * DAY, begun())]).is_err(),
        "it never acts"
    );
    for state in State::ALL {
        assert_eq!(State::from_code(state.code()), Some(state));
        assert!(!state.label().vi.is_empty() && !state.label().en.is_empty());
    }
}

#[test]
fn entries_survive_storage() {
    for step in [made(), Step::Seen, begun(), done("one"), back("one"), Step::Restored] {
        let entry = entry(3, 7, step);
        let text = serde_json::to_string(&entry).expect("JSON");
        assert_eq!(serde_json::from_str::<Entry>(&text).expect("read"), entry, "{text}");
    }
}
