use base::{Error, Kind};
use procedure::process::{
    CloseReason, Effect, EndReason, EngineError, Input, Instance, MessageTo, OutcomeEffect, Process, TimerRule,
};
use serde_json::{Map, Value, json};

use super::{every, mini_feel::MiniFeel, permit};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn start(process: &Process, variables: Value) -> (Instance, Vec<Effect>) {
    let mut instance = Instance::default();
    let effects = process.step(
        &mut instance,
        &Input::Start {
            variables: map(variables),
        },
        &MiniFeel,
    );
    (instance, effects.expect("it starts"))
}

fn token(instance: &Instance, node: &str) -> u32 {
    let resting = instance.tokens.iter().find(|t| t.node == node).map(|t| t.id);
    let armed = instance.events.iter().find(|e| e.node == node).map(|e| e.id);
    resting
        .or(armed)
        .unwrap_or_else(|| panic!("nothing open at {node}: {instance:#?}"))
}

fn complete(instance: &Instance, node: &str, outcome: &str, fields: Value) -> Input {
    Input::CompleteTask {
        token: token(instance, node),
        outcome: outcome.to_owned(),
        fields: map(fields),
    }
}

fn run(process: &Process, instance: &mut Instance, input: &Input) -> Vec<Effect> {
    process
        .step(instance, input, &MiniFeel)
        .unwrap_or_else(|e| panic!("{input:?}: {e}"))
}

fn open(instance: &Instance) -> Vec<&str> {
    instance.tokens.iter().map(|t| t.node.as_str()).collect()
}

#[test]
fn a_building_permit_with_one_answer_and_one_silence() {
    let process = permit();
    let (mut it, effects) = start(&process, json!({}));
    assert!(
        matches!(&effects[..], [Effect::TaskOpened { node, role, unit: Some(unit), budget: Some(budget), .. }]
        if node == "intake" && role == "receptionist" && unit == "one-stop" && budget.to_string() == "4wh")
    );
    let input = complete(&it, "intake", "accept", json!({}));
    let effects = run(&process, &mut it, &input);
    assert!(effects.iter().any(|e| matches!(e, Effect::TaskClosed { reason: CloseReason::Completed { outcome, does: OutcomeEffect::Receive }, .. } if outcome == "accept")));
    let input = complete(
        &it,
        "inspect",
        "done",
        json!({"date": "2026-11-20", "fire": true, "env": true}),
    );
    let effects = run(&process, &mut it, &input);
    let sent: Vec<_> = effects
        .iter()
        .filter_map(|e| match e {
            Effect::MessageSent {
                consult: Some(c),
                message,
                ..
            } => Some((c.as_str(), message.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [("fire-police", "opinion"), ("environment", "opinion")]);
    let timers = effects
        .iter()
        .filter(|e| matches!(e, Effect::TimerSet { due: TimerRule::After(b), .. } if b.to_string() == "12d"));
    assert_eq!(timers.count(), 2);
    assert_eq!(open(&it), ["get_fire", "get_env"]);

    // Two wait for the same message: it must say which question it answers.
    let message = |from: Option<&str>| Input::MessageArrived {
        to: MessageTo::Name {
            name: "opinion".into(),
            from: from.map(str::to_owned),
        },
        payload: json!({"opinion": "agree"}),
    };
    let before = it.clone();
    assert_eq!(
        process.step(&mut it, &message(None), &MiniFeel),
        Err(EngineError::Ambiguous { name: "opinion".into() })
    );
    assert_eq!(it, before, "a refusal changes nothing");
    let effects = run(&process, &mut it, &message(Some("ask_env")));
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::MessageClosed { arrived: true, .. }))
    );
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::TimerCleared { node, .. } if node == "silent_env"))
    );
    // The join waits for the fire police.
    assert_eq!(open(&it), ["get_fire"]);
    assert_eq!(it.joining.len(), 1);
    let silent = token(&it, "silent_fire");
    run(&process, &mut it, &Input::TimerFired { token: silent });
    assert_eq!(open(&it), ["draft"]);
    assert_eq!(it.variables["silent_fire"], json!({"fired": true}));
    // The answer that comes too late is refused as such.
    let late = process.step(&mut it, &message(Some("ask_fire")), &MiniFeel);
    assert_eq!(late, Err(EngineError::NotAwaited { name: "opinion".into() }));

    for (node, outcome) in [
        ("draft", "ready"),
        ("sign", "back"),
        ("draft", "ready"),
        ("sign", "approve"),
    ] {
        let input = complete(&it, node, outcome, json!({}));
        run(&process, &mut it, &input);
    }
    let service = token(&it, "render");
    run(
        &process,
        &mut it,
        &Input::ServiceDone {
            token: service,
            result: json!({"file": "x"}),
        },
    );
    let input = complete(&it, "deliver", "delivered", json!({}));
    let effects = run(&process, &mut it, &input);
    assert!(matches!(effects.last(), Some(Effect::Ended { reason: EndReason::Completed { node } }) if node == "end"));
    assert!(it.tokens.is_empty() && it.events.is_empty() && it.joining.is_empty());
    let now = it.where_now();
    assert!(now.done.iter().any(|n| n == "sign") && now.active.is_empty());
}

#[test]
fn nobody_asked_takes_the_default() {
    let process = permit();
    let (mut it, _) = start(&process, json!({}));
    let input = complete(&it, "intake", "accept", json!({}));
    run(&process, &mut it, &input);
    let input = complete(&it, "inspect", "done", json!({"date": "2026-11-20"}));
    run(&process, &mut it, &input);
    assert_eq!(open(&it), ["draft"]);
}

#[test]
fn papers_come_or_time_runs_out() {
    let process = permit();
    let (mut it, _) = start(&process, json!({}));
    let input = complete(&it, "intake", "supplement", json!({"reason": "Thiếu bản vẽ"}));
    let effects = run(&process, &mut it, &input);
    assert_eq!(open(&it), ["g_wait"]);
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::MessageAwaited { name, .. } if name == "supplement"))
    );
    let mut other = it.clone();
    let first = it.tokens.clone();
    let to = MessageTo::Name {
        name: "supplement".into(),
        from: None,
    };
    let effects = run(&process, &mut it, &Input::MessageArrived { to, payload: json!({}) });
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::TimerCleared { node, .. } if node == "expired"))
    );
    assert_eq!(open(&it), ["intake"]);
    assert!(it.tokens[0].id > first[0].id, "an opened step gets a new number");
    let expired = token(&other, "expired");
    let effects = run(&process, &mut other, &Input::TimerFired { token: expired });
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::MessageClosed { arrived: false, .. }))
    );
    assert_eq!(
        other.ended,
        Some(EndReason::Completed {
            node: "returned".into()
        })
    );
}

#[test]
fn refusals_explain_themselves_and_change_nothing() {
    let process = permit();
    let (mut it, _) = start(&process, json!({}));
    let before = serde_json::to_string(&it).expect("JSON");
    let open_token = token(&it, "intake");
    let task = |token, outcome: &str, fields| Input::CompleteTask {
        token,
        outcome: outcome.into(),
        fields: map(fields),
    };
    let cases = [
        (
            Input::Start { variables: Map::new() },
            "process-already-started",
            Kind::Conflict,
        ),
        (task(99, "accept", json!({})), "step-closed", Kind::Conflict),
        (task(open_token, "dance", json!({})), "no-such-outcome", Kind::Invalid),
        (
            Input::TimerFired { token: open_token },
            "step-of-another-kind",
            Kind::Conflict,
        ),
        (
            Input::ServiceDone {
                token: open_token,
                result: Value::Null,
            },
            "step-of-another-kind",
            Kind::Conflict,
        ),
        (
            Input::MessageArrived {
                to: MessageTo::Name {
                    name: "x".into(),
                    from: None,
                },
                payload: Value::Null,
            },
            "message-not-awaited",
            Kind::Conflict,
        ),
    ];
    for (input, code, kind) in cases {
        let error = process.step(&mut it, &input, &MiniFeel).expect_err("refused");
        assert_eq!((error.code(), error.kind()), (code, kind));
        assert!(!error.text().vi.is_empty() && !error.text().en.is_empty());
        assert_eq!(serde_json::to_string(&it).expect("JSON"), before);
    }
    let error = process.step(
        &mut it,
        &task(open_token, "refuse", json!({"reason": "  ", "extra": 1})),
        &MiniFeel,
    );
    let Err(Error::Refused(Kind::Invalid, problems)) = error.map_err(Error::from) else {
        panic!("not refused")
    };
    let at: Vec<_> = problems.iter().map(|p| (p.code.as_str(), p.at.as_str())).collect();
    assert_eq!(at, [("unknown-field", "extra"), ("required", "reason")]);
    // The reason belongs to other outcomes: not asked for here, and dropped when given.
    let input = task(open_token, "accept", json!({"reason": "đổi ý"}));
    run(&process, &mut it, &input);
    assert_eq!(it.variables["intake"], json!({"outcome": "accept"}));
    // A double click.
    assert_eq!(
        process.step(&mut it, &input, &MiniFeel),
        Err(EngineError::Closed { token: open_token })
    );
    // Every type of field, wrong.
    let inspect = token(&it, "inspect");
    let fields = json!({"date": "2026-02-30", "fire": "yes", "risk": "medium", "report": 7});
    let error = process.step(&mut it, &task(inspect, "done", fields), &MiniFeel);
    let Err(EngineError::Fields(problems)) = error else {
        panic!("not refused")
    };
    assert_eq!(problems.iter().count(), 4);
}

#[test]
fn every_element_runs() {
    let process = every();
    let given = json!({"appointment": "2026-12-01"});
    let (mut it, effects) = start(&process, given.clone());
    let fee = token(&it, "fee");
    assert!(effects.contains(&Effect::ServiceCalled {
        token: fee,
        node: "fee".into(),
        service: "fee.compute".into()
    }));
    // A failure that nothing catches keeps the step open; one that is caught goes to hand work.
    let failed = |code: Option<&str>| Input::ServiceFailed {
        token: fee,
        code: code.map(str::to_owned),
        message: "?".into(),
    };
    let effects = run(&process, &mut it, &failed(None));
    assert!(matches!(&effects[..], [Effect::Stuck { .. }]));
    let effects = run(&process, &mut it, &failed(Some("payment")));
    assert!(effects.iter().any(|e| matches!(e, Effect::ServiceDropped { .. })));
    let input = complete(&it, "by_hand", "ok", json!({}));
    run(&process, &mut it, &input);
    assert_eq!(open(&it), ["work", "shared", "review", "race"]);

    // The reminder leaves the task open and happens once.
    let reminder = token(&it, "reminder");
    let effects = run(&process, &mut it, &Input::TimerFired { token: reminder });
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::MessageSent { message, .. } if message == "nudge"))
    );
    assert!(open(&it).contains(&"review"));
    assert!(
        process
            .step(&mut it, &Input::TimerFired { token: reminder }, &MiniFeel)
            .is_err()
    );

    let answer = token(&it, "answer");
    run(
        &process,
        &mut it,
        &Input::MessageArrived {
            to: MessageTo::Token(answer),
            payload: json!({"ok": true}),
        },
    );
    assert_eq!(it.joining.len(), 1);
    let withdrawn = it.clone();
    let mut failing = it.clone();
    let input = complete(&it, "review", "ok", json!({"score": 7.5}));
    let effects = run(&process, &mut it, &input);
    assert_eq!(open(&it), ["pause"]);
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::TimerSet { due: TimerRule::At(date), .. } if date == "2026-12-01"))
    );
    let pause = token(&it, "pause");
    let effects = run(&process, &mut it, &Input::TimerFired { token: pause });
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::MessageSent { message, .. } if message == "result"))
    );
    assert_eq!(it.ended, Some(EndReason::Completed { node: "done".into() }));

    // The sub-process fails and is caught outside; the other way at the inclusive split.
    let input = complete(&failing, "review", "bad", json!({"score": 1}));
    run(&process, &mut failing, &input);
    assert_eq!(failing.ended, Some(EndReason::Completed { node: "done".into() }));
    assert!(failing.done.iter().any(|n| n == "work_bad") && !failing.done.iter().any(|n| n == "work"));

    // A message on the border of the sub-process cancels all within, and the terminate end all without.
    let mut it = withdrawn;
    let to = MessageTo::Name {
        name: "withdraw".into(),
        from: None,
    };
    let effects = run(
        &process,
        &mut it,
        &Input::MessageArrived {
            to,
            payload: Value::Null,
        },
    );
    assert!(
        effects.iter().any(
            |e| matches!(e, Effect::TaskClosed { node, reason: CloseReason::Interrupted, .. } if node == "review")
        )
    );
    assert_eq!(it.ended, Some(EndReason::Terminated { node: "gone".into() }));
    assert!(it.tokens.is_empty() && it.events.is_empty() && it.joining.is_empty());
    assert_eq!(
        process.step(&mut it, &Input::Cancel { reason: "?".into() }, &MiniFeel),
        Err(EngineError::Ended)
    );
}

#[test]
fn cancelling_closes_everything() {
    let process = every();
    let (mut it, _) = start(&process, json!({"appointment": "2026-12-01"}));
    let fee = token(&it, "fee");
    run(
        &process,
        &mut it,
        &Input::ServiceDone {
            token: fee,
            result: json!(250_000),
        },
    );
    let effects = run(
        &process,
        &mut it,
        &Input::Cancel {
            reason: "Người nộp rút hồ sơ".into(),
        },
    );
    let closed = |what: fn(&Effect) -> bool| effects.iter().filter(|e| what(e)).count();
    assert_eq!(
        closed(|e| matches!(
            e,
            Effect::TaskClosed {
                reason: CloseReason::Withdrawn,
                ..
            }
        )),
        1
    );
    assert_eq!(closed(|e| matches!(e, Effect::TimerCleared { .. })), 2);
    assert_eq!(closed(|e| matches!(e, Effect::MessageClosed { arrived: false, .. })), 2);
    assert!(matches!(it.ended, Some(EndReason::Cancelled { .. })));
}

#[test]
fn an_instance_is_data_and_belongs_to_its_process() {
    let process = permit();
    let (it, _) = start(&process, json!({"applicant": "An"}));
    let text = serde_json::to_string(&it).expect("JSON");
    let mut back: Instance = serde_json::from_str(&text).expect("an instance");
    assert_eq!(back, it);
    let error = every()
        .step(&mut back, &Input::Cancel { reason: String::new() }, &MiniFeel)
        .expect_err("foreign");
    assert_eq!(error.code(), "foreign-instance");
    let mut fresh = Instance::default();
    assert_eq!(
        process.step(&mut fresh, &Input::TimerFired { token: 1 }, &MiniFeel),
        Err(EngineError::NotStarted)
    );
}

#[test]
fn the_longest_way_ahead_is_foreseen() {
    let process = permit();
    let shown = |it: &Instance| {
        let all = process.remaining_budget_path(it);
        all.into_iter()
            .map(|a| format!("{} {}", a.node, a.budget))
            .collect::<Vec<_>>()
    };
    let (mut it, _) = start(&process, json!({}));
    let input = complete(&it, "intake", "accept", json!({}));
    run(&process, &mut it, &input);
    assert_eq!(
        shown(&it),
        ["inspect 7wd", "get_fire 12d", "draft 3wd", "sign 2wd", "deliver 4wh"]
    );
    let input = complete(&it, "inspect", "done", json!({"date": "2026-11-20", "env": true}));
    run(&process, &mut it, &input);
    assert_eq!(shown(&it), ["get_env 12d", "draft 3wd", "sign 2wd", "deliver 4wh"]);
    run(&process, &mut it, &Input::Cancel { reason: String::new() });
    assert!(shown(&it).is_empty());
}

#[test]
fn what_must_follow_is_the_least_that_every_ordinary_way_has() {
    let process = permit();
    let shown = |it: &Instance, node: &str| {
        let all = process.must_follow(it, token(it, node));
        all.into_iter()
            .map(|a| format!("{} {}", a.node, a.budget))
            .collect::<Vec<_>>()
    };
    let (mut it, _) = start(&process, json!({}));
    // To refuse would be shorter; papers that never come end the process early. Neither is an ordinary end.
    assert_eq!(
        shown(&it, "intake"),
        ["inspect 7wd", "draft 3wd", "sign 2wd", "deliver 4wh"]
    );
    let input = complete(&it, "intake", "accept", json!({}));
    run(&process, &mut it, &input);
    // Nobody need be asked.
    assert_eq!(shown(&it, "inspect"), ["draft 3wd", "sign 2wd", "deliver 4wh"]);
    let input = complete(&it, "inspect", "done", json!({"date": "2026-11-20", "env": true}));
    run(&process, &mut it, &input);
    assert_eq!(shown(&it, "get_env"), ["draft 3wd", "sign 2wd", "deliver 4wh"]);
    assert!(process.must_follow(&it, 9_999).is_empty());
}

#[test]
fn of_parallel_branches_the_longest_counts_and_of_a_sub_process_its_inside() {
    let task = |id: &str, budget: &str, effect: &str| {
        format!(
            r#"<bpmn:userTask id="{id}" name="{id}" mc:role="leader" mc:budget="{budget}"><bpmn:extensionElements><mc:outcome id="ok" effect="{effect}" vi="Xong"/></bpmn:extensionElements></bpmn:userTask>"#
        )
    };
    let flow = |id: &str, from: &str, to: &str| {
        format!(r#"<bpmn:sequenceFlow id="{id}" sourceRef="{from}" targetRef="{to}"/>"#)
    };
    let inner = format!(
        r#"<bpmn:subProcess id="sub" name="sub"><bpmn:startEvent id="is"/>{}<bpmn:endEvent id="ie"/>{}{}</bpmn:subProcess>"#,
        task("deep", "3wd", "approve"),
        flow("i1", "is", "deep"),
        flow("i2", "deep", "ie"),
    );
    let xml = super::file(&[
        r#"<bpmn:startEvent id="s"/><bpmn:parallelGateway id="p1"/><bpmn:parallelGateway id="p2"/><bpmn:endEvent id="e"/>"#.to_owned(),
        task("first", "1wd", "none"),
        task("short", "1wd", "none"),
        task("long", "5wd", "none"),
        task("last", "2wh", "none"),
        inner,
        flow("f1", "s", "first"),
        flow("f2", "first", "p1"),
        flow("f3", "p1", "short"),
        flow("f4", "p1", "long"),
        flow("f5", "short", "p2"),
        flow("f6", "long", "p2"),
        flow("f7", "p2", "sub"),
        flow("f8", "sub", "last"),
        flow("f9", "last", "e"),
    ]
    .concat());
    let process = Process::parse(&xml).expect("a readable process");
    let (mut it, _) = start(&process, json!({}));
    let shown = |it: &Instance, node: &str| -> Vec<String> {
        let all = process.must_follow(it, token(it, node));
        all.into_iter().map(|a| format!("{} {}", a.node, a.budget)).collect()
    };
    assert_eq!(shown(&it, "first"), ["long 5wd", "deep 3wd", "last 2wh"]);
    let input = complete(&it, "first", "ok", json!({}));
    run(&process, &mut it, &input);
    assert_eq!(
        shown(&it, "short"),
        ["deep 3wd", "last 2wh"],
        "the other branch is not this one's"
    );
    assert_eq!(shown(&it, "long"), ["deep 3wd", "last 2wh"]);
    for step in ["short", "long"] {
        let input = complete(&it, step, "ok", json!({}));
        run(&process, &mut it, &input);
    }
    assert_eq!(shown(&it, "deep"), ["last 2wh"]);
}

#[test]
fn a_condition_that_fails_names_its_branch() {
    let process = permit();
    let (mut it, _) = start(&process, json!({}));
    struct Broken;
    impl procedure::process::Feel for Broken {
        fn check_condition(&self, _: &str, _: &procedure::process::Variables) -> Result<(), String> {
            Ok(())
        }
        fn check_date(&self, _: &str, _: &procedure::process::Variables) -> Result<(), String> {
            Ok(())
        }
        fn condition(&self, _: &str, _: &Map<String, Value>) -> Result<bool, String> {
            Err("no".into())
        }
        fn date(&self, _: &str, _: &Map<String, Value>) -> Result<String, String> {
            Err("no".into())
        }
    }
    let before = it.clone();
    let input = complete(&it, "intake", "accept", json!({}));
    let error = process.step(&mut it, &input, &Broken).expect_err("a condition fails");
    assert_eq!(
        error,
        EngineError::Condition {
            flow: "f_refuse".into(),
            message: "no".into()
        }
    );
    assert_eq!(it, before);
}
