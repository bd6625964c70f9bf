use std::time::{Duration, Instant};

use procedure::process::Process;

use super::{errors, file, judge};

/// Refused, soon, and without a panic; gives the codes.
fn refused(xml: &str) -> Vec<String> {
    let began = Instant::now();
    let findings = Process::parse(xml).expect_err("it was accepted");
    // Not a measurement: quadratic work on these inputs takes minutes.
    assert!(began.elapsed() < Duration::from_secs(20), "took {:?}", began.elapsed());
    assert!(findings.len() <= 200);
    findings.into_iter().map(|f| f.code).collect()
}

#[test]
fn entities_and_doctypes_are_refused() {
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\">");
    for n in 1..10 {
        let previous = if n == 1 { String::new() } else { (n - 1).to_string() };
        bomb += &format!("<!ENTITY lol{n} \"{}\">", format!("&lol{previous};").repeat(10));
    }
    bomb += "]><definitions>&lol9;</definitions>";
    assert_eq!(refused(&bomb), ["doctype"]);
    assert_eq!(refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), ["doctype"]);
    assert_eq!(
        refused(&file("<bpmn:startEvent id=\"s\" name=\"&unknown;\"/>")),
        ["not-xml"]
    );
}

#[test]
fn depth_length_and_size_are_bounded() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    assert_eq!(refused(&deep), ["too-deep"]);
    assert_eq!(refused(&"<a>".repeat(600_000)), ["too-deep"]);
    assert_eq!(
        refused(&file(&format!(
            "{}{}",
            "<bpmn:subProcess>".repeat(10_000),
            "</bpmn:subProcess>".repeat(10_000)
        ))),
        ["too-deep"]
    );
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    assert_eq!(refused(&format!("<a{attributes}/>")), ["tag-too-long"]);
    assert_eq!(
        refused(&format!("<a b=\"{}\"/>", "<".repeat(1_000_000))),
        ["tag-too-long"]
    );
    assert_eq!(refused(&" ".repeat(2 * 1024 * 1024 + 1)), ["too-large"]);
    assert_eq!(refused(&file(&"<bpmn:task/>".repeat(150_000))), ["not-xml"]);
    let many: String = (0..2_001)
        .map(|n| format!("<bpmn:parallelGateway id=\"g{n}\"/>"))
        .collect();
    assert!(refused(&file(&many)).contains(&"too-many-nodes".to_owned()));
    let long = format!("<bpmn:startEvent id=\"s\" name=\"{}\"/>", "đ".repeat(501));
    assert!(refused(&file(&long)).contains(&"text-too-long".to_owned()));
}

#[test]
fn what_is_not_bpmn_is_said_to_be_so() {
    assert_eq!(refused(""), ["not-xml"]);
    assert_eq!(refused("\u{0}\u{1}"), ["not-xml"]);
    assert_eq!(refused("<html/>"), ["not-bpmn"]);
    assert_eq!(
        refused("<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>"),
        ["no-process"]
    );
    assert_eq!(refused("<a"), ["not-xml"]);
    assert_eq!(refused("<!-- "), ["not-xml"]);
}

#[test]
fn ids_are_there_and_are_unique() {
    let codes = refused(&file(
        "<bpmn:startEvent/><bpmn:startEvent id=\" \"/><bpmn:endEvent id=\"e\"/><bpmn:endEvent id=\"e\"/><bpmn:endEvent id=\"&lt;script&gt;\"/><bpmn:userTask id=\"a-b\"/>",
    ));
    assert_eq!(codes.iter().filter(|c| *c == "no-id").count(), 2);
    for code in ["duplicate-id", "bad-id", "id-not-a-name"] {
        assert!(codes.iter().any(|c| c == code), "no {code} in {codes:?}");
    }
}

#[test]
fn calls_that_fan_out_at_every_level_do_not_explode() {
    // Each of 40 processes calls the next one twice: 2^40 runs if somebody counted them all.
    let mut xml = String::from(r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d">"#);
    for n in 0..40 {
        let call = |which: &str| match n {
            39 => format!("<bpmn:intermediateThrowEvent id=\"c{which}{n}\"/>"),
            _ => format!("<bpmn:callActivity id=\"c{which}{n}\" calledElement=\"p{}\"/>", n + 1),
        };
        xml += &format!(
            r#"<bpmn:process id="p{n}" isExecutable="true"><bpmn:startEvent id="s{n}"/>{}{}<bpmn:endEvent id="e{n}"><bpmn:errorEventDefinition/></bpmn:endEvent><bpmn:sequenceFlow id="f{n}" sourceRef="s{n}" targetRef="ca{n}"/><bpmn:sequenceFlow id="g{n}" sourceRef="ca{n}" targetRef="cb{n}"/><bpmn:sequenceFlow id="h{n}" sourceRef="cb{n}" targetRef="e{n}"/></bpmn:process>"#,
            call("a"),
            call("b"),
        );
    }
    xml += "</bpmn:definitions>";
    let began = Instant::now();
    let plain = xml.replace("<bpmn:errorEventDefinition/>", "");
    assert!(errors(&plain).iter().any(|(code, _)| code == "too-many-states"));
    assert!(errors(&xml).iter().any(|(code, _)| code == "uncaught-error"));
    let process = Process::parse(&plain).expect("readable");
    assert!(process.remaining_budget_path(&Default::default()).is_empty());
    assert!(began.elapsed() < Duration::from_secs(60), "took {:?}", began.elapsed());
    let mut instance = Default::default();
    let input = procedure::process::Input::Start {
        variables: Default::default(),
    };
    let error = process
        .step(&mut instance, &input, &super::MiniFeel)
        .expect_err("never rests");
    assert_eq!(error.code(), "endless");
    assert_eq!(instance, Default::default());
}

#[test]
fn a_long_chain_is_no_stack_overflow() {
    let mut xml = String::from("<bpmn:startEvent id=\"n0\"/>");
    for n in 1..1_900 {
        xml += &format!(
            "<bpmn:intermediateThrowEvent id=\"n{n}\"/><bpmn:sequenceFlow id=\"f{n}\" sourceRef=\"n{}\" targetRef=\"n{n}\"/>",
            n - 1
        );
    }
    xml += "<bpmn:endEvent id=\"e\"/><bpmn:sequenceFlow id=\"f\" sourceRef=\"n1899\" targetRef=\"e\"/>";
    let examined = judge(&file(&xml));
    let process = examined.process.expect("a good process");
    assert!(process.remaining_budget_path(&Default::default()).is_empty());
    let svg = procedure::process::draw(&process, &procedure::process::DrawOptions::plain(base::Lang::Vi));
    assert!(svg.ends_with("</svg>"));
}
