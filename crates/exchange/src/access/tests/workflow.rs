//! Whatever is done in whatever order: nothing is granted that was not approved.

use proptest::prelude::*;

use super::*;
use crate::{
    access::{
        Standing,
        model::{Clocks, Entry, Event, Law, Order, Phase, Who, decide, open},
    },
    model::{
        Method,
        address::ServicePath,
        identifier::ClientId,
        rights::{Call, Decision, decide as judge},
    },
};

#[derive(Debug, Clone)]
struct Step {
    command: Command,
    side: Side,
    hours: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let text = prop_oneof![4 => Just("lý do".to_owned()), 1 => Just(" ".to_owned())];
    let day = prop::option::of(0_i64..60)
        .prop_map(|days| days.map(|days| at(START).plus_seconds(days * 86_400).legal_date()));
    let some_terms = (0_i64..20, 1_i64..400, any::<bool>()).prop_map(|(from, days, wide)| {
        let from = terms().from.plus_seconds(from * 86_400);
        Terms {
            from,
            to: from.plus_seconds(days * 86_400),
            fields: (!wide).then(|| vec!["/name".parse().expect("a pointer")]),
            ..terms()
        }
    });
    let command = prop_oneof![
        3 => (some_terms.clone(), text.clone()).prop_map(|(terms, note)| Command::Approve { terms, note }),
        2 => text.clone().prop_map(|question| Command::AskMore { question }),
        1 => (text.clone(), text.clone()).prop_map(|(ground, reason)| Command::Refuse { ground, reason }),
        3 => (day.clone(), text.clone(), prop::option::of(text.clone()))
            .prop_map(|(from, reason, incident)| Command::Suspend { from, reason, incident }),
        2 => text.clone().prop_map(|reason| Command::Resume { reason }),
        2 => (text.clone(), prop::option::of(some_terms)).prop_map(|(answer, terms)| Command::Supplement { answer, terms }),
        1 => text.clone().prop_map(|reason| Command::Withdraw { reason }),
        1 => (day, text).prop_map(|(from, reason)| Command::End { from, reason }),
    ];
    let side = prop_oneof![Just(Side::Incoming), Just(Side::Outgoing)];
    (command, side, 0_i64..200).prop_map(|(command, side, hours)| Step { command, side, hours })
}

fn who() -> Who {
    Who {
        name: "An".into(),
        ..Who::default()
    }
}

/// A request, and then the steps that are allowed; the log, the fold, and the instants in between.
fn run(steps: &[Step]) -> (Vec<Entry>, Vec<(Timestamp, File)>) {
    let law = Law::new(Clocks::default(), calendar());
    let mut now = at(START);
    let id = GrantId::new(now);
    let order = Order {
        id: Uuid::from_u128(1),
        grant: id,
        consumer: consumer(),
        service: service(),
        at: now,
        who: who(),
        request: Some(request()),
        command: None,
    };
    let (mut file, first) = open(&order, &request(), now).expect("a good request");
    let (mut log, mut seen) = (vec![first], vec![(now, file.clone())]);
    for step in steps {
        now = now.plus_seconds(step.hours * 3_600);
        while let Some(tick) = law.ticks_at(&file).filter(|tick| *tick <= now) {
            let event = if file.ends_at().is_some_and(|end| end <= now) {
                Event::Over
            } else {
                Event::ExpiryNear
            };
            let entry = Entry {
                seq: file.seq + 1,
                at: tick.max(file.last),
                side: None,
                who: Who::default(),
                order: None,
                event,
            };
            file.apply(&entry).expect("the clock may always");
            log.push(entry);
        }
        let Ok(event) = decide(&file, &step.command, step.side, &who(), now, &law) else {
            continue;
        };
        let entry = Entry {
            seq: file.seq + 1,
            at: now.max(file.last),
            side: Some(step.side),
            who: who(),
            order: None,
            event,
        };
        file.apply(&entry).expect("what was decided can be written");
        log.push(entry);
        seen.push((now, file.clone()));
    }
    (log, seen)
}

fn allowed(grant: &crate::model::rights::Grant, now: Timestamp) -> bool {
    let (client, service) = (ClientId::from(consumer()), service());
    let path = ServicePath::parse(b"/persons/1").expect("a path");
    let purpose = "dossier.verify".parse().expect("a purpose");
    let call = Call {
        client: &client,
        service: &service,
        method: Method::Get,
        path: &path,
        purpose: &purpose,
    };
    matches!(judge([grant], &call, now), Decision::Allowed(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_calls_that_was_not_approved_and_stands(steps in prop::collection::vec(step(), 0..14)) {
        let (log, seen) = run(&steps);
        for (then, file) in &seen {
            let grant = file.grant(*then);
            let approved = log.iter().take(usize::try_from(file.seq).expect("small")).find_map(|entry| match &entry.event {
                Event::Approved { terms, .. } if entry.side == Some(Side::Incoming) => Some(terms),
                _ => None,
            });
            // As the gateway holds it, at any later instant, until it looks again.
            for hours in [0_i64, 1, 7, 24, 100, 250, 1_000, 10_000] {
                let now = then.plus_seconds(hours * 3_600);
                let standing = file.standing(now);
                let calls = allowed(&grant, now);
                prop_assert!(!calls || standing == Standing::Active, "{standing:?} {file:?}");
                if file.changes_at(*then).is_none_or(|at| now < at) {
                    prop_assert_eq!(calls, standing == Standing::Active, "{:?}", file);
                }
                prop_assert_eq!(allowed(&file.grant(now), now), standing == Standing::Active);
                if calls {
                    let terms = approved.expect("approved");
                    prop_assert!(terms.from <= now && now < terms.to);
                    prop_assert!(terms.beyond(&file.asked).is_empty());
                }
            }
        }
    }

    #[test]
    fn the_log_alone_tells_the_grant(steps in prop::collection::vec(step(), 0..14)) {
        let (log, seen) = run(&steps);
        let (_, last) = seen.last().expect("at least the request");
        let mut fold = File::filed(last.id, consumer(), service(), terms(), String::new(), None, at(START));
        let json = serde_json::to_string(&log).expect("JSON");
        for entry in serde_json::from_str::<Vec<Entry>>(&json).expect("reads back") {
            prop_assert!(fold.clone().apply(&Entry { seq: entry.seq + 1, ..entry.clone() }).is_err(), "no gap");
            fold.apply(&entry).expect("a log that can be");
            let kept = serde_json::to_string(&fold).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<File>(&kept).expect("reads back"), &fold);
        }
        prop_assert!(fold.seq >= last.seq);
        prop_assert_eq!(fold.phase, last.phase);
    }

    #[test]
    fn no_entry_from_the_wrong_hand_is_taken(steps in prop::collection::vec(step(), 0..10), side in 0..3) {
        let (log, _) = run(&steps);
        let side = [None, Some(Side::Incoming), Some(Side::Outgoing)][usize::try_from(side).expect("small")];
        let mut fold = File::filed(GrantId::new(at(START)), consumer(), service(), terms(), String::new(), None, at(START));
        for entry in &log {
            let forged = Entry { side, ..entry.clone() };
            if forged != *entry && !matches!(entry.event, Event::EndSet { .. }) {
                prop_assert!(fold.clone().apply(&forged).is_err(), "{:?}", forged);
            }
            fold.apply(entry).expect("the true one");
        }
        prop_assert!(fold.phase != Phase::Filed);
    }
}

#[test]
fn a_provider_grants_less_never_more() {
    let asked = terms();
    assert!(asked.beyond(&asked).is_empty());
    let change = |change: fn(&mut Terms)| {
        let mut other = terms();
        change(&mut other);
        let problems = other.beyond(&asked);
        problems.iter().map(|p| p.at.clone()).collect::<Vec<_>>()
    };
    assert_eq!(change(|t| t.methods = crate::model::rights::Methods::Any), ["methods"]);
    assert_eq!(change(|t| t.path = "/persons/**".parse().expect("a pattern")), ["path"]);
    assert_eq!(change(|t| t.path = "/persons/1".parse().expect("a pattern")), [""; 0]);
    assert_eq!(
        change(|t| t.purposes.extend(["other".parse().expect("a purpose")])),
        ["purposes"]
    );
    assert_eq!(change(|t| t.from = t.from.plus_seconds(-1)), ["from"]);
    assert_eq!(change(|t| t.to = t.to.plus_seconds(1)), ["to"]);
    assert_eq!(change(|t| t.rate = None), ["rate_calls"]);
    assert_eq!(change(|t| t.fields = None), ["fields"]);
    assert_eq!(
        change(|t| t.fields = Some(vec!["/name/first".parse().expect("a pointer")])),
        [""; 0]
    );
    assert_eq!(
        change(|t| t.fields = Some(vec!["/names".parse().expect("a pointer")])),
        ["fields"]
    );
    assert_eq!(
        change(|t| t.fields = Some(vec!["/*".parse().expect("a pointer")])),
        ["fields"]
    );
}
