use procedure::process::{NodeKind, Process, Severity, Silence};

use super::{EVERY, PERMIT, errors, file, judge};

fn codes(xml: &str) -> Vec<String> {
    errors(xml).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn good_processes_pass() {
    for xml in [PERMIT, EVERY, include_str!("good-loop-join.bpmn")] {
        let examined = judge(xml);
        let bad: Vec<_> = examined
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .collect();
        assert!(bad.is_empty(), "{bad:#?}");
        assert!(examined.process.is_some());
    }
}

#[test]
fn every_trap_is_found_and_told() {
    let cases = [
        (include_str!("bad-deadlock.bpmn"), "deadlock", "j"),
        (include_str!("bad-left-behind.bpmn"), "left-behind", "j"),
        (include_str!("bad-two-tokens.bpmn"), "two-tokens", "c"),
        (include_str!("bad-never-ends.bpmn"), "never-ends", "a"),
        (include_str!("bad-inclusive-parallel.bpmn"), "deadlock", "j"),
        (include_str!("bad-silent-round.bpmn"), "round-without-rest", "m"),
    ];
    for (xml, code, element) in cases {
        let examined = judge(xml);
        assert!(examined.process.is_none());
        let found = examined.findings.iter().find(|f| f.code == code);
        let found = found.unwrap_or_else(|| panic!("no {code} in {:#?}", examined.findings));
        assert_eq!(found.element_id, element, "{found:#?}");
        assert!(found.at.line > 1 && found.at.column > 1, "{found:#?}");
        assert!(!found.text.vi.is_empty() && !found.text.en.is_empty());
    }
}

#[test]
fn the_way_into_a_trap_is_a_shortest_one_in_words() {
    let examined = judge(include_str!("bad-deadlock.bpmn"));
    let trap = examined
        .findings
        .iter()
        .find(|f| f.code == "deadlock")
        .expect("a deadlock");
    assert!(
        trap.text
            .en
            .ends_with("For instance: start → at “x” choose “Bước A” → “Bước A” done."),
        "{}",
        trap.text.en
    );
    assert!(
        trap.text.vi.contains("bắt đầu → tại “x” chọn “Bước A” → “Bước A” xong"),
        "{}",
        trap.text.vi
    );
}

#[test]
fn what_is_outside_the_profile_is_refused_all_at_once() {
    let found = errors(include_str!("bad-unsupported.bpmn"));
    for (code, element) in [
        ("unsupported", "script"),
        ("unsupported", "rules"),
        ("unsupported", "sub"),
        ("unsupported", "many"),
        ("bad-budget", "many"),
        ("bad-kind", "many"),
        ("bad-part-id", "many"),
        ("bad-effect", "many"),
        ("bad-field", "many"),
        ("unknown-extension", "many"),
        ("flow-nowhere", "f3"),
        ("one-start", "p"),
    ] {
        assert!(
            found.contains(&(code.to_owned(), element.to_owned())),
            "no {code} at {element} in {found:#?}"
        );
    }
    assert!(Process::parse(include_str!("bad-unsupported.bpmn")).is_err());
}

#[test]
fn steps_without_role_budget_outcome_and_conditions_without_type_are_refused() {
    let xml = include_str!("bad-steps.bpmn");
    let found = errors(xml);
    for (code, element) in [
        ("no-role", "naked"),
        ("no-budget", "naked"),
        ("no-outcome", "naked"),
        ("no-name", "naked"),
        ("no-default", "x"),
        ("bad-condition", "f3"),
        ("unknown-outcome", "f4"),
        ("unknown-service", "svc"),
        ("unknown-role", "who"),
        ("from-nowhere", "wait"),
    ] {
        assert!(
            found.contains(&(code.to_owned(), element.to_owned())),
            "no {code} at {element} in {found:#?}"
        );
    }
    assert!(
        judge(xml)
            .findings
            .iter()
            .any(|f| f.code == "waits-for-ever" && f.severity == Severity::Warning)
    );
}

#[test]
fn a_place_is_given_by_line_and_column() {
    let xml = file("\n  <bpmn:startEvent id=\"s\"/>\n  <bpmn:manualTask id=\"đ\"/>\n");
    let finding = judge(&xml)
        .findings
        .into_iter()
        .find(|f| f.code == "unsupported")
        .expect("a finding");
    assert_eq!((finding.at.line, finding.at.column), (3, 3));
}

#[test]
fn shapes_that_cannot_be_played_are_refused() {
    let task = |id: &str| {
        format!(
            r#"<bpmn:userTask id="{id}" name="{id}" mc:role="leader" mc:budget="1wd"><bpmn:extensionElements><mc:outcome id="ok" vi="Xong"/></bpmn:extensionElements></bpmn:userTask>"#
        )
    };
    let flow = |id: &str, from: &str, to: &str| {
        format!(r#"<bpmn:sequenceFlow id="{id}" sourceRef="{from}" targetRef="{to}"/>"#)
    };
    let start = r#"<bpmn:startEvent id="s"/><bpmn:endEvent id="e"/>"#;
    let line = format!("{start}{}{}{}", task("a"), flow("f1", "s", "a"), flow("f2", "a", "e"));
    assert_eq!(codes(&file(&line)), Vec::<String>::new());
    let with = |more: &str| codes(&file(&format!("{line}{more}")));
    let has = |codes: Vec<String>, code: &str| assert!(codes.iter().any(|c| c == code), "no {code} in {codes:?}");
    has(with(&task("b")), "unreachable");
    has(
        with(&format!("{}{}", task("b"), flow("f3", "a", "b"))),
        "split-without-gateway",
    );
    has(with(&format!("{}{}", task("b"), flow("f3", "a", "b"))), "no-flow-out");
    has(
        with(&format!(
            "{}{}{}",
            task("b"),
            flow("f3", "a", "b"),
            flow("f4", "b", "b")
        )),
        "no-way-out",
    );
    has(with(&flow("f3", "a", "e")), "twin-flow");
    has(with(&flow("f3", "e", "a")), "flow-out-of-end");
    has(
        with(
            r#"<bpmn:boundaryEvent id="t" attachedToRef="s"><bpmn:timerEventDefinition><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"#,
        ),
        "boundary-nowhere",
    );
    has(
        with(
            r#"<bpmn:boundaryEvent id="t" attachedToRef="a"><bpmn:timerEventDefinition><bpmn:timeDuration>P1M</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"#,
        ),
        "bad-timer",
    );
    has(
        with(r#"<bpmn:boundaryEvent id="t" attachedToRef="a"><bpmn:errorEventDefinition/></bpmn:boundaryEvent>"#),
        "error-on-task",
    );
    has(
        with(r#"<bpmn:callActivity id="c" calledElement="nobody"/>"#),
        "call-nowhere",
    );
    has(
        with(r#"<bpmn:callActivity id="c" calledElement="p"/>"#),
        "recursive-call",
    );
    has(
        with(r#"<bpmn:eventBasedGateway id="g"/><bpmn:sequenceFlow id="f3" sourceRef="g" targetRef="a"/>"#),
        "event-gateway-target",
    );
    has(
        with(
            r#"<bpmn:sequenceFlow id="f3" sourceRef="s" targetRef="e"><bpmn:conditionExpression>true</bpmn:conditionExpression></bpmn:sequenceFlow>"#,
        ),
        "condition-without-split",
    );
}

#[test]
fn too_many_states_is_said_and_is_no_proof() {
    let mut xml = String::from(
        r#"<bpmn:startEvent id="s"/><bpmn:parallelGateway id="x"/><bpmn:parallelGateway id="j"/><bpmn:endEvent id="e"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="x"/><bpmn:sequenceFlow id="l" sourceRef="j" targetRef="e"/>"#,
    );
    for n in 0..20 {
        xml += &format!(
            r#"<bpmn:userTask id="t{n}" name="t" mc:role="leader" mc:budget="1wd"><bpmn:extensionElements><mc:outcome id="ok" vi="Xong"/></bpmn:extensionElements></bpmn:userTask><bpmn:sequenceFlow id="a{n}" sourceRef="x" targetRef="t{n}"/><bpmn:sequenceFlow id="b{n}" sourceRef="t{n}" targetRef="j"/>"#
        );
    }
    assert_eq!(codes(&file(&xml)), ["too-many-states"]);
}

#[test]
fn silence_is_agreement_only_where_the_file_says_so() {
    let ask = |silence: &str| {
        file(&format!(
            r#"<bpmn:startEvent id="s"/><bpmn:sendTask id="ask" name="Hỏi" mc:consult="fire" mc:message="m" mc:question-vi="?"{silence}/><bpmn:endEvent id="e"/><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="ask"/><bpmn:sequenceFlow id="f2" sourceRef="ask" targetRef="e"/>"#
        ))
    };
    let meant = |silence: &str| {
        let process = Process::parse(&ask(silence)).expect("a readable process");
        match process.node("ask").map(|n| n.kind.clone()) {
            Some(NodeKind::Send(send)) => send.silence,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(meant(""), Silence::Unanswered);
    assert_eq!(meant(r#" mc:silence="unanswered""#), Silence::Unanswered);
    assert_eq!(meant(r#" mc:silence="agrees""#), Silence::Agrees);
    for unknown in ["agree", "yes", "", "Agrees"] {
        let xml = ask(&format!(r#" mc:silence="{unknown}""#));
        assert!(
            codes(&xml).contains(&"bad-silence".to_owned()),
            "{unknown} was accepted"
        );
        assert!(Process::parse(&xml).is_err());
    }
}
